/* SPDX-License-Identifier: Apache-2.0 */
/* What a process can still do behind the walls, and what kills it. Each probe is a child. */
#include "harness.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file.h"
#include "sandbox.h"

enum { NOBODY = 65534, SURVIVED = 42, SETUP_FAILED = 99 };

/* Who the process is when it enters, and whom it becomes. */
enum who { STAYS, CHANGES, IS_NOBODY };

static char home[64];
static int status_fd = -1; /* /proc/self/status of the child, opened before the walls */
static uint16_t open_port, other_port;

static const char *const WHO[] = { "as we are", "root that changes its user",
                                   "not root from the start" };

static int can_be(enum who who)
{
    return who == STAYS || geteuid() == 0;
}

static void make_home(void)
{
    static const char content[] = "inside";

    snprintf(home, sizeof home, "/tmp/pp-sandbox-XXXXXX");
    assert_non_null(mkdtemp(home));
    int dir = open(home, O_RDONLY | O_DIRECTORY);
    assert_true(dir >= 0);
    assert_ok(pp_file_write(dir, "file", 0644, pp_span(content, 6)));
    close(dir);
}

static void remove_home(void)
{
    char path[512];
    DIR *dir = opendir(home);

    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", home, e->d_name);
        (void)unlink(path);
    }
    closedir(dir);
    assert_int_equal(rmdir(home), 0);
}

static void enter(enum who who, const struct pp_sandbox *more, struct pp_sandbox_report *ret)
{
    struct pp_sandbox s = *more;
    struct pp_problem problem = { 0 };

    if (who == IS_NOBODY && (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
                             setresuid(NOBODY, NOBODY, NOBODY) != 0))
        _exit(SETUP_FAILED);
    status_fd = open("/proc/self/status", O_RDONLY);
    if (status_fd < 0 || chdir(home) != 0)
        _exit(SETUP_FAILED);
    s.home = ".";
    s.user = who == CHANGES ? "65534:65534" : NULL;
    pp_res r = pp_sandbox_enter(&s, &problem, ret);
    if (!pp_is_ok(r)) {
        fprintf(stderr, "sandbox: %s: %s: %s\n", problem.field, problem.expected, problem.got);
        _exit(SETUP_FAILED);
    }
}

