/* SPDX-License-Identifier: Apache-2.0 */
/* Starting, watching and ending the parties' processes. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fleet_int.h"
#include "text.h"

enum {
    READY_MS = 60000, /* a set-up may make RSA keys; a sanitizer build takes its time */
    STOP_MS = 15000,
    READY_FD = 3,
    CLOCK_FD = 4, /* with a ready descriptor alone */
    ABOVE_ALL_FD = 5,
    OUTPUT_BYTES_MAX = 1 << 16,
};

/* --- identity of a process -------------------------------------------------------------------- */

/* Field 22 of /proc/PID/stat, and 0 when there is no such process or only its remains. */
static uint64_t start_time(pid_t pid)
{
    char path[64], text[1024];
    unsigned long long start = 0;
    char kind = 'Z';

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return 0;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    const char *rest = strrchr(text, ')'); /* the name before it may hold anything */
    if (rest == NULL ||
        sscanf(rest,
               ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d"
               " %llu",
               &kind, &start) != 2 ||
        kind == 'Z')
        return 0;
    return start;
}

int fleet_party_alive(const struct fleet_party *p)
{
    return p->start != 0 && start_time(p->pid) == p->start;
}

/* --- starting --------------------------------------------------------------------------------- */

/*
 * A process that nobody knows of could not be ended: the child waits until it is written down. When
 * we are killed before, it reads the end instead, and is nothing.
 */
static void await_leave(const int gate[2])
{
    char leave;

    (void)close(gate[1]); /* else our own copy would keep it open */
    while (read(gate[0], &leave, 1) != 1)
        if (errno != EINTR)
            _exit(127);
}

/* What a started program gets; -1: it does not. */
struct descriptors {
    int output, ready, clock;
};

static void place(const struct descriptors *fds)
{
    int clock = fds->clock < 0 ? -1 : fcntl(fds->clock, F_DUPFD, ABOVE_ALL_FD);
    unsigned end = READY_FD;

    (void)dup2(fds->output, 1);
    (void)dup2(fds->output, 2);
    if (fds->ready >= 0)
        end = (unsigned)dup2(fds->ready, READY_FD) + 1;
    if (clock >= 0)
        end = (unsigned)dup2(clock, CLOCK_FD) + 1;
    (void)syscall(SYS_close_range, end, ~0U, 0);
}

static _Noreturn void child(const char *program, const char *const *argv,
                            const struct descriptors *fds)
{
    static char *const nothing[] = { NULL };
    int null = open("/dev/null", O_RDWR);

    (void)setsid(); /* a Ctrl-C at the terminal is not meant for the fleet */
    if (null >= 0)
        (void)dup2(null, 0);
    place(fds);
    (void)execve(program, (char *const *)argv, nothing); /* which does not write to them */
    _exit(127);
}

static pp_res program_path(struct fleet *f, const char *program, char ret[FLEET_PATH_MAX])
{
    int n = snprintf(ret, FLEET_PATH_MAX, "%s/%s", f->bin, program);

    PP_CHECK(n > 0 && n < FLEET_PATH_MAX, PP_E_RANGE, n);
    if (access(ret, X_OK) != 0)
        return fleet_refuse(f, PP_FAIL(PP_E_PROGRAM_ABSENT, errno), "ppctl", program,
                            "a program beside ppctl", "none");
    return PP_OK;
}

/* "listen NAME ADDRESS" */
static void take_listen(struct fleet_party *p, struct pp_span line)
{
    struct pp_span word, name;

    if (!pp_text_cut(&line, ' ', &word) || !pp_text_cut(&line, ' ', &name) ||
        p->listen_count == FLEET_LISTENS_MAX || name.len >= sizeof p->listens[0].name ||
        line.len >= FLEET_ADDRESS_MAX)
        return;
    size_t i = p->listen_count++;
    memcpy(p->listens[i].name, name.at, name.len);
    memcpy(p->listens[i].address, line.at, line.len);
}

