/* SPDX-License-Identifier: Apache-2.0 */
/* The log as a sequencer: what is admitted, when it is signed, and what a crash may not change. */
#include "record_test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena.h"
#include "bundle.h"
#include "proof.h"
#include "sequencer.h"

static char folder[64];
static int dir = -1;
static struct pp_sequencer sequencer;
static struct test_text text;
static struct pp_wr batch;
static uint8_t batch_bytes[PP_BATCH_BYTES_MAX];
static struct pp_record record;
static struct pp_sequencer_answer answer;

static int drop_file(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

/* A new folder with an empty log; nobody has opened it. */
static int make_folder(void **state)
{
    (void)state;
    /* Memory, where there is such a folder: what a killed process wrote stays in both. */
    snprintf(folder, sizeof folder, "%s/pp-test-sequencer-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(folder) == NULL)
        return -1;
    dir = open(folder, O_RDONLY | O_DIRECTORY);
    assert_ok(pp_log_store_create(dir, &signers[TEST_LOG]));
    return dir < 0;
}

static int remove_folder(void **state)
{
    (void)state;
    pp_sequencer_done(&sequencer);
    close(dir);
    return nftw(folder, drop_file, 16, FTW_DEPTH | FTW_PHYS);
}

static struct pp_sequencer_config config_of(enum pp_record_env environment)
{
    return (struct pp_sequencer_config){
        .dir = dir,
        .log = { &signers[TEST_LOG], 1, NULL, 0 },
        .name_space = PP_STR(NAMESPACE),
        .environment = environment,
        .keys = keys,
    };
}

static pp_res reopen_in(enum pp_record_env environment)
{
    struct pp_sequencer_config c = config_of(environment);

    pp_sequencer_done(&sequencer);
    return pp_sequencer_open(&sequencer, &c);
}

static pp_res reopen(void)
{
    return reopen_in(PP_RECORD_DEV);
}

static void begin_batch(void)
{
    batch = pp_wr_over(batch_bytes, sizeof batch_bytes);
}

static void add_to_batch(const struct pp_note_signer *by, size_t count)
{
    assert_ok(pp_record_sign(test_begin(&text), &record, by, count));
    size_t mark = pp_wr_block32_begin(&batch);
    pp_wr_span(&batch, test_end(&text));
    pp_wr_block32_end(&batch, mark);
}

static void add_hosts(uint64_t serial)
{
    host_set_of(&record, serial);
    add_to_batch(&signers[TEST_OWNER], 2);
}

static void add_release(uint64_t serial, uint8_t fill)
{
    release_of(&record, serial, PP_RECORD_ORCHESTRATOR, fill);
    add_to_batch(&signers[TEST_ALICE], 2);
}

static enum pp_sequencer_state submit(uint64_t now)
{
    assert_ok(pp_sequencer_submit(&sequencer, pp_wr_done(&batch), now, &answer));
    return answer.state;
}

/* The first batch of a fleet: hosts, a release and the keys of two days. */
static void first_batch(void)
{
    begin_batch();
    add_hosts(1);
    add_release(1, 1);
    for (uint64_t day = 0; day < 2; day++)
        for (unsigned kind = 0; kind < PP_RECORD_KINDS; kind++) {
            key_epoch_of(&record, day + 1, (enum pp_record_kind)kind, 20000 + day);
            add_to_batch(&signers[TEST_OWNER], 1);
        }
}

static pp_res publish(void)
{
    return pp_sequencer_publish(&sequencer,
                                pp_span(sequencer.store.note, sequencer.store.note_len));
}

/* --- the ordinary way ---------------------------------------------------------------------- */

static void a_new_log_is_empty_and_made_once(void **state)
{
    (void)state;
    assert_ok(reopen());
    assert_int_equal(pp_log_store_size(&sequencer.store), 0);
    assert_ok(publish()); /* size 0 is not served */
    assert_int_equal(faccessat(dir, "public/checkpoint", F_OK, 0), -1);
    assert_code(pp_log_store_create(dir, &signers[TEST_LOG]), PP_E_EXISTS);
}

static void a_batch_is_logged_and_closed_by_a_status(void **state)
{
    (void)state;
    assert_ok(reopen());
    first_batch();
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_int_equal(pp_sequencer_due(&sequencer, NOW), 0);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    assert_int_equal(pp_log_store_size(&sequencer.store), 7);
    assert_ok(pp_rules_closed(&sequencer.admission.rules));
    assert_int_equal(sequencer.pending_count, 0);
    assert_int_equal(submit(NOW), PP_SEQUENCER_LOGGED);
    assert_int_equal(answer.size, 6);
    for (size_t i = 0; i < answer.count; i++)
        assert_int_equal(answer.index[i], i);
}

static void what_was_logged_is_there_after_a_restart(void **state)
{
    (void)state;
    assert_ok(reopen());
    first_batch();
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    struct pp_merkle_hash root = sequencer.store.root;
    assert_ok(reopen());
    assert_true(pp_merkle_same(&root, &sequencer.store.root));
    assert_int_equal(submit(NOW), PP_SEQUENCER_LOGGED);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW + 60)); /* an empty batch: a status alone */
    assert_int_equal(pp_log_store_size(&sequencer.store), 8);
}

