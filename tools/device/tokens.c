/* SPDX-License-Identifier: Apache-2.0 */
/* Token batches: fetched at the drawn moments, under the keys that the ledger lists alone. */
#include "device_int.h"

#include <fcntl.h>

#include "assertion.h"
#include "cred.h"
#include "ct.h"
#include "text.h"

enum {
    ASSERTION_SECONDS = 600,
    LOGIN_BYTES_MAX = 4096, /* of a login service's token; what the issuer takes */
    CREDENTIAL_BYTES_MAX = 7 + LOGIN_BYTES_MAX,
};

size_t pp_device_wallet_keys(const struct pp_device *d,
                             struct pp_wallet_key ret[PP_WALLET_EPOCHS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < d->ledger->record_count; i++) {
        const struct pp_record *r = &d->ledger->records[i].record;
        struct pp_cred_public key;

        if (r->type != PP_RECORD_KEY_EPOCH || r->key_epoch.kind != PP_RECORD_ISSUER ||
            count == PP_WALLET_EPOCHS_MAX ||
            !pp_is_ok(
                pp_cred_public_parse(pp_span(r->key_epoch.config, r->key_epoch.config_len), &key)))
            continue;
        ret[count].day = (uint32_t)r->key_epoch.epoch;
        memcpy(ret[count].key_id, key.key_id, sizeof ret[count].key_id);
        count++;
    }
    return count;
}

static pp_res plan(struct pp_device *d, uint64_t now)
{
    struct pp_wallet_window windows[PP_WALLET_EPOCHS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < d->ledger->record_count && count < PP_WALLET_EPOCHS_MAX; i++) {
        const struct pp_record *r = &d->ledger->records[i].record;

        if (r->type == PP_RECORD_KEY_EPOCH && r->key_epoch.kind == PP_RECORD_ISSUER)
            windows[count++] =
                (struct pp_wallet_window){ .day = (uint32_t)r->key_epoch.epoch,
                                           .issue_from_s = r->key_epoch.issue_from,
                                           .issue_until_s = r->key_epoch.issue_until };
    }
    return pp_wallet_plan(d->wallet, windows, count, now);
}

/* The app's server vouches for the account. In development the device plays that server too, with
 * the key that it shares with the issuer. */
static pp_res make_assertion(struct pp_device *d, struct pp_wr *wr)
{
    char path[PP_DEVICE_PATH_MAX];
    struct pp_buf hex = { 0 };
    uint8_t key[PP_ASSERTION_KEY_BYTES];
    struct pp_assertion a = { .account_len = 4,
                              .account = "user",
                              .expiry_s = pp_clock_posix_s(&d->clock) + ASSERTION_SECONDS };

    PP_TRY(pp_device_path(d, "device/assertion.key", path));
    pp_res r = pp_file_read(AT_FDCWD, path, 2 * sizeof key, &hex);
    if (pp_is_ok(r))
        r = pp_hex_parse(pp_buf_span(&hex), key, sizeof key);
    pp_buf_done(&hex);
    if (!pp_is_ok(r))
        return device_refuse(d, r, "device", "assertion.key", "64 hex digits", PP_STR("none"));
    r = pp_assertion_write(&a, d->trust->issuer, PP_BYTES(key), wr);
    pp_wipe(key, sizeof key);
    return r;
}

/* The token that the app got from its login service, as it stands in a file that the app keeps. */
static pp_res write_login(struct pp_device *d, struct pp_span token, struct pp_wr *wr)
{
    if (token.len > 0 && token.at[token.len - 1] == '\n')
        token.len--;
    for (size_t i = 0; i < token.len; i++)
        if (token.at[i] <= ' ' || token.at[i] > '~')
            return device_refuse(d, PP_FAIL(PP_E_CONFIG, i), "device", "login.jwt",
                                 "one token, as the login service gave it", PP_STR("other bytes"));
    pp_wr_text(wr, "Bearer ");
    pp_wr_span(wr, token);
    return pp_wr_ok(wr);
}

