/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 private keys as other programs write them (RFC 8410, RFC 7468). */
#include "harness.h"

#include "crypto.h"
#include "sign.h"
#include "wr.h"

/* RFC 8410 10.3: the first example, version 1. */
static const char V1[] = "-----BEGIN PRIVATE KEY-----\n"
                         "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                         "-----END PRIVATE KEY-----\n";
static const uint8_t SEED[] = { 0xd4, 0xee, 0x72, 0xdb, 0xf9, 0x13, 0x58, 0x4a, 0xd5, 0xb6, 0xd8,
                                0xf1, 0xf7, 0x69, 0xf8, 0xad, 0x3a, 0xfe, 0x7c, 0x28, 0xcb, 0xf1,
                                0xd4, 0xfb, 0xe0, 0x97, 0xa8, 0x8f, 0x44, 0x75, 0x58, 0x42 };
/* RFC 8410 10.1: the public key that is this seed's. */
static const uint8_t PK[] = { 0x19, 0xbf, 0x44, 0x09, 0x69, 0x84, 0xcd, 0xfe, 0x85, 0x41, 0xba,
                              0xc1, 0x67, 0xdc, 0x3b, 0x96, 0xc8, 0x50, 0x86, 0xaa, 0x30, 0xb6,
                              0xb6, 0xcb, 0x0c, 0x5c, 0x38, 0xad, 0x70, 0x31, 0x66, 0xe1 };
static const uint8_t HEAD[] = { 0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20 };

static struct pp_secret seed;

static void assert_is_the_seed(struct pp_span file)
{
    assert_ok(pp_ed25519_pkcs8_parse(file, &seed));
    assert_int_equal(seed.len, sizeof SEED);
    assert_memory_equal(seed.bytes, SEED, sizeof SEED);
    pp_secret_done(&seed);
}

static void assert_refused(struct pp_span file)
{
    pp_res r = pp_ed25519_pkcs8_parse(file, &seed);

    assert_true(r.code == PP_E_FORMAT || r.code == PP_E_MISMATCH);
    assert_null(seed.bytes);
}

static struct pp_span v1(struct pp_wr *wr)
{
    pp_wr_bytes(wr, HEAD, sizeof HEAD);
    pp_wr_bytes(wr, SEED, sizeof SEED);
    return pp_wr_done(wr);
}

static struct pp_span v2(struct pp_wr *wr)
{
    pp_wr_bytes(wr, HEAD, sizeof HEAD);
    pp_wr_bytes(wr, SEED, sizeof SEED);
    wr->at[1] = 0x51;
    wr->at[4] = 0x01;
    pp_wr_bytes(wr, "\x81\x21", 3);
    pp_wr_bytes(wr, PK, sizeof PK);
    return pp_wr_done(wr);
}

static struct pp_span pem(struct pp_wr *wr, struct pp_span der, const char *eol)
{
    char base64[128];
    struct pp_wr b = pp_wr_over(base64, sizeof base64);

    pp_wr_base64(&b, der);
    pp_wr_text(wr, "-----BEGIN PRIVATE KEY-----");
    for (size_t i = 0; i < b.len; i += 64) {
        pp_wr_text(wr, eol);
        pp_wr_bytes(wr, base64 + i, b.len - i < 64 ? b.len - i : 64);
    }
    pp_wr_text(wr, eol);
    pp_wr_text(wr, "-----END PRIVATE KEY-----");
    return pp_wr_done(wr);
}

static void the_published_key_is_read(void **state)
{
    (void)state;
    uint8_t pk[PP_ED25519_PK_BYTES];

    assert_is_the_seed(pp_span_cstr(V1));
    assert_ok(pp_ed25519_public(PP_BYTES(SEED), pk));
    assert_memory_equal(pk, PK, sizeof pk);
}

static void both_versions_are_read_as_der_and_as_pem_with_either_line_end(void **state)
{
    (void)state;
    static const char *const EOLS[] = { "\n", "\r\n" };

    for (int version = 1; version <= 2; version++) {
        uint8_t der[128];
        struct pp_wr d = pp_wr_over(der, sizeof der);
        struct pp_span key = version == 1 ? v1(&d) : v2(&d);
        assert_is_the_seed(key);
        for (size_t i = 0; i < PP_ARRAY_COUNT(EOLS); i++) {
            char text[256];
            struct pp_wr t = pp_wr_over(text, sizeof text);
            assert_is_the_seed(pem(&t, key, EOLS[i]));
            pp_wr_text(&t, EOLS[i]);
            assert_is_the_seed(pp_wr_done(&t));
            pp_wr_text(&t, EOLS[i]);
            assert_refused(pp_wr_done(&t));
        }
    }
}

