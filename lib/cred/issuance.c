/* SPDX-License-Identifier: Apache-2.0 */
/* Both halves of an issuance: each message's parser stands beside its writer. */
#include "cred_int.h"
#include "ct.h"

/* --- messages -------------------------------------------------------------------------------- */

/* `elements<V>` of the batched draft: a length of the shortest form, then the bytes. */
static struct pp_span read_elements(struct pp_rd *rd)
{
    uint64_t len = pp_rd_varint_minimal(rd);

    if (len > rd->left) {
        pp_rd_fail(rd, PP_E_TRUNCATED);
        len = 0;
    }
    return pp_rd_bytes(rd, (size_t)len);
}

static void write_elements(enum pp_cred_form form, struct pp_span elements, struct pp_wr *wr)
{
    if (form == PP_CRED_BATCH)
        pp_wr_varint(wr, elements.len);
    pp_wr_span(wr, elements);
}

pp_res pp_cred_request_parse(enum pp_cred_form form, struct pp_span bytes,
                             struct pp_cred_request *ret)
{
    struct pp_rd rd = pp_rd_span(bytes);
    struct pp_cred_request q = { .form = form };

    q.type = pp_rd_u16(&rd);
    q.truncated_key_id = pp_rd_u8(&rd);
    PP_TRY(pp_rd_ok(&rd));
    const struct cred_type *type = cred_type_find(q.type);
    PP_CHECK(type != NULL, PP_E_UNSUPPORTED, q.type);
    PP_CHECK(form == PP_CRED_SINGLE || type->batches, PP_E_UNSUPPORTED, q.type);
    q.elements = form == PP_CRED_BATCH ? read_elements(&rd) : pp_rd_bytes(&rd, type->element_bytes);
    PP_TRY(pp_rd_end(&rd));
    PP_CHECK(q.elements.len > 0 && q.elements.len % type->element_bytes == 0, PP_E_RANGE,
             q.elements.len);
    q.count = q.elements.len / type->element_bytes;
    PP_CHECK(q.count <= PP_CRED_BATCH_MAX, PP_E_LIMIT, q.count);
    *ret = q;
    return PP_OK;
}

int pp_cred_request_is_for(const struct pp_cred_request *q, const struct pp_cred_public *key)
{
    return q->type == key->type && q->truncated_key_id == key->key_id[PP_TOKEN_KEY_ID_BYTES - 1];
}

static void write_request(const struct pp_cred_request *q, struct pp_wr *wr)
{
    pp_wr_u16(wr, q->type);
    pp_wr_u8(wr, q->truncated_key_id);
    write_elements(q->form, q->elements, wr);
}

struct response {
    struct pp_span evaluated, proof; /* borrowed */
};

static pp_res parse_response(const struct cred_type *type, enum pp_cred_form form, size_t count,
                             struct pp_span bytes, struct response *ret)
{
    struct pp_rd rd = pp_rd_span(bytes);
    struct response p = { 0 };

    p.evaluated = form == PP_CRED_BATCH ? read_elements(&rd)
                                        : pp_rd_bytes(&rd, type->element_bytes);
    p.proof = pp_rd_bytes(&rd, type->proof_bytes);
    PP_TRY(pp_rd_end(&rd));
    PP_CHECK(p.evaluated.len == count * type->element_bytes, PP_E_RANGE, p.evaluated.len);
    *ret = p;
    return PP_OK;
}

/* --- the issuer ------------------------------------------------------------------------------ */

pp_res pp_cred_issue(const struct pp_cred_key *key, const struct pp_cred_request *q,
                     const struct pp_random *random, struct pp_wr *wr)
{
    const struct cred_type *type = cred_type_find(key->pub.type);
    uint8_t evaluated[PP_CRED_ELEMENTS_BYTES_MAX];
    uint8_t proof[PP_CRED_PROOF_BYTES_MAX];

    PP_CHECK(type != NULL, PP_E_UNSUPPORTED, key->pub.type);
    PP_CHECK(pp_cred_request_is_for(q, &key->pub), PP_E_MISMATCH, q->truncated_key_id);
    PP_TRY(type->issue(key, q->elements.at, q->count, random, evaluated, proof));
    write_elements(q->form, pp_span(evaluated, q->elements.len), wr);
    pp_wr_bytes(wr, proof, type->proof_bytes);
    return pp_wr_ok(wr);
}

uint32_t pp_cred_issue_status(pp_res r)
{
    switch (r.code) {
    case PP_E_OK:
        return 200;
    case PP_E_NO_MEMORY:
    case PP_E_SYSTEM:
    case PP_E_CRYPTO:
    case PP_E_RANDOM:
    case PP_E_STATE:
    case PP_E_NO_SPACE:
        return 500;
    default:
        return 422;
    }
}

/* --- the device ------------------------------------------------------------------------------ */

/* The 98 bytes that token `i` is about; they hold its nonce, so the caller wipes them. */
static void token_input(const struct pp_cred_issuance *x, size_t i,
                        uint8_t ret[PP_TOKEN_INPUT_BYTES])
{
    struct pp_wr wr = pp_wr_over(ret, PP_TOKEN_INPUT_BYTES);
    struct pp_token t = { .type = x->key.type };

    memcpy(t.nonce, x->nonces_secret.bytes + i * PP_TOKEN_NONCE_BYTES, sizeof t.nonce);
    memcpy(t.challenge_digest, x->challenge_digest, sizeof t.challenge_digest);
    memcpy(t.key_id, x->key.key_id, sizeof t.key_id);
    pp_token_input_write(&t, &wr);
    PP_ASSERT(wr.failed == PP_E_OK);
    pp_wipe(&t, sizeof t);
}

