/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chains of five certificates on P-384 (root > CA > CA > CA > leaf), as a GPU has, by the strict
 * rules of RFC 5280: each rule broken once at each place, and OpenSSL asked for its opinion.
 */
#include "harness.h"

#include "crypto.h"
#include "reference.h"
#include "wr.h"
#include "x509_issue.h"

enum { NOW = 1780272000, DAY = 86400, LEVELS = 5 };

#define AKID  "2.5.29.35"
#define SKID  "2.5.29.14"
#define USAGE "2.5.29.15"
#define BASIC "2.5.29.19"
#define SAN   "2.5.29.17"

static struct pp_ec_key *keys[LEVELS + 1]; /* root first; the last is a stranger's */
static struct pp_issue_key *issuers[LEVELS + 1];
static uint8_t spki[LEVELS + 1][PP_P384_SPKI_BYTES];

/* One key identifier each level: 04 01 <level>, and { [0] <level> }. */
static const uint8_t skids[LEVELS][3] = {
    { 4, 1, 0 }, { 4, 1, 1 }, { 4, 1, 2 }, { 4, 1, 3 }, { 4, 1, 4 },
};
static const uint8_t akids[LEVELS][5] = {
    { 0x30, 3, 0x80, 1, 0 }, { 0x30, 3, 0x80, 1, 0 }, { 0x30, 3, 0x80, 1, 1 },
    { 0x30, 3, 0x80, 1, 2 }, { 0x30, 3, 0x80, 1, 3 },
};
static const char *const names[LEVELS] = { "root", "one", "two", "three", "leaf" };

struct chain {
    struct pp_issue_cert t[LEVELS]; /* root first */
    size_t signer[LEVELS];          /* whose key signs */
    struct pp_x509 *c[LEVELS];      /* leaf first */
};

static void templates(struct chain *ch)
{
    *ch = (struct chain){ 0 };
    for (size_t i = 0; i < LEVELS; i++) {
        ch->signer[i] = i == 0 ? 0 : i - 1;
        ch->t[i] = (struct pp_issue_cert){
            .subject = { { "CN", names[i] } },
            .subject_count = 1,
            .issuer = { { "CN", names[ch->signer[i]] } },
            .issuer_count = 1,
            .spki = PP_BYTES(spki[i]),
            .serial = i + 1,
            .not_before = NOW - DAY,
            .not_after = NOW + DAY,
            .is_ca = i + 1 < LEVELS,
            .path_len = -1,
            .extensions = { { AKID, PP_BYTES(akids[i]), 0 }, { SKID, PP_BYTES(skids[i]), 0 } },
            .extension_count = 2,
        };
    }
}

static void build(struct chain *ch)
{
    uint8_t der[2048];
    size_t len;

    for (size_t i = 0; i < LEVELS; i++) {
        assert_ok(pp_x509_issue(&ch->t[i], issuers[ch->signer[i]], PP_X509_SIG_ECDSA_SHA384, der,
                                sizeof der, &len));
        assert_ok(pp_x509_parse(pp_span(der, len), &ch->c[LEVELS - 1 - i]));
    }
}

static void drop(struct chain *ch)
{
    for (size_t i = 0; i < LEVELS; i++)
        pp_x509_free(ch->c[i]);
}

/* By us, by OpenSSL, strictly and not; and below a root that is kept, which is strict. */
static void assert_codes(struct chain *ch, uint64_t at, uint32_t plain, uint32_t strict)
{
    build(ch);
    assert_code(pp_x509_chain_verify(ch->c, LEVELS, ch->c[LEVELS - 1], at, 0), plain);
    assert_code(pp_x509_chain_verify(ch->c, LEVELS, ch->c[LEVELS - 1], at, 1), strict);
    assert_code(pp_x509_path_verify(ch->c, LEVELS - 1, ch->c[LEVELS - 1], at), strict);
    assert_int_equal(reference_chain_code(ch->c, LEVELS, at, 0), plain);
    assert_int_equal(reference_chain_code(ch->c, LEVELS, at, 1), strict);
    drop(ch);
}

static void add(struct pp_issue_cert *t, const char *oid, struct pp_span value, int critical)
{
    t->extensions[t->extension_count++] = (struct pp_issue_extension){ oid, value, critical };
}

/* --- tests ------------------------------------------------------------------------------------ */

