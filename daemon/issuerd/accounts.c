/* SPDX-License-Identifier: Apache-2.0 */
#include "accounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "file.h"
#include "hash.h"
#include "text.h"

enum { KEY_FILE_BYTES_MAX = 2 * PP_ASSERTION_KEY_BYTES + 2 };

static pp_res read_key(const char *path, struct pp_secret *ret)
{
    struct pp_buf content = { 0 };
    struct stat st;

    if (lstat(path, &st) != 0)
        return pp_errno_res(errno);
    PP_CHECK(S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)) == 0, PP_E_CONFIG,
             st.st_mode);
    PP_TRY(pp_file_read(AT_FDCWD, path, KEY_FILE_BYTES_MAX, &content));
    struct pp_span hex = pp_buf_span(&content);
    if (hex.len > 0 && hex.at[hex.len - 1] == '\n')
        hex.len--;
    pp_res r = pp_secret_alloc(ret, PP_ASSERTION_KEY_BYTES);
    if (pp_is_ok(r))
        r = pp_hex_parse(hex, ret->bytes, ret->len);
    pp_buf_done(&content);
    return r;
}

pp_res iss_assertions_add_key(struct iss_assertions *a, const char *path,
                              struct pp_problem *problem)
{
    PP_AUTO(pp_secret) key = { 0 };

    PP_CHECK(a->key_count < ISS_ASSERTION_KEYS_MAX, PP_E_LIMIT, a->key_count);
    pp_res r = read_key(path, &key);
    if (!pp_is_ok(r)) {
        pp_problem_set(problem, path, "a file of 64 hex digits, mode 0600",
                       pp_span_cstr(pp_file_reason(r)));
        if (r.code == PP_E_FORMAT || r.code == PP_E_RANGE || r.code == PP_E_LIMIT)
            r.code = PP_E_CONFIG;
        return r;
    }
    a->keys[a->key_count++] = key;
    key = (struct pp_secret){ 0 };
    return PP_OK;
}

void iss_assertions_done(struct iss_assertions *a)
{
    for (size_t i = 0; i < ISS_ASSERTION_KEYS_MAX; i++)
        pp_secret_done(&a->keys[i]);
    *a = (struct iss_assertions){ 0 };
}

static pp_res identify(void *ctx, struct pp_span authorization, uint64_t now_s,
                       struct iss_account *ret)
{
    const struct iss_assertions *a = ctx;
    struct pp_span keys[ISS_ASSERTION_KEYS_MAX];
    uint8_t digest[PP_SHA256_BYTES];
    struct pp_assertion assertion;

    for (size_t i = 0; i < a->key_count; i++)
        keys[i] = pp_secret_span(&a->keys[i]);
    PP_TRY(pp_assertion_check(authorization, a->issuer, keys, a->key_count, now_s, &assertion));
    pp_sha256(pp_span(assertion.account, assertion.account_len), digest);
    memcpy(ret->bytes, digest, ISS_ACCOUNT_BYTES);
    return PP_OK;
}

struct iss_accounts iss_accounts_of_assertions(struct iss_assertions *a)
{
    return (struct iss_accounts){ .identify = identify, .ctx = a, .challenge = "PP-Assertion" };
}

/* --- the tokens of a login service ------------------------------------------------------------ */

pp_res iss_logins_load(struct iss_logins *l, const char *path, struct pp_problem *problem)
{
    struct pp_buf content = { 0 };

    pp_res r = pp_file_read_kept(AT_FDCWD, path, PP_FILE_OURS, ISS_JWKS_BYTES_MAX, &content);
    if (pp_is_ok(r)) {
        r = iss_jwks_parse(pp_buf_span(&content), &l->keys);
        pp_buf_done(&content);
    }
    if (pp_is_ok(r))
        return PP_OK;
    pp_problem_set(problem, path, "a JWK set with ES256 keys, each with a kid of its own",
                   pp_span_cstr(pp_file_reason(r)));
    return r.code == PP_E_NOT_FOUND || r.code == PP_E_SYSTEM ? r : PP_FAIL(PP_E_CONFIG, r.code);
}

/*
 * A subject is the service's name for somebody, and another service may mean somebody else by it.
 * Neither holds a NUL: JSON with one is refused.
 */
static pp_res identify_login(void *ctx, struct pp_span authorization, uint64_t now_s,
                             struct iss_account *ret)
{
    const struct iss_logins *l = ctx;
    uint8_t digest[PP_SHA256_BYTES];
    struct iss_jwt_subject subject;
    struct pp_hash h;

    PP_TRY(iss_jwt_check(authorization, &l->rules, &l->keys, now_s, &subject));
    pp_hash_init(&h, PP_SHA256);
    pp_hash_update(&h, l->rules.issuer);
    pp_hash_u8(&h, 0);
    pp_hash_update(&h, pp_span(subject.bytes, subject.len));
    pp_hash_final(&h, digest);
    memcpy(ret->bytes, digest, ISS_ACCOUNT_BYTES);
    return PP_OK;
}

struct iss_accounts iss_accounts_of_logins(struct iss_logins *l)
{
    return (struct iss_accounts){ .identify = identify_login, .ctx = l, .challenge = "Bearer" };
}
