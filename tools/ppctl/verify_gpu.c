/* SPDX-License-Identifier: Apache-2.0 */
/* ppctl verify gpu: the verdict on NVIDIA GPU evidence, check by check, with nothing but files. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "gpu_policy.h"
#include "ppctl.h"
#include "text.h"
#include "verbs.h"

enum { INPUT_BYTES_MAX = 1 << 20, EXIT_REJECT = PP_CLASS_REFUSED };

struct job {
    const char *report_path, *chain_path, *driver_path, *vbios_path, *roots_path;
    const char *nonce_text, *at_text, *policy_path;
    struct ppctl_list ocsp_paths;
    struct pp_buf report, chain, roots, driver_xml, vbios_xml, ocsp[PP_GPU_OCSP_MAX], policy_text;
    struct pp_x509_pem chain_pem;
    json_t *policy_json;
    struct ppctl_gpu_policy policy;
    struct pp_gpu_anchors anchors;
    struct pp_gpu_evidence evidence;
    struct pp_rim driver, vbios;
    uint8_t nonce[PP_GPU_NONCE_BYTES];
    uint64_t posix_s;
};

static void job_done(struct job *j)
{
    pp_buf_done(&j->report);
    pp_buf_done(&j->chain);
    pp_buf_done(&j->roots);
    pp_buf_done(&j->driver_xml);
    pp_buf_done(&j->vbios_xml);
    for (size_t i = 0; i < PP_GPU_OCSP_MAX; i++)
        pp_buf_done(&j->ocsp[i]);
    pp_buf_done(&j->policy_text);
    pp_x509_pem_free(&j->chain_pem);
    json_decref(j->policy_json);
    pp_rim_done(&j->driver);
    pp_rim_done(&j->vbios);
    pp_gpu_anchors_done(&j->anchors);
}

/* --- arguments -------------------------------------------------------------------------------- */

/* The file of an option; -1 when it was read or not given, else the exit status. */
static int read_file(const struct ppctl *p, const char *option, const char *path,
                     struct pp_buf *ret)
{
    struct pp_problem problem = { 0 };
    char got[4096];

    if (path == NULL)
        return -1;
    pp_res r = pp_file_read(AT_FDCWD, path, INPUT_BYTES_MAX, ret);
    if (pp_is_ok(r))
        return -1;
    snprintf(got, sizeof got, "%s: %s",
             r.code == PP_E_FORMAT ? "a folder, or another kind of file" : pp_file_reason(r), path);
    pp_problem_party(&problem, option);
    pp_problem_set(&problem, option, "a readable file of at most 1 MiB", pp_span_cstr(got));
    return ppctl_fail(p, (pp_res){ PP_E_INPUT, r.detail, r.where }, &problem, 0);
}

static int read_files(const struct ppctl *p, struct job *j)
{
    int status = read_file(p, "REPORT", j->report_path, &j->report);

    if (status < 0)
        status = read_file(p, "--chain", j->chain_path, &j->chain);
    if (status < 0)
        status = read_file(p, "--roots", j->roots_path, &j->roots);
    if (status < 0)
        status = read_file(p, "--driver-rim", j->driver_path, &j->driver_xml);
    if (status < 0)
        status = read_file(p, "--vbios-rim", j->vbios_path, &j->vbios_xml);
    if (status < 0)
        status = read_file(p, "--policy", j->policy_path, &j->policy_text);
    if (status < 0 && j->ocsp_paths.count > PP_GPU_OCSP_MAX)
        return ppctl_usage(p, "--ocsp", "at most 12 files", "more");
    for (size_t i = 0; i < j->ocsp_paths.count && status < 0; i++)
        status = read_file(p, "--ocsp", j->ocsp_paths.items[i], &j->ocsp[i]);
    return status;
}

static int read_policy(const struct ppctl *p, struct job *j)
{
    struct pp_problem problem = { 0 };
    json_error_t error;

    if (j->policy_path != NULL) {
        j->policy_json = json_loadb((const char *)j->policy_text.bytes, j->policy_text.len,
                                    JSON_REJECT_DUPLICATES, &error);
        if (j->policy_json == NULL)
            return ppctl_usage(p, "--policy", "a JSON file", error.text);
    }
    pp_res r = ppctl_gpu_policy_read(j->policy_json, &j->policy, &problem);
    if (!pp_is_ok(r)) {
        pp_problem_party(&problem, "--policy");
        return ppctl_fail(p, r, &problem, 0);
    }
    if (j->nonce_text != NULL) {
        if (!pp_is_ok(pp_hex_parse(pp_span_cstr(j->nonce_text), j->nonce, sizeof j->nonce)))
            return ppctl_usage(p, "--nonce", "64 lower-case hexadecimal digits", j->nonce_text);
        j->policy.policy.nonce = j->nonce;
        j->policy.policy.nonce_anchor = "--nonce";
        j->policy.policy.skip &= ~PP_ATTEST_BIT(PP_GPU_CHECK_NONCE);
    }
    if (j->ocsp_paths.count > 0)
        j->policy.policy.skip &= ~PP_ATTEST_BIT(PP_GPU_CHECK_OCSP);
    return -1;
}

