/* SPDX-License-Identifier: Apache-2.0 */
/* C2SP tlog-tiles: paths, sets of tiles, nodes in tiles, entry bundles. */
#include "harness.h"

#include "tile.h"

static const char *path_of(const struct pp_tile *t)
{
    static char buffer[PP_TILE_PATH_MAX + 1];
    struct pp_wr wr = pp_wr_over(buffer, PP_TILE_PATH_MAX);

    memset(buffer, 0, sizeof buffer);
    pp_tile_path_write(&wr, t);
    assert_ok(pp_wr_ok(&wr));
    return buffer;
}

static void paths_are_written_in_groups_of_three(void **state)
{
    (void)state;
    static const struct {
        struct pp_tile tile;
        const char *path;
    } rows[] = {
        { { 0, 0, 5, 256 }, "tile/0/005" },
        { { 0, 0, 1234067, 256 }, "tile/0/x001/x234/067" },
        { { 0, 63, 999, 255 }, "tile/63/999.p/255" },
        { { 1, 0, 1000, 1 }, "tile/entries/x001/000.p/1" },
        { { 0, 0, PP_TILE_INDEX_MAX, 256 }, "tile/0/x036/x028/x797/x018/x963/967" },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_tile t;
        assert_string_equal(path_of(&rows[i].tile), rows[i].path);
        assert_ok(pp_tile_path_parse(pp_span_cstr(rows[i].path), &t));
        assert_int_equal(t.entries, rows[i].tile.entries);
        assert_int_equal(t.level, rows[i].tile.level);
        assert_int_equal(t.index, rows[i].tile.index);
        assert_int_equal(t.width, rows[i].tile.width);
    }
}

/* A path that means the same in two spellings would be two resources. */
static void only_one_spelling_of_a_path_is_read(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/5",
        "tile/0/05",
        "tile/0/0005",
        "tile/00/005",
        "tile/64/005",
        "tile/-1/005",
        "tile/entries",
        "tile/Entries/005",
        "tile/0/x000/005",
        "tile/0/001/005",
        "tile/0/x01/005",
        "tile/0/x001/x005",
        "tile/0/x001/",
        "tile/0/005/",
        "tile/0/005.p",
        "tile/0/005.p/",
        "tile/0/005.p/0",
        "tile/0/005.p/256",
        "tile/0/005.p/01",
        "tile/0/005.p/1/",
        "tile/0/005.p/1.p/1",
        "/tile/0/005",
        "tile//005",
        "tile/0/../005",
        "tile/0/x036/x028/x797/x018/x963/968",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/00\xB2",
        "tiles/0/005",
        "data/0/005",
        "tile/0/y001/005",
        "tile/0/x0010/005",
        "tile/0/x018/x446/x744/x073/x709/x552/000", /* 2^64 + 384 */
        "tile/0/x018/x446/x744/x073/x709/x552/x000/000",
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_tile t = { .width = 7 };
        assert_false(pp_is_ok(pp_tile_path_parse(pp_span_cstr(rows[i]), &t)));
        assert_int_equal(t.width, 7);
    }
}

static void a_size_has_exactly_its_tiles(void **state)
{
    (void)state;
    static const uint64_t sizes[] = { 0,   1,   255,   256,      257,
                                      511, 512, 70000, 16777216, PP_MERKLE_SIZE_MAX };

    for (size_t i = 0; i + 1 < PP_ARRAY_COUNT(sizes); i++) {
        struct pp_tile_iter it = { .size = sizes[i] };
        struct pp_tile t;
        uint64_t hashes[8] = { 0 };
        while (pp_tile_next(&it, &t)) {
            assert_int_equal(t.index * PP_TILE_WIDTH, hashes[t.level]);
            assert_true(t.width >= 1 && t.width <= PP_TILE_WIDTH);
            hashes[t.level] += t.width;
        }
        for (unsigned level = 0; level < 8; level++)
            assert_int_equal(hashes[level], pp_tile_hashes(sizes[i], level));
        assert_false(pp_tile_next(&it, &t));
    }
    struct pp_tile t;
    assert_true(pp_tile_of(PP_MERKLE_SIZE_MAX, 7, 0, &t));
    assert_int_equal(t.width, 127);
    assert_false(pp_tile_of(PP_MERKLE_SIZE_MAX, 8, 0, &t));
    assert_false(pp_tile_of(256, 0, 1, &t));
    assert_false(pp_tile_of(256, 0, UINT64_MAX, &t));
}

