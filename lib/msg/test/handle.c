/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "crypto.h"
#include "handle.h"
#include "text.h"
#include "wr.h"

static const uint8_t KEY_NOW[PP_HANDLE_KEY_BYTES] = { 1 };
static const uint8_t KEY_BEFORE[PP_HANDLE_KEY_BYTES] = { 2 };

static struct pp_handle_keys fleet;

static int set_up(void **state)
{
    (void)state;
    assert_ok(pp_crypto_init());
    assert_ok(pp_aead_new(PP_AES_256_GCM, PP_BYTES(KEY_NOW), &fleet.keys[0].aead));
    assert_ok(pp_aead_new(PP_AES_256_GCM, PP_BYTES(KEY_BEFORE), &fleet.keys[1].aead));
    fleet.keys[0].id = 7;
    fleet.keys[1].id = 6;
    fleet.count = 2;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pp_aead_free(fleet.keys[0].aead);
    pp_aead_free(fleet.keys[1].aead);
    return 0;
}

static struct pp_handle sample(void)
{
    struct pp_handle h = { .address = { .family = PP_FAMILY_IP4, .port = 4433 },
                           .sid = { 9, 8, 7 },
                           .expiry_posix_s = 1000 };

    memcpy(h.address.bytes, "\x7f\x00\x00\x01", 4);
    return h;
}

static void any_gateway_of_the_fleet_opens_what_one_sealed(void **state)
{
    struct pp_random random = pp_random_system();
    struct pp_handle h = sample(), back;
    char text[PP_HANDLE_TEXT_BYTES];
    struct pp_handle_keys rotated = { .count = 1 };

    (void)state;
    assert_ok(pp_handle_seal(&fleet, &random, &h, text));
    assert_ok(pp_handle_open(&fleet, pp_span(text, sizeof text), 999, &back));
    assert_memory_equal(&back.address, &h.address, sizeof h.address);
    assert_memory_equal(back.sid, h.sid, sizeof h.sid);

    rotated.keys[0] = fleet.keys[1]; /* a gateway that holds the previous key alone */
    assert_code(pp_handle_open(&rotated, pp_span(text, sizeof text), 999, &back), PP_E_AUTH);
    assert_ok(pp_handle_seal(&rotated, &random, &h, text));
    assert_ok(pp_handle_open(&fleet, pp_span(text, sizeof text), 999, &back));
}

static void every_changed_character_is_refused_alike(void **state)
{
    struct pp_random random = pp_random_system();
    struct pp_handle h = sample(), back;
    char text[PP_HANDLE_TEXT_BYTES];

    (void)state;
    assert_ok(pp_handle_seal(&fleet, &random, &h, text));
    for (size_t i = 0; i < sizeof text; i++) {
        char was = text[i];
        text[i] = was == 'A' ? 'B' : 'A';
        assert_code(pp_handle_open(&fleet, pp_span(text, sizeof text), 1, &back), PP_E_AUTH);
        text[i] = was;
    }
}

static void a_handle_expires(void **state)
{
    struct pp_random random = pp_random_system();
    struct pp_handle h = sample(), back;
    char text[PP_HANDLE_TEXT_BYTES];

    (void)state;
    assert_ok(pp_handle_seal(&fleet, &random, &h, text));
    assert_ok(pp_handle_open(&fleet, pp_span(text, sizeof text), 999, &back));
    assert_code(pp_handle_open(&fleet, pp_span(text, sizeof text), 1000, &back), PP_E_SESSION_GONE);
}

static void an_address_has_one_encoding(void **state)
{
    struct pp_random random = pp_random_system();
    struct pp_handle h = sample();
    char text[PP_HANDLE_TEXT_BYTES];
    struct pp_handle_keys none = { 0 };

    (void)state;
    h.address.bytes[15] = 1;
    assert_code(pp_handle_seal(&fleet, &random, &h, text), PP_E_ENCODING);
    h = sample();
    h.address.family = PP_FAMILY_VSOCK;
    assert_code(pp_handle_seal(&fleet, &random, &h, text), PP_E_FORMAT);
    h.address.family = (enum pp_family)9;
    assert_code(pp_handle_seal(&fleet, &random, &h, text), PP_E_UNSUPPORTED);
    pp_handle_address_unix(&h.address, PP_STR("/run/pp/cvm"));
    assert_ok(pp_handle_seal(&fleet, &random, &h, text));
    h.address.port = 1;
    assert_code(pp_handle_seal(&fleet, &random, &h, text), PP_E_FORMAT);
    assert_code(pp_handle_seal(&none, &random, &h, text), PP_E_STATE);
}

/* pp-wire 3: version, key, nonce, then family, address, port, session and expiry under the AEAD. */
static pp_res open_by_hand(uint8_t version, uint8_t behind_the_address)
{
    uint8_t plain[43] = { PP_FAMILY_IP4, 127, 0, 0, 1, [16] = behind_the_address, [42] = 200 };
    uint8_t bytes[PP_HANDLE_BYTES] = { version, 7 };
    char text[PP_HANDLE_TEXT_BYTES];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    struct pp_handle back;

    assert_ok(pp_aead_seal(fleet.keys[0].aead, bytes + 2, pp_span(bytes, 2), PP_BYTES(plain),
                           bytes + 2 + PP_AEAD_NONCE_BYTES));
    pp_wr_base64url(&wr, PP_BYTES(bytes), 0);
    assert_ok(pp_wr_ok(&wr));
    return pp_handle_open(&fleet, pp_span(text, sizeof text), 100, &back);
}

static void what_a_key_of_the_fleet_sealed_otherwise_is_refused(void **state)
{
    (void)state;
    assert_ok(open_by_hand(1, 0));
    assert_code(open_by_hand(2, 0), PP_E_AUTH);
    assert_code(open_by_hand(1, 1), PP_E_AUTH);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(any_gateway_of_the_fleet_opens_what_one_sealed, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(every_changed_character_is_refused_alike, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_handle_expires, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_address_has_one_encoding, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_a_key_of_the_fleet_sealed_otherwise_is_refused, set_up,
                                    tear_down),
};

PP_TEST_MAIN(tests)
