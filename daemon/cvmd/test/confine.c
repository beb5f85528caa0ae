/* SPDX-License-Identifier: Apache-2.0 */
/* What a confined process cannot do any more; each case is a child of its own. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "ipc.h"
#include "sev_guest.h"

enum { CONFINED_AND_DONE = 40, NOT_CONFINED = 41 };

static const enum cvm_kind KINDS[] = { CVM_KIND_CHANNEL, CVM_KIND_ATTESTER, CVM_KIND_WORKER };

/* Runs `what` in a confined child and gives its wait status. */
static int confined(enum cvm_kind kind, void (*what)(void))
{
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        struct cvm_walls walls;
        if (!pp_is_ok(cvm_confine(kind, &walls)))
            _exit(NOT_CONFINED);
        what();
        _exit(CONFINED_AND_DONE);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void nothing(void)
{
}

static void open_a_file(void)
{
    if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0)
        _exit(0);
}

static void make_a_socket(void)
{
    if (socket(AF_INET, SOCK_STREAM, 0) < 0)
        _exit(0);
}

static void open_the_device(void)
{
    if (open("/dev/sev-guest", O_RDWR | O_CLOEXEC) < 0)
        _exit(0);
}

static void ask_the_device(void)
{
    struct cvm_sev_request io = { .msg_version = 1 };

    if (ioctl(3, CVM_SEV_GET_REPORT, &io) != 0)
        _exit(0);
}

static void run_a_program(void)
{
    char name[] = "true";
    char *argv[] = { name, NULL };

    (void)execv("/bin/true", argv);
}

static void make_a_child(void)
{
    if (fork() < 0)
        _exit(0);
}

static void trace_another(void)
{
    if (ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) != 0)
        _exit(0);
}

static void make_code(void)
{
    if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
        _exit(0);
}

static void signal_the_parent(void)
{
    if (kill(getppid(), 0) != 0)
        _exit(0);
}

/* To a process that does not exist: without the list it does no harm either. */
static void abort_another(void)
{
    if (syscall(SYS_tgkill, 0x3fffffff, 0x3fffffff, SIGABRT) != 0)
        _exit(0);
}

static void make_a_pair(void)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        _exit(0);
}

static void make_a_pair_of_datagrams(void)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0)
        _exit(0);
}

static void dump_core(void)
{
    struct rlimit l = { 1, 1 };

#ifndef PP_SANITIZE
    (void)l;
    abort(); /* ends with its signal, and without a file */
#else
    if (getrlimit(RLIMIT_CORE, &l) != 0 || l.rlim_cur != 0)
        _exit(0);
    _exit(CONFINED_AND_DONE);
#endif
}

static void a_confined_process_still_runs(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(KINDS); i++) {
        int status = confined(KINDS[i], nothing);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), CONFINED_AND_DONE);
    }
}

/* docs/verification.md, App.B: a process that tries to leave is killed, whatever it tries. */
static void appb_whoever_tries_to_leave_is_killed(void **state)
{
    static void (*const TRIES[])(void) = { open_a_file,       make_a_socket, run_a_program,
                                           make_a_child,      trace_another, make_code,
                                           signal_the_parent, abort_another, make_a_pair,
                                           open_the_device,   ask_the_device };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(KINDS); i++)
        for (size_t t = 0; t < PP_ARRAY_COUNT(TRIES); t++) {
            int status = confined(KINDS[i], TRIES[t]);
#ifdef PP_SANITIZE
            (void)status; /* without the call list the other walls do what they can */
#else
            assert_true(WIFSIGNALED(status));
            assert_int_equal(WTERMSIG(status), SIGSYS);
#endif
        }
}

/* What the supervisor may make for its children, and nothing beyond. */
static void the_supervisor_makes_pairs_of_two_kinds(void **state)
{
    static void (*const TRIES[])(void) = { make_a_socket, make_a_pair_of_datagrams };

    (void)state;
    int status = confined(CVM_KIND_SUPERVISOR, make_a_pair);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), CONFINED_AND_DONE);
    for (size_t t = 0; t < PP_ARRAY_COUNT(TRIES); t++) {
        status = confined(CVM_KIND_SUPERVISOR, TRIES[t]);
#ifndef PP_SANITIZE
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGSYS);
#endif
    }
}

/* --- reporters: the one hole that each has --------------------------------------------------- */

