/* SPDX-License-Identifier: Apache-2.0 */
#include "msg_int.h"

#include "clean.h"
#include "text.h"

static int backend_cmp(const struct pp_backend *a, const struct pp_backend *b)
{
    int c = pp_span_cmp(a->role, b->role);

    return c != 0 ? c : memcmp(a->release_id, b->release_id, sizeof a->release_id);
}

void pp_msg_backends_rd(struct pp_rd *rd, size_t min, int sorted, struct pp_backends *ret)
{
    size_t count = pp_cbor_rd_array(rd, min, PP_BACKEND_MAX);

    for (size_t i = 0; i < count && rd->failed == PP_E_OK; i++) {
        struct pp_backend *b = &ret->items[i];
        pp_cbor_rd_tuple(rd, 2);
        b->role = pp_cbor_rd_text(rd, 1, PP_BACKEND_ROLE_BYTES_MAX);
        pp_cbor_rd_copy(rd, b->release_id, sizeof b->release_id);
        if (!sorted || i == 0 || rd->failed != PP_E_OK)
            continue;
        int order = backend_cmp(b, b - 1);
        if (order <= 0)
            pp_rd_fail(rd, order == 0 ? PP_E_DUPLICATE : PP_E_ORDER);
    }
    ret->count = rd->failed == PP_E_OK ? count : 0;
}

void pp_msg_backends_wr(struct pp_wr *wr, const struct pp_backends *b)
{
    pp_cbor_wr_array(wr, b->count);
    for (size_t i = 0; i < b->count; i++) {
        pp_cbor_wr_array(wr, 2);
        pp_cbor_wr_text(wr, b->items[i].role);
        pp_cbor_wr_bytes(wr, PP_BYTES(b->items[i].release_id));
    }
}

size_t pp_msg_hosts_rd(struct pp_rd *rd, struct pp_host_path ret[PP_HOST_PATHS_MAX])
{
    size_t count = pp_cbor_rd_array(rd, 1, PP_HOST_PATHS_MAX);

    for (size_t i = 0; i < count && rd->failed == PP_E_OK; i++) {
        struct pp_host_path *p = &ret[i];
        pp_cbor_rd_tuple(rd, 4);
        pp_cbor_rd_copy(rd, p->record_id, sizeof p->record_id);
        p->size = (uint32_t)pp_cbor_rd_uint(rd, 1, UINT64_C(1) << PP_HOST_PATH_MAX);
        p->index = (uint32_t)pp_cbor_rd_uint(rd, 0, p->size == 0 ? 0 : p->size - 1);
        p->node_count = pp_cbor_rd_array(rd, 0, PP_HOST_PATH_MAX);
        for (size_t n = 0; n < p->node_count; n++)
            pp_cbor_rd_copy(rd, p->nodes[n], PP_HASH_NODE_BYTES);
    }
    if (rd->failed == PP_E_OK && count == 2 &&
        memcmp(ret[0].record_id, ret[1].record_id, sizeof ret[0].record_id) == 0)
        pp_rd_fail(rd, PP_E_DUPLICATE);
    return rd->failed == PP_E_OK ? count : 0;
}

void pp_msg_hosts_wr(struct pp_wr *wr, const struct pp_host_path *hosts, size_t count)
{
    pp_cbor_wr_array(wr, count);
    for (size_t i = 0; i < count; i++) {
        pp_cbor_wr_array(wr, 4);
        pp_cbor_wr_bytes(wr, PP_BYTES(hosts[i].record_id));
        pp_cbor_wr_uint(wr, hosts[i].size);
        pp_cbor_wr_uint(wr, hosts[i].index);
        pp_cbor_wr_array(wr, hosts[i].node_count);
        for (size_t n = 0; n < hosts[i].node_count; n++)
            pp_cbor_wr_bytes(wr, PP_BYTES(hosts[i].nodes[n]));
    }
}

size_t pp_msg_blobs_rd(struct pp_rd *rd, size_t min, size_t max, size_t len_max,
                       struct pp_span *ret)
{
    size_t count = pp_cbor_rd_array(rd, min, max);

    for (size_t i = 0; i < count && rd->failed == PP_E_OK; i++)
        ret[i] = pp_cbor_rd_bytes(rd, 1, len_max);
    return rd->failed == PP_E_OK ? count : 0;
}

void pp_msg_blobs_wr(struct pp_wr *wr, const struct pp_span *blobs, size_t count)
{
    pp_cbor_wr_array(wr, count);
    for (size_t i = 0; i < count; i++)
        pp_cbor_wr_bytes(wr, blobs[i]);
}

struct pp_span pp_msg_line_rd(struct pp_rd *rd, size_t max)
{
    struct pp_span text = pp_cbor_rd_text(rd, 0, max);

    if (!pp_is_ok(pp_clean_check(text, PP_CLEAN_ONE_LINE)))
        pp_rd_fail(rd, PP_E_FORMAT);
    return text;
}

struct pp_span pp_msg_shown_rd(struct pp_rd *rd, size_t max)
{
    struct pp_span text = pp_msg_line_rd(rd, max);

    if (rd->failed == PP_E_OK && text.len == 0)
        pp_rd_fail(rd, PP_E_RANGE);
    return text;
}

pp_res pp_msg_shown_check(struct pp_span text, size_t max)
{
    PP_CHECK(text.len >= 1 && text.len <= max, PP_E_RANGE, text.len);
    PP_TRY(pp_utf8_check(text));
    return pp_clean_check(text, PP_CLEAN_ONE_LINE);
}

void pp_msg_engine_rd(struct pp_rd *rd, struct pp_engine *e)
{
    pp_cbor_rd_tuple(rd, 3);
    e->kind = pp_msg_shown_rd(rd, PP_ENGINE_KIND_BYTES_MAX);
    e->name = pp_msg_shown_rd(rd, PP_ENGINE_NAME_BYTES_MAX);
    e->model_digest = pp_cbor_rd_bytes(rd, 0, PP_MODEL_DIGEST_BYTES);
    if (e->model_digest.len != 0 && e->model_digest.len != PP_MODEL_DIGEST_BYTES)
        pp_rd_fail(rd, PP_E_RANGE);
}

pp_res pp_msg_engine_check(const struct pp_engine *e)
{
    PP_TRY(pp_msg_shown_check(e->kind, PP_ENGINE_KIND_BYTES_MAX));
    PP_TRY(pp_msg_shown_check(e->name, PP_ENGINE_NAME_BYTES_MAX));
    PP_CHECK(e->model_digest.len == 0 || e->model_digest.len == PP_MODEL_DIGEST_BYTES, PP_E_RANGE,
             e->model_digest.len);
    return PP_OK;
}

void pp_msg_engine_wr(struct pp_wr *wr, const struct pp_engine *e)
{
    pp_cbor_wr_array(wr, 3);
    pp_cbor_wr_text(wr, e->kind);
    pp_cbor_wr_text(wr, e->name);
    pp_cbor_wr_bytes(wr, e->model_digest);
}
