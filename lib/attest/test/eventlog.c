/* SPDX-License-Identifier: Apache-2.0 */
/* Event logs and their replay. Published logs run through `ppctl vectors tdx`. */
#include "harness.h"

#include "crypto.h"
#include "eventlog.h"
#include "wr.h"

enum { SHA1 = 0x04, SHA256 = 0x0B, SHA384 = 0x0C, SHA512 = 0x0D, SM3 = 0x12, ODD = 0x7777 };
enum { HEAD_BYTES = 65, LOG_BYTES_MAX = PP_EVENTLOG_BYTES_MAX };

static uint8_t log_bytes[LOG_BYTES_MAX + 1];

/* What a log is made of; tests change a field. */
struct algorithm {
    uint16_t id, len;
};

struct plan {
    struct algorithm algorithms[PP_EVENTLOG_ALGORITHMS_MAX + 1];
    uint32_t algorithm_count;
    uint32_t head_register, head_type;
    uint8_t head_digest, major, vendor_len;
    uint32_t spec_extra; /* what the first event says of its length, too much */
    const char *signature;
};

static struct plan good_plan(void)
{
    return (struct plan){ .algorithms = { { SHA384, 48 } },
                          .algorithm_count = 1,
                          .head_register = 1,
                          .head_type = PP_EV_NO_ACTION,
                          .major = 2,
                          .signature = "Spec ID Event03" };
}

static void write_head(struct pp_wr *wr, const struct plan *p)
{
    pp_wr_u32le(wr, p->head_register);
    pp_wr_u32le(wr, p->head_type);
    pp_wr_u8(wr, p->head_digest);
    pp_wr_zeros(wr, 19);
    pp_wr_u32le(wr, 16 + 8 + 4 + 4 * p->algorithm_count + 1 + p->vendor_len + p->spec_extra);
    pp_wr_bytes(wr, p->signature, 16);
    pp_wr_zeros(wr, 5);
    pp_wr_u8(wr, p->major);
    pp_wr_zeros(wr, 2);
    pp_wr_u32le(wr, p->algorithm_count);
    for (size_t i = 0; i < p->algorithm_count; i++) {
        pp_wr_u16le(wr, p->algorithms[i].id);
        pp_wr_u16le(wr, p->algorithms[i].len);
    }
    pp_wr_u8(wr, p->vendor_len);
    pp_wr_zeros(wr, p->vendor_len);
}

static struct pp_wr begin(const struct plan *p)
{
    struct pp_wr wr = pp_wr_over(log_bytes, sizeof log_bytes);

    write_head(&wr, p);
    assert_ok(pp_wr_ok(&wr));
    return wr;
}

/* One event with a digest of `fill` for each of the algorithms. */
static void event_of(struct pp_wr *wr, uint32_t mr_index, uint32_t type,
                     const struct algorithm *algorithms, uint32_t count, uint8_t fill,
                     const char *data)
{
    pp_wr_u32le(wr, mr_index);
    pp_wr_u32le(wr, type);
    pp_wr_u32le(wr, count);
    for (uint32_t i = 0; i < count; i++) {
        pp_wr_u16le(wr, algorithms[i].id);
        uint8_t *digest = pp_wr_reserve(wr, algorithms[i].len);
        if (digest != NULL)
            memset(digest, fill, algorithms[i].len);
    }
    pp_wr_u32le(wr, (uint32_t)strlen(data));
    pp_wr_text(wr, data);
}

static void event(struct pp_wr *wr, uint32_t mr_index, uint32_t type, uint8_t fill)
{
    static const struct algorithm sha384 = { SHA384, 48 };

    event_of(wr, mr_index, type, &sha384, 1, fill, "data");
}

static pp_res open_log(const struct pp_wr *wr, struct pp_eventlog *ret)
{
    assert_ok(pp_wr_ok(wr));
    return pp_eventlog_open(pp_wr_done(wr), ret);
}

static pp_res open_plan(const struct plan *p)
{
    struct pp_eventlog log;
    struct pp_wr wr = begin(p);

    event(&wr, 1, 4, 0xAA);
    return open_log(&wr, &log);
}

