/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HPKE's key schedule (RFC 9180, section 5.1) and exports (5.3) with HKDF, which extracts and
 * expands, and with the one-stage KDFs of draft-ietf-hpke-hpke, which hash everything at once.
 */
#include "ct.h"
#include "hpke_int.h"
#include "labeled.h"
#include "rd.h"
#include "wr.h"

enum {
    SUITE_ID_BYTES = 10,
    ONE_STAGE_BYTES_MAX = PP_AEAD_KEY_BYTES_MAX + PP_AEAD_NONCE_BYTES + PP_HASH_BYTES_MAX
};

int pp_hpke_kdf_is_hkdf(uint16_t kdf)
{
    return kdf >= PP_HKDF_SHA256 && kdf <= PP_HKDF_SHA512;
}

enum pp_hash_id pp_hpke_hash(uint16_t kdf)
{
    PP_ASSERT(pp_hpke_kdf_is_hkdf(kdf));
    return kdf == PP_HKDF_SHA256 ? PP_SHA256 : kdf == PP_HKDF_SHA384 ? PP_SHA384 : PP_SHA512;
}

/* A fresh state of a one-stage KDF. */
static struct pp_keccak xof_of(uint16_t kdf)
{
    switch (kdf) {
    case PP_HPKE_SHAKE128:
        return pp_shake128();
    case PP_HPKE_SHAKE256:
        return pp_shake256();
    case PP_HPKE_TURBOSHAKE128:
        return pp_turboshake128();
    default:
        return pp_turboshake256();
    }
}

/* Nh: the length of an exporter secret. */
static size_t secret_len(uint16_t kdf)
{
    if (pp_hpke_kdf_is_hkdf(kdf))
        return pp_hash_len(pp_hpke_hash(kdf));
    return kdf == PP_HPKE_SHAKE128 || kdf == PP_HPKE_TURBOSHAKE128 ? 32 : 64;
}

pp_res pp_hpke_suite_check(struct pp_hpke_suite suite)
{
    PP_CHECK(pp_kem_info(suite.kem) != NULL, PP_E_UNSUPPORTED, suite.kem);
    PP_CHECK(pp_hpke_kdf_is_hkdf(suite.kdf) ||
                 (suite.kdf >= PP_HPKE_SHAKE128 && suite.kdf <= PP_HPKE_TURBOSHAKE256),
             PP_E_UNSUPPORTED, suite.kdf);
    PP_CHECK(suite.aead == PP_HPKE_EXPORT_ONLY || pp_aead_key_len(suite.aead) > 0, PP_E_UNSUPPORTED,
             suite.aead);
    return PP_OK;
}

static void suite_id(struct pp_hpke_suite suite, uint8_t ret[SUITE_ID_BYTES])
{
    struct pp_wr wr = pp_wr_over(ret, SUITE_ID_BYTES);

    pp_wr_text(&wr, "HPKE");
    pp_wr_u16(&wr, suite.kem);
    pp_wr_u16(&wr, suite.kdf);
    pp_wr_u16(&wr, suite.aead);
}

/* --- the context of a key schedule ----------------------------------------------------------- */

/* mode || psk_id_hash || info_hash */
static void hash_inputs(struct pp_hpke_info *i, struct pp_span psk_id, struct pp_span info)
{
    enum pp_hash_id hash = pp_hpke_hash(i->suite.kdf);
    size_t hash_len = pp_hash_len(hash);
    uint8_t id[SUITE_ID_BYTES];

    suite_id(i->suite, id);
    i->context[0] = (uint8_t)i->mode;
    pp_labeled_extract(hash, PP_BYTES(id), PP_STR(""), PP_STR("psk_id_hash"), psk_id,
                       i->context + 1);
    pp_labeled_extract(hash, PP_BYTES(id), PP_STR(""), PP_STR("info_hash"), info,
                       i->context + 1 + hash_len);
    i->context_len = 1 + 2 * hash_len;
}

