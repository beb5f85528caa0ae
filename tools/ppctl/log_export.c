/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl log export: the directory bundle, made from the log's own files and verified as a device
 * does before it is written: what a phone can be handed by anybody who has a copy of the log.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "ledger.h"
#include "log_arg.h"
#include "record_sign.h"
#include "verbs.h"

struct exporting {
    struct ppctl *p;
    struct log_args args;
    const char *out;
    struct log_pins pins;
    struct log_at at;
    struct pp_log_index index;
    struct pp_problem problem;
    struct pp_buf bundle;
    struct pp_arena arena;
    void *memory;
    struct pp_ledger ledger;
    struct ppctl_list collateral; /* files of blobs */
    struct pp_buf files[PP_BUNDLE_BLOB_MAX];
    struct blob judged[PP_BUNDLE_BLOB_MAX];
    struct pp_span blobs[PP_BUNDLE_BLOB_MAX]; /* in the bundle's order */
    size_t blob_count;
    size_t missing; /* reference files that releases name and no blob is */
};

_Static_assert((int)PPCTL_LIST_MAX <= (int)PP_BUNDLE_BLOB_MAX, "a place for each file of a list");

/* --- blobs ------------------------------------------------------------------------------------ */

static pp_res refuse_file(struct exporting *x, pp_res r, const char *path, const char *expected,
                          const char *got)
{
    pp_problem_set(&x->problem, path, expected, pp_span_cstr(got));
    return r;
}

/* Ascending by digest, as bundles have them. */
static pp_res insert(struct exporting *x, const char *path, struct pp_span blob)
{
    uint8_t digest[PP_SHA256_BYTES], other[PP_SHA256_BYTES];
    size_t i = x->blob_count;

    pp_sha256(blob, digest);
    for (; i > 0; i--) {
        pp_sha256(x->blobs[i - 1], other);
        int order = memcmp(other, digest, sizeof other);
        if (order == 0)
            return refuse_file(x, PP_FAIL(PP_E_DUPLICATE, i), path, "each file once",
                               "the same bytes as another");
        if (order < 0)
            break;
        x->blobs[i] = x->blobs[i - 1];
    }
    x->blobs[i] = blob;
    x->blob_count++;
    return PP_OK;
}

/* Of two for the same platforms a device looks at the one that comes first, in force or not. */
static pp_res check_alone(struct exporting *x, size_t i)
{
    const struct blob *b = &x->judged[i];

    for (size_t k = 0; k < i; k++) {
        const struct blob *a = &x->judged[k];
        if (a->kind == BLOB_TDX && b->kind == BLOB_TDX && a->platform_ca == b->platform_ca &&
            memcmp(a->tdx.fmspc, b->tdx.fmspc, sizeof a->tdx.fmspc) == 0)
            return refuse_file(x, PP_FAIL(PP_E_DUPLICATE, k), x->collateral.items[i],
                               "the one blob for its TDX platforms", x->collateral.items[k]);
    }
    return PP_OK;
}

/* A blob that the anchors' devices would refuse does not go out: said with the file's name. */
static pp_res read_blob(struct exporting *x, size_t i)
{
    const struct pp_trust *t = x->pins.trust;
    const struct blob_anchors anchors = { &t->tdx_anchors, &t->gpu_anchors.rims,
                                          t->hardware.tdx.evaluation_min };
    const char *path = x->collateral.items[i];

    pp_res r = pp_file_read(AT_FDCWD, path, PP_BUNDLE_BYTES_MAX, &x->files[i]);
    if (!pp_is_ok(r))
        return refuse_file(x, PP_FAIL(PP_E_INPUT, r.detail), path, "a readable file",
                           pp_file_reason(r));
    r = blob_judge(&anchors, pp_buf_span(&x->files[i]), (struct pp_span){ 0 },
                   pp_clock_posix_s(&x->p->clock), &x->problem, &x->judged[i]);
    if (!pp_is_ok(r)) {
        pp_problem_party(&x->problem, path); /* the words are of the file's verifier */
        return r;
    }
    PP_TRY(check_alone(x, i));
    return insert(x, path, pp_buf_span(&x->files[i]));
}

static pp_res read_blobs(struct exporting *x)
{
    for (size_t i = 0; i < x->collateral.count; i++)
        PP_TRY(read_blob(x, i));
    return PP_OK;
}

/* Reference files of a release's gpu rows without which devices refuse its machines. */
static size_t count_missing(const struct pp_ledger *l)
{
    size_t missing = 0;

    for (size_t i = 0; i < l->record_count; i++) {
        const struct pp_record *rec = &l->records[i].record;
        size_t rows = rec->type == PP_RECORD_RELEASE ? rec->release.gpu_count : 0;

        for (size_t k = 0; k < rows; k++) {
            const struct pp_release_gpu *row = &rec->release.gpu[k];
            missing += pp_bundle_blob(&l->bundle, row->driver_rim).len == 0;
            missing += pp_bundle_blob(&l->bundle, row->vbios_rim).len == 0;
        }
    }
    return missing;
}

/* --- the bundle ------------------------------------------------------------------------------- */

static pp_res keep(void *ctx, uint64_t index, struct pp_span entry)
{
    struct exporting *x = ctx;

    return pp_log_index_add(&x->index, index, entry);
}

