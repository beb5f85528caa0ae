/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "crypto.h"
#include "ct.h"
#include "ratls_int.h"

/* The handshake messages that a server sends, in their only order (RFC 8446 4). */
static const uint8_t FLIGHT[] = { PP_TLS_SERVER_HELLO, PP_TLS_ENCRYPTED_EXTENSIONS,
                                  PP_TLS_CERTIFICATE, PP_TLS_CERTIFICATE_VERIFY, PP_TLS_FINISHED };

enum {
    HANDSHAKE_HEAD_BYTES = 4,
    ALERT_BYTES = 2,
    BUFFER_BYTES = PP_EVIDENCE_BODY_BYTES, /* larger than the largest answer */
};

_Static_assert((int)PP_ANSWER_MESSAGE_BYTES_MAX <= (int)BUFFER_BYTES, "an answer fits");

struct pp_ratls_client {
    enum pp_client_state state;
    pp_res first_failure;
    struct pp_tls tls;
    size_t seen; /* messages of FLIGHT that came */
    struct pp_ratls_session session;
    int permitted;                               /* pp_ratls_permit succeeded, with */
    uint8_t permitted_binding[PP_BINDING_BYTES]; /* this value */
    struct pp_gather gather;
    uint8_t buffer[BUFFER_BYTES];
};

static pp_res dead(struct pp_ratls_client *c)
{
    return c->first_failure;
}

/* Everything that a failed session knew is gone; the first reason stays. */
static pp_res die(struct pp_ratls_client *c, pp_res why)
{
    PP_ASSERT(!pp_is_ok(why));
    if (c->state == PP_CLIENT_DEAD)
        return dead(c);
    pp_tls_done(&c->tls);
    pp_wipe(c, sizeof *c);
    c->state = PP_CLIENT_DEAD;
    c->first_failure = why;
    return why;
}

/* --- what the far end says, before the TLS library acts on it -------------------------------- */

static pp_res message_check(struct pp_ratls_client *c, uint8_t type, struct pp_span body)
{
    if (c->seen == PP_ARRAY_COUNT(FLIGHT) || FLIGHT[c->seen] != type)
        return pp_tls_unexpected(type);
    c->seen++;
    switch (type) {
    case PP_TLS_SERVER_HELLO:
        return pp_tls_server_hello_check(body);
    case PP_TLS_ENCRYPTED_EXTENSIONS:
        return pp_tls_encrypted_extensions_check(body);
    case PP_TLS_CERTIFICATE:
        return pp_tls_certificate_check(body);
    case PP_TLS_CERTIFICATE_VERIFY:
        return pp_tls_certificate_verify_check(body);
    default:
        return PP_OK; /* Finished: the library compares it */
    }
}

static pp_res watched(struct pp_ratls_client *c, int content_type, struct pp_span bytes)
{
    struct pp_rd rd = pp_rd_span(bytes);
    uint8_t first = pp_rd_u8(&rd);

    switch (content_type) {
    case SSL3_RT_HANDSHAKE:
        pp_rd_skip(&rd, HANDSHAKE_HEAD_BYTES - 1);
        PP_TRY_AS(PP_E_TLS_ALERT, pp_rd_ok(&rd));
        return message_check(c, first, pp_rd_rest(&rd));
    case SSL3_RT_HEADER:
        /* A change_cipher_spec belongs to the middlebox mode, which is off; the library skips
         * it. */
        PP_CHECK(first != SSL3_RT_CHANGE_CIPHER_SPEC, PP_E_TLS_MESSAGE, first);
        return PP_OK;
    default:
        return PP_OK;
    }
}

static void watch(int written, int version, int content_type, const void *bytes, size_t len,
                  SSL *ssl, void *arg)
{
    struct pp_ratls_client *c = arg;

    (void)version;
    (void)ssl;
    if (written || !pp_is_ok(c->first_failure))
        return;
    c->first_failure = watched(c, content_type, pp_span(bytes, len));
}

