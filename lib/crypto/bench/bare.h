/* SPDX-License-Identifier: Apache-2.0 */
/* bare.h: single library calls with everything imported, the yardsticks of other benchmarks. */
#ifndef PP_BENCH_BARE_H
#define PP_BENCH_BARE_H

/* Makes the keys and signatures; aborts when the library does not work. */
void bare_setup(void);

void bare_p384_verify(void);     /* one ECDSA verification of a digest */
void bare_rsa_4096_verify(void); /* one RSASSA-PSS verification of a digest, salt 48 */

#endif
