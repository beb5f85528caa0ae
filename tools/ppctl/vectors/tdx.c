/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TDX evidence: case folders (quote.bin, expect.json, collateral, and where a case brings its own
 * root, intel_root_ca.pem), documents with the chain that signed them, and roots.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tdx_policy.h"
#include "tdx_signing.h"
#include "topics.h"

enum { FILE_BYTES_MAX = 1 << 20, PATH_BYTES_MAX = 4096, DAY_S = 86400 };

struct tdx_case {
    struct vectors *v;
    const char *folder, *file, *name;
    struct pp_buf quote;
    struct ppctl_tdx_collateral collateral;
    struct pp_tdx_anchors anchors;
    uint64_t posix_s;
    struct pp_tdx_checks checks;
    struct pp_tdx_result result;
};

static void case_done(struct tdx_case *c)
{
    pp_buf_done(&c->quote);
    ppctl_tdx_collateral_done(&c->collateral);
    pp_tdx_anchors_done(&c->anchors);
}

static const char *text(const json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

static int ends_with(const char *string, const char *end)
{
    size_t n = strlen(string);
    size_t m = strlen(end);

    return n >= m && strcmp(string + n - m, end) == 0;
}

static int load(const char *folder, const char *name, struct pp_buf *ret)
{
    char path[PATH_BYTES_MAX];

    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path &&
           pp_is_ok(pp_file_read(AT_FDCWD, path, FILE_BYTES_MAX, ret));
}

static pp_res run(struct tdx_case *c, const struct pp_tdx_policy *policy)
{
    struct pp_tdx_evidence e = ppctl_tdx_evidence(pp_buf_span(&c->quote), &c->collateral);

    if (e.tcb_info_chain.len == 0)
        e.tcb_info_chain = vectors_tdx_signing_chain(c->posix_s);
    if (e.qe_identity_chain.len == 0)
        e.qe_identity_chain = e.tcb_info_chain;
    return pp_tdx_verify(&c->anchors, policy, &e, c->posix_s, &c->checks, &c->result);
}

/* --- what a case expects ---------------------------------------------------------------------- */

#define CHECK(number) PP_ATTEST_BIT(number)
/* The source reports a failed step of the collateral as a result of the whole, too. */
#define ANY_COLLATERAL PP_TDX_COLLATERAL

/* The words of the conformance set, and the checks of ours that each may be. A row is a prefix, or
 * with a leading '*' a part; the first that fits counts. */
static const struct {
    const char *word;
    uint32_t checks;
} WORDS[] = {
    { "QUOTE_SIGNATURE", CHECK(6) },
    { "QUOTE_", CHECK(1) },
    { "WRONG_", CHECK(1) },
    { "ATTESTATION_KEY_TYPE_", CHECK(1) },
    { "QE_VENDOR_", CHECK(1) },
    { "*_CRL_", CHECK(3) },
    { "INTERMEDIATE_REVOKED", CHECK(3) },
    { "PCK_REVOKED", CHECK(3) },
    { "PCK_FMSPC_", CHECK(4) },
    { "PCK_", CHECK(2) },
    { "ROOT_CA_", CHECK(2) },
    { "TCB_INFO_", CHECK(4) },
    { "QE_IDENTITY_FIELD_", CHECK(8) },
    { "QE_IDENTITY_MRSIGNER_", CHECK(8) },
    { "QE_IDENTITY_", CHECK(5) },
    { "QE_REPORT_", CHECK(7) },
    { "AK_", CHECK(7) },
    { "TCB_EVAL", CHECK(13) },
    { "TCB_", ANY_COLLATERAL },
    { "QV_RESULT_", ANY_COLLATERAL },
    { "TD_ATTRIBUTES_", CHECK(14) },
    { "XFAM_", CHECK(15) },
    { "SEAM_", CHECK(9) | CHECK(16) },
    { "MR_SEAM_", CHECK(9) | CHECK(16) },
    { "MRSEAM_", CHECK(9) | CHECK(16) },
    { "MR_SIGNER_SEAM_", CHECK(9) | CHECK(16) },
    { "MRTD_", CHECK(17) },
    { "RTMR", CHECK(17) },
    { "MR_CONFIG_ID_", CHECK(17) },
    { "MR_OWNER_", CHECK(17) },
    { "TEE_TCB_SVN_", CHECK(10) | CHECK(12) },
    { "REPORT_DATA_", CHECK(19) },
};

static int fits(const char *row, const char *word)
{
    return row[0] == '*' ? strstr(word, row + 1) != NULL : strncmp(row, word, strlen(row)) == 0;
}

/* A word of the table, or one of our own code names. */
static int word_allows(const json_t *json, pp_res r)
{
    const char *word = json_string_value(json);

    if (word == NULL)
        return 0;
    if (strcmp(word, pp_code_name(r.code)) == 0)
        return 1;
    for (size_t i = 0; i < PP_ARRAY_COUNT(WORDS); i++)
        if (fits(WORDS[i].word, word))
            return (WORDS[i].checks & PP_ATTEST_BIT(r.detail)) != 0;
    return 0;
}

/* `expected` is a word, or a list of words of which any suffices. */
static int refusal_expected(const json_t *expected, pp_res r)
{
    size_t i;
    const json_t *word;

    json_array_foreach(expected, i, word)
    {
        if (word_allows(word, r))
            return 1;
    }
    return word_allows(expected, r);
}

static void judge(struct tdx_case *c, pp_res r, const json_t *expect)
{
    const json_t *accepted = json_object_get(expect, "accepted");

    if (!json_is_boolean(accepted))
        vectors_fail(c->v, c->file, c->name, "does not say whether it is accepted");
    else if (pp_is_ok(r) != json_is_true(accepted))
        vectors_fail(c->v, c->file, c->name, "was %s: %s, check %u",
                     pp_is_ok(r) ? "accepted" : "refused", pp_code_name(r.code), r.detail);
    else if (!pp_is_ok(r) && !refusal_expected(json_object_get(expect, "rejection_codes"), r))
        vectors_fail(c->v, c->file, c->name, "was refused as %s, check %u", pp_code_name(r.code),
                     r.detail);
    else
        vectors_pass(c->v, c->file, c->name);
}

/* With --flip: what was accepted up to check `upto` is not, with any bit of it flipped. */
struct tdx_again {
    struct tdx_case *c;
    const struct pp_tdx_policy *policy;
    uint32_t upto;
};

static int is_accepted(void *arg)
{
    const struct tdx_again *again = arg;
    pp_res r = run(again->c, again->policy);

    return pp_is_ok(r) || r.detail > again->upto;
}

/* What stands behind the quote is padding, which nobody signed. */
static void flip(struct tdx_case *c, const struct pp_tdx_policy *policy, uint32_t upto)
{
    struct tdx_again again = { c, policy, upto };
    struct ppctl_tdx_collateral *k = &c->collateral;
    const struct {
        const char *name;
        struct pp_buf *bytes;
    } parts[] = {
        { "the TCB info", &k->tcb_info },
        { "the TCB info's chain", &k->tcb_info_chain },
        { "the QE identity", &k->qe_identity },
        { "the QE identity's chain", &k->qe_identity_chain },
        { "the PCK CRL", &k->pck_crl },
        { "the root's CRL", &k->root_crl },
    };
    struct pp_tdx_quote q;

    if (!c->v->flip || !pp_is_ok(pp_tdx_quote_parse(pp_buf_span(&c->quote), &q, NULL)))
        return;
    vectors_flip(c->v, c->file, "the quote", c->quote.bytes, q.len, is_accepted, &again);
    for (size_t i = 0; i < PP_ARRAY_COUNT(parts) && (policy->skip & PP_TDX_COLLATERAL) == 0; i++)
        vectors_flip(c->v, c->file, parts[i].name, parts[i].bytes->bytes, parts[i].bytes->len,
                     is_accepted, &again);
}

static void run_conformance(struct tdx_case *c, const json_t *expect)
{
    struct ppctl_tdx_policy p;
    struct pp_problem problem = { 0 };

    c->posix_s = (uint64_t)json_integer_value(json_object_get(expect, "verification_time_unix"));
    if (!pp_is_ok(ppctl_tdx_policy_read(json_object_get(expect, "policy"), &p, &problem)))
        vectors_fail(c->v, c->file, c->name, "policy key %s: %s", problem.field, problem.expected);
    else
        judge(c, run(c, &p.policy), expect);
    if (json_is_true(json_object_get(expect, "accepted")))
        flip(c, &p.policy, UINT32_MAX);
}

/* --- quotes of real machines ------------------------------------------------------------------ */

/* What expect.json says of a quote's fields: hexadecimal, of which it may give only the start. */
static int hex_agrees(const json_t *expect, const char *member, struct pp_span value)
{
    const char *hex = text(expect, member);
    struct pp_buf bytes = vectors_hex_text(hex);
    int ok = hex == NULL || (bytes.bytes != NULL && bytes.len <= value.len &&
                             pp_span_eq(pp_buf_span(&bytes), pp_span(value.at, bytes.len)));

    pp_buf_done(&bytes);
    return ok;
}

static int number_agrees(const json_t *expect, const char *member, size_t value)
{
    const json_t *number = json_object_get(expect, member);

    return number == NULL || (size_t)json_integer_value(number) == value;
}

static struct pp_span u64_bytes(uint64_t v, uint8_t ret[8])
{
    for (size_t i = 0; i < 8; i++)
        ret[i] = (uint8_t)(v >> 8 * i);
    return pp_span(ret, 8);
}

static void check_fields(struct tdx_case *c, const json_t *expect)
{
    struct pp_tdx_quote q;
    uint8_t attributes[8], xfam[8], root[PP_SHA256_BYTES];
    uint8_t fmspc[PP_TDX_FMSPC_BYTES];

    if (!pp_is_ok(pp_tdx_quote_parse(pp_buf_span(&c->quote), &q, NULL)) ||
        !pp_is_ok(ppctl_tdx_fmspc(pp_buf_span(&c->quote), fmspc))) {
        vectors_fail(c->v, c->file, "fields", "the quote or its certificate cannot be read");
        return;
    }
    pp_x509_digest(c->anchors.roots[0].cert, root);
    const struct {
        const char *member;
        struct pp_span value;
    } hexes[] = {
        { "mrtd", PP_BYTES(q.body.mrtd) },
        { "td_attr", u64_bytes(q.body.td_attributes, attributes) },
        { "xfam", u64_bytes(q.body.xfam, xfam) },
        { "svn", PP_BYTES(q.body.tee_tcb_svn) },
        { "seam", PP_BYTES(q.body.mrseam) },
        { "rd", PP_BYTES(q.body.report_data) },
        { "fmspc", PP_BYTES(fmspc) },
        { "root_sha256", PP_BYTES(root) },
    };
    const struct {
        const char *member;
        size_t value;
    } numbers[] = {
        { "version", q.version },
        { "len", c->quote.len },
        { "trailing", c->quote.len - q.len },
        { "siglen", q.len - q.signed_part.len - 4 },
        { "authlen", q.qe_auth.len },
        { "isvsvn", q.qe.isv_svn },
    };
    for (size_t i = 0; i < PP_ARRAY_COUNT(hexes); i++)
        if (!hex_agrees(expect, hexes[i].member, hexes[i].value)) {
            vectors_fail(c->v, c->file, "fields", "%s is another", hexes[i].member);
            return;
        }
    for (size_t i = 0; i < PP_ARRAY_COUNT(numbers); i++)
        if (!number_agrees(expect, numbers[i].member, numbers[i].value)) {
            vectors_fail(c->v, c->file, "fields", "%s is %zu", numbers[i].member, numbers[i].value);
            return;
        }
    vectors_pass(c->v, c->file, "fields");
}

/* A day after the document was issued, or without one after the certificate was. */
static int real_time(struct tdx_case *c)
{
    struct pp_tdx_signed doc;
    struct pp_tdx_tcb_info info;
    struct pp_tdx_quote q;
    struct pp_x509_pem pem = { 0 };
    struct pp_x509 *leaf = NULL;

    if (c->collateral.tcb_info.bytes != NULL) {
        int ok = pp_is_ok(pp_tdx_signed_parse(pp_buf_span(&c->collateral.tcb_info), "tcbInfo", &doc,
                                              NULL)) &&
                 pp_is_ok(pp_tdx_tcb_info_parse(doc.body, &info, NULL));
        c->posix_s = ok ? info.issued_s + DAY_S : 0;
        return ok;
    }
    if (pp_is_ok(pp_tdx_quote_parse(pp_buf_span(&c->quote), &q, NULL)) &&
        pp_is_ok(pp_x509_pem_parse(q.pck_chain, &pem)) &&
        pp_is_ok(pp_x509_parse(pp_span(pem.der[0], pem.der_len[0]), &leaf)))
        c->posix_s = pp_x509_not_before(leaf) + DAY_S;
    pp_x509_free(leaf);
    pp_x509_pem_free(&pem);
    return c->posix_s != 0;
}

/* Collateral that stands in a folder of its own, for several quotes. */
static void borrow_collateral(struct tdx_case *c, const uint8_t *fmspc)
{
    char folder[PATH_BYTES_MAX];
    struct ppctl_tdx_collateral shared = { 0 };

    if (snprintf(folder, sizeof folder, "%s/../../collateral-2026", c->folder) >=
        (int)sizeof folder)
        return;
    if (pp_is_ok(ppctl_tdx_collateral_load(folder, fmspc, &shared)) &&
        shared.tcb_info.bytes != NULL && shared.root_crl.bytes != NULL) {
        ppctl_tdx_collateral_done(&c->collateral);
        c->collateral = shared;
        return;
    }
    ppctl_tdx_collateral_done(&shared);
}

/* Genuine evidence: checks 1 to 8 find nothing; what stands behind them is the policies'. */
static void run_real(struct tdx_case *c, const json_t *expect)
{
    struct ppctl_tdx_policy p;
    uint8_t fmspc[PP_TDX_FMSPC_BYTES];

    if (c->collateral.root_crl.bytes == NULL &&
        pp_is_ok(ppctl_tdx_fmspc(pp_buf_span(&c->quote), fmspc)))
        borrow_collateral(c, fmspc);
    int complete = c->collateral.tcb_info.bytes != NULL && c->collateral.root_crl.bytes != NULL;
    check_fields(c, expect);
    if (!real_time(c)) {
        vectors_fail(c->v, c->file, c->name, "says nothing of its time");
        return;
    }
    pp_ignore(ppctl_tdx_policy_read(NULL, &p, NULL), "no policy has no wrong key");
    if (!complete)
        p.policy.skip |= PP_TDX_COLLATERAL;
    pp_res r = run(c, &p.policy);
    if (!pp_is_ok(r) && r.detail <= PP_TDX_CHECK_QE_ID)
        vectors_fail(c->v, c->file, c->name, "was refused: %s, check %u", pp_code_name(r.code),
                     r.detail);
    else
        vectors_pass(c->v, c->file, complete ? "genuine" : "genuine, without collateral");
    flip(c, &p.policy, PP_TDX_CHECK_QE_ID);

    ppctl_tdx_policy_strict(&p);
    p.policy.skip |= complete ? 0 : PP_TDX_COLLATERAL;
    pp_ignore(run(c, &p.policy), "the rows say it");
    struct pp_tdx_quote q;
    int debug = pp_is_ok(pp_tdx_quote_parse(pp_buf_span(&c->quote), &q, NULL)) &&
                (q.body.td_attributes & PP_TDX_ATTR_DEBUG) != 0;
    int refused = c->checks.rows[PP_TDX_CHECK_TD_ATTR - 1].verdict == PP_ATTEST_FAILED;
    if (debug && !refused)
        vectors_fail(c->v, c->file, "strict", "takes a guest that can be debugged");
    else if (debug)
        vectors_pass(c->v, c->file, "the strict profile refuses a guest that can be debugged");
}

/* --- case folders ----------------------------------------------------------------------------- */

/* The root beside the quote as the only anchor, else Intel's. */
static int load_anchors(const char *folder, struct pp_tdx_anchors *ret)
{
    struct pp_buf pem = { 0 };

    if (!load(folder, "intel_root_ca.pem", &pem))
        return pp_is_ok(pp_tdx_anchors_add_intel(ret));
    pp_res r = ppctl_tdx_anchors_pem(pp_buf_span(&pem), ret);
    pp_buf_done(&pem);
    return pp_is_ok(r) || r.code == PP_E_TRUST; /* no usable anchor: every chain fails */
}

static void run_folder(struct vectors *v, const char *folder)
{
    char file[PATH_BYTES_MAX];
    const char *slash = strrchr(folder, '/');
    struct tdx_case c = {
        .v = v, .folder = folder, .file = file, .name = slash == NULL ? folder : slash + 1
    };

    snprintf(file, sizeof file, "%s/expect.json", folder);
    json_t *expect = vectors_load(v, file);
    if (expect == NULL)
        return;
    if (!load(folder, "quote.bin", &c.quote) || !load_anchors(folder, &c.anchors) ||
        !pp_is_ok(ppctl_tdx_collateral_load(folder, NULL, &c.collateral)))
        vectors_fail(v, file, c.name, "quote.bin, a root or collateral cannot be read");
    else if (json_object_get(expect, "verification_time_unix") != NULL)
        run_conformance(&c, expect);
    else if (json_object_get(expect, "quote_sig") != NULL)
        run_real(&c, expect);
    else
        vectors_skip(v, file, c.name, "not a shape that this topic reads");
    json_decref(expect);
    case_done(&c);
}

/* --- documents and roots ---------------------------------------------------------------------- */

static pp_res verify_document(const struct pp_tdx_signed *doc, uint64_t posix_s)
{
    struct pp_x509_pem pem = { 0 };
    struct pp_x509 *signer = NULL;
    struct pp_tdx_anchors intel = { 0 };

    pp_res r = pp_tdx_anchors_add_intel(&intel);
    if (pp_is_ok(r))
        r = pp_x509_pem_parse(vectors_tdx_signing_chain(posix_s), &pem);
    if (pp_is_ok(r))
        r = pp_x509_parse(pp_span(pem.der[0], pem.der_len[0]), &signer);
    if (pp_is_ok(r)) {
        struct pp_x509 *const chain[] = { signer, intel.roots[0].cert };
        r = pp_x509_chain_verify(chain, 2, intel.roots[0].cert, posix_s, 1);
    }
    if (pp_is_ok(r))
        r = pp_x509_ecdsa_verify_raw(signer, PP_SHA256, doc->body, doc->signature,
                                     doc->signature + PP_TDX_SIGNATURE_BYTES / 2);
    pp_x509_free(signer);
    pp_x509_pem_free(&pem);
    pp_tdx_anchors_done(&intel);
    return r;
}

static void run_document(struct vectors *v, const char *file, struct pp_span json)
{
    struct pp_tdx_signed doc;
    struct pp_tdx_tcb_info info;
    struct pp_tdx_qe_identity id;
    uint64_t issued_s = 0;

    pp_res r = pp_tdx_signed_parse(json, "tcbInfo", &doc, NULL);
    if (pp_is_ok(r)) {
        r = pp_tdx_tcb_info_parse(doc.body, &info, NULL);
        issued_s = pp_is_ok(r) ? info.issued_s : 0;
    } else {
        r = pp_tdx_signed_parse(json, "enclaveIdentity", &doc, NULL);
        if (pp_is_ok(r))
            r = pp_tdx_qe_identity_parse(doc.body, &id, NULL);
        issued_s = pp_is_ok(r) ? id.issued_s : 0;
    }
    if (pp_is_ok(r))
        r = verify_document(&doc, issued_s);
    if (pp_is_ok(r))
        vectors_pass(v, file, "a document that Intel signed");
    else
        vectors_fail(v, file, "document", "%s at %u", pp_code_name(r.code), r.detail);
}

static void run_root(struct vectors *v, const char *file, struct pp_span pem)
{
    struct pp_x509_pem blocks = { 0 };
    struct pp_tdx_anchors intel = { 0 };
    int ok = pp_is_ok(pp_tdx_anchors_add_intel(&intel)) &&
             pp_is_ok(pp_x509_pem_parse(pem, &blocks)) &&
             pp_span_eq(pp_x509_der(intel.roots[0].cert),
                        pp_span(blocks.der[blocks.count - 1], blocks.der_len[blocks.count - 1]));

    if (ok)
        vectors_pass(v, file, "ends in the pinned root");
    else
        vectors_fail(v, file, "root", "is not the pinned one");
    pp_x509_pem_free(&blocks);
    pp_tdx_anchors_done(&intel);
}

/* --- files ------------------------------------------------------------------------------------ */

/* The folder of a file, if it holds a case. */
static int case_folder(const char *file, char folder[PATH_BYTES_MAX])
{
    char expect[PATH_BYTES_MAX + 16];
    const char *slash = strrchr(file, '/');

    snprintf(folder, PATH_BYTES_MAX, "%.*s", slash == NULL ? 1 : (int)(slash - file),
             slash == NULL ? "." : file);
    snprintf(expect, sizeof expect, "%s/expect.json", folder);
    return access(expect, R_OK) == 0;
}

static void run_file(struct vectors *v, const char *file)
{
    char folder[PATH_BYTES_MAX];
    struct pp_buf bytes = { 0 };

    if (ends_with(file, "/expect.json") && case_folder(file, folder)) {
        run_folder(v, folder);
        return;
    }
    if (case_folder(file, folder))
        return; /* a part of a case, which its expect.json runs */
    if (ends_with(folder, "/eventlogs")) {
        vectors_eventlog(v, file);
        return;
    }
    if (!pp_is_ok(pp_file_read(AT_FDCWD, file, FILE_BYTES_MAX, &bytes)))
        vectors_fail(v, file, "-", "cannot be read");
    else if (ends_with(file, ".json"))
        run_document(v, file, pp_buf_span(&bytes));
    else if (ends_with(file, ".pem"))
        run_root(v, file, pp_buf_span(&bytes));
    else
        vectors_skip(v, file, "-", "no case by itself");
    pp_buf_done(&bytes);
}

void vectors_tdx(struct vectors *v, const char *path)
{
    char folder[PATH_BYTES_MAX];
    struct stat st;

    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && case_folder(path, folder))
        run_folder(v, folder); /* any file of a case stands for it */
    else
        vectors_walk(v, path, run_file);
}
