/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h: the one measured configuration of pp-cvmd (docs/protocol/cvm.md): its SHA-256 stands in
 * HOST_DATA of every report and in the release record. `key = value`, as everywhere; no address, no
 * host name, no secret.
 */
#ifndef CVM_CONFIG_H
#define CVM_CONFIG_H

#include "evidence.h"
#include "infer.h"
#include "kv.h"
#include "peer.h"
#include "problem.h"
#include "record.h"
#include "result.h"
#include "span.h"

enum {
    CVM_SESSIONS_MAX = 4096, /* that wait for their second exchange (pp-wire 4) */
    CVM_SESSION_S_MAX = 30,  /* how long one waits */
    CVM_WORKERS_READY_MAX = 64,
    CVM_GRID_MS = 250,     /* answers leave on this grid; 0 in dev */
    CVM_FRAME_MS = 30000,  /* from a frame's first byte to its last, and to a connection's first */
    CVM_DEVICE_MS = 60000, /* a device that says nothing for so long will not answer any more */
    CVM_IDLE_MS = 600000,  /* without a frame; gateways close theirs after half of it */
    /* GPU evidence lives ten minutes (pp-wire 7): older one is not handed out. It is asked for anew
     * while there is time for a device that takes CVM_DEVICE_MS. */
    CVM_GPU_LIFE_MS = 600000,
    CVM_GPU_RENEW_MS = 540000,
    CVM_CALL_OPEN_MS = 10000, /* how long a worker waits for a back-end's first flight */
    CVM_OPENING_MS = 10000,   /* and a session for a worker and Evidence; then busy */
    CVM_CLIENTS_MAX = 4,      /* releases of orchestrators that a back-end serves */
};

struct cvm_config {
    struct pp_span bytes;      /* exactly as measured; borrowed */
    uint8_t digest[32];        /* SHA-256 of them: HOST_DATA */
    enum pp_record_role role;  /* the command line's pp.role=: no gateway */
    enum pp_platform platform; /* what Evidence says; a verifier believes the chain alone */
    uint16_t message_kem;      /* of workers' message keys */
    const struct pp_infer_engine *engine;
    uint32_t sessions_max;  /* 1..CVM_SESSIONS_MAX; over it: busy */
    uint32_t session_s;     /* 1..CVM_SESSION_S_MAX */
    uint32_t workers_ready; /* idle workers that are kept */
    uint32_t grid_ms;
    /* Constants; tests are less patient, or more. */
    uint32_t frame_ms, idle_ms, device_ms, call_open_ms, opening_ms;
    uint32_t gpu_renew_ms, gpu_life_ms;
    int has_gpu; /* 1: evidence of the machine's GPU goes with every session, or there is none */
    struct pp_peer_roots simulated;               /* of peers' machines; never in a release build */
    struct pp_record_id clients[CVM_CLIENTS_MAX]; /* of a back-end: who may ask it */
    size_t client_count;
    struct pp_span blocked; /* of a guard: words with which nothing passes; borrowed */
};

/*
 * Reads the measured bytes and the measured command line, which is exactly "pp.role=" and one of
 * orchestrator, predictor and guard. CONFIG with the words in `problem`; nothing is defaulted
 * that a verifier would want to know. `*ret` borrows from both.
 */
PP_MUST pp_res cvm_config_parse(struct pp_span bytes, struct pp_span cmdline,
                                struct pp_problem *problem, struct cvm_config *ret);

/* 1 for a machine that serves other confidential VMs, and only those. */
int cvm_is_backend(const struct cvm_config *c);

/* The keys of the configuration, for --help. */
const struct pp_kv_key *cvm_config_keys(size_t *ret_count);

#endif
