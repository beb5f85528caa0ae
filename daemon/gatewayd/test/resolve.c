/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "desks.h"
#include "resolve.h"

static void a_name_is_letters_digits_dashes_and_dots_with_a_port(void **state)
{
    static const struct {
        const char *text;
        enum pp_code code;
    } ROWS[] = {
        { "cvm.example:8414", PP_E_OK }, { "a:1", PP_E_OK },        { "localhost:65535", PP_E_OK },
        { "cvm.example", PP_E_FORMAT },  { ":1", PP_E_RANGE },      { "cvm:0", PP_E_RANGE },
        { "-cvm:1", PP_E_FORMAT },       { ".cvm:1", PP_E_FORMAT }, { "c vm:1", PP_E_FORMAT },
        { "cvm/x:1", PP_E_FORMAT },      { "c:v:1", PP_E_FORMAT },
    };
    struct gw_name name;

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        pp_res r = gw_name_parse(pp_span_cstr(ROWS[i].text), &name);
        if (ROWS[i].code == PP_E_OK)
            assert_ok(r);
        else
            assert_int_not_equal(r.code, PP_E_OK);
    }
    assert_ok(gw_name_parse(PP_STR("cvm.example:8414"), &name));
    assert_string_equal(name.host, "cvm.example");
    assert_int_equal(name.port, 8414);
    char longest[GW_NAME_BYTES_MAX + 8];
    memset(longest, 'a', sizeof longest);
    memcpy(longest + GW_NAME_BYTES_MAX, ":1", 3);
    assert_ok(gw_name_parse(pp_span_cstr(longest), &name));
    memcpy(longest + GW_NAME_BYTES_MAX, "a:1", 4);
    assert_code(gw_name_parse(pp_span_cstr(longest), &name), PP_E_RANGE);
    assert_code(gw_name_parse(PP_STR("cvm:65536"), &name), PP_E_RANGE);
}

/* Two addresses, as the page of resolve.h has them. */
static const uint8_t NEWS[] = { 4, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0xde,
                                6, 0,   0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x20, 0xde };

static void addresses_are_read_whole_or_not_at_all(void **state)
{
    struct pp_address list[2];
    uint8_t bad[sizeof NEWS];
    size_t count = 7;

    (void)state;
    assert_ok(gw_addresses_parse(PP_BYTES(NEWS), list, 2, &count));
    assert_int_equal(count, 2);
    assert_int_equal(list[0].port, 8414);
    assert_int_equal(list[1].family, PP_ADDRESS_IP6);
    for (size_t n = 1; n < sizeof NEWS; n++)
        if (n != GW_ADDRESS_NEWS_BYTES)
            assert_code(gw_addresses_parse(pp_span(NEWS, n), list, 2, &count), PP_E_FORMAT);
    assert_code(gw_addresses_parse(PP_BYTES(NEWS), list, 1, &count), PP_E_FORMAT);
    memcpy(bad, NEWS, sizeof bad);
    bad[0] = 1; /* a path is nothing that a name gives */
    assert_code(gw_addresses_parse(PP_BYTES(bad), list, 2, &count), PP_E_FORMAT);
    memcpy(bad, NEWS, sizeof bad);
    bad[17] = bad[18] = 0;
    assert_code(gw_addresses_parse(PP_BYTES(bad), list, 2, &count), PP_E_FORMAT);
    assert_ok(gw_addresses_parse(PP_STR(""), list, 2, &count));
    assert_int_equal(count, 0);
}

/* What a desk would send, without one. */
static size_t turn_of(struct gw_resolver *r, uint8_t *out, size_t cap)
{
    struct gw_desk desk = { .wr = pp_wr_over(out, cap) };
    const struct gw_process p = gw_resolver_process(r);

    p.turn(p.ctx, &desk);
    assert_ok(pp_wr_ok(&desk.wr));
    return desk.wr.len;
}

static void a_name_is_told_once_and_again_only_when_it_changes(void **state)
{
    struct gw_resolver r = { .name = { "localhost", 8414 } };
    uint8_t out[4096];

    (void)state;
    assert_true(turn_of(&r, out, sizeof out) > GW_FRAME_HEAD_BYTES);
    assert_true(r.last_count >= 1);
    assert_int_equal(r.last[0].port, 8414);
    assert_int_equal(turn_of(&r, out, sizeof out), 0);
    r.last[0].ip[3] ^= 1; /* it was another one */
    assert_true(turn_of(&r, out, sizeof out) > GW_FRAME_HEAD_BYTES);
}

/* `a..b` has an empty label: no server is asked, and no file has it. */
static void a_name_that_is_not_answered_changes_nothing(void **state)
{
    struct gw_resolver r = { .name = { "localhost", 8414 } };
    uint8_t out[4096];

    (void)state;
    assert_true(turn_of(&r, out, sizeof out) > GW_FRAME_HEAD_BYTES);
    size_t count = r.last_count;
    snprintf(r.name.host, sizeof r.name.host, "a..b");
    assert_int_equal(turn_of(&r, out, sizeof out), 0);
    assert_int_equal(r.last_count, count);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_name_is_letters_digits_dashes_and_dots_with_a_port),
    cmocka_unit_test(addresses_are_read_whole_or_not_at_all),
    cmocka_unit_test(a_name_is_told_once_and_again_only_when_it_changes),
    cmocka_unit_test(a_name_that_is_not_answered_changes_nothing),
};

PP_TEST_MAIN(TESTS)
