/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x509_issue.h: making certificates and revocation lists, for the simulated secure processor and
 * for tests. It is a library of its own, pp_crypto_issue, which no program of the product links.
 */
#ifndef PP_X509_ISSUE_H
#define PP_X509_ISSUE_H

#include "x509.h"

enum {
    PP_ISSUE_NAMES_MAX = 8,
    PP_ISSUE_EXTENSIONS_MAX = 24,
    PP_ISSUE_CRL_SERIALS_MAX = 64,
    PP_ISSUE_RSA_DER_BYTES_MAX = 4096, /* PKCS#8 of an RSA-4096 key */
};

/* An issuer's private key: RSA of 2048 to 4096 bits, or an EC key. The caller owns it. */
struct pp_issue_key;

/* `rsa_bits` 2048, 3072 or 4096 (a 4096-bit key takes about a second), else RANGE. CRYPTO. */
PP_MUST pp_res pp_issue_key_generate_rsa(size_t rsa_bits, struct pp_issue_key **ret);

/* An own reference to an EC key. NO_MEMORY. */
PP_MUST pp_res pp_issue_key_from_ec(const struct pp_ec_key *ec, struct pp_issue_key **ret);

/* PKCS#8 DER. KEY. */
PP_MUST pp_res pp_issue_key_import_der(struct pp_span der, struct pp_issue_key **ret);
PP_MUST pp_res pp_issue_key_export_der(const struct pp_issue_key *k, struct pp_secret *ret);
void pp_issue_key_free(struct pp_issue_key *k); /* NULL is fine */

/* DER of the SubjectPublicKeyInfo. NO_SPACE. */
PP_MUST pp_res pp_issue_key_spki(const struct pp_issue_key *k, uint8_t *ret, size_t cap,
                                 size_t *ret_len);

struct pp_issue_name {
    const char *attribute; /* "CN", "O", "OU", "C", "ST", "L" */
    const char *text;      /* UTF-8 */
};

struct pp_issue_extension {
    const char *oid;      /* dotted */
    struct pp_span value; /* content of the OCTET STRING, as it is */
    int critical;
};

/* What stands in a certificate. Everything is borrowed; nothing is checked but the limits. */
struct pp_issue_cert {
    struct pp_issue_name subject[PP_ISSUE_NAMES_MAX], issuer[PP_ISSUE_NAMES_MAX];
    size_t subject_count, issuer_count;
    struct pp_span spki; /* of the subject */
    int version;         /* 1 to 3; 0 stands for 3 */
    uint64_t serial;
    uint64_t not_before, not_after; /* POSIX seconds */
    int is_ca;    /* 1: critical basicConstraints CA, keyUsage keyCertSign, cRLSign */
    int path_len; /* of a CA; below 0: none */
    struct pp_issue_extension extensions[PP_ISSUE_EXTENSIONS_MAX];
    size_t extension_count;
};

/*
 * Writes the certificate, signed by `signer` in the way `sig` names; OTHER stands for
 * RSASSA-PKCS1-v1_5 with SHA-384, which verifiers of AMD chains must refuse. RANGE (a limit), KEY
 * (the SPKI), NO_SPACE, CRYPTO (the signer's key does not fit `sig`).
 */
PP_MUST pp_res pp_x509_issue(const struct pp_issue_cert *cert, const struct pp_issue_key *signer,
                             enum pp_x509_sig_kind sig, uint8_t *ret_der, size_t cap,
                             size_t *ret_len);

struct pp_issue_crl {
    struct pp_issue_name issuer[PP_ISSUE_NAMES_MAX];
    size_t issuer_count;
    uint64_t this_update, next_update; /* POSIX seconds; next_update 0: left out */
    uint64_t serials[PP_ISSUE_CRL_SERIALS_MAX];
    size_t serial_count;
};

PP_MUST pp_res pp_x509_issue_crl(const struct pp_issue_crl *crl, const struct pp_issue_key *signer,
                                 enum pp_x509_sig_kind sig, uint8_t *ret_der, size_t cap,
                                 size_t *ret_len);

#endif
