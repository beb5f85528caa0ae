/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session certificate. Everything in it but the point and the signature is constant, so it is a
 * template rather than a build through OpenSSL's objects: one is made for every session.
 */
#include "x509.h"

#include "wr.h"

enum { DER_SEQUENCE = 0x30, DER_BIT_STRING = 0x03, DER_LONG_1 = 0x81, TBS_BYTES = 178 };

/* TBSCertificate up to the SubjectPublicKeyInfo (RFC 5280, 4.1). */
static const uint8_t TBS_HEAD[] = {
    0x30, 0x81, 0xaf,                                                       /* TBSCertificate */
    0xa0, 0x03, 0x02, 0x01, 0x02,                                           /* version 3 */
    0x02, 0x01, 0x01,                                                       /* serial 1 */
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, /* ecdsa-with-SHA256 */
    0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x03,       /* issuer CN */
    0x0c, 0x02, 'p',  'p',                                                  /* ..."pp" */
    0x30, 0x20, 0x17, 0x0d, '0',  '0',  '0',  '1',  '0',  '1',  '0',  '0',
    '0',  '0',  '0',  '0',  'Z',  0x18, 0x0f, '9',  '9',  '9',  '9',  '1',
    '2',  '3',  '1',  '2',  '3',  '5',  '9',  '5',  '9',  'Z',        /* validity */
    0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x03, /* subject CN */
    0x0c, 0x02, 'p',  'p',                                            /* ..."pp" */
};

static const uint8_t ECDSA_SHA256[] = {
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
};

pp_res pp_x509_make_session(const struct pp_ec_key *key, uint8_t *ret_der, size_t cap,
                            size_t *ret_len)
{
    uint8_t tbs[sizeof TBS_HEAD + PP_P256_SPKI_BYTES];
    uint8_t signature[PP_ECDSA_DER_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(tbs, sizeof tbs);
    size_t len;

    _Static_assert(sizeof tbs == TBS_BYTES, "the length byte of TBS_HEAD says so");
    PP_CHECK(pp_ec_key_curve(key) == PP_P256, PP_E_KEY, 0);
    pp_wr_span(&wr, PP_BYTES(TBS_HEAD));
    PP_TRY(pp_ec_key_spki(key, tbs + sizeof TBS_HEAD, PP_P256_SPKI_BYTES, &len));
    PP_ASSERT(len == PP_P256_SPKI_BYTES);
    PP_TRY(pp_ec_sign(key, PP_SHA256, PP_BYTES(tbs), signature, sizeof signature, &len));

    wr = pp_wr_over(ret_der, cap);
    pp_wr_u8(&wr, DER_SEQUENCE);
    pp_wr_u8(&wr, DER_LONG_1 + 1);
    size_t outer = pp_wr_block16_begin(&wr);
    pp_wr_span(&wr, PP_BYTES(tbs));
    pp_wr_span(&wr, PP_BYTES(ECDSA_SHA256));
    pp_wr_u8(&wr, DER_BIT_STRING);
    size_t bits = pp_wr_block8_begin(&wr);
    pp_wr_u8(&wr, 0); /* no unused bits */
    pp_wr_bytes(&wr, signature, len);
    pp_wr_block8_end(&wr, bits);
    pp_wr_block16_end(&wr, outer);
    PP_TRY(pp_wr_ok(&wr));
    /* Two length bytes are the shortest form from 256 on. A signature with eight leading zero bytes
     * would fall below, once in 2^60 keys: that key gets no certificate. */
    PP_CHECK(wr.len >= 4 + 256, PP_E_CRYPTO, wr.len);
    *ret_len = wr.len;
    return PP_OK;
}
