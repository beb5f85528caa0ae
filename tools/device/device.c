/* SPDX-License-Identifier: Apache-2.0 */
#include "device_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kv.h"
#include "sizes.h"

static const struct pp_kv_key SETTINGS[] = {
    { "consent", PP_KV_FLAG, offsetof(struct pp_device_settings, consent), 0, 0, 0,
      "yes or no: may private processing be used" },
    { "answer_kib", PP_KV_U64, offsetof(struct pp_device_settings, answer_kib), 0, 1, 16,
      "the answer's bucket in KiB: 1, 2, 4, 8 or 16" },
    { "words", PP_KV_U64, offsetof(struct pp_device_settings, words), 0, PP_WORDS_MIN, PP_WORDS_MAX,
      "words of a summary, 20 to 400" },
#if !PP_RELEASE
    { "grid_ms", PP_KV_U64, offsetof(struct pp_device_settings, grid_ms), 0, 0, PP_GRID_MS,
      "of a device in dev: the grid that exchange #2 leaves on, 0 to 250" },
#endif
};

pp_res device_refuse(struct pp_device *d, pp_res r, const char *party, const char *field,
                     const char *expected, struct pp_span got)
{
    pp_problem_party(&d->problem, party);
    pp_problem_set(&d->problem, field, expected, got);
    return r;
}

void device_show(struct pp_device *d)
{
    if (d->on_checks != NULL)
        d->on_checks(d->on_checks_ctx, &d->checks);
}

pp_res pp_device_path(const struct pp_device *d, const char *tail, char ret[PP_DEVICE_PATH_MAX])
{
    int n = snprintf(ret, PP_DEVICE_PATH_MAX, "%s/%s", d->state, tail);

    PP_CHECK(n > 0 && n < PP_DEVICE_PATH_MAX, PP_E_RANGE, n);
    return PP_OK;
}

pp_res device_text(struct pp_span s, char *ret, size_t cap)
{
    PP_CHECK(s.len < cap && (s.len == 0 || memchr(s.at, 0, s.len) == NULL), PP_E_RANGE, s.len);
    if (s.len > 0)
        memcpy(ret, s.at, s.len);
    ret[s.len] = '\0';
    return PP_OK;
}

/* Adds what nobody knows by heart: the keys, the line (in the detail, 0 for none) and the file. */
static pp_res name_settings(struct pp_device *d, pp_res r, const char *path)
{
    struct pp_problem q = d->problem;
    char expected[sizeof q.expected + 64], got[PP_DEVICE_PATH_MAX + 256];

    snprintf(expected, sizeof expected, "%s (keys: consent, answer_kib, words)", q.expected);
    if (r.detail == 0)
        snprintf(got, sizeof got, "%s, in %s", q.got, path);
    else
        snprintf(got, sizeof got, "%s, in line %u of %s", q.got, r.detail, path);
    pp_problem_set(&d->problem, q.field, expected, pp_span_cstr(got));
    return r;
}

static pp_res read_settings(struct pp_device *d)
{
    char path[PP_DEVICE_PATH_MAX];

    d->settings = (struct pp_device_settings){ .answer_kib = 8, .words = 130 };
    PP_TRY(pp_device_path(d, "device/settings", path));
    pp_res r = pp_file_read(AT_FDCWD, path, PP_KV_BYTES_MAX, &d->settings_text);
    if (r.code == PP_E_NOT_FOUND)
        return PP_OK; /* nothing was ever allowed */
    pp_problem_party(&d->problem, "device/settings");
    if (!pp_is_ok(r)) {
        pp_problem_set(&d->problem, "(file)", "a readable file", pp_span_cstr(pp_file_reason(r)));
        return name_settings(d, PP_FAIL(PP_E_CONFIG, 0), path);
    }
    r = pp_kv_read(pp_buf_span(&d->settings_text), SETTINGS, PP_ARRAY_COUNT(SETTINGS), &d->settings,
                   &d->problem);
    if (pp_is_ok(r) && !pp_bucket_down_ok(d->settings.answer_kib)) {
        pp_problem_set(&d->problem, "answer_kib", "1, 2, 4, 8 or 16", PP_STR("another number"));
        r = PP_FAIL(PP_E_CONFIG, 0);
    }
    return pp_is_ok(r) ? PP_OK : name_settings(d, r, path);
}

