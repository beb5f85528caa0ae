/* SPDX-License-Identifier: Apache-2.0 */
/* The ID block: what a guest's owner signs before launch (AMD 56860, SNP_LAUNCH_FINISH). */
#include "launch.h"

#include "rd.h"
#include "sign.h"
#include "wr.h"

enum { ID_BLOCK_VERSION = 1, CURVE_P384 = 2, INT_BYTES = 72, P384_BYTES = 48 };

pp_res pp_id_block_parse(struct pp_span bytes, struct pp_id_block *ret)
{
    struct pp_id_block b = { 0 };
    struct pp_rd rd = pp_rd_span(bytes);

    pp_rd_copy(&rd, b.launch_digest, sizeof b.launch_digest);
    pp_rd_copy(&rd, b.family_id, sizeof b.family_id);
    pp_rd_copy(&rd, b.image_id, sizeof b.image_id);
    uint32_t version = pp_rd_u32le(&rd);
    b.guest_svn = pp_rd_u32le(&rd);
    b.policy = pp_rd_u64le(&rd);
    PP_TRY_AS(PP_E_FORMAT, pp_rd_end(&rd));
    PP_CHECK(version == ID_BLOCK_VERSION, PP_E_FORMAT, version);
    *ret = b;
    return PP_OK;
}

void pp_id_block_write(const struct pp_id_block *b, uint8_t ret[PP_ID_BLOCK_BYTES])
{
    struct pp_wr wr = pp_wr_over(ret, PP_ID_BLOCK_BYTES);

    pp_wr_span(&wr, PP_BYTES(b->launch_digest));
    pp_wr_span(&wr, PP_BYTES(b->family_id));
    pp_wr_span(&wr, PP_BYTES(b->image_id));
    pp_wr_u32le(&wr, ID_BLOCK_VERSION);
    pp_wr_u32le(&wr, b->guest_svn);
    pp_wr_u64le(&wr, b->policy);
    PP_ASSERT(wr.len == PP_ID_BLOCK_BYTES && pp_is_ok(pp_wr_ok(&wr)));
}

static void write_le(struct pp_wr *wr, const uint8_t *be)
{
    for (size_t i = P384_BYTES; i > 0; i--)
        pp_wr_u8(wr, be[i - 1]);
    pp_wr_zeros(wr, INT_BYTES - P384_BYTES);
}

pp_res pp_id_key_write(struct pp_span point, uint8_t ret[PP_ID_KEY_BYTES])
{
    struct pp_wr wr = pp_wr_over(ret, PP_ID_KEY_BYTES);

    PP_CHECK(point.len == PP_P384_POINT_BYTES && point.at[0] == 0x04, PP_E_KEY, point.len);
    pp_wr_u32le(&wr, CURVE_P384);
    write_le(&wr, point.at + 1);
    write_le(&wr, point.at + 1 + P384_BYTES);
    pp_wr_fill_to(&wr, PP_ID_KEY_BYTES);
    return pp_wr_ok(&wr);
}

pp_res pp_id_key_digest(struct pp_span point, uint8_t ret[PP_LAUNCH_DIGEST_BYTES])
{
    uint8_t key[PP_ID_KEY_BYTES];

    PP_TRY(pp_id_key_write(point, key));
    pp_sha384(PP_BYTES(key), ret);
    return PP_OK;
}

static void read_le(struct pp_rd *rd, uint8_t ret_be[P384_BYTES])
{
    for (size_t i = P384_BYTES; i > 0; i--)
        ret_be[i - 1] = pp_rd_u8(rd);
    pp_rd_zeros(rd, INT_BYTES - P384_BYTES);
}

pp_res pp_id_signature_verify(struct pp_span point, struct pp_span message,
                              struct pp_span signature)
{
    struct pp_rd rd = pp_rd_span(signature);
    uint8_t r[P384_BYTES], s[P384_BYTES];

    read_le(&rd, r);
    read_le(&rd, s);
    pp_rd_zeros(&rd, PP_ID_SIGNATURE_BYTES - 2 * INT_BYTES);
    PP_TRY_AS(PP_E_FORMAT, pp_rd_end(&rd));
    return pp_ecdsa_verify_raw(PP_P384, point, PP_SHA384, message, r, s);
}
