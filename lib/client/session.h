/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h: one private session of a device, from token to answer (pp-wire 3, 8 and 12).
 *
 *     open  -> body of exchange #1          (post it to the relay)
 *     opened(body of the answer)            TLS, Evidence, appraisal: verified, or the end
 *     send(verified, request) -> body of #2 (post it to the relay)
 *     answered(body of the answer)          the answer, or the end
 *
 * Bytes in, bytes out: no socket, no clock, no store. Order is enforced: `send` takes the result of
 * the appraisal, which nothing else can make. A session that failed stays failed; nothing is tried
 * again.
 */
#ifndef PP_SESSION_H
#define PP_SESSION_H

#include "answer.h"
#include "appraise.h"
#include "arena.h"
#include "check.h"
#include "env.h"
#include "ohttp.h"
#include "ratls.h"
#include "request.h"
#include "seal.h"
#include "sizes.h"

enum {
    PP_SESSION_ARENA_BYTES = 2 << 20, /* what one session takes from its arena, at most */
    PP_SESSION_HANDLE_BYTES_MAX = 98,
    PP_SESSION_DEADLINE_MS = 10000, /* for the answer to #1 (pp-wire 12) */
    PP_SESSION_ANSWER_MS = 70000,   /* for the answer to #2: 60 s of inference and the way */
};

/* Everything is borrowed and outlives the session. */
struct pp_session_env {
    const struct pp_trust *trust;
    const struct pp_ledger *ledger;
    const struct pp_marks *marks;
    struct pp_ratls_ctx *ratls; /* of the client end */
    const struct pp_random *random;
    struct pp_arena *arena;     /* locked: it holds the request and the answer */
    struct pp_checks *checks;   /* rows are added; NULL: nobody asked */
    struct pp_problem *problem; /* words of a refusal; NULL: nobody asked */
};

enum pp_session_state {
    PP_SESSION_NEW,
    PP_SESSION_OPENING,  /* #1 is out: the token is spent */
    PP_SESSION_VERIFIED, /* nothing of the user has left the device yet */
    PP_SESSION_SENT,     /* #2 is out */
    PP_SESSION_DONE,
    PP_SESSION_FAILED,
};

struct pp_session {
    struct pp_session_env env;
    enum pp_session_state state;
    struct pp_keylist keys;
    const struct pp_keyconf *key;
    struct pp_ohttp_suite suite;
    struct pp_ohttp exchange; /* the one under way */
    struct pp_ratls_client *tls;
    struct pp_verified verified;
    struct pp_seal seal;
    uint8_t handle[PP_SESSION_HANDLE_BYTES_MAX];
    size_t handle_len;
    enum pp_feature feature;
    struct pp_backends allowed; /* what the request said; borrows from `evidence` */
    size_t answer_kib;
    uint8_t evidence[PP_EVIDENCE_BODY_BYTES]; /* for the receipt */
    size_t evidence_len;
    struct pp_ratls_session binding; /* for the receipt */
    uint32_t sizes[2][2];            /* OHTTP body bytes of #1 and #2, up and down */
};

/*
 * Asks before a token is spent: does the request fit the largest bucket, with as many back-ends as
 * Evidence may name? TOO_LARGE with detail = how many of its latest messages would fit; NO_MEMORY;
 * RANGE for what is no request. Takes PP_REQUEST_BYTES_MAX from `arena`.
 */
PP_MUST pp_res pp_session_fits(const struct pp_trust *trust, const struct pp_request *request,
                               struct pp_arena *arena);

/* About 60 KiB in the caller's storage. NO_MEMORY, LEDGER_KEYS, OHTTP_KEY. */
PP_MUST pp_res pp_session_init(struct pp_session *s, const struct pp_session_env *env);
void pp_session_done(struct pp_session *s); /* wipes; zero state is fine */

/*
 * Exchange #1: the body to post as message/ohttp-req, PP_BUCKET_1_UP_BYTES, borrowed from the
 * arena. `token` is the whole token (cred.h), which counts as spent from now on.
 */
PP_MUST pp_res pp_session_open(struct pp_session *s, struct pp_span token,
                               struct pp_span *ret_body);

/*
 * Takes the answer's body, PP_BUCKET_1_DOWN_BYTES, opened in place; the caller's bytes are wiped of
 * meaning. On success the session is verified and `*ret` is the right to send, borrowed from `s`.
 * TOKEN_REFUSED (401), NO_CVM (503), HTTP_STATUS, AUTH (not from the gateway that holds the key),
 * FORMAT; and every refusal of ratls.h and appraise.h.
 */
PP_MUST pp_res pp_session_opened(struct pp_session *s, uint8_t *body, size_t len,
                                 const struct pp_verified **ret);

/*
 * Exchange #2: seals `request` to the worker's message key and gives the body to post. The session
 * fills the fields that follow from the ledger (back-ends, host-set). `verified` is what
 * pp_session_opened gave for this very session; UNVERIFIED for anything else. TOO_LARGE when the
 * request fits no bucket (pp_session_fits says so before).
 */
PP_MUST pp_res pp_session_send(struct pp_session *s, const struct pp_verified *verified,
                               struct pp_request *request, struct pp_span *ret_body);

/*
 * Takes the answer's body: exactly the bucket that was asked for, whatever happened. `*ret` borrows
 * from the arena. Keys and the right to send are gone afterwards, on success too. SESSION_GONE
 * (410), ANSWER_TRUNCATED, AUTH, HTTP_STATUS, FORMAT (also an answer that names a back-end which
 * the request did not allow); ANSWER_REFUSED and ANSWER_FAILED for the
 * worker's own outcomes, with `*ret` filled.
 */
PP_MUST pp_res pp_session_answered(struct pp_session *s, uint8_t *body, size_t len,
                                   struct pp_answer *ret);

#endif
