/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "bench.h"
#include "crypto.h"
#include "kem.h"
#include "yardstick.h"

static struct pp_random prng;

static void must(pp_res r)
{
    if (!pp_is_ok(r)) {
        fprintf(stderr, "bench: %s at %s\n", pp_code_name(r.code), r.where);
        exit(1);
    }
}

/* The three operations of a KEM; gives the seconds of a decapsulation. */
static double measure(uint16_t id)
{
    uint8_t enc[PP_KEM_ENC_BYTES_MAX];
    struct pp_secret shared = { 0 };
    struct pp_kem_key *key = NULL;

    printf("%s\n", pp_kem_info(id)->name);
    must(pp_kem_key_generate(id, &prng, &key));
    (void)BENCH("  a new key pair", "op", {
        struct pp_kem_key *k = NULL;
        must(pp_kem_key_generate(id, &prng, &k));
        pp_kem_key_free(k);
    });
    must(pp_kem_encap(id, pp_kem_key_public(key), &prng, enc, &shared));
    pp_secret_done(&shared);
    (void)BENCH("  encapsulation", "op", {
        must(pp_kem_encap(id, pp_kem_key_public(key), &prng, enc, &shared));
        pp_secret_done(&shared);
    });
    double decap = BENCH("  decapsulation, own key imported once", "op", {
        must(pp_kem_decap(key, pp_span(enc, pp_kem_info(id)->enc_len), &shared));
        pp_secret_done(&shared);
    });
    pp_kem_key_free(key);
    return decap;
}

int main(void)
{
    prng = pp_random_system();
    must(pp_crypto_init());
    double bare = BENCH("bare X25519: one scalar multiplication of the library", "op", {
        if (!bench_bare_x25519())
            return 1;
    });
    (void)measure(PP_KEM_X25519_SHA256);
    (void)measure(PP_KEM_MLKEM768);
    bench_ratio("X-Wing decapsulation / bare X25519", measure(PP_KEM_XWING), bare,
                "aim at most 2.50 with open and seal around it");
    return 0;
}
