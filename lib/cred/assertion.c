/* SPDX-License-Identifier: Apache-2.0 */
#include "assertion.h"

#include "ct.h"
#include "hash.h"
#include "rd.h"
#include "text.h"

#define SCHEME "PP-Assertion "

enum { VERSION = 1 };

/* Details of AUTH. */
enum { WRONG_FORM = 1, WRONG_TAG = 2, EXPIRED = 3, TOO_LONG = 4 };

static pp_res check_lengths(struct pp_span issuer, struct pp_span key_secret)
{
    PP_CHECK(issuer.len >= 1 && issuer.len <= PP_ASSERTION_ISSUER_BYTES_MAX, PP_E_RANGE,
             issuer.len);
    PP_CHECK(key_secret.len == PP_ASSERTION_KEY_BYTES, PP_E_RANGE, key_secret.len);
    return PP_OK;
}

static void make_tag(struct pp_span issuer, struct pp_span key_secret, struct pp_span body,
                     uint8_t ret[PP_SHA256_BYTES])
{
    const uint8_t before[2] = { 0, (uint8_t)issuer.len };
    struct pp_hmac_key key;
    struct pp_hmac m;

    pp_hmac_key_init(&key, PP_SHA256, key_secret);
    pp_hmac_init(&m, &key);
    pp_hmac_update(&m, PP_STR("pp-assertion-v1"));
    pp_hmac_update(&m, PP_BYTES(before));
    pp_hmac_update(&m, issuer);
    pp_hmac_update(&m, body);
    pp_hmac_final(&m, ret);
    pp_hmac_key_done(&key);
}

pp_res pp_assertion_write(const struct pp_assertion *a, struct pp_span issuer,
                          struct pp_span key_secret, struct pp_wr *wr)
{
    uint8_t bytes[PP_ASSERTION_BYTES_MAX];
    uint8_t tag[PP_SHA256_BYTES];
    struct pp_wr body = pp_wr_over(bytes, sizeof bytes);

    PP_TRY(check_lengths(issuer, key_secret));
    PP_CHECK(a->account_len >= 1 && a->account_len <= sizeof a->account, PP_E_RANGE,
             a->account_len);
    pp_wr_u8(&body, VERSION);
    pp_wr_u8(&body, (uint8_t)a->account_len);
    pp_wr_bytes(&body, a->account, a->account_len);
    pp_wr_u64(&body, a->expiry_s);
    make_tag(issuer, key_secret, pp_wr_done(&body), tag);
    pp_wr_span(&body, PP_BYTES(tag));
    PP_TRY(pp_wr_ok(&body));
    pp_wr_text(wr, SCHEME);
    pp_wr_base64url(wr, pp_wr_done(&body), 0);
    return pp_wr_ok(wr);
}

/* The whole assertion of a field; `*ret_body` is the part that its tag covers. */
struct parsed {
    struct pp_assertion assertion;
    struct pp_span body; /* borrowed */
    uint8_t tag[PP_SHA256_BYTES];
};

static pp_res parse(struct pp_span bytes, struct parsed *ret)
{
    struct pp_rd rd = pp_rd_span(bytes);
    struct parsed p = { 0 };

    PP_CHECK(pp_rd_u8(&rd) == VERSION, PP_E_UNSUPPORTED, 0);
    struct pp_span account = pp_rd_bytes(&rd, pp_rd_u8(&rd));
    p.assertion.expiry_s = pp_rd_u64(&rd);
    p.body = pp_span(bytes.at, rd.offset);
    pp_rd_copy(&rd, p.tag, sizeof p.tag);
    PP_TRY(pp_rd_end(&rd));
    PP_CHECK(account.len >= 1 && account.len <= sizeof p.assertion.account, PP_E_RANGE,
             account.len);
    memcpy(p.assertion.account, account.at, account.len);
    p.assertion.account_len = account.len;
    *ret = p;
    return PP_OK;
}

static pp_res decode(struct pp_span field, uint8_t bytes[PP_ASSERTION_BYTES_MAX],
                     struct parsed *ret)
{
    struct pp_span scheme = PP_STR(SCHEME);
    struct pp_rd rd = pp_rd_span(field);
    size_t len = 0;

    PP_CHECK(pp_span_eq(pp_rd_bytes(&rd, scheme.len), scheme), PP_E_FORMAT, 0);
    PP_TRY(pp_base64url_parse(pp_rd_rest(&rd), 0, bytes, PP_ASSERTION_BYTES_MAX, &len));
    return parse(pp_span(bytes, len), ret);
}

pp_res pp_assertion_check(struct pp_span field, struct pp_span issuer,
                          const struct pp_span *key_secrets, size_t key_count, uint64_t now_s,
                          struct pp_assertion *ret)
{
    uint8_t bytes[PP_ASSERTION_BYTES_MAX];
    struct parsed p;
    uint32_t good = 0;

    PP_CHECK(pp_is_ok(decode(field, bytes, &p)), PP_E_AUTH, WRONG_FORM);
    for (size_t i = 0; i < key_count; i++) {
        uint8_t tag[PP_SHA256_BYTES];

        PP_TRY(check_lengths(issuer, key_secrets[i]));
        make_tag(issuer, key_secrets[i], p.body, tag);
        good |= pp_ct_eq(tag, p.tag, sizeof tag);
        pp_wipe(tag, sizeof tag);
    }
    PP_REVEAL(&good, sizeof good, "the verdict is what the caller acts on");
    PP_CHECK(good == 1, PP_E_AUTH, WRONG_TAG);
    PP_CHECK(p.assertion.expiry_s > now_s, PP_E_AUTH, EXPIRED);
    PP_CHECK(p.assertion.expiry_s - now_s <= PP_ASSERTION_LIFE_SECONDS_MAX, PP_E_AUTH, TOO_LONG);
    *ret = p.assertion;
    return PP_OK;
}
