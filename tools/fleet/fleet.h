/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleet.h: the whole system on loopback, for development: every party its own process, keys and
 * folder; the secure processor simulated. Not part of release builds.
 *
 * STATE (mode 0711) holds one folder a party, mode 0700 and owned by the party's own user when the
 * fleet is started by root; fleet.json says what runs. Ports are chosen by the kernel, so any
 * number of fleets in different folders run side by side. Where a test put a file STATE/clock
 * (clock_file.h), every party and every verb on this STATE lives at its time; the CVM alone has the
 * machine's, since it decides nothing by the date.
 */
#ifndef PP_FLEET_H
#define PP_FLEET_H

#include <sys/types.h>

#include "env.h"
#include "problem.h"
#include "result.h"
#include "span.h"

enum {
    FLEET_PATH_MAX = 4096,
    FLEET_PARTIES_MAX = 32,
    FLEET_LISTENS_MAX = 4,
    FLEET_NAME_MAX = 24,
    FLEET_ADDRESS_MAX = 120,
    FLEET_REVIEWERS = 3,
};

#define FLEET_CLOCK "clock"

struct fleet_party {
    char name[FLEET_NAME_MAX];
    pid_t pid;
    uint64_t start; /* starttime of /proc/PID/stat: a pid alone may be somebody else's by now */
    struct {
        char name[16];
        char address[FLEET_ADDRESS_MAX];
    } listens[FLEET_LISTENS_MAX];
    size_t listen_count;
};

struct fleet_fault;

struct fleet {
    char state[FLEET_PATH_MAX]; /* absolute */
    char bin[FLEET_PATH_MAX];   /* where our programs stand */
    struct pp_clock clock;
    struct pp_random random;
    struct pp_problem problem;
    const struct fleet_fault *fault; /* NULL: none */
    int capture;                     /* 1: a tap on every hop, files in STATE/captures */
    int backends;                    /* 1: a guard and a predictor, which the orchestrator asks */
    int is_tdx;                      /* 1: the orchestrator's machine is one of TDX */
    int backends_tdx;                /* 1: that of its back-ends is */
    int gpu;                         /* 1: the orchestrator's machine has a GPU */
    struct fleet_party parties[FLEET_PARTIES_MAX];
    size_t party_count;
    uid_t user;          /* the first of the parties' users; 0: we are not root, all run as we do */
    uint32_t keys_until; /* the last day whose keys this start has made */
    int lock_fd;
};

/* Sets `*ret` to the clock of STATE/clock, if there is one. SYSTEM, RANGE. */
PP_MUST pp_res fleet_clock(const char *state, struct pp_clock *ret);

/*
 * Makes or opens STATE and takes its lock. STATE_IN_USE (a fleet runs there), CONFIG (the folder
 * cannot be made, or is not ours), SYSTEM.
 */
PP_MUST pp_res fleet_open(struct fleet *f, const char *state, const struct pp_clock *clock,
                          const struct pp_random *random);
void fleet_close(struct fleet *f);

/*
 * Sets up what is missing (keys, records, configurations), starts every party in the order of
 * docs/operations.md, waits until each is ready, and writes fleet.json. After a failure nothing
 * runs. `say` is told each step (may be NULL).
 */
PP_MUST pp_res fleet_up(struct fleet *f, void (*say)(void *ctx, const char *line), void *ctx);

/* Ends exactly what fleet.json lists, and waits until it is gone. STATE_ABSENT, CONFIG. */
PP_MUST pp_res fleet_down(const char *state, struct pp_problem *problem);

/* Reads fleet.json; `ret` holds the parties. STATE_ABSENT; CONFIG when it cannot be read. */
PP_MUST pp_res fleet_read(struct fleet *ret, const char *state, struct pp_problem *problem);

/*
 * Takes the lock of a STATE whose fleet was started, for work on it while it runs. STATE_ABSENT,
 * STATE_IN_USE (another ppctl works there), CONFIG. The words are in f->problem.
 */
PP_MUST pp_res fleet_join(struct fleet *f, const char *state, const struct pp_clock *clock,
                          const struct pp_random *random);

/* The folder of the gateway's OHTTP keys; what was made there is given to the gateway's user. */
PP_MUST pp_res fleet_ohttp_keys(const struct fleet *f, char ret[FLEET_PATH_MAX]);
PP_MUST pp_res fleet_give_ohttp_keys(struct fleet *f);

/*
 * Signs and logs the key-epoch record of the gateway's keys of `day`, and waits until it is
 * published and on the mirror; `_note` only writes down that it was. CHILD (the log refused).
 */
