/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 on the port of HTTP/1.1: the same answers and refusals, and floods that cost nothing. */
#include "h2_frames.h"
#include "http_party.h"

enum { GROWTH_KIB_MAX = 2048, FLOOD_FRAMES = 20000, CALM_DOWN = 0xb, NO_ERROR = 0 };

static struct h2_out out;
static struct h2_answer got;

static int connect_h2(const struct party *p)
{
    int fd = test_connect(&p->address);

    h2_hello(h2_begin(&out));
    h2_send(fd, &out);
    return fd;
}

/* Somebody else, meanwhile. */
static void others_are_served(const struct party *p)
{
    struct pp_wr *wr = h2_begin(&out);

    h2_hello(wr);
    h2_get(wr, 1, "/hello");
    int fd = test_connect_saying(p, pp_wr_done(wr));
    h2_answer_of(fd, 1, &got);
    assert_int_equal(got.status, 200);
    assert_int_equal(got.body_len, 5);
    close(fd);
}

/* --- requests ------------------------------------------------------------------------------- */

static void the_preface_chooses_the_version_however_it_is_split(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });

    for (size_t piece = 1; piece <= 40; piece += 13) {
        int fd = test_connect(&p.address);
        struct pp_wr *wr = h2_begin(&out);
        h2_hello(wr);
        h2_get(wr, 1, "/hello");
        struct pp_span left = pp_wr_done(wr);
        while (left.len > 0) {
            size_t n = piece < left.len ? piece : left.len;
            test_send(fd, pp_span(left.at, n));
            left = pp_span(left.at + n, left.len - n);
        }
        h2_answer_of(fd, 1, &got);
        assert_int_equal(got.status, 200);
        assert_int_equal(got.body_len, 5);
        close(fd);
    }
    test_stop(&p);
}

struct field {
    const char *name, *value;
};

/* RFC 9113 8.2, 8.3, and docs/protocol/http.md 2. 0: the stream is reset. */
static const struct {
    const char *what;
    unsigned status;
    struct field fields[7];
} HEADS[] = {
#define GET_HELLO                                                                                  \
    { ":method", "GET" }, { ":scheme", "http" },                                                   \
    {                                                                                              \
        ":path", "/hello"                                                                          \
    }
#define GET_OF(path)                                                                               \
    { ":method", "GET" }, { ":scheme", "http" },                                                   \
    {                                                                                              \
        ":path", path                                                                              \
    }
#define AT_A                                                                                       \
    {                                                                                              \
        ":authority", "a"                                                                          \
    }
    { "a request", 200, { GET_HELLO, AT_A } },
    { "https", 200, { { ":method", "GET" }, { ":scheme", "https" }, { ":path", "/hello" }, AT_A } },
    { "a Host in place of an authority", 200, { GET_HELLO, { "host", "a" } } },
    { "no route", 404, { GET_OF("/nothing"), AT_A } },
    { "another method",
      405,
      { { ":method", "PUT" }, { ":scheme", "http" }, { ":path", "/hello" }, AT_A } },
    { "an authority and a Host", 400, { GET_HELLO, AT_A, { "host", "a" } } },
    { "neither", 0, { GET_HELLO, { "x", "y" } } },
    { "an authority with a user", 400, { GET_HELLO, { ":authority", "u@a" } } },
    { "a climbing path", 400, { GET_OF("/a/../hello"), AT_A } },
    { "an escape", 400, { GET_OF("/%68ello"), AT_A } },
    { "an empty segment", 400, { GET_OF("//hello"), AT_A } },
    { "a fragment", 400, { GET_OF("/hello#x"), AT_A } },
    { "another scheme",
      400,
      { { ":method", "GET" }, { ":scheme", "ftp" }, { ":path", "/hello" }, AT_A } },
    { "a method in lower case",
      400,
      { { ":method", "get" }, { ":scheme", "http" }, { ":path", "/hello" }, AT_A } },
    { "a byte above ASCII", 400, { GET_HELLO, AT_A, { "x", "\xc3\xa4" } } },
    { "a line end in a value", 400, { GET_HELLO, AT_A, { "x", "a\r\ny: b" } } },
    { "a name with a space", 400, { GET_HELLO, AT_A, { "x y", "a" } } },
    { "two content types",
      400,
      { GET_HELLO, AT_A, { "content-type", "a/b" }, { "content-type", "a/b" } } },
    { "two authorizations",
      400,
      { GET_HELLO, AT_A, { "authorization", "a" }, { "authorization", "a" } } },
    { "an expectation", 417, { GET_HELLO, AT_A, { "expect", "100-continue" } } },
    { "no path", 0, { { ":method", "GET" }, { ":scheme", "http" }, AT_A } },
    { "no scheme", 0, { { ":method", "GET" }, { ":path", "/hello" }, AT_A } },
    { "two paths", 0, { GET_HELLO, { ":path", "/hello" }, AT_A } },
    { "an unknown pseudo-field", 0, { GET_HELLO, { ":x", "y" }, AT_A } },
    { "a pseudo-field behind a field", 0, { GET_HELLO, { "x", "y" }, AT_A } },
    { "Connection", 0, { GET_HELLO, AT_A, { "connection", "close" } } },
    { "Transfer-Encoding", 0, { GET_HELLO, AT_A, { "transfer-encoding", "chunked" } } },
    { "Upgrade", 0, { GET_HELLO, AT_A, { "upgrade", "x" } } },
    { "a name in upper case", 0, { GET_HELLO, AT_A, { "X", "y" } } },
    { "a tunnel", 400, { { ":method", "CONNECT" }, AT_A } },
    { "a length that does not hold", 0, { GET_HELLO, AT_A, { "content-length", "5" } } },
};

