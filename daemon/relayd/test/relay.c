/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The relay between a client that sends raw bytes and a gateway that does as it is told, all on one
 * loop: what the gateway was sent and what the client got back is compared byte by byte.
 */
#include "harness.h"

#include <fcntl.h>
#include <unistd.h>

#include "directory.h"
#include "file.h"
#include "forward.h"
#include "wr.h"

enum {
    PATIENCE_MS = 20000,
    BODY_BYTES = 4096,
    DEADLINE_MS = 300,
    GOT_BYTES = RELAY_STREAM_BYTES_MAX + (1 << 20)
};

enum behaviour {
    ANSWERS = 0,
    REPLIES, /* with w->reply */
    IS_SILENT,
    STREAMS, /* w->to_stream bytes with w->reply's head, and an end unless it stalls */
};

struct world {
    struct pp_loop *loop;
    struct pp_timer *patience, *looks;
    struct pp_http_server *relay_server, *gateway_server;
    struct pp_listener relay_listener, gateway_listener;
    struct pp_http_client *client, *streams;
    struct relay_forward forward;
    struct relay_directory directory;
    char url[96];
    char folder[64], file[96];
    uint64_t later_ms; /* added to the directory's clock */

    /* The gateway's view. */
    enum behaviour behaviour;
    struct pp_http_reply reply;
    struct pp_http_request *held;
    size_t requests;
    char fields[1024]; /* "name: value\n" each */
    uint8_t body[RELAY_REQUEST_BYTES_MAX];
    size_t body_len;
    int leave; /* the client goes away when the gateway has its request */
    size_t to_stream;
    int stalls;

    /* The client's. */
    struct pp_stream *stream;
    uint8_t *got; /* GOT_BYTES */
    size_t got_len;
    uint32_t status;
    const char *got_body;
    size_t got_body_len;
};

/* --- a gateway ------------------------------------------------------------------------------ */

static void on_gone(void *ctx)
{
    struct world *w = ctx;
    struct pp_http_request *q = w->held;

    w->held = NULL;
    pp_http_reply_status(q, 504);
    if (w->leave)
        pp_loop_stop(w->loop);
}

static void on_stream_gone(void *ctx)
{
    struct world *w = ctx;
    struct pp_http_request *q = w->held;

    w->held = NULL;
    pp_http_reply_abort(q);
}

static void stream_on(void *ctx)
{
    static uint8_t piece[1 << 15];
    struct world *w = ctx;
    struct pp_http_request *q = w->held;

    while (w->to_stream > 0) {
        size_t n = w->to_stream < sizeof piece ? w->to_stream : sizeof piece;
        pp_res r = pp_http_reply_piece(q, pp_span(piece, n));
        if (r.code == PP_E_BUSY)
            return;
        assert_ok(r);
        w->to_stream -= n;
    }
    if (w->stalls)
        return;
    w->held = NULL;
    pp_http_reply_end(q);
}

static void gateway_handle(void *ctx, struct pp_http_request *q)
{
    struct world *w = ctx;
    struct pp_wr fields = pp_wr_over(w->fields, sizeof w->fields - 1);
    struct pp_wr body = pp_wr_over(w->body, sizeof w->body);
    static const struct pp_http_field extra = { { (const uint8_t *)"x-gateway", 9 },
                                                { (const uint8_t *)"secret", 6 } };
    const struct pp_http_reply good = { .status = 200,
                                        .type = "message/ohttp-res",
                                        .fields = &extra,
                                        .field_count = 1,
                                        .body = PP_STR("encapsulated response") };

    w->requests++;
    for (size_t i = 0; i < pp_http_request_field_count(q); i++) {
        pp_wr_span(&fields, pp_http_request_field(q, i).name);
        pp_wr_text(&fields, ": ");
        pp_wr_span(&fields, pp_http_request_field(q, i).value);
        pp_wr_text(&fields, "\n");
    }
    w->fields[fields.len] = 0;
    pp_wr_span(&body, pp_http_request_body(q));
    w->body_len = body.len;
    if (w->leave) {
        pp_stream_free(w->stream);
        w->stream = NULL;
    }
    if (w->behaviour == ANSWERS) {
        pp_http_reply(q, &good);
    } else if (w->behaviour == REPLIES) {
        pp_http_reply(q, &w->reply);
    } else if (w->behaviour == STREAMS) {
        w->held = q;
        pp_http_request_on_gone(q, on_stream_gone, w);
        pp_http_reply_on_room(q, stream_on, w);
        pp_http_reply_begin(q, &w->reply);
        stream_on(w);
    } else {
        w->held = q;
        pp_http_request_on_gone(q, on_gone, w);
    }
}

