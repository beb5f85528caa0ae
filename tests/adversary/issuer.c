/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pp-adversary-issuer: an issuer that holds the logged keys and tries to mark whom it serves, by
 * tokens that only it could tell from others.
 *
 *     mode = proof         the batch is right, its proof is not
 *     mode = permuted      two tokens of the batch are exchanged
 *     mode = identity      one token is the identity element
 *     mode = other-batch   the answer that somebody else got, with its right proof
 *     mode = under-issue   one token fewer, with its right proof
 *
 * A key for one user alone is a fault that needs no program: token-key-unlisted.
 */
#include <string.h>

#include "common.h"
#include "token_keys.h"

enum { NAME_BYTES_MAX = 255, ELEMENT_BYTES = 32, HEAD_BYTES = 2 };

enum { PROOF, PERMUTED, IDENTITY, OTHER_BATCH, UNDER_ISSUE, MODES };
static const char *const MODE_NAMES[MODES] = { "proof", "permuted", "identity", "other-batch",
                                               "under-issue" };

static struct config {
    struct adversary_config common; /* always first */
    struct pp_span keys;
} config;

static const struct pp_kv_key KEYS[] = {
    { "keys", PP_KV_TEXT, offsetof(struct config, keys), 1, 1, NAME_BYTES_MAX,
      "the folder of the epoch keys" },
    ADVERSARY_MODE_KEY,
};

static struct pp_token_keys token_keys;

static pp_res load_keys(struct pp_daemon *d, struct pp_problem *problem)
{
    char folder[NAME_BYTES_MAX + 1] = { 0 };

    memcpy(folder, config.keys.at, config.keys.len);
    return pp_token_keys_load(folder, pp_clock_posix_s(&d->clock), problem, &token_keys);
}

/* --- issuing ---------------------------------------------------------------------------------- */

static const struct pp_cred_key *find_key(const struct pp_cred_request *q)
{
    for (size_t i = 0; i < token_keys.count; i++)
        if (pp_cred_request_is_for(q, &token_keys.list[i].key.pub))
            return &token_keys.list[i].key;
    return NULL;
}

/* What this issuer would have answered to another device. */
static pp_res issue_other_batch(const struct pp_cred_key *key, const struct pp_random *random,
                                struct pp_wr *wr)
{
    const uint8_t digest[PP_TOKEN_DIGEST_BYTES] = { 0 };
    uint8_t request[PP_CRED_REQUEST_BYTES_MAX];
    struct pp_wr other = pp_wr_over(request, sizeof request);
    struct pp_cred_issuance x;
    struct pp_cred_request q;

    PP_TRY(pp_cred_issuance_begin(&x, PP_CRED_BATCH, &key->pub, digest, PP_CRED_BATCH_MAX, random));
    pp_cred_issuance_write(&x, &other);
    pp_cred_issuance_done(&x);
    PP_TRY(pp_cred_request_parse(PP_CRED_BATCH, pp_wr_done(&other), &q));
    return pp_cred_issue(key, &q, random, wr);
}

/* An answer has two bytes of length, the elements, and the proof. */
static void spoil(uint8_t *answer, size_t len)
{
    uint8_t *first = answer + HEAD_BYTES, *second = first + ELEMENT_BYTES;
    uint8_t kept[ELEMENT_BYTES];

    if (adversary.mode == PROOF)
        answer[len - 64] ^= 1;
    if (adversary.mode == IDENTITY)
        memset(second, 0, ELEMENT_BYTES);
    if (adversary.mode != PERMUTED)
        return;
    memcpy(kept, first, sizeof kept);
    memcpy(first, second, sizeof kept);
    memcpy(second, kept, sizeof kept);
}

static pp_res issue(struct pp_span body, struct pp_wr *wr)
{
    const struct pp_random *random = &adversary.daemon->random;
    struct pp_cred_request q;

    PP_TRY(pp_cred_request_parse(PP_CRED_BATCH, body, &q));
    const struct pp_cred_key *key = find_key(&q);
    PP_CHECK(key != NULL && q.count == PP_CRED_BATCH_MAX, PP_E_NOT_FOUND, q.count);
    if (adversary.mode == OTHER_BATCH)
        return issue_other_batch(key, random, wr);
    if (adversary.mode == UNDER_ISSUE) {
        q.count--;
        q.elements.len -= ELEMENT_BYTES;
    }
    return pp_cred_issue(key, &q, random, wr);
}

static void on_post(void *ctx, struct pp_http_request *q)
{
    static uint8_t answer[PP_CRED_RESPONSE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(answer, sizeof answer);

    (void)ctx;
    if (!pp_is_ok(issue(pp_http_request_body(q), &wr))) {
        pp_http_reply_status(q, 422);
        return;
    }
    spoil(answer, wr.len);
    const struct pp_http_reply reply = { .status = 200,
                                         .type = PP_CRED_MEDIA_BATCH_RESPONSE,
                                         .body = pp_wr_done(&wr) };
    pp_http_reply(q, &reply);
}

/* --- the life of the program ------------------------------------------------------------------ */

static void close_all(struct pp_daemon *d)
{
    (void)d;
    pp_token_keys_done(&token_keys);
}

int main(int argc, char **argv)
{
    static const struct adversary_program PROGRAM = {
        .name = "pp-adversary-issuer",
        .what = "an issuer that tries to mark whom it serves, for tests",
        .keys = KEYS,
        .key_count = PP_ARRAY_COUNT(KEYS),
        .config = &config.common,
        .modes = MODE_NAMES,
        .mode_count = MODES,
        .listener = "http",
        .open = load_keys,
        .path = "/token-request",
        .on_post = on_post,
        .close = close_all,
    };

    return adversary_main(&PROGRAM, argc, argv);
}
