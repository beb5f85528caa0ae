/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One refusing test per line of the advisory file, made from the file itself: evidence that breaks
 * exactly this line is refused, by its name. `break_line` has no default: a rule without a test
 * does not compile, and a line without a rule does not exist.
 */
#include <string.h>

#include "machine_gpu.h"
#include "machine_tdx.h"

static struct machine *m;
static struct machine_tdx *tdx;
static struct machine_gpu *gpu;
static struct sim_root *roots[PP_SNP_LINES];
static struct sim_chip *first_chip;
static struct pp_checks checks;
static struct pp_problem problem;

static int make(void **state)
{
    (void)state;
    m = machine_new();
    first_chip = m->chip;
    tdx = machine_tdx_new(m);
    gpu = machine_gpu_new(m);
    roots[PP_SNP_GENOA] = m->root;
    static const enum pp_snp_line others[] = { PP_SNP_MILAN, PP_SNP_TURIN };
    for (size_t i = 0; i < PP_ARRAY_COUNT(others); i++) {
        assert_ok(sim_root_create(others[i], MACHINE_NOW - 86400, &roots[others[i]]));
        assert_ok(pp_snp_anchors_add(&m->trust.snp_anchors, sim_root_ark(roots[others[i]]),
                                     sim_root_ask(roots[others[i]]), PP_STR("")));
    }
    return 0;
}

static int drop(void **state)
{
    (void)state;
    if (m->chip != first_chip)
        sim_chip_free(m->chip);
    m->chip = first_chip;
    machine_tdx_free(tdx);
    machine_gpu_free(gpu);
    sim_root_free(roots[PP_SNP_MILAN]);
    sim_root_free(roots[PP_SNP_TURIN]);
    machine_free(m);
    return 0;
}

/* --- a machine for a line --------------------------------------------------------------------- */

static enum pp_record_family family_of(enum pp_snp_line line)
{
    return line == PP_SNP_MILAN   ? PP_RECORD_MILAN
           : line == PP_SNP_TURIN ? PP_RECORD_TURIN
                                  : PP_RECORD_GENOA;
}

/* The machine's processor is now this one; everything else is as it should be. */
static void have_chip(const struct sim_chip_params *params)
{
    struct pp_random random = pp_random_system();
    struct sim_chip *chip;

    assert_ok(sim_chip_create(roots[params->line], params, &random, MACHINE_NOW - 86400, &chip));
    if (m->chip != first_chip)
        sim_chip_free(m->chip);
    m->chip = chip;
    machine_default(m);
    *sim_chip_params(m->chip) = *params;
    m->records[M_ORCHESTRATOR].record.release.snp[0].family = family_of(params->line);
}

static int is_of_tdx(const struct pp_advisory *a)
{
    return a->rule == PP_RULE_TDX_ONE || a->rule == PP_RULE_TDX_ZERO ||
           a->rule == PP_RULE_TDX_CURRENT;
}

/* A processor that the line speaks of, and that keeps it. */
static struct sim_chip_params params_for(const struct pp_advisory *a)
{
    enum pp_snp_line line = a->line == PP_SNP_TURIN || a->from >= 5 ? PP_SNP_TURIN : PP_SNP_GENOA;
    struct sim_chip_params params = sim_chip_params_default(line);

    if (a->rule != PP_RULE_SNP_TCB)
        return params;
    params.cpuid_model = a->model_from;
    params.cpuid_step = a->step_from;
    if (a->min.snp != 0)
        params.tcb.snp = a->min.snp; /* the lowest level that will do */
    if (a->min.microcode != 0)
        params.tcb.microcode = a->min.microcode;
    return params;
}

static void sign_as_provider(struct machine *x, struct pp_snp_report *r)
{
    (void)x;
    r->key_info = PP_SNP_VLEK << 2;
}

static void take_back(struct machine *x, struct pp_snp_report *r)
{
    (void)x;
    r->committed.build--;
}

