/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "bhttp.h"
#include "route.h"

#define AUTHORITY PP_STR("gw.example:8443")
#define TOKEN     PP_STR("PrivateToken token=\"AAUA\"")
/* 98 characters: what a handle looks like; the router does not open it. */
#define HANDLE                                                                                     \
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                                            \
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

enum { MESSAGE_BYTES = 4096 - 55 };

static uint8_t bytes[1 << 17];

static struct pp_bhttp open_message(void)
{
    struct pp_bhttp m = { .framing = PP_BHTTP_REQUEST,
                          .method = PP_STR("POST"),
                          .scheme = PP_STR("https"),
                          .authority = AUTHORITY,
                          .path = PP_STR("/v1/sessions") };

    assert_ok(pp_bhttp_add(&m, &m.header, PP_STR("authorization"), TOKEN));
    pp_bhttp_set_content(&m, PP_STR("client hello"));
    return m;
}

static struct pp_bhttp continue_message(struct pp_span max)
{
    struct pp_bhttp m = open_message();

    m.path = PP_STR("/v1/sessions/" HANDLE);
    m.fields[0] = (struct pp_bhttp_field){ PP_STR("pp-max"), max };
    return m;
}

static struct pp_span written(const struct pp_bhttp *m)
{
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);

    assert_ok(pp_bhttp_write_padded(m, MESSAGE_BYTES, &wr));
    return pp_wr_done(&wr);
}

static struct gw_request route(const struct pp_bhttp *m, size_t body_bytes)
{
    return gw_route(written(m), body_bytes, 0, AUTHORITY);
}

static void assert_refused(struct gw_request r, uint32_t status)
{
    assert_int_equal(r.kind, GW_REFUSED);
    assert_int_equal(r.status, status);
    assert_int_equal(r.bucket_bytes, 1024);
    assert_int_equal(r.content.len, 0);
}

/* pp-wire 3, exchange #1. */
static void the_first_request_is_read(void **state)
{
    (void)state;
    struct pp_bhttp m = open_message();
    struct gw_request r = route(&m, 4096);

    assert_int_equal(r.kind, GW_SESSION_OPEN);
    assert_int_equal(r.bucket_bytes, 32768);
    assert_true(pp_span_eq(r.authorization, TOKEN));
    assert_true(pp_span_eq(r.content, PP_STR("client hello")));
}

/* pp-wire 3, exchange #2. */
static void the_second_request_is_read_in_every_bucket(void **state)
{
    (void)state;
    static const char *const max[] = { "1", "2", "4", "8", "16" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(max); i++) {
        struct pp_bhttp m = continue_message(pp_span_cstr(max[i]));
        for (size_t kib = 2; kib <= 256; kib *= 2) {
            struct gw_request r = route(&m, kib * 1024);
            assert_int_equal(r.kind, GW_SESSION_CONTINUE);
            assert_int_equal(r.bucket_bytes, 1024u << i);
            assert_true(pp_span_eq(r.handle, PP_STR(HANDLE)));
            assert_true(pp_span_eq(r.content, PP_STR("client hello")));
        }
    }
}

static void w16_t1_requests_of_other_sizes_are_refused(void **state)
{
    (void)state;
    struct pp_bhttp one = open_message(), two = continue_message(PP_STR("4"));
    static const size_t wrong_one[] = { 0, 2048, 4095, 4097, 8192, 32768 };
    static const size_t wrong_two[] = {
        0, 1024, 2047, 2049, 3072, 4095, 4097, 6144, 131073, 524288
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(wrong_one); i++)
        assert_refused(route(&one, wrong_one[i]), 400);
    for (size_t i = 0; i < PP_ARRAY_COUNT(wrong_two); i++)
        assert_refused(route(&two, wrong_two[i]), 400);
}

static void an_answer_bucket_outside_the_list_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "0", "3", "5", "15", "17", "32", "04", "4k", "+4", "-4", "4,4", "18446744073709551620"
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(wrong); i++) {
        struct pp_bhttp m = continue_message(pp_span_cstr(wrong[i]));
        assert_refused(route(&m, 4096), 400);
    }
}

