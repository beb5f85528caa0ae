/* SPDX-License-Identifier: Apache-2.0 */
/* C2SP signed-note. The project's vectors (tests/vectors/tlog/notes.json) run through ppctl too. */
#include "tlog_test.h"

static struct test_text text;

static struct pp_span make(const char *body, const struct pp_note_signer *signers, size_t count)
{
    assert_ok(pp_note_write(test_begin(&text), pp_span_cstr(body), signers, count));
    return test_end(&text);
}

static void a_note_is_written_parsed_and_opened(void **state)
{
    (void)state;
    struct pp_note_signer a = test_signer("a.example", PP_NOTE_ED25519, 1);
    struct pp_note_signer b = test_signer("b.example", PP_NOTE_ED25519, 2);
    struct pp_note_signer both[] = { a, b };
    struct pp_note_key keys[] = { b.key, a.key };
    struct pp_note_signers s;
    struct pp_note n;

    assert_ok(pp_note_parse(make("one\n\ntwo\n", both, 2), &n));
    assert_true(pp_span_eq(n.text, PP_STR("one\n\ntwo\n")));
    assert_int_equal(n.line_count, 2);
    assert_ok(pp_note_open(&n, keys, 2, &s));
    assert_int_equal(s.set, 3);
    assert_ok(pp_note_open(&n, keys, 1, &s));
    assert_int_equal(s.set, 1);
    pp_note_signer_done(&a);
    pp_note_signer_done(&b);
}

/* The published example of C2SP signed-note. */
static void the_published_example_opens(void **state)
{
    (void)state;
    static const char NOTE[] = "This is an example message.\n\n\xE2\x80\x94 example.com/foo "
                               "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1E"
                               "RYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    struct pp_note_key key;
    struct pp_note_signers s;
    struct pp_note n;

    assert_ok(pp_vkey_parse(
        PP_STR("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"), &key));
    assert_ok(pp_note_parse(pp_span(NOTE, sizeof NOTE - 1), &n));
    assert_ok(pp_note_open(&n, &key, 1, &s));
}

static void every_truncation_and_every_flipped_bit_is_refused(void **state)
{
    (void)state;
    struct pp_note_signer a = test_signer("a.example", PP_NOTE_ED25519, 1);
    struct pp_span good = make("text\n", &a, 1);
    uint8_t bytes[512];
    struct pp_note_signers s;
    struct pp_note n;

    for (size_t len = 0; len < good.len; len++) {
        pp_res r = pp_note_parse(pp_span(good.at, len), &n);
        if (pp_is_ok(r))
            r = pp_note_open(&n, &a.key, 1, &s);
        assert_false(pp_is_ok(r));
    }
    for (size_t bit = 0; bit < good.len * 8; bit++) {
        memcpy(bytes, good.at, good.len);
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        pp_res r = pp_note_parse(pp_span(bytes, good.len), &n);
        if (pp_is_ok(r))
            r = pp_note_open(&n, &a.key, 1, &s);
        assert_false(pp_is_ok(r));
    }
    pp_note_signer_done(&a);
}

static void lines_of_unknown_keys_are_ignored_by_name_and_id_together(void **state)
{
    (void)state;
    struct pp_note_signer a = test_signer("a.example", PP_NOTE_ED25519, 1);
    struct pp_note_signer b = test_signer("b.example", PP_NOTE_ED25519, 2);
    struct pp_note_key same_name = b.key;
    struct pp_note_key same_id = b.key;
    struct pp_note_signers s;
    struct pp_note n;

    same_name.name = a.key.name;
    same_id.id = a.key.id;
    assert_ok(pp_note_parse(make("text\n", &a, 1), &n));
    assert_ok(pp_note_check(&n, &same_name, 1, &s));
    assert_int_equal(s.set, 0);
    assert_ok(pp_note_check(&n, &same_id, 1, &s));
    assert_int_equal(s.set, 0);
    assert_code(pp_note_open(&n, &same_id, 1, &s), PP_E_SIGNATURE);
    assert_code(pp_note_open(&n, NULL, 0, &s), PP_E_SIGNATURE);
    pp_note_signer_done(&a);
    pp_note_signer_done(&b);
}

/* Two keys that share name and id: the line has to satisfy both, so a collision refuses. */
static void a_key_id_is_an_index_and_no_security_feature(void **state)
{
    (void)state;
    struct pp_note_signer a = test_signer("a.example", PP_NOTE_ED25519, 1);
    struct pp_note_key twins[] = { a.key, a.key };
    struct pp_note_signers s;
    struct pp_note n;

    twins[1].pk[0] ^= 1;
    assert_ok(pp_note_parse(make("text\n", &a, 1), &n));
    assert_code(pp_note_check(&n, twins, 2, &s), PP_E_SIGNATURE);
    pp_note_signer_done(&a);
}

