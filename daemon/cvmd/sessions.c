/* SPDX-License-Identifier: Apache-2.0 */
#include "sessions.h"

#include <stdlib.h>

#include "ct.h"
#include "rd.h"

pp_res cvm_sessions_init(struct cvm_sessions *t, uint32_t count_max)
{
    PP_ASSERT(count_max >= 1);
    PP_ASSERT(count_max <= CVM_SESSIONS_MAX);
    *t = (struct cvm_sessions){ .count_max = count_max,
                                .slots = calloc(count_max, sizeof *t->slots),
                                .buckets = calloc(count_max, sizeof *t->buckets) };
    if (t->slots == NULL || t->buckets == NULL) {
        cvm_sessions_done(t);
        return PP_FAIL(PP_E_NO_MEMORY, count_max);
    }
    for (uint32_t i = 0; i < count_max; i++)
        t->slots[i] = (struct cvm_session){ .slot = i, .next_free = i + 1, .worker_fd = -1 };
    return PP_OK;
}

void cvm_sessions_done(struct cvm_sessions *t)
{
    free(t->slots);
    free(t->buckets);
    *t = (struct cvm_sessions){ 0 };
}

/* Sids are random, so any part of one is a hash of it. */
static uint32_t *bucket_of(struct cvm_sessions *t, const uint8_t sid[PP_SID_BYTES])
{
    struct pp_rd rd = pp_rd_over(sid, PP_SID_BYTES);

    return &t->buckets[pp_rd_u32(&rd) % t->count_max];
}

pp_res cvm_session_new(struct cvm_sessions *t, const struct pp_random *random, uint64_t deadline_ms,
                       struct cvm_session **ret)
{
    uint8_t sid[PP_SID_BYTES];

    PP_CHECK(t->used < t->count_max, PP_E_BUSY, t->used);
    PP_TRY(pp_random_fill(random, sid, sizeof sid));
    PP_CHECK(!pp_ct_is_zero(sid, sizeof sid), PP_E_RANDOM, 0); /* zero means "none" in a frame */

    struct cvm_session *s = &t->slots[t->first_free];
    t->first_free = s->next_free;
    t->used++;
    *s = (struct cvm_session){ .state = CVM_OPENING,
                               .slot = s->slot,
                               .generation = s->generation + 1,
                               .deadline_ms = deadline_ms,
                               .worker_fd = -1 };
    memcpy(s->sid, sid, sizeof s->sid);
    uint32_t *bucket = bucket_of(t, sid);
    s->next_in_bucket = *bucket;
    *bucket = s->slot + 1;
    *ret = s;
    return PP_OK;
}

void cvm_session_end(struct cvm_sessions *t, struct cvm_session *s)
{
    uint32_t *at = bucket_of(t, s->sid);

    PP_ASSERT(s->state != CVM_FREE);
    PP_ASSERT(s->queue == NULL);
    while (*at != s->slot + 1) {
        PP_ASSERT(*at != 0);
        at = &t->slots[*at - 1].next_in_bucket;
    }
    *at = s->next_in_bucket;
    *s = (struct cvm_session){
        .slot = s->slot, .generation = s->generation, .next_free = t->first_free, .worker_fd = -1
    };
    t->first_free = s->slot;
    t->used--;
}

struct cvm_session *cvm_session_at(struct cvm_sessions *t, uint32_t slot, uint32_t generation)
{
    if (slot >= t->count_max)
        return NULL;
    struct cvm_session *s = &t->slots[slot];
    return s->state != CVM_FREE && s->generation == generation ? s : NULL;
}

struct cvm_session *cvm_session_by_sid(struct cvm_sessions *t, const uint8_t sid[PP_SID_BYTES])
{
    for (uint32_t at = *bucket_of(t, sid); at != 0; at = t->slots[at - 1].next_in_bucket)
        if (pp_ct_eq(t->slots[at - 1].sid, sid, PP_SID_BYTES))
            return &t->slots[at - 1];
    return NULL;
}

void cvm_session_wait(struct cvm_session *s, uint64_t deadline_ms)
{
    PP_ASSERT(s->state == CVM_OPENING);
    s->state = CVM_WAITING;
    s->deadline_ms = deadline_ms;
}

pp_res cvm_session_continue(struct cvm_sessions *t, const uint8_t sid[PP_SID_BYTES],
                            uint64_t now_ms, uint64_t deadline_ms, struct cvm_session **ret)
{
    struct cvm_session *s = cvm_session_by_sid(t, sid);

    PP_CHECK(s != NULL, PP_E_SESSION_GONE, 0);
    PP_CHECK(s->state == CVM_WAITING, PP_E_SESSION_GONE, s->state);
    PP_CHECK(now_ms < s->deadline_ms, PP_E_SESSION_GONE, 1);
    s->state = CVM_RUNNING;
    s->deadline_ms = deadline_ms;
    *ret = s;
    return PP_OK;
}

struct cvm_session *cvm_session_due(struct cvm_sessions *t, uint64_t now_ms)
{
    if (t->used == 0)
        return NULL;
    for (uint32_t i = 0; i < t->count_max; i++)
        if (t->slots[i].state != CVM_FREE && now_ms >= t->slots[i].deadline_ms)
            return &t->slots[i];
    return NULL;
}

void cvm_queue_join(struct cvm_queue *q, struct cvm_session *s)
{
    PP_ASSERT(s->queue == NULL);
    s->queue = q;
    s->next = NULL;
    s->previous = q->last;
    *(q->last == NULL ? &q->first : &q->last->next) = s;
    q->last = s;
}

void cvm_queue_leave(struct cvm_session *s)
{
    struct cvm_queue *q = s->queue;

    if (q == NULL)
        return;
    *(s->previous == NULL ? &q->first : &s->previous->next) = s->next;
    *(s->next == NULL ? &q->last : &s->next->previous) = s->previous;
    s->queue = NULL;
    s->next = s->previous = NULL;
}
