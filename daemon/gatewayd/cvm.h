/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cvm.h: the gateway's connections to confidential VMs, and the calls that travel on them
 * (pp-wire 4).
 *
 * One connection per CVM, made when it is first needed and again after it broke; many calls share
 * it. All memory is taken at the start. Callbacks come from the loop, never from inside a call.
 */
#ifndef GW_CVM_H
#define GW_CVM_H

#include "env.h"
#include "frame.h"
#include "handle.h"
#include "net.h"

enum {
    GW_CVMS_MAX = 64,
    GW_CALLS_PER_CVM_MAX = 1024,
    GW_CVM_OUT_BYTES =
        1 << 20,               /* unsent requests of one connection; further ones wait their turn */
    GW_CVM_CONNECT_MS = 800,   /* below the 2 s in which another CVM may be tried */
    GW_CVM_SILENCE_MS = 90000, /* calls are waiting and nothing comes: the connection is dead */
    GW_CVM_BACKOFF_MS = 1000,  /* first, then twice as long each time ... */
    GW_CVM_BACKOFF_MS_MAX = 60000, /* ... up to this */
    GW_CVM_LEAVE_MS = 120000,      /* one that left the list still ends its sessions */
    GW_CVM_IDLE_MS = 300000,       /* half of what the CVM waits (docs/protocol/cvm.md) */
};

enum gw_call_end {
    GW_CALL_DONE = 1, /* the whole answer was given to `bytes` */
    GW_CALL_BUSY = 2, /* the CVM takes no session now */
    GW_CALL_GONE = 3, /* the CVM does not know the session (any more) */
    GW_CALL_LOST = 4, /* not reached, or the connection broke: what was done is not known */
};

struct gw_cvms;

/* A call; the caller's memory, valid until `ended` or until it is cancelled. */
struct gw_call {
    /* A part of the answer. `sid` is the session's; both are borrowed for the time of the callback,
     * which must not start or cancel calls. */
    void (*bytes)(void *ctx, const uint8_t sid[PP_SID_BYTES], struct pp_span bytes);
    void (*ended)(void *ctx, enum gw_call_end how);
    void *ctx;

    /* Private. */
    struct gw_cvm *cvm; /* NULL when the call is over */
    uint32_t slot;
    uint32_t is_waiting; /* for room in the connection */
    struct gw_call *next;
    enum pp_frame_op op;
    uint8_t sid[PP_SID_BYTES];
    struct pp_span request;
};

/*
 * Nothing is connected yet. A connection without a call for `idle_ms` is closed: were it the CVM
 * that ends it, a request could be on its way to a closed door. RANGE (too many), NO_MEMORY.
 */
PP_MUST pp_res gw_cvms_new(struct pp_loop *loop, const struct pp_address *addresses, size_t count,
                           uint32_t idle_ms, const struct pp_clock *clock, struct gw_cvms **ret);
void gw_cvms_free(struct gw_cvms *c); /* running calls are not told; NULL is fine */

/*
 * From now on these are the CVMs. One that is among them still keeps its place and its connection;
 * one that is not gets no new session, and its place is free GW_CVM_LEAVE_MS later. What finds no
 * place is left out: LIMIT; NO_MEMORY.
 */
PP_MUST pp_res gw_cvms_set(struct gw_cvms *c, const struct pp_address *addresses, size_t count);

/*
 * Who may be given a session, a bit a place: those whose connections do not break; all of the list
 * when every one of them does. A connection that was lost shuts its CVM out for a time that doubles
 * with each loss, until an answer comes.
 */
uint64_t gw_cvms_candidates(const struct gw_cvms *c);

const struct pp_address *gw_cvms_where(const struct gw_cvms *c, size_t cvm);
int gw_address_eq(const struct pp_address *a, const struct pp_address *b);
size_t gw_cvms_connected(const struct gw_cvms *c); /* how many connections there are */

/* The address of a CVM as a handle carries it, and the CVM of such an address. NOT_FOUND. */
struct pp_handle_address gw_cvms_address(const struct gw_cvms *c, size_t cvm);
PP_MUST pp_res gw_cvms_find(const struct gw_cvms *c, const struct pp_handle_address *a,
                            size_t *ret_cvm);

/*
 * Sends an open (`sid` NULL) or a continue. `request` is borrowed until the call is over: it may
 * have to wait for room. `call` holds the callbacks; the rest of it is set here. Fails at once with
 * BUSY (GW_CALLS_PER_CVM_MAX), NETWORK or another code when no connection can even be started.
 */
PP_MUST pp_res gw_call_start(struct gw_cvms *c, size_t cvm, const uint8_t *sid,
                             struct pp_span request, struct gw_call *call);

/* Nobody waits any more: no callback comes, and the session is closed when its id is known. A call
 * that is over is fine. */
void gw_call_cancel(struct gw_call *call);

/* Ends a session that nobody will continue. Best effort: without it the CVM ends it after 30 s. */
void gw_cvms_close_session(struct gw_cvms *c, size_t cvm, const uint8_t sid[PP_SID_BYTES]);

/* Connections that broke or could not be made, since the start; idle ones do not count. */
uint64_t gw_cvms_lost(const struct gw_cvms *c);

#endif
