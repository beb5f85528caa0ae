/* SPDX-License-Identifier: Apache-2.0 */
/* W27.T6: the key of a log is replaced in place: the old one signs, then both, then the new one. */
#include "record_test.h"

#include "guard.h"
#include "log_test.h"

enum { OLD, NEW };

static struct pp_note_signer both[2]; /* borrowed seeds: see make_keys */
static struct pp_log_guard guard;
static char path[64 + 8];
static struct test_text text;
static struct pp_record record;

static const struct pp_log_keys ONLY_OLD = { &both[OLD], 1, NULL, 0 };
static const struct pp_log_keys BOTH = { both, 2, NULL, 0 };
static const struct pp_log_keys ONLY_NEW = { &both[NEW], 1, NULL, 0 };

static int make_keys(void **state)
{
    if (make_people(state) != 0)
        return -1;
    both[OLD] = signers[TEST_LOG];
    both[NEW] = test_signer(ORIGIN, PP_NOTE_ED25519, 77);
    return 0;
}

static int drop_keys(void **state)
{
    pp_note_signer_done(&both[NEW]);
    return drop_people(state);
}

static int make_both(void **state)
{
    if (make_folder(state) != 0)
        return -1;
    snprintf(path, sizeof path, "%s.guard", folder);
    return 0;
}

static int remove_both(void **state)
{
    pp_log_guard_done(&guard);
    (void)unlink(path);
    return remove_folder(state);
}

/* --- phases --------------------------------------------------------------------------------- */

static pp_res open_with(enum pp_admission_kind kind, struct pp_log_keys log)
{
    struct pp_sequencer_config c = config_of(kind);

    c.log = log;
    pp_log_guard_done(&guard);
    pp_sequencer_done(&sequencer);
    return pp_sequencer_open(&sequencer, &c);
}

static struct pp_log_keys new_after_old(void)
{
    struct pp_log_keys k = ONLY_NEW;

    k.former = &both[OLD].key;
    k.former_count = 1;
    return k;
}

static void start(enum pp_admission_kind kind, struct pp_log_keys log)
{
    assert_ok(open_with(kind, log));
    assert_ok(pp_log_store_renew(&sequencer.store));
}

static void start_guarded(struct pp_log_keys log)
{
    assert_ok(open_with(PP_ADMISSION_OPAQUE, log));
    assert_ok(pp_log_guard_open(&guard, path, &sequencer.store));
    assert_ok(pp_log_store_renew(&sequencer.store));
}

/* A host-set, and the status that closes its batch. */
static void log_hosts(uint64_t serial)
{
    begin_batch();
    host_set_of(&record, serial);
    assert_ok(pp_record_sign(test_begin(&text), &record, &signers[TEST_OWNER], 2));
    add_bytes(test_end(&text));
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    assert_ok(publish());
}

static void log_number(uint64_t n)
{
    begin_batch();
    add_number(n);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
}

/* --- who has signed -------------------------------------------------------------------------- */

/* For a reader who knows this key alone. */
static int is_signed_by(struct pp_span note, unsigned key)
{
    struct pp_note_signers by;
    struct pp_note n;

    assert_ok(pp_note_parse(note, &n));
    return pp_is_ok(pp_note_open(&n, &both[key].key, 1, &by));
}

static void check_note(struct pp_span note, int old, int new)
{
    struct pp_note n;

    assert_ok(pp_note_parse(note, &n));
    assert_int_equal(n.line_count, old + new);
    assert_int_equal(is_signed_by(note, OLD), old);
    assert_int_equal(is_signed_by(note, NEW), new);
}

static void check_file(const char *name, int old, int new)
{
    struct pp_buf b = { 0 };

    assert_ok(pp_file_read(dir, name, PP_LOG_NOTE_MAX, &b));
    check_note(pp_buf_span(&b), old, new);
    pp_buf_done(&b);
}

static void check_last_entry(int old, int new)
{
    struct pp_buf b = { 0 };

    assert_ok(pp_log_store_entry(&sequencer.store, pp_log_store_size(&sequencer.store) - 1, &b));
    check_note(pp_buf_span(&b), old, new);
    pp_buf_done(&b);
}

