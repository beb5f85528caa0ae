/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fileset.h: many new files, durable together, at the price of few waits for the disk.
 *
 * Each file is written under a temporary name as pp_file_write does it, but its bytes are only
 * sent on their way; pp_fileset_commit waits for all of them, then renames, then waits once for
 * each folder. Waiting for a hundred files one by one makes a journalling file system commit a
 * hundred times: 2 ms each where the whole set takes 20 ms.
 */
#ifndef PP_FILESET_H
#define PP_FILESET_H

#include "file.h"

enum {
    PP_FILESET_FILES_MAX = 160, /* descriptors that are open at once; more are committed in parts */
    PP_FILESET_FOLDERS_MAX = 16,
    PP_FILESET_PATH_MAX = 96, /* bytes of a path, final NUL included */
};

struct pp_fileset {
    int dir;
    struct {
        int fd;
        char path[PP_FILESET_PATH_MAX];
    } files[PP_FILESET_FILES_MAX];
    size_t file_count;
    char folders[PP_FILESET_FOLDERS_MAX][PP_FILESET_PATH_MAX]; /* to wait for */
    size_t folder_count;
};

struct pp_fileset pp_fileset_in(int dir);

/*
 * Adds a file, in folders that are made when they are not there. No path is added twice between
 * two commits. DISK_FULL, SYSTEM, RANGE (a path too long): files that were added and not
 * committed are gone then.
 */
PP_MUST pp_res pp_fileset_add(struct pp_fileset *s, const char *path, mode_t mode,
                              struct pp_span content);

/*
 * Makes all that was added durable under its names. On failure some of the files may be there and
 * others not, each of them whole. The set is empty afterwards, either way.
 */
PP_MUST pp_res pp_fileset_commit(struct pp_fileset *s);

/* Closes and removes what was added and not committed. */
void pp_fileset_drop(struct pp_fileset *s);

#endif
