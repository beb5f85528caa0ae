/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.h: the log as a server: submissions in, signed batches to the witnesses, files out.
 *
 * One thing at a time: a batch is closed and signed only when no round is under way, and never
 * before a quorum has, since the start, answered about the tree that was signed last: a log that
 * was restored from a backup learns there that it is behind, instead of signing a second history.
 */
#ifndef PP_LOG_SERVICE_H
#define PP_LOG_SERVICE_H

#include "events.h"
#include "net.h"
#include "round.h"
#include "sequencer.h"

enum {
    PP_LOG_WAITERS_MAX = 32, /* submissions that wait for their answer; more get 202 at once */
    PP_LOG_CONNECTIONS_MAX = 48,
    PP_LOG_SCRATCH_BYTES = PP_LOG_BUNDLE_MAX + (1 << 16), /* the largest file, and an answer */
    PP_LOG_RETRIES_MAX = 12, /* of a round, outside dev: about a minute, then the next hour */
    PP_LOG_FAILURE_WAIT_MS = 10000, /* before a batch that could not be closed is tried again */
};

struct pp_log_service_config {
    struct pp_loop *loop;
    struct pp_sequencer *sequencer;
    const struct pp_policy *policy;
    const struct pp_event_sink *events;
    struct pp_clock clock;
    uint32_t witness_ms;  /* deadline of one call to a witness */
    uint32_t retry_ms;    /* between rounds about one note */
    uint32_t answer_ms;   /* how long a submission waits to be published */
    uint32_t batch_ms;    /* an opaque log: how long what waits may gather, from the first on */
    size_t batch_entries; /* an opaque log: and no longer than until it is so many */
    void (*failed)(void *ctx, pp_res why); /* the log must stop */
    void *ctx;
};

struct pp_log_service;

/* As pp_round_new. */
PP_MUST pp_res pp_log_service_new(const struct pp_log_service_config *c,
                                  struct pp_log_service **ret);
void pp_log_service_free(struct pp_log_service *s); /* NULL is fine */

/* The routes: POST /submit, GET /checkpoint, /directory, /tile/... (docs/protocol/ledger.md). */
enum { PP_LOG_ROUTES = 4 };
void pp_log_service_routes(struct pp_log_service *s, struct pp_http_route ret[PP_LOG_ROUTES]);

/* Asks the witnesses about the signed tree, and goes on from there. */
void pp_log_service_start(struct pp_log_service *s);

/* Signs nothing new; submissions that wait are answered. */
void pp_log_service_stop(struct pp_log_service *s);

#endif
