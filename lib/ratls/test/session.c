/* SPDX-License-Identifier: Apache-2.0 */
#include "pair.h"

enum { ANSWER_LEN = 817 };

static void send_request(struct pair *p, const struct pp_ratls_permit *permit, uint8_t *wire,
                         size_t cap, size_t *ret_len)
{
    uint8_t message[600];
    size_t len = pair_message(PP_MESSAGE_SEALED_REQUEST, 500, message, sizeof message);

    assert_ok(pp_ratls_client_send(p->client, permit, pp_span(message, len), ANSWER_LEN));
    *ret_len = client_take(p->client, wire, cap);
}

/* Client and server through a whole session; gives the wire bytes of #2 up. */
static size_t run_to_request(struct pair *p, uint8_t *wire, size_t cap)
{
    struct pp_evidence e;
    struct pp_ratls_permit permit;
    size_t len = 0;

    assert_ok(pair_receive(p, &e));
    assert_ok(pp_ratls_permit(p->client, &e, p->report_data, &permit));
    send_request(p, &permit, wire, cap, &len);
    return len;
}

static void a_session_carries_evidence_one_request_and_one_answer(void **state)
{
    struct pair *p = *state;
    uint8_t wire[4096], answer[ANSWER_LEN] = { 42 };
    struct pp_span body;
    size_t len = run_to_request(p, wire, sizeof wire);

    assert_int_equal(pp_ratls_client_state(p->client), PP_CLIENT_SENT);
    pp_ratls_server_request_buffer(p->server, p->request_buffer, sizeof p->request_buffer);
    assert_ok(pp_ratls_server_feed(p->server, pp_span(wire, len)));
    assert_int_equal(pp_ratls_server_state(p->server), PP_SERVER_REQUEST);
    assert_ok(pp_ratls_server_request(p->server, &body));
    assert_int_equal(body.len, 500);
    assert_int_equal(body.at[499], 499 & 0xff);

    assert_ok(pp_ratls_server_answer(p->server, PP_BYTES(answer)));
    len = server_take(p->server, wire, sizeof wire);
    assert_int_equal(len, PP_MESSAGE_HEAD_BYTES + ANSWER_LEN + 22); /* and no close_notify */
    assert_ok(pp_ratls_client_feed(p->client, pp_span(wire, len)));
    assert_ok(pp_ratls_client_answer(p->client, &body));
    assert_memory_equal(body.at, answer, sizeof answer);
}

/* pp-wire 5: the ClientHello must not tell clients apart. */
static void the_client_hello_is_the_golden_one(void **state)
{
    struct pair *p = *state;
    struct pp_hello hello;
    uint8_t bytes[512];

    assert_int_equal(p->hello_len, PP_HELLO_BYTES);
    assert_ok(pp_hello_parse(pp_span(p->hello, p->hello_len), &hello));
    for (int i = 0; i < 20; i++) {
        struct pp_ratls_client *c;
        assert_ok(pp_ratls_client_new(p->client_ctx, &c));
        size_t n = client_take(c, bytes, sizeof bytes);
        for (size_t b = 0; b < n; b++) {
            int varies = (b >= 11 && b < 43) || b >= PP_HELLO_BYTES - PP_KEY_SHARE_BYTES;
            if (!varies)
                assert_int_equal(bytes[b], p->hello[b]);
        }
        pp_ratls_client_free(c);
    }
}

/* W16, pp-wire 8: only the lengths of the two random DER signatures vary, and all fits 32 KiB. */
static void w16_the_flight_has_one_size_but_for_two_signatures(void **state)
{
    struct pair *p = *state;
    size_t shortest = p->flight_len, longest = p->flight_len;

    for (int i = 0; i < 40; i++) {
        void *other_state = NULL;
        assert_int_equal(pair_set_up(&other_state), 0);
        struct pair *o = other_state;
        shortest = o->flight_len < shortest ? o->flight_len : shortest;
        longest = o->flight_len > longest ? o->flight_len : longest;
        pair_tear_down(&other_state);
    }
    assert_true(longest - shortest <= 8); /* each 70 to 72 bytes, a shorter one once in 2^8 */
    assert_in_range(longest, 29330, 29345);
}

