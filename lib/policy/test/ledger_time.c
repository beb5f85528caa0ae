/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What time does to the client's check of a bundle: keys of log and witnesses that are replaced,
 * clocks and cosignatures that lie, revocations, and which of several good bundles one holds.
 */
#include "world.h"

#define TEN_YEARS (UINT64_C(3652) * PP_DAY_S)

static struct world *w;
static struct pp_arena arena;
static struct pp_ledger ledger;
static struct pp_marks marks;

static int make(void **state)
{
    (void)state;
    w = world_new();
    assert_ok(pp_arena_new_locked(&arena, PP_LEDGER_ARENA_BYTES));
    return 0;
}

static int drop(void **state)
{
    (void)state;
    pp_arena_done(&arena);
    world_free(w);
    return 0;
}

static int fresh(void **state)
{
    (void)state;
    world_default(w);
    marks = (struct pp_marks){ 0 };
    return 0;
}

static pp_res verify_as(const struct pp_trust *trust, struct pp_span bytes, uint64_t clock_s)
{
    pp_arena_reset(&arena);
    return pp_ledger_verify(trust, bytes, &marks, clock_s, &arena, &ledger, NULL, NULL);
}

static pp_res verify_at(uint64_t clock_s)
{
    return verify_as(&w->trust, world_bytes(w), clock_s);
}

/* A bundle apart from the world, which makes the next one in the same memory. */
static struct pp_span keep(uint8_t *copy)
{
    struct pp_span bytes = world_bytes(w);

    memcpy(copy, bytes.at, bytes.len);
    return pp_span(copy, bytes.len);
}

/* --- keys that are replaced ------------------------------------------------------------------- */

struct app { /* a release of the app: its anchors */
    struct world_text log_text;
    struct pp_trust trust;
};

static void begin_app(struct app *a, uint32_t logs)
{
    world_begin(&a->log_text);
    for (enum person p = 0; p < PEOPLE; p++)
        if ((logs >> p & 1) != 0)
            world_line(&a->log_text, "log ", w, p);
}

static void finish_app(struct app *a)
{
    struct pp_trust_files files = w->files;

    files.log_policy = world_end(&a->log_text);
    assert_ok(pp_trust_parse(&a->trust, &files, NULL));
}

static struct app before, during, after;

static void drop_apps(void)
{
    pp_trust_done(&before.trust);
    pp_trust_done(&during.trust);
    pp_trust_done(&after.trust);
}

static void log_signed_by(uint32_t logs)
{
    w->checkpoint_signers = w->slots[S_STATUS].signers = logs;
    world_log(w);
}

/* Keys change with releases of the app, old and new overlapping (ledger.md, Quorum). */
static void w27_t6_a_log_key_is_replaced_across_two_releases_of_the_app(void **state)
{
    (void)state;
    static const struct {
        uint32_t logs;
        uint32_t before, during, after;
    } rows[] = {
        { BY(P_LOG), PP_E_OK, PP_E_OK, PP_E_LEDGER_SIGNATURE },
        { BY(P_LOG) | BY(P_OTHER_LOG), PP_E_OK, PP_E_OK, PP_E_OK },
        { BY(P_OTHER_LOG), PP_E_LEDGER_SIGNATURE, PP_E_OK, PP_E_OK },
        { BY(P_THIRD_LOG), PP_E_LEDGER_SIGNATURE, PP_E_LEDGER_SIGNATURE, PP_E_LEDGER_SIGNATURE },
    };
    struct app *const apps[] = { &before, &during, &after };
    static const uint32_t keys[] = { BY(P_LOG), BY(P_LOG) | BY(P_OTHER_LOG), BY(P_OTHER_LOG) };

    for (size_t i = 0; i < PP_ARRAY_COUNT(apps); i++) {
        begin_app(apps[i], keys[i]);
        world_witnesses(&apps[i]->log_text, w);
        finish_app(apps[i]);
    }
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        log_signed_by(rows[i].logs);
        struct pp_span bytes = world_bytes(w);
        assert_code(verify_as(&before.trust, bytes, WORLD_NOW), rows[i].before);
        assert_code(verify_as(&during.trust, bytes, WORLD_NOW), rows[i].during);
        assert_code(verify_as(&after.trust, bytes, WORLD_NOW), rows[i].after);
    }
    /* The key that has left signs no status either, under a checkpoint of its successor. */
    w->checkpoint_signers = BY(P_OTHER_LOG);
    w->slots[S_STATUS].signers = BY(P_LOG);
    world_log(w);
    assert_ok(verify_as(&during.trust, world_bytes(w), WORLD_NOW));
    assert_code(verify_as(&after.trust, world_bytes(w), WORLD_NOW), PP_E_LEDGER_SIGNER);
    drop_apps();
}

