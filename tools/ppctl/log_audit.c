/* SPDX-License-Identifier: Apache-2.0 */
/* ppctl log audit: a whole log, one shot, from its public files and the caller's own pins alone. */
#include <stdio.h>
#include <stdlib.h>

#include "log_arg.h"
#include "text.h"
#include "verbs.h"

enum { FINDINGS_MAX = 256 }; /* that are told; the rest are counted */

struct auditing {
    struct ppctl *p;
    struct log_args args;
    int opaque;
    const char *max_age;
    struct log_pins pins;
    struct pp_log_source *source;
    struct pp_audit audit;
    struct pp_problem problem;
    struct pp_finding findings[FINDINGS_MAX];
    size_t count;
};

static pp_res keep(void *ctx, const struct pp_finding *f)
{
    struct auditing *a = ctx;

    if (a->count < FINDINGS_MAX)
        a->findings[a->count] = *f;
    a->count++;
    return PP_OK;
}

/* --- output --------------------------------------------------------------------------------- */

static json_t *text_or_null(const char *s)
{
    return s[0] == '\0' ? json_null() : json_string(s);
}

static json_t *finding_json(const struct pp_finding *f)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:s}", "code", pp_code_name(f->code), "party",
                     text_or_null(f->words.party), "field", text_or_null(f->words.field),
                     "expected", text_or_null(f->words.expected), "got", text_or_null(f->words.got),
                     "do", pp_code_todo(f->code));
}

static size_t told(const struct auditing *a)
{
    return a->count < FINDINGS_MAX ? a->count : FINDINGS_MAX;
}

static int print_json(const struct auditing *a)
{
    json_t *list = json_array(), *o = json_object();

    for (size_t i = 0; i < told(a); i++)
        json_array_append_new(list, finding_json(&a->findings[i]));
    json_object_set_new(o, "folder", json_string(pp_log_source_place(a->source)));
    if (a->audit.is_opened)
        log_put_checkpoint(o, &a->pins, &a->audit.opened, a->audit.quorum_posix_s);
    json_object_set_new(o, "opaque", json_boolean(a->opaque));
    json_object_set_new(o, "entries", json_integer((json_int_t)a->audit.entries));
    json_object_set_new(o, "complete", json_boolean(a->audit.is_complete));
    json_object_set_new(o, "directory", json_boolean(a->audit.has_directory));
    json_object_set_new(o, "directory_later", json_boolean(a->audit.is_directory_later));
    json_object_set_new(o, "older_files", json_integer((json_int_t)a->audit.files));
    json_object_set_new(o, "later_files", json_integer((json_int_t)a->audit.beyond));
    json_object_set_new(o, "findings", list);
    json_object_set_new(o, "finding_count", json_integer((json_int_t)a->count));
    return ppctl_print_json(o);
}

static void print_finding(const struct pp_finding *f)
{
    printf("FINDING %s: %s\n", pp_code_name(f->code), pp_code_text(f->code));
    printf("  who:      %s\n  field:    %s\n  expected: %s\n  got:      %s\n  do:       %s\n",
           f->words.party, f->words.field, f->words.expected, f->words.got, pp_code_todo(f->code));
}

static int print_text(const struct auditing *a)
{
    printf("log:        %s\n", pp_log_source_place(a->source));
    if (a->audit.is_opened)
        log_print_checkpoint(&a->pins, &a->audit.opened, a->audit.quorum_posix_s);
    printf("anchor:     %s (%s)\n", a->pins.anchor, a->pins.digest);
    printf("read:       %llu entries%s%s", (unsigned long long)a->audit.entries,
           a->opaque ? ", taken as they are" : ", each against the rules of the ledger",
           a->audit.is_complete ? "" : ", NOT ALL OF THEM");
    if (a->audit.files + a->audit.beyond > 0)
        printf("; %llu files of older and %llu of later trees", (unsigned long long)a->audit.files,
               (unsigned long long)a->audit.beyond);
    printf("\n");
    if (a->audit.is_directory_later)
        printf("directory:  of a larger tree, published meanwhile: NOT COMPARED, audit again\n");
    for (size_t i = 0; i < told(a); i++)
        print_finding(&a->findings[i]);
    if (a->count > told(a))
        printf("... and %zu more\n", a->count - told(a));
    if (a->count == 0)
        printf("verdict:    nothing is wrong with it\n");
    else
        printf("verdict:    %zu FINDINGS\n", a->count);
    return fflush(stdout) == 0 ? 0 : 1;
}

