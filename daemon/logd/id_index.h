/* SPDX-License-Identifier: Apache-2.0 */
/*
 * id_index.h: which entry of a log has this id: a compact index of 8 bytes a place.
 *
 * It keeps 31 bits of each id and the low half of the entry's number, so that what it finds is a
 * candidate: the caller says whether the entry really has the id. Half of the places are empty at
 * least, and where an id stands is mixed with a secret seed, so that nobody can make ids which all
 * stand in one place.
 *
 * An index that remembers all grows; one with a window keeps two tables and drops the older when
 * the newer is full: what it remembers is at least the last `window` ids and at most twice as
 * many, in memory that never grows.
 */
#ifndef PP_ID_INDEX_H
#define PP_ID_INDEX_H

#include "record.h"

struct pp_id_table {
    uint64_t *places; /* 0: empty */
    unsigned bits;    /* there are 2^bits places */
    size_t count;
};

struct pp_id_index {
    struct pp_id_table young, old; /* `old` is for windows alone */
    uint64_t seed;
    uint64_t newest; /* the number that was added last; numbers rise */
    size_t window;   /* 0: everything is kept */
};

/* `window` 0, or 1..2^28 ids. NO_MEMORY. */
PP_MUST pp_res pp_id_index_init(struct pp_id_index *x, uint64_t seed, size_t window);
void pp_id_index_done(struct pp_id_index *x);
void pp_id_index_clear(struct pp_id_index *x);

/* Makes room, so that so many pp_id_index_add cannot fail. NO_MEMORY, LIMIT (2^29 in all). */
PP_MUST pp_res pp_id_index_reserve(struct pp_id_index *x, size_t count);

/* Adds `number`, above all that were added before; room was reserved. */
void pp_id_index_add(struct pp_id_index *x, const struct pp_record_id *id, uint64_t number);

/*
 * 1 and the number of an entry for which `has` says 1, or 0. `has` is asked about entries that
 * have the id, and now and then about another.
 */
int pp_id_index_find(const struct pp_id_index *x, const struct pp_record_id *id,
                     int (*has)(void *ctx, uint64_t number, const struct pp_record_id *id),
                     void *ctx, uint64_t *ret_number);

#endif