/* Runs `probe` behind the walls. Returns the wait status. */
static int behind(enum who who, const struct pp_sandbox *s, void (*probe)(enum who who))
{
    int status = 0;
    uid_t owner = who == STAYS ? geteuid() : NOBODY;

    assert_int_equal(chown(home, owner, (gid_t)-1), 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct pp_sandbox_report report;
        enter(who, s, &report);
        probe(who);
        _exit(SURVIVED);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* Children say why and end with another status than SURVIVED. */
#define CHILD_CHECK(cond)                                                                          \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            dprintf(STDERR_FILENO, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #cond, errno);    \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static void each_who(const struct pp_sandbox *s, void (*probe)(enum who who))
{
    for (enum who who = STAYS; who <= IS_NOBODY; who++) {
        if (!can_be(who)) {
            print_message("skipped: %s needs root\n", WHO[who]);
            continue;
        }
        int status = behind(who, s, probe);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != SURVIVED)
            fail_msg("%s: wait status %d", WHO[who], status);
    }
}

/* --- what still works ----------------------------------------------------------------------- */

static void probe_home(enum who who)
{
    char text[8] = "";
    struct pp_buf read_back = { 0 };

    (void)who;
    int fd = open("file", O_RDONLY);
    CHILD_CHECK(fd >= 0 && read(fd, text, 6) == 6 && strcmp(text, "inside") == 0);
    close(fd);
    CHILD_CHECK(pp_is_ok(pp_file_write(AT_FDCWD, "made", 0600, PP_STR("made here"))));
    CHILD_CHECK(pp_is_ok(pp_file_read(AT_FDCWD, "made", 64, &read_back)));
    pp_buf_done(&read_back);
    CHILD_CHECK(mkdir("folder", 0700) == 0 && rmdir("folder") == 0);
    CHILD_CHECK(unlink("made") == 0);
}

static void the_home_can_be_read_and_written(void **state)
{
    (void)state;
    each_who(&(struct pp_sandbox){ .landlock_optional = 1 }, probe_home);
}

static void *run_thread(void *arg)
{
    return arg;
}

static void probe_work(enum who who)
{
    pthread_t thread;
    void *result = NULL;

    (void)who;
    CHILD_CHECK(pthread_create(&thread, NULL, run_thread, &status_fd) == 0);
    CHILD_CHECK(pthread_join(thread, &result) == 0 && result == &status_fd);
    void *memory = malloc(1 << 20);
    CHILD_CHECK(memory != NULL);
    free(memory);
    static const int families[] = { AF_INET, AF_INET6, AF_UNIX };
    for (size_t i = 0; i < PP_ARRAY_COUNT(families); i++) {
        int fd = socket(families[i], SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        CHILD_CHECK(fd >= 0 || (families[i] == AF_INET6 && errno == EAFNOSUPPORT));
        close(fd);
    }
}

static void threads_memory_and_sockets_can_be_had(void **state)
{
    (void)state;
    each_who(&(struct pp_sandbox){ .landlock_optional = 1 }, probe_work);
}

/* --- what does not -------------------------------------------------------------------------- */

static void probe_status(enum who who)
{
    char text[4096] = "";
    struct rlimit core;

    CHILD_CHECK(read(status_fd, text, sizeof text - 1) > 0);
    CHILD_CHECK(strstr(text, "NoNewPrivs:\t1\n") != NULL);
    CHILD_CHECK(strstr(text, "CapEff:\t0000000000000000\n") != NULL);
    CHILD_CHECK(strstr(text, "CapPrm:\t0000000000000000\n") != NULL);
#ifndef PP_SANITIZE
    CHILD_CHECK(strstr(text, "Seccomp:\t2\n") != NULL);
#endif
    if (who != STAYS) {
        CHILD_CHECK(strstr(text, "Uid:\t65534\t65534\t65534\t65534\n") != NULL);
        CHILD_CHECK(strstr(text, "Gid:\t65534\t65534\t65534\t65534\n") != NULL);
        CHILD_CHECK(strstr(text, "Groups:\t \n") != NULL || strstr(text, "Groups:\t\n") != NULL);
    }
    CHILD_CHECK(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0);
}

static void rights_are_gone_in_the_kernels_own_words(void **state)
{
    (void)state;
    each_who(&(struct pp_sandbox){ .landlock_optional = 1 }, probe_status);
}

static void probe_outside(enum who who)
{
    static const char *const paths[] = { "/etc/passwd",   "/tmp",           "/",
                                         "/dev/null",     "/proc/1/status", "../../etc/passwd",
                                         "/usr/bin/true", "/dev/shm" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(paths); i++) {
#ifdef PP_SANITIZE
        if (strncmp(paths[i], "/proc", 5) == 0)
            continue;
#endif
        if (who == CHANGES && strcmp(paths[i], "/") == 0)
            continue; /* that is the home there */
        errno = 0;
        CHILD_CHECK(open(paths[i], O_RDONLY) < 0);
        CHILD_CHECK(errno == (who == CHANGES ? ENOENT : EACCES));
    }
    CHILD_CHECK(open("/tmp/pp-sandbox-made", O_WRONLY | O_CREAT, 0600) < 0);
}

static void nothing_outside_the_home_can_be_opened(void **state)
{
    (void)state;
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1) {
        print_message("skipped: this kernel has no Landlock\n");
        skip();
    }
    each_who(&(struct pp_sandbox){ 0 }, probe_outside);
}

static void probe_folders(enum who who)
{
    (void)who;
    CHILD_CHECK(pp_is_ok(pp_file_write(AT_FDCWD, "mine/made", 0600, PP_STR("made here"))));
    CHILD_CHECK(unlink("mine/made") == 0);
    CHILD_CHECK(open("file", O_RDONLY) < 0 && errno == EACCES);
    CHILD_CHECK(open("theirs/key", O_RDONLY) < 0 && errno == EACCES);
    CHILD_CHECK(open("mine/../theirs/key", O_RDONLY) < 0 && errno == EACCES);
    CHILD_CHECK(open(".", O_RDONLY) < 0 && errno == EACCES);
}

static void probe_read_only(enum who who)
{
    (void)who;
    CHILD_CHECK(open("theirs/key", O_RDONLY) >= 0);
    CHILD_CHECK(open("theirs/key", O_WRONLY) < 0 && errno == EACCES);
    CHILD_CHECK(open("theirs/made", O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
    CHILD_CHECK(unlink("theirs/key") < 0 && errno == EACCES);
    CHILD_CHECK(mkdir("theirs/made", 0700) < 0 && errno == EACCES);
}

static void folders_that_are_named_shut_the_rest_of_the_home(void **state)
{
    static const char *const made[] = { "mine", "theirs" };
    const struct pp_sandbox s = { .folders = { "mine", "not-there" }, .folder_count = 2 };
    const struct pp_sandbox read_only = { .folders = { "theirs" },
                                          .folder_count = 1,
                                          .read_only = 1 };
    char path[2][96];

    (void)state;
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1) {
        print_message("skipped: this kernel has no Landlock\n");
        skip();
    }
    for (size_t i = 0; i < 2; i++) {
        snprintf(path[i], sizeof path[i], "%s/%s", home, made[i]);
        assert_int_equal(mkdir(path[i], 0777), 0);
        assert_int_equal(chmod(path[i], 0777), 0);
    }
    assert_ok(pp_file_write(open(path[1], O_RDONLY | O_DIRECTORY), "key", 0644, PP_STR("secret")));
    each_who(&s, probe_folders);
    each_who(&read_only, probe_read_only);
    assert_int_equal(rmdir(path[0]), 0);
    snprintf(path[0], sizeof path[0], "%s/theirs/key", home);
    assert_int_equal(unlink(path[0]), 0);
    assert_int_equal(rmdir(path[1]), 0);
}

static int try_connect(uint16_t port)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int r = connect(fd, (struct sockaddr *)(void *)&in, sizeof in) == 0 ? 0 : errno;
    close(fd);
    return r;
}

static void probe_connect(enum who who)
{
    (void)who;
    CHILD_CHECK(try_connect(open_port) == 0);
    CHILD_CHECK(try_connect(other_port) == EACCES);
}

static int listen_somewhere(uint16_t *ret_port)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)(void *)&in, sizeof in), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)(void *)&in, &len), 0);
    *ret_port = ntohs(in.sin_port);
    return fd;
}

