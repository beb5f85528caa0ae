/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "crypto.h"
#include "decap.h"

enum { BODY_BYTES = 2048 };

static const struct pp_ohttp_suite SUITE = { PP_HKDF_SHA256, PP_AES_128_GCM };

struct fixture {
    struct pp_ohttp_gateway keys;
    struct gw_decap decap;
    struct gw_exchange exchange;
    struct pp_ohttp device;
    uint64_t now_ms;
    uint8_t sealed[BODY_BYTES], body[BODY_BYTES];
    _Alignas(16) uint8_t memory[64 * PP_REPLAY_BUCKETS * PP_REPLAY_ENTRY_BYTES];
};

static uint64_t now(void *ctx)
{
    return ((struct fixture *)ctx)->now_ms;
}

static int set_up(void **state)
{
    static struct fixture f;
    struct pp_kem_key *key = NULL;

    f = (struct fixture){ .now_ms = 1000 };
    f.decap.keys = &f.keys;
    f.decap.random = pp_random_system();
    f.decap.clock = (struct pp_clock){ now, now, &f };
    assert_ok(pp_crypto_init());
    assert_ok(pp_kem_key_generate(PP_KEM_X25519_SHA256, &f.decap.random, &key));
    assert_ok(pp_ohttp_gateway_add(&f.keys, 1, key, &SUITE, 1));
    assert_ok(pp_replay_init(&f.decap.replay, f.memory, 64, 120000, 1000, &f.decap.random));
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    gw_exchange_done(&f->exchange);
    pp_ohttp_done(&f->device);
    pp_ohttp_gateway_done(&f->keys);
    pp_replay_done(&f->decap.replay);
    return 0;
}

static struct pp_span message_of(const struct fixture *f)
{
    static const uint8_t message[BODY_BYTES] = "message";

    return pp_span(message, BODY_BYTES - pp_ohttp_request_overhead(f->keys.keys[0].config.kem));
}

static size_t seal(struct fixture *f)
{
    struct pp_wr wr = pp_wr_over(f->sealed, sizeof f->sealed);

    pp_ohttp_done(&f->device);
    assert_ok(pp_ohttp_request_seal(&f->device, &f->keys.keys[0].config, SUITE, &f->decap.random,
                                    message_of(f), &wr));
    assert_int_equal(wr.len, BODY_BYTES);
    return wr.len;
}

static pp_res open_copy(struct fixture *f, size_t len)
{
    struct pp_span message;

    gw_exchange_done(&f->exchange);
    memcpy(f->body, f->sealed, sizeof f->body);
    pp_res r = gw_decap_open(&f->decap, f->body, len, &f->exchange, &message);
    if (pp_is_ok(r))
        assert_true(pp_span_eq(message, message_of(f)));
    return r;
}

/* pp-wire 12, "#2 twice: same gateway". */
static void a_repeated_body_opens_again_and_is_marked_as_a_replay(void **state)
{
    struct fixture *f = *state;
    size_t len = seal(f);

    assert_ok(open_copy(f, len));
    assert_false(f->exchange.is_replay);
    gw_decap_remember(&f->decap, &f->exchange);
    assert_ok(open_copy(f, len));
    assert_true(f->exchange.is_replay);
    f->now_ms += 120000;
    assert_ok(open_copy(f, len));
    assert_true(f->exchange.is_replay);
    assert_ok(open_copy(f, seal(f)));
    assert_false(f->exchange.is_replay);
}

/* ohttp 7: an attacker must not fill the table with junk, nor burn a body by sending half of it;
 * and who has no right to anything fills it neither. */
static void what_was_not_allowed_anything_does_not_enter_the_window(void **state)
{
    struct fixture *f = *state;
    size_t len = seal(f);

    f->sealed[len - 1] ^= 1;
    for (int i = 0; i < 200; i++)
        assert_code(open_copy(f, len), PP_E_AUTH);
    f->sealed[len - 1] ^= 1;
    for (int i = 0; i < 200; i++) {
        assert_ok(open_copy(f, len));
        assert_false(f->exchange.is_replay);
    }
    for (size_t i = 0; i < PP_REPLAY_BUCKETS; i++)
        assert_int_equal(f->decap.replay.used[i], 0);
}

/* Opening costs a key agreement: what no device sends is not worth one. */
static void a_body_of_no_buckets_size_is_refused_before_a_key_is_touched(void **state)
{
    static const size_t wrong[] = { 0, 1, 54, 55, 512, 1024, 2047 };
    struct fixture *f = *state;

    seal(f);
    f->decap.keys = NULL; /* it would be followed */
    for (size_t i = 0; i < PP_ARRAY_COUNT(wrong); i++)
        assert_code(open_copy(f, wrong[i]), PP_E_RANGE);
    f->decap.keys = &f->keys;
    assert_ok(open_copy(f, BODY_BYTES));
}

static void a_full_window_is_counted_and_stops_nobody(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 48; i++) {
        assert_ok(open_copy(f, seal(f)));
        gw_decap_remember(&f->decap, &f->exchange);
    }
    assert_int_equal(f->decap.unremembered, 0);
    size_t len = seal(f);
    for (unsigned i = 1; i <= 3; i++) {
        assert_ok(open_copy(f, len));
        assert_false(f->exchange.is_replay);
        gw_decap_remember(&f->decap, &f->exchange);
        assert_int_equal(f->decap.unremembered, i);
    }
    f->now_ms += 40000; /* the next part of the window */
    assert_ok(open_copy(f, len));
    gw_decap_remember(&f->decap, &f->exchange);
    assert_ok(open_copy(f, len));
    assert_true(f->exchange.is_replay);
    assert_int_equal(f->decap.unremembered, 3);
}

static void an_answer_fills_its_bucket_to_the_byte(void **state)
{
    struct fixture *f = *state;
    static uint8_t message[4096], out[4096];
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_span opened;

    assert_ok(open_copy(f, seal(f)));
    size_t room = gw_decap_room(&f->exchange, 1024);
    assert_int_equal(room, 1024 - 32);
    assert_ok(gw_decap_seal(&f->decap, &f->exchange, pp_span(message, room), &wr));
    assert_int_equal(wr.len, 1024);
    assert_ok(pp_ohttp_response_open(&f->device, out, wr.len, &opened));
    assert_int_equal(opened.len, room);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest TESTS[] = {
    WITH_FIXTURE(a_repeated_body_opens_again_and_is_marked_as_a_replay),
    WITH_FIXTURE(what_was_not_allowed_anything_does_not_enter_the_window),
    WITH_FIXTURE(a_body_of_no_buckets_size_is_refused_before_a_key_is_touched),
    WITH_FIXTURE(a_full_window_is_counted_and_stops_nobody),
    WITH_FIXTURE(an_answer_fills_its_bucket_to_the_byte),
};

PP_TEST_MAIN(TESTS)
