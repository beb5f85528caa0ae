/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cvm.h: the processes of pp-cvmd, and what they say to each other (docs/protocol/cvm.md).
 *
 *     supervisor   starts and ends the others; the only one that writes events
 *     channel      frames and TLS; holds no message key and no report
 *     attester     alone holds the device that reports; computes binding values itself
 *     worker       one a session; owns the message key, opens the request, runs the engine
 *
 * Packets between them (SOCK_SEQPACKET), integers big-endian:
 *
 *     supervisor to channel, attester   u32 slot || u32 generation, with a descriptor: a new worker
 *     channel to supervisor             01: listening; 02 || u32: so many workers were taken so far
 *     attester to supervisor            01: the configuration is the measured one
 *     channel to attester               u32 session(2) || u32 worker(2) || SPKI(91) || ekm(32)
 *     attester to channel               u32 session(2) || 00, or 01 || Evidence body
 *     worker to attester                u16 KEM || public key
 *     attester to worker                B(64) || SHA-256 of GPU evidence(32), of a machine that has
 *                                       a GPU alone || hints of the host
 *     worker to attester, behind B      SPKI(91) || ekm(32): of a session in which it is the client
 *     attester to worker                00, or 01 || Evidence body of that session
 *
 * The channel's sessions are attested as servers, a worker's own as clients of back-ends; which of
 * the two follows from the socket alone. A worker calls CVM_CALLS_MAX times at most, one at a time.
 *
 * "session(2)" and "worker(2)" are a slot and its generation. Channel and worker share a stream of
 *
 *     u8 word || u24 len || bytes
 *
 *     channel to worker   00 SealedRequest
 *                         01 a back-end's first flight, 02 its answer; len 0: there is none
 *                         03 SPKI(91) || ekm(32) || Evidence body of a client, before its request
 *     worker to channel   00 SealedResponse: of one of the five lengths that answers have, or len 0
 *                            for a request that could not be opened or read
 *                         01 u8 back-end || ClientHello: opens a session with it
 *                         02 what is sent in that session: of one of two lengths
 *                         03 the client's Evidence is in order
 *
 *     channel to host, on CVM_FD_WAY   u8 back-end
 *     host to channel                  u8 back-end || u8 00, with a connected descriptor, or 01
 */
#ifndef CVM_H
#define CVM_H

#include "config.h"
#include "env.h"
#include "events.h"
#include "hints.h"
#include "ratls.h"
#include "result.h"
#include "sizes.h"

/* Descriptors that pp-cvmd is started with, and nothing else. */
enum {
    CVM_FD_EVENTS = 2, /* a pipe: lines of the catalogue */
    CVM_FD_DEVICE = 3, /* the secure processor (sp.h) */
    CVM_FD_LISTEN = 4, /* a listening socket for frames */
    CVM_FD_CONFIG = 5, /* the measured configuration, a file */
    CVM_FD_WAY = 6,    /* the way to back-ends: packets with the host */
    CVM_FD_HINTS = 7,  /* of platform tdx alone: packets with the host, for its hints (report.h) */
};

enum {
    CVM_CONNECTIONS_MAX = 64,
    CVM_WORKERS_MAX = CVM_SESSIONS_MAX + CVM_WORKERS_READY_MAX,
    CVM_INFERENCE_MS = 60000, /* then the answer is outcome 2 */
    CVM_RUNNING_MS = 65000,   /* then the worker itself is ended */
    CVM_SEALED_REQUEST_BYTES_MAX = 262144,
};

enum {
    CVM_CHANNEL_LISTENING = 1,
    CVM_CHANNEL_TAKEN = 2,
    CVM_ATTESTER_READY = 1,
    CVM_ATTESTER_UNMEASURED =
        20, /* its exit status when the configuration is not the measured one */
    CVM_ATTEST_PACKET_BYTES = 16 + PP_P256_SPKI_BYTES + PP_EKM_BYTES,
    CVM_EVIDENCE_PACKET_BYTES = 9 + PP_EVIDENCE_BODY_BYTES,
    CVM_BINDING_PACKET_BYTES_MAX = PP_BINDING_BYTES + PP_DIGEST_BYTES + PP_HINTS_BYTES_MAX,
    CVM_CALL_PACKET_BYTES = PP_P256_SPKI_BYTES + PP_EKM_BYTES,
    CVM_CALL_ANSWER_BYTES = 1 + PP_EVIDENCE_BODY_BYTES,
    CVM_CALLS_MAX = 3, /* sessions with back-ends of one worker: guard, predictor, guard */
};

/* Whom an orchestrator asks. */
enum cvm_backend { CVM_BACKEND_GUARD, CVM_BACKEND_PREDICTOR, CVM_BACKENDS };

/* What channel and worker say on their stream, in the first byte of a head. */
enum cvm_word {
    CVM_WORD_SEALED = 0,
    CVM_WORD_OPEN = 1,
    CVM_WORD_SEND = 2,
    CVM_WORD_PEER = 3,
};

enum {
    CVM_WORD_HEAD_BYTES = 4,
    CVM_WORD_BYTES_MAX = (1 << 24) - 1,
    CVM_OPEN_WORD_BYTES = 1 + PP_HELLO_BYTES,
    CVM_PEER_WORD_BYTES = PP_P256_SPKI_BYTES + PP_EKM_BYTES + PP_EVIDENCE_BODY_BYTES,
    CVM_FLIGHT_BYTES_MAX = 65536,
};

/* How a worker ended: its exit status, the one thing that leaves a session besides its answer. */
enum cvm_worker_end {
    CVM_WORKER_ANSWERED = 0,
    CVM_WORKER_UNUSED = 10,     /* its session never came, or ended before the request */
    CVM_WORKER_UNOPENED = 11,   /* the request was not sealed to this session */
    CVM_WORKER_UNREAD = 12,     /* opened, and no request of pp-wire 9 */
    CVM_WORKER_BROKEN = 13,     /* the worker's own failure */
    CVM_WORKER_UNATTESTED = 14, /* a client whose Evidence was not in order; nothing was opened */
};

/* The processes. Each returns its exit status and, but for the supervisor, expects to be confined
 * already. `apart`: whether the namespaces were left (confine.h), for the event that says so. */
int cvm_supervisor_main(const struct cvm_config *c, const struct pp_event_sink *events, int apart);
int cvm_channel_main(const struct cvm_config *c, int listen_fd, int attester_fd, int supervisor_fd,
                     int way_fd);
int cvm_attester_main(const struct cvm_config *c, int device_fd, int channel_fd, int supervisor_fd);
int cvm_worker_main(const struct cvm_config *c, int channel_fd, int attester_fd);

#endif
