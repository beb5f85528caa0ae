/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eventlog.h: the firmware's event log of a TDX guest (the ACPI table CCEL; TCG PC Client Platform
 * Firmware Profile, crypto-agile log format), and its replay into RTMR values
 * (docs/protocol/launch.md).
 *
 * A log proves nothing by itself: replay it, compare the four values with a verified quote's, and
 * only then read what its events say. And even then an event's bytes count only as far as its
 * digest covers them (pp_eventlog_covers): the register is extended with the digest, and whatever
 * else stands in the event is the host's to write. Views borrow from the log; nothing is allocated.
 */
#ifndef PP_EVENTLOG_H
#define PP_EVENTLOG_H

#include "hash.h"
#include "rd.h"
#include "result.h"
#include "span.h"

enum {
    PP_EVENTLOG_BYTES_MAX = 1 << 20, /* of the table's area, filler included */
    PP_EVENTLOG_EVENTS_MAX = 4096,
    PP_EVENTLOG_ALGORITHMS_MAX = 8, /* that a log may list */
    PP_RTMR_BYTES = PP_SHA384_BYTES,
    PP_RTMRS = 4,
};

/* Event types that decide something here; names of all that are known by pp_eventlog_type_name. */
enum { PP_EV_NO_ACTION = 3 };

struct pp_eventlog_event {
    uint32_t mr_index; /* 0: MRTD, which no event extends; 1..4: RTMR0..RTMR3 */
    uint32_t type;
    struct pp_span digest; /* SHA-384, 48 bytes */
    struct pp_span data;
};

/* A log whose every byte was checked. Opaque; a copy walks by itself. */
struct pp_eventlog {
    struct pp_rd rd;
    struct {
        uint16_t id, len;
    } algorithms[PP_EVENTLOG_ALGORITHMS_MAX];
    size_t algorithm_count;
    size_t left; /* events not taken yet; behind open, all of them */
};

/*
 * Reads the whole log, head to filler, so that no later step can fail. It may end with its last
 * event, or with an end marker (measurement register 0xFFFFFFFF, or a digest count of 0) that only
 * filler follows: all zeros or all ones. FORMAT (not such a log, a register past 4, SHA-384 not
 * listed or not in an event, an algorithm not listed or twice, other bytes behind the end; detail
 * is the offset), ENCODING (a first event with a digest), UNSUPPORTED (version), TRUNCATED, LIMIT.
 */
PP_MUST pp_res pp_eventlog_open(struct pp_span bytes, struct pp_eventlog *ret);

/* The next event, in the order of the log; 0 when there is none. */
int pp_eventlog_next(struct pp_eventlog *log, struct pp_eventlog_event *ret);

/* 1: the digest is SHA-384 over exactly the event's bytes, so that these are what was measured. */
int pp_eventlog_covers(const struct pp_eventlog_event *event);

/* register = SHA-384(register || digest); TDG.MR.RTMR.EXTEND. */
void pp_rtmr_extend(uint8_t rtmr[PP_RTMR_BYTES], const uint8_t digest[PP_SHA384_BYTES]);

/* RTMR0..RTMR3 after all events of a log. Fails as pp_eventlog_open does. */
PP_MUST pp_res pp_eventlog_replay(struct pp_span bytes, uint8_t ret[PP_RTMRS][PP_RTMR_BYTES]);

/* "EV_SEPARATOR"; "EV_UNKNOWN" for a type that the profile does not name. */
const char *pp_eventlog_type_name(uint32_t type);

#endif
