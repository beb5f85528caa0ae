/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's folder: a copy that is believed after its root alone, findings that stay. */
#include "monitor_world.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file.h"
#include "monitor_store.h"

static char folder[64];
static struct pp_monitor_copy copy;
static struct pp_monitor_store store;
static struct pp_monitor_state state_a;

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/pp-monitor-XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

static int remove_folder(void **state)
{
    (void)state;
    pp_monitor_store_close(&store);
    pp_monitor_copy_done(&copy);
    return nftw(folder, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

/* --- the copy --------------------------------------------------------------------------------- */

static void open_copy(int entries)
{
    pp_monitor_copy_init(&copy, open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), entries);
    assert_true(copy.dir_fd >= 0);
}

static void append_entries(uint64_t until)
{
    while (copy.range.size < until) {
        char text[64];
        struct pp_merkle_hash leaf;
        int n = snprintf(text, sizeof text, "entry %llu", (unsigned long long)copy.range.size);
        pp_merkle_leaf(pp_span(text, (size_t)n), &leaf);
        assert_ok(pp_monitor_copy_append(&copy, pp_span(text, (size_t)n), &leaf));
    }
    assert_ok(pp_monitor_copy_flush(&copy));
}

static void a_copy_is_opened_again_at_every_size_it_was_flushed_at(void **state)
{
    static const uint64_t sizes[] = {
        1, 2, 255, 256, 257, 511, 512, 700, 65535, 65536, 65537, 66000
    };
    struct pp_merkle_hash root, again;
    struct pp_merkle_path path;

    (void)state;
    open_copy(1);
    for (size_t i = 0; i < PP_ARRAY_COUNT(sizes); i++) {
        append_entries(sizes[i]);
        struct pp_merkle_range range = copy.range;
        uint64_t before = i == 0 ? 0 : sizes[i - 1];
        pp_monitor_copy_tidy(&copy, before);
        assert_ok(pp_monitor_copy_open(&copy, &range));
        assert_ok(pp_monitor_copy_check(&copy));
        const struct pp_merkle_nodes nodes = pp_monitor_copy_nodes(&copy);
        if (before == 0)
            continue;
        struct pp_merkle_range then;
        assert_ok(pp_merkle_range_load(before, &nodes, &then));
        pp_merkle_range_root(&then, &again);
        pp_merkle_range_root(&range, &root);
        assert_ok(pp_merkle_consistency(before, sizes[i], &nodes, &path));
        assert_ok(pp_merkle_consistency_verify(before, sizes[i], &again, &root, &path));
    }
}

static pp_res compare_entry(void *ctx, struct pp_span entry)
{
    uint64_t *next = ctx;
    char text[64];

    int n = snprintf(text, sizeof text, "entry %llu", (unsigned long long)(*next)++);
    PP_CHECK(pp_span_eq(entry, pp_span(text, (size_t)n)), PP_E_MISMATCH, 0);
    return PP_OK;
}

static void entries_are_read_back_from_anywhere(void **state)
{
    (void)state;
    open_copy(1);
    append_entries(600);
    for (uint64_t from = 0; from < 600; from += 77)
        for (uint64_t until = from; until <= 600; until += 131) {
            uint64_t next = from;
            assert_ok(pp_monitor_copy_each(&copy, from, until, compare_entry, &next));
            assert_int_equal(next, until);
        }
}

static void change(const char *name, long at)
{
    char path[160];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    int c = fgetc(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    assert_int_equal(fputc(c ^ 1, f), c ^ 1);
    assert_int_equal(fclose(f), 0);
}

static void a_copy_that_forgot_a_bit_is_noticed(void **state)
{
    (void)state;
    open_copy(1);
    append_entries(300);
    struct pp_merkle_range range = copy.range;
    change("tile/entries/000", 5);
    assert_ok(pp_monitor_copy_open(&copy, &range));
    assert_code(pp_monitor_copy_check(&copy), PP_E_PROOF);
    change("tile/entries/000", 5);
    change("tile/0/001.p/44", 43 * 32);
    assert_code(pp_monitor_copy_open(&copy, &range), PP_E_PROOF);
    assert_int_equal(copy.range.size, 0); /* and is read again from the log */
    append_entries(300);
    assert_ok(pp_monitor_copy_check(&copy));
}

static void a_reading_that_was_not_good_leaves_the_copy_as_it_was(void **state)
{
    (void)state;
    open_copy(1);
    append_entries(300);
    struct pp_merkle_range range = copy.range;
    struct pp_merkle_hash leaf = { { 0 } };
    for (int i = 0; i < 500; i++)
        assert_ok(pp_monitor_copy_append(&copy, PP_STR("of another tree"), &leaf));
    assert_ok(pp_monitor_copy_open(&copy, &range));
    assert_ok(pp_monitor_copy_check(&copy));
    append_entries(900);
    assert_ok(pp_monitor_copy_check(&copy));
}

static void a_copy_of_hashes_keeps_no_entries(void **state)
{
    char path[160];

    (void)state;
    open_copy(0);
    append_entries(300);
    struct pp_merkle_range range = copy.range;
    assert_ok(pp_monitor_copy_open(&copy, &range));
    snprintf(path, sizeof path, "%s/tile/entries", folder);
    assert_int_not_equal(access(path, F_OK), 0);
}

/* --- findings --------------------------------------------------------------------------------- */

static struct pp_monitor_finding finding_of(unsigned n, enum pp_finding_kind kind)
{
    struct pp_monitor_finding f = { .level = PP_FINDING_ALARM,
                                    .kind = kind,
                                    .code = PP_E_LEDGER_FORK,
                                    .posix_s = NOW,
                                    .who = "log" };

    snprintf(f.subject, sizeof f.subject, "size %u", n);
    return f;
}

static void tell(unsigned n, enum pp_finding_kind kind)
{
    const struct pp_monitor_finding f = finding_of(n, kind);
    const struct pp_monitor_evidence e[] = { { "checkpoint-1", PP_STR("one\n") },
                                             { "checkpoint-2", PP_STR("two\n") } };

    assert_ok(pp_monitor_store_found(&store, &f, e, 2));
}

/* A mirror needs no key to serve another old checkpoint or wrong tile every round. */
static void conditions_leave_room_for_what_only_a_key_can_have_done(void **state)
{
    (void)state;
    assert_ok(pp_monitor_store_open(folder, &store, NULL));
    store.finding_count = PP_MONITOR_CONDITIONS_MAX - 1;
    tell(1, PP_FINDING_CONDITION);
    tell(2, PP_FINDING_CONDITION);
    assert_int_equal(store.finding_count, PP_MONITOR_CONDITIONS_MAX);
    assert_int_equal(store.dropped, 1);
    tell(3, PP_FINDING_FACT);
    assert_int_equal(store.finding_count, PP_MONITOR_CONDITIONS_MAX + 1);
    assert_int_equal(store.findings[PP_MONITOR_CONDITIONS_MAX].is_new, 1);
    assert_int_equal(store.dropped, 1);
    store.finding_count = 0;
}

static void each_finding_is_written_once_with_its_evidence(void **state)
{
    char path[192];
    struct pp_monitor_finding_id id;

    (void)state;
    assert_ok(pp_monitor_store_open(folder, &store, NULL));
    tell(1, PP_FINDING_FACT);
    tell(1, PP_FINDING_FACT);
    tell(2, PP_FINDING_CONDITION);
    assert_int_equal(store.finding_count, 2);
    pp_monitor_store_close(&store);
    assert_ok(pp_monitor_store_open(folder, &store, NULL));
    assert_int_equal(store.finding_count, 2);
    assert_int_equal(store.findings[0].is_present, 1); /* facts stay */
    assert_int_equal(store.findings[1].is_present, 0); /* conditions have to be found again */
    assert_int_equal(pp_monitor_store_level(&store), PP_FINDING_ALARM);
    tell(2, PP_FINDING_CONDITION);
    assert_int_equal(store.finding_count, 2);
    assert_int_equal(store.findings[1].is_new, 0);
    const struct pp_monitor_finding f = finding_of(1, PP_FINDING_FACT);
    pp_monitor_finding_id_of(&f, &id);
    char hex[33] = "";
    struct pp_wr wr = pp_wr_over(hex, 32);
    pp_wr_hex(&wr, PP_BYTES(id.bytes));
    snprintf(path, sizeof path, "%s/evidence/%s/checkpoint-2", folder, hex);
    struct pp_buf b;
    assert_ok(pp_file_read(AT_FDCWD, path, 100, &b));
    assert_true(pp_span_eq(pp_buf_span(&b), PP_STR("two\n")));
    pp_buf_done(&b);
}

static void append_raw(const char *text)
{
    char path[160];

    snprintf(path, sizeof path, "%s/findings", folder);
    FILE *f = fopen(path, "ab");
    assert_non_null(f);
    assert_int_equal(fputs(text, f) < 0, 0);
    assert_int_equal(fclose(f), 0);
}

static void a_half_written_line_is_cut_off_and_found_again(void **state)
{
    (void)state;
    assert_ok(pp_monitor_store_open(folder, &store, NULL));
    tell(1, PP_FINDING_FACT);
    pp_monitor_store_close(&store);
    append_raw("0123456789abcdef\t17");
    assert_ok(pp_monitor_store_open(folder, &store, NULL));
    assert_int_equal(store.finding_count, 1);
    tell(2, PP_FINDING_FACT);
    pp_monitor_store_close(&store);
    assert_ok(pp_monitor_store_open(folder, &store, NULL));
    assert_int_equal(store.finding_count, 2);
}

static void a_findings_file_that_somebody_wrote_in_is_refused(void **state)
{
    (void)state;
    assert_ok(pp_monitor_store_open(folder, &store, NULL));
    pp_monitor_store_close(&store);
    append_raw("nothing was found\n");
    assert_code(pp_monitor_store_open(folder, &store, NULL), PP_E_CONFIG);
}

static void a_second_monitor_in_one_folder_is_refused(void **state)
{
    struct pp_monitor_store second;

    (void)state;
    assert_ok(pp_monitor_store_open(folder, &store, NULL));
    assert_code(pp_monitor_store_open(folder, &second, NULL), PP_E_BUSY);
    pp_monitor_store_close(&second);
}

static void more_findings_than_fit_are_counted_and_alarm(void **state)
{
    (void)state;
    assert_ok(pp_monitor_store_open(folder, &store, NULL));
    store.finding_count = PP_MONITOR_FINDINGS_MAX;
    tell(77, PP_FINDING_CONDITION);
    assert_int_equal(store.dropped, 1);
    assert_int_equal(pp_monitor_store_level(&store), PP_FINDING_ALARM);
    store.finding_count = 0;
}

/* Killed at any instant, what was told to be found is in the file when it is opened again. */
static void killed_at_any_instant_no_finding_is_lost(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 30; round++) {
        int pipe_fds[2];
        unsigned told = 0, n;
        assert_int_equal(pipe(pipe_fds), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)close(pipe_fds[0]);
            if (!pp_is_ok(pp_monitor_store_open(folder, &store, NULL)))
                _exit(1);
            for (n = round * 1000;; n++) {
                const struct pp_monitor_finding f = finding_of(n, PP_FINDING_FACT);
                if (!pp_is_ok(pp_monitor_store_found(&store, &f, NULL, 0)) ||
                    write(pipe_fds[1], &n, sizeof n) != sizeof n)
                    _exit(1);
            }
        }
        (void)close(pipe_fds[1]);
        for (unsigned i = 0; i <= round % 7; i++)
            assert_int_equal(read(pipe_fds[0], &told, sizeof told), sizeof told);
        assert_int_equal(kill(child, SIGKILL), 0);
        while (read(pipe_fds[0], &n, sizeof n) == sizeof n)
            told = n;
        (void)close(pipe_fds[0]);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_ok(pp_monitor_store_open(folder, &store, NULL));
        const struct pp_monitor_finding last = finding_of(told, PP_FINDING_FACT);
        size_t before = store.finding_count;
        assert_ok(pp_monitor_store_found(&store, &last, NULL, 0));
        assert_int_equal(store.finding_count, before); /* it was there */
        pp_monitor_store_close(&store);
    }
}

