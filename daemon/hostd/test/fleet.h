/* SPDX-License-Identifier: Apache-2.0 */
/* fleet.h: a host and its confidential VM as real processes, with a gateway and devices by hand. */
#ifndef HOST_TEST_FLEET_H
#define HOST_TEST_FLEET_H

#include "harness.h"

#include <sys/types.h>

#include "answer.h"
#include "evidence.h"
#include "frame.h"
#include "ratls.h"
#include "request.h"
#include "seal.h"
#include "sim.h"

enum { FLEET_WAIT_MS = 60000 }; /* what nothing takes on the slowest machine */

/* Paths of the programs, from the command line of the test. */
extern const char *fleet_hostd, *fleet_cvmd;

struct fleet {
    char home[64];
    pid_t host;
    uint16_t port;
    struct sim_chip *chip;
    uint8_t release_id[32];
};

/* Starts a host in a new folder; `cvm_config` replaces lines of the default one (NULL: none). */
void fleet_start(struct fleet *f, const char *cvm_config);

/* The folder alone, for a host that a test tries to start: its exit status, 0 if it could be
 * started and ended again. */
void fleet_make(struct fleet *f, const char *cvm_config);
int fleet_try(struct fleet *f);
void fleet_unmake(struct fleet *f);

/* Ends it and gives the exit status of pp-hostd; 128 + signal when one ended it. */
int fleet_stop(struct fleet *f);

/* Waits for pp-hostd to end by itself. */
int fleet_wait(struct fleet *f);

/* The processes below this host with that name, in one look: how many there are, and up to `cap` of
 * their ids. They come and go: what a later look finds is another answer. */
unsigned fleet_find(const struct fleet *f, const char *name, pid_t *ret_pids, unsigned cap);

/* One of them, or 0. */
pid_t fleet_process(const struct fleet *f, const char *name);

/* 1 when the memory of a process holds `needle`, 0 when it does not, -1 when it could not be read
 * (ended, or not ours to read): a scan that reads nothing proves nothing. */
int fleet_memory_holds(pid_t pid, struct pp_span needle);

/* --- gateway --------------------------------------------------------------------------------- */

int gateway_connect(const struct fleet *f);
void gateway_send(int fd, enum pp_frame_op op, uint32_t tag, const uint8_t *sid,
                  struct pp_span bytes);

/* The next frame; its bytes stand in a static buffer until the next call. `kind` 0xff: the end. */
struct pp_frame gateway_recv(int fd);

/* --- device ---------------------------------------------------------------------------------- */

struct device {
    struct pp_ratls_client *client;
    uint8_t sid[PP_SID_BYTES];
    struct pp_evidence evidence;
    struct pp_ratls_session session;
    struct pp_ratls_permit permit;
    struct pp_seal seal;
};

/* The ClientHello of a new device. */
struct pp_span device_hello(struct device *d);

/* Reads an answer to open: Evidence, its report's binding, the permit. */
void device_take_flight(struct device *d, const struct pp_frame *answer);

/* Open and flight over one connection. */
void device_open(struct device *d, int gateway);

/* A sealed request as the bytes of `continue`. `room` of its plaintext; `text` of its one
 * message. */
struct pp_span device_request(struct device *d, const char *feature, const char *text,
                              uint32_t answer_kib);

/* Opens the answer to it. */
void device_take_answer(struct device *d, struct pp_span bytes, uint32_t answer_kib,
                        struct pp_answer *ret);
void device_done(struct device *d);

#endif
