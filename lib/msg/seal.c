/* SPDX-License-Identifier: Apache-2.0 */
#include "seal.h"

#include "ct.h"
#include "rd.h"

enum { SEAL_VERSION = 1, RESPONSE_SECRET_BYTES = 32, RESPONSE_KEY_BYTES = 32 };

static const char INFO_LABEL[] = "pp-seal-v1"; /* its final NUL is the 00 of the format */

void pp_seal_done(struct pp_seal *s)
{
    pp_hpke_done(&s->ctx);
    pp_wipe(s, sizeof *s);
}

size_t pp_sealed_request_extra(uint16_t kem)
{
    const struct pp_kem_info *k = pp_kem_info(kem);

    return k == NULL ? 0 : 1 + k->enc_len + PP_AEAD_TAG_BYTES;
}

static pp_res info_of(struct pp_hpke_info *i, uint16_t kem, const uint8_t *binding)
{
    uint8_t info[sizeof INFO_LABEL + PP_BINDING_BYTES];
    struct pp_wr wr = pp_wr_over(info, sizeof info);
    struct pp_hpke_suite suite = { .kem = kem, .kdf = PP_HKDF_SHA256, .aead = PP_AES_256_GCM };

    pp_wr_bytes(&wr, INFO_LABEL, sizeof INFO_LABEL);
    pp_wr_bytes(&wr, binding, PP_BINDING_BYTES);
    PP_TRY(pp_wr_ok(&wr));
    return pp_hpke_info_init(i, suite, pp_wr_done(&wr));
}

static pp_res seal_request(struct pp_seal *s, uint16_t kem, struct pp_span pk,
                           const uint8_t *binding, const struct pp_random *random,
                           struct pp_span pt, struct pp_wr *wr)
{
    const struct pp_kem_info *k = pp_kem_info(kem);
    struct pp_hpke_info info;

    PP_CHECK(k != NULL, PP_E_UNSUPPORTED, kem);
    PP_TRY(info_of(&info, kem, binding));
    PP_TRY(pp_hpke_sender(&s->ctx, &info, pk, random, s->enc));
    s->enc_len = k->enc_len;

    pp_wr_u8(wr, SEAL_VERSION);
    pp_wr_bytes(wr, s->enc, s->enc_len);
    uint8_t *out = pp_wr_reserve(wr, pt.len + PP_AEAD_TAG_BYTES);
    PP_TRY(pp_wr_ok(wr));
    return pp_hpke_seal(&s->ctx, (struct pp_span){ 0 }, pt, out);
}

pp_res pp_seal_request(struct pp_seal *s, uint16_t kem, struct pp_span pk,
                       const uint8_t binding[PP_BINDING_BYTES], const struct pp_random *random,
                       struct pp_span pt, struct pp_wr *wr)
{
    pp_res r = seal_request(s, kem, pk, binding, random, pt, wr);

    if (!pp_is_ok(r))
        pp_seal_done(s);
    return r;
}

static pp_res open_request(struct pp_seal *s, const struct pp_kem_key *key, const uint8_t *binding,
                           struct pp_span sealed, uint8_t *ret_pt, size_t *ret_len)
{
    const struct pp_kem_info *k = pp_kem_info(pp_kem_key_id(key));
    struct pp_rd rd = pp_rd_span(sealed);
    struct pp_hpke_info info;

    PP_CHECK(k != NULL, PP_E_UNSUPPORTED, pp_kem_key_id(key));
    PP_TRY(info_of(&info, k->id, binding));

    uint8_t version = pp_rd_u8(&rd);
    struct pp_span enc = pp_rd_bytes(&rd, k->enc_len);
    struct pp_span ct = pp_rd_rest(&rd);
    PP_TRY_AS(PP_E_AUTH, pp_rd_ok(&rd));
    PP_CHECK(version == SEAL_VERSION, PP_E_AUTH, version);
    PP_CHECK(ct.len >= PP_AEAD_TAG_BYTES, PP_E_AUTH, ct.len);

    PP_TRY(pp_hpke_receiver(&s->ctx, &info, key, enc));
    PP_TRY(pp_hpke_open(&s->ctx, (struct pp_span){ 0 }, ct, ret_pt));
    memcpy(s->enc, enc.at, enc.len);
    s->enc_len = enc.len;
    *ret_len = ct.len - PP_AEAD_TAG_BYTES;
    return PP_OK;
}

pp_res pp_seal_open_request(struct pp_seal *s, const struct pp_kem_key *key,
                            const uint8_t binding[PP_BINDING_BYTES], struct pp_span sealed,
                            uint8_t *ret_pt, size_t *ret_len)
{
    pp_res r = open_request(s, key, binding, sealed, ret_pt, ret_len);

    if (!pp_is_ok(r))
        pp_seal_done(s);
    return r;
}

