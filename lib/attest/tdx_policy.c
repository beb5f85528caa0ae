/* SPDX-License-Identifier: Apache-2.0 */
/* Checks 14 to 20: is this proven machine and guest one that the policy accepts. */
#include "tdx_int.h"

#include "ct.h"

struct tdx_u64le tdx_u64le(uint64_t v)
{
    struct tdx_u64le n;

    for (size_t i = 0; i < sizeof n.bytes; i++)
        n.bytes[i] = (uint8_t)(v >> 8 * i);
    return n;
}

const char *tdx_policy_name(const struct tdx_ctx *c)
{
    return c->policy->name == NULL ? "policy" : c->policy->name;
}

int tdx_is_asked(const struct tdx_ctx *c, const struct pp_attest_check *row)
{
    return (c->policy->skip & PP_ATTEST_BIT(row->number)) == 0;
}

static const char *const PIN_NAMES[PP_TDX_PINS] = {
    [PP_TDX_PIN_QE_VENDOR] = "QE vendor id",
    [PP_TDX_PIN_FMSPC] = "FMSPC",
    [PP_TDX_PIN_TD_ATTR] = "TDATTRIBUTES",
    [PP_TDX_PIN_XFAM] = "XFAM",
    [PP_TDX_PIN_MRSEAM] = "MRSEAM",
    [PP_TDX_PIN_MRSIGNERSEAM] = "MRSIGNERSEAM",
    [PP_TDX_PIN_SEAM_ATTR] = "SEAMATTRIBUTES",
    [PP_TDX_PIN_MRTD] = "MRTD",
    [PP_TDX_PIN_RTMR0] = "RTMR0",
    [PP_TDX_PIN_RTMR1] = "RTMR1",
    [PP_TDX_PIN_RTMR2] = "RTMR2",
    [PP_TDX_PIN_RTMR3] = "RTMR3",
    [PP_TDX_PIN_MRCONFIGID] = "MRCONFIGID",
    [PP_TDX_PIN_MROWNER] = "MROWNER",
    [PP_TDX_PIN_MROWNERCONFIG] = "MROWNERCONFIG",
    [PP_TDX_PIN_MRSERVICETD] = "MRSERVICETD",
};

pp_res tdx_check_pin(const struct tdx_ctx *c, struct pp_attest_check *row, enum pp_tdx_pin pin,
                     struct pp_span value)
{
    const struct pp_attest_set *set = &c->policy->pins[pin];

    if (!attest_set_given(set))
        return PP_OK;
    return attest_check_member(row, tdx_policy_name(c), PIN_NAMES[pin], set, value);
}

/* The pinned values, or zero where nothing is pinned and the check is asked for. */
static pp_res check_pin_or_zero(const struct tdx_ctx *c, struct pp_attest_check *row,
                                enum pp_tdx_pin pin, struct pp_span value)
{
    static const uint8_t zero[PP_TDX_MEASUREMENT_BYTES];

    if (attest_set_given(&c->policy->pins[pin]) || !tdx_is_asked(c, row))
        return tdx_check_pin(c, row, pin, value);
    attest_anchor(row, tdx_policy_name(c));
    pp_problem_hex(&row->problem, PIN_NAMES[pin], pp_span(zero, value.len), value);
    ATTEST_CHECK(row, pp_span_eq(pp_span(zero, value.len), value));
    return PP_OK;
}

pp_res tdx_check_td_attr(struct tdx_ctx *c, struct pp_attest_check *row)
{
    const struct pp_attest_bits *bits = &c->policy->td_attributes;
    uint64_t value = c->quote.body.td_attributes;
    struct tdx_u64le bytes = tdx_u64le(value);

    PP_TRY(tdx_check_pin(c, row, PP_TDX_PIN_TD_ATTR, PP_BYTES(bytes.bytes)));
    if (!tdx_is_asked(c, row))
        return PP_OK;
    attest_anchor(row, tdx_policy_name(c));
    return attest_check_bits(row, "TDATTRIBUTES", bits->required,
                             bits->forbidden | PP_TDX_ATTR_DEBUG | PP_TDX_ATTR_RESERVED, value);
}

pp_res tdx_check_xfam(struct tdx_ctx *c, struct pp_attest_check *row)
{
    uint64_t value = c->quote.body.xfam;
    struct tdx_u64le bytes = tdx_u64le(value);

    PP_TRY(tdx_check_pin(c, row, PP_TDX_PIN_XFAM, PP_BYTES(bytes.bytes)));
    if (!tdx_is_asked(c, row))
        return PP_OK;
    attest_anchor(row, tdx_policy_name(c));
    return attest_check_bits(row, "XFAM", PP_TDX_XFAM_ALWAYS, ~PP_TDX_XFAM_ALLOWED, value);
}

