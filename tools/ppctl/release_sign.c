/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl release sign: a builder signs the manifest of the image that he has built, a reviewer the
 * record that releases it. Neither signs what the files beside him do not say: with --files
 * everything is computed anew, with --image the published file alone.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image_files.h"
#include "keys_arg.h"
#include "record_sign.h"
#include "record_words.h"
#include "release.h"
#include "verbs.h"

struct sign {
    struct ppctl *p;
    const char *path, *out, *files, *image;
    struct ppctl_key_args key_args;
    struct ppctl_place_args place_args;
    struct ppctl_place place;
    struct ppctl_key key;
    struct pp_buf bytes;
    struct pp_note note; /* line_count 0: nobody has signed yet */
    struct pp_span text;
    int is_record;
    struct pp_record record; /* of a manifest its release alone */
    struct pp_record_id id;
    struct pp_arena arena;
    struct pp_problem problem;
    char out_path[RELEASE_PATH_MAX];
    uint8_t line[PP_NOTE_LINE_BYTES_MAX];
    uint8_t signed_bytes[PP_RECORD_ENTRY_MAX];
};

static pp_res refuse(struct sign *s, pp_res r, const char *field, const char *expected,
                     const char *got)
{
    return release_refuse(&s->problem, r, field, expected, got);
}

/* --- what is signed --------------------------------------------------------------------------- */

static int is_manifest(struct pp_span text)
{
    struct pp_span type = PP_STR("type image-manifest/");

    return text.len > type.len && pp_span_eq(pp_span(text.at, type.len), type);
}

/* A text has no line that is empty, and a note has one: so it is either. */
static pp_res read_file(struct sign *s)
{
    PP_TRY(release_read(s->path, PP_RECORD_ENTRY_MAX, &s->problem, &s->bytes));
    s->text = pp_buf_span(&s->bytes);
    if (memmem(s->text.at, s->text.len, "\n\n", 2) != NULL) {
        pp_res r = pp_note_parse(s->text, &s->note);
        if (!pp_is_ok(r))
            return refuse(s, PP_FAIL(PP_E_INPUT, r.detail), s->path, "a signed note",
                          pp_code_text(r.code));
        s->text = s->note.text;
    }
    s->is_record = !is_manifest(s->text);
    pp_res r = s->is_record ? pp_record_parse(s->text, &s->record)
                            : pp_image_parse(s->text, &s->record.release);
    if (pp_is_ok(r) && s->is_record && s->record.type != PP_RECORD_RELEASE)
        return refuse(s, PP_FAIL(PP_E_INPUT, 0), s->path, "a cvm-release, or an image's manifest",
                      pp_record_type_name(s->record.type));
    if (!pp_is_ok(r)) {
        char line[24];
        snprintf(line, sizeof line, "line %u", r.detail);
        return refuse(s, PP_FAIL(PP_E_INPUT, r.detail), line, "a cvm-release or image manifest",
                      pp_code_text(r.code));
    }
    pp_record_id_of(s->text, &s->id);
    return PP_OK;
}

static void say(const struct sign *s)
{
    if (s->is_record)
        pp_record_words(stderr, &s->record, &s->id, pp_clock_posix_s(&s->p->clock));
    else
        fprintf(stderr, "%.*s", (int)s->text.len, (const char *)s->text.at);
}

/* --- what it is compared with ----------------------------------------------------------------- */

static pp_res check_image(struct sign *s)
{
    const struct pp_release *r = &s->record.release;
    uint8_t digest[PP_SHA256_BYTES];
    uint64_t len;

    PP_TRY(pp_file_digest(AT_FDCWD, s->image, digest, &len, &s->problem));
    if (len != r->image.bytes) {
        pp_problem_numbers(&s->problem, "image, bytes", r->image.bytes, len);
        return PP_FAIL(PP_E_RELEASE_FILE, 0);
    }
    if (memcmp(digest, r->image.sha256, sizeof digest) != 0) {
        pp_problem_hex(&s->problem, "image", PP_BYTES(r->image.sha256), PP_BYTES(digest));
        return PP_FAIL(PP_E_RELEASE_FILE, 0);
    }
    return PP_OK;
}

static pp_res check_files(struct sign *s)
{
    if (s->image != NULL)
        PP_TRY(check_image(s));
    if (s->files == NULL && !s->is_record)
        return refuse(s, PP_FAIL(PP_E_USAGE, 0), "--files",
                      "the folder of the image: a builder signs what he has built", "nothing");
    if (s->files == NULL)
        return PP_OK;
    PP_TRY(release_arena(&s->arena));
    return pp_image_check_folder(s->files, &s->record.release, &s->arena, &s->problem);
}

static int is_reviewer(const struct pp_policy *p, const struct pp_note_key *key)
{
    for (size_t i = 0; i < p->witness_count; i++)
        if (p->witness_keys[i].id == key->id && pp_span_eq(p->witness_keys[i].name, key->name) &&
            memcmp(p->witness_keys[i].pk, key->pk, sizeof key->pk) == 0)
            return 1;
    return 0;
}

