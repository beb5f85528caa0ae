/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions between confidential VMs: both ends attest (ra-tls 13). */
#include "pair.h"

enum { ANSWER_LEN = 817, REQUEST_LEN = 500, MUTUAL_WIRE_BYTES = 1 << 16 };

static uint8_t wire[MUTUAL_WIRE_BYTES];
static uint8_t room[1 << 15];

/* The pair again, with a server whose client has to attest. */
static int mutual_set_up(void **state)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES];
    struct pp_ratls_session session;

    assert_int_equal(pair_set_up(state), 0);
    struct pair *p = *state;
    pp_ratls_server_free(p->server);
    assert_ok(pp_ratls_server_new_mutual(p->server_ctx, &p->random, &p->server));
    assert_ok(pp_ratls_server_feed(p->server, pp_span(p->hello, p->hello_len)));
    assert_ok(pp_ratls_server_session(p->server, &session));
    assert_ok(pp_ratls_server_evidence(p->server,
                                       pp_span(body, pair_attest(p, &session, body, sizeof body))));
    p->flight_len = server_take(p->server, p->flight, sizeof p->flight);
    pp_ratls_server_request_buffer(p->server, room, sizeof room);
    return 0;
}

/* Evidence of the client end over `session`, and its REPORT_DATA as the binding says. */
static struct pp_evidence client_evidence(const struct pp_ratls_session *session,
                                          uint8_t body[PP_EVIDENCE_BODY_BYTES],
                                          uint8_t report_data[PP_REPORT_DATA_BYTES])
{
    struct pp_wr wr = pp_wr_over(body, PP_EVIDENCE_BODY_BYTES);
    struct pp_evidence e = pair_evidence();

    e.message_key = (struct pp_span){ 0 };
    assert_ok(pp_binding_of_evidence(PP_END_CLIENT, PP_BYTES(session->spki), session->ekm, &e,
                                     report_data));
    assert_ok(pp_evidence_body_write(&wr, &e));
    return e;
}

/* The permit of the client, and the values of its session. */
static struct pp_ratls_permit permit_of(struct pair *p, struct pp_ratls_session *ret)
{
    struct pp_ratls_permit permit;
    struct pp_evidence e;

    assert_ok(pair_receive(p, &e));
    assert_ok(pp_ratls_client_session(p->client, ret));
    assert_ok(pp_ratls_permit(p->client, &e, p->report_data, &permit));
    return permit;
}

static size_t send_attested(struct pair *p, uint8_t report_data[PP_REPORT_DATA_BYTES])
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES];
    uint8_t message[600];
    size_t len = pair_message(PP_MESSAGE_SEALED_REQUEST, REQUEST_LEN, message, sizeof message);
    struct pp_ratls_session session;
    struct pp_ratls_permit permit = permit_of(p, &session);

    (void)client_evidence(&session, body, report_data);
    assert_ok(pp_ratls_client_send_attested(p->client, &permit, PP_BYTES(body),
                                            pp_span(message, len), ANSWER_LEN));
    return client_take(p->client, wire, sizeof wire);
}

/* ra-tls 13: "the server stays closed until it verifies". */
static void a_request_behind_evidence_is_read_when_the_client_is_admitted_and_not_before(
    void **state)
{
    struct pair *p = *state;
    uint8_t report_data[PP_REPORT_DATA_BYTES], want[PP_BINDING_BYTES];
    uint8_t answer[ANSWER_LEN] = { 42 }, end[1000];
    struct pp_ratls_session session;
    struct pp_evidence e;
    struct pp_span body, cbor;
    size_t len = send_attested(p, report_data);

    assert_ok(pp_ratls_server_feed(p->server, pp_span(wire, len)));
    assert_int_equal(pp_ratls_server_state(p->server), PP_SERVER_PEER);
    assert_code(pp_ratls_server_request(p->server, &body), PP_E_STATE);
    assert_ok(pp_ratls_server_peer(p->server, &body, &session));
    assert_ok(pp_evidence_body_parse(body, &cbor));
    assert_ok(pp_evidence_parse(cbor, PP_END_CLIENT, &e));
    assert_ok(pp_binding_of_evidence(PP_END_CLIENT, PP_BYTES(session.spki), session.ekm, &e, want));
    assert_memory_equal(want, report_data, sizeof want);
    assert_ok(pp_ratls_server_admit(p->server));
    assert_ok(pp_ratls_server_request(p->server, &body));
    assert_int_equal(body.len, REQUEST_LEN);
    assert_ok(pp_ratls_server_answer(p->server, PP_BYTES(answer)));
    len = server_take(p->server, end, sizeof end);
    assert_ok(pp_ratls_client_feed(p->client, pp_span(end, len)));
    assert_ok(pp_ratls_client_answer(p->client, &body));
}

