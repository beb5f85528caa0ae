/* SPDX-License-Identifier: Apache-2.0 */
/* W18: an image is what two builders made alike, or nothing (docs/protocol/release.md). */
#include "harness.h"

#include "builders.h"
#include "crypto.h"
#include "wr.h"

enum { ALICE, BOB, MALLORY, PEOPLE };

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define D     "sha256:" ZEROS
#define M     ZEROS "00000000000000000000000000000000"

static const char MANIFEST[] = "type image-manifest/v1\nrole guard\n"
                               "image " D " 5 https://images.example/g.img\n"
                               "source https://git.example/pp "
                               "0123456789abcdef0123456789abcdef01234567\n"
                               "build " D "\nsbom " D "\nsnp small milan QEMU 4 " M "\n"
                               "snp-policy ffffffffffffffff 0000000000030000\n"
                               "snp-min-tcb milan 4 0 24 219\nconfig " D "\negress " D "\n";

static struct pp_note_signer people[PEOPLE];
static char policy_text[4096];
static struct pp_policy policy;
static struct pp_note note;
static struct pp_agreed agreed;
static struct pp_problem problem;

static void make_policy(const char *group)
{
    struct pp_wr wr = pp_wr_over(policy_text, sizeof policy_text);
    static const char *const names[] = { "alice", "bob" };

    for (size_t i = 0; i < 2; i++) {
        pp_wr_text(&wr, "witness ");
        pp_wr_text(&wr, names[i]);
        pp_wr_u8(&wr, ' ');
        pp_vkey_write(&wr, &people[i].key);
        pp_wr_u8(&wr, '\n');
    }
    pp_wr_text(&wr, group);
    assert_ok(pp_wr_ok(&wr));
    assert_ok(pp_policy_parse(pp_wr_done(&wr), PP_POLICY_REVIEW, &policy));
}