static void another_target_is_refused_with_403(void **state)
{
    (void)state;
    static const struct {
        const char *method, *scheme, *authority, *path;
    } rows[] = {
        { "GET", "https", "gw.example:8443", "/v1/sessions" },
        { "PUT", "https", "gw.example:8443", "/v1/sessions" },
        { "POST", "http", "gw.example:8443", "/v1/sessions" },
        { "POST", "https", "gw.example", "/v1/sessions" },
        { "POST", "https", "", "/v1/sessions" },
        { "POST", "https", "other.example:8443", "/v1/sessions" },
        { "POST", "https", "gw.example:8443", "/" },
        { "POST", "https", "gw.example:8443", "/v1/session" },
        { "POST", "https", "gw.example:8443", "/v1/sessionss" },
        { "POST", "https", "gw.example:8443", "/v2/sessions" },
        { "POST", "https", "gw.example:8443", "/v1/sessions?x" },
        { "POST", "https", "gw.example:8443", "*" },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_bhttp m = open_message();
        m.method = pp_span_cstr(rows[i].method);
        m.scheme = pp_span_cstr(rows[i].scheme);
        m.authority = pp_span_cstr(rows[i].authority);
        m.path = pp_span_cstr(rows[i].path);
        assert_refused(route(&m, 4096), 403);
    }
}

/* "Exactly these fields": one, of that name, in the header section. */
static void any_other_field_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = { "date", "user-agent",    "content-type", "accept",
                                         "host", "authorization", "pp-max",       ":protocol" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(names); i++)
        for (int kind = 0; kind < 4; kind++) {
            struct pp_bhttp m = kind % 2 == 0 ? open_message() : continue_message(PP_STR("4"));
            struct pp_bhttp_field own = m.fields[0];
            struct pp_bhttp_section *where = kind < 2 ? &m.header : &m.trailer;
            if (names[i][0] == ':' && kind >= 2)
                continue; /* cannot be written */
            assert_ok(pp_bhttp_add(&m, where, pp_span_cstr(names[i]), PP_STR("x")));
            if (names[i][0] == ':') {
                m.fields[0] = m.fields[1];
                m.fields[1] = own;
            }
            assert_refused(route(&m, 4096), 400);
        }
    struct pp_bhttp none = open_message();
    none.header.count = 0;
    assert_refused(route(&none, 4096), 400);
    struct pp_bhttp swapped = continue_message(PP_STR("4"));
    swapped.path = PP_STR("/v1/sessions"); /* pp-max where authorization belongs */
    assert_refused(route(&swapped, 4096), 400);
    swapped = open_message();
    swapped.path = PP_STR("/v1/sessions/" HANDLE);
    assert_refused(route(&swapped, 4096), 400);
}

/* RFC 9458, 5.1: an answer of one piece has no room for a 100 before it. In chunks it is a field as
 * any other that is not of #1 or #2. */
static void an_expectation_is_417_in_a_whole_message_alone(void **state)
{
    (void)state;
    static const char *const values[] = { "100-continue", "100-Continue", "", "another" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(values); i++)
        for (int kind = 0; kind < 4; kind++) {
            struct pp_bhttp m = kind % 2 == 0 ? open_message() : continue_message(PP_STR("4"));
            m.framing = kind < 2 ? PP_BHTTP_REQUEST : PP_BHTTP_REQUEST_INDETERMINATE;
            assert_ok(pp_bhttp_add(&m, &m.header, PP_STR("expect"), pp_span_cstr(values[i])));
            assert_refused(route(&m, 4096), 417);
            assert_refused(gw_route(written(&m), 4096, 1, AUTHORITY), 400);
            assert_ok(pp_bhttp_add(&m, &m.header, PP_STR("expect"), PP_STR("100-continue")));
            m.path = PP_STR("/elsewhere");
            assert_refused(route(&m, 4096), 417);
        }
    struct pp_bhttp trailer = open_message();
    assert_ok(pp_bhttp_add(&trailer, &trailer.trailer, PP_STR("expect"), PP_STR("100-continue")));
    assert_refused(route(&trailer, 4096), 400);
    struct pp_bhttp response = { .framing = PP_BHTTP_RESPONSE, .status = 200 };
    assert_ok(pp_bhttp_add(&response, &response.header, PP_STR("expect"), PP_STR("100-continue")));
    assert_refused(route(&response, 4096), 400);
}

