/* SPDX-License-Identifier: Apache-2.0 */
/* net_int.h: what the files of lib/net share. */
#ifndef PP_NET_INT_H
#define PP_NET_INT_H

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <event2/event.h>

#include "address.h"
#include "loop.h"

struct event_base *pp_loop_base_(struct pp_loop *loop);

static inline struct timeval pp_timeval_(uint32_t ms)
{
    return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };
}

/* Returns the length. */
socklen_t pp_address_to_sockaddr_(const struct pp_address *a, struct sockaddr_storage *ret);
void pp_address_of_sockaddr_(const struct sockaddr_storage *sa, socklen_t len,
                             struct pp_address *ret);

/* A mapping of zeros that stays out of core dumps, for buffers. NULL when there is no memory. */
uint8_t *pp_buffers_map_(size_t len);
void pp_buffers_unmap_(uint8_t *p, size_t len); /* NULL is fine */

#endif
