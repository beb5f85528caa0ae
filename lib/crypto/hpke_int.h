/* SPDX-License-Identifier: Apache-2.0 */
/* hpke_int.h: the key schedule, apart from who may do what with its keys. */
#ifndef PP_HPKE_INT_H
#define PP_HPKE_INT_H

#include "hpke.h"

static inline int pp_hpke_mode_has_psk(enum pp_hpke_mode mode)
{
    return mode == PP_HPKE_PSK || mode == PP_HPKE_AUTH_PSK;
}

static inline int pp_hpke_mode_has_sender(enum pp_hpke_mode mode)
{
    return mode == PP_HPKE_AUTH || mode == PP_HPKE_AUTH_PSK;
}

/* KeySchedule (RFC 9180, section 5.1): `c` gets all but its role, and stays empty on failure. */
PP_MUST pp_res pp_hpke_schedule(struct pp_hpke *c, const struct pp_hpke_info *info,
                                struct pp_span shared_secret, struct pp_span psk_secret);

#endif
