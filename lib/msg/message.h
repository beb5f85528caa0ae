/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h: the messages inside TLS (pp-wire 6): u8 type || u32 len || body; and the padded
 * plaintext of the sealed ones (pp-wire 8): u32 n || CBOR(n) || zeros.
 */
#ifndef PP_MESSAGE_H
#define PP_MESSAGE_H

#include "rd.h"
#include "wr.h"

enum pp_message_type {
    PP_MESSAGE_EVIDENCE = 1,
    PP_MESSAGE_SEALED_REQUEST = 2,
    PP_MESSAGE_SEALED_RESPONSE = 3,
    PP_MESSAGE_SEALED_STREAM = 4,
};

enum {
    PP_MESSAGE_HEAD_BYTES = 5,
    PP_MESSAGE_BYTES_MAX = 262144, /* body; no bucket is larger */
};

/* The head alone, for those who read a stream. UNSUPPORTED (type), LIMIT (length). */
PP_MUST pp_res pp_message_head_parse(struct pp_rd *rd, enum pp_message_type *ret_type,
                                     size_t *ret_len);
void pp_message_head_write(struct pp_wr *wr, enum pp_message_type type, size_t len);

/* Exactly one message of the given type and nothing behind it; the body is borrowed.
 * TRUNCATED, TRAILING, UNSUPPORTED, LIMIT; MISMATCH for another type than `want`. */
PP_MUST pp_res pp_message_parse(struct pp_span bytes, enum pp_message_type want,
                                struct pp_span *ret_body);

/*
 * Padded plaintext. Writing: begin, write the CBOR item, end: fills with zeros so that `room` bytes
 * stand since begin. RANGE when the item does not fit. Parsing: RANGE (n past the end or 0),
 * ENCODING (a padding byte that is not zero).
 */
size_t pp_padded_begin(struct pp_wr *wr);
PP_MUST pp_res pp_padded_end(struct pp_wr *wr, size_t mark, size_t room);
PP_MUST pp_res pp_padded_parse(struct pp_span pt, struct pp_span *ret_cbor);

#endif
