/* SPDX-License-Identifier: Apache-2.0 */
#include "appraise_int.h"

#include "wr.h"

/* --- words and rows --------------------------------------------------------------------------- */

pp_res appraise_refuse(const struct appraise *a, enum pp_code code, const char *field,
                       const char *expected, struct pp_span got)
{
    pp_problem_set(a->problem, field, expected, got);
    return PP_FAIL(code, 0);
}

pp_res appraise_refuse_hex(const struct appraise *a, enum pp_code code, const char *field,
                           struct pp_span expected, struct pp_span got)
{
    pp_problem_hex(a->problem, field, expected, got);
    return PP_FAIL(code, 0);
}

void appraise_proven(const struct appraise *a, enum pp_step step, enum pp_code code,
                     const char *what, struct pp_span anchor, struct pp_span value)
{
    pp_check_add(a->checks, step, code, PP_VERDICT_PROVEN, what, anchor, value);
}

struct row_words {
    char text[sizeof((struct pp_problem *)0)->field + sizeof((struct pp_problem *)0)->got + 2];
};

/* "nextUpdate: 2026-12-22T05:10:30Z": a value says little to a reader who is not told of what. */
static struct pp_span words_of(const struct pp_attest_check *row, struct row_words *words)
{
    struct pp_wr wr = pp_wr_over(words->text, sizeof words->text);

    pp_wr_text(&wr, row->problem.field);
    pp_wr_text(&wr, row->problem.field[0] == '\0' ? "" : ": ");
    pp_wr_text(&wr, row->problem.got);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    return pp_wr_done(&wr);
}

/* One row a check that did not fail; what step 12 asks has its rows there. */
static void add_rows(const struct appraise *a, const struct appraise_verdict *v)
{
    for (enum pp_step step = PP_STEP_CHAIN; step <= PP_STEP_PLATFORM; step++)
        for (size_t n = 1; n <= v->count; n++) {
            const struct pp_attest_check *row = &v->rows[n - 1];
            struct row_words words;

            if (v->words[n].step != step || row->verdict == PP_ATTEST_FAILED)
                continue;
            pp_check_add(a->checks, step, (enum pp_code)row->code,
                         row->verdict == PP_ATTEST_PASSED ? PP_VERDICT_PROVEN : PP_VERDICT_SKIPPED,
                         v->words[n].what, pp_span_cstr(row->anchor), words_of(row, &words));
        }
}

pp_res appraise_conclude(const struct appraise *a, const struct appraise_verdict *v, pp_res r)
{
    add_rows(a, v);
    if (!pp_is_ok(r)) {
        if (r.detail >= 1 && r.detail <= v->count) {
            const struct pp_problem *p = &v->rows[r.detail - 1].problem;
            int skipped = v->rows[r.detail - 1].verdict ==
                          PP_ATTEST_SKIPPED; /* it names no field */
            pp_problem_set(a->problem, skipped ? v->words[r.detail].what : p->field,
                           skipped ? "a check that ran" : p->expected, pp_span_cstr(p->got));
        }
        return r;
    }
    for (size_t n = 1; n <= v->count; n++) {
        const struct pp_attest_check *row = &v->rows[n - 1];

        int passed = row->verdict == PP_ATTEST_PASSED && (v->skip & PP_ATTEST_BIT(n)) == 0;

        if (passed || (v->may_skip & PP_ATTEST_BIT(n)) != 0)
            continue;
        pp_problem_set(a->problem, v->words[n].what, "a check that ran",
                       pp_span_cstr(row->problem.got));
        return PP_FAIL(row->code, (uint32_t)n);
    }
    return PP_OK;
}

void appraise_name(const struct appraise *a, const struct pp_advisory_facts *facts, pp_res r)
{
    const struct pp_advisory *advisory = pp_advisory_first(facts, a->trust->hardware.waived,
                                                           (enum pp_code)r.code);

    if (advisory != NULL)
        pp_advisory_name(advisory, a->problem);
}

