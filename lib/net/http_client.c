/* SPDX-License-Identifier: Apache-2.0 */
#include "http_client.h"

#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>

#include <curl/curl.h>
#include <event2/event_struct.h>

#include "address.h"
#include "ct.h"
#include "http_int.h"
#include "net_int.h"
#include "text.h"
#include "wr.h"

enum {
    LINE_BYTES_MAX = 2048, /* one field that we send */
    RESPONSE_HEAD_BYTES_MAX = 16384,
    RESPONSE_FIELDS_MAX = 64,
    PINS_MAX = 16,
};

/* One slot per possible call: its curl handle is made once and keeps its memory. */
struct pp_http_pending {
    struct pp_http_client *client;
    CURL *easy;
    struct curl_slist *lines;
    struct event deadline;
    struct event resume;
    uint32_t is_active;
    uint32_t attempts; /* how often curl set out to send it; see before_request */
    uint32_t failed;   /* enum pp_code, when a callback stopped the transfer */

    pp_http_done_fn done;
    void *ctx;
    long (*pull)(void *ctx, uint8_t *at, size_t cap);
    int (*head)(void *ctx, const struct pp_http_response *response);
    int (*piece)(void *ctx, struct pp_span bytes);
    void *pieces_ctx; /* of these three */

    uint8_t *body; /* response_bytes_max */
    size_t body_len;
    size_t head_len;
    size_t field_count;
    uint32_t length_fields, coding_fields, type_fields;
    char type[PP_HTTP_TYPE_BYTES_MAX + 1];
    size_t type_len;
    uint32_t head_ended; /* of the final response: what comes as a head from here on is trailers */

    struct pp_http_pending *next_free;
};

/* One descriptor that curl wants watched. */
struct watched {
    struct pp_http_client *client;
    struct event event;
    struct watched *next_free;
};

struct pp_http_client {
    struct event_base *base;
    struct pp_http_client_config config;
    CURLM *multi;
    struct event timer;
    struct pp_http_pending *slots;
    struct pp_http_pending *first_free;
    struct watched *sockets;
    struct watched *first_free_socket;
    uint8_t *memory;
    size_t memory_len;
    struct curl_slist *pins;
    size_t pin_count;
};

/* --- response bytes ------------------------------------------------------------------------- */

static size_t stop(struct pp_http_pending *p, uint32_t code)
{
    if (p->failed == PP_E_OK)
        p->failed = code;
    return 0; /* fewer bytes than given: curl ends the transfer */
}

static size_t on_piece(struct pp_http_pending *p, struct pp_span bytes)
{
    int taken = p->piece(p->pieces_ctx, bytes);

    if (taken < 0)
        return stop(p, PP_E_CANCELLED);
    /*
     * libcurl 7.88 stops reading the whole connection for one call that is paused, window updates
     * of the others included, and now and then does not go on: the slow call ends, not its
     * neighbours.
     */
    if (taken == 0 && p->client->config.http2)
        return stop(p, PP_E_LIMIT);
    return taken > 0 ? bytes.len : CURL_WRITEFUNC_PAUSE;
}

static size_t on_body(char *at, size_t size, size_t count, void *arg)
{
    struct pp_http_pending *p = (struct pp_http_pending *)arg;
    size_t len = size * count;

    if (p->piece != NULL)
        return on_piece(p, pp_span(at, len));
    if (len > p->client->config.response_bytes_max - p->body_len)
        return stop(p, PP_E_LIMIT);
    memcpy(p->body + p->body_len, at, len);
    p->body_len += len;
    return len;
}

static size_t on_pull(char *at, size_t size, size_t count, void *arg)
{
    struct pp_http_pending *p = (struct pp_http_pending *)arg;
    long n = p->pull(p->pieces_ctx, (uint8_t *)at, size * count);

    if (n == PP_HTTP_PULL_LATER)
        return CURL_READFUNC_PAUSE;
    PP_ASSERT(n == PP_HTTP_PULL_ABORT || (n >= 0 && (size_t)n <= size * count));
    if (n >= 0)
        return (size_t)n;
    (void)stop(p, PP_E_CANCELLED);
    return CURL_READFUNC_ABORT;
}

