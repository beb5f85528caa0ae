/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PKCS#8 of Ed25519 keys. DER gives such a key only two shapes, of fixed length each, so this
 * compares with those shapes and parses no ASN.1. From the base64 on, everything is secret: no
 * branch and no index depends on it.
 */
#include "ct.h"
#include "rd.h"
#include "sign.h"

enum {
    V1_BYTES = 48,
    V2_BYTES = 83,
    SEED_AT = 16,
    PK_AT = 51,
    PEM_LINE_CHARS = 64,
    PEM_CHARS_MAX = (V2_BYTES + 2) / 3 * 4,
};

/* SEQUENCE, version 0, the algorithm 1.3.101.112, and an OCTET STRING in an OCTET STRING. */
static const uint8_t V1_HEAD[SEED_AT] = { 0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                          0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20 };
/* Version 1 says that the public key follows: [1] IMPLICIT BIT STRING, no unused bits. */
static const uint8_t V2_HEAD[SEED_AT] = { 0x30, 0x51, 0x02, 0x01, 0x01, 0x30, 0x05, 0x06,
                                          0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20 };
static const uint8_t V2_MIDDLE[] = { 0x81, 0x21, 0x00 };

static pp_res take_public(const uint8_t *der, const struct pp_secret *seed)
{
    uint8_t pk[PP_ED25519_PK_BYTES];

    PP_CHECK(memcmp(der + SEED_AT + PP_ED25519_SEED_BYTES, V2_MIDDLE, sizeof V2_MIDDLE) == 0,
             PP_E_FORMAT, SEED_AT + PP_ED25519_SEED_BYTES);
    PP_TRY(pp_ed25519_public(pp_secret_span(seed), pk));
    PP_REVEAL(pk, sizeof pk, "a public key is public");
    PP_CHECK(memcmp(der + PK_AT, pk, sizeof pk) == 0, PP_E_MISMATCH, 0);
    return PP_OK;
}

static pp_res take_der(struct pp_span der, struct pp_secret *ret)
{
    PP_AUTO(pp_secret) seed = { 0 };

    PP_CHECK(der.len == V1_BYTES || der.len == V2_BYTES, PP_E_FORMAT, der.len);
    PP_CHECK(memcmp(der.at, der.len == V1_BYTES ? V1_HEAD : V2_HEAD, SEED_AT) == 0, PP_E_FORMAT, 0);
    PP_TRY(pp_secret_copy(&seed, pp_span(der.at + SEED_AT, PP_ED25519_SEED_BYTES)));
    if (der.len == V2_BYTES)
        PP_TRY(take_public(der.at, &seed));
    *ret = seed;
    seed = (struct pp_secret){ 0 };
    return PP_OK;
}

/* --- PEM ----------------------------------------------------------------------------------- */

static uint32_t mask_between(uint32_t c, uint32_t from, uint32_t to)
{
    return 0 - (((from - 1 - c) & (c - to - 1)) >> 31); /* both differences are negative */
}

/* The value of a base64 character; `*bad` gets a bit if it is none. */
static uint32_t digit(uint32_t c, uint32_t *bad)
{
    const uint32_t upper = mask_between(c, 'A', 'Z');
    const uint32_t lower = mask_between(c, 'a', 'z');
    const uint32_t number = mask_between(c, '0', '9');
    const uint32_t plus = mask_between(c, '+', '+');
    const uint32_t slash = mask_between(c, '/', '/');

    *bad |= ~(upper | lower | number | plus | slash) & 1;
    return (upper & (c - 'A')) | (lower & (c - 'a' + 26)) | (number & (c - '0' + 52)) |
           (plus & 62) | (slash & 63);
}

/* Groups of four characters; where the last one is padding, it counts as zero and must be one. */
static pp_res decode(const uint8_t *chars, size_t count, uint8_t *ret)
{
    uint32_t bad = 0;

    for (size_t i = 0; i < count / 4; i++) {
        uint32_t group = 0;
        for (size_t k = 0; k < 4; k++)
            group = group << 6 | digit(chars[4 * i + k], &bad);
        ret[3 * i] = (uint8_t)(group >> 16);
        ret[3 * i + 1] = (uint8_t)(group >> 8);
        ret[3 * i + 2] = (uint8_t)group;
    }
    PP_REVEAL(&bad, sizeof bad, "a file that is no key holds no secret");
    PP_CHECK(bad == 0, PP_E_FORMAT, 0);
    return PP_OK;
}

static pp_res take_base64(uint8_t *chars, size_t count, struct pp_secret *ret)
{
    uint8_t der[PEM_CHARS_MAX / 4 * 3];
    size_t len = count / 4 * 3;

    if (count == PEM_CHARS_MAX) { /* version 2 fills 83 bytes of 84 */
        PP_CHECK(chars[count - 1] == '=', PP_E_FORMAT, count);
        chars[count - 1] = 'A';
        len = V2_BYTES;
    }
    pp_res r = decode(chars, count, der);
    PP_REVEAL(der, SEED_AT, "the head is the same for every key");
    if (pp_is_ok(r) && len == V2_BYTES && der[V2_BYTES] != 0)
        r = PP_FAIL(PP_E_FORMAT, V2_BYTES);
    if (pp_is_ok(r))
        r = take_der(pp_span(der, len), ret);
    pp_wipe(der, sizeof der);
    return r;
}

static void expect(struct pp_rd *rd, struct pp_span text, int *ok)
{
    *ok &= pp_span_eq(pp_rd_bytes(rd, text.len), text);
}

/* The places of everything are known: two lengths, with LF or CR LF. */
static pp_res take_pem(struct pp_span pem, struct pp_secret *ret)
{
    const struct pp_span begin = PP_STR("-----BEGIN PRIVATE KEY-----");
    const struct pp_span end = PP_STR("-----END PRIVATE KEY-----");
    uint8_t chars[PEM_CHARS_MAX];
    struct pp_rd rd = pp_rd_span(pem);
    int ok = 1;

    expect(&rd, begin, &ok);
    struct pp_span eol = rd.left > 0 && rd.at[0] == '\r' ? PP_STR("\r\n") : PP_STR("\n");
    expect(&rd, eol, &ok);
    size_t count = PEM_LINE_CHARS;
    pp_rd_copy(&rd, chars, PEM_LINE_CHARS);
    expect(&rd, eol, &ok);
    if (rd.left > end.len + eol.len) {
        count = PEM_CHARS_MAX;
        pp_rd_copy(&rd, chars + PEM_LINE_CHARS, PEM_CHARS_MAX - PEM_LINE_CHARS);
        expect(&rd, eol, &ok);
    }
    expect(&rd, end, &ok);
    if (rd.left > 0)
        expect(&rd, eol, &ok);
    pp_res r = pp_rd_end(&rd);
    if (!pp_is_ok(r) || !ok)
        r = PP_FAIL(PP_E_FORMAT, 0);
    else
        r = take_base64(chars, count, ret);
    pp_wipe(chars, sizeof chars);
    return r;
}

pp_res pp_ed25519_pkcs8_parse(struct pp_span file, struct pp_secret *ret_seed)
{
    if (file.len > 0 && file.at[0] == V1_HEAD[0])
        return take_der(file, ret_seed);
    return take_pem(file, ret_seed);
}
