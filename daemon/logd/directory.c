/* SPDX-License-Identifier: Apache-2.0 */
#include "directory.h"

#include <stdlib.h>

#include "arena.h"
#include "bundle.h"
#include "proof.h"

enum { BUNDLE_MEMORY = 8 << 20 };

struct bundling {
    struct pp_sequencer *l;
    struct pp_arena arena;
    struct pp_span note;
};

static pp_res bundle_entry(struct bundling *b, uint64_t index, struct pp_bundle_entry *ret)
{
    struct pp_proof p = { .index = index, .checkpoint = b->note };
    struct pp_buf entry = { 0 };

    PP_TRY(pp_sequencer_inclusion(b->l, index, &p.path));
    PP_TRY(pp_log_store_entry(&b->l->store, index, &entry));
    pp_res r = pp_arena_copy(&b->arena, pp_buf_span(&entry), &ret->entry);
    pp_buf_done(&entry);
    PP_TRY(r);
    uint8_t *bytes = pp_arena_alloc(&b->arena, PP_BUNDLE_PROOF_BYTES_MAX);
    PP_CHECK(bytes != NULL, PP_E_NO_MEMORY, PP_BUNDLE_PROOF_BYTES_MAX);
    struct pp_wr wr = pp_wr_over(bytes, PP_BUNDLE_PROOF_BYTES_MAX);
    pp_proof_write(&wr, &p);
    PP_TRY(pp_wr_ok(&wr));
    ret->proof = pp_wr_done(&wr);
    return PP_OK;
}

static pp_res bundle_named(struct bundling *b, const struct pp_record_id *id,
                           struct pp_bundle *bundle)
{
    uint64_t index;

    PP_CHECK(bundle->record_count < PP_BUNDLE_RECORD_MAX, PP_E_LIMIT, bundle->record_count);
    PP_CHECK(pp_sequencer_find(b->l, id, &index), PP_E_NOT_FOUND, 0);
    return bundle_entry(b, index, &bundle->records[bundle->record_count++]);
}

/* The status record first, then what its release, hosts and keys lines name, in its order. */
static pp_res fill_bundle(struct bundling *b, struct pp_bundle *bundle)
{
    struct pp_record status;
    struct pp_note n;

    bundle->records = pp_arena_array(&b->arena, PP_BUNDLE_RECORD_MAX, sizeof *bundle->records);
    PP_CHECK(bundle->records != NULL, PP_E_NO_MEMORY, 0);
    PP_TRY(bundle_entry(b, pp_log_store_size(&b->l->store) - 1, &bundle->status));
    PP_TRY(pp_record_open(bundle->status.entry, &n, &status));
    PP_CHECK(status.type == PP_RECORD_STATUS, PP_E_LEDGER_NOT_LAST, 0);
    for (size_t i = 0; i < status.status.release_count; i++)
        PP_TRY(bundle_named(b, &status.status.releases[i], bundle));
    PP_TRY(bundle_named(b, &status.status.hosts, bundle));
    for (size_t i = 0; i < status.status.key_count; i++)
        PP_TRY(bundle_named(b, &status.status.keys[i].id, bundle));
    return PP_OK;
}

static pp_res write_bundle(struct bundling *b, uint8_t *out)
{
    struct pp_bundle bundle = { 0 };
    struct pp_wr wr = pp_wr_over(out, PP_BUNDLE_BYTES_MAX);

    PP_TRY(fill_bundle(b, &bundle));
    PP_TRY(pp_bundle_write(&wr, &bundle));
    return pp_file_write(b->l->config.dir, "public/directory", 0644, pp_wr_done(&wr));
}

pp_res pp_directory_write(struct pp_sequencer *l, struct pp_span note)
{
    uint8_t *memory = aligned_alloc(16, BUNDLE_MEMORY);
    uint8_t *out = malloc(PP_BUNDLE_BYTES_MAX);
    pp_res r = PP_FAIL(PP_E_NO_MEMORY, 0);

    if (memory != NULL && out != NULL) {
        struct bundling b = { l, pp_arena_over(memory, BUNDLE_MEMORY), note };
        r = write_bundle(&b, out);
    }
    free(memory);
    free(out);
    return r;
}
