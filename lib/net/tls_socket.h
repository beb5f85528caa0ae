/* SPDX-License-Identifier: Apache-2.0 */
/* tls_socket.h: a socket as OpenSSL reads and writes it, for the server and the client. */
#ifndef PP_TLS_SOCKET_H
#define PP_TLS_SOCKET_H

#include <openssl/ssl.h>

#include "result.h"

struct pp_tls_socket {
    int fd;
    /*
     * The last read took all there was: until the loop says that there is more, the next one
     * says "later" without asking the kernel. Whoever is called by the loop sets it to 0.
     */
    uint32_t is_drained;
};

BIO_METHOD *pp_tls_socket_method_(void); /* NULL: no memory; BIO_meth_free */

/* `s` must outlive `ssl`. NO_MEMORY. */
PP_MUST pp_res pp_tls_socket_attach_(const BIO_METHOD *m, struct pp_tls_socket *s, SSL *ssl);

/* 1: the last call on `ssl` failed for want of the socket alone. */
int pp_tls_is_later_(const SSL *ssl);

/* A bound on who asks for a passphrase: a daemon has no terminal. For PEM_read_bio_*. */
int pp_tls_no_passphrase_(char *buf, int size, int writing, void *arg);

#endif
