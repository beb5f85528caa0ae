/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs under valgrind with the issuer's key, the device's nonces and blinds, the finished tokens
 * and the assertion key marked as secret: any branch or index on them is an error.
 */
#include <stdio.h>

#include "assertion.h"
#include "cred.h"
#include "crypto.h"
#include "ct.h"

enum { DAY = 20500, NOON_S = DAY * 86400 + 43200, COUNT = 2 };

static pp_res tainted_fill(void *ctx, uint8_t *ret, size_t len)
{
    uint8_t *next = ctx;

    for (size_t i = 0; i < len; i++)
        ret[i] = (uint8_t)(*next += 31);
    PP_TAINT(ret, len);
    return PP_OK;
}

static uint8_t counter;
static const struct pp_random RANDOM = { .fill = tainted_fill, .ctx = &counter };

static pp_res make_key(struct pp_cred_key *ret)
{
    uint8_t seed[PP_CRED_SEED_BYTES];

    PP_TRY(pp_random_fill(&RANDOM, seed, sizeof seed));
    PP_TRY(pp_cred_key_derive(PP_TOKEN_VOPRF_RISTRETTO255, PP_BYTES(seed), ret));
    PP_REVEAL(ret->pub.pk, sizeof ret->pub.pk, "the public key is published");
    PP_REVEAL(ret->pub.key_id, sizeof ret->pub.key_id, "and so is its id");
    return PP_OK;
}

static pp_res issue(const struct pp_cred_key *key, const struct pp_cred_epoch *epoch,
                    struct pp_secret *ret_tokens)
{
    uint8_t request[PP_CRED_REQUEST_BYTES_MAX], response[PP_CRED_RESPONSE_BYTES_MAX];
    struct pp_wr out = pp_wr_over(request, sizeof request);
    struct pp_wr back = pp_wr_over(response, sizeof response);
    struct pp_cred_issuance x;
    struct pp_cred_request q;

    PP_TRY(pp_cred_issuance_begin(&x, PP_CRED_BATCH, &key->pub, epoch->challenge_digest, COUNT,
                                  &RANDOM));
    PP_REVEAL(x.blinded, sizeof x.blinded, "blinded elements are sent to the issuer");
    pp_cred_issuance_write(&x, &out);
    PP_TRY(pp_cred_request_parse(PP_CRED_BATCH, pp_wr_done(&out), &q));
    PP_TRY(pp_cred_issue(key, &q, &RANDOM, &back));
    PP_REVEAL(response, sizeof response, "the response is sent to the device");
    return pp_cred_issuance_finish(&x, pp_wr_done(&back), ret_tokens);
}

/* What the gateway reads came over the network; its own key and what it computes stay secret. */
static pp_res redeem(const struct pp_cred_epoch *epoch, struct pp_secret *tokens)
{
    size_t len = tokens->len / COUNT;

    PP_REVEAL(tokens->bytes, tokens->len, "a token that is spent is sent to the gateway");
    for (size_t i = 0; i < COUNT; i++) {
        char field[PP_TOKEN_FIELD_BYTES_MAX];
        struct pp_wr wr = pp_wr_over(field, sizeof field);
        struct pp_cred_redeemed redeemed;

        pp_token_field_write(pp_span(tokens->bytes + i * len, len), &wr);
        PP_TRY(pp_cred_redeem_check(epoch, 1, NOON_S, pp_wr_done(&wr), &redeemed));
        field[wr.len - 8] ^= 1;
        PP_CHECK(!pp_is_ok(pp_cred_redeem_check(epoch, 1, NOON_S, pp_wr_done(&wr), &redeemed)),
                 PP_E_MISMATCH, i);
    }
    return PP_OK;
}

static pp_res assertions(void)
{
    const struct pp_assertion a = { .account = "alice", .account_len = 5, .expiry_s = NOON_S + 1 };
    const struct pp_span issuer = PP_STR("issuer.example");
    uint8_t key[PP_ASSERTION_KEY_BYTES];
    const struct pp_span keys[] = { PP_BYTES(key) };
    char field[PP_ASSERTION_FIELD_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(field, sizeof field);
    struct pp_assertion got;

    memset(key, 1, sizeof key);
    PP_TRY(pp_assertion_write(&a, issuer, PP_BYTES(key), &wr));
    PP_TAINT(key, sizeof key);
    PP_TRY(pp_assertion_check(pp_wr_done(&wr), issuer, keys, 1, NOON_S, &got));
    field[wr.len - 8] ^= 1;
    PP_CHECK(!pp_is_ok(pp_assertion_check(pp_wr_done(&wr), issuer, keys, 1, NOON_S, &got)),
             PP_E_MISMATCH, 0);
    return PP_OK;
}

static pp_res run(void)
{
    PP_AUTO(pp_cred_key) key = { 0 };
    PP_AUTO(pp_secret) tokens = { 0 };
    struct pp_cred_epoch epoch;

    PP_TRY(pp_crypto_init());
    PP_TRY(make_key(&key));
    PP_TRY(
        pp_cred_epoch_init(&epoch, &key, DAY, PP_STR("issuer.example"), PP_STR("gateway.example")));
    PP_TRY(issue(&key, &epoch, &tokens));
    PP_TRY(redeem(&epoch, &tokens));
    return assertions();
}

int main(void)
{
    pp_res r = run();

    if (!pp_is_ok(r))
        fprintf(stderr, "%s at %s\n", pp_code_name(r.code), r.where);
    return !pp_is_ok(r);
}
