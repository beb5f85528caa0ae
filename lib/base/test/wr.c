/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "rd.h"
#include "wr.h"

static void what_was_written_is_read_back(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);

    pp_wr_u8(&wr, 1);
    pp_wr_u16(&wr, 0x0203);
    pp_wr_u24(&wr, 0x040506);
    pp_wr_u32(&wr, 0x0708090a);
    pp_wr_u64(&wr, UINT64_C(0x0b0c0d0e0f101112));
    pp_wr_u16le(&wr, 0x1413);
    pp_wr_u32le(&wr, 0x18171615);
    pp_wr_u64le(&wr, UINT64_C(0x201f1e1d1c1b1a19));
    assert_ok(pp_wr_ok(&wr));
    assert_int_equal(wr.len, 32);
    for (size_t i = 0; i < 32; i++)
        assert_int_equal(buf[i], i + 1);
}

static void length_prefixes_nest(void **state)
{
    (void)state;
    uint8_t buf[16];
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);
    size_t outer = pp_wr_block16_begin(&wr);
    size_t inner = pp_wr_block8_begin(&wr);

    pp_wr_text(&wr, "ab");
    pp_wr_block8_end(&wr, inner);
    pp_wr_u8(&wr, 'c');
    pp_wr_block16_end(&wr, outer);
    assert_ok(pp_wr_ok(&wr));
    assert_hex(buf, wr.len, "0004 02 6162 63");
}

static void a_block_too_long_for_its_prefix_is_refused(void **state)
{
    (void)state;
    static uint8_t buf[400];
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);
    size_t mark = pp_wr_block8_begin(&wr);

    pp_wr_zeros(&wr, 256);
    pp_wr_block8_end(&wr, mark);
    assert_code(pp_wr_ok(&wr), PP_E_RANGE);
}

static void a_full_buffer_is_reported_and_never_overrun(void **state)
{
    (void)state;
    uint8_t buf[4] = { 0xee, 0xee, 0xee, 0xee };
    struct pp_wr wr = pp_wr_over(buf, 3);

    pp_wr_u16(&wr, 0x0102);
    pp_wr_u16(&wr, 0x0304);
    pp_wr_u8(&wr, 5); /* would fit, but the writer is closed */
    assert_code(pp_wr_ok(&wr), PP_E_NO_SPACE);
    assert_int_equal(wr.len, 2);
    assert_hex(buf, 4, "0102eeee");
    assert_null(pp_wr_reserve(&wr, 1));
}

static void varints_take_their_shortest_form(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *hex;
    } rows[] = { { 0, "00" },
                 { 63, "3f" },
                 { 64, "4040" },
                 { 16383, "7fff" },
                 { 16384, "80004000" },
                 { 1073741823, "bfffffff" },
                 { 1073741824, "c000000040000000" },
                 { (UINT64_C(1) << 62) - 1, "ffffffffffffffff" } };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        uint8_t buf[8];
        struct pp_wr wr = pp_wr_over(buf, sizeof buf);
        pp_wr_varint(&wr, rows[i].value);
        assert_hex(buf, wr.len, rows[i].hex);
        struct pp_rd rd = pp_rd_over(buf, wr.len);
        assert_true(pp_rd_varint_minimal(&rd) == rows[i].value);
        assert_ok(pp_rd_end(&rd));
    }
    uint8_t buf[8];
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);
    pp_wr_varint(&wr, UINT64_C(1) << 62);
    assert_code(pp_wr_ok(&wr), PP_E_RANGE);
}

/* RFC 4648, section 10. */
static void base64_follows_rfc_4648(void **state)
{
    (void)state;
    static const char *const rows[][2] = { { "", "" },
                                           { "f", "Zg==" },
                                           { "fo", "Zm8=" },
                                           { "foo", "Zm9v" },
                                           { "foob", "Zm9vYg==" },
                                           { "fooba", "Zm9vYmE=" },
                                           { "foobar", "Zm9vYmFy" } };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        char buf[16];
        struct pp_wr wr = pp_wr_over(buf, sizeof buf);
        pp_wr_base64(&wr, pp_span_cstr(rows[i][0]));
        assert_true(pp_span_eq(pp_wr_done(&wr), pp_span_cstr(rows[i][1])));
    }
    char buf[16];
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);
    pp_wr_base64url(&wr, pp_span("\xfb\xff\xfe\xff", 4), 0);
    assert_true(pp_span_eq(pp_wr_done(&wr), PP_STR("-__-_w")));
}

static void decimals_and_hex_are_plain(void **state)
{
    (void)state;
    char buf[64];
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);

    pp_wr_decimal(&wr, 0);
    pp_wr_u8(&wr, ' ');
    pp_wr_decimal(&wr, UINT64_MAX);
    pp_wr_u8(&wr, ' ');
    pp_wr_hex(&wr, pp_span("\x00\x9f\xff", 3));
    assert_true(pp_span_eq(pp_wr_done(&wr), PP_STR("0 18446744073709551615 009fff")));
}

static void filling_to_a_size_pads_with_zeros_and_never_shrinks(void **state)
{
    (void)state;
    uint8_t buf[8];
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);

    memset(buf, 0xee, sizeof buf);
    pp_wr_u16(&wr, 0x0102);
    pp_wr_fill_to(&wr, 4);
    pp_wr_fill_to(&wr, 4);
    assert_hex(buf, wr.len, "01020000");
    pp_wr_fill_to(&wr, 3);
    assert_code(pp_wr_ok(&wr), PP_E_RANGE);
    wr = pp_wr_over(buf, sizeof buf);
    pp_wr_u24(&wr, 0x1000000);
    assert_code(pp_wr_ok(&wr), PP_E_RANGE);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(what_was_written_is_read_back),
    cmocka_unit_test(length_prefixes_nest),
    cmocka_unit_test(a_block_too_long_for_its_prefix_is_refused),
    cmocka_unit_test(a_full_buffer_is_reported_and_never_overrun),
    cmocka_unit_test(varints_take_their_shortest_form),
    cmocka_unit_test(base64_follows_rfc_4648),
    cmocka_unit_test(decimals_and_hex_are_plain),
    cmocka_unit_test(filling_to_a_size_pads_with_zeros_and_never_shrinks),
};

PP_TEST_MAIN(TESTS)
