/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <unistd.h>

#include "crypto.h"

/* --- CVMs that do as they are told ---------------------------------------------------------- */

static void answer_frame(struct cvm *v, uint8_t kind, uint32_t tag, const uint8_t *sid,
                         struct pp_span bytes)
{
    static uint8_t out[PP_FRAME_HEAD_BYTES + PP_FRAME_ANSWER_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_frame f = { .kind = kind, .tag = tag, .bytes = bytes };

    if (sid != NULL)
        memcpy(f.sid, sid, sizeof f.sid);
    assert_ok(pp_frame_write(&wr, PP_FRAME_ANSWERS, &f));
    assert_ok(pp_stream_write(v->stream, pp_wr_done(&wr)));
}

static void answer_in_pieces(struct cvm *v, uint32_t tag, const uint8_t *sid, struct pp_span bytes)
{
    for (size_t at = 0; at < bytes.len; at += 1000) {
        size_t n = bytes.len - at < 1000 ? bytes.len - at : 1000;
        answer_frame(v, at + n == bytes.len ? PP_FRAME_LAST : PP_FRAME_MORE, tag, sid,
                     pp_span(bytes.at + at, n));
    }
}

static void behave(struct cvm *v, const struct pp_frame *f)
{
    static uint8_t flight[60000];
    const uint8_t sid[PP_SID_BYTES] = { 7, (uint8_t)v->opens };
    const uint8_t other[PP_SID_BYTES] = { 8 };
    const uint8_t *own = f->kind == PP_FRAME_OPEN ? sid : f->sid;
    size_t len = f->kind == PP_FRAME_OPEN ? FLIGHT_BYTES : 700;

    memset(flight, 0xf1, sizeof flight);
    switch (v->behaviour) {
    case ANSWERS:
        answer_frame(v, PP_FRAME_LAST, f->tag, own, pp_span(flight, len));
        break;
    case IN_PIECES:
        answer_in_pieces(v, f->tag, own, pp_span(flight, len));
        break;
    case IS_BUSY:
        answer_frame(v, PP_FRAME_BUSY, f->tag, NULL, PP_STR(""));
        break;
    case IS_SILENT:
        break;
    case LATE:
        v->last = *f;
        pp_timer_set(v->world->late, 1);
        break;
    case HALF_ONLY:
        answer_frame(v, PP_FRAME_MORE, f->tag, own, pp_span(flight, 100));
        break;
    case STREAM_STOPS:
        answer_frame(v, PP_FRAME_MORE, f->tag, own, pp_span(flight, STREAMED_BYTES));
        break;
    case STREAM_SPILLS:
        answer_frame(v, PP_FRAME_MORE, f->tag, own, pp_span(flight, sizeof flight));
        break;
    case STREAM_BREAKS:
        answer_frame(v, PP_FRAME_MORE, f->tag, own, pp_span(flight, STREAMED_BYTES));
        pp_stream_finish(v->stream);
        break;
    case BREAKS_HALF:
        answer_frame(v, PP_FRAME_MORE, f->tag, own, pp_span(flight, 100));
        pp_stream_finish(v->stream);
        break;
    case BREAKS_OFF:
        pp_stream_finish(v->stream);
        break;
    case IS_GONE:
        answer_frame(v, PP_FRAME_GONE, f->tag, own, PP_STR(""));
        break;
    case TOO_LARGE:
        answer_frame(v, PP_FRAME_LAST, f->tag, own, pp_span(flight, sizeof flight));
        break;
    case WRONG_SID:
        answer_frame(v, PP_FRAME_MORE, f->tag, own, pp_span(flight, 100));
        answer_frame(v, PP_FRAME_LAST, f->tag, other, pp_span(flight, 100));
        break;
    case WRONG_TAG:
        answer_frame(v, PP_FRAME_LAST, f->tag ^ 1, own, pp_span(flight, 100));
        break;
    }
}

static void cvm_frame(struct cvm *v, const struct pp_frame *f)
{
    v->last = *f;
    v->last_len = f->bytes.len;
    if (f->kind == PP_FRAME_CLOSE) {
        v->closes++;
        memcpy(v->closed_sid, f->sid, sizeof v->closed_sid);
        answer_frame(v, PP_FRAME_LAST, f->tag, f->sid, PP_STR(""));
        if (v->world->stop_at_close)
            pp_loop_stop(v->world->loop);
        return;
    }
    (*(f->kind == PP_FRAME_OPEN ? &v->opens : &v->continues))++;
    behave(v, f);
    if (v->world->leave_when_asked) {
        v->world->leave_when_asked = 0;
        pp_http_client_cancel(v->world->pending);
    }
}

/* A LATE CVM answers once the server has noticed that its client is gone. */
static void on_late(void *ctx)
{
    struct world *w = ctx;

    if (pp_http_server_stats(w->server)->gone == 0) {
        pp_timer_set(w->late, 1);
        return;
    }
    for (size_t i = 0; i < CVMS; i++)
        if (w->cvm[i].opens > 0) {
            const uint8_t sid[PP_SID_BYTES] = { 7 };
            answer_frame(&w->cvm[i], PP_FRAME_LAST, w->cvm[i].last.tag, sid, PP_STR("flight"));
        }
}

static void cvm_readable(void *ctx, struct pp_stream *s)
{
    struct cvm *v = ctx;
    const struct pp_frame *f = NULL;

    do {
        struct pp_span input = pp_stream_input(s), left = input;
        assert_ok(pp_frame_feed(&v->reader, &left, &f));
        pp_stream_consume(s, input.len - left.len);
        if (f != NULL)
            cvm_frame(v, f);
    } while (f != NULL);
}

static void cvm_ended(void *ctx, struct pp_stream *s, pp_res why)
{
    struct cvm *v = ctx;

    pp_ignore(why, "the test looks at what the gateway makes of it");
    if (v->stream == s)
        v->stream = NULL;
    pp_stream_free(s);
}

static int cvm_accepted(void *ctx, struct pp_stream *s)
{
    struct cvm *v = ctx;

    v->stream = s;
    v->accepted++;
    pp_stream_set_ctx(s, v);
    pp_frame_rd_init(&v->reader, PP_FRAME_REQUESTS, v->buf, sizeof v->buf);
    return 1;
}

static struct pp_address start_cvm(struct world *w, struct cvm *v)
{
    struct pp_address at;
    const struct pp_stream_server_config c = { .stream = { .in_bytes_max = 1 << 19,
                                                           .out_bytes_max = 1 << 19,
                                                           .readable = cvm_readable,
                                                           .ended = cvm_ended },
                                               .connections_max = 4,
                                               .accepted = cvm_accepted,
                                               .ctx = v };

