/* SPDX-License-Identifier: Apache-2.0 */
/* Token type 0x0002: what differs from the type that the other tests use. */
#include "cred_test.h"
#include "rsa_key.h"

#include "blindrsa.h"

enum { TYPE = PP_TOKEN_BLIND_RSA, NUMBER = 256, TOKEN_BYTES = 354, PK_BYTES = 342 };

/* A key that nobody else has, as DER. */
static struct pp_secret new_key(void)
{
    struct pp_blindrsa_key *made = NULL;
    struct pp_secret der = { 0 };

    assert_ok(pp_blindrsa_generate(&made));
    assert_ok(pp_blindrsa_export_der(made, &der));
    pp_blindrsa_free(made);
    return der;
}

static struct pp_cred_key rsa_key(void)
{
    uint8_t der[RSA_KEY_DER_BYTES];
    struct pp_cred_key key = { 0 };

    assert_int_equal(pp_test_hex(RSA_KEY_DER, der, sizeof der), sizeof der);
    assert_ok(pp_cred_key_import(TYPE, PP_BYTES(der), &key));
    return key;
}

/* One issuance up to the issuer's honest answer. */
struct run {
    struct pp_cred_key key;
    struct pp_cred_issuance x;
    struct test_message request, answer;
    struct pp_secret token;
};

static void run_init(struct run *r)
{
    uint8_t digest[PP_TOKEN_DIGEST_BYTES];

    *r = (struct run){ .key = rsa_key() };
    assert_ok(pp_token_epoch_digest(TYPE, PP_STR(ISSUER), PP_STR(AUTHORITY), DAY, digest));
    assert_ok(pp_cred_issuance_begin(&r->x, PP_CRED_SINGLE, &r->key.pub, digest, 1, &RANDOM));
    r->request = test_request(&r->x);
    r->answer = test_answer(&r->key, PP_CRED_SINGLE, &r->request);
}

static void run_done(struct run *r)
{
    pp_cred_issuance_done(&r->x);
    pp_cred_key_done(&r->key);
    pp_secret_done(&r->token);
}

static pp_res finish(struct run *r)
{
    pp_res verdict = pp_cred_issuance_finish(&r->x, pp_span(r->answer.bytes, r->answer.len),
                                             &r->token);

    if (!pp_is_ok(verdict))
        assert_null(r->token.bytes);
    assert_null(r->x.blinds_secret.bytes);
    return verdict;
}

