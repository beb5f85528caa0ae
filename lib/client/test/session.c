/* SPDX-License-Identifier: Apache-2.0 */
/* One session from token to answer, against a gateway and a machine that lie in every way. */
#include "machine.h"

#include "bhttp.h"
#include "cred.h"
#include "handle.h"
#include "message.h"
#include "session.h"

enum { KEY_ID = 7, TOKEN_BYTES = 162 };

static struct machine *m;
static struct pp_ohttp_gateway gateway;
static struct pp_kem_key *message_key; /* the worker's */
static struct pp_ratls_ctx *client_ctx, *server_ctx;
static struct pp_arena arena;
static struct pp_random random_source;

static struct pp_session session;
static struct pp_checks checks;
static struct pp_problem problem;
static uint8_t token[TOKEN_BYTES];

/* The far end of one session. */
static struct pp_ohttp exchange;
static struct pp_ratls_server *server;
static struct pp_seal seal;
static uint8_t body_up[PP_BUCKET_2_UP_KIB_MAX * 1024], body_down[PP_BUCKET_1_DOWN_BYTES];
static uint8_t flight[PP_BUCKET_1_DOWN_BYTES];
static size_t flight_len;
static uint8_t request_buffer[PP_REQUEST_BYTES_MAX];
static enum pp_bhttp_framing framing; /* of what the gateway answers */

static void make_gateway(void)
{
    static const struct pp_ohttp_suite suite = { 0x0001, 0x0001 }; /* HKDF-SHA256, AES-128-GCM */
    static const uint16_t kems[] = { PP_KEM_X25519_SHA256, PP_KEM_XWING };

    for (uint8_t i = 0; i < PP_ARRAY_COUNT(kems); i++) {
        struct pp_kem_key *key = NULL;

        assert_ok(pp_kem_key_generate(kems[i], &random_source, &key));
        assert_ok(pp_ohttp_gateway_add(&gateway, (uint8_t)(KEY_ID + i), key, &suite, 1));
    }
}

static int make(void **state)
{
    (void)state;
    m = machine_new();
    random_source = pp_random_system();
    make_gateway();
    assert_ok(pp_kem_key_generate(PP_KEM_XWING, &random_source, &message_key));
    assert_ok(pp_ratls_ctx_new(PP_END_CLIENT, &client_ctx));
    assert_ok(pp_ratls_ctx_new(PP_END_SERVER, &server_ctx));
    assert_ok(pp_arena_new_locked(&arena, PP_SESSION_ARENA_BYTES));
    token[1] = 5;
    return 0;
}

static int drop(void **state)
{
    (void)state;
    pp_arena_done(&arena);
    pp_ratls_ctx_free(client_ctx);
    pp_ratls_ctx_free(server_ctx);
    pp_kem_key_free(message_key);
    pp_ohttp_gateway_done(&gateway);
    machine_free(m);
    return 0;
}

/* The key-epoch record of today's OHTTP key, behind the host-set. */
static void list_ohttp_key(void)
{
    struct pp_ledger_record *r = &m->records[M_RECORDS];
    struct pp_key_epoch *k = &r->record.key_epoch;
    struct pp_wr wr = pp_wr_over(k->config, sizeof k->config);

    *r = (struct pp_ledger_record){ .record = { .type = PP_RECORD_KEY_EPOCH } };
    k->kind = PP_RECORD_OHTTP;
    k->use_from = MACHINE_NOW - 60;
    k->use_until = MACHINE_NOW + 60;
    assert_ok(pp_ohttp_gateway_keys(&gateway, &wr));
    k->config_len = wr.len;
    m->ledger.record_count = M_RECORDS + 1;
}

static pp_res init(void)
{
    const struct pp_session_env env = { .trust = &m->trust,
                                        .ledger = &m->ledger,
                                        .marks = &m->marks,
                                        .ratls = client_ctx,
                                        .random = &random_source,
                                        .arena = &arena,
                                        .checks = &checks,
                                        .problem = &problem };

    return pp_session_init(&session, &env);
}

static int fresh(void **state)
{
    (void)state;
    struct pp_span pk = pp_kem_key_public(message_key);

    machine_default(m);
    memcpy(m->message_key + 2, pk.at, pk.len);
    list_ohttp_key();
    framing = PP_BHTTP_RESPONSE;
    pp_arena_reset(&arena);
    checks.count = 0;
    memset(&problem, 0, sizeof problem);
    assert_ok(init());
    return 0;
}

static int done(void **state)
{
    (void)state;
    pp_session_done(&session);
    pp_ohttp_done(&exchange);
    pp_seal_done(&seal);
    pp_ratls_server_free(server);
    server = NULL;
    return 0;
}

/* --- the gateway ------------------------------------------------------------------------------ */

/* Opens a body of the device; the message borrows from body_up. */
static struct pp_bhttp opened_by_gateway(struct pp_span body)
{
    struct pp_bhttp http;
    struct pp_span inner;