/* pp-wire 3: known-length form, shortest varints, trailer length 0 written. */
static void another_encoding_of_the_same_message_is_refused(void **state)
{
    (void)state;
    struct pp_bhttp m = open_message();
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);

    m.framing = PP_BHTTP_REQUEST_INDETERMINATE;
    assert_refused(route(&m, 4096), 400);
    m.framing = PP_BHTTP_REQUEST;
    assert_ok(pp_bhttp_write(&m, &wr));
    assert_int_equal(gw_route(pp_wr_done(&wr), 4096, 0, AUTHORITY).kind, GW_SESSION_OPEN);
    assert_refused(gw_route(pp_span(bytes, wr.len - 1), 4096, 0, AUTHORITY), 400); /* no trailer */
    memmove(bytes + 1, bytes, wr.len);
    bytes[0] = 0x40; /* a framing indicator of two bytes */
    assert_refused(gw_route(pp_span(bytes, wr.len + 1), 4096, 0, AUTHORITY), 400);
}

static void what_is_not_a_request_is_refused(void **state)
{
    (void)state;
    struct pp_bhttp m = { .framing = PP_BHTTP_RESPONSE, .status = 200 };
    struct pp_span good;

    assert_refused(route(&m, 4096), 400);
    assert_refused(gw_route(PP_STR(""), 4096, 0, AUTHORITY), 400);
    m = open_message();
    good = written(&m);
    for (size_t n = 0; n < 64; n++)
        assert_refused(gw_route(pp_span(good.at, n), 4096, 0, AUTHORITY), 400);
    bytes[good.len - 1] = 1; /* padding */
    assert_refused(gw_route(good, 4096, 0, AUTHORITY), 400);
}

static void w16_t3_every_answer_of_a_bucket_has_one_size(void **state)
{
    (void)state;
    static uint8_t out[32768], content[32768];
    static const uint32_t statuses[] = { 200, 400, 401, 403, 410, 502, 503, 504 };
    struct pp_bhttp back;

    for (size_t i = 0; i < PP_ARRAY_COUNT(statuses); i++) {
        struct pp_wr wr = pp_wr_over(out, sizeof out);
        struct gw_answer a = { .status = statuses[i] };
        if (statuses[i] == 200) {
            a.handle = PP_STR(HANDLE);
            a.content = pp_span(content, 30000);
        }
        assert_ok(gw_answer_write(&a, 32768 - 32, &wr));
        assert_int_equal(wr.len, 32768 - 32);
        assert_ok(pp_bhttp_parse(pp_wr_done(&wr), &back));
        assert_int_equal(back.status, statuses[i]);
        assert_int_equal(back.exact, 1);
        assert_int_equal(back.header.count, statuses[i] == 200);
        assert_int_equal(back.content_len, a.content.len);
    }
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct gw_answer large = { .status = 200, .content = PP_BYTES(content) };
    assert_code(gw_answer_write(&large, 32768 - 32, &wr), PP_E_NO_SPACE);
    wr = pp_wr_over(out, sizeof out);
    large.content.len = 1024;
    assert_code(gw_answer_write(&large, 1024 - 32, &wr), PP_E_RANGE);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(the_first_request_is_read),
    cmocka_unit_test(the_second_request_is_read_in_every_bucket),
    cmocka_unit_test(w16_t1_requests_of_other_sizes_are_refused),
    cmocka_unit_test(an_answer_bucket_outside_the_list_is_refused),
    cmocka_unit_test(another_target_is_refused_with_403),
    cmocka_unit_test(any_other_field_is_refused),
    cmocka_unit_test(an_expectation_is_417_in_a_whole_message_alone),
    cmocka_unit_test(another_encoding_of_the_same_message_is_refused),
    cmocka_unit_test(what_is_not_a_request_is_refused),
    cmocka_unit_test(w16_t3_every_answer_of_a_bucket_has_one_size),
};

PP_TEST_MAIN(TESTS)
