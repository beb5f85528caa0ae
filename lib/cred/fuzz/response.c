/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Responses to one fixed request of two tokens: only the bytes that the key's holder sent give
 * tokens; all others give a refusal and nothing else.
 */
#include "fuzz.h"

#include "cred.h"
#include "crypto.h"

static struct pp_cred_key key;
static uint8_t genuine[PP_CRED_RESPONSE_BYTES_MAX];
static size_t genuine_len;

static pp_res counting_fill(void *ctx, uint8_t *ret, size_t len)
{
    uint8_t *next = ctx;

    for (size_t i = 0; i < len; i++)
        ret[i] = (*next)++;
    return PP_OK;
}

static void begin(struct pp_cred_issuance *x)
{
    static const uint8_t digest[PP_TOKEN_DIGEST_BYTES];
    uint8_t state = 1;
    const struct pp_random random = { .fill = counting_fill, .ctx = &state };

    FUZZ_CHECK(pp_is_ok(pp_cred_issuance_begin(x, PP_CRED_BATCH, &key.pub, digest, 2, &random)));
}

static void prepare(void)
{
    static const uint8_t seed[PP_CRED_SEED_BYTES] = { 1 };
    uint8_t request[PP_CRED_REQUEST_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(request, sizeof request);
    uint8_t state = 99;
    const struct pp_random random = { .fill = counting_fill, .ctx = &state };
    struct pp_cred_issuance x;
    struct pp_cred_request q;

    if (genuine_len > 0)
        return;
    FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    FUZZ_CHECK(pp_is_ok(pp_cred_key_derive(PP_TOKEN_VOPRF_RISTRETTO255, PP_BYTES(seed), &key)));
    begin(&x);
    pp_cred_issuance_write(&x, &wr);
    FUZZ_CHECK(pp_is_ok(pp_cred_request_parse(PP_CRED_BATCH, pp_wr_done(&wr), &q)));
    struct pp_wr answer = pp_wr_over(genuine, sizeof genuine);
    FUZZ_CHECK(pp_is_ok(pp_cred_issue(&key, &q, &random, &answer)));
    genuine_len = answer.len;
    pp_cred_issuance_done(&x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_cred_issuance x;
    struct pp_secret tokens = { 0 };

    prepare();
    begin(&x);
    pp_res r = pp_cred_issuance_finish(&x, pp_span(data, len), &tokens);
    FUZZ_CHECK(pp_is_ok(r) == pp_span_eq(pp_span(data, len), pp_span(genuine, genuine_len)));
    FUZZ_CHECK(pp_is_ok(r) || r.code == PP_E_ISSUER_KEY || r.code == PP_E_ISSUER_PROOF);
    FUZZ_CHECK(pp_is_ok(r) == (tokens.bytes != NULL));
    pp_secret_done(&tokens);
    return 0;
}
