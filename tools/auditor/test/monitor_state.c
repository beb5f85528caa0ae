/* SPDX-License-Identifier: Apache-2.0 */
/* What a monitor remembers: findings and state read back as they were written, and nothing else. */
#include "monitor_world.h"

#include "monitor_state.h"

static struct test_text note;
static struct pp_monitor_state state_a;
static char first[1 << 17], again[1 << 17];

/* A monitor that has seen something of every kind. */
static void make_state(void)
{
    world_begin(PP_RECORD_DEV);
    history_first_batch(&honest);
    history_first_batch(&other);
    history_hosts(&other, 7);
    world_publish(NOW);
    history_hosts(&honest, 2);
    history_status(&honest, NOW + HOUR);
    world_publish(NOW + HOUR);
    world_show(history_note(&note, &other, 8, NOW + HOUR, 2), "a receipt");
    history_hosts(&honest, 3);
    world_show(history_note(&note, &honest, 10, NOW + HOUR, 4), "a receipt");
    state_a.monitor = &monitor;
    state_a.source_count = 0;
    *pp_monitor_state_source(&state_a, source.name) = source;
    assert_non_null(pp_monitor_state_source(&state_a, "folder with spaces"));
    state_a.published_count = 1;
    memset(state_a.published[0].bytes, 7, 32);
}

static struct pp_span write_state(char *to, size_t cap)
{
    struct pp_wr wr = pp_wr_over(to, cap);

    pp_monitor_state_write(&wr, &state_a);
    assert_ok(pp_wr_ok(&wr));
    return pp_wr_done(&wr);
}

static pp_res parse_into_a_new_monitor(struct pp_span text)
{
    struct pp_monitor_config c = monitor.config;

    pp_monitor_init(&monitor, &c);
    return pp_monitor_state_parse(text, &state_a);
}

static void a_state_is_read_back_as_it_was_written(void **state)
{
    (void)state;
    make_state();
    struct pp_span text = write_state(first, sizeof first);
    assert_ok(parse_into_a_new_monitor(text));
    assert_int_equal(monitor.tree.size, 9);
    assert_int_equal(monitor.last.head.opened.checkpoint.size, 9);
    assert_int_equal(monitor.before.head.opened.checkpoint.size, 7);
    assert_int_equal(monitor.ahead[0].head.opened.checkpoint.size, 10);
    assert_int_equal(monitor.forks[0].from, 8);
    assert_int_equal(monitor.witness_posix_s[1], NOW + HOUR);
    assert_int_equal(state_a.sources[0].read.size, 9);
    assert_string_equal(state_a.sources[1].name, "folder with spaces");
    assert_true(pp_span_eq(write_state(again, sizeof again), text));
}

static void an_empty_monitor_has_a_state_too(void **state)
{
    (void)state;
    world_begin(PP_RECORD_DEV);
    state_a.monitor = &monitor;
    state_a.source_count = state_a.published_count = 0;
    struct pp_span text = write_state(first, sizeof first);
    assert_ok(parse_into_a_new_monitor(text));
    assert_int_equal(monitor.tree.size, 0);
}

static void every_truncation_of_a_state_is_refused(void **state)
{
    (void)state;
    make_state();
    struct pp_span text = write_state(first, sizeof first);
    for (size_t n = 0; n < text.len; n += 1 + n / 64)
        assert_int_not_equal(parse_into_a_new_monitor(pp_span(text.at, n)).code, PP_E_OK);
    assert_int_not_equal(parse_into_a_new_monitor(pp_span(text.at, text.len - 1)).code, PP_E_OK);
    first[text.len] = '\n';
    assert_code(parse_into_a_new_monitor(pp_span(first, text.len + 1)), PP_E_TRAILING);
}

/* Nobody who can write to the folder makes the monitor believe a tree that the log did not sign. */
static void a_changed_state_is_refused(void **state)
{
    static const char *const at[] = { "v1",       "origin l",  "tree 9 ",     "tree 9",
                                      "last ",    "before ",   "\nwitness w", "\nahead ",
                                      "\nfork 8", "\nsource ", "\npublished " };

    (void)state;
    make_state();
    struct pp_span text = write_state(first, sizeof first);
    for (size_t i = 0; i < PP_ARRAY_COUNT(at); i++) {
        memcpy(again, first, text.len);
        char *place = memmem(again, text.len, at[i], strlen(at[i]));
        assert_non_null(place);
        place[strlen(at[i]) - (i == 3)] = '!';
        assert_int_not_equal(parse_into_a_new_monitor(pp_span(again, text.len)).code, PP_E_OK);
    }
}

static void a_tree_that_its_checkpoint_does_not_sign_is_refused(void **state)
{
    (void)state;
    make_state();
    struct pp_span text = write_state(first, sizeof first);
    char *root = memmem(first, text.len, "\ntree 9 ", 8);
    assert_non_null(root);
    root[8] = root[8] == 'A' ? 'B' : 'A';
    assert_code(parse_into_a_new_monitor(text), PP_E_PROOF);
}

static void the_state_of_another_log_is_refused(void **state)
{
    (void)state;
    make_state();
    struct pp_span text = write_state(first, sizeof first);
    monitor.config.origin = PP_STR("ledger.example/other");
    assert_code(parse_into_a_new_monitor(text), PP_E_LEDGER_ORIGIN);
}

