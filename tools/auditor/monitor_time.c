/* SPDX-License-Identifier: Apache-2.0 */
/* What has not come in time. Conditions: each is told once for as long as it lasts. */
#include "monitor_int.h"

#include <stdio.h>

static pp_res found_since(struct pp_monitor *m, struct pp_monitor_finding *f, uint64_t since,
                          const char *field, uint64_t expected, uint64_t got)
{
    const struct pp_monitor_evidence evidence[] = { { "checkpoint", m->last.head.note } };

    f->since = since;
    pp_problem_numbers(&f->words, field, expected, got);
    return monitor_found(m, f, evidence, PP_ARRAY_COUNT(evidence));
}

static struct pp_monitor_finding condition(const struct pp_monitor *m, enum pp_finding_level level,
                                           enum pp_code code)
{
    return monitor_begin(m, level, PP_FINDING_CONDITION, code);
}

/* --- publications ----------------------------------------------------------------------------- */

static pp_res check_quorum(struct pp_monitor *m)
{
    struct pp_monitor_finding f = condition(m, PP_FINDING_ALARM, PP_E_LEDGER_STALE);
    uint64_t quorum = m->last.head.quorum_posix_s;

    if (quorum == 0 || m->now <= quorum + PP_MONITOR_QUORUM_S)
        return PP_OK;
    snprintf(f.subject, sizeof f.subject, "size %llu", (unsigned long long)m->tree.size);
    return found_since(m, &f, quorum, "time of the quorum", m->now - PP_MONITOR_QUORUM_S, quorum);
}

static pp_res check_status(struct pp_monitor *m)
{
    struct pp_monitor_finding f = condition(m, PP_FINDING_WARNING, PP_E_LEDGER_LATE);
    uint64_t status = m->rules.state.status_time;

    if (status == 0 || m->now <= status + PP_MONITOR_LATE_S)
        return PP_OK;
    snprintf(f.subject, sizeof f.subject, "status behind entry %llu",
             (unsigned long long)(m->tree.size - 1));
    return found_since(m, &f, status, "time of the last status", m->now - 3600, status);
}

/*
 * A larger tree was signed, over an hour ago, and is not served. With a quorum clients may have it,
 * and the log went back; without one the log waits for its witnesses.
 */
static pp_res check_ahead(struct pp_monitor *m)
{
    for (size_t i = 0; i < PP_MONITOR_AHEAD_MAX; i++) {
        const struct pp_monitor_kept *k = &m->ahead[i];
        struct pp_monitor_finding f = condition(m, PP_FINDING_ALARM, PP_E_LEDGER_REWIND);
        const struct pp_monitor_evidence evidence[] = { { "checkpoint-1", k->head.note },
                                                        { "checkpoint-2", m->last.head.note } };
        uint64_t size = k->head.opened.checkpoint.size;
        if (k->len == 0 || m->now <= k->shown_posix_s + PP_MONITOR_LATE_S)
            continue;
        if (k->head.quorum != PP_E_OK) {
            f.level = PP_FINDING_WARNING;
            f.code = PP_E_LEDGER_LATE;
        }
        f.since = k->shown_posix_s;
        snprintf(f.subject, sizeof f.subject, "size %llu after size %llu",
                 (unsigned long long)m->tree.size, (unsigned long long)size);
        pp_problem_numbers(&f.words, "size that is served", size, m->tree.size);
        PP_TRY(monitor_found(m, &f, evidence, m->last.len > 0 ? 2 : 1));
    }
    return PP_OK;
}

static pp_res check_witnesses(struct pp_monitor *m)
{
    for (size_t w = 0; w < m->config.log->witness_count; w++) {
        struct pp_monitor_finding f = condition(m, PP_FINDING_WARNING, PP_E_LEDGER_WITNESS_SLOW);
        uint64_t time = m->witness_posix_s[w];
        if (m->now <= time + m->config.witness_late_s)
            continue;
        f.who[0] = '\0';
        monitor_add_witnesses(m, UINT64_C(1) << w, f.who, sizeof f.who);
        snprintf(f.subject, sizeof f.subject, time == 0 ? "never" : "silent");
        PP_TRY(found_since(m, &f, time, "time of the last cosignature",
                           m->now - m->config.witness_late_s, time));
    }
    return PP_OK;
}

/* --- what runs out ---------------------------------------------------------------------------- */

static const struct pp_rules_record *newest(const struct pp_monitor *m, enum pp_record_type type,
                                            unsigned role)
{
    for (size_t i = m->rules.state.record_count; i > 0; i--) {
        const struct pp_rules_record *r = &m->rules.config.records[i - 1];
        if (r->type == type && r->role_or_kind == role)
            return r;
    }
    return NULL;
}

