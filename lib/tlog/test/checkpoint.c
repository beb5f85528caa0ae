/* SPDX-License-Identifier: Apache-2.0 */
/* C2SP tlog-checkpoint and tlog-cosignature. */
#include "tlog_test.h"

#define ROOT "lzUT62JjCfH0flDakvYCHZ3U3/aY5NlCJykceIMC0XM="

static struct test_text text;

static struct pp_span signed_by(const char *body, const struct pp_note_signer *s)
{
    assert_ok(pp_note_write(test_begin(&text), pp_span_cstr(body), s, 1));
    return test_end(&text);
}

static void a_checkpoint_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct pp_merkle_hash root;
    struct pp_checkpoint c;

    memset(root.bytes, 0x5a, sizeof root.bytes);
    pp_checkpoint_write(test_begin(&text), PP_STR(ORIGIN), PP_MERKLE_SIZE_MAX, &root);
    assert_ok(pp_checkpoint_parse(test_end(&text), &c));
    assert_true(pp_span_eq(c.origin, PP_STR(ORIGIN)));
    assert_int_equal(c.size, PP_MERKLE_SIZE_MAX);
    assert_true(pp_merkle_same(&c.root, &root));
    assert_int_equal(c.extensions.len, 0);
}

static void other_texts_are_no_checkpoints(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t code;
    } rows[] = {
        { "o\n5\n" ROOT "\n", PP_E_OK },
        { "o\n5\n" ROOT "\nan extension\nanother\n", PP_E_OK },
        { "o\n5\n" ROOT "\nan extension\n\nanother\n", PP_E_FORMAT },
        { "o\n5\n" ROOT, PP_E_TRUNCATED },
        { "o\n5\n", PP_E_TRUNCATED },
        { "o\n", PP_E_TRUNCATED },
        { "\n5\n" ROOT "\n", PP_E_FORMAT },
        { "o\n05\n" ROOT "\n", PP_E_FORMAT },
        { "o\n\n" ROOT "\n", PP_E_FORMAT },
        { "o\n-5\n" ROOT "\n", PP_E_FORMAT },
        { "o\n5 \n" ROOT "\n", PP_E_FORMAT },
        { "o\n9223372036854775808\n" ROOT "\n", PP_E_RANGE },
        { "o\n99999999999999999999\n" ROOT "\n", PP_E_RANGE },
        { "o\n5\n" ROOT "=\n", PP_E_FORMAT },
        { "o\n5\n \n", PP_E_FORMAT },
        { "o\n0\n" ROOT "\n", PP_E_MISMATCH },
        { "o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", PP_E_OK },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_checkpoint c;
        print_message("row %zu\n", i);
        assert_code(pp_checkpoint_parse(pp_span_cstr(rows[i].text), &c), rows[i].code);
    }
}

/* W20.T4: a checkpoint of another log, signed by a key that we know. */
static void w20_t4_the_origin_is_compared_and_not_only_the_signature(void **state)
{
    (void)state;
    struct pp_note_signer log = test_signer(ORIGIN, PP_NOTE_ED25519, 1);
    struct pp_note_signer other = test_signer(ORIGIN, PP_NOTE_ED25519, 2);
    struct pp_checkpoint c;
    struct pp_note n;

    struct pp_span note = signed_by(ORIGIN "\n5\n" ROOT "\n", &log);
    assert_ok(pp_checkpoint_open(note, PP_STR(ORIGIN), &log.key, 1, &n, &c));
    assert_int_equal(c.size, 5);
    assert_code(pp_checkpoint_open(note, PP_STR("ledger.example/tes"), &log.key, 1, &n, &c),
                PP_E_LEDGER_ORIGIN);
    assert_code(pp_checkpoint_open(note, PP_STR(ORIGIN "/"), &log.key, 1, &n, &c),
                PP_E_LEDGER_ORIGIN);
    assert_code(pp_checkpoint_open(note, PP_STR("LEDGER.example/test"), &log.key, 1, &n, &c),
                PP_E_LEDGER_ORIGIN);
    assert_code(pp_checkpoint_open(note, PP_STR(ORIGIN), &other.key, 1, &n, &c),
                PP_E_LEDGER_SIGNATURE);
    note = signed_by(ORIGIN "\n05\n" ROOT "\n", &log); /* signed, and of no tree */
    assert_code(pp_checkpoint_open(note, PP_STR(ORIGIN), &log.key, 1, &n, &c), PP_E_FORMAT);
    note = signed_by("other.example\n5\n" ROOT "\n", &log);
    assert_code(pp_checkpoint_open(note, PP_STR(ORIGIN), &log.key, 1, &n, &c), PP_E_LEDGER_ORIGIN);
    pp_note_signer_done(&log);
    pp_note_signer_done(&other);
}

/* --- cosignatures -------------------------------------------------------------------------- */

static struct pp_span cosigned(const struct pp_note_signer *w, uint64_t time, const char *body)
{
    pp_wr_text(test_begin(&text), body);
    pp_wr_u8(&text.wr, '\n');
    assert_ok(pp_cosign_line_write(&text.wr, w, time, pp_span_cstr(body)));
    return test_end(&text);
}