static void a_node_is_found_in_its_tile(void **state)
{
    (void)state;
    struct pp_tile_place p = pp_tile_place(0, 300);

    assert_int_equal(p.level, 0);
    assert_int_equal(p.index, 1);
    assert_int_equal(p.offset, 44);
    assert_int_equal(p.count, 1);
    p = pp_tile_place(7, 3); /* the second half of the second tile */
    assert_int_equal(p.index, 1);
    assert_int_equal(p.offset, 128);
    assert_int_equal(p.count, 128);
    p = pp_tile_place(8, 300);
    assert_int_equal(p.level, 1);
    assert_int_equal(p.index, 1);
    assert_int_equal(p.offset, 44);
}

/* --- a tree over tiles --------------------------------------------------------------------- */

enum { SIZE = 600 };

static uint8_t level0[3][PP_TILE_BYTES];
static uint8_t level1[PP_TILE_BYTES];
static int reads;

static pp_res keep(void *ctx, unsigned level, uint64_t index, const struct pp_merkle_hash *hash)
{
    (void)ctx;
    if (level == 0)
        memcpy(level0[index / 256] + index % 256 * 32, hash->bytes, 32);
    else if (level == 8)
        memcpy(level1 + index * 32, hash->bytes, 32);
    return PP_OK;
}

static pp_res read_tile(void *ctx, const struct pp_tile *t, uint8_t ret[PP_TILE_BYTES])
{
    (void)ctx;
    reads++;
    assert_true(t->level <= 1);
    memcpy(ret, t->level == 0 ? level0[t->index] : level1, (size_t)t->width * 32);
    return PP_OK;
}

static void proofs_come_out_of_tiles(void **state)
{
    (void)state;
    static struct pp_tile_tree tree;
    struct pp_merkle_sink sink = { .node = keep };
    struct pp_merkle_range r = { 0 };
    struct pp_merkle_hash root;
    struct pp_merkle_path path;

    for (uint32_t i = 0; i < SIZE; i++) {
        struct pp_merkle_hash leaf;
        pp_merkle_leaf(pp_span(&i, sizeof i), &leaf);
        assert_ok(pp_merkle_append(&r, &leaf, &sink));
    }
    pp_merkle_range_root(&r, &root);
    for (uint64_t size = SIZE; size > 0; size -= 7) {
        tree = (struct pp_tile_tree){ .source = { .read = read_tile }, .size = size };
        struct pp_merkle_nodes nodes = pp_tile_nodes(&tree);
        struct pp_merkle_range part;
        assert_ok(pp_merkle_range_load(size, &nodes, &part));
        struct pp_merkle_hash part_root;
        pp_merkle_range_root(&part, &part_root);
        assert_ok(pp_merkle_inclusion(size / 2, size, &nodes, &path));
        struct pp_merkle_hash leaf;
        uint32_t number = (uint32_t)(size / 2);
        pp_merkle_leaf(pp_span(&number, sizeof number), &leaf);
        assert_ok(pp_merkle_inclusion_verify(size / 2, size, &leaf, &path, &part_root));
        tree.size = SIZE;
        assert_ok(pp_merkle_consistency(size, SIZE, &nodes, &path));
        assert_ok(pp_merkle_consistency_verify(size, SIZE, &part_root, &root, &path));
        if (size < 7)
            break;
    }
}

