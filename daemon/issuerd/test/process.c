/* SPDX-License-Identifier: Apache-2.0 */
/* pp-issuerd from outside, over its socket. The first argument is its path. */
#include "harness.h"

#include "folder.h"
#include "noon.h"
#include "postgres.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "assertion.h"
#include "crypto.h"
#include "events.h"
#include "file.h"
#include "jwt_test.h"
#include "token_keys.h"

enum { PATIENCE_MS = 20000, ANSWER_BYTES_MAX = 8192 };

#define ISSUER  "issuer.example"
#define ACCOUNT "canary-account-0123456789"

static const char *program;
static char home[64];
static const uint8_t ASSERTION_KEY[PP_ASSERTION_KEY_BYTES] = { 0xa5, 1, 2, 3 };

/* --- the daemon's home ------------------------------------------------------------------------ */

static void write_in_home(const char *name, struct pp_span content)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", home, name);
    assert_ok(pp_file_write(AT_FDCWD, path, 0600, content));
}

static uint32_t today(void)
{
    return (uint32_t)(pp_test_noon_s() / PP_TEST_DAY_S);
}

static struct pp_cred_key key_of(uint32_t day)
{
    const uint8_t seed[PP_CRED_SEED_BYTES] = { (uint8_t)day, 7 };
    struct pp_cred_key key = { 0 };

    assert_ok(pp_cred_key_derive(5, PP_BYTES(seed), &key));
    return key;
}

static void write_key(const char *name, uint32_t day)
{
    const uint8_t seed[PP_CRED_SEED_BYTES] = { (uint8_t)day, 7 };
    char text[PP_TOKEN_KEY_FILE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    const uint64_t midnight = (uint64_t)day * 86400;

    assert_ok(pp_token_key_write(day, 5, midnight - 86400, midnight + 86400, PP_BYTES(seed), &wr));
    write_in_home(name, pp_wr_done(&wr));
}

#define CONFIG                                                                                     \
    "environment = dev\nissuer = " ISSUER "\nkeys = keys\nstore = counts.db\n"                     \
    "assertion_key = assertion.key\n"

static int make_home(void **state)
{
    char path[128];
    char hex[2 * PP_ASSERTION_KEY_BYTES];
    struct pp_wr wr = pp_wr_over(hex, sizeof hex);

    (void)state;
    if (pp_test_folder_make(home) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/keys", home);
    if (mkdir(path, 0700) != 0)
        return -1;
    pp_wr_hex(&wr, PP_BYTES(ASSERTION_KEY));
    write_in_home("assertion.key", pp_wr_done(&wr));
    write_in_home("config", PP_STR(CONFIG));
    write_key("keys/today.key", today());
    return 0;
}

static int remove_home(void **state)
{
    char path[128];

    (void)state;
    snprintf(path, sizeof path, "%s/keys", home);
    return pp_test_folder_remove(path) != 0 || pp_test_folder_remove(home) != 0 ? -1 : 0;
}

/* --- the process ------------------------------------------------------------------------------ */

struct run {
    pid_t pid;
    int err; /* its standard error */
    char err_text[16384];
    unsigned port;
};

static void read_until(int fd, char *text, size_t cap, const char *until)
{
    size_t n = strlen(text);

    while (n + 1 < cap && (until == NULL || strstr(text, until) == NULL)) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
        ssize_t more = read(fd, text + n, cap - 1 - n);
        if (more <= 0)
            return;
        n += (size_t)more;
        text[n] = '\0';
    }
}

/* Starts it and reads what it says when it is ready, or "" if it ended before. `clock_option` is
 * "--clock-fd", or NULL where no test is to be the clock's. */
static void start(struct run *r, const char *clock_option, char *ready_text, size_t cap)
{
    char config[128], number[16], clock[16];
    int ready[2], err[2];

    *r = (struct run){ 0 };
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    snprintf(config, sizeof config, "%s/config", home);
    snprintf(number, sizeof number, "%d", ready[1]);
    snprintf(clock, sizeof clock, "%d", pp_test_noon_fd());
    fflush(NULL);
    r->pid = fork();
    assert_true(r->pid >= 0);
    if (r->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)fcntl(ready[1], F_SETFD, 0);
        (void)fcntl(pp_test_noon_fd(), F_SETFD, 0);
        (void)dup2(err[1], STDERR_FILENO);
        (void)execl(program, program, "--config", config, "--ready-fd", number, clock_option, clock,
                    (char *)NULL);
        _exit(97);
    }
    close(ready[1]);
    close(err[1]);
    r->err = err[0];
    ready_text[0] = '\0';
    read_until(ready[0], ready_text, cap, "ready\n");
    close(ready[0]);
}

