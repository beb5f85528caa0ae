/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jwt.h: who asks, by a token of the app's own login service: a JWT (RFC 7519) in the compact form
 * (RFC 7515, 7.1), signed with ES256 (RFC 7518, 3.4), checked with the service's key set (RFC
 * 7517). docs/protocol/tokens.md says what of it we take.
 *
 * A token names its key by `kid` and nothing else: whatever else a header offers as key is refused,
 * and there is one algorithm, so that none can be chosen for us. Bytes in, bytes out; JSON is read
 * by jansson, which allocates.
 */
#ifndef ISS_JWT_H
#define ISS_JWT_H

#include "result.h"
#include "sign.h"
#include "span.h"

enum {
    ISS_JWKS_BYTES_MAX = 65536,
    ISS_JWKS_KEYS_MAX = 16, /* that we can use */
    ISS_JWT_BYTES_MAX = 4096,
    ISS_JWT_KID_BYTES_MAX = 128,
    ISS_JWT_NAME_BYTES_MAX = 255, /* of `iss`, `aud` and `sub`; at least 1 */
    ISS_JWT_AUDIENCES_MAX = 16,
    ISS_JWT_SKEW_SECONDS = 60,        /* by which clocks of the service and the issuer may differ */
    ISS_JWT_LIFE_SECONDS_MAX = 86400, /* an expiry further ahead is refused */
};

/* Details of AUTH, for counters and tests; a client learns none of them. */
enum iss_jwt_fault {
    ISS_JWT_FORM = 1,  /* not three parts of base64url, not JSON, a name twice, a wrong type */
    ISS_JWT_ALGORITHM, /* `alg` is not ES256 */
    ISS_JWT_HEADER,    /* `crit`, a key or where to find one, another `typ` */
    ISS_JWT_KEY,       /* `kid` names no key of the set */
    ISS_JWT_SIGNATURE,
    ISS_JWT_ISSUER,
    ISS_JWT_AUDIENCE,
    ISS_JWT_SUBJECT,
    ISS_JWT_EXPIRED,
    ISS_JWT_LIFE,    /* good for longer than ISS_JWT_LIFE_SECONDS_MAX */
    ISS_JWT_NOT_YET, /* `nbf` or `iat` lies ahead */
};

/* --- the key set ------------------------------------------------------------------------------ */

struct iss_jwks_key {
    uint8_t kid[ISS_JWT_KID_BYTES_MAX];
    size_t kid_len;
    uint8_t point[PP_P256_POINT_BYTES];
};

struct iss_jwks {
    struct iss_jwks_key list[ISS_JWKS_KEYS_MAX]; /* no two have the same kid */
    size_t count;                                /* at least 1 behind a successful parse */
};

/*
 * Reads a key set, all or none of it. Keys for other curves, algorithms or uses are passed over;
 * of ours each must be whole: FORMAT (no JSON, a name twice, a member of another type), MISSING
 * (kid, or no key that can be used), DUPLICATE (kid), RANGE (kid's length), ENCODING and KEY
 * (coordinates), LIMIT, UNSUPPORTED (a private key stands in it: somebody published the wrong
 * file). `*ret` is written on success alone.
 */
PP_MUST pp_res iss_jwks_parse(struct pp_span json, struct iss_jwks *ret);

/* --- the token -------------------------------------------------------------------------------- */

/* What a token must say; borrowed. */
struct iss_jwt_rules {
    struct pp_span issuer;   /* equal to `iss` */
    struct pp_span audience; /* equal to `aud`, or to one of its list */
};

struct iss_jwt_subject {
    uint8_t bytes[ISS_JWT_NAME_BYTES_MAX];
    size_t len;
};

/* Checks an Authorization field, "Bearer " and the token. AUTH with an iss_jwt_fault for whatever
 * is wrong with it. */
PP_MUST pp_res iss_jwt_check(struct pp_span field, const struct iss_jwt_rules *rules,
                             const struct iss_jwks *keys, uint64_t now_s,
                             struct iss_jwt_subject *ret);

#endif
