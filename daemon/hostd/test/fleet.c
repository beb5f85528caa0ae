/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crypto.h"
#include "file.h"
#include "hints.h"
#include "message.h"
#include "rd.h"
#include "sizes.h"
#include "snp.h"

const char *fleet_hostd, *fleet_cvmd;

static struct sim_root *root; /* made once: RSA keys take seconds */

/* --- files ----------------------------------------------------------------------------------- */

static void write_file(const struct fleet *f, const char *name, struct pp_span content)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", f->home, name);
    assert_ok(pp_file_write(AT_FDCWD, path, 0600, content));
}

static void write_hints(struct fleet *f)
{
    uint8_t bytes[8192];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    struct pp_hints h = { .endorsement_count = 1, .host_count = 1 };

    memset(f->release_id, 0x77, sizeof f->release_id);
    h.endorsements[0] = sim_chip_vcek(f->chip);
    memcpy(h.release_id, f->release_id, sizeof h.release_id);
    h.hosts[0] = (struct pp_host_path){ .size = 1 };
    assert_ok(pp_hints_write(&wr, &h));
    write_file(f, "hints", pp_wr_done(&wr));
}

static void write_config(const struct fleet *f)
{
    char text[1024];
    int n = snprintf(
        text, sizeof text,
        "environment = dev\nlisten = 127.0.0.1:0\nprogram = %s\ncvm_config = cvm.conf\n"
        "role = orchestrator\nfirmware = firmware\npolicy = %016llx\nchip = chip\n"
        "hints = hints\n",
        fleet_cvmd, (unsigned long long)SIM_GUEST_POLICY);

    assert_in_range(n, 1, sizeof text - 1);
    write_file(f, "hostd.conf", pp_span(text, (size_t)n));
}

static void write_cvm_config(const struct fleet *f, const char *config)
{
    static const char DEFAULT[] = "environment = dev\nplatform = sim-snp\nmessage_kem = x-wing\n"
                                  "engine = embedded\nsessions_max = 64\nsession_s = 30\n"
                                  "workers_ready = 2\n";

    write_file(f, "cvm.conf", pp_span_cstr(config == NULL ? DEFAULT : config));
}

static void make_home(struct fleet *f, const char *cvm_config)
{
    struct sim_chip_params params = sim_chip_params_default(PP_SNP_GENOA);
    struct pp_random random = pp_random_system();
    uint8_t firmware[SIM_FIRMWARE_BYTES];
    char path[256];
    uint64_t now = (uint64_t)time(NULL);

    snprintf(f->home, sizeof f->home, "/tmp/pp-hostd-XXXXXX");
    assert_non_null(mkdtemp(f->home));
    if (root == NULL)
        assert_ok(sim_root_create(PP_SNP_GENOA, now, &root));
    assert_ok(sim_chip_create(root, &params, &random, now, &f->chip));
    snprintf(path, sizeof path, "%s/chip", f->home);
    assert_ok(sim_chip_save(f->chip, AT_FDCWD, path));
    sim_firmware_make(firmware);
    write_file(f, "firmware", PP_BYTES(firmware));
    write_cvm_config(f, cvm_config);
    write_hints(f);
    write_config(f);
}

static void remove_tree(const char *path)
{
    struct dirent *e;
    DIR *d = opendir(path);

    if (d == NULL)
        return;
    while ((e = readdir(d)) != NULL) {
        char full[512];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(full, sizeof full, "%s/%s", path, e->d_name);
        if (unlink(full) != 0)
            remove_tree(full);
    }
    closedir(d);
    (void)rmdir(path);
}

/* --- processes ------------------------------------------------------------------------------- */

static void wait_ready(struct fleet *f, int fd)
{
    char text[512];
    size_t len = 0;
    unsigned port = 0;

    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        assert_int_equal(poll(&p, 1, FLEET_WAIT_MS), 1);
        ssize_t n = read(fd, text + len, sizeof text - 1 - len);
        assert_true(n >= 0);
        if (n == 0)
            break;
        len += (size_t)n;
    }
    text[len] = '\0';
    assert_non_null(strstr(text, "ready\n"));
    assert_int_equal(sscanf(text, "listen frames 127.0.0.1:%u", &port), 1);
    f->port = (uint16_t)port;
    close(fd);
}