static int wait_for(struct run *r)
{
    int status = 0;

    read_until(r->err, r->err_text, sizeof r->err_text, NULL);
    assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
    close(r->err);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void start_ready(struct run *r)
{
    char text[256];

    start(r, "--clock-fd", text, sizeof text);
    if (sscanf(text, "listen http 127.0.0.1:%u\nready\n", &r->port) != 1) {
        int status = wait_for(r);
        fail_msg("not ready (%d): %s", status, r->err_text);
    }
}

static void end(struct run *r, int signal_number, int expected)
{
    assert_int_equal(kill(r->pid, signal_number), 0);
    assert_int_equal(wait_for(r), expected);
}

static int fails_to_start(struct run *r)
{
    char text[256];

    start(r, NULL, text, sizeof text);
    assert_string_equal(text, "");
    return wait_for(r);
}

/* --- HTTP ------------------------------------------------------------------------------------- */

struct answer {
    unsigned status;
    char head[1024];
    uint8_t body[ANSWER_BYTES_MAX];
    size_t body_len;
};

static void send_all(int fd, const void *bytes, size_t len)
{
    assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

static size_t receive_all(int fd, uint8_t *ret, size_t cap)
{
    size_t n = 0;

    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
        ssize_t more = recv(fd, ret + n, cap - n, 0);
        if (more <= 0)
            return n;
        n += (size_t)more;
    }
}

/* `head` is all of the head but its end. */
static struct answer ask(const struct run *r, const char *head, struct pp_span body)
{
    static uint8_t raw[sizeof((struct answer){ 0 }.head) + ANSWER_BYTES_MAX];
    const struct sockaddr_in in = { .sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)r->port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct answer a = { 0 };
    char text[2048];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (const struct sockaddr *)&in, sizeof in), 0);
    int len = snprintf(text, sizeof text, "%sHost: x\r\nConnection: close\r\n\r\n", head);
    assert_in_range(len, 1, sizeof text - 1);
    send_all(fd, text, (size_t)len);
    if (body.len > 0)
        send_all(fd, body.at, body.len);
    size_t got = receive_all(fd, raw, sizeof raw);
    close(fd);
    uint8_t *split = memmem(raw, got, "\r\n\r\n", 4);
    assert_non_null(split);
    size_t head_len = (size_t)(split - raw);
    assert_true(head_len < sizeof a.head);
    memcpy(a.head, raw, head_len);
    a.body_len = got - head_len - 4;
    memcpy(a.body, split + 4, a.body_len);
    assert_int_equal(sscanf(a.head, "HTTP/1.1 %u ", &a.status), 1);
    return a;
}

static struct answer get_directory(const struct run *r)
{
    return ask(r, "GET /.well-known/private-token-issuer-directory HTTP/1.1\r\n",
               (struct pp_span){ NULL, 0 });
}

static struct answer post(const struct run *r, const char *type, const char *authorization,
                          struct pp_span body)
{
    char head[1024];
    int len = snprintf(head, sizeof head,
                       "POST /token-request HTTP/1.1\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                       "%s%s%s",
                       type, body.len, authorization == NULL ? "" : "Authorization: ",
                       authorization == NULL ? "" : authorization,
                       authorization == NULL ? "" : "\r\n");

    assert_in_range(len, 1, sizeof head - 1);
    return ask(r, head, body);
}

#define BATCH_TYPE "application/private-token-amortized-batch-request"

