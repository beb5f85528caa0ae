/* SPDX-License-Identifier: Apache-2.0 */
/* Chains to a pinned root, and revocation lists. */
#include "crypto_int.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "ec_int.h"
#include "x509_int.h"

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

int pp_x509_is_plain(const struct pp_x509 *c)
{
    uint32_t flags = X509_get_extension_flags(c->x);

    return (flags & (EXFLAG_INVALID | EXFLAG_CRITICAL | EXFLAG_PROXY | EXFLAG_INVALID_POLICY)) ==
               0 &&
           X509_get_ext_by_NID(c->x, NID_name_constraints, -1) < 0 &&
           X509_get_ext_by_NID(c->x, NID_sbgp_ipAddrBlock, -1) < 0 &&
           X509_get_ext_by_NID(c->x, NID_sbgp_autonomousSysNum, -1) < 0;
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
    /* A curve by its parameters instead of its name is an OTHER, too. */
    PP_CHECK(issuer->key_kind != PP_X509_KEY_OTHER, PP_E_SIGNATURE,
             X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY);
    struct pp_span signature = pp_span(bits->data, (size_t)bits->length);
    switch (pp_x509_sig_kind(c)) {
    case PP_X509_SIG_PSS_SHA384:
        return pp_rsa_pss_verify_pkey(issuer->pkey, PP_SHA384, PP_SHA384_BYTES, signed_part,
                                      signature);
    case PP_X509_SIG_ECDSA_SHA256:
        return pp_ecdsa_verify_ready(issuer->ready, PP_SHA256, signed_part, signature);
    case PP_X509_SIG_ECDSA_SHA384:
        return pp_ecdsa_verify_ready(issuer->ready, PP_SHA384, signed_part, signature);
    case PP_X509_SIG_OTHER:
        break;
    }
    return PP_FAIL(PP_E_SIGNATURE, X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM);
}

/* As in OpenSSL: the first second is in, the last is out. */
int pp_x509_in_force(const struct pp_x509 *c, uint64_t posix_s)
{
    return c->not_before <= posix_s && posix_s < c->not_after;
}

/* All that a link asks but the signature and the time. */
static pp_res link_form(const struct pp_x509 *c, const struct pp_x509 *issuer)
{
    PP_CHECK(X509_NAME_cmp(X509_get_subject_name(issuer->x), X509_get_issuer_name(c->x)) == 0,
             PP_E_SIGNATURE, X509_V_ERR_SUBJECT_ISSUER_MISMATCH);
    int fits = key_id_fits(c, issuer);
    ERR_clear_error();
    PP_CHECK(fits, PP_E_SIGNATURE, X509_V_ERR_AKID_SKID_MISMATCH);
    PP_CHECK(pp_x509_is_plain(c) && pp_x509_is_plain(issuer), PP_E_SIGNATURE,
             X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION);
    PP_CHECK(may_issue(issuer, c), PP_E_SIGNATURE, X509_V_ERR_INVALID_CA);
    return PP_OK;
}

pp_res pp_x509_link_verify(const struct pp_x509 *c, const struct pp_x509 *issuer, uint64_t posix_s)
{
    PP_TRY(link_form(c, issuer));
    PP_TRY_AS(PP_E_SIGNATURE, link_signature(c, issuer));
    PP_CHECK(pp_x509_in_force(c, posix_s) && pp_x509_in_force(issuer, posix_s), PP_E_RANGE,
             X509_V_ERR_CERT_HAS_EXPIRED);
    return PP_OK;
}

/* --- whole chains ---------------------------------------------------------------------------- */

/* RFC 5280, 4.2.1.1 to 4.2.1.3 and 4.2.1.9, for an authority. */
static int strict_authority(const struct pp_x509 *c)
{
    uint32_t flags = X509_get_extension_flags(c->x);

    return (flags & EXFLAG_BCONS_CRITICAL) != 0 && (flags & EXFLAG_KUSAGE) != 0 &&
           (c->path_len < 0 || c->may_certify) && X509_get0_subject_key_id(c->x) != NULL;
}

/* The same, for what is none: it does not look like one. */
static int strict_end(const struct pp_x509 *c)
{
    uint32_t flags = X509_get_extension_flags(c->x);
    int certifies = (flags & EXFLAG_KUSAGE) != 0 &&
                    (X509_get_key_usage(c->x) & KU_KEY_CERT_SIGN) != 0;

    return !certifies && c->path_len < 0;
}

/* A subjectAltName has names (4.2.1.6), whoever asks for them. */
static int strict_alternatives(const struct pp_x509 *c)
{
    int critical = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(c->x, NID_subject_alt_name, &critical, NULL);
    int fits = names == NULL ? critical == -1 : sk_GENERAL_NAME_num(names) > 0;

    GENERAL_NAMES_free(names);
    ERR_clear_error();
    return fits;
}

/*
 * What RFC 5280 asks of certificates beyond what a verification needs: OpenSSL's list
 * (X509_V_FLAG_X509_STRICT), but that key identifiers are not critical: pp_x509_is_plain refuses
 * those at any time. A root may leave out the key identifier of its issuer.
 */
static int is_strict(const struct pp_x509 *c, int is_root)
{
    if (X509_get_version(c->x) < X509_VERSION_3)
        return X509_get_ext_count(c->x) == 0;
    return (c->is_ca ? strict_authority(c) : strict_end(c)) &&
           pp_x509_name_count(c, PP_X509_ISSUER) > 0 &&
           pp_x509_name_count(c, PP_X509_SUBJECT) > 0 &&
           (is_root || X509_get0_authority_key_id(c->x) != NULL) && strict_alternatives(c);
}

