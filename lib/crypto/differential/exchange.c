/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"

enum { PREFIX_BYTES = 4 };

void block_write(struct pp_wr *wr, struct pp_span s)
{
    size_t mark = pp_wr_block16_begin(wr);

    pp_wr_span(wr, s);
    pp_wr_block16_end(wr, mark);
}

struct pp_span block_read(struct pp_rd *rd)
{
    struct pp_rd body = pp_rd_block16(rd);

    return pp_rd_rest(&body);
}

pp_res request_parse(struct pp_rd *rd, struct request *ret)
{
    struct request q = { 0 };

    q.op = pp_rd_u8(rd);
    q.aead = pp_rd_u16(rd);
    q.key = block_read(rd);
    q.other = block_read(rd);
    q.info = block_read(rd);
    q.exporter_context = block_read(rd);
    q.export_len = pp_rd_u16(rd);
    q.count = pp_rd_u8(rd);
    PP_CHECK(q.count <= MESSAGES_MAX, PP_E_RANGE, q.count);
    for (size_t i = 0; i < q.count; i++) {
        q.messages[i].aad = block_read(rd);
        q.messages[i].text = block_read(rd);
        PP_CHECK(q.messages[i].text.len <= TEXT_BYTES_MAX, PP_E_RANGE, q.messages[i].text.len);
    }
    PP_TRY(pp_rd_end(rd));
    *ret = q;
    return PP_OK;
}

void request_write(const struct request *q, struct pp_wr *wr)
{
    pp_wr_u8(wr, q->op);
    pp_wr_u16(wr, q->aead);
    block_write(wr, q->key);
    block_write(wr, q->other);
    block_write(wr, q->info);
    block_write(wr, q->exporter_context);
    pp_wr_u16(wr, q->export_len);
    pp_wr_u8(wr, (uint8_t)q->count);
    for (size_t i = 0; i < q->count; i++) {
        block_write(wr, q->messages[i].aad);
        block_write(wr, q->messages[i].text);
    }
}

pp_res frame_send(FILE *to, struct pp_span body)
{
    uint8_t prefix[PREFIX_BYTES];
    struct pp_wr wr = pp_wr_over(prefix, sizeof prefix);

    pp_wr_u32(&wr, (uint32_t)body.len);
    PP_CHECK(fwrite(prefix, sizeof prefix, 1, to) == 1, PP_E_CLOSED, 0);
    PP_CHECK(fwrite(body.at, 1, body.len, to) == body.len && fflush(to) == 0, PP_E_CLOSED, 1);
    return PP_OK;
}

pp_res frame_receive(FILE *from, uint8_t *buf, size_t cap, struct pp_rd *ret)
{
    uint8_t prefix[PREFIX_BYTES];

    PP_CHECK(fread(prefix, sizeof prefix, 1, from) == 1, PP_E_CLOSED, 2);
    struct pp_rd rd = pp_rd_over(prefix, sizeof prefix);
    size_t len = pp_rd_u32(&rd);
    PP_CHECK(len <= cap, PP_E_LIMIT, len);
    PP_CHECK(fread(buf, 1, len, from) == len, PP_E_CLOSED, 3);
    *ret = pp_rd_over(buf, len);
    return PP_OK;
}