    v->world = w;
    assert_ok(pp_address_parse(PP_STR("127.0.0.1:0"), &at));
    assert_ok(pp_listener_open(&at, &v->listener));
    assert_ok(pp_stream_server_new(w->loop, &v->listener, &c, &v->server));
    return v->listener.address;
}

void stop_cvm(struct cvm *v)
{
    pp_stream_server_free(v->server);
    pp_stream_free(v->stream);
    pp_listener_done(&v->listener);
    v->server = NULL;
    v->stream = NULL;
}

/* --- the world ------------------------------------------------------------------------------ */

static uint64_t service_posix_ms(void *ctx)
{
    struct world *w = ctx;
    struct pp_clock system = pp_clock_system();

    return system.posix_ms(system.ctx) + w->later_s * 1000;
}

static uint64_t service_mono_ms(void *ctx)
{
    struct pp_clock system = pp_clock_system();

    (void)ctx;
    return pp_clock_mono_ms(&system);
}

static void on_tick(void *ctx)
{
    pp_loop_stop(((struct world *)ctx)->loop);
}

static void on_impatient(void *ctx)
{
    (void)ctx;
    fail_msg("%s", "nothing came of it in time");
}

/* Of the service, in milliseconds. */
struct times {
    uint32_t grid_ms, open_ms, continue_ms, idle_ms;
    size_t jobs; /* at a time; 0: 8 */
};

static void start_server(struct world *w, const struct times *t)
{
    const struct gw_service_config c = { .loop = w->loop,
                                         .decap = &w->decap,
                                         .cvms = w->cvms,
                                         .choice = &w->choice,
                                         .redeemer = w->redeemer_link,
                                         .handle_keys = &w->handle_keys,
                                         .authority = PP_STR(DEVICE_AUTHORITY),
                                         .clock = w->clock,
                                         .random = w->random,
                                         .grid_ms = t->grid_ms,
                                         .try_ms = PATIENCE_MS,
                                         .open_ms = t->open_ms,
                                         .continue_ms = t->continue_ms,
                                         .job_count = t->jobs > 0 ? t->jobs : 8 };
    struct pp_address at;

    assert_ok(gw_service_new(&c, &w->service));
    const struct pp_http_route routes[] = {
        { "POST", "/.well-known/ohttp-gateway", GW_BODY_BYTES_MAX, gw_service_post, w->service },
        { "GET", "/.well-known/ohttp-gateway", 0, gw_service_keys, w->service },
    };
    const struct pp_http_server_config s = { .routes = routes,
                                             .route_count = PP_ARRAY_COUNT(routes),
                                             .scratch_bytes = GW_SCRATCH_BYTES,
                                             .connections_max = 8 };
    assert_ok(pp_http_server_new(w->loop, &s, &w->server));
    assert_ok(pp_address_parse(PP_STR("127.0.0.1:0"), &at));
    assert_ok(pp_listener_open(&at, &w->listener));
    assert_ok(pp_http_server_listen(w->server, &w->listener));
}

/* --- the processes with the keys, on threads ------------------------------------------------- */

static void on_news(void *ctx, struct pp_span news)
{
    struct world *w = ctx;

    if (news.at[0] == GW_NEWS_KEYS && w->service != NULL)
        gw_service_set_keys(w->service, pp_span(news.at + 1, news.len - 1));
}

static void on_desk_ended(void *ctx, pp_res why)
{
    struct world *w = ctx;

    w->desk_end = why;
}

static void start_desks(struct world *w)
{
    const struct gw_process opener = gw_opener_process(&w->opener);
    const struct gw_process redeemer = gw_redeemer_process(&w->redeemer);
    struct gw_link_config c = { .loop = w->loop,
                                .fd = test_desk_start(&w->desks[0], &opener),
                                .ask_bytes_max = GW_OPEN_ASK_BYTES_MAX,
                                .answer_bytes = GW_MATERIAL_BYTES,
                                .asks_max = 8,
                                .news_kinds = "sek",
                                .news = on_news,
                                .ended = on_desk_ended,
                                .ctx = w };

    assert_ok(gw_link_new(&c, &w->decap.opener));
    c.fd = test_desk_start(&w->desks[1], &redeemer);
    c.ask_bytes_max = PP_TOKEN_FIELD_BYTES_MAX;
    c.answer_bytes = GW_REDEEMED_BYTES;
    assert_ok(gw_link_new(&c, &w->redeemer_link));
}

static void stop_desks(struct world *w)
{
    gw_link_free(w->decap.opener);
    gw_link_free(w->redeemer_link);
    for (size_t i = 0; i < PP_ARRAY_COUNT(w->desks); i++)
        test_desk_join(&w->desks[i]);
    gw_keys_done(&w->opener.keys);
    gw_redeemer_done(&w->redeemer);
}

static int set_up_with(void **state, const struct times *t)
{
    static struct world w;
    struct pp_kem_key *key = NULL;
    struct pp_address addresses[CVMS];
    static const uint8_t handle_key[PP_HANDLE_KEY_BYTES] = { 9 }, seed[PP_CRED_SEED_BYTES] = { 1 };
    const struct pp_http_client_config client = { .response_bytes_max = 65536 };

    w = (struct world){ .random = pp_random_system(), .folder = "/tmp/pp-gateway-XXXXXX" };
    w.clock = (struct pp_clock){ service_posix_ms, service_mono_ms, &w };
    assert_ok(pp_crypto_init());
    assert_non_null(mkdtemp(w.folder));
    snprintf(w.store, sizeof w.store, "%s/spent", w.folder);
    assert_ok(pp_loop_new(&w.loop));
    assert_ok(pp_timer_new(w.loop, on_impatient, &w, &w.patience));
    assert_ok(pp_timer_new(w.loop, on_late, &w, &w.late));
    assert_ok(pp_timer_new(w.loop, on_tick, &w, &w.tick));
    w.decap.random = w.random;
    w.decap.clock = w.clock;
    assert_ok(pp_kem_key_generate(PP_KEM_X25519_SHA256, &w.random, &key));
    assert_ok(pp_ohttp_gateway_add(&w.opener.keys.gateway, 1, key, &DEVICE_SUITE, 1));
    assert_ok(pp_replay_init(&w.decap.replay, w.replay, 4096, 120000, pp_clock_mono_ms(&w.clock),
                             &w.random));
    for (size_t i = 0; i < CVMS; i++)
        addresses[i] = start_cvm(&w, &w.cvm[i]);
    w.choice = (struct gw_choice){ .random = w.random, .fd = -1 };
    assert_ok(gw_choice_turn(&w.choice, pp_clock_posix_s(&w.clock)));
    assert_ok(gw_cvms_new(w.loop, addresses, CVMS, t->idle_ms, &w.clock, &w.cvms));
    assert_ok(pp_cred_key_derive(PP_TOKEN_VOPRF_RISTRETTO255, PP_BYTES(seed), &w.cred_key));
    uint32_t day = (uint32_t)(pp_clock_posix_s(&w.clock) / PP_EPOCH_SECONDS);
    assert_ok(pp_cred_epoch_init(&w.redeemer.epochs[0], &w.cred_key, day, PP_STR(DEVICE_ISSUER),
                                 PP_STR(DEVICE_AUTHORITY)));
    w.device.random = w.random;
    w.device.key = w.opener.keys.gateway.keys[0].config;
    device_fill_wallet(&w.device, &w.cred_key, day);
    w.redeemer.epoch_count = 1;
    w.redeemer.store = w.store;
    w.redeemer.clock = w.clock;
    start_desks(&w);
    w.handle_keys.count = 1;
    w.handle_keys.keys[0].id = 3;
    assert_ok(pp_aead_new(PP_AES_256_GCM, PP_BYTES(handle_key), &w.handle_keys.keys[0].aead));
    start_server(&w, t);
    assert_ok(pp_http_client_new(w.loop, &client, &w.client));
    *state = &w;
    return 0;
}

/* Deadlines are generous where no test is about them: machines are busy. */
int set_up(void **state)
{
    const struct times t = { 0, PATIENCE_MS, PATIENCE_MS, PATIENCE_MS };

    return set_up_with(state, &t);
}

int set_up_with_grid(void **state)
{
    const struct times t = { GRID_MS, PATIENCE_MS, PATIENCE_MS, PATIENCE_MS };

    return set_up_with(state, &t);
}

int set_up_with_endless_grid(void **state)
{
    const struct times t = { 100 * PATIENCE_MS, PATIENCE_MS, PATIENCE_MS, PATIENCE_MS };

    return set_up_with(state, &t);
}

int set_up_with_deadlines(void **state)
{
    const struct times t = { 0, PATIENCE_MS, 300, PATIENCE_MS }; /* of second exchanges */

    return set_up_with(state, &t);
}

int set_up_idling(void **state)
{
    const struct times t = { 0, PATIENCE_MS, PATIENCE_MS, 100 };

    return set_up_with(state, &t);
}

int set_up_with_one_place(void **state)
{
    const struct times t = { 0, 1000, PATIENCE_MS, PATIENCE_MS, 1 };

    return set_up_with(state, &t);
}

int tear_down(void **state)
{
    static const char *const files[] = { "", "-wal", "-shm" };
    struct world *w = *state;

    pp_http_client_free(w->client);
    pp_http_server_free(w->server);
    gw_service_free(w->service);
    stop_desks(w);
    gw_cvms_free(w->cvms);
    for (size_t i = 0; i < CVMS; i++)
        stop_cvm(&w->cvm[i]);
    pp_listener_done(&w->listener);
    pp_timer_free(w->patience);
    pp_timer_free(w->late);
    pp_timer_free(w->tick);
    pp_loop_free(w->loop);
    device_done(&w->device);
    pp_replay_done(&w->decap.replay);
    pp_aead_free(w->handle_keys.keys[0].aead);
    pp_cred_key_done(&w->cred_key);
    for (size_t i = 0; i < PP_ARRAY_COUNT(files); i++) {
        char path[96];
        snprintf(path, sizeof path, "%s%s", w->store, files[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(w->folder), 0);
    return 0;
}

/* --- a client ------------------------------------------------------------------------------- */

void on_response(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct world *w = ctx;

    w->seen = (struct seen){ .call = r };
    w->device.answer.status = 0;
    pp_loop_stop(w->loop);
    if (!pp_is_ok(r))
        return;
    w->seen.outer_status = response->status;
    w->seen.outer_len = response->body.len;
    snprintf(w->seen.outer_type, sizeof w->seen.outer_type, "%.*s", (int)response->type.len,
             (const char *)response->type.at);
    if (response->status == 200 && response->type.len > 0 && w->device.exchange.hpke.role != 0)
        device_read_answer(&w->device, response->body);
}

void run(struct world *w)
{
    pp_timer_set(w->patience, PATIENCE_MS);
    assert_ok(pp_loop_run(w->loop));
    pp_timer_cancel(w->patience);
}

void start_call_with(struct world *w, const char *query, const struct pp_http_field *fields,
                     size_t count)
{
    char url[80];
    struct pp_http_call call = { .method = "POST",
                                 .url = url,
                                 .fields = fields,
                                 .field_count = count,
                                 .body = pp_span(w->device.body, w->device.body_len),
                                 .deadline_ms = PATIENCE_MS };

    snprintf(url, sizeof url, "http://127.0.0.1:%u/.well-known/ohttp-gateway%s",
             w->listener.address.port, query);
    assert_ok(pp_http_client_start(w->client, &call, on_response, w, &w->pending));
}

void start_call(struct world *w, const struct pp_http_field *fields, size_t count)
{
    start_call_with(w, "", fields, count);
}

void post(struct world *w)
{
    static const struct pp_http_field TYPE = FIELD("content-type", "message/ohttp-req");

    start_call(w, &TYPE, 1);
    run(w);
}

void assert_answer(const struct world *w, uint32_t status, size_t bucket)
{
    assert_ok(w->seen.call);
    assert_int_equal(w->seen.outer_status, 200);
    assert_string_equal(w->seen.outer_type, "message/ohttp-res");
    assert_int_equal(w->device.answer.status, status);
    assert_int_equal(w->seen.outer_len, bucket);
    if (status != 200) {
        assert_int_equal(w->device.answer.field_count, 0); /* no challenge, no reason */
        assert_int_equal(w->device.answer.content_len, 0);
    }
}

void assert_clear(const struct world *w, uint32_t status)
{
    assert_ok(w->seen.call);
    assert_int_equal(w->seen.outer_status, status);
    assert_int_equal(w->device.answer.status, 0);
    if (status == 422)
        assert_string_equal(w->seen.outer_type, "application/problem+json");
    else
        assert_int_equal(w->seen.outer_len, 0);
}

void all_behave(struct world *w, enum behaviour behaviour)
{
    for (size_t i = 0; i < CVMS; i++)
        w->cvm[i].behaviour = behaviour;
}

size_t total_of(const struct world *w, size_t offset)
{
    size_t n = 0;

    for (size_t i = 0; i < CVMS; i++)
        n += *(const size_t *)(const void *)((const char *)&w->cvm[i] + offset);
    return n;
}

void open_session(struct world *w)
{
    device_seal_open(&w->device);
    post(w);
    assert_answer(w, 200, 32768);
}