/* What the watcher found goes before what the library made of it. */
static pp_res verdict(const struct pp_ratls_client *c, pp_res library)
{
    return pp_is_ok(c->first_failure) ? library : c->first_failure;
}

/* --- life ------------------------------------------------------------------------------------ */

static pp_res start(struct pp_ratls_client *c)
{
    uint8_t hello[PP_HELLO_BYTES + 1];
    struct pp_hello golden;

    SSL_set_msg_callback(c->tls.ssl, watch);
    SSL_set_msg_callback_arg(c->tls.ssl, c);
    PP_CHECK(pp_tls_handshake(&c->tls) == PP_TLS_WANT, PP_E_CRYPTO, 0);

    /* Looked at and put back: no client may be told from another by its first bytes. */
    int n = BIO_read(c->tls.out, hello, sizeof hello);
    PP_CHECK(n > 0, PP_E_CRYPTO, 1);
    PP_TRY(pp_hello_parse(pp_span(hello, (size_t)n), &golden));
    PP_CHECK(BIO_write(c->tls.out, hello, n) == n, PP_E_NO_MEMORY, n);
    return PP_OK;
}

pp_res pp_ratls_client_new(struct pp_ratls_ctx *ctx, struct pp_ratls_client **ret)
{
    PP_CHECK(ctx->end == PP_END_CLIENT, PP_E_STATE, 0);
    struct pp_ratls_client *c = calloc(1, sizeof *c);
    PP_CHECK(c != NULL, PP_E_NO_MEMORY, sizeof *c);

    pp_res r = pp_tls_init(&c->tls, ctx);
    if (pp_is_ok(r))
        r = start(c);
    if (!pp_is_ok(r)) {
        pp_ratls_client_free(c);
        return r;
    }
    *ret = c;
    return PP_OK;
}

void pp_ratls_client_free(struct pp_ratls_client *c)
{
    if (c == NULL)
        return;
    pp_tls_done(&c->tls);
    pp_wipe(c, sizeof *c);
    free(c);
}

enum pp_client_state pp_ratls_client_state(const struct pp_ratls_client *c)
{
    return c->state;
}

void pp_ratls_client_kill(struct pp_ratls_client *c, enum pp_code code)
{
    pp_ignore(die(c, PP_FAIL(code, 0)), "the caller knows its own reason");
}

/* --- bytes out ------------------------------------------------------------------------------- */

static int may_send(const struct pp_ratls_client *c)
{
    /* The ClientHello before anything came back; the rest after the permit. */
    return (c->state == PP_CLIENT_HANDSHAKE && c->seen == 0) || c->state == PP_CLIENT_SENT ||
           c->state == PP_CLIENT_ANSWERED;
}

size_t pp_ratls_client_pending(const struct pp_ratls_client *c)
{
    return may_send(c) ? pp_tls_pending(&c->tls) : 0;
}

pp_res pp_ratls_client_take(struct pp_ratls_client *c, struct pp_wr *out)
{
    if (c->state == PP_CLIENT_DEAD)
        return dead(c);
    return may_send(c) ? pp_tls_take(&c->tls, out) : PP_OK;
}

/* --- bytes in -------------------------------------------------------------------------------- */

static pp_res finish_handshake(struct pp_ratls_client *c)
{
    enum pp_tls_step step = pp_tls_handshake(&c->tls);

    PP_TRY(verdict(c, PP_OK));
    if (step == PP_TLS_WANT)
        return PP_OK;
    PP_CHECK(step == PP_TLS_DONE, PP_E_TLS_ALERT, step);
    PP_CHECK(SSL_version(c->tls.ssl) == TLS1_3_VERSION, PP_E_TLS_VERSION, 0);
    PP_CHECK(SSL_session_reused(c->tls.ssl) == 0, PP_E_TLS_RESUMPTION, 0);
    PP_CHECK(c->seen == PP_ARRAY_COUNT(FLIGHT), PP_E_TLS_MESSAGE, c->seen);
    PP_TRY(pp_tls_spki(SSL_get0_peer_certificate(c->tls.ssl), c->session.spki));
    PP_TRY(pp_tls_export(&c->tls, c->session.ekm));
    c->gather = (struct pp_gather){ .want = PP_MESSAGE_EVIDENCE,
                                    .body = c->buffer,
                                    .cap = PP_EVIDENCE_BODY_BYTES };
    c->state = PP_CLIENT_WAIT_EVIDENCE;
    return PP_OK;
}

