/* SPDX-License-Identifier: Apache-2.0 */
#include "token_chain.h"

#include <stddef.h>

#include "ct.h"
#include "hash.h"
#include "kv.h"
#include "text.h"

enum { SPACING = 8, TRIES_MAX = 256 };

_Static_assert((int)PP_TOKEN_CHAIN_BYTES == (int)PP_SHA256_BYTES, "a value is a tag");
_Static_assert((int)PP_CRED_SEED_BYTES == (int)PP_SHA256_BYTES, "and so is a seed");

struct text {
    uint64_t day;
    struct pp_span value; /* hex; borrowed */
};

static const struct pp_kv_key KEYS[] = {
    { "day", PP_KV_U64, offsetof(struct text, day), 1, 0, UINT32_MAX - PP_TOKEN_CHAIN_AHEAD_MAX,
      "a UTC day number" },
    { "value", PP_KV_TEXT, offsetof(struct text, value), 1, 2 * PP_TOKEN_CHAIN_BYTES,
      2 * PP_TOKEN_CHAIN_BYTES, "64 hex digits" },
};

void pp_token_chain_done(struct pp_token_chain *c)
{
    pp_secret_done(&c->value_secret);
    *c = (struct pp_token_chain){ 0 };
}

static pp_res parse(struct pp_span text, struct pp_token_chain *ret)
{
    struct text t = { 0 };
    struct pp_token_chain c = { 0 };

    /* The words of the reader would quote the line that is wrong: it may be the secret's. */
    PP_TRY(pp_kv_read(text, KEYS, PP_ARRAY_COUNT(KEYS), &t, NULL));
    PP_TRY(pp_secret_alloc(&c.value_secret, PP_TOKEN_CHAIN_BYTES));
    pp_res r = pp_hex_parse(t.value, c.value_secret.bytes, c.value_secret.len);
    if (!pp_is_ok(r)) {
        pp_token_chain_done(&c);
        return PP_FAIL(PP_E_CONFIG, 0);
    }
    c.day = (uint32_t)t.day;
    *ret = c;
    return PP_OK;
}

pp_res pp_token_chain_parse(struct pp_span text, struct pp_problem *problem,
                            struct pp_token_chain *ret)
{
    pp_res r = parse(text, ret);

    if (!pp_is_ok(r))
        pp_problem_set(problem, "(token chain)", "a day and 64 hex digits",
                       PP_STR("another content"));
    return r;
}

pp_res pp_token_chain_write(const struct pp_token_chain *c, struct pp_wr *wr)
{
    pp_wr_text(wr, "day = ");
    pp_wr_decimal(wr, c->day);
    pp_wr_text(wr, "\nvalue = ");
    pp_wr_hex(wr, pp_secret_span(&c->value_secret));
    pp_wr_text(wr, "\n");
    return pp_wr_ok(wr);
}

pp_res pp_token_chain_new(uint32_t day, const struct pp_random *random, struct pp_token_chain *ret)
{
    struct pp_token_chain c = { .day = day };

    PP_TRY(pp_secret_alloc(&c.value_secret, PP_TOKEN_CHAIN_BYTES));
    pp_res r = pp_random_fill(random, c.value_secret.bytes, c.value_secret.len);
    if (!pp_is_ok(r)) {
        pp_token_chain_done(&c);
        return r;
    }
    *ret = c;
    return PP_OK;
}

/* HMAC(value, label || 00 || u32 day || tail). `ret` may be the value. */
static void step(const uint8_t value[PP_TOKEN_CHAIN_BYTES], struct pp_span label, uint32_t day,
                 struct pp_span tail, uint8_t ret[PP_SHA256_BYTES])
{
    const uint8_t place[] = { 0, (uint8_t)(day >> 24), (uint8_t)(day >> 16), (uint8_t)(day >> 8),
                              (uint8_t)day };
    struct pp_hmac_key key;
    struct pp_hmac m;

    pp_hmac_key_init(&key, PP_SHA256, pp_span(value, PP_TOKEN_CHAIN_BYTES));
    pp_hmac_init(&m, &key);
    pp_hmac_update(&m, label);
    pp_hmac_update(&m, PP_BYTES(place));
    pp_hmac_update(&m, tail);
    pp_hmac_final(&m, ret);
    pp_hmac_key_done(&key);
}

pp_res pp_token_chain_advance(struct pp_token_chain *c, uint32_t day)
{
    PP_CHECK(day >= c->day && day - c->day <= PP_TOKEN_CHAIN_AHEAD_MAX, PP_E_RANGE, day);
    for (; c->day < day; c->day++)
        step(c->value_secret.bytes, PP_STR("pp-token-chain-v1 next"), c->day, pp_span(NULL, 0),
             c->value_secret.bytes);
    return PP_OK;
}

/* Tries one n. 1 in `*ret_fits` if the key's id ends as the day wants it. */
static pp_res try_seed(const struct pp_token_chain *c, uint8_t n, struct pp_secret *seed,
                       int *ret_fits)
{
    PP_AUTO(pp_cred_key) key = { 0 };

    step(c->value_secret.bytes, PP_STR("pp-token-chain-v1 seed"), c->day, pp_span(&n, 1),
         seed->bytes);
    PP_TRY(pp_cred_key_derive(PP_TOKEN_VOPRF_RISTRETTO255, pp_secret_span(seed), &key));
    uint8_t last = key.pub.key_id[PP_TOKEN_KEY_ID_BYTES - 1];
    PP_REVEAL(&last, sizeof last, "the id of a key is published with it");
    *ret_fits = last % SPACING == c->day % SPACING;
    return PP_OK;
}

static pp_res find_seed(const struct pp_token_chain *c, struct pp_secret *ret)
{
    PP_AUTO(pp_secret) seed = { 0 };
    int fits = 0;

    PP_TRY(pp_secret_alloc(&seed, PP_CRED_SEED_BYTES));
    for (unsigned n = 0; n < TRIES_MAX && !fits; n++)
        PP_TRY(try_seed(c, (uint8_t)n, &seed, &fits));
    PP_CHECK(fits, PP_E_KEY, c->day);
    *ret = seed;
    seed = (struct pp_secret){ 0 };
    return PP_OK;
}

pp_res pp_token_chain_seed(const struct pp_token_chain *c, uint32_t day,
                           struct pp_secret *ret_secret)
{
    PP_AUTO(pp_token_chain) there = { .day = c->day };

    PP_TRY(pp_secret_copy(&there.value_secret, pp_secret_span(&c->value_secret)));
    PP_TRY(pp_token_chain_advance(&there, day));
    return find_seed(&there, ret_secret);
}
