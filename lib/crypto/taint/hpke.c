/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs HPKE with its secrets marked undefined: valgrind reports every branch and index that depends
 * on them. X25519 and AES-GCM of OpenSSL are part of the run; every mode, both kinds of KDF.
 */
#include <stdio.h>

#include "crypto.h"
#include "ct.h"
#include "hpke.h"

/* A key of which valgrind knows nothing but its public half. */
static pp_res secret_key(const struct pp_random *random, struct pp_kem_key **ret,
                         uint8_t pk[PP_X25519_BYTES])
{
    uint8_t sk[PP_X25519_BYTES];

    PP_TRY(pp_random_fill(random, sk, sizeof sk));
    PP_TAINT(sk, sizeof sk);
    PP_TRY(pp_kem_key_import(PP_KEM_X25519_SHA256, PP_BYTES(sk), ret));
    memcpy(pk, pp_kem_key_public(*ret).at, PP_X25519_BYTES);
    PP_REVEAL(pk, PP_X25519_BYTES, "a public key is public");
    return PP_OK;
}

static pp_res one_message(struct pp_hpke *s, struct pp_hpke *r)
{
    uint8_t ct[100 + PP_AEAD_TAG_BYTES], pt[100] = { 0 }, out[32], tag[16] = { 0 };

    PP_TAINT(s->key_secret.bytes, s->key_secret.len);
    PP_TAINT(s->exporter_secret.bytes, s->exporter_secret.len);
    PP_TAINT(pt, sizeof pt);
    PP_TRY(pp_hpke_seal(s, PP_STR(""), PP_BYTES(pt), ct));
    PP_REVEAL(ct, sizeof ct, "ciphertext is public");
    PP_TRY(pp_hpke_open(r, PP_STR(""), PP_BYTES(ct), pt));
    PP_TRY(pp_hpke_export(r, PP_STR("x"), out, sizeof out));

    PP_TAINT(tag, sizeof tag);
    uint32_t equal = pp_ct_eq(tag, out, sizeof tag);
    PP_REVEAL(&equal, sizeof equal, "the verdict of a comparison is public");
    PP_CHECK(!equal, PP_E_MISMATCH, 0);
    return PP_OK;
}

static pp_res run(uint16_t kdf, enum pp_hpke_mode mode)
{
    struct pp_hpke_suite suite = { PP_KEM_X25519_SHA256, kdf, PP_AES_128_GCM };
    int has_psk = mode == PP_HPKE_PSK || mode == PP_HPKE_AUTH_PSK;
    int has_sender = mode == PP_HPKE_AUTH || mode == PP_HPKE_AUTH_PSK;
    struct pp_random random = pp_random_system();
    struct pp_kem_key *key = NULL, *own = NULL;
    struct pp_hpke_info info;
    PP_AUTO(pp_hpke) s = { 0 };
    PP_AUTO(pp_hpke) r = { 0 };
    uint8_t pk[PP_X25519_BYTES], own_pk[PP_X25519_BYTES], enc[PP_X25519_BYTES];
    uint8_t psk[PP_HPKE_PSK_BYTES_MIN] = { 7 };

    PP_TRY(pp_hpke_info_init_mode(&info, suite, mode, has_psk ? PP_STR("id") : PP_STR(""),
                                  PP_STR("taint")));
    PP_TRY(secret_key(&random, &key, pk));
    PP_TRY(secret_key(&random, &own, own_pk));
    PP_TAINT(psk, sizeof psk);
    struct pp_span shared_key = has_psk ? PP_BYTES(psk) : PP_STR("");
    PP_TRY(pp_hpke_sender_mode(&s, &info, shared_key, has_sender ? own : NULL, PP_BYTES(pk),
                               &random, enc));
    PP_TRY(pp_hpke_receiver_mode(&r, &info, shared_key, has_sender ? PP_BYTES(own_pk) : PP_STR(""),
                                 key, PP_BYTES(enc)));
    pp_res result = one_message(&s, &r);
    pp_kem_key_free(own);
    pp_kem_key_free(key);
    return result;
}

int main(void)
{
    static const uint16_t kdfs[] = { PP_HKDF_SHA256, PP_HPKE_SHAKE256, PP_HPKE_TURBOSHAKE128 };
    pp_res r = pp_crypto_init();

    for (size_t i = 0; i < PP_ARRAY_COUNT(kdfs); i++)
        for (int mode = PP_HPKE_BASE; mode <= PP_HPKE_AUTH_PSK && pp_is_ok(r); mode++)
            r = run(kdfs[i], (enum pp_hpke_mode)mode);
    if (!pp_is_ok(r))
        fprintf(stderr, "taint_hpke: %s at %s\n", pp_code_name(r.code), r.where);
    return !pp_is_ok(r);
}
