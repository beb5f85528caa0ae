/* SPDX-License-Identifier: Apache-2.0 */
/* The SPDM messages of a GPU's report, and the vendor's fields in them. */
#include "gpu.h"

#include "rd.h"
#include "wr.h"

enum {
    SPDM_VERSION = 0x11,
    GET_MEASUREMENTS = 0xE0,
    MEASUREMENTS = 0x60,
    SIGNATURE_ASKED = 1,
    ALL_MEASUREMENTS = 0xFF,
    DMTF = 1,            /* measurement specification */
    DMTF_HEAD_BYTES = 3, /* value type, value size */
    BLOCK_BYTES = 4 + DMTF_HEAD_BYTES + PP_GPU_HASH_BYTES,
    VBIOS_BYTES = 8,
};

/* Says which field at which offset is not as it must be. */
static pp_res refuse(struct pp_problem *problem, size_t offset, const char *field,
                     const char *expected, uint64_t got)
{
    char text[24];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    pp_wr_decimal(&wr, got);
    pp_problem_set(problem, field, expected, pp_wr_done(&wr));
    return PP_FAIL(PP_E_GPU_FORMAT, offset);
}

/* The reader has no problem text of its own: a truncation is said here. */
static pp_res check_read(const struct pp_rd *rd, struct pp_problem *problem)
{
    if (rd->failed == PP_E_OK)
        return PP_OK;
    return refuse(problem, rd->detail, "report", "longer than this (got: offset of the end)",
                  rd->detail);
}

static pp_res read_request(struct pp_rd *rd, struct pp_gpu_report *r, struct pp_problem *problem)
{
    static const uint8_t HEAD[] = { SPDM_VERSION, GET_MEASUREMENTS, SIGNATURE_ASKED,
                                    ALL_MEASUREMENTS };
    size_t at = rd->offset;
    struct pp_span head = pp_rd_bytes(rd, sizeof HEAD);

    pp_rd_copy(rd, r->nonce, sizeof r->nonce);
    uint8_t slot = pp_rd_u8(rd);
    PP_TRY(check_read(rd, problem));
    if (!pp_span_eq(head, PP_BYTES(HEAD))) {
        pp_problem_hex(problem, "request", PP_BYTES(HEAD), head);
        return PP_FAIL(PP_E_GPU_FORMAT, at);
    }
    if (slot != 0)
        return refuse(problem, rd->offset - 1, "SlotID", "0", slot);
    return PP_OK;
}

static pp_res read_block(struct pp_rd *rd, struct pp_gpu_report *r, struct pp_problem *problem)
{
    size_t at = rd->offset;
    uint8_t index = pp_rd_u8(rd);
    uint8_t specification = pp_rd_u8(rd);
    uint16_t size = pp_rd_u16le(rd);
    uint8_t type = pp_rd_u8(rd);
    uint16_t value_size = pp_rd_u16le(rd);
    struct pp_span value = pp_rd_bytes(rd, PP_GPU_HASH_BYTES);

    PP_TRY(check_read(rd, problem));
    if (index < 1 || index > PP_GPU_BLOCKS_MAX)
        return refuse(problem, at, "measurement index", "1 to 64", index);
    if ((r->present >> (index - 1) & 1) != 0)
        return refuse(problem, at, "measurement index", "each once", index);
    if (specification != DMTF)
        return refuse(problem, at, "MeasurementSpecification", "1 (DMTF)", specification);
    if (size != DMTF_HEAD_BYTES + PP_GPU_HASH_BYTES)
        return refuse(problem, at, "MeasurementSize", "51", size);
    if (value_size != PP_GPU_HASH_BYTES)
        return refuse(problem, at, "DMTFSpecMeasurementValueSize", "48", value_size);
    r->present |= UINT64_C(1) << (index - 1);
    r->value_types[index - 1] = type;
    memcpy(r->measurements[index - 1], value.at, value.len);
    return PP_OK;
}

static pp_res read_response_head(struct pp_rd *rd, struct pp_gpu_report *r,
                                 struct pp_problem *problem)
{
    static const uint8_t HEAD[] = { SPDM_VERSION, MEASUREMENTS, 0, 0 };
    size_t at = rd->offset;
    struct pp_span head = pp_rd_bytes(rd, sizeof HEAD);
    uint8_t blocks = pp_rd_u8(rd);
    uint32_t low = pp_rd_u16le(rd);
    uint32_t record_len = (uint32_t)pp_rd_u8(rd) << 16 | low;

    PP_TRY(check_read(rd, problem));
    if (!pp_span_eq(head, PP_BYTES(HEAD))) {
        pp_problem_hex(problem, "response", PP_BYTES(HEAD), head);
        return PP_FAIL(PP_E_GPU_FORMAT, at);
    }
    if (blocks < 1 || blocks > PP_GPU_BLOCKS_MAX)
        return refuse(problem, at, "NumberOfBlocks", "1 to 64", blocks);
    if (record_len != (uint32_t)blocks * BLOCK_BYTES)
        return refuse(problem, at, "MeasurementRecordLength", "55 a block", record_len);
    r->block_count = blocks;
    return PP_OK;
}

