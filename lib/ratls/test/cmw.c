/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "cbor.h"
#include "cmw.h"

static pp_res cmw(const char *hex, struct pp_cmw *ret)
{
    static uint8_t bytes[512];

    return pp_cmw_parse(pp_span(bytes, pp_test_hex(hex, bytes, sizeof bytes)), ret);
}

static pp_res ccc(const char *hex, struct pp_ccc_evidence *ret)
{
    static uint8_t bytes[512];

    return pp_ccc_parse(pp_span(bytes, pp_test_hex(hex, bytes, sizeof bytes)), ret);
}

static void records_and_collections_are_read(void **state)
{
    struct pp_cmw c;

    (void)state;
    assert_ok(cmw("82 63612f62 420102", &c)); /* ["a/b", h'0102'] */
    assert_int_equal(c.count, 1);
    assert_true(pp_span_eq(c.records[0].media_type, PP_STR("a/b")));
    assert_int_equal(c.records[0].ind, 0);
    assert_ok(cmw("83 183c 4101 04", &c)); /* [60, h'01', evidence] */
    assert_int_equal(c.records[0].content_format, 60);
    assert_int_equal(c.records[0].ind, PP_CMW_EVIDENCE);
    assert_ok(cmw("a3 685f5f636d77635f74 616f 6163 82 01 4101 6167 a1 6178 82 02 4102", &c));
    assert_int_equal(c.count, 2);
    assert_true(pp_span_eq(c.collection_type, PP_STR("o")));
    assert_true(pp_span_eq(c.records[1].label, PP_STR("x")));
    assert_int_equal(c.records[1].content_format, 2);
}

static void other_forms_and_deeper_nesting_are_refused(void **state)
{
    struct pp_cmw c;

    (void)state;
    assert_code(cmw("", &c), PP_E_TRUNCATED);
    assert_code(cmw("5b", &c), PP_E_UNSUPPORTED); /* JSON text */
    assert_code(cmw("7b", &c), PP_E_UNSUPPORTED);
    assert_code(cmw("da63747600 4101", &c), PP_E_UNSUPPORTED); /* the tag form */
    assert_code(cmw("9f 01 4101 ff", &c), PP_E_ENCODING);
    assert_code(cmw("a0", &c), PP_E_LIMIT);
    assert_code(cmw("a1 685f5f636d77635f74 616f", &c), PP_E_MISSING);
    assert_code(cmw("a1 6161 a1 6162 a1 6163 82 01 4101", &c), PP_E_LIMIT);
    assert_code(cmw("82 01 4101 00", &c), PP_E_TRAILING);
    assert_code(cmw("84 01 4101 04 00", &c), PP_E_RANGE);
    assert_code(cmw("83 01 4101 00", &c), PP_E_RANGE);
    assert_code(cmw("82 01 6101", &c), PP_E_FORMAT);
    assert_code(cmw("a2 6161 82 01 4101 6161 82 01 4101", &c), PP_E_DUPLICATE);
}

#define HASH_32 "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"

static void a_certificates_evidence_is_read(void **state)
{
    struct pp_ccc_evidence e;

    (void)state;
    /* 60000([h'aabb', << {"pubkey-hash": << [1, hash] >>, "nonce": h'07', "other": 1} >>]) */
    assert_ok(ccc("d9ea60 82 42aabb 5842 a3 6b7075626b65792d68617368 5824 8201 5820" HASH_32
                  "656e6f6e6365 4107 656f74686572 01",
                  &e));
    assert_int_equal(e.hash, PP_SHA256);
    assert_hex(e.pubkey_hash.at, e.pubkey_hash.len, HASH_32);
    assert_hex(e.quote.at, e.quote.len, "aabb");
    assert_hex(e.nonce.at, e.nonce.len, "07");
}

