/* SPDX-License-Identifier: Apache-2.0 */
/* records.h: the ledger records of a fleet; for tools/fleet alone. */
#ifndef PP_FLEET_RECORDS_H
#define PP_FLEET_RECORDS_H

#include "fleet.h"
#include "machine.h"
#include "span.h"

#define FLEET_NAMESPACE "pp-dev"
#define FLEET_ISSUER    "issuer.pp-dev.example"
#define FLEET_AUTHORITY "gateway.pp-dev.example"

/*
 * Submits framed entries to the running log and waits until they are in a published, cosigned tree,
 * then gives the new bundle to the mirror. CHILD (what the log refused), TIMEOUT.
 */
PP_MUST pp_res fleet_submit(struct fleet *f, struct pp_span batch);

/* Where the texts of records stand that hosts hand to their guests: files of the owner's. */
#define FLEET_HOSTS_TEXT "host-set.record"
void fleet_release_text(enum fleet_role role, char ret[64]);

/* What is published, in hex; a back-end's id is empty when the fleet never had it. */
struct fleet_published_ids {
    struct pp_span host_set, releases[FLEET_ROLES];
};

/*
 * Writes the hints of a host: chip certificate, release, path in the host-set; with back-ends also
 * the record texts by which its guest and theirs judge each other, the simulated root of the far
 * end's machine, and what the vendor says of it.
 */
PP_MUST pp_res fleet_write_hints(struct fleet *f, enum fleet_role role,
                                 const struct fleet_published_ids *ids);

/* Copies the log's bundle to the mirror. */
PP_MUST pp_res fleet_mirror(struct fleet *f);

/* What a fault changes once everything runs: bundles, wallet, adversaries in between. */
PP_MUST pp_res fleet_apply_fault(struct fleet *f);

/* Other keys for the issuer than the logged ones; before it starts. */
PP_MUST pp_res fleet_spoil_issuer(struct fleet *f);

/* A new host-set, as every week: the next status. */
PP_MUST pp_res fleet_publish_host_set(struct fleet *f);

/* Revokes the release that was published last. */
PP_MUST pp_res fleet_revoke_release(struct fleet *f);

#endif
