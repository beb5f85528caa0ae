/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds over a log in a folder: growing, going on, and what a damaged copy or a huge log does. */
#include "monitor_world.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "monitor_run.h"

static char folder[64], log_folder[80], state_folder[80];
static struct pp_monitor_copy log_files;
static struct pp_monitor_run run;
static struct pp_monitor_run_config config;
static struct test_text note;
static uint64_t now_s;

static uint64_t test_posix_ms(void *ctx)
{
    (void)ctx;
    return now_s * 1000;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/pp-monitor-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(log_folder, sizeof log_folder, "%s/log", folder);
    snprintf(state_folder, sizeof state_folder, "%s/state", folder);
    if (mkdir(log_folder, 0755) != 0)
        return -1;
    pp_monitor_copy_init(&log_files, open(log_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), 1);
    world_begin(PP_RECORD_DEV);
    now_s = NOW + 60;
    config = (struct pp_monitor_run_config){
        .folder = state_folder,
        .places = { log_folder },
        .place_count = 1,
        .origin = PP_STR(ORIGIN),
        .log = &log_policy,
        .keys = &rules_config.keys,
        .name_space = PP_STR(NAMESPACE),
        .environment = PP_RECORD_DEV,
        .images = PP_MONITOR_IMAGES_SKIP,
        .witness_late_s = PP_MONITOR_WITNESS_S,
        .clock = { .posix_ms = test_posix_ms },
    };
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    pp_monitor_run_close(&run);
    pp_monitor_copy_done(&log_files);
    return nftw(folder, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

/* The log writes its files up to what the history has, and the checkpoint. */
static void publish(uint64_t time, unsigned witnesses)
{
    while (log_files.range.size < honest.count) {
        uint64_t i = log_files.range.size;
        struct pp_merkle_hash leaf;
        history_leaf(&honest, i, &leaf);
        assert_ok(pp_monitor_copy_append(
            &log_files, pp_span(honest.entries[i].bytes, honest.entries[i].len), &leaf));
    }
    assert_ok(pp_monitor_copy_flush(&log_files));
    assert_ok(pp_file_write(log_files.dir_fd, "checkpoint", 0644,
                            history_note(&note, &honest, honest.count, time, witnesses)));
}

static void begin(void)
{
    struct pp_problem problem = { 0 };
    pp_res r = pp_monitor_run_open(&config, &run, &problem);

    if (!pp_is_ok(r))
        print_error("%s: %s / %s\n", problem.field, problem.expected, problem.got);
    assert_ok(r);
}

static void one_round(void)
{
    pp_monitor_store_round(&run.store);
    assert_ok(pp_monitor_run_round(&run));
    for (size_t i = 0; i < run.store.finding_count; i++) {
        const struct pp_monitor_finding *f = &run.store.findings[i].finding;
        print_message("%s, %s: %s (%s)\n", pp_code_name(f->code), f->who, f->subject, f->words.got);
    }
}

static void a_log_is_followed_through_full_bundles_and_restarts(void **state)
{
    (void)state;
    history_first_batch(&honest);
    for (uint64_t serial = 2; honest.count < 300; serial += 25) {
        for (uint64_t i = 0; i < 25 && serial < 40; i++)
            history_hosts(&honest, serial + i);
        while (serial >= 40 && honest.count % 64 != 0) /* the tables of this test are small */
            history_status(&honest, NOW);
        history_status(&honest, NOW);
        publish(NOW, ALL);
        begin();
        one_round();
        assert_int_equal(run.monitor->tree.size, honest.count);
        assert_int_equal(run.monitor->rules.state.entries, honest.count);
        assert_int_equal(run.store.finding_count, 0);
        assert_int_equal(run.unread, 0);
        assert_ok(pp_monitor_copy_check(&run.copy));
        pp_monitor_run_close(&run);
    }
}

static void a_damaged_copy_is_read_again_and_accuses_nobody(void **state)
{
    char path[160];

    (void)state;
    history_first_batch(&honest);
    publish(NOW, ALL);
    begin();
    one_round();
    pp_monitor_run_close(&run);
    snprintf(path, sizeof path, "%s/copy/tile/entries/000.p/7", state_folder);
    struct pp_buf b;
    assert_ok(pp_file_read(AT_FDCWD, path, 1 << 20, &b));
    b.bytes[100] ^= 1;
    assert_ok(pp_file_write(AT_FDCWD, path, 0644, pp_buf_span(&b)));
    pp_buf_done(&b);
    begin();
    assert_int_equal(run.monitor->tree.size, 7); /* what was verified is still known */
    assert_int_equal(run.copy.range.size, 0);
    one_round();
    assert_int_equal(run.copy.range.size, 7);
    assert_int_equal(run.monitor->rules.state.entries, 7);
    assert_int_equal(run.store.finding_count, 0);
    assert_ok(pp_monitor_copy_check(&run.copy));
}

static void what_lacks_its_quorum_is_not_kept(void **state)
{
    (void)state;
    history_first_batch(&honest);
    publish(NOW, ALL);
    begin();
    one_round();
    history_hosts(&honest, 2);
    history_status(&honest, NOW + 30);
    publish(NOW + 30, 1);
    one_round();
    assert_int_equal(run.store.finding_count, 1);
    assert_int_equal(run.store.findings[0].finding.code, PP_E_LEDGER_QUORUM);
    assert_int_equal(run.monitor->tree.size, 7);
    assert_int_equal(run.copy.range.size, 7);
    publish(NOW + 40, ALL);
    one_round();
    assert_int_equal(run.store.findings[0].is_present, 0);
    assert_int_equal(run.monitor->tree.size, 9);
}

/* Signed by everybody, and larger than any ledger: nobody gets the monitor to read for ever. */
static void a_log_beyond_the_limit_is_not_read(void **state)
{
    char text[PP_CHECKPOINT_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    const struct pp_merkle_hash root = { { 7 } };

    (void)state;
    pp_checkpoint_write(&wr, PP_STR(ORIGIN), PP_MONITOR_ENTRIES_MAX + 1, &root);
    assert_ok(pp_note_write(test_begin(&note), pp_wr_done(&wr), &signers[TEST_LOG], 1));
    for (unsigned i = 0; i < WORLD_WITNESSES; i++)
        assert_ok(pp_cosign_line_write(&note.wr, &witness_keys[i], NOW, pp_wr_done(&wr)));
    assert_ok(pp_file_write(log_files.dir_fd, "checkpoint", 0644, test_end(&note)));
    begin();
    one_round();
    assert_int_equal(run.places[0].code, PP_E_LIMIT);
    assert_int_equal(run.unread, 1);
    config.opaque = 1; /* another's log may be as large as it is: its files are what is missing */
    pp_monitor_run_close(&run);
    assert_int_equal(nftw(state_folder, remove_one, 16, FTW_PHYS | FTW_DEPTH), 0);
    begin();
    one_round();
    assert_int_equal(run.places[0].code, PP_E_LOG_MISSING);
}

static void images_and_lists_are_looked_for_by_their_digest(void **state)
{
    char path[200] = "";

    (void)state;
    history_first_batch(&honest);
    publish(NOW, ALL);
    config.images = PP_MONITOR_IMAGES_FOLDER;
    config.images_folder = folder;
    /* The files are found by their digests, and then compared: no byte has a digest of zeros. */
    snprintf(path, sizeof path, "%s/%064d", folder, 0);
    assert_ok(pp_file_write(AT_FDCWD, path, 0644, PP_STR("x")));
    begin();
    one_round();
    assert_int_equal(run.pending_count, 2); /* it, and the list of machines */
    assert_true(run.store.finding_count >= 1);
    assert_int_equal(run.store.findings[0].finding.code, PP_E_LEDGER_UNPUBLISHED);
    assert_string_equal(run.store.findings[0].finding.words.field, "SHA-256");
}

#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

static const struct CMUnitTest TESTS[] = {
    IN_FOLDER(a_log_is_followed_through_full_bundles_and_restarts),
    IN_FOLDER(a_damaged_copy_is_read_again_and_accuses_nobody),
    IN_FOLDER(what_lacks_its_quorum_is_not_kept),
    IN_FOLDER(a_log_beyond_the_limit_is_not_read),
    IN_FOLDER(images_and_lists_are_looked_for_by_their_digest),
};

int main(void)
{
    pp_monitor_store_init(&run.store);
    pp_monitor_copy_init(&run.copy, -1, 0);
    pp_monitor_copy_init(&log_files, -1, 0);
    return cmocka_run_group_tests(TESTS, world_make, world_drop);
}
