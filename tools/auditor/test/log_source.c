/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a log, from folders and from servers that do not mean well (C2SP tlog-tiles). */
#include "harness.h"

#include "env.h"
#include "world.h"

static struct world world;
enum { SIZE = 700 };

static int set_up(void **state)
{
    (void)state;
    world_make(&world, SIZE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_done(&world);
    return 0;
}

static struct pp_tile tile_at(int entries, unsigned level, uint64_t index)
{
    struct pp_tile t;

    assert_true(pp_tile_of(SIZE, level, index, &t));
    t.entries = entries;
    return t;
}

static pp_res read_tile(struct pp_log_source *s, const struct pp_tile *t)
{
    struct pp_buf b = { 0 };
    pp_res r = pp_log_source_tile(s, SIZE, t, &b, NULL);

    pp_buf_done(&b);
    return r;
}

/* --- folders -------------------------------------------------------------------------------- */

static void a_missing_partial_tile_is_the_beginning_of_the_full_one(void **state)
{
    struct world grown;
    const struct pp_tile hashes = tile_at(0, 0, 2), bundle = tile_at(1, 0, 2);
    struct pp_buf b = { 0 };

    (void)state;
    world_make(&grown, 3 * PP_TILE_WIDTH);
    struct pp_log_source *s = world_open(&grown), *old = world_open(&world);
    for (int i = 0; i < 2; i++) {
        const struct pp_tile *t = i == 0 ? &hashes : &bundle;
        struct pp_buf want = { 0 };
        assert_ok(pp_log_source_tile(s, SIZE, t, &b, NULL));
        assert_ok(pp_log_source_tile(old, SIZE, t, &want, NULL));
        assert_true(pp_span_eq(pp_buf_span(&b), pp_buf_span(&want)));
        pp_buf_done(&b);
        pp_buf_done(&want);
    }
    pp_log_source_close(s);
    pp_log_source_close(old);
    world_done(&grown);
}

static void a_tile_that_is_nowhere_is_missing_and_named(void **state)
{
    struct pp_tile t = tile_at(0, 0, 2);
    struct pp_problem problem = { 0 };
    struct pp_buf b = { 0 };

    (void)state;
    world_remove(&world, "tile/0/002.p/188");
    struct pp_log_source *s = world_open(&world);
    assert_code(pp_log_source_tile(s, SIZE, &t, &b, &problem), PP_E_LOG_MISSING);
    assert_string_equal(problem.field, "tile/0/002");
    assert_string_equal(problem.party, world.folder);
    pp_log_source_close(s);
}

/* C2SP tlog-tiles: "Clients MUST NOT" ask for partial tiles that no checkpoint implies. */
static void a_tile_that_the_tree_does_not_have_is_not_asked_for(void **state)
{
    const struct pp_tile other[] = {
        { .index = 2, .width = 187 },
        { .index = 2, .width = 256 },
        { .index = 0, .width = 5 },
        { .index = 3, .width = 1 },
        { .level = 2, .width = 1 },
        { .entries = 1, .level = 1, .width = 2 },
        { .entries = 1, .index = 2, .width = 189 },
    };
    struct server server;

    (void)state;
    server_start(&server, &world, WORLD_HONEST);
    struct pp_log_source *s = world_connect(server.port, 0);
    for (size_t i = 0; i < PP_ARRAY_COUNT(other); i++) {
        pp_log_source_ahead(s, SIZE, &other[i]);
        assert_code(read_tile(s, &other[i]), PP_E_RANGE);
    }
    pp_log_source_close(s);
    server_stop(&server);
    assert_int_equal(server.requests, 0);
}

static void a_file_of_another_length_is_refused(void **state)
{
    static uint8_t bytes[PP_TILE_BYTES + 1];
    const struct pp_tile t = tile_at(0, 0, 1);

    (void)state;
    struct pp_log_source *s = world_open(&world);
    for (size_t len = 0; len <= sizeof bytes; len += 2731) {
        world_write(&world, "tile/0/001", pp_span(bytes, len));
        assert_code(read_tile(s, &t), PP_E_LOG_FILE);
    }
    world_write(&world, "tile/0/001", pp_span(bytes, sizeof bytes));
    assert_code(read_tile(s, &t), PP_E_LOG_FILE);
    world_write(&world, "tile/0/001", pp_span(bytes, sizeof bytes - 1));
    assert_ok(read_tile(s, &t));
    pp_log_source_close(s);
}

static void only_plain_names_reach_the_disk(void **state)
{
    static const char *const refused[] = {
        "",
        "/",
        "/etc/hosts",
        "..",
        "../x",
        "a/../b",
        "a//b",
        "a/",
        ".x",
        "a/.b",
        "a b",
        "a\nb",
        "a%2fb",
        "a?b",
        "a\\b",
        "checkpoint/",
        "0123456789012345678901234567890123456789012345678901234567890123x",
    };
    struct pp_buf b = { 0 };

    (void)state;
    world_write(&world, "hosts/1.list", PP_STR("x"));
    struct pp_log_source *s = world_open(&world);
    for (size_t i = 0; i < PP_ARRAY_COUNT(refused); i++)
        assert_code(pp_log_source_file(s, refused[i], 100, &b, NULL), PP_E_RANGE);
    assert_code(pp_log_source_file(s, "directory", 100, &b, NULL), PP_E_NOT_FOUND);
    assert_code(pp_log_source_file(s, "hosts", 100, &b, NULL), PP_E_LOG_FILE);
    assert_code(pp_log_source_file(s, "hosts/1.list", 0, &b, NULL), PP_E_LOG_FILE);
    assert_ok(pp_log_source_file(s, "hosts/1.list", 1, &b, NULL));
    pp_buf_done(&b);
    pp_log_source_close(s);
}

static void a_log_s_own_folder_is_read_in_its_public_part(void **state)
{
    char own[80];
    struct world inside;
    struct pp_log_source_config c = { .place = own };
    struct pp_log_source *s;

    (void)state;
    world_make(&inside, 0);
    snprintf(own, sizeof own, "%s///", inside.folder);
    world_write(&inside, "public/checkpoint", PP_STR("x"));
    assert_ok(pp_log_source_open(&c, &s, NULL));
    assert_int_equal(strlen(pp_log_source_place(s)), strlen(inside.folder) + 7);
    pp_log_source_close(s);
    world_done(&inside);
    assert_code(pp_log_source_open(&c, &s, NULL), PP_E_NOT_FOUND);
}

static void what_is_no_log_s_url_is_refused(void **state)
{
    static const char *const refused[] = { "http://h h/", "http://u@127.0.0.1/",
                                           "http://127.0.0.1/?x", "http://127.0.0.1/#x" };
    struct pp_log_source *s;

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(refused); i++) {
        struct pp_log_source_config c = { .place = refused[i] };
        assert_code(pp_log_source_open(&c, &s, NULL), PP_E_CONFIG);
    }
}

