/* SPDX-License-Identifier: Apache-2.0 */
/* rim_int.h: a RIM file as a tree, between rim_xml.c (XML, the only file that sees the library) and
 * rim.c (what is proven of it). */
#ifndef PP_RIM_INT_H
#define PP_RIM_INT_H

#include "rim.h"

enum {
    RIM_SIGNED_INFO_BYTES_MAX = 4096, /* canonical */
    RIM_CERT_TEXT_BYTES_MAX = 8192,   /* Base64 with its line breaks; a piece is no longer */
};

/* What stands in the one ds:Signature. */
struct rim_signature {
    uint8_t digest[PP_SHA384_BYTES]; /* that it asserts */
    uint8_t r[PP_GPU_HASH_BYTES], s[PP_GPU_HASH_BYTES];
    uint8_t signed_info[RIM_SIGNED_INFO_BYTES_MAX]; /* canonical: the signed bytes */
    size_t signed_info_len;
};

/*
 * Reads the file: form, signature element, certificates, reference values; and computes the digest
 * of the very tree that the values were read from, its signature taken out. Fills `rim` but for
 * sha256, code and what the chain says. GPU_RIM_FORMAT; `rim->problem` says what.
 */
PP_MUST pp_res rim_xml_read(struct pp_span xml, struct pp_rim *rim, struct rim_signature *ret,
                            uint8_t ret_digest[PP_SHA384_BYTES]);

#endif