/* A way up to the root: certs[count] is the root. */
struct path {
    const struct pp_x509 *certs[PP_X509_CHAIN_MAX];
    size_t count;
    int strict;
};

/* RFC 5280, 6.1: no certificate twice; 4.2.1.9: at most so many authorities below one. */
static pp_res path_shape(const struct path *p)
{
    long below = 0;

    for (size_t i = 0; i <= p->count; i++)
        for (size_t k = i + 1; k <= p->count; k++)
            PP_CHECK(!pp_x509_equal(p->certs[i], p->certs[k]), PP_E_SIGNATURE,
                     X509_V_ERR_UNSPECIFIED);
    for (size_t i = 1; i <= p->count; i++) {
        const struct pp_x509 *c = p->certs[i];
        PP_CHECK(c->path_len < 0 || below <= c->path_len, PP_E_SIGNATURE,
                 X509_V_ERR_PATH_LENGTH_EXCEEDED);
        below += (X509_get_extension_flags(c->x) & EXFLAG_SI) == 0;
    }
    return PP_OK;
}

/* What needs no arithmetic comes first, for all of them, as in OpenSSL; then from the root down. */
static pp_res path_verify(const struct path *p, uint64_t posix_s)
{
    PP_TRY(path_shape(p));
    /* As in OpenSSL: of an issuer its signature asks this, of the leaf nothing else does. */
    PP_CHECK(p->certs[0]->pkey != NULL, PP_E_SIGNATURE, X509_V_ERR_EE_KEY_TOO_SMALL);
    for (size_t i = 0; p->strict && i <= p->count; i++)
        PP_CHECK(is_strict(p->certs[i], i == p->count), PP_E_SIGNATURE,
                 X509_V_ERR_INVALID_EXTENSION);
    for (size_t i = 0; i < p->count; i++)
        PP_TRY(link_form(p->certs[i], p->certs[i + 1]));
    for (size_t i = p->count + 1; i-- > 0;) {
        if (i < p->count)
            PP_TRY_AS(PP_E_SIGNATURE, link_signature(p->certs[i], p->certs[i + 1]));
        PP_CHECK(pp_x509_in_force(p->certs[i], posix_s), PP_E_RANGE, X509_V_ERR_CERT_HAS_EXPIRED);
    }
    return PP_OK;
}

static pp_res path_over(struct pp_x509 *const *certs, size_t count, const struct pp_x509 *root,
                        int strict, struct path *ret)
{
    PP_CHECK(count >= 1 && count < PP_X509_CHAIN_MAX, PP_E_RANGE, count);
    *ret = (struct path){ .count = count, .strict = strict };
    for (size_t i = 0; i < count; i++)
        ret->certs[i] = certs[i];
    ret->certs[count] = root;
    return PP_OK;
}

pp_res pp_x509_path_verify(struct pp_x509 *const *certs, size_t count, const struct pp_x509 *root,
                           uint64_t posix_s)
{
    struct path path;

    PP_TRY(path_over(certs, count, root, 1, &path));
    return path_verify(&path, posix_s);
}

pp_res pp_x509_chain_verify(struct pp_x509 *const *certs, size_t count, const struct pp_x509 *root,
                            uint64_t posix_s, int strict)
{
    struct path path;

    PP_CHECK(count >= 2 && count <= PP_X509_CHAIN_MAX, PP_E_RANGE, count);
    PP_CHECK(pp_x509_equal(certs[count - 1], root), PP_E_SIGNATURE,
             X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN);
    PP_TRY(path_over(certs, count - 1, root, strict, &path));
    PP_TRY(link_form(root, root));
    PP_TRY_AS(PP_E_SIGNATURE, link_signature(root, root));
    return path_verify(&path, posix_s);
}

/* --- revocation lists ------------------------------------------------------------------------ */

struct pp_x509_crl {
    X509_CRL *crl;
    uint64_t from, until;
};

pp_res pp_x509_crl_in_force(const struct pp_x509_crl *crl, uint64_t posix_s)
{
    PP_CHECK(crl->from <= posix_s && posix_s < crl->until, PP_E_RANGE, 0);
    return PP_OK;
}

static pp_res crl_check(struct pp_x509_crl *c, const struct pp_x509 *issuer, uint64_t posix_s)
{
    const X509_ALGOR *algorithm = NULL;
    const ASN1_OBJECT *object = NULL;
    X509_CRL *crl = c->crl;

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
    PP_TRY(pp_asn1_time(X509_CRL_get0_lastUpdate(crl), &c->from));
    PP_TRY(pp_asn1_time(X509_CRL_get0_nextUpdate(crl), &c->until)); /* absent: FORMAT */
    return pp_x509_crl_in_force(c, posix_s);
}

pp_res pp_x509_crl_open(struct pp_span crl_der, const struct pp_x509 *issuer, uint64_t posix_s,
                        struct pp_x509_crl **ret)
{
    const unsigned char *at = crl_der.at;
    struct pp_x509_crl *c;

    PP_CHECK(crl_der.len <= PP_X509_CRL_BYTES_MAX, PP_E_LIMIT, crl_der.len);
    PP_CHECK((c = OPENSSL_zalloc(sizeof *c)) != NULL, PP_E_NO_MEMORY, 0);
    c->crl = d2i_X509_CRL(NULL, &at, (long)crl_der.len);
    pp_res r = c->crl == NULL || at != crl_der.at + crl_der.len ? PP_FAIL(PP_E_FORMAT, 0)
                                                                : crl_check(c, issuer, posix_s);
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
    return crl->until;
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