/* A warning at half time, an alarm at the end, unless something newer is there. */
static pp_res check_record(struct pp_monitor *m, enum pp_record_type type, unsigned role,
                           const char *name)
{
    const struct pp_rules_record *r = newest(m, type, role);
    struct pp_monitor_finding f = condition(m, PP_FINDING_ALARM, PP_E_LEDGER_EXPIRING);

    if (r == NULL || (r->revoked_at == 0 && m->now < r->from + (r->until - r->from) / 2))
        return PP_OK;
    if (r->revoked_at == 0 && m->now < r->until)
        f.level = PP_FINDING_WARNING;
    snprintf(f.subject, sizeof f.subject, "%s of serial %llu, %s", name,
             (unsigned long long)r->serial,
             r->revoked_at != 0            ? "revoked"
             : f.level == PP_FINDING_ALARM ? "expired"
                                           : "half time");
    return found_since(m, &f, r->until, "end of the newest", m->now, r->until);
}

/* The day of the newest key; keys are logged two days ahead, in dev on the day. */
static pp_res check_keys(struct pp_monitor *m, enum pp_record_kind kind)
{
    struct pp_monitor_finding f = condition(m, PP_FINDING_ALARM, PP_E_LEDGER_EXPIRING);
    uint64_t day = m->now / PP_DAY_S, last = m->rules.state.last_epoch[kind];
    uint64_t needed = day, wanted = day + 1;

    if (m->config.rules->environment != PP_RECORD_DEV) {
        needed = day + 2;
        wanted = m->now % PP_DAY_S < PP_DAY_S / 2 ? needed : day + 3;
    }
    if (last == 0 || last >= wanted)
        return PP_OK;
    if (last >= needed)
        f.level = PP_FINDING_WARNING;
    snprintf(f.subject, sizeof f.subject, "%s keys behind day %llu%s", pp_record_kind_name(kind),
             (unsigned long long)last, f.level == PP_FINDING_ALARM ? ", too late" : "");
    return found_since(m, &f, (last + 1) * PP_DAY_S, "day of the newest key", wanted, last);
}

static pp_res check_expiry(struct pp_monitor *m)
{
    char name[64];

    PP_TRY(check_record(m, PP_RECORD_HOST_SET, 0, "host-set"));
    for (unsigned role = 0; role < PP_RECORD_ROLES; role++) {
        snprintf(name, sizeof name, "%s release", pp_record_role_name((enum pp_record_role)role));
        PP_TRY(check_record(m, PP_RECORD_RELEASE, role, name));
    }
    for (unsigned kind = 0; kind < PP_RECORD_KINDS; kind++)
        PP_TRY(check_keys(m, (enum pp_record_kind)kind));
    return PP_OK;
}

/* --- what somebody was promised --------------------------------------------------------------- */

static pp_res check_expected(struct pp_monitor *m)
{
    for (size_t i = 0; i < m->expected_count; i++) {
        struct pp_monitor_finding f = condition(m, PP_FINDING_ALARM, PP_E_LEDGER_WITHHELD);
        const struct pp_monitor_evidence evidence[] = { { "checkpoint", m->last.head.note } };
        char hex[2 * PP_SHA256_BYTES + 1] = "";
        struct pp_wr wr = pp_wr_over(hex, sizeof hex - 1);
        if (m->expected_found[i])
            continue;
        pp_wr_hex(&wr, PP_BYTES(m->expected[i].bytes));
        snprintf(f.subject, sizeof f.subject, "record %s", hex);
        pp_problem_set(&f.words, "entry", "the record that was acknowledged", PP_STR("none"));
        PP_TRY(monitor_found(m, &f, evidence, m->last.len > 0));
    }
    return PP_OK;
}

pp_res pp_monitor_conditions(struct pp_monitor *m)
{
    PP_TRY(check_ahead(m));
    if (m->tree.size == 0)
        return PP_OK; /* nothing was published yet */
    PP_TRY(check_quorum(m));
    PP_TRY(check_witnesses(m));
    if (m->config.rules == NULL)
        return PP_OK;
    PP_TRY(check_status(m));
    PP_TRY(check_expiry(m));
    return check_expected(m);
}

/* --- sources ---------------------------------------------------------------------------------- */

pp_res pp_monitor_found_file(struct pp_monitor *m, const char *who, uint32_t code,
                             const struct pp_problem *words)
{
    struct pp_monitor_finding f = condition(m, PP_FINDING_ALARM, (enum pp_code)code);

    monitor_set_text(f.who, sizeof f.who, who);
    monitor_set_text(f.subject, sizeof f.subject, "file of the log");
    pp_problem_set(&f.words, words->field, words->expected, pp_span_cstr(words->got));
    return monitor_found(m, &f, NULL, 0);
}

pp_res pp_monitor_unreadable(struct pp_monitor *m, const char *who, pp_res why)
{
    int refused = pp_code_class(why.code) == PP_CLASS_REFUSED;
    struct pp_monitor_finding f = condition(m, refused ? PP_FINDING_ALARM : PP_FINDING_WARNING,
                                            (enum pp_code)why.code);

    monitor_set_text(f.who, sizeof f.who, who);
    monitor_set_text(f.subject, sizeof f.subject, "could not be read");
    pp_problem_set(&f.words, "source", "a log that can be read",
                   pp_span_cstr(pp_code_text(why.code)));
    return monitor_found(m, &f, NULL, 0);
}
