/* SPDX-License-Identifier: Apache-2.0 */
/* Pinned roots: whose platforms are believed. */
#include "tdx_int.h"

#include "intel_int.h"
#include "wr.h"

static const struct {
    const char *attribute;
    size_t offset;
} NAME_ROWS[] = {
    { "O", offsetof(struct pp_tdx_names, organisation) },
    { "C", offsetof(struct pp_tdx_names, country) },
    { "ST", offsetof(struct pp_tdx_names, state) },
    { "L", offsetof(struct pp_tdx_names, locality) },
};

static pp_res check_name(const struct pp_x509 *cert, enum pp_x509_side side, const char *attribute,
                         const char *expected, struct pp_problem *problem)
{
    char text[PP_X509_NAME_BYTES_MAX] = { 0 };
    pp_res r = pp_x509_name(cert, side, attribute, text);

    if (pp_is_ok(r) && pp_span_eq(pp_span_cstr(text), pp_span_cstr(expected)))
        return PP_OK;
    pp_problem_set(problem, attribute, expected, pp_span_cstr(text));
    return PP_FAIL(PP_E_TDX_PCK_CHAIN, side);
}

pp_res tdx_names_check(const struct pp_x509 *cert, enum pp_x509_side side,
                       const struct pp_tdx_root *root, const char *suffix,
                       struct pp_problem *problem)
{
    char cn[2 * PP_X509_NAME_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(cn, sizeof cn);

    pp_wr_text(&wr, root->family);
    pp_wr_text(&wr, suffix);
    pp_wr_u8(&wr, 0);
    PP_TRY(pp_wr_ok(&wr));
    PP_TRY(check_name(cert, side, "CN", cn, problem));
    for (size_t i = 0; i < PP_ARRAY_COUNT(NAME_ROWS); i++)
        PP_TRY(check_name(cert, side, NAME_ROWS[i].attribute,
                          (const char *)&root->names + NAME_ROWS[i].offset, problem));
    if (pp_x509_name_count(cert, side) == PP_ARRAY_COUNT(NAME_ROWS) + 1)
        return PP_OK;
    pp_problem_numbers(problem, "names", PP_ARRAY_COUNT(NAME_ROWS) + 1,
                       pp_x509_name_count(cert, side));
    return PP_FAIL(PP_E_TDX_PCK_CHAIN, side);
}

static void write_label(struct pp_tdx_root *root)
{
    char text[2 * PP_X509_NAME_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    pp_x509_digest(root->cert, root->digest);
    pp_wr_text(&wr, root->family);
    pp_wr_text(&wr, TDX_ROOT_SUFFIX);
    pp_wr_text(&wr, " sha256:");
    pp_wr_hex(&wr, pp_span(root->digest, 8));
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    pp_printable(root->label, sizeof root->label, pp_wr_done(&wr));
}

static pp_res fill(struct pp_tdx_root *root, struct pp_span der)
{
    char cn[PP_X509_NAME_BYTES_MAX];
    size_t suffix_len = sizeof TDX_ROOT_SUFFIX - 1;

    PP_TRY_AS(PP_E_TRUST, pp_x509_parse(der, &root->cert));
    PP_CHECK(pp_x509_key_kind(root->cert) == PP_X509_KEY_P256, PP_E_TRUST, 1);
    PP_TRY_AS(PP_E_TRUST, pp_x509_name(root->cert, PP_X509_SUBJECT, "CN", cn));
    struct pp_span name = pp_span_cstr(cn);
    PP_CHECK(name.len > suffix_len, PP_E_TRUST, 2);
    memcpy(root->family, cn, name.len - suffix_len);
    for (size_t i = 0; i < PP_ARRAY_COUNT(NAME_ROWS); i++)
        PP_TRY_AS(PP_E_TRUST, pp_x509_name(root->cert, PP_X509_SUBJECT, NAME_ROWS[i].attribute,
                                           (char *)&root->names + NAME_ROWS[i].offset));
    /* That its name ends in the suffix is found here: it is the issuer's, as the link says. */
    PP_TRY_AS(PP_E_TRUST, tdx_names_check(root->cert, PP_X509_ISSUER, root, TDX_ROOT_SUFFIX, NULL));
    /* Once, here, and not in every appraisal; whether it is in force is asked there. */
    PP_TRY_AS(PP_E_TRUST,
              pp_x509_link_verify(root->cert, root->cert, pp_x509_not_before(root->cert)));
    write_label(root);
    return PP_OK;
}

pp_res pp_tdx_anchors_add(struct pp_tdx_anchors *a, struct pp_span der)
{
    struct pp_tdx_root root = { 0 };

    PP_CHECK(a->count < PP_TDX_ROOTS_MAX, PP_E_LIMIT, a->count);
    for (size_t i = 0; i < a->count; i++)
        PP_CHECK(!pp_span_eq(pp_x509_der(a->roots[i].cert), der), PP_E_TRUST, 3);
    pp_res r = fill(&root, der);
    if (!pp_is_ok(r)) {
        pp_x509_free(root.cert);
        return r;
    }
    a->roots[a->count++] = root;
    return PP_OK;
}

pp_res pp_tdx_anchors_add_intel(struct pp_tdx_anchors *a)
{
    return pp_tdx_anchors_add(a, PP_INTEL_SGX_ROOT);
}

void pp_tdx_anchors_done(struct pp_tdx_anchors *a)
{
    for (size_t i = 0; i < a->count; i++)
        pp_x509_free(a->roots[i].cert);
    if (a->kept != NULL)
        tdx_kept_done(a->kept);
    *a = (struct pp_tdx_anchors){ 0 };
}
