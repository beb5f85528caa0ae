/* SPDX-License-Identifier: Apache-2.0 */
#include "kem_run.h"

#include "ct.h"

static pp_res decap(const struct pp_kem_key *k, struct pp_span enc, struct pp_secret *ret)
{
    PP_TRY(pp_kem_decap(k, enc, ret));
    PP_TAINT(ret->bytes, ret->len);
    return PP_OK;
}

/* As a source, gives bytes that are secret. */
static pp_res fill_secret(void *ctx, uint8_t *ret, size_t len)
{
    PP_TRY(pp_random_fill(ctx, ret, len));
    PP_TAINT(ret, len);
    return PP_OK;
}

pp_res kem_run(uint16_t id)
{
    struct pp_random system = pp_random_system();
    struct pp_random random = { .fill = fill_secret, .ctx = &system };
    uint8_t pk[PP_KEM_PK_BYTES_MAX], enc[PP_KEM_ENC_BYTES_MAX];
    const struct pp_kem_info *info = pp_kem_info(id);
    PP_AUTO(pp_secret) sent = { 0 };
    PP_AUTO(pp_secret) received = { 0 };
    PP_AUTO(pp_secret) rejected = { 0 };
    struct pp_kem_key *k = NULL;

    PP_TRY(pp_kem_key_generate(id, &random, &k));
    memcpy(pk, pp_kem_key_public(k).at, info->pk_len);
    PP_REVEAL(pk, info->pk_len, "a public key is public");
    PP_TRY(pp_kem_encap(id, pp_span(pk, info->pk_len), &random, enc, &sent));
    PP_REVEAL(enc, info->enc_len, "an encapsulation is public");
    PP_TRY(decap(k, pp_span(enc, info->enc_len), &received));
    uint32_t equal = pp_ct_eq(sent.bytes, received.bytes, info->secret_len);
    PP_REVEAL(&equal, sizeof equal, "the verdict of this test is public");
    PP_CHECK(equal == 1, PP_E_MISMATCH, 0);
    enc[1] ^= 1; /* on a NIST curve this is no point, which is refused */
    pp_res r = decap(k, pp_span(enc, info->enc_len), &rejected);
    pp_kem_key_free(k);
    return r.code == PP_E_AUTH ? PP_OK : r;
}
