/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys of key-epoch records: what was read is written to the same bytes, and can be used. */
#include "fuzz.h"

#include "cred.h"
#include "crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t again[2 + PP_CRED_PK_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    struct pp_cred_key verifier = { 0 };
    struct pp_cred_public p;

    FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    if (!pp_is_ok(pp_cred_public_parse(pp_span(data, len), &p)))
        return 0;
    pp_cred_public_write(&p, &wr);
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), pp_span(data, len)));
    FUZZ_CHECK(pp_is_ok(pp_cred_key_public(&p, &verifier)) == (p.type == PP_TOKEN_BLIND_RSA));
    pp_cred_key_done(&verifier);
    return 0;
}
