/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "crypto.h"
#include "ct.h"
#include "ratls_int.h"
#include "x509.h"

struct pp_ratls_server {
    enum pp_server_state state;
    pp_res first_failure;
    struct pp_tls tls;
    int any_hello; /* tests only */
    int mutual;    /* 1: the client attests, too */
    uint8_t hello[PP_HELLO_BYTES];
    size_t hello_len;
    struct pp_ratls_session session;
    struct pp_gather gather;
    uint8_t alert[PP_RATLS_ALERT_BYTES]; /* what a dead session leaves to take */
    size_t alert_len;
    size_t alert_taken;
};

static int flight_is_out(const struct pp_ratls_server *s)
{
    return s->state >= PP_SERVER_FINISHED && s->state <= PP_SERVER_REQUEST &&
           pp_tls_pending(&s->tls) == 0;
}

/*
 * Keeps one alert record for the client: the library's own after a TLS fault, else close_notify.
 * Both are sealed and have one size, so the network learns that the session ended and not why.
 */
static void leave_alert(struct pp_ratls_server *s, uint8_t alert[PP_RATLS_ALERT_BYTES],
                        size_t *ret_len)
{
    struct pp_wr wr = pp_wr_over(alert, PP_RATLS_ALERT_BYTES);

    *ret_len = 0;
    if (pp_tls_pending(&s->tls) == 0)
        (void)SSL_shutdown(s->tls.ssl);
    pp_crypto_forget_errors();
    if (pp_tls_pending(&s->tls) == PP_RATLS_ALERT_BYTES && pp_is_ok(pp_tls_take(&s->tls, &wr)))
        *ret_len = wr.len;
}

static pp_res die(struct pp_ratls_server *s, int flight_was_out, pp_res why)
{
    uint8_t alert[PP_RATLS_ALERT_BYTES] = { 0 };
    size_t alert_len = 0;

    PP_ASSERT(!pp_is_ok(why));
    if (s->state == PP_SERVER_DEAD)
        return s->first_failure;
    if (flight_was_out)
        leave_alert(s, alert, &alert_len);
    pp_tls_done(&s->tls);
    pp_wipe(s, sizeof *s);
    s->state = PP_SERVER_DEAD;
    s->first_failure = why;
    memcpy(s->alert, alert, alert_len);
    s->alert_len = alert_len;
    return why;
}

void pp_ratls_server_close(struct pp_ratls_server *s, enum pp_code code)
{
    pp_ignore(die(s, s->state != PP_SERVER_DEAD && flight_is_out(s), PP_FAIL(code, 0)),
              "the caller knows its own reason");
}

/* --- life ------------------------------------------------------------------------------------ */

/* A client's handshake message that the profile does not have: KeyUpdate is the only one left. */
static void watch(int written, int version, int content_type, const void *bytes, size_t len,
                  SSL *ssl, void *arg)
{
    struct pp_ratls_server *s = arg;
    struct pp_rd rd = pp_rd_over(bytes, len);

    (void)version;
    (void)ssl;
    if (written || !pp_is_ok(s->first_failure) || content_type != SSL3_RT_HANDSHAKE)
        return;
    uint8_t type = pp_rd_u8(&rd);
    if (type != PP_TLS_CLIENT_HELLO && type != PP_TLS_FINISHED)
        s->first_failure = pp_tls_unexpected(type);
}

static pp_res use_identity(struct pp_ratls_server *s, const struct pp_ratls_ctx *ctx,
                           const struct pp_ec_key *key)
{
    X509 *cert = NULL;

    PP_TRY(pp_x509_maker_make(ctx->certificates, key, &cert));
    int ok = SSL_use_certificate(s->tls.ssl, cert) == 1 &&
             SSL_use_PrivateKey(s->tls.ssl, pp_ec_key_handle(key)) == 1;
    X509_free(cert); /* the session keeps its own reference */
    pp_crypto_forget_errors();
    PP_CHECK(ok, PP_E_CRYPTO, 0);
    return pp_tls_spki(SSL_get_certificate(s->tls.ssl), s->session.spki);
}

static pp_res make_identity(struct pp_ratls_server *s, const struct pp_ratls_ctx *ctx,
                            struct pp_span key_der)
{
    struct pp_ec_key *key = NULL;

