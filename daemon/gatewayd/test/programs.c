/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pp-relayd and pp-gatewayd as they are installed: two processes behind their sandboxes, a CVM and
 * a device in this one. The arguments are the two programs.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto.h"
#include "device.h"
#include "events.h"
#include "file.h"
#include "frame.h"
#include "handle_keys.h"
#include "keyfile.h"
#include "net.h"
#include "noon.h"
#include "postgres.h"
#include "text.h"
#include "token_keys.h"
#include "wr.h"

#if defined(PP_SANITIZE)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

enum { PATIENCE_MS = 20000, DAY = 86400, AT_ONCE = 30, CVM_STREAMS = 2 };

static const char *relayd, *gatewayd;

struct program {
    pid_t pid;
    int err;
    unsigned port;
    char err_text[1 << 16];
};

struct world {
    char folder[64];
    uint64_t day;
    struct pp_cred_key cred_key;
    struct device device;
    struct program relay, gateway, second; /* another gateway of the fleet */

    struct pp_loop *loop;
    struct pp_timer *patience;
    struct pp_http_client *client;
    uint32_t outer_status;
    size_t outer_len;

    struct pp_listener cvm_listener;
    struct pp_stream_server *cvm_server;
    struct cvm_stream {
        struct world *world;
        struct pp_stream *stream; /* NULL: free */
        struct pp_frame_rd reader;
        uint8_t buf[PP_FRAME_REQUEST_BYTES_MAX];
    } cvm_streams[CVM_STREAMS];
    struct pp_stream *cvm_stream; /* of the gateway that asked last */
    struct pp_frame asked;        /* the last request */
    int hold;                     /* the CVM does not answer by itself */
    struct pp_frame held[AT_ONCE];
    size_t held_count, held_max; /* held_max > 0: answer all when so many are held */
    size_t answered, opens;
    int breaks; /* the CVM ends its connection instead of an answer */
};

/* --- files ---------------------------------------------------------------------------------- */

static const char *path_in(const struct world *w, const char *name)
{
    static char path[4][160];
    static int turn;

    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", w->folder, name);
    return path[turn];
}

static void put(const struct world *w, const char *name, mode_t mode, struct pp_span text)
{
    assert_ok(pp_file_write(AT_FDCWD, path_in(w, name), mode, text));
}

static void put_text(const struct world *w, const char *name, const char *text)
{
    put(w, name, 0600, pp_span_cstr(text));
}

/* The day's keys, under the name 1, or those of two days ago, under the name 0. */
static void put_day_keys(struct world *w, int is_old)
{
    const uint64_t day = is_old ? w->day - 2 : w->day;
    struct pp_ohttp_keyfile k = { .use_from_s = day * DAY,
                                  .use_until_s = (day + 1) * DAY,
                                  .id = 4,
                                  .kem = PP_KEM_X25519_SHA256,
                                  .suites = { DEVICE_SUITE },
                                  .suite_count = 1 };
    static const uint8_t seed[PP_CRED_SEED_BYTES] = { 1 };
    struct pp_kem_key *key = NULL;
    char text[2048];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    assert_ok(pp_kem_key_generate(k.kem, &w->device.random, &key));
    assert_ok(pp_kem_key_export(key, &k.sk_secret));
    if (!is_old) {
        w->device.key = (struct pp_keyconf){ .id = 4, .kem = k.kem, .public_key_len = 32 };
        memcpy(w->device.key.public_key, pp_kem_key_public(key).at, PP_X25519_BYTES);
    }
    pp_kem_key_free(key);
    assert_ok(pp_ohttp_keyfile_write(&k, &wr));
    pp_ohttp_keyfile_done(&k);
    put(w, is_old ? "gateway/ohttp/0.key" : "gateway/ohttp/1.key", 0600, pp_wr_done(&wr));

    wr = pp_wr_over(text, sizeof text);
    assert_ok(pp_token_key_write((uint32_t)day, PP_TOKEN_VOPRF_RISTRETTO255, (day - 1) * DAY,
                                 (day + 1) * DAY, PP_BYTES(seed), &wr));
    put(w, is_old ? "gateway/tokens/0.key" : "gateway/tokens/1.key", 0600, pp_wr_done(&wr));
}

/* Another key of OHTTP beside the day's. */
static void put_second_ohttp_key(struct world *w, struct pp_keyconf *ret)
{
    struct pp_ohttp_keyfile k = { .use_from_s = w->day * DAY,
                                  .use_until_s = (w->day + 1) * DAY,
                                  .id = 5,
                                  .kem = PP_KEM_X25519_SHA256,
                                  .suites = { DEVICE_SUITE },
                                  .suite_count = 1 };
    struct pp_kem_key *key = NULL;
    char text[2048];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    assert_ok(pp_kem_key_generate(k.kem, &w->device.random, &key));
    assert_ok(pp_kem_key_export(key, &k.sk_secret));
    *ret = (struct pp_keyconf){ .id = 5, .kem = k.kem, .public_key_len = PP_X25519_BYTES };
    memcpy(ret->public_key, pp_kem_key_public(key).at, PP_X25519_BYTES);
    pp_kem_key_free(key);
    assert_ok(pp_ohttp_keyfile_write(&k, &wr));
    pp_ohttp_keyfile_done(&k);
    put(w, "gateway/ohttp/2.key", 0600, pp_wr_done(&wr));
}

