/* SPDX-License-Identifier: Apache-2.0 */
/* image_arg.h: what the kinds of `ppctl image measure` share: arguments, files, digests. */
#ifndef PPCTL_IMAGE_ARG_H
#define PPCTL_IMAGE_ARG_H

#include "ppctl.h"
#include "span.h"

enum {
    IMAGE_FIRMWARE_BYTES_MAX = 16 << 20,
    IMAGE_KERNEL_BYTES_MAX = 256 << 20,
    IMAGE_INITRD_BYTES_MAX = 1 << 30,
    IMAGE_LOG_BYTES_MAX = 1 << 20,
};

/* As given; NULL: not given. */
struct image_args {
    const char *firmware, *kernel, *initrd, *append, *vcpus, *vcpu_type, *vmm, *features;
    const char *ovmf_hash, *svsm, *vars_bytes;         /* SNP */
    const char *order, *event_log, *quote, *separator; /* TDX */
};

/* The file of an option; -1 when it was read, else the exit status of what was said. */
int image_read(const struct ppctl *p, const char *option, const char *path, size_t max,
               struct pp_buf *ret);

/* Lower-case hexadecimal for print and JSON; up to 64 bytes. */
struct image_hex {
    char text[129];
};
struct image_hex image_hex_of(struct pp_span bytes);

/* The kinds; exit status. `mode` is "snp", "sev" or "sev-es". */
int image_measure_sev(const struct ppctl *p, const struct image_args *args, const char *mode);
int image_measure_tdx(const struct ppctl *p, const struct image_args *args);

#endif
