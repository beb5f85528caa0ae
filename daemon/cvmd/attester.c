/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attester: alone has reports made, and has no call that reports on bytes of a caller. It gets
 * the server key and the exporter value from the channel and the message key from the worker
 * itself, computes the binding values and their tree, and builds Evidence. Which end a session is
 * of follows from the socket that asks: the channel's sessions are servers, a worker's own are
 * clients of back-ends, and no byte of a packet says otherwise.
 *
 * Nothing here waits for the device: while a report is made, sessions queue, and when it is there
 * the next one is asked for before the Evidence of this one goes out.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "batch.h"
#include "ct.h"
#include "cvm.h"
#include "gpu_evidence.h"
#include "hints.h"
#include "ipc.h"
#include "kem.h"
#include "own_report.h"
#include "packets.h"
#include "sp.h"
#include "wr.h"

enum {
    KEY_PACKET_BYTES_MAX = 2 + PP_KEM_PK_BYTES_MAX,
    EVENTS_A_TURN = 64,
    DELIVERIES_A_TURN = 16, /* then the sockets are looked at again */
    START_MS = 25000, /* the first report, or GPU evidence; the supervisor waits 30 s for all */
    CHANNEL_S = 10,   /* for the channel to take a packet */
};

/* What the attester knows of a slot's worker. */
enum worker_state {
    WORKER_NONE,
    WORKER_NEW,     /* no session has it */
    WORKER_OPENING, /* its session waits for its key or for a report */
    WORKER_SERVING, /* it has its binding value; it may ask as a client */
    WORKER_CALLING, /* it asked as a client, and waits */
};

struct worker {
    enum worker_state state;
    uint32_t generation;
    int fd;
    uint32_t calls; /* asks as a client so far */
    uint8_t message_key[KEY_PACKET_BYTES_MAX];
    size_t message_key_len; /* 0: not here yet */
    /* Of its session, for as long as it is WORKER_OPENING. */
    struct cvm_name session;
    struct pp_ratls_session tls;
};

struct attester {
    const struct cvm_config *config;
    struct pp_clock clock;
    struct pp_random random;
    int device_fd, channel_fd, supervisor_fd, epoll_fd;
    struct worker workers[CVM_WORKERS_MAX];
    struct cvm_line openers, callers;
    struct cvm_batch batches[2];
    struct cvm_batch *asked;    /* a report for it is being made */
    struct cvm_batch *answered; /* it has its report, and goes out; count 0: none */
    int in_flight;              /* the device owes an answer: */
    int in_flight_gpu;          /* 1: about its GPU; 0: a report */
    uint64_t asked_ms;
    struct cvm_gpu gpu;
    uint64_t gpu_asked_ms[2]; /* when each of its evidence was asked for */
    size_t delivered;         /* of `answered` */
    struct pp_span report;
    struct pp_sp_answer device;
    struct pp_hints hints;
    uint8_t device_answer[PP_SP_ANSWER_BYTES_MAX];
    uint8_t evidence_packet[CVM_EVIDENCE_PACKET_BYTES];
};

/* --- what is watched ------------------------------------------------------------------------- */

/* No worker has such a slot. */
#define WATCH_SUPERVISOR (UINT64_MAX - 0)
#define WATCH_CHANNEL    (UINT64_MAX - 1)
#define WATCH_DEVICE     (UINT64_MAX - 2)

