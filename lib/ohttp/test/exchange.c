/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "crypto.h"
#include "ohttp.h"

static const struct pp_ohttp_suite AES = { PP_HKDF_SHA256, PP_AES_128_GCM };
static const struct pp_ohttp_suite CHACHA = { PP_HKDF_SHA512, PP_CHACHA20_POLY1305 };

/* RFC 9458, appendix A. */
static const char SKR[] = "3c168975674b2fa8e465970b79c8dcf09f1c741626480bd4c6162fc5b6a98e1a";
static const char SKE[] = "bc51d5e930bda26589890ac7032f70ad12e4ecb37abb1b65b1256c9c48999c73";
static const char REQUEST[] = "00034745540568747470730b6578616d706c652e636f6d012f";
static const char SEALED_REQUEST[] =
    "010020000100014b28f881333e7c164ffc499ad9796f877f4e1051ee6d31bad19dec96c208b472"
    "6374e469135906992e1268c594d2a10c695d858c40a026e7965e7d86b83dd440b2c0185204b4d63525";
static const char RESPONSE_NONCE[] = "c789e7151fcba46158ca84b04464910d";
static const char SEALED_RESPONSE[] =
    "c789e7151fcba46158ca84b04464910d86f9013e404feea014e7be4a441f234f857fbd";

struct fixture {
    struct pp_ohttp_gateway gateway;
    struct pp_ohttp device, server;
    uint8_t sealed[512], answer[512], body[512];
};

static struct pp_kem_key *import(const char *hex)
{
    struct pp_kem_key *key = NULL;
    uint8_t sk[PP_X25519_BYTES];

    assert_int_equal(pp_test_hex(hex, sk, sizeof sk), sizeof sk);
    assert_ok(pp_kem_key_import(PP_KEM_X25519_SHA256, PP_BYTES(sk), &key));
    return key;
}

static int set_up(void **state)
{
    static struct fixture f;
    const struct pp_ohttp_suite suites[] = { AES, CHACHA };

    f = (struct fixture){ 0 };
    assert_ok(pp_crypto_init());
    assert_ok(pp_ohttp_gateway_add(&f.gateway, 1, import(SKR), suites, 2));
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    pp_ohttp_done(&f->device);
    pp_ohttp_done(&f->server);
    pp_ohttp_gateway_done(&f->gateway);
    return 0;
}

/* Seals `request` to the gateway's first key; the length of f->sealed. */
static size_t seal(struct fixture *f, struct pp_ohttp_suite suite, struct pp_span request)
{
    struct pp_random random = pp_random_system();
    struct pp_wr wr = pp_wr_over(f->sealed, sizeof f->sealed);

    pp_ohttp_done(&f->device);
    assert_ok(pp_ohttp_request_seal(&f->device, &f->gateway.keys[0].config, suite, &random, request,
                                    &wr));
    return wr.len;
}

/* Opens the first `len` bytes of f->sealed in a copy. */
static pp_res open_copy(struct fixture *f, size_t len, struct pp_span *ret)
{
    pp_ohttp_done(&f->server);
    memcpy(f->body, f->sealed, sizeof f->body);
    return pp_ohttp_request_open(&f->server, &f->gateway, f->body, len, ret);
}

