/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "crypto.h"
#include "handle.h"

/* Nobody without the fleet's key makes a handle that opens. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t KEY[PP_HANDLE_KEY_BYTES] = { 42 };
    static struct pp_handle_keys keys;
    struct pp_handle h;

    if (keys.count == 0) {
        FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
        FUZZ_CHECK(pp_is_ok(pp_aead_new(PP_AES_256_GCM, PP_BYTES(KEY), &keys.keys[0].aead)));
        keys.count = 1;
    }
    pp_res r = pp_handle_open(&keys, pp_span(data, len), 0, &h);
    FUZZ_CHECK(r.code == PP_E_AUTH);
    return 0;
}
