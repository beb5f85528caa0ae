/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builders.h: whether two builders made the same image: manifests (image.h), each signed by its
 * builder as a note, under a builder policy (quorum.h, the kind of reviewers' policies).
 *
 * A policy that one signature satisfies does not make one builder enough: two different keys of
 * the policy have to stand under the same bytes, and its quorum as well (W18). Allocates nothing.
 */
#ifndef PP_BUILDERS_H
#define PP_BUILDERS_H

#include "image.h"
#include "problem.h"
#include "quorum.h"

enum { PP_BUILDERS_NOTES_MAX = 16, PP_BUILDERS_MIN = 2 };

struct pp_builder_note {
    const char *name;     /* of the file, for people */
    struct pp_span bytes; /* of the note; an agreed one, with several signatures, is one too */
};

struct pp_agreed {
    struct pp_span text; /* of the manifest; borrows the first note */
    struct pp_release image;
    uint64_t builders; /* bit i: witness i of the policy has signed the text */
};

/*
 * Checks that all notes hold one text, and who signed it. LEDGER_SIGNER: a note without a signature
 * of the policy, or with a wrong one; RELEASE_BUILDERS: the texts differ (`problem` has the first
 * line in which they do, and who built which), or fewer than two builders, or no quorum; the codes
 * of pp_note_parse and pp_image_parse. `scratch` holds one note's lines.
 */
PP_MUST pp_res pp_builders_agree(const struct pp_builder_note *notes, size_t count,
                                 const struct pp_policy *builders, struct pp_note *scratch,
                                 struct pp_agreed *ret, struct pp_problem *problem);

/*
 * Writes one note of the agreed text with the signatures of all those notes, each builder's once:
 * what is published beside the image. The notes have passed pp_builders_agree.
 */
PP_MUST pp_res pp_builders_write(struct pp_wr *wr, const struct pp_builder_note *notes,
                                 size_t count, const struct pp_policy *builders,
                                 const struct pp_agreed *agreed, struct pp_note *scratch);

/* "alice, bob": the names of the policy's witnesses in `set`, cut to fit. */
void pp_policy_names(char *ret, size_t cap, const struct pp_policy *policy, uint64_t set);

#endif
