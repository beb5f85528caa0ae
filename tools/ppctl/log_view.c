/* SPDX-License-Identifier: Apache-2.0 */
#include "log_view.h"

#include <stdio.h>
#include <stdlib.h>

/* What the checks carry from entry to entry. */
struct reading {
    struct log_view *view;
    const struct pp_audit_place *place;
    uint64_t now;
    struct pp_problem *problem;
    struct pp_rules rules;
    struct pp_finding tile; /* the first hash tile that is wrong; code 0: none */
};

struct pp_audit_place log_view_place(const struct pp_trust *trust)
{
    return (struct pp_audit_place){
        .origin = trust->origin,
        .name_space = trust->name_space,
        .environment = trust->environment,
        .keys = { &trust->log, &trust->owner, &trust->review },
    };
}

/* --- checks ----------------------------------------------------------------------------------- */

static pp_res read_checkpoint(const struct reading *r)
{
    struct log_view *v = r->view;
    pp_res res = pp_log_source_checkpoint(v->source, &v->checkpoint, r->problem);

    if (res.code == PP_E_NOT_FOUND) {
        pp_problem_set(r->problem, pp_log_source_place(v->source),
                       "the files of a log: checkpoint and tile/", PP_STR("no checkpoint"));
        return PP_FAIL(PP_E_STATE_ABSENT, 0);
    }
    if (res.code == PP_E_SYSTEM)
        res.code = PP_E_INPUT;
    return res;
}

static pp_res open_checkpoint(struct reading *r)
{
    struct log_view *v = r->view;
    const struct pp_policy *policy = r->place->keys.log;

    PP_TRY(read_checkpoint(r));
    pp_res res = pp_policy_open(policy, pp_buf_span(&v->checkpoint), &v->opened);
    if (pp_is_ok(res) && !pp_span_eq(v->opened.checkpoint.origin, r->place->origin))
        res = PP_FAIL(PP_E_LEDGER_ORIGIN, 0);
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

static pp_res keep_entry(void *ctx, uint64_t index, struct pp_span entry)
{
    struct log_view *v = ((struct reading *)ctx)->view;

    PP_CHECK(index < LOG_VIEW_ENTRIES_MAX, PP_E_LIMIT, index);
    if (v->entry_count == v->entry_cap) {
        size_t cap = v->entry_cap == 0 ? PP_TILE_WIDTH : 2 * v->entry_cap;
        struct pp_buf *entries = realloc(v->entries, cap * sizeof *entries);
        PP_CHECK(entries != NULL, PP_E_NO_MEMORY, cap);
        v->entries = entries;
        v->entry_cap = cap;
    }
    uint8_t *copy = malloc(entry.len + 1);
    PP_CHECK(copy != NULL, PP_E_NO_MEMORY, entry.len);
    if (entry.len > 0)
        memcpy(copy, entry.at, entry.len);
    copy[entry.len] = 0;
    v->entries[v->entry_count++] = (struct pp_buf){ copy, entry.len };
    return PP_OK;
}

/* That the entries are others is worth more than that a tile does not fit them: the root decides
 * first. */
static pp_res keep_first(void *ctx, const struct pp_finding *f)
{
    struct reading *r = ctx;

    if (r->tile.code == 0)
        r->tile = *f;
    return PP_OK;
}

static int is_of_the_log(uint32_t code)
{
    return code == PP_E_LOG_ROOT || code == PP_E_LOG_TILE || code == PP_E_LOG_FILE ||
           code == PP_E_LOG_MISSING;
}

static pp_res read_entries(struct reading *r)
{
    const struct pp_checkpoint *at = &r->view->opened.checkpoint;
    const struct pp_log_reader_config c = {
        .source = r->view->source,
        .tree = { at->size, at->root },
        .entry = keep_entry,
        .ctx = r,
        .findings = { keep_first, r },
    };
    struct pp_log_reader *reader;

    PP_TRY(pp_log_reader_new(&c, &reader));
    pp_res res = pp_log_reader_finish(reader, r->problem);
    pp_log_reader_free(reader);
    if (pp_is_ok(res) && r->tile.code != 0) {
        *r->problem = r->tile.words;
        res = PP_FAIL(r->tile.code, 0);
    }
    if (is_of_the_log(res.code))
        res.code = PP_E_LEDGER_PROOF; /* whichever file it is: nothing leads to the checkpoint */
    if (res.code == PP_E_SYSTEM)
        res.code = PP_E_INPUT;
    return res;
}

static pp_res feed(void *ctx, uint64_t index, struct pp_span entry)
{
    struct reading *r = ctx;
    struct pp_note n;
    char field[32];

    pp_res res = pp_rules_feed(&r->rules, entry, r->now);
    if (!pp_is_ok(res)) {
        snprintf(field, sizeof field, "entry %llu", (unsigned long long)index);
        pp_problem_set(r->problem, field, "a record that keeps the rules of the ledger",
                       pp_span_cstr(pp_code_name(res.code)));
        if (pp_code_class(res.code) != PP_CLASS_REFUSED)
            res.code = PP_E_LEDGER_RECORD;
        return res;
    }
    if (index + 1 == r->view->opened.checkpoint.size)
        return pp_record_open(entry, &n, &r->view->status);
    return PP_OK;
}

static pp_res check_rules(struct reading *r)
{
    struct pp_rules_config c = {
        .ledger = r->place->origin,
        .name_space = r->place->name_space,
        .environment = r->place->environment,
        .keys = r->place->keys,
        .records = calloc(PP_AUDIT_RECORDS_MAX, sizeof *c.records),
        .record_cap = PP_AUDIT_RECORDS_MAX,
        .measurements = calloc(PP_AUDIT_MEASUREMENTS_MAX, sizeof *c.measurements),
        .measurement_cap = PP_AUDIT_MEASUREMENTS_MAX,
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

pp_res log_view_read(struct log_view *v, const struct pp_log_source_config *from,
                     const struct pp_audit_place *place, uint64_t now, struct pp_problem *problem)
{
    struct reading r = { .view = v, .place = place, .now = now, .problem = problem };

    *v = (struct log_view){ 0 };
    pp_problem_party(problem, "log");
    pp_res res = pp_log_source_open(from, &v->source, problem);
    if (res.code == PP_E_NOT_FOUND)
        res.code = PP_E_STATE_ABSENT;
    PP_TRY(res);
    PP_TRY(open_checkpoint(&r));
    PP_TRY(read_entries(&r));
    pp_problem_party(problem, "log");
    return check_rules(&r);
}

pp_res log_view_each(const struct log_view *v,
                     pp_res (*each)(void *ctx, uint64_t index, struct pp_span entry), void *ctx)
{
    for (size_t i = 0; i < v->entry_count; i++)
        PP_TRY(each(ctx, i, pp_buf_span(&v->entries[i])));
    return PP_OK;
}

void log_view_done(struct log_view *v)
{
    for (size_t i = 0; i < v->entry_count; i++)
        pp_buf_done(&v->entries[i]);
    free(v->entries);
    pp_buf_done(&v->checkpoint);
    pp_log_source_close(v->source);
    *v = (struct log_view){ 0 };
}
