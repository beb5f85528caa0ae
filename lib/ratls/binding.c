/* SPDX-License-Identifier: Apache-2.0 */
#include "binding.h"

#include "ct.h"
#include "hash.h"

enum { LEAF_PREFIX = 0, NODE_PREFIX = 1 };

/* Their final NUL is the 00 of the format. */
static const char REPORT_LABEL[] = "pp-ratls-report-v1";
static const char BATCH_LABEL[] = "pp-ratls-batch-v1";

pp_res pp_binding_of(const struct pp_binding_input *in, uint8_t ret[PP_BINDING_BYTES])
{
    struct pp_hash h;

    PP_CHECK(in->spki.len >= 1 && in->spki.len <= PP_SPKI_BYTES_MAX, PP_E_RANGE, in->spki.len);
    pp_hash_init(&h, PP_SHA512);
    pp_hash_update(&h, pp_span(REPORT_LABEL, sizeof REPORT_LABEL));
    pp_hash_u8(&h, (uint8_t)in->end);
    pp_hash_u16(&h, (uint16_t)in->spki.len);
    pp_hash_update(&h, in->spki);
    pp_hash_update(&h, PP_BYTES(in->ekm));
    pp_hash_update(&h, PP_BYTES(in->config_digest));
    pp_hash_update(&h, PP_BYTES(in->gpu_digest));
    pp_hash_update(&h, PP_BYTES(in->message_key_digest));
    pp_hash_final(&h, ret);
    return PP_OK;
}

pp_res pp_binding_of_evidence(enum pp_end end, struct pp_span spki, const uint8_t ekm[PP_EKM_BYTES],
                              const struct pp_evidence *e, uint8_t ret[PP_BINDING_BYTES])
{
    struct pp_binding_input in = { .end = end, .spki = spki };

    memcpy(in.ekm, ekm, sizeof in.ekm);
    pp_sha256(e->config, in.config_digest);
    if (e->gpu_encoding.len > 0)
        pp_sha256(e->gpu_encoding, in.gpu_digest);
    if (e->message_key.len > 0)
        pp_sha256(e->message_key, in.message_key_digest);
    pp_res r = pp_binding_of(&in, ret);
    pp_wipe(in.ekm, sizeof in.ekm);
    return r;
}

static void node_of(const uint8_t *left, const uint8_t *right, uint8_t *ret)
{
    pp_sha256_pair(NODE_PREFIX, pp_span(left, PP_HASH_NODE_BYTES),
                   pp_span(right, PP_HASH_NODE_BYTES), ret);
}

static void leaf_of(const uint8_t binding[PP_BINDING_BYTES], uint8_t *ret)
{
    pp_sha256_pair(LEAF_PREFIX, pp_span(binding, PP_BINDING_BYTES), (struct pp_span){ 0 }, ret);
}

static void batch_value(uint32_t size, const uint8_t root[PP_HASH_NODE_BYTES],
                        uint8_t ret[PP_REPORT_DATA_BYTES])
{
    struct pp_hash h;

    pp_hash_init(&h, PP_SHA512);
    pp_hash_update(&h, pp_span(BATCH_LABEL, sizeof BATCH_LABEL));
    pp_hash_u32(&h, size);
    pp_hash_update(&h, pp_span(root, PP_HASH_NODE_BYTES));
    pp_hash_final(&h, ret);
}

/*
 * RFC 6962's tree, level by level: neighbours are joined, and a node without neighbour goes up as
 * it is. So the path of a leaf has one node for every level at which its ancestor has a neighbour.
 */
pp_res pp_binding_report_data(const uint8_t binding[PP_BINDING_BYTES],
                              const struct pp_batch_path *batch, uint8_t ret[PP_REPORT_DATA_BYTES])
{
    uint8_t at[PP_HASH_NODE_BYTES];
    size_t used = 0;

    if (batch->size == 0) {
        memcpy(ret, binding, PP_REPORT_DATA_BYTES);
        return PP_OK;
    }
    PP_CHECK(batch->size >= PP_BATCH_SIZE_MIN && batch->size <= PP_BATCH_SIZE_MAX, PP_E_PROOF,
             batch->size);
    PP_CHECK(batch->index < batch->size, PP_E_PROOF, batch->index);

    leaf_of(binding, at);
    uint32_t index = batch->index;
    for (uint32_t width = batch->size; width > 1; width = (width + 1) / 2, index /= 2) {
        if (index % 2 == 0 && index + 1 == width)
            continue;
        PP_CHECK(used < batch->node_count && used < PP_BATCH_PATH_MAX, PP_E_PROOF, used);
        const uint8_t *beside = batch->nodes[used++];
        if (index % 2 == 0)
            node_of(at, beside, at);
        else
            node_of(beside, at, at);
    }
    PP_CHECK(used == batch->node_count, PP_E_PROOF, used);
    batch_value(batch->size, at, ret);
    return PP_OK;
}

pp_res pp_batch_build(const uint8_t (*bindings)[PP_BINDING_BYTES], size_t count,
                      uint8_t (*scratch)[PP_HASH_NODE_BYTES], struct pp_batch_path *ret_paths,
                      uint8_t ret_report_data[PP_REPORT_DATA_BYTES])
{
    PP_CHECK(count >= PP_BATCH_SIZE_MIN && count <= PP_BATCH_SIZE_MAX, PP_E_RANGE, count);
    for (size_t i = 0; i < count; i++) {
        leaf_of(bindings[i], scratch[i]);
        ret_paths[i] = (struct pp_batch_path){ .size = (uint32_t)count, .index = (uint32_t)i };
    }
    unsigned level = 0;
    for (size_t width = count; width > 1; width = (width + 1) / 2, level++) {
        for (size_t i = 0; i < count; i++) {
            size_t beside = (i >> level) ^ 1;
            if (beside >= width)
                continue;
            struct pp_batch_path *p = &ret_paths[i];
            memcpy(p->nodes[p->node_count++], scratch[beside], PP_HASH_NODE_BYTES);
        }
        for (size_t i = 0; i < width; i += 2) {
            if (i + 1 < width)
                node_of(scratch[i], scratch[i + 1], scratch[i / 2]);
            else
                memcpy(scratch[i / 2], scratch[i], PP_HASH_NODE_BYTES);
        }
    }
    batch_value((uint32_t)count, scratch[0], ret_report_data);
    return PP_OK;
}
