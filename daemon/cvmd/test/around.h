/* SPDX-License-Identifier: Apache-2.0 */
/*
 * around.h: the attester as a process, with a test or a benchmark as everything around it: the
 * device, the channel, the supervisor and the workers. So each of them can be slow, or lie.
 */
#ifndef CVMD_TEST_AROUND_H
#define CVMD_TEST_AROUND_H

#include "harness.h"

#include "cvm.h"
#include "ipc.h"
#include "snp.h"
#include "sp.h"

enum { AROUND_WAIT_MS = 60000, AROUND_KEY_BYTES = 34 };

struct around {
    pid_t attester;
    int device, channel, supervisor; /* our ends; -1: closed */
    struct cvm_config config;
    struct cvm_config *shared; /* the one that the attester reads */
};

extern struct around around;
extern uint32_t around_gpu_ms; /* 0: the next one has no GPU; else when it asks it anew */

/* A worker as the supervisor hands it over, and what the test knows of it. */
struct around_worker {
    uint32_t slot, generation;
    int fd; /* our end of its socket */
    uint8_t key[AROUND_KEY_BYTES];
};

/* A session of the channel's: its name, and the values of its TLS. */
struct around_session {
    uint32_t slot, generation;
    uint8_t spki[PP_P256_SPKI_BYTES], ekm[PP_EKM_BYTES];
};

/* Starts it and answers its first request as a device does: the configuration is the measured
 * one. */
void around_start(void);
void around_start_unchecked(enum pp_platform platform); /* the first request still waits */
int around_can_read(int fd, int wait_ms);
void around_settle(int fd);               /* until the attester has taken all that we sent there */
void around_patience(uint32_t device_ms); /* from its next request of the device on */
int around_exit_status(void);             /* waits for its end; 128 + n after a signal */
int around_stop(void **state);   /* a cmocka teardown: it lives until now, whatever was done */
int around_forget(void **state); /* the same where its end was expected */

struct around_worker around_worker_new(uint32_t slot, uint32_t generation);
void around_worker_key(struct around_worker *w); /* it sends its message key */
struct around_session around_session_new(uint32_t slot);

/* What the channel sends for a session; and the whole of a fresh session with a fresh worker. */
void around_ask(const struct around_session *s, const struct around_worker *w);

/* --- the device ------------------------------------------------------------------------------ */

/* The next REPORT_DATA that a report is wanted for; 0: none within `wait_ms`. */
int around_wanted(uint8_t ret[PP_REPORT_DATA_BYTES], int wait_ms);

/* A report that says so, unsigned, and the answer that carries it with hints. */
void around_report(const uint8_t report_data[PP_REPORT_DATA_BYTES], struct pp_snp_report *ret);
void around_answer(const struct pp_snp_report *report);
void around_answer_bytes(struct pp_span report, struct pp_span hints);
struct pp_span around_hints(void);
void around_answer_next(uint8_t ret[PP_REPORT_DATA_BYTES]); /* one whole round of the device */

/* --- what comes back ------------------------------------------------------------------------- */

struct around_evidence {
    uint32_t slot, generation; /* of the session */
    int is_there;
    uint8_t body[PP_EVIDENCE_BODY_BYTES];
    struct pp_evidence e; /* parsed; borrows from `body`: do not move it */
};

int around_evidence(struct around_evidence *ret, int wait_ms); /* 0: nothing */

/* B as a verifier computes it. */
void around_binding(const struct around_session *s, const struct around_worker *w,
                    uint8_t ret[PP_BINDING_BYTES]);

#endif
