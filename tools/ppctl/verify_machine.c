/* SPDX-License-Identifier: Apache-2.0 */
#include "verify_machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "binding.h"
#include "snp_policy.h"
#include "tdx_policy.h"
#include "text.h"

enum {
    ANCHOR_BYTES_MAX = 1 << 16,
    CONFIG_DIGEST_BYTES = PP_SHA256_BYTES,
    MEASUREMENT_BYTES_MAX = PP_TDX_LAUNCH_BYTES,
};

struct job {
    const struct verify_machine_args *a;
    const struct pp_evidence *e;
    struct verify_machine *m;
    struct pp_problem *problem;
    uint8_t config[PP_TDX_MEASUREMENT_BYTES]; /* its digest, then zeros */
    uint8_t measurement[MEASUREMENT_BYTES_MAX];
    uint8_t report_data[PP_REPORT_DATA_BYTES];
    struct pp_buf anchor;
};

static pp_res refuse(const struct job *j, enum pp_code code, const char *field,
                     const char *expected, const char *got)
{
    pp_problem_set(j->problem, field, expected, pp_span_cstr(got));
    return PP_FAIL(code, 0);
}

/* --- what the caller named -------------------------------------------------------------------- */

static pp_res read_measurement(struct job *j, size_t len)
{
    if (j->a->measurement == NULL)
        return PP_OK;
    if (!pp_is_ok(pp_hex_parse(pp_span_cstr(j->a->measurement), j->measurement, len)))
        return refuse(j, PP_E_USAGE, "--measurement",
                      "as many lower-case hexadecimal digits as the platform's measurement has",
                      j->a->measurement);
    return PP_OK;
}

static pp_res read_anchor(struct job *j)
{
    if (j->a->anchor == NULL)
        return PP_OK;
    pp_res r = pp_file_read(AT_FDCWD, j->a->anchor, ANCHOR_BYTES_MAX, &j->anchor);
    if (!pp_is_ok(r))
        return refuse(j, PP_E_INPUT, "--anchor", "a readable PEM file", pp_file_reason(r));
    return PP_OK;
}

/* REPORT_DATA as this session asks for it. */
static pp_res recompute(struct job *j)
{
    uint8_t binding[PP_BINDING_BYTES];

    if (j->a->session == NULL)
        return PP_OK;
    PP_TRY(pp_binding_of_evidence(PP_END_SERVER, PP_BYTES(j->a->session->spki), j->a->session->ekm,
                                  j->e, binding));
    return pp_binding_report_data(binding, &j->e->batch, j->report_data);
}

static struct pp_attest_set one_of(const uint8_t *value, const char *anchor)
{
    return (struct pp_attest_set){ .values = value, .count = 1, .anchor = anchor };
}

static uint32_t not_asked(const struct job *j, uint32_t binding, uint32_t measurement)
{
    return (j->a->session == NULL ? PP_ATTEST_BIT(binding) : 0) |
           (j->a->measurement == NULL ? PP_ATTEST_BIT(measurement) : 0);
}

/* --- the verdict ------------------------------------------------------------------------------ */

/* A check that was left out passes nothing: binding and measurement by name. */
static pp_res conclude(const struct job *j, pp_res r, uint32_t binding, uint32_t measurement)
{
    const struct pp_attest_check *row = NULL;

    if (!pp_is_ok(r) && r.detail >= 1 && r.detail <= j->m->count) {
        row = &j->m->rows[r.detail - 1];
        pp_problem_set(j->problem, row->problem.field, row->problem.expected,
                       pp_span_cstr(row->problem.got));
        return r;
    }
    PP_TRY(r);
    if (j->m->rows[measurement - 1].verdict != PP_ATTEST_PASSED)
        return refuse(j, (enum pp_code)j->m->rows[measurement - 1].code, "measurement",
                      "one that --measurement or a --bundle names", "not asked");
    if (j->m->rows[binding - 1].verdict != PP_ATTEST_PASSED)
        return refuse(j, (enum pp_code)j->m->rows[binding - 1].code, "session",
                      "--ekm and --spki: without them it may be anybody's", "not asked");
    if (j->e->gpu_encoding.len > 0)
        return refuse(j, PP_E_EVIDENCE_TEE_UNKNOWN, "gpu",
                      "none: ppctl verify gpu judges GPUs, and a --bundle both", "GPU evidence");
    return PP_OK;
}