static uint64_t left_ms(const struct fleet *f, uint64_t until)
{
    uint64_t now = pp_clock_mono_ms(&f->clock);

    return now >= until ? 0 : until - now;
}

/* Reads until "ready". CHILD when the other end closes before, TIMEOUT. */
static pp_res wait_ready(struct fleet *f, struct fleet_party *p, int fd)
{
    char text[4096];
    size_t len = 0;
    uint64_t until = pp_clock_mono_ms(&f->clock) + READY_MS;

    for (;;) {
        struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
        int n = poll(&poll_fd, 1, (int)left_ms(f, until));

        if (n < 0 && errno == EINTR)
            continue;
        PP_CHECK(n > 0, PP_E_TIMEOUT, READY_MS);
        ssize_t got = read(fd, text + len, sizeof text - len);
        PP_CHECK(got > 0, PP_E_CHILD, 0);
        len += (size_t)got;
        struct pp_span rest = pp_span(text, len), line;
        while (rest.len > 0 && memchr(rest.at, '\n', rest.len) != NULL) {
            (void)pp_text_cut(&rest, '\n', &line);
            if (pp_span_eq(line, PP_STR("ready")))
                return PP_OK;
            take_listen(p, line);
        }
        memmove(text, rest.at, rest.len);
        len = rest.len;
        PP_CHECK(len < sizeof text, PP_E_FORMAT, len);
    }
}

/* The last words of a party that did not start, for the person who has to mend it. */
static pp_res did_not_start(struct fleet *f, const char *party, pp_res r)
{
    struct pp_buf b = { 0 };
    char last[160] = "see its output file";

    if (pp_is_ok(fleet_read_file(f, party, "output", OUTPUT_BYTES_MAX, &b)) && b.len > 0) {
        size_t from = b.len > 150 ? b.len - 150 : 0;
        pp_printable(last, sizeof last, pp_span(b.bytes + from, b.len - from));
    }
    pp_buf_done(&b);
    return fleet_refuse(f, r, party, "start", "ready", last);
}

static pp_res spawn(struct fleet *f, const char *program, const char *const *argv,
                    const struct descriptors *fds, const int *gate, pid_t *ret)
{
    char path[FLEET_PATH_MAX];

    PP_TRY(program_path(f, program, path));
    pid_t pid = fork();
    if (pid < 0)
        return pp_errno_res(errno);
    if (pid == 0 && gate != NULL)
        await_leave(gate);
    if (pid == 0)
        child(path, argv, fds);
    *ret = pid;
    return PP_OK;
}

static pp_res write_config(struct fleet *f, const struct fleet_start *s)
{
    char text[8192];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    uid_t user = fleet_user(f, s->party);

    pp_wr_text(&wr, "# Written by ppctl up; a change is lost at the next start.\n"
                    "environment = dev\n");
    if (user != 0) {
        pp_wr_text(&wr, "user = ");
        pp_wr_decimal(&wr, user);
        pp_wr_u8(&wr, '\n');
    }
    pp_wr_text(&wr, s->config);
    PP_TRY(pp_wr_ok(&wr));
    return fleet_write(f, s->party, "config", pp_wr_done(&wr));
}

/* Starts it and writes down that it is there, before it is. */
static pp_res start_known(struct fleet *f, const char *program, const char *const *argv,
                          const struct descriptors *fds, struct fleet_party *p)
{
    int gate[2];

    PP_CHECK(pipe2(gate, O_CLOEXEC) == 0, PP_E_SYSTEM, errno);
    pp_res r = spawn(f, program, argv, fds, gate, &p->pid);
    if (pp_is_ok(r)) {
        p->start = start_time(p->pid);
        f->party_count++; /* from here on fleet_stop_all ends it */
        r = fleet_save(f);
    }
    if (pp_is_ok(r))
        r = pp_fd_write(gate[1], PP_STR("x"));
    (void)close(gate[0]); /* so late that a write cannot be one to nobody */
    (void)close(gate[1]);
    return r;
}

