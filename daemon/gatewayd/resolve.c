/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <nss.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "text.h"

/* --- names ---------------------------------------------------------------------------------- */

static int is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
}

pp_res gw_name_parse(struct pp_span text, struct gw_name *ret)
{
    struct gw_name name = { .host = "" };
    struct pp_span host;
    uint64_t port = 0;

    PP_CHECK(pp_text_cut(&text, ':', &host), PP_E_FORMAT, 0);
    PP_CHECK(host.len > 0 && host.len <= GW_NAME_BYTES_MAX, PP_E_RANGE, host.len);
    for (size_t i = 0; i < host.len; i++)
        PP_CHECK(is_name_byte(host.at[i]), PP_E_FORMAT, i);
    PP_CHECK(host.at[0] != '-' && host.at[0] != '.', PP_E_FORMAT, 0);
    PP_TRY(pp_decimal_parse(text, UINT16_MAX, &port));
    PP_CHECK(port > 0, PP_E_RANGE, 0);
    memcpy(name.host, host.at, host.len);
    name.port = (uint16_t)port;
    *ret = name;
    return PP_OK;
}

/* --- news ----------------------------------------------------------------------------------- */

static void write_address(struct pp_wr *wr, const struct pp_address *a)
{
    pp_wr_u8(wr, (uint8_t)a->family);
    pp_wr_bytes(wr, a->ip, sizeof a->ip);
    pp_wr_u16(wr, a->port);
}

pp_res gw_addresses_parse(struct pp_span news, struct pp_address *ret, size_t cap,
                          size_t *ret_count)
{
    struct pp_rd rd = pp_rd_span(news);
    size_t count = 0;

    PP_CHECK(news.len <= cap * GW_ADDRESS_NEWS_BYTES, PP_E_FORMAT, news.len);
    while (rd.left > 0) {
        struct pp_address a = { .family = pp_rd_u8(&rd) };
        pp_rd_copy(&rd, a.ip, sizeof a.ip);
        a.port = pp_rd_u16(&rd);
        PP_TRY_AS(PP_E_FORMAT, pp_rd_ok(&rd));
        PP_CHECK((a.family == PP_ADDRESS_IP4 || a.family == PP_ADDRESS_IP6) && a.port != 0,
                 PP_E_FORMAT, count);
        ret[count++] = a;
    }
    *ret_count = count;
    return PP_OK;
}

/* --- asking --------------------------------------------------------------------------------- */

static int take_address(const struct addrinfo *row, uint16_t port, struct pp_address *ret)
{
    struct pp_address a = { .port = port };

    if (row->ai_family == AF_INET) {
        a.family = PP_ADDRESS_IP4;
        memcpy(a.ip, &((const struct sockaddr_in *)(const void *)row->ai_addr)->sin_addr, 4);
    } else if (row->ai_family == AF_INET6) {
        a.family = PP_ADDRESS_IP6;
        memcpy(a.ip, &((const struct sockaddr_in6 *)(const void *)row->ai_addr)->sin6_addr, 16);
    } else {
        return 0;
    }
    *ret = a;
    return 1;
}

static int compare(const void *a, const void *b)
{
    const struct pp_address *x = (const struct pp_address *)a, *y = (const struct pp_address *)b;

    if (x->family != y->family)
        return x->family < y->family ? -1 : 1;
    return memcmp(x->ip, y->ip, sizeof x->ip);
}

/* Ascending and without repeats, so that an answer in another order is the same list. */
static pp_res ask(const struct gw_name *name, struct pp_address ret[GW_CVMS_MAX], size_t *ret_count)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *rows = NULL;
    size_t count = 0, kept = 0;
    int e = getaddrinfo(name->host, NULL, &hints, &rows);

    PP_CHECK(e == 0, PP_E_NETWORK, e);
    for (const struct addrinfo *row = rows; row != NULL && count < GW_CVMS_MAX; row = row->ai_next)
        count += (size_t)take_address(row, name->port, &ret[count]);
    freeaddrinfo(rows);
    qsort(ret, count, sizeof *ret, compare);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !gw_address_eq(&ret[kept - 1], &ret[i]))
            ret[kept++] = ret[i];
    *ret_count = kept;
    return PP_OK;
}

/* --- the process ---------------------------------------------------------------------------- */

static int is_same(const struct gw_resolver *r, const struct pp_address *list, size_t count)
{
    int same = r->is_told && count == r->last_count;

    for (size_t i = 0; same && i < count; i++)
        same = gw_address_eq(&r->last[i], &list[i]);
    return same;
}

/* Tells the addresses when they are others than before; a name that is not answered changes
 * nothing. */
static void turn(void *ctx, struct gw_desk *desk)
{
    struct gw_resolver *r = (struct gw_resolver *)ctx;
    struct pp_address list[GW_CVMS_MAX];
    uint8_t bytes[GW_CVMS_MAX * GW_ADDRESS_NEWS_BYTES];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    size_t count = 0;
    pp_res res = ask(&r->name, list, &count);

    if (!pp_is_ok(res)) {
        pp_ev_gw_resolve_failed(&desk->events, res.code);
        return;
    }
    if (is_same(r, list, count))
        return;
    memcpy(r->last, list, count * sizeof *list);
    r->last_count = count;
    r->is_told = 1;
    for (size_t i = 0; i < count; i++)
        write_address(&wr, &list[i]);
    gw_desk_news(desk, GW_NEWS_ADDRESSES, pp_wr_done(&wr));
    pp_ev_gw_cvms(&desk->events, count);
}

static pp_res start(void *ctx, struct gw_desk *desk, struct pp_problem *problem)
{
    (void)problem;
    turn(ctx, desk);
    return PP_OK;
}

static pp_res work(void *ctx, struct gw_desk *desk, const struct gw_frame *asked, size_t count)
{
    (void)ctx;
    (void)desk;
    return PP_FAIL(PP_E_FORMAT, count + asked[0].tag);
}

/*
 * /etc/hosts and DNS: what the C library has in itself. Other sources of names are modules that it
 * would have to load, and to ask, before the walls stand: no byte of a resolver's answer is read
 * with more rights than it takes.
 */
static pp_res prepare(void *ctx, struct pp_sandbox *sandbox, struct pp_problem *problem)
{
    (void)ctx;
    (void)sandbox;
    (void)problem;
    PP_CHECK(__nss_configure_lookup("hosts", "files dns") == 0, PP_E_SYSTEM, errno);
    return PP_OK;
}

struct gw_process gw_resolver_process(struct gw_resolver *r)
{
    /* Resolvers are asked over UDP, and which of the own addresses are of use over netlink. */
    static const int SYSCALLS[] = { SYS_socket, SYS_bind, SYS_sendmmsg, SYS_recvmmsg, SYS_ioctl };

    return (struct gw_process){
        .name = "pp-gw-resolver",
        .sandbox = { .folders = { "/etc", "/run" },
                     .folder_count = 2,
                     .read_only = 1,
                     .connect_ports = { 53 },
                     .connect_port_count = 1,
                     .syscalls = SYSCALLS,
                     .syscall_count = PP_ARRAY_COUNT(SYSCALLS) },
        .prepare = prepare,
        .start = start,
        .work = work,
        .turn = turn,
        .ctx = r,
    };
}
