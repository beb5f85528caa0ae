/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "assertion.h"
#include "cred.h"
#include "ct.h"
#include "http_client.h"
#include "text.h"

enum { ASSERTION_SECONDS = 600, DAY_SECONDS = 86400 };

static pp_res vouch(struct pp_device *d, unsigned number, struct pp_wr *wr)
{
    char path[PP_DEVICE_PATH_MAX];
    uint8_t key[PP_ASSERTION_KEY_BYTES];
    struct pp_buf hex = { 0 };
    struct pp_assertion a = { .expiry_s = pp_clock_posix_s(&d->clock) + ASSERTION_SECONDS };

    a.account_len = (size_t)snprintf((char *)a.account, sizeof a.account, "person-%u", number);
    PP_TRY(pp_device_path(d, "device/assertion.key", path));
    PP_TRY(pp_file_read(AT_FDCWD, path, 2 * sizeof key, &hex));
    pp_res r = pp_hex_parse(pp_buf_span(&hex), key, sizeof key);
    pp_buf_done(&hex);
    PP_TRY(r);
    r = pp_assertion_write(&a, d->trust->issuer, PP_BYTES(key), wr);
    pp_wipe(key, sizeof key);
    return r;
}

static pp_res post(struct pp_device *d, unsigned number, struct pp_span request,
                   struct pp_http_result *ret)
{
    char url[PP_HTTP_URL_BYTES_MAX], assertion[PP_ASSERTION_FIELD_BYTES_MAX];
    struct pp_span to = d->trust->issuer_url;
    struct pp_wr wr = pp_wr_over(assertion, sizeof assertion);

    PP_CHECK(to.len < sizeof url, PP_E_RANGE, to.len);
    snprintf(url, sizeof url, "%.*s", (int)to.len, (const char *)to.at);
    PP_TRY(vouch(d, number, &wr));
    const struct pp_http_field fields[] = {
        { PP_STR("content-type"), pp_span_cstr(PP_CRED_MEDIA_BATCH_REQUEST) },
        { PP_STR("accept"), pp_span_cstr(PP_CRED_MEDIA_BATCH_RESPONSE) },
        { PP_STR("authorization"), pp_wr_done(&wr) },
    };
    const struct pp_http_call call = { .method = "POST",
                                       .url = url,
                                       .fields = fields,
                                       .field_count = PP_ARRAY_COUNT(fields),
                                       .body = request,
                                       .deadline_ms = PP_DEVICE_CALL_MS };
    PP_TRY(pp_http_call(NULL, &call, ret));
    if (ret->status == 200)
        return PP_OK;
    pp_http_result_done(ret);
    return PP_FAIL(PP_E_HTTP_STATUS, ret->status);
}

pp_res bench_fetch_batch(struct pp_device *d, unsigned number)
{
    PP_AUTO(pp_cred_issuance) x = { 0 };
    PP_AUTO(pp_secret) tokens = { 0 };
    uint8_t request[PP_CRED_REQUEST_BYTES_MAX], digest[PP_TOKEN_DIGEST_BYTES];
    struct pp_wr wr = pp_wr_over(request, sizeof request);
    uint64_t now = pp_clock_posix_s(&d->clock);
    uint32_t day = (uint32_t)(now / DAY_SECONDS);
    struct pp_http_result response = { 0 };
    const struct pp_key_epoch *epoch;
    struct pp_cred_public key;

    PP_TRY(pp_ledger_issuer_key(d->ledger, day, &epoch));
    PP_TRY(pp_cred_public_parse(pp_span(epoch->config, epoch->config_len), &key));
    PP_TRY(pp_token_epoch_digest(key.type, d->trust->issuer, d->trust->gateway_authority, day,
                                 digest));
    PP_TRY(pp_cred_issuance_begin(&x, PP_CRED_BATCH, &key, digest, PP_CRED_BATCH_MAX, &d->random));
    pp_cred_issuance_write(&x, &wr);
    PP_TRY(pp_wr_ok(&wr));
    PP_TRY(post(d, number, pp_wr_done(&wr), &response));
    pp_res r = pp_cred_issuance_finish(&x, pp_span(response.body, response.body_len), &tokens);
    pp_http_result_done(&response);
    PP_TRY(r);
    return pp_wallet_add(d->wallet, day, pp_secret_span(&tokens), now);
}
