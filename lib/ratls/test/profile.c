/* SPDX-License-Identifier: Apache-2.0 */
#include "bent.h"

#define SHARE_32 "0900000000000000000000000000000000000000000000000000000000000000"

static pp_res extensions(const char *hex)
{
    uint8_t bytes[128];

    return pp_tls_encrypted_extensions_check(pp_span(bytes, pp_test_hex(hex, bytes, sizeof bytes)));
}

static void encrypted_extensions_hold_alpn_and_nothing_else(void **state)
{
    (void)state;
    assert_ok(extensions("0011 0010 000d 000b 0a 70702d7261746c732f31"));
    assert_code(extensions("0000"), PP_E_TLS_SUITE);
    assert_code(extensions("0011 0010 000d 000b 0a 70702d7261746c732f32"), PP_E_TLS_SUITE);
    assert_code(extensions("0015 0010 000d 000b 0a 70702d7261746c732f31 00000000"),
                PP_E_TLS_SUITE); /* server_name */
    assert_code(extensions("0022 0010 000d 000b 0a 70702d7261746c732f31"
                           "0010 000d 000b 0a 70702d7261746c732f31"),
                PP_E_TLS_SUITE);
    assert_code(extensions("0010 0010 000d 000b 0a 70702d7261746c732f31"), PP_E_TLS_ALERT);
    assert_code(extensions("0012 0010 000d 000b 0a 70702d7261746c732f31"), PP_E_TLS_ALERT);
    assert_code(extensions(""), PP_E_TLS_ALERT);
}

/* W11_T3: a server that accepts early data which nobody sent. */
static void w11_t3_early_data_in_encrypted_extensions_is_refused(void **state)
{
    (void)state;
    assert_code(extensions("0015 0010 000d 000b 0a 70702d7261746c732f31 002a0000"),
                PP_E_TLS_EARLY_DATA);
}

/* W11_T1 to T5: whatever byte of a good ServerHello changes, only random and key share may. */
static void a_changed_byte_of_the_server_hello_is_refused(void **state)
{
    static const char GOOD[] =
        "0303 a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
        "00 1302 00 002e 002b00020304 00330024001d0020" SHARE_32;
    uint8_t bytes[128];
    size_t len = pp_test_hex(GOOD, bytes, sizeof bytes);

    (void)state;
    assert_ok(pp_tls_server_hello_check(pp_span(bytes, len)));
    for (size_t i = 0; i < len; i++) {
        int varies = (i >= 2 && i < 34) || i >= len - 32;
        bytes[i] ^= 1;
        assert_int_equal(pp_is_ok(pp_tls_server_hello_check(pp_span(bytes, len))), varies);
        bytes[i] ^= 1;
    }
    for (size_t n = 0; n < len; n++)
        assert_false(pp_is_ok(pp_tls_server_hello_check(pp_span(bytes, n))));
}

static pp_res server_hello(const char *tail)
{
    static const char HEAD[] =
        "0303 a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf 00 1302 00";
    uint8_t bytes[160];
    size_t len = pp_test_hex(HEAD, bytes, sizeof bytes);

    len += pp_test_hex(tail, bytes + len, sizeof bytes - len);
    return pp_tls_server_hello_check(pp_span(bytes, len));
}

/* Every length says how much there is, to the byte. */
static void a_server_hello_with_a_byte_too_many_anywhere_is_refused(void **state)
{
    (void)state;
    assert_ok(server_hello("002e 002b00020304 00330024001d0020" SHARE_32));
    assert_code(server_hello("002e 002b00020304 00330024001d0020" SHARE_32 "00"), PP_E_TLS_ALERT);
    assert_code(server_hello("002f 002b0003030400 00330024001d0020" SHARE_32), PP_E_TLS_ALERT);
    assert_code(server_hello("002f 002b00020304 00330025001d0020" SHARE_32 "00"), PP_E_TLS_SUITE);
}

