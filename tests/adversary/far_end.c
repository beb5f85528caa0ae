/* SPDX-License-Identifier: Apache-2.0 */
#include "far_end.h"

#include <openssl/ssl.h>
#include <stdlib.h>

#include "hash.h"
#include "x509.h"

static const char LABEL[] = "EXPORTER-pp-attest-v1";

struct far_end {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in, *out;
    struct pp_ec_key *key; /* borrowed */
};

static int select_alpn(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
                       const unsigned char *in, unsigned int in_len, void *arg)
{
    (void)ssl;
    (void)arg;
    if (in_len < 2 || in[0] >= in_len)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret = in + 1;
    *ret_len = in[0];
    return SSL_TLSEXT_ERR_OK;
}

static pp_res set_up(struct far_end *e)
{
    uint8_t cert[PP_TLS_CERT_BYTES_MAX];
    size_t cert_len;

    e->ctx = SSL_CTX_new(TLS_server_method());
    PP_CHECK(e->ctx != NULL, PP_E_CRYPTO, 0);
    PP_TRY(pp_x509_make_session(e->key, cert, sizeof cert, &cert_len));
    int ok = SSL_CTX_set_min_proto_version(e->ctx, TLS1_3_VERSION) == 1 &&
             SSL_CTX_set1_groups_list(e->ctx, "X25519") == 1 &&
             SSL_CTX_set_num_tickets(e->ctx, 0) == 1 &&
             SSL_CTX_use_certificate_ASN1(e->ctx, (int)cert_len, cert) == 1 &&
             SSL_CTX_use_PrivateKey(e->ctx, pp_ec_key_evp(e->key)) == 1;
    PP_CHECK(ok, PP_E_CRYPTO, 1);
    SSL_CTX_clear_options(e->ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_options(e->ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_alpn_select_cb(e->ctx, select_alpn, NULL);
    e->ssl = SSL_new(e->ctx);
    e->in = BIO_new(BIO_s_mem());
    e->out = BIO_new(BIO_s_mem());
    PP_CHECK(e->ssl != NULL && e->in != NULL && e->out != NULL, PP_E_NO_MEMORY, 0);
    SSL_set_bio(e->ssl, e->in, e->out);
    SSL_set_accept_state(e->ssl);
    return PP_OK;
}

pp_res far_end_new(struct pp_ec_key *key, struct far_end **ret)
{
    struct far_end *e = calloc(1, sizeof *e);

    PP_CHECK(e != NULL, PP_E_NO_MEMORY, 0);
    e->key = key;
    pp_res r = set_up(e);
    if (!pp_is_ok(r)) {
        far_end_free(e);
        return r;
    }
    *ret = e;
    return PP_OK;
}

void far_end_free(struct far_end *e)
{
    if (e == NULL)
        return;
    if (e->ssl == NULL) {
        BIO_free(e->in);
        BIO_free(e->out);
    }
    SSL_free(e->ssl);
    SSL_CTX_free(e->ctx);
    free(e);
}

pp_res far_end_hello(struct far_end *e, struct pp_span client_hello, struct pp_ratls_session *ret)
{
    uint8_t randoms[64], context[PP_SHA256_BYTES];
    size_t got = 0, spki_len = 0;

    PP_CHECK(BIO_write(e->in, client_hello.at, (int)client_hello.len) == (int)client_hello.len,
             PP_E_NO_MEMORY, 0);
    PP_CHECK(SSL_read_early_data(e->ssl, randoms, sizeof randoms, &got) ==
                 SSL_READ_EARLY_DATA_FINISH,
             PP_E_TLS_ALERT, 0);
    PP_CHECK(SSL_get_client_random(e->ssl, randoms, 32) == 32, PP_E_CRYPTO, 0);
    PP_CHECK(SSL_get_server_random(e->ssl, randoms + 32, 32) == 32, PP_E_CRYPTO, 1);
    pp_sha256(PP_BYTES(randoms), context);
    PP_CHECK(SSL_export_keying_material(e->ssl, ret->ekm, sizeof ret->ekm, LABEL, sizeof LABEL - 1,
                                        context, sizeof context, 1) == 1,
             PP_E_CRYPTO, 2);
    PP_TRY(pp_ec_key_spki(e->key, ret->spki, sizeof ret->spki, &spki_len));
    PP_CHECK(spki_len == sizeof ret->spki, PP_E_KEY, spki_len);
    return PP_OK;
}

pp_res far_end_write(struct far_end *e, struct pp_span bytes)
{
    size_t written = 0;

    PP_CHECK(SSL_write_early_data(e->ssl, bytes.at, bytes.len, &written) == 1 &&
                 written == bytes.len,
             PP_E_CRYPTO, written);
    return PP_OK;
}

pp_res far_end_take(struct far_end *e, struct pp_wr *wr)
{
    size_t pending = BIO_ctrl_pending(e->out);
    uint8_t *to = pp_wr_reserve(wr, pending);

    PP_TRY(pp_wr_ok(wr));
    PP_CHECK(pending == 0 || BIO_read(e->out, to, (int)pending) == (int)pending, PP_E_CRYPTO, 0);
    return PP_OK;
}

/* SHA-256("HelloRetryRequest"): the random that makes a ServerHello a HelloRetryRequest. */
static void retry_random(uint8_t ret[32])
{
    pp_sha256(PP_STR("HelloRetryRequest"), ret);
}

static void forge_extensions(enum far_end_forgery what, const uint8_t share[32], struct pp_wr *wr)
{
    size_t all = pp_wr_block16_begin(wr);

    pp_wr_u16(wr, 43); /* supported_versions: TLS 1.3 */
    pp_wr_u16(wr, 2);
    pp_wr_u16(wr, 0x0304);
    if (what == FAR_END_RETRY) {
        pp_wr_u16(wr, 44); /* cookie */
        size_t cookie = pp_wr_block16_begin(wr);
        pp_wr_u16(wr, 4);
        pp_wr_text(wr, "cook");
        pp_wr_block16_end(wr, cookie);
    } else {
        pp_wr_u16(wr, 51); /* key_share: X25519 */
        pp_wr_u16(wr, 36);
        pp_wr_u16(wr, 0x001d);
        pp_wr_u16(wr, 32);
        pp_wr_bytes(wr, share, 32);
        pp_wr_u16(wr, 41); /* pre_shared_key: identity 0, of those that nobody offered */
        pp_wr_u16(wr, 2);
        pp_wr_u16(wr, 0);
    }
    pp_wr_block16_end(wr, all);
}

pp_res far_end_forge(enum far_end_forgery what, const struct pp_random *random, struct pp_wr *wr)
{
    uint8_t hello_random[32], share[32];

    PP_TRY(pp_random_fill(random, hello_random, sizeof hello_random));
    PP_TRY(pp_random_fill(random, share, sizeof share));
    if (what == FAR_END_RETRY)
        retry_random(hello_random);
    pp_wr_u8(wr, 22); /* handshake record */
    pp_wr_u16(wr, 0x0303);
    size_t record = pp_wr_block16_begin(wr);
    pp_wr_u8(wr, 2); /* ServerHello */
    size_t body = pp_wr_block24_begin(wr);
    pp_wr_u16(wr, 0x0303);
    pp_wr_bytes(wr, hello_random, sizeof hello_random);
    pp_wr_u8(wr, 0); /* session id */
    pp_wr_u16(wr, what == FAR_END_TLS12 ? 0xC02B : 0x1302);
    pp_wr_u8(wr, 0);
    if (what != FAR_END_TLS12)
        forge_extensions(what, share, wr);
    pp_wr_block24_end(wr, body);
    pp_wr_block16_end(wr, record);
    return pp_wr_ok(wr);
}
