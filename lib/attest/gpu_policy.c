/* SPDX-License-Identifier: Apache-2.0 */
/* Checks 7 to 10 and 19: is this proven GPU one that the policy accepts. */
#include "gpu_int.h"

#include <strings.h>

#include "wr.h"

enum { DAY_S = 86400 };

const struct pp_gpu_policy PP_GPU_POLICY_STRICT = {
    .name = "strict",
    .archs = PP_ATTEST_BIT(PP_GPU_HOPPER),
    .modes = PP_ATTEST_BIT(PP_GPU_SPT),
    .driver_min = "550.90.07",
    .ocsp_max_age_s = DAY_S,
};

static const struct {
    const char *chip;
    enum pp_gpu_arch arch;
} CHIPS[] = {
    { "GH100", PP_GPU_HOPPER },
    { "GB100", PP_GPU_BLACKWELL },
};

const char *pp_gpu_arch_name(enum pp_gpu_arch arch)
{
    return arch == PP_GPU_HOPPER ? "hopper" : arch == PP_GPU_BLACKWELL ? "blackwell" : "none";
}

const char *pp_gpu_mode_name(enum pp_gpu_mode mode)
{
    return mode == PP_GPU_SPT     ? "spt"
           : mode == PP_GPU_MPT   ? "mpt"
           : mode == PP_GPU_PPCIE ? "ppcie"
                                  : "unknown";
}

/* The chip is the first word of the leaf's CN: "GH100 A01 GSP FMC LF". */
pp_res gpu_check_arch(struct gpu_ctx *c, struct pp_attest_check *row)
{
    char cn[PP_X509_NAME_BYTES_MAX] = { 0 };
    pp_res r = pp_x509_name(c->certs[0], PP_X509_SUBJECT, "CN", cn);
    size_t len = strcspn(cn, " ");
    const char *chip = "";

    c->sound = 1;
    attest_anchor(row, gpu_policy_name(c));
    attest_say(row, "CN of the leaf certificate", "a chip that the policy accepts", cn);
    ATTEST_CHECK(row, pp_is_ok(r));
    for (size_t i = 0; i < PP_ARRAY_COUNT(CHIPS); i++)
        if (pp_span_eq(pp_span(cn, len), pp_span_cstr(CHIPS[i].chip))) {
            c->arch = CHIPS[i].arch;
            chip = CHIPS[i].chip;
        }
    ATTEST_CHECK(row, c->arch != PP_GPU_ARCH_NONE);
    ATTEST_CHECK(row, (c->policy->archs & PP_ATTEST_BIT(c->arch)) != 0);
    const struct pp_rim *rims[] = { c->evidence->driver_rim, c->evidence->vbios_rim };
    for (size_t i = 0; i < PP_ARRAY_COUNT(rims); i++)
        if (rims[i] != NULL && rims[i]->code == PP_E_OK) {
            attest_say(row, "chip of the reference values", chip, rims[i]->chip);
            ATTEST_CHECK(row, pp_span_eq(pp_span_cstr(rims[i]->chip), pp_span_cstr(chip)));
        }
    attest_say(row, "chip", "one that the policy accepts", chip);
    return PP_OK;
}

/*
 * The feature flag says the mode. Drivers before it was there know no mode but these two, which the
 * state of protected PCIe tells apart; where neither is reported nothing is known.
 */
static pp_res find_mode(struct gpu_ctx *c, struct pp_attest_check *row)
{
    const struct pp_gpu_report *r = &c->report;

    attest_say(row, "FEATURE_FLAG, PROTECTED_PCIE_STATUS", "one of them in the report", "neither");
    ATTEST_CHECK(row, r->has_feature_flag || r->protected_pcie != 0);
    uint16_t mode = r->has_feature_flag                   ? r->feature_flag
                    : r->protected_pcie == PP_GPU_ENABLED ? PP_GPU_PPCIE
                                                          : PP_GPU_SPT;
    pp_problem_numbers(&row->problem, "FEATURE_FLAG", PP_GPU_SPT, mode);
    ATTEST_CHECK(row, mode <= PP_GPU_PPCIE);
    c->mode = (enum pp_gpu_mode)mode;
    attest_say(row, "PROTECTED_PCIE_STATUS", "enabled in mode ppcie and in no other",
               pp_gpu_mode_name(c->mode));
    ATTEST_CHECK(row, r->protected_pcie == 0 ||
                          (r->protected_pcie == PP_GPU_ENABLED) == (c->mode == PP_GPU_PPCIE));
    return PP_OK;
}

pp_res gpu_check_mode(struct gpu_ctx *c, struct pp_attest_check *row)
{
    c->sound = 1;
    attest_anchor(row, gpu_policy_name(c));
    PP_TRY(find_mode(c, row));
    attest_say(row, "mode", "one whose links between GPUs are protected",
               pp_gpu_mode_name(c->mode));
    ATTEST_CHECK(row, !(c->mode == PP_GPU_MPT && c->arch != PP_GPU_BLACKWELL));
    attest_say(row, "mode", "one that the policy accepts", pp_gpu_mode_name(c->mode));
    ATTEST_CHECK(row, (c->policy->modes & PP_ATTEST_BIT(c->mode)) != 0);
    return PP_OK;
}

