/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs under valgrind with the message, the salt and the blind of a blind RSA client marked as
 * secret: any branch or index on them is an error. Where they become numbers of OpenSSL they are
 * revealed, as blindrsa.h says; so this is about the encoding, and about what the library around
 * the numbers does. Exits 1 when a result is wrong, so that the run also proves that it ran.
 */
#include <stdio.h>
#include <string.h>

#include "blindrsa.h"
#include "crypto.h"
#include "ct.h"
#include "rsa_key.h"
#include "text.h"

enum { BYTES = RSA_KEY_BYTES, SALT = PP_BLINDRSA_SALT_BYTES };

/* Deterministic bytes, marked as secret like those of a real source. */
static pp_res tainted_fill(void *ctx, uint8_t *ret, size_t len)
{
    uint8_t *next = ctx;

    for (size_t i = 0; i < len; i++)
        ret[i] = (uint8_t)(*next += 29);
    ret[0] &= 0x7f; /* below any modulus, or there would be a loop about what is thrown away */
    PP_TAINT(ret, len);
    return PP_OK;
}

static pp_res exchange(const struct pp_blindrsa_key *key)
{
    uint8_t message[98], inverse[BYTES], blinded[BYTES], answer[BYTES], signature[BYTES];
    uint8_t counter = 1;
    const struct pp_random random = { .fill = tainted_fill, .ctx = &counter };

    memset(message, 3, sizeof message);
    PP_TAINT(message, sizeof message);
    PP_TRY(pp_blindrsa_blind(key, PP_BYTES(message), SALT, &random, inverse, blinded));
    PP_REVEAL(blinded, sizeof blinded, "the blinded message is sent to the signer");
    PP_TRY(pp_blindrsa_sign(key, PP_BYTES(blinded), answer));
    return pp_blindrsa_finalize(key, PP_BYTES(message), SALT, PP_BYTES(inverse), PP_BYTES(answer),
                                signature);
}

static pp_res run(void)
{
    struct pp_blindrsa_key *key = NULL;
    uint8_t n[BYTES], d[BYTES];

    PP_TRY(pp_crypto_init());
    PP_TRY(pp_hex_parse(pp_span_cstr(RSA_KEY_N), n, sizeof n));
    PP_TRY(pp_hex_parse(pp_span_cstr(RSA_KEY_D), d, sizeof d));
    PP_TRY(pp_blindrsa_import_numbers(PP_BYTES(n), PP_BYTES(d), &key));
    pp_res r = exchange(key);
    pp_blindrsa_free(key);
    return r;
}

int main(void)
{
    pp_res r = run();

    if (!pp_is_ok(r))
        fprintf(stderr, "%s at %s\n", pp_code_name(r.code), r.where);
    return !pp_is_ok(r);
}
