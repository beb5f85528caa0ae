/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "blindrsa_int.h"
#include "crypto.h"
#include "sign.h"

enum { BYTES = 256, SALT = PP_BLINDRSA_SALT_BYTES };

/* Bytes that differ from call to call and are the same in every run. */
static pp_res counting_fill(void *ctx, uint8_t *ret, size_t len)
{
    uint32_t *state = ctx;

    for (size_t i = 0; i < len; i++) {
        *state = *state * 1664525U + 1013904223U;
        ret[i] = (uint8_t)(*state >> 24);
    }
    return PP_OK;
}

static pp_res same_fill(void *ctx, uint8_t *ret, size_t len)
{
    memset(ret, *(uint8_t *)ctx, len);
    return PP_OK;
}

static uint32_t counter;
static const struct pp_random RANDOM = { .fill = counting_fill, .ctx = &counter };

/* Made once: finding the primes is what costs here. */
static struct pp_blindrsa_key *key, *other;

static int make_keys(void **state)
{
    (void)state;
    return !pp_is_ok(pp_crypto_init()) || !pp_is_ok(pp_blindrsa_generate(&key)) ||
           !pp_is_ok(pp_blindrsa_generate(&other));
}

static int free_keys(void **state)
{
    (void)state;
    pp_blindrsa_free(key);
    pp_blindrsa_free(other);
    return 0;
}

/* One exchange up to the signer's honest answer. */
struct exchange {
    uint8_t inverse[BYTES], blinded[BYTES], answer[BYTES], signature[BYTES];
};

static const struct pp_span MESSAGE = { (const uint8_t *)"a message", 9 };

static struct exchange exchange_with(size_t salt_len)
{
    struct exchange x;

    assert_ok(pp_blindrsa_blind(key, MESSAGE, salt_len, &RANDOM, x.inverse, x.blinded));
    assert_ok(pp_blindrsa_sign(key, PP_BYTES(x.blinded), x.answer));
    return x;
}

static pp_res finalize(struct exchange *x)
{
    return pp_blindrsa_finalize(key, MESSAGE, SALT, PP_BYTES(x->inverse), PP_BYTES(x->answer),
                                x->signature);
}

static void a_blind_signature_is_a_plain_rsa_pss_signature(void **state)
{
    (void)state;
    struct exchange x = exchange_with(SALT);
    uint8_t spki[PP_BLINDRSA_SPKI_BYTES];

    assert_ok(finalize(&x));
    assert_ok(pp_blindrsa_verify(key, MESSAGE, SALT, PP_BYTES(x.signature)));
    assert_ok(pp_blindrsa_spki(key, spki));
    assert_ok(pp_rsa_pss_verify(PP_BYTES(spki), PP_SHA384, SALT, MESSAGE, PP_BYTES(x.signature)));
    assert_code(pp_blindrsa_verify(key, PP_STR("a massage"), SALT, PP_BYTES(x.signature)),
                PP_E_SIGNATURE);
    assert_code(pp_blindrsa_verify(key, MESSAGE, 0, PP_BYTES(x.signature)), PP_E_SIGNATURE);
    assert_code(pp_blindrsa_verify(other, MESSAGE, SALT, PP_BYTES(x.signature)), PP_E_SIGNATURE);
}

/* The PSSZERO variants of RFC 9474. */
static void a_signature_without_salt_is_made_and_verified(void **state)
{
    (void)state;
    struct exchange x = exchange_with(0);

    assert_ok(pp_blindrsa_finalize(key, MESSAGE, 0, PP_BYTES(x.inverse), PP_BYTES(x.answer),
                                   x.signature));
    assert_ok(pp_blindrsa_verify(key, MESSAGE, 0, PP_BYTES(x.signature)));
    assert_code(pp_blindrsa_verify(key, MESSAGE, SALT, PP_BYTES(x.signature)), PP_E_SIGNATURE);
}

static void salts_longer_than_the_hash_are_refused(void **state)
{
    (void)state;
    uint8_t inverse[BYTES], blinded[BYTES];

    assert_code(pp_blindrsa_blind(key, MESSAGE, SALT + 1, &RANDOM, inverse, blinded), PP_E_RANGE);
    assert_code(pp_blindrsa_verify(key, MESSAGE, SALT + 1, PP_BYTES(blinded)), PP_E_RANGE);
}

