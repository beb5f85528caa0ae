/* SPDX-License-Identifier: Apache-2.0 */
/* C2SP tlog-proof; the project's vectors (tests/vectors/tlog/proofs.json) run through ppctl too. */
#include "tlog_test.h"

#include "proof.h"

enum { ENTRIES = 9, WITNESSES = 3 };

static struct test_text text;
static struct test_text note_text;
static struct test_text policy_text;
static struct pp_policy policy;
static struct pp_note_signer log_signer;
static struct pp_note_signer witness[WITNESSES];
static struct pp_merkle_hash leaves[ENTRIES];
static struct pp_merkle_hash root;

static pp_res read_node(void *ctx, unsigned level, uint64_t index, struct pp_merkle_hash *ret)
{
    struct pp_merkle_range r = { 0 };

    (void)ctx;
    for (size_t i = 0; i < (size_t)1 << level; i++)
        PP_TRY(pp_merkle_append(&r, &leaves[((size_t)index << level) + i], NULL));
    pp_merkle_range_root(&r, ret);
    return PP_OK;
}

static int make_log(void **state)
{
    static const char *const names[WITNESSES] = { "w0.example", "w1.example", "w2.example" };
    struct pp_merkle_range r = { 0 };

    if (test_init(state) != 0)
        return -1;
    log_signer = test_signer(ORIGIN, PP_NOTE_ED25519, 1);
    test_vkey(test_begin(&policy_text), "log ", &log_signer);
    for (uint8_t i = 0; i < WITNESSES; i++) {
        char start[16];
        witness[i] = test_signer(names[i], PP_NOTE_COSIGNATURE, (uint8_t)(10 + i));
        snprintf(start, sizeof start, "witness w%d ", i);
        test_vkey(&policy_text.wr, start, &witness[i]);
    }
    pp_wr_text(&policy_text.wr, "group g 2 w0 w1 w2\nquorum g\n");
    assert_ok(pp_policy_parse(test_end(&policy_text), PP_POLICY_LOG, &policy));
    for (uint8_t i = 0; i < ENTRIES; i++) {
        pp_merkle_leaf(pp_span(&i, 1), &leaves[i]);
        assert_ok(pp_merkle_append(&r, &leaves[i], NULL));
    }
    pp_merkle_range_root(&r, &root);
    return 0;
}

static int drop_log(void **state)
{
    (void)state;
    pp_note_signer_done(&log_signer);
    for (size_t i = 0; i < WITNESSES; i++)
        pp_note_signer_done(&witness[i]);
    return 0;
}

/* A checkpoint of the nine entries; witness i signs at times[i], 0: not at all. */
static struct pp_span checkpoint(const uint64_t times[WITNESSES])
{
    static char body[256];
    struct pp_wr b = pp_wr_over(body, sizeof body);

    pp_checkpoint_write(&b, PP_STR(ORIGIN), ENTRIES, &root);
    assert_ok(pp_note_write(test_begin(&note_text), pp_wr_done(&b), &log_signer, 1));
    for (size_t i = 0; i < WITNESSES; i++)
        if (times[i] != 0)
            assert_ok(pp_cosign_line_write(&note_text.wr, &witness[i], times[i], pp_wr_done(&b)));
    return test_end(&note_text);
}

static struct pp_proof proof_of(uint64_t index, const uint64_t times[WITNESSES])
{
    struct pp_merkle_nodes nodes = { .read = read_node };
    struct pp_proof p = { .index = index, .checkpoint = checkpoint(times) };

    assert_ok(pp_merkle_inclusion(index, ENTRIES, &nodes, &p.path));
    return p;
}

static const uint64_t ALL[WITNESSES] = { 1000, 2000, 3000 };

static void a_proof_is_written_read_and_verified(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < ENTRIES; i++) {
        struct pp_proof p = proof_of(i, ALL);
        struct pp_proof again;
        struct pp_policy_checkpoint c;
        pp_proof_write(test_begin(&text), &p);
        assert_ok(pp_proof_parse(test_end(&text), &again));
        assert_int_equal(again.index, i);
        assert_ok(pp_proof_verify(&again, &leaves[i], &policy, 0, UINT64_MAX, &c));
        assert_int_equal(c.checkpoint.size, ENTRIES);
        for (uint64_t other = 0; other < ENTRIES; other++)
            if (other != i)
                assert_code(pp_proof_verify(&again, &leaves[other], &policy, 0, UINT64_MAX, &c),
                            PP_E_LEDGER_PROOF);
    }
}

