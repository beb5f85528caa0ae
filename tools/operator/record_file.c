/* SPDX-License-Identifier: Apache-2.0 */
#include "record_file.h"

#include <fcntl.h>
#include <stdio.h>

static pp_res refuse(struct pp_problem *problem, const char *path, const char *got)
{
    pp_problem_set(problem, path, "a record, or a signed one", pp_span_cstr(got));
    return PP_FAIL(PP_E_INPUT, 0);
}

/* No line of a record is empty, so an empty line says that signatures follow. */
static int is_note(struct pp_span text)
{
    for (size_t i = 1; i < text.len; i++)
        if (text.at[i - 1] == '\n' && text.at[i] == '\n')
            return 1;
    return 0;
}

static pp_res read_note(const char *path, struct pp_problem *problem, struct pp_record_file *f)
{
    struct pp_span all = pp_buf_span(&f->bytes);
    char got[64];

    f->note.text = all;
    if (!is_note(all))
        return PP_OK;
    pp_res r = pp_note_parse(all, &f->note);
    if (pp_is_ok(r))
        return PP_OK;
    snprintf(got, sizeof got, "no signed note: %s at byte %u", pp_code_name(r.code), r.detail);
    return refuse(problem, path, got);
}

pp_res pp_record_file_read(const char *path, struct pp_problem *problem, struct pp_record_file *ret)
{
    char got[64];

    pp_res r = pp_file_read(AT_FDCWD, path, PP_RECORD_ENTRY_MAX, &ret->bytes);
    if (!pp_is_ok(r))
        return refuse(problem, path, pp_file_reason(r));
    PP_TRY(read_note(path, problem, ret));
    r = pp_record_parse(ret->note.text, &ret->record);
    if (!pp_is_ok(r)) {
        snprintf(got, sizeof got, "line %u: %s", r.detail, pp_code_name(r.code));
        return refuse(problem, path, got);
    }
    pp_record_id_of(ret->note.text, &ret->id);
    return PP_OK;
}

void pp_record_file_done(struct pp_record_file *f)
{
    pp_buf_done(&f->bytes);
}

int pp_record_file_signed_by(const struct pp_record_file *f, const struct pp_note_key *key)
{
    for (size_t i = 0; i < f->note.line_count; i++)
        if (f->note.lines[i].id == key->id && pp_span_eq(f->note.lines[i].name, key->name))
            return 1;
    return 0;
}

pp_res pp_record_file_add(const struct pp_record_file *f, struct pp_span line, struct pp_wr *wr)
{
    size_t from = wr->len;

    PP_CHECK(f->note.line_count < PP_NOTE_SIGNATURES_MAX, PP_E_LIMIT, f->note.line_count);
    pp_wr_span(wr, pp_buf_span(&f->bytes));
    if (f->bytes.len == f->note.text.len)
        pp_wr_u8(wr, '\n');
    pp_wr_span(wr, line);
    PP_TRY(pp_wr_ok(wr));
    PP_CHECK(wr->len - from <= PP_RECORD_ENTRY_MAX, PP_E_LIMIT, wr->len - from);
    return PP_OK;
}
