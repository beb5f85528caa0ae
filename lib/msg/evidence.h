/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence.h: what the confidential VM says about itself (pp-wire 7), and the message of fixed size
 * that carries it (pp-wire 6).
 *
 * This is the shape alone: nothing in here is verified. Reports, certificates and paths are checked
 * by lib/attest, lib/tlog and lib/policy; the binding value is computed by lib/ratls.
 */
#ifndef PP_EVIDENCE_H
#define PP_EVIDENCE_H

#include "backend.h"
#include "rd.h"
#include "wr.h"

enum {
    PP_EVIDENCE_BODY_BYTES = 28672, /* u32 n || CBOR(n) || zeros */
    PP_EVIDENCE_BYTES_MAX = PP_EVIDENCE_BODY_BYTES - 4,
    PP_EVIDENCE_CONFIG_BYTES_MAX = 4096,
    PP_EVIDENCE_REPORT_BYTES_MAX = 16384,
    PP_EVIDENCE_CERT_BYTES_MAX = 4096,
    PP_EVIDENCE_ENDORSEMENT_MAX = 1,   /* the VCEK */
    PP_EVIDENCE_GPU_CERT_MAX = 6,      /* certificates, and OCSP answers, of one GPU */
    PP_EVIDENCE_OCSP_BYTES_MAX = 5120, /* of all answers together */
    PP_EVIDENCE_KEY_BYTES_MIN = 32,    /* public key behind the KEM id */
    PP_EVIDENCE_KEY_BYTES_MAX = 1216,
    PP_BATCH_SIZE_MIN = 2,
    PP_BATCH_SIZE_MAX = 1024, /* sessions that share one report */
    PP_BATCH_PATH_MAX = 10,
    PP_HOST_PATH_MAX = 24, /* a host-set of up to 2^24 machines */
    PP_HOST_PATHS_MAX = 2, /* the current host-set, then the one before */
    PP_HASH_NODE_BYTES = 32,
};

/* Which end of a session made the Evidence; the byte stands in the binding value (ra-tls 5). */
enum pp_end { PP_END_SERVER = 's', PP_END_CLIENT = 'c' };

/* Key 1. The simulated platforms have the real ones' bytes under another root; release builds
 * refuse their names as unknown. */
enum pp_platform {
    PP_PLATFORM_SEV_SNP = 1,
    PP_PLATFORM_TDX = 2,
    PP_PLATFORM_SIM_SNP = 3,
    PP_PLATFORM_SIM_TDX = 4,
};

const char *pp_platform_name(enum pp_platform p);                            /* "sev-snp" */
PP_MUST pp_res pp_platform_find(struct pp_span name, enum pp_platform *ret); /* UNSUPPORTED */
int pp_platform_is_snp(enum pp_platform p); /* 1 for sev-snp and sim-snp, else 0 */
int pp_platform_is_simulated(enum pp_platform p);

/* Key 4, one entry. */
struct pp_evidence_gpu {
    uint8_t fresh[32];
    struct pp_span report;
    struct pp_span certs[PP_EVIDENCE_GPU_CERT_MAX]; /* DER, leaf first, root left out */
    size_t cert_count;
    struct pp_span ocsp[PP_EVIDENCE_GPU_CERT_MAX]; /* in the order of the certificates */
    size_t ocsp_count;
};

/* Key 10: this session's place in the tree of a shared report. */
struct pp_batch_path {
    uint32_t size;  /* PP_BATCH_SIZE_MIN..PP_BATCH_SIZE_MAX; 0: not batched */
    uint32_t index; /* leaf number from 0 */
    uint8_t nodes[PP_BATCH_PATH_MAX][PP_HASH_NODE_BYTES];
    size_t node_count;
};

/* Key 12, one entry: this machine's place in a published host-set. */
struct pp_host_path {
    uint8_t record_id[PP_RECORD_ID_BYTES];
    uint32_t size;  /* machines in the set, 1..2^24 */
    uint32_t index; /* leaf number from 0 */
    uint8_t nodes[PP_HOST_PATH_MAX][PP_HASH_NODE_BYTES];
    size_t node_count;
};

struct pp_evidence {
    enum pp_platform platform;
    struct pp_span report;                                    /* report or quote */
    struct pp_span endorsements[PP_EVIDENCE_ENDORSEMENT_MAX]; /* VCEK DER for SNP, none for TDX */
    size_t endorsement_count;
    struct pp_span gpu_encoding; /* key 4's whole encoding, head included; empty without GPU */
    struct pp_evidence_gpu gpu;  /* what stands in it */
    uint8_t release_id[PP_RECORD_ID_BYTES];
    struct pp_span config;      /* exactly as measured, at most 4096 bytes */
    struct pp_span message_key; /* key 9's content; empty in Evidence of a client end */
    uint16_t message_kem;       /* its first two bytes */
    struct pp_span message_pk;  /* and the rest */
    struct pp_batch_path batch;
    struct pp_backends backends;
    struct pp_host_path hosts[PP_HOST_PATHS_MAX];
    size_t host_count;
};

/*
 * Reads one Evidence map, completely. `end` is who made it: the message key is mandatory for a
 * server end and refused from a client end. `*ret` borrows from `cbor`. Allocates nothing; any
 * thread. Fails as cbor.h says; UNSUPPORTED (version; platform), UNKNOWN_FIELD, MISSING, ORDER
 * (back-ends out of order), LIMIT (OCSP answers).
 */
PP_MUST pp_res pp_evidence_parse(struct pp_span cbor, enum pp_end end, struct pp_evidence *ret);

/*
 * Writes the map of `e`: `gpu_encoding` and `message_key` as they stand, the other GPU and key
 * fields are ignored. NO_SPACE; RANGE for a count above its limit. The result reads back with
 * parse.
 */
PP_MUST pp_res pp_evidence_write(struct pp_wr *wr, const struct pp_evidence *e);

/* Key 4's value for one GPU, as `gpu_encoding` wants it. NO_SPACE; RANGE (a count). */
PP_MUST pp_res pp_evidence_gpu_write(struct pp_wr *wr, const struct pp_evidence_gpu *gpu);

/* The body of message 1: exactly PP_EVIDENCE_BODY_BYTES. RANGE (another size, or n past the end),
 * ENCODING (padding that is not zero). `*ret_cbor` borrows from `body`. */
PP_MUST pp_res pp_evidence_body_parse(struct pp_span body, struct pp_span *ret_cbor);
PP_MUST pp_res pp_evidence_body_write(struct pp_wr *wr, const struct pp_evidence *e);

#endif
