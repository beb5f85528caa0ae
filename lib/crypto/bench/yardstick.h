/* SPDX-License-Identifier: Apache-2.0 */
/* yardstick.h: the bare operations that benchmarks of other libraries are compared with. */
#ifndef PP_BENCH_YARDSTICK_H
#define PP_BENCH_YARDSTICK_H

/* One X25519 scalar multiplication of OpenSSL, keys imported before. 1 when it worked. */
int bench_bare_x25519(void);

#endif
