/* SPDX-License-Identifier: Apache-2.0 */
/* Whole logs with opaque entries, and proofs made from their files. Records: tests/e2e. */
#include "harness.h"

#include "audit.h"
#include "crypto.h"
#include "world.h"

enum { SIZE = 700, SEEN_MAX = 16 };

static struct world world;
static struct pp_log_source *source;
static struct pp_policy policy;
static char policy_text[512];

struct seen {
    unsigned count;
    unsigned stop; /* the finding that the sink refuses, from 1; 0: none */
    struct pp_finding all[SEEN_MAX];
};

static pp_res see(void *ctx, const struct pp_finding *f)
{
    struct seen *s = ctx;

    if (s->count < SEEN_MAX)
        s->all[s->count] = *f;
    s->count++;
    PP_CHECK(s->count != s->stop, PP_E_CANCELLED, 0);
    return PP_OK;
}

/* The log signs `size` and `root`, whatever its files say. */
static void sign(uint64_t size, const struct pp_merkle_hash *root)
{
    static const uint8_t seed[32] = { 7 };
    uint8_t text[PP_CHECKPOINT_BYTES_MAX], note[1024];
    struct pp_wr text_wr = pp_wr_over(text, sizeof text), wr = pp_wr_over(note, sizeof note);
    struct pp_note_signer log;

    assert_ok(pp_note_signer_make(PP_STR("log.example/a"), PP_NOTE_ED25519, PP_BYTES(seed), &log));
    pp_checkpoint_write(&text_wr, PP_STR("log.example/a"), size, root);
    assert_ok(pp_note_write(&wr, pp_wr_done(&text_wr), &log, 1));
    world_write(&world, "checkpoint", pp_wr_done(&wr));

    wr = pp_wr_over(policy_text, sizeof policy_text);
    pp_wr_text(&wr, "log ");
    pp_vkey_write(&wr, &log.key);
    pp_wr_text(&wr, "\nquorum none\n");
    assert_ok(pp_policy_parse(pp_wr_done(&wr), PP_POLICY_LOG, &policy));
    pp_note_signer_done(&log);
}

static int set_up(void **state)
{
    (void)state;
    assert_ok(pp_crypto_init());
    world_make(&world, SIZE);
    sign(SIZE, &world.tree.root);
    source = world_open(&world);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pp_log_source_close(source);
    world_done(&world);
    return 0;
}

static pp_res audit(struct seen *seen, struct pp_audit *ret)
{
    const struct pp_audit_config c = {
        .source = source,
        .policy = &policy,
        .findings = { see, seen },
    };

    return pp_audit_run(&c, ret, NULL);
}

/* The code of the only finding; 0 without any. */
static uint32_t only_finding(void)
{
    struct seen seen = { 0 };
    struct pp_audit a;

    assert_ok(audit(&seen, &a));
    pp_audit_done(&a);
    assert_true(seen.count <= 1);
    return seen.all[0].code;
}

static void an_honest_log_has_no_findings(void **state)
{
    struct seen seen = { 0 };
    struct pp_audit a;

    (void)state;
    assert_ok(audit(&seen, &a));
    assert_int_equal(seen.count, 0);
    assert_true(a.is_opened && a.has_quorum && a.is_complete);
    assert_int_equal(a.entries, SIZE);
    assert_int_equal(a.files + a.beyond, 0);
    pp_audit_done(&a);
}

static void faults_of_the_checkpoint_are_findings(void **state)
{
    struct pp_merkle_hash other = world.tree.root;
    struct pp_audit a;
    struct seen seen = { 0 };

    (void)state;
    other.bytes[0] ^= 1;
    sign(SIZE, &other);
    assert_int_equal(only_finding(), PP_E_LOG_ROOT);
    sign(SIZE, &world.tree.root);
    world_flip(&world, "checkpoint", 15); /* its size */
    assert_int_equal(only_finding(), PP_E_LEDGER_SIGNATURE);
    world_write(&world, "checkpoint", PP_STR("<html>"));
    assert_int_equal(only_finding(), PP_E_LOG_FILE);
    world_remove(&world, "checkpoint");
    assert_code(audit(&seen, &a), PP_E_NOT_FOUND);
    pp_audit_done(&a);
}

static void a_log_that_signs_more_than_it_shows_is_found(void **state)
{
    (void)state;
    sign(SIZE + 1, &world.tree.root);
    assert_int_equal(only_finding(), PP_E_LOG_MISSING);
}

static void every_wrong_tile_is_told_unless_the_sink_has_enough(void **state)
{
    struct seen seen = { 0 };
    struct pp_audit a;

    (void)state;
    world_flip(&world, "tile/0/000", 0);
    world_flip(&world, "tile/0/001", 0);
    world_flip(&world, "tile/1/000.p/2", 40);
    assert_ok(audit(&seen, &a));
    assert_int_equal(seen.count, 3);
    assert_true(a.is_complete);
    pp_audit_done(&a);

    seen = (struct seen){ .stop = 2 };
    assert_code(audit(&seen, &a), PP_E_CANCELLED);
    assert_int_equal(seen.count, 2);
    assert_false(a.is_complete);
    pp_audit_done(&a);
}