static size_t certificate_message(enum pp_curve curve, size_t copies, const char *context,
                                  uint8_t *buf, size_t cap)
{
    struct pp_ec_key *key;
    uint8_t cert[PP_TLS_CERT_BYTES_MAX];
    size_t cert_len = 0;
    struct pp_wr wr = pp_wr_over(buf, cap);

    assert_ok(pp_crypto_init());
    assert_ok(pp_ec_key_generate(curve, &key));
    assert_ok(pp_x509_make_session(key, cert, sizeof cert, &cert_len));
    pp_ec_key_free(key);
    size_t c = pp_wr_block8_begin(&wr);
    pp_wr_text(&wr, context);
    pp_wr_block8_end(&wr, c);
    size_t list = pp_wr_block24_begin(&wr);
    for (size_t i = 0; i < copies; i++) {
        size_t one = pp_wr_block24_begin(&wr);
        pp_wr_bytes(&wr, cert, cert_len);
        pp_wr_block24_end(&wr, one);
        pp_wr_u16(&wr, 0);
    }
    pp_wr_block24_end(&wr, list);
    assert_ok(pp_wr_ok(&wr));
    return wr.len;
}

static void one_certificate_is_taken(void **state)
{
    uint8_t message[4096];
    size_t len = certificate_message(PP_P256, 1, "", message, sizeof message);

    (void)state;
    assert_ok(pp_tls_certificate_check(pp_span(message, len)));
}

static void certificate_messages_of_another_shape_are_refused(void **state)
{
    uint8_t message[4096];
    size_t len = certificate_message(PP_P256, 2, "", message, sizeof message);

    (void)state;
    assert_code(pp_tls_certificate_check(pp_span(message, len)), PP_E_TLS_CERTIFICATE);
    len = certificate_message(PP_P256, 0, "", message, sizeof message);
    assert_code(pp_tls_certificate_check(pp_span(message, len)), PP_E_TLS_CERTIFICATE);
    len = certificate_message(PP_P256, 1, "x", message, sizeof message);
    assert_code(pp_tls_certificate_check(pp_span(message, len)), PP_E_TLS_CERTIFICATE);

    len = certificate_message(PP_P256, 1, "", message, sizeof message);
    for (size_t n = 0; n < len; n++)
        assert_code(pp_tls_certificate_check(pp_span(message, n)), PP_E_TLS_CERTIFICATE);
    message[len++] = 0;
    assert_code(pp_tls_certificate_check(pp_span(message, len)), PP_E_TLS_CERTIFICATE);
}

/* pp-wire 7: the SPKI is the 91-byte uncompressed P-256 form, and no other key is read. */
static void the_key_of_a_certificate_is_p256_uncompressed(void **state)
{
    uint8_t der[PP_TLS_CERT_BYTES_MAX], spki[PP_P256_SPKI_BYTES], want[PP_P256_SPKI_BYTES];
    size_t len = 0, want_len = 0;
    struct pp_ec_key *key;
    struct pp_x509 *parsed;

    (void)state;
    assert_ok(pp_crypto_init());
    assert_ok(pp_ec_key_generate(PP_P256, &key));
    assert_ok(pp_x509_make_session(key, der, sizeof der, &len));
    pp_ec_key_free(key);
    assert_ok(pp_x509_parse(pp_span(der, len), &parsed));
    assert_ok(pp_x509_spki(parsed, want, sizeof want, &want_len));
    pp_x509_free(parsed);

    const unsigned char *at = der;
    X509 *cert = d2i_X509(NULL, &at, (long)len);
    assert_non_null(cert);
    assert_ok(pp_tls_spki(cert, spki));
    assert_memory_equal(spki, want, sizeof spki);
    X509_free(cert);

    /* The curve's OID, one bit away: the same length, another key. */
    uint8_t *oid = memmem(der, len, "\x2a\x86\x48\xce\x3d\x03\x01\x07", 8);
    assert_non_null(oid);
    oid[7] = 6;
    at = der;
    cert = d2i_X509(NULL, &at, (long)len);
    assert_non_null(cert);
    assert_code(pp_tls_spki(cert, spki), PP_E_TLS_CERTIFICATE);
    X509_free(cert);
    assert_code(pp_tls_spki(NULL, spki), PP_E_TLS_CERTIFICATE);
}

/* A longer key is told by its length, before it is written anywhere. */
static void a_key_of_another_curve_has_no_place(void **state)
{
    uint8_t spki[PP_P256_SPKI_BYTES];
    X509 *cert = X509_new();
    struct pp_ec_key *key;

    (void)state;
    assert_ok(pp_crypto_init());
    assert_ok(pp_ec_key_generate(PP_P384, &key));
    assert_non_null(cert);
    assert_int_equal(X509_set_pubkey(cert, pp_ec_key_handle(key)), 1);
    pp_res r = pp_tls_spki(cert, spki);
    assert_code(r, PP_E_TLS_CERTIFICATE);
    assert_int_equal(r.detail, 120);
    X509_free(cert);
    pp_ec_key_free(key);
}

