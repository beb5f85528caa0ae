/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cred.h: anonymous tokens: Privacy Pass challenges and tokens (RFC 9577), their issuance one by
 * one (RFC 9578) and in batches (draft-ietf-privacypass-batched-tokens-07), and their redemption.
 *
 * A device blinds nonces, the issuer evaluates them under the epoch's key without seeing them, and
 * the gateway, which holds the same key, recognises the result without learning who fetched it.
 * Bytes in, bytes out: no clock, no store, no socket. Whether a token was spent before is
 * answered by the program that owns the store (pp_spend_key names the token there).
 *
 * Token types stand in one table (cred_int.h). Sizes that end in _MAX are those of the largest row.
 *
 *   0x0005  VOPRF(ristretto255, SHA-512)   what pp itself issues and spends: batches, one proof
 *   0x0002  Blind RSA (2048-bit)           for other people's software: single tokens; whoever has
 *                                          the public key can verify
 */
#ifndef PP_CRED_H
#define PP_CRED_H

#include "arena.h"
#include "env.h"
#include "rd.h"
#include "result.h"
#include "secret.h"
#include "span.h"
#include "wr.h"

enum { PP_TOKEN_BLIND_RSA = 0x0002, PP_TOKEN_VOPRF_RISTRETTO255 = 0x0005 };

enum {
    PP_TOKEN_NONCE_BYTES = 32,
    PP_TOKEN_DIGEST_BYTES = 32,
    PP_TOKEN_KEY_ID_BYTES = 32,
    PP_TOKEN_INPUT_BYTES = 2 + PP_TOKEN_NONCE_BYTES + PP_TOKEN_DIGEST_BYTES + PP_TOKEN_KEY_ID_BYTES,
    PP_TOKEN_AUTHENTICATOR_BYTES_MAX = 256,
    PP_TOKEN_BYTES_MAX = PP_TOKEN_INPUT_BYTES + PP_TOKEN_AUTHENTICATOR_BYTES_MAX,
    /* PrivateToken token="..." around padded base64url */
    PP_TOKEN_FIELD_BYTES_MAX = 20 + (PP_TOKEN_BYTES_MAX + 2) / 3 * 4 + 1,
    PP_TOKEN_OFFERS_MAX = 8, /* challenges in one WWW-Authenticate field */

    PP_CRED_PK_BYTES_MAX = 342, /* a SubjectPublicKeyInfo; 32 for type 5 */
    PP_CRED_SEED_BYTES = 32,    /* of pp_cred_key_derive */
    PP_CRED_ELEMENT_BYTES_MAX = 256,
    PP_CRED_PROOF_BYTES_MAX = 64,
    PP_CRED_BLIND_BYTES_MAX = 256,
    PP_CRED_BATCH_MAX = 32,   /* what a device always asks for (pp-wire 10), and the most it gets */
    PP_CRED_GENERIC_MAX = 32, /* requests in a generic batch */
    PP_CRED_ELEMENTS_BYTES_MAX = PP_CRED_BATCH_MAX * 32, /* a batch of type 5, or one of type 2 */
    PP_CRED_REQUEST_BYTES_MAX = 3 + 8 + PP_CRED_ELEMENTS_BYTES_MAX,
    PP_CRED_RESPONSE_BYTES_MAX = 8 + PP_CRED_ELEMENTS_BYTES_MAX + PP_CRED_PROOF_BYTES_MAX,

    PP_SPEND_KEY_BYTES = 16,
    PP_WALLET_ENTRY_BYTES_MAX = 2 + 4 + 8 + PP_TOKEN_BYTES_MAX,

    PP_EPOCH_SECONDS = 86400,    /* epochs are UTC days */
    PP_EPOCH_SLACK_SECONDS = 600 /* a verifier takes a key this long before and after its day */
};

/* --- challenge (RFC 9577 2.1.1) ------------------------------------------------------------- */

struct pp_token_challenge {
    uint16_t type;
    struct pp_span issuer_name;        /* 1..65535 bytes */
    struct pp_span redemption_context; /* 0 or 32 bytes */
    struct pp_span origin_info;        /* 0..65535 bytes */
};

/*
 * Reads one whole challenge of any token type; `*ret` borrows `bytes`. TRUNCATED, TRAILING, RANGE
 * (an empty issuer name, a context that is neither 0 nor 32 bytes).
 */
PP_MUST pp_res pp_token_challenge_parse(struct pp_span bytes, struct pp_token_challenge *ret);

/* The inverse. RANGE for lengths outside the above, NO_SPACE. */
PP_MUST pp_res pp_token_challenge_write(const struct pp_token_challenge *c, struct pp_wr *wr);

