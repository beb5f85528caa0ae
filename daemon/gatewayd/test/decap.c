/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "crypto.h"
#include "decap.h"
#include "desks.h"

enum { BODY_BYTES = 2048 };

static const struct pp_ohttp_suite SUITE = { PP_HKDF_SHA256, PP_AES_128_GCM };

struct fixture {
    struct gw_opener opener;
    struct test_desk desk;
    struct pp_loop *loop;
    struct gw_decap decap;
    struct gw_exchange exchange;
    uint8_t material[GW_MATERIAL_BYTES];
    struct pp_span message;
    pp_res opened;
    uint64_t asked;
    struct pp_ohttp device;
    uint64_t now_ms;
    uint8_t sealed[BODY_BYTES], body[BODY_BYTES];
    _Alignas(16) uint8_t memory[64 * PP_REPLAY_BUCKETS * PP_REPLAY_ENTRY_BYTES];
};

static uint64_t now(void *ctx)
{
    return ((struct fixture *)ctx)->now_ms;
}

static void on_news(void *ctx, struct pp_span news)
{
    (void)ctx;
    (void)news;
}

static void on_ended(void *ctx, pp_res why)
{
    (void)ctx;
    fail_msg("the opener ended: %s", pp_code_name(why.code));
}

static void start_opener(struct fixture *f)
{
    const struct gw_process p = gw_opener_process(&f->opener);
    struct gw_link_config link = { .loop = f->loop,
                                   .ask_bytes_max = GW_OPEN_ASK_BYTES_MAX,
                                   .answer_bytes = GW_MATERIAL_BYTES,
                                   .asks_max = 4,
                                   .news_kinds = "sek",
                                   .news = on_news,
                                   .ended = on_ended };

    link.fd = test_desk_start(&f->desk, &p);
    assert_ok(gw_link_new(&link, &f->decap.opener));
}

static void stop_opener(struct fixture *f)
{
    gw_link_free(f->decap.opener);
    test_desk_join(&f->desk);
    assert_ok(f->desk.result);
}

static int set_up(void **state)
{
    static struct fixture f;
    struct pp_kem_key *key = NULL;

    f = (struct fixture){ .now_ms = 1000 };
    f.exchange.material = f.material;
    f.decap.random = pp_random_system();
    f.decap.clock = (struct pp_clock){ now, now, &f };
    assert_ok(pp_crypto_init());
    assert_ok(pp_kem_key_generate(PP_KEM_X25519_SHA256, &f.decap.random, &key));
    assert_ok(pp_ohttp_gateway_add(&f.opener.keys.gateway, 1, key, &SUITE, 1));
    assert_ok(pp_replay_init(&f.decap.replay, f.memory, 64, 120000, 1000, &f.decap.random));
    assert_ok(pp_loop_new(&f.loop));
    start_opener(&f);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    gw_exchange_done(&f->exchange);
    pp_ohttp_done(&f->device);
    stop_opener(f);
    pp_loop_free(f->loop);
    gw_keys_done(&f->opener.keys);
    pp_replay_done(&f->decap.replay);
    return 0;
}

static struct pp_span message_of(const struct fixture *f)
{
    static const uint8_t message[BODY_BYTES] = "message";

    return pp_span(
        message, BODY_BYTES - pp_ohttp_request_overhead(f->opener.keys.gateway.keys[0].config.kem));
}

static size_t seal(struct fixture *f)
{
    struct pp_wr wr = pp_wr_over(f->sealed, sizeof f->sealed);

    pp_ohttp_done(&f->device);
    assert_ok(pp_ohttp_request_seal(&f->device, &f->opener.keys.gateway.keys[0].config, SUITE,
                                    &f->decap.random, message_of(f), &wr));
    assert_int_equal(wr.len, BODY_BYTES);
    return wr.len;
}

static void on_material(void *ctx, struct pp_span material)
{
    struct fixture *f = ctx;

    f->opened = gw_decap_open(&f->decap, material, f->body, BODY_BYTES, &f->exchange, &f->message);
    pp_loop_stop(f->loop);
}

