/* SPDX-License-Identifier: Apache-2.0 */
/* Chains to a pinned root, and revocation lists. */
#include "crypto_int.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "ec_int.h"
#include "x509_int.h"

/* --- whole chains ---------------------------------------------------------------------------- */

/* A chain as OpenSSL wants it: with keys that it has read itself. */
struct chain {
    X509 *x[PP_X509_CHAIN_MAX];
    size_t count;
};

X509 *pp_x509_with_key(const struct pp_x509 *c)
{
    const unsigned char *at = c->der;

    return d2i_X509(NULL, &at, (long)c->der_len);
}

static pp_res chain_read(struct pp_x509 *const *certs, size_t count, struct chain *ret)
{
    for (; ret->count < count; ret->count++) {
        X509 *x = pp_x509_with_key(certs[ret->count]);
        PP_CHECK(x != NULL, PP_E_NO_MEMORY, ret->count);
        ret->x[ret->count] = x;
    }
    return PP_OK;
}

static void chain_done(struct chain *c)
{
    for (size_t i = 0; i < c->count; i++)
        X509_free(c->x[i]);
}

/* The chain that OpenSSL built must be ours, certificate by certificate. */
static int same_chain(X509_STORE_CTX *ctx, const struct chain *ours)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);

    if (chain == NULL || sk_X509_num(chain) != (int)ours->count)
        return 0;
    for (size_t i = 0; i < ours->count; i++)
        if (X509_cmp(sk_X509_value(chain, (int)i), ours->x[i]) != 0)
            return 0;
    return 1;
}

static pp_res verify_with(X509_STORE_CTX *ctx, X509_STORE *store, STACK_OF(X509) * middle,
                          const struct chain *chain, uint64_t posix_s, int strict)
{
    unsigned long flags = X509_V_FLAG_CHECK_SS_SIGNATURE | X509_V_FLAG_USE_CHECK_TIME |
                          (strict ? X509_V_FLAG_X509_STRICT : 0);
    size_t count = chain->count;

    PP_CHECK(X509_STORE_add_cert(store, chain->x[count - 1]) == 1, PP_E_NO_MEMORY, 0);
    for (size_t i = 1; i + 1 < count; i++)
        PP_CHECK(sk_X509_push(middle, chain->x[i]) > 0, PP_E_NO_MEMORY, 0);
    PP_CHECK(X509_STORE_CTX_init(ctx, store, chain->x[0], middle) == 1, PP_E_CRYPTO, 0);

    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    PP_CHECK(X509_VERIFY_PARAM_set_flags(param, flags) == 1, PP_E_CRYPTO, 1);
    X509_VERIFY_PARAM_set_time(param, (time_t)posix_s);
    X509_VERIFY_PARAM_set_depth(param, (int)count - 2); /* certificates between leaf and root */

    int verified = X509_verify_cert(ctx) == 1;
    int error = X509_STORE_CTX_get_error(ctx);
    if (error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID)
        return PP_FAIL(PP_E_RANGE, error);
    PP_CHECK(verified && error == X509_V_OK, PP_E_SIGNATURE, error);
    PP_CHECK(same_chain(ctx, chain), PP_E_SIGNATURE, X509_V_ERR_UNSPECIFIED);
    return PP_OK;
}

pp_res pp_x509_chain_verify(struct pp_x509 *const *certs, size_t count, const struct pp_x509 *root,
                            uint64_t posix_s, int strict)
{
    struct chain chain = { 0 };

    PP_CHECK(count >= 2 && count <= PP_X509_CHAIN_MAX, PP_E_RANGE, count);
    PP_CHECK(posix_s <= INT64_MAX, PP_E_RANGE, 0);
    PP_CHECK(pp_x509_equal(certs[count - 1], root), PP_E_SIGNATURE,
             X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN);

    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *middle = sk_X509_new_null();
    pp_res r = store == NULL || ctx == NULL || middle == NULL ? PP_FAIL(PP_E_NO_MEMORY, 0)
                                                              : chain_read(certs, count, &chain);
    if (pp_is_ok(r))
        r = verify_with(ctx, store, middle, &chain, posix_s, strict);
    X509_STORE_CTX_free(ctx);
    sk_X509_free(middle); /* the certificates are the chain's */
    X509_STORE_free(store);
    chain_done(&chain);
    ERR_clear_error();
    return r;
}

