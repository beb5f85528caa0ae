/* SPDX-License-Identifier: Apache-2.0 */
/* JSON files of the tlog topic: what a file is, its members say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proof.h"
#include "quorum.h"
#include "tlog.h"

enum { SKEW_S = 300 }; /* that a cosignature may be ahead of `now` */

static const char *text_of(const json_t *row, const char *member)
{
    return json_string_value(json_object_get(row, member));
}

static const char *name_of(const json_t *row, size_t i, char buf[256])
{
    const char *desc = text_of(row, "desc");
    const char *file = text_of(row, "file");

    snprintf(buf, 256, "%zu%s%s%s%s", i, desc == NULL ? "" : " ", desc == NULL ? "" : desc,
             file == NULL ? "" : ", ", file == NULL ? "" : file);
    return buf;
}

static int wants_acceptance(const json_t *row)
{
    const char *want = text_of(row, "want");

    if (want != NULL)
        return strcmp(want, "accept") == 0;
    if (json_object_get(row, "valid") != NULL)
        return json_is_true(json_object_get(row, "valid"));
    return !json_is_true(json_object_get(row, "wantErr"));
}

/* --- Merkle -------------------------------------------------------------------------------- */

static pp_res hash_of(const char *text, struct pp_merkle_hash *ret)
{
    struct pp_span s = pp_span_cstr(text);
    size_t len = 0;

    PP_CHECK(text != NULL, PP_E_MISSING, 0);
    if (s.len == 2 * sizeof ret->bytes)
        return pp_hex_parse(s, ret->bytes, sizeof ret->bytes);
    PP_TRY(pp_base64_parse(s, ret->bytes, sizeof ret->bytes, &len));
    PP_CHECK(len == sizeof ret->bytes, PP_E_RANGE, len);
    return PP_OK;
}

static pp_res path_of(const json_t *proof, struct pp_merkle_path *ret)
{
    json_t *item;
    size_t i;

    ret->count = 0;
    PP_CHECK(json_array_size(proof) <= PP_MERKLE_PATH_MAX, PP_E_LIMIT, json_array_size(proof));
    json_array_foreach(proof, i, item)
    {
        PP_TRY(hash_of(json_string_value(item), &ret->hashes[i]));
        ret->count++;
    }
    return PP_OK;
}

static pp_res number_of(const json_t *row, const char *member, uint64_t *ret)
{
    const json_t *n = json_object_get(row, member);

    if (json_is_real(n)) { /* see load(): 2^63 and more is beyond any tree */
        PP_CHECK(json_real_value(n) >= 0 && json_real_value(n) < 9223372036854775808.0, PP_E_RANGE,
                 0);
        *ret = (uint64_t)json_real_value(n);
        return PP_OK;
    }
    PP_CHECK(json_is_integer(n) && json_integer_value(n) >= 0, PP_E_RANGE, 0);
    *ret = (uint64_t)json_integer_value(n);
    return PP_OK;
}

static pp_res inclusion_row(const json_t *row)
{
    struct pp_merkle_hash leaf;
    struct pp_merkle_hash root;
    struct pp_merkle_path path;
    uint64_t index;
    uint64_t size;

    PP_TRY(number_of(row, "leafIdx", &index));
    PP_TRY(number_of(row, "treeSize", &size));
    PP_TRY(hash_of(text_of(row, "leafHash"), &leaf));
    PP_TRY(hash_of(text_of(row, "root"), &root));
    PP_TRY(path_of(json_object_get(row, "proof"), &path));
    return pp_merkle_inclusion_verify(index, size, &leaf, &path, &root);
}

/* Roots of trees of one size are only compared, and some rows have words in their place: made 32
 * bytes long, with zeros behind. */
static pp_res root_of(const char *text, struct pp_merkle_hash *ret)
{
    struct pp_buf b = { 0 };
    pp_res r = hash_of(text, ret);

    if (pp_is_ok(r) || (b = vectors_base64_text(text)).bytes == NULL || b.len > sizeof ret->bytes) {
        pp_buf_done(&b);
        return r;
    }
    *ret = (struct pp_merkle_hash){ 0 };
    memcpy(ret->bytes, b.bytes, b.len);
    pp_buf_done(&b);
    return PP_OK;
}

