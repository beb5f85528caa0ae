/* SPDX-License-Identifier: Apache-2.0 */
#include "guest.h"

#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sp.h"

enum { GUEST_FDS = 4, PARK_FD = 64, CHILD_DIED = 125, WAIT_MS = 20000 };

/* --- start and stop --------------------------------------------------------------------------- */

static int sealed_file(struct pp_span bytes)
{
    int fd = memfd_create("config", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.at, bytes.len), (ssize_t)bytes.len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static int listener(struct guest *g, struct sockaddr_un *ret_address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    strncpy(g->folder, "/tmp/pp-oracle-XXXXXX", sizeof g->folder - 1);
    assert_non_null(mkdtemp(g->folder));
    *ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    assert_true(snprintf(ret_address->sun_path, sizeof ret_address->sun_path, "%s/frames",
                         g->folder) < (int)sizeof ret_address->sun_path);
    assert_int_equal(
        bind(fd, (const struct sockaddr *)(const void *)ret_address, sizeof *ret_address), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

/* cvm.h: events, device, listener and configuration are 2 to 5, and there is nothing else. */
_Noreturn static void become_guest(const char *program, const int fds[GUEST_FDS], pid_t host)
{
    char name[] = "pp-cvmd", role[] = "pp.role=orchestrator";
    char *argv[] = { name, role, NULL }, *envp[] = { NULL };
    int parked[GUEST_FDS];

    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != host)
        _exit(CHILD_DIED);
    for (int i = 0; i < GUEST_FDS; i++)
        if ((parked[i] = fcntl(fds[i], F_DUPFD, PARK_FD)) < 0)
            _exit(CHILD_DIED);
    for (int i = 0; i < GUEST_FDS; i++)
        if (dup2(parked[i], 2 + i) != 2 + i)
            _exit(CHILD_DIED);
    if (close_range(2 + GUEST_FDS, UINT_MAX, 0) == 0)
        (void)execve(program, argv, envp);
    _exit(CHILD_DIED);
}

static void answer_device(struct guest *g);

/* Waits for the guest's frames and, if asked to, its processor's requests. 1: frames are there. */
static int something(const struct guest *g, int processor)
{
    struct pollfd p[] = { { .fd = g->frames, .events = POLLIN },
                          { .fd = g->device, .events = processor ? POLLIN : 0 } };

    assert_true(poll(p, PP_ARRAY_COUNT(p), WAIT_MS) > 0);
    assert_int_equal((p[0].revents | p[1].revents) & (POLLERR | POLLHUP), 0);
    return (p[0].revents & POLLIN) != 0;
}

void guest_start(struct guest *g, const char *program, struct pp_span config,
                 const struct sim_chip *chip, const struct sim_guest *launched,
                 const struct pp_hints *hints)
{
    struct sockaddr_un address;
    int device[2], events[2];
    struct pp_wr wr = pp_wr_over(g->hints, sizeof g->hints);
    pid_t host = getpid();

    assert_ok(pp_hints_write(&wr, hints));
    g->hints_len = wr.len;
    g->chip = chip;
    g->launched = *launched;
    pp_sha256(config, g->launched.host_data);
    int listening = listener(g, &address);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, device), 0);
    assert_int_equal(pipe2(events, O_CLOEXEC), 0);
    const int fds[GUEST_FDS] = { events[1], device[1], listening, sealed_file(config) };
    g->pid = fork();
    assert_true(g->pid >= 0);
    if (g->pid == 0)
        become_guest(program, fds, host);
    for (size_t i = 0; i < PP_ARRAY_COUNT(fds); i++)
        (void)close(fds[i]);
    g->device = device[0];
    g->events = events[0];
    answer_device(g); /* its first question, without which it does not serve */
    g->frames = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(
        connect(g->frames, (const struct sockaddr *)(const void *)&address, sizeof address), 0);
    pp_frame_rd_init(&g->reader, PP_FRAME_ANSWERS, g->reader_buf, sizeof g->reader_buf);
}

void guest_stop(struct guest *g)
{
    char path[80];

    if (g->pid <= 0)
        return;
    (void)kill(g->pid, SIGTERM);
    (void)waitpid(g->pid, NULL, 0);
    (void)close(g->device);
    (void)close(g->frames);
    (void)close(g->events);
    snprintf(path, sizeof path, "%s/frames", g->folder);
    (void)unlink(path);
    (void)rmdir(g->folder);
    *g = (struct guest){ .pid = 0 };
}

