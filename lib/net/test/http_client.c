/* SPDX-License-Identifier: Apache-2.0 */
#include "net_test.h"

#include <sys/mman.h>
#include <sys/un.h>

#include "http_client_int.h"

/* --- a server that follows a script --------------------------------------------------------- */

struct step {
    const char *answer; /* NULL: none */
    int close;          /* 1: then the connection is closed */
};

/* Shared with the child: what it saw. */
struct seen {
    volatile unsigned connections;
    volatile unsigned requests;
    volatile size_t len;
    char bytes[1 << 16];
};

static struct seen *seen;

struct script {
    const struct step *steps;
    size_t count;
};

/* Reads one request by its Content-Length. Returns 0 at the end of the connection. */
static int read_request(int fd)
{
    size_t from = seen->len;
    size_t want = 0;

    for (;;) {
        char *head_end = (char *)memmem(seen->bytes + from, seen->len - from, "\r\n\r\n", 4);
        if (head_end != NULL) {
            const char *length = strstr(seen->bytes + from, "Content-Length: ");
            want = (size_t)(head_end - (seen->bytes + from)) + 4;
            if (length != NULL && length < head_end)
                want += strtoul(length + 16, NULL, 10);
        }
        if (want > 0 && seen->len - from == want)
            return 1;
        ssize_t n = recv(fd, seen->bytes + seen->len, want > 0 ? want - (seen->len - from) : 1, 0);
        if (n <= 0)
            return 0;
        seen->len += (size_t)n;
    }
}

static int run_script(struct pp_listener *l, void *ctx)
{
    const struct script *s = (const struct script *)ctx;
    struct pollfd wait = { .fd = l->fd, .events = POLLIN };

    signal(SIGTERM, SIG_DFL);
    for (;;) {
        if (poll(&wait, 1, -1) != 1)
            return 0;
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        seen->connections++;
        while (read_request(fd)) {
            unsigned n = seen->requests++;
            const struct step *step = &s->steps[n < s->count ? n : s->count - 1];
            if (step->answer != NULL)
                test_say(fd, step->answer);
            if (step->close)
                break;
        }
        close(fd);
    }
}

static struct party start_script(const struct step *steps, size_t count)
{
    struct script s = { steps, count };

    if (seen == NULL)
        seen = (struct seen *)mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(seen, 0, sizeof *seen);
    return test_start("127.0.0.1:0", run_script, &s);
}

/* --- our side ------------------------------------------------------------------------------- */

struct outcome {
    unsigned count;
    pp_res r;
    uint32_t status;
    char type[128];
    char body[256];
    size_t body_len;
    struct pp_loop *stop; /* stopped when `stop_at` calls are done */
    unsigned stop_at;
};

static void on_done(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct outcome *o = (struct outcome *)ctx;

    o->count++;
    o->r = r;
    assert_true(pp_is_ok(r) == (response != NULL));
    if (response != NULL) {
        o->status = response->status;
        o->body_len = response->body.len;
        snprintf(o->type, sizeof o->type, "%.*s", (int)response->type.len,
                 (const char *)response->type.at);
        snprintf(o->body, sizeof o->body, "%.*s", (int)response->body.len,
                 (const char *)response->body.at);
    }
    if (o->count == o->stop_at)
        pp_loop_stop(o->stop);
}

struct side {
    struct pp_loop *loop;
    struct pp_http_client *client;
    char url[160];
};

static struct side make_side(const struct party *p, const struct pp_http_client_config *c)
{
    struct side s = { 0 };
    char at[PP_ADDRESS_TEXT_MAX];

    pp_address_write(&p->address, at);
    snprintf(s.url, sizeof s.url, "http://%s/x?y", at);
    assert_ok(pp_loop_new(&s.loop));
    assert_ok(pp_http_client_new(s.loop, c, &s.client));
    return s;
}

static void end_side(struct side *s)
{
    pp_http_client_free(s->client);
    pp_loop_free(s->loop);
}