pp_res tdx_check_seam_pin(struct tdx_ctx *c, struct pp_attest_check *row)
{
    const struct pp_tdx_body *b = &c->quote.body;
    struct tdx_u64le attributes = tdx_u64le(b->seam_attributes);

    PP_TRY(check_pin_or_zero(c, row, PP_TDX_PIN_SEAM_ATTR, PP_BYTES(attributes.bytes)));
    PP_TRY(check_pin_or_zero(c, row, PP_TDX_PIN_MRSIGNERSEAM, PP_BYTES(b->mrsignerseam)));
    return tdx_check_pin(c, row, PP_TDX_PIN_MRSEAM, PP_BYTES(b->mrseam));
}

/* MRTD and the three registers of a release belong together: two releases cannot be mixed. */
static pp_res check_launch(const struct tdx_ctx *c, struct pp_attest_check *row)
{
    const struct pp_tdx_body *b = &c->quote.body;
    uint8_t launch[PP_TDX_LAUNCH_BYTES];

    memcpy(launch, b->mrtd, sizeof b->mrtd);
    memcpy(launch + sizeof b->mrtd, b->rtmr, 3 * sizeof b->rtmr[0]);
    return attest_check_member(row, tdx_policy_name(c), "MRTD, RTMR0, RTMR1, RTMR2",
                               &c->policy->launches, PP_BYTES(launch));
}

pp_res tdx_check_measurement(struct tdx_ctx *c, struct pp_attest_check *row)
{
    const struct pp_tdx_body *b = &c->quote.body;
    static const enum pp_tdx_pin rtmrs[] = { PP_TDX_PIN_RTMR0, PP_TDX_PIN_RTMR1, PP_TDX_PIN_RTMR2 };

    PP_TRY(check_pin_or_zero(c, row, PP_TDX_PIN_MROWNER, PP_BYTES(b->mrowner)));
    PP_TRY(check_pin_or_zero(c, row, PP_TDX_PIN_MROWNERCONFIG, PP_BYTES(b->mrownerconfig)));
    PP_TRY(check_pin_or_zero(c, row, PP_TDX_PIN_RTMR3, PP_BYTES(b->rtmr[3])));
    PP_TRY(check_pin_or_zero(c, row, PP_TDX_PIN_MRCONFIGID, PP_BYTES(b->mrconfigid)));
    for (size_t i = 0; i < PP_ARRAY_COUNT(rtmrs); i++)
        PP_TRY(tdx_check_pin(c, row, rtmrs[i], PP_BYTES(b->rtmr[i])));
    PP_TRY(tdx_check_pin(c, row, PP_TDX_PIN_MRTD, PP_BYTES(b->mrtd)));
    return tdx_is_asked(c, row) ? check_launch(c, row) : PP_OK;
}

/* A service TD (for migration, say) can reach into the guest that binds it. */
pp_res tdx_check_service_td(struct tdx_ctx *c, struct pp_attest_check *row)
{
    if (c->quote.body_type != PP_TDX_BODY_15 &&
        !attest_set_given(&c->policy->pins[PP_TDX_PIN_MRSERVICETD]))
        return attest_skip(row, "a TDX 1.0 body has no such field");
    return check_pin_or_zero(c, row, PP_TDX_PIN_MRSERVICETD, PP_BYTES(c->quote.body.mrservicetd));
}

pp_res tdx_check_binding(struct tdx_ctx *c, struct pp_attest_check *row)
{
    const uint8_t *expected = c->policy->report_data;
    const uint8_t *got = c->quote.body.report_data;

    attest_anchor(row, c->policy->report_data_anchor == NULL ? "this session"
                                                             : c->policy->report_data_anchor);
    attest_say(row, "REPORTDATA", "the value of this session", "none was given to compare with");
    ATTEST_CHECK(row, expected != NULL);
    pp_problem_hex(&row->problem, "REPORTDATA", pp_span(expected, PP_TDX_REPORT_DATA_BYTES),
                   pp_span(got, PP_TDX_REPORT_DATA_BYTES));
    ATTEST_CHECK(row, pp_ct_eq(expected, got, PP_TDX_REPORT_DATA_BYTES) == 1);
    return PP_OK;
}

/* The id is the certificate's: the vendor wrote that one, not the machine. */
pp_res tdx_check_host_id(struct tdx_ctx *c, struct pp_attest_check *row)
{
    uint8_t id[PP_TDX_HOST_ID_BYTES] = { 0 };

    memcpy(id, c->pck.ppid, sizeof c->pck.ppid);
    return attest_check_member(row, tdx_policy_name(c), "platform", &c->policy->host_ids,
                               PP_BYTES(id));
}
