/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys.h: the gateway's OHTTP keys, from a folder of files (lib/ohttp/keyfile.h), as time goes by.
 *
 * Every *.key of the folder, mode 0600, is read again at each turn: what the folder holds and the
 * time allows is served, nothing else. When the folder cannot be read as a whole, the keys that
 * were there stay until their time is over, and no longer.
 *
 * A file whose key is never served again is removed (gw_keys_destroy), at the start and at every
 * turn: with it whoever recorded requests could open them (RFC 9458, section 6.6). The clock of the
 * machine decides, and a removed key does not come back; so a backup of this folder has to expire
 * as well, and the medium below it has to be encrypted or memory.
 */
#ifndef GW_KEYS_H
#define GW_KEYS_H

#include "ohttp.h"
#include "problem.h"

struct gw_keys {
    struct pp_ohttp_gateway gateway;             /* what is served */
    uint64_t until_s[PP_OHTTP_GATEWAY_KEYS_MAX]; /* of the key in the same place */
    uint8_t digest[PP_SHA256_BYTES];             /* of the key list */
};

void gw_keys_done(struct gw_keys *k); /* zero state is fine */

/*
 * Serves what `folder` holds for `now_s`, in the order of file names. `*ret_changed` is 1 when the
 * list is another one than before. CONFIG with words in `problem` for a file that is wrong or open
 * to others, an id twice, too many keys; else as pp_file_read; then only expired keys are gone.
 */
PP_MUST pp_res gw_keys_turn(struct gw_keys *k, const char *folder, uint64_t now_s,
                            struct pp_problem *problem, int *ret_changed);

/*
 * Removes the key files of `folder` that will not be served again after `now_s`. What is no private
 * key file is left for gw_keys_turn to name. `*ret_count`: how many were removed; one that somebody
 * else removed is fine. Goes on behind a failure and returns the first: NOT_FOUND (the folder),
 * SYSTEM.
 */
PP_MUST pp_res gw_keys_destroy(const char *folder, uint64_t now_s, size_t *ret_count);

#endif
