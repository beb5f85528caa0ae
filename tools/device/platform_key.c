/* SPDX-License-Identifier: Apache-2.0 */
#include "platform_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "wr.h"

enum { PATH_BYTES_MAX = 4096, NONCE_BYTES = 8 };

static pp_res check_mode(const char *path)
{
    struct stat st;

    PP_CHECK(lstat(path, &st) == 0, PP_E_SYSTEM, errno);
    PP_CHECK(S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)) == 0, PP_E_KEY, st.st_mode);
    return PP_OK;
}

static pp_res read_key(const char *path, struct pp_secret *ret)
{
    struct pp_buf content = { 0 };

    PP_TRY(check_mode(path));
    pp_res r = pp_file_read(AT_FDCWD, path, PP_PLATFORM_KEY_BYTES, &content);
    if (r.code == PP_E_LIMIT || (pp_is_ok(r) && content.len != PP_PLATFORM_KEY_BYTES))
        r = PP_FAIL(PP_E_KEY, content.len);
    if (pp_is_ok(r))
        r = pp_secret_copy(ret, pp_buf_span(&content));
    pp_buf_done(&content);
    return r;
}

/*
 * The key appears under its name complete. Of several processes that find none, the first rename
 * wins and the others read it: a second key would make what the first one sealed unreadable.
 */
static pp_res make_key(const struct pp_platform_key_file *f)
{
    PP_AUTO(pp_secret) key = { 0 };
    char path[PATH_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(path, sizeof path);
    uint8_t nonce[NONCE_BYTES];

    PP_TRY(pp_secret_alloc(&key, PP_PLATFORM_KEY_BYTES));
    PP_TRY(pp_random_fill(&f->random, key.bytes, key.len));
    PP_TRY(pp_random_fill(&f->random, nonce, sizeof nonce));
    pp_wr_text(&wr, f->path);
    pp_wr_text(&wr, ".");
    pp_wr_hex(&wr, PP_BYTES(nonce));
    pp_wr_u8(&wr, 0);
    PP_TRY(pp_wr_ok(&wr));
    PP_TRY(pp_file_write(AT_FDCWD, path, S_IRUSR | S_IWUSR, pp_secret_span(&key)));
    if (renameat2(AT_FDCWD, path, AT_FDCWD, f->path, RENAME_NOREPLACE) == 0)
        return PP_OK;
    int e = errno;
    (void)unlink(path);
    return e == EEXIST ? PP_OK : pp_errno_res(e);
}

static pp_res load(void *ctx, struct pp_secret *ret)
{
    const struct pp_platform_key_file *f = ctx;

    if (access(f->path, F_OK) != 0)
        PP_TRY(make_key(f));
    return read_key(f->path, ret);
}

struct pp_platform_key pp_platform_key_of_file(struct pp_platform_key_file *file)
{
    return (struct pp_platform_key){ .load = load, .ctx = file };
}