/* The clock of a test, or -1. */
static int open_clock(const struct fleet *f)
{
    char path[FLEET_PATH_MAX];

    return pp_is_ok(fleet_path(f, FLEET_CLOCK, NULL, path)) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

/* Starts it with the far end of a pipe, and waits at the near one until it is ready. */
static pp_res start_and_wait(struct fleet *f, const struct fleet_start *s, const char *const *argv,
                             struct descriptors *fds, struct fleet_party *p)
{
    int ready[2];

    PP_CHECK(pipe2(ready, O_CLOEXEC) == 0, PP_E_SYSTEM, errno);
    fds->ready = ready[1];
    pp_res r = start_known(f, s->program, argv, fds, p);
    (void)close(ready[1]);
    if (pp_is_ok(r)) {
        r = wait_ready(f, p, ready[0]);
        if (!pp_is_ok(r))
            r = did_not_start(f, s->party, r);
    }
    (void)close(ready[0]);
    return r;
}

static pp_res start_process(struct fleet *f, const struct fleet_start *s, struct fleet_party *p,
                            int output_fd)
{
    struct descriptors fds = { .output = output_fd, .clock = -1 };
    char config[FLEET_PATH_MAX];

    PP_TRY(fleet_path(f, s->party, "config", config));
    const char *argv[16] = { s->program, "--ready-fd", "3" };
    size_t n = 3;
    if (s->config != NULL) {
        argv[n++] = "--config";
        argv[n++] = config;
        fds.clock = open_clock(f);
    }
    if (fds.clock >= 0) {
        argv[n++] = "--clock-fd";
        argv[n++] = "4";
    }
    for (size_t i = 0; s->config == NULL && s->args[i] != NULL; i++)
        argv[n++] = s->args[i];
    pp_res r = start_and_wait(f, s, argv, &fds, p);
    if (fds.clock >= 0)
        (void)close(fds.clock);
    return r;
}

pp_res fleet_start(struct fleet *f, const struct fleet_start *s)
{
    char output[FLEET_PATH_MAX];

    PP_CHECK(f->party_count < FLEET_PARTIES_MAX, PP_E_LIMIT, f->party_count);
    PP_TRY(fleet_folder(f, s->party, NULL));
    if (s->config != NULL)
        PP_TRY(write_config(f, s));
    PP_TRY(fleet_path(f, s->party, "output", output));
    int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return pp_errno_res(errno);
    struct fleet_party *p = &f->parties[f->party_count];
    *p = (struct fleet_party){ 0 };
    PP_CHECK(strlen(s->party) < sizeof p->name, PP_E_RANGE, 0);
    memcpy(p->name, s->party, strlen(s->party));
    pp_res r = start_process(f, s, p, fd);
    (void)close(fd);
    return r;
}

/* --- one-shot programs ------------------------------------------------------------------------ */

static pp_res read_all(int fd, struct pp_buf *ret)
{
    uint8_t *bytes = malloc(OUTPUT_BYTES_MAX + 1);
    size_t len = 0;

    PP_CHECK(bytes != NULL, PP_E_NO_MEMORY, 0);
    for (;;) {
        ssize_t n = read(fd, bytes + len, OUTPUT_BYTES_MAX - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    bytes[len] = 0;
    *ret = (struct pp_buf){ bytes, len };
    return PP_OK;
}

pp_res fleet_run(struct fleet *f, const char *program, const char *const *args,
                 struct pp_buf *ret_output)
{
    const char *argv[16] = { program };
    int output[2], status = -1;
    pid_t pid;

    for (size_t i = 0; args[i] != NULL; i++) {
        PP_ASSERT(i + 2 < PP_ARRAY_COUNT(argv));
        argv[i + 1] = args[i];
    }
    PP_CHECK(pipe2(output, O_CLOEXEC) == 0, PP_E_SYSTEM, errno);
    const struct descriptors fds = { .output = output[1], .ready = -1, .clock = -1 };
    pp_res r = spawn(f, program, argv, &fds, NULL, &pid);
    (void)close(output[1]);
    if (pp_is_ok(r))
        r = read_all(output[0], ret_output);
    (void)close(output[0]);
    PP_TRY(r);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        r = fleet_refuse(f, PP_FAIL(PP_E_CHILD, status), program, "exit status", "0",
                         (const char *)ret_output->bytes);
        pp_buf_done(ret_output);
    }
    return r;
}

/* --- addresses -------------------------------------------------------------------------------- */

pp_res fleet_address(const struct fleet *f, const char *party, const char *listen,
                     char ret[FLEET_ADDRESS_MAX])
{
    for (size_t i = 0; i < f->party_count; i++) {
        const struct fleet_party *p = &f->parties[i];

        if (strcmp(p->name, party) != 0)
            continue;
        for (size_t k = 0; k < p->listen_count; k++)
            if (listen == NULL || strcmp(p->listens[k].name, listen) == 0) {
                memcpy(ret, p->listens[k].address, FLEET_ADDRESS_MAX);
                return PP_OK;
            }
    }
    return PP_FAIL(PP_E_NOT_FOUND, 0);
}

static pp_res reserve(int fd, uint16_t *ret)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    int on = 1;

    /* Ours alone when it is bound; from then on whoever names it may have it, as daemons do. */
    PP_CHECK(bind(fd, (const struct sockaddr *)&at, len) == 0 &&
                 setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                 getsockname(fd, (struct sockaddr *)&at, &len) == 0,
             PP_E_SYSTEM, errno);
    *ret = ntohs(at.sin_port);
    return PP_OK;
}

pp_res fleet_reserve_port(uint16_t *ret_port, int *ret_fd)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    PP_CHECK(fd >= 0, PP_E_SYSTEM, errno);
    pp_res r = reserve(fd, ret_port);
    if (pp_is_ok(r))
        *ret_fd = fd;
    else
        (void)close(fd);
    return r;
}

