/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that daemons do, behind the walls: a server, a client, a store, worker threads,
 * secrets, cryptography. A system call that one of the libraries needs and the list lacks shows
 * here first.
 */
#include "harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto.h"
#include "db.h"
#include "env.h"
#include "file.h"
#include "net.h"
#include "sandbox.h"
#include "secret.h"

enum { NOBODY = 65534, ALL_WELL = 42, THREADS = 3 };

static char home[64];

/* In the child: a failure tells its line, and the status is another than ALL_WELL. */
#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            dprintf(STDERR_FILENO, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                      \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)
#define MUST_OK(expr)                                                                              \
    do {                                                                                           \
        pp_res must_r = (expr);                                                                    \
        if (!pp_is_ok(must_r)) {                                                                   \
            dprintf(STDERR_FILENO, "%s:%d: %s: %s, %u, %s\n", __FILE__, __LINE__, #expr,           \
                    pp_code_name(must_r.code), must_r.detail, must_r.where);                       \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

struct world {
    struct pp_loop *loop;
    struct pp_listener listener;
    struct pp_http_server *server;
    struct pp_http_client *client;
    struct pp_pool *pool;
    struct pp_db db;
    struct pp_job job;
    struct pp_http_request *waiting;
    struct pp_signal *term;
};

/* --- on a worker thread: the store and a signature ------------------------------------------ */

static void on_work(void *ctx)
{
    struct world *w = (struct world *)ctx;
    struct pp_secret secret = { 0 };
    void *memory = malloc(3 << 20);

    MUST(memory != NULL);
    free(memory);
    MUST_OK(pp_secret_alloc(&secret, 32));
    pp_secret_done(&secret);
    MUST_OK(pp_db_begin(&w->db));
    MUST_OK(pp_db_end(&w->db, pp_db_exec(&w->db, "INSERT INTO t VALUES (1)")));
}

static void on_worked(void *ctx)
{
    struct world *w = (struct world *)ctx;

    pp_http_reply_status(w->waiting, 201);
}

static void on_request(void *ctx, struct pp_http_request *q)
{
    struct world *w = (struct world *)ctx;

    w->waiting = q;
    w->job = (struct pp_job){ on_work, on_worked, w, NULL };
    MUST_OK(pp_pool_submit(w->pool, &w->job));
}

static void on_answer(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct world *w = (struct world *)ctx;

    MUST_OK(r);
    MUST(response->status == 201);
    MUST(raise(SIGTERM) == 0); /* the end comes as a signal */
    (void)w;
}

static void on_term(void *ctx)
{
    pp_loop_stop(((struct world *)ctx)->loop);
}

static void before_the_walls(struct world *w)
{
    const struct pp_http_client_config client = { .calls_max = 2 };
    struct pp_address at;

    MUST_OK(pp_crypto_init());
    MUST_OK(pp_loop_new(&w->loop));
    MUST_OK(pp_signal_new(w->loop, SIGTERM, on_term, w, &w->term));
    MUST_OK(pp_address_parse(PP_STR("127.0.0.1:0"), &at));
    MUST_OK(pp_listener_open(&at, &w->listener));
    MUST_OK(pp_http_client_new(w->loop, &client, &w->client));
    MUST(chdir(home) == 0);
}

static void behind_the_walls(struct world *w, const struct pp_http_route *route)
{
    static const struct pp_db_schema schema = { 0x70707477, 1, "CREATE TABLE t (a INTEGER)" };
    const struct pp_http_server_config server = { .routes = route, .route_count = 1 };
    struct pp_random random = pp_random_system();
    struct pp_problem problem = { 0 };
    uint8_t bytes[64];
    char url[160];
    char at[PP_ADDRESS_TEXT_MAX];
    struct pp_http_pending *pending;

    MUST_OK(pp_random_fill(&random, bytes, sizeof bytes));
    MUST_OK(pp_db_open("store.db", &schema, &problem, &w->db));
    MUST_OK(pp_http_server_new(w->loop, &server, &w->server));
    MUST_OK(pp_http_server_listen(w->server, &w->listener));
    MUST_OK(pp_pool_new(w->loop, THREADS, 8, &w->pool));
    pp_address_write(&w->listener.address, at);
    snprintf(url, sizeof url, "http://%s/x", at);
    const struct pp_http_call call = {
        .method = "POST", .url = url, .body = PP_STR("hello"), .deadline_ms = 20000
    };
    MUST_OK(pp_http_client_start(w->client, &call, on_answer, w, &pending));
    MUST_OK(pp_loop_run(w->loop));
    MUST_OK(pp_file_write(AT_FDCWD, "written", 0600, PP_BYTES(bytes)));

    pp_pool_free(w->pool);
    pp_http_client_free(w->client);
    pp_http_server_free(w->server);
    pp_db_done(&w->db);
    pp_signal_free(w->term);
    pp_loop_free(w->loop);
}

static void run(const char *user)
{
    struct world w = { 0 };
    const struct pp_http_route route = { "POST", "/x", 64, on_request, &w };
    struct pp_sandbox s = { .home = ".", .user = user, .landlock_optional = 1 };
    struct pp_sandbox_report report;
    struct pp_problem problem = { 0 };

    before_the_walls(&w);
    s.connect_ports[s.connect_port_count++] = w.listener.address.port;
    MUST_OK(pp_sandbox_enter(&s, &problem, &report));
    behind_the_walls(&w, &route);
    _exit(ALL_WELL);
}

static void remove_home(void)
{
    char path[512];
    DIR *dir = opendir(home);

    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", home, e->d_name);
        (void)unlink(path);
    }
    closedir(dir);
    assert_int_equal(rmdir(home), 0);
}

static void daemons_work_behind_the_walls(void **state)
{
    (void)state;
    static const char *const users[] = { NULL, "65534" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(users); i++) {
        int status = 0;
        if (users[i] != NULL && geteuid() != 0) {
            print_message("skipped: changing the user needs root\n");
            continue;
        }
        snprintf(home, sizeof home, "/tmp/pp-walls-XXXXXX");
        assert_non_null(mkdtemp(home));
        assert_int_equal(chown(home, users[i] != NULL ? NOBODY : geteuid(), (gid_t)-1), 0);
        fflush(NULL);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            run(users[i]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        remove_home();
        if (!WIFEXITED(status) || WEXITSTATUS(status) != ALL_WELL)
            fail_msg("user %s: wait status %d", users[i] != NULL ? users[i] : "(same)", status);
    }
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(daemons_work_behind_the_walls),
};

PP_TEST_MAIN(TESTS)