static void the_exchange_of_the_rfc_comes_out_byte_for_byte(void **state)
{
    struct fixture *f = *state;
    PP_HEX(ske, SKE);
    PP_HEX(nonce, RESPONSE_NONCE);
    PP_HEX(request, REQUEST);
    struct pp_span ske_script = pp_span(ske, ske_len), nonce_script = pp_span(nonce, nonce_len);
    struct pp_random device_random = pp_random_script(&ske_script);
    struct pp_random gateway_random = pp_random_script(&nonce_script);
    struct pp_wr up = pp_wr_over(f->sealed, sizeof f->sealed);
    struct pp_wr down = pp_wr_over(f->answer, sizeof f->answer);
    struct pp_span opened;
    uint8_t response[] = { 0x01, 0x40, 0xc8 };

    assert_ok(pp_ohttp_request_seal(&f->device, &f->gateway.keys[0].config, AES, &device_random,
                                    pp_span(request, request_len), &up));
    assert_hex(f->sealed, up.len, SEALED_REQUEST);
    assert_int_equal(up.len, request_len + pp_ohttp_request_overhead(PP_KEM_X25519_SHA256));

    assert_ok(pp_ohttp_request_open(&f->server, &f->gateway, f->sealed, up.len, &opened));
    assert_hex(opened.at, opened.len, REQUEST);
    assert_ok(pp_ohttp_response_seal(&f->server, &gateway_random, PP_BYTES(response), &down));
    assert_hex(f->answer, down.len, SEALED_RESPONSE);
    assert_int_equal(down.len, sizeof response + pp_ohttp_response_overhead(AES));

    assert_ok(pp_ohttp_response_open(&f->device, f->answer, down.len, &opened));
    assert_hex(opened.at, opened.len, "0140c8");
}

