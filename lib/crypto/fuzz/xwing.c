/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A public key and an encapsulation from outside, of X-Wing and of every other KEM with ML-KEM in
 * it. The private keys are constants; the input is laid over a public key of theirs and over a good
 * encapsulation, so that what is nearly right is reached.
 */
#include "fuzz.h"

#include "crypto.h"
#include "ct.h"
#include "kem.h"
#include "rd.h"

static struct target {
    uint16_t kem;
    struct pp_kem_key *key;
    uint8_t good_enc[PP_KEM_ENC_BYTES_MAX];
    struct pp_secret good_shared;
} targets[] = {
    { .kem = PP_KEM_XWING },    { .kem = PP_KEM_MLKEM768_P256 }, { .kem = PP_KEM_MLKEM1024_P384 },
    { .kem = PP_KEM_MLKEM512 }, { .kem = PP_KEM_MLKEM1024 },
};

static void start(struct target *t)
{
    uint8_t drawn[128];
    struct pp_span script = PP_BYTES(drawn);
    struct pp_random random = pp_random_script(&script);

    for (size_t i = 0; i < sizeof drawn; i++)
        drawn[i] = (uint8_t)i;
    FUZZ_CHECK(
        pp_is_ok(pp_kem_key_import(t->kem, pp_span(drawn, pp_kem_info(t->kem)->sk_len), &t->key)));
    FUZZ_CHECK(pp_is_ok(
        pp_kem_encap(t->kem, pp_kem_key_public(t->key), &random, t->good_enc, &t->good_shared)));
}

/* 2 bytes of where, then bytes that are added there. */
static void overlay(struct pp_rd *rd, uint8_t *bytes, size_t len)
{
    size_t at = pp_rd_u16(rd) % len;
    size_t count = rd->left < len - at ? rd->left : len - at;
    struct pp_span with = pp_rd_bytes(rd, count);

    for (size_t i = 0; i < with.len; i++)
        bytes[at + i] = (uint8_t)(bytes[at + i] + with.at[i]);
}

static void encap(const struct target *t, struct pp_rd *rd)
{
    uint8_t pk[PP_KEM_PK_BYTES_MAX], made[PP_KEM_ENC_BYTES_MAX];
    struct pp_random random = pp_random_system();
    struct pp_secret shared = { 0 };
    size_t len = pp_kem_info(t->kem)->pk_len;

    memcpy(pk, pp_kem_key_public(t->key).at, len);
    overlay(rd, pk, len);
    pp_res r = pp_kem_encap(t->kem, pp_span(pk, len), &random, made, &shared);
    FUZZ_CHECK(pp_is_ok(r) || r.code == PP_E_KEY);
    pp_secret_done(&shared);
}

static void decap(const struct target *t, struct pp_rd *rd)
{
    uint8_t enc[PP_KEM_ENC_BYTES_MAX];
    struct pp_secret shared = { 0 };
    size_t len = pp_kem_info(t->kem)->enc_len;

    memcpy(enc, t->good_enc, len);
    overlay(rd, enc, len);
    pp_res r = pp_kem_decap(t->key, pp_span(enc, len), &shared);
    FUZZ_CHECK(pp_is_ok(r) || r.code == PP_E_AUTH);
    /* X25519 takes no notice of its key's top bit, but the combiner hashes it. */
    if (pp_is_ok(r))
        FUZZ_CHECK(pp_ct_eq(shared.bytes, t->good_shared.bytes, 32) ==
                   (memcmp(enc, t->good_enc, len) == 0));
    pp_secret_done(&shared);
}

/* The first byte says what is done, and with which KEM. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_rd rd = pp_rd_over(data, len);
    uint8_t first = pp_rd_u8(&rd);
    struct target *t = &targets[first / 2 % PP_ARRAY_COUNT(targets)];

    if (targets[0].key == NULL) {
        FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
        for (size_t i = 0; i < PP_ARRAY_COUNT(targets); i++)
            start(&targets[i]);
    }
    if (first % 2 == 0)
        encap(t, &rd);
    else
        decap(t, &rd);
    return 0;
}
