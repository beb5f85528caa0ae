/* SPDX-License-Identifier: Apache-2.0 */
#include "key_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "file.h"

pp_res pp_key_folder_sweep(const char *folder, int (*is_key_file)(const struct dirent *entry),
                           int (*is_over)(int folder_fd, const char *name, uint64_t now_s),
                           uint64_t now_s, size_t *ret_count)
{
    struct dirent **names = NULL;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int count = fd < 0 ? -1 : scandir(folder, &names, is_key_file, alphasort);
    pp_res first = count < 0 ? pp_errno_res(errno) : PP_OK;
    size_t removed = 0;

    for (int i = 0; i < count; i++) {
        if (is_over(fd, names[i]->d_name, now_s)) {
            pp_res r = pp_file_remove(fd, names[i]->d_name);
            removed += pp_is_ok(r) ? 1 : 0;
            if (pp_is_ok(first) && r.code != PP_E_NOT_FOUND)
                first = r;
        }
        free(names[i]);
    }
    free(names);
    if (fd >= 0)
        (void)close(fd);
    PP_TRY(first);
    *ret_count = removed;
    return PP_OK;
}
