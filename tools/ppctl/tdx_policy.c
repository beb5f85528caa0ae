/* SPDX-License-Identifier: Apache-2.0 */
#include "tdx_policy.h"

#include <string.h>

#include "text.h"

static const struct {
    const char *name;
    enum pp_tdx_pin pin;
    size_t len;
} PINS[] = {
    { "expected_qe_vendor_id_hex", PP_TDX_PIN_QE_VENDOR, PP_TDX_ID_BYTES },
    { "expected_fmspc_hex", PP_TDX_PIN_FMSPC, PP_TDX_FMSPC_BYTES },
    { "expected_td_attributes_hex", PP_TDX_PIN_TD_ATTR, 8 },
    { "expected_xfam_hex", PP_TDX_PIN_XFAM, 8 },
    { "expected_mr_seam_hex", PP_TDX_PIN_MRSEAM, PP_TDX_MEASUREMENT_BYTES },
    { "expected_mr_signer_seam_hex", PP_TDX_PIN_MRSIGNERSEAM, PP_TDX_MEASUREMENT_BYTES },
    { "expected_seam_attributes_hex", PP_TDX_PIN_SEAM_ATTR, 8 },
    { "expected_mrtd_hex", PP_TDX_PIN_MRTD, PP_TDX_MEASUREMENT_BYTES },
    { "expected_rtmr0_hex", PP_TDX_PIN_RTMR0, PP_TDX_MEASUREMENT_BYTES },
    { "expected_rtmr1_hex", PP_TDX_PIN_RTMR1, PP_TDX_MEASUREMENT_BYTES },
    { "expected_rtmr2_hex", PP_TDX_PIN_RTMR2, PP_TDX_MEASUREMENT_BYTES },
    { "expected_rtmr3_hex", PP_TDX_PIN_RTMR3, PP_TDX_MEASUREMENT_BYTES },
    { "expected_mr_config_id_hex", PP_TDX_PIN_MRCONFIGID, PP_TDX_MEASUREMENT_BYTES },
    { "expected_mr_owner_hex", PP_TDX_PIN_MROWNER, PP_TDX_MEASUREMENT_BYTES },
    { "expected_mr_owner_config_hex", PP_TDX_PIN_MROWNERCONFIG, PP_TDX_MEASUREMENT_BYTES },
    { "expected_mr_service_td_hex", PP_TDX_PIN_MRSERVICETD, PP_TDX_MEASUREMENT_BYTES },
};

/* The vendor's quote verification library has its own words for the statuses. */
static const struct {
    const char *word;
    enum pp_tdx_status status;
} STATUS_WORDS[] = {
    { "OK", PP_TDX_UP_TO_DATE },
    { "SW_HARDENING_NEEDED", PP_TDX_SW_HARDENING_NEEDED },
    { "CONFIG_NEEDED", PP_TDX_CONFIGURATION_NEEDED },
    { "CONFIG_AND_SW_HARDENING_NEEDED", PP_TDX_CONFIGURATION_AND_SW_HARDENING_NEEDED },
    { "OUT_OF_DATE", PP_TDX_OUT_OF_DATE },
    { "OUT_OF_DATE_CONFIG_NEEDED", PP_TDX_OUT_OF_DATE_CONFIGURATION_NEEDED },
};

static pp_res refuse(struct pp_problem *problem, const char *key, const char *expected,
                     const json_t *value)
{
    const char *text = json_string_value(value);

    pp_problem_set(problem, key, expected, pp_span_cstr(text == NULL ? "" : text));
    return PP_FAIL(PP_E_CONFIG, 0);
}

/* --- values ----------------------------------------------------------------------------------- */

/* Either case of hexadecimal, exactly as long as the field. */
static int read_hex(const json_t *value, uint8_t *ret, size_t len)
{
    char lower[2 * PP_TDX_REPORT_DATA_BYTES + 1];
    const char *text = json_string_value(value);

    if (text == NULL || strlen(text) != 2 * len)
        return 0;
    for (size_t i = 0; i <= 2 * len; i++)
        lower[i] = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] - 'A' + 'a') : text[i];
    return pp_is_ok(pp_hex_parse(pp_span(lower, 2 * len), ret, len));
}

