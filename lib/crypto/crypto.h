/* SPDX-License-Identifier: Apache-2.0 */
/* crypto.h: start-up of the cryptographic libraries. */
#ifndef PP_CRYPTO_H
#define PP_CRYPTO_H

#include "result.h"

/*
 * Starts libsodium and fetches every algorithm of OpenSSL that this library uses, once per process;
 * later calls return the first one's result. Every program, test and fuzz target calls it before
 * anything else of lib/crypto. Any thread. Fails with CRYPTO (detail names the algorithm by
 * number). From then on what OpenSSL frees is wiped, unless the process used OpenSSL before.
 */
PP_MUST pp_res pp_crypto_init(void);

/* Empties this thread's queue of OpenSSL errors. SSL_get_error reads it, so whoever calls OpenSSL's
 * TLS does this first. */
void pp_crypto_forget_errors(void);

#endif