static void unregister(void)
{
    struct pp_host_set *set = &m->records[M_HOSTS].record.host_set;
    struct pp_host others[MACHINE_HOSTS];

    memcpy(others, m->hosts, sizeof others);
    for (size_t i = 0; i < MACHINE_HOSTS; i++)
        others[i].entry[1] ^= 0x80;
    assert_ok(pp_hosts_sort(others, MACHINE_HOSTS));
    assert_ok(pp_hosts_root(others, MACHINE_HOSTS, &set->root));
}

/* The vendor's list knows a patch that the platform has not. */
static void outdate(void)
{
    struct pp_tdx_tcb_info info;
    uint8_t inner[SIM_TDX_DOCUMENT_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(inner, sizeof inner);
    struct sim_tdx_collateral *c = &tdx->collateral;

    sim_tdx_tcb_info_of(tdx->platform, MACHINE_NOW - 3600, &info);
    info.levels[0].status = PP_TDX_OUT_OF_DATE;
    sim_tdx_tcb_info_write(&wr, &info);
    assert_ok(sim_tdx_sign_document(tdx->vendor, "tcbInfo", pp_wr_done(&wr), c->tcb_info,
                                    sizeof c->tcb_info, &c->tcb_info_len));
    machine_tdx_publish(tdx);
}

static void break_line(const struct pp_advisory *a)
{
    struct sim_chip_params params = params_for(a);

    switch (a->rule) {
    case PP_RULE_SNP_LINE:
        params.line = a->line;
        params.cpuid_model = 0x01;
        have_chip(&params);
        return;
    case PP_RULE_SNP_SIGNER:
        m->bend_report = sign_as_provider;
        return;
    case PP_RULE_SNP_TCB:
        params.tcb.snp = (uint8_t)(params.tcb.snp - (a->min.snp != 0));
        params.tcb.microcode = (uint8_t)(params.tcb.microcode - (a->min.microcode != 0));
        have_chip(&params);
        return;
    case PP_RULE_SNP_COMMITTED:
        m->bend_report = take_back;
        return;
    case PP_RULE_SNP_GUEST_ONE:
        m->guest.policy &= ~a->bits;
        return;
    case PP_RULE_SNP_GUEST_ZERO:
        m->guest.policy |= a->bits;
        return;
    case PP_RULE_SNP_HOST_ONE:
        sim_chip_params(m->chip)->platform_info &= ~a->bits;
        return;
    case PP_RULE_SNP_HOST_ZERO:
        sim_chip_params(m->chip)->platform_info |= a->bits;
        return;
    case PP_RULE_TDX_ONE:
        tdx->guest.td_attributes &= ~a->bits;
        return;
    case PP_RULE_TDX_ZERO:
        tdx->guest.td_attributes |= a->bits;
        return;
    case PP_RULE_TDX_CURRENT:
        outdate();
        return;
    case PP_RULE_GPU_ALONE:
        gpu->params.feature_flag = PP_GPU_MPT;
        return;
    case PP_RULE_REGISTERED:
        unregister();
        return;
    case PP_RULES:
        break;
    }
    fail_msg("a rule without a test");
}

static struct pp_span attest(void)
{
    return m->trust.platforms == 1U << PP_PLATFORM_SIM_TDX ? machine_tdx_attest(tdx)
                                                           : machine_attest(m);
}

static pp_res appraise(void)
{
    struct pp_appraisal appraisal;

    checks.count = 0;
    memset(&problem, 0, sizeof problem);
    return pp_appraise_stored(&m->trust, &m->ledger, &m->marks, PP_RECORD_ORCHESTRATOR, attest(),
                              &m->session, &checks, &problem, &appraisal);
}

/* The machine that the line speaks of, and that keeps it. */
static void have_machine(const struct pp_advisory *a)
{
    struct sim_chip_params params;

    if (is_of_tdx(a)) {
        machine_tdx_default(tdx);
        return;
    }
    params = params_for(a);
    have_chip(&params);
    if (a->rule == PP_RULE_GPU_ALONE)
        machine_gpu_default(gpu);
}

/* --- the lines -------------------------------------------------------------------------------- */

static int names(const struct pp_advisory *a)
{
    const char *at = strstr(problem.expected, "advisory ");

    return at != NULL && strcmp(at + strlen("advisory "), a->id) == 0;
}

/* No other line speaks of the evidence: the one that is broken is broken alone. */
static void assert_broken_alone(const struct pp_advisory *a)
{
    struct pp_snp_report report;
    struct pp_advisory_facts facts = { .snp = &report,
                                       .unregistered = a->rule == PP_RULE_REGISTERED,
                                       .is_tdx = is_of_tdx(a) };

    facts.gpu_is_shared = a->rule == PP_RULE_GPU_ALONE;
    facts.td_attributes = tdx->guest.td_attributes;
    facts.outdated = a->rule == PP_RULE_TDX_CURRENT;

    assert_ok(pp_snp_report_parse(PP_BYTES(m->report), &report, NULL));
    for (size_t i = 0; i < PP_ADVISORY_COUNT; i++)
        assert_int_equal(pp_advisory_violated(&PP_ADVISORIES[i], &facts), a == &PP_ADVISORIES[i]);
}

static void each_line_refuses_what_breaks_it_by_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ADVISORY_COUNT; i++) {
        const struct pp_advisory *a = &PP_ADVISORIES[i];

        have_machine(a);
        pp_res r = appraise();
        if (!pp_is_ok(r))
            print_error("%s: refused although it keeps the line: %s %s\n", a->id,
                        pp_code_name(r.code), problem.field);
        assert_ok(r);

        break_line(a);
        r = appraise();
        if (r.code != (uint32_t)pp_advisory_code(a) || !names(a))
            print_error("%s: %s, %s\n", a->id, pp_code_name(r.code), problem.expected);
        assert_code(r, pp_advisory_code(a));
        assert_true(names(a));
        assert_broken_alone(a);
    }
}

