/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.h: the front's end of the pair to one of its other processes: questions out, answers in.
 *
 * What is asked during one turn of the loop leaves in one write, so the other side reads it, works
 * and answers in one piece: under load a system call serves many requests. All memory is taken at
 * the start and wiped as soon as it was read or sent; what answers land in is locked, for those of
 * the opener open messages. A link that ends, for whatever reason, is the end of the daemon.
 */
#ifndef GW_LINK_H
#define GW_LINK_H

#include "frames.h"
#include "net.h"

enum { GW_ASKS_MAX = 16384, GW_END_MS = 5000 };

struct gw_link;

/* A question; the caller's memory, until it is answered or cancelled. */
struct gw_ask {
    /* `answer` is borrowed for the time of the call. Comes from the loop. */
    void (*answered)(void *ctx, struct pp_span answer);
    void *ctx;

    struct gw_link *link; /* private; NULL: nothing was asked, or it was answered */
    uint32_t slot;
};

struct gw_link_config {
    struct pp_loop *loop;
    int fd;                             /* the link's from a successful gw_link_new on */
    size_t ask_bytes_max, answer_bytes; /* the longest question; what one answer may have */
    size_t asks_max;                    /* that are not answered yet; more are BUSY */
    /* The enum gw_news that this process may tell, as a text; any other ends the link: FORMAT. */
    const char *news_kinds;
    void (*news)(void *ctx, struct pp_span news); /* its first byte is one of these */
    void (*ended)(void *ctx, pp_res why);         /* CLOSED, FORMAT, SYSTEM; once */
    void *ctx;
};

/* RANGE, NO_MEMORY, SYSTEM. */
PP_MUST pp_res gw_link_new(const struct gw_link_config *c, struct gw_link **ret);
void gw_link_free(struct gw_link *l); /* what was asked is never answered; NULL is fine */

/* Asks. BUSY at once when too many wait: the answer to that is the caller's. */
PP_MUST pp_res gw_link_ask(struct gw_link *l, struct pp_span question, struct gw_ask *ask);

/* `answered` will not be called. A question that was answered is fine. */
void gw_link_cancel(struct gw_ask *ask);

/*
 * Says that nothing will be asked any more, and waits until the other process has closed its end,
 * up to GW_END_MS: TIMEOUT. NULL is fine.
 */
PP_MUST pp_res gw_link_end(struct gw_link *l);

/* Has the other process look at its files now. */
void gw_link_turn(struct gw_link *l);

/* Reads what has come already: what a process said before it was asked anything. */
void gw_link_read(struct gw_link *l);

#endif
