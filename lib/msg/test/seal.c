/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "crypto.h"
#include "seal.h"

enum { PT_BYTES = 300, SEALED_BYTES_MAX = 2048 };

struct session {
    struct pp_kem_key *key;
    struct pp_random random;
    uint8_t binding[PP_BINDING_BYTES];
    uint8_t pt[PT_BYTES];
    uint8_t sealed[SEALED_BYTES_MAX];
    size_t sealed_len;
    struct pp_seal device, worker;
};

static int set_up_with(void **state, uint16_t kem)
{
    struct session *s = calloc(1, sizeof *s);

    assert_non_null(s);
    assert_ok(pp_crypto_init());
    s->random = pp_random_system();
    assert_ok(pp_kem_key_generate(kem, &s->random, &s->key));
    assert_ok(pp_random_fill(&s->random, s->binding, sizeof s->binding));
    assert_ok(pp_random_fill(&s->random, s->pt, sizeof s->pt));
    struct pp_wr wr = pp_wr_over(s->sealed, sizeof s->sealed);
    assert_ok(pp_seal_request(&s->device, kem, pp_kem_key_public(s->key), s->binding, &s->random,
                              PP_BYTES(s->pt), &wr));
    s->sealed_len = wr.len;
    *state = s;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, PP_KEM_X25519_SHA256);
}

static int set_up_x_wing(void **state)
{
    return set_up_with(state, PP_KEM_XWING);
}

static int tear_down(void **state)
{
    struct session *s = *state;

    pp_seal_done(&s->device);
    pp_seal_done(&s->worker);
    pp_kem_key_free(s->key);
    free(s);
    return 0;
}

static pp_res open_it(struct session *s, struct pp_span sealed, uint8_t *pt)
{
    size_t len = 0;
    pp_res r = pp_seal_open_request(&s->worker, s->key, s->binding, sealed, pt, &len);

    if (pp_is_ok(r))
        assert_int_equal(len, PT_BYTES);
    return r;
}

