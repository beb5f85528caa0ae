/* SPDX-License-Identifier: Apache-2.0 */
/* The client's check of a directory bundle: who notices each single fault, and by which code. */
#include "world.h"

static struct world *w;
static struct pp_arena arena;
static struct pp_ledger ledger;
static struct pp_marks marks;
static struct pp_checks checks;
static struct pp_problem problem;

/* Counts how often a checkpoint's signatures are verified; linked in the place of the library's. */
static size_t opened;
pp_res __real_pp_policy_open(const struct pp_policy *p, struct pp_span note,
                             struct pp_policy_checkpoint *ret);
pp_res __wrap_pp_policy_open(const struct pp_policy *p, struct pp_span note,
                             struct pp_policy_checkpoint *ret);
pp_res __wrap_pp_policy_open(const struct pp_policy *p, struct pp_span note,
                             struct pp_policy_checkpoint *ret)
{
    opened++;
    return __real_pp_policy_open(p, note, ret);
}

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

/* Every test starts with the same world and a device that has seen nothing. */
static int fresh(void **state)
{
    (void)state;
    world_default(w);
    marks = (struct pp_marks){ 0 };
    return 0;
}

static pp_res verify_bytes(struct pp_span bytes, uint64_t clock_s)
{
    pp_arena_reset(&arena);
    checks.count = 0;
    memset(&problem, 0, sizeof problem);
    memset(&ledger, 0xEE, sizeof ledger);
    return pp_ledger_verify(&w->trust, bytes, &marks, clock_s, &arena, &ledger, &checks, &problem);
}

static pp_res verify_at(uint64_t clock_s)
{
    return verify_bytes(world_bytes(w), clock_s);
}

static pp_res verify(void)
{
    world_log(w);
    return verify_at(WORLD_NOW);
}

/* Refused with this code, in words, and nothing was given back. */
static void assert_refused_(pp_res r, uint32_t code, const char *file, int line)
{
    const uint8_t *at = (const uint8_t *)&ledger;

    assert_code_(r, code, file, line);
    _assert_true(problem.field[0] != '\0' && problem.expected[0] != '\0', "words", file, line);
    _assert_int_equal(pp_code_class(r.code), PP_CLASS_REFUSED, file, line);
    for (size_t i = 0; i < sizeof ledger; i++)
        _assert_int_equal(at[i], 0xEE, file, line);
}

#define assert_refused(r, code) assert_refused_((r), (uint32_t)(code), __FILE__, __LINE__)

static const enum slot_id RECORDS[] = { S_HOSTS,     S_ISSUER_TODAY, S_OHTTP_NEXT,
                                        S_PREDICTOR, S_ORCHESTRATOR, S_STATUS };

/* --- what passes ------------------------------------------------------------------------------ */

static void a_good_bundle_is_believed(void **state)
{
    (void)state;
    const struct pp_key_epoch *key;
    const struct pp_release *release;

    assert_ok(verify());
    assert_int_equal(ledger.record_count, 7);
    assert_int_equal(ledger.tree_size, 8);
    assert_int_equal(ledger.quorum_posix_s, WORLD_NOW - 30);
    assert_int_equal(ledger.now_posix_s, WORLD_NOW);
    assert_int_equal(ledger.status.record.serial, 7);
    assert_int_equal(pp_ledger_hosts(&ledger)->record.type, PP_RECORD_HOST_SET);
    assert_int_equal(checks.count, 4);
    for (size_t i = 0; i < checks.count; i++) {
        assert_int_equal(checks.rows[i].step, PP_STEP_DIRECTORY);
        assert_int_equal(checks.rows[i].verdict, PP_VERDICT_PROVEN);
    }
    assert_ok(pp_ledger_key_at(&ledger, PP_RECORD_OHTTP, WORLD_NOW, &key));
    assert_int_equal(key->epoch, WORLD_DAY);
    assert_ok(pp_ledger_issuer_key(&ledger, WORLD_DAY + 1, &key));
    assert_int_equal(key->kind, PP_RECORD_ISSUER);
    assert_ok(pp_ledger_release(&ledger, &marks, &w->entries[S_ORCHESTRATOR].record_id,
                                PP_RECORD_ORCHESTRATOR, &release));
    assert_int_equal(release->role, PP_RECORD_ORCHESTRATOR);
}

/* Six signatures for each of eight entries would be the dearest step of a session. */
static void one_checkpoint_is_verified_once_and_another_one_for_itself(void **state)
{
    (void)state;
    struct pp_bundle_entry *last;

    opened = 0;
    assert_ok(verify());
    assert_int_equal(opened, 1);

    last = &w->records[w->bundle.record_count - 1];
    const struct pp_status *named = &w->slots[S_STATUS].record.status;
    const struct pp_record_id *id = &named->keys[named->key_count - 1].id;
    w->cosigned[0]++;
    *last = world_entry_of(w, id);
    opened = 0;
    assert_ok(verify_at(WORLD_NOW));
    assert_int_equal(opened, 2);
    assert_int_equal(ledger.quorum_posix_s, WORLD_NOW - 30);
}

