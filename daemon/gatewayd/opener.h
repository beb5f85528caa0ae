/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opener.h: the process that alone holds the private OHTTP keys. It never sees a message, sealed or
 * open, and reaches no network: what comes in is the head of an encapsulated request, and what goes
 * out is the key material of that one request (RFC 9180, 5.1: key, base nonce, exporter secret).
 *
 *     question   u8 form (enum pp_ohttp_form) || the 7 bytes of the OHTTP header ||
 *                enc, as long as the KEM has it
 *     answer     u8 is_open || u16 KEM || u16 KDF || u16 AEAD ||
 *                key(32) || base nonce(12) || exporter secret(64), zeros behind shorter ones
 *
 * The form chooses the label of the key schedule, so that material for a whole message opens no
 * chunk and the other way round. A question that names no key of ours gets an answer of the same
 * form after the same work, with material that opens nothing: who sends it cannot tell, by the time
 * it takes, an unknown key from a message that does not open.
 */
#ifndef GW_OPENER_H
#define GW_OPENER_H

#include "desk.h"
#include "keys.h"

enum {
    GW_KEY_ROOM = PP_AEAD_KEY_BYTES_MAX,
    GW_EXPORTER_ROOM = PP_HASH_BYTES_MAX,
    GW_OPEN_ASK_BYTES_MAX = 1 + PP_OHTTP_HEADER_BYTES + PP_KEM_ENC_BYTES_MAX,
    GW_MATERIAL_BYTES = 1 + 6 + GW_KEY_ROOM + PP_AEAD_NONCE_BYTES + GW_EXPORTER_ROOM,
};

struct gw_opener {
    const char *folder; /* of the key files; NULL: `keys` is filled by the caller, and stays */
    struct gw_keys keys;
    struct pp_clock clock;
};

/* The process; `o` is borrowed. The sandbox and the turns are the caller's. */
struct gw_process gw_opener_process(struct gw_opener *o);

#endif
