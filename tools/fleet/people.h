/* SPDX-License-Identifier: Apache-2.0 */
/* people.h: signing keys of the fleet's people, log and witnesses; for tools/fleet alone. */
#ifndef PP_FLEET_PEOPLE_H
#define PP_FLEET_PEOPLE_H

#include "file.h"
#include "fleet.h"
#include "note.h"

/* A private key with the text that its name borrows from. */
struct fleet_signer {
    struct pp_buf text;
    struct pp_note_signer signer;
};

PP_MUST pp_res fleet_make_signer(struct fleet *f, const char *party, const char *name);
PP_MUST pp_res fleet_load_signer(struct fleet *f, const char *party, struct fleet_signer *ret);
void fleet_signer_done(struct fleet_signer *s); /* wipes; zero state is fine */

#endif
