/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topic privacypass: issuance of types 2 and 5, one by one, in batches and in generic batches (RFC
 * 9578, batched tokens -07), and the structures and fields of RFC 9577. What a row holds tells
 * which kind it is.
 */
#include "topics.h"

#include <stdlib.h>
#include <string.h>

#include "cred.h"
#include "hash.h"

enum { ROW_NAME_BYTES = 64, MEMBER_BYTES = 64, ARENA_BYTES = 1 << 16 };

/* What rows of a token type look like. */
struct kind {
    uint16_t type;
    size_t blind_bytes, salt_bytes;
    size_t zeros;       /* that make the blind as many random bytes as the library draws */
    int has_mask;       /* drawn behind the blind; any number will do */
    size_t proof_bytes; /* at the end of a response, and different every time */
};

static const struct kind KINDS[] = {
    { PP_TOKEN_VOPRF_RISTRETTO255, .blind_bytes = 32, .zeros = 32, .proof_bytes = 64 },
    { PP_TOKEN_BLIND_RSA, .blind_bytes = 256, .salt_bytes = 48, .has_mask = 1 },
};

/* --- issuance -------------------------------------------------------------------------------- */

struct run {
    const struct kind *kind;
    enum pp_cred_form form;
    struct pp_buf salt; /* type 2 alone, and of a single token */
    struct pp_buf sk, pk, challenge, request, response;
    struct pp_buf nonces[PP_CRED_BATCH_MAX], blinds[PP_CRED_BATCH_MAX], tokens[PP_CRED_BATCH_MAX];
    size_t count;
    struct pp_cred_key key;
    uint8_t digest[PP_TOKEN_DIGEST_BYTES];
};

static void run_done(struct run *r)
{
    pp_buf_done(&r->salt);
    pp_buf_done(&r->sk);
    pp_buf_done(&r->pk);
    pp_buf_done(&r->challenge);
    pp_buf_done(&r->request);
    pp_buf_done(&r->response);
    for (size_t i = 0; i < PP_CRED_BATCH_MAX; i++) {
        pp_buf_done(&r->nonces[i]);
        pp_buf_done(&r->blinds[i]);
        pp_buf_done(&r->tokens[i]);
    }
    pp_cred_key_done(&r->key);
}

/* The member, or its array element `i`; NULL bytes unless it is hex of `len` bytes. */
static int read_item(const json_t *row, const char *member, size_t i, size_t len,
                     struct pp_buf *ret)
{
    const json_t *m = json_object_get(row, member);

    if (json_is_array(m))
        m = json_array_get(m, i);
    *ret = vectors_hex_text(json_string_value(m));
    return ret->bytes != NULL && ret->len == len;
}

/* The bytes of a PEM text: its lines without the first and the last, together. */
static struct pp_buf unpem(struct pp_buf *pem)
{
    char *base64 = calloc(1, pem->len + 1);
    struct pp_rd rd = pp_rd_span(pp_buf_span(pem));
    struct pp_buf der = { 0 };
    int in_dashes = 0;
    size_t len = 0;

    while (base64 != NULL && rd.left > 0) {
        char c = (char)pp_rd_u8(&rd);
        if (c == '-')
            in_dashes = 1;
        else if (c == '\n')
            in_dashes = 0;
        else if (!in_dashes)
            base64[len++] = c;
    }
    if (base64 != NULL)
        der = vectors_base64_text(base64);
    free(base64);
    pp_buf_done(pem);
    return der;
}