/* W7_T8: evidence arrives, the client has data queued, and nothing is sent. */
static void w7_t8_nothing_leaves_the_client_before_the_permit(void **state)
{
    struct pair *p = *state;
    struct pp_evidence e;
    uint8_t message[600], wire[4096];
    size_t len = pair_message(PP_MESSAGE_SEALED_REQUEST, 500, message, sizeof message);
    struct pp_ratls_permit forged = { .of = p->client };

    assert_ok(pair_receive(p, &e));
    assert_int_equal(pp_ratls_client_pending(p->client), 0); /* not even the Finished */
    assert_int_equal(client_take(p->client, wire, sizeof wire), 0);
    assert_code(pp_ratls_client_send(p->client, &forged, pp_span(message, len), ANSWER_LEN),
                PP_E_UNVERIFIED);
    assert_int_equal(pp_ratls_client_pending(p->client), 0);
    assert_int_equal(pp_ratls_client_state(p->client), PP_CLIENT_DEAD);
}

static void the_client_cannot_send_before_it_has_evidence(void **state)
{
    struct pair *p = *state;
    uint8_t message[600];
    size_t len = pair_message(PP_MESSAGE_SEALED_REQUEST, 500, message, sizeof message);
    struct pp_ratls_permit permit = { .of = p->client };
    struct pp_evidence e = pair_evidence();

    assert_code(pp_ratls_permit(p->client, &e, p->report_data, &permit), PP_E_STATE);
    assert_code(pp_ratls_client_send(p->client, &permit, pp_span(message, len), ANSWER_LEN),
                PP_E_STATE);
    assert_ok(pp_ratls_client_feed(p->client, pp_span(p->flight, p->flight_len - 1)));
    assert_code(pp_ratls_client_send(p->client, &permit, pp_span(message, len), ANSWER_LEN),
                PP_E_STATE);
    assert_int_equal(pp_ratls_client_pending(p->client), 0);
}

static void what_is_asked_for_too_early_is_refused(void **state)
{
    struct pair *p = *state;
    struct pp_ratls_session values;
    struct pp_evidence e;
    struct pp_span body;

    assert_code(pp_ratls_client_evidence(p->client, &body), PP_E_STATE);
    assert_code(pp_ratls_client_session(p->client, &values), PP_E_STATE);
    assert_code(pp_ratls_client_answer(p->client, &body), PP_E_STATE);
    assert_ok(pair_receive(p, &e));
    assert_code(pp_ratls_client_answer(p->client, &body), PP_E_STATE);
    assert_ok(pp_ratls_client_evidence(p->client, &body));
}

/* The values of a session are given while Evidence is made of them; an answer needs a request. */
static void what_is_asked_of_a_server_out_of_its_turn_is_refused(void **state)
{
    struct pair *p = *state;
    struct pp_ratls_session values;
    struct pp_ratls_server *s;
    struct pp_span body;

    assert_code(pp_ratls_server_session(p->server, &values), PP_E_STATE);
    assert_code(pp_ratls_server_answer(p->server, PP_STR("early")), PP_E_STATE);
    assert_code(pp_ratls_server_request(p->server, &body), PP_E_STATE);
    assert_int_equal(pp_ratls_server_pending(p->server), 0);
    assert_ok(pp_ratls_server_new(p->server_ctx, &p->random, &s));
    assert_code(pp_ratls_server_session(s, &values), PP_E_STATE);
    pp_ratls_server_free(s);
}

static void an_answer_larger_than_any_bucket_is_not_written(void **state)
{
    static uint8_t answer[PP_ANSWER_MESSAGE_BYTES_MAX + 1];
    struct pair *p = *state;
    uint8_t wire[4096];
    size_t len = run_to_request(p, wire, sizeof wire);

    pp_ratls_server_request_buffer(p->server, p->request_buffer, sizeof p->request_buffer);
    assert_ok(pp_ratls_server_feed(p->server, pp_span(wire, len)));
    assert_code(pp_ratls_server_answer(p->server, PP_BYTES(answer)), PP_E_RANGE);
    assert_int_equal(pp_ratls_server_state(p->server), PP_SERVER_DEAD);
}

static void an_answer_larger_than_any_bucket_is_not_asked_for(void **state)
{
    struct pair *p = *state;
    struct pp_ratls_permit permit;
    struct pp_evidence e;
    uint8_t message[600];
    size_t len = pair_message(PP_MESSAGE_SEALED_REQUEST, 500, message, sizeof message);

    assert_ok(pair_receive(p, &e));
    assert_ok(pp_ratls_permit(p->client, &e, p->report_data, &permit));
    assert_code(pp_ratls_client_send(p->client, &permit, pp_span(message, len),
                                     PP_ANSWER_MESSAGE_BYTES_MAX + 1),
                PP_E_RANGE);
    assert_int_equal(pp_ratls_client_pending(p->client), 0);
}

