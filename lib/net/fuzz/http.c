/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests in random pieces: however the bytes are split, the same requests come out, with the same
 * bodies, and the same refusal at the same place. The first two bytes choose the pieces.
 */
#include "fuzz.h"

#include "http_int.h"

enum { BODY_MAX = 512, REQUESTS_MAX = 8 };

struct result {
    size_t requests;
    uint32_t refused;
    uint64_t hash; /* of everything that a handler would see */
};

static uint8_t buf[PP_HTTP_IN_BYTES];

static void add(struct result *r, struct pp_span s)
{
    for (size_t i = 0; i < s.len; i++)
        r->hash = (r->hash ^ s.at[i]) * UINT64_C(0x100000001b3);
    r->hash = (r->hash ^ s.len) * UINT64_C(0x100000001b3);
}

static void note(struct result *r, const struct pp_http_in *in)
{
    r->requests++;
    add(r, in->method);
    add(r, in->path);
    add(r, in->query);
    for (size_t i = 0; i < in->field_count; i++) {
        FUZZ_CHECK(pp_http_is_token(in->fields[i].name) && pp_http_is_value(in->fields[i].value));
        add(r, in->fields[i].name);
        add(r, in->fields[i].value);
    }
    add(r, pp_span(in->body, in->body_len));
    FUZZ_CHECK(in->path.len > 0 && in->path.at[0] == '/');
    FUZZ_CHECK(memmem(in->path.at, in->path.len, "/../", 4) == NULL);
    FUZZ_CHECK(in->body_len <= BODY_MAX);
}

static struct result read_all(const uint8_t *data, size_t len, uint32_t seed)
{
    static uint8_t body[BODY_MAX];
    struct pp_http_in in;
    struct result r = { 0 };
    size_t given = 0;

    pp_http_in_init(&in, buf);
    for (;;) {
        uint8_t *at;
        if (in.step == PP_HTTP_HEAD)
            pp_http_in_body(&in, body, sizeof body, sizeof body);
        if (in.step == PP_HTTP_DONE) {
            note(&r, &in);
            if (r.requests == REQUESTS_MAX)
                return r;
            pp_http_in_next(&in);
            continue;
        }
        if (in.step == PP_HTTP_REFUSED) {
            r.refused = in.refused;
            return r;
        }
        if (given == len)
            return r;
        size_t n = pp_http_in_space(&in, &at);
        FUZZ_CHECK(n > 0);
        seed = seed * 1103515245 + 12345;
        size_t piece = seed == 0 ? n : 1 + (seed >> 16) % 37;
        n = n < piece ? n : piece;
        n = n < len - given ? n : len - given;
        memcpy(at, data + given, n);
        given += n;
        pp_http_in_filled(&in, n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 2)
        return 0;
    uint32_t seed = (uint32_t)data[0] << 8 | data[1];
    struct result once = read_all(data + 2, len - 2, 1);
    struct result again = read_all(data + 2, len - 2, seed + 2);

    FUZZ_CHECK(once.requests == again.requests && once.refused == again.refused &&
               once.hash == again.hash);
    FUZZ_CHECK(once.refused == 0 || (once.refused >= 400 && once.refused <= 505));
    return 0;
}
