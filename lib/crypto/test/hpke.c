/* SPDX-License-Identifier: Apache-2.0 */
/* What the published vectors (tests/vectors/hpke) do not say: refusals, state, lifetimes. */
#include "harness.h"

#include <pthread.h>

#include "allocations.h"
#include "crypto.h"
#include "ct.h"
#include "hpke.h"

static const struct pp_hpke_suite SUITE = { PP_KEM_X25519_SHA256, PP_HKDF_SHA256, PP_AES_128_GCM };

static struct pp_random random_source;
static struct pp_kem_key *key;
static struct pp_hpke_info info;

static int set_up(void **state)
{
    (void)state;
    random_source = pp_random_system();
    return !pp_is_ok(pp_crypto_init()) ||
           !pp_is_ok(pp_kem_key_generate(PP_KEM_X25519_SHA256, &random_source, &key)) ||
           !pp_is_ok(pp_hpke_info_init(&info, SUITE, PP_STR("test info")));
}

static int tear_down(void **state)
{
    (void)state;
    pp_kem_key_free(key);
    return 0;
}

static void both_sides(struct pp_hpke *sender, struct pp_hpke *receiver)
{
    uint8_t enc[PP_X25519_BYTES];

    assert_ok(pp_hpke_sender(sender, &info, pp_kem_key_public(key), &random_source, enc));
    assert_ok(pp_hpke_receiver(receiver, &info, key, PP_BYTES(enc)));
}

static void messages_open_in_sequence_only(void **state)
{
    (void)state;
    PP_AUTO(pp_hpke) s = { 0 };
    PP_AUTO(pp_hpke) r = { 0 };
    uint8_t a[16 + 3], b[16 + 3], out[3];

    both_sides(&s, &r);
    assert_ok(pp_hpke_seal(&s, PP_STR("aad"), PP_STR("one"), a));
    assert_ok(pp_hpke_seal(&s, PP_STR("aad"), PP_STR("two"), b));
    assert_code(pp_hpke_open(&r, PP_STR("aad"), PP_BYTES(b), out), PP_E_AUTH);
    assert_int_equal(r.seq, 0); /* a failure does not advance */
    assert_code(pp_hpke_open(&r, PP_STR("other"), PP_BYTES(a), out), PP_E_AUTH);
    assert_ok(pp_hpke_open(&r, PP_STR("aad"), PP_BYTES(a), out));
    assert_ok(pp_hpke_open(&r, PP_STR("aad"), PP_BYTES(b), out));
    assert_memory_equal(out, "two", 3);
    assert_code(pp_hpke_open(&r, PP_STR("aad"), PP_BYTES(b), out), PP_E_AUTH);
}

static void any_changed_bit_is_refused_and_leaves_zeros(void **state)
{
    (void)state;
    PP_AUTO(pp_hpke) s = { 0 };
    PP_AUTO(pp_hpke) r = { 0 };
    uint8_t ct[16 + 8], out[8];

    both_sides(&s, &r);
    assert_ok(pp_hpke_seal(&s, PP_STR(""), PP_STR("8 bytes."), ct));
    for (size_t i = 0; i < 8 * sizeof ct; i++) {
        memset(out, 0xee, sizeof out);
        ct[i / 8] ^= (uint8_t)(1U << i % 8);
        assert_code(pp_hpke_open(&r, PP_STR(""), PP_BYTES(ct), out), PP_E_AUTH);
        assert_int_equal(pp_ct_is_zero(out, sizeof out), 1);
        ct[i / 8] ^= (uint8_t)(1U << i % 8);
    }
    for (size_t n = 0; n < sizeof ct; n++)
        assert_code(pp_hpke_open(&r, PP_STR(""), pp_span(ct, n), out), PP_E_AUTH);
    assert_ok(pp_hpke_open(&r, PP_STR(""), PP_BYTES(ct), out));
}

