/* SPDX-License-Identifier: Apache-2.0 */
/* TDX quotes and the vendor's documents as bytes: what their readers take and what they refuse. */
#include "tdx_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "allocations.h"

static struct world w;
static struct evidence e;

static int make(void **state)
{
    (void)state;
    if (!pp_is_ok(world_make(&w)))
        return 1;
    evidence_of(&w, V5_15, &e);
    build(&e);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    world_free(&w);
    return 0;
}

/* --- quotes ----------------------------------------------------------------------------------- */

static void a_quote_comes_back_as_it_was_written(void **state)
{
    (void)state;
    for (int k = 0; k < PLATFORMS; k++) {
        struct pp_tdx_quote q;
        uint8_t again[SIM_TDX_QUOTE_BYTES_MAX];
        struct pp_wr wr = pp_wr_over(again, sizeof again);
        static struct evidence one;

        evidence_of(&w, k, &one);
        build(&one);
        assert_ok(pp_tdx_quote_parse(one.evidence.quote, &q, NULL));
        assert_int_equal(q.len, one.len);
        pp_tdx_quote_write_signed(&wr, &q);
        assert_true(pp_span_eq(pp_wr_done(&wr), q.signed_part));
        pp_tdx_quote_write_rest(&wr, &q);
        assert_ok(pp_wr_ok(&wr));
        assert_true(pp_span_eq(pp_wr_done(&wr), one.evidence.quote));
    }
}

/* Offsets in a quote of version 5 with a TDX 1.5 body, and values that check 1 does not take. */
static void each_header_field_has_its_values(void **state)
{
    (void)state;
    enum { SIG = 54 + PP_TDX_BODY_15_BYTES, CERT = SIG + 4 + 128, AUTH = CERT + 6 + 384 + 64 };
    enum { INNER = AUTH + 2 + 32 };
    static const struct {
        size_t at;
        uint8_t value;
    } bad[] = {
        { 0, 3 },        { 0, 6 },          { 0, 0 },         { 1, 1 },         { 2, 3 },
        { 3, 1 },        { 4, 0 },          { 4, 0x80 },      { 7, 0x80 },      { 12, 0 },
        { 48, 1 },       { 48, 2 },         { 48, 4 },        { 49, 1 },        { 50, 0x48 },
        { 53, 1 },       { SIG + 3, 0xFF }, { CERT, 5 },      { CERT, 7 },      { CERT + 1, 1 },
        { CERT + 2, 0 }, { CERT + 5, 1 },   { AUTH, 31 },     { AUTH, 33 },     { AUTH + 1, 0xFF },
        { INNER, 4 },    { INNER, 6 },      { INNER + 1, 1 }, { INNER + 2, 0 }, { INNER + 5, 0xFF },
    };
    struct pp_tdx_quote q;
    uint8_t bytes[SIM_TDX_QUOTE_BYTES_MAX];

    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++) {
        struct pp_problem problem = { 0 };
        memcpy(bytes, e.bytes, e.len);
        assert_int_not_equal(bytes[bad[i].at], bad[i].value);
        bytes[bad[i].at] = bad[i].value;
        assert_code(pp_tdx_quote_parse(pp_span(bytes, e.len), &q, &problem), PP_E_TDX_FORMAT);
        assert_true(problem.field[0] != '\0' && problem.expected[0] != '\0');
    }
    memcpy(bytes, e.bytes, e.len);
    memset(bytes + 8, 0xFF, 4);   /* PCE SVN and QE SVN once, reserved now */
    memset(bytes + 28, 0xFF, 20); /* user data */
    assert_ok(pp_tdx_quote_parse(pp_span(bytes, e.len), &q, NULL));
}

/* A type that nobody knows has no size, not even that of a body of TDX 1.0. */
static void a_body_of_an_unknown_type_is_refused_whatever_its_size(void **state)
{
    (void)state;
    struct pp_tdx_quote q = e.quote;
    uint8_t bytes[SIM_TDX_QUOTE_BYTES_MAX];

    q.body_type = PP_TDX_BODY_10;
    for (uint8_t type = 0; type < 8; type++) {
        struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
        struct pp_tdx_quote got;
        pp_tdx_quote_write_signed(&wr, &q);
        pp_tdx_quote_write_rest(&wr, &q);
        assert_ok(pp_wr_ok(&wr));
        bytes[48] = type;
        assert_code(pp_tdx_quote_parse(pp_wr_done(&wr), &got, NULL),
                    type == PP_TDX_BODY_10 ? PP_E_OK : PP_E_TDX_FORMAT);
    }
}

