/* SPDX-License-Identifier: Apache-2.0 */
#include "record_sign.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record_words.h"
#include "verbs.h"

enum { PATH_BYTES_MAX = 4096 };

struct sign {
    struct ppctl *p;
    const struct ppctl_signing *args;
    struct ppctl_place place;
    struct ppctl_key key;
    struct pp_record_file file;
    struct pp_problem problem;
    char out_path[PATH_BYTES_MAX];
    uint8_t line[PP_NOTE_LINE_BYTES_MAX];
    uint8_t entry[PP_RECORD_ENTRY_MAX];
};

static pp_res refuse(struct sign *s, pp_res r, const char *field, const char *expected,
                     struct pp_span got)
{
    pp_problem_set(&s->problem, field, expected, got);
    return r;
}

pp_res ppctl_entry_path(const char *path, int is_entry, char *ret, size_t cap)
{
    static const char record[] = ".record";
    size_t len = strlen(path);

    if (is_entry) {
        PP_CHECK(snprintf(ret, cap, "%s", path) < (int)cap, PP_E_RANGE, len);
        return PP_OK;
    }
    if (len > sizeof record - 1 && strcmp(path + len - (sizeof record - 1), record) == 0)
        len -= sizeof record - 1;
    PP_CHECK(len + sizeof ".entry" <= cap, PP_E_RANGE, len);
    PP_CHECK(snprintf(ret, cap, "%.*s.entry", (int)len, path) < (int)cap, PP_E_RANGE, len);
    return PP_OK;
}

pp_res ppctl_write_out(const char *path, int replace, struct pp_span content,
                       struct pp_problem *problem)
{
    pp_res r = replace ? pp_file_write(AT_FDCWD, path, 0644, content)
                       : pp_file_create(AT_FDCWD, path, 0644, content);

    if (pp_is_ok(r))
        return r;
    pp_problem_set(problem, path,
                   r.code == PP_E_EXISTS ? "no such file, for it may hold what is needed"
                                         : "a file that can be written",
                   pp_span_cstr(r.code == PP_E_EXISTS ? "it is there" : pp_file_reason(r)));
    return r.code == PP_E_EXISTS || r.code == PP_E_DISK_FULL ? r : PP_FAIL(PP_E_CONFIG, r.detail);
}

/* --- who may sign what ---------------------------------------------------------------------- */

static int is_listed(const struct pp_policy *p, const struct pp_note_key *key)
{
    for (size_t i = 0; p != NULL && i < p->witness_count; i++)
        if (p->witness_keys[i].id == key->id && pp_span_eq(p->witness_keys[i].name, key->name) &&
            memcmp(p->witness_keys[i].pk, key->pk, sizeof key->pk) == 0)
            return 1;
    return 0;
}

static int is_signer(const struct pp_record_keys *keys, enum pp_record_type type,
                     const struct pp_note_key *key)
{
    switch (type) {
    case PP_RECORD_RELEASE:
    case PP_RECORD_REVOKE:
        return is_listed(keys->review, key);
    case PP_RECORD_KEY_EPOCH:
        return is_listed(keys->owner, key);
    case PP_RECORD_HOST_SET:
        return is_listed(keys->owner, key) || is_listed(keys->review, key);
    case PP_RECORD_STATUS:
        return 0;
    }
    return 0;
}

/* What is wrong now is told now: nobody finds a forged line by signing behind it. */
static pp_res check_lines(struct sign *s, const struct pp_policy *p)
{
    struct pp_note_signers signers;

    pp_res r = pp_note_check(&s->file.note, p->witness_keys, p->witness_count, &signers);
    if (pp_is_ok(r))
        return r;
    return refuse(s, PP_FAIL(PP_E_SIGNATURES, r.detail), "signature lines",
                  "right signatures of listed keys",
                  r.detail < s->file.note.line_count ? s->file.note.lines[r.detail].name
                                                     : PP_STR("a wrong one"));
}

static pp_res check_place(struct sign *s)
{
    const struct ppctl_place *place = &s->place;
    const struct pp_note_key *key = ppctl_key_public(&s->key);
    const char *const fields[] = { "", "ledger", "namespace", "environment" };

    if (!ppctl_place_given(&s->args->place))
        return PP_OK;
    PP_TRY(ppctl_place_open(s->p, &s->args->place, PPCTL_NEED_OWNER | PPCTL_NEED_REVIEW,
                            &s->problem, &s->place));
    pp_res r = pp_record_check_place(&s->file.record, place->origin, place->name_space,
                                     place->environment);
    if (!pp_is_ok(r))
        return refuse(s, r, fields[r.detail & 3], "a record of the place that is given",
                      PP_STR("another one"));
    PP_TRY(check_lines(s, place->keys.owner));
    PP_TRY(check_lines(s, place->keys.review));
    if (!is_signer(&place->keys, s->file.record.type, key))
        return refuse(s, PP_FAIL(PP_E_NOT_A_SIGNER, 0), "--key", "a key of the place's policies",
                      key->name);
    return PP_OK;
}

