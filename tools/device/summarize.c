/* SPDX-License-Identifier: Apache-2.0 */
/* The main job: one chat, one verified session, one summary. */
#include "device_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clean.h"
#include "cred.h"
#include "sizes.h"

struct run {
    struct pp_device *d;
    const struct pp_chat *chat;
    uint32_t words;
    const char *receipt;
    struct pp_arena *arena;
    struct pp_summary *out;
    struct pp_session *session;
    char relay[PP_HTTP_URL_BYTES_MAX];
    uint64_t stage_from_us;
    uint64_t opened_mono_ms; /* when exchange #1 left */
};

static uint64_t cpu_us(void)
{
    struct timespec t;

    PP_ASSERT(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void stage_end(struct run *r, size_t stage)
{
    uint64_t now = cpu_us();

    r->out->stage_us[stage] = now - r->stage_from_us;
    r->stage_from_us = now;
}

/* Step 4: a token that has rested, gone from the wallet before it is used. */
static pp_res take_token(struct run *r, struct pp_secret *ret)
{
    struct pp_device *d = r->d;
    struct pp_wallet_key keys[PP_WALLET_EPOCHS_MAX];
    size_t count = pp_device_wallet_keys(d, keys);

    pp_problem_party(&d->problem, "device/wallet");
    pp_problem_set(&d->problem, "tokens", "one that may be spent now", PP_STR("none"));
    PP_TRY(pp_wallet_take(d->wallet, keys, count, pp_clock_posix_s(&d->clock), ret));
    pp_problem_set(&d->problem, "", "", PP_STR(""));
    pp_check_add(&d->checks, PP_STEP_TOKEN, PP_E_ISSUER_KEY, PP_VERDICT_PROVEN,
                 "an unlinkable token, proven when issued to be under the epoch's one logged key",
                 PP_STR("key-epoch record"), PP_STR("spent now, whatever happens"));
    return PP_OK;
}

/* One relay is drawn for the whole session. */
static pp_res choose_relay(struct run *r)
{
    struct pp_device *d = r->d;
    uint64_t i;

    PP_TRY(pp_random_below(&d->random, d->trust->relay_count, &i));
    return device_text(d->trust->relays[i], r->relay, sizeof r->relay);
}

/* Posts one OHTTP body. An answer in clear is nobody's word: it ends the session, no more. */
static pp_res post(struct run *r, struct pp_span body, uint32_t deadline_ms,
                   struct pp_http_result *ret)
{
    struct pp_device *d = r->d;
    const struct pp_http_field fields[] = {
        { PP_STR("content-type"), pp_span_cstr(PP_OHTTP_REQUEST_TYPE) },
    };
    const struct pp_http_call call = { .method = "POST",
                                       .url = r->relay,
                                       .fields = fields,
                                       .field_count = PP_ARRAY_COUNT(fields),
                                       .body = body,
                                       .deadline_ms = deadline_ms };

    PP_TRY(device_call(d, "relay", &call, ret));
    if (ret->status != 200 || strcmp(ret->type, PP_OHTTP_RESPONSE_TYPE) != 0) {
        pp_problem_party(&d->problem, "relay");
        pp_problem_numbers(&d->problem, "status, with " PP_OHTTP_RESPONSE_TYPE, 200, ret->status);
        return PP_FAIL(PP_E_HTTP_STATUS, ret->status);
    }
    return PP_OK;
}

/*
 * Exchange #2 leaves on a tick of the grid that #1 began, so that the gap says nothing of this
 * device's speed or of what it encodes. In dev the grid is 0, or what the settings say.
 */
static void wait_for_tick(const struct run *r)
{
    uint32_t grid_ms = r->d->trust->environment == PP_RECORD_DEV ? (uint32_t)r->d->settings.grid_ms
                                                                 : PP_GRID_MS;
    uint32_t wait = pp_grid_wait(r->opened_mono_ms, pp_clock_mono_ms(&r->d->clock), grid_ms);
    struct timespec rest = { .tv_nsec = (long)wait * 1000000 };

    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, &rest) == EINTR)
        ;
}

