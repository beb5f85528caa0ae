/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h: Binary HTTP messages (RFC 9292) as they come and go, piece by piece.
 *
 * The reader takes all four framings in pieces of any size and gives the same whatever they are:
 * each informational response, the header section, content as it comes, the trailer section. It
 * refuses what pp_bhttp_parse refuses. The writer makes indeterminate-length messages. Bytes in,
 * bytes out; all memory is the caller's; any thread, one at a time.
 */
#ifndef PP_BHTTP_STREAM_H
#define PP_BHTTP_STREAM_H

#include "bhttp.h"

/* --- reader ------------------------------------------------------------------------------------
 */

enum pp_bhttp_event {
    PP_BHTTP_EVENT_NONE = 0,      /* every byte was used; more are needed */
    PP_BHTTP_EVENT_INFORMATIONAL, /* one more in message.informational */
    PP_BHTTP_EVENT_HEADER,        /* control data and message.header are there */
    PP_BHTTP_EVENT_CONTENT,       /* `piece` is the next of the content */
    PP_BHTTP_EVENT_TRAILER,       /* content and message.trailer are there: padding may follow */
};

/* Where the reader stands: before or in that part. Private. */
enum pp_bhttp_part {
    PP_BHTTP_AT_FRAMING = 0,
    PP_BHTTP_AT_CONTROL_LEN,
    PP_BHTTP_AT_CONTROL,
    PP_BHTTP_AT_STATUS,
    PP_BHTTP_AT_SECTION_LEN,
    PP_BHTTP_AT_NAME_LEN,
    PP_BHTTP_AT_NAME,
    PP_BHTTP_AT_VALUE_LEN,
    PP_BHTTP_AT_VALUE,
    PP_BHTTP_AT_CONTENT_LEN,
    PP_BHTTP_AT_CONTENT,
    PP_BHTTP_AT_PADDING,
};

/* About 6 KiB; not to be copied or moved. Zero state is not started. */
struct pp_bhttp_reader {
    /* What came so far; borrows from `mem`. Content is not kept: content_len counts it. */
    struct pp_bhttp message;
    struct pp_span piece; /* with EVENT_CONTENT; borrows from the bytes that were fed */

    uint8_t *mem; /* the caller's: control data, names and values, one behind the other */
    size_t mem_len, mem_used;
    enum pp_bhttp_part at;
    uint8_t varint[8];
    size_t varint_len;
    size_t block_from, block_len; /* of `mem`: the part that is being collected */
    size_t control_count;         /* parts of a request's control data so far */
    struct pp_bhttp_section *section;
    uint64_t section_len;  /* known-length framings */
    uint64_t section_used; /* bytes of the section so far */
    int normal_seen;       /* a field that is no pseudo-field, in this section */
    uint64_t content_left; /* of the content or its chunk */
    size_t total;          /* bytes so far, padding included */
    int ended;
    pp_res failed;
};

/*
 * Starts a message. Control data and all fields have to fit `mem`, which the message borrows from
 * until it is no longer used.
 */
void pp_bhttp_reader_start(struct pp_bhttp_reader *r, void *mem, size_t mem_len);

/*
 * Takes bytes until one of the events happens or all are used; `*ret_used` says how many. Fails as
 * pp_bhttp_parse does, and with LIMIT when `mem` is full: a failure is final and every later call
 * returns it. STATE: not started, or behind _end.
 */
PP_MUST pp_res pp_bhttp_reader_feed(struct pp_bhttp_reader *r, const void *bytes, size_t len,
                                    size_t *ret_used, enum pp_bhttp_event *ret_event);

/*
 * The input ended. OK: the message is whole; a section that was left out (RFC 9292, 3.8) is empty
 * and had no event. TRUNCATED.
 */
PP_MUST pp_res pp_bhttp_reader_end(struct pp_bhttp_reader *r);

/* --- writer ------------------------------------------------------------------------------------
 */

/* Of one indeterminate-length message. Zero state is the beginning. */
struct pp_bhttp_writer {
    enum pp_bhttp_part at; /* FRAMING, STATUS, CONTENT or PADDING */
    size_t informational_count;
    size_t total; /* bytes so far */
};

/*
 * Append what follows: informational responses of `m` that were not written yet; control data and
 * header section; a piece of content (an empty one is none); the end and the trailer section.
 * UNSUPPORTED (a known-length framing), STATE (not in this order), LIMIT (PP_BHTTP_BYTES_MAX), and
 * as pp_bhttp_write. After a failure `wr` may hold a part.
 */
PP_MUST pp_res pp_bhttp_writer_informational(struct pp_bhttp_writer *w, const struct pp_bhttp *m,
                                             struct pp_wr *wr);
PP_MUST pp_res pp_bhttp_writer_header(struct pp_bhttp_writer *w, const struct pp_bhttp *m,
                                      struct pp_wr *wr);
PP_MUST pp_res pp_bhttp_writer_content(struct pp_bhttp_writer *w, struct pp_span piece,
                                       struct pp_wr *wr);
PP_MUST pp_res pp_bhttp_writer_end(struct pp_bhttp_writer *w, const struct pp_bhttp *m,
                                   struct pp_wr *wr);

#endif
