/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers requests of exchange.h with BoringSSL's HPKE, which shares no line with ours. A program
 * of its own, since the two libraries have the same names for different things.
 */
#include <openssl/hpke.h>

#include "exchange.h"

static uint8_t in[FRAME_BYTES_MAX], out[FRAME_BYTES_MAX];

static const EVP_HPKE_AEAD *aead_of(uint16_t id)
{
    switch (id) {
    case EVP_HPKE_AES_128_GCM:
        return EVP_hpke_aes_128_gcm();
    case EVP_HPKE_AES_256_GCM:
        return EVP_hpke_aes_256_gcm();
    default:
        return EVP_hpke_chacha20_poly1305();
    }
}

/* The context's export and messages, behind what the set-up made. */
static int run(EVP_HPKE_CTX *c, const struct request *q, struct pp_span made, struct pp_wr *wr)
{
    static uint8_t exported[UINT16_MAX], text[TEXT_BYTES_MAX + EVP_HPKE_MAX_OVERHEAD];

    if (!EVP_HPKE_CTX_export(c, exported, q->export_len, q->exporter_context.at,
                             q->exporter_context.len))
        return 0;
    pp_wr_u8(wr, 1);
    block_write(wr, made);
    block_write(wr, pp_span(exported, q->export_len));
    for (size_t i = 0; i < q->count; i++) {
        struct pp_span t = q->messages[i].text, aad = q->messages[i].aad;
        size_t len = 0;
        int ok = q->op == OP_SEAL
                     ? EVP_HPKE_CTX_seal(c, text, &len, sizeof text, t.at, t.len, aad.at, aad.len)
                     : EVP_HPKE_CTX_open(c, text, &len, sizeof text, t.at, t.len, aad.at, aad.len);
        if (!ok)
            return 0;
        block_write(wr, pp_span(text, len));
    }
    return 1;
}

static int seal(EVP_HPKE_CTX *c, const struct request *q, struct pp_wr *wr)
{
    uint8_t enc[EVP_HPKE_MAX_ENC_LENGTH];
    size_t len = 0;

    return EVP_HPKE_CTX_setup_sender_with_seed_for_testing(
               c, enc, &len, sizeof enc, EVP_hpke_x25519_hkdf_sha256(), EVP_hpke_hkdf_sha256(),
               aead_of(q->aead), q->key.at, q->key.len, q->info.at, q->info.len, q->other.at,
               q->other.len) &&
           run(c, q, pp_span(enc, len), wr);
}

static int open_all(EVP_HPKE_CTX *c, const struct request *q, struct pp_wr *wr)
{
    EVP_HPKE_KEY *key = EVP_HPKE_KEY_new();
    uint8_t pk[EVP_HPKE_MAX_PUBLIC_KEY_LENGTH];
    size_t len = 0;

    int ok = key != NULL &&
             EVP_HPKE_KEY_init(key, EVP_hpke_x25519_hkdf_sha256(), q->key.at, q->key.len) &&
             EVP_HPKE_KEY_public_key(key, pk, &len, sizeof pk) &&
             EVP_HPKE_CTX_setup_recipient(c, key, EVP_hpke_hkdf_sha256(), aead_of(q->aead),
                                          q->other.at, q->other.len, q->info.at, q->info.len) &&
             run(c, q, pp_span(pk, len), wr);
    EVP_HPKE_KEY_free(key);
    return ok;
}

static pp_res answer(struct pp_rd *rd)
{
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct request q;

    PP_TRY(request_parse(rd, &q));
    EVP_HPKE_CTX *c = EVP_HPKE_CTX_new();
    PP_CHECK(c != NULL, PP_E_NO_MEMORY, 0);
    if (!(q.op == OP_SEAL ? seal(c, &q, &wr) : open_all(c, &q, &wr))) {
        wr = pp_wr_over(out, sizeof out);
        pp_wr_u8(&wr, 0);
    }
    EVP_HPKE_CTX_free(c);
    PP_TRY(pp_wr_ok(&wr));
    return frame_send(stdout, pp_wr_done(&wr));
}

int main(void)
{
    struct pp_rd rd;

    for (;;) {
        pp_res r = frame_receive(stdin, in, sizeof in, &rd);
        if (r.code == PP_E_CLOSED)
            return 0;
        if (!pp_is_ok(r) || !pp_is_ok(answer(&rd)))
            return 1;
    }
}
