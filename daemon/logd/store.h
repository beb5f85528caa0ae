/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h: the log's folder: what is durable, in which order, and what a crash leaves.
 *
 *     public/tile/...     hash tiles and entry bundles (tile.h), written before anything is signed
 *     signed              the checkpoint note that was signed last: written before a signature
 *                         leaves, so that no smaller or different tree is ever signed
 *     public/checkpoint   the last checkpoint that met the quorum, with its cosignatures
 *     public/directory    the directory bundle of that checkpoint
 *     pending/<16 hex>    submitted batches that no signed tree holds yet
 *
 * `signed` is the truth. On start the right edge of the tree, or all of it from the entries, must
 * give its root; files beyond its size are leftovers of a crash, never served, and overwritten in
 * time.
 */
#ifndef PP_LOG_STORE_H
#define PP_LOG_STORE_H

#include "checkpoint.h"
#include "file.h"
#include "fileset.h"
#include "keys.h"
#include "merkle.h"
#include "note.h"
#include "record.h"
#include "tile.h"

enum {
    PP_LOG_TILE_LEVELS = 8,
    PP_LOG_BUNDLE_MAX = PP_ENTRIES_BYTES_MAX, /* bytes of an entry bundle */
    PP_LOG_NOTE_MAX = 32768, /* bytes of a checkpoint note with all its cosignatures */
};

/* The right edge of the tree: what the next entry is appended to. */
struct pp_log_edge {
    struct pp_merkle_range range;
    uint8_t (*tiles)[PP_TILE_BYTES]; /* PP_LOG_TILE_LEVELS of them: the unfinished one per level */
    struct pp_wr bundle;             /* the unfinished entry bundle, of PP_LOG_BUNDLE_MAX */
};

struct pp_log_guard;

struct pp_log_store {
    int dir; /* the folder; the caller closes it */
    struct pp_log_keys keys;
    struct pp_note_key known[PP_LOG_KEYS_MAX]; /* of `keys`: who may have signed what is here */
    size_t known_count;
    struct pp_log_edge edge;       /* of the signed tree */
    struct pp_log_edge next;       /* of the tree that is being made */
    struct pp_merkle_hash root;    /* of the signed tree */
    uint64_t published;            /* size of public/checkpoint; 0: none */
    uint8_t note[PP_LOG_NOTE_MAX]; /* the signed note, verbatim */
    size_t note_len;
    struct pp_log_guard *guard; /* NULL: none; see guard.h */
    int is_unsettled; /* 1: writing `signed` failed, so on the disk it may be the next tree's */
};

/* Makes the folders and a signed tree of size 0. EXISTS when there is a log already. */
PP_MUST pp_res pp_log_store_create(int dir, const struct pp_note_signer *signer);

/*
 * Opens a log and reads every entry once, in order, into `each`, which may fail; missing or damaged
 * tiles are written again from the entries. With `each` NULL it reads the right edge alone: the
 * unfinished tiles, which must give the signed root, and the last two entry bundles; and everything
 * only when these are missing or damaged. STATE_IN_USE (another process has the folder: two
 * sequencers would sign two histories), NOT_FOUND (no log here), those of pp_log_keys_check,
 * LEDGER_ORIGIN, LEDGER_SIGNATURE (of a key that is not given), PROOF (the entries do not give the
 * signed root), NO_MEMORY, SYSTEM. `keys` is copied; what it points to is borrowed for the life of
 * the store. The checkpoint that was signed last must be of one of them, whichever: see
 * pp_log_store_renew.
 */
PP_MUST pp_res pp_log_store_open(struct pp_log_store *s, int dir, const struct pp_log_keys *keys,
                                 pp_res (*each)(void *ctx, uint64_t index, struct pp_span entry),
                                 void *ctx);
void pp_log_store_done(struct pp_log_store *s);

static inline uint64_t pp_log_store_size(const struct pp_log_store *s)
{
    return s->edge.range.size;
}

/*
 * Makes entries and tiles of a larger tree durable; the signed tree stays what it is. Called again
 * it starts over from the signed tree. LIMIT (an entry too long), DISK_FULL, SYSTEM; LEDGER_SPLIT
 * (guard.h).
 */
PP_MUST pp_res pp_log_store_append(struct pp_log_store *s, const struct pp_span *entries,
                                   size_t count);

/*
 * Signs the appended tree and makes that durable, then its guard. Only afterwards s->note may leave
 * the process. DISK_FULL, SYSTEM, the codes of pp_note_sign and pp_log_guard_compare. After a
 * failure the next append takes back what may stand on the disk.
 */
PP_MUST pp_res pp_log_store_sign(struct pp_log_store *s);

/*
 * After the start, when the guard is open: signs the signed tree again, the same size and root, if
 * its note is not signed by exactly the keys that sign now. Durable as pp_log_store_sign, and with
 * its codes; on failure the log must not go on.
 */
PP_MUST pp_res pp_log_store_renew(struct pp_log_store *s);

/* Makes `note` (of size `size`) the served checkpoint, and removes partial tiles that are full
 * now. */
PP_MUST pp_res pp_log_store_publish(struct pp_log_store *s, struct pp_span note, uint64_t size);

/* 1 when the served checkpoint is the signed note, with cosignatures behind it. */
int pp_log_store_is_served(const struct pp_log_store *s);

/* --- reading ------------------------------------------------------------------------------- */

/* Reads a tile of the signed tree: 404 for a file server is NOT_FOUND here, also beyond its
 * size. */
PP_MUST pp_res pp_log_store_tile(const struct pp_log_store *s, const struct pp_tile *t,
                                 struct pp_buf *ret);

/* One entry of the signed tree. RANGE. The caller drops `*ret`. */
PP_MUST pp_res pp_log_store_entry(const struct pp_log_store *s, uint64_t index, struct pp_buf *ret);

/* A reader of hash tiles for pp_tile_nodes; `s` must outlive it. */
struct pp_tile_source pp_log_store_source(struct pp_log_store *s);

/* --- pending batches ------------------------------------------------------------------------ */

/* Adds a submitted batch to what is being stored, under a free number. DISK_FULL, SYSTEM. */
PP_MUST pp_res pp_log_pending_add(struct pp_fileset *files, uint64_t number, struct pp_span batch);
PP_MUST pp_res pp_log_pending_remove(int dir, uint64_t number);

/* Calls `each` for every stored batch in the order of their numbers. */
PP_MUST pp_res pp_log_pending_each(int dir,
                                   pp_res (*each)(void *ctx, uint64_t number, struct pp_span batch),
                                   void *ctx);

#endif