static const char *read_run(struct run *r, const json_t *row)
{
    int batch = json_object_get(row, "nonces") != NULL;
    size_t token_bytes = pp_token_bytes(r->kind->type);

    r->form = batch ? PP_CRED_BATCH : PP_CRED_SINGLE;
    r->count = batch ? json_array_size(json_object_get(row, "nonces")) : 1;
    r->sk = vectors_hex(row, "skS");
    if (r->kind->type == PP_TOKEN_BLIND_RSA)
        r->sk = unpem(&r->sk);
    r->salt = vectors_hex(row, "salt");
    r->pk = vectors_hex(row, "pkS");
    r->challenge = vectors_hex(row, "token_challenge");
    if (r->count < 1 || r->count > PP_CRED_BATCH_MAX)
        return "a number of tokens outside 1..32";
    for (size_t i = 0; i < r->count; i++)
        if (!read_item(row, batch ? "nonces" : "nonce", i, PP_TOKEN_NONCE_BYTES, &r->nonces[i]) ||
            !read_item(row, batch ? "blinds" : "blind", i, r->kind->blind_bytes, &r->blinds[i]) ||
            !read_item(row, batch ? "tokens" : "token", i, token_bytes, &r->tokens[i]))
            return "nonces, blinds and tokens do not match";
    if (r->sk.bytes == NULL || r->pk.bytes == NULL || r->challenge.bytes == NULL ||
        r->request.bytes == NULL || r->response.bytes == NULL || r->salt.len != r->kind->salt_bytes)
        return "a member is missing";
    return NULL;
}

static const char *check_key_and_challenge(struct run *r)
{
    struct pp_token_challenge c;
    uint8_t digest[PP_SHA256_BYTES];

    if (!pp_is_ok(pp_cred_key_import(r->kind->type, pp_buf_span(&r->sk), &r->key)) ||
        !pp_span_eq(pp_span(r->key.pub.pk, r->key.pub.pk_len), pp_buf_span(&r->pk)))
        return "another public key";
    if (!pp_is_ok(pp_token_challenge_parse(pp_buf_span(&r->challenge), &c)) ||
        !pp_is_ok(pp_token_challenge_digest(&c, r->digest)))
        return "the challenge is refused";
    pp_sha256(pp_buf_span(&r->challenge), digest);
    return memcmp(digest, r->digest, sizeof digest) == 0 ? NULL : "another challenge digest";
}

/* Begins with the row's nonces and blinds in place of random bytes. */
static const char *begin(const struct run *r, struct pp_cred_issuance *x)
{
    uint8_t bytes[PP_CRED_BATCH_MAX * (PP_TOKEN_NONCE_BYTES + 64)];
    uint8_t request[PP_CRED_REQUEST_BYTES_MAX];
    struct pp_wr script = pp_wr_over(bytes, sizeof bytes);
    struct pp_wr wr = pp_wr_over(request, sizeof request);

    for (size_t i = 0; i < r->count; i++) {
        pp_wr_span(&script, pp_buf_span(&r->nonces[i]));
        pp_wr_span(&script, pp_buf_span(&r->salt));
        pp_wr_span(&script, pp_buf_span(&r->blinds[i]));
        pp_wr_zeros(&script, r->kind->zeros);
        if (r->kind->has_mask)
            pp_wr_span(&script, pp_buf_span(&r->blinds[i]));
    }
    struct pp_span rest = pp_wr_done(&script);
    struct pp_random random = pp_random_script(&rest);
    if (!pp_is_ok(pp_cred_issuance_begin(x, r->form, &r->key.pub, r->digest, r->count, &random)))
        return "the request cannot be made";
    pp_cred_issuance_write(x, &wr);
    return pp_span_eq(pp_wr_done(&wr), pp_buf_span(&r->request)) ? NULL : "another request";
}

static const char *check_finish(const struct run *r, struct pp_span response)
{
    struct pp_cred_issuance x = { 0 };
    PP_AUTO(pp_secret) tokens = { 0 };
    const char *why = begin(r, &x);

    if (why == NULL && !pp_is_ok(pp_cred_issuance_finish(&x, response, &tokens)))
        why = "the response is refused";
    for (size_t i = 0; why == NULL && i < r->count; i++) {
        size_t len = r->tokens[i].len;
        if (!pp_span_eq(pp_span(tokens.bytes + i * len, len), pp_buf_span(&r->tokens[i])))
            why = "another token";
    }
    pp_cred_issuance_done(&x);
    return why;
}

