/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "net_int.h"
#include "text.h"
#include "wr.h"

enum { BACKLOG = 1024 };

static pp_res parse_ip(struct pp_span text, int family, struct pp_address *a)
{
    char ip[INET6_ADDRSTRLEN];

    PP_CHECK(text.len > 0 && text.len < sizeof ip, PP_E_FORMAT, text.len);
    memcpy(ip, text.at, text.len);
    ip[text.len] = '\0';
    PP_CHECK(strlen(ip) == text.len && inet_pton(family, ip, a->ip) == 1, PP_E_FORMAT, 0);
    a->family = family == AF_INET ? PP_ADDRESS_IP4 : PP_ADDRESS_IP6;
    return PP_OK;
}

static pp_res parse_unix(struct pp_span path, struct pp_address *a)
{
    PP_CHECK(path.len > 0 && path.len <= PP_ADDRESS_PATH_MAX, PP_E_RANGE, path.len);
    for (size_t i = 0; i < path.len; i++)
        PP_CHECK(path.at[i] > 0x20 && path.at[i] < 0x7F, PP_E_FORMAT, i);
    memcpy(a->path, path.at, path.len);
    a->family = PP_ADDRESS_UNIX;
    return PP_OK;
}

pp_res pp_address_parse(struct pp_span text, struct pp_address *ret)
{
    static const char PREFIX[] = "unix:";
    struct pp_address a = { 0 };
    uint64_t port;

    if (text.len >= sizeof PREFIX - 1 && memcmp(text.at, PREFIX, sizeof PREFIX - 1) == 0) {
        PP_TRY(parse_unix(pp_span(text.at + sizeof PREFIX - 1, text.len - sizeof PREFIX + 1), &a));
        *ret = a;
        return PP_OK;
    }

    size_t colon = text.len;
    while (colon > 0 && text.at[colon - 1] != ':')
        colon--;
    PP_CHECK(colon > 1, PP_E_FORMAT, text.len);
    PP_TRY(pp_decimal_parse(pp_span(text.at + colon, text.len - colon), UINT16_MAX, &port));
    a.port = (uint16_t)port;
    struct pp_span host = pp_span(text.at, colon - 1);
    if (host.len >= 2 && host.at[0] == '[' && host.at[host.len - 1] == ']')
        PP_TRY(parse_ip(pp_span(host.at + 1, host.len - 2), AF_INET6, &a));
    else
        PP_TRY(parse_ip(host, AF_INET, &a));
    *ret = a;
    return PP_OK;
}

void pp_address_write(const struct pp_address *a, char ret[PP_ADDRESS_TEXT_MAX])
{
    char ip[INET6_ADDRSTRLEN] = "";
    struct pp_wr wr = pp_wr_over(ret, PP_ADDRESS_TEXT_MAX);

    switch (a->family) {
    case PP_ADDRESS_UNIX:
        pp_wr_text(&wr, "unix:");
        pp_wr_text(&wr, a->path);
        break;
    case PP_ADDRESS_IP4:
        PP_ASSERT(inet_ntop(AF_INET, a->ip, ip, sizeof ip) != NULL);
        pp_wr_text(&wr, ip);
        break;
    case PP_ADDRESS_IP6:
        PP_ASSERT(inet_ntop(AF_INET6, a->ip, ip, sizeof ip) != NULL);
        pp_wr_text(&wr, "[");
        pp_wr_text(&wr, ip);
        pp_wr_text(&wr, "]");
        break;
    default:
        pp_wr_text(&wr, "none");
        break;
    }
    if (a->family == PP_ADDRESS_IP4 || a->family == PP_ADDRESS_IP6) {
        pp_wr_text(&wr, ":");
        pp_wr_decimal(&wr, a->port);
    }
    pp_wr_u8(&wr, 0);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
}

int pp_address_is_local(const struct pp_address *a)
{
    static const uint8_t LOOPBACK_6[sizeof a->ip] = { [15] = 1 };

    if (a->family == PP_ADDRESS_UNIX)
        return 1;
    if (a->family == PP_ADDRESS_IP4)
        return a->ip[0] == 127;
    return pp_span_eq(PP_BYTES(a->ip), PP_BYTES(LOOPBACK_6));
}

