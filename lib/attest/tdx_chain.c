/* SPDX-License-Identifier: Apache-2.0 */
/* Checks 2 to 5: certificates, revocation lists, and the vendor's signed documents. */
#include "tdx_int.h"

enum { PCK_CHAIN_CERTS = 3, SIGNER_CHAIN_CERTS = 2 };

static const char *const AUTHORITIES[] = { " PCK Platform CA", " PCK Processor CA" };

/* --- times ------------------------------------------------------------------------------------ */

static struct pp_tdx_window window_of(const struct pp_x509 *cert)
{
    return (struct pp_tdx_window){ pp_x509_not_before(cert), pp_x509_not_after(cert) };
}

static int is_open(struct pp_tdx_window w, uint64_t posix_s)
{
    return w.from_s <= posix_s && posix_s < w.until_s;
}

/* Of certificates that were found to be a chain before: this can change. The root is asked too. */
static pp_res check_windows(const struct tdx_ctx *c, struct pp_attest_check *row,
                            const struct pp_tdx_window *windows, size_t count)
{
    int open = is_open(window_of(c->root->cert), c->posix_s);

    for (size_t i = 0; i < count; i++)
        open = open && is_open(windows[i], c->posix_s);
    attest_anchor(row, c->root->label);
    attest_say(row, "chain", "signed, and valid now", open ? "verified" : "outside its validity");
    ATTEST_CHECK(row, open);
    return PP_OK;
}

/* --- chains ----------------------------------------------------------------------------------- */

/* The certificates of a PEM file but the last, which is looked for among the anchors by value. */
struct chain {
    struct pp_x509 *certs[PP_X509_CHAIN_MAX];
    size_t count; /* the root is not among them */
    const struct pp_tdx_root *root;
};

static void chain_done(struct chain *chain)
{
    for (size_t i = 0; i < chain->count; i++)
        pp_x509_free(chain->certs[i]);
    *chain = (struct chain){ 0 };
}

static const struct pp_tdx_root *find_root(const struct pp_tdx_anchors *a, struct pp_span der)
{
    for (size_t i = 0; i < a->count; i++)
        if (pp_span_eq(pp_x509_der(a->roots[i].cert), der))
            return &a->roots[i];
    return NULL;
}

/* "another: sha256:44a0196b2b99f889", as labels have it, so that two of them can be told apart. */
static void say_unknown_root(const struct pp_tdx_anchors *a, struct pp_attest_check *row,
                             struct pp_span der)
{
    uint8_t digest[PP_SHA256_BYTES];
    char expected[128], got[40];
    struct pp_wr e = pp_wr_over(expected, sizeof expected), g = pp_wr_over(got, sizeof got);

    pp_sha256(der, digest);
    pp_wr_text(&g, "another: sha256:");
    pp_wr_hex(&g, pp_span(digest, 8));
    pp_wr_text(&e, "a pinned one, by value");
    pp_wr_text(&e, a->count == 1 ? ": " : "");
    pp_wr_text(&e, a->count == 1 ? a->roots[0].label : "");
    pp_wr_u8(&e, 0);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&e)));
    PP_ASSERT(pp_is_ok(pp_wr_ok(&g)));
    pp_problem_set(&row->problem, "root", expected, pp_wr_done(&g));
}

static pp_res parse_chain(const struct tdx_ctx *c, struct pp_attest_check *row,
                          const struct pp_span *ders, size_t count, struct chain *ret)
{
    ret->root = find_root(c->anchors, ders[count - 1]);
    if (ret->root == NULL)
        say_unknown_root(c->anchors, row, ders[count - 1]);
    ATTEST_CHECK(row, ret->root != NULL);
    attest_anchor(row, ret->root->label);
    attest_say(row, "certificate", "X.509 in DER", "something else");
    while (ret->count < count - 1) {
        size_t i = ret->count;
        PP_TRY_AS(row->code, pp_x509_parse(ders[i], &ret->certs[i]));
        ret->count++;
    }
    return PP_OK;
}

