/* SPDX-License-Identifier: Apache-2.0 */
/* fleet_int.h: what the files of tools/fleet share. */
#ifndef PP_FLEET_INT_H
#define PP_FLEET_INT_H

#include "file.h"
#include "fleet.h"
#include "wr.h"

/* --- files of the state folder ---------------------------------------------------------------- */

/* "STATE/<party>/<name>"; `name` NULL: the folder. */
PP_MUST pp_res fleet_path(const struct fleet *f, const char *party, const char *name,
                          char ret[FLEET_PATH_MAX]);

/* Makes "STATE/<party>[/<name>]", mode 0700, owned by the party's user. Exists: fine. */
PP_MUST pp_res fleet_folder(struct fleet *f, const char *party, const char *name);

/* Writes and reads a file of a party; written ones belong to the party's user, mode 0600. */
PP_MUST pp_res fleet_write(struct fleet *f, const char *party, const char *name,
                           struct pp_span content);
PP_MUST pp_res fleet_read_file(struct fleet *f, const char *party, const char *name, size_t max,
                               struct pp_buf *ret);
int fleet_exists(const struct fleet *f, const char *party, const char *name);

/* Gives everything below a party's folder to the party's user. */
PP_MUST pp_res fleet_give_all(struct fleet *f, const char *party);

/* Words for the failure of a party, and the failure. */
PP_MUST pp_res fleet_refuse(struct fleet *f, pp_res r, const char *party, const char *field,
                            const char *expected, const char *got);

/* The user of a party: its own number when we are root, else 0: no change. */
uid_t fleet_user(const struct fleet *f, const char *party);

/* --- processes -------------------------------------------------------------------------------- */

struct fleet_start {
    const char *party;   /* "gateway" */
    const char *program; /* "pp-gatewayd" */
    const char *config;  /* its text; the common keys are added; NULL: it has none */
    const char *args[8]; /* without configuration: these, and --ready-fd */
};

/*
 * Writes STATE/<party>/config, starts the program, of which fleet.json knows before it runs, and
 * waits until it is ready. PROGRAM_ABSENT, CHILD (it ended; its last words are in f->problem),
 * TIMEOUT.
 */
PP_MUST pp_res fleet_start(struct fleet *f, const struct fleet_start *s);

/* Runs a program of ours to its end and gives what it wrote on standard output. CHILD. */
PP_MUST pp_res fleet_run(struct fleet *f, const char *program, const char *const *args,
                         struct pp_buf *ret_output);

/* The address that a started party listens on under that name; NULL: its first. NOT_FOUND. */
PP_MUST pp_res fleet_address(const struct fleet *f, const char *party, const char *listen,
                             char ret[FLEET_ADDRESS_MAX]);

/* Refuses a folder that holds what no fleet put there (CONFIG): before anything is written. */
PP_MUST pp_res fleet_claim(struct fleet *f);

/* Removes what a start with a fault left, or one before it; writes down the fault of this one. */
PP_MUST pp_res fleet_begin(struct fleet *f);

/* Ends all that this fleet started, last first. */
void fleet_stop_all(struct fleet *f);

/* Writes fleet.json. */
PP_MUST pp_res fleet_save(const struct fleet *f);

/*
 * A TCP port of 127.0.0.1, for those who must be known before they run: nobody is given it by the
 * kernel until the descriptor is closed. SYSTEM.
 */
PP_MUST pp_res fleet_reserve_port(uint16_t *ret_port, int *ret_fd);

/* --- set-up ----------------------------------------------------------------------------------- */

/* Keys, policies, trust files; records, submitted and published. In the order of pp-wire 13. */
PP_MUST pp_res fleet_make_people(struct fleet *f);  /* owner, reviewers, builders */
PP_MUST pp_res fleet_make_machine(struct fleet *f); /* simulated processor, program, config */
PP_MUST pp_res fleet_make_epochs(struct fleet *f);  /* token and OHTTP keys of today and tomorrow */
PP_MUST pp_res fleet_make_policies(struct fleet *f); /* log, owner and review policies */
PP_MUST pp_res fleet_publish(struct fleet *f);       /* host-set, keys, release -> log -> bundle */
PP_MUST pp_res fleet_make_trust(struct fleet *f);    /* STATE/trust */
PP_MUST pp_res fleet_make_device(struct fleet *f);   /* settings and the app's key */

#endif
