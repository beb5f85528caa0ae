/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard.h"
#include "text.h"

enum { PATH_BYTES = PP_FILESET_PATH_MAX };

/* --- folders ------------------------------------------------------------------------------- */

static pp_res sync_folder(int dir, const char *path)
{
    int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return pp_errno_res(errno);
    int e = fsync(fd) == 0 ? 0 : errno;
    (void)close(fd);
    return e == 0 ? PP_OK : pp_errno_res(e);
}

/* A new folder is durable when its parent is. */
static pp_res make_folder(int dir, const char *path, const char *parent)
{
    if (mkdirat(dir, path, 0755) != 0)
        return errno == EEXIST ? PP_OK : pp_errno_res(errno);
    return sync_folder(dir, parent);
}

static void tile_path(const struct pp_tile *t, char ret[PATH_BYTES])
{
    struct pp_wr wr = pp_wr_over(ret, PATH_BYTES - 1);

    memset(ret, 0, PATH_BYTES);
    pp_wr_text(&wr, "public/");
    pp_tile_path_write(&wr, t);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
}

static size_t tile_bytes_max(const struct pp_tile *t)
{
    return t->entries ? PP_LOG_BUNDLE_MAX : PP_TILE_BYTES;
}

/* A tile's file; its full tile, where the partial one has been removed. */
static pp_res read_tile(int dir, const struct pp_tile *t, struct pp_buf *ret)
{
    char path[PATH_BYTES];
    struct pp_tile full = *t;

    tile_path(t, path);
    pp_res r = pp_file_read(dir, path, tile_bytes_max(t), ret);
    if (r.code != PP_E_NOT_FOUND || t->width == PP_TILE_WIDTH)
        return r;
    full.width = PP_TILE_WIDTH;
    tile_path(&full, path);
    return pp_file_read(dir, path, tile_bytes_max(t), ret);
}

/* Adds a tile to the set, unless its file has this content already. */
static pp_res write_tile(struct pp_fileset *files, const struct pp_tile *t, struct pp_span content)
{
    char path[PATH_BYTES];
    struct pp_buf old = { 0 };

    tile_path(t, path);
    int same = pp_is_ok(pp_file_read(files->dir, path, tile_bytes_max(t), &old)) &&
               pp_span_eq(pp_buf_span(&old), content);
    pp_buf_done(&old);
    return same ? PP_OK : pp_fileset_add(files, path, 0644, content);
}

/* --- the edge ------------------------------------------------------------------------------ */

static pp_res edge_new(struct pp_log_edge *e)
{
    uint8_t *bundle = malloc(PP_LOG_BUNDLE_MAX);

    e->tiles = calloc(PP_LOG_TILE_LEVELS, sizeof *e->tiles);
    e->bundle = pp_wr_over(bundle, PP_LOG_BUNDLE_MAX);
    PP_CHECK(e->tiles != NULL && bundle != NULL, PP_E_NO_MEMORY, 0);
    return PP_OK;
}

static void edge_free(struct pp_log_edge *e)
{
    free(e->tiles);
    free(e->bundle.at);
    *e = (struct pp_log_edge){ 0 };
}

static void edge_clear(struct pp_log_edge *e)
{
    e->range = (struct pp_merkle_range){ 0 };
    e->bundle.len = 0;
    e->bundle.failed = PP_E_OK;
}

static void edge_copy(struct pp_log_edge *to, const struct pp_log_edge *from)
{
    to->range = from->range;
    memcpy(to->tiles, from->tiles, PP_LOG_TILE_LEVELS * sizeof *to->tiles);
    to->bundle.len = from->bundle.len;
    to->bundle.failed = PP_E_OK;
    memcpy(to->bundle.at, from->bundle.at, from->bundle.len);
}

/* Appending to an edge writes each tile when it is full. */
struct appending {
    struct pp_fileset *files;
    struct pp_log_edge *edge;
};

