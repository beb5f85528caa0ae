/* SPDX-License-Identifier: Apache-2.0 */
/* ppctl verify tdx: the verdict on TDX evidence, check by check, with nothing but files. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ppctl.h"
#include "tdx_policy.h"
#include "verbs.h"

enum { INPUT_BYTES_MAX = 1 << 20 };

struct job {
    const char *quote_path, *collateral_path, *root_path, *policy_path, *at_text;
    struct pp_buf quote, root, policy_text;
    struct ppctl_tdx_collateral collateral;
    json_t *policy_json;
    struct ppctl_tdx_policy policy;
    struct pp_tdx_anchors anchors;
    uint64_t posix_s;
};

static void job_done(struct job *j)
{
    pp_buf_done(&j->quote);
    pp_buf_done(&j->root);
    pp_buf_done(&j->policy_text);
    ppctl_tdx_collateral_done(&j->collateral);
    json_decref(j->policy_json);
    pp_tdx_anchors_done(&j->anchors);
}

/* --- arguments -------------------------------------------------------------------------------- */

static int read_time(const struct ppctl *p, struct job *j)
{
    if (j->at_text == NULL) {
        j->posix_s = pp_clock_posix_s(&p->clock);
        return -1;
    }
    if (ppctl_time(j->at_text, &j->posix_s))
        return -1;
    return ppctl_usage(p, "--at", "POSIX seconds or an RFC 3339 time", j->at_text);
}

static int say_unreadable(const struct ppctl *p, const char *what, const char *path, pp_res r)
{
    struct pp_problem problem = { 0 };
    char got[4096];

    snprintf(got, sizeof got, "%s: %s",
             r.code == PP_E_FORMAT ? "a folder, or another kind of file" : pp_file_reason(r), path);
    pp_problem_party(&problem, what);
    pp_problem_set(&problem, what, "a readable file of at most 1 MiB", pp_span_cstr(got));
    return ppctl_fail(p, (pp_res){ PP_E_INPUT, r.detail, r.where }, &problem, 0);
}

/* The file of an argument; -1 when it was read, else the exit status. */
static int read_file(const struct ppctl *p, const char *what, const char *path, struct pp_buf *ret)
{
    pp_res r = pp_file_read(AT_FDCWD, path, INPUT_BYTES_MAX, ret);

    return pp_is_ok(r) ? -1 : say_unreadable(p, what, path, r);
}

static int read_policy(const struct ppctl *p, struct job *j)
{
    struct pp_problem problem = { 0 };
    json_error_t error;

    if (j->policy_path == NULL) {
        ppctl_tdx_policy_strict(&j->policy);
        return -1;
    }
    int status = read_file(p, "--policy", j->policy_path, &j->policy_text);
    if (status >= 0)
        return status;
    j->policy_json = json_loadb((const char *)j->policy_text.bytes, j->policy_text.len,
                                JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(j->policy_json))
        return ppctl_usage(p, "--policy", "a JSON object",
                           j->policy_json == NULL ? error.text : "another JSON value");
    pp_res r = ppctl_tdx_policy_read(j->policy_json, &j->policy, &problem);
    if (pp_is_ok(r))
        return -1;
    pp_problem_party(&problem, "--policy");
    return ppctl_fail(p, r, &problem, 0);
}

/* A PEM file without such a root leaves no anchor: the verdict is then a refusal. */
static int read_anchors(const struct ppctl *p, struct job *j)
{
    pp_res r;

    if (j->root_path == NULL) {
        r = pp_tdx_anchors_add_intel(&j->anchors);
        return pp_is_ok(r) ? -1 : ppctl_fail(p, r, NULL, 0);
    }
    int status = read_file(p, "--root", j->root_path, &j->root);
    if (status >= 0)
        return status;
    r = ppctl_tdx_anchors_pem(pp_buf_span(&j->root), &j->anchors);
    if (pp_is_ok(r) || r.code == PP_E_TRUST)
        return -1;
    return ppctl_usage(p, "--root", "a PEM file that ends in the root", j->root_path);
}

/* Without a folder the checks of the collateral are left out, and the verdict says so. */
static int read_collateral(const struct ppctl *p, struct job *j)
{
    uint8_t fmspc[PP_TDX_FMSPC_BYTES];
    struct stat st;

    if (j->collateral_path == NULL) {
        j->policy.policy.skip |= PP_TDX_COLLATERAL;
        return -1;
    }
    if (stat(j->collateral_path, &st) != 0 || !S_ISDIR(st.st_mode))
        return ppctl_usage(p, "--collateral", "a folder", j->collateral_path);
    int known = pp_is_ok(ppctl_tdx_fmspc(pp_buf_span(&j->quote), fmspc));
    pp_res r = ppctl_tdx_collateral_load(j->collateral_path, known ? fmspc : NULL, &j->collateral);
    return pp_is_ok(r) ? -1 : say_unreadable(p, "--collateral", j->collateral_path, r);
}

static int read_all(const struct ppctl *p, struct job *j)
{
    int status = read_time(p, j);

    if (status < 0)
        status = read_file(p, "QUOTE", j->quote_path, &j->quote);
    if (status < 0)
        status = read_policy(p, j);
    if (status < 0)
        status = read_anchors(p, j);
    if (status < 0)
        status = read_collateral(p, j);
    return status;
}

/* --- output ----------------------------------------------------------------------------------- */

