/* SPDX-License-Identifier: Apache-2.0 */
/* tlog_int.h: what the files of lib/tlog share: lines, Base64 hashes, signature line parts. */
#ifndef PP_TLOG_INT_H
#define PP_TLOG_INT_H

#include "checkpoint.h"
#include "merkle.h"
#include "note.h"

/* Takes one line, without its line feed, off `*rest`. TRUNCATED when no line feed is left. */
PP_MUST pp_res pp_tlog_line(struct pp_span *rest, struct pp_span *ret);

/* Strict Base64 of any length, without a buffer for it: its decoded length, and up to 48 bytes
 * of its beginning in `ret_head`. FORMAT, ENCODING. */
PP_MUST pp_res pp_tlog_base64_measure(struct pp_span text, uint8_t ret_head[48], size_t *ret_len);

/* Exactly 32 bytes in Base64. FORMAT, ENCODING. */
PP_MUST pp_res pp_tlog_hash_parse(struct pp_span base64, struct pp_merkle_hash *ret);

/* The value of a line "key value". FORMAT when the line has another key. */
PP_MUST pp_res pp_tlog_value(struct pp_span line, struct pp_span key, struct pp_span *ret);

/* Lines of Base64 hashes up to an empty line, which is taken too. FORMAT, LIMIT (more than 63). */
PP_MUST pp_res pp_tlog_path_parse(struct pp_span *rest, struct pp_merkle_path *ret);
void pp_tlog_path_write(struct pp_wr *wr, const struct pp_merkle_path *path);

/* "U+2014 SP name SP base64(id || signature) LF". */
void pp_tlog_signature_line(struct pp_wr *wr, const struct pp_note_key *key,
                            struct pp_span signature);

/* --- keys of type 0x02 ---------------------------------------------------------------------- */

enum { PP_TLOG_SPKI_BYTES = 26 + PP_P256_POINT_BYTES };

/* The key of type 0x02 (C2SP signed-note) of `name` and a SubjectPublicKeyInfo. UNSUPPORTED unless
 * that is an uncompressed point of P-256. */
PP_MUST pp_res pp_tlog_ecdsa_key(struct pp_span name, struct pp_span spki, struct pp_note_key *ret);

/* The SubjectPublicKeyInfo of a key of type 0x02. */
void pp_tlog_ecdsa_spki(struct pp_wr *wr, const struct pp_note_key *key);

/* SIGNATURE. */
PP_MUST pp_res pp_tlog_ecdsa_verify(const struct pp_note_key *key, struct pp_span text,
                                    struct pp_span der);

/* --- characters and lines ------------------------------------------------------------------- */

/* UTF-8 without control characters but line feeds. FORMAT (detail = offset), UTF8. */
PP_MUST pp_res pp_tlog_characters(struct pp_span bytes);

/* Adds a note's signature lines, of which each has its line feed, to n->lines. FORMAT (detail =
 * offset of the line), LIMIT, TRUNCATED. */
PP_MUST pp_res pp_tlog_signature_lines(struct pp_span lines, struct pp_note *n);

/* As pp_checkpoint_parse, but leaves the root of size 0 to the caller (a witness answers it
 * apart). */
PP_MUST pp_res pp_tlog_checkpoint_read(struct pp_span text, struct pp_checkpoint *ret);

#endif