/* mode || I2OSP(len, 2) || psk_id || I2OSP(len, 2) || info */
static pp_res keep_inputs(struct pp_hpke_info *i, struct pp_span psk_id, struct pp_span info)
{
    struct pp_wr wr = pp_wr_over(i->context, sizeof i->context);

    PP_CHECK(psk_id.len <= PP_HPKE_ONE_STAGE_INPUT_BYTES_MAX, PP_E_RANGE, psk_id.len);
    PP_CHECK(info.len <= PP_HPKE_ONE_STAGE_INPUT_BYTES_MAX, PP_E_RANGE, info.len);
    pp_wr_u8(&wr, (uint8_t)i->mode);
    pp_wr_u16(&wr, (uint16_t)psk_id.len);
    pp_wr_span(&wr, psk_id);
    pp_wr_u16(&wr, (uint16_t)info.len);
    pp_wr_span(&wr, info);
    i->context_len = wr.len;
    return pp_wr_ok(&wr);
}

pp_res pp_hpke_info_init_mode(struct pp_hpke_info *i, struct pp_hpke_suite suite,
                              enum pp_hpke_mode mode, struct pp_span psk_id, struct pp_span info)
{
    struct pp_hpke_info made = { .suite = suite, .mode = mode };

    PP_TRY(pp_hpke_suite_check(suite));
    PP_CHECK(mode <= PP_HPKE_AUTH_PSK, PP_E_UNSUPPORTED, mode);
    PP_CHECK(!pp_hpke_mode_has_sender(mode) || pp_kem_info(suite.kem)->auth, PP_E_UNSUPPORTED,
             suite.kem);
    PP_CHECK(info.len <= PP_HPKE_INPUT_BYTES_MAX, PP_E_RANGE, info.len);
    /* VerifyPSKInputs (5.1): here for the name, in a set-up for the key itself. */
    PP_CHECK((psk_id.len > 0) == pp_hpke_mode_has_psk(mode), PP_E_RANGE, psk_id.len);
    PP_CHECK(psk_id.len <= PP_HPKE_INPUT_BYTES_MAX, PP_E_RANGE, psk_id.len);
    if (pp_hpke_kdf_is_hkdf(suite.kdf))
        hash_inputs(&made, psk_id, info);
    else
        PP_TRY(keep_inputs(&made, psk_id, info));
    *i = made;
    return PP_OK;
}

pp_res pp_hpke_info_init(struct pp_hpke_info *i, struct pp_hpke_suite suite, struct pp_span info)
{
    return pp_hpke_info_init_mode(i, suite, PP_HPKE_BASE, PP_STR(""), info);
}

/* --- its secrets ----------------------------------------------------------------------------- */

static pp_res two_stages(struct pp_hpke *c, const struct pp_hpke_info *info, struct pp_span shared,
                         struct pp_span psk)
{
    uint8_t id[SUITE_ID_BYTES], secret[PP_HASH_BYTES_MAX];
    enum pp_hash_id hash = pp_hpke_hash(info->suite.kdf);
    struct pp_span context = pp_span(info->context, info->context_len);
    struct pp_hmac_key k;

    suite_id(info->suite, id);
    pp_labeled_extract(hash, PP_BYTES(id), shared, PP_STR("secret"), psk, secret);
    pp_hmac_key_init(&k, hash, pp_span(secret, pp_hash_len(hash)));
    pp_wipe(secret, sizeof secret);
    pp_res r = pp_labeled_expand(hash, PP_BYTES(id), &k, PP_STR("exp"), context,
                                 c->exporter_secret.bytes, c->exporter_secret.len);
    if (pp_is_ok(r) && c->key_secret.len > 0)
        r = pp_labeled_expand(hash, PP_BYTES(id), &k, PP_STR("key"), context, c->key_secret.bytes,
                              c->key_secret.len);
    if (pp_is_ok(r) && c->key_secret.len > 0)
        r = pp_labeled_expand(hash, PP_BYTES(id), &k, PP_STR("base_nonce"), context, c->base_nonce,
                              sizeof c->base_nonce);
    pp_hmac_key_done(&k);
    return r;
}

