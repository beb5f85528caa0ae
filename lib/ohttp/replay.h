/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.h: remembers which encapsulated keys were accepted within a window (RFC 9458,
 * section 6.5).
 *
 * A table of 16-byte keyed hashes in fixed memory, in four buckets of time: the oldest is emptied
 * whole when the window has moved past it, so what is inserted is remembered for one window at
 * least and four thirds of it at most. The key is random per process, so nobody can aim at a slot.
 * Insert only what was opened and is allowed to do something: then junk cannot fill it. One thread
 * at a time; the clock is passed in.
 */
#ifndef PP_REPLAY_H
#define PP_REPLAY_H

#include "env.h"
#include "hash.h"
#include "result.h"
#include "span.h"

enum {
    PP_REPLAY_BUCKETS = 4,
    PP_REPLAY_ENTRY_BYTES = 16,
    PP_REPLAY_SLOTS_MIN = 64,      /* per bucket */
    PP_REPLAY_SLOTS_MAX = 1 << 24, /* per bucket: 1 GiB in all */
};

struct pp_replay_entry {
    uint64_t a, b; /* both zero: free */
};

struct pp_replay {
    struct pp_hmac_key key;
    struct pp_replay_entry *slots; /* the caller's: PP_REPLAY_BUCKETS * bucket_slots */
    size_t bucket_slots;           /* a power of two */
    size_t used[PP_REPLAY_BUCKETS];
    size_t current;     /* the bucket that is being filled */
    uint64_t bucket_ms; /* a third of the window */
    uint64_t bucket_from_ms;
};

/* What `bucket_slots` slots per bucket need, in bytes; 16-byte alignment. */
static inline size_t pp_replay_bytes(size_t bucket_slots)
{
    return sizeof(struct pp_replay_entry) * PP_REPLAY_BUCKETS * bucket_slots;
}

/*
 * Starts an empty table in `mem` of pp_replay_bytes(bucket_slots), which must outlive it. RANGE
 * (window of 0; slots not a power of two between the limits), RANDOM.
 */
PP_MUST pp_res pp_replay_init(struct pp_replay *r, void *mem, size_t bucket_slots,
                              uint64_t window_ms, uint64_t now_ms, const struct pp_random *random);

/* 1 when `enc` is remembered at `now_ms` (monotonic). Remembers nothing. */
int pp_replay_seen(struct pp_replay *r, struct pp_span enc, uint64_t now_ms);

/*
 * Remembers `enc` as of `now_ms` (monotonic). REPLAY if it is remembered already; BUSY when three
 * quarters of the current bucket are taken: it is not remembered then. Whether the request may go
 * on all the same depends on what else keeps it from being served twice.
 */
PP_MUST pp_res pp_replay_insert(struct pp_replay *r, struct pp_span enc, uint64_t now_ms);

/* Wipes the key and the table. */
void pp_replay_done(struct pp_replay *r);

#endif