    if (key_der.len == 0)
        PP_TRY(pp_ec_key_generate(PP_P256, &key));
    else
        PP_TRY(pp_ec_key_import_der(key_der, &key));
    pp_res r = use_identity(s, ctx, key); /* the session keeps its own reference to the key */
    pp_ec_key_free(key);
    return r;
}

pp_res pp_ratls_server_new_bent(struct pp_ratls_ctx *ctx, const struct pp_random *random,
                                int any_hello, struct pp_span key_der, struct pp_ratls_server **ret)
{
    PP_CHECK(ctx->end == PP_END_SERVER, PP_E_STATE, 0);
    struct pp_ratls_server *s = calloc(1, sizeof *s);
    PP_CHECK(s != NULL, PP_E_NO_MEMORY, sizeof *s);

    s->any_hello = any_hello;
    /* Should the exporter ever leave its buffer alone, what stands there must be nobody's guess. */
    pp_res r = pp_random_fill(random, s->session.ekm, sizeof s->session.ekm);
    if (pp_is_ok(r))
        r = pp_tls_init(&s->tls, ctx);
    if (pp_is_ok(r))
        r = make_identity(s, ctx, key_der);
    if (!pp_is_ok(r)) {
        pp_ratls_server_free(s);
        return r;
    }
    SSL_set_msg_callback(s->tls.ssl, watch);
    SSL_set_msg_callback_arg(s->tls.ssl, s);
    *ret = s;
    return PP_OK;
}

pp_res pp_ratls_server_new(struct pp_ratls_ctx *ctx, const struct pp_random *random,
                           struct pp_ratls_server **ret)
{
    return pp_ratls_server_new_bent(ctx, random, 0, (struct pp_span){ 0 }, ret);
}

pp_res pp_ratls_server_new_mutual(struct pp_ratls_ctx *ctx, const struct pp_random *random,
                                  struct pp_ratls_server **ret)
{
    struct pp_ratls_server *s = NULL;

    PP_TRY(pp_ratls_server_new(ctx, random, &s));
    s->mutual = 1;
    *ret = s;
    return PP_OK;
}

void pp_ratls_server_free(struct pp_ratls_server *s)
{
    if (s == NULL)
        return;
    pp_tls_done(&s->tls);
    pp_wipe(s, sizeof *s);
    free(s);
}

enum pp_server_state pp_ratls_server_state(const struct pp_ratls_server *s)
{
    return s->state;
}

/* --- bytes out ------------------------------------------------------------------------------- */

size_t pp_ratls_server_pending(const struct pp_ratls_server *s)
{
    if (s->state == PP_SERVER_DEAD)
        return s->alert_len - s->alert_taken;
    /* The library made its part of the flight at once; it leaves together with the Evidence. */
    return s->state == PP_SERVER_HELLO || s->state == PP_SERVER_EVIDENCE ? 0
                                                                         : pp_tls_pending(&s->tls);
}

pp_res pp_ratls_server_take(struct pp_ratls_server *s, struct pp_wr *out)
{
    size_t pending = pp_ratls_server_pending(s);
    size_t room = out->cap - out->len;

    if (s->state != PP_SERVER_DEAD)
        return pending == 0 ? PP_OK : pp_tls_take(&s->tls, out);
    size_t n = pending < room ? pending : room;
    pp_wr_bytes(out, s->alert + s->alert_taken, n);
    s->alert_taken += n;
    return pp_wr_ok(out);
}

/* --- bytes in -------------------------------------------------------------------------------- */

/* ra-tls 5.1: reads the ClientHello, writes flight 1, and stops before the client's Finished. */
static pp_res make_flight(struct pp_ratls_server *s, struct pp_span hello)
{
    uint8_t early[1];
    size_t got = 0;

    PP_TRY(pp_tls_put(&s->tls, hello));
    pp_crypto_forget_errors();
    int returned = SSL_read_early_data(s->tls.ssl, early, sizeof early, &got);
    pp_crypto_forget_errors();
    PP_TRY(s->first_failure);
    PP_CHECK(returned == SSL_READ_EARLY_DATA_FINISH, PP_E_TLS_ALERT, returned);
    PP_CHECK(SSL_session_reused(s->tls.ssl) == 0, PP_E_TLS_RESUMPTION, 0);
    /*
     * After a HelloRetryRequest the call above returns the same, no key exists, and what is written
     * next leaves in clear. The exporter is what tells: it must have returned 1.
     */
    PP_TRY_AS(PP_E_TLS_RETRY, pp_tls_export(&s->tls, s->session.ekm));
    s->state = PP_SERVER_EVIDENCE;
    return PP_OK;
}

