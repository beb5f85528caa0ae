/* SPDX-License-Identifier: Apache-2.0 */
/* ppctl log lint: policy files, judged before anybody trusts them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "policy_lint.h"
#include "verbs.h"

enum { FILES_MAX = 8, HEX_BYTES = 2 * PP_SHA256_BYTES + 1 };

struct lint {
    const struct ppctl *p;
    const char *kind, *origin;
    struct policy_lint files[FILES_MAX];
    struct pp_buf texts[FILES_MAX];
    size_t count, found;
    json_t *findings;
};

/* A file name as JSON may hold it. */
static json_t *json_path(const char *path)
{
    char text[256];

    pp_printable(text, sizeof text, pp_span_cstr(path));
    return json_string(text);
}

static void on_finding(void *ctx, const struct policy_finding *f)
{
    struct lint *l = ctx;

    l->found++;
    if (l->p->json) {
        json_array_append_new(l->findings,
                              json_pack("{s:o, s:I, s:s, s:s, s:s, s:s, s:s, s:s}", "file",
                                        json_path(f->file->path), "line", (json_int_t)f->line,
                                        "code", pp_code_name(f->code), "why", pp_code_text(f->code),
                                        "field", f->problem.field, "expected", f->problem.expected,
                                        "got", f->problem.got, "do", pp_code_todo(f->code)));
        return;
    }
    printf("%s:%u: %s (%s)\n", f->file->path, f->line, pp_code_text(f->code),
           pp_code_name(f->code));
    printf("  field:    %s\n  expected: %s\n  got:      %s\n", f->problem.field,
           f->problem.expected, f->problem.got);
    if (pp_code_todo(f->code)[0] != '\0')
        printf("  do:       %s\n", pp_code_todo(f->code));
}

/* What a release's review line names: SHA-256 of the file. */
static const char *digest_of(const struct policy_lint *f, char ret[HEX_BYTES])
{
    uint8_t digest[PP_SHA256_BYTES];
    struct pp_wr wr = pp_wr_over(ret, HEX_BYTES - 1);

    pp_sha256(f->text, digest);
    pp_wr_hex(&wr, PP_BYTES(digest));
    ret[HEX_BYTES - 1] = '\0';
    return ret;
}

static int report(struct lint *l)
{
    int status = l->found > 0 ? PP_CLASS_REFUSED : PP_CLASS_OK;
    json_t *files = json_array();
    char hex[HEX_BYTES];

    for (size_t i = 0; i < l->count; i++) {
        const struct policy_lint *f = &l->files[i];
        if (!l->p->json)
            printf("%s: %s policy, sha256:%s\n", f->path, POLICY_LINT_NAMES[f->kind],
                   digest_of(f, hex));
        json_array_append_new(files,
                              json_pack("{s:o, s:s, s:s}", "file", json_path(f->path), "kind",
                                        POLICY_LINT_NAMES[f->kind], "digest", digest_of(f, hex)));
    }
    if (!l->p->json) {
        json_decref(files);
        printf("%zu finding%s\n", l->found, l->found == 1 ? "" : "s");
        return status;
    }
    int unwritten = ppctl_print_json(
        json_pack("{s:b, s:o, s:O}", "ok", l->found == 0, "files", files, "findings", l->findings));
    return unwritten ? (int)PP_CLASS_FAILED : status;
}

static int kind_of(const char *name)
{
    int kind = 0;

    while (kind < POLICY_LINT_KINDS && strcmp(name, POLICY_LINT_NAMES[kind]) != 0)
        kind++;
    return kind;
}

/* -1, or the exit status. */
static int read_files(struct lint *l, const char *const *paths)
{
    int kind = l->kind == NULL ? POLICY_LINT_KINDS : kind_of(l->kind);
    char got[300];

    if (l->kind != NULL && kind == POLICY_LINT_KINDS)
        return ppctl_usage(l->p, "--kind", "log, owner or review", l->kind);
    for (size_t i = 0; i < l->count; i++) {
        struct policy_lint *f = &l->files[i];
        pp_res r = pp_file_read(AT_FDCWD, paths[i], PP_POLICY_BYTES_MAX, &l->texts[i]);
        if (!pp_is_ok(r)) {
            snprintf(got, sizeof got, "%s: %s", pp_file_reason(r), paths[i]);
            return ppctl_usage(l->p, "FILE", "a policy file", got);
        }
        f->path = paths[i];
        f->text = pp_buf_span(&l->texts[i]);
        f->kind = kind < POLICY_LINT_KINDS ? (enum policy_lint_kind)kind
                                           : policy_lint_guess(f->path, f->text);
    }
    return -1;
}

static int run(struct lint *l, const char *const *paths)
{
    const struct policy_lint_sink sink = { on_finding, l };
    int status = read_files(l, paths);

    if (status >= 0)
        return status;
    l->findings = json_array();
    for (size_t i = 0; i < l->count; i++)
        policy_lint_one(&l->files[i],
                        l->origin == NULL ? pp_span(NULL, 0) : pp_span_cstr(l->origin), &sink);
    policy_lint_all(l->files, l->count, &sink);
    return report(l);
}

int verb_log_lint(struct ppctl *p, int argc, char **argv)
{
    const char *paths[FILES_MAX];
    struct lint *l = calloc(1, sizeof *l);

    if (l == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    l->p = p;
    const struct ppctl_option options[] = {
        { "--kind", "KIND", "of all files: log, owner or review; default: told from each", &l->kind,
          NULL },
        { "--origin", "NAME", "the origin that the log's keys must have", &l->origin, NULL },
    };
    int status = ppctl_parse(p, "log lint", options, PP_ARRAY_COUNT(options), argc, argv, paths, 1,
                             FILES_MAX, &l->count);
    if (status < 0)
        status = run(l, paths);
    for (size_t i = 0; i < FILES_MAX; i++)
        pp_buf_done(&l->texts[i]);
    json_decref(l->findings);
    free(l);
    return status;
}
