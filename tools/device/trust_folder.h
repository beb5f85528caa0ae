/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust_folder.h: trust anchors as the files of a folder: `trust`, `log.policy`, `owner.policy`,
 * `review.policy`; where they are needed `ark.der` and `ask.der`, `tdx-root.der`, `gpu-root.der`
 * and `rim-root.der` (simulated machines), `ca.pem` (https) and `revokes` (revoke notes that the
 * app brings).
 */
#ifndef PP_TRUST_FOLDER_H
#define PP_TRUST_FOLDER_H

#include "file.h"
#include "problem.h"
#include "trust.h"

enum { PP_TRUST_FOLDER_FILES = 11 };

/*
 * Reads the files of `folder` into `texts`, from which *ret borrows; they are the caller's to free,
 * after a failure too. STATE_ABSENT (no `trust` there), TRUST; the path and the reason are in
 * `problem`.
 */
PP_MUST pp_res pp_trust_folder_read(const char *folder, struct pp_problem *problem,
                                    struct pp_buf texts[PP_TRUST_FOLDER_FILES],
                                    struct pp_trust_files *ret);

#endif