static pp_res feed_hello(struct pp_ratls_server *s, struct pp_span in)
{
    struct pp_hello hello;

    if (s->any_hello)
        return make_flight(s, in);
    PP_CHECK(in.len <= sizeof s->hello - s->hello_len, PP_E_TLS_SUITE, in.len);
    struct pp_rd rd = pp_rd_span(in);
    pp_rd_copy(&rd, s->hello + s->hello_len, in.len);
    s->hello_len += in.len;
    if (s->hello_len < sizeof s->hello)
        return PP_OK;
    PP_TRY(pp_hello_parse(PP_BYTES(s->hello), &hello));
    return make_flight(s, PP_BYTES(s->hello));
}

static pp_res finish_handshake(struct pp_ratls_server *s)
{
    enum pp_tls_step step = pp_tls_handshake(&s->tls);

    PP_TRY(s->first_failure);
    if (step == PP_TLS_WANT)
        return PP_OK;
    PP_CHECK(step == PP_TLS_DONE, PP_E_TLS_ALERT, step);
    s->gather.want = s->mutual ? PP_MESSAGE_EVIDENCE : PP_MESSAGE_SEALED_REQUEST;
    s->state = s->mutual ? PP_SERVER_WAIT_PEER : PP_SERVER_OPEN;
    return PP_OK;
}

/* The client's Evidence, and not one byte more: what is behind it stays sealed in its records. */
static pp_res read_peer(struct pp_ratls_server *s)
{
    int whole = 0;
    pp_res r = pp_gather_read(&s->gather, &s->tls, &whole);

    PP_TRY(s->first_failure);
    PP_TRY(r);
    if (s->gather.have >= PP_MESSAGE_HEAD_BYTES)
        PP_CHECK(s->gather.body_len == PP_EVIDENCE_BODY_BYTES, PP_E_EVIDENCE_SIZE,
                 s->gather.body_len);
    if (whole)
        s->state = PP_SERVER_PEER;
    return PP_OK;
}

static pp_res read_request(struct pp_ratls_server *s)
{
    int whole = 0;
    pp_res r = pp_gather_read(&s->gather, &s->tls, &whole);

    PP_TRY(s->first_failure);
    PP_TRY(r);
    if (whole)
        s->state = PP_SERVER_REQUEST;
    return PP_OK;
}

static pp_res nothing_more(struct pp_ratls_server *s)
{
    uint8_t next;
    size_t got = 0;
    enum pp_tls_step step = pp_tls_read(&s->tls, &next, 1, &got);

    PP_TRY(s->first_failure);
    PP_CHECK(step != PP_TLS_DONE, PP_E_MESSAGE_ORDER, next);
    PP_CHECK(step == PP_TLS_WANT, PP_E_TLS_ALERT, step);
    return PP_OK;
}

static pp_res feed(struct pp_ratls_server *s, struct pp_span in)
{
    if (s->state == PP_SERVER_HELLO)
        return feed_hello(s, in);
    PP_CHECK(s->state >= PP_SERVER_FINISHED && s->state <= PP_SERVER_REQUEST, PP_E_MESSAGE_ORDER,
             s->state);
    PP_TRY(pp_tls_put(&s->tls, in));
    if (s->state == PP_SERVER_FINISHED)
        PP_TRY(finish_handshake(s));
    if (s->state == PP_SERVER_WAIT_PEER)
        PP_TRY(read_peer(s));
    if (s->state == PP_SERVER_OPEN)
        PP_TRY(read_request(s));
    if (s->state == PP_SERVER_REQUEST)
        PP_TRY(nothing_more(s));
    return PP_OK;
}

pp_res pp_ratls_server_feed(struct pp_ratls_server *s, struct pp_span in)
{
    if (s->state == PP_SERVER_DEAD)
        return s->first_failure;
    int was_out = flight_is_out(s);
    pp_res r = feed(s, in);
    return pp_is_ok(r) ? r : die(s, was_out, r);
}

/* --- the caller's part ----------------------------------------------------------------------- */

pp_res pp_ratls_server_session(const struct pp_ratls_server *s, struct pp_ratls_session *ret)
{
    if (s->state == PP_SERVER_DEAD)
        return s->first_failure;
    PP_CHECK(s->state == PP_SERVER_EVIDENCE, PP_E_STATE, s->state);
    *ret = s->session;
    return PP_OK;
}

