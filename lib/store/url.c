/* SPDX-License-Identifier: Apache-2.0 */
#include "url_int.h"

#include "text.h"

static pp_res refuse(struct pp_problem *problem, const char *expected)
{
    /* Never what stood there: it may be the password. */
    pp_problem_set(problem, "store URL", expected, PP_STR("a URL that is not shown"));
    return PP_FAIL(PP_E_CONFIG, 0);
}

const char *pp_url_part_(const PQconninfoOption *parts, const char *name)
{
    for (; parts->keyword != NULL; parts++)
        if (strcmp(parts->keyword, name) == 0)
            return parts->val != NULL && parts->val[0] != '\0' ? parts->val : NULL;
    return NULL;
}

/* Anything else could take back what pg.c relies on. */
static int is_permitted(const char *name)
{
    static const char *const NAMES[] = {
        "user",
        "password",
        "host",
        "hostaddr",
        "port",
        "dbname",
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "target_session_attrs",
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(NAMES); i++)
        if (strcmp(name, NAMES[i]) == 0)
            return 1;
    return 0;
}

static int is_here(struct pp_span host)
{
    static const char *const NAMES[] = { "localhost", "127.0.0.1", "::1" };

    if (host.len > 0 && host.at[0] == '/')
        return 1;
    for (size_t i = 0; i < PP_ARRAY_COUNT(NAMES); i++)
        if (pp_span_eq(host, pp_span_cstr(NAMES[i])))
            return 1;
    return 0;
}

static pp_res check_hosts(const PQconninfoOption *parts, struct pp_problem *problem)
{
    const char *mode = pp_url_part_(parts, "sslmode");
    int is_verified = mode != NULL && strcmp(mode, "verify-full") == 0 &&
                      pp_url_part_(parts, "sslrootcert") != NULL;
    struct pp_span left = pp_span_cstr(pp_url_part_(parts, "host"));
    struct pp_span host;
    size_t count = 0;
    int more;

    do {
        more = pp_text_cut(&left, ',', &host);
        if (host.len == 0)
            return refuse(problem, "a URL that names each host");
        if (!is_here(host) && !is_verified)
            return refuse(problem,
                          "sslmode=verify-full and sslrootcert for a server on another machine");
        if (++count > PP_WHERE_HOSTS_MAX)
            return refuse(problem, "a URL of at most 4 hosts");
    } while (more);
    return PP_OK;
}

static pp_res check(const PQconninfoOption *parts, struct pp_problem *problem)
{
    for (const PQconninfoOption *p = parts; p->keyword != NULL; p++)
        if (p->val != NULL && p->val[0] != '\0' && !is_permitted(p->keyword))
            return refuse(problem, "no other names in the URL than sslmode, sslrootcert, sslcert, "
                                   "sslkey, host, target_session_attrs");
    if (pp_url_part_(parts, "user") == NULL || pp_url_part_(parts, "host") == NULL ||
        pp_url_part_(parts, "dbname") == NULL)
        return refuse(problem, "a URL with user, host and database");
    return check_hosts(parts, problem);
}

pp_res pp_url_parse_(const char *url, struct pp_problem *problem, PQconninfoOption **ret)
{
    if (!pp_where_is_url(url))
        return refuse(problem, "one line, postgresql://USER:PASSWORD@HOST/DATABASE");
    PQconninfoOption *parts = PQconninfoParse(url, NULL);
    if (parts == NULL) /* its message would quote the URL */
        return refuse(problem, "one line, postgresql://USER:PASSWORD@HOST/DATABASE");
    pp_res r = check(parts, problem);
    if (!pp_is_ok(r)) {
        PQconninfoFree(parts);
        return r;
    }
    *ret = parts;
    return PP_OK;
}
