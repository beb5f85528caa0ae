/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signer_config.h: where the signing key of a log or a witness is, as its configuration and its
 * --init say it.
 *
 *     key = PATH            [key] a key file, of our own line or PKCS#8
 *     key_name = NAME       beside PKCS#8
 *     signer = PROGRAM      in place of a key file, with
 *     signer_arg = TEXT     for each of its arguments, in order, and
 *     vkey = VKEY           its public key
 *     signer_ms = N         [5000] how long it may take to sign
 */
#ifndef PP_SIGNER_CONFIG_H
#define PP_SIGNER_CONFIG_H

#include "kv.h"
#include "ledger_keys.h"

enum { PP_SIGNER_PATH_MAX = 255 };

struct pp_signer_config {
    struct pp_span key, key_name, signer, vkey;
    struct pp_kv_list signer_args;
    uint64_t signer_ms;
};

/* Rows for the key table of a program whose configuration has a pp_signer_config `member`. */
#define PP_SIGNER_CONFIG_KEYS(type, member)                                                        \
    { "key",                                                                                       \
      PP_KV_TEXT,                                                                                  \
      offsetof(type, member.key),                                                                  \
      0,                                                                                           \
      1,                                                                                           \
      PP_SIGNER_PATH_MAX,                                                                          \
      "the signing key's file: the line of --init, or PKCS#8 (with no signer: `key`)" },           \
        { "key_name", PP_KV_TEXT,       offsetof(type, member.key_name),    0,                     \
          1,          PP_NOTE_NAME_MAX, "the key's name, for a PKCS#8 file" },                     \
        { "signer",                                                                                \
          PP_KV_TEXT,                                                                              \
          offsetof(type, member.signer),                                                           \
          0,                                                                                       \
          1,                                                                                       \
          PP_SIGNER_PATH_MAX,                                                                      \
          "in place of `key`: a program that signs, by its absolute path" },                       \
        { "signer_arg",                                                                            \
          PP_KV_LIST,                                                                              \
          offsetof(type, member.signer_args),                                                      \
          0,                                                                                       \
          0,                                                                                       \
          0,                                                                                       \
          "an argument of the signer; may repeat" },                                               \
        { "vkey", PP_KV_TEXT,        offsetof(type, member.vkey),   0,                             \
          1,      PP_VKEY_BYTES_MAX, "the public key of the signer" },                             \
    {                                                                                              \
        "signer_ms", PP_KV_U64, offsetof(type, member.signer_ms), 0, 10, PP_SIGNER_MS_MAX,         \
            "how long the signer may take, 10 to 60000"                                            \
    }

#define PP_SIGNER_CONFIG_DEFAULTS                                                                  \
    {                                                                                              \
        .key = { NULL, 0 }, .signer_ms = PP_SIGNER_MS_DEFAULT                                      \
    }

/* For `check`: CONFIG when lines of one form stand beside those of another. */
PP_MUST pp_res pp_signer_config_check(const struct pp_signer_config *c, struct pp_problem *problem);

/* Opens the configured key, which passed the check. CONFIG with the words in `problem`, SYSTEM. */
PP_MUST pp_res pp_signer_config_open(const struct pp_signer_config *c, enum pp_note_type type,
                                     struct pp_problem *problem, struct pp_signer_file *ret);

/*
 * What follows "--init FOLDER NAME" on a command line: nothing, `--key FILE`, or
 * `--vkey VKEY --signer PROGRAM ARGUMENT...` to its end. Borrows `argv`. USAGE.
 */
PP_MUST pp_res pp_signer_init_args(char **argv, struct pp_signer_spec *ret);

/*
 * Opens the key of `spec` for a party NAME (spec->name) whose folder is made, or makes FOLDER/key
 * where the spec names none. EXISTS (FOLDER/key), FORMAT (name), and those of pp_signer_open.
 */
PP_MUST pp_res pp_signer_init(const struct pp_signer_spec *spec, const char *folder,
                              struct pp_problem *problem, struct pp_signer_file *ret);

/* Says on standard error why an --init failed; returns the exit status. */
int pp_signer_init_failed(const char *program, const char *folder, pp_res why,
                          const struct pp_problem *problem);

#endif
