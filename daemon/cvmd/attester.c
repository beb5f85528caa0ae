/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attester: alone holds the device, and has no call that reports on bytes of a caller. It gets
 * the server key and the exporter value from the channel and the message key from the worker
 * itself, computes the binding values and their tree, and builds Evidence.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "binding.h"
#include "ct.h"
#include "cvm.h"
#include "hints.h"
#include "ipc.h"
#include "kem.h"
#include "rd.h"
#include "sign.h"
#include "snp.h"
#include "sp.h"
#include "wr.h"

enum {
    KEY_PACKET_BYTES_MAX = 2 + PP_KEM_PK_BYTES_MAX,
    WORKER_KEY_MS = 2000, /* a new worker makes its key in a fraction of this */
    DEVICE_S = 10,
};

/* A slot and its generation, as the channel or the supervisor counts them. */
struct name {
    uint32_t slot, generation;
};

struct idle_worker {
    uint32_t generation;
    int fd; /* -1: none */
};

/* A session that waits for a report. */
struct waiting {
    struct name session;
    int worker_fd;
    uint8_t message_key[KEY_PACKET_BYTES_MAX];
    size_t message_key_len;
};

struct attester {
    const struct cvm_config *config;
    int device_fd, channel_fd, supervisor_fd;
    struct idle_worker workers[CVM_WORKERS_MAX];
    struct waiting waiting[PP_BATCH_SIZE_MAX];
    uint8_t bindings[PP_BATCH_SIZE_MAX][PP_BINDING_BYTES];
    uint8_t scratch[PP_BATCH_SIZE_MAX][PP_HASH_NODE_BYTES];
    struct pp_batch_path paths[PP_BATCH_SIZE_MAX];
    size_t waiting_count;
    uint8_t device_answer[PP_SP_ANSWER_BYTES_MAX];
    uint8_t evidence_packet[CVM_EVIDENCE_PACKET_BYTES];
};

/* --- the device ------------------------------------------------------------------------------ */

/* One report over `report_data`, which is always a value that this file computed. */
static pp_res ask_device(struct attester *a, const uint8_t report_data[PP_REPORT_DATA_BYTES],
                         struct pp_sp_answer *ret)
{
    uint8_t request[PP_SP_REQUEST_BYTES];
    struct pp_wr wr = pp_wr_over(request, sizeof request);
    struct pp_sp_answer answer;
    size_t len = 0;

    pp_sp_request_write(&wr, report_data);
    PP_TRY(cvm_send(a->device_fd, pp_wr_done(&wr), -1));
    PP_TRY(cvm_recv(a->device_fd, a->device_answer, sizeof a->device_answer, &len, NULL));
    PP_TRY(pp_sp_answer_parse(pp_span(a->device_answer, len), &answer));
    PP_CHECK(answer.done, PP_E_BUSY, 0);
    *ret = answer;
    return PP_OK;
}

/*
 * Before anything is served: the configuration that this process holds is the one that was
 * measured. The value asked for is constant and no binding value (those are hashes).
 */
