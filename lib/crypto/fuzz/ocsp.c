/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an OCSP answer: the library's parser, and what stands around it. The input is one
 * certificate (u16 length in front), asked about and its own issuer, then the answer.
 */
#include "fuzz.h"

#include "crypto.h"
#include "ocsp.h"
#include "rd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_rd rd = pp_rd_over(data, len);
    struct pp_rd der = pp_rd_block16(&rd);
    struct pp_x509 *cert = NULL;
    enum pp_ocsp_status status = 0;

    FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    if (!pp_is_ok(pp_x509_parse(pp_rd_rest(&der), &cert)))
        return 0;
    struct pp_ocsp_question q = {
        .cert = cert, .issuer = cert, .posix_s = 1780272000, .max_age_s = 86400
    };
    struct pp_ocsp *o = NULL;
    if (pp_is_ok(pp_ocsp_parse(pp_rd_rest(&rd), &o))) {
        pp_res r = pp_ocsp_check(o, &q, &status);
        FUZZ_CHECK(pp_is_ok(r) ? status >= PP_OCSP_GOOD && status <= PP_OCSP_UNKNOWN : status == 0);
    }
    pp_ocsp_free(o);
    pp_x509_free(cert);
    return 0;
}