static void check_all(int old, int new)
{
    check_note(pp_span(sequencer.store.note, sequencer.store.note_len), old, new);
    check_file("signed", old, new);
    check_file("public/checkpoint", old, new);
    check_last_entry(old, new);
}

/* --- tests ----------------------------------------------------------------------------------- */

static void w27_t6_both_keys_sign_each_checkpoint_and_status_and_then_the_new_one(void **state)
{
    (void)state;
    start(PP_ADMISSION_RECORDS, ONLY_OLD);
    log_hosts(1);
    check_all(1, 0);
    start(PP_ADMISSION_RECORDS, BOTH);
    check_file("signed", 1, 1);
    log_hosts(2);
    check_all(1, 1);
    start(PP_ADMISSION_RECORDS, new_after_old());
    check_file("signed", 0, 1);
    log_hosts(3);
    check_all(0, 1);
    start(PP_ADMISSION_RECORDS, new_after_old());
    assert_int_equal(pp_log_store_size(&sequencer.store), 6);
}

static void w27_t6_a_key_that_left_and_is_not_named_ends_the_start(void **state)
{
    (void)state;
    start(PP_ADMISSION_RECORDS, ONLY_OLD);
    log_hosts(1);
    /* `signed` is of the old key alone. */
    assert_code(open_with(PP_ADMISSION_RECORDS, ONLY_NEW), PP_E_LEDGER_SIGNATURE);
    start(PP_ADMISSION_RECORDS, BOTH);
    log_hosts(2);
    /* Here the first status is; and it is said which entry. */
    pp_res r = open_with(PP_ADMISSION_RECORDS, ONLY_NEW);
    assert_code(r, PP_E_LEDGER_SIGNATURE);
    assert_int_equal(r.detail, 1);
    start(PP_ADMISSION_RECORDS, new_after_old());
}

static void keys_that_are_not_of_one_log_are_refused(void **state)
{
    (void)state;
    struct pp_note_signer other = test_signer("other.example/log", PP_NOTE_ED25519, 78);
    struct pp_note_signer pair[2] = { both[OLD], other };
    struct pp_log_keys k = { pair, 2, NULL, 0 };

    assert_code(open_with(PP_ADMISSION_RECORDS, k), PP_E_LEDGER_ORIGIN);
    pair[1] = both[OLD];
    assert_code(open_with(PP_ADMISSION_RECORDS, k), PP_E_DUPLICATE);
    k = (struct pp_log_keys){ both, 2, &other.key, 1 };
    assert_code(open_with(PP_ADMISSION_RECORDS, k), PP_E_LEDGER_ORIGIN);
    k.former = &both[NEW].key;
    assert_code(open_with(PP_ADMISSION_RECORDS, k), PP_E_DUPLICATE);
    pp_note_signer_done(&other);
}

static void four_keys_that_left_still_count(void **state)
{
    (void)state;
    struct pp_note_signer left[PP_LOG_FORMER_MAX];
    struct pp_note_key former[PP_LOG_FORMER_MAX];

    for (uint8_t i = 0; i < PP_LOG_FORMER_MAX; i++) {
        left[i] = i == 0 ? both[OLD] : test_signer(ORIGIN, PP_NOTE_ED25519, (uint8_t)(80 + i));
        former[i] = left[i].key;
        start(PP_ADMISSION_RECORDS, (struct pp_log_keys){ &left[i], 1, former, i });
        log_hosts(i + 1);
    }
    struct pp_log_keys k = { &both[NEW], 1, former, PP_LOG_FORMER_MAX };
    start(PP_ADMISSION_RECORDS, k);
    log_hosts(PP_LOG_FORMER_MAX + 1);
    check_all(0, 1);
    k.former_count--; /* each of them is needed */
    assert_code(open_with(PP_ADMISSION_RECORDS, k), PP_E_LEDGER_SIGNATURE);
    for (size_t i = 1; i < PP_LOG_FORMER_MAX; i++)
        pp_note_signer_done(&left[i]);
}

