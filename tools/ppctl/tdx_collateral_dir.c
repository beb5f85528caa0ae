/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of collateral, as people keep what the vendor's service answered. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdx_policy.h"

#include "wr.h"

enum { PATH_BYTES_MAX = 4096, NAMES_MAX = 3 };

/* The first name is ours; the others are those that published sets of evidence use. */
static const struct {
    const char *names[NAMES_MAX];
    size_t offset;
} FILES[] = {
    { { "tcb_info.json", "tcb_info_response.json" },
      offsetof(struct ppctl_tdx_collateral, tcb_info) },
    { { "tcb_info_issuer_chain.pem", "tcb_signing_chain.pem" },
      offsetof(struct ppctl_tdx_collateral, tcb_info_chain) },
    { { "qe_identity.json", "qe_identity_response.json", "td_qe_identity.json" },
      offsetof(struct ppctl_tdx_collateral, qe_identity) },
    { { "qe_identity_issuer_chain.pem", "qe_identity_signing_chain.pem" },
      offsetof(struct ppctl_tdx_collateral, qe_identity_chain) },
    { { "pck_crl.der", "pck_crl_platform.der" }, offsetof(struct ppctl_tdx_collateral, pck_crl) },
    { { "root_crl.der", "root_ca_crl.der" }, offsetof(struct ppctl_tdx_collateral, root_crl) },
};

/* A file that is not there leaves `*ret` empty. */
static pp_res load(const char *folder, const char *name, struct pp_buf *ret)
{
    char path[PATH_BYTES_MAX];

    PP_CHECK(snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path, PP_E_LIMIT, 0);
    pp_res r = pp_file_read(AT_FDCWD, path, PP_X509_CRL_BYTES_MAX, ret);
    return r.code == PP_E_NOT_FOUND ? PP_OK : r;
}

/* Where object and signature came in two files, they are put into the one form that is signed. */
static pp_res join(const char *folder, const char *signature_name, const char *member,
                   struct pp_buf *doc)
{
    struct pp_buf hex = { 0 };

    PP_TRY(load(folder, signature_name, &hex));
    if (hex.bytes == NULL || doc->bytes == NULL) {
        pp_buf_done(&hex);
        return PP_OK;
    }
    while (hex.len > 0 && (hex.bytes[hex.len - 1] == '\n' || hex.bytes[hex.len - 1] == '\r'))
        hex.len--;
    size_t cap = doc->len + hex.len + 64;
    uint8_t *joined = malloc(cap);
    if (joined == NULL) {
        pp_buf_done(&hex);
        return PP_FAIL(PP_E_NO_MEMORY, 0);
    }
    struct pp_wr wr = pp_wr_over(joined, cap);
    pp_wr_text(&wr, "{\"");
    pp_wr_text(&wr, member);
    pp_wr_text(&wr, "\":");
    pp_wr_span(&wr, pp_buf_span(doc));
    pp_wr_text(&wr, ",\"signature\":\"");
    pp_wr_span(&wr, pp_buf_span(&hex));
    pp_wr_text(&wr, "\"}");
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    pp_buf_done(&hex);
    pp_buf_done(doc);
    *doc = (struct pp_buf){ .bytes = joined, .len = wr.len };
    return PP_OK;
}

static pp_res load_by_fmspc(const char *folder, const uint8_t *fmspc, struct pp_buf *ret)
{
    char name[64];
    struct pp_wr wr = pp_wr_over(name, sizeof name);

    pp_wr_text(&wr, "tcb_info_");
    pp_wr_hex(&wr, pp_span(fmspc, PP_TDX_FMSPC_BYTES));
    pp_wr_text(&wr, ".json");
    pp_wr_u8(&wr, 0);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    return load(folder, name, ret);
}

pp_res ppctl_tdx_collateral_load(const char *folder, const uint8_t *fmspc,
                                 struct ppctl_tdx_collateral *ret)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(FILES); i++) {
        struct pp_buf *buf = (struct pp_buf *)((uint8_t *)ret + FILES[i].offset);
        for (size_t k = 0; k < NAMES_MAX && FILES[i].names[k] != NULL && buf->bytes == NULL; k++)
            PP_TRY(load(folder, FILES[i].names[k], buf));
    }
    if (ret->tcb_info.bytes == NULL && fmspc != NULL)
        PP_TRY(load_by_fmspc(folder, fmspc, &ret->tcb_info));
    PP_TRY(join(folder, "tcb_info_signature.hex", "tcbInfo", &ret->tcb_info));
    return join(folder, "qe_identity_signature.hex", "enclaveIdentity", &ret->qe_identity);
}

void ppctl_tdx_collateral_done(struct ppctl_tdx_collateral *c)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(FILES); i++)
        pp_buf_done((struct pp_buf *)((uint8_t *)c + FILES[i].offset));
}

struct pp_tdx_evidence ppctl_tdx_evidence(struct pp_span quote,
                                          const struct ppctl_tdx_collateral *c)
{
    return (struct pp_tdx_evidence){
        .quote = quote,
        .tcb_info = pp_buf_span(&c->tcb_info),
        .tcb_info_chain = pp_buf_span(&c->tcb_info_chain),
        .qe_identity = pp_buf_span(&c->qe_identity),
        /* One signer, one chain: people keep it once. */
        .qe_identity_chain = pp_buf_span(c->qe_identity_chain.bytes == NULL
                                             ? &c->tcb_info_chain
                                             : &c->qe_identity_chain),
        .pck_crl = pp_buf_span(&c->pck_crl),
        .root_crl = pp_buf_span(&c->root_crl),
    };
}

pp_res ppctl_tdx_fmspc(struct pp_span quote, uint8_t ret[PP_TDX_FMSPC_BYTES])
{
    struct pp_tdx_quote q;
    struct pp_x509_pem pem = { 0 };
    struct pp_x509 *leaf = NULL;
    struct pp_tdx_pck pck = { 0 };

    PP_TRY_AS(PP_E_NOT_FOUND, pp_tdx_quote_parse(quote, &q, NULL));
    size_t len = 0;
    while (len < q.pck_chain.len && q.pck_chain.at[len] != 0)
        len++;
    pp_res r = pp_x509_pem_parse(pp_span(q.pck_chain.at, len), &pem);
    if (pp_is_ok(r))
        r = pp_x509_parse(pp_span(pem.der[0], pem.der_len[0]), &leaf);
    if (pp_is_ok(r))
        r = pp_tdx_pck_of(leaf, &pck, NULL);
    pp_x509_free(leaf);
    pp_x509_pem_free(&pem);
    PP_TRY_AS(PP_E_NOT_FOUND, r);
    memcpy(ret, pck.fmspc, sizeof pck.fmspc);
    return PP_OK;
}
