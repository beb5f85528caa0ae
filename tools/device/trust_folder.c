/* SPDX-License-Identifier: Apache-2.0 */
#include "trust_folder.h"

#include <fcntl.h>
#include <stdio.h>

enum { PATH_BYTES_MAX = 4096 };

/* The folder is what a person got wrong: it is named in full. */
static pp_res refuse(struct pp_problem *problem, pp_res r, const char *name, const char *path,
                     const char *reason)
{
    char got[PATH_BYTES_MAX + 64];

    snprintf(got, sizeof got, "%s: %s", reason, path);
    pp_problem_set(problem, name, "a readable file", pp_span_cstr(got));
    return r;
}

pp_res pp_trust_folder_read(const char *folder, struct pp_problem *problem,
                            struct pp_buf texts[PP_TRUST_FOLDER_FILES], struct pp_trust_files *ret)
{
    static const struct {
        const char *name;
        int mandatory;
    } files[PP_TRUST_FOLDER_FILES] = {
        { "trust", 1 },        { "log.policy", 1 },   { "owner.policy", 1 }, { "review.policy", 1 },
        { "ark.der", 0 },      { "ask.der", 0 },      { "ca.pem", 0 },       { "revokes", 0 },
        { "tdx-root.der", 0 }, { "gpu-root.der", 0 }, { "rim-root.der", 0 },
    };
    struct pp_trust_files got = { 0 };
    struct pp_span *spans[PP_TRUST_FOLDER_FILES] = {
        &got.trust, &got.log_policy, &got.owner_policy, &got.review_policy, &got.ark,      &got.ask,
        &got.ca,    &got.revokes,    &got.tdx_root,     &got.gpu_root,      &got.rim_root,
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(files); i++) {
        char path[PATH_BYTES_MAX], name[32];

        PP_CHECK(snprintf(path, sizeof path, "%s/%s", folder, files[i].name) < PATH_BYTES_MAX,
                 PP_E_RANGE, 0);
        snprintf(name, sizeof name, "trust/%s", files[i].name);
        pp_res r = pp_file_read(AT_FDCWD, path, PP_TRUST_FILE_BYTES_MAX, &texts[i]);
        if (r.code == PP_E_NOT_FOUND && !files[i].mandatory)
            continue;
        if (!pp_is_ok(r))
            return refuse(problem, PP_FAIL(i == 0 ? PP_E_STATE_ABSENT : PP_E_TRUST, r.detail), name,
                          path, pp_file_reason(r));
        *spans[i] = pp_buf_span(&texts[i]);
    }
    *ret = got;
    return PP_OK;
}