static void reset_head(struct pp_http_pending *p)
{
    p->field_count = 0;
    p->length_fields = p->coding_fields = p->type_fields = 0;
    p->type_len = 0;
}

static long status_of(const struct pp_http_pending *p)
{
    long status = 0;

    (void)curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/*
 * RFC 9112 6.3: a body that only the end of the connection delimits may be a truncated one. HTTP/2
 * marks the end of each, and nghttp2 compares it with the length.
 */
static uint32_t check_framing(const struct pp_http_pending *p, long status)
{
    long version = 0;

    if (status < 200 || status > 599)
        return PP_E_FORMAT;
    if (p->length_fields > 1 || p->coding_fields > 1 || p->type_fields > 1)
        return PP_E_FORMAT;
    (void)curl_easy_getinfo(p->easy, CURLINFO_HTTP_VERSION, &version);
    if (version == CURL_HTTP_VERSION_2)
        return p->coding_fields == 0 ? PP_E_OK : PP_E_FORMAT;
    if (p->length_fields + p->coding_fields == 1 || status == 204 || status == 304)
        return PP_E_OK;
    return PP_E_FORMAT;
}

/* The empty line: of the final head, if it is not an interim one. */
static size_t end_head(struct pp_http_pending *p, size_t len)
{
    struct pp_http_response response = { .status = (uint32_t)status_of(p),
                                         .type = pp_span(p->type, p->type_len) };

    if (response.status < 200)
        return len;
    p->head_ended = 1;
    if (p->head == NULL)
        return len;
    if (check_framing(p, status_of(p)) != PP_E_OK)
        return stop(p, PP_E_FORMAT);
    return p->head(p->pieces_ctx, &response) < 0 ? stop(p, PP_E_CANCELLED) : len;
}

/*
 * One line of the response head, with its line end; a status line starts each head (RFC 9110
 * 15.2: an interim response may come before the final one).
 */
static size_t on_head(char *at, size_t size, size_t count, void *arg)
{
    struct pp_http_pending *p = (struct pp_http_pending *)arg;
    struct pp_span line = pp_span(at, size * count);
    struct pp_span name;

    p->head_len += line.len;
    if (p->head_len > RESPONSE_HEAD_BYTES_MAX || ++p->field_count > RESPONSE_FIELDS_MAX)
        return stop(p, PP_E_LIMIT);
    if (line.len < 2 || line.at[line.len - 2] != '\r')
        return stop(p, PP_E_FORMAT);
    if (p->head_ended)
        return size * count; /* trailers are read past: RFC 9110 6.5.1 lets a recipient drop them */
    line.len -= 2;
    if (line.len >= 5 && memcmp(line.at, "HTTP/", 5) == 0) {
        reset_head(p);
        return size * count;
    }
    if (line.len == 0)
        return end_head(p, size * count);
    if (!pp_text_cut(&line, ':', &name) || !pp_http_is_token(name) || !pp_http_is_value(line))
        return stop(p, PP_E_FORMAT);
    line = pp_http_trim(line);
    p->length_fields += (uint32_t)pp_http_is_word(name, "content-length");
    p->coding_fields += (uint32_t)pp_http_is_word(name, "transfer-encoding");
    if (pp_http_is_word(name, "content-type")) {
        p->type_fields++;
        if (line.len > PP_HTTP_TYPE_BYTES_MAX)
            return stop(p, PP_E_LIMIT);
        memcpy(p->type, line.at, line.len);
        p->type_len = line.len;
    }
    return size * count;
}

/*
 * curl sends a request again by itself when a kept connection ends before the first byte of a
 * response, be it a POST. The far end may have acted on it: the second attempt stops here.
 */
static int before_request(void *arg, char *remote_ip, char *local_ip, int remote_port,
                          int local_port)
{
    struct pp_http_pending *p = (struct pp_http_pending *)arg;

    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    if (p->attempts++ == 0)
        return CURL_PREREQFUNC_OK;
    (void)stop(p, PP_E_CLOSED);
    return CURL_PREREQFUNC_ABORT;
}

/* --- results -------------------------------------------------------------------------------- */

static uint32_t code_of(CURLcode c)
{
    switch (c) {
    case CURLE_OK:
        return PP_E_OK;
    case CURLE_OPERATION_TIMEDOUT:
        return PP_E_TIMEOUT;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_HTTP2:        /* the connection failed, or ... */
    case CURLE_HTTP2_STREAM: /* ... was reset, which does not say what was done before */
        return PP_E_CLOSED;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9 */
    case CURLE_BAD_CONTENT_ENCODING:
        return PP_E_FORMAT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return PP_E_UNVERIFIED;
    case CURLE_OUT_OF_MEMORY:
        return PP_E_NO_MEMORY;
    default:
        return PP_E_NETWORK;
    }
}

static void give_back(struct pp_http_pending *p)
{
    struct pp_http_client *c = p->client;

    (void)event_del(&p->deadline);
    (void)event_del(&p->resume);
    curl_slist_free_all(p->lines);
    p->lines = NULL;
    pp_wipe(p->body, p->body_len);
    p->body_len = 0;
    p->is_active = 0;
    p->next_free = c->first_free;
    c->first_free = p;
}

static void finish(struct pp_http_pending *p, CURLcode result)
{
    struct pp_http_response response = { 0 };
    pp_res r = PP_OK;
    long status = status_of(p);

    (void)curl_multi_remove_handle(p->client->multi, p->easy);
    if (p->failed != PP_E_OK)
        r = PP_FAIL(p->failed, result);
    else if (result != CURLE_OK)
        r = PP_FAIL(code_of(result), result);
    else if (check_framing(p, status) != PP_E_OK)
        r = PP_FAIL(check_framing(p, status), status);
    response.status = (uint32_t)status;
    response.type = pp_span(p->type, p->type_len);
    response.body = pp_span(p->body, p->body_len);
    p->done(p->ctx, r, pp_is_ok(r) ? &response : NULL);
    give_back(p);
}

static void collect(struct pp_http_client *c)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(c->multi, &left)) != NULL) {
        struct pp_http_pending *p = NULL;
        CURLcode result = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        PP_ASSERT(curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&p) ==
                  CURLE_OK);
        finish(p, result);
    }
}

