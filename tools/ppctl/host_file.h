/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_file.h: a list of machines as a file that an operator works on: BASE.hosts, and beside it
 * BASE.entry once it is signed, from when on the list does not change any more.
 */
#ifndef PPCTL_HOST_FILE_H
#define PPCTL_HOST_FILE_H

#include "file.h"
#include "host_list.h"
#include "problem.h"

enum { HOST_FILE_PATH_MAX = 4096 };

struct host_file {
    char path[HOST_FILE_PATH_MAX];
    char entry_path[HOST_FILE_PATH_MAX], record_path[HOST_FILE_PATH_MAX];
    struct pp_buf text;
    struct pp_host_list list; /* borrows the text */
};

/* Sets the paths of BASE.hosts and what stands beside it. INPUT for a name of another kind. */
PP_MUST pp_res host_file_paths(const char *path, struct pp_problem *problem, struct host_file *ret);

/* Reads a list. INPUT with the line and the rule in `problem`. Call host_file_done also after a
 * failure. */
PP_MUST pp_res host_file_read(const char *path, struct pp_problem *problem, struct host_file *ret);
void host_file_done(struct host_file *f); /* zero state is fine */

/* 1 if BASE.entry is there. */
int host_file_is_signed(const struct host_file *f);

/*
 * Writes the list anew with the rows that `keep` (NULL: all) says 1 to, and `add` (NULL: none) in
 * its place. EXISTS when `add` is listed, CONFIG, DISK_FULL; words in `problem`.
 */
PP_MUST pp_res host_file_rewrite(struct host_file *f, const struct pp_host_row *add,
                                 int (*keep)(void *ctx, const struct pp_host_row *row), void *ctx,
                                 struct pp_problem *problem);

#endif
