/* SPDX-License-Identifier: Apache-2.0 */
/* Chunked answers: lengths, and what fits (docs/protocol/ohttp.md, "Chunked answers"). */
#include "harness.h"

#include "bhttp.h"
#include "chunks.h"
#include "crypto.h"
#include "sizes.h"

enum { DEVICE_KEY = 5, SCRATCH = 3 * 32 * 1024 };

static const struct pp_ohttp_suite SUITES[] = {
    { PP_HKDF_SHA256, PP_AES_128_GCM },
    { PP_HKDF_SHA256, PP_CHACHA20_POLY1305 }, /* a response nonce of 32 bytes */
};

static const struct {
    enum gw_kind kind;
    size_t bucket, count;
} ROWS[] = {
    { GW_SESSION_CONTINUE, 1024, 1 },
    { GW_SESSION_CONTINUE, 2048, 3 },
    { GW_SESSION_CONTINUE, 4096, 6 },
    { GW_SESSION_CONTINUE, 8192, 13 },
    { GW_SESSION_CONTINUE, 16384, 28 },
    { GW_SESSION_OPEN, 32768, 2 },
    { GW_REFUSED, 1024, 1 },
};

struct fixture {
    struct pp_ohttp_gateway gateway;
    struct pp_ohttp device, server;
    struct pp_random random;
    struct pp_arena arena;
    _Alignas(16) uint8_t scratch[SCRATCH];
    uint8_t body[40000], plain[40000];
    size_t body_len, plain_len;
};

static const uint8_t *some_content(void)
{
    static uint8_t content[40000];

    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)(1 + i % 255);
    return content;
}

static int set_up(void **state)
{
    static struct fixture f;
    uint8_t sk[PP_X25519_BYTES] = { DEVICE_KEY };
    struct pp_kem_key *key = NULL;

    f = (struct fixture){ .random = pp_random_system() };
    assert_ok(pp_crypto_init());
    assert_ok(pp_kem_key_import(PP_KEM_X25519_SHA256, PP_BYTES(sk), &key));
    assert_ok(pp_ohttp_gateway_add(&f.gateway, 1, key, SUITES, PP_ARRAY_COUNT(SUITES)));
    f.arena = pp_arena_over(f.scratch, sizeof f.scratch);
    *state = &f;
    return 0;
}

static void forget(struct fixture *f)
{
    pp_ohttp_done(&f->device);
    pp_ohttp_done(&f->server);
    pp_arena_reset(&f->arena);
    f->body_len = f->plain_len = 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    forget(f);
    pp_ohttp_gateway_done(&f->gateway);
    return 0;
}

/* Both ends of an exchange of that suite. */
static void exchange(struct fixture *f, struct pp_ohttp_suite suite)
{
    uint8_t body[128];
    struct pp_wr wr = pp_wr_over(body, sizeof body);
    struct pp_span opened;

    forget(f);
    assert_ok(pp_ohttp_request_seal(&f->device, &f->gateway.keys[0].config, suite, &f->random,
                                    PP_STR("request"), &wr));
    assert_ok(pp_ohttp_request_open(&f->server, &f->gateway, body, wr.len, &opened));
}

/* The whole answer in f->body; what its chunks did not take of `content`. */
static size_t answer(struct fixture *f, size_t row, size_t nonce_len, const struct gw_answer *head,
                     struct pp_span content)
{
    const struct gw_layout l = gw_layout_of(ROWS[row].kind, ROWS[row].bucket, nonce_len);
    struct gw_chunks *c = NULL;
    struct pp_span bytes;
    size_t used;

    assert_ok(gw_chunks_new(&f->arena, &l, &c));
    assert_ok(
        pp_ohttp_sender_start_response(&c->sender, &f->server, &f->random, c->mem, c->mem_len));
    for (size_t i = 0; i < l.count; i++) {
        assert_int_equal(gw_chunks_at_last(c), i + 1 == l.count);
        assert_ok(gw_chunks_next(c, head, content, &used, &bytes));
        memcpy(f->body + f->body_len, bytes.at, bytes.len);
        f->body_len += bytes.len;
        content = pp_span(content.at + used, content.len - used);
    }
    assert_code(gw_chunks_next(c, head, content, &used, &bytes), PP_E_STATE);
    gw_chunks_done(c);
    return content.len;
}

