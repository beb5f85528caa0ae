/* SPDX-License-Identifier: Apache-2.0 */
/* builds.h: the image of a development fleet, built by two; for tools/fleet alone. */
#ifndef PP_FLEET_BUILDS_H
#define PP_FLEET_BUILDS_H

#include "builders.h"
#include "fleet.h"
#include "machine.h"

/* What both builders signed; the agreement borrows the texts. Not to be moved. */
struct fleet_image {
    struct pp_buf policy_text, notes[PP_BUILDERS_MIN];
    struct pp_policy policy;
    struct pp_note scratch;
    struct pp_agreed agreed;
};

/*
 * Has each builder make the image's folder and manifest from what the host is to launch
 * (STATE/builder1, STATE/builder2), and takes what they agree on, which is written to
 * STATE/owner/image.manifest: the way of `ppctl release` (docs/protocol/release.md), in which both
 * happen to sit at one machine.
 */
PP_MUST pp_res fleet_build_image(struct fleet *f, const struct fleet_machine *m,
                                 struct fleet_image *ret);
void fleet_image_done(struct fleet_image *image); /* zero state is fine */

#endif
