/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "rd.h"

static const uint8_t BYTES[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
                                 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10 };

static void numbers_are_read_in_the_named_byte_order(void **state)
{
    (void)state;
    struct pp_rd rd = pp_rd_over(BYTES, sizeof BYTES);

    assert_int_equal(pp_rd_u8(&rd), 0x01);
    assert_int_equal(pp_rd_u16(&rd), 0x0203);
    assert_int_equal(pp_rd_u24(&rd), 0x040506);
    assert_int_equal(pp_rd_u16le(&rd), 0x0807);
    assert_int_equal(pp_rd_u32(&rd), 0x090a0b0c);
    assert_int_equal(pp_rd_u32le(&rd), 0x100f0e0d);
    assert_ok(pp_rd_end(&rd));

    rd = pp_rd_over(BYTES, sizeof BYTES);
    assert_int_equal(pp_rd_u64(&rd), UINT64_C(0x0102030405060708));
    assert_int_equal(pp_rd_u64le(&rd), UINT64_C(0x100f0e0d0c0b0a09));
    assert_ok(pp_rd_end(&rd));
}

static void a_failed_reader_gives_zeros_and_keeps_its_first_failure(void **state)
{
    (void)state;
    struct pp_rd rd = pp_rd_over(BYTES, 3);
    uint8_t copy[2] = { 9, 9 };

    assert_int_equal(pp_rd_u16(&rd), 0x0102);
    assert_int_equal(pp_rd_u32(&rd), 0);
    assert_int_equal(pp_rd_u8(&rd), 0); /* one byte is still there, but the reader is closed */
    pp_rd_copy(&rd, copy, 2);
    assert_int_equal(copy[0] | copy[1], 0);
    assert_int_equal(pp_rd_bytes(&rd, 1).len, 0);
    pp_rd_fail(&rd, PP_E_RANGE);

    pp_res r = pp_rd_ok(&rd);
    assert_code(r, PP_E_TRUNCATED);
    assert_int_equal(r.detail, 2);
    assert_non_null(strstr(r.where, "rd.c:"));
    assert_code(pp_rd_end(&rd), PP_E_TRUNCATED);
}

static void bytes_left_at_the_end_are_an_error(void **state)
{
    (void)state;
    struct pp_rd rd = pp_rd_over(BYTES, 4);

    pp_rd_skip(&rd, 3);
    pp_res r = pp_rd_end(&rd);
    assert_code(r, PP_E_TRAILING);
    assert_int_equal(r.detail, 3);
}

static void a_child_cannot_see_past_its_length(void **state)
{
    (void)state;
    static const uint8_t block[] = { 0x00, 0x02, 0xaa, 0xbb, 0xcc };
    struct pp_rd rd = pp_rd_over(block, sizeof block);
    struct pp_rd child = pp_rd_block16(&rd);

    assert_int_equal(pp_rd_u16(&child), 0xaabb);
    assert_int_equal(pp_rd_u8(&child), 0);
    pp_res r = pp_rd_ok(&child);
    assert_code(r, PP_E_TRUNCATED);
    assert_int_equal(r.detail, 4); /* counted from the parent's first byte */
    assert_int_equal(pp_rd_u8(&rd), 0xcc);
    assert_ok(pp_rd_end(&rd));
}

static void a_block_longer_than_its_parent_fails_parent_and_child(void **state)
{
    (void)state;
    static const uint8_t lies[][5] = { { 0x05, 1, 2, 3, 4 },
                                       { 0x00, 0x04, 1, 2, 3 },
                                       { 0xff, 0xff, 0xff, 0xff, 1 } };

    struct pp_rd rd = pp_rd_over(lies[0], 5);
    struct pp_rd child = pp_rd_block8(&rd);
    assert_code(pp_rd_ok(&child), PP_E_TRUNCATED);
    assert_code(pp_rd_ok(&rd), PP_E_TRUNCATED);
    rd = pp_rd_over(lies[1], 5);
    child = pp_rd_block16(&rd);
    assert_code(pp_rd_ok(&child), PP_E_TRUNCATED);
    rd = pp_rd_over(lies[2], 5);
    child = pp_rd_block32(&rd);
    assert_code(pp_rd_ok(&child), PP_E_TRUNCATED);
    rd = pp_rd_over(lies[2], 5);
    child = pp_rd_block24(&rd);
    assert_code(pp_rd_ok(&child), PP_E_TRUNCATED);
    rd = pp_rd_over(lies[2], 5);
    child = pp_rd_block_varint(&rd);
    assert_code(pp_rd_ok(&child), PP_E_TRUNCATED);
}

