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

enum {
    PP_X509_DER_BYTES_MAX = 16384,
    PP_X509_CHAIN_MAX = 5,       /* certificates, root included */
    PP_X509_NAME_BYTES_MAX = 96, /* of one attribute, final NUL included */
    PP_X509_CRL_BYTES_MAX = 1 << 20,
};

/*
 * A parsed certificate, owned by the caller. Constant after parsing: reading and verifying are safe
 * from any thread.
 */
struct pp_x509;

/* Exactly one certificate in DER, no trailing byte. FORMAT, LIMIT (PP_X509_DER_BYTES_MAX). */
PP_MUST pp_res pp_x509_parse(struct pp_span der, struct pp_x509 **ret);
void pp_x509_free(struct pp_x509 *c); /* NULL is fine */

/*
 * Splits a PEM file (RFC 7468) into its certificates, in order. Text around the blocks is skipped;
 * a block of another kind is refused. FORMAT, LIMIT (a block too long, or more than
 * PP_X509_CHAIN_MAX).
 */
struct pp_x509_pem {
    uint8_t *der[PP_X509_CHAIN_MAX]; /* malloc'ed; released by pp_x509_pem_free */
    size_t der_len[PP_X509_CHAIN_MAX];
    size_t count;
};
PP_MUST pp_res pp_x509_pem_parse(struct pp_span pem, struct pp_x509_pem *ret);

/* The same into the caller's memory, without allocating, of a file that holds nothing else: text
 * before, between or behind the certificates is FORMAT, empty lines are none. `ret` borrows from
 * `buf`, for which three quarters of the text are enough. Also NO_SPACE. */
PP_MUST pp_res pp_x509_pem_split(struct pp_span pem, uint8_t *buf, size_t cap,
                                 struct pp_span ret[PP_X509_CHAIN_MAX], size_t *ret_count);
void pp_x509_pem_free(struct pp_x509_pem *p); /* zero state is fine */

/*
 * The chain certs[0] (leaf) .. certs[count-1] must end in the pinned root: byte-equal to `root`'s
 * DER and self-signed. Every signature, CA flag, path length, critical extension and validity at
 * `posix_s` is checked; no system store, no partial chain, exactly `count` certificates
 * (2..PP_X509_CHAIN_MAX, else RANGE), none twice. `strict` 0 leaves out RFC 5280's rules that AMD's
 * chip certificates do not keep (they lack an authority key identifier); nothing of the above.
 * SIGNATURE for a chain that does not verify, RANGE for a certificate outside its validity; the
 * detail is an X509_V_ERR_ number of OpenSSL, with which tests compare every verdict.
 */
PP_MUST pp_res pp_x509_chain_verify(struct pp_x509 *const *certs, size_t count,
                                    const struct pp_x509 *root, uint64_t posix_s, int strict);

/*
 * The same, strictly, for a root that is kept and that pp_x509_link_verify found to have signed
 * itself: certs[0] (leaf) .. certs[count-1], which `root` signed. RANGE also for a count that is
 * not 1..PP_X509_CHAIN_MAX - 1.
 */
PP_MUST pp_res pp_x509_path_verify(struct pp_x509 *const *certs, size_t count,
                                   const struct pp_x509 *root, uint64_t posix_s);

/*
 * One link of such a chain, for authorities that were verified before and are kept: `issuer` is
 * named in `c`, may certify it, and its key signed it; neither has a critical extension that we do
 * not know, name constraints, or is outside its validity at `posix_s`. Chip and authority,
 * authority and root, root and itself: the three links of a chain of three, which may be verified
 * at different times, since nothing but the validity changes.
 * SIGNATURE, RANGE (validity); the detail is an X509_V_ERR_ number.
 */
PP_MUST pp_res pp_x509_link_verify(const struct pp_x509 *c, const struct pp_x509 *issuer,
                                   uint64_t posix_s);

/* 1 from the first second of its validity to the last but one, as OpenSSL counts. */
int pp_x509_in_force(const struct pp_x509 *c, uint64_t posix_s);

/* --- fields ---------------------------------------------------------------------------------- */

enum pp_x509_key_kind {
    PP_X509_KEY_OTHER,
    PP_X509_KEY_P256, /* named curve, uncompressed point */
    PP_X509_KEY_P384,
    PP_X509_KEY_RSA
};
enum pp_x509_sig_kind {
    PP_X509_SIG_OTHER,
    PP_X509_SIG_PSS_SHA384, /* MGF1 with SHA-384, salt of 48 bytes */
    PP_X509_SIG_ECDSA_SHA256,
    PP_X509_SIG_ECDSA_SHA384
};

int pp_x509_version(const struct pp_x509 *c); /* 1, 2 or 3 */
enum pp_x509_key_kind pp_x509_key_kind(const struct pp_x509 *c);
size_t pp_x509_key_bits(const struct pp_x509 *c); /* 0 for a key that cannot be read */
enum pp_x509_sig_kind pp_x509_sig_kind(const struct pp_x509 *c);
uint64_t pp_x509_not_before(const struct pp_x509 *c); /* POSIX seconds; 0 for before 1970 */
uint64_t pp_x509_not_after(const struct pp_x509 *c);
int pp_x509_equal(const struct pp_x509 *a, const struct pp_x509 *b);        /* byte-equal DER */
void pp_x509_digest(const struct pp_x509 *c, uint8_t ret[PP_SHA256_BYTES]); /* SHA-256 of the DER */
struct pp_span pp_x509_der(const struct pp_x509 *c); /* what was parsed; borrowed from `c` */

