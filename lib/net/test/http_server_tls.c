/* SPDX-License-Identifier: Apache-2.0 */
/* The server over TLS 1.3: who gets in, what is kept, and a new certificate while it serves. */
#include "http_party.h"
#include "identity.h"

static struct identity first, second;

static struct party start_tls(const struct pp_http_server_config *c)
{
    tls_pems[0] = first.pem;
    tls_pems[1] = first.key_pem;
    tls_pems[2] = second.pem;
    tls_pems[3] = second.key_pem;
    return start(c);
}

/* --- our client ----------------------------------------------------------------------------- */

struct side {
    struct pp_loop *loop;
    struct pp_http_client *client;
    char url[160];
    unsigned done, ok;
    unsigned stop_at;
    pp_res r;
};

static struct side make_side(const struct party *p, uint32_t http2, const char *ca_pem)
{
    struct side s = { 0 };
    const struct pp_http_client_config c = { .http2 = http2, .ca_pem = pp_span_cstr(ca_pem) };
    char at[PP_ADDRESS_TEXT_MAX];

    pp_address_write(&p->address, at);
    snprintf(s.url, sizeof s.url, "https://%s", at);
    assert_ok(pp_loop_new(&s.loop));
    assert_ok(pp_http_client_new(s.loop, &c, &s.client));
    return s;
}

static void end_side(struct side *s)
{
    pp_http_client_free(s->client);
    pp_loop_free(s->loop);
}

static void on_done(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct side *s = (struct side *)ctx;

    s->r = r;
    s->ok += response != NULL && response->status == 200;
    if (++s->done == s->stop_at)
        pp_loop_stop(s->loop);
}

static void call(struct side *s, const char *path, struct pp_span body, unsigned count)
{
    char url[256];
    struct pp_http_pending *pending;
    const struct pp_http_call c = { .method = body.len > 0 ? "POST" : "GET",
                                    .url = url,
                                    .body = body,
                                    .deadline_ms = PATIENCE_MS };

    snprintf(url, sizeof url, "%s%s", s->url, path);
    s->done = s->ok = 0;
    s->stop_at = count;
    for (unsigned i = 0; i < count; i++)
        assert_ok(pp_http_client_start(s->client, &c, on_done, s, &pending));
    assert_ok(pp_loop_run(s->loop));
}

/* --- a raw one ------------------------------------------------------------------------------ */

static SSL *connect_tls(const struct party *p, int version, const char *protocols,
                        SSL_SESSION *session)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    int fd = test_connect(&p->address);

    assert_int_equal(SSL_CTX_set_max_proto_version(ctx, version), 1);
    SSL *ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    if (protocols != NULL)
        assert_int_equal(
            SSL_set_alpn_protos(ssl, (const unsigned char *)protocols, (unsigned)strlen(protocols)),
            0);
    if (session != NULL)
        assert_int_equal(SSL_set_session(ssl, session), 1);
    assert_int_equal(SSL_set_fd(ssl, fd), 1);
    if (SSL_connect(ssl) == 1)
        return ssl;
    close(fd);
    SSL_free(ssl);
    return NULL;
}

static void end_tls(SSL *ssl)
{
    close(SSL_get_fd(ssl));
    SSL_free(ssl);
}

/* --- tests ---------------------------------------------------------------------------------- */

static void both_versions_are_served_over_tls(void **state)
{
    (void)state;
    static uint8_t body[90000];
    struct party p = start_tls(&(struct pp_http_server_config){ 0 });

    for (uint32_t http2 = 0; http2 < 2; http2++) {
        struct side s = make_side(&p, http2, first.pem);
        call(&s, "/hello", pp_span(NULL, 0), 1);
        assert_int_equal(s.ok, 1);
        call(&s, "/large", PP_BYTES(body), 3);
        assert_int_equal(s.ok, 3);
        call(&s, "/copied", pp_span(NULL, 0), 3);
        assert_int_equal(s.ok, 3);
        end_side(&s);
    }
    test_stop(&p);
}

/* RFC 9113 9.1.1. */
static void many_calls_share_one_connection(void **state)
{
    (void)state;
    struct party p = start_tls(
        &(struct pp_http_server_config){ .connections_max = 1, .requests_max = 64 });
    struct side s = make_side(&p, 1, first.pem);

    call(&s, "/hello", pp_span(NULL, 0), 60);
    assert_int_equal(s.ok, 60);
    end_side(&s);
    test_stop(&p);
}

/* RFC 7301 3.2 and docs/protocol/http.md: TLS 1.3, and nothing that joins two connections. */
static void old_versions_unknown_protocols_and_resumption_are_refused(void **state)
{
    (void)state;
    struct party p = start_tls(&(struct pp_http_server_config){ 0 });
    const unsigned char *chosen;
    unsigned len;
    char bytes[256];

    assert_null(connect_tls(&p, TLS1_2_VERSION, NULL, NULL));
    assert_null(connect_tls(&p, TLS1_3_VERSION, "\x06spdy/3", NULL));
    SSL *ssl = connect_tls(&p, TLS1_3_VERSION, "\x08http/1.1\x02h2", NULL);
    assert_non_null(ssl);
    SSL_get0_alpn_selected(ssl, &chosen, &len);
    assert_true(pp_span_eq(pp_span(chosen, len), PP_STR("h2")));
    end_tls(ssl);
    ssl = connect_tls(&p, TLS1_3_VERSION, NULL, NULL);
    assert_non_null(ssl);
    static const char GET[] = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_int_equal(SSL_write(ssl, GET, sizeof GET - 1), sizeof GET - 1);
    assert_true(SSL_read(ssl, bytes, sizeof bytes) > 0);
    assert_int_equal(memcmp(bytes, "HTTP/1.1 200", 12), 0);
    /* A ticket would have come by now. */
    assert_int_equal(SSL_SESSION_is_resumable(SSL_get0_session(ssl)), 0);
    end_tls(ssl);
    test_stop(&p);
}