static void a_sender_cannot_open_and_a_receiver_cannot_seal(void **state)
{
    (void)state;
    PP_AUTO(pp_hpke) s = { 0 };
    PP_AUTO(pp_hpke) r = { 0 };
    uint8_t ct[17], out[1];

    both_sides(&s, &r);
    assert_code(pp_hpke_seal(&r, PP_STR(""), PP_STR("x"), ct), PP_E_STATE);
    assert_ok(pp_hpke_seal(&s, PP_STR(""), PP_STR("x"), ct));
    assert_code(pp_hpke_open(&s, PP_STR(""), PP_BYTES(ct), out), PP_E_STATE);
    pp_hpke_done(&s);
    assert_code(pp_hpke_seal(&s, PP_STR(""), PP_STR("x"), ct), PP_E_STATE);
    assert_code(pp_hpke_export(&s, PP_STR(""), out, 1), PP_E_STATE);
}

/* RFC 9180 5.2: MessageLimitReachedError. */
static void the_last_sequence_number_is_never_used(void **state)
{
    (void)state;
    PP_AUTO(pp_hpke) s = { 0 };
    PP_AUTO(pp_hpke) r = { 0 };
    uint8_t ct[17], out[1];

    both_sides(&s, &r);
    s.seq = r.seq = UINT64_MAX - 1;
    assert_ok(pp_hpke_seal(&s, PP_STR(""), PP_STR("x"), ct));
    assert_ok(pp_hpke_open(&r, PP_STR(""), PP_BYTES(ct), out));
    assert_code(pp_hpke_seal(&s, PP_STR(""), PP_STR("x"), ct), PP_E_RANGE);
    assert_code(pp_hpke_open(&r, PP_STR(""), PP_BYTES(ct), out), PP_E_RANGE);
}

/* RFC 9180 7.1.4 MUST: check for the all-zero value. Both sides, with every low-order point. */
static void low_order_points_are_refused_on_both_sides(void **state)
{
    (void)state;
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(points); i++) {
        PP_AUTO(pp_hpke) c = { 0 };
        uint8_t point[32], enc[32];
        pp_test_hex(points[i], point, sizeof point);
        assert_code(pp_hpke_sender(&c, &info, PP_BYTES(point), &random_source, enc), PP_E_KEY);
        assert_code(pp_hpke_receiver(&c, &info, key, PP_BYTES(point)), PP_E_AUTH);
        assert_null(c.exporter_secret.bytes);
    }
}

static void wrong_lengths_and_unknown_algorithms_are_refused(void **state)
{
    (void)state;
    PP_AUTO(pp_hpke) c = { 0 };
    uint8_t enc[33] = { 9 };
    struct pp_hpke_info i;
    struct pp_kem_key *k = NULL;

    assert_code(pp_hpke_receiver(&c, &info, key, pp_span(enc, 31)), PP_E_AUTH);
    assert_code(pp_hpke_receiver(&c, &info, key, pp_span(enc, 33)), PP_E_AUTH);
    assert_code(pp_hpke_sender(&c, &info, pp_span(enc, 31), &random_source, enc), PP_E_KEY);
    assert_code(pp_hpke_info_init(&i, (struct pp_hpke_suite){ 0x0013, 1, 1 }, PP_STR("")),
                PP_E_UNSUPPORTED);
    assert_code(pp_hpke_info_init(&i, (struct pp_hpke_suite){ 0x0020, 0, 1 }, PP_STR("")),
                PP_E_UNSUPPORTED);
    assert_code(pp_hpke_info_init(&i, (struct pp_hpke_suite){ 0x0020, 4, 1 }, PP_STR("")),
                PP_E_UNSUPPORTED);
    assert_code(pp_hpke_info_init(&i, (struct pp_hpke_suite){ 0x0020, 0x14, 1 }, PP_STR("")),
                PP_E_UNSUPPORTED);
    assert_code(pp_hpke_info_init(&i, (struct pp_hpke_suite){ 0x0020, 1, 4 }, PP_STR("")),
                PP_E_UNSUPPORTED);
    static uint8_t large[PP_HPKE_INPUT_BYTES_MAX + 1];
    assert_ok(pp_hpke_info_init(&i, SUITE, pp_span(large, sizeof large - 1)));
    assert_code(pp_hpke_info_init(&i, SUITE, PP_BYTES(large)), PP_E_RANGE);
    assert_code(pp_kem_key_import(0x0020, pp_span(enc, 31), &k), PP_E_KEY);
    assert_code(pp_kem_key_derive(0x0020, pp_span(enc, 31), &k), PP_E_RANGE);
    assert_code(pp_kem_key_import(0x9999, pp_span(enc, 32), &k), PP_E_UNSUPPORTED);
    assert_null(k);
}