static pp_res check_form(struct pp_attest_check *row, const struct pp_x509 *cert)
{
    attest_say_number(row, "X.509 version", "3", (uint64_t)pp_x509_version(cert));
    ATTEST_CHECK(row, pp_x509_version(cert) == 3);
    attest_say(row, "public key", "EC P-256, named curve, uncompressed", "another");
    ATTEST_CHECK(row, pp_x509_key_kind(cert) == PP_X509_KEY_P256);
    attest_say(row, "signature algorithm", "ECDSA with SHA-256", "another");
    ATTEST_CHECK(row, pp_x509_sig_kind(cert) == PP_X509_SIG_ECDSA_SHA256);
    attest_say(row, "serial number", "above zero", "zero or below");
    ATTEST_CHECK(row, pp_x509_serial_is_positive(cert));
    attest_say(row, "extensions", "each once", "one occurs twice");
    ATTEST_CHECK(row, !pp_x509_repeats_extension(cert));
    struct pp_span key_id;
    attest_say(row, "authority key identifier", "present", "absent"); /* RFC 5280, 4.2.1.1 */
    ATTEST_CHECK(row, pp_is_ok(pp_x509_extension(cert, "2.5.29.35", &key_id)));
    return PP_OK;
}

/*
 * Certificate by certificate from the leaf up: its form, its names, and that its issuer signed it.
 * `suffixes` are the CNs', leaf first. The root signed itself when it became an anchor.
 */
static pp_res verify_chain(const struct tdx_ctx *c, struct pp_attest_check *row,
                           const struct chain *chain, const char *const *suffixes)
{
    for (size_t i = 0; i < chain->count; i++) {
        int last = i + 1 == chain->count;
        const struct pp_x509 *cert = chain->certs[i];
        const struct pp_x509 *issuer = last ? chain->root->cert : chain->certs[i + 1];
        PP_TRY(check_form(row, cert));
        PP_TRY_AS(row->code,
                  tdx_names_check(cert, PP_X509_SUBJECT, chain->root, suffixes[i], &row->problem));
        PP_TRY_AS(row->code,
                  tdx_names_check(cert, PP_X509_ISSUER, chain->root,
                                  last ? TDX_ROOT_SUFFIX : suffixes[i + 1], &row->problem));
        pp_res r = pp_x509_link_verify(cert, issuer, c->posix_s);
        attest_say(row, "chain", "signed, and valid now",
                   pp_is_ok(r)            ? "verified"
                   : r.code == PP_E_RANGE ? "outside its validity"
                                          : "does not verify");
        ATTEST_CHECK(row, pp_is_ok(r));
    }
    return PP_OK;
}

/* The chain of `pem`, parsed and with a pinned root, not verified yet. */
static pp_res read_chain(const struct tdx_ctx *c, struct pp_attest_check *row, struct pp_span pem,
                         size_t count, struct chain *ret)
{
    struct pp_span ders[PP_X509_CHAIN_MAX];
    uint8_t bytes[PP_TDX_PCK_CHAIN_BYTES_MAX / 4 * 3];
    struct chain chain = { 0 };
    size_t found;

    attest_say(row, "chain", "PEM certificates", "something else");
    PP_TRY_AS(row->code, pp_x509_pem_split(pem, bytes, sizeof bytes, ders, &found));
    pp_problem_numbers(&row->problem, "certificates", count, found);
    ATTEST_CHECK(row, found == count);
    pp_res r = parse_chain(c, row, ders, count, &chain);
    if (!pp_is_ok(r)) {
        chain_done(&chain);
        return r;
    }
    *ret = chain;
    return PP_OK;
}

static int ends_with(struct pp_span text, struct pp_span end)
{
    return text.len >= end.len && pp_span_eq(pp_span(text.at + text.len - end.len, end.len), end);
}

/*
 * The chain stands in the quote where no signature covers it, so it has one form: blocks from first
 * to last byte, then NUL bytes alone, with which quotes are padded.
 */