/* --- the world ------------------------------------------------------------------------------ */

static void on_impatient(void *ctx)
{
    (void)ctx;
    fail_msg("%s", "nothing came of it in time");
}

static struct pp_listener listen_somewhere(void)
{
    struct pp_address at;
    struct pp_listener l;

    assert_ok(pp_address_parse(PP_STR("127.0.0.1:0"), &at));
    assert_ok(pp_listener_open(&at, &l));
    return l;
}

static void start_gateway(struct world *w)
{
    const struct pp_http_route routes[] = {
        { "POST", "/.well-known/ohttp-gateway", RELAY_REQUEST_BYTES_MAX, gateway_handle, w },
    };
    const struct pp_http_server_config c = {
        .routes = routes, .route_count = 1, .scratch_bytes = 1 << 18, .connections_max = 8
    };

    w->gateway_listener = listen_somewhere();
    assert_ok(pp_http_server_new(w->loop, &c, &w->gateway_server));
    assert_ok(pp_http_server_listen(w->gateway_server, &w->gateway_listener));
    snprintf(w->url, sizeof w->url, "http://127.0.0.1:%u/.well-known/ohttp-gateway",
             w->gateway_listener.address.port);
}

static void start_relay(struct world *w)
{
    const struct pp_http_client_config client = { .response_bytes_max = RELAY_RESPONSE_BYTES_MAX };
    const struct pp_http_route routes[] = {
        { "POST", "/ohttp", RELAY_REQUEST_BYTES_MAX, relay_forward_post, &w->forward, .pieces = 1 },
        { "GET", "/directory", 0, relay_directory_serve, &w->directory },
    };
    const struct pp_http_server_config c = { .routes = routes,
                                             .route_count = PP_ARRAY_COUNT(routes),
                                             .scratch_bytes = RELAY_SCRATCH_BYTES,
                                             .connections_max = 8 };

    assert_ok(pp_http_client_new(w->loop, &client, &w->client));
    assert_ok(pp_http_client_new(w->loop, &client, &w->streams));
    w->forward = (struct relay_forward){
        .client = w->client, .streams = w->streams, .url = w->url, .deadline_ms = PATIENCE_MS
    };
    w->relay_listener = listen_somewhere();
    assert_ok(pp_http_server_new(w->loop, &c, &w->relay_server));
    assert_ok(pp_http_server_listen(w->relay_server, &w->relay_listener));
}

static uint64_t directory_now(void *ctx)
{
    return 1000 + ((struct world *)ctx)->later_ms;
}

static int set_up(void **state)
{
    static uint8_t got[GOT_BYTES];
    static struct world w;

    w = (struct world){ .folder = "/tmp/pp-relay-XXXXXX", .got = got };
    assert_non_null(mkdtemp(w.folder));
    snprintf(w.file, sizeof w.file, "%s/bundle", w.folder);
    assert_ok(pp_loop_new(&w.loop));
    assert_ok(pp_timer_new(w.loop, on_impatient, &w, &w.patience));
    relay_directory_init(&w.directory, w.file,
                         (struct pp_clock){ directory_now, directory_now, &w });
    start_gateway(&w);
    start_relay(&w);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    pp_stream_free(w->stream);
    pp_http_server_free(w->relay_server);
    pp_http_client_free(w->client);
    pp_http_client_free(w->streams);
    pp_http_server_free(w->gateway_server);
    pp_listener_done(&w->relay_listener);
    pp_listener_done(&w->gateway_listener);
    relay_directory_done(&w->directory);
    pp_timer_free(w->patience);
    pp_loop_free(w->loop);
    (void)unlink(w->file);
    assert_int_equal(rmdir(w->folder), 0);
    return 0;
}

/* --- a client of raw bytes ------------------------------------------------------------------ */