static pp_res redeem(const struct pp_cred_key *key, struct pp_span token,
                     struct pp_cred_redeemed *ret)
{
    char field[PP_TOKEN_FIELD_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(field, sizeof field);
    struct pp_cred_epoch epoch;

    assert_ok(pp_cred_epoch_init(&epoch, key, DAY, PP_STR(ISSUER), PP_STR(AUTHORITY)));
    pp_token_field_write(token, &wr);
    assert_ok(pp_wr_ok(&wr));
    return pp_cred_redeem_check(&epoch, 1, NOON_S, pp_wr_done(&wr), ret);
}

static void a_token_has_a_request_of_259_and_an_answer_of_256_bytes(void **state)
{
    (void)state;
    struct run r;
    struct pp_token t;

    run_init(&r);
    assert_int_equal(r.request.len, 259);
    assert_int_equal(r.answer.len, NUMBER);
    assert_int_equal(r.request.bytes[2], r.key.pub.key_id[31]);
    assert_ok(finish(&r));
    assert_int_equal(r.token.len, TOKEN_BYTES);
    assert_int_equal(pp_token_bytes(TYPE), TOKEN_BYTES);
    assert_ok(pp_token_parse(pp_secret_span(&r.token), &t));
    assert_memory_equal(t.key_id, r.key.pub.key_id, 32);
    assert_int_equal(t.authenticator.len, NUMBER);
    run_done(&r);
}

static void whoever_has_the_public_key_redeems_and_issues_nothing(void **state)
{
    (void)state;
    struct run r;
    struct pp_cred_redeemed redeemed = { 0 };
    struct pp_cred_key verifier = { 0 }, five = test_key(1), none = { 0 };
    struct pp_cred_request q;
    uint8_t out[PP_CRED_RESPONSE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    run_init(&r);
    assert_ok(finish(&r));
    assert_ok(pp_cred_key_public(&r.key.pub, &verifier));
    assert_ok(redeem(&verifier, pp_secret_span(&r.token), &redeemed));
    assert_int_equal(redeemed.day, DAY);
    assert_ok(redeem(&r.key, pp_secret_span(&r.token), &redeemed));

    assert_ok(pp_cred_request_parse(PP_CRED_SINGLE, pp_span(r.request.bytes, r.request.len), &q));
    pp_res refused = pp_cred_issue(&verifier, &q, &RANDOM, &wr);
    assert_code(refused, PP_E_STATE);
    assert_int_equal(pp_cred_issue_status(refused), 500);
    assert_int_equal(wr.len, 0);
    assert_code(pp_cred_key_public(&five.pub, &none), PP_E_UNSUPPORTED);
    pp_cred_key_done(&five);
    pp_cred_key_done(&verifier);
    run_done(&r);
}

static void every_changed_byte_of_a_blind_rsa_token_is_refused(void **state)
{
    (void)state;
    struct run r;
    struct pp_cred_redeemed redeemed = { 0 };

    run_init(&r);
    assert_ok(finish(&r));
    for (size_t i = 0; i < TOKEN_BYTES; i += 3) {
        r.token.bytes[i] ^= 1;
        assert_code(redeem(&r.key, pp_secret_span(&r.token), &redeemed), PP_E_TOKEN_REFUSED);
        r.token.bytes[i] ^= 1;
    }
    for (size_t n = 0; n < TOKEN_BYTES; n += 11)
        assert_code(redeem(&r.key, pp_span(r.token.bytes, n), &redeemed), PP_E_TOKEN_REFUSED);
    assert_ok(redeem(&r.key, pp_secret_span(&r.token), &redeemed));
    run_done(&r);
}

/* W1.T7, W2.T4: the signature is one, but not of the key that the ledger lists. */
static void w1_t7_w2_t4_a_signature_of_another_key_is_refused(void **state)
{
    (void)state;
    struct run r;
    PP_AUTO(pp_secret) der = new_key();
    PP_AUTO(pp_cred_key) other = { 0 };

    run_init(&r);
    assert_ok(pp_cred_key_import(TYPE, pp_secret_span(&der), &other));
    struct test_message asked = r.request;
    asked.bytes[2] = other.pub.key_id[31];
    asked.bytes[3] = 0; /* below either modulus; what is signed is another number anyway */
    r.answer = test_answer(&other, PP_CRED_SINGLE, &asked);
    r.answer.bytes[0] = 0;
    assert_code(finish(&r), PP_E_ISSUER_KEY);
    run_done(&r);
}

static void w2_t1_a_number_that_is_no_signature_is_refused(void **state)
{
    (void)state;
    struct run r;

    run_init(&r);
    r.answer.bytes[NUMBER - 1] ^= 1;
    assert_code(finish(&r), PP_E_ISSUER_KEY);
    run_done(&r);
}

static void w2_t3_a_number_not_below_the_modulus_is_refused(void **state)
{
    (void)state;
    struct run r;

    run_init(&r);
    memset(r.answer.bytes, 0xff, NUMBER);
    assert_code(finish(&r), PP_E_ISSUER_PROOF);
    run_done(&r);
}

static void w2_t6_every_other_length_of_an_answer_is_refused(void **state)
{
    (void)state;
    for (size_t n = 0; n <= NUMBER + 1; n += n + 19 < NUMBER ? 19 : 1) {
        struct run r;
        if (n == NUMBER)
            continue;
        run_init(&r);
        r.answer.bytes[NUMBER] = 0;
        r.answer.len = n;
        assert_code(finish(&r), PP_E_ISSUER_PROOF);
        run_done(&r);
    }
}

/* Only proofs can be shared: in type 2 every token is answered by itself. */
static void there_are_no_batches_of_blind_rsa_tokens(void **state)
{
    (void)state;
    struct pp_cred_key key = rsa_key();
    uint8_t digest[PP_TOKEN_DIGEST_BYTES] = { 0 };
    uint8_t bytes[5 + NUMBER] = { 0, TYPE, 0, 0x41, 0x00 };
    struct pp_cred_issuance x;
    struct pp_cred_request q;

    assert_code(pp_cred_issuance_begin(&x, PP_CRED_BATCH, &key.pub, digest, 1, &RANDOM),
                PP_E_UNSUPPORTED);
    assert_code(pp_cred_issuance_begin(&x, PP_CRED_SINGLE, &key.pub, digest, 2, &RANDOM),
                PP_E_RANGE);
    assert_code(pp_cred_request_parse(PP_CRED_BATCH, PP_BYTES(bytes), &q), PP_E_UNSUPPORTED);
    pp_cred_key_done(&key);
}

static void every_other_length_of_a_request_is_refused(void **state)
{
    (void)state;
    struct run r;
    struct pp_cred_request q;

    run_init(&r);
    for (size_t n = 0; n < r.request.len; n++)
        assert_code(pp_cred_request_parse(PP_CRED_SINGLE, pp_span(r.request.bytes, n), &q),
                    PP_E_TRUNCATED);
    r.request.bytes[r.request.len] = 0;
    assert_code(
        pp_cred_request_parse(PP_CRED_SINGLE, pp_span(r.request.bytes, r.request.len + 1), &q),
        PP_E_TRAILING);
    run_done(&r);
}

static void the_issuer_refuses_a_number_not_below_its_modulus(void **state)
{
    (void)state;
    struct run r;
    struct pp_cred_request q;
    uint8_t out[PP_CRED_RESPONSE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    run_init(&r);
    memset(r.request.bytes + 3, 0xff, NUMBER);
    assert_ok(pp_cred_request_parse(PP_CRED_SINGLE, pp_span(r.request.bytes, r.request.len), &q));
    assert_code(pp_cred_issue(&r.key, &q, &RANDOM, &wr), PP_E_KEY);
    assert_int_equal(wr.len, 0);
    run_done(&r);
}

static void a_failed_random_source_begins_no_blind_rsa_issuance(void **state)
{
    (void)state;
    struct pp_cred_key key = rsa_key();
    uint8_t digest[PP_TOKEN_DIGEST_BYTES] = { 0 }, some[32 + 48 + 2 * NUMBER] = { 0 };
    struct pp_cred_issuance x;

    some[sizeof some - NUMBER - 1] = 7; /* the blind */
    some[sizeof some - 1] = 9;          /* its mask */
    for (size_t n = 0; n < sizeof some; n += 5) {
        struct pp_span script = pp_span(some, n);
        struct pp_random random = pp_random_script(&script);
        assert_code(pp_cred_issuance_begin(&x, PP_CRED_SINGLE, &key.pub, digest, 1, &random),
                    PP_E_RANDOM);
        assert_null(x.blinds_secret.bytes);
    }
    struct pp_span script = PP_BYTES(some);
    struct pp_random random = pp_random_script(&script);
    assert_ok(pp_cred_issuance_begin(&x, PP_CRED_SINGLE, &key.pub, digest, 1, &random));
    pp_cred_issuance_done(&x);
    pp_cred_key_done(&key);
}

static void keys_of_type_2_are_imported_and_read_from_a_record(void **state)
{
    (void)state;
    struct pp_cred_key key = rsa_key(), none = { 0 };
    struct pp_cred_public p;
    PP_AUTO(pp_secret) der = new_key();
    uint8_t config[2 + PK_BYTES + 1] = { 0 }, seed[PP_CRED_SEED_BYTES] = { 1 };
    struct pp_wr wr = pp_wr_over(config, sizeof config);

    pp_cred_public_write(&key.pub, &wr);
    assert_int_equal(wr.len, 2 + PK_BYTES);
    assert_ok(pp_cred_public_parse(pp_wr_done(&wr), &p));
    assert_int_equal(p.pk_len, PK_BYTES);
    assert_memory_equal(p.key_id, key.pub.key_id, 32);
    for (size_t n = 0; n < wr.len; n += 9)
        assert_code(pp_cred_public_parse(pp_span(config, n), &p), PP_E_TRUNCATED);
    assert_code(pp_cred_public_parse(PP_BYTES(config), &p), PP_E_TRAILING);
    config[2] ^= 1;
    assert_code(pp_cred_public_parse(pp_wr_done(&wr), &p), PP_E_KEY);

    assert_ok(pp_cred_key_import(TYPE, pp_secret_span(&der), &none));
    assert_memory_not_equal(none.pub.key_id, key.pub.key_id, 32);
    pp_cred_key_done(&none);
    assert_code(pp_cred_key_import(TYPE, pp_span(der.bytes, der.len - 1), &none), PP_E_KEY);
    assert_code(pp_cred_key_derive(TYPE, PP_BYTES(seed), &none), PP_E_UNSUPPORTED);
    assert_null(none.rsa);
    pp_cred_key_done(&key);
    pp_cred_key_done(&key);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_token_has_a_request_of_259_and_an_answer_of_256_bytes),
    cmocka_unit_test(whoever_has_the_public_key_redeems_and_issues_nothing),
    cmocka_unit_test(every_changed_byte_of_a_blind_rsa_token_is_refused),
    cmocka_unit_test(w1_t7_w2_t4_a_signature_of_another_key_is_refused),
    cmocka_unit_test(w2_t1_a_number_that_is_no_signature_is_refused),
    cmocka_unit_test(w2_t3_a_number_not_below_the_modulus_is_refused),
    cmocka_unit_test(w2_t6_every_other_length_of_an_answer_is_refused),
    cmocka_unit_test(there_are_no_batches_of_blind_rsa_tokens),
    cmocka_unit_test(every_other_length_of_a_request_is_refused),
    cmocka_unit_test(the_issuer_refuses_a_number_not_below_its_modulus),
    cmocka_unit_test(a_failed_random_source_begins_no_blind_rsa_issuance),
    cmocka_unit_test(keys_of_type_2_are_imported_and_read_from_a_record),
};

CRED_TEST_MAIN(TESTS)
