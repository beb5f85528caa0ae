/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's low-level SHA calls are used on purpose: their states are plain structures, so keyed
 * HMAC states can be kept and copied, nothing is fetched or allocated per call, and a 65-byte
 * Merkle node costs half of what the EVP calls take. They are marked deprecated in OpenSSL 3 but
 * are part of its ABI for the whole series.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "hash.h"

#include <openssl/sha.h>

#include "ct.h"
#include "wr.h"

_Static_assert(sizeof(SHA256_CTX) <= sizeof((struct pp_hash){ 0 }.state), "state fits");
_Static_assert(sizeof(SHA512_CTX) <= sizeof((struct pp_hash){ 0 }.state), "state fits");

static SHA256_CTX *small_state(struct pp_hash *h)
{
    return (SHA256_CTX *)(void *)h->state;
}

static SHA512_CTX *large_state(struct pp_hash *h)
{
    return (SHA512_CTX *)(void *)h->state;
}

size_t pp_hash_len(enum pp_hash_id id)
{
    switch (id) {
    case PP_SHA256:
        return PP_SHA256_BYTES;
    case PP_SHA384:
        return PP_SHA384_BYTES;
    case PP_SHA512:
        return PP_SHA512_BYTES;
    }
    PP_ASSERT(id >= PP_SHA256 && id <= PP_SHA512); /* a hash of the enumeration */
    return 0;
}

size_t pp_hash_block(enum pp_hash_id id)
{
    return id == PP_SHA256 ? SHA256_CBLOCK : SHA512_CBLOCK;
}

void pp_hash_init(struct pp_hash *h, enum pp_hash_id id)
{
    int ok = 0;

    h->id = id;
    switch (id) {
    case PP_SHA256:
        ok = SHA256_Init(small_state(h));
        break;
    case PP_SHA384:
        ok = SHA384_Init(large_state(h));
        break;
    case PP_SHA512:
        ok = SHA512_Init(large_state(h));
        break;
    }
    PP_ASSERT(ok == 1);
}

void pp_hash_update(struct pp_hash *h, struct pp_span data)
{
    int ok;

    if (data.len == 0)
        return;
    if (h->id == PP_SHA256)
        ok = SHA256_Update(small_state(h), data.at, data.len);
    else
        ok = SHA512_Update(large_state(h), data.at, data.len);
    PP_ASSERT(ok == 1);
}

static void hash_number(struct pp_hash *h, uint64_t v, size_t len)
{
    uint8_t bytes[8];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);

    pp_wr_u64(&wr, v);
    pp_hash_update(h, pp_span(bytes + 8 - len, len));
}

void pp_hash_u8(struct pp_hash *h, uint8_t v)
{
    hash_number(h, v, 1);
}

void pp_hash_u16(struct pp_hash *h, uint16_t v)
{
    hash_number(h, v, 2);
}

void pp_hash_u32(struct pp_hash *h, uint32_t v)
{
    hash_number(h, v, 4);
}

void pp_hash_u64(struct pp_hash *h, uint64_t v)
{
    hash_number(h, v, 8);
}

void pp_hash_final(struct pp_hash *h, uint8_t *ret)
{
    int ok = 0;

    switch (h->id) {
    case PP_SHA256:
        ok = SHA256_Final(ret, small_state(h));
        break;
    case PP_SHA384:
        ok = SHA384_Final(ret, large_state(h));
        break;
    case PP_SHA512:
        ok = SHA512_Final(ret, large_state(h));
        break;
    }
    PP_ASSERT(ok == 1);
    pp_wipe(h, sizeof *h);
}

void pp_hash_of(enum pp_hash_id id, struct pp_span data, uint8_t *ret)
{
    struct pp_hash h;

    pp_hash_init(&h, id);
    pp_hash_update(&h, data);
    pp_hash_final(&h, ret);
}

void pp_sha256(struct pp_span data, uint8_t ret[PP_SHA256_BYTES])
{
    pp_hash_of(PP_SHA256, data, ret);
}

void pp_sha384(struct pp_span data, uint8_t ret[PP_SHA384_BYTES])
{
    pp_hash_of(PP_SHA384, data, ret);
}