/* However its bytes arrive: each byte of its own comes to the same, and none opens the server. */
static void any_split_of_an_attested_request_stops_at_the_same_place(void **state)
{
    struct pair *p = *state;
    uint8_t report_data[PP_REPORT_DATA_BYTES];
    struct pp_span body;
    size_t len = send_attested(p, report_data);
    size_t until = 0;

    while (pp_ratls_server_state(p->server) != PP_SERVER_PEER && until < len)
        assert_ok(pp_ratls_server_feed(p->server, pp_span(wire + until++, 1)));
    assert_int_equal(pp_ratls_server_state(p->server), PP_SERVER_PEER);
    /* The rest may come while it is closed; it waits, unread. */
    assert_ok(pp_ratls_server_feed(p->server, pp_span(wire + until, len - until)));
    assert_int_equal(pp_ratls_server_state(p->server), PP_SERVER_PEER);
    assert_ok(pp_ratls_server_admit(p->server));
    assert_ok(pp_ratls_server_request(p->server, &body));
    assert_int_equal(body.len, REQUEST_LEN);
}

static void a_request_without_evidence_before_it_ends_the_session(void **state)
{
    struct pair *p = *state;
    uint8_t message[600];
    size_t len = pair_message(PP_MESSAGE_SEALED_REQUEST, REQUEST_LEN, message, sizeof message);
    struct pp_ratls_session session;
    struct pp_ratls_permit permit = permit_of(p, &session);

    assert_ok(pp_ratls_client_send(p->client, &permit, pp_span(message, len), ANSWER_LEN));
    len = client_take(p->client, wire, sizeof wire);
    assert_code(pp_ratls_server_feed(p->server, pp_span(wire, len)), PP_E_MESSAGE_ORDER);
    assert_int_equal(pp_ratls_server_state(p->server), PP_SERVER_DEAD);
    assert_int_equal(pp_ratls_server_pending(p->server), PP_RATLS_ALERT_BYTES);
    assert_code(pp_ratls_server_admit(p->server), PP_E_MESSAGE_ORDER);
}

/* W16: what leaves has one length for one length of the request. */
static void w16_the_size_of_an_attested_request_is_known_before(void **state)
{
    struct pair *p = *state;
    uint8_t report_data[PP_REPORT_DATA_BYTES];

    assert_int_equal(send_attested(p, report_data),
                     pp_ratls_attested_bytes(PP_MESSAGE_HEAD_BYTES + REQUEST_LEN));
    assert_int_equal(pp_ratls_attested_bytes(16385), pp_ratls_attested_bytes(16384) + 1 + 22);
}

/* A device's session has no place for a client's Evidence. */
static void a_server_of_devices_takes_no_evidence(void **state)
{
    struct pair *p = *state;
    uint8_t report_data[PP_REPORT_DATA_BYTES];
    size_t len = send_attested(p, report_data);

    pp_ratls_server_request_buffer(p->server, room, sizeof room);
    assert_code(pp_ratls_server_feed(p->server, pp_span(wire, len)), PP_E_MESSAGE_ORDER);
    assert_code(pp_ratls_server_admit(p->server), PP_E_MESSAGE_ORDER);
}

/* Each message once and in its order. */
static void a_client_sends_no_second_evidence_in_the_place_of_its_request(void **state)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES];
    struct pair *p = *state;
    uint8_t message[600], report_data[PP_REPORT_DATA_BYTES];
    size_t len = pair_message(PP_MESSAGE_EVIDENCE, REQUEST_LEN, message, sizeof message);
    struct pp_ratls_session session;
    struct pp_ratls_permit permit = permit_of(p, &session);

    (void)client_evidence(&session, body, report_data);
    assert_code(pp_ratls_client_send_attested(p->client, &permit, PP_BYTES(body),
                                              pp_span(message, len), ANSWER_LEN),
                PP_E_FORMAT); /* not by our own client */
    assert_int_equal(pp_ratls_client_pending(p->client), 0);
}

static void evidence_of_another_length_is_not_sent(void **state)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES + 1];
    struct pair *p = *state;
    uint8_t message[600];
    size_t len = pair_message(PP_MESSAGE_SEALED_REQUEST, REQUEST_LEN, message, sizeof message);
    struct pp_ratls_session session;
    struct pp_ratls_permit permit = permit_of(p, &session);

    assert_code(pp_ratls_client_send_attested(p->client, &permit, (struct pp_span){ 0 },
                                              pp_span(message, len), ANSWER_LEN),
                PP_E_RANGE);
    assert_int_equal(pp_ratls_client_state(p->client), PP_CLIENT_EVIDENCE);
    assert_code(pp_ratls_client_send_attested(p->client, &permit, PP_BYTES(body),
                                              pp_span(message, len), ANSWER_LEN),
                PP_E_RANGE);
    assert_int_equal(pp_ratls_client_pending(p->client), 0);
}

