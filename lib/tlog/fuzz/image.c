/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of images: one encoding, and none is a record. */
#include "fuzz.h"

#include "image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t again[PP_RECORD_BYTES_MAX];
    static struct pp_release image;
    static struct pp_record record;
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    struct pp_image_label label;

    if (!pp_is_ok(pp_image_parse(pp_span(data, len), &image)))
        return 0;
    FUZZ_CHECK(pp_is_ok(pp_image_write(&wr, &image)));
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), pp_span(data, len)));
    FUZZ_CHECK(!pp_is_ok(pp_record_parse(pp_span(data, len), &record)));
    for (size_t i = 0; i < image.snp_count; i++)
        pp_ignore(pp_image_label_parse(image.snp[i].label, &label), "most labels are plain words");
    return 0;
}
