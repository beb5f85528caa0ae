/* SPDX-License-Identifier: Apache-2.0 */
/* `log` lines of a witness's configuration: what is added is found again, once. */
#include "fuzz.h"

#include "book.h"
#include "crypto.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct pp_witness_book b;
    static int ready;
    struct pp_span rest = pp_span(data, len);
    struct pp_span line;
    size_t keys = 0;
    size_t added = 0;

    if (!ready)
        FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    ready = 1;
    b.count = 0;
    while (rest.len > 0) {
        if (!pp_text_cut(&rest, '\n', &line)) {
            line = rest;
            rest = pp_span(NULL, 0);
        }
        if (pp_is_ok(pp_witness_book_add(&b, line)))
            added++;
    }
    FUZZ_CHECK(b.count <= PP_WITNESS_LOGS_MAX);
    for (size_t i = 0; i < b.count; i++) {
        FUZZ_CHECK(pp_witness_book_find(&b, b.pages[i].log.origin) == &b.pages[i]);
        FUZZ_CHECK(b.pages[i].log.key_count <= PP_WITNESS_KEYS_MAX);
        keys += b.pages[i].log.key_count;
    }
    FUZZ_CHECK(keys == added);
    return 0;
}
