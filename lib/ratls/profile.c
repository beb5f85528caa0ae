/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

#include "rd.h"

enum {
    TLS12 = 0x0303, /* legacy_version of TLS 1.3 */
    TLS13 = 0x0304,
    AES_256_GCM_SHA384 = 0x1302,
    GROUP_X25519 = 0x001d,
    ECDSA_SECP256R1_SHA256 = 0x0403,
};

enum {
    EXT_ALPN = 16,
    EXT_PRE_SHARED_KEY = 41,
    EXT_EARLY_DATA = 42,
    EXT_SUPPORTED_VERSIONS = 43,
    EXT_KEY_SHARE = 51,
};

/* Record and handshake heads, legacy version. */
static const uint8_t HELLO_BEFORE_RANDOM[] = { 0x16, 0x03, 0x01, 0x00, 0x9b, 0x01,
                                               0x00, 0x00, 0x97, 0x03, 0x03 };

/* clang-format off */
static const uint8_t HELLO_BEFORE_SHARE[] = {
    0x00,                                           /* no session id */
    0x00, 0x06, 0x13, 0x02, 0x13, 0x01, 0x00, 0xff, /* suites, and the renegotiation signal */
    0x01, 0x00,                                     /* no compression */
    0x00, 0x68,                                     /* extensions */
    0x00, 0x0b, 0x00, 0x04, 0x03, 0x00, 0x01, 0x02, /* point formats */
    0x00, 0x0a, 0x00, 0x04, 0x00, 0x02, 0x00, 0x1d, /* groups: X25519 */
    0x00, 0x10, 0x00, 0x0d, 0x00, 0x0b, 0x0a,       /* ALPN */
    'p', 'p', '-', 'r', 'a', 't', 'l', 's', '/', '1',
    0x00, 0x16, 0x00, 0x00,                         /* encrypt-then-MAC, as OpenSSL sends it */
    0x00, 0x17, 0x00, 0x00,                         /* extended master secret, likewise */
    0x00, 0x0d, 0x00, 0x04, 0x00, 0x02, 0x04, 0x03, /* signatures: ecdsa_secp256r1_sha256 */
    0x00, 0x2b, 0x00, 0x03, 0x02, 0x03, 0x04,       /* versions: TLS 1.3 */
    0x00, 0x2d, 0x00, 0x02, 0x01, 0x01,             /* PSK modes, as OpenSSL sends it */
    0x00, 0x33, 0x00, 0x26, 0x00, 0x24, 0x00, 0x1d, 0x00, 0x20, /* one key share */
};
/* clang-format on */

_Static_assert(sizeof HELLO_BEFORE_RANDOM + PP_TLS_RANDOM_BYTES + sizeof HELLO_BEFORE_SHARE +
                       PP_KEY_SHARE_BYTES ==
                   PP_HELLO_BYTES,
               "the golden ClientHello has one length");

pp_res pp_hello_parse(struct pp_span record, struct pp_hello *ret)
{
    struct pp_rd rd = pp_rd_span(record);

    PP_CHECK(record.len == PP_HELLO_BYTES, PP_E_TLS_SUITE, record.len);
    struct pp_span before_random = pp_rd_bytes(&rd, sizeof HELLO_BEFORE_RANDOM);
    struct pp_hello h = { .random = pp_rd_bytes(&rd, PP_TLS_RANDOM_BYTES) };
    struct pp_span before_share = pp_rd_bytes(&rd, sizeof HELLO_BEFORE_SHARE);
    h.key_share = pp_rd_bytes(&rd, PP_KEY_SHARE_BYTES);
    PP_TRY(pp_rd_end(&rd));
    PP_CHECK(pp_span_eq(before_random, PP_BYTES(HELLO_BEFORE_RANDOM)), PP_E_TLS_SUITE, 0);
    PP_CHECK(pp_span_eq(before_share, PP_BYTES(HELLO_BEFORE_SHARE)), PP_E_TLS_SUITE, 1);
    *ret = h;
    return PP_OK;
}

/* SHA-256("HelloRetryRequest"): a ServerHello with this random is one (RFC 8446 4.1.3). */
static const uint8_t RETRY_RANDOM[PP_TLS_RANDOM_BYTES] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c
};

struct server_extensions {
    int version, share, other, psk;
    uint16_t version_value;
    struct pp_span share_value;
};

static pp_res server_extensions_read(struct pp_rd *rd, struct server_extensions *x)
{
    while (rd->left > 0) {
        uint16_t type = pp_rd_u16(rd);
        struct pp_rd value = pp_rd_block16(rd);
        PP_TRY_AS(PP_E_TLS_ALERT, pp_rd_ok(rd));
        if (type == EXT_SUPPORTED_VERSIONS) {
            x->version++;
            x->version_value = pp_rd_u16(&value);
            PP_TRY_AS(PP_E_TLS_ALERT, pp_rd_end(&value));
        } else if (type == EXT_KEY_SHARE) {
            x->share++;
            x->share_value = pp_rd_rest(&value);
        } else if (type == EXT_PRE_SHARED_KEY) {
            x->psk++;
        } else {
            x->other++;
        }
    }
    return PP_OK;
}

static pp_res key_share_check(struct pp_span value)
{
    struct pp_rd rd = pp_rd_span(value);
    uint16_t group = pp_rd_u16(&rd);
    struct pp_rd key = pp_rd_block16(&rd);

    PP_TRY_AS(PP_E_TLS_SUITE, pp_rd_end(&rd));
    PP_CHECK(group == GROUP_X25519, PP_E_TLS_SUITE, group);
    PP_CHECK(key.left == PP_KEY_SHARE_BYTES, PP_E_TLS_SUITE, key.left);
    return PP_OK;
}