    assert_true(body.len <= sizeof body_up);
    memcpy(body_up, body.at, body.len);
    pp_ohttp_done(&exchange);
    assert_ok(pp_ohttp_request_open(&exchange, &gateway, body_up, body.len, &inner));
    assert_ok(pp_bhttp_parse(inner, &http));
    assert_true(pp_span_eq(http.method, PP_STR("POST")));
    assert_true(pp_span_eq(http.scheme, PP_STR("https")));
    assert_true(pp_span_eq(http.authority, PP_STR("gateway.example")));
    assert_int_equal(http.header.count, 1);
    assert_int_equal(http.trailer.count, 0);
    return http;
}

static char handle[PP_HANDLE_TEXT_BYTES + 2];

/* The gateway's answer, in a body of `total` bytes; the caller's buffer is body_down. */
static void answer_by_gateway(uint32_t status, const char *handle_text, struct pp_span content,
                              size_t total)
{
    static uint8_t inner[PP_BUCKET_1_DOWN_BYTES];
    struct pp_bhttp http = { .framing = framing, .status = status };
    struct pp_wr wr = pp_wr_over(inner, sizeof inner);
    struct pp_wr out = pp_wr_over(body_down, sizeof body_down);

    if (handle_text != NULL)
        assert_ok(
            pp_bhttp_add(&http, &http.header, PP_STR("pp-session"), pp_span_cstr(handle_text)));
    pp_bhttp_set_content(&http, content);
    assert_ok(pp_bhttp_write_padded(&http, total - pp_ohttp_response_overhead(session.suite), &wr));
    assert_ok(pp_ohttp_response_seal(&exchange, &random_source, pp_wr_done(&wr), &out));
    assert_int_equal(out.len, total);
}

/* --- the machine ------------------------------------------------------------------------------ */

/* Makes the whole first flight for a ClientHello. */
static void make_flight(struct pp_span hello)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES];
    struct pp_wr body_wr = pp_wr_over(body, sizeof body);
    struct pp_wr wr = pp_wr_over(flight, sizeof flight);

    assert_ok(pp_ratls_server_new(server_ctx, &random_source, &server));
    assert_ok(pp_ratls_server_feed(server, hello));
    assert_ok(pp_ratls_server_session(server, &m->session));
    (void)machine_attest(m);
    assert_ok(pp_evidence_body_write(&body_wr, &m->evidence));
    assert_ok(pp_ratls_server_evidence(server, PP_BYTES(body)));
    assert_ok(pp_ratls_server_take(server, &wr));
    flight_len = wr.len;
}

/* Exchange #1 up to the gateway's door; the flight is made, nothing is answered. */
static void open_session(void)
{
    struct pp_span body;

    assert_ok(pp_session_open(&session, PP_BYTES(token), &body));
    assert_int_equal(body.len, PP_BUCKET_1_UP_BYTES);
    struct pp_bhttp http = opened_by_gateway(body);
    assert_true(pp_span_eq(http.path, PP_STR("/v1/sessions")));
    make_flight(http.content);
    memset(handle, 'A', PP_HANDLE_TEXT_BYTES);
    memcpy(handle, "AZaz09-_", 8);
    handle[PP_HANDLE_TEXT_BYTES] = '\0';
}

static pp_res receive(const struct pp_verified **ret)
{
    *ret = NULL;
    return pp_session_opened(&session, body_down, PP_BUCKET_1_DOWN_BYTES, ret);
}

static const struct pp_verified *verify(void)
{
    const struct pp_verified *verified;

    open_session();
    answer_by_gateway(200, handle, pp_span(flight, flight_len), PP_BUCKET_1_DOWN_BYTES);
    assert_ok(receive(&verified));
    return verified;
}

static struct pp_chat_message message = { .text = { (const uint8_t *)"hello there", 11 } };

static struct pp_request request_of(struct pp_chat_message *messages, size_t count)
{
    return (struct pp_request){ .feature = PP_FEATURE_SUMMARIZE,
                                .feature_name = PP_STR("summarize"),
                                .answer_kib = 2,
                                .summarize = {
                                    .words = 100, .messages = messages, .message_count = count } };
}

static uint8_t plaintext[PP_REQUEST_BYTES_MAX];

/* The worker opens the request; the CBOR map in it borrows from `plaintext`. */
static struct pp_span opened_by_worker(struct pp_span tls)
{
    uint8_t binding[PP_BINDING_BYTES];
    struct pp_span sealed, cbor;
    size_t len = 0;

    pp_ratls_server_request_buffer(server, request_buffer, sizeof request_buffer);
    assert_ok(pp_ratls_server_feed(server, tls));
    assert_ok(pp_ratls_server_request(server, &sealed));
    assert_ok(pp_binding_of_evidence(PP_END_SERVER, PP_BYTES(m->session.spki), m->session.ekm,
                                     &m->evidence, binding));
    assert_ok(pp_seal_open_request(&seal, message_key, binding, sealed, plaintext, &len));
    assert_ok(pp_padded_parse(pp_span(plaintext, len), &cbor));
    return cbor;
}