static void each_malformed_head_gets_its_status_and_the_connection_goes_on(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });
    int fd = connect_h2(&p);
    uint32_t stream = 1;

    for (size_t i = 0; i < PP_ARRAY_COUNT(HEADS); i++, stream += 2) {
        uint8_t block[1024];
        struct pp_wr fields = pp_wr_over(block, sizeof block);
        for (size_t f = 0; f < 7 && HEADS[i].fields[f].name != NULL; f++)
            h2_field(&fields, HEADS[i].fields[f].name, HEADS[i].fields[f].value);
        h2_frame(h2_begin(&out), H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, stream,
                 pp_wr_done(&fields));
        h2_send(fd, &out);
        h2_answer_of(fd, stream, &got);
        if (got.status != HEADS[i].status || got.reset != (got.status == 0))
            fail_msg("%s: %u (reset: %u) instead of %u", HEADS[i].what, got.status, got.reset,
                     HEADS[i].status);
    }
    close(fd);
    others_are_served(&p);
    test_stop(&p);
}

static void send_body(struct pp_wr *wr, uint32_t stream, size_t len)
{
    static const uint8_t bytes[1 << 14];

    while (len > 0) {
        size_t n = len < sizeof bytes ? len : sizeof bytes;
        len -= n;
        h2_frame(wr, H2_DATA, len == 0 ? H2_END_STREAM : 0, stream, pp_span(bytes, n));
    }
}

static void a_body_at_the_limit_is_taken_and_one_past_it_is_413(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });
    int fd = connect_h2(&p);

    for (uint32_t i = 0; i < 2; i++) {
        struct pp_wr *wr = h2_begin(&out);
        h2_request(wr, 1 + 2 * i, 0, "POST", "/echo");
        send_body(wr, 1 + 2 * i, ECHO_BYTES_MAX + i);
        h2_send(fd, &out);
        h2_answer_of(fd, 1 + 2 * i, &got);
        assert_int_equal(got.status, i == 0 ? 200 : 413);
        assert_int_equal(got.body_len, i == 0 ? ECHO_BYTES_MAX : 0);
    }
    /* By what it says already, before any of it has come. */
    uint8_t block[256];
    struct pp_wr fields = pp_wr_over(block, sizeof block);
    h2_request_fields(&fields, "POST", "/echo");
    h2_field(&fields, "content-length", "1025");
    h2_frame(h2_begin(&out), H2_HEADERS, H2_END_HEADERS, 5, pp_wr_done(&fields));
    h2_send(fd, &out);
    h2_answer_of(fd, 5, &got);
    assert_int_equal(got.status, 413);
    close(fd);
    test_stop(&p);
}

