/* SPDX-License-Identifier: Apache-2.0 */
#include "appraise.h"

#include "hash.h"
#include "wr.h"

struct context {
    const struct pp_trust *trust;
    const struct pp_ledger *ledger;
    const struct pp_marks *marks;
    enum pp_record_role role;
    struct pp_checks *checks;
    struct pp_problem *problem;

    struct pp_evidence evidence;
    uint8_t config_digest[PP_SHA256_BYTES];
    struct pp_snp_result snp;
    const struct pp_release *release;
};

static pp_res refuse(const struct context *c, enum pp_code code, const char *field,
                     const char *expected, struct pp_span got)
{
    pp_problem_set(c->problem, field, expected, got);
    return PP_FAIL(code, 0);
}

static pp_res refuse_hex(const struct context *c, enum pp_code code, const char *field,
                         struct pp_span expected, struct pp_span got)
{
    pp_problem_hex(c->problem, field, expected, got);
    return PP_FAIL(code, 0);
}

static void proven(const struct context *c, enum pp_step step, enum pp_code code, const char *what,
                   struct pp_span anchor, struct pp_span value)
{
    pp_check_add(c->checks, step, code, PP_VERDICT_PROVEN, what, anchor, value);
}

/* --- step 8: the map, and what the anchors say of it ------------------------------------------ */

static pp_res parse(struct context *c, struct pp_span cbor)
{
    pp_res r = pp_evidence_parse(cbor, PP_END_SERVER, &c->evidence);

    if (!pp_is_ok(r)) {
        pp_problem_numbers(c->problem, "Evidence map, offset", 0, r.detail);
        return PP_FAIL(PP_E_EVIDENCE_FORMAT, r.detail);
    }
    const struct pp_evidence *e = &c->evidence;
    struct pp_span platform = pp_span_cstr(pp_platform_name(e->platform));
    if ((c->trust->platforms >> e->platform & 1) == 0)
        return refuse(c, PP_E_EVIDENCE_TEE_UNKNOWN, "platform", "one that the trust anchors name",
                      platform);
    if (e->gpu_encoding.len > 0)
        return refuse(c, PP_E_EVIDENCE_TEE_UNKNOWN, "gpu", "no GPU: this build verifies none",
                      PP_STR("GPU evidence"));
    const struct pp_kem_info *kem = pp_kem_info(c->trust->message_kem);
    PP_ASSERT(kem != NULL); /* pp_trust_parse takes no other */
    if (e->message_kem != kem->id || e->message_pk.len != kem->pk_len)
        return refuse(c, PP_E_MESSAGE_KEY, "message key", "one of the KEM that the policy names",
                      PP_STR("another"));
    if (!pp_is_ok(pp_kem_public_check(e->message_kem, e->message_pk)))
        return refuse(c, PP_E_MESSAGE_KEY, "message key", "a public key of its KEM",
                      PP_STR("coefficients that are not reduced"));
    if (e->endorsement_count != 1)
        return refuse(c, PP_E_EVIDENCE_FORMAT, "endorsements", "one chip certificate",
                      PP_STR("none"));
    proven(c, PP_STEP_PARSE, PP_E_EVIDENCE_FORMAT, "the Evidence is in its one encoding",
           PP_STR("pp-wire 7"), platform);
    proven(c, PP_STEP_PARSE, PP_E_MESSAGE_KEY, "the worker's message key is of the policy's KEM",
           PP_STR("trust anchors"), pp_span_cstr(kem->name));
    pp_sha256(e->config, c->config_digest);
    return PP_OK;
}

/* --- steps 9 to 11: the machine --------------------------------------------------------------- */