/* --- the answer: key and nonce as those of an OHTTP response (RFC 9458, section 4.4) -----------
 */

struct response_key {
    struct pp_secret key_secret;
    uint8_t nonce[PP_AEAD_NONCE_BYTES];
};

static void response_key_done(struct response_key *k)
{
    pp_secret_done(&k->key_secret);
}

static pp_res response_key(const struct pp_seal *s, const uint8_t r[PP_SEAL_R_BYTES],
                           struct response_key *ret)
{
    PP_AUTO(pp_secret) secret = { 0 };
    PP_AUTO(pp_secret) prk = { 0 };
    uint8_t salt[PP_KEM_ENC_BYTES_MAX + PP_SEAL_R_BYTES];
    struct pp_wr wr = pp_wr_over(salt, sizeof salt);

    PP_TRY(pp_secret_alloc(&secret, RESPONSE_SECRET_BYTES));
    PP_TRY(pp_secret_alloc(&prk, PP_SHA256_BYTES));
    PP_TRY(pp_secret_alloc(&ret->key_secret, RESPONSE_KEY_BYTES));
    PP_TRY(pp_hpke_export(&s->ctx, PP_STR("pp-response-v1"), secret.bytes, secret.len));

    pp_wr_bytes(&wr, s->enc, s->enc_len);
    pp_wr_bytes(&wr, r, PP_SEAL_R_BYTES);
    PP_TRY(pp_wr_ok(&wr));
    pp_hkdf_extract(PP_SHA256, pp_wr_done(&wr), pp_secret_span(&secret), prk.bytes);
    PP_TRY(pp_hkdf_expand(PP_SHA256, pp_secret_span(&prk), PP_STR("key"), ret->key_secret.bytes,
                          RESPONSE_KEY_BYTES));
    return pp_hkdf_expand(PP_SHA256, pp_secret_span(&prk), PP_STR("nonce"), ret->nonce,
                          sizeof ret->nonce);
}

static pp_res open_response(const struct pp_seal *s, struct pp_span sealed, uint8_t *ret_pt,
                            size_t *ret_len)
{
    __attribute__((cleanup(response_key_done))) struct response_key k = { 0 };
    struct pp_rd rd = pp_rd_span(sealed);
    uint8_t r[PP_SEAL_R_BYTES];

    PP_CHECK(s->enc_len > 0, PP_E_STATE, 0);
    uint8_t version = pp_rd_u8(&rd);
    pp_rd_copy(&rd, r, sizeof r);
    struct pp_span ct = pp_rd_rest(&rd);
    PP_TRY_AS(PP_E_AUTH, pp_rd_ok(&rd));
    PP_CHECK(version == SEAL_VERSION, PP_E_AUTH, version);
    PP_CHECK(ct.len >= PP_AEAD_TAG_BYTES, PP_E_AUTH, ct.len);

    PP_TRY(response_key(s, r, &k));
    PP_TRY(pp_aead_open_once(PP_AES_256_GCM, pp_secret_span(&k.key_secret), k.nonce,
                             (struct pp_span){ 0 }, ct, ret_pt));
    *ret_len = ct.len - PP_AEAD_TAG_BYTES;
    return PP_OK;
}

pp_res pp_seal_open_response(struct pp_seal *s, struct pp_span sealed, uint8_t *ret_pt,
                             size_t *ret_len)
{
    pp_res r = open_response(s, sealed, ret_pt, ret_len);

    pp_seal_done(s);
    return r;
}

static pp_res seal_response(const struct pp_seal *s, const struct pp_random *random,
                            struct pp_span pt, struct pp_wr *wr)
{
    __attribute__((cleanup(response_key_done))) struct response_key k = { 0 };
    uint8_t r[PP_SEAL_R_BYTES];

    PP_CHECK(s->enc_len > 0, PP_E_STATE, 0);
    PP_TRY(pp_random_fill(random, r, sizeof r));
    PP_TRY(response_key(s, r, &k));
    pp_wr_u8(wr, SEAL_VERSION);
    pp_wr_bytes(wr, r, sizeof r);
    uint8_t *out = pp_wr_reserve(wr, pt.len + PP_AEAD_TAG_BYTES);
    PP_TRY(pp_wr_ok(wr));
    return pp_aead_seal_once(PP_AES_256_GCM, pp_secret_span(&k.key_secret), k.nonce,
                             (struct pp_span){ 0 }, pt, out);
}

pp_res pp_seal_response(struct pp_seal *s, const struct pp_random *random, struct pp_span pt,
                        struct pp_wr *wr)
{
    pp_res r = seal_response(s, random, pt, wr);

    pp_seal_done(s);
    return r;
}