static void every_size_fills_what_is_around_it(void **state)
{
    (void)state;
    struct pp_tdx_quote q = e.quote, got;
    uint8_t auth[PP_TDX_QE_AUTH_BYTES_MAX + 1] = { 0 };
    static uint8_t chain[PP_TDX_PCK_CHAIN_BYTES_MAX + 1];
    static uint8_t bytes[PP_TDX_QUOTE_BYTES_MAX];
    static const struct {
        size_t auth, chain;
        uint32_t code;
    } cases[] = {
        { 0, 1, PP_E_OK },
        { PP_TDX_QE_AUTH_BYTES_MAX, 1, PP_E_OK },
        { PP_TDX_QE_AUTH_BYTES_MAX + 1, 1, PP_E_TDX_FORMAT },
        { 32, 0, PP_E_TDX_FORMAT },
        { 32, PP_TDX_PCK_CHAIN_BYTES_MAX, PP_E_OK },
        { 32, PP_TDX_PCK_CHAIN_BYTES_MAX + 1, PP_E_TDX_FORMAT },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(cases); i++) {
        struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
        q.qe_auth = pp_span(auth, cases[i].auth);
        q.pck_chain = pp_span(chain, cases[i].chain);
        pp_tdx_quote_write_signed(&wr, &q);
        pp_tdx_quote_write_rest(&wr, &q);
        assert_ok(pp_wr_ok(&wr));
        assert_code(pp_tdx_quote_parse(pp_wr_done(&wr), &got, NULL), cases[i].code);
    }
}

/* --- documents -------------------------------------------------------------------------------- */

static void documents_come_back_as_they_were_written(void **state)
{
    (void)state;
    static uint8_t first[SIM_TDX_DOCUMENT_BYTES_MAX], second[SIM_TDX_DOCUMENT_BYTES_MAX];
    struct pp_wr a = pp_wr_over(first, sizeof first), b = pp_wr_over(second, sizeof second);
    struct pp_tdx_tcb_info info = e.info, got;
    struct pp_tdx_qe_identity id = e.identity, got_id;

    memset(info.levels[0].sgx, 0xFF, sizeof info.levels[0].sgx);
    info.levels[0].pce_svn = UINT16_MAX;
    info.levels[1] = info.levels[0];
    info.levels[1].status = PP_TDX_OUT_OF_DATE_CONFIGURATION_NEEDED;
    info.level_count = 2;
    info.evaluation = UINT32_MAX;
    info.modules[1] = (struct pp_tdx_module){ .number = 0xAB, .attributes = 1 };
    info.module_count = 2;
    sim_tdx_tcb_info_write(&a, &info);
    assert_ok(pp_tdx_tcb_info_parse(pp_wr_done(&a), &got, NULL));
    sim_tdx_tcb_info_write(&b, &got);
    assert_ok(pp_wr_ok(&b));
    assert_true(pp_span_eq(pp_wr_done(&a), pp_wr_done(&b)));
    assert_int_equal(got.modules[1].number, 0xAB);
    assert_int_equal(got.issued_s, NOW - DAY);

    a = pp_wr_over(first, sizeof first);
    b = pp_wr_over(second, sizeof second);
    id.levels.rows[0].isv_svn = UINT16_MAX;
    sim_tdx_qe_identity_write(&a, &id);
    assert_ok(pp_tdx_qe_identity_parse(pp_wr_done(&a), &got_id, NULL));
    sim_tdx_qe_identity_write(&b, &got_id);
    assert_true(pp_span_eq(pp_wr_done(&a), pp_wr_done(&b)));
}

/* A QE identity with one member's text replaced; NULL leaves the member out. */
static const char *const MEMBERS[][2] = {
    { "id", "\"TD_QE\"" },
    { "version", "2" },
    { "issueDate", "\"2026-05-01T00:00:00Z\"" },
    { "nextUpdate", "\"2026-06-01T00:00:00Z\"" },
    { "tcbEvaluationDataNumber", "18" },
    { "miscselect", "\"00000000\"" },
    { "miscselectMask", "\"FFFFFFFF\"" },
    { "attributes", "\"11000000000000000000000000000000\"" },
    { "attributesMask", "\"FBFFFFFFFFFFFFFF0000000000000000\"" },
    { "mrsigner", "\"DC9E2A7C6F948F17474E34A7FC43ED030F7C1563F1BABDDF6340C82E0E54A8C5\"" },
    { "isvprodid", "2" },
    { "tcbLevels", "[{\"tcb\":{\"isvsvn\":4},\"tcbDate\":\"2024-11-13T00:00:00Z\","
                   "\"tcbStatus\":\"UpToDate\"}]" },
};