static void a_request_and_its_answer_cross(void **state)
{
    struct session *s = *state;
    uint8_t opened[SEALED_BYTES_MAX], answer[SEALED_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(answer, sizeof answer);
    size_t len = 0;

    assert_int_equal(s->sealed_len, PT_BYTES + pp_sealed_request_extra(pp_kem_key_id(s->key)));
    assert_ok(open_it(s, pp_span(s->sealed, s->sealed_len), opened));
    assert_memory_equal(opened, s->pt, sizeof s->pt);

    assert_ok(pp_seal_response(&s->worker, &s->random, PP_STR("the answer"), &wr));
    assert_int_equal(wr.len, 10 + PP_SEALED_RESPONSE_EXTRA);
    assert_ok(pp_seal_open_response(&s->device, pp_wr_done(&wr), opened, &len));
    assert_true(pp_span_eq(pp_span(opened, len), PP_STR("the answer")));
}

static void every_changed_byte_and_every_length_is_refused_alike(void **state)
{
    struct session *s = *state;
    uint8_t opened[SEALED_BYTES_MAX];

    for (size_t i = 0; i < s->sealed_len; i++) {
        s->sealed[i] ^= 1;
        assert_code(open_it(s, pp_span(s->sealed, s->sealed_len), opened), PP_E_AUTH);
        s->sealed[i] ^= 1;
    }
    for (size_t n = 0; n < s->sealed_len; n++)
        assert_code(open_it(s, pp_span(s->sealed, n), opened), PP_E_AUTH);
    assert_code(open_it(s, pp_span(s->sealed, s->sealed_len + 1), opened), PP_E_AUTH);
    assert_ok(open_it(s, pp_span(s->sealed, s->sealed_len), opened));
}

static void an_x_wing_request_and_its_answer_cross(void **state)
{
    a_request_and_its_answer_cross(state);
}

/* Rejection of a changed encapsulation is silent in ML-KEM; the seal is what makes it heard. */
static void w12_t3_an_x_wing_request_with_any_changed_byte_is_refused_and_opens_nothing(
    void **state)
{
    every_changed_byte_and_every_length_is_refused_alike(state);
}

/* W7: what was sealed for one session opens in no other, though the message key be the same. */
static void w7_a_request_opens_only_in_the_session_that_it_names(void **state)
{
    struct session *s = *state;
    uint8_t opened[SEALED_BYTES_MAX];

    for (size_t i = 0; i < sizeof s->binding; i++) {
        s->binding[i] ^= 0x80;
        assert_code(open_it(s, pp_span(s->sealed, s->sealed_len), opened), PP_E_AUTH);
        s->binding[i] ^= 0x80;
    }
}

static void there_is_one_answer_and_none_before_a_request(void **state)
{
    struct session *s = *state;
    uint8_t opened[SEALED_BYTES_MAX], answer[SEALED_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(answer, sizeof answer);
    size_t len;

    assert_code(pp_seal_response(&s->worker, &s->random, PP_STR("x"), &wr), PP_E_STATE);
    assert_ok(open_it(s, pp_span(s->sealed, s->sealed_len), opened));
    assert_ok(pp_seal_response(&s->worker, &s->random, PP_STR("x"), &wr));
    assert_code(pp_seal_response(&s->worker, &s->random, PP_STR("x"), &wr), PP_E_STATE);

    /* A first wrong answer ends it too: there is no second try with other bytes. */
    answer[40] ^= 1;
    assert_code(pp_seal_open_response(&s->device, pp_wr_done(&wr), opened, &len), PP_E_AUTH);
    answer[40] ^= 1;
    assert_code(pp_seal_open_response(&s->device, pp_wr_done(&wr), opened, &len), PP_E_STATE);
}

static void nothing_secret_is_left_after_the_answer(void **state)
{
    static const struct pp_seal ZERO;
    struct session *s = *state;
    uint8_t opened[SEALED_BYTES_MAX], answer[SEALED_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(answer, sizeof answer);
    size_t len;

    assert_ok(open_it(s, pp_span(s->sealed, s->sealed_len), opened));
    assert_ok(pp_seal_response(&s->worker, &s->random, PP_STR("x"), &wr));
    assert_ok(pp_seal_open_response(&s->device, pp_wr_done(&wr), opened, &len));
    assert_memory_equal(&s->worker, &ZERO, sizeof ZERO);
    assert_memory_equal(&s->device, &ZERO, sizeof ZERO);
}

static void unusable_keys_kems_and_buffers_are_refused(void **state)
{
    struct session *s = *state;
    uint8_t out[64], zeros[32] = { 0 };
    struct pp_seal t = { 0 };
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_span script = { 0 };
    struct pp_random no_random = pp_random_script(&script);

    assert_int_equal(pp_sealed_request_extra(0x9999), 0);
    assert_code(
        pp_seal_request(&t, 0x9999, PP_BYTES(zeros), s->binding, &s->random, PP_STR(""), &wr),
        PP_E_UNSUPPORTED);
    assert_code(pp_seal_request(&t, PP_KEM_X25519_SHA256, PP_BYTES(zeros), s->binding, &s->random,
                                PP_STR(""), &wr),
                PP_E_KEY);
    assert_code(pp_seal_request(&t, PP_KEM_X25519_SHA256, pp_span(zeros, 31), s->binding,
                                &s->random, PP_STR(""), &wr),
                PP_E_KEY);
    assert_code(pp_seal_request(&t, PP_KEM_X25519_SHA256, pp_kem_key_public(s->key), s->binding,
                                &no_random, PP_STR(""), &wr),
                PP_E_RANDOM);
    wr = pp_wr_over(out, 48);
    assert_code(pp_seal_request(&t, PP_KEM_X25519_SHA256, pp_kem_key_public(s->key), s->binding,
                                &s->random, PP_STR(""), &wr),
                PP_E_NO_SPACE);
    pp_seal_done(&t);
}

#define SEAL_TEST(name)   cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define X_WING_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_x_wing, tear_down)

static const struct CMUnitTest tests[] = {
    SEAL_TEST(a_request_and_its_answer_cross),
    X_WING_TEST(an_x_wing_request_and_its_answer_cross),
    X_WING_TEST(w12_t3_an_x_wing_request_with_any_changed_byte_is_refused_and_opens_nothing),
    SEAL_TEST(every_changed_byte_and_every_length_is_refused_alike),
    SEAL_TEST(w7_a_request_opens_only_in_the_session_that_it_names),
    SEAL_TEST(there_is_one_answer_and_none_before_a_request),
    SEAL_TEST(nothing_secret_is_left_after_the_answer),
    SEAL_TEST(unusable_keys_kems_and_buffers_are_refused),
};

PP_TEST_MAIN(tests)
