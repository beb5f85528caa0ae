/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle.h"

#include "cbor.h"
#include "hash.h"
#include "msg_int.h"

enum { BUNDLE_VERSION = 1 };

static void entry_rd(struct pp_rd *rd, struct pp_bundle_entry *e)
{
    pp_cbor_rd_tuple(rd, 2);
    e->entry = pp_cbor_rd_bytes(rd, 1, PP_BUNDLE_ENTRY_BYTES_MAX);
    e->proof = pp_cbor_rd_bytes(rd, 1, PP_BUNDLE_PROOF_BYTES_MAX);
}

static pp_res records_rd(struct pp_rd *rd, struct pp_arena *arena, struct pp_bundle *b)
{
    size_t count = pp_cbor_rd_array(rd, 0, PP_BUNDLE_RECORD_MAX);

    PP_TRY(pp_rd_ok(rd));
    b->records = pp_arena_array(arena, count, sizeof *b->records);
    PP_CHECK(b->records != NULL || count == 0, PP_E_NO_MEMORY, count);
    for (size_t i = 0; i < count; i++)
        entry_rd(rd, &b->records[i]);
    b->record_count = count;
    return pp_rd_ok(rd);
}

static pp_res list_rd(struct pp_rd *rd, struct pp_arena *arena, size_t max, size_t len_max,
                      struct pp_span **ret, size_t *ret_count)
{
    struct pp_rd ahead = *rd; /* the count decides how much the list takes */
    size_t count = pp_cbor_rd_array(&ahead, 0, max);

    PP_TRY(pp_rd_ok(&ahead));
    struct pp_span *list = pp_arena_array(arena, count, sizeof *list);
    PP_CHECK(list != NULL || count == 0, PP_E_NO_MEMORY, count);
    *ret_count = pp_msg_blobs_rd(rd, 0, max, len_max, list);
    *ret = list;
    return pp_rd_ok(rd);
}

static pp_res blobs_ascend(const struct pp_bundle *b)
{
    uint8_t before[PP_SHA256_BYTES];
    uint8_t digest[PP_SHA256_BYTES];

    for (size_t i = 0; i < b->blob_count; i++) {
        pp_sha256(b->blobs[i], digest);
        int order = i == 0 ? 1 : memcmp(digest, before, sizeof digest);
        PP_CHECK(order > 0, order == 0 ? PP_E_DUPLICATE : PP_E_ORDER, i);
        memcpy(before, digest, sizeof before);
    }
    return PP_OK;
}

pp_res pp_msg_bundle_rd(struct pp_rd *rd, struct pp_arena *arena, struct pp_bundle *ret)
{
    struct pp_bundle b = { 0 };

    pp_cbor_rd_tuple(rd, 5);
    if (pp_cbor_rd_uint(rd, 0, UINT64_MAX) != BUNDLE_VERSION)
        pp_rd_fail(rd, PP_E_UNSUPPORTED);
    entry_rd(rd, &b.status);
    PP_TRY(records_rd(rd, arena, &b));
    PP_TRY(list_rd(rd, arena, PP_BUNDLE_BLOB_MAX, PP_BUNDLE_BYTES_MAX, &b.blobs, &b.blob_count));
    PP_TRY(list_rd(rd, arena, PP_BUNDLE_REVOKE_MAX, PP_BUNDLE_ENTRY_BYTES_MAX, &b.revokes,
                   &b.revoke_count));
    PP_TRY(blobs_ascend(&b));
    *ret = b;
    return PP_OK;
}

pp_res pp_bundle_parse(struct pp_span cbor, struct pp_arena *arena, struct pp_bundle *ret)
{
    struct pp_rd rd = pp_rd_span(cbor);
    struct pp_bundle b;

    PP_CHECK(cbor.len <= PP_BUNDLE_BYTES_MAX, PP_E_LIMIT, cbor.len);
    PP_TRY(pp_msg_bundle_rd(&rd, arena, &b));
    PP_TRY(pp_rd_end(&rd));
    *ret = b;
    return PP_OK;
}

static void entry_wr(struct pp_wr *wr, const struct pp_bundle_entry *e)
{
    pp_cbor_wr_array(wr, 2);
    pp_cbor_wr_bytes(wr, e->entry);
    pp_cbor_wr_bytes(wr, e->proof);
}

void pp_msg_bundle_wr(struct pp_wr *wr, const struct pp_bundle *b)
{
    pp_cbor_wr_array(wr, 5);
    pp_cbor_wr_uint(wr, BUNDLE_VERSION);
    entry_wr(wr, &b->status);
    pp_cbor_wr_array(wr, b->record_count);
    for (size_t i = 0; i < b->record_count; i++)
        entry_wr(wr, &b->records[i]);
    pp_msg_blobs_wr(wr, b->blobs, b->blob_count);
    pp_msg_blobs_wr(wr, b->revokes, b->revoke_count);
}

static pp_res entry_check(const struct pp_bundle_entry *e)
{
    PP_CHECK(e->entry.len >= 1 && e->entry.len <= PP_BUNDLE_ENTRY_BYTES_MAX, PP_E_RANGE,
             e->entry.len);
    PP_CHECK(e->proof.len >= 1 && e->proof.len <= PP_BUNDLE_PROOF_BYTES_MAX, PP_E_RANGE,
             e->proof.len);
    return PP_OK;
}

static pp_res list_check(const struct pp_span *list, size_t count, size_t max, size_t len_max)
{
    PP_CHECK(count <= max, PP_E_RANGE, count);
    for (size_t i = 0; i < count; i++)
        PP_CHECK(list[i].len >= 1 && list[i].len <= len_max, PP_E_RANGE, list[i].len);
    return PP_OK;
}

pp_res pp_msg_bundle_check(const struct pp_bundle *b)
{
    PP_TRY(entry_check(&b->status));
    PP_CHECK(b->record_count <= PP_BUNDLE_RECORD_MAX, PP_E_RANGE, b->record_count);
    for (size_t i = 0; i < b->record_count; i++)
        PP_TRY(entry_check(&b->records[i]));
    PP_TRY(list_check(b->blobs, b->blob_count, PP_BUNDLE_BLOB_MAX, PP_BUNDLE_BYTES_MAX));
    PP_TRY(
        list_check(b->revokes, b->revoke_count, PP_BUNDLE_REVOKE_MAX, PP_BUNDLE_ENTRY_BYTES_MAX));
    return blobs_ascend(b);
}

struct pp_span pp_bundle_blob(const struct pp_bundle *b, const uint8_t sha256[PP_SHA256_BYTES])
{
    size_t from = 0, until = b->blob_count;
    uint8_t digest[PP_SHA256_BYTES];

    while (from < until) {
        size_t middle = from + (until - from) / 2;
        pp_sha256(b->blobs[middle], digest);
        int order = memcmp(sha256, digest, sizeof digest);
        if (order == 0)
            return b->blobs[middle];
        if (order < 0)
            until = middle;
        else
            from = middle + 1;
    }
    return (struct pp_span){ 0 };
}

pp_res pp_bundle_write(struct pp_wr *wr, const struct pp_bundle *b)
{
    size_t start = wr->len;

    PP_TRY(pp_msg_bundle_check(b));
    pp_msg_bundle_wr(wr, b);
    PP_TRY(pp_wr_ok(wr));
    PP_CHECK(wr->len - start <= PP_BUNDLE_BYTES_MAX, PP_E_RANGE, wr->len - start);
    return PP_OK;
}
