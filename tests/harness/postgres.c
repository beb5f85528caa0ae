/* SPDX-License-Identifier: Apache-2.0 */
#include "postgres.h"

#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <libpq-fe.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, START_MS = 120000, CHILDREN_MAX = 256, PATH_BYTES_MAX = 256 };

#define PASSWORD "a+password"

/* Debian keeps the server's programs beside each other by version; the newest comes last. */
static int find_program(const char *name, char path[PATH_BYTES_MAX])
{
    char pattern[PATH_BYTES_MAX];
    glob_t found = { 0 };
    int r = -1;

    snprintf(pattern, sizeof pattern, "/usr/lib/postgresql/*/bin/%s", name);
    if (glob(pattern, 0, NULL, &found) == 0) {
        snprintf(path, PATH_BYTES_MAX, "%s", found.gl_pathv[found.gl_pathc - 1]);
        r = 0;
    } else
        fprintf(stderr, "no %s: tools/setup installs it (package postgresql)\n", pattern);
    globfree(&found);
    return r;
}

static pid_t start(const char *folder, const char *notify, char *const argv[])
{
    char environment[PATH_BYTES_MAX], log[PATH_BYTES_MAX];
    char *const env[] = { environment, (char *)"LC_ALL=C", (char *)"TZ=UTC", NULL };

    snprintf(environment, sizeof environment, "NOTIFY_SOCKET=%s", notify);
    snprintf(log, sizeof log, "%s/log", folder);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0 || chdir(folder) != 0)
        _exit(125);
    if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) /* it refuses root */
        _exit(126);
    if (prctl(PR_SET_PDEATHSIG, SIGQUIT) != 0) /* behind the change of user, which resets it */
        _exit(127);
    execve(argv[0], argv, env);
    _exit(127);
}

static void show_log(const struct pp_test_postgres *p)
{
    char path[PATH_BYTES_MAX], line[512];

    snprintf(path, sizeof path, "%s/log", p->folder);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        fputs(line, stderr);
    if (f != NULL)
        fclose(f);
}

static int make_data(struct pp_test_postgres *p)
{
    char program[PATH_BYTES_MAX], data[PATH_BYTES_MAX], password[PATH_BYTES_MAX];
    char option[PATH_BYTES_MAX + 16];
    int status = 0;

    snprintf(data, sizeof data, "%s/data", p->folder);
    snprintf(password, sizeof password, "%s/password", p->folder);
    snprintf(option, sizeof option, "--pwfile=%s", password);
    FILE *f = fopen(password, "w");
    if (f == NULL || fputs(PASSWORD "\n", f) < 0 || fclose(f) != 0 ||
        find_program("initdb", program) != 0)
        return -1;
    char *const argv[] = { program,
                           (char *)"-D",
                           data,
                           (char *)"-U",
                           (char *)"pp",
                           (char *)"-A",
                           (char *)"scram-sha-256",
                           option,
                           (char *)"--no-sync",
                           (char *)"--locale=C",
                           (char *)"-E",
                           (char *)"UTF8",
                           NULL };
    pid_t pid = start(p->folder, "", argv);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

/* Waits for systemd's word that the server is up. */
static int await_ready(int fd, pid_t pid)
{
    char text[1024];
    int server = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd p[2] = { { .fd = fd, .events = POLLIN }, { .fd = server, .events = POLLIN } };
    int is_ready = 0;

    while (!is_ready && poll(p, 2, START_MS) > 0 && p[1].revents == 0) {
        ssize_t n = recv(fd, text, sizeof text - 1, 0);
        if (n < 0)
            break;
        text[n] = '\0';
        is_ready = strstr(text, "READY=1") != NULL;
    }
    close(server);
    return is_ready ? 0 : -1;
}

int pp_test_postgres_start(struct pp_test_postgres *p, const char *setting)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    char program[PATH_BYTES_MAX], data[PATH_BYTES_MAX], sockets[PATH_BYTES_MAX + 32];
    char given[PATH_BYTES_MAX];
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(data, sizeof data, "%s/data", p->folder);
    snprintf(sockets, sizeof sockets, "unix_socket_directories=%s", p->folder);
    snprintf(at.sun_path, sizeof at.sun_path, "%s/notify", p->folder);
    snprintf(given, sizeof given, "%s", setting == NULL ? "listen_addresses=" : setting);
    (void)unlink(at.sun_path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
        chmod(at.sun_path, 0666) != 0 || find_program("postgres", program) != 0)
        return -1;
    char *const argv[] = {
        program,
        (char *)"-D",
        data,
        (char *)"-c",
        sockets,
        (char *)"-c",
        (char *)"listen_addresses=",
        (char *)"-c",
        (char *)"max_connections=40",
        (char *)"-c", /* in its folder: a server that is killed removes nothing */
        (char *)"dynamic_shared_memory_type=mmap",
        (char *)"-c",
        given,
        NULL
    };
    p->pid = start(p->folder, at.sun_path, argv);
    int r = p->pid > 0 ? await_ready(fd, p->pid) : -1;
    close(fd);
    if (r != 0) {
        show_log(p);
        pp_test_postgres_kill(p);
    }
    return r;
}