static void put_other_handle_key(struct world *w)
{
    static const uint8_t key[PP_HANDLE_KEY_BYTES] = { 3 };
    char text[PP_HANDLE_KEY_FILE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    assert_ok(pp_handle_key_write(2, PP_BYTES(key), &wr));
    put(w, "gateway/handles/1.key", 0600, pp_wr_done(&wr));
}

static void put_keys(struct world *w)
{
    static const uint8_t seed[PP_CRED_SEED_BYTES] = { 1 }, handle_key[PP_HANDLE_KEY_BYTES] = { 2 };
    char text[2048];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    put_day_keys(w, 0);
    assert_ok(pp_cred_key_derive(PP_TOKEN_VOPRF_RISTRETTO255, PP_BYTES(seed), &w->cred_key));
    device_fill_wallet(&w->device, &w->cred_key, (uint32_t)w->day);
    assert_ok(pp_handle_key_write(1, PP_BYTES(handle_key), &wr));
    put(w, "gateway/handles/1.key", 0600, pp_wr_done(&wr));
}

/* --- processes ------------------------------------------------------------------------------ */

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

static void start_with(struct world *w, struct program *p, const char *program, const char *config,
                       int ready_fd, const char *option)
{
    char number[16], clock[16];
    const char *path = path_in(w, config);
    int err[2];

    *p = (struct program){ 0 };
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    snprintf(number, sizeof number, "%d", ready_fd);
    snprintf(clock, sizeof clock, "%d", pp_test_noon_fd());
    fflush(NULL);
    p->pid = fork();
    assert_true(p->pid >= 0);
    if (p->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nothing running */
        (void)dup2(err[1], STDERR_FILENO);
        if (ready_fd < 0) {
            (void)execl(program, program, "--config", path, option, (char *)NULL);
        } else {
            (void)fcntl(ready_fd, F_SETFD, 0);
            (void)fcntl(pp_test_noon_fd(), F_SETFD, 0);
            (void)execl(program, program, "--config", path, "--ready-fd", number, "--clock-fd",
                        clock, (char *)NULL);
        }
        _exit(97);
    }
    close(err[1]);
    p->err = err[0];
}

static void start(struct world *w, struct program *p, const char *program, const char *config,
                  int ready_fd)
{
    start_with(w, p, program, config, ready_fd, NULL);
}

/* Waits for its end; the exit status, or 1000 + the signal. */
static int wait_for(struct program *p)
{
    int status = 0;

    read_until(p->err, p->err_text, sizeof p->err_text, NULL);
    assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
    close(p->err);
    p->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void start_ready(struct world *w, struct program *p, const char *program, const char *config)
{
    char text[512] = { 0 };
    int ready[2];

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    start(w, p, program, config, ready[1]);
    close(ready[1]);
    read_until(ready[0], text, sizeof text, "ready\n");
    close(ready[0]);
    if (sscanf(text, "listen %*s 127.0.0.1:%u\nready\n", &p->port) != 1) {
        int status = wait_for(p);
        fail_msg("%s is not ready (%d): %s", program, status, p->err_text);
    }
}

static void end(struct program *p)
{
    if (p->pid == 0)
        return;
    assert_int_equal(kill(p->pid, SIGTERM), 0);
    int status = wait_for(p);
    if (status != 0)
        print_error("%s", p->err_text);
    assert_int_equal(status, 0);
}

/* KiB of memory that the program holds. */
static long resident_kib(const struct program *p)
{
    char path[64];
    long total = 0, resident = 0;

    snprintf(path, sizeof path, "/proc/%ld/statm", (long)p->pid);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%ld %ld", &total, &resident), 2);
    fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static const char *gateway_config(const struct world *w, const char *further)
{
    static char text[4096];

    snprintf(text, sizeof text,
             "environment = dev\nlisten = 127.0.0.1:0\nauthority = " DEVICE_AUTHORITY
             "\nissuer = " DEVICE_ISSUER "\ncvm = 127.0.0.1:%u\nohttp_keys = ohttp\n"
             "token_keys = tokens\nhandle_key = handles/1.key\nspent = spent/db\n%s",
             w->cvm_listener.address.port, further);
    return text;
}

static const char *relay_config(unsigned gateway_port, const char *further)
{
    static char text[1024];

    snprintf(text, sizeof text,
             "environment = dev\nlisten = 127.0.0.1:0\ndirectory = bundle\n"
             "gateway = http://127.0.0.1:%u/.well-known/ohttp-gateway\n%s",
             gateway_port, further);
    return text;
}

static void start_gateway(struct world *w)
{
    put_text(w, "gateway/config", gateway_config(w, "grid_ms = 0\n"));
    start_ready(w, &w->gateway, gatewayd, "gateway/config");
}

/* The front's other processes: their ids, as its child list has them. */
static size_t processes_of(const struct program *p, pid_t ret[2])
{
    char path[64];
    int a = 0, b = 0;

    snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)p->pid, (long)p->pid);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    int n = fscanf(f, "%d %d", &a, &b);
    fclose(f);
    ret[0] = a; /* in the order in which they were started: opener, redeemer */
    ret[1] = b;
    return n < 0 ? 0 : (size_t)n;
}

static void start_relay(struct world *w)
{
    put_text(w, "relay/config", relay_config(w->gateway.port, ""));
    start_ready(w, &w->relay, relayd, "relay/config");
}

/* --- the CVM -------------------------------------------------------------------------------- */

static void cvm_answer(struct world *w)
{
    static uint8_t out[PP_FRAME_HEAD_BYTES + PP_FRAME_ANSWER_BYTES_MAX], flight[29000];
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_frame f = { .kind = PP_FRAME_LAST, .tag = w->asked.tag };

    f.bytes = pp_span(flight, w->asked.kind == PP_FRAME_OPEN ? sizeof flight : 700);
    memcpy(f.sid, w->asked.sid, sizeof f.sid);
    f.sid[0] = 5;
    assert_ok(pp_frame_write(&wr, PP_FRAME_ANSWERS, &f));
    assert_ok(pp_stream_write(w->cvm_stream, pp_wr_done(&wr)));
}

/* Keeps the request, and answers all of them when the last one has come. */
static void cvm_hold(struct world *w)
{
    w->held[w->held_count++] = w->asked;
    if (w->held_count < w->held_max)
        return;
    for (size_t i = 0; i < w->held_count; i++) {
        w->asked = w->held[i];
        cvm_answer(w);
    }
}

static void cvm_frame(struct world *w, const struct pp_frame *f)
{
    w->asked = *f;
    w->opens += f->kind == PP_FRAME_OPEN;
    if (f->kind == PP_FRAME_CLOSE)
        return;
    if (w->breaks)
        pp_stream_finish(w->cvm_stream);
    else if (w->held_max > 0)
        cvm_hold(w);
    else if (w->hold)
        pp_loop_stop(w->loop);
    else
        cvm_answer(w);
}

static void cvm_readable(void *ctx, struct pp_stream *s)
{
    struct cvm_stream *c = ctx;
    const struct pp_frame *f = NULL;

    c->world->cvm_stream = s;
    do {
        struct pp_span input = pp_stream_input(s), left = input;
        assert_ok(pp_frame_feed(&c->reader, &left, &f));
        pp_stream_consume(s, input.len - left.len);
        if (f != NULL)
            cvm_frame(c->world, f);
    } while (f != NULL);
}

static void cvm_ended(void *ctx, struct pp_stream *s, pp_res why)
{
    struct cvm_stream *c = ctx;

    pp_ignore(why, "a gateway that ends closes its connection");
    c->stream = NULL;
    pp_stream_free(s);
}

static int cvm_accepted(void *ctx, struct pp_stream *s)
{
    struct world *w = ctx;
    struct cvm_stream *c = w->cvm_streams[0].stream == NULL ? &w->cvm_streams[0]
                                                            : &w->cvm_streams[1];

    assert_null(c->stream);
    c->world = w;
    c->stream = s;
    pp_stream_set_ctx(s, c);
    pp_frame_rd_init(&c->reader, PP_FRAME_REQUESTS, c->buf, sizeof c->buf);
    return 1;
}

static void start_cvm(struct world *w)
{
    const struct pp_stream_server_config c = { .stream = { .in_bytes_max = 1 << 19,
                                                           .out_bytes_max = 1 << 20,
                                                           .readable = cvm_readable,
                                                           .ended = cvm_ended },
                                               .connections_max = 4,
                                               .accepted = cvm_accepted,
                                               .ctx = w };
    struct pp_address at;

    assert_ok(pp_address_parse(PP_STR("127.0.0.1:0"), &at));
    assert_ok(pp_listener_open(&at, &w->cvm_listener));
    assert_ok(pp_stream_server_new(w->loop, &w->cvm_listener, &c, &w->cvm_server));
}

/* --- the world ------------------------------------------------------------------------------ */

static void on_impatient(void *ctx)
{
    (void)ctx;
    fail_msg("%s", "nothing came of it in time");
}

static int set_up(void **state)
{
    static struct world w;
    static const char *const folders[] = { "gateway",         "gateway/ohttp", "gateway/tokens",
                                           "gateway/handles", "gateway/spent", "relay" };
    const struct pp_http_client_config client = { .response_bytes_max = 65536,
                                                  .connections_per_host_max = AT_ONCE };

    w = (struct world){ .folder = "/tmp/pp-programs-XXXXXX" };
    assert_ok(pp_crypto_init());
    assert_non_null(mkdtemp(w.folder));
    for (size_t i = 0; i < PP_ARRAY_COUNT(folders); i++)
        assert_int_equal(mkdir(path_in(&w, folders[i]), 0700), 0);
    w.day = pp_test_noon_s() / DAY;
    w.device.random = pp_random_system();
    put_keys(&w);
    assert_ok(pp_loop_new(&w.loop));
    assert_ok(pp_timer_new(w.loop, on_impatient, &w, &w.patience));
    assert_ok(pp_http_client_new(w.loop, &client, &w.client));
    start_cvm(&w);
    start_gateway(&w);
    start_relay(&w);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const files[] = {
        "gateway/ohttp/1.key", "gateway/tokens/1.key", "gateway/handles/1.key", "gateway/config",
        "gateway/spent/db",    "gateway/spent/db-wal", "gateway/spent/db-shm",  "gateway/wrong",
        "relay/config",        "relay/bundle",         "relay/wrong",
    };
    static const char *const folders[] = { "gateway/ohttp", "gateway/tokens", "gateway/handles",
                                           "gateway/spent", "gateway",        "relay" };
    struct world *w = *state;

    end(&w->relay);
    end(&w->gateway);
    end(&w->second);
    pp_http_client_free(w->client);
    pp_stream_server_free(w->cvm_server);
    for (size_t i = 0; i < CVM_STREAMS; i++)
        pp_stream_free(w->cvm_streams[i].stream);
    pp_listener_done(&w->cvm_listener);
    pp_timer_free(w->patience);
    pp_loop_free(w->loop);
    device_done(&w->device);
    pp_cred_key_done(&w->cred_key);
    for (size_t i = 0; i < PP_ARRAY_COUNT(files); i++)
        (void)unlink(path_in(w, files[i]));
    for (size_t i = 0; i < PP_ARRAY_COUNT(folders); i++)
        (void)rmdir(path_in(w, folders[i]));
    assert_int_equal(rmdir(w->folder), 0);
    return 0;
}

/* --- the device ----------------------------------------------------------------------------- */

static void on_response(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct world *w = ctx;

    pp_loop_stop(w->loop);
    assert_ok(r);
    w->outer_status = response->status;
    w->outer_len = response->body.len;
    w->device.answer.status = 0;
    if (response->status == 200 && pp_span_eq(response->type, PP_STR("message/ohttp-res")))
        device_read_answer(&w->device, response->body);
}

static void run(struct world *w)
{
    pp_timer_set(w->patience, PATIENCE_MS);
    assert_ok(pp_loop_run(w->loop));
    pp_timer_cancel(w->patience);
}

static void start_call_to(struct world *w, const char *method, const char *path,
                          struct pp_span body, pp_http_done_fn done)
{
    static const struct pp_http_field TYPE = { { (const uint8_t *)"content-type", 12 },
                                               { (const uint8_t *)"message/ohttp-req", 17 } };
    struct pp_http_pending *pending;
    char url[96];
    const struct pp_http_call call = { .method = method,
                                       .url = url,
                                       .fields = &TYPE,
                                       .field_count = body.len > 0,
                                       .body = body,
                                       .deadline_ms = PATIENCE_MS };

    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", w->relay.port, path);
    assert_ok(pp_http_client_start(w->client, &call, done, w, &pending));
}

static void start_call(struct world *w, const char *method, const char *path, struct pp_span body)
{
    start_call_to(w, method, path, body, on_response);
}

static void post(struct world *w)
{
    start_call(w, "POST", "/ohttp", pp_span(w->device.body, w->device.body_len));
    run(w);
}

static void assert_answer(const struct world *w, uint32_t status, size_t bucket)
{
    assert_int_equal(w->outer_status, 200);
    assert_int_equal(w->outer_len, bucket);
    assert_int_equal(w->device.answer.status, status);
}

static void run_session(struct world *w)
{
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    if (w->device.spent == PP_CRED_BATCH_MAX)
        device_fill_wallet(&w->device, &w->cred_key, (uint32_t)w->day);
    device_seal_open(&w->device);
    post(w);
    assert_answer(w, 200, 32768);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    device_seal_continue(&w->device, handle, "4", 4096);
    post(w);
    assert_answer(w, 200, 4096);
}

/* --- tests ---------------------------------------------------------------------------------- */

static void a_session_passes_through_relay_and_gateway(void **state)
{
    struct world *w = *state;

    run_session(w);
    put_text(w, "relay/bundle", "the directory");
    start_call(w, "GET", "/directory", PP_STR(""));
    run(w);
    assert_int_equal(w->outer_status, 200);
    assert_int_equal(w->outer_len, strlen("the directory"));
}

static void on_one_of_many(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct world *w = ctx;

    assert_ok(r);
    assert_int_equal(response->status, 200);
    assert_int_equal(response->body.len, 32768);
    assert_int_equal(w->held_count, AT_ONCE); /* no deadline answered in the CVM's place */
    if (++w->answered == AT_ONCE)
        pp_loop_stop(w->loop);
}

/* A session can last as long as an inference: others must not wait for it anywhere on the way. */
static void slow_sessions_do_not_hold_up_others(void **state)
{
    struct world *w = *state;
    static uint8_t bodies[AT_ONCE][4096];

    w->held_max = AT_ONCE; /* nobody is answered before the last one has reached the CVM */
    for (size_t i = 0; i < AT_ONCE; i++) {
        device_seal_open(&w->device);
        memcpy(bodies[i], w->device.body, sizeof bodies[i]);
        start_call_to(w, "POST", "/ohttp", PP_BYTES(bodies[i]), on_one_of_many);
    }
    run(w);
    assert_int_equal(w->answered, AT_ONCE);
    w->held_max = 0;
    device_fill_wallet(&w->device, &w->cred_key, (uint32_t)w->day);
    run_session(w);
}

/* docs/protocol/tokens.md: "insert if absent", durably. */
static void w4_t2_a_token_stays_spent_when_the_gateway_starts_anew(void **state)
{
    struct world *w = *state;

    run_session(w);
    end(&w->relay);
    end(&w->gateway);
    start_gateway(w);
    start_relay(w);
    device_seal_open_with(&w->device, device_token_field(&w->device, 0));
    post(w);
    assert_answer(w, 401, 32768);
    run_session(w);
}

/* RFC 9458, 6.6: whoever recorded requests must not find the key later. */
static void a_gateway_removes_the_keys_that_are_over(void **state)
{
    struct world *w = *state;

    end(&w->relay);
    end(&w->gateway);
    put_day_keys(w, 1);
    start_gateway(w);
    start_relay(w);
    assert_int_equal(access(path_in(w, "gateway/ohttp/0.key"), F_OK), -1);
    assert_int_equal(access(path_in(w, "gateway/tokens/0.key"), F_OK), -1);
    assert_int_equal(access(path_in(w, "gateway/ohttp/1.key"), F_OK), 0);
    assert_int_equal(access(path_in(w, "gateway/tokens/1.key"), F_OK), 0);
    run_session(w);
}

static void a_gateway_that_is_asked_to_end_answers_what_it_has_begun(void **state)
{
    struct world *w = *state;

    run_session(w); /* so that the connections stand */
    w->hold = 1;
    device_seal_open(&w->device);
    post(w); /* returns when the CVM is asked */
    assert_int_equal(kill(w->gateway.pid, SIGTERM), 0);
    read_until(w->gateway.err, w->gateway.err_text, sizeof w->gateway.err_text, "DAEMON_STOPPING");
    cvm_answer(w);
    run(w);
    assert_answer(w, 200, 32768);
    assert_int_equal(wait_for(&w->gateway), 0);
}

/* `text` with the first `from` replaced. */
static const char *with(const char *text, const char *from, const char *to)
{
    static char changed[4096];
    const char *at = strstr(text, from);

    assert_non_null(at);
    snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return changed;
}

/* --- one key after the other ------------------------------------------------------------------ */

static void on_under_load(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct world *w = ctx;

    assert_ok(r);
    assert_int_equal(response->status, 200);
    if (++w->answered == AT_ONCE)
        pp_loop_stop(w->loop);
}

/* Half of the requests of a load are on their way, then the key files are others, then the rest. */
static void no_request_is_lost_when_keys_change_under_load(void **state)
{
    struct world *w = *state;
    static uint8_t bodies[AT_ONCE][4096];

    w->held_max = AT_ONCE;
    for (size_t i = 0; i < AT_ONCE; i++) {
        if (i == AT_ONCE / 2) {
            put_other_handle_key(w);
            assert_int_equal(kill(w->gateway.pid, SIGHUP), 0);
        }
        device_seal_open(&w->device);
        memcpy(bodies[i], w->device.body, sizeof bodies[i]);
        start_call_to(w, "POST", "/ohttp", PP_BYTES(bodies[i]), on_under_load);
    }
    run(w);
    assert_int_equal(w->answered, AT_ONCE);
}

/* Key files that appear serve at once; requests under the former key go on until it is gone. */
static void a_hangup_brings_new_ohttp_keys_beside_the_old_ones(void **state)
{
    struct world *w = *state;
    struct pp_keyconf former = w->device.key, fresh;

    run_session(w);
    put_second_ohttp_key(w, &fresh);
    assert_int_equal(kill(w->gateway.pid, SIGHUP), 0);
    read_until(w->gateway.err, w->gateway.err_text, sizeof w->gateway.err_text,
               "event=GW_KEYS keys=2");
    w->device.key = fresh;
    run_session(w);
    w->device.key = former;
    run_session(w);
    assert_int_equal(unlink(path_in(w, "gateway/ohttp/2.key")), 0);
}

static void a_handle_of_the_previous_key_is_taken_and_of_an_older_one_not(void **state)
{
    struct world *w = *state;
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    device_seal_open(&w->device);
    post(w);
    assert_answer(w, 200, 32768);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    put_other_handle_key(w); /* alone: the former one is nobody's */
    assert_int_equal(kill(w->gateway.pid, SIGHUP), 0);
    do { /* it says nothing when all is well */
        device_seal_continue(&w->device, handle, "1", 2048);
        post(w);
    } while (w->device.answer.status == 200);
    assert_answer(w, 410, 1024);
    run_session(w);
}

/* The name has an address at which nobody listens, or not: another one is tried. */
static void cvms_are_found_by_a_name_and_the_choice_leaves_its_record(void **state)
{
    struct world *w = *state;
    char list[64], name[64], text[4096] = "";

    end(&w->relay);
    end(&w->gateway);
    snprintf(list, sizeof list, "cvm = 127.0.0.1:%u", w->cvm_listener.address.port);
    snprintf(name, sizeof name, "cvm_name = localhost:%u", w->cvm_listener.address.port);
    put_text(w, "gateway/config",
             with(gateway_config(w, "grid_ms = 0\nchoices = choices\n"), list, name));
    start_ready(w, &w->gateway, gatewayd, "gateway/config");
    start_relay(w);
    run_session(w);
    end(&w->relay);
    end(&w->gateway);
    assert_non_null(strstr(w->gateway.err_text, "event=GW_CVMS cvms="));
    int fd = open(path_in(w, "gateway/choices"), O_RDONLY);
    assert_true(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    close(fd);
    assert_memory_equal(text, "begin ", 6);
    assert_non_null(strstr(text, "\nset "));
    assert_non_null(strstr(text, "\nend "));
    assert_int_equal(unlink(path_in(w, "gateway/choices")), 0);
}

/* ohttp 6, the rows that are sealed: whatever the outcome, the answer has the bucket's size. */
static void w16_t3_every_sealed_outcome_has_the_size_of_its_bucket(void **state)
{
    static const struct {
        const char *max;
        size_t bytes;
    } BUCKETS[] = { { "1", 1024 }, { "2", 2048 }, { "4", 4096 }, { "8", 8192 }, { "16", 16384 } };
    struct world *w = *state;
    struct pp_bhttp other = device_message("/v2/sessions"),
                    expects = device_message("/v1/sessions");
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    device_seal(&w->device, &other, 4096); /* another target */
    post(w);
    assert_answer(w, 403, 1024);
    assert_ok(pp_bhttp_add(&expects, &expects.header, PP_STR("expect"), PP_STR("100-continue")));
    device_seal(&w->device, &expects, 4096);
    post(w);
    assert_answer(w, 417, 1024);
    device_seal_open_with(&w->device, PP_STR("PrivateToken token=\"AAUA\""));
    post(w);
    assert_answer(w, 401, 32768);
    device_seal_open(&w->device);
    post(w);
    assert_answer(w, 200, 32768);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    post(w); /* the same once more */
    assert_answer(w, 400, 32768);
    for (size_t i = 0; i < PP_ARRAY_COUNT(BUCKETS); i++) {
        device_seal_continue(&w->device, handle, BUCKETS[i].max, 2048);
        post(w);
        assert_answer(w, 200, BUCKETS[i].bytes);
        device_seal_continue(&w->device, "nonsense", BUCKETS[i].max, 2048);
        post(w);
        assert_answer(w, 410, BUCKETS[i].bytes);
        w->breaks = 1;
        device_seal_continue(&w->device, handle, BUCKETS[i].max, 2048);
        post(w);
        assert_answer(w, 502, BUCKETS[i].bytes);
        w->breaks = 0;
    }
}

/* --- more than one, and fewer than all -------------------------------------------------------- */

static void post_to(struct world *w, unsigned port, const char *path)
{
    unsigned relay = w->relay.port;

    w->relay.port = port;
    start_call(w, "POST", path, pp_span(w->device.body, w->device.body_len));
    run(w);
    w->relay.port = relay;
}

#define GATEWAY_PATH "/.well-known/ohttp-gateway"

/* Requirement W4: one store, however many gateways: each of 32 tokens opens one session. */
static void w4_t2_two_gateways_on_one_store_take_a_token_once(void **state)
{
    struct world *w = *state;
    size_t taken = 0, refused = 0;

    start_ready(w, &w->second, gatewayd, "gateway/config");
    for (size_t i = 0; i < 2 * PP_CRED_BATCH_MAX; i++) {
        device_seal_open_with(&w->device, device_token_field(&w->device, i / 2));
        post_to(w, (i + i / 2) % 2 ? w->second.port : w->gateway.port, GATEWAY_PATH);
        taken += w->device.answer.status == 200;
        refused += w->device.answer.status == 401;
    }
    assert_int_equal(taken, PP_CRED_BATCH_MAX);
    assert_int_equal(refused, PP_CRED_BATCH_MAX);
}

static void on_raced(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct world *w = ctx;

    assert_ok(r);
    assert_int_equal(response->status, 200);
    assert_int_equal(response->body.len, 32768);
    if (++w->answered == 2 * AT_ONCE)
        pp_loop_stop(w->loop);
}

/* The same at the same time: what was taken shows at the CVM, which counts sessions. */
static void w4_t2_a_token_at_two_gateways_at_once_opens_one_session(void **state)
{
    struct world *w = *state;
    static uint8_t bodies[2 * AT_ONCE][4096];
    unsigned relay = w->relay.port;

    start_ready(w, &w->second, gatewayd, "gateway/config");
    for (size_t i = 0; i < 2 * AT_ONCE; i++) {
        device_seal_open_with(&w->device, device_token_field(&w->device, i / 2));
        memcpy(bodies[i], w->device.body, sizeof bodies[i]);
    }
    for (size_t i = 0; i < 2 * AT_ONCE; i++) {
        w->relay.port = i % 2 ? w->second.port : w->gateway.port;
        start_call_to(w, "POST", GATEWAY_PATH, PP_BYTES(bodies[i]), on_raced);
    }
    run(w);
    w->relay.port = relay;
    assert_int_equal(w->opens, AT_ONCE);
}

/* A fleet's store: the race again, then the server is gone, and then it is back. */
static void w4_t2_two_gateways_on_a_database_take_a_token_once_and_none_without_it(void **state)
{
    static struct pp_test_postgres server;
    static uint8_t bodies[2 * AT_ONCE][4096];
    struct world *w = *state;

    end(&w->relay);
    end(&w->gateway);
    assert_int_equal(pp_test_postgres_new(&server), 0);
    assert_int_equal(chmod(server.folder, 0711), 0); /* the gateway is no nobody */
    put_text(w, "gateway/spent/url", server.url);
    put_text(w, "gateway/config",
             with(gateway_config(w, "grid_ms = 0\n"), "= spent/db", "= postgresql:spent/url"));
    start_ready(w, &w->gateway, gatewayd, "gateway/config");
    start_ready(w, &w->second, gatewayd, "gateway/config");
    for (size_t i = 0; i < 2 * AT_ONCE; i++) {
        device_seal_open_with(&w->device, device_token_field(&w->device, i / 2));
        memcpy(bodies[i], w->device.body, sizeof bodies[i]);
    }
    for (size_t i = 0; i < 2 * AT_ONCE; i++) {
        w->relay.port = i % 2 ? w->second.port : w->gateway.port;
        start_call_to(w, "POST", GATEWAY_PATH, PP_BYTES(bodies[i]), on_raced);
    }
    run(w);
    assert_int_equal(w->opens, AT_ONCE);
    pp_test_postgres_kill(&server);
    device_seal_open_with(&w->device, device_token_field(&w->device, AT_ONCE));
    post_to(w, w->gateway.port, GATEWAY_PATH);
    assert_answer(w, 503, 32768);
    assert_int_equal(w->opens, AT_ONCE);
    assert_int_equal(pp_test_postgres_start(&server, NULL), 0);
    do { /* its first answer may still be of the connection that broke */
        device_seal_open_with(&w->device, device_token_field(&w->device, AT_ONCE + 1));
        post_to(w, w->second.port, GATEWAY_PATH);
    } while (w->device.answer.status == 503);
    end(&w->second);
    end(&w->gateway);
    assert_int_equal(unlink(path_in(w, "gateway/spent/url")), 0);
    assert_int_equal(pp_test_postgres_free(&server), 0);
    assert_true(w->device.answer.status == 200 || w->device.answer.status == 401);
}

/*
 * The store has the token and nobody has heard of it: the redeemer is stopped before it can answer,
 * then killed. The client is told nothing good, and the token is spent.
 */
static void w4_t2_a_redeemer_killed_behind_its_insert_never_lets_the_token_pass(void **state)
{
    struct world *w = *state;
    pid_t processes[2];

    run_session(w);
    assert_int_equal(processes_of(&w->gateway, processes), 2);
    assert_int_equal(kill(processes[1], SIGSTOP), 0);
    device_seal_open_with(&w->device, device_token_field(&w->device, 5));
    start_call(w, "POST", "/ohttp", pp_span(w->device.body, w->device.body_len));
    assert_int_equal(kill(processes[1], SIGCONT), 0);
    assert_int_equal(kill(processes[1], SIGKILL), 0); /* behind or before its insert, as it comes */
    run(w);
    assert_int_not_equal(w->device.answer.status, 200);
    assert_int_equal(wait_for(&w->gateway), 1);
    assert_non_null(strstr(w->gateway.err_text, "event=GW_PROCESS_ENDED process=redeemer"));
    size_t before = w->opens;
    start_gateway(w);
    end(&w->relay);
    start_relay(w);
    for (int i = 0; i < 2; i++) {
        device_seal_open_with(&w->device, device_token_field(&w->device, 5));
        post(w);
    }
    assert_int_equal(w->device.answer.status, 401);
    assert_true(w->opens <= before + 1); /* once, if the insert had not been reached */
}

static void w4_t2_without_a_store_nobody_gets_a_session(void **state)
{
    struct world *w = *state;
    const struct rlimit none = { 0, RLIM_INFINITY }, all = { RLIM_INFINITY, RLIM_INFINITY };
    pid_t processes[2];

    run_session(w);
    size_t before = w->opens;
    assert_int_equal(processes_of(&w->gateway, processes), 2);
    assert_int_equal(prlimit(processes[1], RLIMIT_FSIZE, &none, NULL), 0); /* as a full disk */
    device_seal_open(&w->device);
    post(w);
    assert_answer(w, 503, 32768);
    assert_int_equal(w->opens, before);
    assert_int_equal(prlimit(processes[1], RLIMIT_FSIZE, &all, NULL), 0);
    run_session(w);
}

/* --- what both say ---------------------------------------------------------------------------- */

/* W5 and docs/style.md: standard error holds events, and events hold nothing of a request. */
static void w5_t1_what_both_say_is_events_and_nothing_else(void **state)
{
    struct world *w = *state;
    char all[2 * sizeof w->relay.err_text];
    struct pp_event ev;

    run_session(w);
    device_seal_open_with(&w->device, PP_STR("PrivateToken token=\"CANARY\""));
    post(w);
    assert_answer(w, 401, 32768);
    w->device.body[0] ^= 1;
    post(w);
    assert_int_equal(w->outer_status, 422);
    end(&w->relay);
    end(&w->gateway);
    snprintf(all, sizeof all, "%s%s", w->relay.err_text, w->gateway.err_text);
    struct pp_span text = pp_span_cstr(all);
    while (text.len > 0) {
        const char *line = (const char *)text.at;
        struct pp_span rest = text, part;
        assert_true(pp_text_cut(&rest, '\n', &part));
        assert_ok(pp_event_parse(
            pp_span(line, part.len + 1),
            PP_EVENT_GROUP_COMMON | PP_EVENT_GROUP_RELAY | PP_EVENT_GROUP_GATEWAY, &ev));
        text = rest;
    }
    assert_null(strstr(all, "CANARY"));
    assert_null(strstr(all, "127.0.0.1"));
    assert_non_null(strstr(all, "event=RELAY_TOTALS answered="));
    assert_non_null(strstr(all, "event=GW_TOTALS sessions=1 continued=1 token_refused=1"));
    assert_non_null(strstr(all, "event=GW_KEYS keys=1"));
}

static void memory_is_flat_and_below_20_mib(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 100; i++)
        run_session(w);
    long relay = resident_kib(&w->relay), gateway = resident_kib(&w->gateway);
    for (int i = 0; i < 200; i++)
        run_session(w);
    long relay_after = resident_kib(&w->relay), gateway_after = resident_kib(&w->gateway);
    print_message("resident after 300 sessions: relay %ld KiB, gateway %ld KiB\n", relay_after,
                  gateway_after);
    if (SANITIZED)
        return; /* the sanitizers' own memory would be measured */
    assert_true(relay_after - relay < 512 && gateway_after - gateway < 512);
    assert_true(relay_after < 20 * 1024 && gateway_after < 20 * 1024);
}

static void assert_refused(struct world *w, const char *program, const char *config,
                           const char *text, const char *field)
{
    struct program p;

    put_text(w, config, text);
    start(w, &p, program, config, -1);
    int status = wait_for(&p);
    if (status != 2 || strstr(p.err_text, field) == NULL)
        fail_msg("status %d, expected 2 naming %s: %s", status, field, p.err_text);
}

/* What --check says of a configuration: its status. The words are in `p`. */
static int check(struct world *w, struct program *p, const char *text)
{
    put_text(w, "gateway/wrong", text);
    start_with(w, p, gatewayd, "gateway/wrong", -1, "--check");
    return wait_for(p);
}

static void a_wrong_configuration_is_refused_by_name(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *further, *field;
    } gateway[] = {
        { "color = blue\n", "color" },
        { "grid_ms = 10001\n", "grid_ms" },
        { "cvm = somewhere\n", "cvm" },
        { "cvm = 127.0.0.1:0\n", "cvm" },
        { "connections = 0\n", "connections" },
        { "replay_slots = 100\n", "replay_slots" },
        { "replay_seconds = 59\n", "replay_seconds" },
        { "handle_key = handles/1.key\n", "handles/1.key" }, /* the same id twice */
        { "handle_key = none.key\nhandle_key = x\n", "handle_key" },
        { "listen = 1\n", "listen" },
    };
    static const struct {
        const char *further, *field;
    } relay[] = {
        { "gateway_ca = none\n", "gateway_ca" },
        { "resource = ohttp\n", "resource" },
        { "resource = /directory\n", "resource" },
        { "deadline_ms = 99\n", "deadline_ms" },
        { "connections_per_address = 0\n", "connections_per_address" },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(gateway); i++)
        assert_refused(w, gatewayd, "gateway/wrong", gateway_config(w, gateway[i].further),
                       gateway[i].field);
    for (size_t i = 0; i < PP_ARRAY_COUNT(relay); i++)
        assert_refused(w, relayd, "relay/wrong", relay_config(1, relay[i].further), relay[i].field);
    assert_refused(w, relayd, "relay/wrong", "environment = dev\ngateway = ftp://x/y\n", "gateway");
    assert_refused(w, relayd, "relay/wrong", "environment = dev\n", "gateway");
    assert_refused(w, relayd, "relay/wrong", "environment = prod\ngateway = http://192.0.2.1/x\n",
                   "gateway");
    assert_refused(w, gatewayd, "gateway/wrong", "environment = dev\n", "authority");
}

