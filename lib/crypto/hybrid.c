/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ML-KEM and Diffie-Hellman in one KEM, which stays closed as long as one of the two does: X-Wing
 * (draft-connolly-cfrg-xwing-kem) and its siblings on NIST curves
 * (draft-irtf-cfrg-concrete-hybrid-kems, framework CG). The classical half is that of a DHKEM.
 *
 * X-Wing has no check for an all-zero X25519 result. We refuse one all the same, as for the
 * classical KEM: no honest peer sends such a point, and whether it did is public.
 */
#include <stdlib.h>

#include "ct.h"
#include "keccak_int.h"
#include "kem_int.h"
#include "mlkem_int.h"
#include "shake_kem_int.h"
#include "wr.h"

enum {
    GROUP_SEED_BYTES_MAX = 128, /* those of P-256 */
    GROUP_SECRET_BYTES_MAX = 48,
    GROUP_POINT_BYTES_MAX = 97,
    LABEL_BYTES_MAX = 16,
};

struct hybrid {
    uint16_t id, classical; /* KEM ids */
    const struct pp_mlkem *mlkem;
    const struct pp_kem_ops *group; /* of `classical` */
    size_t seed_len;                /* Nseed of the group, one scalar or more */
    const char *label;
};

static const struct hybrid HYBRIDS[] = {
    { PP_KEM_XWING, PP_KEM_X25519_SHA256, &PP_MLKEM_768, &PP_KEM_OPS_X25519_SHA256, 32,
      "\\.//^\\" },
    { PP_KEM_MLKEM768_P256, PP_KEM_P256_SHA256, &PP_MLKEM_768, &PP_KEM_OPS_P256_SHA256, 128,
      "MLKEM768-P256" },
    { PP_KEM_MLKEM1024_P384, PP_KEM_P384_SHA384, &PP_MLKEM_1024, &PP_KEM_OPS_P384_SHA384, 48,
      "MLKEM1024-P384" },
};

static const struct hybrid *hybrid_of(const struct pp_kem_info *info)
{
    size_t i = 0;

    while (HYBRIDS[i].id != info->id) {
        i++;
        PP_ASSERT(i < PP_ARRAY_COUNT(HYBRIDS));
    }
    return &HYBRIDS[i];
}

/* A private key of the group; `scalar` is what the classical KEM's import made. */
struct share {
    const struct hybrid *h;
    void *scalar;
};

static void share_done(struct share *s)
{
    if (s->h != NULL)
        s->h->group->release(s->scalar);
}

/*
 * RandomScalar: the first part of `seed` that is a private key. On NIST curves one part in 2^32 or
 * fewer is none, which says nothing of the next; any 32 bytes are one of X25519.
 */
static pp_res share_init(struct share *s, const struct hybrid *h, struct pp_span seed,
                         uint8_t *ret_point)
{
    const struct pp_kem_info *info = pp_kem_info(h->classical);
    pp_res r = PP_FAIL(PP_E_KEY, 0);

    for (size_t at = 0; at + info->sk_len <= seed.len && r.code == PP_E_KEY; at += info->sk_len)
        r = h->group->import(info, pp_span(seed.at + at, info->sk_len), &s->scalar, ret_point);
    PP_TRY(r);
    s->h = h;
    return PP_OK;
}

/* What the two halves agreed on; ss_PQ and ss_T in the draft. */
struct secrets {
    uint8_t bytes[PP_MLKEM_SECRET_BYTES + GROUP_SECRET_BYTES_MAX];
};

static void secrets_done(struct secrets *s)
{
    pp_wipe(s, sizeof *s);
}

/* C2PRICombiner: SHA3-256(ss_PQ || ss_T || ct_T || ek_T || label). The label comes last. */
static pp_res combine(const struct hybrid *h, const struct secrets *s, const uint8_t *ct_t,
                      const uint8_t *ek_t, uint8_t *ret_shared)
{
    uint8_t public_part[2 * GROUP_POINT_BYTES_MAX + LABEL_BYTES_MAX];
    const struct pp_kem_info *info = pp_kem_info(h->classical);
    struct pp_wr wr = pp_wr_over(public_part, sizeof public_part);

    pp_wr_bytes(&wr, ct_t, info->pk_len);
    pp_wr_bytes(&wr, ek_t, info->pk_len);
    pp_wr_text(&wr, h->label);
    PP_TRY(pp_wr_ok(&wr));
    pp_sha3_256(pp_span(s->bytes, PP_MLKEM_SECRET_BYTES + info->sk_len), pp_wr_done(&wr),
                ret_shared);
    return PP_OK;
}

