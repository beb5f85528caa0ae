/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor from end to end: a log of opaque entries in a folder, read, hashed, compared and
 * copied; and records against their bare signatures.
 */
#include "bench.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto.h"
#include "file.h"
#include "monitor_run.h"

enum { ENTRIES = 400000, ENTRY_BYTES = 200, RECORDS = 1000 };

#define ORIGIN    "ledger.example/bench"
#define NAMESPACE "example.org/bench"

static struct pp_note_signer log_key, owner_key;
static struct pp_policy log_policy, owner_policy, review_policy;
static char log_text[512], owner_text[512];
static char folder[64], log_folder[96], state_folder[96];
static struct pp_monitor_copy made;
static struct pp_monitor_run run;
static struct pp_monitor monitor;
static struct pp_buf entries[RECORDS];
static struct pp_rules_record records[RECORDS];
static struct pp_rules_measurement measurements[1];

static void must(pp_res r)
{
    PP_ASSERT(pp_is_ok(r));
}

static void make_policy(const char *before, const char *after, const char *name, uint8_t fill,
                        enum pp_policy_kind kind, char text[512], struct pp_note_signer *key,
                        struct pp_policy *ret)
{
    struct pp_wr wr = pp_wr_over(text, 512);
    uint8_t seed[32];

    memset(seed, fill, sizeof seed);
    must(pp_note_signer_make(pp_span_cstr(name), PP_NOTE_ED25519, PP_BYTES(seed), key));
    pp_wr_text(&wr, before);
    pp_vkey_write(&wr, &key->key);
    pp_wr_text(&wr, after);
    must(pp_policy_parse(pp_wr_done(&wr), kind, ret));
}

/* --- opaque entries --------------------------------------------------------------------------- */

static void write_checkpoint(void)
{
    char text[PP_CHECKPOINT_BYTES_MAX], note[2048];
    struct pp_wr wr = pp_wr_over(text, sizeof text), out = pp_wr_over(note, sizeof note);
    struct pp_merkle_hash root;

    pp_merkle_range_root(&made.range, &root);
    pp_checkpoint_write(&wr, PP_STR(ORIGIN), made.range.size, &root);
    must(pp_note_write(&out, pp_wr_done(&wr), &log_key, 1));
    must(pp_file_write(made.dir_fd, "checkpoint", 0644, pp_wr_done(&out)));
}

static void make_log(void)
{
    uint8_t entry[ENTRY_BYTES] = { 0 };

    snprintf(folder, sizeof folder, "/tmp/pp-bench-XXXXXX");
    PP_ASSERT(mkdtemp(folder) != NULL);
    snprintf(log_folder, sizeof log_folder, "%s/log", folder);
    snprintf(state_folder, sizeof state_folder, "%s/state", folder);
    PP_ASSERT(mkdir(log_folder, 0755) == 0);
    pp_monitor_copy_init(&made, open(log_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), 1);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct pp_merkle_hash leaf;
        memcpy(entry, &i, sizeof i);
        pp_merkle_leaf(PP_BYTES(entry), &leaf);
        must(pp_monitor_copy_append(&made, PP_BYTES(entry), &leaf));
    }
    must(pp_monitor_copy_flush(&made));
    write_checkpoint();
    pp_monitor_copy_done(&made);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

static void bench_opaque(void)
{
    const struct pp_monitor_run_config c = {
        .folder = state_folder,
        .places = { log_folder },
        .place_count = 1,
        .origin = PP_STR(ORIGIN),
        .log = &log_policy,
        .opaque = 1,
        .images = PP_MONITOR_IMAGES_SKIP,
        .witness_late_s = PP_MONITOR_WITNESS_S,
        .clock = pp_clock_system(),
    };

    make_log();
    must(pp_monitor_run_open(&c, &run, NULL));
    double from = bench_cpu_s();
    must(pp_monitor_run_round(&run));
    double took = (bench_cpu_s() - from) / ENTRIES;
    PP_ASSERT(run.monitor->tree.size == ENTRIES && run.store.finding_count == 0);
    printf("%-58s %10.3f us CPU/%s %12.0f %s/s\n",
           "opaque log of 400,000 entries of 200 bytes, from a folder", took * 1e6, "entry",
           1.0 / took, "entry");
    bench_at_least("entries that a monitor reads, hashes and copies", took, 2e5);
    pp_monitor_run_close(&run);
    PP_ASSERT(nftw(folder, remove_one, 16, FTW_PHYS | FTW_DEPTH) == 0);
}