static pp_res parse_with(const char *name, const char *value)
{
    static char text[PP_TDX_COLLATERAL_BYTES_MAX + 16];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    struct pp_tdx_qe_identity id;
    const char *separator = "{";

    for (size_t i = 0; i < PP_ARRAY_COUNT(MEMBERS); i++) {
        int bent = pp_span_eq(pp_span_cstr(name), pp_span_cstr(MEMBERS[i][0]));
        if (bent && value == NULL)
            continue;
        pp_wr_text(&wr, separator);
        pp_wr_text(&wr, "\"");
        pp_wr_text(&wr, MEMBERS[i][0]);
        pp_wr_text(&wr, "\":");
        pp_wr_text(&wr, bent ? value : MEMBERS[i][1]);
        separator = ",";
    }
    pp_wr_text(&wr, "}");
    assert_ok(pp_wr_ok(&wr));
    return pp_tdx_qe_identity_parse(pp_wr_done(&wr), &id, NULL);
}

static void every_member_is_there_once_and_of_its_type(void **state)
{
    (void)state;
    static const char *const others[] = { "null", "true", "{}", "\"\"",  "-1",        "1.0",
                                          "[1]",  "1e1",  "01", "\"x\"", "4294967296" };

    assert_ok(parse_with("", NULL));
    for (size_t i = 0; i < PP_ARRAY_COUNT(MEMBERS); i++) {
        char twice[1024];
        assert_code(parse_with(MEMBERS[i][0], NULL), PP_E_MISSING);
        snprintf(twice, sizeof twice, "%s,\"%s\":%s", MEMBERS[i][1], MEMBERS[i][0], MEMBERS[i][1]);
        assert_code(parse_with(MEMBERS[i][0], twice), PP_E_DUPLICATE);
        for (size_t k = 0; k < PP_ARRAY_COUNT(others); k++)
            assert_false(pp_is_ok(parse_with(MEMBERS[i][0], others[k])));
    }
    assert_ok(parse_with("isvprodid", "65535"));
    assert_code(parse_with("isvprodid", "65536"), PP_E_RANGE);
    assert_code(parse_with("tcbEvaluationDataNumber", "4294967296"), PP_E_RANGE);
    assert_code(parse_with("tcbEvaluationDataNumber", "99999999999999999999999"), PP_E_RANGE);
    assert_ok(parse_with("tcbEvaluationDataNumber", "4294967295"));
    assert_ok(parse_with("tcbEvaluationDataNumber", "0"));
    assert_code(parse_with("version", "3"), PP_E_RANGE);
    assert_code(parse_with("id", "\"QE\""), PP_E_FORMAT);
    assert_code(parse_with("id", "\"\\u0054D_QE\""), PP_E_FORMAT);
    assert_code(parse_with("miscselect", "\"0000000\""), PP_E_RANGE);
    assert_code(parse_with("miscselect", "\"0000000g\""), PP_E_FORMAT);
    assert_code(parse_with("mrsigner", "\"DC\""), PP_E_RANGE);
    assert_ok(parse_with("tcbLevels", "[]"));
    assert_code(parse_with("tcbLevels", "[,]"), PP_E_FORMAT);
    assert_code(parse_with("tcbLevels", "[{}]"), PP_E_MISSING);
}

static void members_come_in_any_order_and_with_white_space(void **state)
{
    (void)state;
    struct pp_tdx_qe_identity id;
    static char text[4096];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    pp_wr_text(&wr, " \t\r\n{ ");
    for (size_t i = PP_ARRAY_COUNT(MEMBERS); i > 0; i--) {
        pp_wr_text(&wr, "\"");
        pp_wr_text(&wr, MEMBERS[i - 1][0]);
        pp_wr_text(&wr, "\" : ");
        pp_wr_text(&wr, MEMBERS[i - 1][1]);
        pp_wr_text(&wr, i == 1 ? "\n}\n" : " ,\n");
    }
    assert_ok(pp_wr_ok(&wr));
    assert_ok(pp_tdx_qe_identity_parse(pp_wr_done(&wr), &id, NULL));
    assert_int_equal(id.evaluation, 18);
    assert_int_equal(id.levels.rows[0].isv_svn, 4);
    text[wr.len] = 'x';
    assert_code(pp_tdx_qe_identity_parse(pp_span(text, wr.len + 1), &id, NULL), PP_E_TRAILING);
    for (size_t n = 0; n < wr.len - 2; n++)
        assert_false(pp_is_ok(pp_tdx_qe_identity_parse(pp_span(text, n), &id, NULL)));
}

