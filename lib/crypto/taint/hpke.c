/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs HPKE with its secrets marked undefined: valgrind reports every branch and index that depends
 * on them. X25519 and AES-GCM of OpenSSL are part of the run.
 */
#include <stdio.h>

#include "crypto.h"
#include "ct.h"
#include "hpke.h"

static pp_res run(void)
{
    static const struct pp_hpke_suite suite = { PP_KEM_X25519_SHA256, PP_HKDF_SHA256,
                                                PP_AES_128_GCM };
    struct pp_random random = pp_random_system();
    struct pp_kem_key *key = NULL;
    struct pp_hpke_info info;
    PP_AUTO(pp_hpke) s = { 0 };
    PP_AUTO(pp_hpke) r = { 0 };
    uint8_t sk[32], enc[32], ct[100 + 16], pt[100] = { 0 };

    PP_TRY(pp_crypto_init());
    PP_TRY(pp_hpke_info_init(&info, suite, PP_STR("taint")));
    PP_TRY(pp_random_fill(&random, sk, sizeof sk));
    PP_TAINT(sk, sizeof sk);
    PP_TRY(pp_kem_key_import(PP_KEM_X25519_SHA256, PP_BYTES(sk), &key));
    uint8_t pk[32];
    memcpy(pk, pp_kem_key_public(key).at, sizeof pk);
    PP_REVEAL(pk, sizeof pk, "a public key is public");
    PP_TRY(pp_hpke_sender(&s, &info, PP_BYTES(pk), &random, enc));
    PP_TRY(pp_hpke_receiver(&r, &info, key, PP_BYTES(enc)));
    PP_TAINT(s.key_secret.bytes, s.key_secret.len);
    PP_TAINT(s.exporter_secret.bytes, s.exporter_secret.len);
    PP_TAINT(pt, sizeof pt);
    PP_TRY(pp_hpke_seal(&s, PP_STR(""), PP_BYTES(pt), ct));
    PP_REVEAL(ct, sizeof ct, "ciphertext is public");
    PP_TRY(pp_hpke_open(&r, PP_STR(""), PP_BYTES(ct), pt));
    uint8_t out[32];
    PP_TRY(pp_hpke_export(&r, PP_STR("x"), out, sizeof out));

    uint8_t tag[16] = { 0 };
    PP_TAINT(tag, sizeof tag);
    uint32_t equal = pp_ct_eq(tag, out, sizeof tag);
    PP_REVEAL(&equal, sizeof equal, "the verdict of a comparison is public");
    pp_kem_key_free(key);
    return equal ? PP_FAIL(PP_E_MISMATCH, 0) : PP_OK;
}

int main(void)
{
    pp_res r = run();

    if (!pp_is_ok(r))
        fprintf(stderr, "taint_hpke: %s at %s\n", pp_code_name(r.code), r.where);
    return !pp_is_ok(r);
}