/* 1 once head and body are complete. */
static int is_complete(struct world *w)
{
    char *head = (char *)w->got;

    w->got[w->got_len] = 0;
    char *end = strstr(head, "\r\n\r\n");
    if (end == NULL)
        return 0;
    char *chunks = strcasestr(head, "\r\ntransfer-encoding: chunked\r\n");
    char *length = chunks == NULL ? strcasestr(head, "\r\ncontent-length: ") : NULL;
    w->status = (uint32_t)strtoul(head + 9, NULL, 10);
    w->got_body = end + 4;
    w->got_body_len = w->got_len - (size_t)(w->got_body - head);
    if (chunks != NULL && chunks < end)
        return memcmp(w->got + w->got_len - 5, "0\r\n\r\n", 5) == 0;
    return length != NULL && length < end && w->got_body_len >= strtoul(length + 18, NULL, 10);
}

static void client_readable(void *ctx, struct pp_stream *s)
{
    struct world *w = ctx;
    struct pp_span input = pp_stream_input(s);

    assert_true(w->got_len + input.len < GOT_BYTES);
    memcpy(w->got + w->got_len, input.at, input.len);
    w->got_len += input.len;
    pp_stream_consume(s, input.len);
    if (is_complete(w))
        pp_loop_stop(w->loop);
}

static void client_ended(void *ctx, struct pp_stream *s, pp_res why)
{
    (void)s;
    pp_ignore(why, "the relay may close behind a refusal");
    pp_loop_stop(((struct world *)ctx)->loop);
}

static void run(struct world *w)
{
    pp_timer_set(w->patience, PATIENCE_MS);
    assert_ok(pp_loop_run(w->loop));
    pp_timer_cancel(w->patience);
}

/* Sends head and body on a new connection and waits for the answer. */
static void say(struct world *w, const char *head, struct pp_span body)
{
    const struct pp_stream_config c = { .in_bytes_max = 1 << 16,
                                        .out_bytes_max = 1 << 20,
                                        .readable = client_readable,
                                        .ended = client_ended,
                                        .ctx = w };

    pp_stream_free(w->stream);
    w->got_len = 0;
    w->status = 0;
    assert_ok(pp_stream_connect(w->loop, &w->relay_listener.address, &c, 1000, &w->stream));
    assert_ok(pp_stream_write(w->stream, pp_span_cstr(head)));
    assert_ok(pp_stream_write(w->stream, body));
    run(w);
}

/* A POST with further fields ("name: value\r\n") beside those that it needs. */
static void post_with(struct world *w, const char *type, const char *fields, size_t len)
{
    static uint8_t body[RELAY_REQUEST_BYTES_MAX + 1];
    char head[1024];

    memset(body, 0x5e, sizeof body);
    snprintf(head, sizeof head,
             "POST /ohttp HTTP/1.1\r\nHost: relay.example\r\nContent-Type: %s\r\n"
             "Content-Length: %zu\r\n%s\r\n",
             type, len, fields);
    say(w, head, pp_span(body, len));
}

static void post(struct world *w)
{
    post_with(w, "message/ohttp-req", "", BODY_BYTES);
}

static void get(struct world *w, const char *fields)
{
    char head[512];

    snprintf(head, sizeof head, "GET /directory HTTP/1.1\r\nHost: relay.example\r\n%s\r\n", fields);
    say(w, head, PP_STR(""));
}

/* 1 if the answer's head has a field of that name, in any case. */
static int has_field(const struct world *w, const char *name)
{
    char needle[64];

    snprintf(needle, sizeof needle, "\r\n%s:", name);
    return strcasestr((const char *)w->got, needle) != NULL;
}

static void assert_body(const struct world *w, const char *text)
{
    assert_int_equal(w->got_body_len, strlen(text));
    assert_memory_equal(w->got_body, text, strlen(text));
}

/* --- forwarding ----------------------------------------------------------------------------- */

static void the_body_reaches_the_gateway_and_its_answer_the_client(void **state)
{
    struct world *w = *state;

    post(w);
    assert_int_equal(w->status, 200);
    assert_body(w, "encapsulated response");
    assert_true(has_field(w, "cache-control"));
    assert_non_null(strstr((char *)w->got, "message/ohttp-res"));
    assert_int_equal(w->requests, 1);
    assert_int_equal(w->body_len, BODY_BYTES);
    for (size_t i = 0; i < w->body_len; i++)
        assert_int_equal(w->body[i], 0x5e);
    assert_int_equal(w->forward.totals.answered, 1);
}

