/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "crypto.h"
#include "keyfile.h"

#define SECRET "3c168975674b2fa8e465970b79c8dcf09f1c741626480bd4c6162fc5b6a98e1a"
#define GOOD                                                                                       \
    "use_from = 1763683200\nuse_until = 1763769600\nid = 196\nkem = 32\n"                          \
    "suite = 1 1\nsuite = 1 3\nsecret = " SECRET "\n"

static pp_res parse(const char *text, struct pp_ohttp_keyfile *k)
{
    return pp_ohttp_keyfile_parse(pp_span_cstr(text), k);
}

static void a_key_file_is_read_and_written_back(void **state)
{
    (void)state;
    PP_AUTO(pp_ohttp_keyfile) k = { 0 };
    char text[PP_OHTTP_KEYFILE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    assert_ok(parse(GOOD, &k));
    assert_int_equal(k.use_from_s, 1763683200);
    assert_int_equal(k.use_until_s, 1763769600);
    assert_int_equal(k.id, 196);
    assert_int_equal(k.kem, PP_KEM_X25519_SHA256);
    assert_int_equal(k.suite_count, 2);
    assert_int_equal(k.suites[1].aead, PP_CHACHA20_POLY1305);
    assert_hex(k.sk_secret.bytes, k.sk_secret.len, SECRET);
    assert_ok(pp_ohttp_keyfile_write(&k, &wr));
    assert_true(pp_span_eq(pp_wr_done(&wr), PP_STR(GOOD)));
}

static void what_no_reader_takes_is_not_written(void **state)
{
    (void)state;
    PP_AUTO(pp_ohttp_keyfile) k = { 0 };
    char text[PP_OHTTP_KEYFILE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    assert_ok(parse(GOOD, &k));
    k.use_until_s = k.use_from_s;
    assert_code(pp_ohttp_keyfile_write(&k, &wr), PP_E_RANGE);
    k.use_until_s++;
    k.suite_count = 0;
    assert_code(pp_ohttp_keyfile_write(&k, &wr), PP_E_RANGE);
    k.suite_count = PP_KEYCONF_SUITES_MAX + 1;
    assert_code(pp_ohttp_keyfile_write(&k, &wr), PP_E_RANGE);
    assert_int_equal(wr.len, 0);
    k.suite_count = PP_KEYCONF_SUITES_MAX;
    assert_ok(pp_ohttp_keyfile_write(&k, &wr));
}

static void every_part_of_a_key_file_is_needed_and_checked(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to; /* a part of the good text, and what replaces it */
        uint32_t code;
    } rows[] = {
        { "use_from = 1763683200\n", "", PP_E_CONFIG },
        { "use_until = 1763769600\n", "", PP_E_CONFIG },
        { "use_until = 1763769600", "use_until = 1763683200", PP_E_CONFIG },
        { "id = 196\n", "", PP_E_CONFIG },
        { "id = 196", "id = 256", PP_E_CONFIG },
        { "id = 196", "id = 196\nid = 196", PP_E_CONFIG },
        { "kem = 32\n", "", PP_E_CONFIG },
        { "kem = 32", "kem = 48", PP_E_UNSUPPORTED },
        { "suite = 1 1\nsuite = 1 3\n", "", PP_E_CONFIG },
        { "suite = 1 1\n", "suite = 1\n", PP_E_CONFIG },
        { "suite = 1 1\n", "suite = 1 1 1\n", PP_E_CONFIG },
        { "suite = 1 1\n", "suite = 1 65536\n", PP_E_CONFIG },
        { "secret = " SECRET "\n", "", PP_E_CONFIG },
        { "1a\n", "\n", PP_E_CONFIG },
        { "1a\n", "1A\n", PP_E_CONFIG },
        { "1a\n", "1a1a\n", PP_E_CONFIG },
        { "id = 196", "name = x\nid = 196", PP_E_CONFIG },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_ohttp_keyfile k = { .id = 7 };
        const char *at = strstr(GOOD, rows[i].from);
        char text[PP_OHTTP_KEYFILE_BYTES_MAX];
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - GOOD), GOOD, rows[i].to,
                 at + strlen(rows[i].from));
        assert_code(parse(text, &k), rows[i].code);
        assert_int_equal(k.id, 7);
        assert_null(k.sk_secret.bytes);
    }
}

static void a_key_file_holds_eight_suites_and_1024_bytes_at_most(void **state)
{
    (void)state;
    struct pp_ohttp_keyfile k = { 0 };
    char text[PP_OHTTP_KEYFILE_BYTES_MAX + 2];

    for (size_t extra = 0; extra < 2; extra++) {
        struct pp_wr wr = pp_wr_over(text, sizeof text - 1);
        pp_wr_text(&wr, GOOD);
        for (size_t i = 2; i < PP_KEYCONF_SUITES_MAX + extra; i++)
            pp_wr_text(&wr, "suite = 1 2\n");
        assert_code(pp_ohttp_keyfile_parse(pp_wr_done(&wr), &k),
                    extra == 0 ? PP_E_OK : PP_E_CONFIG);
        if (extra == 0)
            assert_int_equal(k.suite_count, PP_KEYCONF_SUITES_MAX);
        pp_ohttp_keyfile_done(&k);

        wr = pp_wr_over(text, sizeof text);
        pp_wr_text(&wr, GOOD "#");
        while (wr.len < PP_OHTTP_KEYFILE_BYTES_MAX + extra)
            pp_wr_u8(&wr, '.');
        assert_code(pp_ohttp_keyfile_parse(pp_wr_done(&wr), &k),
                    extra == 0 ? PP_E_OK : PP_E_CONFIG);
        pp_ohttp_keyfile_done(&k);
    }
}

/* transparency-log B4: from 10 minutes before its use until 10 minutes after it. */
static void a_key_serves_ten_minutes_longer_at_both_ends(void **state)
{
    (void)state;
    struct pp_ohttp_keyfile k = { .use_from_s = 86400, .use_until_s = 172800 };

    assert_false(pp_ohttp_keyfile_serves(&k, 86400 - 601));
    assert_true(pp_ohttp_keyfile_serves(&k, 86400 - 600));
    assert_true(pp_ohttp_keyfile_serves(&k, 100000));
    assert_true(pp_ohttp_keyfile_serves(&k, 172800 + 599));
    assert_false(pp_ohttp_keyfile_serves(&k, 172800 + 600));
    assert_false(pp_ohttp_keyfile_serves(&k, UINT64_MAX));
    k.use_from_s = 0;
    k.use_until_s = UINT64_MAX;
    assert_true(pp_ohttp_keyfile_serves(&k, 0));
    assert_true(pp_ohttp_keyfile_serves(&k, UINT64_MAX));
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_key_file_is_read_and_written_back),
    cmocka_unit_test(what_no_reader_takes_is_not_written),
    cmocka_unit_test(every_part_of_a_key_file_is_needed_and_checked),
    cmocka_unit_test(a_key_file_holds_eight_suites_and_1024_bytes_at_most),
    cmocka_unit_test(a_key_serves_ten_minutes_longer_at_both_ends),
};

PP_TEST_MAIN(TESTS)