static void on_call_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct pp_http_pending *p = (struct pp_http_pending *)arg;

    (void)fd;
    (void)what;
    finish(p, CURLE_OPERATION_TIMEDOUT);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
    struct pp_http_pending *p = (struct pp_http_pending *)arg;
    struct pp_http_client *c = p->client;

    (void)fd;
    (void)what;
    /* What waited is delivered in there, and if that fails nobody else is told. */
    CURLcode result = p->is_active ? curl_easy_pause(p->easy, CURLPAUSE_CONT) : CURLE_OK;
    if (result != CURLE_OK)
        finish(p, result);
    collect(c);
}

void pp_http_client_resume(struct pp_http_pending *p)
{
    PP_ASSERT(p->is_active);
    event_active(&p->resume, EV_TIMEOUT, 0);
}

/* --- curl's events on our loop -------------------------------------------------------------- */

static void on_socket_event(evutil_socket_t fd, short what, void *arg)
{
    struct pp_http_client *c = ((struct watched *)arg)->client;
    int ready = 0;
    int running;

    if ((what & EV_READ) != 0)
        ready |= CURL_CSELECT_IN;
    if ((what & EV_WRITE) != 0)
        ready |= CURL_CSELECT_OUT;
    (void)curl_multi_socket_action(c->multi, fd, ready, &running);
    collect(c);
}

static void on_timer_event(evutil_socket_t fd, short what, void *arg)
{
    struct pp_http_client *c = (struct pp_http_client *)arg;
    int running;

    (void)fd;
    (void)what;
    (void)curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(c);
}

