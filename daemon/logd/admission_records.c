/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger: entries keep the rules, and the log says every hour what they amount to. */
#include "admission.h"

#include <stdlib.h>

static pp_res open_records(struct pp_admission *a)
{
    struct pp_rules_config c = {
        .ledger = pp_log_keys_origin(&a->config.log),
        .name_space = a->config.name_space,
        .environment = a->config.environment,
        .keys = a->config.keys,
        .records = calloc(PP_ADMISSION_RECORDS_MAX, sizeof *c.records),
        .record_cap = PP_ADMISSION_RECORDS_MAX,
        .measurements = calloc(PP_ADMISSION_MEASUREMENTS_MAX, sizeof *c.measurements),
        .measurement_cap = PP_ADMISSION_MEASUREMENTS_MAX,
    };

    pp_rules_init(&a->rules, &c);
    PP_CHECK(c.records != NULL && c.measurements != NULL, PP_E_NO_MEMORY, 0);
    return PP_OK;
}

static int is_status(struct pp_span entry)
{
    struct pp_record r;
    struct pp_note n;

    return pp_is_ok(pp_record_open(entry, &n, &r)) && r.type == PP_RECORD_STATUS;
}

/*
 * An own entry that breaks the rules is a finding, not something to step over. A status that none
 * of our keys has signed is said as what it mostly is: a key of this log that nobody named.
 */
static pp_res replay(struct pp_admission *a, struct pp_span entry)
{
    pp_res r = pp_rules_feed(&a->rules, entry, PP_RECORD_TIME_MAX);

    if (r.code == PP_E_LEDGER_SIGNER && is_status(entry))
        r.code = PP_E_LEDGER_SIGNATURE;
    return r;
}

/* The rules have read all of it; what does not end in a status was signed by no ledger. */
static pp_res recognise(const struct pp_admission *a, struct pp_span last)
{
    (void)last;
    return pp_rules_closed(&a->rules);
}

/* Only a status is measured against the clock, and the log takes no status but those it makes. */
static pp_res see_entry(struct pp_admission *a, struct pp_span entry)
{
    PP_TRY(pp_rules_feed(&a->rules, entry, PP_RECORD_TIME_MAX));
    PP_CHECK(!a->rules.state.closed, PP_E_LEDGER_STATUS, 0);
    return PP_OK;
}

static pp_res see(struct pp_admission *a, const struct pp_batch *b, size_t *ret_entry)
{
    struct pp_rules_state before = pp_rules_save(&a->rules);

    for (size_t i = 0; i < b->count; i++) {
        pp_res r = see_entry(a, b->entries[i]);
        if (pp_is_ok(r))
            continue;
        *ret_entry = i;
        pp_rules_restore(&a->rules, &before);
        return r;
    }
    *ret_entry = b->count;
    return PP_OK;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* When the status is dated: not before anything that it closes or follows. */
static uint64_t status_time(const struct pp_admission *a, uint64_t when)
{
    return later(when, later(a->rules.state.batch_time_max, a->rules.state.status_time));
}

static pp_res is_in_time(const struct pp_admission *a, uint64_t when)
{
    return pp_rules_waited(&a->rules, status_time(a, when));
}

static pp_res next_status(const struct pp_admission *a, uint64_t when, struct pp_record *ret)
{
    uint64_t time = status_time(a, when);

    PP_CHECK(time <= PP_RECORD_TIME_MAX - PP_STATUS_LIFE_S, PP_E_RANGE, 0);
    return pp_rules_status(&a->rules, time, ret);
}

static pp_res could_close(const struct pp_admission *a, uint64_t when)
{
    struct pp_record status;

    PP_TRY(next_status(a, when, &status));
    return pp_rules_check(&a->rules, &status, when);
}

static pp_res close_records(struct pp_admission *a, uint64_t now, struct pp_wr *ret)
{
    struct pp_record status;

    PP_TRY(next_status(a, now, &status));
    PP_TRY(pp_record_sign(ret, &status, a->config.log.signers, a->config.log.signer_count));
    return pp_rules_feed(&a->rules, pp_wr_done(ret), now);
}

/* The hour that is due at `now`, or the next one. */
static uint64_t due(const struct pp_admission *a, size_t waiting, uint64_t now)
{
    uint64_t hour = now / PP_ADMISSION_HOUR_S * PP_ADMISSION_HOUR_S;
    int at_once = a->config.environment == PP_RECORD_DEV || a->rules.state.batch_revokes;

    if (waiting > 0 && at_once)
        return 0;
    if (now - hour < PP_RULES_ON_THE_HOUR_S && a->rules.state.status_time < hour)
        return 0;
    return hour + PP_ADMISSION_HOUR_S;
}

const struct pp_admission_ops pp_admission_records = {
    .entry_max = PP_RECORD_ENTRY_MAX,
    .id_window = 0,
    .has_directory = 1,
    .open = open_records,
    .id = pp_entry_id,
    .replay = replay,
    .recognise = recognise,
    .see = see,
    .is_in_time = is_in_time,
    .could_close = could_close,
    .close = close_records,
    .due = due,
};
