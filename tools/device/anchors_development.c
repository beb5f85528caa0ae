/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trust anchors of a development build: the files of STATE/trust. ark.der and ask.der are
 * absent where the vendor's published roots are meant, ca.pem where all is on loopback. No object
 * of a release build.
 */
#include "device_int.h"
#include "trust_folder.h"

pp_res pp_device_trust_files(struct pp_device *d, struct pp_trust_files *ret)
{
    char folder[PP_DEVICE_PATH_MAX];

    PP_TRY(pp_device_path(d, "trust", folder));
    pp_problem_party(&d->problem, "device");
    return pp_trust_folder_read(folder, &d->problem, d->trust_text, ret);
}
