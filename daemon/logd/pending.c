/* SPDX-License-Identifier: Apache-2.0 */
/* Batches that wait, a file each. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store.h"

enum { PATH_BYTES = 32, PENDING_BYTES_MAX = 8 << 20 };

static void pending_path(uint64_t number, char ret[PATH_BYTES])
{
    snprintf(ret, PATH_BYTES, "pending/%016llx", (unsigned long long)number);
}

pp_res pp_log_pending_add(struct pp_fileset *files, uint64_t number, struct pp_span batch)
{
    char path[PATH_BYTES];

    pending_path(number, path);
    return pp_fileset_add(files, path, 0600, batch);
}

pp_res pp_log_pending_remove(int dir, uint64_t number)
{
    char path[PATH_BYTES];

    pending_path(number, path);
    if (unlinkat(dir, path, 0) != 0 && errno != ENOENT)
        return pp_errno_res(errno);
    return PP_OK;
}

static int is_number(const struct dirent *d)
{
    return strlen(d->d_name) == 16 && strspn(d->d_name, "0123456789abcdef") == 16;
}

pp_res pp_log_pending_each(int dir,
                           pp_res (*each)(void *ctx, uint64_t number, struct pp_span batch),
                           void *ctx)
{
    struct dirent **names = NULL;
    int count = scandirat(dir, "pending", &names, is_number, alphasort);
    pp_res r = PP_OK;

    if (count < 0)
        return pp_errno_res(errno);
    for (int i = 0; i < count; i++) {
        struct pp_buf b = { 0 };
        char path[PATH_BYTES];
        uint64_t number = strtoull(names[i]->d_name, NULL, 16);
        pending_path(number, path);
        if (pp_is_ok(r))
            r = pp_file_read(dir, path, PENDING_BYTES_MAX, &b);
        if (pp_is_ok(r))
            r = each(ctx, number, pp_buf_span(&b));
        pp_buf_done(&b);
        free(names[i]);
    }
    free(names);
    return r;
}
