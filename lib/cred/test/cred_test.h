/* SPDX-License-Identifier: Apache-2.0 */
/* cred_test.h: a replaying random source and a ready issuer, for the tests of this folder. */
#ifndef PP_CRED_TEST_H
#define PP_CRED_TEST_H

#include "harness.h"

#include "cred.h"
#include "crypto.h"

#define ISSUER    "issuer.example"
#define AUTHORITY "gateway.example"

enum { DAY = 20500, NOON_S = DAY * 86400 + 43200 };

/* Bytes that differ from call to call and are the same in every run. */
static inline pp_res counting_fill(void *ctx, uint8_t *ret, size_t len)
{
    uint32_t *state = ctx;

    for (size_t i = 0; i < len; i++) {
        *state = *state * 1664525U + 1013904223U;
        ret[i] = (uint8_t)(*state >> 24);
    }
    return PP_OK;
}

static uint32_t counting_state = 1;
static const struct pp_random RANDOM = { .fill = counting_fill, .ctx = &counting_state };

static inline struct pp_cred_key test_key(uint8_t seed_byte)
{
    uint8_t seed[PP_CRED_SEED_BYTES];
    struct pp_cred_key key = { 0 };

    memset(seed, seed_byte, sizeof seed);
    assert_ok(pp_cred_key_derive(PP_TOKEN_VOPRF_RISTRETTO255, PP_BYTES(seed), &key));
    return key;
}

static inline void test_digest(uint32_t day, uint8_t ret[PP_TOKEN_DIGEST_BYTES])
{
    assert_ok(pp_token_epoch_digest(PP_TOKEN_VOPRF_RISTRETTO255, PP_STR(ISSUER), PP_STR(AUTHORITY),
                                    day, ret));
}

/* A request as bytes. */
struct test_message {
    uint8_t bytes[PP_CRED_REQUEST_BYTES_MAX + 64];
    size_t len;
};

static inline struct test_message test_request(const struct pp_cred_issuance *x)
{
    struct test_message m;
    struct pp_wr wr = pp_wr_over(m.bytes, sizeof m.bytes);

    pp_cred_issuance_write(x, &wr);
    assert_ok(pp_wr_ok(&wr));
    m.len = wr.len;
    return m;
}

/* What the issuer with `key` answers to `request`. */
static inline struct test_message test_answer(const struct pp_cred_key *key, enum pp_cred_form form,
                                              const struct test_message *request)
{
    struct test_message m;
    struct pp_wr wr = pp_wr_over(m.bytes, sizeof m.bytes);
    struct pp_cred_request q;

    assert_ok(pp_cred_request_parse(form, pp_span(request->bytes, request->len), &q));
    assert_ok(pp_cred_issue(key, &q, &RANDOM, &wr));
    m.len = wr.len;
    return m;
}

/* `count` tokens of `key` for the epoch `day`; the caller releases them. */
static inline struct pp_secret test_tokens(const struct pp_cred_key *key, uint32_t day,
                                           size_t count)
{
    uint8_t digest[PP_TOKEN_DIGEST_BYTES];
    struct pp_cred_issuance x;
    struct pp_secret tokens = { 0 };

    test_digest(day, digest);
    assert_ok(pp_cred_issuance_begin(&x, PP_CRED_BATCH, &key->pub, digest, count, &RANDOM));
    struct test_message request = test_request(&x);
    struct test_message answer = test_answer(key, PP_CRED_BATCH, &request);
    assert_ok(pp_cred_issuance_finish(&x, pp_span(answer.bytes, answer.len), &tokens));
    return tokens;
}

#define CRED_TEST_MAIN(tests)                                                                      \
    int main(void)                                                                                 \
    {                                                                                              \
        if (!pp_is_ok(pp_crypto_init()))                                                           \
            return 1;                                                                              \
        return cmocka_run_group_tests(tests, NULL, NULL);                                          \
    }

#endif
