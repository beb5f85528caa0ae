/* SPDX-License-Identifier: Apache-2.0 */
/* What a witness remembers: stored before it speaks, believed only if it wrote it itself. */
#include "tlog_test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "book_int.h"

enum { NOW = 1700000000 };

static char folder[] = "/tmp/pp-test-book-XXXXXX";
static int dir = -1;
static struct pp_note_signer log_signer, second_log_key, own, other;
static struct pp_witness_book book;
static struct test_text request_text, note_text, vkeys[3];
static uint8_t line_bytes[PP_NOTE_LINE_BYTES_MAX];

static int make_people(void **state)
{
    if (test_init(state) != 0)
        return -1;
    log_signer = test_signer(ORIGIN, PP_NOTE_ED25519, 1);
    second_log_key = test_signer(ORIGIN, PP_NOTE_ED25519, 2);
    own = test_signer("witness.example", PP_NOTE_COSIGNATURE, 3);
    other = test_signer("witness.example", PP_NOTE_COSIGNATURE, 4);
    return 0;
}

static int drop_people(void **state)
{
    (void)state;
    pp_note_signer_done(&log_signer);
    pp_note_signer_done(&second_log_key);
    pp_note_signer_done(&own);
    pp_note_signer_done(&other);
    return 0;
}

static int make_folder(void **state)
{
    (void)state;
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    if (mkdtemp(folder) == NULL)
        return -1;
    dir = open(folder, O_RDONLY | O_DIRECTORY);
    assert_ok(pp_witness_book_create(dir));
    return dir < 0;
}

static struct pp_span vkey_of(const struct pp_note_signer *s)
{
    static size_t next;
    struct test_text *t = &vkeys[next++ % PP_ARRAY_COUNT(vkeys)];

    pp_vkey_write(test_begin(t), &s->key);
    return test_end(t);
}

/* The witness as after a start: nothing but its key and what is on the disk. */
static pp_res reopen_as(const struct pp_note_signer *signer)
{
    if (dir >= 0)
        close(dir);
    dir = open(folder, O_RDONLY | O_DIRECTORY);
    book = (struct pp_witness_book){ .dir = dir, .signer = signer };
    assert_ok(pp_witness_book_add(&book, vkey_of(&log_signer)));
    return pp_witness_book_load(&book);
}

static void state_path(char path[PP_WITNESS_ID_CHARS + 16])
{
    snprintf(path, PP_WITNESS_ID_CHARS + 16, "states/%s", book.pages[0].id);
}

static int remove_folder(void **state)
{
    char path[PP_WITNESS_ID_CHARS + 16];

    (void)state;
    state_path(path);
    (void)unlinkat(dir, path, 0);
    (void)unlinkat(dir, "states", AT_REMOVEDIR);
    close(dir);
    dir = -1;
    return rmdir(folder); /* fails, and the test with it, if anything else was left */
}

/* The root of the tree of `size` entries, one byte each. */
static struct pp_merkle_hash root_of(uint64_t size)
{
    struct pp_merkle_range range = { 0 };
    struct pp_merkle_hash hash;

    for (uint64_t i = 0; i < size; i++) {
        uint8_t entry = (uint8_t)i;
        pp_merkle_leaf(pp_span(&entry, 1), &hash);
        assert_ok(pp_merkle_append(&range, &hash, NULL));
    }
    pp_merkle_range_root(&range, &hash);
    return hash;
}

/* A request that was decided: the tree of `size` entries. */
static void request_of(uint64_t size, struct pp_witness_request *ret)
{
    static char checkpoint[256];
    struct pp_merkle_hash root = root_of(size);
    struct pp_wr c = pp_wr_over(checkpoint, sizeof checkpoint);
    struct pp_merkle_path none = { 0 };

    pp_checkpoint_write(&c, PP_STR(ORIGIN), size, &root);
    assert_ok(pp_note_write(test_begin(&note_text), pp_wr_done(&c), &log_signer, 1));
    pp_witness_request_write(test_begin(&request_text), 0, &none, test_end(&note_text));
    assert_ok(pp_witness_request_parse(test_end(&request_text), ret));
}

static pp_res cosign(uint64_t size, struct pp_span *ret_line)
{
    struct pp_witness_request r;
    struct pp_wr wr = pp_wr_over(line_bytes, sizeof line_bytes);

    request_of(size, &r);
    struct pp_witness_state next = { r.checkpoint.size, r.checkpoint.root };
    pp_res res = pp_witness_book_cosign(&book, &book.pages[0], &r, &next, NOW, &wr);
    *ret_line = pp_wr_done(&wr);
    return res;
}

/* --- the table of logs ------------------------------------------------------------------------ */

