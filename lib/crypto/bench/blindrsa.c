/* SPDX-License-Identifier: Apache-2.0 */
/* What a token of type 2 costs its issuer, its device and its redeemer. */
#include "bench.h"

#include "blindrsa.h"
#include "crypto.h"

enum { BYTES = 256, INPUT_BYTES = 98, SALT = PP_BLINDRSA_SALT_BYTES };

static void must(pp_res r)
{
    PP_ASSERT(pp_is_ok(r));
}

int main(void)
{
    struct pp_blindrsa_key *key = NULL;
    const struct pp_random random = pp_random_system();
    uint8_t input[INPUT_BYTES] = { 1 }, inverse[BYTES], blinded[BYTES], answer[BYTES];
    uint8_t signature[BYTES];

    must(pp_crypto_init());
    must(pp_blindrsa_generate(&key));
    BENCH("blind RSA, 2048 bits: blind", "token",
          { must(pp_blindrsa_blind(key, PP_BYTES(input), SALT, &random, inverse, blinded)); });
    BENCH("blind RSA, 2048 bits: sign and check the signature", "token",
          { must(pp_blindrsa_sign(key, PP_BYTES(blinded), answer)); });
    BENCH("blind RSA, 2048 bits: finalize", "token", {
        must(pp_blindrsa_finalize(key, PP_BYTES(input), SALT, PP_BYTES(inverse), PP_BYTES(answer),
                                  signature));
    });
    BENCH("blind RSA, 2048 bits: verify", "token",
          { must(pp_blindrsa_verify(key, PP_BYTES(input), SALT, PP_BYTES(signature))); });
    pp_blindrsa_free(key);
    return 0;
}