/* --- modes ------------------------------------------------------------------------------------ */

static uint8_t psk[PP_HPKE_PSK_BYTES_MIN] = { 1, 2, 3 };

static int mode_psk(int mode)
{
    return mode == PP_HPKE_PSK || mode == PP_HPKE_AUTH_PSK;
}

static int mode_auth(int mode)
{
    return mode == PP_HPKE_AUTH || mode == PP_HPKE_AUTH_PSK;
}

static void the_name_of_a_key_stands_in_the_psk_modes_alone(void **state)
{
    (void)state;
    static uint8_t large[PP_HPKE_INPUT_BYTES_MAX + 1];
    struct pp_hpke_info i;

    for (int m = PP_HPKE_BASE; m <= PP_HPKE_AUTH_PSK; m++) {
        enum pp_hpke_mode mode = (enum pp_hpke_mode)m;
        struct pp_span largest = pp_span(large, mode_psk(m) ? PP_HPKE_INPUT_BYTES_MAX : 0);
        struct pp_span wrong = mode_psk(m) ? PP_STR("") : PP_STR("id");
        assert_ok(pp_hpke_info_init_mode(&i, SUITE, mode, largest, PP_STR("")));
        assert_code(pp_hpke_info_init_mode(&i, SUITE, mode, wrong, PP_STR("")), PP_E_RANGE);
        assert_code(pp_hpke_info_init_mode(&i, SUITE, mode, PP_BYTES(large), PP_STR("")),
                    PP_E_RANGE);
    }
    assert_code(pp_hpke_info_init_mode(&i, SUITE, (enum pp_hpke_mode)4, PP_STR(""), PP_STR("")),
                PP_E_UNSUPPORTED);
}

/* VerifyPSKInputs (RFC 9180 5.1), and the same for the sender's key: on both sides. */
static void a_set_up_with_more_or_less_than_its_mode_has_is_refused(void **state)
{
    (void)state;
    static uint8_t large[PP_HPKE_INPUT_BYTES_MAX + 1];
    struct pp_span pk = pp_kem_key_public(key);
    uint8_t enc[PP_X25519_BYTES];

    for (int m = PP_HPKE_BASE; m <= PP_HPKE_AUTH_PSK; m++) {
        PP_AUTO(pp_hpke) c = { 0 };
        struct pp_hpke_info i;
        struct pp_span none = PP_STR(""), right = mode_psk(m) ? PP_BYTES(psk) : none;
        struct pp_span wrong = mode_psk(m) ? none : PP_BYTES(psk);
        struct pp_span short_ = pp_span(psk, sizeof psk - 1);
        struct pp_kem_key *sender = mode_auth(m) ? key : NULL, *odd = mode_auth(m) ? NULL : key;
        struct pp_span sender_pk = mode_auth(m) ? pk : none, odd_pk = mode_auth(m) ? none : pk;

        assert_ok(pp_hpke_info_init_mode(&i, SUITE, (enum pp_hpke_mode)m,
                                         mode_psk(m) ? PP_STR("id") : none, none));
        const struct pp_random *rnd = &random_source;
        assert_code(pp_hpke_sender_mode(&c, &i, wrong, sender, pk, rnd, enc), PP_E_RANGE);
        assert_code(pp_hpke_sender_mode(&c, &i, short_, sender, pk, rnd, enc), PP_E_RANGE);
        assert_code(pp_hpke_sender_mode(&c, &i, PP_BYTES(large), sender, pk, rnd, enc), PP_E_RANGE);
        assert_code(pp_hpke_sender_mode(&c, &i, right, odd, pk, rnd, enc), PP_E_STATE);
        assert_null(c.exporter_secret.bytes);
        assert_ok(pp_hpke_sender_mode(&c, &i, right, sender, pk, rnd, enc));
        pp_hpke_done(&c);
        struct pp_span in = PP_BYTES(enc);
        assert_code(pp_hpke_receiver_mode(&c, &i, wrong, sender_pk, key, in), PP_E_RANGE);
        assert_code(pp_hpke_receiver_mode(&c, &i, short_, sender_pk, key, in), PP_E_RANGE);
        assert_code(pp_hpke_receiver_mode(&c, &i, right, odd_pk, key, in), PP_E_STATE);
        assert_null(c.exporter_secret.bytes);
        assert_ok(pp_hpke_receiver_mode(&c, &i, right, sender_pk, key, in));
        if (m != PP_HPKE_BASE) /* the short forms are for mode base */
            assert_false(pp_is_ok(pp_hpke_receiver(&c, &i, key, in)));
    }
}