/* ohttp 6: built from an allow-list, not by copying; the same goes for the way back. */
static void w4_t3_nothing_of_the_client_goes_on_but_the_body(void **state)
{
    struct world *w = *state;
    char plain[sizeof w->fields], expected[256];

    post(w);
    memcpy(plain, w->fields, sizeof plain);
    post_with(w, "message/ohttp-req",
              "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\nVia: 1.1 x\r\n"
              "CF-IPCountry: CH\r\nX-Geo: 47,8\r\nAccept-Language: de\r\nUser-Agent: phone\r\n"
              "Date: Mon, 27 Jul 2009 12:28:53 GMT\r\nCookie: a=b\r\nTraceparent: 00-1-2-3\r\n"
              "Authorization: Bearer x\r\nProxy-Authorization: Basic x\r\nAccept: */*\r\n",
              BODY_BYTES);
    assert_int_equal(w->status, 200);
    assert_string_equal(w->fields, plain);
    snprintf(expected, sizeof expected,
             "host: 127.0.0.1:%u\ncontent-type: message/ohttp-req\ncontent-length: %d\n",
             w->gateway_listener.address.port, BODY_BYTES);
    assert_int_equal(strlen(plain), strlen(expected)); /* these three, in whatever order */
    assert_non_null(strstr(plain, "content-type: message/ohttp-req\n"));
    assert_non_null(strstr(plain, "content-length: 4096\n"));
    assert_false(has_field(w, "x-gateway"));
    assert_false(has_field(w, "server"));
    assert_false(has_field(w, "date"));
}

static void requests_of_every_bucket_pass(void **state)
{
    struct world *w = *state;

    for (size_t len = 2048; len <= RELAY_REQUEST_BYTES_MAX; len *= 2) {
        post_with(w, "message/ohttp-req", "", len);
        assert_int_equal(w->status, 200);
        assert_int_equal(w->body_len, len);
    }
    post_with(w, "message/ohttp-req", "", RELAY_REQUEST_BYTES_MIN);
    assert_int_equal(w->status, 200);
}

static void wrong_requests_are_refused_without_asking_the_gateway(void **state)
{
    struct world *w = *state;

    for (size_t len = 0; len < RELAY_REQUEST_BYTES_MIN; len++) {
        post_with(w, "message/ohttp-req", "", len);
        assert_int_equal(w->status, 400);
    }
    post_with(w, "message/bhttp", "", BODY_BYTES);
    assert_int_equal(w->status, 415);
    post_with(w, "message/ohttp-chunked-res", "", BODY_BYTES);
    assert_int_equal(w->status, 415);
    post_with(w, "message/ohttp-chunked-req", "", RELAY_REQUEST_BYTES_MIN - 1);
    assert_int_equal(w->status, 400);
    post_with(w, "message/ohttp-chunked-req", "", RELAY_REQUEST_BYTES_MAX + 1);
    assert_int_equal(w->status, 413);
    post_with(w, "message/ohttp-req", "", RELAY_REQUEST_BYTES_MAX + 1);
    assert_int_equal(w->status, 413);
    say(w, "GET /ohttp HTTP/1.1\r\nHost: x\r\n\r\n", PP_STR(""));
    assert_int_equal(w->status, 405);
    say(w, "POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", PP_STR(""));
    assert_int_equal(w->status, 404);
    assert_int_equal(w->requests, 0);
}

static void refusals_of_the_gateway_in_clear_pass_with_their_problem(void **state)
{
    struct world *w = *state;
    static const uint32_t passed[] = { 400, 405, 413, 415, 422, 503 };

    w->behaviour = REPLIES;
    for (size_t i = 0; i < PP_ARRAY_COUNT(passed); i++) {
        w->reply = (struct pp_http_reply){ .status = passed[i] };
        post(w);
        assert_int_equal(w->status, passed[i]);
        assert_int_equal(w->got_body_len, 0);
    }
    w->reply = (struct pp_http_reply){ .status = 422,
                                       .type = "application/problem+json",
                                       .body = PP_STR("{\"title\":\"x\"}") };
    post(w);
    assert_int_equal(w->status, 422);
    assert_body(w, "{\"title\":\"x\"}");
    w->reply.type = "text/html"; /* a body of any other kind does not */
    post(w);
    assert_int_equal(w->status, 422);
    assert_int_equal(w->got_body_len, 0);
}