PP_MUST pp_res fleet_log_ohttp_epoch(struct fleet *f, uint64_t day, uint64_t serial);
PP_MUST pp_res fleet_note_ohttp_epoch(struct fleet *f, uint64_t day, uint64_t serial);

/* 1 if the party's process is the one that was started, and alive. */
int fleet_party_alive(const struct fleet_party *p);

/* --- faults ----------------------------------------------------------------------------------- */

/* What goes wrong on purpose, and how `ppctl summarize` must end then. */
enum fleet_fault_id {
    FAULT_TOKEN_KEY,
    FAULT_OHTTP_KEY,
    FAULT_PROGRAM,
    FAULT_CONFIG,
    FAULT_MEASUREMENT,
    FAULT_COSIGNATURE,
    FAULT_RECORD_WITNESS,
    FAULT_STATUS_STALE,
    FAULT_STATUS_ROLLBACK,
    FAULT_REVOKED,
    FAULT_CHIP,
    FAULT_REPORT_REPLAY,
    FAULT_REPORT_KEY,
    FAULT_RELAY_ATTACK,
    FAULT_MESSAGE_KEY,
    FAULT_KEM_CLASSICAL,
    FAULT_KEM_HYBRID,
    FAULT_DEBUG,
    FAULT_TCB_MIN,
    FAULT_PLATFORM_REVOKED,
    FAULT_COLLATERAL,
    FAULT_TCB_CERT, /* the simulated device's, in one piece */
    FAULT_DEVICE_CHIP,
    FAULT_DEVICE_UNSIGNED,
    FAULT_DEVICE_GPU,
    FAULT_DEVICE_STALE,
    FAULT_EVIDENCE_MISSING,
    FAULT_EVIDENCE_TWICE,
    FAULT_EVIDENCE_SIZE,
    FAULT_TLS12,
    FAULT_RETRY,
    FAULT_RESUMPTION,
    FAULT_SIMULATED_ROOT,
    FAULT_RELAY_DROP,
    FAULT_RELAY_DUPLICATE,
    FAULT_RELAY_ALTER,
    FAULT_RELAY_TRUNCATE,
    FAULT_RELAY_TRUNCATE_ANSWER,
    FAULT_RELAY_ADD,
    FAULT_RELAY_REORDER,
    FAULT_RELAY_TAG,
    FAULT_TOKEN_TWICE,
    FAULT_WALLET_EMPTY,
    FAULT_ISSUER_PROOF, /* the issuer's, in one piece */
    FAULT_ISSUER_PERMUTED,
    FAULT_ISSUER_IDENTITY,
    FAULT_ISSUER_OTHER_BATCH,
    FAULT_ISSUER_UNDER_ISSUE,
    FAULT_GATEWAY_USER_KEY, /* the gateway's, in one piece */
    FAULT_GATEWAY_EARLY,
    FAULT_GATEWAY_401,
    FAULT_GATEWAY_429,
    FAULT_GATEWAY_503,
    FAULT_GATEWAY_REDIRECT,
};

struct fleet_fault {
    enum fleet_fault_id id;
    const char *name; /* "relay-attack" */
    int exit_status;  /* of ppctl summarize */
    const char *code; /* the local code that it names with SEV-SNP; NULL: none such there */
    const char *what; /* one line for people */
    const char *mode; /* for who plays it; NULL: made from data alone */
};

extern const struct fleet_fault FLEET_FAULTS[];
extern const size_t FLEET_FAULT_COUNT;

const struct fleet_fault *fleet_fault_find(const char *name); /* NULL: unknown */

/* The code that it names with this kind of machine; NULL: such a machine has no such fault. */
const char *fleet_fault_code(const struct fleet_fault *fault, int is_tdx);

/* Which adversary program plays a fault (NULL: none), and stands in whose place. */
enum fleet_player {
    FLEET_PLAYED_BY_DATA,   /* none */
    FLEET_PLAYED_BY_DEVICE, /* pp-hostd's fault of that name */
    FLEET_PLAYED_BY_CVM,
    FLEET_PLAYED_BY_RELAY,
    FLEET_PLAYED_BY_ISSUER,
    FLEET_PLAYED_BY_GATEWAY,
};
enum fleet_player fleet_fault_player(const struct fleet_fault *fault);

static inline int fleet_has_fault(const struct fleet *f, enum fleet_fault_id id)
{
    return f->fault != NULL && f->fault->id == id;
}

#endif