void fleet_make(struct fleet *f, const char *cvm_config)
{
    assert_ok(pp_crypto_init());
    memset(f, 0, sizeof *f);
    make_home(f, cvm_config);
}

/* Gives the end that the ready lines come from. */
static int launch(struct fleet *f)
{
    int ready[2];
    char config[256], number[16], poison[] = "EVENT_NOEPOLL=1";

    assert_int_equal(pipe(ready), 0);
    snprintf(config, sizeof config, "%s/hostd.conf", f->home);
    snprintf(number, sizeof number, "%d", ready[1]);
    f->host = fork();
    assert_true(f->host >= 0);
    if (f->host == 0) {
        char *argv[] = { (char *)(uintptr_t)fleet_hostd,
                         (char *)(uintptr_t) "--config",
                         config,
                         (char *)(uintptr_t) "--ready-fd",
                         number,
                         NULL };
        char *envp[] = { poison, NULL };
        execve(fleet_hostd, argv, envp);
        _exit(127);
    }
    close(ready[1]);
    return ready[0];
}

void fleet_start(struct fleet *f, const char *cvm_config)
{
    fleet_make(f, cvm_config);
    wait_ready(f, launch(f));
}

static int end_of(struct fleet *f)
{
    int status = 0;
    struct timespec start, now;

    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        pid_t pid = waitpid(f->host, &status, WNOHANG);
        if (pid == f->host)
            break;
        clock_gettime(CLOCK_MONOTONIC, &now);
        assert_true(now.tv_sec - start.tv_sec < FLEET_WAIT_MS / 1000);
        (void)poll(NULL, 0, 5);
    }
    f->host = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int fleet_try(struct fleet *f)
{
    char text[16];
    int fd = launch(f);
    ssize_t n = read(fd, text, sizeof text); /* the end, or that it is ready */

    close(fd);
    if (n > 0)
        assert_int_equal(kill(f->host, SIGTERM), 0);
    int status = end_of(f);
    assert_int_equal(n > 0, status == 0);
    return status;
}

void fleet_unmake(struct fleet *f)
{
    remove_tree(f->home);
    sim_chip_free(f->chip);
}

int fleet_wait(struct fleet *f)
{
    int status = end_of(f);

    fleet_unmake(f);
    return status;
}

int fleet_stop(struct fleet *f)
{
    assert_int_equal(kill(f->host, SIGTERM), 0);
    return fleet_wait(f);
}

static int read_proc(pid_t pid, const char *name, char *buf, size_t cap)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, buf, cap - 1);
    close(fd);
    buf[n > 0 ? n : 0] = '\0';
    return (int)n;
}

static pid_t parent_of(pid_t pid)
{
    char stat[512];
    int parent = 0;

    if (read_proc(pid, "stat", stat, sizeof stat) <= 0)
        return 0;
    const char *after = strrchr(stat, ')');
    if (after == NULL || sscanf(after, ") %*c %d", &parent) != 1)
        return 0;
    return parent;
}

static int is_below(pid_t pid, pid_t top)
{
    for (int i = 0; i < 8 && pid > 1; i++) {
        if (pid == top)
            return 1;
        pid = parent_of(pid);
    }
    return 0;
}

unsigned fleet_find(const struct fleet *f, const char *name, pid_t *ret_pids, unsigned cap)
{
    struct dirent *e;
    DIR *d = opendir("/proc");
    unsigned count = 0;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        char comm[64];
        int pid = (int)strtol(e->d_name, NULL, 10);
        if (pid <= 0 || read_proc(pid, "comm", comm, sizeof comm) <= 0)
            continue;
        comm[strcspn(comm, "\n")] = '\0';
        if (strcmp(comm, name) != 0 || !is_below(pid, f->host))
            continue;
        if (count < cap)
            ret_pids[count] = pid;
        count++;
    }
    closedir(d);
    return count;
}

pid_t fleet_process(const struct fleet *f, const char *name)
{
    pid_t pid = 0;

    (void)fleet_find(f, name, &pid, 1);
    return pid;
}

static int range_holds(int mem, unsigned long from, unsigned long to, struct pp_span needle)
{
    size_t len = to - from;
    uint8_t *bytes = malloc(len);
    int found = 0;

    assert_non_null(bytes);
    ssize_t n = pread(mem, bytes, len, (off_t)from);
    if (n > 0)
        found = memmem(bytes, (size_t)n, needle.at, needle.len) != NULL;
    free(bytes);
    return found;
}

