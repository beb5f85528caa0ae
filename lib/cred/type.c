/* SPDX-License-Identifier: Apache-2.0 */
#include "cred_int.h"

static const struct cred_type *const TYPES[] = { &CRED_VOPRF_RISTRETTO255, &CRED_BLIND_RSA };

const struct cred_type *cred_type_find(uint16_t type)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(TYPES); i++)
        if (TYPES[i]->type == type)
            return TYPES[i];
    return NULL;
}

size_t pp_token_bytes(uint16_t type)
{
    const struct cred_type *t = cred_type_find(type);

    return t == NULL ? 0 : PP_TOKEN_INPUT_BYTES + t->authenticator_bytes;
}