static void the_bundle_holds_the_status_and_all_that_it_names(void **state)
{
    (void)state;
    static uint8_t memory[1 << 20] __attribute__((aligned(16)));
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);
    struct pp_buf file = { 0 };
    struct pp_bundle b;

    assert_ok(reopen());
    first_batch();
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    assert_ok(publish());
    assert_ok(pp_file_read(dir, "public/directory", PP_BUNDLE_BYTES_MAX, &file));
    assert_ok(pp_bundle_parse(pp_buf_span(&file), &arena, &b));
    assert_int_equal(b.record_count, 6);
    for (size_t i = 0; i <= b.record_count; i++) {
        struct pp_bundle_entry *e = i == 0 ? &b.status : &b.records[i - 1];
        struct pp_policy_checkpoint c;
        struct pp_merkle_hash leaf;
        struct pp_proof p;
        assert_ok(pp_proof_parse(e->proof, &p));
        assert_int_equal(p.has_extra, 0);
        pp_merkle_leaf(e->entry, &leaf);
        assert_ok(pp_proof_verify(&p, &leaf, &policies[0], 0, UINT64_MAX, &c));
        assert_int_equal(c.checkpoint.size, 7);
        if (i == 0)
            assert_int_equal(p.index, 6);
    }
    pp_buf_done(&file);
}

static size_t blobs_of_the_bundle(void)
{
    static uint8_t memory[1 << 20] __attribute__((aligned(16)));
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);
    struct pp_buf file = { 0 };
    struct pp_bundle b;

    assert_ok(publish());
    assert_ok(pp_file_read(dir, "public/directory", PP_BUNDLE_BYTES_MAX, &file));
    assert_ok(pp_bundle_parse(pp_buf_span(&file), &arena, &b)); /* that they ascend, too */
    pp_buf_done(&file);
    return b.blob_count;
}

