/* SPDX-License-Identifier: Apache-2.0 */
/* release.h: what the verbs of `ppctl release` share (docs/protocol/release.md). */
#ifndef PPCTL_RELEASE_H
#define PPCTL_RELEASE_H

#include "builders.h"
#include "ledger_keys.h"
#include "place.h"
#include "ppctl.h"

enum { RELEASE_PATH_MAX = 4096 };

/* Hex of a digest with a final NUL. */
struct release_hex {
    char text[2 * PP_SHA384_BYTES + 1];
};
struct release_hex release_hex(struct pp_span bytes);

/* Says which field was wrong and returns `r`. */
PP_MUST pp_res release_refuse(struct pp_problem *problem, pp_res r, const char *field,
                              const char *expected, const char *got);

/* Reads a small file of a person's; INPUT with the path in `problem`. */
PP_MUST pp_res release_read(const char *path, size_t max, struct pp_problem *problem,
                            struct pp_buf *ret);

/* Writes a file whole or not at all, 0644; CONFIG with the path in `problem`, or DISK_FULL. */
PP_MUST pp_res release_write(const char *path, struct pp_span content, struct pp_problem *problem);

/* An arena for pp_image_of_folder and the like, on the heap; NO_MEMORY. Free base with free. */
PP_MUST pp_res release_arena(struct pp_arena *ret);

/* LEDGER_NAMESPACE, with the field in `problem`, unless the record is of this place. */
PP_MUST pp_res release_check_place(const struct pp_record *r, const struct ppctl_place *place,
                                   struct pp_problem *problem);

#endif