/* Marks are the origin's, not a key's: who follows a new key does not begin anew. */
static void w27_t6_marks_outlive_the_key_of_the_log(void **state)
{
    (void)state;
    static uint8_t old[1 << 20];

    begin_app(&before, BY(P_LOG));
    begin_app(&during, BY(P_LOG) | BY(P_OTHER_LOG));
    world_witnesses(&before.log_text, w);
    world_witnesses(&during.log_text, w);
    finish_app(&before);
    finish_app(&during);
    log_signed_by(BY(P_LOG));
    struct pp_span first = keep(old);
    w->slots[S_STATUS].record.serial++;
    w->slots[S_GAP] = w->slots[S_PREDICTOR]; /* a larger tree */
    w->slots[S_GAP].record.serial++;
    log_signed_by(BY(P_LOG));
    assert_ok(verify_as(&before.trust, world_bytes(w), WORLD_NOW));
    pp_ledger_raise_marks(&ledger, &marks);
    assert_code(verify_as(&during.trust, first, WORLD_NOW), PP_E_LEDGER_ROLLBACK);
    w->slots[S_STATUS].record.serial--;
    w->slots[S_GAP] = (struct slot){ 0 };
    log_signed_by(BY(P_OTHER_LOG));
    assert_code(verify_as(&during.trust, world_bytes(w), WORLD_NOW), PP_E_LEDGER_ROLLBACK);
    drop_apps();
}

/* w0 is the old key of a party and w1 its new one; three parties of three, and the record witness.
 */
static void w27_t6_a_witness_key_that_has_left_counts_no_more(void **state)
{
    (void)state;
    static const struct {
        unsigned without; /* bits: witnesses that have not cosigned */
        uint32_t before, during, after;
    } rows[] = {
        { 1 << 1, PP_E_OK, PP_E_OK, PP_E_LEDGER_QUORUM },
        { 1 << 0, PP_E_LEDGER_QUORUM, PP_E_OK, PP_E_OK },
        { 0, PP_E_OK, PP_E_OK, PP_E_OK },
        /* Two keys of one party are not two parties. */
        { 1 << 2, PP_E_LEDGER_QUORUM, PP_E_LEDGER_QUORUM, PP_E_LEDGER_QUORUM },
    };
    struct app *const apps[] = { &before, &during, &after };
    static const char *const parties[] = { "w0", "party", "w1" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(apps); i++) {
        struct world_text *t = &apps[i]->log_text;

        begin_app(apps[i], BY(P_LOG));
        if (i < 2)
            world_line(t, "witness w0 ", w, P_W0);
        if (i > 0)
            world_line(t, "witness w1 ", w, P_W1);
        world_line(t, "witness w2 ", w, P_W2);
        world_line(t, "witness w3 ", w, P_W3);
        world_line(t, "witness record ", w, P_RECORD_WITNESS);
        pp_wr_text(&t->wr, i == 1 ? "group party any w0 w1\n" : "");
        pp_wr_text(&t->wr, "group plain all ");
        pp_wr_text(&t->wr, parties[i]);
        pp_wr_text(&t->wr, " w2 w3\ngroup q all plain record\nquorum q\n");
        finish_app(apps[i]);
    }
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        for (size_t k = 0; k < WITNESSES; k++)
            w->cosigned[k] = (rows[i].without >> k & 1) != 0 ? 0 : WORLD_NOW - 30;
        world_log(w);
        struct pp_span bytes = world_bytes(w);
        assert_code(verify_as(&before.trust, bytes, WORLD_NOW), rows[i].before);
        assert_code(verify_as(&during.trust, bytes, WORLD_NOW), rows[i].during);
        assert_code(verify_as(&after.trust, bytes, WORLD_NOW), rows[i].after);
    }
    drop_apps();
}

/* --- clocks and dates that lie ---------------------------------------------------------------- */

static void w21_t6_a_clock_ten_years_ahead_refuses_and_leaves_nothing_behind(void **state)
{
    (void)state;
    world_log(w);
    assert_code(verify_at(WORLD_NOW + TEN_YEARS), PP_E_LEDGER_STALE);
    assert_code(verify_at(UINT64_MAX), PP_E_LEDGER_STALE);
    assert_int_equal(marks.now_posix_s, 0); /* nothing was raised: the right time is good again */
    assert_ok(verify_at(WORLD_NOW));
    assert_ok(verify_at(0)); /* a device without a clock has the witnesses' */
    assert_int_equal(ledger.now_posix_s, WORLD_NOW - 30);
}