/* The verifier leaves old size 0 to its caller; these files count it as an error with a proof, and
 * as fine without one when both trees are empty. */
static pp_res consistency_row(const json_t *row)
{
    struct pp_merkle_hash old_root;
    struct pp_merkle_hash root;
    struct pp_merkle_path path;
    uint64_t old_size;
    uint64_t size;

    PP_TRY(number_of(row, "size1", &old_size));
    PP_TRY(number_of(row, "size2", &size));
    if (old_size == size && size > 0) {
        PP_TRY(root_of(text_of(row, "root1"), &old_root));
        PP_TRY(root_of(text_of(row, "root2"), &root));
    } else {
        PP_TRY(hash_of(text_of(row, "root1"), &old_root));
        PP_TRY(hash_of(text_of(row, "root2"), &root));
    }
    PP_TRY(path_of(json_object_get(row, "proof"), &path));
    if (old_size == 0 && size == 0 && path.count == 0 && pp_merkle_same(&old_root, &root))
        return PP_OK;
    return pp_merkle_consistency_verify(old_size, size, &old_root, &root, &path);
}

/* A tree in memory, from its leaf hashes. */
struct leaves {
    struct pp_merkle_hash *hashes;
    size_t count;
};

static pp_res leaves_node(void *ctx, unsigned level, uint64_t index, struct pp_merkle_hash *ret)
{
    const struct leaves *t = ctx;
    struct pp_merkle_range r = { 0 };
    size_t from = (size_t)index << level;

    PP_CHECK(from + ((size_t)1 << level) <= t->count, PP_E_RANGE, level);
    for (size_t i = 0; i < (size_t)1 << level; i++)
        PP_TRY(pp_merkle_append(&r, &t->hashes[from + i], NULL));
    pp_merkle_range_root(&r, ret);
    return PP_OK;
}

static int same_path(const struct pp_merkle_path *a, const struct pp_merkle_path *b)
{
    return a->count == b->count &&
           memcmp(a->hashes, b->hashes, a->count * sizeof a->hashes[0]) == 0;
}

static pp_res small_proof(const json_t *row, const struct leaves *t, const json_t *roots)
{
    struct pp_merkle_nodes nodes = { .read = leaves_node, .ctx = (void *)(uintptr_t)t };
    struct pp_merkle_path want;
    struct pp_merkle_path got;
    struct pp_merkle_hash root;
    struct pp_merkle_hash old_root;
    uint64_t a;
    uint64_t n;
    int inclusion = json_object_get(row, "index") != NULL;

    PP_TRY(number_of(row, inclusion ? "index" : "old", &a));
    PP_TRY(number_of(row, inclusion ? "size" : "new", &n));
    PP_TRY(path_of(json_object_get(row, "path"), &want));
    PP_TRY(hash_of(json_string_value(json_array_get(roots, (size_t)n)), &root));
    if (inclusion) {
        PP_TRY(pp_merkle_inclusion(a, n, &nodes, &got));
        PP_CHECK(same_path(&want, &got), PP_E_MISMATCH, 0);
        return pp_merkle_inclusion_verify(a, n, &t->hashes[a], &want, &root);
    }
    PP_TRY(hash_of(json_string_value(json_array_get(roots, (size_t)a)), &old_root));
    PP_TRY(pp_merkle_consistency(a, n, &nodes, &got));
    PP_CHECK(same_path(&want, &got), PP_E_MISMATCH, 0);
    return pp_merkle_consistency_verify(a, n, &old_root, &root, &want);
}

static void small_proofs(struct vectors *v, const char *file, const char *what, const json_t *rows,
                         const struct leaves *t, const json_t *roots)
{
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        char name[64];
        snprintf(name, sizeof name, "%s %zu", what, i);
        tlog_verdict(v, file, name, 1, small_proof(row, t, roots));
    }
}

