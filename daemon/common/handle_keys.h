/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handle_keys.h: the gateway fleet's keys of session handles (pp-wire 3), from files.
 *
 * One file a key, mode 0600; the first one that is named seals, all open:
 *
 *     id = 7                         0 to 255, its place in the handle
 *     secret = <hex of 32 bytes>
 */
#ifndef PP_HANDLE_KEYS_H
#define PP_HANDLE_KEYS_H

#include "handle.h"
#include "problem.h"
#include "wr.h"

enum { PP_HANDLE_KEY_FILE_BYTES_MAX = 256 };

/* Writes such a text. It holds the key: the caller wipes it. RANGE (length), NO_SPACE. */
PP_MUST pp_res pp_handle_key_write(uint8_t id, struct pp_span key_secret, struct pp_wr *wr);

/*
 * Reads 1..PP_HANDLE_KEY_MAX files. CONFIG with the words in `problem` for a file that is wrong or
 * open to others, or an id twice; else as pp_file_read. No words hold a byte of a key.
 */
PP_MUST pp_res pp_handle_keys_load(const char *const *paths, size_t count,
                                   struct pp_problem *problem, struct pp_handle_keys *ret);

void pp_handle_keys_done(struct pp_handle_keys *keys); /* wipes; zero state is fine */

#endif
