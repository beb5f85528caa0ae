/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a daemon, from outside: echod is started as programs are, and looked at as the kernel
 * shows it. The first argument is its path. */
#include "harness.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file.h"

enum { NOBODY = 65534, PATIENCE_MS = 20000, ARGS_MAX = 12 };

static const char *echod;
static char home[64];

struct run {
    pid_t pid;
    int ready; /* what it says when it is ready */
    int err;   /* its standard error */
    char ready_text[512];
    char err_text[8192];
    unsigned port;
};

/* --- starting and looking ------------------------------------------------------------------- */

static void write_config(const char *text)
{
    char path[128];

    snprintf(path, sizeof path, "%s/config", home);
    assert_ok(pp_file_write(AT_FDCWD, path, 0644, pp_span_cstr(text)));
}

/* Reads until the other side closes, or until `until` was read. */
static void read_until(int fd, char *text, size_t cap, const char *until)
{
    size_t n = strlen(text);

    while (n + 1 < cap && (until == NULL || strstr(text, until) == NULL)) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
        ssize_t more = read(fd, text + n, cap - 1 - n);
        if (more <= 0)
            return;
        n += (size_t)more;
        text[n] = '\0';
    }
}

/* Starts echod with `args` behind its name; "READY" becomes the number of the ready descriptor. */
static void start_as(struct run *r, uid_t uid, int passed_fd, const char *const *args)
{
    char number[16];
    const char *argv[ARGS_MAX + 2] = { echod };
    int ready[2];
    int err[2];

    *r = (struct run){ 0 };
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    for (size_t i = 0; args[i] != NULL; i++) {
        assert_true(i < ARGS_MAX);
        argv[i + 1] = strcmp(args[i], "READY") == 0 ? number : args[i];
    }
    snprintf(number, sizeof number, "%d", ready[1]);
    fflush(NULL);
    r->pid = fork();
    assert_true(r->pid >= 0);
    if (r->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)fcntl(ready[1], F_SETFD, 0);
        if (passed_fd >= 0)
            (void)fcntl(passed_fd, F_SETFD, 0);
        (void)dup2(err[1], STDERR_FILENO);
        (void)dup2(err[1], STDOUT_FILENO);
        if (uid != geteuid() && (setgroups(0, NULL) != 0 || setresgid(uid, uid, uid) != 0 ||
                                 setresuid(uid, uid, uid) != 0))
            _exit(99);
        (void)execv(echod, (char *const *)(uintptr_t)argv);
        _exit(errno == EACCES ? 98 : 97);
    }
    close(ready[1]);
    close(err[1]);
    r->ready = ready[0];
    r->err = err[0];
}

static void start(struct run *r, const char *const *args)
{
    start_as(r, geteuid(), -1, args);
}

/* Waits for its end; returns the exit status, or 1000 + the signal. */
static int wait_for(struct run *r)
{
    int status = 0;

    read_until(r->err, r->err_text, sizeof r->err_text, NULL);
    assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
    close(r->ready);
    close(r->err);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static const char *config_path(void)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/config", home);
    return path;
}

static void start_ready_as(struct run *r, uid_t uid, const char *config)
{
    const char *args[] = { "--config", config_path(), "--ready-fd", "READY", NULL };

    write_config(config);
    start_as(r, uid, -1, args);
    read_until(r->ready, r->ready_text, sizeof r->ready_text, "ready\n");
    if (sscanf(r->ready_text, "listen http 127.0.0.1:%u\nready\n", &r->port) != 1) {
        int status = wait_for(r);
        fail_msg("not ready (%d): %s", status, r->err_text);
    }
}

static int connect_to(unsigned port)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)(void *)&in, sizeof in), 0);
    return fd;
}

static void ask(unsigned port, const char *request, char *answer, size_t cap)
{
    int fd = connect_to(port);

    assert_int_equal(write(fd, request, strlen(request)), strlen(request));
    memset(answer, 0, cap);
    read_until(fd, answer, cap, NULL);
    close(fd);
}