static const char *assertion(const char *account)
{
    static char field[PP_ASSERTION_FIELD_BYTES_MAX + 1];
    struct pp_wr wr = pp_wr_over(field, PP_ASSERTION_FIELD_BYTES_MAX);
    struct pp_assertion a = { .account_len = strlen(account), .expiry_s = pp_test_noon_s() + 600 };

    memcpy(a.account, account, a.account_len);
    assert_ok(pp_assertion_write(&a, PP_STR(ISSUER), PP_BYTES(ASSERTION_KEY), &wr));
    field[wr.len] = '\0';
    return field;
}

/* Asks for a whole batch of the day's key; with 200 the tokens are made and counted. */
static unsigned fetch(const struct run *r, const char *account, uint32_t day)
{
    const uint8_t digest[PP_TOKEN_DIGEST_BYTES] = { 1 };
    const struct pp_random random = pp_random_system();
    struct pp_cred_key key = key_of(day);
    struct pp_cred_issuance x;
    struct pp_secret tokens = { 0 };
    uint8_t request[PP_CRED_REQUEST_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(request, sizeof request);

    assert_ok(
        pp_cred_issuance_begin(&x, PP_CRED_BATCH, &key.pub, digest, PP_CRED_BATCH_MAX, &random));
    pp_cred_issuance_write(&x, &wr);
    struct answer a = post(r, BATCH_TYPE, assertion(account), pp_wr_done(&wr));
    if (a.status == 200) {
        assert_non_null(strstr(a.head, "application/private-token-amortized-batch-response"));
        assert_ok(pp_cred_issuance_finish(&x, pp_span(a.body, a.body_len), &tokens));
        assert_int_equal(tokens.len, 32 * 162);
    } else {
        assert_int_equal(a.body_len, 0);
    }
    pp_secret_done(&tokens);
    pp_cred_issuance_done(&x);
    pp_cred_key_done(&key);
    return a.status;
}

/* --- the tests -------------------------------------------------------------------------------- */

static void a_batch_goes_over_the_wire_once_an_epoch(void **state)
{
    (void)state;
    struct run r;

    start_ready(&r);
    assert_int_equal(fetch(&r, "alice", today()), 200);
    assert_int_equal(fetch(&r, "alice", today()), 429);
    assert_int_equal(fetch(&r, "bob", today()), 200);
    end(&r, SIGTERM, 0);
}

static void faults_have_the_statuses_of_the_table(void **state)
{
    (void)state;
    struct run r;

    start_ready(&r);
    struct answer a = post(&r, BATCH_TYPE, NULL, PP_STR("abc"));
    assert_int_equal(a.status, 401);
    assert_non_null(strstr(a.head, "WWW-Authenticate: PP-Assertion"));
    assert_int_equal(post(&r, BATCH_TYPE, "PP-Assertion AAAA", PP_STR("abc")).status, 401);
    assert_int_equal(post(&r, "text/plain", assertion("alice"), PP_STR("abc")).status, 415);
    a = post(&r, BATCH_TYPE, assertion("alice"), PP_STR("abc"));
    assert_int_equal(a.status, 422);
    assert_int_equal(a.body_len, 0);
    assert_null(strstr(a.head, "WWW-Authenticate"));
    assert_int_equal(fetch(&r, "alice", today() + 3), 422); /* no key of that day */
    static uint8_t large[9000];
    assert_int_equal(post(&r, BATCH_TYPE, assertion("alice"), PP_BYTES(large)).status, 413);
    assert_int_equal(ask(&r, "GET /token-request HTTP/1.1\r\n", PP_STR("")).status, 405);
    assert_int_equal(ask(&r, "GET / HTTP/1.1\r\n", PP_STR("")).status, 404);
    assert_int_equal(fetch(&r, "alice", today()), 200); /* none of it was counted */
    end(&r, SIGTERM, 0);
}

static void the_directory_is_json(void **state)
{
    (void)state;
    struct run r;

    start_ready(&r);
    struct answer a = get_directory(&r);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.head, "application/private-token-issuer-directory"));
    assert_memory_equal(a.body, "{\"issuer-request-uri\":\"/token-request\",\"token-keys\":[{", 54);
    assert_memory_equal(a.body + a.body_len - 3, "}]}", 3);
    end(&r, SIGTERM, 0);
}

