/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issue.h: what the issuer answers (docs/protocol/tokens.md). No socket and no clock of its own; it
 * waits for the disk before it says yes, so it runs on a worker thread.
 */
#ifndef ISS_ISSUE_H
#define ISS_ISSUE_H

#include "accounts.h"
#include "env.h"
#include "token_keys.h"

enum {
    ISS_BODY_BYTES_MAX = 8192, /* larger than any request, so that a batch too large is 422 */
    ISS_DIRECTORY_BYTES_MAX = 64 + PP_TOKEN_KEYS_MAX * (96 + (PP_CRED_PK_BYTES_MAX + 2) / 3 * 4),
};

#define ISS_REQUEST_PATH   "/token-request"
#define ISS_DIRECTORY_PATH "/.well-known/private-token-issuer-directory"

struct iss_service {
    struct iss_accounts accounts;
    struct iss_counts *counts;        /* borrowed */
    const struct pp_token_keys *keys; /* borrowed */
    uint32_t batches_max;             /* an account and epoch */
    struct pp_random random;
};

struct iss_question {
    uint64_t now_s;
    enum pp_cred_form form;       /* by media type; 0 for one that is not ours */
    struct pp_span authorization; /* the field's value; empty without one */
    struct pp_span body;
};

struct iss_answer {
    uint32_t status;  /* 200, 401, 403, 415, 422, 429, 500, 503 */
    const char *type; /* of a 200 */
    uint8_t body[PP_CRED_RESPONSE_BYTES_MAX];
    size_t body_len;
    pp_res why; /* for counters; nothing of it is sent */
};

/*
 * Answers POST /token-request. In this order: media type (415), account (401, 403), form, epoch and
 * its issue window (422), batches left (429), elements (422), the count made durable (429, 503): a
 * batch that is not counted does not go out, and one that is malformed is not counted.
 */
void iss_answer(const struct iss_service *s, const struct iss_question *q, struct iss_answer *ret);

/* The issuer directory (RFC 9578 4): keys whose issue window is not over, the current one first. */
PP_MUST pp_res iss_directory_write(const struct pp_token_keys *keys, uint64_t now_s,
                                   struct pp_wr *wr);

#endif
