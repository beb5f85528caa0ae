/* SPDX-License-Identifier: Apache-2.0 */
#include "cred_test.h"

#include "oprf.h"

enum { ELEMENT = 32, BATCH = 30, BATCH_HEAD = 2 };

/* The group order, little-endian. */
#define ORDER "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"

/* One issuance of BATCH tokens up to the issuer's honest answer. */
struct run {
    struct pp_cred_key key;
    struct pp_cred_issuance x;
    struct test_message request, answer;
    struct pp_secret tokens;
};

static void run_init(struct run *r)
{
    uint8_t digest[PP_TOKEN_DIGEST_BYTES];

    *r = (struct run){ .key = test_key(1) };
    test_digest(DAY, digest);
    assert_ok(pp_cred_issuance_begin(&r->x, PP_CRED_BATCH, &r->key.pub, digest, BATCH, &RANDOM));
    r->request = test_request(&r->x);
    r->answer = test_answer(&r->key, PP_CRED_BATCH, &r->request);
}

static void run_done(struct run *r)
{
    pp_cred_issuance_done(&r->x);
    pp_cred_key_done(&r->key);
    pp_secret_done(&r->tokens);
}

static uint8_t *answered(struct run *r, size_t i)
{
    return r->answer.bytes + BATCH_HEAD + i * ELEMENT;
}

static uint8_t *proof(struct run *r)
{
    return answered(r, BATCH);
}

/* The device's verdict on the answer; whatever it is but OK, no token exists afterwards. */
static pp_res finish(struct run *r)
{
    pp_res verdict = pp_cred_issuance_finish(&r->x, pp_span(r->answer.bytes, r->answer.len),
                                             &r->tokens);

    if (!pp_is_ok(verdict))
        assert_null(r->tokens.bytes);
    assert_null(r->x.blinds_secret.bytes);
    return verdict;
}

static void a_batch_gives_tokens_that_the_key_recognises(void **state)
{
    (void)state;
    struct run r;

    run_init(&r);
    assert_int_equal(r.request.len, 3 + BATCH_HEAD + BATCH * ELEMENT);
    assert_int_equal(r.answer.len, BATCH_HEAD + BATCH * ELEMENT + 64);
    assert_ok(finish(&r));
    assert_int_equal(r.tokens.len, BATCH * 162);
    for (size_t i = 0; i < BATCH; i++) {
        struct pp_token t, u;
        uint8_t expected[64];
        assert_ok(pp_token_parse(pp_span(r.tokens.bytes + i * 162, 162), &t));
        assert_memory_equal(t.key_id, r.key.pub.key_id, 32);
        assert_ok(pp_oprf_evaluate(&PP_RISTRETTO255_SHA512, PP_VOPRF,
                                   pp_secret_span(&r.key.sk_secret),
                                   pp_span(r.tokens.bytes + i * 162, 98), expected));
        assert_memory_equal(t.authenticator.at, expected, 64);
        for (size_t k = 0; k < i; k++) {
            assert_ok(pp_token_parse(pp_span(r.tokens.bytes + k * 162, 162), &u));
            assert_memory_not_equal(t.nonce, u.nonce, 32);
        }
    }
    run_done(&r);
}

static void a_single_token_has_a_request_of_35_and_an_answer_of_96_bytes(void **state)
{
    (void)state;
    struct pp_cred_key key = test_key(1);
    uint8_t digest[PP_TOKEN_DIGEST_BYTES];
    struct pp_cred_issuance x;
    struct pp_secret token = { 0 };

    test_digest(DAY, digest);
    assert_ok(pp_cred_issuance_begin(&x, PP_CRED_SINGLE, &key.pub, digest, 1, &RANDOM));
    struct test_message request = test_request(&x);
    struct test_message answer = test_answer(&key, PP_CRED_SINGLE, &request);
    assert_int_equal(request.len, 35);
    assert_int_equal(answer.len, 96);
    assert_ok(pp_cred_issuance_finish(&x, pp_span(answer.bytes, answer.len), &token));
    assert_int_equal(token.len, 162);
    pp_secret_done(&token);
    pp_cred_key_done(&key);
}

