/* SPDX-License-Identifier: Apache-2.0 */
/* ppctl verify snp: the verdict on SEV-SNP evidence, check by check, with nothing but files. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "ppctl.h"
#include "snp_policy.h"
#include "snp_table.h"
#include "verbs.h"

enum { INPUT_BYTES_MAX = 1 << 20, EXIT_REJECT = PP_CLASS_REFUSED };

struct job {
    const char *report_path, *vek_path, *table_path, *chain_path, *at_text, *policy_path, *crl_path;
    struct pp_buf report, vek, table, chain, crl, policy_text;
    struct pp_x509_pem vek_pem;
    json_t *policy_json;
    struct ppctl_snp_policy policy;
    struct pp_snp_anchors anchors;
    uint64_t posix_s;
};

static void job_done(struct job *j)
{
    pp_buf_done(&j->report);
    pp_buf_done(&j->vek);
    pp_buf_done(&j->table);
    pp_buf_done(&j->chain);
    pp_buf_done(&j->crl);
    pp_buf_done(&j->policy_text);
    pp_x509_pem_free(&j->vek_pem);
    json_decref(j->policy_json);
    pp_snp_anchors_done(&j->anchors);
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

/* The file of an option; -1 when it was read, else the exit status. */
static int read_file(const struct ppctl *p, const char *option, const char *path,
                     struct pp_buf *ret)
{
    struct pp_problem problem = { 0 };
    char got[4096];
    pp_res r = pp_file_read(AT_FDCWD, path, INPUT_BYTES_MAX, ret);

    if (pp_is_ok(r))
        return -1;
    snprintf(got, sizeof got, "%s: %s",
             r.code == PP_E_FORMAT ? "a folder, or another kind of file" : pp_file_reason(r), path);
    pp_problem_party(&problem, option);
    pp_problem_set(&problem, option, "a readable file of at most 1 MiB", pp_span_cstr(got));
    return ppctl_fail(p, (pp_res){ PP_E_INPUT, r.detail, r.where }, &problem, 0);
}

static int read_policy(const struct ppctl *p, struct job *j)
{
    struct pp_problem problem = { 0 };
    json_error_t error;

    if (j->policy_path == NULL) {
        ppctl_snp_policy_strict(&j->policy);
        return -1;
    }
    int status = read_file(p, "--policy", j->policy_path, &j->policy_text);
    if (status >= 0)
        return status;
    j->policy_json = json_loadb((const char *)j->policy_text.bytes, j->policy_text.len,
                                JSON_REJECT_DUPLICATES, &error);
    if (j->policy_json == NULL)
        return ppctl_usage(p, "--policy", "a JSON file", error.text);
    pp_res r = ppctl_snp_policy_read(j->policy_json, &j->policy, &problem);
    if (pp_is_ok(r))
        return -1;
    pp_problem_party(&problem, "--policy");
    return ppctl_fail(p, r, &problem, 0);
}

/* A chain file that is PEM but no chain of ours leaves no anchor: the verdict is then a refusal. */
static int read_anchors(const struct ppctl *p, struct job *j)
{
    pp_res r;

    if (j->chain_path == NULL) {
        r = pp_snp_anchors_add_amd(&j->anchors);
        return pp_is_ok(r) ? -1 : ppctl_fail(p, r, NULL, 0);
    }
    int status = read_file(p, "--chain", j->chain_path, &j->chain);
    if (status >= 0)
        return status;
    r = ppctl_snp_anchors_pem(pp_buf_span(&j->chain), &j->anchors);
    if (pp_is_ok(r) || r.code == PP_E_TRUST)
        return -1;
    return ppctl_usage(p, "--chain", "a PEM file: ASK, then ARK", j->chain_path);
}

static int read_all(const struct ppctl *p, struct job *j)
{
    int status = read_time(p, j);

    if (status < 0)
        status = read_file(p, "--report", j->report_path, &j->report);
    if (status < 0 && j->vek_path != NULL)
        status = read_file(p, "--vek", j->vek_path, &j->vek);
    if (status < 0 && j->table_path != NULL)
        status = read_file(p, "--table", j->table_path, &j->table);
    if (status < 0 && j->crl_path != NULL)
        status = read_file(p, "--crl", j->crl_path, &j->crl);
    if (status < 0)
        status = read_policy(p, j);
    if (status < 0)
        status = read_anchors(p, j);
    if (status < 0 && j->crl_path != NULL)
        j->policy.policy.skip &= ~PP_ATTEST_BIT(PP_SNP_CHECK_CRL);
    return status;
}

/* --- output ----------------------------------------------------------------------------------- */

/* Long values are cut for people; --json and the policy file have their own. */
static void print_row(const struct pp_attest_check *row)
{
    const struct pp_problem *q = &row->problem;
    char value[64];

    printf("%3d  %-12s %-8s", row->number, pp_snp_check_name(row->number),
           pp_attest_verdict_name(row->verdict));
    if (row->verdict == PP_ATTEST_SKIPPED) {
        printf(" %s\n", q->got);
        return;
    }
    pp_printable(value, sizeof value, pp_span_cstr(q->got));
    printf(" %-36s %s: %s\n", row->anchor, q->field, value);
    pp_printable(value, sizeof value, pp_span_cstr(q->expected));
    if (row->verdict == PP_ATTEST_FAILED && value[0] != '\0')
        printf("%63s expected: %s\n", "", value);
}

