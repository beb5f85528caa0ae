/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL would draw the salt itself; RFC 9474's vectors, and tests that replay, give it. */
#include "blindrsa_int.h"

#include "ct.h"
#include "hash.h"

enum { HASH_BYTES = PP_SHA384_BYTES, PSS_TRAILER = 0xbc };

/* MGF1 (RFC 8017 B.2.1), XORed over `ret`. */
static void mask(const uint8_t seed[HASH_BYTES], uint8_t *ret, size_t len)
{
    uint8_t block[HASH_BYTES];
    struct pp_hash h;

    for (size_t i = 0; i < len; i++) {
        if (i % HASH_BYTES == 0) {
            pp_hash_init(&h, PP_SHA384);
            pp_hash_update(&h, pp_span(seed, HASH_BYTES));
            pp_hash_u32(&h, (uint32_t)(i / HASH_BYTES));
            pp_hash_final(&h, block);
        }
        ret[i] ^= block[i % HASH_BYTES];
    }
    pp_wipe(block, sizeof block);
}

pp_res pp_blindrsa_encode(struct pp_span message, struct pp_span salt, uint8_t *ret_em, size_t len)
{
    static const uint8_t zeros[8];
    uint8_t digest[HASH_BYTES];
    struct pp_hash h;

    PP_CHECK(len >= HASH_BYTES + salt.len + 2, PP_E_RANGE, salt.len);
    size_t db_len = len - HASH_BYTES - 1;
    uint8_t *tag = ret_em + db_len;

    pp_sha384(message, digest);
    pp_hash_init(&h, PP_SHA384);
    pp_hash_update(&h, PP_BYTES(zeros));
    pp_hash_update(&h, PP_BYTES(digest));
    pp_hash_update(&h, salt);
    pp_hash_final(&h, tag);
    pp_wipe(digest, sizeof digest);

    memset(ret_em, 0, db_len);
    ret_em[db_len - salt.len - 1] = 1;
    if (salt.len > 0)
        memcpy(ret_em + db_len - salt.len, salt.at, salt.len);
    mask(tag, ret_em, db_len);
    ret_em[0] &= 0x7f; /* EM is one bit shorter than the modulus */
    ret_em[len - 1] = PSS_TRAILER;
    return PP_OK;
}