static pp_res keep_node(void *ctx, unsigned level, uint64_t index,
                        const struct pp_merkle_hash *hash)
{
    struct appending *a = ctx;
    unsigned l = level / 8;
    uint64_t offset = index % PP_TILE_WIDTH;

    if (level % 8 != 0)
        return PP_OK;
    PP_ASSERT(l < PP_LOG_TILE_LEVELS);
    memcpy(a->edge->tiles[l] + offset * PP_SHA256_BYTES, hash->bytes, PP_SHA256_BYTES);
    if (offset + 1 < PP_TILE_WIDTH)
        return PP_OK;
    struct pp_tile full = { .level = l, .index = index / PP_TILE_WIDTH, .width = PP_TILE_WIDTH };
    return write_tile(a->files, &full, PP_BYTES(a->edge->tiles[l]));
}

static pp_res append_entry(struct appending *a, struct pp_span entry)
{
    struct pp_merkle_sink sink = { .node = keep_node, .ctx = a };
    struct pp_merkle_hash leaf;
    uint64_t index = a->edge->range.size;

    PP_CHECK(entry.len <= PP_ENTRY_BYTES_MAX, PP_E_LIMIT, entry.len);
    pp_entries_write(&a->edge->bundle, entry);
    PP_TRY(pp_wr_ok(&a->edge->bundle));
    if (index % PP_TILE_WIDTH == PP_TILE_WIDTH - 1) {
        struct pp_tile full = { 1, 0, index / PP_TILE_WIDTH, PP_TILE_WIDTH };
        PP_TRY(write_tile(a->files, &full, pp_wr_done(&a->edge->bundle)));
        a->edge->bundle.len = 0;
    }
    pp_merkle_leaf(entry, &leaf);
    return pp_merkle_append(&a->edge->range, &leaf, &sink);
}

/* The partial tiles of the edge's size: the last file of every level, if it is not full. */
static pp_res write_partials(struct pp_fileset *files, const struct pp_log_edge *e)
{
    for (unsigned level = 0; level < PP_LOG_TILE_LEVELS; level++) {
        uint64_t hashes = pp_tile_hashes(e->range.size, level);
        struct pp_tile t;
        if (hashes % PP_TILE_WIDTH == 0 ||
            !pp_tile_of(e->range.size, level, hashes / PP_TILE_WIDTH, &t))
            continue;
        PP_TRY(write_tile(files, &t, pp_span(e->tiles[level], (size_t)t.width * PP_SHA256_BYTES)));
        if (level > 0)
            continue;
        t.entries = 1;
        PP_TRY(write_tile(files, &t, pp_wr_done(&e->bundle)));
    }
    return PP_OK;
}

/* --- making and opening -------------------------------------------------------------------- */

static pp_res write_signed(int dir, const struct pp_note_signer *signers, size_t count,
                           uint64_t size, const struct pp_merkle_hash *root,
                           uint8_t ret[PP_LOG_NOTE_MAX], size_t *ret_len)
{
    uint8_t text[PP_CHECKPOINT_BYTES_MAX];
    struct pp_wr t = pp_wr_over(text, sizeof text);
    uint8_t note[PP_LOG_NOTE_MAX];
    struct pp_wr n = pp_wr_over(note, sizeof note);

    pp_checkpoint_write(&t, signers[0].key.name, size, root);
    PP_TRY(pp_wr_ok(&t));
    PP_TRY(pp_note_write(&n, pp_wr_done(&t), signers, count));
    PP_TRY(pp_file_write(dir, "signed", 0600, pp_wr_done(&n)));
    memcpy(ret, note, n.len);
    *ret_len = n.len;
    return PP_OK;
}

pp_res pp_log_store_create(int dir, const struct pp_note_signer *signer)
{
    uint8_t note[PP_LOG_NOTE_MAX];
    struct pp_merkle_hash root;
    size_t len;

    PP_CHECK(faccessat(dir, "signed", F_OK, 0) != 0, PP_E_EXISTS, 0);
    PP_TRY(make_folder(dir, "public", "."));
    PP_TRY(make_folder(dir, "pending", "."));
    pp_merkle_empty(&root);
    return write_signed(dir, signer, 1, 0, &root, note, &len);
}

static pp_res open_note(const struct pp_log_store *s, struct pp_span note,
                        struct pp_checkpoint *ret)
{
    struct pp_note n;

    return pp_checkpoint_open(note, pp_log_keys_origin(&s->keys), s->known, s->known_count, &n,
                              ret);
}