static void read_proc(const struct run *r, const char *name, char *text, size_t cap)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%ld/%s", (long)r->pid, name);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    memset(text, 0, cap);
    read_until(fd, text, cap, NULL);
    close(fd);
}

/* --- refusals ------------------------------------------------------------------------------- */

static void each_wrong_configuration_is_refused_with_its_words(void **state)
{
    (void)state;
    static const struct {
        const char *config, *field, *expected, *got;
    } rows[] = {
        { "", "environment", "prod, staging or dev", "(missing)" },
        { "environment = test\n", "environment", NULL, "test" },
        { "environment = dev\nlisten = localhost:1\n", PP_RELEASE ? "environment" : "listen", NULL,
          PP_RELEASE ? "dev" : "localhost:1" },
        { "environment = prod\nlisten = 127.0.0.1:99999\n", "listen", "127.0.0.1:PORT",
          "127.0.0.1:99999" },
        { "environment = prod\nlisten = 127.0.0.1\n", "listen", "127.0.0.1:PORT", "127.0.0.1" },
        { "environment = prod\nbody_bytes_max = 0\n", "body_bytes_max", "at most 65536", "0" },
        { "environment = prod\nbody_bytes_max = 65537\n", "body_bytes_max", "at most 65536",
          "65537" },
        { "environment = prod\nstop_ms = 600001\n", "stop_ms", "at most 600000", "600001" },
        { "environment = prod\ncolour = red\n", "colour", "a key that --help lists",
          "an unknown key" },
        { "environment = prod\nenvironment = prod\n", "environment", "the key once",
          "a second time" },
        { "environment\n", "environment", "a line of the form", "environment" },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        for (int check = 0; check <= 1; check++) {
            struct run r;
            char words[256];
            const char *args[] = { "--config", config_path(), check ? "--check" : NULL, NULL };
            write_config(rows[i].config);
            start(&r, args);
            assert_int_equal(wait_for(&r), 2);
            snprintf(words, sizeof words, "  field:    %s\n", rows[i].field);
            if (strstr(r.err_text, words) == NULL)
                fail_msg("row %zu: no %s in %s", i, words, r.err_text);
            assert_non_null(strstr(r.err_text, "pp-echod: the configuration is wrong (CONFIG)\n"));
            snprintf(words, sizeof words, "  got:      %s\n", rows[i].got);
            assert_non_null(strstr(r.err_text, words));
            if (rows[i].expected != NULL)
                assert_non_null(strstr(r.err_text, rows[i].expected));
            assert_non_null(strstr(r.err_text, "  do:       correct the named key\n"));
        }
    }
}

static void each_wrong_call_is_refused_with_its_words(void **state)
{
    (void)state;
    static const struct {
        const char *args[5];
        const char *field;
    } rows[] = {
        { { NULL }, "--config" },
        { { "--config", NULL }, "--config" },
        { { "--config", "/proc/none/config", NULL }, "--config" },
        { { "--config", "/", NULL }, "--config" },
        { { "--verbose", NULL }, "--verbose" },
        { { "stray", NULL }, "stray" },
        { { "--help", "me", NULL }, "--help" },
        { { "--config", "x", "--ready-fd", "2", NULL }, "--ready-fd" },
        { { "--config", "x", "--ready-fd", "99", NULL }, "--ready-fd" },
        { { "--config", "x", "--ready-fd", "a", NULL }, "--ready-fd" },
        { { "--config", "x", "--fd", "name=3", NULL }, "--fd" },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct run r;
        char words[64];
        start(&r, rows[i].args);
        assert_int_equal(wait_for(&r), 2);
        snprintf(words, sizeof words, "  field:    %s\n", rows[i].field);
        if (strstr(r.err_text, words) == NULL)
            fail_msg("row %zu: %s", i, r.err_text);
        assert_non_null(strstr(r.err_text, "(USAGE)"));
    }
}