static void old_partial_tiles_are_the_beginning_of_the_new_ones(void **state)
{
    static const char *const files[] = { "tile/0/000.p/5", "tile/entries/000.p/5" };
    struct world old;

    (void)state;
    world_make(&old, 5);
    for (size_t i = 0; i < 2; i++) {
        char path[128];
        struct pp_buf b = { 0 };
        snprintf(path, sizeof path, "%s/%s", old.folder, files[i]);
        assert_ok(pp_file_read(-1, path, 1 << 16, &b));
        world_write(&world, files[i], pp_buf_span(&b));
        pp_buf_done(&b);
        assert_int_equal(only_finding(), 0);
        world_flip(&world, files[i], 35); /* within a hash, and within an entry */
        assert_int_equal(only_finding(), PP_E_LOG_TILE);
        world_flip(&world, files[i], 35);
    }
    world_write(&world, files[1], PP_STR("\0\1x"));
    assert_int_equal(only_finding(), PP_E_LOG_FILE);
    world_remove(&world, files[1]);
    world_write(&world, "tile/0/x000/001", PP_STR("x"));
    assert_int_equal(only_finding(), PP_E_LOG_FILE);
    world_done(&old);
}

/* --- proofs --------------------------------------------------------------------------------- */

static struct pp_log_shown shown_of(const struct pp_buf *note)
{
    return (struct pp_log_shown){ source, world.tree, pp_buf_span(note) };
}

/* C2SP tlog-proof. */
static void every_entry_can_be_proven_from_the_files(void **state)
{
    struct pp_policy_checkpoint c;
    struct pp_buf note = { 0 };

    (void)state;
    assert_ok(pp_log_source_checkpoint(source, &note, NULL));
    const struct pp_log_shown shown = shown_of(&note);
    for (uint64_t i = 0; i < SIZE; i += 23) {
        struct pp_buf entry = { 0 }, bytes = { 0 };
        struct pp_merkle_hash leaf;
        struct pp_proof proof;
        uint8_t want[8];
        assert_ok(pp_log_entry(&shown, i, &entry, NULL));
        assert_true(pp_span_eq(pp_buf_span(&entry), world_entry(i, want)));
        assert_ok(pp_log_prove(&shown, i, pp_buf_span(&entry), &bytes, NULL));
        assert_ok(pp_proof_parse(pp_buf_span(&bytes), &proof));
        assert_int_equal(proof.index, i);
        pp_merkle_leaf(pp_buf_span(&entry), &leaf);
        assert_ok(pp_proof_verify(&proof, &leaf, &policy, 0, UINT64_MAX, &c));
        pp_buf_done(&entry);
        pp_buf_done(&bytes);
    }
    struct pp_buf none = { 0 };
    assert_code(pp_log_entry(&shown, SIZE, &none, NULL), PP_E_RANGE);
    pp_buf_done(&note);
}

static void no_proof_is_made_from_wrong_tiles_or_for_another_entry(void **state)
{
    struct pp_problem problem = { 0 };
    struct pp_buf note = { 0 }, proof = { 0 };
    uint8_t entry[8];

    (void)state;
    assert_ok(pp_log_source_checkpoint(source, &note, NULL));
    const struct pp_log_shown shown = shown_of(&note);
    assert_code(pp_log_prove(&shown, 3, world_entry(4, entry), &proof, &problem), PP_E_LOG_TILE);
    assert_string_equal(problem.field, "entry 3");
    world_flip(&world, "tile/0/000", 200 * 32);
    assert_code(pp_log_prove(&shown, 3, world_entry(3, entry), &proof, NULL), PP_E_LOG_TILE);
    assert_null(proof.bytes);
    pp_buf_done(&note);
}

/* docs/protocol/ledger.md: an id is over the text, whatever signatures stand below it. */
static void records_are_found_by_their_first_entry_and_statuses_never(void **state)
{
    const struct pp_span text = PP_STR("type revoke/v1\n"), status = PP_STR("type status/v1\n");
    static const char *const line = "\n\xe2\x80\x94 a.example AAAAAAAA\n";
    struct pp_log_index x = { 0 };
    struct pp_record_id id;
    uint64_t index;
    char entry[128];

    (void)state;
    assert_ok(pp_log_index_add(&x, 0, PP_STR("no note at all")));
    snprintf(entry, sizeof entry, "%s%s", (const char *)status.at, line);
    assert_ok(pp_log_index_add(&x, 1, pp_span_cstr(entry)));
    snprintf(entry, sizeof entry, "%s%s", (const char *)text.at, line);
    assert_ok(pp_log_index_add(&x, 2, pp_span_cstr(entry)));
    assert_ok(pp_log_index_add(&x, 3, pp_span_cstr(entry)));
    pp_record_id_of(text, &id);
    assert_ok(pp_log_index_find(&x, &id, &index));
    assert_int_equal(index, 2);
    pp_record_id_of(status, &id);
    assert_code(pp_log_index_find(&x, &id, &index), PP_E_NOT_FOUND);
    pp_log_index_done(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_honest_log_has_no_findings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(faults_of_the_checkpoint_are_findings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_log_that_signs_more_than_it_shows_is_found, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_wrong_tile_is_told_unless_the_sink_has_enough, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(old_partial_tiles_are_the_beginning_of_the_new_ones, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_entry_can_be_proven_from_the_files, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_proof_is_made_from_wrong_tiles_or_for_another_entry,
                                        set_up, tear_down),
        cmocka_unit_test(records_are_found_by_their_first_entry_and_statuses_never),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