static void keep_rows(struct job *j, const struct pp_attest_check *rows, size_t count,
                      const char *(*name)(size_t number))
{
    PP_ASSERT(count <= PP_ARRAY_COUNT(j->m->rows));
    for (size_t i = 0; i < count; i++) {
        j->m->rows[i] = rows[i];
        j->m->names[i] = name(i + 1);
    }
    j->m->count = count;
}

static const char *snp_name(size_t number)
{
    return pp_snp_check_name((enum pp_snp_check_number)number);
}

static const char *tdx_name(size_t number)
{
    return pp_tdx_check_name((enum pp_tdx_check_number)number);
}

/* --- SEV-SNP ---------------------------------------------------------------------------------- */

/* A file that is no chain of ours leaves no anchor, and nothing leads to none. */
static pp_res snp_anchors(const struct job *j, struct pp_snp_anchors *ret)
{
    if (j->a->anchor == NULL)
        return pp_snp_anchors_add_amd(ret);
    pp_res r = ppctl_snp_anchors_pem(pp_buf_span(&j->anchor), ret);
    if (pp_is_ok(r) || r.code == PP_E_TRUST)
        return PP_OK;
    return refuse(j, PP_E_USAGE, "--anchor", "a PEM file: ASK, then ARK", j->a->anchor);
}

static pp_res run_snp(struct job *j)
{
    struct pp_snp_policy policy = PP_SNP_POLICY_STRICT;
    struct pp_snp_evidence evidence = { .report = j->e->report };
    struct pp_snp_anchors anchors = { 0 };
    struct pp_snp_checks checks;
    struct pp_snp_result result;

    PP_TRY(read_measurement(j, PP_SNP_MEASUREMENT_BYTES));
    if (j->e->endorsement_count == 1)
        evidence.vek = j->e->endorsements[0];
    policy.skip |= not_asked(j, PP_SNP_CHECK_BINDING, PP_SNP_CHECK_MEASUREMENT) |
                   PP_ATTEST_BIT(PP_SNP_CHECK_CRL) | PP_ATTEST_BIT(PP_SNP_CHECK_HOST_ID);
    policy.host_data = one_of(j->config, "SHA-256 of the configuration in the file");
    policy.measurements = one_of(j->measurement, "--measurement");
    policy.report_data = j->report_data;
    policy.report_data_anchor = "--ekm and --spki";
    pp_res r = snp_anchors(j, &anchors);
    if (pp_is_ok(r)) {
        r = pp_snp_verify(&anchors, &policy, &evidence, j->a->posix_s, &checks, &result);
        keep_rows(j, checks.rows, PP_SNP_CHECKS, snp_name);
        r = conclude(j, r, PP_SNP_CHECK_BINDING, PP_SNP_CHECK_MEASUREMENT);
    }
    pp_snp_anchors_done(&anchors);
    return r;
}

/* --- TDX -------------------------------------------------------------------------------------- */

static pp_res tdx_anchors(const struct job *j, struct pp_tdx_anchors *ret)
{
    if (j->a->anchor == NULL)
        return pp_tdx_anchors_add_intel(ret);
    pp_res r = ppctl_tdx_anchors_pem(pp_buf_span(&j->anchor), ret);
    if (pp_is_ok(r) || r.code == PP_E_TRUST)
        return PP_OK;
    return refuse(j, PP_E_USAGE, "--anchor", "a PEM file of a root", j->a->anchor);
}

static pp_res load_collateral(const struct job *j, struct ppctl_tdx_collateral *ret)
{
    uint8_t fmspc[PP_TDX_FMSPC_BYTES];

    if (j->a->collateral == NULL)
        return PP_OK;
    pp_res known = ppctl_tdx_fmspc(j->e->report, fmspc);
    pp_res r = ppctl_tdx_collateral_load(j->a->collateral, pp_is_ok(known) ? fmspc : NULL, ret);
    if (!pp_is_ok(r))
        return refuse(j, PP_E_INPUT, "--collateral", "a folder of readable files",
                      pp_file_reason(r));
    return PP_OK;
}