/* The worker's answer as TLS bytes; `outcome` and one item when it is ok. */
static struct pp_span answered_by_worker(enum pp_outcome outcome, size_t kib)
{
    static uint8_t tls[PP_BUCKET_1_DOWN_BYTES];
    static uint8_t pt[16384], sealed[16384 + 256];
    struct pp_item item = { .kind = PP_ITEM_TOPIC, .text = PP_STR("A greeting.") };
    struct pp_answer a = { .outcome = outcome,
                           .items = &item,
                           .item_count = outcome == PP_OUTCOME_OK ? 1 : 0,
                           .engine = { .kind = PP_STR("embedded"), .name = PP_STR("test") } };
    struct pp_wr pt_wr = pp_wr_over(pt, sizeof pt), sealed_wr = pp_wr_over(sealed, sizeof sealed);
    struct pp_wr wr = pp_wr_over(tls, sizeof tls);
    size_t items;

    assert_ok(pp_answer_write_padded(&pt_wr, &a, pp_answer_room(kib), &items));
    assert_ok(pp_seal_response(&seal, &random_source, pp_wr_done(&pt_wr), &sealed_wr));
    assert_ok(pp_ratls_server_answer(server, pp_wr_done(&sealed_wr)));
    assert_ok(pp_ratls_server_take(server, &wr));
    return pp_wr_done(&wr);
}

/* Up to the request in the worker's hands. */
static void send_request(void)
{
    const struct pp_verified *verified = verify();
    struct pp_request request = request_of(&message, 1);
    struct pp_span body;

    assert_ok(pp_session_send(&session, verified, &request, &body));
    assert_int_equal(body.len, 2048);
    struct pp_bhttp http = opened_by_gateway(body);
    (void)opened_by_worker(http.content);
}

static int is_zero(const void *at, size_t len)
{
    const uint8_t *bytes = at;

    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0)
            return 0;
    return 1;
}

/* Failed for good: nothing is left to send with, and no second try is made. */
static void assert_ended_(const char *file, int line)
{
    const struct pp_verified *verified = NULL;
    struct pp_request request = request_of(&message, 1);
    struct pp_answer answer = { 0 };
    struct pp_span body = { 0 };

    _assert_int_equal(session.state, PP_SESSION_FAILED, file, line);
    _assert_true(session.tls == NULL, "TLS", file, line);
    _assert_true(is_zero(&session.verified, sizeof session.verified) != 0, "verified", file, line);
    assert_code_(pp_session_open(&session, PP_BYTES(token), &body), PP_E_STATE, file, line);
    assert_code_(pp_session_opened(&session, body_down, sizeof body_down, &verified), PP_E_STATE,
                 file, line);
    assert_code_(pp_session_send(&session, &session.verified, &request, &body), PP_E_STATE, file,
                 line);
    assert_code_(pp_session_answered(&session, body_down, 2048, &answer), PP_E_STATE, file, line);
    _assert_true(body.at == NULL && verified == NULL, "something was given back", file, line);
}

#define assert_ended() assert_ended_(__FILE__, __LINE__)

/* --- what passes ------------------------------------------------------------------------------ */

static void a_session_brings_the_request_to_the_worker_and_the_answer_back(void **state)
{
    (void)state;
    const struct pp_verified *verified = verify();
    struct pp_request request = request_of(&message, 1), read;
    struct pp_answer answer;
    struct pp_span body, value;
    _Alignas(16) uint8_t memory[4096];
    struct pp_arena small = pp_arena_over(memory, sizeof memory);

    assert_int_equal(session.state, PP_SESSION_VERIFIED);
    assert_int_equal(verified->appraisal.simulated, 1);
    assert_memory_equal(&session.binding, &m->session, sizeof session.binding); /* the receipt's */
    assert_ok(pp_session_send(&session, verified, &request, &body));
    struct pp_bhttp http = opened_by_gateway(body);
    assert_int_equal(http.path.len, 12 + 1 + PP_HANDLE_TEXT_BYTES);
    assert_ok(pp_bhttp_field(&http, http.header, PP_STR("pp-max"), &value));
    assert_true(pp_span_eq(value, PP_STR("2")));
    assert_ok(pp_request_parse(opened_by_worker(http.content), &small, &read));
    assert_int_equal(read.summarize.message_count, 1);
    assert_true(pp_span_eq(read.summarize.messages[0].text, message.text));
    /* The device's own view decides what the worker may use. */
    assert_memory_equal(read.host_set_id, m->records[M_HOSTS].id.bytes, PP_RECORD_ID_BYTES);
    assert_int_equal(read.backends.count, 0);

    answer_by_gateway(200, NULL, answered_by_worker(PP_OUTCOME_OK, 2), 2048);
    assert_ok(pp_session_answered(&session, body_down, 2048, &answer));
    assert_int_equal(answer.item_count, 1);
    assert_true(pp_span_eq(answer.items[0].text, PP_STR("A greeting.")));
    assert_int_equal(session.sizes[0][0], PP_BUCKET_1_UP_BYTES);
    assert_int_equal(session.sizes[0][1], PP_BUCKET_1_DOWN_BYTES);
    assert_int_equal(session.sizes[1][0], 2048);
    assert_int_equal(session.sizes[1][1], 2048);
    for (size_t i = 1; i < checks.count; i++)
        assert_true(checks.rows[i].step >= checks.rows[i - 1].step);
    assert_int_equal(checks.rows[0].step, PP_STEP_EXCHANGE);
    assert_string_equal(problem.field, "");
}