/* W7_T1: evidence of session A in session B, though the server key be the same. */
static void w7_t1_evidence_of_another_session_gives_no_permit(void **state)
{
    struct pair *p = *state;
    struct pp_evidence e;
    struct pp_ratls_permit permit = { 0 };
    void *other_state = NULL;

    assert_int_equal(pair_set_up(&other_state), 0);
    struct pair *other = other_state;
    assert_ok(pair_receive(p, &e));
    assert_code(pp_ratls_permit(p->client, &e, other->report_data, &permit), PP_E_SNP_BINDING);
    assert_null(permit.of);
    pair_tear_down(&other_state);
}

static void a_permit_of_another_session_does_not_work(void **state)
{
    struct pair *p = *state;
    struct pp_evidence e;
    struct pp_ratls_permit permit, others;
    uint8_t message[600];
    size_t len = pair_message(PP_MESSAGE_SEALED_REQUEST, 500, message, sizeof message);
    void *other_state = NULL;

    assert_int_equal(pair_set_up(&other_state), 0);
    struct pair *other = other_state;
    assert_ok(pair_receive(p, &e));
    assert_ok(pp_ratls_permit(p->client, &e, p->report_data, &permit));
    assert_ok(pair_receive(other, &e));
    assert_ok(pp_ratls_permit(other->client, &e, other->report_data, &others));

    others.of = p->client; /* as if the memory of a freed session had been used again */
    assert_code(pp_ratls_client_send(p->client, &others, pp_span(message, len), ANSWER_LEN),
                PP_E_UNVERIFIED);
    assert_code(pp_ratls_client_send(other->client, &permit, pp_span(message, len), ANSWER_LEN),
                PP_E_UNVERIFIED);
    pair_tear_down(&other_state);
}

static void evidence_that_was_changed_after_the_report_gives_no_permit(void **state)
{
    struct pair *p = *state;
    struct pp_evidence e, bent;
    struct pp_ratls_permit permit;
    static const uint8_t KEY[34] = { 0x00, 0x20, 9 };

    assert_ok(pair_receive(p, &e));
    bent = e;
    bent.config = PP_STR("engine = other\n");
    assert_code(pp_ratls_permit(p->client, &bent, p->report_data, &permit), PP_E_SNP_BINDING);
    bent = e;
    bent.message_key = PP_BYTES(KEY); /* message key substituted */
    assert_code(pp_ratls_permit(p->client, &bent, p->report_data, &permit), PP_E_SNP_BINDING);
    bent = e;
    bent.gpu_encoding = PP_STR("gpu");
    assert_code(pp_ratls_permit(p->client, &bent, p->report_data, &permit), PP_E_SNP_BINDING);
    bent = e;
    bent.batch = (struct pp_batch_path){ .size = 2, .node_count = 1 };
    assert_code(pp_ratls_permit(p->client, &bent, p->report_data, &permit), PP_E_SNP_BINDING);
    bent.batch.node_count = 2;
    assert_code(pp_ratls_permit(p->client, &bent, p->report_data, &permit), PP_E_PROOF);
    assert_ok(pp_ratls_permit(p->client, &e, p->report_data, &permit));
}

/* ra-tls 8: binding and freshness of a session are the same when its report is shared. */
static void a_batched_report_binds_the_session_too(void **state)
{
    static uint8_t bindings[3][PP_BINDING_BYTES], scratch[3][PP_HASH_NODE_BYTES];
    struct pair *p = *state;
    struct pp_evidence e;
    struct pp_ratls_session session;
    struct pp_batch_path paths[3];
    struct pp_ratls_permit permit;
    uint8_t report_data[PP_REPORT_DATA_BYTES];

    assert_ok(pair_receive(p, &e));
    assert_ok(pp_ratls_client_session(p->client, &session));
    assert_ok(pp_binding_of_evidence(PP_END_SERVER, PP_BYTES(session.spki), session.ekm, &e,
                                     bindings[1]));
    assert_ok(pp_batch_build(bindings, 3, scratch, paths, report_data));
    e.batch = paths[1];
    assert_ok(pp_ratls_permit(p->client, &e, report_data, &permit));
    e.batch = paths[0];
    assert_code(pp_ratls_permit(p->client, &e, report_data, &permit), PP_E_SNP_BINDING);
}

