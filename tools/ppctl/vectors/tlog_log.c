/* SPDX-License-Identifier: Apache-2.0 */
/* Logs on disk: every hash of every tile is computed again from the entries. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proof.h"
#include "tlog.h"

enum { LOG_ENTRIES_MAX = 1 << 20 };

/* A log's folder: what stands before "checkpoint", "proofs/" or "tile/". */
struct folder {
    char path[4096];
    struct pp_buf policy_text;
    struct pp_policy policy;
    int has_policy;
    struct pp_buf vkey_text;
    struct pp_note_key vkey;
    int has_vkey;
};

static void folder_done(struct folder *f)
{
    pp_buf_done(&f->policy_text);
    pp_buf_done(&f->vkey_text);
    free(f);
}

static pp_res read_in(const struct folder *f, const char *name, size_t max, struct pp_buf *ret)
{
    char path[4352];

    snprintf(path, sizeof path, "%s%s", f->path, name);
    return pp_file_read(AT_FDCWD, path, max, ret);
}

static struct folder *folder_open(const char *path, size_t len)
{
    struct folder *f = calloc(1, sizeof *f);

    if (f == NULL || len >= sizeof f->path) {
        free(f);
        return NULL;
    }
    memcpy(f->path, path, len);
    if (pp_is_ok(read_in(f, "policy", PP_POLICY_BYTES_MAX, &f->policy_text)))
        f->has_policy = pp_is_ok(
            pp_policy_parse(pp_buf_span(&f->policy_text), PP_POLICY_LOG, &f->policy));
    if (pp_is_ok(read_in(f, "vkey", PP_VKEY_BYTES_MAX, &f->vkey_text))) {
        struct pp_span line = pp_buf_span(&f->vkey_text);
        if (line.len > 0 && line.at[line.len - 1] == '\n')
            line.len--;
        f->has_vkey = pp_is_ok(pp_vkey_parse(line, &f->vkey));
    }
    return f;
}

/* A tile file, or the beginning of the full tile that has replaced a partial one. */
static pp_res read_tile(const struct folder *f, const struct pp_tile *t, struct pp_buf *ret)
{
    char name[PP_TILE_PATH_MAX + 1] = "";
    struct pp_wr wr = pp_wr_over(name, PP_TILE_PATH_MAX);
    size_t max = t->entries ? PP_ENTRIES_BYTES_MAX : PP_TILE_BYTES;

    pp_tile_path_write(&wr, t);
    pp_res r = read_in(f, name, max, ret);
    if (pp_is_ok(r) || t->width == PP_TILE_WIDTH)
        return r;
    struct pp_tile full = *t;
    full.width = PP_TILE_WIDTH;
    memset(name, 0, sizeof name);
    wr = pp_wr_over(name, PP_TILE_PATH_MAX);
    pp_tile_path_write(&wr, &full);
    return read_in(f, name, max, ret);
}

/* Compares each finished node with its place in the hash tiles. */
struct rebuild {
    const struct folder *folder;
    uint64_t size;
    struct pp_merkle_range range;
    struct pp_buf tiles[PP_MERKLE_LEVELS / 8 + 1]; /* the tile in work on each level */
    uint64_t index[PP_MERKLE_LEVELS / 8 + 1];
    int open[PP_MERKLE_LEVELS / 8 + 1];
};

static pp_res check_node(void *ctx, unsigned level, uint64_t index,
                         const struct pp_merkle_hash *hash)
{
    struct rebuild *b = ctx;
    unsigned l = level / 8;
    uint64_t n = index / PP_TILE_WIDTH;
    struct pp_tile tile;

    if (level % 8 != 0 || !pp_tile_of(b->size, l, n, &tile))
        return PP_OK;
    if (!b->open[l] || b->index[l] != n) {
        pp_buf_done(&b->tiles[l]);
        PP_TRY(read_tile(b->folder, &tile, &b->tiles[l]));
        b->open[l] = 1;
        b->index[l] = n;
    }
    size_t at = (size_t)(index % PP_TILE_WIDTH) * PP_SHA256_BYTES;
    PP_CHECK(b->tiles[l].len >= at + PP_SHA256_BYTES, PP_E_TRUNCATED, at);
    PP_CHECK(memcmp(b->tiles[l].bytes + at, hash->bytes, PP_SHA256_BYTES) == 0, PP_E_MISMATCH,
             index);
    return PP_OK;
}

