/* SPDX-License-Identifier: Apache-2.0 */
/* session_int.h: what session.c, which finds out what to answer, and answer.c share. */
#ifndef GW_SESSION_INT_H
#define GW_SESSION_INT_H

#include "chunks.h"
#include "failure.h"
#include "session.h"

enum gw_state {
    GW_FREE = 0,
    GW_ASKING,     /* the opener was asked for the request's key material */
    GW_REDEEMING,  /* #1: the spent-token store was asked */
    GW_OPENING,    /* #1: a CVM was asked for a session */
    GW_CONTINUING, /* #2: the session's CVM works; chunks of the answer may have left */
    GW_READY,      /* nothing more is found out: the answer waits for its tick, or its rest does */
};

struct gw_job {
    struct gw_service *service;
    struct gw_job *next_free;
    struct pp_timer *timer; /* the deadline, or the tick if that comes first */
    enum gw_state state;
    struct pp_http_request *http;
    uint64_t from_ms;
    uint64_t deadline_ms; /* CONTINUING */
    struct gw_exchange exchange;
    struct gw_request request; /* borrows from the body */
    struct gw_ask material;
    struct gw_redemption redemption;
    struct gw_call call;
    size_t cvm;
    uint64_t tried; /* a bit per CVM */
    size_t try_count;
    uint8_t sid[PP_SID_BYTES];

    /* The answer. */
    uint8_t *content; /* in the request's arena: room for all of the bucket's */
    size_t content_room, content_len;
    uint32_t content_overflow;
    uint32_t status; /* of the inner answer; of how it ended, once a head is out */
    char handle[PP_HANDLE_TEXT_BYTES];
    struct pp_span sealed; /* as a whole */
    uint64_t due_ms;       /* READY: its tick. Of chunks: that of the next; 0: not known yet */

    struct gw_chunks *chunks; /* in the request's arena; NULL: a whole answer */
    size_t content_taken;
    uint32_t is_begun;     /* the first chunk is out: accidents do not show from here on */
    uint64_t last_tick_ms; /* of the chunk before */
};

struct gw_service {
    struct gw_service_config config;
    struct gw_totals totals;
    struct gw_job *jobs;
    struct gw_job *first_free;
    uint8_t *material; /* of every job, locked */
    uint8_t key_list[GW_KEY_LIST_BYTES_MAX];
    size_t key_list_len; /* 0: nothing is served */
};

/* Of answers that are not sealed: they depend on nothing secret and leave at once. */
void gw_reply_clear(struct pp_http_request *q, enum pp_ohttp_failure f);
/* The one answer to who comes when there is no room: nothing was opened. */
void gw_shed(struct gw_service *s, struct pp_http_request *q);

/*
 * Takes the memory that an answer of the job's request needs, before anything is done for it.
 * NO_MEMORY. Memory is zeroed before and wiped behind, byte by byte: no more than the bucket.
 */
PP_MUST pp_res gw_job_reserve(struct gw_job *job);

/*
 * The one way out behind opening: seals the answer of that status and sends it on its tick, or all
 * that is missing of it on its ticks. With 200 the content is the job's, with what came of it;
 * `has_handle`: and the handle. The job is over when all is sent.
 */
void gw_job_finish(struct gw_job *job, uint32_t status, int has_handle);

/* READY, or CONTINUING in chunks: content came, or a time. */
void gw_job_go_on(struct gw_job *job);

/* Something of ours does not work, and nothing may be sealed: a 500 in clear, or a cut if some of
 * the answer is out. The job is over. */
void gw_job_break_off(struct gw_job *job);

/* The job's request was answered, or will be by who calls this. */
void gw_job_free(struct gw_job *job);

#endif
