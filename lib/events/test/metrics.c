/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "metrics.h"

static struct pp_metrics metrics;
static size_t lines;

static void count_line(void *ctx, struct pp_span line)
{
    (void)ctx;
    (void)line;
    lines++;
}

static const char *text_of(void)
{
    static char text[PP_METRICS_BYTES_MAX + 1];
    struct pp_wr wr = pp_wr_over(text, PP_METRICS_BYTES_MAX);

    assert_ok(pp_metrics_write(&metrics, &wr));
    text[wr.len] = '\0';
    return text;
}

static struct pp_event_sink fresh(void)
{
    const struct pp_event_sink next = { .write = count_line };

    lines = 0;
    return pp_metrics_sink(&metrics, &next, PP_EVENT_GROUP_COMMON | PP_EVENT_GROUP_GATEWAY);
}

static void a_metric_is_the_last_line_of_its_event(void **state)
{
    struct pp_event_sink sink = fresh();

    (void)state;
    pp_ev_gw_totals(&sink, 1, 2, 3, 4, 5, 6, 7, 8);
    pp_ev_gw_totals(&sink, 11, 12, 13, 14, 15, 16, 17, 18);
    assert_int_equal(lines, 2);
    assert_non_null(strstr(text_of(), "\npp_gw_totals_sessions 11\n"));
    assert_non_null(strstr(text_of(), "\npp_gw_totals_malformed 18\n"));
    assert_non_null(strstr(text_of(), "\n# TYPE pp_gw_totals_sessions gauge\n"));
    assert_non_null(strstr(text_of(), "\npp_events_total{event=\"GW_TOTALS\",level=\"info\"} 2\n"));
}

static void what_was_not_logged_has_a_count_of_zero_and_no_value(void **state)
{
    (void)fresh();
    (void)state;
    assert_non_null(strstr(text_of(), "{event=\"GW_KEYS_FAILED\",level=\"error\"} 0\n"));
    assert_null(strstr(text_of(), "pp_gw_totals_sessions"));
}

/* Words and digests tell more than a number does, and belong to the log. */
static void words_and_digests_are_no_metrics(void **state)
{
    struct pp_event_sink sink = fresh();
    const uint8_t digest[32] = { 0xab, 0xcd };

    (void)state;
    pp_ev_gw_keys(&sink, 2, pp_event_digest_of(digest));
    pp_ev_gw_keys_failed(&sink, PP_E_CONFIG);
    assert_non_null(strstr(text_of(), "\npp_gw_keys_keys 2\n"));
    assert_null(strstr(text_of(), "abcd"));
    assert_null(strstr(text_of(), "CONFIG"));
}

static void another_programs_events_are_passed_on_and_not_counted(void **state)
{
    struct pp_event_sink sink = fresh();

    (void)state;
    pp_ev_cvm_sessions(&sink, 1, 2, 3, 4);
    sink.write(sink.ctx, PP_STR("no event at all\n"));
    assert_int_equal(lines, 2);
    assert_null(strstr(text_of(), "CVM_SESSIONS"));
}

static void text_without_room_is_refused(void **state)
{
    static uint8_t small[64];
    struct pp_wr wr = pp_wr_over(small, sizeof small);

    (void)state;
    (void)fresh();
    assert_code(pp_metrics_write(&metrics, &wr), PP_E_NO_SPACE);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_metric_is_the_last_line_of_its_event),
    cmocka_unit_test(what_was_not_logged_has_a_count_of_zero_and_no_value),
    cmocka_unit_test(words_and_digests_are_no_metrics),
    cmocka_unit_test(another_programs_events_are_passed_on_and_not_counted),
    cmocka_unit_test(text_without_room_is_refused),
};

PP_TEST_MAIN(TESTS)
