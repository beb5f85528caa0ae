/* SPDX-License-Identifier: Apache-2.0 */
/* Our Keccak beside OpenSSL's, over every length around the block sizes. */
#include "harness.h"

#include <openssl/evp.h>

#include "keccak_int.h"

enum { INPUT_BYTES = 3 * PP_SHAKE128_RATE + 1, OUTPUT_BYTES = 3 * PP_SHAKE128_RATE + 2 };

static uint8_t input[INPUT_BYTES];

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof input; i++)
        input[i] = (uint8_t)(i * 167 + 13);
    return 0;
}

static void library_digest(const EVP_MD *md, size_t input_len, uint8_t *ret, size_t len)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();

    assert_non_null(c);
    assert_int_equal(EVP_DigestInit_ex(c, md, NULL), 1);
    assert_int_equal(EVP_DigestUpdate(c, input, input_len), 1);
    if (EVP_MD_get_flags(md) & EVP_MD_FLAG_XOF)
        assert_int_equal(EVP_DigestFinalXOF(c, ret, len), 1);
    else
        assert_int_equal(EVP_DigestFinal_ex(c, ret, NULL), 1);
    EVP_MD_CTX_free(c);
}

static void sha3_of_every_length_is_the_librarys(void **state)
{
    uint8_t ours[PP_SHA3_512_BYTES], theirs[PP_SHA3_512_BYTES];

    (void)state;
    for (size_t n = 0; n <= INPUT_BYTES; n++) {
        struct pp_span a = pp_span(input, n / 3), b = pp_span(input + n / 3, n - n / 3);

        library_digest(EVP_sha3_256(), n, theirs, sizeof theirs);
        pp_sha3_256(a, b, ours);
        assert_memory_equal(ours, theirs, PP_SHA3_256_BYTES);
        library_digest(EVP_sha3_512(), n, theirs, sizeof theirs);
        pp_sha3_512(a, b, ours);
        assert_memory_equal(ours, theirs, PP_SHA3_512_BYTES);
    }
}

static void shake_of_every_length_is_the_librarys(void **state)
{
    static uint8_t ours[OUTPUT_BYTES], theirs[OUTPUT_BYTES];

    (void)state;
    for (size_t n = 0; n <= INPUT_BYTES; n++) {
        struct pp_keccak k = pp_shake128();

        library_digest(EVP_shake128(), n, theirs, n + 1);
        pp_keccak_absorb(&k, pp_span(input, n));
        pp_keccak_squeeze(&k, ours, n + 1);
        assert_memory_equal(ours, theirs, n + 1);
        library_digest(EVP_shake256(), n, theirs, sizeof theirs);
        pp_shake256_of(pp_span(input, n), PP_STR(""), ours, sizeof ours);
        assert_memory_equal(ours, theirs, sizeof theirs);
    }
}

static void squeezing_in_pieces_gives_the_same_bytes(void **state)
{
    uint8_t whole[OUTPUT_BYTES], pieces[OUTPUT_BYTES];

    (void)state;
    pp_shake256_of(PP_BYTES(input), PP_STR(""), whole, sizeof whole);
    for (size_t step = 1; step < 150; step++) {
        struct pp_keccak k = pp_shake256();

        for (size_t i = 0; i < INPUT_BYTES; i += step)
            pp_keccak_absorb(&k,
                             pp_span(input + i, i + step < INPUT_BYTES ? step : INPUT_BYTES - i));
        for (size_t i = 0; i < OUTPUT_BYTES; i += step)
            pp_keccak_squeeze(&k, pieces + i, i + step < OUTPUT_BYTES ? step : OUTPUT_BYTES - i);
        assert_memory_equal(pieces, whole, sizeof whole);
    }
}

static void a_finished_state_is_wiped(void **state)
{
    static const struct pp_keccak zero;
    struct pp_keccak k = pp_shake256();

    (void)state;
    pp_keccak_absorb(&k, PP_BYTES(input));
    pp_keccak_done(&k);
    assert_memory_equal(&k, &zero, sizeof k);
}

/* RFC 9861, section 5: the empty message and domain byte 0x1f. */
static void turboshake_of_nothing_is_the_published_one(void **state)
{
    uint8_t want[64], got[64];
    struct pp_keccak k = pp_turboshake128();

    (void)state;
    pp_test_hex("1e415f1c5983aff2169217277d17bb538cd945a397ddec541f1ce41af2c1b74c", want, 32);
    pp_keccak_squeeze(&k, got, 32);
    assert_memory_equal(got, want, 32);
    k = pp_turboshake256();
    pp_test_hex("367a329dafea871c7802ec67f905ae13c57695dc2c6663c61035f59a18f8e7db"
                "11edc0e12e91ea60eb6b32df06dd7f002fbafabb6e13ec1cc20d995547600db0",
                want, 64);
    pp_keccak_squeeze(&k, got, 64);
    assert_memory_equal(got, want, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha3_of_every_length_is_the_librarys),
        cmocka_unit_test(shake_of_every_length_is_the_librarys),
        cmocka_unit_test(squeezing_in_pieces_gives_the_same_bytes),
        cmocka_unit_test(turboshake_of_nothing_is_the_published_one),
        cmocka_unit_test(a_finished_state_is_wiped),
    };

    return cmocka_run_group_tests_name("crypto/keccak", tests, set_up, NULL);
}
