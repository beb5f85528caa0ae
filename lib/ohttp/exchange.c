/* SPDX-License-Identifier: Apache-2.0 */
#include "ct.h"
#include "ohttp_int.h"

/* --- what both messages are made of ------------------------------------------------------------
 */

enum { INFO_BYTES_MAX = 64 };

static const char *const REQUEST_LABELS[PP_OHTTP_FORMS] = {
    [PP_OHTTP_WHOLE] = "message/bhttp request",
    [PP_OHTTP_CHUNKED] = "message/bhttp chunked request",
};

static const struct pp_span RESPONSE_LABELS[PP_OHTTP_FORMS] = {
    [PP_OHTTP_WHOLE] = { (const uint8_t *)"message/bhttp response", 22 },
    [PP_OHTTP_CHUNKED] = { (const uint8_t *)"message/bhttp chunked response", 30 },
};

size_t pp_ohttp_response_nonce_len(uint16_t aead)
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
    return pp_ohttp_response_nonce_len(s.aead) + PP_AEAD_TAG_BYTES;
}

/* The seven bytes in front of an encapsulated request. */
static void write_header(struct pp_wr *wr, uint8_t id, struct pp_hpke_suite suite)
{
    pp_wr_u8(wr, id);
    pp_wr_u16(wr, suite.kem);
    pp_wr_u16(wr, suite.kdf);
    pp_wr_u16(wr, suite.aead);
}

