/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange with the gateway's key, the message and the answer marked undefined: valgrind
 * reports every branch and index that depends on them.
 */
#include <stdio.h>

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
    return exchange(gw, &random);
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
