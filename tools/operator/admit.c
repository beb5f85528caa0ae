/* SPDX-License-Identifier: Apache-2.0 */
#include "admit.h"

#include <stdlib.h>

enum {
    MEASUREMENTS_MAX = PP_ADMIT_MAX * (PP_RELEASE_SNP_MAX + PP_RELEASE_TDX_MAX),
    HOUR_S = 3600,
};

struct pp_admit {
    struct pp_rules rules;
    struct pp_rules_record records[PP_ADMIT_MAX];
    struct pp_rules_measurement measurements[MEASUREMENTS_MAX];
    struct pp_note note;
    struct pp_record record;
    size_t count;
};

pp_res pp_admit_new(struct pp_span ledger, struct pp_span name_space,
                    enum pp_record_env environment, const struct pp_record_keys *keys,
                    struct pp_admit **ret)
{
    struct pp_admit *a = calloc(1, sizeof *a);

    PP_CHECK(a != NULL, PP_E_NO_MEMORY, 0);
    const struct pp_rules_config config = { .ledger = ledger,
                                            .name_space = name_space,
                                            .environment = environment,
                                            .keys = *keys,
                                            .records = a->records,
                                            .record_cap = PP_ADMIT_MAX,
                                            .measurements = a->measurements,
                                            .measurement_cap = MEASUREMENTS_MAX };
    pp_rules_init(&a->rules, &config);
    /* It counts from 0, and judges what will be logged behind everything that is there. */
    a->rules.config.keys.former_count = 0;
    *ret = a;
    return PP_OK;
}

void pp_admit_free(struct pp_admit *a)
{
    free(a);
}

pp_res pp_admit_entry(struct pp_admit *a, struct pp_span entry, uint64_t now_s)
{
    PP_CHECK(a->count < PP_ADMIT_MAX, PP_E_LIMIT, a->count);
    PP_TRY(pp_record_open(entry, &a->note, &a->record));
    PP_CHECK(a->record.type != PP_RECORD_STATUS, PP_E_UNSUPPORTED, a->record.type);
    pp_res r = pp_rules_feed(&a->rules, entry, now_s);
    /* The rules look for the target last: everything else about this revocation is right. */
    if (a->record.type == PP_RECORD_REVOKE && r.code == PP_E_NOT_FOUND) {
        a->rules.state.batch_revokes = 1;
        r = PP_OK;
    }
    if (pp_is_ok(r))
        a->count++;
    return r;
}

uint64_t pp_admit_published_s(enum pp_record_env environment, uint64_t now_s)
{
    if (environment == PP_RECORD_DEV)
        return now_s;
    return (now_s + HOUR_S - 1) / HOUR_S * HOUR_S;
}

pp_res pp_admit_in_time(const struct pp_admit *a, uint64_t now_s)
{
    const struct pp_rules *r = &a->rules;

    return pp_rules_waited(
        r, r->state.batch_revokes ? now_s : pp_admit_published_s(r->config.environment, now_s));
}
