/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway's first parser. The private key and the request behind the good seed are constants,
 * so that opening, and not only refusing, is reached; whatever opens can be answered.
 */
#include "fuzz.h"

#include <string.h>

#include "crypto.h"
#include "ohttp.h"

/* The key of the seeds, 00 01 .. 1f: nothing outside this target knows it. */
static void start(struct pp_ohttp_gateway *gw)
{
    static const struct pp_ohttp_suite suites[] = { { PP_HKDF_SHA256, PP_AES_128_GCM },
                                                    { PP_HKDF_SHA512, PP_CHACHA20_POLY1305 } };
    struct pp_kem_key *key = NULL;
    uint8_t sk[PP_X25519_BYTES];

    for (size_t i = 0; i < sizeof sk; i++)
        sk[i] = (uint8_t)i;
    FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    FUZZ_CHECK(pp_is_ok(pp_kem_key_import(PP_KEM_X25519_SHA256, PP_BYTES(sk), &key)));
    FUZZ_CHECK(pp_is_ok(pp_ohttp_gateway_add(gw, 7, key, suites, PP_ARRAY_COUNT(suites))));
    FUZZ_CHECK(pp_is_ok(pp_kem_key_import(PP_KEM_XWING, PP_BYTES(sk), &key)));
    FUZZ_CHECK(pp_is_ok(pp_ohttp_gateway_add(gw, 8, key, suites, PP_ARRAY_COUNT(suites))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct pp_ohttp_gateway gw;
    static uint8_t body[4096], out[128];
    struct pp_ohttp x = { 0 };
    struct pp_span request;

    if (gw.key_count == 0)
        start(&gw);
    if (len > sizeof body)
        return 0;
    if (len > 0)
        memcpy(body, data, len);
    pp_res r = pp_ohttp_request_open(&x, &gw, body, len, &request);
    if (!pp_is_ok(r)) {
        FUZZ_CHECK(r.code == PP_E_TRUNCATED || r.code == PP_E_AUTH);
        FUZZ_CHECK(x.hpke.role == 0 && x.enc_len == 0);
        return 0;
    }
    struct pp_random random = pp_random_system();
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    uint16_t kem = data[0] == 7 ? PP_KEM_X25519_SHA256 : PP_KEM_XWING;
    FUZZ_CHECK(request.len + pp_ohttp_request_overhead(kem) == len);
    FUZZ_CHECK(pp_is_ok(pp_ohttp_response_seal(&x, &random, PP_STR("answer"), &wr)));
    pp_ohttp_done(&x);
    return 0;
}