/* Entries in hex with every root and every proof: generated as well as verified. */
static void run_small_tree(struct vectors *v, const char *file, const json_t *root)
{
    const json_t *entries = json_object_get(root, "entries");
    const json_t *roots = json_object_get(root, "roots");
    struct pp_merkle_hash hashes[256];
    struct leaves t = { hashes, json_array_size(entries) };
    struct pp_merkle_range range = { 0 };

    if (t.count > PP_ARRAY_COUNT(hashes)) {
        vectors_fail(v, file, "-", "more than 256 entries");
        return;
    }
    for (size_t i = 0; i <= t.count; i++) {
        struct pp_merkle_hash want;
        struct pp_merkle_hash got;
        char name[64];
        snprintf(name, sizeof name, "root of %zu", i);
        pp_merkle_range_root(&range, &got);
        pp_res r = hash_of(json_string_value(json_array_get(roots, i)), &want);
        if (pp_is_ok(r) && !pp_merkle_same(&want, &got))
            r = PP_FAIL(PP_E_MISMATCH, i);
        if (i < t.count) {
            struct pp_buf entry = vectors_hex_text(json_string_value(json_array_get(entries, i)));
            pp_merkle_leaf(pp_buf_span(&entry), &hashes[i]);
            pp_buf_done(&entry);
            if (pp_is_ok(r))
                r = pp_merkle_append(&range, &hashes[i], NULL);
        }
        tlog_verdict(v, file, name, 1, r);
    }
    small_proofs(v, file, "inclusion", json_object_get(root, "inclusion"), &t, roots);
    small_proofs(v, file, "consistency", json_object_get(root, "consistency"), &t, roots);
}

/* Roots of a counting log: entry i = 8-byte big-endian i, every byte XORed. */
static void run_roots(struct vectors *v, const char *file, const json_t *root)
{
    uint8_t mask = (uint8_t)json_integer_value(json_object_get(root, "xor"));
    json_t *roots = json_object_get(root, "roots");
    struct pp_merkle_range range = { 0 };
    uint64_t largest = 0;
    const char *size;
    json_t *want;

    json_object_foreach(roots, size, want)
    {
        uint64_t n = strtoull(size, NULL, 10);
        largest = n > largest ? n : largest;
    }
    for (uint64_t i = 0; i <= largest; i++) {
        char name[32];
        uint8_t entry[8];
        struct pp_merkle_hash expected;
        struct pp_merkle_hash got;
        struct pp_wr wr = pp_wr_over(entry, sizeof entry);

        snprintf(name, sizeof name, "%llu", (unsigned long long)i);
        want = json_object_get(roots, name);
        pp_merkle_range_root(&range, &got);
        if (want != NULL) {
            pp_res r = hash_of(json_string_value(want), &expected);
            if (pp_is_ok(r) && !pp_merkle_same(&expected, &got))
                r = PP_FAIL(PP_E_MISMATCH, 0);
            tlog_verdict(v, file, name, 1, r);
        }
        pp_wr_u64(&wr, i);
        for (size_t k = 0; k < sizeof entry; k++)
            entry[k] ^= mask;
        pp_merkle_leaf(PP_BYTES(entry), &got);
        pp_ignore(pp_merkle_append(&range, &got, NULL), "the size is far below the limit");
    }
}

/* --- tiles --------------------------------------------------------------------------------- */

static void run_index_path(struct vectors *v, const char *file, const char *index, const char *want)
{
    char path[PP_TILE_PATH_MAX + 1] = "";
    struct pp_wr wr = pp_wr_over(path, PP_TILE_PATH_MAX);
    struct pp_tile t = { .width = PP_TILE_WIDTH };
    struct pp_tile again;

    t.index = strtoull(index, NULL, 10);
    pp_tile_path_write(&wr, &t);
    if (want == NULL || strcmp(path + strlen("tile/0/"), want) != 0)
        vectors_fail(v, file, index, "path %s", path);
    else if (!pp_is_ok(pp_tile_path_parse(pp_wr_done(&wr), &again)) || again.index != t.index)
        vectors_fail(v, file, index, "the path is not read back");
    else
        vectors_pass(v, file, index);
}

