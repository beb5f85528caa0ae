/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ratls.h: attested TLS sessions over memory (ra-tls 5 and 13, pp-wire 5 and 6): TLS 1.3 of one
 * exact profile, Evidence in the server's first flight, and a client that cannot send before it
 * verified.
 *
 * Bytes in, bytes out: no socket, no clock. A session is used by one thread at a time; a context
 * may be shared. After the first failure a session is dead: its keys, exporter value and buffers
 * are gone, and every later call returns the code of that first failure.
 *
 *     client                                           server
 *     new, take -> ClientHello                         new, feed(ClientHello)
 *                                                      session -> {exporter value, SPKI}
 *     feed(flight), flight_end                         evidence(body), take -> flight
 *     evidence, session; appraise; permit
 *     send(permit, SealedRequest), take                request_buffer, feed, request
 *     feed, answer                                     answer(SealedResponse), take
 *
 * Between confidential VMs both ends attest (ra-tls 13): the client calls send_attested instead of
 * send, and a server of new_mutual stops behind the client's Evidence until it is admitted.
 */
#ifndef PP_RATLS_H
#define PP_RATLS_H

#include "binding.h"
#include "env.h"
#include "evidence.h"
#include "profile.h"
#include "result.h"
#include "span.h"
#include "wr.h"

enum {
    PP_RATLS_FEED_BYTES_MAX = 1 << 19, /* more than any exchange carries */
    PP_RATLS_ALERT_BYTES = 24,         /* the record with which a server gives up */
};

/* --- context --------------------------------------------------------------------------------- */

/* One per process and end: the TLS library's settings. pp_crypto_init comes first. */
struct pp_ratls_ctx;

PP_MUST pp_res pp_ratls_ctx_new(enum pp_end end, struct pp_ratls_ctx **ret); /* CRYPTO */
void pp_ratls_ctx_free(struct pp_ratls_ctx *ctx); /* NULL is fine; after its sessions */

/* What the binding needs to know of a session; the same at both ends, or somebody stands
 * between. */
struct pp_ratls_session {
    uint8_t ekm[PP_EKM_BYTES];
    uint8_t spki[PP_P256_SPKI_BYTES];
};

/* --- client ---------------------------------------------------------------------------------- */

enum pp_client_state {
    PP_CLIENT_HANDSHAKE,     /* the ClientHello can be taken; the flight is fed */
    PP_CLIENT_WAIT_EVIDENCE, /* TLS is done, message 1 is not complete */
    PP_CLIENT_EVIDENCE,      /* message 1 is here and not appraised; nothing can be written */
    PP_CLIENT_SENT,          /* the request was written, under a permit */
    PP_CLIENT_ANSWERED,
    PP_CLIENT_DEAD,
};

struct pp_ratls_client;

/* Makes the ClientHello, which must be the one of pp-wire 5 byte for byte (TLS_SUITE if this
 * machine's TLS library would send another). NO_MEMORY, CRYPTO. */
PP_MUST pp_res pp_ratls_client_new(struct pp_ratls_ctx *ctx, struct pp_ratls_client **ret);
void pp_ratls_client_free(struct pp_ratls_client *c); /* NULL is fine; wipes */

enum pp_client_state pp_ratls_client_state(const struct pp_ratls_client *c);

/*
 * Moves bytes for the far end into `out`, as many as fit; pp_ratls_client_pending says how many are
 * left. Between the ClientHello and pp_ratls_client_send there are none: even the Finished waits
 * for the verdict.
 */
size_t pp_ratls_client_pending(const struct pp_ratls_client *c);
PP_MUST pp_res pp_ratls_client_take(struct pp_ratls_client *c, struct pp_wr *out);

/*
 * Takes bytes of the far end. REFUSED codes before pp_ratls_client_send: TLS_*, EVIDENCE_SIZE,
 * EVIDENCE_TWICE, EVIDENCE_FORMAT (another message in the first flight). After it: MESSAGE_ORDER,
 * RANGE (an answer of another size), SESSION_GONE (the far end ended the session), TLS_*.
 */