/* The table does not lean on the platform's policy: where that one forgot the condition, it refuses
 * alone. */
static void each_line_holds_where_the_policy_forgot_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ADVISORY_COUNT; i++) {
        const struct pp_advisory *a = &PP_ADVISORIES[i];

        if (a->rule == PP_RULE_SNP_SIGNER || a->rule == PP_RULE_REGISTERED ||
            a->rule == PP_RULE_GPU_ALONE)
            continue; /* no VLEK is made here; nor has the host-set a policy; see appraise_gpu.c */
        have_machine(a);
        break_line(a);
        struct pp_snp_policy *p = &m->trust.hardware.snp;
        *p = (struct pp_snp_policy){ .version_min = 3,
                                     .signers = UINT32_MAX,
                                     .lines = UINT32_MAX,
                                     .allow_provisional = 1,
                                     .fw_min = { .major = 1, .minor = 55 } };
        m->trust.hardware.tdx.statuses = UINT32_MAX;
        m->trust.hardware.tdx.td_attributes = (struct pp_attest_bits){ 0 };
        assert_code(appraise(), PP_E_ADVISORY);
        assert_true(names(a));
        m->trust.hardware.waived = UINT64_C(1) << i;
        assert_ok(appraise());
    }
}

/* A processor of the line as its report names it, at patch level zero. */
static struct pp_snp_report unpatched(const struct pp_advisory *a, unsigned model, unsigned step)
{
    return (struct pp_snp_report){ .cpuid_family = a->line == PP_SNP_TURIN ? 0x1A : 0x19,
                                   .cpuid_model = (uint8_t)model,
                                   .cpuid_step = (uint8_t)step };
}

static int is_open(const struct pp_advisory *a, const struct pp_snp_report *r)
{
    const struct pp_advisory_facts facts = { .snp = r };

    return pp_advisory_violated(a, &facts);
}

