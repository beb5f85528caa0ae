/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_config.h: where the log's keys are, as its configuration says it: those of signer_config.h,
 * and
 *
 *     second_key = PATH         a second key file: both keys sign, while one replaces the other
 *     second_key_name = NAME    beside PKCS#8
 *     former_key = VKEY         for each key that signed before and has left, up to 4
 */
#ifndef PP_LOG_KEY_CONFIG_H
#define PP_LOG_KEY_CONFIG_H

#include "keys.h"
#include "signer_config.h"

struct pp_log_key_config {
    struct pp_signer_config first, second; /* of the second, the file alone is configured */
    struct pp_kv_list former;
};

/* Rows for the key table of a program whose configuration has a pp_log_key_config `member`. */
#define PP_LOG_KEY_CONFIG_KEYS(type, member)                                                       \
    PP_SIGNER_CONFIG_KEYS(type, member.first),                                                     \
        { "second_key",                                                                            \
          PP_KV_TEXT,                                                                              \
          offsetof(type, member.second.key),                                                       \
          0,                                                                                       \
          1,                                                                                       \
          PP_SIGNER_PATH_MAX,                                                                      \
          "while the key is replaced: the file of the other one, and both sign" },                 \
        { "second_key_name",                                                                       \
          PP_KV_TEXT,                                                                              \
          offsetof(type, member.second.key_name),                                                  \
          0,                                                                                       \
          1,                                                                                       \
          PP_NOTE_NAME_MAX,                                                                        \
          "the second key's name, for a PKCS#8 file" },                                            \
    {                                                                                              \
        "former_key", PP_KV_LIST, offsetof(type, member.former), 0, 0, 0,                          \
            "the vkey of a key that signed before and has left; up to 4 lines"                     \
    }

#define PP_LOG_KEY_CONFIG_DEFAULTS                                                                 \
    {                                                                                              \
        .first = PP_SIGNER_CONFIG_DEFAULTS                                                         \
    }

/* Opened keys. Not to be moved: `keys` points into it. */
struct pp_log_key_ring {
    struct pp_signer_file files[PP_LOG_SIGNERS_MAX];
    struct pp_note_signer signers[PP_LOG_SIGNERS_MAX]; /* those of the files; they hold the seeds */
    struct pp_note_key former[PP_LOG_FORMER_MAX];
    struct pp_log_keys keys;
};

/* For `check`: CONFIG when lines contradict each other. */
PP_MUST pp_res pp_log_key_config_check(const struct pp_log_key_config *c,
                                       struct pp_problem *problem);

/*
 * Opens the configured keys, which passed the check. CONFIG with the words in `problem`: also when
 * a key has another name than the first, or stands there twice. SYSTEM. The names of former keys
 * are borrowed from the configuration.
 */
PP_MUST pp_res pp_log_key_ring_open(const struct pp_log_key_config *c, struct pp_problem *problem,
                                    struct pp_log_key_ring *ret);
void pp_log_key_ring_done(struct pp_log_key_ring *k); /* zero state is fine */

#endif