static void print_people(const struct job *j, pp_res r, const struct pp_snp_checks *checks,
                         const struct pp_snp_result *result)
{
    printf("  n  %-12s %-8s %-36s %s\n", "check", "verdict", "against", "value");
    for (size_t i = 0; i < PP_SNP_CHECKS; i++)
        print_row(&checks->rows[i]);
    printf("\npolicy:  %s\nanchors:", j->policy.policy.name);
    for (size_t i = 0; i < j->anchors.count; i++)
        printf("%s %s", i == 0 ? "" : ",", j->anchors.roots[i].label);
    printf("%s\n", j->anchors.count == 0 ? " none" : "");
    if (!pp_is_ok(r)) {
        printf("verdict: reject, check %u: %s (%s)\n", r.detail, pp_code_text(r.code),
               pp_code_name(r.code));
        return;
    }
    printf("verdict: accept, %s %s, without the checks", pp_snp_line_name(result->line),
           result->signer == PP_SNP_VLEK ? "VLEK" : "VCEK");
    for (unsigned n = 1; n <= PP_SNP_CHECKS; n++)
        if ((result->skipped & PP_ATTEST_BIT(n)) != 0)
            printf(" %u", n);
    printf("\n");
}

static int print_json(const struct job *j, pp_res r, const struct pp_snp_checks *checks)
{
    json_t *rows = json_array();
    json_t *anchors = json_array();
    int bad = rows == NULL || anchors == NULL;

    for (size_t i = 0; i < PP_SNP_CHECKS && !bad; i++) {
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

/* A table is evidence: one that is malformed gives no certificate, and check 3 refuses. */
static struct pp_snp_evidence evidence_of(struct job *j)
{
    struct pp_snp_evidence e = { .report = pp_buf_span(&j->report), .vek = pp_buf_span(&j->vek) };
    struct pp_snp_table table;

    if (j->table_path != NULL && pp_is_ok(pp_snp_table_parse(pp_buf_span(&j->table), &table)))
        e = pp_snp_evidence_of(e.report, &table);
    if (j->crl_path != NULL)
        e.crl = pp_buf_span(&j->crl);
    if (pp_is_ok(pp_x509_pem_parse(e.vek, &j->vek_pem)) && j->vek_pem.count == 1)
        e.vek = pp_span(j->vek_pem.der[0], j->vek_pem.der_len[0]);
    return e;
}

static int verify(struct ppctl *p, struct job *j)
{
    struct pp_snp_evidence evidence = evidence_of(j);
    struct pp_snp_checks checks;
    struct pp_snp_result result;

    pp_res r = pp_snp_verify(&j->anchors, &j->policy.policy, &evidence, j->posix_s, &checks,
                             &result);
    if (!pp_is_ok(r) && pp_code_class(r.code) != PP_CLASS_REFUSED)
        return ppctl_fail(p, r, NULL, 0);
    if (p->json && print_json(j, r, &checks) != 0)
        return PP_CLASS_FAILED;
    if (!p->json)
        print_people(j, r, &checks, &result);
    return pp_is_ok(r) ? PP_CLASS_OK : EXIT_REJECT;
}

int verb_verify_snp(struct ppctl *p, int argc, char **argv)
{
    struct job j = { 0 };
    const struct ppctl_option options[] = {
        { "--report", "R", "the attestation report, 1184 raw bytes", &j.report_path, NULL },
        { "--vek", "V", "the chip's certificate, DER or PEM", &j.vek_path, NULL },
        { "--table", "T", "instead of --vek: the certificate table of an extended report",
          &j.table_path, NULL },
        { "--chain", "PEM", "ASK, then ARK: the only anchors; default: AMD's, built in",
          &j.chain_path, NULL },
        { "--crl", "CRL", "AMD's revocation list of the line, DER; asks for check 5", &j.crl_path,
          NULL },
        { "--at", "TIME", "POSIX seconds or RFC 3339; default: now", &j.at_text, NULL },
        { "--policy", "FILE",
          "JSON with expected values and minima; replaces strict: checks 11 to 23 run only as far "
          "as FILE names them",
          &j.policy_path, NULL },
    };
    int status = ppctl_parse(p, "verify snp", options, PP_ARRAY_COUNT(options), argc, argv, NULL, 0,
                             0, NULL);

    if (status < 0 && j.report_path == NULL)
        status = ppctl_usage(p, "--report", "a file", "nothing");
    if (status < 0 && (j.vek_path == NULL) == (j.table_path == NULL))
        status = ppctl_usage(p, "--vek", "a file, or else --table",
                             j.vek_path == NULL ? "nothing" : "both");
    if (status < 0)
        status = read_all(p, &j);
    if (status < 0)
        status = verify(p, &j);
    job_done(&j);
    return status;
}
