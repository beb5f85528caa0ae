/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole gateway on one loop: a client that speaks as the relay does, the service, and CVMs that
 * behave as a test tells them. No test waits for time that it does not measure.
 */
#include "harness.h"

#include "allocations.h"

#include <unistd.h>

#include "crypto.h"
#include "desks.h"
#include "device.h"
#include "redeemer.h"
#include "session.h"
#include "spent.h"

enum { CVMS = 4, PATIENCE_MS = 20000, FLIGHT_BYTES = 29500, GRID_MS = 300 };

enum behaviour {
    ANSWERS = 0,
    IN_PIECES, /* the answer in frames of at most 1000 bytes */
    IS_BUSY,
    IS_SILENT,
    BREAKS_OFF,  /* closes the connection without an answer */
    BREAKS_HALF, /* ... behind half of one */
    IS_GONE,
    TOO_LARGE, /* more than any bucket */
    WRONG_SID, /* a second frame with another session's id */
    WRONG_TAG, /* an answer that nobody asked for */
    HALF_ONLY, /* one frame, and then silence */
    LATE,      /* the answer comes when the client has left */
};

struct cvm {
    struct world *world;
    struct pp_listener listener;
    struct pp_stream_server *server;
    struct pp_stream *stream;
    struct pp_frame_rd reader;
    uint8_t buf[PP_FRAME_REQUEST_BYTES_MAX];
    enum behaviour behaviour;
    size_t opens, continues, closes;
    struct pp_frame last; /* the last request, without its bytes */
    size_t last_len;
    uint8_t closed_sid[PP_SID_BYTES];
};

/* What a client saw of one exchange. */
struct seen {
    pp_res call;
    uint32_t outer_status;
    char outer_type[64];
    size_t outer_len;
};

struct world {
    struct pp_loop *loop;
    struct pp_timer *patience, *late, *tick;
    struct pp_http_server *server;
    struct pp_listener listener;
    struct pp_http_client *client;
    struct gw_service *service;
    struct gw_opener opener;
    struct gw_redeemer redeemer;
    struct test_desk desks[2];
    struct gw_link *redeemer_link;
    struct gw_decap decap;
    struct gw_cvms *cvms;
    struct gw_choice choice;
    struct pp_handle_keys handle_keys;
    struct pp_cred_key cred_key;
    struct device device;
    struct pp_random random;
    struct pp_clock clock;
    _Atomic uint64_t later_s; /* added to the clock of the service */
    struct cvm cvm[CVMS];
    char folder[64], store[80];
    _Alignas(16) uint8_t replay[4096 * PP_REPLAY_BUCKETS * PP_REPLAY_ENTRY_BYTES];

    /* The exchange under way. */
    struct pp_http_pending *pending;
    struct seen seen;
    pp_res desk_end;
    int leave_when_asked; /* the client goes away as soon as a CVM has its request */
    int stop_at_close;
};

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

static void stop_cvm(struct cvm *v)
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
                                         .job_count = 8 };
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
static int set_up(void **state)
{
    const struct times t = { 0, PATIENCE_MS, PATIENCE_MS, PATIENCE_MS };

    return set_up_with(state, &t);
}

static int set_up_with_grid(void **state)
{
    const struct times t = { GRID_MS, PATIENCE_MS, PATIENCE_MS, PATIENCE_MS };

    return set_up_with(state, &t);
}

static int set_up_with_deadlines(void **state)
{
    const struct times t = { 0, 1000, 300, PATIENCE_MS };

    return set_up_with(state, &t);
}

static int set_up_idling(void **state)
{
    const struct times t = { 0, PATIENCE_MS, PATIENCE_MS, 100 };

    return set_up_with(state, &t);
}

static int tear_down(void **state)
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

static void on_response(void *ctx, pp_res r, const struct pp_http_response *response)
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

static void run(struct world *w)
{
    pp_timer_set(w->patience, PATIENCE_MS);
    assert_ok(pp_loop_run(w->loop));
    pp_timer_cancel(w->patience);
}

