/* SPDX-License-Identifier: Apache-2.0 */
/* jwt_int.h: what the readers of tokens and of key sets share. */
#ifndef ISS_JWT_INT_H
#define ISS_JWT_INT_H

#include <jansson.h>

#include "span.h"

/* A whole object without a name that occurs twice (two readers could take different ones), or NULL.
 * The caller gives it back (json_decref). */
static inline json_t *jwt_object(struct pp_span text)
{
    json_t *v = json_loadb((const char *)text.at, text.len, JSON_REJECT_DUPLICATES, NULL);

    if (v != NULL && !json_is_object(v)) {
        json_decref(v);
        return NULL;
    }
    return v;
}

/* The bytes of a string, borrowed; at NULL for any other value. */
static inline struct pp_span jwt_string(const json_t *v)
{
    if (!json_is_string(v))
        return pp_span(NULL, 0);
    return pp_span(json_string_value(v), json_string_length(v));
}

static inline int jwt_is(const json_t *v, const char *text)
{
    struct pp_span s = jwt_string(v);

    return s.at != NULL && pp_span_eq(s, pp_span_cstr(text));
}

#endif
