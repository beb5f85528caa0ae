/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failure.h: what a peer is told when an Oblivious HTTP exchange fails (RFC 9458, section 5): one
 * table, so that relay and gateway cannot answer one event in two ways.
 *
 * Answers in clear are not authenticated and depend on nothing secret. Every way in which a request
 * does not open has one answer, byte for byte: which key ids exist, and how far an attempt came, is
 * nobody's business. Inner answers travel sealed behind an outer 200 and are padded like any other.
 */
#ifndef PP_OHTTP_FAILURE_H
#define PP_OHTTP_FAILURE_H

#include "result.h"
#include "span.h"

#define PP_OHTTP_PROBLEM_TYPE "application/problem+json" /* RFC 9457 */

/* An event, and who decides on it: "rg" relay and gateway, "g" gateway, "r" relay. */
enum pp_ohttp_failure {
    PP_OHTTP_FAIL_METHOD = 0,  /* rg: another method than POST; lib/net adds `Allow` */
    PP_OHTTP_FAIL_TYPE,        /* rg: another content type than the resource takes */
    PP_OHTTP_FAIL_BODY,        /* rg: no body, too short, or of a size that no request has */
    PP_OHTTP_FAIL_BODY_LONG,   /* rg: more bytes than any request has */
    PP_OHTTP_FAIL_OPEN,        /* g: unknown key, other algorithms, or not authentic */
    PP_OHTTP_FAIL_REPLAY,      /* g: its encapsulated key was accepted before */
    PP_OHTTP_FAIL_MESSAGE,     /* g: opened, but no valid Binary HTTP or not of the profile */
    PP_OHTTP_FAIL_EXPECTATION, /* g: `expect: 100-continue` inside a request that is not chunked */
    PP_OHTTP_FAIL_TARGET,      /* g: a target that is not on the list */
    PP_OHTTP_FAIL_TARGET_DOWN, /* g: the target was not reached or broke off */
    PP_OHTTP_FAIL_TARGET_TIMEOUT,  /* g: the target gave no answer in time */
    PP_OHTTP_FAIL_GATEWAY_DOWN,    /* r: the gateway was not reached or broke off */
    PP_OHTTP_FAIL_GATEWAY_TIMEOUT, /* r: the gateway gave no answer in time */
    PP_OHTTP_FAIL_COUNT,
};

struct pp_ohttp_answer {
    uint16_t status;     /* outer when in clear, inner when sealed */
    uint8_t is_sealed;   /* 1: the status of an encapsulated response; the outer one is 200 */
    const char *type;    /* content type of `body`, or NULL */
    struct pp_span body; /* a constant; empty without type */
};

/* The answer to an event; total over the enum. Spans and texts are constants. */
struct pp_ohttp_answer pp_ohttp_answer_to(enum pp_ohttp_failure f);

/*
 * The event behind a failed pp_ohttp_request_open or a failed chunked receiver: lengths alone show
 * (TRUNCATED and RANGE are _BODY, LIMIT is _BODY_LONG); whatever else went wrong is _OPEN.
 */
enum pp_ohttp_failure pp_ohttp_failure_of(pp_res r);

#endif
