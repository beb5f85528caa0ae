/* SPDX-License-Identifier: Apache-2.0 */
/* gunzip.h: one gzip file in memory (RFC 1952), unpacked up to a limit. */
#ifndef PP_GUNZIP_H
#define PP_GUNZIP_H

#include "file.h"
#include "result.h"
#include "span.h"

/*
 * Unpacks `packed`, which has to be one whole gzip member and nothing behind it. No more than `max`
 * bytes are ever made of it, whatever it claims. FORMAT, TRUNCATED, TRAILING, LIMIT, NO_MEMORY.
 */
PP_MUST pp_res pp_gunzip(struct pp_span packed, size_t max, struct pp_buf *ret);

#endif
