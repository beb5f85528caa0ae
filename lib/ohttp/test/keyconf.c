/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "ohttp.h"

/* RFC 9458, appendix A: key 1, X25519, HKDF-SHA256 with AES-128-GCM and ChaCha20-Poly1305. */
#define CONF                                                                                       \
    "01002031e1f05a740102115220e9af918f738674aec95f54db6e04eb705aae8e798155"                       \
    "00080001000100010003"
/* The same with key id 2 and one pair. */
#define CONF_2                                                                                     \
    "02002031e1f05a740102115220e9af918f738674aec95f54db6e04eb705aae8e798155"                       \
    "000400030002"
/* Key 9 of KEM 0x0030, which nobody registered: five bytes that we need not understand. */
#define CONF_UNKNOWN "0900300102"

static pp_res parse_conf(const char *hex, struct pp_keyconf *kc)
{
    uint8_t bytes[256];
    struct pp_rd rd = pp_rd_over(bytes, pp_test_hex(hex, bytes, sizeof bytes));

    return pp_keyconf_parse(&rd, kc);
}

static pp_res parse_list(const char *hex, struct pp_keylist *list)
{
    uint8_t bytes[1024];

    return pp_keylist_parse(pp_span(bytes, pp_test_hex(hex, bytes, sizeof bytes)), list);
}

static void the_key_configuration_of_the_rfc_is_read_and_written_back(void **state)
{
    (void)state;
    struct pp_keyconf kc;
    struct pp_ohttp_suite suite;
    uint8_t out[64];
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    assert_ok(parse_conf(CONF, &kc));
    assert_int_equal(kc.id, 1);
    assert_int_equal(kc.kem, PP_KEM_X25519_SHA256);
    assert_int_equal(kc.public_key_len, 32);
    assert_int_equal(kc.suite_count, 2);
    assert_int_equal(kc.suites[1].aead, PP_CHACHA20_POLY1305);
    assert_ok(pp_keyconf_select(&kc, &suite));
    assert_int_equal(suite.kdf, PP_HKDF_SHA256);
    assert_int_equal(suite.aead, PP_AES_128_GCM);
    assert_ok(pp_keyconf_write(&kc, &wr));
    assert_hex(out, wr.len, CONF);
}

static void a_configuration_that_nobody_could_read_is_not_written(void **state)
{
    (void)state;
    struct pp_keyconf kc, wrong;
    uint8_t out[64];
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    assert_ok(parse_conf(CONF, &kc));
    wrong = kc;
    wrong.kem = 0x30;
    assert_code(pp_keyconf_write(&wrong, &wr), PP_E_UNSUPPORTED);
    wrong = kc;
    wrong.public_key_len--;
    assert_code(pp_keyconf_write(&wrong, &wr), PP_E_RANGE);
    wrong = kc;
    wrong.suite_count = 0;
    assert_code(pp_keyconf_write(&wrong, &wr), PP_E_RANGE);
    wrong.suite_count = PP_KEYCONF_SUITES_MAX + 1;
    assert_code(pp_keyconf_write(&wrong, &wr), PP_E_RANGE);
    assert_int_equal(wr.len, 0);
}

/* RFC 9458, 3.1: the algorithm list is length-prefixed; a length past the input is not believed. */
static void every_truncation_of_a_key_configuration_is_refused(void **state)
{
    (void)state;
    PP_HEX(bytes, CONF);

    for (size_t n = 0; n < bytes_len; n++) {
        struct pp_rd rd = pp_rd_over(bytes, n);
        struct pp_keyconf kc;
        assert_code(pp_keyconf_parse(&rd, &kc), PP_E_TRUNCATED);
    }
}