static void cvms_may_share_a_port_and_have_sixteen(void **state)
{
    struct world *w = *state;
    char further[2048];
    struct pp_wr wr = pp_wr_over(further, sizeof further - 1);

    for (int i = 1; i <= 32; i++) { /* other machines, one port */
        pp_wr_text(&wr, "cvm = 127.0.1.");
        pp_wr_decimal(&wr, (uint64_t)i);
        pp_wr_text(&wr, ":9\n");
    }
    further[wr.len] = 0;
    end(&w->relay);
    end(&w->gateway);
    put_text(w, "gateway/config", gateway_config(w, further));
    start_ready(w, &w->gateway, gatewayd, "gateway/config");
    for (int i = 1; i <= 15; i++) { /* with the first one's and 9: seventeen */
        pp_wr_text(&wr, "cvm = 127.0.0.1:1");
        pp_wr_decimal(&wr, (uint64_t)i);
        pp_wr_text(&wr, "\n");
    }
    further[wr.len] = 0;
    assert_refused(w, gatewayd, "gateway/wrong", gateway_config(w, further), "cvm");
}

static void files_that_are_not_there_are_named(void **state)
{
    struct world *w = *state;
    const char *good = gateway_config(w, "");

    assert_refused(w, gatewayd, "gateway/wrong", with(good, "= ohttp", "= nowhere"), "nowhere");
    assert_refused(w, gatewayd, "gateway/wrong", with(good, "= tokens", "= nowhere"), "nowhere");
    assert_refused(w, gatewayd, "gateway/wrong", with(good, "= handles/1.key", "= nothing"),
                   "nothing");
}

