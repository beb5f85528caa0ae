/* SPDX-License-Identifier: Apache-2.0 */
/* What the client refuses of a server: each test bends a real TLS server, or its bytes, in one
 * way. */
#include "bent.h"

struct bend {
    struct pp_ratls_ctx *client_ctx;
    struct pp_ratls_client *client;
    struct bent server;
    struct pp_ec_key *key;
    uint8_t wire[PAIR_WIRE_BYTES];
};

static int set_up(void **state)
{
    struct bend *t = calloc(1, sizeof *t);

    assert_non_null(t);
    assert_ok(pp_crypto_init());
    assert_ok(pp_ratls_ctx_new(PP_END_CLIENT, &t->client_ctx));
    assert_ok(pp_ratls_client_new(t->client_ctx, &t->client));
    bent_server_ctx(&t->server, &t->key);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct bend *t = *state;

    pp_ratls_client_free(t->client);
    pp_ratls_ctx_free(t->client_ctx);
    bent_done(&t->server);
    pp_ec_key_free(t->key);
    free(t);
    return 0;
}

/* The server reads the ClientHello and makes its flight. */
static void hello_to_server(struct bend *t)
{
    uint8_t hello[PP_HELLO_BYTES], early[1];
    size_t got;

    bent_start(&t->server);
    SSL_set_accept_state(t->server.ssl);
    assert_int_equal(client_take(t->client, hello, sizeof hello), sizeof hello);
    bent_put(&t->server, hello, sizeof hello);
    (void)SSL_read_early_data(t->server.ssl, early, sizeof early, &got);
}

static void server_says(struct bend *t, enum pp_message_type type, size_t len)
{
    static uint8_t message[PP_EVIDENCE_BODY_BYTES + 64];
    size_t total = pair_message(type, len, message, sizeof message);
    size_t written;

    assert_int_equal(SSL_write_early_data(t->server.ssl, message, total, &written), 1);
}

static pp_res to_client(struct bend *t)
{
    size_t len = bent_take(&t->server, t->wire, sizeof t->wire);

    assert_true(len > 0);
    return pp_ratls_client_feed(t->client, pp_span(t->wire, len));
}

static void assert_refused(struct bend *t, enum pp_code code)
{
    assert_code(to_client(t), code);
    assert_int_equal(pp_ratls_client_state(t->client), PP_CLIENT_DEAD);
    assert_int_equal(pp_ratls_client_pending(t->client), 0);
}

/* The twin of all that follow: the same server, not bent, is taken. */
static void the_unbent_server_is_taken(void **state)
{
    struct bend *t = *state;

    hello_to_server(t);
    server_says(t, PP_MESSAGE_EVIDENCE, PP_EVIDENCE_BODY_BYTES);
    assert_ok(to_client(t));
    assert_ok(pp_ratls_client_flight_end(t->client));
    assert_int_equal(pp_ratls_client_state(t->client), PP_CLIENT_EVIDENCE);
}

/* --- W11: version, suite, group, extensions -------------------------------------------------- */

static void w11_t1_a_server_of_tls_1_2_is_refused(void **state)
{
    struct bend *t = *state;

    SSL_CTX_set_max_proto_version(t->server.ctx, TLS1_2_VERSION);
    hello_to_server(t);
    assert_refused(t, PP_E_TLS_ALERT); /* it can only answer with an alert */
}

static void feed_server_hello(struct bend *t, const char *random, const char *rest,
                              enum pp_code code)
{
    uint8_t hello[PP_HELLO_BYTES], body[256], record[300];
    struct pp_wr wr = pp_wr_over(record, sizeof record);
    struct pp_wr b = pp_wr_over(body, sizeof body);
    uint8_t bytes[200];