static void start_call_with(struct world *w, const char *query, const struct pp_http_field *fields,
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

static void start_call(struct world *w, const struct pp_http_field *fields, size_t count)
{
    start_call_with(w, "", fields, count);
}

#define FIELD(n, v)                                                                                \
    {                                                                                              \
        { (const uint8_t *)(n), sizeof(n) - 1 },                                                   \
        {                                                                                          \
            (const uint8_t *)(v), sizeof(v) - 1                                                    \
        }                                                                                          \
    }

static void post(struct world *w)
{
    static const struct pp_http_field TYPE = FIELD("content-type", "message/ohttp-req");

    start_call(w, &TYPE, 1);
    run(w);
}

static void assert_answer(const struct world *w, uint32_t status, size_t bucket)
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

static void assert_clear(const struct world *w, uint32_t status)
{
    assert_ok(w->seen.call);
    assert_int_equal(w->seen.outer_status, status);
    assert_int_equal(w->device.answer.status, 0);
    if (status == 422)
        assert_string_equal(w->seen.outer_type, "application/problem+json");
    else
        assert_int_equal(w->seen.outer_len, 0);
}

static void all_behave(struct world *w, enum behaviour behaviour)
{
    for (size_t i = 0; i < CVMS; i++)
        w->cvm[i].behaviour = behaviour;
}

static size_t total_of(const struct world *w, size_t offset)
{
    size_t n = 0;

    for (size_t i = 0; i < CVMS; i++)
        n += *(const size_t *)(const void *)((const char *)&w->cvm[i] + offset);
    return n;
}

#define TOTAL(w, member) total_of((w), offsetof(struct cvm, member))

/* Opens a session and leaves its handle in w->seen. */
static void open_session(struct world *w)
{
    device_seal_open(&w->device);
    post(w);
    assert_answer(w, 200, 32768);
}

/* --- #1 ------------------------------------------------------------------------------------- */

static void the_first_exchange_opens_a_session_on_one_cvm(void **state)
{
    struct world *w = *state;

    open_session(w);
    assert_int_equal(w->device.answer.content_len, FLIGHT_BYTES);
    assert_int_equal(w->device.answer.content[FLIGHT_BYTES - 1], 0xf1);
    assert_int_equal(strlen(w->device.answer.handle), PP_HANDLE_TEXT_BYTES);
    assert_int_equal(w->device.answer.field_count, 1);
    assert_int_equal(TOTAL(w, opens), 1);
    assert_int_equal(gw_service_totals(w->service)->sessions, 1);

    all_behave(w, IN_PIECES);
    open_session(w);
    assert_int_equal(w->device.answer.content_len, FLIGHT_BYTES);
}

/* pp-wire 12, "#1 twice": replay 400, in the same bucket; never a second session. */
static void the_first_exchange_twice_never_gives_a_second_session(void **state)
{
    struct world *w = *state;

    open_session(w);
    post(w); /* the same body again */
    assert_answer(w, 400, 32768);
    assert_int_equal(TOTAL(w, opens), 1);
    assert_int_equal(gw_service_totals(w->service)->replayed, 1);
}

static size_t remembered(const struct world *w)
{
    size_t n = 0;

    for (size_t i = 0; i < PP_REPLAY_BUCKETS; i++)
        n += w->decap.replay.used[i];
    return n;
}

/* Else whoever can post a body fills the window, at no cost, for everybody. */
static void who_has_no_token_takes_no_room_in_the_replay_window(void **state)
{
    static const char *const WRONG_HANDLE = "AAAA";
    struct world *w = *state;
    struct pp_bhttp m = device_message("/");

    device_seal_open_with(&w->device, PP_STR("not a token"));
    post(w);
    assert_answer(w, 401, 32768);
    device_seal_continue(&w->device, WRONG_HANDLE, "4", 4096);
    post(w);
    assert_answer(w, 410, 4096);
    device_seal(&w->device, &m, 4096);
    post(w);
    assert_answer(w, 403, 1024);
    post(w); /* the same again is refused again, and looks the same */
    assert_answer(w, 403, 1024);
    assert_int_equal(remembered(w), 0);

    const struct pp_span token = device_token_field(&w->device, 0);
    device_seal_open_with(&w->device, token);
    post(w);
    assert_answer(w, 200, 32768);
    assert_int_equal(remembered(w), 1);
    device_seal_open_with(&w->device, device_token_field(&w->device, 0)); /* spent */
    post(w);
    assert_answer(w, 401, 32768);
    assert_int_equal(remembered(w), 1);
}

static void fill_window(struct world *w)
{
    pp_res r;

    do {
        uint8_t enc[32];
        assert_ok(pp_random_fill(&w->random, enc, sizeof enc));
        r = pp_replay_insert(&w->decap.replay, PP_BYTES(enc), pp_clock_mono_ms(&w->clock));
    } while (pp_is_ok(r));
    assert_code(r, PP_E_BUSY);
}

/* Tokens and sessions serve once by themselves, so a full window need not stop anybody. */
static void a_full_replay_window_stops_neither_exchange_and_nothing_is_served_twice(void **state)
{
    struct world *w = *state;
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    fill_window(w);
    open_session(w);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    post(w); /* #1 once more: the spent-token store */
    assert_answer(w, 401, 32768);
    assert_int_equal(TOTAL(w, opens), 1);
    device_seal_continue(&w->device, handle, "4", 4096);
    post(w);
    assert_answer(w, 200, 4096);
    all_behave(w, IS_GONE); /* as a CVM is after the one `continue` */
    post(w);
    assert_answer(w, 410, 4096);
    assert_int_equal(w->decap.unremembered, 3);
    assert_int_equal(gw_service_totals(w->service)->replayed, 0);
}

static void a_body_of_no_buckets_size_is_400_in_clear(void **state)
{
    struct world *w = *state;

    device_seal_open(&w->device);
    for (int i = -1; i <= 1; i += 2) {
        w->device.body_len = (size_t)(4096 + i);
        post(w);
        assert_clear(w, 400);
    }
    assert_int_equal(gw_service_totals(w->service)->malformed, 2);
    assert_int_equal(gw_service_totals(w->service)->unopened, 0); /* nobody tried */
}

static void w4_t2_a_token_in_a_second_request_is_401_and_no_cvm_is_asked(void **state)
{
    struct world *w = *state;

    open_session(w);
    device_seal_open_with(&w->device,
                          device_token_field(&w->device, 0)); /* freshly sealed, so no replay */
    post(w);
    assert_answer(w, 401, 32768);
    assert_int_equal(TOTAL(w, opens), 1);
    assert_int_equal(gw_service_totals(w->service)->token_refused, 1);
}

static void every_fault_of_a_token_is_the_same_401(void **state)
{
    struct world *w = *state;
    char field[PP_TOKEN_FIELD_BYTES_MAX];
    size_t len = device_token_field(&w->device, 0).len;

    for (size_t i = 0; i < 6; i++) {
        memcpy(field, device_token_field(&w->device, 0).at, len);
        size_t at[] = {
            25, 60, 120, 180, 3, len - 2
        }; /* type, nonce, key id, proof, scheme, quote */
        field[at[i]] = field[at[i]] == 'A' ? 'B' : 'A';
        device_seal_open_with(&w->device, pp_span(field, len));
        post(w);
        assert_answer(w, 401, 32768);
    }
    device_seal_open_with(&w->device, PP_STR(""));
    post(w);
    assert_answer(w, 401, 32768);
    device_seal_open_with(&w->device, PP_STR("Bearer x"));
    post(w);
    assert_answer(w, 401, 32768);
    assert_int_equal(TOTAL(w, opens), 0);
    device_seal_open_with(&w->device,
                          device_token_field(&w->device, 0)); /* and none of it spent the token */
    post(w);
    assert_answer(w, 200, 32768);
}

static void a_token_outside_its_epoch_is_refused(void **state)
{
    struct world *w = *state;

    w->later_s = 2 * PP_EPOCH_SECONDS;
    device_seal_open(&w->device);
    post(w);
    assert_answer(w, 401, 32768);
}

/* pp-wire 12, "CVM busy": at most two others, then 503, and the token stays spent. */
static void busy_cvms_are_passed_over_twice_and_not_three_times(void **state)
{
    struct world *w = *state;
    const struct pp_span token = device_token_field(&w->device, 0);

    all_behave(w, IS_BUSY);
    device_seal_open_with(&w->device, token);
    post(w);
    assert_answer(w, 503, 32768);
    assert_int_equal(TOTAL(w, opens), GW_CVM_TRIES_MAX);
    for (size_t i = 0; i < CVMS; i++)
        assert_true(w->cvm[i].opens <= 1);

    all_behave(w, ANSWERS);
    device_seal_open_with(&w->device, device_token_field(&w->device, 0));
    post(w);
    assert_answer(w, 401, 32768);
}

static void the_session_opens_on_a_cvm_that_is_not_busy(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 8; i++) {
        all_behave(w, IS_BUSY);
        w->cvm[0].behaviour = w->cvm[1].behaviour = ANSWERS; /* two of four: three tries find one */
        open_session(w);
    }
    assert_int_equal(w->cvm[0].opens + w->cvm[1].opens, 8);
}

