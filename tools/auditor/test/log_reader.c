/* SPDX-License-Identifier: Apache-2.0 */
/* Whole logs: entries in order, every hash computed again (RFC 6962 2.1, C2SP tlog-tiles). */
#include "harness.h"

#include "world.h"

struct seen {
    uint64_t next;
    uint64_t stop; /* the entry that the callback refuses */
    unsigned findings;
    struct pp_finding last;
};

static pp_res see_entry(void *ctx, uint64_t index, struct pp_span entry)
{
    struct seen *s = ctx;
    uint8_t want[8];

    assert_int_equal(index, s->next);
    PP_CHECK(index != s->stop, PP_E_LEDGER_SERIAL, 0);
    if (s->findings == 0 && !pp_span_eq(entry, world_entry(index, want)))
        s->findings = 1000;
    s->next++;
    return PP_OK;
}

static pp_res see_finding(void *ctx, const struct pp_finding *f)
{
    struct seen *s = ctx;

    s->findings++;
    s->last = *f;
    return PP_OK;
}

static struct pp_log_reader *reader_of(struct pp_log_source *source, const struct world *w,
                                       const struct pp_merkle_range *from, struct seen *seen)
{
    struct pp_log_reader_config c = {
        .source = source,
        .tree = w->tree,
        .entry = see_entry,
        .ctx = seen,
        .findings = { .found = see_finding, .ctx = seen },
    };
    struct pp_log_reader *r;

    if (from != NULL)
        c.from = *from;
    seen->next = c.from.size;
    if (seen->stop == 0)
        seen->stop = UINT64_MAX;
    assert_ok(pp_log_reader_new(&c, &r));
    return r;
}

/* Reads all of it; what was seen is in `seen`. */
static pp_res read_all(struct pp_log_source *source, const struct world *w, struct seen *seen,
                       struct pp_problem *problem)
{
    struct pp_log_reader *r = reader_of(source, w, NULL, seen);
    pp_res res = pp_log_reader_finish(r, problem);

    pp_log_reader_free(r);
    return res;
}

static pp_res read_folder(const struct world *w, struct seen *seen, struct pp_problem *problem)
{
    struct pp_log_source *s = world_open(w);
    pp_res r;

    *seen = (struct seen){ 0 };
    r = read_all(s, w, seen, problem);
    pp_log_source_close(s);
    return r;
}

static const uint64_t SIZES[] = { 0, 1, 2, 255, 256, 257, 511, 700, 65536, 65537, 66000 };

static void every_entry_of_a_log_comes_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(SIZES); i++) {
        struct world w;
        struct seen seen;
        world_make(&w, SIZES[i]);
        assert_ok(read_folder(&w, &seen, NULL));
        assert_int_equal(seen.next, SIZES[i]);
        assert_int_equal(seen.findings, 0);
        world_done(&w);
    }
}

static void reading_over_http_gives_the_same(void **state)
{
    static const enum world_manner manners[] = { WORLD_HONEST, WORLD_GZIP };
    struct world w;

    (void)state;
    world_make(&w, 9000);
    for (size_t i = 0; i < PP_ARRAY_COUNT(manners); i++) {
        struct server server;
        struct seen seen = { 0 };
        server_start(&server, &w, manners[i]);
        struct pp_log_source *s = world_connect(server.port, 0);
        assert_ok(read_all(s, &w, &seen, NULL));
        assert_int_equal(seen.next, 9000);
        assert_int_equal(seen.findings, 0);
        pp_log_source_close(s);
        server_stop(&server);
        assert_int_equal(server.requests, 2 * (9000 / PP_TILE_WIDTH + 1) + 1); /* each once */
    }
    world_done(&w);
}

/* Two tiles in each other's place have the right form; their hashes do not. */
static void swapped_tiles_are_found(void **state)
{
    struct world w;
    struct server server;
    struct seen seen = { 0 };
    struct pp_problem problem = { 0 };

    (void)state;
    world_make(&w, 700);
    server_start(&server, &w, WORLD_SWAPPED);
    struct pp_log_source *s = world_connect(server.port, 0);
    struct pp_log_reader *r = reader_of(s, &w, NULL, &seen);
    assert_code(pp_log_reader_finish(r, &problem), PP_E_LOG_ROOT);
    assert_string_equal(problem.field, "root of the tree");
    pp_log_reader_free(r);
    pp_log_source_close(s);
    server_stop(&server);
    world_done(&w);
}