static pp_res exchange_1(struct run *r, const struct pp_verified **ret)
{
    PP_AUTO(pp_secret) token = { 0 };
    struct pp_http_result http = { 0 };
    struct pp_span body;

    PP_TRY(take_token(r, &token));
    PP_TRY(pp_session_open(r->session, pp_secret_span(&token), &body));
    stage_end(r, 0);
    r->opened_mono_ms = pp_clock_mono_ms(&r->d->clock);
    pp_res res = post(r, body, PP_SESSION_DEADLINE_MS, &http);
    if (pp_is_ok(res))
        res = pp_session_opened(r->session, http.body, http.body_len, ret);
    pp_http_result_done(&http);
    stage_end(r, 1);
    device_show(r->d);
    return res;
}

/* Step 13: the record for the user's report stands before anything is sent. */
static pp_res write_record(struct run *r)
{
    static const struct pp_answer unknown = {
        .outcome = PP_OUTCOME_FAILED,
        .engine = { .kind = { (const uint8_t *)"none", 4 },
                    .name = { (const uint8_t *)"not reached", 11 } },
    };
    struct pp_device *d = r->d;

    if (r->receipt != NULL) {
        PP_CHECK(strlen(r->receipt) < sizeof r->out->receipt, PP_E_USAGE, 0);
        memcpy(r->out->receipt, r->receipt, strlen(r->receipt) + 1);
    } else {
        uint8_t id[8];
        char tail[64];
        struct pp_wr wr = pp_wr_over(tail, sizeof tail);
        PP_TRY(pp_random_fill(&d->random, id, sizeof id));
        pp_wr_text(&wr, "device/receipts/");
        pp_wr_hex(&wr, PP_BYTES(id));
        pp_wr_text(&wr, ".receipt");
        pp_wr_u8(&wr, 0);
        PP_TRY(pp_wr_ok(&wr));
        PP_TRY(pp_device_path(d, tail, r->out->receipt));
    }
    pp_check_add(&d->checks, PP_STEP_RECORD, PP_E_STORE, PP_VERDICT_ASSERTED,
                 "the receipt is written before anything is sent", PP_STR("this device"),
                 PP_STR("evidence, proofs, decisions, sizes; no content"));
    pp_res res = device_write_receipt(d, r->session, r->out->receipt, &unknown);
    if (!pp_is_ok(res))
        r->out->receipt[0] = '\0';
    device_show(d);
    return res;
}

static struct pp_request request_of(const struct run *r)
{
    return (struct pp_request){
        .feature = PP_FEATURE_SUMMARIZE,
        .feature_name = PP_STR("summarize"),
        .answer_kib = (uint32_t)r->d->settings.answer_kib,
        .summarize = { .words = r->words,
                       .messages = r->chat->messages,
                       .message_count = r->chat->message_count },
    };
}

/* A chat that no bucket holds costs no token: the person is told how many messages would fit. */
static pp_res check_size(struct run *r)
{
    const struct pp_request request = request_of(r);
    char expected[64], got[24];
    struct pp_wr wr = pp_wr_over(expected, sizeof expected), got_wr = pp_wr_over(got, sizeof got);

    pp_res res = pp_session_fits(r->d->trust, &request, r->arena);
    if (res.code != PP_E_TOO_LARGE)
        return res;
    pp_wr_text(&wr, "as many as fit: select the latest ");
    pp_wr_decimal(&wr, res.detail);
    pp_wr_u8(&wr, 0);
    pp_wr_decimal(&got_wr, r->chat->message_count);
    return device_refuse(r->d, res, "chat", "messages", expected, pp_wr_done(&got_wr));
}

static pp_res exchange_2(struct run *r, const struct pp_verified *verified, struct pp_answer *ret)
{
    struct pp_request request = request_of(r);
    struct pp_http_result http = { 0 };
    struct pp_span body;

    PP_TRY(device_may_send(r->d, r->chat));
    PP_TRY(pp_session_send(r->session, verified, &request, &body));
    stage_end(r, 2);
    wait_for_tick(r);
    r->out->sent_user_bytes = body.len;
    pp_res res = post(r, body, PP_SESSION_ANSWER_MS, &http);
    if (pp_is_ok(res))
        res = pp_session_answered(r->session, http.body, http.body_len, ret);
    pp_http_result_done(&http);
    stage_end(r, 3);
    return res;
}