static void cvms_that_cannot_be_reached_count_as_busy(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < CVMS; i++)
        stop_cvm(&w->cvm[i]);
    device_seal_open(&w->device);
    post(w);
    assert_answer(w, 503, 32768);
    assert_int_equal(gw_cvms_lost(w->cvms), GW_CVM_TRIES_MAX);
}

static void a_cvm_that_breaks_off_or_lies_gets_no_session(void **state)
{
    struct world *w = *state;
    static const enum behaviour rows[] = { BREAKS_OFF, BREAKS_HALF, WRONG_SID, WRONG_TAG, IS_GONE };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        all_behave(w, rows[i]);
        device_seal_open(&w->device);
        post(w);
        assert_answer(w, 503, 32768);
    }
    all_behave(w, TOO_LARGE);
    device_seal_open(&w->device);
    post(w);
    assert_answer(w, 503, 32768);
}

static void a_cvm_whose_connection_broke_is_no_candidate_for_a_while(void **state)
{
    struct world *w = *state;

    assert_int_equal(gw_cvms_candidates(w->cvms), 0xf);
    all_behave(w, BREAKS_OFF);
    device_seal_open(&w->device);
    post(w);
    assert_answer(w, 503, 32768);
    assert_int_equal(__builtin_popcountll(gw_cvms_candidates(w->cvms)), CVMS - GW_CVM_TRIES_MAX);
}