/* Our issuer's answer: the same elements, and a proof of its own since it draws its own nonce. */
static const char *check_issue(const struct run *r)
{
    uint8_t response[PP_CRED_RESPONSE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(response, sizeof response);
    const struct pp_random random = pp_random_system();
    struct pp_cred_request q;

    if (!pp_is_ok(pp_cred_request_parse(r->form, pp_buf_span(&r->request), &q)) ||
        !pp_is_ok(pp_cred_issue(&r->key, &q, &random, &wr)))
        return "our issuer refuses the request";
    if (wr.len != r->response.len ||
        memcmp(response, r->response.bytes, wr.len - r->kind->proof_bytes) != 0)
        return "our issuer gives other elements";
    return check_finish(r, pp_wr_done(&wr));
}

static const char *redeem_with(const struct run *r, const struct pp_cred_key *key)
{
    struct pp_cred_epoch epoch = { .key = key };
    struct pp_cred_redeemed redeemed;

    memcpy(epoch.challenge_digest, r->digest, sizeof r->digest);
    for (size_t i = 0; i < r->count; i++) {
        char field[PP_TOKEN_FIELD_BYTES_MAX];
        struct pp_wr wr = pp_wr_over(field, sizeof field);

        pp_token_field_write(pp_buf_span(&r->tokens[i]), &wr);
        if (!pp_is_ok(pp_cred_redeem_check(&epoch, 1, 0, pp_wr_done(&wr), &redeemed)))
            return "the token is not redeemed";
    }
    return NULL;
}

static const char *check_redeem(const struct run *r)
{
    struct pp_cred_key verifier = { 0 };
    const char *why = redeem_with(r, &r->key);

    if (why != NULL || r->kind->type != PP_TOKEN_BLIND_RSA)
        return why;
    if (!pp_is_ok(pp_cred_key_public(&r->key.pub, &verifier)))
        return "the public key is refused";
    why = redeem_with(r, &verifier);
    pp_cred_key_done(&verifier);
    return why;
}

/* A row, or one element of a row of generic batches; takes request and response over. */
static const char *run_issuance(const json_t *row, const struct kind *kind, struct pp_buf request,
                                struct pp_buf response)
{
    struct run *r = calloc(1, sizeof *r);

    if (r == NULL) {
        pp_buf_done(&request);
        pp_buf_done(&response);
        return "out of memory";
    }
    r->kind = kind;
    r->request = request;
    r->response = response;
    const char *why = read_run(r, row);
    if (why == NULL)
        why = check_key_and_challenge(r);
    if (why == NULL)
        why = check_finish(r, pp_buf_span(&r->response));
    if (why == NULL)
        why = check_issue(r);
    if (why == NULL)
        why = check_redeem(r);
    run_done(r);
    free(r);
    return why;
}

/* --- generic batches ------------------------------------------------------------------------- */

struct generic {
    struct pp_buf request, response;
    struct pp_span requests[PP_CRED_GENERIC_MAX];
    struct pp_cred_generic_answer answers[PP_CRED_GENERIC_MAX];
    size_t count;
};

static struct pp_buf copy_of(struct pp_span bytes)
{
    struct pp_buf b = { .bytes = malloc(bytes.len + 1) };

    if (b.bytes != NULL && bytes.len > 0) {
        memcpy(b.bytes, bytes.at, bytes.len);
        b.len = bytes.len;
    }
    return b;
}

/* Takes both messages apart, and puts them together again. */
static const char *split(struct generic *g, size_t count)
{
    uint8_t again[PP_CRED_GENERIC_MAX * 300];
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    size_t answered = 0;

    if (!pp_is_ok(pp_cred_generic_parse(pp_buf_span(&g->request), g->requests, &g->count)) ||
        g->count != count)
        return "the request is not read";
    if (!pp_is_ok(
            pp_cred_generic_answers_parse(pp_buf_span(&g->response), g->answers, &answered)) ||
        answered != count)
        return "the response is not read";
    pp_cred_generic_write(g->requests, count, &wr);
    if (!pp_span_eq(pp_wr_done(&wr), pp_buf_span(&g->request)))
        return "another request";
    wr = pp_wr_over(again, sizeof again);
    pp_cred_generic_answers_write(g->answers, count, &wr);
    return pp_span_eq(pp_wr_done(&wr), pp_buf_span(&g->response)) ? NULL : "another response";
}

static const struct kind *find_kind(const json_t *root, const json_t *row);

static const char *run_generic(const json_t *root, const json_t *row)
{
    const json_t *items = json_object_get(row, "issuance");
    struct generic g = { .request = vectors_hex(row, "token_request"),
                         .response = vectors_hex(row, "token_response") };
    const char *why = split(&g, json_array_size(items));

    for (size_t i = 0; why == NULL && i < g.count; i++) {
        const json_t *item = json_array_get(items, i);
        const struct kind *kind = find_kind(root, item);

        why = kind == NULL || kind->type != g.answers[i].type
                  ? "an answer of another token type"
                  : run_issuance(item, kind, copy_of(g.requests[i]),
                                 copy_of(g.answers[i].response));
    }
    pp_buf_done(&g.request);
    pp_buf_done(&g.response);
    return why;
}

/* 1 if the row has a token of a type that is not in the table. */
static int has_other_types(const json_t *root, const json_t *row)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(row, "issuance"), i, item)
    {
        if (find_kind(root, item) == NULL)
            return 1;
    }
    return 0;
}