/* Each policy gets the key configuration of its own KEM, and buckets are what they are. */
static void w12_a_policy_that_wants_it_gets_the_second_ohttp_key(void **state)
{
    struct pp_request request = request_of(&message, 1);
    struct pp_answer answer;
    struct pp_span body;

    (void)state;
    assert_int_equal(session.key->kem, PP_KEM_X25519_SHA256);
    pp_session_done(&session);
    m->trust.ohttp_kem = PP_KEM_XWING;
    assert_ok(init());
    assert_int_equal(session.key->kem, PP_KEM_XWING);
    assert_int_equal(session.key->id, KEY_ID + 1);
    const struct pp_verified *verified = verify(); /* 4 KiB up, 32 KiB down */
    assert_ok(pp_session_send(&session, verified, &request, &body));
    assert_int_equal(body.len, 4096); /* two X-Wing encapsulations do not go into 2 KiB */
    struct pp_bhttp http = opened_by_gateway(body);
    (void)opened_by_worker(http.content);
    answer_by_gateway(200, NULL, answered_by_worker(PP_OUTCOME_OK, 2), 2048);
    assert_ok(pp_session_answered(&session, body_down, 2048, &answer));
    assert_int_equal(answer.item_count, 1);
}

static void name_the_guard(struct machine *x)
{
    struct pp_backends *b = &x->evidence.backends;

    *b = (struct pp_backends){ .count = 1, .items = { { .role = PP_STR("guard") } } };
    memcpy(b->items[0].release_id, x->records[M_GUARD].id.bytes, sizeof b->items[0].release_id);
}

static void the_worker_is_told_the_back_ends_that_were_appraised(void **state)
{
    (void)state;
    struct pp_request request = request_of(&message, 1), read;
    struct pp_span body;
    _Alignas(16) uint8_t memory[4096];
    struct pp_arena small = pp_arena_over(memory, sizeof memory);

    m->bend_evidence = name_the_guard;
    const struct pp_verified *verified = verify();
    assert_ok(pp_session_send(&session, verified, &request, &body));
    struct pp_bhttp http = opened_by_gateway(body);
    assert_ok(pp_request_parse(opened_by_worker(http.content), &small, &read));
    assert_int_equal(read.backends.count, 1);
    assert_true(pp_span_eq(read.backends.items[0].role, PP_STR("guard")));
    assert_memory_equal(read.backends.items[0].release_id, m->records[M_GUARD].id.bytes,
                        PP_RECORD_ID_BYTES);
}

static void after_the_answer_no_key_and_no_right_to_send_is_left(void **state)
{
    (void)state;
    struct pp_answer answer;
    struct pp_request request = request_of(&message, 1);
    struct pp_span body = { 0 };

    send_request();
    answer_by_gateway(200, NULL, answered_by_worker(PP_OUTCOME_OK, 2), 2048);
    assert_ok(pp_session_answered(&session, body_down, 2048, &answer));
    assert_int_equal(session.state, PP_SESSION_DONE);
    assert_null(session.tls);
    assert_true(is_zero(&session.verified, sizeof session.verified));
    assert_true(is_zero(&session.exchange.salt, sizeof session.exchange.salt));
    assert_code(pp_session_answered(&session, body_down, 2048, &answer), PP_E_STATE);
    assert_code(pp_session_send(&session, &session.verified, &request, &body), PP_E_STATE);
    pp_session_done(&session);
    assert_true(is_zero(&session, sizeof session));
    pp_session_done(&session);
}

static void refusals_and_failures_of_the_worker_come_back_as_what_they_are(void **state)
{
    static const struct {
        enum pp_outcome outcome;
        uint32_t code;
    } rows[] = { { PP_OUTCOME_REFUSED, PP_E_ANSWER_REFUSED },
                 { PP_OUTCOME_FAILED, PP_E_ANSWER_FAILED } };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_answer answer = { 0 };
        send_request();
        answer_by_gateway(200, NULL, answered_by_worker(rows[i].outcome, 2), 2048);
        assert_code(pp_session_answered(&session, body_down, 2048, &answer), rows[i].code);
        assert_int_equal(answer.outcome, rows[i].outcome);
        assert_true(pp_span_eq(answer.engine.kind, PP_STR("embedded")));
        assert_int_equal(session.state, PP_SESSION_DONE);
        assert_int_equal(done(state), 0);
        assert_int_equal(fresh(state), 0);
    }
}

