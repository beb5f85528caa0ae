/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker: one session's message key, request and answer. It has two descriptors, no file and no
 * network, and ends with the session; the kernel then clears its pages (init_on_free=1).
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "worker.h"

#include "binding.h"
#include "ct.h"
#include "ipc.h"
#include "limit.h"
#include "message.h"
#include "rd.h"
#include "sizes.h"
#include "wr.h"

enum {
    /* The engine's, the parsed request, and three calls of back-ends with a bucket each way. */
    ARENA_BYTES = PP_INFER_ARENA_BYTES + (5 << 20),
    ADMIT_BYTES = 1 << 18, /* a client's Evidence and the anchors */
};

/* --- the stream to the channel --------------------------------------------------------------- */

uint32_t worker_time(const struct worker *w, uint32_t most_ms)
{
    uint64_t now = pp_clock_mono_ms(&w->clock);
    uint64_t left = now < w->deadline_ms ? w->deadline_ms - now : 1;

    return left < most_ms ? (uint32_t)left : most_ms;
}

pp_res worker_say(const struct worker *w, enum cvm_word word, struct pp_span bytes)
{
    uint8_t head[CVM_WORD_HEAD_BYTES];
    struct pp_wr wr = pp_wr_over(head, sizeof head);

    PP_CHECK(bytes.len <= CVM_WORD_BYTES_MAX, PP_E_LIMIT, bytes.len);
    pp_wr_u32(&wr, (uint32_t)word << 24 | (uint32_t)bytes.len);
    PP_TRY(cvm_write_all(w->channel_fd, pp_wr_done(&wr)));
    return cvm_write_all(w->channel_fd, bytes);
}

/* Once a word has begun the rest is on its way: the channel writes words whole. */
static pp_res hear_head(const struct worker *w, enum cvm_word word, uint64_t ms, uint32_t *ret_len)
{
    uint8_t head[CVM_WORD_HEAD_BYTES];

    if (ms > 0)
        PP_TRY(cvm_wait(w->channel_fd, (int)ms));
    PP_TRY(cvm_read_all(w->channel_fd, head, sizeof head));
    struct pp_rd rd = pp_rd_over(head, sizeof head);
    uint32_t said = pp_rd_u32(&rd);
    PP_CHECK(said >> 24 == word, PP_E_FORMAT, said);
    *ret_len = said & CVM_WORD_BYTES_MAX;
    return PP_OK;
}

pp_res worker_hear(struct worker *w, enum cvm_word word, size_t max, uint64_t ms,
                   struct pp_span *ret)
{
    uint32_t len = 0;

    PP_TRY(hear_head(w, word, ms, &len));
    PP_CHECK(len <= max, PP_E_LIMIT, len);
    uint8_t *bytes = pp_arena_alloc(&w->arena, (size_t)len + 1);
    PP_CHECK(bytes != NULL, PP_E_NO_MEMORY, len);
    PP_TRY(cvm_read_all(w->channel_fd, bytes, len));
    *ret = pp_span(bytes, len);
    return PP_OK;
}

/* --- before the request ---------------------------------------------------------------------- */