/* A11.9: the age rule comes before the quorum is counted. */
static void stale_cosignatures_do_not_count_towards_a_fresh_quorum(void **state)
{
    (void)state;
    struct pp_proof p = proof_of(4, ALL);
    struct pp_policy_checkpoint c;

    assert_ok(pp_proof_verify(&p, &leaves[4], &policy, 2000, 3000, &c));
    assert_code(pp_proof_verify(&p, &leaves[4], &policy, 2001, 3000, &c), PP_E_LEDGER_QUORUM);
    assert_code(pp_proof_verify(&p, &leaves[4], &policy, 1500, 2999, &c), PP_E_LEDGER_QUORUM);
}

/* W27_T3 */
static void w27_t3_one_cosignature_too_few_is_refused(void **state)
{
    (void)state;
    static const uint64_t one[WITNESSES] = { 0, 2000, 0 };
    struct pp_proof p = proof_of(4, one);
    struct pp_policy_checkpoint c;

    assert_code(pp_proof_verify(&p, &leaves[4], &policy, 0, UINT64_MAX, &c), PP_E_LEDGER_QUORUM);
}

/* The inclusion path must lead to the root that signatures cover, not to any other. */
static void a_path_to_an_unsigned_root_proves_nothing(void **state)
{
    (void)state;
    struct pp_proof p = proof_of(4, ALL);
    struct pp_policy_checkpoint c;

    p.path.hashes[0].bytes[0] ^= 1;
    assert_code(pp_proof_verify(&p, &leaves[4], &policy, 0, UINT64_MAX, &c), PP_E_LEDGER_PROOF);
    p.path.hashes[0].bytes[0] ^= 1;
    p.path.count--;
    assert_code(pp_proof_verify(&p, &leaves[4], &policy, 0, UINT64_MAX, &c), PP_E_LEDGER_PROOF);
    p.path.count++;
    p.index = ENTRIES;
    assert_code(pp_proof_verify(&p, &leaves[4], &policy, 0, UINT64_MAX, &c), PP_E_LEDGER_PROOF);
}

/* Under one checkpoint each entry still needs its own place and path. */
static void more_entries_under_a_verified_checkpoint_prove_their_own_inclusion(void **state)
{
    (void)state;
    struct pp_proof first = proof_of(4, ALL), p;
    struct pp_policy_checkpoint c;

    assert_ok(pp_proof_verify(&first, &leaves[4], &policy, 0, UINT64_MAX, &c));
    for (uint64_t i = 0; i < ENTRIES; i++) {
        p = proof_of(i, ALL);
        assert_ok(pp_proof_verify_under(&p, &leaves[i], &c));
        assert_code(pp_proof_verify_under(&p, &leaves[(i + 1) % ENTRIES], &c), PP_E_LEDGER_PROOF);
        p.path.hashes[0].bytes[0] ^= 1;
        assert_code(pp_proof_verify_under(&p, &leaves[i], &c), PP_E_LEDGER_PROOF);
    }
    p.index = ENTRIES;
    assert_code(pp_proof_verify_under(&p, &leaves[4], &c), PP_E_LEDGER_PROOF);
}

static void every_truncation_of_a_proof_is_refused(void **state)
{
    (void)state;
    struct pp_proof p = proof_of(4, ALL);
    struct pp_policy_checkpoint c;

    pp_proof_write(test_begin(&text), &p);
    struct pp_span whole = test_end(&text);
    for (size_t len = 0; len < whole.len; len++) {
        struct pp_proof again;
        pp_res r = pp_proof_parse(pp_span(whole.at, len), &again);
        if (pp_is_ok(r))
            r = pp_proof_verify(&again, &leaves[4], &policy, 0, UINT64_MAX, &c);
        /* Cut between two cosignature lines, two witnesses are left, and two are enough. */
        if (pp_is_ok(r))
            assert_true(whole.at[len - 1] == '\n' && c.witnesses.set == 3);
    }
}

static void an_extra_line_is_carried_and_not_believed(void **state)
{
    (void)state;
    struct pp_proof p = proof_of(4, ALL);
    struct pp_policy_checkpoint c;
    struct pp_proof again;

    p.has_extra = 1;
    p.extra_base64 = PP_STR("ZXh0cmE=");
    pp_proof_write(test_begin(&text), &p);
    assert_ok(pp_proof_parse(test_end(&text), &again));
    assert_true(again.has_extra && pp_span_eq(again.extra_base64, p.extra_base64));
    assert_ok(pp_proof_verify(&again, &leaves[4], &policy, 0, UINT64_MAX, &c));
}