/* SHA-256 of the written challenge: what a token is bound to. RANGE. */
PP_MUST pp_res pp_token_challenge_digest(const struct pp_token_challenge *c,
                                         uint8_t ret[PP_TOKEN_DIGEST_BYTES]);

/*
 * The digest of pp's own challenge for an epoch (pp-wire 10): nobody sends it, since every party
 * can compute it. `issuer` is the trust file's issuer name, `authority` the gateway's. RANGE.
 */
PP_MUST pp_res pp_token_epoch_digest(uint16_t type, struct pp_span issuer, struct pp_span authority,
                                     uint32_t day, uint8_t ret[PP_TOKEN_DIGEST_BYTES]);

/* --- token (RFC 9577 2.2) ------------------------------------------------------------------- */

struct pp_token {
    uint16_t type;
    uint8_t nonce[PP_TOKEN_NONCE_BYTES];
    uint8_t challenge_digest[PP_TOKEN_DIGEST_BYTES];
    uint8_t key_id[PP_TOKEN_KEY_ID_BYTES];
    struct pp_span authenticator; /* borrowed */
};

size_t pp_token_bytes(uint16_t type); /* 162 for type 5, 354 for 2; 0 for one not in the table */

/* Reads one whole token; `*ret` borrows `bytes`. UNSUPPORTED (type), TRUNCATED, TRAILING. */
PP_MUST pp_res pp_token_parse(struct pp_span bytes, struct pp_token *ret);
void pp_token_write(const struct pp_token *t, struct pp_wr *wr);

/* AuthenticatorInput: the first 98 bytes, of any token type. TRUNCATED. */
PP_MUST pp_res pp_token_input_parse(struct pp_rd *rd, struct pp_token *ret);
void pp_token_input_write(const struct pp_token *t, struct pp_wr *wr);

/* What the spent-token store keeps: the first 16 bytes of SHA-256(key id || nonce). */
void pp_spend_key(const struct pp_token *t, uint8_t ret[PP_SPEND_KEY_BYTES]);

/* --- HTTP fields (RFC 9577 2.1, 2.2) -------------------------------------------------------- */

/* Authorization: PrivateToken token="<padded base64url of the token>" */
void pp_token_field_write(struct pp_span token, struct pp_wr *wr);

/*
 * Reads exactly that form, as pp-wire 3 wants it: one case, one space, one parameter. FORMAT,
 * ENCODING (unused bits), NO_SPACE (longer than any token of ours).
 */
PP_MUST pp_res pp_token_field_parse(struct pp_span field, uint8_t ret_token[PP_TOKEN_BYTES_MAX],
                                    size_t *ret_len);

/* One PrivateToken challenge of a WWW-Authenticate field. */
struct pp_token_offer {
    struct pp_span challenge; /* decoded bytes of a TokenChallenge */
    struct pp_span token_key; /* decoded; empty when the parameter is absent */
    uint64_t max_age_s;       /* UINT64_MAX when the parameter is absent */
};

/*
 * Reads a WWW-Authenticate field with any number of challenges of any scheme (RFC 9110 11.6.1) and
 * gives those of PrivateToken, decoded into `arena`. pp sends and needs no such field; this is for
 * work with other issuers. Unknown parameters are ignored. FORMAT, ENCODING, DUPLICATE (parameter),
 * MISSING (challenge), LIMIT (more than PP_TOKEN_OFFERS_MAX), NO_MEMORY.
 */
PP_MUST pp_res pp_token_offers_parse(struct pp_span field, struct pp_arena *arena,
                                     struct pp_token_offer ret[PP_TOKEN_OFFERS_MAX],
                                     size_t *ret_count);

/* --- keys ----------------------------------------------------------------------------------- */

/* An epoch key as devices know it. A plain value. */
struct pp_cred_public {
    uint16_t type;
    uint8_t pk[PP_CRED_PK_BYTES_MAX];
    size_t pk_len;
    uint8_t key_id[PP_TOKEN_KEY_ID_BYTES]; /* SHA-256(pk) */
};

/*
 * `config` of a key-epoch record: u16 token type || public key, which is an element (type 5) or
 * the SubjectPublicKeyInfo of RFC 9578 6.5 (type 2). UNSUPPORTED, TRUNCATED, TRAILING, KEY
 * (identity, not canonical; not that SubjectPublicKeyInfo).
 */
PP_MUST pp_res pp_cred_public_parse(struct pp_span config, struct pp_cred_public *ret);
void pp_cred_public_write(const struct pp_cred_public *p, struct pp_wr *wr);

/* An epoch key as its issuer and its redeemer hold it. */
struct pp_cred_key {
    struct pp_cred_public pub;
    struct pp_secret sk_secret;  /* of type 5 */
    struct pp_blindrsa_key *rsa; /* of type 2, ready for use */
};

