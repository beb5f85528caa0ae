/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "crypto.h"
#include "decap.h"

static const struct pp_ohttp_suite SUITE = { PP_HKDF_SHA256, PP_AES_128_GCM };

struct fixture {
    struct pp_ohttp_gateway keys;
    struct gw_decap decap;
    struct gw_exchange exchange;
    struct pp_ohttp device;
    uint64_t now_ms;
    uint8_t sealed[512], body[512];
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

static size_t seal(struct fixture *f)
{
    struct pp_wr wr = pp_wr_over(f->sealed, sizeof f->sealed);

    pp_ohttp_done(&f->device);
    assert_ok(pp_ohttp_request_seal(&f->device, &f->keys.keys[0].config, SUITE, &f->decap.random,
                                    PP_STR("message"), &wr));
    return wr.len;
}

static pp_res open_copy(struct fixture *f, size_t len)
{
    struct pp_span message;

    gw_exchange_done(&f->exchange);
    memcpy(f->body, f->sealed, sizeof f->body);
    pp_res r = gw_decap_open(&f->decap, f->body, len, &f->exchange, &message);
    if (pp_is_ok(r))
        assert_true(pp_span_eq(message, PP_STR("message")));
    return r;
}

/* pp-wire 12, "#2 twice: same gateway". */
static void a_repeated_body_opens_again_and_is_marked_as_a_replay(void **state)
{
    struct fixture *f = *state;
    size_t len = seal(f);

    assert_ok(open_copy(f, len));
    assert_int_equal(f->exchange.freshness, GW_FRESH);
    assert_ok(open_copy(f, len));
    assert_int_equal(f->exchange.freshness, GW_REPLAYED);
    f->now_ms += 120000;
    assert_ok(open_copy(f, len));
    assert_int_equal(f->exchange.freshness, GW_REPLAYED);
    assert_ok(open_copy(f, seal(f)));
    assert_int_equal(f->exchange.freshness, GW_FRESH);
}

/* ohttp 7: an attacker must not fill the table with junk, nor burn a body by sending half of it. */
static void what_does_not_open_does_not_enter_the_window(void **state)
{
    struct fixture *f = *state;
    size_t len = seal(f);

    f->sealed[len - 1] ^= 1;
    for (int i = 0; i < 200; i++)
        assert_code(open_copy(f, len), PP_E_AUTH);
    assert_code(open_copy(f, 20), PP_E_TRUNCATED);
    f->sealed[len - 1] ^= 1;
    assert_ok(open_copy(f, len));
    assert_int_equal(f->exchange.freshness, GW_FRESH);
}

static void a_full_window_says_so_and_clears_with_time(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 48; i++) {
        assert_ok(open_copy(f, seal(f)));
        assert_int_equal(f->exchange.freshness, GW_FRESH);
    }
    assert_ok(open_copy(f, seal(f)));
    assert_int_equal(f->exchange.freshness, GW_FULL);
    f->now_ms += 40000;
    assert_ok(open_copy(f, seal(f)));
    assert_int_equal(f->exchange.freshness, GW_FRESH);
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
    WITH_FIXTURE(what_does_not_open_does_not_enter_the_window),
    WITH_FIXTURE(a_full_window_says_so_and_clears_with_time),
    WITH_FIXTURE(an_answer_fills_its_bucket_to_the_byte),
};

PP_TEST_MAIN(TESTS)