/* --- the secure processor --------------------------------------------------------------------- */

static void answer_device(struct guest *g)
{
    static uint8_t out[PP_SP_ANSWER_BYTES_MAX];
    uint8_t request[PP_SP_REQUEST_BYTES + 1], report[PP_SNP_REPORT_BYTES];
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_span report_data;

    ssize_t n = recv(g->device, request, sizeof request, 0);
    assert_true(n > 0);
    assert_ok(pp_sp_request_parse(pp_span(request, (size_t)n), &report_data));
    assert_ok(sim_chip_report(g->chip, &g->launched, report_data.at, report));
    const struct pp_sp_answer answer = { .done = 1,
                                         .report = PP_BYTES(report),
                                         .hints = pp_span(g->hints, g->hints_len) };
    assert_ok(pp_sp_answer_write(&wr, &answer));
    assert_int_equal(send(g->device, out, wr.len, MSG_NOSIGNAL), (ssize_t)wr.len);
}

/* --- sessions --------------------------------------------------------------------------------- */

static uint32_t send_frame(struct guest *g, enum pp_frame_op op, struct pp_span hello)
{
    uint8_t bytes[PP_FRAME_HEAD_BYTES + 512];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    const struct pp_frame f = { .kind = (uint8_t)op, .tag = ++g->tag, .bytes = hello };

    assert_ok(pp_frame_write(&wr, PP_FRAME_REQUESTS, &f));
    assert_int_equal(send(g->frames, bytes, wr.len, MSG_NOSIGNAL), (ssize_t)wr.len);
    return f.tag;
}

static void keep_flight(struct guest *g, const struct pp_frame *f)
{
    struct guest_flight *at = &g->flights[f->tag % GUEST_OPEN_MAX];
    struct pp_wr wr = pp_wr_over(at->bytes, sizeof at->bytes);

    assert_true(f->kind == PP_FRAME_LAST || f->kind == PP_FRAME_GONE);
    pp_wr_span(&wr, f->bytes);
    assert_ok(pp_wr_ok(&wr));
    at->tag = f->tag;
    at->len = wr.len;
}

static void take_frames(struct guest *g)
{
    static uint8_t bytes[1 << 16];
    const struct pp_frame *f = NULL;
    ssize_t n = recv(g->frames, bytes, sizeof bytes, 0);

    assert_true(n > 0);
    struct pp_span in = pp_span(bytes, (size_t)n);
    while (in.len > 0) {
        assert_ok(pp_frame_feed(&g->reader, &in, &f));
        if (f != NULL)
            keep_flight(g, f);
    }
}

/* Waits for the answer to a frame, while the secure processor answers, or does not. */
static struct pp_span answer_to(struct guest *g, uint32_t tag, int processor)
{
    const struct guest_flight *at = &g->flights[tag % GUEST_OPEN_MAX];

    while (at->tag != tag) {
        if (something(g, processor))
            take_frames(g);
        else
            answer_device(g);
    }
    return pp_span(at->bytes, at->len);
}

struct pp_span guest_open(struct guest *g, struct pp_span client_hello)
{
    return answer_to(g, send_frame(g, PP_FRAME_OPEN, client_hello), 1);
}

void guest_open_two(struct guest *g, struct pp_span first, struct pp_span second,
                    struct pp_span busy, struct pp_span ret_flights[2])
{
    struct pollfd asked = { .fd = g->device, .events = POLLIN };

    uint32_t third = send_frame(g, PP_FRAME_OPEN, busy);
    assert_int_equal(poll(&asked, 1, WAIT_MS), 1);
    uint32_t one = send_frame(g, PP_FRAME_OPEN, first);
    uint32_t two = send_frame(g, PP_FRAME_OPEN, second);
    /* A session that nobody has: the answer comes when the two before it have been looked at. */
    (void)answer_to(g, send_frame(g, PP_FRAME_CONTINUE, PP_STR("")), 0);
    (void)answer_to(g, third, 1);
    ret_flights[0] = answer_to(g, one, 1);
    ret_flights[1] = answer_to(g, two, 1);
}
