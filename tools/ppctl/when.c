/* SPDX-License-Identifier: Apache-2.0 */
/* Times as arguments. */
#include <string.h>
#include <time.h>

#include "ppctl.h"
#include "text.h"

static int digits(const char *text, size_t at, size_t len, int *ret)
{
    uint64_t v = 0;

    for (size_t i = at; i < at + len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        v = 10 * v + (uint64_t)(text[i] - '0');
    }
    *ret = (int)v;
    return 1;
}

/* What stands behind the seconds: a fraction, which is dropped, then "Z" or "+hh:mm". */
static int read_zone(const char *text, int *ret_offset_s)
{
    int hours, minutes;

    if (*text == '.') {
        size_t n = strspn(text + 1, "0123456789");
        if (n == 0)
            return 0;
        text += 1 + n;
    }
    if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
        *ret_offset_s = 0;
        return 1;
    }
    if (strlen(text) != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':' ||
        !digits(text, 1, 2, &hours) || !digits(text, 4, 2, &minutes) || hours > 23 || minutes > 59)
        return 0;
    *ret_offset_s = (text[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return 1;
}

/* RFC 3339, "2026-06-01T00:00:00Z". */
static int read_rfc3339(const char *text, uint64_t *ret)
{
    struct tm tm = { 0 };
    struct tm again;
    int offset_s;

    if (strlen(text) < 20 || text[4] != '-' || text[7] != '-' ||
        (text[10] != 'T' && text[10] != 't' && text[10] != ' ') || text[13] != ':' ||
        text[16] != ':' || !digits(text, 0, 4, &tm.tm_year) || !digits(text, 5, 2, &tm.tm_mon) ||
        !digits(text, 8, 2, &tm.tm_mday) || !digits(text, 11, 2, &tm.tm_hour) ||
        !digits(text, 14, 2, &tm.tm_min) || !digits(text, 17, 2, &tm.tm_sec) ||
        !read_zone(text + 19, &offset_s))
        return 0;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    again = tm;
    time_t at = timegm(&again); /* normalises: a date that is none comes back as another */
    if (again.tm_mon != tm.tm_mon || again.tm_mday != tm.tm_mday || again.tm_hour != tm.tm_hour ||
        again.tm_min != tm.tm_min || again.tm_sec != tm.tm_sec || at - offset_s < 0)
        return 0;
    *ret = (uint64_t)(at - offset_s);
    return 1;
}

int ppctl_time(const char *text, uint64_t *ret)
{
    return pp_is_ok(pp_decimal_parse(pp_span_cstr(text), INT64_MAX, ret)) ||
           read_rfc3339(text, ret);
}