/* At descriptor 3 for what is confined next. */
static void put_at_3(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);

    assert_true(fd >= 0);
    if (fd != 3) {
        assert_int_equal(dup2(fd, 3), 3);
        (void)close(fd);
    }
}

/* What descriptor 3 is says no to both calls, and is asked. */
static void ask_for_reports(void)
{
    struct cvm_sev_request io = { .msg_version = 1 };

    if (ioctl(3, CVM_SEV_GET_REPORT, &io) != -1 || errno != ENOTTY ||
        ioctl(3, CVM_SEV_GET_EXT_REPORT, &io) != -1 || errno != ENOTTY)
        _exit(0);
}

static void ask_for_a_derived_key(void)
{
    struct cvm_sev_request io = { .msg_version = 1 };

    if (ioctl(3, _IOWR('S', 1, struct cvm_sev_request), &io) != 0)
        _exit(0);
}

static void ask_another_descriptor(void)
{
    struct cvm_sev_request io = { .msg_version = 1 };

    if (ioctl(0, CVM_SEV_GET_REPORT, &io) != 0)
        _exit(0);
}

static void make_an_entry(void)
{
    int fd;

    if (mkdirat(3, "pp", 0700) != 0 || (fd = openat(3, "inblob", O_WRONLY)) < 0 || close(fd) != 0 ||
        (fd = openat(3, "inblob", O_RDONLY)) < 0 || close(fd) != 0 ||
        unlinkat(3, "pp", AT_REMOVEDIR) != 0)
        _exit(0);
}

/* The call is there, and its own folder is all that it reaches. */
static void leave_the_folder(void)
{
    if (openat(3, "../..", O_RDONLY | O_DIRECTORY) >= 0 || open("/etc/passwd", O_RDONLY) >= 0 ||
        openat(3, "made", O_WRONLY | O_CREAT, 0600) >= 0 || unlinkat(3, "inblob", 0) == 0 ||
        mkdirat(AT_FDCWD, "/tmp/pp-confine-made", 0700) == 0 || errno != EACCES)
        _exit(0);
}

static void ask_for_a_socket(void)
{
    (void)socket(AF_UNIX, SOCK_STREAM, 0);
}

static void assert_done(int status)
{
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), CONFINED_AND_DONE);
}

static void assert_killed(int status)
{
#ifdef PP_SANITIZE
    (void)status;
#else
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
#endif
}

/* App.B: who asks the device makes reports, derives no key, and touches nothing else. */
static void appb_the_devices_reporter_makes_two_calls(void **state)
{
    static void (*const TRIES[])(void) = { ask_for_a_derived_key, ask_another_descriptor,
                                           open_the_device, ask_for_a_socket, make_a_child };

    (void)state;
    put_at_3("/dev/null", O_RDWR);
    assert_done(confined(CVM_KIND_REPORTER_SEV, ask_for_reports));
    for (size_t i = 0; i < PP_ARRAY_COUNT(TRIES); i++)
        assert_killed(confined(CVM_KIND_REPORTER_SEV, TRIES[i]));
    (void)close(3);
}

static void appb_the_folders_reporter_stays_in_its_folder(void **state)
{
    static void (*const TRIES[])(void) = { ask_the_device, ask_for_a_socket, make_a_child };
    char folder[] = "/tmp/pp-confine-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(folder));
    put_at_3(folder, O_PATH | O_DIRECTORY);
    int fd = openat(3, "inblob", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_done(confined(CVM_KIND_REPORTER_TSM, make_an_entry));
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0)
        assert_done(confined(CVM_KIND_REPORTER_TSM, leave_the_folder));
    for (size_t i = 0; i < PP_ARRAY_COUNT(TRIES); i++)
        assert_killed(confined(CVM_KIND_REPORTER_TSM, TRIES[i]));
    assert_int_equal(unlinkat(3, "inblob", 0), 0);
    assert_int_equal(rmdir(folder), 0);
    (void)close(3);
}

static void abort_in_a_confined_child(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        struct cvm_walls walls;
        if (!pp_is_ok(cvm_confine(CVM_KIND_WORKER, &walls)))
            _exit(NOT_CONFINED);
        abort();
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) ||
        WTERMSIG(status) != SIGABRT)
        _exit(0);
}

/* Each child has its parent's list above its own, and abort(3) must pass both. */
static void a_child_of_the_supervisor_can_abort(void **state)
{
    (void)state;
    int status = confined(CVM_KIND_SUPERVISOR, abort_in_a_confined_child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), CONFINED_AND_DONE);
}

