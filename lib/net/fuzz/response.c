/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Responses in random pieces, of whose bodies random parts are taken: the same comes out however
 * the bytes are split. The first two bytes choose.
 */
#include "fuzz.h"

#include "http_int.h"
#include "http_resp.h"

struct result {
    enum pp_http_resp_event end;
    uint32_t failed;
    uint32_t status;
    size_t left; /* behind the response */
    uint64_t hash;
};

static uint8_t line[PP_HTTP_RESP_HEAD_BYTES_MAX];

static void add(struct result *r, struct pp_span s)
{
    for (size_t i = 0; i < s.len; i++)
        r->hash = (r->hash ^ s.at[i]) * UINT64_C(0x100000001b3);
}

static size_t part_of(size_t len, uint32_t *seed)
{
    *seed = *seed * 1103515245 + 12345;
    size_t piece = 1 + (*seed >> 16) % 37;
    return piece < len ? piece : len;
}

static struct result read_all(const uint8_t *data, size_t len, uint32_t seed)
{
    struct result r = { 0 };
    struct pp_http_resp resp;
    struct pp_span in = pp_span(data, 0);
    struct pp_span body;
    size_t given = 0;

    pp_http_resp_init(&resp, line, 0);
    for (;;) {
        r.end = pp_http_resp_next(&resp, &in, &body);
        if (r.end == PP_HTTP_RESP_HEAD) {
            FUZZ_CHECK(pp_http_resp_check_(&resp.head) == PP_E_OK);
            FUZZ_CHECK(pp_http_is_value(pp_span(resp.head.type, resp.head.type_len)));
            add(&r, pp_span(resp.head.type, resp.head.type_len));
        } else if (r.end == PP_HTTP_RESP_BODY) {
            size_t n = seed == 0 ? body.len : part_of(body.len, &seed);
            FUZZ_CHECK(body.len > 0 && body.at == in.at && body.len <= in.len);
            add(&r, pp_span(body.at, n));
            pp_http_resp_take(&resp, &in, n);
        } else if (r.end == PP_HTTP_RESP_MORE && given < len) {
            size_t n = seed == 0 ? len - given : part_of(len - given, &seed);
            FUZZ_CHECK(in.len == 0);
            in = pp_span(data + given, n);
            given += n;
        } else {
            break;
        }
    }
    r.failed = r.end == PP_HTTP_RESP_MORE ? pp_http_resp_end(&resp) : resp.failed;
    r.status = resp.head.status;
    r.left = r.end == PP_HTTP_RESP_DONE ? in.len + len - given : 0;
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 2)
        return 0;
    uint32_t seed = (uint32_t)data[0] << 8 | data[1];
    struct result once = read_all(data + 2, len - 2, 0);
    struct result again = read_all(data + 2, len - 2, seed + 1);

    FUZZ_CHECK(once.end == again.end && once.failed == again.failed && once.left == again.left);
    if (once.end != PP_HTTP_RESP_FAILED) /* else more or less of a body was seen before */
        FUZZ_CHECK(once.hash == again.hash && once.status == again.status);
    return 0;
}