/* Minimums differ from model to model, and a level of one says nothing about another. */
static void a_patch_level_is_asked_of_the_models_and_steppings_of_its_line_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ADVISORY_COUNT; i++) {
        const struct pp_advisory *a = &PP_ADVISORIES[i];
        if (a->rule != PP_RULE_SNP_TCB)
            continue;
        for (unsigned model = 0; model < 256; model++)
            for (unsigned step = 0; step < 16; step++) {
                struct pp_snp_report r = unpatched(a, model, step);
                int of_line = pp_snp_line_by_cpuid(r.cpuid_family, r.cpuid_model) == a->line;
                assert_int_equal(is_open(a, &r), of_line && model >= a->model_from &&
                                                     model <= a->model_to && step >= a->step_from &&
                                                     step <= a->step_to);
            }
    }
}

/* Levels and versions are committed one by one: what can be taken back is either of them. */
static void firmware_of_which_any_part_can_be_taken_back_is_provisional(void **state)
{
    (void)state;
    const struct pp_advisory *a = pp_advisory_find(PP_STR("provisional-firmware"));
    struct pp_snp_report r = { .current.build = 3, .committed.build = 3 };

    assert_false(is_open(a, &r));
    r.current_tcb.v[0] = 1;
    assert_true(is_open(a, &r));
    r.committed_tcb.v[0] = 1;
    assert_false(is_open(a, &r));
    r.committed.build = 2;
    assert_true(is_open(a, &r));
}

/* A bit that older reports have not is not missing there. */
static void a_bit_is_asked_of_the_reports_that_have_it(void **state)
{
    (void)state;
    const struct pp_advisory *a = pp_advisory_find(PP_STR("page-move"));
    struct pp_snp_report r = { .version = 4 };

    assert_false(is_open(a, &r));
    r.version = 5;
    assert_true(is_open(a, &r));
    r.policy = PP_SNP_POLICY_PAGE_SWAP_DISABLE;
    assert_false(is_open(a, &r));
}

/* A machine that breaks many lines is refused for one reason, and by a name that goes with it. */
static void the_name_of_a_refusal_is_that_of_a_line_of_its_code(void **state)
{
    (void)state;
    const struct pp_snp_report r = { .platform_info = 0 };
    const struct pp_advisory_facts facts = { .snp = &r };
    static const enum pp_code codes[] = { PP_E_SNP_POLICY, PP_E_SNP_PLATFORM };

    for (size_t i = 0; i < PP_ARRAY_COUNT(codes); i++) {
        const struct pp_advisory *a = pp_advisory_first(&facts, 0, codes[i]);
        assert_non_null(a);
        assert_int_equal(pp_advisory_code(a), codes[i]);
    }
    assert_null(pp_advisory_first(&facts, 0, PP_E_TDX_TD_ATTR));
    assert_non_null(pp_advisory_first(&facts, 0, PP_E_OK));
}

/* --- profiles --------------------------------------------------------------------------------- */

/* A profile is the strict one without what it waives: it takes that and nothing else. */
static void a_profile_waives_its_lines_and_no_other(void **state)
{
    (void)state;
    struct pp_hardware profile;

    for (size_t p = 0; pp_hardware_name(p) != NULL; p++)
        for (size_t i = 0; i < PP_ADVISORY_COUNT; i++) {
            const struct pp_advisory *a = &PP_ADVISORIES[i];

            have_machine(a);
            break_line(a);
            assert_ok(pp_hardware_profile(pp_span_cstr(pp_hardware_name(p)), &profile));
            m->trust.hardware = profile;
            pp_res r = appraise();
            int waived = (profile.waived >> i & 1) != 0;
            if (pp_is_ok(r) != waived)
                print_error("%s, %s: %s\n", profile.profile, a->id, pp_code_name(r.code));
            assert_int_equal(pp_is_ok(r), waived);
            if (!pp_is_ok(r))
                assert_true(names(a));
        }
}

