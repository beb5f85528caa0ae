/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP answers (RFC 6960): who may answer, about what, and for how long. */
#include "harness.h"

#include "crypto.h"
#include "ocsp_issue.h"
#include "wr.h"

enum { NOW = 1780272000, DAY_S = 86400, CERT_BYTES_MAX = 1024, ANSWER_BYTES_MAX = 4096 };

struct party {
    struct pp_ec_key *ec;
    struct pp_issue_key *key;
    uint8_t der[CERT_BYTES_MAX];
    size_t der_len;
    struct pp_x509 *cert;
};

/* An authority with a subject and a responder, and a stranger who is an authority too. */
static struct party root, subject, second, responder, plain, expired, stranger;

static struct pp_span der_of(const struct party *p)
{
    return pp_span(p->der, p->der_len);
}

static void make(struct party *p, const char *cn, const struct party *issuer, const char *issuer_cn,
                 uint64_t serial, int is_ca, int signs_answers, uint64_t not_after)
{
    uint8_t spki[PP_P384_SPKI_BYTES];
    size_t len;
    struct pp_issue_cert cert = { .subject = { { "CN", cn } },
                                  .subject_count = 1,
                                  .issuer = { { "CN", issuer_cn } },
                                  .issuer_count = 1,
                                  .serial = serial,
                                  .not_before = NOW - DAY_S,
                                  .not_after = not_after,
                                  .is_ca = is_ca,
                                  .path_len = -1 };

    assert_ok(pp_ec_key_generate(PP_P384, &p->ec));
    assert_ok(pp_issue_key_from_ec(p->ec, &p->key));
    assert_ok(pp_ec_key_spki(p->ec, spki, sizeof spki, &len));
    cert.spki = pp_span(spki, len);
    if (signs_answers) {
        cert.extensions[0] = (struct pp_issue_extension){ .oid = "2.5.29.37",
                                                          .value = PP_ISSUE_OCSP_SIGNING };
        cert.extension_count = 1;
    }
    assert_ok(pp_x509_issue(&cert, issuer->key == NULL ? p->key : issuer->key,
                            PP_X509_SIG_ECDSA_SHA384, p->der, sizeof p->der, &p->der_len));
    assert_ok(pp_x509_parse(der_of(p), &p->cert));
}

static struct pp_issue_ocsp good(void)
{
    return (struct pp_issue_ocsp){ .cert = der_of(&subject),
                                   .issuer = der_of(&root),
                                   .responder = der_of(&root),
                                   .hash = PP_SHA384,
                                   .status = PP_OCSP_GOOD,
                                   .this_update = NOW - 60,
                                   .next_update = NOW + 60 };
}

static const uint8_t NONCE[PP_OCSP_NONCE_BYTES] = { 5, 4, 3 };

/* What the answer, signed by `by`, says of the subject. */
static uint32_t ask(const struct pp_issue_ocsp *a, const struct party *by, const uint8_t *nonce,
                    enum pp_ocsp_status *ret)
{
    uint8_t der[ANSWER_BYTES_MAX];
    struct pp_ocsp *o = NULL;
    size_t len;
    struct pp_ocsp_question q = { .cert = subject.cert,
                                  .issuer = root.cert,
                                  .posix_s = NOW,
                                  .max_age_s = DAY_S,
                                  .nonce = nonce };

    assert_ok(pp_ocsp_issue(a, by->key, der, sizeof der, &len));
    assert_ok(pp_ocsp_parse(pp_span(der, len), &o));
    pp_res r = pp_ocsp_check(o, &q, ret);
    pp_ocsp_free(o);
    return r.code;
}

static uint32_t code_of(const struct pp_issue_ocsp *a, const struct party *by)
{
    enum pp_ocsp_status status = 77;
    uint32_t code = ask(a, by, NULL, &status);

    assert_true((code == PP_E_OK) == (status != 77)); /* written only on success */
    return code;
}

static void each_status_is_told(void **state)
{
    (void)state;
    for (enum pp_ocsp_status s = PP_OCSP_GOOD; s <= PP_OCSP_UNKNOWN; s++) {
        struct pp_issue_ocsp a = good();
        enum pp_ocsp_status got = 0;
        a.status = s;
        assert_int_equal(ask(&a, &root, NULL, &got), PP_E_OK);
        assert_int_equal(got, s);
    }
}