/* --- records ---------------------------------------------------------------------------------- */

static void make_records(void)
{
    static uint8_t text[PP_RECORD_ENTRY_MAX];
    static struct pp_record r;

    for (uint64_t i = 0; i < RECORDS; i++) {
        struct pp_wr wr = pp_wr_over(text, sizeof text);
        r = (struct pp_record){
            .type = PP_RECORD_KEY_EPOCH,
            .ledger = PP_STR(ORIGIN),
            .name_space = PP_STR(NAMESPACE),
            .environment = PP_RECORD_DEV,
            .serial = i + 1,
            .time = (UINT64_C(20000) + i) * PP_DAY_S, /* keys are logged a month ahead at most */
            .key_epoch = { .kind = PP_RECORD_ISSUER, .epoch = 20000 + i, .config_len = 34 },
        };
        r.key_epoch.config[1] = 5;
        must(pp_record_sign(&wr, &r, &owner_key, 1));
        entries[i].bytes = malloc(wr.len);
        PP_ASSERT(entries[i].bytes != NULL);
        memcpy(entries[i].bytes, text, wr.len);
        entries[i].len = wr.len;
    }
}

static pp_res no_finding(void *ctx, const struct pp_monitor_finding *f,
                         const struct pp_monitor_evidence *e, size_t n)
{
    (void)ctx;
    (void)f;
    (void)e;
    return PP_FAIL(PP_E_LEDGER_RECORD, n);
}

static void feed_all(void)
{
    const struct pp_rules_config rules = {
        .ledger = PP_STR(ORIGIN),
        .name_space = PP_STR(NAMESPACE),
        .environment = PP_RECORD_DEV,
        .keys = { &log_policy, &owner_policy, &review_policy },
        .records = records,
        .record_cap = RECORDS,
        .measurements = measurements,
        .measurement_cap = 1,
    };
    const struct pp_monitor_config c = {
        .origin = PP_STR(ORIGIN), .log = &log_policy, .rules = &rules, .sink = { no_finding, NULL }
    };

    pp_monitor_init(&monitor, &c);
    monitor.now = (UINT64_C(20000) + RECORDS) * PP_DAY_S;
    monitor.tree.size = RECORDS;
    for (size_t i = 0; i < RECORDS; i++)
        must(pp_monitor_entry(&monitor, pp_buf_span(&entries[i])));
}

static void bench_records(void)
{
    uint8_t signature[PP_ED25519_SIG_BYTES];
    struct pp_note n;

    make_records();
    double whole = BENCH("1,000 key-epoch records: rules, dates, signer", "batch", { feed_all(); });
    must(pp_note_parse(pp_buf_span(&entries[0]), &n));
    must(pp_ed25519_sign(pp_secret_span(&owner_key.seed), n.text, signature));
    double bare = BENCH("Ed25519 verification of one of their texts", "op", {
        must(pp_ed25519_verify(owner_key.key.pk, n.text, PP_BYTES(signature)));
    });
    bench_ratio("record / its bare Ed25519", whole / RECORDS, bare, "aim at most 1.25");
    for (size_t i = 0; i < RECORDS; i++)
        pp_buf_done(&entries[i]);
}

int main(void)
{
    must(pp_crypto_init());
    make_policy("log ", "\nquorum none\n", ORIGIN, 1, PP_POLICY_LOG, log_text, &log_key,
                &log_policy);
    make_policy("witness o ", "\nquorum o\n", "owner.example", 2, PP_POLICY_REVIEW, owner_text,
                &owner_key, &owner_policy);
    must(pp_policy_parse(PP_STR("quorum none\n"), PP_POLICY_REVIEW, &review_policy));
    bench_opaque();
    bench_records();
    pp_note_signer_done(&log_key);
    pp_note_signer_done(&owner_key);
    return 0;
}
