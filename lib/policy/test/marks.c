/* SPDX-License-Identifier: Apache-2.0 */
/* High-water marks as they are stored: one encoding a value, nothing half read. */
#include "harness.h"

#include "ledger.h"

static struct pp_marks some_marks(size_t revoked)
{
    struct pp_marks m = { .tree_size = UINT64_MAX, .status_serial = 3, .revoked_count = revoked };

    memset(m.status_id.bytes, 0xA5, sizeof m.status_id.bytes);
    for (size_t role = 0; role < PP_RECORD_ROLES; role++)
        m.min_serial[role] = 10 + role;
    for (size_t i = 0; i < revoked; i++)
        memset(m.revoked[i].bytes, (int)i, sizeof m.revoked[i].bytes);
    return m;
}

static size_t write(const struct pp_marks *m, uint8_t ret[PP_MARKS_BYTES_MAX])
{
    struct pp_wr wr = pp_wr_over(ret, PP_MARKS_BYTES_MAX);

    assert_ok(pp_marks_write(&wr, m));
    return wr.len;
}

static void marks_read_back_as_they_were_written(void **state)
{
    (void)state;
    static const size_t counts[] = { 0, 1, 2, PP_MARKS_REVOKED_MAX };
    static uint8_t bytes[PP_MARKS_BYTES_MAX], again[PP_MARKS_BYTES_MAX];

    for (size_t i = 0; i < PP_ARRAY_COUNT(counts); i++) {
        struct pp_marks m = some_marks(counts[i]), back = { 0 };
        size_t len = write(&m, bytes);
        assert_ok(pp_marks_parse(pp_span(bytes, len), &back));
        assert_int_equal(back.tree_size, m.tree_size);
        assert_int_equal(back.status_serial, m.status_serial);
        assert_true(pp_record_id_same(&back.status_id, &m.status_id));
        assert_memory_equal(back.min_serial, m.min_serial, sizeof m.min_serial);
        assert_int_equal(back.revoked_count, counts[i]);
        assert_memory_equal(back.revoked, m.revoked, sizeof m.revoked);
        assert_int_equal(write(&back, again), len);
        assert_memory_equal(again, bytes, len);
    }
}

static void every_truncation_and_every_added_byte_is_refused(void **state)
{
    (void)state;
    static uint8_t bytes[PP_MARKS_BYTES_MAX + 1];
    struct pp_marks m = some_marks(3), back, before;
    size_t len = write(&m, bytes);

    memset(&back, 0xEE, sizeof back);
    before = back;
    for (size_t n = 0; n < len; n++)
        assert_code(pp_marks_parse(pp_span(bytes, n), &back), PP_E_TRUNCATED);
    assert_code(pp_marks_parse(pp_span(bytes, len + 1), &back), PP_E_TRAILING);
    assert_memory_equal(&back, &before, sizeof back);
}

static void every_flip_is_refused_or_is_another_value(void **state)
{
    (void)state;
    static uint8_t bytes[PP_MARKS_BYTES_MAX], again[PP_MARKS_BYTES_MAX];
    struct pp_marks m = some_marks(2), back;
    size_t len = write(&m, bytes);

    for (size_t bit = 0; bit < 8 * len; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        pp_res r = pp_marks_parse(pp_span(bytes, len), &back);
        if (bit / 8 < 12)
            assert_code(r, PP_E_FORMAT);
        if (pp_is_ok(r)) {
            assert_int_equal(write(&back, again), len);
            assert_memory_equal(again, bytes, len);
        }
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void more_revoked_records_than_the_limit_are_refused(void **state)
{
    (void)state;
    static uint8_t bytes[PP_MARKS_BYTES_MAX + 32];
    struct pp_marks m = some_marks(PP_MARKS_REVOKED_MAX), back;
    size_t len = write(&m, bytes);
    size_t count_at = len - 32 * PP_MARKS_REVOKED_MAX - 4;
    struct pp_wr wr = pp_wr_over(bytes + count_at, 4);

    pp_wr_u32(&wr, PP_MARKS_REVOKED_MAX + 1);
    assert_code(pp_marks_parse(pp_span(bytes, len + 32), &back), PP_E_FORMAT);
    m.revoked_count++;
    wr = pp_wr_over(bytes, sizeof bytes);
    assert_code(pp_marks_write(&wr, &m), PP_E_RANGE);
    assert_int_equal(wr.len, 0);
    m.revoked_count--;
    wr = pp_wr_over(bytes, len - 1);
    assert_code(pp_marks_write(&wr, &m), PP_E_NO_SPACE);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(marks_read_back_as_they_were_written),
    cmocka_unit_test(every_truncation_and_every_added_byte_is_refused),
    cmocka_unit_test(every_flip_is_refused_or_is_another_value),
    cmocka_unit_test(more_revoked_records_than_the_limit_are_refused),
};

PP_TEST_MAIN(TESTS)