/* The longest shared key is taken. */
static void a_shared_key_may_have_65535_bytes(void **state)
{
    (void)state;
    static uint8_t large[PP_HPKE_INPUT_BYTES_MAX];
    PP_AUTO(pp_hpke) c = { 0 };
    struct pp_hpke_info i;
    uint8_t enc[PP_X25519_BYTES];

    assert_ok(pp_hpke_info_init_mode(&i, SUITE, PP_HPKE_PSK, PP_STR("id"), PP_STR("")));
    assert_ok(pp_hpke_sender_mode(&c, &i, PP_BYTES(large), NULL, pp_kem_key_public(key),
                                  &random_source, enc));
}

static void a_message_opens_only_under_its_mode_psk_name_and_sender(void **state)
{
    (void)state;
    uint8_t enc[PP_X25519_BYTES], ct[16 + 4], out[4], other_psk[PP_HPKE_PSK_BYTES_MIN] = { 9 };
    struct pp_kem_key *sender = NULL;
    struct pp_hpke_info infos[3];

    assert_ok(pp_kem_key_generate(PP_KEM_X25519_SHA256, &random_source, &sender));
    struct pp_span pk = pp_kem_key_public(key), sender_pk = pp_kem_key_public(sender);
    struct pp_span none = PP_STR("");
    assert_ok(pp_hpke_info_init_mode(&infos[0], SUITE, PP_HPKE_AUTH_PSK, PP_STR("id"), none));
    assert_ok(pp_hpke_info_init_mode(&infos[1], SUITE, PP_HPKE_AUTH_PSK, PP_STR("ie"), none));
    assert_ok(pp_hpke_info_init_mode(&infos[2], SUITE, PP_HPKE_PSK, PP_STR("id"), none));
    const struct {
        const struct pp_hpke_info *info;
        struct pp_span psk, sender_pk;
        uint32_t code;
    } cases[] = {
        { &infos[0], PP_BYTES(psk), sender_pk, PP_E_OK },
        { &infos[1], PP_BYTES(psk), sender_pk, PP_E_AUTH },
        { &infos[0], PP_BYTES(other_psk), sender_pk, PP_E_AUTH },
        { &infos[0], PP_BYTES(psk), pk, PP_E_AUTH },
        { &infos[2], PP_BYTES(psk), none, PP_E_AUTH },
        { &info, none, none, PP_E_AUTH },
    };
    PP_AUTO(pp_hpke) s = { 0 };
    assert_ok(pp_hpke_sender_mode(&s, &infos[0], PP_BYTES(psk), sender, pk, &random_source, enc));
    assert_ok(pp_hpke_seal(&s, none, PP_STR("text"), ct));
    for (size_t i = 0; i < PP_ARRAY_COUNT(cases); i++) {
        PP_AUTO(pp_hpke) r = { 0 };
        assert_ok(pp_hpke_receiver_mode(&r, cases[i].info, cases[i].psk, cases[i].sender_pk, key,
                                        PP_BYTES(enc)));
        assert_code(pp_hpke_open(&r, none, PP_BYTES(ct), out), cases[i].code);
    }
    pp_kem_key_free(sender);
}

static void a_senders_key_of_another_kem_is_refused(void **state)
{
    (void)state;
    PP_AUTO(pp_hpke) c = { 0 };
    struct pp_hpke_info i;
    struct pp_kem_key *sender = NULL;
    uint8_t enc[PP_KEM_ENC_BYTES_MAX];

    assert_ok(pp_kem_key_generate(PP_KEM_P256_SHA256, &random_source, &sender));
    assert_ok(pp_hpke_info_init_mode(&i, SUITE, PP_HPKE_AUTH, PP_STR(""), PP_STR("")));
    assert_code(pp_hpke_sender_mode(&c, &i, PP_STR(""), sender, pp_kem_key_public(key),
                                    &random_source, enc),
                PP_E_STATE);
    assert_code(pp_hpke_receiver_mode(&c, &i, PP_STR(""), pp_kem_key_public(sender), key,
                                      pp_kem_key_public(key)),
                PP_E_AUTH); /* its public key is longer */
    assert_code(pp_hpke_receiver_mode(&c, &i, PP_STR(""), pp_kem_key_public(key), sender,
                                      pp_kem_key_public(key)),
                PP_E_STATE);
    pp_kem_key_free(sender);
}

