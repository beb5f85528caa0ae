/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.h: which ledger a command works on: its origin, the namespace and the environment of its
 * records, and whose signatures count there. The same options for every verb that has to know.
 *
 *     --trust DIR                     a folder laid out as STATE/trust (docs/operations.md); files
 *                                     `review.policy.before-N` in it say who reviewed the
 *                                     entries below N
 *     --origin O --namespace NS --environment prod|staging|dev
 *         [--log-policy FILE] [--owner-policy FILE] [--review-policy FILE]
 *                                     for those who make records before there is a trust file
 *
 * Without any of them: the anchors of this build, compiled in for release, STATE/trust in
 * development.
 */
#ifndef PPCTL_PLACE_H
#define PPCTL_PLACE_H

#include "former_reviews.h"
#include "ledger_keys.h"
#include "ppctl.h"
#include "record.h"
#include "trust.h"
#include "trust_folder.h"

/* The options as they were given; zero before ppctl_parse. */
struct ppctl_place_args {
    const char *trust, *origin, *name_space, *environment;
    const char *log_policy, *owner_policy, *review_policy;
};

/* Rows of a verb's table of options, which end up in `args`, a struct ppctl_place_args. */
#define PPCTL_PLACE_OPTIONS(args)                                                                  \
    { "--trust", "DIR", "trust, log.policy, owner.policy, review.policy", &(args).trust, NULL },   \
        { "--origin", "NAME", "of the log, where no trust folder is", &(args).origin, NULL },      \
        { "--namespace", "NAME", "of the records", &(args).name_space, NULL },                     \
        { "--environment", "E", "prod, staging or dev", &(args).environment, NULL },               \
        { "--log-policy", "FILE", "log, witnesses, quorum", &(args).log_policy, NULL },            \
        { "--owner-policy", "FILE", "who signs host-sets and keys", &(args).owner_policy, NULL },  \
    {                                                                                              \
        "--review-policy", "FILE", "who reviews", &(args).review_policy, NULL                      \
    }

/* What a verb cannot do without, beside origin, namespace and environment. */
enum ppctl_place_need {
    PPCTL_NEED_LOG = 1,
    PPCTL_NEED_OWNER = 2,
    PPCTL_NEED_REVIEW = 4,
    PPCTL_NEED_ALL = 7,
};

/* Large: on the heap. Not to be moved while it is used: spans and policies borrow from it. */
struct ppctl_place {
    struct pp_span origin, name_space;
    enum pp_record_env environment;
    struct pp_record_keys keys;   /* NULL for a policy that was not given and is not needed */
    const struct pp_trust *trust; /* NULL where single options said it all */

    /* What the above borrows from. */
    struct pp_trust anchors;
    struct pp_buf texts[PP_TRUST_FOLDER_FILES];
    struct pp_policy_file files[3];
    struct pp_former_reviews former;
};

/* 1 if any of the options was given: a verb to which the place is optional looks here. */
int ppctl_place_given(const struct ppctl_place_args *args);

/*
 * Finds the place; `ret` is zeroed storage. USAGE (options that exclude each other, a missing one),
 * CONFIG (a policy file, a folder of --trust without anchors), STATE_ABSENT, TRUST, ENVIRONMENT (a
 * trust folder of another environment than a release build takes); the words are in `problem`. Call
 * ppctl_place_done also after a failure.
 */
PP_MUST pp_res ppctl_place_open(const struct ppctl *p, const struct ppctl_place_args *args,
                                unsigned needs, struct pp_problem *problem,
                                struct ppctl_place *ret);
/*
 * Those who reviewed once, from `folder` or, with NULL, from where the anchors of this build come:
 * they are for readers of a log's history and no anchors of a device, so none are compiled in.
 * CONFIG, RANGE.
 */
PP_MUST pp_res ppctl_place_former(const struct ppctl *p, const char *folder,
                                  struct pp_problem *problem, struct pp_former_reviews *ret);

void ppctl_place_done(struct ppctl_place *place); /* zero state is fine */

#endif
