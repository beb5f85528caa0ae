/* SPDX-License-Identifier: Apache-2.0 */
#include "oprf_int.h"

#include "wr.h"

enum { DST_BYTES_MAX = 64 };

/* `label` || contextString (RFC 9497 3.1). */
static struct pp_span context(const struct pp_oprf_suite *s, enum pp_oprf_mode mode,
                              const char *label, uint8_t *buf, size_t cap)
{
    struct pp_wr wr = pp_wr_over(buf, cap);

    pp_wr_text(&wr, label);
    pp_wr_text(&wr, "OPRFV1-");
    pp_wr_u8(&wr, (uint8_t)mode);
    pp_wr_text(&wr, "-");
    pp_wr_text(&wr, s->identifier);
    PP_ASSERT(wr.failed == PP_E_OK);
    return pp_wr_done(&wr);
}

void pp_oprf_hash_block16(struct pp_hash *h, struct pp_span bytes)
{
    pp_hash_u16(h, (uint16_t)bytes.len);
    pp_hash_update(h, bytes);
}

void pp_oprf_hash_element(const struct pp_oprf_suite *s, struct pp_hash *h, const uint8_t *element)
{
    pp_oprf_hash_block16(h, pp_span(element, s->element_bytes));
}

void pp_oprf_hash_context(const struct pp_oprf_suite *s, struct pp_hash *h, enum pp_oprf_mode mode,
                          const char *label)
{
    uint8_t buf[DST_BYTES_MAX];

    pp_oprf_hash_block16(h, context(s, mode, label, buf, sizeof buf));
}

void pp_oprf_expand_begin(const struct pp_oprf_suite *s, struct pp_hash *h)
{
    static const uint8_t zeros[PP_HASH_BLOCK_MAX];

    pp_hash_init(h, s->hash);
    pp_hash_update(h, pp_span(zeros, pp_hash_block(s->hash)));
}

/* b_i = H((b_0 XOR b_(i-1)) || i || DST'), with b_0 alone in the first. */
static void expand_block(const struct pp_oprf_suite *s, struct pp_span dst, uint8_t i,
                         const uint8_t *b0, uint8_t *block)
{
    struct pp_hash h;

    for (size_t k = 0; k < pp_hash_len(s->hash); k++)
        block[k] ^= b0[k];
    pp_hash_init(&h, s->hash);
    pp_hash_update(&h, pp_span(block, pp_hash_len(s->hash)));
    pp_hash_u8(&h, i);
    pp_hash_update(&h, dst);
    pp_hash_u8(&h, (uint8_t)dst.len);
    pp_hash_final(&h, block);
}

void pp_oprf_expand_end(const struct pp_oprf_suite *s, enum pp_oprf_mode mode, const char *label,
                        struct pp_hash *h, uint8_t *ret, size_t len)
{
    uint8_t buf[DST_BYTES_MAX];
    struct pp_span dst = context(s, mode, label, buf, sizeof buf);
    PP_AUTO(pp_oprf_scratch) b0;
    PP_AUTO(pp_oprf_scratch) block = { 0 };
    size_t step = pp_hash_len(s->hash);

    PP_ASSERT(len <= PP_OPRF_UNIFORM_BYTES_MAX);
    pp_hash_u16(h, (uint16_t)len);
    pp_hash_u8(h, 0);
    pp_hash_update(h, dst);
    pp_hash_u8(h, (uint8_t)dst.len);
    pp_hash_final(h, b0.bytes);
    for (size_t at = 0; at < len; at += step) {
        expand_block(s, dst, (uint8_t)(at / step + 1), b0.bytes, block.bytes);
        memcpy(ret + at, block.bytes, len - at < step ? len - at : step);
    }
}

pp_res pp_oprf_scalar_end(const struct pp_oprf_suite *s, enum pp_oprf_mode mode, const char *label,
                          struct pp_hash *h, uint8_t *ret)
{
    PP_AUTO(pp_oprf_scratch) wide;

    pp_oprf_expand_end(s, mode, label, h, wide.bytes, s->wide_bytes);
    return s->reduce(wide.bytes, ret);
}

/* The identity comes out with probability 2^-252 or less, and is refused all the same. */
pp_res pp_oprf_hash_to_group(const struct pp_oprf_suite *s, enum pp_oprf_mode mode,
                             struct pp_span input, uint8_t *ret)
{
    PP_AUTO(pp_oprf_scratch) uniform;
    struct pp_hash h;

    PP_CHECK(input.len <= PP_OPRF_INPUT_BYTES_MAX, PP_E_RANGE, input.len);
    pp_oprf_expand_begin(s, &h);
    pp_hash_update(&h, input);
    pp_oprf_expand_end(s, mode, "HashToGroup-", &h, uniform.bytes, s->uniform_bytes);
    PP_TRY(s->map(uniform.bytes, ret));
    uint32_t identity = pp_ct_is_zero(ret, s->element_bytes);
    PP_REVEAL(&identity, sizeof identity, "nobody knows an input for which this is set");
    PP_CHECK(identity == 0, PP_E_KEY, 0);
    return PP_OK;
}
