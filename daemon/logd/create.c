/* SPDX-License-Identifier: Apache-2.0 */
#include "create.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store.h"

static pp_res create_in(int dir, const struct pp_signer_spec *spec, const char *folder,
                        struct pp_problem *problem, char ret_vkey[PP_VKEY_BYTES_MAX + 1])
{
    struct pp_wr wr = pp_wr_over(ret_vkey, PP_VKEY_BYTES_MAX);
    struct pp_signer_file key = { 0 };

    pp_res r = pp_signer_init(spec, folder, problem, &key);
    if (pp_is_ok(r))
        r = pp_log_store_create(dir, &key.signer);
    if (pp_is_ok(r)) {
        memset(ret_vkey, 0, PP_VKEY_BYTES_MAX + 1);
        pp_vkey_write(&wr, &key.signer.key);
        r = pp_wr_ok(&wr);
    }
    pp_signer_file_done(&key);
    return r;
}

pp_res pp_log_create(const struct pp_signer_spec *spec, const char *folder,
                     struct pp_problem *problem, char ret_vkey[PP_VKEY_BYTES_MAX + 1])
{
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return pp_errno_res(errno);
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return pp_errno_res(errno);
    pp_res r = create_in(dir, spec, folder, problem, ret_vkey);
    (void)close(dir);
    return r;
}
