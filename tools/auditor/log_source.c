/* SPDX-License-Identifier: Apache-2.0 */
#include "log_source_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void pp_log_words_(struct pp_problem *problem, const char *place, const char *field,
                   const char *expected, const char *got)
{
    pp_problem_set(problem, field, expected, pp_span_cstr(got));
    pp_problem_party(problem, place);
}

int pp_log_is_url_(const char *place)
{
    return strncmp(place, "http://", 7) == 0 || strncmp(place, "https://", 8) == 0;
}

/* --- tiles: names, limits, form ------------------------------------------------------------- */

void pp_log_tile_name_(const struct pp_tile *t, unsigned width, char ret[PP_LOG_FETCH_NAME_MAX + 1])
{
    struct pp_tile asked = *t;
    struct pp_wr wr = pp_wr_over(ret, PP_LOG_FETCH_NAME_MAX);

    memset(ret, 0, PP_LOG_FETCH_NAME_MAX + 1);
    asked.width = width;
    pp_tile_path_write(&wr, &asked);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
}

size_t pp_log_tile_max_(const struct pp_tile *t)
{
    return t->entries ? PP_ENTRIES_BYTES_MAX : PP_TILE_BYTES;
}

static pp_res hash_shape(const struct pp_tile *t, unsigned width, struct pp_buf *bytes)
{
    PP_CHECK(bytes->len == (size_t)width * PP_SHA256_BYTES, PP_E_LOG_FILE, bytes->len);
    bytes->len = (size_t)t->width * PP_SHA256_BYTES;
    return PP_OK;
}

static pp_res entries_shape(const struct pp_tile *t, unsigned width, struct pp_buf *bytes)
{
    struct pp_span entries[PP_TILE_WIDTH];
    size_t len = 0;

    PP_TRY_AS(PP_E_LOG_FILE, pp_entries_parse(pp_buf_span(bytes), width, entries));
    for (unsigned i = 0; i < t->width; i++)
        len += 2 + entries[i].len;
    bytes->len = len;
    return PP_OK;
}

pp_res pp_log_tile_shape_(const struct pp_tile *t, unsigned width, struct pp_buf *bytes)
{
    return t->entries ? entries_shape(t, width, bytes) : hash_shape(t, width, bytes);
}

/* --- folders -------------------------------------------------------------------------------- */

static pp_res folder_read(const struct pp_log_source *s, const char *name, size_t max,
                          struct pp_buf *ret, struct pp_problem *problem)
{
    char expected[64];
    pp_res r = pp_file_read(s->dir, name, max, ret);

    if (pp_is_ok(r) || r.code == PP_E_NO_MEMORY)
        return r;
    /* A file below what should be a folder, or a folder in place of a file: it is not there. */
    if (r.code == PP_E_SYSTEM && r.detail == ENOTDIR)
        r.code = PP_E_NOT_FOUND;
    if (r.code == PP_E_LIMIT || r.code == PP_E_FORMAT)
        r.code = PP_E_LOG_FILE;
    snprintf(expected, sizeof expected, "a readable file of at most %zu bytes", max);
    pp_log_words_(problem, s->place, name, expected,
                  r.code == PP_E_LOG_FILE ? "more, or no file at all" : pp_file_reason(r));
    return r;
}

static pp_res folder_tile(const struct pp_log_source *s, const struct pp_tile *t,
                          struct pp_buf *ret, unsigned *ret_width, struct pp_problem *problem)
{
    char name[PP_LOG_FETCH_NAME_MAX + 1];

    *ret_width = t->width;
    pp_log_tile_name_(t, t->width, name);
    pp_res r = folder_read(s, name, pp_log_tile_max_(t), ret, problem);
    if (r.code != PP_E_NOT_FOUND || t->width == PP_TILE_WIDTH)
        return r;
    *ret_width = PP_TILE_WIDTH; /* the partial tile was removed when it was full */
    pp_log_tile_name_(t, PP_TILE_WIDTH, name);
    return folder_read(s, name, pp_log_tile_max_(t), ret, problem);
}

static int is_there(int dir, const char *name)
{
    return faccessat(dir, name, F_OK, 0) == 0;
}

/* The folder of a pp-logd has the public files one step below. */
static pp_res open_folder(struct pp_log_source *s)
{
    s->dir = open(s->place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dir < 0)
        return pp_errno_res(errno);
    if (is_there(s->dir, "checkpoint") || !is_there(s->dir, "public"))
        return PP_OK;
    int below = openat(s->dir, "public", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (below < 0)
        return pp_errno_res(errno);
    (void)close(s->dir);
    s->dir = below;
    size_t len = strlen(s->place);
    PP_CHECK(len + sizeof "/public" <= sizeof s->place, PP_E_RANGE, len);
    memcpy(s->place + len, "/public", sizeof "/public");
    return PP_OK;
}

/* --- life ----------------------------------------------------------------------------------- */

static pp_res start(struct pp_log_source *s, const struct pp_log_source_config *c,
                    struct pp_problem *problem)
{
    size_t len = strlen(c->place);

    while (len > 1 && c->place[len - 1] == '/')
        len--;
    PP_CHECK(len > 0 && len < sizeof s->place, PP_E_INPUT, len);
    memcpy(s->place, c->place, len);
    if (pp_log_is_url_(s->place)) {
        struct pp_log_source_config trimmed = *c;
        trimmed.place = s->place;
        return pp_log_fetcher_init_(&s->fetcher, &trimmed, problem);
    }
    pp_res r = open_folder(s);
    if (!pp_is_ok(r))
        pp_log_words_(problem, "log", s->place, "the folder of a log, or its URL",
                      pp_file_reason(r));
    return r;
}

pp_res pp_log_source_open(const struct pp_log_source_config *c, struct pp_log_source **ret,
                          struct pp_problem *problem)
{
    struct pp_log_source *s = calloc(1, sizeof *s);

    PP_CHECK(s != NULL, PP_E_NO_MEMORY, sizeof *s);
    s->dir = -1;
    pp_res r = start(s, c, problem);
    if (!pp_is_ok(r)) {
        pp_log_source_close(s);
        return r;
    }
    *ret = s;
    return PP_OK;
}

void pp_log_source_close(struct pp_log_source *s)
{
    if (s == NULL)
        return;
    if (s->dir >= 0)
        (void)close(s->dir);
    pp_log_fetcher_done_(&s->fetcher);
    free(s);
}

const char *pp_log_source_place(const struct pp_log_source *s)
{
    return s->place;
}

int pp_log_source_is_folder(const struct pp_log_source *s)
{
    return s->dir >= 0;
}

/* --- what is asked for ------------------------------------------------------------------------ */

static pp_res read_named(struct pp_log_source *s, const char *name, size_t max, struct pp_buf *ret,
                         struct pp_problem *problem)
{
    unsigned width;

    if (s->dir >= 0)
        return folder_read(s, name, max, ret, problem);
    return pp_log_fetch_(&s->fetcher, NULL, name, max, ret, &width, problem);
}

pp_res pp_log_source_checkpoint(struct pp_log_source *s, struct pp_buf *ret,
                                struct pp_problem *problem)
{
    return read_named(s, "checkpoint", PP_NOTE_BYTES_MAX, ret, problem);
}

static int is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-';
}

