/* SPDX-License-Identifier: Apache-2.0 */
#include "host_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".hosts"

pp_res host_file_paths(const char *path, struct pp_problem *problem, struct host_file *ret)
{
    size_t len = strlen(path);
    int base = (int)(len - (sizeof SUFFIX - 1));

    if (len < sizeof SUFFIX || len + 2 > HOST_FILE_PATH_MAX || strcmp(path + base, SUFFIX) != 0) {
        pp_problem_set(problem, "LIST", "a file BASE.hosts", pp_span_cstr(path));
        return PP_FAIL(PP_E_INPUT, 0);
    }
    snprintf(ret->path, sizeof ret->path, "%s", path);
    snprintf(ret->entry_path, sizeof ret->entry_path, "%.*s.entry", base, path);
    snprintf(ret->record_path, sizeof ret->record_path, "%.*s.record", base, path);
    return PP_OK;
}

pp_res host_file_read(const char *path, struct pp_problem *problem, struct host_file *ret)
{
    char got[64];

    PP_TRY(host_file_paths(path, problem, ret));
    pp_res r = pp_file_read(AT_FDCWD, path, PP_HOST_LIST_BYTES_MAX, &ret->text);
    if (!pp_is_ok(r)) {
        pp_problem_set(problem, path, "a list of machines", pp_span_cstr(pp_file_reason(r)));
        return PP_FAIL(PP_E_INPUT, r.detail);
    }
    r = pp_host_list_read(pp_buf_span(&ret->text), &ret->list, NULL, NULL);
    if (pp_is_ok(r))
        return r;
    snprintf(got, sizeof got, "line %u: %s", r.detail, pp_code_name(r.code));
    pp_problem_set(problem, path, "a list of machines", pp_span_cstr(got));
    return PP_FAIL(PP_E_INPUT, r.detail);
}

void host_file_done(struct host_file *f)
{
    pp_buf_done(&f->text);
}

int host_file_is_signed(const struct host_file *f)
{
    return access(f->entry_path, F_OK) == 0;
}

/* --- rewriting ------------------------------------------------------------------------------ */

struct rewrite {
    struct pp_wr wr;
    const struct pp_host_row *add; /* NULL once it stands in its place */
    int (*keep)(void *ctx, const struct pp_host_row *row);
    void *ctx;
};

static pp_res take_row(void *ctx, const struct pp_host_row *row)
{
    struct rewrite *x = (struct rewrite *)ctx;
    int order = x->add == NULL ? 1
                               : memcmp(x->add->host.entry, row->host.entry, PP_HOST_ENTRY_BYTES);

    PP_CHECK(order != 0, PP_E_EXISTS, 0);
    if (order < 0) {
        pp_host_row_write(&x->wr, x->add);
        x->add = NULL;
    }
    if (x->keep == NULL || x->keep(x->ctx, row))
        pp_host_row_write(&x->wr, row);
    return pp_wr_ok(&x->wr);
}

static pp_res rewrite(const struct host_file *f, struct rewrite *x)
{
    struct pp_host_list list;

    pp_host_list_write(&x->wr, &f->list);
    PP_TRY(pp_host_list_read(pp_buf_span(&f->text), &list, take_row, x));
    if (x->add != NULL)
        pp_host_row_write(&x->wr, x->add);
    PP_TRY(pp_wr_ok(&x->wr));
    return pp_host_list_read(pp_wr_done(&x->wr), &list, NULL, NULL);
}

pp_res host_file_rewrite(struct host_file *f, const struct pp_host_row *add,
                         int (*keep)(void *ctx, const struct pp_host_row *row), void *ctx,
                         struct pp_problem *problem)
{
    size_t cap = f->text.len + PP_HOST_ROW_MAX;
    uint8_t *bytes = malloc(cap + 1); /* a NUL behind, as struct pp_buf has it */
    struct rewrite x = { .wr = pp_wr_over(bytes, cap), .add = add, .keep = keep, .ctx = ctx };

    PP_CHECK(bytes != NULL, PP_E_NO_MEMORY, 0);
    pp_res r = rewrite(f, &x);
    if (pp_is_ok(r))
        r = pp_file_write(AT_FDCWD, f->path, 0644, pp_wr_done(&x.wr));
    if (!pp_is_ok(r)) {
        pp_problem_set(
            problem, f->path, "a list that takes this machine and can be written",
            pp_span_cstr(r.code == PP_E_EXISTS ? "it is listed already" : pp_file_reason(r)));
        free(bytes);
        return r;
    }
    pp_buf_done(&f->text);
    bytes[x.wr.len] = 0;
    f->text = (struct pp_buf){ bytes, x.wr.len };
    return pp_host_list_read(pp_buf_span(&f->text), &f->list, NULL, NULL);
}