static pp_res watch(struct attester *a, int fd, uint64_t what)
{
    struct epoll_event e = { .events = EPOLLIN, .data.u64 = what };

    PP_CHECK(epoll_ctl(a->epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0, PP_E_SYSTEM, errno);
    return PP_OK;
}

/* --- workers --------------------------------------------------------------------------------- */

static struct worker *worker_of(struct attester *a, struct cvm_name n)
{
    if (n.slot >= CVM_WORKERS_MAX)
        return NULL;
    struct worker *w = &a->workers[n.slot];
    return w->state != WORKER_NONE && w->generation == n.generation ? w : NULL;
}

static pp_res tell_channel(struct attester *a, struct cvm_name session, struct pp_span body)
{
    struct pp_wr wr = pp_wr_over(a->evidence_packet, sizeof a->evidence_packet);

    cvm_name_write(&wr, session);
    pp_wr_u8(&wr, body.len > 0);
    pp_wr_span(&wr, body);
    PP_TRY(pp_wr_ok(&wr));
    return cvm_send(a->channel_fd, pp_wr_done(&wr), -1);
}

/* The end of a worker for us; a session that waited for it is told to go. */
static pp_res drop_worker(struct attester *a, struct worker *w)
{
    struct cvm_name session = w->session;
    int opening = w->state == WORKER_OPENING;

    cvm_close(&w->fd); /* which ends the watch as well */
    pp_wipe(w, sizeof *w);
    w->fd = -1;
    return opening ? tell_channel(a, session, (struct pp_span){ 0 }) : PP_OK;
}

static pp_res take_worker(struct attester *a, struct pp_span packet, int *fd)
{
    struct cvm_name n;

    PP_TRY(cvm_name_parse(packet, &n));
    PP_CHECK(n.slot < CVM_WORKERS_MAX && *fd >= 0, PP_E_FORMAT, n.slot);
    struct worker *w = &a->workers[n.slot];
    PP_TRY(drop_worker(a, w)); /* the one before it has ended */
    w->state = WORKER_NEW;
    w->generation = n.generation;
    w->fd = *fd;
    *fd = -1;
    return watch(a, w->fd, (uint64_t)n.slot << 32 | n.generation);
}

/* The supervisor tells us of a worker before it tells the channel; so what waits there comes
 * first. */
static pp_res take_workers(struct attester *a)
{
    uint8_t packet[8];
    size_t len = 0;

    for (;;) {
        int fd = -1;
        pp_res r = cvm_try_recv(a->supervisor_fd, packet, sizeof packet, &len, &fd);
        if (r.code == PP_E_BUSY)
            return PP_OK;
        if (pp_is_ok(r))
            r = take_worker(a, pp_span(packet, len), &fd);
        cvm_close(&fd);
        PP_TRY(r);
    }
}

/* --- binding values -------------------------------------------------------------------------- */

/* Which GPU evidence a session is bound to from now on; without a GPU zeros. */
static uint32_t take_gpu_digest(const struct attester *a, struct pp_binding_input *in)
{
    memcpy(in->gpu_digest, a->gpu.evidence[a->gpu.now].digest, sizeof in->gpu_digest);
    return a->gpu.now;
}

/* A session joins those that wait, as soon as its worker's key is here. */
static pp_res join_openers(struct attester *a, struct worker *w, uint32_t slot)
{
    struct pp_binding_input in = { .end = PP_END_SERVER, .spki = PP_BYTES(w->tls.spki) };
    struct cvm_ask ask = { .slot = slot, .generation = w->generation };

    memcpy(in.ekm, w->tls.ekm, sizeof in.ekm);
    memcpy(in.config_digest, a->config->digest, sizeof in.config_digest);
    pp_sha256(pp_span(w->message_key, w->message_key_len), in.message_key_digest);
    ask.gpu = take_gpu_digest(a, &in);
    pp_res r = pp_binding_of(&in, ask.binding);
    if (pp_is_ok(r))
        r = cvm_line_join(&a->openers, &ask);
    pp_wipe(&in, sizeof in);
    pp_wipe(&w->tls, sizeof w->tls);
    return pp_is_ok(r) ? PP_OK : drop_worker(a, w);
}

/* The same for a session of the worker's own, in which it is the client and has no message key. */
static pp_res join_callers(struct attester *a, struct worker *w, uint32_t slot,
                           struct pp_span packet)
{
    struct pp_ratls_session tls;
    struct pp_binding_input in = { .end = PP_END_CLIENT, .spki = PP_BYTES(tls.spki) };
    struct cvm_ask ask = { .slot = slot, .generation = w->generation };

    PP_CHECK(w->calls < CVM_CALLS_MAX, PP_E_LIMIT, w->calls);
    PP_TRY(cvm_call_parse(packet, &tls));
    memcpy(in.ekm, tls.ekm, sizeof in.ekm);
    pp_wipe(tls.ekm, sizeof tls.ekm);
    memcpy(in.config_digest, a->config->digest, sizeof in.config_digest);
    ask.gpu = take_gpu_digest(a, &in);
    pp_res r = pp_binding_of(&in, ask.binding);
    if (pp_is_ok(r))
        r = cvm_line_join(&a->callers, &ask);
    pp_wipe(&in, sizeof in);
    PP_TRY(r);
    w->calls++;
    w->state = WORKER_CALLING;
    return PP_OK;
}

/* What a worker may say: its key, once; and when it serves, one call at a time. */
static pp_res take_from_worker(struct attester *a, struct worker *w, uint32_t slot)
{
    uint8_t packet[KEY_PACKET_BYTES_MAX];
    size_t len = 0;

    pp_res r = cvm_try_recv(w->fd, packet, sizeof packet, &len, NULL);
    if (r.code == PP_E_BUSY)
        return PP_OK;
    if (pp_is_ok(r) && w->message_key_len == 0) {
        memcpy(w->message_key, packet, len);
        w->message_key_len = len;
        return w->state == WORKER_OPENING ? join_openers(a, w, slot) : PP_OK;
    }
    if (pp_is_ok(r) && w->state == WORKER_SERVING)
        r = join_callers(a, w, slot, pp_span(packet, len));
    else if (pp_is_ok(r))
        r = PP_FAIL(PP_E_STATE, w->state);
    pp_wipe(packet, sizeof packet);
    return pp_is_ok(r) ? PP_OK : drop_worker(a, w);
}

/* --- sessions of the channel ----------------------------------------------------------------- */

/* The worker that a session names is then this session's and nobody else's. */
static pp_res take_session(struct attester *a, struct pp_span packet)
{
    struct cvm_opening o;

    PP_TRY(cvm_opening_parse(packet, &o));
    PP_TRY(take_workers(a));
    struct worker *w = worker_of(a, o.worker);
    if (w == NULL || w->state != WORKER_NEW) {
        pp_wipe(&o.tls, sizeof o.tls);
        return tell_channel(a, o.session, (struct pp_span){ 0 });
    }
    w->state = WORKER_OPENING;
    w->session = o.session;
    w->tls = o.tls;
    pp_wipe(&o.tls, sizeof o.tls);
    if (w->message_key_len > 0)
        return join_openers(a, w, o.worker.slot);
    return take_from_worker(a, w, o.worker.slot);
}

/* All that is queued, as far as one report can cover it; an idle device never waits for more. */
static pp_res take_sessions(struct attester *a)
{
    uint8_t packet[CVM_ATTEST_PACKET_BYTES];
    size_t len = 0;

    for (size_t i = 0; i < PP_BATCH_SIZE_MAX; i++) {
        pp_res r = cvm_try_recv(a->channel_fd, packet, sizeof packet, &len, NULL);
        if (r.code == PP_E_BUSY)
            return PP_OK;
        if (pp_is_ok(r))
            r = take_session(a, pp_span(packet, len));
        pp_wipe(packet, sizeof packet);
        PP_TRY(r);
    }
    return PP_OK;
}

/* --- the device ------------------------------------------------------------------------------ */

static int waits_still(void *ctx, const struct cvm_ask *ask)
{
    struct attester *a = ctx;
    const struct worker *w = worker_of(a, (struct cvm_name){ ask->slot, ask->generation });

    return w != NULL && (w->state == WORKER_OPENING || w->state == WORKER_CALLING);
}

static uint64_t gpu_age_ms(const struct attester *a, uint32_t which)
{
    return pp_clock_mono_ms(&a->clock) - a->gpu_asked_ms[which];
}

/* Until the GPU has to be asked anew. */
static uint64_t gpu_left_ms(const struct attester *a)
{
    uint64_t age = gpu_age_ms(a, a->gpu.now);

    return age >= a->config->gpu_renew_ms ? 0 : a->config->gpu_renew_ms - age;
}

static pp_res ask_gpu(struct attester *a)
{
    uint8_t request[PP_SP_GPU_REQUEST_BYTES];
    struct pp_wr wr = pp_wr_over(request, sizeof request);

    PP_TRY(cvm_gpu_ask(&a->gpu, &a->random, &wr));
    a->asked_ms = pp_clock_mono_ms(&a->clock);
    return cvm_send(a->device_fd, pp_wr_done(&wr), -1);
}

/* A failure ends the machine: what it has would grow older than anybody was promised. */
static pp_res take_gpu(struct attester *a, size_t len)
{
    PP_TRY(cvm_gpu_take(&a->gpu, pp_span(a->device_answer, len)));
    a->gpu_asked_ms[a->gpu.now] = a->asked_ms;
    return PP_OK;
}

/* One report for all that wait (ra-tls 8), whenever the device is free. */
static pp_res ask_device(struct attester *a)
{
    uint8_t request[PP_SP_REQUEST_BYTES];
    struct pp_wr wr = pp_wr_over(request, sizeof request);

    if (a->in_flight)
        return PP_OK;
    if (a->config->has_gpu && gpu_left_ms(a) == 0) {
        a->in_flight = a->in_flight_gpu = 1;
        return ask_gpu(a);
    }
    PP_TRY(cvm_batch_form(a->asked, &a->callers, &a->openers, waits_still, a));
    if (a->asked->count == 0)
        return PP_OK;
    pp_sp_request_write(&wr, a->asked->report_data);
    PP_TRY(cvm_send(a->device_fd, pp_wr_done(&wr), -1));
    a->in_flight = 1;
    a->asked_ms = pp_clock_mono_ms(&a->clock);
    return PP_OK;
}

/* A device's packet holds a report, and it is the one that was asked for. A packet that says
 * "failed" holds none, which is not one either. */
static pp_res judge(struct attester *a, struct pp_span packet)
{
    PP_TRY(pp_sp_answer_parse(packet, &a->device));
    return cvm_own_report(a->config->platform, a->device.report, a->answered->report_data,
                          a->config->digest, &a->report);
}

/* No Evidence for this one: never a session without (ra-tls 8), it is busy. */
static pp_res refuse(struct attester *a, const struct cvm_ask *ask)
{
    static const uint8_t NONE[] = { 0 };
    struct worker *w = worker_of(a, (struct cvm_name){ ask->slot, ask->generation });

    if (w == NULL)
        return PP_OK;
    if (w->state == WORKER_OPENING)
        return drop_worker(a, w);
    w->state = WORKER_SERVING;
    return pp_is_ok(cvm_try_send(w->fd, PP_BYTES(NONE))) ? PP_OK : drop_worker(a, w);
}

/* Only when the batch before has gone out, so that one buffer is enough for what devices say. */
static pp_res take_answer(struct attester *a)
{
    size_t len = 0;

    if (a->answered->count > 0)
        return PP_OK;
    pp_res r = cvm_try_recv(a->device_fd, a->device_answer, sizeof a->device_answer, &len, NULL);
    if (r.code == PP_E_BUSY)
        return PP_OK;
    PP_TRY(r);
    PP_CHECK(a->in_flight, PP_E_STATE, len); /* an answer that nobody asked for */
    if (a->in_flight_gpu) {
        a->in_flight = a->in_flight_gpu = 0;
        return take_gpu(a, len);
    }
    struct cvm_batch *free_one = a->answered;
    a->answered = a->asked;
    a->asked = free_one;
    a->in_flight = 0;
    a->delivered = 0;
    r = judge(a, pp_span(a->device_answer, len));
    if (pp_is_ok(r))
        r = pp_hints_parse(a->device.hints, &a->hints);
    if (pp_is_ok(r))
        return PP_OK;
    for (size_t i = 0; i < a->answered->count; i++)
        PP_TRY(refuse(a, &a->answered->asks[i]));
    a->answered->count = 0;
    return PP_OK;
}

/* --- Evidence -------------------------------------------------------------------------------- */

static pp_res evidence_of(const struct attester *a, size_t i, const struct worker *w,
                          struct pp_wr *wr)
{
    const struct cvm_gpu_evidence *gpu = &a->gpu.evidence[a->answered->asks[i].gpu];
    struct pp_evidence e = {
        .platform = a->config->platform,
        .report = a->report,
        .endorsement_count = a->hints.endorsement_count,
        .gpu_encoding = pp_span(gpu->bytes, gpu->len),
        .config = a->config->bytes,
        .batch = a->answered->paths[i],
        .backends = a->hints.backends,
        .host_count = a->hints.host_count,
    };

    /* Who joined late and waited for a device that takes its time has what is too old by now. */
    if (a->config->has_gpu)
        PP_CHECK(gpu_age_ms(a, a->answered->asks[i].gpu) < a->config->gpu_life_ms, PP_E_TIMEOUT, i);
    if (w->state == WORKER_OPENING)
        e.message_key = pp_span(w->message_key, w->message_key_len);
    for (size_t n = 0; n < a->hints.endorsement_count; n++)
        e.endorsements[n] = a->hints.endorsements[n];
    if (a->device.endorsement.len > 0) { /* it came with the report, so it is of the same key */
        e.endorsements[0] = a->device.endorsement;
        e.endorsement_count = 1;
    }
    memcpy(e.release_id, a->hints.release_id, sizeof e.release_id);
    memcpy(e.hosts, a->hints.hosts, sizeof e.hosts);
    return pp_evidence_body_write(wr, &e);
}

/* The worker gets its binding value before the session's first flight can leave. */
static pp_res deliver_session(struct attester *a, size_t i, struct worker *w)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES];
    static uint8_t told[CVM_BINDING_PACKET_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(body, sizeof body);
    struct pp_wr told_wr = pp_wr_over(told, sizeof told);
    const struct cvm_ask *ask = &a->answered->asks[i];

    pp_wr_span(&told_wr, PP_BYTES(ask->binding));
    if (a->config->has_gpu)
        pp_wr_span(&told_wr, PP_BYTES(a->gpu.evidence[ask->gpu].digest));
    pp_wr_span(&told_wr, a->device.hints);
    if (!pp_is_ok(pp_wr_ok(&told_wr)) || !pp_is_ok(evidence_of(a, i, w, &wr)) ||
        !pp_is_ok(cvm_try_send(w->fd, pp_wr_done(&told_wr))))
        return refuse(a, ask);
    w->state = WORKER_SERVING;
    return tell_channel(a, w->session, pp_wr_done(&wr));
}

