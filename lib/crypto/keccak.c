/* SPDX-License-Identifier: Apache-2.0 */
/* Keccak-f[1600] and the sponges of FIPS 202 and RFC 9861. Lane x + 5y is A[x, y] of the standard.
 */
#include "keccak_int.h"

#include "ct.h"
#include "result.h"

enum {
    ROUNDS = 24,
    TURBO_ROUNDS = 12,
    SHAKE256_RATE = 136,
    SHA3_256_RATE = 136,
    SHA3_512_RATE = 72,
    SHAKE_SUFFIX = 0x1F,
    SHA3_SUFFIX = 0x06,
};

/* Step iota (FIPS 202, 3.2.5). */
static const uint64_t ROUND_CONSTANTS[ROUNDS] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

static inline uint64_t rotate(uint64_t v, unsigned by)
{
    return (v << by) | (v >> ((64 - by) & 63));
}

/* Steps rho and pi for one lane, with theta's D added on the way. */
#define MOVE(to, from, by) b[to] = rotate(a[from] ^ d[(from) % 5], by)

/* Step chi for one plane. */
#define CHI(y)                                                                                     \
    a[(y)] = b[(y)] ^ (~b[(y) + 1] & b[(y) + 2]);                                                  \
    a[(y) + 1] = b[(y) + 1] ^ (~b[(y) + 2] & b[(y) + 3]);                                          \
    a[(y) + 2] = b[(y) + 2] ^ (~b[(y) + 3] & b[(y) + 4]);                                          \
    a[(y) + 3] = b[(y) + 3] ^ (~b[(y) + 4] & b[(y)]);                                              \
    a[(y) + 4] = b[(y) + 4] ^ (~b[(y)] & b[(y) + 1])

/* Every index is a constant, so that the compiler keeps the lanes in registers where it can. */
static inline void one_round(uint64_t a[25], uint64_t constant)
{
    uint64_t b[25], c[5], d[5];

    for (unsigned x = 0; x < 5; x++)
        c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    for (unsigned x = 0; x < 5; x++)
        d[x] = c[(x + 4) % 5] ^ rotate(c[(x + 1) % 5], 1);
    MOVE(0, 0, 0);
    MOVE(1, 6, 44);
    MOVE(2, 12, 43);
    MOVE(3, 18, 21);
    MOVE(4, 24, 14);
    MOVE(5, 3, 28);
    MOVE(6, 9, 20);
    MOVE(7, 10, 3);
    MOVE(8, 16, 45);
    MOVE(9, 22, 61);
    MOVE(10, 1, 1);
    MOVE(11, 7, 6);
    MOVE(12, 13, 25);
    MOVE(13, 19, 8);
    MOVE(14, 20, 18);
    MOVE(15, 4, 27);
    MOVE(16, 5, 36);
    MOVE(17, 11, 10);
    MOVE(18, 17, 15);
    MOVE(19, 23, 56);
    MOVE(20, 2, 62);
    MOVE(21, 8, 55);
    MOVE(22, 14, 39);
    MOVE(23, 15, 41);
    MOVE(24, 21, 2);
    CHI(0);
    CHI(5);
    CHI(10);
    CHI(15);
    CHI(20);
    a[0] ^= constant;
}

/* RFC 9861, 2.1: fewer rounds are the last ones. */
static void permute(uint64_t lanes[25], size_t rounds)
{
    uint64_t a[25];

    memcpy(a, lanes, sizeof a);
    for (size_t i = ROUNDS - rounds; i < ROUNDS; i++)
        one_round(a, ROUND_CONSTANTS[i]);
    memcpy(lanes, a, sizeof a);
    pp_wipe(a, sizeof a);
}

static struct pp_keccak sponge(uint32_t rate, uint8_t suffix)
{
    return (struct pp_keccak){ .rate = rate, .suffix = suffix, .rounds = ROUNDS };
}

static struct pp_keccak turbo(uint32_t rate)
{
    return (struct pp_keccak){ .rate = rate, .suffix = SHAKE_SUFFIX, .rounds = TURBO_ROUNDS };
}

struct pp_keccak pp_shake128(void)
{
    return sponge(PP_SHAKE128_RATE, SHAKE_SUFFIX);
}

struct pp_keccak pp_shake256(void)
{
    return sponge(SHAKE256_RATE, SHAKE_SUFFIX);
}

struct pp_keccak pp_turboshake128(void)
{
    return turbo(PP_SHAKE128_RATE);
}

struct pp_keccak pp_turboshake256(void)
{
    return turbo(SHAKE256_RATE);
}

/* Bytes of the state in the standard's order, whatever the machine's is. */
static inline void xor_byte(struct pp_keccak *k, uint32_t at, uint8_t v)
{
    k->lanes[at / 8] ^= (uint64_t)v << (8 * (at % 8));
}

static uint64_t load_lane(const uint8_t *at)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 8; i++)
        v |= (uint64_t)at[i] << (8 * i);
    return v;
}

static void store_lane(uint8_t *at, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

void pp_keccak_absorb(struct pp_keccak *k, struct pp_span data)
{
    PP_ASSERT(k->squeezes == 0);
    for (size_t i = 0; i < data.len;) {
        if (k->at % 8 == 0 && data.len - i >= 8) {
            k->lanes[k->at / 8] ^= load_lane(data.at + i);
            k->at += 8;
            i += 8;
        } else {
            xor_byte(k, k->at++, data.at[i++]);
        }
        if (k->at == k->rate) {
            permute(k->lanes, k->rounds);
            k->at = 0;
        }
    }
}

void pp_keccak_squeeze(struct pp_keccak *k, uint8_t *ret, size_t len)
{
    if (k->squeezes == 0) {
        xor_byte(k, k->at, k->suffix);
        xor_byte(k, k->rate - 1, 0x80);
        k->squeezes = 1;
        k->at = k->rate; /* nothing of this block is output */
    }
    for (size_t i = 0; i < len;) {
        if (k->at == k->rate) {
            permute(k->lanes, k->rounds);
            k->at = 0;
        }
        if (k->at % 8 == 0 && len - i >= 8) {
            store_lane(ret + i, k->lanes[k->at / 8]);
            k->at += 8;
            i += 8;
        } else {
            ret[i++] = (uint8_t)(k->lanes[k->at / 8] >> (8 * (k->at % 8)));
            k->at++;
        }
    }
}

void pp_keccak_done(struct pp_keccak *k)
{
    pp_wipe(k, sizeof *k);
}

static void whole(struct pp_keccak k, struct pp_span a, struct pp_span b, uint8_t *ret, size_t len)
{
    pp_keccak_absorb(&k, a);
    pp_keccak_absorb(&k, b);
    pp_keccak_squeeze(&k, ret, len);
    pp_keccak_done(&k);
}

void pp_sha3_256(struct pp_span a, struct pp_span b, uint8_t ret[PP_SHA3_256_BYTES])
{
    whole(sponge(SHA3_256_RATE, SHA3_SUFFIX), a, b, ret, PP_SHA3_256_BYTES);
}

void pp_sha3_512(struct pp_span a, struct pp_span b, uint8_t ret[PP_SHA3_512_BYTES])
{
    whole(sponge(SHA3_512_RATE, SHA3_SUFFIX), a, b, ret, PP_SHA3_512_BYTES);
}

void pp_shake256_of(struct pp_span a, struct pp_span b, uint8_t *ret, size_t len)
{
    whole(pp_shake256(), a, b, ret, len);
}
