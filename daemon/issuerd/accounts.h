/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accounts.h: who asks for tokens. One small interface, so that an operator's own account system
 * can stand behind it, and two implementations: the app's HMAC-signed assertion (lib/cred,
 * assertion.h), and the JWT of the app's own login service (jwt.h).
 */
#ifndef ISS_ACCOUNTS_H
#define ISS_ACCOUNTS_H

#include "assertion.h"
#include "counts.h"
#include "jwt.h"
#include "secret.h"

struct iss_accounts {
    /*
     * Reads the value of the request's Authorization field (empty when there is none). AUTH: nobody
     * that we know (401). UNVERIFIED: a known account that gets no tokens (403).
     */
    pp_res (*identify)(void *ctx, struct pp_span authorization, uint64_t now_s,
                       struct iss_account *ret);
    void *ctx;
    const char *challenge; /* what a 401 says in WWW-Authenticate */
};

/* --- the app's assertion ---------------------------------------------------------------------- */

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

/* --- the tokens of a login service ------------------------------------------------------------ */

struct iss_logins {
    struct iss_jwt_rules rules; /* borrowed */
    struct iss_jwks keys;       /* none: nobody is known */
};

/*
 * Takes the key set of a file in the place of the former one; after a failure that one stays.
 * CONFIG with the words in `problem` (may be NULL), or as pp_file_read.
 */
PP_MUST pp_res iss_logins_load(struct iss_logins *l, const char *path, struct pp_problem *problem);

/* Borrows `l`. */
struct iss_accounts iss_accounts_of_logins(struct iss_logins *l);

#endif
