/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

pp_res pp_message_head_parse(struct pp_rd *rd, enum pp_message_type *ret_type, size_t *ret_len)
{
    uint8_t type = pp_rd_u8(rd);
    uint32_t len = pp_rd_u32(rd);

    PP_TRY(pp_rd_ok(rd));
    PP_CHECK(type >= PP_MESSAGE_EVIDENCE && type <= PP_MESSAGE_SEALED_STREAM, PP_E_UNSUPPORTED,
             type);
    PP_CHECK(len <= PP_MESSAGE_BYTES_MAX, PP_E_LIMIT, len);
    *ret_type = (enum pp_message_type)type;
    *ret_len = len;
    return PP_OK;
}

void pp_message_head_write(struct pp_wr *wr, enum pp_message_type type, size_t len)
{
    PP_ASSERT(len <= PP_MESSAGE_BYTES_MAX);
    pp_wr_u8(wr, (uint8_t)type);
    pp_wr_u32(wr, (uint32_t)len);
}

pp_res pp_message_parse(struct pp_span bytes, enum pp_message_type want, struct pp_span *ret_body)
{
    struct pp_rd rd = pp_rd_span(bytes);
    enum pp_message_type type;
    size_t len;

    PP_TRY(pp_message_head_parse(&rd, &type, &len));
    PP_CHECK(type == want, PP_E_MISMATCH, type);
    struct pp_span body = pp_rd_bytes(&rd, len);
    PP_TRY(pp_rd_end(&rd));
    *ret_body = body;
    return PP_OK;
}

size_t pp_padded_begin(struct pp_wr *wr)
{
    return pp_wr_block32_begin(wr);
}

pp_res pp_padded_end(struct pp_wr *wr, size_t mark, size_t room)
{
    /* The mark is where the length stands, so the plaintext began there. */
    pp_wr_block32_end(wr, mark);
    pp_wr_fill_to(wr, mark + room);
    return pp_wr_ok(wr);
}

pp_res pp_padded_parse(struct pp_span pt, struct pp_span *ret_cbor)
{
    struct pp_rd rd = pp_rd_span(pt);
    uint32_t n = pp_rd_u32(&rd);

    PP_TRY(pp_rd_ok(&rd));
    PP_CHECK(n >= 1 && n <= rd.left, PP_E_RANGE, n);
    struct pp_span cbor = pp_rd_bytes(&rd, n);
    pp_rd_zeros(&rd, rd.left);
    PP_TRY(pp_rd_end(&rd));
    *ret_cbor = cbor;
    return PP_OK;
}
