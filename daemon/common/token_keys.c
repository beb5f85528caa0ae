/* SPDX-License-Identifier: Apache-2.0 */
#include "token_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "ct.h"
#include "file.h"
#include "key_folder.h"
#include "kv.h"
#include "text.h"
#include "wallet_rules.h"

#define SUFFIX   ".key"
#define EXPECTED "a token key file, as docs/protocol/tokens.md has it"

struct text {
    uint64_t epoch, type, issue_from, issue_until;
    struct pp_span secret; /* hex; borrowed */
};

static const struct pp_kv_key KEYS[] = {
    { "epoch", PP_KV_U64, offsetof(struct text, epoch), 1, 0, UINT32_MAX, "a UTC day number" },
    { "type", PP_KV_U64, offsetof(struct text, type), 1, 0, UINT16_MAX, "a token type" },
    { "issue_from", PP_KV_U64, offsetof(struct text, issue_from), 1, 0, 0, "POSIX seconds" },
    { "issue_until", PP_KV_U64, offsetof(struct text, issue_until), 1, 0, 0, "POSIX seconds" },
    { "secret", PP_KV_TEXT, offsetof(struct text, secret), 1, 2, 2 * PP_TOKEN_SECRET_BYTES_MAX,
      "hex digits" },
};

void pp_token_key_done(struct pp_token_key *k)
{
    pp_cred_key_done(&k->key);
    *k = (struct pp_token_key){ 0 };
}

void pp_token_keys_done(struct pp_token_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        pp_token_key_done(&keys->list[i]);
    keys->count = 0;
}

/* What the secret is depends on the type: a seed, or the private key itself. */
static pp_res make_key(const struct text *t, struct pp_cred_key *ret)
{
    const uint16_t type = (uint16_t)t->type;
    PP_AUTO(pp_secret) secret = { 0 };

    PP_TRY(pp_secret_alloc(&secret, t->secret.len / 2));
    PP_TRY_AS(PP_E_CONFIG, pp_hex_parse(t->secret, secret.bytes, secret.len));
    PP_TRY_AS(PP_E_CONFIG, type == PP_TOKEN_BLIND_RSA
                               ? pp_cred_key_import(type, pp_secret_span(&secret), ret)
                               : pp_cred_key_derive(type, pp_secret_span(&secret), ret));
    return PP_OK;
}

static pp_res parse(struct pp_span text, struct pp_token_key *ret)
{
    struct text t = { 0 };
    struct pp_token_key k = { 0 };

    /* Its own words would quote the line that is wrong, and that line may be the secret's. */
    PP_TRY(pp_kv_read(text, KEYS, PP_ARRAY_COUNT(KEYS), &t, NULL));
    PP_CHECK(t.issue_from < t.issue_until, PP_E_CONFIG, 0);
    PP_TRY(make_key(&t, &k.key));
    k.day = (uint32_t)t.epoch;
    k.issue_from_s = t.issue_from;
    k.issue_until_s = t.issue_until;
    *ret = k;
    return PP_OK;
}

pp_res pp_token_key_parse(struct pp_span text, struct pp_problem *problem, struct pp_token_key *ret)
{
    pp_res r = parse(text, ret);

    if (!pp_is_ok(r))
        pp_problem_set(problem, "(token key)", EXPECTED, PP_STR("another content"));
    return r;
}

pp_res pp_token_key_write(uint32_t day, uint16_t type, uint64_t issue_from_s,
                          uint64_t issue_until_s, struct pp_span secret, struct pp_wr *wr)
{
    PP_CHECK(secret.len >= 1 && secret.len <= PP_TOKEN_SECRET_BYTES_MAX, PP_E_RANGE, secret.len);
    pp_wr_text(wr, "epoch = ");
    pp_wr_decimal(wr, day);
    pp_wr_text(wr, "\ntype = ");
    pp_wr_decimal(wr, type);
    pp_wr_text(wr, "\nissue_from = ");
    pp_wr_decimal(wr, issue_from_s);
    pp_wr_text(wr, "\nissue_until = ");
    pp_wr_decimal(wr, issue_until_s);
    pp_wr_text(wr, "\nsecret = ");
    pp_wr_hex(wr, secret);
    pp_wr_text(wr, "\n");
    return pp_wr_ok(wr);
}

/* --- the folder ------------------------------------------------------------------------------ */

