/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The witness is killed, or its disk fails, at every call that changes a file, while a log with two
 * histories asks it for both: all that it ever cosigned is of one history (A7, A8).
 *
 * PP_CRASH_ROUNDS makes it longer, and PP_CRASH_SEED tells other rounds.
 */
#include "tlog_test.h"

#include <stdlib.h>
#include <sys/wait.h>

#include "book_int.h"
#include "faults.h"

enum {
    NOW = 1700000000,
    LEAVES = 64,    /* of either history */
    REQUESTS = 12,  /* of one round */
    CALLS_MAX = 60, /* about what a round makes; corrected as rounds go */
    UNTOUCHED = 9,  /* exit status: no call was refused */
    SAID_MAX = 4096,
    ROUNDS_DEFAULT = 300,
};

/* What a process could have told others. */
struct said {
    uint64_t size;
    struct pp_merkle_hash root;
};

static char folder[64];
static int dir = -1;
static struct pp_note_signer log_signer, own;
static struct pp_witness_book book;
static struct test_text request_text, note_text, vkey_text;
static struct said said[SAID_MAX];
static size_t said_count;
static uint64_t fork_at; /* from this entry on, the histories differ */

static unsigned long dice = 88172645463325252U;

static unsigned long roll(unsigned long sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice % sides;
}

/* --- a log with two histories -------------------------------------------------------------- */

struct history {
    int second;
};

static void leaf_of(const struct history *h, uint64_t i, struct pp_merkle_hash *ret)
{
    uint8_t entry = (uint8_t)(h->second && i >= fork_at ? i + LEAVES : i);

    pp_merkle_leaf(pp_span(&entry, 1), ret);
}

static struct pp_merkle_hash root_between(const struct history *h, uint64_t from, uint64_t size)
{
    struct pp_merkle_range range = { 0 };
    struct pp_merkle_hash hash;

    for (uint64_t i = 0; i < size; i++) {
        leaf_of(h, from + i, &hash);
        assert_ok(pp_merkle_append(&range, &hash, NULL));
    }
    pp_merkle_range_root(&range, &hash);
    return hash;
}

static pp_res node_of(void *ctx, unsigned level, uint64_t index, struct pp_merkle_hash *ret)
{
    *ret = root_between(ctx, index << level, UINT64_C(1) << level);
    return PP_OK;
}

static void request_of(struct history *h, uint64_t old, uint64_t size,
                       struct pp_witness_request *ret)
{
    char checkpoint[256];
    struct pp_merkle_hash root = root_between(h, 0, size);
    struct pp_wr c = pp_wr_over(checkpoint, sizeof checkpoint);
    struct pp_merkle_nodes nodes = { node_of, h };
    struct pp_merkle_path proof = { 0 };

    pp_checkpoint_write(&c, PP_STR(ORIGIN), size, &root);
    assert_ok(pp_note_write(test_begin(&note_text), pp_wr_done(&c), &log_signer, 1));
    if (old > 0)
        assert_ok(pp_merkle_consistency(old, size, &nodes, &proof));
    pp_witness_request_write(test_begin(&request_text), old, &proof, test_end(&note_text));
    assert_ok(pp_witness_request_parse(test_end(&request_text), ret));
}

/* --- the witness --------------------------------------------------------------------------- */

static int make_people(void **state)
{
    if (test_init(state) != 0)
        return -1;
    log_signer = test_signer(ORIGIN, PP_NOTE_ED25519, 1);
    own = test_signer("witness.example", PP_NOTE_COSIGNATURE, 3);
    pp_vkey_write(test_begin(&vkey_text), &log_signer.key);
    return 0;
}

static int drop_people(void **state)
{
    (void)state;
    pp_note_signer_done(&log_signer);
    pp_note_signer_done(&own);
    return 0;
}

