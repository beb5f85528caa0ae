/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor_copy.h: the monitor's own copy of a log, a tlog-tiles folder that `ppctl log audit` and
 * any file server take as a log: entries (of record ledgers), hash tiles, checkpoint.
 *
 * Tiles are written without waiting for the disk: whoever trusts the copy computes its root first,
 * and reads the log again where it is not the verified one.
 */
#ifndef PP_MONITOR_COPY_H
#define PP_MONITOR_COPY_H

#include "merkle.h"
#include "result.h"
#include "tile.h"

enum { PP_MONITOR_COPY_LEVELS = 8 }; /* 256^8 is more than a log can have */

struct pp_monitor_copy {
    int dir_fd;                   /* of the folder; owned */
    int entries;                  /* 1: entry bundles are kept too */
    struct pp_merkle_range range; /* of what is in it */
    uint8_t *bundle;              /* the entries of the last, partial bundle */
    size_t bundle_len, bundle_cap;
    struct {
        unsigned count; /* hashes of the last, partial tile: 0..255 */
        uint8_t hashes[PP_TILE_BYTES];
    } levels[PP_MONITOR_COPY_LEVELS];
    struct pp_tile_tree tree; /* for pp_monitor_copy_nodes */
};

/* Takes the folder; nothing is read. Call pp_monitor_copy_done. */
void pp_monitor_copy_init(struct pp_monitor_copy *c, int dir_fd, int entries);
void pp_monitor_copy_done(struct pp_monitor_copy *c);

/*
 * Goes to the first `range->size` entries, which were flushed at that size. PROOF when the copy is
 * not of that tree (hash tiles alone are looked at; see pp_monitor_copy_check), NOT_FOUND, FORMAT:
 * it is empty then.
 */
PP_MUST pp_res pp_monitor_copy_open(struct pp_monitor_copy *c, const struct pp_merkle_range *range);

/* The same for the tree of no entries. */
void pp_monitor_copy_clear(struct pp_monitor_copy *c);

/* Appends one entry. RANGE (too long), NO_MEMORY, DISK_FULL, SYSTEM. */
PP_MUST pp_res pp_monitor_copy_append(struct pp_monitor_copy *c, struct pp_span entry,
                                      const struct pp_merkle_hash *leaf);

/* Writes what is partial, so that the copy can be opened at this size. */
PP_MUST pp_res pp_monitor_copy_flush(struct pp_monitor_copy *c);

/* Removes the partial files of `size`, where the present size has others. */
void pp_monitor_copy_tidy(struct pp_monitor_copy *c, uint64_t size);

/* The nodes of the tree of range.size entries, as it is now or grows to be. */
struct pp_merkle_nodes pp_monitor_copy_nodes(struct pp_monitor_copy *c);

/* Calls `each` for the entries [from, until) that were flushed. FORMAT, NOT_FOUND, its failure. */
PP_MUST pp_res pp_monitor_copy_each(struct pp_monitor_copy *c, uint64_t from, uint64_t until,
                                    pp_res (*each)(void *ctx, struct pp_span entry), void *ctx);

/* PROOF unless the entries of the copy hash to its tree. */
PP_MUST pp_res pp_monitor_copy_check(struct pp_monitor_copy *c);

#endif
