/* SPDX-License-Identifier: Apache-2.0 */
#include "tdx_collateral.h"

#include "tdx_json_int.h"
#include "text.h"

/* --- statuses --------------------------------------------------------------------------------- */

static const char *const STATUSES[PP_TDX_STATUSES] = {
    [PP_TDX_UP_TO_DATE] = "UpToDate",
    [PP_TDX_SW_HARDENING_NEEDED] = "SWHardeningNeeded",
    [PP_TDX_CONFIGURATION_NEEDED] = "ConfigurationNeeded",
    [PP_TDX_CONFIGURATION_AND_SW_HARDENING_NEEDED] = "ConfigurationAndSWHardeningNeeded",
    [PP_TDX_OUT_OF_DATE] = "OutOfDate",
    [PP_TDX_OUT_OF_DATE_CONFIGURATION_NEEDED] = "OutOfDateConfigurationNeeded",
    [PP_TDX_REVOKED] = "Revoked",
};

const char *pp_tdx_status_name(enum pp_tdx_status status)
{
    PP_ASSERT(status < PP_TDX_STATUSES);
    return STATUSES[status];
}

pp_res pp_tdx_status_parse(struct pp_span name, enum pp_tdx_status *ret)
{
    for (size_t i = 0; i < PP_TDX_STATUSES; i++)
        if (pp_span_eq(name, pp_span_cstr(STATUSES[i]))) {
            *ret = (enum pp_tdx_status)i;
            return PP_OK;
        }
    return PP_FAIL(PP_E_NOT_FOUND, name.len);
}

enum pp_tdx_status pp_tdx_status_merge(enum pp_tdx_status platform, enum pp_tdx_status module,
                                       enum pp_tdx_status qe)
{
    enum pp_tdx_status worst = platform;
    int configuration = platform == PP_TDX_CONFIGURATION_NEEDED ||
                        platform == PP_TDX_CONFIGURATION_AND_SW_HARDENING_NEEDED;

    worst = module > worst ? module : worst;
    worst = qe > worst ? qe : worst;
    if (worst == PP_TDX_OUT_OF_DATE && configuration)
        return PP_TDX_OUT_OF_DATE_CONFIGURATION_NEEDED;
    return worst;
}

/* --- the signed envelope ---------------------------------------------------------------------- */

static void read_body(struct tdx_json *rd, void *into)
{
    struct pp_span body = tdx_json_raw(rd);

    if (rd->failed == PP_E_OK && body.at[0] != '{')
        tdx_json_fail(rd, PP_E_FORMAT);
    ((struct pp_tdx_signed *)into)->body = body;
}

/* Lower case only: the signature is the one part that nothing signs, so it has one form. */
static void read_signature(struct tdx_json *rd, void *into)
{
    struct pp_span text = tdx_json_text(rd);

    if (rd->failed == PP_E_OK &&
        !pp_is_ok(
            pp_hex_parse(text, ((struct pp_tdx_signed *)into)->signature, PP_TDX_SIGNATURE_BYTES)))
        tdx_json_fail(rd, PP_E_FORMAT);
}

pp_res pp_tdx_signed_parse(struct pp_span json, const char *name, struct pp_tdx_signed *ret,
                           struct pp_problem *problem)
{
    const struct tdx_json_field fields[] = { { name, read_body, 0 },
                                             { "signature", read_signature, 0 } };
    struct tdx_json rd = tdx_json_over(json);
    struct pp_tdx_signed s = { 0 };

    PP_CHECK(json.len <= PP_TDX_COLLATERAL_BYTES_MAX, PP_E_LIMIT, json.len);
    tdx_json_object(&rd, fields, PP_ARRAY_COUNT(fields), 1, &s);
    PP_TRY(tdx_json_end(&rd, problem));
    *ret = s;
    return PP_OK;
}

/* --- values ----------------------------------------------------------------------------------- */