static pp_res read_signed(struct pp_log_store *s, struct pp_checkpoint *ret)
{
    struct pp_buf b = { 0 };

    PP_TRY(pp_file_read(s->dir, "signed", sizeof s->note, &b));
    memcpy(s->note, b.bytes, b.len);
    s->note_len = b.len;
    pp_buf_done(&b);
    return open_note(s, pp_span(s->note, s->note_len), ret);
}

static pp_res read_published(struct pp_log_store *s, uint64_t signed_size)
{
    struct pp_buf b = { 0 };
    struct pp_checkpoint c;
    pp_res r = pp_file_read(s->dir, "public/checkpoint", PP_LOG_NOTE_MAX, &b);

    if (r.code == PP_E_NOT_FOUND)
        return PP_OK;
    if (pp_is_ok(r))
        r = open_note(s, pp_buf_span(&b), &c);
    if (pp_is_ok(r) && c.size > signed_size)
        r = PP_FAIL(PP_E_PROOF, 0); /* `signed` is older than what we published: a bare restore */
    if (pp_is_ok(r))
        s->published = c.size;
    pp_buf_done(&b);
    return r;
}

/* --- opening: from the entries -------------------------------------------------------------- */

/* Where a log's entries go while it is read. */
struct reading {
    pp_res (*each)(void *ctx, uint64_t index, struct pp_span entry);
    void *ctx;
};

static pp_res replay_bundle(struct appending *a, const struct pp_tile *t,
                            const struct reading *reading)
{
    struct pp_buf bundle = { 0 };
    pp_res r = read_tile(a->files->dir, t, &bundle);
    struct pp_rd rd = pp_rd_over(bundle.bytes, bundle.len);

    for (unsigned i = 0; i < t->width && pp_is_ok(r); i++) {
        struct pp_span entry = pp_rd_bytes(&rd, pp_rd_u16(&rd));
        uint64_t index = a->edge->range.size;
        r = pp_rd_ok(&rd);
        if (pp_is_ok(r))
            r = append_entry(a, entry);
        if (pp_is_ok(r) && reading->each != NULL)
            r = reading->each(reading->ctx, index, entry);
    }
    pp_buf_done(&bundle);
    return r;
}

static pp_res replay_bundles(struct appending *a, uint64_t size, const struct reading *reading)
{
    for (uint64_t n = 0; n * PP_TILE_WIDTH < size; n++) {
        struct pp_tile t;
        PP_ASSERT(pp_tile_of(size, 0, n, &t));
        t.entries = 1;
        PP_TRY(replay_bundle(a, &t, reading));
    }
    return PP_OK;
}

static pp_res replay(struct pp_log_store *s, const struct pp_checkpoint *c,
                     const struct reading *reading)
{
    struct pp_fileset files = pp_fileset_in(s->dir);
    struct appending a = { &files, &s->edge };
    struct pp_merkle_hash root;

    edge_clear(&s->edge);
    pp_res r = replay_bundles(&a, c->size, reading);
    if (pp_is_ok(r))
        r = write_partials(&files, &s->edge);
    if (pp_is_ok(r))
        r = pp_fileset_commit(&files);
    pp_fileset_drop(&files);
    PP_TRY(r);
    pp_merkle_range_root(&s->edge.range, &root);
    PP_CHECK(pp_merkle_same(&root, &c->root), PP_E_PROOF, 0);
    return PP_OK;
}

/* --- opening: the right edge alone ---------------------------------------------------------- */

/*
 * The complete subtrees that make up a tree all stand in its unfinished tiles, so what was read
 * of these is right when it gives the signed root.
 */
static pp_res read_edge_hashes(void *ctx, const struct pp_tile *t, uint8_t ret[PP_TILE_BYTES])
{
    const struct pp_log_edge *e = ctx;

    memcpy(ret, e->tiles[t->level], (size_t)t->width * PP_SHA256_BYTES);
    return PP_OK;
}