/* DER of the SubjectPublicKeyInfo; the uncompressed point of an EC key. Copies; NO_SPACE, KEY. */
PP_MUST pp_res pp_x509_spki(const struct pp_x509 *c, uint8_t *ret, size_t cap, size_t *ret_len);
PP_MUST pp_res pp_x509_point(const struct pp_x509 *c, uint8_t *ret, size_t cap, size_t *ret_len);

/*
 * Verifies with the certificate's P-256 or P-384 key, without importing it again; R and S
 * big-endian, of the field's length. KEY, SIGNATURE.
 */
PP_MUST pp_res pp_x509_ecdsa_verify_raw(const struct pp_x509 *c, enum pp_hash_id hash,
                                        struct pp_span message, const uint8_t *r, const uint8_t *s);

/*
 * Text of one attribute of subject or issuer ("CN", "O", "OU", "C", "ST", "L"), NUL-terminated.
 * NOT_FOUND; DUPLICATE when the attribute occurs twice; RANGE over the limit; FORMAT with a NUL
 * inside.
 */
enum pp_x509_side { PP_X509_SUBJECT, PP_X509_ISSUER };
PP_MUST pp_res pp_x509_name(const struct pp_x509 *c, enum pp_x509_side side, const char *attribute,
                            char ret[PP_X509_NAME_BYTES_MAX]);
size_t pp_x509_name_count(const struct pp_x509 *c, enum pp_x509_side side); /* attributes in all */

/* Content of the extension's OCTET STRING, borrowed from `c`. NOT_FOUND, DUPLICATE. `oid` dotted.
 */
PP_MUST pp_res pp_x509_extension(const struct pp_x509 *c, const char *oid, struct pp_span *ret);

/* 1 if some extension occurs twice, which RFC 5280 4.2 forbids and OpenSSL lets pass. */
int pp_x509_repeats_extension(const struct pp_x509 *c);

/* 1 for a serial number above zero (RFC 5280 4.1.2.2); AMD's chip certificates have zero. */
int pp_x509_serial_is_positive(const struct pp_x509 *c);

/*
 * A revocation list that was found genuine and in force, owned by the caller. It must be one DER
 * CertificateList issued and signed by `issuer` (PSS-SHA-384 or ECDSA), have no critical extension,
 * and be in force: thisUpdate <= posix_s < nextUpdate. FORMAT, LIMIT, SIGNATURE, RANGE (not in
 * force).
 */
struct pp_x509_crl;
PP_MUST pp_res pp_x509_crl_open(struct pp_span crl_der, const struct pp_x509 *issuer,
                                uint64_t posix_s, struct pp_x509_crl **ret);
PP_MUST pp_res pp_x509_crl_in_force(const struct pp_x509_crl *crl, uint64_t posix_s); /* RANGE */
int pp_x509_crl_has(const struct pp_x509_crl *crl, const struct pp_x509 *c); /* its serial number */
uint64_t pp_x509_crl_next_update(const struct pp_x509_crl *crl);             /* POSIX seconds */
void pp_x509_crl_free(struct pp_x509_crl *crl);                              /* NULL is fine */

/*
 * Both in one call, for one certificate: writes 1 if the serial number of `c` is in the CRL, else
 * 0. Codes of pp_x509_crl_open.
 */
PP_MUST pp_res pp_x509_crl_lists(struct pp_span crl_der, const struct pp_x509 *issuer,
                                 const struct pp_x509 *c, uint64_t posix_s, int *ret_listed);

/* --- making ---------------------------------------------------------------------------------- */

enum { PP_X509_SESSION_BYTES_MAX = 269 };

/*
 * The session certificate of pp-wire 5: v3, subject and issuer CN=pp (UTF8String), serial 1, valid
 * 2000-01-01 00:00:00 to 9999-12-31 23:59:59, no extension, self-signed with ecdsa-with-SHA256.
 * `key` is on P-256 (else KEY). Only the point and the signature differ between two of them.
 * NO_SPACE, CRYPTO.
 */
PP_MUST pp_res pp_x509_make_session(const struct pp_ec_key *key, uint8_t *ret_der, size_t cap,
                                    size_t *ret_len);

/*
 * The same certificate as OpenSSL's object (X509), for lib/ratls: read from DER it would cost more
 * than all signatures of a handshake, since OpenSSL 3.0 searches all its decoders for one that
 * knows the key. A maker holds what is the same in all of them; it may be shared by threads.
 */
struct pp_x509_maker;
struct x509_st;

PP_MUST pp_res pp_x509_maker_new(struct pp_x509_maker **ret); /* CRYPTO, NO_MEMORY */
void pp_x509_maker_free(struct pp_x509_maker *m);             /* NULL is fine */

/* `*ret` is the caller's, who frees it with X509_free. KEY (not on P-256), CRYPTO. */
PP_MUST pp_res pp_x509_maker_make(const struct pp_x509_maker *m, const struct pp_ec_key *key,
                                  struct x509_st **ret);

#endif
