/* SPDX-License-Identifier: Apache-2.0 */
/* pair.h: a client and a server of ours, and the stand-in for a verified report between them. */
#ifndef PP_RATLS_PAIR_H
#define PP_RATLS_PAIR_H

#include "harness.h"

#include "crypto.h"
#include "hash.h"
#include "message.h"
#include "ratls.h"
#include "ratls_int.h"

enum { PAIR_WIRE_BYTES = 1 << 17 };

struct pair {
    struct pp_ratls_ctx *client_ctx, *server_ctx;
    struct pp_ratls_client *client;
    struct pp_ratls_server *server;
    struct pp_random random;
    uint8_t hello[512];
    size_t hello_len;
    uint8_t flight[PAIR_WIRE_BYTES];
    size_t flight_len;
    uint8_t request_buffer[4096];
    struct pp_evidence evidence;               /* as the server sent it */
    uint8_t report_data[PP_REPORT_DATA_BYTES]; /* what the genuine report over it carries */
};

static inline size_t client_take(struct pp_ratls_client *c, uint8_t *buf, size_t cap)
{
    struct pp_wr wr = pp_wr_over(buf, cap);

    assert_ok(pp_ratls_client_take(c, &wr));
    return wr.len;
}

static inline size_t server_take(struct pp_ratls_server *s, uint8_t *buf, size_t cap)
{
    struct pp_wr wr = pp_wr_over(buf, cap);

    assert_ok(pp_ratls_server_take(s, &wr));
    return wr.len;
}

static inline struct pp_evidence pair_evidence(void)
{
    static const uint8_t KEY[34] = { 0x00, 0x20, 1, 2, 3 };
    struct pp_evidence e = { .platform = PP_PLATFORM_SEV_SNP,
                             .report = PP_STR("report"),
                             .endorsements = { PP_STR("vcek") },
                             .endorsement_count = 1,
                             .config = PP_STR("engine = embedded\n"),
                             .message_key = PP_BYTES(KEY),
                             .host_count = 1 };

    e.hosts[0].size = 1;
    return e;
}

/* The attester's part: Evidence for this session, and REPORT_DATA as the secure processor signs
 * it. */
static inline size_t pair_attest(struct pair *p, const struct pp_ratls_session *session,
                                 uint8_t *body, size_t cap)
{
    uint8_t binding[PP_BINDING_BYTES];
    struct pp_wr wr = pp_wr_over(body, cap);

    p->evidence = pair_evidence();
    assert_ok(pp_binding_of_evidence(PP_END_SERVER, PP_BYTES(session->spki), session->ekm,
                                     &p->evidence, binding));
    assert_ok(pp_binding_report_data(binding, &p->evidence.batch, p->report_data));
    assert_ok(pp_evidence_body_write(&wr, &p->evidence));
    return wr.len;
}

/* Both ends, up to the flight; nothing has reached the client. */
static inline int pair_set_up(void **state)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES];
    struct pair *p = calloc(1, sizeof *p);
    struct pp_ratls_session session;

    assert_non_null(p);
    assert_ok(pp_crypto_init());
    p->random = pp_random_system();
    assert_ok(pp_ratls_ctx_new(PP_END_CLIENT, &p->client_ctx));
    assert_ok(pp_ratls_ctx_new(PP_END_SERVER, &p->server_ctx));
    assert_ok(pp_ratls_client_new(p->client_ctx, &p->client));
    p->hello_len = client_take(p->client, p->hello, sizeof p->hello);
    assert_ok(pp_ratls_server_new(p->server_ctx, &p->random, &p->server));
    assert_ok(pp_ratls_server_feed(p->server, pp_span(p->hello, p->hello_len)));
    assert_ok(pp_ratls_server_session(p->server, &session));
    assert_ok(pp_ratls_server_evidence(p->server,
                                       pp_span(body, pair_attest(p, &session, body, sizeof body))));
    p->flight_len = server_take(p->server, p->flight, sizeof p->flight);
    *state = p;
    return 0;
}

static inline int pair_tear_down(void **state)
{
    struct pair *p = *state;

    pp_ratls_client_free(p->client);
    pp_ratls_server_free(p->server);
    pp_ratls_ctx_free(p->client_ctx);
    pp_ratls_ctx_free(p->server_ctx);
    free(p);
    return 0;
}

/* The client reads the flight and parses Evidence. */
static inline pp_res pair_receive(struct pair *p, struct pp_evidence *ret)
{
    struct pp_span body, cbor;

    PP_TRY(pp_ratls_client_feed(p->client, pp_span(p->flight, p->flight_len)));
    PP_TRY(pp_ratls_client_flight_end(p->client));
    PP_TRY(pp_ratls_client_evidence(p->client, &body));
    PP_TRY(pp_evidence_body_parse(body, &cbor));
    return pp_evidence_parse(cbor, PP_END_SERVER, ret);
}

/* A framed message of `len` filler bytes. */
static inline size_t pair_message(enum pp_message_type type, size_t len, uint8_t *buf, size_t cap)
{
    struct pp_wr wr = pp_wr_over(buf, cap);

    pp_message_head_write(&wr, type, len);
    for (size_t i = 0; i < len; i++)
        pp_wr_u8(&wr, (uint8_t)i);
    assert_ok(pp_wr_ok(&wr));
    return wr.len;
}

#define PAIR_TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

#endif
