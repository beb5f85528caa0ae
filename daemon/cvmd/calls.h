/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls.h: the channel's connections to back-ends (pp-wire 4): frames out, frames in, and one
 * connection a back-end for all sessions. What is in the frames is TLS between a worker here and one there.
 *
 * The host makes the connections, and may make any: whom they reach, the worker finds out.
 */
#ifndef CVM_CALLS_H
#define CVM_CALLS_H

#include "cvm.h"
#include "frame.h"
#include "loop.h"

struct cvm_calls;

struct cvm_calls_user {
    /* An answer; borrowed. It may be to anything, also to what nobody asked. */
    void (*answered)(void *ctx, enum cvm_backend from, const struct pp_frame *frame);
    /* The connection is gone, and with it every answer that was still to come on it. */
    void (*lost)(void *ctx, enum cvm_backend from);
    void *ctx;
};

/* `way_fd` is borrowed. NO_MEMORY. */
PP_MUST pp_res cvm_calls_new(struct pp_loop *loop, int way_fd, const struct cvm_config *config,
                             const struct cvm_calls_user *user, struct cvm_calls **ret);

/*
 * Sends one frame, over a new connection if there is none. BACKEND (the host has no way to it),
 * BUSY (more waits to be sent than is kept), NO_MEMORY, SYSTEM.
 */
PP_MUST pp_res cvm_calls_send(struct cvm_calls *c, enum cvm_backend to, const struct pp_frame *f);

#endif
