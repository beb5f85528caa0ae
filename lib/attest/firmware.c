/* SPDX-License-Identifier: Apache-2.0 */
/* The footer table of a firmware file (edk2's reset vector tables) and the SNP metadata. */
#include "launch_int.h"

#include "rd.h"

enum {
    AFTER_TABLE_BYTES = 32, /* between the table and the end of the file */
    GUID_BYTES = 16,
    ENTRY_TAIL_BYTES = 2 + GUID_BYTES, /* u16 size, GUID */
    METADATA_VERSION = 1,
    SECTION_BYTES = 12,
    METADATA_HEAD_BYTES = 16,
};

/* GUIDs as the bytes in the file: the first three groups little-endian. */
#define GUID_FOOTER        "\xde\x82\xb5\x96\xb2\x1f\xf7\x45\xba\xea\xa3\x66\xc5\x5a\x08\x2d"
#define GUID_RESET_BLOCK   "\xde\x71\xf7\x00\x7e\x1a\xcb\x4f\x89\x0e\x68\xc7\x7e\x2f\xb4\x4e"
#define GUID_KERNEL_HASHES "\x1f\x37\x55\x72\x3b\x3a\x04\x4b\x92\x7b\x1d\xa6\xef\xa8\xd4\x54"
#define GUID_SVSM_INFO     "\x12\xa6\x89\xa7\x97\x05\x4b\x4c\xa4\x9f\xcb\xb1\xfe\x9d\x1d\xdd"
#define GUID_TDX_METADATA  "\x35\x65\x7a\xe4\x4a\x98\x98\x47\x86\x5e\x46\x85\xa7\xbf\x8e\xc2"
#define GUID_SNP_METADATA  "\x66\x65\x88\xdc\x4a\x98\x98\x47\xa7\x5e\x55\x85\xa7\xbf\x67\xcc"

/* Takes the last `len` bytes off. */
static pp_res take_tail(struct pp_span *rest, size_t len, struct pp_span *ret)
{
    PP_CHECK(len <= rest->len, PP_E_FORMAT, len);
    rest->len -= len;
    *ret = pp_span(rest->at + rest->len, len);
    return PP_OK;
}

/* One entry off the end of the table: its GUID, and the data in front of it. */
static pp_res take_entry(struct pp_span *rest, struct pp_span *ret_guid, struct pp_span *ret_data)
{
    struct pp_span tail;

    PP_TRY(take_tail(rest, ENTRY_TAIL_BYTES, &tail));
    struct pp_rd rd = pp_rd_span(tail);
    size_t size = pp_rd_u16le(&rd);
    *ret_guid = pp_rd_bytes(&rd, GUID_BYTES);
    PP_TRY(pp_rd_end(&rd));
    PP_CHECK(size >= ENTRY_TAIL_BYTES, PP_E_FORMAT, size);
    return take_tail(rest, size - ENTRY_TAIL_BYTES, ret_data);
}

static pp_res keep(struct pp_span *slot, struct pp_span data)
{
    PP_CHECK(slot->at == NULL, PP_E_FORMAT, 1); /* the same entry twice */
    *slot = data;
    return PP_OK;
}

/* Entries that nobody here reads are passed over. */
static pp_res keep_entry(struct firmware_entries *e, struct pp_span guid, struct pp_span data)
{
    const struct {
        struct pp_span guid;
        struct pp_span *slot;
    } slots[] = {
        { PP_STR(GUID_RESET_BLOCK), &e->reset_block },
        { PP_STR(GUID_KERNEL_HASHES), &e->kernel_hashes },
        { PP_STR(GUID_SVSM_INFO), &e->svsm_info },
        { PP_STR(GUID_SNP_METADATA), &e->snp_metadata },
        { PP_STR(GUID_TDX_METADATA), &e->tdx_metadata },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(slots); i++)
        if (pp_span_eq(guid, slots[i].guid))
            return keep(slots[i].slot, data);
    return PP_OK;
}

pp_res firmware_read_table(struct pp_span file, struct firmware_entries *ret)
{
    struct firmware_entries e = { 0 };
    struct pp_span rest = file;
    struct pp_span skipped, guid, data;

    PP_CHECK(file.len <= PP_FIRMWARE_BYTES_MAX, PP_E_LIMIT, file.len);
    PP_CHECK(file.len > 0 && file.len % PP_LAUNCH_PAGE_BYTES == 0, PP_E_FORMAT, file.len);
    PP_TRY(take_tail(&rest, AFTER_TABLE_BYTES, &skipped));
    struct pp_span before_footer = rest;
    PP_TRY(take_entry(&rest, &guid, &data)); /* its data is the whole table before it */
    PP_CHECK(pp_span_eq(guid, PP_STR(GUID_FOOTER)), PP_E_FORMAT, 0);
    PP_ASSERT(data.len <= before_footer.len);

    rest = data;
    for (size_t n = 0; rest.len > 0; n++) {
        PP_CHECK(n < PP_FIRMWARE_ENTRIES_MAX, PP_E_LIMIT, n);
        PP_TRY(take_entry(&rest, &guid, &data));
        PP_TRY(keep_entry(&e, guid, data));
    }
    *ret = e;
    return PP_OK;
}

