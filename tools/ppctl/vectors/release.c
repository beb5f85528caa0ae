/* SPDX-License-Identifier: Apache-2.0 */
/* Artifact manifests, image manifests, builders' notes (tests/vectors/release/make.py). */
#include <stdlib.h>
#include <string.h>

#include "artifact.h"
#include "builders.h"
#include "image.h"
#include "text.h"
#include "topics.h"

struct run {
    struct vectors *v;
    const char *file;
    struct pp_artifact_file files[PP_ARTIFACT_FILES_MAX];
    struct pp_policy policy;
    struct pp_note note;
    struct pp_agreed agreed;
    struct pp_release image;
    uint8_t again[PP_ARTIFACT_BYTES_MAX];
};

static const char *text_of(const json_t *row, const char *member)
{
    const char *text = json_string_value(json_object_get(row, member));

    return text == NULL ? "" : text;
}

/* A row's expectation: accepted, or refused with exactly this code. */
static void compare(struct run *x, const json_t *row, pp_res r)
{
    const char *want = json_string_value(json_object_get(row, "code"));
    const char *got = pp_code_name(r.code);

    if (want == NULL ? pp_is_ok(r) : strcmp(want, got) == 0)
        vectors_pass(x->v, x->file, text_of(row, "desc"));
    else
        vectors_fail(x->v, x->file, text_of(row, "desc"), "expected %s, got %s (%u) at %s",
                     want == NULL ? "OK" : want, got, r.detail, r.where == NULL ? "-" : r.where);
}

/* What was read is written again as the same bytes. */
static pp_res same_again(const struct pp_wr *wr, struct pp_span text)
{
    PP_TRY(pp_wr_ok(wr));
    PP_CHECK(pp_span_eq(pp_wr_done(wr), text), PP_E_ENCODING, 0);
    return PP_OK;
}

static pp_res artifact(struct run *x, const json_t *row)
{
    struct pp_span text = pp_span_cstr(text_of(row, "text"));
    struct pp_wr wr = pp_wr_over(x->again, sizeof x->again);
    uint8_t digest[PP_SHA256_BYTES];
    struct pp_artifact a;

    PP_TRY(pp_hex_parse(pp_span_cstr(text_of(row, "sha256")), digest, sizeof digest));
    PP_TRY(pp_artifact_check(text, digest, pp_span_cstr(text_of(row, "purpose")), x->files,
                             PP_ARTIFACT_FILES_MAX, &a));
    PP_TRY(pp_artifact_write(&wr, a.purpose, a.version, x->files, a.file_count));
    return same_again(&wr, text);
}

static pp_res image(struct run *x, const json_t *row)
{
    struct pp_span text = pp_span_cstr(text_of(row, "text"));
    struct pp_wr wr = pp_wr_over(x->again, PP_RECORD_BYTES_MAX);

    PP_TRY(pp_image_parse(text, &x->image));
    PP_TRY(pp_image_write(&wr, &x->image));
    return same_again(&wr, text);
}

static pp_res builders(struct run *x, const json_t *row)
{
    struct pp_builder_note notes[PP_BUILDERS_NOTES_MAX];
    const json_t *list = json_object_get(row, "notes");
    const char *line = json_string_value(json_object_get(row, "line"));
    struct pp_problem problem = { 0 };
    size_t count = json_array_size(list);

    PP_CHECK(count <= PP_BUILDERS_NOTES_MAX, PP_E_LIMIT, count);
    for (size_t i = 0; i < count; i++)
        notes[i] = (struct pp_builder_note){ "note", pp_span_cstr(json_string_value(
                                                         json_array_get(list, i))) };
    PP_TRY(pp_policy_parse(pp_span_cstr(text_of(row, "policy")), PP_POLICY_REVIEW, &x->policy));
    pp_res r = pp_builders_agree(notes, count, &x->policy, &x->note, &x->agreed, &problem);
    if (line != NULL && strcmp(line, problem.field) != 0)
        return PP_FAIL(PP_E_MISMATCH, 0);
    return r;
}

static void run_rows(struct run *x, const json_t *root, const char *member,
                     pp_res (*each)(struct run *x, const json_t *row))
{
    const json_t *rows = json_object_get(root, member);
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        compare(x, row, each(x, row));
    }
}

static void run_file(struct vectors *v, const char *file)
{
    const char *dot = strrchr(file, '.');

    if (dot == NULL || strcmp(dot, ".json") != 0)
        return;
    json_t *root = vectors_load(v, file);
    struct run *x = calloc(1, sizeof *x);
    if (root != NULL && x != NULL) {
        x->v = v;
        x->file = file;
        run_rows(x, root, "artifacts", artifact);
        run_rows(x, root, "images", image);
        run_rows(x, root, "builders", builders);
    }
    free(x);
    json_decref(root);
}

void vectors_release(struct vectors *v, const char *path)
{
    vectors_walk(v, path, run_file);
}