static void two_blindings_of_one_message_have_nothing_in_common(void **state)
{
    (void)state;
    struct exchange a = exchange_with(SALT), b = exchange_with(SALT);

    assert_memory_not_equal(a.blinded, b.blinded, BYTES);
    assert_memory_not_equal(a.inverse, b.inverse, BYTES);
    assert_ok(finalize(&a));
    assert_ok(finalize(&b));
    memcpy(a.answer, b.answer, BYTES);
    assert_code(finalize(&a), PP_E_SIGNATURE);
}

static void any_changed_answer_is_refused(void **state)
{
    (void)state;
    struct exchange x = exchange_with(SALT);

    for (size_t i = 0; i < BYTES; i += 15) {
        x.answer[i] ^= 1;
        pp_res r = finalize(&x);
        assert_true(r.code == PP_E_SIGNATURE || r.code == PP_E_KEY);
        x.answer[i] ^= 1;
    }
    assert_ok(finalize(&x));
}

static void an_answer_of_another_key_is_refused(void **state)
{
    (void)state;
    struct exchange x = exchange_with(SALT);
    uint8_t half[BYTES];

    memcpy(half, x.blinded, BYTES);
    half[0] &= 0x7f; /* below either modulus */
    assert_ok(pp_blindrsa_sign(other, PP_BYTES(half), x.answer));
    pp_res r = finalize(&x);
    assert_true(r.code == PP_E_SIGNATURE || r.code == PP_E_KEY);
}

static void numbers_of_another_length_or_not_below_the_modulus_are_refused(void **state)
{
    (void)state;
    struct exchange x = exchange_with(SALT);
    uint8_t long_number[BYTES + 1] = { 0 };
    uint8_t n[BYTES], out[BYTES + 1];

    assert_int_equal(BN_bn2binpad(key->n, n, BYTES), BYTES);
    assert_code(pp_blindrsa_sign(key, PP_BYTES(n), out), PP_E_KEY);
    assert_code(pp_blindrsa_check(key, PP_BYTES(n)), PP_E_KEY);
    assert_code(pp_blindrsa_finalize(key, MESSAGE, SALT, PP_BYTES(x.inverse), PP_BYTES(n), out),
                PP_E_KEY);
    n[BYTES - 1]--; /* n is odd, so n - 1 borrows nothing */
    assert_ok(pp_blindrsa_check(key, PP_BYTES(n)));
    assert_ok(pp_blindrsa_sign(key, PP_BYTES(n), out));
    assert_memory_equal(out, n, BYTES); /* -1 to an odd power */
    assert_code(pp_blindrsa_sign(key, pp_span(x.blinded, BYTES - 1), out), PP_E_KEY);
    assert_code(pp_blindrsa_sign(key, PP_BYTES(long_number), out), PP_E_KEY);
    assert_code(pp_blindrsa_finalize(key, MESSAGE, SALT, PP_BYTES(x.inverse),
                                     pp_span(x.answer, BYTES - 1), out),
                PP_E_KEY);
}

/* RFC 9474 4.3: a fault that OpenSSL does not see itself, since the whole private half is wrong. */
static void a_signature_with_a_fault_does_not_leave(void **state)
{
    (void)state;
    struct pp_blindrsa_key broken = *key;
    uint8_t number[BYTES] = { 0 }, out[BYTES] = { 0 };

    number[BYTES - 1] = 3;
    broken.pkey = other->pkey;
    assert_code(pp_blindrsa_sign(&broken, PP_BYTES(number), out), PP_E_CRYPTO);
    assert_int_equal(out[0] | out[BYTES - 1], 0);
    assert_ok(pp_blindrsa_sign(key, PP_BYTES(number), out));
}

static void a_random_source_that_fails_or_repeats_blinds_nothing(void **state)
{
    (void)state;
    uint8_t inverse[BYTES], blinded[BYTES], zero = 0, ones = 0xff, some[SALT + 2 * BYTES] = { 1 };
    const struct pp_random zeros = { .fill = same_fill, .ctx = &zero };
    const struct pp_random above = { .fill = same_fill, .ctx = &ones };

    assert_code(pp_blindrsa_blind(key, MESSAGE, SALT, &zeros, inverse, blinded), PP_E_RANDOM);
    assert_code(pp_blindrsa_blind(key, MESSAGE, SALT, &above, inverse, blinded), PP_E_RANDOM);
    some[SALT + BYTES - 1] = 5;
    for (size_t n = 0; n < sizeof some; n += 19) {
        struct pp_span script = pp_span(some, n);
        struct pp_random random = pp_random_script(&script);
        assert_code(pp_blindrsa_blind(key, MESSAGE, SALT, &random, inverse, blinded), PP_E_RANDOM);
    }
}

