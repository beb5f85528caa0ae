/* SPDX-License-Identifier: Apache-2.0 */
/*
 * directory.h: the directory bundle as a relay serves it: one file, the same bytes for everybody.
 *
 * The file is looked at when it is asked for and read again when it is another one (whoever writes
 * it renames it into place). Bytes that were handed out stay where they are long enough for every
 * answer that still sends them.
 */
#ifndef RELAY_DIRECTORY_H
#define RELAY_DIRECTORY_H

#include <sys/stat.h>

#include "env.h"
#include "file.h"
#include "net.h"

enum {
    RELAY_DIRECTORY_BYTES_MAX = 2 << 20, /* pp-wire 2 */
    RELAY_DIRECTORY_OLD_MAX = 8,         /* former contents that may still be on their way out */
    RELAY_DIRECTORY_OLD_MS = 120000,     /* longer than a server lets an answer take */
};

#define RELAY_DIRECTORY_TYPE "application/pp-directory"

struct relay_directory_old {
    struct pp_buf content; /* NULL bytes: a free place */
    uint64_t until_ms;
};

struct relay_directory {
    const char *path; /* borrowed; NULL: this relay serves none */
    struct pp_clock clock;
    struct pp_buf content; /* NULL bytes: never read */
    struct stat seen;
    struct relay_directory_old old[RELAY_DIRECTORY_OLD_MAX];
    uint64_t served, read;
};

/* Nothing is read yet; a file that does not exist yet is fine. */
void relay_directory_init(struct relay_directory *d, const char *path, struct pp_clock clock);
void relay_directory_done(struct relay_directory *d); /* zero state is fine */

/*
 * The current bytes, valid for RELAY_DIRECTORY_OLD_MS at least; the last good ones when the file
 * cannot be read, or changes more often than old contents run out. NOT_FOUND (never read, none
 * configured).
 */
PP_MUST pp_res relay_directory_get(struct relay_directory *d, struct pp_span *ret);

/* The handler of GET; `ctx` is the directory. */
void relay_directory_serve(void *ctx, struct pp_http_request *q);

#endif