/* What nobody reads is passed over, and still has to be JSON. */
static void unknown_members_are_passed_over_if_they_are_json(void **state)
{
    (void)state;
    static const char *const good[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-12.5e+3",
        "1E9",
        "0.1",
        "\"\\\"\\u00e9\\n \xc3\xa9\"",
        "[]",
        "[1,[2,{\"a\":{}}]]",
        "{\"id\":1,\"id\":2}",
    };
    static const char *const bad[] = {
        "nul",     "+1",    "1.",         ".5",  "1e", "-",   "\"a\nb\"", "\"a",  "[1",    "[1,]",
        "{\"a\"}", "{a:1}", "{\"a\":1,}", "'a'", "",   "tru", "nulL",     "\"\\", "{1:2}", "[1 2]",
    };
    char value[256];

    for (size_t i = 0; i < PP_ARRAY_COUNT(good); i++) {
        snprintf(value, sizeof value, "2,\"more\":%s", good[i]);
        assert_ok(parse_with("isvprodid", value));
    }
    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++) {
        snprintf(value, sizeof value, "2,\"more\":%s", bad[i]);
        assert_false(pp_is_ok(parse_with("isvprodid", value)));
    }
    /* An escaped name would hide a second member of the same name. */
    assert_code(parse_with("isvprodid", "2,\"isvpr\\u006fdid\":2"), PP_E_FORMAT);
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    char value[64];

    /* The member stands in one object: eleven more are at the limit of twelve. */
    snprintf(value, sizeof value, "2,\"more\":%.*s%.*s", 11, "[[[[[[[[[[[[", 11, "]]]]]]]]]]]]");
    assert_ok(parse_with("isvprodid", value));
    snprintf(value, sizeof value, "2,\"more\":%.*s%.*s", 12, "[[[[[[[[[[[[", 12, "]]]]]]]]]]]]");
    assert_code(parse_with("isvprodid", value), PP_E_LIMIT);
}

static void times_are_real_utc_seconds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t posix_s;
    } good[] = {
        { "\"1970-01-01T00:00:00Z\"", 0 },
        { "\"2000-02-29T23:59:59Z\"", 951868799 },
        { "\"2023-06-18T08:42:58Z\"", 1687077778 },
        { "\"2026-03-16T22:06:09Z\"", 1773698769 },
        { "\"2024-02-29T00:00:00Z\"", 1709164800 },
        { "\"2024-03-01T00:00:00Z\"", 1709251200 },
        { "\"2024-12-31T23:59:59Z\"", 1735689599 },
        { "\"2100-03-01T00:00:00Z\"", 4107542400 },
        { "\"9999-12-31T23:59:59Z\"", 253402300799 },
    };
    static const char *const bad[] = {
        "\"1969-12-31T23:59:59Z\"",
        "\"2023-02-29T00:00:00Z\"",
        "\"2100-02-29T00:00:00Z\"",
        "\"2023-00-01T00:00:00Z\"",
        "\"2023-13-01T00:00:00Z\"",
        "\"2023-01-00T00:00:00Z\"",
        "\"2023-01-32T00:00:00Z\"",
        "\"2023-04-31T00:00:00Z\"",
        "\"2023-01-01T24:00:00Z\"",
        "\"2023-01-01T00:60:00Z\"",
        "\"2023-01-01T00:00:60Z\"",
        "\"2023-01-01T00:00:00\"",
        "\"2023-01-01T00:00:00+00:00\"",
        "\"2023-01-01 00:00:00Z\"",
        "\"2023-01-01T00:00:00.0Z\"",
        "\"2o23-01-01T00:00:00Z\"",
        "\"2023-01-01T00:00:0aZ\"",
        "\"2023-01-01T00:00:00z\"",
        "0",
    };
    char inner[4096];

    for (size_t i = 0; i < PP_ARRAY_COUNT(good); i++) {
        struct pp_tdx_qe_identity id = { 0 };
        struct pp_wr wr = pp_wr_over(inner, sizeof inner);
        assert_ok(parse_with("issueDate", good[i].text));
        pp_wr_text(&wr, "{\"issueDate\":");
        pp_wr_text(&wr, good[i].text);
        for (size_t k = 0; k < PP_ARRAY_COUNT(MEMBERS); k++) {
            if (k == 2)
                continue;
            pp_wr_text(&wr, ",\"");
            pp_wr_text(&wr, MEMBERS[k][0]);
            pp_wr_text(&wr, "\":");
            pp_wr_text(&wr, MEMBERS[k][1]);
        }
        pp_wr_text(&wr, "}");
        assert_ok(pp_tdx_qe_identity_parse(pp_wr_done(&wr), &id, NULL));
        assert_int_equal(id.issued_s, good[i].posix_s);
    }
    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++)
        assert_false(pp_is_ok(parse_with("nextUpdate", bad[i])));
}

