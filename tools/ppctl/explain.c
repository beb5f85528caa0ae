/* SPDX-License-Identifier: Apache-2.0 */
/* ppctl explain: what a refusal means, who must act, which check it was, where it is written. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "hardware.h"
#include "verbs.h"

enum who {
    NOBODY,
    USER,
    DEVELOPER,
    OPERATOR,
    OWNER,
    REVIEWER,
    LOG,
    WITNESS,
    MIRROR,
    RELAY,
    ISSUER,
    VENDOR
};

static const char *const WHO[] = {
    [NOBODY] = "nobody",
    [USER] = "the user",
    [DEVELOPER] = "the app's developer",
    [OPERATOR] = "the operator of the machines",
    [OWNER] = "the ledger's owner",
    [REVIEWER] = "a reviewer",
    [LOG] = "the log's operator",
    [WITNESS] = "the operator of a witness",
    [MIRROR] = "the operator of the mirror",
    [RELAY] = "the relay",
    [ISSUER] = "the token issuer",
    [VENDOR] = "the hardware's vendor",
};

static const struct explanation {
    enum pp_code code;
    enum who who;
    const char *check, *document, *section, *means;
} ROWS[] = {
#define EXPLAIN(name, who, check, document, section, means)                                        \
    { PP_E_##name, who, check, document, section, means },
#include "explain.def"
};

/* --- a code ----------------------------------------------------------------------------------- */

static const struct explanation *find(const char *name)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++)
        if (strcasecmp(name, pp_code_name(ROWS[i].code)) == 0)
            return &ROWS[i];
    return NULL;
}

static json_t *code_json(const struct explanation *e)
{
    return json_pack("{s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "code",
                     pp_code_name(e->code), "number", (int)e->code, "exit_status",
                     (int)pp_code_class(e->code), "what", pp_code_text(e->code), "means", e->means,
                     "who", WHO[e->who], "do", pp_code_todo(e->code), "check", e->check, "document",
                     e->document, "section", e->section);
}

static void print_code(const struct explanation *e)
{
    const char *todo = pp_code_todo(e->code);

    printf("%s (%u, exit status %d)\n", pp_code_name(e->code), (unsigned)e->code,
           (int)pp_code_class(e->code));
    printf("  what happened  %s\n  what it means  %s\n", pp_code_text(e->code), e->means);
    printf("  who must act   %s\n", WHO[e->who]);
    if (todo[0] != '\0')
        printf("  what to do     %s\n", todo);
    printf("  which check    %s\n  written in     %s, \"%s\"\n", e->check, e->document, e->section);
}

/* --- an advisory ------------------------------------------------------------------------------ */

static int is_waived(const char *profile, const struct pp_advisory *a)
{
    struct pp_hardware h;

    return pp_is_ok(pp_hardware_profile(pp_span_cstr(profile), &h)) &&
           (h.waived >> (a - PP_ADVISORIES) & 1) != 0;
}

static json_t *advisory_json(const struct pp_advisory *a)
{
    json_t *waived = json_array();

    for (size_t i = 0; pp_hardware_name(i) != NULL; i++)
        if (is_waived(pp_hardware_name(i), a))
            json_array_append_new(waived, json_string(pp_hardware_name(i)));
    return json_pack("{s:s, s:s, s:s, s:s, s:o}", "advisory", a->id, "attacks", a->attacks,
                     "sources", a->sources, "code", pp_code_name(pp_advisory_code(a)), "waived_by",
                     waived);
}

static void print_advisory(const struct pp_advisory *a)
{
    printf("advisory %s\n  attacks        %s\n  sources        %s\n  refused as     %s\n", a->id,
           a->attacks, a->sources, pp_code_name(pp_advisory_code(a)));
    printf("  who must act   %s\n  waived by     ", WHO[OPERATOR]);
    for (size_t i = 0; pp_hardware_name(i) != NULL; i++)
        if (is_waived(pp_hardware_name(i), a))
            printf(" %s", pp_hardware_name(i));
    printf("\n  written in     docs/protocol/policy.md, \"1. The advisory file\"\n");
}

/* --- the verb --------------------------------------------------------------------------------- */

static int list(const struct ppctl *p)
{
    json_t *codes, *advisories;

    if (!p->json) {
        for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++)
            printf("%-24s %s\n", pp_code_name(ROWS[i].code), pp_code_text(ROWS[i].code));
        for (size_t i = 0; i < PP_ADVISORY_COUNT; i++)
            printf("%-24s %s\n", PP_ADVISORIES[i].id, PP_ADVISORIES[i].attacks);
        return 0;
    }
    codes = json_array();
    advisories = json_array();
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++)
        json_array_append_new(codes, code_json(&ROWS[i]));
    for (size_t i = 0; i < PP_ADVISORY_COUNT; i++)
        json_array_append_new(advisories, advisory_json(&PP_ADVISORIES[i]));
    return ppctl_print_json(json_pack("{s:o, s:o}", "codes", codes, "advisories", advisories));
}

static int explain(const struct ppctl *p, const char *name)
{
    const struct explanation *e = find(name);
    const struct pp_advisory *a = pp_advisory_find(pp_span_cstr(name));

    if (e != NULL && p->json)
        return ppctl_print_json(code_json(e));
    if (a != NULL && p->json)
        return ppctl_print_json(advisory_json(a));
    if (e != NULL)
        print_code(e);
    else if (a != NULL)
        print_advisory(a);
    else
        return ppctl_usage(p, "CODE", "a code or an advisory, as ppctl explain --list has them",
                           name);
    return 0;
}

int verb_explain(struct ppctl *p, int argc, char **argv)
{
    int all = 0;
    const struct ppctl_option options[] = {
        { .name = "--list", .help = "every code and every advisory", .flag = &all },
    };
    const char *name[1];
    size_t count = 0;
    int status = ppctl_parse(p, "explain", options, PP_ARRAY_COUNT(options), argc, argv, name, 0, 1,
                             &count);

    if (status >= 0)
        return status;
    if (all)
        return count == 0 ? list(p) : ppctl_usage(p, "CODE", "nothing beside --list", name[0]);
    if (count == 0)
        return ppctl_usage(p, "CODE", "a code such as SNP_TCB_MIN, or --list", "nothing");
    return explain(p, name[0]);
}