static void the_algorithm_list_holds_one_to_eight_whole_pairs(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 40; len++) {
        uint8_t bytes[128] = { 1, 0, 0x20 };
        struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
        struct pp_keyconf kc = { .id = 77 };
        pp_wr_u8(&wr, 1);
        pp_wr_u16(&wr, PP_KEM_X25519_SHA256);
        pp_wr_zeros(&wr, PP_X25519_BYTES);
        pp_wr_u16(&wr, (uint16_t)len);
        for (size_t i = 0; i < len; i++)
            pp_wr_u8(&wr, i % 2 == 1);
        struct pp_rd rd = pp_rd_span(pp_wr_done(&wr));
        uint32_t want = len == 0 || len > 4 * PP_KEYCONF_SUITES_MAX ? PP_E_RANGE
                        : len % 4 != 0                              ? PP_E_TRUNCATED
                                                                    : PP_E_OK;
        assert_code(pp_keyconf_parse(&rd, &kc), want);
        if (want == PP_E_OK)
            assert_int_equal(kc.suite_count, len / 4);
        else
            assert_int_equal(kc.id, 77); /* nothing was written */
    }
}

static void w3_t5_a_configuration_without_an_offered_algorithm_is_not_selected(void **state)
{
    (void)state;
    struct pp_keyconf kc;
    struct pp_ohttp_suite suite = { 9, 9 };

    assert_code(parse_conf("0100300102", &kc), PP_E_UNSUPPORTED); /* KEM */
    assert_ok(parse_conf(CONF, &kc));
    kc.suites[0].kdf = 0x0011; /* a KDF that we do not offer: the next pair is taken */
    assert_ok(pp_keyconf_select(&kc, &suite));
    assert_int_equal(suite.aead, PP_CHACHA20_POLY1305);
    kc.suites[1].aead = PP_HPKE_EXPORT_ONLY; /* known to HPKE, but it cannot seal */
    suite.aead = 9;
    assert_code(pp_keyconf_select(&kc, &suite), PP_E_UNSUPPORTED);
    assert_int_equal(suite.aead, 9);
}

static void a_list_is_read_in_order_and_unknown_kems_are_skipped_by_length(void **state)
{
    (void)state;
    static struct pp_keylist list;
    uint8_t out[256];
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    assert_ok(parse_list("0005" CONF_UNKNOWN "002d" CONF "0029" CONF_2, &list));
    assert_int_equal(list.count, 2);
    assert_int_equal(list.keys[0].id, 1);
    assert_int_equal(list.keys[1].id, 2);
    assert_ok(pp_keylist_write(&list, &wr));
    assert_hex(out, wr.len, "002d" CONF "0029" CONF_2);
}

/* RFC 9458, 3.2: partial use of a list would tell clients apart. */
static void one_wrong_entry_discards_the_whole_list(void **state)
{
    (void)state;
    static struct pp_keylist list;
    static const struct {
        const char *hex;
        uint32_t code;
    } rows[] = {
        { "", PP_E_TRUNCATED },
        { "00", PP_E_TRUNCATED },
        { "002d" CONF "00", PP_E_TRUNCATED },
        { "002d" CONF "0029" CONF, PP_E_TRUNCATED }, /* an entry cut by its own length */
        { "002e" CONF "00", PP_E_TRAILING },         /* a byte behind the algorithms */
        { "002d" CONF "0005" CONF_UNKNOWN "0000", PP_E_TRUNCATED },
        { "002d" CONF "00020900", PP_E_TRUNCATED },  /* too short even to name a KEM */
        { "002d" CONF "002d" CONF, PP_E_DUPLICATE }, /* one key id, two entries */
        { "0005" CONF_UNKNOWN "0005" CONF_UNKNOWN, PP_E_DUPLICATE },
        { CONF, PP_E_TRUNCATED }, /* the old draft's form without lengths: 0100 is read as one */
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        list.count = 77;
        assert_code(parse_list(rows[i].hex, &list), rows[i].code);
        assert_int_equal(list.count, 77);
    }
}

static void every_truncation_of_a_list_is_refused(void **state)
{
    (void)state;
    static struct pp_keylist list;
    PP_HEX(bytes, "002d" CONF "0029" CONF_2);

    for (size_t n = 0; n < bytes_len; n++)
        if (n != 2 + 0x2d) /* where one entry ends */
            assert_code(pp_keylist_parse(pp_span(bytes, n), &list), PP_E_TRUNCATED);
}

