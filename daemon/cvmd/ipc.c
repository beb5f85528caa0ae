/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "file.h"
#include "rd.h"
#include "wr.h"

pp_res cvm_pair(int type, int ret[2])
{
    int pair[2];

    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) != 0)
        return pp_errno_res(errno);
    ret[0] = pair[0];
    ret[1] = pair[1];
    return PP_OK;
}

void cvm_close(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

union fd_room {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

static pp_res send_packet(int sock, struct pp_span packet, int fd, int flags)
{
    union fd_room room = { .bytes = { 0 } };
    struct iovec iov = { .iov_base = (void *)(uintptr_t)packet.at, .iov_len = packet.len };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (fd >= 0) {
        m.msg_control = room.bytes;
        m.msg_controllen = sizeof room.bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    for (;;) {
        ssize_t n = sendmsg(sock, &m, MSG_NOSIGNAL | flags);
        if (n == (ssize_t)packet.len)
            return PP_OK;
        if (n >= 0 || errno == EPIPE || errno == ECONNRESET)
            return PP_FAIL(PP_E_CLOSED, 0);
        if (errno == EAGAIN)
            return PP_FAIL(PP_E_BUSY, 0);
        if (errno != EINTR)
            return pp_errno_res(errno);
    }
}

pp_res cvm_send(int sock, struct pp_span packet, int fd)
{
    return send_packet(sock, packet, fd, 0);
}

pp_res cvm_try_send(int sock, struct pp_span packet)
{
    return send_packet(sock, packet, -1, MSG_DONTWAIT);
}

/* Takes the one descriptor out of the message, and closes any that nobody asked for. */
static int take_fd(struct msghdr *m, int wanted)
{
    int kept = -1;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (wanted && kept < 0)
                kept = fd;
            else
                (void)close(fd);
        }
    }
    return kept;
}

static pp_res judge(const struct msghdr *m, ssize_t n, int fd, int wanted)
{
    PP_CHECK(n > 0, PP_E_CLOSED, 0);
    PP_CHECK((m->msg_flags & MSG_TRUNC) == 0, PP_E_LIMIT, n);
    PP_CHECK((m->msg_flags & MSG_CTRUNC) == 0, PP_E_FORMAT, fd);
    PP_CHECK(wanted || m->msg_controllen == 0, PP_E_FORMAT, 1);
    return PP_OK;
}

static pp_res recv_packet(int sock, void *buf, size_t cap, int flags, size_t *ret_len, int *ret_fd)
{
    union fd_room room = { .bytes = { 0 } };
    struct iovec iov = { .iov_base = buf, .iov_len = cap };
    struct msghdr m = { .msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = room.bytes,
                        .msg_controllen = sizeof room.bytes };
    ssize_t n;

    do
        n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC | flags);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return PP_FAIL(PP_E_BUSY, 0);
    if (n < 0)
        return errno == ECONNRESET ? PP_FAIL(PP_E_CLOSED, 0) : pp_errno_res(errno);

    int fd = take_fd(&m, ret_fd != NULL);
    pp_res r = judge(&m, n, fd, ret_fd != NULL);
    if (!pp_is_ok(r)) {
        cvm_close(&fd);
        return r;
    }
    if (ret_fd != NULL)
        *ret_fd = fd;
    *ret_len = (size_t)n;
    return PP_OK;
}

pp_res cvm_recv(int sock, void *buf, size_t cap, size_t *ret_len, int *ret_fd)
{
    return recv_packet(sock, buf, cap, 0, ret_len, ret_fd);
}

pp_res cvm_try_recv(int sock, void *buf, size_t cap, size_t *ret_len, int *ret_fd)
{
    return recv_packet(sock, buf, cap, MSG_DONTWAIT, ret_len, ret_fd);
}

pp_res cvm_read_all(int fd, void *buf, size_t len)
{
    struct pp_wr wr = pp_wr_over(buf, len);

    while (wr.len < len) {
        ssize_t n = read(fd, wr.at + wr.len, len - wr.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != ECONNRESET)
            return pp_errno_res(errno);
        PP_CHECK(n > 0, PP_E_CLOSED, wr.len);
        wr.len += (size_t)n;
    }
    return PP_OK;
}

pp_res cvm_write_all(int fd, struct pp_span bytes)
{
    struct pp_rd rd = pp_rd_span(bytes);

    while (rd.left > 0) {
        ssize_t n = send(fd, rd.at, rd.left, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EPIPE || errno == ECONNRESET ? PP_FAIL(PP_E_CLOSED, 0)
                                                         : pp_errno_res(errno);
        pp_rd_skip(&rd, (size_t)n);
    }
    return PP_OK;
}

pp_res cvm_wait(int fd, int timeout_ms)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    int n;

    do
        n = poll(&p, 1, timeout_ms);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return pp_errno_res(errno);
    PP_CHECK(n > 0, PP_E_TIMEOUT, timeout_ms);
    PP_CHECK((p.revents & POLLIN) != 0, PP_E_CLOSED, p.revents);
    return PP_OK;
}
