/* SPDX-License-Identifier: Apache-2.0 */
#include "hpke.h"

#include "ct.h"
#include "labeled.h"
#include "one_stage_int.h"
#include "wr.h"

enum { SUITE_ID_BYTES = 10, SENDER = 1, RECEIVER = 2 };

enum pp_hash_id pp_hpke_hash(uint16_t kdf)
{
    PP_ASSERT(kdf == PP_HKDF_SHA256 || kdf == PP_HKDF_SHA384 || kdf == PP_HKDF_SHA512);
    return kdf == PP_HKDF_SHA256 ? PP_SHA256 : kdf == PP_HKDF_SHA384 ? PP_SHA384 : PP_SHA512;
}

static pp_res check_kem_and_aead(struct pp_hpke_suite suite)
{
    PP_CHECK(pp_kem_info(suite.kem) != NULL, PP_E_UNSUPPORTED, suite.kem);
    PP_CHECK(suite.aead == PP_HPKE_EXPORT_ONLY || pp_aead_key_len(suite.aead) > 0, PP_E_UNSUPPORTED,
             suite.aead);
    return PP_OK;
}

pp_res pp_hpke_suite_check(struct pp_hpke_suite suite)
{
    PP_CHECK(suite.kdf >= PP_HKDF_SHA256 && suite.kdf <= PP_HKDF_SHA512, PP_E_UNSUPPORTED,
             suite.kdf);
    return check_kem_and_aead(suite);
}

static void suite_id(struct pp_hpke_suite suite, uint8_t ret[SUITE_ID_BYTES])
{
    struct pp_wr wr = pp_wr_over(ret, SUITE_ID_BYTES);

    pp_wr_text(&wr, "HPKE");
    pp_wr_u16(&wr, suite.kem);
    pp_wr_u16(&wr, suite.kdf);
    pp_wr_u16(&wr, suite.aead);
}

static int mode_has_psk(enum pp_hpke_mode mode)
{
    return mode == PP_HPKE_PSK || mode == PP_HPKE_AUTH_PSK;
}

static int mode_has_sender(enum pp_hpke_mode mode)
{
    return mode == PP_HPKE_AUTH || mode == PP_HPKE_AUTH_PSK;
}

/* What HKDF hashes beforehand is written out: an extendable output function has one stage. */
static pp_res one_stage_context(struct pp_hpke_info *i, struct pp_span psk_id, struct pp_span info)
{
    struct pp_wr wr = pp_wr_over(i->context, sizeof i->context);

    PP_CHECK(psk_id.len + info.len <= PP_HPKE_ONE_STAGE_BYTES_MAX, PP_E_RANGE, info.len);
    pp_wr_u8(&wr, (uint8_t)i->mode);
    pp_wr_u16(&wr, (uint16_t)psk_id.len);
    pp_wr_span(&wr, psk_id);
    pp_wr_u16(&wr, (uint16_t)info.len);
    pp_wr_span(&wr, info);
    i->context_len = wr.len;
    return pp_wr_ok(&wr);
}

static void two_stage_context(struct pp_hpke_info *i, struct pp_span psk_id, struct pp_span info)
{
    uint8_t id[SUITE_ID_BYTES];
    enum pp_hash_id hash = pp_hpke_hash(i->suite.kdf);
    size_t hash_len = pp_hash_len(hash);

    suite_id(i->suite, id);
    i->context[0] = (uint8_t)i->mode;
    i->context_len = 1 + 2 * hash_len;
    pp_labeled_extract(hash, PP_BYTES(id), PP_STR(""), PP_STR("psk_id_hash"), psk_id,
                       i->context + 1);
    pp_labeled_extract(hash, PP_BYTES(id), PP_STR(""), PP_STR("info_hash"), info,
                       i->context + 1 + hash_len);
}

pp_res pp_hpke_info_init_mode(struct pp_hpke_info *i, struct pp_hpke_suite suite,
                              enum pp_hpke_mode mode, struct pp_span psk_id, struct pp_span info)
{
    int one_stage = pp_one_stage_len(suite.kdf) > 0;

