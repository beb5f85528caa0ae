/* SPDX-License-Identifier: Apache-2.0 */
/* daemon_int.h: what the start of a daemon (daemon_start.c) does for its life (daemon.c). */
#ifndef PP_DAEMON_INT_H
#define PP_DAEMON_INT_H

#include "daemon.h"
#include "file.h"

#define PP_DAEMON_LISTEN_FORM_ "127.0.0.1:PORT, [::1]:PORT or unix:PATH; port 0 takes a free one"

/* The common part of the program's configuration. */
struct pp_daemon_config *pp_daemon_config_(const struct pp_daemon *d);

void pp_daemon_set_defaults_(const struct pp_daemon *d); /* of the common keys */

/* Reads --config, --ready-fd and --check into `d`. USAGE. */
PP_MUST pp_res pp_daemon_read_options_(struct pp_daemon *d, int argc, char **argv,
                                       struct pp_problem *problem);

/*
 * Makes the home the working folder, reads the file by the tables and asks the program's `check`.
 * The values borrow from `text`, which is the caller's, also after a failure. USAGE, CONFIG.
 */
PP_MUST pp_res pp_daemon_read_config_(struct pp_daemon *d, struct pp_buf *text,
                                      struct pp_problem *problem);

void pp_daemon_say_help_(const struct pp_daemon_program *p); /* on standard output */

/* On standard error, a line each (daemon.h). */
void pp_daemon_say_refusal_(const struct pp_daemon *d, pp_res r, const struct pp_problem *problem);

#endif
