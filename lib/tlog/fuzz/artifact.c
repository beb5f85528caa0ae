/* SPDX-License-Identifier: Apache-2.0 */
/* Artifact manifests: what is taken has one text, and no two paths that one disk could not hold. */
#include "fuzz.h"

#include "artifact.h"

enum { FILES = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct pp_artifact_file files[FILES];
    static uint8_t again[1 << 16];
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    struct pp_artifact a;

    if (len > sizeof again || !pp_is_ok(pp_artifact_parse(pp_span(data, len), files, FILES, &a)))
        return 0;
    FUZZ_CHECK(pp_is_ok(pp_artifact_write(&wr, a.purpose, a.version, files, a.file_count)));
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), pp_span(data, len)));
    return 0;
}
