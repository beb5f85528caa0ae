/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One core: appends beside the hashes in them, and trees of 10^3 to 10^7 entries.
 */
#include "bench.h"

#include "crypto.h"
#include "merkle.h"

static void must(pp_res r)
{
    PP_ASSERT(pp_is_ok(r));
}

static pp_res same_node(void *ctx, unsigned level, uint64_t index, struct pp_merkle_hash *ret)
{
    (void)index;
    *ret = ((const struct pp_merkle_hash *)ctx)[level];
    return PP_OK;
}

/* --- trees ------------------------------------------------------------------------------------ */

static uint8_t data[1 + 1024]; /* an entry behind the prefix byte of its leaf hash */

/* What the library itself does with the same bytes: the leaf, and one node for each leaf. */
static void bare_hashes(size_t len)
{
    static uint8_t node[1 + 2 * PP_SHA256_BYTES] = { 1 };
    uint8_t digest[PP_SHA256_BYTES];

    pp_sha256(pp_span(data, 1 + len), digest);
    memcpy(node + 1, digest, sizeof digest);
    pp_sha256(PP_BYTES(node), digest);
    data[1] = digest[0];
}

static void bench_appends(void)
{
    static const size_t sizes[] = { 64, 256, 512, 1024 };
    struct pp_merkle_range range = { 0 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(sizes); i++) {
        char line[96];
        size_t len = sizes[i];

        snprintf(line, sizeof line, "append of an entry of %zu bytes", len);
        double whole = BENCH(line, "append", {
            struct pp_merkle_hash leaf;
            pp_merkle_leaf(pp_span(data + 1, len), &leaf);
            must(pp_merkle_append(&range, &leaf, NULL));
            data[1] = leaf.bytes[0];
        });
        double bare = BENCH("its two SHA-256, bare", "append", { bare_hashes(len); });
        bench_ratio("append / its bare SHA-256", whole, bare, "aim at most 1.20");
        if (len <= 512)
            bench_at_least("appends, in memory", whole, 2e6);
    }
}

/* A tree of equal entries has one hash on each level: proofs of any size without the memory. */
static struct pp_merkle_hash levels[PP_MERKLE_LEVELS];
static const struct pp_merkle_nodes LEVELS = { .read = same_node, .ctx = levels };

static void root_of(uint64_t size, struct pp_merkle_hash *ret)
{
    struct pp_merkle_range range;

    must(pp_merkle_range_load(size, &LEVELS, &range));
    pp_merkle_range_root(&range, ret);
}

/* CPU seconds of `count` appends of different entries. */
static double fill(uint64_t count)
{
    struct pp_merkle_range range = { 0 };
    struct pp_merkle_hash leaf;
    double from = bench_cpu_s();

    for (uint64_t i = 0; i < count; i++) {
        memcpy(data + 1, &i, sizeof i);
        pp_merkle_leaf(pp_span(data + 1, 64), &leaf);
        must(pp_merkle_append(&range, &leaf, NULL));
    }
    pp_merkle_range_root(&range, &leaf);
    return bench_cpu_s() - from;
}

/* CPU seconds of one run of `body`, over enough of them. */
#define EACH(body)                                                                                 \
    __extension__({                                                                                \
        enum { RUNS = 20000 };                                                                     \
        double from_ = bench_cpu_s();                                                              \
        for (unsigned i_ = 0; i_ < RUNS; i_++)                                                     \
            body;                                                                                  \
        (bench_cpu_s() - from_) / RUNS;                                                            \
    })

static void growth_row(uint64_t size)
{
    struct pp_merkle_path path;
    struct pp_merkle_path step;
    struct pp_merkle_hash root;
    struct pp_merkle_hash old_root;
    uint64_t index = size / 3;
    uint64_t old = size - size / 7;

    root_of(size, &root);
    root_of(old, &old_root);
    must(pp_merkle_inclusion(index, size, &LEVELS, &path));
    must(pp_merkle_consistency(old, size, &LEVELS, &step));
    double append = fill(size) / (double)size;
    double make = EACH(must(pp_merkle_inclusion(index, size, &LEVELS, &path)));
    double check = EACH(must(pp_merkle_inclusion_verify(index, size, &levels[0], &path, &root)));
    double grow = EACH(must(pp_merkle_consistency_verify(old, size, &old_root, &root, &step)));
    printf("%10llu %12.3f %12.0f %8zu %12.3f %12.3f %12.0f %12.3f\n", (unsigned long long)size,
           append * 1e6, 1.0 / append, path.count, make * 1e6, check * 1e6, 1.0 / check,
           grow * 1e6);
}

/* Appending takes the same at any size, and 2 KiB; a proof is one hash longer at twice the size. */
static void bench_growth(void)
{
    pp_merkle_leaf(PP_BYTES(data), &levels[0]);
    for (unsigned i = 1; i < PP_MERKLE_LEVELS; i++)
        pp_merkle_node(&levels[i - 1], &levels[i - 1], &levels[i]);
    printf("\n%10s %12s %12s %8s %12s %12s %12s %12s\n", "entries", "us/append", "append/s",
           "hashes", "us/proof", "us/check", "check/s", "us/growth");
    for (uint64_t size = 1000; size <= 10000000; size *= 10)
        growth_row(size);
    printf(
        "(64-byte entries; proof and check of one entry, growth: consistency check; us CPU)\n\n");
}

static void bench_inclusion(void)
{
    struct pp_merkle_path path;
    struct pp_merkle_hash root;
    const uint64_t size = 10000000;

    root_of(size, &root);
    must(pp_merkle_inclusion(size / 3, size, &LEVELS, &path));
    double check = BENCH("inclusion check, 10^7 entries", "check", {
        must(pp_merkle_inclusion_verify(size / 3, size, &levels[0], &path, &root));
    });
    bench_at_least("inclusion checks", check, 3e5);
}

int main(void)
{
    must(pp_crypto_init());
    bench_appends();
    bench_growth();
    bench_inclusion();
    return 0;
}