/* "7: ciphertext-hiding, page-move" of a set of lines. */
static struct pp_span list_advisories(uint64_t set, struct pp_wr *wr)
{
    pp_wr_decimal(wr, (uint64_t)__builtin_popcountll(set));
    for (size_t i = 0; i < PP_ADVISORY_COUNT; i++)
        if ((set >> i & 1) != 0) {
            pp_wr_text(wr, " ");
            pp_wr_text(wr, PP_ADVISORIES[i].id);
        }
    PP_ASSERT(pp_is_ok(pp_wr_ok(wr)));
    return pp_wr_done(wr);
}

pp_res appraise_open_to(const struct appraise *a, const struct pp_advisory_facts *facts)
{
    const struct pp_advisory *advisory = pp_advisory_first(facts, a->trust->hardware.waived,
                                                           PP_E_OK);

    if (advisory == NULL)
        return PP_OK;
    pp_problem_set(a->problem, "machine", "one to which this attack does not apply",
                   pp_span_cstr(advisory->attacks));
    pp_advisory_name(advisory, a->problem);
    return PP_FAIL(PP_E_ADVISORY, (uint32_t)(advisory - PP_ADVISORIES));
}

pp_res appraise_advisories(const struct appraise *a, const struct pp_advisory_facts *facts)
{
    const struct pp_hardware *hardware = &a->trust->hardware;
    char text[PP_ADVISORIES_MAX * 32];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    PP_TRY(appraise_open_to(a, facts));
    pp_check_add_number(a->checks, PP_STEP_PLATFORM, PP_E_ADVISORY, PP_VERDICT_PROVEN,
                        "no known attack of the advisory file applies to the machine",
                        pp_span_cstr(hardware->profile),
                        PP_ADVISORY_COUNT - (size_t)__builtin_popcountll(hardware->waived),
                        "advisories");
    if (hardware->waived != 0)
        pp_check_add(a->checks, PP_STEP_PLATFORM, PP_E_ADVISORY, PP_VERDICT_SKIPPED,
                     "known attacks that the profile leaves open", pp_span_cstr(hardware->profile),
                     list_advisories(hardware->waived, &wr));
    return PP_OK;
}

/* --- step 8: the map, and what the anchors say of it ------------------------------------------ */

/* A build's platforms are its list of names (trust.c); the simulated ones have the real bytes. */
static const struct appraise_platform *platform_of(enum pp_platform platform)
{
    return pp_platform_is_snp(platform) ? &APPRAISE_SNP : &APPRAISE_TDX;
}

static pp_res check_message_key(const struct appraise *a)
{
    const struct pp_evidence *e = &a->evidence;
    const struct pp_kem_info *kem = pp_kem_info(a->trust->message_kem);

    PP_ASSERT(kem != NULL); /* pp_trust_parse takes no other */
    if (e->message_kem != kem->id)
        return appraise_refuse(a, PP_E_MESSAGE_KEY, "message key",
                               "one of the KEM that the policy names", PP_STR("another"));
    if (!pp_is_ok(pp_kem_public_check(e->message_kem, e->message_pk)))
        return appraise_refuse(a, PP_E_MESSAGE_KEY, "message key", "a public key of its KEM",
                               PP_STR("another length, or what is not reduced"));
    appraise_proven(a, PP_STEP_PARSE, PP_E_MESSAGE_KEY,
                    "the worker's message key is of the policy's KEM", PP_STR("trust anchors"),
                    pp_span_cstr(kem->name));
    return PP_OK;
}

static pp_res parse(struct appraise *a, struct pp_span cbor)
{
    const struct pp_evidence *e = &a->evidence;
    pp_res r = pp_evidence_parse(cbor, a->end, &a->evidence);

    if (!pp_is_ok(r)) {
        pp_problem_numbers(a->problem, "Evidence map, offset", 0, r.detail);
        return PP_FAIL(PP_E_EVIDENCE_FORMAT, r.detail);
    }
    struct pp_span name = pp_span_cstr(pp_platform_name(e->platform));
    a->platform = platform_of(e->platform);
    if ((a->trust->platforms >> e->platform & 1) == 0)
        return appraise_refuse(a, PP_E_EVIDENCE_TEE_UNKNOWN, "platform",
                               "one that the trust anchors name", name);
    if (e->endorsement_count != a->platform->endorsements)
        return appraise_refuse(a, PP_E_EVIDENCE_FORMAT, "endorsements",
                               a->platform->endorsement_words, PP_STR("another number"));
    appraise_proven(a, PP_STEP_PARSE, PP_E_EVIDENCE_FORMAT, "the Evidence is in its one encoding",
                    PP_STR("pp-wire 7"), name);
    if (a->end == PP_END_SERVER)
        PP_TRY(check_message_key(a));
    pp_sha256(e->config, a->config_digest);
    return PP_OK;
}

