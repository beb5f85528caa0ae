/* SPDX-License-Identifier: Apache-2.0 */
#include "ppctl.h"

#include <stdio.h>
#include <string.h>

int ppctl_print_json(json_t *object)
{
    int failed = object == NULL ||
                 json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) != 0;

    json_decref(object);
    if (!failed && (putchar('\n') == EOF || fflush(stdout) != 0))
        failed = 1;
    if (failed)
        fprintf(stderr, "ppctl: standard output: cannot write\n");
    return failed;
}

static json_t *text_or_null(const char *s)
{
    return s[0] == '\0' ? json_null() : json_string(s);
}

static const char *party_of(const struct pp_problem *q)
{
    return q->party[0] == '\0' ? "ppctl" : q->party;
}

json_t *ppctl_error_json(pp_res r, const struct pp_problem *problem)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:s}", "code", pp_code_name(r.code), "party",
                     party_of(problem), "field", text_or_null(problem->field), "expected",
                     text_or_null(problem->expected), "got", text_or_null(problem->got), "do",
                     pp_code_todo(r.code));
}

int ppctl_fail(const struct ppctl *p, pp_res r, const struct pp_problem *problem,
               uint64_t sent_user_bytes)
{
    static const struct pp_problem nothing;
    const struct pp_problem *q = problem == NULL ? &nothing : problem;
    enum pp_class cls = pp_code_class(r.code);

    if (p->json) {
        (void)ppctl_print_json(json_pack("{s:o, s:I}", "error", ppctl_error_json(r, q),
                                         "sent_user_bytes", (json_int_t)sent_user_bytes));
        return (int)cls;
    }
    fprintf(stderr, "%s: %s (%s)\n", party_of(q), pp_code_text(r.code), pp_code_name(r.code));
    if (q->field[0] != '\0')
        fprintf(stderr, "  field:    %s\n", q->field);
    if (q->expected[0] != '\0')
        fprintf(stderr, "  expected: %s\n", q->expected);
    if (q->field[0] != '\0' || q->got[0] != '\0')
        fprintf(stderr, "  got:      %s\n", q->got);
    if (r.code == PP_E_SYSTEM)
        fprintf(stderr, "  reason:   %s\n", strerror((int)r.detail));
    if (pp_code_todo(r.code)[0] != '\0')
        fprintf(stderr, "  do:       %s\n", pp_code_todo(r.code));
    if (cls == PP_CLASS_REFUSED)
        fprintf(stderr, "  sent:     %llu bytes of yours\n", (unsigned long long)sent_user_bytes);
    if (!PP_RELEASE && r.where != NULL)
        fprintf(stderr, "  at:       %s, detail %u\n", r.where, r.detail);
    return (int)cls;
}

const char *ppctl_file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

int ppctl_usage(const struct ppctl *p, const char *field, const char *expected, const char *got)
{
    struct pp_problem problem = { 0 };

    pp_problem_set(&problem, field, expected, pp_span_cstr(got));
    return ppctl_fail(p, (pp_res){ .code = PP_E_USAGE }, &problem, 0);
}
