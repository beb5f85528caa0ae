/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hosts.h: the host-set: a Merkle tree over the machines that may run CVMs.
 *
 * An entry is one platform byte and a 64-byte chip id; the list is sorted bytewise without repeats;
 * root and paths are those of merkle.h with the 65 bytes as entries.
 */
#ifndef PP_HOSTS_H
#define PP_HOSTS_H

#include "merkle.h"
#include "record.h"

enum {
    PP_HOST_ID_BYTES = 64,
    PP_HOST_ENTRY_BYTES = 1 + PP_HOST_ID_BYTES,
};

enum pp_host_platform {
    PP_HOST_SNP = 1, /* CHIP_ID */
    PP_HOST_TDX = 2, /* platform id, left-aligned, zeros to the right */
};

struct pp_host {
    uint8_t entry[PP_HOST_ENTRY_BYTES];
};

/* RANGE when the id is empty or longer than 64 bytes. */
PP_MUST pp_res pp_host_make(enum pp_host_platform platform, struct pp_span id, struct pp_host *ret);

/* Sorts in place. Then DUPLICATE for an entry twice, RANGE unless 1..PP_HOST_SET_MAX entries. */
PP_MUST pp_res pp_hosts_sort(struct pp_host *hosts, size_t count);

/* ORDER or DUPLICATE unless strictly ascending; FORMAT for an unknown platform; RANGE (count). */
PP_MUST pp_res pp_hosts_root(const struct pp_host *hosts, size_t count, struct pp_merkle_hash *ret);

/* Index and path of `host` in a sorted list. NOT_FOUND. */
PP_MUST pp_res pp_hosts_path(const struct pp_host *hosts, size_t count, const struct pp_host *host,
                             uint64_t *ret_index, struct pp_merkle_path *ret);

/* LEDGER_HOST unless `host` is entry `index` of the set that a host-set record lists. */
PP_MUST pp_res pp_host_verify(const struct pp_host *host, uint64_t index,
                              const struct pp_merkle_path *path, const struct pp_host_set *set);

#endif