/* The step of the check order that each of the report's 23 checks belongs to, and its sentence. */
static const struct {
    enum pp_step step;
    const char *what;
} SNP_ROWS[PP_SNP_CHECKS + 1] = {
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

/* One row per check that ran, step by step. Measurement and chip have their rows in step 12. */
static void add_snp_rows(struct pp_checks *checks, const struct pp_snp_checks *snp)
{
    for (enum pp_step step = PP_STEP_CHAIN; step <= PP_STEP_PLATFORM; step++)
        for (size_t n = 1; n <= PP_SNP_CHECKS; n++) {
            const struct pp_attest_check *row = &snp->rows[n - 1];

            if (SNP_ROWS[n].step != step || row->verdict == PP_ATTEST_FAILED)
                continue;
            pp_check_add(checks, step, (enum pp_code)row->code,
                         row->verdict == PP_ATTEST_PASSED ? PP_VERDICT_PROVEN : PP_VERDICT_SKIPPED,
                         SNP_ROWS[n].what, pp_span_cstr(row->anchor),
                         pp_span_cstr(row->problem.got));
        }
}

/*
 * The report by itself, its chip and this connection. What the ledger decides (measurement, chip)
 * is left out here and asked in step 12, so that a refusal says which of the two it was.
 */
static pp_res appraise_snp(struct context *c, const uint8_t report_data[PP_REPORT_DATA_BYTES])
{
    struct pp_snp_policy policy = c->trust->snp_policy;
    struct pp_snp_checks rows;

    policy.skip |= PP_ATTEST_BIT(PP_SNP_CHECK_CRL) | PP_ATTEST_BIT(PP_SNP_CHECK_MEASUREMENT) |
                   PP_ATTEST_BIT(PP_SNP_CHECK_HOST_ID);
    policy.host_data = (struct pp_attest_set){ .values = c->config_digest,
                                               .count = 1,
                                               .anchor = "SHA-256 of the configuration received" };
    policy.report_data = report_data;
    policy.report_data_anchor = "this session's exporter, key and message key";
    const struct pp_snp_evidence evidence = { .report = c->evidence.report,
                                              .vek = c->evidence.endorsements[0] };
    pp_res r = pp_snp_verify(&c->trust->snp_anchors, &policy, &evidence, c->ledger->now_posix_s,
                             &rows, &c->snp);
    add_snp_rows(c->checks, &rows);
    if (!pp_is_ok(r) && c->problem != NULL && r.detail >= 1 && r.detail <= PP_SNP_CHECKS) {
        const struct pp_problem *p = &rows.rows[r.detail - 1].problem;
        pp_problem_set(c->problem, p->field, p->expected, pp_span_cstr(p->got));
    }
    return r;
}

/* --- step 12: the ledger ---------------------------------------------------------------------- */

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

static pp_res check_release(struct context *c)
{
    struct pp_record_id id;

    memcpy(id.bytes, c->evidence.release_id, sizeof id.bytes);
    pp_res r = pp_ledger_release(c->ledger, c->marks, &id, c->role, &c->release);
    if (!pp_is_ok(r)) {
        pp_problem_set(c->problem, "release record", "one in force in the status, for this role",
                       PP_STR(""));
        return r;
    }
    pp_check_add_hex(c->checks, PP_STEP_LEDGER, PP_E_LEDGER_UNLISTED, PP_VERDICT_PROVEN,
                     "the release is in force, reviewed and not revoked",
                     pp_span_cstr(pp_record_role_name(c->role)), PP_BYTES(id.bytes));
    return PP_OK;
}

static pp_res check_measurement(struct context *c)
{
    const struct pp_release *rel = c->release;

    for (size_t i = 0; i < rel->snp_count; i++) {
        const struct pp_release_snp *row = &rel->snp[i];

        if (line_of(row->family) != c->snp.line ||
            memcmp(row->measurement, c->snp.measurement, sizeof row->measurement) != 0)
            continue;
        pp_check_add_hex(c->checks, PP_STEP_LEDGER, PP_E_LEDGER_MEASUREMENT, PP_VERDICT_PROVEN,
                         "the running program is the published one, byte for byte", row->label,
                         PP_BYTES(c->snp.measurement));
        return PP_OK;
    }
    return refuse_hex(c, PP_E_LEDGER_MEASUREMENT, "measurement",
                      rel->snp_count > 0 ? PP_BYTES(rel->snp[0].measurement) : PP_STR(""),
                      PP_BYTES(c->snp.measurement));
}

static pp_res check_config(struct context *c)
{
    const struct pp_release *rel = c->release;

    for (size_t i = 0; i < rel->config_count; i++)
        if (memcmp(rel->config[i], c->config_digest, sizeof c->config_digest) == 0) {
            pp_check_add_hex(c->checks, PP_STEP_LEDGER, PP_E_SNP_HOST_DATA, PP_VERDICT_PROVEN,
                             "its configuration is the published one", PP_STR("release record"),
                             PP_BYTES(c->config_digest));
            return PP_OK;
        }
    return refuse_hex(c, PP_E_SNP_HOST_DATA, "configuration digest", PP_BYTES(rel->config[0]),
                      PP_BYTES(c->config_digest));
}

static pp_res check_guest_policy(struct context *c)
{
    const struct pp_release *rel = c->release;

    if ((c->snp.policy & rel->snp_policy_mask) != rel->snp_policy_value) {
        pp_problem_numbers(c->problem, "guest policy under the release's mask",
                           rel->snp_policy_value, c->snp.policy & rel->snp_policy_mask);
        return PP_FAIL(PP_E_SNP_POLICY, 0);
    }
    for (size_t family = 0; family < PP_RECORD_FAMILIES; family++) {
        const struct pp_release_tcb *m = &rel->snp_min_tcb[family];
        const struct pp_snp_tcb_parts parts = { .fmc = m->fmc,
                                                .boot_loader = m->bootloader,
                                                .tee = m->tee,
                                                .snp = m->snp,
                                                .microcode = m->microcode };
        if (!m->given || line_of((enum pp_record_family)family) != c->snp.line)
            continue;
        struct pp_snp_tcb least = pp_snp_tcb_join(c->snp.line, &parts);
        if (!pp_snp_tcb_le(&least, &c->snp.certified_tcb))
            return refuse_hex(c, PP_E_SNP_TCB_MIN, "certified patch level, at least",
                              PP_BYTES(least.v), PP_BYTES(c->snp.certified_tcb.v));
    }
    proven(c, PP_STEP_LEDGER, PP_E_SNP_TCB_MIN,
           "guest policy and patch level are those that the release asks for",
           PP_STR("release record"), PP_STR(""));
    return PP_OK;
}

/* This chip's path to the root of the host-set that the status names. */
static pp_res verify_path(const struct context *c, const struct pp_host_path *h)
{
    const struct pp_host_set *set = &pp_ledger_hosts(c->ledger)->record.host_set;
    struct pp_merkle_path path = { .count = h->node_count };
    struct pp_host host;

    PP_TRY(pp_host_make(PP_HOST_SNP, PP_BYTES(c->snp.chip_id), &host));
    PP_CHECK(h->size == set->count && h->node_count <= PP_MERKLE_PATH_MAX, PP_E_LEDGER_HOST,
             h->size);
    for (size_t i = 0; i < path.count; i++)
        memcpy(path.hashes[i].bytes, h->nodes[i], PP_SHA256_BYTES);
    return pp_host_verify(&host, h->index, &path, set);
}

static pp_res check_host(struct context *c)
{
    const struct pp_record_id *set = &pp_ledger_hosts(c->ledger)->id;

    for (size_t i = 0; i < c->evidence.host_count; i++) {
        const struct pp_host_path *h = &c->evidence.hosts[i];

        if (memcmp(h->record_id, set->bytes, sizeof set->bytes) != 0)
            continue;
        if (!pp_is_ok(verify_path(c, h)))
            return refuse(c, PP_E_LEDGER_HOST, "chip", "one that the host-set's root commits to",
                          PP_STR("a chip outside of it"));
        pp_check_add_hex(c->checks, PP_STEP_LEDGER, PP_E_LEDGER_HOST, PP_VERDICT_PROVEN,
                         "this very chip is in the published host-set", PP_STR("host-set record"),
                         PP_BYTES(c->snp.chip_id));
        return PP_OK;
    }
    return refuse(c, PP_E_LEDGER_HOST, "host-set path", "one for the status record's host-set",
                  PP_STR("none"));
}

static pp_res check_backends(struct context *c)
{
    const struct pp_backends *all = &c->evidence.backends;

    for (size_t i = 0; i < all->count; i++) {
        const struct pp_release *unused;
        enum pp_record_role role;
        struct pp_record_id id;

        memcpy(id.bytes, all->items[i].release_id, sizeof id.bytes);
        if (!pp_is_ok(pp_record_role_parse(all->items[i].role, &role)) ||
            !pp_is_ok(pp_ledger_release(c->ledger, c->marks, &id, role, &unused)))
            return refuse(c, PP_E_BACKEND, "back-end", "one that the status allows",
                          all->items[i].role);
    }
    pp_check_add_number(c->checks, PP_STEP_LEDGER, PP_E_BACKEND, PP_VERDICT_PROVEN,
                        "every back-end that it names is one that the status allows",
                        PP_STR("status record"), all->count, "back-ends");
    return PP_OK;
}

static pp_res check_ledger(struct context *c)
{
    PP_TRY(check_release(c));
    PP_TRY(check_measurement(c));
    PP_TRY(check_config(c));
    PP_TRY(check_guest_policy(c));
    PP_TRY(check_host(c));
    return check_backends(c);
}

/* --- all together ----------------------------------------------------------------------------- */

static void conclude(const struct context *c, struct pp_appraisal *ret)
{
    const struct pp_evidence *e = &c->evidence;

    *ret = (struct pp_appraisal){ .platform = e->platform,
                                  .simulated = pp_platform_is_simulated(e->platform) ||
                                               c->trust->own_root,
                                  .retains = c->release->retains,
                                  .host_set_id = pp_ledger_hosts(c->ledger)->id,
                                  .message_kem = e->message_kem,
                                  .message_pk_len = e->message_pk.len };
    memcpy(ret->release_id.bytes, e->release_id, sizeof ret->release_id.bytes);
    memcpy(ret->measurement, c->snp.measurement, sizeof ret->measurement);
    memcpy(ret->report_data, c->snp.report_data, sizeof ret->report_data);
    memcpy(ret->chip_id, c->snp.chip_id, sizeof ret->chip_id);
    memcpy(ret->message_pk, e->message_pk.at, e->message_pk.len);
}

/* Every check but the permit. `c` is filled on success. */
static pp_res run(struct context *c, struct pp_span cbor, const struct pp_ratls_session *session)
{
    uint8_t binding[PP_BINDING_BYTES];
    uint8_t report_data[PP_REPORT_DATA_BYTES];

    pp_problem_party(c->problem, "CVM");
    PP_TRY(parse(c, cbor));
    PP_TRY(pp_binding_of_evidence(PP_END_SERVER, PP_BYTES(session->spki), session->ekm,
                                  &c->evidence, binding));
    if (!pp_is_ok(pp_binding_report_data(binding, &c->evidence.batch, report_data)))
        return refuse(c, PP_E_SNP_BINDING, "batch path", "one that fits its tree", PP_STR(""));
    PP_TRY(appraise_snp(c, report_data));
    return check_ledger(c);
}

pp_res pp_appraise_stored(const struct pp_trust *trust, const struct pp_ledger *ledger,
                          const struct pp_marks *marks, enum pp_record_role role,
                          struct pp_span evidence_cbor, const struct pp_ratls_session *session,
                          struct pp_checks *checks, struct pp_problem *problem,
                          struct pp_appraisal *ret)
{
    struct context c = { .trust = trust,
                         .ledger = ledger,
                         .marks = marks,
                         .role = role,
                         .checks = checks,
                         .problem = problem };

    PP_TRY(run(&c, evidence_cbor, session));
    conclude(&c, ret);
    return PP_OK;
}

pp_res pp_appraise(const struct pp_trust *trust, const struct pp_ledger *ledger,
                   const struct pp_marks *marks, enum pp_record_role role,
                   struct pp_ratls_client *session, struct pp_checks *checks,
                   struct pp_problem *problem, struct pp_verified *ret)
{
    struct context c = { .trust = trust,
                         .ledger = ledger,
                         .marks = marks,
                         .role = role,
                         .checks = checks,
                         .problem = problem };
    struct pp_ratls_session values;
    struct pp_verified v = { 0 };
    struct pp_span body, cbor;

    pp_problem_party(problem, "CVM");
    PP_TRY(pp_ratls_client_evidence(session, &body));
    PP_TRY(pp_ratls_client_session(session, &values));
    pp_res r = pp_evidence_body_parse(body, &cbor);
    if (!pp_is_ok(r))
        return refuse(&c, PP_E_EVIDENCE_FORMAT, "Evidence body", "length, map and zeros",
                      PP_STR(""));
    PP_TRY(run(&c, cbor, &values));
    conclude(&c, &v.appraisal);

    /* The session compares REPORT_DATA with its own values once more: the permit is its word. */
    PP_TRY(pp_ratls_permit(session, &c.evidence, v.appraisal.report_data, &v.permit));
    *ret = v;
    return PP_OK;
}
