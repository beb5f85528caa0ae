/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Wing: X25519 and ML-KEM-768 in one KEM (draft-connolly-cfrg-xwing-kem), which stays closed as
 * long as one of the two does.
 *
 * The draft has no check for an all-zero X25519 result. We refuse one all the same, as for the
 * classical KEM: no honest peer sends such a point, and whether it did is public.
 */
#include <stdlib.h>

#include "ct.h"
#include "keccak_int.h"
#include "kem_int.h"
#include "mlkem_int.h"
#include "shake_kem_int.h"
#include "x25519_int.h"

enum { SEED_BYTES = 32, EXPANDED_BYTES = PP_MLKEM_SEED_BYTES + PP_X25519_BYTES };

struct handle {
    struct pp_mlkem_key *mlkem;
    struct pp_x25519_key x25519;
};

/* What the two halves agreed on; ss_M || ss_X in the draft. */
struct secrets {
    uint8_t mlkem[PP_MLKEM_SECRET_BYTES];
    uint8_t x25519[PP_X25519_BYTES];
};

static void secrets_done(struct secrets *s)
{
    pp_wipe(s, sizeof *s);
}

/* Combiner: SHA3-256(ss_M || ss_X || ct_X || pk_X || label). The label comes last. */
static void combine(const struct secrets *s, const uint8_t *ct_x, const uint8_t *pk_x,
                    uint8_t *ret_shared)
{
    static const uint8_t label[] = { 0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c };
    uint8_t both[sizeof s->mlkem + sizeof s->x25519];
    uint8_t public_part[2 * PP_X25519_BYTES + sizeof label];

    memcpy(both, s->mlkem, sizeof s->mlkem);
    memcpy(both + sizeof s->mlkem, s->x25519, sizeof s->x25519);
    memcpy(public_part, ct_x, PP_X25519_BYTES);
    memcpy(public_part + PP_X25519_BYTES, pk_x, PP_X25519_BYTES);
    memcpy(public_part + 2 * PP_X25519_BYTES, label, sizeof label);
    pp_sha3_256(PP_BYTES(both), PP_BYTES(public_part), ret_shared);
    pp_wipe(both, sizeof both);
}

static void xwing_release(void *handle)
{
    struct handle *h = handle;

    if (h == NULL)
        return;
    pp_mlkem_key_free(h->mlkem);
    pp_x25519_key_done(&h->x25519);
    free(h);
}

/* expandDecapsulationKey: the seed gives both private keys. */
static pp_res xwing_import(const struct pp_kem_info *info, struct pp_span sk, void **ret_handle,
                           uint8_t *ret_pk)
{
    uint8_t expanded[EXPANDED_BYTES];
    struct handle *h = calloc(1, sizeof *h);

    (void)info;
    PP_CHECK(h != NULL, PP_E_NO_MEMORY, sizeof *h);
    pp_shake256_of(sk, PP_STR(""), expanded, sizeof expanded);
    pp_res r = pp_mlkem_key_new(expanded, ret_pk, &h->mlkem);
    if (pp_is_ok(r))
        r = pp_x25519_key_init(&h->x25519, pp_span(expanded + PP_MLKEM_SEED_BYTES, PP_X25519_BYTES),
                               ret_pk + PP_MLKEM_PK_BYTES);
    pp_wipe(expanded, sizeof expanded);
    if (!pp_is_ok(r)) {
        xwing_release(h);
        return r;
    }
    *ret_handle = h;
    return PP_OK;
}

static pp_res xwing_check(struct pp_span pk)
{
    return pp_mlkem_check(pk.at);
}

/* `random_bytes` is eseed: ML-KEM's m, then the ephemeral X25519 key. */
static pp_res xwing_encap(const struct pp_kem_info *info, struct pp_span pk,
                          const struct pp_kem_key *sender, struct pp_span random_bytes,
                          uint8_t *ret_enc, uint8_t *ret_shared)
{
    PP_AUTO(secrets) s = { { 0 } };
    const uint8_t *pk_x = pk.at + PP_MLKEM_PK_BYTES;
    uint8_t *ct_x = ret_enc + PP_MLKEM_CT_BYTES;
    PP_AUTO(pp_x25519_key) ephemeral = { 0 };

    (void)info;
    PP_ASSERT(sender == NULL); /* kems.def: no authentication */
    PP_TRY(pp_mlkem_encap(pk.at, random_bytes.at, ret_enc, s.mlkem));
    PP_TRY(pp_x25519_key_init(
        &ephemeral, pp_span(random_bytes.at + PP_MLKEM_RANDOM_BYTES, PP_X25519_BYTES), ct_x));
    PP_TRY(pp_x25519_dh(&ephemeral, pk_x, s.x25519));
    combine(&s, ct_x, pk_x, ret_shared);
    return PP_OK;
}

static pp_res xwing_decap(const struct pp_kem_key *k, struct pp_span enc, struct pp_span sender_pk,
                          uint8_t *ret_shared)
{
    PP_AUTO(secrets) s = { { 0 } };
    struct handle *h = k->handle;
    const uint8_t *ct_x = enc.at + PP_MLKEM_CT_BYTES;

    PP_ASSERT(sender_pk.len == 0);
    PP_TRY(pp_mlkem_decap(h->mlkem, enc.at, s.mlkem));
    PP_TRY(pp_x25519_dh(&h->x25519, ct_x, s.x25519));
    combine(&s, ct_x, k->pk + PP_MLKEM_PK_BYTES, ret_shared);
    return PP_OK;
}

const struct pp_kem_ops PP_KEM_OPS_XWING = {
    .any_bytes_are_a_key = 1,
    .import = xwing_import,
    .release = xwing_release,
    .check = xwing_check,
    .encap = xwing_encap,
    .decap = xwing_decap,
    .derive = pp_shake_kem_derive,
};
