/* SPDX-License-Identifier: Apache-2.0 */
/* msg_int.h: pieces that several messages share. Readers are sticky, as those of cbor.h. */
#ifndef PP_MSG_INT_H
#define PP_MSG_INT_H

#include "backend.h"
#include "bundle.h"
#include "cbor.h"
#include "engine.h"
#include "evidence.h"

/* [[tstr role, bstr32 release id], ...]; `sorted`: strictly ascending by (role, id), else any
 * order. */
void pp_msg_backends_rd(struct pp_rd *rd, size_t min, int sorted, struct pp_backends *ret);
void pp_msg_backends_wr(struct pp_wr *wr, const struct pp_backends *b);

/* [[bstr32 host-set record id, uint size, uint index, [bstr32]]], 1 or 2 entries. */
size_t pp_msg_hosts_rd(struct pp_rd *rd, struct pp_host_path ret[PP_HOST_PATHS_MAX]);
void pp_msg_hosts_wr(struct pp_wr *wr, const struct pp_host_path *hosts, size_t count);

/* [bstr, ...], min..max of them, each 1..len_max bytes. */
size_t pp_msg_blobs_rd(struct pp_rd *rd, size_t min, size_t max, size_t len_max,
                       struct pp_span *ret);
void pp_msg_blobs_wr(struct pp_wr *wr, const struct pp_span *blobs, size_t count);

/* Text for people: 1..max bytes, one line, cleaned (clean.h). */
struct pp_span pp_msg_shown_rd(struct pp_rd *rd, size_t max);
struct pp_span pp_msg_line_rd(struct pp_rd *rd, size_t max); /* the same, or empty */
PP_MUST pp_res pp_msg_shown_check(struct pp_span text, size_t max);

void pp_msg_engine_rd(struct pp_rd *rd, struct pp_engine *e);
PP_MUST pp_res pp_msg_engine_check(const struct pp_engine *e);
void pp_msg_engine_wr(struct pp_wr *wr, const struct pp_engine *e);

/* A bundle as one item inside another message. */
PP_MUST pp_res pp_msg_bundle_rd(struct pp_rd *rd, struct pp_arena *arena, struct pp_bundle *ret);
PP_MUST pp_res pp_msg_bundle_check(const struct pp_bundle *b); /* what the writer needs */
void pp_msg_bundle_wr(struct pp_wr *wr, const struct pp_bundle *b);

#endif
