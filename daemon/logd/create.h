/* SPDX-License-Identifier: Apache-2.0 */
/* create.h: a log that is not there yet; for `pp-logd --init` and `ppctl log init`. */
#ifndef PP_LOG_CREATE_H
#define PP_LOG_CREATE_H

#include "signer_config.h"

/*
 * Makes an empty log in `folder` (made with mode 0700 where it is not there): its key, unless
 * `spec` says where one is, and a signed tree of size 0, which is not served. spec->name is the
 * origin, for ever. `ret_vkey` has a NUL. EXISTS (a key or a log is there: none is given another
 * one), FORMAT (origin), CONFIG (the key, with words in `problem`), DISK_FULL, SYSTEM.
 */
PP_MUST pp_res pp_log_create(const struct pp_signer_spec *spec, const char *folder,
                             struct pp_problem *problem, char ret_vkey[PP_VKEY_BYTES_MAX + 1]);

#endif
