/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest.h: genuine guests, run as their own processes over a simulated secure processor, and an
 * attacker who owns their host: he starts sessions with them as often as he likes, and decides
 * when their processor answers. What he cannot do is make them attest what is not theirs.
 */
#ifndef ORACLE_GUEST_H
#define ORACLE_GUEST_H

#include <sys/types.h>

#include "evidence.h"
#include "frame.h"
#include "hints.h"
#include "sim.h"
#include "span.h"

enum { GUEST_OPEN_MAX = 4 }; /* frames that wait for an answer */

struct guest {
    pid_t pid;
    int device, frames, events; /* -1: none */
    char folder[64];
    const struct sim_chip *chip; /* borrowed, as all of these */
    struct sim_guest launched;
    uint8_t hints[PP_HINTS_BYTES_MAX];
    size_t hints_len;

    struct pp_frame_rd reader;
    uint8_t reader_buf[PP_FRAME_ANSWER_BYTES_MAX];
    uint32_t tag;
    struct guest_flight {
        uint32_t tag; /* 0: free */
        uint8_t bytes[PP_FRAME_ANSWER_BYTES_MAX];
        size_t len;
    } flights[GUEST_OPEN_MAX];
};

/*
 * Starts `program` with `config`, which its chip reports as HOST_DATA. What `launched` says is what
 * the chip says of the guest, `hints` what the host says of the outside. Fails a test assertion.
 */
void guest_start(struct guest *g, const char *program, struct pp_span config,
                 const struct sim_chip *chip, const struct sim_guest *launched,
                 const struct pp_hints *hints);
void guest_stop(struct guest *g); /* zeroed, or twice, is fine */

/* One session: gives the first flight, borrowed until the next call. */
struct pp_span guest_open(struct guest *g, struct pp_span client_hello);

/*
 * Two sessions under one report: the processor is kept busy with a third one until both wait. The
 * flights are borrowed until the next call.
 */
void guest_open_two(struct guest *g, struct pp_span first, struct pp_span second,
                    struct pp_span busy, struct pp_span ret_flights[2]);

#endif