/* RFC 9000, appendix A.1: the sample varint encodings. */
static void quic_varints_follow_rfc_9000(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        uint64_t value;
    } rows[] = { { "c2197c5eff14e88c", UINT64_C(151288809941952652) },
                 { "9d7f3e7d", 494878333 },
                 { "7bbd", 15293 },
                 { "25", 37 },
                 { "4025", 37 } };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        uint8_t bytes[8];
        size_t len = pp_test_hex(rows[i].hex, bytes, sizeof bytes);
        struct pp_rd rd = pp_rd_over(bytes, len);
        assert_true(pp_rd_varint(&rd) == rows[i].value);
        assert_ok(pp_rd_end(&rd));
        for (size_t n = 0; n < len; n++) {
            rd = pp_rd_over(bytes, n);
            assert_true(pp_rd_varint(&rd) == 0);
            assert_code(pp_rd_ok(&rd), PP_E_TRUNCATED);
        }
    }
}

static void the_minimal_varint_reader_refuses_longer_forms(void **state)
{
    (void)state;
    static const char *const longer[] = { "4025", "403f", "80003fff", "8000003f",
                                          "c00000003fffffff" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(longer); i++) {
        uint8_t bytes[8];
        struct pp_rd rd = pp_rd_over(bytes, pp_test_hex(longer[i], bytes, sizeof bytes));
        assert_true(pp_rd_varint_minimal(&rd) == 0);
        pp_res r = pp_rd_ok(&rd);
        assert_code(r, PP_E_ENCODING);
        assert_int_equal(r.detail, 0);
    }
    static const uint8_t shortest[] = { 0x40, 0x40 };
    struct pp_rd rd = pp_rd_over(shortest, 2);
    assert_int_equal(pp_rd_varint_minimal(&rd), 64);
    assert_ok(pp_rd_end(&rd));
}

static void reserved_bytes_must_be_zero(void **state)
{
    (void)state;
    static const uint8_t bytes[] = { 0, 0, 0, 1 };
    struct pp_rd rd = pp_rd_over(bytes, 4);

    pp_rd_zeros(&rd, 3);
    assert_ok(pp_rd_ok(&rd));
    pp_rd_zeros(&rd, 1);
    assert_code(pp_rd_ok(&rd), PP_E_ENCODING);
}

static void an_empty_input_is_a_valid_end(void **state)
{
    (void)state;
    struct pp_rd rd = pp_rd_over(NULL, 0);

    assert_int_equal(pp_rd_rest(&rd).len, 0);
    pp_rd_copy(&rd, NULL, 0);
    assert_ok(pp_rd_end(&rd));
    assert_int_equal(pp_rd_u8(&rd), 0);
    assert_code(pp_rd_ok(&rd), PP_E_TRUNCATED);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(numbers_are_read_in_the_named_byte_order),
    cmocka_unit_test(a_failed_reader_gives_zeros_and_keeps_its_first_failure),
    cmocka_unit_test(bytes_left_at_the_end_are_an_error),
    cmocka_unit_test(a_child_cannot_see_past_its_length),
    cmocka_unit_test(a_block_longer_than_its_parent_fails_parent_and_child),
    cmocka_unit_test(quic_varints_follow_rfc_9000),
    cmocka_unit_test(the_minimal_varint_reader_refuses_longer_forms),
    cmocka_unit_test(reserved_bytes_must_be_zero),
    cmocka_unit_test(an_empty_input_is_a_valid_end),
};

PP_TEST_MAIN(TESTS)