static pp_res offer_key(struct worker *w)
{
    uint8_t packet[2 + PP_KEM_PK_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(packet, sizeof packet);

    PP_TRY(pp_kem_key_generate(w->config->message_kem, &w->random, &w->key));
    pp_wr_u16(&wr, w->config->message_kem);
    pp_wr_span(&wr, pp_kem_key_public(w->key));
    PP_TRY(pp_wr_ok(&wr));
    return cvm_send(w->attester_fd, pp_wr_done(&wr), -1);
}

/* The binding value comes from the attester alone; an end of the session's stream ends the wait. */
static pp_res take_binding(struct worker *w)
{
    struct pollfd p[2] = { { .fd = w->attester_fd, .events = POLLIN },
                           { .fd = w->channel_fd, .events = 0 } };
    static uint8_t packet[CVM_BINDING_PACKET_BYTES_MAX];
    size_t len = 0;
    int n;

    do
        n = poll(p, PP_ARRAY_COUNT(p), -1);
    while (n < 0 && errno == EINTR);
    PP_CHECK(p[1].revents == 0, PP_E_CLOSED, 0);
    PP_TRY(cvm_recv(w->attester_fd, packet, sizeof packet, &len, NULL));
    struct pp_rd rd = pp_rd_over(packet, len);
    pp_rd_copy(&rd, w->binding, sizeof w->binding);
    if (w->config->has_gpu)
        pp_rd_copy(&rd, w->gpu_digest, sizeof w->gpu_digest);
    struct pp_span hints = pp_rd_rest(&rd);
    PP_TRY(pp_rd_ok(&rd));
    struct pp_wr wr = pp_wr_over(w->hints_bytes, sizeof w->hints_bytes);
    pp_wr_span(&wr, hints);
    PP_TRY(pp_wr_ok(&wr));
    pp_ignore(pp_hints_parse(pp_span(w->hints_bytes, hints.len), &w->hints),
              "whoever needs what they say finds that it is not there");
    return PP_OK;
}

/* --- the request ----------------------------------------------------------------------------- */

/*
 * Locked where the limits allow it; never in a dump, never in a child. Pages are locked when they
 * are first touched: most chats need a tenth of what the largest needs, and the other pages would
 * cost a session more than its cryptography does.
 */
static pp_res take_memory(struct worker *w, size_t len)
{
    void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    PP_CHECK(p != MAP_FAILED, PP_E_NO_MEMORY, len);
    (void)madvise(p, len, MADV_DONTDUMP);
    (void)madvise(p, len, MADV_WIPEONFORK);
    (void)mlock2(p, len, MLOCK_ONFAULT);
    w->memory = p;
    w->memory_len = len;
    w->arena = pp_arena_over(p, len);
    return PP_OK;
}

/* All of the memory that was ever handed out: an arena goes back by its reset alone. */
static void drop_memory(struct worker *w)
{
    if (w->memory == NULL)
        return;
    pp_arena_reset(&w->arena);
    (void)munmap(w->memory, w->memory_len);
    w->memory = NULL;
}

/* Reads the SealedRequest and opens it; the plaintext stands in the arena. */
static enum cvm_worker_end open_request(struct worker *w, struct pp_span *ret_pt)
{
    uint32_t sealed_len = 0;
    size_t len = 0;

    if (!pp_is_ok(hear_head(w, CVM_WORD_SEALED, 0, &sealed_len)))
        return CVM_WORKER_UNUSED;
    if (sealed_len == 0 || sealed_len > CVM_SEALED_REQUEST_BYTES_MAX ||
        !pp_is_ok(take_memory(w, ARENA_BYTES + (size_t)2 * sealed_len)))
        return CVM_WORKER_BROKEN;
    uint8_t *sealed = pp_arena_alloc(&w->arena, sealed_len);
    uint8_t *pt = pp_arena_alloc(&w->arena, sealed_len);
    PP_ASSERT(sealed != NULL);
    PP_ASSERT(pt != NULL);
    if (!pp_is_ok(cvm_read_all(w->channel_fd, sealed, sealed_len)))
        return CVM_WORKER_UNUSED;

    pp_res r = pp_seal_open_request(&w->seal, w->key, w->binding, pp_span(sealed, sealed_len), pt,
                                    &len);
    pp_kem_key_free(w->key); /* it served its one session */
    w->key = NULL;
    if (!pp_is_ok(r))
        return CVM_WORKER_UNOPENED;
    w->pt_len = len;
    w->deadline_ms = pp_clock_mono_ms(&w->clock) + CVM_INFERENCE_MS;
    *ret_pt = pp_span(pt, len);
    return CVM_WORKER_ANSWERED;
}

static pp_res read_request(struct worker *w, struct pp_span pt, struct pp_request *ret)
{
    struct pp_span cbor;

    PP_TRY(pp_padded_parse(pt, &cbor));
    return pp_request_parse(cbor, &w->arena, ret);
}

/* --- the engine ------------------------------------------------------------------------------ */

struct run {
    const struct pp_infer_engine *engine;
    struct pp_infer_chat chat;
    struct pp_arena *arena;
    struct pp_infer_items items;
    pp_res result;
};

static void run_engine(void *ctx)
{
    struct run *r = ctx;

    r->result = pp_infer_summarize(r->engine, &r->chat, r->arena, &r->items);
}

static pp_res chat_of(const struct pp_summarize *s, struct pp_arena *a, struct pp_infer_chat *ret)
{
    struct pp_infer_message *list = pp_arena_array(a, s->message_count, sizeof *list);

    PP_CHECK(list != NULL, PP_E_NO_MEMORY, s->message_count);
    for (size_t i = 0; i < s->message_count; i++)
        list[i] = (struct pp_infer_message){ .id = s->messages[i].id,
                                             .minute = s->messages[i].minute,
                                             .sender = s->messages[i].sender,
                                             .text = s->messages[i].text };
    *ret = (struct pp_infer_chat){ .language = s->language,
                                   .words = s->words,
                                   .messages = list,
                                   .message_count = s->message_count };
    return PP_OK;
}

static enum pp_item_kind kind_of(uint32_t kind)
{
    switch (kind) {
    case PP_INFER_DECISION:
        return PP_ITEM_DECISION;
    case PP_INFER_DATE:
        return PP_ITEM_DATE;
    case PP_INFER_TASK:
        return PP_ITEM_TASK;
    case PP_INFER_OPEN:
        return PP_ITEM_OPEN;
    default:
        return PP_ITEM_TOPIC;
    }
}

static pp_res items_of(const struct pp_infer_items *from, struct pp_arena *a,
                       struct pp_answer *answer)
{
    PP_CHECK(from->count >= 1 && from->count <= PP_ANSWER_ITEM_MAX, PP_E_ANSWER_FAILED,
             from->count);
    answer->items = pp_arena_array(a, from->count, sizeof *answer->items);
    PP_CHECK(answer->items != NULL, PP_E_NO_MEMORY, from->count);
    for (size_t i = 0; i < from->count; i++) {
        const struct pp_infer_item *item = &from->at[i];
        uint32_t *cited = pp_arena_array(a, item->id_count, sizeof *cited);
        PP_CHECK(cited != NULL, PP_E_NO_MEMORY, item->id_count);
        for (size_t n = 0; n < item->id_count; n++)
            cited[n] = (uint32_t)item->ids[n]; /* ids of the request, which has 32 bits */
        answer->items[i] = (struct pp_item){ .kind = kind_of(item->kind),
                                             .text = item->text,
                                             .cited = cited,
                                             .cited_count = item->id_count };
    }
    answer->item_count = from->count;
    return pp_answer_clean(answer, a);
}

pp_res worker_summarize(struct worker *w, const struct pp_request *q, struct pp_answer *answer)
{
    struct run run = { .engine = w->config->engine, .arena = &w->arena };

    PP_TRY(chat_of(&q->summarize, &w->arena, &run.chat));
    PP_CHECK(cvm_run_limited(run_engine, &run, worker_time(w, CVM_INFERENCE_MS)), PP_E_TIMEOUT, 0);
    PP_TRY(run.result);
    return items_of(&run.items, &w->arena, answer);
}

static void fail_answer(struct pp_answer *a, enum pp_outcome outcome)
{
    a->items = NULL;
    a->item_count = 0;
    a->outcome = outcome;
}

/* What this machine's role makes of a request: each knows its own and refuses the others. */
static pp_res answer_as(struct worker *w, const struct pp_request *q, struct pp_answer *answer)
{
    switch (w->config->role) {
    case PP_RECORD_GUARD:
        PP_CHECK(q->feature == PP_FEATURE_JUDGE, PP_E_ANSWER_REFUSED, q->feature);
        return worker_judge(w, &q->judge, answer);
    case PP_RECORD_ORCHESTRATOR:
        if (q->backends.count > 0)
            return worker_ask_backends(w, q, answer);
        break;
    default:
        break;
    }
    PP_CHECK(q->feature == PP_FEATURE_SUMMARIZE, PP_E_ANSWER_REFUSED, q->feature);
    return worker_summarize(w, q, answer);
}

/* pp-wire 9 and 12: whatever goes wrong from here on is an outcome, and has the answer's size. */
static struct pp_answer answer_to(struct worker *w, const struct pp_request *q)
{
    struct pp_answer answer = {
        .outcome = PP_OUTCOME_OK,
        .engine = { .kind = pp_span_cstr(w->config->engine->kind),
                    .name = pp_span_cstr(w->config->engine->name) },
    };

    pp_res r = answer_as(w, q, &answer);
    if (!pp_is_ok(r))
        fail_answer(&answer,
                    r.code == PP_E_ANSWER_REFUSED ? PP_OUTCOME_REFUSED : PP_OUTCOME_FAILED);
    return answer;
}

/*
 * Room for the answer is taken before the engine runs, so that whatever the engine leaves of the
 * arena, an answer of the bucket's size can be made. One that cannot be written as it is becomes a
 * failed one.
 */
static pp_res answer_request(struct worker *w, const struct pp_request *q)
{
    size_t room = pp_answer_room(q->answer_kib);
    size_t cap = room + PP_SEALED_RESPONSE_EXTRA;
    uint8_t *pt = pp_arena_alloc(&w->arena, room);
    uint8_t *out = pp_arena_alloc(&w->arena, cap);
    size_t items;

    PP_CHECK(pt != NULL && out != NULL, PP_E_NO_MEMORY, cap);
    struct pp_answer answer = answer_to(w, q);
    struct pp_wr plain = pp_wr_over(pt, room);
    if (!pp_is_ok(pp_answer_write_padded(&plain, &answer, room, &items))) {
        fail_answer(&answer, PP_OUTCOME_FAILED);
        plain = pp_wr_over(pt, room);
        PP_TRY(pp_answer_write_padded(&plain, &answer, room, &items));
    }
    struct pp_wr wr = pp_wr_over(out, cap);
    PP_TRY(pp_seal_response(&w->seal, &w->random, pp_wr_done(&plain), &wr));
    return worker_say(w, CVM_WORD_SEALED, pp_wr_done(&wr));
}

/* --- the whole ------------------------------------------------------------------------------- */

/* Nothing to answer with: the session ends with an alert and the size of one. */
static enum cvm_worker_end give_up(struct worker *w, enum cvm_worker_end why)
{
    if (why == CVM_WORKER_UNOPENED || why == CVM_WORKER_UNREAD || why == CVM_WORKER_BROKEN)
        pp_ignore(worker_say(w, CVM_WORD_SEALED, (struct pp_span){ 0 }),
                  "the end of the stream says it too");
    return why;
}

/* Of a back-end: nothing is opened for a client whose Evidence is not in order. */
static enum cvm_worker_end meet_client(struct worker *w)
{
    struct pp_admitted admitted;

    if (!cvm_is_backend(w->config))
        return CVM_WORKER_ANSWERED;
    if (!pp_is_ok(take_memory(w, ADMIT_BYTES)))
        return CVM_WORKER_BROKEN;
    pp_res r = worker_admit(w, &admitted);
    drop_memory(w);
    if (r.code == PP_E_CLOSED)
        return CVM_WORKER_UNUSED;
    return pp_is_ok(r) ? CVM_WORKER_ANSWERED : CVM_WORKER_UNATTESTED;
}

static enum cvm_worker_end serve(struct worker *w)
{
    struct pp_request q;
    struct pp_span pt;

    if (!pp_is_ok(offer_key(w)))
        return CVM_WORKER_BROKEN;
    if (!pp_is_ok(take_binding(w)))
        return CVM_WORKER_UNUSED;
    enum cvm_worker_end end = meet_client(w);
    if (end == CVM_WORKER_ANSWERED)
        end = open_request(w, &pt);
    if (end != CVM_WORKER_ANSWERED)
        return give_up(w, end);
    if (!pp_is_ok(read_request(w, pt, &q)))
        return give_up(w, CVM_WORKER_UNREAD);
    if (!pp_is_ok(answer_request(w, &q)))
        return give_up(w, CVM_WORKER_BROKEN);
    return CVM_WORKER_ANSWERED;
}

int cvm_worker_main(const struct cvm_config *c, int channel_fd, int attester_fd)
{
    static struct worker w;

    w.config = c;
    w.channel_fd = channel_fd;
    w.attester_fd = attester_fd;
    w.random = pp_random_system();
    w.clock = pp_clock_system();
    enum cvm_worker_end end = serve(&w);
    pp_kem_key_free(w.key);
    pp_seal_done(&w.seal);
    drop_memory(&w);
    pp_wipe(&w, sizeof w);
    return (int)end;
}