/* RFC 9180 5.3: L is at most 255 * Nh; Seal and Open do not exist for the export-only AEAD. */
static void an_export_only_context_exports_up_to_its_limit_and_nothing_else(void **state)
{
    (void)state;
    static const struct pp_hpke_suite suite = { PP_KEM_X25519_SHA256, PP_HKDF_SHA256,
                                                PP_HPKE_EXPORT_ONLY };
    static uint8_t long_s[255 * 32 + 1], long_r[255 * 32 + 1], large[PP_HPKE_INPUT_BYTES_MAX + 1];
    PP_AUTO(pp_hpke) s = { 0 };
    PP_AUTO(pp_hpke) r = { 0 };
    struct pp_hpke_info i;
    uint8_t enc[PP_X25519_BYTES], ct[17];

    assert_ok(pp_hpke_info_init(&i, suite, PP_STR("")));
    assert_ok(pp_hpke_sender(&s, &i, pp_kem_key_public(key), &random_source, enc));
    assert_ok(pp_hpke_receiver(&r, &i, key, PP_BYTES(enc)));
    assert_code(pp_hpke_seal(&s, PP_STR(""), PP_STR("x"), ct), PP_E_STATE);
    assert_code(pp_hpke_open(&r, PP_STR(""), PP_BYTES(ct), ct), PP_E_STATE);
    assert_ok(pp_hpke_export(&s, PP_STR("c"), long_s, 255 * 32));
    assert_ok(pp_hpke_export(&r, PP_STR("c"), long_r, 255 * 32));
    assert_memory_equal(long_s, long_r, 255 * 32);
    assert_code(pp_hpke_export(&s, PP_STR("c"), long_s, 255 * 32 + 1), PP_E_RANGE);
    assert_ok(pp_hpke_export(&s, pp_span(large, sizeof large - 1), long_s, 1));
    assert_code(pp_hpke_export(&s, PP_BYTES(large), long_s, 1), PP_E_RANGE);
}

/* --- one-stage KDFs --------------------------------------------------------------------------- */

static const uint16_t ONE_STAGE[] = { PP_HPKE_SHAKE128, PP_HPKE_SHAKE256, PP_HPKE_TURBOSHAKE128,
                                      PP_HPKE_TURBOSHAKE256 };

/* A message of a mode, opened in it and in mode base. */
static void one_stage_message(uint16_t kdf, int m)
{
    struct pp_hpke_suite suite = { PP_KEM_X25519_SHA256, kdf, PP_AES_256_GCM };
    PP_AUTO(pp_hpke) s = { 0 };
    PP_AUTO(pp_hpke) r = { 0 };
    PP_AUTO(pp_hpke) other = { 0 };
    struct pp_span none = PP_STR(""), pk = pp_kem_key_public(key);
    struct pp_span id = mode_psk(m) ? PP_STR("id") : none, own = mode_psk(m) ? PP_BYTES(psk) : none;
    uint8_t enc[PP_X25519_BYTES], ct[16 + 4], out[4], there[40], here[40];
    struct pp_hpke_info i, base;

    assert_ok(pp_hpke_info_init_mode(&i, suite, (enum pp_hpke_mode)m, id, PP_STR("i")));
    assert_ok(pp_hpke_info_init(&base, suite, PP_STR("i")));
    assert_ok(pp_hpke_sender_mode(&s, &i, own, mode_auth(m) ? key : NULL, pk, &random_source, enc));
    assert_ok(pp_hpke_receiver_mode(&r, &i, own, mode_auth(m) ? pk : none, key, PP_BYTES(enc)));
    assert_ok(pp_hpke_seal(&s, none, PP_STR("text"), ct));
    assert_ok(pp_hpke_open(&r, none, PP_BYTES(ct), out));
    assert_memory_equal(out, "text", 4);
    assert_ok(pp_hpke_export(&s, PP_STR("c"), there, sizeof there));
    assert_ok(pp_hpke_export(&r, PP_STR("c"), here, sizeof here));
    assert_memory_equal(there, here, sizeof there);
    assert_ok(pp_hpke_receiver(&other, &base, key, PP_BYTES(enc)));
    assert_code(pp_hpke_open(&other, none, PP_BYTES(ct), out),
                m == PP_HPKE_BASE ? PP_E_OK : PP_E_AUTH);
}

