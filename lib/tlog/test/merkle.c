/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 6962 section 2.1 and RFC 9162 section 2.1, against a recursive model for every small tree. */
#include "harness.h"

#include "merkle.h"

enum { SIZES = 70 };

static struct pp_merkle_hash leaves[SIZES];

static int make_leaves(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZES; i++) {
        uint8_t entry[3] = { 'e', (uint8_t)i, (uint8_t)(i * 7) };
        pp_merkle_leaf(PP_BYTES(entry), &leaves[i]);
    }
    return 0;
}

/* MTH of RFC 6962 2.1, word by word. */
static struct pp_merkle_hash model(size_t from, size_t count)
{
    struct pp_merkle_hash h;

    if (count == 0) {
        pp_merkle_empty(&h);
        return h;
    }
    if (count == 1)
        return leaves[from];
    size_t k = 1;
    while (k * 2 < count)
        k *= 2;
    struct pp_merkle_hash left = model(from, k);
    struct pp_merkle_hash right = model(from + k, count - k);
    pp_merkle_node(&left, &right, &h);
    return h;
}

static size_t reads;

static pp_res read_node(void *ctx, unsigned level, uint64_t index, struct pp_merkle_hash *ret)
{
    size_t size = *(const size_t *)ctx;

    reads++;
    assert_true(((index + 1) << level) <= size); /* only complete subtrees are stored */
    *ret = model((size_t)index << level, (size_t)1 << level);
    return PP_OK;
}

