/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of a test hierarchy: root (RSA) > middle (RSA) > leaf (P-384), as AMD's is built. */
#include "harness.h"

#include <openssl/x509.h>

#include "crypto.h"
#include "reference.h"
#include "wr.h"
#include "x509.h"
#include "x509_issue.h"

enum { NOW = 1780272000, DAY = 86400 };

static struct pp_issue_key *root_key, *middle_key, *other_key;
static struct pp_ec_key *leaf_key;
static uint8_t spki[4][PP_RSA_SPKI_BYTES_MAX]; /* root, middle, leaf, other */
static size_t spki_len[4];

static int make_keys(void **state)
{
    (void)state;
    struct pp_issue_key **rsa[] = { &root_key, &middle_key, &other_key };

    for (size_t i = 0; i < 3; i++)
        if (!pp_is_ok(pp_issue_key_generate_rsa(2048, rsa[i])) ||
            !pp_is_ok(pp_issue_key_spki(*rsa[i], spki[i == 2 ? 3 : i], sizeof spki[i],
                                        &spki_len[i == 2 ? 3 : i])))
            return 1;
    return !pp_is_ok(pp_ec_key_generate(PP_P384, &leaf_key)) ||
           !pp_is_ok(pp_ec_key_spki(leaf_key, spki[2], sizeof spki[2], &spki_len[2]));
}

static int free_keys(void **state)
{
    (void)state;
    pp_issue_key_free(root_key);
    pp_issue_key_free(middle_key);
    pp_issue_key_free(other_key);
    pp_ec_key_free(leaf_key);
    return 0;
}

/* A certificate of the hierarchy; tests change a field and issue it. */
static struct pp_issue_cert template_of(int level)
{
    static const char *const names[] = { "root", "middle", "leaf" };
    struct pp_issue_cert c = {
        .subject = { { "O", "Test" }, { "CN", names[level] } },
        .issuer = { { "O", "Test" }, { "CN", names[level == 0 ? 0 : level - 1] } },
        .subject_count = 2,
        .issuer_count = 2,
        .spki = pp_span(spki[level], spki_len[level]),
        .serial = (uint64_t)level + 1,
        .not_before = NOW - DAY,
        .not_after = NOW + DAY,
        .is_ca = level < 2,
        .path_len = level == 1 ? 0 : -1,
    };

    return c;
}

static struct pp_x509 *issue(const struct pp_issue_cert *t, const struct pp_issue_key *signer,
                             enum pp_x509_sig_kind sig)
{
    uint8_t der[PP_X509_DER_BYTES_MAX];
    size_t len;
    struct pp_x509 *c = NULL;

    assert_ok(pp_x509_issue(t, signer, sig, der, sizeof der, &len));
    assert_ok(pp_x509_parse(pp_span(der, len), &c));
    return c;
}

struct chain {
    struct pp_issue_cert t[3]; /* root, middle, leaf */
    struct pp_x509 *c[3];      /* leaf, middle, root */
};

static void templates(struct chain *ch)
{
    for (int i = 0; i < 3; i++)
        ch->t[i] = template_of(i);
}

static void build(struct chain *ch)
{
    ch->c[2] = issue(&ch->t[0], root_key, PP_X509_SIG_PSS_SHA384);
    ch->c[1] = issue(&ch->t[1], root_key, PP_X509_SIG_PSS_SHA384);
    ch->c[0] = issue(&ch->t[2], middle_key, PP_X509_SIG_PSS_SHA384);
}

static void drop(struct chain *ch)
{
    for (int i = 0; i < 3; i++)
        pp_x509_free(ch->c[i]);
}

/* The same chain link by link, as it is verified where the upper two are kept. */
static pp_res verify_links(const struct chain *ch, uint64_t at)
{
    PP_TRY(pp_x509_link_verify(ch->c[2], ch->c[2], at));
    PP_TRY(pp_x509_link_verify(ch->c[1], ch->c[2], at));
    return pp_x509_link_verify(ch->c[0], ch->c[1], at);
}

/* Whole, by OpenSSL, and in links: all say the same of every chain in these tests. */
static pp_res verify(const struct chain *ch, uint64_t at, int strict)
{
    pp_res whole = pp_x509_chain_verify(ch->c, 3, ch->c[2], at, strict);

    assert_int_equal(reference_chain_code(ch->c, 3, at, strict), whole.code);
    if (!strict)
        assert_code(verify_links(ch, at), whole.code);
    return whole;
}

/* --- parsing --------------------------------------------------------------------------------- */

static void a_certificate_is_exactly_one_der_value(void **state)
{
    (void)state;
    struct pp_issue_cert t = template_of(0);
    uint8_t der[PP_X509_DER_BYTES_MAX + 1] = { 0 };
    size_t len;
    struct pp_x509 *c = NULL;

    assert_ok(pp_x509_issue(&t, root_key, PP_X509_SIG_PSS_SHA384, der, sizeof der, &len));
    for (size_t n = 0; n < len; n++)
        assert_code(pp_x509_parse(pp_span(der, n), &c), PP_E_FORMAT);
    assert_code(pp_x509_parse(pp_span(der, len + 1), &c), PP_E_FORMAT);
    assert_code(pp_x509_parse(pp_span(der, sizeof der), &c), PP_E_LIMIT);
    assert_code(pp_x509_parse(pp_span(der, sizeof der - 1), &c), PP_E_FORMAT);
    assert_null(c);
    assert_ok(pp_x509_parse(pp_span(der, len), &c));
    assert_true(pp_span_eq(pp_x509_der(c), pp_span(der, len)));
    pp_x509_free(c);
    pp_x509_free(NULL);
}

/* X.690, 10.1: DER has the shortest length form. The outer length of these is two bytes already. */
static void a_certificate_in_ber_is_refused(void **state)
{
    (void)state;
    struct pp_issue_cert t = template_of(0);
    uint8_t der[PP_X509_DER_BYTES_MAX];
    uint8_t ber[PP_X509_DER_BYTES_MAX];
    size_t len;
    struct pp_x509 *c = NULL;
    struct pp_wr wr = pp_wr_over(ber, sizeof ber);

    assert_ok(pp_x509_issue(&t, root_key, PP_X509_SIG_PSS_SHA384, der, sizeof der, &len));
    assert_int_equal(der[1], 0x82);
    pp_wr_bytes(&wr, "\x30\x83\x00", 3);
    pp_wr_bytes(&wr, der + 2, len - 2);
    assert_ok(pp_wr_ok(&wr));
    assert_code(pp_x509_parse(pp_wr_done(&wr), &c), PP_E_FORMAT);
}

