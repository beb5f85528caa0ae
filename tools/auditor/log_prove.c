/* SPDX-License-Identifier: Apache-2.0 */
#include "log_prove.h"

#include <stdio.h>
#include <stdlib.h>

/* --- one entry ------------------------------------------------------------------------------ */

static pp_res copy_of(struct pp_span bytes, struct pp_buf *ret)
{
    uint8_t *copy = malloc(bytes.len + 1);

    PP_CHECK(copy != NULL, PP_E_NO_MEMORY, bytes.len);
    if (bytes.len > 0)
        memcpy(copy, bytes.at, bytes.len);
    copy[bytes.len] = 0;
    *ret = (struct pp_buf){ copy, bytes.len };
    return PP_OK;
}

pp_res pp_log_entry(const struct pp_log_shown *log, uint64_t index, struct pp_buf *ret,
                    struct pp_problem *problem)
{
    struct pp_span entries[PP_TILE_WIDTH];
    struct pp_buf bundle = { 0 };
    struct pp_tile t;

    PP_CHECK(index < log->tree.size, PP_E_RANGE, index);
    PP_ASSERT(pp_tile_of(log->tree.size, 0, index / PP_TILE_WIDTH, &t));
    t.entries = 1;
    PP_TRY(pp_log_source_tile(log->source, log->tree.size, &t, &bundle, problem));
    pp_res r = pp_entries_parse(pp_buf_span(&bundle), t.width, entries);
    if (pp_is_ok(r))
        r = copy_of(entries[index % PP_TILE_WIDTH], ret);
    pp_buf_done(&bundle);
    return r;
}

static pp_res find_path(const struct pp_log_shown *log, uint64_t index, struct pp_merkle_path *ret,
                        struct pp_problem *problem)
{
    struct pp_log_source_tree from = { log->source, log->tree.size, problem };
    struct pp_tile_tree *tree = calloc(1, sizeof *tree);

    PP_CHECK(tree != NULL, PP_E_NO_MEMORY, sizeof *tree);
    tree->source = pp_log_source_tiles(&from);
    tree->size = log->tree.size;
    const struct pp_merkle_nodes nodes = pp_tile_nodes(tree);
    pp_res r = pp_merkle_inclusion(index, tree->size, &nodes, ret);
    free(tree);
    return r;
}

pp_res pp_log_prove(const struct pp_log_shown *log, uint64_t index, struct pp_span entry,
                    struct pp_buf *ret, struct pp_problem *problem)
{
    struct pp_proof p = { .index = index, .checkpoint = log->note };
    uint8_t *bytes = malloc(PP_PROOF_BYTES_MAX);
    struct pp_wr wr = pp_wr_over(bytes, PP_PROOF_BYTES_MAX);
    struct pp_merkle_hash leaf;
    char field[48];

    PP_CHECK(bytes != NULL, PP_E_NO_MEMORY, PP_PROOF_BYTES_MAX);
    pp_merkle_leaf(entry, &leaf);
    pp_res r = find_path(log, index, &p.path, problem);
    if (pp_is_ok(r)) {
        r = pp_merkle_inclusion_verify(index, log->tree.size, &leaf, &p.path, &log->tree.root);
        if (!pp_is_ok(r)) {
            r.code = PP_E_LOG_TILE;
            snprintf(field, sizeof field, "entry %llu", (unsigned long long)index);
            pp_problem_set(problem, field, "tiles that lead from it to the checkpoint's root",
                           PP_STR("another root"));
            pp_problem_party(problem, pp_log_source_place(log->source));
        }
    }
    if (pp_is_ok(r)) {
        pp_proof_write(&wr, &p);
        r = pp_wr_ok(&wr);
    }
    if (pp_is_ok(r))
        r = copy_of(pp_wr_done(&wr), ret);
    free(bytes);
    return r;
}

/* --- where records stand -------------------------------------------------------------------- */

static int is_status(struct pp_span text)
{
    const struct pp_span type = PP_STR("type status/");

    return text.len >= type.len && pp_span_eq(pp_span(text.at, type.len), type);
}

pp_res pp_log_index_add(struct pp_log_index *x, uint64_t index, struct pp_span entry)
{
    struct pp_note note;

    if (!pp_is_ok(pp_note_parse(entry, &note)) || is_status(note.text))
        return PP_OK;
    if (x->count == x->cap) {
        size_t cap = x->cap == 0 ? 256 : 2 * x->cap;
        PP_CHECK(cap <= PP_LOG_INDEX_MAX, PP_E_LIMIT, cap);
        struct pp_log_index_row *rows = realloc(x->rows, cap * sizeof *rows);
        PP_CHECK(rows != NULL, PP_E_NO_MEMORY, cap);
        x->rows = rows;
        x->cap = cap;
    }
    struct pp_log_index_row *row = &x->rows[x->count++];
    pp_record_id_of(note.text, &row->id);
    row->index = index;
    return PP_OK;
}

