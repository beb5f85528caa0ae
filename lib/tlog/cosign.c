/* SPDX-License-Identifier: Apache-2.0 */
#include "cosign.h"

#include "rd.h"

#include "tlog_int.h"

enum { MESSAGE_MAX = PP_COSIGN_TEXT_MAX + 64 };

/* C2SP tlog-cosignature, "Format": the header has its own first line, so it is never a
 * checkpoint. */
static pp_res message(uint64_t time, struct pp_span text, struct pp_wr *wr)
{
    PP_CHECK(text.len <= PP_COSIGN_TEXT_MAX, PP_E_LIMIT, text.len);
    pp_wr_text(wr, "cosignature/v1\ntime ");
    pp_wr_decimal(wr, time);
    pp_wr_u8(wr, '\n');
    pp_wr_span(wr, text);
    return pp_wr_ok(wr);
}

pp_res pp_cosign_line_write(struct pp_wr *wr, const struct pp_note_signer *s, uint64_t time,
                            struct pp_span text)
{
    uint8_t buffer[MESSAGE_MAX];
    struct pp_wr m = pp_wr_over(buffer, sizeof buffer);
    uint8_t signature[PP_ED25519_SIG_BYTES];
    uint8_t body[8 + PP_ED25519_SIG_BYTES];
    struct pp_wr b = pp_wr_over(body, sizeof body);

    PP_CHECK(s->key.type == PP_NOTE_COSIGNATURE, PP_E_FORMAT, s->key.type);
    PP_CHECK(time > 0 && time <= PP_COSIGN_TIME_MAX, PP_E_RANGE, 0);
    PP_TRY(message(time, text, &m));
    PP_TRY(pp_note_sign(s, pp_wr_done(&m), signature));
    pp_wr_u64(&b, time);
    pp_wr_bytes(&b, signature, sizeof signature);
    pp_tlog_signature_line(wr, &s->key, pp_wr_done(&b));
    return pp_wr_ok(wr);
}

pp_res pp_cosign_verify(const struct pp_note_key *key, struct pp_span signature,
                        struct pp_span text, uint64_t *ret_time)
{
    uint8_t buffer[MESSAGE_MAX];
    struct pp_wr m = pp_wr_over(buffer, sizeof buffer);
    struct pp_rd rd = pp_rd_span(signature);
    uint64_t time = pp_rd_u64(&rd);
    struct pp_span ed25519 = pp_rd_bytes(&rd, PP_ED25519_SIG_BYTES);

    PP_TRY_AS(PP_E_SIGNATURE, pp_rd_end(&rd));
    PP_CHECK(time <= PP_COSIGN_TIME_MAX, PP_E_SIGNATURE, 0);
    PP_TRY(message(time, text, &m));
    PP_TRY_AS(PP_E_SIGNATURE, pp_ed25519_verify(key->pk, pp_wr_done(&m), ed25519));
    *ret_time = time;
    return PP_OK;
}
