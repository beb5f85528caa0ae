/* SPDX-License-Identifier: Apache-2.0 */
#include "round.h"

#include <stdio.h>
#include <stdlib.h>

struct witness {
    struct pp_round *round;
    size_t number; /* in the policy */
    char url[PP_ROUND_URL_BYTES_MAX];
    uint64_t cosigned; /* the size that it cosigned last, as far as we know */
    unsigned asks;
    int is_ahead; /* 1: in this round it said that it has cosigned a larger tree */
    struct pp_http_pending *pending; /* NULL: not asked now */
    uint8_t *request;                /* PP_WITNESS_REQUEST_MAX */
    uint8_t line[PP_NOTE_LINE_BYTES_MAX];
    size_t line_len; /* 0: it has not cosigned this note */
};

struct pp_round {
    struct pp_round_config config;
    struct pp_http_client *client;
    struct pp_timer *grace;
    struct witness witnesses[PP_POLICY_WITNESSES_MAX];
    size_t count;
    struct pp_span text; /* of the signed note */
    int busy;
};

static void ask(struct witness *w);

/* --- the end of a round -------------------------------------------------------------------- */

static uint64_t cosigned_by(const struct pp_round *r)
{
    uint64_t set = 0;

    for (size_t i = 0; i < r->count; i++)
        if (r->witnesses[i].line_len > 0)
            set |= UINT64_C(1) << i;
    return set;
}

static size_t being_asked(const struct pp_round *r)
{
    size_t count = 0;

    for (size_t i = 0; i < r->count; i++)
        count += r->witnesses[i].pending != NULL;
    return count;
}

static void cancel_all(struct pp_round *r)
{
    pp_timer_cancel(r->grace);
    for (size_t i = 0; i < r->count; i++) {
        if (r->witnesses[i].pending != NULL)
            pp_http_client_cancel(r->witnesses[i].pending);
        r->witnesses[i].pending = NULL;
    }
    r->busy = 0;
}

static void end(struct pp_round *r, enum pp_round_result result)
{
    uint8_t note[PP_LOG_NOTE_MAX];
    struct pp_wr wr = pp_wr_over(note, sizeof note);
    const struct pp_log_store *s = &r->config.sequencer->store;

    cancel_all(r);
    pp_wr_bytes(&wr, s->note, s->note_len);
    for (size_t i = 0; i < r->count; i++) /* in the policy's order, so that it has one form */
        pp_wr_bytes(&wr, r->witnesses[i].line, r->witnesses[i].line_len);
    if (!pp_is_ok(pp_wr_ok(&wr)))
        result = PP_ROUND_NO_QUORUM; /* more lines than a checkpoint file may have */
    r->config.over(r->config.ctx, result, pp_wr_done(&wr));
}

static void on_grace(void *ctx)
{
    end(ctx, PP_ROUND_QUORUM);
}

static void look(struct pp_round *r)
{
    int met = pp_is_ok(pp_policy_decide(r->config.policy, cosigned_by(r)));

    if (being_asked(r) == 0)
        end(r, met ? PP_ROUND_QUORUM : PP_ROUND_NO_QUORUM);
    else if (met)
        pp_timer_set(r->grace, PP_ROUND_GRACE_MS);
}

/* --- answers ------------------------------------------------------------------------------- */

static void failed(struct witness *w, enum pp_log_failure why)
{
    pp_ev_log_witness_failed(w->round->config.events, w->number, why);
}

/* Keeps the witness's line, if the answer has one that verifies over our text. */
static pp_res take_cosignature(struct witness *w, struct pp_span body)
{
    const struct pp_note_key *key = &w->round->config.policy->witness_keys[w->number];
    struct pp_span line;

    PP_TRY(pp_witness_answer_line(body, w->round->text, key, &line));
    PP_CHECK(line.len <= sizeof w->line, PP_E_LIMIT, line.len);
    memcpy(w->line, line.at, line.len);
    w->line_len = line.len;
    return PP_OK;
}

/*
 * Those that have cosigned a larger tree will not cosign ours. When the others alone can be no
 * quorum, a quorum has seen more than we have: we are a backup. One witness that lies about its
 * size is a witness too few, and must not be able to end the log.
 */
static int is_behind(const struct pp_round *r)
{
    uint64_t others = 0;

    for (size_t i = 0; i < r->count; i++)
        if (!r->witnesses[i].is_ahead)
            others |= UINT64_C(1) << i;
    return !pp_is_ok(pp_policy_decide(r->config.policy, others));
}

static void on_conflict(struct witness *w, struct pp_span body)
{
    struct pp_round *r = w->round;
    uint64_t size = pp_log_store_size(&r->config.sequencer->store);
    uint64_t cosigned;

    if (!pp_is_ok(pp_witness_conflict_parse(body, &cosigned))) {
        failed(w, PP_LOG_FAILURE_MALFORMED);
    } else if (cosigned > size) {
        w->is_ahead = 1;
        if (is_behind(r)) {
            pp_ev_log_behind(r->config.events, size, cosigned);
            end(r, PP_ROUND_BEHIND);
            return;
        }
        failed(w, PP_LOG_FAILURE_CONFLICT);
    } else if (w->asks < PP_ROUND_ASKS_MAX) {
        w->cosigned = cosigned;
        ask(w);
    } else {
        failed(w, PP_LOG_FAILURE_CONFLICT);
    }
    look(r);
}

