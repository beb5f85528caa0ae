/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "crypto.h"
#include "profile.h"

/* The handshake checks over any bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static int ready;
    struct pp_span in = pp_span(data, len);
    struct pp_hello hello;

    if (!ready)
        FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    ready = 1;
    if (pp_is_ok(pp_hello_parse(in, &hello)))
        FUZZ_CHECK(len == PP_HELLO_BYTES && hello.key_share.len == PP_KEY_SHARE_BYTES);
    if (pp_is_ok(pp_tls_server_hello_check(in)))
        FUZZ_CHECK(len == 86);
    if (pp_is_ok(pp_tls_encrypted_extensions_check(in)))
        FUZZ_CHECK(len == 19);
    if (pp_is_ok(pp_tls_certificate_check(in)))
        FUZZ_CHECK(len <= PP_TLS_CERT_BYTES_MAX + 9);
    (void)pp_is_ok(pp_tls_certificate_verify_check(in));
    return 0;
}