static struct outcome call(struct side *s, const char *method, const char *body)
{
    const struct pp_http_call c = {
        .method = method, .url = s->url, .body = pp_span_cstr(body), .deadline_ms = PATIENCE_MS
    };
    struct outcome o = { .stop = s->loop, .stop_at = 1 };
    struct pp_http_pending *pending;

    assert_ok(pp_http_client_start(s->client, &c, on_done, &o, &pending));
    assert_int_equal(o.count, 0); /* never from inside the call */
    assert_ok(pp_loop_run(s->loop));
    assert_int_equal(o.count, 1);
    return o;
}

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* --- tests ---------------------------------------------------------------------------------- */

/*
 * ohttp 6, W4.T3: nothing that tells clients apart; the environment changes nothing.
 */
static void w4_a_request_has_the_fields_that_were_asked_for_and_no_other(void **state)
{
    (void)state;
    static const struct step steps[] = { { OK_ANSWER, 0 } };
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("HTTP_PROXY", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "socks5://127.0.0.1:1", 1);
    struct party p = start_script(steps, 1);
    struct side s = make_side(&p, &(struct pp_http_client_config){ 0 });
    const struct pp_http_field fields[] = {
        { PP_STR("Content-Type"), PP_STR("message/ohttp-req") },
        { PP_STR("X-Empty"), PP_STR("") },
    };
    struct pp_http_call c = { .method = "POST",
                              .url = s.url,
                              .fields = fields,
                              .field_count = 2,
                              .body = PP_STR("a\0b"),
                              .deadline_ms = PATIENCE_MS };
    struct outcome o = { .stop = s.loop, .stop_at = 1 };
    struct pp_http_pending *pending;
    char want[1024];
    size_t from;

    assert_ok(pp_http_client_start(s.client, &c, on_done, &o, &pending));
    assert_ok(pp_loop_run(s.loop));
    assert_ok(o.r);
    assert_int_equal(o.status, 200);
    assert_string_equal(o.body, "ok");
    snprintf(want, sizeof want,
             "POST /x?y HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: message/ohttp-req\r\n"
             "X-Empty:\r\nContent-Length: 3\r\n\r\na",
             p.address.port);
    assert_memory_equal(seen->bytes, want, strlen(want));
    assert_int_equal(seen->len, strlen(want) + 2);

    from = seen->len;
    assert_ok(call(&s, "GET", "").r);
    snprintf(want, sizeof want, "GET /x?y HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", p.address.port);
    assert_int_equal(seen->len - from, strlen(want));
    assert_memory_equal(seen->bytes + from, want, strlen(want));

    from = seen->len;
    assert_ok(call(&s, "POST", "").r);
    snprintf(want, sizeof want,
             "POST /x?y HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Length: 0\r\n\r\n",
             p.address.port);
    assert_int_equal(seen->len - from, strlen(want));
    assert_memory_equal(seen->bytes + from, want, strlen(want));
    assert_int_equal(seen->connections, 1);
    end_side(&s);
    test_stop_hard(&p);
}

/* The transport would send again on its own when a kept connection dies; a token was in there. */
static void a_request_is_never_sent_twice(void **state)
{
    (void)state;
    static const struct step steps[] = { { OK_ANSWER, 0 }, { NULL, 1 }, { OK_ANSWER, 0 } };
    static const char *const methods[] = { "POST", "POST", "GET", "PUT" };
    static const char *const bodies[] = { "token", "", "", "body" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(methods); i++) {
        struct party p = start_script(steps, 3);
        struct side s = make_side(&p, &(struct pp_http_client_config){ 0 });
        assert_ok(call(&s, "POST", "first").r);
        assert_code(call(&s, methods[i], bodies[i]).r, PP_E_CLOSED);
        assert_int_equal(seen->requests, 2);
        assert_ok(call(&s, methods[i], bodies[i]).r); /* the next call is a new decision */
        assert_int_equal(seen->requests, 3);
        end_side(&s);
        test_stop_hard(&p);
    }
}