static void the_fields_are_those_that_were_issued(void **state)
{
    (void)state;
    struct chain ch = { 0 };
    uint8_t buf[PP_RSA_SPKI_BYTES_MAX];
    uint8_t digest[PP_SHA256_BYTES], want[PP_SHA256_BYTES];
    size_t len;

    templates(&ch);
    build(&ch);
    assert_int_equal(pp_x509_version(ch.c[0]), 3);
    assert_int_equal(pp_x509_key_kind(ch.c[0]), PP_X509_KEY_P384);
    assert_int_equal(pp_x509_key_bits(ch.c[0]), 384);
    assert_int_equal(pp_x509_key_kind(ch.c[1]), PP_X509_KEY_RSA);
    assert_int_equal(pp_x509_key_bits(ch.c[1]), 2048);
    assert_int_equal(pp_x509_sig_kind(ch.c[0]), PP_X509_SIG_PSS_SHA384);
    assert_int_equal(pp_x509_not_before(ch.c[0]), NOW - DAY);
    assert_int_equal(pp_x509_not_after(ch.c[0]), NOW + DAY);
    assert_true(pp_x509_equal(ch.c[0], ch.c[0]));
    assert_false(pp_x509_equal(ch.c[0], ch.c[1]));
    pp_x509_digest(ch.c[0], digest);
    pp_sha256(pp_x509_der(ch.c[0]), want);
    assert_memory_equal(digest, want, sizeof want);

    assert_ok(pp_x509_spki(ch.c[0], buf, sizeof buf, &len));
    assert_int_equal(len, PP_P384_SPKI_BYTES);
    assert_memory_equal(buf, spki[2], len);
    assert_code(pp_x509_spki(ch.c[0], buf, len - 1, &len), PP_E_NO_SPACE);
    assert_ok(pp_x509_point(ch.c[0], buf, PP_P384_POINT_BYTES, &len));
    assert_memory_equal(buf, spki[2] + PP_P384_SPKI_BYTES - PP_P384_POINT_BYTES, len);
    assert_code(pp_x509_point(ch.c[0], buf, PP_P384_POINT_BYTES - 1, &len), PP_E_NO_SPACE);
    assert_code(pp_x509_point(ch.c[1], buf, sizeof buf, &len), PP_E_KEY);
    drop(&ch);
}

static void a_certificate_key_verifies_without_being_imported_again(void **state)
{
    (void)state;
    struct chain ch = { 0 };
    uint8_t der[PP_ECDSA_DER_BYTES_MAX], r[48], s[48];
    size_t len;

    templates(&ch);
    build(&ch);
    assert_ok(pp_ec_sign(leaf_key, PP_SHA384, PP_STR("report"), der, sizeof der, &len));
    assert_ok(pp_ecdsa_der_to_raw(pp_span(der, len), 48, r, s));
    assert_ok(pp_x509_ecdsa_verify_raw(ch.c[0], PP_SHA384, PP_STR("report"), r, s));
    assert_code(pp_x509_ecdsa_verify_raw(ch.c[0], PP_SHA384, PP_STR("repork"), r, s),
                PP_E_SIGNATURE);
    assert_code(pp_x509_ecdsa_verify_raw(ch.c[1], PP_SHA384, PP_STR("report"), r, s), PP_E_KEY);
    drop(&ch);
}

static void signature_kinds_are_told_apart(void **state)
{
    (void)state;
    struct pp_issue_cert t = template_of(2);
    struct pp_issue_key *ec = NULL;
    struct pp_x509 *c;

    assert_ok(pp_issue_key_from_ec(leaf_key, &ec));
    c = issue(&t, ec, PP_X509_SIG_ECDSA_SHA256);
    assert_int_equal(pp_x509_sig_kind(c), PP_X509_SIG_ECDSA_SHA256);
    pp_x509_free(c);
    c = issue(&t, ec, PP_X509_SIG_ECDSA_SHA384);
    assert_int_equal(pp_x509_sig_kind(c), PP_X509_SIG_ECDSA_SHA384);
    pp_x509_free(c);
    c = issue(&t, middle_key, PP_X509_SIG_OTHER); /* PKCS #1 v1.5 */
    assert_int_equal(pp_x509_sig_kind(c), PP_X509_SIG_OTHER);
    pp_x509_free(c);
    pp_issue_key_free(ec);
}

static void a_name_attribute_is_read_once_or_not_at_all(void **state)
{
    (void)state;
    struct pp_issue_cert t = template_of(2);
    char text[PP_X509_NAME_BYTES_MAX];
    struct pp_x509 *c;

    t.subject[0] = (struct pp_issue_name){ "OU", "Engineering" };
    c = issue(&t, middle_key, PP_X509_SIG_PSS_SHA384);
    assert_ok(pp_x509_name(c, PP_X509_SUBJECT, "CN", text));
    assert_string_equal(text, "leaf");
    assert_ok(pp_x509_name(c, PP_X509_ISSUER, "CN", text));
    assert_string_equal(text, "middle");
    assert_ok(pp_x509_name(c, PP_X509_SUBJECT, "OU", text));
    assert_string_equal(text, "Engineering");
    assert_code(pp_x509_name(c, PP_X509_SUBJECT, "O", text), PP_E_NOT_FOUND);
    assert_int_equal(pp_x509_name_count(c, PP_X509_SUBJECT), 2);
    pp_x509_free(c);

    t.subject[t.subject_count++] = (struct pp_issue_name){ "CN", "leaf" };
    c = issue(&t, middle_key, PP_X509_SIG_PSS_SHA384);
    assert_code(pp_x509_name(c, PP_X509_SUBJECT, "CN", text), PP_E_DUPLICATE);
    pp_x509_free(c);
}

/* A SEQUENCE in the place of a text: OpenSSL takes one for a name, and it has no characters. */
static void a_name_that_is_no_text_is_refused(void **state)
{
    (void)state;
    struct pp_issue_cert t = template_of(2);
    uint8_t der[PP_X509_DER_BYTES_MAX];
    char text[PP_X509_NAME_BYTES_MAX];
    size_t len;
    struct pp_x509 *c = NULL;

    assert_ok(pp_x509_issue(&t, middle_key, PP_X509_SIG_PSS_SHA384, der, sizeof der, &len));
    uint8_t *at = memmem(der, len, "\x0c\x04leaf", 6);
    assert_non_null(at);
    at[0] = 0x30;
    assert_ok(pp_x509_parse(pp_span(der, len), &c));
    assert_code(pp_x509_name(c, PP_X509_SUBJECT, "CN", text), PP_E_FORMAT);
    pp_x509_free(c);
}

/* X.520 limits a common name to 64 characters: those of four bytes pass our limit of 95 bytes. */
static void a_name_at_its_limit_is_read_and_one_past_it_refused(void **state)
{
    (void)state;
    struct pp_issue_cert t = template_of(2);
    char text[PP_X509_NAME_BYTES_MAX];
    char name[128] = { 0 };
    struct pp_x509 *c;

    for (size_t i = 0; i < 23; i++)
        memcpy(name + 4 * i, "\xF0\x9F\x98\x80", 4); /* 92 bytes */
    for (size_t n = 95; n <= 96; n++) {
        memset(name + 92, 'a', n - 92);
        t.subject[1].text = name;
        c = issue(&t, middle_key, PP_X509_SIG_PSS_SHA384);
        assert_code(pp_x509_name(c, PP_X509_SUBJECT, "CN", text), n == 95 ? PP_E_OK : PP_E_RANGE);
        pp_x509_free(c);
    }
}