static pp_res cut_padding(struct pp_attest_check *row, struct pp_span *pem)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    const uint8_t *padding = pem->len == 0 ? NULL : memchr(pem->at, 0, pem->len);
    size_t len = padding == NULL ? pem->len : (size_t)(padding - pem->at);

    attest_say(row, "PEM", "certificates, then NUL bytes alone", "something else");
    for (size_t i = len; i < pem->len; i++)
        ATTEST_CHECK(row, pem->at[i] == 0);
    pem->len = len;
    ATTEST_CHECK(row, len >= sizeof begin - 1 && memcmp(pem->at, begin, sizeof begin - 1) == 0);
    ATTEST_CHECK(row, ends_with(*pem, PP_STR("-----END CERTIFICATE-----\n")) ||
                          ends_with(*pem, PP_STR("-----END CERTIFICATE-----")));
    return PP_OK;
}

static pp_res prove_platform(struct tdx_ctx *c, struct pp_attest_check *row, struct pp_span pem)
{
    struct chain chain = { 0 };
    const char *suffixes[] = { " PCK Certificate", AUTHORITIES[0] };

    PP_TRY(read_chain(c, row, pem, PCK_CHAIN_CERTS, &chain));
    c->leaf = chain.certs[0]; /* released by pp_tdx_verify from here on */
    c->authority = chain.certs[1];
    c->root = chain.root;
    if (pp_is_ok(tdx_names_check(c->authority, PP_X509_SUBJECT, c->root, AUTHORITIES[1], NULL)))
        suffixes[1] = AUTHORITIES[1];
    PP_TRY(verify_chain(c, row, &chain, suffixes));
    struct pp_problem said = row->problem;
    PP_TRY(pp_tdx_pck_of(c->leaf, &c->pck, &row->problem));
    row->problem = said;
    return PP_OK;
}

pp_res tdx_check_pck_chain(struct tdx_ctx *c, struct pp_attest_check *row)
{
    struct pp_span pem = c->quote.pck_chain;

    PP_TRY(cut_padding(row, &pem));
    if (!tdx_recall_platform(c, pem))
        return prove_platform(c, row, pem);
    const struct pp_tdx_window windows[] = { window_of(c->leaf), window_of(c->authority) };
    return check_windows(c, row, windows, PP_ARRAY_COUNT(windows));
}

/* --- revocation lists ------------------------------------------------------------------------- */

/* Into `*list`; one that is there was found genuine before, and only its time is asked. */
static pp_res take_crl(const struct tdx_ctx *c, struct pp_attest_check *row, const char *which,
                       struct pp_span der, const struct pp_x509 *issuer, struct pp_x509_crl **list)
{
    attest_say(row, which, "one in force, signed by its issuer", "none came");
    PP_CHECK(der.len > 0, PP_E_TDX_CRL_STALE, row->number);
    pp_res r = *list != NULL ? pp_x509_crl_in_force(*list, c->posix_s)
                             : pp_x509_crl_open(der, issuer, c->posix_s, list);
    if (r.code == PP_E_NO_MEMORY)
        return r;
    attest_say(row, which, "one in force, signed by its issuer",
               r.code == PP_E_RANGE ? "not in force now" : "malformed or not the issuer's");
    PP_CHECK(r.code != PP_E_RANGE, PP_E_TDX_CRL_STALE, row->number);
    PP_TRY_AS(PP_E_TDX_CRL_SIGNATURE, r);
    return PP_OK;
}

static pp_res check_not_listed(struct pp_attest_check *row, const struct pp_x509_crl *crl,
                               const char *which, const struct pp_x509 *cert)
{
    int listed = pp_x509_crl_has(crl, cert);

    attest_say(row, which, "is not revoked", listed ? "is listed" : "is not listed");
    PP_CHECK(!listed, PP_E_TDX_REVOKED, row->number);
    return PP_OK;
}

pp_res tdx_check_crl(struct tdx_ctx *c, struct pp_attest_check *row)
{
    const struct pp_tdx_evidence *e = c->evidence;

    tdx_recall_set(c);
    attest_anchor(row, c->root->label);
    PP_TRY(take_crl(c, row, "root's revocation list", e->root_crl, c->root->cert, &c->root_crl));
    PP_TRY(check_not_listed(row, c->root_crl, "authority", c->authority));
    PP_TRY(take_crl(c, row, "authority's revocation list", e->pck_crl, c->authority, &c->pck_crl));
    return check_not_listed(row, c->pck_crl, "platform's certificate", c->leaf);
}

