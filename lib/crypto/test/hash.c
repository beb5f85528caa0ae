/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "hash.h"

/* FIPS 180-4 examples. */
static void sha2_gives_the_published_digests(void **state)
{
    (void)state;
    uint8_t d[PP_HASH_BYTES_MAX];

    pp_sha256(PP_STR("abc"), d);
    assert_hex(d, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    pp_sha256(PP_STR(""), d);
    assert_hex(d, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    pp_sha384(PP_STR("abc"), d);
    assert_hex(d, 48,
               "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
               "8086072ba1e7cc2358baeca134c825a7");
    pp_hash_of(PP_SHA512, PP_STR("abc"), d);
    assert_hex(d, 64,
               "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
               "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

static void a_hash_in_pieces_is_the_hash_of_the_whole(void **state)
{
    (void)state;
    static const enum pp_hash_id ids[] = { PP_SHA256, PP_SHA384, PP_SHA512 };
    uint8_t data[300];

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    for (size_t k = 0; k < PP_ARRAY_COUNT(ids); k++) {
        uint8_t whole[PP_HASH_BYTES_MAX];
        pp_hash_of(ids[k], PP_BYTES(data), whole);
        for (size_t cut = 0; cut <= sizeof data; cut += 7) {
            struct pp_hash h;
            uint8_t d[PP_HASH_BYTES_MAX];
            pp_hash_init(&h, ids[k]);
            pp_hash_update(&h, pp_span(data, cut));
            struct pp_hash fork = h; /* a state is a value */
            pp_hash_update(&h, PP_STR("something else"));
            pp_hash_final(&h, d);
            pp_hash_update(&fork, pp_span(data + cut, sizeof data - cut));
            pp_hash_final(&fork, d);
            assert_memory_equal(d, whole, pp_hash_len(ids[k]));
        }
    }
}

static void numbers_are_hashed_big_endian(void **state)
{
    (void)state;
    struct pp_hash h;
    uint8_t a[32], b[32];

    pp_hash_init(&h, PP_SHA256);
    pp_hash_u8(&h, 1);
    pp_hash_u16(&h, 0x0203);
    pp_hash_u32(&h, 0x04050607);
    pp_hash_u64(&h, UINT64_C(0x08090a0b0c0d0e0f));
    pp_hash_final(&h, a);
    pp_sha256(PP_STR("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"), b);
    assert_memory_equal(a, b, 32);
}

/* RFC 6962, 2.1: leaf and node prefixes; the leaf of the empty entry is well known. */
static void a_pair_hash_is_the_hash_of_prefix_and_both(void **state)
{
    (void)state;
    uint8_t d[32];

    pp_sha256_pair(0, PP_STR(""), PP_STR(""), d);
    assert_hex(d, 32, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}

/* RFC 4231, test cases 2, 6 (key longer than a block). */
static void hmac_gives_the_published_tags(void **state)
{
    (void)state;
    uint8_t tag[PP_HASH_BYTES_MAX];
    uint8_t long_key[131];

    pp_hmac_of(PP_SHA256, PP_STR("Jefe"), PP_STR("what do ya want for nothing?"), tag);
    assert_hex(tag, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    pp_hmac_of(PP_SHA512, PP_STR("Jefe"), PP_STR("what do ya want for nothing?"), tag);
    assert_hex(tag, 64,
               "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d"
               "034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
    memset(long_key, 0xaa, sizeof long_key);
    pp_hmac_of(PP_SHA256, PP_BYTES(long_key),
               PP_STR("Test Using Larger Than Block-Size Key - Hash Key First"), tag);
    assert_hex(tag, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* RFC 5869, test cases 1 and 3 (empty salt and info). */
static void hkdf_gives_the_published_keys(void **state)
{
    (void)state;
    uint8_t prk[PP_HASH_BYTES_MAX];
    uint8_t okm[42];
    uint8_t ikm[22];
    PP_HEX(salt, "000102030405060708090a0b0c");
    PP_HEX(info, "f0f1f2f3f4f5f6f7f8f9");

    memset(ikm, 0x0b, sizeof ikm);
    pp_hkdf_extract(PP_SHA256, pp_span(salt, salt_len), PP_BYTES(ikm), prk);
    assert_hex(prk, 32, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    assert_ok(
        pp_hkdf_expand(PP_SHA256, pp_span(prk, 32), pp_span(info, info_len), okm, sizeof okm));
    assert_hex(
        okm, 42,
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    pp_hkdf_extract(PP_SHA256, PP_STR(""), PP_BYTES(ikm), prk);
    assert_hex(prk, 32, "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
    assert_ok(pp_hkdf_expand(PP_SHA256, pp_span(prk, 32), PP_STR(""), okm, sizeof okm));
    assert_hex(
        okm, 42,
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

/* RFC 5869, 2.3: L at most 255 * HashLen. */
static void hkdf_output_is_limited(void **state)
{
    (void)state;
    static uint8_t out[255 * 32 + 1];
    uint8_t prk[32] = { 0 };

    assert_ok(pp_hkdf_expand(PP_SHA256, PP_BYTES(prk), PP_STR(""), out, 255 * 32));
    assert_code(pp_hkdf_expand(PP_SHA256, PP_BYTES(prk), PP_STR(""), out, 255 * 32 + 1),
                PP_E_RANGE);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(sha2_gives_the_published_digests),
    cmocka_unit_test(a_hash_in_pieces_is_the_hash_of_the_whole),
    cmocka_unit_test(numbers_are_hashed_big_endian),
    cmocka_unit_test(a_pair_hash_is_the_hash_of_prefix_and_both),
    cmocka_unit_test(hmac_gives_the_published_tags),
    cmocka_unit_test(hkdf_gives_the_published_keys),
    cmocka_unit_test(hkdf_output_is_limited),
};

PP_TEST_MAIN(TESTS)
