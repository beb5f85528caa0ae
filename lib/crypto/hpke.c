/* SPDX-License-Identifier: Apache-2.0 */
#include "hpke.h"

#include "ct.h"
#include "hpke_int.h"

enum { SENDER = 1, RECEIVER = 2 };

/* VerifyPSKInputs (5.1), and that a mode with a sender has one. */
static pp_res check_mode(const struct pp_hpke_info *info, struct pp_span psk, int has_sender)
{
    size_t psk_min = pp_hpke_mode_has_psk(info->mode) ? PP_HPKE_PSK_BYTES_MIN : 0;
    size_t psk_max = pp_hpke_mode_has_psk(info->mode) ? PP_HPKE_INPUT_BYTES_MAX : 0;

    PP_CHECK(psk.len >= psk_min && psk.len <= psk_max, PP_E_RANGE, psk.len);
    PP_CHECK(has_sender == pp_hpke_mode_has_sender(info->mode), PP_E_STATE, info->mode);
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
    PP_TRY(pp_hpke_schedule(c, info, pp_secret_span(&shared), psk_secret));
    c->role = SENDER;
    return PP_OK;
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
    PP_TRY(pp_hpke_schedule(c, info, pp_secret_span(&shared), psk_secret));
    c->role = RECEIVER;
    return PP_OK;
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
