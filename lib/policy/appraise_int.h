/* SPDX-License-Identifier: Apache-2.0 */
/*
 * appraise_int.h: an appraisal on its way, and the table of platforms behind it.
 *
 * appraise.c holds the order; platform_*.c know one kind of machine each; published.c holds what a
 * verifier proved against the ledger, in terms that all platforms share.
 */
#ifndef PP_APPRAISE_INT_H
#define PP_APPRAISE_INT_H

#include "appraise.h"
#include "hash.h"
#include "hosts.h"

/* What a platform's verifier proved of the machine, in the terms of step 12. */
struct appraise_machine {
    uint8_t measurement[PP_SHA384_BYTES];
    uint8_t report_data[PP_REPORT_DATA_BYTES];
    uint8_t host_id[PP_HOST_ID_BYTES];
};

struct appraise_platform;

struct appraise {
    const struct pp_trust *trust;
    const struct pp_ledger *ledger;
    const struct pp_marks *marks;
    enum pp_record_role role;
    enum pp_end end; /* whose Evidence it is */
    struct pp_checks *checks;
    struct pp_problem *problem;

    const struct appraise_platform *platform;
    struct pp_evidence evidence;
    uint8_t config_digest[PP_SHA256_BYTES];
    struct appraise_machine machine;
    const struct pp_release *release;
    struct pp_snp_result snp; /* of the one platform that ran */
    struct pp_tdx_result tdx;
};

/*
 * One kind of machine. `verify` is steps 9 to 11: chain, binding, state of the machine; it fills
 * `machine`. `published` is the part of step 12 that is the platform's own: is what runs there one
 * of the release's rows, and is the machine what the release asks for.
 */
struct appraise_platform {
    enum pp_host_platform host;
    size_t endorsements;           /* certificates in Evidence, exactly */
    const char *endorsement_words; /* "one chip certificate" */
    enum pp_code binding_code, config_code;
    pp_res (*verify)(struct appraise *a, const uint8_t report_data[PP_REPORT_DATA_BYTES]);
    pp_res (*published)(struct appraise *a);
};

extern const struct appraise_platform APPRAISE_SNP, APPRAISE_TDX;

/*
 * Steps 8 to 12 over Evidence and the values of its session; fills `a`. Of a client end it asks
 * neither for a message key, which it has none of, nor for what its release does not say: the
 * host-set and back-ends (peer.h).
 */
PP_MUST pp_res appraise_run(struct appraise *a, struct pp_span cbor,
                            const struct pp_ratls_session *session);

/*
 * The end of step 11 (component_gpu.c): a release that names GPUs wants the evidence of one, and
 * one that names none wants none. Needs `release`. GPU_*.
 */
PP_MUST pp_res appraise_gpu(struct appraise *a);

/* Step 12 (published.c). */
PP_MUST pp_res appraise_find_release(struct appraise *a); /* `release`, or a refusal; no row */
void appraise_release(const struct appraise *a);          /* its row */
PP_MUST pp_res appraise_config(struct appraise *a);
PP_MUST pp_res appraise_host(struct appraise *a);
PP_MUST pp_res appraise_backends(struct appraise *a);

/* --- words and rows (appraise.c) -------------------------------------------------------------- */

PP_MUST pp_res appraise_refuse(const struct appraise *a, enum pp_code code, const char *field,
                               const char *expected, struct pp_span got);
PP_MUST pp_res appraise_refuse_hex(const struct appraise *a, enum pp_code code, const char *field,
                                   struct pp_span expected, struct pp_span got);
void appraise_proven(const struct appraise *a, enum pp_step step, enum pp_code code,
                     const char *what, struct pp_span anchor, struct pp_span value);

/* The step that a verifier's check belongs to, and its sentence. */
struct appraise_row {
    enum pp_step step;
    const char *what;
};

/* A verifier's verdict: `count` rows, of which `words[n]` speaks of check n. */
struct appraise_verdict {
    const struct pp_attest_check *rows;
    size_t count;
    const struct appraise_row *words;
    uint32_t skip;     /* what the policy left out: a row that passed may have looked at half */
    uint32_t may_skip; /* PP_ATTEST_BIT of each check that need not have run */
};

/*
 * Adds the rows to the list, step by step, and holds the verdict `r` of the verifier against them:
 * its refusal is handed on with the words of the failing row; its success counts only when every
 * check passed, or is one of `may_skip`. The code of a check that was skipped is the row's own.
 */
PP_MUST pp_res appraise_conclude(const struct appraise *a, const struct appraise_verdict *v,
                                 pp_res r);

/*
 * Holds the machine against the advisory file, whatever the platform's policy asked. ADVISORY.
 * appraise_name gives a refusal that was decided already the name of the advisory behind it.
 */
PP_MUST pp_res appraise_advisories(const struct appraise *a, const struct pp_advisory_facts *facts);
PP_MUST pp_res appraise_open_to(const struct appraise *a,
                                const struct pp_advisory_facts *facts); /* without a row */
void appraise_name(const struct appraise *a, const struct pp_advisory_facts *facts, pp_res r);

#endif