static int set_up(void **state)
{
    static const char *const names[] = { "alice.example", "bob.example", "mallory.example" };
    uint8_t seed[32];

    (void)state;
    if (!pp_is_ok(pp_crypto_init()))
        return -1;
    for (size_t i = 0; i < PEOPLE; i++) {
        memset(seed, (int)i + 1, sizeof seed);
        assert_ok(pp_note_signer_make(pp_span_cstr(names[i]), PP_NOTE_ED25519, PP_BYTES(seed),
                                      &people[i]));
    }
    make_policy("group two all alice bob\nquorum two\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < PEOPLE; i++)
        pp_note_signer_done(&people[i]);
    return 0;
}

static struct pp_builder_note built(char buf[8192], const char *name, const char *text, size_t who,
                                    size_t count)
{
    struct pp_wr wr = pp_wr_over(buf, 8192);

    assert_ok(pp_note_write(&wr, pp_span_cstr(text), &people[who], count));
    return (struct pp_builder_note){ name, pp_wr_done(&wr) };
}

static char one[8192], two[8192], three[8192];

static pp_res agree(struct pp_builder_note a, struct pp_builder_note b)
{
    const struct pp_builder_note notes[] = { a, b };

    memset(&problem, 0, sizeof problem);
    return pp_builders_agree(notes, 2, &policy, &note, &agreed, &problem);
}

static void w18_two_builders_of_the_same_text_are_agreed(void **state)
{
    (void)state;
    const struct pp_builder_note notes[] = { built(one, "a", MANIFEST, ALICE, 1),
                                             built(two, "b", MANIFEST, BOB, 1) };
    assert_ok(agree(notes[0], notes[1]));
    assert_int_equal(agreed.builders, 3);
    assert_int_equal(agreed.image.role, PP_RECORD_GUARD);

    /* One note with both signatures says the same. */
    struct pp_wr wr = pp_wr_over(three, sizeof three);
    assert_ok(pp_builders_write(&wr, notes, 2, &policy, &agreed, &note));
    const struct pp_builder_note both = { "agreed", pp_wr_done(&wr) };
    assert_ok(pp_builders_agree(&both, 1, &policy, &note, &agreed, &problem));
    assert_int_equal(agreed.builders, 3);
    assert_int_equal(note.line_count, 2);
}

static void w18_one_builder_is_not_enough(void **state)
{
    (void)state;
    struct pp_builder_note a = built(one, "a", MANIFEST, ALICE, 1);
    assert_code(agree(a, a), PP_E_RELEASE_BUILDERS);
    assert_string_equal(problem.got, "alice");
    assert_code(pp_builders_agree(&a, 1, &policy, &note, &agreed, &problem), PP_E_RELEASE_BUILDERS);
    /* Whatever the policy says. */
    make_policy("group two any alice bob\nquorum two\n");
    assert_code(agree(a, a), PP_E_RELEASE_BUILDERS);
    assert_ok(agree(a, built(two, "b", MANIFEST, BOB, 1)));
    make_policy("quorum none\n");
    assert_code(agree(a, a), PP_E_RELEASE_BUILDERS);
    make_policy("group two all alice bob\nquorum two\n");
}

static void w18_builds_that_differ_are_named_line_and_builder(void **state)
{
    char other[sizeof MANIFEST];

    (void)state;
    memcpy(other, MANIFEST, sizeof other);
    char *initrd = strstr(other, "sbom sha256:");
    assert_non_null(initrd);
    initrd[12 + 63] = '1'; /* the last digit alone */
    assert_code(agree(built(one, "a", MANIFEST, ALICE, 1), built(two, "b", other, BOB, 1)),
                PP_E_RELEASE_BUILDERS);
    assert_string_equal(problem.field, "line 6, sbom");
    assert_string_equal(problem.expected, "alice: ...0000000000000000000000000");
    assert_string_equal(problem.got, "bob: ...0000000000000000000000001");
}

static void every_byte_of_a_text_has_to_be_the_same(void **state)
{
    char other[sizeof MANIFEST];

    (void)state;
    struct pp_builder_note a = built(one, "a", MANIFEST, ALICE, 1);
    for (size_t i = 0; i + 1 < sizeof other; i++) {
        memcpy(other, MANIFEST, sizeof other);
        other[i] = other[i] == 'x' ? 'y' : 'x';
        if (i + 2 == sizeof other)
            break; /* a note's text ends in a line feed */
        assert_code(agree(a, built(two, "b", other, BOB, 1)), PP_E_RELEASE_BUILDERS);
    }
}

static void a_stranger_is_no_builder_and_a_wrong_signature_refuses_all(void **state)
{
    (void)state;
    struct pp_builder_note a = built(one, "a", MANIFEST, ALICE, 1);
    assert_code(agree(a, built(two, "m", MANIFEST, MALLORY, 1)), PP_E_LEDGER_SIGNER);
    assert_string_equal(problem.field, "m");
    struct pp_builder_note b = built(two, "b", MANIFEST, BOB, 1);
    two[b.bytes.len - 10] = two[b.bytes.len - 10] == 'A' ? 'B' : 'A';
    assert_code(agree(a, b), PP_E_LEDGER_SIGNER);
    assert_code(agree(a, (struct pp_builder_note){ "b", pp_span(two, 0) }), PP_E_FORMAT);
}

static void what_is_agreed_has_to_be_a_manifest(void **state)
{
    (void)state;
    assert_code(agree(built(one, "a", "type other/v1\n", ALICE, 1),
                      built(two, "b", "type other/v1\n", BOB, 1)),
                PP_E_UNSUPPORTED);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(w18_two_builders_of_the_same_text_are_agreed),
    cmocka_unit_test(w18_one_builder_is_not_enough),
    cmocka_unit_test(w18_builds_that_differ_are_named_line_and_builder),
    cmocka_unit_test(every_byte_of_a_text_has_to_be_the_same),
    cmocka_unit_test(a_stranger_is_no_builder_and_a_wrong_signature_refuses_all),
    cmocka_unit_test(what_is_agreed_has_to_be_a_manifest),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, set_up, tear_down);
}
