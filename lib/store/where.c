/* SPDX-License-Identifier: Apache-2.0 */
#include "where.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <sys/socket.h>

#include "file.h"
#include "text.h"
#include "url_int.h"
#include "wr.h"

enum { HOST_BYTES_MAX = 256, PORT_DEFAULT = 5432 };

static pp_res refuse(struct pp_problem *problem, const char *expected, struct pp_span got)
{
    pp_problem_set(problem, "store", expected, got);
    return PP_FAIL(PP_E_CONFIG, 0);
}

static int begins_with(struct pp_span s, struct pp_span prefix)
{
    return s.len >= prefix.len && memcmp(s.at, prefix.at, prefix.len) == 0;
}

/* --- names ------------------------------------------------------------------------------------ */

/* The first address that the system knows, as text. */
static pp_res resolve(const char *host, struct pp_problem *problem, struct pp_wr *wr)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    char text[NI_MAXHOST];
    int failed = getaddrinfo(host, NULL, &hints, &found);

    if (failed == 0)
        failed = getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0,
                             NI_NUMERICHOST);
    if (found != NULL)
        freeaddrinfo(found);
    if (failed != 0)
        return refuse(problem, "a host with an address", pp_span_cstr(gai_strerror(failed)));
    pp_wr_text(wr, text);
    return PP_OK;
}

static pp_res add_port(struct pp_where *w, struct pp_span text, struct pp_problem *problem)
{
    uint64_t port = PORT_DEFAULT;

    if (text.len > 0 && (!pp_is_ok(pp_decimal_parse(text, UINT16_MAX, &port)) || port == 0))
        return refuse(problem, "ports from 1 to 65535", PP_STR("another in the URL"));
    for (size_t i = 0; i < w->port_count; i++)
        if (w->ports[i] == port)
            return PP_OK;
    w->ports[w->port_count++] = (uint16_t)port;
    return PP_OK;
}

/* The ports are one for all hosts, or one each. */
static struct pp_span take_port(struct pp_span *ports)
{
    struct pp_span left = *ports;
    struct pp_span port;

    if (pp_text_cut(&left, ',', &port))
        *ports = left;
    return port;
}

/* The addresses of the hosts, with commas between; nothing for the folder of a unix socket. */
static pp_res resolve_all(const PQconninfoOption *parts, struct pp_problem *problem,
                          struct pp_where *w, struct pp_wr *wr)
{
    const char *port_list = pp_url_part_(parts, "port");
    struct pp_span ports = pp_span_cstr(port_list == NULL ? "" : port_list);
    struct pp_span left = pp_span_cstr(pp_url_part_(parts, "host"));
    char name[HOST_BYTES_MAX];
    struct pp_span host;
    int more;

    do {
        struct pp_wr copy = pp_wr_over(name, sizeof name);
        more = pp_text_cut(&left, ',', &host);
        struct pp_span port = take_port(&ports);
        pp_wr_span(&copy, host);
        pp_wr_u8(&copy, 0);
        if (!pp_is_ok(pp_wr_ok(&copy)))
            return refuse(problem, "host names of at most 255 bytes", PP_STR("a longer one"));
        if (name[0] != '/') {
            PP_TRY(add_port(w, port, problem));
            PP_TRY(resolve(name, problem, wr));
        }
        if (more)
            pp_wr_text(wr, ",");
    } while (more);
    return PP_OK;
}

/* --- the URL ---------------------------------------------------------------------------------- */

/* The URL with the addresses at its end, where libpq finds them. */
static pp_res pin(struct pp_span url, const PQconninfoOption *parts, struct pp_problem *problem,
                  struct pp_where *w)
{
    char addresses[PP_WHERE_HOSTS_MAX * NI_MAXHOST];
    struct pp_wr list = pp_wr_over(addresses, sizeof addresses);

    if (pp_url_part_(parts, "hostaddr") != NULL)
        return refuse(problem, "a URL without hostaddr", PP_STR("a URL that is not shown"));
    PP_TRY(resolve_all(parts, problem, w, &list));
    PP_TRY(pp_wr_ok(&list));
    PP_TRY(pp_secret_alloc(&w->text, url.len + list.len + sizeof "?hostaddr="));
    struct pp_wr wr = pp_wr_over(w->text.bytes, w->text.len);
    pp_wr_span(&wr, url);
    if (w->port_count > 0) {
        pp_wr_text(&wr, memchr(url.at, '?', url.len) == NULL ? "?hostaddr=" : "&hostaddr=");
        pp_wr_span(&wr, pp_wr_done(&list));
    }
    return pp_wr_ok(&wr); /* a NUL is behind it: secrets start as zeros */
}

static pp_res read_url(const char *path, struct pp_problem *problem, struct pp_where *w)
{
    PP_AUTO(pp_buf) file = { 0 };
    PQconninfoOption *parts = NULL;
    pp_res r = pp_file_read_kept(AT_FDCWD, path, PP_FILE_PRIVATE, PP_WHERE_URL_BYTES_MAX, &file);

    if (!pp_is_ok(r))
        return refuse(problem, "a file with the URL that its owner alone can open",
                      pp_span_cstr(pp_file_reason(r)));
    if (file.len > 0 && file.bytes[file.len - 1] == '\n')
        file.bytes[--file.len] = '\0';
    if (memchr(file.bytes, '\0', file.len) != NULL || memchr(file.bytes, '\n', file.len) != NULL)
        return refuse(problem, "one line in the file of the URL", PP_STR("more of it"));
    PP_TRY(pp_url_parse_((const char *)file.bytes, problem, &parts));
    r = pin(pp_buf_span(&file), parts, problem, w);
    PQconninfoFree(parts);
    return r;
}

pp_res pp_where_read(struct pp_span value, struct pp_problem *problem, struct pp_where *ret)
{
    static const char FORM[] = "the path of a file, or postgresql:FILE where FILE holds the URL";
    struct pp_span scheme = PP_STR("postgresql:");
    struct pp_where w = { 0 };
    char path[PATH_MAX];
    struct pp_wr wr = pp_wr_over(path, sizeof path);
    int is_url = begins_with(value, scheme);
    struct pp_span name = is_url ? pp_span(value.at + scheme.len, value.len - scheme.len) : value;

    pp_wr_span(&wr, name);
    pp_wr_u8(&wr, 0);
    /* A URL in the configuration is not taken, and not repeated either. */
    if (!pp_is_ok(pp_wr_ok(&wr)) || name.len == 0 || begins_with(name, PP_STR("//")))
        return refuse(problem, FORM, PP_STR("another form"));
    pp_res r = is_url ? read_url(path, problem, &w) : pp_secret_copy(&w.text, pp_wr_done(&wr));
    if (!pp_is_ok(r)) {
        pp_where_done(&w);
        return r;
    }
    *ret = w;
    return PP_OK;
}

int pp_where_is_url(const char *text)
{
    return strncmp(text, PP_URL_SCHEME, strlen(PP_URL_SCHEME)) == 0;
}

void pp_where_done(struct pp_where *w)
{
    pp_secret_done(&w->text);
    *w = (struct pp_where){ 0 };
}
