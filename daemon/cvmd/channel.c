/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The channel: frames of gateways and TLS of devices. It sees the sealed request and the sealed
 * answer and can open neither; it can have reports made for its own sessions and for nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "calls.h"
#include "crypto.h"
#include "ct.h"
#include "cvm.h"
#include "frame.h"
#include "ipc.h"
#include "message.h"
#include "net.h"
#include "packets.h"
#include "ratls.h"
#include "rd.h"
#include "seal.h"
#include "sessions.h"
#include "sizes.h"
#include "wr.h"

enum {
    CONNECTION_OUT_BYTES = 4 << 20,
    FRAME_BYTES = PP_FRAME_HEAD_BYTES + PP_FRAME_ANSWER_BYTES_MAX,
    /* The request, and before it a client's Evidence; or a flight and an answer of a back-end. */
    WORKER_OUT_BYTES = 2 * CVM_WORD_HEAD_BYTES + CVM_PEER_WORD_BYTES + CVM_SEALED_REQUEST_BYTES_MAX,
    WORKER_IN_BYTES = CVM_WORD_HEAD_BYTES + PP_FRAME_PEER_BYTES_MAX,
    SWEEP_MS = 250, /* how exactly sessions end; a `continue` looks at the clock itself */
};

/* A gateway's connection. */
struct connection {
    struct channel *channel;
    struct pp_stream *stream; /* NULL: this one is free */
    struct pp_frame_rd reader;
    uint8_t *reader_buf;
    int in_frame;            /* 1: the deadline is that of a frame */
    struct cvm_queue unsent; /* sessions whose answer waits for room */
};

struct idle_worker {
    uint32_t slot, generation;
    int fd;
};

struct channel {
    const struct cvm_config *config;
    struct pp_loop *loop;
    struct pp_clock clock;
    struct pp_random random;
    struct pp_ratls_ctx *tls;
    struct pp_stream_server *server;
    int attester_fd, supervisor_fd, way_fd;
    struct cvm_calls *calls;
    struct pp_watch *attester_watch, *supervisor_watch;
    struct pp_timer *sweep;
    uint32_t sweep_is_set;
    struct cvm_sessions sessions;
    struct cvm_queue without_worker;
    struct cvm_queue unasked; /* have one, and the attester's queue was full */
    struct idle_worker idle[CVM_WORKERS_MAX];
    size_t idle_count;
    uint32_t taken;        /* workers that got a session, since the start */
    uint32_t taken_untold; /* 1: the supervisor's queue was full when it changed */
    struct connection connections[CVM_CONNECTIONS_MAX];
    uint8_t frame[FRAME_BYTES];
    uint8_t request[CVM_SEALED_REQUEST_BYTES_MAX];
    uint8_t packet[CVM_EVIDENCE_PACKET_BYTES];
    pp_res end;
};

/* Something without which nothing can be served: the process ends, and with it the machine. */
static void stop(struct channel *c, pp_res why)
{
    if (pp_is_ok(c->end))
        c->end = why;
    pp_loop_stop(c->loop);
}

static uint64_t now(const struct channel *c)
{
    return pp_clock_mono_ms(&c->clock);
}

/* --- ending sessions ------------------------------------------------------------------------- */

/* A session that a worker opened with a back-end and did not end: nobody waits for it any more. */
static void end_call(struct channel *c, struct cvm_session *s)
{
    struct pp_frame f = { .kind = PP_FRAME_CLOSE };

    if (s->call != CVM_CALL_OPEN && s->call != CVM_CALL_SENT)
        return;
    memcpy(f.sid, s->call_sid, sizeof f.sid);
    pp_ignore(cvm_calls_send(c->calls, s->call_to, &f), "it ends by itself after its 30 s");
}

static void end_session(struct channel *c, struct cvm_session *s)
{
    end_call(c, s);
    s->call = CVM_CALL_NONE;
    cvm_queue_leave(s);
    pp_timer_free(s->release);
    pp_stream_free(s->worker); /* its end of the stream closes, and the worker ends */
    cvm_close(&s->worker_fd);
    pp_ratls_server_free(s->tls);
    cvm_session_end(&c->sessions, s);
}

/* --- frames out ------------------------------------------------------------------------------ */

/* One frame, or BUSY when the connection has no room for it now. */
static pp_res write_frame(struct connection *k, enum pp_frame_st st, uint32_t tag,
                          const uint8_t *sid, struct pp_span bytes)
{
    struct channel *c = k->channel;
    struct pp_wr wr = pp_wr_over(c->frame, sizeof c->frame);
    struct pp_frame f = { .kind = (uint8_t)st, .tag = tag, .bytes = bytes };

    if (sid != NULL)
        memcpy(f.sid, sid, sizeof f.sid);
    PP_TRY(pp_frame_write(&wr, PP_FRAME_ANSWERS, &f));
    return pp_stream_write(k->stream, pp_wr_done(&wr));
}

