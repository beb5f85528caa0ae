/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_source.h: the files of any tlog-tiles log (C2SP tlog-tiles), from a folder or over HTTP, read
 * without believing a byte of them: what comes back has the length and form of what was asked for,
 * and nothing more is known of it. log_reader.h says whether it is what a checkpoint covers.
 *
 * Paths are built from numbers alone. A partial tile is asked for only when a tree size implies it,
 * and the caller takes sizes from checkpoints that it has verified; where the partial one is gone,
 * the first hashes or entries of the full tile are the same. Over HTTP: no redirects, a deadline
 * for each file, a limit for each body, no field in a request that differs from anybody else's;
 * Content-Encoding is identity, or gzip, which is unpacked up to the same limit.
 *
 * One thread. A call waits until it has its file; several may be asked for ahead of that.
 */
#ifndef PP_LOG_SOURCE_H
#define PP_LOG_SOURCE_H

#include "file.h"
#include "problem.h"
#include "result.h"
#include "tile.h"

enum {
    PP_LOG_SOURCE_PLACE_MAX = 4096, /* bytes of a folder's name; a URL has fewer */
    PP_LOG_SOURCE_AHEAD_MAX = 16,   /* files under way at a time, over HTTP */
    PP_LOG_SOURCE_DEADLINE_MS = 20000,
    PP_LOG_SOURCE_NAME_MAX = 64, /* bytes of the name of a public file */
};

struct pp_log_source;

struct pp_log_source_config {
    const char *place;     /* a folder, or what "/checkpoint" follows in an http or https URL */
    struct pp_span ca_pem; /* who vouches for https; empty: https is refused */
    uint32_t deadline_ms;  /* for one file; 0: PP_LOG_SOURCE_DEADLINE_MS */
};

/*
 * `place` is the folder that holds "checkpoint" and "tile", or the folder of a pp-logd, whose files
 * are in "public" below it. NOT_FOUND or INPUT (no such folder), CONFIG (not a URL that can be
 * asked, or https without ca_pem), NETWORK (no such host). Words go to `problem` (may be NULL) here
 * and below.
 */
PP_MUST pp_res pp_log_source_open(const struct pp_log_source_config *c, struct pp_log_source **ret,
                                  struct pp_problem *problem);
void pp_log_source_close(struct pp_log_source *s); /* NULL is fine */

/* The folder or URL that is read, without a slash at the end; lives as long as `s`. */
const char *pp_log_source_place(const struct pp_log_source *s);
int pp_log_source_is_folder(const struct pp_log_source *s);

/*
 * What reading fails with, here and below: NOT_FOUND (a 404, or no such file); LOG_FILE (it is
 * there and has another length or form than its name says, an error page for one, or is longer
 * than its limit); HTTP_STATUS (any other status, redirects included), NETWORK, CLOSED, TIMEOUT,
 * UNVERIFIED (TLS), SYSTEM, NO_MEMORY. Whoever gets a buffer frees it with pp_buf_done.
 */

/* "checkpoint": at most PP_NOTE_BYTES_MAX bytes, a note or not. */
PP_MUST pp_res pp_log_source_checkpoint(struct pp_log_source *s, struct pp_buf *ret,
                                        struct pp_problem *problem);

/*
 * A hash tile or an entry bundle of the tree of `size` entries, `size` being that of a verified
 * checkpoint: exactly t->width hashes, or the bytes of exactly t->width entries. RANGE, and nothing
 * is asked for, when that tree has no such tile of that width; LOG_MISSING when neither it nor the
 * full tile is there.
 */
PP_MUST pp_res pp_log_source_tile(struct pp_log_source *s, uint64_t size, const struct pp_tile *t,
                                  struct pp_buf *ret, struct pp_problem *problem);

/*
 * Says that this tile will be asked for soon; its failure is told then. Does nothing where nothing
 * is gained: for a folder, or with PP_LOG_SOURCE_AHEAD_MAX files under way.
 */
void pp_log_source_ahead(struct pp_log_source *s, uint64_t size, const struct pp_tile *t);

/*
 * A public file beside the tiles: "directory", "hosts/1". The name has letters, digits, '.', '-'
 * and '/', and no part that begins with a dot; RANGE else, and a name from a record is safe here.
 */
PP_MUST pp_res pp_log_source_file(struct pp_log_source *s, const char *name, size_t max,
                                  struct pp_buf *ret, struct pp_problem *problem);

/* The hash tiles of the tree of `size` entries, for pp_tile_nodes; borrows all three. */
struct pp_log_source_tree {
    struct pp_log_source *source;
    uint64_t size;
    struct pp_problem *problem;
};
struct pp_tile_source pp_log_source_tiles(struct pp_log_source_tree *t);

/*
 * The length and SHA-256 of a published file anywhere (an image, a host list), which is read in
 * pieces and kept nowhere: an http or https URL, or a path. Longer than `max` is LOG_FILE. gzip is
 * refused here: what is published is the bytes that were named.
 */
PP_MUST pp_res pp_log_source_digest(const struct pp_log_source_config *c, uint64_t max,
                                    uint8_t ret_sha256[PP_SHA256_BYTES], uint64_t *ret_len,
                                    struct pp_problem *problem);

#endif