static void batches_have_1_to_32_tokens_and_singles_one(void **state)
{
    (void)state;
    struct pp_cred_key key = test_key(1);
    uint8_t digest[PP_TOKEN_DIGEST_BYTES];
    struct pp_cred_issuance x;

    test_digest(DAY, digest);
    assert_code(pp_cred_issuance_begin(&x, PP_CRED_BATCH, &key.pub, digest, 0, &RANDOM),
                PP_E_RANGE);
    assert_code(
        pp_cred_issuance_begin(&x, PP_CRED_BATCH, &key.pub, digest, PP_CRED_BATCH_MAX + 1, &RANDOM),
        PP_E_RANGE);
    assert_code(pp_cred_issuance_begin(&x, PP_CRED_SINGLE, &key.pub, digest, 2, &RANDOM),
                PP_E_RANGE);
    assert_null(x.nonces_secret.bytes);
    assert_ok(
        pp_cred_issuance_begin(&x, PP_CRED_BATCH, &key.pub, digest, PP_CRED_BATCH_MAX, &RANDOM));
    struct test_message request = test_request(&x);
    assert_int_equal(request.len, 1029);
    struct test_message answer = test_answer(&key, PP_CRED_BATCH, &request);
    assert_int_equal(answer.len, 1090);
    pp_cred_issuance_done(&x);
    pp_cred_key_done(&key);
}

static void a_failed_random_source_begins_nothing(void **state)
{
    (void)state;
    struct pp_cred_key key = test_key(1);
    uint8_t digest[PP_TOKEN_DIGEST_BYTES], some[200] = { 1 };
    struct pp_cred_issuance x;

    test_digest(DAY, digest);
    for (size_t n = 0; n < 2 * (32 + 64); n++) {
        struct pp_span script = pp_span(some, n);
        struct pp_random random = pp_random_script(&script);
        assert_code(pp_cred_issuance_begin(&x, PP_CRED_BATCH, &key.pub, digest, 2, &random),
                    PP_E_RANDOM);
        assert_null(x.blinds_secret.bytes);
        assert_int_equal(x.count, 0);
    }
    pp_cred_key_done(&key);
}

/* W1.T7, W2.T4: the answer and its proof are right under a key that the ledger does not list. */
static void w1_t7_w2_t4_an_answer_under_another_key_is_refused(void **state)
{
    (void)state;
    struct run r;
    struct pp_cred_key other = test_key(2);

    run_init(&r);
    /* A dishonest issuer claims the announced key, whose id the request carries. */
    other.pub.key_id[31] = r.key.pub.key_id[31];
    r.answer = test_answer(&other, PP_CRED_BATCH, &r.request);
    assert_code(finish(&r), PP_E_ISSUER_KEY);
    pp_cred_key_done(&other);
    run_done(&r);
}

static void w2_t1_a_random_element_is_refused(void **state)
{
    (void)state;
    struct run r;
    uint8_t blind[32];

    run_init(&r);
    assert_ok(pp_oprf_blind(&PP_RISTRETTO255_SHA512, PP_VOPRF, PP_STR("anything"), &RANDOM, blind,
                            answered(&r, 3)));
    assert_code(finish(&r), PP_E_ISSUER_KEY);
    run_done(&r);
}

static void w2_t2_the_identity_element_is_refused(void **state)
{
    (void)state;
    struct run r;

    run_init(&r);
    memset(answered(&r, 3), 0, ELEMENT);
    assert_code(finish(&r), PP_E_ISSUER_PROOF);
    run_done(&r);
}

static void w2_t3_a_non_canonical_element_is_refused(void **state)
{
    (void)state;
    struct run r;

    run_init(&r);
    memset(answered(&r, 3), 0xff, ELEMENT);
    assert_code(finish(&r), PP_E_ISSUER_PROOF);
    run_done(&r);
}

static void w2_t3_a_non_canonical_proof_is_refused(void **state)
{
    (void)state;
    PP_HEX(order, ORDER);

    for (size_t half = 0; half < 2; half++) {
        struct run r;
        unsigned carry = 0;
        run_init(&r);
        for (size_t i = 0; i < 32; i++) {
            carry += proof(&r)[32 * half + i] + (unsigned)order[i];
            proof(&r)[32 * half + i] = (uint8_t)carry;
            carry >>= 8;
        }
        assert_code(finish(&r), PP_E_ISSUER_PROOF);
        run_done(&r);
    }
}

static void w2_t5_a_proof_for_a_permuted_batch_is_refused(void **state)
{
    (void)state;
    struct run r;
    uint8_t t[ELEMENT];

    run_init(&r);
    memcpy(t, answered(&r, 0), ELEMENT);
    memmove(answered(&r, 0), answered(&r, 1), ELEMENT);
    memcpy(answered(&r, 1), t, ELEMENT);
    assert_code(finish(&r), PP_E_ISSUER_KEY);
    run_done(&r);
}

