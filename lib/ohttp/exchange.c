/* SPDX-License-Identifier: Apache-2.0 */
#include "ct.h"
#include "ohttp_int.h"

/* --- what both messages are made of ------------------------------------------------------------
 */

enum { INFO_BYTES_MAX = 64 };

/* L of RFC 9458, 4.4: max(Nn, Nk). */
static size_t response_nonce_len(uint16_t aead)
{
    size_t key_len = pp_aead_key_len(aead);

    return key_len > PP_AEAD_NONCE_BYTES ? key_len : PP_AEAD_NONCE_BYTES;
}

size_t pp_ohttp_request_overhead(uint16_t kem)
{
    const struct pp_kem_info *info = pp_kem_info(kem);

    return info == NULL ? 0 : PP_OHTTP_HEADER_BYTES + info->enc_len + PP_AEAD_TAG_BYTES;
}

size_t pp_ohttp_response_overhead(struct pp_ohttp_suite s)
{
    return response_nonce_len(s.aead) + PP_AEAD_TAG_BYTES;
}

void pp_ohttp_header_write(struct pp_wr *wr, uint8_t id, struct pp_hpke_suite suite)
{
    pp_wr_u8(wr, id);
    pp_wr_u16(wr, suite.kem);
    pp_wr_u16(wr, suite.kdf);
    pp_wr_u16(wr, suite.aead);
}

