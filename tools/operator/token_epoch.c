/* SPDX-License-Identifier: Apache-2.0 */
#include "token_epoch.h"

#include <fcntl.h>
#include <stdio.h>

#include "ct.h"
#include "file.h"
#include "token_chain.h"
#include "token_keys.h"

enum { PATH_BYTES_MAX = 4096 };

static pp_res refuse(struct pp_problem *problem, pp_res r, const char *field, const char *expected,
                     const char *got)
{
    pp_problem_set(problem, field, expected, pp_span_cstr(got));
    return r;
}

static pp_res path_of(const struct pp_token_epoch *e, char ret[PATH_BYTES_MAX])
{
    PP_CHECK(snprintf(ret, PATH_BYTES_MAX, "%s/%u.key", e->folder, e->day) < PATH_BYTES_MAX,
             PP_E_RANGE, 0);
    return PP_OK;
}

/* The `issue` line of the day's record (record.h). */
static void issue_of(const struct pp_token_epoch *e, uint64_t *ret_from, uint64_t *ret_until)
{
    const uint64_t begins = (uint64_t)e->day * PP_DAY_S;

    *ret_from = begins - PP_KEY_ISSUE_BEFORE_S;
    *ret_until = begins + (e->environment == PP_RECORD_DEV ? PP_DAY_S : PP_KEY_ISSUE_AFTER_S);
}

/* --- the chain ------------------------------------------------------------------------------ */

static pp_res read_chain(const char *path, uint32_t today, const struct pp_random *random,
                         struct pp_problem *problem, struct pp_token_chain *ret)
{
    struct pp_buf text = { 0 };

    pp_res r = pp_file_read_kept(AT_FDCWD, path, PP_FILE_PRIVATE, PP_TOKEN_CHAIN_FILE_BYTES_MAX,
                                 &text);
    if (r.code == PP_E_NOT_FOUND)
        return pp_token_chain_new(today, random, ret);
    if (!pp_is_ok(r))
        return refuse(problem, PP_FAIL(PP_E_CONFIG, r.detail), path, "a token chain, mode 0600",
                      pp_file_reason(r));
    r = pp_token_chain_parse(pp_buf_span(&text), problem, ret);
    pp_buf_done(&text);
    return r;
}

static pp_res write_chain(const char *path, const struct pp_token_chain *c)
{
    char text[PP_TOKEN_CHAIN_FILE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    pp_res r = pp_token_chain_write(c, &wr);
    if (pp_is_ok(r))
        r = pp_file_write(AT_FDCWD, path, 0600, pp_wr_done(&wr));
    pp_wipe(text, sizeof text);
    return r;
}

/* The chain as it stands today, durably: a key from it is worth no more than the chain is. */
static pp_res open_chain(const char *path, uint64_t now_s, const struct pp_random *random,
                         struct pp_problem *problem, struct pp_token_chain *ret)
{
    const uint32_t today = (uint32_t)(now_s / PP_DAY_S);

    PP_TRY(read_chain(path, today, random, problem, ret));
    if (today > ret->day && !pp_is_ok(pp_token_chain_advance(ret, today)))
        return refuse(problem, PP_FAIL(PP_E_CONFIG, 0), path,
                      "a chain that was moved on within 400 days; else begin another file",
                      "an older one");
    return write_chain(path, ret);
}

/* --- the key -------------------------------------------------------------------------------- */

static pp_res write_key(const struct pp_token_epoch *e, const char *path,
                        const struct pp_token_chain *c)
{
    PP_AUTO(pp_secret) seed = { 0 };
    char text[PP_TOKEN_KEY_FILE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    uint64_t from, until;

    issue_of(e, &from, &until);
    PP_TRY(pp_token_chain_seed(c, e->day, &seed));
    pp_res r = pp_token_key_write(e->day, PP_TOKEN_VOPRF_RISTRETTO255, from, until,
                                  pp_secret_span(&seed), &wr);
    if (pp_is_ok(r))
        r = pp_file_create(AT_FDCWD, path, 0600, pp_wr_done(&wr));
    pp_wipe(text, sizeof text);
    return r;
}

pp_res pp_token_epoch_make(const struct pp_token_epoch *e, const char *chain, uint64_t now_s,
                           const struct pp_random *random, struct pp_problem *problem,
                           int *ret_made)
{
    PP_AUTO(pp_token_chain) c = { 0 };
    struct pp_buf there = { 0 };
    char path[PATH_BYTES_MAX];

    PP_TRY(path_of(e, path));
    pp_res r = pp_file_read(AT_FDCWD, path, PP_TOKEN_KEY_FILE_BYTES_MAX, &there);
    pp_buf_done(&there);
    if (r.code != PP_E_NOT_FOUND) {
        *ret_made = 0;
        return PP_OK; /* whatever it is: reading it is what tells */
    }
    if (chain == NULL)
        return refuse(problem, PP_FAIL(PP_E_MISSING, e->day), path,
                      "the key of this epoch, or --chain, from which it is made", "no such file");
    PP_TRY(open_chain(chain, now_s, random, problem, &c));
    r = write_key(e, path, &c);
    if (!pp_is_ok(r))
        return refuse(problem, r.code == PP_E_NOT_FOUND ? PP_FAIL(PP_E_CONFIG, r.detail) : r, path,
                      "a file that can be written, of a day of the chain", pp_file_reason(r));
    *ret_made = 1;
    return PP_OK;
}

pp_res pp_token_epoch_config(const struct pp_token_epoch *e, struct pp_problem *problem,
                             struct pp_wr *wr)
{
    PP_AUTO(pp_token_key) key = { 0 };
    struct pp_buf text = { 0 };
    char path[PATH_BYTES_MAX];
    uint64_t from, until;

    PP_TRY(path_of(e, path));
    issue_of(e, &from, &until);
    pp_res r = pp_file_read_kept(AT_FDCWD, path, PP_FILE_PRIVATE, PP_TOKEN_KEY_FILE_BYTES_MAX,
                                 &text);
    if (!pp_is_ok(r))
        return refuse(problem, PP_FAIL(PP_E_CONFIG, r.detail), path, "a token key file, mode 0600",
                      pp_file_reason(r));
    r = pp_token_key_parse(pp_buf_span(&text), problem, &key);
    pp_buf_done(&text);
    PP_TRY(r);
    if (key.day != e->day)
        return refuse(problem, PP_FAIL(PP_E_CONFIG, key.day), path, "a key of the day of its name",
                      "one of another day");
    if (key.issue_from_s != from || key.issue_until_s != until)
        return refuse(problem, PP_FAIL(PP_E_CONFIG, key.day), path,
                      "the time of issue that records of this environment have", "another one");
    pp_cred_public_write(&key.key.pub, wr);
    return pp_wr_ok(wr);
}
