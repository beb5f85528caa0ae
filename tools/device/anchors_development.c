/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trust anchors of a development build: the files of STATE/trust. ark.der and ask.der are
 * absent where the vendor's published roots are meant, ca.pem where all is on loopback. No object
 * of a release build.
 */
#include "device_int.h"

#include <fcntl.h>
#include <stdio.h>

/* The folder is what a person got wrong: it is named in full. */
static pp_res refuse(struct pp_device *d, pp_res r, const char *name, const char *path,
                     const char *reason)
{
    char got[PP_DEVICE_PATH_MAX + 64];

    snprintf(got, sizeof got, "%s: %s", reason, path);
    return device_refuse(d, r, "device", name, "a readable file", pp_span_cstr(got));
}

pp_res pp_device_trust_files(struct pp_device *d, struct pp_trust_files *ret)
{
    static const struct {
        const char *name;
        int mandatory;
    } files[] = { { "trust/trust", 1 },        { "trust/log.policy", 1 },
                  { "trust/owner.policy", 1 }, { "trust/review.policy", 1 },
                  { "trust/ark.der", 0 },      { "trust/ask.der", 0 },
                  { "trust/ca.pem", 0 } };
    struct pp_span *spans[] = {
        &ret->trust, &ret->log_policy, &ret->owner_policy, &ret->review_policy, &ret->ark,
        &ret->ask,   &ret->ca
    };

    *ret = (struct pp_trust_files){ 0 };
    for (size_t i = 0; i < PP_ARRAY_COUNT(files); i++) {
        char path[PP_DEVICE_PATH_MAX];

        PP_TRY(pp_device_path(d, files[i].name, path));
        pp_res r = pp_file_read(AT_FDCWD, path, PP_TRUST_FILE_BYTES_MAX, &d->trust_text[i]);
        if (r.code == PP_E_NOT_FOUND && !files[i].mandatory)
            continue;
        if (!pp_is_ok(r))
            return refuse(d, PP_FAIL(i == 0 ? PP_E_STATE_ABSENT : PP_E_TRUST, r.detail),
                          files[i].name, path, pp_file_reason(r));
        *spans[i] = pp_buf_span(&d->trust_text[i]);
    }
    return PP_OK;
}
