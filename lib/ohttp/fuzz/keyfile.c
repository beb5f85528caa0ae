/* SPDX-License-Identifier: Apache-2.0 */
/* A key file that parses is written, and reads back as the same key. */
#include "fuzz.h"

#include "ct.h"
#include "keyfile.h"

static int same(const struct pp_ohttp_keyfile *a, const struct pp_ohttp_keyfile *b)
{
    if (a->use_from_s != b->use_from_s || a->use_until_s != b->use_until_s || a->id != b->id ||
        a->kem != b->kem || a->suite_count != b->suite_count)
        return 0;
    for (size_t i = 0; i < a->suite_count; i++)
        if (a->suites[i].kdf != b->suites[i].kdf || a->suites[i].aead != b->suites[i].aead)
            return 0;
    return a->sk_secret.len == b->sk_secret.len &&
           pp_ct_eq(a->sk_secret.bytes, b->sk_secret.bytes, a->sk_secret.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t text[PP_OHTTP_KEYFILE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    PP_AUTO(pp_ohttp_keyfile) k = { 0 };
    PP_AUTO(pp_ohttp_keyfile) again = { 0 };

    if (!pp_is_ok(pp_ohttp_keyfile_parse(pp_span(data, len), &k))) {
        FUZZ_CHECK(k.sk_secret.bytes == NULL);
        return 0;
    }
    FUZZ_CHECK(pp_is_ok(pp_ohttp_keyfile_write(&k, &wr)));
    FUZZ_CHECK(pp_is_ok(pp_ohttp_keyfile_parse(pp_wr_done(&wr), &again)));
    FUZZ_CHECK(same(&k, &again));
    return 0;
}