static void run_tile_set(struct vectors *v, const char *file, const char *size, const json_t *want)
{
    struct pp_tile_iter it = { .size = strtoull(size, NULL, 10) };
    size_t found = 0;
    size_t count = 0;
    struct pp_tile t;

    while (pp_tile_next(&it, &t)) {
        char path[PP_TILE_PATH_MAX + 1] = "";
        struct pp_wr wr = pp_wr_over(path, PP_TILE_PATH_MAX);
        json_t *item;
        size_t i;
        pp_tile_path_write(&wr, &t);
        count++;
        json_array_foreach(want, i, item)
        {
            found += strcmp(json_string_value(item), path) == 0;
        }
    }
    if (count == json_array_size(want) && found == count)
        vectors_pass(v, file, size);
    else
        vectors_fail(v, file, size, "%zu tiles, %zu of them expected", count, found);
}

static void run_tiles(struct vectors *v, const char *file, const json_t *root)
{
    const char *key;
    json_t *value;

    json_object_foreach(json_object_get(root, "index_path"), key, value)
    {
        run_index_path(v, file, key, json_string_value(value));
    }
    json_object_foreach(json_object_get(root, "tiles_of_size"), key, value)
    {
        run_tile_set(v, file, key, value);
    }
}

/* --- notes, checkpoints, policies, proofs --------------------------------------------------- */

static pp_res note_row(const json_t *row, struct pp_span bytes)
{
    struct pp_note_key keys[PP_NOTE_KEYS_MAX];
    struct pp_note_signers signers;
    struct pp_note note;
    size_t count = tlog_vkeys(json_object_get(row, "vkeys"), keys, PP_NOTE_KEYS_MAX);

    PP_TRY(pp_note_parse(bytes, &note));
    return pp_note_open(&note, keys, count, &signers);
}

static pp_res checkpoint_row(const json_t *row, struct pp_span bytes)
{
    struct pp_note_key log;
    struct pp_note_key witnesses[PP_NOTE_KEYS_MAX];
    struct pp_note_signers signers;
    struct pp_checkpoint c;
    struct pp_note note;
    size_t count = tlog_vkeys(json_object_get(row, "witnesses"), witnesses, PP_NOTE_KEYS_MAX);

    const char *origin = text_of(row, "origin"); /* of logs whose key has another name */
    PP_TRY(pp_vkey_parse(pp_span_cstr(text_of(row, "vkey")), &log));
    PP_TRY(pp_checkpoint_open(bytes, origin == NULL ? log.name : pp_span_cstr(origin), &log, 1,
                              &note, &c));
    return pp_note_check(&note, witnesses, count, &signers);
}

static pp_res proof_row(const json_t *row, struct pp_span bytes)
{
    static struct pp_policy policy;
    struct pp_policy_checkpoint c;
    struct pp_merkle_hash leaf;
    struct pp_proof proof;
    uint64_t now = 0;
    uint64_t age = 0; /* no rule */
    struct pp_buf text = vectors_base64(row, "policy");
    struct pp_buf entry = vectors_hex(row, "entry");
    pp_res r = pp_policy_parse(pp_buf_span(&text), PP_POLICY_LOG, &policy);

    pp_merkle_leaf(pp_buf_span(&entry), &leaf);
    pp_buf_done(&entry);
    if (pp_is_ok(r))
        r = pp_proof_parse(bytes, &proof);
    if (pp_is_ok(r) && json_object_get(row, "maxage") != NULL)
        r = number_of(row, "maxage", &age);
    if (pp_is_ok(r) && age > 0)
        r = number_of(row, "now", &now);
    uint64_t from = age > 0 && now > age ? now - age : 0;
    if (pp_is_ok(r))
        r = pp_proof_verify(&proof, &leaf, &policy, from, age == 0 ? UINT64_MAX : now + SKEW_S, &c);
    pp_buf_done(&text);
    return r;
}