static int set_timer(CURLM *multi, long after_ms, void *arg)
{
    struct pp_http_client *c = (struct pp_http_client *)arg;
    struct timeval after;

    (void)multi;
    if (after_ms < 0) {
        (void)event_del(&c->timer);
        return 0;
    }
    after = pp_timeval_(after_ms < PP_HTTP_DEADLINE_MS_MAX ? (uint32_t)after_ms
                                                           : PP_HTTP_DEADLINE_MS_MAX);
    return event_add(&c->timer, &after) == 0 ? 0 : -1;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct pp_http_client *c = (struct pp_http_client *)arg;
    struct watched *w = (struct watched *)socket_arg;
    short conditions = EV_PERSIST;

    (void)easy;
    if (w != NULL)
        (void)event_del(&w->event);
    if (what == CURL_POLL_REMOVE) {
        if (w != NULL) {
            w->next_free = c->first_free_socket;
            c->first_free_socket = w;
            (void)curl_multi_assign(c->multi, fd, NULL);
        }
        return 0;
    }
    if (w == NULL) {
        w = c->first_free_socket;
        if (w == NULL)
            return -1;
        c->first_free_socket = w->next_free;
        (void)curl_multi_assign(c->multi, fd, w);
    }
    if ((what & CURL_POLL_IN) != 0)
        conditions |= EV_READ;
    if ((what & CURL_POLL_OUT) != 0)
        conditions |= EV_WRITE;
    PP_ASSERT(event_assign(&w->event, c->base, fd, conditions, on_socket_event, w) == 0);
    return event_add(&w->event, NULL) == 0 ? 0 : -1;
}

/* --- the client ----------------------------------------------------------------------------- */

static CURLcode global_result;

static void global_init(void)
{
    /* curl would write every TLS session's keys there: the environment decides nothing here. */
    (void)unsetenv("SSLKEYLOGFILE");
    global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* What never changes between the calls of one handle. */
static CURLcode set_constants(struct pp_http_pending *p)
{
    const struct pp_http_client_config *c = &p->client->config;
    struct curl_blob ca = { .data = (void *)(uintptr_t)c->ca_pem.at,
                            .len = c->ca_pem.len,
                            .flags = CURL_BLOB_COPY };
    CURL *e = p->easy;
    CURLcode r = CURLE_OK;

#define SET(option, value)                                                                         \
    if (r == CURLE_OK)                                                                             \
    r = curl_easy_setopt(e, option, value)
    SET(CURLOPT_PRIVATE, p);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, p);
    SET(CURLOPT_READFUNCTION, on_pull);
    SET(CURLOPT_READDATA, p);
    SET(CURLOPT_HEADERFUNCTION, on_head);
    SET(CURLOPT_HEADERDATA, p);
    SET(CURLOPT_PREREQFUNCTION, before_request);
    SET(CURLOPT_PREREQDATA, p);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, c->ca_pem.len > 0 ? "http,https" : "http");
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOPROXY, "*");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_PIPEWAIT, (long)(c->http2 != 0)); /* one connection for many calls */
    SET(CURLOPT_HTTP09_ALLOWED, 0L);
    SET(CURLOPT_MAXAGE_CONN, (long)c->idle_s_max);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
    SET(CURLOPT_SSL_SESSIONID_CACHE, 0L); /* a ticket would join two calls */
    SET(CURLOPT_CAINFO, NULL);
    SET(CURLOPT_CAPATH, NULL); /* else the system's folder would be trusted beside the anchors */
    if (c->ca_pem.len > 0) {
        SET(CURLOPT_CAINFO_BLOB, &ca);
    }
#undef SET
    return r;
}

static pp_res make_slots(struct pp_http_client *c)
{
    size_t calls = c->config.calls_max;
    size_t sockets = 2 * calls + 8; /* curl may try two addresses at once */

    PP_TRY(pp_mul(c->config.response_bytes_max, calls, &c->memory_len));
    c->memory = pp_buffers_map_(c->memory_len);
    c->slots = (struct pp_http_pending *)calloc(calls, sizeof *c->slots);
    c->sockets = (struct watched *)calloc(sockets, sizeof *c->sockets);
    PP_CHECK(c->memory != NULL && c->slots != NULL && c->sockets != NULL, PP_E_NO_MEMORY, calls);
    for (size_t i = calls; i-- > 0;) {
        struct pp_http_pending *p = &c->slots[i];
        p->client = c;
        p->body = c->memory + i * c->config.response_bytes_max;
        p->next_free = c->first_free;
        c->first_free = p;
        PP_ASSERT(evtimer_assign(&p->deadline, c->base, on_call_deadline, p) == 0);
        PP_ASSERT(evtimer_assign(&p->resume, c->base, on_resume, p) == 0);
    }
    for (size_t i = 0; i < sockets; i++) {
        c->sockets[i].client = c;
        c->sockets[i].next_free = c->first_free_socket;
        c->first_free_socket = &c->sockets[i];
    }
    return PP_OK;
}