static pp_res check_place(struct sign *s)
{
    const struct pp_note_key *key = ppctl_key_public(&s->key);
    char name[PP_NOTE_NAME_MAX + 1];

    if (!s->is_record || !ppctl_place_given(&s->place_args))
        return PP_OK;
    PP_TRY(ppctl_place_open(s->p, &s->place_args, PPCTL_NEED_REVIEW, &s->problem, &s->place));
    pp_problem_party(&s->problem, "record");
    PP_TRY(release_check_place(&s->record, &s->place, &s->problem));
    pp_printable(name, sizeof name, key->name);
    if (!is_reviewer(s->place.keys.review, key))
        return refuse(s, PP_FAIL(PP_E_NOT_A_SIGNER, 0), "--key", "a key of the review policy",
                      name);
    return PP_OK;
}

/* --- the signature ---------------------------------------------------------------------------- */

static int signed_by(const struct sign *s, const struct pp_note_key *key)
{
    for (size_t i = 0; i < s->note.line_count; i++)
        if (s->note.lines[i].id == key->id && pp_span_eq(s->note.lines[i].name, key->name))
            return 1;
    return 0;
}

/* The file as it was, the empty line behind a bare text, and one line more. */
static pp_res add_line(struct sign *s)
{
    struct pp_wr line = pp_wr_over(s->line, sizeof s->line);
    struct pp_wr wr = pp_wr_over(s->signed_bytes, sizeof s->signed_bytes);

    PP_TRY(ppctl_key_line(&s->key, s->text, &s->problem, &line));
    pp_wr_span(&wr, pp_buf_span(&s->bytes));
    if (s->note.line_count == 0)
        pp_wr_u8(&wr, '\n');
    pp_wr_span(&wr, pp_wr_done(&line));
    PP_TRY_AS(PP_E_LIMIT, pp_wr_ok(&wr));
    PP_TRY(pp_note_parse(pp_wr_done(&wr), &s->note));
    return ppctl_write_out(s->out_path, strcmp(s->out_path, s->path) == 0, pp_wr_done(&wr),
                           &s->problem);
}

static pp_res set_out(struct sign *s)
{
    if (s->out == NULL && s->is_record)
        return ppctl_entry_path(s->path, s->note.line_count > 0, s->out_path, sizeof s->out_path);
    PP_CHECK(snprintf(s->out_path, sizeof s->out_path, "%s", s->out == NULL ? s->path : s->out) <
                 RELEASE_PATH_MAX,
             PP_E_RANGE, 0);
    return PP_OK;
}

static pp_res run(struct sign *s)
{
    char name[PP_NOTE_NAME_MAX + 1];

    PP_TRY(read_file(s));
    say(s);
    PP_TRY(check_files(s));
    PP_TRY(set_out(s));
    PP_TRY(ppctl_key_open(&s->key_args, PP_NOTE_ED25519, &s->problem, &s->key));
    pp_printable(name, sizeof name, ppctl_key_public(&s->key)->name);
    if (signed_by(s, ppctl_key_public(&s->key)))
        return refuse(s, PP_FAIL(PP_E_SIGNED_ALREADY, 0), "--key", "a key that has not signed yet",
                      name);
    PP_TRY(check_place(s));
    return add_line(s);
}

static int print_result(const struct sign *s)
{
    char name[PP_NOTE_NAME_MAX + 1];

    pp_printable(name, sizeof name, ppctl_key_public(&s->key)->name);
    if (s->p->json)
        return ppctl_print_json(
            json_pack("{s:s, s:s, s:s, s:s, s:i, s:b, s:b}", "file", s->out_path, "id",
                      release_hex(PP_BYTES(s->id.bytes)).text, "type",
                      s->is_record ? "cvm-release" : "image-manifest", "signer", name, "signatures",
                      (int)s->note.line_count, "files", s->files != NULL, "image",
                      s->image != NULL || s->files != NULL));
    fprintf(stderr, "%s\nsigned by %s, signature %zu of it: %s\n",
            s->files != NULL   ? "computed anew from the files: all but the lines source, "
                                 "rootfs, tdx and gpu"
            : s->image != NULL ? "computed anew: the image alone"
                               : "nothing was computed anew (--files, --image)",
            name, s->note.line_count, s->out_path);
    return 0;
}

int verb_release_sign(struct ppctl *p, int argc, char **argv)
{
    struct sign *s = calloc(1, sizeof *s);

    if (s == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    s->p = p;
    pp_problem_party(&s->problem, "ppctl");
    const struct ppctl_option options[] = {
        PPCTL_KEY_OPTIONS(s->key_args),
        { "--files", "DIR", "the folder of the image: everything is computed anew", &s->files,
          NULL },
        { "--image", "FILE", "the published image: its digest is computed anew", &s->image, NULL },
        { "--out", "FILE", "default: NAME.entry of a record, the same file else", &s->out, NULL },
        PPCTL_PLACE_OPTIONS(s->place_args),
    };
    int status = ppctl_parse(p, "release sign", options, PP_ARRAY_COUNT(options), argc, argv,
                             &s->path, 1, 1, NULL);
    if (status < 0) {
        pp_res r = run(s);
        status = pp_is_ok(r) ? print_result(s) : ppctl_fail(p, r, &s->problem, 0);
    }
    ppctl_key_done(&s->key);
    ppctl_place_done(&s->place);
    pp_buf_done(&s->bytes);
    free(s->arena.base);
    free(s);
    return status;
}