static void w2_t6_every_truncation_of_an_answer_is_refused(void **state)
{
    (void)state;
    struct run r;

    run_init(&r);
    size_t whole = r.answer.len;
    run_done(&r);
    for (size_t n = 0; n < whole; n += n + 70 < whole ? 29 : 1) {
        run_init(&r);
        r.answer.len = n;
        assert_code(finish(&r), PP_E_ISSUER_PROOF);
        run_done(&r);
    }
    run_init(&r);
    r.answer.bytes[r.answer.len++] = 0;
    assert_code(finish(&r), PP_E_ISSUER_PROOF);
    run_done(&r);
}

/* W2.T7: 29 good elements do not save the batch, and the proof covers every one of them. */
static void w2_t7_one_bad_element_of_30_refuses_the_whole_batch(void **state)
{
    (void)state;
    for (size_t i = 0; i < BATCH; i += 7) {
        struct run r;
        uint8_t bad[ELEMENT];
        run_init(&r);
        /* A good element of the group, but one that the key did not make. */
        memcpy(bad, r.request.bytes + 3 + BATCH_HEAD + i * ELEMENT, ELEMENT);
        memcpy(answered(&r, i), bad, ELEMENT);
        assert_code(finish(&r), PP_E_ISSUER_KEY);
        run_done(&r);
    }
}

/* W2.T8: the right key, in the mode without proofs. (A proof of another context: crypto/oprf.) */
static void w2_t8_an_answer_in_unproven_mode_is_refused(void **state)
{
    (void)state;
    struct run r;

    run_init(&r);
    for (size_t i = 0; i < BATCH; i++)
        assert_ok(pp_oprf_evaluate_blinded(
            &PP_RISTRETTO255_SHA512, pp_secret_span(&r.key.sk_secret),
            r.request.bytes + 3 + BATCH_HEAD + i * ELEMENT, answered(&r, i)));
    memset(proof(&r), 0, 64); /* what a peer without proofs has to offer */
    assert_code(finish(&r), PP_E_ISSUER_KEY);
    run_done(&r);

    /* A token whose authenticator was made in OPRF mode is not one of ours. */
    struct pp_cred_key key = test_key(1);
    struct pp_secret tokens = test_tokens(&key, DAY, 1);
    uint8_t other[64];
    assert_ok(pp_oprf_evaluate(&PP_RISTRETTO255_SHA512, PP_OPRF, pp_secret_span(&key.sk_secret),
                               pp_span(tokens.bytes, 98), other));
    assert_memory_not_equal(other, tokens.bytes + 98, 64);
    pp_secret_done(&tokens);
    pp_cred_key_done(&key);
}

static void an_answer_of_another_count_is_refused(void **state)
{
    (void)state;
    struct run r;

    run_init(&r);
    /* The issuer answers the first 29 of 30, with a good proof of these. */
    struct test_message shorter = { .len = r.request.len - ELEMENT };
    memcpy(shorter.bytes, r.request.bytes, shorter.len);
    shorter.bytes[3] = (uint8_t)(0x40 | (BATCH - 1) * ELEMENT >> 8);
    shorter.bytes[4] = (uint8_t)((BATCH - 1) * ELEMENT);
    r.answer = test_answer(&r.key, PP_CRED_BATCH, &shorter);
    assert_code(finish(&r), PP_E_ISSUER_PROOF);
    run_done(&r);
}

/* 31 elements for 30: those that were asked for are right, and so is their proof. */
static void an_answer_with_an_element_more_is_refused(void **state)
{
    (void)state;
    struct run r;

    run_init(&r);
    memmove(proof(&r) + ELEMENT, proof(&r), 64);
    memcpy(proof(&r), answered(&r, 0), ELEMENT);
    r.answer.len += ELEMENT;
    r.answer.bytes[0] = (uint8_t)(0x40 | (BATCH + 1) * ELEMENT >> 8);
    r.answer.bytes[1] = (uint8_t)((BATCH + 1) * ELEMENT);
    assert_code(finish(&r), PP_E_ISSUER_PROOF);
    run_done(&r);
}

static void a_length_that_is_not_shortest_is_refused_on_both_sides(void **state)
{
    (void)state;
    struct run r;
    struct test_message m;
    struct pp_cred_request q;

    run_init(&r);
    /* 960 in four bytes instead of two */
    m.len = r.answer.len + 2;
    memcpy(m.bytes, "\x80\x00\x03\xc0", 4);
    memcpy(m.bytes + 4, r.answer.bytes + 2, r.answer.len - 2);
    struct test_message request = { .len = r.request.len + 2 };
    memcpy(request.bytes, r.request.bytes, 3);
    memcpy(request.bytes + 3, "\x80\x00\x03\xc0", 4);
    memcpy(request.bytes + 7, r.request.bytes + 5, r.request.len - 5);
    r.answer = m;
    assert_code(finish(&r), PP_E_ISSUER_PROOF);
    assert_code(pp_cred_request_parse(PP_CRED_BATCH, pp_span(request.bytes, request.len), &q),
                PP_E_ENCODING);
    run_done(&r);
}