static void a_new_certificate_serves_new_connections_and_ends_no_old_one(void **state)
{
    (void)state;
    struct party p = start_tls(&(struct pp_http_server_config){ 0 });
    struct side old = make_side(&p, 1, first.pem);
    struct side new = make_side(&p, 1, second.pem);
    uint64_t from = test_now_ms();

    call(&old, "/hello", pp_span(NULL, 0), 1);
    assert_int_equal(old.ok, 1);
    call(&new, "/hello", pp_span(NULL, 0), 1);
    assert_code(new.r, PP_E_UNVERIFIED);
    assert_int_equal(kill(p.pid, SIGHUP), 0);
    do {
        call(&new, "/hello", pp_span(NULL, 0), 1);
        assert_true(test_now_ms() - from < PATIENCE_MS);
    } while (new.ok != 1);
    call(&old, "/hello", pp_span(NULL, 0), 1); /* over the connection that it has */
    assert_int_equal(old.ok, 1);
    end_side(&old);
    end_side(&new);
    test_stop(&p);
}

static void an_identity_that_does_not_fit_is_refused_and_the_old_one_stays(void **state)
{
    (void)state;
    struct pp_loop *loop;
    struct pp_http_server *s;
    struct pp_listener l = test_listener("127.0.0.1:0");
    const struct pp_http_server_config c = { .routes = ROUTES, .route_count = 1 };

    assert_ok(pp_loop_new(&loop));
    assert_ok(pp_http_server_new(loop, &c, &s));
    assert_code(pp_http_server_listen_tls(s, &l), PP_E_STATE);
    assert_code(pp_http_server_tls(s, pp_span_cstr(first.pem), pp_span_cstr(second.key_pem)),
                PP_E_KEY);
    assert_code(pp_http_server_tls(s, PP_STR("no certificate"), pp_span_cstr(first.key_pem)),
                PP_E_KEY);
    assert_code(pp_http_server_tls(s, pp_span_cstr(first.pem), pp_span(NULL, 0)), PP_E_KEY);
    assert_code(pp_http_server_listen_tls(s, &l), PP_E_STATE);
    assert_ok(pp_http_server_tls(s, pp_span_cstr(first.pem), pp_span_cstr(first.key_pem)));
    assert_code(pp_http_server_tls(s, pp_span_cstr(first.pem), pp_span_cstr(second.key_pem)),
                PP_E_KEY);
    assert_ok(pp_http_server_listen_tls(s, &l));
    pp_http_server_free(s);
    pp_loop_free(loop);
    pp_listener_done(&l);
}

/* Slow loris, before there is any HTTP; and bytes that are no TLS. */
static void a_handshake_that_does_not_end_is_ended(void **state)
{
    (void)state;
    struct party p = start_tls(&(struct pp_http_server_config){ .head_timeout_ms = 150 });
    int silent = test_connect(&p.address);
    int slow = test_connect(&p.address);
    int other = test_connect(&p.address);
    uint64_t from = test_now_ms();

    test_say(other, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    char bytes[64];
    while (recv(other, bytes, sizeof bytes, 0) > 0) /* an alert at most */
        assert_int_not_equal(memcmp(bytes, "HTTP", 4), 0);
    test_send(slow, PP_STR("\x16\x03\x01\x02\x00\x01"));
    while (!test_readable_within(slow, 10)) {
        test_send(slow, PP_STR("\0"));
        assert_true(test_now_ms() - from < PATIENCE_MS);
    }
    assert_true(test_is_closed(silent));
    close(silent);
    close(slow);
    close(other);
    struct side s = make_side(&p, 1, first.pem);
    do { /* nor has this one more time, on a machine that may have other things to do */
        call(&s, "/hello", pp_span(NULL, 0), 1);
        assert_true(test_now_ms() - from < PATIENCE_MS);
    } while (s.ok != 1);
    end_side(&s);
    test_stop(&p);
}

static int make_identities(void **state)
{
    (void)state;
    make_identity(&first, 1);
    make_identity(&second, 1);
    return 0;
}

static int end_identities(void **state)
{
    (void)state;
    end_identity(&first);
    end_identity(&second);
    return 0;
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test_setup(both_versions_are_served_over_tls, make_identities),
    cmocka_unit_test(many_calls_share_one_connection),
    cmocka_unit_test(old_versions_unknown_protocols_and_resumption_are_refused),
    cmocka_unit_test(a_new_certificate_serves_new_connections_and_ends_no_old_one),
    cmocka_unit_test(an_identity_that_does_not_fit_is_refused_and_the_old_one_stays),
    cmocka_unit_test_teardown(a_handshake_that_does_not_end_is_ended, end_identities),
};

PP_TEST_MAIN(TESTS)