static pp_res open_copy(struct fixture *f, size_t len)
{
    struct gw_ask ask = { .answered = on_material, .ctx = f };

    gw_exchange_done(&f->exchange);
    memcpy(f->body, f->sealed, sizeof f->body);
    PP_TRY(gw_decap_ask(&f->decap, pp_span(f->body, len), &f->exchange, &ask));
    f->asked++;
    assert_ok(pp_loop_run(f->loop));
    if (pp_is_ok(f->opened))
        assert_true(pp_span_eq(f->message, message_of(f)));
    return f->opened;
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
    for (size_t i = 0; i < PP_ARRAY_COUNT(wrong); i++)
        assert_code(open_copy(f, wrong[i]), PP_E_RANGE);
    assert_int_equal(f->asked, 0);
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

/* ohttp 6: unknown key, other parameters, a broken message and a useless enc are one failure, and
 * the opener does its work for each. */
static void w3_r_every_failure_takes_the_same_way(void **state)
{
    static const struct {
        size_t at;
        uint8_t flip;
    } SPOILED[] = { { 0, 1 }, { 2, 0x30 }, { 1, 0xff },          { 4, 2 }, { 6, 2 }, { 5, 0xff },
                    { 8, 1 }, { 40, 1 },   { BODY_BYTES - 1, 1 } };
    struct fixture *f = *state;

    for (size_t i = 0; i < PP_ARRAY_COUNT(SPOILED); i++) {
        seal(f);
        f->sealed[SPOILED[i].at] ^= SPOILED[i].flip;
        pp_res r = open_copy(f, BODY_BYTES);
        assert_code(r, PP_E_AUTH);
        assert_int_equal(r.detail, PP_OHTTP_NOT_OPENED);
    }
    seal(f);
    memset(f->sealed + PP_OHTTP_HEADER_BYTES, 0, PP_X25519_BYTES); /* of small order */
    assert_code(open_copy(f, BODY_BYTES), PP_E_AUTH);
    assert_ok(open_copy(f, seal(f)));
}

static void on_verdict(void *ctx, struct pp_span material)
{
    struct fixture *f = ctx;

    f->opened = material.at[0] == 1 ? PP_OK : PP_FAIL(PP_E_AUTH, 0);
    pp_loop_stop(f->loop);
}

/* The front asks with as many bytes as the KEM has; more or less opens nothing. */
static void an_encapsulated_key_of_another_length_opens_nothing(void **state)
{
    const size_t whole = 1 + PP_OHTTP_HEADER_BYTES + PP_X25519_BYTES;
    uint8_t question[1 + PP_OHTTP_HEADER_BYTES + PP_X25519_BYTES + 1] = { PP_OHTTP_WHOLE };
    struct fixture *f = *state;

    seal(f);
    memcpy(question + 1, f->sealed, sizeof question - 1);
    for (size_t len = whole - 1; len <= whole + 1; len++) {
        struct gw_ask asked = { .answered = on_verdict, .ctx = f };
        assert_ok(gw_link_ask(f->decap.opener, pp_span(question, len), &asked));
        assert_ok(pp_loop_run(f->loop));
        assert_code(f->opened, len == whole ? PP_E_OK : PP_E_AUTH);
    }
}

static void without_a_key_nothing_opens(void **state)
{
    struct fixture *f = *state;
    size_t len = seal(f);

    assert_ok(open_copy(f, len));
    stop_opener(f); /* the keys are its own while it runs */
    f->opener.keys.gateway.key_count = 0;
    start_opener(f);
    assert_code(open_copy(f, len), PP_E_AUTH);
    stop_opener(f);
    f->opener.keys.gateway.key_count = 1;
    start_opener(f);
    assert_ok(open_copy(f, len));
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest TESTS[] = {
    WITH_FIXTURE(a_repeated_body_opens_again_and_is_marked_as_a_replay),
    WITH_FIXTURE(what_was_not_allowed_anything_does_not_enter_the_window),
    WITH_FIXTURE(a_body_of_no_buckets_size_is_refused_before_a_key_is_touched),
    WITH_FIXTURE(a_full_window_is_counted_and_stops_nobody),
    WITH_FIXTURE(w3_r_every_failure_takes_the_same_way),
    WITH_FIXTURE(an_encapsulated_key_of_another_length_opens_nothing),
    WITH_FIXTURE(without_a_key_nothing_opens),
    WITH_FIXTURE(an_answer_fills_its_bucket_to_the_byte),
};

PP_TEST_MAIN(TESTS)
