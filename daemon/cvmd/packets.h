/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packets.h: what the other processes say to the attester (cvm.h), byte for byte. Each has one
 * length; none has room for a value that the attester computes, or for the end that it attests.
 */
#ifndef CVM_PACKETS_H
#define CVM_PACKETS_H

#include "ratls.h"
#include "result.h"
#include "span.h"
#include "wr.h"

/* A slot and its generation, as the channel counts sessions and the supervisor workers. */
struct cvm_name {
    uint32_t slot, generation;
};

/* Supervisor to attester and channel: a worker of that name, whose socket comes along. TRUNCATED,
 * TRAILING. */
void cvm_name_write(struct pp_wr *wr, struct cvm_name n);
PP_MUST pp_res cvm_name_parse(struct pp_span packet, struct cvm_name *ret);

/* Channel to attester: a session that opens, and the worker that will serve it. TRUNCATED,
 * TRAILING. The exporter value is in it: wipe it. */
struct cvm_opening {
    struct cvm_name session, worker;
    struct pp_ratls_session tls;
};

void cvm_opening_write(struct pp_wr *wr, const struct cvm_opening *o);
PP_MUST pp_res cvm_opening_parse(struct pp_span packet, struct cvm_opening *ret);

/* Worker to attester: its own session with a back-end. TRUNCATED, TRAILING. Wipe it as well. */
void cvm_call_write(struct pp_wr *wr, const struct pp_ratls_session *tls);
PP_MUST pp_res cvm_call_parse(struct pp_span packet, struct pp_ratls_session *ret);

#endif