static void a_trailer_is_refused(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });
    int fd = connect_h2(&p);
    uint8_t block[64];
    struct pp_wr fields = pp_wr_over(block, sizeof block);
    struct pp_wr *wr = h2_begin(&out);

    h2_request(wr, 1, 0, "POST", "/echo");
    h2_frame(wr, H2_DATA, 0, 1, PP_STR("hello"));
    h2_field(&fields, "x", "y");
    h2_frame(wr, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 1, pp_wr_done(&fields));
    h2_send(fd, &out);
    h2_answer_of(fd, 1, &got);
    assert_int_equal(got.status, 400);
    close(fd);
    test_stop(&p);
}

/* A head of `count` fields whose values have `len` bytes, in one HEADERS frame. */
static unsigned status_of_head(const struct party *p, size_t count, size_t len)
{
    static uint8_t block[1 << 14];
    char value[8192];
    struct pp_wr fields = pp_wr_over(block, sizeof block);
    int fd = connect_h2(p);

    memset(value, 'v', len);
    value[len] = '\0';
    h2_request_fields(&fields, "GET", "/hello");
    for (size_t i = 0; i < count; i++)
        h2_field(&fields, "x", value);
    h2_frame(h2_begin(&out), H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 1, pp_wr_done(&fields));
    h2_send(fd, &out);
    h2_answer_of(fd, 1, &got);
    close(fd);
    return got.status;
}

/* RFC 9113 10.5.1. Name, value and 32 bytes each: the pseudo-fields of ours have 171. */
static void a_head_at_its_limits_is_taken_and_one_past_them_is_431(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });

    assert_int_equal(status_of_head(&p, PP_HTTP_FIELDS_MAX - 1, 1), 200); /* and the authority */
    assert_int_equal(status_of_head(&p, PP_HTTP_FIELDS_MAX, 1), 431);
    assert_int_equal(status_of_head(&p, 1, 7800), 200);
    assert_int_equal(status_of_head(&p, 1, 8100), 431);
    assert_int_equal(status_of_head(&p, 2, 7800), 431);
    others_are_served(&p);
    test_stop(&p);
}

static void requests_of_one_connection_are_answered_as_they_are_ready(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });
    int fd = connect_h2(&p);
    static struct h2_in in;
    uint32_t order[2];
    int seen = 0;
    struct pp_wr *wr = h2_begin(&out);

    h2_get(wr, 1, "/later");
    h2_get(wr, 3, "/hello");
    h2_send(fd, &out);
    while (seen < 2 && h2_read(fd, &in))
        if (in.type == H2_HEADERS)
            order[seen++] = in.stream;
    assert_int_equal(seen, 2);
    assert_int_equal(order[0], 3);
    assert_int_equal(order[1], 1);
    close(fd);
    test_stop(&p);
}

static void a_request_without_a_place_is_answered_503(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ .requests_max = 3, .streams_max = 2 });
    int fd = connect_h2(&p);
    struct pp_wr *wr = h2_begin(&out);

    /* Before the server's settings are confirmed: a client that keeps to them does not do this. */
    h2_get(wr, 1, "/later");
    h2_request(wr, 3, 0, "POST", "/echo");
    h2_get(wr, 5, "/hello");
    h2_send(fd, &out);
    h2_answer_of(fd, 5, &got);
    assert_true(got.status == 503 || got.reset);
    h2_answer_of(fd, 1, &got);
    assert_int_equal(got.status, 202);
    close(fd);
    /* Those of all connections together. */
    int one = connect_h2(&p);
    int two = connect_h2(&p);
    for (int i = 0; i < 2; i++) {
        static struct h2_in in = { 0 };
        wr = h2_begin(&out);
        h2_request(wr, 1, 0, "POST", "/echo");
        h2_request(wr, 3, 0, "POST", "/echo");
        h2_frame(wr, H2_PING, 0, 0, PP_STR("12345678"));
        h2_send(i == 0 ? one : two, &out);
        if (i == 0) /* these are in before the others come */
            while (h2_read(one, &in) && in.type != H2_PING)
                ;
    }
    h2_answer_of(two, 3, &got);
    assert_int_equal(got.status, 503);
    close(one);
    close(two);
    others_are_served(&p);
    test_stop(&p);
}