static void an_extension_is_read_once_or_not_at_all(void **state)
{
    (void)state;
    struct pp_issue_cert t = template_of(2);
    struct pp_span value;
    struct pp_x509 *c;

    t.extensions[0] = (struct pp_issue_extension){ "1.3.6.1.4.1.3704.1.4", PP_STR("raw"), 0 };
    t.extension_count = 1;
    c = issue(&t, middle_key, PP_X509_SIG_PSS_SHA384);
    assert_ok(pp_x509_extension(c, "1.3.6.1.4.1.3704.1.4", &value));
    assert_true(pp_span_eq(value, PP_STR("raw")));
    assert_code(pp_x509_extension(c, "1.3.6.1.4.1.3704.1.5", &value), PP_E_NOT_FOUND);
    pp_x509_free(c);

    t.extensions[t.extension_count++] = t.extensions[0];
    c = issue(&t, middle_key, PP_X509_SIG_PSS_SHA384);
    assert_code(pp_x509_extension(c, "1.3.6.1.4.1.3704.1.4", &value), PP_E_DUPLICATE);
    pp_x509_free(c);
}

/* --- chains ---------------------------------------------------------------------------------- */

static void a_chain_to_the_pinned_root_verifies_within_its_validity(void **state)
{
    (void)state;
    struct chain ch = { 0 };

    templates(&ch);
    build(&ch);
    assert_ok(verify(&ch, NOW, 0));
    assert_ok(verify(&ch, NOW - DAY, 0));
    assert_ok(verify(&ch, NOW + DAY - 1, 0));
    assert_code(verify(&ch, NOW - DAY - 1, 0), PP_E_RANGE);
    assert_code(verify(&ch, NOW + DAY, 0), PP_E_RANGE); /* OpenSSL leaves the last second out */
    assert_code(verify(&ch, 0, 0), PP_E_RANGE);
    assert_code(verify(&ch, UINT64_MAX, 0), PP_E_RANGE);
    drop(&ch);
}

static void every_certificate_of_a_chain_must_be_in_its_validity(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct chain ch = { 0 };
        templates(&ch);
        ch.t[i].not_after = NOW - 1;
        build(&ch);
        assert_code(verify(&ch, NOW, 0), PP_E_RANGE);
        drop(&ch);
    }
}

/* RFC 5280 4.2.1.1 wants an authority key identifier; AMD's chip certificates have none. */
static void strict_rules_are_asked_for(void **state)
{
    (void)state;
    struct chain ch = { 0 };

    templates(&ch);
    build(&ch);
    assert_ok(verify(&ch, NOW, 0));
    assert_code(verify(&ch, NOW, 1), PP_E_SIGNATURE);
    drop(&ch);
}

static void a_chain_has_exactly_the_certificates_given(void **state)
{
    (void)state;
    struct chain ch = { 0 };
    struct pp_x509 *six[PP_X509_CHAIN_MAX + 1];

    templates(&ch);
    build(&ch);
    struct pp_x509 *skipped[] = { ch.c[0], ch.c[2] };
    struct pp_x509 *repeated[] = { ch.c[0], ch.c[1], ch.c[1], ch.c[2] };
    struct pp_x509 *swapped[] = { ch.c[1], ch.c[0], ch.c[2] };
    struct pp_x509 *short_one[] = { ch.c[1], ch.c[2] };
    for (size_t i = 0; i <= PP_X509_CHAIN_MAX; i++)
        six[i] = ch.c[2];
    assert_ok(pp_x509_chain_verify(short_one, 2, ch.c[2], NOW, 0));
    assert_code(pp_x509_chain_verify(skipped, 2, ch.c[2], NOW, 0), PP_E_SIGNATURE);
    assert_code(pp_x509_chain_verify(repeated, 4, ch.c[2], NOW, 0), PP_E_SIGNATURE);
    assert_code(pp_x509_chain_verify(swapped, 3, ch.c[2], NOW, 0), PP_E_SIGNATURE);
    assert_code(pp_x509_chain_verify(ch.c, 1, ch.c[0], NOW, 0), PP_E_RANGE);
    assert_code(pp_x509_chain_verify(six, PP_X509_CHAIN_MAX + 1, ch.c[2], NOW, 0), PP_E_RANGE);
    drop(&ch);
}

static void a_root_of_the_same_name_is_not_the_pinned_one(void **state)
{
    (void)state;
    struct chain ch = { 0 };
    struct pp_issue_cert t = template_of(0);

    templates(&ch);
    build(&ch);
    t.spki = pp_span(spki[3], spki_len[3]);
    struct pp_x509 *other = issue(&t, other_key, PP_X509_SIG_PSS_SHA384);
    assert_code(pp_x509_chain_verify(ch.c, 3, other, NOW, 0), PP_E_SIGNATURE);
    struct pp_x509 *mixed[] = { ch.c[0], ch.c[1], other };
    assert_code(pp_x509_chain_verify(mixed, 3, other, NOW, 0), PP_E_SIGNATURE);
    assert_code(pp_x509_chain_verify(mixed, 3, ch.c[2], NOW, 0), PP_E_SIGNATURE);
    pp_x509_free(other);
    drop(&ch);
}

static void a_root_must_have_signed_itself(void **state)
{
    (void)state;
    struct chain ch = { 0 };

    templates(&ch);
    build(&ch);
    pp_x509_free(ch.c[2]);
    ch.c[2] = issue(&ch.t[0], other_key, PP_X509_SIG_PSS_SHA384);
    assert_code(verify(&ch, NOW, 0), PP_E_SIGNATURE);
    drop(&ch);
}

static void a_signature_by_another_key_breaks_the_chain_at_each_place(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct chain ch = { 0 };
        templates(&ch);
        build(&ch);
        pp_x509_free(ch.c[i]);
        ch.c[i] = issue(&ch.t[2 - i], other_key, PP_X509_SIG_PSS_SHA384);
        assert_code(verify(&ch, NOW, 0), PP_E_SIGNATURE);
        drop(&ch);
    }
}

static void an_issuer_must_be_a_ca_within_its_path_length(void **state)
{
    (void)state;
    struct chain ch = { 0 };

    templates(&ch);
    ch.t[1].is_ca = 0;
    build(&ch);
    assert_code(verify(&ch, NOW, 0), PP_E_SIGNATURE);
    drop(&ch);

    templates(&ch);
    ch.t[0].path_len = 0; /* the middle one is a CA below it */
    build(&ch);
    assert_code(verify(&ch, NOW, 0), PP_E_SIGNATURE);
    drop(&ch);
}

static void a_leaf_named_after_another_issuer_is_refused(void **state)
{
    (void)state;
    struct chain ch = { 0 };

    templates(&ch);
    ch.t[2].issuer[1].text = "someone";
    build(&ch);
    assert_code(verify(&ch, NOW, 0), PP_E_SIGNATURE);
    drop(&ch);
}

static void an_unknown_critical_extension_is_refused(void **state)
{
    (void)state;
    struct chain ch = { 0 };

    for (int critical = 0; critical < 2; critical++) {
        templates(&ch);
        ch.t[2].extensions[0] = (struct pp_issue_extension){ "1.3.6.1.4.1.3704.1.77", PP_STR("x"),
                                                             critical };
        ch.t[2].extension_count = 1;
        build(&ch);
        assert_code(verify(&ch, NOW, 0), critical ? PP_E_SIGNATURE : PP_E_OK);
        drop(&ch);
    }
}