/* How the issuer knows the account: by device/login.jwt if the app keeps one there. */
static pp_res make_credential(struct pp_device *d, struct pp_wr *wr)
{
    char path[PP_DEVICE_PATH_MAX];
    struct pp_buf token = { 0 };

    PP_TRY(pp_device_path(d, "device/login.jwt", path));
    pp_res r = pp_file_read_kept(AT_FDCWD, path, PP_FILE_PRIVATE, LOGIN_BYTES_MAX, &token);
    if (r.code == PP_E_NOT_FOUND)
        return make_assertion(d, wr);
    if (!pp_is_ok(r))
        return device_refuse(d, r, "device", "login.jwt", "a file of mode 0600, at most 4096 bytes",
                             pp_span_cstr(pp_file_reason(r)));
    r = write_login(d, pp_buf_span(&token), wr);
    pp_buf_done(&token);
    return r;
}

static pp_res post_batch(struct pp_device *d, struct pp_span request, struct pp_http_result *ret)
{
    char url[PP_HTTP_URL_BYTES_MAX], credential[CREDENTIAL_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(credential, sizeof credential);

    PP_TRY(device_text(d->trust->issuer_url, url, sizeof url));
    PP_TRY(make_credential(d, &wr));
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
    pp_res r = device_call(d, "issuer", &call, ret);
    pp_wipe(credential, sizeof credential);
    PP_TRY(r);
    if (ret->status != 200) {
        pp_problem_party(&d->problem, "issuer");
        pp_problem_numbers(&d->problem, "status", 200, ret->status);
        return PP_FAIL(PP_E_HTTP_STATUS, ret->status);
    }
    return PP_OK;
}

static pp_res issue(struct pp_device *d, const struct pp_wallet_fetch *f, uint64_t now)
{
    PP_AUTO(pp_cred_issuance) x = { 0 };
    PP_AUTO(pp_secret) tokens = { 0 };
    uint8_t request[PP_CRED_REQUEST_BYTES_MAX], digest[PP_TOKEN_DIGEST_BYTES];
    struct pp_wr wr = pp_wr_over(request, sizeof request);
    struct pp_http_result response = { 0 };
    const struct pp_key_epoch *epoch;
    struct pp_cred_public key;

    PP_TRY(pp_ledger_issuer_key(d->ledger, f->day, &epoch));
    PP_TRY(pp_cred_public_parse(pp_span(epoch->config, epoch->config_len), &key));
    PP_TRY(pp_token_epoch_digest(key.type, d->trust->issuer, d->trust->gateway_authority, f->day,
                                 digest));
    PP_TRY(pp_cred_issuance_begin(&x, PP_CRED_BATCH, &key, digest, PP_CRED_BATCH_MAX, &d->random));
    pp_cred_issuance_write(&x, &wr);
    PP_TRY(pp_wr_ok(&wr));

    pp_res r = post_batch(d, pp_wr_done(&wr), &response);
    if (pp_is_ok(r)) {
        pp_problem_party(&d->problem, "issuer");
        pp_problem_set(&d->problem, "batch proof", "one under the key that the ledger lists",
                       PP_STR("another"));
        r = pp_cred_issuance_finish(&x, pp_span(response.body, response.body_len), &tokens);
    }
    pp_http_result_done(&response);
    PP_TRY(r);
    pp_problem_set(&d->problem, "", "", PP_STR(""));
    return pp_wallet_add(d->wallet, f->day, pp_secret_span(&tokens), now);
}

/* A batch that could not be fetched is gone: trying again would let the issuer see when. */
pp_res device_refresh_tokens(struct pp_device *d)
{
    uint64_t now = pp_clock_posix_s(&d->clock);
    struct pp_wallet_fetch f;
    pp_res worst = PP_OK;

    pp_problem_party(&d->problem, "device/wallet");
    PP_TRY(plan(d, now));
    for (;;) {
        pp_res r = pp_wallet_next_fetch(d->wallet, now, &f);
        if (r.code == PP_E_NOT_FOUND || (pp_is_ok(r) && f.at_s > now))
            return worst;
        PP_TRY(r);
        r = pp_wallet_fetch_begin(d->wallet, &f);
        if (r.code == PP_E_STATE)
            continue; /* another process makes this one */
        PP_TRY(r);
        r = issue(d, &f, now);
        if (pp_code_class(r.code) == PP_CLASS_REFUSED)
            return r; /* an issuer that tries to mark people ends the day */
        if (!pp_is_ok(r))
            worst = r;
    }
}
