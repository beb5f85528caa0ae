/* SPDX-License-Identifier: Apache-2.0 */
#include "http_server_int.h"

/* --- what all connections share ------------------------------------------------------------- */

/* RFC 7301 3.2: HTTP/2 where the client has it; a client that has neither is told so. */
static int choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
                           const unsigned char *offered, unsigned int offered_len, void *arg)
{
    static const unsigned char OURS[] = "\x02h2\x08http/1.1";

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto((unsigned char **)(uintptr_t)ret, ret_len, OURS, sizeof OURS - 1,
                              offered, offered_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    return SSL_TLSEXT_ERR_OK;
}

static pp_res read_chain(SSL_CTX *tls, BIO *pem)
{
    X509 *cert = PEM_read_bio_X509(pem, NULL, pp_tls_no_passphrase_, NULL);

    PP_CHECK(cert != NULL, PP_E_KEY, 0);
    int taken = SSL_CTX_use_certificate(tls, cert);
    X509_free(cert);
    PP_CHECK(taken == 1, PP_E_KEY, 0);
    while ((cert = PEM_read_bio_X509(pem, NULL, pp_tls_no_passphrase_, NULL)) != NULL) {
        if (SSL_CTX_add0_chain_cert(tls, cert) == 1)
            continue;
        X509_free(cert);
        return PP_FAIL(PP_E_NO_MEMORY, 0);
    }
    return PP_OK;
}

static pp_res read_key(SSL_CTX *tls, BIO *pem)
{
    EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, pp_tls_no_passphrase_, NULL);

    PP_CHECK(key != NULL, PP_E_KEY, 1);
    int taken = SSL_CTX_use_PrivateKey(tls, key) == 1 && SSL_CTX_check_private_key(tls) == 1;
    EVP_PKEY_free(key);
    PP_CHECK(taken, PP_E_KEY, 1);
    return PP_OK;
}

static pp_res read_pem(SSL_CTX *tls, struct pp_span pem, pp_res (*read)(SSL_CTX *tls, BIO *pem))
{
    PP_CHECK(pem.len > 0 && pem.len <= INT32_MAX, PP_E_KEY, pem.len);
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    PP_CHECK(bio != NULL, PP_E_NO_MEMORY, 0);
    pp_res r = read(tls, bio);
    BIO_free(bio);
    return r;
}

/*
 * RFC 8446, without what would join two connections of one client or answer it before it has proven
 * that it is there: no session is stored, no ticket sent, no early data taken.
 */
static pp_res set_up(SSL_CTX *tls)
{
    int ok = SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) == 1 &&
             SSL_CTX_set_max_proto_version(tls, TLS1_3_VERSION) == 1 &&
             SSL_CTX_set1_groups_list(tls, "X25519:P-256") == 1 &&
             SSL_CTX_set_num_tickets(tls, 0) == 1 && SSL_CTX_set_max_early_data(tls, 0) == 1;

    PP_CHECK(ok, PP_E_NO_MEMORY, 0);
    (void)SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_options(tls, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                       SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                       SSL_OP_PRIORITIZE_CHACHA);
    /* An idle connection has no record buffers: they come and go with the records. */
    (void)SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(tls, 0);
    SSL_CTX_set_alpn_select_cb(tls, choose_protocol, NULL);
    return PP_OK;
}

pp_res pp_http_server_tls(struct pp_http_server *s, struct pp_span chain_pem,
                          struct pp_span key_pem)
{
    if (s->tls_socket == NULL)
        s->tls_socket = pp_tls_socket_method_();
    PP_CHECK(s->tls_socket != NULL, PP_E_NO_MEMORY, 0);
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    PP_CHECK(tls != NULL, PP_E_NO_MEMORY, 0);
    pp_res r = set_up(tls);
    if (pp_is_ok(r))
        r = read_pem(tls, chain_pem, read_chain);
    if (pp_is_ok(r))
        r = read_pem(tls, key_pem, read_key);
    if (!pp_is_ok(r)) {
        SSL_CTX_free(tls);
        return r;
    }
    SSL_CTX_free(s->tls); /* connections that stand hold it until they end */
    s->tls = tls;
    return PP_OK;
}

void pp_http_tls_done_(struct pp_http_server *s)
{
    SSL_CTX_free(s->tls);
    BIO_meth_free(s->tls_socket);
}

/* --- one connection ------------------------------------------------------------------------- */

int pp_http_tls_start_(struct pp_http_conn *c)
{
    c->tls = SSL_new(c->server->tls);
    if (c->tls == NULL ||
        !pp_is_ok(pp_tls_socket_attach_(c->server->tls_socket, &c->socket, c->tls))) {
        SSL_free(c->tls);
        c->tls = NULL;
        return 0;
    }
    SSL_set_accept_state(c->tls);
    return 1;
}

void pp_http_tls_end_(struct pp_http_conn *c)
{
    if (c->tls == NULL)
        return;
    /* Best effort: the end of a message is marked by HTTP itself. */
    if (SSL_is_init_finished(c->tls))
        (void)SSL_shutdown(c->tls);
    SSL_free(c->tls);
    c->tls = NULL;
}

int pp_http_tls_handshake_(struct pp_http_conn *c)
{
    if (SSL_do_handshake(c->tls) == 1)
        return 1;
    if (!pp_tls_is_later_(c->tls))
        return -1;
    if (SSL_want_write(c->tls) && !pp_http_conn_watch_(c, &c->writable))
        return 0; /* it is closed */
    return 0;
}

int pp_http_tls_chose_http2_(const struct pp_http_conn *c)
{
    const unsigned char *name = NULL;
    unsigned int len = 0;

    SSL_get0_alpn_selected(c->tls, &name, &len);
    return pp_span_eq(pp_span(name, len), PP_STR("h2"));
}

ssize_t pp_http_tls_read_(struct pp_http_conn *c, uint8_t *at, size_t cap)
{
    size_t n = 0;

    if (SSL_read_ex(c->tls, at, cap, &n) == 1)
        return (ssize_t)n;
    return pp_tls_is_later_(c->tls) ? 0 : -1;
}

ssize_t pp_http_tls_write_(struct pp_http_conn *c, const uint8_t *at, size_t len)
{
    size_t n = 0;

    if (SSL_write_ex(c->tls, at, len, &n) == 1)
        return (ssize_t)n;
    return pp_tls_is_later_(c->tls) ? 0 : -1;
}

int pp_http_tls_has_more_(const struct pp_http_conn *c)
{
    return c->tls != NULL && SSL_pending(c->tls) > 0;
}
