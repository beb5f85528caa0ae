/* SPDX-License-Identifier: Apache-2.0 */
/* reference.h: OpenSSL's own verification of a chain, which tests hold ours against. */
#ifndef PP_CRYPTO_TEST_REFERENCE_H
#define PP_CRYPTO_TEST_REFERENCE_H

#include "x509.h"

/* As pp_x509_chain_verify, root last: OK, SIGNATURE or RANGE, by X509_verify_cert. */
uint32_t reference_chain_code(struct pp_x509 *const *certs, size_t count, uint64_t posix_s,
                              int strict);

#endif
