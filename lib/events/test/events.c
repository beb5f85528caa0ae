/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "events_int.h"

struct lines {
    char text[4096];
    size_t len;
};

static void keep(void *ctx, struct pp_span line)
{
    struct lines *l = (struct lines *)ctx;

    assert_true(l->len + line.len < sizeof l->text);
    memcpy(l->text + l->len, line.at, line.len);
    l->len += line.len;
    l->text[l->len] = '\0';
}

static uint64_t fixed_ms(void *ctx)
{
    return *(uint64_t *)ctx;
}

static pp_res parse(const char *line, struct pp_event *ret)
{
    return pp_event_parse(pp_span_cstr(line), PP_EVENT_GROUP_ALL, ret);
}

/* docs/style.md; W6.T2: minutes, and nothing finer. */
static void an_event_is_one_line_of_names_and_numbers(void **state)
{
    (void)state;
    struct lines l = { 0 };
    uint64_t now = UINT64_C(1769851859) * 1000 + 999; /* 2026-01-31T09:30:59.999Z */
    struct pp_event_sink sink = { keep, &l, { .posix_ms = fixed_ms, .ctx = &now } };

    pp_ev_daemon_started(&sink, PP_PARTY_RELAY);
    pp_ev_daemon_stopped(&sink, PP_PARTY_GATEWAY, PP_E_PORT_TAKEN);
    sink.clock = (struct pp_clock){ 0 };
    pp_ev_http_totals(&sink, PP_PARTY_TEST, UINT64_MAX, 0, 1, 2, 3);
    assert_string_equal(l.text, "t=2026-01-31T09:30Z level=info event=DAEMON_STARTED party=relay\n"
                                "t=2026-01-31T09:30Z level=info event=DAEMON_STOPPED party=gateway "
                                "code=PORT_TAKEN\n"
                                "t=- level=info event=HTTP_TOTALS party=test answered=999999999999 "
                                "refused=0 busy=1 late=2 gone=3\n");
}

static void without_a_sink_nothing_happens(void **state)
{
    (void)state;
    struct pp_event_sink none = { 0 };

    pp_ev_daemon_started(NULL, PP_PARTY_RELAY);
    pp_ev_daemon_started(&none, PP_PARTY_RELAY);
}

static void times_follow_the_calendar_to_the_last_year(void **state)
{
    (void)state;
    static const struct {
        uint64_t posix_s;
        const char *text;
    } rows[] = {
        { 60, "1970-01-01T00:01Z" },
        { 951782399, "2000-02-28T23:59Z" },
        { 951782400, "2000-02-29T00:00Z" },
        { 951868800, "2000-03-01T00:00Z" },
        { 1709251199, "2024-02-29T23:59Z" },
        { 1735689599, "2024-12-31T23:59Z" },
        { 1735689600, "2025-01-01T00:00Z" },
        { 4107542400, "2100-03-01T00:00Z" }, /* 2100 is no leap year */
        { 32503679999, "2999-12-31T23:59Z" },
        { UINT64_MAX / 1000, "2999-12-31T23:59Z" },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct lines l = { 0 };
        uint64_t now = rows[i].posix_s * 1000;
        struct pp_event_sink sink = { keep, &l, { .posix_ms = fixed_ms, .ctx = &now } };
        struct pp_event ev;

        pp_ev_daemon_started(&sink, PP_PARTY_LOG);
        assert_memory_equal(l.text + 2, rows[i].text, strlen(rows[i].text));
        assert_ok(parse(l.text, &ev));
        if (rows[i].posix_s < 32503679999)
            assert_int_equal(ev.minute, rows[i].posix_s / 60);
    }
}

/* The largest values of every field of every event, so that emitting can assert. */
static void the_longest_line_of_every_event_fits_and_is_read_back(void **state)
{
    (void)state;
    for (uint32_t id = 0; id < PP_EVENT_ROW_COUNT; id++) {
        const struct pp_event_row *row = &PP_EVENT_ROWS[id];
        struct lines l = { 0 };
        struct pp_event_sink sink = { keep, &l, pp_clock_system() };
        uint64_t values[PP_EVENT_FIELDS_MAX] = { 0 };
        struct pp_event ev;

        for (size_t i = 0; i < row->field_count; i++) {
            const struct pp_event_words *w = row->fields[i].words;
            values[i] = UINT64_MAX;
            if (row->fields[i].kind == PP_EVENT_ENUM)
                values[i] = w->words == NULL ? PP_E_EVIDENCE_TEE_UNKNOWN : w->count - 1;
        }
        pp_event_emit_(&sink, id, values);
        assert_true(l.len < 400);
        assert_ok(parse(l.text, &ev));
        assert_int_equal(ev.id, id);
        assert_code(pp_event_parse(pp_span_cstr(l.text), PP_EVENT_GROUP_ALL & ~row->group, &ev),
                    PP_E_UNKNOWN_FIELD);
        for (size_t n = 0; n < l.len; n++)
            assert_int_not_equal(pp_event_parse(pp_span(l.text, n), PP_EVENT_GROUP_ALL, &ev).code,
                                 PP_E_OK);
    }
}