static void every_truncation_and_every_extra_byte_is_refused(void **state)
{
    (void)state;

    for (int version = 1; version <= 2; version++) {
        uint8_t der[128] = { 0 };
        char text[256] = "";
        struct pp_wr d = pp_wr_over(der, sizeof der);
        struct pp_wr t = pp_wr_over(text, sizeof text);
        struct pp_span key = version == 1 ? v1(&d) : v2(&d);
        for (size_t n = 0; n < key.len; n++)
            assert_refused(pp_span(der, n));
        assert_refused(pp_span(der, key.len + 1));
        struct pp_span file = pem(&t, key, "\n");
        for (size_t n = 0; n < file.len; n++)
            assert_refused(pp_span(text, n));
        assert_refused(pp_span(text, file.len + 1));
    }
}

/* 83 bytes are 110 digits and two thirds, so two bits and one character are left to be wrong. */
static void the_unused_end_of_a_pem_is_what_it_must_be(void **state)
{
    (void)state;
    uint8_t der[128];
    char text[256];
    struct pp_wr d = pp_wr_over(der, sizeof der);
    struct pp_wr t = pp_wr_over(text, sizeof text);
    struct pp_span file = pem(&t, v2(&d), "\n");
    char *last = text + file.len - strlen("\n-----END PRIVATE KEY-----") - 1;

    assert_int_equal(last[0], '=');
    assert_int_equal(last[-1], 'E'); /* 0000 and two bits of nothing, behind 0001 */
    assert_is_the_seed(file);
    last[0] = 'A';
    assert_refused(file);
    last[0] = '=';
    for (char c = 'F'; c <= 'H'; c++) {
        last[-1] = c;
        assert_refused(file);
    }
}

/* A changed seed is another key in version 1; the public key of version 2 tells it. */
static void every_changed_byte_but_the_seed_is_refused(void **state)
{
    (void)state;
    uint8_t der[128];
    struct pp_wr first = pp_wr_over(der, sizeof der);

    (void)v1(&first);
    for (size_t i = 0; i < sizeof HEAD; i++) {
        der[i] ^= 1;
        assert_refused(pp_span(der, 48));
        der[i] ^= 1;
    }
    struct pp_wr second = pp_wr_over(der, sizeof der);
    struct pp_span key = v2(&second);
    for (size_t i = 0; i < key.len; i++) {
        der[i] ^= 1;
        assert_refused(key);
        der[i] ^= 1;
    }
    assert_is_the_seed(key);
}

static void a_key_of_another_kind_or_under_a_password_is_refused(void **state)
{
    (void)state;
    static const char *const FILES[] = {
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
        "-----END ENCRYPTED PRIVATE KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\n"
        "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
        "-----END PUBLIC KEY-----\n",
        /* X25519 (1.3.101.110), and Ed448 (1.3.101.113): one byte of the algorithm. */
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VuBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
        "-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VxBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
        "-----END PRIVATE KEY-----\n",
        /* Text around it, a space in it, a short line, a mixed line end, another alphabet. */
        "a key\n-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
        "-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY----- \n"
        "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
        "-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK\n1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
        "-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\r\n"
        "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
        "-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp-K06_nwoy_HU--CXqI9EdVhC\n"
        "-----END PRIVATE KEY-----\n",
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(FILES); i++)
        assert_refused(pp_span_cstr(FILES[i]));
}

/* Every byte value in every place of the body: only the 64 characters of base64 are digits. */
static void only_the_alphabet_of_base64_is_read(void **state)
{
    (void)state;
    static const char ALPHABET[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[sizeof V1];
    size_t last = strlen("-----BEGIN PRIVATE KEY-----\n") + 63;

    for (unsigned c = 0; c < 256; c++) {
        const char *at = c == 0 ? NULL : strchr(ALPHABET, (int)c);
        memcpy(text, V1, sizeof V1);
        text[last] = (char)c;
        pp_res r = pp_ed25519_pkcs8_parse(pp_span_cstr(V1), &seed);
        assert_ok(r);
        pp_secret_done(&seed);
        r = pp_ed25519_pkcs8_parse(pp_span((const uint8_t *)text, sizeof text - 1), &seed);
        assert_int_equal(pp_is_ok(r), at != NULL);
        if (at != NULL)
            assert_int_equal(seed.bytes[31], (SEED[31] & 0xc0) | (at - ALPHABET));
        pp_secret_done(&seed);
    }
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(the_published_key_is_read),
    cmocka_unit_test(both_versions_are_read_as_der_and_as_pem_with_either_line_end),
    cmocka_unit_test(every_truncation_and_every_extra_byte_is_refused),
    cmocka_unit_test(the_unused_end_of_a_pem_is_what_it_must_be),
    cmocka_unit_test(every_changed_byte_but_the_seed_is_refused),
    cmocka_unit_test(a_key_of_another_kind_or_under_a_password_is_refused),
    cmocka_unit_test(only_the_alphabet_of_base64_is_read),
};

static int start(void **state)
{
    (void)state;
    return pp_is_ok(pp_crypto_init()) ? 0 : -1;
}

int main(void)
{
    return cmocka_run_group_tests(TESTS, start, NULL);
}
