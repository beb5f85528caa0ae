/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame.h: the stream between gateway and confidential VM (pp-wire 4).
 *
 *     request  u8 op || u32 tag || sid(16) || u32 len <= 262144 || bytes       gateway to CVM
 *     answer   u8 st || u32 tag || sid(16) || u32 len <=  65536 || bytes       CVM to gateway
 *
 * Between confidential VMs the frames are the same and a request has up to 294912 bytes.
 *
 * A reader is fed whatever arrived and stops after each whole frame. It owns no memory: the buffer
 * is the caller's, and a length is believed only up to the limit of its side.
 */
#ifndef PP_FRAME_H
#define PP_FRAME_H

#include "handle.h"
#include "result.h"
#include "span.h"
#include "wr.h"

enum pp_frame_op { PP_FRAME_OPEN = 1, PP_FRAME_CONTINUE = 2, PP_FRAME_CLOSE = 3 };
enum pp_frame_st { PP_FRAME_MORE = 0, PP_FRAME_LAST = 1, PP_FRAME_BUSY = 2, PP_FRAME_GONE = 3 };

enum {
    PP_FRAME_HEAD_BYTES = 25,
    PP_FRAME_REQUEST_BYTES_MAX = 262144,
    PP_FRAME_ANSWER_BYTES_MAX = 65536,
    /* Between confidential VMs a `continue` carries the client's Evidence, too. */
    PP_FRAME_PEER_BYTES_MAX = 262144 + 32768,
};

/* Which kind of frame a reader takes: requests of gateways, or of other confidential VMs. */
enum pp_frame_side { PP_FRAME_REQUESTS, PP_FRAME_PEER_REQUESTS, PP_FRAME_ANSWERS };

struct pp_frame {
    uint8_t kind; /* pp_frame_op of a request, pp_frame_st of an answer */
    uint32_t tag; /* chosen by the gateway, echoed in every answer to it */
    uint8_t sid[PP_SID_BYTES];
    struct pp_span bytes;
};

struct pp_frame_rd {
    enum pp_frame_side side;
    uint8_t *buf;
    size_t cap; /* largest body; longer ones are refused */
    uint8_t head[PP_FRAME_HEAD_BYTES];
    size_t have; /* bytes of the current frame, head included */
    struct pp_frame frame;
    size_t body_len;
    uint32_t failed; /* enum pp_code; the stream is lost after the first */
};

/* `buf` holds one body and stays the caller's; `cap` at most the side's limit. */
void pp_frame_rd_init(struct pp_frame_rd *f, enum pp_frame_side side, void *buf, size_t cap);

/*
 * Takes bytes off the front of `*in` until one frame is whole or `*in` is empty. *ret_frame is the
 * frame (borrowed until the next call; its bytes stand in the caller's buffer), or NULL when more
 * bytes are needed. Fails with UNSUPPORTED (op or status), LIMIT (length), FORMAT (a sid in an open
 * or a busy frame; bytes in close, busy or gone), and with the same code ever after.
 */
PP_MUST pp_res pp_frame_feed(struct pp_frame_rd *f, struct pp_span *in,
                             const struct pp_frame **ret_frame);

/* Writes head and bytes of one frame. The frame must be one that the reader takes. NO_SPACE. */
PP_MUST pp_res pp_frame_write(struct pp_wr *wr, enum pp_frame_side side,
                              const struct pp_frame *frame);

#endif