/* --- limits of the TCB info ------------------------------------------------------------------- */

static pp_res parse_info(const struct pp_tdx_tcb_info *info, const char *from, const char *to)
{
    static char text[PP_TDX_COLLATERAL_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    struct pp_tdx_tcb_info got;

    sim_tdx_tcb_info_write(&wr, info);
    pp_wr_u8(&wr, 0);
    assert_ok(pp_wr_ok(&wr));
    wr.len--;
    if (from != NULL) {
        char *at = strstr(text, from);
        assert_non_null(at);
        size_t behind = wr.len - (size_t)(at - text) - strlen(from);
        memmove(at + strlen(to), at + strlen(from), behind);
        memcpy(at, to, strlen(to));
        wr.len = wr.len - strlen(from) + strlen(to);
    }
    return pp_tdx_tcb_info_parse(pp_wr_done(&wr), &got, NULL);
}

#define ZEROS "00000000000000000000000000000000"

static void tables_of_the_tcb_info_have_limits(void **state)
{
    (void)state;
    struct pp_tdx_tcb_info info = e.info;
    static char one_more[PP_TDX_COLLATERAL_BYTES_MAX];

    info.level_count = PP_TDX_LEVELS_MAX;
    info.module_count = PP_TDX_MODULES_MAX;
    info.modules[0].levels.count = PP_TDX_ISV_LEVELS_MAX;
    assert_ok(parse_info(&info, NULL, NULL));
    static const struct {
        const char *where, *begin;
    } rows[] = {
        { "\"tcbLevels\":[{\"tcb\":{\"sgx", "\"tcbLevels\":[" },
        { "\"tdxModuleIdentities\":[", "\"tdxModuleIdentities\":[" },
        { "\"tcbLevels\":[{\"tcb\":{\"isv", "\"tcbLevels\":[" },
    };
    static const char *const element[] = {
        NULL, /* of the platform: below */
        "{\"id\":\"TDX_09\",\"mrsigner\":\"" ZEROS ZEROS ZEROS
        "\",\"attributes\":\"0000000000000000\",\"attributesMask\":\"0000000000000000\","
        "\"tcbLevels\":[]},",
        "{\"tcb\":{\"isvsvn\":1},\"tcbDate\":\"2024-11-13T00:00:00Z\",\"tcbStatus\":\"Revoked\"},",
    };
    for (size_t i = 1; i < PP_ARRAY_COUNT(rows); i++) {
        snprintf(one_more, sizeof one_more, "%s%s%s", rows[i].begin, element[i],
                 rows[i].where + strlen(rows[i].begin));
        assert_code(parse_info(&info, rows[i].where, one_more), PP_E_LIMIT);
    }
    static const char svns[] = "{\"svn\":1},{\"svn\":1},{\"svn\":1},{\"svn\":1},{\"svn\":1},"
                               "{\"svn\":1},{\"svn\":1},{\"svn\":1},{\"svn\":1},{\"svn\":1},"
                               "{\"svn\":1},{\"svn\":1},{\"svn\":1},{\"svn\":1},{\"svn\":1},"
                               "{\"svn\":1}";
    snprintf(one_more, sizeof one_more,
             "\"tcbLevels\":[{\"tcb\":{\"sgxtcbcomponents\":[%s],\"pcesvn\":1,\"tdxtcbcomponents\":"
             "[%s]},\"tcbDate\":\"2024-11-13T00:00:00Z\",\"tcbStatus\":\"Revoked\"},"
             "{\"tcb\":{\"sgx",
             svns, svns);
    assert_code(parse_info(&info, rows[0].where, one_more), PP_E_LIMIT);
    info.level_count--;
    assert_ok(parse_info(&info, rows[0].where, one_more));
}

static void values_of_the_tcb_info_have_their_form(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        uint32_t code;
    } cases[] = {
        { "\"TDX\"", "\"SGX\"", PP_E_FORMAT },
        { "\"version\":3", "\"version\":2", PP_E_RANGE },
        { "\"tcbType\":0", "\"tcbType\":1", PP_E_RANGE },
        { "\"TDX_01\"", "\"TDX_1\"", PP_E_FORMAT },
        { "\"TDX_01\"", "\"TDX-01\"", PP_E_FORMAT },
        { "\"TDX_01\"", "\"TDX_0g\"", PP_E_FORMAT },
        { "\"TDX_01\"", "\"TDX_0A\"", PP_E_OK },
        { "\"UpToDate\"", "\"uptodate\"", PP_E_FORMAT },
        { "\"UpToDate\"", "\"\"", PP_E_FORMAT },
        { "{\"svn\":3}", "{\"svn\":255}", PP_E_OK },
        { "{\"svn\":3}", "{\"svn\":256}", PP_E_RANGE },
        { "{\"svn\":3}", "{\"svn\":3,\"svn\":3}", PP_E_DUPLICATE },
        { "{\"svn\":3}", "{\"svn\":3,\"category\":\"BIOS\"}", PP_E_OK },
        { "{\"svn\":3},", "", PP_E_RANGE },                       /* fifteen */
        { "{\"svn\":3}", "{\"svn\":3},{\"svn\":3}", PP_E_LIMIT }, /* seventeen */
        { "\"pcesvn\":13", "\"pcesvn\":65535", PP_E_OK },
        { "\"pcesvn\":13", "\"pcesvn\":65536", PP_E_RANGE },
        { "\"fmspc\":\"5", "\"fmspc\":\"", PP_E_RANGE },
        { "\"fmspc\":\"5050", "\"fmspc\":\"5\\u00350", PP_E_FORMAT },
        { "\"tdxModule\":{", "\"tdxModule\":[{", PP_E_FORMAT },
        { "\"tdxModuleIdentities\"", "\"other\"", PP_E_OK }, /* TDX 1.0 has none */
        { "\"tcbLevels\":[{\"tcb\":{\"sgx", "\"levels\":[{\"tcb\":{\"sgx", PP_E_MISSING },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(cases); i++)
        assert_code(parse_info(&e.info, cases[i].from, cases[i].to), cases[i].code);
}