static pp_res load_hashes(struct pp_log_store *s, const struct pp_checkpoint *c)
{
    struct pp_tile_source source = pp_log_store_source(s);
    struct pp_tile_tree tree = { .source = { read_edge_hashes, &s->edge }, .size = c->size };
    struct pp_merkle_nodes nodes = pp_tile_nodes(&tree);
    struct pp_merkle_hash root;

    for (unsigned level = 0; level < PP_LOG_TILE_LEVELS; level++) {
        uint64_t hashes = pp_tile_hashes(c->size, level);
        struct pp_tile t;
        if (hashes % PP_TILE_WIDTH == 0 || !pp_tile_of(c->size, level, hashes / PP_TILE_WIDTH, &t))
            continue;
        PP_TRY(source.read(source.ctx, &t, s->edge.tiles[level]));
    }
    PP_TRY(pp_merkle_range_load(c->size, &nodes, &s->edge.range));
    pp_merkle_range_root(&s->edge.range, &root);
    PP_CHECK(pp_merkle_same(&root, &c->root), PP_E_PROOF, 0);
    return PP_OK;
}

/* The entries of a bundle give the hashes of its tile; those of the last one are kept. */
static pp_res check_bundle(struct pp_log_store *s, const struct pp_tile *hashes, int keep)
{
    struct pp_tile_source source = pp_log_store_source(s);
    uint8_t tile[PP_TILE_BYTES];
    struct pp_buf bundle = { 0 };
    struct pp_tile t = *hashes;

    PP_TRY(source.read(source.ctx, hashes, tile));
    t.entries = 1;
    pp_res r = read_tile(s->dir, &t, &bundle);
    struct pp_rd rd = pp_rd_over(bundle.bytes, bundle.len);
    for (unsigned i = 0; i < t.width && pp_is_ok(r); i++) {
        struct pp_span entry = pp_rd_bytes(&rd, pp_rd_u16(&rd));
        struct pp_merkle_hash leaf;
        pp_merkle_leaf(entry, &leaf);
        r = pp_rd_ok(&rd);
        if (pp_is_ok(r) && memcmp(leaf.bytes, tile + i * sizeof leaf.bytes, sizeof leaf.bytes) != 0)
            r = PP_FAIL(PP_E_PROOF, i);
        if (pp_is_ok(r) && keep)
            pp_entries_write(&s->edge.bundle, entry);
    }
    pp_buf_done(&bundle);
    return r;
}

/* The bundle that is being filled, and the full one before it: what a crash could have met. */
static pp_res load_bundles(struct pp_log_store *s, uint64_t size)
{
    uint64_t full = size / PP_TILE_WIDTH;
    struct pp_tile t;

    if (full > 0 && pp_tile_of(size, 0, full - 1, &t))
        PP_TRY(check_bundle(s, &t, 0));
    if (pp_tile_of(size, 0, full, &t))
        PP_TRY(check_bundle(s, &t, 1));
    return pp_wr_ok(&s->edge.bundle);
}

static pp_res load_edge(struct pp_log_store *s, const struct pp_checkpoint *c)
{
    edge_clear(&s->edge);
    PP_TRY(load_hashes(s, c));
    return load_bundles(s, c->size);
}

pp_res pp_log_store_open(struct pp_log_store *s, int dir, const struct pp_log_keys *keys,
                         pp_res (*each)(void *ctx, uint64_t index, struct pp_span entry), void *ctx)
{
    const struct reading reading = { each, ctx };
    struct pp_checkpoint c;

    *s = (struct pp_log_store){ .dir = dir, .keys = *keys };
    PP_TRY(pp_log_keys_check(keys));
    s->known_count = pp_log_keys_known(keys, s->known);
    PP_CHECK(flock(dir, LOCK_EX | LOCK_NB) == 0, PP_E_STATE_IN_USE, errno);
    pp_file_drop_leftovers(dir, ".");
    PP_TRY(edge_new(&s->edge));
    PP_TRY(edge_new(&s->next));
    PP_TRY(read_signed(s, &c));
    PP_TRY(read_published(s, c.size));
    s->root = c.root;
    if (each == NULL && pp_is_ok(load_edge(s, &c)))
        return PP_OK;
    return replay(s, &c, &reading);
}

void pp_log_store_done(struct pp_log_store *s)
{
    edge_free(&s->edge);
    edge_free(&s->next);
}