static pp_res read_u32(struct pp_span entry, uint32_t *ret)
{
    struct pp_rd rd = pp_rd_span(entry);

    *ret = pp_rd_u32le(&rd);
    PP_TRY_AS(PP_E_FORMAT, pp_rd_end(&rd));
    return PP_OK;
}

static pp_res read_section(struct pp_rd *rd, struct pp_firmware_section *s)
{
    s->gpa = pp_rd_u32le(rd);
    s->size = pp_rd_u32le(rd);
    s->type = pp_rd_u32le(rd);
    PP_TRY_AS(PP_E_FORMAT, pp_rd_ok(rd));
    PP_CHECK(s->gpa % PP_LAUNCH_PAGE_BYTES == 0 && s->size % PP_LAUNCH_PAGE_BYTES == 0 &&
                 s->size > 0,
             PP_E_FORMAT, s->gpa);
    switch (s->type) {
    case PP_SECTION_MEM:
    case PP_SECTION_SVSM_CAA:
        return PP_OK;
    case PP_SECTION_SECRETS:
    case PP_SECTION_CPUID:
    case PP_SECTION_KERNEL_HASHES:
        PP_CHECK(s->size == PP_LAUNCH_PAGE_BYTES, PP_E_FORMAT, s->size);
        return PP_OK;
    default:
        return PP_FAIL(PP_E_UNSUPPORTED, s->type);
    }
}

pp_res firmware_behind(struct pp_span file, struct pp_span entry, struct pp_span *ret)
{
    struct pp_span rest = file;
    uint32_t from_end = 0;

    PP_TRY(read_u32(entry, &from_end));
    return take_tail(&rest, from_end, ret);
}

static pp_res read_metadata(struct pp_span file, struct pp_span entry, struct pp_firmware *f)
{
    struct pp_span metadata;

    PP_TRY(firmware_behind(file, entry, &metadata));
    struct pp_rd rd = pp_rd_span(metadata);
    struct pp_span magic = pp_rd_bytes(&rd, 4);
    uint32_t size = pp_rd_u32le(&rd);
    uint32_t version = pp_rd_u32le(&rd);
    uint32_t count = pp_rd_u32le(&rd);
    PP_TRY_AS(PP_E_FORMAT, pp_rd_ok(&rd));
    PP_CHECK(pp_span_eq(magic, PP_STR("ASEV")), PP_E_FORMAT, 2);
    PP_CHECK(version == METADATA_VERSION, PP_E_UNSUPPORTED, version);
    PP_CHECK(count <= PP_FIRMWARE_SECTIONS_MAX, PP_E_LIMIT, count);
    PP_CHECK(size == METADATA_HEAD_BYTES + count * SECTION_BYTES, PP_E_FORMAT, size);
    for (uint32_t i = 0; i < count; i++)
        PP_TRY(read_section(&rd, &f->sections[i]));
    f->section_count = count;
    return PP_OK;
}

pp_res pp_firmware_parse(struct pp_span file, struct pp_firmware *ret)
{
    struct pp_firmware f = { .file = file };
    struct firmware_entries e;

    PP_TRY(firmware_read_table(file, &e));
    PP_CHECK(e.reset_block.at != NULL || e.svsm_info.at != NULL, PP_E_MISSING, 1);
    PP_CHECK(e.snp_metadata.at != NULL, PP_E_MISSING, 2);

    if (e.reset_block.at != NULL)
        PP_TRY(read_u32(e.reset_block, &f.ap_reset_eip));
    if (e.svsm_info.at != NULL) {
        PP_TRY(read_u32(e.svsm_info, &f.svsm_entry));
        PP_CHECK(f.svsm_entry > 0 && f.svsm_entry < file.len, PP_E_FORMAT, f.svsm_entry);
    }
    if (e.kernel_hashes.at != NULL) {
        struct pp_rd rd = pp_rd_span(e.kernel_hashes);
        f.hashes_gpa = pp_rd_u32le(&rd);
        f.hashes_size = pp_rd_u32le(&rd);
        PP_TRY_AS(PP_E_FORMAT, pp_rd_end(&rd));
    }
    PP_TRY(read_metadata(file, e.snp_metadata, &f));
    *ret = f;
    return PP_OK;
}