static void on_answer(void *ctx, pp_res res, const struct pp_http_response *response)
{
    struct witness *w = ctx;
    struct pp_round *r = w->round;

    w->pending = NULL;
    if (!pp_is_ok(res)) {
        failed(w, res.code == PP_E_TIMEOUT ? PP_LOG_FAILURE_LATE : PP_LOG_FAILURE_UNREACHABLE);
    } else if (response->status == PP_WITNESS_CONFLICT) {
        on_conflict(w, response->body);
        return;
    } else if (response->status != PP_WITNESS_COSIGN) {
        failed(w, response->status == PP_WITNESS_UNKNOWN_LOG ? PP_LOG_FAILURE_UNKNOWN_LOG
                                                             : PP_LOG_FAILURE_REFUSED);
    } else if (!pp_is_ok(take_cosignature(w, response->body))) {
        failed(w, PP_LOG_FAILURE_BAD_COSIGNATURE);
    } else {
        w->cosigned = pp_log_store_size(&r->config.sequencer->store);
    }
    look(r);
}

/* --- questions ----------------------------------------------------------------------------- */

static pp_res start(struct witness *w)
{
    struct pp_round *r = w->round;
    const struct pp_log_store *s = &r->config.sequencer->store;
    struct pp_wr wr = pp_wr_over(w->request, PP_WITNESS_REQUEST_MAX);
    struct pp_merkle_path proof;

    PP_TRY(pp_sequencer_consistency(r->config.sequencer, w->cosigned, &proof));
    pp_witness_request_write(&wr, w->cosigned, &proof, pp_span(s->note, s->note_len));
    PP_TRY(pp_wr_ok(&wr));
    const struct pp_http_call call = {
        .method = "POST",
        .url = w->url,
        .body = pp_wr_done(&wr),
        .deadline_ms = r->config.deadline_ms,
    };
    return pp_http_client_start(r->client, &call, on_answer, w, &w->pending);
}

static void ask(struct witness *w)
{
    w->asks++;
    if (pp_is_ok(start(w)))
        return;
    w->pending = NULL;
    failed(w, PP_LOG_FAILURE_UNREACHABLE);
}

static void ask_all(struct pp_round *r)
{
    PP_ASSERT(!r->busy);
    r->busy = 1;
    for (size_t i = 0; i < r->count; i++) {
        r->witnesses[i].asks = 0;
        r->witnesses[i].is_ahead = 0;
        if (r->witnesses[i].line_len == 0)
            ask(&r->witnesses[i]);
    }
    look(r);
}

void pp_round_begin(struct pp_round *r)
{
    const struct pp_log_store *s = &r->config.sequencer->store;
    struct pp_note n;

    PP_ASSERT(pp_is_ok(pp_note_parse(pp_span(s->note, s->note_len), &n)));
    r->text = n.text;
    for (size_t i = 0; i < r->count; i++)
        r->witnesses[i].line_len = 0;
    ask_all(r);
}

void pp_round_again(struct pp_round *r)
{
    ask_all(r);
}

int pp_round_is_busy(const struct pp_round *r)
{
    return r->busy;
}

/* --- life ---------------------------------------------------------------------------------- */

static pp_res add_witness(struct pp_round *r, size_t i)
{
    struct pp_span url = r->config.policy->witness_urls[i];
    struct witness *w = &r->witnesses[i];

    PP_CHECK(url.len > 0, PP_E_MISSING, i);
    PP_CHECK(snprintf(w->url, sizeof w->url, "%.*s/add-checkpoint", (int)url.len,
                      (const char *)url.at) < (int)sizeof w->url,
             PP_E_RANGE, i);
    w->round = r;
    w->number = i;
    w->request = malloc(PP_WITNESS_REQUEST_MAX);
    PP_CHECK(w->request != NULL, PP_E_NO_MEMORY, i);
    r->count = i + 1;
    return pp_http_client_pin(r->client, w->url);
}

static pp_res set_up(struct pp_round *r)
{
    const struct pp_http_client_config c = {
        .calls_max = PP_POLICY_WITNESSES_MAX,
        .response_bytes_max = PP_WITNESS_ANSWER_MAX,
    };

    PP_TRY(pp_http_client_new(r->config.loop, &c, &r->client));
    PP_TRY(pp_timer_new(r->config.loop, on_grace, r, &r->grace));
    for (size_t i = 0; i < r->config.policy->witness_count; i++)
        PP_TRY(add_witness(r, i));
    return PP_OK;
}

pp_res pp_round_new(const struct pp_round_config *c, struct pp_round **ret)
{
    struct pp_round *r = calloc(1, sizeof *r);

    PP_CHECK(r != NULL, PP_E_NO_MEMORY, sizeof *r);
    r->config = *c;
    pp_res res = set_up(r);
    if (!pp_is_ok(res)) {
        pp_round_free(r);
        return res;
    }
    *ret = r;
    return PP_OK;
}

void pp_round_free(struct pp_round *r)
{
    if (r == NULL)
        return;
    if (r->client != NULL && r->grace != NULL)
        cancel_all(r);
    for (size_t i = 0; i < PP_POLICY_WITNESSES_MAX; i++)
        free(r->witnesses[i].request);
    pp_timer_free(r->grace);
    pp_http_client_free(r->client);
    free(r);
}