/* Device root, then RIM root: a simulator's, say. */
static int read_roots(const struct ppctl *p, struct job *j)
{
    struct pp_x509_pem pem = { 0 };
    pp_res r;

    if (j->roots_path == NULL) {
        r = pp_gpu_anchors_add_nvidia(&j->anchors);
        return pp_is_ok(r) ? -1 : ppctl_fail(p, r, NULL, 0);
    }
    r = pp_x509_pem_parse(pp_buf_span(&j->roots), &pem);
    if (pp_is_ok(r) && pem.count != 2)
        r = PP_FAIL(PP_E_FORMAT, pem.count);
    if (pp_is_ok(r))
        r = pp_gpu_anchors_add_device(&j->anchors, pp_span(pem.der[0], pem.der_len[0]));
    if (pp_is_ok(r))
        r = pp_gpu_anchors_add_rim(&j->anchors, pp_span(pem.der[1], pem.der_len[1]));
    pp_x509_pem_free(&pem);
    return pp_is_ok(r)
               ? -1
               : ppctl_usage(p, "--roots", "a PEM file: device root, then RIM root", j->roots_path);
}

static int read_all(const struct ppctl *p, struct job *j)
{
    j->posix_s = pp_clock_posix_s(&p->clock);
    if (j->at_text != NULL && !ppctl_time(j->at_text, &j->posix_s))
        return ppctl_usage(p, "--at", "POSIX seconds or an RFC 3339 time", j->at_text);
    int status = read_files(p, j);
    if (status < 0)
        status = read_policy(p, j);
    if (status < 0)
        status = read_roots(p, j);
    return status;
}

/* --- output ----------------------------------------------------------------------------------- */

static void print_row(const struct pp_attest_check *row)
{
    const struct pp_problem *q = &row->problem;
    char value[64];

    printf("%3d  %-14s %-8s", row->number, pp_gpu_check_name((enum pp_gpu_check_number)row->number),
           pp_attest_verdict_name(row->verdict));
    if (row->verdict == PP_ATTEST_SKIPPED) {
        printf(" %s\n", q->got);
        return;
    }
    pp_printable(value, sizeof value, pp_span_cstr(q->got));
    printf(" %-54s %s: %s\n", row->anchor, q->field, value);
    pp_printable(value, sizeof value, pp_span_cstr(q->expected));
    if (row->verdict == PP_ATTEST_FAILED && value[0] != '\0')
        printf("%83s expected: %s\n", "", value);
}

static void print_people(const struct job *j, pp_res r, const struct pp_gpu_checks *checks,
                         const struct pp_gpu_result *result)
{
    char id[2 * PP_SHA256_BYTES + 1];
    struct pp_wr wr = pp_wr_over(id, sizeof id);

    printf("  n  %-14s %-8s %-54s %s\n", "check", "verdict", "against", "value");
    for (size_t i = 0; i < PP_GPU_CHECKS; i++)
        print_row(&checks->rows[i]);
    printf("\npolicy:  %s\nanchors: %s, %s\n", j->policy.policy.name, j->anchors.labels[0],
           j->anchors.rims.labels[0]);
    if (!pp_is_ok(r)) {
        printf("verdict: reject, check %u: %s (%s)\n", r.detail, pp_code_text(r.code),
               pp_code_name(r.code));
        return;
    }
    pp_wr_hex(&wr, PP_BYTES(result->device_id));
    pp_wr_u8(&wr, 0);
    printf("device:  %s\n", id);
    printf("verdict: accept, %s, mode %s, driver %s, VBIOS %s, without the checks",
           pp_gpu_arch_name(result->arch), pp_gpu_mode_name(result->mode), result->driver,
           result->vbios);
    for (unsigned n = 1; n <= PP_GPU_CHECKS; n++)
        if ((result->skipped & PP_ATTEST_BIT(n)) != 0)
            printf(" %u", n);
    printf("\n");
}