/* --- clients that leave, and servers that do ------------------------------------------------ */

static void wait_until_told(const struct party *p, unsigned long told)
{
    uint64_t from = test_now_ms();

    while (counters_of(p).told < told)
        assert_true(test_now_ms() - from < PATIENCE_MS);
}

static void a_handler_hears_of_a_reset_and_of_a_lost_connection(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });
    int fd = connect_h2(&p);
    struct pp_wr *wr = h2_begin(&out);

    h2_get(wr, 1, "/never");
    h2_u32(wr, H2_RST_STREAM, 1, 8);
    h2_get(wr, 3, "/hello");
    h2_send(fd, &out);
    h2_answer_of(fd, 3, &got);
    assert_int_equal(got.status, 200);
    h2_get(h2_begin(&out), 5, "/never");
    h2_send(fd, &out);
    wr = h2_begin(&out);
    h2_get(wr, 7, "/hello");
    h2_send(fd, &out);
    h2_answer_of(fd, 7, &got);
    h2_u32(h2_begin(&out), H2_RST_STREAM, 5, 8);
    h2_send(fd, &out);
    unsigned long told = counters_of(&p).told;
    wait_until_told(&p, told > 0 ? told : 1);
    h2_get(h2_begin(&out), 9, "/never");
    h2_send(fd, &out);
    close(fd);
    wait_until_told(&p, 2);
    assert_true(counters_of(&p).gone >= 2);
    test_stop(&p);
}

static void draining_says_goaway_and_finishes_what_runs(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });
    int fd = connect_h2(&p);
    int idle = connect_h2(&p);

    h2_get(h2_begin(&out), 1, "/last");
    h2_send(fd, &out);
    others_are_served(&p);
    test_stop(&p);
    h2_answer_of(fd, 1, &got);
    assert_int_equal(got.status, 202);
    h2_answer_of(idle, 0, &got);
    assert_int_equal(got.goaway, 1);
    assert_int_equal(got.error, NO_ERROR);
    close(fd);
    close(idle);
}

static void an_idle_connection_gets_goaway(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ .idle_timeout_ms = 100 });
    struct pp_wr *wr = h2_begin(&out);

    h2_hello(wr);
    h2_get(wr, 1, "/hello");
    int fd = test_connect_saying(&p, pp_wr_done(wr));
    h2_answer_of(fd, 1, &got);
    assert_int_equal(got.status, 200);
    h2_answer_of(fd, 0, &got);
    assert_int_equal(got.goaway, 1);
    assert_int_equal(got.error, NO_ERROR);
    close(fd);
    test_stop(&p);
}

/* Its handler answers behind that, to nobody: the connection has its deadline again. */
static void a_connection_whose_only_request_was_reset_is_idle(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ .idle_timeout_ms = 2 * LATER_MS });
    struct pp_wr *wr = h2_begin(&out);

    h2_hello(wr);
    h2_get(wr, 1, "/later");
    h2_get(wr, 3, "/hello");
    int fd = test_connect_saying(&p, pp_wr_done(wr));
    h2_answer_of(fd, 3, &got); /* so the handler has the first one */
    assert_int_equal(got.status, 200);
    h2_u32(h2_begin(&out), H2_RST_STREAM, 1, 8);
    h2_send(fd, &out);
    h2_answer_of(fd, 0, &got);
    assert_int_equal(got.goaway, 1);
    assert_int_equal(got.error, 0);
    assert_true(test_is_closed(fd));
    close(fd);
    test_stop(&p);
}

static void a_late_handler_and_a_slow_body_end_their_own_stream_alone(void **state)
{
    (void)state;
    struct party p = start(
        &(struct pp_http_server_config){ .answer_timeout_ms = 80, .body_timeout_ms = 120 });
    int fd = connect_h2(&p);
    struct pp_wr *wr = h2_begin(&out);

    h2_get(wr, 1, "/never");
    h2_request(wr, 3, 0, "POST", "/echo");
    h2_frame(wr, H2_DATA, 0, 3, PP_STR("a"));
    h2_send(fd, &out);
    h2_answer_of(fd, 1, &got);
    assert_int_equal(got.status, 504);
    h2_answer_of(fd, 3, &got);
    assert_int_equal(got.status, 408);
    h2_get(h2_begin(&out), 5, "/hello");
    h2_send(fd, &out);
    h2_answer_of(fd, 5, &got);
    assert_int_equal(got.status, 200);
    close(fd);
    struct counters c = counters_of(&p);
    assert_int_equal(c.late, 2);
    assert_int_equal(c.told, 1);
    test_stop(&p);
}

