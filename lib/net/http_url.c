/* SPDX-License-Identifier: Apache-2.0 */
#include "http_url.h"

#include <arpa/inet.h>

#include "http_client.h"
#include "text.h"

static int begins_with(struct pp_span s, struct pp_span prefix)
{
    return s.len >= prefix.len && memcmp(s.at, prefix.at, prefix.len) == 0;
}

static int is_host_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

static pp_res check_name(struct pp_span host)
{
    PP_CHECK(host.len > 0 && host.len <= PP_HTTP_HOST_BYTES_MAX, PP_E_FORMAT, host.len);
    for (size_t i = 0; i < host.len; i++)
        PP_CHECK(is_host_byte(host.at[i]), PP_E_FORMAT, i);
    return PP_OK;
}

/* RFC 3986 3.2.2, without a zone: that is this machine's matter, and no one else's. */
static pp_res check_ip6(struct pp_span host)
{
    char text[INET6_ADDRSTRLEN] = { 0 };
    uint8_t ip[16];

    PP_CHECK(host.len > 0 && host.len < sizeof text, PP_E_FORMAT, host.len);
    memcpy(text, host.at, host.len);
    PP_CHECK(inet_pton(AF_INET6, text, ip) == 1, PP_E_FORMAT, 0);
    return PP_OK;
}

/* RFC 3986 3.2: host and port. */
static pp_res parse_authority(struct pp_span text, struct pp_http_url *u)
{
    struct pp_span port = { 0 };
    uint64_t number = u->is_tls ? 443 : 80;
    int has_port = 0;

    if (text.len > 0 && text.at[0] == '[') {
        text = pp_span(text.at + 1, text.len - 1);
        PP_CHECK(pp_text_cut(&text, ']', &u->host), PP_E_FORMAT, 0);
        PP_TRY(check_ip6(u->host));
        u->is_ip6 = 1;
        has_port = text.len > 0;
        PP_CHECK(!has_port || text.at[0] == ':', PP_E_FORMAT, 0);
        port = has_port ? pp_span(text.at + 1, text.len - 1) : text;
    } else {
        has_port = pp_text_cut(&text, ':', &u->host);
        port = text;
        PP_TRY(check_name(u->host));
    }
    if (has_port) {
        u->is_port_told = 1;
        PP_TRY_AS(PP_E_FORMAT, pp_decimal_parse(port, UINT16_MAX, &number));
        PP_CHECK(number > 0, PP_E_FORMAT, 0);
    }
    u->port = (uint16_t)number;
    if (u->port == (u->is_tls ? 443 : 80))
        u->is_port_told = 0;
    return PP_OK;
}

pp_res pp_http_url_parse_(struct pp_span text, struct pp_http_url *ret)
{
    struct pp_http_url u = { 0 };
    size_t end;

    PP_CHECK(text.len >= 1 && text.len <= PP_HTTP_URL_BYTES_MAX, PP_E_RANGE, text.len);
    for (size_t i = 0; i < text.len; i++)
        PP_CHECK(text.at[i] > 0x20 && text.at[i] < 0x7F && text.at[i] != '#', PP_E_FORMAT, i);
    u.is_tls = begins_with(text, PP_STR("https://")) != 0;
    PP_CHECK(u.is_tls || begins_with(text, PP_STR("http://")), PP_E_FORMAT, 0);
    size_t begin = u.is_tls ? 8 : 7;
    for (end = begin; end < text.len && text.at[end] != '/' && text.at[end] != '?'; end++)
        ;
    PP_TRY(parse_authority(pp_span(text.at + begin, end - begin), &u));
    u.target = pp_span(text.at + end, text.len - end);
    *ret = u;
    return PP_OK;
}

pp_res pp_http_url_port(struct pp_span url, uint16_t *ret)
{
    struct pp_http_url u;

    PP_TRY(pp_http_url_parse_(url, &u));
    *ret = u.port;
    return PP_OK;
}
