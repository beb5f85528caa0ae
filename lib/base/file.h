/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h: whole files for programs: read with a limit, write so that a crash leaves the old or the
 * new content and never half of one. `dir_fd` may be AT_FDCWD.
 */
#ifndef PP_FILE_H
#define PP_FILE_H

#include <sys/types.h>

#include "result.h"
#include "span.h"

struct pp_buf {
    uint8_t *bytes; /* malloc'ed, one byte longer than len and NUL-terminated */
    size_t len;
};

void pp_buf_done(struct pp_buf *b); /* wipes and frees; zero state is fine */
static inline struct pp_span pp_buf_span(const struct pp_buf *b)
{
    return (struct pp_span){ b->bytes, b->len };
}

/* Reads a whole regular file. NOT_FOUND, LIMIT (more than `max` bytes), SYSTEM, NO_MEMORY. */
PP_MUST pp_res pp_file_read(int dir_fd, const char *path, size_t max, struct pp_buf *ret);

/*
 * The same for a file that somebody has to have looked after: CONFIG when it is a link, or its mode
 * has one of the bits of `forbidden`: PP_FILE_PRIVATE for secrets, PP_FILE_OURS for what a program
 * goes by. What is checked is what is read, whatever happens to the name meanwhile.
 */
enum { PP_FILE_PRIVATE = 077, PP_FILE_OURS = 02 };
PP_MUST pp_res pp_file_read_kept(int dir_fd, const char *path, mode_t forbidden, size_t max,
                                 struct pp_buf *ret);

/*
 * Why a file was not taken, for the `got` of a refusal: the system's reason where there is one,
 * else what is wrong with its size, mode or content. A constant, or strerror's until its next call.
 */
const char *pp_file_reason(pp_res r);

/*
 * Writes `content` under a temporary name in the same folder, fsyncs it, renames it into place and
 * fsyncs the folder. Mode as given, whatever the umask. DISK_FULL, SYSTEM. On failure nothing is
 * left behind and an old file stays as it was.
 */
PP_MUST pp_res pp_file_write(int dir_fd, const char *path, mode_t mode, struct pp_span content);

/*
 * The same for a file that must not be there yet: EXISTS, and what is there stays as it is. Whoever
 * is killed within leaves the whole file or none under the name (see pp_file_drop_leftovers).
 */
PP_MUST pp_res pp_file_create(int dir_fd, const char *path, mode_t mode, struct pp_span content);

/*
 * As pp_file_write, unless the file has exactly this content and mode already: for what is written
 * often and changes seldom. The disk is not waited for then, since whoever wrote the content has
 * waited.
 */
PP_MUST pp_res pp_file_update(int dir_fd, const char *path, mode_t mode, struct pp_span content);

/*
 * The same as pp_file_write, but the folder is not waited for: a power cut soon after leaves the
 * old content or the new one. For a file that was written before and whose old content does no
 * harm.
 */
PP_MUST pp_res pp_file_replace(int dir_fd, const char *path, mode_t mode, struct pp_span content);

/*
 * Removes what processes that were killed inside pp_file_write left under `path`, folders in it
 * included. For a folder that nobody else writes to now. That something cannot be removed changes
 * nothing.
 */
void pp_file_drop_leftovers(int dir_fd, const char *path);

/*
 * Removes a file's name and fsyncs the folder, so that a crash does not bring it back. NOT_FOUND,
 * SYSTEM. What the medium keeps of the bytes is the medium's affair.
 */
PP_MUST pp_res pp_file_remove(int dir_fd, const char *path);

/* write(2) until all is written. CLOSED (EPIPE), DISK_FULL, SYSTEM. */
PP_MUST pp_res pp_fd_write(int fd, struct pp_span content);

/* SYSTEM with errno, or DISK_FULL for ENOSPC and EDQUOT. */
#define pp_errno_res(e) pp_errno_res_((e), PP_HERE)
PP_MUST pp_res pp_errno_res_(int e, const char *where);

#endif
