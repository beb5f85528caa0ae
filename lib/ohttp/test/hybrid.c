/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway with two key configurations, X25519 and X-Wing (pp-wire 8: Nenc 32 and 1120). */
#include "harness.h"

#include "crypto.h"
#include "keyfile.h"
#include "ohttp.h"

enum { BODY_BYTES = 2048 };

static const struct pp_ohttp_suite AES = { PP_HKDF_SHA256, PP_AES_128_GCM };

static struct pp_ohttp_gateway gateway;
static struct pp_keylist list; /* what a device reads */
static struct pp_random random_source;
static struct pp_ohttp device, server;
static uint8_t sealed[BODY_BYTES], body[BODY_BYTES];

static int set_up(void **state)
{
    static const uint16_t kems[] = { PP_KEM_X25519_SHA256, PP_KEM_XWING };
    static uint8_t bytes[4096];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);

    (void)state;
    random_source = pp_random_system();
    assert_ok(pp_crypto_init());
    for (uint8_t i = 0; i < PP_ARRAY_COUNT(kems); i++) {
        struct pp_kem_key *key = NULL;

        assert_ok(pp_kem_key_generate(kems[i], &random_source, &key));
        assert_ok(pp_ohttp_gateway_add(&gateway, (uint8_t)(i + 1), key, &AES, 1));
    }
    assert_ok(pp_ohttp_gateway_keys(&gateway, &wr));
    assert_int_equal(wr.len, 2 * 2 + 2 * (1 + 2 + 2 + 4) + 32 + 1216);
    return !pp_is_ok(pp_keylist_parse(pp_wr_done(&wr), &list));
}

static int tear_down(void **state)
{
    (void)state;
    pp_ohttp_done(&device);
    pp_ohttp_done(&server);
    pp_ohttp_gateway_done(&gateway);
    return 0;
}

/* A request to the key of that KEM, as the list has it; the length of `sealed`. */
static size_t seal(uint16_t kem)
{
    struct pp_wr wr = pp_wr_over(sealed, sizeof sealed);
    const struct pp_keyconf *key = NULL;
    struct pp_ohttp_suite suite;

    assert_ok(pp_keylist_select(&list, kem, &key, &suite));
    assert_int_equal(key->kem, kem);
    pp_ohttp_done(&device);
    assert_ok(pp_ohttp_request_seal(&device, key, suite, &random_source, PP_STR("hello"), &wr));
    assert_int_equal(wr.len, 5 + pp_ohttp_request_overhead(kem));
    return wr.len;
}

static pp_res open_copy(size_t len)
{
    struct pp_span opened;

    pp_ohttp_done(&server);
    memcpy(body, sealed, sizeof body);
    PP_TRY(pp_ohttp_request_open(&server, &gateway, body, len, &opened));
    assert_true(pp_span_eq(opened, PP_STR("hello")));
    return PP_OK;
}

static void each_key_of_the_list_opens_what_was_sealed_to_it(void **state)
{
    static const uint16_t kems[] = { PP_KEM_XWING, PP_KEM_X25519_SHA256, PP_KEM_XWING };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(kems); i++) {
        uint8_t answer[64];
        struct pp_wr wr = pp_wr_over(answer, sizeof answer);
        struct pp_span opened;

        assert_ok(open_copy(seal(kems[i])));
        assert_ok(pp_ohttp_response_seal(&server, &random_source, PP_STR("answer"), &wr));
        assert_ok(pp_ohttp_response_open(&device, answer, wr.len, &opened));
        assert_true(pp_span_eq(opened, PP_STR("answer")));
    }
}

static void every_byte_of_a_hybrid_request_matters(void **state)
{
    size_t len = seal(PP_KEM_XWING);

    (void)state;
    for (size_t i = 0; i < len; i++) {
        sealed[i] ^= (uint8_t)(1U << i % 8);
        assert_code(open_copy(len), PP_E_AUTH);
        assert_int_equal(server.enc_len, 0);
        sealed[i] ^= (uint8_t)(1U << i % 8);
    }
    assert_ok(open_copy(len));
}

static void a_hybrid_request_is_refused_at_every_other_length(void **state)
{
    size_t len = seal(PP_KEM_XWING);

    (void)state;
    for (size_t n = 0; n < len + 2; n++)
        if (n != len)
            assert_code(open_copy(n), n < PP_OHTTP_REQUEST_BYTES_MIN ? PP_E_TRUNCATED : PP_E_AUTH);
}

/* W12_T1: naming the other key, or the other KEM, is not a way to the weaker one. */
static void w12_t1_a_request_for_one_kem_opens_under_no_other(void **state)
{
    size_t len = seal(PP_KEM_XWING);

    (void)state;
    sealed[0] = 1; /* the classical key's id under the hybrid KEM */
    assert_code(open_copy(len), PP_E_AUTH);
    sealed[1] = PP_KEM_X25519_SHA256 >> 8;
    sealed[2] = PP_KEM_X25519_SHA256 & 0xFF;
    assert_code(open_copy(len), PP_E_AUTH);
    sealed[0] = 2; /* the hybrid key's id under the classical KEM */
    assert_code(open_copy(len), PP_E_AUTH);
}

static void w12_t2_a_list_with_a_key_that_is_not_reduced_seals_nothing(void **state)
{
    struct pp_wr wr = pp_wr_over(sealed, sizeof sealed);
    struct pp_keyconf bad = list.keys[1];

    (void)state;
    memset(bad.public_key, 0xFF, 3);
    pp_ohttp_done(&device);
    assert_code(pp_ohttp_request_seal(&device, &bad, AES, &random_source, PP_STR("x"), &wr),
                PP_E_KEY);
    assert_int_equal(wr.len, 0);
}

static void a_hybrid_key_has_a_key_file_like_any_other(void **state)
{
    static const char text[] =
        "use_from = 1763683200\nuse_until = 1763769600\nid = 196\nkem = 25722\nsuite = 1 1\n"
        "secret = 3c168975674b2fa8e465970b79c8dcf09f1c741626480bd4c6162fc5b6a98e1a\n";
    PP_AUTO(pp_ohttp_keyfile) k = { 0 };
    char again[PP_OHTTP_KEYFILE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(again, sizeof again);

    (void)state;
    assert_ok(pp_ohttp_keyfile_parse(pp_span_cstr(text), &k));
    assert_int_equal(k.kem, PP_KEM_XWING);
    assert_int_equal(k.sk_secret.len, 32);
    assert_ok(pp_ohttp_keyfile_write(&k, &wr));
    assert_true(pp_span_eq(pp_wr_done(&wr), pp_span_cstr(text)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_of_the_list_opens_what_was_sealed_to_it),
        cmocka_unit_test(every_byte_of_a_hybrid_request_matters),
        cmocka_unit_test(a_hybrid_request_is_refused_at_every_other_length),
        cmocka_unit_test(w12_t1_a_request_for_one_kem_opens_under_no_other),
        cmocka_unit_test(w12_t2_a_list_with_a_key_that_is_not_reduced_seals_nothing),
        cmocka_unit_test(a_hybrid_key_has_a_key_file_like_any_other),
    };

    return cmocka_run_group_tests_name("ohttp/hybrid", tests, set_up, tear_down);
}