/* A version is there, is at least the minimum, and is the one that the reference values are for. */
static pp_res check_version(struct gpu_ctx *c, struct pp_attest_check *row, const char *field,
                            const char *version, const char *min, int base,
                            const struct pp_rim *rim)
{
    int order = -1;

    c->sound = 1;
    attest_anchor(row, gpu_policy_name(c));
    attest_say(row, field, "a version in the report", version[0] == '\0' ? "none" : version);
    ATTEST_CHECK(row, version[0] != '\0');
    if (min != NULL) {
        attest_say(row, field, min, version);
        PP_TRY_AS(row->code,
                  pp_gpu_version_compare(pp_span_cstr(version), pp_span_cstr(min), base, &order));
        ATTEST_CHECK(row, order >= 0);
    }
    if (rim != NULL && rim->code == PP_E_OK) {
        attest_anchor(row, rim->root);
        attest_say(row, field, rim->version, version);
        ATTEST_CHECK(row, strcasecmp(rim->version, version) == 0);
    }
    return PP_OK;
}

pp_res gpu_check_driver_version(struct gpu_ctx *c, struct pp_attest_check *row)
{
    return check_version(c, row, "DRIVER_VERSION", c->report.driver, c->policy->driver_min, 10,
                         c->evidence->driver_rim);
}

pp_res gpu_check_vbios_version(struct gpu_ctx *c, struct pp_attest_check *row)
{
    return check_version(c, row, "VBIOS_VERSION", c->report.vbios, c->policy->vbios_min, 16,
                         c->evidence->vbios_rim);
}

/* --- 19: revocation --------------------------------------------------------------------------- */

static const char *reason_of(pp_res r)
{
    return r.code == PP_E_NOT_FOUND   ? "no answer about it came"
           : r.code == PP_E_RANGE     ? "not in force now, or too old"
           : r.code == PP_E_MISMATCH  ? "another nonce"
           : r.code == PP_E_SIGNATURE ? "not signed by its issuer or for it"
                                      : "malformed";
}

static const char *status_name(enum pp_ocsp_status status)
{
    return status == PP_OCSP_GOOD      ? "good"
           : status == PP_OCSP_REVOKED ? "revoked"
           : status == PP_OCSP_HOLD    ? "revoked, on hold"
                                       : "unknown to the responder";
}

/* The first answer that is about the certificate counts, good or bad. */
static pp_res find_answer(const struct gpu_ctx *c, const struct pp_ocsp_question *q,
                          enum pp_ocsp_status *ret)
{
    for (size_t i = 0; i < c->evidence->ocsp_count; i++) {
        pp_res r = pp_ocsp_check(c->ocsp[i], q, ret);
        if (r.code != PP_E_NOT_FOUND)
            return r;
    }
    return PP_FAIL(PP_E_NOT_FOUND, 0);
}

static pp_res check_status(struct gpu_ctx *c, struct pp_attest_check *row,
                           const struct pp_x509 *cert, const struct pp_x509 *issuer, int is_rim)
{
    const struct pp_gpu_policy *p = c->policy;
    struct pp_ocsp_question q = { .cert = cert,
                                  .issuer = issuer,
                                  .posix_s = c->posix_s,
                                  .max_age_s = p->ocsp_max_age_s,
                                  .nonce = p->ocsp_nonce };
    enum pp_ocsp_status status = PP_OCSP_UNKNOWN;
    char cn[PP_X509_NAME_BYTES_MAX] = { 0 };

    pp_ignore(pp_x509_name(cert, PP_X509_SUBJECT, "CN", cn), "shown only");
    pp_res r = find_answer(c, &q, &status);
    if (r.code == PP_E_NOT_FOUND && is_rim && !p->rim_status_asked)
        return PP_OK;
    attest_say(row, cn, "good, by a fresh answer",
               pp_is_ok(r) ? status_name(status) : reason_of(r));
    ATTEST_CHECK(row, pp_is_ok(r));
    ATTEST_CHECK(row, status == PP_OCSP_GOOD ||
                          (status == PP_OCSP_HOLD && is_rim && p->rim_hold_allowed));
    return PP_OK;
}

/* One that cannot be read refuses all: there is no telling what it would have said. */
static pp_res parse_answers(struct gpu_ctx *c, struct pp_attest_check *row)
{
    pp_problem_numbers(&row->problem, "answers (at most)", PP_GPU_OCSP_MAX,
                       c->evidence->ocsp_count);
    ATTEST_CHECK(row, c->evidence->ocsp_count <= PP_GPU_OCSP_MAX);
    attest_say(row, "answer", "an OCSPResponse that is successful", "malformed");
    for (size_t i = 0; i < c->evidence->ocsp_count; i++)
        PP_TRY_AS(row->code, pp_ocsp_parse(c->evidence->ocsp[i], &c->ocsp[i]));
    return PP_OK;
}

/* Not the leaf, which the chip makes itself, and not the roots. */
pp_res gpu_check_ocsp(struct gpu_ctx *c, struct pp_attest_check *row)
{
    const struct pp_rim *rims[] = { c->evidence->driver_rim, c->evidence->vbios_rim };

    c->sound = 1;
    attest_anchor(row, "each certificate's issuer");
    PP_TRY(parse_answers(c, row));
    for (size_t i = 1; i < PP_GPU_CHAIN - 1; i++)
        PP_TRY(
            check_status(c, row, c->certs[i], i + 2 < PP_GPU_CHAIN ? c->certs[i + 1] : c->root, 0));
    for (size_t k = 0; k < PP_ARRAY_COUNT(rims); k++)
        for (size_t i = 0; rims[k] != NULL && i + 1 < rims[k]->cert_count; i++)
            PP_TRY(check_status(c, row, rims[k]->certs[i], rims[k]->certs[i + 1], 1));
    attest_say(row, "status", "good, by a fresh answer", "good");
    return PP_OK;
}