/* --- servers -------------------------------------------------------------------------------- */

static const struct row {
    enum world_manner manner;
    uint32_t hashes, entries; /* what reading a full tile, and a partial bundle, gives */
} ROWS[] = {
    { WORLD_HONEST, PP_E_OK, PP_E_OK },
    { WORLD_FULL_ONLY, PP_E_OK, PP_E_LOG_MISSING },
    { WORLD_GZIP, PP_E_OK, PP_E_OK },
    { WORLD_BAD_GZIP, PP_E_LOG_FILE, PP_E_LOG_FILE },
    { WORLD_BOMB, PP_E_LOG_FILE, PP_E_LOG_FILE },
    { WORLD_BROTLI, PP_E_LOG_FILE, PP_E_LOG_FILE },
    { WORLD_PAGE, PP_E_LOG_FILE, PP_E_LOG_FILE },
    { WORLD_TRUNCATED, PP_E_CLOSED, PP_E_CLOSED },
    { WORLD_SHORT, PP_E_LOG_FILE, PP_E_LOG_FILE },
    { WORLD_LONG, PP_E_LOG_FILE, PP_E_LOG_FILE },
    { WORLD_ENDLESS, PP_E_LOG_FILE, PP_E_LOG_FILE },
    { WORLD_HUGE, PP_E_CLOSED, PP_E_CLOSED },
    { WORLD_SLOW, PP_E_TIMEOUT, PP_E_TIMEOUT },
    { WORLD_SILENT, PP_E_TIMEOUT, PP_E_TIMEOUT },
    { WORLD_REDIRECT, PP_E_HTTP_STATUS, PP_E_HTTP_STATUS },
    { WORLD_BUSY, PP_E_HTTP_STATUS, PP_E_HTTP_STATUS },
    { WORLD_CLOSES, PP_E_OK, PP_E_OK },
};