/* In the first flight every fault of framing is a fault of the Evidence. */
static pp_res evidence_fault(pp_res r)
{
    switch (r.code) {
    case PP_E_MESSAGE_ORDER:
        r.code = PP_E_EVIDENCE_FORMAT;
        break;
    case PP_E_LIMIT:
        r.code = PP_E_EVIDENCE_SIZE;
        break;
    case PP_E_CLOSED:
        r.code = PP_E_TLS_ALERT;
        break;
    default:
        break;
    }
    return r;
}

static pp_res read_evidence(struct pp_ratls_client *c)
{
    int whole = 0;
    pp_res r = pp_gather_read(&c->gather, &c->tls, &whole);

    PP_TRY(verdict(c, evidence_fault(r)));
    if (c->gather.have >= PP_MESSAGE_HEAD_BYTES)
        PP_CHECK(c->gather.body_len == PP_EVIDENCE_BODY_BYTES, PP_E_EVIDENCE_SIZE,
                 c->gather.body_len);
    if (whole)
        c->state = PP_CLIENT_EVIDENCE;
    return PP_OK;
}

/* Nothing may come behind a whole message. */
static pp_res nothing_more(struct pp_ratls_client *c, enum pp_code twice, enum pp_code other)
{
    uint8_t next;
    size_t got = 0;
    enum pp_tls_step step = pp_tls_read(&c->tls, &next, 1, &got);

    PP_TRY(verdict(c, PP_OK));
    switch (step) {
    case PP_TLS_WANT:
        return PP_OK;
    case PP_TLS_DONE:
        return PP_FAIL(next == (uint8_t)c->gather.want ? twice : other, next);
    default:
        return PP_FAIL(PP_E_TLS_ALERT, step);
    }
}

static pp_res read_answer(struct pp_ratls_client *c)
{
    int whole = 0;
    pp_res r = pp_gather_read(&c->gather, &c->tls, &whole);

    if (r.code == PP_E_CLOSED)
        r.code = PP_E_SESSION_GONE;
    if (r.code == PP_E_LIMIT)
        r.code = PP_E_RANGE;
    PP_TRY(verdict(c, r));
    if (c->gather.have >= PP_MESSAGE_HEAD_BYTES)
        PP_CHECK(c->gather.body_len == c->gather.cap, PP_E_RANGE, c->gather.body_len);
    if (whole)
        c->state = PP_CLIENT_ANSWERED;
    return PP_OK;
}

static pp_res feed(struct pp_ratls_client *c, struct pp_span in)
{
    PP_TRY(pp_tls_put(&c->tls, in));
    if (c->state == PP_CLIENT_HANDSHAKE)
        PP_TRY(finish_handshake(c));
    if (c->state == PP_CLIENT_WAIT_EVIDENCE)
        PP_TRY(read_evidence(c));
    if (c->state == PP_CLIENT_EVIDENCE)
        PP_TRY(nothing_more(c, PP_E_EVIDENCE_TWICE, PP_E_EVIDENCE_FORMAT));
    if (c->state == PP_CLIENT_SENT)
        PP_TRY(read_answer(c));
    if (c->state == PP_CLIENT_ANSWERED)
        PP_TRY(nothing_more(c, PP_E_MESSAGE_ORDER, PP_E_MESSAGE_ORDER));
    return PP_OK;
}

pp_res pp_ratls_client_feed(struct pp_ratls_client *c, struct pp_span in)
{
    if (c->state == PP_CLIENT_DEAD)
        return dead(c);
    pp_res r = feed(c, in);
    return pp_is_ok(r) ? r : die(c, r);
}