static void reading_goes_on_from_wherever_it_stood(void **state)
{
    struct world w, old;
    static const uint64_t stood[] = { 0, 1, 255, 256, 300, 512, 600, 699, 700 };

    (void)state;
    world_make(&w, 700);
    for (size_t i = 0; i < PP_ARRAY_COUNT(stood); i++) {
        struct seen seen = { 0 };
        world_make(&old, stood[i]);
        struct pp_log_source *s = world_open(&old);
        struct pp_log_reader *r = reader_of(s, &old, NULL, &seen);
        assert_ok(pp_log_reader_finish(r, NULL));
        struct pp_merkle_range range = *pp_log_reader_range(r);
        pp_log_reader_free(r);
        pp_log_source_close(s);
        world_done(&old);

        s = world_open(&w);
        r = reader_of(s, &w, &range, &seen);
        assert_ok(pp_log_reader_finish(r, NULL));
        assert_int_equal(seen.next, 700);
        assert_int_equal(seen.findings, 0);
        pp_log_reader_free(r);
        pp_log_source_close(s);
    }
    world_done(&w);
}

static void reading_can_pause_between_bundles_and_end_in_another_process(void **state)
{
    struct world w;
    struct seen seen = { 0 };

    (void)state;
    world_make(&w, 70000);
    struct pp_log_source *s = world_open(&w);
    struct pp_log_reader *r = reader_of(s, &w, NULL, &seen);
    assert_ok(pp_log_reader_run(r, 66000, NULL));
    struct pp_merkle_range range = *pp_log_reader_range(r);
    assert_int_equal(range.size, 66048);
    pp_log_reader_free(r);
    r = reader_of(s, &w, &range, &seen);
    assert_ok(pp_log_reader_finish(r, NULL));
    assert_int_equal(seen.next, 70000);
    assert_int_equal(seen.findings, 0);
    pp_log_reader_free(r);

    /* What it had read before is in a tile of another content now. */
    world_flip(&w, "tile/1/001.p/17", 0);
    r = reader_of(s, &w, &range, &seen);
    assert_ok(pp_log_reader_finish(r, NULL));
    assert_int_equal(seen.findings, 1);
    assert_int_equal(seen.last.code, PP_E_LOG_TILE);
    pp_log_reader_free(r);
    pp_log_source_close(s);
    world_done(&w);
}

/* Right entries and wrong tiles: the log gives out proofs that fail. */
static void a_wrong_hash_in_a_tile_is_a_finding_that_names_it(void **state)
{
    static const struct {
        const char *file, *field;
        size_t at;
    } rows[] = {
        { "tile/0/000", "tile/0/000, hash 0", 0 },
        { "tile/0/000", "tile/0/000, hash 255", 8191 },
        { "tile/0/257.p/208", "tile/0/257.p/208, hash 7", 7 * 32 + 5 },
        { "tile/1/000", "tile/1/000, hash 3", 3 * 32 },
        { "tile/1/001.p/1", "tile/1/001.p/1, hash 0", 31 },
        { "tile/2/000.p/1", "tile/2/000.p/1, hash 0", 16 },
    };
    struct world w;

    (void)state;
    world_make(&w, 66000);
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct seen seen;
        world_flip(&w, rows[i].file, rows[i].at);
        assert_ok(read_folder(&w, &seen, NULL));
        assert_int_equal(seen.findings, 1);
        assert_int_equal(seen.last.code, PP_E_LOG_TILE);
        assert_string_equal(seen.last.words.field, rows[i].field);
        world_flip(&w, rows[i].file, rows[i].at);
    }
    world_done(&w);
}

static void without_a_sink_a_wrong_tile_ends_the_reading(void **state)
{
    struct world w;
    struct pp_log_reader *r;
    struct pp_problem problem = { 0 };

    (void)state;
    world_make(&w, 300);
    world_flip(&w, "tile/0/000", 40);
    struct pp_log_source *s = world_open(&w);
    const struct pp_log_reader_config c = { .source = s, .tree = w.tree };
    assert_ok(pp_log_reader_new(&c, &r));
    assert_code(pp_log_reader_finish(r, &problem), PP_E_LOG_TILE);
    assert_string_equal(problem.field, "tile/0/000, hash 1");
    pp_log_reader_free(r);
    pp_log_source_close(s);
    world_done(&w);
}

static void a_missing_or_malformed_hash_tile_is_a_finding_and_reading_goes_on(void **state)
{
    struct world w;
    struct seen seen;

    (void)state;
    world_make(&w, 700);
    world_remove(&w, "tile/0/001");
    assert_ok(read_folder(&w, &seen, NULL));
    assert_int_equal(seen.findings, 1);
    assert_int_equal(seen.last.code, PP_E_LOG_MISSING);
    world_write(&w, "tile/0/001", PP_STR("<html>"));
    assert_ok(read_folder(&w, &seen, NULL));
    assert_int_equal(seen.findings, 1);
    assert_int_equal(seen.last.code, PP_E_LOG_FILE);
    world_done(&w);
}

static void w27_another_entry_than_the_checkpoint_s_is_another_root(void **state)
{
    struct world w;
    struct seen seen;
    struct pp_problem problem = { 0 };

    (void)state;
    world_make(&w, 700);
    world_flip(&w, "tile/entries/002.p/188", 9);
    assert_code(read_folder(&w, &seen, &problem), PP_E_LOG_ROOT);
    assert_int_equal(seen.last.code, PP_E_LOG_TILE);
    assert_string_equal(seen.last.words.field, "tile/0/002.p/188, hash 0");
    assert_int_equal(seen.next, 700);
    world_done(&w);
}