static void a_silent_cvm_is_given_up_at_the_deadline_and_closed_later(void **state)
{
    struct world *w = *state;

    all_behave(w, IS_SILENT);
    device_seal_open(&w->device);
    post(w);
    assert_answer(w, 503, 32768);
    assert_int_equal(TOTAL(w, opens), 1); /* it was taken, so nobody else is asked */
    assert_int_equal(TOTAL(w, closes), 0);
}

/* Both ends may close a connection that idles; the request behind that goes over a new one. */
static void a_connection_that_idled_is_made_again_for_the_next_request(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 3; i++) {
        open_session(w);
        assert_int_equal(gw_cvms_connected(w->cvms), 1);
        while (gw_cvms_connected(w->cvms) > 0) {
            pp_timer_set(w->tick, 10);
            assert_ok(pp_loop_run(w->loop));
        }
    }
    assert_int_equal(gw_cvms_lost(w->cvms), 0);
    char handle[PP_HANDLE_TEXT_BYTES + 1];
    memcpy(handle, w->device.answer.handle, sizeof handle);
    device_seal_continue(&w->device, handle, "4", 4096);
    post(w);
    assert_answer(w, 200, 4096);
}

/* pp-wire 12, "client gone before #1's answer": the gateway sends close. */
static void a_client_that_leaves_before_the_answer_gets_its_session_closed(void **state)
{
    struct world *w = *state;
    static const struct pp_http_field TYPE = FIELD("content-type", "message/ohttp-req");

    for (int i = 0; i < 2; i++) { /* before the session has an id, and behind its first frame */
        all_behave(w, i == 0 ? LATE : HALF_ONLY);
        w->leave_when_asked = 1;
        w->stop_at_close = 1;
        device_seal_open(&w->device);
        start_call(w, &TYPE, 1);
        run(w);
        assert_int_equal(TOTAL(w, opens), i + 1);
        assert_int_equal(TOTAL(w, closes), i + 1);
        for (size_t k = 0; k < CVMS; k++)
            assert_true(w->cvm[k].closes == 0 || w->cvm[k].closed_sid[0] == 7);
    }
    w->stop_at_close = 0;
    all_behave(w, ANSWERS);
    open_session(w); /* and the gateway goes on */
}

/* --- #2 ------------------------------------------------------------------------------------- */

static void the_second_exchange_reaches_the_cvm_of_its_session(void **state)
{
    struct world *w = *state;
    static const char *const max[] = { "1", "2", "4", "8", "16" };
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    for (size_t i = 0; i < PP_ARRAY_COUNT(max); i++) {
        open_session(w);
        size_t opened_on = 0;
        while (w->cvm[opened_on].opens == 0)
            opened_on++;
        w->cvm[opened_on].opens = 0;
        memcpy(handle, w->device.answer.handle, sizeof handle);
        device_seal_continue(&w->device, handle, max[i], (size_t)2048 << i);
        post(w);
        assert_answer(w, 200, (size_t)1024 << i);
        assert_int_equal(w->device.answer.content_len, 700);
        assert_int_equal(w->device.answer.field_count, 0);
        assert_int_equal(w->cvm[opened_on].continues, 1);
        assert_int_equal(w->cvm[opened_on].last.sid[0], 7);
        assert_int_equal(w->cvm[opened_on].last_len, 1000);
        w->cvm[opened_on].continues = 0;
    }
}

/* pp-wire 12, "#2 twice": same gateway: 400; the first run is not disturbed. */
static void the_second_exchange_twice_runs_once(void **state)
{
    struct world *w = *state;

    open_session(w);
    char handle[PP_HANDLE_TEXT_BYTES + 1];
    memcpy(handle, w->device.answer.handle, sizeof handle);
    device_seal_continue(&w->device, handle, "4", 4096);
    post(w);
    assert_answer(w, 200, 4096);
    post(w);
    assert_answer(w, 400, 4096);
    assert_int_equal(TOTAL(w, continues), 1);
}

