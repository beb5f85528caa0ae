/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "address.h"

static void an_address_is_read_and_written_in_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned family, port;
    } rows[] = {
        { "127.0.0.1:0", PP_ADDRESS_IP4, 0 },      { "10.1.2.3:65535", PP_ADDRESS_IP4, 65535 },
        { "[::1]:8080", PP_ADDRESS_IP6, 8080 },    { "[2001:db8::1:2]:1", PP_ADDRESS_IP6, 1 },
        { "unix:run/socket", PP_ADDRESS_UNIX, 0 }, { "unix:/run/pp.sock", PP_ADDRESS_UNIX, 0 },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_address a;
        char text[PP_ADDRESS_TEXT_MAX];
        assert_ok(pp_address_parse(pp_span_cstr(rows[i].text), &a));
        assert_int_equal(a.family, rows[i].family);
        assert_int_equal(a.port, rows[i].port);
        pp_address_write(&a, text);
        assert_string_equal(text, rows[i].text);
    }
}

/* pp-wire 3: the handle carries these bytes. */
static void the_bytes_are_those_of_a_session_handle(void **state)
{
    (void)state;
    struct pp_address a;

    assert_ok(pp_address_parse(PP_STR("127.0.0.1:8080"), &a));
    assert_int_equal(a.family, 4);
    assert_hex(a.ip, 16, "7f000001000000000000000000000000");
    assert_ok(pp_address_parse(PP_STR("[2001:db8::1]:1"), &a));
    assert_int_equal(a.family, 6);
    assert_hex(a.ip, 16, "20010db8000000000000000000000001");
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        ":",
        ":80",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:080",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1: 80",
        "127.0.0.1:80 ",
        " 127.0.0.1:80",
        "127.1:80",
        "1.2.3.4.5:80",
        "256.0.0.1:80",
        "localhost:80",
        "::1:80",
        "[::1]",
        "[::1]:",
        "[::1:80",
        "::1]:80",
        "[]:80",
        "[127.0.0.1]:80",
        "[fe80::1%lo]:80",
        "unix:",
        "unix:a b",
        "unix:a\n",
        "UNIX:a",
        "127.0.0.1\0:80",
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_address a = { .port = 7 };
        if (pp_is_ok(pp_address_parse(pp_span_cstr(rows[i]), &a)))
            fail_msg("accepted: %s", rows[i]);
        assert_int_equal(a.port, 7);
    }
}

static void a_path_at_the_kernels_limit_is_taken_and_one_past_it_refused(void **state)
{
    (void)state;
    char text[256];
    struct pp_address a;
    char again[PP_ADDRESS_TEXT_MAX];

    snprintf(text, sizeof text, "unix:%0*d", PP_ADDRESS_PATH_MAX, 0);
    assert_ok(pp_address_parse(pp_span_cstr(text), &a));
    pp_address_write(&a, again);
    assert_string_equal(again, text);
    snprintf(text, sizeof text, "unix:%0*d", PP_ADDRESS_PATH_MAX + 1, 0);
    assert_code(pp_address_parse(pp_span_cstr(text), &a), PP_E_RANGE);
}

static void this_machine_alone_is_told_from_the_network(void **state)
{
    (void)state;
    static const char *const local[] = { "127.0.0.1:80", "127.255.255.255:1", "[::1]:80",
                                         "unix:a" };
    static const char *const wide[] = {
        "126.255.255.255:80", "128.0.0.0:80", "0.0.0.0:80",           "10.0.0.1:80", "[::]:80",
        "[::2]:80",           "[1::1]:80",    "[::ffff:127.0.0.1]:80"
    };
    struct pp_address a;

    for (size_t i = 0; i < PP_ARRAY_COUNT(local); i++) {
        assert_ok(pp_address_parse(pp_span_cstr(local[i]), &a));
        assert_true(pp_address_is_local(&a));
    }
    for (size_t i = 0; i < PP_ARRAY_COUNT(wide); i++) {
        assert_ok(pp_address_parse(pp_span_cstr(wide[i]), &a));
        assert_false(pp_address_is_local(&a));
    }
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(an_address_is_read_and_written_in_one_form),
    cmocka_unit_test(the_bytes_are_those_of_a_session_handle),
    cmocka_unit_test(what_is_no_address_is_refused),
    cmocka_unit_test(a_path_at_the_kernels_limit_is_taken_and_one_past_it_refused),
    cmocka_unit_test(this_machine_alone_is_told_from_the_network),
};

PP_TEST_MAIN(TESTS)
