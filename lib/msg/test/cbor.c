/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "cbor.h"

static struct pp_rd over(const char *hex)
{
    static uint8_t bytes[256];

    return pp_rd_over(bytes, pp_test_hex(hex, bytes, sizeof bytes));
}

/* RFC 8949, appendix A: the rows that the core deterministic encoding of our types has. */
static void published_numbers_are_read_and_written(void **state)
{
    static const struct {
        uint64_t value;
        const char *hex;
    } ROWS[] = {
        { 0, "00" },
        { 1, "01" },
        { 10, "0a" },
        { 23, "17" },
        { 24, "1818" },
        { 25, "1819" },
        { 100, "1864" },
        { 1000, "1903e8" },
        { 1000000, "1a000f4240" },
        { 1000000000000, "1b000000e8d4a51000" },
        { UINT64_MAX, "1bffffffffffffffff" },
    };
    uint8_t buf[16];

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        struct pp_rd rd = over(ROWS[i].hex);
        assert_int_equal(pp_cbor_rd_uint(&rd, 0, UINT64_MAX), ROWS[i].value);
        assert_ok(pp_rd_end(&rd));

        struct pp_wr wr = pp_wr_over(buf, sizeof buf);
        pp_cbor_wr_uint(&wr, ROWS[i].value);
        assert_hex(buf, wr.len, ROWS[i].hex);
        assert_int_equal(pp_cbor_head_len(ROWS[i].value), wr.len);
    }
}

static void published_strings_and_booleans_are_read_and_written(void **state)
{
    uint8_t buf[32];
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);

    (void)state;
    pp_cbor_wr_bytes(&wr, pp_span("\x01\x02\x03\x04", 4));
    pp_cbor_wr_text(&wr, PP_STR("IETF"));
    pp_cbor_wr_text(&wr, PP_STR("\xc3\xbc"));
    pp_cbor_wr_bool(&wr, 0);
    pp_cbor_wr_bool(&wr, 1);
    pp_cbor_wr_array(&wr, 0);
    pp_cbor_wr_map(&wr, 0);
    assert_hex(buf, wr.len, "4401020304 6449455446 62c3bc f4 f5 80 a0");

    struct pp_rd rd = pp_rd_span(pp_wr_done(&wr));
    assert_int_equal(pp_cbor_rd_bytes(&rd, 0, 4).len, 4);
    assert_true(pp_span_eq(pp_cbor_rd_text(&rd, 0, 4), PP_STR("IETF")));
    assert_true(pp_span_eq(pp_cbor_rd_text(&rd, 0, 2), PP_STR("\xc3\xbc")));
    assert_int_equal(pp_cbor_rd_bool(&rd), 0);
    assert_int_equal(pp_cbor_rd_bool(&rd), 1);
    assert_int_equal(pp_cbor_rd_array(&rd, 0, 0), 0);
    struct pp_cbor_map map = pp_cbor_rd_map(&rd, 0);
    assert_int_equal(pp_cbor_rd_key(&map, &rd), 0);
    assert_ok(pp_rd_end(&rd));
}

/* RFC 8949 4.2.1 MUST: the argument is as short as possible; lengths are definite. */
static void longer_heads_and_indefinite_lengths_are_refused(void **state)
{
    static const char *const ROWS[] = {
        "1800",
        "1817",
        "190000",
        "1900ff",
        "1a00000000",
        "1a0000ffff",
        "1b0000000000000000",
        "1b00000000ffffffff",
        "5800",
        "7801 61",
        "9801 00",
        "b800",
        "f814",
        "1c",
        "1d",
        "1e",
        "1f",
        "5f41 00 ff",
        "7f6161 ff",
        "9f00 ff",
        "bf00 00 ff",
    };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        struct pp_rd rd = over(ROWS[i]);
        (void)pp_cbor_rd_item(&rd);
        assert_code(pp_rd_ok(&rd), PP_E_ENCODING);
    }
}

static void kinds_that_no_format_of_ours_has_are_refused(void **state)
{
    static const char *const ROWS[] = {
        "20",   /* -1 */
        "c100", /* a tag */
        "f6",   /* null */
        "f7",   /* undefined */
        "f820", /* simple(32) */
        "fb3ff199999999999a",
        "81f6",
        "a100f6",
    };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        struct pp_rd rd = over(ROWS[i]);
        (void)pp_cbor_rd_item(&rd);
        assert_code(pp_rd_ok(&rd), PP_E_FORMAT);
    }
}