static pp_res check_configuration(struct attester *a)
{
    static const uint8_t NO_SESSION[PP_REPORT_DATA_BYTES];
    const struct timeval patience = { .tv_sec = DEVICE_S };
    struct pp_sp_answer answer;
    struct pp_snp_report report;

    if (setsockopt(a->device_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0)
        return PP_FAIL(PP_E_SYSTEM, errno);
    PP_TRY(ask_device(a, NO_SESSION, &answer));
    PP_CHECK(pp_platform_is_snp(a->config->platform), PP_E_UNSUPPORTED, a->config->platform);
    PP_TRY(pp_snp_report_parse(answer.report, &report, NULL));
    PP_CHECK(memcmp(report.host_data, a->config->digest, sizeof a->config->digest) == 0,
             PP_E_SNP_HOST_DATA, 0);
    return PP_OK;
}

/* --- workers --------------------------------------------------------------------------------- */

static pp_res take_worker(struct attester *a)
{
    uint8_t packet[8];
    size_t len = 0;
    int fd = -1;

    PP_TRY(cvm_recv(a->supervisor_fd, packet, sizeof packet, &len, &fd));
    struct pp_rd rd = pp_rd_over(packet, len);
    uint32_t slot = pp_rd_u32(&rd);
    uint32_t generation = pp_rd_u32(&rd);
    if (!pp_is_ok(pp_rd_end(&rd)) || slot >= CVM_WORKERS_MAX || fd < 0) {
        cvm_close(&fd);
        return PP_FAIL(PP_E_FORMAT, slot);
    }
    cvm_close(&a->workers[slot].fd); /* its worker ended without a session */
    a->workers[slot] = (struct idle_worker){ .generation = generation, .fd = fd };
    return PP_OK;
}

/* The supervisor tells us of a worker before it tells the channel; so what waits there comes
 * first. */
static pp_res take_workers(struct attester *a)
{
    struct pollfd p = { .fd = a->supervisor_fd, .events = POLLIN };

    while (poll(&p, 1, 0) > 0)
        PP_TRY(take_worker(a));
    return PP_OK;
}

/* The message key of a worker, which is then this session's and nobody else's. */
static pp_res claim_worker(struct attester *a, struct name worker, struct waiting *ret)
{
    PP_CHECK(worker.slot < CVM_WORKERS_MAX, PP_E_FORMAT, worker.slot);
    struct idle_worker *w = &a->workers[worker.slot];
    PP_CHECK(w->fd >= 0 && w->generation == worker.generation, PP_E_NOT_FOUND, worker.slot);
    ret->worker_fd = w->fd;
    w->fd = -1;
    PP_TRY(cvm_wait(ret->worker_fd, WORKER_KEY_MS));
    PP_TRY(cvm_recv(ret->worker_fd, ret->message_key, sizeof ret->message_key,
                    &ret->message_key_len, NULL));
    return PP_OK;
}

/* --- sessions -------------------------------------------------------------------------------- */

static pp_res tell_channel(struct attester *a, struct name session, struct pp_span body)
{
    struct pp_wr wr = pp_wr_over(a->evidence_packet, sizeof a->evidence_packet);

    pp_wr_u32(&wr, session.slot);
    pp_wr_u32(&wr, session.generation);
    pp_wr_u8(&wr, body.len > 0);
    pp_wr_span(&wr, body);
    PP_TRY(pp_wr_ok(&wr));
    return cvm_send(a->channel_fd, pp_wr_done(&wr), -1);
}

static struct name name_rd(struct pp_rd *rd)
{
    struct name n;

    n.slot = pp_rd_u32(rd);
    n.generation = pp_rd_u32(rd);
    return n;
}

/* One session of the channel's joins those that wait; one that cannot is told so. */
static pp_res take_session(struct attester *a)
{
    uint8_t packet[CVM_ATTEST_PACKET_BYTES];
    struct pp_binding_input in = { .end = PP_END_SERVER };
    struct waiting *w = &a->waiting[a->waiting_count];
    size_t len = 0;

    PP_TRY(cvm_recv(a->channel_fd, packet, sizeof packet, &len, NULL));
    struct pp_rd rd = pp_rd_over(packet, len);
    *w = (struct waiting){ .session = name_rd(&rd), .worker_fd = -1 };
    struct name worker = name_rd(&rd);
    in.spki = pp_rd_bytes(&rd, PP_P256_SPKI_BYTES);
    pp_rd_copy(&rd, in.ekm, sizeof in.ekm);
    PP_TRY(pp_rd_end(&rd));
    PP_TRY(take_workers(a));

    pp_res r = claim_worker(a, worker, w);
    if (pp_is_ok(r)) {
        memcpy(in.config_digest, a->config->digest, sizeof in.config_digest);
        pp_sha256(pp_span(w->message_key, w->message_key_len), in.message_key_digest);
        r = pp_binding_of(&in, a->bindings[a->waiting_count]);
    }
    pp_wipe(packet, sizeof packet);
    pp_wipe(&in, sizeof in);
    if (!pp_is_ok(r)) {
        cvm_close(&w->worker_fd);
        return tell_channel(a, w->session, (struct pp_span){ 0 });
    }
    a->waiting_count++;
    return PP_OK;
}

static pp_res evidence_of(struct attester *a, size_t i, const struct pp_sp_answer *device,
                          const struct pp_hints *hints, uint8_t body[PP_EVIDENCE_BODY_BYTES])
{
    struct pp_wr wr = pp_wr_over(body, PP_EVIDENCE_BODY_BYTES);
    struct pp_evidence e = {
        .platform = a->config->platform,
        .report = device->report,
        .endorsement_count = hints->endorsement_count,
        .config = a->config->bytes,
        .message_key = pp_span(a->waiting[i].message_key, a->waiting[i].message_key_len),
        .backends = hints->backends,
        .host_count = hints->host_count,
    };

    for (size_t n = 0; n < hints->endorsement_count; n++)
        e.endorsements[n] = hints->endorsements[n];
    memcpy(e.release_id, hints->release_id, sizeof e.release_id);
    memcpy(e.hosts, hints->hosts, sizeof e.hosts);
    if (a->waiting_count > 1)
        e.batch = a->paths[i];
    return pp_evidence_body_write(&wr, &e);
}

/* The worker gets its binding value before the session's first flight can leave. */
static pp_res deliver(struct attester *a, size_t i, const struct pp_sp_answer *device,
                      const struct pp_hints *hints)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES];

    PP_TRY(evidence_of(a, i, device, hints, body));
    PP_TRY(cvm_send(a->waiting[i].worker_fd, PP_BYTES(a->bindings[i]), -1));
    return tell_channel(a, a->waiting[i].session, PP_BYTES(body));
}

