/* SPDX-License-Identifier: Apache-2.0 */
/* bent.h: a plain OpenSSL endpoint that a test sets up wrongly. */
#ifndef PP_RATLS_BENT_H
#define PP_RATLS_BENT_H

#include "pair.h"
#include "sign.h"
#include "x509.h"

struct bent {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in, *out;
};

static inline int bent_alpn(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
                            const unsigned char *in, unsigned in_len, void *arg)
{
    (void)ssl;
    (void)in;
    (void)in_len;
    *ret = arg;
    *ret_len = 10;
    return SSL_TLSEXT_ERR_OK;
}

/* A server context that does what ours does; the test then changes one thing. */
static inline void bent_server_ctx(struct bent *b, struct pp_ec_key **ret_key)
{
    static char alpn[] = "pp-ratls/1";
    uint8_t cert[PP_TLS_CERT_BYTES_MAX];
    size_t cert_len = 0;
    PP_AUTO(pp_secret) der = { 0 };

    b->ctx = SSL_CTX_new(TLS_server_method());
    assert_non_null(b->ctx);
    SSL_CTX_set_ciphersuites(b->ctx, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256");
    SSL_CTX_clear_options(b->ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    SSL_CTX_set_num_tickets(b->ctx, 0);
    SSL_CTX_set_alpn_select_cb(b->ctx, bent_alpn, alpn);
    assert_ok(pp_ec_key_generate(PP_P256, ret_key));
    assert_ok(pp_x509_make_session(*ret_key, cert, sizeof cert, &cert_len));
    assert_ok(pp_ec_key_export_der(*ret_key, &der));
    assert_int_equal(SSL_CTX_use_certificate_ASN1(b->ctx, (int)cert_len, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_ASN1(EVP_PKEY_EC, b->ctx, der.bytes, (long)der.len), 1);
}

static inline void bent_start(struct bent *b)
{
    b->ssl = SSL_new(b->ctx);
    b->in = BIO_new(BIO_s_mem());
    b->out = BIO_new(BIO_s_mem());
    assert_non_null(b->ssl);
    SSL_set_bio(b->ssl, b->in, b->out);
}

static inline void bent_put(struct bent *b, const void *bytes, size_t len)
{
    assert_int_equal(BIO_write(b->in, bytes, (int)len), (int)len);
}

static inline size_t bent_take(struct bent *b, uint8_t *buf, size_t cap)
{
    int n = BIO_read(b->out, buf, (int)cap);

    return n > 0 ? (size_t)n : 0;
}

static inline void bent_done(struct bent *b)
{
    SSL_free(b->ssl);
    SSL_CTX_free(b->ctx);
    *b = (struct bent){ 0 };
}

#endif