static void nothing_is_dumped(void **state)
{
    (void)state;
    int status = confined(CVM_KIND_WORKER, dump_core);
#ifdef PP_SANITIZE
    assert_int_equal(WEXITSTATUS(status), CONFINED_AND_DONE);
#else
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_false(WCOREDUMP(status));
#endif
}

static void only_named_descriptors_are_kept(void **state)
{
    int a[2], status = 0;

    (void)state;
    assert_ok(cvm_pair(SOCK_SEQPACKET, a));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const int keep[] = { a[1], a[0] };
        if (!pp_is_ok(cvm_keep_only(keep, 2)) || !pp_is_ok(cvm_send(3, PP_STR("x"), -1)))
            _exit(1);
        uint8_t got[4];
        size_t len = 0;
        if (!pp_is_ok(cvm_recv(4, got, sizeof got, &len, NULL)) || got[0] != 'x')
            _exit(2);
        for (int fd = 5; fd < 256; fd++)
            if (fcntl(fd, F_GETFD) >= 0)
                _exit(3);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    cvm_close(&a[0]);
    cvm_close(&a[1]);
}

/* What stood at 0 to 2 was whoever started the guest's choice: a console, for one. */
static void a_process_that_is_shut_in_can_write_to_no_standard_descriptor(void **state)
{
    int console[2], status = 0;
    uint8_t byte;

    (void)state;
    assert_ok(cvm_pair(SOCK_STREAM, console));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (int fd = 0; fd <= 2; fd++)
            if (dup2(console[1], fd) != fd)
                _exit(1);
        if (!pp_is_ok(cvm_keep_only(NULL, 0)))
            _exit(2);
        for (int fd = 0; fd <= 2; fd++)
            if (write(fd, "x", 1) == 1 || read(fd, &byte, 1) != 0)
                _exit(3);
        _exit(0);
    }
    assert_int_equal(close(console[1]), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(read(console[0], &byte, 1), 0);
    assert_int_equal(close(console[0]), 0);
}

static void packets_carry_bytes_and_one_descriptor(void **state)
{
    int pair[2], sent[2], fd = -1;
    uint8_t got[8];
    size_t len = 0;

    (void)state;
    assert_ok(cvm_pair(SOCK_SEQPACKET, pair));
    assert_ok(cvm_pair(SOCK_STREAM, sent));
    assert_ok(cvm_send(pair[0], PP_STR("hello"), sent[0]));
    assert_ok(cvm_recv(pair[1], got, sizeof got, &len, &fd));
    assert_int_equal(len, 5);
    assert_true(fd >= 0);
    cvm_close(&fd);
    assert_ok(cvm_send(pair[0], PP_STR("hello"), sent[0]));
    assert_code(cvm_recv(pair[1], got, sizeof got, &len, NULL), PP_E_FORMAT); /* nobody asked */
    assert_ok(cvm_send(pair[0], PP_STR("too long to fit"), -1));
    assert_code(cvm_recv(pair[1], got, sizeof got, &len, NULL), PP_E_LIMIT);
    assert_code(cvm_wait(pair[1], 1), PP_E_TIMEOUT);
    cvm_close(&pair[0]);
    assert_code(cvm_recv(pair[1], got, sizeof got, &len, NULL), PP_E_CLOSED);
    assert_code(cvm_send(pair[1], PP_STR("x"), -1), PP_E_CLOSED);
    cvm_close(&pair[1]);
    cvm_close(&sent[0]);
    assert_code(cvm_read_all(sent[1], got, 1), PP_E_CLOSED);
    assert_code(cvm_write_all(sent[1], PP_STR("x")), PP_E_CLOSED);
    cvm_close(&sent[1]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_confined_process_still_runs),
    cmocka_unit_test(appb_whoever_tries_to_leave_is_killed),
    cmocka_unit_test(appb_the_devices_reporter_makes_two_calls),
    cmocka_unit_test(appb_the_folders_reporter_stays_in_its_folder),
    cmocka_unit_test(the_supervisor_makes_pairs_of_two_kinds),
    cmocka_unit_test(a_child_of_the_supervisor_can_abort),
    cmocka_unit_test(nothing_is_dumped),
    cmocka_unit_test(only_named_descriptors_are_kept),
    cmocka_unit_test(a_process_that_is_shut_in_can_write_to_no_standard_descriptor),
    cmocka_unit_test(packets_carry_bytes_and_one_descriptor),
};

PP_TEST_MAIN(tests)
