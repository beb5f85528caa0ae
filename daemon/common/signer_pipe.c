/* SPDX-License-Identifier: Apache-2.0 */
#include "signer_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "env.h"
#include "file.h"
#include "wr.h"

enum { LAST_WAIT_MS = 1000, HEAD_BYTES = 4, LIFE_FD = 3 };

static void close_one(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* --- asking -------------------------------------------------------------------------------- */

struct deadline {
    struct pp_clock clock;
    uint64_t at_ms;
};

/* 1 when `fd` is ready for `events` or has ended; 0 at the deadline. */
static int is_ready(const struct deadline *d, int fd, short events)
{
    struct pollfd p = { .fd = fd, .events = events };

    for (;;) {
        uint64_t now = pp_clock_mono_ms(&d->clock);
        int n = poll(&p, 1, now < d->at_ms ? (int)(d->at_ms - now) : 0);
        if (n > 0)
            return 1;
        if ((n == 0 && now >= d->at_ms) || (n < 0 && errno != EINTR))
            return 0;
    }
}

/* It can be asked nothing more: what it says from here on answers no known question. */
static pp_res give_up(struct pp_signer_pipe *p, pp_res why)
{
    close_one(&p->to);
    close_one(&p->from);
    return why;
}

static pp_res write_all(struct pp_signer_pipe *p, const struct deadline *d, struct pp_span bytes)
{
    while (bytes.len > 0) {
        if (!is_ready(d, p->to, POLLOUT))
            return give_up(p, PP_FAIL(PP_E_SIGNER_LATE, bytes.len));
        ssize_t n = write(p->to, bytes.at, bytes.len);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0)
            return give_up(p, PP_FAIL(PP_E_SIGNER_GONE, errno));
        bytes = pp_span(bytes.at + n, bytes.len - (size_t)n);
    }
    return PP_OK;
}

/* Reads what is owed into the end of `answer`; LATE leaves the rest owed. */
static pp_res read_owed(struct pp_signer_pipe *p, const struct deadline *d,
                        uint8_t answer[PP_ED25519_SIG_BYTES])
{
    while (p->owed > 0) {
        if (!is_ready(d, p->from, POLLIN))
            return PP_FAIL(PP_E_SIGNER_LATE, p->owed);
        ssize_t n = read(p->from, answer + PP_ED25519_SIG_BYTES - p->owed, p->owed);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0)
            return give_up(p, PP_FAIL(PP_E_SIGNER_GONE, n == 0 ? 0 : errno));
        p->owed -= (size_t)n;
    }
    return PP_OK;
}

/* The late answer to an earlier question is thrown away; then nothing may be there to read. */
static pp_res settle(struct pp_signer_pipe *p)
{
    const struct deadline at_once = { .clock = pp_clock_system() };
    uint8_t late[PP_ED25519_SIG_BYTES];
    uint8_t extra;

    PP_TRY(read_owed(p, &at_once, late));
    ssize_t n = read(p->from, &extra, 1); /* which does not wait */
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return PP_OK;
    return give_up(p, n == 1 ? PP_FAIL(PP_E_SIGNER_WRONG, 0) : PP_FAIL(PP_E_SIGNER_GONE, 0));
}

pp_res pp_signer_pipe_sign(void *ctx, struct pp_span message, uint8_t ret[PP_ED25519_SIG_BYTES])
{
    struct pp_signer_pipe *p = ctx;
    struct deadline d = { .clock = pp_clock_system() };
    uint8_t answer[PP_ED25519_SIG_BYTES];
    uint8_t head[HEAD_BYTES];
    struct pp_wr wr = pp_wr_over(head, sizeof head);

    PP_CHECK(message.len <= PP_SIGNER_MESSAGE_MAX, PP_E_LIMIT, message.len);
    PP_CHECK(p->to >= 0, PP_E_SIGNER_GONE, 0);
    PP_TRY(settle(p));
    d.at_ms = pp_clock_mono_ms(&d.clock) + p->answer_ms;
    pp_wr_u32(&wr, (uint32_t)message.len);
    PP_TRY(write_all(p, &d, pp_wr_done(&wr)));
    PP_TRY(write_all(p, &d, message));
    p->owed = sizeof answer;
    PP_TRY(read_owed(p, &d, answer));
    memcpy(ret, answer, sizeof answer);
    return PP_OK;
}

/* --- the program and its keeper ------------------------------------------------------------ */

struct ends {
    int in[2];     /* the program's standard input */
    int out[2];    /* its standard output */
    int life[2];   /* closes with us */
    int failed[2]; /* errno of a program that could not be run; closes when it runs */
};

