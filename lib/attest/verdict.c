/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict_int.h"

#include "wr.h"

void attest_anchor(struct pp_attest_check *row, const char *anchor)
{
    pp_printable(row->anchor, sizeof row->anchor, pp_span_cstr(anchor));
}

void attest_say(struct pp_attest_check *row, const char *field, const char *expected,
                const char *got)
{
    pp_problem_set(&row->problem, field, expected, pp_span_cstr(got));
}

void attest_say_number(struct pp_attest_check *row, const char *field, const char *expected,
                       uint64_t got)
{
    char text[24];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    unsigned shift = 60;

    while (shift > 0 && got >> shift == 0)
        shift -= 4;
    pp_wr_text(&wr, "0x");
    for (; shift < 64; shift -= 4) /* ends by wrapping below zero */
        pp_wr_u8(&wr, (uint8_t) "0123456789abcdef"[got >> shift & 15]);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    pp_problem_set(&row->problem, field, expected, pp_wr_done(&wr));
}

static void write_padded(struct pp_wr *wr, uint64_t v, const char *behind)
{
    if (v < 10)
        pp_wr_u8(wr, '0');
    pp_wr_decimal(wr, v);
    pp_wr_text(wr, behind);
}

/*
 * RFC 3339, in UTC. By hand: gmtime_r reads a file at its first call, and guests judge
 * each other where opening a file ends the process. Years begin in March, as in tdx_collateral.c.
 */
static void write_time(struct pp_wr *wr, uint64_t posix_s)
{
    uint64_t day = posix_s / 86400 + 719468, second = posix_s % 86400;
    uint64_t era = day / 146097, of_era = day % 146097;
    uint64_t of_400 = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint64_t of_year = of_era - (365 * of_400 + of_400 / 4 - of_400 / 100);
    uint64_t march = (5 * of_year + 2) / 153;
    uint64_t month = march < 10 ? march + 3 : march - 9;

    pp_wr_decimal(wr, era * 400 + of_400 + (month <= 2));
    pp_wr_text(wr, "-");
    write_padded(wr, month, "-");
    write_padded(wr, of_year - (153 * march + 2) / 5 + 1, "T");
    write_padded(wr, second / 3600, ":");
    write_padded(wr, second / 60 % 60, ":");
    write_padded(wr, second % 60, "Z");
}

void attest_say_time(struct pp_attest_check *row, const char *field, const char *relation,
                     uint64_t at_posix_s, uint64_t got_posix_s)
{
    char expected[64], got[40];
    struct pp_wr e = pp_wr_over(expected, sizeof expected), g = pp_wr_over(got, sizeof got);

    pp_wr_text(&e, relation);
    pp_wr_text(&e, " ");
    write_time(&e, at_posix_s);
    pp_wr_u8(&e, 0);
    write_time(&g, got_posix_s);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&e)));
    PP_ASSERT(pp_is_ok(pp_wr_ok(&g)));
    pp_problem_set(&row->problem, field, expected, pp_wr_done(&g));
}

pp_res attest_skip(struct pp_attest_check *row, const char *why)
{
    row->verdict = PP_ATTEST_SKIPPED;
    row->anchor[0] = '\0';
    attest_say(row, "", "", why);
    return PP_OK;
}

const char *pp_attest_verdict_name(enum pp_attest_verdict v)
{
    return v == PP_ATTEST_PASSED ? "passed" : v == PP_ATTEST_FAILED ? "failed" : "skipped";
}

int attest_set_given(const struct pp_attest_set *set)
{
    return set->count > 0 || set->known != NULL;
}

pp_res attest_check_member(struct pp_attest_check *row, const char *policy_name, const char *field,
                           const struct pp_attest_set *set, struct pp_span value)
{
    attest_anchor(row, set->anchor == NULL ? policy_name : set->anchor);
    if (set->count == 1 && set->known == NULL) {
        pp_problem_hex(&row->problem, field, pp_span(set->values, value.len), value);
    } else {
        pp_problem_hex(&row->problem, field, (struct pp_span){ 0 }, value);
        pp_printable(row->problem.expected, sizeof row->problem.expected,
                     attest_set_given(set) ? PP_STR("an accepted value")
                                           : PP_STR("none is accepted"));
    }
    for (size_t i = 0; i < set->count; i++)
        if (pp_span_eq(pp_span(set->values + i * value.len, value.len), value))
            return PP_OK;
    ATTEST_CHECK(row, set->known != NULL && pp_is_ok(set->known(set->ctx, value)));
    return PP_OK;
}

static void write_bit_list(struct pp_wr *wr, const char *head, uint64_t bits)
{
    if (bits == 0)
        return;
    pp_wr_text(wr, head);
    for (unsigned i = 0; i < 64; i++)
        if ((bits >> i & 1) != 0) {
            pp_wr_text(wr, " ");
            pp_wr_decimal(wr, i);
        }
}

pp_res attest_check_bits(struct pp_attest_check *row, const char *field, uint64_t required,
                         uint64_t forbidden, uint64_t value)
{
    uint64_t not_one = required & ~value;
    uint64_t not_zero = forbidden & value;
    char expected[512];
    struct pp_wr wr = pp_wr_over(expected, sizeof expected);

    write_bit_list(&wr, "zero:", not_zero);
    write_bit_list(&wr, not_zero != 0 ? ", one:" : "one:", not_one);
    if (wr.len == 0)
        pp_wr_text(&wr, "bits as the policy has them");
    pp_wr_u8(&wr, 0);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    attest_say_number(row, field, expected, value);
    ATTEST_CHECK(row, not_one == 0 && not_zero == 0);
    return PP_OK;
}