static void a_certificates_evidence_of_another_shape_is_refused(void **state)
{
    struct pp_ccc_evidence e;

    (void)state;
    assert_code(ccc("82 4100 4100", &e), PP_E_FORMAT);
    assert_code(ccc("d9ea61 82 4100 4100", &e), PP_E_UNSUPPORTED);
    assert_code(ccc("d9ea60 82 4100 41a0", &e), PP_E_MISSING);
    assert_code(ccc("d9ea60 82 4100 4100", &e), PP_E_FORMAT);
    assert_code(ccc("d9ea60 82 4100 5833 a1 6b7075626b65792d68617368 5824 8202 5820" HASH_32, &e),
                PP_E_UNSUPPORTED);
    assert_code(ccc("d9ea60 82 4100 5832 a1 6b7075626b65792d68617368 5823 8201 581f"
                    "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                    &e),
                PP_E_RANGE); /* a hash one byte short */
}

/* A name is text: bytes that spell the same are another name, and have no place here. */
static void the_claims_of_a_certificate_are_one_map_of_named_values(void **state)
{
    struct pp_ccc_evidence e;

    (void)state;
    assert_ok(ccc("d9ea60 82 4100 5833 a1 6b7075626b65792d68617368 5824 8201 5820" HASH_32, &e));
    assert_code(ccc("d9ea60 82 4100 5833 a1 4b7075626b65792d68617368 5824 8201 5820" HASH_32, &e),
                PP_E_FORMAT);
    assert_code(
        ccc("d9ea60 82 4100 5833 a1 6b7075626b65792d68617368 5824 8201 5820" HASH_32 "00", &e),
        PP_E_TRAILING); /* behind the whole */
    assert_code(
        ccc("d9ea60 82 4100 5834 a1 6b7075626b65792d68617368 5824 8201 5820" HASH_32 "00", &e),
        PP_E_TRAILING); /* behind the map */
    assert_code(
        ccc("d9ea60 82 4100 5834 a1 6b7075626b65792d68617368 5825 8201 5820" HASH_32 "00", &e),
        PP_E_TRAILING); /* behind the hash */
}

/* A map of `pairs` claims: the hash, and others with names of one letter. */
static pp_res claims(size_t pairs)
{
    uint8_t inner[512], all[640];
    struct pp_wr wr = pp_wr_over(inner, sizeof inner), out = pp_wr_over(all, sizeof all);
    struct pp_ccc_evidence e;
    uint8_t hash[36 + 14];
    size_t len = pp_test_hex("6b7075626b65792d68617368 5824 8201 5820" HASH_32, hash, sizeof hash);

    pp_cbor_wr_map(&wr, pairs);
    pp_wr_bytes(&wr, hash, len);
    for (size_t i = 1; i < pairs; i++) {
        const uint8_t name = (uint8_t)('A' + i);
        pp_cbor_wr_text(&wr, pp_span(&name, 1));
        pp_cbor_wr_uint(&wr, 0);
    }
    pp_wr_u8(&out, 0xD9);
    pp_wr_u16(&out, 60000);
    pp_cbor_wr_array(&out, 2);
    pp_cbor_wr_bytes(&out, PP_STR("q"));
    pp_cbor_wr_bytes(&out, pp_wr_done(&wr));
    return pp_ccc_parse(pp_wr_done(&out), &e);
}

static void claims_and_records_have_their_limits(void **state)
{
    uint8_t bytes[128];
    struct pp_cmw c;

    (void)state;
    assert_ok(claims(32));
    assert_code(claims(33), PP_E_LIMIT);
    for (size_t count = PP_CMW_ITEM_MAX; count <= PP_CMW_ITEM_MAX + 1; count++) {
        struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
        pp_cbor_wr_map(&wr, count);
        for (size_t i = 0; i < count; i++) {
            const uint8_t label = (uint8_t)('a' + i);
            pp_cbor_wr_text(&wr, pp_span(&label, 1));
            pp_cbor_wr_array(&wr, 2);
            pp_cbor_wr_uint(&wr, 1);
            pp_cbor_wr_bytes(&wr, PP_STR("v"));
        }
        assert_code(pp_cmw_parse(pp_wr_done(&wr), &c),
                    count == PP_CMW_ITEM_MAX ? PP_E_OK : PP_E_LIMIT);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(records_and_collections_are_read),
    cmocka_unit_test(other_forms_and_deeper_nesting_are_refused),
    cmocka_unit_test(a_certificates_evidence_is_read),
    cmocka_unit_test(a_certificates_evidence_of_another_shape_is_refused),
    cmocka_unit_test(the_claims_of_a_certificate_are_one_map_of_named_values),
    cmocka_unit_test(claims_and_records_have_their_limits),
};

PP_TEST_MAIN(tests)
