/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_socket.h"

#include <errno.h>
#include <sys/socket.h>

/* A peer that sends faster than its bytes can be looked at must not keep the loop for itself. */
ssize_t pp_tls_socket_read_(struct pp_tls_socket *s, void *at, size_t cap)
{
    if (s->is_drained) {
        errno = EAGAIN;
        return -1;
    }
    ssize_t n = recv(s->fd, at, cap, MSG_DONTWAIT);
    s->reads++;
    s->is_drained = n > 0 && ((size_t)n < cap || s->reads >= PP_TLS_SOCKET_READS_MAX);
    return n;
}

/*
 * OpenSSL's own socket BIO writes with write(2), and a peer that has left would end the process
 * with SIGPIPE. A library cannot decide about signals.
 */
static int socket_write(BIO *bio, const char *at, int len)
{
    const struct pp_tls_socket *s = (const struct pp_tls_socket *)BIO_get_data(bio);
    ssize_t n = send(s->fd, at, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);

    BIO_clear_retry_flags(bio);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(bio);
    return (int)n;
}

static int socket_read(BIO *bio, char *at, int len)
{
    struct pp_tls_socket *s = (struct pp_tls_socket *)BIO_get_data(bio);
    ssize_t n = pp_tls_socket_read_(s, at, (size_t)len);

    BIO_clear_retry_flags(bio);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(bio);
    return (int)n;
}

static long socket_ctrl(BIO *bio, int what, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return what == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *pp_tls_socket_method_(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pp socket");

    if (m != NULL && BIO_meth_set_write(m, socket_write) == 1 &&
        BIO_meth_set_read(m, socket_read) == 1 && BIO_meth_set_ctrl(m, socket_ctrl) == 1)
        return m;
    BIO_meth_free(m);
    return NULL;
}

pp_res pp_tls_socket_attach_(const BIO_METHOD *m, struct pp_tls_socket *s, SSL *ssl)
{
    BIO *bio = BIO_new(m);

    PP_CHECK(bio != NULL, PP_E_NO_MEMORY, 0);
    BIO_set_data(bio, s);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    return PP_OK;
}

/*
 * Not SSL_get_error: it looks at the thread's queue of errors, where another library's may lie.
 * What the last call waited for, and that the socket said "later", is this session's own.
 */
int pp_tls_is_later_(const SSL *ssl)
{
    if (SSL_want_write(ssl))
        return BIO_should_retry(SSL_get_wbio(ssl)) != 0;
    return SSL_want_read(ssl) && BIO_should_retry(SSL_get_rbio(ssl));
}

int pp_tls_no_passphrase_(char *buf, int size, int writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}