static void nobody_has_to_ask_for_rows_or_words(void **state)
{
    (void)state;
    world_log(w);
    pp_arena_reset(&arena);
    assert_ok(pp_ledger_verify(&w->trust, world_bytes(w), &marks, WORLD_NOW, &arena, &ledger, NULL,
                               NULL));
    w->bundle.record_count--;
    pp_arena_reset(&arena);
    assert_code(
        pp_ledger_verify(&w->trust, world_bytes(w), &marks, WORLD_NOW, &arena, &ledger, NULL, NULL),
        PP_E_LEDGER_FORMAT);
}

/* Exactly the quorum, so that no signature is one too many. */
static void every_byte_of_a_bundle_counts(void **state)
{
    (void)state;
    w->cosigned[3] = 0;
    world_log(w);
    struct pp_span good = world_bytes(w);
    uint8_t *bytes = malloc(good.len);

    assert_non_null(bytes);
    assert_ok(verify_bytes(good, WORLD_NOW));
    for (size_t i = 0; i < good.len; i += 151) {
        memcpy(bytes, good.at, good.len);
        bytes[i] ^= (uint8_t)(1U << i % 8);
        pp_res r = verify_bytes(pp_span(bytes, good.len), WORLD_NOW);
        if (pp_is_ok(r))
            print_error("the change at %zu was not noticed\n", i);
        assert_int_equal(pp_code_class(r.code), PP_CLASS_REFUSED);
    }
    for (size_t n = 0; n < good.len; n += n < 64 ? 1 : 997) {
        assert_refused(verify_bytes(pp_span(good.at, n), WORLD_NOW), PP_E_LEDGER_FORMAT);
        assert_string_equal(problem.field, "bundle");
    }
    free(bytes);
}

static void with_less_memory_than_it_says_it_fails_and_says_so(void **state)
{
    (void)state;
    world_log(w);
    struct pp_span bytes = world_bytes(w);

    for (size_t cap = 0; cap <= PP_LEDGER_ARENA_BYTES; cap += cap < 65536 ? 128 : 2048) {
        static _Alignas(16) uint8_t memory[PP_LEDGER_ARENA_BYTES];
        struct pp_arena small = pp_arena_over(memory, cap);
        pp_res r = pp_ledger_verify(&w->trust, bytes, &marks, WORLD_NOW, &small, &ledger, NULL,
                                    NULL);
        if (cap == PP_LEDGER_ARENA_BYTES || !pp_is_ok(r))
            assert_code(r, cap == PP_LEDGER_ARENA_BYTES ? PP_E_OK : PP_E_NO_MEMORY);
        pp_arena_done(&small);
    }
}

/* --- place: log, namespace, environment (W20) ------------------------------------------------- */

static void w20_t1_a_staging_or_prod_entry_is_refused(void **state)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(RECORDS); i++) {
        assert_int_equal(fresh(state), 0);
        /* Outside dev, times keep their distances: the record itself has to be a good one. */
        struct pp_record *r = &w->slots[RECORDS[i]].record;
        r->environment = PP_RECORD_STAGING;
        if (r->type == PP_RECORD_RELEASE) {
            r->time = r->release.not_before - PP_RELEASE_DELAY_S;
        }
        if (r->type == PP_RECORD_KEY_EPOCH)
            r->time = (r->key_epoch.epoch - 3) * PP_DAY_S;
        if (r->type == PP_RECORD_STATUS)
            r->time -= r->time % 3600;
        assert_refused(verify(), PP_E_LEDGER_NAMESPACE);
    }
}

static void w20_t3_another_spelling_of_the_namespace_is_another_namespace(void **state)
{
    static const char *const names[] = { WORLD_NAMESPACE "x", "example.org/tes",
                                         "Example.org/test",  "example.org/test/",
                                         "/example.org/test", "example.org" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(RECORDS); i++)
        for (size_t k = 0; k < PP_ARRAY_COUNT(names); k++) {
            assert_int_equal(fresh(state), 0);
            w->slots[RECORDS[i]].record.name_space = pp_span_cstr(names[k]);
            assert_refused(verify(), PP_E_LEDGER_NAMESPACE);
        }
}

static void w20_a_record_of_another_log_is_refused(void **state)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(RECORDS); i++) {
        assert_int_equal(fresh(state), 0);
        w->slots[RECORDS[i]].record.ledger = PP_STR("ledger.example/other");
        assert_refused(verify(), PP_E_LEDGER_NAMESPACE);
    }
}

static void w20_t4_a_proof_under_another_log_key_is_refused(void **state)
{
    (void)state;
    w->checkpoint_signers = BY(P_OTHER_LOG); /* the same name, another key */
    assert_refused(verify(), PP_E_LEDGER_SIGNATURE);
    w->checkpoint_signers = BY(P_STRANGER); /* another origin */
    assert_refused(verify(), PP_E_LEDGER_ORIGIN);
}

/* --- signers ---------------------------------------------------------------------------------- */

static void a_release_below_its_review_quorum_is_refused(void **state)
{
    static const uint32_t sets[] = { 0,
                                     BY(P_ALICE),
                                     BY(P_CAROL),
                                     BY(P_ALICE) | BY(P_OWNER),
                                     BY(P_ALICE) | BY(P_STRANGER),
                                     BY(P_OWNER) | BY(P_LOG) };

    for (size_t i = 0; i < PP_ARRAY_COUNT(sets); i++) {
        assert_int_equal(fresh(state), 0);
        w->slots[S_ORCHESTRATOR].signers = sets[i];
        assert_refused(verify(), PP_E_LEDGER_SIGNER);
    }
    assert_int_equal(fresh(state), 0);
    w->slots[S_ORCHESTRATOR].signers = BY(P_BOB) | BY(P_CAROL);
    assert_ok(verify());
}