/*
 * W7_T5, CVE-2026-33697: the attacker holds the CVM's TLS key (leaked) and a genuine CVM as oracle.
 * He ends the client's TLS with that key, opens a session of his own to the CVM, and forwards the
 * fresh Evidence. Key and configuration are right; the exporter value is not the client's.
 */
static void w7_t5_a_relay_that_holds_the_servers_key_gives_no_permit(void **state)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES];
    struct pair *p = *state;
    struct pp_ec_key *key;
    PP_AUTO(pp_secret) leaked = { 0 };
    struct pp_ratls_client *victim, *attacker;
    struct pp_ratls_server *cvm, *front;
    struct pp_ratls_session genuine, fronted;
    uint8_t hello[PP_HELLO_BYTES];
    struct pp_evidence e;
    struct pp_ratls_permit permit;
    struct pp_span got, cbor;

    assert_ok(pp_ec_key_generate(PP_P256, &key));
    assert_ok(pp_ec_key_export_der(key, &leaked));
    pp_ec_key_free(key);
    assert_ok(
        pp_ratls_server_new_bent(p->server_ctx, &p->random, 0, pp_secret_span(&leaked), &cvm));
    assert_ok(
        pp_ratls_server_new_bent(p->server_ctx, &p->random, 0, pp_secret_span(&leaked), &front));
    assert_ok(pp_ratls_client_new(p->client_ctx, &victim));
    assert_ok(pp_ratls_client_new(p->client_ctx, &attacker));

    assert_int_equal(client_take(attacker, hello, sizeof hello), PP_HELLO_BYTES);
    assert_ok(pp_ratls_server_feed(cvm, PP_BYTES(hello)));
    assert_ok(pp_ratls_server_session(cvm, &genuine));
    assert_int_equal(pair_attest(p, &genuine, body, sizeof body), sizeof body);

    assert_int_equal(client_take(victim, hello, sizeof hello), PP_HELLO_BYTES);
    assert_ok(pp_ratls_server_feed(front, PP_BYTES(hello)));
    assert_ok(pp_ratls_server_session(front, &fronted));
    assert_memory_equal(genuine.spki, fronted.spki, sizeof genuine.spki);
    assert_memory_not_equal(genuine.ekm, fronted.ekm, sizeof genuine.ekm);
    assert_ok(pp_ratls_server_evidence(front, PP_BYTES(body)));
    p->flight_len = server_take(front, p->flight, sizeof p->flight);

    assert_ok(pp_ratls_client_feed(victim, pp_span(p->flight, p->flight_len)));
    assert_ok(pp_ratls_client_flight_end(victim));
    assert_ok(pp_ratls_client_evidence(victim, &got));
    assert_ok(pp_evidence_body_parse(got, &cbor));
    assert_ok(pp_evidence_parse(cbor, PP_END_SERVER, &e));
    assert_code(pp_ratls_permit(victim, &e, p->report_data, &permit), PP_E_SNP_BINDING);

    pp_ratls_client_free(victim);
    pp_ratls_client_free(attacker);
    pp_ratls_server_free(cvm);
    pp_ratls_server_free(front);
}

/* W7_T2: the same nonce and exporter, another key. */
static void w7_t2_a_report_for_another_tls_key_gives_no_permit(void **state)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES];
    struct pair *p = *state;
    struct pp_ratls_session session;
    struct pp_evidence e;
    struct pp_ratls_permit permit;

    assert_ok(pair_receive(p, &e));
    assert_ok(pp_ratls_client_session(p->client, &session));
    session.spki[90] ^= 1;
    assert_int_equal(pair_attest(p, &session, body, sizeof body), sizeof body);
    assert_code(pp_ratls_permit(p->client, &e, p->report_data, &permit), PP_E_SNP_BINDING);
}

