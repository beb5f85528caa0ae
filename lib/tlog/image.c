/* SPDX-License-Identifier: Apache-2.0 */
#include "image.h"

#include "text.h"

#include "record_int.h"

static const struct pp_span IMAGE_TYPE = { (const uint8_t *)"image-manifest/v1", 17 };

pp_res pp_image_parse(struct pp_span text, struct pp_release *ret)
{
    struct pp_rec_rd rd = pp_rec_rd_over(text);
    struct pp_release r = { 0 };

    pp_rec_take(&rd, "type");
    struct pp_span type = pp_rec_word(&rd);
    pp_rec_done(&rd);
    pp_rec_require(&rd, pp_span_eq(type, IMAGE_TYPE), PP_E_UNSUPPORTED);
    pp_rec_role_read(&rd, &r);
    pp_rec_image_read(&rd, &r);
    PP_TRY(pp_rec_rd_end(&rd));
    *ret = r;
    return PP_OK;
}

pp_res pp_image_write(struct pp_wr *wr, const struct pp_release *r)
{
    struct pp_release again;
    size_t from = wr->len;

    PP_CHECK(r->role < PP_RECORD_ROLES, PP_E_RANGE, r->role);
    PP_TRY(pp_wr_ok(wr));
    pp_rec_wr_key(wr, "type");
    pp_rec_wr_word(wr, IMAGE_TYPE);
    pp_rec_wr_end(wr);
    pp_rec_role_write(wr, r);
    pp_rec_image_write(wr, r);
    PP_TRY(pp_wr_ok(wr));
    return pp_image_parse(pp_span(wr->at + from, wr->len - from), &again);
}

/* --- what a row is measured from ----------------------------------------------------------- */

pp_res pp_image_label_parse(struct pp_span label, struct pp_image_label *ret)
{
    struct pp_image_label l;
    struct pp_span rest = label;

    PP_CHECK(pp_text_cut(&rest, ':', &l.firmware), PP_E_FORMAT, 0);
    PP_CHECK(pp_text_cut(&rest, ':', &l.cpu), PP_E_FORMAT, 0);
    PP_CHECK(l.firmware.len > 0 && l.cpu.len > 0, PP_E_FORMAT, 0);
    PP_TRY(pp_decimal_parse(rest, UINT32_MAX, &l.features));
    *ret = l;
    return PP_OK;
}
