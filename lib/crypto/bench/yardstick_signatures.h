/* SPDX-License-Identifier: Apache-2.0 */
/* yardstick_signatures.h: bare verifications that other libraries' benchmarks compare with. */
#ifndef PP_BENCH_YARDSTICK_SIGNATURES_H
#define PP_BENCH_YARDSTICK_SIGNATURES_H

/* Makes keys and signatures: what follows is a verification and nothing else. 1: it worked. */
int bench_bare_signatures_start(void);

int bench_bare_p256_verify(void);     /* ECDSA over a digest; 1 when it verified */
int bench_bare_p384_verify(void);     /* the same */
int bench_bare_rsa_4096_verify(void); /* RSASSA-PSS over a digest, salt 48 */

#endif
