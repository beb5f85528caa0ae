/* SPDX-License-Identifier: Apache-2.0 */
/* https: the given anchors and no others. Keys and certificates are made here, anew in each run. */
#include "identity.h"

#include <openssl/x509v3.h>

/* Answers one request per connection; the handshake may fail, which is the client's matter. */
static int run_tls(struct pp_listener *l, void *ctx)
{
    static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    const struct identity *id = (const struct identity *)ctx;
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    struct pollfd wait = { .fd = l->fd, .events = POLLIN };
    char request[4096];

    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    if (SSL_CTX_use_certificate(tls, id->cert) != 1 || SSL_CTX_use_PrivateKey(tls, id->key) != 1)
        return 3;
    for (;;) {
        if (poll(&wait, 1, -1) != 1)
            return 0;
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        SSL *ssl = SSL_new(tls);
        if (SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1 &&
            SSL_read(ssl, request, sizeof request) > 0) {
            (void)SSL_write(ssl, ANSWER, sizeof ANSWER - 1);
            (void)SSL_shutdown(ssl);
        }
        SSL_free(ssl);
        close(fd);
    }
}

static pp_res call_tls(const struct party *p, struct pp_span ca_pem)
{
    char url[64];
    struct pp_http_result result = { 0 };
    const struct pp_http_client_config config = { .ca_pem = ca_pem };
    const struct pp_http_call call = { .method = "GET", .url = url, .deadline_ms = PATIENCE_MS };

    snprintf(url, sizeof url, "https://127.0.0.1:%u/", p->address.port);
    pp_res r = pp_http_call(&config, &call, &result);
    if (pp_is_ok(r))
        assert_int_equal(result.status, 200);
    pp_http_result_done(&result);
    return r;
}

static void only_the_given_anchors_are_trusted(void **state)
{
    (void)state;
    struct identity right = { 0 };
    struct identity other = { 0 };
    struct identity misnamed = { 0 };

    make_identity(&right, 1);
    make_identity(&other, 1);
    make_identity(&misnamed, 2);
    /* Even where the environment names others. */
    setenv("SSL_CERT_FILE", "/dev/null", 1);
    setenv("SSLKEYLOGFILE", "/tmp/pp-test-keylog", 1);
    struct party p = test_start("127.0.0.1:0", run_tls, &right);
    assert_ok(call_tls(&p, pp_span_cstr(right.pem)));
    assert_code(call_tls(&p, pp_span_cstr(other.pem)), PP_E_UNVERIFIED);
    assert_code(call_tls(&p, pp_span(NULL, 0)), PP_E_FORMAT); /* no anchors: no https */
    assert_false(pp_is_ok(call_tls(&p, PP_STR("no certificate"))));
    test_stop_hard(&p);
    p = test_start("127.0.0.1:0", run_tls, &misnamed);
    assert_code(call_tls(&p, pp_span_cstr(misnamed.pem)), PP_E_UNVERIFIED);
    test_stop_hard(&p);
    /* Session keys were not written where the environment said. */
    assert_int_not_equal(access("/tmp/pp-test-keylog", F_OK), 0);
    end_identity(&right);
    end_identity(&other);
    end_identity(&misnamed);
}

/* Signs the certificate anew after a change, and lists it as it is now. */
static void sign_again(struct identity *id)
{
    BIO *out = BIO_new(BIO_s_mem());

    assert_true(X509_sign(id->cert, id->key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509(out, id->cert), 1);
    int n = BIO_read(out, id->pem, PEM_MAX - 1);
    assert_true(n > 0);
    id->pem[n] = '\0';
    BIO_free(out);
}

static void set_purpose(struct identity *id, const char *purpose)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, purpose);

    assert_non_null(e);
    assert_int_equal(X509_add_ext(id->cert, e, -1), 1);
    X509_EXTENSION_free(e);
    sign_again(id);
}

static void set_times(struct identity *id, long from_s, long to_s)
{
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(id->cert), from_s));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(id->cert), to_s));
    sign_again(id);
}

/* Also one that is an anchor itself: it is no server's now, or it is none of a server. */
static void a_certificate_out_of_its_time_or_of_no_server_is_refused(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct identity id = { 0 };
        make_identity(&id, 1);
        if (i == 0)
            set_purpose(&id, "serverAuth");
        else if (i == 1)
            set_purpose(&id, "clientAuth");
        else
            set_times(&id, i == 2 ? -7200 : 3600, i == 2 ? -3600 : 7200);
        struct party p = test_start("127.0.0.1:0", run_tls, &id);
        pp_res r = call_tls(&p, pp_span_cstr(id.pem));
        if (i == 0)
            assert_ok(r);
        else
            assert_code(r, PP_E_UNVERIFIED);
        test_stop_hard(&p);
        end_identity(&id);
    }
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_certificate_out_of_its_time_or_of_no_server_is_refused),
    cmocka_unit_test(only_the_given_anchors_are_trusted),
};

PP_TEST_MAIN(TESTS)
