/* SPDX-License-Identifier: Apache-2.0 */
/* What a round reads: checkpoints from everybody, and the entries of every place. */
#include <stdio.h>
#include <stdlib.h>

#include "bundle.h"
#include "http_client.h"
#include "log_reader.h"
#include "monitor_run_int.h"

enum {
    WITNESS_DEADLINE_MS = 10000,
    TILES_MAX = 8, /* wrong hash tiles that are told in one round */
};

/* One place in one round. */
struct visit {
    struct pp_monitor_run *run;
    struct pp_monitor_place *place;
    struct pp_monitor_source *source;
    struct pp_log_source *log;
    struct pp_buf note;
    struct pp_monitor_head head;
    struct pp_problem problem;
    int has_head;
    /* The reading under way. */
    struct pp_monitor_reading reading;
    pp_res own; /* a failure of the monitor's own copy ends the round */
    struct pp_finding tiles[TILES_MAX];
    size_t tile_count;
};

static pp_res unreadable(struct visit *v, pp_res why)
{
    v->place->code = why.code;
    v->run->unread++;
    return pp_monitor_unreadable(v->run->monitor, v->place->name, why);
}

/* --- checkpoints ------------------------------------------------------------------------------ */

static pp_res fetch_checkpoint(struct visit *v)
{
    const struct pp_log_source_config c = { .place = v->place->name,
                                            .ca_pem = v->run->config.ca_pem };

    PP_TRY(pp_log_source_open(&c, &v->log, &v->problem));
    PP_TRY(pp_log_source_checkpoint(v->log, &v->note, &v->problem));
    return pp_monitor_open(v->run->monitor, pp_buf_span(&v->note), &v->head);
}

static pp_res show_place(struct visit *v)
{
    pp_res r = fetch_checkpoint(v);

    if (!pp_is_ok(r))
        return unreadable(v, r);
    v->has_head = 1;
    v->place->size = v->head.opened.checkpoint.size;
    return pp_monitor_show(v->run->monitor, &v->head, v->place->name);
}

static pp_res witness_url(const struct pp_monitor_run *r, struct pp_span prefix, char *ret,
                          size_t cap)
{
    uint8_t digest[PP_SHA256_BYTES];
    struct pp_wr wr = pp_wr_over(ret, cap - 1);

    memset(ret, 0, cap);
    pp_sha256(r->config.origin, digest);
    while (prefix.len > 0 && prefix.at[prefix.len - 1] == '/')
        prefix.len--;
    pp_wr_span(&wr, prefix);
    pp_wr_u8(&wr, '/');
    pp_wr_hex(&wr, PP_BYTES(digest));
    pp_wr_text(&wr, "/checkpoint");
    return pp_wr_ok(&wr);
}

/* C2SP tlog-witness: what it cosigned last. One that does not tell is slow before long. */
static pp_res show_witness(struct pp_monitor_run *r, size_t w)
{
    const struct pp_http_client_config c = { .response_bytes_max = PP_NOTE_BYTES_MAX,
                                             .ca_pem = r->config.ca_pem };
    struct pp_http_result got = { 0 };
    struct pp_monitor_head head;
    char url[PP_HTTP_URL_BYTES_MAX], who[PP_MONITOR_NAME_MAX + 1];

    PP_TRY(witness_url(r, r->config.log->witness_urls[w], url, sizeof url));
    const struct pp_http_call call = { .method = "GET",
                                       .url = url,
                                       .deadline_ms = WITNESS_DEADLINE_MS };
    snprintf(who, sizeof who, "witness %.*s", (int)r->config.log->witness_names[w].len,
             (const char *)r->config.log->witness_names[w].at);
    pp_res res = pp_http_call(&c, &call, &got);
    if (pp_is_ok(res) && got.status == 200 &&
        pp_is_ok(pp_monitor_open(r->monitor, pp_span(got.body, got.body_len), &head)))
        res = pp_monitor_show(r->monitor, &head, who);
    else
        res = PP_OK;
    pp_http_result_done(&got);
    return res;
}

static pp_res show_others(struct pp_monitor_run *r)
{
    for (size_t w = 0; w < r->config.log->witness_count; w++)
        if (r->config.log->witness_urls[w].len > 0)
            PP_TRY(show_witness(r, w));
    for (size_t i = 0; i < r->config.brought_count; i++)
        PP_TRY(monitor_show_brought(r, r->config.brought[i]));
    return PP_OK;
}

/* --- entries ---------------------------------------------------------------------------------- */

static pp_res take_entry(void *ctx, uint64_t index, struct pp_span entry)
{
    struct visit *v = ctx;
    struct pp_monitor_copy *copy = &v->run->copy;
    struct pp_merkle_hash leaf;

    pp_merkle_leaf(entry, &leaf);
    PP_TRY(pp_monitor_read_leaf(v->run->monitor, &v->reading, &leaf));
    if (index != copy->range.size)
        return PP_OK;
    v->own = pp_monitor_copy_append(copy, entry, &leaf);
    return v->own;
}

/* Wrong tiles under wrong entries are nothing of their own, so they wait until that is known. */
static pp_res note_tile(void *ctx, const struct pp_finding *f)
{
    struct visit *v = ctx;

    if (v->tile_count < TILES_MAX)
        v->tiles[v->tile_count++] = *f;
    return PP_OK;
}

static pp_res tell_tiles(struct visit *v)
{
    for (size_t i = 0; i < v->tile_count; i++)
        PP_TRY(pp_monitor_found_file(v->run->monitor, v->place->name, v->tiles[i].code,
                                     &v->tiles[i].words));
    return PP_OK;
}