/* --- order ------------------------------------------------------------------------------------ */

static void nothing_can_be_sent_before_the_session_is_verified(void **state)
{
    (void)state;
    struct pp_request request = request_of(&message, 1);
    struct pp_answer answer;
    const struct pp_verified *verified;
    struct pp_span body = { 0 };

    assert_code(pp_session_send(&session, &session.verified, &request, &body), PP_E_STATE);
    assert_code(receive(&verified), PP_E_STATE);
    assert_code(pp_session_answered(&session, body_down, 2048, &answer), PP_E_STATE);
    open_session();
    assert_code(pp_session_send(&session, &session.verified, &request, &body), PP_E_STATE);
    assert_code(pp_session_answered(&session, body_down, 2048, &answer), PP_E_STATE);
    assert_null(body.at);
    assert_int_equal(pp_ratls_client_pending(session.tls), 0);
}

static void the_right_to_send_is_of_one_session(void **state)
{
    (void)state;
    struct pp_verified copy = *verify();
    struct pp_request request = request_of(&message, 1);
    struct pp_span body = { 0 };

    assert_code(pp_session_send(&session, &copy, &request, &body), PP_E_UNVERIFIED);
    assert_code(pp_session_send(&session, NULL, &request, &body), PP_E_UNVERIFIED);
    assert_null(body.at);
    assert_ok(pp_session_send(&session, &session.verified, &request, &body));
    assert_code(pp_session_send(&session, &session.verified, &request, &body), PP_E_STATE);
}

static void exchange_1_is_opened_and_answered_once(void **state)
{
    (void)state;
    struct pp_span body;
    const struct pp_verified *verified = verify();

    assert_non_null(verified);
    assert_code(receive(&verified), PP_E_STATE);
    assert_null(verified);
    assert_code(pp_session_open(&session, PP_BYTES(token), &body), PP_E_STATE);
}

/* --- the answer to #1 ------------------------------------------------------------------------- */

static void an_answer_of_another_size_is_refused(void **state)
{
    static const size_t sizes[] = { 0, 1, 32, PP_BUCKET_1_DOWN_BYTES - 1,
                                    PP_BUCKET_1_DOWN_BYTES + 1 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(sizes); i++) {
        static uint8_t longer[PP_BUCKET_1_DOWN_BYTES + 1];
        const struct pp_verified *verified = NULL;
        open_session();
        answer_by_gateway(200, handle, pp_span(flight, flight_len), PP_BUCKET_1_DOWN_BYTES);
        memcpy(longer, body_down, sizeof body_down);
        assert_code(pp_session_opened(&session, longer, sizes[i], &verified),
                    sizes[i] < PP_BUCKET_1_DOWN_BYTES ? PP_E_ANSWER_TRUNCATED : PP_E_FORMAT);
        assert_null(verified);
        assert_ended();
        assert_int_equal(done(state), 0);
        assert_int_equal(fresh(state), 0);
    }
}

static void an_answer_that_the_gateway_did_not_seal_is_refused(void **state)
{
    (void)state;
    const struct pp_verified *verified;

    open_session();
    answer_by_gateway(200, handle, pp_span(flight, flight_len), PP_BUCKET_1_DOWN_BYTES);
    body_down[100] ^= 1;
    assert_code(receive(&verified), PP_E_AUTH);
    assert_string_equal(problem.party, "relay or gateway");
    assert_ended();
}

static void the_answer_of_another_exchange_is_refused(void **state)
{
    (void)state;
    static uint8_t other[PP_BUCKET_1_DOWN_BYTES];
    const struct pp_verified *verified;

    open_session();
    answer_by_gateway(200, handle, pp_span(flight, flight_len), PP_BUCKET_1_DOWN_BYTES);
    memcpy(other, body_down, sizeof other);
    assert_int_equal(done(state), 0);
    assert_int_equal(fresh(state), 0);
    open_session();
    memcpy(body_down, other, sizeof other);
    assert_code(receive(&verified), PP_E_AUTH);
    assert_ended();
}

static void statuses_of_the_gateway_have_codes_of_their_own(void **state)
{
    static const struct {
        uint32_t status, code;
    } rows[] = { { 401, PP_E_TOKEN_REFUSED },
                 { 503, PP_E_NO_CVM },
                 { 410, PP_E_SESSION_GONE },
                 { 400, PP_E_HTTP_STATUS },
                 { 201, PP_E_HTTP_STATUS } };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        const struct pp_verified *verified;
        open_session();
        answer_by_gateway(rows[i].status, handle, pp_span(flight, flight_len),
                          PP_BUCKET_1_DOWN_BYTES);
        pp_res r = receive(&verified);
        assert_code(r, rows[i].code);
        assert_int_equal(r.detail, rows[i].status);
        assert_string_equal(problem.party, "gateway");
        assert_ended();
        assert_int_equal(done(state), 0);
        assert_int_equal(fresh(state), 0);
    }
}