static const struct ends NO_ENDS = { { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };

static void close_ends(struct ends *e)
{
    for (int i = 0; i < 2; i++) {
        close_one(&e->in[i]);
        close_one(&e->out[i]);
        close_one(&e->life[i]);
        close_one(&e->failed[i]);
    }
}

static pp_res open_ends(struct ends *e)
{
    *e = NO_ENDS;
    if (pipe2(e->in, O_CLOEXEC) == 0 && pipe2(e->out, O_CLOEXEC) == 0 &&
        pipe2(e->life, O_CLOEXEC) == 0 && pipe2(e->failed, O_CLOEXEC) == 0)
        return PP_OK;
    pp_res r = pp_errno_res(errno);
    close_ends(e);
    return r;
}

/* In the program's process, until it is the program. */
_Noreturn static void become_program(const char *const *argv, const struct ends *e)
{
    char *const environment[] = { NULL };
    sigset_t none;
    int why;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* the keeper's end, if somebody ends that */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGXFSZ, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    (void)close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);
    if (dup2(e->in[0], STDIN_FILENO) >= 0 && dup2(e->out[1], STDOUT_FILENO) >= 0)
        (void)execve(argv[0], (char *const *)argv, environment);
    why = errno;
    pp_ignore(pp_fd_write(e->failed[1], pp_span((const uint8_t *)&why, sizeof why)),
              "whoever asked has gone");
    _exit(127);
}

/* Until the far end of `life` closes or the program ends; then the program is ended and reaped. */
_Noreturn static void keep(pid_t program, int life)
{
    struct pollfd watched[] = {
        { .fd = life },
        { .fd = (int)syscall(SYS_pidfd_open, program, 0), .events = POLLIN },
    };

    while (poll(watched, 2, -1) < 0 && errno == EINTR)
        continue;
    if (watched[1].revents == 0 && watched[1].fd >= 0)
        (void)poll(&watched[1], 1, LAST_WAIT_MS);
    (void)kill(program, SIGKILL); /* not reaped yet, so the id is still its own */
    (void)waitpid(program, NULL, 0);
    _exit(0);
}

/* In the keeper's process. Ctrl-C and a service manager's SIGTERM go to whole groups. */
_Noreturn static void be_keeper(const char *const *argv, struct ends *e)
{
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    close_one(&e->in[1]);
    close_one(&e->out[0]);
    close_one(&e->life[1]);
    close_one(&e->failed[0]);
    pid_t program = fork();
    if (program == 0)
        become_program(argv, e);
    if (program < 0 || dup2(e->life[0], LIFE_FD) < 0)
        _exit(1);
    (void)close_range(LIFE_FD + 1, UINT_MAX, 0);
    keep(program, LIFE_FD);
}

/* Waits until the program runs, or tells why it cannot. */
static pp_res await_start(int failed, const char *path, struct pp_problem *problem)
{
    int why = 0;
    ssize_t n;

    while ((n = read(failed, &why, sizeof why)) < 0 && errno == EINTR)
        continue;
    if (n == 0)
        return PP_OK;
    pp_problem_set(problem, path, "a program that this user can run",
                   pp_span_cstr(strerror(n == sizeof why ? why : EIO)));
    return PP_FAIL(PP_E_CONFIG, why);
}

static pp_res start(const char *const *argv, struct ends *e, struct pp_problem *problem,
                    struct pp_signer_pipe *p)
{
    if (fcntl(e->in[1], F_SETFL, O_NONBLOCK) != 0 || fcntl(e->out[0], F_SETFL, O_NONBLOCK) != 0)
        return pp_errno_res(errno);
    p->keeper = fork();
    if (p->keeper < 0)
        return pp_errno_res(errno);
    if (p->keeper == 0)
        be_keeper(argv, e);
    p->is_open = 1;
    p->to = e->in[1];
    p->from = e->out[0];
    p->life = e->life[1];
    e->in[1] = e->out[0] = e->life[1] = -1;
    close_one(&e->failed[1]);
    return await_start(e->failed[0], argv[0], problem);
}

pp_res pp_signer_pipe_start(const char *const *argv, uint32_t answer_ms, struct pp_problem *problem,
                            struct pp_signer_pipe *ret)
{
    struct pp_signer_pipe p = { .answer_ms = answer_ms };
    struct ends e;

    if (argv[0][0] != '/') {
        pp_problem_set(problem, "signer", "the absolute path of a program", pp_span_cstr(argv[0]));
        return PP_FAIL(PP_E_CONFIG, 0);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    PP_TRY(open_ends(&e));
    pp_res r = start(argv, &e, problem, &p);
    close_ends(&e);
    if (!pp_is_ok(r)) {
        pp_signer_pipe_done(&p);
        return r;
    }
    *ret = p;
    return PP_OK;
}

struct pp_signer_pipe pp_signer_pipe_over(int to, int from, uint32_t answer_ms)
{
    return (struct pp_signer_pipe){
        .is_open = 1, .to = to, .from = from, .life = -1, .answer_ms = answer_ms
    };
}

void pp_signer_pipe_done(struct pp_signer_pipe *p)
{
    if (!p->is_open)
        return;
    close_one(&p->to);
    close_one(&p->from);
    close_one(&p->life);
    if (p->keeper > 0)
        while (waitpid(p->keeper, NULL, 0) < 0 && errno == EINTR)
            continue;
    *p = (struct pp_signer_pipe){ 0 };
}
