/* SPDX-License-Identifier: Apache-2.0 */
/* C2SP tlog-witness. The ordered exchanges of tests/vectors/tlog/add-checkpoint.json run in
 * ppctl. */
#include "tlog_test.h"

#include "witness.h"

#define ROOT "lzUT62JjCfH0flDakvYCHZ3U3/aY5NlCJykceIMC0XM="

enum { ENTRIES = 12 };

static struct test_text text;
static struct test_text note_text;
static struct pp_note_signer log_signer;
static struct pp_note_signer stranger;
static struct pp_note_signer witness;
static struct pp_merkle_hash leaves[ENTRIES];
static struct pp_merkle_hash roots[ENTRIES + 1];
static struct pp_witness_log known;

static int make_log(void **state)
{
    struct pp_merkle_range r = { 0 };

    if (test_init(state) != 0)
        return -1;
    log_signer = test_signer(ORIGIN, PP_NOTE_ED25519, 1);
    stranger = test_signer(ORIGIN, PP_NOTE_ED25519, 2);
    witness = test_signer("witness.example", PP_NOTE_COSIGNATURE, 3);
    known.origin = PP_STR(ORIGIN);
    known.keys[0] = log_signer.key;
    known.key_count = 1;
    for (uint8_t i = 0; i < ENTRIES; i++) {
        pp_merkle_range_root(&r, &roots[i]);
        pp_merkle_leaf(pp_span(&i, 1), &leaves[i]);
        assert_ok(pp_merkle_append(&r, &leaves[i], NULL));
    }
    pp_merkle_range_root(&r, &roots[ENTRIES]);
    return 0;
}

static int drop_log(void **state)
{
    (void)state;
    pp_note_signer_done(&log_signer);
    pp_note_signer_done(&stranger);
    pp_note_signer_done(&witness);
    return 0;
}

static pp_res read_node(void *ctx, unsigned level, uint64_t index, struct pp_merkle_hash *ret)
{
    struct pp_merkle_range r = { 0 };

    (void)ctx;
    for (size_t i = 0; i < (size_t)1 << level; i++)
        PP_TRY(pp_merkle_append(&r, &leaves[((size_t)index << level) + i], NULL));
    pp_merkle_range_root(&r, ret);
    return PP_OK;
}

static struct pp_span note_of(uint64_t size, const struct pp_merkle_hash *root,
                              const struct pp_note_signer *signer)
{
    static char body[256];
    struct pp_wr b = pp_wr_over(body, sizeof body);

    pp_checkpoint_write(&b, PP_STR(ORIGIN), size, root);
    assert_ok(
        pp_note_write(test_begin(&note_text), pp_wr_done(&b), signer, signer == NULL ? 0 : 1));
    return test_end(&note_text);
}

static struct pp_merkle_path proof_of(uint64_t old_size, uint64_t size)
{
    struct pp_merkle_nodes nodes = { .read = read_node };
    struct pp_merkle_path path = { 0 };

    if (old_size > 0 && old_size <= size)
        assert_ok(pp_merkle_consistency(old_size, size, &nodes, &path));
    return path;
}

static struct pp_span request(uint64_t old_size, const struct pp_merkle_path *path,
                              struct pp_span note)
{
    pp_witness_request_write(test_begin(&text), old_size, path, note);
    return test_end(&text);
}

/* What a witness with `state` answers to growth from old_size to size. */
static enum pp_witness_status ask(struct pp_witness_state *state, uint64_t old_size, uint64_t size,
                                  const struct pp_note_signer *signer)
{
    struct pp_merkle_path path = proof_of(old_size, size);
    struct pp_span body = request(old_size, &path, note_of(size, &roots[size], signer));
    struct pp_witness_request r;
    struct pp_witness_state next;

    if (!pp_is_ok(pp_witness_request_parse(body, &r)))
        return PP_WITNESS_MALFORMED;
    enum pp_witness_status s = pp_witness_decide(&known, state, &r, &next);
    if (s == PP_WITNESS_COSIGN)
        *state = next;
    else
        assert_memory_equal(&next, state, sizeof next);
    return s;
}

static void a_tree_may_grow_stay_and_nothing_else(void **state)
{
    (void)state;
    for (uint64_t from = 0; from <= ENTRIES; from++)
        for (uint64_t to = 0; to <= ENTRIES; to++) {
            struct pp_witness_state s = { from, roots[from] };
            enum pp_witness_status got = ask(&s, from, to, &log_signer);
            assert_int_equal(got, to >= from ? PP_WITNESS_COSIGN : PP_WITNESS_MALFORMED);
            assert_int_equal(s.size, to >= from ? to : from);
        }
}