static pp_res read_key(int folder_fd, const char *name, struct pp_token_key *ret)
{
    struct pp_buf text = { 0 };

    PP_TRY(pp_file_read_kept(folder_fd, name, PP_FILE_PRIVATE, PP_TOKEN_KEY_FILE_BYTES_MAX, &text));
    pp_res r = parse(pp_buf_span(&text), ret);
    pp_buf_done(&text);
    return r;
}

/* Keeps the list by day. Takes `*k` when it returns OK. */
static pp_res insert(struct pp_token_keys *keys, const struct pp_token_key *k)
{
    size_t at = 0;

    PP_CHECK(keys->count < PP_TOKEN_KEYS_MAX, PP_E_CONFIG, keys->count);
    for (size_t i = 0; i < keys->count; i++) {
        const struct pp_cred_public *other = &keys->list[i].key.pub;
        PP_CHECK(keys->list[i].day != k->day || other->type != k->key.pub.type, PP_E_CONFIG,
                 k->day);
        PP_CHECK(other->type != k->key.pub.type || other->key_id[PP_TOKEN_KEY_ID_BYTES - 1] !=
                                                       k->key.pub.key_id[PP_TOKEN_KEY_ID_BYTES - 1],
                 PP_E_CONFIG, k->day);
        at += keys->list[i].day < k->day;
    }
    for (size_t i = keys->count++; i > at; i--)
        keys->list[i] = keys->list[i - 1];
    keys->list[at] = *k;
    return PP_OK;
}

static pp_res load_file(int folder_fd, const char *name, uint64_t now_s, struct pp_token_keys *keys)
{
    struct pp_token_key k = { 0 };

    PP_TRY(read_key(folder_fd, name, &k));
    if (pp_wallet_epoch_is_dead(k.day, now_s)) {
        pp_token_key_done(&k);
        return PP_OK;
    }
    pp_res r = insert(keys, &k);
    if (!pp_is_ok(r))
        pp_token_key_done(&k);
    return r;
}

static int is_key_file(const struct dirent *entry)
{
    struct pp_span name = pp_span_cstr(entry->d_name);
    struct pp_span suffix = PP_STR(SUFFIX);

    return name.len > suffix.len &&
           pp_span_eq(pp_span(name.at + name.len - suffix.len, suffix.len), suffix);
}

static pp_res load_all(const char *folder, uint64_t now_s, struct pp_problem *problem,
                       struct pp_token_keys *keys)
{
    struct dirent **names = NULL;
    pp_res r = PP_OK;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int count = fd < 0 ? -1 : scandir(folder, &names, is_key_file, alphasort);

    if (count < 0) {
        r = pp_errno_res(errno);
        pp_problem_set(problem, folder, "a folder of token keys", pp_span_cstr(pp_file_reason(r)));
    }
    for (int i = 0; i < count; i++) {
        if (pp_is_ok(r)) {
            r = load_file(fd, names[i]->d_name, now_s, keys);
            if (!pp_is_ok(r))
                pp_problem_set(problem, names[i]->d_name,
                               EXPECTED ", mode 0600, one an epoch, no two truncated ids equal",
                               pp_span_cstr(pp_file_reason(r)));
        }
        free(names[i]);
    }
    free(names);
    if (fd >= 0)
        (void)close(fd);
    return r;
}

pp_res pp_token_keys_load(const char *folder, uint64_t now_s, struct pp_problem *problem,
                          struct pp_token_keys *ret)
{
    struct pp_token_keys keys = { 0 };
    pp_res r = load_all(folder, now_s, problem, &keys);

    if (!pp_is_ok(r)) {
        pp_token_keys_done(&keys);
        return r;
    }
    *ret = keys;
    return PP_OK;
}

/* --- destroying ------------------------------------------------------------------------------ */

static int is_over(int folder_fd, const char *name, uint64_t now_s)
{
    struct pp_token_key k = { 0 };

    if (!pp_is_ok(read_key(folder_fd, name, &k)))
        return 0;
    int over = pp_wallet_epoch_is_dead(k.day, now_s) && now_s >= k.issue_until_s;
    pp_token_key_done(&k);
    return over;
}

pp_res pp_token_keys_destroy(const char *folder, uint64_t now_s, size_t *ret_count)
{
    return pp_key_folder_sweep(folder, is_key_file, is_over, now_s, ret_count);
}