/* pp-wire 12, "#2 after 30 s", and single use, which the CVM enforces. */
static void a_session_that_is_gone_is_410_in_its_bucket(void **state)
{
    struct world *w = *state;
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    open_session(w);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    all_behave(w, IS_GONE);
    device_seal_continue(&w->device, handle, "2", 2048);
    post(w);
    assert_answer(w, 410, 2048);

    w->later_s = 31;
    device_seal_continue(&w->device, handle, "8", 2048);
    post(w);
    assert_answer(w, 410, 8192);
    assert_int_equal(TOTAL(w, continues), 1); /* an expired handle is not asked about */
    assert_int_equal(gw_service_totals(w->service)->gone, 2);
}

static void every_wrong_handle_is_the_same_410(void **state)
{
    struct world *w = *state;
    char handle[PP_HANDLE_TEXT_BYTES + 1], changed[PP_HANDLE_TEXT_BYTES + 4];

    open_session(w);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    for (size_t at = 0; at < PP_HANDLE_TEXT_BYTES; at += 7) {
        memcpy(changed, handle, sizeof handle);
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        device_seal_continue(&w->device, changed, "1", 2048);
        post(w);
        assert_answer(w, 410, 1024);
    }
    static const char *const others[] = { "", "x", "AAAA", "A/B" };
    for (size_t i = 0; i < PP_ARRAY_COUNT(others); i++) {
        device_seal_continue(&w->device, others[i], "1", 2048);
        post(w);
        assert_answer(w, 410, 1024);
    }
    assert_int_equal(TOTAL(w, continues), 0);
}

static void a_handle_of_a_cvm_that_this_gateway_does_not_know_is_410(void **state)
{
    struct world *w = *state;
    struct pp_handle h = { .address = { .family = PP_FAMILY_IP4, .bytes = { 10, 0, 0, 1 } },
                           .sid = { 1 },
                           .expiry_posix_s = pp_clock_posix_s(&w->clock) + 30 };
    char handle[PP_HANDLE_TEXT_BYTES + 1] = { 0 };

    h.address.port = 9;
    assert_ok(pp_handle_seal(&w->handle_keys, &w->random, &h, handle));
    device_seal_continue(&w->device, handle, "1", 2048);
    post(w);
    assert_answer(w, 410, 1024);
}

static void what_goes_wrong_in_a_cvm_is_502_in_the_bucket(void **state)
{
    struct world *w = *state;
    static const enum behaviour rows[] = { BREAKS_OFF, BREAKS_HALF, WRONG_SID,
                                           WRONG_TAG,  TOO_LARGE,   IS_BUSY };
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        all_behave(w, ANSWERS);
        open_session(w);
        memcpy(handle, w->device.answer.handle, sizeof handle);
        all_behave(w, rows[i]);
        device_seal_continue(&w->device, handle, "4", 4096);
        post(w);
        assert_answer(w, 502, 4096);
    }
}

static void a_cvm_that_does_not_answer_is_504_and_its_session_closed(void **state)
{
    struct world *w = *state;
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    open_session(w);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    all_behave(w, IS_SILENT);
    device_seal_continue(&w->device, handle, "4", 4096);
    post(w);
    assert_answer(w, 504, 4096);
    if (TOTAL(w, closes) == 0) { /* nobody will read what the session still says */
        w->stop_at_close = 1;
        run(w);
    }
    assert_int_equal(TOTAL(w, closes), 1);
}

static void an_answer_that_does_not_fit_its_bucket_is_502(void **state)
{
    struct world *w = *state;
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    open_session(w);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    all_behave(w, ANSWERS); /* 700 bytes: fits 1 KiB */
    device_seal_continue(&w->device, handle, "1", 2048);
    post(w);
    assert_answer(w, 200, 1024);
    open_session(w);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    all_behave(w, TOO_LARGE);
    device_seal_continue(&w->device, handle, "16", 2048);
    post(w);
    assert_answer(w, 502, 16384);
}

static void large_requests_pass_whole(void **state)
{
    struct world *w = *state;
    static uint8_t content[260000];
    char handle[PP_HANDLE_TEXT_BYTES + 1], path[160];

    open_session(w);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    snprintf(path, sizeof path, "/v1/sessions/%s", handle);
    struct pp_bhttp m = device_message(path);
    assert_ok(pp_bhttp_add(&m, &m.header, PP_STR("pp-max"), PP_STR("16")));
    pp_bhttp_set_content(&m, PP_BYTES(content));
    device_seal(&w->device, &m, GW_BODY_BYTES_MAX);
    post(w);
    assert_answer(w, 200, 16384);
    for (size_t i = 0; i < CVMS; i++)
        if (w->cvm[i].continues == 1)
            assert_int_equal(w->cvm[i].last_len, sizeof content);
}

/* --- what never gets that far --------------------------------------------------------------- */