static void another_old_size_is_a_conflict_before_any_proof_is_read(void **state)
{
    (void)state;
    struct pp_witness_state s = { 5, roots[5] };

    assert_int_equal(ask(&s, 0, 7, &log_signer), PP_WITNESS_CONFLICT);
    assert_int_equal(ask(&s, 4, 7, &log_signer), PP_WITNESS_CONFLICT);
    assert_int_equal(ask(&s, 6, 7, &log_signer), PP_WITNESS_CONFLICT);
    assert_int_equal(ask(&s, 3, 3, &log_signer), PP_WITNESS_CONFLICT); /* a rolled-back log */
    assert_int_equal(s.size, 5);
}

static void the_signature_counts_before_the_size(void **state)
{
    (void)state;
    struct pp_witness_state s = { 5, roots[5] };

    assert_int_equal(ask(&s, 0, 7, &stranger), PP_WITNESS_UNSIGNED);
    assert_int_equal(ask(&s, 5, 7, NULL), PP_WITNESS_UNSIGNED);
    assert_int_equal(ask(&s, 6, 5, &stranger), PP_WITNESS_MALFORMED); /* and the form before both */
}

static void an_unknown_origin_is_told_apart(void **state)
{
    (void)state;
    struct pp_witness_state s = pp_witness_state_empty();
    struct pp_witness_state next;
    struct pp_merkle_path none = { 0 };
    struct pp_witness_request r;
    struct pp_witness_log other = known;

    assert_ok(pp_witness_request_parse(request(0, &none, note_of(3, &roots[3], &stranger)), &r));
    assert_int_equal(pp_witness_decide(NULL, &s, &r, &next), PP_WITNESS_UNKNOWN_LOG);
    other.origin = PP_STR("ledger.example/other");
    assert_int_equal(pp_witness_decide(&other, &s, &r, &next), PP_WITNESS_UNKNOWN_LOG);
}

/* W27_T1, W27_T2, W27_T5: two histories, a missing proof, a rewound log. */
static void w27_t1_a_second_history_is_refused(void **state)
{
    (void)state;
    struct pp_witness_state s = { 5, roots[5] };
    struct pp_witness_state next;
    struct pp_witness_request r;
    struct pp_merkle_path path = proof_of(5, 9);
    struct pp_merkle_path none = { 0 };

    /* the same size with another root */
    assert_ok(pp_witness_request_parse(request(5, &none, note_of(5, &roots[4], &log_signer)), &r));
    assert_int_equal(pp_witness_decide(&known, &s, &r, &next), PP_WITNESS_REFUSED);
    /* a larger tree that does not start with ours */
    assert_ok(pp_witness_request_parse(request(5, &path, note_of(9, &roots[8], &log_signer)), &r));
    assert_int_equal(pp_witness_decide(&known, &s, &r, &next), PP_WITNESS_REFUSED);
    /* a right tree without its proof, and with a hash too many */
    assert_ok(pp_witness_request_parse(request(5, &none, note_of(9, &roots[9], &log_signer)), &r));
    assert_int_equal(pp_witness_decide(&known, &s, &r, &next), PP_WITNESS_REFUSED);
    path.hashes[path.count++] = roots[1];
    assert_ok(pp_witness_request_parse(request(5, &path, note_of(9, &roots[9], &log_signer)), &r));
    assert_int_equal(pp_witness_decide(&known, &s, &r, &next), PP_WITNESS_REFUSED);
    /* the state is what the proof is checked against, not what the request says */
    s.root = roots[6];
    path = proof_of(5, 9);
    assert_ok(pp_witness_request_parse(request(5, &path, note_of(9, &roots[9], &log_signer)), &r));
    assert_int_equal(pp_witness_decide(&known, &s, &r, &next), PP_WITNESS_REFUSED);
}

static void the_empty_tree_has_one_root_and_no_proof(void **state)
{
    (void)state;
    struct pp_witness_state s = pp_witness_state_empty();
    struct pp_witness_state next;
    struct pp_witness_request r;
    struct pp_merkle_path one = { .count = 1 };
    struct pp_merkle_path none = { 0 };

    assert_ok(pp_witness_request_parse(request(0, &none, note_of(0, &roots[3], &log_signer)), &r));
    assert_int_equal(pp_witness_decide(&known, &s, &r, &next), PP_WITNESS_REFUSED);
    assert_ok(pp_witness_request_parse(request(0, &one, note_of(3, &roots[3], &log_signer)), &r));
    assert_int_equal(pp_witness_decide(&known, &s, &r, &next), PP_WITNESS_REFUSED);
    assert_ok(pp_witness_request_parse(request(0, &none, note_of(0, &roots[0], &log_signer)), &r));
    assert_int_equal(pp_witness_decide(&known, &s, &r, &next), PP_WITNESS_COSIGN);
}

