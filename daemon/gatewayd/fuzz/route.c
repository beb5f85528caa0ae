/* SPDX-License-Identifier: Apache-2.0 */
/* The first two bytes choose the size of the OHTTP body and, by their last bit, whether it came in
 * chunks; whatever the message, an answer exists. */
#include "fuzz.h"

#include "rd.h"
#include "route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t out[32768];
    struct pp_rd rd = pp_rd_over(data, len);
    uint16_t choice = pp_rd_u16(&rd);
    size_t body_bytes = (size_t)(choice >> 1) * 32;
    struct pp_span message = pp_rd_rest(&rd);
    struct gw_request r = gw_route(message, body_bytes, choice & 1, PP_STR("gw.example"));
    struct gw_answer a = { .status = r.kind == GW_REFUSED ? r.status : 200 };
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    FUZZ_CHECK(r.bucket_bytes >= 1024 && r.bucket_bytes <= sizeof out);
    FUZZ_CHECK(r.content.len <= message.len);
    FUZZ_CHECK(r.kind != GW_REFUSED || r.status == 400 || r.status == 403 || r.status == 417);
    FUZZ_CHECK(r.kind != GW_SESSION_OPEN || body_bytes == 4096);
    FUZZ_CHECK(pp_is_ok(gw_answer_write(&a, r.bucket_bytes - 32, &wr)));
    return 0;
}
