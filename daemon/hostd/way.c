/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union fd_room {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

static pp_res answer(const struct host_way *w, uint8_t backend, int fd)
{
    uint8_t said[] = { backend, fd < 0 };
    union fd_room room = { .bytes = { 0 } };
    struct iovec iov = { .iov_base = said, .iov_len = sizeof said };
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
    if (sendmsg(w->cvm->way_fd, &m, MSG_NOSIGNAL) != (ssize_t)sizeof said)
        return pp_errno_res(errno);
    return PP_OK;
}

pp_res host_way_serve(struct host_way *w)
{
    uint8_t asked[2];

    for (;;) {
        ssize_t n = recv(w->cvm->way_fd, asked, sizeof asked, 0);
        if (n < 0 && errno == EAGAIN)
            return PP_OK;
        if (n < 0 && errno == EINTR)
            continue;
        PP_CHECK(n > 0, PP_E_CLOSED, 0);
        PP_CHECK(n == 1, PP_E_FORMAT, n);
        int fd = -1;
        if (asked[0] < HOST_BACKENDS && w->has[asked[0]])
            pp_ignore(pp_address_connect(&w->to[asked[0]], &fd),
                      "the guest hears that there is none");
        pp_res r = answer(w, asked[0], fd);
        if (fd >= 0)
            (void)close(fd);
        PP_TRY(r);
    }
}