/* Small answers that belong to no session. A connection too full for 25 bytes is of no use. */
static void write_short(struct connection *k, enum pp_frame_st st, uint32_t tag,
                        const uint8_t *sid);

static void close_connection(struct connection *k)
{
    struct channel *c = k->channel;

    for (uint32_t i = 0; i < c->sessions.count_max; i++) {
        struct cvm_session *s = &c->sessions.slots[i];
        if (s->state == CVM_FREE || s->connection != k)
            continue;
        end_session(c, s); /* nobody can be told; waiting sessions have no connection */
    }
    pp_stream_free(k->stream);
    k->stream = NULL;
}

static void write_short(struct connection *k, enum pp_frame_st st, uint32_t tag, const uint8_t *sid)
{
    if (!pp_is_ok(write_frame(k, st, tag, sid, (struct pp_span){ 0 })))
        close_connection(k);
}

/* Writes what a session has for its client; 1 when it is out and the session went on or ended, and
 * waits for room no more. */
static int try_send(struct channel *c, struct cvm_session *s)
{
    uint8_t bytes[PP_FRAME_ANSWER_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    struct connection *k = s->connection;

    if (!pp_stream_fits(k->stream, PP_FRAME_HEAD_BYTES + pp_ratls_server_pending(s->tls)))
        return 0;
    pp_res r = pp_ratls_server_take(s->tls, &wr);
    if (pp_is_ok(r))
        r = write_frame(k, PP_FRAME_LAST, s->tag, s->sid, pp_wr_done(&wr));
    if (!pp_is_ok(r)) {
        end_session(c, s);
        return 1;
    }
    cvm_queue_leave(s);
    s->connection = NULL;
    if (s->state == CVM_OPENING)
        cvm_session_wait(s, now(c) + (uint64_t)c->config->session_s * 1000);
    else
        end_session(c, s);
    return 1;
}

static void send_unsent(struct connection *k)
{
    while (k->stream != NULL && k->unsent.first != NULL)
        if (!try_send(k->channel, k->unsent.first))
            return;
}

static void send_now(void *ctx)
{
    struct cvm_session *s = ctx;
    struct connection *k = s->connection;

    cvm_queue_join(&k->unsent, s);
    send_unsent(k);
}

/* The loop's timers count from the beginning of its turn and may be early by what the turn took,
 * which an answer's moment must not show. */
static void on_release(void *ctx)
{
    struct cvm_session *s = ctx;
    uint64_t now_ms = now(s->connection->channel);

    if (now_ms < s->release_ms)
        pp_timer_set(s->release, (uint32_t)(s->release_ms - now_ms));
    else
        send_now(s);
}

/* pp-wire 3: answers leave on a grid that counts from the start of their exchange. */
static void send_on_grid(struct channel *c, struct cvm_session *s)
{
    uint32_t grid = c->config->grid_ms;
    uint64_t now_ms = now(c);

    if (grid == 0) {
        send_now(s);
        return;
    }
    if (s->release == NULL && !pp_is_ok(pp_timer_new(c->loop, on_release, s, &s->release))) {
        end_session(c, s);
        return;
    }
    s->release_ms = now_ms + grid - (now_ms - s->started_ms) % grid;
    pp_timer_set(s->release, (uint32_t)(s->release_ms - now_ms));
}

/* A session that got no worker or no Evidence: its opener is told to try elsewhere. */
static void refuse_opening(struct channel *c, struct cvm_session *s)
{
    struct connection *k = s->connection;
    uint32_t tag = s->tag;

    end_session(c, s);
    if (k != NULL && k->stream != NULL)
        write_short(k, PP_FRAME_BUSY, tag, NULL);
}

/* --- the attester ---------------------------------------------------------------------------- */

static pp_res ask_attester(struct channel *c, struct cvm_session *s)
{
    uint8_t packet[CVM_ATTEST_PACKET_BYTES];
    struct pp_wr wr = pp_wr_over(packet, sizeof packet);
    struct cvm_opening opening = { .session = { s->slot, s->generation },
                                   .worker = { s->worker_slot, s->worker_generation } };

    PP_TRY(pp_ratls_server_session(s->tls, &opening.tls));
    cvm_opening_write(&wr, &opening);
    pp_res r = pp_wr_ok(&wr);
    if (pp_is_ok(r))
        r = cvm_send(c->attester_fd, pp_wr_done(&wr), -1);
    pp_wipe(packet, sizeof packet);
    pp_wipe(&opening, sizeof opening);
    return r;
}

/* How many workers got a session: the supervisor makes as many new ones. A sum, so that one message
 * makes up for those before it that found no room. */
static void tell_taken(struct channel *c)
{
    uint8_t packet[5];
    struct pp_wr wr = pp_wr_over(packet, sizeof packet);

    pp_wr_u8(&wr, CVM_CHANNEL_TAKEN);
    pp_wr_u32(&wr, c->taken);
    pp_res r = cvm_send(c->supervisor_fd, pp_wr_done(&wr), -1);
    c->taken_untold = r.code == PP_E_BUSY;
    if (!pp_is_ok(r) && r.code != PP_E_BUSY)
        stop(c, r);
}

/* Asks for the Evidence of a session that has its worker. */
static void start_attesting(struct channel *c, struct cvm_session *s)
{
    pp_res r = ask_attester(c, s);

    if (r.code == PP_E_BUSY)
        cvm_queue_join(&c->unasked, s);
    else if (!pp_is_ok(r))
        refuse_opening(c, s);
}

static void give_workers(struct channel *c)
{
    uint32_t before = c->taken;

    while (c->without_worker.first != NULL && c->idle_count > 0) {
        struct cvm_session *s = c->without_worker.first;
        const struct idle_worker w = c->idle[--c->idle_count];
        cvm_queue_leave(s);
        s->worker_slot = w.slot;
        s->worker_generation = w.generation;
        s->worker_fd = w.fd;
        c->taken++;
        start_attesting(c, s);
    }
    if (c->taken != before || c->taken_untold)
        tell_taken(c);
}

/* A refusal may close its connection and with it end any other session: nothing is kept across. */
static void ask_again(struct channel *c)
{
    while (c->unasked.first != NULL) {
        struct cvm_session *s = c->unasked.first;
        pp_res r = ask_attester(c, s);
        if (r.code == PP_E_BUSY)
            return;
        cvm_queue_leave(s);
        if (!pp_is_ok(r))
            refuse_opening(c, s);
    }
}

/*
 * Which back-ends the session's Evidence names. The device reads the same list, refuses one that
 * its status does not allow, and lets its request name no other: so what is not here no worker has
 * any business with.
 */
static uint32_t named_in(struct pp_span body)
{
    static const char *const NAMES[CVM_BACKENDS] = {
        [CVM_BACKEND_GUARD] = "guard", [CVM_BACKEND_PREDICTOR] = "predictor"
    };
    struct pp_evidence e;
    struct pp_span cbor;
    uint32_t named = 0;

    if (!pp_is_ok(pp_evidence_body_parse(body, &cbor)) ||
        !pp_is_ok(pp_evidence_parse(cbor, PP_END_SERVER, &e)))
        return 0;
    for (size_t i = 0; i < e.backends.count; i++)
        for (unsigned to = 0; to < CVM_BACKENDS; to++)
            if (pp_span_eq(e.backends.items[i].role, pp_span_cstr(NAMES[to])))
                named |= 1U << to;
    return named;
}

static void on_evidence(struct channel *c, struct pp_span packet)
{
    struct pp_rd rd = pp_rd_span(packet);
    uint32_t slot = pp_rd_u32(&rd);
    uint32_t generation = pp_rd_u32(&rd);
    uint8_t is_there = pp_rd_u8(&rd);
    struct pp_span body = pp_rd_rest(&rd);
    struct cvm_session *s = cvm_session_at(&c->sessions, slot, generation);

    if (s == NULL || s->state != CVM_OPENING)
        return; /* it ended meanwhile */
    if (is_there != 1 || !pp_is_ok(pp_ratls_server_evidence(s->tls, body))) {
        refuse_opening(c, s);
        return;
    }
    s->named = named_in(body);
    send_on_grid(c, s);
}

static void on_attester(void *ctx, uint32_t ready)
{
    struct channel *c = ctx;
    size_t len = 0;

    (void)ready;
    for (;;) {
        pp_res r = cvm_recv(c->attester_fd, c->packet, sizeof c->packet, &len, NULL);
        if (r.code == PP_E_BUSY)
            break;
        if (!pp_is_ok(r)) {
            stop(c, r);
            return;
        }
        on_evidence(c, pp_span(c->packet, len));
    }
    ask_again(c);
}

/* --- the supervisor -------------------------------------------------------------------------- */

static pp_res take_worker(struct channel *c)
{
    uint8_t packet[8];
    size_t len = 0;
    int fd = -1;

    PP_TRY(cvm_recv(c->supervisor_fd, packet, sizeof packet, &len, &fd));
    struct pp_rd rd = pp_rd_over(packet, len);
    struct idle_worker w = { .slot = pp_rd_u32(&rd), .generation = pp_rd_u32(&rd), .fd = fd };
    if (!pp_is_ok(pp_rd_end(&rd)) || fd < 0 || c->idle_count == CVM_WORKERS_MAX) {
        cvm_close(&fd);
        return PP_FAIL(PP_E_FORMAT, len);
    }
    c->idle[c->idle_count++] = w;
    return PP_OK;
}

static void on_supervisor(void *ctx, uint32_t ready)
{
    struct channel *c = ctx;

    (void)ready;
    for (;;) {
        pp_res r = take_worker(c);
        if (r.code == PP_E_BUSY)
            break;
        if (!pp_is_ok(r)) {
            stop(c, r);
            return;
        }
    }
    give_workers(c);
}

/* --- workers --------------------------------------------------------------------------------- */

/* The session has nothing for its client but an end; the frame that carries it has one size. */
static void give_up(struct channel *c, struct cvm_session *s, enum pp_code why)
{
    pp_stream_free(s->worker);
    s->worker = NULL;
    cvm_close(&s->worker_fd);
    pp_ratls_server_close(s->tls, why);
    send_on_grid(c, s);
}

/*
 * A worker has read what a user wrote, and may do as that text says. The length of its answer is
 * seen from outside, so it is one of five, or the worker counts as broken.
 */
static int is_answer_len(uint32_t len)
{
    for (size_t kib = 1; kib <= PP_BUCKET_2_DOWN_KIB_MAX; kib *= 2)
        if (len == pp_answer_room(kib) + PP_SEALED_RESPONSE_EXTRA)
            return 1;
    return 0;
}

/* Words for the worker. Its stream has room for all that one session can have for it at a time. */
static void tell_worker(struct channel *c, struct cvm_session *s, enum cvm_word word,
                        struct pp_span bytes)
{
    uint8_t head[CVM_WORD_HEAD_BYTES];
    struct pp_wr wr = pp_wr_over(head, sizeof head);

    pp_wr_u32(&wr, (uint32_t)word << 24 | (uint32_t)bytes.len);
    pp_res r = pp_stream_write(s->worker, pp_wr_done(&wr));
    if (pp_is_ok(r) && bytes.len > 0)
        r = pp_stream_write(s->worker, bytes);
    if (!pp_is_ok(r))
        give_up(c, s, PP_E_ANSWER_FAILED);
}

/* --- back-ends ------------------------------------------------------------------------------- */

/* A frame's tag says whose it is; slots have 12 bits. */
_Static_assert((int)CVM_SESSIONS_MAX <= 1 << 12, "a slot fits its bits of a tag");

static uint32_t tag_of(const struct cvm_session *s)
{
    return s->slot | s->generation << 12;
}

static struct cvm_session *session_of_tag(struct channel *c, uint32_t tag)
{
    uint32_t slot = tag & 0xfff;

    if (slot >= c->sessions.count_max)
        return NULL;
    struct cvm_session *s = &c->sessions.slots[slot];
    return s->state == CVM_RUNNING && tag_of(s) == tag && s->worker != NULL ? s : NULL;
}

/* Without an answer: the worker decides what that means for its own. */
static void fail_call(struct channel *c, struct cvm_session *s)
{
    enum cvm_word word = s->call == CVM_CALL_SENT ? CVM_WORD_SEND : CVM_WORD_OPEN;

    s->call = CVM_CALL_NONE;
    tell_worker(c, s, word, (struct pp_span){ 0 });
}

static void on_call_answered(void *ctx, enum cvm_backend from, const struct pp_frame *frame)
{
    struct channel *c = ctx;
    struct cvm_session *s = session_of_tag(c, frame->tag);

    if (s == NULL || s->call_to != from ||
        (s->call != CVM_CALL_OPENING && s->call != CVM_CALL_SENT))
        return; /* to nothing that is asked now */
    if (frame->kind != PP_FRAME_LAST || frame->bytes.len == 0) {
        fail_call(c, s);
    } else if (s->call == CVM_CALL_OPENING) {
        memcpy(s->call_sid, frame->sid, sizeof s->call_sid);
        s->call = CVM_CALL_OPEN;
        tell_worker(c, s, CVM_WORD_OPEN, frame->bytes);
    } else {
        s->call = CVM_CALL_NONE;
        tell_worker(c, s, CVM_WORD_SEND, frame->bytes);
    }
}

static void on_call_lost(void *ctx, enum cvm_backend from)
{
    struct channel *c = ctx;

    for (uint32_t i = 0; i < c->sessions.count_max; i++) {
        struct cvm_session *s = &c->sessions.slots[i];
        if (s->state == CVM_RUNNING && s->worker != NULL && s->call_to == from &&
            (s->call == CVM_CALL_OPENING || s->call == CVM_CALL_SENT))
            fail_call(c, s);
    }
}

/* What is sent to a back-end has one of two lengths, which follow from the request's own bucket. */
static int is_send_len(const struct channel *c, const struct cvm_session *s, size_t len)
{
    size_t extra = pp_sealed_request_extra(c->config->message_kem);
    size_t enc = pp_kem_info(c->config->message_kem)->enc_len;
    size_t kibs[] = { 0, PP_PEER_JUDGE_KIB }, room;

    if (s->sealed_len < extra || !pp_is_ok(pp_peer_bucket(s->sealed_len - extra, enc, &kibs[0])))
        return 0;
    for (size_t i = 0; i < PP_ARRAY_COUNT(kibs); i++)
        if (pp_is_ok(pp_request_room(kibs[i], PP_PEER_OUTER_ENC_BYTES, enc, &room)) &&
            len == pp_ratls_attested_bytes(PP_MESSAGE_HEAD_BYTES + room + extra))
            return 1;
    return 0;
}

static void open_call(struct channel *c, struct cvm_session *s, struct pp_span said)
{
    struct pp_rd rd = pp_rd_span(said);
    uint8_t to = pp_rd_u8(&rd);
    struct pp_frame f = { .kind = PP_FRAME_OPEN, .tag = tag_of(s), .bytes = pp_rd_rest(&rd) };

    if (to >= CVM_BACKENDS || (s->named >> to & 1) == 0) {
        give_up(c, s, PP_E_ANSWER_FAILED);
        return;
    }
    s->calls++;
    s->call = CVM_CALL_OPENING;
    s->call_to = (enum cvm_backend)to;
    if (!pp_is_ok(cvm_calls_send(c->calls, s->call_to, &f)))
        fail_call(c, s);
}

static void send_call(struct channel *c, struct cvm_session *s, struct pp_span said)
{
    struct pp_frame f = { .kind = PP_FRAME_CONTINUE, .tag = tag_of(s), .bytes = said };

    memcpy(f.sid, s->call_sid, sizeof f.sid);
    s->call = CVM_CALL_SENT;
    if (!pp_is_ok(cvm_calls_send(c->calls, s->call_to, &f)))
        fail_call(c, s);
}

/* --- what workers say ------------------------------------------------------------------------ */

/* The client's Evidence is in order: what waits behind it is read, and given to the same worker. */
static void admit(struct channel *c, struct cvm_session *s)
{
    struct pp_span sealed;

    s->peer_waits = 0;
    pp_ratls_server_request_buffer(s->tls, c->request, sizeof c->request);
    pp_res r = pp_ratls_server_admit(s->tls);
    if (pp_is_ok(r))
        r = pp_ratls_server_request(s->tls, &sealed);
    if (pp_is_ok(r))
        tell_worker(c, s, CVM_WORD_SEALED, sealed);
    else
        give_up(c, s, PP_E_MESSAGE_ORDER);
}

/*
 * A worker has read what a user wrote, and may do as that text says. So what it can say is a closed
 * list of words and lengths, each in its place, and anything else counts as a broken worker.
 */
static int may_say(const struct channel *c, const struct cvm_session *s, uint32_t word,
                   uint32_t len)
{
    switch (word) {
    case CVM_WORD_SEALED:
        return !s->peer_waits && is_answer_len(len);
    case CVM_WORD_OPEN:
        return c->config->role == PP_RECORD_ORCHESTRATOR && s->call == CVM_CALL_NONE &&
               s->named != 0 && s->calls < CVM_CALLS_MAX && len == CVM_OPEN_WORD_BYTES;
    case CVM_WORD_SEND:
        return s->call == CVM_CALL_OPEN && is_send_len(c, s, len);
    case CVM_WORD_PEER:
        return s->peer_waits && len == 0;
    default:
        return 0;
    }
}

static void take_answer(struct channel *c, struct cvm_session *s, struct pp_span answer)
{
    if (!pp_is_ok(pp_ratls_server_answer(s->tls, answer))) {
        give_up(c, s, PP_E_ANSWER_FAILED);
        return;
    }
    pp_stream_free(s->worker);
    s->worker = NULL;
    send_on_grid(c, s);
}

static void take_word(struct channel *c, struct cvm_session *s, uint32_t word, struct pp_span said)
{
    switch (word) {
    case CVM_WORD_SEALED:
        take_answer(c, s, said);
        return;
    case CVM_WORD_OPEN:
        open_call(c, s, said);
        return;
    case CVM_WORD_SEND:
        send_call(c, s, said);
        return;
    default:
        admit(c, s);
        return;
    }
}

static void on_worker_bytes(void *ctx, struct pp_stream *stream)
{
    struct cvm_session *s = ctx;
    struct channel *c = s->connection->channel;
    struct pp_span input = pp_stream_input(stream);
    struct pp_rd rd = pp_rd_span(input);
    uint32_t head = pp_rd_u32(&rd);
    uint32_t word = head >> 24, len = head & CVM_WORD_BYTES_MAX;

    if (rd.failed != PP_E_OK)
        return; /* not whole yet */
    /* It says one thing and then waits; a word behind a word has no place. */
    if (!may_say(c, s, word, len) || rd.left > len) {
        give_up(c, s, PP_E_ANSWER_FAILED);
        return;
    }
    if (rd.left < len)
        return;
    take_word(c, s, word, pp_rd_rest(&rd));
    if (s->worker == stream) /* the session lives on */
        pp_stream_consume(stream, CVM_WORD_HEAD_BYTES + len);
}

static void on_worker_ended(void *ctx, struct pp_stream *stream, pp_res why)
{
    struct cvm_session *s = ctx;

    (void)stream;
    pp_ignore(why, "a worker that ends without an answer has one reason for the client");
    give_up(s->connection->channel, s, PP_E_ANSWER_FAILED);
}

static pp_res take_worker_stream(struct channel *c, struct cvm_session *s)
{
    const struct pp_stream_config config = {
        .in_bytes_max = WORKER_IN_BYTES,
        .out_bytes_max = WORKER_OUT_BYTES,
        .readable = on_worker_bytes,
        .ended = on_worker_ended,
        .ctx = s,
    };

    PP_TRY(pp_stream_take(c->loop, s->worker_fd, &config, &s->worker));
    s->worker_fd = -1; /* the stream's now */
    return PP_OK;
}

/* To the worker: the request; or first the client's Evidence, which decides whether it is read. */
static pp_res give_request(struct channel *c, struct cvm_session *s)
{
    static uint8_t word[CVM_PEER_WORD_BYTES];
    struct pp_wr wr = pp_wr_over(word, sizeof word);
    struct pp_ratls_session session;
    struct pp_span body;

    if (pp_ratls_server_state(s->tls) != PP_SERVER_PEER) {
        PP_TRY(pp_ratls_server_request(s->tls, &body));
        PP_TRY(take_worker_stream(c, s));
        s->sealed_len = body.len;
        tell_worker(c, s, CVM_WORD_SEALED, body);
        return PP_OK;
    }
    PP_TRY(pp_ratls_server_peer(s->tls, &body, &session));
    pp_res r = take_worker_stream(c, s);
    if (!pp_is_ok(r)) {
        pp_wipe(&session, sizeof session);
        return r;
    }
    pp_wr_span(&wr, PP_BYTES(session.spki));
    pp_wr_span(&wr, PP_BYTES(session.ekm));
    pp_wr_span(&wr, body);
    s->peer_waits = 1;
    tell_worker(c, s, CVM_WORD_PEER, pp_wr_done(&wr));
    pp_wipe(word, sizeof word);
    pp_wipe(&session, sizeof session);
    return PP_OK;
}

/* --- frames in ------------------------------------------------------------------------------- */

static void set_sweep(struct channel *c)
{
    if (c->sweep_is_set || c->sessions.used == 0)
        return;
    c->sweep_is_set = 1;
    pp_timer_set(c->sweep, SWEEP_MS);
}

static void on_open(struct connection *k, const struct pp_frame *f)
{
    struct channel *c = k->channel;
    struct cvm_session *s;

    pp_res r = cvm_session_new(&c->sessions, &c->random, now(c) + c->config->opening_ms, &s);
    if (!pp_is_ok(r)) {
        write_short(k, PP_FRAME_BUSY, f->tag, NULL);
        return;
    }
    s->connection = k;
    s->tag = f->tag;
    s->started_ms = now(c);
    r = cvm_is_backend(c->config) ? pp_ratls_server_new_mutual(c->tls, &c->random, &s->tls)
                                  : pp_ratls_server_new(c->tls, &c->random, &s->tls);
    if (pp_is_ok(r))
        r = pp_ratls_server_feed(s->tls, f->bytes);
    if (!pp_is_ok(r) || pp_ratls_server_state(s->tls) != PP_SERVER_EVIDENCE) {
        /* No ClientHello of ours: the gateway's client made it, and gets an empty end. */
        uint32_t tag = s->tag;
        uint8_t sid[PP_SID_BYTES];
        memcpy(sid, s->sid, sizeof sid);
        end_session(c, s);
        write_short(k, PP_FRAME_LAST, tag, sid);
        return;
    }
    set_sweep(c);
    cvm_queue_join(&c->without_worker, s);
    give_workers(c);
}

static void on_continue(struct connection *k, const struct pp_frame *f)
{
    struct channel *c = k->channel;
    struct cvm_session *s;

    if (!pp_is_ok(
            cvm_session_continue(&c->sessions, f->sid, now(c), now(c) + CVM_RUNNING_MS, &s))) {
        write_short(k, PP_FRAME_GONE, f->tag, f->sid);
        return;
    }
    s->connection = k;
    s->tag = f->tag;
    s->started_ms = now(c);
    pp_ratls_server_request_buffer(s->tls, c->request, sizeof c->request);
    pp_res r = pp_ratls_server_feed(s->tls, f->bytes);
    if (pp_is_ok(r))
        r = give_request(c, s);
    if (!pp_is_ok(r))
        give_up(c, s, PP_E_MESSAGE_ORDER);
}

static void on_close(struct connection *k, const struct pp_frame *f)
{
    struct channel *c = k->channel;
    struct cvm_session *s = cvm_session_by_sid(&c->sessions, f->sid);

    if (s != NULL) {
        struct connection *owner = s->connection;
        uint32_t tag = s->tag;
        end_session(c, s);
        if (owner != NULL && owner->stream != NULL)
            write_short(owner, PP_FRAME_GONE, tag, f->sid); /* its own request is answered too */
    }
    if (k->stream != NULL)
        write_short(k, PP_FRAME_LAST, f->tag, f->sid);
}

static void on_frame(struct connection *k, const struct pp_frame *f)
{
    switch (f->kind) {
    case PP_FRAME_OPEN:
        on_open(k, f);
        return;
    case PP_FRAME_CONTINUE:
        on_continue(k, f);
        return;
    default:
        on_close(k, f);
        return;
    }
}

/*
 * A connection is one of 64, and who can reach the port could hold them all for nothing. So a frame
 * that began has a deadline, which its bytes do not move, and a connection on which nothing begins
 * is closed as well, long after any session on it. The first frame counts as begun.
 */
static void set_deadline(struct connection *k, int any_frame)
{
    const struct cvm_config *config = k->channel->config;
    int in_frame = k->reader.have > 0 || (k->in_frame && !any_frame);

    if (!in_frame)
        pp_stream_deadline(k->stream, config->idle_ms);
    else if (any_frame || !k->in_frame)
        pp_stream_deadline(k->stream, config->frame_ms);
    k->in_frame = in_frame;
}

static void on_readable(void *ctx, struct pp_stream *stream)
{
    struct connection *k = ctx;
    const struct pp_frame *frame;
    int any_frame = 0;

    do {
        struct pp_span input = pp_stream_input(stream);
        struct pp_span left = input;
        frame = NULL;
        pp_res r = pp_frame_feed(&k->reader, &left, &frame);
        pp_stream_consume(stream, input.len - left.len);
        if (!pp_is_ok(r)) {
            close_connection(k); /* frames have no borders to find again */
            return;
        }
        any_frame |= frame != NULL;
        if (frame != NULL)
            on_frame(k, frame);
    } while (frame != NULL && k->stream == stream);
    if (k->stream == stream)
        set_deadline(k, any_frame);
}

static void on_drained(void *ctx, struct pp_stream *stream)
{
    (void)stream;
    send_unsent(ctx);
}

static void on_ended(void *ctx, struct pp_stream *stream, pp_res why)
{
    (void)stream;
    pp_ignore(why, "however it ended: waiting sessions live on, running ones end");
    close_connection(ctx);
}

/* Whom a machine serves, gateways or other machines, is its role. */
static size_t frame_bytes_max(const struct channel *c)
{
    return cvm_is_backend(c->config) ? PP_FRAME_PEER_BYTES_MAX : PP_FRAME_REQUEST_BYTES_MAX;
}

static int on_accepted(void *ctx, struct pp_stream *stream)
{
    struct channel *c = ctx;

    for (size_t i = 0; i < CVM_CONNECTIONS_MAX; i++) {
        struct connection *k = &c->connections[i];
        if (k->stream != NULL)
            continue;
        if (k->reader_buf == NULL)
            k->reader_buf = malloc(frame_bytes_max(c));
        if (k->reader_buf == NULL)
            return 0;
        *k = (struct connection){ .channel = c, .stream = stream, .reader_buf = k->reader_buf };
        pp_frame_rd_init(&k->reader,
                         cvm_is_backend(c->config) ? PP_FRAME_PEER_REQUESTS : PP_FRAME_REQUESTS,
                         k->reader_buf, frame_bytes_max(c));
        pp_stream_set_ctx(stream, k);
        k->in_frame = 1;
        pp_stream_deadline(stream, c->config->frame_ms);
        return 1;
    }
    return 0;
}

/* --- time ------------------------------------------------------------------------------------ */

static void on_sweep(void *ctx)
{
    struct channel *c = ctx;
    struct cvm_session *s;

    c->sweep_is_set = 0;
    if (c->taken_untold)
        tell_taken(c);
    while ((s = cvm_session_due(&c->sessions, now(c))) != NULL) {
        if (s->state == CVM_OPENING)
            refuse_opening(c, s);
        else if (s->state == CVM_WAITING || s->worker == NULL)
            end_session(c, s);
        else {
            s->deadline_ms = UINT64_MAX; /* the answer that ends it is on its way */
            give_up(c, s, PP_E_TIMEOUT);
        }
    }
    set_sweep(c);
}

/* --- start ----------------------------------------------------------------------------------- */

static pp_res set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    PP_CHECK(flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0, PP_E_SYSTEM, errno);
    return PP_OK;
}

