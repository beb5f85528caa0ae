/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world.h: the whole gateway on one loop: a client that speaks as the relay does, the service, and
 * CVMs that behave as a test tells them. No test waits for time that it does not measure.
 */
#ifndef GW_TEST_WORLD_H
#define GW_TEST_WORLD_H

#include "harness.h"

#include "desks.h"
#include "device.h"
#include "redeemer.h"
#include "session.h"
#include "spent.h"

enum { CVMS = 4, PATIENCE_MS = 20000, FLIGHT_BYTES = 29500, STREAMED_BYTES = 900, GRID_MS = 300 };

enum behaviour {
    ANSWERS = 0,
    IN_PIECES, /* the answer in frames of at most 1000 bytes */
    IS_BUSY,
    IS_SILENT,
    BREAKS_OFF,  /* closes the connection without an answer */
    BREAKS_HALF, /* ... behind half of one */
    IS_GONE,
    TOO_LARGE,     /* more than any bucket */
    WRONG_SID,     /* a second frame with another session's id */
    WRONG_TAG,     /* an answer that nobody asked for */
    HALF_ONLY,     /* one frame, and then silence */
    STREAM_STOPS,  /* more than a chunk, and then silence */
    STREAM_SPILLS, /* more than any bucket, and then silence */
    STREAM_BREAKS, /* ... and then the connection breaks */
    LATE,          /* the answer comes when the client has left */
};

struct cvm {
    struct world *world;
    struct pp_listener listener;
    struct pp_stream_server *server;
    struct pp_stream *stream;
    struct pp_frame_rd reader;
    uint8_t buf[PP_FRAME_REQUEST_BYTES_MAX];
    enum behaviour behaviour;
    size_t accepted, opens, continues, closes;
    struct pp_frame last; /* the last request, without its bytes */
    size_t last_len;
    uint8_t closed_sid[PP_SID_BYTES];
};

/* What a client saw of one exchange. */
struct seen {
    pp_res call;
    uint32_t outer_status;
    char outer_type[64];
    size_t outer_len;
};

struct world {
    struct pp_loop *loop;
    struct pp_timer *patience, *late, *tick;
    struct pp_http_server *server;
    struct pp_listener listener;
    struct pp_http_client *client;
    struct gw_service *service;
    struct gw_opener opener;
    struct gw_redeemer redeemer;
    struct test_desk desks[2];
    struct gw_link *redeemer_link;
    struct gw_decap decap;
    struct gw_cvms *cvms;
    struct gw_choice choice;
    struct pp_handle_keys handle_keys;
    struct pp_cred_key cred_key;
    struct device device;
    struct pp_random random;
    struct pp_clock clock;
    _Atomic uint64_t later_s; /* added to the clock of the service */
    struct cvm cvm[CVMS];
    char folder[64], store[80];
    _Alignas(16) uint8_t replay[4096 * PP_REPLAY_BUCKETS * PP_REPLAY_ENTRY_BYTES];

    /* The exchange under way. */
    struct pp_http_pending *pending;
    struct seen seen;
    pp_res desk_end;
    int leave_when_asked; /* the client goes away as soon as a CVM has its request */
    int stop_at_close;
};

#define FIELD(n, v)                                                                                \
    {                                                                                              \
        { (const uint8_t *)(n), sizeof(n) - 1 },                                                   \
        {                                                                                          \
            (const uint8_t *)(v), sizeof(v) - 1                                                    \
        }                                                                                          \
    }

/* Each starts a world of its own, with deadlines that no test but one about them meets. */
int set_up(void **state);
int set_up_with_grid(void **state);
int set_up_with_endless_grid(void **state); /* no test lives to see its first tick */
int set_up_with_deadlines(void **state);
int set_up_idling(void **state);
int set_up_with_one_place(void **state);
int tear_down(void **state);

/* The loop, until something stops it; it fails the test if nothing does in PATIENCE_MS. */
void run(struct world *w);

/* --- CVMs that do as they are told ---------------------------------------------------------- */

void all_behave(struct world *w, enum behaviour behaviour);
void stop_cvm(struct cvm *v);
size_t total_of(const struct world *w, size_t offset);
#define TOTAL(w, member) total_of((w), offsetof(struct cvm, member))

/* --- a client ------------------------------------------------------------------------------- */

/* Sends the device's body; on_response() writes w->seen and stops the loop. */
void start_call_with(struct world *w, const char *query, const struct pp_http_field *fields,
                     size_t count);
void start_call(struct world *w, const struct pp_http_field *fields, size_t count);
void on_response(void *ctx, pp_res r, const struct pp_http_response *response);
/* ... as a relay sends a message that is one piece, and waits for the answer. */
void post(struct world *w);
/* Opens a session and leaves its handle in w->device.answer. */
void open_session(struct world *w);

void assert_answer(const struct world *w, uint32_t status, size_t bucket);
void assert_clear(const struct world *w, uint32_t status);

#endif