static void a_chain_of_five_verifies_within_its_validity(void **state)
{
    (void)state;
    static const struct {
        uint64_t at;
        uint32_t code;
    } rows[] = {
        { NOW, PP_E_OK },           { NOW - DAY, PP_E_OK },
        { NOW + DAY - 1, PP_E_OK }, { NOW - DAY - 1, PP_E_RANGE },
        { NOW + DAY, PP_E_RANGE },
    };
    struct chain ch;

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        templates(&ch);
        assert_codes(&ch, rows[i].at, rows[i].code, rows[i].code);
    }
}

static void each_certificate_of_five_is_signed_by_the_next_and_in_force(void **state)
{
    (void)state;
    struct chain ch;

    for (size_t i = 1; i < LEVELS; i++) {
        templates(&ch);
        ch.signer[i] = LEVELS;
        assert_codes(&ch, NOW, PP_E_SIGNATURE, PP_E_SIGNATURE);
        templates(&ch);
        ch.t[i].issuer[0].text = "somebody";
        assert_codes(&ch, NOW, PP_E_SIGNATURE, PP_E_SIGNATURE);
    }
    for (size_t i = 0; i < LEVELS; i++) {
        templates(&ch);
        ch.t[i].not_after = NOW;
        assert_codes(&ch, NOW, PP_E_RANGE, PP_E_RANGE);
        templates(&ch);
        ch.t[i].not_before = NOW + 1;
        assert_codes(&ch, NOW, PP_E_RANGE, PP_E_RANGE);
    }
}

/* A forged signature above a certificate that is not in force: from the root down, as OpenSSL. */
static void the_first_fault_from_the_root_down_is_the_one_that_is_named(void **state)
{
    (void)state;
    struct chain ch;

    templates(&ch);
    ch.signer[1] = LEVELS;
    ch.t[2].not_after = NOW;
    assert_codes(&ch, NOW, PP_E_SIGNATURE, PP_E_SIGNATURE);
    templates(&ch);
    ch.t[1].not_after = NOW;
    ch.signer[2] = LEVELS;
    assert_codes(&ch, NOW, PP_E_RANGE, PP_E_RANGE);
}

/* RFC 5280 4.2.1.9. The leaf does not count, nor does an authority that its own name issued. */
static void an_authority_has_at_most_as_many_below_it_as_it_says(void **state)
{
    (void)state;
    static const struct {
        size_t level;
        int path_len;
        uint32_t code;
    } rows[] = {
        { 0, 3, PP_E_OK },        { 0, 2, PP_E_SIGNATURE }, { 0, 0, PP_E_SIGNATURE },
        { 1, 2, PP_E_OK },        { 1, 1, PP_E_SIGNATURE }, { 2, 1, PP_E_OK },
        { 2, 0, PP_E_SIGNATURE }, { 3, 0, PP_E_OK },
    };
    struct chain ch;

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        templates(&ch);
        ch.t[rows[i].level].path_len = rows[i].path_len;
        assert_codes(&ch, NOW, rows[i].code, rows[i].code);
    }
    templates(&ch);
    ch.t[0].path_len = 2;
    ch.t[2].subject[0].text = ch.t[2].issuer[0].text; /* "one" certifies "one" */
    ch.t[3].issuer[0].text = ch.t[2].subject[0].text;
    assert_codes(&ch, NOW, PP_E_OK, PP_E_OK);
}

static void an_issuer_that_is_no_authority_breaks_the_chain_at_each_place(void **state)
{
    (void)state;
    struct chain ch;

    for (size_t i = 0; i + 1 < LEVELS; i++) {
        templates(&ch);
        ch.t[i].is_ca = 0;
        assert_codes(&ch, NOW, PP_E_SIGNATURE, PP_E_SIGNATURE);
    }
}