/* Rows whose `member` holds the bytes in Base64. */
static void run_bytes(struct vectors *v, const char *file, const json_t *rows, const char *member,
                      pp_res (*run)(const json_t *row, struct pp_span bytes))
{
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        char name[256];
        struct pp_buf bytes = vectors_base64(row, member);
        if (bytes.bytes == NULL)
            vectors_fail(v, file, name_of(row, i, name), "%s is not Base64", member);
        else
            tlog_verdict(v, file, name_of(row, i, name), wants_acceptance(row),
                         run(row, pp_buf_span(&bytes)));
        pp_buf_done(&bytes);
    }
}

static void run_plain(struct vectors *v, const char *file, const json_t *rows,
                      pp_res (*run)(const json_t *row))
{
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        char name[256];
        tlog_verdict(v, file, name_of(row, i, name), wants_acceptance(row), run(row));
    }
}

static uint64_t set_of(const struct pp_policy *p, const json_t *names)
{
    uint64_t set = 0;
    json_t *item;
    size_t i;

    json_array_foreach(names, i, item)
    {
        struct pp_span name = pp_span_cstr(json_string_value(item));
        for (size_t k = 0; k < p->witness_count; k++)
            if (pp_span_eq(p->witness_names[k], name))
                set |= UINT64_C(1) << k;
    }
    return set;
}

static void run_policy(struct vectors *v, const char *file, const char *name, const json_t *row)
{
    static struct pp_policy p;
    struct pp_buf text = vectors_base64(row, "policy");
    int valid = json_is_true(json_object_get(row, "valid"));
    pp_res r = pp_policy_parse(pp_buf_span(&text), PP_POLICY_LOG, &p);
    json_t *decision;
    size_t i;

    tlog_verdict(v, file, name, valid, r);
    json_array_foreach(json_object_get(row, "decisions"), i, decision)
    {
        char sub[300];
        if (!pp_is_ok(r))
            break;
        snprintf(sub, sizeof sub, "%s, decision %zu", name, i);
        tlog_verdict(v, file, sub, json_is_true(json_object_get(decision, "met")),
                     pp_policy_decide(&p, set_of(&p, json_object_get(decision, "cosigned"))));
    }
    pp_buf_done(&text);
}

static void run_policies(struct vectors *v, const char *file, const json_t *rows)
{
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        char name[256];
        run_policy(v, file, name_of(row, i, name), row);
    }
}

/* --- keys ---------------------------------------------------------------------------------- */

static void run_vkeys(struct vectors *v, const char *file, const json_t *value, int valid)
{
    const char *key;
    json_t *item;
    size_t i;

    if (json_is_string(value)) {
        tlog_vkey(v, file, json_string_value(value), pp_span_cstr(json_string_value(value)), valid);
        return;
    }
    if (json_object_get(value, "valid") != NULL) {
        const char *text = text_of(value, "vkey");
        tlog_vkey(v, file, text == NULL ? "vkey" : text, pp_span_cstr(text == NULL ? "" : text),
                  json_is_true(json_object_get(value, "valid")));
        return;
    }
    if (json_is_object(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, key, item)
        {
            run_vkeys(v, file, item, valid);
        }
    }
    json_array_foreach(value, i, item)
    {
        run_vkeys(v, file, item, valid);
    }
}

/* A text with signature lines of several keys: each alone, and all together. */
static void run_signed_text(struct vectors *v, const char *file, const json_t *root)
{
    static uint8_t buffer[PP_NOTE_BYTES_MAX];
    const json_t *lines = json_object_get(root, "signature_lines");
    size_t count = json_array_size(lines);

    for (size_t only = 0; only <= count; only++) {
        struct pp_wr wr = pp_wr_over(buffer, sizeof buffer);
        char name[32];
        pp_wr_text(&wr, text_of(root, "text"));
        pp_wr_u8(&wr, '\n');
        for (size_t i = 0; i < count; i++)
            if (only == count || only == i)
                pp_wr_text(&wr, json_string_value(json_array_get(lines, i)));
        snprintf(name, sizeof name, only == count ? "all lines" : "line %zu", only);
        tlog_verdict(v, file, name, 1, note_row(root, pp_wr_done(&wr)));
    }
}