static void a_new_key_is_taken_on_sighup_and_a_wrong_folder_is_not(void **state)
{
    (void)state;
    struct run r;

    start_ready(&r);
    assert_int_equal(fetch(&r, "alice", today() + 1), 422);
    write_key("keys/tomorrow.key", today() + 1);
    assert_int_equal(kill(r.pid, SIGHUP), 0);
    read_until(r.err, r.err_text, sizeof r.err_text, "ISSUER_KEYS keys=2");
    assert_int_equal(fetch(&r, "alice", today() + 1), 200);
    write_in_home("keys/broken.key", PP_STR("epoch = soon\n"));
    assert_int_equal(kill(r.pid, SIGHUP), 0);
    read_until(r.err, r.err_text, sizeof r.err_text, "ISSUER_KEYS_REFUSED code=CONFIG");
    assert_int_equal(fetch(&r, "bob", today() + 1), 200);
    end(&r, SIGTERM, 0);
}

/* The same listener may say the same words to the whole network when it has a certificate. */
static void in_prod_clear_text_is_for_this_machine_alone(void **state)
{
    (void)state;
    static const struct {
        const char *lines, *field;
    } rows[] = {
        { "listen = 0.0.0.0:0\n", "  field:    listen\n" },
        { "listen = [::]:0\n", "  field:    listen\n" },
        { "tls_chain = chain\n", "  field:    tls_key\n" },
        { "tls_key = key\n", "  field:    tls_key\n" },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct run r;
        char config[512];
        snprintf(config, sizeof config,
                 "environment = prod\nissuer = i\nkeys = keys\nstore = s\n"
                 "assertion_key = assertion.key\n%s",
                 rows[i].lines);
        write_in_home("config", pp_span_cstr(config));
        assert_int_equal(fails_to_start(&r), 2);
        assert_non_null(strstr(r.err_text, rows[i].field));
    }
}

static int key_is_there(const char *name)
{
    char path[160];

    snprintf(path, sizeof path, "%s/%s", home, name);
    return access(path, F_OK) == 0;
}

/* Nobody needs the key of an epoch that is over; whoever finds it can make its tokens. */
static void keys_of_epochs_that_are_over_are_removed_at_the_start_and_later(void **state)
{
    (void)state;
    struct run r;

    write_key("keys/old.key", today() - 2);
    start_ready(&r);
    read_until(r.err, r.err_text, sizeof r.err_text, "KEYS_DESTROYED party=issuer files=1");
    assert_false(key_is_there("keys/old.key"));
    write_key("keys/older.key", today() - 3);
    r.err_text[0] = '\0';
    assert_int_equal(kill(r.pid, SIGHUP), 0);
    read_until(r.err, r.err_text, sizeof r.err_text, "KEYS_DESTROYED party=issuer files=1");
    assert_false(key_is_there("keys/older.key"));
    assert_true(key_is_there("keys/today.key"));
    end(&r, SIGTERM, 0);
}

static void reload_until(struct run *r, const char *said)
{
    r->err_text[0] = '\0';
    assert_int_equal(kill(r->pid, SIGHUP), 0);
    read_until(r->err, r->err_text, sizeof r->err_text, said);
}

/* Issuers that share their counts need not hold the same keys at every moment. */
static void what_an_account_got_is_remembered_while_the_key_is_away(void **state)
{
    char path[160];
    (void)state;
    struct run r;

    start_ready(&r);
    assert_int_equal(fetch(&r, "alice", today()), 200);
    snprintf(path, sizeof path, "%s/keys/today.key", home);
    assert_int_equal(unlink(path), 0);
    write_key("keys/later.key", today() + 2);
    write_key("keys/tomorrow.key", today() + 1);
    reload_until(&r, "ISSUER_KEYS keys=2");
    assert_int_equal(fetch(&r, "alice", today()), 422);
    write_key("keys/today.key", today());
    reload_until(&r, "ISSUER_KEYS keys=3");
    assert_int_equal(fetch(&r, "alice", today()), 429);
    end(&r, SIGTERM, 0);
}

#define LOGINS_CONFIG "environment = dev\nissuer = i\nkeys = keys\nstore = s\njwks = jwks\n"

