/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl release new: from an image's folder its manifest, which a builder signs; from the manifests
 * of two builders who made the same the record, which reviewers sign (docs/protocol/release.md).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image_files.h"
#include "record_sign.h"
#include "release.h"
#include "text.h"
#include "verbs.h"

struct new
{
    struct ppctl *p;
    const char *files, *inputs, *out; /* of a manifest */
    const char *manifests[PP_BUILDERS_NOTES_MAX];
    size_t manifest_count;
    const char *builders, *agreed, *serial, *not_before, *not_after, *review; /* of a record */
    struct ppctl_place_args place_args;
    struct ppctl_place place;
    struct pp_policy_file policy;
    struct pp_buf texts[PP_BUILDERS_NOTES_MAX];
    struct pp_builder_note notes[PP_BUILDERS_NOTES_MAX];
    struct pp_agreed agreement;
    struct pp_note note;
    struct pp_record record;
    struct pp_record_id id;
    struct pp_arena arena;
    struct pp_problem problem;
    uint8_t text[PP_RECORD_BYTES_MAX], both[PP_RECORD_ENTRY_MAX];
};

/* --- a manifest ----------------------------------------------------------------------------- */

static pp_res make_manifest(struct new *x)
{
    struct pp_wr wr = pp_wr_over(x->text, sizeof x->text);
    struct pp_buf inputs = { 0 };

    PP_TRY(release_arena(&x->arena));
    PP_TRY(release_read(x->inputs, PP_IMAGE_INPUTS_MAX, &x->problem, &inputs));
    pp_res r = pp_image_of_folder(x->files, pp_buf_span(&inputs), &x->arena, &wr, &x->problem);
    if (pp_is_ok(r))
        r = release_write(x->out, pp_wr_done(&wr), &x->problem);
    if (pp_is_ok(r))
        r = pp_image_parse(pp_wr_done(&wr), &x->record.release);
    pp_buf_done(&inputs);
    return r;
}

static int print_manifest(const struct new *x)
{
    const struct pp_release *r = &x->record.release;

    if (x->p->json)
        return ppctl_print_json(json_pack("{s:s, s:s, s:s, s:I}", "manifest", x->out, "role",
                                          pp_record_role_name(r->role), "image",
                                          release_hex(PP_BYTES(r->image.sha256)).text, "rows",
                                          (json_int_t)(r->snp_count + r->tdx_count)));
    fprintf(stderr, "manifest of the %s image %s, %zu snp rows measured, %zu tdx rows as given\n",
            pp_record_role_name(r->role), release_hex(PP_BYTES(r->image.sha256)).text, r->snp_count,
            r->tdx_count);
    fprintf(stderr, "written to %s; its builder signs it now: ppctl release sign\n", x->out);
    return 0;
}

/* --- a record ------------------------------------------------------------------------------- */

static pp_res read_notes(struct new *x)
{
    for (size_t i = 0; i < x->manifest_count; i++) {
        PP_TRY(release_read(x->manifests[i], PP_NOTE_BYTES_MAX, &x->problem, &x->texts[i]));
        x->notes[i] = (struct pp_builder_note){ x->manifests[i], pp_buf_span(&x->texts[i]) };
    }
    return PP_OK;
}

static pp_res number(struct new *x, const char *option, const char *text, uint64_t max,
                     uint64_t otherwise, uint64_t *ret)
{
    *ret = otherwise;
    if (text == NULL || pp_is_ok(pp_decimal_parse(pp_span_cstr(text), max, ret)))
        return PP_OK;
    return release_refuse(&x->problem, PP_FAIL(PP_E_USAGE, 0), option, "a number in decimal", text);
}

/* B2: 26 h for review, the hour's batch, and the 24 h that everybody has to look; none in dev. */
static pp_res set_times(struct new *x)
{
    struct pp_release *r = &x->record.release;
    uint64_t delay = x->record.environment == PP_RECORD_DEV ? 0 : PP_RELEASE_DELAY_S;

    x->record.time = pp_clock_posix_s(&x->p->clock);
    PP_TRY(number(x, "--serial", x->serial, PP_RECORD_NUMBER_MAX, 0, &x->record.serial));
    PP_TRY(number(x, "--not-before", x->not_before, PP_RECORD_TIME_MAX, x->record.time + delay,
                  &r->not_before));
    PP_TRY(number(x, "--not-after", x->not_after, PP_RECORD_TIME_MAX,
                  r->not_before + PP_RELEASE_LIFE_S, &r->not_after));
    if (r->not_before < x->record.time + delay)
        return release_refuse(&x->problem, PP_FAIL(PP_E_RELEASE_TIME, 0), "--not-before",
                              "26 h from now or later (dev: now)", x->not_before);
    if (r->not_after <= r->not_before || r->not_after - r->not_before > PP_RELEASE_LIFE_S)
        return release_refuse(&x->problem, PP_FAIL(PP_E_RELEASE_TIME, 0), "--not-after",
                              "behind not-before, by at most 21 days", x->not_after);
    return PP_OK;
}

static pp_res make_record(struct new *x)
{
    struct pp_wr wr = pp_wr_over(x->text, sizeof x->text);
    struct pp_record *r = &x->record;

    *r = (struct pp_record){ .type = PP_RECORD_RELEASE,
                             .ledger = x->place.origin,
                             .name_space = x->place.name_space,
                             .environment = x->place.environment,
                             .release = x->agreement.image };
    r->release.review_count = 1;
    r->release.review[0].name = pp_span_cstr(x->review == NULL ? "reviewers" : x->review);
    memcpy(r->release.review[0].sha256, x->place.keys.review->digest, PP_SHA256_BYTES);
    PP_TRY(set_times(x));
    pp_res res = pp_record_write(&wr, r);
    if (!pp_is_ok(res))
        return release_refuse(&x->problem, PP_FAIL(PP_E_USAGE, res.detail), "record",
                              "a serial from 1, a review name without spaces",
                              pp_code_text(res.code));
    pp_record_id_of(pp_wr_done(&wr), &x->id);
    return ppctl_write_out(x->out, 0, pp_wr_done(&wr), &x->problem);
}

