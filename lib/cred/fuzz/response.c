/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Responses to one fixed request of two tokens of type 5, and to one of a token of type 2: only the
 * bytes that the key's holder sent give tokens; all others give a refusal and nothing else.
 */
#include "fuzz.h"

#include "cred.h"
#include "crypto.h"
#include "test/rsa_key.h"
#include "text.h"

struct asked {
    enum pp_cred_form form;
    size_t count;
    struct pp_cred_key key;
    uint8_t genuine[PP_CRED_RESPONSE_BYTES_MAX];
    size_t genuine_len;
};

static struct asked voprf = { .form = PP_CRED_BATCH, .count = 2 };
static struct asked blind_rsa = { .form = PP_CRED_SINGLE, .count = 1 };

static pp_res counting_fill(void *ctx, uint8_t *ret, size_t len)
{
    uint8_t *next = ctx;

    for (size_t i = 0; i < len; i++)
        ret[i] = (*next)++;
    return PP_OK;
}

static void begin(const struct asked *a, struct pp_cred_issuance *x)
{
    static const uint8_t digest[PP_TOKEN_DIGEST_BYTES];
    uint8_t state = 1;
    const struct pp_random random = { .fill = counting_fill, .ctx = &state };

    FUZZ_CHECK(
        pp_is_ok(pp_cred_issuance_begin(x, a->form, &a->key.pub, digest, a->count, &random)));
}

static void answer(struct asked *a)
{
    uint8_t request[PP_CRED_REQUEST_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(request, sizeof request);
    struct pp_wr back = pp_wr_over(a->genuine, sizeof a->genuine);
    uint8_t state = 99;
    const struct pp_random random = { .fill = counting_fill, .ctx = &state };
    struct pp_cred_issuance x;
    struct pp_cred_request q;

    begin(a, &x);
    pp_cred_issuance_write(&x, &wr);
    FUZZ_CHECK(pp_is_ok(pp_cred_request_parse(a->form, pp_wr_done(&wr), &q)));
    FUZZ_CHECK(pp_is_ok(pp_cred_issue(&a->key, &q, &random, &back)));
    a->genuine_len = back.len;
    pp_cred_issuance_done(&x);
}

static void prepare(void)
{
    static const uint8_t seed[PP_CRED_SEED_BYTES] = { 1 };
    uint8_t der[RSA_KEY_DER_BYTES];

    if (voprf.genuine_len > 0)
        return;
    FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    FUZZ_CHECK(
        pp_is_ok(pp_cred_key_derive(PP_TOKEN_VOPRF_RISTRETTO255, PP_BYTES(seed), &voprf.key)));
    FUZZ_CHECK(pp_is_ok(pp_hex_parse(pp_span_cstr(RSA_KEY_DER), der, sizeof der)));
    FUZZ_CHECK(pp_is_ok(pp_cred_key_import(PP_TOKEN_BLIND_RSA, PP_BYTES(der), &blind_rsa.key)));
    answer(&voprf);
    answer(&blind_rsa);
}

static void finish(const struct asked *a, struct pp_span bytes)
{
    struct pp_cred_issuance x;
    struct pp_secret tokens = { 0 };

    begin(a, &x);
    pp_res r = pp_cred_issuance_finish(&x, bytes, &tokens);
    FUZZ_CHECK(pp_is_ok(r) == pp_span_eq(bytes, pp_span(a->genuine, a->genuine_len)));
    FUZZ_CHECK(pp_is_ok(r) || r.code == PP_E_ISSUER_KEY || r.code == PP_E_ISSUER_PROOF);
    FUZZ_CHECK(pp_is_ok(r) == (tokens.bytes != NULL));
    pp_secret_done(&tokens);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    prepare();
    finish(&voprf, pp_span(data, len));
    if (len == blind_rsa.genuine_len) /* others end before they cost anything but the request */
        finish(&blind_rsa, pp_span(data, len));
    return 0;
}