static void help_lists_every_key_and_its_default(void **state)
{
    (void)state;
    static const char *const help[] = { "--help", NULL };
    static const char *const version[] = { "--version", NULL };
    static const char *const words[] = {
        "pp-echod: echoes", "--ready-fd N",      "  environment ",
        "; mandatory\n",    "  listen ",         "; default: 127.0.0.1:0\n",
        "  stop_ms ",       "  body_bytes_max ", "; default: 1024\n",
        "exit status:",
    };
    struct run r;

    start(&r, help);
    assert_int_equal(wait_for(&r), 0);
    for (size_t i = 0; i < PP_ARRAY_COUNT(words); i++)
        if (strstr(r.err_text, words[i]) == NULL)
            fail_msg("no %s in %s", words[i], r.err_text);
    start(&r, version);
    assert_int_equal(wait_for(&r), 0);
    assert_non_null(strstr(r.err_text, "pp-echod " PP_VERSION " ("));
}

/* The configuration is checked, and nothing is opened: the port may even be taken. */
static void check_reads_the_configuration_and_ends(void **state)
{
    (void)state;
    const char *args[] = { "--config", config_path(), "--check", NULL };
    struct run r;

    write_config("environment = prod\n");
    start(&r, args);
    assert_int_equal(wait_for(&r), 0);
    assert_string_equal(r.err_text, "");
}

/* In a release build it is an option like any other that --help does not list. */
static void a_test_moves_the_clock_outside_prod_alone(void **state)
{
    (void)state;
    static const struct {
        const char *config;
        off_t len;
        const char *field; /* NULL: fine */
    } rows[] = {
        { "environment = dev\n", 8, NULL },
        { "environment = staging\n", 8, NULL },
        { "environment = prod\n", 8, "environment" },
        { "environment = dev\n", 9, "--clock-fd" },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        char number[16], words[64];
        const char *args[] = { "--config", config_path(), "--clock-fd", number, "--check", NULL };
        FILE *file = tmpfile();
        struct run r;
        assert_non_null(file);
        assert_int_equal(ftruncate(fileno(file), rows[i].len), 0);
        snprintf(number, sizeof number, "%d", fileno(file));
        write_config(rows[i].config);
        start_as(&r, geteuid(), fileno(file), args);
        const char *field = PP_RELEASE ? "--clock-fd" : rows[i].field;
        assert_int_equal(wait_for(&r), field == NULL ? 0 : 2);
        snprintf(words, sizeof words, "  field:    %s\n", field == NULL ? "" : field);
        assert_true(field == NULL || strstr(r.err_text, words) != NULL);
        fclose(file);
    }
}

static const char *const GOOD = PP_RELEASE ? "environment = prod\n" : "environment = dev\n";

static void a_taken_port_is_refused_as_such(void **state)
{
    (void)state;
    const char *args[] = { "--config", config_path(), NULL };
    char config[128];
    struct run first;
    struct run second;

    start_ready_as(&first, geteuid(), GOOD);
    snprintf(config, sizeof config, "%slisten = 127.0.0.1:%u\n", GOOD, first.port);
    write_config(config);
    start(&second, args);
    assert_int_equal(wait_for(&second), 2);
    assert_non_null(strstr(second.err_text, "the address is taken (PORT_TAKEN)\n"));
    assert_non_null(strstr(second.err_text, "  field:    listen http\n"));
    assert_int_equal(kill(first.pid, SIGTERM), 0);
    assert_int_equal(wait_for(&first), 0);
}

/* --- serving -------------------------------------------------------------------------------- */

