/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sizes.h: the closed list of sizes on the wire, and how much fits into each (pp-wire 3 and 8).
 *
 * A bucket is the whole OHTTP body. What travels inside is filled so that for one bucket one size,
 * and only one, appears at relay, gateway and host.
 */
#ifndef PP_SIZES_H
#define PP_SIZES_H

#include "result.h"

enum {
    PP_BUCKET_1_UP_BYTES = 4096,    /* exchange #1, always */
    PP_BUCKET_1_DOWN_BYTES = 32768, /* whatever the inner status */
    PP_BUCKET_2_UP_KIB_MIN = 2,     /* exchange #2: powers of two, 2..256 KiB */
    PP_BUCKET_2_UP_KIB_MAX = 256,
    PP_BUCKET_2_DOWN_KIB_MAX = 16, /* powers of two, 1..16 KiB, as the client asked */
    PP_SEALED_PT_BYTES_MIN = 256,  /* a bucket that leaves less is not used */
    PP_GRID_MS = 250,              /* of times, counted from an exchange's start; dev has none */
    PP_ANSWER_SLACK_BYTES = 256,   /* BHTTP, OHTTP and TLS around an answer */
};

/* 1 when `kib` is a bucket of exchange #2 in that direction. */
int pp_bucket_up_ok(uint64_t kib);
int pp_bucket_down_ok(uint64_t kib);

/* 1 when the OHTTP body of a request may have so many bytes, in either exchange. */
int pp_request_bytes_ok(size_t bytes);

/*
 * Bytes of padded plaintext (u32 n || CBOR || zeros) of a SealedRequest in an up bucket.
 * `outer_enc` and `inner_enc` are the Nenc of the OHTTP key's and the message key's KEM. RANGE: not
 * a bucket, or one that would leave less than PP_SEALED_PT_BYTES_MIN and is therefore not used.
 */
PP_MUST pp_res pp_request_room(size_t bucket_kib, size_t outer_enc, size_t inner_enc,
                               size_t *ret_bytes);

/* The smallest bucket whose room holds `cbor_len` bytes behind their length. TOO_LARGE: none
 * does. */
PP_MUST pp_res pp_request_bucket(size_t cbor_len, size_t outer_enc, size_t inner_enc,
                                 size_t *ret_bucket_kib);

/*
 * Milliseconds that have to pass so that something leaves on the grid that begins at `from_ms`: an
 * answer of the gateway, exchange #2 of the device. 0 without a grid. The first tick is one grid
 * behind the start: a refusal that took no time at all must not leave before an answer that took
 * some.
 */
uint32_t pp_grid_wait(uint64_t from_ms, uint64_t now_ms, uint32_t grid_ms);

/*
 * Between confidential VMs: the request bucket that holds a plaintext of `pt_len` bytes, counting
 * as pp_request_room does with an outer Nenc of PP_PEER_OUTER_ENC_BYTES. Of a device's padded
 * plaintext this is its own bucket, so that one size at the gateway means one size between the
 * machines. TOO_LARGE.
 */
PP_MUST pp_res pp_peer_bucket(size_t pt_len, size_t inner_enc, size_t *ret_bucket_kib);

enum {
    PP_PEER_OUTER_ENC_BYTES = 32, /* there is no OHTTP; the sizes are those of its usual KEM */
    PP_PEER_ANSWER_KIB = 16,
    PP_PEER_JUDGE_KIB = 32, /* a judged answer: every answer fits */
};

/* Bytes of padded plaintext of a SealedResponse in a down bucket, which must be one. */
size_t pp_answer_room(size_t bucket_kib);

#endif
