/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "answer.h"
#include "message.h"
#include "sizes.h"

static _Alignas(16) uint8_t memory[1 << 20];
static uint8_t out[PP_ANSWER_BYTES_MAX];
static const uint32_t CITED[] = { 1, 4, 70000 };

static struct pp_item items[PP_ANSWER_ITEM_MAX + 1];

static struct pp_answer sample(size_t count, struct pp_span text)
{
    struct pp_answer a = { .outcome = PP_OUTCOME_OK, .items = items, .item_count = count };

    for (size_t i = 0; i < count; i++)
        items[i] = (struct pp_item){ .kind = (enum pp_item_kind)(i % PP_ITEM_KIND_COUNT),
                                     .text = text,
                                     .cited = CITED,
                                     .cited_count = PP_ARRAY_COUNT(CITED) };
    a.engine.kind = PP_STR("embedded");
    a.engine.name = PP_STR("pp-digest 1");
    return a;
}

/* Writes into `room` and reads back; gives the number of items that went in. */
static size_t round_trip(const struct pp_answer *a, size_t room, struct pp_answer *back)
{
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_span cbor;
    size_t kept = 99;

    assert_ok(pp_answer_write_padded(&wr, a, room, &kept));
    assert_int_equal(wr.len, room);
    assert_ok(pp_padded_parse(pp_wr_done(&wr), &cbor));
    assert_ok(pp_answer_parse(cbor, PP_FEATURE_SUMMARIZE, &arena, back));
    assert_int_equal(back->item_count, kept);
    return kept;
}

static void an_answer_reads_back(void **state)
{
    struct pp_answer a = sample(5, PP_STR("They meet on Friday.")), back;

    (void)state;
    assert_int_equal(round_trip(&a, pp_answer_room(4), &back), 5);
    assert_int_equal(back.outcome, PP_OUTCOME_OK);
    assert_int_equal(back.items[3].kind, PP_ITEM_DATE);
    assert_memory_equal(back.items[4].cited, CITED, sizeof CITED);
    assert_true(pp_span_eq(back.engine.name, a.engine.name));
}

/* pp-wire 12: last items dropped whole until it fits; none fits: outcome 2. */
static void an_answer_too_long_for_its_bucket_loses_its_last_items(void **state)
{
    static uint8_t text[400];
    struct pp_answer back;

    (void)state;
    memset(text, 'x', sizeof text);
    struct pp_answer a = sample(10, PP_BYTES(text));
    assert_int_equal(round_trip(&a, pp_answer_room(1), &back), 1);
    assert_int_equal(round_trip(&a, pp_answer_room(2), &back), 4);
    assert_int_equal(round_trip(&a, pp_answer_room(8), &back), 10);
}

static void an_answer_of_which_nothing_fits_is_a_failed_one(void **state)
{
    static uint8_t text[PP_ANSWER_TEXT_BYTES_MAX];
    struct pp_answer back;

    (void)state;
    memset(text, 'x', sizeof text);
    struct pp_answer a = sample(2, PP_BYTES(text));
    assert_int_equal(round_trip(&a, pp_answer_room(1), &back), 0);
    assert_int_equal(back.outcome, PP_OUTCOME_FAILED);
    assert_true(pp_span_eq(back.engine.kind, a.engine.kind));
}

static void even_the_longest_answer_without_items_fits_the_smallest_bucket(void **state)
{
    static uint8_t name[PP_ENGINE_NAME_BYTES_MAX];
    struct pp_answer a = sample(0, PP_STR("x")), back;

    (void)state;
    memset(name, 'n', sizeof name);
    a.outcome = PP_OUTCOME_REFUSED;
    a.engine.kind = pp_span(name, PP_ENGINE_KIND_BYTES_MAX);
    a.engine.name = PP_BYTES(name);
    a.engine.model_digest = pp_span(name, PP_MODEL_DIGEST_BYTES);
    a.used.count = PP_BACKEND_MAX;
    for (size_t i = 0; i < PP_BACKEND_MAX; i++)
        a.used.items[i].role = pp_span(name, PP_BACKEND_ROLE_BYTES_MAX);
    assert_int_equal(round_trip(&a, pp_answer_room(1), &back), 0);
    assert_int_equal(back.outcome, PP_OUTCOME_REFUSED);
    assert_int_equal(back.used.count, PP_BACKEND_MAX);
}