/* --- opaque fields ---------------------------------------------------------------------------- */

void pp_gpu_vbios_text(const uint8_t bytes[8], char ret[PP_GPU_TEXT_BYTES_MAX])
{
    /* A little-endian number: its low half is the version, its byte 4 the last part. */
    static const uint8_t order[] = { 3, 2, 1, 0, 4 };
    struct pp_wr wr = pp_wr_over(ret, PP_GPU_TEXT_BYTES_MAX);

    for (size_t i = 0; i < sizeof order; i++) {
        if (i > 0)
            pp_wr_text(&wr, ".");
        pp_wr_u8(&wr, (uint8_t) "0123456789ABCDEF"[bytes[order[i]] >> 4]);
        pp_wr_u8(&wr, (uint8_t) "0123456789ABCDEF"[bytes[order[i]] & 15]);
    }
    pp_wr_u8(&wr, 0);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
}

/* Letters, digits, dots and the like, ended by a NUL behind which only NULs stand. */
static int read_text(struct pp_span field, char ret[PP_GPU_TEXT_BYTES_MAX])
{
    size_t len = 0;

    while (len < field.len && field.at[len] > 0x20 && field.at[len] < 0x7F)
        len++;
    for (size_t i = len; i < field.len; i++)
        if (field.at[i] != 0)
            return 0;
    if (len == 0 || len == field.len || len >= PP_GPU_TEXT_BYTES_MAX)
        return 0;
    memcpy(ret, field.at, len);
    ret[len] = '\0';
    return 1;
}

static int read_state(struct pp_span field, uint8_t *ret)
{
    if (field.len == 0)
        return 1;
    *ret = field.at[0];
    return field.len == 1 && (*ret == PP_GPU_ENABLED || *ret == PP_GPU_DISABLED);
}

static pp_res read_meanings(struct pp_gpu_report *r, struct pp_problem *problem)
{
    struct pp_span driver = r->fields[PP_GPU_FIELD_DRIVER_VERSION];
    struct pp_span vbios = r->fields[PP_GPU_FIELD_VBIOS_VERSION];
    struct pp_span fwid = r->fields[PP_GPU_FIELD_FWID];
    struct pp_span flag = r->fields[PP_GPU_FIELD_FEATURE_FLAG];

    if (driver.len > 0 && !read_text(driver, r->driver))
        return refuse(problem, PP_GPU_FIELD_DRIVER_VERSION, "DRIVER_VERSION",
                      "text that ends with NUL (got: bytes)", driver.len);
    if (vbios.len > 0 && vbios.len != VBIOS_BYTES)
        return refuse(problem, PP_GPU_FIELD_VBIOS_VERSION, "VBIOS_VERSION", "8 bytes", vbios.len);
    if (vbios.len > 0)
        pp_gpu_vbios_text(vbios.at, r->vbios);
    if (!read_state(r->fields[PP_GPU_FIELD_NVDEC0_STATUS], &r->nvdec0))
        return refuse(problem, PP_GPU_FIELD_NVDEC0_STATUS, "NVDEC0_STATUS", "170 or 85", r->nvdec0);
    if (!read_state(r->fields[PP_GPU_FIELD_PROTECTED_PCIE_STATUS], &r->protected_pcie))
        return refuse(problem, PP_GPU_FIELD_PROTECTED_PCIE_STATUS, "PROTECTED_PCIE_STATUS",
                      "170 or 85", r->protected_pcie);
    if (fwid.len > 0 && fwid.len != sizeof r->fwid)
        return refuse(problem, PP_GPU_FIELD_FWID, "FWID", "48 bytes", fwid.len);
    if (fwid.len > 0)
        memcpy(r->fwid, fwid.at, fwid.len);
    r->has_fwid = fwid.len > 0;
    if (flag.len > 0 && flag.len != 2)
        return refuse(problem, PP_GPU_FIELD_FEATURE_FLAG, "FEATURE_FLAG", "2 bytes", flag.len);
    struct pp_rd rd = pp_rd_span(flag);
    r->feature_flag = pp_rd_u16le(&rd);
    r->has_feature_flag = flag.len > 0;
    return PP_OK;
}

static pp_res read_opaque(struct pp_rd rd, struct pp_gpu_report *r, struct pp_problem *problem)
{
    uint64_t seen = 0;

    while (rd.left > 0) {
        size_t at = rd.offset;
        uint16_t type = pp_rd_u16le(&rd);
        struct pp_span data = pp_rd_bytes(&rd, pp_rd_u16le(&rd));
        PP_TRY(check_read(&rd, problem));
        if (type >= PP_GPU_FIELDS) {
            r->unknown_fields++;
            continue;
        }
        if ((seen >> type & 1) != 0)
            return refuse(problem, at, "opaque field", "each type once", type);
        seen |= UINT64_C(1) << type;
        r->fields[type] = data;
    }
    return read_meanings(r, problem);
}

