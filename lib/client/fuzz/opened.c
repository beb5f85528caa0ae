/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gateway says to exchange #1, under the seal that it alone can make: whatever it is, a
 * session that no machine attested is never verified, and it is over.
 */
#include "fuzz.h"

#include "crypto.h"
#include "session.h"

enum { NOW = 1000, TOKEN_BYTES = 162 };

static struct pp_ohttp_gateway gateway;
static struct pp_ratls_ctx *ratls;
static struct pp_random source;
static struct pp_trust trust = { .message_kem = PP_KEM_X25519_SHA256,
                                 .ohttp_kem = PP_KEM_X25519_SHA256 };
static struct pp_ledger_record record = { .record = { .type = PP_RECORD_KEY_EPOCH } };
static struct pp_ledger ledger = { .records = &record, .record_count = 1, .now_posix_s = NOW };
static struct pp_marks marks;

static void make(void)
{
    static const struct pp_ohttp_suite suite = { 0x0001, 0x0001 };
    struct pp_key_epoch *k = &record.record.key_epoch;
    struct pp_wr wr = pp_wr_over(k->config, sizeof k->config);
    struct pp_kem_key *key = NULL;

    FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    source = pp_random_system();
    FUZZ_CHECK(pp_is_ok(pp_kem_key_generate(PP_KEM_X25519_SHA256, &source, &key)));
    FUZZ_CHECK(pp_is_ok(pp_ohttp_gateway_add(&gateway, 1, key, &suite, 1)));
    FUZZ_CHECK(pp_is_ok(pp_ohttp_gateway_keys(&gateway, &wr)));
    k->kind = PP_RECORD_OHTTP;
    k->use_until = NOW + 1;
    k->config_len = wr.len;
    FUZZ_CHECK(pp_is_ok(pp_ratls_ctx_new(PP_END_CLIENT, &ratls)));
    trust.gateway_authority = PP_STR("gateway.example");
}

/* The gateway's answer to `request`: `inner`, filled with zeros or cut to the bucket. */
static void seal(struct pp_span request, struct pp_span inner, struct pp_ohttp_suite suite,
                 uint8_t ret[PP_BUCKET_1_DOWN_BYTES])
{
    static uint8_t up[PP_BUCKET_1_UP_BYTES], padded[PP_BUCKET_1_DOWN_BYTES];
    size_t room = PP_BUCKET_1_DOWN_BYTES - pp_ohttp_response_overhead(suite);
    struct pp_ohttp exchange = { 0 };
    struct pp_span unused;
    struct pp_wr wr = pp_wr_over(ret, PP_BUCKET_1_DOWN_BYTES);
    struct pp_wr in = pp_wr_over(padded, room);

    memcpy(up, request.at, request.len);
    pp_wr_span(&in, pp_span(inner.at, inner.len < room ? inner.len : room));
    pp_wr_fill_to(&in, room);
    FUZZ_CHECK(pp_is_ok(pp_ohttp_request_open(&exchange, &gateway, up, request.len, &unused)));
    FUZZ_CHECK(pp_is_ok(pp_ohttp_response_seal(&exchange, &source, pp_wr_done(&in), &wr)));
    pp_ohttp_done(&exchange);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static _Alignas(16) uint8_t memory[1 << 17];
    static uint8_t body[PP_BUCKET_1_DOWN_BYTES];
    static struct pp_session s;
    static const uint8_t token[TOKEN_BYTES] = { 0, 5 };
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);
    struct pp_checks checks = { 0 };
    struct pp_problem problem = { 0 };
    const struct pp_verified *verified = NULL;
    struct pp_span request;

    if (ratls == NULL)
        make();
    const struct pp_session_env env = { &trust,  &ledger, &marks,  ratls,
                                        &source, &arena,  &checks, &problem };
    FUZZ_CHECK(pp_is_ok(pp_session_init(&s, &env)));
    FUZZ_CHECK(pp_is_ok(pp_session_open(&s, PP_BYTES(token), &request)));
    seal(request, pp_span(data, len), s.suite, body);
    FUZZ_CHECK(!pp_is_ok(pp_session_opened(&s, body, sizeof body, &verified)));
    FUZZ_CHECK(verified == NULL && s.state == PP_SESSION_FAILED && s.tls == NULL);
    FUZZ_CHECK(problem.party[0] != '\0');
    pp_session_done(&s);
    pp_arena_done(&arena);
    return 0;
}