/* A token that is good for ten minutes from now. */
static const char *login(const char *kid)
{
    static char field[JWT_FIELD_BYTES];
    struct pp_wr wr = pp_wr_over(field, sizeof field);
    struct pp_ec_key *key = NULL;
    char header[64], claims[256];

    snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"kid\":\"%s\"}", kid);
    snprintf(claims, sizeof claims,
             "{\"iss\":\"https://login.example\",\"aud\":\"issuer.example\",\"sub\":\"alice\","
             "\"exp\":%llu}",
             (unsigned long long)pp_test_noon_s() + 600);
    assert_ok(jwt_test_key(&key));
    assert_ok(jwt_test_field(key, pp_span_cstr(header), pp_span_cstr(claims), &wr));
    pp_ec_key_free(key);
    field[wr.len] = '\0';
    return field;
}

static void accounts_of_a_login_service_are_served_and_its_keys_change_on_sighup(void **state)
{
    (void)state;
    struct run r;

    write_in_home("config", PP_STR(LOGINS_CONFIG "jwt_issuer = https://login.example\n"
                                                 "jwt_audience = issuer.example\n"));
    write_in_home("jwks", PP_STR(JWT_KEYS));
    start_ready(&r);
    struct answer a = post(&r, BATCH_TYPE, assertion("alice"), PP_STR("abc"));
    assert_int_equal(a.status, 401);
    assert_non_null(strstr(a.head, "WWW-Authenticate: Bearer\r\n"));
    assert_int_equal(post(&r, BATCH_TYPE, login("k1"), PP_STR("abc")).status, 422);
    write_in_home("jwks", PP_STR("{\"keys\":[]}"));
    assert_int_equal(kill(r.pid, SIGHUP), 0);
    read_until(r.err, r.err_text, sizeof r.err_text, "ISSUER_JWKS_REFUSED code=CONFIG");
    assert_int_equal(post(&r, BATCH_TYPE, login("k1"), PP_STR("abc")).status, 422);
    write_in_home("jwks", PP_STR("{\"keys\":[" JWT_KEY("k2") "]}"));
    r.err_text[0] = '\0';
    assert_int_equal(kill(r.pid, SIGHUP), 0);
    read_until(r.err, r.err_text, sizeof r.err_text, "ISSUER_KEYS keys=1");
    assert_int_equal(post(&r, BATCH_TYPE, login("k1"), PP_STR("abc")).status, 401);
    assert_int_equal(post(&r, BATCH_TYPE, login("k2"), PP_STR("abc")).status, 422);
    end(&r, SIGTERM, 0);
}

/* What was answered before a crash was counted before it was answered. */
static int connect_from(const struct run *r, uint32_t last_byte)
{
    const struct sockaddr_in in = { .sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)r->port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const struct sockaddr_in own = { .sin_family = AF_INET,
                                     .sin_addr.s_addr = htonl(0x7f000000 + last_byte) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (const struct sockaddr *)&own, sizeof own), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&in, sizeof in), 0);
    return fd;
}

/* Somebody who opens connections and says nothing, or half of something. */
static void one_address_does_not_keep_others_from_their_tokens(void **state)
{
    enum { STORM = 600 };
    static int fds[STORM];
    struct run r;

    (void)state;
    start_ready(&r);
    for (int i = 0; i < STORM; i++) {
        fds[i] = connect_from(&r, 2);
        if (i % 2 == 0)
            (void)send(fds[i], "POST", 4, MSG_NOSIGNAL);
    }
    assert_int_equal(fetch(&r, ACCOUNT, today()), 200);
    assert_int_equal(get_directory(&r).status, 200);
    for (int i = 0; i < STORM; i++)
        close(fds[i]);
    end(&r, SIGTERM, 0);
}

static void counts_survive_sigterm_and_kill_9(void **state)
{
    (void)state;
    struct run r;

    start_ready(&r);
    assert_int_equal(fetch(&r, "alice", today()), 200);
    end(&r, SIGTERM, 0);
    start_ready(&r);
    assert_int_equal(fetch(&r, "alice", today()), 429);
    assert_int_equal(fetch(&r, "bob", today()), 200);
    end(&r, SIGKILL, 1000 + SIGKILL);
    start_ready(&r);
    assert_int_equal(fetch(&r, "bob", today()), 429);
    end(&r, SIGTERM, 0);
}

