/* SPDX-License-Identifier: Apache-2.0 */
/* bhttp_int.h: what whole messages (bhttp.c) and streams (stream.c) share. */
#ifndef PP_BHTTP_INT_H
#define PP_BHTTP_INT_H

#include "bhttp.h"

int pp_bhttp_is_indeterminate(const struct pp_bhttp *m);

/* Bytes of the shortest varint of `v`. */
size_t pp_bhttp_varint_len(uint64_t v);

/* Control data of a request. FORMAT, UNSUPPORTED (CONNECT). */
PP_MUST pp_res pp_bhttp_check_request(const struct pp_bhttp *m);

/* One field line. `*normal_seen` is the section's memory: pseudo-fields stand before all others. */
PP_MUST pp_res pp_bhttp_check_field(const struct pp_bhttp_field *f, int trailer, int *normal_seen);

/* Parts of a message, as pp_bhttp_write does them. `from`: the first informational response. */
PP_MUST pp_res pp_bhttp_write_section(const struct pp_bhttp *m, struct pp_bhttp_section section,
                                      int trailer, struct pp_wr *wr);
PP_MUST pp_res pp_bhttp_write_informational(const struct pp_bhttp *m, size_t from,
                                            struct pp_wr *wr);
PP_MUST pp_res pp_bhttp_write_status(const struct pp_bhttp *m, struct pp_wr *wr);
PP_MUST pp_res pp_bhttp_write_request_control(const struct pp_bhttp *m, struct pp_wr *wr);

#endif