static pp_res run_tdx(struct job *j)
{
    struct pp_tdx_policy policy = PP_TDX_POLICY_STRICT;
    struct ppctl_tdx_collateral collateral = { 0 };
    struct pp_tdx_anchors anchors = { 0 };
    struct pp_tdx_checks checks;
    struct pp_tdx_result result;

    PP_TRY(read_measurement(j, PP_TDX_LAUNCH_BYTES));
    policy.skip |= not_asked(j, PP_TDX_CHECK_BINDING, PP_TDX_CHECK_MEASUREMENT) |
                   PP_ATTEST_BIT(PP_TDX_CHECK_HOST_ID);
    policy.pins[PP_TDX_PIN_MRCONFIGID] = one_of(j->config,
                                                "SHA-256 of the configuration in the file");
    policy.launches = one_of(j->measurement, "--measurement");
    policy.report_data = j->report_data;
    policy.report_data_anchor = "--ekm and --spki";
    pp_res r = tdx_anchors(j, &anchors);
    if (pp_is_ok(r))
        r = load_collateral(j, &collateral);
    if (pp_is_ok(r)) {
        struct pp_tdx_evidence evidence = ppctl_tdx_evidence(j->e->report, &collateral);
        r = pp_tdx_verify(&anchors, &policy, &evidence, j->a->posix_s, &checks, &result);
        keep_rows(j, checks.rows, PP_TDX_CHECKS, tdx_name);
        r = conclude(j, r, PP_TDX_CHECK_BINDING, PP_TDX_CHECK_MEASUREMENT);
    }
    ppctl_tdx_collateral_done(&collateral);
    pp_tdx_anchors_done(&anchors);
    return r;
}

pp_res verify_machine_run(const struct verify_machine_args *args, const struct pp_evidence *e,
                          struct verify_machine *ret, struct pp_problem *problem)
{
    struct job j = { .a = args, .e = e, .m = ret, .problem = problem };

    snprintf(ret->anchors, sizeof ret->anchors, "%s",
             args->anchor != NULL ? "--anchor" : "built in");
    pp_sha256(e->config, j.config);
    if (!pp_is_ok(recompute(&j)))
        return refuse(&j, PP_E_EVIDENCE_FORMAT, "batch path", "one that fits its tree", "another");
    pp_res r = read_anchor(&j);
    if (pp_is_ok(r))
        r = pp_platform_is_snp(e->platform) ? run_snp(&j) : run_tdx(&j);
    pp_buf_done(&j.anchor);
    return r;
}

/* --- output ----------------------------------------------------------------------------------- */

void verify_machine_print(const struct verify_machine *m)
{
    char value[64];

    for (size_t i = 0; i < m->count; i++) {
        const struct pp_attest_check *row = &m->rows[i];
        pp_printable(value, sizeof value, pp_span_cstr(row->problem.got));
        printf("%3u  %-12s %-8s %s%s%s\n", row->number, m->names[i],
               pp_attest_verdict_name(row->verdict), row->anchor,
               row->anchor[0] == '\0' || value[0] == '\0' ? "" : ": ", value);
    }
}

void verify_machine_print_skipped(const struct verify_machine *m)
{
    const char *words = ", without the checks";

    for (size_t i = 0; i < m->count; i++)
        if (m->rows[i].verdict == PP_ATTEST_SKIPPED) {
            printf("%s %u", words, m->rows[i].number);
            words = "";
        }
}

json_t *verify_machine_json(const struct verify_machine *m)
{
    json_t *rows = json_array();
    int bad = rows == NULL;

    for (size_t i = 0; i < m->count && !bad; i++)
        bad = json_array_append_new(rows,
                                    json_pack("{s:i, s:s, s:s, s:s}", "n", (int)m->rows[i].number,
                                              "code", pp_code_name(m->rows[i].code), "verdict",
                                              pp_attest_verdict_name(m->rows[i].verdict), "anchor",
                                              m->rows[i].anchor));
    if (!bad)
        return rows;
    json_decref(rows);
    return NULL;
}
