/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor_finding.h: what a monitor has to say: who did what, and the line that a findings file
 * keeps of it (docs/ledger.md, "For auditors: the monitor").
 *
 * A fact stays true for ever and comes with evidence that anybody can check (a log signed two
 * trees); a condition begins and may end (a witness is slow).
 */
#ifndef PP_MONITOR_FINDING_H
#define PP_MONITOR_FINDING_H

#include "problem.h"
#include "rd.h"
#include "wr.h"

enum {
    PP_FINDING_WHO_MAX = 255,     /* bytes */
    PP_FINDING_SUBJECT_MAX = 159, /* bytes */
    PP_FINDING_LINE_MAX = 1280,   /* bytes of a line, line feed included */
    PP_FINDING_ID_BYTES = 16,
    PP_FINDING_EVIDENCE_MAX = 4, /* files to one finding */
};

/* Only an alarm makes the exit status 3; a warning is what would become one. */
enum pp_finding_level { PP_FINDING_INFO = 1, PP_FINDING_WARNING, PP_FINDING_ALARM };
enum pp_finding_kind { PP_FINDING_FACT = 1, PP_FINDING_CONDITION };

/* Every text is printable ASCII. */
struct pp_monitor_finding {
    enum pp_finding_level level;
    enum pp_finding_kind kind;
    enum pp_code code;
    uint64_t since;   /* POSIX s: when a condition began; part of its name, so that each episode is
                        told once. 0 for facts */
    uint64_t posix_s; /* when it was found */
    char who[PP_FINDING_WHO_MAX + 1];         /* "log ledger.example", "witness w2" */
    char subject[PP_FINDING_SUBJECT_MAX + 1]; /* "entry 12, record 1f0c…", "size 40" */
    struct pp_problem words;                  /* field, expected, got; party is not used */
};

struct pp_monitor_finding_id {
    uint8_t bytes[PP_FINDING_ID_BYTES];
};

/* A file of the evidence folder: bytes as they were received. */
struct pp_monitor_evidence {
    const char *name; /* "checkpoint-1" */
    struct pp_span bytes;
};

/* The name of a finding: of what was found, not of when or in which words. */
void pp_monitor_finding_id_of(const struct pp_monitor_finding *f,
                              struct pp_monitor_finding_id *ret);

const char *pp_monitor_finding_level_name(enum pp_finding_level level); /* "alarm" */
const char *pp_monitor_finding_kind_name(enum pp_finding_kind kind);    /* "fact" */

/* Writes the line of the findings file, line feed included: ten fields with a tab between. */
void pp_monitor_finding_write(struct pp_wr *wr, const struct pp_monitor_finding *f);

/*
 * Reads such a line, without its line feed. FORMAT (a field, the wrong number of them, bytes that
 * are not printable), MISMATCH (the id is not that of the rest).
 */
PP_MUST pp_res pp_monitor_finding_parse(struct pp_span line, struct pp_monitor_finding *ret);

/* Who hears of findings, in the order in which they are made; a failure ends the call that found
 * it. */
struct pp_monitor_sink {
    pp_res (*found)(void *ctx, const struct pp_monitor_finding *f,
                    const struct pp_monitor_evidence *evidence, size_t evidence_count);
    void *ctx;
};

#endif