static void a_log_is_a_key_and_an_origin_that_is_its_name_if_none_is_said(void **state)
{
    (void)state;
    char text[512];

    book = (struct pp_witness_book){ .dir = -1, .signer = &own };
    assert_ok(pp_witness_book_add(&book, vkey_of(&log_signer)));
    assert_non_null(pp_witness_book_find(&book, PP_STR(ORIGIN)));
    assert_ok(pp_witness_book_add(&book, vkey_of(&second_log_key)));
    assert_int_equal(book.count, 1);
    assert_int_equal(book.pages[0].log.key_count, 2);
    assert_code(pp_witness_book_add(&book, vkey_of(&log_signer)), PP_E_DUPLICATE);
    struct pp_span v = vkey_of(&log_signer);
    snprintf(text, sizeof text, "%.*s another.example/log", (int)v.len, (const char *)v.at);
    assert_ok(pp_witness_book_add(&book, pp_span_cstr(text)));
    assert_int_equal(book.count, 2);
    assert_null(pp_witness_book_find(&book, PP_STR("unknown.example")));
    assert_null(pp_witness_book_find(&book, PP_STR("")));
}

static void a_line_that_is_no_log_is_refused(void **state)
{
    (void)state;
    char text[1024];
    struct pp_span v = vkey_of(&log_signer);

    book = (struct pp_witness_book){ .dir = -1, .signer = &own };
    assert_code(pp_witness_book_add(&book, vkey_of(&own)), PP_E_UNSUPPORTED);
    for (size_t len = 0; len < v.len; len++)
        assert_false(pp_is_ok(pp_witness_book_add(&book, pp_span(v.at, len))));
    snprintf(text, sizeof text, "%.*s ", (int)v.len, (const char *)v.at);
    assert_code(pp_witness_book_add(&book, pp_span_cstr(text)), PP_E_FORMAT);
    for (int over = 0; over <= 1; over++) {
        snprintf(text, sizeof text, "%.*s %0*d", (int)v.len, (const char *)v.at,
                 PP_WITNESS_ORIGIN_MAX + over, 0);
        assert_code(pp_witness_book_add(&book, pp_span_cstr(text)), over ? PP_E_LIMIT : PP_E_OK);
    }
    assert_int_equal(book.count, 1);
}

static void logs_and_their_keys_have_limits(void **state)
{
    (void)state;
    static char texts[PP_WITNESS_LOGS_MAX + 1][512];
    static struct pp_note_signer more[PP_WITNESS_KEYS_MAX + 1];
    struct pp_span v = vkey_of(&log_signer);

    book = (struct pp_witness_book){ .dir = -1, .signer = &own };
    for (size_t i = 0; i <= PP_WITNESS_LOGS_MAX; i++) {
        snprintf(texts[i], sizeof texts[i], "%.*s log%zu.example", (int)v.len, (const char *)v.at,
                 i);
        assert_code(pp_witness_book_add(&book, pp_span_cstr(texts[i])),
                    i < PP_WITNESS_LOGS_MAX ? PP_E_OK : PP_E_LIMIT);
    }
    book = (struct pp_witness_book){ .dir = -1, .signer = &own };
    for (size_t i = 0; i <= PP_WITNESS_KEYS_MAX; i++) {
        more[i] = test_signer(ORIGIN, PP_NOTE_ED25519, (uint8_t)(100 + i));
        struct pp_wr wr = pp_wr_over(texts[i], sizeof texts[i]);
        pp_vkey_write(&wr, &more[i].key);
        assert_code(pp_witness_book_add(&book, pp_wr_done(&wr)),
                    i < PP_WITNESS_KEYS_MAX ? PP_E_OK : PP_E_LIMIT);
        pp_note_signer_done(&more[i]);
    }
}

/* --- states ----------------------------------------------------------------------------------- */

static void what_was_cosigned_is_known_after_a_restart(void **state)
{
    (void)state;
    struct pp_note_signers signers;
    struct pp_buf b = { 0 };
    struct pp_span line;
    struct pp_note n;

    assert_ok(reopen_as(&own));
    assert_int_equal(book.pages[0].state.size, 0);
    assert_code(pp_witness_book_note(&book, pp_span_cstr(book.pages[0].id), &b), PP_E_NOT_FOUND);
    assert_ok(cosign(5, &line));
    assert_int_equal(book.pages[0].state.size, 5);
    assert_ok(reopen_as(&own));
    assert_int_equal(book.pages[0].state.size, 5);
    struct pp_merkle_hash root = root_of(5);
    assert_true(pp_merkle_same(&book.pages[0].state.root, &root));

    /* The stored note is what the monitoring endpoint serves: the log's line and ours. */
    struct pp_note_key both[] = { log_signer.key, own.key };
    assert_ok(pp_witness_book_note(&book, pp_span_cstr(book.pages[0].id), &b));
    assert_ok(pp_note_parse(pp_buf_span(&b), &n));
    assert_int_equal(n.line_count, 2);
    assert_ok(pp_note_open(&n, both, 2, &signers));
    assert_int_equal(signers.set, 3);
    assert_int_equal(signers.times[1], NOW);
    pp_buf_done(&b);
    assert_code(pp_witness_book_note(&book, PP_STR("00"), &b), PP_E_NOT_FOUND);
}

