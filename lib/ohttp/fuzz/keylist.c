/* SPDX-License-Identifier: Apache-2.0 */
/* A list that parses is written back; without skipped entries, as the same bytes. */
#include "fuzz.h"

#include <string.h>

#include "ohttp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t out[PP_KEYLIST_BYTES_MAX];
    static struct pp_keylist list, again;
    const struct pp_keyconf *key = NULL;
    struct pp_ohttp_suite suite;
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    if (!pp_is_ok(pp_keylist_parse(pp_span(data, len), &list)))
        return 0;
    FUZZ_CHECK(list.count <= PP_KEYLIST_KEYS_MAX);
    FUZZ_CHECK(pp_is_ok(pp_keylist_write(&list, &wr)) && wr.len <= len);
    FUZZ_CHECK(wr.len < len || memcmp(out, data, len) == 0);
    if (list.count > 0) {
        FUZZ_CHECK(pp_is_ok(pp_keylist_parse(pp_wr_done(&wr), &again)));
        FUZZ_CHECK(again.count == list.count);
    }
    if (pp_is_ok(pp_keylist_select(&list, 0, &key, &suite)))
        FUZZ_CHECK(pp_kem_info(key->kem) != NULL && pp_aead_key_len(suite.aead) > 0);
    return 0;
}
