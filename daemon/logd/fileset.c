/* SPDX-License-Identifier: Apache-2.0 */
#include "fileset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEMPORARY_BYTES = PP_FILESET_PATH_MAX + 32 };

struct pp_fileset pp_fileset_in(int dir)
{
    return (struct pp_fileset){ .dir = dir };
}

/* The suffix is the one that pp_file_drop_leftovers knows. */
static void temporary_of(const char *path, char ret[TEMPORARY_BYTES])
{
    snprintf(ret, TEMPORARY_BYTES, "%s.%ld.tmp", path, (long)getpid());
}

static pp_res sync_folder(int dir, const char *path)
{
    int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return pp_errno_res(errno);
    int e = fsync(fd) == 0 ? 0 : errno;
    (void)close(fd);
    return e == 0 ? PP_OK : pp_errno_res(e);
}

static pp_res sync_folders(struct pp_fileset *s)
{
    pp_res r = PP_OK;

    for (size_t i = 0; i < s->folder_count && pp_is_ok(r); i++)
        r = sync_folder(s->dir, s->folders[i]);
    s->folder_count = 0;
    return r;
}

/* Notes a folder that has to be waited for. */
static pp_res note_folder(struct pp_fileset *s, const char *folder)
{
    for (size_t i = 0; i < s->folder_count; i++)
        if (strcmp(s->folders[i], folder) == 0)
            return PP_OK;
    /* Waiting early is never wrong for a folder that was made. */
    if (s->folder_count == PP_FILESET_FOLDERS_MAX)
        PP_TRY(pp_fileset_commit(s));
    memcpy(s->folders[s->folder_count++], folder, PP_FILESET_PATH_MAX);
    return PP_OK;
}

/* Makes the folders that `path` stands in, and notes those whose content changes. */
static pp_res make_folders(struct pp_fileset *s, const char *path)
{
    char parent[PP_FILESET_PATH_MAX] = ".";
    char part[PP_FILESET_PATH_MAX] = "";

    for (size_t i = 0; path[i] != '\0'; i++) {
        PP_CHECK(i + 1 < sizeof part, PP_E_RANGE, i);
        if (path[i] == '/') {
            if (mkdirat(s->dir, part, 0755) == 0)
                PP_TRY(note_folder(s, parent));
            else if (errno != EEXIST)
                return pp_errno_res(errno);
            memcpy(parent, part, sizeof parent);
        }
        part[i] = path[i];
    }
    return note_folder(s, parent);
}

static pp_res write_file(int fd, mode_t mode, struct pp_span content)
{
    if (fchmod(fd, mode) != 0)
        return pp_errno_res(errno);
    PP_TRY(pp_fd_write(fd, content));
    /* A hint: fsync is what counts, and it is quick when the bytes are under way. */
    (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    return PP_OK;
}

static pp_res add(struct pp_fileset *s, const char *path, mode_t mode, struct pp_span content)
{
    char temporary[TEMPORARY_BYTES];

    PP_CHECK(strlen(path) < PP_FILESET_PATH_MAX, PP_E_RANGE, 0);
    if (s->file_count == PP_FILESET_FILES_MAX)
        PP_TRY(pp_fileset_commit(s));
    PP_TRY(make_folders(s, path));
    temporary_of(path, temporary);
    int fd = openat(s->dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return pp_errno_res(errno);
    s->files[s->file_count].fd = fd;
    snprintf(s->files[s->file_count].path, PP_FILESET_PATH_MAX, "%s", path);
    s->file_count++;
    return write_file(fd, mode, content);
}

pp_res pp_fileset_add(struct pp_fileset *s, const char *path, mode_t mode, struct pp_span content)
{
    pp_res r = add(s, path, mode, content);

    if (!pp_is_ok(r))
        pp_fileset_drop(s);
    return r;
}

static pp_res sync_files(struct pp_fileset *s)
{
    for (size_t i = 0; i < s->file_count; i++)
        if (fsync(s->files[i].fd) != 0)
            return pp_errno_res(errno);
    return PP_OK;
}

static pp_res rename_files(struct pp_fileset *s)
{
    while (s->file_count > 0) {
        const char *path = s->files[s->file_count - 1].path;
        char temporary[TEMPORARY_BYTES];
        temporary_of(path, temporary);
        if (renameat(s->dir, temporary, s->dir, path) != 0)
            return pp_errno_res(errno);
        (void)close(s->files[--s->file_count].fd); /* fsync has told of every error */
    }
    return PP_OK;
}

pp_res pp_fileset_commit(struct pp_fileset *s)
{
    pp_res r = sync_files(s);

    if (pp_is_ok(r))
        r = rename_files(s);
    if (pp_is_ok(r))
        r = sync_folders(s);
    pp_fileset_drop(s);
    return r;
}

void pp_fileset_drop(struct pp_fileset *s)
{
    while (s->file_count > 0) {
        char temporary[TEMPORARY_BYTES];
        s->file_count--;
        (void)close(s->files[s->file_count].fd);
        temporary_of(s->files[s->file_count].path, temporary);
        (void)unlinkat(s->dir, temporary, 0);
    }
    s->folder_count = 0;
}