/* DeriveKeyPair(seed, "PrivacyPass") (RFC 9578 5.5). UNSUPPORTED (type 2 has no such thing), RANGE
 * (seed), KEY. */
PP_MUST pp_res pp_cred_key_derive(uint16_t type, struct pp_span seed_secret,
                                  struct pp_cred_key *ret);

/*
 * From the private key itself: a scalar of 32 bytes (type 5), PKCS#8 DER with rsaEncryption (type
 * 2, 2048 bits and exponent 65537). UNSUPPORTED, KEY.
 */
PP_MUST pp_res pp_cred_key_import(uint16_t type, struct pp_span sk_secret, struct pp_cred_key *ret);

/* The key of a redeemer of type 2: it verifies, and issues nothing. UNSUPPORTED for a type that
 * needs the private key to verify; KEY. */
PP_MUST pp_res pp_cred_key_public(const struct pp_cred_public *pub, struct pp_cred_key *ret);

void pp_cred_key_done(struct pp_cred_key *k); /* wipes; zero state is fine */

/* --- issuance (RFC 9578 5, batched tokens 5) ------------------------------------------------ */

#define PP_CRED_MEDIA_REQUEST        "application/private-token-request"
#define PP_CRED_MEDIA_RESPONSE       "application/private-token-response"
#define PP_CRED_MEDIA_BATCH_REQUEST  "application/private-token-amortized-batch-request"
#define PP_CRED_MEDIA_BATCH_RESPONSE "application/private-token-amortized-batch-response"
#define PP_CRED_MEDIA_DIRECTORY      "application/private-token-issuer-directory"

/* The media type says which of the two forms a body has. */
enum pp_cred_form { PP_CRED_SINGLE = 1, PP_CRED_BATCH = 2 };

/* The device's half of one issuance: begin, write the request, finish with the response, done. */
struct pp_cred_issuance {
    enum pp_cred_form form; /* 0 in the zero state */
    struct pp_cred_public key;
    uint8_t challenge_digest[PP_TOKEN_DIGEST_BYTES];
    size_t count;
    uint8_t blinded[PP_CRED_ELEMENTS_BYTES_MAX];
    struct pp_secret nonces_secret; /* count times 32 bytes: nobody sees them before redemption */
    struct pp_secret blinds_secret;
};

/*
 * Draws nonces and blinds for `count` tokens under `key`, which is the one that the ledger lists
 * for the epoch (never one that the issuer sent). A token draws 32 bytes for its nonce, then
 * those of its blind (type 2: of its salt, its blind and a mask). RANGE (count outside
 * 1..PP_CRED_BATCH_MAX, or not 1 for a single one), UNSUPPORTED (a batch of type 2), RANDOM,
 * NO_MEMORY. On failure `x` is in the zero state.
 */
PP_MUST pp_res pp_cred_issuance_begin(struct pp_cred_issuance *x, enum pp_cred_form form,
                                      const struct pp_cred_public *key,
                                      const uint8_t challenge_digest[PP_TOKEN_DIGEST_BYTES],
                                      size_t count, const struct pp_random *random);

/* TokenRequest or AmortizedBatchTokenRequest, at most PP_CRED_REQUEST_BYTES_MAX. */
void pp_cred_issuance_write(const struct pp_cred_issuance *x, struct pp_wr *wr);

/*
 * Checks the response, its proof first, and makes the tokens: `*ret_tokens` holds count times
 * pp_token_bytes. All or none: ISSUER_KEY when the proof does not verify under the key that was
 * asked for (another key, another order, a wrong element: the issuer tries to mark somebody),
 * ISSUER_PROOF when the response is malformed (length, count, element, scalar). In type 2 the
 * unblinded signature itself is the proof, and a number not below the modulus malformed. `x` is
 * in the zero state behind this call whatever it returns; another call gives STATE.
 */
PP_MUST pp_res pp_cred_issuance_finish(struct pp_cred_issuance *x, struct pp_span response,
                                       struct pp_secret *ret_tokens);
void pp_cred_issuance_done(struct pp_cred_issuance *x); /* wipes; zero state is fine */

/* A request as the issuer reads it. */
struct pp_cred_request {
    enum pp_cred_form form;
    uint16_t type;
    uint8_t truncated_key_id; /* the last byte of the key id */
    struct pp_span elements;  /* borrowed: count blinded elements, one behind the other */
    size_t count;
};

/* UNSUPPORTED (type, or a batch of type 2), TRUNCATED, TRAILING, ENCODING (length not in its
 * shortest form), RANGE (no element, or half of one), LIMIT (more than PP_CRED_BATCH_MAX). */
