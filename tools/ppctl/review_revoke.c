/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl review revoke: the record that takes a release, host-set or epoch's keys back, for one
 * reviewer to sign with review sign. Made in haste, so nothing in it is left to be typed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place.h"
#include "record_sign.h"
#include "record_words.h"
#include "text.h"
#include "verbs.h"

enum { NOTICE_BYTES_MAX = 1 << 20 };

struct revoke {
    struct ppctl *p;
    const char *target, *reason, *serial, *notice, *out;
    struct ppctl_place_args place_args;
    struct ppctl_place place;
    struct pp_problem problem;
    struct pp_record record;
    struct pp_record_id id;
    uint8_t text[PP_RECORD_BYTES_MAX];
};

static pp_res refuse(struct revoke *v, const char *field, const char *expected, const char *got)
{
    pp_problem_set(&v->problem, field, expected, pp_span_cstr(got == NULL ? "nothing" : got));
    return PP_FAIL(PP_E_USAGE, 0);
}

static pp_res read_reason(struct revoke *v)
{
    for (int i = 0; v->reason != NULL && i < PP_RECORD_REASONS; i++)
        if (strcmp(v->reason, pp_record_reason_name((enum pp_record_reason)i)) == 0) {
            v->record.revoke.reason = (enum pp_record_reason)i;
            return PP_OK;
        }
    return refuse(v, "--reason", "compromise, vulnerability, superseded or error", v->reason);
}

/* What everybody may read about it; the record holds its digest. */
static pp_res read_notice(struct revoke *v)
{
    struct pp_buf notice = { 0 };

    if (v->notice == NULL)
        return refuse(v, "--notice", "the file of a public notice", NULL);
    pp_res r = pp_file_read(AT_FDCWD, v->notice, NOTICE_BYTES_MAX, &notice);
    if (!pp_is_ok(r)) {
        pp_problem_set(&v->problem, v->notice, "a readable file of at most 1 MiB",
                       pp_span_cstr(pp_file_reason(r)));
        return PP_FAIL(PP_E_INPUT, r.detail);
    }
    pp_sha256(pp_buf_span(&notice), v->record.revoke.notice);
    pp_buf_done(&notice);
    return PP_OK;
}

static pp_res read_words(struct revoke *v)
{
    struct pp_revoke *r = &v->record.revoke;

    if (!pp_is_ok(pp_hex_parse(pp_span_cstr(v->target), r->target.bytes, sizeof r->target.bytes)))
        return refuse(v, "target", "the id of a logged record, 64 hex digits", v->target);
    if (v->serial == NULL ||
        !pp_is_ok(
            pp_decimal_parse(pp_span_cstr(v->serial), PP_RECORD_NUMBER_MAX, &v->record.serial)) ||
        v->record.serial == 0)
        return refuse(v, "--serial", "a number from 1", v->serial);
    if (v->out == NULL)
        return refuse(v, "--out", "where the record goes", NULL);
    PP_TRY(read_reason(v));
    return read_notice(v);
}

static pp_res run(struct revoke *v)
{
    struct pp_wr wr = pp_wr_over(v->text, sizeof v->text);
    struct pp_record *r = &v->record;

    pp_problem_party(&v->problem, "ppctl");
    PP_TRY(read_words(v));
    PP_TRY(ppctl_place_open(v->p, &v->place_args, 0, &v->problem, &v->place));
    pp_problem_party(&v->problem, "ppctl");
    r->type = PP_RECORD_REVOKE;
    r->ledger = v->place.origin;
    r->name_space = v->place.name_space;
    r->environment = v->place.environment;
    r->time = r->revoke.effective = pp_clock_posix_s(&v->p->clock);
    PP_TRY(pp_record_write(&wr, r));
    pp_record_id_of(pp_wr_done(&wr), &v->id);
    return ppctl_write_out(v->out, 0, pp_wr_done(&wr), &v->problem);
}

static int print_result(const struct revoke *v)
{
    char id[2 * PP_SHA256_BYTES + 1] = "";
    struct pp_wr wr = pp_wr_over(id, sizeof id - 1);

    pp_wr_hex(&wr, PP_BYTES(v->id.bytes));
    if (v->p->json)
        return ppctl_print_json(json_pack("{s:s, s:s, s:s, s:I}", "file", v->out, "id", id,
                                          "target", v->target, "serial",
                                          (json_int_t)v->record.serial));
    pp_record_words(stderr, &v->record, &v->id, v->record.time);
    fprintf(stderr, "one reviewer signs this record now: %s\n", v->out);
    return 0;
}

int verb_review_revoke(struct ppctl *p, int argc, char **argv)
{
    struct revoke *v = calloc(1, sizeof *v);

    if (v == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    v->p = p;
    const struct ppctl_option options[] = {
        { "--reason", "R", "compromise, vulnerability, superseded or error", &v->reason, NULL },
        { "--serial", "N", "above that of the last revocation", &v->serial, NULL },
        { "--notice", "FILE", "what everybody may read about it", &v->notice, NULL },
        { "--out", "FILE", "where the record goes", &v->out, NULL },
        PPCTL_PLACE_OPTIONS(v->place_args),
    };
    int status = ppctl_parse(p, "review revoke", options, PP_ARRAY_COUNT(options), argc, argv,
                             &v->target, 1, 1, NULL);
    if (status < 0) {
        pp_res r = run(v);
        status = pp_is_ok(r) ? print_result(v) : ppctl_fail(p, r, &v->problem, 0);
    }
    ppctl_place_done(&v->place);
    free(v);
    return status;
}