static void what_a_profile_waives_is_said_as_skipped(void **state)
{
    (void)state;
    struct sim_chip_params params = sim_chip_params_default(PP_SNP_GENOA);
    size_t skipped = 0;

    have_chip(&params);
    assert_ok(pp_hardware_profile(PP_STR("fleet-2026"), &m->trust.hardware));
    assert_ok(appraise());
    for (size_t i = 0; i < checks.count; i++)
        if (checks.rows[i].code == PP_E_ADVISORY && checks.rows[i].verdict == PP_VERDICT_SKIPPED) {
            skipped++;
            assert_string_equal(checks.rows[i].anchor, "fleet-2026");
            assert_non_null(strstr(checks.rows[i].value, "7 ciphertext-hiding"));
        }
    assert_int_equal(skipped, 1);
    assert_ok(pp_hardware_profile(PP_STR("strict"), &m->trust.hardware));
    assert_int_equal(m->trust.hardware.waived, 0);
}

static void no_profile_accepts_a_debugged_or_migrated_guest(void **state)
{
    (void)state;
    struct sim_chip_params params = sim_chip_params_default(PP_SNP_GENOA);
    static const uint64_t never[] = { PP_SNP_POLICY_DEBUG, PP_SNP_POLICY_MIGRATE_MA };

    for (size_t p = 0; pp_hardware_name(p) != NULL; p++)
        for (size_t i = 0; i < PP_ARRAY_COUNT(never); i++) {
            have_chip(&params);
            assert_ok(pp_hardware_profile(pp_span_cstr(pp_hardware_name(p)), &m->trust.hardware));
            assert_ok(appraise());
            m->guest.policy |= never[i];
            assert_code(appraise(), PP_E_SNP_POLICY);
        }
}

/* The verifier's policy is asked for the same bits as the lines: neither leans on the other. */
static void a_profile_asks_for_every_bit_of_the_strict_one_but_those_it_waives(void **state)
{
    (void)state;
    struct pp_hardware h;

    for (size_t p = 0; pp_hardware_name(p) != NULL; p++) {
        struct pp_snp_policy want = PP_SNP_POLICY_STRICT;
        assert_ok(pp_hardware_profile(pp_span_cstr(pp_hardware_name(p)), &h));
        for (size_t i = 0; i < PP_ADVISORY_COUNT; i++) {
            const struct pp_advisory *a = &PP_ADVISORIES[i];
            const uint64_t bits = (h.waived >> i & 1) != 0 ? a->bits : 0;
            want.policy_bits.required &= ~(a->rule == PP_RULE_SNP_GUEST_ONE ? bits : 0);
            want.policy_bits.required_v5 &= ~(a->rule == PP_RULE_SNP_GUEST_ONE ? bits : 0);
            want.policy_bits.forbidden &= ~(a->rule == PP_RULE_SNP_GUEST_ZERO ? bits : 0);
            want.platform_bits.required &= ~(a->rule == PP_RULE_SNP_HOST_ONE ? bits : 0);
            want.platform_bits.forbidden &= ~(a->rule == PP_RULE_SNP_HOST_ZERO ? bits : 0);
        }
        assert_int_equal(h.snp.policy_bits.required, want.policy_bits.required);
        assert_int_equal(h.snp.policy_bits.required_v5, want.policy_bits.required_v5);
        assert_int_equal(h.snp.policy_bits.forbidden, want.policy_bits.forbidden);
        assert_int_equal(h.snp.platform_bits.required, want.platform_bits.required);
        assert_int_equal(h.snp.platform_bits.forbidden, want.platform_bits.forbidden);
    }
}

static void the_profiles_have_their_names_and_say_what_they_are(void **state)
{
    (void)state;
    static const char *const names[] = { "strict", "fleet-2026", "dev" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(names); i++) {
        assert_string_equal(pp_hardware_name(i), names[i]);
        assert_true(strlen(pp_hardware_what(i)) > 0);
    }
    assert_null(pp_hardware_name(PP_ARRAY_COUNT(names)));
    assert_null(pp_hardware_what(PP_ARRAY_COUNT(names)));
}

static void an_unknown_profile_is_not_found(void **state)
{
    (void)state;
    static const char *const words[] = { "",      "Strict",     "strict ",
                                         "fleet", "fleet-2027", "sibling-thread" };
    struct pp_hardware h;

    for (size_t i = 0; i < PP_ARRAY_COUNT(words); i++)
        assert_code(pp_hardware_profile(pp_span_cstr(words[i]), &h), PP_E_NOT_FOUND);
}

