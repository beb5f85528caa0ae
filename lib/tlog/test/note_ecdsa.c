/* SPDX-License-Identifier: Apache-2.0 */
/* C2SP signed-note keys of type 0x02: verified for logs of others, never a key of ours. */
#include "tlog_test.h"

#include "quorum.h"

/* A public log's key, checkpoint 611 and its log line, as published. */
#define PIXEL_VKEY                                                                                 \
    "pixel_transparency_log+72c878db+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFPN7lzVIk2BOd3Nk33Vpqq"  \
    "VttGwV8uChH+RX/HVfBiypVQFyh8o8Ny6fSdxNMgkSf9/VynrgADBeys0r4Q9uPA="
#define PIXEL_TEXT                                                                                 \
    "developers.google.com/android/binary_transparency/0\n611\n"                                   \
    "2GZ1zmS5VkfUZmn2ZyR4KZXwHLD+xnwBIWzql/cD50w=\n"
#define PIXEL_LINE                                                                                 \
    "\xE2\x80\x94 pixel_transparency_log csh42zBFAiAd3Y1FwqNTt5RglY0uG7heC6Yu1gEbXXPYmZ7LdOILMAI"  \
    "hAIt68PnR/3TADAaC7hvrSHbpziV7TmpIwOUydLmcjyTQ\n"

static struct test_text text;
static struct pp_ec_key *ec;
static struct pp_note_key key;

/* "name+id+base64(02 || spki)"; the id is of the SubjectPublicKeyInfo alone. */
static struct pp_span vkey_of(struct pp_span spki)
{
    uint8_t bytes[256];
    uint8_t digest[PP_SHA256_BYTES];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);

    pp_wr_u8(&wr, PP_NOTE_ECDSA_P256);
    pp_wr_span(&wr, spki);
    pp_sha256(spki, digest);
    pp_wr_text(test_begin(&text), "log.example+");
    pp_wr_hex(&text.wr, pp_span(digest, 4));
    pp_wr_u8(&text.wr, '+');
    pp_wr_base64(&text.wr, pp_wr_done(&wr));
    return test_end(&text);
}

static int make_key(void **state)
{
    static struct test_text kept;
    uint8_t spki[128];
    size_t len;

    if (test_init(state) != 0 || !pp_is_ok(pp_ec_key_generate(PP_P256, &ec)))
        return -1;
    assert_ok(pp_ec_key_spki(ec, spki, sizeof spki, &len));
    pp_wr_span(test_begin(&kept), vkey_of(pp_span(spki, len)));
    assert_ok(pp_vkey_parse(test_end(&kept), &key));
    return 0;
}

static int drop_key(void **state)
{
    (void)state;
    pp_ec_key_free(ec);
    return 0;
}

/* The note "text" with one line: `der` under our key's name and id. */
static pp_res open_signed(const char *signed_text, struct pp_span der)
{
    uint8_t bytes[256];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    struct pp_note_signers signers;
    struct pp_note note;

    pp_wr_u32(&wr, key.id);
    pp_wr_span(&wr, der);
    pp_wr_text(test_begin(&text), signed_text);
    pp_wr_text(&text.wr, "\n\xE2\x80\x94 log.example ");
    pp_wr_base64(&text.wr, pp_wr_done(&wr));
    pp_wr_u8(&text.wr, '\n');
    assert_ok(pp_note_parse(test_end(&text), &note));
    return pp_note_open(&note, &key, 1, &signers);
}

static void a_real_checkpoint_of_a_public_log_opens(void **state)
{
    (void)state;
    static const char NOTE[] = PIXEL_TEXT "\n" PIXEL_LINE;
    struct pp_note_signers signers;
    struct pp_note_key pixel;
    char changed[sizeof NOTE];
    struct pp_note note;

    assert_ok(pp_vkey_parse(PP_STR(PIXEL_VKEY), &pixel));
    assert_int_equal(pixel.id, 0x72c878db);
    assert_ok(pp_note_parse(pp_span(NOTE, sizeof NOTE - 1), &note));
    assert_ok(pp_note_open(&note, &pixel, 1, &signers));
    assert_int_equal(signers.set, 1);
    assert_int_equal(signers.times[0], 0);
    for (size_t i = 0; i < strlen(PIXEL_TEXT) - 1; i++) {
        memcpy(changed, NOTE, sizeof NOTE);
        changed[i] ^= 1;
        if (pp_is_ok(pp_note_parse(pp_span(changed, sizeof NOTE - 1), &note)))
            assert_code(pp_note_open(&note, &pixel, 1, &signers), PP_E_SIGNATURE);
    }
    pp_vkey_write(test_begin(&text), &pixel);
    assert_true(pp_span_eq(test_end(&text), PP_STR(PIXEL_VKEY)));
}

