/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log as it grows: durable opaque entries by size, memory, opening, proofs from the disk; then
 * records beside the bare checks of their signatures. The first argument is the largest size,
 * default 10^6; 10^7 takes some minutes and 4 GB. Wall time where a disk is waited for.
 *
 * An entry counts when it is in a signed tree: submitted 256 at a time, in tiles and entry bundles,
 * and the tree's note stored, each of them behind an fsync; then published.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "crypto.h"
#include "sequencer.h"

enum {
    ENTRY_BYTES = 100,
    SIZE_DEFAULT = 1000000,
    RECORDS = 32 * PP_BATCH_MAX,
    PROOFS = 200,
    SAME = 1000000,
    DAY = 20000,
};

#define ORIGIN "ledger.example/bench"
#define NOW    ((uint64_t)DAY * PP_DAY_S)

static struct pp_note_signer log_signer, owner_signer, reviewer_signer;
static struct pp_policy owner, review;
static char owner_text[512], review_text[512];
static struct pp_sequencer sequencer;
static uint8_t bytes[PP_BATCH_BYTES_MAX];
static struct pp_sequencer_answer answer;
static uint64_t now = NOW; /* POSIX s; behind the last of the records, once there are any */

static void must(pp_res r)
{
    if (pp_is_ok(r))
        return;
    fprintf(stderr, "bench_log: %s at %s\n", pp_code_name(r.code), r.where);
    exit(1);
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Resident memory of this process, MiB. */
static double resident(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    unsigned long all = 0;
    unsigned long pages = 0;

    if (f == NULL || fscanf(f, "%lu %lu", &all, &pages) != 2)
        pages = 0;
    if (f != NULL)
        (void)fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

/* --- keys ----------------------------------------------------------------------------------- */

static void make_signer(const char *name, uint8_t fill, struct pp_note_signer *ret)
{
    const uint8_t seed[32] = { fill };

    must(pp_note_signer_make(pp_span_cstr(name), PP_NOTE_ED25519, PP_BYTES(seed), ret));
}

static void make_policy(const struct pp_note_signer *s, char *text, size_t cap,
                        struct pp_policy *ret)
{
    struct pp_wr wr = pp_wr_over(text, cap);

    pp_wr_text(&wr, "witness w ");
    pp_vkey_write(&wr, &s->key);
    pp_wr_text(&wr, "\nquorum w\n");
    must(pp_policy_parse(pp_wr_done(&wr), PP_POLICY_REVIEW, ret));
}

static void make_people(void)
{
    make_signer(ORIGIN, 1, &log_signer);
    make_signer("owner.example", 2, &owner_signer);
    make_signer("reviewer.example", 3, &reviewer_signer);
    make_policy(&owner_signer, owner_text, sizeof owner_text, &owner);
    make_policy(&reviewer_signer, review_text, sizeof review_text, &review);
}

/* --- a log in a folder of its own ----------------------------------------------------------- */

static struct pp_sequencer_config config;

static char folder[64];

static void open_log(enum pp_admission_kind kind)
{
    snprintf(folder, sizeof folder, "/tmp/pp-bench-log-XXXXXX"); /* a disk, where /tmp is one */
    int dir = mkdtemp(folder) == NULL ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0)
        must(PP_FAIL(PP_E_SYSTEM, 0));
    config = (struct pp_sequencer_config){
        .dir = dir,
        .kind = kind,
        .log = { &log_signer, 1, NULL, 0 },
        .name_space = PP_STR("example.org/bench"),
        .environment = PP_RECORD_DEV,
        .keys = { NULL, &owner, &review },
        .index_seed = UINT64_C(0x9e3779b97f4a7c15),
    };
    must(pp_log_store_create(dir, &log_signer));
    must(pp_sequencer_open(&sequencer, &config));
}

static int drop_file(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

static void close_log(void)
{
    pp_sequencer_done(&sequencer);
    (void)close(config.dir);
    (void)nftw(folder, drop_file, 16, FTW_DEPTH | FTW_PHYS);
}

static void submit(struct pp_span batch)
{
    must(pp_sequencer_take(&sequencer, batch, now, &answer));
    if (answer.state == PP_SEQUENCER_REFUSED)
        must(PP_FAIL(answer.code, answer.entry));
}

/* What a quorum of witnesses leads to. */
static void close_and_publish(void)
{
    must(pp_sequencer_close_batch(&sequencer, now));
    must(pp_sequencer_publish(&sequencer, pp_span(sequencer.store.note, sequencer.store.note_len)));
}

/* --- anything -------------------------------------------------------------------------------- */

static void add_entries(struct pp_wr *wr, uint64_t from, size_t count)
{
    uint8_t entry[ENTRY_BYTES] = { 0 };

    for (size_t i = 0; i < count; i++) {
        struct pp_wr e = pp_wr_over(entry, sizeof entry);
        pp_wr_u64(&e, from + i);
        pp_batch_write(wr, PP_BYTES(entry));
    }
    must(pp_wr_ok(wr));
}

static void grow_to(uint64_t size)
{
    uint64_t at = pp_log_store_size(&sequencer.store);

    while (at < size) {
        struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
        size_t count = size - at < PP_BATCH_MAX ? (size_t)(size - at) : PP_BATCH_MAX;
        add_entries(&wr, at, count);
        submit(pp_wr_done(&wr));
        at += count;
        if (at == size || sequencer.pending_count == PP_SEQUENCER_PENDING_MAX)
            close_and_publish();
    }
}

/* Reads a tile that the kernel has been asked to forget. */
static pp_res read_cold(void *ctx, const struct pp_tile *t, uint8_t ret[PP_TILE_BYTES])
{
    struct pp_tile_source source = pp_log_store_source(&sequencer.store);
    char path[PP_TILE_PATH_MAX + 16] = "public/";
    struct pp_wr wr = pp_wr_over(path + 7, sizeof path - 8);

    (void)ctx;
    pp_tile_path_write(&wr, t);
    int fd = openat(config.dir, path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        (void)close(fd);
    }
    return source.read(source.ctx, t, ret);
}

/* Microseconds of wall time and of CPU, means of PROOFS. */
static double time_proofs(double *ret_cpu)
{
    static struct pp_tile_tree tree;
    uint64_t size = pp_log_store_size(&sequencer.store);
    double cpu_from = bench_cpu_s();
    double from = now_s();

    for (uint64_t i = 0; i < PROOFS; i++) {
        struct pp_merkle_nodes nodes = pp_tile_nodes(&tree);
        struct pp_merkle_path path;
        tree = (struct pp_tile_tree){ .source = { read_cold, NULL }, .size = size };
        must(pp_merkle_inclusion(i * UINT64_C(0x9e3779b97f4a7c15) % size, size, &nodes, &path));
    }
    *ret_cpu = (bench_cpu_s() - cpu_from) / PROOFS * 1e6;
    return (now_s() - from) / PROOFS * 1e6;
}

static void bench_opaque(uint64_t size_max)
{
    double rate = 0;
    double proof = 0;

    printf("opaque entries of %d bytes, %d a submission, up to %d a tree\n", ENTRY_BYTES,
           PP_BATCH_MAX, PP_SEQUENCER_WAITING_MAX);
    printf("%10s %12s %13s %9s %15s %10s %13s\n", "size", "durable/s", "us CPU/entry", "RSS MiB",
           "opening ms CPU", "proof us", "proof us CPU");
    for (uint64_t size = 1000; size <= size_max; size *= 10) {
        double added = (double)(size - pp_log_store_size(&sequencer.store));
        double cpu_from = bench_cpu_s();
        double from = now_s();
        grow_to(size);
        rate = added / (now_s() - from);
        double cpu = (bench_cpu_s() - cpu_from) / added * 1e6;
        double rss = resident();
        pp_sequencer_done(&sequencer);
        cpu_from = bench_cpu_s();
        must(pp_sequencer_open(&sequencer, &config));
        double opening = (bench_cpu_s() - cpu_from) * 1e3;
        double proof_cpu;
        proof = time_proofs(&proof_cpu);
        printf("%10llu %12.0f %13.2f %9.1f %15.1f %10.0f %13.0f\n", (unsigned long long)size, rate,
               cpu, rss, opening, proof, proof_cpu);
        (void)fflush(stdout);
    }
    bench_at_least("durable entries at the largest size, of wall", 1.0 / rate, 20000);
    bench_ratio("a proof from the disk at the largest size / 5 ms, of wall", proof, 5000,
                "aim at most 1.00");
}

/* --- records -------------------------------------------------------------------------------- */

static struct pp_record record_of(enum pp_record_type type, uint64_t serial)
{
    return (struct pp_record){
        .type = type,
        .ledger = PP_STR(ORIGIN),
        .name_space = PP_STR("example.org/bench"),
        .environment = PP_RECORD_DEV,
        .serial = serial,
        .time = NOW,
    };
}

static void add_record(struct pp_wr *wr, const struct pp_record *r, size_t signers)
{
    static uint8_t entry[PP_RECORD_ENTRY_MAX];
    struct pp_note_signer both[2] = { owner_signer, reviewer_signer };
    struct pp_wr e = pp_wr_over(entry, sizeof entry);

    must(pp_record_sign(&e, r, both, signers));
    pp_batch_write(wr, pp_wr_done(&e));
    must(pp_wr_ok(wr));
}

/* The host-set that a status has to name. */
static void add_hosts(struct pp_wr *wr)
{
    struct pp_record r = record_of(PP_RECORD_HOST_SET, 1);

    r.host_set.not_after = NOW + PP_HOST_SET_LIFE_S;
    r.host_set.count = 1;
    r.host_set.where = PP_STR("https://hosts.example.org/1");
    add_record(wr, &r, 2);
}

/* Batches of key-epochs, the record that is signed by one. */
static void make_records(struct pp_buf batches[RECORDS / PP_BATCH_MAX])
{
    for (uint64_t i = 0; i < RECORDS / PP_BATCH_MAX; i++) {
        struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
        for (uint64_t k = 1; k <= PP_BATCH_MAX; k++) {
            struct pp_record r = record_of(PP_RECORD_KEY_EPOCH, i * PP_BATCH_MAX + k);
            r.key_epoch.kind = PP_RECORD_ISSUER;
            r.key_epoch.epoch = DAY + i * PP_BATCH_MAX + k;
            r.time = r.key_epoch.epoch * PP_DAY_S; /* keys are logged a month ahead at most */
            r.key_epoch.config_len = 34;
            add_record(&wr, &r, 1);
        }
        batches[i] = (struct pp_buf){ malloc(wr.len), wr.len };
        PP_ASSERT(batches[i].bytes != NULL);
        memcpy(batches[i].bytes, bytes, wr.len);
    }
}

/* The text and the signature of every record, as a bare check needs them. */
static struct bare {
    struct pp_span text;
    uint8_t signature[PP_ED25519_SIG_BYTES];
} bare_checks[RECORDS];

static void make_bare(const struct pp_buf batches[RECORDS / PP_BATCH_MAX])
{
    static struct pp_batch b;
    size_t at;

    for (size_t i = 0; i < RECORDS; i++) {
        struct pp_note n;
        if (i % PP_BATCH_MAX == 0)
            must(pp_batch_parse(pp_buf_span(&batches[i / PP_BATCH_MAX]), PP_RECORD_ENTRY_MAX, &b,
                                &at));
        must(pp_note_parse(b.entries[i % PP_BATCH_MAX], &n));
        bare_checks[i].text = n.text;
        must(pp_note_sign(&owner_signer, n.text, bare_checks[i].signature));
    }
}

/* Seconds of CPU for a bare check, each record once, as the log checks them. */
static double time_bare(void)
{
    double from = bench_cpu_s();

    for (size_t i = 0; i < RECORDS; i++)
        must(pp_ed25519_verify(owner_signer.key.pk, bare_checks[i].text,
                               PP_BYTES(bare_checks[i].signature)));
    double took = (bench_cpu_s() - from) / RECORDS;
    printf("%-58s %10.3f us CPU/record %12.0f record/s\n", "bare Ed25519 check of a record's text",
           took * 1e6, 1.0 / took);
    return took;
}

static void bench_records(void)
{
    static struct pp_buf batches[RECORDS / PP_BATCH_MAX];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);

    add_hosts(&wr);
    submit(pp_wr_done(&wr));
    struct pp_buf hosts = { malloc(wr.len), wr.len };
    PP_ASSERT(hosts.bytes != NULL);
    memcpy(hosts.bytes, bytes, wr.len);
    close_and_publish();
    make_records(batches);
    now += (RECORDS + 1) * (uint64_t)PP_DAY_S;
    make_bare(batches);
    double bare = time_bare();
    double from = now_s();
    double cpu_from = bench_cpu_s();
    for (size_t i = 0; i < RECORDS / PP_BATCH_MAX; i++)
        submit(pp_buf_span(&batches[i]));
    close_and_publish();
    double cpu = (bench_cpu_s() - cpu_from) / RECORDS;
    double wall = (now_s() - from) / RECORDS;
    printf("%-58s %10.3f us CPU/record %12.0f record/s, %.0f of wall\n",
           "a signed record, submitted, logged and signed", cpu * 1e6, 1.0 / cpu, 1.0 / wall);
    bench_ratio("records/s : bare Ed25519 checks/s, CPU", bare, cpu, "aim at least 0.80");
    double rss = resident();
    cpu_from = bench_cpu_s();
    for (unsigned i = 0; i < SAME; i++)
        submit(pp_buf_span(&hosts));
    printf("%-58s %10.3f us CPU/submission, %.1f MiB more\n",
           "one record submitted a million times", (bench_cpu_s() - cpu_from) / SAME * 1e6,
           resident() - rss);
    for (size_t i = 0; i < RECORDS / PP_BATCH_MAX; i++)
        pp_buf_done(&batches[i]);
    pp_buf_done(&hosts);
}

int main(int argc, char **argv)
{
    uint64_t size_max = argc > 1 ? strtoull(argv[1], NULL, 10) : SIZE_DEFAULT;

    must(pp_crypto_init());
    make_people();
    open_log(PP_ADMISSION_OPAQUE);
    bench_opaque(size_max);
    close_log();
    open_log(PP_ADMISSION_RECORDS);
    bench_records();
    close_log();
    pp_note_signer_done(&log_signer);
    pp_note_signer_done(&owner_signer);
    pp_note_signer_done(&reviewer_signer);
    return 0;
}
