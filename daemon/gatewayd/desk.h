/* SPDX-License-Identifier: Apache-2.0 */
/*
 * desk.h: the other end of a link (link.h): a process that answers the front's questions and knows
 * nobody else. It takes what waits, works on it as one batch, and sends all answers in one write;
 * while it works the next batch gathers in the socket.
 */
#ifndef GW_DESK_H
#define GW_DESK_H

#include "events.h"
#include "frames.h"
#include "problem.h"
#include "sandbox.h"

enum { GW_BATCH_MAX = 256 };

/* A process's answers and news on their way out. */
struct gw_desk {
    int fd;
    uint8_t *in, *out; /* locked, GW_DESK_BYTES each */
    size_t in_len;
    struct pp_wr wr;             /* over `out` */
    struct pp_event_sink events; /* lines travel as news, and the front writes them */
};

/* What a process is. */
struct gw_process {
    const char *name; /* for lists of processes, up to 15 characters */
    struct pp_sandbox sandbox;
    /* Still with all rights, and in its own memory: what the sandbox depends on. May be NULL. */
    pp_res (*prepare)(void *ctx, struct pp_sandbox *sandbox, struct pp_problem *problem);
    /* Behind the sandbox: opens and reads what it needs. Its failure, as that of `prepare`, is the
     * daemon's refusal. */
    pp_res (*start)(void *ctx, struct gw_desk *desk, struct pp_problem *problem);
    /* Answers each of 1..GW_BATCH_MAX questions, with gw_frame_write to desk->wr. */
    pp_res (*work)(void *ctx, struct gw_desk *desk, const struct gw_frame *asked, size_t count);
    /* Every `turn_ms`, and when the front says so: looks at its files. */
    void (*turn)(void *ctx, struct gw_desk *desk);
    uint32_t turn_ms;
    void *ctx;
};

/*
 * Forks a process and shuts it in, and waits until it has started. `*ret_fd` is the front's end of
 * the pair. What `start` or the sandbox refused, with its words. Before threads and secrets are
 * made: a fork copies the ones and not the others.
 */
PP_MUST pp_res gw_process_start(const struct gw_process *p, struct pp_problem *problem,
                                int *ret_fd);

/* Waits until every process that was started has ended: for when each was told to. */
void gw_processes_await(void);

/*
 * The life of such a process behind its walls: says how `start` went, then answers until the front
 * closes. OK then; what made it end otherwise. Owns `fd`. (Tests run it on a thread.)
 */
PP_MUST pp_res gw_desk_run(const struct gw_process *p, int fd);

/* Appends news of a kind. */
void gw_desk_news(struct gw_desk *desk, enum gw_news kind, struct pp_span bytes);

#endif
