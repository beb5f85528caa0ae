/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "url_int.h"

/* What is taken names a user, a host and a database, and no option that weakens a commit. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char url[PP_WHERE_URL_BYTES_MAX + 1] = { 0 };
    struct pp_problem problem = { 0 };
    PQconninfoOption *parts = NULL;

    if (len >= sizeof url)
        return 0;
    memcpy(url, data, len);
    pp_res r = pp_url_parse_(url, &problem, &parts);
    FUZZ_CHECK(pp_is_ok(r) || r.code == PP_E_CONFIG);
    FUZZ_CHECK(pp_is_ok(r) == (parts != NULL));
    if (parts == NULL) {
        FUZZ_CHECK(problem.expected[0] != '\0');
        return 0;
    }
    FUZZ_CHECK(pp_url_part_(parts, "user") != NULL && pp_url_part_(parts, "host") != NULL &&
               pp_url_part_(parts, "dbname") != NULL);
    FUZZ_CHECK(pp_url_part_(parts, "options") == NULL && pp_url_part_(parts, "service") == NULL);
    PQconninfoFree(parts);
    return 0;
}