static pp_res deliver_call(struct attester *a, size_t i, struct worker *w)
{
    static uint8_t packet[CVM_CALL_ANSWER_BYTES];
    struct pp_wr wr = pp_wr_over(packet, sizeof packet);

    pp_wr_u8(&wr, 1);
    if (!pp_is_ok(evidence_of(a, i, w, &wr)))
        return refuse(a, &a->answered->asks[i]);
    w->state = WORKER_SERVING;
    return pp_is_ok(cvm_try_send(w->fd, pp_wr_done(&wr))) ? PP_OK : drop_worker(a, w);
}

/* A few, so that a large batch does not keep others from being taken. */
static pp_res deliver_some(struct attester *a)
{
    struct cvm_batch *b = a->answered;

    for (size_t n = 0; n < DELIVERIES_A_TURN && a->delivered < b->count; n++) {
        size_t i = a->delivered++;
        struct worker *w = worker_of(a,
                                     (struct cvm_name){ b->asks[i].slot, b->asks[i].generation });
        if (w == NULL)
            continue; /* it ended meanwhile */
        PP_TRY(w->state == WORKER_OPENING ? deliver_session(a, i, w) : deliver_call(a, i, w));
    }
    if (a->delivered == b->count)
        b->count = 0;
    return PP_OK;
}

