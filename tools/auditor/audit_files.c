/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What else lies in the folder of a log: partial tiles of earlier checkpoints, which must go on
 * being the beginning of what came after them (C2SP tlog-tiles: they are immutable), and tiles of
 * a larger tree than the checkpoint's, whose beginning a reader may be given for a missing partial
 * one.
 */
#include "audit_int.h"

#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>

struct walking {
    const struct pp_audit_config *config;
    struct pp_audit *audit;
    struct pp_problem *problem;
    struct pp_span entries[2][PP_TILE_WIDTH];
};

static pp_res found(const struct walking *w, uint32_t code, const char *path, const char *expected,
                    const char *got)
{
    struct pp_problem words = { 0 };

    pp_problem_set(&words, path, expected, pp_span_cstr(got));
    pp_problem_party(&words, pp_log_source_place(w->config->source));
    return pp_audit_found_(w->config, code, &words);
}

/* 1 if the first `width` hashes or entries are the same; both have the form of their widths. */
static int begin_alike(struct walking *w, const struct pp_tile *a, struct pp_span a_bytes,
                       const struct pp_tile *b, struct pp_span b_bytes)
{
    unsigned width = a->width < b->width ? a->width : b->width;

    if (!a->entries)
        return memcmp(a_bytes.at, b_bytes.at, (size_t)width * PP_SHA256_BYTES) == 0;
    if (!pp_is_ok(pp_entries_parse(a_bytes, a->width, w->entries[0])) ||
        !pp_is_ok(pp_entries_parse(b_bytes, b->width, w->entries[1])))
        return 0;
    for (unsigned i = 0; i < width; i++)
        if (!pp_span_eq(w->entries[0][i], w->entries[1][i]))
            return 0;
    return 1;
}

static int has_form(struct walking *w, const struct pp_tile *t, struct pp_span bytes)
{
    if (t->entries)
        return pp_is_ok(pp_entries_parse(bytes, t->width, w->entries[0]));
    return bytes.len == (size_t)t->width * PP_SHA256_BYTES;
}

static pp_res compare(struct walking *w, const char *path, const struct pp_tile *other,
                      struct pp_span bytes, const struct pp_tile *tile)
{
    struct pp_problem words = { 0 };
    struct pp_buf own = { 0 };
    pp_res r = pp_log_source_tile(w->config->source, w->audit->opened.checkpoint.size, tile, &own,
                                  &words);

    if (pp_code_class(r.code) == PP_CLASS_REFUSED)
        return PP_OK; /* the reader has found that already */
    PP_TRY(r);
    int is_alike = begin_alike(w, other, bytes, tile, pp_buf_span(&own));
    pp_buf_done(&own);
    if (is_alike)
        return PP_OK;
    return found(w, PP_E_LOG_TILE, path, "what the tile of the checkpoint's tree begins with",
                 "other bytes");
}

static pp_res check_content(struct walking *w, const char *path, const struct pp_tile *t,
                            struct pp_span bytes)
{
    struct pp_tile tile;

    if (!has_form(w, t, bytes))
        return found(w, PP_E_LOG_FILE, path, "as many hashes or entries as its name says",
                     "another content");
    if (!pp_tile_of(w->audit->opened.checkpoint.size, t->level, t->index, &tile)) {
        w->audit->beyond++;
        return PP_OK;
    }
    tile.entries = t->entries;
    if (t->width == tile.width)
        return PP_OK; /* read already */
    if (t->width < tile.width)
        w->audit->files++;
    else
        w->audit->beyond++;
    return compare(w, path, t, bytes, &tile);
}

/* What a writer leaves that was killed before it could rename (file.h): no reader asks for it. */
static int is_leftover(const char *path)
{
    size_t len = strlen(path);

    return len > 4 && strcmp(path + len - 4, ".tmp") == 0;
}

static pp_res check_file(struct walking *w, const char *full, const char *path)
{
    struct pp_buf bytes = { 0 };
    struct pp_tile t;

    if (is_leftover(path))
        return PP_OK;
    if (!pp_is_ok(pp_tile_path_parse(pp_span_cstr(path), &t)))
        return found(w, PP_E_LOG_FILE, path, "a path of C2SP tlog-tiles", "another");
    pp_res r = pp_file_read(AT_FDCWD, full, t.entries ? PP_ENTRIES_BYTES_MAX : PP_TILE_BYTES,
                            &bytes);
    if (r.code == PP_E_LIMIT)
        return found(w, PP_E_LOG_FILE, path, "at most the bytes of a full tile", "more");
    if (!pp_is_ok(r)) {
        pp_problem_set(w->problem, path, "a readable file", pp_span_cstr(pp_file_reason(r)));
        return r;
    }
    r = check_content(w, path, &t, pp_buf_span(&bytes));
    pp_buf_done(&bytes);
    return r;
}

static pp_res walk(struct walking *w, FTS *tree)
{
    size_t place = strlen(pp_log_source_place(w->config->source)) + 1;

    for (FTSENT *e = fts_read(tree); e != NULL; e = fts_read(tree))
        if (e->fts_info == FTS_F)
            PP_TRY(check_file(w, e->fts_path, e->fts_path + place));
    return PP_OK;
}

pp_res pp_audit_files_(const struct pp_audit_config *c, struct pp_audit *a,
                       struct pp_problem *problem)
{
    char path[PP_LOG_SOURCE_PLACE_MAX + 8];
    char *const roots[] = { path, NULL };
    struct walking *w;

    if (!pp_log_source_is_folder(c->source))
        return PP_OK;
    snprintf(path, sizeof path, "%s/tile", pp_log_source_place(c->source));
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    PP_CHECK(tree != NULL, PP_E_NO_MEMORY, 0);
    w = calloc(1, sizeof *w);
    pp_res r = PP_FAIL(PP_E_NO_MEMORY, sizeof *w);
    if (w != NULL) {
        *w = (struct walking){ .config = c, .audit = a, .problem = problem };
        r = walk(w, tree);
    }
    free(w);
    (void)fts_close(tree);
    return r;
}