static struct pp_attest_set set_of(const uint8_t *values, size_t count)
{
    return (struct pp_attest_set){ .values = values, .count = count, .anchor = "policy file" };
}

static int read_status(const json_t *value, uint32_t *statuses)
{
    const char *text = json_string_value(value);
    enum pp_tdx_status status;

    for (size_t i = 0; text != NULL && i < PP_ARRAY_COUNT(STATUS_WORDS); i++)
        if (strcmp(STATUS_WORDS[i].word, text) == 0) {
            *statuses |= PP_ATTEST_BIT(STATUS_WORDS[i].status);
            return 1;
        }
    if (text == NULL || !pp_is_ok(pp_tdx_status_parse(pp_span_cstr(text), &status)))
        return 0;
    *statuses |= PP_ATTEST_BIT(status);
    return 1;
}

static pp_res read_statuses(struct ppctl_tdx_policy *p, const char *key, const json_t *value,
                            struct pp_problem *problem)
{
    size_t i;
    const json_t *word;

    if (!json_is_array(value))
        return refuse(problem, key, "a list of statuses", value);
    p->policy.statuses = 0;
    json_array_foreach(value, i, word)
    {
        if (!read_status(word, &p->policy.statuses))
            return refuse(problem, key, "a status, as \"UpToDate\" or \"OK\"", word);
    }
    return PP_OK;
}

static pp_res read_mrseams(struct ppctl_tdx_policy *p, const char *key, const json_t *value,
                           struct pp_problem *problem)
{
    size_t count = json_array_size(value);
    size_t i;
    const json_t *hex;

    if (count < 1 || count > PPCTL_TDX_MRSEAMS_MAX)
        return refuse(problem, key, "a list of 1 to 32 values", value);
    json_array_foreach(value, i, hex)
    {
        if (!read_hex(hex, p->mrseams + i * PP_TDX_MEASUREMENT_BYTES, PP_TDX_MEASUREMENT_BYTES))
            return refuse(problem, key, "hexadecimal, of the field's length", hex);
    }
    p->policy.pins[PP_TDX_PIN_MRSEAM] = set_of(p->mrseams, count);
    return PP_OK;
}

static pp_res read_pin(struct ppctl_tdx_policy *p, size_t i, const json_t *value,
                       struct pp_problem *problem)
{
    uint8_t *at = p->pins[PINS[i].pin];

    if (!read_hex(value, at, PINS[i].len))
        return refuse(problem, PINS[i].name, "hexadecimal, of the field's length", value);
    p->policy.pins[PINS[i].pin] = set_of(at, 1);
    return PP_OK;
}

static pp_res read_flag(const char *key, const json_t *value, uint32_t *skip, uint32_t checks,
                        struct pp_problem *problem)
{
    if (!json_is_boolean(value))
        return refuse(problem, key, "true or false", value);
    *skip = json_is_true(value) ? *skip & ~checks : *skip | checks;
    return PP_OK;
}

static pp_res read_evaluation(struct ppctl_tdx_policy *p, const char *key, const json_t *value,
                              struct pp_problem *problem)
{
    json_int_t n = json_integer_value(value);

    if (!json_is_integer(value) || n < 0 || n > UINT32_MAX)
        return refuse(problem, key, "an integer from 0 to 4294967295", value);
    p->policy.evaluation_min = (uint32_t)n;
    return PP_OK;
}

static pp_res read_other(struct ppctl_tdx_policy *p, const char *key, const json_t *value,
                         struct pp_problem *problem)
{
    struct pp_tdx_policy *policy = &p->policy;