/* --- floods --------------------------------------------------------------------------------- */

/* Sends until the server has had enough: it says so or closes, and holds no more than before. */
static void flood(const char *what, void (*frames)(struct pp_wr *wr, uint32_t n))
{
    struct party p = start(&(struct pp_http_server_config){ 0 });
    struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
    uint64_t from = test_now_ms();
    uint32_t n = 0;

    others_are_served(&p);
#ifndef PP_SANITIZE
    long before = test_rss_kib(&p);
#endif
    int fd = connect_h2(&p);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
    for (int is_open = 1; is_open && n < FLOOD_FRAMES;) {
        struct pp_wr *wr = h2_begin(&out);
        for (int i = 0; i < 50; i++)
            frames(wr, n++);
        is_open = send(fd, out.bytes, wr->len, MSG_NOSIGNAL) >= 0;
        struct pollfd done = { .fd = fd, .events = POLLRDHUP };
        is_open = is_open && poll(&done, 1, 0) == 0;
    }
    h2_answer_of(fd, 0, &got);
    if (n >= FLOOD_FRAMES && !got.goaway)
        fail_msg("%s: %u frames were not too many", what, n);
    if (got.goaway && got.error != CALM_DOWN && got.error != 1)
        fail_msg("%s: error %u", what, got.error);
    close(fd);
    others_are_served(&p);
#ifndef PP_SANITIZE
    if (test_rss_kib(&p) - before > GROWTH_KIB_MAX)
        fail_msg("%s: %ld KiB more", what, test_rss_kib(&p) - before);
#endif
    assert_true(test_now_ms() - from < PATIENCE_MS);
    test_stop(&p);
}

static void put_ping(struct pp_wr *wr, uint32_t n)
{
    (void)n;
    h2_frame(wr, H2_PING, 0, 0, PP_STR("12345678"));
}

static void put_settings(struct pp_wr *wr, uint32_t n)
{
    h2_setting(wr, 4, 65535 + n % 2);
}

static void put_priority(struct pp_wr *wr, uint32_t n)
{
    h2_frame(wr, H2_PRIORITY, 0, 1 + 2 * n, PP_STR("\0\0\0\0\x10"));
}

/* CVE-2023-44487: asked for and given up at once. */
static void put_rapid_reset(struct pp_wr *wr, uint32_t n)
{
    h2_get(wr, 1 + 2 * n, "/never");
    h2_u32(wr, H2_RST_STREAM, 1 + 2 * n, 8);
}

/* The same, with the server made to reset (an overflowing window). */
static void put_made_reset(struct pp_wr *wr, uint32_t n)
{
    h2_request(wr, 1 + 2 * n, 0, "POST", "/echo");
    h2_u32(wr, H2_WINDOW_UPDATE, 1 + 2 * n, 0x7FFFFFFF);
}

/* CVE-2024-27316 and kin: a head without end. */
static void put_continuation(struct pp_wr *wr, uint32_t n)
{
    if (n == 0)
        h2_frame(wr, H2_HEADERS, 0, 1, pp_span(NULL, 0));
    h2_frame(wr, H2_CONTINUATION, 0, 1, PP_STR("\0\x01x\x01y"));
}

static void put_empty_continuation(struct pp_wr *wr, uint32_t n)
{
    if (n == 0)
        h2_frame(wr, H2_HEADERS, 0, 1, pp_span(NULL, 0));
    h2_frame(wr, H2_CONTINUATION, 0, 1, pp_span(NULL, 0));
}

/* CVE-2019-9518. */
static void put_empty_data(struct pp_wr *wr, uint32_t n)
{
    if (n == 0)
        h2_request(wr, 1, 0, "POST", "/echo");
    h2_frame(wr, H2_DATA, 0, 1, pp_span(NULL, 0));
}

