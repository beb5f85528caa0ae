/* SPDX-License-Identifier: Apache-2.0 */
#include "replay.h"

#include "ct.h"
#include "rd.h"

enum { WINDOW_PARTS = PP_REPLAY_BUCKETS - 1 };

pp_res pp_replay_init(struct pp_replay *r, void *mem, size_t bucket_slots, uint64_t window_ms,
                      uint64_t now_ms, const struct pp_random *random)
{
    uint8_t key[PP_SHA256_BYTES];

    PP_CHECK(window_ms > 0, PP_E_RANGE, 0);
    PP_CHECK(bucket_slots >= PP_REPLAY_SLOTS_MIN && bucket_slots <= PP_REPLAY_SLOTS_MAX, PP_E_RANGE,
             bucket_slots);
    PP_CHECK((bucket_slots & (bucket_slots - 1)) == 0, PP_E_RANGE, bucket_slots);
    PP_TRY(pp_random_fill(random, key, sizeof key));
    *r = (struct pp_replay){ .slots = (struct pp_replay_entry *)mem,
                             .bucket_slots = bucket_slots,
                             .bucket_ms = (window_ms + WINDOW_PARTS - 1) / WINDOW_PARTS,
                             .bucket_from_ms = now_ms };
    pp_hmac_key_init(&r->key, PP_SHA256, PP_BYTES(key));
    pp_wipe(key, sizeof key);
    memset(r->slots, 0, pp_replay_bytes(bucket_slots));
    return PP_OK;
}

void pp_replay_done(struct pp_replay *r)
{
    if (r->slots != NULL)
        pp_wipe(r->slots, pp_replay_bytes(r->bucket_slots));
    pp_hmac_key_done(&r->key);
    pp_wipe(r, sizeof *r);
}

static struct pp_replay_entry *bucket_of(const struct pp_replay *r, size_t i)
{
    return r->slots + i * r->bucket_slots;
}

/* Steps on by whole buckets; each step empties the bucket that becomes the current one. */
static void advance(struct pp_replay *r, uint64_t now_ms)
{
    uint64_t passed = now_ms > r->bucket_from_ms ? now_ms - r->bucket_from_ms : 0;
    uint64_t steps = passed / r->bucket_ms;

    r->bucket_from_ms += steps * r->bucket_ms;
    for (uint64_t i = 0; i < steps && i < PP_REPLAY_BUCKETS; i++) {
        r->current = (r->current + 1) % PP_REPLAY_BUCKETS;
        if (r->used[r->current] > 0)
            memset(bucket_of(r, r->current), 0, sizeof *r->slots * r->bucket_slots);
        r->used[r->current] = 0;
    }
}

static struct pp_replay_entry entry_of(const struct pp_replay *r, struct pp_span enc)
{
    uint8_t tag[PP_SHA256_BYTES];
    struct pp_hmac m;

    pp_hmac_init(&m, &r->key);
    pp_hmac_update(&m, enc);
    pp_hmac_final(&m, tag);
    struct pp_rd rd = pp_rd_over(tag, PP_REPLAY_ENTRY_BYTES);
    struct pp_replay_entry e;
    e.a = pp_rd_u64(&rd);
    e.b = pp_rd_u64(&rd);
    if (e.a == 0 && e.b == 0)
        e.b = 1; /* zero means free */
    return e;
}

/* The slot of `e` in a bucket: the one that holds it, or the free one where it would go. */
static struct pp_replay_entry *slot_of(const struct pp_replay *r, size_t bucket,
                                       const struct pp_replay_entry *e)
{
    struct pp_replay_entry *slots = bucket_of(r, bucket);
    size_t mask = r->bucket_slots - 1;
    size_t i = (size_t)e->a & mask;

    while ((slots[i].a | slots[i].b) != 0 && (slots[i].a != e->a || slots[i].b != e->b))
        i = (i + 1) & mask; /* ends: a quarter of the slots is always free */
    return &slots[i];
}

static int holds(const struct pp_replay *r, const struct pp_replay_entry *e)
{
    for (size_t i = 0; i < PP_REPLAY_BUCKETS; i++) {
        const struct pp_replay_entry *slot = slot_of(r, i, e);
        if ((slot->a | slot->b) != 0)
            return 1;
    }
    return 0;
}

int pp_replay_seen(struct pp_replay *r, struct pp_span enc, uint64_t now_ms)
{
    struct pp_replay_entry e = entry_of(r, enc);

    advance(r, now_ms);
    return holds(r, &e);
}

pp_res pp_replay_insert(struct pp_replay *r, struct pp_span enc, uint64_t now_ms)
{
    struct pp_replay_entry e = entry_of(r, enc);

    advance(r, now_ms);
    PP_CHECK(!holds(r, &e), PP_E_REPLAY, 0);
    PP_CHECK(r->used[r->current] < r->bucket_slots / 4 * 3, PP_E_BUSY, r->used[r->current]);
    *slot_of(r, r->current, &e) = e;
    r->used[r->current]++;
    return PP_OK;
}
