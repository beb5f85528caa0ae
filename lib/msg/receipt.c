/* SPDX-License-Identifier: Apache-2.0 */
#include "receipt.h"

#include "cbor.h"
#include "msg_int.h"

enum { RECEIPT_VERSION = 1, OUTCOME_MAX = 2, CHECK_NUMBER_MAX = 31 };

enum {
    KEY_VERSION = 0,
    KEY_TIME = 1,
    KEY_ANCHORS = 2,
    KEY_BUNDLE = 3,
    KEY_EVIDENCE = 4,
    KEY_SESSION = 5,
    KEY_CHECKS = 6,
    KEY_SIZES = 7,
    KEY_RESULT = 8,
    KEY_USED = 9, /* absent when there is none */
    PAIRS = 9,
    ALL = (1U << PAIRS) - 1,
};

static pp_res anchors_ascend(const struct pp_receipt_anchor *a, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        int order = pp_span_cmp(a[i].name, a[i - 1].name);
        PP_CHECK(order > 0, order == 0 ? PP_E_DUPLICATE : PP_E_ORDER, i);
    }
    return PP_OK;
}

static pp_res anchors_parse(struct pp_rd *rd, struct pp_arena *arena, struct pp_receipt *r)
{
    size_t count = pp_cbor_rd_array(rd, 1, PP_RECEIPT_ANCHOR_MAX);

    PP_TRY(pp_rd_ok(rd));
    r->anchors = pp_arena_array(arena, count, sizeof *r->anchors);
    PP_CHECK(r->anchors != NULL, PP_E_NO_MEMORY, count);
    for (size_t i = 0; i < count; i++) {
        pp_cbor_rd_tuple(rd, 2);
        r->anchors[i].name = pp_msg_shown_rd(rd, PP_RECEIPT_ANCHOR_NAME_BYTES_MAX);
        r->anchors[i].bytes = pp_cbor_rd_bytes(rd, 1, PP_RECEIPT_ANCHOR_BYTES_MAX);
    }
    PP_TRY(pp_rd_ok(rd));
    r->anchor_count = count;
    return anchors_ascend(r->anchors, count);
}

static pp_res checks_parse(struct pp_rd *rd, struct pp_arena *arena, struct pp_receipt *r)
{
    size_t count = pp_cbor_rd_array(rd, 1, PP_RECEIPT_CHECK_MAX);

    PP_TRY(pp_rd_ok(rd));
    r->checks = pp_arena_array(arena, count, sizeof *r->checks);
    PP_CHECK(r->checks != NULL, PP_E_NO_MEMORY, count);
    for (size_t i = 0; i < count; i++) {
        struct pp_receipt_check *c = &r->checks[i];
        pp_cbor_rd_tuple(rd, 4);
        c->number = (uint32_t)pp_cbor_rd_uint(rd, 1, CHECK_NUMBER_MAX);
        c->code = pp_msg_shown_rd(rd, PP_RECEIPT_CODE_BYTES_MAX);
        c->verdict = (enum pp_verdict)pp_cbor_rd_uint(rd, PP_VERDICT_PROVEN, PP_VERDICT_SKIPPED);
        c->anchor = pp_msg_line_rd(rd, PP_RECEIPT_CHECK_ANCHOR_BYTES_MAX);
    }
    r->check_count = count;
    return pp_rd_ok(rd);
}

static void sizes_rd(struct pp_rd *rd, struct pp_receipt *r)
{
    pp_cbor_rd_tuple(rd, 2);
    for (size_t i = 0; i < PP_ARRAY_COUNT(r->exchanges); i++) {
        pp_cbor_rd_tuple(rd, 2);
        r->exchanges[i].up = (uint32_t)pp_cbor_rd_uint(rd, 0, UINT32_MAX);
        r->exchanges[i].down = (uint32_t)pp_cbor_rd_uint(rd, 0, UINT32_MAX);
    }
}

static void time_rd(struct pp_rd *rd, struct pp_receipt *r)
{
    r->posix_s = pp_cbor_rd_uint(rd, 0, UINT64_MAX);
    if (r->posix_s % PP_RECEIPT_TIME_STEP_S != 0)
        pp_rd_fail(rd, PP_E_FORMAT);
}

