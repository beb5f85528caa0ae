/* SPDX-License-Identifier: Apache-2.0 */
/* Checks 11 to 23: is this proven machine and guest one that the policy accepts. */
#include "snp_int.h"

#include "ct.h"
#include "wr.h"

static void write_version(struct pp_wr *wr, const struct pp_snp_version *v)
{
    pp_wr_decimal(wr, v->major);
    pp_wr_text(wr, ".");
    pp_wr_decimal(wr, v->minor);
    pp_wr_text(wr, ".");
    pp_wr_decimal(wr, v->build);
}

static void say_versions(struct pp_attest_check *row, const char *field, const char *relation,
                         const struct pp_snp_version *expected, const struct pp_snp_version *got)
{
    char want[64];
    char have[32];
    struct pp_wr wr = pp_wr_over(want, sizeof want);

    pp_wr_text(&wr, relation);
    write_version(&wr, expected);
    pp_wr_u8(&wr, 0);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    wr = pp_wr_over(have, sizeof have);
    write_version(&wr, got);
    pp_problem_set(&row->problem, field, want, pp_wr_done(&wr));
}

/* Major, minor, build, as one number that grows with them. */
static uint32_t version_number(const struct pp_snp_version *v)
{
    return (uint32_t)v->major << 16 | (uint32_t)v->minor << 8 | v->build;
}

pp_res snp_check_provisional(struct snp_ctx *c, struct pp_attest_check *row)
{
    const struct pp_snp_report *r = &c->report;

    if (c->policy->allow_provisional)
        return attest_skip(row, "provisional firmware is allowed");
    attest_anchor(row, snp_policy_name(c));
    say_versions(row, "committed firmware", "", &r->current, &r->committed);
    ATTEST_CHECK(row, version_number(&r->committed) == version_number(&r->current));
    snp_say_tcb(row, "COMMITTED_TCB", c->line, "", &r->current_tcb, &r->committed_tcb);
    ATTEST_CHECK(row, pp_snp_tcb_eq(&r->committed_tcb, &r->current_tcb));
    return PP_OK;
}

static const struct pp_snp_floor *find_floor(const struct snp_ctx *c)
{
    const struct pp_snp_report *r = &c->report;

    if (r->version < 3) /* without CPUID there is no telling which row it is */
        return NULL;
    for (size_t i = 0; i < c->policy->floor_count; i++) {
        const struct pp_snp_floor *f = &c->policy->floor[i];
        if (f->line == c->line && f->model_from <= r->cpuid_model &&
            r->cpuid_model <= f->model_to && f->step_from <= r->cpuid_step &&
            r->cpuid_step <= f->step_to)
            return f;
    }
    return NULL;
}

/* The higher of two minima, component by component. */
static struct pp_snp_tcb higher(const struct pp_snp_tcb *a, const struct pp_snp_tcb *b)
{
    struct pp_snp_tcb max;

    for (size_t i = 0; i < sizeof max.v; i++)
        max.v[i] = a->v[i] > b->v[i] ? a->v[i] : b->v[i];
    return max;
}

static void say_minimum_anchor(struct snp_ctx *c, struct pp_attest_check *row, const char *source)
{
    char text[sizeof row->anchor];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    pp_wr_text(&wr, snp_policy_name(c));
    pp_wr_text(&wr, source[0] == '\0' ? "" : ", ");
    pp_wr_text(&wr, source);
    pp_wr_u8(&wr, 0);
    attest_anchor(row, pp_is_ok(pp_wr_ok(&wr)) ? text : source);
}

/*
 * The certified level equals the reported one (check 9), which is at most the committed and the
 * current one (check 10): a minimum of the first is a minimum of all four.
 */
