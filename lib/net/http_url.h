/* SPDX-License-Identifier: Apache-2.0 */
/* http_url.h: the one form of URL that we call: http(s)://HOST[:PORT][/PATH][?QUERY]. */
#ifndef PP_HTTP_URL_H
#define PP_HTTP_URL_H

#include "result.h"
#include "span.h"

enum { PP_HTTP_HOST_BYTES_MAX = 253 }; /* RFC 1035 2.3.4, without the final dot */

struct pp_http_url {
    uint32_t is_tls;
    uint32_t is_ip6;       /* the host stood in brackets */
    uint32_t is_port_told; /* and is not the scheme's own: Host repeats it */
    uint16_t port;
    struct pp_span host;   /* a name or an address, without brackets; borrows the text */
    struct pp_span target; /* path and query; empty, or without its first '/' if there is only a
                              query: see pp_http_url_target_ */
};

/*
 * Lower-case scheme, a host of letters, digits, '.', '-' and '_' or an IPv6 address in brackets;
 * no user, no fragment, printable ASCII. RANGE (length), FORMAT (detail = offset).
 */
PP_MUST pp_res pp_http_url_parse_(struct pp_span text, struct pp_http_url *ret);

#endif
