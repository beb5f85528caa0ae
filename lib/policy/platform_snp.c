/* SPDX-License-Identifier: Apache-2.0 */
/* SEV-SNP in the appraisal: its report, its chip, and the release's rows for it. */
#include "appraise_int.h"

static const struct appraise_row ROWS[PP_SNP_CHECKS + 1] = {
    [PP_SNP_CHECK_FORMAT] = { PP_STEP_CHAIN, "the report has AMD's form" },
    [PP_SNP_CHECK_KEY_INFO] = { PP_STEP_CHAIN, "a chip key signed the report" },
    [PP_SNP_CHECK_CERT_FORM] = { PP_STEP_CHAIN, "the chip's certificate has AMD's form" },
    [PP_SNP_CHECK_CHAIN] = { PP_STEP_CHAIN, "the chip's certificate leads to the pinned root" },
    [PP_SNP_CHECK_CRL] = { PP_STEP_CHAIN, "no certificate is on the vendor's revocation list" },
    [PP_SNP_CHECK_PRODUCT] = { PP_STEP_CHAIN, "the product line is an accepted one" },
    [PP_SNP_CHECK_SIGNATURE] = { PP_STEP_CHAIN, "the chip's key signed exactly this report" },
    [PP_SNP_CHECK_HWID] = { PP_STEP_CHAIN, "certificate and report name one chip" },
    [PP_SNP_CHECK_TCB_CERT] = { PP_STEP_CHAIN, "the certified patch level is the reported one" },
    [PP_SNP_CHECK_TCB_ORDER] = { PP_STEP_PLATFORM, "the patch levels agree with each other" },
    [PP_SNP_CHECK_PROVISIONAL] = { PP_STEP_PLATFORM, "the firmware is committed" },
    [PP_SNP_CHECK_TCB_MIN] = { PP_STEP_PLATFORM, "the patch level is high enough" },
    [PP_SNP_CHECK_FW_MIN] = { PP_STEP_PLATFORM, "the firmware is new enough" },
    [PP_SNP_CHECK_MITIGATION] = { PP_STEP_PLATFORM, "the required mitigations are on" },
    [PP_SNP_CHECK_POLICY] = { PP_STEP_PLATFORM, "the guest policy is acceptable: no debugging" },
    [PP_SNP_CHECK_PLATFORM] = { PP_STEP_PLATFORM, "the platform's state is acceptable" },
    [PP_SNP_CHECK_VMPL] = { PP_STEP_PLATFORM, "the report comes from the guest's own level" },
    [PP_SNP_CHECK_MIGRATION] = { PP_STEP_PLATFORM, "no migration agent is bound" },
    [PP_SNP_CHECK_MEASUREMENT] = { PP_STEP_LEDGER, "the measurement is a published one" },
    [PP_SNP_CHECK_HOST_DATA] = { PP_STEP_BINDING, "the program runs with this configuration" },
    [PP_SNP_CHECK_ID_BLOCK] = { PP_STEP_PLATFORM, "the ID block is an accepted one" },
    [PP_SNP_CHECK_HOST_ID] = { PP_STEP_LEDGER, "the chip is a registered one" },
    [PP_SNP_CHECK_BINDING] = { PP_STEP_BINDING, "the report is bound to this very connection" },
};

/*
 * What need not run, and who answers instead. Measurement and chip are asked of the ledger in step
 * 12, so that a refusal says which of the two it was. AMD's revocation lists name authorities,
 * which are pinned here by value, and no chips: the status's host-set is the list of chips. The
 * release's reviewers stand where an ID block's author would; mitigation vectors are asked for by
 * no profile yet.
 */
enum {
    ASKED_IN_STEP_12 = 1 << PP_SNP_CHECK_MEASUREMENT | 1 << PP_SNP_CHECK_HOST_ID,
    MAY_SKIP = ASKED_IN_STEP_12 | 1 << PP_SNP_CHECK_CRL | 1 << PP_SNP_CHECK_MITIGATION |
               1 << PP_SNP_CHECK_ID_BLOCK,
};

/* A refusal of the policy gets its advisory's name; an accept is held against all of them. */
static pp_res judge(const struct appraise *a, const struct appraise_verdict *v, pp_res r)
{
    struct pp_snp_report report;
    const struct pp_advisory_facts facts = { .snp = &report };

    r = appraise_conclude(a, v, r);
    if (!pp_is_ok(pp_snp_report_parse(a->evidence.report, &report, NULL)))
        return pp_is_ok(r) ? PP_FAIL(PP_E_UNVERIFIED, 0) : r; /* check 1 has refused it */
    if (pp_is_ok(r))
        return appraise_advisories(a, &facts);
    appraise_name(a, &facts, r);
    return r;
}

