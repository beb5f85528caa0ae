/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_arg.h: which log a command reads, and under whose keys.
 *
 *     --log FOLDER|URL    the public files of a log, wherever they are; without it STATE/log/public
 *     --ca FILE           who vouches for an https URL (PEM); without it those of the trust anchors
 *     --policy FILE       a policy (C2SP tlog-policy) in place of the ledger's place (place.h): for
 *                         logs of others, whose entries are taken as they are
 */
#ifndef PPCTL_LOG_ARG_H
#define PPCTL_LOG_ARG_H

#include "audit.h"
#include "log_prove.h"
#include "place.h"

struct log_args {
    const char *log, *ca, *policy;
    struct ppctl_place_args place;
};

/* Rows of a verb's table of options, which end up in `args`, a struct log_args. */
#define LOG_OPTIONS(args)                                                                          \
    { "--log", "FOLDER|URL", "the log's public files", &(args).log, NULL },                        \
    {                                                                                              \
        "--ca", "FILE", "who vouches for an https URL, PEM", &(args).ca, NULL                      \
    }
#define LOG_POLICY_OPTION(args)                                                                    \
    {                                                                                              \
        "--policy", "FILE", "log, witnesses, quorum: for another's log", &(args).policy, NULL      \
    }

/* Zeroed before; not to be moved. */
struct log_pins {
    const struct pp_policy *policy;
    int is_opaque;                /* 1: from --policy; there is no place */
    struct pp_audit_place place;  /* else */
    const struct pp_trust *trust; /* NULL where single options said it all */
    struct pp_span ca_pem;
    char anchor[80];                      /* what vouches for the answer, in words */
    char digest[2 * PP_SHA256_BYTES + 1]; /* of it, hex */

    /* What the above borrows from. */
    struct ppctl_place *opened;
    struct pp_policy_file file;
    struct pp_buf ca;
};

/* USAGE (--policy and a place), and what ppctl_place_open and pp_policy_file_load say. Call
 * log_pins_done also after a failure. */
PP_MUST pp_res log_pins_open(const struct ppctl *p, const struct log_args *args,
                             struct pp_problem *problem, struct log_pins *ret);
void log_pins_done(struct log_pins *pins);

/* What --log says, or the default; `ret_place` holds the folder's name. RANGE. */
PP_MUST pp_res log_source_of(const struct ppctl *p, const struct log_args *args,
                             const struct log_pins *pins, char ret_place[PP_LOG_SOURCE_PLACE_MAX],
                             struct pp_log_source_config *ret);

/* A log whose checkpoint has the signature and the quorum; zeroed before. */
struct log_at {
    struct pp_log_source *source;
    struct pp_buf note;
    struct pp_policy_checkpoint opened; /* borrows the note */
    uint64_t quorum_posix_s;
};

/* Opens the log that a person named: one that is not there is theirs to correct (INPUT). */
PP_MUST pp_res log_named_open(const struct pp_log_source_config *from, struct pp_problem *problem,
                              struct pp_log_source **ret);

/* Opens the source and the checkpoint: failures of log_source.h; LEDGER_*. */
PP_MUST pp_res log_at_open(const struct pp_log_source_config *from, const struct log_pins *pins,
                           struct pp_problem *problem, struct log_at *ret);
void log_at_done(struct log_at *at);

/* For log_prove.h. */
struct pp_log_shown log_at_shown(const struct log_at *at);

/* --- output shared by the verbs of a log --------------------------------------------------- */

json_t *log_hex_json(struct pp_span bytes); /* at most 64 bytes */
json_t *log_span_json(struct pp_span text);

/* "origin", "vkey", "size", "root", "time", "witnesses" and "anchor" of an opened checkpoint. */
void log_put_checkpoint(json_t *o, const struct log_pins *pins,
                        const struct pp_policy_checkpoint *c, uint64_t quorum_posix_s);

/* The same for people. */
void log_print_checkpoint(const struct log_pins *pins, const struct pp_policy_checkpoint *c,
                          uint64_t quorum_posix_s);

struct log_moment {
    char text[32];
};
struct log_moment log_moment_of(uint64_t posix_s);

#endif
