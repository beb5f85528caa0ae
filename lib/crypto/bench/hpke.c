/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "bench.h"
#include "crypto.h"
#include "hpke.h"

#include <openssl/evp.h>

static void must(pp_res r)
{
    if (!pp_is_ok(r)) {
        fprintf(stderr, "bench: %s at %s\n", pp_code_name(r.code), r.where);
        exit(1);
    }
}

int main(void)
{
    static const struct pp_hpke_suite suite = { PP_KEM_X25519_SHA256, PP_HKDF_SHA256,
                                                PP_AES_128_GCM };
    struct pp_random random = pp_random_system();
    struct pp_kem_key *key = NULL;
    struct pp_hpke_info info;
    struct pp_hpke s = { 0 }, r = { 0 };
    static uint8_t pt[1024], ct[1024 + 16];
    uint8_t sk[32], enc[32], out[32];

    must(pp_crypto_init());
    must(pp_kem_key_generate(PP_KEM_X25519_SHA256, &random, &key));
    must(pp_hpke_info_init(&info, suite, PP_STR("bench")));
    must(pp_random_fill(&random, sk, sizeof sk));
    must(pp_hpke_sender(&s, &info, pp_kem_key_public(key), &random, enc));
    must(pp_hpke_seal(&s, PP_STR(""), PP_BYTES(pt), ct));

    EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, sk, sizeof sk);
    EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, enc, sizeof enc);
    EVP_PKEY_CTX *derive = EVP_PKEY_CTX_new(own, NULL);
    size_t out_len = sizeof out;
    if (derive == NULL || EVP_PKEY_derive_init(derive) != 1 ||
        EVP_PKEY_derive_set_peer_ex(derive, peer, 0) != 1)
        return 1;
    double bare = BENCH("bare X25519: one scalar multiplication of the library", "op", {
        if (EVP_PKEY_derive(derive, out, &out_len) != 1)
            return 1;
    });
    EVP_PKEY_CTX_free(derive);
    EVP_PKEY_free(peer);
    EVP_PKEY_free(own);
    struct pp_secret shared = { 0 };
    double decap = BENCH("X25519 decapsulation, own key imported once", "op", {
        must(pp_kem_decap(key, PP_BYTES(enc), &shared));
        pp_secret_done(&shared);
    });
    double open = BENCH("HPKE base receiver set-up and open, 1 KiB", "msg", {
        must(pp_hpke_receiver(&r, &info, key, PP_BYTES(enc)));
        must(pp_hpke_open(&r, PP_STR(""), PP_BYTES(ct), pt));
        pp_hpke_done(&r);
    });
    double seal = BENCH("HPKE base sender set-up and seal, 1 KiB", "msg", {
        must(pp_hpke_sender(&s, &info, pp_kem_key_public(key), &random, enc));
        must(pp_hpke_seal(&s, PP_STR(""), PP_BYTES(pt), ct));
        pp_hpke_done(&s);
    });
    bench_ratio("decapsulation / bare X25519", decap, bare, "no aim: shows the KDF's share");
    bench_ratio("receiver set-up and open / bare X25519", open, bare,
                "aim at most 1.25 with the answer's seal");
    bench_ratio("sender set-up and seal / bare X25519", seal, bare, "two scalar multiplications");
    pp_hpke_done(&s);
    pp_kem_key_free(key);
    return 0;
}
