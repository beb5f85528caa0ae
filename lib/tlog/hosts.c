/* SPDX-License-Identifier: Apache-2.0 */
#include "hosts.h"

#include <stdlib.h>

pp_res pp_host_make(enum pp_host_platform platform, struct pp_span id, struct pp_host *ret)
{
    struct pp_host h = { 0 };

    PP_CHECK(id.len >= 1 && id.len <= PP_HOST_ID_BYTES, PP_E_RANGE, id.len);
    h.entry[0] = (uint8_t)platform;
    memcpy(h.entry + 1, id.at, id.len);
    *ret = h;
    return PP_OK;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, PP_HOST_ENTRY_BYTES);
}

static pp_res check_list(const struct pp_host *hosts, size_t count)
{
    PP_CHECK(count >= 1 && count <= PP_HOST_SET_MAX, PP_E_RANGE, count);
    for (size_t i = 0; i < count; i++) {
        PP_CHECK(hosts[i].entry[0] == PP_HOST_SNP || hosts[i].entry[0] == PP_HOST_TDX, PP_E_FORMAT,
                 i);
        if (i == 0)
            continue;
        int order = compare(&hosts[i - 1], &hosts[i]);
        PP_CHECK(order != 0, PP_E_DUPLICATE, i);
        PP_CHECK(order < 0, PP_E_ORDER, i);
    }
    return PP_OK;
}

pp_res pp_hosts_sort(struct pp_host *hosts, size_t count)
{
    qsort(hosts, count, sizeof *hosts, compare);
    return check_list(hosts, count);
}

/* Root of hosts[from .. from + count). */
static void subtree(const struct pp_host *hosts, size_t from, size_t count,
                    struct pp_merkle_hash *ret)
{
    struct pp_merkle_range r = { 0 };

    for (size_t i = 0; i < count; i++) {
        struct pp_merkle_hash leaf;
        pp_merkle_leaf(PP_BYTES(hosts[from + i].entry), &leaf);
        PP_ASSERT(pp_is_ok(pp_merkle_append(&r, &leaf, NULL)));
    }
    pp_merkle_range_root(&r, ret);
}

pp_res pp_hosts_root(const struct pp_host *hosts, size_t count, struct pp_merkle_hash *ret)
{
    PP_TRY(check_list(hosts, count));
    subtree(hosts, 0, count, ret);
    return PP_OK;
}

static pp_res read_node(void *ctx, unsigned level, uint64_t index, struct pp_merkle_hash *ret)
{
    const struct pp_host *hosts = ctx;

    subtree(hosts, (size_t)index << level, (size_t)1 << level, ret);
    return PP_OK;
}

pp_res pp_hosts_path(const struct pp_host *hosts, size_t count, const struct pp_host *host,
                     uint64_t *ret_index, struct pp_merkle_path *ret)
{
    PP_TRY(check_list(hosts, count));
    const struct pp_host *hit = bsearch(host, hosts, count, sizeof *hosts, compare);
    PP_CHECK(hit != NULL, PP_E_NOT_FOUND, 0);
    struct pp_merkle_nodes nodes = { .read = read_node, .ctx = (void *)(uintptr_t)hosts };
    uint64_t index = (uint64_t)(hit - hosts);
    PP_TRY(pp_merkle_inclusion(index, count, &nodes, ret));
    *ret_index = index;
    return PP_OK;
}

pp_res pp_host_verify(const struct pp_host *host, uint64_t index, const struct pp_merkle_path *path,
                      const struct pp_host_set *set)
{
    struct pp_merkle_hash leaf;

    pp_merkle_leaf(PP_BYTES(host->entry), &leaf);
    PP_TRY_AS(PP_E_LEDGER_HOST,
              pp_merkle_inclusion_verify(index, set->count, &leaf, path, &set->root));
    return PP_OK;
}
