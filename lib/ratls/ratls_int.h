/* SPDX-License-Identifier: Apache-2.0 */
/* ratls_int.h: what client and server share, and what tests bend. */
#ifndef PP_RATLS_INT_H
#define PP_RATLS_INT_H

#include <openssl/ssl.h>

#include "message.h"
#include "ratls.h"

struct pp_ratls_ctx {
    SSL_CTX *ssl;
    enum pp_end end;
    struct pp_x509_maker *certificates; /* of a server; else NULL */
};

/* A TLS endpoint over two memory buffers, which belong to `ssl`. */
struct pp_tls {
    SSL *ssl;
    BIO *in, *out;
};

PP_MUST pp_res pp_tls_init(struct pp_tls *t, struct pp_ratls_ctx *ctx);
void pp_tls_done(struct pp_tls *t); /* frees; the library wipes its keys. Twice is fine */

/* Hands bytes to the library. LIMIT (more than PP_RATLS_FEED_BYTES_MAX wait), NO_MEMORY. */
PP_MUST pp_res pp_tls_put(struct pp_tls *t, struct pp_span in);
size_t pp_tls_pending(const struct pp_tls *t); /* bytes for the far end */
PP_MUST pp_res pp_tls_take(struct pp_tls *t, struct pp_wr *out);

/*
 * One step of the library: its return value and what became of it. WANT: more bytes are needed.
 * CLOSED: close_notify. FAILED: everything else.
 */
enum pp_tls_step { PP_TLS_DONE, PP_TLS_WANT, PP_TLS_CLOSED, PP_TLS_FAILED };

enum pp_tls_step pp_tls_handshake(struct pp_tls *t);
enum pp_tls_step pp_tls_read(struct pp_tls *t, uint8_t *ret, size_t cap, size_t *ret_len);

/* Writes all in one call of the library: full records, then the rest. */
PP_MUST pp_res pp_tls_write(struct pp_tls *t, struct pp_span bytes);

/* The exporter value of ra-tls 5, over both randoms. CRYPTO unless the library returned 1. */
PP_MUST pp_res pp_tls_export(struct pp_tls *t, uint8_t ret_ekm[PP_EKM_BYTES]);

/* The DER SubjectPublicKeyInfo of a certificate that the library holds: the very key with which it
 * makes or checks CertificateVerify. TLS_CERTIFICATE unless P-256, uncompressed. */
PP_MUST pp_res pp_tls_spki(const X509 *cert, uint8_t ret_spki[PP_P256_SPKI_BYTES]);

/*
 * One message of a known longest length, gathered from reads of any size. `cap` is the room for the
 * body; the head is kept apart.
 */
struct pp_gather {
    enum pp_message_type want;
    uint8_t head[PP_MESSAGE_HEAD_BYTES];
    size_t have; /* bytes of head and body */
    uint8_t *body;
    size_t cap;
    size_t body_len; /* known once the head is complete */
};

/*
 * Reads from `t` until the message is whole or bytes run out. MESSAGE_ORDER (another type; detail
 * is the type), LIMIT (longer than cap; detail is the length), CLOSED, TLS_ALERT. `*ret_whole` is 1
 * when it is complete; nothing behind it has been read then.
 */
PP_MUST pp_res pp_gather_read(struct pp_gather *g, struct pp_tls *t, int *ret_whole);

/* A server session whose ClientHello is not compared with the golden one, and whose key is given:
 * the tests' way to reach what lies behind that check. `key_der` empty: a new key. */
PP_MUST pp_res pp_ratls_server_new_bent(struct pp_ratls_ctx *ctx, const struct pp_random *random,
                                        int any_hello, struct pp_span key_der,
                                        struct pp_ratls_server **ret);

#endif