/* RFC 6960 4.2.2.2: the issuer, or one to whom it gave id-kp-OCSPSigning directly. */
static void the_issuer_answers_or_one_that_it_named_for_that(void **state)
{
    (void)state;
    struct pp_issue_ocsp a = good();

    assert_int_equal(code_of(&a, &root), PP_E_OK);
    a.responder = der_of(&responder);
    assert_int_equal(code_of(&a, &responder), PP_E_OK);
    a.responder = der_of(&plain); /* of this issuer, for another purpose */
    assert_int_equal(code_of(&a, &plain), PP_E_SIGNATURE);
    a.responder = der_of(&subject); /* the certificate for itself */
    assert_int_equal(code_of(&a, &subject), PP_E_SIGNATURE);
    a.responder = der_of(&stranger);
    assert_int_equal(code_of(&a, &stranger), PP_E_SIGNATURE);
    a.responder = der_of(&expired);
    assert_int_equal(code_of(&a, &expired), PP_E_SIGNATURE);
}

static void an_answer_is_about_this_certificate_of_this_issuer(void **state)
{
    (void)state;
    struct pp_issue_ocsp a = good();

    a.cert = der_of(&second);
    assert_int_equal(code_of(&a, &root), PP_E_NOT_FOUND);
    a = good();
    a.issuer = a.responder = der_of(&stranger);
    assert_int_equal(code_of(&a, &stranger), PP_E_NOT_FOUND);
    a = good();
    a.copies = 2; /* which of the two would count? */
    assert_int_equal(code_of(&a, &root), PP_E_FORMAT);
}

static void an_issuer_is_named_by_a_hash_that_holds(void **state)
{
    (void)state;
    struct pp_issue_ocsp a = good();

    a.hash = PP_SHA256;
    assert_int_equal(code_of(&a, &root), PP_E_OK);
    a.hash = 0; /* SHA-1 */
    assert_int_equal(code_of(&a, &root), PP_E_NOT_FOUND);
}

static void an_answer_is_in_force_and_not_too_old(void **state)
{
    (void)state;
    static const struct {
        int64_t from, until;
        uint32_t code;
    } rows[] = {
        { 0, 1, PP_E_OK },      { -DAY_S, 1, PP_E_OK }, { -DAY_S - 1, 1, PP_E_RANGE },
        { -10, 0, PP_E_RANGE }, { 1, 10, PP_E_RANGE },  { -10, -NOW, PP_E_FORMAT }, /* no end */
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_issue_ocsp a = good();
        a.this_update = (uint64_t)(NOW + rows[i].from);
        a.next_update = (uint64_t)(NOW + rows[i].until);
        assert_int_equal(code_of(&a, &root), rows[i].code);
    }
}

static void a_nonce_that_was_asked_for_is_repeated_exactly(void **state)
{
    (void)state;
    struct pp_issue_ocsp a = good();
    enum pp_ocsp_status status;
    uint8_t other[PP_OCSP_NONCE_BYTES];

    memcpy(other, NONCE, sizeof other);
    other[31] ^= 1;
    assert_int_equal(ask(&a, &root, NONCE, &status), PP_E_MISMATCH); /* absent */
    a.nonce = NONCE;
    assert_int_equal(ask(&a, &root, NONCE, &status), PP_E_OK);
    assert_int_equal(ask(&a, &root, other, &status), PP_E_MISMATCH);
    assert_int_equal(ask(&a, &root, NULL, &status), PP_E_OK); /* nobody asked */
}

static void every_changed_byte_of_an_answer_is_refused(void **state)
{
    (void)state;
    uint8_t der[ANSWER_BYTES_MAX];
    size_t len;
    struct pp_issue_ocsp a = good();
    struct pp_ocsp_question q = {
        .cert = subject.cert, .issuer = root.cert, .posix_s = NOW, .max_age_s = DAY_S
    };

    assert_ok(pp_ocsp_issue(&a, root.key, der, sizeof der, &len));
    for (size_t at = 0; at < len; at++) {
        struct pp_ocsp *o = NULL;
        enum pp_ocsp_status status;
        der[at] ^= 4;
        pp_res r = pp_ocsp_parse(pp_span(der, len), &o);
        if (pp_is_ok(r))
            r = pp_ocsp_check(o, &q, &status);
        assert_true(r.code == PP_E_FORMAT || r.code == PP_E_NOT_FOUND || r.code == PP_E_SIGNATURE);
        pp_ocsp_free(o);
        der[at] ^= 4;
    }
    for (size_t n = 0; n < len; n++) {
        struct pp_ocsp *o = NULL;
        assert_code(pp_ocsp_parse(pp_span(der, n), &o), PP_E_FORMAT);
    }
    struct pp_ocsp *o = NULL;
    der[len] = 0;
    assert_code(pp_ocsp_parse(pp_span(der, len + 1), &o), PP_E_FORMAT);
}

