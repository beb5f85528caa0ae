/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include <poll.h>
#include <unistd.h>

#include "events_int.h"
#include "rd.h"
#include "text.h"

static const char *const LEVEL_WORDS[PP_EVENT_LEVELS] = { "info", "warn", "error" };

/* The largest is also what a longer period is written as. */
static const uint64_t MS_BUCKETS[] = { 0,    10,   25,   50,    100,   250,   500,
                                       1000, 2500, 5000, 10000, 30000, 60000, 3600000 };

enum {
    BYTES_BUCKET_BITS_MAX = 32,
    CODES_END = 1024, /* above every number of codes.h, which a test checks */
    YEAR_END = 3000,  /* no line is of this year or later */
};

/* --- the calendar --------------------------------------------------------------------------- */

/* Days since 1970-01-01 of a date of the Gregorian calendar, from 1970 on. */
static uint32_t days_of(uint32_t year, uint32_t month, uint32_t day)
{
    static const uint16_t BEFORE[12] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    uint32_t past = year - 1;
    uint32_t leaps = past / 4 - past / 100 + past / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return (year - 1970) * 365 + leaps + BEFORE[month - 1] + (month > 2 && leap) + day - 1;
}

static uint32_t minute_end(void)
{
    return days_of(YEAR_END, 1, 1) * 1440;
}

static void wr_two(struct pp_wr *wr, uint32_t v)
{
    pp_wr_u8(wr, (uint8_t)('0' + v / 10 % 10));
    pp_wr_u8(wr, (uint8_t)('0' + v % 10));
}

static void wr_minute(struct pp_wr *wr, uint32_t minute)
{
    uint32_t days = minute / 1440;
    uint32_t year = 1970 + days / 366;
    uint32_t month = 12;

    if (minute == 0) {
        pp_wr_text(wr, "-");
        return;
    }
    while (days_of(year + 1, 1, 1) <= days)
        year++;
    while (days_of(year, month, 1) > days)
        month--;
    wr_two(wr, year / 100);
    wr_two(wr, year % 100);
    pp_wr_u8(wr, '-');
    wr_two(wr, month);
    pp_wr_u8(wr, '-');
    wr_two(wr, days - days_of(year, month, 1) + 1);
    pp_wr_u8(wr, 'T');
    wr_two(wr, minute / 60 % 24);
    pp_wr_u8(wr, ':');
    wr_two(wr, minute % 60);
    pp_wr_u8(wr, 'Z');
}

static uint32_t rd_two(struct pp_rd *rd)
{
    uint8_t a = pp_rd_u8(rd);
    uint8_t b = pp_rd_u8(rd);

    if (a < '0' || a > '9' || b < '0' || b > '9')
        pp_rd_fail(rd, PP_E_FORMAT);
    return (uint32_t)(a - '0') * 10 + (uint32_t)(b - '0');
}

static void rd_word(struct pp_rd *rd, const char *word)
{
    struct pp_span want = pp_span_cstr(word);

    if (!pp_span_eq(pp_rd_bytes(rd, want.len), want))
        pp_rd_fail(rd, PP_E_FORMAT);
}

/* Ranges only: the exact day is settled by writing the event again and comparing. */
static pp_res parse_minute(struct pp_span text, uint32_t *ret)
{
    struct pp_rd rd = pp_rd_span(text);

    if (pp_span_eq(text, PP_STR("-"))) {
        *ret = 0;
        return PP_OK;
    }
    uint32_t year = rd_two(&rd) * 100;
    year += rd_two(&rd);
    rd_word(&rd, "-");
    uint32_t month = rd_two(&rd);
    rd_word(&rd, "-");
    uint32_t day = rd_two(&rd);
    rd_word(&rd, "T");
    uint32_t hour = rd_two(&rd);
    rd_word(&rd, ":");
    uint32_t minute = rd_two(&rd);
    rd_word(&rd, "Z");
    PP_TRY(pp_rd_end(&rd));
    PP_CHECK(year >= 1970 && year < YEAR_END && month >= 1 && month <= 12, PP_E_RANGE, year);
    PP_CHECK(day >= 1 && day <= 31 && hour < 24 && minute < 60, PP_E_RANGE, day);
    *ret = (days_of(year, month, day) * 24 + hour) * 60 + minute;
    return PP_OK;
}

/* --- fields --------------------------------------------------------------------------------- */

static int word_exists(const struct pp_event_words *w, uint64_t value)
{
    if (w->words != NULL)
        return value < w->count;
    return value < CODES_END && strcmp(pp_code_name((uint32_t)value), "UNKNOWN") != 0;
}

