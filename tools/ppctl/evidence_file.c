/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence_file.h"

#include "cbor.h"
#include "cmw.h"

const char *evidence_form_name(enum evidence_form form)
{
    switch (form) {
    case EVIDENCE_MAP:
        return "map";
    case EVIDENCE_BODY:
        return "message";
    default:
        return "CMW";
    }
}

/* A map whose first key is a number is ours; one with a text key is a collection. */
static int is_evidence_map(struct pp_span bytes)
{
    struct pp_rd rd = pp_rd_span(bytes);
    uint64_t pairs = 0;

    return pp_cbor_rd_head(&rd, &pairs) == PP_CBOR_MAP && pp_cbor_peek(&rd) == PP_CBOR_UINT;
}

static const struct pp_cmw_record *find(const struct pp_cmw *c, struct pp_span label)
{
    for (size_t i = 0; i < c->count; i++)
        if (pp_span_eq(c->records[i].label, label))
            return &c->records[i];
    return NULL;
}

static int is_evidence_of(const struct pp_cmw_record *r, struct pp_span media_type)
{
    return pp_span_eq(r->media_type, media_type) && (r->ind == 0 || r->ind == PP_CMW_EVIDENCE);
}

/* Key 4 is a list of GPUs; the collection has the one that there may be in a record of its own. */
static pp_res put_together(struct pp_span cpu, struct pp_span gpu,
                           uint8_t buffer[PP_EVIDENCE_BYTES_MAX], struct pp_span *ret)
{
    static const uint8_t list_of_one = 0x81;
    uint8_t key4[PP_EVIDENCE_BYTES_MAX];
    struct pp_wr list = pp_wr_over(key4, sizeof key4);
    struct pp_wr wr = pp_wr_over(buffer, PP_EVIDENCE_BYTES_MAX);
    struct pp_evidence e;

    PP_TRY_AS(PP_E_EVIDENCE_FORMAT, pp_evidence_parse(cpu, PP_END_SERVER, &e));
    PP_CHECK(e.gpu_encoding.len == 0, PP_E_EVIDENCE_FORMAT, 4); /* there twice */
    pp_wr_u8(&list, list_of_one);
    pp_wr_span(&list, gpu);
    PP_TRY_AS(PP_E_EVIDENCE_FORMAT, pp_wr_ok(&list));
    e.gpu_encoding = pp_wr_done(&list);
    PP_TRY_AS(PP_E_EVIDENCE_FORMAT, pp_evidence_write(&wr, &e));
    *ret = pp_wr_done(&wr);
    return PP_OK;
}

static pp_res open_cmw(struct pp_span bytes, uint8_t buffer[PP_EVIDENCE_BYTES_MAX],
                       struct pp_span *ret)
{
    struct pp_cmw c;

    PP_TRY_AS(PP_E_EVIDENCE_FORMAT, pp_cmw_parse(bytes, &c));
    const struct pp_cmw_record *cpu = find(&c, PP_STR("cpu"));
    const struct pp_cmw_record *gpu = find(&c, PP_STR("gpu0"));
    /* A second GPU, or anything else beside them, is not passed over. */
    PP_CHECK(cpu != NULL && c.count == (gpu != NULL ? 2 : 1), PP_E_EVIDENCE_TEE_UNKNOWN, c.count);
    PP_CHECK(is_evidence_of(cpu, PP_STR(EVIDENCE_CPU_TYPE)), PP_E_EVIDENCE_TEE_UNKNOWN, 0);
    if (gpu == NULL) {
        *ret = cpu->value;
        return PP_OK;
    }
    PP_CHECK(is_evidence_of(gpu, PP_STR(EVIDENCE_GPU_TYPE)), PP_E_EVIDENCE_TEE_UNKNOWN, 1);
    return put_together(cpu->value, gpu->value, buffer, ret);
}

pp_res evidence_file_open(struct pp_span bytes, uint8_t buffer[PP_EVIDENCE_BYTES_MAX],
                          struct pp_span *ret_cbor, enum evidence_form *ret_form)
{
    if (bytes.len == PP_EVIDENCE_BODY_BYTES && bytes.at[0] == 0) { /* no map begins with 0 */
        *ret_form = EVIDENCE_BODY;
        PP_TRY_AS(PP_E_EVIDENCE_FORMAT, pp_evidence_body_parse(bytes, ret_cbor));
        return PP_OK;
    }
    if (is_evidence_map(bytes)) {
        *ret_form = EVIDENCE_MAP;
        *ret_cbor = bytes;
        return PP_OK;
    }
    *ret_form = EVIDENCE_CMW;
    return open_cmw(bytes, buffer, ret_cbor);
}
