/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.h: the record witness's eyes: reads every entry of one log, once, from its entry bundles.
 *
 * A tree is approved when its entries, behind those of the tree that was approved last, keep the
 * rules (lib/tlog/record_rules.h), end in a status record, and hash to its root. What is read of a
 * tree that is not approved is forgotten.
 */
#ifndef PP_WITNESS_READER_H
#define PP_WITNESS_READER_H

#include "events.h"
#include "net.h"
#include "record_rules.h"
#include "tile.h"

enum {
    PP_READER_RECORDS_MAX = 1 << 16,
    PP_READER_MEASUREMENTS_MAX = 1 << 17,
    PP_READER_BUNDLE_MAX = PP_TILE_WIDTH * (2 + PP_RECORD_ENTRY_MAX),
    PP_READER_URL_BYTES_MAX = 300,
};

struct pp_reader_config {
    struct pp_loop *loop;
    const char *url; /* the log's prefix, without a final slash */
    struct pp_span ledger, name_space;
    enum pp_record_env environment;
    struct pp_record_keys keys;
    struct pp_clock clock;
    const struct pp_event_sink *events;
    uint32_t deadline_ms; /* of one bundle */
};

struct pp_reader;

/* NO_MEMORY, RANGE; resolves the URL's host, so before a sandbox. */
PP_MUST pp_res pp_reader_new(const struct pp_reader_config *c, struct pp_reader **ret);
void pp_reader_free(struct pp_reader *r); /* NULL is fine */

/*
 * Reads up to the tree (size, root) and calls `done`, once, from the loop or from inside this
 * call. OK: approved. NETWORK, TIMEOUT, NOT_FOUND and so on: it could not be read, ask again.
 * PROOF (the entries are not those of the tree), LEDGER_NOT_LAST, or the code of the rule that an
 * entry breaks. Not while another reading is under way.
 */
void pp_reader_read(struct pp_reader *r, uint64_t size, const struct pp_merkle_hash *root,
                    void (*done)(void *ctx, pp_res result), void *ctx);

int pp_reader_is_busy(const struct pp_reader *r);

/* 1 if `code` says that the tree could not be read, 0 if what was read is refused. */
int pp_reader_is_passing(uint32_t code);

#endif