static void another_framing_than_the_known_length_is_refused(void **state)
{
    (void)state;
    const struct pp_verified *verified;

    open_session();
    framing = PP_BHTTP_RESPONSE_INDETERMINATE;
    answer_by_gateway(200, handle, pp_span(flight, flight_len), PP_BUCKET_1_DOWN_BYTES);
    assert_code(receive(&verified), PP_E_FORMAT);
    assert_string_equal(problem.field, "answer");
    assert_ended();
}

static void a_handle_that_is_no_handle_is_refused(void **state)
{
    static const char bad[] = { '/', '.', '=', '%', ' ', '+' };

    for (size_t i = 0; i < PP_ARRAY_COUNT(bad) + 3; i++) {
        const struct pp_verified *verified;
        const char *text = handle;
        open_session();
        if (i < PP_ARRAY_COUNT(bad))
            handle[50] = bad[i];
        if (i == PP_ARRAY_COUNT(bad))
            handle[PP_HANDLE_TEXT_BYTES - 1] = '\0';
        if (i == PP_ARRAY_COUNT(bad) + 1)
            memcpy(handle + PP_HANDLE_TEXT_BYTES, "A", 2);
        if (i == PP_ARRAY_COUNT(bad) + 2)
            text = NULL;
        answer_by_gateway(200, text, pp_span(flight, flight_len), PP_BUCKET_1_DOWN_BYTES);
        assert_code(receive(&verified), PP_E_FORMAT);
        assert_string_equal(problem.field, "pp-session");
        assert_ended();
        assert_int_equal(done(state), 0);
        assert_int_equal(fresh(state), 0);
    }
}

/* Not the gateway's word counts here, but the machine's: whatever it is, it is not verified. */
static void a_first_flight_cut_anywhere_is_refused(void **state)
{
    static const size_t cuts[] = { 0, 1, 5, 90, 128, 300, 500, 700, 8000, 20000 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(cuts) + 1; i++) {
        const struct pp_verified *verified;
        open_session();
        size_t len = i < PP_ARRAY_COUNT(cuts) ? cuts[i] : flight_len - 1;
        answer_by_gateway(200, handle, pp_span(flight, len), PP_BUCKET_1_DOWN_BYTES);
        pp_res r = receive(&verified);
        assert_int_equal(pp_code_class(r.code), PP_CLASS_REFUSED);
        assert_null(verified);
        assert_ended();
        assert_int_equal(done(state), 0);
        assert_int_equal(fresh(state), 0);
    }
}

static void bytes_behind_the_first_flight_are_refused(void **state)
{
    (void)state;
    const struct pp_verified *verified;

    open_session();
    memset(flight + flight_len, 0x17, 5); /* the start of a record */
    answer_by_gateway(200, handle, pp_span(flight, flight_len + 5), PP_BUCKET_1_DOWN_BYTES);
    assert_int_equal(pp_code_class(receive(&verified).code), PP_CLASS_REFUSED);
    assert_null(verified);
    assert_ended();
}

static void a_first_flight_that_is_not_tls_is_refused(void **state)
{
    (void)state;
    const struct pp_verified *verified;

    open_session();
    answer_by_gateway(200, handle, PP_STR("HTTP/1.1 200 OK\r\n\r\n"), PP_BUCKET_1_DOWN_BYTES);
    assert_int_equal(pp_code_class(receive(&verified).code), PP_CLASS_REFUSED);
    assert_string_equal(problem.party, "CVM");
    assert_ended();
}

/* The flight of a session between the machine and somebody else: relayed word for word. */
static void the_flight_of_another_session_is_refused(void **state)
{
    (void)state;
    static uint8_t other[sizeof flight];
    const struct pp_verified *verified;

    open_session();
    size_t other_len = flight_len;
    memcpy(other, flight, flight_len);
    assert_int_equal(done(state), 0);
    assert_int_equal(fresh(state), 0);
    open_session();
    answer_by_gateway(200, handle, pp_span(other, other_len), PP_BUCKET_1_DOWN_BYTES);
    assert_int_equal(pp_code_class(receive(&verified).code), PP_CLASS_REFUSED);
    assert_ended();
}

static void name_another_release(struct machine *x)
{
    x->evidence.release_id[0] ^= 1;
}

static void a_refusal_of_the_appraisal_ends_the_session(void **state)
{
    (void)state;
    const struct pp_verified *verified;

    m->bend_evidence = name_another_release;
    open_session();
    answer_by_gateway(200, handle, pp_span(flight, flight_len), PP_BUCKET_1_DOWN_BYTES);
    assert_code(receive(&verified), PP_E_LEDGER_UNLISTED);
    assert_null(verified);
    assert_ended();
}