static void bytes_may_come_in_pieces_of_any_size(void **state)
{
    struct pair *p = *state;

    for (size_t step = 1; step < 4000; step = step * 3 + 1) {
        struct pp_ratls_client *c;
        struct pp_ratls_server *s;
        static uint8_t body[PP_EVIDENCE_BODY_BYTES], flight[PAIR_WIRE_BYTES];
        uint8_t hello[PP_HELLO_BYTES];
        struct pp_ratls_session session;

        assert_ok(pp_ratls_client_new(p->client_ctx, &c));
        assert_ok(pp_ratls_server_new(p->server_ctx, &p->random, &s));
        struct pp_wr one = pp_wr_over(hello, sizeof hello);
        while (pp_ratls_client_pending(c) > 0) {
            struct pp_wr some = pp_wr_over(one.at + one.len,
                                           step < one.cap - one.len ? step : one.cap - one.len);
            assert_ok(pp_ratls_client_take(c, &some));
            assert_ok(pp_ratls_server_feed(s, pp_wr_done(&some)));
            one.len += some.len;
        }
        assert_ok(pp_ratls_server_session(s, &session));
        assert_ok(pp_ratls_server_evidence(
            s, pp_span(body, pair_attest(p, &session, body, sizeof body))));
        size_t len = server_take(s, flight, sizeof flight);
        struct pp_rd rd = pp_rd_over(flight, len);
        while (rd.left > 0)
            assert_ok(pp_ratls_client_feed(c, pp_rd_bytes(&rd, step < rd.left ? step : rd.left)));
        assert_int_equal(pp_ratls_client_state(c), PP_CLIENT_EVIDENCE);
        pp_ratls_client_free(c);
        pp_ratls_server_free(s);
    }
}

/* Every cut of the first flight is refused, with a code that says where it ended. */
static void a_flight_that_ends_early_is_refused(void **state)
{
    struct pair *p = *state;
    uint32_t last = 0;

    for (size_t cut = 0; cut < p->flight_len; cut += cut < 1200 ? 97 : 1999) {
        struct pp_ratls_client *c;
        uint8_t hello[PP_HELLO_BYTES];
        struct pp_ratls_server *s;
        static uint8_t body[PP_EVIDENCE_BODY_BYTES], flight[PAIR_WIRE_BYTES];
        struct pp_ratls_session session;

        assert_ok(pp_ratls_client_new(p->client_ctx, &c));
        assert_ok(pp_ratls_server_new(p->server_ctx, &p->random, &s));
        assert_int_equal(client_take(c, hello, sizeof hello), sizeof hello);
        assert_ok(pp_ratls_server_feed(s, PP_BYTES(hello)));
        assert_ok(pp_ratls_server_session(s, &session));
        assert_ok(pp_ratls_server_evidence(
            s, pp_span(body, pair_attest(p, &session, body, sizeof body))));
        size_t len = server_take(s, flight, sizeof flight);
        assert_true(cut < len);
        assert_ok(pp_ratls_client_feed(c, pp_span(flight, cut)));
        pp_res r = pp_ratls_client_flight_end(c);
        assert_true(r.code == PP_E_TLS_TRUNCATED || r.code == PP_E_EVIDENCE_SIZE);
        assert_true(last != PP_E_EVIDENCE_SIZE || r.code == PP_E_EVIDENCE_SIZE);
        last = r.code;
        pp_ratls_client_free(c);
        pp_ratls_server_free(s);
    }
    assert_int_equal(last, PP_E_EVIDENCE_SIZE);
}

static void a_changed_byte_anywhere_in_the_flight_is_refused(void **state)
{
    struct pair *p = *state;
    pp_res r = PP_OK;

    /* One client can read one flight; so each byte needs a new pair, and a sample must do. */
    for (size_t at = 0; at < p->flight_len; at += 331) {
        void *other_state = NULL;
        struct pp_evidence e;
        struct pp_ratls_permit permit;
        assert_int_equal(pair_set_up(&other_state), 0);
        struct pair *o = other_state;
        if (at < o->flight_len) {
            o->flight[at] ^= 0x10;
            r = pair_receive(o, &e);
            if (pp_is_ok(r))
                r = pp_ratls_permit(o->client, &e, o->report_data, &permit);
            assert_false(pp_is_ok(r));
        }
        pair_tear_down(&other_state);
    }
}

static void a_message_that_is_no_sealed_request_is_not_sent(void **state)
{
    struct pair *p = *state;
    struct pp_evidence e;
    struct pp_ratls_permit permit;
    uint8_t message[600];
    size_t len = pair_message(PP_MESSAGE_SEALED_RESPONSE, 500, message, sizeof message);

    assert_ok(pair_receive(p, &e));
    assert_ok(pp_ratls_permit(p->client, &e, p->report_data, &permit));
    assert_code(pp_ratls_client_send(p->client, &permit, pp_span(message, len), ANSWER_LEN),
                PP_E_FORMAT);
    assert_int_equal(pp_ratls_client_pending(p->client), 0);
}