/* --- structures and fields of RFC 9577 ------------------------------------------------------- */

static const char *compare_struct(struct pp_span input, struct pp_span nonce, struct pp_span key_id,
                                  const struct pp_token_challenge *c)
{
    uint8_t again[PP_TOKEN_INPUT_BYTES], digest[PP_TOKEN_DIGEST_BYTES];
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    struct pp_rd rd = pp_rd_span(input);
    struct pp_token t;

    if (!pp_is_ok(pp_token_input_parse(&rd, &t)) || rd.left != 0)
        return "the token input is not read";
    pp_token_input_write(&t, &wr);
    if (!pp_span_eq(pp_wr_done(&wr), input))
        return "another token input";
    if (t.type != c->type || !pp_span_eq(PP_BYTES(t.nonce), nonce) ||
        !pp_span_eq(PP_BYTES(t.key_id), key_id))
        return "another token type, nonce or key id";
    if (!pp_is_ok(pp_token_challenge_digest(c, digest)) ||
        memcmp(digest, t.challenge_digest, sizeof digest) != 0)
        return "another challenge digest";
    return NULL;
}

static const char *run_struct(const json_t *row)
{
    struct pp_buf type = vectors_hex(row, "token_type");
    struct pp_buf issuer = vectors_hex(row, "issuer_name");
    struct pp_buf context = vectors_hex(row, "redemption_context");
    struct pp_buf origin = vectors_hex(row, "origin_info");
    struct pp_buf nonce = vectors_hex(row, "nonce");
    struct pp_buf key_id = vectors_hex(row, "token_key_id");
    struct pp_buf input = vectors_hex(row, "token_authenticator_input");
    struct pp_rd rd = pp_rd_span(pp_buf_span(&type));
    const struct pp_token_challenge c = {
        .type = pp_rd_u16(&rd),
        .issuer_name = pp_buf_span(&issuer),
        .redemption_context = pp_buf_span(&context),
        .origin_info = pp_buf_span(&origin),
    };
    const char *why = compare_struct(pp_buf_span(&input), pp_buf_span(&nonce), pp_buf_span(&key_id),
                                     &c);

    pp_buf_done(&type);
    pp_buf_done(&issuer);
    pp_buf_done(&context);
    pp_buf_done(&origin);
    pp_buf_done(&nonce);
    pp_buf_done(&key_id);
    pp_buf_done(&input);
    return why;
}

static const json_t *numbered(const json_t *row, const char *name, size_t i)
{
    char member[MEMBER_BYTES];

    snprintf(member, sizeof member, "%s-%zu", name, i);
    return json_object_get(row, member);
}

/* 1 if `bytes` are those of the hex text `want`; an absent text stands for no bytes. */
static int is_hex(struct pp_span bytes, const json_t *want)
{
    struct pp_buf b = vectors_hex_text(want == NULL ? "" : json_string_value(want));
    int same = b.bytes != NULL && pp_span_eq(bytes, pp_buf_span(&b));

    pp_buf_done(&b);
    return same;
}

