/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

void pp_monitor_copy_init(struct pp_monitor_copy *c, int dir_fd, int entries)
{
    *c = (struct pp_monitor_copy){ .dir_fd = dir_fd, .entries = entries };
}

void pp_monitor_copy_clear(struct pp_monitor_copy *c)
{
    c->range = (struct pp_merkle_range){ 0 };
    c->bundle_len = 0;
    for (unsigned level = 0; level < PP_MONITOR_COPY_LEVELS; level++)
        c->levels[level].count = 0;
    c->tree = (struct pp_tile_tree){ .source = c->tree.source };
}

void pp_monitor_copy_done(struct pp_monitor_copy *c)
{
    if (c->dir_fd >= 0)
        (void)close(c->dir_fd);
    free(c->bundle);
    *c = (struct pp_monitor_copy){ .dir_fd = -1 };
}

/* --- files ------------------------------------------------------------------------------------ */

static void path_of(const struct pp_tile *t, char path[PP_TILE_PATH_MAX + 1])
{
    struct pp_wr wr = pp_wr_over(path, PP_TILE_PATH_MAX);

    memset(path, 0, PP_TILE_PATH_MAX + 1);
    pp_tile_path_write(&wr, t);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
}

static pp_res make_folders(int dir_fd, char *path)
{
    for (char *p = strchr(path, '/'); p != NULL; p = strchr(p + 1, '/')) {
        *p = '\0';
        int failed = mkdirat(dir_fd, path, 0755) != 0 && errno != EEXIST;
        *p = '/';
        if (failed)
            return pp_errno_res(errno);
    }
    return PP_OK;
}