static void w4_t3_a_relay_that_says_anything_about_the_client_is_refused(void **state)
{
    struct world *w = *state;
    static const struct pp_http_field rows[] = {
        FIELD("x-forwarded-for", "192.0.2.1"),
        FIELD("forwarded", "for=192.0.2.1"),
        FIELD("via", "1.1 relay"),
        FIELD("cf-connecting-ip", "192.0.2.1"),
        FIELD("cf-ipcountry", "CH"),
        FIELD("x-geo", "46.9,7.4"),
        FIELD("accept-language", "de"),
        FIELD("date", "Mon, 27 Jul 2009 12:28:53 GMT"),
        FIELD("user-agent", "x"),
        FIELD("cookie", "a=b"),
        FIELD("authorization", "x"),
        FIELD("traceparent", "00-0-0-0"),
        FIELD("accept", "*/*"),
        FIELD("connection", "keep-alive, user-4711"),
    };
    static const char *const queries[] = { "?", "?user=4711" };
    static const struct pp_http_field type = FIELD("content-type", "message/ohttp-req");

    device_seal_open(&w->device);
    for (size_t i = 0; i < PP_ARRAY_COUNT(queries); i++) {
        start_call_with(w, queries[i], &type, 1);
        run(w);
        assert_clear(w, 400);
    }
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_http_field fields[2] = { FIELD("content-type", "message/ohttp-req") };
        fields[1] = rows[i];
        start_call(w, fields, 2);
        run(w);
        assert_clear(w, 400);
    }
    post(w); /* without it the same body is fine: nothing of it was opened or remembered */
    assert_answer(w, 200, 32768);
}

static void another_content_type_is_415(void **state)
{
    struct world *w = *state;
    static const struct pp_http_field rows[] = {
        FIELD("content-type", "message/bhttp"),
        FIELD("content-type", "message/ohttp-chunked-req"),
        FIELD("content-type", "message/ohttp-res"),
        FIELD("content-type", "message/ohttp-req;user=4711"),
        FIELD("content-type", "message/ohttp-req; charset=utf-8"),
        FIELD("content-type", "Message/OHTTP-req"),
    };

    device_seal_open(&w->device);
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        start_call(w, &rows[i], 1);
        run(w);
        assert_clear(w, 415);
    }
    start_call(w, NULL, 0);
    run(w);
    assert_clear(w, 415);
}

/* ohttp 6 and W3 R: one status and one body for all that was not opened. */
static void w3_r_an_unknown_key_and_a_broken_message_look_the_same(void **state)
{
    struct world *w = *state;
    static const size_t at[] = { 0, 1, 4, 6, 20, 4095 }; /* key, KEM, KDF, AEAD, enc, tag */
    size_t len = 0;

    for (size_t i = 0; i < PP_ARRAY_COUNT(at); i++) {
        device_seal_open(&w->device);
        w->device.body[at[i]] ^= 2;
        post(w);
        assert_clear(w, 422);
        assert_true(len == 0 || len == w->seen.outer_len);
        len = w->seen.outer_len;
    }
    assert_int_equal(gw_service_totals(w->service)->unopened, PP_ARRAY_COUNT(at));
}

static void a_body_too_short_to_be_one_is_400_and_too_long_413(void **state)
{
    struct world *w = *state;
    static const size_t lengths[] = { 0, 1, 6, 7, 54 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(lengths); i++) {
        device_seal_open(&w->device);
        w->device.body_len = lengths[i];
        post(w);
        assert_clear(w, 400);
    }
    w->device.body_len = GW_BODY_BYTES_MAX + 1;
    post(w);
    assert_int_equal(w->seen.outer_status, 413);
}

/* pp-wire 12, "inner request unparseable, or neither #1 nor #2". */
static void w16_t3_what_is_neither_exchange_is_refused_in_one_kib(void **state)
{
    struct world *w = *state;
    struct pp_wr out = pp_wr_over(w->device.body, sizeof w->device.body);
    static uint8_t junk[4096 - 55] = { 0x77 };

    pp_ohttp_done(&w->device.exchange);
    assert_ok(pp_ohttp_request_seal(&w->device.exchange, &w->device.key, DEVICE_SUITE, &w->random,
                                    PP_BYTES(junk), &out));
    w->device.body_len = out.len;
    post(w);
    assert_answer(w, 400, 1024);

    struct pp_bhttp m = device_message("/");
    device_seal(&w->device, &m, 4096);
    post(w);
    assert_answer(w, 403, 1024);
    m = device_message("/v1/sessions"); /* no token field */
    device_seal(&w->device, &m, 4096);
    post(w);
    assert_answer(w, 400, 1024);
    device_seal_open(&w->device);
    m = device_message("/v1/sessions");
    assert_ok(
        pp_bhttp_add(&m, &m.header, PP_STR("authorization"), device_token_field(&w->device, 1)));
    device_seal(&w->device, &m, 8192); /* another size than that of #1 */
    post(w);
    assert_answer(w, 400, 1024);
    assert_int_equal(TOTAL(w, opens), 0);
}

