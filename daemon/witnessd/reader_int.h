/* SPDX-License-Identifier: Apache-2.0 */
/* reader_int.h: a reading under way, for the fuzzer of this folder. */
#ifndef PP_WITNESS_READER_INT_H
#define PP_WITNESS_READER_INT_H

#include "reader.h"

struct pp_reader {
    struct pp_reader_config config;
    char url[PP_READER_URL_BYTES_MAX];
    struct pp_http_client *client;
    struct pp_rules rules;
    struct pp_merkle_range range; /* of what was read; as many entries as the rules were fed */

    /* What was approved last: where a refusal goes back to. */
    struct pp_rules_state approved_rules;
    struct pp_merkle_range approved_range;

    /* The reading under way. */
    int busy;
    uint64_t size;
    struct pp_merkle_hash root;
    struct pp_tile tile;
    struct pp_http_pending *pending;
    void (*done)(void *ctx, pp_res result);
    void *ctx;
};

/*
 * Feeds what r->tile's bundle holds of the tree beyond what was read. The bundle may be the full
 * one where a partial one was asked for: its beginning counts. PROOF (it does not hold
 * r->tile.width entries and nothing else), or the code of the rule that an entry breaks; then the
 * caller goes back.
 */
PP_MUST pp_res pp_reader_take_bundle(struct pp_reader *r, struct pp_span bundle);

#endif
