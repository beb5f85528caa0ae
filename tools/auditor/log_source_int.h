/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_source_int.h: what the files of the log source share.
 *
 *     log_source.c   what is asked for, folders, and the form of what comes back
 *     log_fetch.c    files over HTTP, several under way at a time
 *     log_digest.c   large files, hashed in pieces
 */
#ifndef PP_LOG_SOURCE_INT_H
#define PP_LOG_SOURCE_INT_H

#include "http_client.h"
#include "log_source.h"
#include "loop.h"
#include "note.h"

enum {
    PP_LOG_FETCH_NAME_MAX = 96, /* a tile's path, or the name of a public file */
    PP_LOG_FETCH_TRIES = 2,     /* a kept connection may have ended: what is static can be asked
                                   for again */
    PP_LOG_FETCH_REFUSED_MAX = 65536, /* bytes of an answer that is not the file */
};

struct pp_log_fetcher;

enum pp_log_fetch_state { PP_LOG_FETCH_FREE = 0, PP_LOG_FETCH_UNDER_WAY, PP_LOG_FETCH_HERE };

/* One file over HTTP. */
struct pp_log_fetch {
    struct pp_log_fetcher *fetcher;
    enum pp_log_fetch_state state;
    int is_tile; /* 1: `tile` says which; `name` is what was asked for last */
    struct pp_tile tile;
    unsigned width; /* of what was asked for last: 256 behind the partial one's 404 */
    char name[PP_LOG_FETCH_NAME_MAX + 1];
    size_t max; /* bytes */
    unsigned tries;
    struct pp_http_pending *pending;
    uint32_t status;
    enum pp_http_content_coding coding;
    char type[PP_HTTP_TYPE_BYTES_MAX + 1];
    struct pp_buf body;
    size_t cap;      /* of body.bytes */
    int is_too_long; /* the call was given up for its length */
    int has_no_room; /* ... or for want of memory */
    pp_res result;
};

struct pp_log_fetcher {
    char url[PP_HTTP_URL_BYTES_MAX]; /* without a slash at the end */
    uint32_t deadline_ms;
    struct pp_loop *loop;
    struct pp_http_client *client;
    struct pp_log_fetch slots[PP_LOG_SOURCE_AHEAD_MAX + 1]; /* the last: what nobody announced */
    const struct pp_log_fetch *awaited;
    char type[PP_HTTP_TYPE_BYTES_MAX + 1]; /* of the file that was given last, for words */
};

struct pp_log_source {
    char place[PP_LOG_SOURCE_PLACE_MAX];
    int dir; /* -1: over HTTP */
    struct pp_log_fetcher fetcher;
};

/* Words of a refusal: the party is the place that is read, the field a path. */
void pp_log_words_(struct pp_problem *problem, const char *place, const char *field,
                   const char *expected, const char *got);

/* 1 for "http://..." and "https://...". */
int pp_log_is_url_(const char *place);

/* The bytes of the tile of `width` are cut to t->width hashes or entries, or refused: LOG_FILE. */
PP_MUST pp_res pp_log_tile_shape_(const struct pp_tile *t, unsigned width, struct pp_buf *bytes);
size_t pp_log_tile_max_(const struct pp_tile *t);
void pp_log_tile_name_(const struct pp_tile *t, unsigned width,
                       char ret[PP_LOG_FETCH_NAME_MAX + 1]);

PP_MUST pp_res pp_log_fetcher_init_(struct pp_log_fetcher *f, const struct pp_log_source_config *c,
                                    struct pp_problem *problem);
void pp_log_fetcher_done_(struct pp_log_fetcher *f);

void pp_log_fetch_ahead_(struct pp_log_fetcher *f, const struct pp_tile *t);

/* The tile, or with `t` NULL the file `name`. The width that came is `*ret_width`. */
PP_MUST pp_res pp_log_fetch_(struct pp_log_fetcher *f, const struct pp_tile *t, const char *name,
                             size_t max, struct pp_buf *ret, unsigned *ret_width,
                             struct pp_problem *problem);

#endif