int fleet_memory_holds(pid_t pid, struct pp_span needle)
{
    char path[64], line[512];
    int found = 0;
    unsigned long from, to, readable = 0;

    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "r");
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    int mem = open(path, O_RDONLY | O_CLOEXEC);
    while (maps != NULL && mem >= 0 && fgets(line, sizeof line, maps) != NULL) {
        char rights[8];
        if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) != 3 || rights[0] != 'r' ||
            to - from > (1UL << 30) || strstr(line, "[v") != NULL)
            continue;
        readable++;
        found |= range_holds(mem, from, to, needle);
    }
    if (maps != NULL)
        fclose(maps);
    if (mem >= 0)
        close(mem);
    return readable > 3 ? found : -1;
}

/* --- gateway --------------------------------------------------------------------------------- */

int gateway_connect(const struct fleet *f)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons(f->port),
                             .sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

void gateway_send(int fd, enum pp_frame_op op, uint32_t tag, const uint8_t *sid,
                  struct pp_span bytes)
{
    static uint8_t out[PP_FRAME_HEAD_BYTES + PP_FRAME_REQUEST_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_frame frame = { .kind = (uint8_t)op, .tag = tag, .bytes = bytes };

    if (sid != NULL)
        memcpy(frame.sid, sid, sizeof frame.sid);
    assert_ok(pp_frame_write(&wr, PP_FRAME_REQUESTS, &frame));
    assert_ok(pp_fd_write(fd, pp_wr_done(&wr)));
}

/* Exactly `len` bytes, or 0 at the end of the stream. */
static int read_exactly(int fd, uint8_t *buf, size_t len)
{
    size_t have = 0;

    while (have < len) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        assert_int_equal(poll(&p, 1, FLEET_WAIT_MS), 1);
        ssize_t n = read(fd, buf + have, len - have);
        if (n <= 0)
            return 0;
        have += (size_t)n;
    }
    return 1;
}

struct pp_frame gateway_recv(int fd)
{
    static uint8_t body[PP_FRAME_ANSWER_BYTES_MAX];
    uint8_t head[PP_FRAME_HEAD_BYTES];
    struct pp_frame_rd rd;
    const struct pp_frame *frame = NULL;

    pp_frame_rd_init(&rd, PP_FRAME_ANSWERS, body, sizeof body);
    while (frame == NULL) {
        /* The head, then what it says: never a byte of the next frame. */
        size_t want = rd.have < sizeof head ? sizeof head - rd.have
                                            : rd.body_len - (rd.have - sizeof head);
        uint8_t piece[4096];
        if (want > sizeof piece)
            want = sizeof piece;
        if (!read_exactly(fd, piece, want))
            return (struct pp_frame){ .kind = 0xff };
        struct pp_span in = pp_span(piece, want);
        assert_ok(pp_frame_feed(&rd, &in, &frame));
    }
    return *frame;
}

/* --- device ---------------------------------------------------------------------------------- */

static struct pp_ratls_ctx *devices;

struct pp_span device_hello(struct device *d)
{
    static uint8_t hello[PP_HELLO_BYTES];
    struct pp_wr wr = pp_wr_over(hello, sizeof hello);

    memset(d, 0, sizeof *d);
    if (devices == NULL)
        assert_ok(pp_ratls_ctx_new(PP_END_CLIENT, &devices));
    assert_ok(pp_ratls_client_new(devices, &d->client));
    assert_ok(pp_ratls_client_take(d->client, &wr));
    return pp_wr_done(&wr);
}

void device_take_flight(struct device *d, const struct pp_frame *answer)
{
    struct pp_snp_report report;
    struct pp_span body, cbor;

    assert_int_equal(answer->kind, PP_FRAME_LAST);
    memcpy(d->sid, answer->sid, sizeof d->sid);
    assert_ok(pp_ratls_client_feed(d->client, answer->bytes));
    assert_ok(pp_ratls_client_flight_end(d->client));
    assert_ok(pp_ratls_client_evidence(d->client, &body));
    assert_ok(pp_ratls_client_session(d->client, &d->session));
    assert_ok(pp_evidence_body_parse(body, &cbor));
    assert_ok(pp_evidence_parse(cbor, PP_END_SERVER, &d->evidence));
    assert_ok(pp_snp_report_parse(d->evidence.report, &report, NULL));
    assert_ok(pp_ratls_permit(d->client, &d->evidence, report.report_data, &d->permit));
}