static void only_the_named_ports_can_be_connected_to(void **state)
{
    (void)state;
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 4) {
        print_message("skipped: this kernel's Landlock has no TCP rules\n");
        skip();
    }
    int a = listen_somewhere(&open_port);
    int b = listen_somewhere(&other_port);
    struct pp_sandbox s = { .connect_port_count = 1 };
    s.connect_ports[0] = open_port;
    each_who(&s, probe_connect);
    close(a);
    close(b);
}

#ifndef PP_SANITIZE

static void do_execve(void)
{
    static char *const none[] = { NULL };
    execve("/usr/bin/true", none, none);
}
static void do_fork(void)
{
    if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0)
        _exit(0);
}
static void do_ptrace(void)
{
    syscall(SYS_ptrace, 0, 0, 0, 0);
}
static void do_setuid(void)
{
    syscall(SYS_setuid, 0);
}
static void do_bind(void)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)(void *)&in, sizeof in);
}
static void do_netlink(void)
{
    (void)!socket(AF_NETLINK, SOCK_RAW, 0);
}
static void do_packet(void)
{
    (void)!socket(AF_PACKET, SOCK_RAW, 0);
}
static void do_datagram(void)
{
    (void)!socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}
static void do_datagram_6(void)
{
    (void)!socket(AF_INET6, SOCK_DGRAM, 0);
}
static void do_datagram_unix(void)
{
    (void)!socket(AF_UNIX, SOCK_DGRAM, 0);
}
static void do_raw(void)
{
    (void)!socket(AF_INET, SOCK_RAW, 1);
}
static void do_datagram_pair(void)
{
    int pair[2];
    (void)!socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
}
static void do_exec_memory(void)
{
    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
static void do_make_executable(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(p, 4096, PROT_READ | PROT_EXEC);
}
static void do_kill(void)
{
    syscall(SYS_kill, getppid(), 0);
}
static void do_tgkill_other(void)
{
    syscall(SYS_tgkill, getppid(), getppid(), 0);
}
static void do_unshare(void)
{
    syscall(SYS_unshare, CLONE_NEWUSER);
}
static void do_mount(void)
{
    syscall(SYS_mount, "a", "b", "tmpfs", 0, NULL);
}
static void do_chroot(void)
{
    syscall(SYS_chroot, "/");
}
static void do_dumpable(void)
{
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}
static void do_raise_limit(void)
{
    struct rlimit r = { 0, 0 };
    setrlimit(RLIMIT_CORE, &r);
}
static void do_terminal(void)
{
    ioctl(0, TIOCSTI, "x");
}
static void do_process_vm(void)
{
    syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}
static void do_memfd(void)
{
    syscall(SYS_memfd_create, "x", 0);
}
static void do_io_uring(void)
{
    syscall(425 /* io_uring_setup */, 1, NULL);
}
static void do_bpf(void)
{
    syscall(SYS_bpf, 0, NULL, 0);
}
static void do_symlink(void)
{
    syscall(SYS_symlinkat, "/etc", AT_FDCWD, "link");
}
static void do_priority(void)
{
    syscall(SYS_getpriority, 0, 0);
}

static const struct {
    const char *what;
    void (*act)(void);
} FORBIDDEN[] = {
    { "execve", do_execve },
    { "fork", do_fork },
    { "ptrace", do_ptrace },
    { "setuid", do_setuid },
    { "bind", do_bind },
    { "a netlink socket", do_netlink },
    { "a packet socket", do_packet },
    { "a UDP socket", do_datagram },
    { "a UDP socket over IPv6", do_datagram_6 },
    { "a unix datagram socket", do_datagram_unix },
    { "a raw socket", do_raw },
    { "a pair of datagram sockets", do_datagram_pair },
    { "executable memory", do_exec_memory },
    { "making memory executable", do_make_executable },
    { "a signal to the parent", do_kill },
    { "a signal to another thread group", do_tgkill_other },
    { "a new namespace", do_unshare },
    { "mount", do_mount },
    { "chroot", do_chroot },
    { "becoming dumpable", do_dumpable },
    { "changing a limit", do_raise_limit },
    { "typing into a terminal", do_terminal },
    { "reading another's memory", do_process_vm },
    { "an anonymous file", do_memfd },
    { "io_uring", do_io_uring },
    { "bpf", do_bpf },
    { "a symbolic link", do_symlink },
    { "a call that nobody asked for", do_priority },
};

static void (*forbidden_act)(void);

static void probe_forbidden(enum who who)
{
    (void)who;
    forbidden_act();
}

static void each_forbidden_system_call_kills(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(FORBIDDEN); i++) {
        forbidden_act = FORBIDDEN[i].act;
        int status = behind(STAYS, &(struct pp_sandbox){ .landlock_optional = 1 }, probe_forbidden);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
            fail_msg("%s: wait status %d", FORBIDDEN[i].what, status);
        assert_false(WCOREDUMP(status));
    }
}

