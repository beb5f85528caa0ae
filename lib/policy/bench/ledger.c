/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One core: the client's whole check of a directory bundle, beside the bare signature checks that
 * are contained in it, of the very same texts. The bundle is a usual one: a status that names a
 * release of each role, the host-set, and the keys of today and tomorrow; four witnesses and the
 * record witness have cosigned. Then single records of it, as a log and its readers check them.
 */
#include "bench.h"
#include "world.h"

enum { CHECKS_MAX = 128 };

/* What was verified while `is_kept`; linked in the place of the library's function. */
static struct check {
    uint8_t pk[PP_ED25519_PK_BYTES];
    uint8_t message[PP_RECORD_ENTRY_MAX];
    size_t message_len;
    uint8_t signature[PP_ED25519_SIG_BYTES];
} kept[CHECKS_MAX];
static size_t kept_count;
static int is_kept;

pp_res __real_pp_ed25519_verify(const uint8_t pk[PP_ED25519_PK_BYTES], struct pp_span message,
                                struct pp_span signature);
pp_res __wrap_pp_ed25519_verify(const uint8_t pk[PP_ED25519_PK_BYTES], struct pp_span message,
                                struct pp_span signature);

pp_res __wrap_pp_ed25519_verify(const uint8_t pk[PP_ED25519_PK_BYTES], struct pp_span message,
                                struct pp_span signature)
{
    if (is_kept) {
        struct check *c = &kept[kept_count++];

        PP_ASSERT(kept_count <= CHECKS_MAX && message.len <= sizeof c->message);
        memcpy(c->pk, pk, sizeof c->pk);
        memcpy(c->message, message.at, message.len);
        c->message_len = message.len;
        memcpy(c->signature, signature.at, sizeof c->signature);
    }
    return __real_pp_ed25519_verify(pk, message, signature);
}

static void must(pp_res r)
{
    PP_ASSERT(pp_is_ok(r));
}

static void repeat_bare(void)
{
    for (size_t i = 0; i < kept_count; i++)
        must(__real_pp_ed25519_verify(kept[i].pk, pp_span(kept[i].message, kept[i].message_len),
                                      PP_BYTES(kept[i].signature)));
}

static struct pp_arena arena;
static struct pp_ledger ledger;
static const struct pp_marks nothing_seen;

static void verify(const struct world *w, struct pp_span bundle)
{
    pp_arena_reset(&arena);
    must(
        pp_ledger_verify(&w->trust, bundle, &nothing_seen, WORLD_NOW, &arena, &ledger, NULL, NULL));
}

static double whole_and_bare(const char *label, const struct world *w, struct pp_span bundle)
{
    char line[96];

    kept_count = 0;
    is_kept = 1;
    verify(w, bundle);
    is_kept = 0;
    snprintf(line, sizeof line, "%s, %zu KiB", label, bundle.len / 1024);
    double whole = BENCH(line, "bundle", { verify(w, bundle); });
    snprintf(line, sizeof line, "the %zu Ed25519 checks in it, bare", kept_count);
    double bare = BENCH(line, "bundle", { repeat_bare(); });
    bench_ratio("whole check / its bare Ed25519", whole, bare, "aim at most 1.20");
    return whole;
}

static void open_record(const struct world *w, enum slot_id id)
{
    const struct world_entry *e = &w->entries[id];
    const struct pp_trust *t = &w->trust;
    const struct pp_record_keys keys = { &t->log, &t->owner, &t->review };
    static struct pp_record r;
    static struct pp_note n;

    must(pp_record_open(pp_span(e->bytes, e->len), &n, &r));
    must(pp_record_check_signers(&n, &r, &keys));
}

static void record_and_bare(const struct world *w, enum slot_id id)
{
    const char *type = pp_record_type_name(w->slots[id].record.type);
    char line[96];

    kept_count = 0;
    is_kept = 1;
    open_record(w, id);
    is_kept = 0;
    snprintf(line, sizeof line, "%s: parsed, and its signers checked", type);
    double whole = BENCH(line, "record", { open_record(w, id); });
    snprintf(line, sizeof line, "its Ed25519, bare: %zu", kept_count);
    double bare = BENCH(line, "record", { repeat_bare(); });
    bench_ratio("records / rate of bare Ed25519", bare, whole, "aim at least 0.80");
}

/* Each record under another checkpoint: what a mirror may serve that keeps the proofs it has. */
static void spread_proofs(struct world *w)
{
    for (size_t i = 0; i < w->bundle.record_count; i++) {
        size_t place = 0;
        while (w->entries[w->places[place]].bytes != w->records[i].entry.at)
            place++;
        w->cosigned[0] = WORLD_NOW - 100 - i;
        w->records[i].proof = world_prove(w, place);
    }
}

int main(void)
{
    struct world *w = world_new();

    must(pp_arena_new_locked(&arena, PP_LEDGER_ARENA_BYTES));
    world_default(w);
    world_release(w, S_GUARD, PP_RECORD_GUARD, 0x0E);
    world_release(w, S_GATEWAY, PP_RECORD_GATEWAY, 0x0F);
    world_log(w);
    double one = whole_and_bare("bundle under one checkpoint", w, world_bytes(w));
    spread_proofs(w);
    double many = whole_and_bare("bundle, every record under its own", w, world_bytes(w));
    bench_ratio("what verifying a checkpoint once saves", many, one, "no aim");
    record_and_bare(w, S_ORCHESTRATOR);
    record_and_bare(w, S_HOSTS);
    record_and_bare(w, S_OHTTP_TODAY);
    record_and_bare(w, S_STATUS);
    pp_arena_done(&arena);
    world_free(w);
    return 0;
}