/* What vendors signed travels beside the records; a bad file stops no revocation. */
static void the_bundle_brings_the_blobs_that_lie_in_the_folder(void **state)
{
    (void)state;
    static uint8_t large[PP_BUNDLE_BYTES_MAX - 1000];

    assert_ok(reopen());
    first_batch();
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    assert_int_equal(blobs_of_the_bundle(), 0);
    assert_int_equal(mkdirat(dir, "blobs", 0755), 0);
    assert_ok(pp_file_write(dir, "blobs/0", 0644, PP_STR("first")));
    assert_ok(pp_file_write(dir, "blobs/1", 0644, PP_STR("second")));
    assert_ok(pp_file_write(dir, "blobs/3", 0644, PP_STR("behind a gap")));
    assert_int_equal(blobs_of_the_bundle(), 2);
    assert_ok(pp_file_write(dir, "blobs/2", 0644, PP_STR("third")));
    assert_int_equal(blobs_of_the_bundle(), 4);
    assert_ok(pp_file_write(dir, "blobs/4", 0644, PP_STR("first"))); /* twice */
    assert_int_equal(blobs_of_the_bundle(), 0);
    assert_ok(pp_file_write(dir, "blobs/4", 0644, PP_BYTES(large))); /* no room */
    assert_int_equal(blobs_of_the_bundle(), 0);
    assert_ok(pp_file_write(dir, "blobs/4", 0644, PP_STR("")));
    assert_int_equal(blobs_of_the_bundle(), 0);
    assert_int_equal(unlinkat(dir, "blobs/4", 0), 0);
    assert_int_equal(blobs_of_the_bundle(), 4);
}

/* --- refusals ------------------------------------------------------------------------------ */

static void a_batch_is_taken_whole_or_not_at_all(void **state)
{
    (void)state;
    assert_ok(reopen());
    begin_batch();
    add_hosts(1);
    release_of(&record, 1, PP_RECORD_GUARD, 1);
    add_to_batch(&signers[TEST_ALICE], 1); /* one reviewer of two: W18_T3 */
    assert_int_equal(submit(NOW), PP_SEQUENCER_REFUSED);
    assert_int_equal(answer.code, PP_E_LEDGER_SIGNER);
    assert_int_equal(answer.entry, 1);
    assert_int_equal(sequencer.pending_count, 0);
    begin_batch();
    add_release(1, 1);
    assert_int_equal(submit(NOW), PP_SEQUENCER_REFUSED); /* no status can name a host-set */
    assert_int_equal(answer.code, PP_E_MISSING);
    assert_int_equal(answer.entry, 1);
    first_batch();
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    begin_batch();
    add_hosts(1);
    add_release(1, 2); /* its serial waits already */
    assert_int_equal(submit(NOW), PP_SEQUENCER_REFUSED);
    assert_int_equal(answer.code, PP_E_LEDGER_SERIAL);
    assert_int_equal(answer.entry, 1);
}

static void malformed_framing_is_refused(void **state)
{
    (void)state;
    static const uint8_t cut[] = { 0, 0, 0, 5, 'a' };
    static const uint8_t noise[] = { 0, 0, 0, 1, 'a' };

    assert_ok(reopen());
    assert_ok(pp_sequencer_submit(&sequencer, pp_span(NULL, 0), NOW, &answer));
    assert_int_equal(answer.state, PP_SEQUENCER_REFUSED);
    assert_int_equal(answer.code, PP_E_FORMAT);
    assert_ok(pp_sequencer_submit(&sequencer, PP_BYTES(cut), NOW, &answer));
    assert_int_equal(answer.code, PP_E_TRUNCATED);
    assert_ok(pp_sequencer_submit(&sequencer, PP_BYTES(noise), NOW, &answer));
    assert_int_equal(answer.code, PP_E_FORMAT);
    assert_ok(
        pp_sequencer_submit(&sequencer, pp_span(text.bytes, PP_BATCH_BYTES_MAX + 1), NOW, &answer));
    assert_int_equal(answer.code, PP_E_LIMIT);
}

static void a_batch_has_a_limit_of_entries(void **state)
{
    (void)state;
    assert_ok(reopen());
    begin_batch();
    for (uint64_t i = 1; i <= PP_BATCH_MAX; i++)
        add_hosts(i);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    begin_batch();
    for (uint64_t i = 1; i <= PP_BATCH_MAX + 1; i++)
        add_hosts(PP_BATCH_MAX + i);
    assert_int_equal(submit(NOW), PP_SEQUENCER_REFUSED);
    assert_int_equal(answer.code, PP_E_LIMIT);
}