static pp_res blind_one(struct pp_cred_issuance *x, const struct cred_type *type, size_t i,
                        const struct pp_random *random)
{
    uint8_t input[PP_TOKEN_INPUT_BYTES];

    PP_TRY(pp_random_fill(random, x->nonces_secret.bytes + i * PP_TOKEN_NONCE_BYTES,
                          PP_TOKEN_NONCE_BYTES));
    token_input(x, i, input);
    pp_res r = type->blind(&x->key, PP_BYTES(input), random,
                           x->blinds_secret.bytes + i * type->blind_bytes,
                           x->blinded + i * type->element_bytes);
    pp_wipe(input, sizeof input);
    return r;
}

static pp_res begin(struct pp_cred_issuance *x, const struct pp_random *random)
{
    const struct cred_type *type = cred_type_find(x->key.type);

    PP_CHECK(type != NULL, PP_E_UNSUPPORTED, x->key.type);
    PP_CHECK(x->count >= 1 && x->count <= PP_CRED_BATCH_MAX, PP_E_RANGE, x->count);
    PP_CHECK(x->form == PP_CRED_BATCH || x->count == 1, PP_E_RANGE, x->count);
    PP_CHECK(x->form == PP_CRED_SINGLE || type->batches, PP_E_UNSUPPORTED, x->key.type);
    PP_TRY(pp_secret_alloc(&x->nonces_secret, x->count * PP_TOKEN_NONCE_BYTES));
    PP_TRY(pp_secret_alloc(&x->blinds_secret, x->count * type->blind_bytes));
    for (size_t i = 0; i < x->count; i++)
        PP_TRY(blind_one(x, type, i, random));
    return PP_OK;
}

pp_res pp_cred_issuance_begin(struct pp_cred_issuance *x, enum pp_cred_form form,
                              const struct pp_cred_public *key,
                              const uint8_t challenge_digest[PP_TOKEN_DIGEST_BYTES], size_t count,
                              const struct pp_random *random)
{
    *x = (struct pp_cred_issuance){ .form = form, .key = *key, .count = count };
    memcpy(x->challenge_digest, challenge_digest, PP_TOKEN_DIGEST_BYTES);
    pp_res r = begin(x, random);
    if (!pp_is_ok(r))
        pp_cred_issuance_done(x);
    return r;
}

void pp_cred_issuance_write(const struct pp_cred_issuance *x, struct pp_wr *wr)
{
    const struct cred_type *type = cred_type_find(x->key.type);

    PP_ASSERT(type != NULL); /* begin succeeded */
    const struct pp_cred_request q = {
        .form = x->form,
        .type = x->key.type,
        .truncated_key_id = x->key.key_id[PP_TOKEN_KEY_ID_BYTES - 1],
        .elements = pp_span(x->blinded, x->count * type->element_bytes),
        .count = x->count,
    };
    write_request(&q, wr);
}

/* Only behind a verified proof: where there is one, nothing here would notice a wrong element. */
static pp_res make_tokens(const struct pp_cred_issuance *x, const struct cred_type *type,
                          const uint8_t *evaluated, struct pp_secret *tokens)
{
    size_t token_bytes = pp_token_bytes(type->type);

    for (size_t i = 0; i < x->count; i++) {
        uint8_t *token = tokens->bytes + i * token_bytes;
        struct pp_span blind = pp_span(x->blinds_secret.bytes + i * type->blind_bytes,
                                       type->blind_bytes);

        token_input(x, i, token);
        PP_TRY(type->finalize(&x->key, pp_span(token, PP_TOKEN_INPUT_BYTES), blind,
                              evaluated + i * type->element_bytes, token + PP_TOKEN_INPUT_BYTES));
    }
    return PP_OK;
}

static pp_res finish(const struct pp_cred_issuance *x, struct pp_span response,
                     struct pp_secret *ret_tokens)
{
    const struct cred_type *type = cred_type_find(x->key.type);
    PP_AUTO(pp_secret) tokens = { 0 };
    struct response p;

    PP_CHECK(type != NULL && x->count > 0, PP_E_STATE, 0);
    PP_TRY_AS(PP_E_ISSUER_PROOF, parse_response(type, x->form, x->count, response, &p));
    pp_res verdict = type->verify(&x->key, x->blinded, p.evaluated.at, x->count, p.proof.at);
    PP_CHECK(verdict.code != PP_E_PROOF, PP_E_ISSUER_KEY, 0);
    PP_TRY_AS(PP_E_ISSUER_PROOF, verdict);

    PP_TRY(pp_secret_alloc(&tokens, x->count * pp_token_bytes(type->type)));
    verdict = make_tokens(x, type, p.evaluated.at, &tokens);
    PP_CHECK(verdict.code != PP_E_PROOF, PP_E_ISSUER_KEY, 0);
    PP_TRY(verdict);
    *ret_tokens = tokens;
    tokens = (struct pp_secret){ 0 };
    return PP_OK;
}

pp_res pp_cred_issuance_finish(struct pp_cred_issuance *x, struct pp_span response,
                               struct pp_secret *ret_tokens)
{
    pp_res r = finish(x, response, ret_tokens);

    pp_cred_issuance_done(x); /* no second answer is tried against the same blinds */
    return r;
}

void pp_cred_issuance_done(struct pp_cred_issuance *x)
{
    pp_secret_done(&x->nonces_secret);
    pp_secret_done(&x->blinds_secret);
    *x = (struct pp_cred_issuance){ 0 };
}