static void records_without_the_signers_of_their_type_are_refused(void **state)
{
    static const struct {
        enum slot_id id;
        uint32_t signers;
    } rows[] = { { S_HOSTS, BY(P_OWNER) },
                 { S_HOSTS, BY(P_CAROL) | BY(P_ALICE) },
                 { S_ISSUER_TODAY, BY(P_ALICE) | BY(P_BOB) | BY(P_CAROL) },
                 { S_OHTTP_NEXT, BY(P_LOG) },
                 { S_OHTTP_TODAY, 0 },
                 { S_STATUS, BY(P_OWNER) | BY(P_ALICE) | BY(P_BOB) },
                 { S_STATUS, BY(P_OTHER_LOG) } };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        assert_int_equal(fresh(state), 0);
        w->slots[rows[i].id].signers = rows[i].signers;
        assert_refused(verify(), PP_E_LEDGER_SIGNER);
    }
}

/* --- quorum (W27) ----------------------------------------------------------------------------- */

static void w27_t3_one_plain_witness_too_few_is_refused(void **state)
{
    (void)state;
    w->cosigned[1] = 0;
    assert_ok(verify()); /* three of four */
    w->cosigned[3] = 0;
    assert_refused(verify(), PP_E_LEDGER_QUORUM);
}

static void w27_a_bundle_without_the_record_witness_is_refused(void **state)
{
    (void)state;
    w->cosigned[WITNESSES - 1] = 0;
    assert_refused(verify(), PP_E_LEDGER_RECORD_WITNESS);
}

static void a_proof_of_a_named_record_needs_the_quorum_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < 7; i++) {
        world_log(w);
        struct pp_bundle_entry *e = &w->records[i];
        size_t place = 0;
        while (w->entries[w->places[place]].bytes != e->entry.at)
            place++;
        w->cosigned[0] = w->cosigned[1] = 0;
        e->proof = world_prove(w, place);
        assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_QUORUM);
        w->cosigned[0] = w->cosigned[1] = WORLD_NOW;
    }
}

static void w27_t4_a_proof_of_another_place_is_refused(void **state)
{
    (void)state;
    world_log(w);
    struct pp_span proof = w->records[1].proof;
    w->records[1].proof = w->records[0].proof;
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_PROOF);
    w->records[1].proof = proof;
    assert_ok(verify_at(WORLD_NOW));
    w->bundle.status.proof = proof;
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_PROOF);
    w->bundle.status.proof = PP_STR("not a proof");
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_FORMAT);
}

/* --- age (W21) -------------------------------------------------------------------------------- */

static void w21_t1_a_quorum_older_than_a_day_is_stale(void **state)
{
    (void)state;
    /* The status lives as long as the quorum may be old: it is made to live longer here. */
    w->slots[S_STATUS].record.time = WORLD_NOW - 30;
    world_log(w);
    assert_ok(verify_at(WORLD_NOW - 30 + PP_LEDGER_AGE_MAX_S - 1));
    for (size_t i = 0; i < WITNESSES; i++)
        w->cosigned[i] = WORLD_NOW - 31;
    world_log(w);
    assert_ok(verify_at(WORLD_NOW - 31 + PP_LEDGER_AGE_MAX_S));
    assert_refused(verify_at(WORLD_NOW - 31 + PP_LEDGER_AGE_MAX_S + 1), PP_E_LEDGER_STALE);
    assert_string_equal(problem.field, "age of the quorum in seconds, at most");
}

static void w21_t1_a_status_past_its_life_is_stale(void **state)
{
    (void)state;
    const uint64_t end = WORLD_NOW - 60 + PP_STATUS_LIFE_S;

    world_log(w);
    assert_ok(verify_at(end - 1));
    assert_refused(verify_at(end), PP_E_LEDGER_STALE);
    assert_string_equal(problem.field, "end of the status record, after");
}

/* A quorum of some fresh and some stale witnesses is as old as its oldest needed one. */
static void w21_t1_one_fresh_witness_makes_no_fresh_quorum(void **state)
{
    (void)state;
    w->slots[S_STATUS].record.time = WORLD_NOW - 90000;
    for (size_t i = 0; i < WITNESSES; i++)
        w->cosigned[i] = WORLD_NOW - 87000;
    w->cosigned[0] = w->cosigned[1] = w->cosigned[WITNESSES - 1] = WORLD_NOW;
    assert_refused(verify(), PP_E_LEDGER_STALE);
    assert_int_equal(checks.count, 1);
}

static void w21_t2_a_status_from_beyond_the_skew_is_refused(void **state)
{
    (void)state;
    w->slots[S_STATUS].record.time = WORLD_NOW + PP_LEDGER_SKEW_S;
    assert_ok(verify());
    w->slots[S_STATUS].record.time = WORLD_NOW + PP_LEDGER_SKEW_S + 1;
    assert_refused(verify(), PP_E_LEDGER_FUTURE);
}

