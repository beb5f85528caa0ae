/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One core: a whole log read from a folder, as an auditor or monitor does: every entry hashed,
 * every hash tile compared; then the same with records, each held against rules and signers.
 */
#include "bench.h"
#include "harness.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto.h"
#include "folder.h"
#include "log_reader.h"
#include "record_rules.h"

enum {
    ENTRY_BYTES = 256, /* of an opaque entry */
    LEVELS = 4,        /* of tiles: enough for 2^32 entries */
    RECORDS = 3000,
};

static void must(pp_res r)
{
    PP_ASSERT(pp_is_ok(r));
}

/* --- a log in a folder ------------------------------------------------------------------------ */

struct made {
    char folder[64];
    struct pp_log_tree tree;
    uint8_t *hashes[LEVELS]; /* while it is being made */
};

static void write_file(const struct made *m, const struct pp_tile *t, struct pp_span content)
{
    char name[PP_TILE_PATH_MAX + 1] = "";
    char path[256];
    struct pp_wr wr = pp_wr_over(name, PP_TILE_PATH_MAX);

    pp_tile_path_write(&wr, t);
    snprintf(path, sizeof path, "%s/%s", m->folder, name);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
    FILE *f = fopen(path, "wb");
    PP_ASSERT(f != NULL && fwrite(content.at, 1, content.len, f) == content.len && fclose(f) == 0);
}

static pp_res keep_node(void *ctx, unsigned level, uint64_t index, const struct pp_merkle_hash *h)
{
    struct made *m = ctx;

    if (level % 8 == 0)
        memcpy(m->hashes[level / 8] + index * PP_SHA256_BYTES, h->bytes, PP_SHA256_BYTES);
    return PP_OK;
}

typedef struct pp_span (*maker)(uint64_t index);