#define KEY_ID_A                                                                                   \
    "\x80\x08"                                                                                     \
    "AAAAAAAA"
#define KEY_ID_B                                                                                   \
    "\x80\x08"                                                                                     \
    "BBBBBBBB"

static void add_extension(struct pp_issue_cert *t, const char *oid, struct pp_span value)
{
    t->extensions[t->extension_count++] = (struct pp_issue_extension){ oid, value, 0 };
}

static void assert_chain(struct chain *ch, uint32_t code)
{
    build(ch);
    assert_code(verify(ch, NOW, 0), code);
    drop(ch);
}

/* RFC 5280 4.2.1.1: a missing key identifier says nothing; one that is there must be the issuer's,
 * and there once. */
static void a_key_identifier_that_is_there_must_be_the_issuers(void **state)
{
    (void)state;
    static const char *const subject = "2.5.29.14";
    static const char *const authority = "2.5.29.35";
    struct pp_span a = PP_STR("\x30\x0A" KEY_ID_A);
    struct pp_span b = PP_STR("\x30\x0A" KEY_ID_B);
    struct chain ch = { 0 };

    templates(&ch);
    add_extension(&ch.t[2], authority, a); /* the issuer has none to compare with */
    assert_chain(&ch, PP_E_OK);
    add_extension(&ch.t[1], subject,
                  PP_STR("\x04\x08"
                         "AAAAAAAA"));
    assert_chain(&ch, PP_E_OK);
    ch.t[2].extensions[0].value = b;
    assert_chain(&ch, PP_E_SIGNATURE);
    ch.t[2].extensions[0].value = a;
    add_extension(&ch.t[2], authority, a); /* twice */
    assert_chain(&ch, PP_E_SIGNATURE);
    ch.t[2].extension_count = 1;
    ch.t[2].extensions[0].value = PP_STR("\x04\x00"); /* of another form */
    assert_chain(&ch, PP_E_SIGNATURE);
}

/* RFC 5280 4.2.1.3: keyCertSign, where key usage is there. */
static void an_issuer_whose_key_is_for_other_things_is_refused(void **state)
{
    (void)state;
    struct chain ch = { 0 };

    templates(&ch);
    ch.t[1].is_ca = 0;
    add_extension(&ch.t[1], "2.5.29.19", PP_STR("\x30\x03\x01\x01\xFF"));
    assert_chain(&ch, PP_E_OK);
    add_extension(&ch.t[1], "2.5.29.15", PP_STR("\x03\x02\x07\x80")); /* digitalSignature */
    assert_chain(&ch, PP_E_SIGNATURE);
    ch.t[1].extensions[1].value = PP_STR("\x03\x02\x02\x04"); /* keyCertSign */
    assert_chain(&ch, PP_E_OK);
    add_extension(&ch.t[1], "2.5.29.19", PP_STR("\x30\x03\x01\x01\xFF")); /* twice */
    assert_chain(&ch, PP_E_SIGNATURE);
}

/* OpenSSL would apply them; a link does not, so it takes no issuer that has some. */
static void a_link_takes_no_issuer_with_name_constraints(void **state)
{
    (void)state;
    struct chain ch = { 0 };

    templates(&ch);
    add_extension(&ch.t[1], "2.5.29.30",
                  PP_STR("\x30\x0A\xA0\x08\x30\x06\x82\x04"
                         "test"));
    build(&ch);
    assert_code(pp_x509_link_verify(ch.c[0], ch.c[1], NOW), PP_E_SIGNATURE);
    drop(&ch);
}

/* RFC 5280 4.1.1.2: the algorithm outside, which nobody signs, is the one inside. */
static void a_signature_algorithm_that_is_not_the_signed_one_is_refused(void **state)
{
    (void)state;
    struct pp_issue_cert t = template_of(2);
    struct pp_issue_key *ec = NULL;
    struct pp_x509 *issuer = NULL;
    struct pp_x509 *c = NULL;
    struct pp_issue_cert authority = template_of(1);
    uint8_t der[PP_X509_DER_BYTES_MAX];
    static const uint8_t sha384[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03 };
    size_t len;
    size_t at = 0;

    assert_ok(pp_issue_key_from_ec(leaf_key, &ec));
    authority.spki = pp_span(spki[2], spki_len[2]);
    issuer = issue(&authority, ec, PP_X509_SIG_ECDSA_SHA384);
    assert_ok(pp_x509_issue(&t, ec, PP_X509_SIG_ECDSA_SHA384, der, sizeof der, &len));
    assert_ok(pp_x509_parse(pp_span(der, len), &c));
    assert_ok(pp_x509_link_verify(c, issuer, NOW));
    pp_x509_free(c);
    for (size_t i = 0; i + sizeof sha384 <= len; i++)
        if (memcmp(der + i, sha384, sizeof sha384) == 0)
            at = i;     /* the last one: outside */
    der[at + 7] = 0x02; /* ecdsa-with-SHA256 */
    assert_ok(pp_x509_parse(pp_span(der, len), &c));
    assert_code(pp_x509_link_verify(c, issuer, NOW), PP_E_SIGNATURE);
    pp_x509_free(c);
    pp_x509_free(issuer);
    pp_issue_key_free(ec);
}

/*
 * RFC 5280 4.1.1.3: a BIT STRING whose last bits do not count is another DER value, with the same
 * bytes behind it where these bits are zero: nobody signed it.
 */
static void a_signature_that_is_no_whole_number_of_bytes_is_refused(void **state)
{
    (void)state;
    struct pp_issue_cert t = template_of(2), authority = template_of(1);
    struct pp_issue_key *ec = NULL;
    struct pp_x509 *issuer = NULL, *c = NULL;
    uint8_t der[PP_X509_DER_BYTES_MAX];
    size_t len, at = 0;

    assert_ok(pp_issue_key_from_ec(leaf_key, &ec));
    authority.spki = pp_span(spki[2], spki_len[2]);
    issuer = issue(&authority, ec, PP_X509_SIG_ECDSA_SHA384);
    do
        assert_ok(pp_x509_issue(&t, ec, PP_X509_SIG_ECDSA_SHA384, der, sizeof der, &len));
    while ((der[len - 1] & 1) != 0);
    for (size_t i = 0; i + 4 < len; i++) /* BIT STRING of all that is left, SEQUENCE */
        if (der[i] == 0x03 && der[i + 1] == len - i - 2 && der[i + 2] == 0 && der[i + 3] == 0x30)
            at = i + 2;
    assert_true(at > 0);
    assert_ok(pp_x509_parse(pp_span(der, len), &c));
    assert_ok(pp_x509_link_verify(c, issuer, NOW));
    pp_x509_free(c);
    der[at] = 1;
    assert_ok(pp_x509_parse(pp_span(der, len), &c));
    assert_code(pp_x509_link_verify(c, issuer, NOW), PP_E_SIGNATURE);
    pp_x509_free(c);
    pp_x509_free(issuer);
    pp_issue_key_free(ec);
}