static void waiting_batches_have_a_limit(void **state)
{
    (void)state;
    assert_ok(reopen());
    for (uint64_t i = 1; i <= PP_SEQUENCER_PENDING_MAX + 1; i++) {
        begin_batch();
        add_hosts(i);
        assert_int_equal(submit(NOW), i <= PP_SEQUENCER_PENDING_MAX ? PP_SEQUENCER_PENDING
                                                                    : PP_SEQUENCER_REFUSED);
    }
    assert_int_equal(answer.code, PP_E_BUSY);
    assert_ok(reopen());
    assert_int_equal(sequencer.pending_count, PP_SEQUENCER_PENDING_MAX);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    assert_int_equal(pp_log_store_size(&sequencer.store), PP_SEQUENCER_PENDING_MAX + 1);
}

static void an_entry_waits_once(void **state)
{
    (void)state;
    assert_ok(reopen());
    begin_batch();
    add_hosts(1);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_int_equal(sequencer.pending_count, 1);
    add_release(1, 1); /* the same host-set, and something new */
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_int_equal(sequencer.pending_count, 2);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    assert_int_equal(pp_log_store_size(&sequencer.store), 3);
    /* the same record under one more signature is the same record, not another leaf */
    begin_batch();
    host_set_of(&record, 1);
    add_to_batch(&signers[TEST_OWNER], 3);
    assert_int_equal(submit(NOW), PP_SEQUENCER_LOGGED);
    assert_int_equal(answer.index[0], 0);
}

/* --- outside dev --------------------------------------------------------------------------- */

#define HOUR (UINT64_C(20000) * PP_DAY_S + 11 * 3600)

static void in_prod(struct pp_record *r)
{
    r->environment = PP_RECORD_PROD;
}

static void prod_publishes_on_the_hour_and_with_a_revocation(void **state)
{
    (void)state;
    struct pp_record_id id;

    assert_ok(reopen_in(PP_RECORD_PROD));
    begin_batch();
    host_set_of(&record, 1);
    in_prod(&record);
    add_to_batch(&signers[TEST_OWNER], 2);
    assert_int_equal(submit(NOW + 600), PP_SEQUENCER_PENDING);
    id = answer.ids[0];
    assert_int_equal(pp_sequencer_due(&sequencer, NOW + 600), HOUR);
    assert_int_equal(pp_sequencer_due(&sequencer, HOUR), 0);
    assert_int_equal(pp_sequencer_due(&sequencer, HOUR + 299), 0);
    assert_int_equal(pp_sequencer_due(&sequencer, HOUR + 300),
                     HOUR + 3600); /* missed: the next one */
    assert_code(pp_sequencer_close_batch(&sequencer, HOUR + 300), PP_E_LEDGER_WINDOW);
    assert_int_equal(sequencer.pending_count, 1);
    assert_ok(pp_sequencer_close_batch(&sequencer, HOUR + 10));
    assert_int_equal(pp_sequencer_due(&sequencer, HOUR + 11), HOUR + 3600);
    begin_batch();
    revoke_of(&record, 1, &id);
    in_prod(&record);
    add_to_batch(&signers[TEST_BOB], 1);
    assert_int_equal(submit(HOUR + 1000), PP_SEQUENCER_PENDING);
    assert_int_equal(pp_sequencer_due(&sequencer, HOUR + 1000), 0);
    assert_ok(pp_sequencer_close_batch(&sequencer, HOUR + 1000));
    assert_int_equal(pp_log_store_size(&sequencer.store), 4);
}

