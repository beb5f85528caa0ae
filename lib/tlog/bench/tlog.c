/* SPDX-License-Identifier: Apache-2.0 */
/* One core: appends and proof checks in a tree of a million, and a record against its signature. */
#include "bench.h"

#include "crypto.h"
#include "merkle.h"
#include "record.h"

enum { SIZE = 1 << 20 };

#define ORIGIN "ledger.example/bench"

static struct pp_note_signer signer;
static struct pp_policy owner, review, log_policy;
static char owner_text[512];
static uint8_t entry[PP_RECORD_ENTRY_MAX];
static size_t entry_len;

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

/* A key-epoch record signed by its owner, the record that is checked most often. */
static void make_record(void)
{
    static const uint8_t seed[32] = { 1 };
    static const uint8_t config[34] = { 0, 5, 7 };
    struct pp_record r = {
        .type = PP_RECORD_KEY_EPOCH,
        .ledger = PP_STR(ORIGIN),
        .name_space = PP_STR("example.org/bench"),
        .environment = PP_RECORD_DEV,
        .serial = 1,
        .time = UINT64_C(20000) * PP_DAY_S,
        .key_epoch = { .kind = PP_RECORD_ISSUER, .epoch = 20000, .config_len = sizeof config },
    };
    struct pp_wr wr = pp_wr_over(owner_text, sizeof owner_text);

    memcpy(r.key_epoch.config, config, sizeof config);
    must(pp_note_signer_make(PP_STR("owner.example"), PP_NOTE_ED25519, PP_BYTES(seed), &signer));
    pp_wr_text(&wr, "witness o ");
    pp_vkey_write(&wr, &signer.key);
    pp_wr_text(&wr, "\nquorum o\n");
    must(pp_policy_parse(pp_wr_done(&wr), PP_POLICY_REVIEW, &owner));
    must(pp_policy_parse(PP_STR("quorum none\n"), PP_POLICY_REVIEW, &review));
    must(pp_policy_parse(PP_STR("quorum none\n"), PP_POLICY_LOG, &log_policy));
    wr = pp_wr_over(entry, sizeof entry);
    must(pp_record_sign(&wr, &r, &signer, 1));
    entry_len = wr.len;
}

static void open_record(void)
{
    struct pp_record_keys keys = { &log_policy, &owner, &review };
    static struct pp_record r;
    struct pp_note n;

    must(pp_record_open(pp_span(entry, entry_len), &n, &r));
    must(pp_record_check_signers(&n, &r, &keys));
}

/* The same signature, without a note or a record around it. */
static double bench_signature(void)
{
    uint8_t signature[PP_ED25519_SIG_BYTES];
    struct pp_note n;

    must(pp_note_parse(pp_span(entry, entry_len), &n));
    must(pp_ed25519_sign(pp_secret_span(&signer.seed), n.text, signature));
    return BENCH("Ed25519 verification of the same text", "op",
                 { must(pp_ed25519_verify(signer.key.pk, n.text, PP_BYTES(signature))); });
}

int main(void)
{
    struct pp_merkle_hash nodes[PP_MERKLE_LEVELS];
    struct pp_merkle_range range = { 0 };
    struct pp_merkle_nodes reader = { .read = same_node, .ctx = nodes };
    struct pp_merkle_path path;
    struct pp_merkle_hash root;
    uint8_t data[1024] = { 0 };

    must(pp_crypto_init());
    pp_merkle_leaf(PP_BYTES(data), &nodes[0]);
    for (unsigned i = 1; i < PP_MERKLE_LEVELS; i++)
        pp_merkle_node(&nodes[i - 1], &nodes[i - 1], &nodes[i]);
    BENCH("append of a 1 KiB entry", "append", {
        struct pp_merkle_hash leaf;
        pp_merkle_leaf(PP_BYTES(data), &leaf);
        must(pp_merkle_append(&range, &leaf, NULL));
    });
    must(pp_merkle_inclusion(SIZE / 3, SIZE, &reader, &path));
    root = nodes[20];
    BENCH("inclusion check, 2^20 entries", "check",
          { must(pp_merkle_inclusion_verify(SIZE / 3, SIZE, &nodes[0], &path, &root)); });
    make_record();
    double whole = BENCH("key-epoch record: parse, and verify its signer", "record",
                         { open_record(); });
    double bare = bench_signature();
    bench_ratio("record / its bare Ed25519", whole, bare, "aim at most 1.2");
    pp_note_signer_done(&signer);
    return 0;
}
