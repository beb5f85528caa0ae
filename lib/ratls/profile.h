/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.h: the TLS profile of pp-wire 5, as checks over handshake messages (RFC 8446, section 4).
 *
 * The TLS library does TLS; these say that what it negotiated, and what it accepted in silence, is
 * exactly our profile: one ClientHello for all clients, TLS_AES_256_GCM_SHA384, X25519, P-256 with
 * SHA-256, ALPN pp-ratls/1, and nothing else. Bytes in, verdict out; any thread.
 */
#ifndef PP_PROFILE_H
#define PP_PROFILE_H

#include "result.h"
#include "sign.h"
#include "span.h"

enum {
    PP_HELLO_BYTES = 160, /* the whole first record of a client */
    PP_TLS_RANDOM_BYTES = 32,
    PP_KEY_SHARE_BYTES = 32,
    PP_TLS_CERT_BYTES_MAX = 1024, /* our session certificate has about 300 */
};

/* HandshakeType (RFC 8446 4). */
enum pp_tls_handshake {
    PP_TLS_CLIENT_HELLO = 1,
    PP_TLS_SERVER_HELLO = 2,
    PP_TLS_NEW_SESSION_TICKET = 4,
    PP_TLS_ENCRYPTED_EXTENSIONS = 8,
    PP_TLS_CERTIFICATE = 11,
    PP_TLS_CERTIFICATE_REQUEST = 13,
    PP_TLS_CERTIFICATE_VERIFY = 15,
    PP_TLS_FINISHED = 20,
    PP_TLS_KEY_UPDATE = 24,
};

struct pp_hello {
    struct pp_span random;    /* 32 bytes, borrowed */
    struct pp_span key_share; /* 32 bytes, borrowed */
};

/* The record of pp-wire 5, byte for byte; only random and key share vary. TLS_SUITE. */
PP_MUST pp_res pp_hello_parse(struct pp_span record, struct pp_hello *ret);

/*
 * Each takes one handshake message without its four-byte head. Failures: TLS_RETRY (a
 * HelloRetryRequest), TLS_VERSION, TLS_SUITE, TLS_RESUMPTION (a pre-shared key), TLS_EARLY_DATA,
 * TLS_CERTIFICATE, TLS_ALERT (not even TLS).
 */
PP_MUST pp_res pp_tls_server_hello_check(struct pp_span body);
PP_MUST pp_res pp_tls_encrypted_extensions_check(struct pp_span body);

/* One certificate, without extensions of its entry; of the certificate the SPKI alone is read, and
 * that by the caller. */
PP_MUST pp_res pp_tls_certificate_check(struct pp_span body);
PP_MUST pp_res pp_tls_certificate_verify_check(struct pp_span body);

/* The code for a handshake message that the profile does not have at this place. */
PP_MUST pp_res pp_tls_unexpected(uint8_t type);

#endif