static void every_mode_opens_with_every_one_stage_kdf(void **state)
{
    (void)state;
    for (size_t n = 0; n < PP_ARRAY_COUNT(ONE_STAGE); n++)
        for (int m = PP_HPKE_BASE; m <= PP_HPKE_AUTH_PSK; m++)
            one_stage_message(ONE_STAGE[n], m);
}

static void one_stage_inputs_and_exports_have_limits(void **state)
{
    (void)state;
    static uint8_t large[PP_HPKE_ONE_STAGE_INPUT_BYTES_MAX + 1], out[UINT16_MAX + 1];
    struct pp_hpke_suite suite = { PP_KEM_X25519_SHA256, PP_HPKE_SHAKE128, PP_HPKE_EXPORT_ONLY };
    struct pp_span most = pp_span(large, sizeof large - 1), none = PP_STR("");
    PP_AUTO(pp_hpke) s = { 0 };
    uint8_t enc[PP_X25519_BYTES];
    struct pp_hpke_info i;

    assert_code(pp_hpke_info_init_mode(&i, suite, PP_HPKE_PSK, PP_BYTES(large), none), PP_E_RANGE);
    assert_code(pp_hpke_info_init(&i, suite, PP_BYTES(large)), PP_E_RANGE);
    assert_ok(pp_hpke_info_init_mode(&i, suite, PP_HPKE_PSK, most, most));
    assert_ok(pp_hpke_sender_mode(&s, &i, PP_BYTES(psk), NULL, pp_kem_key_public(key),
                                  &random_source, enc));
    assert_null(s.key_secret.bytes);
    assert_ok(pp_hpke_export(&s, none, out, UINT16_MAX));
    assert_code(pp_hpke_export(&s, none, out, UINT16_MAX + 1), PP_E_RANGE);
}

static void a_failing_random_source_yields_no_context(void **state)
{
    (void)state;
    struct pp_span nothing = PP_STR("too short");
    struct pp_random broken = pp_random_script(&nothing);
    PP_AUTO(pp_hpke) c = { 0 };
    uint8_t enc[32] = { 0 };

    assert_code(pp_hpke_sender(&c, &info, pp_kem_key_public(key), &broken, enc), PP_E_RANDOM);
    assert_int_equal(pp_ct_is_zero(enc, sizeof enc), 1);
    assert_null(c.key_secret.bytes);
}

/* What a gateway does for each request; its key is imported and its thread has met the AEAD. */
static void receiving_a_message_allocates_nothing(void **state)
{
    (void)state;
    static const uint16_t ids[] = { PP_AES_128_GCM, PP_AES_256_GCM, PP_CHACHA20_POLY1305 };

    if (!ALLOCATIONS_COUNTED)
        skip();
    for (size_t i = 0; i < PP_ARRAY_COUNT(ids); i++) {
        struct pp_hpke_suite suite = { PP_KEM_X25519_SHA256, PP_HKDF_SHA256, ids[i] };
        uint8_t enc[PP_X25519_BYTES], ct[4 + 16], out[32];
        struct pp_hpke_info one;
        unsigned long before = 0;

        assert_ok(pp_hpke_info_init(&one, suite, PP_STR("info")));
        for (int round = 0; round < 2; round++) {
            PP_AUTO(pp_hpke) s = { 0 };
            PP_AUTO(pp_hpke) r = { 0 };
            assert_ok(pp_hpke_sender(&s, &one, pp_kem_key_public(key), &random_source, enc));
            assert_ok(pp_hpke_seal(&s, PP_STR(""), PP_STR("text"), ct));
            before = allocation_count;
            assert_ok(pp_hpke_receiver(&r, &one, key, PP_BYTES(enc)));
            assert_ok(pp_hpke_open(&r, PP_STR(""), PP_BYTES(ct), out));
            assert_ok(pp_hpke_export(&r, PP_STR("answer"), out, sizeof out));
        }
        assert_int_equal(allocation_count, before);
    }
}