static pp_res write_agreed(struct new *x)
{
    struct pp_wr wr = pp_wr_over(x->both, sizeof x->both);

    PP_TRY(pp_builders_write(&wr, x->notes, x->manifest_count, &x->policy.policy, &x->agreement,
                             &x->note));
    return release_write(x->agreed, pp_wr_done(&wr), &x->problem);
}

static pp_res record_of_manifests(struct new *x)
{
    PP_TRY(ppctl_place_open(x->p, &x->place_args, PPCTL_NEED_REVIEW, &x->problem, &x->place));
    pp_problem_party(&x->problem, "builders");
    PP_TRY(pp_policy_file_load(x->builders, PP_POLICY_REVIEW, &x->problem, &x->policy));
    PP_TRY(read_notes(x));
    PP_TRY(pp_builders_agree(x->notes, x->manifest_count, &x->policy.policy, &x->note,
                             &x->agreement, &x->problem));
    pp_problem_party(&x->problem, "ppctl");
    PP_TRY(write_agreed(x));
    return make_record(x);
}

static int print_record(const struct new *x)
{
    char names[256];
    const struct pp_release *r = &x->record.release;

    pp_policy_names(names, sizeof names, &x->policy.policy, x->agreement.builders);
    if (x->p->json)
        return ppctl_print_json(json_pack(
            "{s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:s}", "record", x->out, "id",
            release_hex(PP_BYTES(x->id.bytes)).text, "role", pp_record_role_name(r->role), "serial",
            (json_int_t)x->record.serial, "not_before", (json_int_t)r->not_before, "not_after",
            (json_int_t)r->not_after, "builders", names, "manifest", x->agreed));
    fprintf(stderr,
            "built identically by %s: %s\nrecord %s: %s\nreviewers sign it now: "
            "ppctl release sign\n",
            names, x->agreed, release_hex(PP_BYTES(x->id.bytes)).text, x->out);
    return 0;
}

/* --- either --------------------------------------------------------------------------------- */

/* Which of the two is asked for, and that nothing of it is missing. */
static int check_call(const struct new *x)
{
    const struct {
        const char *option, *value;
        int of_manifest, of_record;
    } rows[] = {
        { "--files", x->files, 1, 0 },   { "--builders", x->builders, 0, 1 },
        { "--agreed", x->agreed, 0, 1 }, { "--serial", x->serial, 0, 1 },
        { "--out", x->out, 1, 1 },
    };
    int record = x->manifest_count > 0;

    if (record == (x->inputs != NULL))
        return ppctl_usage(x->p, "release new",
                           "--inputs FILE for a manifest, or builders' MANIFESTs for a record",
                           record ? "both" : "neither");
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        int wanted = record ? rows[i].of_record : rows[i].of_manifest;
        if (wanted && rows[i].value == NULL)
            return ppctl_usage(x->p, rows[i].option, "this option, see --help", "nothing");
        if (!wanted && rows[i].value != NULL)
            return ppctl_usage(x->p, rows[i].option, "not with the other way to call it",
                               rows[i].value);
    }
    return -1;
}

static int parse(struct new *x, int argc, char **argv)
{
    const struct ppctl_option options[] = {
        { "--inputs", "FILE", "what no file of the image says; makes a manifest", &x->inputs,
          NULL },
        { "--files", "DIR", "the folder of the image", &x->files, NULL },
        { "--builders", "POLICY", "who builds (C2SP tlog-policy)", &x->builders, NULL },
        { "--agreed", "FILE", "the manifest with all builders' signatures goes here", &x->agreed,
          NULL },
        { "--serial", "N", "of the record: above the role's last one", &x->serial, NULL },
        { "--not-before", "T", "POSIX seconds; default: as early as may be", &x->not_before, NULL },
        { "--not-after", "T", "POSIX seconds; default: 21 days later", &x->not_after, NULL },
        { "--review", "NAME", "of the review policy; default: reviewers", &x->review, NULL },
        { "--out", "FILE", "where the manifest or the record goes", &x->out, NULL },
        PPCTL_PLACE_OPTIONS(x->place_args),
    };

    int status = ppctl_parse(x->p, "release new", options, PP_ARRAY_COUNT(options), argc, argv,
                             x->manifests, 0, PP_BUILDERS_NOTES_MAX, &x->manifest_count);
    return status >= 0 ? status : check_call(x);
}

int verb_release_new(struct ppctl *p, int argc, char **argv)
{
    struct new *x = calloc(1, sizeof *x);

    if (x == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    x->p = p;
    pp_problem_party(&x->problem, "ppctl");
    int status = parse(x, argc, argv);
    if (status < 0 && x->inputs != NULL) {
        pp_res r = make_manifest(x);
        status = pp_is_ok(r) ? print_manifest(x) : ppctl_fail(p, r, &x->problem, 0);
    } else if (status < 0) {
        pp_res r = record_of_manifests(x);
        status = pp_is_ok(r) ? print_record(x) : ppctl_fail(p, r, &x->problem, 0);
    }
    for (size_t i = 0; i < PP_BUILDERS_NOTES_MAX; i++)
        pp_buf_done(&x->texts[i]);
    pp_policy_file_done(&x->policy);
    ppctl_place_done(&x->place);
    free(x->arena.base);
    free(x);
    return status;
}