static void a_blind_that_shares_a_factor_with_the_modulus_is_refused(void **state)
{
    (void)state;
    BIGNUM *p = NULL;
    uint8_t bytes[SALT + 2 * BYTES] = { 0 }, inverse[BYTES], blinded[BYTES];
    struct pp_span script = PP_BYTES(bytes);
    struct pp_random random = pp_random_script(&script);

    assert_int_equal(EVP_PKEY_get_bn_param(key->pkey, "rsa-factor1", &p), 1);
    assert_int_equal(BN_bn2binpad(p, bytes + SALT, BYTES), BYTES);
    BN_clear_free(p);
    assert_code(pp_blindrsa_blind(key, MESSAGE, SALT, &random, inverse, blinded), PP_E_KEY);
    assert_code(pp_blindrsa_invert(key, pp_span(bytes + SALT, BYTES), inverse), PP_E_KEY);
}

static void private_keys_survive_export_and_import(void **state)
{
    (void)state;
    PP_AUTO(pp_secret) der = { 0 };
    struct pp_blindrsa_key *again = NULL, *none = NULL;
    uint8_t a[PP_BLINDRSA_SPKI_BYTES], b[PP_BLINDRSA_SPKI_BYTES];

    assert_ok(pp_blindrsa_export_der(key, &der));
    assert_ok(pp_blindrsa_import_der(pp_secret_span(&der), &again));
    assert_ok(pp_blindrsa_spki(key, a));
    assert_ok(pp_blindrsa_spki(again, b));
    assert_memory_equal(a, b, sizeof a);
    pp_blindrsa_free(again);
    for (size_t n = 0; n < der.len; n += 31)
        assert_code(pp_blindrsa_import_der(pp_span(der.bytes, n), &none), PP_E_KEY);
    pp_blindrsa_free(NULL);
}

static void a_private_half_of_another_key_is_refused(void **state)
{
    (void)state;
    BIGNUM *d = NULL;
    uint8_t n[BYTES], bytes[BYTES];
    struct pp_blindrsa_key *made = NULL;

    assert_int_equal(EVP_PKEY_get_bn_param(key->pkey, "d", &d), 1);
    assert_int_equal(BN_bn2binpad(d, bytes, BYTES), BYTES);
    assert_int_equal(BN_bn2binpad(key->n, n, BYTES), BYTES);
    assert_ok(pp_blindrsa_import_numbers(PP_BYTES(n), PP_BYTES(bytes), &made));
    pp_blindrsa_free(made);
    made = NULL;
    bytes[BYTES - 1] ^= 2;
    assert_code(pp_blindrsa_import_numbers(PP_BYTES(n), PP_BYTES(bytes), &made), PP_E_KEY);
    assert_null(made);
    BN_clear_free(d);
}

static void a_public_key_signs_nothing(void **state)
{
    (void)state;
    PP_AUTO(pp_secret) der = { 0 };
    struct pp_blindrsa_key *public = NULL;
    uint8_t spki[PP_BLINDRSA_SPKI_BYTES], out[BYTES];
    struct exchange x = exchange_with(SALT);

    assert_ok(pp_blindrsa_spki(key, spki));
    assert_ok(pp_blindrsa_import_spki(PP_BYTES(spki), &public));
    assert_code(pp_blindrsa_sign(public, PP_BYTES(x.blinded), out), PP_E_STATE);
    assert_code(pp_blindrsa_export_der(public, &der), PP_E_STATE);
    assert_ok(finalize(&x));
    assert_ok(pp_blindrsa_verify(public, MESSAGE, SALT, PP_BYTES(x.signature)));
    pp_blindrsa_free(public);
}