static pp_res make_handles(struct pp_http_client *c)
{
    for (size_t i = 0; i < c->config.calls_max; i++) {
        struct pp_http_pending *p = &c->slots[i];
        p->easy = curl_easy_init();
        PP_CHECK(p->easy != NULL && set_constants(p) == CURLE_OK, PP_E_NO_MEMORY, i);
    }
    c->multi = curl_multi_init();
    PP_CHECK(c->multi != NULL, PP_E_NO_MEMORY, 0);
    PP_CHECK(curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, set_socket) == CURLM_OK &&
                 curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c) == CURLM_OK &&
                 curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK &&
                 curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c) == CURLM_OK &&
                 curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)c->config.calls_max) ==
                     CURLM_OK &&
                 curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                                   (long)c->config.connections_per_host_max) == CURLM_OK,
             PP_E_NO_MEMORY, 0);
    return PP_OK;
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

pp_res pp_http_client_new(struct pp_loop *loop, const struct pp_http_client_config *config,
                          struct pp_http_client **ret)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    PP_CHECK(config->calls_max <= PP_HTTP_CALLS_MAX, PP_E_RANGE, config->calls_max);
    PP_CHECK(config->response_bytes_max <= PP_HTTP_RESPONSE_BYTES_MAX, PP_E_RANGE,
             config->response_bytes_max);
    (void)pthread_once(&once, global_init);
    PP_CHECK(global_result == CURLE_OK, PP_E_NO_MEMORY, global_result);
    struct pp_http_client *c = (struct pp_http_client *)calloc(1, sizeof *c);
    PP_CHECK(c != NULL, PP_E_NO_MEMORY, sizeof *c);
    c->base = pp_loop_base_(loop);
    c->config = *config;
    c->config.calls_max = or_default(config->calls_max, 64);
    c->config.connections_per_host_max = or_default(config->connections_per_host_max, 16);
    c->config.idle_s_max = or_default(config->idle_s_max, 20);
    if (c->config.response_bytes_max == 0)
        c->config.response_bytes_max = 65536;
    PP_ASSERT(evtimer_assign(&c->timer, c->base, on_timer_event, c) == 0);
    pp_res r = make_slots(c);
    if (pp_is_ok(r))
        r = make_handles(c);
    if (!pp_is_ok(r)) {
        pp_http_client_free(c);
        return r;
    }
    c->config.ca_pem.at = NULL; /* curl has a copy; only the length is asked for from here on */
    *ret = c;
    return PP_OK;
}

void pp_http_client_free(struct pp_http_client *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; c->slots != NULL && i < c->config.calls_max; i++) {
        if (c->slots[i].is_active)
            pp_http_client_cancel(&c->slots[i]);
        if (c->slots[i].easy != NULL)
            curl_easy_cleanup(c->slots[i].easy);
    }
    if (c->multi != NULL)
        (void)curl_multi_cleanup(c->multi);
    (void)event_del(&c->timer);
    curl_slist_free_all(c->pins);
    pp_buffers_unmap_(c->memory, c->memory_len);
    free(c->sockets);
    free(c->slots);
    free(c);
}

/* --- names ---------------------------------------------------------------------------------- */

static pp_res resolve(const char *host, const char *port, struct pp_address *ret)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    struct sockaddr_storage sa = { 0 };

    int failed = getaddrinfo(host, port, &hints, &found);
    PP_CHECK(failed == 0 && found != NULL, PP_E_NETWORK, -failed);
    PP_ASSERT(found->ai_addrlen <= sizeof sa);
    memcpy(&sa, found->ai_addr, found->ai_addrlen);
    pp_address_of_sockaddr_(&sa, found->ai_addrlen, ret);
    freeaddrinfo(found);
    return PP_OK;
}

