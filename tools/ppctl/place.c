/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include <stdio.h>
#include <stdlib.h>

#include "device.h"

enum { FOLDER_BYTES_MAX = 4096 };

static int is_single_given(const struct ppctl_place_args *a)
{
    return a->origin != NULL || a->name_space != NULL || a->environment != NULL ||
           a->log_policy != NULL || a->owner_policy != NULL || a->review_policy != NULL;
}

int ppctl_place_given(const struct ppctl_place_args *args)
{
    return args->trust != NULL || is_single_given(args);
}

static pp_res refuse(struct pp_problem *problem, pp_res r, const char *field, const char *expected,
                     const char *got)
{
    pp_problem_set(problem, field, expected, pp_span_cstr(got));
    return r;
}

/* --- from anchors --------------------------------------------------------------------------- */

/* The device's own files are not opened: its anchors alone are asked for. */
static pp_res default_files(const struct ppctl *p, struct pp_problem *problem,
                            struct ppctl_place *ret, struct pp_trust_files *ret_files)
{
    struct pp_device *d = calloc(1, sizeof *d);

    PP_CHECK(d != NULL, PP_E_NO_MEMORY, 0);
    d->lock_fd = -1;
    pp_res r = snprintf(d->state, sizeof d->state, "%s", p->state) < (int)sizeof d->state
                   ? PP_OK
                   : PP_FAIL(PP_E_RANGE, 0);
    if (pp_is_ok(r))
        r = pp_device_trust_files(d, ret_files);
    if (!pp_is_ok(r))
        *problem = d->problem;
    /* The texts move here: pp_device_close would free what the spans borrow from. */
    memcpy(ret->texts, d->trust_text, sizeof ret->texts);
    memset(d->trust_text, 0, sizeof d->trust_text);
    pp_device_close(d);
    free(d);
    return r;
}

pp_res ppctl_place_former(const struct ppctl *p, const char *folder, struct pp_problem *problem,
                          struct pp_former_reviews *ret)
{
    char path[FOLDER_BYTES_MAX];

    if (folder == NULL && PP_RELEASE)
        return PP_OK;
    int n = folder == NULL ? snprintf(path, sizeof path, "%s/trust", p->state)
                           : snprintf(path, sizeof path, "%s", folder);
    PP_CHECK(n > 0 && n < (int)sizeof path, PP_E_RANGE, n);
    return pp_former_reviews_read(path, problem, ret);
}

/* A folder that was named is to be corrected; no fleet is missing there. */
static pp_res named_files(const char *folder, struct pp_problem *problem, struct ppctl_place *ret,
                          struct pp_trust_files *ret_files)
{
    pp_res r = pp_trust_folder_read(folder, problem, ret->texts, ret_files);

    if (r.code != PP_E_STATE_ABSENT)
        return r;
    return refuse(problem, PP_FAIL(PP_E_CONFIG, r.detail), "--trust",
                  "a folder with trust, log.policy, owner.policy and review.policy", folder);
}

static pp_res open_anchors(const struct ppctl *p, const char *folder, struct pp_problem *problem,
                           struct ppctl_place *ret)
{
    struct pp_trust_files files;

    pp_problem_party(problem, "trust anchors");
    if (folder == NULL)
        PP_TRY(default_files(p, problem, ret, &files));
    else
        PP_TRY(named_files(folder, problem, ret, &files));
    pp_problem_party(problem, "trust anchors");
    PP_TRY(pp_trust_parse(&ret->anchors, &files, problem));
    ret->trust = &ret->anchors;
    ret->origin = ret->anchors.origin;
    ret->name_space = ret->anchors.name_space;
    ret->environment = ret->anchors.environment;
    ret->keys = (struct pp_record_keys){ .log = &ret->anchors.log,
                                         .owner = &ret->anchors.owner,
                                         .review = &ret->anchors.review };
    PP_TRY(ppctl_place_former(p, folder, problem, &ret->former));
    ret->keys.former = ret->former.list;
    ret->keys.former_count = ret->former.count;
    return PP_OK;
}

/* --- from single options -------------------------------------------------------------------- */

