/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>

#include "monitor_run_int.h"

/* --- entries ---------------------------------------------------------------------------------- */

static pp_res feed_entry(void *ctx, struct pp_span entry)
{
    struct pp_monitor_run *r = ctx;

    monitor_note_publication(r, entry, r->monitor->rules.state.entries);
    return pp_monitor_entry(r->monitor, entry);
}

pp_res monitor_feed(struct pp_monitor_run *r)
{
    struct pp_monitor *m = r->monitor;

    /* A copy that is being read again is not yet what the tree is. */
    if (r->config.opaque || r->copy.range.size < m->tree.size)
        return PP_OK;
    PP_TRY(pp_monitor_copy_each(&r->copy, m->rules.state.entries, m->tree.size, feed_entry, r));
    return pp_monitor_closed(m);
}

/* --- life ------------------------------------------------------------------------------------- */

static pp_res make_tables(struct pp_monitor_run *r)
{
    const struct pp_monitor_run_config *c = &r->config;

    r->monitor = calloc(1, sizeof *r->monitor);
    r->state = calloc(1, sizeof *r->state);
    r->pending = calloc(PP_MONITOR_PENDING_MAX, sizeof *r->pending);
    PP_CHECK(r->monitor != NULL && r->state != NULL && r->pending != NULL, PP_E_NO_MEMORY, 0);
    if (c->opaque)
        return PP_OK;
    r->rules = (struct pp_rules_config){
        .ledger = c->origin,
        .name_space = c->name_space,
        .environment = c->environment,
        .keys = *c->keys,
        .records = calloc(PP_MONITOR_RECORDS_MAX, sizeof *r->rules.records),
        .record_cap = PP_MONITOR_RECORDS_MAX,
        .measurements = calloc(PP_MONITOR_MEASUREMENTS_MAX, sizeof *r->rules.measurements),
        .measurement_cap = PP_MONITOR_MEASUREMENTS_MAX,
    };
    PP_CHECK(r->rules.records != NULL && r->rules.measurements != NULL, PP_E_NO_MEMORY, 0);
    return PP_OK;
}

static void begin_monitor(struct pp_monitor_run *r)
{
    const struct pp_monitor_run_config *c = &r->config;
    const struct pp_monitor_config mc = {
        .origin = c->origin,
        .log = c->log,
        .rules = c->opaque ? NULL : &r->rules,
        .nodes = pp_monitor_copy_nodes(&r->copy),
        .sink = { pp_monitor_store_found, &r->store },
        .witness_late_s = c->witness_late_s,
    };

    pp_monitor_init(r->monitor, &mc);
    r->monitor->now = pp_clock_posix_s(&c->clock);
    r->monitor->expected_count = c->expected_count;
    for (size_t i = 0; i < c->expected_count; i++) {
        r->monitor->expected[i] = c->expected[i];
        r->monitor->expected_found[i] = 0;
    }
    r->state->monitor = r->monitor;
}

/* A copy that is not the verified tree is no evidence of anything; it is read again. */
static pp_res open_copy(struct pp_monitor_run *r)
{
    pp_res res = pp_monitor_copy_open(&r->copy, &r->monitor->tree);

    if (pp_is_ok(res) && !r->config.opaque)
        res = pp_monitor_copy_check(&r->copy);
    if (!pp_is_ok(res))
        pp_monitor_copy_clear(&r->copy);
    return res.code == PP_E_NO_MEMORY ? res : PP_OK;
}

static pp_res go_where_it_was(struct pp_monitor_run *r, struct pp_problem *problem)
{
    pp_res res = pp_monitor_store_load(&r->store, r->state);

    if (res.code == PP_E_NOT_FOUND)
        return PP_OK;
    if (!pp_is_ok(res)) {
        pp_problem_set(problem, "state", "what a monitor of this log under these policies wrote",
                       pp_span_cstr(pp_code_name(res.code)));
        if (pp_code_class(res.code) != PP_CLASS_REFUSED)
            res.code = PP_E_CONFIG;
        return res;
    }
    PP_TRY(open_copy(r));
    return monitor_feed(r);
}

static pp_res open_run(struct pp_monitor_run *r, struct pp_problem *problem)
{
    int fd;

    PP_TRY(make_tables(r));
    PP_TRY(pp_monitor_store_open(r->config.folder, &r->store, problem));
    PP_TRY(pp_monitor_store_folder(&r->store, "copy", &fd));
    pp_monitor_copy_init(&r->copy, fd, !r->config.opaque);
    begin_monitor(r);
    return go_where_it_was(r, problem);
}

pp_res pp_monitor_run_open(const struct pp_monitor_run_config *c, struct pp_monitor_run *ret,
                           struct pp_problem *problem)
{
    *ret = (struct pp_monitor_run){ .config = *c };
    pp_monitor_store_init(&ret->store);
    pp_monitor_copy_init(&ret->copy, -1, 0);
    return open_run(ret, problem);
}

void pp_monitor_run_close(struct pp_monitor_run *r)
{
    pp_monitor_copy_done(&r->copy);
    pp_monitor_store_close(&r->store);
    free(r->rules.records);
    free(r->rules.measurements);
    free(r->pending);
    free(r->state);
    free(r->monitor);
    *r = (struct pp_monitor_run){ 0 };
}

/* --- rounds ----------------------------------------------------------------------------------- */

/* The copy's checkpoint makes it a log that anybody reads. */
static pp_res write_checkpoint(struct pp_monitor_run *r)
{
    const struct pp_monitor *m = r->monitor;

    if (m->last.len == 0 || r->copy.range.size != m->tree.size)
        return PP_OK;
    return pp_file_update(r->copy.dir_fd, "checkpoint", 0644, m->last.head.note);
}

pp_res pp_monitor_run_round(struct pp_monitor_run *r)
{
    struct pp_monitor *m = r->monitor;
    uint64_t size = r->copy.range.size;

    m->now = pp_clock_posix_s(&r->config.clock);
    PP_TRY(monitor_read_sources(r));
    PP_TRY(monitor_feed(r));
    PP_TRY(monitor_look_for_publications(r));
    PP_TRY(pp_monitor_conditions(m));
    PP_TRY(write_checkpoint(r));
    PP_TRY(pp_monitor_store_save(&r->store, r->state));
    if (r->copy.range.size > size)
        pp_monitor_copy_tidy(&r->copy, size);
    return PP_OK;
}