/* A key identifier is the issuer's; strictly, it is there, and no extension of it is critical. */
static void key_identifiers_join_a_chain(void **state)
{
    (void)state;
    struct chain ch;

    for (size_t i = 1; i < LEVELS; i++) {
        templates(&ch);
        ch.t[i].extensions[0].value = PP_STR("\x30\x03\x80\x01\x63");
        assert_codes(&ch, NOW, PP_E_SIGNATURE, PP_E_SIGNATURE);
        templates(&ch);
        ch.t[i].extensions[0].value = PP_STR("\x30\x00"); /* an extension that names no key */
        assert_codes(&ch, NOW, PP_E_OK, PP_E_SIGNATURE);
        templates(&ch);
        ch.t[i].extensions[0] = ch.t[i].extensions[1];
        ch.t[i].extension_count = 1;
        assert_codes(&ch, NOW, PP_E_OK, PP_E_SIGNATURE);
        templates(&ch);
        ch.t[i].extensions[0].critical = 1;
        assert_codes(&ch, NOW, PP_E_SIGNATURE, PP_E_SIGNATURE);
    }
    for (size_t i = 0; i < LEVELS; i++) {
        templates(&ch);
        ch.t[i].extension_count = 1; /* without its own; an authority has one */
        assert_codes(&ch, NOW, PP_E_OK, i + 1 < LEVELS ? PP_E_SIGNATURE : PP_E_OK);
        templates(&ch);
        ch.t[i].extensions[1].critical = 1;
        assert_codes(&ch, NOW, PP_E_SIGNATURE, PP_E_SIGNATURE);
    }
    templates(&ch); /* a root need not say who issued it */
    ch.t[0].extensions[0] = ch.t[0].extensions[1];
    ch.t[0].extension_count = 1;
    assert_codes(&ch, NOW, PP_E_OK, PP_E_OK);
}

/* RFC 5280 4.2.1.3 and 4.2.1.9: what makes an authority, in its strict form. */
static void an_authority_says_what_its_key_is_for_and_says_it_critically(void **state)
{
    (void)state;
    struct pp_span ca = PP_STR("\x30\x03\x01\x01\xFF"), usage = PP_STR("\x03\x02\x02\x04");
    struct chain ch;

    for (size_t i = 0; i + 1 < LEVELS; i++) {
        templates(&ch);
        ch.t[i].is_ca = 0;
        add(&ch.t[i], BASIC, ca, 1);
        add(&ch.t[i], USAGE, usage, 1);
        assert_codes(&ch, NOW, PP_E_OK, PP_E_OK);
        templates(&ch);
        ch.t[i].is_ca = 0;
        add(&ch.t[i], BASIC, ca, 0);
        add(&ch.t[i], USAGE, usage, 1);
        assert_codes(&ch, NOW, PP_E_OK, PP_E_SIGNATURE);
        templates(&ch);
        ch.t[i].is_ca = 0;
        add(&ch.t[i], BASIC, ca, 1);
        assert_codes(&ch, NOW, PP_E_OK, PP_E_SIGNATURE);
        templates(&ch);
        ch.t[i].is_ca = 0;
        add(&ch.t[i], BASIC, ca, 1);
        add(&ch.t[i], USAGE, PP_STR("\x03\x02\x07\x80"), 1); /* digitalSignature */
        assert_codes(&ch, NOW, PP_E_SIGNATURE, PP_E_SIGNATURE);
    }
}

static void a_leaf_does_not_look_like_an_authority(void **state)
{
    (void)state;
    struct chain ch;

    templates(&ch);
    add(&ch.t[4], USAGE, PP_STR("\x03\x02\x02\x04"), 1); /* keyCertSign without a CA */
    assert_codes(&ch, NOW, PP_E_OK, PP_E_SIGNATURE);
    templates(&ch);
    add(&ch.t[4], USAGE, PP_STR("\x03\x02\x07\x80"), 1);
    assert_codes(&ch, NOW, PP_E_OK, PP_E_OK);
    templates(&ch); /* a path length of what is no authority */
    add(&ch.t[4], BASIC, PP_STR("\x30\x03\x02\x01\x01"), 1);
    assert_codes(&ch, NOW, PP_E_OK, PP_E_SIGNATURE);
    templates(&ch); /* an authority at the end, whose key is for nothing of the kind */
    add(&ch.t[4], BASIC, PP_STR("\x30\x06\x01\x01\xFF\x02\x01\x00"), 1);
    add(&ch.t[4], USAGE, PP_STR("\x03\x02\x07\x80"), 1);
    assert_codes(&ch, NOW, PP_E_OK, PP_E_SIGNATURE);
}

/* The certificate again, with a key that is no point of its curve, and signed as it should be. */
static struct pp_x509 *with_bad_key(const struct pp_x509 *c, struct pp_span key, size_t signer)
{
    uint8_t der[2048], signature[PP_ECDSA_DER_BYTES_MAX];
    struct pp_span was = pp_x509_der(c);
    size_t tbs_len = 4 + ((size_t)was.at[6] << 8 | was.at[7]), algorithm_len, len;
    struct pp_wr wr = pp_wr_over(der, sizeof der);
    struct pp_x509 *ret = NULL;

