/* SPDX-License-Identifier: Apache-2.0 */
/* The trust anchors of a release build: compiled in, from nowhere else (compile_anchors.py). */
#include "device_int.h"

pp_res pp_device_trust_files(struct pp_device *d, struct pp_trust_files *ret)
{
    *ret = (struct pp_trust_files){ 0 };
    if (DEVICE_COMPILED_ANCHORS.trust.len == 0)
        return device_refuse(d, PP_FAIL(PP_E_TRUST, 0), "this build", "trust anchors",
                             "anchors compiled in with -Dtrust=FOLDER", PP_STR("none"));
    *ret = DEVICE_COMPILED_ANCHORS;
    return PP_OK;
}