/* --- the signature -------------------------------------------------------------------------- */

static pp_res read_record(struct sign *s)
{
    PP_TRY(pp_record_file_read(s->args->path, &s->problem, &s->file));
    if ((s->args->types >> s->file.record.type & 1) == 0)
        return refuse(s, PP_FAIL(PP_E_INPUT, s->file.record.type), "type",
                      "a type of record that this verb signs",
                      pp_span_cstr(pp_record_type_name(s->file.record.type)));
    pp_record_words(stderr, &s->file.record, &s->file.id, pp_clock_posix_s(&s->p->clock));
    return s->args->more == NULL ? PP_OK : s->args->more(s->args->ctx, &s->file, &s->problem);
}

static pp_res set_out(struct sign *s)
{
    if (s->args->out == NULL)
        return ppctl_entry_path(s->args->path, s->file.note.line_count > 0, s->out_path,
                                sizeof s->out_path);
    PP_CHECK(snprintf(s->out_path, sizeof s->out_path, "%s", s->args->out) < PATH_BYTES_MAX,
             PP_E_RANGE, 0);
    return PP_OK;
}

static pp_res run(struct sign *s)
{
    struct pp_wr line = pp_wr_over(s->line, sizeof s->line);
    struct pp_wr entry = pp_wr_over(s->entry, sizeof s->entry);
    const struct pp_note_key *key;

    pp_problem_party(&s->problem, "ppctl");
    PP_TRY(read_record(s));
    PP_TRY(set_out(s));
    PP_TRY(ppctl_key_open(&s->args->key, PP_NOTE_ED25519, &s->problem, &s->key));
    key = ppctl_key_public(&s->key);
    if (pp_record_file_signed_by(&s->file, key))
        return refuse(s, PP_FAIL(PP_E_SIGNED_ALREADY, 0), "--key", "a key that has not signed yet",
                      key->name);
    PP_TRY(check_place(s));
    PP_TRY(ppctl_key_line(&s->key, s->file.note.text, &s->problem, &line));
    PP_TRY(pp_record_file_add(&s->file, pp_wr_done(&line), &entry));
    return ppctl_write_out(s->out_path, strcmp(s->out_path, s->args->path) == 0, pp_wr_done(&entry),
                           &s->problem);
}

static int print_result(const struct sign *s)
{
    const struct pp_note_key *key = ppctl_key_public(&s->key);
    char id[2 * PP_SHA256_BYTES + 1] = "";
    struct pp_wr wr = pp_wr_over(id, sizeof id - 1);

    pp_wr_hex(&wr, PP_BYTES(s->file.id.bytes));
    if (s->p->json)
        return ppctl_print_json(
            json_pack("{s:s, s:s, s:s, s:I, s:s#, s:i}", "file", s->out_path, "id", id, "type",
                      pp_record_type_name(s->file.record.type), "serial",
                      (json_int_t)s->file.record.serial, "signer", (const char *)key->name.at,
                      key->name.len, "signatures", (int)s->file.note.line_count + 1));
    fprintf(stderr, "signed by %.*s, signature %zu of it: %s\n", (int)key->name.len,
            (const char *)key->name.at, s->file.note.line_count + 1, s->out_path);
    return 0;
}

int ppctl_record_sign(struct ppctl *p, const struct ppctl_signing *args)
{
    struct sign *s = calloc(1, sizeof *s);

    if (s == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    s->p = p;
    s->args = args;
    pp_res r = run(s);
    int status = pp_is_ok(r) ? print_result(s) : ppctl_fail(p, r, &s->problem, 0);
    ppctl_key_done(&s->key);
    ppctl_place_done(&s->place);
    pp_record_file_done(&s->file);
    free(s);
    return status;
}

int ppctl_record_sign_verb(struct ppctl *p, const char *verb, unsigned types, int argc, char **argv)
{
    struct ppctl_signing args = { .types = types };
    const struct ppctl_option options[] = {
        PPCTL_KEY_OPTIONS(args.key),
        { "--out", "FILE", "where the entry goes; default: NAME.entry", &args.out, NULL },
        PPCTL_PLACE_OPTIONS(args.place),
    };
    int status = ppctl_parse(p, verb, options, PP_ARRAY_COUNT(options), argc, argv, &args.path, 1,
                             1, NULL);

    return status >= 0 ? status : ppctl_record_sign(p, &args);
}

int verb_review_sign(struct ppctl *p, int argc, char **argv)
{
    return ppctl_record_sign_verb(p, "review sign", PPCTL_SIGNS_ALL, argc, argv);
}