static void put_window_update(struct pp_wr *wr, uint32_t n)
{
    (void)n;
    h2_u32(wr, H2_WINDOW_UPDATE, 0, 1);
}

static void put_unknown(struct pp_wr *wr, uint32_t n)
{
    (void)n;
    h2_frame(wr, 0x77, 0, 0, PP_STR("?"));
}

static void put_refused(struct pp_wr *wr, uint32_t n)
{
    h2_get(wr, 1 + 2 * n, "/../x");
}

static void put_malformed(struct pp_wr *wr, uint32_t n)
{
    h2_frame(wr, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 1 + 2 * n, PP_STR("\0\x01X\x01y"));
}

static void floods_are_ended_and_cost_no_memory(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        void (*frames)(struct pp_wr *wr, uint32_t n);
    } rows[] = {
        { "PING", put_ping },
        { "SETTINGS", put_settings },
        { "PRIORITY", put_priority },
        { "rapid reset", put_rapid_reset },
        { "resets that we are made to send", put_made_reset },
        { "CONTINUATION", put_continuation },
        { "empty CONTINUATION", put_empty_continuation },
        { "empty DATA", put_empty_data },
        { "WINDOW_UPDATE", put_window_update },
        { "frames of no known type", put_unknown },
        { "requests that are refused", put_refused },
        { "malformed requests", put_malformed },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++)
        flood(rows[i].what, rows[i].frames);
}

/* From one address, all kept open, each half way through something. */
static void a_storm_of_connections_takes_its_share_and_no_more(void **state)
{
    enum { STORM = 400, SHARE = 8 };
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ .connections_max = 16,
                                                            .connections_per_address_max = SHARE });
    int fds[STORM];

    others_are_served(&p);
#ifndef PP_SANITIZE
    long before = test_rss_kib(&p);
#endif
    for (int i = 0; i < STORM; i++) {
        fds[i] = test_connect_from(&p.address, "127.0.0.2");
        struct pp_wr *wr = h2_begin(&out);
        h2_hello(wr);
        h2_request(wr, 1, 0, "POST", "/large");
        h2_send(fds[i], &out);
        if (i % 40 == 0)
            others_are_served(&p);
    }
    others_are_served(&p);
    assert_true(counters_of(&p).busy >= STORM - SHARE);
#ifndef PP_SANITIZE
    assert_true(test_rss_kib(&p) - before <= GROWTH_KIB_MAX);
#endif
    for (int i = 0; i < STORM; i++)
        close(fds[i]);
    test_stop(&p);
}

/* On few connections, each with as many requests as it may have, none of which ends. */
static void one_address_cannot_take_all_requests(void **state)
{
    enum { ALL = 16, SHARE = 4, EACH = 8 };
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ .connections_max = ALL,
                                                            .requests_max = ALL,
                                                            .streams_max = EACH,
                                                            .connections_per_address_max = SHARE });
    int fds[SHARE - 1];

    for (int i = 0; i < SHARE - 1; i++) {
        fds[i] = test_connect_from(&p.address, "127.0.0.2");
        struct pp_wr *wr = h2_begin(&out);
        h2_hello(wr);
        for (uint32_t stream = 0; stream < EACH; stream++)
            h2_request(wr, 2 * stream + 1, 0, "POST", "/large");
        h2_send(fds[i], &out);
    }
    others_are_served(&p);
    /* Half of the places without a question; who has more than its share then gets no more. */
    while (counters_of(&p).busy < (SHARE - 1) * EACH - ALL / 2)
        others_are_served(&p);
    assert_int_equal(counters_of(&p).busy, (SHARE - 1) * EACH - ALL / 2);
    for (int i = 0; i < SHARE - 1; i++)
        close(fds[i]);
    test_stop(&p);
}

