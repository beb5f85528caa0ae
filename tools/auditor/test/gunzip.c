/* SPDX-License-Identifier: Apache-2.0 */
/* gzip of a server (RFC 1952): one whole member, up to a limit. */
#include "harness.h"

#include "gunzip.h"

/* "hello", as gzip -n writes it. */
static const char *const TEXT = "1f8b0800000000000003cb48cdc9c9070086a6103605000000";

static pp_res unpack(const uint8_t *bytes, size_t len, size_t max)
{
    struct pp_buf b = { 0 };
    pp_res r = pp_gunzip(pp_span(bytes, len), max, &b);

    if (pp_is_ok(r))
        assert_true(pp_span_eq(pp_buf_span(&b), PP_STR("hello")));
    else
        assert_null(b.bytes);
    pp_buf_done(&b);
    return r;
}

static void one_member_is_unpacked_up_to_its_limit(void **state)
{
    uint8_t bytes[64];
    size_t len = pp_test_hex(TEXT, bytes, sizeof bytes);

    (void)state;
    assert_ok(unpack(bytes, len, 5));
    assert_ok(unpack(bytes, len, 1 << 20));
    assert_code(unpack(bytes, len, 4), PP_E_LIMIT);
    assert_code(unpack(bytes, len, 0), PP_E_LIMIT);
}

static void every_truncation_is_refused(void **state)
{
    uint8_t bytes[64];
    size_t len = pp_test_hex(TEXT, bytes, sizeof bytes);

    (void)state;
    for (size_t n = 0; n < len; n++)
        assert_code(unpack(bytes, n, 100), PP_E_TRUNCATED);
}

static void bytes_and_members_behind_the_end_are_refused(void **state)
{
    uint8_t bytes[128] = { 0 };
    size_t len = pp_test_hex(TEXT, bytes, sizeof bytes);

    (void)state;
    assert_code(unpack(bytes, len + 1, 100), PP_E_TRAILING);
    memcpy(bytes + len, bytes, len);
    assert_code(unpack(bytes, 2 * len, 100), PP_E_TRAILING);
}

/* RFC 1952 2.3.1: CRC32 and length stand at the end. Bits that fill the last byte of the content
 * mean nothing, so there the same content may come out. */
static void a_flipped_bit_never_gives_another_content(void **state)
{
    uint8_t bytes[64];
    size_t len = pp_test_hex(TEXT, bytes, sizeof bytes);

    (void)state;
    for (size_t i = 10; i < len; i++)
        for (int bit = 0; bit < 8; bit++) {
            bytes[i] ^= (uint8_t)(1 << bit);
            pp_res r = unpack(bytes, len, 100); /* which compares what comes out */
            assert_true(!pp_is_ok(r) || i < len - 8);
            bytes[i] ^= (uint8_t)(1 << bit);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_member_is_unpacked_up_to_its_limit),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(bytes_and_members_behind_the_end_are_refused),
        cmocka_unit_test(a_flipped_bit_never_gives_another_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
