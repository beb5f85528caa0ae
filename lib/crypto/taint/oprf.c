/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs under valgrind with keys, blinds, inputs and tags marked as secret: any branch or index on
 * them is an error. Exits 1 when a result is wrong, so that the run also proves that it ran.
 */
#include <stdio.h>
#include <string.h>

#include "crypto.h"
#include "ct.h"
#include "oprf.h"

enum { BATCH = 3 };

/* Deterministic bytes, marked as secret like those of a real source. */
static pp_res tainted_fill(void *ctx, uint8_t *ret, size_t len)
{
    uint8_t *next = ctx;

    for (size_t i = 0; i < len; i++)
        ret[i] = (uint8_t)(*next += 29);
    PP_TAINT(ret, len);
    return PP_OK;
}

static pp_res keys(struct pp_secret *ret_sk, uint8_t pk[PP_OPRF_ELEMENT_BYTES])
{
    uint8_t seed[PP_OPRF_SEED_BYTES];

    memset(seed, 7, sizeof seed);
    PP_TAINT(seed, sizeof seed);
    PP_TRY(pp_oprf_derive_key(&PP_RISTRETTO255_SHA512, PP_VOPRF, PP_BYTES(seed), PP_STR("taint"),
                              ret_sk, pk));
    PP_REVEAL(pk, PP_OPRF_ELEMENT_BYTES, "the public key is published");
    return PP_OK;
}

struct exchange {
    uint8_t inputs[BATCH][98], blinds[BATCH][PP_OPRF_SCALAR_BYTES];
    uint8_t blinded[BATCH * PP_OPRF_ELEMENT_BYTES], evaluated[BATCH * PP_OPRF_ELEMENT_BYTES];
    uint8_t proof[PP_OPRF_PROOF_BYTES];
};

static pp_res issue(const struct pp_secret *sk, const uint8_t *pk, struct exchange *x)
{
    uint8_t counter = 1;
    const struct pp_random random = { .fill = tainted_fill, .ctx = &counter };

    for (size_t i = 0; i < BATCH; i++) {
        memset(x->inputs[i], (int)i + 1, sizeof x->inputs[i]);
        PP_TAINT(x->inputs[i], sizeof x->inputs[i]);
        PP_TRY(pp_oprf_blind(&PP_RISTRETTO255_SHA512, PP_VOPRF, PP_BYTES(x->inputs[i]), &random,
                             x->blinds[i], x->blinded + i * PP_OPRF_ELEMENT_BYTES));
    }
    PP_REVEAL(x->blinded, sizeof x->blinded, "blinded elements are sent to the issuer");
    PP_TRY(pp_voprf_evaluate_batch(&PP_RISTRETTO255_SHA512, pp_secret_span(sk), pk, x->blinded,
                                   BATCH, &random, x->evaluated, x->proof));
    PP_REVEAL(x->proof, sizeof x->proof, "the proof is sent to the client");
    return pp_voprf_verify_batch(&PP_RISTRETTO255_SHA512, pk, x->blinded, x->evaluated, BATCH,
                                 x->proof);
}

static pp_res redeem(const struct pp_secret *sk, const struct exchange *x)
{
    for (size_t i = 0; i < BATCH; i++) {
        uint8_t tag[PP_OPRF_OUTPUT_BYTES], expected[PP_OPRF_OUTPUT_BYTES];

        PP_TRY(pp_oprf_finalize(&PP_RISTRETTO255_SHA512, PP_BYTES(x->inputs[i]),
                                PP_BYTES(x->blinds[i]), x->evaluated + i * PP_OPRF_ELEMENT_BYTES,
                                tag));
        PP_TRY(pp_oprf_evaluate(&PP_RISTRETTO255_SHA512, PP_VOPRF, pp_secret_span(sk),
                                PP_BYTES(x->inputs[i]), expected));
        uint32_t equal = pp_ct_eq(tag, expected, sizeof tag);
        PP_REVEAL(&equal, sizeof equal, "the verdict is what the redeemer acts on");
        PP_CHECK(equal == 1, PP_E_MISMATCH, i);
    }
    return PP_OK;
}

/* The same in POPRF mode, where the key that multiplies is an inverse. */
static pp_res poprf(const struct pp_secret *sk, const uint8_t *pk, struct exchange *x)
{
    const struct pp_oprf_suite *s = &PP_RISTRETTO255_SHA512;
    uint8_t counter = 2, tweaked[PP_OPRF_ELEMENT_BYTES];
    uint8_t tag[PP_OPRF_OUTPUT_BYTES], expected[PP_OPRF_OUTPUT_BYTES];
    const struct pp_random random = { .fill = tainted_fill, .ctx = &counter };
    const struct pp_span info = PP_STR("taint");

    PP_TRY(pp_poprf_tweak(s, pk, info, tweaked));
    for (size_t i = 0; i < BATCH; i++)
        PP_TRY(pp_oprf_blind(s, PP_POPRF, PP_BYTES(x->inputs[i]), &random, x->blinds[i],
                             x->blinded + i * PP_OPRF_ELEMENT_BYTES));
    PP_REVEAL(x->blinded, sizeof x->blinded, "blinded elements are sent to the issuer");
    PP_TRY(pp_poprf_evaluate_batch(s, pp_secret_span(sk), info, x->blinded, BATCH, &random,
                                   x->evaluated, x->proof));
    PP_REVEAL(x->proof, sizeof x->proof, "the proof is sent to the client");
    PP_TRY(pp_poprf_verify_batch(s, tweaked, x->blinded, x->evaluated, BATCH, x->proof));
    PP_TRY(pp_poprf_finalize(s, PP_BYTES(x->inputs[0]), info, PP_BYTES(x->blinds[0]), x->evaluated,
                             tag));
    PP_TRY(pp_poprf_evaluate(s, pp_secret_span(sk), PP_BYTES(x->inputs[0]), info, expected));
    uint32_t equal = pp_ct_eq(tag, expected, sizeof tag);
    PP_REVEAL(&equal, sizeof equal, "the verdict is what the redeemer acts on");
    PP_CHECK(equal == 1, PP_E_MISMATCH, 0);
    return PP_OK;
}

static pp_res run(void)
{
    PP_AUTO(pp_secret) sk = { 0 };
    uint8_t pk[PP_OPRF_ELEMENT_BYTES];
    struct exchange x;

    PP_TRY(pp_crypto_init());
    PP_TRY(keys(&sk, pk));
    PP_TRY(issue(&sk, pk, &x));
    PP_TRY(redeem(&sk, &x));
    return poprf(&sk, pk, &x);
}

int main(void)
{
    pp_res r = run();

    if (!pp_is_ok(r))
        fprintf(stderr, "%s at %s\n", pp_code_name(r.code), r.where);
    return !pp_is_ok(r);
}