static void every_bit_of_an_encapsulated_request_matters(void **state)
{
    struct fixture *f = *state;
    struct pp_span opened = PP_STR("untouched");
    size_t len = seal(f, AES, PP_STR("hello"));

    assert_ok(open_copy(f, len, &opened));
    assert_true(pp_span_eq(opened, PP_STR("hello")));
    for (size_t bit = 0; bit < len * 8; bit++) {
        /* X25519 ignores the top bit of a point, but the KEM context does not. */
        f->sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_code(open_copy(f, len, &opened), PP_E_AUTH);
        assert_int_equal(f->server.enc_len, 0);
        f->sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_ok(open_copy(f, len, &opened));
}

static void a_request_is_refused_at_every_other_length(void **state)
{
    struct fixture *f = *state;
    struct pp_span opened;
    size_t len = seal(f, AES, PP_STR("hello"));
    size_t least = pp_ohttp_request_overhead(PP_KEM_X25519_SHA256);

    for (size_t n = 0; n <= len + 2; n++) {
        pp_res r = open_copy(f, n, &opened);
        uint32_t code = n == len ? PP_E_OK : n < least ? PP_E_TRUNCATED : PP_E_AUTH;
        assert_code(r, code);
    }
}

static void an_empty_message_and_the_largest_one_pass(void **state)
{
    struct fixture *f = *state;
    struct pp_span opened;
    static uint8_t large[sizeof f->sealed - 55];

    assert_ok(open_copy(f, seal(f, AES, PP_STR("")), &opened));
    assert_int_equal(opened.len, 0);
    assert_ok(open_copy(f, seal(f, AES, PP_BYTES(large)), &opened));
    assert_int_equal(opened.len, sizeof large);

    struct pp_random random = pp_random_system();
    struct pp_wr wr = pp_wr_over(f->sealed, sizeof large + 54); /* one byte short */
    pp_ohttp_done(&f->device);
    assert_code(pp_ohttp_request_seal(&f->device, &f->gateway.keys[0].config, AES, &random,
                                      PP_BYTES(large), &wr),
                PP_E_NO_SPACE);
    assert_int_equal(f->device.hpke.role, 0);
}

/* The reasons differ for our counters; the code, which decides what the network sees, does not. */
static void w3_r_every_key_failure_is_one_code(void **state)
{
    struct fixture *f = *state;
    struct pp_span opened;
    size_t len = seal(f, AES, PP_STR("hello"));
    static const struct {
        size_t at;
        uint8_t value;
        uint32_t detail;
    } rows[] = {
        { 0, 2, PP_OHTTP_KEY_UNKNOWN },   { 2, 0x30, PP_OHTTP_KEY_UNKNOWN },
        { 4, 3, PP_OHTTP_SUITE_UNKNOWN }, { 6, 3, PP_OHTTP_SUITE_UNKNOWN },
        { 6, 2, PP_OHTTP_SUITE_UNKNOWN }, { 20, 0, PP_OHTTP_NOT_OPENED },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        uint8_t before = f->sealed[rows[i].at];
        f->sealed[rows[i].at] = rows[i].value;
        if (i == 5)
            f->sealed[rows[i].at] = (uint8_t)~before;
        pp_res r = open_copy(f, len, &opened);
        assert_code(r, PP_E_AUTH);
        assert_int_equal(r.detail, rows[i].detail);
        f->sealed[rows[i].at] = before;
    }
    memset(f->sealed + PP_OHTTP_HEADER_BYTES, 0, PP_X25519_BYTES); /* the point of low order */
    assert_code(open_copy(f, len, &opened), PP_E_AUTH);
}

static void each_suite_of_a_key_opens_only_what_names_it(void **state)
{
    struct fixture *f = *state;
    struct pp_random random = pp_random_system();
    struct pp_span opened;
    struct pp_wr wr = pp_wr_over(f->answer, sizeof f->answer);
    size_t len = seal(f, CHACHA, PP_STR("hello"));

    assert_ok(open_copy(f, len, &opened));
    assert_ok(pp_ohttp_response_seal(&f->server, &random, PP_STR("answer"), &wr));
    assert_int_equal(wr.len, 6 + 32 + 16);
    assert_int_equal(pp_ohttp_response_overhead(CHACHA), 32 + 16);
    assert_ok(pp_ohttp_response_open(&f->device, f->answer, wr.len, &opened));

    /* The info string covers the header: a request cannot be moved to the other suite. */
    f->sealed[4] = PP_HKDF_SHA256;
    f->sealed[6] = PP_AES_128_GCM;
    assert_code(open_copy(f, len, &opened), PP_E_AUTH);
}

static void every_bit_and_length_of_a_response_matters(void **state)
{
    struct fixture *f = *state;
    struct pp_random random = pp_random_system();
    struct pp_wr wr = pp_wr_over(f->answer, sizeof f->answer);
    struct pp_span opened;

    assert_ok(open_copy(f, seal(f, AES, PP_STR("hello")), &opened));
    assert_ok(pp_ohttp_response_seal(&f->server, &random, PP_STR("answer"), &wr));
    for (size_t bit = 0; bit < wr.len * 8; bit++) {
        memcpy(f->body, f->answer, wr.len);
        f->body[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_code(pp_ohttp_response_open(&f->device, f->body, wr.len, &opened), PP_E_AUTH);
    }
    for (size_t n = 0; n <= wr.len + 1; n++) {
        memcpy(f->body, f->answer, wr.len + 1);
        pp_res r = pp_ohttp_response_open(&f->device, f->body, n, &opened);
        assert_code(r, n == wr.len ? PP_E_OK : PP_E_AUTH);
    }
}

static void a_response_of_another_exchange_is_refused(void **state)
{
    struct fixture *f = *state;
    struct pp_random random = pp_random_system();
    struct pp_wr wr = pp_wr_over(f->answer, sizeof f->answer);
    struct pp_span opened;

    assert_ok(open_copy(f, seal(f, AES, PP_STR("first")), &opened));
    assert_ok(pp_ohttp_response_seal(&f->server, &random, PP_STR("answer"), &wr));
    (void)seal(f, AES, PP_STR("second"));
    assert_code(pp_ohttp_response_open(&f->device, f->answer, wr.len, &opened), PP_E_AUTH);
}

/* RFC 9458, 6.5.1: a fresh nonce lets a replayed request be answered without key reuse. */
static void two_responses_to_one_request_share_no_byte_of_key_stream(void **state)
{
    struct fixture *f = *state;
    struct pp_random random = pp_random_system();
    struct pp_wr a = pp_wr_over(f->answer, sizeof f->answer);
    struct pp_wr b = pp_wr_over(f->body, sizeof f->body);
    struct pp_span opened;

    assert_ok(open_copy(f, seal(f, AES, PP_STR("hello")), &opened));
    assert_ok(pp_ohttp_response_seal(&f->server, &random, PP_STR("answer"), &a));
    assert_ok(pp_ohttp_response_seal(&f->server, &random, PP_STR("answer"), &b));
    assert_memory_not_equal(f->answer, f->body, 16);
    assert_memory_not_equal(f->answer + 16, f->body + 16, 6);
    assert_ok(pp_ohttp_response_open(&f->device, f->answer, a.len, &opened));
    assert_ok(pp_ohttp_response_open(&f->device, f->body, b.len, &opened));
}

static void without_random_bytes_nothing_is_sealed(void **state)
{
    struct fixture *f = *state;
    struct pp_span nothing = { 0 }, opened;
    struct pp_random random = pp_random_script(&nothing);
    struct pp_wr wr = pp_wr_over(f->answer, sizeof f->answer);

    assert_code(pp_ohttp_request_seal(&f->device, &f->gateway.keys[0].config, AES, &random,
                                      PP_STR("hello"), &wr),
                PP_E_RANDOM);
    assert_ok(open_copy(f, seal(f, AES, PP_STR("hello")), &opened));
    assert_code(pp_ohttp_response_seal(&f->server, &random, PP_STR("answer"), &wr), PP_E_RANDOM);
    assert_int_equal(wr.len, 0);
}

static void an_exchange_is_used_in_order_and_once(void **state)
{
    struct fixture *f = *state;
    struct pp_random random = pp_random_system();
    struct pp_wr wr = pp_wr_over(f->answer, sizeof f->answer);
    struct pp_span opened;
    size_t len = seal(f, AES, PP_STR("hello"));

    assert_code(pp_ohttp_response_seal(&f->server, &random, PP_STR("x"), &wr), PP_E_STATE);
    assert_code(pp_ohttp_response_open(&f->server, f->body, sizeof f->body, &opened), PP_E_STATE);
    assert_code(pp_ohttp_request_seal(&f->device, &f->gateway.keys[0].config, AES, &random,
                                      PP_STR("hello"), &wr),
                PP_E_STATE);
    assert_ok(open_copy(f, len, &opened));
    memcpy(f->body, f->sealed, len);
    assert_code(pp_ohttp_request_open(&f->server, &f->gateway, f->body, len, &opened), PP_E_STATE);
}

static void an_unusable_public_key_is_refused_by_the_device(void **state)
{
    struct fixture *f = *state;
    struct pp_random random = pp_random_system();
    struct pp_wr wr = pp_wr_over(f->sealed, sizeof f->sealed);
    struct pp_keyconf kc = f->gateway.keys[0].config;

    memset(kc.public_key, 0, sizeof kc.public_key);
    assert_code(pp_ohttp_request_seal(&f->device, &kc, AES, &random, PP_STR("x"), &wr), PP_E_KEY);
    struct pp_ohttp_suite export_only = { PP_HKDF_SHA256, PP_HPKE_EXPORT_ONLY };
    assert_code(pp_ohttp_request_seal(&f->device, &f->gateway.keys[0].config, export_only, &random,
                                      PP_STR("x"), &wr),
                PP_E_UNSUPPORTED);
}

static void a_gateway_serves_several_keys_and_forgets_the_one_that_is_removed(void **state)
{
    struct fixture *f = *state;
    struct pp_span opened;
    uint8_t list[256];
    struct pp_wr wr = pp_wr_over(list, sizeof list);
    struct pp_keylist parsed;

    assert_ok(pp_ohttp_gateway_add(&f->gateway, 2, import(SKE), &AES, 1));
    assert_ok(pp_ohttp_gateway_keys(&f->gateway, &wr));
    assert_ok(pp_keylist_parse(pp_wr_done(&wr), &parsed));
    assert_int_equal(parsed.count, 2);
    assert_int_equal(parsed.keys[0].suite_count, 2);

    size_t len = seal(f, AES, PP_STR("to the first key"));
    assert_ok(open_copy(f, len, &opened));
    assert_ok(pp_ohttp_gateway_remove(&f->gateway, 1));
    assert_code(pp_ohttp_gateway_remove(&f->gateway, 1), PP_E_NOT_FOUND);
    assert_code(open_copy(f, len, &opened), PP_E_AUTH);
    assert_int_equal(f->gateway.key_count, 1);
    assert_ok(open_copy(f, seal(f, AES, PP_STR("to the second")), &opened));
}

static void a_key_id_names_one_key(void **state)
{
    struct fixture *f = *state;
    struct pp_kem_key *key = import(SKE);
    struct pp_ohttp_suite suites[PP_KEYCONF_SUITES_MAX + 1];

    for (size_t i = 0; i < PP_ARRAY_COUNT(suites); i++)
        suites[i] = AES;
    assert_code(pp_ohttp_gateway_add(&f->gateway, 1, key, &AES, 1), PP_E_EXISTS);
    assert_code(pp_ohttp_gateway_add(&f->gateway, 2, key, suites, 0), PP_E_RANGE);
    assert_code(pp_ohttp_gateway_add(&f->gateway, 2, key, suites, PP_ARRAY_COUNT(suites)),
                PP_E_RANGE);
    suites[0].aead = PP_HPKE_EXPORT_ONLY;
    assert_code(pp_ohttp_gateway_add(&f->gateway, 2, key, suites, 1), PP_E_UNSUPPORTED);
    suites[0] = (struct pp_ohttp_suite){ PP_HPKE_SHAKE128, PP_AES_128_GCM };
    assert_code(pp_ohttp_gateway_add(&f->gateway, 2, key, suites, 1), PP_E_UNSUPPORTED);
    assert_int_equal(f->gateway.key_count, 1);
    pp_kem_key_free(key); /* still ours after a failure */
}

static void a_gateway_holds_eight_keys_and_no_more(void **state)
{
    struct fixture *f = *state;
    struct pp_kem_key *ninth = import(SKE);

    for (uint8_t id = 2; id <= PP_OHTTP_GATEWAY_KEYS_MAX; id++)
        assert_ok(pp_ohttp_gateway_add(&f->gateway, id, import(SKE), &AES, 1));
    assert_code(pp_ohttp_gateway_add(&f->gateway, 99, ninth, &AES, 1), PP_E_LIMIT);
    pp_kem_key_free(ninth);
    assert_ok(pp_ohttp_gateway_remove(&f->gateway, 4));
    assert_int_equal(f->gateway.keys[2].config.id, 3);
    assert_int_equal(f->gateway.keys[3].config.id, 5);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest TESTS[] = {
    WITH_FIXTURE(the_exchange_of_the_rfc_comes_out_byte_for_byte),
    WITH_FIXTURE(every_bit_of_an_encapsulated_request_matters),
    WITH_FIXTURE(a_request_is_refused_at_every_other_length),
    WITH_FIXTURE(an_empty_message_and_the_largest_one_pass),
    WITH_FIXTURE(w3_r_every_key_failure_is_one_code),
    WITH_FIXTURE(each_suite_of_a_key_opens_only_what_names_it),
    WITH_FIXTURE(every_bit_and_length_of_a_response_matters),
    WITH_FIXTURE(a_response_of_another_exchange_is_refused),
    WITH_FIXTURE(two_responses_to_one_request_share_no_byte_of_key_stream),
    WITH_FIXTURE(without_random_bytes_nothing_is_sealed),
    WITH_FIXTURE(an_exchange_is_used_in_order_and_once),
    WITH_FIXTURE(an_unusable_public_key_is_refused_by_the_device),
    WITH_FIXTURE(a_gateway_serves_several_keys_and_forgets_the_one_that_is_removed),
    WITH_FIXTURE(a_key_id_names_one_key),
    WITH_FIXTURE(a_gateway_holds_eight_keys_and_no_more),
};

PP_TEST_MAIN(TESTS)