static void the_signature_is_strict_der_over_the_text(void **state)
{
    (void)state;
    uint8_t der[PP_ECDSA_DER_BYTES_MAX + 1];
    size_t len;

    assert_ok(pp_ec_sign(ec, PP_SHA256, PP_STR("text\n"), der, sizeof der - 1, &len));
    assert_ok(open_signed("text\n", pp_span(der, len)));
    assert_code(open_signed("texs\n", pp_span(der, len)), PP_E_SIGNATURE);
    for (size_t n = 1; n < len; n++)
        assert_code(open_signed("text\n", pp_span(der, n)), PP_E_SIGNATURE);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        der[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_code(open_signed("text\n", pp_span(der, len)), PP_E_SIGNATURE);
        der[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    der[len] = 0; /* a byte behind the end */
    assert_code(open_signed("text\n", pp_span(der, len + 1)), PP_E_SIGNATURE);
    assert_ok(pp_ec_sign(ec, PP_SHA384, PP_STR("text\n"), der, sizeof der, &len));
    assert_code(open_signed("text\n", pp_span(der, len)), PP_E_SIGNATURE);
}

/* A body longer than any signature of P-256 fails as a wrong one does, whatever it holds. */
static void a_signature_line_of_any_length_is_only_wrong(void **state)
{
    (void)state;
    static const uint8_t long_body[128] = { 0x30, 0x7E };

    for (size_t n = 1; n <= sizeof long_body; n++)
        assert_code(open_signed("text\n", pp_span(long_body, n)), PP_E_SIGNATURE);
}

static void a_key_is_an_uncompressed_point_of_p256_and_its_id_is_its_own(void **state)
{
    (void)state;
    uint8_t spki[160];
    size_t len;
    struct pp_ec_key *other;
    struct pp_note_key k;

    assert_ok(pp_ec_key_spki(ec, spki, sizeof spki, &len));
    for (size_t n = 0; n < len; n++)
        assert_code(pp_vkey_parse(vkey_of(pp_span(spki, n)), &k), PP_E_UNSUPPORTED);
    spki[len] = 0;
    assert_code(pp_vkey_parse(vkey_of(pp_span(spki, len + 1)), &k), PP_E_UNSUPPORTED);
    for (size_t i = 0; i < 27; i++) { /* the algorithm, the curve, and the form of the point */
        spki[i] ^= 1;
        assert_code(pp_vkey_parse(vkey_of(pp_span(spki, len)), &k), PP_E_UNSUPPORTED);
        spki[i] ^= 1;
    }
    (void)vkey_of(pp_span(spki, len));
    text.bytes[strlen("log.example+")] ^= 1;
    pp_res r = pp_vkey_parse(test_end(&text), &k);
    assert_true(r.code == PP_E_MISMATCH || r.code == PP_E_FORMAT);
    assert_ok(pp_ec_key_generate(PP_P384, &other));
    assert_ok(pp_ec_key_spki(other, spki, sizeof spki, &len));
    assert_code(pp_vkey_parse(vkey_of(pp_span(spki, len)), &k), PP_E_UNSUPPORTED);
    pp_ec_key_free(other);
}

/* A point that is not on the curve is read (it is only bytes), and has signed nothing. */
static void a_point_off_the_curve_verifies_nothing(void **state)
{
    (void)state;
    uint8_t der[PP_ECDSA_DER_BYTES_MAX];
    size_t len;

    assert_ok(pp_ec_sign(ec, PP_SHA256, PP_STR("text\n"), der, sizeof der, &len));
    key.pk[PP_P256_POINT_BYTES - 1] ^= 1;
    assert_code(open_signed("text\n", pp_span(der, len)), PP_E_SIGNATURE);
    key.pk[PP_P256_POINT_BYTES - 1] ^= 1;
    assert_ok(open_signed("text\n", pp_span(der, len)));
}

/* A4: a public log carries an Ed25519 signature; what our policies list has to be able to make
 * one. */
static void a4_policies_of_ours_list_no_ecdsa_key(void **state)
{
    (void)state;
    static struct pp_policy policy;
    struct pp_note_signer s;

    pp_wr_text(test_begin(&text), "log " PIXEL_VKEY "\nquorum none\n");
    assert_code(pp_policy_parse(test_end(&text), PP_POLICY_LOG, &policy), PP_E_UNSUPPORTED);
    assert_ok(pp_policy_parse(test_end(&text), PP_POLICY_FOREIGN, &policy));
    assert_int_equal(policy.log_keys[0].type, PP_NOTE_ECDSA_P256);
    pp_wr_text(test_begin(&text), "witness w " PIXEL_VKEY "\nquorum w\n");
    for (enum pp_policy_kind kind = PP_POLICY_LOG; kind <= PP_POLICY_FOREIGN; kind++)
        assert_code(pp_policy_parse(test_end(&text), kind, &policy), PP_E_UNSUPPORTED);
    assert_code(pp_note_signer_parse(PP_STR("PRIVATE+KEY+" PIXEL_VKEY), &s), PP_E_UNSUPPORTED);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_real_checkpoint_of_a_public_log_opens),
    cmocka_unit_test(the_signature_is_strict_der_over_the_text),
    cmocka_unit_test(a_signature_line_of_any_length_is_only_wrong),
    cmocka_unit_test(a_key_is_an_uncompressed_point_of_p256_and_its_id_is_its_own),
    cmocka_unit_test(a_point_off_the_curve_verifies_nothing),
    cmocka_unit_test(a4_policies_of_ours_list_no_ecdsa_key),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make_key, drop_key);
}
