/* SPDX-License-Identifier: Apache-2.0 */
/*
 * appraise.h: the appraisal of Evidence: is the far end of this connection exactly a published
 * program, in a genuine and registered confidential VM, configured as published?
 *
 * pp_appraise starts from "unverified", and its last line is the only one in the tree that makes a
 * struct pp_verified, which everything that sends asks for. A failure has one precise code; nothing
 * overrides it and nothing is tried against other keys.
 */
#ifndef PP_APPRAISE_H
#define PP_APPRAISE_H

#include "check.h"
#include "ledger.h"
#include "ratls.h"
#include "result.h"
#include "snp_verify.h"
#include "trust.h"

/* What was found, whoever asked: a session or a receipt. */
struct pp_appraisal {
    enum pp_platform platform;
    int simulated; /* 1: no hardware stands behind this; said on every result */
    int retains;   /* 1: the release says that its engine keeps state between sessions */
    struct pp_record_id release_id;
    struct pp_record_id host_set_id;
    uint8_t measurement[PP_SNP_MEASUREMENT_BYTES];
    uint8_t report_data[PP_SNP_REPORT_DATA_BYTES];
    uint8_t chip_id[PP_SNP_CHIP_ID_BYTES];
    uint16_t message_kem;
    uint8_t message_pk[PP_EVIDENCE_KEY_BYTES_MAX];
    size_t message_pk_len;
};

/* The right to send one request in one session. Members are private to lib/policy, lib/client. */
struct pp_verified {
    struct pp_appraisal appraisal;
    struct pp_ratls_permit permit;
};

/*
 * Appraises the Evidence of `session` (state PP_CLIENT_EVIDENCE) for exactly one role. `*ret` is
 * written only when every check passed. Rows go to `checks`, words of a refusal to `problem` (both
 * may be NULL). EVIDENCE_*, MESSAGE_KEY, SNP_*, LEDGER_*, BACKEND.
 */
PP_MUST pp_res pp_appraise(const struct pp_trust *trust, const struct pp_ledger *ledger,
                           const struct pp_marks *marks, enum pp_record_role role,
                           struct pp_ratls_client *session, struct pp_checks *checks,
                           struct pp_problem *problem, struct pp_verified *ret);

/*
 * The same checks over a stored session: Evidence (CBOR without its frame), exporter value and the
 * key that was seen. Gives no right to send anything.
 */
PP_MUST pp_res pp_appraise_stored(const struct pp_trust *trust, const struct pp_ledger *ledger,
                                  const struct pp_marks *marks, enum pp_record_role role,
                                  struct pp_span evidence_cbor,
                                  const struct pp_ratls_session *session, struct pp_checks *checks,
                                  struct pp_problem *problem, struct pp_appraisal *ret);

#endif
