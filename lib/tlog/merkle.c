/* SPDX-License-Identifier: Apache-2.0 */
#include "merkle.h"

static struct pp_span bytes_of(const struct pp_merkle_hash *h)
{
    return pp_span(h->bytes, sizeof h->bytes);
}

void pp_merkle_empty(struct pp_merkle_hash *ret)
{
    pp_sha256(pp_span(NULL, 0), ret->bytes);
}

void pp_merkle_leaf(struct pp_span entry, struct pp_merkle_hash *ret)
{
    pp_sha256_pair(0x00, entry, pp_span(NULL, 0), ret->bytes);
}

void pp_merkle_node(const struct pp_merkle_hash *left, const struct pp_merkle_hash *right,
                    struct pp_merkle_hash *ret)
{
    pp_sha256_pair(0x01, bytes_of(left), bytes_of(right), ret->bytes);
}

int pp_merkle_same(const struct pp_merkle_hash *a, const struct pp_merkle_hash *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static size_t set_bits(uint64_t v)
{
    return (size_t)__builtin_popcountll(v);
}

static pp_res tell(const struct pp_merkle_sink *sink, unsigned level, uint64_t index,
                   const struct pp_merkle_hash *hash)
{
    if (sink == NULL || sink->node == NULL)
        return PP_OK;
    return sink->node(sink->ctx, level, index, hash);
}

pp_res pp_merkle_append(struct pp_merkle_range *r, const struct pp_merkle_hash *leaf,
                        const struct pp_merkle_sink *sink)
{
    struct pp_merkle_hash h = *leaf;
    size_t top = set_bits(r->size);
    unsigned level = 0;

    PP_CHECK(r->size < PP_MERKLE_SIZE_MAX, PP_E_LIMIT, 0);
    PP_TRY(tell(sink, 0, r->size, &h));
    /* Every trailing one of the size is a subtree as large as the one in hand: join them. */
    for (; (r->size >> level & 1) != 0; level++) {
        pp_merkle_node(&r->roots[--top], &h, &h);
        PP_TRY(tell(sink, level + 1, r->size >> (level + 1), &h));
    }
    r->roots[top] = h;
    r->size++;
    return PP_OK;
}

/* Hash of neighbouring complete subtrees, largest first; an edge is never padded. */
static void fold(const struct pp_merkle_hash *roots, size_t count, struct pp_merkle_hash *ret)
{
    struct pp_merkle_hash h = roots[count - 1];

    for (size_t i = count - 1; i > 0; i--)
        pp_merkle_node(&roots[i - 1], &h, &h);
    *ret = h;
}

void pp_merkle_range_root(const struct pp_merkle_range *r, struct pp_merkle_hash *ret)
{
    if (r->size == 0)
        pp_merkle_empty(ret);
    else
        fold(r->roots, set_bits(r->size), ret);
}

/*
 * The complete subtrees of [lo, hi), largest first. In every range that proofs ask for, lo is a
 * multiple of the range's length rounded up to a power of two, so each piece is a stored node.
 */
static pp_res read_pieces(uint64_t lo, uint64_t hi, const struct pp_merkle_nodes *nodes,
                          struct pp_merkle_hash *ret, size_t *ret_count)
{
    size_t count = 0;

    while (lo < hi) {
        unsigned level = 63U - (unsigned)__builtin_clzll(hi - lo);
        PP_TRY(nodes->read(nodes->ctx, level, lo >> level, &ret[count]));
        count++;
        lo += UINT64_C(1) << level;
    }
    *ret_count = count;
    return PP_OK;
}

pp_res pp_merkle_range_load(uint64_t size, const struct pp_merkle_nodes *nodes,
                            struct pp_merkle_range *ret)
{
    struct pp_merkle_range r = { .size = size };
    size_t count;

    PP_CHECK(size <= PP_MERKLE_SIZE_MAX, PP_E_LIMIT, 0);
    PP_TRY(read_pieces(0, size, nodes, r.roots, &count));
    *ret = r;
    return PP_OK;
}

static pp_res push(struct pp_merkle_path *path, uint64_t lo, uint64_t hi,
                   const struct pp_merkle_nodes *nodes)
{
    struct pp_merkle_hash pieces[PP_MERKLE_LEVELS];
    size_t count;

    PP_CHECK(path->count < PP_MERKLE_PATH_MAX, PP_E_LIMIT, path->count);
    PP_TRY(read_pieces(lo, hi, nodes, pieces, &count));
    fold(pieces, count, &path->hashes[path->count++]);
    return PP_OK;
}

static void reverse(struct pp_merkle_path *path)
{
    for (size_t i = 0; i < path->count / 2; i++) {
        struct pp_merkle_hash h = path->hashes[i];
        path->hashes[i] = path->hashes[path->count - 1 - i];
        path->hashes[path->count - 1 - i] = h;
    }
}

/* The largest power of two below n (2 or more): where a tree of n entries splits. */
static uint64_t split(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

pp_res pp_merkle_inclusion(uint64_t index, uint64_t size, const struct pp_merkle_nodes *nodes,
                           struct pp_merkle_path *ret)
{
    struct pp_merkle_path path = { 0 };
    uint64_t lo = 0;
    uint64_t hi = size;

    PP_CHECK(index < size && size <= PP_MERKLE_SIZE_MAX, PP_E_RANGE, 0);
    while (hi - lo > 1) {
        uint64_t middle = lo + split(hi - lo);
        if (index < middle) {
            PP_TRY(push(&path, middle, hi, nodes));
            hi = middle;
        } else {
            PP_TRY(push(&path, lo, middle, nodes));
            lo = middle;
        }
    }
    reverse(&path);
    *ret = path;
    return PP_OK;
}

pp_res pp_merkle_consistency(uint64_t old_size, uint64_t size, const struct pp_merkle_nodes *nodes,
                             struct pp_merkle_path *ret)
{
    struct pp_merkle_path path = { 0 };
    uint64_t lo = 0;
    uint64_t hi = size;
    int whole = 1;

    PP_CHECK(old_size > 0 && old_size <= size && size <= PP_MERKLE_SIZE_MAX, PP_E_RANGE, 0);
    while (old_size != hi) {
        uint64_t middle = lo + split(hi - lo);
        if (old_size <= middle) {
            PP_TRY(push(&path, middle, hi, nodes));
            hi = middle;
        } else {
            PP_TRY(push(&path, lo, middle, nodes));
            lo = middle;
            whole = 0;
        }
    }
    /* The verifier knows the old root; it needs this piece unless the piece is that root. */
    if (!whole)
        PP_TRY(push(&path, lo, hi, nodes));
    reverse(&path);
    *ret = path;
    return PP_OK;
}

/* One step up: past the levels where the node in hand is a right edge without a sibling. */
static void climb(uint64_t *fn, uint64_t *sn)
{
    while (*fn != 0 && (*fn & 1) == 0) {
        *fn >>= 1;
        *sn >>= 1;
    }
}

pp_res pp_merkle_inclusion_verify(uint64_t index, uint64_t size, const struct pp_merkle_hash *leaf,
                                  const struct pp_merkle_path *path,
                                  const struct pp_merkle_hash *root)
{
    struct pp_merkle_hash r = *leaf;

    PP_CHECK(index < size && size <= PP_MERKLE_SIZE_MAX, PP_E_PROOF, 0);
    uint64_t fn = index;
    uint64_t sn = size - 1;
    for (size_t i = 0; i < path->count; i++) {
        PP_CHECK(sn != 0, PP_E_PROOF, i); /* more hashes than the tree has levels */
        if ((fn & 1) != 0 || fn == sn) {
            pp_merkle_node(&path->hashes[i], &r, &r);
            climb(&fn, &sn);
        } else {
            pp_merkle_node(&r, &path->hashes[i], &r);
        }
        fn >>= 1;
        sn >>= 1;
    }
    PP_CHECK(sn == 0, PP_E_PROOF, path->count); /* fewer */
    PP_CHECK(pp_merkle_same(&r, root), PP_E_PROOF, path->count);
    return PP_OK;
}

pp_res pp_merkle_consistency_verify(uint64_t old_size, uint64_t size,
                                    const struct pp_merkle_hash *old_root,
                                    const struct pp_merkle_hash *root,
                                    const struct pp_merkle_path *path)
{
    PP_CHECK(old_size > 0 && old_size <= size && size <= PP_MERKLE_SIZE_MAX, PP_E_PROOF, 0);
    if (old_size == size) {
        PP_CHECK(path->count == 0, PP_E_PROOF, 0);
        PP_CHECK(pp_merkle_same(old_root, root), PP_E_PROOF, 0);
        return PP_OK;
    }
    PP_CHECK(path->count > 0, PP_E_PROOF, 0);

    /* An old tree that is one complete subtree is its own first hash. */
    size_t next = (old_size & (old_size - 1)) == 0 ? 0 : 1;
    struct pp_merkle_hash fr = next == 0 ? *old_root : path->hashes[0];
    struct pp_merkle_hash sr = fr;
    uint64_t fn = old_size - 1;
    uint64_t sn = size - 1;
    for (; (fn & 1) != 0; fn >>= 1)
        sn >>= 1;
    for (; next < path->count; next++) {
        const struct pp_merkle_hash *c = &path->hashes[next];
        PP_CHECK(sn != 0, PP_E_PROOF, next);
        if ((fn & 1) != 0 || fn == sn) {
            pp_merkle_node(c, &fr, &fr);
            pp_merkle_node(c, &sr, &sr);
            climb(&fn, &sn);
        } else {
            pp_merkle_node(&sr, c, &sr);
        }
        fn >>= 1;
        sn >>= 1;
    }
    PP_CHECK(sn == 0, PP_E_PROOF, path->count);
    PP_CHECK(pp_merkle_same(&fr, old_root), PP_E_PROOF, path->count);
    PP_CHECK(pp_merkle_same(&sr, root), PP_E_PROOF, path->count);
    return PP_OK;
}