/* The exporter value is the same at both ends; the role is not. */
static void w20_t2_evidence_sent_back_to_its_maker_is_not_the_other_ends(void **state)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES];
    struct pair *p = *state;
    uint8_t report_data[PP_REPORT_DATA_BYTES], reflected[PP_BINDING_BYTES];
    struct pp_ratls_session session;
    struct pp_wr wr = pp_wr_over(body, sizeof body);
    struct pp_evidence e;
    struct pp_span cbor;

    (void)permit_of(p, &session);
    /* The server's own Evidence is no client's: it names a message key. */
    assert_ok(pp_evidence_body_write(&wr, &p->evidence));
    assert_ok(pp_evidence_body_parse(PP_BYTES(body), &cbor));
    assert_code(pp_evidence_parse(cbor, PP_END_CLIENT, &e), PP_E_UNKNOWN_FIELD);
    /* Without it, the same report is bound to the other role. */
    e = client_evidence(&session, body, report_data);
    assert_ok(
        pp_binding_of_evidence(PP_END_SERVER, PP_BYTES(session.spki), session.ekm, &e, reflected));
    assert_memory_not_equal(reflected, report_data, sizeof reflected);
    assert_memory_not_equal(p->report_data, report_data, sizeof report_data);
}

static void evidence_of_a_client_is_bound_to_its_session(void **state)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES];
    struct pair *p = *state;
    void *other_state = NULL;
    uint8_t mine[PP_REPORT_DATA_BYTES], theirs[PP_REPORT_DATA_BYTES];
    struct pp_ratls_session here, there;

    assert_int_equal(mutual_set_up(&other_state), 0);
    (void)permit_of(p, &here);
    (void)permit_of(other_state, &there);
    (void)client_evidence(&here, body, mine);
    (void)client_evidence(&there, body, theirs);
    assert_memory_not_equal(mine, theirs, sizeof mine);
    there = here;
    there.spki[90] ^= 1;
    (void)client_evidence(&there, body, theirs);
    assert_memory_not_equal(mine, theirs, sizeof mine);
    pair_tear_down(&other_state);
}

/* Cut anywhere, or one bit changed: the server never opens. */
static void a_damaged_attested_request_never_opens_the_server(void **state)
{
    struct pair *p = *state;
    uint8_t report_data[PP_REPORT_DATA_BYTES];
    struct pp_span body;
    size_t len = send_attested(p, report_data);

    wire[len - 1] ^= 1; /* the request's last record */
    assert_ok(pp_ratls_server_feed(p->server, pp_span(wire, len)));
    assert_int_equal(pp_ratls_server_state(p->server), PP_SERVER_PEER);
    assert_code(pp_ratls_server_admit(p->server), PP_E_TLS_ALERT);
    assert_int_equal(pp_ratls_server_pending(p->server), PP_RATLS_ALERT_BYTES);
    assert_code(pp_ratls_server_request(p->server, &body), PP_E_TLS_ALERT);
}

static void nobody_is_admitted_before_evidence(void **state)
{
    struct pair *p = *state;
    struct pp_ratls_session session;
    struct pp_span body;

    assert_code(pp_ratls_server_admit(p->server), PP_E_STATE);
    assert_code(pp_ratls_server_peer(p->server, &body, &session), PP_E_STATE);
    assert_int_equal(pp_ratls_server_state(p->server), PP_SERVER_FINISHED);
}

#define MUTUAL_TEST(name) cmocka_unit_test_setup_teardown(name, mutual_set_up, pair_tear_down)

static const struct CMUnitTest tests[] = {
    MUTUAL_TEST(a_request_behind_evidence_is_read_when_the_client_is_admitted_and_not_before),
    MUTUAL_TEST(any_split_of_an_attested_request_stops_at_the_same_place),
    MUTUAL_TEST(a_request_without_evidence_before_it_ends_the_session),
    MUTUAL_TEST(w16_the_size_of_an_attested_request_is_known_before),
    PAIR_TEST(a_server_of_devices_takes_no_evidence),
    MUTUAL_TEST(a_client_sends_no_second_evidence_in_the_place_of_its_request),
    MUTUAL_TEST(evidence_of_another_length_is_not_sent),
    MUTUAL_TEST(w20_t2_evidence_sent_back_to_its_maker_is_not_the_other_ends),
    MUTUAL_TEST(evidence_of_a_client_is_bound_to_its_session),
    MUTUAL_TEST(a_damaged_attested_request_never_opens_the_server),
    MUTUAL_TEST(nobody_is_admitted_before_evidence),
};

PP_TEST_MAIN(tests)