/* A waiting time that runs out while the log stands still: the batch is dropped, not bent. */
static void a_batch_that_came_too_late_is_dropped_and_told(void **state)
{
    (void)state;
    assert_ok(reopen_in(PP_RECORD_PROD));
    begin_batch();
    host_set_of(&record, 1);
    in_prod(&record);
    add_to_batch(&signers[TEST_OWNER], 2);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    begin_batch();
    release_of(&record, 1, PP_RECORD_GUARD, 1);
    in_prod(&record);
    record.release.not_before = NOW + PP_RELEASE_DELAY_S;
    record.release.not_after = record.release.not_before + 1;
    add_to_batch(&signers[TEST_ALICE], 2);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    /* three hours later the release would be 23 h on the log before it is in force */
    assert_ok(pp_sequencer_close_batch(&sequencer, HOUR + 2 * 3600));
    assert_int_equal(sequencer.dropped, 1);
    assert_int_equal(pp_log_store_size(&sequencer.store), 2);
    assert_int_equal(submit(HOUR + 2 * 3600 + 1), PP_SEQUENCER_REFUSED);
    assert_int_equal(answer.code, PP_E_LEDGER_WINDOW);
}

/* --- files --------------------------------------------------------------------------------- */

static void fill(size_t statuses)
{
    begin_batch();
    add_hosts(1);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    for (size_t i = 0; i < statuses; i++) {
        assert_ok(pp_sequencer_close_batch(&sequencer, NOW + i));
        if (i % 50 == 49)
            assert_ok(publish());
    }
}

static int there(const char *path)
{
    return faccessat(dir, path, F_OK, 0) == 0;
}

static void partial_tiles_go_when_the_full_one_is_published(void **state)
{
    (void)state;
    assert_ok(reopen());
    fill(254); /* 255 entries, of which 201 are published */
    assert_true(there("public/tile/0/000.p/51"));
    assert_true(there("public/tile/entries/000.p/255"));
    for (uint64_t i = 0; i < 3; i++)
        assert_ok(pp_sequencer_close_batch(&sequencer, NOW + 1000 + i));
    assert_true(there("public/tile/0/000")); /* full, but nobody was told of it yet */
    assert_true(there("public/tile/0/000.p/201"));
    assert_ok(publish());
    assert_false(there("public/tile/0/000.p/201"));
    assert_false(there("public/tile/0/000.p"));
    assert_false(there("public/tile/entries/000.p"));
    assert_true(there("public/tile/0/001.p/2"));
    assert_true(there("public/tile/1/000.p/1"));
    assert_ok(reopen());
    struct pp_merkle_path path;
    assert_ok(pp_sequencer_consistency(&sequencer, 201, &path));
}

static void tiles_beyond_the_signed_tree_are_not_served(void **state)
{
    (void)state;
    struct pp_tile t = { .width = 3 };
    struct pp_buf b = { 0 };
    struct pp_span extra[] = { PP_STR("x") };

    assert_ok(reopen());
    fill(1);
    assert_ok(pp_log_store_append(&sequencer.store, extra, 1));
    assert_true(there("public/tile/0/000.p/3"));
    assert_code(pp_log_store_tile(&sequencer.store, &t, &b), PP_E_NOT_FOUND);
    t.width = 2;
    assert_ok(pp_log_store_tile(&sequencer.store, &t, &b));
    assert_int_equal(b.len, 64);
    pp_buf_done(&b);
    t = (struct pp_tile){ .index = 1, .width = 1 };
    assert_code(pp_log_store_tile(&sequencer.store, &t, &b), PP_E_NOT_FOUND);
    t = (struct pp_tile){ .level = 9, .width = 1 };
    assert_code(pp_log_store_tile(&sequencer.store, &t, &b), PP_E_NOT_FOUND);
}

static void lost_tiles_are_made_again_and_lost_entries_are_not(void **state)
{
    (void)state;
    assert_ok(reopen());
    fill(3);
    assert_int_equal(unlinkat(dir, "public/tile/0/000.p/4", 0), 0);
    assert_ok(reopen());
    assert_true(there("public/tile/0/000.p/4"));
    assert_ok(pp_file_write(dir, "public/tile/0/000.p/4", 0644, PP_STR("damaged")));
    assert_ok(reopen());
    struct pp_buf b = { 0 };
    assert_ok(pp_file_read(dir, "public/tile/0/000.p/4", 1024, &b));
    assert_int_equal(b.len, 128);
    pp_buf_done(&b);
    assert_int_equal(unlinkat(dir, "public/tile/entries/000.p/4", 0), 0);
    assert_code(reopen(), PP_E_NOT_FOUND);
}