/* --- the whole -------------------------------------------------------------------------------- */

pp_res pp_gpu_report_parse(struct pp_span bytes, struct pp_gpu_report *ret,
                           struct pp_problem *problem)
{
    struct pp_gpu_report r = { 0 };
    struct pp_rd rd = pp_rd_span(bytes);

    if (bytes.len > PP_GPU_REPORT_BYTES_MAX)
        return refuse(problem, bytes.len, "report", "at most 16384 bytes", bytes.len);
    PP_TRY(read_request(&rd, &r, problem));
    PP_TRY(read_response_head(&rd, &r, problem));
    for (size_t i = 0; i < r.block_count; i++)
        PP_TRY(read_block(&rd, &r, problem));
    pp_rd_copy(&rd, r.responder_nonce, sizeof r.responder_nonce);
    r.opaque_len = pp_rd_u16le(&rd);
    if (r.opaque_len > PP_GPU_OPAQUE_BYTES_MAX)
        return refuse(problem, rd.offset, "OpaqueLength", "at most 8192", r.opaque_len);
    struct pp_rd opaque = pp_rd_sub(&rd, r.opaque_len);
    PP_TRY(read_opaque(opaque, &r, problem));
    r.signed_len = rd.offset;
    pp_rd_copy(&rd, r.r, sizeof r.r);
    pp_rd_copy(&rd, r.s, sizeof r.s);
    PP_TRY(check_read(&rd, problem));
    size_t end = rd.offset;
    pp_rd_zeros(&rd, rd.left); /* drivers were seen that hand out a zero too many */
    if (rd.failed != PP_E_OK)
        return refuse(problem, end, "bytes behind the signature", "zeros (got: offset)", end);
    *ret = r;
    return PP_OK;
}

static void write_blocks(struct pp_wr *wr, const struct pp_gpu_report *r)
{
    for (size_t i = 0; i < PP_GPU_BLOCKS_MAX; i++) {
        if ((r->present >> i & 1) == 0)
            continue;
        pp_wr_u8(wr, (uint8_t)(i + 1));
        pp_wr_u8(wr, DMTF);
        pp_wr_u16le(wr, DMTF_HEAD_BYTES + PP_GPU_HASH_BYTES);
        pp_wr_u8(wr, r->value_types[i]);
        pp_wr_u16le(wr, PP_GPU_HASH_BYTES);
        pp_wr_span(wr, PP_BYTES(r->measurements[i]));
    }
}

pp_res pp_gpu_report_write(struct pp_wr *wr, const struct pp_gpu_report *r, size_t *ret_signed_len)
{
    size_t blocks = (size_t)__builtin_popcountll(r->present);
    size_t record_len = blocks * BLOCK_BYTES;
    size_t opaque_len = 0;

    for (size_t i = 0; i < PP_GPU_FIELDS; i++)
        if (r->fields[i].len > 0)
            opaque_len += 4 + r->fields[i].len;
    PP_CHECK(opaque_len <= PP_GPU_OPAQUE_BYTES_MAX, PP_E_RANGE, opaque_len);
    pp_wr_bytes(wr, "\x11\xE0\x01\xFF", 4);
    pp_wr_span(wr, PP_BYTES(r->nonce));
    pp_wr_u8(wr, 0);
    pp_wr_bytes(wr, "\x11\x60\x00\x00", 4);
    pp_wr_u8(wr, (uint8_t)blocks);
    pp_wr_u16le(wr, (uint16_t)record_len);
    pp_wr_u8(wr, 0);
    write_blocks(wr, r);
    pp_wr_span(wr, PP_BYTES(r->responder_nonce));
    pp_wr_u16le(wr, (uint16_t)opaque_len);
    for (size_t i = 0; i < PP_GPU_FIELDS; i++)
        if (r->fields[i].len > 0) {
            pp_wr_u16le(wr, (uint16_t)i);
            pp_wr_u16le(wr, (uint16_t)r->fields[i].len);
            pp_wr_span(wr, r->fields[i]);
        }
    *ret_signed_len = wr->len;
    pp_wr_span(wr, PP_BYTES(r->r));
    pp_wr_span(wr, PP_BYTES(r->s));
    return pp_wr_ok(wr);
}

void pp_gpu_nonce(const uint8_t fresh[PP_GPU_NONCE_BYTES], uint32_t index,
                  uint8_t ret[PP_GPU_NONCE_BYTES])
{
    uint8_t input[64];
    struct pp_wr wr = pp_wr_over(input, sizeof input);

    pp_wr_text(&wr, "pp-gpu-nonce-v1");
    pp_wr_u8(&wr, 0);
    pp_wr_bytes(&wr, fresh, PP_GPU_NONCE_BYTES);
    pp_wr_u32le(&wr, index);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    pp_sha256(pp_wr_done(&wr), ret);
}
