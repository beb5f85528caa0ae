/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs under valgrind with keys, blinds, inputs and tags marked as secret: any branch or index on
 * them is an error. Exits 1 when a result is wrong, so that the run also proves that it ran.
 */
#include <stdio.h>

#include "crypto.h"
#include "oprf_run.h"

int main(void)
{
    pp_res r = pp_crypto_init();

    if (pp_is_ok(r))
        r = oprf_run(&PP_RISTRETTO255_SHA512);
    if (!pp_is_ok(r))
        fprintf(stderr, "%s at %s\n", pp_code_name(r.code), r.where);
    return !pp_is_ok(r);
}