struct handle {
    struct pp_mlkem_key *mlkem;
    struct share share;
};

static void hybrid_release(void *handle)
{
    struct handle *k = handle;

    if (k == NULL)
        return;
    pp_mlkem_key_free(k->mlkem);
    share_done(&k->share);
    free(k);
}

/* expandDecapsKeyG: the seed gives both private keys. */
static pp_res hybrid_import(const struct pp_kem_info *info, struct pp_span sk, void **ret_handle,
                            uint8_t *ret_pk)
{
    uint8_t expanded[PP_MLKEM_SEED_BYTES + GROUP_SEED_BYTES_MAX];
    const struct hybrid *h = hybrid_of(info);
    struct handle *k = calloc(1, sizeof *k);

    PP_CHECK(k != NULL, PP_E_NO_MEMORY, sizeof *k);
    pp_shake256_of(sk, PP_STR(""), expanded, PP_MLKEM_SEED_BYTES + h->seed_len);
    pp_res r = pp_mlkem_key_new(h->mlkem, expanded, ret_pk, &k->mlkem);
    if (pp_is_ok(r))
        r = share_init(&k->share, h, pp_span(expanded + PP_MLKEM_SEED_BYTES, h->seed_len),
                       ret_pk + h->mlkem->pk_len);
    pp_wipe(expanded, sizeof expanded);
    if (!pp_is_ok(r)) {
        hybrid_release(k);
        return r;
    }
    *ret_handle = k;
    return PP_OK;
}

static pp_res hybrid_check(const struct pp_kem_info *info, struct pp_span pk)
{
    return pp_mlkem_check(hybrid_of(info)->mlkem, pk.at);
}

/* `random_bytes` are ML-KEM's m, then the seed of the ephemeral key. */
static pp_res hybrid_encap(const struct pp_kem_info *info, struct pp_span pk,
                           const struct pp_kem_key *sender, struct pp_span random_bytes,
                           uint8_t *ret_enc, uint8_t *ret_shared)
{
    PP_AUTO(secrets) s = { { 0 } };
    PP_AUTO(share) ephemeral = { 0 };
    const struct hybrid *h = hybrid_of(info);
    const uint8_t *ek_t = pk.at + h->mlkem->pk_len;
    uint8_t *ct_t = ret_enc + h->mlkem->ct_len;
    struct pp_span seed = pp_span(random_bytes.at + PP_MLKEM_RANDOM_BYTES,
                                  random_bytes.len - PP_MLKEM_RANDOM_BYTES);

    PP_ASSERT(sender == NULL); /* kems.def: no authentication */
    PP_TRY(pp_mlkem_encap(h->mlkem, pk.at, random_bytes.at, ret_enc, s.bytes));
    PP_TRY(share_init(&ephemeral, h, seed, ct_t));
    PP_TRY(h->group->dh(pp_kem_info(h->classical), ephemeral.scalar, ek_t,
                        s.bytes + PP_MLKEM_SECRET_BYTES));
    return combine(h, &s, ct_t, ek_t, ret_shared);
}

static pp_res hybrid_decap(const struct pp_kem_key *key, struct pp_span enc,
                           struct pp_span sender_pk, uint8_t *ret_shared)
{
    PP_AUTO(secrets) s = { { 0 } };
    const struct handle *k = key->handle;
    const struct hybrid *h = k->share.h;
    const uint8_t *ct_t = enc.at + h->mlkem->ct_len;

    PP_ASSERT(sender_pk.len == 0);
    PP_TRY(pp_mlkem_decap(k->mlkem, enc.at, s.bytes));
    PP_TRY(h->group->dh(pp_kem_info(h->classical), k->share.scalar, ct_t,
                        s.bytes + PP_MLKEM_SECRET_BYTES));
    return combine(h, &s, ct_t, key->pk + h->mlkem->pk_len, ret_shared);
}

#define OPS                                                                                        \
    {                                                                                              \
        .any_bytes_are_a_key = 1, .import = hybrid_import, .release = hybrid_release,              \
        .check = hybrid_check, .encap = hybrid_encap, .decap = hybrid_decap,                       \
        .derive = pp_shake_kem_derive,                                                             \
    }
const struct pp_kem_ops PP_KEM_OPS_XWING = OPS;
const struct pp_kem_ops PP_KEM_OPS_MLKEM768_P256 = OPS;
const struct pp_kem_ops PP_KEM_OPS_MLKEM1024_P384 = OPS;
