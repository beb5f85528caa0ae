/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

size_t pp_log_keys_known(const struct pp_log_keys *k, struct pp_note_key ret[PP_LOG_KEYS_MAX])
{
    size_t count = 0;

    PP_ASSERT(k->signer_count >= 1 && k->signer_count <= PP_LOG_SIGNERS_MAX);
    PP_ASSERT(k->former_count <= PP_LOG_FORMER_MAX);
    for (size_t i = 0; i < k->signer_count; i++)
        ret[count++] = k->signers[i].key;
    for (size_t i = 0; i < k->former_count; i++)
        ret[count++] = k->former[i];
    return count;
}

pp_res pp_log_keys_check(const struct pp_log_keys *k)
{
    struct pp_note_key known[PP_LOG_KEYS_MAX];
    size_t count = pp_log_keys_known(k, known);

    for (size_t i = 0; i < count; i++) {
        PP_CHECK(pp_span_eq(known[i].name, known[0].name), PP_E_LEDGER_ORIGIN, i);
        for (size_t j = 0; j < i; j++)
            PP_CHECK(memcmp(known[i].pk, known[j].pk, sizeof known[i].pk) != 0, PP_E_DUPLICATE, i);
    }
    return PP_OK;
}
