/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate table of extended reports: reader and writer. */
#include "snp_table.h"

#include "rd.h"
#include "wr.h"

enum { GUID_BYTES = 16 };

/* In the byte order in which they are written as text. */
static const struct {
    uint8_t guid[GUID_BYTES];
    size_t offset; /* of the part in struct pp_snp_table */
} KINDS[] = {
    { { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac,
        0xcd },
      offsetof(struct pp_snp_table, vcek) },
    { { 0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8,
        0xa1 },
      offsetof(struct pp_snp_table, vlek) },
    { { 0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7,
        0x82 },
      offsetof(struct pp_snp_table, ask) },
    { { 0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0,
        0xae },
      offsetof(struct pp_snp_table, ark) },
    { { 0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d, 0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67,
        0xea },
      offsetof(struct pp_snp_table, crl) },
    { { 0x8d, 0x2f, 0x6b, 0x1e, 0x5c, 0x0a, 0x4e, 0x7b, 0x9f, 0x43, 0x70, 0x70, 0x68, 0x69, 0x6e,
        0x74 },
      offsetof(struct pp_snp_table, hints) },
};

static const uint8_t ZEROS[PP_SNP_TABLE_ROW_BYTES];

struct row {
    struct pp_span guid;
    size_t from, len;
};

static const struct pp_span *part_of(const struct pp_snp_table *t, size_t kind)
{
    return (const struct pp_span *)((const uint8_t *)t + KINDS[kind].offset);
}

/* The rows up to the one of zeros; returns where they end. */
static pp_res read_rows(struct pp_span bytes, struct row *rows, size_t *ret_count, size_t *ret_end)
{
    struct pp_rd rd = pp_rd_span(bytes);
    size_t count = 0;

    for (;;) {
        struct row row = { .guid = pp_rd_bytes(&rd, GUID_BYTES) };
        row.from = pp_rd_u32le(&rd);
        row.len = pp_rd_u32le(&rd);
        PP_TRY(pp_rd_ok(&rd));
        if (pp_span_eq(row.guid, pp_span(ZEROS, GUID_BYTES))) {
            PP_CHECK(row.from == 0 && row.len == 0, PP_E_FORMAT, count);
            break;
        }
        PP_CHECK(count < PP_SNP_TABLE_ROWS_MAX, PP_E_LIMIT, count);
        rows[count++] = row;
    }
    *ret_count = count;
    *ret_end = bytes.len - rd.left;
    return PP_OK;
}

/* Both sums fit: offsets and lengths have 32 bits, and are held to the table's size before. */
static int overlap(const struct row *a, const struct row *b)
{
    return a->from < b->from + b->len && b->from < a->from + a->len;
}

static pp_res check_rows(const struct row *rows, size_t count, size_t rows_end, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *r = &rows[i];
        PP_CHECK(r->len > 0 && r->from >= rows_end && r->from <= size && r->len <= size - r->from,
                 PP_E_RANGE, i);
        for (size_t k = 0; k < i; k++) {
            PP_CHECK(!pp_span_eq(rows[k].guid, r->guid), PP_E_DUPLICATE, i);
            PP_CHECK(!overlap(&rows[k], r), PP_E_RANGE, i);
        }
    }
    return PP_OK;
}

pp_res pp_snp_table_parse(struct pp_span bytes, struct pp_snp_table *ret)
{
    struct row rows[PP_SNP_TABLE_ROWS_MAX];
    struct pp_snp_table t = { 0 };
    size_t count, rows_end;

    PP_CHECK(bytes.len <= PP_SNP_TABLE_BYTES_MAX, PP_E_LIMIT, bytes.len);
    PP_TRY(read_rows(bytes, rows, &count, &rows_end));
    PP_TRY(check_rows(rows, count, rows_end, bytes.len));
    for (size_t i = 0; i < count; i++) {
        size_t kind = 0;
        while (kind < PP_ARRAY_COUNT(KINDS) &&
               !pp_span_eq(rows[i].guid, PP_BYTES(KINDS[kind].guid)))
            kind++;
        if (kind == PP_ARRAY_COUNT(KINDS))
            t.unknown_count++;
        else
            *(struct pp_span *)part_of(&t, kind) = pp_span(bytes.at + rows[i].from, rows[i].len);
    }
    *ret = t;
    return PP_OK;
}

pp_res pp_snp_table_write(const struct pp_snp_table *t, uint8_t *ret, size_t cap, size_t *ret_len)
{
    struct pp_wr wr = pp_wr_over(ret, cap);
    size_t at = PP_SNP_TABLE_ROW_BYTES;

    for (size_t i = 0; i < PP_ARRAY_COUNT(KINDS); i++)
        at += part_of(t, i)->len > 0 ? PP_SNP_TABLE_ROW_BYTES : 0;
    for (size_t i = 0; i < PP_ARRAY_COUNT(KINDS); i++) {
        size_t len = part_of(t, i)->len;
        if (len == 0)
            continue;
        PP_CHECK(len <= PP_SNP_TABLE_BYTES_MAX - at, PP_E_NO_SPACE, len);
        pp_wr_span(&wr, PP_BYTES(KINDS[i].guid));
        pp_wr_u32le(&wr, (uint32_t)at);
        pp_wr_u32le(&wr, (uint32_t)len);
        at += len;
    }
    pp_wr_span(&wr, PP_BYTES(ZEROS));
    for (size_t i = 0; i < PP_ARRAY_COUNT(KINDS); i++)
        pp_wr_span(&wr, *part_of(t, i));
    PP_TRY(pp_wr_ok(&wr));
    *ret_len = wr.len;
    return PP_OK;
}

struct pp_snp_evidence pp_snp_evidence_of(struct pp_span report, const struct pp_snp_table *table)
{
    struct pp_snp_evidence e = {
        .report = report, .ask = table->ask, .ark = table->ark, .crl = table->crl
    };
    struct pp_snp_report parsed;

    if (!pp_is_ok(pp_snp_report_parse(report, &parsed, NULL)))
        return e;
    if (pp_snp_signing_key(&parsed) == PP_SNP_VCEK)
        e.vek = table->vcek;
    else if (pp_snp_signing_key(&parsed) == PP_SNP_VLEK)
        e.vek = table->vlek;
    return e;
}