static void it_says_where_it_listens_serves_and_ends_when_asked(void **state)
{
    (void)state;
    static const int signals[] = { SIGTERM, SIGINT };
    char answer[512];
    char extra;

    for (int i = 0; i < 2; i++) {
        struct run r;
        start_ready_as(&r, geteuid(), GOOD);
        assert_int_equal(read(r.ready, &extra, 1), 0); /* closed behind "ready" */
        ask(r.port,
            "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
            answer, sizeof answer);
        assert_string_equal(
            answer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nHELLO");
        assert_int_equal(kill(r.pid, signals[i]), 0);
        assert_int_equal(wait_for(&r), 0);
        assert_non_null(strstr(r.err_text, " event=DAEMON_READY party=test listeners=1\n"));
        assert_non_null(strstr(r.err_text, " event=DAEMON_STOPPING party=test reason=asked\n"));
        assert_non_null(strstr(r.err_text, " event=HTTP_TOTALS party=test answered=1 refused=0 "
                                           "busy=0 late=0 gone=0\n"));
        assert_non_null(strstr(r.err_text, " event=DAEMON_STOPPED party=test code=OK\n"));
    }
}

/*
 * A request that never completes: the end is waited for as long as stop_ms, or until asked again.
 */
static void an_end_that_takes_too_long_is_cut_short(void **state)
{
    (void)state;
    char config[128];

    for (int twice = 0; twice <= 1; twice++) {
        struct run r;
        snprintf(config, sizeof config, "%sstop_ms = %d\n", GOOD, twice ? 600000 : 80);
        start_ready_as(&r, geteuid(), config);
        int idle = connect_to(r.port);
        int fd = connect_to(r.port);
        char answer[256] = "";
        const char *whole = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";
        const char *part = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n";
        assert_int_equal(write(fd, whole, strlen(whole)), strlen(whole));
        read_until(fd, answer, sizeof answer, "\r\n\r\nX");
        assert_int_equal(write(fd, part, strlen(part)), strlen(part));
        ask(r.port, "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", answer, sizeof answer);
        assert_int_equal(kill(r.pid, SIGTERM), 0);
        if (twice) {
            read_until(r.err, r.err_text, sizeof r.err_text, "DAEMON_STOPPING");
            assert_int_equal(kill(r.pid, SIGTERM), 0);
        }
        assert_int_equal(wait_for(&r), 1);
        assert_non_null(strstr(r.err_text, twice ? "code=CANCELLED\n" : "code=TIMEOUT\n"));
        close(fd);
        close(idle);
    }
}

static void rights_are_dropped_as(uid_t starts_as, const char *user, uid_t ends_as)
{
    char config[128];
    char text[8192];
    char line[64];
    struct run r;

    snprintf(config, sizeof config, "%suser = %s\n", GOOD, user);
    assert_int_equal(chown(home, ends_as, ends_as), 0);
    start_ready_as(&r, starts_as, config);
    read_proc(&r, "status", text, sizeof text);
    assert_non_null(strstr(text, "NoNewPrivs:\t1\n"));
    assert_non_null(strstr(text, "CapEff:\t0000000000000000\n"));
    assert_non_null(strstr(text, "CapPrm:\t0000000000000000\n"));
#ifndef PP_SANITIZE
    assert_non_null(strstr(text, "Seccomp:\t2\n"));
#endif
    snprintf(line, sizeof line, "Uid:\t%u\t%u\t%u\t%u\n", ends_as, ends_as, ends_as, ends_as);
    assert_non_null(strstr(text, line));
    if (ends_as != 0)
        assert_true(strstr(text, "Groups:\t \n") != NULL || strstr(text, "Groups:\t\n") != NULL);
    read_proc(&r, "limits", text, sizeof text);
    assert_non_null(strstr(text, "Max core file size        0                    0 "));
    ask(r.port, "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
        text, sizeof text);
    assert_non_null(strstr(text, "\r\n\r\nX"));
    assert_int_equal(kill(r.pid, SIGTERM), 0);
    assert_int_equal(wait_for(&r), 0);
    assert_non_null(
        strstr(r.err_text, ends_as != starts_as ? " user=1 chroot=1 " : " user=0 chroot=0 "));
    assert_int_equal(chown(home, geteuid(), (gid_t)-1), 0);
}

static void rights_are_dropped_whoever_started_it(void **state)
{
    (void)state;
    rights_are_dropped_as(geteuid(), "", geteuid());
    if (geteuid() != 0) {
        print_message("skipped: two of three cases need root\n");
        return;
    }
    rights_are_dropped_as(0, "65534:65534", NOBODY);
    struct run r;
    const char *args[] = { "--version", NULL };
    start_as(&r, NOBODY, -1, args);
    if (wait_for(&r) == 98) {
        print_message("skipped: another user cannot run programs of this folder\n");
        return;
    }
    rights_are_dropped_as(NOBODY, "", NOBODY);
}

static void inherited_descriptors_are_closed(void **state)
{
    (void)state;
    const char *const args[] = { "--config", config_path(), "--ready-fd", "READY", NULL };
    struct run r;
    int ends[2];
    char byte;

    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    write_config(GOOD);
    start_as(&r, geteuid(), ends[1], args);
    close(ends[1]);
    read_until(r.ready, r.ready_text, sizeof r.ready_text, "ready\n");
    assert_non_null(strstr(r.ready_text, "ready\n"));
    assert_int_equal(read(ends[0], &byte, 1), 0); /* nobody holds the other end */
    close(ends[0]);
    assert_int_equal(kill(r.pid, SIGTERM), 0);
    assert_int_equal(wait_for(&r), 0);
}

/* W5.T1: whatever is sent, standard error has events and nothing of it. */
static void w5_t1_no_byte_of_a_request_reaches_standard_error(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "GET /CANARY HTTP/1.1\r\nHost: a\r\n\r\n",
        "CANARY\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: CANARY\r\nContent-Length: CANARY\r\n\r\n",
        "PUT /echo HTTP/1.1\r\nHost: a\r\nAuthorization: CANARY\r\nContent-Length: 9\r\n\r\nCANARY",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nCANARY",
        "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 6\r\n\r\nCANARY",
    };
    struct run r;
    char answer[512];

    start_ready_as(&r, geteuid(), GOOD);
    for (size_t i = 0; i < PP_ARRAY_COUNT(requests); i++)
        ask(r.port, requests[i], answer, sizeof answer);
    assert_int_equal(kill(r.pid, SIGTERM), 0);
    assert_int_equal(wait_for(&r), 0);
    assert_null(strstr(r.err_text, "CANARY"));
}

static int set_up(void **state)
{
    (void)state;
    snprintf(home, sizeof home, "/tmp/pp-daemon-XXXXXX");
    assert_non_null(mkdtemp(home));
    return chmod(home, 0711);
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(config_path());
    return rmdir(home);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(each_wrong_configuration_is_refused_with_its_words),
    cmocka_unit_test(each_wrong_call_is_refused_with_its_words),
    cmocka_unit_test(help_lists_every_key_and_its_default),
    cmocka_unit_test(check_reads_the_configuration_and_ends),
    cmocka_unit_test(a_test_moves_the_clock_outside_prod_alone),
    cmocka_unit_test(a_taken_port_is_refused_as_such),
    cmocka_unit_test(it_says_where_it_listens_serves_and_ends_when_asked),
    cmocka_unit_test(an_end_that_takes_too_long_is_cut_short),
    cmocka_unit_test(rights_are_dropped_whoever_started_it),
    cmocka_unit_test(inherited_descriptors_are_closed),
    cmocka_unit_test(w5_t1_no_byte_of_a_request_reaches_standard_error),
};

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PATH_OF_ECHOD\n", argv[0]);
        return 2;
    }
    echod = argv[1];
    return cmocka_run_group_tests(TESTS, set_up, tear_down);
}