static pp_res open_names(const struct ppctl_place_args *a, struct pp_problem *problem,
                         struct ppctl_place *ret)
{
    const pp_res usage = PP_FAIL(PP_E_USAGE, 0);

    if (a->origin == NULL)
        return refuse(problem, usage, "--origin", "the origin of the log", "nothing");
    if (a->name_space == NULL)
        return refuse(problem, usage, "--namespace", "the namespace of the records", "nothing");
    if (a->environment == NULL)
        return refuse(problem, usage, "--environment", "prod, staging or dev", "nothing");
    ret->origin = pp_span_cstr(a->origin);
    ret->name_space = pp_span_cstr(a->name_space);
    if (!pp_is_ok(pp_note_name_check(ret->origin)))
        return refuse(problem, usage, "--origin", "a name without spaces and +", a->origin);
    if (!pp_is_ok(pp_record_env_parse(pp_span_cstr(a->environment), &ret->environment)))
        return refuse(problem, usage, "--environment", "prod, staging or dev", a->environment);
    return PP_OK;
}

static pp_res open_policy(const char *path, const char *option, enum pp_policy_kind kind,
                          int needed, struct pp_problem *problem, struct pp_policy_file *file,
                          const struct pp_policy **ret)
{
    if (path == NULL && needed)
        return refuse(problem, PP_FAIL(PP_E_USAGE, 0), option,
                      "a policy file (C2SP tlog-policy), or --trust", "nothing");
    if (path == NULL)
        return PP_OK;
    PP_TRY(pp_policy_file_load(path, kind, problem, file));
    *ret = &file->policy;
    return PP_OK;
}

static pp_res check_origin(const struct ppctl_place *place, const char *origin,
                           struct pp_problem *problem)
{
    const struct pp_policy *log = place->keys.log;

    if (log == NULL)
        return PP_OK;
    for (size_t i = 0; i < log->log_count; i++)
        if (pp_span_eq(log->log_keys[i].name, place->origin))
            return PP_OK;
    return refuse(problem, PP_FAIL(PP_E_USAGE, 0), "--origin", "a log that --log-policy lists",
                  origin);
}

static pp_res open_single(const struct ppctl_place_args *a, unsigned needs,
                          struct pp_problem *problem, struct ppctl_place *ret)
{
    PP_TRY(open_names(a, problem, ret));
    PP_TRY(open_policy(a->log_policy, "--log-policy", PP_POLICY_LOG, (needs & PPCTL_NEED_LOG) != 0,
                       problem, &ret->files[0], &ret->keys.log));
    PP_TRY(open_policy(a->owner_policy, "--owner-policy", PP_POLICY_REVIEW,
                       (needs & PPCTL_NEED_OWNER) != 0, problem, &ret->files[1], &ret->keys.owner));
    PP_TRY(open_policy(a->review_policy, "--review-policy", PP_POLICY_REVIEW,
                       (needs & PPCTL_NEED_REVIEW) != 0, problem, &ret->files[2],
                       &ret->keys.review));
    return check_origin(ret, a->origin, problem);
}

/* --- either --------------------------------------------------------------------------------- */

pp_res ppctl_place_open(const struct ppctl *p, const struct ppctl_place_args *args, unsigned needs,
                        struct pp_problem *problem, struct ppctl_place *ret)
{
    pp_problem_party(problem, "ppctl");
    if (!is_single_given(args))
        return open_anchors(p, args->trust, problem, ret);
    if (args->trust != NULL)
        return refuse(problem, PP_FAIL(PP_E_USAGE, 0), "--trust",
                      "either it, or the single options of a place", "both");
    return open_single(args, needs, problem, ret);
}

void ppctl_place_done(struct ppctl_place *place)
{
    pp_trust_done(&place->anchors);
    for (size_t i = 0; i < PP_ARRAY_COUNT(place->texts); i++)
        pp_buf_done(&place->texts[i]);
    for (size_t i = 0; i < PP_ARRAY_COUNT(place->files); i++)
        pp_policy_file_done(&place->files[i]);
    pp_former_reviews_done(&place->former);
}