/* --- the verb ------------------------------------------------------------------------------- */

static pp_res read_age(struct auditing *a, uint64_t now, uint64_t *ret_oldest)
{
    uint64_t age_s;

    *ret_oldest = 0;
    if (a->max_age == NULL)
        return PP_OK;
    if (!pp_is_ok(pp_decimal_parse(pp_span_cstr(a->max_age), now, &age_s)) || age_s == 0) {
        pp_problem_set(&a->problem, "--max-age", "seconds, from 1", pp_span_cstr(a->max_age));
        return PP_FAIL(PP_E_USAGE, 0);
    }
    *ret_oldest = now - age_s;
    return PP_OK;
}

static pp_res run(struct auditing *a)
{
    const uint64_t now = pp_clock_posix_s(&a->p->clock);
    char place[PP_LOG_SOURCE_PLACE_MAX];
    struct pp_log_source_config from;
    uint64_t oldest;

    if (a->opaque != (a->args.policy != NULL)) {
        pp_problem_set(&a->problem, "--opaque", "--policy FILE and --opaque together",
                       PP_STR("one of them"));
        return PP_FAIL(PP_E_USAGE, 0);
    }
    PP_TRY(read_age(a, now, &oldest));
    PP_TRY(log_pins_open(a->p, &a->args, &a->problem, &a->pins));
    PP_TRY(log_source_of(a->p, &a->args, &a->pins, place, &from));
    PP_TRY(log_named_open(&from, &a->problem, &a->source));
    const struct pp_audit_config c = {
        .source = a->source,
        .policy = a->pins.policy,
        .place = a->opaque ? NULL : &a->pins.place,
        .now = now,
        .oldest = oldest,
        .findings = { keep, a },
    };
    pp_res r = pp_audit_run(&c, &a->audit, &a->problem);
    if (r.code == PP_E_NOT_FOUND && pp_log_source_is_folder(a->source))
        r.code = PP_E_INPUT;
    return r;
}

/* What was found before the reading broke off is worth more than that it did. */
static int tell(struct auditing *a, pp_res r)
{
    struct pp_finding end = { .code = r.code, .words = a->problem };

    if (!pp_is_ok(r) && a->count == 0)
        return ppctl_fail(a->p, r, &a->problem, 0);
    if (!pp_is_ok(r))
        pp_ignore(keep(a, &end), "keeping always succeeds");
    int failed = a->p->json ? print_json(a) : print_text(a);
    if (failed)
        return PP_CLASS_FAILED;
    return a->count > 0 ? PP_CLASS_REFUSED : 0;
}

int verb_log_audit(struct ppctl *p, int argc, char **argv)
{
    struct auditing *a = calloc(1, sizeof *a);

    if (a == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    const struct ppctl_option options[] = {
        LOG_OPTIONS(a->args),
        LOG_POLICY_OPTION(a->args),
        { "--max-age", "S", "seconds that the quorum's time may be old", &a->max_age, NULL },
        { "--opaque", NULL, "entries are taken as they are, of any log", NULL, &a->opaque },
        PPCTL_PLACE_OPTIONS(a->args.place),
    };
    int status = ppctl_parse(p, "log audit", options, PP_ARRAY_COUNT(options), argc, argv, NULL, 0,
                             0, NULL);
    if (status < 0) {
        a->p = p;
        status = tell(a, run(a));
    }
    pp_audit_done(&a->audit);
    pp_log_source_close(a->source);
    log_pins_done(&a->pins);
    free(a);
    return status;
}
