/* SPDX-License-Identifier: Apache-2.0 */
/* x509_int.h: a parsed certificate, as the x509_*.c files see it. */
#ifndef PP_X509_INT_H
#define PP_X509_INT_H

#include <openssl/x509.h>

#include "x509.h"

struct pp_x509 {
    X509 *x;             /* holds no key that OpenSSL could use: `pkey` is the one */
    EVP_PKEY *pkey;      /* NULL for a key that cannot be read */
    EVP_PKEY_CTX *ready; /* to verify ECDSA with it; NULL for another key */
    uint8_t *der;        /* a copy of what was parsed */
    size_t der_len;
    size_t tbs_from, tbs_len; /* the bytes of `der` that are signed */
    uint64_t not_before, not_after;
    enum pp_x509_key_kind key_kind;
    int is_ca, may_certify; /* basicConstraints; keyUsage, where it is there */
    long path_len;          /* of an authority; below 0: without a limit */
};

/* 1: nothing in it forbids its use, and nothing asks for what we do not do. */
int pp_x509_is_plain(const struct pp_x509 *c);

/* POSIX seconds; 0 for a time before 1970. FORMAT. */
PP_MUST pp_res pp_asn1_time(const ASN1_TIME *t, uint64_t *ret);

/* What a signature algorithm's three numbers are called here. */
enum pp_x509_sig_kind pp_sig_kind(int digest_nid, int key_nid, unsigned flags);

#endif