static pp_res write_evidence(struct pp_ratls_server *s, struct pp_span body)
{
    uint8_t message[PP_MESSAGE_HEAD_BYTES + PP_EVIDENCE_BODY_BYTES];
    struct pp_wr wr = pp_wr_over(message, sizeof message);
    size_t written = 0;

    PP_CHECK(body.len == PP_EVIDENCE_BODY_BYTES, PP_E_RANGE, body.len);
    pp_message_head_write(&wr, PP_MESSAGE_EVIDENCE, body.len);
    pp_wr_span(&wr, body);
    PP_TRY(pp_wr_ok(&wr));
    pp_crypto_forget_errors();
    int ok = SSL_write_early_data(s->tls.ssl, message, wr.len, &written);
    pp_crypto_forget_errors();
    PP_CHECK(ok == 1 && written == wr.len, PP_E_CRYPTO, written);
    if (!s->mutual) /* the attester has it; it serves nothing here */
        pp_wipe(s->session.ekm, sizeof s->session.ekm);
    s->state = PP_SERVER_FINISHED;
    return PP_OK;
}

pp_res pp_ratls_server_evidence(struct pp_ratls_server *s, struct pp_span body)
{
    if (s->state == PP_SERVER_DEAD)
        return s->first_failure;
    PP_CHECK(s->state == PP_SERVER_EVIDENCE, PP_E_STATE, s->state);
    pp_res r = write_evidence(s, body);
    return pp_is_ok(r) ? r : die(s, 0, r);
}

void pp_ratls_server_request_buffer(struct pp_ratls_server *s, void *buf, size_t cap)
{
    s->gather.body = buf;
    s->gather.cap = cap;
}

pp_res pp_ratls_server_request(const struct pp_ratls_server *s, struct pp_span *ret_body)
{
    if (s->state == PP_SERVER_DEAD)
        return s->first_failure;
    PP_CHECK(s->state == PP_SERVER_REQUEST, PP_E_STATE, s->state);
    *ret_body = pp_span(s->gather.body, s->gather.body_len);
    return PP_OK;
}

pp_res pp_ratls_server_peer(const struct pp_ratls_server *s, struct pp_span *ret_body,
                            struct pp_ratls_session *ret)
{
    if (s->state == PP_SERVER_DEAD)
        return s->first_failure;
    PP_CHECK(s->state == PP_SERVER_PEER, PP_E_STATE, s->state);
    *ret_body = pp_span(s->gather.body, s->gather.body_len);
    *ret = s->session;
    return PP_OK;
}

pp_res pp_ratls_server_admit(struct pp_ratls_server *s)
{
    if (s->state == PP_SERVER_DEAD)
        return s->first_failure;
    PP_CHECK(s->state == PP_SERVER_PEER, PP_E_STATE, s->state);
    pp_wipe(s->session.ekm, sizeof s->session.ekm);
    s->gather = (struct pp_gather){ .want = PP_MESSAGE_SEALED_REQUEST,
                                    .body = s->gather.body,
                                    .cap = s->gather.cap };
    s->state = PP_SERVER_OPEN;
    return pp_ratls_server_feed(s, (struct pp_span){ 0 });
}

static pp_res write_answer(struct pp_ratls_server *s, struct pp_span body)
{
    uint8_t message[PP_MESSAGE_HEAD_BYTES + PP_ANSWER_MESSAGE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(message, sizeof message);

    PP_CHECK(body.len <= PP_ANSWER_MESSAGE_BYTES_MAX, PP_E_RANGE, body.len);
    pp_message_head_write(&wr, PP_MESSAGE_SEALED_RESPONSE, body.len);
    pp_wr_span(&wr, body);
    PP_TRY(pp_wr_ok(&wr));
    PP_TRY(pp_tls_write(&s->tls, pp_wr_done(&wr)));
    s->state = PP_SERVER_ANSWERED;
    return PP_OK;
}

pp_res pp_ratls_server_answer(struct pp_ratls_server *s, struct pp_span body)
{
    if (s->state == PP_SERVER_DEAD)
        return s->first_failure;
    PP_CHECK(s->state == PP_SERVER_REQUEST, PP_E_STATE, s->state);
    pp_res r = write_answer(s, body);
    return pp_is_ok(r) ? r : die(s, 1, r);
}
