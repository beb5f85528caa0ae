/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tile.h: the files of a log (C2SP tlog-tiles): paths, widths, hash tiles, entry bundles.
 *
 * A log of `size` entries is a set of immutable files. Entry i of tile (level, index) is the hash
 * of 256^level entries; a full tile has 256 hashes. Who reads or writes the files is the caller.
 */
#ifndef PP_TILE_H
#define PP_TILE_H

#include "merkle.h"
#include "rd.h"
#include "wr.h"

enum {
    PP_TILE_WIDTH = 256,
    PP_TILE_BYTES = PP_TILE_WIDTH * PP_SHA256_BYTES,
    PP_TILE_LEVEL_MAX = 63,
    PP_TILE_PATH_MAX = 64,      /* bytes of a path */
    PP_ENTRY_BYTES_MAX = 65535, /* the entry bundle's length prefix */
    PP_ENTRIES_BYTES_MAX = PP_TILE_WIDTH * (2 + PP_ENTRY_BYTES_MAX),
};

#define PP_TILE_INDEX_MAX (PP_MERKLE_SIZE_MAX / PP_TILE_WIDTH)

struct pp_tile {
    int entries;    /* 1: the entry bundle that belongs to (0, index) */
    unsigned level; /* 0..63; 0 for entry bundles */
    uint64_t index;
    unsigned width; /* 1..256; 256 is a full tile and has no suffix */
};

/* Writes "tile/<L>/<N>[.p/<W>]", without a leading slash. */
void pp_tile_path_write(struct pp_wr *wr, const struct pp_tile *t);

/* Reads such a path; only the one form that the writer gives. FORMAT, RANGE. */
PP_MUST pp_res pp_tile_path_parse(struct pp_span path, struct pp_tile *ret);

/* The hashes on a level of a tree: floor(size / 256^level). */
uint64_t pp_tile_hashes(uint64_t size, unsigned level);

/* The tile (level, index) of a tree of `size` entries, with its width. 0 if the tree has none. */
int pp_tile_of(uint64_t size, unsigned level, uint64_t index, struct pp_tile *ret);

/* All hash tiles of a tree in the order of level and index. Zeroed but for `size` at first. */
struct pp_tile_iter {
    uint64_t size;
    unsigned level;
    uint64_t index;
};
int pp_tile_next(struct pp_tile_iter *it, struct pp_tile *ret); /* 0 after the last */

/* Where Node(level, index) of merkle.h stands: the root of `count` hashes from `offset` on. */
struct pp_tile_place {
    unsigned level;
    uint64_t index;
    unsigned offset;
    unsigned count;
};
struct pp_tile_place pp_tile_place(unsigned node_level, uint64_t node_index);

/* --- a stored tree as a reader of nodes ---------------------------------------------------- */

/* Gives the first `t->width` hashes of a tile, 32 bytes each. */
struct pp_tile_source {
    pp_res (*read)(void *ctx, const struct pp_tile *t, uint8_t ret[PP_TILE_BYTES]);
    void *ctx;
};

/* A tree over tiles; remembers the last tile. Zeroed but for source and size at first. */
struct pp_tile_tree {
    struct pp_tile_source source;
    uint64_t size;
    struct pp_tile held; /* width 0: none */
    uint8_t bytes[PP_TILE_BYTES];
};

/* `t` must outlive the reader. RANGE for a node that the tree does not have complete. */
struct pp_merkle_nodes pp_tile_nodes(struct pp_tile_tree *t);

/* --- entry bundles ------------------------------------------------------------------------- */

/* Takes a bundle of exactly `width` entries apart; they borrow `bytes`. TRUNCATED, TRAILING. */
PP_MUST pp_res pp_entries_parse(struct pp_span bytes, unsigned width,
                                struct pp_span ret[PP_TILE_WIDTH]);

/* Adds one entry to a bundle. Longer than PP_ENTRY_BYTES_MAX: the writer fails with RANGE. */
void pp_entries_write(struct pp_wr *wr, struct pp_span entry);

#endif