/* --- the frame -------------------------------------------------------------------------------- */

static void a_signed_document_has_two_members_and_a_lower_case_signature(void **state)
{
    (void)state;
    static char zeros[129];
    struct pp_tdx_signed s;
    char text[1024];
    static const struct {
        const char *before, *middle, *after;
        uint32_t code;
    } cases[] = {
        { "{\"tcbInfo\":{},\"signature\":\"", "0", "\"}", PP_E_OK },
        { "\n{ \"signature\" : \"", "0", "\" , \"tcbInfo\" : { \"a\" : 1 } }\n", PP_E_OK },
        { "{\"tcbInfo\":{},\"signature\":\"", "0", "\",\"x\":1}", PP_E_UNKNOWN_FIELD },
        { "{\"tcbInfo\":{},\"tcbInfo\":{},\"signature\":\"", "0", "\"}", PP_E_DUPLICATE },
        { "{\"tcbInfo\":[],\"signature\":\"", "0", "\"}", PP_E_FORMAT },
        { "{\"tcbInfo\":\"{}\",\"signature\":\"", "0", "\"}", PP_E_FORMAT },
        { "{\"enclaveIdentity\":{},\"signature\":\"", "0", "\"}", PP_E_UNKNOWN_FIELD },
        { "{\"tcbInfo\":{},\"signature\":\"", "0", "\"} x", PP_E_TRAILING },
        { "{\"tcbInfo\":{},\"signature\":\"", "A", "\"}", PP_E_FORMAT },
        { "{\"tcbInfo\":{},\"signature\":\"", "00", "\"}", PP_E_FORMAT },
        { "{\"tcbInfo\":{},\"signature\":\"", "", "\"}", PP_E_FORMAT },
        { "[{\"tcbInfo\":{},\"signature\":\"", "0", "\"}]", PP_E_FORMAT },
    };

    memset(zeros, '0', 127);
    for (size_t i = 0; i < PP_ARRAY_COUNT(cases); i++) {
        snprintf(text, sizeof text, "%s%s%s%s", cases[i].before, zeros, cases[i].middle,
                 cases[i].after);
        assert_code(pp_tdx_signed_parse(pp_span_cstr(text), "tcbInfo", &s, NULL), cases[i].code);
    }
    assert_code(pp_tdx_signed_parse(PP_STR("{\"tcbInfo\":{}}"), "tcbInfo", &s, NULL), PP_E_MISSING);
    assert_code(pp_tdx_signed_parse(PP_STR(""), "tcbInfo", &s, NULL), PP_E_FORMAT);
}

static void a_document_of_64_kib_is_read_and_one_byte_more_is_not(void **state)
{
    (void)state;
    static uint8_t text[PP_TDX_COLLATERAL_BYTES_MAX + 1];
    struct pp_tdx_signed s;

    memset(text, ' ', sizeof text);
    memcpy(text, e.collateral.tcb_info, e.collateral.tcb_info_len);
    assert_ok(pp_tdx_signed_parse(pp_span(text, sizeof text - 1), "tcbInfo", &s, NULL));
    assert_code(pp_tdx_signed_parse(PP_BYTES(text), "tcbInfo", &s, NULL), PP_E_LIMIT);
    e.evidence.tcb_info = pp_span(text, sizeof text - 1);
    assert_ok(judge(&e));
    e.evidence.tcb_info = PP_BYTES(text);
    assert_refused(&e, judge(&e), TCB_INFO, TCBINFO_FORMAT);
    build(&e);
}

