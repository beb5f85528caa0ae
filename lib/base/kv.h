/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv.h: the configuration format of every program here: one `key = value` a line.
 *
 * Blank lines and lines that start with '#' are skipped; white space around key and value is cut;
 * text is UTF-8 without control characters; a key outside the table, a second occurrence of a
 * single key, and a missing mandatory key are refusals. Environment variables are never consulted.
 */
#ifndef PP_KV_H
#define PP_KV_H

#include "problem.h"
#include "result.h"
#include "span.h"

enum { PP_KV_LIST_MAX = 64, PP_KV_BYTES_MAX = 1 << 16 };

enum pp_kv_kind {
    PP_KV_TEXT, /* struct pp_span, borrowed from the text; min..max bytes */
    PP_KV_U64,  /* uint64_t, decimal; min..max */
    PP_KV_FLAG, /* uint32_t, "yes" or "no" */
    PP_KV_LIST, /* struct pp_kv_list: the key may repeat, up to PP_KV_LIST_MAX times */
};

struct pp_kv_list {
    struct pp_span items[PP_KV_LIST_MAX]; /* borrowed from the text */
    size_t count;
};

struct pp_kv_key {
    const char *name;
    enum pp_kv_kind kind;
    size_t offset;        /* offsetof the target in the caller's struct */
    int mandatory;        /* 1: its absence is a refusal; else the caller's default stays */
    uint64_t min, max;    /* see the kind; max 0 means no limit of its own */
    const char *expected; /* for the refusal and for --help: "an address, 127.0.0.1:port" */
};

/*
 * Reads `text` into `*target` by the table. Fails with CONFIG and fills `problem` (may be NULL)
 * with the key, what was expected and what stood there; detail is the line number,
 * 0 where no line is to blame. On failure
 * `*target` is half filled and must be dropped.
 */
PP_MUST pp_res pp_kv_read(struct pp_span text, const struct pp_kv_key *keys, size_t key_count,
                          void *target, struct pp_problem *problem);

#endif