/* --- ending ----------------------------------------------------------------------------------- */

/* Waits until the process is gone; it need not be our child. 1 when it is. */
static int wait_gone(const struct fleet_party *p, int pidfd, int timeout_ms)
{
    struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

    if (pidfd >= 0)
        (void)poll(&poll_fd, 1, timeout_ms);
    (void)waitpid(p->pid, NULL, WNOHANG);
    return !fleet_party_alive(p);
}

static void stop(const struct fleet_party *p)
{
    if (!fleet_party_alive(p))
        return;
    int pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    (void)kill(p->pid, SIGTERM);
    if (!wait_gone(p, pidfd, STOP_MS)) {
        (void)kill(p->pid, SIGKILL);
        (void)wait_gone(p, pidfd, STOP_MS);
    }
    if (pidfd >= 0)
        (void)close(pidfd);
}

void fleet_stop_all(struct fleet *f)
{
    for (size_t i = f->party_count; i > 0; i--)
        stop(&f->parties[i - 1]);
    f->party_count = 0;
}

/* --- fleet.json ------------------------------------------------------------------------------- */

static json_t *party_json(const struct fleet_party *p)
{
    json_t *listens = json_object();

    for (size_t i = 0; i < p->listen_count; i++)
        json_object_set_new(listens, p->listens[i].name, json_string(p->listens[i].address));
    return json_pack("{s:s, s:I, s:I, s:o}", "name", p->name, "pid", (json_int_t)p->pid, "start",
                     (json_int_t)p->start, "listens", listens);
}