static pp_res flight_end(const struct pp_ratls_client *c)
{
    int unread = BIO_ctrl_pending(c->tls.in) > 0 || SSL_has_pending(c->tls.ssl);

    switch (c->state) {
    case PP_CLIENT_HANDSHAKE:
        return PP_FAIL(PP_E_TLS_TRUNCATED, c->seen);
    case PP_CLIENT_WAIT_EVIDENCE:
        PP_CHECK(c->gather.have == 0, PP_E_EVIDENCE_SIZE, c->gather.have);
        PP_CHECK(!unread, PP_E_TLS_TRUNCATED, 0);
        return PP_FAIL(PP_E_NO_EVIDENCE, 0);
    case PP_CLIENT_EVIDENCE:
        PP_CHECK(!unread, PP_E_TLS_TRUNCATED, 1);
        return PP_OK;
    default:
        return PP_FAIL(PP_E_STATE, c->state);
    }
}

pp_res pp_ratls_client_flight_end(struct pp_ratls_client *c)
{
    if (c->state == PP_CLIENT_DEAD)
        return dead(c);
    pp_res r = flight_end(c);
    return pp_is_ok(r) ? r : die(c, r);
}

/* --- appraisal and sending ------------------------------------------------------------------- */

pp_res pp_ratls_client_evidence(const struct pp_ratls_client *c, struct pp_span *ret_body)
{
    if (c->state == PP_CLIENT_DEAD)
        return c->first_failure;
    PP_CHECK(c->state == PP_CLIENT_EVIDENCE, PP_E_STATE, c->state);
    *ret_body = pp_span(c->buffer, PP_EVIDENCE_BODY_BYTES);
    return PP_OK;
}

pp_res pp_ratls_client_session(const struct pp_ratls_client *c, struct pp_ratls_session *ret)
{
    if (c->state == PP_CLIENT_DEAD)
        return c->first_failure;
    PP_CHECK(c->state == PP_CLIENT_EVIDENCE, PP_E_STATE, c->state);
    *ret = c->session;
    return PP_OK;
}

pp_res pp_ratls_permit(struct pp_ratls_client *c, const struct pp_evidence *e,
                       const uint8_t verified_report_data[PP_REPORT_DATA_BYTES],
                       struct pp_ratls_permit *ret)
{
    struct pp_ratls_permit permit = { .of = c };
    uint8_t want[PP_REPORT_DATA_BYTES];

    if (c->state == PP_CLIENT_DEAD)
        return c->first_failure;
    PP_CHECK(c->state == PP_CLIENT_EVIDENCE, PP_E_STATE, c->state);
    PP_TRY(pp_binding_of_evidence(PP_END_SERVER, PP_BYTES(c->session.spki), c->session.ekm, e,
                                  permit.binding));
    PP_TRY(pp_binding_report_data(permit.binding, &e->batch, want));
    uint32_t same = pp_ct_eq(want, verified_report_data, sizeof want);
    PP_REVEAL(&same, sizeof same, "whether the report is this session's decides the session");
    PP_CHECK(same == 1, PP_E_SNP_BINDING, 0);
    c->permitted = 1;
    memcpy(c->permitted_binding, permit.binding, sizeof c->permitted_binding);
    *ret = permit;
    return PP_OK;
}

/* A permit outlives its session only by mistake; an address used again must not revive it. */
static pp_res permit_check(const struct pp_ratls_client *c, const struct pp_ratls_permit *permit)
{
    PP_CHECK(c->permitted && permit->of == c, PP_E_UNVERIFIED, 0);
    PP_CHECK(pp_ct_eq(permit->binding, c->permitted_binding, sizeof permit->binding) == 1,
             PP_E_UNVERIFIED, 1);
    return PP_OK;
}