pp_res pp_ohttp_info(struct pp_hpke_info *ret, enum pp_ohttp_form form, uint8_t id,
                     struct pp_hpke_suite suite)
{
    uint8_t info[INFO_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(info, sizeof info);

    /* HPKE has more: suites that cannot seal, and KDFs that cannot make the answer's keys (4.4). */
    PP_CHECK(pp_aead_key_len(suite.aead) > 0, PP_E_UNSUPPORTED, suite.aead);
    PP_CHECK(pp_hpke_kdf_is_hkdf(suite.kdf), PP_E_UNSUPPORTED, suite.kdf);
    pp_wr_text(&wr, REQUEST_LABELS[form]);
    pp_wr_u8(&wr, 0);
    write_header(&wr, id, suite);
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

pp_res pp_ohttp_encap(struct pp_ohttp *x, enum pp_ohttp_form form, const struct pp_keyconf *kc,
                      struct pp_hpke_suite suite, const struct pp_random *random, struct pp_wr *wr)
{
    struct pp_hpke_info info;
    uint8_t enc[PP_KEM_ENC_BYTES_MAX];

    PP_TRY(pp_ohttp_info(&info, form, kc->id, suite));
    PP_TRY(
        pp_hpke_sender(&x->hpke, &info, pp_span(kc->public_key, kc->public_key_len), random, enc));
    keep_enc(x, pp_span(enc, pp_kem_info(suite.kem)->enc_len));
    write_header(wr, kc->id, suite);
    pp_wr_span(wr, pp_ohttp_enc(x));
    return pp_wr_ok(wr);
}

static pp_res seal_request(struct pp_ohttp *x, const struct pp_keyconf *kc,
                           struct pp_hpke_suite suite, const struct pp_random *random,
                           struct pp_span request, struct pp_wr *wr)
{
    PP_TRY(pp_ohttp_encap(x, PP_OHTTP_WHOLE, kc, suite, random, wr));
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
                                            enum pp_ohttp_form form, struct pp_ohttp_suite s)
{
    for (size_t i = 0; i < k->config.suite_count; i++)
        if (k->config.suites[i].kdf == s.kdf && k->config.suites[i].aead == s.aead)
            return &k->infos[form][i];
    return NULL;
}

pp_res pp_ohttp_lookup(const struct pp_ohttp_gateway *gw, enum pp_ohttp_form form, struct pp_rd *rd,
                       size_t len, struct pp_ohttp_named *ret)
{
    uint8_t id = pp_rd_u8(rd);
    uint16_t kem = pp_rd_u16(rd);
    struct pp_ohttp_suite suite;

    suite.kdf = pp_rd_u16(rd);
    suite.aead = pp_rd_u16(rd);
    PP_TRY(pp_rd_ok(rd));
    PP_CHECK(len >= PP_OHTTP_REQUEST_BYTES_MIN, PP_E_TRUNCATED, len);
    const struct pp_ohttp_gateway_key *key = find_key(gw, id, kem);
    PP_CHECK(key != NULL, PP_E_AUTH, PP_OHTTP_KEY_UNKNOWN);
    PP_CHECK(len >= pp_ohttp_request_overhead(kem), PP_E_AUTH, PP_OHTTP_NOT_OPENED);
    const struct pp_hpke_info *info = find_info(key, form, suite);
    PP_CHECK(info != NULL, PP_E_AUTH, PP_OHTTP_SUITE_UNKNOWN);
    *ret = (struct pp_ohttp_named){ key, info, pp_kem_info(kem)->enc_len };
    return PP_OK;
}

pp_res pp_ohttp_decap(struct pp_ohttp *x, const struct pp_ohttp_named *named, struct pp_span enc)
{
    if (!pp_is_ok(pp_hpke_receiver(&x->hpke, named->info, named->key->key, enc)))
        return PP_FAIL(PP_E_AUTH, PP_OHTTP_NOT_OPENED);
    keep_enc(x, enc);
    return PP_OK;
}

static pp_res open_with(struct pp_ohttp *x, const struct pp_ohttp_named *named, struct pp_span enc,
                        uint8_t *sealed, size_t len)
{
    PP_TRY(pp_ohttp_decap(x, named, enc));
    return pp_hpke_open(&x->hpke, PP_STR(""), pp_span(sealed, len), sealed);
}

pp_res pp_ohttp_request_open(struct pp_ohttp *x, const struct pp_ohttp_gateway *gw, uint8_t *body,
                             size_t len, struct pp_span *ret_request)
{
    struct pp_rd rd = pp_rd_over(body, len);
    struct pp_ohttp_named named;

    PP_CHECK(x->hpke.role == 0, PP_E_STATE, 0);
    PP_TRY(pp_ohttp_lookup(gw, PP_OHTTP_WHOLE, &rd, len, &named));
    struct pp_span enc = pp_rd_bytes(&rd, named.enc_len);
    uint8_t *sealed = body + rd.offset;
    if (!pp_is_ok(open_with(x, &named, enc, sealed, rd.left))) {
        pp_ohttp_done(x);
        return PP_FAIL(PP_E_AUTH, PP_OHTTP_NOT_OPENED);
    }
    *ret_request = pp_span(sealed, rd.left - PP_AEAD_TAG_BYTES);
    return PP_OK;
}

/* --- response ----------------------------------------------------------------------------------
 */

void pp_ohttp_response_keys_done(struct pp_ohttp_response_keys *k)
{
    pp_wipe(k, sizeof *k);
}

static pp_res expand_keys(enum pp_hash_id hash, struct pp_span prk, size_t key_len,
                          struct pp_ohttp_response_keys *ret)
{
    PP_TRY(pp_hkdf_expand(hash, prk, PP_STR("key"), ret->key, key_len));
    return pp_hkdf_expand(hash, prk, PP_STR("nonce"), ret->nonce, sizeof ret->nonce);
}

pp_res pp_ohttp_response_derive(const struct pp_ohttp *x, enum pp_ohttp_form form,
                                struct pp_ohttp_response_keys *ret)
{
    uint16_t aead = x->hpke.suite.aead;
    enum pp_hash_id hash = pp_hpke_hash(x->hpke.suite.kdf);
    size_t nonce_len = pp_ohttp_response_nonce_len(aead);
    uint8_t secret[PP_OHTTP_RESPONSE_NONCE_MAX], prk[PP_HASH_BYTES_MAX];

    pp_res r = pp_hpke_export(&x->hpke, RESPONSE_LABELS[form], secret, nonce_len);
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
    PP_AUTO(pp_ohttp_response_keys) k = { 0 };
    uint16_t aead = x->hpke.suite.aead;
    uint8_t *response_nonce = x->salt + x->enc_len;
    size_t nonce_len = pp_ohttp_response_nonce_len(aead);

    PP_CHECK(x->hpke.role != 0, PP_E_STATE, 0);
    PP_TRY(pp_random_fill(random, response_nonce, nonce_len));
    PP_TRY(pp_ohttp_response_derive(x, PP_OHTTP_WHOLE, &k));
    pp_wr_bytes(wr, response_nonce, nonce_len);
    uint8_t *sealed = pp_wr_reserve(wr, response.len + PP_AEAD_TAG_BYTES);
    PP_TRY(pp_wr_ok(wr));
    return pp_aead_seal_once(aead, pp_span(k.key, pp_aead_key_len(aead)), k.nonce, PP_STR(""),
                             response, sealed);
}

pp_res pp_ohttp_response_open(struct pp_ohttp *x, uint8_t *body, size_t len,
                              struct pp_span *ret_response)
{
    PP_AUTO(pp_ohttp_response_keys) k = { 0 };
    uint16_t aead = x->hpke.suite.aead;
    struct pp_rd rd = pp_rd_over(body, len);

    PP_CHECK(x->hpke.role != 0, PP_E_STATE, 0);
    pp_rd_copy(&rd, x->salt + x->enc_len, pp_ohttp_response_nonce_len(aead));
    PP_TRY_AS(PP_E_AUTH, pp_rd_ok(&rd));
    PP_CHECK(rd.left >= PP_AEAD_TAG_BYTES, PP_E_AUTH, len);
    PP_TRY(pp_ohttp_response_derive(x, PP_OHTTP_WHOLE, &k));
    uint8_t *sealed = body + rd.offset;
    PP_TRY(pp_aead_open_once(aead, pp_span(k.key, pp_aead_key_len(aead)), k.nonce, PP_STR(""),
                             pp_span(sealed, rd.left), sealed));
    *ret_response = pp_span(sealed, rd.left - PP_AEAD_TAG_BYTES);
    return PP_OK;
}
