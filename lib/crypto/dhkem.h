/* SPDX-License-Identifier: Apache-2.0 */
/* dhkem.h: what all Diffie-Hellman KEMs do alike (RFC 9180, sections 4.1 and 7.1.3), for
 * lib/crypto alone. */
#ifndef PP_DHKEM_H
#define PP_DHKEM_H

#include "hash.h"
#include "kem.h"

/* A DHKEM's own hash, whatever the KDF of HPKE is; each gives shared secrets of its length. */
enum pp_hash_id pp_dhkem_hash(const struct pp_kem_info *info);

/* ExtractAndExpand with kem_context = enc || pk || sender_pk, the last of which may be empty. */
PP_MUST pp_res pp_dhkem_shared(const struct pp_kem_info *info, struct pp_span dh,
                               struct pp_span enc, struct pp_span pk, struct pp_span sender_pk,
                               uint8_t *ret_shared);

/* The dkp_prk of DeriveKeyPair, as a key for expansions. */
void pp_dhkem_dkp(const struct pp_kem_info *info, struct pp_span ikm, struct pp_hmac_key *ret_prk);

#endif
