/* SPDX-License-Identifier: Apache-2.0 */
#include "handle.h"

#include "hash.h"
#include "rd.h"
#include "text.h"
#include "wr.h"

enum {
    HANDLE_VERSION = 1,
    HEAD_BYTES = 2, /* version and key id: the additional data */
    PLAIN_BYTES = 1 + PP_HANDLE_ADDRESS_BYTES + 2 + PP_SID_BYTES + 8,
};

_Static_assert(HEAD_BYTES + PP_AEAD_NONCE_BYTES + PLAIN_BYTES + PP_AEAD_TAG_BYTES ==
                   PP_HANDLE_BYTES,
               "pp-wire 3 says 73 bytes");

void pp_handle_address_unix(struct pp_handle_address *a, struct pp_span path)
{
    uint8_t digest[PP_SHA256_BYTES];

    *a = (struct pp_handle_address){ .family = PP_FAMILY_UNIX };
    pp_sha256(path, digest);
    memcpy(a->bytes, digest, sizeof a->bytes);
}

/* One encoding per address: unused bytes and an unused port are zero. */
static pp_res address_check(const struct pp_handle_address *a)
{
    size_t used = sizeof a->bytes;

    switch (a->family) {
    case PP_FAMILY_UNIX:
        PP_CHECK(a->port == 0, PP_E_FORMAT, a->port);
        break;
    case PP_FAMILY_IP4:
        used = 4;
        break;
    case PP_FAMILY_IP6:
        break;
    case PP_FAMILY_VSOCK:
        used = 8;
        PP_CHECK(a->port == 0, PP_E_FORMAT, a->port);
        break;
    default:
        return PP_FAIL(PP_E_UNSUPPORTED, a->family);
    }
    for (size_t i = used; i < sizeof a->bytes; i++)
        PP_CHECK(a->bytes[i] == 0, PP_E_ENCODING, i);
    return PP_OK;
}

pp_res pp_handle_seal(const struct pp_handle_keys *keys, const struct pp_random *random,
                      const struct pp_handle *h, char ret_text[PP_HANDLE_TEXT_BYTES])
{
    uint8_t plain[PLAIN_BYTES];
    uint8_t bytes[PP_HANDLE_BYTES];
    uint8_t nonce[PP_AEAD_NONCE_BYTES];
    struct pp_wr pt = pp_wr_over(plain, sizeof plain);
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    struct pp_wr text = pp_wr_over(ret_text, PP_HANDLE_TEXT_BYTES);

    PP_CHECK(keys->count >= 1, PP_E_STATE, 0);
    PP_TRY(address_check(&h->address));
    pp_wr_u8(&pt, (uint8_t)h->address.family);
    pp_wr_bytes(&pt, h->address.bytes, sizeof h->address.bytes);
    pp_wr_u16(&pt, h->address.port);
    pp_wr_bytes(&pt, h->sid, sizeof h->sid);
    pp_wr_u64(&pt, h->expiry_posix_s);
    PP_TRY(pp_wr_ok(&pt));

    PP_TRY(pp_random_fill(random, nonce, sizeof nonce));
    pp_wr_u8(&wr, HANDLE_VERSION);
    pp_wr_u8(&wr, keys->keys[0].id);
    pp_wr_bytes(&wr, nonce, sizeof nonce);
    uint8_t *out = pp_wr_reserve(&wr, sizeof plain + PP_AEAD_TAG_BYTES);
    PP_TRY(pp_wr_ok(&wr));
    PP_TRY(
        pp_aead_seal(keys->keys[0].aead, nonce, pp_span(bytes, HEAD_BYTES), pp_wr_done(&pt), out));
    pp_wr_base64url(&text, PP_BYTES(bytes), 0);
    return pp_wr_ok(&text);
}

static pp_res open_with(struct pp_aead *aead, struct pp_span bytes, uint8_t *ret_plain)
{
    struct pp_rd rd = pp_rd_span(bytes);
    struct pp_span head = pp_rd_bytes(&rd, HEAD_BYTES);
    uint8_t nonce[PP_AEAD_NONCE_BYTES];

    pp_rd_copy(&rd, nonce, sizeof nonce);
    struct pp_span ct = pp_rd_rest(&rd);
    PP_TRY(pp_rd_ok(&rd));
    return pp_aead_open(aead, nonce, head, ct, ret_plain);
}

static pp_res plain_parse(const uint8_t plain[PLAIN_BYTES], struct pp_handle *ret)
{
    struct pp_rd rd = pp_rd_over(plain, PLAIN_BYTES);
    struct pp_handle h = { 0 };

    h.address.family = (enum pp_family)pp_rd_u8(&rd);
    pp_rd_copy(&rd, h.address.bytes, sizeof h.address.bytes);
    h.address.port = pp_rd_u16(&rd);
    pp_rd_copy(&rd, h.sid, sizeof h.sid);
    h.expiry_posix_s = pp_rd_u64(&rd);
    PP_TRY(pp_rd_end(&rd));
    PP_TRY(address_check(&h.address));
    *ret = h;
    return PP_OK;
}

pp_res pp_handle_open(const struct pp_handle_keys *keys, struct pp_span text, uint64_t now_posix_s,
                      struct pp_handle *ret)
{
    uint8_t bytes[PP_HANDLE_BYTES];
    uint8_t plain[PLAIN_BYTES];
    size_t len;
    struct pp_handle h;

    PP_CHECK(text.len == PP_HANDLE_TEXT_BYTES, PP_E_AUTH, text.len);
    PP_TRY_AS(PP_E_AUTH, pp_base64url_parse(text, 0, bytes, sizeof bytes, &len));
    PP_CHECK(len == sizeof bytes, PP_E_AUTH, len);
    PP_CHECK(bytes[0] == HANDLE_VERSION, PP_E_AUTH, bytes[0]);

    for (size_t i = 0; i < keys->count; i++) {
        if (keys->keys[i].id != bytes[1])
            continue;
        PP_TRY(open_with(keys->keys[i].aead, PP_BYTES(bytes), plain));
        PP_TRY_AS(PP_E_AUTH, plain_parse(plain, &h));
        PP_CHECK(now_posix_s < h.expiry_posix_s, PP_E_SESSION_GONE, 0);
        *ret = h;
        return PP_OK;
    }
    return PP_FAIL(PP_E_AUTH, bytes[1]);
}
