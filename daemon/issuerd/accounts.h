/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accounts.h: who asks for tokens. One small interface, so that an operator's own account system
 * can stand behind it; one implementation, the app's HMAC-signed assertion (lib/cred,
 * assertion.h).
 */
#ifndef ISS_ACCOUNTS_H
#define ISS_ACCOUNTS_H

#include "assertion.h"
#include "counts.h"
#include "secret.h"

struct iss_accounts {
    /*
     * Reads the value of the request's Authorization field (empty when there is none). AUTH: nobody
     * that we know (401). UNVERIFIED: a known account that gets no tokens (403).
     */
    pp_res (*identify)(void *ctx, struct pp_span authorization, uint64_t now_s,
                       struct iss_account *ret);
    void *ctx;
};

enum { ISS_ASSERTION_KEYS_MAX = 2 }; /* the current and the previous one */

struct iss_assertions {
    struct pp_span issuer; /* borrowed; the name that the app's server signs for */
    struct pp_secret keys[ISS_ASSERTION_KEYS_MAX];
    size_t key_count;
};

/* Takes a key file: 64 hex digits and at most one line end, mode 0600. CONFIG with the words in
 * `problem`, LIMIT (a third key), or as pp_file_read. */
PP_MUST pp_res iss_assertions_add_key(struct iss_assertions *a, const char *path,
                                      struct pp_problem *problem);
void iss_assertions_done(struct iss_assertions *a);

/* Borrows `a`. */
struct iss_accounts iss_accounts_of_assertions(struct iss_assertions *a);

#endif
