/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages.h: where the time of a session goes on the device. The program is linked with --wrap for
 * the functions that do the work of a session (bench/meson.build), so that what is measured is the
 * product itself, without one line in it that knows of benchmarks.
 */
#ifndef BENCH_STAGES_H
#define BENCH_STAGES_H

#include <stddef.h>

enum stage {
    STAGE_LEDGER,     /* the held directory bundle: signatures, quorum, proofs, marks */
    STAGE_TOKEN,      /* a token chosen, deleted on the disk, opened */
    STAGE_SEAL_OHTTP, /* both requests */
    STAGE_OPEN_OHTTP, /* both answers */
    STAGE_TLS,        /* ClientHello, the server's flight, Finished and records */
    STAGE_APPRAISAL,  /* everything of the order of checks that follows the Evidence */
    STAGE_RECEIPT,    /* before the request and behind the answer: two files, both synced */
    STAGE_SEAL,       /* the request to the worker's message key */
    STAGE_ANSWER,     /* the answer opened and parsed */
    STAGE_HTTP,       /* two POSTs: the client's CPU; its wall is the rest of the fleet */
    STAGES
};

struct stage_time {
    double cpu_s, wall_s;
};

extern struct stage_time stage_times[STAGES]; /* sums since the last reset */
extern const char *const STAGE_NAMES[STAGES];

struct stage_time stage_now(void);
void stages_reset(void);

#endif
