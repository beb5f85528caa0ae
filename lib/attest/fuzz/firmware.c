/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a firmware file (the last bytes of a page of zeros), and what is measured from it. */
#include "fuzz.h"

#include "launch.h"

enum { SECTION_BYTES_MAX = 1 << 20 }; /* measuring more takes too long for a fuzzer */

static void measure(const struct pp_firmware *f)
{
    static const struct pp_kernel_hashes hashes;
    struct pp_launch launch = { .firmware = f, .hashes = &hashes, .vcpus = 2 };
    uint8_t with[PP_LAUNCH_DIGEST_BYTES], without[PP_LAUNCH_DIGEST_BYTES];
    size_t total = 0;

    for (size_t i = 0; i < f->section_count; i++)
        if (pp_add(total, f->sections[i].size, &total).code != PP_E_OK || total > SECTION_BYTES_MAX)
            return;
    pp_res a = pp_launch_measure(&launch, with);
    launch.hashes = NULL;
    pp_res b = pp_launch_measure(&launch, without);
    /* A parsed file can always be launched without a kernel, but for a monitor by itself. */
    FUZZ_CHECK(f->ap_reset_eip == 0 ? b.code == PP_E_MISSING : pp_is_ok(b));
    if (pp_is_ok(a))
        FUZZ_CHECK(memcmp(with, without, sizeof with) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t file[PP_LAUNCH_PAGE_BYTES];
    struct pp_firmware f;
    size_t n = len < sizeof file ? len : sizeof file;

    pp_ignore(pp_firmware_parse(pp_span(data, len), &f), "any outcome is fine here");
    memset(file, 0, sizeof file);
    if (n > 0)
        memcpy(file + sizeof file - n, data, n);
    if (pp_is_ok(pp_firmware_parse(PP_BYTES(file), &f))) {
        FUZZ_CHECK(f.section_count <= PP_FIRMWARE_SECTIONS_MAX);
        measure(&f);
    }
    return 0;
}
