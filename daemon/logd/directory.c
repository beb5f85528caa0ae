/* SPDX-License-Identifier: Apache-2.0 */
#include "directory.h"

#include <stdio.h>
#include <stdlib.h>

#include "arena.h"
#include "bundle.h"
#include "hash.h"
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

/* --- blobs ------------------------------------------------------------------------------------ */

static pp_res insert_blob(struct pp_bundle *bundle, struct pp_span blob)
{
    uint8_t digest[PP_SHA256_BYTES], other[PP_SHA256_BYTES];
    size_t i = bundle->blob_count;

    pp_sha256(blob, digest);
    for (; i > 0; i--) {
        pp_sha256(bundle->blobs[i - 1], other);
        int order = memcmp(other, digest, sizeof other);
        PP_CHECK(order != 0, PP_E_DUPLICATE, i);
        if (order < 0)
            break;
        bundle->blobs[i] = bundle->blobs[i - 1];
    }
    bundle->blobs[i] = blob;
    bundle->blob_count++;
    return PP_OK;
}

/* blobs/0, blobs/1 and so on, up to the first that is not there: what vendors signed. */
static pp_res read_blobs(struct bundling *b, struct pp_bundle *bundle)
{
    bundle->blobs = pp_arena_array(&b->arena, PP_BUNDLE_BLOB_MAX, sizeof *bundle->blobs);
    PP_CHECK(bundle->blobs != NULL, PP_E_NO_MEMORY, 0);
    for (unsigned n = 0; n < PP_BUNDLE_BLOB_MAX; n++) {
        struct pp_buf file = { 0 };
        struct pp_span blob;
        char path[16];

        snprintf(path, sizeof path, "blobs/%u", n);
        pp_res r = pp_file_read(b->l->config.dir, path, PP_BUNDLE_BYTES_MAX, &file);
        if (r.code == PP_E_NOT_FOUND)
            return PP_OK;
        if (pp_is_ok(r))
            r = pp_arena_copy(&b->arena, pp_buf_span(&file), &blob);
        pp_buf_done(&file);
        PP_TRY(r);
        PP_CHECK(blob.len > 0, PP_E_RANGE, n);
        PP_TRY(insert_blob(bundle, blob));
    }
    return PP_OK;
}

/*
 * Blobs that cannot be read, repeat each other or do not fit are left out, all of them: what needs
 * them is refused by devices then, but a revocation never waits for a vendor's file.
 */
static pp_res write_bundle(struct bundling *b, uint8_t *out)
{
    struct pp_bundle bundle = { 0 };
    struct pp_wr wr = pp_wr_over(out, PP_BUNDLE_BYTES_MAX);

    PP_TRY(fill_bundle(b, &bundle));
    pp_res r = read_blobs(b, &bundle);
    if (pp_is_ok(r))
        r = pp_bundle_write(&wr, &bundle);
    if (!pp_is_ok(r)) {
        bundle.blob_count = 0;
        wr = pp_wr_over(out, PP_BUNDLE_BYTES_MAX);
        PP_TRY(pp_bundle_write(&wr, &bundle));
    }
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