/* --- all together ----------------------------------------------------------------------------- */

static pp_res check_ledger(struct appraise *a)
{
    PP_TRY(appraise_find_release(a));
    PP_TRY(appraise_gpu(a)); /* it needs the release's reference files */
    appraise_release(a);
    PP_TRY(a->platform->published(a));
    if (a->end == PP_END_CLIENT)
        return PP_OK;
    PP_TRY(appraise_host(a));
    return appraise_backends(a);
}

static void conclude(const struct appraise *a, struct pp_appraisal *ret)
{
    const struct pp_evidence *e = &a->evidence;
    const struct appraise_machine *m = &a->machine;

    *ret = (struct pp_appraisal){ .platform = e->platform,
                                  .simulated = pp_platform_is_simulated(e->platform) ||
                                               a->trust->own_root,
                                  .retains = a->release->retains,
                                  .host_set_id = pp_ledger_hosts(a->ledger)->id,
                                  .message_kem = e->message_kem,
                                  .message_pk_len = e->message_pk.len };
    memcpy(ret->release_id.bytes, e->release_id, sizeof ret->release_id.bytes);
    memcpy(ret->measurement, m->measurement, sizeof ret->measurement);
    memcpy(ret->report_data, m->report_data, sizeof ret->report_data);
    memcpy(ret->chip_id, m->host_id, sizeof ret->chip_id);
    memcpy(ret->message_pk, e->message_pk.at, e->message_pk.len);
}

pp_res appraise_run(struct appraise *a, struct pp_span cbor, const struct pp_ratls_session *session)
{
    uint8_t binding[PP_BINDING_BYTES];
    uint8_t report_data[PP_REPORT_DATA_BYTES];

    pp_problem_party(a->problem, "CVM");
    PP_TRY(parse(a, cbor));
    PP_TRY(pp_binding_of_evidence(a->end, PP_BYTES(session->spki), session->ekm, &a->evidence,
                                  binding));
    if (!pp_is_ok(pp_binding_report_data(binding, &a->evidence.batch, report_data)))
        return appraise_refuse(a, a->platform->binding_code, "batch path", "one that fits its tree",
                               PP_STR(""));
    PP_TRY(a->platform->verify(a, report_data));
    return check_ledger(a);
}

pp_res pp_appraise_stored(const struct pp_trust *trust, const struct pp_ledger *ledger,
                          const struct pp_marks *marks, enum pp_record_role role,
                          struct pp_span evidence_cbor, const struct pp_ratls_session *session,
                          struct pp_checks *checks, struct pp_problem *problem,
                          struct pp_appraisal *ret)
{
    struct appraise a = { .trust = trust,
                          .ledger = ledger,
                          .marks = marks,
                          .role = role,
                          .end = PP_END_SERVER,
                          .checks = checks,
                          .problem = problem };

    PP_TRY(appraise_run(&a, evidence_cbor, session));
    conclude(&a, ret);
    return PP_OK;
}

pp_res pp_appraise(const struct pp_trust *trust, const struct pp_ledger *ledger,
                   const struct pp_marks *marks, enum pp_record_role role,
                   struct pp_ratls_client *session, struct pp_checks *checks,
                   struct pp_problem *problem, struct pp_verified *ret)
{
    struct appraise a = { .trust = trust,
                          .ledger = ledger,
                          .marks = marks,
                          .role = role,
                          .end = PP_END_SERVER,
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
        return appraise_refuse(&a, PP_E_EVIDENCE_FORMAT, "Evidence body", "length, map and zeros",
                               PP_STR(""));
    PP_TRY(appraise_run(&a, cbor, &values));
    conclude(&a, &v.appraisal);

    /* The session compares REPORT_DATA with its own values once more: the permit is its word. */
    PP_TRY(pp_ratls_permit(session, &a.evidence, v.appraisal.report_data, &v.permit));
    *ret = v;
    return PP_OK;
}