static void read_constant(struct tdx_json *rd, const char *expected)
{
    struct pp_span text = tdx_json_text(rd);

    if (!pp_span_eq(text, pp_span_cstr(expected)))
        tdx_json_fail(rd, PP_E_FORMAT);
}

static void read_number(struct tdx_json *rd, uint64_t expected)
{
    if (tdx_json_uint(rd, UINT32_MAX) != expected)
        tdx_json_fail(rd, PP_E_RANGE);
}

static uint64_t read_u64le(struct tdx_json *rd, size_t len)
{
    uint8_t bytes[8] = { 0 };
    uint64_t v = 0;

    tdx_json_hex(rd, bytes, len);
    for (size_t i = len; i > 0; i--)
        v = v << 8 | bytes[i - 1];
    return v;
}

static enum pp_tdx_status read_status(struct tdx_json *rd)
{
    struct pp_span name = tdx_json_text(rd);
    enum pp_tdx_status status = PP_TDX_REVOKED;

    if (!pp_is_ok(pp_tdx_status_parse(name, &status)))
        tdx_json_fail(rd, PP_E_FORMAT);
    return status;
}

/* `count` decimal digits of `text` at `at`; -1 when one is none. */
static int digits(struct pp_span text, size_t at, size_t count)
{
    int v = 0;

    for (size_t i = at; i < at + count; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return -1;
        v = v * 10 + (text.at[i] - '0');
    }
    return v;
}

static int days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

/* Days from 1970-01-01 to the first of a year's month: years begin in March, their last day may be
 * the leap day. */
static uint64_t days_until(int year, int month)
{
    int y = month > 2 ? year : year - 1;
    int m = month > 2 ? month - 3 : month + 9;

    return (uint64_t)(365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 - 719468);
}

/* "2026-03-16T22:06:09Z": RFC 3339 in UTC, whole seconds, 1970 or later. */
static uint64_t read_time(struct tdx_json *rd)
{
    static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
    struct pp_span text = tdx_json_text(rd);
    int ok = text.len == sizeof form - 1;

    for (size_t i = 0; ok && i < text.len; i++)
        ok = form[i] == 'd' || text.at[i] == (uint8_t)form[i];
    if (!ok) {
        tdx_json_fail(rd, PP_E_FORMAT);
        return 0;
    }
    int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    int hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
    ok = year >= 1970 && month >= 1 && month <= 12 && day >= 1 && hour >= 0 && hour <= 23 &&
         minute >= 0 && minute <= 59 && second >= 0 && second <= 59 &&
         day <= days_in_month(year, month);
    if (!ok) {
        tdx_json_fail(rd, PP_E_RANGE);
        return 0;
    }
    return ((days_until(year, month) + (uint64_t)day - 1) * 24 + (uint64_t)hour) * 3600 +
           (uint64_t)minute * 60 + (uint64_t)second;
}

/* --- levels with one number ------------------------------------------------------------------- */

static void isv_svn(struct tdx_json *rd, void *into)
{
    ((struct pp_tdx_isv_level *)into)->isv_svn = (uint16_t)tdx_json_uint(rd, UINT16_MAX);
}

static void isv_tcb(struct tdx_json *rd, void *into)
{
    static const struct tdx_json_field fields[] = { { "isvsvn", isv_svn, 0 } };

    tdx_json_object(rd, fields, PP_ARRAY_COUNT(fields), 0, into);
}

static void isv_date(struct tdx_json *rd, void *into)
{
    ((struct pp_tdx_isv_level *)into)->date_s = read_time(rd);
}

static void isv_status(struct tdx_json *rd, void *into)
{
    ((struct pp_tdx_isv_level *)into)->status = read_status(rd);
}

static void isv_level(struct tdx_json *rd, void *into)
{
    static const struct tdx_json_field fields[] = {
        { "tcb", isv_tcb, 0 },
        { "tcbDate", isv_date, 0 },
        { "tcbStatus", isv_status, 0 },
    };
    struct pp_tdx_isv_levels *levels = into;

    if (levels->count == PP_TDX_ISV_LEVELS_MAX)
        tdx_json_fail(rd, PP_E_LIMIT);
    else
        tdx_json_object(rd, fields, PP_ARRAY_COUNT(fields), 0, &levels->rows[levels->count++]);
}

