/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sessions.h: the table of sessions of the channel: who waits, since when, and for how long. Bytes
 * in, decisions out; no clock, no socket.
 *
 *     OPENING   waits for a worker and Evidence
 *     WAITING   its first exchange is answered; `continue` works once, before the deadline
 *     RUNNING   its request is with the worker
 *
 * A session is named by its slot and generation inside pp-cvmd and by its sid outside. A sid is
 * known from the moment the first exchange is answered.
 */
#ifndef CVM_SESSIONS_H
#define CVM_SESSIONS_H

#include "cvm.h"
#include "frame.h"
#include "ratls.h"

enum cvm_session_state { CVM_FREE = 0, CVM_OPENING, CVM_WAITING, CVM_RUNNING };

struct cvm_session {
    enum cvm_session_state state;
    uint32_t slot, generation;
    uint8_t sid[PP_SID_BYTES];
    uint64_t deadline_ms;    /* when it is ended, whatever it does */
    uint32_t next_in_bucket; /* slot + 1; 0: the last */
    uint32_t next_free;

    /* The channel's part. */
    struct pp_ratls_server *tls;
    struct connection *connection; /* that its next answer goes to; NULL: nobody waits */
    uint32_t tag;                  /* of that answer */
    uint64_t started_ms;           /* when the exchange began: the grid's origin */
    uint32_t worker_slot, worker_generation;
    int worker_fd; /* -1 without, and while a stream holds it */
    struct pp_stream *worker;
    size_t sealed_len; /* of its request */
    int peer_waits;    /* a client's Evidence is with the worker */
    uint32_t named;    /* 1 << enum cvm_backend of each that its Evidence names */
    enum { CVM_CALL_NONE = 0, CVM_CALL_OPENING, CVM_CALL_OPEN, CVM_CALL_SENT } call;
    enum cvm_backend call_to;
    uint8_t call_sid[PP_SID_BYTES]; /* of the back-end's session, from CVM_CALL_OPEN on */
    uint32_t calls;                 /* so far */
    struct pp_timer *release;       /* holds an answer back to the grid, */
    uint64_t release_ms;            /* which it meets again then */
    struct cvm_queue *queue;        /* the one that it waits in; NULL: none */
    struct cvm_session *next, *previous;
};

/* Sessions that wait for the same thing, oldest first. Zero state is an empty one. */
struct cvm_queue {
    struct cvm_session *first, *last;
};

struct cvm_sessions {
    struct cvm_session *slots;
    uint32_t *buckets; /* slot + 1 of the first session of a sid's hash */
    uint32_t count_max, used, first_free;
};

PP_MUST pp_res cvm_sessions_init(struct cvm_sessions *t, uint32_t count_max); /* NO_MEMORY */
void cvm_sessions_done(struct cvm_sessions *t);

/* A new session in OPENING with a fresh sid and generation. BUSY when the table is full; RANDOM. */
PP_MUST pp_res cvm_session_new(struct cvm_sessions *t, const struct pp_random *random,
                               uint64_t deadline_ms, struct cvm_session **ret);

/* Forgets a session. What the channel kept in it must be gone. */
void cvm_session_end(struct cvm_sessions *t, struct cvm_session *s);

/* The session of a slot and generation, or NULL. */
struct cvm_session *cvm_session_at(struct cvm_sessions *t, uint32_t slot, uint32_t generation);

/* The session of a sid, whatever its state, or NULL. */
struct cvm_session *cvm_session_by_sid(struct cvm_sessions *t, const uint8_t sid[PP_SID_BYTES]);

/* Its first exchange is answered: it waits until `deadline_ms`. */
void cvm_session_wait(struct cvm_session *s, uint64_t deadline_ms);

/*
 * The one `continue` of a session: WAITING becomes RUNNING until `deadline_ms`. SESSION_GONE for an
 * unknown sid, a second `continue`, a session that was not answered yet, and one past its deadline.
 */
PP_MUST pp_res cvm_session_continue(struct cvm_sessions *t, const uint8_t sid[PP_SID_BYTES],
                                    uint64_t now_ms, uint64_t deadline_ms,
                                    struct cvm_session **ret);

/*
 * A session waits in one queue at most. The session itself says which: so whoever ends it need not
 * know, and taking it out cannot touch those that wait elsewhere. `leave` is fine when it waits
 * nowhere; cvm_session_end wants it left before.
 */
void cvm_queue_join(struct cvm_queue *q, struct cvm_session *s);
void cvm_queue_leave(struct cvm_session *s);

/* A session whose deadline has come, or NULL. */
struct cvm_session *cvm_session_due(struct cvm_sessions *t, uint64_t now_ms);

#endif
