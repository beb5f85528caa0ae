/* SPDX-License-Identifier: Apache-2.0 */
/* folder.h: a folder of a test's own, for tests of what lives in files. */
#ifndef PP_TEST_FOLDER_H
#define PP_TEST_FOLDER_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Makes a folder, in memory where there is some: a disk would be waited for at each fsync(2). 0, or
 * -1 like a failed cmocka setup. */
static inline int pp_test_folder_make(char folder[64])
{
    snprintf(folder, 64, "%s/pp-test-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

/* Removes the folder and the files in it, whatever a killed child left there. 0 or -1. */
static inline int pp_test_folder_remove(const char *folder)
{
    DIR *d = opendir(folder);
    struct dirent *entry;
    char path[512];

    if (d == NULL)
        return -1;
    while ((entry = readdir(d)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) < (int)sizeof path)
            (void)unlink(path);
    (void)closedir(d);
    return rmdir(folder);
}

#endif