static pp_res rebuild_bundle(struct rebuild *b, const struct pp_tile *t)
{
    struct pp_merkle_sink sink = { .node = check_node, .ctx = b };
    struct pp_buf bundle = { 0 };

    PP_TRY(read_tile(b->folder, t, &bundle));
    struct pp_rd rd = pp_rd_over(bundle.bytes, bundle.len);
    pp_res r = PP_OK;
    for (unsigned i = 0; i < t->width && pp_is_ok(r); i++) {
        struct pp_span entry = pp_rd_bytes(&rd, pp_rd_u16(&rd));
        struct pp_merkle_hash leaf;
        r = pp_rd_ok(&rd);
        pp_merkle_leaf(entry, &leaf);
        if (pp_is_ok(r))
            r = pp_merkle_append(&b->range, &leaf, &sink);
    }
    pp_buf_done(&bundle);
    return r;
}

static pp_res rebuild(const struct folder *f, uint64_t size, struct pp_merkle_hash *ret_root)
{
    struct rebuild *b = calloc(1, sizeof *b);
    pp_res r = PP_OK;

    PP_CHECK(b != NULL, PP_E_NO_MEMORY, 0);
    b->folder = f;
    b->size = size;
    for (uint64_t n = 0; pp_is_ok(r) && n * PP_TILE_WIDTH < size; n++) {
        struct pp_tile t;
        PP_ASSERT(pp_tile_of(size, 0, n, &t));
        t.entries = 1;
        r = rebuild_bundle(b, &t);
    }
    pp_merkle_range_root(&b->range, ret_root);
    for (size_t i = 0; i < PP_ARRAY_COUNT(b->tiles); i++)
        pp_buf_done(&b->tiles[i]);
    free(b);
    return r;
}

/* The checkpoint under the folder's policy, or under its vkey alone. */
static pp_res open_checkpoint(const struct folder *f, struct pp_span bytes,
                              struct pp_policy_checkpoint *ret)
{
    struct pp_note note;

    if (f->has_policy) {
        PP_TRY(pp_policy_open(&f->policy, bytes, ret));
        return pp_policy_decide(&f->policy, ret->witnesses.set);
    }
    if (f->has_vkey)
        return pp_checkpoint_open(bytes, f->vkey.name, &f->vkey, 1, &note, &ret->checkpoint);
    PP_TRY(pp_note_parse(bytes, &note)); /* no key is published: the tree alone is judged */
    return pp_checkpoint_parse(note.text, &ret->checkpoint);
}

void tlog_log_checkpoint(struct vectors *v, const char *file)
{
    const char *slash = strrchr(file, '/');
    struct folder *f = folder_open(file, slash == NULL ? 0 : (size_t)(slash - file) + 1);
    struct pp_policy_checkpoint c;
    struct pp_merkle_hash root;
    struct pp_buf bytes = { 0 };

    if (f == NULL || !pp_is_ok(pp_file_read(AT_FDCWD, file, PP_NOTE_BYTES_MAX, &bytes))) {
        vectors_fail(v, file, "checkpoint", "cannot be read");
    } else {
        pp_res r = open_checkpoint(f, pp_buf_span(&bytes), &c);
        if (pp_is_ok(r) && c.checkpoint.size > LOG_ENTRIES_MAX)
            r = PP_FAIL(PP_E_LIMIT, 0);
        if (pp_is_ok(r))
            r = rebuild(f, c.checkpoint.size, &root);
        if (pp_is_ok(r) && !pp_merkle_same(&root, &c.checkpoint.root))
            r = PP_FAIL(PP_E_PROOF, 0);
        tlog_verdict(v, file, "opened, and its tree computed from the entries", 1, r);
    }
    pp_buf_done(&bytes);
    if (f != NULL)
        folder_done(f);
}