static void any_other_answer_of_the_gateway_is_502(void **state)
{
    struct world *w = *state;
    static uint8_t large[RELAY_RESPONSE_BYTES_MAX + 1];
    static const struct pp_http_field location = { { (const uint8_t *)"location", 8 },
                                                   { (const uint8_t *)"/x", 2 } };
    static const struct pp_http_reply rows[] = {
        { .status = 302, .fields = &location, .field_count = 1 },
        { .status = 307, .fields = &location, .field_count = 1 },
        { .status = 204 },
        { .status = 401 },
        { .status = 500 },
        { .status = 200 },
        { .status = 200, .type = "text/html", .body = { (const uint8_t *)"hi", 2 } },
        { .status = 201, .type = "message/ohttp-res", .body = { (const uint8_t *)"hi", 2 } },
        { .status = 200, .type = "message/ohttp-res", .body = { large, sizeof large } },
    };

    w->behaviour = REPLIES;
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        w->reply = rows[i];
        post(w);
        assert_int_equal(w->status, 502);
        assert_int_equal(w->got_body_len, 0);
        assert_int_equal(w->requests, i + 1); /* no redirect was followed, nothing tried again */
    }
    w->reply = rows[PP_ARRAY_COUNT(rows) - 1];
    w->reply.body.len--; /* the largest answer */
    post(w);
    assert_int_equal(w->status, 200);
    assert_int_equal(w->got_body_len, RELAY_RESPONSE_BYTES_MAX);
}

static void a_gateway_that_is_not_there_is_502_and_a_slow_one_504(void **state)
{
    struct world *w = *state;

    w->behaviour = IS_SILENT;
    w->forward.deadline_ms = DEADLINE_MS;
    post(w);
    assert_int_equal(w->status, 504);
    assert_int_equal(w->requests, 1);
    assert_int_equal(w->forward.totals.late, 1);

    w->held = NULL;
    pp_http_server_free(w->gateway_server);
    pp_listener_done(&w->gateway_listener);
    w->gateway_server = NULL;
    w->forward.deadline_ms = PATIENCE_MS;
    post(w);
    assert_int_equal(w->status, 502);
    assert_int_equal(w->forward.totals.unreachable, 1);
}

/* A client that leaves takes its request with it: the gateway learns it and can end the session. */
static void a_client_that_leaves_is_felt_at_the_gateway(void **state)
{
    struct world *w = *state;

    w->behaviour = IS_SILENT;
    w->leave = 1;
    post(w); /* returns when the gateway's handler is told */
    assert_int_equal(w->requests, 1);
    assert_null(w->held);
    w->leave = 0;
    w->behaviour = ANSWERS;
    post(w);
    assert_int_equal(w->status, 200);
}

/* --- chunked messages ----------------------------------------------------------------------- */

static void post_chunked(struct world *w)
{
    post_with(w, "message/ohttp-chunked-req", "", BODY_BYTES);
}

static int has_end(const struct world *w)
{
    return w->got_len > 5 && memcmp(w->got + w->got_len - 5, "0\r\n\r\n", 5) == 0;
}

static void stream(struct world *w, size_t len)
{
    w->behaviour = STREAMS;
    w->reply = (struct pp_http_reply){ .status = 200, .type = "message/ohttp-chunked-res" };
    w->to_stream = len;
}

static void a_chunked_answer_goes_on_up_to_its_limit_and_is_cut_behind_it(void **state)
{
    struct world *w = *state;

    stream(w, RELAY_STREAM_BYTES_MAX);
    post_chunked(w);
    assert_int_equal(w->status, 200);
    assert_true(has_end(w));
    assert_true(w->got_body_len > RELAY_STREAM_BYTES_MAX);
    stream(w, RELAY_STREAM_BYTES_MAX + 1);
    post_chunked(w);
    assert_int_equal(w->status, 200);
    assert_false(has_end(w));
    assert_int_equal(w->forward.totals.answered, 1);
    assert_int_equal(w->forward.totals.unreachable, 1);
}