/* SHA-384 of 48 zero bytes and 48 bytes of `fill`. */
static void extended_once(uint8_t fill, uint8_t ret[48])
{
    uint8_t both[96] = { 0 };

    memset(both + 48, fill, 48);
    pp_sha384(PP_BYTES(both), ret);
}

/* --- what opens ------------------------------------------------------------------------------- */

static void events_come_in_order_with_their_digests_and_bytes(void **state)
{
    (void)state;
    struct plan p = good_plan();
    struct pp_wr wr = begin(&p);
    struct pp_eventlog log;
    struct pp_eventlog_event e;

    assert_int_equal(wr.len, HEAD_BYTES);
    event(&wr, 1, 0x80000001, 0x11);
    event_of(&wr, 4, 6, p.algorithms, 1, 0x22, "");
    assert_ok(open_log(&wr, &log));
    assert_int_equal(pp_eventlog_next(&log, &e), 1);
    assert_int_equal(e.mr_index, 1);
    assert_int_equal(e.type, 0x80000001);
    assert_int_equal(e.digest.len, 48);
    assert_int_equal(e.digest.at[0], 0x11);
    assert_true(pp_span_eq(e.data, PP_STR("data")));
    assert_int_equal(pp_eventlog_next(&log, &e), 1);
    assert_int_equal(e.mr_index, 4);
    assert_int_equal(e.digest.at[47], 0x22);
    assert_int_equal(e.data.len, 0);
    assert_int_equal(pp_eventlog_next(&log, &e), 0);
    assert_int_equal(pp_eventlog_next(&log, &e), 0);
}

static void a_log_without_events_replays_to_zeros(void **state)
{
    (void)state;
    struct plan p = good_plan();
    struct pp_wr wr = begin(&p);
    uint8_t rtmr[PP_RTMRS][PP_RTMR_BYTES];
    static const uint8_t zeros[sizeof rtmr];

    memset(rtmr, 0xEE, sizeof rtmr);
    assert_ok(pp_eventlog_replay(pp_wr_done(&wr), rtmr));
    assert_memory_equal(rtmr, zeros, sizeof rtmr);
}

static void of_several_digests_the_sha384_one_counts(void **state)
{
    (void)state;
    static const struct algorithm both[] = { { SHA256, 32 }, { SHA384, 48 }, { ODD, 7 } };
    static const struct algorithm other_order[] = { { SHA384, 48 }, { ODD, 7 }, { SHA256, 32 } };
    struct plan p = good_plan();
    struct pp_eventlog log;
    struct pp_eventlog_event e;

    memcpy(p.algorithms, both, sizeof both);
    p.algorithm_count = 3;
    p.vendor_len = 255;
    struct pp_wr wr = begin(&p);
    event_of(&wr, 2, 4, both, 3, 0x33, "x");
    event_of(&wr, 2, 4, other_order, 3, 0x44, "y");
    event_of(&wr, 2, 4, both + 1, 1, 0x55, "z");
    assert_ok(open_log(&wr, &log));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pp_eventlog_next(&log, &e), 1);
        assert_int_equal(e.digest.len, 48);
        assert_int_equal(e.digest.at[0], 0x33 + 0x11 * i);
    }
}

/* --- the first event -------------------------------------------------------------------------- */

static void a_log_that_does_not_begin_as_one_is_refused(void **state)
{
    (void)state;
    struct plan p = good_plan();

    assert_ok(open_plan(&p));
    p.head_register = 0;
    assert_ok(open_plan(&p)); /* the firmware of a TPM says PCR 0 */
    p.head_register = 4;
    assert_ok(open_plan(&p));
    p.head_register = 5;
    assert_code(open_plan(&p), PP_E_FORMAT);
    p = good_plan();
    p.head_type = 4;
    assert_code(open_plan(&p), PP_E_FORMAT);
    p = good_plan();
    p.head_digest = 1;
    assert_code(open_plan(&p), PP_E_ENCODING);
    p = good_plan();
    p.signature = "Spec ID Event02"; /* the form before algorithms could be chosen */
    assert_code(open_plan(&p), PP_E_FORMAT);
    p = good_plan();
    p.major = 1;
    assert_code(open_plan(&p), PP_E_UNSUPPORTED);
    p = good_plan();
    p.spec_extra = 1;
    assert_code(open_plan(&p), PP_E_FORMAT);
    struct pp_eventlog log;
    struct pp_wr wr = begin(&p);
    pp_wr_u8(&wr, 0); /* and the byte is there */
    event(&wr, 1, 4, 0xAA);
    assert_code(open_log(&wr, &log), PP_E_FORMAT);
    p.spec_extra = UINT32_MAX; /* one byte less than it needs */
    assert_code(open_plan(&p), PP_E_FORMAT);
}