/* A P-384 point off its curve: the certificate is read, and its key is none. */
static void a_certificate_whose_key_is_no_point_verifies_nothing(void **state)
{
    (void)state;
    struct chain ch = { 0 };
    uint8_t bad[PP_P384_SPKI_BYTES];
    uint8_t r[48] = { 1 };
    uint8_t s[48] = { 1 };

    templates(&ch);
    build(&ch);
    memcpy(bad, spki[2], sizeof bad);
    bad[sizeof bad - 1] ^= 1;
    struct pp_span good = pp_x509_der(ch.c[0]);
    uint8_t der[PP_X509_DER_BYTES_MAX];
    struct pp_x509 *c = NULL;
    memcpy(der, good.at, good.len);
    for (size_t i = 0; i + sizeof bad <= good.len; i++)
        if (memcmp(der + i, spki[2], sizeof bad) == 0)
            memcpy(der + i, bad, sizeof bad);
    assert_ok(pp_x509_parse(pp_span(der, good.len), &c));
    assert_int_equal(pp_x509_key_kind(c), PP_X509_KEY_OTHER);
    assert_int_equal(pp_x509_key_bits(c), 0);
    assert_code(pp_x509_ecdsa_verify_raw(c, PP_SHA384, PP_STR("m"), r, s), PP_E_KEY);
    assert_code(pp_x509_link_verify(ch.c[0], c, NOW), PP_E_SIGNATURE);
    pp_x509_free(c);
    drop(&ch);
}

/* --- revocation lists ------------------------------------------------------------------------ */

static struct pp_issue_crl crl_template(void)
{
    return (struct pp_issue_crl){
        .issuer = { { "O", "Test" }, { "CN", "root" } },
        .issuer_count = 2,
        .this_update = NOW - DAY,
        .next_update = NOW + DAY,
        .serials = { 900, 2 },
        .serial_count = 2,
    };
}

static void a_list_names_the_serials_that_it_holds(void **state)
{
    (void)state;
    struct chain ch = { 0 };
    struct pp_issue_crl t = crl_template();
    uint8_t der[4096];
    size_t len;
    int listed = -1;

    templates(&ch);
    build(&ch);
    assert_ok(pp_x509_issue_crl(&t, root_key, PP_X509_SIG_PSS_SHA384, der, sizeof der, &len));
    struct pp_span crl = pp_span(der, len);
    assert_ok(pp_x509_crl_lists(crl, ch.c[2], ch.c[1], NOW, &listed));
    assert_int_equal(listed, 1);
    assert_ok(pp_x509_crl_lists(crl, ch.c[2], ch.c[0], NOW, &listed));
    assert_int_equal(listed, 0);

    listed = -1;
    for (size_t n = 0; n < len; n++)
        assert_code(pp_x509_crl_lists(pp_span(der, n), ch.c[2], ch.c[1], NOW, &listed),
                    PP_E_FORMAT);
    assert_code(pp_x509_crl_lists(crl, ch.c[2], ch.c[1], NOW - DAY - 1, &listed), PP_E_RANGE);
    assert_code(pp_x509_crl_lists(crl, ch.c[2], ch.c[1], NOW + DAY, &listed), PP_E_RANGE);
    assert_ok(pp_x509_crl_lists(crl, ch.c[2], ch.c[1], NOW + DAY - 1, &listed));
    assert_code(pp_x509_crl_lists(crl, ch.c[1], ch.c[1], NOW, &listed), PP_E_SIGNATURE);
    drop(&ch);
}

static void a_list_of_another_issuer_or_without_an_end_is_refused(void **state)
{
    (void)state;
    struct chain ch = { 0 };
    struct pp_issue_crl t = crl_template();
    uint8_t der[4096];
    size_t len;
    int listed = -1;

    templates(&ch);
    build(&ch);
    assert_ok(pp_x509_issue_crl(&t, other_key, PP_X509_SIG_PSS_SHA384, der, sizeof der, &len));
    assert_code(pp_x509_crl_lists(pp_span(der, len), ch.c[2], ch.c[1], NOW, &listed),
                PP_E_SIGNATURE);
    assert_ok(pp_x509_issue_crl(&t, root_key, PP_X509_SIG_OTHER, der, sizeof der, &len));
    assert_code(pp_x509_crl_lists(pp_span(der, len), ch.c[2], ch.c[1], NOW, &listed), PP_E_FORMAT);
    t.issuer[1].text = "another"; /* by the same key */
    assert_ok(pp_x509_issue_crl(&t, root_key, PP_X509_SIG_PSS_SHA384, der, sizeof der, &len));
    assert_code(pp_x509_crl_lists(pp_span(der, len), ch.c[2], ch.c[1], NOW, &listed),
                PP_E_SIGNATURE);
    t.issuer[1].text = "root";
    t.next_update = 0;
    assert_ok(pp_x509_issue_crl(&t, root_key, PP_X509_SIG_PSS_SHA384, der, sizeof der, &len));
    assert_code(pp_x509_crl_lists(pp_span(der, len), ch.c[2], ch.c[1], NOW, &listed), PP_E_FORMAT);
    assert_int_equal(listed, -1);
    drop(&ch);
}

static void a_list_has_a_size_limit_and_is_not_nothing(void **state)
{
    (void)state;
    static uint8_t large[PP_X509_CRL_BYTES_MAX + 1];
    struct chain ch = { 0 };
    struct pp_x509_crl *crl = NULL;

    templates(&ch);
    build(&ch);
    assert_code(pp_x509_crl_open(PP_BYTES(large), ch.c[2], NOW, &crl), PP_E_LIMIT);
    assert_code(pp_x509_crl_open(pp_span(large, sizeof large - 1), ch.c[2], NOW, &crl),
                PP_E_FORMAT);
    assert_code(pp_x509_crl_open(PP_STR(""), ch.c[2], NOW, &crl), PP_E_FORMAT);
    assert_null(crl);
    drop(&ch);
}

/* RFC 5280, 5.2: a list of changes alone says so by a critical extension (delta CRL indicator). */
static void a_list_with_a_critical_extension_is_refused(void **state)
{
    (void)state;
    struct pp_issue_cert t = template_of(0);
    struct pp_issue_key *ec = NULL;
    struct pp_x509_crl *crl = NULL;

    assert_ok(pp_issue_key_from_ec(leaf_key, &ec));
    t.spki = pp_span(spki[2], spki_len[2]);
    struct pp_x509 *issuer = issue(&t, ec, PP_X509_SIG_ECDSA_SHA384);
    for (int critical = 0; critical < 2; critical++) {
        const unsigned char *at = pp_x509_der(issuer).at;
        X509 *x = d2i_X509(NULL, &at, (long)pp_x509_der(issuer).len);
        X509_CRL *made = X509_CRL_new();
        ASN1_TIME *from = ASN1_TIME_set(NULL, NOW - DAY), *until = ASN1_TIME_set(NULL, NOW + DAY);
        ASN1_INTEGER *base = ASN1_INTEGER_new();
        unsigned char *der = NULL;
        assert_true(ASN1_INTEGER_set(base, 1) == 1 && X509_CRL_set_version(made, 1) == 1);
        assert_int_equal(X509_CRL_set_issuer_name(made, X509_get_subject_name(x)), 1);
        assert_int_equal(X509_CRL_set1_lastUpdate(made, from), 1);
        assert_int_equal(X509_CRL_set1_nextUpdate(made, until), 1);
        assert_int_equal(X509_CRL_add1_ext_i2d(made, NID_delta_crl, base, critical, 0), 1);
        assert_true(X509_CRL_sign(made, pp_ec_key_evp(leaf_key), EVP_sha384()) > 0);
        int len = i2d_X509_CRL(made, &der);
        assert_code(pp_x509_crl_open(pp_span(der, (size_t)len), issuer, NOW, &crl),
                    critical ? PP_E_FORMAT : PP_E_OK);
        OPENSSL_free(der);
        ASN1_INTEGER_free(base);
        ASN1_TIME_free(from);
        ASN1_TIME_free(until);
        X509_CRL_free(made);
        X509_free(x);
        pp_x509_crl_free(crl);
        crl = NULL;
    }
    pp_x509_free(issuer);
    pp_issue_key_free(ec);
}