void pp_sha256_pair(uint8_t prefix, struct pp_span a, struct pp_span b,
                    uint8_t ret[PP_SHA256_BYTES])
{
    SHA256_CTX c; /* public data: nothing to wipe */

    PP_ASSERT(SHA256_Init(&c) == 1 && SHA256_Update(&c, &prefix, 1) == 1);
    if (a.len > 0)
        PP_ASSERT(SHA256_Update(&c, a.at, a.len) == 1);
    if (b.len > 0)
        PP_ASSERT(SHA256_Update(&c, b.at, b.len) == 1);
    PP_ASSERT(SHA256_Final(ret, &c) == 1);
}

void pp_hmac_key_init(struct pp_hmac_key *k, enum pp_hash_id id, struct pp_span key)
{
    uint8_t block[PP_HASH_BLOCK_MAX] = { 0 };
    size_t block_len = pp_hash_block(id);

    if (key.len > block_len)
        pp_hash_of(id, key, block);
    else if (key.len > 0)
        memcpy(block, key.at, key.len);

    for (size_t i = 0; i < block_len; i++)
        block[i] ^= 0x36;
    pp_hash_init(&k->inner, id);
    pp_hash_update(&k->inner, pp_span(block, block_len));
    for (size_t i = 0; i < block_len; i++)
        block[i] ^= 0x36 ^ 0x5c;
    pp_hash_init(&k->outer, id);
    pp_hash_update(&k->outer, pp_span(block, block_len));
    pp_wipe(block, sizeof block);
}

void pp_hmac_key_done(struct pp_hmac_key *k)
{
    pp_wipe(k, sizeof *k);
}

void pp_hmac_init(struct pp_hmac *m, const struct pp_hmac_key *k)
{
    m->inner = k->inner;
    m->outer = k->outer;
}

void pp_hmac_update(struct pp_hmac *m, struct pp_span data)
{
    pp_hash_update(&m->inner, data);
}

void pp_hmac_final(struct pp_hmac *m, uint8_t *ret)
{
    uint8_t digest[PP_HASH_BYTES_MAX];
    size_t len = pp_hash_len(m->inner.id);

    pp_hash_final(&m->inner, digest);
    pp_hash_update(&m->outer, pp_span(digest, len));
    pp_hash_final(&m->outer, ret);
    pp_wipe(digest, sizeof digest);
}

void pp_hmac_of(enum pp_hash_id id, struct pp_span key, struct pp_span data, uint8_t *ret)
{
    struct pp_hmac_key k;
    struct pp_hmac m;

    pp_hmac_key_init(&k, id, key);
    pp_hmac_init(&m, &k);
    pp_hmac_update(&m, data);
    pp_hmac_final(&m, ret);
    pp_hmac_key_done(&k);
}

void pp_hkdf_extract(enum pp_hash_id id, struct pp_span salt, struct pp_span ikm, uint8_t *ret_prk)
{
    /* HMAC pads its key with zeros, so an empty salt equals one of pp_hash_len zero bytes. */
    pp_hmac_of(id, salt, ikm, ret_prk);
}

pp_res pp_hkdf_expand(enum pp_hash_id id, struct pp_span prk, struct pp_span info, uint8_t *ret,
                      size_t out_len)
{
    uint8_t block[PP_HASH_BYTES_MAX];
    size_t hash_len = pp_hash_len(id);
    size_t done = 0;
    struct pp_hmac_key k;

    PP_CHECK(out_len <= 255 * hash_len, PP_E_RANGE, out_len);
    pp_hmac_key_init(&k, id, prk);
    for (uint8_t i = 1; done < out_len; i++) {
        struct pp_hmac m;
        size_t n = out_len - done < hash_len ? out_len - done : hash_len;

        pp_hmac_init(&m, &k);
        if (i > 1)
            pp_hmac_update(&m, pp_span(block, hash_len));
        pp_hmac_update(&m, info);
        pp_hmac_update(&m, pp_span(&i, 1));
        pp_hmac_final(&m, block);
        memcpy(ret + done, block, n);
        done += n;
    }
    pp_wipe(block, sizeof block);
    pp_hmac_key_done(&k);
    return PP_OK;
}
