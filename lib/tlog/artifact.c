/* SPDX-License-Identifier: Apache-2.0 */
#include "artifact.h"

#include <stdlib.h>

#include "text.h"
#include "tlog_int.h"

enum {
    FIRST_FILE_LINE = 3,
    LINE_BYTES_MAX = PP_ARTIFACT_PATH_MAX + 1 + 20 + 1 + 3 + 1 + 2 * PP_SHA256_BYTES,
};

/* --- what may stand in a line ----------------------------------------------------------------- */

/* Printable ASCII without space: a name has one spelling, whatever Unicode would make of it. */
static pp_res check_word(struct pp_span word)
{
    PP_CHECK(word.len > 0, PP_E_FORMAT, 0);
    PP_CHECK(word.len <= PP_ARTIFACT_NAME_MAX, PP_E_LIMIT, word.len);
    for (size_t i = 0; i < word.len; i++)
        PP_CHECK(word.at[i] > 0x20 && word.at[i] < 0x7F, PP_E_FORMAT, i);
    return PP_OK;
}

static pp_res check_path(struct pp_span path)
{
    struct pp_span rest = path, name;
    int more = 1;

    PP_CHECK(path.len <= PP_ARTIFACT_PATH_MAX, PP_E_LIMIT, path.len);
    while (more) {
        more = pp_text_cut(&rest, '/', &name);
        PP_TRY(check_word(name));
        PP_CHECK(!pp_span_eq(name, PP_STR(".")) && !pp_span_eq(name, PP_STR("..")), PP_E_FORMAT, 0);
    }
    return PP_OK;
}