/* The marks can be a day ahead of the witnesses, not more: that heals by waiting for a status. */
static void w21_t6_no_clock_drives_the_marks_past_the_life_of_a_status(void **state)
{
    (void)state;
    const uint64_t end = w->slots[S_STATUS].record.time + PP_STATUS_LIFE_S;

    world_log(w);
    for (uint64_t clock_s = WORLD_NOW; clock_s < WORLD_NOW + 3 * PP_DAY_S; clock_s += 3571)
        if (pp_is_ok(verify_at(clock_s)))
            pp_ledger_raise_marks(&ledger, &marks);
    assert_true(marks.now_posix_s > WORLD_NOW + PP_DAY_S / 2 && marks.now_posix_s < end);
    assert_code(verify_at(end), PP_E_LEDGER_STALE);
}

/* A liar's date is one date: the quorum's time is what the others vouch for as well. */
static void w21_t6_one_witness_from_the_future_moves_no_clock(void **state)
{
    (void)state;
    for (size_t i = 0; i < WITNESSES; i++) {
        assert_int_equal(fresh(state), 0);
        w->cosigned[i] = WORLD_NOW + TEN_YEARS;
        world_log(w);
        assert_ok(verify_at(WORLD_NOW));
        assert_int_equal(ledger.quorum_posix_s, WORLD_NOW - 30);
        assert_int_equal(ledger.now_posix_s, WORLD_NOW);
        w->cosigned[i] = 1; /* nor does one from the past, beyond being one too few */
        world_log(w);
        pp_res r = verify_at(WORLD_NOW);
        assert_code(r, i == WITNESSES - 1 ? PP_E_LEDGER_STALE : PP_E_OK);
    }
}

/* A whole quorum ahead of the device's clock is the time; past the status it is the end of it. */
static void a_quorum_ahead_of_the_clock_is_the_time(void **state)
{
    (void)state;
    const uint64_t end = w->slots[S_STATUS].record.time + PP_STATUS_LIFE_S;
    static const uint64_t ahead[] = { 1, 3600 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(ahead); i++) {
        for (size_t k = 0; k < WITNESSES; k++)
            w->cosigned[k] = WORLD_NOW + ahead[i];
        world_log(w);
        assert_ok(verify_at(WORLD_NOW));
        assert_int_equal(ledger.now_posix_s, WORLD_NOW + ahead[i]);
    }
    for (size_t k = 0; k < WITNESSES; k++)
        w->cosigned[k] = end;
    world_log(w);
    assert_code(verify_at(WORLD_NOW), PP_E_LEDGER_STALE);
    for (size_t k = 0; k < WITNESSES; k++)
        w->cosigned[k] = (uint64_t)INT64_MAX;
    world_log(w);
    assert_code(verify_at(WORLD_NOW), PP_E_LEDGER_STALE);
}

/* Marks that somebody wrote who had the files of the device: they can refuse, never admit. */
static void marks_from_the_future_admit_nothing(void **state)
{
    (void)state;
    static const uint64_t ahead[] = { PP_DAY_S, TEN_YEARS, UINT64_MAX - WORLD_NOW };

    world_log(w);
    for (size_t i = 0; i < PP_ARRAY_COUNT(ahead); i++) {
        marks.now_posix_s = WORLD_NOW + ahead[i];
        assert_code(verify_at(WORLD_NOW), PP_E_LEDGER_STALE);
        assert_code(verify_at(0), PP_E_LEDGER_STALE);
    }
}

/* transparency-log A11.9: each cosignature has its own age, and is dated before it is counted. */
static void w21_t1_every_needed_cosignature_has_to_be_fresh(void **state)
{
    (void)state;
    w->slots[S_STATUS].record.time = WORLD_NOW - 60;
    for (unsigned old = 0; old < 1U << WITNESSES; old++) {
        for (size_t i = 0; i < WITNESSES; i++)
            w->cosigned[i] = WORLD_NOW - ((old >> i & 1) != 0 ? PP_LEDGER_AGE_MAX_S + 1 : 30);
        world_log(w);
        unsigned plain = 4 - (unsigned)__builtin_popcount(old & 0xf);
        int is_fresh = plain >= 3 && (old >> 4 & 1) == 0;
        assert_code(verify_at(WORLD_NOW), is_fresh ? PP_E_OK : PP_E_LEDGER_STALE);
    }
}