    assert_true(was.at[1] == 0x82 && was.at[5] == 0x82 && was.len > 4 + tbs_len + 2);
    algorithm_len = 2 + (size_t)was.at[4 + tbs_len + 1];
    pp_wr_span(&wr, pp_span(was.at, 4 + tbs_len + algorithm_len));
    uint8_t *at = memmem(der, wr.len, key.at, key.len);
    assert_non_null(at);
    at[key.len - 1] ^= 1;
    assert_ok(pp_ec_sign(keys[signer], PP_SHA384, pp_span(der + 4, tbs_len), signature,
                         sizeof signature, &len));
    pp_wr_u8(&wr, 0x03);
    pp_wr_u8(&wr, (uint8_t)(len + 1));
    pp_wr_u8(&wr, 0);
    pp_wr_bytes(&wr, signature, len);
    assert_ok(pp_wr_ok(&wr));
    der[2] = (uint8_t)((wr.len - 4) >> 8);
    der[3] = (uint8_t)(wr.len - 4);
    assert_ok(pp_x509_parse(pp_wr_done(&wr), &ret));
    return ret;
}

/* A leaf certifies nobody, so no signature of the chain asks for its key: the chain does. */
static void a_leaf_whose_key_is_no_point_breaks_the_chain(void **state)
{
    (void)state;
    static const uint8_t filler[64] = { 0x04, 62 }; /* lengths of two bytes */
    struct chain ch;

    templates(&ch);
    add(&ch.t[4], "1.3.6.1.4.1.3704.1.77", PP_BYTES(filler), 0);
    build(&ch);
    struct pp_x509 *bad = with_bad_key(ch.c[0], PP_BYTES(spki[4]), ch.signer[4]);
    pp_x509_free(ch.c[0]);
    ch.c[0] = bad;
    for (int strict = 0; strict < 2; strict++) {
        assert_code(pp_x509_chain_verify(ch.c, LEVELS, ch.c[4], NOW, strict), PP_E_SIGNATURE);
        assert_int_equal(reference_chain_code(ch.c, LEVELS, NOW, strict), PP_E_SIGNATURE);
    }
    assert_code(pp_x509_path_verify(ch.c, LEVELS - 1, ch.c[4], NOW), PP_E_SIGNATURE);
    drop(&ch);
}

static void names_are_there_and_alternatives_are_some(void **state)
{
    (void)state;
    struct chain ch;

    templates(&ch);
    ch.t[4].subject_count = 0;
    assert_codes(&ch, NOW, PP_E_OK, PP_E_SIGNATURE);
    templates(&ch); /* an issuer without a name, and whoever it issued */
    ch.t[3].subject_count = ch.t[4].issuer_count = 0;
    assert_codes(&ch, NOW, PP_E_OK, PP_E_SIGNATURE);
    templates(&ch);
    add(&ch.t[4], SAN, PP_STR("\x30\x06\x82\x04test"), 0);
    assert_codes(&ch, NOW, PP_E_OK, PP_E_OK);
    templates(&ch);
    add(&ch.t[4], SAN, PP_STR("\x30\x00"), 0);
    assert_codes(&ch, NOW, PP_E_OK, PP_E_SIGNATURE);
}

static void extensions_are_of_version_three(void **state)
{
    (void)state;
    struct chain ch;

    for (int version = 1; version <= 2; version++) {
        templates(&ch);
        ch.t[4].version = version;
        assert_codes(&ch, NOW, PP_E_OK, PP_E_SIGNATURE);
        templates(&ch);
        ch.t[4].version = version;
        ch.t[4].extension_count = 0;
        assert_codes(&ch, NOW, PP_E_OK, PP_E_OK);
    }
}

static void a_critical_extension_that_nobody_knows_is_refused_at_each_place(void **state)
{
    (void)state;
    struct chain ch;

    for (size_t i = 0; i < LEVELS; i++) {
        templates(&ch);
        add(&ch.t[i], "1.3.6.1.4.1.3704.1.77", PP_STR("\x05\x00"), 1);
        assert_codes(&ch, NOW, PP_E_SIGNATURE, PP_E_SIGNATURE);
    }
}