static int open_new(int dir_fd, const char *path)
{
    return openat(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
}

/* Whole or not at all for whoever is killed; a power cut is for the root to notice. */
static pp_res write_file(int dir_fd, const struct pp_tile *t, struct pp_span content)
{
    char path[PP_TILE_PATH_MAX + 1], temporary[PP_TILE_PATH_MAX + 8];

    path_of(t, path);
    snprintf(temporary, sizeof temporary, "%s.new", path);
    int fd = open_new(dir_fd, temporary);
    if (fd < 0 && errno == ENOENT) {
        PP_TRY(make_folders(dir_fd, path));
        fd = open_new(dir_fd, temporary);
    }
    if (fd < 0)
        return pp_errno_res(errno);
    pp_res r = pp_fd_write(fd, content);
    if (close(fd) != 0 && pp_is_ok(r))
        r = pp_errno_res(errno);
    if (pp_is_ok(r) && renameat(dir_fd, temporary, dir_fd, path) != 0)
        r = pp_errno_res(errno);
    return r;
}

static pp_res read_file(const struct pp_monitor_copy *c, const struct pp_tile *t, size_t max,
                        struct pp_buf *ret)
{
    char path[PP_TILE_PATH_MAX + 1];

    path_of(t, path);
    return pp_file_read(c->dir_fd, path, max, ret);
}

/* --- reading ---------------------------------------------------------------------------------- */

static pp_res read_tile(void *ctx, const struct pp_tile *t, uint8_t ret[PP_TILE_BYTES])
{
    struct pp_monitor_copy *c = ctx;
    struct pp_buf b = { 0 };

    PP_TRY(read_file(c, t, PP_TILE_BYTES, &b));
    if (b.len != t->width * PP_SHA256_BYTES) {
        pp_buf_done(&b);
        return PP_FAIL(PP_E_FORMAT, t->width);
    }
    memcpy(ret, b.bytes, b.len);
    pp_buf_done(&b);
    return PP_OK;
}

struct pp_merkle_nodes pp_monitor_copy_nodes(struct pp_monitor_copy *c)
{
    c->tree.source = (struct pp_tile_source){ read_tile, c };
    return pp_tile_nodes(&c->tree);
}

/* What is partial in a tree of `size`: the tile of each level, and the bundle. */
static int partial_of(uint64_t size, unsigned level, struct pp_tile *ret)
{
    uint64_t hashes = pp_tile_hashes(size, level);

    return pp_tile_of(size, level, hashes / PP_TILE_WIDTH, ret) && ret->width < PP_TILE_WIDTH;
}

static pp_res read_partials(struct pp_monitor_copy *c, uint64_t size)
{
    struct pp_buf b = { 0 };
    struct pp_tile t;

    for (unsigned level = 0; level < PP_MONITOR_COPY_LEVELS; level++) {
        if (!partial_of(size, level, &t))
            continue;
        PP_TRY(read_tile(c, &t, c->levels[level].hashes));
        c->levels[level].count = t.width;
    }
    if (!c->entries || !partial_of(size, 0, &t))
        return PP_OK;
    t.entries = 1;
    PP_TRY(read_file(c, &t, PP_ENTRIES_BYTES_MAX, &b));
    free(c->bundle);
    c->bundle = b.bytes;
    c->bundle_len = c->bundle_cap = b.len;
    return PP_OK;
}

static pp_res open_at(struct pp_monitor_copy *c, const struct pp_merkle_range *range)
{
    struct pp_merkle_range of_tiles;

    PP_TRY(read_partials(c, range->size));
    c->tree.size = range->size;
    const struct pp_merkle_nodes nodes = pp_monitor_copy_nodes(c);
    PP_TRY(pp_merkle_range_load(range->size, &nodes, &of_tiles));
    for (int i = 0; i < __builtin_popcountll(range->size); i++)
        PP_CHECK(pp_merkle_same(&of_tiles.roots[i], &range->roots[i]), PP_E_PROOF, i);
    c->range = *range;
    return PP_OK;
}

pp_res pp_monitor_copy_open(struct pp_monitor_copy *c, const struct pp_merkle_range *range)
{
    pp_monitor_copy_clear(c);
    pp_res r = open_at(c, range);
    if (!pp_is_ok(r))
        pp_monitor_copy_clear(c);
    return r;
}

/* The entries of one bundle, from the `from`th of the log on. */
static pp_res each_of_bundle(struct pp_monitor_copy *c, const struct pp_tile *t, uint64_t from,
                             uint64_t until, pp_res (*each)(void *ctx, struct pp_span entry),
                             void *ctx)
{
    struct pp_span entries[PP_TILE_WIDTH];
    struct pp_buf b = { 0 };
    uint64_t first = t->index * PP_TILE_WIDTH;

    PP_TRY(read_file(c, t, PP_ENTRIES_BYTES_MAX, &b));
    pp_res r = pp_entries_parse(pp_buf_span(&b), t->width, entries);
    for (unsigned i = 0; i < t->width && first + i < until && pp_is_ok(r); i++)
        if (first + i >= from)
            r = each(ctx, entries[i]);
    pp_buf_done(&b);
    return r;
}

pp_res pp_monitor_copy_each(struct pp_monitor_copy *c, uint64_t from, uint64_t until,
                            pp_res (*each)(void *ctx, struct pp_span entry), void *ctx)
{
    PP_ASSERT(c->entries && until <= c->range.size);
    for (uint64_t i = from / PP_TILE_WIDTH; i * PP_TILE_WIDTH < until; i++) {
        struct pp_tile t;
        PP_ASSERT(pp_tile_of(c->range.size, 0, i, &t));
        t.entries = 1;
        PP_TRY(each_of_bundle(c, &t, from, until, each, ctx));
    }
    return PP_OK;
}

static pp_res hash_entry(void *ctx, struct pp_span entry)
{
    struct pp_merkle_hash leaf;

    pp_merkle_leaf(entry, &leaf);
    return pp_merkle_append(ctx, &leaf, NULL);
}

pp_res pp_monitor_copy_check(struct pp_monitor_copy *c)
{
    struct pp_merkle_range again = { 0 };
    struct pp_merkle_hash root, want;

    PP_TRY(pp_monitor_copy_each(c, 0, c->range.size, hash_entry, &again));
    pp_merkle_range_root(&again, &root);
    pp_merkle_range_root(&c->range, &want);
    PP_CHECK(pp_merkle_same(&root, &want), PP_E_PROOF, 0);
    return PP_OK;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* The root of a full tile, which is a hash of the level above. */
static void root_of_tile(const uint8_t hashes[PP_TILE_BYTES], struct pp_merkle_hash *ret)
{
    struct pp_merkle_range r = { 0 };

    for (size_t i = 0; i < PP_TILE_WIDTH; i++) {
        struct pp_merkle_hash h;
        memcpy(h.bytes, hashes + i * PP_SHA256_BYTES, sizeof h.bytes);
        PP_ASSERT(pp_is_ok(pp_merkle_append(&r, &h, NULL)));
    }
    pp_merkle_range_root(&r, ret);
}

static pp_res add_hash(struct pp_monitor_copy *c, unsigned level, uint64_t index,
                       const struct pp_merkle_hash *hash)
{
    struct pp_merkle_hash up = *hash;

    for (; level < PP_MONITOR_COPY_LEVELS; level++, index /= PP_TILE_WIDTH) {
        unsigned at = (unsigned)(index % PP_TILE_WIDTH);
        PP_ASSERT(at == c->levels[level].count);
        memcpy(c->levels[level].hashes + at * PP_SHA256_BYTES, up.bytes, sizeof up.bytes);
        c->levels[level].count = (at + 1) % PP_TILE_WIDTH;
        if (at + 1 < PP_TILE_WIDTH)
            return PP_OK;
        const struct pp_tile t = { .level = level,
                                   .index = index / PP_TILE_WIDTH,
                                   .width = PP_TILE_WIDTH };
        PP_TRY(write_file(c->dir_fd, &t, PP_BYTES(c->levels[level].hashes)));
        root_of_tile(c->levels[level].hashes, &up);
    }
    return PP_OK;
}

static pp_res add_entry(struct pp_monitor_copy *c, struct pp_span entry)
{
    size_t need = c->bundle_len + 2 + entry.len;

    if (need > c->bundle_cap) {
        size_t cap = need * 2 < 4096 ? 4096 : need * 2;
        uint8_t *grown = realloc(c->bundle, cap);
        PP_CHECK(grown != NULL, PP_E_NO_MEMORY, 0);
        c->bundle = grown;
        c->bundle_cap = cap;
    }
    struct pp_wr wr = pp_wr_over(c->bundle + c->bundle_len, c->bundle_cap - c->bundle_len);
    pp_entries_write(&wr, entry);
    PP_TRY(pp_wr_ok(&wr));
    c->bundle_len += wr.len;
    if (c->range.size % PP_TILE_WIDTH != PP_TILE_WIDTH - 1)
        return PP_OK;
    const struct pp_tile t = { .entries = 1,
                               .index = c->range.size / PP_TILE_WIDTH,
                               .width = PP_TILE_WIDTH };
    PP_TRY(write_file(c->dir_fd, &t, pp_span(c->bundle, c->bundle_len)));
    c->bundle_len = 0;
    return PP_OK;
}

pp_res pp_monitor_copy_append(struct pp_monitor_copy *c, struct pp_span entry,
                              const struct pp_merkle_hash *leaf)
{
    if (c->entries)
        PP_TRY(add_entry(c, entry));
    PP_TRY(add_hash(c, 0, c->range.size, leaf));
    return pp_merkle_append(&c->range, leaf, NULL);
}

pp_res pp_monitor_copy_flush(struct pp_monitor_copy *c)
{
    struct pp_tile t;

    for (unsigned level = 0; level < PP_MONITOR_COPY_LEVELS; level++)
        if (partial_of(c->range.size, level, &t))
            PP_TRY(write_file(c->dir_fd, &t,
                              pp_span(c->levels[level].hashes, t.width * PP_SHA256_BYTES)));
    if (c->entries && partial_of(c->range.size, 0, &t)) {
        t.entries = 1;
        PP_TRY(write_file(c->dir_fd, &t, pp_span(c->bundle, c->bundle_len)));
    }
    c->tree.held.width = 0; /* a tile of this size may be another one now */
    c->tree.size = c->range.size;
    return PP_OK;
}

static void remove_partial(struct pp_monitor_copy *c, const struct pp_tile *t)
{
    char path[PP_TILE_PATH_MAX + 1];

    path_of(t, path);
    (void)unlinkat(c->dir_fd, path, 0);
    *strrchr(path, '/') = '\0';
    (void)unlinkat(c->dir_fd, path, AT_REMOVEDIR); /* where it was the only one */
}

void pp_monitor_copy_tidy(struct pp_monitor_copy *c, uint64_t size)
{
    for (unsigned level = 0; level < PP_MONITOR_COPY_LEVELS; level++) {
        struct pp_tile then, now;
        if (!partial_of(size, level, &then) || (partial_of(c->range.size, level, &now) &&
                                                now.index == then.index && now.width == then.width))
            continue;
        remove_partial(c, &then);
        then.entries = 1;
        if (level == 0 && c->entries)
            remove_partial(c, &then);
    }
}