/* --- modules ---------------------------------------------------------------------------------- */

/* "TDX_01": its number, two hexadecimal digits of either case. */
static void module_id(struct tdx_json *rd, void *into)
{
    struct pp_span text = tdx_json_text(rd);
    uint8_t lower[2];

    if (text.len != 6 || !pp_span_eq(pp_span(text.at, 4), PP_STR("TDX_"))) {
        tdx_json_fail(rd, PP_E_FORMAT);
        return;
    }
    for (size_t i = 0; i < sizeof lower; i++) {
        uint8_t c = text.at[4 + i];
        lower[i] = c >= 'A' && c <= 'F' ? (uint8_t)(c - 'A' + 'a') : c;
    }
    if (!pp_is_ok(pp_hex_parse(PP_BYTES(lower), &((struct pp_tdx_module *)into)->number, 1)))
        tdx_json_fail(rd, PP_E_FORMAT);
}

static void module_mrsigner(struct tdx_json *rd, void *into)
{
    tdx_json_hex(rd, ((struct pp_tdx_module *)into)->mrsigner, PP_TDX_MEASUREMENT_BYTES);
}

static void module_attributes(struct tdx_json *rd, void *into)
{
    ((struct pp_tdx_module *)into)->attributes = read_u64le(rd, 8);
}

static void module_mask(struct tdx_json *rd, void *into)
{
    ((struct pp_tdx_module *)into)->attributes_mask = read_u64le(rd, 8);
}

static void module_levels(struct tdx_json *rd, void *into)
{
    tdx_json_array(rd, isv_level, &((struct pp_tdx_module *)into)->levels);
}

#define MODULE_FIELDS                                                                              \
    { "mrsigner", module_mrsigner, 0 }, { "attributes", module_attributes, 0 },                    \
    {                                                                                              \
        "attributesMask", module_mask, 0                                                           \
    }

static void module_identity(struct tdx_json *rd, void *into)
{
    static const struct tdx_json_field fields[] = { { "id", module_id, 0 },
                                                    { "tcbLevels", module_levels, 0 },
                                                    MODULE_FIELDS };
    struct pp_tdx_tcb_info *info = into;

    if (info->module_count == PP_TDX_MODULES_MAX)
        tdx_json_fail(rd, PP_E_LIMIT);
    else
        tdx_json_object(rd, fields, PP_ARRAY_COUNT(fields), 0,
                        &info->modules[info->module_count++]);
}

/* --- platform levels -------------------------------------------------------------------------- */

struct components {
    uint8_t *svn;
    size_t count;
};

static void component_svn(struct tdx_json *rd, void *into)
{
    *(uint8_t *)into = (uint8_t)tdx_json_uint(rd, UINT8_MAX);
}

static void component(struct tdx_json *rd, void *into)
{
    static const struct tdx_json_field fields[] = { { "svn", component_svn, 0 } };
    struct components *c = into;

    if (c->count == PP_TDX_SVN_BYTES)
        tdx_json_fail(rd, PP_E_LIMIT);
    else
        tdx_json_object(rd, fields, PP_ARRAY_COUNT(fields), 0, &c->svn[c->count++]);
}

static void components(struct tdx_json *rd, uint8_t svn[PP_TDX_SVN_BYTES])
{
    struct components c = { .svn = svn };

    tdx_json_array(rd, component, &c);
    if (c.count != PP_TDX_SVN_BYTES)
        tdx_json_fail(rd, PP_E_RANGE);
}

static void level_sgx(struct tdx_json *rd, void *into)
{
    components(rd, ((struct pp_tdx_level *)into)->sgx);
}

static void level_tdx(struct tdx_json *rd, void *into)
{
    components(rd, ((struct pp_tdx_level *)into)->tdx);
}