/* W16_T3: answer, refusal and failure have one size. */
static void w16_t3_every_outcome_has_the_buckets_size(void **state)
{
    struct pp_answer back;

    (void)state;
    for (size_t kib = 1; kib <= 16; kib *= 2)
        for (unsigned o = PP_OUTCOME_OK; o <= PP_OUTCOME_FAILED; o++) {
            struct pp_answer a = sample(o == PP_OUTCOME_OK ? 3 : 0, PP_STR("text"));
            a.outcome = (enum pp_outcome)o;
            (void)round_trip(&a, pp_answer_room(kib), &back); /* asserts the length */
            assert_int_equal(back.outcome, o);
        }
}

static void limits_of_an_answer_hold_when_writing(void **state)
{
    static uint8_t text[PP_ANSWER_TEXT_BYTES_MAX + 1];
    static uint32_t many[PP_ANSWER_CITED_MAX + 1];
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    size_t kept;

    (void)state;
    memset(text, 'x', sizeof text);
    for (uint32_t i = 0; i < PP_ARRAY_COUNT(many); i++)
        many[i] = i;
    struct pp_answer a = sample(PP_ANSWER_ITEM_MAX + 1, PP_STR("x"));
    assert_code(pp_answer_write_padded(&wr, &a, 4096, &kept), PP_E_RANGE);
    a = sample(1, PP_BYTES(text));
    assert_code(pp_answer_write_padded(&wr, &a, 8192, &kept), PP_E_RANGE);
    a = sample(1, PP_STR("x"));
    items[0].cited = many;
    items[0].cited_count = PP_ANSWER_CITED_MAX;
    assert_ok(pp_answer_write_padded(&wr, &a, 1024, &kept));
    items[0].cited_count++;
    assert_code(pp_answer_write_padded(&wr, &a, 1024, &kept), PP_E_RANGE);
    items[0].cited_count = 2;
    many[1] = 0;
    assert_code(pp_answer_write_padded(&wr, &a, 1024, &kept), PP_E_ORDER);
    a = sample(0, PP_STR("x"));
    assert_code(pp_answer_write_padded(&wr, &a, 1024, &kept), PP_E_RANGE);
    a = sample(1, PP_STR("x"));
    a.outcome = PP_OUTCOME_FAILED;
    assert_code(pp_answer_write_padded(&wr, &a, 1024, &kept), PP_E_FORMAT);
    a = sample(1, PP_STR("x"));
    wr = pp_wr_over(out, 100);
    assert_code(pp_answer_write_padded(&wr, &a, 101, &kept), PP_E_NO_SPACE);
}

static void text_that_was_not_cleaned_is_not_written(void **state)
{
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_answer a = sample(1, PP_STR("a\xe2\x80\xae"
                                          "b"));
    size_t kept;

    (void)state;
    assert_code(pp_answer_write_padded(&wr, &a, 1024, &kept), PP_E_FORMAT);
    a = sample(1, PP_STR("a\xff"));
    assert_code(pp_answer_write_padded(&wr, &a, 1024, &kept), PP_E_UTF8);
}

static void cleaning_removes_controls_and_drops_what_becomes_empty(void **state)
{
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);
    struct pp_answer a = sample(3, PP_STR("x"));

    (void)state;
    items[0].text = PP_STR("a\x1b[31mb\nc\xe2\x80\xaeגd\xff");
    items[1].text = PP_STR("\x07\x08");
    assert_ok(pp_answer_clean(&a, &arena));
    assert_int_equal(a.item_count, 2);
    assert_true(pp_span_eq(a.items[0].text, PP_STR("a[31mb cגd\xef\xbf\xbd")));
    assert_true(pp_span_eq(a.items[1].text, PP_STR("x")));

    a = sample(1, PP_STR("\x01"));
    assert_ok(pp_answer_clean(&a, &arena));
    assert_int_equal(a.outcome, PP_OUTCOME_FAILED);
    a = sample(1, PP_STR("x"));
    struct pp_arena spent = pp_arena_over(memory, 0);
    assert_code(pp_answer_clean(&a, &spent), PP_E_NO_MEMORY);
}