/* Items of the answer with names in the place of the speaker marks. */
static pp_res put_names(struct run *r, const struct pp_answer *a)
{
    struct pp_infer_items items = { .count = a->item_count };

    items.at = pp_arena_array(r->arena, a->item_count, sizeof *items.at);
    PP_CHECK(items.at != NULL, PP_E_NO_MEMORY, a->item_count);
    for (size_t i = 0; i < a->item_count; i++) {
        const struct pp_item *from = &a->items[i];
        uint64_t *ids = pp_arena_array(r->arena, from->cited_count, sizeof *ids);

        PP_CHECK(ids != NULL || from->cited_count == 0, PP_E_NO_MEMORY, from->cited_count);
        for (size_t k = 0; k < from->cited_count; k++)
            ids[k] = from->cited[k];
        items.at[i] = (struct pp_infer_item){ .kind = (uint32_t)from->kind,
                                              .text = from->text,
                                              .ids = ids,
                                              .id_count = from->cited_count };
    }
    pp_problem_party(&r->d->problem, "CVM");
    pp_problem_set(&r->d->problem, "answer", "sentences about this chat's speakers", PP_STR(""));
    PP_TRY(pp_infer_names_apply(&items, r->chat->names, r->chat->name_count, r->words, r->arena,
                                &r->out->items));
    pp_problem_set(&r->d->problem, "", "", PP_STR(""));
    return PP_OK;
}

static pp_res run_session(struct run *r)
{
    const struct pp_verified *verified = NULL;
    struct pp_answer answer = { 0 };
    struct pp_device *d = r->d;
    const struct pp_session_env env = { .trust = d->trust,
                                        .ledger = d->ledger,
                                        .marks = d->marks,
                                        .ratls = d->ratls,
                                        .random = &d->random,
                                        .arena = r->arena,
                                        .checks = &d->checks,
                                        .problem = &d->problem };

    PP_TRY(check_size(r));
    PP_TRY(choose_relay(r));
    PP_TRY(pp_session_init(r->session, &env));
    PP_TRY(exchange_1(r, &verified));
    r->out->simulated = verified->appraisal.simulated;
    r->out->retains = verified->appraisal.retains;
    PP_TRY(write_record(r));
    pp_res res = exchange_2(r, verified, &answer);
    memcpy(r->out->sizes, r->session->sizes, sizeof r->out->sizes);
    if (!pp_is_ok(res) && res.code != PP_E_ANSWER_REFUSED && res.code != PP_E_ANSWER_FAILED)
        return res;
    if (res.code == PP_E_ANSWER_FAILED) /* one outcome for both: the wire has no third */
        res = device_refuse(
            d, res, "CVM", "answer", "a summary",
            PP_STR("none: nothing in this chat is worth one, or the engine failed"));
    /* Whatever the worker's outcome is: the record says it. */
    PP_TRY(device_write_receipt(d, r->session, r->out->receipt, &answer));
    PP_TRY(res);
    r->out->engine = answer.engine;
    r->out->used = answer.used;
    return put_names(r, &answer);
}

pp_res pp_device_summarize(struct pp_device *d, const struct pp_chat *chat, uint32_t words,
                           const char *receipt, struct pp_arena *arena, struct pp_summary *ret)
{
    struct run r = { .d = d,
                     .chat = chat,
                     .words = words,
                     .receipt = receipt,
                     .arena = arena,
                     .out = ret,
                     .session = calloc(1, sizeof *r.session),
                     .stage_from_us = cpu_us() };
    pp_res res = PP_FAIL(PP_E_NO_MEMORY, 0);

    *ret = (struct pp_summary){ 0 };
    if (r.session != NULL) {
        res = run_session(&r);
        pp_session_done(r.session);
    }
    free(r.session);
    return res;
}
