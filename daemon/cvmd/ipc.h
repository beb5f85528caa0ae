/* SPDX-License-Identifier: Apache-2.0 */
/* ipc.h: packets and descriptors between the processes of pp-cvmd. */
#ifndef CVM_IPC_H
#define CVM_IPC_H

#include <stddef.h>

#include "result.h"
#include "span.h"

/* A connected pair of unix sockets, closed on exec: SOCK_SEQPACKET or SOCK_STREAM. SYSTEM. */
PP_MUST pp_res cvm_pair(int type, int ret[2]);

/* Sends one packet; `fd` -1: without a descriptor. CLOSED, BUSY (it would wait), SYSTEM. */
PP_MUST pp_res cvm_send(int sock, struct pp_span packet, int fd);

/* The same, without a descriptor, and never waiting whatever the socket's mode. */
PP_MUST pp_res cvm_try_send(int sock, struct pp_span packet);

/*
 * Receives one packet into `buf`. `*ret_fd` is the descriptor that came with it, now the caller's,
 * or -1; a NULL `ret_fd` refuses one. CLOSED (end), BUSY (nothing there, on a non-blocking socket
 * or after its time), LIMIT (a packet that does not fit), FORMAT (an unexpected descriptor),
 * SYSTEM.
 */
PP_MUST pp_res cvm_recv(int sock, void *buf, size_t cap, size_t *ret_len, int *ret_fd);
PP_MUST pp_res cvm_try_recv(int sock, void *buf, size_t cap, size_t *ret_len, int *ret_fd);

/* Blocking whole reads and writes of a stream. CLOSED, SYSTEM. */
PP_MUST pp_res cvm_read_all(int fd, void *buf, size_t len);
PP_MUST pp_res cvm_write_all(int fd, struct pp_span bytes);

/* Waits until `fd` can be read: TIMEOUT, CLOSED (an end without bytes), SYSTEM. */
PP_MUST pp_res cvm_wait(int fd, int timeout_ms);

void cvm_close(int *fd); /* and sets it to -1; -1 is fine */

#endif
