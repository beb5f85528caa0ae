/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage.h: who takes part in an attack: genuine guests on three machines, the device's client with
 * its anchors and its view of the ledger, and an attacker between them.
 */
#ifndef ORACLE_STAGE_H
#define ORACLE_STAGE_H

#include "guest.h"
#include "machine.h"
#include "ratls_int.h"

/* Which machine a guest runs on, and as what. */
enum {
    AT_FIRST,     /* a registered machine; the one that the attacker uses as oracle */
    AT_SECOND,    /* another registered machine, same program */
    AT_STRANGER,  /* a genuine machine that is in no host-set, same program */
    AS_PREDICTOR, /* the first machine, the program of another role */
    GUESTS,
};

struct stage {
    struct machine *m;
    struct sim_chip *second, *stranger;
    struct guest guests[GUESTS];
    struct pp_ratls_ctx *client_ctx, *server_ctx;
    struct pp_random random;
};

/* The simulated vendor's root is in `root_folder`, or is made and saved there. */
struct stage *stage_new(const char *guest_program, const char *root_folder);
void stage_free(struct stage *s);

/* Evidence that `chip` could give, but for its binding: host path, release, configuration. */
void stage_evidence(const struct stage *s, const struct sim_chip *chip, struct pp_evidence *ret);

/* --- the device ------------------------------------------------------------------------------- */

struct victim {
    struct pp_ratls_client *client;
    uint8_t hello[PP_HELLO_BYTES];
};

void victim_new(struct stage *s, struct victim *v);

/*
 * The device reads the flight, appraises it, and sends if it may; what it sends is left in
 * `ret_sent` (may be NULL). Gives the code of its verdict, and has sent nothing unless that is OK.
 * Ends the session.
 */
uint32_t victim_decides(struct stage *s, struct victim *v, struct pp_span flight,
                        struct pp_wr *ret_sent);

/* The same with the binding alone for a verdict: for Evidence of which this build knows no more. */
uint32_t victim_compares(struct victim *v, struct pp_span flight);

#endif