/* C2SP issue 84: an error page under 200 is not a tile. */
static void a_hostile_server_is_refused_in_bounded_time(void **state)
{
    const struct pp_tile hashes = tile_at(0, 0, 1), bundle = tile_at(1, 0, 2);

    const struct pp_clock clock = pp_clock_system();

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        struct server server;
        uint64_t before = pp_clock_mono_ms(&clock);
        server_start(&server, &world, ROWS[i].manner);
        struct pp_log_source *s = world_connect(server.port,
                                                ROWS[i].hashes == PP_E_TIMEOUT ? 200 : 5000);
        assert_code(read_tile(s, &hashes), ROWS[i].hashes);
        assert_code(read_tile(s, &bundle), ROWS[i].entries);
        pp_log_source_close(s);
        server_stop(&server);
        assert_true(pp_clock_mono_ms(&clock) - before < 20000);
    }
}

static void a_server_s_error_page_is_told_with_its_type(void **state)
{
    const struct pp_tile t = tile_at(0, 0, 1);
    struct pp_problem problem = { 0 };
    struct server server;
    struct pp_buf b = { 0 };

    (void)state;
    server_start(&server, &world, WORLD_PAGE);
    struct pp_log_source *s = world_connect(server.port, 0);
    assert_code(pp_log_source_tile(s, SIZE, &t, &b, &problem), PP_E_LOG_FILE);
    assert_non_null(strstr(problem.got, "text/html"));
    assert_string_equal(problem.field, "tile/0/001");
    assert_string_equal(problem.party, pp_log_source_place(s));
    pp_log_source_close(s);
    server_stop(&server);
}

static void published_files_are_hashed_as_they_come(void **state)
{
    static const struct {
        enum world_manner manner;
        uint32_t code;
    } rows[] = {
        { WORLD_HONEST, PP_E_OK },        { WORLD_GZIP, PP_E_LOG_FILE },
        { WORLD_ENDLESS, PP_E_LOG_FILE }, { WORLD_REDIRECT, PP_E_HTTP_STATUS },
        { WORLD_SILENT, PP_E_TIMEOUT },   { WORLD_TRUNCATED, PP_E_CLOSED },
    };
    uint8_t want[PP_SHA256_BYTES], got[PP_SHA256_BYTES];
    char place[96];
    uint64_t len;

    (void)state;
    world_write(&world, "image", PP_STR("an image"));
    pp_sha256(PP_STR("an image"), want);
    snprintf(place, sizeof place, "%s/image", world.folder);
    struct pp_log_source_config c = { .place = place, .deadline_ms = 200 };
    assert_ok(pp_log_source_digest(&c, 8, got, &len, NULL));
    assert_memory_equal(got, want, sizeof want);
    assert_int_equal(len, 8);
    assert_code(pp_log_source_digest(&c, 7, got, &len, NULL), PP_E_LOG_FILE);
    /* A record that names a device that never ends, and ever so many bytes, keeps nobody busy. */
    const struct pp_log_source_config device = { .place = "/dev/zero" };
    assert_code(pp_log_source_digest(&device, 8, got, &len, NULL), PP_E_NOT_FOUND);
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct server server;
        server_start(&server, &world, rows[i].manner);
        snprintf(place, sizeof place, "http://127.0.0.1:%u/log/image", server.port);
        assert_code(pp_log_source_digest(&c, 1000, got, &len, NULL), rows[i].code);
        snprintf(place, sizeof place, "http://127.0.0.1:%u/log/imagine", server.port);
        assert_code(pp_log_source_digest(&c, 8, got, &len, NULL), PP_E_NOT_FOUND);
        server_stop(&server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_missing_partial_tile_is_the_beginning_of_the_full_one,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_tile_that_is_nowhere_is_missing_and_named, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_tile_that_the_tree_does_not_have_is_not_asked_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_of_another_length_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_plain_names_reach_the_disk, set_up, tear_down),
        cmocka_unit_test(a_log_s_own_folder_is_read_in_its_public_part),
        cmocka_unit_test(what_is_no_log_s_url_is_refused),
        cmocka_unit_test_setup_teardown(a_hostile_server_is_refused_in_bounded_time, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_server_s_error_page_is_told_with_its_type, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(published_files_are_hashed_as_they_come, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