static void the_key_list_is_served_to_whoever_asks(void **state)
{
    struct world *w = *state;
    char url[80];
    struct pp_http_call call = { .method = "GET", .url = url, .deadline_ms = PATIENCE_MS };

    open_session(w); /* the opener told its keys before it answered */
    pp_ohttp_done(&w->device.exchange);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/.well-known/ohttp-gateway",
             w->listener.address.port);
    assert_ok(pp_http_client_start(w->client, &call, on_response, w, &w->pending));
    run(w);
    assert_int_equal(w->seen.outer_status, 200);
    assert_string_equal(w->seen.outer_type, "application/ohttp-keys");
    assert_int_equal(w->seen.outer_len, 2 + 3 + 32 + 2 + 4);
    call.method = "PUT";
    assert_ok(pp_http_client_start(w->client, &call, on_response, w, &w->pending));
    run(w);
    assert_int_equal(w->seen.outer_status, 405);
}

/* --- time and memory ------------------------------------------------------------------------ */

/* one (size, time) class for success, refusal and error. */
static void w16_t3_sealed_answers_leave_on_the_grid(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 3; i++) {
        all_behave(w, i == 1 ? IS_BUSY : ANSWERS);
        if (i < 2)
            device_seal_open(&w->device);
        else
            device_seal_open_with(&w->device, PP_STR("not a token"));
        uint64_t from = pp_clock_mono_ms(&w->clock);
        post(w);
        uint64_t took = pp_clock_mono_ms(&w->clock) - from;
        assert_answer(w, i == 0 ? 200 : i == 1 ? 503 : 401, 32768);
        assert_true(took >= GRID_MS);
    }
    device_seal_open(&w->device); /* in clear: at once, and nothing to learn from it */
    w->device.body[0] ^= 1;
    uint64_t from = pp_clock_mono_ms(&w->clock);
    post(w);
    assert_clear(w, 422);
    assert_true(pp_clock_mono_ms(&w->clock) - from < GRID_MS);
}

/* A client that allocates nothing: one kept connection, one head for every request. */
struct raw {
    struct world *w;
    uint8_t got[70000];
    size_t len;
};

static void raw_readable(void *ctx, struct pp_stream *s)
{
    struct raw *raw = ctx;
    struct pp_span input = pp_stream_input(s);

    assert_true(raw->len + input.len < sizeof raw->got);
    memcpy(raw->got + raw->len, input.at, input.len);
    raw->len += input.len;
    pp_stream_consume(s, input.len);
    raw->got[raw->len] = 0;
    char *end = strstr((char *)raw->got, "\r\n\r\n");
    char *length = strcasestr((char *)raw->got, "content-length: ");
    if (end == NULL || length == NULL)
        return;
    size_t head = (size_t)(end + 4 - (char *)raw->got);
    if (raw->len - head < strtoul(length + 16, NULL, 10))
        return;
    device_read_answer(&raw->w->device, pp_span(raw->got + head, raw->len - head));
    raw->len = 0;
    pp_loop_stop(raw->w->loop);
}

static void raw_ended(void *ctx, struct pp_stream *s, pp_res why)
{
    (void)ctx;
    (void)s;
    pp_ignore(why, "the test fails below");
    fail_msg("%s", "the gateway closed the connection");
}

static void raw_post(struct world *w, struct pp_stream *s)
{
    char head[256];

    snprintf(head, sizeof head,
             "POST /.well-known/ohttp-gateway HTTP/1.1\r\nHost: x\r\n"
             "Content-Type: message/ohttp-req\r\nContent-Length: %zu\r\n\r\n",
             w->device.body_len);
    w->device.answer.status = 0;
    assert_ok(pp_stream_write(s, pp_span_cstr(head)));
    assert_ok(pp_stream_write(s, pp_span(w->device.body, w->device.body_len)));
    run(w);
    assert_int_equal(w->device.answer.status, 200);
}

static void ignore_bytes(void *ctx, const uint8_t *sid, struct pp_span bytes)
{
    (void)ctx;
    (void)sid;
    (void)bytes;
}

static void stop_loop(void *ctx, enum gw_call_end how)
{
    assert_int_equal(how, GW_CALL_DONE);
    pp_loop_stop(((struct world *)ctx)->loop);
}

/* Connections are made when they are first needed, and take their memory then. */
static void connect_every_cvm(struct world *w)
{
    for (size_t i = 0; i < CVMS; i++) {
        struct gw_call call = { .bytes = ignore_bytes, .ended = stop_loop, .ctx = w };
        assert_ok(gw_call_start(w->cvms, i, NULL, PP_STR("hello"), &call));
        run(w);
    }
}

