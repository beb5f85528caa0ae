/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry bundles as the record witness reads them, after the rules. The first byte of the input is
 * how many entries the tree has, less one. The keys are those of tests/vectors/records/make.py.
 */
#include "fuzz.h"

#include "crypto.h"
#include "reader_int.h"

static struct pp_policy policies[3];
static char texts[3][4096];

static void add_key(struct pp_wr *wr, const char *before, const char *name, uint8_t fill)
{
    struct pp_note_signer s;
    uint8_t seed[32];

    memset(seed, fill, sizeof seed);
    FUZZ_CHECK(
        pp_is_ok(pp_note_signer_make(pp_span_cstr(name), PP_NOTE_ED25519, PP_BYTES(seed), &s)));
    pp_wr_text(wr, before);
    pp_vkey_write(wr, &s.key);
    pp_wr_u8(wr, '\n');
    pp_note_signer_done(&s);
}

static void make_policies(void)
{
    static const char REVIEWERS[] = "group reviewers 2 alice bob carol owner\n"
                                    "quorum reviewers\n";
    static const char *const ends[] = { "quorum none\n", "quorum owner\n", REVIEWERS };
    struct pp_wr wr[3];

    FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    for (size_t i = 0; i < 3; i++)
        wr[i] = pp_wr_over(texts[i], sizeof texts[i]);
    add_key(&wr[0], "log ", "ledger.example/records", 1);
    add_key(&wr[1], "witness owner ", "owner.example", 3);
    add_key(&wr[2], "witness alice ", "alice.example", 4);
    add_key(&wr[2], "witness bob ", "bob.example", 5);
    add_key(&wr[2], "witness carol ", "carol.example", 6);
    add_key(&wr[2], "witness owner ", "owner.example", 3);
    for (size_t i = 0; i < 3; i++) {
        pp_wr_text(&wr[i], ends[i]);
        FUZZ_CHECK(pp_is_ok(pp_policy_parse(
            pp_wr_done(&wr[i]), i == 0 ? PP_POLICY_LOG : PP_POLICY_REVIEW, &policies[i])));
    }
}

static uint64_t now_ms(void *ctx)
{
    (void)ctx;
    return (UINT64_C(20000) * PP_DAY_S + 10 * 3600 + 60) * 1000;
}

static void begin(struct pp_reader *r, uint64_t size)
{
    static struct pp_rules_record records[PP_TILE_WIDTH];
    static struct pp_rules_measurement measurements[1024];
    const struct pp_rules_config c = {
        .ledger = PP_STR("ledger.example/records"),
        .name_space = PP_STR("example.org/assistant"),
        .environment = PP_RECORD_DEV,
        .keys = { &policies[0], &policies[1], &policies[2] },
        .records = records,
        .record_cap = PP_ARRAY_COUNT(records),
        .measurements = measurements,
        .measurement_cap = PP_ARRAY_COUNT(measurements),
    };

    *r = (struct pp_reader){ .size = size, .config.clock.posix_ms = now_ms };
    r->tile = (struct pp_tile){ .entries = 1, .width = (unsigned)size };
    pp_rules_init(&r->rules, &c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct pp_reader r;

    if (policies[0].log_count == 0)
        make_policies();
    if (len == 0)
        return 0;
    begin(&r, data[0] + UINT64_C(1));
    pp_res res = pp_reader_take_bundle(&r, pp_span(data + 1, len - 1));
    FUZZ_CHECK(r.range.size == r.rules.state.entries);
    FUZZ_CHECK(!pp_is_ok(res) || r.range.size == r.size);
    FUZZ_CHECK(r.range.size <= r.size);
    return 0;
}