static void there_is_one_request(void **state)
{
    struct pair *p = *state;
    struct pp_evidence e;
    struct pp_ratls_permit permit;
    uint8_t message[600];
    size_t len = pair_message(PP_MESSAGE_SEALED_REQUEST, 500, message, sizeof message);

    assert_ok(pair_receive(p, &e));
    assert_ok(pp_ratls_permit(p->client, &e, p->report_data, &permit));
    assert_ok(pp_ratls_client_send(p->client, &permit, pp_span(message, len), ANSWER_LEN));
    assert_code(pp_ratls_client_send(p->client, &permit, pp_span(message, len), ANSWER_LEN),
                PP_E_STATE);
}

static void answer_of(struct pair *p, size_t answer_len)
{
    uint8_t wire[4096], answer[ANSWER_LEN + 1] = { 0 };
    size_t len = run_to_request(p, wire, sizeof wire);

    pp_ratls_server_request_buffer(p->server, p->request_buffer, sizeof p->request_buffer);
    assert_ok(pp_ratls_server_feed(p->server, pp_span(wire, len)));
    assert_ok(pp_ratls_server_answer(p->server, pp_span(answer, answer_len)));
    len = server_take(p->server, wire, sizeof wire);
    assert_code(pp_ratls_client_feed(p->client, pp_span(wire, len)), PP_E_RANGE);
}

static void an_answer_longer_than_what_was_asked_for_is_refused(void **state)
{
    answer_of(*state, ANSWER_LEN + 1);
}

static void an_answer_shorter_than_what_was_asked_for_is_refused(void **state)
{
    answer_of(*state, ANSWER_LEN - 1);
}

static void an_answer_that_is_cut_is_no_answer(void **state)
{
    struct pair *p = *state;
    uint8_t wire[4096], answer[ANSWER_LEN] = { 0 };
    struct pp_span body;
    size_t len = run_to_request(p, wire, sizeof wire);

    pp_ratls_server_request_buffer(p->server, p->request_buffer, sizeof p->request_buffer);
    assert_ok(pp_ratls_server_feed(p->server, pp_span(wire, len)));
    assert_ok(pp_ratls_server_answer(p->server, PP_BYTES(answer)));
    len = server_take(p->server, wire, sizeof wire);
    assert_ok(pp_ratls_client_feed(p->client, pp_span(wire, len - 1)));
    assert_code(pp_ratls_client_answer(p->client, &body), PP_E_ANSWER_TRUNCATED);
    assert_code(pp_ratls_client_feed(p->client, pp_span(wire + len - 1, 1)),
                PP_E_ANSWER_TRUNCATED); /* dead is dead */
}

/* pp-wire 12: the CVM gives up with one alert of one size, whatever was wrong. */
static void a_server_gives_up_with_one_small_record(void **state)
{
    struct pair *p = *state;
    uint8_t wire[4096];
    struct pp_span body;
    size_t len = run_to_request(p, wire, sizeof wire);

    pp_ratls_server_request_buffer(p->server, p->request_buffer, sizeof p->request_buffer);
    assert_ok(pp_ratls_server_feed(p->server, pp_span(wire, len)));
    pp_ratls_server_close(p->server, PP_E_AUTH);
    assert_int_equal(pp_ratls_server_state(p->server), PP_SERVER_DEAD);
    assert_int_equal(pp_ratls_server_pending(p->server), PP_RATLS_ALERT_BYTES);
    len = server_take(p->server, wire, sizeof wire);
    assert_int_equal(len, PP_RATLS_ALERT_BYTES);
    assert_code(pp_ratls_client_feed(p->client, pp_span(wire, len)), PP_E_SESSION_GONE);
    assert_code(pp_ratls_client_answer(p->client, &body), PP_E_SESSION_GONE);
}

static void a_bad_finished_ends_the_session_with_a_record_of_the_same_size(void **state)
{
    struct pair *p = *state;
    uint8_t wire[4096];
    size_t len = run_to_request(p, wire, sizeof wire);

    wire[20] ^= 1;
    pp_ratls_server_request_buffer(p->server, p->request_buffer, sizeof p->request_buffer);
    assert_code(pp_ratls_server_feed(p->server, pp_span(wire, len)), PP_E_TLS_ALERT);
    len = server_take(p->server, wire, sizeof wire);
    assert_int_equal(len, PP_RATLS_ALERT_BYTES);
    assert_code(pp_ratls_client_feed(p->client, pp_span(wire, len)), PP_E_TLS_ALERT);
}

