/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "host.h"

static uint8_t passed[4096];
static size_t passed_len;

static void keep(void *ctx, struct pp_span line)
{
    (void)ctx;
    assert_true(passed_len + line.len <= sizeof passed);
    memcpy(passed + passed_len, line.at, line.len);
    passed_len += line.len;
}

static const struct pp_event_sink sink = { .write = keep };

static int feed(struct host_lines *l, const char *text)
{
    return host_lines_feed(l, pp_span_cstr(text));
}

static void assert_passed(const char *text)
{
    assert_true(pp_span_eq(pp_span(passed, passed_len), pp_span_cstr(text)));
    passed_len = 0;
}

static void lines_of_the_catalogue_pass_as_they_are(void **state)
{
    struct host_lines l = { .to = &sink };

    (void)state;
    assert_int_equal(feed(&l, "t=- level=info event=DAEMON_STARTED party=cvm\nt=- le"), 0);
    assert_passed("t=- level=info event=DAEMON_STARTED party=cvm\n");
    assert_int_equal(feed(&l, "vel=info event=DAEMON_READY party=cvm listeners=1\n"), 1);
    assert_passed("t=- level=info event=DAEMON_READY party=cvm listeners=1\n");
    assert_int_equal(l.refused, 0);
}

/* Scenario B: whatever a program inside writes, nothing but the catalogue leaves. */
static void everything_else_is_dropped_and_counted(void **state)
{
    static const char *const ROWS[] = {
        "hello\n",
        "\n",
        "t=- level=info event=DAEMON_STARTED party=cvm prompt=secret\n",
        "t=- level=info event=GW_OPEN_FAILED reason=replay total=1\n",
        "t=- level=info event=DAEMON_STARTED party=CVM\n",
        " t=- level=info event=DAEMON_STARTED party=cvm\n",
        "t=- level=info event=HOST_CVM_ENDED status=0\n", /* that is for its host to say */
    };
    struct host_lines l = { .to = &sink };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++)
        assert_int_equal(feed(&l, ROWS[i]), 0);
    assert_passed("");
    assert_int_equal(l.refused, PP_ARRAY_COUNT(ROWS));
}

static void a_line_without_end_is_dropped_and_the_next_one_passes(void **state)
{
    struct host_lines l = { .to = &sink };

    (void)state;
    for (int i = 0; i < 3 * PP_EVENT_LINE_MAX; i++)
        assert_int_equal(feed(&l, "x"), 0);
    assert_int_equal(l.refused, 0);
    assert_int_equal(feed(&l, "\nt=- level=info event=DAEMON_STARTED party=cvm\n"), 0);
    assert_passed("t=- level=info event=DAEMON_STARTED party=cvm\n");
    assert_int_equal(l.refused, 1);
}

static void readiness_is_the_guests_alone(void **state)
{
    struct host_lines l = { .to = &sink };

    (void)state;
    assert_int_equal(feed(&l, "t=- level=info event=DAEMON_READY party=gateway listeners=1\n"), 0);
    passed_len = 0;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(lines_of_the_catalogue_pass_as_they_are),
    cmocka_unit_test(everything_else_is_dropped_and_counted),
    cmocka_unit_test(a_line_without_end_is_dropped_and_the_next_one_passes),
    cmocka_unit_test(readiness_is_the_guests_alone),
};

PP_TEST_MAIN(tests)
