/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The channel as a process, with the test as everything around it: gateways, the attester, the
 * supervisor and the workers. So each of them can be slow, or lie.
 */
#include "harness.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer.h"
#include "crypto.h"
#include "cvm.h"
#include "file.h"
#include "frame.h"
#include "ipc.h"
#include "message.h"
#include "seal.h"
#include "sizes.h"

enum {
    WAIT_MS = 60000, /* far below OPENING_MS, which would hide a session that was forgotten */
    OPENING_MS = 10 * WAIT_MS,
    SMALL_QUEUE_BYTES = 8192,
};

static const uint8_t CONFIG_BYTES[] = "tested";
static const uint8_t MESSAGE_KEY[] = { 0,  0x20, 1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                       11, 12,   13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
                                       23, 24,   25, 26, 27, 28, 29, 30, 31, 32 };

struct machine {
    char folder[64], path[80];
    pid_t channel;
    int attester, supervisor; /* our ends */
    int worker;               /* our end of the one stream that all workers share */
    int worker_theirs;
    int way; /* the host's end */
    uint32_t workers;
};

static struct machine m;
static struct cvm_config *config; /* shared: a test makes the channel less patient as it runs */

/* --- the processes around the channel -------------------------------------------------------- */

static int listen_at(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    assert_int_equal(bind(fd, (const struct sockaddr *)(const void *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 16), 0);
    return fd;
}

static int can_read(int fd, int wait_ms)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    return poll(&p, 1, wait_ms) == 1;
}