/* Who asks before a restart has to hear what the restart would say. */
static void what_check_accepts_has_its_keys(void **state)
{
    static const struct {
        const char *from, *to, *named;
    } ROWS[] = {
        { "= handles/1.key", "= nothing", "nothing" },
        { "= handles/1.key", "= spent/none", "spent/none" },
        { "= ohttp\n", "= nowhere\n", "nowhere" },
        { "= tokens\n", "= nowhere\n", "nowhere" },
        { "handle_key = handles/1.key\n", "", "handle_key" },
    };
    struct world *w = *state;
    struct program p;

    assert_int_equal(check(w, &p, gateway_config(w, "")), 0);
    assert_string_equal(p.err_text, "");
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        int status = check(w, &p, with(gateway_config(w, ""), ROWS[i].from, ROWS[i].to));
        if (status != 2 || strstr(p.err_text, ROWS[i].named) == NULL)
            fail_msg("status %d, expected 2 naming %s: %s", status, ROWS[i].named, p.err_text);
    }
    put_text(w, "gateway/handles/bad.key", "id = 1\nsecret = 00\n");
    assert_int_equal(check(w, &p, gateway_config(w, "handle_key = handles/bad.key\n")), 2);
    assert_non_null(strstr(p.err_text, "bad.key"));
    assert_int_equal(unlink(path_in(w, "gateway/handles/bad.key")), 0);
}