static void hashes_are_those_of_rfc_6962(void **state)
{
    (void)state;
    struct pp_merkle_hash h;
    struct pp_merkle_hash a;

    pp_merkle_empty(&h);
    assert_hex(h.bytes, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    pp_merkle_leaf(pp_span(NULL, 0), &a);
    assert_hex(a.bytes, 32, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    pp_merkle_leaf(PP_STR("L123"), &a);
    pp_merkle_leaf(PP_STR("N456"), &h);
    assert_false(pp_merkle_same(&a, &h));
}

/* W27.T7: a node's preimage offered as an entry gives another hash than the node. */
static void w27_t7_an_entry_cannot_pass_for_a_node(void **state)
{
    (void)state;
    struct pp_merkle_hash node;
    struct pp_merkle_hash leaf;
    uint8_t both[64];

    pp_merkle_node(&leaves[0], &leaves[1], &node);
    memcpy(both, leaves[0].bytes, 32);
    memcpy(both + 32, leaves[1].bytes, 32);
    pp_merkle_leaf(PP_BYTES(both), &leaf);
    assert_false(pp_merkle_same(&node, &leaf));
    struct pp_merkle_path none = { 0 };
    assert_code(pp_merkle_inclusion_verify(0, 1, &leaf, &none, &node), PP_E_PROOF);
}

static void appending_gives_the_root_of_every_size(void **state)
{
    (void)state;
    struct pp_merkle_range r = { 0 };

    for (size_t n = 0; n <= SIZES; n++) {
        struct pp_merkle_hash got;
        struct pp_merkle_hash want = model(0, n);
        pp_merkle_range_root(&r, &got);
        assert_true(pp_merkle_same(&got, &want));
        if (n < SIZES)
            assert_ok(pp_merkle_append(&r, &leaves[n], NULL));
    }
}

static size_t told;

static pp_res hear(void *ctx, unsigned level, uint64_t index, const struct pp_merkle_hash *hash)
{
    (void)ctx;
    struct pp_merkle_hash want = model((size_t)index << level, (size_t)1 << level);

    assert_true(pp_merkle_same(hash, &want));
    told++;
    return PP_OK;
}

static pp_res refuse(void *ctx, unsigned level, uint64_t index, const struct pp_merkle_hash *hash)
{
    (void)ctx;
    (void)index;
    (void)hash;
    return level == 1 ? PP_FAIL(PP_E_STORE, 7) : PP_OK;
}

static void every_finished_node_is_told_once(void **state)
{
    (void)state;
    struct pp_merkle_sink sink = { .node = hear };
    struct pp_merkle_range r = { 0 };
    size_t nodes = 0;

    told = 0;
    for (size_t n = 0; n < 64; n++)
        assert_ok(pp_merkle_append(&r, &leaves[n], &sink));
    for (size_t width = 64; width > 0; width /= 2)
        nodes += width;
    assert_int_equal(told, nodes);
}

static void a_sink_that_fails_leaves_the_range_as_it_was(void **state)
{
    (void)state;
    struct pp_merkle_sink sink = { .node = refuse };
    struct pp_merkle_range r = { 0 };
    struct pp_merkle_range before;

    assert_ok(pp_merkle_append(&r, &leaves[0], &sink));
    before = r;
    assert_code(pp_merkle_append(&r, &leaves[1], &sink), PP_E_STORE);
    assert_memory_equal(&r, &before, sizeof r);
}

static void a_loaded_range_goes_on_as_if_it_had_never_stopped(void **state)
{
    (void)state;
    for (size_t n = 0; n < SIZES; n++) {
        struct pp_merkle_nodes nodes = { .read = read_node, .ctx = &n };
        struct pp_merkle_range r;
        struct pp_merkle_hash got;
        struct pp_merkle_hash want = model(0, n + 1);
        assert_ok(pp_merkle_range_load(n, &nodes, &r));
        assert_ok(pp_merkle_append(&r, &leaves[n], NULL));
        pp_merkle_range_root(&r, &got);
        assert_true(pp_merkle_same(&got, &want));
    }
}

static void a_tree_has_a_largest_size(void **state)
{
    (void)state;
    struct pp_merkle_range r = { .size = PP_MERKLE_SIZE_MAX };
    struct pp_merkle_nodes none = { 0 };
    struct pp_merkle_path path;

    assert_code(pp_merkle_append(&r, &leaves[0], NULL), PP_E_LIMIT);
    r.size = PP_MERKLE_SIZE_MAX - 1;
    assert_ok(pp_merkle_append(&r, &leaves[0], NULL));
    assert_code(pp_merkle_range_load(PP_MERKLE_SIZE_MAX + 1, &none, &r), PP_E_LIMIT);
    assert_code(pp_merkle_inclusion(0, PP_MERKLE_SIZE_MAX + 1, &none, &path), PP_E_RANGE);
    assert_code(pp_merkle_consistency(1, PP_MERKLE_SIZE_MAX + 1, &none, &path), PP_E_RANGE);
}

static pp_res zero_node(void *ctx, unsigned level, uint64_t index, struct pp_merkle_hash *ret)
{
    (void)ctx;
    (void)level;
    (void)index;
    *ret = (struct pp_merkle_hash){ 0 };
    return PP_OK;
}

static void the_longest_paths_fit_their_limit(void **state)
{
    (void)state;
    struct pp_merkle_nodes nodes = { .read = zero_node };
    struct pp_merkle_path path;

    assert_ok(pp_merkle_inclusion(0, PP_MERKLE_SIZE_MAX, &nodes, &path));
    assert_int_equal(path.count, PP_MERKLE_PATH_MAX);
    assert_ok(pp_merkle_consistency(1, PP_MERKLE_SIZE_MAX, &nodes, &path));
    assert_int_equal(path.count, PP_MERKLE_PATH_MAX);
    assert_code(
        pp_merkle_consistency(PP_MERKLE_SIZE_MAX / 2 + 2, PP_MERKLE_SIZE_MAX, &nodes, &path),
        PP_E_LIMIT);
}

/* Every other proof of the same call is refused: changed, shortened, lengthened, for other
 * numbers. */
static void refuse_all_changes(uint64_t index, size_t n, const struct pp_merkle_path *path)
{
    struct pp_merkle_hash root = model(0, n);
    struct pp_merkle_path bad = *path;

    for (size_t i = 0; i < path->count; i++) {
        bad.hashes[i].bytes[i % 32] ^= 1;
        assert_code(pp_merkle_inclusion_verify(index, n, &leaves[index], &bad, &root), PP_E_PROOF);
        bad = *path;
    }
    if (path->count > 0) {
        bad.count--;
        assert_code(pp_merkle_inclusion_verify(index, n, &leaves[index], &bad, &root), PP_E_PROOF);
        bad = *path;
    }
    bad.hashes[bad.count++] = root;
    assert_code(pp_merkle_inclusion_verify(index, n, &leaves[index], &bad, &root), PP_E_PROOF);
}

/* W27_T4: an inclusion proof for the wrong index. */
static void w27_t4_a_path_proves_its_own_index_only(void **state)
{
    (void)state;
    for (size_t n = 1; n <= SIZES; n++) {
        struct pp_merkle_nodes nodes = { .read = read_node, .ctx = &n };
        struct pp_merkle_hash root = model(0, n);
        for (uint64_t m = 0; m < n; m++) {
            struct pp_merkle_path path;
            assert_ok(pp_merkle_inclusion(m, n, &nodes, &path));
            assert_ok(pp_merkle_inclusion_verify(m, n, &leaves[m], &path, &root));
            for (uint64_t other = 0; other < n; other++)
                if (other != m)
                    assert_code(pp_merkle_inclusion_verify(other, n, &leaves[m], &path, &root),
                                PP_E_PROOF);
            assert_code(pp_merkle_inclusion_verify(n, n, &leaves[m], &path, &root), PP_E_PROOF);
            if (n <= 20)
                refuse_all_changes(m, n, &path);
        }
        struct pp_merkle_path path;
        assert_code(pp_merkle_inclusion(n, n, &nodes, &path), PP_E_RANGE);
    }
}

/* W27_T2, W27_T5: a consistency proof that is missing, of another pair, or backwards. */
static void w27_t2_only_the_right_consistency_proof_is_accepted(void **state)
{
    (void)state;
    for (size_t n = 1; n <= SIZES; n++) {
        struct pp_merkle_nodes nodes = { .read = read_node, .ctx = &n };
        struct pp_merkle_hash root = model(0, n);
        for (size_t m = 1; m <= n; m++) {
            struct pp_merkle_hash old = model(0, m);
            struct pp_merkle_path path;
            struct pp_merkle_path bad;
            assert_ok(pp_merkle_consistency(m, n, &nodes, &path));
            assert_ok(pp_merkle_consistency_verify(m, n, &old, &root, &path));
            for (size_t i = 0; i < path.count; i++) {
                bad = path;
                bad.hashes[i].bytes[31 - i % 32] ^= 0x80;
                assert_code(pp_merkle_consistency_verify(m, n, &old, &root, &bad), PP_E_PROOF);
            }
            bad = path;
            bad.hashes[bad.count++] = root;
            assert_code(pp_merkle_consistency_verify(m, n, &old, &root, &bad), PP_E_PROOF);
            bad.count = path.count == 0 ? 1 : path.count - 1;
            assert_code(pp_merkle_consistency_verify(m, n, &old, &root, &bad), PP_E_PROOF);
            if (m < n) {
                assert_code(pp_merkle_consistency_verify(n, m, &root, &old, &path), PP_E_PROOF);
                assert_code(pp_merkle_consistency_verify(m, n, &root, &root, &path), PP_E_PROOF);
                assert_code(pp_merkle_consistency_verify(m, n, &old, &old, &path), PP_E_PROOF);
            }
        }
    }
}

/*
 * Roots made to fit: a log may sign a size that is not that of its tree, and then only the number
 * of hashes tells. RFC 9162 2.1.3.2 and 2.1.4.2, the comparisons of sn with 0.
 */
static void a_proof_of_another_length_is_refused_though_its_hashes_fit(void **state)
{
    (void)state;
    const struct pp_merkle_hash *a = &leaves[0], *b = &leaves[1], *c = &leaves[2], *d = &leaves[3];
    const struct pp_merkle_hash *more = &leaves[4];
    struct pp_merkle_hash ab, cd, abc, abcd, old, root;
    struct pp_merkle_path path = { .count = 1, .hashes = { *b } };

    pp_merkle_node(a, b, &ab);
    pp_merkle_node(c, d, &cd);
    pp_merkle_node(&ab, c, &abc);
    pp_merkle_node(&ab, &cd, &abcd);
    /* An entry of a tree of one, below a root over two; of a tree of four, the same. */
    pp_merkle_node(b, a, &root);
    assert_code(pp_merkle_inclusion_verify(0, 1, a, &path, &root), PP_E_PROOF);
    assert_code(pp_merkle_inclusion_verify(0, 4, a, &path, &ab), PP_E_PROOF);
    /* From one entry to four, with the root of two. */
    assert_code(pp_merkle_consistency_verify(1, 4, a, &ab, &path), PP_E_PROOF);
    /* From three to four, and one hash more on top of both. */
    path = (struct pp_merkle_path){ .count = 3, .hashes = { *c, *d, ab, *more } };
    assert_ok(pp_merkle_consistency_verify(3, 4, &abc, &abcd, &path));
    path.count = 4;
    pp_merkle_node(more, &abc, &old);
    pp_merkle_node(more, &abcd, &root);
    assert_code(pp_merkle_consistency_verify(3, 4, &old, &root, &path), PP_E_PROOF);
}

static void size_zero_is_the_callers_case(void **state)
{
    (void)state;
    struct pp_merkle_nodes nodes = { .read = zero_node };
    struct pp_merkle_path path = { 0 };
    struct pp_merkle_hash empty;

    pp_merkle_empty(&empty);
    assert_code(pp_merkle_consistency_verify(0, 0, &empty, &empty, &path), PP_E_PROOF);
    assert_code(pp_merkle_consistency_verify(0, 1, &empty, &leaves[0], &path), PP_E_PROOF);
    assert_code(pp_merkle_consistency(0, 1, &nodes, &path), PP_E_RANGE);
    assert_code(pp_merkle_consistency(2, 1, &nodes, &path), PP_E_RANGE);
    assert_code(pp_merkle_inclusion_verify(0, 0, &empty, &path, &empty), PP_E_PROOF);
}

static pp_res broken_node(void *ctx, unsigned level, uint64_t index, struct pp_merkle_hash *ret)
{
    (void)ctx;
    (void)index;
    *ret = (struct pp_merkle_hash){ 0 };
    return level == 2 ? PP_FAIL(PP_E_STORE, 5) : PP_OK;
}

static void a_reader_that_fails_fails_the_proof(void **state)
{
    (void)state;
    struct pp_merkle_nodes nodes = { .read = broken_node };
    struct pp_merkle_path path;
    struct pp_merkle_range r;

    assert_code(pp_merkle_inclusion(0, 8, &nodes, &path), PP_E_STORE);
    assert_ok(pp_merkle_consistency(4, 7, &nodes, &path));
    assert_code(pp_merkle_consistency(3, 8, &nodes, &path), PP_E_STORE);
    assert_code(pp_merkle_range_load(5, &nodes, &r), PP_E_STORE);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(hashes_are_those_of_rfc_6962),
    cmocka_unit_test(w27_t7_an_entry_cannot_pass_for_a_node),
    cmocka_unit_test(appending_gives_the_root_of_every_size),
    cmocka_unit_test(every_finished_node_is_told_once),
    cmocka_unit_test(a_sink_that_fails_leaves_the_range_as_it_was),
    cmocka_unit_test(a_loaded_range_goes_on_as_if_it_had_never_stopped),
    cmocka_unit_test(a_tree_has_a_largest_size),
    cmocka_unit_test(the_longest_paths_fit_their_limit),
    cmocka_unit_test(w27_t4_a_path_proves_its_own_index_only),
    cmocka_unit_test(w27_t2_only_the_right_consistency_proof_is_accepted),
    cmocka_unit_test(a_proof_of_another_length_is_refused_though_its_hashes_fit),
    cmocka_unit_test(size_zero_is_the_callers_case),
    cmocka_unit_test(a_reader_that_fails_fails_the_proof),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make_leaves, NULL);
}
