/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bhttp.h: Binary HTTP messages (RFC 9292), whole messages in memory, all four framings.
 *
 * A parsed message borrows from the encoded bytes; one in the making borrows from the caller until
 * it is written. Nothing is allocated; any thread. The reader is strict where the RFC leaves a
 * choice: padding must be zero, names lower case, values without outer white space.
 */
#ifndef PP_BHTTP_H
#define PP_BHTTP_H

#include "rd.h"
#include "result.h"
#include "span.h"
#include "wr.h"

/* Our limits; the RFC has none. */
enum {
    PP_BHTTP_BYTES_MAX = 1 << 20,         /* a whole message, padding included */
    PP_BHTTP_SECTION_BYTES_MAX = 1 << 16, /* one header or trailer section, encoded */
    PP_BHTTP_FIELDS_MAX = 128,            /* field lines of all sections together */
    PP_BHTTP_INFORMATIONAL_MAX = 16,      /* informational responses before the final one */
};

/* The framing indicator on the wire (RFC 9292, section 3.3). */
enum pp_bhttp_framing {
    PP_BHTTP_REQUEST = 0, /* known-length: what pp itself writes */
    PP_BHTTP_RESPONSE = 1,
    PP_BHTTP_REQUEST_INDETERMINATE = 2,
    PP_BHTTP_RESPONSE_INDETERMINATE = 3,
};

struct pp_bhttp_field {
    struct pp_span name, value;
};

/* A header or trailer section: `count` entries of the message's `fields`, from `first` on. */
struct pp_bhttp_section {
    size_t first, count;
};

struct pp_bhttp_informational {
    uint32_t status; /* 100..199 */
    struct pp_bhttp_section header;
};

/* Zero state: a known-length request without anything. About 5 KiB. */
struct pp_bhttp {
    enum pp_bhttp_framing framing;
    struct pp_span method, scheme, authority, path; /* requests; authority may be empty */
    uint32_t status;                                /* responses: 200..599 */
    struct pp_bhttp_section header, trailer;
    struct pp_span content; /* known-length framings */
    struct pp_span chunks;  /* indeterminate: encoded chunks without their end; see _content_copy */
    size_t content_len;     /* bytes of content, of either kind */
    uint32_t exact;         /* parsed: 1 if pp_bhttp_write gives these bytes, before the padding */
    size_t informational_count;
    struct pp_bhttp_informational informational[PP_BHTTP_INFORMATIONAL_MAX];
    size_t field_count; /* used entries of `fields` */
    struct pp_bhttp_field fields[PP_BHTTP_FIELDS_MAX];
};

/* 1 for the two request framings, 0 for the two response framings. */
int pp_bhttp_is_request(const struct pp_bhttp *m);

/*
 * Reads one whole message and its padding. `*ret` borrows from `encoded`. Fails with TRUNCATED
 * (detail = offset), UNSUPPORTED (framing, CONNECT), RANGE (status), FORMAT (control data, a name,
 * a value), ORDER (a pseudo-field behind another field), ENCODING (padding not zero) or LIMIT.
 */
PP_MUST pp_res pp_bhttp_parse(struct pp_span encoded, struct pp_bhttp *ret);

/* The value of the only field of this name in the section. MISSING, DUPLICATE. */
PP_MUST pp_res pp_bhttp_field(const struct pp_bhttp *m, struct pp_bhttp_section section,
                              struct pp_span name, struct pp_span *ret_value);

/* Appends the content, chunks joined, to `wr`; what it lacks in room shows in pp_wr_ok. */
void pp_bhttp_content_copy(const struct pp_bhttp *m, struct pp_wr *wr);

/*
 * Adds a field line to a section of a message that is being made. Sections are made in order of the
 * wire: informational, header, trailer. LIMIT (PP_BHTTP_FIELDS_MAX).
 */
PP_MUST pp_res pp_bhttp_add(struct pp_bhttp *m, struct pp_bhttp_section *section,
                            struct pp_span name, struct pp_span value);

/* Sets the content, which goes out as one piece in either framing. Borrows. */
void pp_bhttp_set_content(struct pp_bhttp *m, struct pp_span content);

/*
 * Appends the message: shortest lengths, every section written, no padding. What the reader would
 * refuse is refused here with the same codes; NO_SPACE. After a failure `wr` may hold a part.
 */
PP_MUST pp_res pp_bhttp_write(const struct pp_bhttp *m, struct pp_wr *wr);

/* The same, and zeros until exactly `total` bytes were appended. RANGE if the message is longer. */
PP_MUST pp_res pp_bhttp_write_padded(const struct pp_bhttp *m, size_t total, struct pp_wr *wr);

#endif