/* No way out of the log's files: no empty part, none that begins with a dot. */
static int is_name(const char *name)
{
    size_t len = strlen(name);
    int at_start = 1;

    if (len == 0 || len > PP_LOG_SOURCE_NAME_MAX || name[len - 1] == '/')
        return 0;
    for (size_t i = 0; i < len; i++) {
        if (at_start ? name[i] == '.' || !is_name_byte(name[i])
                     : name[i] != '/' && !is_name_byte(name[i]))
            return 0;
        at_start = name[i] == '/';
    }
    return 1;
}

pp_res pp_log_source_file(struct pp_log_source *s, const char *name, size_t max, struct pp_buf *ret,
                          struct pp_problem *problem)
{
    PP_CHECK(is_name(name), PP_E_RANGE, strlen(name));
    return read_named(s, name, max, ret, problem);
}

static int is_implied(uint64_t size, const struct pp_tile *t)
{
    struct pp_tile has;

    return pp_tile_of(size, t->level, t->index, &has) && has.width == t->width &&
           !(t->entries && t->level != 0);
}

void pp_log_source_ahead(struct pp_log_source *s, uint64_t size, const struct pp_tile *t)
{
    if (s->dir < 0 && is_implied(size, t))
        pp_log_fetch_ahead_(&s->fetcher, t);
}

/* An error page under status 200 is told by its type, where it has one. */
static void explain_shape(const struct pp_log_source *s, const struct pp_tile *t, unsigned width,
                          const char *name, size_t len, struct pp_problem *problem)
{
    char expected[64], got[64 + PP_HTTP_TYPE_BYTES_MAX];

    if (t->entries)
        snprintf(expected, sizeof expected, "%u entries, each behind its length", width);
    else
        snprintf(expected, sizeof expected, "%u bytes: %u hashes", width * PP_SHA256_BYTES, width);
    snprintf(got, sizeof got, "%zu bytes that are not that%s%s", len,
             s->fetcher.type[0] == '\0' ? "" : ", of the type ", s->fetcher.type);
    pp_log_words_(problem, s->place, name, expected, got);
}

static pp_res read_tile(struct pp_log_source *s, const struct pp_tile *t, struct pp_buf *ret,
                        struct pp_problem *problem)
{
    char name[PP_LOG_FETCH_NAME_MAX + 1];
    unsigned width = t->width;
    pp_res r = s->dir >= 0
                   ? folder_tile(s, t, ret, &width, problem)
                   : pp_log_fetch_(&s->fetcher, t, NULL, pp_log_tile_max_(t), ret, &width, problem);

    pp_log_tile_name_(t, width, name);
    if (r.code == PP_E_NOT_FOUND) {
        pp_log_words_(problem, s->place, name, "a file that the checkpoint's size implies",
                      "no such file");
        r.code = PP_E_LOG_MISSING;
    }
    PP_TRY(r);
    size_t len = ret->len;
    r = pp_log_tile_shape_(t, width, ret);
    if (!pp_is_ok(r)) {
        explain_shape(s, t, width, name, len, problem);
        pp_buf_done(ret);
    }
    return r;
}

pp_res pp_log_source_tile(struct pp_log_source *s, uint64_t size, const struct pp_tile *t,
                          struct pp_buf *ret, struct pp_problem *problem)
{
    struct pp_buf bytes = { 0 };

    PP_CHECK(is_implied(size, t), PP_E_RANGE, t->width);
    PP_TRY(read_tile(s, t, &bytes, problem));
    *ret = bytes;
    return PP_OK;
}

static pp_res read_hashes(void *ctx, const struct pp_tile *t, uint8_t ret[PP_TILE_BYTES])
{
    struct pp_log_source_tree *tree = ctx;
    struct pp_buf bytes = { 0 };

    PP_TRY(pp_log_source_tile(tree->source, tree->size, t, &bytes, tree->problem));
    memcpy(ret, bytes.bytes, bytes.len);
    pp_buf_done(&bytes);
    return PP_OK;
}

struct pp_tile_source pp_log_source_tiles(struct pp_log_source_tree *t)
{
    return (struct pp_tile_source){ .read = read_hashes, .ctx = t };
}
