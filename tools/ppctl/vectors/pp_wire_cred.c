/* SPDX-License-Identifier: Apache-2.0 */
/* The token formats of lib/cred, as JSON and back. */
#include <string.h>

#include "assertion.h"
#include "cred.h"
#include "pp_wire.h"

enum { SCRATCH_BYTES = 4096 };

static uint8_t scratch[SCRATCH_BYTES];

static json_t *text_of(struct pp_span s)
{
    return json_stringn((const char *)s.at, s.len);
}

static pp_res same(const struct pp_wr *wr, struct pp_span bytes)
{
    PP_TRY(pp_wr_ok(wr));
    PP_CHECK(pp_span_eq(pp_wr_done(wr), bytes), PP_E_MISMATCH, wr->len);
    return PP_OK;
}

/* With a `day`, the challenge must also be the one that every party computes for that epoch. */
static pp_res check_epoch(const json_t *row, const struct pp_token_challenge *c,
                          const uint8_t digest[PP_TOKEN_DIGEST_BYTES])
{
    const json_t *day = json_object_get(row, "day");
    uint8_t computed[PP_TOKEN_DIGEST_BYTES];

    if (day == NULL)
        return PP_OK;
    PP_TRY(pp_token_epoch_digest(c->type, c->issuer_name, c->origin_info,
                                 (uint32_t)json_integer_value(day), computed));
    PP_CHECK(memcmp(computed, digest, sizeof computed) == 0, PP_E_MISMATCH, 0);
    return PP_OK;
}

pp_res pp_wire_challenge(const json_t *row, struct pp_span bytes, struct pp_arena *arena,
                         json_t **ret_fields)
{
    struct pp_wr wr = pp_wr_over(scratch, sizeof scratch);
    uint8_t digest[PP_TOKEN_DIGEST_BYTES];
    struct pp_token_challenge c;

    (void)arena;
    PP_TRY(pp_token_challenge_parse(bytes, &c));
    PP_TRY(pp_token_challenge_write(&c, &wr));
    PP_TRY(same(&wr, bytes));
    PP_TRY(pp_token_challenge_digest(&c, digest));
    PP_TRY(check_epoch(row, &c, digest));
    *ret_fields = json_pack("{s:I, s:o, s:o, s:o, s:o}", "type", (json_int_t)c.type, "issuer_name",
                            text_of(c.issuer_name), "redemption_context",
                            pp_wire_hex(c.redemption_context), "origin_info",
                            text_of(c.origin_info), "digest", pp_wire_hex(PP_BYTES(digest)));
    return PP_OK;
}

pp_res pp_wire_wallet_entry(const json_t *row, struct pp_span bytes, struct pp_arena *arena,
                            json_t **ret_fields)
{
    struct pp_wr wr = pp_wr_over(scratch, sizeof scratch);
    struct pp_wallet_entry e;

    (void)row;
    (void)arena;
    PP_TRY(pp_wallet_entry_parse(bytes, &e));
    pp_wallet_entry_write(&e, &wr);
    PP_TRY(same(&wr, bytes));
    *ret_fields = json_pack("{s:I, s:I, s:I, s:o}", "type", (json_int_t)e.type, "epoch",
                            (json_int_t)e.day, "usable_from", (json_int_t)e.usable_from_s, "token",
                            pp_wire_hex(e.token));
    return PP_OK;
}

pp_res pp_wire_token_field(const json_t *row, struct pp_span bytes, struct pp_arena *arena,
                           json_t **ret_fields)
{
    struct pp_wr wr = pp_wr_over(scratch, sizeof scratch);
    uint8_t token[PP_TOKEN_BYTES_MAX];
    size_t len = 0;

    (void)row;
    (void)arena;
    PP_TRY(pp_token_field_parse(bytes, token, &len));
    pp_token_field_write(pp_span(token, len), &wr);
    PP_TRY(same(&wr, bytes));
    *ret_fields = json_pack("{s:o}", "token", pp_wire_hex(pp_span(token, len)));
    return PP_OK;
}

pp_res pp_wire_assertion(const json_t *row, struct pp_span bytes, struct pp_arena *arena,
                         json_t **ret_fields)
{
    struct pp_wr wr = pp_wr_over(scratch, sizeof scratch);
    struct pp_span issuer = pp_span_cstr(json_string_value(json_object_get(row, "issuer")));
    const json_t *keys = json_object_get(row, "keys");
    struct pp_buf key = vectors_hex_text(json_string_value(json_array_get(keys, 0)));
    const struct pp_span key_span = pp_buf_span(&key);
    uint64_t now_s = (uint64_t)json_integer_value(json_object_get(row, "now"));
    struct pp_assertion a;

    (void)arena;
    pp_res r = pp_assertion_check(bytes, issuer, &key_span, 1, now_s, &a);
    if (pp_is_ok(r))
        r = pp_assertion_write(&a, issuer, key_span, &wr);
    if (pp_is_ok(r))
        r = same(&wr, bytes);
    pp_buf_done(&key);
    PP_TRY(r);
    *ret_fields = json_pack("{s:o, s:I}", "account", pp_wire_hex(pp_span(a.account, a.account_len)),
                            "expiry", (json_int_t)a.expiry_s);
    return PP_OK;
}
