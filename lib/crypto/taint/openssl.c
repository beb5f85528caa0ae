/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs what rests on OpenSSL's numbers with its secrets marked: DHKEM, hybrids and OPRF on the NIST
 * curves, and the signer's half of blind RSA. OpenSSL's multiplications hide their operands behind
 * random factors and its numbers know how long they are, neither of which valgrind can judge: what
 * happens inside libcrypto is left out here (tests/taint/openssl.supp), and only here. The results
 * are still secret when they come back, so our own code around the numbers is judged: the range of
 * a private key, the candidates of DeriveKeyPair and RandomScalar, key derivation, combiners,
 * proofs, and what is done with a signature before it was checked.
 */
#include <stdio.h>

#include "blindrsa.h"
#include "crypto.h"
#include "ct.h"
#include "kem_run.h"
#include "oprf_run.h"
#include "rsa_key.h"
#include "text.h"

static pp_res sign(void)
{
    uint8_t n[RSA_KEY_BYTES], d[RSA_KEY_BYTES], number[RSA_KEY_BYTES], answer[RSA_KEY_BYTES];
    struct pp_blindrsa_key *key = NULL;

    PP_TRY(pp_hex_parse(pp_span_cstr(RSA_KEY_N), n, sizeof n));
    PP_TRY(pp_hex_parse(pp_span_cstr(RSA_KEY_D), d, sizeof d));
    memset(number, 5, sizeof number);
    PP_TAINT(d, sizeof d);
    PP_TRY(pp_blindrsa_import_numbers(PP_BYTES(n), PP_BYTES(d), &key));
    pp_res r = pp_blindrsa_sign(key, PP_BYTES(number), answer);
    pp_blindrsa_free(key);
    return r;
}

int main(void)
{
    static const uint16_t kems[] = { PP_KEM_P256_SHA256, PP_KEM_P384_SHA384, PP_KEM_P521_SHA512,
                                     PP_KEM_MLKEM768_P256, PP_KEM_MLKEM1024_P384 };
    pp_res r = pp_crypto_init();

    for (size_t i = 0; i < PP_ARRAY_COUNT(kems) && pp_is_ok(r); i++)
        r = kem_run(kems[i]);
    if (pp_is_ok(r))
        r = oprf_run(&PP_P256_SHA256);
    if (pp_is_ok(r))
        r = oprf_run(&PP_P384_SHA384);
    if (pp_is_ok(r))
        r = sign();
    if (!pp_is_ok(r))
        fprintf(stderr, "taint_openssl: %s at %s\n", pp_code_name(r.code), r.where);
    return !pp_is_ok(r);
}