static void a_server_refuses_a_second_request_and_other_messages(void **state)
{
    struct pair *p = *state;
    uint8_t wire[4096];
    size_t len = run_to_request(p, wire, sizeof wire);

    pp_ratls_server_request_buffer(p->server, p->request_buffer, 499);
    assert_code(pp_ratls_server_feed(p->server, pp_span(wire, len)), PP_E_LIMIT);

    void *other_state = NULL;
    assert_int_equal(pair_set_up(&other_state), 0);
    struct pair *o = other_state;
    len = run_to_request(o, wire, sizeof wire);
    pp_ratls_server_request_buffer(o->server, o->request_buffer, sizeof o->request_buffer);
    assert_ok(pp_ratls_server_feed(o->server, pp_span(wire, len)));
    assert_code(pp_ratls_server_feed(o->server, pp_span(wire, len)), PP_E_TLS_ALERT);
    pair_tear_down(&other_state);
}

/* ra-tls 13: OPEN only after the client's Finished; what comes before it is not read. */
static void a_request_without_the_finished_before_it_is_not_read(void **state)
{
    struct pair *p = *state;
    uint8_t wire[4096];
    size_t len = run_to_request(p, wire, sizeof wire);
    size_t finished = 5 + ((size_t)wire[3] << 8 | wire[4]);

    assert_true(finished < len);
    pp_ratls_server_request_buffer(p->server, p->request_buffer, sizeof p->request_buffer);
    assert_code(pp_ratls_server_feed(p->server, pp_span(wire + finished, len - finished)),
                PP_E_TLS_ALERT);
    assert_int_equal(pp_ratls_server_state(p->server), PP_SERVER_DEAD);
    for (size_t i = 0; i < sizeof p->request_buffer; i++)
        assert_int_equal(p->request_buffer[i], 0);
}

static void a_server_takes_no_bytes_before_its_evidence_is_out(void **state)
{
    struct pair *p = *state;
    struct pp_ratls_server *s;
    uint8_t hello[PP_HELLO_BYTES];
    struct pp_ratls_client *c;

    assert_ok(pp_ratls_client_new(p->client_ctx, &c));
    assert_int_equal(client_take(c, hello, sizeof hello), sizeof hello);
    assert_ok(pp_ratls_server_new(p->server_ctx, &p->random, &s));
    assert_ok(pp_ratls_server_feed(s, PP_BYTES(hello)));
    assert_int_equal(pp_ratls_server_pending(s), 0); /* the flight waits for the Evidence */
    assert_code(pp_ratls_server_feed(s, PP_BYTES(hello)), PP_E_MESSAGE_ORDER);
    assert_int_equal(pp_ratls_server_pending(s), 0);
    pp_ratls_server_free(s);
    pp_ratls_client_free(c);
}

static void evidence_of_another_size_is_not_written(void **state)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES + 1];
    struct pair *p = *state;
    struct pp_ratls_server *s;

    assert_ok(pp_ratls_server_new(p->server_ctx, &p->random, &s));
    assert_code(pp_ratls_server_evidence(s, pp_span(body, PP_EVIDENCE_BODY_BYTES)), PP_E_STATE);
    struct pp_ratls_client *c;
    uint8_t hello[PP_HELLO_BYTES];
    assert_ok(pp_ratls_client_new(p->client_ctx, &c));
    assert_int_equal(client_take(c, hello, sizeof hello), sizeof hello);
    assert_ok(pp_ratls_server_feed(s, PP_BYTES(hello)));
    assert_code(pp_ratls_server_evidence(s, PP_BYTES(body)), PP_E_RANGE);
    assert_int_equal(pp_ratls_server_state(s), PP_SERVER_DEAD);
    pp_ratls_client_free(c);
    pp_ratls_server_free(s);
}

