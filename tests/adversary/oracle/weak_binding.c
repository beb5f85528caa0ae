/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deliberately weakened: binding.h's functions with a binding value of the kind that the published
 * designs had, to show that the attacks of this folder bite. Programs that link this file in place
 * of lib/ratls/binding.c are tests and nothing else (tests/checks/release.py looks).
 *
 *     WEAK_KEY     the TLS key counts
 *     WEAK_NONCE   the client's nonce counts, which weak_export.c puts where the exporter was
 */
#include "binding.h"
#include "hash.h"

static const char LABEL[] = "pp weakened binding, for tests alone";

pp_res pp_binding_of(const struct pp_binding_input *in, uint8_t ret[PP_BINDING_BYTES])
{
    struct pp_hash h;

    pp_hash_init(&h, PP_SHA512);
    pp_hash_update(&h, pp_span(LABEL, sizeof LABEL));
    if (WEAK_KEY)
        pp_hash_update(&h, in->spki);
    if (WEAK_NONCE)
        pp_hash_update(&h, PP_BYTES(in->ekm));
    pp_hash_final(&h, ret);
    return PP_OK;
}

pp_res pp_binding_of_evidence(enum pp_end end, struct pp_span spki, const uint8_t ekm[PP_EKM_BYTES],
                              const struct pp_evidence *e, uint8_t ret[PP_BINDING_BYTES])
{
    struct pp_binding_input in = { .end = end, .spki = spki };

    (void)e;
    memcpy(in.ekm, ekm, sizeof in.ekm);
    return pp_binding_of(&in, ret);
}

/* The tree is the real one's (RFC 6962): not it is weak here, but what its leaves are made of. */
static void leaf_of(const uint8_t *binding, uint8_t *ret)
{
    pp_sha256_pair(0, pp_span(binding, PP_BINDING_BYTES), (struct pp_span){ 0 }, ret);
}

static void node_of(const uint8_t *left, const uint8_t *right, uint8_t *ret)
{
    pp_sha256_pair(1, pp_span(left, PP_HASH_NODE_BYTES), pp_span(right, PP_HASH_NODE_BYTES), ret);
}

/* Trees of two, which is what the attacks need; larger batches are not made (guest.c). */
static void of_two(const uint8_t root[PP_HASH_NODE_BYTES], uint8_t ret[PP_REPORT_DATA_BYTES])
{
    struct pp_hash h;

    pp_hash_init(&h, PP_SHA512);
    pp_hash_update(&h, pp_span(LABEL, sizeof LABEL));
    pp_hash_update(&h, pp_span(root, PP_HASH_NODE_BYTES));
    pp_hash_final(&h, ret);
}

pp_res pp_binding_report_data(const uint8_t binding[PP_BINDING_BYTES],
                              const struct pp_batch_path *batch, uint8_t ret[PP_REPORT_DATA_BYTES])
{
    uint8_t at[PP_HASH_NODE_BYTES];

    if (batch->size == 0) {
        memcpy(ret, binding, PP_REPORT_DATA_BYTES);
        return PP_OK;
    }
    PP_CHECK(batch->size == 2 && batch->node_count == 1, PP_E_PROOF, batch->size);
    leaf_of(binding, at);
    if (batch->index == 0)
        node_of(at, batch->nodes[0], at);
    else
        node_of(batch->nodes[0], at, at);
    of_two(at, ret);
    return PP_OK;
}

pp_res pp_batch_build(const uint8_t (*bindings)[PP_BINDING_BYTES], size_t count,
                      uint8_t (*scratch)[PP_HASH_NODE_BYTES], struct pp_batch_path *ret_paths,
                      uint8_t ret_report_data[PP_REPORT_DATA_BYTES])
{
    uint8_t root[PP_HASH_NODE_BYTES];

    PP_CHECK(count == 2, PP_E_RANGE, count);
    for (size_t i = 0; i < 2; i++)
        leaf_of(bindings[i], scratch[i]);
    for (uint32_t i = 0; i < 2; i++) {
        ret_paths[i] = (struct pp_batch_path){ .size = 2, .index = i, .node_count = 1 };
        memcpy(ret_paths[i].nodes[0], scratch[1 - i], PP_HASH_NODE_BYTES);
    }
    node_of(scratch[0], scratch[1], root);
    of_two(root, ret_report_data);
    return PP_OK;
}