static void the_list_of_algorithms_is_held_to_what_is_known(void **state)
{
    static const struct {
        struct algorithm a;
        uint32_t code;
    } rows[] = {
        { { SHA1, 20 }, PP_E_OK },   { { SHA1, 32 }, PP_E_FORMAT },
        { { SHA256, 32 }, PP_E_OK }, { { SHA256, 20 }, PP_E_FORMAT },
        { { SHA512, 64 }, PP_E_OK }, { { SHA512, 48 }, PP_E_FORMAT },
        { { SM3, 32 }, PP_E_OK },    { { ODD, 1 }, PP_E_OK },
        { { ODD, 64 }, PP_E_OK },    { { ODD, 65 }, PP_E_FORMAT },
        { { ODD, 0 }, PP_E_FORMAT }, { { SHA384, 48 }, PP_E_FORMAT }, /* twice */
    };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct plan p = good_plan();
        p.algorithms[1] = rows[i].a;
        p.algorithm_count = 2;
        assert_code(open_plan(&p), rows[i].code);
    }
}

static void a_log_without_sha384_is_refused(void **state)
{
    (void)state;
    struct plan p = good_plan();

    p.algorithm_count = 0;
    assert_code(open_plan(&p), PP_E_FORMAT);
    p.algorithm_count = 1;
    p.algorithms[0] = (struct algorithm){ SHA256, 32 };
    assert_code(open_plan(&p), PP_E_FORMAT);
    p.algorithms[0] = (struct algorithm){ SHA384, 47 };
    assert_code(open_plan(&p), PP_E_FORMAT);
}

static void a_log_lists_eight_algorithms_at_most(void **state)
{
    (void)state;
    struct plan p = good_plan();

    for (uint16_t i = 1; i <= PP_EVENTLOG_ALGORITHMS_MAX; i++)
        p.algorithms[i] = (struct algorithm){ (uint16_t)(ODD + i), 8 };
    p.algorithm_count = PP_EVENTLOG_ALGORITHMS_MAX;
    assert_ok(open_plan(&p));
    p.algorithm_count++;
    assert_code(open_plan(&p), PP_E_LIMIT);
}

/* --- events ----------------------------------------------------------------------------------- */

static pp_res open_one(uint32_t mr_index, const struct algorithm *algorithms, uint32_t count)
{
    struct plan p = good_plan();
    struct pp_eventlog log;

    p.algorithms[1] = (struct algorithm){ SHA256, 32 };
    p.algorithm_count = 2;
    struct pp_wr wr = begin(&p);
    event_of(&wr, mr_index, 4, algorithms, count, 0x11, "data");
    return open_log(&wr, &log);
}

static void an_event_has_listed_digests_each_once_and_sha384_among_them(void **state)
{
    static const struct algorithm a[] = {
        { SHA384, 48 }, { SHA256, 32 }, { SHA384, 48 }, { SHA384, 48 }, { SHA1, 20 },
    };

    (void)state;
    assert_ok(open_one(1, a, 1));
    assert_ok(open_one(1, a, 2));
    assert_ok(open_one(1, a + 1, 2));
    assert_code(open_one(1, a + 1, 1), PP_E_FORMAT); /* without SHA-384 */
    pp_res r = open_one(1, a, 3); /* more than are listed: noticed before any is read */
    assert_code(r, PP_E_FORMAT);
    assert_int_equal(r.detail, HEAD_BYTES + 4 + 12);
    assert_code(open_one(1, a + 2, 2), PP_E_FORMAT); /* SHA-384 twice */
    assert_code(open_one(1, a + 3, 2), PP_E_FORMAT); /* one that is not listed */
    assert_code(open_one(1, a + 4, 1), PP_E_FORMAT);
}

