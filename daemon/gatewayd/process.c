/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a process of the gateway: the part of desk.h that forks. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "desk.h"

/* --- in the child ---------------------------------------------------------------------------- */

struct confined {
    const struct gw_process *process;
    struct pp_sandbox_report report;
    pp_res result;
    struct pp_problem problem;
};

/* Runs behind the walls, or says why they do not stand. */
static pp_res start_confined(void *ctx, struct gw_desk *desk, struct pp_problem *problem)
{
    struct confined *c = (struct confined *)ctx;
    const struct gw_process *p = c->process;

    *problem = c->problem;
    PP_TRY(c->result);
    pp_ev_daemon_confined(&desk->events, PP_PARTY_GATEWAY, c->report.user, c->report.chroot,
                          c->report.landlock, c->report.seccomp);
    return p->start(p->ctx, desk, problem);
}

static pp_res work(void *ctx, struct gw_desk *desk, const struct gw_frame *asked, size_t count)
{
    const struct gw_process *p = ((struct confined *)ctx)->process;

    return p->work(p->ctx, desk, asked, count);
}

static void turn(void *ctx, struct gw_desk *desk)
{
    const struct gw_process *p = ((struct confined *)ctx)->process;

    p->turn(p->ctx, desk);
}

static _Noreturn void live(const struct gw_process *p, int fd)
{
    static const int IGNORED[] = { SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGXFSZ };
    static struct confined c;
    static struct pp_sandbox sandbox;
    const struct gw_process outer = {
        .start = start_confined, .work = work, .turn = turn, .turn_ms = p->turn_ms, .ctx = &c
    };

    /* The front says when it is over, by closing: a signal to the whole group is for the front. And
     * a file that may not grow is a store that cannot tell, as on a full disk. */
    for (size_t i = 0; i < PP_ARRAY_COUNT(IGNORED); i++)
        (void)signal(IGNORED[i], SIG_IGN);
    (void)prctl(PR_SET_NAME, p->name, 0, 0, 0);
    c.process = p;
    c.result = pp_close_others(&fd, 1);
    sandbox = p->sandbox;
    if (pp_is_ok(c.result) && p->prepare != NULL)
        c.result = p->prepare(p->ctx, &sandbox, &c.problem);
    if (pp_is_ok(c.result))
        c.result = pp_sandbox_enter(&sandbox, &c.problem, &c.report);
    _exit(pp_is_ok(gw_desk_run(&outer, fd)) ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* --- in the front ---------------------------------------------------------------------------- */

static pp_res read_all(int fd, uint8_t *buf, size_t len)
{
    while (len > 0) {
        ssize_t n = recv(fd, buf, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        PP_CHECK(n > 0, PP_E_CHILD, n < 0 ? errno : 0);
        buf += n;
        len -= (size_t)n;
    }
    return PP_OK;
}

/* What its `start` said, or that it ended without a word. */
static pp_res await(int fd, struct pp_problem *problem)
{
    uint8_t bytes[GW_FRAME_HEAD_BYTES + GW_STARTED_BYTES] = { 0 };
    struct pp_rd rd = pp_rd_over(bytes, sizeof bytes);
    struct gw_frame f;
    int is_whole = 0;

    PP_TRY(read_all(fd, bytes, sizeof bytes));
    PP_TRY(gw_frame_next(&rd, &is_whole, &f));
    PP_CHECK(is_whole && rd.left == 0, PP_E_CHILD, 0);
    struct pp_rd news = pp_rd_span(f.bytes);
    uint8_t kind = pp_rd_u8(&news);
    pp_res r = { .code = pp_rd_u32(&news), .where = PP_HERE };
    r.detail = pp_rd_u32(&news);
    PP_CHECK(kind == GW_NEWS_STARTED, PP_E_CHILD, kind);
    if (!pp_is_ok(r) && problem != NULL)
        pp_rd_copy(&news, problem, sizeof *problem);
    return pp_is_ok(r) ? PP_OK : r;
}

pp_res gw_process_start(const struct gw_process *p, struct pp_problem *problem, int *ret_fd)
{
    int pair[2];

    PP_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, PP_E_SYSTEM, errno);
    pid_t pid = fork();
    if (pid == 0)
        live(p, pair[1]);
    int e = errno;
    (void)close(pair[1]);
    pp_res r = pid < 0 ? PP_FAIL(PP_E_SYSTEM, e) : await(pair[0], problem);
    if (!pp_is_ok(r)) {
        (void)close(pair[0]);
        return r;
    }
    *ret_fd = pair[0];
    return PP_OK;
}

void gw_processes_await(void)
{
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
    }
}
