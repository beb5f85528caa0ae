/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linked into the guests of this folder in front of lib/crypto's pp_ec_key_generate (--wrap): every
 * session has the one key that the attacker holds. All else in them is pp-cvmd's.
 */
#include "leak.h"

#include "sign.h"

PP_MUST pp_res __wrap_pp_ec_key_generate(enum pp_curve curve, struct pp_ec_key **ret);

pp_res __wrap_pp_ec_key_generate(enum pp_curve curve, struct pp_ec_key **ret)
{
    PP_ASSERT(curve == PP_P256); /* a guest makes no other */
    return pp_ec_key_import_der(PP_BYTES(LEAKED_KEY), ret);
}
