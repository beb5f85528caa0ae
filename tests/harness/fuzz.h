/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.h: the entry point that libFuzzer and our own replay driver share. */
#ifndef PP_FUZZ_H
#define PP_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A property that every input must keep; a broken one is a crash that the fuzzer reports. */
#define FUZZ_CHECK(cond)                                                                           \
    do {                                                                                           \
        if (!(cond))                                                                               \
            abort();                                                                               \
    } while (0)

#endif
