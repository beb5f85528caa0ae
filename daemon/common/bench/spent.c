/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durable inserts into the spent-token store, SQLite and PostgreSQL, by how many clients wait at a
 * time. Wall time: a disk is what is measured, and `yardstick` says which. Tokens in the large
 * table: the first argument, default 10^6.
 */
#include <fcntl.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "folder.h"
#include "postgres.h"
#include "spent.h"

enum {
    DAY = 20500,
    CLIENTS_MAX = 10000,
    TOKENS_DEFAULT = 1000000,
};

static const double ROW_S = 2.0; /* at least, of each row */

static uint64_t seed = 0x9e3779b97f4a7c15;

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Keys are hashes: no order, no pattern. */
static void make_key(uint8_t key[PP_SPEND_KEY_BYTES])
{
    for (size_t i = 0; i < PP_SPEND_KEY_BYTES; i += sizeof seed) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        memcpy(key + i, &seed, sizeof seed);
    }
}

static void must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s failed\n", what);
    exit(1);
}

static void insert(struct pp_spent *s, uint32_t day, size_t count)
{
    static struct pp_spent_item items[PP_SPENT_BATCH_MAX];

    for (size_t i = 0; i < count; i++) {
        items[i].day = day;
        make_key(items[i].key);
    }
    must(pp_is_ok(pp_spent_insert_many(s, items, count)), "insert");
    for (size_t i = 0; i < count; i++)
        must(pp_is_ok(items[i].result), "a token");
}

/* --- by clients ------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/*
 * `clients` of them, each with one token before the store, and with the next one as soon as that
 * one is answered. Whoever waits goes in by the batch.
 */
static double row(struct pp_spent *s, const char *label, size_t clients, uint32_t day)
{
    static double since[CLIENTS_MAX], waits[1 << 20];
    size_t head = 0, waited = 0, done = 0;
    double from = now_s(), at = from, cpu = bench_cpu_s();

    for (size_t i = 0; i < clients; i++)
        since[i] = from;
    while (at - from < ROW_S) {
        size_t n = clients < PP_SPENT_BATCH_MAX ? clients : PP_SPENT_BATCH_MAX;
        insert(s, day, n);
        at = now_s();
        for (size_t i = 0; i < n; i++, head = (head + 1) % clients) {
            if (waited < sizeof waits / sizeof waits[0])
                waits[waited++] = at - since[head];
            since[head] = at;
        }
        done += n;
    }
    qsort(waits, waited, sizeof waits[0], compare);
    printf("%-40s %10.0f inserts/s %8.2f ms p50 %8.2f ms p99 %8.2f us CPU/insert\n", label,
           (double)done / (at - from), waits[waited / 2] * 1e3, waits[waited * 99 / 100] * 1e3,
           (bench_cpu_s() - cpu) / (double)done * 1e6);
    fflush(stdout);
    return (double)done / (at - from);
}

static void rows(struct pp_spent *s, const char *name, const char *aim)
{
    static const size_t CLIENTS[] = { 1, 10, 100, 1000, 10000 };
    double best = 0;
    char label[64];

    for (size_t i = 0; i < sizeof CLIENTS / sizeof CLIENTS[0]; i++) {
        snprintf(label, sizeof label, "%s, %zu client%s", name, CLIENTS[i],
                 CLIENTS[i] == 1 ? "" : "s");
        double rate = row(s, label, CLIENTS[i], DAY + (uint32_t)i);
        best = rate > best ? rate : best;
    }
    printf("%-40s %10.0f inserts/s (%s)\n", "  the best of them", best, aim);
}

/* --- a large table ---------------------------------------------------------------------------- */

static void fill(struct pp_spent *s, const char *name, uint32_t day, size_t tokens)
{
    double from = now_s(), first_s = 0, last_from = from;

    for (size_t done = 0; done < tokens;) {
        size_t n = tokens - done < PP_SPENT_BATCH_MAX ? tokens - done : PP_SPENT_BATCH_MAX;
        insert(s, day, n);
        done += n;
        if (first_s == 0 && done >= tokens / 10)
            first_s = now_s() - from;
        if (done <= tokens - tokens / 10)
            last_from = now_s();
    }
    double took = now_s() - from, tenth = (double)(tokens / 10);
    printf("%s, %zu tokens: %.0f s, %.0f inserts/s on the whole\n", name, tokens, took,
           (double)tokens / took);
    printf("%-40s %10.0f inserts/s, in the last %10.0f\n", "  in the first tenth", tenth / first_s,
           tenth / (now_s() - last_from));
    char label[64];
    snprintf(label, sizeof label, "  and then, 1000 clients");
    (void)row(s, label, 1000, day);
}