static void make_log(struct made *m, uint64_t size, maker entry)
{
    static uint8_t bundle[PP_TILE_WIDTH * 4096];
    struct pp_wr wr = pp_wr_over(bundle, sizeof bundle);
    const struct pp_merkle_sink sink = { .node = keep_node, .ctx = m };
    struct pp_tile_iter it = { .size = size };
    struct pp_merkle_range range = { 0 };
    struct pp_merkle_hash leaf;
    struct pp_tile t;

    PP_ASSERT(pp_test_folder_make(m->folder) == 0);
    for (unsigned i = 0; i < LEVELS; i++)
        m->hashes[i] = calloc(pp_tile_hashes(size, i) + 1, PP_SHA256_BYTES);
    for (uint64_t i = 0; i < size; i++) {
        struct pp_span e = entry(i);
        pp_merkle_leaf(e, &leaf);
        must(pp_merkle_append(&range, &leaf, &sink));
        pp_entries_write(&wr, e);
        if (i + 1 < size && (i + 1) % PP_TILE_WIDTH != 0)
            continue;
        PP_ASSERT(pp_tile_of(size, 0, i / PP_TILE_WIDTH, &t));
        t.entries = 1;
        write_file(m, &t, pp_wr_done(&wr));
        wr = pp_wr_over(bundle, sizeof bundle);
    }
    while (pp_tile_next(&it, &t))
        write_file(m, &t,
                   pp_span(m->hashes[t.level] + t.index * PP_TILE_BYTES,
                           (size_t)t.width * PP_SHA256_BYTES));
    for (unsigned i = 0; i < LEVELS; i++)
        free(m->hashes[i]);
    m->tree.size = size;
    pp_merkle_range_root(&range, &m->tree.root);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static void drop_log(struct made *m)
{
    PP_ASSERT(nftw(m->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

/* CPU seconds for the whole of it. */
static double read_log(const struct made *m, pp_res (*each)(void *, uint64_t, struct pp_span),
                       void *ctx)
{
    struct pp_log_source *source = NULL;
    struct pp_log_reader *reader = NULL;
    const struct pp_log_source_config from = { .place = m->folder };
    double begun = bench_cpu_s();

    must(pp_log_source_open(&from, &source, NULL));
    const struct pp_log_reader_config c = {
        .source = source, .tree = m->tree, .entry = each, .ctx = ctx
    };
    must(pp_log_reader_new(&c, &reader));
    must(pp_log_reader_finish(reader, NULL));
    pp_log_reader_free(reader);
    pp_log_source_close(source);
    return bench_cpu_s() - begun;
}

/* --- hashing alone ---------------------------------------------------------------------------- */

static struct pp_span opaque(uint64_t index)
{
    static uint8_t bytes[ENTRY_BYTES];

    memcpy(bytes, &index, sizeof index);
    return PP_BYTES(bytes);
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    PP_ASSERT(f != NULL && fscanf(f, "%*d %ld", &pages) == 1);
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void bench_hashing(void)
{
    double last = 0;

    printf("%10s %12s %12s %14s\n", "entries", "us/entry", "entries/s", "resident KiB");
    for (uint64_t size = 1000; size <= 1000000; size *= 10) {
        struct made m;

        make_log(&m, size, opaque);
        last = read_log(&m, NULL, NULL) / (double)size;
        printf("%10llu %12.3f %12.0f %14ld\n", (unsigned long long)size, last * 1e6, 1.0 / last,
               resident_kib());
        drop_log(&m);
    }
    printf("(256-byte entries, read from a folder, every hash compared; us CPU)\n\n");
    bench_at_least("entries read and hashed, 10^6 of them", last, 2e5);
}

/* --- records ---------------------------------------------------------------------------------- */

#define ORIGIN    "ledger.example/bench"
#define NAMESPACE "example.org/bench"
#define NOW       (UINT64_C(20000) * PP_DAY_S)

enum { LOG, OWNER, REVIEWER, SIGNERS };

static struct pp_note_signer signers[SIGNERS];
static struct pp_policy policies[SIGNERS];
static char policy_texts[SIGNERS][512];

static void make_people(void)
{
    static const struct {
        const char *name, *line, *rest;
    } rows[SIGNERS] = { { ORIGIN, "log ", "\nquorum none\n" },
                        { "owner.example", "witness o ", "\nquorum o\n" },
                        { "reviewer.example", "witness r ", "\nquorum r\n" } };

    for (uint8_t i = 0; i < SIGNERS; i++) {
        const uint8_t seed[32] = { (uint8_t)(1 + i) };
        struct pp_wr wr = pp_wr_over(policy_texts[i], sizeof policy_texts[i]);

        must(pp_note_signer_make(pp_span_cstr(rows[i].name), PP_NOTE_ED25519, PP_BYTES(seed),
                                 &signers[i]));
        pp_wr_text(&wr, rows[i].line);
        pp_vkey_write(&wr, &signers[i].key);
        pp_wr_text(&wr, rows[i].rest);
        must(pp_policy_parse(pp_wr_done(&wr), i == LOG ? PP_POLICY_LOG : PP_POLICY_REVIEW,
                             &policies[i]));
    }
}

/* A host-set: the owner and a reviewer have signed it. */
static struct pp_span host_set(uint64_t index)
{
    static uint8_t bytes[4096];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    struct pp_record r = {
        .type = PP_RECORD_HOST_SET,
        .ledger = PP_STR(ORIGIN),
        .name_space = PP_STR(NAMESPACE),
        .environment = PP_RECORD_DEV,
        .serial = 1 + index,
        .time = NOW,
        .host_set = { .not_after = NOW + PP_HOST_SET_LIFE_S,
                      .count = 1,
                      .where = PP_STR("https://hosts.example.org/1") },
    };

    must(pp_record_sign(&wr, &r, &signers[OWNER], 2));
    return pp_wr_done(&wr);
}

static pp_res feed(void *ctx, uint64_t index, struct pp_span entry)
{
    (void)index;
    return pp_rules_feed(ctx, entry, NOW);
}

static double bare_signature(void)
{
    struct pp_span entry = host_set(0);
    uint8_t signature[PP_ED25519_SIG_BYTES];
    static struct pp_note n;

    must(pp_note_parse(entry, &n));
    must(pp_ed25519_sign(pp_secret_span(&signers[OWNER].seed), n.text, signature));
    return BENCH("Ed25519 verification of a record's text, bare", "op",
                 { must(pp_ed25519_verify(signers[OWNER].key.pk, n.text, PP_BYTES(signature))); });
}

static void bench_records(void)
{
    static struct pp_rules_record records[RECORDS];
    static struct pp_rules_measurement none[1];
    static struct pp_rules rules;
    const struct pp_rules_config c = {
        .ledger = PP_STR(ORIGIN),
        .name_space = PP_STR(NAMESPACE),
        .environment = PP_RECORD_DEV,
        .keys = { &policies[LOG], &policies[OWNER], &policies[REVIEWER] },
        .records = records,
        .record_cap = RECORDS,
        .measurements = none,
        .measurement_cap = 1,
    };
    struct made m;

    make_log(&m, RECORDS, host_set);
    double bare = 2 * bare_signature();
    pp_rules_init(&rules, &c);
    double whole = read_log(&m, feed, &rules) / RECORDS;
    printf("%-58s %10.3f us CPU/record %12.0f record/s\n",
           "host-set: read, hashed, held against rules and signers", whole * 1e6, 1.0 / whole);
    bench_ratio("records / rate of bare Ed25519", bare, whole, "aim at least 0.80");
    drop_log(&m);
}

int main(void)
{
    must(pp_crypto_init());
    make_people();
    bench_hashing();
    bench_records();
    for (size_t i = 0; i < SIGNERS; i++)
        pp_note_signer_done(&signers[i]);
    return 0;
}
