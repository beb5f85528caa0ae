/* SPDX-License-Identifier: Apache-2.0 */
/* kem_run.h: a KEM with private keys and the randomness of an encapsulation marked as secret. */
#ifndef PP_TAINT_KEM_RUN_H
#define PP_TAINT_KEM_RUN_H

#include "kem.h"

/* A new key, an encapsulation, its decapsulation, and that of a changed one. MISMATCH. */
PP_MUST pp_res kem_run(uint16_t id);

#endif