static const char *compare_offer(const struct pp_token_offer *o, const json_t *row, size_t i)
{
    const json_t *type = numbered(row, "token-type", i);
    const json_t *age = numbered(row, "max-age", i);
    struct pp_rd rd = pp_rd_span(o->challenge);

    if (!is_hex(o->challenge, numbered(row, "token-challenge", i)))
        return "another challenge";
    if (!is_hex(o->token_key, numbered(row, "token-key", i)))
        return "another token key";
    if (json_is_integer(type) && json_integer_value(type) != pp_rd_u16(&rd))
        return "another token type";
    if (json_is_integer(age) ? o->max_age_s != (uint64_t)json_integer_value(age)
                             : o->max_age_s != UINT64_MAX)
        return "another max-age";
    return NULL;
}

static const char *run_field(const json_t *row)
{
    static _Alignas(16) uint8_t memory[ARENA_BYTES];
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);
    struct pp_span field = pp_span_cstr(
        json_string_value(json_object_get(row, "WWW-Authenticate")));
    struct pp_token_offer offers[PP_TOKEN_OFFERS_MAX];
    const char *why = NULL;
    size_t count = 0;

    if (!pp_is_ok(pp_token_offers_parse(field, &arena, offers, &count)))
        return "the field is not read";
    for (size_t i = 0; why == NULL && i < count; i++)
        why = compare_offer(&offers[i], row, i);
    if (why == NULL && numbered(row, "token-challenge", count) != NULL)
        why = "a challenge is missing";
    return why;
}

/* --- rows and files -------------------------------------------------------------------------- */

static const struct kind *find_kind(const json_t *root, const json_t *row)
{
    struct pp_buf challenge = vectors_hex(row, "token_challenge");
    struct pp_rd rd = pp_rd_span(pp_buf_span(&challenge));
    json_int_t type = json_integer_value(json_object_get(root, "token_type"));

    if (type == 0)
        type = pp_rd_u16(&rd);
    pp_buf_done(&challenge);
    for (size_t i = 0; i < PP_ARRAY_COUNT(KINDS); i++)
        if (KINDS[i].type == type)
            return &KINDS[i];
    return NULL;
}

static void run_row(struct vectors *v, const char *file, const json_t *root, size_t index)
{
    const json_t *row = json_array_get(json_object_get(root, "vectors"), index);
    const struct kind *kind = find_kind(root, row);
    char name[ROW_NAME_BYTES];
    const char *why = NULL;

    snprintf(name, sizeof name, "%zu", index);
    if (json_object_get(row, "issuance") != NULL && has_other_types(root, row)) {
        vectors_skip(v, file, name, "a token type in it is not offered");
        return;
    }
    if (json_object_get(row, "issuance") != NULL) {
        why = run_generic(root, row);
    } else if (json_object_get(row, "WWW-Authenticate") != NULL) {
        why = run_field(row);
    } else if (json_object_get(row, "token_authenticator_input") != NULL) {
        why = run_struct(row);
    } else if (kind != NULL) {
        why = run_issuance(row, kind, vectors_hex(row, "token_request"),
                           vectors_hex(row, "token_response"));
    } else {
        vectors_skip(v, file, name, "this token type is not offered");
        return;
    }
    if (why == NULL)
        vectors_pass(v, file, name);
    else
        vectors_fail(v, file, name, "%s", why);
}

static void run_file(struct vectors *v, const char *file)
{
    size_t len = strlen(file);

    if (len < 5 || strcmp(file + len - 5, ".json") != 0) {
        vectors_skip(v, file, "-", "not a JSON file");
        return;
    }
    json_t *root = vectors_load(v, file);
    if (root == NULL)
        return;
    size_t count = json_array_size(json_object_get(root, "vectors"));
    if (count == 0)
        vectors_skip(v, file, "-", "no array of vectors");
    for (size_t i = 0; i < count; i++)
        run_row(v, file, root, i);
    json_decref(root);
}

void vectors_privacypass(struct vectors *v, const char *path)
{
    vectors_walk(v, path, run_file);
}