static pp_res watch(struct channel *c, int fd, void (*fire)(void *ctx, uint32_t ready),
                    struct pp_watch **ret)
{
    PP_TRY(set_nonblocking(fd));
    PP_TRY(pp_watch_new(c->loop, fd, fire, c, ret));
    pp_watch_set(*ret, PP_WATCH_READ);
    return PP_OK;
}

static pp_res start(struct channel *c, int listen_fd)
{
    static const uint8_t LISTENING[] = { CVM_CHANNEL_LISTENING };
    static struct pp_listener listener = { .is_open = 1 };
    const struct pp_stream_server_config config = {
        .stream = { .in_bytes_max = PP_FRAME_HEAD_BYTES + frame_bytes_max(c),
                    .out_bytes_max = CONNECTION_OUT_BYTES,
                    .readable = on_readable,
                    .drained = on_drained,
                    .ended = on_ended },
        .connections_max = CVM_CONNECTIONS_MAX,
        .accepted = on_accepted,
        .ctx = c,
    };

    const struct cvm_calls_user user = { .answered = on_call_answered,
                                         .lost = on_call_lost,
                                         .ctx = c };

    listener.fd = listen_fd;
    PP_TRY(pp_ratls_ctx_new(PP_END_SERVER, &c->tls));
    PP_TRY(cvm_sessions_init(&c->sessions, c->config->sessions_max));
    PP_TRY(pp_loop_new(&c->loop));
    PP_TRY(cvm_calls_new(c->loop, c->way_fd, c->config, &user, &c->calls));
    PP_TRY(pp_timer_new(c->loop, on_sweep, c, &c->sweep));
    PP_TRY(watch(c, c->attester_fd, on_attester, &c->attester_watch));
    PP_TRY(watch(c, c->supervisor_fd, on_supervisor, &c->supervisor_watch));
    PP_TRY(set_nonblocking(listen_fd));
    PP_TRY(pp_stream_server_new(c->loop, &listener, &config, &c->server));
    PP_TRY(cvm_send(c->supervisor_fd, PP_BYTES(LISTENING), -1));
    return pp_loop_run(c->loop);
}

int cvm_channel_main(const struct cvm_config *config, int listen_fd, int attester_fd,
                     int supervisor_fd, int way_fd)
{
    struct channel *c = calloc(1, sizeof *c);

    if (c == NULL)
        return EXIT_FAILURE;
    c->config = config;
    c->clock = pp_clock_system();
    c->random = pp_random_system();
    c->attester_fd = attester_fd;
    c->supervisor_fd = supervisor_fd;
    c->way_fd = way_fd;
    pp_ignore(start(c, listen_fd), "the channel ends with the machine, whatever the reason");
    pp_wipe(c, sizeof *c);
    return EXIT_FAILURE;
}