/* --- revocation ------------------------------------------------------------------------------- */

/*
 * transparency-log B6: obeyed within one fetch window. Who has seen the status that revokes takes
 * no older one; who is kept from it stops when the status in hand ends, a day later at the most.
 */
static void w21_t5_a_revocation_is_obeyed_within_one_status_interval(void **state)
{
    (void)state;
    static uint8_t held[1 << 20];
    struct pp_status *s = &w->slots[S_STATUS].record.status;
    const struct pp_release *release;

    world_log(w);
    struct pp_span old = keep(held);
    const struct pp_record_id id = w->entries[S_ORCHESTRATOR].record_id;
    assert_ok(verify_as(&w->trust, old, WORLD_NOW));
    assert_ok(pp_ledger_release(&ledger, &marks, &id, PP_RECORD_ORCHESTRATOR, &release));

    w->slots[S_ORCHESTRATOR].named = 0; /* the next hour's status */
    w->slots[S_GAP] = w->slots[S_PREDICTOR];
    w->slots[S_GAP].record.serial++;
    w->slots[S_STATUS].record.serial++;
    w->slots[S_STATUS].record.time += 3600;
    s->revoked_count = 1;
    s->revoked[0] = id;
    for (size_t i = 0; i < WITNESSES; i++)
        w->cosigned[i] = WORLD_NOW + 3600;
    world_log(w);
    s->revoked_count = 0;
    struct pp_span next = world_bytes(w);

    assert_ok(verify_as(&w->trust, old, WORLD_NOW + PP_DAY_S - 61)); /* without the next one */
    assert_code(verify_as(&w->trust, old, WORLD_NOW + PP_DAY_S - 60), PP_E_LEDGER_STALE);
    assert_ok(verify_as(&w->trust, next, WORLD_NOW + 3600));
    assert_code(pp_ledger_release(&ledger, &marks, &id, PP_RECORD_ORCHESTRATOR, &release),
                PP_E_LEDGER_REVOKED);
    pp_ledger_raise_marks(&ledger, &marks);
    assert_code(verify_as(&w->trust, old, WORLD_NOW + 3600), PP_E_LEDGER_ROLLBACK);
    marks.status_serial = marks.tree_size = 0; /* the id alone is enough */
    marks.now_posix_s = 0;
    assert_code(verify_as(&w->trust, old, WORLD_NOW), PP_E_LEDGER_REVOKED);
}

/* transparency-log B4: a note that comes with the app counts like one of the bundle, and stays. */
static void a_revoke_note_of_the_app_counts_before_it_is_logged(void **state)
{
    (void)state;
    static char text[8192];
    static struct pp_trust trust;
    struct pp_trust_files files = w->files;
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    struct pp_record r = { .type = PP_RECORD_REVOKE,
                           .ledger = PP_STR(WORLD_ORIGIN),
                           .name_space = PP_STR(WORLD_NAMESPACE),
                           .environment = PP_RECORD_DEV,
                           .serial = 1,
                           .time = WORLD_NOW,
                           .revoke = { .effective = WORLD_NOW } };
    static const enum slot_id ids[] = { S_PREDICTOR, S_HOSTS, S_OHTTP_TODAY };

    world_log(w);
    struct pp_span bundle = world_bytes(w);
    for (size_t i = 0; i < PP_ARRAY_COUNT(ids); i++) {
        wr = pp_wr_over(text, sizeof text);
        r.revoke.target = w->entries[ids[i]].record_id;
        assert_ok(pp_record_sign(&wr, &r, &w->people[P_ALICE], 1));
        files.revokes = pp_wr_done(&wr);
        assert_ok(pp_trust_parse(&trust, &files, NULL));
        assert_code(verify_as(&trust, bundle, WORLD_NOW), PP_E_LEDGER_REVOKED);
        pp_trust_done(&trust);
    }
    wr = pp_wr_over(text, sizeof text);
    r.revoke.target.bytes[0] ^= 1; /* something else: nothing is refused, and it is remembered */
    assert_ok(pp_record_sign(&wr, &r, &w->people[P_ALICE], 1));
    files.revokes = pp_wr_done(&wr);
    assert_ok(pp_trust_parse(&trust, &files, NULL));
    assert_ok(verify_as(&trust, bundle, WORLD_NOW));
    pp_ledger_raise_marks(&ledger, &marks);
    assert_int_equal(marks.revoked_count, 1);
    assert_true(pp_record_id_same(&marks.revoked[0], &r.revoke.target));
    pp_trust_done(&trust);
}

/* --- which of several good bundles one holds -------------------------------------------------- */