static void an_issuance_is_finished_once(void **state)
{
    (void)state;
    struct run r;

    run_init(&r);
    struct test_message answer = r.answer;
    proof(&r)[0] ^= 1;
    assert_code(finish(&r), PP_E_ISSUER_KEY);
    r.answer = answer; /* the right answer, second: the blinds are gone */
    assert_code(finish(&r), PP_E_STATE);
    run_done(&r);
}

static void every_truncation_of_a_request_is_refused(void **state)
{
    (void)state;
    struct run r;
    struct pp_cred_request q;

    run_init(&r);
    for (size_t n = 0; n < r.request.len; n++)
        assert_code(pp_cred_request_parse(PP_CRED_BATCH, pp_span(r.request.bytes, n), &q),
                    PP_E_TRUNCATED);
    assert_code(
        pp_cred_request_parse(PP_CRED_BATCH, pp_span(r.request.bytes, r.request.len + 1), &q),
        PP_E_TRAILING);
    assert_code(pp_cred_request_parse(PP_CRED_SINGLE, pp_span(r.request.bytes, 34), &q),
                PP_E_TRUNCATED);
    assert_ok(pp_cred_request_parse(PP_CRED_SINGLE, pp_span(r.request.bytes, 35), &q));
    run_done(&r);
}

static void requests_outside_the_limits_are_refused(void **state)
{
    (void)state;
    struct pp_cred_request q;
    uint8_t bytes[5 + (PP_CRED_BATCH_MAX + 1) * ELEMENT] = { 0, 5, 0x99, 0x44, 0x20 };

    /* 33 elements: 1056 bytes */
    assert_code(pp_cred_request_parse(PP_CRED_BATCH, PP_BYTES(bytes), &q), PP_E_LIMIT);
    bytes[4] = 0;
    assert_ok(pp_cred_request_parse(PP_CRED_BATCH, pp_span(bytes, sizeof bytes - ELEMENT), &q));
    assert_int_equal(q.count, PP_CRED_BATCH_MAX);
    assert_int_equal(q.truncated_key_id, 0x99);
    bytes[4] = 1;
    assert_code(
        pp_cred_request_parse(PP_CRED_BATCH, pp_span(bytes, sizeof bytes - ELEMENT + 1), &q),
        PP_E_RANGE);
    assert_code(pp_cred_request_parse(PP_CRED_BATCH, PP_STR("\0\x05\x99\0"), &q), PP_E_RANGE);
    bytes[1] = 1;
    assert_code(pp_cred_request_parse(PP_CRED_BATCH, PP_BYTES(bytes), &q), PP_E_UNSUPPORTED);
}

