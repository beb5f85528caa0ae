/* SPDX-License-Identifier: Apache-2.0 */
/* Private key files of Ed25519: what is read has one DER of version 1, and that is read too. */
#include "fuzz.h"

#include "sign.h"
#include "wr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t HEAD[] = { 0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                    0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20 };
    PP_AUTO(pp_secret) seed = { 0 };
    PP_AUTO(pp_secret) again = { 0 };
    uint8_t der[48];
    struct pp_wr wr = pp_wr_over(der, sizeof der);

    if (!pp_is_ok(pp_ed25519_pkcs8_parse(pp_span(data, len), &seed))) {
        FUZZ_CHECK(seed.bytes == NULL);
        return 0;
    }
    FUZZ_CHECK(seed.len == PP_ED25519_SEED_BYTES);
    pp_wr_bytes(&wr, HEAD, sizeof HEAD);
    pp_wr_span(&wr, pp_secret_span(&seed));
    FUZZ_CHECK(pp_is_ok(pp_ed25519_pkcs8_parse(pp_wr_done(&wr), &again)));
    FUZZ_CHECK(pp_span_eq(pp_secret_span(&seed), pp_secret_span(&again)));
    if (data[0] == 0x30)
        FUZZ_CHECK(pp_span_eq(pp_span(data + 16, 32), pp_secret_span(&seed)));
    return 0;
}