static pp_res write_evidence(struct pp_ratls_client *c, struct pp_span evidence)
{
    uint8_t head[PP_MESSAGE_HEAD_BYTES];
    struct pp_wr wr = pp_wr_over(head, sizeof head);

    PP_CHECK(evidence.len == PP_EVIDENCE_BODY_BYTES, PP_E_RANGE, evidence.len);
    pp_message_head_write(&wr, PP_MESSAGE_EVIDENCE, evidence.len);
    PP_TRY(pp_wr_ok(&wr));
    PP_TRY(pp_tls_write(&c->tls, pp_wr_done(&wr)));
    return pp_tls_write(&c->tls, evidence);
}

/* `evidence` empty: a client that does not attest. */
static pp_res send_it(struct pp_ratls_client *c, struct pp_span evidence, struct pp_span message,
                      size_t answer_len)
{
    struct pp_span body;

    PP_CHECK(answer_len <= PP_ANSWER_MESSAGE_BYTES_MAX, PP_E_RANGE, answer_len);
    PP_TRY_AS(PP_E_FORMAT, pp_message_parse(message, PP_MESSAGE_SEALED_REQUEST, &body));
    if (evidence.at != NULL)
        PP_TRY(write_evidence(c, evidence));
    PP_TRY(pp_tls_write(&c->tls, message));
    pp_wipe(c->session.ekm, sizeof c->session.ekm);
    c->gather = (struct pp_gather){ .want = PP_MESSAGE_SEALED_RESPONSE,
                                    .body = c->buffer,
                                    .cap = answer_len };
    c->state = PP_CLIENT_SENT;
    return PP_OK;
}

size_t pp_ratls_attested_bytes(size_t message_len)
{
    /* RFC 8446 5.2: head, inner type and tag around at most 2^14 bytes. */
    enum { RECORD = 16384, AROUND = 5 + 1 + 16, FINISHED = 4 + 48 };
    const size_t writes[] = { FINISHED, PP_MESSAGE_HEAD_BYTES, PP_EVIDENCE_BODY_BYTES,
                              message_len };
    size_t total = 0;

    for (size_t i = 0; i < PP_ARRAY_COUNT(writes); i++)
        total += writes[i] + (writes[i] + RECORD - 1) / RECORD * AROUND;
    return total;
}

static pp_res send_under(struct pp_ratls_client *c, const struct pp_ratls_permit *permit,
                         struct pp_span evidence, struct pp_span message, size_t answer_len)
{
    if (c->state == PP_CLIENT_DEAD)
        return dead(c);
    PP_CHECK(c->state == PP_CLIENT_EVIDENCE, PP_E_STATE, c->state);
    pp_res r = permit_check(c, permit);
    if (pp_is_ok(r))
        r = send_it(c, evidence, message, answer_len);
    return pp_is_ok(r) ? r : die(c, r);
}

pp_res pp_ratls_client_send(struct pp_ratls_client *c, const struct pp_ratls_permit *permit,
                            struct pp_span message, size_t answer_len)
{
    return send_under(c, permit, (struct pp_span){ 0 }, message, answer_len);
}

pp_res pp_ratls_client_send_attested(struct pp_ratls_client *c,
                                     const struct pp_ratls_permit *permit, struct pp_span evidence,
                                     struct pp_span message, size_t answer_len)
{
    /* An empty body is a wrong one, and no way back to a client that does not attest. */
    PP_CHECK(evidence.at != NULL, PP_E_RANGE, 0);
    return send_under(c, permit, evidence, message, answer_len);
}

pp_res pp_ratls_client_answer(struct pp_ratls_client *c, struct pp_span *ret_body)
{
    if (c->state == PP_CLIENT_DEAD)
        return dead(c);
    if (c->state == PP_CLIENT_SENT)
        return die(c, PP_FAIL(PP_E_ANSWER_TRUNCATED, c->gather.have));
    PP_CHECK(c->state == PP_CLIENT_ANSWERED, PP_E_STATE, c->state);
    *ret_body = pp_span(c->buffer, c->gather.body_len);
    return PP_OK;
}
