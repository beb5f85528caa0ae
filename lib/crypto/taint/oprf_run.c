/* SPDX-License-Identifier: Apache-2.0 */
#include "oprf_run.h"

#include <string.h>

#include "ct.h"

enum { BATCH = 3, INPUT_BYTES = 98 };

/* Deterministic bytes, marked as secret like those of a real source. */
static pp_res tainted_fill(void *ctx, uint8_t *ret, size_t len)
{
    uint8_t *next = ctx;

    for (size_t i = 0; i < len; i++)
        ret[i] = (uint8_t)(*next += 29);
    PP_TAINT(ret, len);
    return PP_OK;
}

struct exchange {
    const struct pp_oprf_suite *s;
    struct pp_secret sk;
    uint8_t pk[PP_OPRF_ELEMENT_BYTES_MAX];
    uint8_t inputs[BATCH][INPUT_BYTES], blinds[BATCH][PP_OPRF_SCALAR_BYTES_MAX];
    uint8_t blinded[BATCH * PP_OPRF_ELEMENT_BYTES_MAX];
    uint8_t evaluated[BATCH * PP_OPRF_ELEMENT_BYTES_MAX];
    uint8_t proof[PP_OPRF_PROOF_BYTES_MAX];
};

static void exchange_done(struct exchange *x)
{
    pp_secret_done(&x->sk);
}

static struct pp_span blind_of(const struct exchange *x, size_t i)
{
    return pp_span(x->blinds[i], pp_oprf_scalar_bytes(x->s));
}

static pp_res make_key(struct exchange *x)
{
    uint8_t seed[PP_OPRF_SEED_BYTES];

    memset(seed, 7, sizeof seed);
    PP_TAINT(seed, sizeof seed);
    PP_TRY(pp_oprf_derive_key(x->s, PP_VOPRF, PP_BYTES(seed), PP_STR("taint"), &x->sk, x->pk));
    PP_REVEAL(x->pk, sizeof x->pk, "the public key is published");
    return PP_OK;
}

static pp_res blind(struct exchange *x, enum pp_oprf_mode mode, const struct pp_random *random)
{
    for (size_t i = 0; i < BATCH; i++) {
        memset(x->inputs[i], (int)i + 1, INPUT_BYTES);
        PP_TAINT(x->inputs[i], INPUT_BYTES);
        PP_TRY(pp_oprf_blind(x->s, mode, PP_BYTES(x->inputs[i]), random, x->blinds[i],
                             x->blinded + i * pp_oprf_element_bytes(x->s)));
    }
    PP_REVEAL(x->blinded, sizeof x->blinded, "blinded elements are sent to the issuer");
    return PP_OK;
}

static pp_res same(const struct exchange *x, const uint8_t *tag, const uint8_t *expected, size_t i)
{
    uint32_t equal = pp_ct_eq(tag, expected, pp_oprf_output_bytes(x->s));

    PP_REVEAL(&equal, sizeof equal, "the verdict is what the redeemer acts on");
    PP_CHECK(equal == 1, PP_E_MISMATCH, i);
    return PP_OK;
}

static pp_res voprf(struct exchange *x)
{
    uint8_t counter = 1, tag[PP_OPRF_OUTPUT_BYTES_MAX], expected[PP_OPRF_OUTPUT_BYTES_MAX];
    const struct pp_random random = { .fill = tainted_fill, .ctx = &counter };

    PP_TRY(blind(x, PP_VOPRF, &random));
    PP_TRY(pp_voprf_evaluate_batch(x->s, pp_secret_span(&x->sk), x->pk, x->blinded, BATCH, &random,
                                   x->evaluated, x->proof));
    PP_REVEAL(x->evaluated, sizeof x->evaluated, "evaluated elements are sent to the client");
    PP_REVEAL(x->proof, sizeof x->proof, "the proof is sent to the client");
    PP_TRY(pp_voprf_verify_batch(x->s, x->pk, x->blinded, x->evaluated, BATCH, x->proof));
    for (size_t i = 0; i < BATCH; i++) {
        PP_TRY(pp_oprf_finalize(x->s, PP_BYTES(x->inputs[i]), blind_of(x, i),
                                x->evaluated + i * pp_oprf_element_bytes(x->s), tag));
        PP_TRY(pp_oprf_evaluate(x->s, PP_VOPRF, pp_secret_span(&x->sk), PP_BYTES(x->inputs[i]),
                                expected));
        PP_TRY(same(x, tag, expected, i));
    }
    return PP_OK;
}

/* The same in POPRF mode, where the key that multiplies is an inverse. */
static pp_res poprf(struct exchange *x)
{
    uint8_t counter = 2, tweaked[PP_OPRF_ELEMENT_BYTES_MAX];
    uint8_t tag[PP_OPRF_OUTPUT_BYTES_MAX], expected[PP_OPRF_OUTPUT_BYTES_MAX];
    const struct pp_random random = { .fill = tainted_fill, .ctx = &counter };
    const struct pp_span info = PP_STR("taint");

    PP_TRY(pp_poprf_tweak(x->s, x->pk, info, tweaked));
    PP_TRY(blind(x, PP_POPRF, &random));
    PP_TRY(pp_poprf_evaluate_batch(x->s, pp_secret_span(&x->sk), info, x->blinded, BATCH, &random,
                                   x->evaluated, x->proof));
    PP_REVEAL(x->evaluated, sizeof x->evaluated, "evaluated elements are sent to the client");
    PP_REVEAL(x->proof, sizeof x->proof, "the proof is sent to the client");
    PP_TRY(pp_poprf_verify_batch(x->s, tweaked, x->blinded, x->evaluated, BATCH, x->proof));
    PP_TRY(
        pp_poprf_finalize(x->s, PP_BYTES(x->inputs[0]), info, blind_of(x, 0), x->evaluated, tag));
    PP_TRY(pp_poprf_evaluate(x->s, pp_secret_span(&x->sk), PP_BYTES(x->inputs[0]), info, expected));
    return same(x, tag, expected, 0);
}

pp_res oprf_run(const struct pp_oprf_suite *s)
{
    PP_AUTO(exchange) x = { .s = s };

    PP_TRY(make_key(&x));
    PP_TRY(voprf(&x));
    return poprf(&x);
}