/* --- PEM ------------------------------------------------------------------------------------- */

static size_t write_pem(char *text, size_t cap, struct pp_span der, unsigned copies,
                        const char *before)
{
    struct pp_wr wr = pp_wr_over(text, cap);

    for (unsigned i = 0; i < copies; i++) {
        static char base64[2 * PP_X509_DER_BYTES_MAX];
        struct pp_wr b = pp_wr_over(base64, sizeof base64);
        pp_wr_base64(&b, der);
        pp_wr_text(&wr, before);
        pp_wr_text(&wr, "-----BEGIN CERTIFICATE-----\r\n");
        for (size_t at = 0; at < b.len; at += 64) {
            pp_wr_bytes(&wr, base64 + at, b.len - at < 64 ? b.len - at : 64);
            pp_wr_text(&wr, "\r\n");
        }
        pp_wr_text(&wr, "-----END CERTIFICATE-----\n");
    }
    assert_ok(pp_wr_ok(&wr));
    return wr.len;
}

static void a_pem_file_gives_its_certificates_in_order(void **state)
{
    (void)state;
    static char text[8 * PP_X509_DER_BYTES_MAX];
    struct pp_issue_cert t = template_of(0);
    struct pp_x509 *c = issue(&t, root_key, PP_X509_SIG_PSS_SHA384);
    struct pp_x509_pem pem = { 0 };

    size_t len = write_pem(text, sizeof text, pp_x509_der(c), PP_X509_CHAIN_MAX,
                           "subject=something\n");
    assert_ok(pp_x509_pem_parse(pp_span(text, len), &pem));
    assert_int_equal(pem.count, PP_X509_CHAIN_MAX);
    for (size_t i = 0; i < pem.count; i++)
        assert_true(pp_span_eq(pp_span(pem.der[i], pem.der_len[i]), pp_x509_der(c)));
    pp_x509_pem_free(&pem);
    pp_x509_pem_free(&pem);

    len = write_pem(text, sizeof text, pp_x509_der(c), PP_X509_CHAIN_MAX + 1,
                    "subject=something\n");
    assert_code(pp_x509_pem_parse(pp_span(text, len), &pem), PP_E_LIMIT);
    len = write_pem(text, sizeof text, pp_x509_der(c), 1, "subject=something\n");
    assert_code(pp_x509_pem_parse(pp_span(text, len - 27), &pem), PP_E_FORMAT); /* no END line */
    pp_x509_free(c);
}

static void a_pem_file_is_split_into_the_callers_memory(void **state)
{
    (void)state;
    static char text[8 * PP_X509_DER_BYTES_MAX];
    static uint8_t buf[4 * PP_X509_DER_BYTES_MAX];
    struct pp_issue_cert t = template_of(0);
    struct pp_x509 *c = issue(&t, root_key, PP_X509_SIG_PSS_SHA384);
    struct pp_span der = pp_x509_der(c), got[PP_X509_CHAIN_MAX];
    size_t count = 0;

    size_t len = write_pem(text, sizeof text, der, PP_X509_CHAIN_MAX, "");
    assert_ok(pp_x509_pem_split(pp_span(text, len), buf, PP_X509_CHAIN_MAX * der.len, got, &count));
    assert_int_equal(count, PP_X509_CHAIN_MAX);
    for (size_t i = 0; i < count; i++)
        assert_true(pp_span_eq(got[i], der) && got[i].at == buf + i * der.len);
    count = 0;
    assert_code(
        pp_x509_pem_split(pp_span(text, len), buf, PP_X509_CHAIN_MAX * der.len - 1, got, &count),
        PP_E_NO_SPACE);
    assert_code(pp_x509_pem_split(PP_STR("none\n"), buf, sizeof buf, got, &count), PP_E_FORMAT);
    assert_code(pp_x509_pem_split(PP_STR("\n"), buf, sizeof buf, got, &count), PP_E_FORMAT);
    len = write_pem(text, sizeof text, der, 2, "subject=something\n");
    assert_code(pp_x509_pem_split(pp_span(text, len), buf, sizeof buf, got, &count), PP_E_FORMAT);
    /* Nobody signed what stands outside of the blocks: only empty lines may. */
    len = write_pem(text, sizeof text, der, 2, "");
    text[len] = '\n';
    assert_ok(pp_x509_pem_split(pp_span(text, len + 1), buf, sizeof buf, got, &count));
    text[len] = '\v'; /* one bit away */
    assert_code(pp_x509_pem_split(pp_span(text, len + 1), buf, sizeof buf, got, &count),
                PP_E_FORMAT);
    count = 0;
    len = write_pem(text, sizeof text, der, PP_X509_CHAIN_MAX + 1, "");
    assert_code(pp_x509_pem_split(pp_span(text, len), buf, sizeof buf, got, &count), PP_E_LIMIT);
    assert_int_equal(count, 0);
    pp_x509_free(c);
}

static void a_serial_number_above_zero_is_told_from_zero(void **state)
{
    (void)state;
    static const struct {
        uint64_t serial;
        int positive;
    } rows[] = { { 0, 0 }, { 1, 1 }, { 0x80, 1 }, { 0x100, 1 }, { UINT64_MAX, 1 } };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_issue_cert t = template_of(0);
        t.serial = rows[i].serial;
        struct pp_x509 *c = issue(&t, root_key, PP_X509_SIG_PSS_SHA384);
        assert_int_equal(pp_x509_serial_is_positive(c), rows[i].positive);
        pp_x509_free(c);
    }
}

static void an_extension_that_occurs_twice_is_seen(void **state)
{
    (void)state;
    static const uint8_t value[] = { 0x05, 0x00 };

    for (size_t n = 0; n < 3; n++) {
        struct pp_issue_cert t = template_of(0);
        for (size_t i = 0; i <= n; i++) {
            static const char *const oids[] = { "1.2.3.4", "1.2.3.5", "1.2.3.4" };
            t.extensions[t.extension_count++] = (struct pp_issue_extension){ oids[i],
                                                                             PP_BYTES(value), 0 };
        }
        struct pp_x509 *c = issue(&t, root_key, PP_X509_SIG_PSS_SHA384);
        assert_int_equal(pp_x509_repeats_extension(c), n == 2);
        pp_x509_free(c);
    }
}