/* A release gateway's grid is not a matter of taste. */
static void w16_r_a_prod_gateway_takes_the_one_grid(void **state)
{
    struct world *w = *state;

    assert_refused(w, gatewayd, "gateway/wrong",
                   with(gateway_config(w, "grid_ms = 0\n"), "= dev", "= prod"), "grid_ms");
}

/* What strangers' bytes are read by must not share a folder with what holds keys. */
static void a_prod_gateways_processes_have_folders_apart_from_each_other(void **state)
{
    static const struct {
        const char *from, *to, *field;
    } ROWS[] = {
        { "= handles/1.key", "= ohttp/1.key", "handle_key" },
        { "= handles/1.key", "= ./tokens//1.key", "handle_key" },
        { "= handles/1.key", "= ohttp/of/1.key", "handle_key" },
        { "= ohttp\n", "= handles/ohttp\n", "handle_key" },
        { "= tokens\n", "= ohttp/tokens\n", "token_keys" },
        { "= spent/db", "= ohttp/db", "spent" },
        { "= spent/db", "= postgresql:handles/url", "handle_key" },
        { "= handles/1.key", "= x/../ohttp/1.key", "handle_key" },
        { "= handles/1.key", "= handles/1.key\ntls_chain = tls/c\ntls_key = tokens/k", "tls_key" },
        /* Its folder is fine; that there is no such file is found later. */
        { "= handles/1.key", "= ohttp2/1.key", "ohttp2/1.key" },
    };
    struct world *w = *state;
    char prod[4096];

    snprintf(prod, sizeof prod, "%s", with(gateway_config(w, ""), "= dev", "= prod"));
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++)
        assert_refused(w, gatewayd, "gateway/wrong", with(prod, ROWS[i].from, ROWS[i].to),
                       ROWS[i].field);
}