static void a_list_holds_eight_keys_and_no_more(void **state)
{
    (void)state;
    static struct pp_keylist list, back;
    uint8_t out[512];

    assert_ok(parse_list("002d" CONF, &list));
    for (size_t i = 1; i < PP_KEYLIST_KEYS_MAX; i++) {
        list.keys[i] = list.keys[0];
        list.keys[i].id = (uint8_t)(list.keys[0].id + i);
    }
    list.count = PP_KEYLIST_KEYS_MAX;
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    assert_ok(pp_keylist_write(&list, &wr));
    assert_ok(pp_keylist_parse(pp_wr_done(&wr), &back));
    assert_int_equal(back.count, PP_KEYLIST_KEYS_MAX);

    PP_HEX(ninth, "002d" CONF);
    ninth[2] = 200;
    pp_wr_bytes(&wr, ninth, ninth_len);
    assert_code(pp_keylist_parse(pp_wr_done(&wr), &back), PP_E_LIMIT);
}

static void a_list_longer_than_the_limit_is_refused(void **state)
{
    (void)state;
    static uint8_t bytes[PP_KEYLIST_BYTES_MAX + 1] = { 0xff, 0xfd, 9, 0, 0x30 };
    static struct pp_keylist list;

    bytes[PP_KEYLIST_BYTES_MAX - 1] = 0;
    assert_code(pp_keylist_parse(pp_span(bytes, PP_KEYLIST_BYTES_MAX), &list), PP_E_TRUNCATED);
    bytes[1] = 0xfe; /* 2 + 65534: exactly the limit */
    assert_ok(pp_keylist_parse(pp_span(bytes, PP_KEYLIST_BYTES_MAX), &list));
    assert_int_equal(list.count, 0);
    assert_code(pp_keylist_parse(PP_BYTES(bytes), &list), PP_E_LIMIT);
}

static void all_clients_select_the_same_key_and_pair(void **state)
{
    (void)state;
    static struct pp_keylist list;
    const struct pp_keyconf *key = NULL;
    struct pp_ohttp_suite suite;

    assert_ok(parse_list("0005" CONF_UNKNOWN "002d" CONF "0029" CONF_2, &list));
    assert_ok(pp_keylist_select(&list, 0, &key, &suite));
    assert_int_equal(key->id, 1);
    assert_int_equal(suite.aead, PP_AES_128_GCM);
    list.keys[0].suites[0].aead = 0x7777; /* a pair of the future in front: the next is taken */
    assert_ok(pp_keylist_select(&list, PP_KEM_X25519_SHA256, &key, &suite));
    assert_int_equal(key->id, 1);
    assert_int_equal(suite.aead, PP_CHACHA20_POLY1305);
    list.keys[0].suites[1].kdf = PP_HPKE_SHAKE128; /* no usable pair: the next key is */
    assert_ok(pp_keylist_select(&list, 0, &key, &suite));
    assert_int_equal(key->id, 2);
    assert_code(pp_keylist_select(&list, PP_KEM_XWING, &key, &suite), PP_E_UNSUPPORTED);
    assert_ok(parse_list("0005" CONF_UNKNOWN, &list));
    assert_code(pp_keylist_select(&list, 0, &key, &suite), PP_E_UNSUPPORTED);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(the_key_configuration_of_the_rfc_is_read_and_written_back),
    cmocka_unit_test(a_configuration_that_nobody_could_read_is_not_written),
    cmocka_unit_test(every_truncation_of_a_key_configuration_is_refused),
    cmocka_unit_test(the_algorithm_list_holds_one_to_eight_whole_pairs),
    cmocka_unit_test(w3_t5_a_configuration_without_an_offered_algorithm_is_not_selected),
    cmocka_unit_test(a_list_is_read_in_order_and_unknown_kems_are_skipped_by_length),
    cmocka_unit_test(one_wrong_entry_discards_the_whole_list),
    cmocka_unit_test(every_truncation_of_a_list_is_refused),
    cmocka_unit_test(a_list_holds_eight_keys_and_no_more),
    cmocka_unit_test(a_list_longer_than_the_limit_is_refused),
    cmocka_unit_test(all_clients_select_the_same_key_and_pair),
};

PP_TEST_MAIN(TESTS)
