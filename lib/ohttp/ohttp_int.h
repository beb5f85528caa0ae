/* SPDX-License-Identifier: Apache-2.0 */
/* ohttp_int.h: what the two sides of an exchange share. */
#ifndef PP_OHTTP_INT_H
#define PP_OHTTP_INT_H

#include "ohttp.h"

/* The key-schedule context of a key and suite: the header stands in HPKE's info (section 4.3). */
PP_MUST pp_res pp_ohttp_info(struct pp_hpke_info *ret, uint8_t id, struct pp_hpke_suite suite);

/* The seven bytes in front of an encapsulated request. */
void pp_ohttp_header_write(struct pp_wr *wr, uint8_t id, struct pp_hpke_suite suite);

#endif
