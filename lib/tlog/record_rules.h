/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_rules.h: the rules of the ledger as a state machine that reads every entry once, in
 * order.
 *
 * The log asks it before it takes a record, the record witness before it cosigns, a monitor while
 * it reads along: feed(entry) -> OK or the rule that is broken. It holds what later rules need to
 * know of earlier records, in tables that the caller gives it; about 100 bytes a record and 56 a
 * measurement row. No clock: the caller says what time it is.
 */
#ifndef PP_RECORD_RULES_H
#define PP_RECORD_RULES_H

#include "record.h"

enum {
    PP_RULES_SKEW_S = 300,        /* how far a status may lie in the reader's future */
    PP_RULES_ON_THE_HOUR_S = 300, /* outside dev: how long after the hour a status may be dated */
};

/*
 * How far ahead keys can be logged: a day has one key for ever, so a stolen owner's key may not
 * fill the days of years to come, nor the tables of whoever reads.
 */
#define PP_RULES_KEYS_AHEAD_S (30 * PP_DAY_S)

/*
 * How far one serial may lie above the last: dates and POSIX seconds can be serials, and a stolen
 * key cannot use all numbers up with one record, after which nobody could revoke anything.
 */
#define PP_RULES_SERIAL_STEP_MAX (UINT64_C(1) << 32)

struct pp_rules_record { /* a release, host-set or key-epoch */
    struct pp_record_id id;
    enum pp_record_type type;
    unsigned role_or_kind;
    uint64_t serial;
    uint64_t from, until; /* pp_record_window */
    uint64_t revoked_at;  /* number of the entry that revoked it, from 1; 0: not revoked */
};

struct pp_rules_measurement {
    uint8_t digest[PP_SHA384_BYTES]; /* TDX: SHA-384 over MRTD and RTMRs */
    uint32_t record;                 /* index of its release */
};

/* What the rules need from outside; everything is borrowed and must outlive the machine. */
struct pp_rules_config {
    struct pp_span ledger, name_space;
    enum pp_record_env environment;
    struct pp_record_keys keys;
    struct pp_rules_record *records;
    size_t record_cap;
    struct pp_rules_measurement *measurements;
    size_t measurement_cap;
};

/* The part that grows by appending; a copy of it is a savepoint. */
struct pp_rules_state {
    uint64_t entries; /* fed so far: the size of the log that was read */
    size_t record_count;
    size_t record_live; /* records before this one have ended, and no later status speaks of them */
    size_t measurement_count;
    uint64_t serials[PP_RECORD_STATUS + 1]
                    [PP_RECORD_ROLES];    /* the last, by type and role or kind */
    uint64_t last_epoch[PP_RECORD_KINDS]; /* 0: none yet */
    uint64_t status_time;                 /* of the last status; 0: none yet */
    uint64_t min_serial[PP_RECORD_ROLES];
    uint64_t batch_time_max;     /* of the records since the last status */
    uint64_t batch_release_from; /* the earliest not-before among them */
    uint64_t batch_key_from;     /* the earliest first use among them */
    int batch_revokes;           /* 1: a revoke among them */
    int closed;                  /* 1: the last entry was a status */
};

struct pp_rules {
    struct pp_rules_config config;
    struct pp_rules_state state;
};

void pp_rules_init(struct pp_rules *r, const struct pp_rules_config *config);

/*
 * Reads the next entry at the time `now` (POSIX s). On failure the state is unchanged and the
 * entry breaks the rule that the code names: the parser's codes; LEDGER_NAMESPACE; LEDGER_SIGNER
 * and MISMATCH (pp_record_check_logged, for the entry's place in the log); LEDGER_SERIAL (not above
 * the last of its type and role or kind, or more than PP_RULES_SERIAL_STEP_MAX above it);
 * LEDGER_TWO_ROLES; LEDGER_REVOKED (a measurement of a revoked release); LEDGER_WINDOW (a waiting
 * time, an epoch out of turn); NOT_FOUND (a revoke's target); DUPLICATE (revoked already);
 * LEDGER_STATUS (a status that does not say what the records say); LEDGER_FUTURE; LIMIT (a table is
 * full).
 */
PP_MUST pp_res pp_rules_feed(struct pp_rules *r, struct pp_span entry, uint64_t now);

/*
 * What pp_rules_feed would say of a record whose place and signers are right; changes nothing. For
 * a log that asks, before it signs a status, whether that status would be one.
 */
PP_MUST pp_res pp_rules_check(const struct pp_rules *r, const struct pp_record *rec, uint64_t now);

/*
 * Takes the next entry as logged although pp_rules_feed refused it, so that whoever watches a log
 * that broke a rule sees what it does next, and is not told the same fault in every later status.
 * A record takes its place where it can; a status closes its batch, but nothing that it
 * says counts. For monitors alone: nobody may cosign or publish behind it.
 */
void pp_rules_feed_broken(struct pp_rules *r, struct pp_span entry);

/* LEDGER_NOT_LAST unless the last entry is a status record: only then may a checkpoint be
 * cosigned. */
PP_MUST pp_res pp_rules_closed(const struct pp_rules *r);

/* Savepoints: feed a batch, and take it back when it may not be published. */
struct pp_rules_state pp_rules_save(const struct pp_rules *r);
void pp_rules_restore(struct pp_rules *r, const struct pp_rules_state *saved);

/*
 * The status record that the records in force ask for at `time`: serial, times and lists, for the
 * log to sign. min-serial rises only where more than four releases of a role would be in force.
 * MISSING without any host-set; LIMIT when too many revoked records are unexpired.
 */
PP_MUST pp_res pp_rules_status(const struct pp_rules *r, uint64_t time, struct pp_record *ret);

/*
 * LEDGER_WINDOW when a record since the last status has not its waiting time before it in a batch
 * that is closed at `time`: the log leaves out what came too late, instead of failing with all of
 * it.
 */
PP_MUST pp_res pp_rules_waited(const struct pp_rules *r, uint64_t time);

#endif