static void the_second_line_of_a_verified_key_is_not_looked_at(void **state)
{
    (void)state;
    struct pp_note_signer a = test_signer("a.example", PP_NOTE_ED25519, 1);
    struct pp_note_signers s;
    struct pp_note n;

    (void)make("text\n", &a, 1);
    assert_ok(pp_note_line_write(&text.wr, &a, PP_STR("another text\n")));
    assert_ok(pp_note_parse(test_end(&text), &n));
    assert_ok(pp_note_open(&n, &a.key, 1, &s));
    (void)test_begin(&text);
    pp_wr_text(&text.wr, "text\n\n");
    assert_ok(pp_note_line_write(&text.wr, &a, PP_STR("another text\n")));
    assert_ok(pp_note_line_write(&text.wr, &a, PP_STR("text\n")));
    assert_ok(pp_note_parse(test_end(&text), &n));
    assert_code(pp_note_open(&n, &a.key, 1, &s), PP_E_SIGNATURE);
    pp_note_signer_done(&a);
}

static void malformed_notes_are_refused_with_their_reason(void **state)
{
    (void)state;
#define LINE "\xE2\x80\x94 a.example AAAAAAAA\n"
    static const struct {
        const char *note;
        uint32_t code;
    } rows[] = {
        { "", PP_E_FORMAT },
        { "text\n", PP_E_FORMAT },
        { "text\n\n" LINE "x", PP_E_FORMAT },
        { "text\n\n" LINE "\n", PP_E_OK }, /* its text is "text\n\n— ..." and nothing is signed */
        { "text\r\n\r\n", PP_E_FORMAT },
        { "te\txt\n\n" LINE, PP_E_FORMAT },
        { "te\x1fxt\n\n" LINE, PP_E_FORMAT },
        { "te\x7fxt\n\n" LINE, PP_E_OK },
        { "te\xC0\x80xt\n\n" LINE, PP_E_UTF8 },
        { "te\xED\xA0\x80xt\n\n" LINE, PP_E_UTF8 },
        { "\n\n" LINE, PP_E_OK },
        { "text\n\n\xE2\x80\x94  a.example AAAAAAAA\n", PP_E_FORMAT },
        { "text\n\n\xE2\x80\x94 a.example  AAAAAAAA\n", PP_E_FORMAT },
        { "text\n\n\xE2\x80\x94 a.example AAAAAAAA \n", PP_E_FORMAT },
        { "text\n\n\xE2\x80\x94 a.example\n", PP_E_FORMAT },
        { "text\n\n\xE2\x80\x94  AAAAAAAA\n", PP_E_FORMAT },
        { "text\n\n\xE2\x80\x93 a.example AAAAAAAA\n", PP_E_FORMAT },
        { "text\n\n\xE2\x80\x94 a+example AAAAAAAA\n", PP_E_FORMAT },
        { "text\n\n\xE2\x80\x94 a\xC2\xA0"
          "example AAAAAAAA\n",
          PP_E_FORMAT },
        { "text\n\n\xE2\x80\x94 a\xE3\x80\x80"
          "example AAAAAAAA\n",
          PP_E_FORMAT },
        { "text\n\n\xE2\x80\x94 a.example AAAAAA==\n", PP_E_FORMAT }, /* four bytes: no signature */
        { "text\n\n\xE2\x80\x94 a.example AAAAAAA=\n", PP_E_OK },     /* five bytes */
        { "text\n\n\xE2\x80\x94 a.example AAAAAAB=\n", PP_E_FORMAT }, /* stray bits */
        { "text\n\n\xE2\x80\x94 a.example AAAAAAA\n", PP_E_FORMAT },  /* no padding */
        { "text\n\n\xE2\x80\x94 a.example AAAA-_AA\n", PP_E_FORMAT },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_note n;
        print_message("row %zu\n", i);
        assert_code(pp_note_parse(pp_span_cstr(rows[i].note), &n), rows[i].code);
    }
}

static void padding_inside_base64_is_refused_wherever_it_stands(void **state)
{
    (void)state;
    struct pp_note n;

    for (size_t at = 2; at <= 126; at += 4) {
        (void)test_begin(&text);
        pp_wr_text(&text.wr, "text\n\n\xE2\x80\x94 a.example ");
        for (size_t i = 0; i < 128; i++)
            pp_wr_u8(&text.wr, i >= at && i < at + 2 ? '=' : 'A');
        pp_wr_u8(&text.wr, '\n');
        assert_code(pp_note_parse(test_end(&text), &n), at == 126 ? PP_E_OK : PP_E_FORMAT);
    }
}