/* Who sees an end believes that nothing is missing. */
static void a_chunked_answer_that_stops_has_no_end(void **state)
{
    struct world *w = *state;

    stream(w, 10);
    w->stalls = 1;
    w->forward.deadline_ms = DEADLINE_MS;
    post_chunked(w);
    assert_int_equal(w->status, 200);
    assert_true(w->got_body_len > 0);
    assert_false(has_end(w));
    assert_int_equal(w->forward.totals.late, 1);
}

static void a_chunked_request_is_answered_in_chunks_or_refused(void **state)
{
    struct world *w = *state;
    static uint8_t problem[RELAY_PROBLEM_BYTES_MAX + 1];
    static const char *const types[] = { "message/ohttp-res", "text/html", NULL };

    for (size_t i = 0; i < PP_ARRAY_COUNT(types); i++) {
        stream(w, 10);
        w->reply.type = types[i];
        post_chunked(w);
        assert_int_equal(w->status, 502);
        assert_int_equal(w->got_body_len, 0);
    }
    w->behaviour = REPLIES;
    w->reply = (struct pp_http_reply){ .status = 422,
                                       .type = "application/problem+json",
                                       .body = pp_span(problem, RELAY_PROBLEM_BYTES_MAX) };
    post_chunked(w);
    assert_int_equal(w->status, 422);
    assert_int_equal(w->got_body_len, RELAY_PROBLEM_BYTES_MAX);
    w->reply.body.len++;
    post_chunked(w);
    assert_int_equal(w->status, 502);
    assert_int_equal(w->got_body_len, 0);
}

static void a_client_that_leaves_a_chunked_message_is_felt_at_the_gateway(void **state)
{
    struct world *w = *state;

    w->behaviour = IS_SILENT;
    w->leave = 1;
    post_chunked(w); /* returns when the gateway's handler is told */
    assert_int_equal(w->requests, 1);
    assert_null(w->held);
}

/* --- holding -------------------------------------------------------------------------------- */

/* Looks each turn whether the request is held, and later whether it is no more. */
static void look_at_hold(void *ctx)
{
    struct world *w = ctx;

    if (w->forward.hold->count > 0 && w->stream != NULL) {
        pp_stream_free(w->stream);
        w->stream = NULL;
    }
    if (w->forward.hold->count == 0 && w->stream == NULL)
        pp_loop_stop(w->loop);
    else
        pp_timer_set(w->looks, 1);
}

/* Its place is somebody else's by the time the batch leaves. */
static void a_client_that_leaves_while_it_is_held_is_in_no_batch(void **state)
{
    struct world *w = *state;
    struct relay_hold hold;

    assert_ok(relay_hold_init(&hold, w->loop, pp_random_system(), 500, 8));
    w->forward.hold = &hold;
    assert_ok(pp_timer_new(w->loop, look_at_hold, w, &w->looks));
    pp_timer_set(w->looks, 1);
    post(w);
    pp_timer_free(w->looks);
    assert_int_equal(w->requests, 0);
    post(w);
    assert_int_equal(w->status, 200);
    assert_int_equal(w->requests, 1);
    w->forward.hold = NULL;
    relay_hold_done(&hold);
}

/* --- the directory -------------------------------------------------------------------------- */

static void put(const struct world *w, const char *text)
{
    assert_ok(pp_file_write(AT_FDCWD, w->file, 0644, pp_span_cstr(text)));
}

/* pp-wire 2: one URL, one body, for everybody. */
static void the_directory_is_the_same_bytes_for_everybody(void **state)
{
    struct world *w = *state;
    char first[512];

    put(w, "bundle one");
    get(w, "");
    assert_int_equal(w->status, 200);
    assert_body(w, "bundle one");
    assert_non_null(strstr((char *)w->got, "application/pp-directory"));
    assert_false(has_field(w, "etag"));
    assert_false(has_field(w, "last-modified"));
    assert_false(has_field(w, "date"));
    assert_false(has_field(w, "set-cookie"));
    snprintf(first, sizeof first, "%.*s", (int)w->got_len, (char *)w->got);
    get(w, "If-None-Match: *\r\nIf-Modified-Since: Mon, 27 Jul 2099 12:28:53 GMT\r\n"
           "Range: bytes=0-3\r\nCookie: a=b\r\nAccept-Encoding: gzip\r\n");
    assert_string_equal((char *)w->got, first);
    assert_int_equal(w->requests, 0);
}

