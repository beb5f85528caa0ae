/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include "cbor.h"
#include "message.h"
#include "msg_int.h"

enum { ANSWER_VERSION = 1 };

enum {
    KEY_VERSION = 0,
    KEY_OUTCOME = 1,
    KEY_ITEMS = 2,
    KEY_USED = 3,
    KEY_ENGINE = 4,
    MANDATORY = 1U << KEY_VERSION | 1U << KEY_OUTCOME | 1U << KEY_USED | 1U << KEY_ENGINE,
};

static const char *const KINDS[PP_ITEM_KIND_COUNT] = { "topic", "decision", "task", "date",
                                                       "open" };

const char *pp_item_kind_name(enum pp_item_kind k)
{
    PP_ASSERT((unsigned)k < PP_ITEM_KIND_COUNT);
    return KINDS[k];
}

pp_res pp_answer_clean(struct pp_answer *a, struct pp_arena *arena)
{
    size_t kept = 0;

    for (size_t i = 0; i < a->item_count; i++) {
        struct pp_item item = a->items[i];
        size_t cap;
        /* A malformed byte becomes the three of U+FFFD, and nothing else grows. */
        PP_TRY(pp_mul(item.text.len, 3, &cap));
        uint8_t *buf = pp_arena_alloc(arena, cap + 1);
        PP_CHECK(buf != NULL, PP_E_NO_MEMORY, cap);
        struct pp_wr wr = pp_wr_over(buf, cap);
        pp_clean_write(&wr, item.text, PP_CLEAN_ONE_LINE);
        PP_TRY(pp_wr_ok(&wr));
        item.text = pp_wr_done(&wr);
        if (item.text.len > 0)
            a->items[kept++] = item;
    }
    a->item_count = kept;
    if (a->outcome == PP_OUTCOME_OK && kept == 0)
        a->outcome = PP_OUTCOME_FAILED;
    return PP_OK;
}

/* --- writing --------------------------------------------------------------------------------- */

static pp_res item_check(const struct pp_item *item)
{
    PP_TRY(pp_msg_shown_check(item->text, PP_ANSWER_TEXT_BYTES_MAX));
    PP_CHECK(item->cited_count <= PP_ANSWER_CITED_MAX, PP_E_RANGE, item->cited_count);
    for (size_t i = 1; i < item->cited_count; i++)
        PP_CHECK(item->cited[i] > item->cited[i - 1], PP_E_ORDER, i);
    return PP_OK;
}

static pp_res answer_check(const struct pp_answer *a)
{
    PP_TRY(pp_msg_engine_check(&a->engine));
    PP_CHECK(a->used.count <= PP_BACKEND_MAX, PP_E_RANGE, KEY_USED);
    if (a->outcome != PP_OUTCOME_OK)
        PP_CHECK(a->item_count == 0, PP_E_FORMAT, KEY_ITEMS);
    else
        PP_CHECK(a->item_count >= 1, PP_E_RANGE, KEY_ITEMS);
    PP_CHECK(a->item_count <= PP_ANSWER_ITEM_MAX, PP_E_RANGE, KEY_ITEMS);
    for (size_t i = 0; i < a->item_count; i++)
        PP_TRY(item_check(&a->items[i]));
    return PP_OK;
}

static void item_wr(struct pp_wr *wr, const struct pp_item *item)
{
    pp_cbor_wr_array(wr, 3);
    pp_cbor_wr_text(wr, pp_span_cstr(pp_item_kind_name(item->kind)));
    pp_cbor_wr_text(wr, item->text);
    pp_cbor_wr_array(wr, item->cited_count);
    for (size_t i = 0; i < item->cited_count; i++)
        pp_cbor_wr_uint(wr, item->cited[i]);
}

/* The map, with the first `items` items; none means that the outcome is not OK. */
static void map_wr(struct pp_wr *wr, const struct pp_answer *a, size_t items)
{
    enum pp_outcome outcome = a->outcome == PP_OUTCOME_OK && items == 0 ? PP_OUTCOME_FAILED
                                                                        : a->outcome;

    pp_cbor_wr_map(wr, items > 0 ? 5 : 4);
    pp_cbor_wr_uint(wr, KEY_VERSION);
    pp_cbor_wr_uint(wr, ANSWER_VERSION);
    pp_cbor_wr_uint(wr, KEY_OUTCOME);
    pp_cbor_wr_uint(wr, outcome);
    if (items > 0) {
        pp_cbor_wr_uint(wr, KEY_ITEMS);
        pp_cbor_wr_array(wr, items);
        for (size_t i = 0; i < items; i++)
            item_wr(wr, &a->items[i]);
    }
    pp_cbor_wr_uint(wr, KEY_USED);
    pp_msg_backends_wr(wr, &a->used);
    pp_cbor_wr_uint(wr, KEY_ENGINE);
    pp_msg_engine_wr(wr, &a->engine);
}