static void start_channel(int small_queue)
{
    const int small = SMALL_QUEUE_BYTES;
    int attester[2], supervisor[2], worker[2], way[2];
    uint8_t said[8];
    size_t len = 0;

    m = (struct machine){ .folder = "/tmp/pp-channel-XXXXXX" };
    assert_non_null(mkdtemp(m.folder));
    snprintf(m.path, sizeof m.path, "%s/s", m.folder);
    int listener = listen_at(m.path);
    assert_ok(cvm_pair(SOCK_SEQPACKET, attester));
    assert_ok(cvm_pair(SOCK_SEQPACKET, supervisor));
    assert_ok(cvm_pair(SOCK_STREAM, worker));
    assert_ok(cvm_pair(SOCK_SEQPACKET, way));
    if (small_queue)
        assert_int_equal(setsockopt(attester[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    m.channel = fork();
    assert_true(m.channel >= 0);
    if (m.channel == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        (void)close(worker[0]);
        (void)close(attester[0]);
        (void)close(supervisor[0]);
        (void)close(way[0]);
        _exit(cvm_channel_main(config, listener, attester[1], supervisor[1], way[1]));
    }
    close(listener);
    close(attester[1]);
    close(supervisor[1]);
    close(way[1]);
    m.way = way[0];
    m.attester = attester[0];
    m.supervisor = supervisor[0];
    m.worker = worker[0];
    m.worker_theirs = worker[1];
    assert_true(can_read(m.supervisor, WAIT_MS));
    assert_ok(cvm_recv(m.supervisor, said, sizeof said, &len, NULL));
    assert_int_equal(said[0], CVM_CHANNEL_LISTENING);
}

static int set_up(void **state)
{
    (void)state;
    assert_ok(pp_crypto_init());
    config = mmap(NULL, sizeof *config, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(config, MAP_FAILED);
    *config = (struct cvm_config){ .bytes = PP_STR("tested"),
                                   .role = PP_RECORD_ORCHESTRATOR,
                                   .sessions_max = 512,
                                   .session_s = 30,
                                   .frame_ms = CVM_FRAME_MS,
                                   .idle_ms = CVM_IDLE_MS,
                                   .opening_ms = OPENING_MS };
    return 0;
}

static int tear_down(void **state)
{
    int status;

    (void)state;
    assert_int_equal(waitpid(m.channel, &status, WNOHANG), 0); /* it lives, whatever was done */
    assert_int_equal(kill(m.channel, SIGKILL), 0);
    assert_int_equal(waitpid(m.channel, &status, 0), m.channel);
    close(m.attester);
    close(m.supervisor);
    close(m.way);
    close(m.worker);
    close(m.worker_theirs);
    (void)unlink(m.path);
    (void)rmdir(m.folder);
    (void)munmap(config, sizeof *config);
    return 0;
}

/* New workers as the supervisor hands them over; all of them are the one end that we hold. */
static void give_workers(uint32_t count)
{
    while (count-- > 0) {
        uint8_t packet[8];
        struct pp_wr wr = pp_wr_over(packet, sizeof packet);
        pp_wr_u32(&wr, m.workers++);
        pp_wr_u32(&wr, 1);
        assert_ok(cvm_send(m.supervisor, pp_wr_done(&wr), m.worker_theirs));
    }
}

/* --- the attester ---------------------------------------------------------------------------- */

struct asked {
    uint32_t slot, generation;
    struct pp_binding_input in;
    uint8_t spki[PP_P256_SPKI_BYTES];
};

/* The next session that the channel wants Evidence for; 0: none within `wait_ms`. */
static int take_asked(struct asked *ret, int wait_ms)
{
    uint8_t packet[CVM_ATTEST_PACKET_BYTES];
    size_t len = 0;

    if (!can_read(m.attester, wait_ms))
        return 0;
    assert_ok(cvm_recv(m.attester, packet, sizeof packet, &len, NULL));
    struct pp_rd rd = pp_rd_over(packet, len);
    *ret = (struct asked){ .in = { .end = PP_END_SERVER } };
    ret->slot = pp_rd_u32(&rd);
    ret->generation = pp_rd_u32(&rd);
    pp_rd_skip(&rd, 8);
    pp_rd_copy(&rd, ret->spki, sizeof ret->spki);
    pp_rd_copy(&rd, ret->in.ekm, sizeof ret->in.ekm);
    assert_ok(pp_rd_end(&rd));
    return 1;
}

static struct pp_backends backends; /* that Evidence names */

static void answer_asked(struct asked *a)
{
    static uint8_t packet[CVM_EVIDENCE_PACKET_BYTES];
    struct pp_wr wr = pp_wr_over(packet, sizeof packet);
    uint8_t report[PP_BINDING_BYTES];
    struct pp_evidence e = { .platform = PP_PLATFORM_SIM_SNP,
                             .report = PP_BYTES(report),
                             .endorsements = { PP_STR("chip") },
                             .endorsement_count = 1,
                             .config = pp_span(CONFIG_BYTES, sizeof CONFIG_BYTES - 1),
                             .message_key = PP_BYTES(MESSAGE_KEY),
                             .backends = backends,
                             .host_count = 1,
                             .hosts = { { .size = 1 } } };

    a->in.spki = PP_BYTES(a->spki);
    pp_sha256(e.config, a->in.config_digest);
    pp_sha256(e.message_key, a->in.message_key_digest);
    assert_ok(pp_binding_of(&a->in, report));
    pp_wr_u32(&wr, a->slot);
    pp_wr_u32(&wr, a->generation);
    pp_wr_u8(&wr, 1);
    assert_ok(pp_evidence_body_write(&wr, &e));
    assert_ok(cvm_send(m.attester, pp_wr_done(&wr), -1));
}

/* --- gateways and devices -------------------------------------------------------------------- */

static int connect_gateway(void)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    memcpy(a.sun_path, m.path, sizeof m.path);
    assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&a, sizeof a), 0);
    return fd;
}

static void send_frame(int fd, enum pp_frame_op op, uint32_t tag, const uint8_t *sid,
                       struct pp_span bytes)
{
    static uint8_t out[PP_FRAME_HEAD_BYTES + 16384];
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_frame f = { .kind = (uint8_t)op, .tag = tag, .bytes = bytes };

    if (sid != NULL)
        memcpy(f.sid, sid, sizeof f.sid);
    assert_ok(pp_frame_write(&wr, PP_FRAME_REQUESTS, &f));
    assert_ok(pp_fd_write(fd, pp_wr_done(&wr)));
}

static void read_exactly(int fd, uint8_t *to, size_t len)
{
    while (len > 0) {
        assert_true(can_read(fd, WAIT_MS));
        ssize_t n = read(fd, to, len);
        assert_true(n > 0);
        to += n;
        len -= (size_t)n;
    }
}

/* The next answer; its bytes stand in a static buffer. */
static struct pp_frame take_frame(int fd)
{
    static uint8_t body[PP_FRAME_ANSWER_BYTES_MAX];
    uint8_t head[PP_FRAME_HEAD_BYTES];
    struct pp_frame f = { 0 };

    read_exactly(fd, head, sizeof head);
    struct pp_rd rd = pp_rd_over(head, sizeof head);
    f.kind = pp_rd_u8(&rd);
    f.tag = pp_rd_u32(&rd);
    pp_rd_copy(&rd, f.sid, sizeof f.sid);
    uint32_t len = pp_rd_u32(&rd);
    assert_true(len <= sizeof body);
    read_exactly(fd, body, len);
    f.bytes = pp_span(body, len);
    return f;
}

/* Until everything that was sent to the channel before has been taken and dealt with: what it holds
 * ready is looked at in one turn of its loop, in any order. */
static void let_it_catch_up(int from, int gateway)
{
    static const uint8_t NOBODY[PP_SID_BYTES] = { 1 };
    int unread = 1;

    for (int i = 0; i < WAIT_MS && unread > 0; i++) {
        assert_int_equal(ioctl(from, TIOCOUTQ, &unread), 0);
        if (unread > 0)
            (void)poll(NULL, 0, 1);
    }
    assert_int_equal(unread, 0);
    for (uint32_t i = 0; i < 3; i++) {
        send_frame(gateway, PP_FRAME_CLOSE, 7000 + i, NOBODY, PP_STR(""));
        assert_int_equal(take_frame(gateway).tag, 7000 + i);
    }
}

struct device {
    struct pp_ratls_client *client;
    uint8_t sid[PP_SID_BYTES];
    struct pp_ratls_permit permit;
};

static struct pp_ratls_ctx *devices;

static void open_session(int gateway, uint32_t tag, struct device *ret)
{
    uint8_t hello[PP_HELLO_BYTES];
    struct pp_wr wr = pp_wr_over(hello, sizeof hello);

    if (devices == NULL)
        assert_ok(pp_ratls_ctx_new(PP_END_CLIENT, &devices));
    assert_ok(pp_ratls_client_new(devices, &ret->client));
    assert_ok(pp_ratls_client_take(ret->client, &wr));
    send_frame(gateway, PP_FRAME_OPEN, tag, NULL, pp_wr_done(&wr));
}

/* Opens, for whoever does not want to look inside the flight. */
static void open_only(int gateway, uint32_t tag)
{
    struct device d;

    open_session(gateway, tag, &d);
    pp_ratls_client_free(d.client);
}

/* Opens, attests and takes the flight. */
static void open_whole(int gateway, uint32_t tag, struct device *ret)
{
    struct asked a;

    give_workers(1);
    open_session(gateway, tag, ret);
    assert_true(take_asked(&a, WAIT_MS));
    answer_asked(&a);
    struct pp_frame f = take_frame(gateway);
    assert_int_equal(f.kind, PP_FRAME_LAST);
    assert_int_equal(f.tag, tag);
    memcpy(ret->sid, f.sid, sizeof ret->sid);
    assert_ok(pp_ratls_client_feed(ret->client, f.bytes));
    assert_ok(pp_ratls_client_flight_end(ret->client));
    struct pp_evidence e;
    struct pp_span body, cbor;
    assert_ok(pp_ratls_client_evidence(ret->client, &body));
    assert_ok(pp_evidence_body_parse(body, &cbor));
    assert_ok(pp_evidence_parse(cbor, PP_END_SERVER, &e));
    assert_ok(pp_ratls_permit(ret->client, &e, e.report.at, &ret->permit));
}

/* --- queues ---------------------------------------------------------------------------------- */

/* Sessions of two gateways wait for the attester; the one that leaves takes its own with it. */
static void a_connection_that_closes_leaves_the_sessions_of_others_in_the_queue(void **state)
{
    enum { OF_A = 24, OF_B = 8 };
    struct asked asked[OF_A];
    size_t first = 0, answered = 0;

    (void)state;
    start_channel(1);
    int a = connect_gateway(), b = connect_gateway();
    give_workers(OF_A + OF_B);
    for (uint32_t i = 0; i < OF_A; i++)
        open_only(a, i);
    let_it_catch_up(a, b);
    for (uint32_t i = 0; i < OF_B; i++)
        open_only(b, i);
    let_it_catch_up(b, b);
    close(a);
    let_it_catch_up(b, b);

    while (take_asked(&asked[first], 0)) /* what the attester's queue had room for */
        assert_true(++first < OF_A);
    for (size_t i = 0; i < first; i++)
        answer_asked(&asked[i]);
    for (; answered < OF_B; answered++) {
        struct asked one;
        assert_true(take_asked(&one, WAIT_MS));
        answer_asked(&one);
        struct pp_frame f = take_frame(b);
        assert_int_equal(f.kind, PP_FRAME_LAST);
        assert_int_equal(f.tag, answered); /* oldest first */
    }
    close(b);
}

/* A gateway that does not read: its answers wait for room, one of their sessions is closed, and
 * when it reads again every other answer comes. */
static void a_session_that_ends_while_answers_wait_for_room_takes_none_with_it(void **state)
{
    enum { FLIGHTS = 200 };
    struct device d[3];
    struct asked one;
    unsigned flights = 0, alerts = 0, gone = 0;

    (void)state;
    start_channel(0);
    int a = connect_gateway(), b = connect_gateway();
    for (uint32_t i = 0; i < PP_ARRAY_COUNT(d); i++) {
        open_whole(a, i, &d[i]);
        pp_ratls_client_free(d[i].client);
    }
    for (uint32_t i = 0; i < FLIGHTS; i++) {
        give_workers(1);
        open_only(a, 100 + i);
        assert_true(take_asked(&one, WAIT_MS));
        answer_asked(&one);
    }
    let_it_catch_up(m.attester, b);
    for (uint32_t i = 0; i < PP_ARRAY_COUNT(d); i++)
        send_frame(a, PP_FRAME_CONTINUE, i, d[i].sid, PP_STR("no TLS"));
    let_it_catch_up(a, b);
    send_frame(b, PP_FRAME_CLOSE, 1, d[0].sid, PP_STR(""));
    assert_int_equal(take_frame(b).kind, PP_FRAME_LAST);

    while (flights + alerts + gone < FLIGHTS + 3) {
        struct pp_frame f = take_frame(a);
        flights += f.kind == PP_FRAME_LAST && f.tag >= 100;
        alerts += f.kind == PP_FRAME_LAST && f.bytes.len == PP_RATLS_ALERT_BYTES;
        gone += f.kind == PP_FRAME_GONE && f.tag == 0;
    }
    assert_int_equal(flights, FLIGHTS);
    assert_int_equal(alerts, 2);
    assert_int_equal(gone, 1);
    close(a);
    close(b);
}

/* --- workers --------------------------------------------------------------------------------- */

enum { REQUEST_BODY_BYTES = 1000 };

static void new_worker_stream(void)
{
    int pair[2];

    close(m.worker);
    close(m.worker_theirs);
    assert_ok(cvm_pair(SOCK_STREAM, pair));
    m.worker = pair[0];
    m.worker_theirs = pair[1];
}

/* A session until its worker has the request. Whether its content opens is the worker's affair. */
static void open_and_ask(int gateway, struct device *d)
{
    static const uint8_t body[REQUEST_BODY_BYTES];
    uint8_t message[2000], wire[4096], got[4 + REQUEST_BODY_BYTES];
    struct pp_wr wr = pp_wr_over(message, sizeof message);
    struct pp_wr out = pp_wr_over(wire, sizeof wire);

    new_worker_stream();
    open_whole(gateway, 1, d);
    pp_message_head_write(&wr, PP_MESSAGE_SEALED_REQUEST, sizeof body);
    pp_wr_span(&wr, PP_BYTES(body));
    assert_ok(pp_ratls_client_send(d->client, &d->permit, pp_wr_done(&wr),
                                   pp_answer_room(4) + PP_SEALED_RESPONSE_EXTRA));
    assert_ok(pp_ratls_client_take(d->client, &out));
    send_frame(gateway, PP_FRAME_CONTINUE, 2, d->sid, pp_wr_done(&out));
    read_exactly(m.worker, got, sizeof got);
    struct pp_rd rd = pp_rd_over(got, sizeof got);
    assert_int_equal(pp_rd_u32(&rd), sizeof body);
}

/* What leaves for the client when the worker says `said` and then `len` bytes. */
static size_t answer_bytes_of(int gateway, uint32_t said, size_t len)
{
    static uint8_t bytes[4 + 20000];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    struct device d;

    open_and_ask(gateway, &d);
    pp_wr_u32(&wr, said);
    pp_wr_zeros(&wr, len);
    assert_ok(pp_fd_write(m.worker, pp_wr_done(&wr)));
    struct pp_frame f = take_frame(gateway);
    assert_int_equal(f.kind, PP_FRAME_LAST);
    pp_ratls_client_free(d.client);
    return f.bytes.len;
}

/* W16: a worker that was talked into it cannot tell anything by the length of its answer. */
static void w16_an_answer_of_a_worker_has_the_length_of_a_bucket_or_is_none(void **state)
{
    const size_t extra = PP_SEALED_RESPONSE_EXTRA;

    (void)state;
    start_channel(0);
    int gateway = connect_gateway();
    for (size_t kib = 1; kib <= PP_BUCKET_2_DOWN_KIB_MAX; kib *= 2) {
        size_t len = pp_answer_room(kib) + extra;
        assert_int_equal(answer_bytes_of(gateway, (uint32_t)len, len), len + 27);
    }
    const size_t wrong[] = { 0,
                             1,
                             1024,
                             pp_answer_room(1) + extra - 1,
                             pp_answer_room(4) + extra + 1,
                             pp_answer_room(16) + extra + 1,
                             PP_ANSWER_MESSAGE_BYTES_MAX };
    for (size_t i = 0; i < PP_ARRAY_COUNT(wrong); i++)
        assert_int_equal(answer_bytes_of(gateway, (uint32_t)wrong[i], wrong[i]),
                         PP_RATLS_ALERT_BYTES);
    /* Not even by when: a wrong length is not waited for. */
    assert_int_equal(answer_bytes_of(gateway, 5000, 0), PP_RATLS_ALERT_BYTES);
    assert_int_equal(answer_bytes_of(gateway, UINT32_MAX, 0), PP_RATLS_ALERT_BYTES);
    size_t len = pp_answer_room(1) + extra;
    assert_int_equal(answer_bytes_of(gateway, (uint32_t)len, len + 1), PP_RATLS_ALERT_BYTES);
    close(gateway);
}

/* The host's side of the way to back-ends. */
static void hear_ask(uint8_t backend)
{
    uint8_t asked[2];
    size_t len = 0;

    assert_true(can_read(m.way, WAIT_MS));
    assert_ok(cvm_recv(m.way, asked, sizeof asked, &len, NULL));
    assert_int_equal(len, 1);
    assert_int_equal(asked[0], backend);
}

static void answer_ask(uint8_t backend, int fd)
{
    const uint8_t said[] = { backend, fd < 0 };

    assert_ok(cvm_send(m.way, PP_BYTES(said), fd));
}

static void say_open(uint8_t backend)
{
    uint8_t word[CVM_WORD_HEAD_BYTES + CVM_OPEN_WORD_BYTES] = { CVM_WORD_OPEN, 0, 0,
                                                                CVM_OPEN_WORD_BYTES, backend };

    assert_ok(pp_fd_write(m.worker, PP_BYTES(word)));
}

/* 1 when a session with that back-end may be opened; it is then not there, which the worker hears.
 * 0 when the worker counts as broken. */
static int may_open(int gateway, uint8_t backend)
{
    static const uint8_t NOT_THERE[CVM_WORD_HEAD_BYTES] = { CVM_WORD_OPEN };
    uint8_t heard[CVM_WORD_HEAD_BYTES];
    struct pollfd p[] = { { .fd = gateway, .events = POLLIN }, { .fd = m.way, .events = POLLIN } };
    struct device d;

    open_and_ask(gateway, &d);
    say_open(backend);
    assert_true(poll(p, PP_ARRAY_COUNT(p), WAIT_MS) > 0);
    int may = p[0].revents == 0;
    if (may) {
        hear_ask(backend);
        answer_ask(backend, -1);
        read_exactly(m.worker, heard, sizeof heard);
        assert_memory_equal(heard, NOT_THERE, sizeof heard);
        send_frame(gateway, PP_FRAME_CLOSE, 3, d.sid, PP_STR(""));
        assert_int_equal(take_frame(gateway).kind, PP_FRAME_GONE);
        assert_int_equal(take_frame(gateway).tag, 3);
    } else {
        assert_int_equal(take_frame(gateway).bytes.len, PP_RATLS_ALERT_BYTES);
    }
    pp_ratls_client_free(d.client);
    return may;
}

/* The bytes of a call are the worker's own, and the host sees them: where the device was told of no
 * back-end, a worker that was talked into it has no such way out. */
static void a_worker_calls_nobody_whom_its_sessions_evidence_does_not_name(void **state)
{
    (void)state;
    start_channel(0);
    int gateway = connect_gateway();
    backends = (struct pp_backends){ 0 };
    for (uint8_t to = 0; to <= CVM_BACKENDS; to++)
        assert_false(may_open(gateway, to));
    backends = (struct pp_backends){ .items = { { .role = PP_STR("predictor") } }, .count = 1 };
    assert_true(may_open(gateway, CVM_BACKEND_PREDICTOR));
    assert_false(may_open(gateway, CVM_BACKEND_GUARD));
    assert_false(may_open(gateway, CVM_BACKENDS));
    backends.items[0].role = PP_STR("guard");
    assert_true(may_open(gateway, CVM_BACKEND_GUARD));
    assert_false(may_open(gateway, CVM_BACKEND_PREDICTOR));
    backends.count = 0;
    close(gateway);
}

/* A host that was slow once: its answer is to nothing any more, and the next one counts. */
static void an_answer_of_the_host_that_comes_too_late_spoils_no_other(void **state)
{
    uint8_t heard[CVM_WORD_HEAD_BYTES];
    struct device d;
    int late[2], behind[2];

    (void)state;
    backends = (struct pp_backends){
        .items = { { .role = PP_STR("guard") }, { .role = PP_STR("predictor") } }, .count = 2
    };
    start_channel(0);
    assert_ok(cvm_pair(SOCK_STREAM, late));
    assert_ok(cvm_pair(SOCK_STREAM, behind));
    int gateway = connect_gateway();
    open_and_ask(gateway, &d);
    say_open(CVM_BACKEND_GUARD);
    hear_ask(CVM_BACKEND_GUARD);
    read_exactly(m.worker, heard, sizeof heard); /* it was not waited for */
    answer_ask(CVM_BACKEND_GUARD, late[1]);
    say_open(CVM_BACKEND_PREDICTOR);
    hear_ask(CVM_BACKEND_PREDICTOR);
    answer_ask(CVM_BACKEND_PREDICTOR, behind[1]);
    assert_true(can_read(behind[0], WAIT_MS)); /* the frame that opens */
    assert_false(can_read(late[0], 0));
    pp_ratls_client_free(d.client);
    backends.count = 0;
    for (int i = 0; i < 2; i++) {
        close(late[i]);
        close(behind[i]);
    }
    close(gateway);
}

/* --- connections ----------------------------------------------------------------------------- */

static void assert_closed(int fd)
{
    uint8_t byte;

    assert_true(can_read(fd, WAIT_MS));
    ssize_t n = read(fd, &byte, 1);
    assert_true(n == 0 || (n < 0 && errno == ECONNRESET)); /* with a byte of ours on its way */
    close(fd);
}

/* Bytes that trickle in do not move the deadline: the writer is stopped, not the patience. */
static void a_half_frame_is_not_waited_for_for_ever(void **state)
{
    static const uint8_t HALF[] = { PP_FRAME_CLOSE, 0, 0, 0 };
    static const uint8_t LONG[PP_FRAME_HEAD_BYTES] = { PP_FRAME_CONTINUE,
                                                       [PP_FRAME_HEAD_BYTES - 2] = 0x40 };
    static const uint8_t SID[PP_SID_BYTES] = { 1 };

    (void)state;
    config->frame_ms = 300;
    start_channel(0);
    assert_int_equal(kill(m.channel, SIGSTOP), 0); /* so that what is said first is there at once */
    int silent = connect_gateway(), half = connect_gateway(), trickling = connect_gateway(),
        whole = connect_gateway();
    send_frame(whole, PP_FRAME_CLOSE, 1, SID, PP_STR("")); /* it may idle now */
    send_frame(half, PP_FRAME_CLOSE, 1, SID, PP_STR(""));
    assert_ok(pp_fd_write(half, PP_BYTES(HALF)));
    assert_ok(pp_fd_write(trickling, PP_BYTES(LONG)));
    assert_int_equal(kill(m.channel, SIGCONT), 0);
    assert_int_equal(take_frame(whole).tag, 1);
    assert_int_equal(take_frame(half).tag, 1);
    int is_closed = 0;
    for (int i = 0; i < WAIT_MS / 50 && !is_closed; i++, is_closed = can_read(trickling, 50))
        (void)!send(trickling, "", 1, MSG_NOSIGNAL);
    assert_true(is_closed);
    assert_closed(trickling);
    assert_closed(silent);
    assert_closed(half);
    send_frame(whole, PP_FRAME_CLOSE, 2, SID, PP_STR(""));
    assert_int_equal(take_frame(whole).tag, 2);
    close(whole);
}

/* The waiting sessions of a connection that is closed for idling live on (pp-wire 12). */
static void a_connection_without_frames_is_closed_in_the_end(void **state)
{
    static const uint8_t NOBODY[PP_SID_BYTES] = { 1 };
    struct device d;

    (void)state;
    start_channel(0);
    int gateway = connect_gateway();
    open_whole(gateway, 1, &d);
    config->idle_ms = 300; /* from the next frame on */
    send_frame(gateway, PP_FRAME_CLOSE, 2, NOBODY, PP_STR(""));
    assert_int_equal(take_frame(gateway).tag, 2);
    assert_closed(gateway);
    gateway = connect_gateway();
    send_frame(gateway, PP_FRAME_CONTINUE, 2, d.sid, PP_STR("no TLS"));
    assert_int_equal(take_frame(gateway).bytes.len, PP_RATLS_ALERT_BYTES);
    pp_ratls_client_free(d.client);
    close(gateway);
}

#define WITH_CHANNEL(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    WITH_CHANNEL(a_connection_that_closes_leaves_the_sessions_of_others_in_the_queue),
    WITH_CHANNEL(a_session_that_ends_while_answers_wait_for_room_takes_none_with_it),
    WITH_CHANNEL(w16_an_answer_of_a_worker_has_the_length_of_a_bucket_or_is_none),
    WITH_CHANNEL(a_worker_calls_nobody_whom_its_sessions_evidence_does_not_name),
    WITH_CHANNEL(an_answer_of_the_host_that_comes_too_late_spoils_no_other),
    WITH_CHANNEL(a_half_frame_is_not_waited_for_for_ever),
    WITH_CHANNEL(a_connection_without_frames_is_closed_in_the_end),
};

PP_TEST_MAIN(tests)