static void a_note_has_limits(void **state)
{
    (void)state;
    struct pp_note n;

    for (size_t lines = PP_NOTE_SIGNATURES_MAX; lines <= PP_NOTE_SIGNATURES_MAX + 1; lines++) {
        pp_wr_text(test_begin(&text), "text\n\n");
        for (size_t i = 0; i < lines; i++)
            pp_wr_text(&text.wr, LINE);
        assert_code(pp_note_parse(test_end(&text), &n),
                    lines > PP_NOTE_SIGNATURES_MAX ? PP_E_LIMIT : PP_E_OK);
    }
    for (size_t len = PP_NOTE_BYTES_MAX; len <= PP_NOTE_BYTES_MAX + 1; len++) {
        (void)test_begin(&text);
        while (text.wr.len < len - strlen("\n\n" LINE))
            pp_wr_u8(&text.wr, 'x');
        pp_wr_text(&text.wr, "\n\n" LINE);
        assert_code(pp_note_parse(test_end(&text), &n),
                    len > PP_NOTE_BYTES_MAX ? PP_E_LIMIT : PP_E_OK);
    }
    for (size_t len = PP_NOTE_NAME_MAX; len <= PP_NOTE_NAME_MAX + 1; len++) {
        char name[PP_NOTE_NAME_MAX + 2];
        memset(name, 'n', sizeof name);
        assert_code(pp_note_name_check(pp_span(name, len)),
                    len > PP_NOTE_NAME_MAX ? PP_E_LIMIT : PP_E_OK);
    }
}