    assert_int_equal(client_take(t->client, hello, sizeof hello), sizeof hello);
    pp_wr_u16(&b, 0x0303);
    pp_wr_bytes(&b, bytes, pp_test_hex(random, bytes, sizeof bytes));
    pp_wr_bytes(&b, bytes, pp_test_hex(rest, bytes, sizeof bytes));
    pp_wr_u8(&wr, 22);
    pp_wr_u16(&wr, 0x0303);
    pp_wr_u16(&wr, (uint16_t)(b.len + 4));
    pp_wr_u8(&wr, PP_TLS_SERVER_HELLO);
    pp_wr_u24(&wr, (uint32_t)b.len);
    pp_wr_span(&wr, pp_wr_done(&b));
    assert_ok(pp_wr_ok(&wr));
    assert_code(pp_ratls_client_feed(t->client, pp_wr_done(&wr)), code);
    assert_int_equal(pp_ratls_client_pending(t->client), 0);
}

#define RANDOM_A "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
#define RETRY    "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"
#define SHARE    "00330024001d0020 0900000000000000000000000000000000000000000000000000000000000000"
#define VERSION  "002b00020304"

static void w11_t1_a_server_hello_of_tls_1_2_is_refused(void **state)
{
    feed_server_hello(*state, RANDOM_A, "00 c02c 00 0000", PP_E_TLS_VERSION);
}

/* RFC 8446 4.1.3: the downgrade sentinel of a server that could do better. */
static void w11_t1_a_downgrade_with_its_sentinel_is_refused(void **state)
{
    feed_server_hello(*state, "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7444f574e47524401",
                      "00 c02c 00", PP_E_TLS_VERSION);
}

static void w11_t5_a_hello_retry_request_is_refused(void **state)
{
    feed_server_hello(*state, RETRY, "00 1302 00 000c" VERSION "003300020017", PP_E_TLS_RETRY);
}

static void w11_t2_a_pre_shared_key_is_refused(void **state)
{
    feed_server_hello(*state, RANDOM_A, "00 1302 00 0034" VERSION SHARE "002900020000",
                      PP_E_TLS_RESUMPTION);
}

static void w11_t4_another_group_is_refused(void **state)
{
    feed_server_hello(
        *state, RANDOM_A,
        "00 1302 00 002e" VERSION
        "0033002400170020 0900000000000000000000000000000000000000000000000000000000000000",
        PP_E_TLS_SUITE);
}

static void an_extension_more_in_the_server_hello_is_refused(void **state)
{
    feed_server_hello(*state, RANDOM_A, "00 1302 00 0032" VERSION SHARE "00170000", PP_E_TLS_SUITE);
}

static void a_session_id_in_the_server_hello_is_refused(void **state)
{
    feed_server_hello(*state, RANDOM_A, "01aa 1302 00 002e" VERSION SHARE, PP_E_TLS_SUITE);
}

static void the_clients_second_suite_is_refused(void **state)
{
    struct bend *t = *state;

    SSL_CTX_set_ciphersuites(t->server.ctx, "TLS_AES_128_GCM_SHA256");
    hello_to_server(t);
    assert_refused(t, PP_E_TLS_SUITE);
}

static void a_server_that_names_its_groups_is_refused(void **state)
{
    struct bend *t = *state;

    SSL_CTX_set1_groups_list(t->server.ctx, "P-256:X25519"); /* it then says so, unasked */
    hello_to_server(t);
    assert_refused(t, PP_E_TLS_SUITE);
}

static void a_server_without_alpn_is_refused(void **state)
{
    struct bend *t = *state;

    SSL_CTX_set_alpn_select_cb(t->server.ctx, NULL, NULL);
    hello_to_server(t);
    assert_refused(t, PP_E_TLS_SUITE);
}

static void a_server_of_another_protocol_is_refused(void **state)
{
    static char other[] = "pp-ratls/2";
    struct bend *t = *state;

    SSL_CTX_set_alpn_select_cb(t->server.ctx, bent_alpn, other);
    hello_to_server(t);
    assert_refused(t, PP_E_TLS_SUITE);
}

