/* SPDX-License-Identifier: Apache-2.0 */
/* key_folder.h: folders of key files, and the end of keys that are over. */
#ifndef PP_KEY_FOLDER_H
#define PP_KEY_FOLDER_H

#include <dirent.h>

#include "result.h"

/*
 * Removes the files that `is_key_file` names and that `is_over` says are over at `now_s`, each with
 * the folder fsynced, and counts them. A file that cannot be removed stops none of the others: the
 * first reason is returned, and `*ret_count` is written only when there was none. SYSTEM, NOT_FOUND
 * (no such folder).
 */
PP_MUST pp_res pp_key_folder_sweep(const char *folder,
                                   int (*is_key_file)(const struct dirent *entry),
                                   int (*is_over)(int folder_fd, const char *name, uint64_t now_s),
                                   uint64_t now_s, size_t *ret_count);

#endif
