/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device.h: what a device does to a gateway, without its care: tokens of a key that the test holds,
 * sealed messages of any shape, and a look into the answer.
 */
#ifndef GW_TEST_DEVICE_H
#define GW_TEST_DEVICE_H

#include "harness.h"

#include "bhttp.h"
#include "cred.h"
#include "handle.h"
#include "ohttp.h"

#define DEVICE_AUTHORITY "gw.example:8443"
#define DEVICE_ISSUER    "issuer.example"

enum { DEVICE_BODY_BYTES_MAX = 256 * 1024 };

/* What stood in an encapsulated answer. */
struct device_answer {
    uint32_t status; /* 0: nothing was opened */
    char handle[PP_HANDLE_TEXT_BYTES + 1];
    size_t field_count;
    size_t content_len;
    uint8_t content[32768];
};

struct device {
    struct pp_random random;
    struct pp_keyconf key; /* the gateway's */
    struct pp_ohttp exchange;
    struct pp_secret wallet;
    size_t spent;                             /* tokens of the wallet */
    uint8_t body[DEVICE_BODY_BYTES_MAX + 16]; /* of the request, sealed */
    size_t body_len;
    struct device_answer answer;
};

static const struct pp_ohttp_suite DEVICE_SUITE = { PP_HKDF_SHA256, PP_AES_128_GCM };

static inline void device_done(struct device *d)
{
    pp_ohttp_done(&d->exchange);
    pp_secret_done(&d->wallet);
}

/* A batch of tokens of the epoch `day`, as an issuer and a device would make it. */
static inline void device_fill_wallet(struct device *d, const struct pp_cred_key *key, uint32_t day)
{
    static struct pp_cred_issuance x;
    uint8_t digest[PP_TOKEN_DIGEST_BYTES];
    uint8_t request[PP_CRED_REQUEST_BYTES_MAX], response[PP_CRED_RESPONSE_BYTES_MAX];
    struct pp_wr q = pp_wr_over(request, sizeof request), a = pp_wr_over(response, sizeof response);
    struct pp_cred_request parsed;

    x = (struct pp_cred_issuance){ 0 };
    assert_ok(pp_token_epoch_digest(key->pub.type, PP_STR(DEVICE_ISSUER), PP_STR(DEVICE_AUTHORITY),
                                    day, digest));
    assert_ok(pp_cred_issuance_begin(&x, PP_CRED_BATCH, &key->pub, digest, PP_CRED_BATCH_MAX,
                                     &d->random));
    pp_cred_issuance_write(&x, &q);
    assert_ok(pp_cred_request_parse(PP_CRED_BATCH, pp_wr_done(&q), &parsed));
    assert_ok(pp_cred_issue(key, &parsed, &d->random, &a));
    pp_secret_done(&d->wallet);
    assert_ok(pp_cred_issuance_finish(&x, pp_wr_done(&a), &d->wallet));
    d->spent = 0;
}

/* The field of the wallet's token number `n`. */
static inline struct pp_span device_token_field(struct device *d, size_t n)
{
    static char field[PP_TOKEN_FIELD_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(field, sizeof field);
    size_t len = pp_token_bytes(PP_TOKEN_VOPRF_RISTRETTO255);

    assert_true(n < PP_CRED_BATCH_MAX);
    pp_token_field_write(pp_span(d->wallet.bytes + n * len, len), &wr);
    assert_ok(pp_wr_ok(&wr));
    return pp_wr_done(&wr);
}

static inline struct pp_bhttp device_message(const char *path)
{
    return (struct pp_bhttp){ .framing = PP_BHTTP_REQUEST,
                              .method = PP_STR("POST"),
                              .scheme = PP_STR("https"),
                              .authority = PP_STR(DEVICE_AUTHORITY),
                              .path = pp_span_cstr(path) };
}

/* Seals `m`, padded to an OHTTP body of `total` bytes, into d->body. */
static inline void device_seal(struct device *d, const struct pp_bhttp *m, size_t total)
{
    static uint8_t message[DEVICE_BODY_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(message, sizeof message);
    struct pp_wr out = pp_wr_over(d->body, sizeof d->body);

    assert_ok(pp_bhttp_write_padded(m, total - pp_ohttp_request_overhead(d->key.kem), &wr));
    pp_ohttp_done(&d->exchange);
    assert_ok(pp_ohttp_request_seal(&d->exchange, &d->key, DEVICE_SUITE, &d->random,
                                    pp_wr_done(&wr), &out));
    assert_int_equal(out.len, total);
    d->body_len = out.len;
}

static inline void device_seal_open_with(struct device *d, struct pp_span authorization)
{
    struct pp_bhttp m = device_message("/v1/sessions");

    assert_ok(pp_bhttp_add(&m, &m.header, PP_STR("authorization"), authorization));
    pp_bhttp_set_content(&m, PP_STR("client hello"));
    device_seal(d, &m, 4096);
}

/* #1 with the next token of the wallet. */
static inline void device_seal_open(struct device *d)
{
    device_seal_open_with(d, device_token_field(d, d->spent++));
}

/* #2 with 1000 bytes of content. */
static inline void device_seal_continue(struct device *d, const char *handle, const char *max,
                                        size_t total)
{
    static char path[160];
    static uint8_t content[1000];

    snprintf(path, sizeof path, "/v1/sessions/%s", handle);
    struct pp_bhttp m = device_message(path);
    assert_ok(pp_bhttp_add(&m, &m.header, PP_STR("pp-max"), pp_span_cstr(max)));
    pp_bhttp_set_content(&m, PP_BYTES(content));
    device_seal(d, &m, total);
}

/* Opens an answer's body and keeps what stood in it. */
static inline void device_read_answer(struct device *d, struct pp_span body)
{
    static uint8_t copy[65536];
    static struct pp_bhttp m;
    struct pp_span message, handle;
    struct pp_wr content = pp_wr_over(d->answer.content, sizeof d->answer.content);

    memcpy(copy, body.at, body.len);
    assert_ok(pp_ohttp_response_open(&d->exchange, copy, body.len, &message));
    assert_ok(pp_bhttp_parse(message, &m));
    memset(d->answer.handle, 0, sizeof d->answer.handle);
    d->answer.status = m.status;
    d->answer.field_count = m.field_count;
    d->answer.content_len = m.content_len;
    pp_bhttp_content_copy(&m, &content);
    assert_ok(pp_wr_ok(&content));
    if (pp_is_ok(pp_bhttp_field(&m, m.header, PP_STR("pp-session"), &handle))) {
        assert_int_equal(handle.len, PP_HANDLE_TEXT_BYTES);
        memcpy(d->answer.handle, handle.at, handle.len);
    }
}

#endif