static void vkeys_are_written_as_they_are_read(void **state)
{
    (void)state;
    static const char VKEY[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    struct pp_note_key key;

    assert_ok(pp_vkey_parse(pp_span_cstr(VKEY), &key));
    assert_int_equal(key.id, 0xc74f20a3);
    pp_vkey_write(test_begin(&text), &key);
    assert_true(pp_span_eq(test_end(&text), pp_span_cstr(VKEY)));
}

static void a_vkey_must_be_whole_and_name_its_own_id(void **state)
{
    (void)state;
    static const struct {
        const char *vkey;
        uint32_t code;
    } rows[] = {
        { "", PP_E_FORMAT },
        { "PeterNeumann", PP_E_FORMAT },
        { "PeterNeumann+c74f20a3", PP_E_FORMAT },
        { "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", PP_E_FORMAT },
        { "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", PP_E_MISMATCH },
        { "PeterNeumenn+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", PP_E_MISMATCH },
        { "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", PP_E_FORMAT },
        { "PeterNeumann+c74f20a+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", PP_E_FORMAT },
        { "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10Q=", PP_E_FORMAT },
        { "PeterNeumann+c74f20a3+", PP_E_FORMAT },
        { "Peter\xff+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", PP_E_UTF8 },
        { "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", PP_E_FORMAT },
        { "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n", PP_E_FORMAT },
        { "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", PP_E_UNSUPPORTED },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_note_key key;
        print_message("row %zu\n", i);
        assert_code(pp_vkey_parse(pp_span_cstr(rows[i].vkey), &key), rows[i].code);
    }
}

static void a_private_key_file_keeps_its_key(void **state)
{
    (void)state;
    struct pp_note_signer a = test_signer("a.example", PP_NOTE_COSIGNATURE, 9);
    struct pp_note_signer again;

    pp_note_signer_write(test_begin(&text), &a);
    pp_wr_u8(&text.wr, '\n');
    struct pp_span file = test_end(&text);
    assert_code(
        pp_note_signer_make(PP_STR("a b"), PP_NOTE_ED25519, pp_secret_span(&a.seed), &again),
        PP_E_FORMAT);
    assert_ok(pp_note_signer_parse(file, &again));
    assert_int_equal(again.key.id, a.key.id);
    assert_int_equal(again.key.type, PP_NOTE_COSIGNATURE);
    assert_memory_equal(again.seed.bytes, a.seed.bytes, 32);
    assert_code(pp_note_signer_parse(pp_span(file.at + 1, file.len - 1), &again), PP_E_FORMAT);
    assert_code(pp_note_signer_parse(pp_span(file.at, file.len - 2), &again), PP_E_FORMAT);
    text.bytes[strlen("PRIVATE+KEY+")] = 'b';
    assert_code(pp_note_signer_parse(file, &again), PP_E_MISMATCH);
    pp_note_signer_done(&again);
    pp_note_signer_done(&a);
    pp_note_signer_done(&a);
}

/* A signer elsewhere: what it answers, and how often it was asked. */
struct elsewhere {
    const struct pp_note_signer *holder; /* whose seed signs */
    pp_res says;
    int flips;
    int asked;
};

static pp_res sign_elsewhere(void *ctx, struct pp_span message, uint8_t ret[PP_ED25519_SIG_BYTES])
{
    struct elsewhere *e = ctx;

    e->asked++;
    PP_TRY(e->says);
    PP_TRY(pp_note_sign(e->holder, message, ret));
    ret[63] ^= (uint8_t)e->flips;
    return PP_OK;
}

static void what_a_signer_elsewhere_signs_leaves_only_when_it_verifies(void **state)
{
    (void)state;
    struct pp_note_signer a = test_signer("a.example", PP_NOTE_ED25519, 1);
    struct pp_note_signer b = test_signer("a.example", PP_NOTE_ED25519, 2);
    struct elsewhere e = { .holder = &a };
    struct pp_note_signer s = { .key = a.key, .sign = sign_elsewhere, .ctx = &e };
    struct pp_note_signers found;
    uint8_t signature[PP_ED25519_SIG_BYTES] = { 0 };
    static const uint8_t untouched[PP_ED25519_SIG_BYTES];
    struct pp_note n;

    assert_ok(pp_note_write(test_begin(&text), PP_STR("text\n"), &s, 1));
    assert_ok(pp_note_parse(test_end(&text), &n));
    assert_ok(pp_note_open(&n, &a.key, 1, &found));
    e.flips = 1;
    assert_code(pp_note_sign(&s, PP_STR("text\n"), signature), PP_E_SIGNER_WRONG);
    e.flips = 0;
    e.holder = &b; /* another key */
    assert_code(pp_note_sign(&s, PP_STR("text\n"), signature), PP_E_SIGNER_WRONG);
    assert_code(pp_note_line_write(test_begin(&text), &s, PP_STR("text\n")), PP_E_SIGNER_WRONG);
    assert_int_equal(text.wr.len, 0);
    e.says = PP_FAIL(PP_E_SIGNER_LATE, 0);
    assert_code(pp_note_sign(&s, PP_STR("text\n"), signature), PP_E_SIGNER_LATE);
    assert_memory_equal(signature, untouched, sizeof signature);
    assert_int_equal(e.asked, 5);
    pp_note_signer_done(&s);
    assert_null(s.sign);
    pp_note_signer_done(&a);
    pp_note_signer_done(&b);
}

static void a_cosignature_from_elsewhere_is_verified_too(void **state)
{
    (void)state;
    static const char BODY[] = "l.example\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    struct pp_note_signer w = test_signer("w.example", PP_NOTE_COSIGNATURE, 3);
    struct elsewhere e = { .holder = &w };
    struct pp_note_signer s = { .key = w.key, .sign = sign_elsewhere, .ctx = &e };

    assert_ok(pp_cosign_line_write(test_begin(&text), &s, 7, pp_span_cstr(BODY)));
    e.flips = 2;
    assert_code(pp_cosign_line_write(test_begin(&text), &s, 7, pp_span_cstr(BODY)),
                PP_E_SIGNER_WRONG);
    assert_int_equal(text.wr.len, 0);
    pp_note_signer_done(&w);
}

static void text_that_could_not_be_read_back_is_not_signed(void **state)
{
    (void)state;
    struct pp_note_signer a = test_signer("a.example", PP_NOTE_ED25519, 1);
    struct pp_note_signer w = test_signer("w.example", PP_NOTE_COSIGNATURE, 1);

    assert_code(pp_note_write(test_begin(&text), PP_STR("no line feed"), &a, 1), PP_E_FORMAT);
    assert_code(pp_note_write(test_begin(&text), PP_STR("a\tb\n"), &a, 1), PP_E_FORMAT);
    assert_code(pp_note_write(test_begin(&text), PP_STR("\xff\n"), &a, 1), PP_E_UTF8);
    assert_code(pp_note_write(test_begin(&text), PP_STR("text\n"), &w, 1), PP_E_FORMAT);
    pp_note_signer_done(&a);
    pp_note_signer_done(&w);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_note_is_written_parsed_and_opened),
    cmocka_unit_test(the_published_example_opens),
    cmocka_unit_test(every_truncation_and_every_flipped_bit_is_refused),
    cmocka_unit_test(lines_of_unknown_keys_are_ignored_by_name_and_id_together),
    cmocka_unit_test(a_key_id_is_an_index_and_no_security_feature),
    cmocka_unit_test(the_second_line_of_a_verified_key_is_not_looked_at),
    cmocka_unit_test(malformed_notes_are_refused_with_their_reason),
    cmocka_unit_test(padding_inside_base64_is_refused_wherever_it_stands),
    cmocka_unit_test(a_note_has_limits),
    cmocka_unit_test(vkeys_are_written_as_they_are_read),
    cmocka_unit_test(a_vkey_must_be_whole_and_name_its_own_id),
    cmocka_unit_test(a_private_key_file_keeps_its_key),
    cmocka_unit_test(what_a_signer_elsewhere_signs_leaves_only_when_it_verifies),
    cmocka_unit_test(a_cosignature_from_elsewhere_is_verified_too),
    cmocka_unit_test(text_that_could_not_be_read_back_is_not_signed),
};

TLOG_TEST_MAIN