/* --- signed documents ------------------------------------------------------------------------- */

struct document {
    const char *name; /* of the member that holds the object */
    struct pp_span json, chain;
    uint32_t format_code; /* the row's own code is that of a wrong signature */
};

static pp_res open_document(const struct tdx_ctx *c, struct pp_attest_check *row,
                            const struct document *doc, struct pp_tdx_signed *ret)
{
    attest_anchor(row, c->root->label);
    attest_say(row, doc->name, "a signed document and its chain", "none came");
    ATTEST_CHECK(row, doc->json.len > 0 && doc->chain.len > 0);
    PP_TRY_AS(doc->format_code, pp_tdx_signed_parse(doc->json, doc->name, ret, &row->problem));
    return PP_OK;
}

/* The certificate that signed a document: by a pinned root, and not on that root's list. */
static pp_res read_signer(const struct tdx_ctx *c, struct pp_attest_check *row, struct pp_span pem,
                          struct pp_x509 **ret)
{
    static const char *const suffixes[] = { " TCB Signing" };
    struct chain chain = { 0 };

    PP_TRY(read_chain(c, row, pem, SIGNER_CHAIN_CERTS, &chain));
    pp_res r = verify_chain(c, row, &chain, suffixes);
    attest_say(row, "root", "that of the quote", "another");
    if (pp_is_ok(r) && chain.root != c->root) /* whose revocation list is another, too */
        r = PP_FAIL(row->code, row->number);
    if (pp_is_ok(r))
        r = check_not_listed(row, c->root_crl, "signing certificate", chain.certs[0]);
    if (!pp_is_ok(r)) {
        chain_done(&chain);
        return r;
    }
    *ret = chain.certs[0];
    return PP_OK;
}

static pp_res check_signature(struct pp_attest_check *row, const struct pp_x509 *signer,
                              const struct pp_tdx_signed *doc)
{
    pp_res r = pp_x509_ecdsa_verify_raw(signer, PP_SHA256, doc->body, doc->signature,
                                        doc->signature + PP_TDX_SIGNATURE_BYTES / 2);

    attest_say(row, "signature", "verifies", pp_is_ok(r) ? "verifies" : "does not");
    if (!pp_is_ok(r) && r.code != PP_E_SIGNATURE)
        return r;
    ATTEST_CHECK(row, pp_is_ok(r));
    return PP_OK;
}

static pp_res check_time(const struct tdx_ctx *c, struct pp_attest_check *row, uint32_t code,
                         uint64_t issued_s, uint64_t next_update_s)
{
    attest_say_time(row, "issueDate", "at the latest", c->posix_s, issued_s);
    PP_CHECK(issued_s <= c->posix_s, code, row->number);
    attest_say_time(row, "nextUpdate", "after", c->posix_s, next_update_s);
    PP_CHECK(c->posix_s < next_update_s, code, row->number);
    return PP_OK;
}

/* A document whose bytes are believed from here on; whether it is in force is not yet asked. */
static pp_res prove_tcb_info(struct tdx_ctx *c, struct pp_attest_check *row,
                             const struct document *doc)
{
    struct pp_tdx_signed body;

    PP_TRY(open_document(c, row, doc, &body));
    PP_TRY(read_signer(c, row, doc->chain, &c->signer));
    PP_TRY(check_signature(row, c->signer, &body));
    c->info_signer = window_of(c->signer);
    PP_TRY_AS(doc->format_code, pp_tdx_tcb_info_parse(body.body, &c->info, &row->problem));
    return PP_OK;
}

static struct document tcb_info_of(const struct tdx_ctx *c)
{
    return (struct document){ .name = "tcbInfo",
                              .json = c->evidence->tcb_info,
                              .chain = c->evidence->tcb_info_chain,
                              .format_code = PP_E_TDX_TCBINFO_FORMAT };
}