PP_MUST pp_res pp_ratls_client_feed(struct pp_ratls_client *c, struct pp_span in);

/*
 * Says that the flight is over, as the end of exchange #1's answer does. OK in the state
 * PP_CLIENT_EVIDENCE; else the session dies: TLS_TRUNCATED (or bytes of an unfinished record behind
 * the Evidence), NO_EVIDENCE, EVIDENCE_SIZE (it ended early).
 */
PP_MUST pp_res pp_ratls_client_flight_end(struct pp_ratls_client *c);

/* The 28672 bytes of message 1's body, borrowed until send, and this session's values. STATE. */
PP_MUST pp_res pp_ratls_client_evidence(const struct pp_ratls_client *c, struct pp_span *ret_body);
PP_MUST pp_res pp_ratls_client_session(const struct pp_ratls_client *c,
                                       struct pp_ratls_session *ret);

/*
 * The right to send, once, in one session. pp_ratls_permit is the only maker: it takes the
 * REPORT_DATA of a report whose whole chain of signatures the caller has verified, recomputes what
 * must stand there from this session's own exporter value, the key that this session saw and the
 * Evidence, and compares in constant time. So a permit of another session, or for Evidence of
 * another, does not work, whatever the caller mixes up.
 *
 * lib/policy alone calls it (a test of the tree checks that), inside its appraisal, and hands the
 * permit out only as a member of the result object whose last line says "verified". The members are
 * private.
 */
struct pp_ratls_permit {
    const struct pp_ratls_client *of;
    uint8_t binding[PP_BINDING_BYTES];
};

/* SNP_BINDING when the report is not this session's; PROOF (batch path); STATE. */
PP_MUST pp_res pp_ratls_permit(struct pp_ratls_client *c, const struct pp_evidence *e,
                               const uint8_t verified_report_data[PP_REPORT_DATA_BYTES],
                               struct pp_ratls_permit *ret);

/* B of the permit's session: what the request is sealed for (seal.h). */
static inline const uint8_t *pp_ratls_permit_binding(const struct pp_ratls_permit *permit)
{
    return permit->binding;
}

/*
 * Writes Finished and `message` (one whole SealedRequest message, head included). `answer_len` is
 * the one body length that the answer may have. UNVERIFIED for a permit that was not made for this
 * session, FORMAT for bytes that are not such a message, STATE when the session is not waiting for
 * this.
 */
PP_MUST pp_res pp_ratls_client_send(struct pp_ratls_client *c, const struct pp_ratls_permit *permit,
                                    struct pp_span message, size_t answer_len);

/*
 * The same for a client that attests too: Finished, message 1 with `evidence` (a body of
 * PP_EVIDENCE_BODY_BYTES, made for the client end over the values of pp_ratls_client_session), then
 * `message`. RANGE (another body length) and the codes of pp_ratls_client_send.
 */
PP_MUST pp_res pp_ratls_client_send_attested(struct pp_ratls_client *c,
                                             const struct pp_ratls_permit *permit,
                                             struct pp_span evidence, struct pp_span message,
                                             size_t answer_len);

/* Bytes on the wire of what an attested send writes, for a message of `message_len` bytes: a size
 * that says nothing but that length. */
size_t pp_ratls_attested_bytes(size_t message_len);

/* The body of the SealedResponse, borrowed until the session is freed. ANSWER_TRUNCATED when it is
 * not complete and the exchange is over: the session dies. */
PP_MUST pp_res pp_ratls_client_answer(struct pp_ratls_client *c, struct pp_span *ret_body);

/* Ends the session for a reason of the caller (a deadline: EVIDENCE_TIMEOUT). */
void pp_ratls_client_kill(struct pp_ratls_client *c, enum pp_code code);

/* --- server ---------------------------------------------------------------------------------- */

