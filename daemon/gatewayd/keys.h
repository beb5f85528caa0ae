/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys.h: the gateway's OHTTP keys, from a folder of files (lib/ohttp/keyfile.h), as time goes by.
 *
 * Every *.key of the folder, mode 0600, is read again at each turn: what the folder holds and the
 * time allows is served, nothing else. When the folder cannot be read as a whole, the keys that
 * were there stay until their time is over, and no longer.
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

#endif
