/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_frames.h: HTTP/2 frames as bytes, written by hand (RFC 9113 4.1, RFC 7541 6), so that a test
 * can send what no library would.
 */
#ifndef PP_H2_FRAMES_H
#define PP_H2_FRAMES_H

#include "net_test.h"

#include "wr.h"

#define H2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

enum {
    H2_DATA = 0,
    H2_HEADERS = 1,
    H2_PRIORITY = 2,
    H2_RST_STREAM = 3,
    H2_SETTINGS = 4,
    H2_PING = 6,
    H2_GOAWAY = 7,
    H2_WINDOW_UPDATE = 8,
    H2_CONTINUATION = 9,

    H2_END_STREAM = 1,
    H2_ACK = 1,
    H2_END_HEADERS = 4,

    H2_OUT_MAX = 1 << 18,
};

struct h2_out {
    uint8_t bytes[H2_OUT_MAX];
    struct pp_wr wr;
};

static inline struct pp_wr *h2_begin(struct h2_out *o)
{
    o->wr = pp_wr_over(o->bytes, sizeof o->bytes);
    return &o->wr;
}

static inline void h2_frame_head(struct pp_wr *wr, size_t len, unsigned type, unsigned flags,
                                 uint32_t stream)
{
    pp_wr_u24(wr, (uint32_t)len);
    pp_wr_u8(wr, (uint8_t)type);
    pp_wr_u8(wr, (uint8_t)flags);
    pp_wr_u32(wr, stream);
}

static inline void h2_frame(struct pp_wr *wr, unsigned type, unsigned flags, uint32_t stream,
                            struct pp_span payload)
{
    h2_frame_head(wr, payload.len, type, flags, stream);
    pp_wr_span(wr, payload);
}

static inline void h2_u32(struct pp_wr *wr, unsigned type, uint32_t stream, uint32_t value)
{
    h2_frame_head(wr, 4, type, 0, stream);
    pp_wr_u32(wr, value);
}

static inline void h2_setting(struct pp_wr *wr, uint16_t id, uint32_t value)
{
    h2_frame_head(wr, 6, H2_SETTINGS, 0, 0);
    pp_wr_u16(wr, id);
    pp_wr_u32(wr, value);
}

/* RFC 7541 5.1, a string of up to 16 KiB without Huffman. */
static inline void h2_string(struct pp_wr *wr, struct pp_span s)
{
    size_t left = s.len;

    if (left < 127) {
        pp_wr_u8(wr, (uint8_t)left);
    } else {
        pp_wr_u8(wr, 127);
        for (left -= 127; left >= 128; left /= 128)
            pp_wr_u8(wr, (uint8_t)(left % 128 + 128));
        pp_wr_u8(wr, (uint8_t)left);
    }
    pp_wr_span(wr, s);
}

/* RFC 7541 6.2.2: a literal without indexing. */
static inline void h2_field(struct pp_wr *wr, const char *name, const char *value)
{
    pp_wr_u8(wr, 0);
    h2_string(wr, pp_span_cstr(name));
    h2_string(wr, pp_span_cstr(value));
}

static inline void h2_request_fields(struct pp_wr *wr, const char *method, const char *path)
{
    h2_field(wr, ":method", method);
    h2_field(wr, ":scheme", "http");
    h2_field(wr, ":path", path);
    h2_field(wr, ":authority", "a");
}

/* A whole head without fields of its own. */
static inline void h2_request(struct pp_wr *wr, uint32_t stream, unsigned flags, const char *method,
                              const char *path)
{
    uint8_t block[1024];
    struct pp_wr fields = pp_wr_over(block, sizeof block);

    h2_request_fields(&fields, method, path);
    h2_frame(wr, H2_HEADERS, flags | H2_END_HEADERS, stream, pp_wr_done(&fields));
}

static inline void h2_get(struct pp_wr *wr, uint32_t stream, const char *path)
{
    h2_request(wr, stream, H2_END_STREAM, "GET", path);
}

