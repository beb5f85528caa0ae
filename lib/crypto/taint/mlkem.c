/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs X448, ML-KEM with every parameter set, and X-Wing, with every secret marked undefined:
 * private keys, the randomness of an encapsulation, and a rejected ciphertext beside a good one.
 */
#include <stdio.h>

#include "crypto.h"
#include "kem_run.h"

int main(void)
{
    static const uint16_t ids[] = { PP_KEM_X448_SHA512, PP_KEM_MLKEM512, PP_KEM_MLKEM768,
                                    PP_KEM_MLKEM1024, PP_KEM_XWING };
    pp_res r = pp_crypto_init();

    for (size_t i = 0; i < PP_ARRAY_COUNT(ids) && pp_is_ok(r); i++)
        r = kem_run(ids[i]);
    if (!pp_is_ok(r))
        fprintf(stderr, "taint_mlkem: %s at %s\n", pp_code_name(r.code), r.where);
    return !pp_is_ok(r);
}
