/* SPDX-License-Identifier: Apache-2.0 */
/* evidence_file.h: Evidence as somebody saved it, for `ppctl verify evidence`. */
#ifndef PPCTL_EVIDENCE_FILE_H
#define PPCTL_EVIDENCE_FILE_H

#include "evidence.h"

/* Media types of the records of a CMW collection that holds Evidence (docs/protocol/channel.md). */
#define EVIDENCE_CPU_TYPE "application/pp-evidence+cbor"
#define EVIDENCE_GPU_TYPE "application/pp-gpu-evidence+cbor"

enum { EVIDENCE_FILE_BYTES_MAX = 1 << 18 };

enum evidence_form { EVIDENCE_MAP, EVIDENCE_BODY, EVIDENCE_CMW };
const char *evidence_form_name(enum evidence_form form); /* "map", "message", "CMW" */

/*
 * Finds the one Evidence map in a file: the map itself, the body of its message with the padding,
 * or a CMW collection {"cpu": record, "gpu0": record}, whose two records are put together in
 * `buffer`. `*ret_cbor` borrows from either. Nothing is parsed beyond that. EVIDENCE_FORMAT (detail
 * as the parser's), EVIDENCE_TEE_UNKNOWN (labels or media types of others).
 */
PP_MUST pp_res evidence_file_open(struct pp_span bytes, uint8_t buffer[PP_EVIDENCE_BYTES_MAX],
                                  struct pp_span *ret_cbor, enum evidence_form *ret_form);

#endif