static pp_res value_parse(struct pp_rd *rd, uint32_t key, struct pp_arena *arena,
                          struct pp_receipt *r)
{
    switch (key) {
    case KEY_VERSION:
        if (pp_cbor_rd_uint(rd, 0, UINT64_MAX) != RECEIPT_VERSION)
            pp_rd_fail(rd, PP_E_UNSUPPORTED);
        break;
    case KEY_TIME:
        time_rd(rd, r);
        break;
    case KEY_ANCHORS:
        return anchors_parse(rd, arena, r);
    case KEY_BUNDLE:
        return pp_msg_bundle_rd(rd, arena, &r->bundle);
    case KEY_EVIDENCE:
        r->evidence = pp_cbor_rd_bytes(rd, 1, PP_RECEIPT_EVIDENCE_BYTES_MAX);
        break;
    case KEY_SESSION:
        pp_cbor_rd_tuple(rd, 2);
        pp_cbor_rd_copy(rd, r->ekm, sizeof r->ekm);
        pp_cbor_rd_copy(rd, r->spki, sizeof r->spki);
        break;
    case KEY_CHECKS:
        return checks_parse(rd, arena, r);
    case KEY_SIZES:
        sizes_rd(rd, r);
        break;
    case KEY_RESULT:
        pp_cbor_rd_tuple(rd, 3);
        r->feature = pp_msg_shown_rd(rd, PP_RECEIPT_FEATURE_BYTES_MAX);
        r->outcome = (uint32_t)pp_cbor_rd_uint(rd, 0, OUTCOME_MAX);
        pp_msg_engine_rd(rd, &r->engine);
        break;
    case KEY_USED:
        pp_msg_backends_rd(rd, 1, 0, &r->used);
        break;
    default:
        pp_rd_fail(rd, PP_E_UNKNOWN_FIELD);
    }
    return pp_rd_ok(rd);
}

pp_res pp_receipt_parse(struct pp_span cbor, struct pp_arena *arena, struct pp_receipt *ret)
{
    struct pp_rd rd = pp_rd_span(cbor);
    struct pp_receipt r = { 0 };

    PP_CHECK(cbor.len <= PP_RECEIPT_BYTES_MAX, PP_E_LIMIT, cbor.len);
    struct pp_cbor_map map = pp_cbor_rd_map(&rd, PP_CBOR_KEY_MAX);
    while (pp_cbor_rd_key(&map, &rd))
        PP_TRY(value_parse(&rd, map.key, arena, &r));
    PP_TRY(pp_rd_end(&rd));
    PP_TRY(pp_cbor_map_has(&map, ALL));
    *ret = r;
    return PP_OK;
}

/* --- writing --------------------------------------------------------------------------------- */

static pp_res anchors_check(const struct pp_receipt *r)
{
    PP_CHECK(r->anchor_count >= 1 && r->anchor_count <= PP_RECEIPT_ANCHOR_MAX, PP_E_RANGE,
             KEY_ANCHORS);
    for (size_t i = 0; i < r->anchor_count; i++) {
        const struct pp_receipt_anchor *a = &r->anchors[i];
        PP_TRY(pp_msg_shown_check(a->name, PP_RECEIPT_ANCHOR_NAME_BYTES_MAX));
        PP_CHECK(a->bytes.len >= 1 && a->bytes.len <= PP_RECEIPT_ANCHOR_BYTES_MAX, PP_E_RANGE,
                 KEY_ANCHORS);
    }
    return anchors_ascend(r->anchors, r->anchor_count);
}

static pp_res checks_check(const struct pp_receipt *r)
{
    PP_CHECK(r->check_count >= 1 && r->check_count <= PP_RECEIPT_CHECK_MAX, PP_E_RANGE, KEY_CHECKS);
    for (size_t i = 0; i < r->check_count; i++) {
        const struct pp_receipt_check *c = &r->checks[i];
        PP_CHECK(c->number >= 1 && c->number <= CHECK_NUMBER_MAX, PP_E_RANGE, KEY_CHECKS);
        PP_CHECK(c->verdict >= PP_VERDICT_PROVEN && c->verdict <= PP_VERDICT_SKIPPED, PP_E_RANGE,
                 KEY_CHECKS);
        PP_TRY(pp_msg_shown_check(c->code, PP_RECEIPT_CODE_BYTES_MAX));
        if (c->anchor.len > 0)
            PP_TRY(pp_msg_shown_check(c->anchor, PP_RECEIPT_CHECK_ANCHOR_BYTES_MAX));
    }
    return PP_OK;
}