static void damaged_pem_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "no certificate here\n",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "-----END CERTIFICATE-----\n",
    };
    struct pp_x509_pem pem = { 0 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++)
        assert_code(pp_x509_pem_parse(pp_span_cstr(rows[i]), &pem), PP_E_FORMAT);
    assert_int_equal(pem.count, 0);
}

/* Lines of the blocks do not count, whose length is limited. */
static void a_pem_file_has_at_most_4096_lines_and_no_block_of_another_kind(void **state)
{
    (void)state;
    enum { LINES = 4096 };
    static const char block[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    static const char other[] = "-----BEGIN PRIVATE KEY-----\n";
    char text[LINES + sizeof other + sizeof block];
    struct pp_x509_pem pem = { 0 };
    struct pp_span got[PP_X509_CHAIN_MAX];
    uint8_t buf[8];
    size_t count;

    memset(text, '\n', LINES);
    memcpy(text + LINES, block, sizeof block);
    const struct pp_span all = pp_span(text, LINES + sizeof block - 1);
    const struct pp_span less = pp_span(text + 1, all.len - 1);
    assert_ok(pp_x509_pem_parse(less, &pem));
    pp_x509_pem_free(&pem);
    assert_ok(pp_x509_pem_split(less, buf, sizeof buf, got, &count));
    assert_code(pp_x509_pem_parse(all, &pem), PP_E_LIMIT);
    assert_code(pp_x509_pem_split(all, buf, sizeof buf, got, &count), PP_E_LIMIT);

    struct pp_wr wr = pp_wr_over(text, sizeof text);
    pp_wr_text(&wr, other);
    pp_wr_text(&wr, block);
    assert_ok(pp_wr_ok(&wr));
    assert_code(pp_x509_pem_parse(pp_wr_done(&wr), &pem), PP_E_FORMAT);
}

static void a_pem_block_at_its_limit_is_read_and_one_past_it_refused(void **state)
{
    (void)state;
    static char text[8 * PP_X509_DER_BYTES_MAX];
    static uint8_t bytes[PP_X509_DER_BYTES_MAX + 8];
    struct pp_x509_pem pem = { 0 };

    size_t len = write_pem(text, sizeof text, pp_span(bytes, PP_X509_DER_BYTES_MAX), 1, "");
    assert_ok(pp_x509_pem_parse(pp_span(text, len), &pem));
    assert_int_equal(pem.der_len[0], PP_X509_DER_BYTES_MAX);
    pp_x509_pem_free(&pem);
    len = write_pem(text, sizeof text, pp_span(bytes, sizeof bytes), 1, "");
    assert_code(pp_x509_pem_parse(pp_span(text, len), &pem), PP_E_LIMIT);
}

/* --- the session certificate ----------------------------------------------------------------- */

static void a_session_certificate_is_of_the_profile_of_pp_wire_5(void **state)
{
    (void)state;
    struct pp_ec_key *key = NULL;
    struct pp_x509 *c = NULL;
    uint8_t der[PP_X509_SESSION_BYTES_MAX], point[97], point2[97];
    char text[PP_X509_NAME_BYTES_MAX];
    size_t len, point_len;

    assert_ok(pp_ec_key_generate(PP_P256, &key));
    assert_ok(pp_x509_make_session(key, der, sizeof der, &len));
    assert_ok(pp_x509_parse(pp_span(der, len), &c));
    assert_int_equal(pp_x509_version(c), 3);
    assert_int_equal(pp_x509_key_kind(c), PP_X509_KEY_P256);
    assert_int_equal(pp_x509_sig_kind(c), PP_X509_SIG_ECDSA_SHA256);
    assert_int_equal(pp_x509_not_before(c), 946684800);
    assert_true(pp_x509_not_after(c) == UINT64_C(253402300799));
    for (int side = PP_X509_SUBJECT; side <= PP_X509_ISSUER; side++) {
        assert_ok(pp_x509_name(c, (enum pp_x509_side)side, "CN", text));
        assert_string_equal(text, "pp");
        assert_int_equal(pp_x509_name_count(c, (enum pp_x509_side)side), 1);
    }
    assert_ok(pp_ec_key_point(key, point, sizeof point, &point_len));
    assert_ok(pp_x509_point(c, point2, sizeof point2, &len));
    assert_memory_equal(point, point2, point_len);
    pp_x509_free(c);
    pp_ec_key_free(key);
}

/* Version 3, serial 1, ecdsa-with-SHA256, the names, the validity: the same bytes for everyone. */
static void two_session_certificates_differ_in_point_and_signature_alone(void **state)
{
    (void)state;
    static const char head[] =
        "3081af a003020102 020101 300a06082a8648ce3d040302 300d310b300906035504030c027070"
        "3020 170d3030303130313030303030305a 180f39393939313233313233353935395a"
        "300d310b300906035504030c027070 3059301306072a8648ce3d020106082a8648ce3d030107034200";
    PP_HEX(want, head);

    for (int i = 0; i < 20; i++) {
        struct pp_ec_key *key = NULL;
        uint8_t der[PP_X509_SESSION_BYTES_MAX], point[PP_P256_POINT_BYTES];
        size_t len, n;

        assert_ok(pp_ec_key_generate(PP_P256, &key));
        assert_ok(pp_x509_make_session(key, der, sizeof der, &len));
        assert_memory_equal(der + 4, want, want_len);
        size_t tbs = want_len + sizeof point;
        const uint8_t *behind = der + 4 + tbs;
        assert_hex(behind, 12, "300a06082a8648ce3d040302");
        assert_int_equal(behind[12], 0x03);
        assert_int_equal(behind[13], len - 4 - tbs - 14);
        assert_int_equal(behind[14], 0);
        assert_ok(pp_ec_key_point(key, point, sizeof point, &n));
        assert_memory_equal(der + 4 + want_len, point, n);
        assert_ok(pp_ecdsa_verify(PP_P256, PP_BYTES(point), PP_SHA256, pp_span(der + 4, tbs),
                                  pp_span(behind + 15, len - 4 - tbs - 15)));
        assert_code(pp_x509_make_session(key, der, len - 4, &n), PP_E_NO_SPACE);
        pp_ec_key_free(key);
    }
}

/*
 * What TLS sends is the object: it must not be told from the template by a byte that is not
 * random.
 */
static void a_session_certificate_made_as_an_object_has_the_same_bytes(void **state)
{
    (void)state;
    enum { TBS_AT = 4, TBS_BYTES = 178, SIGNATURE_AT = TBS_AT + TBS_BYTES + 15 };
    struct pp_x509_maker *maker = NULL;

    assert_ok(pp_x509_maker_new(&maker));
    for (int i = 0; i < 5; i++) {
        uint8_t want[PP_X509_SESSION_BYTES_MAX], point[PP_P256_POINT_BYTES], *der = NULL;
        struct pp_ec_key *key = NULL;
        X509 *made = NULL;
        size_t len;

        assert_ok(pp_ec_key_generate(PP_P256, &key));
        assert_ok(pp_x509_make_session(key, want, sizeof want, &len));
        assert_ok(pp_x509_maker_make(maker, key, &made));
        int n = i2d_X509(made, &der);
        assert_true(n > SIGNATURE_AT);
        assert_memory_equal(der + TBS_AT, want + TBS_AT, TBS_BYTES + 13);
        assert_ok(pp_ec_key_point(key, point, sizeof point, &len));
        assert_ok(pp_ecdsa_verify(PP_P256, PP_BYTES(point), PP_SHA256,
                                  pp_span(der + TBS_AT, TBS_BYTES),
                                  pp_span(der + SIGNATURE_AT, (size_t)n - SIGNATURE_AT)));
        OPENSSL_free(der);
        X509_free(made);
        pp_ec_key_free(key);
    }
    pp_x509_maker_free(maker);
}

static void a_session_certificate_needs_a_p256_key(void **state)
{
    (void)state;
    struct pp_x509_maker *maker = NULL;
    uint8_t der[PP_X509_SESSION_BYTES_MAX];
    X509 *made = NULL;
    size_t len;

    assert_code(pp_x509_make_session(leaf_key, der, sizeof der, &len), PP_E_KEY);
    assert_ok(pp_x509_maker_new(&maker));
    assert_code(pp_x509_maker_make(maker, leaf_key, &made), PP_E_KEY);
    assert_null(made);
    pp_x509_maker_free(maker);
}

/* --- issuing --------------------------------------------------------------------------------- */

static void an_issuer_key_survives_export(void **state)
{
    (void)state;
    PP_AUTO(pp_secret) der = { 0 };
    struct pp_issue_key *again = NULL;
    uint8_t out[PP_RSA_SPKI_BYTES_MAX];
    size_t len;

    assert_ok(pp_issue_key_export_der(root_key, &der));
    assert_ok(pp_issue_key_import_der(pp_secret_span(&der), &again));
    assert_ok(pp_issue_key_spki(again, out, sizeof out, &len));
    assert_memory_equal(out, spki[0], len);
    assert_code(pp_issue_key_spki(again, out, len - 1, &len), PP_E_NO_SPACE);
    pp_issue_key_free(again);
    assert_code(pp_issue_key_import_der(pp_span(der.bytes, der.len - 1), &again), PP_E_KEY);
    assert_code(pp_issue_key_generate_rsa(1024, &again), PP_E_RANGE);
}

static void an_issuer_refuses_what_it_cannot_sign(void **state)
{
    (void)state;
    struct pp_issue_cert t = template_of(2);
    struct pp_issue_crl crl = crl_template();
    uint8_t der[PP_X509_DER_BYTES_MAX];
    size_t len;

    assert_code(pp_x509_issue(&t, middle_key, PP_X509_SIG_PSS_SHA384, der, 100, &len),
                PP_E_NO_SPACE);
    t.extension_count = PP_ISSUE_EXTENSIONS_MAX + 1;
    assert_code(pp_x509_issue(&t, middle_key, PP_X509_SIG_PSS_SHA384, der, sizeof der, &len),
                PP_E_RANGE);
    t = template_of(2);
    t.subject_count = PP_ISSUE_NAMES_MAX + 1;
    assert_code(pp_x509_issue(&t, middle_key, PP_X509_SIG_PSS_SHA384, der, sizeof der, &len),
                PP_E_RANGE);
    t = template_of(2);
    t.version = 4;
    assert_code(pp_x509_issue(&t, middle_key, PP_X509_SIG_PSS_SHA384, der, sizeof der, &len),
                PP_E_RANGE);
    t = template_of(2);
    t.spki.len--;
    assert_code(pp_x509_issue(&t, middle_key, PP_X509_SIG_PSS_SHA384, der, sizeof der, &len),
                PP_E_KEY);
    crl.serial_count = PP_ISSUE_CRL_SERIALS_MAX + 1;
    assert_code(pp_x509_issue_crl(&crl, root_key, PP_X509_SIG_PSS_SHA384, der, sizeof der, &len),
                PP_E_RANGE);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_certificate_is_exactly_one_der_value),
    cmocka_unit_test(a_certificate_in_ber_is_refused),
    cmocka_unit_test(the_fields_are_those_that_were_issued),
    cmocka_unit_test(a_certificate_key_verifies_without_being_imported_again),
    cmocka_unit_test(signature_kinds_are_told_apart),
    cmocka_unit_test(a_name_attribute_is_read_once_or_not_at_all),
    cmocka_unit_test(a_name_that_is_no_text_is_refused),
    cmocka_unit_test(a_name_at_its_limit_is_read_and_one_past_it_refused),
    cmocka_unit_test(an_extension_is_read_once_or_not_at_all),
    cmocka_unit_test(a_chain_to_the_pinned_root_verifies_within_its_validity),
    cmocka_unit_test(every_certificate_of_a_chain_must_be_in_its_validity),
    cmocka_unit_test(strict_rules_are_asked_for),
    cmocka_unit_test(a_chain_has_exactly_the_certificates_given),
    cmocka_unit_test(a_root_of_the_same_name_is_not_the_pinned_one),
    cmocka_unit_test(a_root_must_have_signed_itself),
    cmocka_unit_test(a_signature_by_another_key_breaks_the_chain_at_each_place),
    cmocka_unit_test(an_issuer_must_be_a_ca_within_its_path_length),
    cmocka_unit_test(a_leaf_named_after_another_issuer_is_refused),
    cmocka_unit_test(an_unknown_critical_extension_is_refused),
    cmocka_unit_test(a_key_identifier_that_is_there_must_be_the_issuers),
    cmocka_unit_test(an_issuer_whose_key_is_for_other_things_is_refused),
    cmocka_unit_test(a_link_takes_no_issuer_with_name_constraints),
    cmocka_unit_test(a_signature_that_is_no_whole_number_of_bytes_is_refused),
    cmocka_unit_test(a_signature_algorithm_that_is_not_the_signed_one_is_refused),
    cmocka_unit_test(a_certificate_whose_key_is_no_point_verifies_nothing),
    cmocka_unit_test(a_list_names_the_serials_that_it_holds),
    cmocka_unit_test(a_list_of_another_issuer_or_without_an_end_is_refused),
    cmocka_unit_test(a_list_has_a_size_limit_and_is_not_nothing),
    cmocka_unit_test(a_list_with_a_critical_extension_is_refused),
    cmocka_unit_test(a_pem_file_gives_its_certificates_in_order),
    cmocka_unit_test(a_pem_file_is_split_into_the_callers_memory),
    cmocka_unit_test(a_serial_number_above_zero_is_told_from_zero),
    cmocka_unit_test(an_extension_that_occurs_twice_is_seen),
    cmocka_unit_test(damaged_pem_is_refused),
    cmocka_unit_test(a_pem_file_has_at_most_4096_lines_and_no_block_of_another_kind),
    cmocka_unit_test(a_pem_block_at_its_limit_is_read_and_one_past_it_refused),
    cmocka_unit_test(a_session_certificate_is_of_the_profile_of_pp_wire_5),
    cmocka_unit_test(two_session_certificates_differ_in_point_and_signature_alone),
    cmocka_unit_test(a_session_certificate_made_as_an_object_has_the_same_bytes),
    cmocka_unit_test(a_session_certificate_needs_a_p256_key),
    cmocka_unit_test(an_issuer_key_survives_export),
    cmocka_unit_test(an_issuer_refuses_what_it_cannot_sign),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, make_keys, free_keys);
}