/* RFC 9578 6.5: SHA-384, MGF1 with SHA-384, salt 48, and no other way to write it. */
static void a_token_key_has_one_encoding(void **state)
{
    (void)state;
    uint8_t spki[PP_BLINDRSA_SPKI_BYTES + 1] = { 0 };
    struct pp_blindrsa_key *k = NULL;
    enum { HEAD = 81, LAST = PP_BLINDRSA_SPKI_BYTES - 1 };

    assert_ok(pp_blindrsa_spki(key, spki));
    for (size_t n = 0; n <= PP_BLINDRSA_SPKI_BYTES + 1; n++)
        if (n != PP_BLINDRSA_SPKI_BYTES)
            assert_code(pp_blindrsa_import_spki(pp_span(spki, n), &k), PP_E_KEY);
    for (size_t i = 0; i < PP_BLINDRSA_SPKI_BYTES; i++) {
        if (i == HEAD)
            i = LAST - 4; /* the modulus may be any odd number */
        spki[i] ^= 1;
        assert_code(pp_blindrsa_import_spki(pp_span(spki, PP_BLINDRSA_SPKI_BYTES), &k), PP_E_KEY);
        spki[i] ^= 1;
    }
    spki[LAST - 5] ^= 1;
    assert_code(pp_blindrsa_import_spki(pp_span(spki, PP_BLINDRSA_SPKI_BYTES), &k), PP_E_KEY);
    spki[LAST - 5] ^= 1;
    spki[HEAD] &= 0x7f; /* 2047 bits */
    assert_code(pp_blindrsa_import_spki(pp_span(spki, PP_BLINDRSA_SPKI_BYTES), &k), PP_E_KEY);
    assert_null(k);
}

static void moduli_outside_2048_to_4096_bits_are_refused(void **state)
{
    (void)state;
    uint8_t n[PP_BLINDRSA_BYTES_MAX + 1];
    struct pp_blindrsa_key *k = NULL;
    uint8_t spki[PP_BLINDRSA_SPKI_BYTES];

    memset(n, 0xff, sizeof n);
    assert_code(pp_blindrsa_import_numbers(pp_span(n, BYTES - 1), pp_span(NULL, 0), &k), PP_E_KEY);
    assert_code(pp_blindrsa_import_numbers(PP_BYTES(n), pp_span(NULL, 0), &k), PP_E_KEY);
    assert_code(pp_blindrsa_import_numbers(pp_span(NULL, 0), pp_span(NULL, 0), &k), PP_E_KEY);
    n[0] = 1; /* 2049 bits: no number of whole bytes */
    assert_code(pp_blindrsa_import_numbers(pp_span(n, BYTES + 1), pp_span(NULL, 0), &k), PP_E_KEY);
    n[0] = 0xff;
    assert_null(k);
    assert_ok(pp_blindrsa_import_numbers(pp_span(n, PP_BLINDRSA_BYTES_MAX), pp_span(NULL, 0), &k));
    assert_int_equal(pp_blindrsa_bytes(k), PP_BLINDRSA_BYTES_MAX);
    assert_code(pp_blindrsa_spki(k, spki), PP_E_UNSUPPORTED);
    pp_blindrsa_free(k);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_blind_signature_is_a_plain_rsa_pss_signature),
    cmocka_unit_test(a_signature_without_salt_is_made_and_verified),
    cmocka_unit_test(salts_longer_than_the_hash_are_refused),
    cmocka_unit_test(two_blindings_of_one_message_have_nothing_in_common),
    cmocka_unit_test(any_changed_answer_is_refused),
    cmocka_unit_test(an_answer_of_another_key_is_refused),
    cmocka_unit_test(numbers_of_another_length_or_not_below_the_modulus_are_refused),
    cmocka_unit_test(a_signature_with_a_fault_does_not_leave),
    cmocka_unit_test(a_random_source_that_fails_or_repeats_blinds_nothing),
    cmocka_unit_test(a_blind_that_shares_a_factor_with_the_modulus_is_refused),
    cmocka_unit_test(private_keys_survive_export_and_import),
    cmocka_unit_test(a_private_half_of_another_key_is_refused),
    cmocka_unit_test(a_public_key_signs_nothing),
    cmocka_unit_test(a_token_key_has_one_encoding),
    cmocka_unit_test(moduli_outside_2048_to_4096_bits_are_refused),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make_keys, free_keys);
}
