/* SPDX-License-Identifier: Apache-2.0 */
/* What a token costs: issued in a batch of 32, fetched by a device, and redeemed. */
#include "bench.h"

#include <sodium.h>
#include <string.h>

#include "crypto.h"
#include "oprf_int.h"

enum { BATCH = 32, INPUT_BYTES = 98 };

struct state {
    struct pp_random random;
    struct pp_secret sk;
    uint8_t pk[PP_OPRF_ELEMENT_BYTES];
    uint8_t input[INPUT_BYTES];
    uint8_t blinds[BATCH][PP_OPRF_SCALAR_BYTES];
    uint8_t blinded[BATCH * PP_OPRF_ELEMENT_BYTES], evaluated[BATCH * PP_OPRF_ELEMENT_BYTES];
    uint8_t proof[PP_OPRF_PROOF_BYTES], output[PP_OPRF_OUTPUT_BYTES];
};

static void must(pp_res r)
{
    PP_ASSERT(pp_is_ok(r));
}

static void blind_all(struct state *s)
{
    for (size_t i = 0; i < BATCH; i++)
        must(pp_oprf_blind(&PP_RISTRETTO255_SHA512, PP_VOPRF, PP_BYTES(s->input), &s->random,
                           s->blinds[i], s->blinded + i * PP_OPRF_ELEMENT_BYTES));
}

static void issue(struct state *s)
{
    must(pp_voprf_evaluate_batch(&PP_RISTRETTO255_SHA512, pp_secret_span(&s->sk), s->pk, s->blinded,
                                 BATCH, &s->random, s->evaluated, s->proof));
}

static void finish(struct state *s)
{
    must(pp_voprf_verify_batch(&PP_RISTRETTO255_SHA512, s->pk, s->blinded, s->evaluated, BATCH,
                               s->proof));
    for (size_t i = 0; i < BATCH; i++)
        must(pp_oprf_finalize(&PP_RISTRETTO255_SHA512, PP_BYTES(s->input), PP_BYTES(s->blinds[i]),
                              s->evaluated + i * PP_OPRF_ELEMENT_BYTES, s->output));
}

/* What hashing to the group begins with: expand_message, whose first hash takes the input. */
static const uint8_t *hash_of(struct state *s)
{
    static uint8_t wide[crypto_core_ristretto255_HASHBYTES];
    struct pp_hash h;

    pp_oprf_expand_begin(&PP_RISTRETTO255_SHA512, &h);
    pp_hash_update(&h, PP_BYTES(s->input));
    pp_oprf_expand_end(&PP_RISTRETTO255_SHA512, PP_VOPRF, "HashToGroup-", &h, wide, sizeof wide);
    return wide;
}

int main(void)
{
    static struct state s;
    uint8_t seed[PP_OPRF_SEED_BYTES] = { 1 };
    uint8_t product[PP_OPRF_ELEMENT_BYTES];

    must(pp_crypto_init());
    s.random = pp_random_system();
    must(pp_oprf_derive_key(&PP_RISTRETTO255_SHA512, PP_VOPRF, PP_BYTES(seed), PP_STR("bench"),
                            &s.sk, s.pk));
    blind_all(&s);

    double bare = BENCH("ristretto255, one bare scalar multiplication", "op", {
        PP_ASSERT(crypto_scalarmult_ristretto255(product, s.sk.bytes, s.blinded) == 0);
    });
    double hashing = BENCH("ristretto255, hash to the group, 98 bytes", "op", {
        PP_ASSERT(crypto_core_ristretto255_from_hash(product, hash_of(&s)) == 0);
    });
    double blinding = BENCH("VOPRF blind, batch of 32", "batch", { blind_all(&s); });
    double issuing = BENCH("VOPRF issue, batch of 32 with its proof", "batch", { issue(&s); });
    double finishing = BENCH("VOPRF verify and finalize, batch of 32", "batch", { finish(&s); });
    double redeeming = BENCH("VOPRF redeem, 98-byte input", "token", {
        must(pp_oprf_evaluate(&PP_RISTRETTO255_SHA512, PP_VOPRF, pp_secret_span(&s.sk),
                              PP_BYTES(s.input), s.output));
    });
    bench_ratio("issue per token / bare multiplication", issuing / BATCH, bare,
                "2, a share of the proof, an addition, a hash");
    bench_ratio("blind per token / bare multiplication", blinding / BATCH, bare,
                "1 and a hash to the group");
    bench_ratio("verify and finalize per token / bare multiplication", finishing / BATCH, bare,
                "3, an inversion, two additions, a hash");
    bench_ratio("redeem / (hash to the group + bare multiplication)", redeeming, hashing + bare,
                "aim at most 1.20");
    printf("%-58s %10.0f tokens/s of CPU (aim at least 7500)\n", "VOPRF issue in batches of 32",
           BATCH / issuing);
    pp_secret_done(&s.sk);
    return 0;
}