/* The witnesses' time counts where the device's clock lies behind it. */
static void w21_t6_a_clock_set_back_ten_years_revives_nothing(void **state)
{
    (void)state;
    const uint64_t long_ago = WORLD_NOW - UINT64_C(3652) * PP_DAY_S;

    world_log(w);
    assert_ok(verify_at(long_ago));
    assert_int_equal(ledger.now_posix_s, WORLD_NOW - 30);
    for (size_t i = 0; i < WITNESSES; i++)
        w->cosigned[i] = WORLD_NOW + PP_STATUS_LIFE_S; /* the status is over by their word */
    world_log(w);
    assert_refused(verify_at(long_ago), PP_E_LEDGER_STALE);
}

/* W10_T8 */
static void w10_t8_an_expired_host_set_is_refused(void **state)
{
    (void)state;
    w->slots[S_HOSTS].record.host_set.not_after = WORLD_NOW;
    assert_refused(verify(), PP_E_LEDGER_WINDOW);
    w->slots[S_HOSTS].record.host_set.not_after = WORLD_NOW + 1;
    assert_ok(verify());
}

static void a_host_set_from_the_future_is_not_in_force(void **state)
{
    (void)state;
    w->slots[S_HOSTS].record.time = WORLD_NOW + 1;
    assert_refused(verify(), PP_E_LEDGER_WINDOW);
    w->slots[S_HOSTS].record.time = WORLD_NOW;
    assert_ok(verify());
}

static pp_res orchestrator(void)
{
    const struct pp_release *release;

    return pp_ledger_release(&ledger, &marks, &w->entries[S_ORCHESTRATOR].record_id,
                             PP_RECORD_ORCHESTRATOR, &release);
}

/* It ends alone: a bundle in hand goes on for the releases that are in force. */
static void a_release_is_in_force_inside_its_window_alone(void **state)
{
    (void)state;
    struct pp_release *r = &w->slots[S_ORCHESTRATOR].record.release;

    r->not_before = WORLD_NOW;
    assert_ok(verify());
    assert_ok(orchestrator());
    r->not_before = WORLD_NOW + 1;
    assert_ok(verify());
    assert_code(orchestrator(), PP_E_LEDGER_WINDOW);
    r->not_before = WORLD_LOGGED;
    r->not_after = WORLD_NOW + 1;
    assert_ok(verify());
    assert_ok(orchestrator());
    r->not_after = WORLD_NOW;
    assert_ok(verify());
    assert_code(orchestrator(), PP_E_LEDGER_WINDOW);
}

/* pp-wire 10: near a boundary the keys of both epochs stand in the status that is held. */
static void a_bundle_that_is_held_over_midnight_stays_in_use(void **state)
{
    (void)state;
    const uint64_t midnight = (WORLD_DAY + 1) * PP_DAY_S;
    const struct pp_key_epoch *key;

    world_log(w);
    assert_ok(verify_at(midnight + 60));
    assert_ok(pp_ledger_issuer_key(&ledger, WORLD_DAY, &key));
    assert_ok(pp_ledger_key_at(&ledger, PP_RECORD_OHTTP, midnight + 60, &key));
    assert_int_equal(key->epoch, WORLD_DAY + 1);
}

/* --- high-water marks ------------------------------------------------------------------------- */

static void w21_t3_a_tree_or_status_older_than_one_seen_is_a_roll_back(void **state)
{
    (void)state;
    assert_ok(verify());
    pp_ledger_raise_marks(&ledger, &marks);
    assert_int_equal(marks.tree_size, 8);
    assert_int_equal(marks.status_serial, 7);
    assert_ok(verify_at(WORLD_NOW)); /* the same once more */

    marks.tree_size = 9;
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_ROLLBACK);
    assert_string_equal(problem.field, "tree size, at least");
    marks.tree_size = 8;
    marks.status_serial = 8;
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_ROLLBACK);
    assert_string_equal(problem.field, "serial of the status record, at least");
    marks.status_serial = 7;
    for (size_t role = 0; role < PP_RECORD_ROLES; role++) {
        marks.min_serial[role] = 2;
        assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_ROLLBACK);
        assert_string_equal(problem.field, "min-serial of a role, at least");
        marks.min_serial[role] = 1;
    }
    assert_ok(verify_at(WORLD_NOW));
}

static void w27_t1_two_texts_under_one_serial_or_one_tree_size_are_a_split_view(void **state)
{
    (void)state;
    assert_ok(verify());
    pp_ledger_raise_marks(&ledger, &marks);
    w->slots[S_STATUS].record.time++; /* serial 7 says something else */
    assert_refused(verify(), PP_E_LEDGER_SPLIT);
    marks.tree_size = 7;
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_SPLIT);
    marks.tree_size = 8;
    w->slots[S_STATUS].record.serial = 8; /* and a later one cannot end the same tree */
    assert_refused(verify(), PP_E_LEDGER_SPLIT);
    marks.tree_size = 7;
    assert_ok(verify());
}

static void marks_rise_and_never_fall(void **state)
{
    (void)state;
    marks.min_serial[PP_RECORD_GUARD] = 1;
    w->slots[S_STATUS].record.status.min_serial[PP_RECORD_ORCHESTRATOR] = 4;
    assert_ok(verify());
    marks.tree_size = 100; /* not what verify would allow: raising alone is meant */
    marks.min_serial[PP_RECORD_GUARD] = 9;
    pp_ledger_raise_marks(&ledger, &marks);
    assert_int_equal(marks.tree_size, 100);
    assert_int_equal(marks.min_serial[PP_RECORD_GUARD], 9);
    assert_int_equal(marks.min_serial[PP_RECORD_ORCHESTRATOR], 4);
    assert_true(pp_record_id_same(&marks.status_id, &w->entries[S_STATUS].record_id));
}

