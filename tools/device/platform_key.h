/* SPDX-License-Identifier: Apache-2.0 */
/*
 * platform_key.h: the key under which a device keeps what must not leave it.
 *
 * On a phone the platform's key store wraps it and gives it to this app on this device alone. In
 * the development environment it is a file beside the wallet.
 */
#ifndef PP_PLATFORM_KEY_H
#define PP_PLATFORM_KEY_H

#include "env.h"
#include "result.h"
#include "secret.h"

enum { PP_PLATFORM_KEY_BYTES = 32 };

struct pp_platform_key {
    /* The same 32 bytes at every call, made at the first one. The caller releases the secret. */
    pp_res (*load)(void *ctx, struct pp_secret *ret);
    void *ctx;
};

struct pp_platform_key_file {
    const char *path; /* borrowed */
    struct pp_random random;
};

/*
 * A key in a file of mode 0600, made when it is absent (by several processes at once, too). Borrows
 * `file`. Its load fails with KEY (another length, or open to others), SYSTEM, DISK_FULL, RANDOM.
 */
struct pp_platform_key pp_platform_key_of_file(struct pp_platform_key_file *file);

#endif
