/* SPDX-License-Identifier: Apache-2.0 */
/* What a monitor reads back from its own folder: state and findings. The keys are those of the unit
 * tests, so that their states are seeds. */
#include "fuzz.h"

#include "crypto.h"
#include "monitor_state.h"

enum { WITNESSES = 5, TEXT_MAX = 1 << 20 };

static char policy_text[4096];
static struct pp_policy policy;
static struct pp_monitor monitor;
static struct pp_monitor_state state;
static char names[WITNESSES][16];

static void must(pp_res r)
{
    FUZZ_CHECK(pp_is_ok(r));
}

static void add_key(struct pp_wr *wr, const char *before, const char *name, enum pp_note_type type,
                    uint8_t fill)
{
    struct pp_note_signer s;
    uint8_t seed[32];

    memset(seed, fill, sizeof seed);
    must(pp_note_signer_make(pp_span_cstr(name), type, PP_BYTES(seed), &s));
    pp_wr_text(wr, before);
    pp_vkey_write(wr, &s.key);
    pp_wr_u8(wr, '\n');
    pp_note_signer_done(&s);
}

static void make_policy(void)
{
    static const char *const w[WITNESSES] = { "w0.example", "w1.example", "w2.example",
                                              "w3.example", "record.example" };
    struct pp_wr wr = pp_wr_over(policy_text, sizeof policy_text);

    must(pp_crypto_init());
    add_key(&wr, "log ", "ledger.example/test", PP_NOTE_ED25519, 1);
    for (uint8_t i = 0; i < WITNESSES; i++) {
        struct pp_wr name = pp_wr_over(names[i], sizeof names[i] - 1);
        pp_wr_text(&name, "witness w");
        pp_wr_decimal(&name, i);
        pp_wr_u8(&name, ' ');
        add_key(&wr, names[i], w[i], PP_NOTE_COSIGNATURE, (uint8_t)(101 + i));
    }
    pp_wr_text(&wr, "group plain 3 w0 w1 w2 w3\ngroup both all plain w4\nquorum both\n");
    must(pp_policy_parse(pp_wr_done(&wr), PP_POLICY_LOG, &policy));
}

static pp_res parse(struct pp_span text)
{
    const struct pp_monitor_config c = { .origin = PP_STR("ledger.example/test"), .log = &policy };

    pp_monitor_init(&monitor, &c);
    state.monitor = &monitor;
    return pp_monitor_state_parse(text, &state);
}

/* Lines may stand in any order; what is written of them is read back as itself. */
static void check_state(struct pp_span text)
{
    static uint8_t first[TEXT_MAX], again[TEXT_MAX];
    struct pp_wr a = pp_wr_over(first, sizeof first), b = pp_wr_over(again, sizeof again);

    if (!pp_is_ok(parse(text)))
        return;
    pp_monitor_state_write(&a, &state);
    must(pp_wr_ok(&a));
    must(parse(pp_wr_done(&a)));
    pp_monitor_state_write(&b, &state);
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&a), pp_wr_done(&b)));
}

static void check_finding(struct pp_span line)
{
    uint8_t text[PP_FINDING_LINE_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    struct pp_monitor_finding f;

    if (!pp_is_ok(pp_monitor_finding_parse(line, &f)))
        return;
    pp_monitor_finding_write(&wr, &f);
    FUZZ_CHECK(wr.len == line.len + 1 && memcmp(text, line.at, line.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (policy.log_count == 0)
        make_policy();
    check_state(pp_span(data, len));
    check_finding(pp_span(data, len));
    return 0;
}
