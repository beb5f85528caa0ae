/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

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

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(records_and_collections_are_read),
    cmocka_unit_test(other_forms_and_deeper_nesting_are_refused),
    cmocka_unit_test(a_certificates_evidence_is_read),
    cmocka_unit_test(a_certificates_evidence_of_another_shape_is_refused),
};

PP_TEST_MAIN(tests)