static pp_res receipt_check(const struct pp_receipt *r)
{
    PP_CHECK(r->posix_s % PP_RECEIPT_TIME_STEP_S == 0, PP_E_FORMAT, KEY_TIME);
    PP_TRY(anchors_check(r));
    PP_TRY(pp_msg_bundle_check(&r->bundle));
    PP_CHECK(r->evidence.len >= 1 && r->evidence.len <= PP_RECEIPT_EVIDENCE_BYTES_MAX, PP_E_RANGE,
             KEY_EVIDENCE);
    PP_TRY(checks_check(r));
    PP_TRY(pp_msg_shown_check(r->feature, PP_RECEIPT_FEATURE_BYTES_MAX));
    PP_CHECK(r->outcome <= OUTCOME_MAX, PP_E_RANGE, KEY_RESULT);
    PP_CHECK(r->used.count <= PP_BACKEND_MAX, PP_E_RANGE, KEY_USED);
    return pp_msg_engine_check(&r->engine);
}

static void anchors_wr(struct pp_wr *wr, const struct pp_receipt *r)
{
    pp_cbor_wr_array(wr, r->anchor_count);
    for (size_t i = 0; i < r->anchor_count; i++) {
        pp_cbor_wr_array(wr, 2);
        pp_cbor_wr_text(wr, r->anchors[i].name);
        pp_cbor_wr_bytes(wr, r->anchors[i].bytes);
    }
}

static void checks_wr(struct pp_wr *wr, const struct pp_receipt *r)
{
    pp_cbor_wr_array(wr, r->check_count);
    for (size_t i = 0; i < r->check_count; i++) {
        pp_cbor_wr_array(wr, 4);
        pp_cbor_wr_uint(wr, r->checks[i].number);
        pp_cbor_wr_text(wr, r->checks[i].code);
        pp_cbor_wr_uint(wr, r->checks[i].verdict);
        pp_cbor_wr_text(wr, r->checks[i].anchor);
    }
}

static void sizes_wr(struct pp_wr *wr, const struct pp_receipt *r)
{
    pp_cbor_wr_array(wr, PP_ARRAY_COUNT(r->exchanges));
    for (size_t i = 0; i < PP_ARRAY_COUNT(r->exchanges); i++) {
        pp_cbor_wr_array(wr, 2);
        pp_cbor_wr_uint(wr, r->exchanges[i].up);
        pp_cbor_wr_uint(wr, r->exchanges[i].down);
    }
}

pp_res pp_receipt_write(struct pp_wr *wr, const struct pp_receipt *r)
{
    PP_TRY(receipt_check(r));
    pp_cbor_wr_map(wr, (size_t)PAIRS + (r->used.count > 0));
    pp_cbor_wr_uint(wr, KEY_VERSION);
    pp_cbor_wr_uint(wr, RECEIPT_VERSION);
    pp_cbor_wr_uint(wr, KEY_TIME);
    pp_cbor_wr_uint(wr, r->posix_s);
    pp_cbor_wr_uint(wr, KEY_ANCHORS);
    anchors_wr(wr, r);
    pp_cbor_wr_uint(wr, KEY_BUNDLE);
    pp_msg_bundle_wr(wr, &r->bundle);
    pp_cbor_wr_uint(wr, KEY_EVIDENCE);
    pp_cbor_wr_bytes(wr, r->evidence);
    pp_cbor_wr_uint(wr, KEY_SESSION);
    pp_cbor_wr_array(wr, 2);
    pp_cbor_wr_bytes(wr, PP_BYTES(r->ekm));
    pp_cbor_wr_bytes(wr, PP_BYTES(r->spki));
    pp_cbor_wr_uint(wr, KEY_CHECKS);
    checks_wr(wr, r);
    pp_cbor_wr_uint(wr, KEY_SIZES);
    sizes_wr(wr, r);
    pp_cbor_wr_uint(wr, KEY_RESULT);
    pp_cbor_wr_array(wr, 3);
    pp_cbor_wr_text(wr, r->feature);
    pp_cbor_wr_uint(wr, r->outcome);
    pp_msg_engine_wr(wr, &r->engine);
    if (r->used.count > 0) {
        pp_cbor_wr_uint(wr, KEY_USED);
        pp_msg_backends_wr(wr, &r->used);
    }
    return pp_wr_ok(wr);
}
