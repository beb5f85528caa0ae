/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of type 0x02: logs of others that sign with ECDSA. Verified here, never made. */
#include "rd.h"

#include "tlog_int.h"

/*
 * RFC 5480 section 2: SubjectPublicKeyInfo of an uncompressed point on the named curve secp256r1,
 * up to the point. With one form allowed, comparing these bytes is all the parsing there is.
 */
static const uint8_t SPKI_START[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48,
                                      0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,
                                      0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00 };

pp_res pp_tlog_ecdsa_key(struct pp_span name, struct pp_span spki, struct pp_note_key *ret)
{
    struct pp_note_key key = { .name = name, .type = PP_NOTE_ECDSA_P256 };
    struct pp_rd rd = pp_rd_span(spki);
    uint8_t digest[PP_SHA256_BYTES];

    PP_CHECK(spki.len == PP_TLOG_SPKI_BYTES, PP_E_UNSUPPORTED, PP_NOTE_ECDSA_P256);
    PP_CHECK(pp_span_eq(pp_rd_bytes(&rd, sizeof SPKI_START), PP_BYTES(SPKI_START)),
             PP_E_UNSUPPORTED, PP_NOTE_ECDSA_P256);
    pp_rd_copy(&rd, key.pk, PP_P256_POINT_BYTES);
    PP_TRY(pp_rd_end(&rd));
    PP_CHECK(key.pk[0] == 0x04, PP_E_UNSUPPORTED, PP_NOTE_ECDSA_P256);
    pp_sha256(spki, digest);
    struct pp_rd id = pp_rd_over(digest, sizeof digest);
    key.id = pp_rd_u32(&id);
    *ret = key;
    return PP_OK;
}

void pp_tlog_ecdsa_spki(struct pp_wr *wr, const struct pp_note_key *key)
{
    pp_wr_bytes(wr, SPKI_START, sizeof SPKI_START);
    pp_wr_bytes(wr, key->pk, PP_P256_POINT_BYTES);
}

pp_res pp_tlog_ecdsa_verify(const struct pp_note_key *key, struct pp_span text, struct pp_span der)
{
    PP_TRY_AS(PP_E_SIGNATURE, pp_ecdsa_verify(PP_P256, pp_span(key->pk, PP_P256_POINT_BYTES),
                                              PP_SHA256, text, der));
    return PP_OK;
}
