/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "crypto.h"
#include "failure.h"
#include "ohttp.h"

/* Section 5 of RFC 9458 and the error table of docs/protocol/ohttp.md, line by line. */
static void every_event_has_its_status_in_clear_or_sealed(void **state)
{
    static const struct {
        enum pp_ohttp_failure f;
        uint16_t status;
        uint8_t is_sealed;
    } ROWS[] = {
        { PP_OHTTP_FAIL_METHOD, 405, 0 },
        { PP_OHTTP_FAIL_TYPE, 415, 0 },
        { PP_OHTTP_FAIL_BODY, 400, 0 },
        { PP_OHTTP_FAIL_BODY_LONG, 413, 0 },
        { PP_OHTTP_FAIL_OPEN, 422, 0 },
        { PP_OHTTP_FAIL_REPLAY, 400, 1 },
        { PP_OHTTP_FAIL_MESSAGE, 400, 1 },
        { PP_OHTTP_FAIL_EXPECTATION, 417, 1 },
        { PP_OHTTP_FAIL_TARGET, 403, 1 },
        { PP_OHTTP_FAIL_TARGET_DOWN, 502, 1 },
        { PP_OHTTP_FAIL_TARGET_TIMEOUT, 504, 1 },
        { PP_OHTTP_FAIL_GATEWAY_DOWN, 502, 0 },
        { PP_OHTTP_FAIL_GATEWAY_TIMEOUT, 504, 0 },
    };

    (void)state;
    assert_int_equal(PP_ARRAY_COUNT(ROWS), PP_OHTTP_FAIL_COUNT);
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        struct pp_ohttp_answer a = pp_ohttp_answer_to(ROWS[i].f);
        assert_int_equal(a.status, ROWS[i].status);
        assert_int_equal(a.is_sealed, ROWS[i].is_sealed);
    }
}

/* RFC 9458, 5.3; RFC 9457: the document has a media type of its own. */
static void only_a_request_that_does_not_open_carries_the_problem_document(void **state)
{
    (void)state;
    for (int f = 0; f < PP_OHTTP_FAIL_COUNT; f++) {
        struct pp_ohttp_answer a = pp_ohttp_answer_to((enum pp_ohttp_failure)f);
        assert_int_equal(a.type != NULL, f == PP_OHTTP_FAIL_OPEN);
        assert_int_equal(a.body.len > 0, f == PP_OHTTP_FAIL_OPEN);
    }
    struct pp_ohttp_answer a = pp_ohttp_answer_to(PP_OHTTP_FAIL_OPEN);
    assert_string_equal(a.type, "application/problem+json");
    assert_true(pp_span_eq(
        a.body, PP_STR("{\"type\":\"https://iana.org/assignments/http-problem-types#ohttp-key\","
                       "\"title\":\"key identifier unknown\"}")));
}

static void codes_of_opening_show_nothing_but_lengths(void **state)
{
    (void)state;
    for (uint32_t code = 1; code < 256; code++) {
        enum pp_ohttp_failure want = code == PP_E_TRUNCATED || code == PP_E_RANGE
                                         ? PP_OHTTP_FAIL_BODY
                                     : code == PP_E_LIMIT ? PP_OHTTP_FAIL_BODY_LONG
                                                          : PP_OHTTP_FAIL_OPEN;
        for (uint32_t detail = 0; detail < 4; detail++) {
            pp_res r = { .code = code, .detail = detail };
            assert_int_equal(pp_ohttp_failure_of(r), want);
        }
    }
}

/* W3: another key id, KEM, KDF, AEAD, encapsulated key, byte of the message: one answer to all. */
static void w3_every_way_not_to_open_is_one_answer(void **state)
{
    static struct pp_ohttp_gateway gw;
    static const struct pp_ohttp_suite SUITE = { PP_HKDF_SHA256, PP_AES_128_GCM };
    struct pp_random random = pp_random_system();
    struct pp_ohttp device = { 0 };
    struct pp_kem_key *key = NULL;
    uint8_t sk[PP_X25519_BYTES] = { 7 }, sealed[256], body[256];
    struct pp_wr wr = pp_wr_over(sealed, sizeof sealed);

    (void)state;
    assert_ok(pp_crypto_init());
    assert_ok(pp_kem_key_import(PP_KEM_X25519_SHA256, PP_BYTES(sk), &key));
    assert_ok(pp_ohttp_gateway_add(&gw, 1, key, &SUITE, 1));
    assert_ok(
        pp_ohttp_request_seal(&device, &gw.keys[0].config, SUITE, &random, PP_STR("hello"), &wr));
    for (size_t i = 0; i < wr.len; i++) {
        struct pp_ohttp x = { 0 };
        struct pp_span request;
        memcpy(body, sealed, sizeof body);
        body[i] ^= 1;
        pp_res r = pp_ohttp_request_open(&x, &gw, body, wr.len, &request);
        assert_false(pp_is_ok(r));
        assert_int_equal(pp_ohttp_failure_of(r), PP_OHTTP_FAIL_OPEN);
    }
    pp_ohttp_done(&device);
    pp_ohttp_gateway_done(&gw);
}

static void a_short_body_is_400_whatever_key_it_names(void **state)
{
    static struct pp_ohttp_gateway none;
    struct pp_ohttp x = { 0 };
    struct pp_span request;

    (void)state;
    for (size_t id = 0; id < 256; id++) {
        uint8_t body[PP_OHTTP_REQUEST_BYTES_MIN + 1] = { (uint8_t)id, 0x00, 0x20, 0, 1, 0, 1 };
        pp_res r = pp_ohttp_request_open(&x, &none, body, sizeof body - 2, &request);
        assert_int_equal(pp_ohttp_failure_of(r), PP_OHTTP_FAIL_BODY);
        r = pp_ohttp_request_open(&x, &none, body, sizeof body - 1, &request);
        assert_int_equal(pp_ohttp_failure_of(r), PP_OHTTP_FAIL_OPEN);
    }
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(every_event_has_its_status_in_clear_or_sealed),
    cmocka_unit_test(only_a_request_that_does_not_open_carries_the_problem_document),
    cmocka_unit_test(codes_of_opening_show_nothing_but_lengths),
    cmocka_unit_test(w3_every_way_not_to_open_is_one_answer),
    cmocka_unit_test(a_short_body_is_400_whatever_key_it_names),
};

PP_TEST_MAIN(TESTS)
