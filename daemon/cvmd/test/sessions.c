/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "sessions.h"

static struct cvm_sessions table;
static struct pp_random source;

static int set_up(void **state)
{
    (void)state;
    source = pp_random_system();
    assert_ok(cvm_sessions_init(&table, 4));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cvm_sessions_done(&table);
    return 0;
}

static struct cvm_session *waiting(uint64_t deadline_ms)
{
    struct cvm_session *s;

    assert_ok(cvm_session_new(&table, &source, 10, &s));
    cvm_session_wait(s, deadline_ms);
    return s;
}

static void a_session_continues_once_and_before_its_deadline(void **state)
{
    struct cvm_session *s = waiting(30000), *got = NULL;

    (void)state;
    assert_ok(cvm_session_continue(&table, s->sid, 29999, 90000, &got));
    assert_ptr_equal(got, s);
    assert_int_equal(s->state, CVM_RUNNING);
    assert_int_equal(s->deadline_ms, 90000);
    assert_code(cvm_session_continue(&table, s->sid, 29999, 90000, &got), PP_E_SESSION_GONE);

    struct cvm_session *late = waiting(30000);
    assert_code(cvm_session_continue(&table, late->sid, 30000, 90000, &got), PP_E_SESSION_GONE);
    assert_int_equal(late->state, CVM_WAITING);
}

static void a_session_that_was_not_answered_cannot_continue(void **state)
{
    struct cvm_session *s, *got;

    (void)state;
    assert_ok(cvm_session_new(&table, &source, 10000, &s));
    assert_code(cvm_session_continue(&table, s->sid, 0, 1, &got), PP_E_SESSION_GONE);
}

static void unknown_and_ended_sessions_are_gone(void **state)
{
    uint8_t sid[PP_SID_BYTES] = { 1 };
    struct cvm_session *s = waiting(30000), *got;

    (void)state;
    assert_code(cvm_session_continue(&table, sid, 0, 1, &got), PP_E_SESSION_GONE);
    memcpy(sid, s->sid, sizeof sid);
    cvm_session_end(&table, s);
    assert_code(cvm_session_continue(&table, sid, 0, 1, &got), PP_E_SESSION_GONE);
    assert_null(cvm_session_by_sid(&table, sid));
}

static void a_full_table_is_busy_and_an_end_makes_room(void **state)
{
    struct cvm_session *s[4], *more;

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_ok(cvm_session_new(&table, &source, 10, &s[i]));
    assert_code(cvm_session_new(&table, &source, 10, &more), PP_E_BUSY);
    for (size_t i = 0; i < 4; i++)
        assert_ptr_equal(cvm_session_by_sid(&table, s[i]->sid), s[i]);
    cvm_session_end(&table, s[2]);
    assert_ok(cvm_session_new(&table, &source, 10, &more));
    assert_int_equal(table.used, 4);
}

static void a_generation_is_not_used_again(void **state)
{
    struct cvm_session *s;
    uint32_t slot, generation;

    (void)state;
    assert_ok(cvm_session_new(&table, &source, 10, &s));
    slot = s->slot;
    generation = s->generation;
    assert_ptr_equal(cvm_session_at(&table, slot, generation), s);
    cvm_session_end(&table, s);
    assert_null(cvm_session_at(&table, slot, generation));
    assert_ok(cvm_session_new(&table, &source, 10, &s));
    assert_int_equal(s->slot, slot);
    assert_null(cvm_session_at(&table, slot, generation));
    assert_null(cvm_session_at(&table, 4, 1));
    assert_null(cvm_session_at(&table, UINT32_MAX, 1));
}

/* Sids that share a bucket: each is found and each can go, in any order. */
static void sessions_of_one_bucket_do_not_lose_each_other(void **state)
{
    static const size_t ORDERS[][4] = { { 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 3, 0, 2 } };
    uint8_t script_bytes[4][PP_SID_BYTES];

    (void)state;
    for (size_t o = 0; o < PP_ARRAY_COUNT(ORDERS); o++) {
        struct cvm_session *s[4];
        for (size_t i = 0; i < 4; i++) {
            memset(script_bytes[i], 0, PP_SID_BYTES);
            script_bytes[i][15] = (uint8_t)(i + 1); /* the hash takes the first bytes */
        }
        struct pp_span script = pp_span(script_bytes, sizeof script_bytes);
        struct pp_random scripted = pp_random_script(&script);
        for (size_t i = 0; i < 4; i++)
            assert_ok(cvm_session_new(&table, &scripted, 10, &s[i]));
        for (size_t gone = 0; gone < 4; gone++) {
            cvm_session_end(&table, s[ORDERS[o][gone]]);
            for (size_t left = gone + 1; left < 4; left++)
                assert_non_null(cvm_session_by_sid(&table, script_bytes[ORDERS[o][left]]));
        }
        assert_int_equal(table.used, 0);
    }
}