void device_open(struct device *d, int gateway)
{
    gateway_send(gateway, PP_FRAME_OPEN, 1, NULL, device_hello(d));
    struct pp_frame answer = gateway_recv(gateway);
    assert_int_equal(answer.tag, 1);
    device_take_flight(d, &answer);
}

static struct pp_span plaintext(const char *feature, const char *text, uint32_t answer_kib,
                                size_t room)
{
    static uint8_t pt[8192];
    struct pp_wr wr = pp_wr_over(pt, sizeof pt);
    struct pp_chat_message messages[] = {
        { .id = 0, .sender = 0, .minute = 29560000, .text = pp_span_cstr(text) },
        { .id = 1, .sender = 1, .minute = 29560003, .text = PP_STR("Ok, Friday at 18:00 then.") },
        { .id = 2, .sender = 0, .minute = 29560004, .text = PP_STR("Agreed, see you on Friday!") },
        { .id = 3, .sender = 2, .minute = 29560009, .text = PP_STR("Who brings the cake?") },
    };
    struct pp_request q = { .feature = PP_FEATURE_SUMMARIZE,
                            .answer_kib = answer_kib,
                            .summarize = { .language = PP_STR("en"),
                                           .words = 130,
                                           .messages = messages,
                                           .message_count = PP_ARRAY_COUNT(messages) } };

    size_t mark = pp_padded_begin(&wr);
    assert_ok(pp_request_write(&wr, &q));
    assert_int_equal(strlen(feature), strlen("summarize"));
    uint8_t *name = memmem(pt, wr.len, "summarize", strlen("summarize"));
    assert_non_null(name);
    memcpy(name, feature, strlen(feature));
    assert_ok(pp_padded_end(&wr, mark, room));
    return pp_wr_done(&wr);
}

struct pp_span device_request(struct device *d, const char *feature, const char *text,
                              uint32_t answer_kib)
{
    static uint8_t message[16384], wire[16384];
    struct pp_random random = pp_random_system();
    struct pp_wr wr = pp_wr_over(message, sizeof message);
    struct pp_wr out = pp_wr_over(wire, sizeof wire);
    size_t room;

    assert_ok(pp_request_room(4, 32, 32, &room));
    struct pp_span pt = plaintext(feature, text, answer_kib, room);
    pp_message_head_write(&wr, PP_MESSAGE_SEALED_REQUEST,
                          pt.len + pp_sealed_request_extra(d->evidence.message_kem));
    assert_ok(pp_seal_request(&d->seal, d->evidence.message_kem, d->evidence.message_pk,
                              pp_ratls_permit_binding(&d->permit), &random, pt, &wr));
    assert_ok(pp_ratls_client_send(d->client, &d->permit, pp_wr_done(&wr),
                                   pp_answer_room(answer_kib) + PP_SEALED_RESPONSE_EXTRA));
    assert_ok(pp_ratls_client_take(d->client, &out));
    return pp_wr_done(&out);
}

void device_take_answer(struct device *d, struct pp_span bytes, uint32_t answer_kib,
                        struct pp_answer *ret)
{
    static _Alignas(16) uint8_t memory[1 << 16];
    static uint8_t pt[PP_ANSWER_MESSAGE_BYTES_MAX];
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);
    struct pp_span body, cbor;
    size_t len = 0;

    assert_ok(pp_ratls_client_feed(d->client, bytes));
    assert_ok(pp_ratls_client_answer(d->client, &body));
    assert_ok(pp_seal_open_response(&d->seal, body, pt, &len));
    assert_int_equal(len, pp_answer_room(answer_kib));
    assert_ok(pp_padded_parse(pp_span(pt, len), &cbor));
    assert_ok(pp_answer_parse(cbor, PP_FEATURE_SUMMARIZE, &arena, ret));
}

void device_done(struct device *d)
{
    pp_ratls_client_free(d->client);
    pp_seal_done(&d->seal);
    memset(d, 0, sizeof *d);
}