static void a_server_in_middlebox_mode_is_refused(void **state)
{
    struct bend *t = *state;

    SSL_CTX_set_options(t->server.ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    hello_to_server(t);
    assert_refused(t, PP_E_TLS_MESSAGE);
}

static void a_server_that_asks_for_a_client_certificate_is_refused(void **state)
{
    struct bend *t = *state;

    SSL_CTX_set_verify(t->server.ctx, SSL_VERIFY_PEER, NULL);
    hello_to_server(t);
    assert_refused(t, PP_E_TLS_MESSAGE);
}

/* --- certificates ---------------------------------------------------------------------------- */

static void a_chain_of_two_certificates_is_refused(void **state)
{
    struct bend *t = *state;
    X509 *same = SSL_CTX_get0_certificate(t->server.ctx);

    assert_int_equal(SSL_CTX_add1_chain_cert(t->server.ctx, same), 1);
    hello_to_server(t);
    assert_refused(t, PP_E_TLS_CERTIFICATE);
}

static void bytes_that_are_no_tls_are_refused(void **state)
{
    struct bend *t = *state;

    assert_code(pp_ratls_client_feed(t->client, PP_STR("HTTP/1.1 200 OK\r\n\r\n")), PP_E_TLS_ALERT);
}

static void an_alert_is_refused(void **state)
{
    struct bend *t = *state;

    assert_code(pp_ratls_client_feed(t->client, PP_STR("\x15\x03\x03\x00\x02\x02\x28")),
                PP_E_TLS_ALERT);
}

/* --- Evidence -------------------------------------------------------------------------------- */

static void a_flight_without_evidence_is_refused(void **state)
{
    struct bend *t = *state;

    hello_to_server(t);
    assert_ok(to_client(t));
    assert_code(pp_ratls_client_flight_end(t->client), PP_E_NO_EVIDENCE);
    assert_int_equal(pp_ratls_client_pending(t->client), 0);
}

static void two_evidence_messages_are_refused(void **state)
{
    struct bend *t = *state;

    hello_to_server(t);
    server_says(t, PP_MESSAGE_EVIDENCE, PP_EVIDENCE_BODY_BYTES);
    server_says(t, PP_MESSAGE_EVIDENCE, PP_EVIDENCE_BODY_BYTES);
    assert_refused(t, PP_E_EVIDENCE_TWICE);
}

static void two_evidence_messages_in_two_answers_are_refused(void **state)
{
    struct bend *t = *state;

    hello_to_server(t);
    server_says(t, PP_MESSAGE_EVIDENCE, PP_EVIDENCE_BODY_BYTES);
    assert_ok(to_client(t));
    server_says(t, PP_MESSAGE_EVIDENCE, PP_EVIDENCE_BODY_BYTES);
    assert_refused(t, PP_E_EVIDENCE_TWICE);
}

static void evidence_of_another_size_is_refused(void **state)
{
    static const size_t SIZES[] = { 0, 1, PP_EVIDENCE_BODY_BYTES - 1, PP_EVIDENCE_BODY_BYTES + 1 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(SIZES); i++) {
        struct bend *t = *state;
        hello_to_server(t);
        server_says(t, PP_MESSAGE_EVIDENCE, SIZES[i]);
        assert_refused(t, PP_E_EVIDENCE_SIZE);
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
}

static void another_message_in_the_first_flight_is_refused(void **state)
{
    struct bend *t = *state;

    hello_to_server(t);
    server_says(t, PP_MESSAGE_SEALED_RESPONSE, 100);
    assert_refused(t, PP_E_EVIDENCE_FORMAT);
}

static void another_message_behind_the_evidence_is_refused(void **state)
{
    struct bend *t = *state;

    hello_to_server(t);
    server_says(t, PP_MESSAGE_EVIDENCE, PP_EVIDENCE_BODY_BYTES);
    server_says(t, PP_MESSAGE_SEALED_RESPONSE, 100);
    assert_refused(t, PP_E_EVIDENCE_FORMAT);
}

static void half_a_record_behind_the_evidence_is_refused(void **state)
{
    struct bend *t = *state;

    hello_to_server(t);
    server_says(t, PP_MESSAGE_EVIDENCE, PP_EVIDENCE_BODY_BYTES);
    assert_ok(to_client(t));
    server_says(t, PP_MESSAGE_SEALED_RESPONSE, 100);
    size_t len = bent_take(&t->server, t->wire, sizeof t->wire);
    assert_ok(pp_ratls_client_feed(t->client, pp_span(t->wire, len - 1)));
    assert_code(pp_ratls_client_flight_end(t->client), PP_E_TLS_TRUNCATED);
}

/* --- after the request ----------------------------------------------------------------------- */

/* A client that has sent, and the server behind its Finished. */
static void run_to_sent(struct bend *t)
{
    struct pp_ratls_session session;
    struct pp_ratls_permit permit;
    struct pp_evidence e = pair_evidence();
    uint8_t binding[PP_BINDING_BYTES], message[300], read[300];
    size_t len = pair_message(PP_MESSAGE_SEALED_REQUEST, 200, message, sizeof message);
    size_t got = 0;

    hello_to_server(t);
    server_says(t, PP_MESSAGE_EVIDENCE, PP_EVIDENCE_BODY_BYTES);
    assert_ok(to_client(t));
    assert_ok(pp_ratls_client_session(t->client, &session));
    assert_ok(
        pp_binding_of_evidence(PP_END_SERVER, PP_BYTES(session.spki), session.ekm, &e, binding));
    assert_ok(pp_ratls_permit(t->client, &e, binding, &permit));
    assert_ok(pp_ratls_client_send(t->client, &permit, pp_span(message, len), 500));
    len = client_take(t->client, t->wire, sizeof t->wire);
    bent_put(&t->server, t->wire, len);
    assert_int_equal(SSL_do_handshake(t->server.ssl), 1);
    assert_int_equal(SSL_read_ex(t->server.ssl, read, sizeof read, &got), 1);
}

static void w7_t7_a_ticket_ends_the_session(void **state)
{
    struct bend *t = *state;

    SSL_CTX_set_num_tickets(t->server.ctx, 1);
    run_to_sent(t);
    assert_refused(t, PP_E_TLS_RESUMPTION);
}

static void w11_t7_a_key_update_ends_the_session(void **state)
{
    struct bend *t = *state;
    uint8_t message[64];
    size_t len = pair_message(PP_MESSAGE_SEALED_RESPONSE, 10, message, sizeof message), written;

    run_to_sent(t);
    assert_int_equal(SSL_key_update(t->server.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    assert_int_equal(SSL_write_ex(t->server.ssl, message, len, &written), 1);
    assert_refused(t, PP_E_TLS_MESSAGE);
}

static void evidence_behind_the_request_ends_the_session(void **state)
{
    struct bend *t = *state;
    static uint8_t message[PP_EVIDENCE_BODY_BYTES + 64];
    size_t len = pair_message(PP_MESSAGE_EVIDENCE, 500, message, sizeof message), written;

    run_to_sent(t);
    assert_int_equal(SSL_write_ex(t->server.ssl, message, len, &written), 1);
    assert_refused(t, PP_E_MESSAGE_ORDER);
}

static void two_answers_end_the_session(void **state)
{
    struct bend *t = *state;
    uint8_t message[600];
    size_t len = pair_message(PP_MESSAGE_SEALED_RESPONSE, 500, message, sizeof message), written;

    run_to_sent(t);
    assert_int_equal(SSL_write_ex(t->server.ssl, message, len, &written), 1);
    assert_int_equal(SSL_write_ex(t->server.ssl, message, len, &written), 1);
    assert_refused(t, PP_E_MESSAGE_ORDER);
}

static void w11_t6_a_request_for_client_authentication_ends_the_session(void **state)
{
    struct bend *t = *state;
    uint8_t message[600];
    size_t len = pair_message(PP_MESSAGE_SEALED_RESPONSE, 500, message, sizeof message), written;

    run_to_sent(t);
    /* The library refuses to ask: our ClientHello does not offer it. So nothing but the answer. */
    assert_int_equal(SSL_verify_client_post_handshake(t->server.ssl), 0);
    assert_int_equal(SSL_write_ex(t->server.ssl, message, len, &written), 1);
    assert_ok(to_client(t));
    assert_code(pp_tls_unexpected(PP_TLS_CERTIFICATE_REQUEST), PP_E_TLS_MESSAGE);
}

/* --- the server's side ----------------------------------------------------------------------- */

static void client_ctx(struct bent *b)
{
    b->ctx = SSL_CTX_new(TLS_client_method());
    assert_non_null(b->ctx);
    SSL_CTX_set_ciphersuites(b->ctx, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256");
    SSL_CTX_set1_groups_list(b->ctx, "X25519");
    SSL_CTX_set1_sigalgs_list(b->ctx, "ECDSA+SHA256");
    SSL_CTX_set_options(b->ctx, SSL_OP_NO_TICKET);
    SSL_CTX_clear_options(b->ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    SSL_CTX_set_min_proto_version(b->ctx, TLS1_3_VERSION);
    assert_int_equal(SSL_CTX_set_alpn_protos(b->ctx, (const unsigned char *)"\x0app-ratls/1", 11),
                     0);
}

/* Starts a plain client and gives its ClientHello. */
static size_t client_hello(struct bent *b, uint8_t *hello, size_t cap)
{
    bent_start(b);
    SSL_set_connect_state(b->ssl);
    assert_int_equal(SSL_do_handshake(b->ssl), -1);
    return bent_take(b, hello, cap);
}

/*
 * pp-wire 5: after a HelloRetryRequest SSL_read_early_data still returns 2 and SSL_write_early_data
 * would send PLAINTEXT. The exporter tells, and nothing is written.
 */
static void a_server_that_would_retry_writes_nothing(void **state)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES];
    struct bent c = { 0 };
    struct pp_ratls_ctx *ctx;
    struct pp_ratls_server *s;
    struct pp_random random = pp_random_system();
    uint8_t hello[1024];
    struct pp_ratls_session session;

    (void)state;
    client_ctx(&c);
    SSL_CTX_set1_groups_list(c.ctx, "P-256:X25519"); /* the share is P-256, X25519 is only named */
    size_t len = client_hello(&c, hello, sizeof hello);
    assert_ok(pp_ratls_ctx_new(PP_END_SERVER, &ctx));
    assert_ok(pp_ratls_server_new_bent(ctx, &random, 1, (struct pp_span){ 0 }, &s));
    assert_code(pp_ratls_server_feed(s, pp_span(hello, len)), PP_E_TLS_RETRY);
    assert_int_equal(pp_ratls_server_pending(s), 0);
    assert_code(pp_ratls_server_session(s, &session), PP_E_TLS_RETRY);
    assert_code(pp_ratls_server_evidence(s, PP_BYTES(body)), PP_E_TLS_RETRY);
    assert_int_equal(pp_ratls_server_pending(s), 0);
    pp_ratls_server_free(s);

    /* The same ClientHello never comes that far outside of this test. */
    assert_ok(pp_ratls_server_new(ctx, &random, &s));
    assert_code(pp_ratls_server_feed(s, pp_span(hello, len)), PP_E_TLS_SUITE);
    pp_ratls_server_free(s);
    pp_ratls_ctx_free(ctx);
    bent_done(&c);
}

/* Offers a session that nobody gave it, and data under its key. */
static int offer_psk(SSL *ssl, const EVP_MD *md, const unsigned char **ret_id, size_t *ret_id_len,
                     SSL_SESSION **ret)
{
    static const unsigned char suite[] = { 0x13, 0x02 }, secret[48] = { 7 }, id[] = { 'i', 'd' };
    SSL_SESSION *session = SSL_SESSION_new();

    (void)md;
    assert_non_null(session);
    assert_int_equal(SSL_SESSION_set1_master_key(session, secret, sizeof secret), 1);
    assert_int_equal(SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, suite)), 1);
    assert_int_equal(SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION), 1);
    assert_int_equal(SSL_SESSION_set_max_early_data(session, 1024), 1);
    *ret_id = id;
    *ret_id_len = sizeof id;
    *ret = session;
    return 1;
}

/* Resumption tried, and early data sent. Neither gets past the ClientHello; and behind that
 * check the library gives neither. */
static void w7_t7_a_client_that_offers_a_psk_and_early_data_gets_neither(void **state)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES], wire[PAIR_WIRE_BYTES];
    struct bent c = { 0 };
    struct pp_ratls_ctx *ctx;
    struct pp_ratls_server *s;
    struct pp_random random = pp_random_system();
    size_t written;

    (void)state;
    client_ctx(&c);
    SSL_CTX_set_psk_use_session_callback(c.ctx, offer_psk);
    bent_start(&c);
    SSL_set_connect_state(c.ssl);
    assert_int_equal(SSL_write_early_data(c.ssl, "early", 5, &written), 1);
    size_t len = bent_take(&c, wire, sizeof wire);
    assert_true(len > PP_HELLO_BYTES);
    assert_ok(pp_ratls_ctx_new(PP_END_SERVER, &ctx));
    assert_ok(pp_ratls_server_new(ctx, &random, &s));
    assert_code(pp_ratls_server_feed(s, pp_span(wire, len)), PP_E_TLS_SUITE);
    assert_int_equal(pp_ratls_server_pending(s), 0);
    pp_ratls_server_free(s);

    assert_ok(pp_ratls_server_new_bent(ctx, &random, 1, (struct pp_span){ 0 }, &s));
    assert_ok(pp_ratls_server_feed(s, pp_span(wire, len)));
    assert_ok(pp_ratls_server_evidence(s, PP_BYTES(body)));
    bent_put(&c, wire, server_take(s, wire, sizeof wire));
    assert_int_equal(SSL_do_handshake(c.ssl), 1);
    assert_int_equal(SSL_session_reused(c.ssl), 0);
    assert_int_equal(SSL_get_early_data_status(c.ssl), SSL_EARLY_DATA_REJECTED);
    pp_ratls_server_free(s);
    pp_ratls_ctx_free(ctx);
    bent_done(&c);
}