static void reading_allocates_nothing(void **state)
{
    (void)state;
    struct pp_tdx_quote q;
    struct pp_tdx_signed s;
    struct pp_tdx_tcb_info info;
    struct pp_tdx_qe_identity id;
    static uint8_t ders[SIM_TDX_CHAIN_BYTES_MAX];
    struct pp_span certs[PP_X509_CHAIN_MAX];
    size_t count;
    unsigned long before = allocation_count;

    assert_ok(pp_tdx_quote_parse(e.evidence.quote, &q, NULL));
    assert_ok(pp_tdx_signed_parse(e.evidence.tcb_info, "tcbInfo", &s, NULL));
    assert_ok(pp_tdx_tcb_info_parse(s.body, &info, NULL));
    assert_ok(pp_tdx_signed_parse(e.evidence.qe_identity, "enclaveIdentity", &s, NULL));
    assert_ok(pp_tdx_qe_identity_parse(s.body, &id, NULL));
    assert_ok(pp_x509_pem_split(e.evidence.tcb_info_chain, ders, sizeof ders, certs, &count));
    assert_int_equal(allocation_count, before);
}

/* --- collateral by itself --------------------------------------------------------------------- */

/* The chain of the PCK list's signer: what a quote has behind its leaf. */
static struct pp_span authority_of(const struct evidence *one, size_t skip)
{
    static const char end[] = "-----END CERTIFICATE-----\n";
    struct pp_tdx_quote q;

    assert_ok(pp_tdx_quote_parse(one->evidence.quote, &q, NULL));
    struct pp_span pem = q.pck_chain;
    while (pem.len > 0 && pem.at[pem.len - 1] == 0)
        pem.len--;
    for (; skip > 0; skip--) {
        const uint8_t *at = memmem(pem.at, pem.len, end, sizeof end - 1);
        assert_non_null(at);
        size_t n = (size_t)(at - pem.at) + sizeof end - 1;
        pem = pp_span(pem.at + n, pem.len - n);
    }
    return pem;
}

static pp_res documents(uint64_t at, size_t skip, struct pp_problem *problem,
                        struct pp_tdx_documents *ret)
{
    return pp_tdx_documents_verify(&w.anchors, &e.evidence,
                                   skip == 0 ? (struct pp_span){ 0 } : authority_of(&e, skip), at,
                                   problem, ret);
}

static void collateral_says_whom_it_is_for_and_until_when(void **state)
{
    (void)state;
    struct pp_tdx_documents d;

    build(&e);
    assert_ok(documents(NOW, 1, NULL, &d));
    assert_memory_equal(d.fmspc, e.info.fmspc, sizeof d.fmspc);
    assert_int_equal(d.evaluation, 18);
    assert_int_equal(d.tcb_info_issued_s, NOW - DAY);
    assert_int_equal(d.qe_identity_next_update_s, e.identity.next_update_s);
    assert_int_equal(d.root_crl_next_update_s, e.crl_until);
    assert_int_equal(d.pck_crl_next_update_s, e.crl_until);
    assert_true(d.has_authority == 1 && d.platform_ca == 1);
    assert_ok(documents(NOW, 0, NULL, &d));
    assert_true(d.has_authority == 0 && d.pck_crl_next_update_s == 0);
}

/* What it refuses, a device refuses with every quote; and the other way round. */
static void collateral_that_no_quote_could_use_is_refused(void **state)
{
    (void)state;
    struct pp_problem problem = { 0 };
    struct pp_tdx_documents d;

    build(&e);
    assert_code(documents(NOW - 2 * DAY, 0, &problem, &d), PP_E_TDX_CRL_STALE);
    assert_string_equal(problem.field, "root's revocation list");
    assert_code(documents(e.crl_until, 1, &problem, &d), PP_E_TDX_CRL_STALE);
    assert_code(documents(NOW, 2, &problem, &d), PP_E_TDX_PCK_CHAIN); /* the root alone */
    e.evidence.tcb_info_chain = (struct pp_span){ 0 };
    assert_code(documents(NOW, 1, &problem, &d), PP_E_TDX_TCBINFO_SIGNATURE);
    assert_string_equal(problem.field, "tcbInfo");
    build(&e);
    e.evidence.pck_crl = e.evidence.root_crl;
    assert_code(documents(NOW, 1, &problem, &d), PP_E_TDX_CRL_SIGNATURE);
    e.evidence.pck_crl = (struct pp_span){ 0 };
    assert_code(documents(NOW, 0, &problem, &d), PP_E_TDX_CRL_STALE);
    e.root_lists = SIM_TDX_SERIAL_AUTHORITY;
    build(&e);
    assert_code(documents(NOW, 1, &problem, &d), PP_E_TDX_REVOKED);
    e.root_lists = SIM_TDX_SERIAL_SIGNER;
    build(&e);
    assert_code(documents(NOW, 0, &problem, &d), PP_E_TDX_REVOKED);
    e.root_lists = 0;
    e.info.next_update_s = NOW;
    build(&e);
    assert_code(documents(NOW, 1, &problem, &d), PP_E_TDX_TCBINFO_TIME);
    evidence_of(&w, V5_15, &e);
    e.identity.next_update_s = NOW;
    build(&e);
    assert_code(documents(NOW, 1, &problem, &d), PP_E_TDX_QEID_TIME);
    evidence_of(&w, V5_15, &e);
    build(&e);
    assert_ok(documents(NOW, 1, &problem, &d));
}