static pp_res read_trust(struct pp_device *d)
{
    struct pp_trust_files files;

    PP_TRY(pp_device_trust_files(d, &files));
    pp_problem_party(&d->problem, "trust anchors");
    return pp_trust_parse(d->trust, &files, &d->problem);
}

static pp_res read_marks(struct pp_device *d)
{
    char path[PP_DEVICE_PATH_MAX];
    struct pp_buf b = { 0 };

    PP_TRY(pp_device_path(d, "device/marks", path));
    pp_res r = pp_file_read(AT_FDCWD, path, PP_MARKS_BYTES_MAX, &b);
    if (r.code == PP_E_NOT_FOUND)
        return PP_OK; /* the first time */
    if (pp_is_ok(r))
        r = pp_marks_parse(pp_buf_span(&b), d->marks);
    pp_buf_done(&b);
    if (!pp_is_ok(r)) /* never start again from nothing: that is what a roll-back wants */
        return device_refuse(d, PP_FAIL(PP_E_MARKS, r.detail), "device", "marks",
                             "readable high-water marks", pp_span_cstr(path));
    return PP_OK;
}

static pp_res open_wallet(struct pp_device *d)
{
    char path[PP_DEVICE_PATH_MAX], key_path[PP_DEVICE_PATH_MAX];
    struct pp_platform_key_file file = { .path = key_path, .random = d->random };
    struct pp_platform_key key = pp_platform_key_of_file(&file); /* loaded by the opening alone */
    struct pp_wallet_policy policy;

    PP_TRY(pp_device_path(d, "device/wallet", path));
    PP_TRY(pp_device_path(d, "device/platform.key", key_path));
    PP_TRY(
        pp_wallet_policy_init(&policy, d->trust->environment == PP_RECORD_DEV, d->trust->batches));
    pp_problem_party(&d->problem, "device/wallet");
    return pp_wallet_open(path, &key, &policy, &d->random, &d->problem, &d->wallet);
}

/* One process at a time changes marks and bundle. */
static pp_res lock(struct pp_device *d)
{
    char path[PP_DEVICE_PATH_MAX];

    PP_TRY(pp_device_path(d, "device", path));
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return device_refuse(d, PP_FAIL(PP_E_STATE_ABSENT, errno), "device", path,
                             "a folder that can be written", pp_span_cstr(strerror(errno)));
    PP_TRY(pp_device_path(d, "device/receipts", path));
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return pp_errno_res(errno);
    PP_TRY(pp_device_path(d, "device/lock", path));
    d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (d->lock_fd < 0)
        return pp_errno_res(errno);
    while (flock(d->lock_fd, LOCK_EX) != 0)
        PP_CHECK(errno == EINTR, PP_E_SYSTEM, errno);
    return PP_OK;
}

pp_res pp_device_open(struct pp_device *d, const char *state, const struct pp_clock *clock,
                      const struct pp_random *random)
{
    *d = (struct pp_device){ .clock = *clock, .random = *random, .lock_fd = -1 };
    PP_CHECK(snprintf(d->state, sizeof d->state, "%s", state) < (int)sizeof d->state, PP_E_USAGE,
             0);
    d->trust = calloc(1, sizeof *d->trust);
    d->kept = calloc(1, sizeof *d->kept);
    d->marks = calloc(1, sizeof *d->marks);
    d->ledger = calloc(1, sizeof *d->ledger);
    PP_CHECK(d->trust != NULL && d->kept != NULL && d->marks != NULL && d->ledger != NULL,
             PP_E_NO_MEMORY, 0);
    PP_TRY(read_trust(d));
    pp_trust_keep(d->trust, d->kept);
    PP_TRY(lock(d));
    PP_TRY(read_settings(d));
    PP_TRY(read_marks(d));
    PP_TRY(open_wallet(d));
    PP_TRY(pp_arena_new_locked(&d->ledger_arena, PP_LEDGER_ARENA_BYTES));
    return pp_ratls_ctx_new(PP_END_CLIENT, &d->ratls);
}