/* --- growing ------------------------------------------------------------------------------- */

/*
 * A write that failed may have put the next tree's note there all the same (the folder could not be
 * waited for). It has left nobody, so the note that may have left is put back, and before that no
 * file of the next tree is touched: killed now, the log opens with the one or the other.
 */
static pp_res settle(struct pp_log_store *s)
{
    if (!s->is_unsettled)
        return PP_OK;
    if (s->guard != NULL) /* first: a folder may be ahead of its guard, and never behind it */
        PP_TRY(pp_log_guard_take_back(s->guard));
    PP_TRY(pp_file_write(s->dir, "signed", 0600, pp_span(s->note, s->note_len)));
    s->is_unsettled = 0;
    return PP_OK;
}

pp_res pp_log_store_append(struct pp_log_store *s, const struct pp_span *entries, size_t count)
{
    struct pp_fileset files = pp_fileset_in(s->dir);
    struct appending a = { &files, &s->next };
    pp_res r = PP_OK;

    PP_TRY(settle(s));
    edge_copy(&s->next, &s->edge);
    for (size_t i = 0; i < count && pp_is_ok(r); i++)
        r = append_entry(&a, entries[i]);
    if (pp_is_ok(r))
        r = write_partials(&files, &s->next);
    if (pp_is_ok(r))
        r = pp_fileset_commit(&files);
    pp_fileset_drop(&files);
    return r;
}

static pp_res sign(struct pp_log_store *s, uint64_t size, const struct pp_merkle_hash *root)
{
    uint8_t note[PP_LOG_NOTE_MAX];
    size_t len;

    if (s->guard != NULL)
        PP_TRY(pp_log_guard_compare(s->guard));
    s->is_unsettled = 1;
    PP_TRY(write_signed(s->dir, s->keys.signers, s->keys.signer_count, size, root, note, &len));
    if (s->guard != NULL)
        PP_TRY(pp_log_guard_write(s->guard, pp_span(note, len)));
    s->is_unsettled = 0;
    memcpy(s->note, note, len);
    s->note_len = len;
    return PP_OK;
}

pp_res pp_log_store_sign(struct pp_log_store *s)
{
    struct pp_merkle_hash root;
    struct pp_log_edge old = s->edge;

    PP_ASSERT(s->next.range.size > s->edge.range.size);
    pp_merkle_range_root(&s->next.range, &root);
    PP_TRY(sign(s, s->next.range.size, &root));
    s->root = root;
    s->edge = s->next;
    s->next = old;
    return PP_OK;
}

/* All that sign now, and nobody else: a reader may know any one of them alone. */
static int is_of_signers(const struct pp_log_store *s)
{
    struct pp_note_signers by;
    struct pp_note n;

    return pp_is_ok(pp_note_parse(pp_span(s->note, s->note_len), &n)) &&
           n.line_count == s->keys.signer_count &&
           pp_is_ok(pp_note_open(&n, s->known, s->keys.signer_count, &by)) &&
           by.set == (UINT64_C(1) << s->keys.signer_count) - 1;
}

pp_res pp_log_store_renew(struct pp_log_store *s)
{
    if (is_of_signers(s))
        return PP_OK;
    PP_TRY(sign(s, pp_log_store_size(s), &s->root));
    if (s->guard == NULL)
        return PP_OK;
    /* Of two notes of one size no place is the newer one: the old one goes. */
    return pp_log_guard_write(s->guard, pp_span(s->note, s->note_len));
}

/* Removes "N.p" of a tile that is full. That it is not there, or not empty, changes nothing. */
static void remove_partials(int dir, const struct pp_tile *full)
{
    char path[PATH_BYTES];
    char name[PATH_BYTES + 16];
    struct pp_tile t = *full;

    tile_path(full, path);
    snprintf(name, sizeof name, "%s.p", path);
    if (faccessat(dir, name, F_OK, 0) != 0)
        return; /* most tiles of a busy log are full when they are first written */
    for (unsigned width = 1; width < PP_TILE_WIDTH; width++) {
        t.width = width;
        tile_path(&t, path);
        (void)unlinkat(dir, path, 0);
    }
    (void)unlinkat(dir, name, AT_REMOVEDIR);
}