/* --- keys ------------------------------------------------------------------------------------- */

static void only_the_ohttp_key_that_the_ledger_lists_for_now_is_used(void **state)
{
    (void)state;
    struct pp_key_epoch *k = &m->records[M_RECORDS].record.key_epoch;

    pp_session_done(&session);
    k->use_until = MACHINE_NOW;
    assert_code(init(), PP_E_LEDGER_KEYS);
    assert_int_equal(session.state, PP_SESSION_FAILED);
    k->use_until = MACHINE_NOW + 1;
    k->config_len--;
    assert_code(init(), PP_E_OHTTP_KEY);
    k->config_len++;
    m->trust.ohttp_kem = PP_KEM_P256_SHA256; /* the policy's KEM is not in the list */
    assert_code(init(), PP_E_OHTTP_KEY);
    m->trust.ohttp_kem = PP_KEM_X25519_SHA256;
    assert_ok(init());
}

static void a_token_of_another_length_opens_nothing(void **state)
{
    (void)state;
    static const uint8_t longer[PP_TOKEN_BYTES_MAX + 4];
    struct pp_span body = { 0 };

    assert_false(pp_is_ok(pp_session_open(&session, PP_BYTES(longer), &body)));
    assert_null(body.at);
    assert_ended();
}

/* --- exchange #2 ------------------------------------------------------------------------------ */

static void an_answer_to_2_of_another_size_is_refused(void **state)
{
    static const size_t sizes[] = { 0, 1024, 2047, 2049, 4096 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(sizes); i++) {
        struct pp_answer answer;
        send_request();
        answer_by_gateway(200, NULL, answered_by_worker(PP_OUTCOME_OK, 2), 2048);
        assert_code(pp_session_answered(&session, body_down, sizes[i], &answer),
                    sizes[i] < 2048 ? PP_E_ANSWER_TRUNCATED : PP_E_FORMAT);
        assert_ended();
        assert_int_equal(done(state), 0);
        assert_int_equal(fresh(state), 0);
    }
}

static void an_answer_to_2_that_is_not_whole_is_refused(void **state)
{
    for (size_t cut = 0; cut < 3; cut++) {
        struct pp_answer answer;
        send_request();
        struct pp_span tls = answered_by_worker(PP_OUTCOME_OK, 2);
        static const size_t keep[] = { 0, 100, 1 };
        tls.len = cut < 2 ? keep[cut] : tls.len - 1;
        answer_by_gateway(200, NULL, tls, 2048);
        pp_res r = pp_session_answered(&session, body_down, 2048, &answer);
        assert_true(r.code == PP_E_ANSWER_TRUNCATED || r.code == PP_E_SESSION_GONE);
        assert_ended();
        assert_int_equal(done(state), 0);
        assert_int_equal(fresh(state), 0);
    }
}

static void an_answer_that_the_worker_did_not_seal_is_refused(void **state)
{
    (void)state;
    static uint8_t tls[8192], forged[4096];
    struct pp_wr wr = pp_wr_over(tls, sizeof tls);
    struct pp_answer answer;

    send_request();
    /* The guest's TLS process knows the session, not the message key. */
    assert_ok(pp_ratls_server_answer(
        server, pp_span(forged, pp_answer_room(2) + PP_SEALED_RESPONSE_EXTRA)));
    assert_ok(pp_ratls_server_take(server, &wr));
    answer_by_gateway(200, NULL, pp_wr_done(&wr), 2048);
    assert_code(pp_session_answered(&session, body_down, 2048, &answer), PP_E_AUTH);
    assert_string_equal(problem.party, "CVM");
    assert_ended();
}

static void a_gateway_that_says_gone_ends_the_session(void **state)
{
    (void)state;
    struct pp_answer answer;

    send_request();
    answer_by_gateway(410, NULL, PP_STR(""), 2048);
    assert_code(pp_session_answered(&session, body_down, 2048, &answer), PP_E_SESSION_GONE);
    assert_ended();
}

static void an_answer_bucket_that_is_none_is_refused(void **state)
{
    (void)state;
    struct pp_request request = request_of(&message, 1);
    const struct pp_verified *verified = verify();
    struct pp_span body = { 0 };

    request.answer_kib = 3;
    assert_code(pp_session_send(&session, verified, &request, &body), PP_E_RANGE);
    assert_null(body.at);
    assert_ended();
}

/* --- sizes ------------------------------------------------------------------------------------ */

enum { MANY = PP_CHAT_MESSAGE_MAX };
static struct pp_chat_message many[MANY];
static uint8_t text[PP_CHAT_TEXT_BYTES_MAX];

