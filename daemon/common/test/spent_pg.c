/* SPDX-License-Identifier: Apache-2.0 */
/* What a store in PostgreSQL can suffer, and that nothing is accepted twice by it. */
#include "harness.h"

#include "postgres.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crypto.h"
#include "file.h"
#include "sandbox.h"
#include "spent.h"
#include "where.h"

enum { DAY = 20500, NOBODY = 65534 };

static struct pp_test_postgres server;
static int can_mount; /* a disk that nobody else sees */

static int start_server(void **state)
{
    (void)state;
    return pp_test_postgres_new(&server);
}

static int end_server(void **state)
{
    (void)state;
    return pp_test_postgres_free(&server);
}

static struct pp_spent *open_store(void)
{
    struct pp_spent *s = NULL;

    assert_ok(pp_spent_open(server.url, NULL, &s));
    return s;
}

static void set_item(struct pp_spent_item *item, uint32_t day, uint32_t n)
{
    *item = (struct pp_spent_item){ .day = day };
    item->key[0] = (uint8_t)(n * 151); /* not in order */
    memcpy(item->key + 12, &n, sizeof n);
}

static pp_res insert(struct pp_spent *s, uint32_t day, uint32_t n)
{
    struct pp_spent_item item;

    set_item(&item, day, n);
    return pp_spent_insert(s, day, item.key);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What one row of an administrator's own query says; "" without one. */
static void ask(const char *sql, char ret[64])
{
    PGconn *c = PQconnectdb(server.url);
    PGresult *r = PQexec(c, sql);
    ExecStatusType status = PQresultStatus(r);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        print_error("%s: %s\n", sql, PQerrorMessage(c));
    assert_true(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK);
    snprintf(ret, 64, "%s", PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : "");
    PQclear(r);
    PQfinish(c);
}

/* The floor never sinks again, so one wrong clock would refuse everybody's tokens for good. */
static void a_gateway_whose_clock_runs_ahead_closes_no_epoch_that_is_not_over(void **state)
{
    const uint32_t today = (uint32_t)(time(NULL) / 86400);
    (void)state;
    struct pp_spent *s = open_store();
    char text[64];

    assert_ok(insert(s, today, 1));
    assert_ok(pp_spent_retire(s, today + 9));
    ask("SELECT day FROM spent_floor", text);
    assert_string_equal(text, "0");
    assert_code(insert(s, today, 1), PP_E_SPENT); /* and what is in its table stays there */
    assert_ok(insert(s, today, 2));
    assert_ok(insert(s, today + 1, 1));
    assert_ok(pp_spent_retire(s, DAY - 9)); /* the clock is right again */
    ask("SELECT day FROM spent_floor", text);
    assert_string_equal(text, "20491");
    pp_spent_close(s);
}

/*
 * A gateway that retires an epoch while another one makes its table: who comes second waits, and
 * sees what the first one did.
 */
static void a_table_is_not_made_while_somebody_moves_the_floor(void **state)
{
    enum { LATE = 20495 };
    (void)state;
    struct pp_spent *s = open_store();
    PGconn *c = PQconnectdb(server.url);

    PQclear(PQexec(c, "BEGIN; UPDATE spent_floor SET day = 20496 WHERE day < 20496"));
    assert_code(insert(s, LATE, 1), PP_E_STORE); /* what it waits for does not come in time */
    PQclear(PQexec(c, "COMMIT"));
    PQfinish(c);
    assert_code(insert(s, LATE, 1), PP_E_SPENT);
    pp_spent_close(s);
}

/* Tables that are not as the store makes them: what comes back is compared with what was asked. */
static void a_server_that_answers_with_other_keys_is_not_believed(void **state)
{
    (void)state;
    struct pp_spent *s = open_store();
    char text[64];

    ask("CREATE TABLE spent_20600 (key TEXT NOT NULL PRIMARY KEY)", text);
    assert_code(insert(s, 20600, 1), PP_E_STORE);
    ask("CREATE TABLE spent_20601 (key UUID NOT NULL PRIMARY KEY);"
        "CREATE FUNCTION another() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.key := gen_random_uuid(); RETURN NEW; END $$;"
        "CREATE TRIGGER t BEFORE INSERT ON spent_20601 FOR EACH ROW EXECUTE FUNCTION another()",
        text);
    assert_code(insert(s, 20601, 1), PP_E_STORE);
    pp_spent_close(s);
}

/* Asks until the store answers again: a lost connection is not tried again at once. */
static pp_res insert_when_back(struct pp_spent *s, uint32_t day, uint32_t n)
{
    int64_t end = now_ms() + 20000;
    pp_res r;

    do
        r = insert(s, day, n);
    while (r.code == PP_E_STORE && now_ms() < end);
    return r;
}

/* --- the server dies -------------------------------------------------------------------------- */

enum { CUTS = 3, CUT_BATCH = 7 };

/* Inserts batch after batch and acknowledges each, until the store does not answer. */
static void insert_until_refused(int out)
{
    struct pp_spent *s = NULL;

    if (!pp_is_ok(pp_spent_open(server.url, NULL, &s)))
        _exit(1);
    for (uint32_t n = 0;; n += CUT_BATCH) {
        struct pp_spent_item items[CUT_BATCH];
        for (uint32_t i = 0; i < CUT_BATCH; i++)
            set_item(&items[i], DAY, n + i);
        pp_res r = pp_spent_insert_many(s, items, CUT_BATCH);
        if (r.code == PP_E_STORE)
            _exit(0);
        for (uint32_t i = 0; i < CUT_BATCH; i++)
            if (!pp_is_ok(items[i].result))
                _exit(2);
        if (!pp_is_ok(r) || write(out, &n, sizeof n) != (ssize_t)sizeof n)
            _exit(3);
    }
}

/* Cuts the power after so many acknowledgements; gives how many tokens were acknowledged at all. */
static uint32_t cut(uint32_t acknowledgements)
{
    int ack[2], status = 0;
    uint32_t n = 0, end = 0;

    assert_int_equal(pipe(ack), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ack[0]);
        insert_until_refused(ack[1]);
    }
    close(ack[1]);
    while (end < acknowledgements * CUT_BATCH) {
        assert_int_equal(read(ack[0], &n, sizeof n), sizeof n);
        end = n + CUT_BATCH;
    }
    pp_test_postgres_kill(&server);
    while (read(ack[0], &n, sizeof n) == (ssize_t)sizeof n)
        end = n + CUT_BATCH;
    close(ack[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return end;
}

static void nothing_acknowledged_is_lost_when_the_server_is_killed(void **state)
{
    (void)state;
    char count[64];

    for (uint32_t i = 0; i < CUTS; i++) {
        uint32_t end = cut(1 + i * 37 % 60);
        assert_int_equal(pp_test_postgres_start(&server, NULL), 0);
        struct pp_spent *s = open_store();
        for (uint32_t n = 0; n < end; n++)
            assert_code(insert(s, DAY, n), PP_E_SPENT);
        /* The batch in flight is in the table whole, or not at all. */
        ask("SELECT count(*) FROM spent_20500", count);
        uint32_t there = (uint32_t)strtoul(count, NULL, 10);
        assert_true(there == end || there == end + CUT_BATCH);
        pp_spent_close(s);
        ask("DROP TABLE spent_20500", count);
    }
}

static void a_server_that_is_down_accepts_nothing_until_it_is_back(void **state)
{
    (void)state;
    struct pp_spent *s = open_store();
    struct pp_spent *none = NULL;
    struct pp_problem problem = { 0 };

    assert_ok(insert(s, DAY + 1, 1));
    pp_test_postgres_kill(&server);
    for (uint32_t n = 1; n < 50; n++) {
        assert_code(insert(s, DAY + 1, n), PP_E_STORE);
        assert_code(pp_spent_retire(s, DAY), PP_E_STORE);
    }
    assert_code(pp_spent_open(server.url, &problem, &none), PP_E_STORE);
    assert_true(problem.got[0] != '\0');
    assert_null(strstr(problem.got, "password"));
    assert_null(none);
    assert_int_equal(pp_test_postgres_start(&server, NULL), 0);
    assert_code(insert_when_back(s, DAY + 1, 1), PP_E_SPENT);
    assert_ok(insert(s, DAY + 1, 2));
    pp_spent_close(s);
}

/* --- the server is slow, or promises too little ----------------------------------------------- */

/* Tells the server to stop waiting for its standby, as soon as it does wait. */
static pid_t cancel_wait(void)
{
    pid_t child = fork();
    char text[64] = "0";

    assert_true(child >= 0);
    if (child != 0)
        return child;
    while (strcmp(text, "1") != 0)
        ask("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity"
            " WHERE wait_event = 'SyncRep'",
            text);
    _exit(0);
}

/*
 * A server that is told to stop waiting for its standby reports the commit as done, with a warning:
 * the row is on one machine alone. What a role was told about commits is not asked.
 */
static void a_commit_that_no_standby_confirmed_is_not_acknowledged(void **state)
{
    (void)state;
    struct pp_spent *s = open_store();
    char text[64];

    assert_ok(insert(s, DAY + 2, 1));
    ask("ALTER ROLE pp SET synchronous_commit = off", text);
    pp_test_postgres_kill(&server);
    assert_int_equal(pp_test_postgres_start(&server, "synchronous_standby_names=nobody"), 0);
    assert_code(insert(s, DAY + 2, 2), PP_E_STORE); /* the old connection */
    pid_t canceller = cancel_wait();
    assert_code(insert(s, DAY + 2, 3), PP_E_STORE);
    assert_int_equal(waitpid(canceller, NULL, 0), canceller);
    ask("SELECT count(*) FROM spent_20502", text);
    assert_string_equal(text, "2"); /* it has committed */
    pp_test_postgres_kill(&server);
    assert_int_equal(pp_test_postgres_start(&server, NULL), 0);
    assert_code(insert_when_back(s, DAY + 2, 3), PP_E_SPENT);
    pp_spent_close(s);
    ask("ALTER ROLE pp RESET synchronous_commit", text);
}

static void a_server_that_hangs_costs_a_deadline_and_nothing_is_accepted(void **state)
{
    (void)state;
    struct pp_spent *s = open_store();
    char text[64];

    assert_ok(insert(s, DAY + 3, 1));
    ask("SELECT pid FROM pg_stat_activity WHERE application_name = 'pp'", text);
    pid_t backend = (pid_t)strtol(text, NULL, 10);
    assert_true(backend > 1);
    assert_int_equal(kill(backend, SIGSTOP), 0);
    int64_t from = now_ms();
    assert_code(insert(s, DAY + 3, 2), PP_E_STORE);
    int64_t took = now_ms() - from;
    assert_int_equal(kill(backend, SIGCONT), 0);
    assert_true(took < 10000);
    assert_code(insert(s, DAY + 3, 1), PP_E_SPENT); /* on a new connection */
    pp_spent_close(s);
}

static void a_server_that_does_not_sync_its_disk_is_refused(void **state)
{
    (void)state;
    struct pp_problem problem = { 0 };
    struct pp_spent *s = NULL;

    pp_test_postgres_kill(&server);
    assert_int_equal(pp_test_postgres_start(&server, "fsync=off"), 0);
    assert_code(pp_spent_open(server.url, &problem, &s), PP_E_STORE);
    assert_non_null(strstr(problem.expected, "fsync"));
    pp_test_postgres_kill(&server);
    assert_int_equal(pp_test_postgres_start(&server, NULL), 0);
}

static void a_wrong_password_is_refused_and_not_repeated(void **state)
{
    (void)state;
    struct pp_problem problem = { 0 };
    struct pp_spent *s = NULL;
    char url[160];

    snprintf(url, sizeof url, "postgresql://pp:hidden@/postgres?host=%s", server.folder);
    assert_code(pp_spent_open(url, &problem, &s), PP_E_STORE);
    assert_non_null(strstr(problem.got, "authentication"));
    assert_null(strstr(problem.got, "hidden"));
    assert_code(pp_spent_open("postgresql://pp:hidden@192.0.2.1/d", &problem, &s), PP_E_CONFIG);
    assert_null(strstr(problem.got, "hidden"));
}

static void tables_of_another_version_are_refused(void **state)
{
    (void)state;
    struct pp_problem problem = { 0 };
    struct pp_spent *s = NULL;
    char text[64];

    pp_spent_close(open_store());
    ask("UPDATE spent_floor SET version = 2", text);
    assert_code(pp_spent_open(server.url, &problem, &s), PP_E_STORE);
    assert_string_equal(problem.field, "spent_floor");
    ask("UPDATE spent_floor SET version = 1", text);
}

/* --- several gateways ------------------------------------------------------------------------- */

/* W4: each of them would accept each token once. In which schema a role is, its server says. */
static void w4_t2_a_gateway_whose_tables_are_in_another_schema_does_not_start(void **state)
{
    (void)state;
    struct pp_problem problem = { 0 };
    struct pp_spent *s = NULL;
    char text[64];

    pp_spent_close(open_store());
    ask("CREATE SCHEMA other", text);
    ask("ALTER ROLE pp SET search_path = other", text);
    assert_code(pp_spent_open(server.url, &problem, &s), PP_E_STORE);
    assert_string_equal(problem.field, "schemas with spent_floor");
    assert_string_equal(problem.got, "2");
    ask("ALTER ROLE pp RESET search_path", text);
    assert_code(pp_spent_open(server.url, &problem, &s), PP_E_STORE); /* nobody, until one goes */
    ask("DROP SCHEMA other CASCADE", text);
    pp_spent_close(open_store());
}

enum { STARTERS = 6 };

static void gateways_that_start_together_make_one_set_of_tables(void **state)
{
    (void)state;
    pid_t children[STARTERS];
    int gate[2];
    unsigned accepted = 0;
    char text[64];

    ask("DROP TABLE IF EXISTS spent_floor", text);
    assert_int_equal(pipe(gate), 0);
    for (size_t i = 0; i < STARTERS; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            struct pp_spent *s = NULL;
            char c;
            close(gate[1]);
            if (read(gate[0], &c, 1) != 0 || !pp_is_ok(pp_spent_open(server.url, NULL, &s)))
                _exit(9);
            pp_res r = insert(s, DAY + 9, 1);
            _exit(pp_is_ok(r) ? 1 : r.code == PP_E_SPENT ? 0 : 8);
        }
    }
    close(gate[0]);
    close(gate[1]);
    for (size_t i = 0; i < STARTERS; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
        accepted += (unsigned)WEXITSTATUS(status);
    }
    assert_int_equal(accepted, 1);
}

/* --- behind the walls of a daemon ------------------------------------------------------------- */

/* Opens the store and inserts, says so, and does it again when the server has been killed. */
static int serve_walled(int to, int from)
{
    const struct pp_sandbox walls = { .home = ".",
                                      .user = geteuid() == 0 ? "65534" : NULL,
                                      .landlock_optional = 1 };
    struct pp_sandbox_report report;
    struct pp_problem problem = { 0 };
    struct pp_spent *s = NULL;
    char url[160], c = 0;

    if (chdir(server.folder) != 0 || !pp_is_ok(pp_sandbox_enter(&walls, &problem, &report)))
        return 1;
    snprintf(url, sizeof url, "postgresql://pp:a+password@/postgres?host=%s",
             report.chroot ? "/" : server.folder);
    if (!pp_is_ok(pp_spent_open(url, &problem, &s)) || !pp_is_ok(insert(s, DAY + 10, 1)) ||
        write(to, &c, 1) != 1 || read(from, &c, 1) != 1)
        return 2;
    if (insert(s, DAY + 10, 1).code != PP_E_STORE ||
        insert_when_back(s, DAY + 10, 1).code != PP_E_SPENT)
        return 3;
    pp_spent_close(s);
    return 0;
}

static void a_sandboxed_daemon_connects_and_connects_again(void **state)
{
    (void)state;
    int to[2], from[2], status = 0;
    char c = 0;

    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(serve_walled(from[1], to[0]));
    close(from[1]);
    assert_int_equal(read(from[0], &c, 1), 1);
    pp_test_postgres_kill(&server);
    assert_int_equal(pp_test_postgres_start(&server, NULL), 0);
    assert_int_equal(write(to[1], &c, 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close(from[0]);
    close(to[0]);
    close(to[1]);
}

/* --- over TCP --------------------------------------------------------------------------------- */

static void run_openssl(void)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        if (chdir(server.folder) != 0 || freopen("/dev/null", "w", stderr) == NULL ||
            (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)))
            _exit(126);
        (void)execlp("openssl", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                     "-addext", "subjectAltName=DNS:localhost", "-keyout", "server.key", "-out",
                     "server.crt", (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* One that nobody has, and that the kernel gives to nobody. */
static unsigned free_port(void)
{
    for (unsigned port = 20000 + (unsigned)getpid() % 8000; port < 30000; port++) {
        const struct sockaddr_in in = { .sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int is_free = bind(fd, (const struct sockaddr *)&in, sizeof in) == 0;
        close(fd);
        if (is_free)
            return port;
    }
    return 0;
}

/* As a daemon does it: the URL from its file and the names before the walls, the rest behind. */
static int insert_over_tls(const char *host, unsigned port, uint32_t n)
{
    struct pp_sandbox walls = { .home = ".",
                                .user = geteuid() == 0 ? "65534" : NULL,
                                .landlock_optional = 1 };
    struct pp_sandbox_report report;
    struct pp_problem problem = { 0 };
    struct pp_where where = { 0 };
    struct pp_spent *s = NULL;
    char text[256];

    int len = snprintf(text, sizeof text,
                       "postgresql://pp:a+password@%s:%u/postgres"
                       "?sslmode=verify-full&sslrootcert=server.crt",
                       host, port);
    if (chdir(server.folder) != 0 || !pp_is_ok(pp_crypto_init()) ||
        !pp_is_ok(pp_file_write(AT_FDCWD, "spent.url", 0600, pp_span(text, (size_t)len))) ||
        !pp_is_ok(pp_where_read(PP_STR("postgresql:spent.url"), &problem, &where)) ||
        where.port_count != 1 || where.ports[0] != port)
        return 1;
    walls.connect_ports[walls.connect_port_count++] = where.ports[0];
    if (!pp_is_ok(pp_sandbox_enter(&walls, &problem, &report)))
        return 2;
    pp_res r = pp_spent_open(pp_where_text(&where), &problem, &s);
    if (!pp_is_ok(r))
        return strstr(problem.got, "certificate") != NULL ? 3 : 4;
    r = insert(s, DAY + 11, n);
    pp_spent_close(s);
    pp_where_done(&where);
    return pp_is_ok(r) ? 0 : 5;
}

static int in_child(const char *host, unsigned port, uint32_t n)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(insert_over_tls(host, port, n));
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void a_sandboxed_daemon_reaches_a_server_that_proves_its_name(void **state)
{
    (void)state;
    char sql[64], text[64], url[160];
    unsigned port = free_port();

    assert_true(port != 0);
    run_openssl();
    snprintf(sql, sizeof sql, "ALTER SYSTEM SET port = %u", port);
    ask(sql, text);
    ask("ALTER SYSTEM SET ssl_cert_file = '../server.crt'", text);
    ask("ALTER SYSTEM SET ssl_key_file = '../server.key'", text);
    ask("ALTER SYSTEM SET ssl = on", text);
    pp_test_postgres_kill(&server);
    assert_int_equal(pp_test_postgres_start(&server, "listen_addresses=localhost"), 0);
    snprintf(url, sizeof url, "%s", server.url);
    snprintf(server.url, sizeof server.url, "%.120s&port=%u", url, port);
    assert_int_equal(in_child("localhost", port, 1), 0);
    assert_int_equal(in_child("127.0.0.1", port, 2), 3); /* not what the certificate names */
    ask("SELECT count(*) FROM spent_20511", text);
    assert_string_equal(text, "1");
    ask("ALTER SYSTEM RESET ALL", text);
    snprintf(server.url, sizeof server.url, "%s", url);
    pp_test_postgres_kill(&server);
    assert_int_equal(pp_test_postgres_start(&server, NULL), 0);
}

/* --- a full disk ------------------------------------------------------------------------------ */

/* A database on a disk of 16 MiB that this process and its server alone see. */
static void make_small_disk(char url[160])
{
    char folder[96], sql[160], text[64];

    snprintf(folder, sizeof folder, "%s/small", server.folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(mount("pp-test", folder, "tmpfs", 0, "size=16m,mode=700,uid=65534"), 0);
    snprintf(sql, sizeof sql, "CREATE TABLESPACE small LOCATION '%s'", folder);
    ask(sql, text);
    ask("CREATE DATABASE small TABLESPACE small", text);
    snprintf(url, 160, "postgresql://pp:a+password@/small?host=%s", server.folder);
}

static void a_full_disk_accepts_nothing(void **state)
{
    (void)state;
    static struct pp_spent_item items[PP_SPENT_BATCH_MAX];
    struct pp_spent *s = NULL;
    char url[160], folder[96];
    uint32_t n = 0;
    pp_res r;

    if (!can_mount)
        skip(); /* nobody else can mount a disk; SQLite's case has a limit that all can set */
    make_small_disk(url);
    assert_ok(pp_spent_open(url, NULL, &s));
    do {
        for (uint32_t i = 0; i < PP_SPENT_BATCH_MAX; i++)
            set_item(&items[i], DAY, n + i);
        r = pp_spent_insert_many(s, items, PP_SPENT_BATCH_MAX);
        n += PP_SPENT_BATCH_MAX;
    } while (pp_is_ok(r) && n < 1 << 20);
    assert_code(r, PP_E_DISK_FULL);
    for (size_t i = 0; i < PP_SPENT_BATCH_MAX; i++)
        assert_code(items[i].result, PP_E_DISK_FULL);
    assert_code(insert(s, DAY, 0), PP_E_SPENT); /* what was acknowledged still counts */
    pp_spent_close(s);
    pp_test_postgres_kill(&server);
    snprintf(folder, sizeof folder, "%s/small", server.folder);
    assert_int_equal(umount2(folder, MNT_DETACH), 0);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_gateway_whose_clock_runs_ahead_closes_no_epoch_that_is_not_over),
    cmocka_unit_test(a_table_is_not_made_while_somebody_moves_the_floor),
    cmocka_unit_test(a_server_that_answers_with_other_keys_is_not_believed),
    cmocka_unit_test(nothing_acknowledged_is_lost_when_the_server_is_killed),
    cmocka_unit_test(a_server_that_is_down_accepts_nothing_until_it_is_back),
    cmocka_unit_test(a_commit_that_no_standby_confirmed_is_not_acknowledged),
    cmocka_unit_test(a_server_that_hangs_costs_a_deadline_and_nothing_is_accepted),
    cmocka_unit_test(a_server_that_does_not_sync_its_disk_is_refused),
    cmocka_unit_test(a_wrong_password_is_refused_and_not_repeated),
    cmocka_unit_test(tables_of_another_version_are_refused),
    cmocka_unit_test(gateways_that_start_together_make_one_set_of_tables),
    cmocka_unit_test(w4_t2_a_gateway_whose_tables_are_in_another_schema_does_not_start),
    cmocka_unit_test(a_sandboxed_daemon_connects_and_connects_again),
    cmocka_unit_test(a_sandboxed_daemon_reaches_a_server_that_proves_its_name),
    cmocka_unit_test(a_full_disk_accepts_nothing), /* the last: its server does not come back */
};

int main(void)
{
    /* Mounts of this process are nobody else's. Not everybody may, nor root in every container. */
    can_mount = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
                mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    return cmocka_run_group_tests(TESTS, start_server, end_server);
}
