/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunked messages. The first byte chooses how the rest is cut, and with its top bit whether that
 * is a request to the gateway or the response to a request of the device. Fed whole, byte by byte
 * and in those cuts, a message must come to the same end, having given the same bytes; so must a
 * request that is opened as a whole. Keys are constants, so that opening, and not only refusing, is
 * reached.
 */
#include "fuzz.h"

#include <string.h>

#include "chunked.h"
#include "crypto.h"

enum { BODY_MAX = 1 << 15 };

static const struct pp_ohttp_suite SUITE = { PP_HKDF_SHA256, PP_AES_128_GCM };

struct outcome {
    uint32_t code;
    uint8_t plain[BODY_MAX];
    size_t plain_len;
};

/* The key of the seeds, 00 01 .. 1f: nothing outside this target knows it. */
static void start(struct pp_ohttp_gateway *gw)
{
    struct pp_kem_key *key = NULL;
    uint8_t sk[PP_X25519_BYTES];

    for (size_t i = 0; i < sizeof sk; i++)
        sk[i] = (uint8_t)i;
    FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    FUZZ_CHECK(pp_is_ok(pp_kem_key_import(PP_KEM_X25519_SHA256, PP_BYTES(sk), &key)));
    FUZZ_CHECK(pp_is_ok(pp_ohttp_gateway_add(gw, 7, key, &SUITE, 1)));
}

/* The device's request to which the response seeds belong: its ephemeral key is 32 times 0x42. */
static void ask(const struct pp_ohttp_gateway *gw, struct pp_ohttp *x)
{
    uint8_t ephemeral[PP_X25519_BYTES], out[64];
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    memset(ephemeral, 0x42, sizeof ephemeral);
    struct pp_span script = PP_BYTES(ephemeral);
    struct pp_random random = pp_random_script(&script);
    FUZZ_CHECK(
        pp_is_ok(pp_ohttp_request_seal(x, &gw->keys[0].config, SUITE, &random, PP_STR(""), &wr)));
}

static pp_res feed(struct pp_ohttp_receiver *r, const uint8_t *data, size_t len, uint32_t cut,
                   struct outcome *o)
{
    while (len > 0) {
        size_t n = cut == 0 ? len : 1 + cut % 61, used = 0;
        n = n < len ? n : len;
        PP_TRY(pp_ohttp_receiver_feed(r, data, n, &used));
        FUZZ_CHECK(used <= n);
        size_t taken = pp_ohttp_receiver_take(r, o->plain + o->plain_len, BODY_MAX - o->plain_len);
        FUZZ_CHECK(used > 0 || taken > 0); /* or nothing would ever move */
        o->plain_len += taken;
        data += used;
        len -= used;
        cut = cut <= 61 ? cut : cut * 1103515245u + 12345u;
    }
    PP_TRY(pp_ohttp_receiver_end(r));
    o->plain_len += pp_ohttp_receiver_take(r, o->plain + o->plain_len, BODY_MAX - o->plain_len);
    FUZZ_CHECK(pp_ohttp_receiver_is_done(r));
    return PP_OK;
}

static void run(const struct pp_ohttp_gateway *gw, int response, const uint8_t *data, size_t len,
                uint32_t cut, struct outcome *o)
{
    static uint8_t mem[PP_OHTTP_CHUNK_SEALED_MAX];
    struct pp_ohttp x = { 0 };
    struct pp_ohttp_receiver r = { 0 };

    if (response)
        ask(gw, &x);
    FUZZ_CHECK(pp_is_ok(response ? pp_ohttp_receiver_start_response(&r, &x, mem, sizeof mem)
                                 : pp_ohttp_receiver_start_request(&r, &x, gw, mem, sizeof mem)));
    o->plain_len = 0;
    o->code = feed(&r, data, len, cut, o).code;
    pp_ohttp_receiver_done(&r);
    pp_ohttp_done(&x);
}

/* What opens a request as a whole comes to the same end. */
static void run_whole(const struct pp_ohttp_gateway *gw, const uint8_t *data, size_t len,
                      const struct outcome *o)
{
    enum { HEAD = PP_OHTTP_HEADER_BYTES + PP_X25519_BYTES };
    static uint8_t mem[PP_OHTTP_CHUNK_SEALED_MAX], copy[BODY_MAX];
    struct pp_ohttp x = { 0 };
    struct pp_ohttp_receiver r = { 0 };
    struct pp_span whole = { 0 };
    size_t used = 0;

    if (len < HEAD || o->code == PP_E_LIMIT) /* a chunk above a receiver's memory is fine here */
        return;
    FUZZ_CHECK(pp_is_ok(pp_ohttp_receiver_start_request(&r, &x, gw, mem, sizeof mem)));
    if (pp_is_ok(pp_ohttp_receiver_feed(&r, data, HEAD, &used))) {
        memcpy(copy, data + HEAD, len - HEAD);
        pp_res res = pp_ohttp_chunks_open(&x, copy, len - HEAD, &whole);
        FUZZ_CHECK(pp_is_ok(res) == (o->code == PP_E_OK));
        FUZZ_CHECK(!pp_is_ok(res) || pp_span_eq(whole, pp_span(o->plain, o->plain_len)));
    }
    pp_ohttp_receiver_done(&r);
    pp_ohttp_done(&x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct pp_ohttp_gateway gw;
    static struct outcome whole, other;

    if (gw.key_count == 0)
        start(&gw);
    if (len == 0 || len > BODY_MAX)
        return 0;
    int response = data[0] >> 7;
    const uint32_t cuts[] = { 61, 62 + data[0] }; /* 61: one byte each */
    run(&gw, response, data + 1, len - 1, 0, &whole);
    FUZZ_CHECK(whole.code == PP_E_OK || whole.code == PP_E_AUTH || whole.code == PP_E_TRUNCATED ||
               whole.code == PP_E_LIMIT);
    for (size_t i = 0; i < 2; i++) {
        run(&gw, response, data + 1, len - 1, cuts[i], &other);
        FUZZ_CHECK(other.code == whole.code && other.plain_len == whole.plain_len);
        FUZZ_CHECK(whole.plain_len == 0 || memcmp(other.plain, whole.plain, whole.plain_len) == 0);
    }
    if (!response)
        run_whole(&gw, data + 1, len - 1, &whole);
    return 0;
}