/* A note that the log has signed, of something else than a tree: 400, whatever its origin is. */
static void a_note_of_no_checkpoint_is_malformed(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        ORIGIN "\n5\n",
        ORIGIN "\n05\n" ROOT "\n",
        ORIGIN "\n5\n" ROOT "=\n",
        ORIGIN "\nfive\n" ROOT "\n",
        "type status/v1\nledger " ORIGIN "\nnamespace x\n",
    };
    const struct pp_merkle_path none = { 0 };
    struct pp_witness_request r;

    for (size_t i = 0; i < PP_ARRAY_COUNT(bodies); i++) {
        assert_ok(pp_note_write(test_begin(&note_text), pp_span_cstr(bodies[i]), &log_signer, 1));
        assert_false(
            pp_is_ok(pp_witness_request_parse(request(0, &none, test_end(&note_text)), &r)));
    }
}

static void every_truncation_of_a_request_is_refused(void **state)
{
    (void)state;
    struct pp_merkle_path path = proof_of(5, 9);
    struct pp_span whole = request(5, &path, note_of(9, &roots[9], &log_signer));
    struct pp_witness_state s = { 5, roots[5] };

    for (size_t len = 0; len < whole.len; len++) {
        struct pp_witness_request r;
        struct pp_witness_state next;
        if (pp_is_ok(pp_witness_request_parse(pp_span(whole.at, len), &r)))
            assert_int_equal(pp_witness_decide(&known, &s, &r, &next), PP_WITNESS_UNSIGNED);
    }
}

static void a_request_has_limits(void **state)
{
    (void)state;
    struct pp_span note = note_of(9, &roots[9], &log_signer);
    struct pp_witness_request r;
    static char large[PP_COSIGN_TEXT_MAX + 64];

    for (size_t count = PP_MERKLE_PATH_MAX; count <= PP_MERKLE_PATH_MAX + 1; count++) {
        pp_wr_text(test_begin(&text), "old 5\n");
        for (size_t i = 0; i < count; i++)
            pp_wr_text(&text.wr, "lzUT62JjCfH0flDakvYCHZ3U3/aY5NlCJykceIMC0XM=\n");
        pp_wr_u8(&text.wr, '\n');
        pp_wr_span(&text.wr, note);
        assert_code(pp_witness_request_parse(test_end(&text), &r),
                    count > PP_MERKLE_PATH_MAX ? PP_E_LIMIT : PP_E_OK);
    }
    /* What could not be cosigned is malformed at once, not after it was stored. */
    for (size_t over = 0; over <= 1; over++) {
        struct pp_wr b = pp_wr_over(large, sizeof large);
        pp_checkpoint_write(&b, PP_STR(ORIGIN), 9, &roots[9]);
        while (b.len < PP_COSIGN_TEXT_MAX + over - 1)
            pp_wr_u8(&b, 'e');
        pp_wr_u8(&b, '\n');
        pp_wr_text(test_begin(&text), "old 0\n\n");
        assert_ok(pp_note_write(&text.wr, pp_wr_done(&b), &log_signer, 1));
        assert_code(pp_witness_request_parse(test_end(&text), &r), over ? PP_E_LIMIT : PP_E_OK);
    }
    memset(text.bytes, 'x', sizeof text.bytes);
    assert_code(pp_witness_request_parse(pp_span(text.bytes, PP_WITNESS_REQUEST_MAX + 1), &r),
                PP_E_LIMIT);
}

/* --- what a log reads of an answer ----------------------------------------------------------- */

static struct pp_span cosignature_of(const struct pp_note_signer *s, struct pp_span over)
{
    assert_ok(pp_cosign_line_write(test_begin(&text), s, 1700000000, over));
    return test_end(&text);
}

