/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events.h: all that any program of ours can log, and the filter that knows it.
 *
 * There is no printf-style logger. Each *.def file of this folder lists events, and the build makes
 * one typed function per line of it:
 *
 *     EV_ENUM(pp_gw_reason, key_id, replay, decrypt)
 *
 *     (the privacy sentence, a comment that starts with the word "Privacy:", is mandatory)
 *     EV(GW_OPEN_FAILED, WARN, "a request could not be opened",
 *        ENUM(pp_gw_reason, reason), COUNT(total))
 *
 * gives `enum pp_gw_reason { PP_GW_REASON_KEY_ID, ... }` and
 *
 *     void pp_ev_gw_open_failed(const struct pp_event_sink *sink, enum pp_gw_reason reason,
 *                               uint64_t total);
 *
 * To add a line: append it to the file of your daemon, run `ninja` and then
 * `lib/events/generate.py --docs docs/events.md lib/events/<each>.def` (the failing test
 * events_documentation prints the exact command), and commit both.
 *
 * Levels: INFO, WARN, ERROR. Field kinds, all numbers to the caller:
 *
 *     ENUM(type, name)   a word of a closed list: an EV_ENUM, or `pp_code` (any result code)
 *     COUNT(name)        0 .. PP_EVENT_COUNT_MAX, larger ones are written as that
 *     BYTES_BUCKET(name) rounded up to 0 or a power of two, at most 2^32
 *     MS_BUCKET(name)    rounded up to 0, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000,
 *                        30000, 60000 or 3600000 ms; larger ones are written as the last
 *     SECONDS(name)      0 .. PP_EVENT_SECONDS_MAX, for periods of our own (key lifetimes)
 *     DIGEST(name)       8 bytes of the digest of one of our own public artefacts
 *
 * There is no string kind, so there is no way to log a prompt, a token, an address or a header.
 *
 * The line, at most PP_EVENT_LINE_MAX bytes with its line end:
 *
 *     t=2026-01-31T09:30Z level=warn event=GW_OPEN_FAILED reason=replay total=17
 *
 * Fields come in the order of the catalogue, one space between; the time has minutes and nothing
 * finer; "t=-" is a sink without a clock. There is exactly one encoding of an event.
 */
#ifndef PP_EVENTS_H
#define PP_EVENTS_H

#include "env.h"
#include "result.h"
#include "span.h"
#include "wr.h"

/* A pointer where a number belongs must not even compile, whatever the flags of the build. */
#pragma GCC diagnostic error "-Wint-conversion"
#pragma GCC diagnostic error "-Wincompatible-pointer-types"
#pragma GCC diagnostic error "-Wpointer-sign"

enum {
    PP_EVENT_LINE_MAX = 512,
    PP_EVENT_FIELDS_MAX = 8,
    PP_EVENT_DIGEST_BYTES = 8,
};

#define PP_EVENT_COUNT_MAX   UINT64_C(999999999999)
#define PP_EVENT_SECONDS_MAX UINT64_C(315360000) /* ten years */

/* Where lines go. Borrowed by every call; a NULL sink, or one without `write`, drops the event. */
struct pp_event_sink {
    void (*write)(void *ctx, struct pp_span line); /* one whole line with its '\n'; never fails */
    void *ctx;
    struct pp_clock clock; /* zeroed: lines carry no time */
};

/*
 * Writes each line with one write(2) to `fd`. A line for which the descriptor has no room at once
 * is dropped: a reader that stopped reading must not stop the daemon.
 */
struct pp_event_sink pp_event_sink_fd(int fd, struct pp_clock clock);

/* The start of a SHA-256 digest of one of our own public artefacts: key lists, records. */
struct pp_event_digest {
    uint8_t bytes[PP_EVENT_DIGEST_BYTES];
};
struct pp_event_digest pp_event_digest_of(const uint8_t sha256[32]);

/* One event as numbers, exactly as its line carries them (buckets are rounded already). */
struct pp_event {
    uint32_t id;                          /* enum pp_event_id */
    uint32_t minute;                      /* POSIX time / 60; 0: none */
    uint64_t values[PP_EVENT_FIELDS_MAX]; /* in the order of the catalogue; digests big-endian */
};

/*
 * The filter: reads one line, with its line end, if it is one that an event of `groups` (a set of
 * PP_EVENT_GROUP_*) has, byte for byte as pp_event_write writes it. Anything else is refused:
 * FORMAT, UNKNOWN_FIELD (no such event in these groups), RANGE (a value that no call produces),
 * LIMIT.
 */
PP_MUST pp_res pp_event_parse(struct pp_span line, uint32_t groups, struct pp_event *ret);

/* Writes the line of `ev`. STATE when the event is not one of the catalogue; NO_SPACE. */
PP_MUST pp_res pp_event_write(const struct pp_event *ev, struct pp_wr *wr);

#include "events_gen.h"

#endif