pp_res tdx_check_tcb_info(struct tdx_ctx *c, struct pp_attest_check *row)
{
    const struct document doc = tcb_info_of(c);

    PP_TRY_AS(PP_E_TDX_TCBINFO_FMSPC,
              tdx_check_pin(c, row, PP_TDX_PIN_FMSPC, PP_BYTES(c->pck.fmspc)));
    if (!tdx_is_asked(c, row))
        return PP_OK;
    PP_TRY(c->set_is_kept ? check_windows(c, row, &c->info_signer, 1)
                          : prove_tcb_info(c, row, &doc));
    PP_TRY(check_time(c, row, PP_E_TDX_TCBINFO_TIME, c->info.issued_s, c->info.next_update_s));
    pp_problem_hex(&row->problem, "pceId", PP_BYTES(c->pck.pce_id), PP_BYTES(c->info.pce_id));
    PP_CHECK(pp_span_eq(PP_BYTES(c->pck.pce_id), PP_BYTES(c->info.pce_id)), PP_E_TDX_TCBINFO_FMSPC,
             row->number);
    pp_problem_hex(&row->problem, "fmspc", PP_BYTES(c->pck.fmspc), PP_BYTES(c->info.fmspc));
    PP_CHECK(pp_span_eq(PP_BYTES(c->pck.fmspc), PP_BYTES(c->info.fmspc)), PP_E_TDX_TCBINFO_FMSPC,
             row->number);
    return PP_OK;
}

/* Both documents come with the same chain as a rule: it is then verified once. */
static pp_res prove_qe_identity(struct tdx_ctx *c, struct pp_attest_check *row,
                                const struct document *doc)
{
    struct pp_x509 *own = NULL;
    struct pp_tdx_signed body;

    PP_TRY(open_document(c, row, doc, &body));
    if (!pp_span_eq(doc->chain, c->evidence->tcb_info_chain))
        PP_TRY(read_signer(c, row, doc->chain, &own));
    c->identity_signer = own != NULL ? window_of(own) : c->info_signer;
    pp_res r = check_signature(row, own != NULL ? own : c->signer, &body);
    pp_x509_free(own);
    PP_TRY(r);
    PP_TRY_AS(doc->format_code, pp_tdx_qe_identity_parse(body.body, &c->identity, &row->problem));
    return PP_OK;
}

pp_res tdx_check_qe_identity(struct tdx_ctx *c, struct pp_attest_check *row)
{
    const struct document doc = {
        .name = "enclaveIdentity",
        .json = c->evidence->qe_identity,
        .chain = c->evidence->qe_identity_chain,
        .format_code = PP_E_TDX_QEID_FORMAT,
    };

    PP_TRY(c->set_is_kept ? check_windows(c, row, &c->identity_signer, 1)
                          : prove_qe_identity(c, row, &doc));
    return check_time(c, row, PP_E_TDX_QEID_TIME, c->identity.issued_s, c->identity.next_update_s);
}

/* --- collateral by itself --------------------------------------------------------------------- */

/* Without a quote the TCB info's chain says which root it all hangs from; read_signer proves it. */
static pp_res find_own_root(struct tdx_ctx *c, struct pp_attest_check *row)
{
    struct chain chain = { 0 };

    attest_say(row, "tcbInfo", "a signed document and its chain", "none came");
    ATTEST_CHECK(row, c->evidence->tcb_info_chain.len > 0);
    PP_TRY(read_chain(c, row, c->evidence->tcb_info_chain, SIGNER_CHAIN_CERTS, &chain));
    c->root = chain.root;
    chain_done(&chain);
    return PP_OK;
}

static pp_res read_authority(struct tdx_ctx *c, struct pp_attest_check *row, struct pp_span pem,
                             struct pp_tdx_documents *ret)
{
    struct chain chain = { 0 };

    PP_TRY(read_chain(c, row, pem, SIGNER_CHAIN_CERTS, &chain));
    c->authority = chain.certs[0];
    ret->platform_ca = !pp_is_ok(
        tdx_names_check(c->authority, PP_X509_SUBJECT, chain.root, AUTHORITIES[1], NULL));
    PP_TRY(verify_chain(c, row, &chain, &AUTHORITIES[ret->platform_ca ? 0 : 1]));
    attest_say(row, "root", "that of the TCB info", "another");
    ATTEST_CHECK(row, chain.root == c->root);
    return PP_OK;
}