static void tell_size(const char *name, double bytes, uint64_t tokens)
{
    printf("%-40s %10.1f bytes a token, %.1f MB (aim under 100 bytes)\n", name,
           bytes / (double)tokens, bytes / 1e6);
    fflush(stdout);
}

static uint64_t count_of(struct pp_spent *s, uint32_t day)
{
    uint64_t n = 0;

    must(pp_is_ok(pp_spent_count(s, day, &n)), "count");
    return n;
}

/* Drops everything; what is left of the space says whether it is given back. */
static void retire(struct pp_spent *s, const char *name)
{
    double from = now_s();

    must(pp_is_ok(pp_spent_retire(s, DAY + 1000)), "retire");
    printf("%-40s %10.3f s\n", name, now_s() - from);
}

/* --- the two stores --------------------------------------------------------------------------- */

static void yardstick(const char *folder)
{
    char path[128];
    uint8_t block[4096] = { 0 };
    unsigned n = 0;

    snprintf(path, sizeof path, "%s/yardstick", folder);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    must(fd >= 0, path);
    double from = now_s();
    for (; now_s() - from < 1; n++)
        must(write(fd, block, sizeof block) == (ssize_t)sizeof block && fdatasync(fd) == 0, path);
    printf("%-40s %10.0f syncs/s of 4 KiB appended\n", "yardstick: this disk",
           n / (now_s() - from));
    close(fd);
    unlink(path);
}

static void bench_sqlite(size_t tokens)
{
    struct pp_spent *s = NULL;
    char folder[64], path[96];
    struct stat file = { 0 };

    must(pp_test_folder_make(folder) == 0, "a folder");
    snprintf(path, sizeof path, "%s/spent.db", folder);
    yardstick(folder);
    must(pp_is_ok(pp_spent_open(path, NULL, &s)), "SQLite");
    rows(s, "SQLite", "aim at least 20000");
    retire(s, "SQLite, retiring these epochs");
    pp_spent_close(s);
    snprintf(path, sizeof path, "%s/large.db", folder); /* a file does not shrink */
    must(pp_is_ok(pp_spent_open(path, NULL, &s)), "SQLite");
    fill(s, "SQLite", DAY + 2000, tokens);
    uint64_t there = count_of(s, DAY + 2000);
    pp_spent_close(s); /* what is in the log moves into the file */
    must(stat(path, &file) == 0, path);
    tell_size("SQLite, the file", (double)file.st_size, there);
    (void)pp_test_folder_remove(folder);
}

static double table_bytes(const char *url, uint32_t day)
{
    char sql[96];
    PGconn *c = PQconnectdb(url);

    snprintf(sql, sizeof sql, "SELECT pg_total_relation_size('spent_%u')", day);
    PGresult *r = PQexec(c, sql);
    must(PQresultStatus(r) == PGRES_TUPLES_OK, sql);
    double bytes = strtod(PQgetvalue(r, 0, 0), NULL);
    PQclear(r);
    PQfinish(c);
    return bytes;
}

static void bench_postgres(size_t tokens)
{
    struct pp_test_postgres server;
    struct pp_spent *s = NULL;

    must(pp_test_postgres_new(&server) == 0, "PostgreSQL");
    must(pp_is_ok(pp_spent_open(server.url, NULL, &s)), "PostgreSQL");
    rows(s, "PostgreSQL", "aim at least 5000");
    retire(s, "PostgreSQL, retiring these epochs");
    fill(s, "PostgreSQL", DAY + 2000, tokens);
    tell_size("PostgreSQL, table and index", table_bytes(server.url, DAY + 2000),
              count_of(s, DAY + 2000));
    pp_spent_close(s);
    (void)pp_test_postgres_free(&server);
}

int main(int argc, char **argv)
{
    size_t tokens = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : TOKENS_DEFAULT;

    bench_sqlite(tokens);
    bench_postgres(tokens);
    return 0;
}