static int print_json(const struct job *j, pp_res r, const struct pp_gpu_checks *checks)
{
    json_t *rows = json_array();
    int bad = rows == NULL;

    for (size_t i = 0; i < PP_GPU_CHECKS && !bad; i++) {
        const struct pp_attest_check *row = &checks->rows[i];
        bad = json_array_append_new(rows, json_pack("{s:i, s:s, s:s, s:s}", "n", (int)row->number,
                                                    "code", pp_code_name(row->code), "verdict",
                                                    pp_attest_verdict_name(row->verdict), "anchor",
                                                    row->anchor));
    }
    json_t *object = bad ? NULL
                         : json_pack("{s:s, s:o, s:O, s:[s,s]}", "verdict",
                                     pp_is_ok(r) ? "accept" : "reject", "code",
                                     pp_is_ok(r) ? json_null() : json_string(pp_code_name(r.code)),
                                     "checks", rows, "anchors", j->anchors.labels[0],
                                     j->anchors.rims.labels[0]);
    json_decref(rows);
    return ppctl_print_json(object);
}

static void fill_evidence(struct job *j)
{
    struct pp_gpu_evidence *e = &j->evidence;

    e->report = pp_buf_span(&j->report);
    if (pp_is_ok(pp_x509_pem_parse(pp_buf_span(&j->chain), &j->chain_pem)))
        e->cert_count = j->chain_pem.count;
    for (size_t i = 0; i < e->cert_count && i < PP_GPU_CHAIN; i++)
        e->certs[i] = pp_span(j->chain_pem.der[i], j->chain_pem.der_len[i]);
    for (; e->ocsp_count < j->ocsp_paths.count; e->ocsp_count++)
        e->ocsp[e->ocsp_count] = pp_buf_span(&j->ocsp[e->ocsp_count]);
    if (j->driver_path != NULL) {
        pp_ignore(pp_rim_open(&j->anchors.rims, pp_buf_span(&j->driver_xml), &j->driver),
                  "the checks say it");
        e->driver_rim = &j->driver;
    }
    if (j->vbios_path != NULL) {
        pp_ignore(pp_rim_open(&j->anchors.rims, pp_buf_span(&j->vbios_xml), &j->vbios),
                  "the checks say it");
        e->vbios_rim = &j->vbios;
    }
}

static int verify(struct ppctl *p, struct job *j)
{
    struct pp_gpu_checks checks;
    struct pp_gpu_result result;

    fill_evidence(j);
    pp_res r = pp_gpu_verify(&j->anchors, &j->policy.policy, &j->evidence, j->posix_s, &checks,
                             &result);
    if (!pp_is_ok(r) && pp_code_class(r.code) != PP_CLASS_REFUSED)
        return ppctl_fail(p, r, NULL, 0);
    if (p->json && print_json(j, r, &checks) != 0)
        return PP_CLASS_FAILED;
    if (!p->json)
        print_people(j, r, &checks, &result);
    return pp_is_ok(r) ? PP_CLASS_OK : EXIT_REJECT;
}

int verb_verify_gpu(struct ppctl *p, int argc, char **argv)
{
    struct job j = { 0 };
    const struct ppctl_option options[] = {
        { "--chain", "PEM", "the device's five certificates, leaf first", &j.chain_path, NULL },
        { "--driver-rim", "F", "the driver's reference values; without both files: no accept",
          &j.driver_path, NULL },
        { "--vbios-rim", "F", "the VBIOS's reference values", &j.vbios_path, NULL },
        { "--nonce", "HEX", "the 32 bytes that were asked with; asks for check 2", &j.nonce_text,
          NULL },
        { "--ocsp", "F", "an OCSP answer, DER; may be repeated; asks for check 19", NULL, NULL,
          &j.ocsp_paths },
        { "--policy", "FILE", "JSON that changes the strict profile; references ask for check 11",
          &j.policy_path, NULL },
        { "--roots", "PEM", "device root, then RIM root: the only anchors; default: NVIDIA's",
          &j.roots_path, NULL },
        { "--at", "TIME", "POSIX seconds or RFC 3339; default: now", &j.at_text, NULL },
    };
    size_t count = 0;
    int status = ppctl_parse(p, "verify gpu", options, PP_ARRAY_COUNT(options), argc, argv,
                             &j.report_path, 1, 1, &count);

    if (status < 0 && j.chain_path == NULL)
        status = ppctl_usage(p, "--chain", "a file", "nothing");
    if (status < 0)
        status = read_all(p, &j);
    if (status < 0)
        status = verify(p, &j);
    job_done(&j);
    return status;
}
