/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS library, driven over memory. */
#include <stdlib.h>

#include "crypto.h"
#include "hash.h"
#include "ratls_int.h"
#include "x509.h"

static const char EXPORTER_LABEL[] = "EXPORTER-pp-attest-v1";
static const uint8_t ALPN[] = { 10, 'p', 'p', '-', 'r', 'a', 't', 'l', 's', '/', '1' };

static int select_alpn(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
                       const unsigned char *in, unsigned int in_len, void *arg)
{
    (void)ssl;
    (void)arg;
    if (in_len != sizeof ALPN || memcmp(in, ALPN, sizeof ALPN) != 0)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret = ALPN + 1;
    *ret_len = ALPN[0];
    return SSL_TLSEXT_ERR_OK;
}

static pp_res settings(SSL_CTX *c, enum pp_end end)
{
    /* Every list is named here, none is left to the library or to a file of the machine. */
    PP_CHECK(SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) == 1, PP_E_CRYPTO, 1);
    PP_CHECK(SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION) == 1, PP_E_CRYPTO, 2);
    PP_CHECK(SSL_CTX_set_ciphersuites(c, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256") == 1,
             PP_E_CRYPTO, 3);
    PP_CHECK(SSL_CTX_set1_groups_list(c, "X25519") == 1, PP_E_CRYPTO, 4);
    PP_CHECK(SSL_CTX_set1_sigalgs_list(c, "ECDSA+SHA256") == 1, PP_E_CRYPTO, 5);
    SSL_CTX_clear_options(c, SSL_OP_ENABLE_MIDDLEBOX_COMPAT | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL); /* trust comes from Evidence, never from a name */
    if (end == PP_END_CLIENT) {
        PP_CHECK(SSL_CTX_set_alpn_protos(c, ALPN, sizeof ALPN) == 0, PP_E_CRYPTO, 6);
        return PP_OK;
    }
    SSL_CTX_set_alpn_select_cb(c, select_alpn, NULL);
    PP_CHECK(SSL_CTX_set_max_early_data(c, 0) == 1, PP_E_CRYPTO, 7);
    PP_CHECK(SSL_CTX_set_num_tickets(c, 0) == 1, PP_E_CRYPTO, 8);
    return PP_OK;
}

pp_res pp_ratls_ctx_new(enum pp_end end, struct pp_ratls_ctx **ret)
{
    struct pp_ratls_ctx *ctx = calloc(1, sizeof *ctx);

    PP_CHECK(ctx != NULL, PP_E_NO_MEMORY, sizeof *ctx);
    ctx->end = end;
    ctx->ssl = SSL_CTX_new(end == PP_END_CLIENT ? TLS_client_method() : TLS_server_method());
    pp_res r = ctx->ssl == NULL ? PP_FAIL(PP_E_CRYPTO, 0) : settings(ctx->ssl, end);
    if (pp_is_ok(r) && end == PP_END_SERVER)
        r = pp_x509_maker_new(&ctx->certificates);
    if (!pp_is_ok(r)) {
        pp_ratls_ctx_free(ctx);
        pp_crypto_forget_errors();
        return r;
    }
    *ret = ctx;
    return PP_OK;
}

void pp_ratls_ctx_free(struct pp_ratls_ctx *ctx)
{
    if (ctx == NULL)
        return;
    pp_x509_maker_free(ctx->certificates);
    SSL_CTX_free(ctx->ssl);
    free(ctx);
}

pp_res pp_tls_init(struct pp_tls *t, struct pp_ratls_ctx *ctx)
{
    struct pp_tls new = { .ssl = SSL_new(ctx->ssl),
                          .in = BIO_new(BIO_s_mem()),
                          .out = BIO_new(BIO_s_mem()) };

    if (new.ssl == NULL || new.in == NULL || new.out == NULL) {
        BIO_free(new.in);
        BIO_free(new.out);
        SSL_free(new.ssl);
        pp_crypto_forget_errors();
        return PP_FAIL(PP_E_NO_MEMORY, 0);
    }
    SSL_set_bio(new.ssl, new.in, new.out); /* they are the SSL's now */
    if (ctx->end == PP_END_CLIENT)
        SSL_set_connect_state(new.ssl);
    else
        SSL_set_accept_state(new.ssl);
    *t = new;
    return PP_OK;
}

void pp_tls_done(struct pp_tls *t)
{
    SSL_free(t->ssl);
    *t = (struct pp_tls){ 0 };
}

pp_res pp_tls_put(struct pp_tls *t, struct pp_span in)
{
    size_t waiting = BIO_ctrl_pending(t->in);

    PP_CHECK(in.len <= PP_RATLS_FEED_BYTES_MAX && waiting <= PP_RATLS_FEED_BYTES_MAX - in.len,
             PP_E_LIMIT, in.len);
    if (in.len == 0)
        return PP_OK;
    PP_CHECK(BIO_write(t->in, in.at, (int)in.len) == (int)in.len, PP_E_NO_MEMORY, in.len);
    return PP_OK;
}

size_t pp_tls_pending(const struct pp_tls *t)
{
    return t->out == NULL ? 0 : BIO_ctrl_pending(t->out);
}

/*
 * A memory BIO never gives back what it grew to. A server with a thousand waiting sessions would
 * keep a thousand first flights; so an emptied buffer is replaced by a new one.
 */
static void drop_buffer(struct pp_tls *t)
{
    BIO *empty = BIO_new(BIO_s_mem());

    if (empty == NULL)
        return;
    SSL_set0_wbio(t->ssl, empty); /* frees the old one */
    t->out = empty;
}