pp_res pp_log_index_find(const struct pp_log_index *x, const struct pp_record_id *id,
                         uint64_t *ret_index)
{
    for (size_t i = 0; i < x->count; i++)
        if (pp_record_id_same(&x->rows[i].id, id)) {
            *ret_index = x->rows[i].index;
            return PP_OK;
        }
    return PP_FAIL(PP_E_NOT_FOUND, x->count);
}

void pp_log_index_done(struct pp_log_index *x)
{
    free(x->rows);
    *x = (struct pp_log_index){ 0 };
}

/* --- the directory bundle ------------------------------------------------------------------- */

struct making {
    const struct pp_log_shown *log;
    const struct pp_log_index *index;
    struct pp_problem *problem;
    struct pp_record status;
    struct pp_bundle bundle;
    struct pp_bundle_entry records[PP_BUNDLE_RECORD_MAX];
    struct pp_buf kept[2 * (PP_BUNDLE_RECORD_MAX + 1)]; /* entries and proofs */
    size_t kept_count;
};

static pp_res put_entry(struct making *m, uint64_t index, struct pp_bundle_entry *ret)
{
    struct pp_buf *entry = &m->kept[m->kept_count++];
    struct pp_buf *proof = &m->kept[m->kept_count++];

    PP_TRY(pp_log_entry(m->log, index, entry, m->problem));
    PP_TRY(pp_log_prove(m->log, index, pp_buf_span(entry), proof, m->problem));
    ret->entry = pp_buf_span(entry);
    ret->proof = pp_buf_span(proof);
    return PP_OK;
}

static pp_res put_named(struct making *m, const struct pp_record_id *id)
{
    uint64_t index;

    PP_CHECK(m->bundle.record_count < PP_BUNDLE_RECORD_MAX, PP_E_LIMIT, m->bundle.record_count);
    PP_TRY(pp_log_index_find(m->index, id, &index));
    return put_entry(m, index, &m->records[m->bundle.record_count++]);
}

/* In the order in which the status names them (pp-wire 2). */
static pp_res fill(struct making *m)
{
    const struct pp_status *s = &m->status.status;
    struct pp_note note;

    PP_CHECK(m->log->tree.size > 0, PP_E_LEDGER_NOT_LAST, 0);
    m->bundle.records = m->records;
    PP_TRY(put_entry(m, m->log->tree.size - 1, &m->bundle.status));
    PP_TRY_AS(PP_E_LEDGER_RECORD, pp_record_open(m->bundle.status.entry, &note, &m->status));
    PP_CHECK(m->status.type == PP_RECORD_STATUS, PP_E_LEDGER_NOT_LAST, m->status.type);
    for (size_t i = 0; i < s->release_count; i++)
        PP_TRY(put_named(m, &s->releases[i]));
    PP_TRY(put_named(m, &s->hosts));
    for (size_t i = 0; i < s->key_count; i++)
        PP_TRY(put_named(m, &s->keys[i].id));
    return PP_OK;
}

static pp_res write_bundle(const struct making *m, struct pp_buf *ret)
{
    uint8_t *bytes = malloc(PP_BUNDLE_BYTES_MAX);
    struct pp_wr wr = pp_wr_over(bytes, PP_BUNDLE_BYTES_MAX);

    PP_CHECK(bytes != NULL, PP_E_NO_MEMORY, PP_BUNDLE_BYTES_MAX);
    pp_res r = pp_bundle_write(&wr, &m->bundle);
    if (pp_is_ok(r))
        r = copy_of(pp_wr_done(&wr), ret);
    free(bytes);
    return r;
}

pp_res pp_log_directory(const struct pp_log_shown *log, const struct pp_log_index *index,
                        const struct pp_bundle *extra, struct pp_buf *ret,
                        struct pp_problem *problem)
{
    struct making *m = calloc(1, sizeof *m);

    PP_CHECK(m != NULL, PP_E_NO_MEMORY, sizeof *m);
    m->log = log;
    m->index = index;
    m->problem = problem;
    if (extra != NULL) {
        m->bundle.blobs = extra->blobs;
        m->bundle.blob_count = extra->blob_count;
        m->bundle.revokes = extra->revokes;
        m->bundle.revoke_count = extra->revoke_count;
    }
    pp_res r = fill(m);
    if (pp_is_ok(r))
        r = write_bundle(m, ret);
    for (size_t i = 0; i < m->kept_count; i++)
        pp_buf_done(&m->kept[i]);
    free(m);
    return r;
}