static void what_a_device_has_seen_revoked_stays_revoked(void **state)
{
    (void)state;
    const struct pp_release *release;

    world_log(w);
    marks.revoked[0] = w->entries[S_ORCHESTRATOR].record_id;
    marks.revoked_count = 1;
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_REVOKED);
    marks.revoked[0] = w->entries[S_HOSTS].record_id;
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_REVOKED);
    marks.revoked_count = 0;
    assert_ok(verify_at(WORLD_NOW));
    marks.revoked[0] = w->entries[S_ORCHESTRATOR].record_id;
    marks.revoked_count = 1;
    assert_code(
        pp_ledger_release(&ledger, &marks, &marks.revoked[0], PP_RECORD_ORCHESTRATOR, &release),
        PP_E_LEDGER_REVOKED);
}

static void the_revoked_list_of_the_marks_has_its_limit_and_no_repeats(void **state)
{
    (void)state;
    struct pp_status *s = &ledger.status.record.status;

    assert_ok(verify());
    s->revoked_count = PP_STATUS_REVOKED_MAX;
    for (size_t round = 0; round < PP_MARKS_REVOKED_MAX / PP_STATUS_REVOKED_MAX; round++) {
        for (size_t i = 0; i < PP_STATUS_REVOKED_MAX; i++)
            s->revoked[i] = (struct pp_record_id){ .bytes = { (uint8_t)round, (uint8_t)i } };
        for (size_t twice = 0; twice < 2; twice++) {
            pp_ledger_raise_marks(&ledger, &marks);
            assert_int_equal(marks.revoked_count, (round + 1) * PP_STATUS_REVOKED_MAX);
        }
    }
    assert_int_equal(marks.revoked[0].bytes[1], 0);
    /* One more: the oldest goes. */
    s->revoked_count = 1;
    s->revoked[0].bytes[0] = 0xF1;
    pp_ledger_raise_marks(&ledger, &marks);
    assert_int_equal(marks.revoked_count, PP_MARKS_REVOKED_MAX);
    assert_int_equal(marks.revoked[0].bytes[1], 1);
    assert_int_equal(marks.revoked[PP_MARKS_REVOKED_MAX - 1].bytes[0], 0xF1);
}

/* W21_T6: what was fresh once and is stale now stays so, whatever the clock says afterwards. */
static void w21_t6_a_time_that_a_device_has_seen_does_not_come_back(void **state)
{
    (void)state;
    world_log(w);
    assert_ok(verify_at(WORLD_NOW + 3600));
    pp_ledger_raise_marks(&ledger, &marks);
    assert_int_equal(marks.now_posix_s, WORLD_NOW + 3600);
    assert_ok(verify_at(WORLD_NOW - 86400));
    assert_int_equal(ledger.now_posix_s, WORLD_NOW + 3600);
    pp_ledger_raise_marks(&ledger, &marks);
    assert_int_equal(marks.now_posix_s, WORLD_NOW + 3600);
    marks.now_posix_s = WORLD_NOW + PP_LEDGER_AGE_MAX_S;
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_STALE);
}

/* --- what the status says --------------------------------------------------------------------- */

static void the_status_is_the_last_entry_or_a_later_one_may_revoke_it(void **state)
{
    (void)state;
    world_key(w, S_EXTRA, PP_RECORD_OHTTP, WORLD_DAY + 2);
    assert_refused(verify(), PP_E_LEDGER_NOT_LAST);
}

static void what_stands_in_the_place_of_the_status_is_one(void **state)
{
    (void)state;
    world_log(w);
    w->bundle.status = w->records[0];
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_RECORD);
}

static void w21_t4_a_release_below_the_lowest_serial_is_refused(void **state)
{
    (void)state;
    w->slots[S_STATUS].record.status.min_serial[PP_RECORD_ORCHESTRATOR] = 5;
    assert_ok(verify());
    w->slots[S_STATUS].record.status.min_serial[PP_RECORD_ORCHESTRATOR] = 6;
    assert_refused(verify(), PP_E_LEDGER_SERIAL);
}

static void w21_t5_a_record_that_the_status_revokes_is_refused(void **state)
{
    static const enum slot_id ids[] = { S_ORCHESTRATOR, S_HOSTS, S_ISSUER_NEXT };
    struct pp_status *s = &w->slots[S_STATUS].record.status;

    for (size_t i = 0; i < PP_ARRAY_COUNT(ids); i++) {
        assert_int_equal(fresh(state), 0);
        world_log(w);
        s->revoked_count = 1;
        s->revoked[0] = w->entries[ids[i]].record_id;
        assert_refused(verify(), PP_E_LEDGER_REVOKED);
    }
}

