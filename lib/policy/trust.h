/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust.h: the pinned trust anchors of a device (pp-wire 10): what it believes before it has heard
 * anybody. Compiled into release builds; the files of STATE/trust in development.
 *
 * Everything that a verification compares with comes from here or from what these keys have signed.
 */
#ifndef PP_TRUST_H
#define PP_TRUST_H

#include "check.h"
#include "evidence.h"
#include "hardware.h"
#include "kv.h"
#include "problem.h"
#include "quorum.h"
#include "record.h"
#include "result.h"
#include "span.h"

enum {
    PP_TRUST_LOG_KEYS_MAX = 2, /* of the one log: the old one and the next, while they overlap */
    PP_TRUST_RELAYS_MAX = 8,
    PP_TRUST_MIRRORS_MAX = 4,
    PP_TRUST_AUTHORITY_BYTES_MAX = 64,
    PP_TRUST_URL_BYTES_MAX = 512,
    PP_TRUST_FILE_BYTES_MAX = 1 << 16,
    PP_TRUST_REVOKES_MAX = 32, /* revoke notes that come with the app */
};

/* The files as they are; everything parsed from them borrows from these bytes. */
struct pp_trust_files {
    struct pp_span trust;         /* key = value, the table of PP_TRUST_KEYS */
    struct pp_span log_policy;    /* C2SP tlog-policy: the log, its witnesses, the quorum */
    struct pp_span owner_policy;  /* who signs host-sets and keys */
    struct pp_span review_policy; /* who reviews releases */
    struct pp_span ark, ask; /* DER, with simulated platforms; both empty: AMD's, compiled in */
    struct pp_span ca;       /* PEM: who vouches for relays, mirrors and issuer; https needs it */
    struct pp_span tdx_root; /* DER, with simulated TDX platforms; empty: Intel's, compiled in */
    struct pp_span gpu_root, rim_root; /* DER, beside simulated platforms; empty: NVIDIA's */
    struct pp_span revokes; /* signed revoke notes, one behind the other, logged or not; or empty */
};

struct pp_trust {
    enum pp_record_env environment;
    struct pp_span name_space;
    struct pp_span origin; /* of the one log */
    struct pp_span issuer; /* issuer name in token challenges */
    struct pp_span issuer_url;
    struct pp_span gateway_authority;
    struct pp_span relays[PP_TRUST_RELAYS_MAX]; /* URLs of the relay resource; one a session */
    size_t relay_count;
    struct pp_span mirrors[PP_TRUST_MIRRORS_MAX]; /* URLs of the directory bundle */
    size_t mirror_count;
    struct pp_span ca_pem; /* anchors of https; empty: http alone, outside prod */
    int own_root;          /* roots of chips came with the files and are no vendor's */
    uint32_t platforms;    /* bit (1 << enum pp_platform) of each accepted platform */
    uint16_t message_kem;  /* IANA HPKE KEM ids */
    uint16_t ohttp_kem;
    uint64_t batches; /* of 32 tokens, an epoch */
    struct pp_policy log, owner, review;
    struct pp_record_id revoked[PP_TRUST_REVOKES_MAX]; /* what the app's revoke notes name */
    size_t revoked_count;
    struct pp_snp_anchors snp_anchors;
    struct pp_tdx_anchors tdx_anchors;
    struct pp_gpu_anchors gpu_anchors;
    struct pp_hardware hardware;           /* the profile, with tcb_min; without session values */
    uint8_t files_digest[PP_SHA256_BYTES]; /* of all files: what a receipt names */
};

/* What verifications under the anchors proved of certificates and files (tdx_verify.h, rim.h). */
struct pp_kept {
    struct pp_tdx_kept tdx;
    struct pp_rim_kept rims;
};

/*
 * Reads the anchors. Fails with TRUST and fills `problem` (may be NULL); with ENVIRONMENT when this
 * build does not accept the environment: release builds accept prod alone. Refused too: a quorum
 * that one dishonest witness and the log could turn into two histories, fewer than two relays or
 * mirrors in prod, URLs there without https, https anywhere without `ca`, the classical message KEM
 * in prod, one value twice in a list, a simulated platform in prod, and a platform whose root
 * is the other kind's. Call pp_trust_done also after a failure.
 */
PP_MUST pp_res pp_trust_parse(struct pp_trust *t, const struct pp_trust_files *files,
                              struct pp_problem *problem);
void pp_trust_done(struct pp_trust *t); /* zero state is fine */

/*
 * From here on what is proven is kept for later sessions: in the caller's `kept`, which begins in
 * the zero state, is emptied by pp_trust_done and must outlive it. The anchors are then one
 * thread's at a time. After pp_trust_parse.
 */
void pp_trust_keep(struct pp_trust *t, struct pp_kept *kept);

/*
 * Opens a revoke note, logged or not, under the anchors: grammar, type, place, a reviewer's
 * signature. LEDGER_FORMAT. About 20 KiB of stack.
 */
PP_MUST pp_res pp_trust_open_revoke(const struct pp_trust *t, struct pp_span note,
                                    struct pp_record_id *ret_target);

/* The words that --help and docs print for each key. */
extern const struct pp_kv_key PP_TRUST_KEYS[];
extern const size_t PP_TRUST_KEY_COUNT;

#endif