static void do_socket(void)
{
    (void)socket(AF_UNIX, SOCK_STREAM, 0);
}

static void do_connect(void)
{
    (void)connect(-1, NULL, 0);
}

static void do_accept(void)
{
    (void)accept(-1, NULL, NULL);
}

static void without_a_network_every_call_to_one_kills(void **state)
{
    static void (*const acts[])(void) = { do_socket, do_connect, do_accept };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(acts); i++) {
        forbidden_act = acts[i];
        for (uint32_t off = 0; off <= 1; off++) {
            const struct pp_sandbox s = { .no_network = off, .landlock_optional = 1 };
            int status = behind(STAYS, &s, probe_forbidden);
            assert_int_equal(off ? WTERMSIG(status) : WEXITSTATUS(status), off ? SIGSYS : SURVIVED);
        }
    }
}

static void a_program_can_ask_for_more_calls(void **state)
{
    (void)state;
    const int more[] = { SYS_getpriority };

    forbidden_act = do_priority;
    int status = behind(
        STAYS, &(struct pp_sandbox){ .syscalls = more, .syscall_count = 1, .landlock_optional = 1 },
        probe_forbidden);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), SURVIVED);
}

#endif

/* --- refusals ------------------------------------------------------------------------------- */

static pp_res enter_in_child(const struct pp_sandbox *s, enum who who, struct pp_problem *problem)
{
    struct {
        pp_res r;
        struct pp_problem problem;
    } *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                     0);
    pid_t pid = fork();

    if (pid == 0) {
        struct pp_sandbox_report report;
        if (who == IS_NOBODY && setresuid(NOBODY, NOBODY, NOBODY) != 0)
            _exit(SETUP_FAILED);
        shared->r = pp_sandbox_enter(s, &shared->problem, &report);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    pp_res r = shared->r;
    *problem = shared->problem;
    munmap(shared, sizeof *shared);
    return r;
}

