/* SPDX-License-Identifier: Apache-2.0 */
/* identity.h: a key and its certificate, made anew in each run; and TLS around a plain peer. */
#ifndef PP_NET_IDENTITY_H
#define PP_NET_IDENTITY_H

#include "net_test.h"

#include <openssl/ssl.h>

enum { PEM_MAX = 4096 };

struct identity {
    EVP_PKEY *key;
    X509 *cert;
    char pem[PEM_MAX];
    char key_pem[PEM_MAX];
};

/* A self-signed certificate for the IP address 127.0.0.`last`. */
static inline void make_identity(struct identity *id, uint8_t last)
{
    /* RFC 5280 4.2.1.6: a sequence of one iPAddress. */
    const uint8_t names[] = { 0x30, 6, 0x87, 4, 127, 0, 0, last };
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();

    id->key = EVP_EC_gen("P-256");
    id->cert = X509_new();
    assert_non_null(id->key);
    assert_non_null(id->cert);
    assert_int_equal(X509_set_version(id->cert, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(id->cert), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(id->cert), -3600));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(id->cert), 3600));
    X509_NAME *name = X509_get_subject_name(id->cert);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)"test", -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(id->cert, name), 1);
    assert_int_equal(X509_set_pubkey(id->cert, id->key), 1);
    assert_int_equal(ASN1_OCTET_STRING_set(value, names, sizeof names), 1);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, value);
    assert_non_null(extension);
    ASN1_OCTET_STRING_free(value);
    assert_int_equal(X509_add_ext(id->cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
    assert_true(X509_sign(id->cert, id->key, EVP_sha256()) > 0);
    BIO *out = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(out, id->cert), 1);
    int n = BIO_read(out, id->pem, PEM_MAX - 1);
    assert_true(n > 0);
    id->pem[n] = '\0';
    assert_int_equal(PEM_write_bio_PrivateKey(out, id->key, NULL, NULL, 0, NULL, NULL), 1);
    n = BIO_read(out, id->key_pem, PEM_MAX - 1);
    assert_true(n > 0);
    id->key_pem[n] = '\0';
    BIO_free(out);
}

static inline void end_identity(struct identity *id)
{
    X509_free(id->cert);
    EVP_PKEY_free(id->key);
}

/* Carries bytes between a TLS connection and `plain` until one of them ends. */
static inline void tls_pump(SSL *ssl, int plain)
{
    char bytes[1 << 14];
    struct pollfd both[2] = { { .fd = SSL_get_fd(ssl), .events = POLLIN },
                              { .fd = plain, .events = POLLIN } };

    for (;;) {
        if (SSL_pending(ssl) == 0 && poll(both, 2, -1) < 1)
            return;
        if (SSL_pending(ssl) > 0 || both[0].revents != 0) {
            int n = SSL_read(ssl, bytes, sizeof bytes);
            if (n <= 0)
                return;
            test_send(plain, pp_span(bytes, (size_t)n));
        } else if (both[1].revents != 0) {
            ssize_t n = recv(plain, bytes, sizeof bytes, 0);
            if (n <= 0 || SSL_write(ssl, bytes, (int)n) != (int)n)
                return;
        }
    }
}

static inline int always_h2(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
                            const unsigned char *offered, unsigned int offered_len, void *arg)
{
    (void)ssl;
    (void)offered;
    (void)offered_len;
    (void)arg;
    *ret = (const unsigned char *)"h2";
    *ret_len = 2;
    return SSL_TLSEXT_ERR_OK;
}

/* Accepts TLS with HTTP/2 on `fd` in a process of its own; the plain end, to read and write. */
static inline int tls_accept_h2(const struct identity *id, int fd)
{
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0 || (pid = fork()) < 0)
        exit(4);
    if (pid > 0) {
        close(fd);
        close(ends[1]);
        return ends[0];
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ends[0]);
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL *ssl;
    SSL_CTX_set_alpn_select_cb(ctx, always_h2, NULL);
    if (SSL_CTX_use_certificate(ctx, id->cert) == 1 && SSL_CTX_use_PrivateKey(ctx, id->key) == 1 &&
        (ssl = SSL_new(ctx)) != NULL && SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1)
        tls_pump(ssl, ends[1]);
    _exit(0);
}

#endif
