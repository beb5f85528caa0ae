/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate table of extended reports (AMD 56860): a host writes it, so every field lies. */
#include "harness.h"

#include "crypto.h"
#include "snp_table.h"
#include "wr.h"

enum { ROW = PP_SNP_TABLE_ROW_BYTES };

static const struct pp_snp_table FULL = {
    .vcek = { (const uint8_t *)"chip", 4 },
    .vlek = { (const uint8_t *)"provider", 8 },
    .ask = { (const uint8_t *)"authority", 9 },
    .ark = { (const uint8_t *)"root", 4 },
    .crl = { (const uint8_t *)"list", 4 },
};

static uint8_t table[PP_SNP_TABLE_BYTES_MAX + 1];

static size_t fill(const struct pp_snp_table *t)
{
    size_t len;

    memset(table, 0, sizeof table);
    assert_ok(pp_snp_table_write(t, table, sizeof table, &len));
    return len;
}

static void set_u32(size_t at, uint32_t v)
{
    struct pp_wr wr = pp_wr_over(table + at, 4);

    pp_wr_u32le(&wr, v);
}

static pp_res parse(size_t len)
{
    struct pp_snp_table t;

    return pp_snp_table_parse(pp_span(table, len), &t);
}

static void a_table_gives_the_parts_that_were_written(void **state)
{
    (void)state;
    struct pp_snp_table t;
    size_t len = fill(&FULL);

    assert_int_equal(len, 6 * ROW + 29);
    assert_ok(pp_snp_table_parse(pp_span(table, len), &t));
    assert_true(pp_span_eq(t.vcek, FULL.vcek) && pp_span_eq(t.vlek, FULL.vlek));
    assert_true(pp_span_eq(t.ask, FULL.ask) && pp_span_eq(t.ark, FULL.ark));
    assert_true(pp_span_eq(t.crl, FULL.crl));
    assert_int_equal(t.unknown_count, 0);
    /* GUIDs stand in the order in which they are read aloud, without the mixed-endian swap. */
    assert_int_equal(table[0], 0x63);
    assert_int_equal(table[4], 0xE6);
    for (size_t cap = 0; cap < len; cap++)
        assert_code(pp_snp_table_write(&FULL, table, cap, &len), PP_E_NO_SPACE);
}

static void a_table_of_no_rows_is_one(void **state)
{
    (void)state;
    struct pp_snp_table none = { 0 };
    struct pp_snp_table t = FULL;
    size_t len = fill(&none);

    assert_int_equal(len, ROW);
    assert_ok(pp_snp_table_parse(pp_span(table, len), &t));
    assert_int_equal(t.vcek.len + t.vlek.len + t.ask.len + t.ark.len + t.crl.len, 0);
}

static void every_truncation_of_a_table_is_refused(void **state)
{
    (void)state;
    size_t len = fill(&FULL);

    for (size_t n = 0; n < len; n++)
        assert_code(parse(n), n < 6 * ROW ? PP_E_TRUNCATED : PP_E_RANGE);
    assert_ok(parse(len));
    assert_ok(parse(len + 100)); /* a host fills pages */
}

/* Each number of each row: into the rows, past the end, past 2^32, and no bytes at all. */
static void parts_lie_behind_the_rows_and_in_the_table(void **state)
{
    (void)state;
    static const uint32_t bad_offsets[] = { 0, 1, 6 * ROW - 1, 6 * ROW + 30, 1U << 31, UINT32_MAX };
    static const uint32_t bad_lengths[] = { 0, 1U << 16, 1U << 31, UINT32_MAX, UINT32_MAX - 200 };

    for (size_t row = 0; row < 5; row++) {
        for (size_t i = 0; i < PP_ARRAY_COUNT(bad_offsets); i++) {
            size_t len = fill(&FULL);
            set_u32(row * ROW + 16, bad_offsets[i]);
            assert_code(parse(len), PP_E_RANGE);
        }
        for (size_t i = 0; i < PP_ARRAY_COUNT(bad_lengths); i++) {
            size_t len = fill(&FULL);
            set_u32(row * ROW + 20, bad_lengths[i]);
            assert_code(parse(len), PP_E_RANGE);
        }
    }
}

static void a_part_may_end_at_the_last_byte_and_not_one_past_it(void **state)
{
    (void)state;
    size_t len = fill(&FULL);

    set_u32(4 * ROW + 20, 5); /* the last part is 4 bytes long, and the table ends behind it */
    assert_code(parse(len), PP_E_RANGE);
    assert_ok(parse(len + 1));
}

static void parts_do_not_overlap(void **state)
{
    (void)state;
    for (size_t row = 1; row < 5; row++) {
        size_t len = fill(&FULL);
        set_u32(row * ROW + 16, 6 * ROW + 3); /* the last byte of the first part */
        set_u32(row * ROW + 20, 1);
        assert_code(parse(len), PP_E_RANGE);
    }
}