/* --- telling files apart ------------------------------------------------------------------- */

static int has(const json_t *object, const char *a, const char *b)
{
    return json_object_get(object, a) != NULL && json_object_get(object, b) != NULL;
}

static int only_vkey_strings(const json_t *root)
{
    struct pp_note_key keys[PP_NOTE_KEYS_MAX];

    return json_is_object(root) && tlog_vkeys(root, keys, PP_NOTE_KEYS_MAX) > 0;
}

/* 1 if the rows were of a known kind. */
static int run_rows(struct vectors *v, const char *file, const json_t *root)
{
    const json_t *first = json_array_get(root, 0);

    if (has(first, "start", "end"))
        vectors_skip(v, file, "all rows",
                     "proofs of subtrees that no checkpoint names: Merkle tree certificates have "
                     "them, logs of this project do not");
    else if (has(first, "leafIdx", "treeSize"))
        run_plain(v, file, root, inclusion_row);
    else if (has(first, "size1", "size2"))
        run_plain(v, file, root, consistency_row);
    else if (has(first, "note", "vkeys"))
        run_bytes(v, file, root, "note", note_row);
    else if (has(first, "checkpoint", "vkey"))
        run_bytes(v, file, root, "checkpoint", checkpoint_row);
    else if (has(first, "proof", "policy"))
        run_bytes(v, file, root, "proof", proof_row);
    else if (has(first, "policy", "valid"))
        run_policies(v, file, root);
    else if (has(first, "vkey", "valid"))
        run_vkeys(v, file, root, 1);
    else if (has(first, "exchanges", "log_keys"))
        tlog_litewitness(v, file, root);
    else if (has(first, "signing_key", "ciphersuite"))
        vectors_skip(v, file, "all rows",
                     "epoch signatures of a key directory: another protocol, kept for reference");
    else
        return 0;
    return 1;
}

/* A row that stands alone in its file. */
static int run_single(struct vectors *v, const char *file, json_t *row)
{
    json_t *rows = json_pack("[O]", row);
    int known = run_rows(v, file, rows);

    json_decref(rows);
    return known;
}

/* Some files hold numbers up to 2^64 - 1, which the JSON library only takes as reals; the other
 * numbers of such a file are small enough to be exact. */
static json_t *load(struct vectors *v, const char *file)
{
    json_t *root = json_load_file(file, JSON_REJECT_DUPLICATES, NULL);

    if (root == NULL)
        root = json_load_file(file, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
    return root != NULL ? root : vectors_load(v, file);
}

void tlog_json(struct vectors *v, const char *file)
{
    json_t *root = load(v, file);

    if (root == NULL)
        return;
    if (json_is_array(root)) {
        if (!run_rows(v, file, root))
            vectors_skip(v, file, "-", "rows of no kind that this topic has");
    } else if (has(root, "entries", "leaf_hashes"))
        run_small_tree(v, file, root);
    else if (has(root, "roots", "xor"))
        run_roots(v, file, root);
    else if (json_object_get(root, "index_path") != NULL ||
             json_object_get(root, "tiles_of_size") != NULL)
        run_tiles(v, file, root);
    else if (has(root, "text", "signature_lines"))
        run_signed_text(v, file, root);
    else if (has(root, "exchanges", "log_vkey"))
        tlog_witness(v, file, root);
    else if (has(root, "policies", "rows"))
        tlog_records(v, file, root);
    else if (!run_single(v, file, root)) {
        if (only_vkey_strings(root))
            run_vkeys(v, file, root, 1);
        else
            vectors_skip(v, file, "-", "an object of no kind that this topic has");
    }
    json_decref(root);
}
