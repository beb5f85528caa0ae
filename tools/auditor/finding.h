/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finding.h: what is wrong with a log, as whoever reads all of it reports it: a code of codes.h and
 * who, which field, what was expected, what was found. What to do is the code's text.
 */
#ifndef PP_FINDING_H
#define PP_FINDING_H

#include "problem.h"
#include "result.h"

struct pp_finding {
    uint32_t code;           /* enum pp_code */
    struct pp_problem words; /* party: "log", "witness NAME", a mirror's URL, "record ID" */
};

/* Where findings go. A failure ends the reading; OK goes on with what can still be checked. */
struct pp_finding_sink {
    pp_res (*found)(void *ctx, const struct pp_finding *f);
    void *ctx;
};

#endif
