/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_sign.h: the verbs that sign a record: what is signed is said in words on standard error,
 * one signature line is added, and the file is written whole or not at all.
 */
#ifndef PPCTL_RECORD_SIGN_H
#define PPCTL_RECORD_SIGN_H

#include "keys_arg.h"
#include "place.h"
#include "ppctl.h"
#include "record_file.h"

/* Bits of the types that a verb signs. Nobody signs a status: the log makes it. */
enum {
    PPCTL_SIGNS_RELEASE = 1 << PP_RECORD_RELEASE,
    PPCTL_SIGNS_HOST_SET = 1 << PP_RECORD_HOST_SET,
    PPCTL_SIGNS_KEY_EPOCH = 1 << PP_RECORD_KEY_EPOCH,
    PPCTL_SIGNS_REVOKE = 1 << PP_RECORD_REVOKE,
    PPCTL_SIGNS_ALL = PPCTL_SIGNS_RELEASE | PPCTL_SIGNS_HOST_SET | PPCTL_SIGNS_KEY_EPOCH |
                      PPCTL_SIGNS_REVOKE,
};

/* A signature that is asked for; zero before the options are read. */
struct ppctl_signing {
    unsigned types;
    const char *path, *out; /* out NULL: ppctl_entry_path */
    struct ppctl_key_args key;
    struct ppctl_place_args place; /* optional */
    /* Asked about the record before it is signed; NULL: nothing more than its grammar. */
    pp_res (*more)(void *ctx, const struct pp_record_file *f, struct pp_problem *problem);
    void *ctx;
};

/* Signs, and says what came of it. Returns the exit status. */
int ppctl_record_sign(struct ppctl *p, const struct ppctl_signing *args);

/* Runs "VERB FILE --key K [--out F] [place]" for records of these types. */
int ppctl_record_sign_verb(struct ppctl *p, const char *verb, unsigned types, int argc,
                           char **argv);

/*
 * Where the entry of a record goes when nobody says: NAME.record to NAME.entry, an entry to itself,
 * anything else to NAME.entry behind its whole name. RANGE.
 */
PP_MUST pp_res ppctl_entry_path(const char *path, int is_entry, char *ret, size_t cap);

/*
 * Writes a file that a person asked for, 0644, whole or not at all. With `replace` 0 a file that is
 * there is refused (EXISTS): it may hold somebody else's signature. CONFIG otherwise, with words.
 */
PP_MUST pp_res ppctl_write_out(const char *path, int replace, struct pp_span content,
                               struct pp_problem *problem);

#endif
