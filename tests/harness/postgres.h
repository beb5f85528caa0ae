/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postgres.h: a PostgreSQL server of a test's own: its data and its unix socket in a temporary
 * folder, no TCP, a password, fsync on. Started by root it runs as nobody. It ends with the test,
 * also when the test is killed.
 */
#ifndef PP_TEST_POSTGRES_H
#define PP_TEST_POSTGRES_H

#include <sys/types.h>

struct pp_test_postgres {
    char folder[64];
    char url[160]; /* of its user and database */
    pid_t pid;     /* 0: it does not run */
    unsigned database_count;
};

/* Makes the data and starts the server; returns when it takes connections. 0, or -1. */
int pp_test_postgres_new(struct pp_test_postgres *p);

/* Ends it and removes the folder. Zero state is fine. 0 or -1, like a cmocka teardown. */
int pp_test_postgres_free(struct pp_test_postgres *p);

/* As after a power cut: every process of the server is killed, and gone when this returns. */
void pp_test_postgres_kill(struct pp_test_postgres *p);

/*
 * Starts a server that was killed; returns when it has recovered. `setting` is a "name=value" of
 * postgresql.conf, or NULL. 0 or -1.
 */
int pp_test_postgres_start(struct pp_test_postgres *p, const char *setting);

/* Makes an empty database beside the others, and writes its URL. 0 or -1. */
int pp_test_postgres_database(struct pp_test_postgres *p, char url[160]);

#endif
