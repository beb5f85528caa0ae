/* SPDX-License-Identifier: Apache-2.0 */
/* directory.h: the directory bundle of a ledger: what devices fetch (docs/protocol/ledger.md). */
#ifndef PP_LOG_DIRECTORY_H
#define PP_LOG_DIRECTORY_H

#include "sequencer.h"

/*
 * Writes public/directory: the closing status of the signed tree and every record that it names,
 * each with its proof under `note`. NOT_FOUND (a record that the log has not), LEDGER_NOT_LAST,
 * LIMIT, DISK_FULL, SYSTEM.
 */
PP_MUST pp_res pp_directory_write(struct pp_sequencer *l, struct pp_span note);

#endif