/* No malloc between reading a request and writing its answer; libraries' own are told. */
static void nothing_of_ours_allocates_between_request_and_answer(void **state)
{
    struct world *w = *state;
    static struct raw raw;
    const struct pp_stream_config c = { .in_bytes_max = 1 << 16,
                                        .out_bytes_max = 1 << 16,
                                        .readable = raw_readable,
                                        .ended = raw_ended,
                                        .ctx = &raw };
    struct pp_stream *s = NULL;
    unsigned long own[3] = { 0 }, all[3] = { 0 };
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    raw = (struct raw){ .w = w };
    connect_every_cvm(w);
    assert_ok(pp_stream_connect(w->loop, &w->listener.address, &c, 1000, &s));
    for (int i = 0; i < 30; i++) { /* ten rounds warm up, twenty are counted in two halves */
        unsigned long own_before = allocation_count_own, all_before = allocation_count;
        device_seal_open(&w->device);
        raw_post(w, s);
        memcpy(handle, w->device.answer.handle, sizeof handle);
        device_seal_continue(&w->device, handle, "1", 2048);
        raw_post(w, s);
        own[i / 10] += allocation_count_own - own_before;
        all[i / 10] += allocation_count - all_before;
    }
    pp_stream_free(s);
    if (ALLOCATIONS_COUNTED)
        print_message("a session, device and CVM included: %.1f allocations, all in libraries\n",
                      (double)all[2] / 10);
    assert_int_equal(own[1] + own[2], 0);
    assert_true(all[2] <= all[1] + 2); /* and they do not grow */
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define TEST_WITH_DEADLINES(test)                                                                  \
    cmocka_unit_test_setup_teardown(test, set_up_with_deadlines, tear_down)
#define TEST_IDLING(test)    cmocka_unit_test_setup_teardown(test, set_up_idling, tear_down)
#define TEST_WITH_GRID(test) cmocka_unit_test_setup_teardown(test, set_up_with_grid, tear_down)

static const struct CMUnitTest TESTS[] = {
    TEST(the_first_exchange_opens_a_session_on_one_cvm),
    TEST(the_first_exchange_twice_never_gives_a_second_session),
    TEST(who_has_no_token_takes_no_room_in_the_replay_window),
    TEST(a_full_replay_window_stops_neither_exchange_and_nothing_is_served_twice),
    TEST(a_body_of_no_buckets_size_is_400_in_clear),
    TEST(w4_t2_a_token_in_a_second_request_is_401_and_no_cvm_is_asked),
    TEST(every_fault_of_a_token_is_the_same_401),
    TEST(a_token_outside_its_epoch_is_refused),
    TEST(busy_cvms_are_passed_over_twice_and_not_three_times),
    TEST(the_session_opens_on_a_cvm_that_is_not_busy),
    TEST(cvms_that_cannot_be_reached_count_as_busy),
    TEST(a_cvm_that_breaks_off_or_lies_gets_no_session),
    TEST_IDLING(a_connection_that_idled_is_made_again_for_the_next_request),
    TEST(a_cvm_whose_connection_broke_is_no_candidate_for_a_while),
    TEST_WITH_DEADLINES(a_silent_cvm_is_given_up_at_the_deadline_and_closed_later),
    TEST(a_client_that_leaves_before_the_answer_gets_its_session_closed),
    TEST(the_second_exchange_reaches_the_cvm_of_its_session),
    TEST(the_second_exchange_twice_runs_once),
    TEST(a_session_that_is_gone_is_410_in_its_bucket),
    TEST(every_wrong_handle_is_the_same_410),
    TEST(a_handle_of_a_cvm_that_this_gateway_does_not_know_is_410),
    TEST(what_goes_wrong_in_a_cvm_is_502_in_the_bucket),
    TEST_WITH_DEADLINES(a_cvm_that_does_not_answer_is_504_and_its_session_closed),
    TEST(an_answer_that_does_not_fit_its_bucket_is_502),
    TEST(large_requests_pass_whole),
    TEST(w4_t3_a_relay_that_says_anything_about_the_client_is_refused),
    TEST(another_content_type_is_415),
    TEST(w3_r_an_unknown_key_and_a_broken_message_look_the_same),
    TEST(a_body_too_short_to_be_one_is_400_and_too_long_413),
    TEST(w16_t3_what_is_neither_exchange_is_refused_in_one_kib),
    TEST(the_key_list_is_served_to_whoever_asks),
    TEST_WITH_GRID(w16_t3_sealed_answers_leave_on_the_grid),
    TEST(nothing_of_ours_allocates_between_request_and_answer),
};

PP_TEST_MAIN(TESTS)