static void a_revoke_note_counts_before_it_is_logged(void **state)
{
    (void)state;
    static uint8_t note[8192];
    struct pp_record r = { .type = PP_RECORD_REVOKE,
                           .ledger = PP_STR(WORLD_ORIGIN),
                           .name_space = PP_STR(WORLD_NAMESPACE),
                           .environment = PP_RECORD_DEV,
                           .serial = 1,
                           .time = WORLD_NOW,
                           .revoke = { .effective = WORLD_NOW } };
    const enum person by[] = { P_CAROL, P_OWNER, P_STRANGER };

    world_log(w);
    w->bundle.revokes = w->revokes;
    w->bundle.revoke_count = 1;
    for (size_t i = 0; i < PP_ARRAY_COUNT(by); i++) {
        struct pp_wr wr = pp_wr_over(note, sizeof note);
        r.revoke.target = w->entries[S_PREDICTOR].record_id;
        assert_ok(pp_record_sign(&wr, &r, &w->people[by[i]], 1));
        w->revokes[0] = pp_wr_done(&wr);
        assert_refused(verify_at(WORLD_NOW),
                       by[i] == P_CAROL ? PP_E_LEDGER_REVOKED : PP_E_LEDGER_FORMAT);
    }
    /* A note about something else changes nothing; one of another namespace is none. */
    struct pp_wr wr = pp_wr_over(note, sizeof note);
    r.revoke.target.bytes[0] ^= 1;
    assert_ok(pp_record_sign(&wr, &r, &w->people[P_CAROL], 1));
    w->revokes[0] = pp_wr_done(&wr);
    assert_ok(verify_at(WORLD_NOW));
    pp_ledger_raise_marks(&ledger, &marks); /* the next bundle may come without the note */
    assert_int_equal(marks.revoked_count, 1);
    assert_true(pp_record_id_same(&marks.revoked[0], &r.revoke.target));
    wr = pp_wr_over(note, sizeof note);
    r.name_space = PP_STR("example.org/other");
    assert_ok(pp_record_sign(&wr, &r, &w->people[P_CAROL], 1));
    w->revokes[0] = pp_wr_done(&wr);
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_FORMAT);
    w->revokes[0] = PP_STR("no note");
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_FORMAT);
    w->revokes[0] = w->records[0].entry; /* a record, but no revoke */
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_FORMAT);
}

static void one_measurement_stands_in_one_role_only(void **state)
{
    (void)state;
    struct pp_release *r = &w->slots[S_PREDICTOR].record.release;

    memset(r->snp[0].measurement, 0x0C, sizeof r->snp[0].measurement);
    assert_refused(verify(), PP_E_LEDGER_TWO_ROLES);
    r->role = PP_RECORD_ORCHESTRATOR; /* two releases of one role may share one */
    w->slots[S_PREDICTOR].record.serial = 6;
    assert_ok(verify());
}

/* MRTD and three registers together are a launch: one of them alone may be shared. */
static void one_launch_of_a_tdx_guest_stands_in_one_role_only(void **state)
{
    (void)state;
    struct pp_release *a = &w->slots[S_ORCHESTRATOR].record.release;
    struct pp_release *b = &w->slots[S_PREDICTOR].record.release;

    a->tdx_count = b->tdx_count = 1;
    a->tdx[0] = (struct pp_release_tdx){ .label = PP_STR("small"), .vcpus = 2 };
    b->tdx[0] = a->tdx[0];
    assert_refused(verify(), PP_E_LEDGER_TWO_ROLES);
    b->tdx[0].mrtd[47] = 1;
    assert_ok(verify());
    b->tdx[0] = a->tdx[0];
    b->tdx[0].rtmr[2][47] = 1;
    assert_ok(verify());
}

static void one_epoch_has_one_key_of_a_kind(void **state)
{
    static const enum slot_id next[] = { S_ISSUER_NEXT, S_OHTTP_NEXT };

    for (size_t i = 0; i < PP_ARRAY_COUNT(next); i++) {
        assert_int_equal(fresh(state), 0);
        w->slots[next[i]].record.key_epoch.epoch = WORLD_DAY;
        assert_refused(verify(), PP_E_LEDGER_KEYS);
    }
}

static void a_key_listed_as_another_kind_is_refused(void **state)
{
    (void)state;
    struct pp_status *s = &w->slots[S_STATUS].record.status;

    w->slots[S_ISSUER_TODAY].named = w->slots[S_OHTTP_NEXT].named = 0;
    world_records(w);
    for (size_t i = 0; i < s->key_count; i++)
        s->keys[i].kind = i == 0 ? PP_RECORD_OHTTP : PP_RECORD_ISSUER;
    struct pp_status_key first = s->keys[0];
    s->keys[0] = s->keys[1];
    s->keys[1] = first;
    world_publish(w);
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_KEYS);
}

/* --- the bundle against the status ------------------------------------------------------------ */

static void a_bundle_holds_what_the_status_names_and_nothing_else(void **state)
{
    (void)state;
    world_log(w);
    w->bundle.record_count--;
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_FORMAT);
    w->bundle.record_count++;
    w->records[w->bundle.record_count] = w->records[0];
    w->bundle.record_count++;
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_FORMAT);
    w->bundle.record_count--;
    assert_ok(verify_at(WORLD_NOW));
}

static void records_out_of_the_order_of_the_status_are_refused(void **state)
{
    (void)state;
    world_log(w);
    for (size_t i = 0; i + 1 < w->bundle.record_count; i++) {
        struct pp_bundle_entry e = w->records[i];
        w->records[i] = w->records[i + 1];
        w->records[i + 1] = e;
        assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_UNLISTED);
        w->records[i + 1] = w->records[i];
        w->records[i] = e;
    }
    assert_ok(verify_at(WORLD_NOW));
}