/* "host:port:address", as CURLOPT_RESOLVE has it. */
static pp_res pin(struct pp_http_client *c, const char *host, const char *port)
{
    struct pp_address a;
    char text[PP_ADDRESS_TEXT_MAX];
    char line[512];
    struct pp_wr wr = pp_wr_over(line, sizeof line);

    PP_TRY(resolve(host, port, &a));
    pp_address_write(&a, text);
    struct pp_span ip = pp_span_cstr(text);
    while (ip.at[ip.len - 1] != ':')
        ip.len--;
    pp_wr_text(&wr, host);
    pp_wr_text(&wr, ":");
    pp_wr_text(&wr, port);
    pp_wr_text(&wr, ":");
    pp_wr_span(&wr, pp_span(ip.at, ip.len - 1));
    pp_wr_u8(&wr, 0);
    PP_TRY(pp_wr_ok(&wr));
    struct curl_slist *pins = curl_slist_append(c->pins, line);
    PP_CHECK(pins != NULL, PP_E_NO_MEMORY, 0);
    c->pins = pins;
    c->pin_count++;
    for (size_t i = 0; i < c->config.calls_max; i++)
        PP_CHECK(curl_easy_setopt(c->slots[i].easy, CURLOPT_RESOLVE, c->pins) == CURLE_OK,
                 PP_E_NO_MEMORY, i);
    return PP_OK;
}

static pp_res port_of(CURLU *u, uint16_t *ret)
{
    char *port = NULL;
    char *unwanted = NULL;
    uint64_t number = 0;
    int ok = curl_url_get(u, CURLUPART_USER, &unwanted, 0) == CURLUE_NO_USER &&
             curl_url_get(u, CURLUPART_FRAGMENT, &unwanted, 0) == CURLUE_NO_FRAGMENT &&
             curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
             pp_is_ok(pp_decimal_parse(pp_span_cstr(port), UINT16_MAX, &number)) && number > 0;

    curl_free(unwanted);
    curl_free(port);
    PP_CHECK(ok, PP_E_FORMAT, 0);
    *ret = (uint16_t)number;
    return PP_OK;
}

static int begins_with(struct pp_span s, struct pp_span prefix)
{
    return s.len >= prefix.len && memcmp(s.at, prefix.at, prefix.len) == 0;
}

static pp_res check_url(struct pp_span url)
{
    PP_CHECK(url.len >= 1 && url.len <= PP_HTTP_URL_BYTES_MAX, PP_E_RANGE, url.len);
    for (size_t i = 0; i < url.len; i++)
        PP_CHECK(url.at[i] > 0x20 && url.at[i] < 0x7F, PP_E_FORMAT, i);
    /* Exactly these, as curl takes one to three slashes, and a scheme in any case. */
    size_t scheme = begins_with(url, PP_STR("http://"))    ? 7
                    : begins_with(url, PP_STR("https://")) ? 8
                                                           : 0;
    PP_CHECK(scheme > 0 && url.len > scheme && url.at[scheme] != '/', PP_E_FORMAT, scheme);
    return PP_OK;
}

pp_res pp_http_url_port(struct pp_span url, uint16_t *ret)
{
    char text[PP_HTTP_URL_BYTES_MAX + 1];

    PP_TRY(check_url(url));
    memcpy(text, url.at, url.len);
    text[url.len] = '\0';
    CURLU *u = curl_url();
    PP_CHECK(u != NULL, PP_E_NO_MEMORY, 0);
    pp_res r = PP_FAIL(PP_E_FORMAT, 0);
    if (curl_url_set(u, CURLUPART_URL, text, 0) == CURLUE_OK)
        r = port_of(u, ret);
    curl_url_cleanup(u);
    return r;
}

pp_res pp_http_client_pin(struct pp_http_client *c, const char *url)
{
    CURLU *u = curl_url();
    char *host = NULL;
    char *port = NULL;
    pp_res r = PP_FAIL(PP_E_FORMAT, 0);

    PP_CHECK(u != NULL, PP_E_NO_MEMORY, 0);
    if (c->pin_count == PINS_MAX)
        r = PP_FAIL(PP_E_LIMIT, PINS_MAX);
    else if (curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
             curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
             curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK)
        r = pin(c, host, port);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
    return r;
}

/* --- calls ---------------------------------------------------------------------------------- */

static pp_res add_line(struct pp_http_pending *p, const char *line)
{
    struct curl_slist *lines = curl_slist_append(p->lines, line);

    PP_CHECK(lines != NULL, PP_E_NO_MEMORY, 0);
    p->lines = lines;
    return PP_OK;
}