static void a_new_directory_is_served_when_it_is_there(void **state)
{
    struct world *w = *state;

    get(w, "");
    assert_int_equal(w->status, 404);
    put(w, "bundle one");
    get(w, "");
    assert_body(w, "bundle one");
    get(w, "");
    assert_int_equal(w->directory.read, 1); /* not read again while it is the same file */
    put(w, "bundle two!");
    get(w, "");
    assert_body(w, "bundle two!");
    assert_int_equal(unlink(w->file), 0);
    get(w, "");
    assert_body(w, "bundle two!"); /* the last good one */
}

static void a_directory_above_its_limit_does_not_replace_the_last_good_one(void **state)
{
    struct world *w = *state;
    static uint8_t large[RELAY_DIRECTORY_BYTES_MAX + 1];

    put(w, "bundle one");
    get(w, "");
    assert_ok(pp_file_write(AT_FDCWD, w->file, 0644, PP_BYTES(large)));
    get(w, "");
    assert_body(w, "bundle one");
    assert_ok(pp_file_write(AT_FDCWD, w->file, 0644, pp_span(large, RELAY_DIRECTORY_BYTES_MAX)));
    get(w, "");
    assert_int_equal(w->got_body_len, RELAY_DIRECTORY_BYTES_MAX);
}

/* What an answer still sends must not be freed under it. */
static void former_directories_are_kept_for_as_long_as_an_answer_may_take(void **state)
{
    struct world *w = *state;
    struct pp_span first, now;
    char text[32];

    put(w, "bundle 0");
    assert_ok(relay_directory_get(&w->directory, &first));
    for (int i = 1; i <= RELAY_DIRECTORY_OLD_MAX + 3; i++) {
        snprintf(text, sizeof text, "bundle %d", i);
        put(w, text);
        assert_ok(relay_directory_get(&w->directory, &now));
        assert_true(pp_span_eq(first, PP_STR("bundle 0")));
        /* When all places are taken, the current one stays until the oldest may go. */
        snprintf(text, sizeof text, "bundle %d",
                 i > RELAY_DIRECTORY_OLD_MAX ? RELAY_DIRECTORY_OLD_MAX : i);
        assert_true(pp_span_eq(now, pp_span_cstr(text)));
    }
    w->later_ms = RELAY_DIRECTORY_OLD_MS;
    assert_ok(relay_directory_get(&w->directory, &now));
    assert_true(pp_span_eq(now, PP_STR("bundle 11")));
}

static void a_relay_without_a_directory_has_none(void **state)
{
    struct world *w = *state;

    w->directory.path = NULL;
    get(w, "");
    assert_int_equal(w->status, 404);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest TESTS[] = {
    TEST(the_body_reaches_the_gateway_and_its_answer_the_client),
    TEST(w4_t3_nothing_of_the_client_goes_on_but_the_body),
    TEST(requests_of_every_bucket_pass),
    TEST(wrong_requests_are_refused_without_asking_the_gateway),
    TEST(refusals_of_the_gateway_in_clear_pass_with_their_problem),
    TEST(any_other_answer_of_the_gateway_is_502),
    TEST(a_gateway_that_is_not_there_is_502_and_a_slow_one_504),
    TEST(a_client_that_leaves_is_felt_at_the_gateway),
    TEST(a_chunked_answer_goes_on_up_to_its_limit_and_is_cut_behind_it),
    TEST(a_chunked_answer_that_stops_has_no_end),
    TEST(a_chunked_request_is_answered_in_chunks_or_refused),
    TEST(a_client_that_leaves_a_chunked_message_is_felt_at_the_gateway),
    TEST(a_client_that_leaves_while_it_is_held_is_in_no_batch),
    TEST(the_directory_is_the_same_bytes_for_everybody),
    TEST(a_new_directory_is_served_when_it_is_there),
    TEST(a_directory_above_its_limit_does_not_replace_the_last_good_one),
    TEST(former_directories_are_kept_for_as_long_as_an_answer_may_take),
    TEST(a_relay_without_a_directory_has_none),
};

PP_TEST_MAIN(TESTS)
