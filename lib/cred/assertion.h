/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assertion.h: how an app's server tells the token issuer which account asks
 * (docs/protocol/tokens.md).
 *
 *     Authorization: PP-Assertion <base64url without padding of the assertion>
 *     assertion = 01 || u8 n || account(n) || u64 expiry || tag(32)
 *     tag       = HMAC-SHA256(key, "pp-assertion-v1" || 00 || u8 m || issuer(m)
 *                                  || assertion without tag)
 *
 * The app's server and the issuer share the key. An assertion is good for any number of requests
 * until it expires: what it gives access to is counted by the issuer.
 */
#ifndef PP_ASSERTION_H
#define PP_ASSERTION_H

#include "result.h"
#include "span.h"
#include "wr.h"

enum {
    PP_ASSERTION_KEY_BYTES = 32,
    PP_ASSERTION_ACCOUNT_BYTES_MAX = 64, /* and at least 1 */
    PP_ASSERTION_ISSUER_BYTES_MAX = 255,
    PP_ASSERTION_LIFE_SECONDS_MAX = 3600, /* an expiry further ahead is refused */
    PP_ASSERTION_BYTES_MAX = 1 + 1 + PP_ASSERTION_ACCOUNT_BYTES_MAX + 8 + 32,
    /* PP-Assertion and a space before base64url */
    PP_ASSERTION_FIELD_BYTES_MAX = 13 + (PP_ASSERTION_BYTES_MAX * 4 + 2) / 3,
};

struct pp_assertion {
    uint8_t account[PP_ASSERTION_ACCOUNT_BYTES_MAX]; /* any bytes: the app's own name for it */
    size_t account_len;
    uint64_t expiry_s; /* POSIX seconds; good before it */
};

/* Writes the field's value. RANGE (account, issuer or key of another length), NO_SPACE. */
PP_MUST pp_res pp_assertion_write(const struct pp_assertion *a, struct pp_span issuer,
                                  struct pp_span key_secret, struct pp_wr *wr);

/*
 * Checks a field's value under any of the keys (the current and the previous one). AUTH for
 * whatever is wrong with it: form, key, issuer, expiry; detail says which to us alone. RANGE for
 * a key or an issuer name that is not of the length above.
 */
PP_MUST pp_res pp_assertion_check(struct pp_span field, struct pp_span issuer,
                                  const struct pp_span *key_secrets, size_t key_count,
                                  uint64_t now_s, struct pp_assertion *ret);

#endif