/* Reads from where the place, or our copy of it, ends. OK, LOG_ROOT, or why it cannot be read. */
static pp_res read_entries(struct visit *v)
{
    const struct pp_checkpoint *c = &v->head.opened.checkpoint;
    const struct pp_log_reader_config rc = {
        .source = v->log,
        .tree = { c->size, c->root },
        .from = v->reading.range,
        .entry = take_entry,
        .ctx = v,
        .findings = { note_tile, v },
    };
    struct pp_log_reader *reader = NULL;
    pp_res r = pp_log_reader_new(&rc, &reader);

    if (pp_is_ok(r))
        r = pp_log_reader_finish(reader, &v->problem);
    pp_log_reader_free(reader);
    return r;
}

static pp_res judge_reading(struct visit *v, const struct pp_monitor_source *before, int *ret_keep)
{
    struct pp_monitor *m = v->run->monitor;
    struct pp_log_source_tree tree = { v->log, v->head.opened.checkpoint.size, &v->problem };
    struct pp_tile_tree tiles = { .source = pp_log_source_tiles(&tree), .size = tree.size };
    const struct pp_merkle_nodes theirs = pp_tile_nodes(&tiles);
    int good;

    *ret_keep = 0;
    PP_TRY(pp_monitor_read_end(m, v->source, &v->reading, &v->head, &theirs, &good));
    if (!good)
        return PP_OK;
    PP_TRY(tell_tiles(v));
    if (tree.size <= m->tree.size) {
        *ret_keep = 1;
        return PP_OK;
    }
    if (v->head.quorum != PP_E_OK) {
        *v->source = *before; /* nobody else believes it yet */
        return PP_OK;
    }
    PP_TRY(pp_monitor_copy_flush(&v->run->copy));
    *ret_keep = 1;
    return pp_monitor_grow(m, &v->reading, &v->head);
}

/* The copy keeps what belongs to the verified tree, and nothing else. */
static pp_res settle_copy(struct visit *v, const struct pp_merkle_range *before, int keep)
{
    if (v->run->copy.range.size == before->size)
        return PP_OK;
    if (keep)
        return pp_monitor_copy_flush(&v->run->copy);
    return pp_monitor_copy_open(&v->run->copy, before);
}

static pp_res read_place(struct visit *v)
{
    struct pp_monitor_run *r = v->run;
    const struct pp_monitor_source before = *v->source;
    const struct pp_merkle_range copied = r->copy.range;
    uint64_t size = v->head.opened.checkpoint.size;
    int keep = 0;

    if (copied.size < v->source->read.size)
        v->source->read = copied; /* what the copy lacks is read again */
    if (size <= v->source->read.size) {
        *v->source = before;
        return PP_OK;
    }
    pp_monitor_read_begin(r->monitor, v->source, &v->reading);
    pp_res res = !r->config.opaque && size > PP_MONITOR_ENTRIES_MAX ? PP_FAIL(PP_E_LIMIT, size)
                                                                    : read_entries(v);
    PP_TRY(v->own);
    if (pp_is_ok(res) || res.code == PP_E_LOG_ROOT)
        PP_TRY(judge_reading(v, &before, &keep));
    else
        PP_TRY(unreadable(v, res));
    if (!keep && v->source->read.size < before.read.size)
        *v->source = before;
    return settle_copy(v, &copied, keep);
}

static pp_res serve_place(struct visit *v)
{
    if (!v->has_head)
        return PP_OK;
    PP_TRY(pp_monitor_serve(v->run->monitor, v->source, &v->head));
    PP_TRY(read_place(v));
    return monitor_feed(v->run);
}

/* The bundle that devices get, where the place has one: foreign logs have none. */
static pp_res read_directory(struct visit *v)
{
    char who[PP_MONITOR_NAME_MAX + 1];
    struct pp_buf bytes = { 0 };

    if (!v->has_head || v->run->config.opaque ||
        snprintf(who, sizeof who, "%s/directory", v->place->name) >= (int)sizeof who ||
        !pp_is_ok(pp_log_source_file(v->log, "directory", PP_BUNDLE_BYTES_MAX, &bytes, NULL)))
        return PP_OK;
    pp_res r = monitor_show_directory(v->run, who, pp_buf_span(&bytes));
    pp_buf_done(&bytes);
    return r;
}

/* --- all of them ------------------------------------------------------------------------------ */

static pp_res read_all(struct pp_monitor_run *r, struct visit *visits)
{
    for (size_t i = 0; i < r->config.place_count; i++) {
        struct visit *v = &visits[i];
        r->places[i] = (struct pp_monitor_place){ .name = r->config.places[i] };
        *v = (struct visit){ .run = r, .place = &r->places[i] };
        v->source = pp_monitor_state_source(r->state, v->place->name);
        PP_CHECK(v->source != NULL, PP_E_LIMIT, i);
        PP_TRY(show_place(v));
    }
    PP_TRY(show_others(r));
    for (size_t i = 0; i < r->config.place_count; i++)
        PP_TRY(serve_place(&visits[i]));
    for (size_t i = 0; i < r->config.place_count; i++)
        PP_TRY(read_directory(&visits[i]));
    return monitor_read_mirrors(r);
}

pp_res monitor_read_sources(struct pp_monitor_run *r)
{
    struct visit *visits = calloc(PP_MONITOR_PLACES_MAX, sizeof *visits);

    PP_CHECK(visits != NULL, PP_E_NO_MEMORY, 0);
    r->unread = r->directory_size = 0;
    pp_res res = read_all(r, visits);
    for (size_t i = 0; i < PP_MONITOR_PLACES_MAX; i++) {
        pp_log_source_close(visits[i].log);
        pp_buf_done(&visits[i].note);
    }
    free(visits);
    return res;
}
