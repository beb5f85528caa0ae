/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_table.h: the certificate table that comes with an extended report (AMD 56860,
 * SNP_GET_EXT_REPORT; docs/protocol/snp.md). The host fills it: nothing in it is believed.
 *
 * Rows of {GUID, offset, length}, little-endian, up to a row of zeros; behind them the
 * certificates, in DER, wherever the rows say. configfs-tsm gives it as `auxblob`.
 */
#ifndef PP_SNP_TABLE_H
#define PP_SNP_TABLE_H

#include "result.h"
#include "snp_verify.h"
#include "span.h"

enum {
    PP_SNP_TABLE_BYTES_MAX = 64 << 10,
    PP_SNP_TABLE_ROWS_MAX = 16, /* without the one of zeros */
    PP_SNP_TABLE_ROW_BYTES = 24,
};

/* What it held; empty: no such row. Borrows the table. */
struct pp_snp_table {
    struct pp_span vcek, vlek;
    struct pp_span ask; /* or the ASVK */
    struct pp_span ark, crl;
    struct pp_span hints; /* ours: what a host tells its guest (docs/protocol/cvm.md) */
    size_t unknown_count; /* rows of other GUIDs, which are passed over */
};

/*
 * LIMIT (size, rows), TRUNCATED (no row of zeros), DUPLICATE (a GUID twice, known or not; detail =
 * row), RANGE (a part of no bytes, or one that reaches into the rows, past the end or into another
 * part), FORMAT (a GUID of zeros with an offset or a length). Bytes that no row covers are not
 * looked at: hosts fill whole pages.
 */
PP_MUST pp_res pp_snp_table_parse(struct pp_span bytes, struct pp_snp_table *ret);

/* Writes the parts that are there, in the order of the structure. NO_SPACE. */
PP_MUST pp_res pp_snp_table_write(const struct pp_snp_table *table, uint8_t *ret, size_t cap,
                                  size_t *ret_len);

/*
 * A report and the parts of a table that belong to it: the certificate of the kind that its
 * KEY_INFO names, the authorities and the list. Where the report does not say, or the table has
 * none, the certificate stays empty, and check 3 refuses it.
 */
struct pp_snp_evidence pp_snp_evidence_of(struct pp_span report, const struct pp_snp_table *table);

#endif
