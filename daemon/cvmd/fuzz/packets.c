/* SPDX-License-Identifier: Apache-2.0 */
/* What other processes say to the attester: whatever is read is written back as it was. */
#include "fuzz.h"

#include "cvm.h"
#include "packets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t out[CVM_ATTEST_PACKET_BYTES];
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    const struct pp_span in = pp_span(data, len);
    struct pp_ratls_session tls;
    struct cvm_opening opening;
    struct cvm_name name;
    int read = 0;

    if (pp_is_ok(cvm_name_parse(in, &name))) {
        cvm_name_write(&wr, name);
        read++;
    }
    if (pp_is_ok(cvm_opening_parse(in, &opening))) {
        cvm_opening_write(&wr, &opening);
        read++;
    }
    if (pp_is_ok(cvm_call_parse(in, &tls))) {
        cvm_call_write(&wr, &tls);
        read++;
    }
    FUZZ_CHECK(read <= 1); /* one length each */
    FUZZ_CHECK(read == 0 || pp_span_eq(pp_wr_done(&wr), in));
    return 0;
}