/* Threads keep a context for the keys of one message: each has its own, and gives it back. */
static void *seal_in_a_thread(void *arg)
{
    uint8_t k[32] = { *(uint8_t *)arg }, nonce[12] = { 0 }, ct[4 + 16], out[4];
    uintptr_t ok = 1;

    for (int i = 0; i < 1000; i++) {
        k[1] = (uint8_t)i;
        ok &= pp_is_ok(pp_aead_seal_once(PP_AES_256_GCM, PP_BYTES(k), nonce, PP_STR(""),
                                         PP_STR("text"), ct)) &&
              pp_is_ok(pp_aead_open_once(PP_AES_256_GCM, PP_BYTES(k), nonce, PP_STR(""),
                                         PP_BYTES(ct), out)) &&
              memcmp(out, "text", 4) == 0;
    }
    return (void *)ok;
}

static void threads_do_not_meet_in_one_context(void **state)
{
    (void)state;
    pthread_t threads[2];
    uint8_t keys[2] = { 1, 2 };

    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, seal_in_a_thread, &keys[i]), 0);
    for (size_t i = 0; i < 2; i++) {
        void *ok = NULL;
        assert_int_equal(pthread_join(threads[i], &ok), 0);
        assert_non_null(ok);
    }
}

static void aead_limits_and_in_place_operation(void **state)
{
    (void)state;
    static const uint16_t ids[] = { PP_AES_128_GCM, PP_AES_256_GCM, PP_CHACHA20_POLY1305 };
    uint8_t k[32] = { 1 }, nonce[12] = { 2 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(ids); i++) {
        struct pp_aead *a = NULL;
        uint8_t buf[5 + 16] = "hello";
        assert_code(pp_aead_new(ids[i], pp_span(k, 15), &a), PP_E_RANGE);
        assert_ok(pp_aead_new(ids[i], pp_span(k, pp_aead_key_len(ids[i])), &a));
        assert_ok(pp_aead_seal(a, nonce, PP_STR("a"), pp_span(buf, 5), buf));
        assert_memory_not_equal(buf, "hello", 5);
        assert_code(pp_aead_open(a, nonce, PP_STR("a"), pp_span(buf, 15), buf), PP_E_AUTH);
        assert_ok(pp_aead_open(a, nonce, PP_STR("a"), PP_BYTES(buf), buf));
        assert_memory_equal(buf, "hello", 5);
        pp_aead_free(a);
    }
    struct pp_aead *a = NULL;
    assert_code(pp_aead_new(9, pp_span(k, 32), &a), PP_E_UNSUPPORTED);
    pp_aead_free(NULL);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(messages_open_in_sequence_only),
    cmocka_unit_test(any_changed_bit_is_refused_and_leaves_zeros),
    cmocka_unit_test(a_sender_cannot_open_and_a_receiver_cannot_seal),
    cmocka_unit_test(the_last_sequence_number_is_never_used),
    cmocka_unit_test(low_order_points_are_refused_on_both_sides),
    cmocka_unit_test(wrong_lengths_and_unknown_algorithms_are_refused),
    cmocka_unit_test(the_name_of_a_key_stands_in_the_psk_modes_alone),
    cmocka_unit_test(a_set_up_with_more_or_less_than_its_mode_has_is_refused),
    cmocka_unit_test(a_shared_key_may_have_65535_bytes),
    cmocka_unit_test(a_message_opens_only_under_its_mode_psk_name_and_sender),
    cmocka_unit_test(a_senders_key_of_another_kem_is_refused),
    cmocka_unit_test(an_export_only_context_exports_up_to_its_limit_and_nothing_else),
    cmocka_unit_test(every_mode_opens_with_every_one_stage_kdf),
    cmocka_unit_test(one_stage_inputs_and_exports_have_limits),
    cmocka_unit_test(a_failing_random_source_yields_no_context),
    cmocka_unit_test(receiving_a_message_allocates_nothing),
    cmocka_unit_test(threads_do_not_meet_in_one_context),
    cmocka_unit_test(aead_limits_and_in_place_operation),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, set_up, tear_down);
}
