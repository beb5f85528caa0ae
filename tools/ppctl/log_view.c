/* SPDX-License-Identifier: Apache-2.0 */
#include "log_view.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tile.h"

/* What the checks carry from entry to entry. */
struct reading {
    struct log_view *view;
    const struct pp_trust *trust;
    uint64_t now;
    struct pp_problem *problem;
    struct pp_rules rules;
    struct pp_merkle_range range;
};

/* --- files ------------------------------------------------------------------------------------ */

static pp_res read_file(const struct reading *r, const char *name, size_t max, struct pp_buf *ret)
{
    char path[LOG_VIEW_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", r->view->folder, name);

    PP_CHECK(n > 0 && n < LOG_VIEW_PATH_MAX, PP_E_RANGE, n);
    pp_res res = pp_file_read(AT_FDCWD, path, max, ret);
    if (!pp_is_ok(res) && res.code != PP_E_NOT_FOUND) {
        pp_problem_set(r->problem, path, "a readable file of the log",
                       pp_span_cstr(res.code == PP_E_SYSTEM ? strerror((int)res.detail)
                                                            : pp_code_text(res.code)));
        res.code = PP_E_INPUT;
    }
    return res;
}

/* The entry bundle, or the full one where the partial one has been removed. */
static pp_res read_bundle(const struct reading *r, struct pp_tile tile, struct pp_buf *ret)
{
    char path[PP_TILE_PATH_MAX + 1] = "";
    struct pp_wr wr = pp_wr_over(path, PP_TILE_PATH_MAX);

    pp_tile_path_write(&wr, &tile);
    PP_TRY(pp_wr_ok(&wr));
    pp_res res = read_file(r, path, PP_ENTRIES_BYTES_MAX, ret);
    if (res.code != PP_E_NOT_FOUND)
        return res;
    if (tile.width < PP_TILE_WIDTH) {
        tile.width = PP_TILE_WIDTH;
        return read_bundle(r, tile, ret);
    }
    pp_problem_set(r->problem, path, "the entries that the checkpoint covers",
                   PP_STR("no such file"));
    return PP_FAIL(PP_E_LEDGER_PROOF, 0);
}

/* --- checks ----------------------------------------------------------------------------------- */

static pp_res open_checkpoint(struct reading *r)
{
    struct log_view *v = r->view;
    const struct pp_policy *policy = &r->trust->log;
    pp_res res = read_file(r, "checkpoint", PP_NOTE_BYTES_MAX, &v->checkpoint);

    if (res.code == PP_E_NOT_FOUND) {
        pp_problem_set(r->problem, v->folder, "the files of a log: checkpoint and tile/",
                       PP_STR("no checkpoint"));
        return PP_FAIL(PP_E_STATE_ABSENT, 0);
    }
    PP_TRY(res);
    res = pp_policy_open(policy, pp_buf_span(&v->checkpoint), &v->opened);
    if (pp_is_ok(res))
        res = pp_policy_time(policy, &v->opened.witnesses, &v->quorum_posix_s);
    if (!pp_is_ok(res)) {
        if (pp_code_class(res.code) != PP_CLASS_REFUSED)
            res.code = PP_E_LEDGER_FORMAT;
        pp_problem_set(r->problem, "checkpoint", "the log's signature and the witnesses' quorum",
                       PP_STR(""));
    }
    return res;
}

static pp_res refuse_entry(const struct reading *r, pp_res res, const char *expected)
{
    char field[32];

    snprintf(field, sizeof field, "entry %llu", (unsigned long long)r->range.size);
    pp_problem_set(r->problem, field, expected, pp_span_cstr(pp_code_name(res.code)));
    if (pp_code_class(res.code) != PP_CLASS_REFUSED)
        res.code = PP_E_LEDGER_RECORD;
    return res;
}

/* Hashes the bytes as they are; what they say is the rules' concern, once the root is known. */
static pp_res hash_bundle(struct reading *r, const struct pp_buf *bundle, unsigned width)
{
    struct pp_rd rd = pp_rd_over(bundle->bytes, bundle->len);
    struct pp_merkle_hash leaf;

    for (unsigned i = 0; i < width; i++) {
        struct pp_span entry = pp_rd_bytes(&rd, pp_rd_u16(&rd));
        pp_res res = pp_rd_ok(&rd);
        if (!pp_is_ok(res)) {
            res.code = PP_E_LEDGER_PROOF;
            return refuse_entry(r, res, "an entry in the bundle");
        }
        pp_merkle_leaf(entry, &leaf);
        PP_TRY(pp_merkle_append(&r->range, &leaf, NULL));
    }
    return PP_OK;
}

static pp_res read_entries(struct reading *r)
{
    struct log_view *v = r->view;
    uint64_t size = v->opened.checkpoint.size;
    uint64_t count = size / PP_TILE_WIDTH + (size % PP_TILE_WIDTH != 0);
    struct pp_merkle_hash root;

    PP_CHECK(count <= LOG_VIEW_BUNDLES_MAX, PP_E_LIMIT, count);
    v->bundles = calloc((size_t)count + 1, sizeof *v->bundles);
    PP_CHECK(v->bundles != NULL, PP_E_NO_MEMORY, count);
    for (; v->bundle_count < count; v->bundle_count++) {
        struct pp_tile tile;
        PP_ASSERT(pp_tile_of(size, 0, v->bundle_count, &tile));
        tile.entries = 1;
        PP_TRY(read_bundle(r, tile, &v->bundles[v->bundle_count]));
        pp_res res = hash_bundle(r, &v->bundles[v->bundle_count], tile.width);
        if (!pp_is_ok(res)) {
            v->bundle_count++;
            return res;
        }
    }
    pp_merkle_range_root(&r->range, &root);
    if (!pp_merkle_same(&root, &v->opened.checkpoint.root)) {
        pp_problem_hex(r->problem, "root of the tree", PP_BYTES(v->opened.checkpoint.root.bytes),
                       PP_BYTES(root.bytes));
        return PP_FAIL(PP_E_LEDGER_PROOF, 0);
    }
    return PP_OK;
}

static pp_res feed(void *ctx, uint64_t index, struct pp_span entry)
{
    struct reading *r = ctx;
    struct pp_note n;

    r->range.size = index; /* for the words of a refusal */
    pp_res res = pp_rules_feed(&r->rules, entry, r->now);
    if (!pp_is_ok(res))
        return refuse_entry(r, res, "a record that keeps the rules of the ledger");
    if (index + 1 == r->view->opened.checkpoint.size)
        return pp_record_open(entry, &n, &r->view->status);
    return PP_OK;
}

static pp_res check_rules(struct reading *r)
{
    const struct pp_trust *t = r->trust;
    struct pp_rules_config c = {
        .ledger = t->origin,
        .name_space = t->name_space,
        .environment = t->environment,
        .keys = { &t->log, &t->owner, &t->review },
        .records = calloc(LOG_VIEW_RECORDS_MAX, sizeof *c.records),
        .record_cap = LOG_VIEW_RECORDS_MAX,
        .measurements = calloc(LOG_VIEW_MEASUREMENTS_MAX, sizeof *c.measurements),
        .measurement_cap = LOG_VIEW_MEASUREMENTS_MAX,
    };
    pp_res res = PP_FAIL(PP_E_NO_MEMORY, 0);

    pp_rules_init(&r->rules, &c);
    if (c.records != NULL && c.measurements != NULL)
        res = log_view_each(r->view, feed, r);
    if (pp_is_ok(res)) {
        res = pp_rules_closed(&r->rules);
        if (!pp_is_ok(res))
            pp_problem_set(r->problem, "last entry", "a status record", PP_STR("another"));
    }
    free(c.records);
    free(c.measurements);
    return res;
}

pp_res log_view_read(struct log_view *v, const char *folder, const struct pp_trust *trust,
                     uint64_t now, struct pp_problem *problem)
{
    struct reading r = { .view = v, .trust = trust, .now = now, .problem = problem };

    *v = (struct log_view){ 0 };
    pp_problem_party(problem, "log");
    PP_CHECK(snprintf(v->folder, sizeof v->folder, "%s", folder) < LOG_VIEW_PATH_MAX, PP_E_RANGE,
             0);
    PP_TRY(open_checkpoint(&r));
    PP_TRY(read_entries(&r));
    return check_rules(&r);
}

pp_res log_view_each(const struct log_view *v,
                     pp_res (*each)(void *ctx, uint64_t index, struct pp_span entry), void *ctx)
{
    uint64_t index = 0;

    for (size_t i = 0; i < v->bundle_count; i++) {
        struct pp_rd rd = pp_rd_over(v->bundles[i].bytes, v->bundles[i].len);
        unsigned k = 0;
        for (; k < PP_TILE_WIDTH && index < v->opened.checkpoint.size; k++) {
            struct pp_span entry = pp_rd_bytes(&rd, pp_rd_u16(&rd));
            PP_TRY(pp_rd_ok(&rd));
            PP_TRY(each(ctx, index++, entry));
        }
    }
    return PP_OK;
}

void log_view_done(struct log_view *v)
{
    for (size_t i = 0; i < v->bundle_count; i++)
        pp_buf_done(&v->bundles[i]);
    free(v->bundles);
    pp_buf_done(&v->checkpoint);
    *v = (struct log_view){ 0 };
}
