/* SPDX-License-Identifier: Apache-2.0 */
/* The inner seal with prompt, answer and keys marked undefined (valgrind): nothing branches on
 * them. */
#include <stdio.h>

#include "crypto.h"
#include "ct.h"
#include "seal.h"

static pp_res run(uint32_t *ret_same)
{
    static uint8_t prompt[700], sealed[1024], opened[1024], answer[768], back[1024];
    struct pp_random random = pp_random_system();
    const uint8_t binding[PP_BINDING_BYTES] = { 1 };
    PP_AUTO(pp_seal) device = { 0 };
    PP_AUTO(pp_seal) worker = { 0 };
    struct pp_wr wr = pp_wr_over(sealed, sizeof sealed);
    struct pp_kem_key *key = NULL;
    size_t len = 0;

    PP_TRY(pp_crypto_init());
    PP_TRY(pp_kem_key_generate(PP_KEM_X25519_SHA256, &random, &key));
    PP_TAINT(prompt, sizeof prompt);
    PP_TRY(pp_seal_request(&device, PP_KEM_X25519_SHA256, pp_kem_key_public(key), binding, &random,
                           PP_BYTES(prompt), &wr));
    PP_REVEAL(sealed, sizeof sealed, "ciphertext is public");
    PP_TRY(pp_seal_open_request(&worker, key, binding, pp_wr_done(&wr), opened, &len));
    pp_kem_key_free(key);

    PP_TAINT(worker.ctx.exporter_secret.bytes, worker.ctx.exporter_secret.len);
    PP_TAINT(device.ctx.exporter_secret.bytes, device.ctx.exporter_secret.len);
    PP_TAINT(answer, sizeof answer);
    wr = pp_wr_over(sealed, sizeof sealed);
    PP_TRY(pp_seal_response(&worker, &random, PP_BYTES(answer), &wr));
    PP_REVEAL(sealed, sizeof sealed, "ciphertext is public");
    PP_TRY(pp_seal_open_response(&device, pp_wr_done(&wr), back, &len));
    *ret_same = len == sizeof answer && pp_ct_eq(back, answer, sizeof answer);
    PP_REVEAL(ret_same, sizeof *ret_same, "the verdict of a comparison is public");
    return PP_OK;
}

int main(void)
{
    uint32_t same = 0;
    pp_res r = run(&same);

    if (!pp_is_ok(r) || same != 1)
        fprintf(stderr, "taint_seal: %s, same %u\n", pp_code_name(r.code), same);
    return !pp_is_ok(r) || same != 1;
}