static uint32_t check_at(struct pp_span der, uint64_t at)
{
    struct pp_ocsp_question q = {
        .cert = subject.cert, .issuer = root.cert, .posix_s = at, .max_age_s = 2 * DAY_S
    };
    enum pp_ocsp_status status;
    struct pp_ocsp *o = NULL;
    pp_res r = pp_ocsp_parse(der, &o);

    if (pp_is_ok(r))
        r = pp_ocsp_check(o, &q, &status);
    pp_ocsp_free(o);
    return r.code;
}

static void an_issuer_that_is_not_in_force_answers_nothing(void **state)
{
    (void)state;
    struct pp_issue_ocsp a = good();
    uint8_t der[ANSWER_BYTES_MAX];
    size_t len;

    a.next_update = NOW + 2 * DAY_S;
    assert_ok(pp_ocsp_issue(&a, root.key, der, sizeof der, &len));
    assert_int_equal(check_at(pp_span(der, len), NOW + DAY_S - 1), PP_E_OK);
    assert_int_equal(check_at(pp_span(der, len), NOW + DAY_S), PP_E_SIGNATURE);
    assert_int_equal(check_at(pp_span(der, len), UINT64_MAX), PP_E_SIGNATURE);
}

/* An answer speaks of one issuer's certificates; of several of them as it likes. */
static void an_answer_that_mixes_issuers_is_refused(void **state)
{
    (void)state;
    struct pp_issue_ocsp a = good();

    a.also = der_of(&second);
    a.also_issuer = der_of(&root);
    assert_int_equal(code_of(&a, &root), PP_E_OK);
    a.also_issuer = der_of(&stranger);
    assert_int_equal(code_of(&a, &root), PP_E_SIGNATURE);
}

/* As with certificates: the number of bits to leave out is nobody's. */
static void a_signature_that_is_no_whole_number_of_bytes_is_refused(void **state)
{
    (void)state;
    struct pp_issue_ocsp a = good();
    uint8_t der[ANSWER_BYTES_MAX];
    size_t len, at = 0;

    do
        assert_ok(pp_ocsp_issue(&a, root.key, der, sizeof der, &len));
    while ((der[len - 1] & 1) != 0);
    for (size_t i = 0; i + 4 < len; i++) /* BIT STRING of all that is left, SEQUENCE */
        if (der[i] == 0x03 && der[i + 1] == len - i - 2 && der[i + 2] == 0 && der[i + 3] == 0x30)
            at = i + 2;
    assert_true(at > 0);
    assert_int_equal(check_at(pp_span(der, len), NOW), PP_E_OK);
    der[at] = 1;
    assert_int_equal(check_at(pp_span(der, len), NOW), PP_E_SIGNATURE);
}

/* One level of OCSPResponse: a tag, a length of two bytes, what is in it, and perhaps a NULL. */
static struct pp_span level(uint8_t tag, struct pp_span in, int more, uint8_t *ret)
{
    struct pp_wr wr = pp_wr_over(ret, ANSWER_BYTES_MAX);

    pp_wr_u8(&wr, tag);
    pp_wr_u8(&wr, 0x82);
    pp_wr_u16(&wr, (uint16_t)(in.len + (more ? 2 : 0)));
    pp_wr_span(&wr, in);
    if (more)
        pp_wr_bytes(&wr, "\x05\x00", 2);
    assert_ok(pp_wr_ok(&wr));
    return pp_wr_done(&wr);
}

/* The basic answer in the levels around it; `at` of them has one value more than it should. */
static struct pp_span wrap(struct pp_span basic, int at)
{
    static uint8_t bytes[8][ANSWER_BYTES_MAX];
    static const uint8_t oid[] = {
        0x06, 0x09, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01
    };
    struct pp_span in = level(0x04, basic, 0, bytes[0]);
    struct pp_wr wr = pp_wr_over(bytes[1], ANSWER_BYTES_MAX);

    pp_wr_span(&wr, PP_BYTES(oid));
    pp_wr_span(&wr, in);
    in = level(0xA0, level(0x30, pp_wr_done(&wr), at == 1, bytes[2]), at == 2, bytes[3]);
    wr = pp_wr_over(bytes[4], ANSWER_BYTES_MAX);
    pp_wr_bytes(&wr, "\x0A\x01\x00", 3);
    pp_wr_span(&wr, in);
    return level(0x30, pp_wr_done(&wr), at == 3, bytes[5]);
}

