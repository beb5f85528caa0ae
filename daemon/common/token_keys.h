/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token_keys.h: the epoch keys of the issuer and of the gateway, from files
 * (docs/protocol/tokens.md).
 *
 * One file an epoch, <day>.key, of mode 0600 in a folder of mode 0700:
 *
 *     epoch = 20500                  the UTC day number
 *     type = 5
 *     issue_from = 1771113600        POSIX seconds, the `issue` line of the key-epoch record
 *     issue_until = 1771282800
 *     secret = <hex of 32 bytes>     the seed of pp_cred_key_derive; for type 2 the private key
 *
 * A day has one key of a type. Both parties hold the same file: a type that needs the private key
 * to verify has no other way.
 * Each removes its own when the epoch is over (pp_token_keys_destroy): a key that nobody needs can
 * only be stolen, and then whoever has it makes tokens look redeemed, or links them. The clock of
 * the machine decides, and a removed key does not come back; so a backup of this folder has to
 * expire as well, and the medium below it has to be encrypted or memory.
 */
#ifndef PP_TOKEN_KEYS_H
#define PP_TOKEN_KEYS_H

#include "cred.h"
#include "problem.h"

enum {
    PP_TOKEN_KEYS_MAX = 8,            /* yesterday, today, tomorrow, and what was put in advance */
    PP_TOKEN_SECRET_BYTES_MAX = 1280, /* of an RSA key of 2048 bits, in DER */
    PP_TOKEN_KEY_FILE_BYTES_MAX = 256 + 2 * PP_TOKEN_SECRET_BYTES_MAX,
};

struct pp_token_key {
    uint32_t day;
    uint64_t issue_from_s, issue_until_s; /* issued from <= t < until */
    struct pp_cred_key key;
};

struct pp_token_keys {
    struct pp_token_key list[PP_TOKEN_KEYS_MAX]; /* by day, ascending */
    size_t count;
};

void pp_token_key_done(struct pp_token_key *k); /* wipes; zero state is fine */
void pp_token_keys_done(struct pp_token_keys *keys);

/* Reads one file's text. CONFIG; `problem` (may be NULL) never holds a byte of the secret. */
PP_MUST pp_res pp_token_key_parse(struct pp_span text, struct pp_problem *problem,
                                  struct pp_token_key *ret);

/* Writes such a text: what makes keys needs it. The text holds the secret: the caller wipes it.
 * RANGE (length of the secret), NO_SPACE. */
PP_MUST pp_res pp_token_key_write(uint32_t day, uint16_t type, uint64_t issue_from_s,
                                  uint64_t issue_until_s, struct pp_span secret, struct pp_wr *wr);

/*
 * Reads every *.key of a folder; epochs that are dead at `now_s` are passed over. All or none:
 * CONFIG with the words in `problem` for a file that is wrong or open to others, two files of one
 * epoch and type, two keys of one truncated id (a request could mean either), or more than
 * PP_TOKEN_KEYS_MAX; else as pp_file_read. A folder without a key is fine: then nobody is served.
 */
PP_MUST pp_res pp_token_keys_load(const char *folder, uint64_t now_s, struct pp_problem *problem,
                                  struct pp_token_keys *ret);

/*
 * Removes the files of epochs that are dead and past their time of issue at `now_s`. What is no
 * private key file is left for pp_token_keys_load to name. `*ret_count`: how many were removed; one
 * that somebody else removed is fine. Goes on behind a failure and returns the first: NOT_FOUND
 * (the folder), SYSTEM.
 */
PP_MUST pp_res pp_token_keys_destroy(const char *folder, uint64_t now_s, size_t *ret_count);

#endif