static void a_cosignature_is_found_between_lines_of_others(void **state)
{
    (void)state;
    static const char OTHERS[] = "\xE2\x80\x94 w.example AAAAAAA=\n";
    static char body[4096];
    struct pp_span over = PP_STR("ledger.example/test\n1\nAA==\n");
    struct pp_span line = cosignature_of(&witness, over);
    struct pp_wr wr = pp_wr_over(body, sizeof body);
    struct pp_span found;

    pp_wr_text(&wr, OTHERS);
    pp_wr_span(&wr, line);
    pp_wr_text(&wr, OTHERS);
    assert_ok(pp_witness_answer_line(pp_wr_done(&wr), over, &witness.key, &found));
    assert_true(pp_span_eq(found, line));
    assert_code(pp_witness_answer_line(pp_span_cstr(OTHERS), over, &witness.key, &found),
                PP_E_SIGNATURE);
    assert_code(pp_witness_answer_line(pp_span(NULL, 0), over, &witness.key, &found),
                PP_E_SIGNATURE);
    for (size_t len = 0; len < line.len; len++)
        assert_false(
            pp_is_ok(pp_witness_answer_line(pp_span(line.at, len), over, &witness.key, &found)));
    assert_code(pp_witness_answer_line(line, PP_STR("ledger.example/test\n2\nAA==\n"), &witness.key,
                                       &found),
                PP_E_SIGNATURE);
}

/*
 * A witness that puts text of its own before an empty line signs another text than was sent; the
 * log would put that line under its own checkpoint, which no reader could open any more.
 */
static void an_answer_with_text_of_its_own_is_refused(void **state)
{
    (void)state;
    static char longer[256], body[4096];
    struct pp_wr l = pp_wr_over(longer, sizeof longer);
    struct pp_wr wr = pp_wr_over(body, sizeof body);
    struct pp_span over = PP_STR("ledger.example/test\n1\nAA==\n"), found;

    pp_wr_span(&l, over);
    pp_wr_text(&l, "\nX\n");
    pp_wr_text(&wr, "X\n\n");
    pp_wr_span(&wr, cosignature_of(&witness, pp_wr_done(&l)));
    assert_code(pp_witness_answer_line(pp_wr_done(&wr), over, &witness.key, &found), PP_E_FORMAT);
}

static void an_answer_has_limits(void **state)
{
    (void)state;
    static char body[PP_WITNESS_ANSWER_MAX + 64];
    struct pp_span over = PP_STR("ledger.example/test\n1\nAA==\n"), found;
    struct pp_span line = cosignature_of(&witness, over);

    for (size_t lines = PP_NOTE_SIGNATURES_MAX; lines <= PP_NOTE_SIGNATURES_MAX + 1; lines++) {
        struct pp_wr wr = pp_wr_over(body, sizeof body);
        for (size_t i = 1; i < lines; i++)
            pp_wr_text(&wr, "\xE2\x80\x94 w.example AAAAAAA=\n");
        pp_wr_span(&wr, line);
        assert_code(pp_witness_answer_line(pp_wr_done(&wr), over, &witness.key, &found),
                    lines > PP_NOTE_SIGNATURES_MAX ? PP_E_LIMIT : PP_E_OK);
    }
    memset(body, 'x', sizeof body);
    assert_code(pp_witness_answer_line(pp_span(body, PP_WITNESS_ANSWER_MAX + 1), over, &witness.key,
                                       &found),
                PP_E_LIMIT);
    assert_code(
        pp_witness_answer_line(pp_span(body, PP_WITNESS_ANSWER_MAX), over, &witness.key, &found),
        PP_E_TRUNCATED);
}

static void a_conflict_is_one_decimal_line(void **state)
{
    (void)state;
    static const char *const bad[] = { "",      "\n",    "7",
                                       "7\n\n", "07\n",  "-1\n",
                                       "7 \n",  "7\r\n", "9223372036854775808\n" };
    uint64_t size = 1;

    assert_ok(pp_witness_conflict_parse(PP_STR("0\n"), &size));
    assert_int_equal(size, 0);
    assert_ok(pp_witness_conflict_parse(PP_STR("9223372036854775807\n"), &size));
    assert_int_equal(size, INT64_MAX);
    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++)
        assert_false(pp_is_ok(pp_witness_conflict_parse(pp_span_cstr(bad[i]), &size)));
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_tree_may_grow_stay_and_nothing_else),
    cmocka_unit_test(another_old_size_is_a_conflict_before_any_proof_is_read),
    cmocka_unit_test(the_signature_counts_before_the_size),
    cmocka_unit_test(an_unknown_origin_is_told_apart),
    cmocka_unit_test(w27_t1_a_second_history_is_refused),
    cmocka_unit_test(the_empty_tree_has_one_root_and_no_proof),
    cmocka_unit_test(a_note_of_no_checkpoint_is_malformed),
    cmocka_unit_test(every_truncation_of_a_request_is_refused),
    cmocka_unit_test(a_request_has_limits),
    cmocka_unit_test(a_cosignature_is_found_between_lines_of_others),
    cmocka_unit_test(an_answer_with_text_of_its_own_is_refused),
    cmocka_unit_test(an_answer_has_limits),
    cmocka_unit_test(a_conflict_is_one_decimal_line),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make_log, drop_log);
}