void pp_device_close(struct pp_device *d)
{
    pp_wallet_close(d->wallet);
    pp_ratls_ctx_free(d->ratls);
    pp_arena_done(&d->ledger_arena);
    if (d->trust != NULL)
        pp_trust_done(d->trust);
    free(d->trust);
    free(d->kept);
    free(d->marks);
    free(d->ledger);
    pp_buf_done(&d->bundle);
    pp_buf_done(&d->settings_text);
    for (size_t i = 0; i < PP_ARRAY_COUNT(d->trust_text); i++)
        pp_buf_done(&d->trust_text[i]);
    if (d->lock_fd >= 0)
        (void)close(d->lock_fd);
    *d = (struct pp_device){ .lock_fd = -1 };
}

pp_res device_may_send(struct pp_device *d, const struct pp_chat *chat)
{
    if (!d->settings.consent)
        return device_refuse(d, PP_FAIL(PP_E_CONSENT, 0), "device/settings", "consent", "yes",
                             PP_STR("no"));
    if (chat->closed)
        return device_refuse(d, PP_FAIL(PP_E_CHAT_CLOSED, 0), "chat", "closed_to_ai", "false",
                             PP_STR("true"));
    return PP_OK;
}

pp_res pp_device_allow(struct pp_device *d, const struct pp_chat *chat)
{
    d->checks.count = 0;
    PP_TRY(device_may_send(d, chat));
    pp_check_add_number(&d->checks, PP_STEP_CONSENT, PP_E_CONSENT, PP_VERDICT_ASSERTED,
                        "the user consented, the chat is open, names stay on this device",
                        PP_STR("device settings"), chat->message_count, "messages selected");
    device_show(d);
    return PP_OK;
}

pp_res pp_device_tick(struct pp_device *d, pp_res *ret_tokens)
{
    pp_res fetched = device_fetch_directory(d);

    PP_TRY(device_verify_directory(d, fetched));
    *ret_tokens = device_refresh_tokens(d);
    return PP_OK;
}

pp_res pp_device_ready(struct pp_device *d)
{
    return device_verify_directory(d, PP_OK);
}

int pp_device_ticks_on_use(const struct pp_device *d)
{
    return d->trust->environment == PP_RECORD_DEV;
}

/* Which of two relays or mirrors it was, and whether it is the one that the anchors vouch for. */
static pp_res tell_no_answer(struct pp_device *d, pp_res r, const char *party, const char *url)
{
    int is_https = strncmp(url, "https://", 8) == 0;
    char got[sizeof d->problem.got];

    if (r.code == PP_E_UNVERIFIED)
        return device_refuse(d, r, party, "certificate",
                             "one in force for this name, under the anchors of ca.pem",
                             pp_span_cstr(url));
    (void)snprintf(got, sizeof got, "none from %s", url);
    return device_refuse(d, r, party, "connection",
                         is_https ? "an answer, over TLS 1.3" : "an answer", pp_span_cstr(got));
}

pp_res device_call(struct pp_device *d, const char *party, const struct pp_http_call *call,
                   struct pp_http_result *ret)
{
    const struct pp_http_client_config config = { .response_bytes_max = PP_BUNDLE_BYTES_MAX,
                                                  .ca_pem = d->trust->ca_pem };
    pp_res r = pp_http_call(&config, call, ret);

    return pp_is_ok(r) ? PP_OK : tell_no_answer(d, r, party, call->url);
}
