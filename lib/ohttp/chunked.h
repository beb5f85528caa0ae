/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chunked.h: chunked Oblivious HTTP messages as streams (draft-ietf-ohai-chunked-ohttp).
 *
 *     message = head || { varint length || sealed chunk }* || varint 0 || sealed final chunk
 *
 * A request's head is the header of RFC 9458 and the encapsulated key, a response's is its nonce.
 * The final chunk runs to the end of the HTTP body.
 *
 * Sender:   _start -> { feed, cut | end, take }*          until pp_ohttp_sender_is_done
 * Receiver: _start -> { feed, take }* -> end -> take*     until pp_ohttp_receiver_is_done
 *
 * Both give the same bytes however their input is cut. All memory is the caller's and holds one
 * chunk. A failure is final: every later call returns it, and nothing more can be taken. A message
 * is whole only when its final chunk opened: what was taken before may be looked at, never acted on
 * as a whole. The struct pp_ohttp is the exchange's, as with whole messages: filled by the request,
 * needed for the response; it must outlive the stream, but for a response's sender, which is done
 * with it when it has started.
 *
 * pp_ohttp_chunks_open is for who has the whole body anyhow.
 */
#ifndef PP_OHTTP_CHUNKED_H
#define PP_OHTTP_CHUNKED_H

#include "ohttp.h"

#define PP_OHTTP_CHUNKED_REQUEST_TYPE  "message/ohttp-chunked-req"
#define PP_OHTTP_CHUNKED_RESPONSE_TYPE "message/ohttp-chunked-res"
#define PP_OHTTP_INCREMENTAL_FIELD     "incremental" /* on both: intermediaries do not hold back */
#define PP_OHTTP_INCREMENTAL_VALUE     "?1"

enum {
    PP_OHTTP_CHUNK_BYTES_MAX = 16384, /* plaintext that every receiver takes in one chunk */
    PP_OHTTP_CHUNK_SEALED_MAX = PP_OHTTP_CHUNK_BYTES_MAX + PP_AEAD_TAG_BYTES,
    PP_OHTTP_CHUNKED_BYTES_MAX = 1 << 30, /* plaintext of one message: the bound of AES-128-GCM */
    PP_OHTTP_HEAD_BYTES_MAX = PP_OHTTP_HEADER_BYTES + PP_KEM_ENC_BYTES_MAX,
    PP_OHTTP_LENGTH_BYTES_MAX = 8, /* a varint */
};

/* What seals or opens the chunks of one message. Private to the two streams. */
struct pp_ohttp_chunks {
    struct pp_ohttp *exchange;   /* borrowed; a request's chunks use its HPKE context */
    struct pp_secret key_secret; /* a response's; zero state in a request */
    uint16_t aead;
    uint8_t nonce[PP_AEAD_NONCE_BYTES];
    uint64_t count;       /* chunks so far */
    uint64_t bytes_total; /* plaintext so far */
};

/* --- sender ------------------------------------------------------------------------------------
 */

/* Zero state is fine for _done. */
struct pp_ohttp_sender {
    struct pp_ohttp_chunks chunks;
    uint8_t lead[PP_OHTTP_HEAD_BYTES_MAX + PP_OHTTP_LENGTH_BYTES_MAX];
    size_t lead_len, lead_taken; /* head and length in front of the chunk */
    uint8_t *mem;                /* the caller's: plaintext, sealed in place */
    size_t mem_len;
    size_t plain_len;                /* bytes that wait to be sealed */
    size_t sealed_len, sealed_taken; /* a chunk that waits to be taken */
    int ended;
    pp_res failed;
};

/*
 * Starts a request or a response over the caller's `mem`, which holds one chunk and its tag: chunks
 * have mem_len - 16 bytes at most. Receivers other than ours may take no more than
 * PP_OHTTP_CHUNK_BYTES_MAX. RANGE (mem_len below 17), and as pp_ohttp_request_seal and
 * pp_ohttp_response_seal; `s` is in the zero state before, and after a failure.
 */
PP_MUST pp_res pp_ohttp_sender_start_request(struct pp_ohttp_sender *s, struct pp_ohttp *x,
                                             const struct pp_keyconf *kc,
                                             struct pp_ohttp_suite suite,
                                             const struct pp_random *random, void *mem,
                                             size_t mem_len);
PP_MUST pp_res pp_ohttp_sender_start_response(struct pp_ohttp_sender *s, struct pp_ohttp *x,
                                              const struct pp_random *random, void *mem,
                                              size_t mem_len);

/*
 * Takes plaintext; `*ret_used` says how much: less than `len` when a full chunk has to be taken
 * first. STATE behind the end; LIMIT (PP_OHTTP_CHUNKED_BYTES_MAX, where the message is lost).
 */