pp_res pp_ohttp_info(struct pp_hpke_info *ret, uint8_t id, struct pp_hpke_suite suite)
{
    uint8_t info[INFO_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(info, sizeof info);

    /* Export-only suites exist in HPKE; a message cannot be sealed with one. */
    PP_CHECK(pp_aead_key_len(suite.aead) > 0, PP_E_UNSUPPORTED, suite.aead);
    pp_wr_text(&wr, "message/bhttp request");
    pp_wr_u8(&wr, 0);
    pp_ohttp_header_write(&wr, id, suite);
    PP_TRY(pp_wr_ok(&wr));
    return pp_hpke_info_init(ret, suite, pp_wr_done(&wr));
}

void pp_ohttp_done(struct pp_ohttp *x)
{
    pp_hpke_done(&x->hpke);
    pp_wipe(x, sizeof *x);
}

static void keep_enc(struct pp_ohttp *x, struct pp_span enc)
{
    struct pp_wr wr = pp_wr_over(x->salt, sizeof x->salt);

    pp_wr_span(&wr, enc);
    x->enc_len = wr.len;
}

/* --- request -----------------------------------------------------------------------------------
 */

static pp_res seal_request(struct pp_ohttp *x, const struct pp_keyconf *kc,
                           struct pp_hpke_suite suite, const struct pp_random *random,
                           struct pp_span request, struct pp_wr *wr)
{
    struct pp_hpke_info info;
    uint8_t enc[PP_KEM_ENC_BYTES_MAX];

    PP_TRY(pp_ohttp_info(&info, kc->id, suite));
    PP_TRY(
        pp_hpke_sender(&x->hpke, &info, pp_span(kc->public_key, kc->public_key_len), random, enc));
    keep_enc(x, pp_span(enc, pp_kem_info(suite.kem)->enc_len));
    pp_ohttp_header_write(wr, kc->id, suite);
    pp_wr_span(wr, pp_ohttp_enc(x));
    uint8_t *sealed = pp_wr_reserve(wr, request.len + PP_AEAD_TAG_BYTES);
    PP_TRY(pp_wr_ok(wr));
    return pp_hpke_seal(&x->hpke, PP_STR(""), request, sealed);
}

pp_res pp_ohttp_request_seal(struct pp_ohttp *x, const struct pp_keyconf *kc,
                             struct pp_ohttp_suite s, const struct pp_random *random,
                             struct pp_span request, struct pp_wr *wr)
{
    struct pp_hpke_suite suite = { kc->kem, s.kdf, s.aead };

    PP_CHECK(x->hpke.role == 0, PP_E_STATE, 0);
    pp_res r = seal_request(x, kc, suite, random, request, wr);
    if (!pp_is_ok(r))
        pp_ohttp_done(x);
    return r;
}

static const struct pp_ohttp_gateway_key *find_key(const struct pp_ohttp_gateway *gw, uint8_t id,
                                                   uint16_t kem)
{
    for (size_t i = 0; i < gw->key_count; i++)
        if (gw->keys[i].config.id == id && gw->keys[i].config.kem == kem)
            return &gw->keys[i];
    return NULL;
}

static const struct pp_hpke_info *find_info(const struct pp_ohttp_gateway_key *k,
                                            struct pp_ohttp_suite s)
{
    for (size_t i = 0; i < k->config.suite_count; i++)
        if (k->config.suites[i].kdf == s.kdf && k->config.suites[i].aead == s.aead)
            return &k->infos[i];
    return NULL;
}

static pp_res open_with(struct pp_ohttp *x, const struct pp_hpke_info *info,
                        const struct pp_kem_key *key, struct pp_span enc, uint8_t *sealed,
                        size_t len)
{
    PP_TRY(pp_hpke_receiver(&x->hpke, info, key, enc));
    keep_enc(x, enc);
    return pp_hpke_open(&x->hpke, PP_STR(""), pp_span(sealed, len), sealed);
}

pp_res pp_ohttp_request_open(struct pp_ohttp *x, const struct pp_ohttp_gateway *gw, uint8_t *body,
                             size_t len, struct pp_span *ret_request)
{
    struct pp_rd rd = pp_rd_over(body, len);
    uint8_t id = pp_rd_u8(&rd);
    uint16_t kem = pp_rd_u16(&rd);
    struct pp_ohttp_suite suite;

    suite.kdf = pp_rd_u16(&rd);
    suite.aead = pp_rd_u16(&rd);
    PP_TRY(pp_rd_ok(&rd));
    PP_CHECK(x->hpke.role == 0, PP_E_STATE, 0);
    /* Before the key is looked up: whether a body is too short says nothing of the keys held. */
    PP_CHECK(len >= pp_ohttp_request_overhead(kem), PP_E_TRUNCATED, len);
    const struct pp_ohttp_gateway_key *k = find_key(gw, id, kem);
    PP_CHECK(k != NULL, PP_E_AUTH, PP_OHTTP_KEY_UNKNOWN);
    const struct pp_hpke_info *info = find_info(k, suite);
    PP_CHECK(info != NULL, PP_E_AUTH, PP_OHTTP_SUITE_UNKNOWN);

    struct pp_span enc = pp_rd_bytes(&rd, pp_kem_info(kem)->enc_len);
    uint8_t *sealed = body + rd.offset;
    if (!pp_is_ok(open_with(x, info, k->key, enc, sealed, rd.left))) {
        pp_ohttp_done(x);
        return PP_FAIL(PP_E_AUTH, PP_OHTTP_NOT_OPENED);
    }
    *ret_request = pp_span(sealed, rd.left - PP_AEAD_TAG_BYTES);
    return PP_OK;
}

/* --- response ----------------------------------------------------------------------------------
 */

/* The response's key and nonce (RFC 9458, 4.4): plain HKDF of the suite's KDF. Wiped by the user.
 */
struct response_keys {
    uint8_t key[PP_AEAD_KEY_BYTES_MAX];
    uint8_t nonce[PP_AEAD_NONCE_BYTES];
};

static void response_keys_done(struct response_keys *k)
{
    pp_wipe(k, sizeof *k);
}

static pp_res expand_keys(enum pp_hash_id hash, struct pp_span prk, size_t key_len,
                          struct response_keys *ret)
{
    PP_TRY(pp_hkdf_expand(hash, prk, PP_STR("key"), ret->key, key_len));
    return pp_hkdf_expand(hash, prk, PP_STR("nonce"), ret->nonce, sizeof ret->nonce);
}

/* The response nonce stands behind enc in x->salt already. */
static pp_res derive_keys(const struct pp_ohttp *x, struct response_keys *ret)
{
    uint16_t aead = x->hpke.suite.aead;
    enum pp_hash_id hash = pp_hpke_hash(x->hpke.suite.kdf);
    size_t nonce_len = response_nonce_len(aead);
    uint8_t secret[PP_OHTTP_RESPONSE_NONCE_MAX], prk[PP_HASH_BYTES_MAX];

    pp_res r = pp_hpke_export(&x->hpke, PP_STR("message/bhttp response"), secret, nonce_len);
    if (pp_is_ok(r)) {
        pp_hkdf_extract(hash, pp_span(x->salt, x->enc_len + nonce_len), pp_span(secret, nonce_len),
                        prk);
        r = expand_keys(hash, pp_span(prk, pp_hash_len(hash)), pp_aead_key_len(aead), ret);
    }
    pp_wipe(secret, sizeof secret);
    pp_wipe(prk, sizeof prk);
    return r;
}

pp_res pp_ohttp_response_seal(struct pp_ohttp *x, const struct pp_random *random,
                              struct pp_span response, struct pp_wr *wr)
{
    PP_AUTO(response_keys) k = { 0 };
    uint16_t aead = x->hpke.suite.aead;
    uint8_t *response_nonce = x->salt + x->enc_len;
    size_t nonce_len = response_nonce_len(aead);

    PP_CHECK(x->hpke.role != 0, PP_E_STATE, 0);
    PP_TRY(pp_random_fill(random, response_nonce, nonce_len));
    PP_TRY(derive_keys(x, &k));
    pp_wr_bytes(wr, response_nonce, nonce_len);
    uint8_t *sealed = pp_wr_reserve(wr, response.len + PP_AEAD_TAG_BYTES);
    PP_TRY(pp_wr_ok(wr));
    return pp_aead_seal_once(aead, pp_span(k.key, pp_aead_key_len(aead)), k.nonce, PP_STR(""),
                             response, sealed);
}

pp_res pp_ohttp_response_open(struct pp_ohttp *x, uint8_t *body, size_t len,
                              struct pp_span *ret_response)
{
    PP_AUTO(response_keys) k = { 0 };
    uint16_t aead = x->hpke.suite.aead;
    struct pp_rd rd = pp_rd_over(body, len);

    PP_CHECK(x->hpke.role != 0, PP_E_STATE, 0);
    pp_rd_copy(&rd, x->salt + x->enc_len, response_nonce_len(aead));
    PP_TRY_AS(PP_E_AUTH, pp_rd_ok(&rd));
    PP_CHECK(rd.left >= PP_AEAD_TAG_BYTES, PP_E_AUTH, len);
    PP_TRY(derive_keys(x, &k));
    uint8_t *sealed = body + rd.offset;
    PP_TRY(pp_aead_open_once(aead, pp_span(k.key, pp_aead_key_len(aead)), k.nonce, PP_STR(""),
                             pp_span(sealed, rd.left), sealed));
    *ret_response = pp_span(sealed, rd.left - PP_AEAD_TAG_BYTES);
    return PP_OK;
}
