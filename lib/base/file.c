/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ct.h"

pp_res pp_errno_res_(int e, const char *where)
{
    uint32_t code = PP_E_SYSTEM;

    if (e == ENOSPC || e == EDQUOT)
        code = PP_E_DISK_FULL;
    else if (e == ENOENT)
        code = PP_E_NOT_FOUND;
    else if (e == EPIPE || e == ECONNRESET)
        code = PP_E_CLOSED;
    return (pp_res){ code, (uint32_t)e, where };
}

void pp_buf_done(struct pp_buf *b)
{
    if (b->bytes != NULL)
        pp_wipe(b->bytes, b->len);
    free(b->bytes);
    *b = (struct pp_buf){ 0 };
}

static pp_res read_fd(int fd, size_t max, struct pp_buf *ret)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return pp_errno_res(errno);
    PP_CHECK(S_ISREG(st.st_mode), PP_E_FORMAT, st.st_mode);
    PP_CHECK(st.st_size >= 0 && (uint64_t)st.st_size <= max, PP_E_LIMIT, st.st_size);

    size_t len = (size_t)st.st_size;
    uint8_t *bytes = malloc(len + 1);
    PP_CHECK(bytes != NULL, PP_E_NO_MEMORY, len);
    size_t got = 0;
    while (got < len) {
        ssize_t n = read(fd, bytes + got, len - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int e = n == 0 ? EIO : errno; /* it shrank while we read */
            free(bytes);
            return pp_errno_res(e);
        }
        got += (size_t)n;
    }
    bytes[len] = 0;
    *ret = (struct pp_buf){ bytes, len };
    return PP_OK;
}

pp_res pp_file_read(int dir_fd, const char *path, size_t max, struct pp_buf *ret)
{
    int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return pp_errno_res(errno);
    pp_res r = read_fd(fd, max, ret);
    (void)close(fd);
    return r;
}

static pp_res read_kept(int fd, mode_t forbidden, size_t max, struct pp_buf *ret)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return pp_errno_res(errno);
    PP_CHECK(S_ISREG(st.st_mode) && (st.st_mode & forbidden) == 0, PP_E_CONFIG, st.st_mode);
    return read_fd(fd, max, ret);
}

pp_res pp_file_read_kept(int dir_fd, const char *path, mode_t forbidden, size_t max,
                         struct pp_buf *ret)
{
    int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);

    if (fd < 0)
        return errno == ELOOP ? PP_FAIL(PP_E_CONFIG, ELOOP) : pp_errno_res(errno);
    pp_res r = read_kept(fd, forbidden, max, ret);
    (void)close(fd);
    return r;
}

