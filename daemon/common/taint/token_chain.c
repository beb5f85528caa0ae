/* SPDX-License-Identifier: Apache-2.0 */
/* Runs under valgrind with the chain's value marked as secret: moving it on, and making a key. */
#include <stdio.h>

#include "crypto.h"
#include "ct.h"
#include "token_chain.h"

static pp_res fill(void *ctx, uint8_t *ret, size_t len)
{
    (void)ctx;
    memset(ret, 7, len);
    PP_TAINT(ret, len);
    return PP_OK;
}

static pp_res run(void)
{
    const struct pp_random random = { .fill = fill };
    PP_AUTO(pp_token_chain) c = { 0 };
    PP_AUTO(pp_secret) seed = { 0 };

    PP_TRY(pp_crypto_init());
    PP_TRY(pp_token_chain_new(20500, &random, &c));
    PP_TRY(pp_token_chain_advance(&c, 20501));
    return pp_token_chain_seed(&c, 20502, &seed);
}

int main(void)
{
    pp_res r = run();

    if (!pp_is_ok(r))
        fprintf(stderr, "%s at %s\n", pp_code_name(r.code), r.where);
    return !pp_is_ok(r);
}
