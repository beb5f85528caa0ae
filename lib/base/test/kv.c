/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "kv.h"

struct config {
    struct pp_span address;
    uint64_t limit;
    uint32_t verbose;
    struct pp_kv_list relays;
};

static const struct pp_kv_key KEYS[] = {
    { "address", PP_KV_TEXT, offsetof(struct config, address), 1, 1, 20, "an address" },
    { "limit", PP_KV_U64, offsetof(struct config, limit), 0, 1, 100, "a number from 1 to 100" },
    { "verbose", PP_KV_FLAG, offsetof(struct config, verbose), 0, 0, 0, "yes or no" },
    { "relay", PP_KV_LIST, offsetof(struct config, relays), 0, 0, 0, "a URL" },
};

static struct pp_problem problem;

static pp_res read_text(const char *text, struct config *c)
{
    *c = (struct config){ .limit = 7 };
    problem = (struct pp_problem){ 0 };
    return pp_kv_read(pp_span_cstr(text), KEYS, PP_ARRAY_COUNT(KEYS), c, &problem);
}

static void a_configuration_is_read_by_its_table(void **state)
{
    (void)state;
    struct config c;

    assert_ok(
        read_text("# hello\n\n address =  127.0.0.1:0 \nverbose = yes\nrelay=a=b\nrelay = c", &c));
    assert_true(pp_span_eq(c.address, PP_STR("127.0.0.1:0")));
    assert_int_equal(c.limit, 7); /* the default stays */
    assert_int_equal(c.verbose, 1);
    assert_int_equal(c.relays.count, 2);
    assert_true(pp_span_eq(c.relays.items[0], PP_STR("a=b")));
}

static void every_refusal_names_the_key_what_was_expected_and_what_stood_there(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *field;
        const char *expected;
        const char *got;
        uint32_t line;
    } rows[] = {
        { "address = a\ncolour = red\n", "colour", "a key that --help lists", "an unknown key", 2 },
        { "address = a\naddress = b\n", "address", "the key once", "a second time", 2 },
        { "limit = 5\n", "address", "an address", "(missing)", 0 },
        { "address = a\nlimit = 0\n", "limit", "a number from 1 to 100", "0", 2 },
        { "address = a\nlimit = 101\n", "limit", "a number from 1 to 100", "101", 2 },
        { "address = a\nlimit = 07\n", "limit", "a number from 1 to 100", "07", 2 },
        { "address = a\nverbose = maybe\n", "verbose", "yes or no", "maybe", 2 },
        { "address = \n", "address", "an address", "", 1 },
        { "address = 123456789012345678901\n", "address", "an address", "123456789012345678901",
          1 },
        { "address\n", "address", "a line of the form: key = value", "address", 1 },
        { "address = a\x01\n", "address = a.", "a line of the form: key = value", "address = a.",
          1 },
        /* fuzz/kv: a refusal has to name something. */
        { "address = a\n= b\n", "= b", "a line of the form: key = value", "= b", 2 },
        { "address = \xff\n", "(file)", "UTF-8 text", "other bytes", 0 },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct config c;
        pp_res r = read_text(rows[i].text, &c);
        assert_code(r, PP_E_CONFIG);
        assert_int_equal(r.detail, rows[i].line);
        assert_string_equal(problem.field, rows[i].field);
        assert_string_equal(problem.expected, rows[i].expected);
        assert_string_equal(problem.got, rows[i].got);
    }
}

static void a_list_has_a_limit(void **state)
{
    (void)state;
    static const char line[] = "relay = x\n";
    char text[4096] = "address = a\n";
    size_t at = strlen(text);
    struct config c;

    for (int i = 0; i < PP_KV_LIST_MAX; i++, at += sizeof line - 1)
        memcpy(text + at, line, sizeof line);
    assert_ok(read_text(text, &c));
    assert_int_equal(c.relays.count, PP_KV_LIST_MAX);
    memcpy(text + at, line, sizeof line);
    assert_code(read_text(text, &c), PP_E_CONFIG);
}

static void a_file_over_the_limit_is_refused(void **state)
{
    (void)state;
    static char text[PP_KV_BYTES_MAX + 2];
    struct config c;

    memset(text, '#', PP_KV_BYTES_MAX + 1);
    assert_code(read_text(text, &c), PP_E_CONFIG);
    assert_string_equal(problem.expected, "at most 65536 bytes");
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_configuration_is_read_by_its_table),
    cmocka_unit_test(every_refusal_names_the_key_what_was_expected_and_what_stood_there),
    cmocka_unit_test(a_list_has_a_limit),
    cmocka_unit_test(a_file_over_the_limit_is_refused),
};

PP_TEST_MAIN(TESTS)