/* The filter searches result codes by number; every one must be below its end. */
static void every_result_code_is_a_word_of_the_filter(void **state)
{
    (void)state;
#define CASE(name, number, cls, text, todo)                                                        \
    {                                                                                              \
        struct pp_event ev;                                                                        \
        assert_ok(parse("t=- level=info event=DAEMON_STOPPED party=log code=" #name "\n", &ev));   \
        assert_int_equal(ev.values[1], number);                                                    \
    }
    PP_CODES(CASE)
#undef CASE
}

/* W6.T1: a record with an unlisted field, value, order or form is refused. */
static void w6_t1_a_line_outside_the_grammar_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "\n",
        "t=- level=info event=DAEMON_READY party=test listeners=2",
        "t=- level=info event=DAEMON_READY party=test listeners=2\n\n",
        "t=- level=info event=DAEMON_READY party=test listeners=2 \n",
        "t=- level=info event=DAEMON_READY party=test listeners=2\r\n",
        " t=- level=info event=DAEMON_READY party=test listeners=2\n",
        "t=-  level=info event=DAEMON_READY party=test listeners=2\n",
        "t=-\tlevel=info event=DAEMON_READY party=test listeners=2\n",
        "t=- level=warn event=DAEMON_READY party=test listeners=2\n",
        "t=- level=INFO event=DAEMON_READY party=test listeners=2\n",
        "t=- event=DAEMON_READY level=info party=test listeners=2\n",
        "level=info event=DAEMON_READY party=test listeners=2\n",
        "t=- level=info event=daemon_ready party=test listeners=2\n",
        "t=- level=info event=PROMPT party=test listeners=2\n",
        "t=- level=info event=DAEMON_READY listeners=2 party=test\n",
        "t=- level=info event=DAEMON_READY party=test\n",
        "t=- level=info event=DAEMON_READY party=test listeners=2 user=4711\n",
        "t=- level=info event=DAEMON_READY party=test listeners=2 listeners=2\n",
        "t=- level=info event=DAEMON_READY party=mallory listeners=2\n",
        "t=- level=info event=DAEMON_READY party=0 listeners=2\n",
        "t=- level=info event=DAEMON_READY party=test listeners=\n",
        "t=- level=info event=DAEMON_READY party=test listeners=02\n",
        "t=- level=info event=DAEMON_READY party=test listeners=+2\n",
        "t=- level=info event=DAEMON_READY party=test listeners=-2\n",
        "t=- level=info event=DAEMON_READY party=test listeners=0x2\n",
        "t=- level=info event=DAEMON_READY party=test listeners=2.0\n",
        "t=- level=info event=DAEMON_READY party=test listeners=hello\n",
        "t=- level=info event=DAEMON_READY party=test listeners=1000000000000\n",
        "t=- level=info event=DAEMON_READY party=test listeners=18446744073709551616\n",
        "t=- level=info event=DAEMON_STOPPED party=log code=UNKNOWN\n",
        "t=- level=info event=DAEMON_STOPPED party=log code=45\n",
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_event ev = { .id = 77 };
        if (pp_is_ok(parse(rows[i], &ev)))
            fail_msg("accepted: %s", rows[i]);
        assert_int_equal(ev.id, 77); /* written only on success */
    }
}

