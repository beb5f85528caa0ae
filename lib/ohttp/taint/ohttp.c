/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange, whole and chunked, with the gateway's key, the message and the answer marked
 * undefined: valgrind reports every branch and index that depends on them.
 */
#include <stdio.h>

#include "chunked.h"
#include "crypto.h"
#include "ct.h"
#include "ohttp.h"

static const struct pp_ohttp_suite SUITE = { PP_HKDF_SHA256, PP_AES_128_GCM };

static pp_res exchange(struct pp_ohttp_gateway *gw, const struct pp_random *random)
{
    PP_AUTO(pp_ohttp) device = { 0 };
    PP_AUTO(pp_ohttp) gateway = { 0 };
    uint8_t request[100] = "request", response[100] = "response", up[256], down[256];
    struct pp_wr up_wr = pp_wr_over(up, sizeof up), down_wr = pp_wr_over(down, sizeof down);
    struct pp_span opened;

    PP_TAINT(request, sizeof request);
    PP_TAINT(response, sizeof response);
    PP_TRY(pp_ohttp_request_seal(&device, &gw->keys[0].config, SUITE, random, PP_BYTES(request),
                                 &up_wr));
    PP_REVEAL(up, up_wr.len, "an encapsulated request is public");
    PP_TAINT(device.hpke.exporter_secret.bytes, device.hpke.exporter_secret.len);
    PP_TRY(pp_ohttp_request_open(&gateway, gw, up, up_wr.len, &opened));
    PP_TRY(pp_ohttp_response_seal(&gateway, random, PP_BYTES(response), &down_wr));
    PP_REVEAL(down, down_wr.len, "an encapsulated response is public");
    return pp_ohttp_response_open(&device, down, down_wr.len, &opened);
}

/* A whole message of one stream: two chunks and the final one, which is empty. */
static pp_res send_stream(struct pp_ohttp_sender *s, const uint8_t *secret, size_t len,
                          struct pp_wr *wr)
{
    size_t used;

    for (size_t i = 0; i < 2; i++) {
        PP_TRY(pp_ohttp_sender_feed(s, secret, len, &used));
        PP_TRY(pp_ohttp_sender_cut(s));
        wr->len += pp_ohttp_sender_take(s, wr->at + wr->len, wr->cap - wr->len);
    }
    PP_TRY(pp_ohttp_sender_end(s));
    wr->len += pp_ohttp_sender_take(s, wr->at + wr->len, wr->cap - wr->len);
    PP_REVEAL(wr->at, wr->len, "an encapsulated message is public");
    pp_ohttp_sender_done(s);
    return PP_OK;
}

static pp_res receive_stream(struct pp_ohttp_receiver *r, struct pp_span body)
{
    struct pp_rd rd = pp_rd_span(body);
    uint8_t plain[100];
    size_t used;

    while (rd.left > 0) {
        PP_TRY(pp_ohttp_receiver_feed(r, rd.at, rd.left, &used));
        pp_rd_skip(&rd, used);
        (void)pp_ohttp_receiver_take(r, plain, sizeof plain);
    }
    PP_TRY(pp_ohttp_receiver_end(r));
    pp_ohttp_receiver_done(r);
    return PP_OK;
}

/* The same body, of which the head alone comes as a stream. */
static pp_res open_whole(struct pp_ohttp_gateway *gw, struct pp_span body)
{
    enum { HEAD = PP_OHTTP_HEADER_BYTES + PP_X25519_BYTES };
    static uint8_t mem[PP_OHTTP_CHUNK_SEALED_MAX];
    PP_AUTO(pp_ohttp) gateway = { 0 };
    PP_AUTO(pp_ohttp_receiver) r = { 0 };
    uint8_t chunks[512];
    struct pp_wr wr = pp_wr_over(chunks, sizeof chunks);
    struct pp_span opened;
    size_t used;

    PP_TRY(pp_ohttp_receiver_start_request(&r, &gateway, gw, mem, sizeof mem));
    PP_TRY(pp_ohttp_receiver_feed(&r, body.at, HEAD, &used));
    pp_wr_bytes(&wr, body.at + HEAD, body.len - HEAD);
    PP_TRY(pp_wr_ok(&wr));
    return pp_ohttp_chunks_open(&gateway, chunks, wr.len, &opened);
}

static pp_res chunked_exchange(struct pp_ohttp_gateway *gw, const struct pp_random *random)
{
    static uint8_t mem[PP_OHTTP_CHUNK_SEALED_MAX];
    PP_AUTO(pp_ohttp) device = { 0 };
    PP_AUTO(pp_ohttp) gateway = { 0 };
    PP_AUTO(pp_ohttp_sender) s = { 0 };
    PP_AUTO(pp_ohttp_receiver) r = { 0 };
    uint8_t secret[100] = "secret", body[512];
    struct pp_wr wr = pp_wr_over(body, sizeof body);

    PP_TAINT(secret, sizeof secret);
    PP_TRY(pp_ohttp_sender_start_request(&s, &device, &gw->keys[0].config, SUITE, random, mem,
                                         sizeof mem));
    PP_TRY(send_stream(&s, secret, sizeof secret, &wr));
    PP_TRY(pp_ohttp_receiver_start_request(&r, &gateway, gw, mem, sizeof mem));
    PP_TRY(receive_stream(&r, pp_wr_done(&wr)));
    PP_TRY(open_whole(gw, pp_wr_done(&wr)));
    wr = pp_wr_over(body, sizeof body);
    PP_TAINT(device.hpke.exporter_secret.bytes, device.hpke.exporter_secret.len);
    PP_TRY(pp_ohttp_sender_start_response(&s, &gateway, random, mem, sizeof mem));
    PP_TRY(send_stream(&s, secret, sizeof secret, &wr));
    PP_TRY(pp_ohttp_receiver_start_response(&r, &device, mem, sizeof mem));
    return receive_stream(&r, pp_wr_done(&wr));
}

static pp_res run(struct pp_ohttp_gateway *gw)
{
    struct pp_random random = pp_random_system();
    struct pp_kem_key *key = NULL;
    uint8_t sk[PP_X25519_BYTES];

    PP_TRY(pp_crypto_init());
    PP_TRY(pp_random_fill(&random, sk, sizeof sk));
    PP_TAINT(sk, sizeof sk);
    PP_TRY(pp_kem_key_import(PP_KEM_X25519_SHA256, PP_BYTES(sk), &key));
    PP_TRY(pp_ohttp_gateway_add(gw, 1, key, &SUITE, 1));
    PP_REVEAL(gw->keys[0].config.public_key, PP_X25519_BYTES, "a public key is public");
    PP_TRY(exchange(gw, &random));
    return chunked_exchange(gw, &random);
}

int main(void)
{
    static struct pp_ohttp_gateway gw;
    pp_res r = run(&gw);

    pp_ohttp_gateway_done(&gw);
    if (!pp_is_ok(r))
        fprintf(stderr, "taint_ohttp: %s at %s\n", pp_code_name(r.code), r.where);
    return !pp_is_ok(r);
}
