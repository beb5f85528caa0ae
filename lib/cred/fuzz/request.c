/* SPDX-License-Identifier: Apache-2.0 */
/* Requests: what was read is written to the same bytes, and small ones are answered or refused. */
#include "fuzz.h"

#include "cred.h"
#include "crypto.h"
#include "test/rsa_key.h"
#include "text.h"

static struct pp_cred_key key, rsa_key;

static pp_res fixed_fill(void *ctx, uint8_t *ret, size_t len)
{
    (void)ctx;
    memset(ret, 0x5a, len);
    return PP_OK;
}

static void prepare(void)
{
    static const uint8_t seed[PP_CRED_SEED_BYTES] = { 1 };
    uint8_t der[RSA_KEY_DER_BYTES];

    if (key.pub.pk_len > 0)
        return;
    FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    FUZZ_CHECK(pp_is_ok(pp_hex_parse(pp_span_cstr(RSA_KEY_DER), der, sizeof der)));
    FUZZ_CHECK(pp_is_ok(pp_cred_key_import(PP_TOKEN_BLIND_RSA, PP_BYTES(der), &rsa_key)));
    FUZZ_CHECK(pp_is_ok(pp_cred_key_derive(PP_TOKEN_VOPRF_RISTRETTO255, PP_BYTES(seed), &key)));
}

static void try(enum pp_cred_form form, struct pp_span bytes)
{
    static uint8_t out[PP_CRED_REQUEST_BYTES_MAX + PP_CRED_RESPONSE_BYTES_MAX];
    const struct pp_random random = { .fill = fixed_fill };
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_cred_request q;

    if (!pp_is_ok(pp_cred_request_parse(form, bytes, &q)))
        return;
    FUZZ_CHECK(q.count >= 1 && q.count <= PP_CRED_BATCH_MAX);
    pp_wr_u16(&wr, q.type);
    pp_wr_u8(&wr, q.truncated_key_id);
    if (form == PP_CRED_BATCH)
        pp_wr_varint(&wr, q.elements.len);
    pp_wr_span(&wr, q.elements);
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), bytes));

    struct pp_cred_key *k = q.type == PP_TOKEN_BLIND_RSA ? &rsa_key : &key;
    k->pub.key_id[PP_TOKEN_KEY_ID_BYTES - 1] = q.truncated_key_id;
    size_t before = wr.len;
    if (q.count <= 2 && !pp_is_ok(pp_cred_issue(k, &q, &random, &wr)))
        FUZZ_CHECK(wr.len == before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    prepare();
    try(PP_CRED_SINGLE, pp_span(data, len));
    try(PP_CRED_BATCH, pp_span(data, len));
    return 0;
}
