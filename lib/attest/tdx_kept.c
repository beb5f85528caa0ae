/* SPDX-License-Identifier: Apache-2.0 */
/* What was proven of certificates and collateral, by the bytes that it was proven of. */
#include "tdx_int.h"

static const struct pp_tdx_root *find_root(const struct pp_tdx_anchors *a,
                                           const uint8_t digest[PP_SHA256_BYTES])
{
    for (size_t i = 0; i < a->count; i++)
        if (pp_span_eq(PP_BYTES(a->roots[i].digest), pp_span(digest, PP_SHA256_BYTES)))
            return &a->roots[i];
    return NULL;
}

/* --- platforms -------------------------------------------------------------------------------- */

struct pp_tdx_kept_platform *tdx_find_platform(const struct pp_tdx_anchors *a, struct pp_span pem,
                                               uint8_t ret_digest[PP_SHA256_BYTES])
{
    if (a->kept == NULL)
        return NULL;
    pp_sha256(pem, ret_digest);
    for (size_t i = 0; i < PP_TDX_KEPT_PLATFORMS; i++) {
        struct pp_tdx_kept_platform *p = &a->kept->platforms[i];
        if (p->used != 0 && pp_span_eq(PP_BYTES(p->pem), pp_span(ret_digest, PP_SHA256_BYTES)) &&
            find_root(a, p->root) != NULL)
            return p;
    }
    return NULL;
}

int tdx_recall_platform(struct tdx_ctx *c, struct pp_span pem)
{
    struct pp_tdx_kept_platform *p = tdx_find_platform(c->anchors, pem, c->pem_digest);

    if (p == NULL)
        return 0;
    p->used = ++c->anchors->kept->uses;
    c->leaf = p->leaf;
    c->authority = p->authority;
    c->root = find_root(c->anchors, p->root);
    c->pck = p->pck;
    c->platform = p;
    if (p->quoting != NULL &&
        pp_span_eq(PP_BYTES(p->attestation_key), PP_BYTES(c->quote.attestation_key))) {
        c->quoting = p->quoting;
        c->quoting_is_kept = 1;
    }
    return 1;
}

static void platform_done(struct pp_tdx_kept_platform *p)
{
    pp_x509_free(p->leaf);
    pp_x509_free(p->authority);
    pp_ec_public_free(p->quoting);
    *p = (struct pp_tdx_kept_platform){ 0 };
}

static void keep_platform(struct tdx_ctx *c)
{
    struct pp_tdx_kept *kept = c->anchors->kept;
    struct pp_tdx_kept_platform *at = &kept->platforms[0];

    for (size_t i = 1; i < PP_TDX_KEPT_PLATFORMS; i++)
        if (kept->platforms[i].used < at->used)
            at = &kept->platforms[i];
    platform_done(at);
    *at = (struct pp_tdx_kept_platform){
        .used = ++kept->uses, .leaf = c->leaf, .authority = c->authority, .pck = c->pck
    };
    memcpy(at->pem, c->pem_digest, sizeof at->pem);
    memcpy(at->root, c->root->digest, sizeof at->root);
    c->platform = at;
}

/* Only a key that both signatures led to: nobody else's quote takes its place. */
static void keep_quoting(struct tdx_ctx *c)
{
    struct pp_tdx_kept_platform *p = c->platform;

    pp_ec_public_free(p->quoting);
    p->quoting = c->quoting;
    memcpy(p->attestation_key, c->quote.attestation_key, sizeof p->attestation_key);
    c->quoting_is_kept = 1;
}

/* --- collateral ------------------------------------------------------------------------------- */

static void hash_document(struct pp_hash *h, struct pp_span document)
{
    pp_hash_u64(h, document.len);
    pp_hash_update(h, document);
}