static void a_missing_or_cut_bundle_ends_the_reading(void **state)
{
    struct world w;
    struct seen seen;
    struct pp_problem problem = { 0 };

    (void)state;
    world_make(&w, 700);
    world_write(&w, "tile/entries/001", PP_STR("\0\1x"));
    assert_code(read_folder(&w, &seen, &problem), PP_E_LOG_FILE);
    assert_string_equal(problem.field, "tile/entries/001");
    world_remove(&w, "tile/entries/001");
    assert_code(read_folder(&w, &seen, &problem), PP_E_LOG_MISSING);
    assert_int_equal(seen.next, 256);
    world_done(&w);
}

static void the_caller_can_end_it_at_any_entry(void **state)
{
    struct world w;
    struct seen seen = { .stop = 300 };

    (void)state;
    world_make(&w, 700);
    struct pp_log_source *s = world_open(&w);
    struct pp_log_reader *r = reader_of(s, &w, NULL, &seen);
    assert_code(pp_log_reader_finish(r, NULL), PP_E_LEDGER_SERIAL);
    assert_int_equal(seen.next, 300);
    pp_log_reader_free(r);
    pp_log_source_close(s);
    world_done(&w);
}

static void a_smaller_tree_than_what_was_read_is_refused(void **state)
{
    struct pp_log_reader_config c = { .tree.size = 4, .from.size = 5 };
    struct pp_log_reader *r;

    (void)state;
    assert_code(pp_log_reader_new(&c, &r), PP_E_RANGE);
}

/* RFC 6962 entries up to the largest that a bundle can hold. */
static void the_largest_bundle_is_read(void **state)
{
    struct world w;
    struct pp_merkle_range range = { 0 };
    uint8_t *bytes = calloc(1, PP_ENTRIES_BYTES_MAX);
    struct pp_wr wr = pp_wr_over(bytes, PP_ENTRIES_BYTES_MAX);
    static uint8_t entry[PP_ENTRY_BYTES_MAX], hashes[PP_TILE_BYTES];
    struct pp_merkle_hash leaf;
    struct pp_log_reader *r;

    (void)state;
    assert_non_null(bytes);
    world_make(&w, 0);
    pp_merkle_leaf(PP_BYTES(entry), &leaf);
    for (unsigned i = 0; i < PP_TILE_WIDTH; i++) {
        pp_entries_write(&wr, PP_BYTES(entry));
        memcpy(hashes + i * PP_SHA256_BYTES, leaf.bytes, PP_SHA256_BYTES);
        assert_ok(pp_merkle_append(&range, &leaf, NULL));
    }
    assert_ok(pp_wr_ok(&wr));
    world_write(&w, "tile/entries/000", pp_wr_done(&wr));
    world_write(&w, "tile/0/000", PP_BYTES(hashes));
    w.tree.size = PP_TILE_WIDTH;
    pp_merkle_range_root(&range, &w.tree.root);
    world_write(&w, "tile/1/000.p/1", PP_BYTES(w.tree.root.bytes));
    for (int past = 0; past < 2; past++) {
        struct pp_log_source *s = world_open(&w);
        const struct pp_log_reader_config c = { .source = s, .tree = w.tree };
        assert_ok(pp_log_reader_new(&c, &r));
        assert_code(pp_log_reader_finish(r, NULL), past ? PP_E_LOG_FILE : PP_E_OK);
        pp_log_reader_free(r);
        pp_log_source_close(s);
        bytes = realloc(bytes, PP_ENTRIES_BYTES_MAX + 1);
        assert_non_null(bytes);
        bytes[PP_ENTRIES_BYTES_MAX] = 0;
        world_write(&w, "tile/entries/000", pp_span(bytes, PP_ENTRIES_BYTES_MAX + 1));
    }
    free(bytes);
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_entry_of_a_log_comes_in_order),
        cmocka_unit_test(reading_over_http_gives_the_same),
        cmocka_unit_test(swapped_tiles_are_found),
        cmocka_unit_test(reading_goes_on_from_wherever_it_stood),
        cmocka_unit_test(reading_can_pause_between_bundles_and_end_in_another_process),
        cmocka_unit_test(a_wrong_hash_in_a_tile_is_a_finding_that_names_it),
        cmocka_unit_test(without_a_sink_a_wrong_tile_ends_the_reading),
        cmocka_unit_test(a_missing_or_malformed_hash_tile_is_a_finding_and_reading_goes_on),
        cmocka_unit_test(w27_another_entry_than_the_checkpoint_s_is_another_root),
        cmocka_unit_test(a_missing_or_cut_bundle_ends_the_reading),
        cmocka_unit_test(the_caller_can_end_it_at_any_entry),
        cmocka_unit_test(a_smaller_tree_than_what_was_read_is_refused),
        cmocka_unit_test(the_largest_bundle_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