static void an_unlisted_key_record_is_refused_in_the_place_of_a_listed_one(void **state)
{
    (void)state;
    world_default(w);
    w->slots[S_ISSUER_NEXT].named = 0;
    world_log(w);
    struct pp_bundle_entry unlisted = world_entry_of(w, &w->entries[S_ISSUER_NEXT].record_id);
    assert_ok(verify_at(WORLD_NOW));
    const struct pp_key_epoch *key;
    assert_code(pp_ledger_issuer_key(&ledger, WORLD_DAY + 1, &key), PP_E_LEDGER_KEYS);
    w->records[3] = unlisted;
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_UNLISTED);
}

static void a_named_record_of_another_type_is_refused(void **state)
{
    (void)state;
    struct pp_status *s = &w->slots[S_STATUS].record.status;

    world_records(w);
    s->releases[0] = w->entries[S_ISSUER_TODAY].record_id;
    s->release_count = 1;
    world_publish(w);
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_RECORD);
    world_records(w);
    s->hosts = w->entries[S_ORCHESTRATOR].record_id;
    world_publish(w);
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_RECORD);
    world_records(w);
    s->keys[0].id = w->entries[S_HOSTS].record_id;
    s->key_count = 1;
    world_publish(w);
    assert_refused(verify_at(WORLD_NOW), PP_E_LEDGER_RECORD);
}

static void a_logged_entry_that_is_no_record_is_refused(void **state)
{
    (void)state;
    static uint8_t note[1024];
    struct pp_wr wr = pp_wr_over(note, sizeof note);
    const struct pp_note_signer people[] = { w->people[P_ALICE], w->people[P_BOB] };

    assert_ok(pp_note_write(&wr, PP_STR("cvm-release/v1\nof a kind\n"), people, 2));
    w->slots[S_ORCHESTRATOR].raw = pp_wr_done(&wr);
    assert_refused(verify(), PP_E_LEDGER_RECORD);
    assert_string_equal(problem.field, "record");
}

/* --- questions -------------------------------------------------------------------------------- */

static void keys_are_found_by_their_windows_alone(void **state)
{
    (void)state;
    const uint64_t midnight = WORLD_DAY * PP_DAY_S;
    const struct pp_key_epoch *key = NULL;

    assert_ok(verify());
    assert_ok(pp_ledger_key_at(&ledger, PP_RECORD_OHTTP, midnight, &key));
    assert_int_equal(key->epoch, WORLD_DAY);
    assert_int_equal(key->kind, PP_RECORD_OHTTP);
    assert_ok(pp_ledger_key_at(&ledger, PP_RECORD_ISSUER, midnight, &key));
    assert_int_equal(key->kind, PP_RECORD_ISSUER);
    assert_ok(pp_ledger_key_at(&ledger, PP_RECORD_OHTTP, midnight + PP_DAY_S - 1, &key));
    assert_int_equal(key->epoch, WORLD_DAY);
    assert_ok(pp_ledger_key_at(&ledger, PP_RECORD_OHTTP, midnight + PP_DAY_S, &key));
    assert_int_equal(key->epoch, WORLD_DAY + 1);
    assert_code(pp_ledger_key_at(&ledger, PP_RECORD_OHTTP, midnight - 1, &key), PP_E_LEDGER_KEYS);
    assert_code(pp_ledger_key_at(&ledger, PP_RECORD_OHTTP, midnight + 2 * PP_DAY_S, &key),
                PP_E_LEDGER_KEYS);
    assert_ok(pp_ledger_issuer_key(&ledger, WORLD_DAY, &key));
    assert_int_equal(key->kind, PP_RECORD_ISSUER);
    assert_code(pp_ledger_issuer_key(&ledger, WORLD_DAY - 1, &key), PP_E_LEDGER_KEYS);
    assert_code(pp_ledger_issuer_key(&ledger, WORLD_DAY + 2, &key), PP_E_LEDGER_KEYS);
}

/* Records of all types lie in the same bytes: what stands there counts as a key in key records. */
static void a_record_of_another_type_is_no_key(void **state)
{
    (void)state;
    static struct pp_ledger_record record = { .record = { .type = PP_RECORD_HOST_SET } };
    static struct pp_ledger one = { .records = &record, .record_count = 1 };
    const struct pp_key_epoch *key = NULL;

    record.record.key_epoch = (struct pp_key_epoch){ .kind = PP_RECORD_ISSUER,
                                                     .epoch = WORLD_DAY,
                                                     .use_until = UINT64_MAX };
    assert_code(pp_ledger_key_at(&one, PP_RECORD_ISSUER, WORLD_NOW, &key), PP_E_LEDGER_KEYS);
    assert_code(pp_ledger_issuer_key(&one, WORLD_DAY, &key), PP_E_LEDGER_KEYS);
    record.record.type = PP_RECORD_KEY_EPOCH;
    assert_ok(pp_ledger_key_at(&one, PP_RECORD_ISSUER, WORLD_NOW, &key));
    assert_ok(pp_ledger_issuer_key(&one, WORLD_DAY, &key));
}