static void a_kind_stands_in_a_table_once(void **state)
{
    (void)state;
    for (size_t row = 1; row < 5; row++) {
        size_t len = fill(&FULL);
        memcpy(table + row * ROW, table, 16);
        assert_code(parse(len), PP_E_DUPLICATE);
    }
    size_t len = fill(&FULL);
    memset(table, 0x77, 16);
    memset(table + ROW, 0x77, 16); /* of no known kind */
    assert_code(parse(len), PP_E_DUPLICATE);
}

static void rows_of_other_kinds_are_passed_over(void **state)
{
    (void)state;
    struct pp_snp_table t;
    size_t len = fill(&FULL);

    table[0] ^= 1;
    assert_ok(pp_snp_table_parse(pp_span(table, len), &t));
    assert_int_equal(t.unknown_count, 1);
    assert_int_equal(t.vcek.len, 0);
    assert_true(pp_span_eq(t.vlek, FULL.vlek));
}

static void a_row_of_zeros_has_no_numbers(void **state)
{
    (void)state;
    for (size_t at = 16; at < ROW; at++) {
        size_t len = fill(&FULL);
        table[5 * ROW + at] = 1;
        assert_code(parse(len), PP_E_FORMAT);
    }
}

static void a_table_at_its_limits_is_read_and_one_past_them_refused(void **state)
{
    (void)state;
    size_t len = fill(&FULL);

    assert_ok(parse(PP_SNP_TABLE_BYTES_MAX));
    assert_code(parse(PP_SNP_TABLE_BYTES_MAX + 1), PP_E_LIMIT);

    for (size_t rows = PP_SNP_TABLE_ROWS_MAX; rows <= PP_SNP_TABLE_ROWS_MAX + 1; rows++) {
        memset(table, 0, sizeof table);
        for (size_t i = 0; i < rows; i++) {
            memset(table + i * ROW, (int)i + 1, 16);
            set_u32(i * ROW + 16, (uint32_t)(1000 + i));
            set_u32(i * ROW + 20, 1);
        }
        len = 1100;
        assert_code(parse(len), rows == PP_SNP_TABLE_ROWS_MAX ? PP_E_OK : PP_E_LIMIT);
    }
}

static void a_table_over_the_limit_is_not_written(void **state)
{
    (void)state;
    static uint8_t big[PP_SNP_TABLE_BYTES_MAX];
    struct pp_snp_table t = { .vcek = pp_span(big, sizeof big - 2 * ROW) };
    size_t len;

    assert_ok(pp_snp_table_write(&t, table, sizeof table, &len));
    assert_int_equal(len, PP_SNP_TABLE_BYTES_MAX);
    t.vcek.len++; /* there would be room for it */
    assert_code(pp_snp_table_write(&t, table, sizeof table, &len), PP_E_NO_SPACE);
}

/* KEY_INFO says whose signature it is, so it says which certificate belongs to it. */
static void the_certificate_is_of_the_kind_that_signed(void **state)
{
    (void)state;
    uint8_t bytes[PP_SNP_REPORT_BYTES];

    for (uint32_t key = 0; key < 8; key++) {
        struct pp_snp_report report = { .version = 3,
                                        .policy = PP_SNP_POLICY_MUST_BE_ONE,
                                        .key_info = key << 2 };
        assert_ok(pp_snp_report_write(&report, bytes, sizeof bytes));
        struct pp_snp_evidence e = pp_snp_evidence_of(PP_BYTES(bytes), &FULL);
        assert_true(pp_span_eq(e.report, PP_BYTES(bytes)));
        assert_true(pp_span_eq(e.ask, FULL.ask) && pp_span_eq(e.ark, FULL.ark));
        assert_true(pp_span_eq(e.crl, FULL.crl));
        if (key == PP_SNP_VCEK)
            assert_true(pp_span_eq(e.vek, FULL.vcek));
        else if (key == PP_SNP_VLEK)
            assert_true(pp_span_eq(e.vek, FULL.vlek));
        else
            assert_int_equal(e.vek.len, 0);
    }
    assert_int_equal(pp_snp_evidence_of(PP_STR("no report"), &FULL).vek.len, 0);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_table_gives_the_parts_that_were_written),
    cmocka_unit_test(a_table_of_no_rows_is_one),
    cmocka_unit_test(every_truncation_of_a_table_is_refused),
    cmocka_unit_test(parts_lie_behind_the_rows_and_in_the_table),
    cmocka_unit_test(a_part_may_end_at_the_last_byte_and_not_one_past_it),
    cmocka_unit_test(parts_do_not_overlap),
    cmocka_unit_test(a_kind_stands_in_a_table_once),
    cmocka_unit_test(rows_of_other_kinds_are_passed_over),
    cmocka_unit_test(a_row_of_zeros_has_no_numbers),
    cmocka_unit_test(a_table_at_its_limits_is_read_and_one_past_them_refused),
    cmocka_unit_test(a_table_over_the_limit_is_not_written),
    cmocka_unit_test(the_certificate_is_of_the_kind_that_signed),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