    if (strcmp(key, "tcb_evaluation_required") == 0)
        return read_flag(key, value, &policy->skip, PP_TDX_COLLATERAL, problem);
    if (strcmp(key, "enforce_spec_defaults") == 0)
        return read_flag(key, value, &policy->skip,
                         PP_ATTEST_BIT(PP_TDX_CHECK_TD_ATTR) | PP_ATTEST_BIT(PP_TDX_CHECK_XFAM),
                         problem);
    if (strcmp(key, "accepted_qv_results") == 0)
        return read_statuses(p, key, value, problem);
    if (strcmp(key, "expected_mrseam_allowlist") == 0)
        return read_mrseams(p, key, value, problem);
    if (strcmp(key, "min_tcb_evaluation_data_number") == 0)
        return read_evaluation(p, key, value, problem);
    if (strcmp(key, "min_tee_tcb_svn_hex") == 0)
        return read_hex(value, policy->tee_tcb_svn_min, sizeof policy->tee_tcb_svn_min)
                   ? PP_OK
                   : refuse(problem, key, "32 hexadecimal digits", value);
    if (strcmp(key, "expected_report_data_hex") == 0) {
        if (!read_hex(value, p->report_data, sizeof p->report_data))
            return refuse(problem, key, "128 hexadecimal digits", value);
        policy->report_data = p->report_data;
        policy->report_data_anchor = "policy file";
        policy->skip &= ~PP_ATTEST_BIT(PP_TDX_CHECK_BINDING);
        return PP_OK;
    }
    if (strcmp(key, "expected_platform_id_hex") == 0) {
        if (!read_hex(value, p->host_id, PP_TDX_ID_BYTES))
            return refuse(problem, key, "32 hexadecimal digits", value);
        policy->host_ids = set_of(p->host_id, 1);
        policy->skip &= ~PP_ATTEST_BIT(PP_TDX_CHECK_HOST_ID);
        return PP_OK;
    }
    pp_problem_set(problem, key, "a key that docs/protocol/tdx.md lists", pp_span_cstr(key));
    return PP_FAIL(PP_E_CONFIG, 0);
}

/* --- policies --------------------------------------------------------------------------------- */

pp_res ppctl_tdx_policy_read(const json_t *json, struct ppctl_tdx_policy *ret,
                             struct pp_problem *problem)
{
    const char *key;
    json_t *value;

    *ret = (struct ppctl_tdx_policy){
        .policy = { .name = "policy file",
                    .skip = PP_TDX_SKIPPABLE & ~PP_TDX_COLLATERAL,
                    .statuses = PP_ATTEST_BIT(PP_TDX_UP_TO_DATE) |
                                PP_ATTEST_BIT(PP_TDX_SW_HARDENING_NEEDED) |
                                PP_ATTEST_BIT(PP_TDX_CONFIGURATION_NEEDED) |
                                PP_ATTEST_BIT(PP_TDX_CONFIGURATION_AND_SW_HARDENING_NEEDED) },
    };
    json_object_foreach((json_t *)json, key, value)
    {
        size_t i = 0;
        if (json_is_null(value))
            continue;
        while (i < PP_ARRAY_COUNT(PINS) && strcmp(PINS[i].name, key) != 0)
            i++;
        PP_TRY(i < PP_ARRAY_COUNT(PINS) ? read_pin(ret, i, value, problem)
                                        : read_other(ret, key, value, problem));
    }
    return PP_OK;
}

void ppctl_tdx_policy_strict(struct ppctl_tdx_policy *ret)
{
    *ret = (struct ppctl_tdx_policy){ .policy = PP_TDX_POLICY_STRICT };
    ret->policy.skip = PP_ATTEST_BIT(PP_TDX_CHECK_MEASUREMENT) |
                       PP_ATTEST_BIT(PP_TDX_CHECK_BINDING) | PP_ATTEST_BIT(PP_TDX_CHECK_HOST_ID);
}

pp_res ppctl_tdx_anchors_pem(struct pp_span pem, struct pp_tdx_anchors *ret)
{
    struct pp_x509_pem blocks = { 0 };

    PP_TRY(pp_x509_pem_parse(pem, &blocks));
    pp_res r = pp_tdx_anchors_add(
        ret, pp_span(blocks.der[blocks.count - 1], blocks.der_len[blocks.count - 1]));
    pp_x509_pem_free(&blocks);
    return r;
}