pp_res pp_log_store_publish(struct pp_log_store *s, struct pp_span note, uint64_t size)
{
    uint64_t before = s->published;

    PP_ASSERT(size >= before && size <= s->edge.range.size);
    PP_TRY(pp_file_write(s->dir, "public/checkpoint", 0644, note));
    s->published = size;
    for (unsigned level = 0; level < PP_LOG_TILE_LEVELS; level++) {
        uint64_t full = pp_tile_hashes(size, level) / PP_TILE_WIDTH;
        for (uint64_t n = pp_tile_hashes(before, level) / PP_TILE_WIDTH; n < full; n++) {
            struct pp_tile t = { .level = level, .index = n, .width = PP_TILE_WIDTH };
            remove_partials(s->dir, &t);
            t.entries = 1;
            if (level == 0)
                remove_partials(s->dir, &t);
        }
    }
    return PP_OK;
}

int pp_log_store_is_served(const struct pp_log_store *s)
{
    struct pp_buf b = { 0 };

    if (!pp_is_ok(pp_file_read(s->dir, "public/checkpoint", PP_LOG_NOTE_MAX, &b)))
        return 0;
    int same = b.len > s->note_len && memcmp(b.bytes, s->note, s->note_len) == 0;
    pp_buf_done(&b);
    return same;
}

/* --- reading ------------------------------------------------------------------------------- */

pp_res pp_log_store_tile(const struct pp_log_store *s, const struct pp_tile *t, struct pp_buf *ret)
{
    char path[PATH_BYTES];
    struct pp_tile in_tree;

    /* Beyond the signed size stands what a crash left; a cache would keep it for ever. */
    PP_CHECK(pp_tile_of(s->edge.range.size, t->level, t->index, &in_tree), PP_E_NOT_FOUND, 0);
    PP_CHECK(t->width <= in_tree.width, PP_E_NOT_FOUND, 0);
    tile_path(t, path);
    return pp_file_read(s->dir, path, tile_bytes_max(t), ret);
}

pp_res pp_log_store_entry(const struct pp_log_store *s, uint64_t index, struct pp_buf *ret)
{
    struct pp_buf bundle = { 0 };
    struct pp_tile t;

    PP_CHECK(index < s->edge.range.size, PP_E_RANGE, 0);
    PP_ASSERT(pp_tile_of(s->edge.range.size, 0, index / PP_TILE_WIDTH, &t));
    t.entries = 1;
    PP_TRY(read_tile(s->dir, &t, &bundle));
    struct pp_rd rd = pp_rd_over(bundle.bytes, bundle.len);
    struct pp_span entry = { 0 };
    for (uint64_t i = 0; i <= index % PP_TILE_WIDTH; i++)
        entry = pp_rd_bytes(&rd, pp_rd_u16(&rd));
    pp_res r = pp_rd_ok(&rd);
    struct pp_buf copy = { .bytes = malloc(entry.len + 1), .len = entry.len };
    if (pp_is_ok(r) && copy.bytes == NULL)
        r = PP_FAIL(PP_E_NO_MEMORY, entry.len);
    if (pp_is_ok(r)) {
        memcpy(copy.bytes, entry.at, entry.len);
        copy.bytes[entry.len] = 0;
        *ret = copy;
    } else {
        free(copy.bytes);
    }
    pp_buf_done(&bundle);
    return r;
}

static pp_res read_hashes(void *ctx, const struct pp_tile *t, uint8_t ret[PP_TILE_BYTES])
{
    const struct pp_log_store *s = ctx;
    struct pp_buf b = { 0 };
    size_t len = (size_t)t->width * PP_SHA256_BYTES;

    PP_TRY(read_tile(s->dir, t, &b));
    pp_res r = b.len < len ? PP_FAIL(PP_E_TRUNCATED, b.len) : PP_OK;
    if (pp_is_ok(r))
        memcpy(ret, b.bytes, len);
    pp_buf_done(&b);
    return r;
}

struct pp_tile_source pp_log_store_source(struct pp_log_store *s)
{
    return (struct pp_tile_source){ .read = read_hashes, .ctx = s };
}