static void the_issuer_refuses_bad_elements_and_requests_for_other_keys(void **state)
{
    (void)state;
    struct run r;
    struct pp_cred_request q;
    uint8_t out[PP_CRED_RESPONSE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    run_init(&r);
    struct pp_span bytes = pp_span(r.request.bytes, r.request.len);
    r.request.bytes[2] ^= 1;
    assert_ok(pp_cred_request_parse(PP_CRED_BATCH, bytes, &q));
    assert_int_equal(pp_cred_request_is_for(&q, &r.key.pub), 0);
    assert_code(pp_cred_issue(&r.key, &q, &RANDOM, &wr), PP_E_MISMATCH);
    r.request.bytes[2] ^= 1;
    memset(r.request.bytes + 5 + 7 * ELEMENT, 0, ELEMENT);
    assert_ok(pp_cred_request_parse(PP_CRED_BATCH, bytes, &q));
    assert_int_equal(pp_cred_request_is_for(&q, &r.key.pub), 1);
    pp_res bad = pp_cred_issue(&r.key, &q, &RANDOM, &wr);
    assert_code(bad, PP_E_KEY);
    assert_int_equal(bad.detail, 7);
    assert_int_equal(wr.len, 0);
    run_done(&r);
}

/* RFC 9578 5.2: what is wrong with a request is one status, and our own troubles are another. */
static void faults_of_a_request_are_422_and_ours_500(void **state)
{
    (void)state;
    const uint32_t theirs[] = { PP_E_TRUNCATED, PP_E_TRAILING, PP_E_UNSUPPORTED,
                                PP_E_ENCODING,  PP_E_RANGE,    PP_E_LIMIT,
                                PP_E_MISMATCH,  PP_E_KEY,      PP_E_NOT_FOUND };
    const uint32_t ours[] = { PP_E_RANDOM,   PP_E_CRYPTO, PP_E_NO_MEMORY,
                              PP_E_NO_SPACE, PP_E_SYSTEM, PP_E_STATE };

    assert_int_equal(pp_cred_issue_status(PP_OK), 200);
    for (size_t i = 0; i < PP_ARRAY_COUNT(theirs); i++)
        assert_int_equal(pp_cred_issue_status(PP_FAIL(theirs[i], 0)), 422);
    for (size_t i = 0; i < PP_ARRAY_COUNT(ours); i++)
        assert_int_equal(pp_cred_issue_status(PP_FAIL(ours[i], 0)), 500);
}

static void public_keys_are_read_from_a_key_epoch_record(void **state)
{
    (void)state;
    struct pp_cred_key key = test_key(3);
    struct pp_cred_key again = { 0 };
    struct pp_cred_public p;
    uint8_t config[64];
    struct pp_wr wr = pp_wr_over(config, sizeof config);

    pp_cred_public_write(&key.pub, &wr);
    assert_int_equal(wr.len, 34);
    assert_ok(pp_cred_public_parse(pp_wr_done(&wr), &p));
    assert_memory_equal(p.key_id, key.pub.key_id, 32);
    for (size_t n = 0; n < 34; n++)
        assert_code(pp_cred_public_parse(pp_span(config, n), &p), PP_E_TRUNCATED);
    assert_code(pp_cred_public_parse(pp_span(config, 35), &p), PP_E_TRAILING);
    config[1] = 1;
    assert_code(pp_cred_public_parse(pp_span(config, 34), &p), PP_E_UNSUPPORTED);
    config[1] = 5;
    memset(config + 2, 0, 32);
    assert_code(pp_cred_public_parse(pp_span(config, 34), &p), PP_E_KEY);

    assert_ok(pp_cred_key_import(5, pp_secret_span(&key.sk_secret), &again));
    assert_memory_equal(again.pub.key_id, key.pub.key_id, 32);
    pp_cred_key_done(&again);
    assert_code(pp_cred_key_import(1, pp_secret_span(&key.sk_secret), &again), PP_E_UNSUPPORTED);
    assert_code(pp_cred_key_import(5, PP_STR("short"), &again), PP_E_KEY);
    assert_code(pp_cred_key_derive(5, PP_STR("short"), &again), PP_E_RANGE);
    assert_code(pp_cred_key_derive(1, pp_span(config, 32), &again), PP_E_UNSUPPORTED);
    assert_null(again.sk_secret.bytes);
    pp_cred_key_done(&key);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_batch_gives_tokens_that_the_key_recognises),
    cmocka_unit_test(a_single_token_has_a_request_of_35_and_an_answer_of_96_bytes),
    cmocka_unit_test(batches_have_1_to_32_tokens_and_singles_one),
    cmocka_unit_test(a_failed_random_source_begins_nothing),
    cmocka_unit_test(w1_t7_w2_t4_an_answer_under_another_key_is_refused),
    cmocka_unit_test(w2_t1_a_random_element_is_refused),
    cmocka_unit_test(w2_t2_the_identity_element_is_refused),
    cmocka_unit_test(w2_t3_a_non_canonical_element_is_refused),
    cmocka_unit_test(w2_t3_a_non_canonical_proof_is_refused),
    cmocka_unit_test(w2_t5_a_proof_for_a_permuted_batch_is_refused),
    cmocka_unit_test(w2_t6_every_truncation_of_an_answer_is_refused),
    cmocka_unit_test(w2_t7_one_bad_element_of_30_refuses_the_whole_batch),
    cmocka_unit_test(w2_t8_an_answer_in_unproven_mode_is_refused),
    cmocka_unit_test(an_answer_of_another_count_is_refused),
    cmocka_unit_test(an_answer_with_an_element_more_is_refused),
    cmocka_unit_test(a_length_that_is_not_shortest_is_refused_on_both_sides),
    cmocka_unit_test(an_issuance_is_finished_once),
    cmocka_unit_test(every_truncation_of_a_request_is_refused),
    cmocka_unit_test(requests_outside_the_limits_are_refused),
    cmocka_unit_test(the_issuer_refuses_bad_elements_and_requests_for_other_keys),
    cmocka_unit_test(faults_of_a_request_are_422_and_ours_500),
    cmocka_unit_test(public_keys_are_read_from_a_key_epoch_record),
};

CRED_TEST_MAIN(TESTS)
