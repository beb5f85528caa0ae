/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored Evidence: u16 n || root, u16 n || authority, root of the host-set (32), Evidence map. What
 * is accepted is what the machine of the corpus said; everything else is a refusal.
 */
#include "fuzz.h"

#include "appraise.h"
#include "crypto.h"
#include "hash.h"
#include "rd.h"

#define NOW UINT64_C(1780272000)

enum { RELEASE, HOSTS, RECORDS };

static struct pp_ledger_record records[RECORDS];
static struct pp_ledger ledger = { .now_posix_s = NOW,
                                   .records = records,
                                   .record_count = RECORDS };

/* The release of lib/policy/test/machine.h, and a host-set of three machines. */
static void make_ledger(struct pp_rd *rd)
{
    struct pp_release *r = &records[RELEASE].record.release;
    struct pp_host_set *set = &records[HOSTS].record.host_set;

    ledger.status.record.type = PP_RECORD_STATUS;
    ledger.status.record.status.release_count = 1;
    records[RELEASE].record.type = PP_RECORD_RELEASE;
    memset(records[RELEASE].id.bytes, 0x30 + PP_RECORD_ORCHESTRATOR, PP_SHA256_BYTES);
    r->role = PP_RECORD_ORCHESTRATOR;
    r->not_after = NOW + 1;
    r->snp_count = 1;
    r->snp[0].family = PP_RECORD_GENOA;
    memset(r->snp[0].measurement, 0x40 + PP_RECORD_ORCHESTRATOR, PP_SHA384_BYTES);
    r->config_count = 1;
    pp_sha256(PP_STR("engine = embedded\n"), r->config[0]);
    records[HOSTS].record.type = PP_RECORD_HOST_SET;
    memset(records[HOSTS].id.bytes, 0x60, PP_SHA256_BYTES);
    set->count = 3;
    pp_rd_copy(rd, set->root.bytes, sizeof set->root.bytes);
}

static void appraise(const struct pp_trust *trust, struct pp_span evidence)
{
    static struct pp_marks marks;
    struct pp_problem problem = { 0 };
    struct pp_checks checks = { 0 };
    struct pp_ratls_session session;
    struct pp_appraisal a;

    memset(&session, 0x5E, sizeof session);
    pp_res r = pp_appraise_stored(trust, &ledger, &marks, PP_RECORD_ORCHESTRATOR, evidence,
                                  &session, &checks, &problem, &a);
    if (pp_is_ok(r))
        FUZZ_CHECK(a.simulated == 1 && a.message_pk_len == PP_X25519_BYTES &&
                   a.measurement[0] == 0x40 + PP_RECORD_ORCHESTRATOR);
    else
        FUZZ_CHECK(pp_code_class(r.code) == PP_CLASS_REFUSED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_trust trust = { .platforms = 1U << PP_PLATFORM_SIM_SNP,
                              .message_kem = PP_KEM_X25519_SHA256 };
    struct pp_rd rd = pp_rd_over(data, len);

    FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    FUZZ_CHECK(pp_is_ok(pp_hardware_profile(PP_STR("strict"), &trust.hardware)));
    struct pp_rd ark = pp_rd_block16(&rd), ask = pp_rd_block16(&rd);
    make_ledger(&rd);
    struct pp_span evidence = pp_rd_rest(&rd);
    if (pp_is_ok(
            pp_snp_anchors_add(&trust.snp_anchors, pp_rd_rest(&ark), pp_rd_rest(&ask), PP_STR(""))))
        appraise(&trust, evidence);
    pp_trust_done(&trust);
    return 0;
}
