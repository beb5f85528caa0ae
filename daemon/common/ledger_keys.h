/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger_keys.h: the files of the ledger's parties: private note keys, policies, URLs of others.
 *
 * A private key file is one line of lib/tlog/note.h ("PRIVATE+KEY+..."), mode 0600. Policies are
 * C2SP tlog-policy files (lib/tlog/quorum.h).
 */
#ifndef PP_LEDGER_KEYS_H
#define PP_LEDGER_KEYS_H

#include "env.h"
#include "file.h"
#include "net.h"
#include "note.h"
#include "problem.h"
#include "quorum.h"

enum { PP_SIGNER_FILE_BYTES_MAX = PP_VKEY_BYTES_MAX + 32 };

/* A signer with its name's bytes. Not to be moved: the key borrows them. */
struct pp_signer_file {
    char name[PP_NOTE_NAME_MAX + 1];
    struct pp_note_signer signer;
};

/* Reads a key file of this type. CONFIG with the words in `problem` (never a byte of the key). */
PP_MUST pp_res pp_signer_file_load(const char *path, enum pp_note_type type,
                                   struct pp_problem *problem, struct pp_signer_file *ret);
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