static void key_files_that_are_wrong_or_open_to_others_keep_the_gateway_from_starting(void **state)
{
    struct world *w = *state;

    end(&w->relay);
    end(&w->gateway);
    assert_int_equal(chmod(path_in(w, "gateway/handles/1.key"), 0644), 0);
    assert_refused(w, gatewayd, "gateway/wrong", gateway_config(w, ""), "handles/1.key");
    assert_int_equal(chmod(path_in(w, "gateway/handles/1.key"), 0600), 0);
    assert_int_equal(chmod(path_in(w, "gateway/ohttp/1.key"), 0644), 0);
    assert_refused(w, gatewayd, "gateway/wrong", gateway_config(w, ""), "1.key");
    assert_int_equal(chmod(path_in(w, "gateway/ohttp/1.key"), 0600), 0);
    put_text(w, "gateway/tokens/1.key", "epoch = 1\n");
    assert_refused(w, gatewayd, "gateway/wrong", gateway_config(w, ""), "1.key");
}

/* With this of a test runner glibc writes into memory that is set aside: it becomes resident. */
static int set_up_unperturbed(void **state)
{
    return unsetenv("MALLOC_PERTURB_") != 0 ? -1 : set_up(state);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest TESTS[] = {
    TEST(a_session_passes_through_relay_and_gateway),
    TEST(slow_sessions_do_not_hold_up_others),
    TEST(w4_t2_a_token_stays_spent_when_the_gateway_starts_anew),
    TEST(a_gateway_removes_the_keys_that_are_over),
    TEST(a_gateway_that_is_asked_to_end_answers_what_it_has_begun),
    TEST(no_request_is_lost_when_keys_change_under_load),
    TEST(a_hangup_brings_new_ohttp_keys_beside_the_old_ones),
    TEST(a_handle_of_the_previous_key_is_taken_and_of_an_older_one_not),
    TEST(w16_t3_every_sealed_outcome_has_the_size_of_its_bucket),
    TEST(cvms_are_found_by_a_name_and_the_choice_leaves_its_record),
    TEST(w4_t2_two_gateways_on_one_store_take_a_token_once),
    TEST(w4_t2_a_token_at_two_gateways_at_once_opens_one_session),
    TEST(w4_t2_two_gateways_on_a_database_take_a_token_once_and_none_without_it),
    TEST(w4_t2_a_redeemer_killed_behind_its_insert_never_lets_the_token_pass),
    TEST(w4_t2_without_a_store_nobody_gets_a_session),
    TEST(w5_t1_what_both_say_is_events_and_nothing_else),
    TEST(a_wrong_configuration_is_refused_by_name),
    TEST(cvms_may_share_a_port_and_have_sixteen),
    TEST(files_that_are_not_there_are_named),
    TEST(what_check_accepts_has_its_keys),
    TEST(w16_r_a_prod_gateway_takes_the_one_grid),
    TEST(a_prod_gateways_processes_have_folders_apart_from_each_other),
    TEST(key_files_that_are_wrong_or_open_to_others_keep_the_gateway_from_starting),
    cmocka_unit_test_setup_teardown(memory_is_flat_and_below_20_mib, set_up_unperturbed, tear_down),
};

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    relayd = argv[1];
    gatewayd = argv[2];
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