/* --- counts in a database --------------------------------------------------------------------- */

static void write_database_home(const struct pp_test_postgres *server)
{
    write_in_home("config", PP_STR("environment = dev\nissuer = " ISSUER "\nkeys = keys\n"
                                   "store = postgresql:counts.url\n"
                                   "assertion_key = assertion.key\n"));
    write_in_home("counts.url", pp_span_cstr(server->url));
}

static void two_issuers_with_one_database_count_together(void **state)
{
    (void)state;
    struct pp_test_postgres server;
    struct run first, second;
    unsigned status;

    assert_int_equal(pp_test_postgres_new(&server), 0);
    write_database_home(&server);
    start_ready(&first);
    start_ready(&second);
    assert_int_equal(fetch(&first, "alice", today()), 200);
    assert_int_equal(fetch(&second, "alice", today()), 429);
    pp_test_postgres_kill(&server);
    assert_int_equal(fetch(&first, "bob", today()), 503);
    assert_int_equal(fetch(&first, "alice", today()), 503);
    assert_int_equal(pp_test_postgres_start(&server, NULL), 0);
    do
        status = fetch(&first, "bob", today());
    while (status == 503); /* a lost connection is not tried again at once */
    assert_int_equal(status, 200);
    end(&first, SIGTERM, 0);
    end(&second, SIGTERM, 0);
    assert_null(strstr(first.err_text, "a+password"));
    assert_int_equal(pp_test_postgres_free(&server), 0);
}

static void a_database_url_that_others_may_read_is_refused_and_not_shown(void **state)
{
    (void)state;
    struct run r;
    char path[128];

    write_in_home("config", PP_STR("environment = dev\nissuer = " ISSUER "\nkeys = keys\n"
                                   "store = postgresql:counts.url\n"
                                   "assertion_key = assertion.key\n"));
    assert_int_equal(fails_to_start(&r), 2); /* no such file, and no store in its place */
    write_in_home("counts.url", PP_STR("postgresql://pp:hidden@127.0.0.1/counts"));
    snprintf(path, sizeof path, "%s/counts.url", home);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(fails_to_start(&r), 2);
    assert_non_null(strstr(r.err_text, "store"));
    assert_null(strstr(r.err_text, "hidden"));
    write_in_home("config", PP_STR("environment = dev\nissuer = " ISSUER "\nkeys = keys\n"
                                   "store = postgresql://pp:hidden@127.0.0.1/counts\n"
                                   "assertion_key = assertion.key\n"));
    assert_int_equal(fails_to_start(&r), 2);
    assert_null(strstr(r.err_text, "hidden"));
}

static void a_wrong_configuration_is_refused_with_the_key_that_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *field;
    } wrong[] = {
        { CONFIG "colour = blue\n", "colour" },
        { CONFIG "batches = 9\n", "batches" },
        { CONFIG "batches = 0\n", "batches" },
        { "environment = dev\nissuer = i\nkeys = keys\nstore = s\n", "assertion_key" },
        { CONFIG "jwks = jwks\njwt_issuer = i\njwt_audience = a\n", "both" },
        { CONFIG "jwt_issuer = i\n", "jwt_issuer" },
        { CONFIG "jwt_audience = a\n", "jwt_audience" },
        { LOGINS_CONFIG "jwt_audience = a\n", "jwt_issuer" },
        { LOGINS_CONFIG "jwt_issuer = i\n", "jwt_audience" },
        { LOGINS_CONFIG "jwt_issuer = i\njwt_audience = a\n", "jwks" },
        { "environment = dev\nkeys = keys\nstore = s\nassertion_key = assertion.key\n", "issuer" },
        { CONFIG "assertion_key = assertion.key\nassertion_key = assertion.key\n",
          "assertion_key" },
        { "environment = dev\nissuer = i\nkeys = keys\nstore = s\nassertion_key = config\n",
          "config" },
        { "environment = dev\nissuer = i\nkeys = none\nstore = s\n"
          "assertion_key = assertion.key\n",
          "none" },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(wrong); i++) {
        struct run r;
        write_in_home("config", pp_span_cstr(wrong[i].text));
        assert_int_equal(fails_to_start(&r), 2);
        if (strstr(r.err_text, wrong[i].field) == NULL)
            fail_msg("%s is not named: %s", wrong[i].field, r.err_text);
    }
    write_in_home("config", PP_STR(CONFIG));
    write_in_home("keys/broken.key", PP_STR("secret = 0123456789abcdef\n"));
    struct run r;
    assert_int_equal(fails_to_start(&r), 2);
    assert_non_null(strstr(r.err_text, "broken.key"));
    assert_null(strstr(r.err_text, "0123456789abcdef"));
}