static void every_reader_refuses_the_other_kinds(void **state)
{
    static const char *const ITEMS[] = { "00", "4100", "6161", "8100", "a10000", "f4" };
    enum { KINDS = PP_ARRAY_COUNT(ITEMS) };

    (void)state;
    for (size_t item = 0; item < KINDS; item++)
        for (size_t reader = 0; reader < KINDS; reader++) {
            struct pp_rd rd = over(ITEMS[item]);
            switch (reader) {
            case 0:
                (void)pp_cbor_rd_uint(&rd, 0, UINT64_MAX);
                break;
            case 1:
                (void)pp_cbor_rd_bytes(&rd, 0, 100);
                break;
            case 2:
                (void)pp_cbor_rd_text(&rd, 0, 100);
                break;
            case 3:
                (void)pp_cbor_rd_array(&rd, 0, 100);
                break;
            case 4:
                (void)pp_cbor_rd_map(&rd, 100);
                break;
            default:
                (void)pp_cbor_rd_bool(&rd);
            }
            assert_code(pp_rd_ok(&rd), item == reader ? PP_E_OK : PP_E_FORMAT);
        }
}

static void values_stop_at_the_callers_limits(void **state)
{
    (void)state;
    struct pp_rd rd = over("05");
    assert_int_equal(pp_cbor_rd_uint(&rd, 5, 5), 5);
    rd = over("05");
    assert_int_equal(pp_cbor_rd_uint(&rd, 0, 4), 0);
    assert_code(pp_rd_ok(&rd), PP_E_RANGE);
    rd = over("05");
    (void)pp_cbor_rd_uint(&rd, 6, 9);
    assert_code(pp_rd_ok(&rd), PP_E_RANGE);
    rd = over("43010203");
    assert_int_equal(pp_cbor_rd_bytes(&rd, 3, 3).len, 3);
    rd = over("43010203");
    assert_int_equal(pp_cbor_rd_bytes(&rd, 0, 2).len, 0);
    assert_code(pp_rd_ok(&rd), PP_E_RANGE);
    rd = over("830000 00");
    assert_int_equal(pp_cbor_rd_array(&rd, 0, 2), 0);
    assert_code(pp_rd_ok(&rd), PP_E_RANGE);
    rd = over("8200 00");
    pp_cbor_rd_tuple(&rd, 3);
    assert_code(pp_rd_ok(&rd), PP_E_RANGE);
    rd = over("a20000 0100");
    (void)pp_cbor_rd_map(&rd, 1);
    assert_code(pp_rd_ok(&rd), PP_E_RANGE);
}

static void lengths_past_the_input_are_not_believed(void **state)
{
    static const char *const ROWS[] = { "",
                                        "18",
                                        "1900",
                                        "1a000000",
                                        "1b00000000000000",
                                        "4201",
                                        "5bffffffffffffffff",
                                        "7bffffffffffffffff",
                                        "6261",
                                        "9bffffffffffffffff",
                                        "bbffffffffffffffff",
                                        "8200",
                                        "a100" };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        struct pp_rd rd = over(ROWS[i]);
        (void)pp_cbor_rd_item(&rd);
        assert_code(pp_rd_ok(&rd), PP_E_TRUNCATED);
    }
}

static void text_is_utf8_without_nul(void **state)
{
    (void)state;
    struct pp_rd rd = over("62c328");
    assert_int_equal(pp_cbor_rd_text(&rd, 0, 9).len, 0);
    assert_code(pp_rd_ok(&rd), PP_E_UTF8);
    rd = over("63610062");
    (void)pp_cbor_rd_text(&rd, 0, 9);
    assert_code(pp_rd_ok(&rd), PP_E_FORMAT);
    rd = over("8163610062");
    (void)pp_cbor_rd_item(&rd);
    assert_code(pp_rd_ok(&rd), PP_E_FORMAT);
}

static void maps_have_ascending_known_keys(void **state)
{
    static const struct {
        const char *hex;
        enum pp_code code;
    } ROWS[] = {
        { "a3 0000 0100 181f00", PP_E_OK }, { "a2 0000 0000", PP_E_DUPLICATE },
        { "a2 0100 0000", PP_E_ORDER },     { "a1 182000", PP_E_RANGE }, /* past PP_CBOR_KEY_MAX */
        { "a1 616100", PP_E_FORMAT },
    };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        struct pp_rd rd = over(ROWS[i].hex);
        struct pp_cbor_map map = pp_cbor_rd_map(&rd, 8);
        while (pp_cbor_rd_key(&map, &rd))
            (void)pp_cbor_rd_uint(&rd, 0, 0);
        assert_code(pp_rd_end(&rd), ROWS[i].code);
    }
}