pp_res pp_tls_take(struct pp_tls *t, struct pp_wr *out)
{
    size_t pending = pp_tls_pending(t);
    size_t room = out->cap - out->len;
    size_t n = pending < room ? pending : room;

    if (n == 0)
        return PP_OK;
    uint8_t *to = pp_wr_reserve(out, n);
    PP_TRY(pp_wr_ok(out));
    PP_CHECK(BIO_read(t->out, to, (int)n) == (int)n, PP_E_CRYPTO, n);
    if (n == pending)
        drop_buffer(t);
    return PP_OK;
}

static enum pp_tls_step step_of(struct pp_tls *t, int returned)
{
    if (returned > 0)
        return PP_TLS_DONE;
    switch (SSL_get_error(t->ssl, returned)) {
    case SSL_ERROR_WANT_READ:
        return PP_TLS_WANT;
    case SSL_ERROR_ZERO_RETURN:
        return PP_TLS_CLOSED;
    default:
        pp_crypto_forget_errors();
        return PP_TLS_FAILED;
    }
}

enum pp_tls_step pp_tls_handshake(struct pp_tls *t)
{
    pp_crypto_forget_errors();
    return step_of(t, SSL_do_handshake(t->ssl));
}

enum pp_tls_step pp_tls_read(struct pp_tls *t, uint8_t *ret, size_t cap, size_t *ret_len)
{
    pp_crypto_forget_errors();
    return step_of(t, SSL_read_ex(t->ssl, ret, cap, ret_len));
}

pp_res pp_tls_write(struct pp_tls *t, struct pp_span bytes)
{
    size_t written = 0;

    pp_crypto_forget_errors();
    int ok = SSL_write_ex(t->ssl, bytes.at, bytes.len, &written);
    pp_crypto_forget_errors();
    PP_CHECK(ok == 1 && written == bytes.len, PP_E_CRYPTO, written);
    return PP_OK;
}

pp_res pp_tls_export(struct pp_tls *t, uint8_t ret_ekm[PP_EKM_BYTES])
{
    uint8_t randoms[2 * PP_TLS_RANDOM_BYTES];
    uint8_t context[PP_SHA256_BYTES];

    PP_CHECK(SSL_get_client_random(t->ssl, randoms, PP_TLS_RANDOM_BYTES) == PP_TLS_RANDOM_BYTES,
             PP_E_CRYPTO, 1);
    PP_CHECK(SSL_get_server_random(t->ssl, randoms + PP_TLS_RANDOM_BYTES, PP_TLS_RANDOM_BYTES) ==
                 PP_TLS_RANDOM_BYTES,
             PP_E_CRYPTO, 2);
    pp_sha256(PP_BYTES(randoms), context);
    /* Any value but 1 leaves the buffer alone (pp-wire 5, "Server side"): never go on then. */
    int returned = SSL_export_keying_material(t->ssl, ret_ekm, PP_EKM_BYTES, EXPORTER_LABEL,
                                              sizeof EXPORTER_LABEL - 1, context, sizeof context,
                                              1);
    pp_crypto_forget_errors();
    PP_CHECK(returned == 1, PP_E_CRYPTO, 3);
    return PP_OK;
}

pp_res pp_tls_spki(const X509 *cert, uint8_t ret_spki[PP_P256_SPKI_BYTES])
{
    /* SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING { 04 || X || Y } } */
    static const uint8_t HEAD[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04 };
    const X509_PUBKEY *key = cert == NULL ? NULL : X509_get_X509_PUBKEY(cert);
    uint8_t spki[PP_P256_SPKI_BYTES];
    unsigned char *at = spki;

    PP_CHECK(key != NULL, PP_E_TLS_CERTIFICATE, 0);
    int len = i2d_X509_PUBKEY(key, NULL);
    /* A compressed point makes a shorter SPKI; it has no place in the binding. */
    PP_CHECK(len == PP_P256_SPKI_BYTES, PP_E_TLS_CERTIFICATE, len);
    PP_CHECK(i2d_X509_PUBKEY(key, &at) == len, PP_E_TLS_CERTIFICATE, 1);
    PP_CHECK(memcmp(spki, HEAD, sizeof HEAD) == 0, PP_E_TLS_CERTIFICATE, 2);
    memcpy(ret_spki, spki, sizeof spki);
    return PP_OK;
}

static pp_res head_known(struct pp_gather *g)
{
    struct pp_rd rd = pp_rd_over(g->head, sizeof g->head);
    uint8_t type = pp_rd_u8(&rd);
    size_t len = pp_rd_u32(&rd);

    PP_TRY(pp_rd_end(&rd));
    PP_CHECK(type == g->want, PP_E_MESSAGE_ORDER, type);
    PP_CHECK(len <= g->cap, PP_E_LIMIT, len);
    g->body_len = len;
    return PP_OK;
}

pp_res pp_gather_read(struct pp_gather *g, struct pp_tls *t, int *ret_whole)
{
    for (;;) {
        int in_head = g->have < PP_MESSAGE_HEAD_BYTES;
        size_t at = in_head ? g->have : g->have - PP_MESSAGE_HEAD_BYTES;
        size_t want = (in_head ? PP_MESSAGE_HEAD_BYTES : g->body_len) - at;
        size_t got = 0;

        if (!in_head && want == 0) {
            *ret_whole = 1;
            return PP_OK;
        }
        switch (pp_tls_read(t, (in_head ? g->head : g->body) + at, want, &got)) {
        case PP_TLS_WANT:
            *ret_whole = 0;
            return PP_OK;
        case PP_TLS_CLOSED:
            return PP_FAIL(PP_E_CLOSED, 0);
        case PP_TLS_FAILED:
            return PP_FAIL(PP_E_TLS_ALERT, 0);
        case PP_TLS_DONE:
            break;
        }
        g->have += got;
        if (g->have == PP_MESSAGE_HEAD_BYTES)
            PP_TRY(head_known(g));
    }
}