static pp_res add_field(struct pp_http_pending *p, const struct pp_http_field *f)
{
    char line[LINE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(line, sizeof line);

    PP_CHECK(pp_http_is_token(f->name) && pp_http_is_value(f->value), PP_E_FORMAT, 0);
    PP_CHECK(!pp_http_is_word(f->name, "content-length") &&
                 !pp_http_is_word(f->name, "transfer-encoding"),
             PP_E_FORMAT, 0);
    pp_wr_span(&wr, f->name);
    pp_wr_text(&wr, f->value.len == 0 ? ";" : ": "); /* curl's way to say an empty value */
    pp_wr_span(&wr, f->value);
    pp_wr_u8(&wr, 0);
    PP_TRY_AS(PP_E_RANGE, pp_wr_ok(&wr));
    return add_line(p, line);
}

/* The given fields, and a line without value for each that curl would add by itself. */
static pp_res make_lines(struct pp_http_pending *p, const struct pp_http_call *call)
{
    static const struct {
        const char *name;
        const char *without;
    } UNASKED[] = { { "accept", "Accept:" },
                    { "expect", "Expect:" },
                    { "content-type", "Content-Type:" } };
    struct pp_span value;

    for (size_t i = 0; i < call->field_count; i++)
        PP_TRY(add_field(p, &call->fields[i]));
    for (size_t i = 0; i < PP_ARRAY_COUNT(UNASKED); i++)
        if (!pp_http_find_(call->fields, call->field_count, UNASKED[i].name, &value))
            PP_TRY(add_line(p, UNASKED[i].without));
    return PP_OK;
}

/* RFC 9113 3.2, 3.3: ALPN over TLS; in clear, the caller knows. */
static long version_of(const struct pp_http_pending *p, const char *url)
{
    if (!p->client->config.http2)
        return CURL_HTTP_VERSION_1_1;
    return begins_with(pp_span_cstr(url), PP_STR("http://")) ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
                                                             : CURL_HTTP_VERSION_2TLS;
}

/*
 * libcurl before 8.0 fails each call that reuses a connection with prior knowledge (its pull
 * request 10643): there, each has a connection of its own. Over TLS all versions share.
 */
static long is_alone(long version)
{
    return version == CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE &&
           curl_version_info(CURLVERSION_NOW)->version_num < 0x080000;
}

static pp_res set_call(struct pp_http_pending *p, const struct pp_http_call *call)
{
    long version = version_of(p, call->url);
    int has_body = call->body.len > 0 || call->pull != NULL || strcmp(call->method, "POST") == 0;
    const char *body = call->body.len > 0 ? (const char *)call->body.at : "";
    curl_off_t body_len = (curl_off_t)call->body.len;
    CURLcode r = CURLE_OK;

#define SET(option, value)                                                                         \
    if (r == CURLE_OK)                                                                             \
    r = curl_easy_setopt(p->easy, option, value)
    SET(CURLOPT_URL, call->url);
    SET(CURLOPT_UNIX_SOCKET_PATH, call->unix_path);
    SET(CURLOPT_HTTP_VERSION, version);
    SET(CURLOPT_FRESH_CONNECT, is_alone(version));
    SET(CURLOPT_FORBID_REUSE, is_alone(version));
    SET(CURLOPT_HTTPGET, 1L);
    if (has_body) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDS, call->pull != NULL ? NULL : body);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, call->pull != NULL ? -1 : body_len);
    }
    SET(CURLOPT_CUSTOMREQUEST, call->method);
    SET(CURLOPT_HTTPHEADER, p->lines);
#undef SET
    PP_CHECK(r == CURLE_OK, PP_E_NO_MEMORY, r);
    return PP_OK;
}

static pp_res check_call(const struct pp_http_client *c, const struct pp_http_call *call)
{
    struct pp_span url = pp_span_cstr(call->url);
    struct pp_span method = pp_span_cstr(call->method);

    PP_CHECK(call->deadline_ms >= 1 && call->deadline_ms <= PP_HTTP_DEADLINE_MS_MAX, PP_E_RANGE,
             call->deadline_ms);
    PP_CHECK(call->field_count <= PP_HTTP_SENT_FIELDS_MAX, PP_E_RANGE, call->field_count);
    PP_TRY(check_url(url));
    PP_CHECK(pp_http_is_token(method) && method.len <= 16, PP_E_FORMAT, method.len);
    PP_CHECK(begins_with(url, PP_STR("http://")) || c->config.ca_pem.len > 0, PP_E_FORMAT, 0);
    PP_CHECK(call->pull == NULL || call->body.len == 0, PP_E_RANGE, call->body.len);
    return PP_OK;
}