static uint8_t fold(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

/* The byte of a path at `i`, a file's end being like the end of a folder's name. */
static uint8_t at(struct pp_span path, size_t i)
{
    return i < path.len ? fold(path.at[i]) : '/';
}

/*
 * 1 if some file system could not hold both: a name in the same folder differs in case alone, or
 * one path is a file where the other has a folder. Equal paths are the order's concern.
 */
static int clash(struct pp_span a, struct pp_span b)
{
    int differs = 0;

    for (size_t i = 0; at(a, i) == at(b, i); i++) {
        int a_ends = i >= a.len, b_ends = i >= b.len;
        if (at(a, i) == '/' && (differs || a_ends != b_ends))
            return 1;
        if (a_ends || b_ends)
            return 0;
        differs |= a.at[i] != b.at[i];
    }
    return 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

static pp_res read_line(struct pp_span *rest, struct pp_span *ret)
{
    PP_TRY(pp_tlog_line(rest, ret));
    PP_CHECK(ret->len <= LINE_BYTES_MAX, PP_E_LIMIT, 0);
    return PP_OK;
}

static pp_res read_file(struct pp_span line, struct pp_artifact_file *ret)
{
    struct pp_span path, size, mode;

    PP_CHECK(pp_text_cut(&line, ' ', &path), PP_E_FORMAT, 0);
    PP_CHECK(pp_text_cut(&line, ' ', &size), PP_E_FORMAT, 0);
    PP_CHECK(pp_text_cut(&line, ' ', &mode), PP_E_FORMAT, 0);
    PP_TRY(check_path(path));
    PP_TRY(pp_decimal_parse(size, INT64_MAX, &ret->size));
    if (pp_span_eq(mode, PP_STR("644")))
        ret->mode = PP_ARTIFACT_MODE_FILE;
    else if (pp_span_eq(mode, PP_STR("755")))
        ret->mode = PP_ARTIFACT_MODE_PROGRAM;
    else
        return PP_FAIL(PP_E_RANGE, 0);
    PP_TRY_AS(PP_E_FORMAT, pp_hex_parse(line, ret->sha256, sizeof ret->sha256));
    ret->path = path;
    return PP_OK;
}

/* The files before it are in order and do not clash. */
static pp_res check_place(const struct pp_artifact_file *files, size_t count)
{
    const struct pp_artifact_file *f = &files[count];

    if (count > 0) {
        int order = pp_span_cmp(files[count - 1].path, f->path);
        PP_CHECK(order != 0, PP_E_DUPLICATE, 0);
        PP_CHECK(order < 0, PP_E_ORDER, 0);
    }
    for (size_t i = 0; i < count; i++)
        PP_CHECK(!clash(files[i].path, f->path), PP_E_EXISTS, 0);
    return PP_OK;
}

static pp_res read_head(struct pp_span *rest, struct pp_artifact *a, uint32_t *line)
{
    *line = 1;
    PP_TRY(read_line(rest, &a->purpose));
    PP_TRY(check_word(a->purpose));
    *line = 2;
    PP_TRY(read_line(rest, &a->version));
    return check_word(a->version);
}

static pp_res read_files(struct pp_span rest, struct pp_artifact_file *files, size_t cap,
                         size_t *ret_count, uint32_t *line)
{
    struct pp_span text;
    size_t count = 0;

    for (; rest.len > 0; count++) {
        *line = (uint32_t)(FIRST_FILE_LINE + count);
        PP_CHECK(count < cap && count < PP_ARTIFACT_FILES_MAX, PP_E_LIMIT, 0);
        PP_TRY(read_line(&rest, &text));
        PP_TRY(read_file(text, &files[count]));
        PP_TRY(check_place(files, count));
    }
    *line = FIRST_FILE_LINE;
    PP_CHECK(count > 0, PP_E_MISSING, 0);
    *ret_count = count;
    return PP_OK;
}

pp_res pp_artifact_parse(struct pp_span text, struct pp_artifact_file *files, size_t cap,
                         struct pp_artifact *ret)
{
    struct pp_artifact a = { .files = files };
    uint32_t line = 0;

    PP_CHECK(text.len <= PP_ARTIFACT_BYTES_MAX, PP_E_LIMIT, 0);
    pp_res r = read_head(&text, &a, &line);
    if (pp_is_ok(r))
        r = read_files(text, files, cap, &a.file_count, &line);
    r.detail = pp_is_ok(r) ? 0 : line;
    PP_TRY(r);
    *ret = a;
    return PP_OK;
}

pp_res pp_artifact_check(struct pp_span text, const uint8_t digest[PP_SHA256_BYTES],
                         struct pp_span purpose, struct pp_artifact_file *files, size_t cap,
                         struct pp_artifact *ret)
{
    struct pp_artifact a;
    uint8_t own[PP_SHA256_BYTES];

    pp_sha256(text, own);
    PP_CHECK(memcmp(own, digest, sizeof own) == 0, PP_E_MISMATCH, 0);
    PP_TRY(pp_artifact_parse(text, files, cap, &a));
    /* A digest that is right for another purpose is the very thing to refuse (W19_T5). */
    PP_CHECK(pp_span_eq(a.purpose, purpose), PP_E_UNVERIFIED, 0);
    *ret = a;
    return PP_OK;
}

/* --- writing ---------------------------------------------------------------------------------- */

static int by_path(const void *a, const void *b)
{
    return pp_span_cmp(((const struct pp_artifact_file *)a)->path,
                       ((const struct pp_artifact_file *)b)->path);
}

static void write_line(struct pp_wr *wr, struct pp_span word)
{
    pp_wr_span(wr, word);
    pp_wr_u8(wr, '\n');
}

static void write_file(struct pp_wr *wr, const struct pp_artifact_file *f)
{
    pp_wr_span(wr, f->path);
    pp_wr_u8(wr, ' ');
    pp_wr_decimal(wr, f->size);
    pp_wr_text(wr, f->mode == PP_ARTIFACT_MODE_PROGRAM ? " 755 " : " 644 ");
    pp_wr_hex(wr, PP_BYTES(f->sha256));
    pp_wr_u8(wr, '\n');
}

/* What the parser refuses of one file, and of it beside the others. */
static pp_res check_files(const struct pp_artifact_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pp_res r = check_path(files[i].path);
        if (pp_is_ok(r))
            r = check_place(files, i);
        if (pp_is_ok(r) && files[i].size > INT64_MAX)
            r = PP_FAIL(PP_E_RANGE, 0);
        r.detail = pp_is_ok(r) ? 0 : (uint32_t)(FIRST_FILE_LINE + i);
        PP_TRY(r);
    }
    return PP_OK;
}

pp_res pp_artifact_write(struct pp_wr *wr, struct pp_span purpose, struct pp_span version,
                         struct pp_artifact_file *files, size_t file_count)
{
    PP_TRY(check_word(purpose));
    PP_TRY(check_word(version));
    PP_CHECK(file_count > 0, PP_E_MISSING, FIRST_FILE_LINE);
    PP_CHECK(file_count <= PP_ARTIFACT_FILES_MAX, PP_E_LIMIT, file_count);
    qsort(files, file_count, sizeof *files, by_path);
    PP_TRY(check_files(files, file_count));
    write_line(wr, purpose);
    write_line(wr, version);
    for (size_t i = 0; i < file_count; i++)
        write_file(wr, &files[i]);
    return pp_wr_ok(wr);
}