/* A witness that knows the new key alone is asked about the tree of before first. */
static void the_tree_of_before_is_signed_again_and_no_other(void **state)
{
    (void)state;
    start(PP_ADMISSION_OPAQUE, ONLY_OLD);
    log_number(1);
    assert_ok(publish());
    struct pp_merkle_hash root = sequencer.store.root;

    start(PP_ADMISSION_OPAQUE, new_after_old());
    check_file("signed", 0, 1);
    check_file("public/checkpoint", 1, 0);
    assert_true(pp_merkle_same(&sequencer.store.root, &root));
    assert_int_equal(pp_log_store_size(&sequencer.store), 1);
    assert_false(pp_log_store_is_served(&sequencer.store));
    assert_ok(publish());
    /* A note without cosignatures is not what a quorum answered. */
    assert_false(pp_log_store_is_served(&sequencer.store));
    check_file("public/checkpoint", 0, 1);
    start(PP_ADMISSION_OPAQUE, ONLY_NEW); /* no entry of it is signed by the log */
    log_number(2);
    check_file("signed", 0, 1);
}

static void a_note_that_is_signed_by_those_who_sign_stays_what_it_is(void **state)
{
    (void)state;
    struct stat before;
    struct stat after;

    start(PP_ADMISSION_OPAQUE, BOTH);
    log_number(1);
    assert_int_equal(fstatat(dir, "signed", &before, 0), 0);
    start(PP_ADMISSION_OPAQUE, BOTH);
    assert_int_equal(fstatat(dir, "signed", &after, 0), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

static void a_damaged_tree_is_not_signed_again(void **state)
{
    (void)state;
    start(PP_ADMISSION_OPAQUE, ONLY_OLD);
    log_number(1);
    int fd = openat(dir, "public/tile/entries/000.p/1", O_WRONLY);
    assert_int_equal(pwrite(fd, "x", 1, 5), 1);
    close(fd);
    assert_code(open_with(PP_ADMISSION_OPAQUE, new_after_old()), PP_E_PROOF);
    check_file("signed", 1, 0);
}

/* Both places hold trees of one size then, and neither is newer by its number. */
static void the_guard_goes_along(void **state)
{
    (void)state;
    start_guarded(ONLY_OLD);
    for (uint64_t i = 0; i < 3; i++) {
        log_number(i);
        start_guarded(i % 2 == 0 ? BOTH : ONLY_OLD);
        assert_ok(pp_log_guard_compare(&guard));
    }
    log_number(3);
    start_guarded(new_after_old());
    log_number(4);
    start_guarded(ONLY_NEW);
}

/* Killed between `signed` and the guard, or between the guard's places. */
static void a_guard_that_has_the_note_of_other_keys_is_brought_up(void **state)
{
    (void)state;
    uint8_t place[PP_LOG_GUARD_PLACE];

    for (unsigned cut = 0; cut < 3; cut++) {
        start_guarded(ONLY_OLD);
        log_number(cut);
        start(PP_ADMISSION_OPAQUE, BOTH); /* `signed` alone */
        memset(place, 0, sizeof place);
        memcpy(place, sequencer.store.note, sequencer.store.note_len);
        int fd = open(path, O_WRONLY);
        if (cut > 0)
            assert_int_equal(pwrite(fd, place, sizeof place, (cut - 1) * sizeof place),
                             sizeof place);
        close(fd);
        start_guarded(BOTH);
        log_number(100 + cut);
        start_guarded(BOTH);
    }
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_both, remove_both)

static const struct CMUnitTest TESTS[] = {
    IN_FOLDER(w27_t6_both_keys_sign_each_checkpoint_and_status_and_then_the_new_one),
    IN_FOLDER(w27_t6_a_key_that_left_and_is_not_named_ends_the_start),
    IN_FOLDER(keys_that_are_not_of_one_log_are_refused),
    IN_FOLDER(four_keys_that_left_still_count),
    IN_FOLDER(the_tree_of_before_is_signed_again_and_no_other),
    IN_FOLDER(a_note_that_is_signed_by_those_who_sign_stays_what_it_is),
    IN_FOLDER(a_damaged_tree_is_not_signed_again),
    IN_FOLDER(the_guard_goes_along),
    IN_FOLDER(a_guard_that_has_the_note_of_other_keys_is_brought_up),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make_keys, drop_keys);
}