pp_res pp_http_client_start(struct pp_http_client *c, const struct pp_http_call *call,
                            pp_http_done_fn done, void *ctx, struct pp_http_pending **ret)
{
    struct pp_http_pending *p = c->first_free;
    struct timeval after = pp_timeval_(call->deadline_ms);

    PP_TRY(check_call(c, call));
    PP_CHECK(p != NULL, PP_E_BUSY, c->config.calls_max);
    c->first_free = p->next_free;
    p->done = done;
    p->ctx = ctx;
    p->pull = call->pull;
    p->head = call->head;
    p->piece = call->piece;
    p->pieces_ctx = call->ctx;
    p->attempts = 0;
    p->failed = PP_E_OK;
    p->head_len = 0;
    reset_head(p);
    p->head_ended = 0;
    pp_res r = make_lines(p, call);
    if (pp_is_ok(r))
        r = set_call(p, call);
    if (pp_is_ok(r) && (event_add(&p->deadline, &after) != 0 ||
                        curl_multi_add_handle(c->multi, p->easy) != CURLM_OK))
        r = PP_FAIL(PP_E_NO_MEMORY, 0);
    if (!pp_is_ok(r)) {
        give_back(p);
        return r;
    }
    p->is_active = 1;
    *ret = p;
    return PP_OK;
}

void pp_http_client_cancel(struct pp_http_pending *p)
{
    PP_ASSERT(p->is_active);
    (void)curl_multi_remove_handle(p->client->multi, p->easy);
    give_back(p);
}

/* --- blocking ------------------------------------------------------------------------------- */

struct blocking {
    struct pp_loop *loop;
    struct pp_http_result *result;
    pp_res r;
};

static void on_blocking_done(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct blocking *b = (struct blocking *)ctx;

    b->r = r;
    pp_loop_stop(b->loop);
    if (!pp_is_ok(r))
        return;
    b->result->status = response->status;
    if (response->type.len > 0)
        memcpy(b->result->type, response->type.at, response->type.len);
    b->result->body = (uint8_t *)malloc(response->body.len + 1);
    if (b->result->body == NULL) {
        b->r = PP_FAIL(PP_E_NO_MEMORY, response->body.len);
        return;
    }
    if (response->body.len > 0)
        memcpy(b->result->body, response->body.at, response->body.len);
    b->result->body_len = response->body.len;
}

static pp_res call_on(struct blocking *b, const struct pp_http_client_config *config,
                      const struct pp_http_call *call)
{
    struct pp_http_client *client = NULL;
    struct pp_http_pending *pending;

    PP_TRY(pp_http_client_new(b->loop, config, &client));
    pp_res r = pp_http_client_start(client, call, on_blocking_done, b, &pending);
    if (pp_is_ok(r))
        r = pp_loop_run(b->loop);
    pp_http_client_free(client);
    return pp_is_ok(r) ? b->r : r;
}

pp_res pp_http_call(const struct pp_http_client_config *c, const struct pp_http_call *call,
                    struct pp_http_result *ret)
{
    struct pp_http_client_config config = { 0 };
    struct pp_http_result result = { 0 };
    struct blocking b = { .result = &result, .r = PP_FAIL(PP_E_STATE, 0) };

    if (c != NULL)
        config = *c;
    config.calls_max = 1;
    PP_TRY(pp_loop_new(&b.loop));
    pp_res r = call_on(&b, &config, call);
    pp_loop_free(b.loop);
    if (!pp_is_ok(r)) {
        pp_http_result_done(&result);
        return r;
    }
    *ret = result;
    return PP_OK;
}

void pp_http_result_done(struct pp_http_result *r)
{
    if (r->body != NULL)
        pp_wipe(r->body, r->body_len);
    free(r->body);
    *r = (struct pp_http_result){ 0 };
}