    PP_TRY(one_stage ? check_kem_and_aead(suite) : pp_hpke_suite_check(suite));
    PP_CHECK(mode <= PP_HPKE_AUTH_PSK, PP_E_UNSUPPORTED, mode);
    PP_CHECK(!mode_has_sender(mode) || pp_kem_info(suite.kem)->auth, PP_E_UNSUPPORTED, suite.kem);
    PP_CHECK(info.len <= PP_HPKE_INPUT_BYTES_MAX, PP_E_RANGE, info.len);
    /* VerifyPSKInputs (5.1): here for the name, in a set-up for the key itself. */
    PP_CHECK((psk_id.len > 0) == mode_has_psk(mode), PP_E_RANGE, psk_id.len);
    PP_CHECK(psk_id.len <= PP_HPKE_INPUT_BYTES_MAX, PP_E_RANGE, psk_id.len);

    *i = (struct pp_hpke_info){ .suite = suite, .mode = mode };
    if (one_stage)
        return one_stage_context(i, psk_id, info);
    two_stage_context(i, psk_id, info);
    return PP_OK;
}

pp_res pp_hpke_info_init(struct pp_hpke_info *i, struct pp_hpke_suite suite, struct pp_span info)
{
    return pp_hpke_info_init_mode(i, suite, PP_HPKE_BASE, PP_STR(""), info);
}

/* KeySchedule (5.1): the secret is in `secret`, an HMAC key for three expansions. */
static pp_res expand_all(struct pp_hpke *c, const struct pp_hpke_info *info,
                         const struct pp_hmac_key *secret, struct pp_span id)
{
    enum pp_hash_id hash = pp_hpke_hash(info->suite.kdf);
    struct pp_span context = pp_span(info->context, info->context_len);

    PP_TRY(pp_secret_alloc(&c->exporter_secret, pp_hash_len(hash)));
    PP_TRY(pp_labeled_expand(hash, id, secret, PP_STR("exp"), context, c->exporter_secret.bytes,
                             c->exporter_secret.len));
    if (info->suite.aead == PP_HPKE_EXPORT_ONLY)
        return PP_OK;
    PP_TRY(pp_secret_alloc(&c->key_secret, pp_aead_key_len(info->suite.aead)));
    PP_TRY(pp_labeled_expand(hash, id, secret, PP_STR("key"), context, c->key_secret.bytes,
                             c->key_secret.len));
    return pp_labeled_expand(hash, id, secret, PP_STR("base_nonce"), context, c->base_nonce,
                             sizeof c->base_nonce);
}

/* The same at once: key, base nonce and exporter secret are one output. */
static pp_res derive_all(struct pp_hpke *c, const struct pp_hpke_info *info,
                         const struct pp_secret *shared, struct pp_span psk, struct pp_span id)
{
    PP_AUTO(pp_secret) all = { 0 };
    int seals = info->suite.aead != PP_HPKE_EXPORT_ONLY;
    size_t key_len = seals ? pp_aead_key_len(info->suite.aead) : 0;
    size_t nonce_len = seals ? sizeof c->base_nonce : 0;
    size_t exporter_len = pp_one_stage_len(info->suite.kdf);

    PP_TRY(pp_secret_alloc(&all, key_len + nonce_len + exporter_len));
    struct pp_keccak k = pp_one_stage_begin(info->suite.kdf);
    pp_one_stage_prefixed(&k, psk);
    pp_one_stage_prefixed(&k, pp_secret_span(shared));
    pp_one_stage_end(&k, id, PP_STR("secret"), pp_span(info->context, info->context_len), all.bytes,
                     all.len);
    if (seals)
        PP_TRY(pp_secret_copy(&c->key_secret, pp_span(all.bytes, key_len)));
    memcpy(c->base_nonce, all.bytes + key_len, nonce_len);
    return pp_secret_copy(&c->exporter_secret,
                          pp_span(all.bytes + key_len + nonce_len, exporter_len));
}