static void the_sources_are_bounded(void **state)
{
    char name[32];

    (void)state;
    make_state();
    for (unsigned i = 2; i < PP_MONITOR_SOURCES_MAX; i++) {
        snprintf(name, sizeof name, "http://%u.example", i);
        assert_non_null(pp_monitor_state_source(&state_a, name));
    }
    assert_null(pp_monitor_state_source(&state_a, "http://one-more.example"));
    assert_ptr_equal(pp_monitor_state_source(&state_a, name),
                     &state_a.sources[PP_MONITOR_SOURCES_MAX - 1]);
}

/* --- findings --------------------------------------------------------------------------------- */

static struct pp_monitor_finding sample(void)
{
    struct pp_monitor_finding f = {
        .level = PP_FINDING_ALARM,
        .kind = PP_FINDING_FACT,
        .code = PP_E_LEDGER_FORK,
        .posix_s = NOW,
        .who = "log ledger.example/test",
        .subject = "size 8, root 00",
    };

    pp_problem_set(&f.words, "history", "one", PP_STR("two"));
    return f;
}

static struct pp_span write_finding(const struct pp_monitor_finding *f)
{
    struct pp_wr wr = pp_wr_over(first, sizeof first);

    pp_monitor_finding_write(&wr, f);
    assert_ok(pp_wr_ok(&wr));
    return pp_span(wr.at, wr.len - 1);
}

static void a_finding_is_read_back_as_it_was_written(void **state)
{
    struct pp_monitor_finding f = sample(), back;

    (void)state;
    assert_ok(pp_monitor_finding_parse(write_finding(&f), &back));
    assert_int_equal(back.code, PP_E_LEDGER_FORK);
    assert_int_equal(back.level, PP_FINDING_ALARM);
    assert_int_equal(back.kind, PP_FINDING_FACT);
    assert_int_equal(back.posix_s, NOW);
    assert_string_equal(back.who, f.who);
    assert_string_equal(back.words.got, "two");
}

static void a_finding_is_named_by_what_was_found_and_not_by_when(void **state)
{
    struct pp_monitor_finding f = sample(), g = sample();
    struct pp_monitor_finding_id a, b;

    (void)state;
    g.posix_s++;
    pp_problem_set(&g.words, "history", "one", PP_STR("shown by somebody else"));
    pp_monitor_finding_id_of(&f, &a);
    pp_monitor_finding_id_of(&g, &b);
    assert_memory_equal(&a, &b, sizeof a);
    g.since = 1; /* another episode */
    pp_monitor_finding_id_of(&g, &b);
    assert_memory_not_equal(&a, &b, sizeof a);
}

static void a_changed_line_of_findings_is_refused(void **state)
{
    struct pp_monitor_finding f = sample(), back;
    struct pp_span line = write_finding(&f);

    (void)state;
    for (size_t n = 0; n < line.len - 3; n++) /* the last field is told by its end alone */
        assert_int_not_equal(pp_monitor_finding_parse(pp_span(line.at, n), &back).code, PP_E_OK);
    first[0] = first[0] == 'a' ? 'b' : 'a';
    assert_code(pp_monitor_finding_parse(line, &back), PP_E_MISMATCH);
    line = write_finding(&f);
    first[line.len - 1] = '\x7f';
    assert_code(pp_monitor_finding_parse(line, &back), PP_E_FORMAT);
    first[line.len - 1] = '\t';
    assert_code(pp_monitor_finding_parse(line, &back), PP_E_FORMAT);
}

static void the_longest_finding_fits_its_line(void **state)
{
    struct pp_monitor_finding f = sample();

    (void)state;
    f.code = PP_E_LEDGER_RECORD_WITNESS;
    f.level = PP_FINDING_WARNING;
    f.kind = PP_FINDING_CONDITION;
    f.since = f.posix_s = UINT64_MAX;
    memset(f.who, 'x', sizeof f.who - 1);
    memset(f.subject, 'x', sizeof f.subject - 1);
    memset(f.words.field, 'x', sizeof f.words.field - 1);
    memset(f.words.expected, 'x', sizeof f.words.expected - 1);
    memset(f.words.got, 'x', sizeof f.words.got - 1);
    assert_in_range(write_finding(&f).len + 1, 900, PP_FINDING_LINE_MAX);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_state_is_read_back_as_it_was_written),
    cmocka_unit_test(an_empty_monitor_has_a_state_too),
    cmocka_unit_test(every_truncation_of_a_state_is_refused),
    cmocka_unit_test(a_changed_state_is_refused),
    cmocka_unit_test(a_tree_that_its_checkpoint_does_not_sign_is_refused),
    cmocka_unit_test(the_state_of_another_log_is_refused),
    cmocka_unit_test(the_sources_are_bounded),
    cmocka_unit_test(a_finding_is_read_back_as_it_was_written),
    cmocka_unit_test(a_finding_is_named_by_what_was_found_and_not_by_when),
    cmocka_unit_test(a_changed_line_of_findings_is_refused),
    cmocka_unit_test(the_longest_finding_fits_its_line),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, world_make, world_drop);
}
