/* SPDX-License-Identifier: Apache-2.0 */
/* net_test.h: a party in a child process, and a plain blocking peer with raw sockets. */
#ifndef PP_NET_TEST_H
#define PP_NET_TEST_H

#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "env.h"
#include "net.h"

enum { PATIENCE_MS = 60000 }; /* longer than anything here takes, sanitizers included */

/* --- a child that runs a loop until SIGTERM ------------------------------------------------- */

struct party {
    pid_t pid;
    struct pp_address address;
};

static inline struct pp_listener test_listener(const char *at)
{
    struct pp_address a;
    struct pp_listener l;

    assert_ok(pp_address_parse(pp_span_cstr(at), &a));
    assert_ok(pp_listener_open(&a, &l));
    return l;
}

/* `run` gets the listener in the child and its result is the exit status. */
static inline struct party test_start(const char *at, int (*run)(struct pp_listener *l, void *ctx),
                                      void *ctx)
{
    struct pp_listener l = test_listener(at);
    struct party p = { .address = l.address };

    fflush(NULL);
    p.pid = fork();
    assert_true(p.pid >= 0);
    if (p.pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nothing running */
        exit(run(&l, ctx));
    }
    close(l.fd);
    return p;
}

/* Asks it to stop; it must end in time, with status 0 (a leak under ASan is another). */
static inline void test_stop(struct party *p)
{
    int status = 0;

    assert_int_equal(kill(p->pid, SIGTERM), 0);
    assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* For a party that waits in system calls and has no end of its own. */
static inline void test_stop_hard(const struct party *p)
{
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
}

/* Memory that the party holds, counted page by page: statm is off by what each processor has not
 * told yet. */
static inline long test_rss_kib(const struct party *p)
{
    char path[64], line[128];
    long kib = -1;

    snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", (long)p->pid);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (kib < 0 && fgets(line, sizeof line, f) != NULL)
        (void)sscanf(line, "Rss: %ld kB", &kib);
    fclose(f);
    assert_true(kib > 0);
    return kib;
}

/* --- a blocking peer ------------------------------------------------------------------------ */

static inline uint64_t test_now_ms(void)
{
    struct pp_clock clock = pp_clock_system();

    return pp_clock_mono_ms(&clock);
}

static inline int test_connect_from(const struct pp_address *to, const char *source_ip)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(to->port) };
    struct sockaddr_in source = { .sin_family = AF_INET };
    struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    memcpy(&in.sin_addr, to->ip, 4);
    if (source_ip != NULL) {
        assert_int_equal(inet_pton(AF_INET, source_ip, &source.sin_addr), 1);
        assert_int_equal(bind(fd, (struct sockaddr *)(void *)&source, sizeof source), 0);
    }
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)(void *)&in, sizeof in), 0);
    return fd;
}

static inline int test_connect(const struct pp_address *to)
{
    return test_connect_from(to, NULL);
}

/* Ignores a peer that has closed already: what it said is then read. */
static inline void test_send(int fd, struct pp_span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL);
        if (n < 0)
            return;
        bytes = pp_span(bytes.at + n, bytes.len - (size_t)n);
    }
}

static inline void test_say(int fd, const char *text)
{
    test_send(fd, pp_span_cstr(text));
}

/*
 * A new connection, and what is said on it first, which is there when the party looks: it stands
 * still meanwhile. Else its deadline for a first word may be over before a busy machine lets us say
 * any.
 */
static inline int test_connect_saying(const struct party *p, struct pp_span first)
{
    assert_int_equal(kill(p->pid, SIGSTOP), 0);
    int fd = test_connect(&p->address);
    test_send(fd, first);
    assert_int_equal(kill(p->pid, SIGCONT), 0);
    return fd;
}

struct answer {
    unsigned status; /* 0: the connection ended without one */
    char head[2048];
    char *body; /* in `bytes` */
    size_t body_len;
    char bytes[1 << 16];
};

/*
 * Reads one answer by its Content-Length, byte by byte in the head: nothing of the next is taken.
 */
static inline void test_answer(int fd, struct answer *ret)
{
    size_t n = 0;

    *ret = (struct answer){ 0 };
    while (n < sizeof ret->head - 1 && (n < 4 || memcmp(ret->head + n - 4, "\r\n\r\n", 4) != 0)) {
        if (recv(fd, ret->head + n, 1, 0) != 1) {
            assert_int_equal(n, 0); /* never half a head */
            return;
        }
        n++;
    }
    assert_int_equal(sscanf(ret->head, "HTTP/1.1 %u", &ret->status), 1);
    const char *length = strstr(ret->head, "\r\nContent-Length: ");
    if (length != NULL)
        ret->body_len = strtoul(length + 18, NULL, 10);
    assert_true(ret->body_len < sizeof ret->bytes);
    for (size_t got = 0; got < ret->body_len;) {
        ssize_t more = recv(fd, ret->bytes + got, ret->body_len - got, 0);
        assert_true(more > 0);
        got += (size_t)more;
    }
    ret->body = ret->bytes;
}

/* 1 if the peer closes without another byte. */
static inline int test_is_closed(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, 0);

    return n == 0 || (n < 0 && errno == ECONNRESET);
}

/* Waits up to `ms` for something to read: 1 if there is. A wait for an event, not a sleep. */
static inline int test_readable_within(int fd, int ms)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    return poll(&p, 1, ms) == 1;
}

#endif