static pp_res report_for_all(struct attester *a, struct pp_sp_answer *ret, struct pp_hints *hints)
{
    uint8_t report_data[PP_REPORT_DATA_BYTES];

    if (a->waiting_count == 1)
        memcpy(report_data, a->bindings[0], sizeof report_data);
    else
        PP_TRY(pp_batch_build((const uint8_t(*)[PP_BINDING_BYTES])a->bindings, a->waiting_count,
                              a->scratch, a->paths, report_data));
    PP_TRY(ask_device(a, report_data, ret));
    return pp_hints_parse(ret->hints, hints);
}

/* One report for all that wait (ra-tls 8). Never a session without Evidence: it is told to go. */
static pp_res attest(struct attester *a)
{
    struct pp_sp_answer device;
    struct pp_hints hints;

    pp_res r = report_for_all(a, &device, &hints);
    if (r.code == PP_E_CLOSED)
        return r; /* no device any more */
    for (size_t i = 0; i < a->waiting_count; i++) {
        pp_res one = pp_is_ok(r) ? deliver(a, i, &device, &hints) : r;
        if (!pp_is_ok(one))
            one = tell_channel(a, a->waiting[i].session, (struct pp_span){ 0 });
        cvm_close(&a->waiting[i].worker_fd);
        PP_TRY(one);
    }
    pp_wipe(a->bindings, sizeof a->bindings);
    a->waiting_count = 0;
    return PP_OK;
}

/* --- the loop -------------------------------------------------------------------------------- */

/* Takes what is queued, and no more: an idle device never waits for a batch to fill. */
static pp_res take_sessions(struct attester *a)
{
    struct pollfd p = { .fd = a->channel_fd, .events = POLLIN };

    while (a->waiting_count < PP_BATCH_SIZE_MAX && poll(&p, 1, 0) > 0)
        PP_TRY(take_session(a));
    return PP_OK;
}

static pp_res serve(struct attester *a)
{
    static const uint8_t READY[] = { CVM_ATTESTER_READY };
    struct pollfd p[] = { { .fd = a->supervisor_fd, .events = POLLIN },
                          { .fd = a->channel_fd, .events = POLLIN },
                          { .fd = a->device_fd, .events = 0 } };

    PP_TRY(check_configuration(a));
    PP_TRY(cvm_send(a->supervisor_fd, PP_BYTES(READY), -1));
    for (;;) {
        if (poll(p, PP_ARRAY_COUNT(p), -1) < 0 && errno != EINTR)
            return PP_FAIL(PP_E_SYSTEM, errno);
        PP_CHECK(p[2].revents == 0, PP_E_CLOSED, 2); /* no device, no service */
        PP_TRY(take_workers(a));
        PP_TRY(take_sessions(a));
        if (a->waiting_count > 0)
            PP_TRY(attest(a));
    }
}

int cvm_attester_main(const struct cvm_config *c, int device_fd, int channel_fd, int supervisor_fd)
{
    struct attester *a = calloc(1, sizeof *a);

    if (a == NULL)
        return EXIT_FAILURE;
    a->config = c;
    a->device_fd = device_fd;
    a->channel_fd = channel_fd;
    a->supervisor_fd = supervisor_fd;
    for (size_t i = 0; i < CVM_WORKERS_MAX; i++)
        a->workers[i].fd = -1;
    pp_res r = serve(a);
    pp_wipe(a, sizeof *a);
    free(a);
    /* Whatever the reason: without an attester the machine stops. The code says which. */
    return r.code == PP_E_SNP_HOST_DATA ? CVM_ATTESTER_UNMEASURED : EXIT_FAILURE;
}
