/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log is killed, or its disk fails, at every call that changes a file: what was acknowledged is
 * there afterwards, and all trees that it ever signed are beginnings of one another (A4, A6).
 *
 * A round is a process that opens the log, submits, signs and publishes, and says over a pipe what
 * it could have told others. When it is gone, this process opens the log, signs once more, and
 * holds every entry and every tree against what was said. PP_CRASH_ROUNDS makes it longer, and
 * PP_CRASH_SEED tells other rounds.
 */
#include "record_test.h"

#include <ftw.h>
#include <sys/wait.h>

#include "faults.h"
#include "sequencer.h"
#include "text.h"

enum {
    BATCH = 60,          /* entries of a batch that fills a log */
    BATCHES = 4,         /* of one round */
    SMALL_MAX = 40,      /* a log that is larger is begun anew, as each round reads all of it... */
    PREFILLED_MIN = 240, /* ...and some begin near a full tile */
    PREFILLED_MAX = 275,
    OPAQUE_MAX = 1500, /* its entries cost nothing to read, so it passes several full tiles */
    OPAQUE_BATCH_MAX = 100,
    UNTOUCHED = 9,       /* exit status: no call was refused */
    SAID_MAX = 4096,     /* in the life of one log */
    CALLS_MAX = 400,     /* about what a round makes; corrected as rounds go */
    ROUNDS_DEFAULT = 40, /* of each of four tests */
    ATTEMPTS_MAX = 200,
};

/* What a process could have told others: that a record was taken, or a signed tree. */
struct said {
    int is_tree;
    uint64_t size;
    struct pp_merkle_hash root;
    struct pp_record_id id;
};

static char folder[64];
static int dir = -1;
static struct pp_sequencer sequencer;
static struct test_text text;
static struct test_text batch;
static struct pp_record record;
static struct pp_sequencer_answer answer;
static struct said said[SAID_MAX];
static size_t said_count;
static enum pp_admission_kind kind;
static uint64_t next_serial, next_time;
static int attempts; /* of a process, while its disk fails */

static unsigned long dice = 88172645463325252U;

static unsigned long roll(unsigned long sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice % sides;
}

/* --- a log ---------------------------------------------------------------------------------- */

