/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.h: the witness as a server: POST /add-checkpoint, GET /<hex SHA-256 of origin>/checkpoint
 * (C2SP tlog-witness).
 */
#ifndef PP_WITNESS_SERVICE_H
#define PP_WITNESS_SERVICE_H

#include "book.h"
#include "events.h"
#include "net.h"
#include "reader.h"

struct pp_witness_service {
    struct pp_witness_book *book;
    struct pp_reader *reader; /* NULL: a plain witness */
    const struct pp_event_sink *events;
    struct pp_clock clock;

    /* Private. */
    struct pp_http_request *waiting; /* whose tree is being read; NULL: nobody waits */
    uint64_t refused, told_refused_ms;
};

enum { PP_WITNESS_ROUTES = 2, PP_WITNESS_SCRATCH_BYTES = PP_WITNESS_NOTE_MAX + 4096 };
void pp_witness_service_routes(struct pp_witness_service *s,
                               struct pp_http_route ret[PP_WITNESS_ROUTES]);

/* Answers whoever waits; nothing is cosigned afterwards. */
void pp_witness_service_stop(struct pp_witness_service *s);

#endif
