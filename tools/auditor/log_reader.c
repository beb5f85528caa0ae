/* SPDX-License-Identifier: Apache-2.0 */
#include "log_reader.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    LEVELS = PP_MERKLE_LEVELS / 8 + 1,   /* of tiles */
    AHEAD = PP_LOG_SOURCE_AHEAD_MAX / 2, /* bundles asked for in advance, each with its tile */
};

/* The hashes of a level since the last whole tile, as the entries give them. */
struct level {
    uint64_t index;  /* of the tile in work */
    unsigned before; /* slots whose hashes only `from` vouches for: what was read earlier */
    unsigned count;  /* slots that are filled, `before` included */
    uint8_t hashes[PP_TILE_BYTES];
};

struct pp_log_reader {
    struct pp_log_reader_config config;
    struct pp_merkle_range range;
    uint64_t asked; /* bundles that were asked for in advance lie before this index */
    struct level levels[LEVELS];
    struct pp_problem *problem;
};

/* --- hash tiles ----------------------------------------------------------------------------- */

static pp_res found(const struct pp_log_reader *r, uint32_t code, const struct pp_problem *words)
{
    const struct pp_finding f = { .code = code, .words = *words };

    if (r->config.findings.found != NULL)
        return r->config.findings.found(r->config.findings.ctx, &f);
    if (r->problem != NULL)
        *r->problem = *words;
    return PP_FAIL(code, 0);
}

static void path_of(const struct pp_tile *t, char ret[PP_TILE_PATH_MAX + 1])
{
    struct pp_wr wr = pp_wr_over(ret, PP_TILE_PATH_MAX);

    memset(ret, 0, PP_TILE_PATH_MAX + 1);
    pp_tile_path_write(&wr, t);
}

static pp_res found_wrong_hash(const struct pp_log_reader *r, const struct pp_tile *t,
                               unsigned slot, const uint8_t *want, const uint8_t *got)
{
    struct pp_problem words = { 0 };
    char path[PP_TILE_PATH_MAX + 1], field[sizeof words.field];

    path_of(t, path);
    snprintf(field, sizeof field, "%s, hash %u", path, slot);
    pp_problem_hex(&words, field, pp_span(want, PP_SHA256_BYTES), pp_span(got, PP_SHA256_BYTES));
    pp_problem_party(&words, pp_log_source_place(r->config.source));
    return found(r, PP_E_LOG_TILE, &words);
}

static pp_res found_changed_prefix(const struct pp_log_reader *r, const struct pp_tile *t)
{
    struct pp_problem words = { 0 };
    char path[PP_TILE_PATH_MAX + 1];

    path_of(t, path);
    pp_problem_set(&words, path, "the hashes of what was read before", PP_STR("other hashes"));
    pp_problem_party(&words, pp_log_source_place(r->config.source));
    return found(r, PP_E_LOG_TILE, &words);
}

/*
 * The slots that were filled before this reading are known by the roots of the range that it began
 * with: those of the tile's own levels have to come out of them.
 */
static int begins_like_range(const struct pp_log_reader *r, const struct level *l, unsigned tile,
                             const uint8_t *hashes)
{
    struct pp_merkle_range prefix = { 0 };
    size_t larger = 0; /* roots of subtrees above this level of tiles */

    for (unsigned i = 0; i < l->before; i++) {
        struct pp_merkle_hash h;
        memcpy(h.bytes, hashes + (size_t)i * PP_SHA256_BYTES, sizeof h.bytes);
        if (!pp_is_ok(pp_merkle_append(&prefix, &h, NULL)))
            return 0;
    }
    for (unsigned bit = 8 * (tile + 1); bit < PP_MERKLE_LEVELS; bit++)
        larger += r->config.from.size >> bit & 1;
    for (size_t i = 0; i < (size_t)__builtin_popcount(l->before); i++)
        if (!pp_merkle_same(&prefix.roots[i], &r->config.from.roots[larger + i]))
            return 0;
    return 1;
}

static pp_res compare(struct pp_log_reader *r, unsigned tile, const struct pp_tile *t,
                      const uint8_t *hashes)
{
    struct level *l = &r->levels[tile];

    if (!begins_like_range(r, l, tile, hashes))
        return found_changed_prefix(r, t);
    for (unsigned i = l->before; i < t->width; i++) {
        size_t at = (size_t)i * PP_SHA256_BYTES;
        if (memcmp(hashes + at, l->hashes + at, PP_SHA256_BYTES) != 0)
            return found_wrong_hash(r, t, i, l->hashes + at, hashes + at);
    }
    return PP_OK;
}

static int is_of_the_log(uint32_t code)
{
    return code == PP_E_LOG_MISSING || code == PP_E_LOG_FILE;
}

/* The tile is full, or the tree ends in it: it is as the log serves it, or it is a finding. */
static pp_res check_tile(struct pp_log_reader *r, unsigned tile)
{
    struct level *l = &r->levels[tile];
    struct pp_problem words = { 0 };
    struct pp_buf served = { 0 };
    struct pp_tile t;

    PP_ASSERT(pp_tile_of(r->config.tree.size, tile, l->index, &t));
    PP_ASSERT(t.width == l->count);
    pp_res res = pp_log_source_tile(r->config.source, r->config.tree.size, &t, &served, &words);
    if (is_of_the_log(res.code))
        return found(r, res.code, &words);
    if (!pp_is_ok(res)) {
        if (r->problem != NULL)
            *r->problem = words;
        return res;
    }
    res = compare(r, tile, &t, served.bytes);
    pp_buf_done(&served);
    return res;
}