/* --- one link -------------------------------------------------------------------------------- */

/* RFC 5280, 4.2.1.1: names the issuer's key where it is there; AMD's chips have none. */
static int key_id_fits(const struct pp_x509 *c, const struct pp_x509 *issuer)
{
    int critical = 0;
    AUTHORITY_KEYID *id = X509_get_ext_d2i(c->x, NID_authority_key_identifier, &critical, NULL);
    int fits = id == NULL ? critical == -1 /* not there, rather than twice or unreadable */
                          : X509_check_akid(issuer->x, id) == X509_V_OK;

    AUTHORITY_KEYID_free(id);
    return fits;
}

/* Whether `c` has nothing that forbids using it here, and nothing that asks what we do not do. */
static int is_plain(const struct pp_x509 *c)
{
    uint32_t flags = X509_get_extension_flags(c->x);

    return (flags & (EXFLAG_INVALID | EXFLAG_CRITICAL | EXFLAG_PROXY | EXFLAG_INVALID_POLICY)) ==
               0 &&
           X509_get_ext_by_NID(c->x, NID_name_constraints, -1) < 0;
}

/* RFC 5280, 4.2.1.9: an authority, and one that may certify what `c` is. */
static int may_issue(const struct pp_x509 *issuer, const struct pp_x509 *c)
{
    int self_issued = (X509_get_extension_flags(c->x) & EXFLAG_SI) != 0;

    return issuer->is_ca && issuer->may_certify &&
           (!c->is_ca || self_issued || issuer->path_len != 0);
}

static pp_res link_signature(const struct pp_x509 *c, const struct pp_x509 *issuer)
{
    struct pp_span signed_part = pp_span(c->der + c->tbs_from, c->tbs_len);
    const ASN1_BIT_STRING *bits = NULL;
    const X509_ALGOR *outer = NULL;

    X509_get0_signature(&bits, &outer, c->x);
    PP_CHECK(X509_ALGOR_cmp(outer, X509_get0_tbs_sigalg(c->x)) == 0, PP_E_SIGNATURE,
             X509_V_ERR_CERT_SIGNATURE_FAILURE);
    /* As in OpenSSL: a signature is whole bytes. The number of bits to leave out is nobody's. */
    PP_CHECK((bits->flags & 7) == 0, PP_E_SIGNATURE, X509_V_ERR_CERT_SIGNATURE_FAILURE);
    PP_CHECK(issuer->pkey != NULL, PP_E_SIGNATURE, X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY);
    struct pp_span signature = pp_span(bits->data, (size_t)bits->length);
    switch (pp_x509_sig_kind(c)) {
    case PP_X509_SIG_PSS_SHA384:
        return pp_rsa_pss_verify_pkey(issuer->pkey, PP_SHA384, PP_SHA384_BYTES, signed_part,
                                      signature);
    case PP_X509_SIG_ECDSA_SHA256:
        return pp_ecdsa_verify_pkey(issuer->pkey, PP_SHA256, signed_part, signature);
    case PP_X509_SIG_ECDSA_SHA384:
        return pp_ecdsa_verify_pkey(issuer->pkey, PP_SHA384, signed_part, signature);
    case PP_X509_SIG_OTHER:
        break;
    }
    return PP_FAIL(PP_E_SIGNATURE, X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM);
}

/* As in OpenSSL: the first second is in, the last is out. */
static int in_force(const struct pp_x509 *c, uint64_t posix_s)
{
    return c->not_before <= posix_s && posix_s < c->not_after;
}

pp_res pp_x509_link_verify(const struct pp_x509 *c, const struct pp_x509 *issuer, uint64_t posix_s)
{
    PP_CHECK(X509_NAME_cmp(X509_get_subject_name(issuer->x), X509_get_issuer_name(c->x)) == 0,
             PP_E_SIGNATURE, X509_V_ERR_SUBJECT_ISSUER_MISMATCH);
    int fits = key_id_fits(c, issuer);
    ERR_clear_error();
    PP_CHECK(fits, PP_E_SIGNATURE, X509_V_ERR_AKID_SKID_MISMATCH);
    PP_CHECK(is_plain(c) && is_plain(issuer), PP_E_SIGNATURE,
             X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION);
    PP_CHECK(may_issue(issuer, c), PP_E_SIGNATURE, X509_V_ERR_INVALID_CA);
    PP_TRY_AS(PP_E_SIGNATURE, link_signature(c, issuer));
    PP_CHECK(in_force(c, posix_s) && in_force(issuer, posix_s), PP_E_RANGE,
             X509_V_ERR_CERT_HAS_EXPIRED);
    return PP_OK;
}