struct verdict {
    uint32_t releases[2], key_codes[PP_RECORD_KINDS][3];
    struct pp_record_id status, hosts;
    uint64_t size, records;
    struct pp_marks after;
};

static struct verdict verdict_of(struct pp_span bytes)
{
    static const enum slot_id ids[] = { S_ORCHESTRATOR, S_PREDICTOR };
    static const enum pp_record_role roles[] = { PP_RECORD_ORCHESTRATOR, PP_RECORD_PREDICTOR };
    struct verdict v = { .releases = { 0 } };
    const struct pp_release *release;
    const struct pp_key_epoch *key;

    assert_ok(verify_as(&w->trust, bytes, WORLD_NOW));
    for (size_t i = 0; i < 2; i++)
        v.releases[i] = pp_ledger_release(&ledger, &marks, &w->entries[ids[i]].record_id, roles[i],
                                          &release)
                            .code;
    for (size_t kind = 0; kind < PP_RECORD_KINDS; kind++)
        for (size_t day = 0; day < 3; day++)
            v.key_codes[kind][day] = pp_ledger_key_at(&ledger, (enum pp_record_kind)kind,
                                                      WORLD_NOW + (day - 1) * PP_DAY_S, &key)
                                         .code;
    v.status = ledger.status.id;
    v.hosts = pp_ledger_hosts(&ledger)->id;
    v.size = ledger.tree_size;
    v.records = ledger.record_count;
    pp_ledger_raise_marks(&ledger, &v.after);
    return v;
}

/*
 * transparency-log B6: cosignatures that came late, quorums of other witnesses, and proofs of the
 * records under other checkpoints make other bytes, and the same answer to every question.
 */
static void the_verdict_is_the_same_whichever_good_bundle_one_holds(void **state)
{
    (void)state;
    static struct verdict first;
    size_t bundles = 0;

    w->slots[S_PREDICTOR].record.release.not_before = WORLD_NOW + 5; /* one that waits */
    world_log(w);
    first = verdict_of(world_bytes(w));
    assert_int_equal(first.releases[0], PP_E_OK);
    assert_int_equal(first.releases[1], PP_E_LEDGER_WINDOW);
    for (unsigned set = 0; set < 1U << WITNESSES; set++) {
        for (size_t i = 0; i < WITNESSES; i++)
            w->cosigned[i] = (set >> i & 1) != 0 ? WORLD_NOW - 30 - 7 * i : 0;
        world_log(w);
        if (!pp_is_ok(verify_at(WORLD_NOW)))
            continue;
        for (size_t other = 0; other < w->bundle.record_count; other++) {
            /* A record under a checkpoint of its own, cosigned long ago. */
            size_t place = 0;
            while (w->entries[w->places[place]].bytes != w->records[other].entry.at)
                place++;
            uint64_t kept[WITNESSES];
            memcpy(kept, w->cosigned, sizeof kept);
            for (size_t i = 0; i < WITNESSES; i++)
                w->cosigned[i] = WORLD_NOW - TEN_YEARS;
            w->records[other].proof = world_prove(w, place);
            memcpy(w->cosigned, kept, sizeof kept);
            struct verdict v = verdict_of(world_bytes(w));
            assert_memory_equal(&v, &first, sizeof v);
            bundles++;
        }
    }
    assert_int_equal(bundles, 5 * 7); /* three of four or all four, with the record witness */
}

#define FRESH(test) cmocka_unit_test_setup(test, fresh)

static const struct CMUnitTest TESTS[] = {
    FRESH(w27_t6_a_log_key_is_replaced_across_two_releases_of_the_app),
    FRESH(w27_t6_marks_outlive_the_key_of_the_log),
    FRESH(w27_t6_a_witness_key_that_has_left_counts_no_more),
    FRESH(w21_t6_a_clock_ten_years_ahead_refuses_and_leaves_nothing_behind),
    FRESH(w21_t6_no_clock_drives_the_marks_past_the_life_of_a_status),
    FRESH(w21_t6_one_witness_from_the_future_moves_no_clock),
    FRESH(a_quorum_ahead_of_the_clock_is_the_time),
    FRESH(marks_from_the_future_admit_nothing),
    FRESH(w21_t1_every_needed_cosignature_has_to_be_fresh),
    FRESH(w21_t5_a_revocation_is_obeyed_within_one_status_interval),
    FRESH(a_revoke_note_of_the_app_counts_before_it_is_logged),
    FRESH(the_verdict_is_the_same_whichever_good_bundle_one_holds),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make, drop);
}