static const char *word_of(const struct pp_event_words *w, uint64_t value)
{
    return w->words != NULL ? w->words[value] : pp_code_name((uint32_t)value);
}

static uint64_t bytes_bucket(uint64_t v)
{
    uint64_t bucket = v == 0 ? 0 : 1;

    while (bucket < v && bucket < UINT64_C(1) << BYTES_BUCKET_BITS_MAX)
        bucket <<= 1;
    return bucket;
}

static uint64_t ms_bucket(uint64_t v)
{
    size_t i = 0;

    while (i + 1 < PP_ARRAY_COUNT(MS_BUCKETS) && MS_BUCKETS[i] < v)
        i++;
    return MS_BUCKETS[i];
}

static uint64_t at_most(uint64_t v, uint64_t max)
{
    return v < max ? v : max;
}

/* What a line may carry of `v`. A value that this leaves alone is one that a line may carry. */
static uint64_t rounded(const struct pp_event_field *f, uint64_t v)
{
    switch (f->kind) {
    case PP_EVENT_ENUM:
        PP_ASSERT(word_exists(f->words, v));
        return v;
    case PP_EVENT_COUNT:
        return at_most(v, PP_EVENT_COUNT_MAX);
    case PP_EVENT_BYTES_BUCKET:
        return bytes_bucket(v);
    case PP_EVENT_MS_BUCKET:
        return ms_bucket(v);
    case PP_EVENT_SECONDS:
        return at_most(v, PP_EVENT_SECONDS_MAX);
    case PP_EVENT_DIGEST:
        return v;
    }
    PP_ASSERT(0); /* every kind is above */
    return 0;
}

static void wr_value(struct pp_wr *wr, const struct pp_event_field *f, uint64_t v)
{
    uint8_t digest[PP_EVENT_DIGEST_BYTES];
    struct pp_wr bytes = pp_wr_over(digest, sizeof digest);

    switch (f->kind) {
    case PP_EVENT_ENUM:
        pp_wr_text(wr, word_of(f->words, v));
        return;
    case PP_EVENT_DIGEST:
        pp_wr_u64(&bytes, v);
        pp_wr_hex(wr, pp_wr_done(&bytes));
        return;
    case PP_EVENT_COUNT:
    case PP_EVENT_BYTES_BUCKET:
    case PP_EVENT_MS_BUCKET:
    case PP_EVENT_SECONDS:
        pp_wr_decimal(wr, v);
        return;
    }
}

static pp_res parse_value(const struct pp_event_field *f, struct pp_span text, uint64_t *ret)
{
    uint8_t digest[PP_EVENT_DIGEST_BYTES];

    if (f->kind == PP_EVENT_ENUM) {
        uint64_t end = f->words->words != NULL ? f->words->count : CODES_END;
        for (uint64_t v = 0; v < end; v++) {
            if (word_exists(f->words, v) && pp_span_eq(pp_span_cstr(word_of(f->words, v)), text)) {
                *ret = v;
                return PP_OK;
            }
        }
        return PP_FAIL(PP_E_RANGE, 0);
    }
    if (f->kind == PP_EVENT_DIGEST) {
        PP_TRY(pp_hex_parse(text, digest, sizeof digest));
        struct pp_rd rd = pp_rd_over(digest, sizeof digest);
        *ret = pp_rd_u64(&rd);
        return pp_rd_end(&rd);
    }
    uint64_t v;
    PP_TRY(pp_decimal_parse(text, UINT64_MAX, &v));
    PP_CHECK(rounded(f, v) == v, PP_E_RANGE, 0);
    *ret = v;
    return PP_OK;
}

/* --- lines ---------------------------------------------------------------------------------- */

pp_res pp_event_write(const struct pp_event *ev, struct pp_wr *wr)
{
    PP_CHECK(ev->id < PP_EVENT_ROW_COUNT, PP_E_STATE, ev->id);
    PP_CHECK(ev->minute < minute_end(), PP_E_STATE, ev->minute);
    const struct pp_event_row *row = &PP_EVENT_ROWS[ev->id];

    pp_wr_text(wr, "t=");
    wr_minute(wr, ev->minute);
    pp_wr_text(wr, " level=");
    pp_wr_text(wr, LEVEL_WORDS[row->level]);
    pp_wr_text(wr, " event=");
    pp_wr_text(wr, row->name);
    for (size_t i = 0; i < row->field_count; i++) {
        const struct pp_event_field *f = &row->fields[i];
        PP_CHECK(f->kind != PP_EVENT_ENUM || word_exists(f->words, ev->values[i]), PP_E_STATE, i);
        pp_wr_text(wr, " ");
        pp_wr_text(wr, f->name);
        pp_wr_text(wr, "=");
        wr_value(wr, f, ev->values[i]);
    }
    pp_wr_text(wr, "\n");
    return pp_wr_ok(wr);
}