static void a_server_refuses_a_clients_key_update(void **state)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES], wire[PAIR_WIRE_BYTES], request[600];
    struct bent c = { 0 };
    struct pp_ratls_ctx *ctx;
    struct pp_ratls_server *s;
    struct pp_random random = pp_random_system();
    uint8_t hello[PP_HELLO_BYTES], message[600];
    size_t written,
        message_len = pair_message(PP_MESSAGE_SEALED_REQUEST, 500, message, sizeof message);

    (void)state;
    client_ctx(&c);
    assert_int_equal(client_hello(&c, hello, sizeof hello), sizeof hello);
    assert_ok(pp_ratls_ctx_new(PP_END_SERVER, &ctx));
    assert_ok(pp_ratls_server_new(ctx, &random, &s));
    assert_ok(pp_ratls_server_feed(s, PP_BYTES(hello))); /* a plain client, the golden bytes */
    assert_ok(pp_ratls_server_evidence(s, PP_BYTES(body)));
    bent_put(&c, wire, server_take(s, wire, sizeof wire));
    assert_int_equal(SSL_do_handshake(c.ssl), 1);
    assert_int_equal(SSL_key_update(c.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    assert_int_equal(SSL_write_ex(c.ssl, message, message_len, &written), 1);
    pp_ratls_server_request_buffer(s, request, sizeof request);
    assert_code(pp_ratls_server_feed(s, pp_span(wire, bent_take(&c, wire, sizeof wire))),
                PP_E_TLS_MESSAGE);
    assert_true(pp_ratls_server_pending(s) == PP_RATLS_ALERT_BYTES ||
                pp_ratls_server_pending(s) == 0);
    pp_ratls_server_free(s);
    pp_ratls_ctx_free(ctx);
    bent_done(&c);
}

/* A server of ours, and a plain client that says what it likes behind a handshake in order. */
struct served {
    struct bent c;
    struct pp_ratls_ctx *ctx;
    struct pp_ratls_server *s;
    uint8_t room[2 * PP_EVIDENCE_BODY_BYTES];
};

static struct served *serve(int mutual)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES], wire[PAIR_WIRE_BYTES];
    struct pp_random random = pp_random_system();
    struct served *v = calloc(1, sizeof *v);
    uint8_t hello[PP_HELLO_BYTES];

    assert_non_null(v);
    client_ctx(&v->c);
    assert_int_equal(client_hello(&v->c, hello, sizeof hello), sizeof hello);
    assert_ok(pp_ratls_ctx_new(PP_END_SERVER, &v->ctx));
    if (mutual)
        assert_ok(pp_ratls_server_new_mutual(v->ctx, &random, &v->s));
    else
        assert_ok(pp_ratls_server_new(v->ctx, &random, &v->s));
    assert_ok(pp_ratls_server_feed(v->s, PP_BYTES(hello)));
    assert_ok(pp_ratls_server_evidence(v->s, PP_BYTES(body)));
    bent_put(&v->c, wire, server_take(v->s, wire, sizeof wire));
    assert_int_equal(SSL_do_handshake(v->c.ssl), 1);
    pp_ratls_server_request_buffer(v->s, v->room, sizeof v->room);
    return v;
}