/* --- revocation lists ------------------------------------------------------------------------ */

static pp_res crl_check(X509_CRL *crl, const struct pp_x509 *issuer, uint64_t posix_s,
                        uint64_t *ret_until)
{
    const X509_ALGOR *algorithm = NULL;
    const ASN1_OBJECT *object = NULL;
    uint64_t from, until;

    X509_CRL_get0_signature(crl, NULL, &algorithm);
    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    int nid = OBJ_obj2nid(object);
    PP_CHECK(nid == NID_rsassaPss || nid == NID_ecdsa_with_SHA256 || nid == NID_ecdsa_with_SHA384,
             PP_E_FORMAT, nid);
    /* Delta and indirect lists mark themselves by critical extensions: we read neither. */
    PP_CHECK(X509_CRL_get_ext_by_critical(crl, 1, -1) < 0, PP_E_FORMAT, 1);
    PP_CHECK(X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer->x)) == 0,
             PP_E_SIGNATURE, 1);
    PP_CHECK(issuer->pkey != NULL && X509_CRL_verify(crl, issuer->pkey) == 1, PP_E_SIGNATURE, 0);
    PP_TRY(pp_asn1_time(X509_CRL_get0_lastUpdate(crl), &from));
    PP_TRY(pp_asn1_time(X509_CRL_get0_nextUpdate(crl), &until)); /* absent: FORMAT */
    PP_CHECK(from <= posix_s && posix_s < until, PP_E_RANGE, 0);
    *ret_until = until;
    return PP_OK;
}

struct pp_x509_crl {
    X509_CRL *crl;
    uint64_t next_update;
};

pp_res pp_x509_crl_open(struct pp_span crl_der, const struct pp_x509 *issuer, uint64_t posix_s,
                        struct pp_x509_crl **ret)
{
    const unsigned char *at = crl_der.at;
    struct pp_x509_crl *c;

    PP_CHECK(crl_der.len <= PP_X509_CRL_BYTES_MAX, PP_E_LIMIT, crl_der.len);
    PP_CHECK(crl_der.len > 0, PP_E_FORMAT, 0);
    PP_CHECK((c = OPENSSL_zalloc(sizeof *c)) != NULL, PP_E_NO_MEMORY, 0);
    c->crl = d2i_X509_CRL(NULL, &at, (long)crl_der.len);
    pp_res r = c->crl == NULL || at != crl_der.at + crl_der.len
                   ? PP_FAIL(PP_E_FORMAT, 0)
                   : crl_check(c->crl, issuer, posix_s, &c->next_update);
    ERR_clear_error();
    if (!pp_is_ok(r)) {
        pp_x509_crl_free(c);
        return r;
    }
    *ret = c;
    return PP_OK;
}

int pp_x509_crl_has(const struct pp_x509_crl *crl, const struct pp_x509 *c)
{
    X509_REVOKED *row = NULL;

    /* Any answer but 0 counts as listed, "removed from the list" too. */
    return X509_CRL_get0_by_serial(crl->crl, &row, X509_get_serialNumber(c->x)) != 0;
}

uint64_t pp_x509_crl_next_update(const struct pp_x509_crl *crl)
{
    return crl->next_update;
}

void pp_x509_crl_free(struct pp_x509_crl *crl)
{
    if (crl == NULL)
        return;
    X509_CRL_free(crl->crl);
    OPENSSL_free(crl);
}

pp_res pp_x509_crl_lists(struct pp_span crl_der, const struct pp_x509 *issuer,
                         const struct pp_x509 *c, uint64_t posix_s, int *ret_listed)
{
    struct pp_x509_crl *crl = NULL;

    PP_TRY(pp_x509_crl_open(crl_der, issuer, posix_s, &crl));
    *ret_listed = pp_x509_crl_has(crl, c);
    pp_x509_crl_free(crl);
    return PP_OK;
}
