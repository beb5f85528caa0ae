/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x509.h: certificates: chains to a pinned root at a given time, the fields that verifiers read,
 * and the two kinds that we make ourselves.
 */
#ifndef PP_X509_H
#define PP_X509_H

#include "result.h"
#include "sign.h"
#include "span.h"

enum { PP_X509_DER_BYTES_MAX = 8192, PP_X509_CHAIN_MAX = 4, PP_X509_NAME_BYTES_MAX = 96 };

/* A parsed certificate. */
struct pp_x509;

/* Exactly one DER certificate, no trailing byte. FORMAT, LIMIT. */
PP_MUST pp_res pp_x509_parse(struct pp_span der, struct pp_x509 **ret);
void pp_x509_free(struct pp_x509 *c); /* NULL is fine */

/* Splits a PEM file into DER certificates (malloc'ed, freed with pp_x509_pem_free). FORMAT, LIMIT.
 */
struct pp_x509_pem {
    uint8_t *der[PP_X509_CHAIN_MAX];
    size_t der_len[PP_X509_CHAIN_MAX];
    size_t count;
};
PP_MUST pp_res pp_x509_pem_parse(struct pp_span pem, struct pp_x509_pem *ret);
void pp_x509_pem_free(struct pp_x509_pem *p);

/*
 * The chain certs[0] (leaf) .. certs[count-1] must end in the pinned root: byte-equal to `root`'s
 * DER and self-signed. Every signature, CA flag, path and validity at `posix_s` is checked; no
 * system store, no partial chain, exactly `count` certificates (2..PP_X509_CHAIN_MAX). `strict` 0
 * leaves out RFC 5280's rules that AMD's chip certificates do not keep. SIGNATURE for a chain that
 * does not verify, RANGE for one outside its validity.
 */
PP_MUST pp_res pp_x509_chain_verify(struct pp_x509 *const *certs, size_t count,
                                    const struct pp_x509 *root, uint64_t posix_s, int strict);

/* --- fields ---------------------------------------------------------------------------------- */

enum pp_x509_key_kind { PP_X509_KEY_OTHER, PP_X509_KEY_P256, PP_X509_KEY_P384, PP_X509_KEY_RSA };
enum pp_x509_sig_kind {
    PP_X509_SIG_OTHER,
    PP_X509_SIG_PSS_SHA384,
    PP_X509_SIG_ECDSA_SHA256,
    PP_X509_SIG_ECDSA_SHA384
};

int pp_x509_version(const struct pp_x509 *c); /* 1, 2 or 3 */
enum pp_x509_key_kind pp_x509_key_kind(const struct pp_x509 *c);
size_t pp_x509_key_bits(const struct pp_x509 *c);
enum pp_x509_sig_kind pp_x509_sig_kind(
    const struct pp_x509 *c);                         /* PSS_SHA384: MGF1-SHA-384, salt 48 */
uint64_t pp_x509_not_before(const struct pp_x509 *c); /* POSIX seconds */
uint64_t pp_x509_not_after(const struct pp_x509 *c);
int pp_x509_equal(const struct pp_x509 *a, const struct pp_x509 *b);        /* byte-equal DER */
void pp_x509_digest(const struct pp_x509 *c, uint8_t ret[PP_SHA256_BYTES]); /* SHA-256 of the DER */

/* DER of the SubjectPublicKeyInfo; the uncompressed point of an EC key. Copies; NO_SPACE, KEY. */
PP_MUST pp_res pp_x509_spki(const struct pp_x509 *c, uint8_t *ret, size_t cap, size_t *ret_len);
PP_MUST pp_res pp_x509_point(const struct pp_x509 *c, uint8_t *ret, size_t cap, size_t *ret_len);

/* Text of one attribute of subject or issuer ("CN", "O", "OU", "C", "ST", "L"), NUL-terminated.
 * NOT_FOUND; DUPLICATE when the attribute occurs twice; RANGE over the limit. */
PP_MUST pp_res pp_x509_name(const struct pp_x509 *c, int issuer, const char *attribute,
                            char ret[PP_X509_NAME_BYTES_MAX]);

/* Content of the extension's OCTET STRING, borrowed from `c`. NOT_FOUND, DUPLICATE. `oid` dotted.
 */
PP_MUST pp_res pp_x509_extension(const struct pp_x509 *c, const char *oid, struct pp_span *ret);

/* 1 if the serial number of `c` is in the CRL. The CRL must be signed by `issuer` and fresh at
 * `posix_s`. FORMAT, SIGNATURE, RANGE (stale). */
PP_MUST pp_res pp_x509_crl_lists(struct pp_span crl_der, const struct pp_x509 *issuer,
                                 const struct pp_x509 *c, uint64_t posix_s, int *ret_listed);

/* --- making ---------------------------------------------------------------------------------- */

/* The session certificate of pp-wire 5: v3, CN=pp, serial 1, 20000101..99991231, no extension,
 * self-signed with ecdsa-with-SHA256. At most `cap` bytes of DER. */
PP_MUST pp_res pp_x509_make_session(const struct pp_ec_key *key, uint8_t *ret_der, size_t cap,
                                    size_t *ret_len);

#endif
