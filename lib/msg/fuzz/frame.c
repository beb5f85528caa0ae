/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "frame.h"
#include "rd.h"

enum { BODY_BYTES = 4096 };

struct seen {
    size_t frames;
    size_t bytes;
    uint32_t code;
};

/* The first byte is the side, the rest the stream, fed in pieces of `step`. */
static struct seen run(enum pp_frame_side side, struct pp_span in, size_t step)
{
    static uint8_t body[BODY_BYTES];
    static uint8_t out[BODY_BYTES + PP_FRAME_HEAD_BYTES];
    struct pp_frame_rd f;
    struct seen s = { 0 };
    struct pp_rd rd = pp_rd_span(in);

    pp_frame_rd_init(&f, side, body, sizeof body);
    while (rd.left > 0) {
        struct pp_span piece = pp_rd_bytes(&rd, step < rd.left ? step : rd.left);
        while (piece.len > 0) {
            const struct pp_frame *frame = NULL;
            pp_res r = pp_frame_feed(&f, &piece, &frame);
            if (!pp_is_ok(r)) {
                s.code = r.code;
                return s;
            }
            if (frame == NULL)
                continue;
            struct pp_wr wr = pp_wr_over(out, sizeof out);
            FUZZ_CHECK(pp_is_ok(pp_frame_write(&wr, side, frame)));
            s.frames++;
            s.bytes += wr.len;
        }
    }
    FUZZ_CHECK(s.bytes <= in.len);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_rd rd = pp_rd_over(data, len);
    enum pp_frame_side side = pp_rd_u8(&rd) % 2 == 0 ? PP_FRAME_REQUESTS : PP_FRAME_ANSWERS;
    struct pp_span in = pp_rd_rest(&rd);
    struct seen whole = run(side, in, in.len + 1);

    for (size_t step = 1; step < 40; step += 12) {
        struct seen cut = run(side, in, step);
        FUZZ_CHECK(cut.frames == whole.frames && cut.bytes == whole.bytes &&
                   cut.code == whole.code);
    }
    return 0;
}
