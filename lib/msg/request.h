/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.h: what a device asks for (pp-wire 9), in the clear only inside the worker that serves
 * it.
 *
 * A request whose feature this build does not know is well-formed all the same: its payload is
 * checked for shape alone, and the worker answers it with PP_OUTCOME_REFUSED.
 */
#ifndef PP_REQUEST_H
#define PP_REQUEST_H

#include "arena.h"
#include "backend.h"
#include "rd.h"
#include "wr.h"

enum {
    PP_REQUEST_BYTES_MAX = 262144,
    PP_FEATURE_BYTES_MAX = 32,
    PP_LANGUAGE_BYTES_MAX = 8, /* a BCP 47 primary tag has 2 to 8 letters */
    PP_WORDS_MIN = 20,
    PP_WORDS_MAX = 400,
    PP_CHAT_MESSAGE_MAX = 2000,
    PP_CHAT_TEXT_BYTES_MAX = 16384,
    PP_JUDGE_TEXT_MAX = PP_CHAT_MESSAGE_MAX,
};

enum pp_feature {
    PP_FEATURE_UNKNOWN = 0,
    PP_FEATURE_SUMMARIZE = 1,
    PP_FEATURE_JUDGE = 2, /* between confidential VMs alone: an orchestrator asks its guard */
};

/* One message of a chat. */
struct pp_chat_message {
    uint32_t id;         /* strictly ascending */
    uint32_t sender;     /* alias: order of first appearance, from 0 */
    uint32_t minute;     /* POSIX seconds / 60; 0 unknown */
    struct pp_span text; /* UTF-8 without NUL, at most 16 KiB; borrowed */
};

struct pp_summarize {
    struct pp_span language; /* lower-case primary tag, or empty: whatever the chat is in */
    uint32_t words;          /* 20..400 */
    struct pp_chat_message *messages;
    size_t message_count; /* 1..2000 */
};

/* What a guard is asked to judge: [uint what, [tstr text]]. */
enum pp_judged { PP_JUDGED_REQUEST = 0, PP_JUDGED_ANSWER = 1 };

struct pp_judge {
    enum pp_judged what;
    struct pp_span *texts; /* UTF-8 without NUL, at most 16 KiB each; borrowed */
    size_t text_count;     /* 0..2000 */
};

struct pp_request {
    enum pp_feature feature;
    struct pp_span feature_name;
    uint32_t answer_kib;         /* a down bucket; equals pp-max of exchange #2 */
    int stream;                  /* 1 only for a feature that streams; none here does */
    struct pp_backends backends; /* the only ones that may be used, ascending by (role, id) */
    uint8_t host_set_id[PP_RECORD_ID_BYTES];
    struct pp_summarize summarize; /* of PP_FEATURE_SUMMARIZE */
    struct pp_judge judge;         /* of PP_FEATURE_JUDGE */
};

/*
 * Reads one request, completely. Texts borrow from `cbor`; the message list comes from `arena`.
 * Fails as cbor.h says; UNSUPPORTED (version), UNKNOWN_FIELD, MISSING, ORDER and DUPLICATE (ids,
 * back-ends), RANGE, FORMAT (a language tag; a stream flag where nothing streams), NO_MEMORY.
 */
PP_MUST pp_res pp_request_parse(struct pp_span cbor, struct pp_arena *arena,
                                struct pp_request *ret);

/* Writes a request of a known feature; what it writes reads back. NO_SPACE, RANGE. */
PP_MUST pp_res pp_request_write(struct pp_wr *wr, const struct pp_request *r);

#endif