static pp_res on_node(void *ctx, unsigned level, uint64_t index, const struct pp_merkle_hash *hash)
{
    struct pp_log_reader *r = ctx;
    struct level *l;

    if (level % 8 != 0)
        return PP_OK;
    l = &r->levels[level / 8];
    PP_ASSERT(index == l->index * PP_TILE_WIDTH + l->count);
    memcpy(l->hashes + (size_t)l->count * PP_SHA256_BYTES, hash->bytes, PP_SHA256_BYTES);
    if (++l->count < PP_TILE_WIDTH)
        return PP_OK;
    PP_TRY(check_tile(r, level / 8));
    l->index++;
    l->count = l->before = 0;
    return PP_OK;
}

static pp_res check_edge(struct pp_log_reader *r)
{
    for (unsigned i = 0; i < LEVELS; i++)
        if (r->levels[i].count > 0)
            PP_TRY(check_tile(r, i));
    return PP_OK;
}

/* --- entries -------------------------------------------------------------------------------- */

static void ask_ahead(struct pp_log_reader *r, uint64_t index)
{
    struct pp_tile t;

    if (r->asked < index)
        r->asked = index;
    while (r->asked < index + AHEAD && pp_tile_of(r->config.tree.size, 0, r->asked, &t)) {
        t.entries = 1;
        pp_log_source_ahead(r->config.source, r->config.tree.size, &t);
        t.entries = 0;
        pp_log_source_ahead(r->config.source, r->config.tree.size, &t);
        r->asked++;
    }
}

static pp_res take_entry(struct pp_log_reader *r, struct pp_span entry)
{
    const struct pp_merkle_sink sink = { .node = on_node, .ctx = r };
    struct pp_merkle_hash leaf;

    if (r->config.entry != NULL)
        PP_TRY(r->config.entry(r->config.ctx, r->range.size, entry));
    pp_merkle_leaf(entry, &leaf);
    return pp_merkle_append(&r->range, &leaf, &sink);
}

static pp_res take_bundle(struct pp_log_reader *r, struct pp_span bundle, unsigned width)
{
    struct pp_span entries[PP_TILE_WIDTH];

    PP_TRY(pp_entries_parse(bundle, width, entries));
    for (unsigned i = (unsigned)(r->range.size % PP_TILE_WIDTH); i < width; i++)
        PP_TRY(take_entry(r, entries[i]));
    return PP_OK;
}

static pp_res read_bundle(struct pp_log_reader *r)
{
    uint64_t index = r->range.size / PP_TILE_WIDTH;
    struct pp_buf bundle = { 0 };
    struct pp_tile t;

    ask_ahead(r, index);
    PP_ASSERT(pp_tile_of(r->config.tree.size, 0, index, &t));
    t.entries = 1;
    PP_TRY(pp_log_source_tile(r->config.source, r->config.tree.size, &t, &bundle, r->problem));
    pp_res res = take_bundle(r, pp_buf_span(&bundle), t.width);
    pp_buf_done(&bundle);
    return res;
}

pp_res pp_log_reader_run(struct pp_log_reader *r, uint64_t until, struct pp_problem *problem)
{
    if (until > r->config.tree.size)
        until = r->config.tree.size;
    r->problem = problem;
    while (r->range.size < until)
        PP_TRY(read_bundle(r));
    return PP_OK;
}

pp_res pp_log_reader_finish(struct pp_log_reader *r, struct pp_problem *problem)
{
    struct pp_merkle_hash root;

    PP_TRY(pp_log_reader_run(r, r->config.tree.size, problem));
    PP_TRY(check_edge(r));
    pp_merkle_range_root(&r->range, &root);
    if (pp_merkle_same(&root, &r->config.tree.root))
        return PP_OK;
    pp_problem_hex(problem, "root of the tree", PP_BYTES(r->config.tree.root.bytes),
                   PP_BYTES(root.bytes));
    pp_problem_party(problem, pp_log_source_place(r->config.source));
    return PP_FAIL(PP_E_LOG_ROOT, 0);
}

/* --- life ----------------------------------------------------------------------------------- */

pp_res pp_log_reader_new(const struct pp_log_reader_config *c, struct pp_log_reader **ret)
{
    PP_CHECK(c->from.size <= c->tree.size && c->tree.size <= PP_MERKLE_SIZE_MAX, PP_E_RANGE,
             c->tree.size);
    struct pp_log_reader *r = calloc(1, sizeof *r);
    PP_CHECK(r != NULL, PP_E_NO_MEMORY, sizeof *r);
    r->config = *c;
    r->range = c->from;
    for (unsigned i = 0; i < LEVELS; i++) {
        uint64_t hashes = pp_tile_hashes(c->from.size, i);
        r->levels[i].index = hashes / PP_TILE_WIDTH;
        r->levels[i].before = r->levels[i].count = (unsigned)(hashes % PP_TILE_WIDTH);
    }
    *ret = r;
    return PP_OK;
}

void pp_log_reader_free(struct pp_log_reader *r)
{
    free(r);
}

const struct pp_merkle_range *pp_log_reader_range(const struct pp_log_reader *r)
{
    return &r->range;
}