/* RFC 7541 6.2.1: 4 KiB put into the table once, and named by one byte as often as fits. */
static void a_small_head_that_expands_is_not_expanded(void **state)
{
    (void)state;
    static uint8_t block[1 << 14];
    static char large[3900];
    struct party p = start(&(struct pp_http_server_config){ 0 });
    int fd = connect_h2(&p);
    struct pp_wr fields = pp_wr_over(block, sizeof block);

    memset(large, 'v', sizeof large - 1);
    h2_request_fields(&fields, "GET", "/hello");
    pp_wr_u8(&fields, 0x40);
    h2_string(&fields, PP_STR("x"));
    h2_string(&fields, pp_span_cstr(large));
    while (fields.len < sizeof block)
        pp_wr_u8(&fields, 0x80 | 62); /* the newest of the dynamic table */
    h2_frame(h2_begin(&out), H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 1, pp_wr_done(&fields));
    h2_send(fd, &out);
    h2_answer_of(fd, 0, &got);
    assert_true(got.goaway || got.error == 0);
    assert_true(test_is_closed(fd));
    close(fd);
    others_are_served(&p);
    test_stop(&p);
}

/* A head of which a byte comes now and then, behind the preface and as a part of the preface. */
static void a_slow_head_is_ended_by_its_deadline(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ .head_timeout_ms = 150 });
    uint64_t from = test_now_ms();

    for (int part = 0; part < 2; part++) {
        int fd = part == 0 ? test_connect(&p.address) : connect_h2(&p);
        struct pp_wr *wr = h2_begin(&out);
        if (part == 1)
            h2_frame_head(wr, 1000, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 1);
        h2_send(fd, &out);
        for (size_t i = 0;; i++) {
            struct pollfd done = { .fd = fd, .events = POLLRDHUP };
            if (poll(&done, 1, 10) != 0)
                break;
            test_send(fd, part == 1 ? PP_STR("\x10") : pp_span(&H2_PREFACE[i % 23], i < 23));
            assert_true(test_now_ms() - from < PATIENCE_MS);
        }
        close(fd);
    }
    others_are_served(&p);
    test_stop(&p);
}

/* --- windows -------------------------------------------------------------------------------- */

/* CVE-2019-9517 and kin: asks for much and takes nothing. */
static void an_answer_that_is_not_taken_gives_its_place_back(void **state)
{
    (void)state;
    struct party p = start(
        &(struct pp_http_server_config){ .write_timeout_ms = 150, .requests_max = 2 });
    int fd = test_connect(&p.address);
    struct pp_wr *wr = h2_begin(&out);

    pp_wr_text(wr, H2_PREFACE);
    h2_setting(wr, 4, 0); /* no window for any stream */
    h2_get(wr, 1, "/big");
    h2_get(wr, 3, "/big");
    h2_send(fd, &out);
    h2_answer_of(fd, 3, &got);
    assert_int_equal(got.status, 200);
    assert_int_equal(got.body_len, 0);
    assert_int_equal(got.reset, 1);
    others_are_served(&p);
    close(fd);
    /* The same without reading: the socket itself is full. */
    fd = connect_h2(&p);
    wr = h2_begin(&out);
    h2_setting(wr, 4, 0x7FFFFFFF);
    h2_u32(wr, H2_WINDOW_UPDATE, 0, 0x7FFF0000);
    h2_get(wr, 1, "/big");
    h2_send(fd, &out);
    uint64_t from = test_now_ms();
    while (counters_of(&p).late < 3)
        assert_true(test_now_ms() - from < PATIENCE_MS);
    close(fd);
    others_are_served(&p);
    test_stop(&p);
}

static void a_window_opened_byte_by_byte_ends_in_time(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ .write_timeout_ms = 300 });
    struct timeval short_patience = { .tv_usec = 1000 };
    int fd = test_connect(&p.address);
    uint64_t from = test_now_ms();
    struct pp_wr *wr = h2_begin(&out);
    uint8_t bytes[4096];

    pp_wr_text(wr, H2_PREFACE);
    h2_setting(wr, 4, 0);
    h2_get(wr, 1, "/big");
    h2_send(fd, &out);
    assert_int_equal(
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &short_patience, sizeof short_patience), 0);
    while (counters_of(&p).late == 0) {
        h2_u32(h2_begin(&out), H2_WINDOW_UPDATE, 1, 1);
        h2_send(fd, &out);
        if (recv(fd, bytes, sizeof bytes, 0) == 0)
            break; /* or by what so many frames cost */
        assert_true(test_now_ms() - from < PATIENCE_MS);
    }
    close(fd);
    others_are_served(&p);
    test_stop(&p);
}

