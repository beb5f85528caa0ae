/* SPDX-License-Identifier: Apache-2.0 */
#include "key_config.h"

static pp_res refuse(struct pp_problem *problem, const char *key, const char *expected,
                     struct pp_span got)
{
    pp_problem_set(problem, key, expected, got);
    return PP_FAIL(PP_E_CONFIG, 0);
}

pp_res pp_log_key_config_check(const struct pp_log_key_config *c, struct pp_problem *problem)
{
    PP_TRY(pp_signer_config_check(&c->first, problem));
    if (c->second.key.len == 0 && c->second.key_name.len > 0)
        return refuse(problem, "second_key_name", "no such line: there is no second_key",
                      c->second.key_name);
    if (c->former.count > PP_LOG_FORMER_MAX)
        return refuse(problem, "former_key", "at most 4 lines", c->former.items[PP_LOG_FORMER_MAX]);
    return PP_OK;
}

static pp_res add_signer(struct pp_log_key_ring *k, const struct pp_signer_config *c,
                         struct pp_problem *problem)
{
    size_t i = k->keys.signer_count;

    PP_TRY(pp_signer_config_open(c, PP_NOTE_ED25519, problem, &k->files[i]));
    k->signers[i] = k->files[i].signer;
    k->keys.signer_count++;
    return PP_OK;
}

static pp_res add_former(struct pp_log_key_ring *k, struct pp_span vkey, struct pp_problem *problem)
{
    struct pp_note_key key;

    if (!pp_is_ok(pp_vkey_parse(vkey, &key)) || key.type != PP_NOTE_ED25519)
        return refuse(problem, "former_key", "the vkey of an Ed25519 key of this log", vkey);
    k->former[k->keys.former_count++] = key;
    return PP_OK;
}

static pp_res check_together(const struct pp_log_keys *k, struct pp_problem *problem)
{
    struct pp_note_key known[PP_LOG_KEYS_MAX];
    pp_res r = pp_log_keys_check(k);

    if (pp_is_ok(r))
        return PP_OK;
    (void)pp_log_keys_known(k, known);
    return refuse(problem, r.detail < k->signer_count ? "second_key" : "former_key",
                  r.code == PP_E_DUPLICATE ? "a key that no other line names"
                                           : "a key with the name of the first, the origin",
                  known[r.detail].name);
}

pp_res pp_log_key_ring_open(const struct pp_log_key_config *c, struct pp_problem *problem,
                            struct pp_log_key_ring *ret)
{
    ret->keys = (struct pp_log_keys){ .signers = ret->signers, .former = ret->former };
    PP_TRY(add_signer(ret, &c->first, problem));
    if (c->second.key.len > 0)
        PP_TRY(add_signer(ret, &c->second, problem));
    for (size_t i = 0; i < c->former.count; i++)
        PP_TRY(add_former(ret, c->former.items[i], problem));
    return check_together(&ret->keys, problem);
}

void pp_log_key_ring_done(struct pp_log_key_ring *k)
{
    for (size_t i = 0; i < PP_LOG_SIGNERS_MAX; i++)
        pp_signer_file_done(&k->files[i]);
    memset(k->signers, 0, sizeof k->signers); /* their seeds were the files' */
}