static void each_level_of_an_answer_holds_what_it_should_and_in_der(void **state)
{
    (void)state;
    struct pp_issue_ocsp a = good();
    uint8_t der[ANSWER_BYTES_MAX], ber[ANSWER_BYTES_MAX];
    struct pp_span basic = { 0 };
    struct pp_ocsp *o = NULL;
    size_t len;

    assert_ok(pp_ocsp_issue(&a, root.key, der, sizeof der, &len));
    for (size_t i = 0; i + 4 < len; i++) /* OCTET STRING of all that is left */
        if (der[i] == 0x04 && der[i + 1] == 0x82 &&
            (size_t)(der[i + 2] << 8 | der[i + 3]) == len - i - 4)
            basic = pp_span(der + i + 4, len - i - 4);
    assert_true(basic.len > 0x100);
    assert_int_equal(check_at(wrap(basic, 0), NOW), PP_E_OK);
    for (int at = 1; at <= 3; at++)
        assert_code(pp_ocsp_parse(wrap(basic, at), &o), PP_E_FORMAT);

    assert_int_equal(basic.at[1], 0x82);
    struct pp_wr wr = pp_wr_over(ber, sizeof ber);
    pp_wr_bytes(&wr, "\x30\x83\x00", 3); /* a length in a longer form */
    pp_wr_bytes(&wr, basic.at + 2, basic.len - 2);
    assert_code(pp_ocsp_parse(wrap(pp_wr_done(&wr), 0), &o), PP_E_FORMAT);
}

static void a_failure_is_no_answer_and_sizes_have_a_limit(void **state)
{
    (void)state;
    static uint8_t large[PP_OCSP_BYTES_MAX + 1];
    uint8_t der[64];
    struct pp_ocsp *o = NULL;
    size_t len;

    assert_ok(pp_ocsp_issue_error(der, sizeof der, &len));
    assert_code(pp_ocsp_parse(pp_span(der, len), &o), PP_E_FORMAT);
    assert_code(pp_ocsp_parse(pp_span(large, sizeof large), &o), PP_E_LIMIT);
    assert_code(pp_ocsp_parse(pp_span(large, sizeof large - 1), &o), PP_E_FORMAT);
    pp_ocsp_free(NULL);
}

static int setup(void **state)
{
    (void)state;
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    make(&root, "root", &root, "root", 1, 1, 0, NOW + DAY_S);
    make(&subject, "subject", &root, "root", 2, 1, 0, NOW + DAY_S);
    make(&second, "second", &root, "root", 3, 1, 0, NOW + DAY_S);
    make(&responder, "responder", &root, "root", 4, 0, 1, NOW + DAY_S);
    make(&plain, "plain", &root, "root", 5, 0, 0, NOW + DAY_S);
    make(&expired, "expired", &root, "root", 6, 0, 1, NOW - 1);
    make(&stranger, "root", &stranger, "root", 1, 1, 0, NOW + DAY_S); /* the same name */
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    struct party *all[] = { &root, &subject, &second, &responder, &plain, &expired, &stranger };

    for (size_t i = 0; i < PP_ARRAY_COUNT(all); i++) {
        pp_x509_free(all[i]->cert);
        pp_issue_key_free(all[i]->key);
        pp_ec_key_free(all[i]->ec);
    }
    return 0;
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(each_status_is_told),
    cmocka_unit_test(the_issuer_answers_or_one_that_it_named_for_that),
    cmocka_unit_test(an_answer_is_about_this_certificate_of_this_issuer),
    cmocka_unit_test(an_issuer_is_named_by_a_hash_that_holds),
    cmocka_unit_test(an_answer_is_in_force_and_not_too_old),
    cmocka_unit_test(a_nonce_that_was_asked_for_is_repeated_exactly),
    cmocka_unit_test(every_changed_byte_of_an_answer_is_refused),
    cmocka_unit_test(an_issuer_that_is_not_in_force_answers_nothing),
    cmocka_unit_test(an_answer_that_mixes_issuers_is_refused),
    cmocka_unit_test(a_signature_that_is_no_whole_number_of_bytes_is_refused),
    cmocka_unit_test(each_level_of_an_answer_holds_what_it_should_and_in_der),
    cmocka_unit_test(a_failure_is_no_answer_and_sizes_have_a_limit),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, setup, teardown);
}