static pp_res verify(struct appraise *a, const uint8_t report_data[PP_REPORT_DATA_BYTES])
{
    struct pp_snp_policy policy = a->trust->hardware.snp;
    struct pp_snp_checks checks;

    policy.skip |= ASKED_IN_STEP_12 | PP_ATTEST_BIT(PP_SNP_CHECK_CRL);
    policy.host_data = (struct pp_attest_set){ .values = a->config_digest,
                                               .count = 1,
                                               .anchor = "SHA-256 of the configuration received" };
    policy.report_data = report_data;
    policy.report_data_anchor = "this session's exporter, key and message key";
    const struct pp_snp_evidence evidence = { .report = a->evidence.report,
                                              .vek = a->evidence.endorsements[0] };
    pp_res r = pp_snp_verify(&a->trust->snp_anchors, &policy, &evidence, a->ledger->now_posix_s,
                             &checks, &a->snp);
    const struct appraise_verdict verdict = {
        .rows = checks.rows,
        .count = PP_SNP_CHECKS,
        .words = ROWS,
        .skip = policy.skip,
        .may_skip = MAY_SKIP |
                    (policy.allow_provisional ? PP_ATTEST_BIT(PP_SNP_CHECK_PROVISIONAL) : 0),
    };
    PP_TRY(judge(a, &verdict, r));
    memcpy(a->machine.measurement, a->snp.measurement, sizeof a->machine.measurement);
    memcpy(a->machine.report_data, a->snp.report_data, sizeof a->machine.report_data);
    memcpy(a->machine.host_id, a->snp.chip_id, sizeof a->machine.host_id);
    return PP_OK;
}

/* --- step 12 ---------------------------------------------------------------------------------- */

static enum pp_snp_line line_of(enum pp_record_family family)
{
    static const enum pp_snp_line lines[PP_RECORD_FAMILIES] = {
        [PP_RECORD_GENOA] = PP_SNP_GENOA,
        [PP_RECORD_MILAN] = PP_SNP_MILAN,
        [PP_RECORD_TURIN] = PP_SNP_TURIN,
    };

    PP_ASSERT(family < PP_RECORD_FAMILIES);
    return lines[family];
}

static pp_res check_measurement(const struct appraise *a)
{
    const struct pp_release *rel = a->release;

    for (size_t i = 0; i < rel->snp_count; i++) {
        const struct pp_release_snp *row = &rel->snp[i];

        if (line_of(row->family) != a->snp.line ||
            memcmp(row->measurement, a->snp.measurement, sizeof row->measurement) != 0)
            continue;
        pp_check_add_hex(a->checks, PP_STEP_LEDGER, PP_E_LEDGER_MEASUREMENT, PP_VERDICT_PROVEN,
                         "the running program is the published one, byte for byte", row->label,
                         PP_BYTES(a->snp.measurement));
        return PP_OK;
    }
    return appraise_refuse_hex(a, PP_E_LEDGER_MEASUREMENT, "measurement",
                               rel->snp_count > 0 ? PP_BYTES(rel->snp[0].measurement) : PP_STR(""),
                               PP_BYTES(a->snp.measurement));
}

/*
 * The ledger's minimum of the line. The verifier has asked for the compiled-in floor before: both
 * hold, so the higher figure of each component counts, and a ledger can raise it but not lower it.
 */
static pp_res check_tcb(const struct appraise *a)
{
    for (size_t family = 0; family < PP_RECORD_FAMILIES; family++) {
        const struct pp_release_tcb *m = &a->release->snp_min_tcb[family];
        const struct pp_snp_tcb_parts parts = { .fmc = m->fmc,
                                                .boot_loader = m->bootloader,
                                                .tee = m->tee,
                                                .snp = m->snp,
                                                .microcode = m->microcode };
        if (!m->given || line_of((enum pp_record_family)family) != a->snp.line)
            continue;
        struct pp_snp_tcb least = pp_snp_tcb_join(a->snp.line, &parts);
        if (!pp_snp_tcb_le(&least, &a->snp.certified_tcb))
            return appraise_refuse_hex(a, PP_E_SNP_TCB_MIN, "certified patch level, at least",
                                       PP_BYTES(least.v), PP_BYTES(a->snp.certified_tcb.v));
    }
    return PP_OK;
}

static pp_res published(struct appraise *a)
{
    const struct pp_release *rel = a->release;

    PP_TRY(check_measurement(a));
    PP_TRY(appraise_config(a));
    if ((a->snp.policy & rel->snp_policy_mask) != rel->snp_policy_value) {
        pp_problem_numbers(a->problem, "guest policy under the release's mask",
                           rel->snp_policy_value, a->snp.policy & rel->snp_policy_mask);
        return PP_FAIL(PP_E_SNP_POLICY, 0);
    }
    PP_TRY(check_tcb(a));
    appraise_proven(a, PP_STEP_LEDGER, PP_E_SNP_TCB_MIN,
                    "guest policy and patch level are those that the release asks for",
                    PP_STR("release record"), PP_STR(""));
    return PP_OK;
}

const struct appraise_platform APPRAISE_SNP = {
    .host = PP_HOST_SNP,
    .endorsements = 1,
    .endorsement_words = "one chip certificate",
    .binding_code = PP_E_SNP_BINDING,
    .config_code = PP_E_SNP_HOST_DATA,
    .verify = verify,
    .published = published,
};