/* One file by itself: its form, and for a bundle that it hashes to the level-0 tile beside it. */
static pp_res check_tile(const struct folder *f, const struct pp_tile *t, struct pp_span bytes)
{
    static struct pp_span entries[PP_TILE_WIDTH];
    struct pp_buf hashes = { 0 };
    struct pp_tile level0 = *t;

    if (!t->entries) {
        PP_CHECK(bytes.len == (size_t)t->width * PP_SHA256_BYTES, PP_E_RANGE, bytes.len);
        return PP_OK;
    }
    PP_TRY(pp_entries_parse(bytes, t->width, entries));
    level0.entries = 0;
    PP_TRY(read_tile(f, &level0, &hashes));
    pp_res r = PP_OK;
    for (unsigned i = 0; i < t->width && pp_is_ok(r); i++) {
        struct pp_merkle_hash leaf;
        pp_merkle_leaf(entries[i], &leaf);
        size_t at = (size_t)i * PP_SHA256_BYTES;
        if (hashes.len < at + PP_SHA256_BYTES ||
            memcmp(hashes.bytes + at, leaf.bytes, PP_SHA256_BYTES) != 0)
            r = PP_FAIL(PP_E_MISMATCH, i);
    }
    pp_buf_done(&hashes);
    return r;
}

void tlog_log_tile(struct vectors *v, const char *file, const char *tile_path)
{
    struct folder *f = folder_open(file, (size_t)(tile_path - file));
    struct pp_buf bytes = { 0 };
    struct pp_tile t;

    if (f == NULL || !pp_is_ok(pp_tile_path_parse(pp_span_cstr(tile_path), &t)) ||
        !pp_is_ok(pp_file_read(AT_FDCWD, file, PP_ENTRIES_BYTES_MAX, &bytes)))
        vectors_fail(v, file, "tile", "cannot be read");
    else
        tlog_verdict(v, file, t.entries ? "entry bundle" : "hash tile", 1,
                     check_tile(f, &t, pp_buf_span(&bytes)));
    pp_buf_done(&bytes);
    if (f != NULL)
        folder_done(f);
}

/* "N.tlog-proof" and "N.entry" in a folder next to the log's policy. */
void tlog_log_proof(struct vectors *v, const char *file)
{
    const char *name = strrchr(file, '/');
    char entry_name[256];
    struct pp_buf proof_bytes = { 0 };
    struct pp_buf entry = { 0 };
    struct pp_buf policy_text = { 0 };
    struct pp_policy_checkpoint c;
    struct pp_merkle_hash leaf;
    struct pp_proof proof;
    static struct pp_policy policy;

    name = name == NULL ? file : name + 1;
    snprintf(entry_name, sizeof entry_name, "%.*s.entry", (int)strcspn(name, "."), name);
    if (!pp_is_ok(pp_file_read(AT_FDCWD, file, PP_PROOF_BYTES_MAX, &proof_bytes)) ||
        !tlog_sibling(file, entry_name, PP_ENTRY_BYTES_MAX, &entry) ||
        (!tlog_sibling(file, "../policy", PP_POLICY_BYTES_MAX, &policy_text) &&
         !tlog_sibling(file, "policy", PP_POLICY_BYTES_MAX, &policy_text))) {
        vectors_fail(v, file, "proof", "the proof, its entry or its policy cannot be read");
    } else {
        pp_res r = pp_policy_parse(pp_buf_span(&policy_text), PP_POLICY_LOG, &policy);
        if (pp_is_ok(r))
            r = pp_proof_parse(pp_buf_span(&proof_bytes), &proof);
        pp_merkle_leaf(pp_buf_span(&entry), &leaf);
        if (pp_is_ok(r))
            r = pp_proof_verify(&proof, &leaf, &policy, 0, UINT64_MAX, &c);
        tlog_verdict(v, file, "proof", 1, r);
    }
    pp_buf_done(&proof_bytes);
    pp_buf_done(&entry);
    pp_buf_done(&policy_text);
}