PP_MUST pp_res pp_cred_request_parse(enum pp_cred_form form, struct pp_span bytes,
                                     struct pp_cred_request *ret);

/* 1 if the request means this key: same type, same last byte of the key id. An issuer never holds
 * two such keys at a time (it refuses them when it starts). */
int pp_cred_request_is_for(const struct pp_cred_request *q, const struct pp_cred_public *key);

/*
 * Evaluates all elements and proves them: TokenResponse or AmortizedBatchTokenResponse. MISMATCH
 * when the request is not for this key, KEY (index of a bad element: nothing is written), STATE
 * (the key only verifies), RANDOM, CRYPTO (type 2: a fault, caught), NO_SPACE.
 */
PP_MUST pp_res pp_cred_issue(const struct pp_cred_key *key, const struct pp_cred_request *q,
                             const struct pp_random *random, struct pp_wr *wr);

/* The HTTP status for the outcome of the two above: 200, 500 for our own troubles, 422 for all that
 * is wrong with the request (RFC 9578 5.2). */
uint32_t pp_cred_issue_status(pp_res r);

/*
 * Generic batches (batched tokens 6): whole single requests, of any types and keys, in one body,
 * and their answers in the same order, some of which may be absent. pp sends none; these are for
 * work with other people's software. A type that is not in the table ends the reading, since its
 * length is not known: UNSUPPORTED, with the index. TRUNCATED, TRAILING, ENCODING (a length not in
 * its shortest form, a presence that is neither 0 nor 1), RANGE (an empty list), LIMIT (more than
 * PP_CRED_GENERIC_MAX). Each part borrows `bytes` and is read as the single message that it is.
 */
PP_MUST pp_res pp_cred_generic_parse(struct pp_span bytes, struct pp_span ret[PP_CRED_GENERIC_MAX],
                                     size_t *ret_count);
void pp_cred_generic_write(const struct pp_span *requests, size_t count, struct pp_wr *wr);

struct pp_cred_generic_answer {
    uint16_t type;
    struct pp_span response; /* a TokenResponse; empty: there is none for this request */
};

PP_MUST pp_res pp_cred_generic_answers_parse(struct pp_span bytes,
                                             struct pp_cred_generic_answer ret[PP_CRED_GENERIC_MAX],
                                             size_t *ret_count);
void pp_cred_generic_answers_write(const struct pp_cred_generic_answer *answers, size_t count,
                                   struct pp_wr *wr);

/* --- redemption ------------------------------------------------------------------------------ */

/* A key in acceptance: its epoch, and the one challenge that its tokens are bound to. */
struct pp_cred_epoch {
    const struct pp_cred_key *key; /* borrowed */
    uint32_t day;
    uint8_t challenge_digest[PP_TOKEN_DIGEST_BYTES];
};

/* RANGE for names that no challenge can hold. */
PP_MUST pp_res pp_cred_epoch_init(struct pp_cred_epoch *e, const struct pp_cred_key *key,
                                  uint32_t day, struct pp_span issuer, struct pp_span authority);

/* 1 from 10 minutes before the epoch's day until 10 minutes after it. */
int pp_cred_epoch_accepts(uint32_t day, uint64_t now_s);

struct pp_cred_redeemed {
    uint32_t day; /* the epoch, which chooses the table of the spent-token store */
    uint8_t spend_key[PP_SPEND_KEY_BYTES];
};

/*
 * Checks an Authorization field against the epochs in acceptance: form, type, key id (all 32 bytes,
 * never by trial), challenge digest, and last the authenticator, in constant time. TOKEN_REFUSED
 * for every fault, with the inner code as detail for local counters: outside there is one answer,
 * 401. OK means well-made, not unspent: the caller inserts the spend key next, and only a new one
 * counts.
 */
PP_MUST pp_res pp_cred_redeem_check(const struct pp_cred_epoch *epochs, size_t epoch_count,
                                    uint64_t now_s, struct pp_span field,
                                    struct pp_cred_redeemed *ret);

/* --- wallet entry (pp-wire 10) --------------------------------------------------------------- */

struct pp_wallet_entry {
    uint16_t type;
    uint32_t day;           /* the epoch */
    uint64_t usable_from_s; /* POSIX seconds */
    struct pp_span token;   /* borrowed; pp_token_bytes(type) bytes */
};

/* TRUNCATED, TRAILING, UNSUPPORTED (type), MISMATCH (the token is of another type). */
PP_MUST pp_res pp_wallet_entry_parse(struct pp_span bytes, struct pp_wallet_entry *ret);
void pp_wallet_entry_write(const struct pp_wallet_entry *e, struct pp_wr *wr);

#endif