static void registers_past_rtmr3_are_refused(void **state)
{
    static const struct algorithm a = { SHA384, 48 };

    (void)state;
    for (uint32_t i = 0; i <= 4; i++)
        assert_ok(open_one(i, &a, 1));
    assert_code(open_one(5, &a, 1), PP_E_FORMAT);
    assert_code(open_one(UINT32_MAX - 1, &a, 1), PP_E_FORMAT);
    assert_code(open_one(UINT32_MAX, &a, 1), PP_E_FORMAT); /* the end, with other than filler */
}

/* Every cut is noticed, but those between two events, where a shorter log ends. */
static void every_truncation_of_a_log_is_refused_or_ends_between_events(void **state)
{
    (void)state;
    struct plan p = good_plan();
    struct pp_wr wr = begin(&p);
    struct pp_eventlog log;
    size_t ends[4] = { wr.len };

    for (uint32_t i = 1; i < 4; i++) {
        event(&wr, i, 4, 0x11);
        ends[i] = wr.len;
    }
    for (size_t n = 0; n <= wr.len; n++) {
        size_t events = 0;
        while (events < 3 && ends[events] < n)
            events++;
        pp_res r = pp_eventlog_open(pp_span(log_bytes, n), &log);
        if (ends[events] != n) {
            assert_code(r, PP_E_TRUNCATED);
            continue;
        }
        assert_ok(r);
        assert_int_equal(log.left, events);
    }
}

static void an_event_longer_than_the_log_is_refused(void **state)
{
    (void)state;
    struct plan p = good_plan();
    struct pp_wr wr = begin(&p);
    struct pp_eventlog log;
    size_t at = wr.len + 4 + 4 + 4 + 2 + 48; /* of the first event's length */

    event(&wr, 1, 4, 0x11);
    assert_ok(open_log(&wr, &log));
    log_bytes[at]++;
    assert_code(open_log(&wr, &log), PP_E_TRUNCATED);
    memset(log_bytes + at, 0xFF, 4);
    assert_code(open_log(&wr, &log), PP_E_TRUNCATED);
}

/* --- the end ---------------------------------------------------------------------------------- */

/* A log with one event and then these bytes, `filler_len` times `filler` behind them. */
static pp_res open_tail(const char *tail, size_t tail_len, int filler, size_t filler_len,
                        size_t *ret_events)
{
    struct plan p = good_plan();
    struct pp_wr wr = begin(&p);
    struct pp_eventlog log = { 0 };

    event(&wr, 1, 4, 0x11);
    pp_wr_bytes(&wr, tail, tail_len);
    uint8_t *fill = pp_wr_reserve(&wr, filler_len);
    assert_non_null(fill);
    memset(fill, filler, filler_len);
    pp_res r = open_log(&wr, &log);
    *ret_events = log.left;
    return r;
}

static void a_log_ends_at_either_marker(void **state)
{
    (void)state;
    size_t events = 0;

    assert_ok(open_tail("", 0, 0xFF, 1000, &events));
    assert_int_equal(events, 1);
    assert_ok(open_tail("", 0, 0xFF, 4, &events)); /* the bare marker */
    assert_ok(open_tail("", 0, 0xFF, 8, &events)); /* as cut by whoever saved it */
    assert_ok(open_tail("", 0, 0x00, 12, &events));
    assert_ok(open_tail("", 0, 0x00, 1000, &events));
    assert_int_equal(events, 1);
    assert_code(open_tail("", 0, 0xFF, 3, &events), PP_E_TRUNCATED);
    assert_code(open_tail("", 0, 0x00, 11, &events), PP_E_TRUNCATED);
    assert_ok(open_tail("\xFF\xFF\xFF\xFF", 4, 0x00, 1000, &events));
    assert_ok(open_tail("\x01\0\0\0\x04\0\0\0\0\0\0\0", 12, 0xFF, 64, &events));
    assert_int_equal(events, 1);
}