/* --- the loop -------------------------------------------------------------------------------- */

static pp_res take_event(struct attester *a, uint64_t what)
{
    switch (what) {
    case WATCH_SUPERVISOR:
        return take_workers(a);
    case WATCH_CHANNEL:
        return take_sessions(a);
    case WATCH_DEVICE:
        return take_answer(a);
    default:
        break;
    }
    const struct cvm_name n = { (uint32_t)(what >> 32), (uint32_t)what };
    struct worker *w = worker_of(a, n); /* it may have gone in this very turn */
    return w == NULL ? PP_OK : take_from_worker(a, w, n.slot);
}

static pp_res turn(struct attester *a)
{
    struct epoll_event events[EVENTS_A_TURN];
    int idle_ms = a->config->has_gpu ? (int)gpu_left_ms(a) : -1;
    int wait_ms = a->answered->count > 0 ? 0 : a->in_flight ? (int)a->config->device_ms : idle_ms;
    int count = epoll_wait(a->epoll_fd, events, EVENTS_A_TURN, wait_ms);

    PP_CHECK(count >= 0 || errno == EINTR, PP_E_SYSTEM, errno);
    for (int i = 0; i < count; i++)
        PP_TRY(take_event(a, events[i].data.u64));
    PP_TRY(ask_device(a));
    PP_TRY(deliver_some(a));
    if (a->in_flight && a->answered->count == 0)
        PP_CHECK(pp_clock_mono_ms(&a->clock) - a->asked_ms < a->config->device_ms, PP_E_TIMEOUT, 0);
    return PP_OK;
}