static void lines_of_strangers_are_not_stored(void **state)
{
    (void)state;
    struct pp_witness_request r;
    struct pp_wr wr = pp_wr_over(line_bytes, sizeof line_bytes);
    static struct test_text padded;
    struct pp_buf b = { 0 };
    struct pp_note n;

    assert_ok(reopen_as(&own));
    request_of(5, &r);
    pp_wr_text(test_begin(&padded), "old 0\n\n");
    pp_wr_span(&padded.wr, r.note_bytes);
    for (size_t i = 0; i < 20; i++)
        pp_wr_text(&padded.wr, "\xE2\x80\x94 stranger.example AAAAAAA=\n");
    assert_ok(pp_witness_request_parse(test_end(&padded), &r));
    struct pp_witness_state next = { r.checkpoint.size, r.checkpoint.root };
    assert_ok(pp_witness_book_cosign(&book, &book.pages[0], &r, &next, NOW, &wr));
    assert_ok(pp_witness_book_note(&book, pp_span_cstr(book.pages[0].id), &b));
    assert_ok(pp_note_parse(pp_buf_span(&b), &n));
    assert_int_equal(n.line_count, 2);
    pp_buf_done(&b);
}

/* Starting over from nothing would let a log show a second history. */
static void a_state_that_this_witness_did_not_write_stops_it(void **state)
{
    (void)state;
    char path[PP_WITNESS_ID_CHARS + 16];
    struct pp_buf b = { 0 };
    struct pp_span line;

    assert_ok(reopen_as(&own));
    assert_ok(cosign(5, &line));
    state_path(path);
    assert_ok(pp_file_read(dir, path, PP_WITNESS_NOTE_MAX, &b));
    for (size_t len = 0; len < b.len; len += 7) {
        assert_ok(pp_file_write(dir, path, 0600, pp_span(b.bytes, len)));
        assert_false(pp_is_ok(reopen_as(&own)));
    }
    for (size_t i = 0; i < sizeof ORIGIN + 40; i++) { /* the whole checkpoint text */
        b.bytes[i] ^= 1;
        assert_ok(pp_file_write(dir, path, 0600, pp_buf_span(&b)));
        assert_false(pp_is_ok(reopen_as(&own)));
        b.bytes[i] ^= 1;
    }
    assert_ok(pp_file_write(dir, path, 0600, pp_buf_span(&b)));
    assert_code(reopen_as(&other), PP_E_SIGNATURE);
    assert_ok(reopen_as(&own));
    pp_buf_done(&b);
}

/* A witness that has changed its key remembers what it cosigned with the one before. */
static void what_the_previous_key_cosigned_still_binds(void **state)
{
    (void)state;
    struct pp_span line;

    assert_ok(reopen_as(&own));
    assert_ok(cosign(5, &line));
    for (int known = 0; known <= 1; known++) {
        close(dir);
        dir = open(folder, O_RDONLY | O_DIRECTORY);
        book = (struct pp_witness_book){ .dir = dir, .signer = &other };
        book.previous = known ? &own.key : &second_log_key.key;
        assert_ok(pp_witness_book_add(&book, vkey_of(&log_signer)));
        assert_code(pp_witness_book_load(&book), known ? PP_E_OK : PP_E_SIGNATURE);
    }
    assert_int_equal(book.pages[0].state.size, 5);
    assert_ok(cosign(9, &line)); /* from here on the new key alone is enough */
    assert_ok(reopen_as(&other));
    assert_int_equal(book.pages[0].state.size, 9);
    assert_code(reopen_as(&own), PP_E_SIGNATURE);
}

static void a_state_under_another_log_s_name_stops_it(void **state)
{
    (void)state;
    struct pp_witness_state s;
    struct pp_buf b = { 0 };
    struct pp_span line;

    assert_ok(reopen_as(&own));
    assert_ok(cosign(5, &line));
    assert_ok(pp_witness_book_note(&book, pp_span_cstr(book.pages[0].id), &b));
    assert_ok(pp_witness_state_read(pp_buf_span(&b), &own.key, PP_STR(ORIGIN), &s));
    assert_code(pp_witness_state_read(pp_buf_span(&b), &own.key, PP_STR("other.example"), &s),
                PP_E_FORMAT);
    pp_buf_done(&b);
}