/* Of all that came, and of the certificate whose key the platform's list was verified with. */
static void hash_documents(const struct tdx_ctx *c, uint8_t ret[PP_SHA256_BYTES])
{
    const struct pp_tdx_evidence *e = c->evidence;
    int same_chain = pp_span_eq(e->tcb_info_chain, e->qe_identity_chain); /* as a rule */
    struct pp_hash h;

    pp_hash_init(&h, PP_SHA256);
    hash_document(&h, e->tcb_info);
    hash_document(&h, e->tcb_info_chain);
    hash_document(&h, e->qe_identity);
    pp_hash_u8(&h, (uint8_t)same_chain);
    if (!same_chain)
        hash_document(&h, e->qe_identity_chain);
    hash_document(&h, e->pck_crl);
    hash_document(&h, e->root_crl);
    hash_document(&h, pp_x509_der(c->authority));
    pp_hash_final(&h, ret);
}

void tdx_recall_set(struct tdx_ctx *c)
{
    struct pp_tdx_kept *kept = c->anchors->kept;

    if (kept == NULL)
        return;
    hash_documents(c, c->documents_digest);
    for (size_t i = 0; i < PP_TDX_KEPT_SETS; i++) {
        struct pp_tdx_kept_set *s = &kept->sets[i];
        if (s->used == 0 || !pp_span_eq(PP_BYTES(s->documents), PP_BYTES(c->documents_digest)) ||
            !pp_span_eq(PP_BYTES(s->root), PP_BYTES(c->root->digest)))
            continue;
        s->used = ++kept->uses;
        c->root_crl = s->root_crl;
        c->pck_crl = s->pck_crl;
        c->info_signer = s->info_signer;
        c->identity_signer = s->identity_signer;
        c->info = s->info;
        c->identity = s->identity;
        c->set_is_kept = 1;
        return;
    }
}

static void set_done(struct pp_tdx_kept_set *s)
{
    pp_x509_crl_free(s->root_crl);
    pp_x509_crl_free(s->pck_crl);
    *s = (struct pp_tdx_kept_set){ 0 };
}

static void keep_set(struct tdx_ctx *c)
{
    struct pp_tdx_kept *kept = c->anchors->kept;
    struct pp_tdx_kept_set *at = &kept->sets[0];

    for (size_t i = 1; i < PP_TDX_KEPT_SETS; i++)
        if (kept->sets[i].used < at->used)
            at = &kept->sets[i];
    set_done(at);
    *at = (struct pp_tdx_kept_set){ .used = ++kept->uses,
                                    .root_crl = c->root_crl,
                                    .pck_crl = c->pck_crl,
                                    .info_signer = c->info_signer,
                                    .identity_signer = c->identity_signer,
                                    .info = c->info,
                                    .identity = c->identity };
    memcpy(at->documents, c->documents_digest, sizeof at->documents);
    memcpy(at->root, c->root->digest, sizeof at->root);
    c->set_is_kept = 1;
}

/* --- both ------------------------------------------------------------------------------------- */

static int passed(const struct pp_tdx_checks *checks, enum pp_tdx_check_number number)
{
    return checks->rows[number - 1].verdict == PP_ATTEST_PASSED;
}

void tdx_keep(struct tdx_ctx *c, const struct pp_tdx_checks *checks)
{
    if (c->anchors->kept == NULL)
        return;
    if (c->platform == NULL && passed(checks, PP_TDX_CHECK_PCK_CHAIN))
        keep_platform(c);
    if (!c->quoting_is_kept && passed(checks, PP_TDX_CHECK_QUOTE_SIG) &&
        passed(checks, PP_TDX_CHECK_QE_SIG))
        keep_quoting(c);
    if (!c->set_is_kept && passed(checks, PP_TDX_CHECK_CRL) &&
        passed(checks, PP_TDX_CHECK_TCB_INFO) && passed(checks, PP_TDX_CHECK_QE_IDENTITY))
        keep_set(c);
}

void tdx_kept_done(struct pp_tdx_kept *kept)
{
    for (size_t i = 0; i < PP_TDX_KEPT_PLATFORMS; i++)
        platform_done(&kept->platforms[i]);
    for (size_t i = 0; i < PP_TDX_KEPT_SETS; i++)
        set_done(&kept->sets[i]);
    *kept = (struct pp_tdx_kept){ 0 };
}