PP_MUST pp_res pp_ohttp_sender_feed(struct pp_ohttp_sender *s, const void *bytes, size_t len,
                                    size_t *ret_used);

/* Ends the chunk here; without plaintext there is none, for an empty one would be refused. STATE:
 * what waits must be taken first. */
PP_MUST pp_res pp_ohttp_sender_cut(struct pp_ohttp_sender *s);

/* Seals what is left, which may be nothing, as the final chunk. STATE as above. */
PP_MUST pp_res pp_ohttp_sender_end(struct pp_ohttp_sender *s);

/* Moves at most `cap` bytes of the encapsulated message to `buf`; 0: none are ready. */
size_t pp_ohttp_sender_take(struct pp_ohttp_sender *s, void *buf, size_t cap);

/* 1 when the final chunk was taken whole. */
int pp_ohttp_sender_is_done(const struct pp_ohttp_sender *s);

void pp_ohttp_sender_done(struct pp_ohttp_sender *s); /* wipes, the used part of `mem` too */

/* --- receiver ----------------------------------------------------------------------------------
 */

enum pp_ohttp_receiver_state {
    PP_OHTTP_AT_HEAD = 0,
    PP_OHTTP_AT_LENGTH,
    PP_OHTTP_AT_CHUNK,
    PP_OHTTP_AT_FINAL, /* until the end of the body */
    PP_OHTTP_AT_END,   /* the final chunk opened */
};

/* Zero state is fine for _done. */
struct pp_ohttp_receiver {
    struct pp_ohttp_chunks chunks;
    const struct pp_ohttp_gateway *gateway; /* requests; borrowed until the head is read */
    enum pp_ohttp_receiver_state state;
    uint8_t lead[PP_OHTTP_HEAD_BYTES_MAX]; /* head, then the length of each chunk */
    size_t lead_len;
    uint8_t *mem; /* the caller's: one sealed chunk, opened in place */
    size_t mem_len;
    size_t sealed_len;             /* bytes of the chunk that are there */
    size_t chunk_len;              /* of how many */
    size_t plain_len, plain_taken; /* an opened chunk that waits to be taken */
    pp_res failed;
};

/*
 * Starts the opening of a request by the gateway or of a response by the device. `mem` holds one
 * sealed chunk: at least PP_OHTTP_CHUNK_SEALED_MAX bytes (RANGE), more where the profile has larger
 * ones. `x` is in the zero state for a request (STATE) and of the request for a response (STATE).
 */
PP_MUST pp_res pp_ohttp_receiver_start_request(struct pp_ohttp_receiver *r, struct pp_ohttp *x,
                                               const struct pp_ohttp_gateway *gw, void *mem,
                                               size_t mem_len);
PP_MUST pp_res pp_ohttp_receiver_start_response(struct pp_ohttp_receiver *r, struct pp_ohttp *x,
                                                void *mem, size_t mem_len);

/*
 * Takes bytes of the HTTP body; `*ret_used` says how many: less than `len` when an opened chunk has
 * to be taken first. AUTH (detail: enum pp_ohttp_refusal): unknown key or algorithms, a chunk that
 * does not open, an empty one that is not the final one; LIMIT: a length above `mem_len`, believed
 * by nobody, or more than PP_OHTTP_CHUNKED_BYTES_MAX in all; STATE behind _end.
 */
PP_MUST pp_res pp_ohttp_receiver_feed(struct pp_ohttp_receiver *r, const void *bytes, size_t len,
                                      size_t *ret_used);

/*
 * The HTTP body ended: opens the final chunk. TRUNCATED when the message has none; AUTH.
 */
PP_MUST pp_res pp_ohttp_receiver_end(struct pp_ohttp_receiver *r);

/* Moves at most `cap` bytes of opened plaintext to `buf`; 0: none are ready. */
size_t pp_ohttp_receiver_take(struct pp_ohttp_receiver *r, void *buf, size_t cap);

/* 1 when the final chunk opened and everything was taken: only now the message counts. */
int pp_ohttp_receiver_is_done(const struct pp_ohttp_receiver *r);

void pp_ohttp_receiver_done(struct pp_ohttp_receiver *r); /* wipes, the used part of `mem` too */

/* --- whole bodies ------------------------------------------------------------------------------
 */

/*
 * Opens all chunks of a request in place. `chunks` is what follows the head in a body that is there
 * to its end, and `x` the exchange that the head made. `*ret_request` is the front of `chunks`,
 * where the plaintext lies joined. It judges as a receiver does whose memory holds the body. AUTH
 * for every failure, a missing final chunk included: `chunks` is then of no use.
 */
PP_MUST pp_res pp_ohttp_chunks_open(struct pp_ohttp *x, uint8_t *chunks, size_t len,
                                    struct pp_span *ret_request);

#endif