static pp_res read_log(struct exporting *x)
{
    const struct pp_log_shown shown = log_at_shown(&x->at);
    const struct pp_log_reader_config c = {
        .source = x->at.source,
        .tree = shown.tree,
        .entry = keep,
        .ctx = x,
    };
    const struct pp_bundle extra = { .blobs = x->blobs, .blob_count = x->blob_count };
    struct pp_log_reader *reader;

    PP_TRY(pp_log_reader_new(&c, &reader));
    pp_res r = pp_log_reader_finish(reader, &x->problem);
    pp_log_reader_free(reader);
    PP_TRY(r);
    r = pp_log_directory(&shown, &x->index, &extra, &x->bundle, &x->problem);
    if (!pp_is_ok(r) && x->problem.field[0] == '\0')
        pp_problem_set(&x->problem, "last entry", "a status, and the records that it names",
                       pp_span_cstr(pp_code_text(r.code)));
    return r;
}

/* A device that has seen nothing yet: what an older one would refuse besides, its marks say. */
static pp_res verify(struct exporting *x)
{
    struct pp_marks *marks = calloc(1, sizeof *marks);
    pp_res r = PP_FAIL(PP_E_NO_MEMORY, 0);

    x->memory = aligned_alloc(16, PP_LEDGER_ARENA_BYTES);
    if (marks != NULL && x->memory != NULL) {
        x->arena = pp_arena_over(x->memory, PP_LEDGER_ARENA_BYTES);
        r = pp_ledger_verify(x->pins.trust, pp_buf_span(&x->bundle), marks,
                             pp_clock_posix_s(&x->p->clock), &x->arena, &x->ledger, NULL,
                             &x->problem);
    }
    free(marks);
    return r;
}

static pp_res run(struct exporting *x)
{
    char place[PP_LOG_SOURCE_PLACE_MAX];
    struct pp_log_source_config from;

    pp_problem_party(&x->problem, "ppctl");
    if (x->out == NULL) {
        pp_problem_set(&x->problem, "--out", "where the bundle goes", PP_STR("nothing"));
        return PP_FAIL(PP_E_USAGE, 0);
    }
    PP_TRY(log_pins_open(x->p, &x->args, &x->problem, &x->pins));
    if (x->pins.trust == NULL) {
        pp_problem_set(&x->problem, "--trust", "a device's anchors: its checks are what is made",
                       PP_STR("single policies"));
        return PP_FAIL(PP_E_USAGE, 0);
    }
    PP_TRY(read_blobs(x));
    PP_TRY(log_source_of(x->p, &x->args, &x->pins, place, &from));
    PP_TRY(log_at_open(&from, &x->pins, &x->problem, &x->at));
    PP_TRY(read_log(x));
    PP_TRY(verify(x));
    x->missing = count_missing(&x->ledger);
    return ppctl_write_out(x->out, 1, pp_buf_span(&x->bundle), &x->problem);
}

static int tell(const struct exporting *x)
{
    if (!x->p->json) {
        printf("%s: status %llu, %zu records and %zu blobs, %zu bytes, verified as a device does\n",
               x->out, (unsigned long long)x->ledger.status.record.serial, x->ledger.record_count,
               x->blob_count, x->bundle.len);
        if (x->missing > 0)
            printf("%zu reference files that releases name are not in it: devices refuse those "
                   "GPUs (GPU_UNMEASURED)\n",
                   x->missing);
        return 0;
    }
    json_t *o = json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "folder", pp_log_source_place(x->at.source),
        "bundle", x->out, "bytes", (json_int_t)x->bundle.len, "serial",
        (json_int_t)x->ledger.status.record.serial, "records", (json_int_t)x->ledger.record_count,
        "blobs", (json_int_t)x->blob_count, "missing_rims", (json_int_t)x->missing);
    log_put_checkpoint(o, &x->pins, &x->at.opened, x->at.quorum_posix_s);
    return ppctl_print_json(o);
}

int verb_log_export(struct ppctl *p, int argc, char **argv)
{
    struct exporting *x = calloc(1, sizeof *x);

    if (x == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    const struct ppctl_option options[] = {
        { "--out", "FILE", "where the bundle goes", &x->out, NULL },
        { "--collateral", "FILE", "a blob for it, as ppctl collateral packs them; may be repeated",
          NULL, NULL, &x->collateral },
        LOG_OPTIONS(x->args),
        PPCTL_PLACE_OPTIONS(x->args.place),
    };
    int status = ppctl_parse(p, "log export", options, PP_ARRAY_COUNT(options), argc, argv, NULL, 0,
                             0, NULL);
    if (status < 0) {
        x->p = p;
        pp_res r = run(x);
        status = pp_is_ok(r) ? tell(x) : ppctl_fail(p, r, &x->problem, 0);
    }
    pp_arena_done(&x->arena);
    free(x->memory);
    pp_buf_done(&x->bundle);
    for (size_t i = 0; i < PP_ARRAY_COUNT(x->files); i++)
        pp_buf_done(&x->files[i]);
    pp_log_index_done(&x->index);
    log_at_done(&x->at);
    log_pins_done(&x->pins);
    free(x);
    return status;
}
