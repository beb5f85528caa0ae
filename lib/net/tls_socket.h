/* SPDX-License-Identifier: Apache-2.0 */
/* tls_socket.h: a socket as OpenSSL reads and writes it, for the server and the client. */
#ifndef PP_TLS_SOCKET_H
#define PP_TLS_SOCKET_H

#include <openssl/ssl.h>

#include "result.h"

enum { PP_TLS_SOCKET_READS_MAX = 4 }; /* at a turn of the loop: others have a turn too */

struct pp_tls_socket {
    int fd;
    /*
     * The last read took all there was, or it was the last one of this turn: until the loop says
     * that there is more, the next one says "later" without asking the kernel.
     */
    uint32_t is_drained;
    uint32_t reads; /* in this turn */
};

/* Whoever is called by the loop begins with it. */
static inline void pp_tls_socket_turn_(struct pp_tls_socket *s)
{
    s->is_drained = s->reads = 0;
}

/* As recv(2), without waiting; also "later" is EAGAIN. */
ssize_t pp_tls_socket_read_(struct pp_tls_socket *s, void *at, size_t cap);

BIO_METHOD *pp_tls_socket_method_(void); /* NULL: no memory; BIO_meth_free */

/* `s` must outlive `ssl`. NO_MEMORY. */
PP_MUST pp_res pp_tls_socket_attach_(const BIO_METHOD *m, struct pp_tls_socket *s, SSL *ssl);

/* 1: the last call on `ssl` failed for want of the socket alone. */
int pp_tls_is_later_(const SSL *ssl);

/* A bound on who asks for a passphrase: a daemon has no terminal. For PEM_read_bio_*. */
int pp_tls_no_passphrase_(char *buf, int size, int writing, void *arg);

#endif