pp_res snp_check_tcb_min(struct snp_ctx *c, struct pp_attest_check *row)
{
    struct pp_snp_tcb min = pp_snp_tcb_join(c->line, &c->policy->tcb_min[c->line]);
    struct pp_snp_tcb launch_min = pp_snp_tcb_join(c->line, &c->policy->launch_tcb_min[c->line]);
    const char *source = "";

    if (c->policy->floor != NULL) {
        const struct pp_snp_floor *f = find_floor(c);
        attest_anchor(row, "compiled-in floor");
        attest_say(row, "processor", "one that the floor of patch levels knows", "another");
        ATTEST_CHECK(row, f != NULL);
        struct pp_snp_tcb floor = pp_snp_tcb_join(c->line, &f->min);
        min = higher(&min, &floor);
        launch_min = higher(&launch_min, &floor);
        source = f->source;
    }
    say_minimum_anchor(c, row, source);
    snp_say_tcb(row, "LAUNCH_TCB", c->line, "at least ", &launch_min, &c->report.launch_tcb);
    if (!pp_snp_tcb_le(&min, &c->certified_tcb) ||
        pp_snp_tcb_le(&launch_min, &c->report.launch_tcb))
        snp_say_tcb(row, "certified TCB", c->line, "at least ", &min, &c->certified_tcb);
    ATTEST_CHECK(row, pp_snp_tcb_le(&min, &c->certified_tcb));
    ATTEST_CHECK(row, pp_snp_tcb_le(&launch_min, &c->report.launch_tcb));
    return PP_OK;
}

pp_res snp_check_fw_min(struct snp_ctx *c, struct pp_attest_check *row)
{
    const struct pp_snp_version *min = &c->policy->fw_min;

    if (version_number(min) == 0)
        return attest_skip(row, "no minimum is asked for");
    attest_anchor(row, snp_policy_name(c));
    say_versions(row, "committed firmware", "at least ", min, &c->report.committed);
    ATTEST_CHECK(row, version_number(&c->report.committed) >= version_number(min));
    say_versions(row, "current firmware", "at least ", min, &c->report.current);
    ATTEST_CHECK(row, version_number(&c->report.current) >= version_number(min));
    return PP_OK;
}

pp_res snp_check_mitigation(struct snp_ctx *c, struct pp_attest_check *row)
{
    uint64_t required = c->policy->mitigations;

    if (required == 0)
        return attest_skip(row, "no mitigation is asked for");
    if (c->report.version < 5)
        return attest_skip(row, "reports before version 5 have no vectors");
    attest_anchor(row, snp_policy_name(c));
    attest_say_number(row, "LAUNCH_MIT_VECTOR", "all required bits", c->report.launch_mit_vector);
    ATTEST_CHECK(row, (c->report.launch_mit_vector & required) == required);
    attest_say_number(row, "CURRENT_MIT_VECTOR", "all required bits", c->report.current_mit_vector);
    ATTEST_CHECK(row, (c->report.current_mit_vector & required) == required);
    return PP_OK;
}

static pp_res check_bits(const struct snp_ctx *c, struct pp_attest_check *row, const char *field,
                         const struct pp_attest_bits *bits, uint64_t forbidden_always,
                         uint64_t value)
{
    uint64_t required = bits->required | (c->report.version >= 5 ? bits->required_v5 : 0);

    attest_anchor(row, snp_policy_name(c));
    return attest_check_bits(row, field, required, bits->forbidden | forbidden_always, value);
}

pp_res snp_check_policy(struct snp_ctx *c, struct pp_attest_check *row)
{
    uint64_t policy = c->report.policy;

    PP_TRY(check_bits(c, row, "POLICY", &c->policy->policy_bits,
                      PP_SNP_POLICY_DEBUG | PP_SNP_POLICY_MIGRATE_MA, policy));
    if ((policy & 0xFFFF) < c->policy->abi_min) {
        attest_say_number(row, "POLICY, ABI", "at least the policy's ABI", policy & 0xFFFF);
        return PP_FAIL(row->code, row->number);
    }
    return PP_OK;
}

pp_res snp_check_platform(struct snp_ctx *c, struct pp_attest_check *row)
{
    return check_bits(c, row, "PLATFORM_INFO", &c->policy->platform_bits, PP_SNP_PLATFORM_RESERVED,
                      c->report.platform_info);
}

pp_res snp_check_vmpl(struct snp_ctx *c, struct pp_attest_check *row)
{
    attest_anchor(row, snp_policy_name(c));
    pp_problem_numbers(&row->problem, "VMPL", c->policy->vmpl, c->report.vmpl);
    ATTEST_CHECK(row, c->report.vmpl == c->policy->vmpl);
    return PP_OK;
}