static pp_res extract_and_expand_all(struct pp_hpke *c, const struct pp_hpke_info *info,
                                     const struct pp_secret *shared, struct pp_span psk,
                                     struct pp_span id)
{
    uint8_t secret[PP_HASH_BYTES_MAX];
    enum pp_hash_id hash = pp_hpke_hash(info->suite.kdf);
    struct pp_hmac_key k;

    pp_labeled_extract(hash, id, pp_secret_span(shared), PP_STR("secret"), psk, secret);
    pp_hmac_key_init(&k, hash, pp_span(secret, pp_hash_len(hash)));
    pp_res r = expand_all(c, info, &k, id);
    pp_hmac_key_done(&k);
    pp_wipe(secret, sizeof secret);
    return r;
}

static pp_res key_schedule(struct pp_hpke *c, const struct pp_hpke_info *info,
                           const struct pp_secret *shared, struct pp_span psk, int role)
{
    uint8_t id[SUITE_ID_BYTES];

    suite_id(info->suite, id);
    *c = (struct pp_hpke){ .suite = info->suite };
    pp_res r = pp_one_stage_len(info->suite.kdf) > 0
                   ? derive_all(c, info, shared, psk, PP_BYTES(id))
                   : extract_and_expand_all(c, info, shared, psk, PP_BYTES(id));
    if (!pp_is_ok(r))
        pp_hpke_done(c);
    else
        c->role = role;
    return r;
}

/* VerifyPSKInputs (5.1), and that a mode with a sender has one. */
static pp_res check_mode(const struct pp_hpke_info *info, struct pp_span psk, int has_sender)
{
    size_t psk_min = mode_has_psk(info->mode) ? PP_HPKE_PSK_BYTES_MIN : 0;
    size_t psk_max = mode_has_psk(info->mode) ? PP_HPKE_INPUT_BYTES_MAX : 0;

    PP_CHECK(psk.len >= psk_min && psk.len <= psk_max, PP_E_RANGE, psk.len);
    PP_CHECK(has_sender == mode_has_sender(info->mode), PP_E_STATE, info->mode);
    return PP_OK;
}

pp_res pp_hpke_sender_mode(struct pp_hpke *c, const struct pp_hpke_info *info,
                           struct pp_span psk_secret, const struct pp_kem_key *sender,
                           struct pp_span pk, const struct pp_random *random, uint8_t *ret_enc)
{
    PP_AUTO(pp_secret) shared = { 0 };

    PP_TRY(check_mode(info, psk_secret, sender != NULL));
    if (sender == NULL) {
        PP_TRY(pp_kem_encap(info->suite.kem, pk, random, ret_enc, &shared));
    } else {
        PP_CHECK(pp_kem_key_id(sender) == info->suite.kem, PP_E_STATE, info->suite.kem);
        PP_TRY(pp_kem_auth_encap(sender, pk, random, ret_enc, &shared));
    }
    return key_schedule(c, info, &shared, psk_secret, SENDER);
}

pp_res pp_hpke_receiver_mode(struct pp_hpke *c, const struct pp_hpke_info *info,
                             struct pp_span psk_secret, struct pp_span sender_pk,
                             const struct pp_kem_key *key, struct pp_span enc)
{
    PP_AUTO(pp_secret) shared = { 0 };

    PP_CHECK(pp_kem_key_id(key) == info->suite.kem, PP_E_STATE, info->suite.kem);
    PP_TRY(check_mode(info, psk_secret, sender_pk.len > 0));
    if (sender_pk.len == 0)
        PP_TRY(pp_kem_decap(key, enc, &shared));
    else
        PP_TRY(pp_kem_auth_decap(key, enc, sender_pk, &shared));
    return key_schedule(c, info, &shared, psk_secret, RECEIVER);
}

