/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyfile.h: the text that keeps a gateway's private key: what `ppctl keys new ohttp` writes and
 * the gateway reads. Bytes in, bytes out; who may read the file is its owner's business (0600).
 *
 *     use_from = 1763683200          POSIX seconds: the `use` line of the key-epoch record
 *     use_until = 1763769600
 *     id = 196
 *     kem = 32                       IANA HPKE ids, decimal
 *     suite = 1 1                    KDF and AEAD, in the order of the key configuration
 *     suite = 1 3
 *     secret = 64 hex digits         the serialised private key
 */
#ifndef PP_OHTTP_KEYFILE_H
#define PP_OHTTP_KEYFILE_H

#include "ohttp.h"

enum {
    PP_OHTTP_KEYFILE_BYTES_MAX = 1024,
    PP_OHTTP_KEY_GRACE_SECONDS = 600, /* a gateway takes a key this long before and after its use */
};

struct pp_ohttp_keyfile {
    uint64_t use_from_s, use_until_s; /* POSIX seconds; from < until */
    uint8_t id;
    uint16_t kem;
    struct pp_ohttp_suite suites[PP_KEYCONF_SUITES_MAX];
    size_t suite_count;
    struct pp_secret sk_secret;
};

/*
 * Reads the text of a key file. CONFIG (detail = line; form or value), UNSUPPORTED (KEM),
 * NO_MEMORY. The text holds a secret: the caller wipes it.
 */
PP_MUST pp_res pp_ohttp_keyfile_parse(struct pp_span text, struct pp_ohttp_keyfile *ret);

/* Appends the text. RANGE (no suite, or an empty time of use), NO_SPACE. */
PP_MUST pp_res pp_ohttp_keyfile_write(const struct pp_ohttp_keyfile *k, struct pp_wr *wr);

void pp_ohttp_keyfile_done(struct pp_ohttp_keyfile *k); /* wipes; zero state is fine */

/* 1 while a gateway serves the key: from the grace before its use until the grace behind it. */
int pp_ohttp_keyfile_serves(const struct pp_ohttp_keyfile *k, uint64_t now_s);

/* 1 when it will never be served again: the grace behind its use is over. */
int pp_ohttp_keyfile_is_over(const struct pp_ohttp_keyfile *k, uint64_t now_s);

#endif