static void absorb_prefixed(struct pp_keccak *k, struct pp_span s)
{
    uint8_t len[2] = { (uint8_t)(s.len >> 8), (uint8_t)s.len };

    pp_keccak_absorb(k, PP_BYTES(len));
    pp_keccak_absorb(k, s);
}

static pp_res one_stage(struct pp_hpke *c, const struct pp_hpke_info *info, struct pp_span shared,
                        struct pp_span psk)
{
    uint8_t id[SUITE_ID_BYTES], all[ONE_STAGE_BYTES_MAX];
    size_t nonce_len = c->key_secret.len > 0 ? sizeof c->base_nonce : 0;
    struct pp_keccak k = xof_of(info->suite.kdf);
    struct pp_rd rd = pp_rd_over(all, c->key_secret.len + nonce_len + c->exporter_secret.len);

    suite_id(info->suite, id);
    absorb_prefixed(&k, psk);
    absorb_prefixed(&k, shared);
    pp_res r = pp_labeled_derive(&k, PP_BYTES(id), PP_STR("secret"),
                                 pp_span(info->context, info->context_len), all, rd.left);
    if (pp_is_ok(r)) {
        pp_rd_copy(&rd, c->key_secret.bytes, c->key_secret.len);
        pp_rd_copy(&rd, c->base_nonce, nonce_len);
        pp_rd_copy(&rd, c->exporter_secret.bytes, c->exporter_secret.len);
        r = pp_rd_end(&rd);
    }
    pp_wipe(all, sizeof all);
    return r;
}

static pp_res schedule(struct pp_hpke *c, const struct pp_hpke_info *info, struct pp_span shared,
                       struct pp_span psk)
{
    PP_TRY(pp_secret_alloc(&c->exporter_secret, secret_len(info->suite.kdf)));
    if (info->suite.aead != PP_HPKE_EXPORT_ONLY)
        PP_TRY(pp_secret_alloc(&c->key_secret, pp_aead_key_len(info->suite.aead)));
    if (pp_hpke_kdf_is_hkdf(info->suite.kdf))
        return two_stages(c, info, shared, psk);
    return one_stage(c, info, shared, psk);
}

pp_res pp_hpke_schedule(struct pp_hpke *c, const struct pp_hpke_info *info,
                        struct pp_span shared_secret, struct pp_span psk_secret)
{
    *c = (struct pp_hpke){ .suite = info->suite };
    pp_res r = schedule(c, info, shared_secret, psk_secret);
    if (!pp_is_ok(r))
        pp_hpke_done(c);
    return r;
}

pp_res pp_hpke_export(const struct pp_hpke *c, struct pp_span exporter_context, uint8_t *ret,
                      size_t out_len)
{
    uint8_t id[SUITE_ID_BYTES];
    struct pp_hmac_key k;

    PP_CHECK(c->role != 0, PP_E_STATE, 0);
    PP_CHECK(exporter_context.len <= PP_HPKE_INPUT_BYTES_MAX, PP_E_RANGE, exporter_context.len);
    suite_id(c->suite, id);
    if (!pp_hpke_kdf_is_hkdf(c->suite.kdf)) {
        struct pp_keccak xof = xof_of(c->suite.kdf);
        pp_keccak_absorb(&xof, pp_secret_span(&c->exporter_secret));
        return pp_labeled_derive(&xof, PP_BYTES(id), PP_STR("sec"), exporter_context, ret, out_len);
    }
    pp_hmac_key_init(&k, pp_hpke_hash(c->suite.kdf), pp_secret_span(&c->exporter_secret));
    pp_res r = pp_labeled_expand(pp_hpke_hash(c->suite.kdf), PP_BYTES(id), &k, PP_STR("sec"),
                                 exporter_context, ret, out_len);
    pp_hmac_key_done(&k);
    return r;
}
