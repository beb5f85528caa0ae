/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A public key and an encapsulation from outside. The private key is a constant; the input is laid
 * over its own public key and over a good encapsulation, so that what is nearly right is reached.
 */
#include "fuzz.h"

#include "crypto.h"
#include "ct.h"
#include "kem.h"
#include "rd.h"

enum { PK_BYTES = 1216, ENC_BYTES = 1120 };

static struct pp_kem_key *key;
static uint8_t good_enc[ENC_BYTES];
static struct pp_secret good_shared;

static void start(void)
{
    uint8_t sk[32], drawn[64];
    struct pp_span script = PP_BYTES(drawn);
    struct pp_random random = pp_random_script(&script);

    for (size_t i = 0; i < sizeof drawn; i++)
        sk[i % 32] = drawn[i] = (uint8_t)i;
    FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    FUZZ_CHECK(pp_is_ok(pp_kem_key_import(PP_KEM_XWING, PP_BYTES(sk), &key)));
    FUZZ_CHECK(pp_is_ok(
        pp_kem_encap(PP_KEM_XWING, pp_kem_key_public(key), &random, good_enc, &good_shared)));
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t pk[PK_BYTES], enc[ENC_BYTES], made[ENC_BYTES];
    struct pp_random random = pp_random_system();
    struct pp_secret shared = { 0 };
    struct pp_rd rd = pp_rd_over(data, len);

    if (key == NULL)
        start();
    memcpy(pk, pp_kem_key_public(key).at, sizeof pk);
    memcpy(enc, good_enc, sizeof enc);
    if (pp_rd_u8(&rd) % 2 == 0) {
        overlay(&rd, pk, sizeof pk);
        pp_res r = pp_kem_encap(PP_KEM_XWING, PP_BYTES(pk), &random, made, &shared);
        FUZZ_CHECK(pp_is_ok(r) || r.code == PP_E_KEY);
    } else {
        overlay(&rd, enc, sizeof enc);
        pp_res r = pp_kem_decap(key, PP_BYTES(enc), &shared);
        FUZZ_CHECK(pp_is_ok(r) || r.code == PP_E_AUTH);
        /* X25519 takes no notice of its key's top bit, but the combiner hashes it. */
        if (pp_is_ok(r))
            FUZZ_CHECK(pp_ct_eq(shared.bytes, good_shared.bytes, 32) ==
                       (memcmp(enc, good_enc, sizeof enc) == 0));
    }
    pp_secret_done(&shared);
    return 0;
}