static int drop_file(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

static void drop_log(void)
{
    if (dir < 0)
        return;
    (void)close(dir);
    dir = -1;
    assert_int_equal(nftw(folder, drop_file, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* The two keys that take each other's place; in a forked process made anew, as all secrets. */
static struct pp_note_signer pair[2];
static struct pp_note_key pair_keys[2];

static int make_keys(void **state)
{
    if (make_people(state) != 0)
        return -1;
    pair[0] = signers[TEST_LOG];
    pair[1] = test_signer(ORIGIN, PP_NOTE_ED25519, 77);
    for (size_t i = 0; i < 2; i++)
        pair_keys[i] = pair[i].key;
    return 0;
}

static int drop_keys(void **state)
{
    pp_note_signer_done(&pair[1]);
    return drop_people(state);
}

/* One key, the other, or both: most starts sign the tree of before again. */
static struct pp_log_keys some_keys(void)
{
    static const struct pp_log_keys CHOICES[] = {
        { &pair[0], 1, &pair_keys[1], 1 },
        { pair, 2, NULL, 0 },
        { &pair[1], 1, &pair_keys[0], 1 },
    };

    return CHOICES[roll(PP_ARRAY_COUNT(CHOICES))];
}

static pp_res open_log(void)
{
    const struct pp_sequencer_config c = {
        .dir = dir,
        .kind = kind,
        .log = some_keys(),
        .name_space = PP_STR(NAMESPACE),
        .environment = PP_RECORD_DEV,
        .keys = keys,
    };

    PP_TRY(pp_sequencer_open(&sequencer, &c));
    return pp_log_store_renew(&sequencer.store);
}

static pp_res publish(void)
{
    return pp_sequencer_publish(&sequencer,
                                pp_span(sequencer.store.note, sequencer.store.note_len));
}

static void write_entry(uint64_t serial)
{
    (void)test_begin(&text);
    if (kind == PP_ADMISSION_OPAQUE) {
        pp_wr_decimal(&text.wr, serial);
        return;
    }
    host_set_of(&record, serial);
    assert_ok(pp_record_sign(&text.wr, &record, &signers[TEST_OWNER], 2));
}

/* A batch of `count` host-sets, or of anything. */
static struct pp_span batch_of(uint64_t serial, uint64_t count)
{
    (void)test_begin(&batch);
    for (uint64_t i = 0; i < count; i++) {
        write_entry(serial + i);
        size_t mark = pp_wr_block32_begin(&batch.wr);
        pp_wr_span(&batch.wr, test_end(&text));
        pp_wr_block32_end(&batch.wr, mark);
    }
    return test_end(&batch);
}

static pp_res submit(uint64_t serial, uint64_t count)
{
    return pp_sequencer_submit(&sequencer, batch_of(serial, count), next_time, &answer);
}

static pp_res take(uint64_t serial, uint64_t count)
{
    return pp_sequencer_take(&sequencer, batch_of(serial, count), next_time, &answer);
}

static void begin_log(int prefilled)
{
    drop_log();
    snprintf(folder, sizeof folder, "%s/pp-test-crash-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(folder));
    dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_ok(pp_log_store_create(dir, &signers[TEST_LOG]));
    said_count = 0;
    next_serial = 1;
    next_time = NOW;
    assert_ok(open_log());
    while (prefilled && pp_log_store_size(&sequencer.store) < PREFILLED_MIN) {
        assert_ok(submit(next_serial, BATCH));
        assert_ok(pp_sequencer_close_batch(&sequencer, next_time++));
        assert_ok(publish());
        next_serial += BATCH;
    }
    pp_sequencer_done(&sequencer);
}

/* --- a round: the process that is killed --------------------------------------------------- */

static void say(int out, const struct said *s)
{
    if (__real_write(out, s, sizeof *s) != (ssize_t)sizeof *s)
        _exit(3);
}

static void say_tree(int out)
{
    const struct said s = { .is_tree = 1,
                            .size = pp_log_store_size(&sequencer.store),
                            .root = sequencer.store.root };

    say(out, &s);
}

/* The disk fails for a while, and no longer. */
static void try_again(void)
{
    if (++attempts > ATTEMPTS_MAX)
        _exit(7);
}

/* What was answered last is told. */
static void say_records(int out)
{
    for (size_t i = 0; i < answer.count; i++) {
        const struct said s = { .id = answer.ids[i] };
        say(out, &s);
    }
}

/* Gives a batch until it is kept; a disk that fails does so for a while. */
static void insist(pp_res (*give)(uint64_t serial, uint64_t count), uint64_t count)
{
    while (!pp_is_ok(give(next_serial, count)))
        try_again();
    if (answer.state == PP_SEQUENCER_REFUSED) {
        print_error("refused: %s\n", pp_code_name(answer.code));
        _exit(4);
    }
}

/*
 * Signs what waits. A batch that was taken and not stored is nobody's business until it is signed;
 * if that fails it is stored, or the disk refuses that too and it is given again.
 */
static void insist_on_signing(int out, int is_stored, uint64_t count)
{
    uint64_t size = pp_log_store_size(&sequencer.store);

    while (!pp_is_ok(pp_sequencer_close_batch(&sequencer, ++next_time))) {
        if (pp_log_store_size(&sequencer.store) != size)
            _exit(6); /* it failed, and signed all the same */
        try_again();
        if (!is_stored && !pp_is_ok(pp_sequencer_store(&sequencer)))
            insist(take, count);
    }
    say_tree(out);
    if (!is_stored)
        say_records(out);
}

static void open_in_child(void)
{
    /* Secrets are wiped in forked processes, so the child makes its keys anew. */
    if (make_keys(NULL) != 0)
        _exit(2);
    while (!pp_is_ok(open_log())) {
        if (faults.failed == 0)
            _exit(5);
        faults.fail_from = 0;
        pp_sequencer_done(&sequencer);
    }
}

static void work(int out, int batches)
{
    open_in_child();
    for (int i = 0; i < batches; i++) {
        uint64_t count = kind == PP_ADMISSION_OPAQUE ? 1 + roll(OPAQUE_BATCH_MAX) : 1;
        int is_stored = roll(2) == 0;
        insist(is_stored ? submit : take, count);
        if (is_stored)
            say_records(out);
        if (!is_stored || i % 3 != 2) { /* some batches wait for the next */
            insist_on_signing(out, is_stored, count);
            while (!pp_is_ok(publish()))
                try_again();
        }
        next_serial += count;
    }
    _exit(faults.fail_from > 0 && faults.failed == 0 ? UNTOUCHED : 0);
}

/* Runs one round under `faults`; gives how it ended. */
static int run_round(int batches)
{
    struct faults chosen = faults;
    int pipes[2];
    int status;

    dice += 2; /* the child's rolls are not those of the next round */
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)close(pipes[0]);
        faults = chosen;
        work(pipes[1], batches);
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

static struct pp_record_id ids[OPAQUE_MAX + 4 * OPAQUE_BATCH_MAX + 64];
static struct pp_merkle_hash roots[PP_ARRAY_COUNT(ids)]; /* of every size */

/* What the entry says of the time and the serials that come after it; and its id. */
static void read_entry(struct pp_span entry, const struct pp_merkle_hash *leaf,
                       struct pp_record_id *ret_id)
{
    struct pp_note n;
    uint64_t serial;

    if (kind == PP_ADMISSION_OPAQUE) {
        memcpy(ret_id->bytes, leaf->bytes, sizeof ret_id->bytes);
        assert_ok(pp_decimal_parse(entry, UINT32_MAX, &serial));
        next_serial = serial >= next_serial ? serial + 1 : next_serial;
        return;
    }
    assert_ok(pp_entry_id(entry, ret_id));
    assert_ok(pp_record_open(entry, &n, &record));
    if (record.type == PP_RECORD_HOST_SET && record.serial >= next_serial)
        next_serial = record.serial + 1;
    next_time = record.time >= next_time ? record.time + 1 : next_time;
}

/* Reads the whole log once: what stands in it, and the root of each of its beginnings. */
static uint64_t read_log(void)
{
    struct pp_merkle_range range = { 0 };
    uint64_t size = pp_log_store_size(&sequencer.store);

    assert_true(size < PP_ARRAY_COUNT(ids));
    pp_merkle_empty(&roots[0]);
    for (uint64_t i = 0; i < size; i++) {
        struct pp_buf entry = { 0 };
        struct pp_merkle_hash leaf;
        assert_ok(pp_log_store_entry(&sequencer.store, i, &entry));
        pp_merkle_leaf(pp_buf_span(&entry), &leaf);
        assert_ok(pp_merkle_append(&range, &leaf, NULL));
        pp_merkle_range_root(&range, &roots[i + 1]);
        read_entry(pp_buf_span(&entry), &leaf, &ids[i]);
        pp_buf_done(&entry);
    }
    return size;
}

static void check_said(const struct said *s, uint64_t size)
{
    if (s->is_tree) {
        assert_true(s->size <= size);
        assert_true(pp_merkle_same(&s->root, &roots[s->size]));
        return;
    }
    for (uint64_t i = 0; i < size; i++)
        if (pp_record_id_same(&ids[i], &s->id))
            return;
    fail_msg("an acknowledged record is missing");
}

/* What is served is one of the trees, too. */
static void check_served(uint64_t size)
{
    struct pp_buf b = { 0 };
    struct pp_checkpoint c;
    struct pp_note n;

    if (!pp_is_ok(pp_file_read(dir, "public/checkpoint", PP_LOG_NOTE_MAX, &b)))
        return;
    assert_ok(pp_checkpoint_open(pp_buf_span(&b), PP_STR(ORIGIN), pair_keys, 2, &n, &c));
    assert_true(c.size <= size && pp_merkle_same(&c.root, &roots[c.size]));
    pp_buf_done(&b);
}

/* Opens what the round left, and signs a tree with all that waits. */
static uint64_t audit(void)
{
    pp_res r = open_log();

    if (!pp_is_ok(r))
        print_error("the log does not open: %s\n", pp_code_name(r.code));
    assert_ok(r);
    r = pp_sequencer_close_batch(&sequencer, ++next_time);
    assert_true(pp_is_ok(r) || r.code == PP_E_MISSING); /* nothing to sign, nor a host-set */
    uint64_t size = read_log();
    for (size_t i = 0; i < said_count; i++)
        check_said(&said[i], size);
    check_served(size);
    if (pp_is_ok(r)) {
        said[said_count++] =
            (struct said){ .is_tree = 1, .size = size, .root = sequencer.store.root };
        assert_ok(publish());
    }
    pp_sequencer_done(&sequencer);
    return size;
}

/* --- tests ---------------------------------------------------------------------------------- */

static unsigned long rounds(void)
{
    const char *given = getenv("PP_CRASH_ROUNDS");

    return given == NULL ? ROUNDS_DEFAULT : strtoul(given, NULL, 10);
}

/* One of eight logs of records is near a full tile. */
static void begin_when_large(uint64_t size)
{
    if (size == 0 || (kind == PP_ADMISSION_OPAQUE && size > OPAQUE_MAX) ||
        (kind == PP_ADMISSION_RECORDS && size > SMALL_MAX && size < PREFILLED_MIN) ||
        (kind == PP_ADMISSION_RECORDS && size > PREFILLED_MAX))
        begin_log(kind == PP_ADMISSION_RECORDS && roll(8) == 0);
}

static void a4_a6_killed_at_any_call_the_log_loses_nothing_and_forks_never(void **state)
{
    unsigned long killed = 0;
    unsigned long reach = CALLS_MAX;
    uint64_t size = 0;

    kind = *(enum pp_admission_kind *)*state;
    for (unsigned long i = 0; killed < rounds(); i++) {
        begin_when_large(size);
        faults = (struct faults){ .kind = 1 + (enum fault_kind)roll(FAULT_KINDS_OF_KILLS - 1),
                                  .kill_at = 1 + roll(reach) };
        int status = run_round(BATCHES);
        reach = WIFSIGNALED(status) ? reach + 1 : faults.kill_at;
        faults = (struct faults){ 0 };
        assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
        killed += WIFSIGNALED(status) != 0;
        size = audit();
        assert_true(i < 40 * rounds()); /* else no round reaches its call */
    }
    drop_log();
}

/* Full, read-only or broken, at one call after the other: then it goes on, or is killed. */
static void a6_whatever_call_the_disk_refuses_the_log_goes_on_and_loses_nothing(void **state)
{
    static const int ERRORS[] = { ENOSPC, EDQUOT, EROFS, EIO };
    uint64_t size = 0;
    unsigned long next = 0;

    kind = *(enum pp_admission_kind *)*state;
    for (unsigned long i = 0; i < rounds(); i++) {
        begin_when_large(size);
        faults = (struct faults){ .fail_from = ++next,
                                  .fail_count = roll(4) > 0 ? 1 : 1 + roll(30),
                                  .error = ERRORS[roll(PP_ARRAY_COUNT(ERRORS))] };
        if (roll(4) > 0) {
            faults.kind = 1 + (enum fault_kind)roll(FAULT_KINDS_OF_KILLS - 1);
            faults.kill_at = next + 1 + roll(30);
        }
        int status = run_round(BATCHES);
        if (WIFEXITED(status) && WEXITSTATUS(status) == UNTOUCHED) { /* it had fewer calls */
            next = 0;
            status = 0;
        }
        faults = (struct faults){ 0 };
        assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
        size = audit();
    }
    drop_log();
}

/*
 * `signed` has the new note and is not known to be durable: that tree is not signed, another one is
 * made, and until that is signed no file of the first may change.
 */
static void a6_a_tree_that_may_be_signed_is_not_overwritten(void **state)
{
    (void)state;
    kind = PP_ADMISSION_RECORDS;
    for (unsigned long later = 1; later <= 40; later++) {
        begin_log(0);
        faults = (struct faults){
            .behind = "signed", .kill_behind = later, .kind = FAULT_KILL_AFTER, .error = EIO
        };
        assert_true(WIFSIGNALED(run_round(BATCHES)));
        faults = (struct faults){ 0 };
        (void)audit();
    }
    drop_log();
}

static int start(void **state)
{
    const char *seed = getenv("PP_CRASH_SEED");

    if (seed != NULL)
        dice ^= strtoul(seed, NULL, 10);
    print_message("%lu rounds, PP_CRASH_SEED=%s\n", rounds(), seed == NULL ? "0" : seed);
    return make_keys(state);
}

static enum pp_admission_kind records = PP_ADMISSION_RECORDS, opaque = PP_ADMISSION_OPAQUE;

#define OF_KIND(test, of) cmocka_unit_test_prestate(test, &(of))

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a6_a_tree_that_may_be_signed_is_not_overwritten),
    OF_KIND(a4_a6_killed_at_any_call_the_log_loses_nothing_and_forks_never, records),
    OF_KIND(a4_a6_killed_at_any_call_the_log_loses_nothing_and_forks_never, opaque),
    OF_KIND(a6_whatever_call_the_disk_refuses_the_log_goes_on_and_loses_nothing, records),
    OF_KIND(a6_whatever_call_the_disk_refuses_the_log_goes_on_and_loses_nothing, opaque),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, start, drop_keys);
}