socklen_t pp_address_to_sockaddr_(const struct pp_address *a, struct sockaddr_storage *ret)
{
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)ret;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)ret;
    struct sockaddr_un *un = (struct sockaddr_un *)(void *)ret;

    *ret = (struct sockaddr_storage){ 0 };
    if (a->family == PP_ADDRESS_UNIX) {
        un->sun_family = AF_UNIX;
        memcpy(un->sun_path, a->path, sizeof un->sun_path);
        return sizeof *un;
    }
    if (a->family == PP_ADDRESS_IP6) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(a->port);
        memcpy(&in6->sin6_addr, a->ip, 16);
        return sizeof *in6;
    }
    PP_ASSERT(a->family == PP_ADDRESS_IP4);
    in->sin_family = AF_INET;
    in->sin_port = htons(a->port);
    memcpy(&in->sin_addr, a->ip, 4);
    return sizeof *in;
}

void pp_address_of_sockaddr_(const struct sockaddr_storage *sa, socklen_t len,
                             struct pp_address *ret)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;

    *ret = (struct pp_address){ .family = PP_ADDRESS_UNIX };
    if (sa->ss_family == AF_INET && len >= sizeof *in) {
        ret->family = PP_ADDRESS_IP4;
        ret->port = ntohs(in->sin_port);
        memcpy(ret->ip, &in->sin_addr, 4);
    } else if (sa->ss_family == AF_INET6 && len >= sizeof *in6) {
        ret->family = PP_ADDRESS_IP6;
        ret->port = ntohs(in6->sin6_port);
        memcpy(ret->ip, &in6->sin6_addr, 16);
    }
}

/* --- listeners ------------------------------------------------------------------------------ */

/* 1 if a socket file is there and nobody listens behind it: its program was killed. */
static int is_abandoned(const struct sockaddr_storage *sa, socklen_t len, const char *path)
{
    struct stat st;

    if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return 0;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return 0;
    int refused = connect(fd, (const struct sockaddr *)(const void *)sa, len) != 0 &&
                  errno == ECONNREFUSED;
    (void)close(fd);
    return refused;
}

static pp_res bind_and_listen(int fd, const struct pp_address *at, struct pp_address *ret_bound)
{
    struct sockaddr_storage sa;
    socklen_t len = pp_address_to_sockaddr_(at, &sa);
    int on = 1;

    if (at->family == PP_ADDRESS_UNIX) {
        if (is_abandoned(&sa, len, at->path))
            (void)unlink(at->path);
    } else if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) {
        return pp_errno_res(errno);
    }
    if (at->family == PP_ADDRESS_IP6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
        return pp_errno_res(errno);
    if (bind(fd, (const struct sockaddr *)(const void *)&sa, len) != 0 ||
        listen(fd, BACKLOG) != 0) {
        if (errno == EADDRINUSE)
            return PP_FAIL(PP_E_PORT_TAKEN, errno);
        return pp_errno_res(errno);
    }
    *ret_bound = *at;
    if (at->family == PP_ADDRESS_UNIX)
        return PP_OK;
    len = sizeof sa;
    if (getsockname(fd, (struct sockaddr *)(void *)&sa, &len) != 0)
        return pp_errno_res(errno);
    pp_address_of_sockaddr_(&sa, len, ret_bound);
    return PP_OK;
}

pp_res pp_listener_open(const struct pp_address *at, struct pp_listener *ret)
{
    struct pp_address bound;
    int family = at->family == PP_ADDRESS_UNIX  ? AF_UNIX
                 : at->family == PP_ADDRESS_IP6 ? AF_INET6
                                                : AF_INET;

    PP_CHECK(at->family != 0, PP_E_FORMAT, 0);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return pp_errno_res(errno);
    pp_res r = bind_and_listen(fd, at, &bound);
    if (!pp_is_ok(r)) {
        (void)close(fd);
        return r;
    }
    *ret = (struct pp_listener){ .is_open = 1, .fd = fd, .address = bound };
    return PP_OK;
}

void pp_listener_done(struct pp_listener *l)
{
    if (!l->is_open)
        return;
    if (l->address.family == PP_ADDRESS_UNIX)
        (void)unlink(l->address.path);
    (void)close(l->fd);
    *l = (struct pp_listener){ 0 };
}

pp_res pp_address_connect(const struct pp_address *to, int *ret_fd)
{
    struct sockaddr_storage sa;
    socklen_t len = pp_address_to_sockaddr_(to, &sa);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return pp_errno_res(errno);
    if (connect(fd, (const struct sockaddr *)&sa, len) != 0 && errno != EINPROGRESS) {
        pp_res r = PP_FAIL(PP_E_NETWORK, errno);
        (void)close(fd);
        return r;
    }
    *ret_fd = fd;
    return PP_OK;
}