static void a_folder_has_one_witness_at_a_time(void **state)
{
    (void)state;
    struct pp_witness_book second = { .signer = &own };

    assert_ok(reopen_as(&own));
    second.dir = open(folder, O_RDONLY | O_DIRECTORY);
    assert_code(pp_witness_book_load(&second), PP_E_STATE_IN_USE);
    close(second.dir);
    assert_code(pp_witness_book_create(dir), PP_E_EXISTS);
}

static void on_a_full_disk_nothing_is_cosigned(void **state)
{
    (void)state;
    struct rlimit old;
    struct pp_span line;

    assert_ok(reopen_as(&own));
    assert_ok(cosign(5, &line));
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit small = { 100, old.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    pp_res r = cosign(9, &line);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_false(pp_is_ok(r));
    assert_int_equal(line.len, 0);
    assert_int_equal(book.pages[0].state.size, 5);
    assert_ok(reopen_as(&own));
    assert_int_equal(book.pages[0].state.size, 5);
    assert_ok(cosign(9, &line));
}

static void a_time_that_no_cosignature_may_have_stores_nothing(void **state)
{
    (void)state;
    struct pp_witness_request r;
    struct pp_wr wr = pp_wr_over(line_bytes, sizeof line_bytes);

    assert_ok(reopen_as(&own));
    request_of(5, &r);
    struct pp_witness_state next = { r.checkpoint.size, r.checkpoint.root };
    assert_code(pp_witness_book_cosign(&book, &book.pages[0], &r, &next, 0, &wr), PP_E_RANGE);
    assert_int_equal(wr.len, 0);
    assert_ok(reopen_as(&own));
    assert_int_equal(book.pages[0].state.size, 0);
}

/* --- crashes ---------------------------------------------------------------------------------- */

/* Cosigns one tree after the other, and tells each size once its line could leave. */
static void work(int out, uint64_t size)
{
    struct pp_span line;

    /* Secrets are wiped in forked processes, so the child makes its keys anew. */
    if (make_people(NULL) != 0 || !pp_is_ok(reopen_as(&own)))
        _exit(2);
    for (;; size++) {
        if (!pp_is_ok(cosign(1 + size % 200, &line)))
            _exit(3);
        uint64_t told = 1 + size % 200;
        if (write(out, &told, sizeof told) != (ssize_t)sizeof told)
            _exit(4);
    }
}

/* Kills the child after `count` cosignatures and a moment; returns the size that it told last. */
static uint64_t run_and_kill(uint64_t first, unsigned count, long moment_ns)
{
    uint64_t told = 0;
    uint64_t last = 0;
    int pipes[2];
    int status;

    close(dir); /* the child takes the lock */
    dir = -1;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        close(pipes[0]);
        work(pipes[1], first);
    }
    close(pipes[1]);
    for (unsigned i = 0; i < count && read(pipes[0], &told, sizeof told) == sizeof told; i++)
        last = told;
    struct timespec moment = { 0, moment_ns };
    (void)ppoll(NULL, 0, &moment, NULL);
    kill(child, SIGKILL);
    while (read(pipes[0], &told, sizeof told) == sizeof told)
        last = told;
    close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return last;
}

/* A7, A8: killed at any instant, the witness knows at least what it cosigned last. */
static void a8_killed_at_any_instant_the_witness_never_goes_behind_its_word(void **state)
{
    (void)state;
    uint64_t size = 0;

    assert_ok(reopen_as(&own));
    for (unsigned i = 0; i < 40; i++) {
        uint64_t told = run_and_kill(size, 1 + i % 5, (long)(i * 7919 % 40) * 20000);
        assert_ok(reopen_as(&own));
        uint64_t stored = book.pages[0].state.size;
        /* What was stored and not told is the next one, and no other. */
        assert_true(stored == told || stored == told % 200 + 1);
        struct pp_merkle_hash root = root_of(stored);
        assert_true(pp_merkle_same(&book.pages[0].state.root, &root));
        size = stored;
    }
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_log_is_a_key_and_an_origin_that_is_its_name_if_none_is_said),
    cmocka_unit_test(a_line_that_is_no_log_is_refused),
    cmocka_unit_test(logs_and_their_keys_have_limits),
    IN_FOLDER(what_was_cosigned_is_known_after_a_restart),
    IN_FOLDER(lines_of_strangers_are_not_stored),
    IN_FOLDER(a_state_that_this_witness_did_not_write_stops_it),
    IN_FOLDER(what_the_previous_key_cosigned_still_binds),
    IN_FOLDER(a_state_under_another_log_s_name_stops_it),
    IN_FOLDER(a_folder_has_one_witness_at_a_time),
    IN_FOLDER(on_a_full_disk_nothing_is_cosigned),
    IN_FOLDER(a_time_that_no_cosignature_may_have_stores_nothing),
    IN_FOLDER(a8_killed_at_any_instant_the_witness_never_goes_behind_its_word),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make_people, drop_people);
}