static void deadlines_come_due_in_every_state(void **state)
{
    struct cvm_session *opening, *wait = waiting(200), *running = waiting(300);

    (void)state;
    assert_ok(cvm_session_new(&table, &source, 100, &opening));
    assert_ok(cvm_session_continue(&table, running->sid, 0, 300, &running));
    assert_null(cvm_session_due(&table, 99));
    assert_ptr_equal(cvm_session_due(&table, 100), opening);
    cvm_session_end(&table, opening);
    assert_null(cvm_session_due(&table, 199));
    assert_ptr_equal(cvm_session_due(&table, 200), wait);
    cvm_session_end(&table, wait);
    assert_ptr_equal(cvm_session_due(&table, 301), running);
    cvm_session_end(&table, running);
    assert_null(cvm_session_due(&table, UINT64_MAX));
}

static void a_table_of_the_largest_size_holds_4096(void **state)
{
    struct cvm_sessions big;
    struct cvm_session *s;

    (void)state;
    assert_ok(cvm_sessions_init(&big, CVM_SESSIONS_MAX));
    for (int i = 0; i < CVM_SESSIONS_MAX; i++)
        assert_ok(cvm_session_new(&big, &source, 10, &s));
    assert_code(cvm_session_new(&big, &source, 10, &s), PP_E_BUSY);
    cvm_sessions_done(&big);
}

#define TABLE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static struct cvm_session *opening(void)
{
    struct cvm_session *s;

    assert_ok(cvm_session_new(&table, &source, 10, &s));
    return s;
}

static void assert_queue(const struct cvm_queue *q, struct cvm_session *const *want, size_t count)
{
    const struct cvm_session *s = q->first;

    for (size_t i = 0; i < count; i++, s = s->next) {
        assert_ptr_equal(s, want[i]);
        assert_ptr_equal(s->previous, i == 0 ? NULL : want[i - 1]);
    }
    assert_null(s);
    assert_ptr_equal(q->last, count == 0 ? NULL : want[count - 1]);
}

/* First, middle, last and only one: each leaves the others as they were. */
static void a_session_leaves_its_own_queue_and_no_other(void **state)
{
    struct cvm_queue one = { 0 }, other = { 0 };
    struct cvm_session *s[4];

    (void)state;
    for (size_t i = 0; i < 4; i++)
        s[i] = opening();
    cvm_queue_leave(s[0]); /* waits nowhere */
    cvm_queue_join(&other, s[3]);
    for (size_t i = 0; i < 3; i++)
        cvm_queue_join(&one, s[i]);
    cvm_queue_leave(s[3]);
    assert_queue(&other, NULL, 0);
    assert_queue(&one, s, 3);
    cvm_queue_leave(s[1]);
    assert_queue(&one, (struct cvm_session *[]){ s[0], s[2] }, 2);
    cvm_queue_leave(s[0]);
    cvm_queue_join(&one, s[3]);
    assert_queue(&one, &s[2], 2);
    cvm_queue_leave(s[3]);
    cvm_queue_leave(s[2]);
    assert_queue(&one, NULL, 0);
}

static const struct CMUnitTest tests[] = {
    TABLE_TEST(a_session_continues_once_and_before_its_deadline),
    TABLE_TEST(a_session_that_was_not_answered_cannot_continue),
    TABLE_TEST(unknown_and_ended_sessions_are_gone),
    TABLE_TEST(a_full_table_is_busy_and_an_end_makes_room),
    TABLE_TEST(a_generation_is_not_used_again),
    TABLE_TEST(sessions_of_one_bucket_do_not_lose_each_other),
    TABLE_TEST(deadlines_come_due_in_every_state),
    TABLE_TEST(a_table_of_the_largest_size_holds_4096),
    cmocka_unit_test_setup_teardown(a_session_leaves_its_own_queue_and_no_other, set_up, tear_down),
};

PP_TEST_MAIN(tests)
