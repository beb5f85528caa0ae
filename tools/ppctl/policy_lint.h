/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_lint.h: what is wrong with policy files, before anybody trusts them (transparency-log
 * A10, B1, B7).
 */
#ifndef PPCTL_POLICY_LINT_H
#define PPCTL_POLICY_LINT_H

#include "problem.h"
#include "quorum.h"

enum policy_lint_kind {
    POLICY_LINT_LOG,    /* log, witnesses: the first file is the clients', further ones monitors' */
    POLICY_LINT_OWNER,  /* who signs host-sets and keys */
    POLICY_LINT_REVIEW, /* who reviews */
    POLICY_LINT_KINDS,
};

extern const char *const POLICY_LINT_NAMES[POLICY_LINT_KINDS]; /* "log", "owner", "review" */

/* One file; the policy borrows the text. */
struct policy_lint {
    const char *path;
    enum policy_lint_kind kind;
    struct pp_span text;
    struct pp_policy policy;
    int is_read; /* 1: the grammar holds */
};

struct policy_finding {
    const struct policy_lint *file;
    uint32_t code;
    uint32_t line;             /* from 1; 0: the file as a whole */
    struct pp_problem problem; /* field, expected, got */
};

/* Who is told of each finding. */
struct policy_lint_sink {
    void (*tell)(void *ctx, const struct policy_finding *f);
    void *ctx;
};

/* What a file is: its name says owner or review, else the grammar that it keeps longer. */
enum policy_lint_kind policy_lint_guess(const char *path, struct pp_span text);

/* Reads f->text as f->kind, and judges it alone. `origin` empty: any. */
void policy_lint_one(struct policy_lint *f, struct pp_span origin,
                     const struct policy_lint_sink *sink);

/* Judges files that were read against each other. */
void policy_lint_all(const struct policy_lint *files, size_t count,
                     const struct policy_lint_sink *sink);

#endif