static void a_cosignature_carries_its_time(void **state)
{
    (void)state;
    struct pp_note_signer w = test_signer("w.example", PP_NOTE_COSIGNATURE, 7);
    struct pp_note_signers s;
    struct pp_note n;

    assert_ok(pp_note_parse(cosigned(&w, PP_COSIGN_TIME_MAX, ORIGIN "\n5\n" ROOT "\n"), &n));
    assert_ok(pp_note_open(&n, &w.key, 1, &s));
    assert_int_equal(s.times[0], PP_COSIGN_TIME_MAX);
    assert_int_equal(pp_note_signers_dated(&s, 0, PP_COSIGN_TIME_MAX), 1);
    assert_int_equal(pp_note_signers_dated(&s, 0, PP_COSIGN_TIME_MAX - 1), 0);
    pp_note_signer_done(&w);
}

static void a_cosignature_is_over_time_and_text(void **state)
{
    (void)state;
    struct pp_note_signer w = test_signer("w.example", PP_NOTE_COSIGNATURE, 7);
    struct pp_span note = cosigned(&w, 1767225600, ORIGIN "\n5\n" ROOT "\n");
    struct pp_note_signers s;
    struct pp_note n;
    uint8_t body[72];
    uint64_t time;

    assert_ok(pp_note_parse(note, &n));
    size_t len;
    uint8_t decoded[80];
    assert_ok(pp_base64_parse(n.lines[0].base64, decoded, sizeof decoded, &len));
    assert_int_equal(len, 76);
    memcpy(body, decoded + 4, sizeof body);
    assert_ok(pp_cosign_verify(&w.key, PP_BYTES(body), n.text, &time));
    for (size_t bit = 0; bit < 72 * 8; bit++) {
        body[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_code(pp_cosign_verify(&w.key, PP_BYTES(body), n.text, &time), PP_E_SIGNATURE);
        body[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t n_len = 0; n_len < sizeof body; n_len++)
        assert_code(pp_cosign_verify(&w.key, pp_span(body, n_len), n.text, &time), PP_E_SIGNATURE);
    text.bytes[strlen(ORIGIN) + 1] = '6';
    assert_ok(pp_note_parse(note, &n));
    assert_code(pp_note_check(&n, &w.key, 1, &s), PP_E_SIGNATURE);
    pp_note_signer_done(&w);
}

/* The same key, used as a log key, signs other bytes: the header keeps the two apart. */
static void a_plain_signature_is_no_cosignature(void **state)
{
    (void)state;
    struct pp_note_signer plain = test_signer("w.example", PP_NOTE_ED25519, 7);
    struct pp_note_signer w = test_signer("w.example", PP_NOTE_COSIGNATURE, 7);
    struct pp_note_signers s;
    struct pp_note n;

    assert_ok(pp_note_parse(signed_by(ORIGIN "\n5\n" ROOT "\n", &plain), &n));
    assert_ok(pp_note_check(&n, &w.key, 1, &s));
    assert_int_equal(s.set, 0);
    struct pp_note_key disguised = w.key;
    disguised.id = plain.key.id;
    assert_code(pp_note_check(&n, &disguised, 1, &s), PP_E_SIGNATURE);
    pp_note_signer_done(&plain);
    pp_note_signer_done(&w);
}

static void cosigning_has_limits(void **state)
{
    (void)state;
    struct pp_note_signer w = test_signer("w.example", PP_NOTE_COSIGNATURE, 7);
    struct pp_note_signer plain = test_signer("w.example", PP_NOTE_ED25519, 7);
    static char large[PP_COSIGN_TEXT_MAX + 1];
    struct pp_wr *wr = test_begin(&text);

    memset(large, 'x', sizeof large);
    assert_code(pp_cosign_line_write(wr, &w, 0, PP_STR("t\n")), PP_E_RANGE);
    assert_code(pp_cosign_line_write(wr, &w, PP_COSIGN_TIME_MAX + 1, PP_STR("t\n")), PP_E_RANGE);
    assert_code(pp_cosign_line_write(wr, &plain, 1, PP_STR("t\n")), PP_E_FORMAT);
    assert_code(pp_cosign_line_write(wr, &w, 1, pp_span(large, sizeof large)), PP_E_LIMIT);
    assert_ok(pp_cosign_line_write(wr, &w, 1, pp_span(large, PP_COSIGN_TEXT_MAX)));
    pp_note_signer_done(&w);
    pp_note_signer_done(&plain);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_checkpoint_is_read_as_it_was_written),
    cmocka_unit_test(other_texts_are_no_checkpoints),
    cmocka_unit_test(w20_t4_the_origin_is_compared_and_not_only_the_signature),
    cmocka_unit_test(a_cosignature_carries_its_time),
    cmocka_unit_test(a_cosignature_is_over_time_and_text),
    cmocka_unit_test(a_plain_signature_is_no_cosignature),
    cmocka_unit_test(cosigning_has_limits),
};

TLOG_TEST_MAIN
