/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys_arg.h: the private key that a command signs with.
 *
 *     --key FILE [--name NAME]         one line PRIVATE+KEY+..., or PKCS#8, which needs the name
 *     --signer PROGRAM --vkey VKEY     a program that holds it (daemon/common/signer_pipe.h)
 */
#ifndef PPCTL_KEYS_ARG_H
#define PPCTL_KEYS_ARG_H

#include "ledger_keys.h"
#include "ppctl.h"

/* The options as they were given; zero before ppctl_parse. */
struct ppctl_key_args {
    const char *key, *name, *signer, *vkey;
};

/* Rows of a verb's table of options, which end up in `args`, a struct ppctl_key_args. */
#define PPCTL_KEY_OPTIONS(args)                                                                    \
    { "--key", "FILE", "the private key: as review key makes it, or PKCS#8", &(args).key, NULL },  \
        { "--name", "NAME", "of a PKCS#8 key", &(args).name, NULL },                               \
        { "--signer", "PROGRAM", "absolute path of a program that signs", &(args).signer, NULL },  \
    {                                                                                              \
        "--vkey", "VKEY", "the public key of that program", &(args).vkey, NULL                     \
    }

/* Not to be moved while it is used. */
struct ppctl_key {
    struct pp_signer_file file;
};

/*
 * Opens the key; it has to be of this type. USAGE (no key, or two), CONFIG (a file that is wrong
 * or open to others, a program that does not start); the words are in `problem`, never a byte of
 * the key.
 */
PP_MUST pp_res ppctl_key_open(const struct ppctl_key_args *args, enum pp_note_type type,
                              struct pp_problem *problem, struct ppctl_key *ret);
void ppctl_key_done(struct ppctl_key *k); /* wipes; zero state is fine */

/* Its public half, borrowed. */
const struct pp_note_key *ppctl_key_public(const struct ppctl_key *k);

/* Writes the signature line over a note's text, for a key of type 0x01. SIGNER_*, with words. */
PP_MUST pp_res ppctl_key_line(const struct ppctl_key *k, struct pp_span text,
                              struct pp_problem *problem, struct pp_wr *wr);

#endif
