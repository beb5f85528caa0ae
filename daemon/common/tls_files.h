/* SPDX-License-Identifier: Apache-2.0 */
/* tls_files.h: a server's certificate chain and key, from two PEM files, now and again. */
#ifndef PP_TLS_FILES_H
#define PP_TLS_FILES_H

#include "net.h"
#include "problem.h"

enum { PP_TLS_FILE_BYTES_MAX = 65536 };

/*
 * Reads both and gives them to `server`; connections that stand keep what they have. CONFIG with
 * the words in `problem` (may be NULL) for a file that is not there, a key file that is open to
 * others, and a key that does not belong to the chain: what was served before stays. No words hold
 * a byte of the key.
 */
PP_MUST pp_res pp_tls_files_load(struct pp_http_server *server, const char *chain_path,
                                 const char *key_path, struct pp_problem *problem);

#endif
