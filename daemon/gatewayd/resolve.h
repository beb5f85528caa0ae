/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.h: the process that asks for the addresses of the CVMs' name, again and again: a
 * Kubernetes headless service, Consul, or a line of /etc/hosts. It talks to resolvers, so it holds
 * nothing and hears nothing of any request.
 *
 *     news 'a'   { u8 4 or 6 || ip(16, left-aligned) || u16 port } x 0..GW_CVMS_MAX
 *
 * Whoever answers for the name decides where sessions go, and no more: each device verifies the
 * machine that it ends at.
 */
#ifndef GW_RESOLVE_H
#define GW_RESOLVE_H

#include "cvm.h"
#include "desk.h"

enum {
    GW_NAME_BYTES_MAX = 253,
    GW_ADDRESS_NEWS_BYTES = 1 + 16 + 2,
};

/* A name with a numeric port, of the configuration. */
struct gw_name {
    char host[GW_NAME_BYTES_MAX + 1];
    uint16_t port;
};

/* "cvm.example:8414": letters, digits, '-' and '.', then a port. FORMAT, RANGE. */
PP_MUST pp_res gw_name_parse(struct pp_span text, struct gw_name *ret);

struct gw_resolver {
    struct gw_name name;
    struct pp_address last[GW_CVMS_MAX];
    size_t last_count;
    int is_told;
};

/* The process; `r` is borrowed. It is never asked anything; its turns are the caller's. */
struct gw_process gw_resolver_process(struct gw_resolver *r);

/* What such news says; at most `cap` addresses are kept. FORMAT. */
PP_MUST pp_res gw_addresses_parse(struct pp_span news, struct pp_address *ret, size_t cap,
                                  size_t *ret_count);

#endif
