/* SPDX-License-Identifier: Apache-2.0 */
/*
 * where.h: what a configuration value says about where a store is.
 *
 *     spent.db                an SQLite file, made if it is not there
 *     postgresql:spent.url    a PostgreSQL database; the file spent.url holds its URL, in one line
 *
 * A URL may have a password in it: it stands in a file that its owner alone can open, never in a
 * configuration or on a command line. No message of ours repeats any of it; what the server says to
 * a connection that it refuses is passed on, and may name host, user and database.
 *
 *     postgresql://USER[:PASSWORD]@HOST[:PORT][,HOST[:PORT]]/DATABASE[?NAME=VALUE&...]
 *
 * Names: host (a folder of a unix socket), sslmode, sslrootcert, sslcert, sslkey, and
 * target_session_attrs, for servers of which one is the first. A server that is not on this machine
 * needs sslmode=verify-full and sslrootcert.
 *
 * What a sandboxed daemon does: pp_where_read in `open`, with all rights, and
 * pp_daemon_allow_connect for each of `ports`; the handle in `serve`. No system call is needed
 * beyond the base list. Names are resolved here, once: a server that moves to another address needs
 * a restart, or an address that moves with it. Files that the URL names (certificates) and the
 * folder of a unix socket must be below the home; where the daemon has a `user`, and its home is
 * the root folder, the URL names them as they are seen from there.
 */
#ifndef PP_WHERE_H
#define PP_WHERE_H

#include "problem.h"
#include "secret.h"

enum {
    PP_WHERE_HOSTS_MAX = 4,
    PP_WHERE_URL_BYTES_MAX = 1024,
};

/* Zero state is fine. */
struct pp_where {
    struct pp_secret text; /* a path, or a URL with addresses for names; NUL-terminated */
    uint16_t ports[PP_WHERE_HOSTS_MAX]; /* TCP ports to be let through; none for SQLite */
    size_t port_count;
};

/*
 * Reads the file that the value names, where it names one, and resolves the names in it. CONFIG
 * with the words in `problem` (may be NULL): another form, no such file, a file that others may
 * open, a URL beyond the rules above, a name without an address. NO_MEMORY, SYSTEM.
 */
PP_MUST pp_res pp_where_read(struct pp_span value, struct pp_problem *problem,
                             struct pp_where *ret);
void pp_where_done(struct pp_where *w);

/* 1 if such a text is a database's URL, 0 if it is a path. */
int pp_where_is_url(const char *text);

/* What pp_spent_open and its like take; lives as long as `w`. */
static inline const char *pp_where_text(const struct pp_where *w)
{
    return (const char *)w->text.bytes;
}

#endif