static void a_missing_mandatory_key_is_named(void **state)
{
    (void)state;
    struct pp_rd rd = over("a2 0000 0500");
    struct pp_cbor_map map = pp_cbor_rd_map(&rd, 8);
    while (pp_cbor_rd_key(&map, &rd))
        (void)pp_cbor_rd_uint(&rd, 0, 0);

    assert_ok(pp_cbor_map_has(&map, 1U << 0 | 1U << 5));
    pp_res r = pp_cbor_map_has(&map, 1U << 0 | 1U << 3 | 1U << 4);
    assert_code(r, PP_E_MISSING);
    assert_int_equal(r.detail, 3);
}

/* pp-wire: nesting <= 6. Six arrays around a number, then seven. */
static void nesting_stops_at_its_limit(void **state)
{
    (void)state;
    struct pp_rd rd = over("81 81 81 81 81 81 00");
    assert_int_equal(pp_cbor_rd_item(&rd).len, 7);
    assert_ok(pp_rd_end(&rd));
    rd = over("81 81 81 81 81 81 80");
    (void)pp_cbor_rd_item(&rd);
    assert_code(pp_rd_ok(&rd), PP_E_LIMIT);
    rd = over("a100 a100 a100 a100 a100 a100 a0");
    (void)pp_cbor_rd_item(&rd);
    assert_code(pp_rd_ok(&rd), PP_E_LIMIT);
}

static void items_are_skipped_whole_and_maps_inside_are_checked(void **state)
{
    (void)state;
    struct pp_rd rd = over("82 6161 a2 00f5 6161 4100 17");
    struct pp_span item = pp_cbor_rd_item(&rd);
    assert_hex(item.at, item.len, "82 6161 a2 00f5 6161 4100");
    assert_int_equal(pp_cbor_peek(&rd), PP_CBOR_UINT);
    assert_int_equal(pp_cbor_rd_uint(&rd, 0, 99), 23);
    assert_int_equal(pp_cbor_peek(&rd), PP_CBOR_SIMPLE);

    rd = over("a2 616200 616100");
    (void)pp_cbor_rd_item(&rd);
    assert_code(pp_rd_ok(&rd), PP_E_ORDER);
    rd = over("81 a2 0500 0500");
    (void)pp_cbor_rd_item(&rd);
    assert_code(pp_rd_ok(&rd), PP_E_DUPLICATE);
    rd = over("a2 414100 1800"); /* bytewise: 18.. before 41.. */
    (void)pp_cbor_rd_item(&rd);
    assert_code(pp_rd_ok(&rd), PP_E_ENCODING);
    rd = over("a2 414100 181800");
    (void)pp_cbor_rd_item(&rd);
    assert_code(pp_rd_ok(&rd), PP_E_ORDER);
}

static void a_failed_reader_gives_zeros(void **state)
{
    uint8_t copy[4] = { 1, 2, 3, 4 };

    (void)state;
    struct pp_rd rd = over("");
    pp_rd_fail(&rd, PP_E_FORMAT);
    struct pp_cbor_map map = pp_cbor_rd_map(&rd, 9);
    assert_int_equal(pp_cbor_rd_key(&map, &rd), 0);
    assert_int_equal(pp_cbor_rd_uint(&rd, 0, 9), 0);
    assert_int_equal(pp_cbor_rd_bool(&rd), 0);
    assert_int_equal(pp_cbor_rd_bytes(&rd, 0, 9).len, 0);
    assert_int_equal(pp_cbor_rd_text(&rd, 0, 9).len, 0);
    assert_int_equal(pp_cbor_rd_array(&rd, 0, 9), 0);
    pp_cbor_rd_copy(&rd, copy, sizeof copy);
    assert_int_equal(copy[0] | copy[1] | copy[2] | copy[3], 0);
    assert_code(pp_rd_ok(&rd), PP_E_FORMAT);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(published_numbers_are_read_and_written),
    cmocka_unit_test(published_strings_and_booleans_are_read_and_written),
    cmocka_unit_test(longer_heads_and_indefinite_lengths_are_refused),
    cmocka_unit_test(kinds_that_no_format_of_ours_has_are_refused),
    cmocka_unit_test(every_reader_refuses_the_other_kinds),
    cmocka_unit_test(values_stop_at_the_callers_limits),
    cmocka_unit_test(lengths_past_the_input_are_not_believed),
    cmocka_unit_test(text_is_utf8_without_nul),
    cmocka_unit_test(maps_have_ascending_known_keys),
    cmocka_unit_test(a_missing_mandatory_key_is_named),
    cmocka_unit_test(nesting_stops_at_its_limit),
    cmocka_unit_test(items_are_skipped_whole_and_maps_inside_are_checked),
    cmocka_unit_test(a_failed_reader_gives_zeros),
};

PP_TEST_MAIN(tests)
