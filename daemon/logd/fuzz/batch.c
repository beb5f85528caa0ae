/* SPDX-License-Identifier: Apache-2.0 */
/* A submitted batch: one encoding; its entries are any bytes. */
#include "fuzz.h"

#include "batch.h"
#include "crypto.h"
#include "tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t again[PP_BATCH_BYTES_MAX];
    static struct pp_batch b;
    static int ready;
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    size_t entry = PP_BATCH_MAX + 1;

    if (!ready)
        FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    ready = 1;
    if (!pp_is_ok(pp_batch_parse(pp_span(data, len), PP_ENTRY_BYTES_MAX, &b, &entry))) {
        FUZZ_CHECK(entry <= PP_BATCH_MAX);
        return 0;
    }
    FUZZ_CHECK(b.count > 0 && b.count <= PP_BATCH_MAX);
    for (size_t i = 0; i < b.count; i++) {
        struct pp_record_id id;
        FUZZ_CHECK(b.entries[i].len <= PP_ENTRY_BYTES_MAX);
        pp_ignore(pp_entry_id(b.entries[i], &id), "any bytes may be an entry");
        pp_batch_write(&wr, b.entries[i]);
    }
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), pp_span(data, len)));
    return 0;
}
