/* SPDX-License-Identifier: Apache-2.0 */
/* machine.h: the simulated machine of a fleet, as its records say; for tools/fleet alone. */
#ifndef PP_FLEET_MACHINE_H
#define PP_FLEET_MACHINE_H

#include "evidence.h"
#include "file.h"
#include "fleet.h"
#include "hash.h"
#include "hosts.h"
#include "sim.h"
#include "sim_tdx.h"

/* The confidential VMs of a fleet: the orchestrator, and with `--backends` those that it asks. */
enum fleet_role { FLEET_ORCHESTRATOR, FLEET_GUARD, FLEET_PREDICTOR, FLEET_ROLES };

struct fleet_cvm {
    const char *party;   /* its host's folder, below STATE */
    const char *role;    /* as records say it */
    const char *cmdline; /* measured */
};

extern const struct fleet_cvm FLEET_CVMS[FLEET_ROLES];

struct fleet_machine {
    enum fleet_role role;
    enum pp_platform platform;    /* sim-snp or sim-tdx */
    struct sim_chip *chip;        /* of sim-snp, */
    struct sim_tdx_platform *tdx; /* of sim-tdx */
    struct pp_buf program, firmware, config;
    uint8_t program_digest[PP_SHA256_BYTES];
    uint8_t config_digest[PP_SHA256_BYTES];
    uint8_t measurement[PP_LAUNCH_DIGEST_BYTES]; /* of sim-snp, */
    struct sim_tdx_guest td;                     /* of sim-tdx: MRTD and registers */
};

/* The kind of machine that a role runs on. */
enum pp_platform fleet_platform(const struct fleet *f, enum fleet_role role);

/* SHA-256 of all that a launch is measured by. */
void fleet_machine_digest(const struct fleet_machine *m, uint8_t ret[PP_SHA256_BYTES]);

PP_MUST pp_res fleet_load_machine(struct fleet *f, enum fleet_role role, struct fleet_machine *ret);
void fleet_machine_done(struct fleet_machine *m); /* zero state is fine */

/* The files of a back-end, whose measured configuration names its clients: release ids in hex. */
PP_MUST pp_res fleet_make_backend(struct fleet *f, enum fleet_role role, struct pp_span clients);

/*
 * The machines of a fleet, in the order of host-sets: one for each kind. `ret_own` says which of
 * them `role` runs on.
 */
enum { FLEET_MACHINES_MAX = 2 };
PP_MUST pp_res fleet_hosts(struct fleet *f, enum fleet_role role,
                           struct pp_host hosts[FLEET_MACHINES_MAX], size_t *ret_count,
                           struct pp_host *ret_own);

/*
 * What the vendor says of the fleet's TDX machine, in force from now on: a file of the owner's, for
 * the hints of hosts, and the one blob that the log puts into its bundles. Nothing without such a
 * machine.
 */
#define FLEET_COLLATERAL "collateral"
PP_MUST pp_res fleet_make_collateral(struct fleet *f);

/* Faults of the host: changes a file after the release was made of it. */
PP_MUST pp_res fleet_spoil_machine(struct fleet *f);

uint32_t fleet_today(const struct fleet *f); /* UTC day */

#endif
