/* SPDX-License-Identifier: Apache-2.0 */
/* Generic batches: single requests, and their answers, behind one another. */
#include "cred_int.h"

/* `list<V>`: a length of the shortest form, and nothing behind it. */
static pp_res read_list(struct pp_span bytes, struct pp_rd *ret)
{
    struct pp_rd rd = pp_rd_span(bytes);
    uint64_t len = pp_rd_varint_minimal(&rd);

    PP_TRY(pp_rd_ok(&rd));
    PP_CHECK(len <= rd.left, PP_E_TRUNCATED, rd.left);
    PP_CHECK(len == rd.left, PP_E_TRAILING, rd.left);
    PP_CHECK(len > 0, PP_E_RANGE, 0);
    *ret = rd;
    return PP_OK;
}

static const struct cred_type *read_type(struct pp_rd *rd)
{
    return cred_type_find(pp_rd_u16(rd));
}

pp_res pp_cred_generic_parse(struct pp_span bytes, struct pp_span ret[PP_CRED_GENERIC_MAX],
                             size_t *ret_count)
{
    struct pp_rd rd;
    size_t count = 0;

    PP_TRY(read_list(bytes, &rd));
    while (rd.left > 0) {
        struct pp_rd ahead = rd;
        const struct cred_type *type = read_type(&ahead);

        PP_TRY(pp_rd_ok(&ahead));
        PP_CHECK(type != NULL, PP_E_UNSUPPORTED, count);
        PP_CHECK(count < PP_CRED_GENERIC_MAX, PP_E_LIMIT, count);
        ret[count++] = pp_rd_bytes(&rd, 3 + type->element_bytes);
        PP_TRY(pp_rd_ok(&rd));
    }
    *ret_count = count;
    return PP_OK;
}

void pp_cred_generic_write(const struct pp_span *requests, size_t count, struct pp_wr *wr)
{
    size_t len = 0;

    for (size_t i = 0; i < count; i++)
        len += requests[i].len;
    pp_wr_varint(wr, len);
    for (size_t i = 0; i < count; i++)
        pp_wr_span(wr, requests[i]);
}

static pp_res read_answer(struct pp_rd *rd, struct pp_cred_generic_answer *ret)
{
    struct pp_cred_generic_answer a = { 0 };
    uint8_t present = pp_rd_u8(rd);

    PP_TRY(pp_rd_ok(rd));
    PP_CHECK(present <= 1, PP_E_ENCODING, present);
    if (present) {
        const struct cred_type *type = read_type(rd);

        PP_TRY(pp_rd_ok(rd));
        PP_CHECK(type != NULL, PP_E_UNSUPPORTED, 0);
        a.type = type->type;
        a.response = pp_rd_bytes(rd, type->element_bytes + type->proof_bytes);
        PP_TRY(pp_rd_ok(rd));
    }
    *ret = a;
    return PP_OK;
}

pp_res pp_cred_generic_answers_parse(struct pp_span bytes,
                                     struct pp_cred_generic_answer ret[PP_CRED_GENERIC_MAX],
                                     size_t *ret_count)
{
    struct pp_rd rd;
    size_t count = 0;

    PP_TRY(read_list(bytes, &rd));
    while (rd.left > 0) {
        PP_CHECK(count < PP_CRED_GENERIC_MAX, PP_E_LIMIT, count);
        PP_TRY(read_answer(&rd, &ret[count]));
        count++;
    }
    *ret_count = count;
    return PP_OK;
}

void pp_cred_generic_answers_write(const struct pp_cred_generic_answer *answers, size_t count,
                                   struct pp_wr *wr)
{
    size_t len = 0;

    for (size_t i = 0; i < count; i++)
        len += answers[i].response.len > 0 ? 3 + answers[i].response.len : 1;
    pp_wr_varint(wr, len);
    for (size_t i = 0; i < count; i++) {
        pp_wr_u8(wr, answers[i].response.len > 0);
        if (answers[i].response.len == 0)
            continue;
        pp_wr_u16(wr, answers[i].type);
        pp_wr_span(wr, answers[i].response);
    }
}