static void level_pce_svn(struct tdx_json *rd, void *into)
{
    ((struct pp_tdx_level *)into)->pce_svn = (uint16_t)tdx_json_uint(rd, UINT16_MAX);
}

static void level_tcb(struct tdx_json *rd, void *into)
{
    static const struct tdx_json_field fields[] = { { "sgxtcbcomponents", level_sgx, 0 },
                                                    { "pcesvn", level_pce_svn, 0 },
                                                    { "tdxtcbcomponents", level_tdx, 0 } };

    tdx_json_object(rd, fields, PP_ARRAY_COUNT(fields), 0, into);
}

static void level_date(struct tdx_json *rd, void *into)
{
    ((struct pp_tdx_level *)into)->date_s = read_time(rd);
}

static void level_status(struct tdx_json *rd, void *into)
{
    ((struct pp_tdx_level *)into)->status = read_status(rd);
}

static void level(struct tdx_json *rd, void *into)
{
    static const struct tdx_json_field fields[] = { { "tcb", level_tcb, 0 },
                                                    { "tcbDate", level_date, 0 },
                                                    { "tcbStatus", level_status, 0 } };
    struct pp_tdx_tcb_info *info = into;

    if (info->level_count == PP_TDX_LEVELS_MAX)
        tdx_json_fail(rd, PP_E_LIMIT);
    else
        tdx_json_object(rd, fields, PP_ARRAY_COUNT(fields), 0, &info->levels[info->level_count++]);
}

/* --- TCB info --------------------------------------------------------------------------------- */

static void info_id(struct tdx_json *rd, void *into)
{
    (void)into;
    read_constant(rd, "TDX");
}

static void info_version(struct tdx_json *rd, void *into)
{
    (void)into;
    read_number(rd, 3);
}

static void info_type(struct tdx_json *rd, void *into)
{
    (void)into;
    read_number(rd, 0);
}

static void info_issued(struct tdx_json *rd, void *into)
{
    ((struct pp_tdx_tcb_info *)into)->issued_s = read_time(rd);
}

static void info_next(struct tdx_json *rd, void *into)
{
    ((struct pp_tdx_tcb_info *)into)->next_update_s = read_time(rd);
}

static void info_fmspc(struct tdx_json *rd, void *into)
{
    tdx_json_hex(rd, ((struct pp_tdx_tcb_info *)into)->fmspc, PP_TDX_FMSPC_BYTES);
}

static void info_pce_id(struct tdx_json *rd, void *into)
{
    tdx_json_hex(rd, ((struct pp_tdx_tcb_info *)into)->pce_id, PP_TDX_PCE_ID_BYTES);
}

static void info_evaluation(struct tdx_json *rd, void *into)
{
    ((struct pp_tdx_tcb_info *)into)->evaluation = (uint32_t)tdx_json_uint(rd, UINT32_MAX);
}

static void info_module(struct tdx_json *rd, void *into)
{
    static const struct tdx_json_field fields[] = { MODULE_FIELDS };

    tdx_json_object(rd, fields, PP_ARRAY_COUNT(fields), 0,
                    &((struct pp_tdx_tcb_info *)into)->module);
}

static void info_modules(struct tdx_json *rd, void *into)
{
    tdx_json_array(rd, module_identity, into);
}

static void info_levels(struct tdx_json *rd, void *into)
{
    tdx_json_array(rd, level, into);
}

pp_res pp_tdx_tcb_info_parse(struct pp_span body, struct pp_tdx_tcb_info *ret,
                             struct pp_problem *problem)
{
    static const struct tdx_json_field fields[] = {
        { "id", info_id, 0 },
        { "version", info_version, 0 },
        { "issueDate", info_issued, 0 },
        { "nextUpdate", info_next, 0 },
        { "fmspc", info_fmspc, 0 },
        { "pceId", info_pce_id, 0 },
        { "tcbType", info_type, 0 },
        { "tcbEvaluationDataNumber", info_evaluation, 0 },
        { "tdxModule", info_module, 0 },
        { "tdxModuleIdentities", info_modules, 1 }, /* documents for TDX 1.0 have none */
        { "tcbLevels", info_levels, 0 },
    };
    struct tdx_json rd = tdx_json_over(body);
    struct pp_tdx_tcb_info info = { 0 };