/* Its key signs the list of revoked platforms: with another key anybody could make an empty one. */
static void the_chain_of_the_authority_is_verified(void **state)
{
    (void)state;
    uint8_t forged[8192];
    struct pp_tdx_documents d;

    build(&e);
    struct pp_span pem = authority_of(&e, 1);
    assert_in_range(pem.len, 1, sizeof forged);
    memcpy(forged, pem.at, pem.len);
    assert_ok(
        pp_tdx_documents_verify(&w.anchors, &e.evidence, pp_span(forged, pem.len), NOW, NULL, &d));
    uint8_t *at = memmem(forged, pem.len, "-----END", 8);
    assert_non_null(at);
    at -= at[-12] == '\n' ? 13 : 12; /* in the last bytes of its signature */
    *at = *at == 'A' ? 'B' : 'A';
    assert_code(
        pp_tdx_documents_verify(&w.anchors, &e.evidence, pp_span(forged, pem.len), NOW, NULL, &d),
        PP_E_TDX_PCK_CHAIN);
    assert_code(
        pp_tdx_documents_verify(&w.anchors, &e.evidence, e.evidence.tcb_info_chain, NOW, NULL, &d),
        PP_E_TDX_PCK_CHAIN);
}

static void the_authority_hangs_from_the_root_of_the_documents(void **state)
{
    (void)state;
    static struct evidence others;
    struct world other = { 0 };
    struct pp_tdx_anchors both = { 0 };
    struct pp_tdx_documents d;

    assert_ok(world_make(&other));
    evidence_of(&other, V5_15, &others);
    build(&others);
    evidence_of(&w, V5_15, &e);
    build(&e);
    e.evidence.pck_crl = others.evidence.pck_crl; /* what the other authority signed */
    assert_ok(pp_tdx_anchors_add(&both, sim_tdx_root(w.vendor)));
    assert_ok(pp_tdx_anchors_add(&both, sim_tdx_root(other.vendor)));
    assert_code(
        pp_tdx_documents_verify(&both, &e.evidence, authority_of(&others, 1), NOW, NULL, &d),
        PP_E_TDX_PCK_CHAIN);
    pp_tdx_anchors_done(&both);
    world_free(&other);
    build(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quote_comes_back_as_it_was_written),
        cmocka_unit_test(each_header_field_has_its_values),
        cmocka_unit_test(a_body_of_an_unknown_type_is_refused_whatever_its_size),
        cmocka_unit_test(every_size_fills_what_is_around_it),
        cmocka_unit_test(documents_come_back_as_they_were_written),
        cmocka_unit_test(every_member_is_there_once_and_of_its_type),
        cmocka_unit_test(members_come_in_any_order_and_with_white_space),
        cmocka_unit_test(unknown_members_are_passed_over_if_they_are_json),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(times_are_real_utc_seconds),
        cmocka_unit_test(tables_of_the_tcb_info_have_limits),
        cmocka_unit_test(values_of_the_tcb_info_have_their_form),
        cmocka_unit_test(a_signed_document_has_two_members_and_a_lower_case_signature),
        cmocka_unit_test(a_document_of_64_kib_is_read_and_one_byte_more_is_not),
        cmocka_unit_test(reading_allocates_nothing),
        cmocka_unit_test(collateral_says_whom_it_is_for_and_until_when),
        cmocka_unit_test(collateral_that_no_quote_could_use_is_refused),
        cmocka_unit_test(the_chain_of_the_authority_is_verified),
        cmocka_unit_test(the_authority_hangs_from_the_root_of_the_documents),
    };

    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(tests, make, clean);
}