static void nothing_but_filler_may_stand_behind_the_end(void **state)
{
    (void)state;
    size_t events = 0;

    assert_code(open_tail("\xFF\xFF\xFF\xFF", 4, 0x01, 1, &events), PP_E_FORMAT);
    assert_code(open_tail("\xFF\xFF\xFF\xFF\xFF", 5, 0x00, 1, &events), PP_E_FORMAT);
    assert_code(open_tail("\xFF\xFF\xFF\xFF\x00", 5, 0xFF, 100, &events), PP_E_FORMAT);
    assert_code(open_tail("\0\0\0\0\0\0\0\0\0\0\0\0\x01", 13, 0, 100, &events), PP_E_FORMAT);
    assert_code(open_tail("\xFF\xFF\xFF\xFF", 4, 0x7F, 100, &events), PP_E_FORMAT);
}

/* --- limits ----------------------------------------------------------------------------------- */

static void a_log_has_a_megabyte_at_most(void **state)
{
    (void)state;
    struct plan p = good_plan();
    struct pp_wr wr = begin(&p);
    struct pp_eventlog log;

    memset(log_bytes + wr.len, 0xFF, sizeof log_bytes - wr.len);
    assert_ok(pp_eventlog_open(pp_span(log_bytes, PP_EVENTLOG_BYTES_MAX), &log));
    assert_code(pp_eventlog_open(pp_span(log_bytes, PP_EVENTLOG_BYTES_MAX + 1), &log), PP_E_LIMIT);
}

static void a_log_has_so_many_events_at_most(void **state)
{
    (void)state;
    struct plan p = good_plan();
    struct pp_wr wr = begin(&p);
    struct pp_eventlog log;

    for (int i = 0; i < PP_EVENTLOG_EVENTS_MAX; i++)
        event(&wr, 1, 4, 0x11);
    assert_ok(open_log(&wr, &log));
    assert_int_equal(log.left, PP_EVENTLOG_EVENTS_MAX);
    event(&wr, 1, 4, 0x11);
    assert_code(open_log(&wr, &log), PP_E_LIMIT);
}

/* --- replay ----------------------------------------------------------------------------------- */

static void replay_extends_what_the_events_name_and_nothing_else(void **state)
{
    (void)state;
    struct plan p = good_plan();
    struct pp_wr wr = begin(&p);
    uint8_t rtmr[PP_RTMRS][PP_RTMR_BYTES], want[48], both[96];

    event(&wr, 0, 4, 0x77); /* MRTD: not ours to extend */
    event(&wr, 1, PP_EV_NO_ACTION, 0x88);
    for (uint32_t i = 1; i <= 4; i++)
        event(&wr, i, 4, (uint8_t)(0x10 * i));
    event(&wr, 2, 0x80000007, 0x99);
    assert_ok(pp_eventlog_replay(pp_wr_done(&wr), rtmr));
    for (size_t i = 0; i < 4; i++) {
        extended_once((uint8_t)(0x10 * (i + 1)), want);
        if (i == 1) { /* once more */
            memcpy(both, want, 48);
            memset(both + 48, 0x99, 48);
            pp_sha384(PP_BYTES(both), want);
        }
        assert_memory_equal(rtmr[i], want, 48);
    }
}

static void the_order_of_events_changes_the_register(void **state)
{
    (void)state;
    struct plan p = good_plan();
    uint8_t a[PP_RTMRS][PP_RTMR_BYTES], b[PP_RTMRS][PP_RTMR_BYTES];

    for (int turn = 0; turn < 2; turn++) {
        struct pp_wr wr = begin(&p);
        event(&wr, 3, 4, turn ? 0x01 : 0x02);
        event(&wr, 3, 4, turn ? 0x02 : 0x01);
        assert_ok(pp_eventlog_replay(pp_wr_done(&wr), turn ? a : b));
    }
    assert_memory_not_equal(a[2], b[2], PP_RTMR_BYTES);
    assert_memory_equal(a[0], b[0], PP_RTMR_BYTES);
}