static void a_state_is_kept(void **state)
{
    (void)state;
    world_begin(PP_RECORD_DEV);
    history_first_batch(&honest);
    world_publish(NOW);
    assert_ok(pp_monitor_store_open(folder, &store, NULL));
    state_a.monitor = &monitor;
    state_a.source_count = state_a.published_count = 0;
    assert_code(pp_monitor_store_load(&store, &state_a), PP_E_NOT_FOUND);
    assert_ok(pp_monitor_store_save(&store, &state_a));
    struct pp_monitor_config c = monitor.config;
    pp_monitor_init(&monitor, &c);
    assert_ok(pp_monitor_store_load(&store, &state_a));
    assert_int_equal(monitor.tree.size, 7);
}

#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

static const struct CMUnitTest TESTS[] = {
    IN_FOLDER(a_copy_is_opened_again_at_every_size_it_was_flushed_at),
    IN_FOLDER(entries_are_read_back_from_anywhere),
    IN_FOLDER(a_copy_that_forgot_a_bit_is_noticed),
    IN_FOLDER(a_reading_that_was_not_good_leaves_the_copy_as_it_was),
    IN_FOLDER(a_copy_of_hashes_keeps_no_entries),
    IN_FOLDER(conditions_leave_room_for_what_only_a_key_can_have_done),
    IN_FOLDER(each_finding_is_written_once_with_its_evidence),
    IN_FOLDER(a_half_written_line_is_cut_off_and_found_again),
    IN_FOLDER(a_findings_file_that_somebody_wrote_in_is_refused),
    IN_FOLDER(a_second_monitor_in_one_folder_is_refused),
    IN_FOLDER(more_findings_than_fit_are_counted_and_alarm),
    IN_FOLDER(killed_at_any_instant_no_finding_is_lost),
    IN_FOLDER(a_state_is_kept),
};

int main(void)
{
    pp_monitor_store_init(&store);
    pp_monitor_copy_init(&copy, -1, 0);
    return cmocka_run_group_tests(TESTS, world_make, world_drop);
}