/* The client says this, sealed as it has to be. */
static pp_res hear(struct served *v, const uint8_t *bytes, size_t len)
{
    static uint8_t wire[PAIR_WIRE_BYTES];
    size_t written;

    assert_int_equal(SSL_write_ex(v->c.ssl, bytes, len, &written), 1);
    return pp_ratls_server_feed(v->s, pp_span(wire, bent_take(&v->c, wire, sizeof wire)));
}

static void served_done(struct served *v)
{
    pp_ratls_server_free(v->s);
    pp_ratls_ctx_free(v->ctx);
    bent_done(&v->c);
    free(v);
}

/* W16: what two machines say to each other has one size, too. */
static void w16_evidence_of_a_client_in_another_size_is_refused(void **state)
{
    static uint8_t message[PP_EVIDENCE_BODY_BYTES + 64];

    (void)state;
    for (size_t more = 0; more <= 2; more++) {
        struct served *v = serve(1);
        size_t len = pair_message(PP_MESSAGE_EVIDENCE, PP_EVIDENCE_BODY_BYTES - 1 + more, message,
                                  sizeof message);
        assert_code(hear(v, message, len), more == 1 ? PP_E_OK : PP_E_EVIDENCE_SIZE);
        served_done(v);
    }
}

static void a_byte_behind_the_request_ends_the_session(void **state)
{
    uint8_t message[600] = { 0 };
    size_t len = pair_message(PP_MESSAGE_SEALED_REQUEST, 500, message, sizeof message);
    struct pp_span body;

    (void)state;
    struct served *v = serve(0);
    assert_ok(hear(v, message, len));
    assert_ok(pp_ratls_server_request(v->s, &body));
    served_done(v);
    v = serve(0);
    assert_code(hear(v, message, len + 1), PP_E_MESSAGE_ORDER);
    assert_code(pp_ratls_server_request(v->s, &body), PP_E_MESSAGE_ORDER);
    served_done(v);
}