/* A connection that the server closed while it was idle is not used: no request is lost on it. */
static void a_dead_idle_connection_is_replaced(void **state)
{
    (void)state;
    static const struct step steps[] = { { OK_ANSWER, 1 }, { OK_ANSWER, 0 } };
    struct party p = start_script(steps, 2);
    struct side s = make_side(&p, &(struct pp_http_client_config){ 0 });

    assert_ok(call(&s, "POST", "first").r);
    while (seen->connections == 0)
        ;
    /* The server's FIN is here once a second connection of ours was accepted behind it. */
    int fd = test_connect(&p.address);
    close(fd);
    while (seen->connections < 2)
        ;
    assert_ok(call(&s, "POST", "second").r);
    assert_int_equal(seen->requests, 2);
    end_side(&s);
    test_stop_hard(&p);
}

static void a_response_at_the_limit_is_taken_and_one_past_it_refused(void **state)
{
    (void)state;
    static const struct step steps[] = {
        { "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n12345678", 0 },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
          "4\r\n1234\r\n4\r\n5678\r\n0\r\n\r\n",
          0 },
        { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789", 0 },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n0\r\n\r\n", 0 },
    };
    struct party p = start_script(steps, 4);
    struct side s = make_side(&p, &(struct pp_http_client_config){ .response_bytes_max = 8 });

    for (int i = 0; i < 2; i++) {
        struct outcome o = call(&s, "GET", "");
        assert_ok(o.r);
        assert_string_equal(o.body, "12345678");
    }
    assert_code(call(&s, "GET", "").r, PP_E_LIMIT);
    assert_code(call(&s, "GET", "").r, PP_E_LIMIT);
    end_side(&s);
    test_stop_hard(&p);
}

