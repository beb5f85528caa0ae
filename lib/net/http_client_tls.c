/* SPDX-License-Identifier: Apache-2.0 */
#include "http_client_int.h"

#include <arpa/inet.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

enum { READ_BUFFER_BYTES = 1 << 15 }; /* two records and more come in one call of the kernel */

/* --- what all connections share ------------------------------------------------------------- */

/* How many certificates of `pem` are anchors now. */
static size_t read_anchors(X509_STORE *store, struct pp_span pem)
{
    BIO *bio = pem.len <= INT32_MAX ? BIO_new_mem_buf(pem.at, (int)pem.len) : NULL;
    X509 *cert;
    size_t count = 0;

    while (bio != NULL && (cert = PEM_read_bio_X509(bio, NULL, pp_tls_no_passphrase_, NULL))) {
        count += X509_STORE_add_cert(store, cert) == 1;
        X509_free(cert);
    }
    BIO_free(bio);
    return count;
}

/*
 * RFC 8446 alone. No session is kept: a ticket would join two calls. Each anchor is one by itself,
 * be it a root or not: whoever gives it vouches for it.
 */
static int set_up(SSL_CTX *tls)
{
    int ok = SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) == 1 &&
             SSL_CTX_set_max_proto_version(tls, TLS1_3_VERSION) == 1;

    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    (void)SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_options(tls, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
    (void)SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(tls, 1);
    SSL_CTX_set_default_read_buffer_len(tls, READ_BUFFER_BYTES);
    return ok && X509_STORE_set_flags(SSL_CTX_get_cert_store(tls), X509_V_FLAG_PARTIAL_CHAIN) == 1;
}

static pp_res make_context(struct pp_http_client *c)
{
    c->tls_socket = pp_tls_socket_method_();
    PP_CHECK(c->tls_socket != NULL, PP_E_NO_MEMORY, 0);
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    PP_CHECK(tls != NULL, PP_E_NO_MEMORY, 0);
    if (!set_up(tls)) {
        SSL_CTX_free(tls);
        return PP_FAIL(PP_E_NO_MEMORY, 0);
    }
    if (read_anchors(SSL_CTX_get_cert_store(tls), c->config.ca_pem) == 0) {
        SSL_CTX_free(tls);
        return PP_OK;
    }
    c->tls = tls;
    return PP_OK;
}

pp_res pp_http_client_tls_(struct pp_http_client *c)
{
    pp_res r = c->config.ca_pem.len > 0 ? make_context(c) : PP_OK;

    ERR_clear_error(); /* even the end of the PEM is an error to it, whose words it keeps */
    return r;
}

/* --- one connection ------------------------------------------------------------------------- */

/* RFC 9110 4.3.4: whom the certificate must name; RFC 6066 3: an address is no server name. */
static int expect(SSL *ssl, const struct pp_http_origin *o, int is_address)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (is_address)
        return X509_VERIFY_PARAM_set1_ip_asc(param, o->host) == 1;
    return X509_VERIFY_PARAM_set1_host(param, o->host, o->host_len) == 1 &&
           SSL_set_tlsext_host_name(ssl, o->host) == 1;
}

/* RFC 7301: what we speak there, in our order. */
static int offer(SSL *ssl, uint32_t http2)
{
    static const unsigned char BOTH[] = "\x02h2\x08http/1.1";
    enum { H2_BYTES = 3 };
    const unsigned char *names = http2 ? BOTH : BOTH + H2_BYTES;
    size_t len = sizeof BOTH - 1 - (http2 ? 0 : H2_BYTES);

    return SSL_set_alpn_protos(ssl, names, (unsigned int)len) == 0;
}

static int is_address(const struct pp_http_origin *o)
{
    uint8_t ip[16];

    return o->is_ip6 || inet_pton(AF_INET, o->host, ip) == 1;
}

pp_res pp_http_link_tls_start_(struct pp_http_link *l)
{
    struct pp_http_client *c = l->client;

    PP_CHECK(c->tls != NULL, PP_E_UNVERIFIED, 0);
    l->tls = SSL_new(c->tls);
    PP_CHECK(l->tls != NULL, PP_E_NO_MEMORY, 0);
    PP_TRY(pp_tls_socket_attach_(c->tls_socket, &l->socket, l->tls));
    PP_CHECK(expect(l->tls, l->origin, is_address(l->origin)) && offer(l->tls, c->config.http2),
             PP_E_NO_MEMORY, 0);
    SSL_set_connect_state(l->tls);
    return PP_OK;
}

void pp_http_link_tls_end_(struct pp_http_link *l)
{
    if (l->tls == NULL)
        return;
    /* Best effort: the end of a message is marked by HTTP itself. */
    if (SSL_is_init_finished(l->tls))
        (void)SSL_shutdown(l->tls);
    SSL_free(l->tls);
    l->tls = NULL;
    ERR_clear_error();
}

pp_res pp_http_link_handshake_(struct pp_http_link *l, int *ret_done)
{
    if (SSL_do_handshake(l->tls) == 1) {
        PP_CHECK(SSL_get_verify_result(l->tls) == X509_V_OK, PP_E_UNVERIFIED, 0);
        *ret_done = 1;
        return PP_OK;
    }
    if (!pp_tls_is_later_(l->tls)) {
        long why = SSL_get_verify_result(l->tls);
        return PP_FAIL(why != X509_V_OK ? PP_E_UNVERIFIED : PP_E_NETWORK, why);
    }
    *ret_done = 0;
    return PP_OK;
}

int pp_http_link_chose_two_(const struct pp_http_link *l)
{
    const unsigned char *name = NULL;
    unsigned int len = 0;

    SSL_get0_alpn_selected(l->tls, &name, &len);
    return pp_span_eq(pp_span(name, len), PP_STR("h2"));
}