enum pp_server_state {
    PP_SERVER_HELLO,     /* waits for the ClientHello */
    PP_SERVER_EVIDENCE,  /* flight 1 is made and held; waits for pp_ratls_server_evidence */
    PP_SERVER_FINISHED,  /* the flight can be taken; waits for the client's Finished */
    PP_SERVER_WAIT_PEER, /* TLS is done; waits for the client's Evidence (mutual alone) */
    PP_SERVER_PEER,      /* it is here and not appraised; nothing behind it is read */
    PP_SERVER_OPEN,      /* TLS is done; waits for the SealedRequest */
    PP_SERVER_REQUEST,   /* it is here */
    PP_SERVER_ANSWERED,
    PP_SERVER_DEAD,
};

struct pp_ratls_server;

/* A session with a new P-256 key and certificate. `random` is for the guard of ra-tls 5.1 alone. */
PP_MUST pp_res pp_ratls_server_new(struct pp_ratls_ctx *ctx, const struct pp_random *random,
                                   struct pp_ratls_server **ret);

/* The same, for a client that has to attest before the server opens. */
PP_MUST pp_res pp_ratls_server_new_mutual(struct pp_ratls_ctx *ctx, const struct pp_random *random,
                                          struct pp_ratls_server **ret);
void pp_ratls_server_free(struct pp_ratls_server *s); /* NULL is fine; wipes */

enum pp_server_state pp_ratls_server_state(const struct pp_ratls_server *s);
size_t pp_ratls_server_pending(const struct pp_ratls_server *s);
PP_MUST pp_res pp_ratls_server_take(struct pp_ratls_server *s, struct pp_wr *out);

/*
 * Takes bytes of the client. In HELLO exactly the 160 bytes of pp-wire 5 (TLS_SUITE for others:
 * they never reach the TLS library); in FINISHED and OPEN the rest of the session. A failure after
 * the flight was taken leaves one alert record of PP_RATLS_ALERT_BYTES to take, whatever was wrong.
 * TLS_ALERT, MESSAGE_ORDER (another message than one SealedRequest, or than Evidence and one
 * SealedRequest), LIMIT (larger than the buffer), EVIDENCE_SIZE.
 */
PP_MUST pp_res pp_ratls_server_feed(struct pp_ratls_server *s, struct pp_span in);

/* In EVIDENCE: what the attester needs. STATE. */
PP_MUST pp_res pp_ratls_server_session(const struct pp_ratls_server *s,
                                       struct pp_ratls_session *ret);

/* Writes message 1 behind the server's Finished. RANGE unless PP_EVIDENCE_BODY_BYTES; STATE. */
PP_MUST pp_res pp_ratls_server_evidence(struct pp_ratls_server *s, struct pp_span body);

/* Where the SealedRequest's body goes; the caller's memory, needed before the bytes behind the
 * Finished are fed, so that waiting sessions hold none. */
void pp_ratls_server_request_buffer(struct pp_ratls_server *s, void *buf, size_t cap);

/* In REQUEST: the body of the SealedRequest, in the caller's buffer. STATE. */
PP_MUST pp_res pp_ratls_server_request(const struct pp_ratls_server *s, struct pp_span *ret_body);

/*
 * In PEER: the client's Evidence body, in the caller's buffer, and what must be bound into it.
 * STATE.
 */
PP_MUST pp_res pp_ratls_server_peer(const struct pp_ratls_server *s, struct pp_span *ret_body,
                                    struct pp_ratls_session *ret);

/*
 * The one way out of PEER: the caller found the client's Evidence in order. Reads on with what
 * waits behind it, into the buffer that pp_ratls_server_request_buffer named last, and fails like
 * pp_ratls_server_feed. STATE.
 */
PP_MUST pp_res pp_ratls_server_admit(struct pp_ratls_server *s);

/* Writes message 3, once. `body` at most PP_ANSWER_MESSAGE_BYTES_MAX. STATE, RANGE. */
enum { PP_ANSWER_MESSAGE_BYTES_MAX = 16384 };
PP_MUST pp_res pp_ratls_server_answer(struct pp_ratls_server *s, struct pp_span body);

/* Gives up: one alert record to take if the flight was taken, nothing otherwise; then dead. */
void pp_ratls_server_close(struct pp_ratls_server *s, enum pp_code code);

#endif
