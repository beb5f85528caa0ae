/* SPDX-License-Identifier: Apache-2.0 */
#include "problem.h"

#include "wr.h"

void pp_printable(char *ret, size_t cap, struct pp_span text)
{
    size_t n = text.len < cap - 1 ? text.len : cap - 1;

    PP_ASSERT(cap >= 4);
    for (size_t i = 0; i < n; i++)
        ret[i] = text.at[i] >= 0x20 && text.at[i] < 0x7F ? (char)text.at[i] : '.';
    if (n < text.len)
        memcpy(ret + n - 3, "...", 3);
    ret[n] = '\0';
}

void pp_problem_party(struct pp_problem *p, const char *party)
{
    if (p != NULL)
        pp_printable(p->party, sizeof p->party, pp_span_cstr(party));
}

void pp_problem_set(struct pp_problem *p, const char *field, const char *expected,
                    struct pp_span got)
{
    if (p == NULL)
        return;
    pp_printable(p->field, sizeof p->field, pp_span_cstr(field));
    pp_printable(p->expected, sizeof p->expected, pp_span_cstr(expected));
    pp_printable(p->got, sizeof p->got, got);
}

static void hex_text(char *ret, size_t cap, struct pp_span bytes)
{
    char text[2 * 96];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    pp_wr_hex(&wr, pp_span(bytes.at, bytes.len < 96 ? bytes.len : 96));
    pp_printable(ret, cap, pp_wr_done(&wr));
}

void pp_problem_hex(struct pp_problem *p, const char *field, struct pp_span expected,
                    struct pp_span got)
{
    if (p == NULL)
        return;
    pp_printable(p->field, sizeof p->field, pp_span_cstr(field));
    hex_text(p->expected, sizeof p->expected, expected);
    hex_text(p->got, sizeof p->got, got);
}

void pp_problem_numbers(struct pp_problem *p, const char *field, uint64_t expected, uint64_t got)
{
    char text[2][24];

    if (p == NULL)
        return;
    for (int i = 0; i < 2; i++) {
        struct pp_wr wr = pp_wr_over(text[i], sizeof text[i]);
        pp_wr_decimal(&wr, i == 0 ? expected : got);
        pp_wr_u8(&wr, 0);
    }
    pp_problem_set(p, field, text[0], pp_span_cstr(text[1]));
}