/* Long values are cut for people; --json and the policy file have their own. */
static void print_row(const struct pp_attest_check *row)
{
    const struct pp_problem *q = &row->problem;
    char value[64];

    printf("%3u  %-12s %-8s", row->number, pp_tdx_check_name((enum pp_tdx_check_number)row->number),
           pp_attest_verdict_name(row->verdict));
    if (row->verdict == PP_ATTEST_SKIPPED) {
        printf(" %s\n", q->got);
        return;
    }
    pp_printable(value, sizeof value, pp_span_cstr(q->got));
    printf(" %-40s %s: %s\n", row->anchor, q->field, value);
    pp_printable(value, sizeof value, pp_span_cstr(q->expected));
    if (row->verdict == PP_ATTEST_FAILED && value[0] != '\0')
        printf("%67s expected: %s\n", "", value);
}

static void print_people(const struct job *j, pp_res r, const struct pp_tdx_checks *checks,
                         const struct pp_tdx_result *result)
{
    printf("  n  %-12s %-8s %-40s %s\n", "check", "verdict", "against", "value");
    for (size_t i = 0; i < PP_TDX_CHECKS; i++)
        print_row(&checks->rows[i]);
    printf("\npolicy:  %s\nanchors:", j->policy.policy.name);
    for (size_t i = 0; i < j->anchors.count; i++)
        printf(" %s", j->anchors.roots[i].label);
    printf("%s\n", j->anchors.count == 0 ? " none" : "");
    if (!pp_is_ok(r)) {
        printf("verdict: reject, check %u: %s (%s)\n", r.detail, pp_code_text(r.code),
               pp_code_name(r.code));
        return;
    }
    printf("verdict: accept, quote version %u", result->version);
    if ((result->skipped & PP_ATTEST_BIT(PP_TDX_CHECK_TCB_STATUS)) == 0)
        printf(", %s", pp_tdx_status_name(result->status));
    printf("%s", result->skipped == 0 ? "" : ", without the checks");
    for (unsigned n = 1; n <= PP_TDX_CHECKS; n++)
        if ((result->skipped & PP_ATTEST_BIT(n)) != 0)
            printf(" %u", n);
    printf("\n");
}

static int print_json(const struct job *j, pp_res r, const struct pp_tdx_checks *checks)
{
    json_t *rows = json_array();
    json_t *anchors = json_array();
    int bad = rows == NULL || anchors == NULL;

    for (size_t i = 0; i < PP_TDX_CHECKS && !bad; i++) {
        const struct pp_attest_check *row = &checks->rows[i];
        bad = json_array_append_new(rows, json_pack("{s:i, s:s, s:s, s:s}", "n", (int)row->number,
                                                    "code", pp_code_name(row->code), "verdict",
                                                    pp_attest_verdict_name(row->verdict), "anchor",
                                                    row->anchor));
    }
    for (size_t i = 0; i < j->anchors.count && !bad; i++)
        bad = json_array_append_new(anchors, json_string(j->anchors.roots[i].label));
    json_t *object = bad ? NULL
                         : json_pack("{s:s, s:o, s:O, s:O}", "verdict",
                                     pp_is_ok(r) ? "accept" : "reject", "code",
                                     pp_is_ok(r) ? json_null() : json_string(pp_code_name(r.code)),
                                     "checks", rows, "anchors", anchors);
    json_decref(rows);
    json_decref(anchors);
    return ppctl_print_json(object);
}

static int verify(struct ppctl *p, struct job *j)
{
    struct pp_tdx_evidence evidence = ppctl_tdx_evidence(pp_buf_span(&j->quote), &j->collateral);
    struct pp_tdx_checks checks;
    struct pp_tdx_result result;

    pp_res r = pp_tdx_verify(&j->anchors, &j->policy.policy, &evidence, j->posix_s, &checks,
                             &result);
    if (!pp_is_ok(r) && pp_code_class(r.code) != PP_CLASS_REFUSED)
        return ppctl_fail(p, r, NULL, 0);
    if (p->json && print_json(j, r, &checks) != 0)
        return PP_CLASS_FAILED;
    if (!p->json)
        print_people(j, r, &checks, &result);
    return pp_is_ok(r) ? PP_CLASS_OK : PP_CLASS_REFUSED;
}

int verb_verify_tdx(struct ppctl *p, int argc, char **argv)
{
    struct job j = { 0 };
    const char *args[1] = { NULL };
    const struct ppctl_option options[] = {
        { "--collateral", "DIR", "TCB info, QE identity, their chains, and two revocation lists",
          &j.collateral_path, NULL },
        { "--root", "PEM", "the only anchor; default: the Intel SGX Root CA, built in",
          &j.root_path, NULL },
        { "--at", "TIME", "POSIX seconds or RFC 3339; default: now", &j.at_text, NULL },
        { "--policy", "FILE",
          "JSON with expected values and minima; replaces strict: checks 14 to 20 run only as far "
          "as FILE names them",
          &j.policy_path, NULL },
    };
    int status = ppctl_parse(p, "verify tdx", options, PP_ARRAY_COUNT(options), argc, argv, args, 1,
                             1, NULL);

    j.quote_path = args[0];
    if (status < 0)
        status = read_all(p, &j);
    if (status < 0)
        status = verify(p, &j);
    job_done(&j);
    return status;
}