static void a_dead_session_keeps_its_first_reason_and_nothing_else(void **state)
{
    struct pair *p = *state;
    struct pp_ratls_session session;
    struct pp_span body;
    uint8_t wire[64];
    struct pp_wr wr = pp_wr_over(wire, sizeof wire);

    pp_ratls_client_kill(p->client, PP_E_EVIDENCE_TIMEOUT);
    assert_code(pp_ratls_client_feed(p->client, pp_span(p->flight, p->flight_len)),
                PP_E_EVIDENCE_TIMEOUT);
    assert_code(pp_ratls_client_take(p->client, &wr), PP_E_EVIDENCE_TIMEOUT);
    assert_code(pp_ratls_client_flight_end(p->client), PP_E_EVIDENCE_TIMEOUT);
    assert_code(pp_ratls_client_evidence(p->client, &body), PP_E_EVIDENCE_TIMEOUT);
    assert_code(pp_ratls_client_session(p->client, &session), PP_E_EVIDENCE_TIMEOUT);
    assert_code(pp_ratls_client_answer(p->client, &body), PP_E_EVIDENCE_TIMEOUT);
    pp_ratls_client_kill(p->client, PP_E_TLS_ALERT);
    assert_code(pp_ratls_client_take(p->client, &wr), PP_E_EVIDENCE_TIMEOUT);
}

static void contexts_serve_their_own_end_alone(void **state)
{
    struct pair *p = *state;
    struct pp_ratls_client *c;
    struct pp_ratls_server *s;

    assert_code(pp_ratls_client_new(p->server_ctx, &c), PP_E_STATE);
    assert_code(pp_ratls_server_new(p->client_ctx, &p->random, &s), PP_E_STATE);
}

static void a_flood_of_bytes_is_refused(void **state)
{
    static uint8_t flood[PP_RATLS_FEED_BYTES_MAX + 1];
    struct pair *p = *state;

    assert_code(pp_ratls_client_feed(p->client, PP_BYTES(flood)), PP_E_LIMIT);
}

static const struct CMUnitTest tests[] = {
    PAIR_TEST(a_session_carries_evidence_one_request_and_one_answer),
    PAIR_TEST(the_client_hello_is_the_golden_one),
    PAIR_TEST(w16_the_flight_has_one_size_but_for_two_signatures),
    PAIR_TEST(w7_t8_nothing_leaves_the_client_before_the_permit),
    PAIR_TEST(the_client_cannot_send_before_it_has_evidence),
    PAIR_TEST(what_is_asked_for_too_early_is_refused),
    PAIR_TEST(w7_t1_evidence_of_another_session_gives_no_permit),
    PAIR_TEST(a_permit_of_another_session_does_not_work),
    PAIR_TEST(evidence_that_was_changed_after_the_report_gives_no_permit),
    PAIR_TEST(a_batched_report_binds_the_session_too),
    PAIR_TEST(w7_t5_a_relay_that_holds_the_servers_key_gives_no_permit),
    PAIR_TEST(w7_t2_a_report_for_another_tls_key_gives_no_permit),
    PAIR_TEST(bytes_may_come_in_pieces_of_any_size),
    PAIR_TEST(a_flight_that_ends_early_is_refused),
    PAIR_TEST(a_changed_byte_anywhere_in_the_flight_is_refused),
    PAIR_TEST(a_message_that_is_no_sealed_request_is_not_sent),
    PAIR_TEST(there_is_one_request),
    PAIR_TEST(an_answer_longer_than_what_was_asked_for_is_refused),
    PAIR_TEST(an_answer_shorter_than_what_was_asked_for_is_refused),
    PAIR_TEST(what_is_asked_of_a_server_out_of_its_turn_is_refused),
    PAIR_TEST(an_answer_larger_than_any_bucket_is_not_written),
    PAIR_TEST(an_answer_larger_than_any_bucket_is_not_asked_for),
    PAIR_TEST(an_answer_that_is_cut_is_no_answer),
    PAIR_TEST(a_server_gives_up_with_one_small_record),
    PAIR_TEST(a_bad_finished_ends_the_session_with_a_record_of_the_same_size),
    PAIR_TEST(a_server_refuses_a_second_request_and_other_messages),
    PAIR_TEST(a_request_without_the_finished_before_it_is_not_read),
    PAIR_TEST(a_server_takes_no_bytes_before_its_evidence_is_out),
    PAIR_TEST(evidence_of_another_size_is_not_written),
    PAIR_TEST(a_dead_session_keeps_its_first_reason_and_nothing_else),
    PAIR_TEST(contexts_serve_their_own_end_alone),
    PAIR_TEST(a_flood_of_bytes_is_refused),
};

PP_TEST_MAIN(tests)