/* --- the file itself -------------------------------------------------------------------------- */

static void every_line_has_a_name_of_its_own_attacks_and_sources(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ADVISORY_COUNT; i++) {
        const struct pp_advisory *a = &PP_ADVISORIES[i];
        assert_ptr_equal(pp_advisory_find(pp_span_cstr(a->id)), a);
        assert_true(strlen(a->id) < 32 && a->attacks[0] != '\0' && a->sources[0] != '\0');
    }
    assert_null(pp_advisory_find(PP_STR("sibling")));
}

/* The floor of the verifier says the same as the lines, processor by processor. */
static void the_floor_and_the_lines_agree(void **state)
{
    (void)state;
    for (size_t f = 0; f < PP_SNP_POLICY_STRICT.floor_count; f++) {
        const struct pp_snp_floor *row = &PP_SNP_POLICY_STRICT.floor[f];
        uint8_t snp = 0, microcode = 0;

        for (size_t i = 0; i < PP_ADVISORY_COUNT; i++) {
            const struct pp_advisory *a = &PP_ADVISORIES[i];
            if (a->rule != PP_RULE_SNP_TCB || a->line != row->line ||
                a->model_from > row->model_from || a->model_to < row->model_to ||
                a->step_from > row->step_from || a->step_to < row->step_to)
                continue;
            snp = a->min.snp > snp ? a->min.snp : snp;
            microcode = a->min.microcode > microcode ? a->min.microcode : microcode;
        }
        assert_int_equal(snp, row->min.snp);
        assert_int_equal(microcode, row->min.microcode);
        assert_int_equal(row->min.boot_loader | row->min.tee | row->min.fmc, 0);
    }
}

/* The words of a refusal are cut, the advisory's name is not. */
static void the_name_survives_a_long_sentence(void **state)
{
    (void)state;
    const struct pp_advisory *a = pp_advisory_find(PP_STR("ciphertext-hiding-host"));
    struct pp_problem p = { 0 };

    memset(p.expected, 'x', sizeof p.expected - 1);
    pp_advisory_name(a, &p);
    assert_int_equal(strlen(p.expected), sizeof p.expected - 1);
    assert_string_equal(p.expected + sizeof p.expected - 1 - strlen(a->id), a->id);
    pp_problem_set(&p, "f", "", PP_STR(""));
    pp_advisory_name(a, &p);
    assert_string_equal(p.expected, "advisory ciphertext-hiding-host");
    pp_advisory_name(a, NULL);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(each_line_refuses_what_breaks_it_by_its_name),
    cmocka_unit_test(each_line_holds_where_the_policy_forgot_it),
    cmocka_unit_test(a_patch_level_is_asked_of_the_models_and_steppings_of_its_line_alone),
    cmocka_unit_test(firmware_of_which_any_part_can_be_taken_back_is_provisional),
    cmocka_unit_test(a_bit_is_asked_of_the_reports_that_have_it),
    cmocka_unit_test(the_name_of_a_refusal_is_that_of_a_line_of_its_code),
    cmocka_unit_test(a_profile_waives_its_lines_and_no_other),
    cmocka_unit_test(what_a_profile_waives_is_said_as_skipped),
    cmocka_unit_test(no_profile_accepts_a_debugged_or_migrated_guest),
    cmocka_unit_test(a_profile_asks_for_every_bit_of_the_strict_one_but_those_it_waives),
    cmocka_unit_test(the_profiles_have_their_names_and_say_what_they_are),
    cmocka_unit_test(an_unknown_profile_is_not_found),
    cmocka_unit_test(every_line_has_a_name_of_its_own_attacks_and_sources),
    cmocka_unit_test(the_floor_and_the_lines_agree),
    cmocka_unit_test(the_name_survives_a_long_sentence),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make, drop);
}
