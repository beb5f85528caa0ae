/* SPDX-License-Identifier: Apache-2.0 */
#include "reader_int.h"

#include <stdio.h>
#include <stdlib.h>

static void fetch(struct pp_reader *r);

int pp_reader_is_busy(const struct pp_reader *r)
{
    return r->busy;
}

int pp_reader_is_passing(uint32_t code)
{
    switch (code) {
    case PP_E_NETWORK:
    case PP_E_TIMEOUT:
    case PP_E_CLOSED:
    case PP_E_BUSY:
    case PP_E_NO_MEMORY:
    case PP_E_HTTP_STATUS:
        return 1;
    default:
        return 0;
    }
}

static void go_back(struct pp_reader *r)
{
    pp_rules_restore(&r->rules, &r->approved_rules);
    r->range = r->approved_range;
}

static void finish(struct pp_reader *r, pp_res result)
{
    uint64_t entry = r->rules.state.entries;

    if (pp_is_ok(result)) {
        r->approved_rules = pp_rules_save(&r->rules);
        r->approved_range = r->range;
    } else {
        if (pp_reader_is_passing(result.code))
            pp_ev_witness_cannot_read(r->config.events, result.code, entry);
        else
            pp_ev_witness_rule_broken(r->config.events, result.code, entry);
        go_back(r);
    }
    r->busy = 0;
    r->done(r->ctx, result);
}

/* Everything is read: is it this tree, and is it closed? */
static pp_res judge(const struct pp_reader *r)
{
    struct pp_merkle_hash root;

    pp_merkle_range_root(&r->range, &root);
    PP_CHECK(pp_merkle_same(&root, &r->root), PP_E_PROOF, r->size);
    if (r->size == 0)
        return PP_OK; /* nothing was said yet */
    return pp_rules_closed(&r->rules);
}

/* --- bundles ------------------------------------------------------------------------------- */

static pp_res take_entry(struct pp_reader *r, struct pp_span entry)
{
    struct pp_merkle_hash leaf;

    PP_TRY(pp_rules_feed(&r->rules, entry, pp_clock_posix_s(&r->config.clock)));
    pp_merkle_leaf(entry, &leaf);
    return pp_merkle_append(&r->range, &leaf, NULL);
}

pp_res pp_reader_take_bundle(struct pp_reader *r, struct pp_span bundle)
{
    struct pp_rd rd = pp_rd_span(bundle);
    uint64_t first = r->tile.index * PP_TILE_WIDTH;
    uint64_t end = r->size - first < PP_TILE_WIDTH ? r->size : first + PP_TILE_WIDTH;

    for (uint64_t i = first; i < end; i++) {
        struct pp_span entry = pp_rd_bytes(&rd, pp_rd_u16(&rd));
        PP_TRY_AS(PP_E_PROOF, pp_rd_ok(&rd));
        if (i >= r->range.size)
            PP_TRY(take_entry(r, entry));
    }
    /* A full bundle in the place of a partial one holds entries that this tree has not. */
    for (uint64_t i = end; i < first + r->tile.width; i++)
        (void)pp_rd_bytes(&rd, pp_rd_u16(&rd));
    PP_TRY_AS(PP_E_PROOF, pp_rd_end(&rd));
    return PP_OK;
}

/* What did not arrive as a bundle of the log says nothing about the log. */
static pp_res received(pp_res res, const struct pp_http_response *response)
{
    if (!pp_is_ok(res))
        return pp_reader_is_passing(res.code) ? res : PP_FAIL(PP_E_NETWORK, res.code);
    PP_CHECK(response->status == 200, PP_E_HTTP_STATUS, response->status);
    PP_CHECK(response->content_coding == PP_HTTP_IDENTITY, PP_E_NETWORK, response->content_coding);
    return PP_OK;
}

static void on_bundle(void *ctx, pp_res res, const struct pp_http_response *response)
{
    struct pp_reader *r = ctx;

    r->pending = NULL;
    if (pp_is_ok(res) && response->status == 404 && r->tile.width < PP_TILE_WIDTH) {
        r->tile.width = PP_TILE_WIDTH; /* the partial bundle was removed when it was full */
        fetch(r);
        return;
    }
    res = received(res, response);
    if (pp_is_ok(res))
        res = pp_reader_take_bundle(r, response->body);
    if (!pp_is_ok(res)) {
        finish(r, res);
        return;
    }
    if (r->range.size == r->size) {
        finish(r, judge(r));
        return;
    }
    r->tile.width = 0;
    fetch(r);
}

