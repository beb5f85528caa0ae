/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "binding.h"
#include "rd.h"

enum { SESSIONS_MAX = 65, INDEX_MASK = 2047 };

/* Any path: what it takes it folds to one value, which changes with leaf, size and every node. */
static void any_path(struct pp_rd *rd)
{
    uint8_t binding[PP_BINDING_BYTES] = { 0 }, got[PP_REPORT_DATA_BYTES],
            other[PP_REPORT_DATA_BYTES];
    struct pp_batch_path p = { .size = pp_rd_u32(rd), .index = pp_rd_u32(rd) & INDEX_MASK };
    uint8_t bend = pp_rd_u8(rd);

    p.node_count = pp_rd_u8(rd); /* also more than there is room for */
    for (size_t i = 0; i < PP_BATCH_PATH_MAX && rd->left >= PP_HASH_NODE_BYTES; i++)
        pp_rd_copy(rd, p.nodes[i], PP_HASH_NODE_BYTES);
    pp_res r = pp_binding_report_data(binding, &p, got);
    if (!pp_is_ok(r)) {
        FUZZ_CHECK(r.code == PP_E_PROOF);
        return;
    }
    FUZZ_CHECK(p.size == 0 || (p.size >= PP_BATCH_SIZE_MIN && p.size <= PP_BATCH_SIZE_MAX));
    binding[bend % sizeof binding] ^= 1;
    FUZZ_CHECK(pp_is_ok(pp_binding_report_data(binding, &p, other)));
    FUZZ_CHECK(memcmp(got, other, sizeof got) != 0);
    binding[bend % sizeof binding] ^= 1;
    if (p.size == 0 || p.node_count == 0)
        return;
    p.nodes[bend % p.node_count][bend % PP_HASH_NODE_BYTES] ^= 1;
    FUZZ_CHECK(pp_is_ok(pp_binding_report_data(binding, &p, other)));
    FUZZ_CHECK(memcmp(got, other, sizeof got) != 0);
}

/* A tree of ours: every session's path leads to its report, and to no other leaf's. */
static void own_tree(struct pp_rd *rd)
{
    static uint8_t bindings[SESSIONS_MAX][PP_BINDING_BYTES];
    static uint8_t scratch[SESSIONS_MAX][PP_HASH_NODE_BYTES];
    static struct pp_batch_path paths[SESSIONS_MAX];
    uint8_t report_data[PP_REPORT_DATA_BYTES], got[PP_REPORT_DATA_BYTES];
    size_t count = PP_BATCH_SIZE_MIN + pp_rd_u8(rd) % (SESSIONS_MAX - PP_BATCH_SIZE_MIN + 1);

    memset(bindings, 0, sizeof bindings);
    for (size_t i = 0; i < count; i++) {
        bindings[i][0] = (uint8_t)i; /* no two sessions have one value */
        bindings[i][1] = pp_rd_u8(rd);
    }
    FUZZ_CHECK(pp_is_ok(pp_batch_build((const uint8_t(*)[PP_BINDING_BYTES])bindings, count, scratch,
                                       paths, report_data)));
    for (size_t i = 0; i < count; i++) {
        size_t next = (i + 1) % count;
        FUZZ_CHECK(pp_is_ok(pp_binding_report_data(bindings[i], &paths[i], got)));
        FUZZ_CHECK(memcmp(got, report_data, sizeof got) == 0);
        FUZZ_CHECK(pp_is_ok(pp_binding_report_data(bindings[next], &paths[i], got)));
        FUZZ_CHECK(memcmp(got, report_data, sizeof got) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_rd rd = pp_rd_over(data, len);

    if (pp_rd_u8(&rd) % 2 == 0)
        any_path(&rd);
    else
        own_tree(&rd);
    return 0;
}