pp_res fleet_save(const struct fleet *f)
{
    char path[FLEET_PATH_MAX];
    json_t *list = json_array();

    for (size_t i = 0; i < f->party_count; i++)
        json_array_append_new(list, party_json(&f->parties[i]));
    json_t *root = json_pack("{s:s, s:b, s:s?, s:o}", "environment", "dev", "simulated", 1, "fault",
                             f->fault == NULL ? NULL : f->fault->name, "parties", list);
    char *text = root == NULL ? NULL : json_dumps(root, JSON_INDENT(1));
    json_decref(root);
    PP_CHECK(text != NULL, PP_E_NO_MEMORY, 0);
    pp_res r = fleet_path(f, "fleet.json", NULL, path);
    if (pp_is_ok(r))
        r = pp_file_write(AT_FDCWD, path, 0600, pp_span_cstr(text));
    free(text);
    return r;
}

static pp_res read_party(const json_t *v, struct fleet_party *ret)
{
    const char *name = json_string_value(json_object_get(v, "name"));
    json_int_t pid = json_integer_value(json_object_get(v, "pid"));
    const char *key;
    json_t *address;

    PP_CHECK(name != NULL && strlen(name) < sizeof ret->name && pid > 1, PP_E_FORMAT, 0);
    memcpy(ret->name, name, strlen(name));
    ret->pid = (pid_t)pid;
    ret->start = (uint64_t)json_integer_value(json_object_get(v, "start"));
    json_object_foreach(json_object_get(v, "listens"), key, address)
    {
        const char *text = json_string_value(address);
        size_t i = ret->listen_count;
        PP_CHECK(i < FLEET_LISTENS_MAX && text != NULL && strlen(text) < FLEET_ADDRESS_MAX &&
                     strlen(key) < sizeof ret->listens[i].name,
                 PP_E_FORMAT, 1);
        memcpy(ret->listens[i].name, key, strlen(key));
        memcpy(ret->listens[i].address, text, strlen(text));
        ret->listen_count++;
    }
    return PP_OK;
}

pp_res fleet_read(struct fleet *ret, const char *state, struct pp_problem *problem)
{
    char path[FLEET_PATH_MAX];
    const json_t *v;
    size_t i;

    *ret = (struct fleet){ .lock_fd = -1 };
    pp_problem_party(problem, "ppctl");
    pp_problem_set(problem, "--state", "a folder with a fleet", pp_span_cstr(state));
    PP_CHECK(snprintf(ret->state, sizeof ret->state, "%s", state) < FLEET_PATH_MAX, PP_E_RANGE, 0);
    PP_TRY(fleet_path(ret, "fleet.json", NULL, path));
    if (access(path, R_OK) != 0) {
        PP_CHECK(errno != ENOENT && errno != ENOTDIR, PP_E_STATE_ABSENT, 0);
        pp_problem_set(problem, path, "a file that can be read", pp_span_cstr(strerror(errno)));
        return PP_FAIL(PP_E_CONFIG, errno);
    }
    /* Whether a fleet runs cannot be told any more: it is not said that none does. */
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    if (root == NULL)
        pp_problem_set(problem, path, "what ppctl up wrote (its parties may still run)",
                       PP_STR("something else"));
    PP_CHECK(root != NULL, PP_E_CONFIG, 0);
    const json_t *parties = json_object_get(root, "parties");
    pp_res r = json_array_size(parties) <= FLEET_PARTIES_MAX ? PP_OK : PP_FAIL(PP_E_CONFIG, 1);
    json_array_foreach(parties, i, v)
    {
        if (pp_is_ok(r))
            r = read_party(v, &ret->parties[ret->party_count++]);
    }
    json_decref(root);
    return r;
}

pp_res fleet_down(const char *state, struct pp_problem *problem)
{
    struct fleet *f = calloc(1, sizeof *f);
    char path[FLEET_PATH_MAX];

    PP_CHECK(f != NULL, PP_E_NO_MEMORY, 0);
    pp_res r = fleet_read(f, state, problem);
    if (pp_is_ok(r)) {
        fleet_stop_all(f);
        r = fleet_path(f, "fleet.json", NULL, path);
        if (pp_is_ok(r) && unlink(path) != 0)
            r = pp_errno_res(errno);
    }
    free(f);
    return r;
}
