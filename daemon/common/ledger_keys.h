/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger_keys.h: the files of the ledger's parties: private note keys, policies, URLs of others.
 *
 * A signing key comes in three forms: a file with one line of lib/tlog/note.h ("PRIVATE+KEY+..."),
 * a file with PKCS#8 of an Ed25519 key (RFC 8410, PEM or DER, unencrypted), or another program that
 * holds it (signer_pipe.h). Key files have mode 0600. Policies are C2SP tlog-policy files
 * (lib/tlog/quorum.h).
 */
#ifndef PP_LEDGER_KEYS_H
#define PP_LEDGER_KEYS_H

#include "env.h"
#include "file.h"
#include "net.h"
#include "note.h"
#include "problem.h"
#include "quorum.h"
#include "signer_pipe.h"

enum { PP_SIGNER_FILE_BYTES_MAX = PP_VKEY_BYTES_MAX + 32 };

/* Where a signing key is: `key`, or `program` with `vkey`. */
struct pp_signer_spec {
    enum pp_note_type type;     /* what the key must be: a signer's or a witness's */
    const char *key;            /* a key file; NULL: `program` signs */
    struct pp_span name;        /* of the key: PKCS#8 needs it, a line of ours may not differ */
    const char *const *program; /* absolute path, arguments, NULL; borrowed while it is opened */
    struct pp_span vkey;        /* the public key of `program` */
    uint32_t answer_ms;         /* how long `program` may take to sign; 0: PP_SIGNER_MS_DEFAULT */
};

/* An opened signing key. Not to be moved: the signer points into it. */
struct pp_signer_file {
    char name[PP_NOTE_NAME_MAX + 1];
    struct pp_note_signer signer; /* what everything that signs takes */
    struct pp_signer_pipe pipe;
};

/*
 * Opens a key in any of its forms. CONFIG with the words in `problem` (never a byte of the key);
 * SYSTEM. The program of a signer runs from here on until pp_signer_file_done, which waits for it.
 */
PP_MUST pp_res pp_signer_open(const struct pp_signer_spec *spec, struct pp_problem *problem,
                              struct pp_signer_file *ret);
void pp_signer_file_done(struct pp_signer_file *f); /* wipes; zero state is fine */

/*
 * Makes a new key in folder `dir` under `path`, mode 0600, and tells its vkey (with NUL). EXISTS
 * when the file is there: a log or witness that forgets its key is another one. FORMAT (name),
 * RANDOM.
 */
PP_MUST pp_res pp_signer_file_create(int dir, const char *path, const struct pp_random *random,
                                     struct pp_span name, enum pp_note_type type,
                                     char ret_vkey[PP_VKEY_BYTES_MAX + 1]);

/* A policy with its text. Not to be copied while it is used: the policy borrows the text. */
struct pp_policy_file {
    struct pp_buf text;
    struct pp_policy policy;
};

/* CONFIG with the words in `problem`: the line of the file that is wrong. */
PP_MUST pp_res pp_policy_file_load(const char *path, enum pp_policy_kind kind,
                                   struct pp_problem *problem, struct pp_policy_file *ret);
void pp_policy_file_done(struct pp_policy_file *f);

/* "http://host:port/..." without a final slash, up to 256 bytes: its port; 80 and 443 without one.
 * FORMAT, RANGE. */
PP_MUST pp_res pp_url_port(struct pp_span url, uint16_t *ret);

#endif