/* W27_T5, A11.7: files of an older day under a newer checkpoint, or the other way round. */
static void w27_t5_a_bare_restore_is_noticed(void **state)
{
    (void)state;
    struct pp_buf old = { 0 };

    assert_ok(reopen());
    fill(2);
    assert_ok(pp_file_read(dir, "signed", PP_LOG_NOTE_MAX, &old));
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW + 5));
    assert_ok(publish());
    assert_ok(pp_file_write(dir, "signed", 0600, pp_buf_span(&old)));
    assert_code(reopen(), PP_E_PROOF);
    pp_buf_done(&old);
}

static void a_changed_entry_is_noticed(void **state)
{
    (void)state;
    struct pp_buf b = { 0 };

    assert_ok(reopen());
    fill(2);
    assert_ok(pp_file_read(dir, "public/tile/entries/000.p/3", 1 << 20, &b));
    b.bytes[b.len - 3] ^= 1;
    assert_ok(pp_file_write(dir, "public/tile/entries/000.p/3", 0644, pp_buf_span(&b)));
    assert_false(pp_is_ok(reopen()));
    pp_buf_done(&b);
}

static void a_damaged_batch_that_waits_is_noticed_and_kept(void **state)
{
    (void)state;

    assert_ok(reopen());
    first_batch();
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_ok(pp_file_write(dir, "pending/0000000000000001", 0600, PP_STR("damaged")));
    assert_code(reopen(), PP_E_TRUNCATED);
    assert_int_equal(faccessat(dir, "pending/0000000000000001", F_OK, 0), 0);
}

static void what_a_killed_process_was_writing_is_removed(void **state)
{
    (void)state;
    static const char *const leftovers[] = { "signed.77.tmp", "pending/0000000000000009.77.tmp",
                                             "public/checkpoint.77.tmp",
                                             "public/tile/entries/000.p/7.77.tmp" };

    assert_ok(reopen());
    fill(2);
    for (size_t i = 0; i < PP_ARRAY_COUNT(leftovers); i++) {
        int fd = openat(dir, leftovers[i], O_CREAT | O_WRONLY, 0600);
        assert_true(fd >= 0);
        close(fd);
    }
    assert_ok(reopen());
    for (size_t i = 0; i < PP_ARRAY_COUNT(leftovers); i++)
        assert_int_equal(faccessat(dir, leftovers[i], F_OK, 0), -1);
    assert_int_equal(pp_log_store_size(&sequencer.store), 3);
}

/* Two sequencers on one folder would sign two histories. */
static void the_folder_has_one_sequencer_at_a_time(void **state)
{
    (void)state;
    static struct pp_sequencer second;
    struct pp_sequencer_config c = config_of(PP_RECORD_DEV);

    assert_ok(reopen());
    c.dir = open(folder, O_RDONLY | O_DIRECTORY);
    assert_code(pp_sequencer_open(&second, &c), PP_E_STATE_IN_USE);
    pp_sequencer_done(&second);
    close(c.dir);
}

static void another_key_does_not_open_the_log(void **state)
{
    (void)state;
    struct pp_note_signer other = test_signer(ORIGIN, PP_NOTE_ED25519, 77);
    struct pp_sequencer_config c = config_of(PP_RECORD_DEV);

    c.log.signers = &other;
    pp_sequencer_done(&sequencer);
    assert_code(pp_sequencer_open(&sequencer, &c), PP_E_LEDGER_SIGNATURE);
    pp_note_signer_done(&other);
}

