/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "cbor.h"
#include "evidence.h"

/* What is accepted has one encoding, ours, and is what a general walk accepts too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t out[1 << 17];
    struct pp_span in = pp_span(data, len);
    struct pp_evidence e;
    struct pp_span cbor;

    for (int client = 0; client < 2; client++) {
        if (!pp_is_ok(pp_evidence_parse(in, client ? PP_END_CLIENT : PP_END_SERVER, &e)))
            continue;
        struct pp_wr wr = pp_wr_over(out, sizeof out);
        FUZZ_CHECK(pp_is_ok(pp_evidence_write(&wr, &e)));
        FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), in));
        struct pp_rd rd = pp_rd_span(in);
        (void)pp_cbor_rd_item(&rd);
        FUZZ_CHECK(pp_is_ok(pp_rd_end(&rd)));
        FUZZ_CHECK((e.message_key.len == 0) == client);
    }
    (void)pp_is_ok(pp_evidence_body_parse(in, &cbor));
    return 0;
}