static void every_forbidden_character_is_found_and_removed(void **state)
{
    static const struct {
        uint32_t from, to;
    } GONE[] = { { 0x01, 0x1f },     { 0x7f, 0x9f },     { 0x61c, 0x61c },
                 { 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 } };
    uint8_t text[4], cleaned[8];

    (void)state;
    for (uint32_t c = 1; c < 0x3000; c++) {
        int gone = 0;
        size_t n = 0;
        for (size_t i = 0; i < PP_ARRAY_COUNT(GONE); i++)
            gone |= c >= GONE[i].from && c <= GONE[i].to;
        if (c < 0x80) {
            text[n++] = (uint8_t)c;
        } else if (c < 0x800) {
            text[n++] = (uint8_t)(0xc0 | c >> 6);
            text[n++] = (uint8_t)(0x80 | (c & 0x3f));
        } else {
            text[n++] = (uint8_t)(0xe0 | c >> 12);
            text[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
            text[n++] = (uint8_t)(0x80 | (c & 0x3f));
        }
        assert_code(pp_clean_check(pp_span(text, n), PP_CLEAN_ONE_LINE),
                    gone ? PP_E_FORMAT : PP_E_OK);
        assert_code(pp_clean_check(pp_span(text, n), PP_CLEAN_LINES),
                    gone && c != '\n' ? PP_E_FORMAT : PP_E_OK);
        struct pp_wr wr = pp_wr_over(cleaned, sizeof cleaned);
        pp_clean_write(&wr, pp_span(text, n), PP_CLEAN_ONE_LINE);
        assert_ok(pp_clean_check(pp_wr_done(&wr), PP_CLEAN_ONE_LINE));
        if (!gone)
            assert_true(pp_span_eq(pp_wr_done(&wr), pp_span(text, n)));
    }
}

static void every_truncation_of_an_answer_is_refused(void **state)
{
    struct pp_answer a = sample(2, PP_STR("text")), back;
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_span cbor;
    size_t kept;

    (void)state;
    assert_ok(pp_answer_write_padded(&wr, &a, 1024, &kept));
    assert_ok(pp_padded_parse(pp_wr_done(&wr), &cbor));
    for (size_t n = 0; n < cbor.len; n++) {
        struct pp_arena arena = pp_arena_over(memory, sizeof memory);
        assert_false(
            pp_is_ok(pp_answer_parse(pp_span(cbor.at, n), PP_FEATURE_SUMMARIZE, &arena, &back)));
    }
    struct pp_arena arena = pp_arena_over(memory, 16);
    assert_code(pp_answer_parse(cbor, PP_FEATURE_SUMMARIZE, &arena, &back), PP_E_NO_MEMORY);
    arena = pp_arena_over(memory, sizeof memory);
    assert_code(pp_answer_parse(cbor, PP_FEATURE_UNKNOWN, &arena, &back), PP_E_UNSUPPORTED);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_answer_reads_back),
    cmocka_unit_test(an_answer_too_long_for_its_bucket_loses_its_last_items),
    cmocka_unit_test(an_answer_of_which_nothing_fits_is_a_failed_one),
    cmocka_unit_test(even_the_longest_answer_without_items_fits_the_smallest_bucket),
    cmocka_unit_test(w16_t3_every_outcome_has_the_buckets_size),
    cmocka_unit_test(limits_of_an_answer_hold_when_writing),
    cmocka_unit_test(text_that_was_not_cleaned_is_not_written),
    cmocka_unit_test(cleaning_removes_controls_and_drops_what_becomes_empty),
    cmocka_unit_test(every_forbidden_character_is_found_and_removed),
    cmocka_unit_test(every_truncation_of_an_answer_is_refused),
};

PP_TEST_MAIN(tests)
