/* SPDX-License-Identifier: Apache-2.0 */
/* The TDX metadata of a firmware file, and MRTD over the calls that build a guest from it. */
#include "tdvf.h"

#include "launch_int.h"
#include "rd.h"
#include "wr.h"

enum {
    METADATA_VERSION = 1,
    METADATA_HEAD_BYTES = 16,
    SECTION_BYTES = 32,
    CALL_BYTES = 128, /* what one call adds to the measurement, before the content */
    CALL_GPA_AT = 16,
    CHUNK_BYTES = 256, /* what TDH.MR.EXTEND takes at a time */
};

static const uint64_t GPA_MAX = UINT64_C(1) << 52;

static pp_res check_section(const struct pp_tdvf *t, const struct pp_tdvf_section *s, size_t pages)
{
    PP_CHECK(s->type <= PP_TDVF_TEMP_MEM, PP_E_UNSUPPORTED, s->type);
    PP_CHECK((s->attributes & ~(uint32_t)(PP_TDVF_EXTEND | PP_TDVF_AUGMENT)) == 0, PP_E_UNSUPPORTED,
             s->attributes);
    PP_CHECK(s->gpa % PP_LAUNCH_PAGE_BYTES == 0 && s->memory_bytes % PP_LAUNCH_PAGE_BYTES == 0,
             PP_E_FORMAT, s->gpa);
    PP_CHECK(s->gpa < GPA_MAX && s->memory_bytes > 0, PP_E_FORMAT, s->gpa);
    PP_CHECK(s->memory_bytes / PP_LAUNCH_PAGE_BYTES <= PP_TDVF_PAGES_MAX - pages, PP_E_LIMIT,
             s->memory_bytes / PP_LAUNCH_PAGE_BYTES);
    PP_CHECK(s->raw_bytes <= s->memory_bytes && s->data_offset <= t->file.len &&
                 s->raw_bytes <= t->file.len - s->data_offset,
             PP_E_FORMAT, s->data_offset);
    if ((s->attributes & PP_TDVF_EXTEND) == 0)
        return PP_OK;
    /* What is measured has been added, and is all of it in the file. */
    PP_CHECK((s->attributes & PP_TDVF_AUGMENT) == 0 && s->raw_bytes == s->memory_bytes, PP_E_FORMAT,
             s->raw_bytes);
    return PP_OK;
}

static pp_res read_sections(struct pp_rd *rd, uint32_t count, struct pp_tdvf *t)
{
    size_t pages = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct pp_tdvf_section *s = &t->sections[i];
        s->data_offset = pp_rd_u32le(rd);
        s->raw_bytes = pp_rd_u32le(rd);
        s->gpa = pp_rd_u64le(rd);
        s->memory_bytes = pp_rd_u64le(rd);
        s->type = pp_rd_u32le(rd);
        s->attributes = pp_rd_u32le(rd);
        PP_TRY_AS(PP_E_FORMAT, pp_rd_ok(rd));
        PP_TRY(check_section(t, s, pages));
        pages += s->memory_bytes / PP_LAUNCH_PAGE_BYTES;
    }
    t->section_count = count;
    return PP_OK;
}

pp_res pp_tdvf_parse(struct pp_span file, struct pp_tdvf *ret)
{
    struct pp_tdvf t = { .file = file };
    struct firmware_entries e;
    struct pp_span metadata;

    PP_TRY(firmware_read_table(file, &e));
    PP_CHECK(e.tdx_metadata.at != NULL, PP_E_MISSING, 0);
    PP_TRY(firmware_behind(file, e.tdx_metadata, &metadata));
    struct pp_rd rd = pp_rd_span(metadata);
    struct pp_span magic = pp_rd_bytes(&rd, 4);
    uint32_t size = pp_rd_u32le(&rd);
    uint32_t version = pp_rd_u32le(&rd);
    uint32_t count = pp_rd_u32le(&rd);
    PP_TRY_AS(PP_E_FORMAT, pp_rd_ok(&rd));
    PP_CHECK(pp_span_eq(magic, PP_STR("TDVF")), PP_E_FORMAT, 0);
    PP_CHECK(version == METADATA_VERSION, PP_E_UNSUPPORTED, version);
    PP_CHECK(count >= 1, PP_E_MISSING, count);
    PP_CHECK(count <= PP_TDVF_SECTIONS_MAX, PP_E_LIMIT, count);
    PP_CHECK(size == METADATA_HEAD_BYTES + count * SECTION_BYTES, PP_E_FORMAT, size);
    PP_TRY(read_sections(&rd, count, &t));
    *ret = t;
    return PP_OK;
}

/* --- the calls that build a guest ------------------------------------------------------------- */

static void add_call(struct pp_hash *h, const char *name, uint64_t gpa)
{
    uint8_t call[CALL_BYTES];
    struct pp_wr wr = pp_wr_over(call, sizeof call);

    pp_wr_text(&wr, name);
    pp_wr_fill_to(&wr, CALL_GPA_AT);
    pp_wr_u64le(&wr, gpa);
    pp_wr_fill_to(&wr, CALL_BYTES);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    pp_hash_update(h, PP_BYTES(call));
}

static void add_page(struct pp_hash *h, const struct pp_tdvf_section *s, uint64_t page)
{
    if ((s->attributes & PP_TDVF_AUGMENT) == 0)
        add_call(h, "MEM.PAGE.ADD", s->gpa + page * PP_LAUNCH_PAGE_BYTES);
}

static void extend_page(struct pp_hash *h, const struct pp_tdvf *t, const struct pp_tdvf_section *s,
                        uint64_t page)
{
    if ((s->attributes & PP_TDVF_EXTEND) == 0)
        return;
    for (uint64_t in_page = 0; in_page < PP_LAUNCH_PAGE_BYTES; in_page += CHUNK_BYTES) {
        uint64_t at = page * PP_LAUNCH_PAGE_BYTES + in_page;
        add_call(h, "MR.EXTEND", s->gpa + at);
        pp_hash_update(h, pp_span(t->file.at + s->data_offset + at, CHUNK_BYTES));
    }
}

void pp_tdvf_mrtd(const struct pp_tdvf *tdvf, enum pp_tdx_add_order order,
                  uint8_t ret[PP_SHA384_BYTES])
{
    struct pp_hash h;

    pp_hash_init(&h, PP_SHA384);
    for (size_t i = 0; i < tdvf->section_count; i++) {
        const struct pp_tdvf_section *s = &tdvf->sections[i];
        uint64_t pages = s->memory_bytes / PP_LAUNCH_PAGE_BYTES;

        for (uint64_t page = 0; page < pages; page++) {
            add_page(&h, s, page);
            if (order == PP_TDX_BY_PAGE)
                extend_page(&h, tdvf, s, page);
        }
        for (uint64_t page = 0; order == PP_TDX_BY_SECTION && page < pages; page++)
            extend_page(&h, tdvf, s, page);
    }
    pp_hash_final(&h, ret);
}