static void a_full_disk_changes_nothing(void **state)
{
    (void)state;
    struct rlimit old;

    assert_ok(reopen());
    fill(1);
    first_batch();
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit small = { 100, old.rlim_max };
    begin_batch();
    add_hosts(2);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    pp_res r = pp_sequencer_submit(&sequencer, pp_wr_done(&batch), NOW, &answer);
    pp_res c = pp_sequencer_close_batch(&sequencer, NOW + 1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_code(r, PP_E_SYSTEM);
    assert_code(c, PP_E_SYSTEM);
    assert_int_equal(pp_log_store_size(&sequencer.store), 2);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW + 1));
    assert_ok(reopen());
    assert_int_equal(pp_log_store_size(&sequencer.store), 4);
}

/* --- crashes ------------------------------------------------------------------------------- */

/* What the doomed child tells before it dies, whole lines of fixed size. */
struct progress {
    uint32_t is_signed; /* 1: a signed tree; 0: a batch that was called pending */
    uint64_t size;
    struct pp_merkle_hash root;
    struct pp_record_id id;
};

static void tell(int out, const struct progress *p)
{
    if (write(out, p, sizeof *p) != (ssize_t)sizeof *p)
        _exit(3);
}

static uint64_t last_host_serial(void)
{
    return sequencer.admission.rules.state.serials[PP_RECORD_HOST_SET][0];
}

/* Submits, closes and publishes until it is killed. */
static void work(int out)
{
    /* Secrets are wiped in forked processes, so the child makes its keys anew. */
    if (make_people(NULL) != 0 || !pp_is_ok(reopen()))
        _exit(2);
    for (uint64_t serial = last_host_serial() + 1;; serial++) {
        struct progress p = { 0 };
        begin_batch();
        add_hosts(serial);
        if (submit(NOW + serial) != PP_SEQUENCER_PENDING)
            _exit(4);
        p.id = answer.ids[0];
        tell(out, &p);
        if (serial % 3 == 0) /* some batches wait for the next */
            continue;
        if (!pp_is_ok(pp_sequencer_close_batch(&sequencer, NOW + serial)))
            _exit(5);
        p = (struct progress){
            1, pp_log_store_size(&sequencer.store), sequencer.store.root, { { 0 } }
        };
        tell(out, &p);
        if (!pp_is_ok(publish()))
            _exit(6);
    }
}

static uint64_t dice = 88172645463325252U;

static uint64_t roll(uint64_t sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice % sides;
}

/* Reads until `count` steps were told, then kills a moment later. */
static size_t run_and_kill(struct progress *told, size_t cap, size_t count)
{
    int pipes[2];
    size_t got = 0;

    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        close(pipes[0]);
        work(pipes[1]);
    }
    close(pipes[1]);
    while (got < count && read(pipes[0], &told[got], sizeof *told) == (ssize_t)sizeof *told)
        got++;
    struct timespec moment = { 0, (long)roll(1500000) };
    (void)ppoll(NULL, 0, &moment, NULL);
    kill(child, SIGKILL);
    while (got < cap && read(pipes[0], &told[got], sizeof *told) == (ssize_t)sizeof *told)
        got++;
    close(pipes[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status))
        print_error("the child left by itself with status %d\n", WEXITSTATUS(status));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return got;
}

static int is_waiting(const struct pp_record_id *id)
{
    for (size_t i = 0; i < sequencer.pending_count; i++) {
        struct pp_note n;
        struct pp_record_id own;
        struct pp_span b = pp_buf_span(&sequencer.pending[i].batch);
        assert_ok(pp_note_parse(pp_span(b.at + 4, b.len - 4), &n));
        pp_record_id_of(n.text, &own);
        if (pp_record_id_same(&own, id))
            return 1;
    }
    return 0;
}

static int is_logged(const struct pp_record_id *id)
{
    for (size_t i = 0; i < sequencer.id_count; i++)
        if (pp_record_id_same(&sequencer.ids[i], id))
            return 1;
    return 0;
}