/* RFC 9113 6.9.1: 2^31-1 is the most. */
static void a_window_that_overflows_ends_the_stream_or_the_connection(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });
    int fd = connect_h2(&p);
    struct pp_wr *wr = h2_begin(&out);

    h2_get(wr, 1, "/later");
    h2_u32(wr, H2_WINDOW_UPDATE, 1, 0x7FFFFFFF);
    h2_send(fd, &out);
    h2_answer_of(fd, 1, &got);
    assert_int_equal(got.reset, 1);
    assert_int_equal(got.error, 3);
    h2_u32(h2_begin(&out), H2_WINDOW_UPDATE, 0, 0x7FFFFFFF);
    h2_send(fd, &out);
    h2_answer_of(fd, 0, &got);
    assert_int_equal(got.goaway, 1);
    assert_int_equal(got.error, 3);
    close(fd);
    /* And our own: more than we allowed. */
    fd = connect_h2(&p);
    wr = h2_begin(&out);
    h2_request(wr, 1, 0, "POST", "/held");
    send_body(wr, 1, (size_t)PP_HTTP_PIECES_BYTES + 1);
    h2_send(fd, &out);
    h2_answer_of(fd, 1, &got);
    assert_true(got.reset || got.goaway);
    assert_int_equal(got.error, 3);
    close(fd);
    others_are_served(&p);
    test_stop(&p);
}

/* --- what it costs -------------------------------------------------------------------------- */

static void thousands_of_requests_leave_memory_flat(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });
    int fd = connect_h2(&p);
    long rss = 0;

    for (uint32_t i = 0; i < 10000; i++) {
        struct pp_wr *wr = h2_begin(&out);
        h2_request(wr, 1 + 2 * i, 0, "POST", "/echo");
        h2_frame(wr, H2_DATA, H2_END_STREAM, 1 + 2 * i, PP_STR("0123456789"));
        if (i % 1000 == 999)
            h2_u32(wr, H2_WINDOW_UPDATE, 0, 20000);
        h2_send(fd, &out);
        h2_answer_of(fd, 1 + 2 * i, &got);
        assert_int_equal(got.status, 200);
        assert_int_equal(got.body_len, 10);
        if (i == 1000)
            rss = test_rss_kib(&p);
    }
#ifndef PP_SANITIZE
    assert_true(test_rss_kib(&p) - rss <= 128);
#else
    (void)rss;
#endif
    close(fd);
    test_stop(&p);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(the_preface_chooses_the_version_however_it_is_split),
    cmocka_unit_test(each_malformed_head_gets_its_status_and_the_connection_goes_on),
    cmocka_unit_test(a_body_at_the_limit_is_taken_and_one_past_it_is_413),
    cmocka_unit_test(a_trailer_is_refused),
    cmocka_unit_test(a_head_at_its_limits_is_taken_and_one_past_them_is_431),
    cmocka_unit_test(requests_of_one_connection_are_answered_as_they_are_ready),
    cmocka_unit_test(a_request_without_a_place_is_answered_503),
    cmocka_unit_test(a_handler_hears_of_a_reset_and_of_a_lost_connection),
    cmocka_unit_test(draining_says_goaway_and_finishes_what_runs),
    cmocka_unit_test(an_idle_connection_gets_goaway),
    cmocka_unit_test(a_connection_whose_only_request_was_reset_is_idle),
    cmocka_unit_test(a_late_handler_and_a_slow_body_end_their_own_stream_alone),
    cmocka_unit_test(floods_are_ended_and_cost_no_memory),
    cmocka_unit_test(one_address_cannot_take_all_requests),
    cmocka_unit_test(a_storm_of_connections_takes_its_share_and_no_more),
    cmocka_unit_test(a_small_head_that_expands_is_not_expanded),
    cmocka_unit_test(a_slow_head_is_ended_by_its_deadline),
    cmocka_unit_test(an_answer_that_is_not_taken_gives_its_place_back),
    cmocka_unit_test(a_window_opened_byte_by_byte_ends_in_time),
    cmocka_unit_test(a_window_that_overflows_ends_the_stream_or_the_connection),
    cmocka_unit_test(thousands_of_requests_leave_memory_flat),
};

PP_TEST_MAIN(TESTS)