static void each_malformed_response_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct step step;
        uint32_t code;
    } rows[] = {
        /* RFC 9112 6.3: without a length it could be the first half of the truth. */
        { { "HTTP/1.1 200 OK\r\n\r\nbody", 1 }, PP_E_FORMAT },
        { { "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody", 1 }, PP_E_FORMAT },
        { { "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nbody", 1 },
          PP_E_FORMAT },
        { { "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
            "4\r\nbody\r\n0\r\n\r\n",
            1 },
          PP_E_FORMAT },
        { { "HTTP/1.1 200 OK\r\nContent-Type: a\r\nContent-Type: b\r\nContent-Length: 0\r\n\r\n",
            1 },
          PP_E_FORMAT },
        { { "HTTP/1.1 200 OK\nContent-Length: 4\n\nbody", 1 }, PP_E_FORMAT },
        { { "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 4\r\n\r\nbody", 1 }, PP_E_FORMAT },
        { { "HTTP/1.1 200 OK\r\nX\x01: y\r\nContent-Length: 4\r\n\r\nbody", 1 }, PP_E_FORMAT },
        { { "body", 1 }, PP_E_FORMAT },
        { { "HTTP/1.1 199 Odd\r\nContent-Length: 0\r\n\r\n", 1 }, PP_E_CLOSED },
        /* Too short. */
        { { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbody", 1 }, PP_E_CLOSED },
        { { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n", 1 },
          PP_E_CLOSED },
        { { "", 1 }, PP_E_CLOSED },
        { { "HTTP/1.1 200 OK\r\nContent-Le", 1 }, PP_E_FORMAT },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct party p = start_script(&rows[i].step, 1);
        struct side s = make_side(&p, &(struct pp_http_client_config){ 0 });
        struct outcome o = call(&s, "POST", "x");
        if (o.r.code != rows[i].code)
            fail_msg("row %zu: %s (%u) instead of %s", i, pp_code_name(o.r.code), o.r.detail,
                     pp_code_name(rows[i].code));
        assert_int_equal(seen->requests, 1);
        end_side(&s);
        test_stop_hard(&p);
    }
}

static void a_response_head_has_limits(void **state)
{
    (void)state;
    static char many[4096];
    static char large[40000];
    static char long_type[400];
    struct step steps[3];
    size_t n = (size_t)snprintf(many, sizeof many, "HTTP/1.1 200 OK\r\n");

    for (int i = 0; i < 70; i++)
        n += (size_t)snprintf(many + n, sizeof many - n, "X: y\r\n");
    snprintf(many + n, sizeof many - n, "Content-Length: 0\r\n\r\n");
    snprintf(large, sizeof large, "HTTP/1.1 200 OK\r\nX: %020000d\r\nContent-Length: 0\r\n\r\n", 0);
    snprintf(long_type, sizeof long_type,
             "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Type: %0*d\r\n\r\n",
             PP_HTTP_TYPE_BYTES_MAX + 1, 0);
    steps[0] = (struct step){ many, 1 };
    steps[1] = (struct step){ large, 1 };
    steps[2] = (struct step){ long_type, 1 };
    struct party p = start_script(steps, 3);
    struct side s = make_side(&p, &(struct pp_http_client_config){ 0 });
    for (int i = 0; i < 3; i++)
        assert_code(call(&s, "GET", "").r, PP_E_LIMIT);
    end_side(&s);
    test_stop_hard(&p);
}

static void any_status_is_an_answer_and_a_redirect_is_not_followed(void **state)
{
    (void)state;
    static const struct step steps[] = {
        { "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", 0 },
        { "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", 0 },
        { "HTTP/1.1 503 Busy\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nb", 0 },
        { "HTTP/1.1 204 No Content\r\n\r\n", 0 },
        { "HTTP/1.1 103 Early Hints\r\nContent-Type: x/y\r\n\r\n"
          "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
          0 },
    };
    static const unsigned statuses[] = { 302, 401, 503, 204, 200 };
    struct party p = start_script(steps, PP_ARRAY_COUNT(steps));
    struct side s = make_side(&p, &(struct pp_http_client_config){ 0 });

    for (size_t i = 0; i < PP_ARRAY_COUNT(steps); i++) {
        struct outcome o = call(&s, "POST", "x");
        assert_ok(o.r);
        assert_int_equal(o.status, statuses[i]);
        assert_string_equal(o.type, i == 2 ? "text/plain" : "");
        assert_int_equal(seen->requests, i + 1);
    }
    end_side(&s);
    test_stop_hard(&p);
}

static void a_call_ends_at_its_deadline(void **state)
{
    (void)state;
    static const struct step steps[] = { { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx", 0 } };
    struct party p = start_script(steps, 1);
    struct side s = make_side(&p, &(struct pp_http_client_config){ .connections_per_host_max = 1 });
    const struct pp_http_call c = { .method = "GET", .url = s.url, .deadline_ms = 80 };
    struct outcome o = { .stop = s.loop, .stop_at = 2 };
    struct pp_http_pending *pending;
    uint64_t from = test_now_ms();

    assert_ok(pp_http_client_start(s.client, &c, on_done, &o, &pending));
    assert_ok(pp_http_client_start(s.client, &c, on_done, &o, &pending)); /* waits for the first */
    assert_ok(pp_loop_run(s.loop));
    assert_code(o.r, PP_E_TIMEOUT);
    assert_int_equal(o.count, 2);
    assert_true(test_now_ms() - from >= 60); /* timers are coarse */
    end_side(&s);
    test_stop_hard(&p);
}

static void a_cancelled_call_is_never_heard_of_again(void **state)
{
    (void)state;
    static const struct step steps[] = { { NULL, 0 }, { OK_ANSWER, 0 } };
    struct party p = start_script(steps, 2);
    struct side s = make_side(&p, &(struct pp_http_client_config){ .calls_max = 1 });
    const struct pp_http_call c = { .method = "POST", .url = s.url, .deadline_ms = PATIENCE_MS };
    struct outcome cancelled = { 0 };
    struct pp_http_pending *pending;
    struct pp_http_pending *second;

    assert_ok(pp_http_client_start(s.client, &c, on_done, &cancelled, &pending));
    assert_code(pp_http_client_start(s.client, &c, on_done, &cancelled, &second), PP_E_BUSY);
    pp_http_client_cancel(pending);
    /* Freeing the client cancels what runs. */
    assert_ok(pp_http_client_start(s.client, &c, on_done, &cancelled, &second));
    end_side(&s);
    assert_int_equal(cancelled.count, 0);
    test_stop_hard(&p);
}

static void nobody_there_is_a_network_failure(void **state)
{
    (void)state;
    struct pp_listener l = test_listener("127.0.0.1:0");
    struct party p = { .address = l.address };

    pp_listener_done(&l);
    struct side s = make_side(&p, &(struct pp_http_client_config){ 0 });
    assert_code(call(&s, "GET", "").r, PP_E_NETWORK);
    end_side(&s);
}

/* A label of more than 63 bytes is a name that nobody is asked for. */
static void a_name_that_is_not_known_is_a_network_failure(void **state)
{
    (void)state;
    struct party p = { .address = { .family = PP_ADDRESS_IP4, .ip = { 127, 0, 0, 1 }, .port = 9 } };
    struct side s = make_side(&p, &(struct pp_http_client_config){ 0 });
    char url[96] = "http://";

    memset(url + strlen(url), 'a', 64);
    pp_res r = pp_http_client_pin(s.client, url);
    assert_code(r, PP_E_NETWORK);
    assert_int_not_equal(r.detail, 0); /* what the resolver said */
    end_side(&s);
}

static void a_client_has_as_many_calls_and_bytes_as_its_limits_say(void **state)
{
    (void)state;
    static const struct {
        struct pp_http_client_config config;
        uint32_t code;
    } rows[] = {
        { { .calls_max = PP_HTTP_CALLS_MAX, .response_bytes_max = 1 }, PP_E_OK },
        { { .calls_max = PP_HTTP_CALLS_MAX + 1, .response_bytes_max = 1 }, PP_E_RANGE },
        { { .calls_max = 1, .response_bytes_max = PP_HTTP_RESPONSE_BYTES_MAX }, PP_E_OK },
        { { .calls_max = 1, .response_bytes_max = PP_HTTP_RESPONSE_BYTES_MAX + 1 }, PP_E_RANGE },
    };
    struct pp_loop *loop;

    assert_ok(pp_loop_new(&loop));
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_http_client *c = NULL;
        assert_code(pp_http_client_new(loop, &rows[i].config, &c), rows[i].code);
        pp_http_client_free(c);
    }
    pp_loop_free(loop);
}

static long end_at_once(void *ctx, uint8_t *at, size_t cap)
{
    (void)ctx;
    (void)at;
    (void)cap;
    return PP_HTTP_PULL_END;
}

static void what_is_sent_with_a_call_has_limits(void **state)
{
    (void)state;
    enum { LINE = PP_HTTP_SENT_LINE_BYTES_MAX }; /* a name and its value are shorter */
    static char text[LINE + 1];
    static char path[PP_ADDRESS_PATH_MAX + 2];
    struct party p = { .address = { .family = PP_ADDRESS_IP4, .ip = { 127, 0, 0, 1 }, .port = 9 } };
    struct side s = make_side(&p, &(struct pp_http_client_config){ 0 });
    struct outcome o = { 0 };
    struct pp_http_pending *pending;

    memset(text, 'a', LINE);
    memset(path, 'a', PP_ADDRESS_PATH_MAX + 1);
    for (size_t past = 0; past < 2; past++) {
        uint32_t code = past > 0 ? PP_E_RANGE : PP_E_OK;
        const struct pp_http_field fields[] = {
            { PP_STR("X"), pp_span((const uint8_t *)text, LINE - 2 + past) },
            { pp_span((const uint8_t *)text, LINE - 1 + past), PP_STR("") },
        };
        struct pp_http_call calls[] = {
            { .fields = &fields[0], .field_count = 1 },
            { .fields = &fields[1], .field_count = 1 },
            { .unix_path = path + 1 - past },
            { .pull = end_at_once, .body = pp_span((const uint8_t *)"a", past) },
        };
        for (size_t i = 0; i < PP_ARRAY_COUNT(calls); i++) {
            calls[i].method = "POST";
            calls[i].url = s.url;
            calls[i].deadline_ms = 1000;
            pp_res r = pp_http_client_start(s.client, &calls[i], on_done, &o, &pending);
            if (r.code != code)
                fail_msg("%zu, %zu past: %s", i, past, pp_code_name(r.code));
            if (pp_is_ok(r))
                pp_http_client_cancel(pending);
        }
    }
    assert_int_equal(o.count, 0);
    end_side(&s);
}

static void a_call_that_cannot_be_sent_is_refused_at_once(void **state)
{
    (void)state;
    struct party p = { .address = { .family = PP_ADDRESS_IP4, .ip = { 127, 0, 0, 1 }, .port = 9 } };
    struct side s = make_side(&p, &(struct pp_http_client_config){ 0 });
    const struct pp_http_field bad[] = {
        { PP_STR("X"), PP_STR("a\r\nInjected: yes") },
        { PP_STR("X Y"), PP_STR("a") },
        { PP_STR(""), PP_STR("a") },
        { PP_STR("Content-Length"), PP_STR("3") },
        { PP_STR("transfer-encoding"), PP_STR("chunked") },
    };
    const struct pp_http_field good[PP_HTTP_SENT_FIELDS_MAX + 1] = { { PP_STR("X"), PP_STR("a") } };
    const struct pp_http_call fine = { .method = "GET", .url = s.url, .deadline_ms = 1000 };
    static char long_url[PP_HTTP_URL_BYTES_MAX + 2] = "http://127.0.0.1/";
    struct outcome o = { 0 };
    struct pp_http_pending *pending;
    struct pp_http_call c;

    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++) {
        c = fine;
        c.fields = &bad[i];
        c.field_count = 1;
        assert_code(pp_http_client_start(s.client, &c, on_done, &o, &pending), PP_E_FORMAT);
    }
    c = fine;
    c.fields = good;
    c.field_count = PP_HTTP_SENT_FIELDS_MAX + 1;
    assert_code(pp_http_client_start(s.client, &c, on_done, &o, &pending), PP_E_RANGE);
    static const char *const urls[] = { "ftp://127.0.0.1/", "https://127.0.0.1/",
                                        "file:///etc/passwd", "http://127.0.0.1/a b",
                                        "http://127.0.0.1/\r\nX: y" };
    for (size_t i = 0; i < PP_ARRAY_COUNT(urls); i++) {
        c = fine;
        c.url = urls[i];
        assert_code(pp_http_client_start(s.client, &c, on_done, &o, &pending), PP_E_FORMAT);
    }
    memset(long_url + strlen(long_url), 'a', PP_HTTP_URL_BYTES_MAX + 1 - strlen(long_url));
    c = fine;
    c.url = long_url;
    assert_code(pp_http_client_start(s.client, &c, on_done, &o, &pending), PP_E_RANGE);
    c = fine;
    c.method = "GET /x HTTP/1.1\r\n";
    assert_code(pp_http_client_start(s.client, &c, on_done, &o, &pending), PP_E_FORMAT);
    static const uint32_t deadlines[] = { 0, PP_HTTP_DEADLINE_MS_MAX + 1 };
    for (size_t i = 0; i < 2; i++) {
        c = fine;
        c.deadline_ms = deadlines[i];
        assert_code(pp_http_client_start(s.client, &c, on_done, &o, &pending), PP_E_RANGE);
    }
    assert_int_equal(o.count, 0);
    end_side(&s);
}

static void a_url_of_a_configuration_is_checked_and_gives_its_port(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        unsigned port; /* 0: refused */
    } rows[] = {
        { "http://127.0.0.1:8080/gateway", 8080 },
        { "http://relay.example/", 80 },
        { "https://relay.example/x?y", 443 },
        { "https://[::1]:65535/", 65535 },
        { "http://[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]/", 80 }, /* the longest */
        { "http://[]/", 0 },
        { "http://[::1", 0 },
        { "http://[::g]/", 0 },
        { "http://[::1%25lo]/", 0 }, /* a zone */
        { "http://[::1]x80/", 0 },   /* no port without its colon */
        { "", 0 },
        { "127.0.0.1:80/", 0 },
        { "ftp://127.0.0.1/", 0 },
        { "file:///etc/passwd", 0 },
        { "http://", 0 },
        { "http:/w", 0 }, /* found by fuzz/net_address */
        { "http:w", 0 },
        { "http:///w", 0 },
        { "HTTP://w/", 0 },
        { "http://user@host/", 0 },
        { "http://user:pass@host/", 0 },
        { "http://host/#x", 0 },
        { "http://host:0/", 0 },
        { "http://host:65536/", 0 },
        { "http://ho st/", 0 },
        { "http://host/\r\n", 0 },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        uint16_t port = 7;
        pp_res r = pp_http_url_port(pp_span_cstr(rows[i].url), &port);
        if (pp_is_ok(r) != (rows[i].port != 0))
            fail_msg("%s: %s", rows[i].url, pp_code_name(r.code));
        assert_int_equal(port, rows[i].port != 0 ? rows[i].port : 7);
    }
    static char long_host[PP_HTTP_URL_BYTES_MAX + 1] = "http://[";
    uint16_t port;
    memset(long_host + strlen(long_host), ':', PP_HTTP_URL_BYTES_MAX - 10);
    memcpy(long_host + strlen(long_host), "]/", 2);
    assert_int_equal(strlen(long_host), PP_HTTP_URL_BYTES_MAX);
    assert_code(pp_http_url_port(pp_span_cstr(long_host), &port), PP_E_FORMAT);
}

static void a_name_is_resolved_once_and_kept(void **state)
{
    (void)state;
    static const struct step steps[] = { { OK_ANSWER, 0 } };
    struct party p = start_script(steps, 1);
    struct side s = make_side(&p, &(struct pp_http_client_config){ 0 });

    snprintf(s.url, sizeof s.url, "http://localhost:%u/x", p.address.port);
    assert_ok(pp_http_client_pin(s.client, s.url));
    assert_ok(call(&s, "GET", "").r);
    assert_code(pp_http_client_pin(s.client, "http://"), PP_E_FORMAT);
    for (int i = 1; i < PP_HTTP_PINS_MAX; i++)
        assert_ok(pp_http_client_pin(s.client, s.url));
    assert_code(pp_http_client_pin(s.client, s.url), PP_E_LIMIT);
    end_side(&s);
    test_stop_hard(&p);
}

static void a_tool_can_call_and_wait(void **state)
{
    (void)state;
    static const struct step steps[] = {
        { "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nok", 1 },
        { NULL, 1 },
    };
    struct party p = start_script(steps, 2);
    char url[64];
    struct pp_http_result result = { 0 };
    struct pp_http_call c = { .method = "GET", .url = url, .deadline_ms = PATIENCE_MS };

    snprintf(url, sizeof url, "http://127.0.0.1:%u/", p.address.port);
    assert_ok(pp_http_call(NULL, &c, &result));
    assert_int_equal(result.status, 200);
    assert_string_equal(result.type, "a/b");
    assert_int_equal(result.body_len, 2);
    assert_memory_equal(result.body, "ok", 2);
    pp_http_result_done(&result);
    pp_http_result_done(&result);
    assert_code(pp_http_call(NULL, &c, &result), PP_E_CLOSED);
    assert_null(result.body);
    test_stop_hard(&p);
}

/* --- against our own server: many calls, few connections, flat memory ----------------------- */

static void on_hello(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    const struct pp_http_reply r = { .status = 200,
                                     .type = "a/b",
                                     .body = pp_http_request_body(q) };

    pp_http_reply(q, &r);
}

static struct pp_loop *server_loop;

static void on_term(void *ctx)
{
    (void)ctx;
    pp_loop_stop(server_loop);
}

static int run_server(struct pp_listener *l, void *ctx)
{
    static const struct pp_http_route route = { "POST", "/x", 64, on_hello, NULL };
    const struct pp_http_server_config c = { .routes = &route,
                                             .route_count = 1,
                                             .connections_max = 4 };
    struct pp_http_server *server;
    struct pp_signal *term;

    (void)ctx;
    if (!pp_is_ok(pp_loop_new(&server_loop)) ||
        !pp_is_ok(pp_http_server_new(server_loop, &c, &server)) ||
        !pp_is_ok(pp_http_server_listen(server, l)) ||
        !pp_is_ok(pp_signal_new(server_loop, SIGTERM, on_term, NULL, &term)) ||
        !pp_is_ok(pp_loop_run(server_loop)))
        return 3;
    pp_signal_free(term);
    pp_http_server_free(server);
    pp_loop_free(server_loop);
    pp_listener_done(l);
    return 0;
}

static void many_calls_share_few_connections(void **state)
{
    (void)state;
    struct party p = test_start("127.0.0.1:0", run_server, NULL);
    struct side s = make_side(
        &p, &(struct pp_http_client_config){ .calls_max = 100, .connections_per_host_max = 4 });
    const struct pp_http_call c = {
        .method = "POST", .url = s.url, .body = PP_STR("hello"), .deadline_ms = PATIENCE_MS
    };
    struct pp_http_pending *pending;

    for (int round = 0; round < 20; round++) {
        struct outcome o = { .stop = s.loop, .stop_at = 100 };
        for (int i = 0; i < 100; i++)
            assert_ok(pp_http_client_start(s.client, &c, on_done, &o, &pending));
        assert_ok(pp_loop_run(s.loop));
        assert_int_equal(o.count, 100);
        assert_ok(o.r);
        assert_int_equal(o.status, 200);
        assert_string_equal(o.body, "hello");
    }
    end_side(&s);
    test_stop(&p);
}

static void a_call_can_go_to_a_unix_socket(void **state)
{
    (void)state;
    char name[64];

    snprintf(name, sizeof name, "unix:/tmp/pp-client-%ld", (long)getpid());
    struct party p = test_start(name, run_server, NULL);
    struct pp_http_result result = { 0 };
    const struct pp_http_call c = { .method = "POST",
                                    .url = "http://cvm/x",
                                    .unix_path = p.address.path,
                                    .body = PP_STR("hello"),
                                    .deadline_ms = PATIENCE_MS };
    assert_ok(pp_http_call(NULL, &c, &result));
    assert_int_equal(result.status, 200);
    pp_http_result_done(&result);
    test_stop(&p);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(w4_a_request_has_the_fields_that_were_asked_for_and_no_other),
    cmocka_unit_test(a_request_is_never_sent_twice),
    cmocka_unit_test(a_dead_idle_connection_is_replaced),
    cmocka_unit_test(a_response_at_the_limit_is_taken_and_one_past_it_refused),
    cmocka_unit_test(each_malformed_response_is_refused),
    cmocka_unit_test(a_response_head_has_limits),
    cmocka_unit_test(any_status_is_an_answer_and_a_redirect_is_not_followed),
    cmocka_unit_test(a_call_ends_at_its_deadline),
    cmocka_unit_test(a_cancelled_call_is_never_heard_of_again),
    cmocka_unit_test(nobody_there_is_a_network_failure),
    cmocka_unit_test(a_name_that_is_not_known_is_a_network_failure),
    cmocka_unit_test(a_client_has_as_many_calls_and_bytes_as_its_limits_say),
    cmocka_unit_test(what_is_sent_with_a_call_has_limits),
    cmocka_unit_test(a_call_that_cannot_be_sent_is_refused_at_once),
    cmocka_unit_test(a_url_of_a_configuration_is_checked_and_gives_its_port),
    cmocka_unit_test(a_name_is_resolved_once_and_kept),
    cmocka_unit_test(a_tool_can_call_and_wait),
    cmocka_unit_test(many_calls_share_few_connections),
    cmocka_unit_test(a_call_can_go_to_a_unix_socket),
};

PP_TEST_MAIN(TESTS)
