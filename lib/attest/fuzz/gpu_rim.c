/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a RIM file: no root is pinned, so none is believed, and what is read has its bounds. */
#include "fuzz.h"

#include "crypto.h"
#include "rim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct pp_rim_roots none;
    static struct pp_rim rim;
    size_t values = 0;

    FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    pp_res r = pp_rim_open(&none, pp_span(data, len), &rim);
    FUZZ_CHECK(r.code >= PP_E_GPU_RIM_FORMAT && r.code <= PP_E_GPU_RIM_CHAIN);
    FUZZ_CHECK(rim.code == r.code && rim.problem.field[0] != '\0' && rim.root == NULL);
    FUZZ_CHECK(rim.hash_count <= PP_RIM_HASHES_MAX && rim.cert_count <= PP_RIM_CERTS_MAX);
    FUZZ_CHECK(memchr(rim.version, 0, sizeof rim.version) != NULL);
    for (size_t i = 0; i < PP_GPU_BLOCKS_MAX; i++) {
        FUZZ_CHECK(rim.values[i].first + rim.values[i].count <= PP_RIM_HASHES_MAX);
        FUZZ_CHECK(((rim.active >> i & 1) != 0) == (rim.values[i].count > 0));
        values += rim.values[i].count;
    }
    FUZZ_CHECK(values >= rim.hash_count);
    pp_rim_done(&rim);
    return 0;
}
