/* SPDX-License-Identifier: Apache-2.0 */
/* Pinned roots: whose chips are believed. */
#include "snp_int.h"

#include "amd_int.h"
#include "wr.h"

static const struct {
    const char *attribute;
    size_t offset;
} NAME_ROWS[] = {
    { "O", offsetof(struct pp_snp_names, organisation) },
    { "OU", offsetof(struct pp_snp_names, unit) },
    { "C", offsetof(struct pp_snp_names, country) },
    { "ST", offsetof(struct pp_snp_names, state) },
    { "L", offsetof(struct pp_snp_names, locality) },
};

static pp_res read_names(const struct pp_x509 *cert, struct pp_snp_names *ret)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(NAME_ROWS); i++)
        PP_TRY_AS(PP_E_TRUST, pp_x509_name(cert, PP_X509_SUBJECT, NAME_ROWS[i].attribute,
                                           (char *)ret + NAME_ROWS[i].offset));
    return PP_OK;
}

static pp_res check_name(const struct pp_x509 *cert, enum pp_x509_side side, const char *attribute,
                         const char *expected, struct pp_problem *problem)
{
    char text[PP_X509_NAME_BYTES_MAX] = { 0 };
    pp_res r = pp_x509_name(cert, side, attribute, text);

    if (pp_is_ok(r) && pp_span_eq(pp_span_cstr(text), pp_span_cstr(expected)))
        return PP_OK;
    pp_problem_set(problem, attribute, expected, pp_span_cstr(text));
    return PP_FAIL(PP_E_SNP_CERT_FORM, side);
}

pp_res snp_names_check(const struct pp_x509 *cert, enum pp_x509_side side,
                       const struct pp_snp_names *names, const char *prefix, const char *suffix,
                       struct pp_problem *problem)
{
    char cn[PP_X509_NAME_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(cn, sizeof cn);

    pp_wr_text(&wr, prefix);
    pp_wr_text(&wr, suffix);
    pp_wr_u8(&wr, 0);
    PP_TRY(pp_wr_ok(&wr));
    PP_TRY(check_name(cert, side, "CN", cn, problem));
    for (size_t i = 0; i < PP_ARRAY_COUNT(NAME_ROWS); i++)
        PP_TRY(check_name(cert, side, NAME_ROWS[i].attribute,
                          (const char *)names + NAME_ROWS[i].offset, problem));
    if (pp_x509_name_count(cert, side) != PP_ARRAY_COUNT(NAME_ROWS) + 1) {
        pp_problem_numbers(problem, "names", PP_ARRAY_COUNT(NAME_ROWS) + 1,
                           pp_x509_name_count(cert, side));
        return PP_FAIL(PP_E_SNP_CERT_FORM, side);
    }
    return PP_OK;
}

static void write_label(struct pp_snp_root *root)
{
    uint8_t digest[PP_SHA256_BYTES];
    struct pp_wr wr = pp_wr_over(root->label, sizeof root->label);

    pp_x509_digest(root->ark, digest);
    pp_wr_text(&wr, "ARK-");
    pp_wr_text(&wr, pp_snp_line_name(root->line));
    pp_wr_text(&wr, " sha256:");
    pp_wr_hex(&wr, pp_span(digest, 8));
    pp_wr_u8(&wr, 0);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
}

/*
 * What is true of a root and the authority below it does not change, but for their validity: it is
 * verified once, at a moment when both were in force, and not in every session. Check 4 looks at
 * the outcome and at the validity.
 */
static int is_certified(const struct pp_x509 *ark, const struct pp_x509 *authority)
{
    uint64_t from = pp_x509_not_before(ark);

    if (authority == NULL)
        return 0;
    if (pp_x509_not_before(authority) > from)
        from = pp_x509_not_before(authority);
    return pp_is_ok(pp_x509_link_verify(ark, ark, from)) &&
           pp_is_ok(pp_x509_link_verify(authority, ark, from));
}

static pp_res fill(struct pp_snp_root *root, struct pp_span ark, struct pp_span ask,
                   struct pp_span asvk)
{
    char cn[PP_X509_NAME_BYTES_MAX];
    struct pp_span prefix = PP_STR("ARK-");

    PP_CHECK(ask.len > 0 || asvk.len > 0, PP_E_TRUST, 0);
    PP_TRY_AS(PP_E_TRUST, pp_x509_parse(ark, &root->ark));
    if (ask.len > 0)
        PP_TRY_AS(PP_E_TRUST, pp_x509_parse(ask, &root->ask));
    if (asvk.len > 0)
        PP_TRY_AS(PP_E_TRUST, pp_x509_parse(asvk, &root->asvk));

    PP_TRY_AS(PP_E_TRUST, pp_x509_name(root->ark, PP_X509_SUBJECT, "CN", cn));
    struct pp_span name = pp_span_cstr(cn);
    PP_CHECK(name.len > prefix.len && pp_span_eq(pp_span(name.at, prefix.len), prefix), PP_E_TRUST,
             1);
    root->line = pp_snp_line_by_name(pp_span(name.at + prefix.len, name.len - prefix.len));
    PP_CHECK(root->line != PP_SNP_LINE_NONE, PP_E_TRUST, 2);

    const char *line = pp_snp_line_name(root->line);
    PP_TRY(read_names(root->ark, &root->names));
    PP_TRY_AS(PP_E_TRUST,
              snp_names_check(root->ark, PP_X509_ISSUER, &root->names, "ARK-", line, NULL));
    root->ask_is_certified = is_certified(root->ark, root->ask);
    root->asvk_is_certified = is_certified(root->ark, root->asvk);
    write_label(root);
    return PP_OK;
}

static void root_done(struct pp_snp_root *root)
{
    pp_x509_free(root->ark);
    pp_x509_free(root->ask);
    pp_x509_free(root->asvk);
    *root = (struct pp_snp_root){ 0 };
}

pp_res pp_snp_anchors_add(struct pp_snp_anchors *a, struct pp_span ark, struct pp_span ask,
                          struct pp_span asvk)
{
    struct pp_snp_root root = { 0 };

    pp_res r = fill(&root, ark, ask, asvk);
    if (pp_is_ok(r) && pp_snp_anchors_find(a, root.line) != NULL)
        r = PP_FAIL(PP_E_TRUST, 3);
    if (!pp_is_ok(r)) {
        root_done(&root);
        return r;
    }
    PP_ASSERT(a->count < PP_SNP_ROOTS_MAX);
    a->roots[a->count++] = root;
    return PP_OK;
}

pp_res pp_snp_anchors_add_amd(struct pp_snp_anchors *a)
{
    static const struct pp_amd_root *const roots[] = { &PP_AMD_MILAN, &PP_AMD_GENOA,
                                                       &PP_AMD_TURIN };

    for (size_t i = 0; i < PP_ARRAY_COUNT(roots); i++)
        PP_TRY(pp_snp_anchors_add(a, roots[i]->ark, roots[i]->ask, roots[i]->asvk));
    return PP_OK;
}

const struct pp_snp_root *pp_snp_anchors_find(const struct pp_snp_anchors *a, enum pp_snp_line line)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->roots[i].line == line)
            return &a->roots[i];
    return NULL;
}

void pp_snp_anchors_done(struct pp_snp_anchors *a)
{
    for (size_t i = 0; i < a->count; i++)
        root_done(&a->roots[i]);
    *a = (struct pp_snp_anchors){ 0 };
}