static void check_told(const struct progress *p)
{
    if (!p->is_signed) {
        assert_true(is_logged(&p->id) || is_waiting(&p->id));
        return;
    }
    assert_true(p->size <= pp_log_store_size(&sequencer.store));
    static struct pp_tile_tree tree;
    struct pp_merkle_range range;
    struct pp_merkle_hash root;
    tree = (struct pp_tile_tree){ .source = pp_log_store_source(&sequencer.store),
                                  .size = pp_log_store_size(&sequencer.store) };
    struct pp_merkle_nodes nodes = pp_tile_nodes(&tree);
    assert_ok(pp_merkle_range_load(p->size, &nodes, &range));
    pp_merkle_range_root(&range, &root);
    assert_true(pp_merkle_same(&root, &p->root));
}

/*
 * A4, A6: killed at any instant, the log opens, holds every tree that it ever signed as a
 * beginning of the one it has, and every batch that it called pending. PP_CRASH_ROUNDS makes it
 * longer.
 */
static void a6_killed_at_any_instant_the_log_never_signs_another_tree(void **state)
{
    (void)state;
    static struct progress told[64];
    const char *rounds_text = getenv("PP_CRASH_ROUNDS");
    unsigned long rounds = rounds_text == NULL ? 150 : strtoul(rounds_text, NULL, 10);
    uint64_t size = 0;

    for (unsigned long i = 0; i < rounds; i++) {
        size_t count = run_and_kill(told, PP_ARRAY_COUNT(told), 1 + roll(6));
        assert_ok(reopen());
        for (size_t k = 0; k < count; k++)
            check_told(&told[k]);
        assert_true(pp_log_store_size(&sequencer.store) >= size);
        size = pp_log_store_size(&sequencer.store);
        pp_sequencer_done(&sequencer);
        if (size > 120) { /* begin anew: opening reads every entry */
            assert_int_equal(remove_folder(state), 0);
            assert_int_equal(make_folder(state), 0);
            size = 0;
        }
    }
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

static const struct CMUnitTest TESTS[] = {
    IN_FOLDER(a_new_log_is_empty_and_made_once),
    IN_FOLDER(a_batch_is_logged_and_closed_by_a_status),
    IN_FOLDER(what_was_logged_is_there_after_a_restart),
    IN_FOLDER(the_bundle_holds_the_status_and_all_that_it_names),
    IN_FOLDER(the_bundle_brings_the_blobs_that_lie_in_the_folder),
    IN_FOLDER(a_batch_is_taken_whole_or_not_at_all),
    IN_FOLDER(malformed_framing_is_refused),
    IN_FOLDER(a_batch_has_a_limit_of_entries),
    IN_FOLDER(waiting_batches_have_a_limit),
    IN_FOLDER(an_entry_waits_once),
    IN_FOLDER(prod_publishes_on_the_hour_and_with_a_revocation),
    IN_FOLDER(a_batch_that_came_too_late_is_dropped_and_told),
    IN_FOLDER(partial_tiles_go_when_the_full_one_is_published),
    IN_FOLDER(tiles_beyond_the_signed_tree_are_not_served),
    IN_FOLDER(lost_tiles_are_made_again_and_lost_entries_are_not),
    IN_FOLDER(w27_t5_a_bare_restore_is_noticed),
    IN_FOLDER(a_changed_entry_is_noticed),
    IN_FOLDER(a_damaged_batch_that_waits_is_noticed_and_kept),
    IN_FOLDER(what_a_killed_process_was_writing_is_removed),
    IN_FOLDER(the_folder_has_one_sequencer_at_a_time),
    IN_FOLDER(another_key_does_not_open_the_log),
    IN_FOLDER(a_full_disk_changes_nothing),
    IN_FOLDER(a6_killed_at_any_instant_the_log_never_signs_another_tree),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make_people, drop_people);
}