static pp_res start(struct pp_reader *r)
{
    char url[PP_READER_URL_BYTES_MAX + PP_TILE_PATH_MAX + 2] = "";
    struct pp_wr wr = pp_wr_over(url, sizeof url - 1);

    pp_wr_text(&wr, r->url);
    pp_wr_u8(&wr, '/');
    pp_tile_path_write(&wr, &r->tile);
    PP_TRY(pp_wr_ok(&wr));
    const struct pp_http_call call = {
        .method = "GET",
        .url = url,
        .deadline_ms = r->config.deadline_ms,
    };
    return pp_http_client_start(r->client, &call, on_bundle, r, &r->pending);
}

/* Fetches the bundle of the next entry; width 0 asks for the one that the tree's size implies. */
static void fetch(struct pp_reader *r)
{
    uint64_t index = r->range.size / PP_TILE_WIDTH;

    if (r->tile.width == 0) {
        PP_ASSERT(pp_tile_of(r->size, 0, index, &r->tile));
        r->tile.entries = 1;
    }
    pp_res res = start(r);
    if (!pp_is_ok(res))
        finish(r, res);
}

void pp_reader_read(struct pp_reader *r, uint64_t size, const struct pp_merkle_hash *root,
                    void (*done)(void *ctx, pp_res result), void *ctx)
{
    PP_ASSERT(!r->busy);
    r->busy = 1;
    r->size = size;
    r->root = *root;
    r->done = done;
    r->ctx = ctx;
    r->tile = (struct pp_tile){ 0 };
    if (size == r->range.size)
        finish(r, judge(r));
    else if (size < r->range.size)
        finish(r, PP_FAIL(PP_E_PROOF, size)); /* the witness approves no smaller tree */
    else
        fetch(r);
}

/* --- life ---------------------------------------------------------------------------------- */

static pp_res start_rules(struct pp_reader *r)
{
    struct pp_rules_config c = {
        .ledger = r->config.ledger,
        .name_space = r->config.name_space,
        .environment = r->config.environment,
        .keys = r->config.keys,
        .records = calloc(PP_READER_RECORDS_MAX, sizeof *c.records),
        .record_cap = PP_READER_RECORDS_MAX,
        .measurements = calloc(PP_READER_MEASUREMENTS_MAX, sizeof *c.measurements),
        .measurement_cap = PP_READER_MEASUREMENTS_MAX,
    };

    pp_rules_init(&r->rules, &c);
    PP_CHECK(c.records != NULL && c.measurements != NULL, PP_E_NO_MEMORY, 0);
    r->approved_rules = pp_rules_save(&r->rules);
    return PP_OK;
}

static pp_res set_up(struct pp_reader *r)
{
    const struct pp_http_client_config c = {
        .calls_max = 2, /* one that is under way, and one that is being told */
        .response_bytes_max = PP_READER_BUNDLE_MAX,
    };

    PP_CHECK(snprintf(r->url, sizeof r->url, "%s", r->config.url) < (int)sizeof r->url, PP_E_RANGE,
             0);
    PP_TRY(start_rules(r));
    PP_TRY(pp_http_client_new(r->config.loop, &c, &r->client));
    return pp_http_client_pin(r->client, r->url);
}

pp_res pp_reader_new(const struct pp_reader_config *c, struct pp_reader **ret)
{
    struct pp_reader *r = calloc(1, sizeof *r);

    PP_CHECK(r != NULL, PP_E_NO_MEMORY, sizeof *r);
    r->config = *c;
    pp_res res = set_up(r);
    if (!pp_is_ok(res)) {
        pp_reader_free(r);
        return res;
    }
    *ret = r;
    return PP_OK;
}

void pp_reader_free(struct pp_reader *r)
{
    if (r == NULL)
        return;
    if (r->pending != NULL)
        pp_http_client_cancel(r->pending);
    pp_http_client_free(r->client);
    free(r->rules.config.records);
    free(r->rules.config.measurements);
    free(r);
}
