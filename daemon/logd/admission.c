/* SPDX-License-Identifier: Apache-2.0 */
#include "admission.h"

#include <stdlib.h>

/* Our keys as a policy of one log, for the signers of status records. */
static void own_policy(struct pp_admission *a)
{
    a->own.kind = PP_POLICY_LOG;
    a->own.log_count = pp_log_keys_known(&a->config.log, a->own.log_keys);
    a->config.keys.log = &a->own;
}

pp_res pp_admission_init(struct pp_admission *a, const struct pp_admission_config *config)
{
    *a = (struct pp_admission){ .config = *config };
    a->ops = config->kind == PP_ADMISSION_OPAQUE ? &pp_admission_opaque : &pp_admission_records;
    own_policy(a);
    return a->ops->open(a);
}

void pp_admission_done(struct pp_admission *a)
{
    free(a->rules.config.records);
    free(a->rules.config.measurements);
    *a = (struct pp_admission){ 0 };
}

struct pp_rules_state pp_admission_save(const struct pp_admission *a)
{
    return pp_rules_save(&a->rules);
}

void pp_admission_restore(struct pp_admission *a, const struct pp_rules_state *saved)
{
    pp_rules_restore(&a->rules, saved);
}