pp_res snp_check_migration(struct snp_ctx *c, struct pp_attest_check *row)
{
    uint8_t none[sizeof c->report.report_id_ma];

    memset(none, 0xFF, sizeof none);
    attest_anchor(row, "no migration agent");
    pp_problem_hex(&row->problem, "REPORT_ID_MA", PP_BYTES(none), PP_BYTES(c->report.report_id_ma));
    ATTEST_CHECK(row, pp_span_eq(PP_BYTES(c->report.report_id_ma), PP_BYTES(none)));
    return PP_OK;
}

pp_res snp_check_measurement(struct snp_ctx *c, struct pp_attest_check *row)
{
    return attest_check_member(row, snp_policy_name(c), "MEASUREMENT", &c->policy->measurements,
                               PP_BYTES(c->report.measurement));
}

pp_res snp_check_host_data(struct snp_ctx *c, struct pp_attest_check *row)
{
    return attest_check_member(row, snp_policy_name(c), "HOST_DATA", &c->policy->host_data,
                               PP_BYTES(c->report.host_data));
}

static pp_res check_id(struct pp_attest_check *row, const char *field, const uint8_t *expected,
                       struct pp_span got)
{
    if (expected == NULL)
        return PP_OK;
    pp_problem_hex(&row->problem, field, pp_span(expected, got.len), got);
    ATTEST_CHECK(row, pp_span_eq(pp_span(expected, got.len), got));
    return PP_OK;
}

pp_res snp_check_id_block(struct snp_ctx *c, struct pp_attest_check *row)
{
    const struct pp_snp_policy *p = c->policy;
    const struct pp_snp_report *r = &c->report;

    if (!attest_set_given(&p->id_keys) && !attest_set_given(&p->author_keys) &&
        p->family_id == NULL && p->image_id == NULL && p->guest_svn_min == 0)
        return attest_skip(row, "no ID block is asked for");
    attest_anchor(row, snp_policy_name(c));
    if (attest_set_given(&p->author_keys) ||
        (attest_set_given(&p->id_keys) && pp_snp_author_key_en(r)))
        PP_TRY(attest_check_member(row, snp_policy_name(c), "AUTHOR_KEY_DIGEST", &p->author_keys,
                                   PP_BYTES(r->author_key_digest)));
    PP_TRY(check_id(row, "FAMILY_ID", p->family_id, PP_BYTES(r->family_id)));
    PP_TRY(check_id(row, "IMAGE_ID", p->image_id, PP_BYTES(r->image_id)));
    if (p->guest_svn_min > 0) {
        pp_problem_numbers(&row->problem, "GUEST_SVN", p->guest_svn_min, r->guest_svn);
        ATTEST_CHECK(row, r->guest_svn >= p->guest_svn_min);
    }
    if (attest_set_given(&p->id_keys))
        return attest_check_member(row, snp_policy_name(c), "ID_KEY_DIGEST", &p->id_keys,
                                   PP_BYTES(r->id_key_digest));
    return PP_OK;
}

/* The id is the certificate's: the vendor wrote that one, not the machine. */
pp_res snp_check_host_id(struct snp_ctx *c, struct pp_attest_check *row)
{
    if (c->signer == PP_SNP_VLEK) {
        attest_say(row, "chip", "one of the published hosts", "a VLEK names no chip");
        return PP_FAIL(row->code, row->number);
    }
    return attest_check_member(row, snp_policy_name(c), "chip", &c->policy->chip_ids,
                               PP_BYTES(c->ext.hwid));
}

pp_res snp_check_binding(struct snp_ctx *c, struct pp_attest_check *row)
{
    const uint8_t *expected = c->policy->report_data;

    attest_anchor(row, c->policy->report_data_anchor == NULL ? "this session"
                                                             : c->policy->report_data_anchor);
    attest_say(row, "REPORT_DATA", "the value of this session", "none was given to compare with");
    ATTEST_CHECK(row, expected != NULL);
    pp_problem_hex(&row->problem, "REPORT_DATA", pp_span(expected, PP_SNP_REPORT_DATA_BYTES),
                   PP_BYTES(c->report.report_data));
    ATTEST_CHECK(row, pp_ct_eq(expected, c->report.report_data, PP_SNP_REPORT_DATA_BYTES) == 1);
    return PP_OK;
}