pp_res pp_answer_write_padded(struct pp_wr *wr, const struct pp_answer *a, size_t room,
                              size_t *ret_items)
{
    PP_TRY(answer_check(a));
    PP_TRY(pp_wr_ok(wr));
    PP_CHECK(room <= wr->cap - wr->len, PP_E_NO_SPACE, room);

    for (size_t items = a->item_count;; items--) {
        /* A writer that ends where the room ends says whether it fits. */
        struct pp_wr trial = pp_wr_over(wr->at, wr->len + room);
        trial.len = wr->len;
        size_t mark = pp_padded_begin(&trial);
        map_wr(&trial, a, items);
        pp_res r = pp_padded_end(&trial, mark, room);
        if (!pp_is_ok(r) && items > 0)
            continue;
        PP_TRY(r);
        wr->len = trial.len;
        *ret_items = items;
        return PP_OK;
    }
}

/* --- reading --------------------------------------------------------------------------------- */

static enum pp_item_kind kind_rd(struct pp_rd *rd)
{
    struct pp_span name = pp_cbor_rd_text(rd, 1, PP_ANSWER_TEXT_BYTES_MAX);

    for (unsigned k = 0; k < PP_ITEM_KIND_COUNT; k++)
        if (pp_span_eq(name, pp_span_cstr(KINDS[k])))
            return (enum pp_item_kind)k;
    pp_rd_fail(rd, PP_E_FORMAT);
    return PP_ITEM_TOPIC;
}

static pp_res cited_parse(struct pp_rd *rd, struct pp_arena *arena, struct pp_item *item)
{
    size_t count = pp_cbor_rd_array(rd, 0, PP_ANSWER_CITED_MAX);

    PP_TRY(pp_rd_ok(rd));
    if (count == 0)
        return PP_OK;
    uint32_t *cited = pp_arena_array(arena, count, sizeof *cited);
    PP_CHECK(cited != NULL, PP_E_NO_MEMORY, count);
    for (size_t i = 0; i < count; i++) {
        cited[i] = (uint32_t)pp_cbor_rd_uint(rd, 0, UINT32_MAX);
        PP_TRY(pp_rd_ok(rd));
        if (i > 0)
            PP_CHECK(cited[i] > cited[i - 1],
                     cited[i] == cited[i - 1] ? PP_E_DUPLICATE : PP_E_ORDER, i);
    }
    item->cited = cited;
    item->cited_count = count;
    return PP_OK;
}

static pp_res items_parse(struct pp_rd *rd, enum pp_feature feature, struct pp_arena *arena,
                          struct pp_answer *a)
{
    /* A judge's consent has the form of a summary: one item, which is its word for it. */
    PP_CHECK(feature == PP_FEATURE_SUMMARIZE || feature == PP_FEATURE_JUDGE, PP_E_UNSUPPORTED,
             feature);
    size_t count = pp_cbor_rd_array(rd, 1, PP_ANSWER_ITEM_MAX);
    PP_TRY(pp_rd_ok(rd));
    a->items = pp_arena_array(arena, count, sizeof *a->items);
    PP_CHECK(a->items != NULL, PP_E_NO_MEMORY, count);
    for (size_t i = 0; i < count; i++) {
        struct pp_item *item = &a->items[i];
        pp_cbor_rd_tuple(rd, 3);
        item->kind = kind_rd(rd);
        item->text = pp_msg_shown_rd(rd, PP_ANSWER_TEXT_BYTES_MAX);
        PP_TRY(cited_parse(rd, arena, item));
    }
    a->item_count = count;
    return PP_OK;
}

static pp_res value_parse(struct pp_rd *rd, uint32_t key, enum pp_feature feature,
                          struct pp_arena *arena, struct pp_answer *a)
{
    switch (key) {
    case KEY_VERSION:
        if (pp_cbor_rd_uint(rd, 0, UINT64_MAX) != ANSWER_VERSION)
            pp_rd_fail(rd, PP_E_UNSUPPORTED);
        break;
    case KEY_OUTCOME:
        a->outcome = (enum pp_outcome)pp_cbor_rd_uint(rd, PP_OUTCOME_OK, PP_OUTCOME_FAILED);
        break;
    case KEY_ITEMS:
        return items_parse(rd, feature, arena, a);
    case KEY_USED:
        pp_msg_backends_rd(rd, 0, 0, &a->used);
        break;
    case KEY_ENGINE:
        pp_msg_engine_rd(rd, &a->engine);
        break;
    default:
        pp_rd_fail(rd, PP_E_UNKNOWN_FIELD);
    }
    return pp_rd_ok(rd);
}

pp_res pp_answer_parse(struct pp_span cbor, enum pp_feature feature, struct pp_arena *arena,
                       struct pp_answer *ret)
{
    struct pp_rd rd = pp_rd_span(cbor);
    struct pp_answer a = { 0 };

    PP_CHECK(cbor.len <= PP_ANSWER_BYTES_MAX, PP_E_LIMIT, cbor.len);
    struct pp_cbor_map map = pp_cbor_rd_map(&rd, PP_CBOR_KEY_MAX);
    while (pp_cbor_rd_key(&map, &rd))
        PP_TRY(value_parse(&rd, map.key, feature, arena, &a));
    PP_TRY(pp_rd_end(&rd));
    PP_TRY(pp_cbor_map_has(&map, MANDATORY));
    PP_CHECK((a.outcome == PP_OUTCOME_OK) == (a.item_count > 0), PP_E_FORMAT, a.outcome);
    *ret = a;
    return PP_OK;
}