pp_res pp_fd_write(int fd, struct pp_span content)
{
    while (content.len > 0) {
        ssize_t n = write(fd, content.at, content.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return pp_errno_res(n == 0 ? EIO : errno);
        content.at += n;
        content.len -= (size_t)n;
    }
    return PP_OK;
}

const char *pp_file_reason(pp_res r)
{
    switch (r.code) {
    case PP_E_NOT_FOUND:
        return "no such file";
    case PP_E_SYSTEM:
    case PP_E_DISK_FULL:
        return strerror((int)r.detail);
    case PP_E_LIMIT:
        return "more bytes than it may have";
    case PP_E_CONFIG:
        return "another mode or another content";
    default:
        return "another content";
    }
}

static pp_res fsync_folder_of(int dir_fd, const char *path)
{
    char copy[4096];

    PP_CHECK(snprintf(copy, sizeof copy, "%s", path) < (int)sizeof copy, PP_E_RANGE, 0);
    int fd = openat(dir_fd, dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return pp_errno_res(errno);
    int e = fsync(fd) == 0 ? 0 : errno;
    (void)close(fd);
    return e == 0 ? PP_OK : pp_errno_res(e);
}

static pp_res write_and_sync(int fd, mode_t mode, struct pp_span content)
{
    if (fchmod(fd, mode) != 0)
        return pp_errno_res(errno);
    PP_TRY(pp_fd_write(fd, content));
    if (fsync(fd) != 0)
        return pp_errno_res(errno);
    return PP_OK;
}

enum { FOLDERS_DEEP_MAX = 16 };

static int is_temporary(const char *name)
{
    static const char END[] = ".tmp";
    size_t len = strlen(name);

    return len > sizeof END && strcmp(name + len - (sizeof END - 1), END) == 0;
}

static void drop_in(int dir_fd, const char *path, unsigned depth)
{
    int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *d;

    if (folder == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    while ((d = readdir(folder)) != NULL) {
        if (d->d_type == DT_DIR && d->d_name[0] != '.' && depth < FOLDERS_DEEP_MAX)
            drop_in(fd, d->d_name, depth + 1);
        else if (d->d_type != DT_DIR && is_temporary(d->d_name))
            (void)unlinkat(fd, d->d_name, 0);
    }
    (void)closedir(folder);
}

void pp_file_drop_leftovers(int dir_fd, const char *path)
{
    drop_in(dir_fd, path, 0);
}

/* `flags`: of renameat2. */
static pp_res put(int dir_fd, const char *path, mode_t mode, struct pp_span content, unsigned flags)
{
    char temporary[4096];

    PP_CHECK(snprintf(temporary, sizeof temporary, "%s.%ld.tmp", path, (long)getpid()) <
                 (int)sizeof temporary,
             PP_E_RANGE, 0);
    int fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) {
        /* Left by a crashed process that had our id. */
        (void)unlinkat(dir_fd, temporary, 0);
        fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    }
    if (fd < 0)
        return pp_errno_res(errno);

    pp_res r = write_and_sync(fd, mode, content);
    if (close(fd) != 0 && pp_is_ok(r))
        r = pp_errno_res(errno);
    if (pp_is_ok(r) && renameat2(dir_fd, temporary, dir_fd, path, flags) != 0)
        r = errno == EEXIST ? PP_FAIL(PP_E_EXISTS, 0) : pp_errno_res(errno);
    if (!pp_is_ok(r))
        (void)unlinkat(dir_fd, temporary, 0);
    return r;
}

pp_res pp_file_replace(int dir_fd, const char *path, mode_t mode, struct pp_span content)
{
    return put(dir_fd, path, mode, content, 0);
}

pp_res pp_file_create(int dir_fd, const char *path, mode_t mode, struct pp_span content)
{
    PP_TRY(put(dir_fd, path, mode, content, RENAME_NOREPLACE));
    return fsync_folder_of(dir_fd, path);
}

pp_res pp_file_write(int dir_fd, const char *path, mode_t mode, struct pp_span content)
{
    PP_TRY(pp_file_replace(dir_fd, path, mode, content));
    return fsync_folder_of(dir_fd, path);
}

/* 1 when the file is there, regular, of this mode and content. */
static int is_already(int dir_fd, const char *path, mode_t mode, struct pp_span content)
{
    struct pp_buf b = { 0 };
    struct stat st;

    if (fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) != 0 || (st.st_mode & 07777) != mode ||
        (uint64_t)st.st_size != content.len ||
        !pp_is_ok(pp_file_read(dir_fd, path, content.len, &b)))
        return 0;
    int same = pp_span_eq(pp_buf_span(&b), content);
    pp_buf_done(&b);
    return same;
}

pp_res pp_file_update(int dir_fd, const char *path, mode_t mode, struct pp_span content)
{
    if (is_already(dir_fd, path, mode, content))
        return PP_OK;
    return pp_file_write(dir_fd, path, mode, content);
}

pp_res pp_file_remove(int dir_fd, const char *path)
{
    if (unlinkat(dir_fd, path, 0) != 0)
        return pp_errno_res(errno);
    return fsync_folder_of(dir_fd, path);
}
