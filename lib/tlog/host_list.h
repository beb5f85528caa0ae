/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_list.h: the public file that a host-set record names on its `list` line: which machines may
 * run CVMs, of which product line, in whose custody, from when until when (docs/protocol/ledger.md,
 * "The list of machines"). The record's count and root follow from it; its digest binds the rest.
 *
 * Strict text in the grammar of records, one encoding a value. A row borrows the text.
 */
#ifndef PP_HOST_LIST_H
#define PP_HOST_LIST_H

#include "hosts.h"

enum {
    PP_HOST_NOTE_MAX = 64, /* bytes of a note, one word */
    PP_HOST_ROW_MAX = 320, /* bytes of a line, its line feed included */
    PP_HOST_LIST_HEAD_MAX = 2048,
    PP_HOST_LIST_BYTES_MAX = PP_HOST_LIST_HEAD_MAX + PP_HOST_SET_MAX * PP_HOST_ROW_MAX,
};

/*
 * Product lines, in the order of their words. There is no milan: chip keys of that line can be
 * taken out by software, so that a report of it proves no machine.
 */
enum pp_host_product { PP_HOST_GENOA, PP_HOST_TDX_LINE, PP_HOST_TURIN, PP_HOST_PRODUCTS };

const char *pp_host_product_name(enum pp_host_product product);
/* 0 and the value, or NOT_FOUND. */
PP_MUST pp_res pp_host_product_parse(struct pp_span word, enum pp_host_product *ret);

/* What the record that names the list says as well. */
struct pp_host_list {
    struct pp_span ledger, name_space;
    enum pp_record_env environment;
    uint64_t serial;
    uint64_t not_after;
    struct pp_span where; /* the list is published */
    uint64_t count;       /* of rows; by the reader */
};

struct pp_host_row {
    struct pp_host host;
    enum pp_host_product product;
    uint8_t custody[PP_SHA256_BYTES]; /* of the custody statement */
    uint64_t from, until;             /* the registration: from <= t < until */
    struct pp_span note;              /* empty without */
};

/*
 * Makes the host of a product line from its chip id: 64 bytes, 8 on turin (or 64, of which the last
 * 56 are zero); tdx: 16 to 64. RANGE for another length, or an id of zeros, which is what a masked
 * one looks like.
 */
PP_MUST pp_res pp_host_row_id(enum pp_host_product product, struct pp_span id, struct pp_host *ret);

/*
 * Reads a list and calls `each` (NULL: nobody) for every row, in the order of the set, until it
 * fails. Detail is the line number. Codes of pp_record_parse; DUPLICATE for a machine twice.
 */
PP_MUST pp_res pp_host_list_read(struct pp_span text, struct pp_host_list *ret,
                                 pp_res (*each)(void *ctx, const struct pp_host_row *row),
                                 void *ctx);

/* Writes head, then rows one by one; the reader judges them. */
void pp_host_list_write(struct pp_wr *wr, const struct pp_host_list *head);
void pp_host_row_write(struct pp_wr *wr, const struct pp_host_row *row);

/*
 * Fills a host-set record from a list: head, count, root, digest; `time` is the record's. MISSING
 * for a list without rows, LEDGER_WINDOW (detail = number of the row, from 1) when a registration
 * is over at `time`; codes of pp_host_list_read. `ret` borrows the list's text.
 */
PP_MUST pp_res pp_host_list_record(struct pp_span text, uint64_t time, struct pp_record *ret);

/*
 * OK when `list` is what the host-set record `r` was made of. Codes as above; MISMATCH, with the
 * number of the record's line that says something else as detail.
 */
PP_MUST pp_res pp_host_list_check(struct pp_span list, const struct pp_record *r);

#endif