/*
 * Before anything is served: the configuration that this process holds is the one that was
 * measured. The value asked for is constant and no binding value (those are hashes). The host may
 * have no hints yet.
 */
static pp_res check_configuration(struct attester *a)
{
    uint8_t request[PP_SP_REQUEST_BYTES];
    struct pp_wr wr = pp_wr_over(request, sizeof request);
    size_t len = 0;

    pp_sp_request_write(&wr, a->answered->report_data); /* zeros */
    PP_TRY(cvm_send(a->device_fd, pp_wr_done(&wr), -1));
    PP_TRY(cvm_wait(a->device_fd, START_MS));
    PP_TRY(cvm_recv(a->device_fd, a->device_answer, sizeof a->device_answer, &len, NULL));
    return judge(a, pp_span(a->device_answer, len));
}

/* The first GPU evidence; without, nothing is served. */
static pp_res check_gpu(struct attester *a)
{
    size_t len = 0;

    if (!a->config->has_gpu)
        return PP_OK;
    PP_TRY(ask_gpu(a));
    PP_TRY(cvm_wait(a->device_fd, START_MS));
    PP_TRY(cvm_recv(a->device_fd, a->device_answer, sizeof a->device_answer, &len, NULL));
    return take_gpu(a, len);
}

static pp_res serve(struct attester *a)
{
    static const uint8_t READY[] = { CVM_ATTESTER_READY };
    const struct timeval patience = { .tv_sec = CHANNEL_S };

    PP_TRY(check_configuration(a));
    PP_TRY(check_gpu(a));
    /* A channel that takes nothing any more ends the machine, not only itself. */
    if (setsockopt(a->channel_fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0)
        return PP_FAIL(PP_E_SYSTEM, errno);
    a->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    PP_CHECK(a->epoll_fd >= 0, PP_E_SYSTEM, errno);
    PP_TRY(watch(a, a->supervisor_fd, WATCH_SUPERVISOR));
    PP_TRY(watch(a, a->channel_fd, WATCH_CHANNEL));
    PP_TRY(watch(a, a->device_fd, WATCH_DEVICE));
    PP_TRY(cvm_send(a->supervisor_fd, PP_BYTES(READY), -1));
    for (;;)
        PP_TRY(turn(a));
}

int cvm_attester_main(const struct cvm_config *c, int device_fd, int channel_fd, int supervisor_fd)
{
    struct attester *a = calloc(1, sizeof *a);

    if (a == NULL)
        return EXIT_FAILURE;
    a->config = c;
    a->clock = pp_clock_system();
    a->random = pp_random_system();
    a->device_fd = device_fd;
    a->channel_fd = channel_fd;
    a->supervisor_fd = supervisor_fd;
    a->asked = &a->batches[0];
    a->answered = &a->batches[1];
    for (size_t i = 0; i < CVM_WORKERS_MAX; i++)
        a->workers[i].fd = -1;
    pp_res r = serve(a);
    pp_wipe(a, sizeof *a);
    free(a);
    /* Whatever the reason: without an attester the machine stops. The code says which. */
    return r.code == PP_E_SNP_HOST_DATA ? CVM_ATTESTER_UNMEASURED : EXIT_FAILURE;
}