static void malformed_heads_are_refused(void **state)
{
    (void)state;
#define V1   "c2sp.org/tlog-proof@v1\n"
#define HASH "lzUT62JjCfH0flDakvYCHZ3U3/aY5NlCJykceIMC0XM=\n"
    static const struct {
        const char *text;
        uint32_t code;
    } rows[] = {
        { V1 "index 0\n\nx", PP_E_OK },
        { V1 "index 0\n" HASH "\nx", PP_E_OK },
        { V1 "extra \nindex 0\n\nx", PP_E_OK },
        { V1 "index 0\n\n", PP_E_TRUNCATED },
        { V1 "index 0\n", PP_E_TRUNCATED },
        { V1 "index 0\n" HASH, PP_E_TRUNCATED },
        { V1 "index 9223372036854775807\n\nx", PP_E_RANGE },
        { V1 "index 9223372036854775806\n\nx", PP_E_OK },
        { V1 "index 00\n\nx", PP_E_FORMAT },
        { V1 "index  0\n\nx", PP_E_FORMAT },
        { V1 "index\n\nx", PP_E_FORMAT },
        { V1 "Index 0\n\nx", PP_E_FORMAT },
        { V1 "extra\nindex 0\n\nx", PP_E_FORMAT },
        { V1 "extra Z\nindex 0\n\nx", PP_E_FORMAT },
        { V1 "extra ZXh0cmE\nindex 0\n\nx", PP_E_FORMAT },
        { V1 "extra ZXh0cmE=\nextra ZXh0cmE=\nindex 0\n\nx", PP_E_FORMAT },
        { V1 "index 0\nextra ZXh0cmE=\n\nx", PP_E_FORMAT },
        { V1 "index 0\nAAAA\n\nx", PP_E_FORMAT },
        { "c2sp.org/tlog-proof@v2\nindex 0\n\nx", PP_E_FORMAT },
        { "", PP_E_TRUNCATED },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_proof p;
        print_message("row %zu\n", i);
        assert_code(pp_proof_parse(pp_span_cstr(rows[i].text), &p), rows[i].code);
    }
}

static void a_proof_has_limits(void **state)
{
    (void)state;
    struct pp_proof p;

    for (size_t count = PP_MERKLE_PATH_MAX; count <= PP_MERKLE_PATH_MAX + 1; count++) {
        pp_wr_text(test_begin(&text), V1 "index 0\n");
        for (size_t i = 0; i < count; i++)
            pp_wr_text(&text.wr, HASH);
        pp_wr_text(&text.wr, "\nx");
        assert_code(pp_proof_parse(test_end(&text), &p),
                    count > PP_MERKLE_PATH_MAX ? PP_E_LIMIT : PP_E_OK);
    }
    for (size_t len = PP_PROOF_EXTRA_MAX; len <= PP_PROOF_EXTRA_MAX + 4; len += 4) {
        pp_wr_text(test_begin(&text), V1 "extra ");
        for (size_t i = 0; i < len; i++)
            pp_wr_u8(&text.wr, 'A');
        pp_wr_text(&text.wr, "\nindex 0\n\nx");
        assert_code(pp_proof_parse(test_end(&text), &p),
                    len > PP_PROOF_EXTRA_MAX ? PP_E_LIMIT : PP_E_OK);
    }
    for (size_t len = PP_PROOF_BYTES_MAX; len <= PP_PROOF_BYTES_MAX + 1; len++) {
        pp_wr_text(test_begin(&text), V1 "index 0\n\n");
        while (text.wr.len < len)
            pp_wr_u8(&text.wr, 'x');
        assert_code(pp_proof_parse(test_end(&text), &p),
                    len > PP_PROOF_BYTES_MAX ? PP_E_LIMIT : PP_E_OK);
    }
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_proof_is_written_read_and_verified),
    cmocka_unit_test(stale_cosignatures_do_not_count_towards_a_fresh_quorum),
    cmocka_unit_test(w27_t3_one_cosignature_too_few_is_refused),
    cmocka_unit_test(a_path_to_an_unsigned_root_proves_nothing),
    cmocka_unit_test(more_entries_under_a_verified_checkpoint_prove_their_own_inclusion),
    cmocka_unit_test(every_truncation_of_a_proof_is_refused),
    cmocka_unit_test(an_extra_line_is_carried_and_not_believed),
    cmocka_unit_test(malformed_heads_are_refused),
    cmocka_unit_test(a_proof_has_limits),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make_log, drop_log);
}