static struct pp_request many_of(size_t count, size_t text_len)
{
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < count; i++)
        many[i] = (struct pp_chat_message){ .id = (uint32_t)i, .text = pp_span(text, text_len) };
    return request_of(many, count);
}

static void what_fits_is_sent_in_the_smallest_bucket_and_within_the_arena(void **state)
{
    (void)state;
    struct pp_request request = many_of(15, PP_CHAT_TEXT_BYTES_MAX);
    struct pp_span body;

    assert_ok(pp_session_fits(&m->trust, &request, &arena));
    const struct pp_verified *verified = verify();
    assert_ok(pp_session_send(&session, verified, &request, &body));
    assert_int_equal(body.len, 256 * 1024);
}

static void what_does_not_fit_is_refused_with_the_number_that_would(void **state)
{
    static const struct {
        size_t count, text_len;
    } rows[] = { { 16, PP_CHAT_TEXT_BYTES_MAX }, { MANY, PP_CHAT_TEXT_BYTES_MAX }, { MANY, 200 } };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_request request = many_of(rows[i].count, rows[i].text_len);
        pp_arena_reset(&arena);
        pp_res r = pp_session_fits(&m->trust, &request, &arena);
        assert_code(r, PP_E_TOO_LARGE);
        assert_in_range(r.detail, 1, rows[i].count - 1);
        size_t fit = r.detail;
        for (size_t more = 0; more < 2; more++) { /* that many of the latest, and one more */
            request.summarize.messages = many + rows[i].count - fit - more;
            request.summarize.message_count = fit + more;
            pp_arena_reset(&arena);
            assert_code(pp_session_fits(&m->trust, &request, &arena),
                        more ? PP_E_TOO_LARGE : PP_E_OK);
        }
        (void)state;
    }
}

static void what_is_no_request_is_not_called_too_large(void **state)
{
    (void)state;
    struct pp_request request = many_of(1, 10);

    request.summarize.message_count = 0;
    assert_code(pp_session_fits(&m->trust, &request, &arena), PP_E_RANGE);
    pp_arena_reset(&arena);
    (void)pp_arena_alloc(&arena, PP_SESSION_ARENA_BYTES - 1024);
    assert_code(pp_session_fits(&m->trust, &request, &arena), PP_E_NO_MEMORY);
}

static void a_request_that_is_too_large_in_the_end_is_not_sent(void **state)
{
    (void)state;
    struct pp_request request = many_of(16, PP_CHAT_TEXT_BYTES_MAX);
    const struct pp_verified *verified = verify();
    struct pp_span body = { 0 };

    assert_code(pp_session_send(&session, verified, &request, &body), PP_E_TOO_LARGE);
    assert_null(body.at);
    assert_ended();
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, fresh, done)

static const struct CMUnitTest TESTS[] = {
    FRESH(a_session_brings_the_request_to_the_worker_and_the_answer_back),
    FRESH(w12_a_policy_that_wants_it_gets_the_second_ohttp_key),
    FRESH(the_worker_is_told_the_back_ends_that_were_appraised),
    FRESH(after_the_answer_no_key_and_no_right_to_send_is_left),
    FRESH(refusals_and_failures_of_the_worker_come_back_as_what_they_are),
    FRESH(nothing_can_be_sent_before_the_session_is_verified),
    FRESH(the_right_to_send_is_of_one_session),
    FRESH(exchange_1_is_opened_and_answered_once),
    FRESH(an_answer_of_another_size_is_refused),
    FRESH(an_answer_that_the_gateway_did_not_seal_is_refused),
    FRESH(the_answer_of_another_exchange_is_refused),
    FRESH(statuses_of_the_gateway_have_codes_of_their_own),
    FRESH(another_framing_than_the_known_length_is_refused),
    FRESH(a_handle_that_is_no_handle_is_refused),
    FRESH(a_first_flight_cut_anywhere_is_refused),
    FRESH(bytes_behind_the_first_flight_are_refused),
    FRESH(a_first_flight_that_is_not_tls_is_refused),
    FRESH(the_flight_of_another_session_is_refused),
    FRESH(a_refusal_of_the_appraisal_ends_the_session),
    FRESH(only_the_ohttp_key_that_the_ledger_lists_for_now_is_used),
    FRESH(a_token_of_another_length_opens_nothing),
    FRESH(an_answer_to_2_of_another_size_is_refused),
    FRESH(an_answer_to_2_that_is_not_whole_is_refused),
    FRESH(an_answer_that_the_worker_did_not_seal_is_refused),
    FRESH(a_gateway_that_says_gone_ends_the_session),
    FRESH(an_answer_bucket_that_is_none_is_refused),
    FRESH(what_fits_is_sent_in_the_smallest_bucket_and_within_the_arena),
    FRESH(what_does_not_fit_is_refused_with_the_number_that_would),
    FRESH(what_is_no_request_is_not_called_too_large),
    FRESH(a_request_that_is_too_large_in_the_end_is_not_sent),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make, drop);
}
