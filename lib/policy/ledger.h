/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.h: what a device believes after it has checked a directory bundle: which programs,
 * machines and keys are in force now (docs/protocol/ledger.md, client check; pp-wire 2).
 *
 * Everything in a bundle is somebody else's until pp_ledger_verify has returned ok. The device
 * never asks a server whether its view is current: the cosignatures' dates say it.
 */
#ifndef PP_LEDGER_H
#define PP_LEDGER_H

#include "arena.h"
#include "bundle.h"
#include "check.h"
#include "hosts.h"
#include "proof.h"
#include "record.h"
#include "result.h"
#include "trust.h"

enum {
    PP_LEDGER_AGE_MAX_S = 86400, /* of the quorum's dates, and a status record's life */
    PP_LEDGER_SKEW_S = 300,
    PP_LEDGER_ARENA_BYTES = 1 << 20, /* what pp_ledger_verify takes from its arena, at most */
    PP_MARKS_REVOKED_MAX = 1024,
    PP_MARKS_BYTES_MAX = 16 + 8 * (3 + PP_RECORD_ROLES) + 32 + 4 + PP_MARKS_REVOKED_MAX * 32,
};

/* High-water marks: what the device has seen and will not go behind. Zero state: nothing seen. */
struct pp_marks {
    /*
     * The latest time at which a bundle was accepted, so at most a day ahead of what a quorum
     * dated: a clock that is set back afterwards makes nothing fresh again.
     */
    uint64_t now_posix_s;
    uint64_t tree_size;
    uint64_t status_serial;
    struct pp_record_id status_id; /* of serial and tree: another text there is a split view */
    uint64_t min_serial[PP_RECORD_ROLES];
    struct pp_record_id revoked[PP_MARKS_REVOKED_MAX];
    size_t revoked_count;
};

/* Storage form of marks: one encoding a value. FORMAT, TRUNCATED, TRAILING. */
PP_MUST pp_res pp_marks_parse(struct pp_span bytes, struct pp_marks *ret);
PP_MUST pp_res pp_marks_write(struct pp_wr *wr, const struct pp_marks *m);

struct pp_ledger_record {
    struct pp_record_id id;
    struct pp_record record; /* borrows from the bundle's bytes */
    struct pp_bundle_entry source;
};

/* A verified view. Borrows from the bundle's bytes and the arena. */
struct pp_ledger {
    struct pp_ledger_record status;
    struct pp_ledger_record *records; /* as the status names them: releases, hosts, keys */
    size_t record_count;
    uint64_t now_posix_s;    /* max(the device's clock, quorum_posix_s, the marks) */
    uint64_t quorum_posix_s; /* the latest time that the quorum vouches for */
    uint64_t tree_size;
    struct pp_record_id *noted; /* what revoke notes of bundle and app name, logged or not */
    size_t noted_count;
    struct pp_bundle bundle;
};

/*
 * Checks a bundle against the anchors and the stored marks, at the device's clock. On failure
 * `problem` (may be NULL) says what was expected; `*ret` is written only on success. Rows go to
 * `checks` (may be NULL). LEDGER_*; NO_MEMORY when `arena` has less than PP_LEDGER_ARENA_BYTES.
 */
PP_MUST pp_res pp_ledger_verify(const struct pp_trust *trust, struct pp_span bundle,
                                const struct pp_marks *marks, uint64_t clock_posix_s,
                                struct pp_arena *arena, struct pp_ledger *ret,
                                struct pp_checks *checks, struct pp_problem *problem);

/* The marks after this view; the caller stores them before it goes on. */
void pp_ledger_raise_marks(const struct pp_ledger *l, struct pp_marks *marks);

/* The key record of `kind` whose use window holds `posix_s`. LEDGER_KEYS. */
PP_MUST pp_res pp_ledger_key_at(const struct pp_ledger *l, enum pp_record_kind kind,
                                uint64_t posix_s, const struct pp_key_epoch **ret);

/* The issuer key record of a UTC day, in use or not. LEDGER_KEYS. */
PP_MUST pp_res pp_ledger_issuer_key(const struct pp_ledger *l, uint64_t day,
                                    const struct pp_key_epoch **ret);

/*
 * The release of that id in that role: in force, not revoked. LEDGER_REVOKED (the status or a mark
 * says so), LEDGER_NOT_YET (no release is listed at all), LEDGER_UNLISTED, LEDGER_NAMESPACE (it is
 * of another role), LEDGER_WINDOW.
 */
PP_MUST pp_res pp_ledger_release(const struct pp_ledger *l, const struct pp_marks *marks,
                                 const struct pp_record_id *id, enum pp_record_role role,
                                 const struct pp_release **ret);

/* The host-set that the status names. */
const struct pp_ledger_record *pp_ledger_hosts(const struct pp_ledger *l);

#endif
