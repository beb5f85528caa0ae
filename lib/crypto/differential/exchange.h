/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.h: what two implementations of HPKE are asked, one process each, over pipes.
 *
 * Both answer the same request with the same bytes, or differ. Frames have a length of 32 bits.
 *
 *     request   op(8) aead(16) key<16> other<16> info<16> exporter_context<16> export_len(16)
 *               count(8) count * (aad<16> text<16>)
 *     answer    done(8); if that is 1: made<16> exported<16> count * text<16>
 *
 * SEAL: `key` is the receiver's public key, `other` the ephemeral private key, `made` the
 * encapsulation. OPEN: `key` is the private key, `other` the encapsulation, `made` the public key.
 */
#ifndef PP_DIFFERENTIAL_EXCHANGE_H
#define PP_DIFFERENTIAL_EXCHANGE_H

#include <stdio.h>

#include "rd.h"
#include "wr.h"

enum { OP_SEAL = 1, OP_OPEN = 2 };
enum { MESSAGES_MAX = 5, TEXT_BYTES_MAX = 4096 + 16, FRAME_BYTES_MAX = 1 << 17 };

struct request {
    uint8_t op;
    uint16_t aead, export_len; /* IANA id; bytes */
    struct pp_span key, other, info, exporter_context;
    size_t count;
    struct {
        struct pp_span aad, text;
    } messages[MESSAGES_MAX];
};

/* Spans borrow from what is read. */
PP_MUST pp_res request_parse(struct pp_rd *rd, struct request *ret);
void request_write(const struct request *q, struct pp_wr *wr);

void block_write(struct pp_wr *wr, struct pp_span s);
struct pp_span block_read(struct pp_rd *rd);

PP_MUST pp_res frame_send(FILE *to, struct pp_span body);
PP_MUST pp_res frame_receive(FILE *from, uint8_t *buf, size_t cap, struct pp_rd *ret); /* CLOSED */

#endif