static void a_user_that_cannot_be_is_refused(void **state)
{
    (void)state;
    static const char *const users[] = {
        "root", "0",          "0:0",    "65534:0", "nobody-at-all",
        "-1",   "4294967295", "65534:", ":65534",  "65534:65534:1"
    };
    struct pp_problem problem;

    if (geteuid() != 0) {
        print_message("skipped: changing the user needs root\n");
        skip();
    }
    for (size_t i = 0; i < PP_ARRAY_COUNT(users); i++) {
        const struct pp_sandbox s = { .user = users[i], .landlock_optional = 1 };
        assert_code(enter_in_child(&s, STAYS, &problem), PP_E_CONFIG);
        assert_string_equal(problem.field, "user");
        assert_string_equal(problem.got, users[i]);
    }
    const struct pp_sandbox s = { .user = "65533", .landlock_optional = 1 };
    assert_code(enter_in_child(&s, IS_NOBODY, &problem), PP_E_CONFIG); /* not root: cannot change */
}

static void lists_past_their_limit_are_refused(void **state)
{
    (void)state;
    struct pp_problem problem;
    int calls[PP_SANDBOX_SYSCALLS_MAX + 1];

    for (size_t i = 0; i < PP_ARRAY_COUNT(calls); i++)
        calls[i] = SYS_getpriority;
    struct pp_sandbox s = { .syscalls = calls, .landlock_optional = 1 };
    s.syscall_count = PP_SANDBOX_SYSCALLS_MAX + 1;
    assert_code(enter_in_child(&s, STAYS, &problem), PP_E_RANGE);
    s.syscall_count = PP_SANDBOX_SYSCALLS_MAX;
    s.connect_port_count = PP_SANDBOX_PORTS_MAX;
    for (uint16_t i = 0; i < PP_SANDBOX_PORTS_MAX; i++)
        s.connect_ports[i] = (uint16_t)(1000 + i);
    assert_int_not_equal(enter_in_child(&s, STAYS, &problem).code, PP_E_RANGE);
    s.connect_port_count++;
    assert_code(enter_in_child(&s, STAYS, &problem), PP_E_RANGE);
    s.connect_port_count = 0;
    s.folder_count = PP_SANDBOX_FOLDERS_MAX + 1;
    assert_code(enter_in_child(&s, STAYS, &problem), PP_E_RANGE);
}

static void all_descriptors_but_the_named_ones_are_closed(void **state)
{
    (void)state;
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        static const int keep[] = { 40, 7, 41, 5000 };
        for (int fd = 3; fd < 60; fd++)
            CHILD_CHECK(dup2(2, fd) == fd);
        close(0); /* a missing standard descriptor is filled, so that no file takes its place */
        CHILD_CHECK(pp_is_ok(pp_close_others(keep, PP_ARRAY_COUNT(keep))));
        for (int fd = 0; fd < 100; fd++) {
            int is_open = fcntl(fd, F_GETFD) >= 0;
            CHILD_CHECK(is_open == (fd <= 2 || fd == 7 || fd == 40 || fd == 41));
        }
        _exit(SURVIVED);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), SURVIVED);
}

static int set_up(void **state)
{
    (void)state;
    make_home();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_home();
    return 0;
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(the_home_can_be_read_and_written),
    cmocka_unit_test(threads_memory_and_sockets_can_be_had),
    cmocka_unit_test(rights_are_gone_in_the_kernels_own_words),
    cmocka_unit_test(nothing_outside_the_home_can_be_opened),
    cmocka_unit_test(folders_that_are_named_shut_the_rest_of_the_home),
    cmocka_unit_test(only_the_named_ports_can_be_connected_to),
#ifndef PP_SANITIZE
    cmocka_unit_test(each_forbidden_system_call_kills),
    cmocka_unit_test(without_a_network_every_call_to_one_kills),
    cmocka_unit_test(a_program_can_ask_for_more_calls),
#endif
    cmocka_unit_test(a_user_that_cannot_be_is_refused),
    cmocka_unit_test(lists_past_their_limit_are_refused),
    cmocka_unit_test(all_descriptors_but_the_named_ones_are_closed),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, set_up, tear_down);
}