/* W7_T6: an extension in the certificate's entry has no place, evidence in it least of all. */
static void w7_t6_an_extension_of_the_certificate_entry_is_refused(void **state)
{
    uint8_t message[4096];
    size_t len = certificate_message(PP_P256, 1, "", message, sizeof message);

    (void)state;
    /* The last two bytes are the extensions' length; four more hold one empty extension. */
    message[len - 1] = 4;
    memcpy(message + len, "\xff\x42\x00\x00", 4);
    message[3] = (uint8_t)(message[3] + 4);
    assert_code(pp_tls_certificate_check(pp_span(message, len + 4)), PP_E_TLS_CERTIFICATE);
}

static void a_certificate_over_its_limit_is_refused(void **state)
{
    static uint8_t message[PP_TLS_CERT_BYTES_MAX + 64];
    struct pp_wr wr = pp_wr_over(message, sizeof message);

    (void)state;
    pp_wr_u8(&wr, 0);
    pp_wr_u24(&wr, PP_TLS_CERT_BYTES_MAX + 1 + 5);
    pp_wr_u24(&wr, PP_TLS_CERT_BYTES_MAX + 1);
    pp_wr_zeros(&wr, PP_TLS_CERT_BYTES_MAX + 1 + 2);
    pp_res r = pp_tls_certificate_check(pp_wr_done(&wr));
    assert_code(r, PP_E_TLS_CERTIFICATE);
    assert_int_equal(r.detail, PP_TLS_CERT_BYTES_MAX + 1);
}

static void certificate_verify_is_p256_with_sha256(void **state)
{
    (void)state;
    assert_ok(pp_tls_certificate_verify_check(pp_span("\x04\x03\x00\x01s", 5)));
    assert_code(pp_tls_certificate_verify_check(pp_span("\x08\x04\x00\x01s", 5)), PP_E_TLS_SUITE);
    assert_code(pp_tls_certificate_verify_check(pp_span("\x04\x03\x00\x02s", 5)), PP_E_TLS_ALERT);
    assert_code(pp_tls_certificate_verify_check(pp_span("\x04", 1)), PP_E_TLS_ALERT);
}

static void a_changed_byte_of_the_client_hello_is_refused(void **state)
{
    struct pp_ratls_ctx *ctx;
    struct pp_ratls_client *c;
    uint8_t hello[PP_HELLO_BYTES];
    struct pp_hello ret;

    (void)state;
    assert_ok(pp_crypto_init());
    assert_ok(pp_ratls_ctx_new(PP_END_CLIENT, &ctx));
    assert_ok(pp_ratls_client_new(ctx, &c));
    assert_int_equal(client_take(c, hello, sizeof hello), sizeof hello);
    for (size_t i = 0; i < sizeof hello; i++) {
        int varies = (i >= 11 && i < 43) || i >= sizeof hello - 32;
        hello[i] ^= 1;
        assert_int_equal(pp_is_ok(pp_hello_parse(PP_BYTES(hello), &ret)), varies);
        hello[i] ^= 1;
    }
    pp_ratls_client_free(c);
    pp_ratls_ctx_free(ctx);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(encrypted_extensions_hold_alpn_and_nothing_else),
    cmocka_unit_test(w11_t3_early_data_in_encrypted_extensions_is_refused),
    cmocka_unit_test(a_changed_byte_of_the_server_hello_is_refused),
    cmocka_unit_test(a_server_hello_with_a_byte_too_many_anywhere_is_refused),
    cmocka_unit_test(one_certificate_is_taken),
    cmocka_unit_test(certificate_messages_of_another_shape_are_refused),
    cmocka_unit_test(the_key_of_a_certificate_is_p256_uncompressed),
    cmocka_unit_test(a_key_of_another_curve_has_no_place),
    cmocka_unit_test(w7_t6_an_extension_of_the_certificate_entry_is_refused),
    cmocka_unit_test(a_certificate_over_its_limit_is_refused),
    cmocka_unit_test(certificate_verify_is_p256_with_sha256),
    cmocka_unit_test(a_changed_byte_of_the_client_hello_is_refused),
};

PP_TEST_MAIN(tests)