static pp_res read_lists(struct tdx_ctx *c, struct pp_attest_check *row,
                         struct pp_tdx_documents *ret)
{
    PP_TRY(take_crl(c, row, "root's revocation list", c->evidence->root_crl, c->root->cert,
                    &c->root_crl));
    ret->root_crl_next_update_s = pp_x509_crl_next_update(c->root_crl);
    attest_say(row, "authority's revocation list", "one in force, signed by its issuer",
               "none came");
    PP_CHECK(c->evidence->pck_crl.len > 0, PP_E_TDX_CRL_STALE, row->number);
    if (c->authority == NULL)
        return PP_OK;
    PP_TRY(check_not_listed(row, c->root_crl, "authority", c->authority));
    PP_TRY(take_crl(c, row, "authority's revocation list", c->evidence->pck_crl, c->authority,
                    &c->pck_crl));
    ret->pck_crl_next_update_s = pp_x509_crl_next_update(c->pck_crl);
    ret->has_authority = 1;
    return PP_OK;
}

static pp_res read_documents(struct tdx_ctx *c, struct pp_attest_check *row,
                             struct pp_span authority, struct pp_tdx_documents *ret)
{
    const struct document tcb_info = tcb_info_of(c);

    *row = (struct pp_attest_check){ .number = PP_TDX_CHECK_TCB_INFO,
                                     .code = PP_E_TDX_TCBINFO_SIGNATURE };
    PP_TRY(find_own_root(c, row));
    ret->root = c->root->label;
    row->number = PP_TDX_CHECK_PCK_CHAIN;
    row->code = PP_E_TDX_PCK_CHAIN;
    if (authority.len > 0)
        PP_TRY(read_authority(c, row, authority, ret));
    row->number = PP_TDX_CHECK_CRL;
    row->code = PP_E_TDX_CRL_STALE;
    PP_TRY(read_lists(c, row, ret));
    row->number = PP_TDX_CHECK_TCB_INFO;
    row->code = PP_E_TDX_TCBINFO_SIGNATURE;
    PP_TRY(prove_tcb_info(c, row, &tcb_info));
    PP_TRY(check_time(c, row, PP_E_TDX_TCBINFO_TIME, c->info.issued_s, c->info.next_update_s));
    row->number = PP_TDX_CHECK_QE_IDENTITY;
    row->code = PP_E_TDX_QEID_SIGNATURE;
    return tdx_check_qe_identity(c, row);
}

pp_res pp_tdx_documents_verify(const struct pp_tdx_anchors *anchors,
                               const struct pp_tdx_evidence *evidence, struct pp_span authority,
                               uint64_t posix_s, struct pp_problem *problem,
                               struct pp_tdx_documents *ret)
{
    struct tdx_ctx c = { .anchors = anchors, .evidence = evidence, .posix_s = posix_s };
    struct pp_tdx_documents d = { 0 };
    struct pp_attest_check row;

    pp_res r = read_documents(&c, &row, authority, &d);
    pp_x509_free(c.authority);
    pp_x509_free(c.signer);
    pp_x509_crl_free(c.root_crl);
    pp_x509_crl_free(c.pck_crl);
    if (!pp_is_ok(r) && problem != NULL)
        pp_problem_set(problem, row.problem.field, row.problem.expected,
                       pp_span_cstr(row.problem.got));
    PP_TRY(r);
    memcpy(d.fmspc, c.info.fmspc, sizeof d.fmspc);
    d.evaluation = c.info.evaluation < c.identity.evaluation ? c.info.evaluation
                                                             : c.identity.evaluation;
    d.tcb_info_issued_s = c.info.issued_s;
    d.tcb_info_next_update_s = c.info.next_update_s;
    d.qe_identity_issued_s = c.identity.issued_s;
    d.qe_identity_next_update_s = c.identity.next_update_s;
    *ret = d;
    return PP_OK;
}