pp_res pp_hpke_sender(struct pp_hpke *c, const struct pp_hpke_info *info, struct pp_span pk,
                      const struct pp_random *random, uint8_t *ret_enc)
{
    return pp_hpke_sender_mode(c, info, PP_STR(""), NULL, pk, random, ret_enc);
}

pp_res pp_hpke_receiver(struct pp_hpke *c, const struct pp_hpke_info *info,
                        const struct pp_kem_key *key, struct pp_span enc)
{
    return pp_hpke_receiver_mode(c, info, PP_STR(""), PP_STR(""), key, enc);
}

void pp_hpke_done(struct pp_hpke *c)
{
    pp_secret_done(&c->key_secret);
    pp_secret_done(&c->exporter_secret);
    pp_wipe(c, sizeof *c);
}

/* ComputeNonce (5.2): base_nonce XOR I2OSP(seq, Nn). */
static void nonce_of(const struct pp_hpke *c, uint8_t ret[PP_AEAD_NONCE_BYTES])
{
    memcpy(ret, c->base_nonce, PP_AEAD_NONCE_BYTES);
    for (size_t i = 0; i < 8; i++)
        ret[PP_AEAD_NONCE_BYTES - 1 - i] ^= (uint8_t)(c->seq >> (8 * i));
}

pp_res pp_hpke_seal(struct pp_hpke *c, struct pp_span aad, struct pp_span pt, uint8_t *out)
{
    uint8_t nonce[PP_AEAD_NONCE_BYTES];

    PP_CHECK(c->role == SENDER && c->key_secret.bytes != NULL, PP_E_STATE, (uint32_t)c->role);
    PP_CHECK(c->seq != UINT64_MAX, PP_E_RANGE, 0);
    nonce_of(c, nonce);
    PP_TRY(pp_aead_seal_once(c->suite.aead, pp_secret_span(&c->key_secret), nonce, aad, pt, out));
    c->seq++;
    return PP_OK;
}

pp_res pp_hpke_open(struct pp_hpke *c, struct pp_span aad, struct pp_span ct, uint8_t *out)
{
    uint8_t nonce[PP_AEAD_NONCE_BYTES];

    PP_CHECK(c->role == RECEIVER && c->key_secret.bytes != NULL, PP_E_STATE, (uint32_t)c->role);
    PP_CHECK(c->seq != UINT64_MAX, PP_E_RANGE, 0);
    nonce_of(c, nonce);
    PP_TRY(pp_aead_open_once(c->suite.aead, pp_secret_span(&c->key_secret), nonce, aad, ct, out));
    c->seq++;
    return PP_OK;
}

pp_res pp_hpke_export(const struct pp_hpke *c, struct pp_span exporter_context, uint8_t *ret,
                      size_t out_len)
{
    uint8_t id[SUITE_ID_BYTES];
    struct pp_hmac_key k;

    PP_CHECK(c->role != 0, PP_E_STATE, 0);
    PP_CHECK(exporter_context.len <= PP_HPKE_INPUT_BYTES_MAX, PP_E_RANGE, exporter_context.len);
    suite_id(c->suite, id);
    if (pp_one_stage_len(c->suite.kdf) > 0) {
        PP_CHECK(out_len <= PP_HPKE_INPUT_BYTES_MAX, PP_E_RANGE, out_len);
        struct pp_keccak x = pp_one_stage_begin(c->suite.kdf);
        pp_keccak_absorb(&x, pp_secret_span(&c->exporter_secret));
        pp_one_stage_end(&x, PP_BYTES(id), PP_STR("sec"), exporter_context, ret, out_len);
        return PP_OK;
    }
    pp_hmac_key_init(&k, pp_hpke_hash(c->suite.kdf), pp_secret_span(&c->exporter_secret));
    pp_res r = pp_labeled_expand(pp_hpke_hash(c->suite.kdf), PP_BYTES(id), &k, PP_STR("sec"),
                                 exporter_context, ret, out_len);
    pp_hmac_key_done(&k);
    return r;
}
