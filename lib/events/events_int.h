/* SPDX-License-Identifier: Apache-2.0 */
/* events_int.h: the catalogue as tables; events_gen.c fills them. */
#ifndef PP_EVENTS_INT_H
#define PP_EVENTS_INT_H

#include "events.h"

enum pp_event_level { PP_EVENT_INFO, PP_EVENT_WARN, PP_EVENT_ERROR, PP_EVENT_LEVELS };

enum pp_event_kind {
    PP_EVENT_ENUM = 1,
    PP_EVENT_COUNT,
    PP_EVENT_BYTES_BUCKET,
    PP_EVENT_MS_BUCKET,
    PP_EVENT_SECONDS,
    PP_EVENT_DIGEST,
};

struct pp_event_words {
    const char *const *words; /* NULL: the registry of result codes */
    size_t count;
};

struct pp_event_field {
    enum pp_event_kind kind;
    const char *name;
    const struct pp_event_words *words; /* of an ENUM */
};

struct pp_event_row {
    const char *name;
    enum pp_event_level level;
    uint32_t group; /* one bit */
    size_t field_count;
    struct pp_event_field fields[PP_EVENT_FIELDS_MAX];
};

extern const struct pp_event_row PP_EVENT_ROWS[];
extern const size_t PP_EVENT_ROW_COUNT;

/* Rounds the row's `values` to what a line may carry, and gives the line to the sink. */
void pp_event_emit_(const struct pp_event_sink *sink, uint32_t id, const uint64_t *values);
uint64_t pp_event_digest_value_(struct pp_event_digest d);

#endif