/* A key share that gives everybody the same secret, and a hello of one byte more. */
static void a_client_hello_without_a_secret_or_with_a_tail_is_refused(void **state)
{
    struct pp_random random = pp_random_system();
    struct pp_ratls_server *s;
    struct pp_ratls_ctx *ctx;
    struct bent c = { 0 };
    uint8_t hello[PP_HELLO_BYTES + 1];

    (void)state;
    client_ctx(&c);
    assert_int_equal(client_hello(&c, hello, sizeof hello), PP_HELLO_BYTES);
    hello[PP_HELLO_BYTES] = 0;
    assert_ok(pp_ratls_ctx_new(PP_END_SERVER, &ctx));
    assert_ok(pp_ratls_server_new(ctx, &random, &s));
    assert_code(pp_ratls_server_feed(s, PP_BYTES(hello)), PP_E_TLS_SUITE);
    pp_ratls_server_free(s);
    memset(hello + PP_HELLO_BYTES - 32, 0, 32);
    assert_ok(pp_ratls_server_new(ctx, &random, &s));
    assert_code(pp_ratls_server_feed(s, pp_span(hello, PP_HELLO_BYTES)), PP_E_TLS_ALERT);
    pp_ratls_server_free(s);
    pp_ratls_ctx_free(ctx);
    bent_done(&c);
}

