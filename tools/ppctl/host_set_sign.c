/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl host-set sign: the first signature, the owner's, makes the record of a list and leaves out
 * machines whose registration is over; each one behind it holds the record against the list again.
 */
#include <stdio.h>
#include <stdlib.h>

#include "host_file.h"
#include "record_sign.h"
#include "record_words.h"
#include "verbs.h"

struct signing {
    struct ppctl *p;
    struct ppctl_signing args;
    struct pp_problem problem;
    struct host_file file;
    uint64_t now_s;
    struct pp_record record;
    uint8_t text[PP_RECORD_BYTES_MAX];
};

static pp_res refuse(struct signing *s, pp_res r, const char *field, const char *expected,
                     const char *got)
{
    pp_problem_set(&s->problem, field, expected, pp_span_cstr(got));
    return r;
}

/* --- the machines, as whoever signs has to see them ----------------------------------------- */

struct id_text {
    char hex[2 * PP_HOST_ID_BYTES + 1];
};

static struct id_text id_of(const struct pp_host_row *row)
{
    struct id_text t = { { 0 } };
    struct pp_wr wr = pp_wr_over(t.hex, sizeof t.hex - 1);

    pp_wr_hex(&wr, pp_span(row->host.entry + 1, PP_HOST_ID_BYTES));
    return t;
}

static pp_res show_row(void *ctx, const struct pp_host_row *row)
{
    const struct signing *s = (const struct signing *)ctx;
    char custody[2 * PP_SHA256_BYTES + 1] = "";
    struct pp_wr wr = pp_wr_over(custody, sizeof custody - 1);

    pp_wr_hex(&wr, PP_BYTES(row->custody));
    fprintf(stderr, "  %-5s %s\n        custody sha256:%s, registered until %s%s %.*s\n",
            pp_host_product_name(row->product), id_of(row).hex, custody,
            pp_moment_of(row->until).text,
            row->until < s->file.list.not_after ? " (WARNING: before the set ends)" : "",
            (int)row->note.len, (const char *)row->note.at);
    return PP_OK;
}

static pp_res check_list(void *ctx, const struct pp_record_file *f, struct pp_problem *problem)
{
    const struct signing *s = (const struct signing *)ctx;
    struct pp_host_list list;
    char got[64];

    pp_res r = pp_host_list_check(pp_buf_span(&s->file.text), &f->record);
    if (!pp_is_ok(r)) {
        snprintf(got, sizeof got, "another one: %s, %u", pp_code_name(r.code), r.detail);
        pp_problem_set(problem, s->file.path, "the list that this record was made of",
                       pp_span_cstr(got));
        return PP_FAIL(PP_E_INPUT, r.detail);
    }
    return pp_host_list_read(pp_buf_span(&s->file.text), &list, show_row, ctx);
}

/* --- the record ----------------------------------------------------------------------------- */

static int is_registered(void *ctx, const struct pp_host_row *row)
{
    const struct signing *s = (const struct signing *)ctx;

    if (row->until > s->now_s)
        return 1;
    fprintf(stderr, "left out, its registration ended %s: %s\n", pp_moment_of(row->until).text,
            id_of(row).hex);
    return 0;
}

static pp_res make_record(struct signing *s)
{
    struct pp_wr wr = pp_wr_over(s->text, sizeof s->text);

    PP_TRY(host_file_rewrite(&s->file, NULL, is_registered, s, &s->problem));
    if (s->file.list.count == 0)
        return refuse(s, PP_FAIL(PP_E_INPUT, 0), s->file.path, "a machine at least", "none");
    pp_res r = pp_host_list_record(pp_buf_span(&s->file.text), s->now_s, &s->record);
    if (pp_is_ok(r))
        r = pp_record_write(&wr, &s->record);
    if (r.code == PP_E_LEDGER_WINDOW)
        return refuse(s, PP_FAIL(PP_E_TOO_LATE, 0), "not-after",
                      "a time to come, at most 7 days ahead",
                      pp_moment_of(s->file.list.not_after).text);
    if (!pp_is_ok(r))
        return refuse(s, PP_FAIL(PP_E_INPUT, r.detail), s->file.path, "a list that gives a record",
                      pp_code_text(r.code));
    return ppctl_write_out(s->file.record_path, 1, pp_wr_done(&wr), &s->problem);
}

static pp_res prepare(struct signing *s, const char *path)
{
    pp_problem_party(&s->problem, "ppctl");
    PP_TRY(host_file_read(path, &s->problem, &s->file));
    if (!host_file_is_signed(&s->file))
        PP_TRY(make_record(s));
    s->args.path = host_file_is_signed(&s->file) ? s->file.entry_path : s->file.record_path;
    return PP_OK;
}

int verb_host_set_sign(struct ppctl *p, int argc, char **argv)
{
    struct signing *s = calloc(1, sizeof *s);
    const char *path = NULL;

    if (s == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    s->p = p;
    s->args = (struct ppctl_signing){ .types = PPCTL_SIGNS_HOST_SET, .more = check_list, .ctx = s };
    s->now_s = pp_clock_posix_s(&p->clock);
    const struct ppctl_option options[] = { PPCTL_KEY_OPTIONS(s->args.key),
                                            PPCTL_PLACE_OPTIONS(s->args.place) };
    int status = ppctl_parse(p, "host-set sign", options, PP_ARRAY_COUNT(options), argc, argv,
                             &path, 1, 1, NULL);
    if (status < 0) {
        pp_res r = prepare(s, path);
        status = pp_is_ok(r) ? ppctl_record_sign(p, &s->args) : ppctl_fail(p, r, &s->problem, 0);
    }
    host_file_done(&s->file);
    free(s);
    return status;
}
