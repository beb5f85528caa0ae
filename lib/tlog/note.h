/* SPDX-License-Identifier: Apache-2.0 */
/*
 * note.h: signed notes (C2SP signed-note): text, an empty line, signature lines; and their keys.
 *
 * Known key types are 0x01 (Ed25519 over the text), 0x04 (cosignature/v1, see cosign.h) and 0x02
 * (ECDSA on P-256), which is only ever verified: some public logs sign with it, nothing of ours
 * does, and whoever takes keys names the types that it takes. Lines of other types are lines of
 * unknown keys. Parsed notes and keys borrow the bytes that they were read from. Allocates nothing;
 * any thread.
 */
#ifndef PP_NOTE_H
#define PP_NOTE_H

#include "result.h"
#include "secret.h"
#include "sign.h"
#include "span.h"
#include "wr.h"

enum {
    PP_NOTE_BYTES_MAX = 65536,    /* a whole note; the specification leaves it to the reader */
    PP_NOTE_SIGNATURES_MAX = 128, /* lines; readers must take 16 */
    PP_NOTE_NAME_MAX = 255,       /* bytes of a key name */
    PP_NOTE_KEYS_MAX = 64,        /* known keys of one call: one bit each */
    PP_NOTE_PK_BYTES_MAX = PP_P256_POINT_BYTES,
    PP_VKEY_BYTES_MAX = PP_NOTE_NAME_MAX + 160,
    PP_NOTE_LINE_BYTES_MAX = PP_NOTE_NAME_MAX + 128, /* a signature line that we write */
};

enum pp_note_type {
    PP_NOTE_ED25519 = 0x01,
    PP_NOTE_ECDSA_P256 = 0x02, /* DER, over SHA-256 of the text */
    PP_NOTE_COSIGNATURE = 0x04,
};

/* --- keys ---------------------------------------------------------------------------------- */

struct pp_note_key {
    struct pp_span name; /* borrowed */
    uint32_t id;
    enum pp_note_type type;
    uint8_t pk[PP_NOTE_PK_BYTES_MAX]; /* 32 bytes and zeros; of type 0x02 the point, uncompressed */
};

/* Non-empty, UTF-8, no Unicode space, no control character, no '+'. FORMAT, UTF8, LIMIT. */
PP_MUST pp_res pp_note_name_check(struct pp_span name);

/*
 * Reads "<name>+<id, 8 hex>+<base64 of type || public key>"; borrows `text`. FORMAT, ENCODING,
 * LIMIT; MISMATCH when the id is not that of name and key; UNSUPPORTED (detail = type) for a
 * well-formed key of a type that is not offered, or an ECDSA key that is no uncompressed point of
 * P-256. The public key of type 0x02 is its SubjectPublicKeyInfo, and the id is that of these bytes
 * alone.
 */
PP_MUST pp_res pp_vkey_parse(struct pp_span text, struct pp_note_key *ret);

/* Makes the key of (name, type 0x01 or 0x04, pk) with its id; borrows `name`, which
 * pp_note_name_check passed. */
void pp_note_key_make(struct pp_span name, enum pp_note_type type,
                      const uint8_t pk[PP_ED25519_PK_BYTES], struct pp_note_key *ret);

void pp_vkey_write(struct pp_wr *wr, const struct pp_note_key *key);

/*
 * Who signs, and with what: a seed in our memory, or somebody else who holds the key (another
 * program, a security module, another machine) behind one function.
 */
struct pp_note_signer {
    struct pp_note_key key;
    struct pp_secret seed; /* 32 bytes; empty when `sign` is set */

    /* NULL: the seed signs. Else gives an Ed25519 signature over the message; it is not trusted. */
    pp_res (*sign)(void *ctx, struct pp_span message, uint8_t ret[PP_ED25519_SIG_BYTES]);
    void *ctx;
};

/*
 * Signs. What `s->sign` gave is verified under the key before it is given on: SIGNER_WRONG, or the
 * codes of `s->sign` (signer_pipe.h). With a seed: KEY, CRYPTO and those of pp_secret_alloc.
 */
PP_MUST pp_res pp_note_sign(const struct pp_note_signer *s, struct pp_span message,
                            uint8_t ret[PP_ED25519_SIG_BYTES]);

/*
 * Reads "PRIVATE+KEY+<name>+<id, 8 hex>+<base64 of type || seed>", an optional final line feed
 * allowed: the key files of logs, witnesses, owners and reviewers. Borrows `text` for the name (not
 * for the seed). Errors as pp_vkey_parse, and those of pp_secret_alloc.
 */
PP_MUST pp_res pp_note_signer_parse(struct pp_span text, struct pp_note_signer *ret);

/* Makes a signer of (name, type, seed); borrows `name`, copies the seed. FORMAT, UTF8, KEY. */
PP_MUST pp_res pp_note_signer_make(struct pp_span name, enum pp_note_type type,
                                   struct pp_span seed_secret, struct pp_note_signer *ret);

/* Writes the line of a signer with a seed; no line feed. */
void pp_note_signer_write(struct pp_wr *wr, const struct pp_note_signer *s);
void pp_note_signer_done(struct pp_note_signer *s);

/* --- notes --------------------------------------------------------------------------------- */

struct pp_note_line {
    struct pp_span name;
    uint32_t id;
    struct pp_span base64; /* of key id || signature; checked to decode to 5 bytes or more */
};

struct pp_note {
    struct pp_span text; /* the signed bytes, final line feed included */
    struct pp_note_line lines[PP_NOTE_SIGNATURES_MAX];
    size_t line_count;
};

/*
 * Takes a note apart. FORMAT (detail = offset), UTF8 or LIMIT. A note whose signature part is empty
 * passes with line_count 0: opening it is what fails, and a witness answers it differently.
 */
PP_MUST pp_res pp_note_parse(struct pp_span bytes, struct pp_note *ret);

/* Which of the keys that the caller asked about have signed. */
struct pp_note_signers {
    uint64_t set;                     /* bit i: keys[i] has a verified signature */
    uint64_t times[PP_NOTE_KEYS_MAX]; /* POSIX s of keys[i]'s cosignature; 0 for type 0x01 */
};

/*
 * Verifies the lines of known keys. `keys` are at most PP_NOTE_KEYS_MAX. A line that matches no
 * key in name and id is ignored, whatever it holds; one that matches must verify, else SIGNATURE
 * (detail = line index) for the whole note; a second line of a verified key is ignored. That no
 * key signed is not a failure here: the caller looks at ret->set.
 */
PP_MUST pp_res pp_note_check(const struct pp_note *n, const struct pp_note_key *keys,
                             size_t key_count, struct pp_note_signers *ret);

/* As above, and SIGNATURE unless at least one known key signed: "opens" a note. */
PP_MUST pp_res pp_note_open(const struct pp_note *n, const struct pp_note_key *keys,
                            size_t key_count, struct pp_note_signers *ret);

/* Those of the signers whose time lies in [from, until]. */
uint64_t pp_note_signers_dated(const struct pp_note_signers *s, uint64_t from, uint64_t until);

/* Writes one signature line with its line feed. `s` is of type 0x01. FORMAT when it is not; codes
 * of pp_note_sign. */
PP_MUST pp_res pp_note_line_write(struct pp_wr *wr, const struct pp_note_signer *s,
                                  struct pp_span text);

/* Writes text, empty line and one line a signer. FORMAT when the text could not be parsed back. */
PP_MUST pp_res pp_note_write(struct pp_wr *wr, struct pp_span text,
                             const struct pp_note_signer *signers, size_t signer_count);

#endif