static int file_holds(const char *name, const char *text)
{
    char path[256];
    struct pp_buf content = { 0 };

    snprintf(path, sizeof path, "%s/%s", home, name);
    if (!pp_is_ok(pp_file_read(AT_FDCWD, path, 1 << 20, &content)))
        return 0;
    int found = memmem(content.bytes, content.len, text, strlen(text)) != NULL;
    pp_buf_done(&content);
    return found;
}

/* W5.T1, W6: the log has lines of the catalogue alone, and nothing anywhere names an account. */
static void w5_t1_no_account_reaches_the_log_or_the_disk(void **state)
{
    (void)state;
    struct run r;
    const char *line;
    char *rest;

    start_ready(&r);
    assert_int_equal(fetch(&r, ACCOUNT, today()), 200);
    assert_int_equal(fetch(&r, ACCOUNT, today()), 429);
    assert_int_equal(post(&r, BATCH_TYPE, assertion(ACCOUNT), PP_STR(ACCOUNT)).status, 422);
    assert_int_equal(post(&r, BATCH_TYPE, ACCOUNT, PP_STR(ACCOUNT)).status, 401);
    assert_false(file_holds("counts.db", ACCOUNT));
    assert_false(file_holds("counts.db-wal", ACCOUNT));
    end(&r, SIGTERM, 0);
    assert_null(strstr(r.err_text, ACCOUNT));
    assert_null(strstr(r.err_text, "canary"));
    assert_non_null(strstr(r.err_text, "event=HTTP_TOTALS party=issuer answered=4 "));
    assert_non_null(strstr(r.err_text, "event=ISSUER_TOTALS issued=1 unauthorized=1 limited=1 "
                                       "malformed=1 failed=0"));
    rest = r.err_text;
    while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
        char with_end[PP_EVENT_LINE_MAX + 1];
        struct pp_event event;
        int len = snprintf(with_end, sizeof with_end, "%s\n", line);
        assert_ok(pp_event_parse(pp_span(with_end, (size_t)len), UINT32_MAX, &event));
    }
}

#define IN_A_HOME(test) cmocka_unit_test_setup_teardown(test, make_home, remove_home)

static const struct CMUnitTest TESTS[] = {
    IN_A_HOME(a_batch_goes_over_the_wire_once_an_epoch),
    IN_A_HOME(faults_have_the_statuses_of_the_table),
    IN_A_HOME(the_directory_is_json),
    IN_A_HOME(in_prod_clear_text_is_for_this_machine_alone),
    IN_A_HOME(a_new_key_is_taken_on_sighup_and_a_wrong_folder_is_not),
    IN_A_HOME(keys_of_epochs_that_are_over_are_removed_at_the_start_and_later),
    IN_A_HOME(what_an_account_got_is_remembered_while_the_key_is_away),
    IN_A_HOME(accounts_of_a_login_service_are_served_and_its_keys_change_on_sighup),
    IN_A_HOME(one_address_does_not_keep_others_from_their_tokens),
    IN_A_HOME(counts_survive_sigterm_and_kill_9),
    IN_A_HOME(two_issuers_with_one_database_count_together),
    IN_A_HOME(a_database_url_that_others_may_read_is_refused_and_not_shown),
    IN_A_HOME(a_wrong_configuration_is_refused_with_the_key_that_is_wrong),
    IN_A_HOME(w5_t1_no_account_reaches_the_log_or_the_disk),
};

int main(int argc, char **argv)
{
    if (argc < 2 || !pp_is_ok(pp_crypto_init()))
        return 1;
    program = argv[1];
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
