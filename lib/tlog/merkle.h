/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merkle.h: the Merkle tree of RFC 6962 section 2.1 (= RFC 9162 section 2.1): hashes, appending,
 * inclusion and consistency proofs.
 *
 * SHA-256 throughout; leaf = H(00 || entry), node = H(01 || left || right). Node(l, i) is the hash
 * of the complete subtree over the entries [i * 2^l, (i + 1) * 2^l); level 0 is the leaves.
 * Everything here is public data. Allocates nothing; any thread.
 */
#ifndef PP_MERKLE_H
#define PP_MERKLE_H

#include "hash.h"
#include "result.h"
#include "span.h"

#define PP_MERKLE_SIZE_MAX ((uint64_t)INT64_MAX) /* entries in a tree */

enum {
    PP_MERKLE_LEVELS = 63,   /* complete subtrees of a tree stand on the levels 0..62 */
    PP_MERKLE_PATH_MAX = 63, /* hashes in a proof */
};

struct pp_merkle_hash {
    uint8_t bytes[PP_SHA256_BYTES];
};

void pp_merkle_empty(struct pp_merkle_hash *ret); /* root of the tree without entries */
void pp_merkle_leaf(struct pp_span entry, struct pp_merkle_hash *ret);
void pp_merkle_node(const struct pp_merkle_hash *left, const struct pp_merkle_hash *right,
                    struct pp_merkle_hash *ret);

/* 1 if equal, 0 if not; public values. */
int pp_merkle_same(const struct pp_merkle_hash *a, const struct pp_merkle_hash *b);

/* --- appending ----------------------------------------------------------------------------- */

/* A tree as the roots of its complete subtrees, largest first: one per set bit of `size`. */
struct pp_merkle_range {
    uint64_t size;
    struct pp_merkle_hash roots[PP_MERKLE_LEVELS];
};

/* Where finished nodes go; NULL functions are skipped. */
struct pp_merkle_sink {
    pp_res (*node)(void *ctx, unsigned level, uint64_t index, const struct pp_merkle_hash *hash);
    void *ctx;
};

/*
 * Adds one leaf hash. `sink` (NULL: nobody listens) is told of Node(0, size) and of every node that
 * this leaf completes. LIMIT at PP_MERKLE_SIZE_MAX, or the sink's failure: the range is unchanged
 * then, but the sink may have seen a part of the nodes.
 */
PP_MUST pp_res pp_merkle_append(struct pp_merkle_range *r, const struct pp_merkle_hash *leaf,
                                const struct pp_merkle_sink *sink);

void pp_merkle_range_root(const struct pp_merkle_range *r, struct pp_merkle_hash *ret);

/* --- reading a stored tree ----------------------------------------------------------------- */

/* Gives Node(level, index); called for complete subtrees of the tree only. */
struct pp_merkle_nodes {
    pp_res (*read)(void *ctx, unsigned level, uint64_t index, struct pp_merkle_hash *ret);
    void *ctx;
};

/* The roots of a stored tree of `size` entries, to go on appending. LIMIT, or the reader's
 * failure. */
PP_MUST pp_res pp_merkle_range_load(uint64_t size, const struct pp_merkle_nodes *nodes,
                                    struct pp_merkle_range *ret);

/* --- proofs -------------------------------------------------------------------------------- */

struct pp_merkle_path {
    size_t count; /* 0..PP_MERKLE_PATH_MAX */
    struct pp_merkle_hash hashes[PP_MERKLE_PATH_MAX];
};

/* The path of entry `index` in the tree of `size` entries (RFC 9162 2.1.3.1). RANGE unless
 * index < size <= PP_MERKLE_SIZE_MAX; the reader's failure. */
PP_MUST pp_res pp_merkle_inclusion(uint64_t index, uint64_t size,
                                   const struct pp_merkle_nodes *nodes, struct pp_merkle_path *ret);

/* The proof that the tree of `size` entries starts with that of `old_size` (RFC 9162 2.1.4.1).
 * RANGE unless 0 < old_size <= size <= PP_MERKLE_SIZE_MAX; equal sizes give an empty proof. LIMIT
 * for the few pairs above 2^62 whose proof has 64 hashes, which no format here can carry. */
PP_MUST pp_res pp_merkle_consistency(uint64_t old_size, uint64_t size,
                                     const struct pp_merkle_nodes *nodes,
                                     struct pp_merkle_path *ret);

/* PROOF unless `leaf` is entry `index` of the tree (RFC 9162 2.1.3.2). */
PP_MUST pp_res pp_merkle_inclusion_verify(uint64_t index, uint64_t size,
                                          const struct pp_merkle_hash *leaf,
                                          const struct pp_merkle_path *path,
                                          const struct pp_merkle_hash *root);

/* PROOF unless the tree (size, root) extends (old_size, old_root) (RFC 9162 2.1.4.2). old_size 0 is
 * PROOF too: everything extends the empty tree, so the caller decides that case. */
PP_MUST pp_res pp_merkle_consistency_verify(uint64_t old_size, uint64_t size,
                                            const struct pp_merkle_hash *old_root,
                                            const struct pp_merkle_hash *root,
                                            const struct pp_merkle_path *path);

#endif