/* The witness as after a start; on the folder's own descriptor, for its lock ends with that. */
static pp_res open_book(void)
{
    if (dir >= 0)
        (void)close(dir);
    dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    book = (struct pp_witness_book){ .dir = dir, .signer = &own };
    assert_ok(pp_witness_book_add(&book, test_end(&vkey_text)));
    return pp_witness_book_load(&book);
}

static void drop_folder(void)
{
    char path[PP_WITNESS_ID_CHARS + 16];

    if (dir < 0)
        return;
    snprintf(path, sizeof path, "states/%s", book.pages[0].id);
    (void)unlinkat(dir, path, 0);
    (void)unlinkat(dir, "states", AT_REMOVEDIR);
    (void)close(dir);
    dir = -1;
    assert_int_equal(rmdir(folder), 0); /* and nothing else was left */
}

static void begin_folder(void)
{
    drop_folder();
    snprintf(folder, sizeof folder, "%s/pp-test-witness-crash-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(folder));
    dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_ok(pp_witness_book_create(dir));
    said_count = 0;
    fork_at = roll(LEAVES / 2);
}

/* --- a round: the process that is killed --------------------------------------------------- */

static void say(int out, uint64_t size, const struct pp_merkle_hash *root)
{
    const struct said s = { size, *root };

    if (__real_write(out, &s, sizeof s) != (ssize_t)sizeof s)
        _exit(3);
}

/* Anybody may ask for the checkpoint that was cosigned last; it has the witness's line. */
static void show(int out)
{
    struct pp_witness_state shown;
    struct pp_buf note = { 0 };

    if (!pp_is_ok(pp_witness_book_note(&book, pp_span_cstr(book.pages[0].id), &note)))
        return;
    if (!pp_is_ok(pp_witness_state_read(pp_buf_span(&note), &own.key, PP_STR(ORIGIN), &shown)))
        _exit(5);
    pp_buf_done(&note);
    say(out, shown.size, &shown.root);
}

/* One request, answered as the service does it. */
static void ask(int out, struct history *h, uint64_t old, uint64_t size)
{
    uint8_t line[PP_NOTE_LINE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(line, sizeof line);
    struct pp_witness_page *page = &book.pages[0];
    struct pp_witness_request r;
    struct pp_witness_state next;

    request_of(h, old, size, &r);
    if (pp_witness_decide(&page->log, &page->state, &r, &next) != PP_WITNESS_COSIGN)
        return;
    if (!pp_is_ok(pp_witness_book_cosign(&book, page, &r, &next, NOW, &wr))) {
        if (wr.len > 0 || faults.failed == 0)
            _exit(4); /* it failed, and signed all the same, or without a reason */
    } else {
        say(out, r.checkpoint.size, &r.checkpoint.root);
    }
    show(out);
}

/* As the witness believes, as it once did, or as it never did. */
static void work(int out)
{
    /* Secrets are wiped in forked processes, so the child makes its keys anew. */
    if (make_people(NULL) != 0 || !pp_is_ok(open_book()))
        _exit(2);
    for (int i = 0; i < REQUESTS; i++) {
        struct history h = { (int)roll(2) };
        uint64_t old = roll(4) > 0 ? book.pages[0].state.size : roll(LEAVES);
        uint64_t room = LEAVES - old;
        ask(out, &h, old, old + roll((room < 6 ? room : 6) + 1));
    }
    _exit(faults.fail_from > 0 && faults.failed == 0 ? UNTOUCHED : 0);
}

static int run_round(void)
{
    struct faults chosen = faults;
    int pipes[2];
    int status;

    assert_int_equal(pipe(pipes), 0);
    (void)close(dir); /* the child takes the lock */
    dir = -1;
    dice += 2; /* the child's rolls are not those of the next round */
    pid_t child = fork();
    if (child == 0) {
        (void)close(pipes[0]);
        faults = chosen;
        work(pipes[1]);
    }
    (void)close(pipes[1]);
    while (read(pipes[0], &said[said_count], sizeof said[0]) == (ssize_t)sizeof said[0]) {
        said_count++;
        assert_true(said_count < SAID_MAX);
    }
    (void)close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* --- the audit ------------------------------------------------------------------------------ */

static int is_of(struct history h, uint64_t size, const struct pp_merkle_hash *root)
{
    struct pp_merkle_hash own_root = root_between(&h, 0, size);

    return pp_merkle_same(&own_root, root);
}

/* What it knows and all that it ever said are of one history; it knows no less than it said. */
static void audit(void)
{
    int is_one[2] = { 1, 1 };

    assert_ok(open_book());
    const struct pp_witness_state *state = &book.pages[0].state;
    for (int h = 0; h < 2; h++) {
        is_one[h] &= is_of((struct history){ h }, state->size, &state->root);
        for (size_t i = 0; i < said_count; i++)
            is_one[h] &= is_of((struct history){ h }, said[i].size, &said[i].root);
    }
    assert_true(is_one[0] || is_one[1]);
    for (size_t i = 0; i < said_count; i++)
        assert_true(said[i].size <= state->size);
}

/* --- tests ---------------------------------------------------------------------------------- */

static unsigned long rounds(void)
{
    const char *given = getenv("PP_CRASH_ROUNDS");

    return given == NULL ? ROUNDS_DEFAULT : strtoul(given, NULL, 10);
}

static void begin_when_full(void)
{
    if (dir < 0 || book.pages[0].state.size > LEAVES - 8 || roll(12) == 0)
        begin_folder();
}

static void a7_a8_killed_at_any_call_the_witness_cosigns_one_history(void **state)
{
    (void)state;
    unsigned long killed = 0;
    unsigned long reach = CALLS_MAX;

    for (unsigned long i = 0; killed < rounds(); i++) {
        begin_when_full();
        faults = (struct faults){ .kind = 1 + (enum fault_kind)roll(FAULT_KINDS_OF_KILLS - 1),
                                  .kill_at = 1 + roll(reach) };
        int status = run_round();
        reach = WIFSIGNALED(status) ? reach + 1 : faults.kill_at;
        faults = (struct faults){ 0 };
        assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
        killed += WIFSIGNALED(status) != 0;
        audit();
        assert_true(i < 40 * rounds()); /* else no round reaches its call */
    }
    drop_folder();
}

static void a8_whatever_call_the_disk_refuses_the_witness_cosigns_one_history(void **state)
{
    (void)state;
    static const int ERRORS[] = { ENOSPC, EDQUOT, EROFS, EIO };
    unsigned long next = 0;

    for (unsigned long i = 0; i < rounds(); i++) {
        begin_when_full();
        faults = (struct faults){ .fail_from = ++next,
                                  .fail_count = roll(4) > 0 ? 1 : 1 + roll(20),
                                  .error = ERRORS[roll(PP_ARRAY_COUNT(ERRORS))] };
        if (roll(4) > 0) {
            faults.kind = 1 + (enum fault_kind)roll(FAULT_KINDS_OF_KILLS - 1);
            faults.kill_at = next + 1 + roll(12);
        }
        int status = run_round();
        if (WIFEXITED(status) && WEXITSTATUS(status) == UNTOUCHED) { /* it had fewer calls */
            next = 0;
            status = 0;
        }
        faults = (struct faults){ 0 };
        assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
        audit();
    }
    drop_folder();
}

static int start(void **state)
{
    const char *seed = getenv("PP_CRASH_SEED");

    if (seed != NULL)
        dice ^= strtoul(seed, NULL, 10);
    print_message("%lu rounds, PP_CRASH_SEED=%s\n", rounds(), seed == NULL ? "0" : seed);
    return make_people(state);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a7_a8_killed_at_any_call_the_witness_cosigns_one_history),
    cmocka_unit_test(a8_whatever_call_the_disk_refuses_the_witness_cosigns_one_history),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, start, drop_people);
}
