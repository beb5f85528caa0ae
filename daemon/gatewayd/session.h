/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h: one exchange through the gateway, from the relay's POST to the answer on its grid.
 *
 *     asked -> opened -> routed -> #1: token redeemed -> a CVM opens a session ---+
 *                                  #2: handle opened  -> its CVM continues -------+
 *                                                     sealed -> grid -> out <-----+
 *
 * Who holds keys is asked over links (opener.h, redeemer.h). Everything behind opening ends in an
 * answer of the bucket that the request fixed. All memory is taken at the start: a fixed number of
 * jobs, and each request's arena.
 */
#ifndef GW_SESSION_H
#define GW_SESSION_H

#include "choice.h"
#include "cvm.h"
#include "decap.h"
#include "handle.h"
#include "net.h"
#include "route.h"
#include "tokens.h"

enum {
    GW_JOBS_MAX = PP_HTTP_CONNECTIONS_MAX,
    GW_KEY_LIST_BYTES_MAX = 12288,  /* eight keys of the longest KEM */
    GW_BODY_BYTES_MAX = 256 * 1024, /* the largest bucket of #2 */
    /* Of the largest bucket: content, the message around it, the sealed body, and rounding. */
    GW_SCRATCH_BYTES = 3 * 32 * 1024 + 3 * 16,

    GW_CVM_TRIES_MAX = 3,
    GW_TRY_MS = 2000,        /* after this no further CVM is asked */
    GW_OPEN_MS = 8000,       /* #1, below the 10 s after which the device stops */
    GW_CONTINUE_MS = 75000,  /* #2, above the 60 s of inference */
    GW_SESSION_SECONDS = 30, /* how long a handle is good for */
};

/* What became of the requests, since the start: for events. */
struct gw_totals {
    uint64_t sessions;      /* #1 answered 200 */
    uint64_t continued;     /* #2 answered 200 */
    uint64_t token_refused; /* 401 */
    uint64_t gone;          /* 410 */
    uint64_t no_cvm;        /* 503, 502, 504 */
    uint64_t replayed;      /* seen before */
    uint64_t unopened;      /* 422 in clear */
    uint64_t malformed;     /* 400 and 403, in clear and inside */
    uint64_t shed;          /* 503 in clear: no room, nothing was opened */
    uint64_t chunked;       /* of all that were answered: in chunks */
    uint64_t cut;           /* answers in chunks whose client left before the last */
};

struct gw_service;

struct gw_service_config {
    struct pp_loop *loop; /* these five are borrowed */
    struct gw_decap *decap;
    struct gw_cvms *cvms;
    struct gw_choice *choice;
    struct gw_link *redeemer;
    const struct pp_handle_keys *handle_keys; /* borrowed; may change between requests */
    struct pp_span authority;                 /* borrowed */
    struct pp_clock clock;
    struct pp_random random;
    uint32_t grid_ms;                      /* 0: no grid */
    uint32_t try_ms, open_ms, continue_ms; /* 0: GW_TRY_MS, GW_OPEN_MS, GW_CONTINUE_MS */
    size_t job_count; /* 1..GW_JOBS_MAX: as many as the server has connections */
};

/* RANGE, NO_MEMORY. */
PP_MUST pp_res gw_service_new(const struct gw_service_config *c, struct gw_service **ret);

/* Requests that are not answered yet must be gone before: free the server first. NULL is fine. */
void gw_service_free(struct gw_service *s);

/* The handler of POST; `ctx` is the service. Needs an arena of GW_SCRATCH_BYTES. */
void gw_service_post(void *ctx, struct pp_http_request *q);

/* The key list that GET gives from now on; empty or longer than its room: none. */
void gw_service_set_keys(struct gw_service *s, struct pp_span list);

/* The handler of GET: the key list. */
void gw_service_keys(void *ctx, struct pp_http_request *q);

const struct gw_totals *gw_service_totals(const struct gw_service *s);

#endif