/* RFC 8446 4.1.3; what we offered leaves exactly one right answer. */
pp_res pp_tls_server_hello_check(struct pp_span body)
{
    struct pp_rd rd = pp_rd_span(body);
    struct server_extensions x = { 0 };

    uint16_t legacy_version = pp_rd_u16(&rd);
    struct pp_span random = pp_rd_bytes(&rd, PP_TLS_RANDOM_BYTES);
    struct pp_rd session_id = pp_rd_block8(&rd);
    uint16_t suite = pp_rd_u16(&rd);
    uint8_t compression = pp_rd_u8(&rd);
    PP_TRY_AS(PP_E_TLS_ALERT, pp_rd_ok(&rd));
    PP_CHECK(legacy_version == TLS12, PP_E_TLS_VERSION, legacy_version);
    PP_CHECK(!pp_span_eq(random, PP_BYTES(RETRY_RANDOM)), PP_E_TLS_RETRY, 0);
    PP_CHECK(rd.left > 0, PP_E_TLS_VERSION, 0); /* a TLS 1.2 ServerHello may end here */

    struct pp_rd extensions = pp_rd_block16(&rd);
    PP_TRY_AS(PP_E_TLS_ALERT, pp_rd_end(&rd));
    PP_TRY(server_extensions_read(&extensions, &x));
    PP_CHECK(x.version == 1 && x.version_value == TLS13, PP_E_TLS_VERSION, x.version_value);
    PP_CHECK(x.psk == 0, PP_E_TLS_RESUMPTION, 0);
    PP_CHECK(suite == AES_256_GCM_SHA384, PP_E_TLS_SUITE, suite);
    PP_CHECK(session_id.left == 0, PP_E_TLS_SUITE, session_id.left);
    PP_CHECK(compression == 0, PP_E_TLS_SUITE, compression);
    PP_CHECK(x.share == 1 && x.other == 0, PP_E_TLS_SUITE, x.other);
    return key_share_check(x.share_value);
}

static pp_res alpn_check(struct pp_span value)
{
    static const uint8_t ONLY[] = { 0, 11, 10, 'p', 'p', '-', 'r', 'a', 't', 'l', 's', '/', '1' };

    PP_CHECK(pp_span_eq(value, PP_BYTES(ONLY)), PP_E_TLS_SUITE, value.len);
    return PP_OK;
}

/* RFC 8446 4.3.1. Of all that a server may say here, ours says its ALPN choice. */
pp_res pp_tls_encrypted_extensions_check(struct pp_span body)
{
    struct pp_rd rd = pp_rd_span(body);
    struct pp_rd extensions = pp_rd_block16(&rd);
    size_t alpn = 0;

    PP_TRY_AS(PP_E_TLS_ALERT, pp_rd_end(&rd));
    while (extensions.left > 0) {
        uint16_t type = pp_rd_u16(&extensions);
        struct pp_rd value = pp_rd_block16(&extensions);
        PP_TRY_AS(PP_E_TLS_ALERT, pp_rd_ok(&extensions));
        PP_CHECK(type != EXT_EARLY_DATA, PP_E_TLS_EARLY_DATA, type);
        PP_CHECK(type == EXT_ALPN, PP_E_TLS_SUITE, type);
        PP_TRY(alpn_check(pp_rd_rest(&value)));
        alpn++;
    }
    PP_CHECK(alpn == 1, PP_E_TLS_SUITE, alpn);
    return PP_OK;
}

/* RFC 8446 4.4.2. */
pp_res pp_tls_certificate_check(struct pp_span body)
{
    struct pp_rd rd = pp_rd_span(body);
    struct pp_rd context = pp_rd_block8(&rd);
    struct pp_rd list = pp_rd_block24(&rd);

    PP_TRY_AS(PP_E_TLS_CERTIFICATE, pp_rd_end(&rd));
    PP_CHECK(context.left == 0, PP_E_TLS_CERTIFICATE, context.left);
    struct pp_rd cert = pp_rd_block24(&list);
    struct pp_rd extensions = pp_rd_block16(&list);
    PP_TRY_AS(PP_E_TLS_CERTIFICATE, pp_rd_end(&list)); /* a second certificate is trailing bytes */
    PP_CHECK(extensions.left == 0, PP_E_TLS_CERTIFICATE, extensions.left);
    PP_CHECK(cert.left <= PP_TLS_CERT_BYTES_MAX, PP_E_TLS_CERTIFICATE, cert.left);
    return PP_OK;
}

/* RFC 8446 4.4.3; the signature itself is the TLS library's to verify. */
pp_res pp_tls_certificate_verify_check(struct pp_span body)
{
    struct pp_rd rd = pp_rd_span(body);
    uint16_t algorithm = pp_rd_u16(&rd);
    struct pp_rd signature = pp_rd_block16(&rd);

    (void)signature;
    PP_TRY_AS(PP_E_TLS_ALERT, pp_rd_end(&rd));
    PP_CHECK(algorithm == ECDSA_SECP256R1_SHA256, PP_E_TLS_SUITE, algorithm);
    return PP_OK;
}

pp_res pp_tls_unexpected(uint8_t type)
{
    if (type == PP_TLS_NEW_SESSION_TICKET)
        return PP_FAIL(PP_E_TLS_RESUMPTION, type);
    return PP_FAIL(PP_E_TLS_MESSAGE, type);
}
