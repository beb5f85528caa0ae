/* SPDX-License-Identifier: Apache-2.0 */
/* backend.h: a back-end named in messages: its role and the id of its release record. */
#ifndef PP_BACKEND_H
#define PP_BACKEND_H

#include <string.h>

#include "span.h"

enum {
    PP_RECORD_ID_BYTES = 32, /* SHA-256 of a ledger record's text */
    PP_BACKEND_MAX = 8,      /* in one message */
    PP_BACKEND_ROLE_BYTES_MAX = 16,
};

struct pp_backend {
    struct pp_span role; /* "predictor", "guard"; borrowed from the message */
    uint8_t release_id[PP_RECORD_ID_BYTES];
};

/* A list in its message's order: ascending by (role, id) in Evidence and requests, call order in
 * answers. */
struct pp_backends {
    struct pp_backend items[PP_BACKEND_MAX];
    size_t count;
};

/* 1 if the list names exactly this role and release. */
static inline int pp_backends_hold(const struct pp_backends *list, const struct pp_backend *b)
{
    for (size_t i = 0; i < list->count; i++)
        if (pp_span_eq(list->items[i].role, b->role) &&
            memcmp(list->items[i].release_id, b->release_id, sizeof b->release_id) == 0)
            return 1;
    return 0;
}

#endif