static void w20_t2_a_release_of_another_role_is_refused(void **state)
{
    (void)state;
    const struct pp_release *release = NULL;
    struct pp_record_id other;

    assert_ok(verify());
    assert_code(pp_ledger_release(&ledger, &marks, &w->entries[S_PREDICTOR].record_id,
                                  PP_RECORD_ORCHESTRATOR, &release),
                PP_E_LEDGER_NAMESPACE);
    assert_code(pp_ledger_release(&ledger, &marks, &w->entries[S_ORCHESTRATOR].record_id,
                                  PP_RECORD_GUARD, &release),
                PP_E_LEDGER_NAMESPACE);
    other = w->entries[S_ORCHESTRATOR].record_id;
    other.bytes[31] ^= 1;
    assert_code(pp_ledger_release(&ledger, &marks, &other, PP_RECORD_ORCHESTRATOR, &release),
                PP_E_LEDGER_UNLISTED);
    /* A record that is listed, but as something else. */
    assert_code(pp_ledger_release(&ledger, &marks, &w->entries[S_HOSTS].record_id,
                                  PP_RECORD_ORCHESTRATOR, &release),
                PP_E_LEDGER_UNLISTED);
    assert_null(release);
}

static void a_status_without_releases_says_not_yet(void **state)
{
    (void)state;
    const struct pp_release *release = NULL;

    w->slots[S_ORCHESTRATOR].named = w->slots[S_PREDICTOR].named = 0;
    assert_ok(verify());
    assert_int_equal(pp_ledger_hosts(&ledger)->record.type, PP_RECORD_HOST_SET);
    assert_code(pp_ledger_release(&ledger, &marks, &w->entries[S_ORCHESTRATOR].record_id,
                                  PP_RECORD_ORCHESTRATOR, &release),
                PP_E_LEDGER_NOT_YET);
}

#define FRESH(test) cmocka_unit_test_setup(test, fresh)

static const struct CMUnitTest TESTS[] = {
    FRESH(a_good_bundle_is_believed),
    FRESH(one_checkpoint_is_verified_once_and_another_one_for_itself),
    FRESH(nobody_has_to_ask_for_rows_or_words),
    FRESH(every_byte_of_a_bundle_counts),
    FRESH(with_less_memory_than_it_says_it_fails_and_says_so),
    FRESH(w20_t1_a_staging_or_prod_entry_is_refused),
    FRESH(w20_t3_another_spelling_of_the_namespace_is_another_namespace),
    FRESH(w20_a_record_of_another_log_is_refused),
    FRESH(w20_t4_a_proof_under_another_log_key_is_refused),
    FRESH(a_release_below_its_review_quorum_is_refused),
    FRESH(records_without_the_signers_of_their_type_are_refused),
    FRESH(w27_t3_one_plain_witness_too_few_is_refused),
    FRESH(w27_a_bundle_without_the_record_witness_is_refused),
    FRESH(a_proof_of_a_named_record_needs_the_quorum_too),
    FRESH(w27_t4_a_proof_of_another_place_is_refused),
    FRESH(w21_t1_a_quorum_older_than_a_day_is_stale),
    FRESH(w21_t1_a_status_past_its_life_is_stale),
    FRESH(w21_t1_one_fresh_witness_makes_no_fresh_quorum),
    FRESH(w21_t2_a_status_from_beyond_the_skew_is_refused),
    FRESH(w21_t6_a_clock_set_back_ten_years_revives_nothing),
    FRESH(w10_t8_an_expired_host_set_is_refused),
    FRESH(a_host_set_from_the_future_is_not_in_force),
    FRESH(a_release_is_in_force_inside_its_window_alone),
    FRESH(a_bundle_that_is_held_over_midnight_stays_in_use),
    FRESH(w21_t3_a_tree_or_status_older_than_one_seen_is_a_roll_back),
    FRESH(w27_t1_two_texts_under_one_serial_or_one_tree_size_are_a_split_view),
    FRESH(marks_rise_and_never_fall),
    FRESH(what_a_device_has_seen_revoked_stays_revoked),
    FRESH(w21_t6_a_time_that_a_device_has_seen_does_not_come_back),
    FRESH(the_revoked_list_of_the_marks_has_its_limit_and_no_repeats),
    FRESH(the_status_is_the_last_entry_or_a_later_one_may_revoke_it),
    FRESH(what_stands_in_the_place_of_the_status_is_one),
    FRESH(w21_t4_a_release_below_the_lowest_serial_is_refused),
    FRESH(w21_t5_a_record_that_the_status_revokes_is_refused),
    FRESH(a_revoke_note_counts_before_it_is_logged),
    FRESH(one_measurement_stands_in_one_role_only),
    FRESH(one_launch_of_a_tdx_guest_stands_in_one_role_only),
    FRESH(one_epoch_has_one_key_of_a_kind),
    FRESH(a_key_listed_as_another_kind_is_refused),
    FRESH(a_bundle_holds_what_the_status_names_and_nothing_else),
    FRESH(records_out_of_the_order_of_the_status_are_refused),
    FRESH(an_unlisted_key_record_is_refused_in_the_place_of_a_listed_one),
    FRESH(a_named_record_of_another_type_is_refused),
    FRESH(a_logged_entry_that_is_no_record_is_refused),
    FRESH(keys_are_found_by_their_windows_alone),
    FRESH(a_record_of_another_type_is_no_key),
    FRESH(w20_t2_a_release_of_another_role_is_refused),
    FRESH(a_status_without_releases_says_not_yet),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make, drop);
}
