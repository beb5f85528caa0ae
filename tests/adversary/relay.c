/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pp-adversary-relay: a relay that lies. It stands where the device posts and passes everything on
 * to an honest relay, or to the gateway itself, except that it does one thing to every second POST,
 * which is exchange #2.
 *
 *     mode = drop              #2 is not passed on; the device is told 502
 *     mode = duplicate         #2 is passed on twice; the device gets the second answer
 *     mode = alter             one bit of #2 is flipped
 *     mode = add               #2 gets 64 bytes more
 *     mode = truncate          #2 loses its last 64 bytes
 *     mode = truncate-answer   the answer to #2 loses its last 64 bytes
 *     mode = reorder           the answer to #1 comes again in the place of that to #2
 *     mode = delay             #2 leaves 1.5 seconds later
 *     mode = tag               #2 has a field more on the way to the gateway
 */
#include <string.h>

#include "common.h"

enum { CUT_BYTES = 64, LATER_MS = 1500 };

enum { DROP, DUPLICATE, ALTER, ADD, TRUNCATE, TRUNCATE_ANSWER, REORDER, DELAY, TAG, MODES };
static const char *const MODE_NAMES[MODES] = {
    "drop", "duplicate", "alter", "add", "truncate", "truncate-answer", "reorder", "delay", "tag",
};

static struct adversary_config config;

static const struct pp_kv_key KEYS[] = {
    { "relay", PP_KV_TEXT, offsetof(struct adversary_config, behind), 1, 8,
      ADVERSARY_URL_BYTES_MAX - 1, "the resource to pass on to, http://127.0.0.1:PORT/ohttp" },
    ADVERSARY_MODE_KEY,
};

/* One POST on its way; memory of the request that it answers. */
struct passage {
    struct pp_http_request *q;
    struct pp_span body;
    int is_second;
    int again; /* still to be sent once more */
};

static struct {
    unsigned long posts;
    uint8_t first_answer[ADVERSARY_BODY_BYTES_MAX];
    size_t first_answer_len;
    struct passage *late;
    struct pp_timer *later;
} self;

static void forward(struct passage *p);

static void answered(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct passage *p = ctx;

    if (!pp_is_ok(r)) {
        pp_http_reply_status(p->q, 502);
        return;
    }
    if (p->again) {
        p->again = 0;
        forward(p);
        return;
    }
    struct pp_span body = response->body;
    if (p->is_second && adversary.mode == TRUNCATE_ANSWER && body.len > CUT_BYTES)
        body.len -= CUT_BYTES;
    if (adversary.mode == REORDER && p->is_second) {
        body = pp_span(self.first_answer, self.first_answer_len);
    } else if (adversary.mode == REORDER) {
        memcpy(self.first_answer, body.at, body.len);
        self.first_answer_len = body.len;
    }
    adversary_answer(p->q, response, body);
}

static void forward(struct passage *p)
{
    const struct pp_http_field tag = { PP_STR("x-tag"), PP_STR("4711") };

    adversary_pass_on(p->q, p->body, adversary.mode == TAG && p->is_second ? &tag : NULL, answered,
                      p);
}

static void on_later(void *ctx)
{
    (void)ctx;
    forward(self.late);
}

/* The body with CUT_BYTES more behind it. */
static struct pp_span longer(struct pp_http_request *q, struct pp_span body)
{
    uint8_t *copy = pp_arena_alloc(pp_http_request_arena(q), body.len + CUT_BYTES);

    PP_ASSERT(copy != NULL); /* scratch_bytes is for this */
    memcpy(copy, body.at, body.len);
    return pp_span(copy, body.len + CUT_BYTES);
}

static void on_post(void *ctx, struct pp_http_request *q)
{
    struct passage *p = pp_arena_alloc(pp_http_request_arena(q), sizeof *p);

    (void)ctx;
    if (p == NULL) {
        pp_http_reply_status(q, 500);
        return;
    }
    *p = (struct passage){ .q = q,
                           .body = pp_http_request_body(q),
                           .is_second = ++self.posts % 2 == 0 };
    if (p->is_second && adversary.mode == DROP) {
        pp_http_reply_status(q, 502);
        return;
    }
    if (p->is_second && adversary.mode == ALTER && p->body.len > 0)
        pp_http_request_body_bytes(q)[p->body.len / 2] ^= 1;
    if (p->is_second && adversary.mode == TRUNCATE && p->body.len > CUT_BYTES)
        p->body.len -= CUT_BYTES;
    if (p->is_second && adversary.mode == ADD)
        p->body = longer(q, p->body);
    if (p->is_second && adversary.mode == DELAY) {
        self.late = p;
        pp_timer_set(self.later, LATER_MS);
        return;
    }
    p->again = p->is_second && adversary.mode == DUPLICATE;
    forward(p);
}

static pp_res open_timer(struct pp_daemon *d, struct pp_problem *problem)
{
    (void)problem;
    return pp_timer_new(d->loop, on_later, NULL, &self.later);
}

static void close_timer(struct pp_daemon *d)
{
    (void)d;
    pp_timer_free(self.later);
}

int main(int argc, char **argv)
{
    static const struct adversary_program PROGRAM = {
        .name = "pp-adversary-relay",
        .what = "a relay that lies, for tests",
        .keys = KEYS,
        .key_count = PP_ARRAY_COUNT(KEYS),
        .config = &config,
        .modes = MODE_NAMES,
        .mode_count = MODES,
        .listener = "http",
        .open = open_timer,
        .path = "/ohttp",
        .on_post = on_post,
        .close = close_timer,
    };

    return adversary_main(&PROGRAM, argc, argv);
}