static void receive(struct fixture *f, struct pp_bhttp *ret)
{
    static uint8_t mem[PP_OHTTP_CHUNK_SEALED_MAX];
    PP_AUTO(pp_ohttp_receiver) r = { 0 };
    size_t at = 0, used = 0;

    assert_ok(pp_ohttp_receiver_start_response(&r, &f->device, mem, sizeof mem));
    for (; at < f->body_len; at += used) {
        assert_ok(pp_ohttp_receiver_feed(&r, f->body + at, f->body_len - at, &used));
        f->plain_len += pp_ohttp_receiver_take(&r, f->plain + f->plain_len,
                                               sizeof f->plain - f->plain_len);
    }
    assert_ok(pp_ohttp_receiver_end(&r));
    f->plain_len += pp_ohttp_receiver_take(&r, f->plain + f->plain_len,
                                           sizeof f->plain - f->plain_len);
    assert_ok(pp_bhttp_parse(pp_span(f->plain, f->plain_len), ret));
}

/* pp-wire 8: floor((bucket - 256) / 576) frames; every receiver takes 16384 bytes. */
static void the_layout_depends_on_the_bucket_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++)
        for (size_t nonce = 16; nonce <= 32; nonce += 16) {
            struct gw_layout l = gw_layout_of(ROWS[i].kind, ROWS[i].bucket, nonce);
            assert_int_equal(l.count, ROWS[i].count);
            assert_true(l.each <= PP_OHTTP_CHUNK_BYTES_MAX && l.last <= PP_OHTTP_CHUNK_BYTES_MAX);
            if (ROWS[i].kind == GW_SESSION_CONTINUE && l.count > 1)
                assert_int_equal(l.each, GW_FRAME_BYTES + 2);
        }
}

/* Whatever the content, up to all that fits: the bucket to the byte, and the content again. */
static void every_content_that_fits_arrives_and_more_does_not(void **state)
{
    struct fixture *f = *state;
    static uint8_t handle[98];
    static struct pp_bhttp m;
    const uint8_t *content = some_content();

    memset(handle, 'h', sizeof handle);
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS) * 2; i++) {
        size_t row = i / 2, nonce = i % 2 == 0 ? 16 : 32;
        struct gw_layout l = gw_layout_of(ROWS[row].kind, ROWS[row].bucket, nonce);
        size_t room = gw_layout_room(ROWS[row].kind, &l);
        const size_t lengths[] = { 0,   1,   62,       63,       64,   65,
                                   552, 553, room / 2, room - 1, room, room + 3 };
        struct gw_answer head = { .status = 200 };
        if (ROWS[row].kind == GW_SESSION_OPEN)
            head.handle = PP_BYTES(handle);
        for (size_t k = 0; k < PP_ARRAY_COUNT(lengths); k++) {
            exchange(f, SUITES[i % 2]);
            size_t left = answer(f, row, nonce, &head, pp_span(content, lengths[k]));
            assert_int_equal(f->body_len, ROWS[row].bucket);
            if (lengths[k] > room) { /* the two ends have a byte each */
                assert_int_equal(left, 1);
                continue;
            }
            assert_int_equal(left, 0);
            receive(f, &m);
            assert_int_equal(m.status, 200);
            assert_int_equal(m.field_count, head.handle.len > 0);
            struct pp_wr wr = pp_wr_over(f->body, sizeof f->body);
            pp_bhttp_content_copy(&m, &wr);
            assert_true(pp_span_eq(pp_wr_done(&wr), pp_span(content, lengths[k])));
        }
    }
}

/* A frame of 552 bytes fills a chunk, so each chunk leaves with its frame, to the last. */
static void frames_never_come_to_wait_for_each_other(void **state)
{
    struct fixture *f = *state;
    const struct gw_layout l = gw_layout_of(GW_SESSION_CONTINUE, 16384, 16);
    const struct gw_answer head = { .status = 200 };
    struct gw_chunks *c = NULL;
    struct pp_span bytes;
    size_t there = 38, taken = 0, used; /* the head of a SealedStream is in front of its frames */

    exchange(f, SUITES[0]);
    assert_ok(gw_chunks_new(&f->arena, &l, &c));
    assert_ok(
        pp_ohttp_sender_start_response(&c->sender, &f->server, &f->random, c->mem, c->mem_len));
    while (!gw_chunks_at_last(c)) {
        there += GW_FRAME_BYTES;
        assert_true(there - taken >= GW_FRAME_BYTES);
        assert_ok(gw_chunks_next(c, &head, pp_span(some_content() + taken, there - taken), &used,
                                 &bytes));
        assert_int_equal(used, l.each - 2 - (c->next == 1 ? GW_ANSWER_HEAD_BYTES : 0)); /* full */
        taken += used;
    }
    there += GW_FRAME_BYTES;
    assert_true(there <= gw_layout_room(GW_SESSION_CONTINUE, &l));
    gw_chunks_done(c);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(the_layout_depends_on_the_bucket_alone),
    TEST(every_content_that_fits_arrives_and_more_does_not),
    TEST(frames_never_come_to_wait_for_each_other),
};

PP_TEST_MAIN(TESTS)
