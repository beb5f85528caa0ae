/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl review check: who of those that have to has signed a record, and whether the log would take
 * it now.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admit.h"
#include "place.h"
#include "record_file.h"
#include "record_words.h"
#include "verbs.h"

struct check {
    struct ppctl *p;
    const char *path;
    struct ppctl_place_args place_args;
    struct ppctl_place place;
    struct pp_record_file file;
    struct pp_problem problem;
    struct pp_admit *admit;
    json_t *signers;
    char missing[160]; /* names, for a refusal */
};

/* --- who signed ----------------------------------------------------------------------------- */

static const char *state_of(const struct pp_note *n, const struct pp_note_key *key)
{
    struct pp_note_signers s;

    if (!pp_is_ok(pp_note_check(n, key, 1, &s)))
        return "wrong";
    return s.set != 0 ? "present" : "missing";
}

static void note_missing(struct check *c, struct pp_span name)
{
    size_t len = strlen(c->missing);

    snprintf(c->missing + len, sizeof c->missing - len, "%s%.*s", len == 0 ? "not yet: " : ", ",
             (int)name.len, (const char *)name.at);
}

static void show_policy(struct check *c, const struct pp_policy *policy, const char *which)
{
    for (size_t i = 0; i < policy->witness_count; i++) {
        const struct pp_note_key *key = &policy->witness_keys[i];
        const char *state = state_of(&c->file.note, key);

        if (strcmp(state, "present") != 0)
            note_missing(c, key->name);
        json_array_append_new(c->signers,
                              json_pack("{s:s%, s:s, s:s}", "name", (const char *)key->name.at,
                                        key->name.len, "policy", which, "state", state));
        if (!c->p->json)
            printf("  %-8s %-8s %.*s\n", which, state, (int)key->name.len,
                   (const char *)key->name.at);
    }
}

static void show_signers(struct check *c)
{
    const enum pp_record_type type = c->file.record.type;

    if (type == PP_RECORD_KEY_EPOCH || type == PP_RECORD_HOST_SET)
        show_policy(c, c->place.keys.owner, "owner");
    if (type != PP_RECORD_KEY_EPOCH)
        show_policy(c, c->place.keys.review, "review");
}

/* --- what the log would say ----------------------------------------------------------------- */

static pp_res refuse(struct check *c, pp_res r, const char *field, const char *expected,
                     const char *got)
{
    pp_problem_set(&c->problem, field, expected, pp_span_cstr(got));
    return r;
}

static pp_res ask(struct check *c, uint64_t now_s)
{
    pp_res r = pp_admit_entry(c->admit, pp_buf_span(&c->file.bytes), now_s);

    if (r.code == PP_E_LEDGER_SIGNER || c->file.note.line_count == 0)
        return refuse(c, PP_FAIL(PP_E_SIGNATURES, 0), "signatures",
                      "those that the policies ask for", c->missing);
    if (r.code == PP_E_LEDGER_NAMESPACE)
        return refuse(c, r, "ledger, namespace, environment", "those of the place",
                      "those of another");
    if (r.code == PP_E_MISMATCH)
        return refuse(c, r, "review", "the digest of the review policy", "another one");
    if (!pp_is_ok(r))
        return refuse(c, r, c->path, "a record that the log takes", pp_code_text(r.code));
    if (pp_is_ok(pp_admit_in_time(c->admit, now_s)))
        return PP_OK;
    return refuse(c, PP_FAIL(PP_E_TOO_LATE, 0), "time",
                  "published 24 h before a release's not-before, 48 h before a key's use",
                  pp_moment_of(pp_admit_published_s(c->place.environment, now_s)).text);
}

static pp_res run(struct check *c, int *ret_read)
{
    uint64_t now_s = pp_clock_posix_s(&c->p->clock);

    PP_TRY(ppctl_place_open(c->p, &c->place_args, PPCTL_NEED_OWNER | PPCTL_NEED_REVIEW, &c->problem,
                            &c->place));
    pp_problem_party(&c->problem, "record");
    PP_TRY(pp_record_file_read(c->path, &c->problem, &c->file));
    if (c->file.record.type == PP_RECORD_STATUS)
        return refuse(c, PP_FAIL(PP_E_INPUT, 0), "type", "a record that people sign",
                      "a status, which the log makes");
    *ret_read = 1;
    if (!c->p->json)
        pp_record_words(stdout, &c->file.record, &c->file.id, now_s);
    show_signers(c);
    PP_TRY(pp_admit_new(c->place.origin, c->place.name_space, c->place.environment, &c->place.keys,
                        &c->admit));
    return ask(c, now_s);
}

/* --- the answer ----------------------------------------------------------------------------- */

static json_t *warnings_json(const struct check *c)
{
    struct pp_record_warnings w;
    json_t *list = json_array();

    pp_record_warn(&c->file.record, pp_clock_posix_s(&c->p->clock), &w);
    for (size_t i = 0; i < w.count; i++)
        json_array_append_new(list, json_string(w.text[i]));
    return list;
}

/* Whatever rule it breaks: what was asked for is refused. */
static int status_of(pp_res r)
{
    return pp_is_ok(r) || r.code == PP_E_NO_MEMORY ? (int)pp_code_class(r.code)
                                                   : (int)PP_CLASS_REFUSED;
}

static int print_json(struct check *c, pp_res r)
{
    char id[2 * PP_SHA256_BYTES + 1] = "";
    struct pp_wr wr = pp_wr_over(id, sizeof id - 1);

    pp_wr_hex(&wr, PP_BYTES(c->file.id.bytes));
    json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:O, s:o, s:b}", "id", id, "type",
                          pp_record_type_name(c->file.record.type), "serial",
                          (json_int_t)c->file.record.serial, "time",
                          (json_int_t)c->file.record.time, "signers", c->signers, "warnings",
                          warnings_json(c), "takes", pp_is_ok(r));
    if (!pp_is_ok(r))
        json_object_set_new(o, "error", ppctl_error_json(r, &c->problem));
    int failed = ppctl_print_json(o);
    return failed != 0 ? failed : status_of(r);
}

static int print_text(const struct check *c, pp_res r)
{
    if (pp_is_ok(r))
        printf("the log takes it\n");
    if (fflush(stdout) != 0)
        return PP_CLASS_FAILED;
    if (!pp_is_ok(r))
        (void)ppctl_fail(c->p, r, &c->problem, 0);
    return status_of(r);
}

int verb_review_check(struct ppctl *p, int argc, char **argv)
{
    struct check *c = calloc(1, sizeof *c);
    int read = 0;

    if (c == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    c->p = p;
    c->signers = json_array();
    const struct ppctl_option options[] = { PPCTL_PLACE_OPTIONS(c->place_args) };
    int status = ppctl_parse(p, "review check", options, PP_ARRAY_COUNT(options), argc, argv,
                             &c->path, 1, 1, NULL);
    if (status < 0) {
        pp_res r = run(c, &read);
        if (!read)
            status = ppctl_fail(p, r, &c->problem, 0);
        else
            status = p->json ? print_json(c, r) : print_text(c, r);
    }
    json_decref(c->signers);
    pp_admit_free(c->admit);
    ppctl_place_done(&c->place);
    pp_record_file_done(&c->file);
    free(c);
    return status;
}
