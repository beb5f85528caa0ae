/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pp-adversary-gateway: a gateway that hopes for a second try. What it answers is outside OHTTP,
 * where it can say anything to anybody; a device that acted on it (fetched a key, asked again or
 * another way) would do so alone among all. It stands before an honest gateway, where all goes to
 * that the mode does not name.
 *
 *     mode = user-key       #1 is refused for its key; a key that nobody else gets is offered
 *     mode = early          #2 is answered at once with noise of the right size; nobody computes
 *     mode = status-401, status-429, status-503, redirect
 *                           #2 is refused in ways that people could be told apart by
 *
 * The same machine for all that somebody sends cannot be seen in one session; tests/linkage shows
 * what it would give.
 */
#include "common.h"

enum { NOISE_BYTES = 8192 };

enum { USER_KEY, EARLY, STATUS_401, STATUS_429, STATUS_503, REDIRECT, MODES };
static const char *const MODE_NAMES[MODES] = { "user-key",   "early",      "status-401",
                                               "status-429", "status-503", "redirect" };
static const uint32_t STATUS[MODES] = { 400, 200, 401, 429, 503, 307 };
static const char *const TYPE[MODES] = { "application/problem+json", "message/ohttp-res" };

static struct adversary_config config;

static const struct pp_kv_key KEYS[] = {
    { "gateway", PP_KV_TEXT, offsetof(struct adversary_config, behind), 1, 8,
      ADVERSARY_URL_BYTES_MAX - 1,
      "the honest gateway's resource, http://127.0.0.1:PORT/.well-known/ohttp-gateway" },
    ADVERSARY_MODE_KEY,
};

/* --- answers ---------------------------------------------------------------------------------- */

static void answer_by_mode(struct pp_http_request *q)
{
    const struct pp_http_field location = { PP_STR("location"), PP_STR("/only-for-you") };
    uint8_t *noise = pp_arena_alloc(pp_http_request_arena(q), NOISE_BYTES);
    struct pp_http_reply r = { .status = STATUS[adversary.mode],
                               .type = TYPE[adversary.mode],
                               .fields = &location,
                               .field_count = adversary.mode == REDIRECT,
                               .body_stays = 1 };

    if (adversary.mode == USER_KEY)
        r.body = PP_STR("{\"type\":\"https://iana.org/assignments/http-problem-types#ohttp-key\","
                        "\"title\":\"key identifier unknown\"}");
    if (adversary.mode == EARLY && noise != NULL &&
        pp_is_ok(pp_random_fill(&adversary.daemon->random, noise, NOISE_BYTES)))
        r.body = pp_span(noise, NOISE_BYTES);
    pp_http_reply(q, &r);
}

static void answered(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct pp_http_request *q = ctx;

    if (pp_is_ok(r))
        adversary_answer(q, response, response->body);
    else
        pp_http_reply_status(q, 502);
}

static void on_post(void *ctx, struct pp_http_request *q)
{
    static unsigned long posts;
    int is_first = ++posts % 2 == 1;

    (void)ctx;
    if (is_first == (adversary.mode == USER_KEY))
        answer_by_mode(q);
    else
        adversary_pass_on(q, pp_http_request_body(q), NULL, answered, q);
}

int main(int argc, char **argv)
{
    static const struct adversary_program PROGRAM = {
        .name = "pp-adversary-gateway",
        .what = "a gateway that hopes for a second try, for tests",
        .keys = KEYS,
        .key_count = PP_ARRAY_COUNT(KEYS),
        .config = &config,
        .modes = MODE_NAMES,
        .mode_count = MODES,
        .listener = "http",
        .path = "/.well-known/ohttp-gateway",
        .on_post = on_post,
    };

    return adversary_main(&PROGRAM, argc, argv);
}