static inline void h2_send(int fd, const struct h2_out *o)
{
    assert_ok(pp_wr_ok(&o->wr));
    test_send(fd, pp_wr_done(&o->wr));
}

static inline void h2_hello(struct pp_wr *wr)
{
    pp_wr_text(wr, H2_PREFACE);
    h2_frame_head(wr, 0, H2_SETTINGS, 0, 0);
}

/* --- what comes back ------------------------------------------------------------------------ */

struct h2_in {
    size_t len;
    unsigned type, flags;
    uint32_t stream;
    uint8_t payload[1 << 14];
};

/* Returns 0 when the connection has ended. */
static inline int h2_read(int fd, struct h2_in *ret)
{
    uint8_t head[9];

    if (recv(fd, head, sizeof head, MSG_WAITALL) != sizeof head)
        return 0;
    ret->len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
    ret->type = head[3];
    ret->flags = head[4];
    ret->stream = (uint32_t)head[5] << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 |
                  head[8];
    assert_true(ret->len <= sizeof ret->payload);
    return ret->len == 0 || recv(fd, ret->payload, ret->len, MSG_WAITALL) == (ssize_t)ret->len;
}

/* RFC 7541 appendix A: those that our answers use, else a literal of three digits. */
static inline unsigned h2_status_of(const struct h2_in *in)
{
    static const unsigned INDEXED[] = { 200, 204, 206, 304, 400, 404, 500 };
    const uint8_t *p = in->payload;
    size_t i = 0;

    while (i < in->len && (p[i] & 0xE0) == 0x20) /* a change of the table's size */
        i++;
    if (i < in->len && p[i] >= 0x88 && p[i] <= 0x8E)
        return INDEXED[p[i] - 0x88];
    /* A literal with an indexed name (0x08 and up to 0x0E), with or without Huffman. */
    if (i + 4 < in->len && p[i + 1] == 3)
        return (unsigned)(p[i + 2] - '0') * 100 + (unsigned)(p[i + 3] - '0') * 10 +
               (unsigned)(p[i + 4] - '0');
    /* Huffman of two or three digits: five bits for 0, 1, 2; six for the others (appendix B). */
    unsigned bits = 0;
    for (size_t b = 0; b < 3 && i + 2 + b < in->len; b++)
        bits |= (unsigned)p[i + 2 + b] << (24 - 8 * b);
    unsigned status = 0;
    for (int d = 0; d < 3; d++) {
        unsigned five = bits >> 27;
        unsigned six = bits >> 26;
        status = status * 10 + (five <= 2 ? five : six - 0x19 + 3);
        bits <<= five <= 2 ? 5 : 6;
    }
    return status;
}

struct h2_answer {
    unsigned status; /* 0: none */
    unsigned reset;  /* 1: the stream was reset; `error` says why */
    unsigned goaway; /* 1: the connection; `error` says why */
    uint32_t error;
    size_t body_len;
    unsigned is_whole;
};

/* Reads until that stream has ended, or the connection. */
static inline void h2_answer_of(int fd, uint32_t stream, struct h2_answer *ret)
{
    static struct h2_in in;

    *ret = (struct h2_answer){ 0 };
    while (!ret->is_whole && !ret->reset && h2_read(fd, &in)) {
        if (in.type == H2_GOAWAY) {
            ret->goaway = 1;
            ret->error = (uint32_t)in.payload[4] << 24 | (uint32_t)in.payload[5] << 16 |
                         (uint32_t)in.payload[6] << 8 | in.payload[7];
        }
        if (in.stream != stream || stream == 0)
            continue;
        if (in.type == H2_HEADERS)
            ret->status = h2_status_of(&in);
        if (in.type == H2_DATA)
            ret->body_len += in.len;
        if (in.type == H2_RST_STREAM) {
            ret->reset = 1;
            ret->error = (uint32_t)in.payload[2] << 8 | in.payload[3];
        }
        ret->is_whole = (in.type == H2_HEADERS || in.type == H2_DATA) &&
                        (in.flags & H2_END_STREAM) != 0;
    }
}

#endif