    tdx_json_object(&rd, fields, PP_ARRAY_COUNT(fields), 0, &info);
    PP_TRY(tdx_json_end(&rd, problem));
    *ret = info;
    return PP_OK;
}

/* --- QE identity ------------------------------------------------------------------------------ */

static void qe_id(struct tdx_json *rd, void *into)
{
    (void)into;
    read_constant(rd, "TD_QE");
}

static void qe_version(struct tdx_json *rd, void *into)
{
    (void)into;
    read_number(rd, 2);
}

static void qe_issued(struct tdx_json *rd, void *into)
{
    ((struct pp_tdx_qe_identity *)into)->issued_s = read_time(rd);
}

static void qe_next(struct tdx_json *rd, void *into)
{
    ((struct pp_tdx_qe_identity *)into)->next_update_s = read_time(rd);
}

static void qe_evaluation(struct tdx_json *rd, void *into)
{
    ((struct pp_tdx_qe_identity *)into)->evaluation = (uint32_t)tdx_json_uint(rd, UINT32_MAX);
}

static void qe_misc(struct tdx_json *rd, void *into)
{
    ((struct pp_tdx_qe_identity *)into)->misc_select = (uint32_t)read_u64le(rd, 4);
}

static void qe_misc_mask(struct tdx_json *rd, void *into)
{
    ((struct pp_tdx_qe_identity *)into)->misc_select_mask = (uint32_t)read_u64le(rd, 4);
}

static void qe_attributes(struct tdx_json *rd, void *into)
{
    tdx_json_hex(rd, ((struct pp_tdx_qe_identity *)into)->attributes, 16);
}

static void qe_attributes_mask(struct tdx_json *rd, void *into)
{
    tdx_json_hex(rd, ((struct pp_tdx_qe_identity *)into)->attributes_mask, 16);
}

static void qe_mrsigner(struct tdx_json *rd, void *into)
{
    tdx_json_hex(rd, ((struct pp_tdx_qe_identity *)into)->mrsigner, 32);
}

static void qe_prod_id(struct tdx_json *rd, void *into)
{
    ((struct pp_tdx_qe_identity *)into)->isv_prod_id = (uint16_t)tdx_json_uint(rd, UINT16_MAX);
}

static void qe_levels(struct tdx_json *rd, void *into)
{
    tdx_json_array(rd, isv_level, &((struct pp_tdx_qe_identity *)into)->levels);
}

pp_res pp_tdx_qe_identity_parse(struct pp_span body, struct pp_tdx_qe_identity *ret,
                                struct pp_problem *problem)
{
    static const struct tdx_json_field fields[] = {
        { "id", qe_id, 0 },
        { "version", qe_version, 0 },
        { "issueDate", qe_issued, 0 },
        { "nextUpdate", qe_next, 0 },
        { "tcbEvaluationDataNumber", qe_evaluation, 0 },
        { "miscselect", qe_misc, 0 },
        { "miscselectMask", qe_misc_mask, 0 },
        { "attributes", qe_attributes, 0 },
        { "attributesMask", qe_attributes_mask, 0 },
        { "mrsigner", qe_mrsigner, 0 },
        { "isvprodid", qe_prod_id, 0 },
        { "tcbLevels", qe_levels, 0 },
    };
    struct tdx_json rd = tdx_json_over(body);
    struct pp_tdx_qe_identity q = { 0 };

    tdx_json_object(&rd, fields, PP_ARRAY_COUNT(fields), 0, &q);
    PP_TRY(tdx_json_end(&rd, problem));
    *ret = q;
    return PP_OK;
}