#define BEND_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    BEND_TEST(the_unbent_server_is_taken),
    BEND_TEST(w11_t1_a_server_of_tls_1_2_is_refused),
    BEND_TEST(w11_t1_a_server_hello_of_tls_1_2_is_refused),
    BEND_TEST(w11_t1_a_downgrade_with_its_sentinel_is_refused),
    BEND_TEST(w11_t5_a_hello_retry_request_is_refused),
    BEND_TEST(w11_t2_a_pre_shared_key_is_refused),
    BEND_TEST(w11_t4_another_group_is_refused),
    BEND_TEST(an_extension_more_in_the_server_hello_is_refused),
    BEND_TEST(a_session_id_in_the_server_hello_is_refused),
    BEND_TEST(the_clients_second_suite_is_refused),
    BEND_TEST(a_server_that_names_its_groups_is_refused),
    BEND_TEST(a_server_without_alpn_is_refused),
    BEND_TEST(a_server_of_another_protocol_is_refused),
    BEND_TEST(a_server_in_middlebox_mode_is_refused),
    BEND_TEST(a_server_that_asks_for_a_client_certificate_is_refused),
    BEND_TEST(a_chain_of_two_certificates_is_refused),
    BEND_TEST(bytes_that_are_no_tls_are_refused),
    BEND_TEST(an_alert_is_refused),
    BEND_TEST(a_flight_without_evidence_is_refused),
    BEND_TEST(two_evidence_messages_are_refused),
    BEND_TEST(two_evidence_messages_in_two_answers_are_refused),
    BEND_TEST(evidence_of_another_size_is_refused),
    BEND_TEST(another_message_in_the_first_flight_is_refused),
    BEND_TEST(another_message_behind_the_evidence_is_refused),
    BEND_TEST(half_a_record_behind_the_evidence_is_refused),
    BEND_TEST(w7_t7_a_ticket_ends_the_session),
    BEND_TEST(w11_t7_a_key_update_ends_the_session),
    BEND_TEST(evidence_behind_the_request_ends_the_session),
    BEND_TEST(two_answers_end_the_session),
    BEND_TEST(w11_t6_a_request_for_client_authentication_ends_the_session),
    BEND_TEST(a_server_that_would_retry_writes_nothing),
    BEND_TEST(w7_t7_a_client_that_offers_a_psk_and_early_data_gets_neither),
    BEND_TEST(a_server_refuses_a_clients_key_update),
    cmocka_unit_test(w16_evidence_of_a_client_in_another_size_is_refused),
    cmocka_unit_test(a_byte_behind_the_request_ends_the_session),
    cmocka_unit_test(a_client_hello_without_a_secret_or_with_a_tail_is_refused),
};

PP_TEST_MAIN(tests)
