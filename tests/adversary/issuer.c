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

#include "crypto.h"
#include "daemon.h"
#include "http_server.h"
#include "token_keys.h"

enum { NAME_BYTES_MAX = 255, ELEMENT_BYTES = 32, HEAD_BYTES = 2 };

enum mode { PROOF, PERMUTED, IDENTITY, OTHER_BATCH, UNDER_ISSUE, MODES };
static const char *const MODE_NAMES[MODES] = { "proof", "permuted", "identity", "other-batch",
                                               "under-issue" };

static struct config {
    struct pp_daemon_config common; /* always first */
    struct pp_span keys, mode;
} config;

static const struct pp_kv_key KEYS[] = {
    { "keys", PP_KV_TEXT, offsetof(struct config, keys), 1, 1, NAME_BYTES_MAX,
      "the folder of the epoch keys" },
    { "mode", PP_KV_TEXT, offsetof(struct config, mode), 1, 1, 32, "a mode of this program" },
};

static struct {
    enum mode mode;
    struct pp_token_keys keys;
    struct pp_http_server *server;
    const struct pp_listener *listener;
    struct pp_daemon *daemon;
} self;

static pp_res check(struct pp_daemon *d, struct pp_problem *problem)
{
    (void)d;
    for (int i = 0; i < MODES; i++)
        if (pp_span_eq(config.mode, pp_span_cstr(MODE_NAMES[i]))) {
            self.mode = (enum mode)i;
            return PP_OK;
        }
    return pp_daemon_refuse(problem, "mode", "a mode of this program", config.mode);
}

static pp_res open_all(struct pp_daemon *d, struct pp_problem *problem)
{
    char folder[NAME_BYTES_MAX + 1] = { 0 };

    self.daemon = d;
    PP_TRY(pp_crypto_init());
    memcpy(folder, config.keys.at, config.keys.len);
    PP_TRY(pp_token_keys_load(folder, pp_clock_posix_s(&d->clock), problem, &self.keys));
    return pp_daemon_listen(d, "http", config.common.listen, problem, &self.listener);
}

/* --- issuing ---------------------------------------------------------------------------------- */

static const struct pp_cred_key *find_key(const struct pp_cred_request *q)
{
    for (size_t i = 0; i < self.keys.count; i++)
        if (pp_cred_request_is_for(q, &self.keys.list[i].key.pub))
            return &self.keys.list[i].key;
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

    if (self.mode == PROOF)
        answer[len - 64] ^= 1;
    if (self.mode == IDENTITY)
        memset(second, 0, ELEMENT_BYTES);
    if (self.mode != PERMUTED)
        return;
    memcpy(kept, first, sizeof kept);
    memcpy(first, second, sizeof kept);
    memcpy(second, kept, sizeof kept);
}

static pp_res issue(struct pp_span body, struct pp_wr *wr)
{
    const struct pp_random *random = &self.daemon->random;
    struct pp_cred_request q;

    PP_TRY(pp_cred_request_parse(PP_CRED_BATCH, body, &q));
    const struct pp_cred_key *key = find_key(&q);
    PP_CHECK(key != NULL && q.count == PP_CRED_BATCH_MAX, PP_E_NOT_FOUND, q.count);
    if (self.mode == OTHER_BATCH)
        return issue_other_batch(key, random, wr);
    if (self.mode == UNDER_ISSUE) {
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

static pp_res serve(struct pp_daemon *d, struct pp_problem *problem)
{
    static const struct pp_http_route routes[] = {
        { .method = "POST",
          .path = "/token-request",
          .body_bytes_max = PP_CRED_REQUEST_BYTES_MAX,
          .handle = on_post },
    };
    const struct pp_http_server_config c = { .routes = routes,
                                             .route_count = 1,
                                             .connections_max = 16,
                                             .scratch_bytes = PP_CRED_RESPONSE_BYTES_MAX + 64 };

    (void)problem;
    PP_TRY(pp_http_server_new(d->loop, &c, &self.server));
    PP_TRY(pp_http_server_listen(self.server, self.listener));
    pp_daemon_ready(d);
    return PP_OK;
}

static void close_all(struct pp_daemon *d)
{
    (void)d;
    pp_http_server_free(self.server);
    pp_token_keys_done(&self.keys);
}

int main(int argc, char **argv)
{
    static const struct pp_daemon_program program = {
        .name = "pp-adversary-issuer",
        .what = "an issuer that tries to mark whom it serves, for tests",
        .party = PP_PARTY_TEST,
        .keys = KEYS,
        .key_count = PP_ARRAY_COUNT(KEYS),
        .config = &config,
        .check = check,
        .open = open_all,
        .serve = serve,
        .close = close_all,
    };

    return pp_daemon_main(&program, argc, argv);
}