static void one_tile_is_remembered_and_a_node_outside_the_tree_is_refused(void **state)
{
    (void)state;
    static struct pp_tile_tree tree = { .source = { .read = read_tile }, .size = SIZE };
    struct pp_merkle_nodes nodes = pp_tile_nodes(&tree);
    struct pp_merkle_hash h;

    reads = 0;
    for (uint64_t i = 0; i < 256; i++)
        assert_ok(nodes.read(nodes.ctx, 0, i, &h));
    assert_int_equal(reads, 1);
    assert_ok(nodes.read(nodes.ctx, 0, SIZE - 1, &h));
    assert_code(nodes.read(nodes.ctx, 0, SIZE, &h), PP_E_RANGE);
    assert_code(nodes.read(nodes.ctx, 8, 2, &h), PP_E_RANGE);
    assert_code(nodes.read(nodes.ctx, 3, SIZE / 8, &h), PP_E_RANGE);
    assert_code(nodes.read(nodes.ctx, 62, 0, &h), PP_E_RANGE);
}

static pp_res no_tile(void *ctx, const struct pp_tile *t, uint8_t ret[PP_TILE_BYTES])
{
    (void)ctx;
    (void)t;
    ret[0] = 1;
    return PP_FAIL(PP_E_NOT_FOUND, 0);
}

static void a_tile_that_cannot_be_read_is_not_remembered(void **state)
{
    (void)state;
    static struct pp_tile_tree tree = { .source = { .read = no_tile }, .size = SIZE };
    struct pp_merkle_nodes nodes = pp_tile_nodes(&tree);
    struct pp_merkle_hash h;

    assert_code(nodes.read(nodes.ctx, 0, 0, &h), PP_E_NOT_FOUND);
    assert_code(nodes.read(nodes.ctx, 0, 0, &h), PP_E_NOT_FOUND);
}

/* --- entry bundles ------------------------------------------------------------------------- */

static void a_bundle_is_read_as_it_was_written(void **state)
{
    (void)state;
    static uint8_t bytes[3 * (2 + PP_ENTRY_BYTES_MAX)];
    static uint8_t large[PP_ENTRY_BYTES_MAX + 1];
    struct pp_span entries[PP_TILE_WIDTH];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);

    pp_entries_write(&wr, pp_span(large, PP_ENTRY_BYTES_MAX));
    pp_entries_write(&wr, pp_span(NULL, 0));
    pp_entries_write(&wr, PP_STR("third"));
    struct pp_span bundle = pp_wr_done(&wr);
    assert_ok(pp_entries_parse(bundle, 3, entries));
    assert_int_equal(entries[0].len, PP_ENTRY_BYTES_MAX);
    assert_int_equal(entries[1].len, 0);
    assert_true(pp_span_eq(entries[2], PP_STR("third")));
    assert_code(pp_entries_parse(bundle, 2, entries), PP_E_TRAILING);
    assert_code(pp_entries_parse(bundle, 4, entries), PP_E_TRUNCATED);
    assert_code(pp_entries_parse(pp_span(bundle.at, bundle.len - 1), 3, entries), PP_E_TRUNCATED);
    assert_code(pp_entries_parse(bundle, 0, entries), PP_E_RANGE);
    assert_code(pp_entries_parse(bundle, 257, entries), PP_E_RANGE);
    wr = pp_wr_over(bytes, sizeof bytes);
    pp_entries_write(&wr, PP_BYTES(large));
    assert_code(pp_wr_ok(&wr), PP_E_RANGE);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(paths_are_written_in_groups_of_three),
    cmocka_unit_test(only_one_spelling_of_a_path_is_read),
    cmocka_unit_test(a_size_has_exactly_its_tiles),
    cmocka_unit_test(a_node_is_found_in_its_tile),
    cmocka_unit_test(proofs_come_out_of_tiles),
    cmocka_unit_test(one_tile_is_remembered_and_a_node_outside_the_tree_is_refused),
    cmocka_unit_test(a_tile_that_cannot_be_read_is_not_remembered),
    cmocka_unit_test(a_bundle_is_read_as_it_was_written),
};

PP_TEST_MAIN(TESTS)