int pp_test_postgres_new(struct pp_test_postgres *p)
{
    *p = (struct pp_test_postgres){ 0 };
    snprintf(p->folder, sizeof p->folder, "/tmp/pp-test-XXXXXX");
    /* Root without capabilities must reach the socket too; the password keeps others out. */
    if (mkdtemp(p->folder) == NULL || (geteuid() == 0 && chown(p->folder, NOBODY, NOBODY) != 0) ||
        chmod(p->folder, 0711) != 0)
        return -1;
    snprintf(p->url, sizeof p->url, "postgresql://pp:" PASSWORD "@/postgres?host=%s", p->folder);
    if (make_data(p) == 0 && pp_test_postgres_start(p, NULL) == 0)
        return 0;
    show_log(p);
    (void)pp_test_postgres_free(p);
    return -1;
}

int pp_test_postgres_database(struct pp_test_postgres *p, char url[160])
{
    char sql[64];
    PGconn *c = PQconnectdb(p->url);

    snprintf(sql, sizeof sql, "CREATE DATABASE d%u", ++p->database_count);
    PGresult *r = PQexec(c, sql);
    int made = PQresultStatus(r) == PGRES_COMMAND_OK;
    if (!made)
        fputs(PQerrorMessage(c), stderr);
    PQclear(r);
    PQfinish(c);
    snprintf(url, 160, "postgresql://pp:" PASSWORD "@/d%u?host=%s", p->database_count, p->folder);
    return made ? 0 : -1;
}

/* --- the end ---------------------------------------------------------------------------------- */

/* Descriptors of the server's own processes, which are in sessions of their own. */
static size_t children_of(pid_t pid, int fds[CHILDREN_MAX])
{
    char path[64];
    int child = 0;
    size_t n = 0;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    FILE *f = fopen(path, "r");
    while (f != NULL && n < CHILDREN_MAX && fscanf(f, "%d", &child) == 1)
        if ((fds[n] = (int)syscall(SYS_pidfd_open, child, 0)) >= 0)
            n++;
    if (f != NULL)
        fclose(f);
    return n;
}

static void reap(struct pp_test_postgres *p)
{
    (void)waitpid(p->pid, NULL, 0);
    p->pid = 0;
}

void pp_test_postgres_kill(struct pp_test_postgres *p)
{
    int fds[CHILDREN_MAX];

    if (p->pid <= 0)
        return;
    (void)kill(p->pid, SIGSTOP); /* no new ones */
    size_t n = children_of(p->pid, fds);
    (void)kill(p->pid, SIGKILL);
    reap(p);
    for (size_t i = 0; i < n; i++) {
        struct pollfd gone = { .fd = fds[i], .events = POLLIN };
        (void)syscall(SYS_pidfd_send_signal, fds[i], SIGKILL, NULL, 0);
        (void)poll(&gone, 1, START_MS);
        close(fds[i]);
    }
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

int pp_test_postgres_free(struct pp_test_postgres *p)
{
    if (p->pid > 0) {
        (void)kill(p->pid, SIGINT); /* at once, and in order */
        reap(p);
    }
    if (p->folder[0] == '\0')
        return 0;
    int r = nftw(p->folder, remove_one, 32, FTW_DEPTH | FTW_PHYS);
    *p = (struct pp_test_postgres){ 0 };
    return r;
}
