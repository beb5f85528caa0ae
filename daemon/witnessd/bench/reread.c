/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a restart costs a record witness: every entry of its log read again, hashed and judged,
 * beside the bare checks of the same signatures. One host-set and one status an hour, as many hours
 * as it takes: the largest log here is of 6 years of that.
 */
#include <stdlib.h>

#include "bench.h"
#include "crypto.h"
#include "reader_int.h"

enum { SIZES = 3, SIGNATURES = 3 /* of two entries: owner, reviewer, log */ };
static const size_t SIZE[SIZES] = { 1000, 10000, 100000 };

#define ORIGIN "ledger.example/bench"
#define BEGAN  (UINT64_C(20000) * PP_DAY_S)

static struct pp_note_signer log_signer, owner_signer, reviewer_signer;
static struct pp_policy policies[3];
static char texts[3][512];
static struct pp_reader reader;
static uint8_t *bundles; /* one behind the other */
static size_t *ends;     /* of each entry in them */

static void must(pp_res r)
{
    if (pp_is_ok(r))
        return;
    fprintf(stderr, "bench_reread: %s at %s\n", pp_code_name(r.code), r.where);
    exit(1);
}

static uint64_t far_ahead_ms(void *ctx)
{
    (void)ctx;
    return (BEGAN + SIZE[SIZES - 1] * UINT64_C(3600)) * 1000;
}

static void make_people(void)
{
    static const char *const before[3] = { "log ", "witness o ", "witness r " };
    static const char *const after[3] = { "quorum none\n", "quorum o\n", "quorum r\n" };
    struct pp_note_signer *const signers[3] = { &log_signer, &owner_signer, &reviewer_signer };
    static const char *const names[3] = { ORIGIN, "owner.example", "alice.example" };

    for (size_t i = 0; i < 3; i++) {
        uint8_t seed[PP_ED25519_SEED_BYTES] = { (uint8_t)(1 + i) };
        struct pp_wr wr = pp_wr_over(texts[i], sizeof texts[i]);
        must(pp_note_signer_make(pp_span_cstr(names[i]), PP_NOTE_ED25519, PP_BYTES(seed),
                                 signers[i]));
        pp_wr_text(&wr, before[i]);
        pp_vkey_write(&wr, &signers[i]->key);
        pp_wr_u8(&wr, '\n');
        pp_wr_text(&wr, after[i]);
        must(pp_policy_parse(pp_wr_done(&wr), i == 0 ? PP_POLICY_LOG : PP_POLICY_REVIEW,
                             &policies[i]));
    }
}

static void begin(void)
{
    const struct pp_rules_config c = {
        .ledger = PP_STR(ORIGIN),
        .name_space = PP_STR("example.org/bench"),
        .environment = PP_RECORD_DEV,
        .keys = { &policies[0], &policies[1], &policies[2] },
        .records = reader.rules.config.records,
        .record_cap = PP_READER_RECORDS_MAX,
        .measurements = reader.rules.config.measurements,
        .measurement_cap = PP_READER_MEASUREMENTS_MAX,
    };

    reader.config.clock.posix_ms = far_ahead_ms;
    reader.range = (struct pp_merkle_range){ 0 };
    pp_rules_init(&reader.rules, &c);
}

/* The entry into the bundles, and through the same rules. */
static void append(struct pp_wr *wr, const struct pp_record *rec, size_t index)
{
    uint8_t entry[PP_RECORD_ENTRY_MAX];
    struct pp_wr e = pp_wr_over(entry, sizeof entry);
    const struct pp_note_signer people[2] = { owner_signer, reviewer_signer };

    if (rec->type == PP_RECORD_STATUS)
        must(pp_record_sign(&e, rec, &log_signer, 1));
    else
        must(pp_record_sign(&e, rec, people, 2));
    must(pp_rules_feed(&reader.rules, pp_wr_done(&e), far_ahead_ms(NULL)));
    pp_wr_u16(wr, (uint16_t)e.len);
    pp_wr_span(wr, pp_wr_done(&e));
    must(pp_wr_ok(wr));
    ends[index] = wr->len;
}

static void make_log(size_t size)
{
    size_t room = size * 1024;
    struct pp_wr wr = pp_wr_over((bundles = malloc(room)), room);
    struct pp_record rec;

    ends = calloc(size, sizeof *ends);
    PP_ASSERT(bundles != NULL);
    PP_ASSERT(ends != NULL);
    for (size_t i = 0; i < size; i += 2) {
        uint64_t now = BEGAN + i / 2 * UINT64_C(3600);
        rec = (struct pp_record){
            .type = PP_RECORD_HOST_SET,
            .ledger = PP_STR(ORIGIN),
            .name_space = PP_STR("example.org/bench"),
            .environment = PP_RECORD_DEV,
            .serial = 1 + i / 2,
            .time = now,
            .host_set = { .not_after = now + PP_HOST_SET_LIFE_S,
                          .count = 1,
                          .where = PP_STR("https://hosts.example.org/1") },
        };
        append(&wr, &rec, i);
        must(pp_rules_status(&reader.rules, now, &rec));
        append(&wr, &rec, i + 1);
    }
}

/* Every bundle of the first `size` entries, as they come from the log. */
static double reread(size_t size)
{
    double from = bench_cpu_s();

    begin();
    reader.size = size;
    for (uint64_t n = 0; n * PP_TILE_WIDTH < size; n++) {
        PP_ASSERT(pp_tile_of(size, 0, n, &reader.tile));
        size_t first = (size_t)n * PP_TILE_WIDTH;
        size_t start = first == 0 ? 0 : ends[first - 1];
        must(pp_reader_take_bundle(
            &reader, pp_span(bundles + start, ends[first + reader.tile.width - 1] - start)));
    }
    must(pp_rules_closed(&reader.rules));
    return bench_cpu_s() - from;
}

static double signature(void)
{
    uint8_t text[350] = { 0 }; /* as long as the records are on average */
    uint8_t sig[PP_ED25519_SIG_BYTES];

    must(pp_ed25519_sign(pp_secret_span(&log_signer.seed), PP_BYTES(text), sig));
    return BENCH("Ed25519 verification of 350 bytes", "op",
                 { must(pp_ed25519_verify(log_signer.key.pk, PP_BYTES(text), PP_BYTES(sig))); });
}

int main(void)
{
    must(pp_crypto_init());
    make_people();
    reader.rules.config.records = calloc(PP_READER_RECORDS_MAX, sizeof(struct pp_rules_record));
    reader.rules.config.measurements = calloc(PP_READER_MEASUREMENTS_MAX,
                                              sizeof(struct pp_rules_measurement));
    begin();
    make_log(SIZE[SIZES - 1]);
    double bare = signature();
    for (size_t i = 0; i < SIZES; i++) {
        double took = reread(SIZE[i]);
        char label[64];
        snprintf(label, sizeof label, "restart of a record witness, %zu records", SIZE[i]);
        printf("%-58s %10.2f s CPU %20.0f record/s\n", label, took, (double)SIZE[i] / took);
        bench_ratio("  beside the bare checks of its signatures", took,
                    bare * (double)SIZE[i] * SIGNATURES / 2, "aim at most 1.25");
    }
    free(bundles);
    free(ends);
    free(reader.rules.config.records);
    free(reader.rules.config.measurements);
    pp_note_signer_done(&log_signer);
    pp_note_signer_done(&owner_signer);
    pp_note_signer_done(&reviewer_signer);
    return 0;
}