static void a_refused_log_leaves_the_registers_alone(void **state)
{
    (void)state;
    struct plan p = good_plan();
    struct pp_wr wr = begin(&p);
    uint8_t rtmr[PP_RTMRS][PP_RTMR_BYTES], before[PP_RTMRS][PP_RTMR_BYTES];

    event(&wr, 1, 4, 0x11);
    memset(rtmr, 0xEE, sizeof rtmr);
    memcpy(before, rtmr, sizeof before);
    assert_code(pp_eventlog_replay(pp_span(log_bytes, wr.len - 1), rtmr), PP_E_TRUNCATED);
    assert_memory_equal(rtmr, before, sizeof rtmr);
}

/* EV_SEPARATOR of four zero bytes: the digest that every log of such firmware holds. */
static void an_event_covers_its_bytes_when_its_digest_is_theirs(void **state)
{
    (void)state;
    PP_HEX(digest, "394341b7182cd227c5c6b07ef8000cdfd86136c4292b8e576573ad7ed9ae41019f5818b4b971c9e"
                   "ffc60e1ad9f1289f0");
    struct pp_eventlog_event e = { .mr_index = 1,
                                   .type = 4,
                                   .digest = pp_span(digest, digest_len),
                                   .data = pp_span("\0\0\0\0", 4) };

    assert_int_equal(pp_eventlog_covers(&e), 1);
    e.data.len = 3;
    assert_int_equal(pp_eventlog_covers(&e), 0);
    e.data = pp_span("\0\0\0\x01", 4);
    assert_int_equal(pp_eventlog_covers(&e), 0);
    e.data = pp_span("\0\0\0\0", 4);
    digest[47] ^= 1;
    assert_int_equal(pp_eventlog_covers(&e), 0);
}

static void event_types_have_the_names_of_the_profile(void **state)
{
    (void)state;
    assert_string_equal(pp_eventlog_type_name(0), "EV_PREBOOT_CERT");
    assert_string_equal(pp_eventlog_type_name(PP_EV_NO_ACTION), "EV_NO_ACTION");
    assert_string_equal(pp_eventlog_type_name(0x800000E0), "EV_EFI_VARIABLE_AUTHORITY");
    assert_string_equal(pp_eventlog_type_name(0x12345678), "EV_UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_in_order_with_their_digests_and_bytes),
        cmocka_unit_test(a_log_without_events_replays_to_zeros),
        cmocka_unit_test(of_several_digests_the_sha384_one_counts),
        cmocka_unit_test(a_log_that_does_not_begin_as_one_is_refused),
        cmocka_unit_test(the_list_of_algorithms_is_held_to_what_is_known),
        cmocka_unit_test(a_log_without_sha384_is_refused),
        cmocka_unit_test(a_log_lists_eight_algorithms_at_most),
        cmocka_unit_test(an_event_has_listed_digests_each_once_and_sha384_among_them),
        cmocka_unit_test(registers_past_rtmr3_are_refused),
        cmocka_unit_test(every_truncation_of_a_log_is_refused_or_ends_between_events),
        cmocka_unit_test(an_event_longer_than_the_log_is_refused),
        cmocka_unit_test(a_log_ends_at_either_marker),
        cmocka_unit_test(nothing_but_filler_may_stand_behind_the_end),
        cmocka_unit_test(a_log_has_a_megabyte_at_most),
        cmocka_unit_test(a_log_has_so_many_events_at_most),
        cmocka_unit_test(replay_extends_what_the_events_name_and_nothing_else),
        cmocka_unit_test(the_order_of_events_changes_the_register),
        cmocka_unit_test(a_refused_log_leaves_the_registers_alone),
        cmocka_unit_test(an_event_covers_its_bytes_when_its_digest_is_theirs),
        cmocka_unit_test(event_types_have_the_names_of_the_profile),
    };

    assert_true(pp_is_ok(pp_crypto_init()));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