/* The value of `name=value`, up to the next space or the end of the line. */
static pp_res take_pair(struct pp_span *line, const char *name, struct pp_span *ret_value)
{
    struct pp_span pair;
    struct pp_span got;

    pp_text_cut(line, ' ', &pair);
    PP_CHECK(pp_text_cut(&pair, '=', &got), PP_E_FORMAT, 0);
    PP_CHECK(pp_span_eq(got, pp_span_cstr(name)), PP_E_FORMAT, 0);
    *ret_value = pair;
    return PP_OK;
}

static const struct pp_event_row *find_row(struct pp_span name, uint32_t groups)
{
    for (size_t i = 0; i < PP_EVENT_ROW_COUNT; i++)
        if ((PP_EVENT_ROWS[i].group & groups) != 0 &&
            pp_span_eq(pp_span_cstr(PP_EVENT_ROWS[i].name), name))
            return &PP_EVENT_ROWS[i];
    return NULL;
}

pp_res pp_event_parse(struct pp_span line, uint32_t groups, struct pp_event *ret)
{
    struct pp_event ev = { 0 };
    struct pp_span left;
    struct pp_span value;
    uint8_t again[PP_EVENT_LINE_MAX];

    PP_CHECK(line.len <= PP_EVENT_LINE_MAX, PP_E_LIMIT, line.len);
    PP_CHECK(line.len > 0 && line.at[line.len - 1] == '\n', PP_E_FORMAT, line.len);
    left = pp_span(line.at, line.len - 1);
    PP_TRY(take_pair(&left, "t", &value));
    PP_TRY(parse_minute(value, &ev.minute));
    PP_TRY(take_pair(&left, "level", &value));
    PP_TRY(take_pair(&left, "event", &value));
    const struct pp_event_row *row = find_row(value, groups);
    PP_CHECK(row != NULL, PP_E_UNKNOWN_FIELD, 0);
    ev.id = (uint32_t)(row - PP_EVENT_ROWS);
    for (size_t i = 0; i < row->field_count; i++) {
        PP_TRY(take_pair(&left, row->fields[i].name, &value));
        PP_TRY(parse_value(&row->fields[i], value, &ev.values[i]));
    }

    /* One encoding: the level, the day of the month, spaces and what follows are settled here. */
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    PP_TRY(pp_event_write(&ev, &wr));
    PP_CHECK(pp_span_eq(pp_wr_done(&wr), line), PP_E_FORMAT, 0);
    *ret = ev;
    return PP_OK;
}

void pp_event_emit_(const struct pp_event_sink *sink, uint32_t id, const uint64_t *values)
{
    const struct pp_event_row *row = &PP_EVENT_ROWS[id];
    struct pp_event ev = { .id = id };
    uint8_t line[PP_EVENT_LINE_MAX];
    struct pp_wr wr = pp_wr_over(line, sizeof line);

    if (sink == NULL || sink->write == NULL)
        return;
    for (size_t i = 0; i < row->field_count; i++)
        ev.values[i] = rounded(&row->fields[i], values[i]);
    if (sink->clock.posix_ms != NULL)
        ev.minute = (uint32_t)at_most(pp_clock_posix_s(&sink->clock) / 60, minute_end() - 1);
    /* A test writes the longest line of every event, so this cannot fail. */
    PP_ASSERT(pp_is_ok(pp_event_write(&ev, &wr)));
    sink->write(sink->ctx, pp_wr_done(&wr));
}

uint64_t pp_event_digest_value_(struct pp_event_digest d)
{
    struct pp_rd rd = pp_rd_over(d.bytes, sizeof d.bytes);

    return pp_rd_u64(&rd);
}

struct pp_event_digest pp_event_digest_of(const uint8_t sha256[32])
{
    struct pp_event_digest d;
    struct pp_rd rd = pp_rd_over(sha256, 32);

    pp_rd_copy(&rd, d.bytes, sizeof d.bytes);
    return d;
}

static void write_fd(void *ctx, struct pp_span line)
{
    struct pollfd p = { .fd = (int)(intptr_t)ctx, .events = POLLOUT };

    /* A pipe that can be written has room for PIPE_BUF bytes, more than a line: never waits. */
    if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0 && write(p.fd, line.at, line.len) < 0)
        return; /* nobody to tell */
}

struct pp_event_sink pp_event_sink_fd(int fd, struct pp_clock clock)
{
    return (struct pp_event_sink){ write_fd, (void *)(intptr_t)fd, clock };
}