static void w6_t2_a_time_finer_than_a_minute_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = { "2026-01-31T09:30:00Z",
                                        "2026-01-31T09:30:17Z",
                                        "2026-01-31T09:30.5Z",
                                        "2026-01-31T09:30",
                                        "2026-01-31T09:30+00",
                                        "2026-01-31 09:30Z",
                                        "2026-1-31T09:30Z",
                                        "2026-02-29T09:30Z",
                                        "2026-13-01T09:30Z",
                                        "2026-00-01T09:30Z",
                                        "2026-01-00T09:30Z",
                                        "2026-01-32T09:30Z",
                                        "2026-01-31T24:00Z",
                                        "2026-01-31T23:60Z",
                                        "1969-12-31T23:59Z",
                                        "3000-01-01T00:00Z",
                                        "1970-01-01T00:00Z",
                                        "1769851859",
                                        "29497530",
                                        "",
                                        "--",
                                        "2026-01-31T09:30Zhello" };
    struct pp_event ev;
    char line[128];

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        snprintf(line, sizeof line, "t=%s level=info event=DAEMON_STARTED party=log\n", rows[i]);
        if (pp_is_ok(parse(line, &ev)))
            fail_msg("accepted: %s", line);
    }
    assert_ok(parse("t=2026-01-31T09:30Z level=info event=DAEMON_STARTED party=log\n", &ev));
}

static void a_line_at_the_limit_is_looked_at_and_one_past_it_is_not(void **state)
{
    (void)state;
    char line[PP_EVENT_LINE_MAX + 2];
    struct pp_event ev;

    memset(line, 'x', sizeof line);
    line[PP_EVENT_LINE_MAX - 1] = line[PP_EVENT_LINE_MAX] = '\n';
    assert_code(pp_event_parse(pp_span(line, PP_EVENT_LINE_MAX), PP_EVENT_GROUP_ALL, &ev),
                PP_E_FORMAT);
    assert_code(pp_event_parse(pp_span(line, PP_EVENT_LINE_MAX + 1), PP_EVENT_GROUP_ALL, &ev),
                PP_E_LIMIT);
}

static void writing_an_event_that_is_not_in_the_catalogue_is_refused(void **state)
{
    (void)state;
    uint8_t buf[PP_EVENT_LINE_MAX];
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);
    struct pp_event unknown = { .id = (uint32_t)PP_EVENT_ROW_COUNT };
    struct pp_event no_word = { .id = PP_EV_DAEMON_STARTED, .values = { PP_PARTY_TEST + 1 } };
    struct pp_event late = { .id = PP_EV_DAEMON_STARTED, .minute = UINT32_MAX };

    assert_code(pp_event_write(&unknown, &wr), PP_E_STATE);
    assert_code(pp_event_write(&no_word, &wr), PP_E_STATE);
    assert_code(pp_event_write(&late, &wr), PP_E_STATE);
}

static void digests_are_the_first_eight_bytes(void **state)
{
    (void)state;
    uint8_t sha256[32];

    for (size_t i = 0; i < sizeof sha256; i++)
        sha256[i] = (uint8_t)i;
    assert_true(pp_event_digest_value_(pp_event_digest_of(sha256)) == UINT64_C(0x0001020304050607));
}

/* Somebody who stops reading our log must not stop us; he misses whole lines, never halves. */
static void a_full_pipe_loses_whole_lines_and_never_blocks(void **state)
{
    (void)state;
    int ends[2];
    char bytes[8192];
    size_t lines = 0;
    size_t last = 0;

    assert_int_equal(pipe(ends), 0);
    assert_true(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
    struct pp_event_sink sink = pp_event_sink_fd(ends[1], pp_clock_system());
    for (int i = 0; i < 1000; i++)
        pp_ev_daemon_started(&sink, PP_PARTY_HOST);
    close(ends[1]);
    for (ssize_t n; (n = read(ends[0], bytes, sizeof bytes)) > 0;)
        for (ssize_t i = 0; i < n; i++) {
            lines += bytes[i] == '\n';
            last = (uint8_t)bytes[i];
        }
    close(ends[0]);
    assert_true(lines > 0 && lines < 1000);
    assert_int_equal(last, '\n');
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(an_event_is_one_line_of_names_and_numbers),
    cmocka_unit_test(without_a_sink_nothing_happens),
    cmocka_unit_test(times_follow_the_calendar_to_the_last_year),
    cmocka_unit_test(the_longest_line_of_every_event_fits_and_is_read_back),
    cmocka_unit_test(every_result_code_is_a_word_of_the_filter),
    cmocka_unit_test(w6_t1_a_line_outside_the_grammar_is_refused),
    cmocka_unit_test(w6_t2_a_time_finer_than_a_minute_is_refused),
    cmocka_unit_test(a_line_at_the_limit_is_looked_at_and_one_past_it_is_not),
    cmocka_unit_test(writing_an_event_that_is_not_in_the_catalogue_is_refused),
    cmocka_unit_test(digests_are_the_first_eight_bytes),
    cmocka_unit_test(a_full_pipe_loses_whole_lines_and_never_blocks),
};

PP_TEST_MAIN(TESTS)
