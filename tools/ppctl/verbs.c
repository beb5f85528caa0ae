/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs; each verb has a file of its own. */
#include "verbs.h"

const struct ppctl_verb PPCTL_VERBS[] = {
    { "vectors", "TOPIC PATH", "runs test vectors of a topic: a file or a folder", verb_vectors },
    { 0 },
};