/* Name constraints and delegated addresses (RFC 3779) ask for more than a chain: nobody has any. */
static void constraints_that_we_do_not_apply_are_refused_at_each_place(void **state)
{
    (void)state;
    static const struct {
        const char *oid;
        struct pp_span value;
    } rows[] = {
        { "2.5.29.30", PP_STR("\x30\x0A\xA0\x08\x30\x06\x82\x04test") },
        { "1.3.6.1.5.5.7.1.7", PP_STR("\x30\x08\x30\x06\x04\x02\x00\x01\x05\x00") },
        { "1.3.6.1.5.5.7.1.8", PP_STR("\x30\x04\xA0\x02\x05\x00") },
    };
    struct chain ch;

    for (size_t k = 0; k < PP_ARRAY_COUNT(rows); k++)
        for (size_t i = 0; i < LEVELS; i++) {
            templates(&ch);
            add(&ch.t[i], rows[k].oid, rows[k].value, 1);
            build(&ch);
            assert_code(pp_x509_path_verify(ch.c, LEVELS - 1, ch.c[LEVELS - 1], NOW),
                        PP_E_SIGNATURE);
            drop(&ch);
        }
}

static void a_path_has_one_to_four_certificates_below_its_root_and_none_twice(void **state)
{
    (void)state;
    struct chain ch;

    templates(&ch);
    build(&ch);
    struct pp_x509 *root = ch.c[4];
    struct pp_x509 *below[] = { ch.c[3] };
    struct pp_x509 *rooted[] = { ch.c[3], root };
    struct pp_x509 *five[] = { ch.c[0], ch.c[1], ch.c[2], ch.c[3], root };
    assert_ok(pp_x509_path_verify(below, 1, root, NOW));
    assert_code(pp_x509_path_verify(rooted, 2, root, NOW), PP_E_SIGNATURE);
    assert_code(pp_x509_path_verify(below, 0, root, NOW), PP_E_RANGE);
    assert_code(pp_x509_path_verify(five, 5, root, NOW), PP_E_RANGE);
    drop(&ch);
}

static void a_root_that_did_not_sign_itself_is_refused_with_its_chain(void **state)
{
    (void)state;
    struct chain ch;

    templates(&ch);
    ch.signer[0] = LEVELS;
    build(&ch);
    assert_code(pp_x509_chain_verify(ch.c, LEVELS, ch.c[4], NOW, 1), PP_E_SIGNATURE);
    assert_int_equal(reference_chain_code(ch.c, LEVELS, NOW, 1), PP_E_SIGNATURE);
    assert_code(pp_x509_link_verify(ch.c[4], ch.c[4], NOW), PP_E_SIGNATURE);
    drop(&ch);
}

static int setup(void **state)
{
    (void)state;
    size_t len;

    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    for (size_t i = 0; i <= LEVELS; i++)
        if (!pp_is_ok(pp_ec_key_generate(PP_P384, &keys[i])) ||
            !pp_is_ok(pp_issue_key_from_ec(keys[i], &issuers[i])) ||
            !pp_is_ok(pp_ec_key_spki(keys[i], spki[i], sizeof spki[i], &len)))
            return 1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i <= LEVELS; i++) {
        pp_issue_key_free(issuers[i]);
        pp_ec_key_free(keys[i]);
    }
    return 0;
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_chain_of_five_verifies_within_its_validity),
    cmocka_unit_test(each_certificate_of_five_is_signed_by_the_next_and_in_force),
    cmocka_unit_test(the_first_fault_from_the_root_down_is_the_one_that_is_named),
    cmocka_unit_test(an_authority_has_at_most_as_many_below_it_as_it_says),
    cmocka_unit_test(an_issuer_that_is_no_authority_breaks_the_chain_at_each_place),
    cmocka_unit_test(key_identifiers_join_a_chain),
    cmocka_unit_test(an_authority_says_what_its_key_is_for_and_says_it_critically),
    cmocka_unit_test(a_leaf_does_not_look_like_an_authority),
    cmocka_unit_test(a_leaf_whose_key_is_no_point_breaks_the_chain),
    cmocka_unit_test(names_are_there_and_alternatives_are_some),
    cmocka_unit_test(extensions_are_of_version_three),
    cmocka_unit_test(a_critical_extension_that_nobody_knows_is_refused_at_each_place),
    cmocka_unit_test(constraints_that_we_do_not_apply_are_refused_at_each_place),
    cmocka_unit_test(a_path_has_one_to_four_certificates_below_its_root_and_none_twice),
    cmocka_unit_test(a_root_that_did_not_sign_itself_is_refused_with_its_chain),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, setup, teardown);
}
