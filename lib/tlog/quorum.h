/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quorum.h: policy files (C2SP tlog-policy): which logs, which witnesses, and how many of them.
 *
 * The same grammar, parser and decision serve checkpoints (log and witness keys) and records,
 * whose owner and review policies list type 0x01 keys on their `witness` lines. Policies borrow
 * their text.
 */
#ifndef PP_QUORUM_H
#define PP_QUORUM_H

#include "checkpoint.h"
#include "note.h"

enum {
    PP_POLICY_BYTES_MAX = 65536,
    PP_POLICY_LOGS_MAX = PP_NOTE_KEYS_MAX,      /* readers must take 32 */
    PP_POLICY_WITNESSES_MAX = PP_NOTE_KEYS_MAX, /* 32 */
    PP_POLICY_GROUPS_MAX = 64,                  /* 32 */
    PP_POLICY_NAME_MAX = 255,                   /* bytes of a name of a witness or group */
};

enum pp_policy_kind {
    PP_POLICY_LOG = 1,    /* logs and cosigning witnesses (keys of type 0x04) */
    PP_POLICY_REVIEW = 2, /* people who sign records (keys of type 0x01); no log lines */
    /* As LOG, for who follows logs of others: their keys may also be of type 0x02. A log of ours
     * signs with Ed25519 (C2SP tlog-tiles wants one such signature), so LOG refuses it. */
    PP_POLICY_FOREIGN = 3,
};

struct pp_policy_group {
    struct pp_span name;
    uint32_t needed;    /* 1..members */
    uint32_t members;   /* how many */
    uint64_t witnesses; /* bit i: witness i is a member */
    uint64_t groups;    /* bit i: group i is a member; only groups before this one */
};

enum pp_policy_quorum { PP_QUORUM_NONE, PP_QUORUM_WITNESS, PP_QUORUM_GROUP };

struct pp_policy {
    enum pp_policy_kind kind;
    struct pp_note_key log_keys[PP_POLICY_LOGS_MAX];
    struct pp_span log_urls[PP_POLICY_LOGS_MAX]; /* empty without */
    size_t log_count;
    struct pp_note_key witness_keys[PP_POLICY_WITNESSES_MAX];
    struct pp_span witness_names[PP_POLICY_WITNESSES_MAX];
    struct pp_span witness_urls[PP_POLICY_WITNESSES_MAX];
    size_t witness_count;
    struct pp_policy_group groups[PP_POLICY_GROUPS_MAX];
    size_t group_count;
    enum pp_policy_quorum quorum;
    size_t quorum_index;             /* of the witness or group */
    uint8_t digest[PP_SHA256_BYTES]; /* SHA-256 of the text: what a release's review line names */
};

/*
 * Reads a policy file. FORMAT, ENCODING, RANGE, DUPLICATE (name, key or member), MISSING (quorum),
 * NOT_FOUND (a name used before it is defined), LIMIT, MISMATCH (key id), UNSUPPORTED (key type);
 * detail is the line number, from 1.
 */
PP_MUST pp_res pp_policy_parse(struct pp_span text, enum pp_policy_kind kind,
                               struct pp_policy *ret);

/*
 * OK when the witnesses of `set` (bit i: witness i) satisfy the quorum. Else LEDGER_QUORUM, or
 * LEDGER_RECORD_WITNESS when the policy has the record ledger's shape (pp_policy_shape) and its
 * record witness is all that is missing.
 */
PP_MUST pp_res pp_policy_decide(const struct pp_policy *p, uint64_t set);

/*
 * The largest T such that the signers dated T or later satisfy the quorum. As pp_policy_decide when
 * even all of them do not. A policy without quorum gives 0: nobody vouches for any time.
 */
PP_MUST pp_res pp_policy_time(const struct pp_policy *p, const struct pp_note_signers *s,
                              uint64_t *ret_time);

/*
 * The shape of a record ledger's policy: all of {k of n plain witnesses, one record witness}. Each
 * of them is one key, or an `any` group of keys: one party while its old key and the next overlap.
 */
struct pp_policy_shape {
    uint32_t needed;         /* k */
    uint32_t plain;          /* n parties */
    uint64_t record_witness; /* bit i: witness i is a key of it */
};

/* NOT_FOUND when the policy has another shape. */
PP_MUST pp_res pp_policy_shape(const struct pp_policy *p, struct pp_policy_shape *ret);

/* RANGE unless k >= floor((n + f) / 2) + 1: with fewer, `dishonest` (f) plain witnesses and the log
 * can show two histories, each under a quorum. */
PP_MUST pp_res pp_policy_shape_safe(const struct pp_policy_shape *s, uint32_t dishonest);

/* A checkpoint under a policy: what it says and which witnesses cosigned it, when. */
struct pp_policy_checkpoint {
    struct pp_checkpoint checkpoint; /* borrows the note */
    size_t log;                      /* index of the log */
    struct pp_note_signers witnesses;
};

/*
 * Opens a checkpoint note: its origin is the name of a listed log whose key signed, and every line
 * of a known key verifies. FORMAT and so on; LEDGER_ORIGIN, LEDGER_SIGNATURE. The quorum is the
 * caller's next question, so that it can apply an age rule first.
 */
PP_MUST pp_res pp_policy_open(const struct pp_policy *p, struct pp_span note,
                              struct pp_policy_checkpoint *ret);

#endif
