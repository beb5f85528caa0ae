/* SPDX-License-Identifier: Apache-2.0 */
/* Checks 11 to 18: what the GPU measured against what its vendor published. */
#include "gpu_int.h"

#include <strings.h>

#include "wr.h"

/* Those that came, in the order driver, VBIOS; returns their number. */
static size_t rims_of(const struct gpu_ctx *c, const struct pp_rim *ret[2])
{
    size_t n = 0;

    if (c->evidence->driver_rim != NULL)
        ret[n++] = c->evidence->driver_rim;
    if (c->evidence->vbios_rim != NULL)
        ret[n++] = c->evidence->vbios_rim;
    return n;
}

static int both_came(const struct gpu_ctx *c)
{
    return c->evidence->driver_rim != NULL && c->evidence->vbios_rim != NULL;
}

static int is_empty_or(struct pp_span text, const char *version)
{
    return text.len == 0 || (text.len == strlen(version) &&
                             strncasecmp((const char *)text.at, version, text.len) == 0);
}

/* A row is one statement: driver and VBIOS of two rows are no released pair. */
static int is_reference(const struct gpu_ctx *c, const struct pp_gpu_reference *row)
{
    return pp_span_eq(PP_BYTES(row->driver_rim), PP_BYTES(c->evidence->driver_rim->sha256)) &&
           pp_span_eq(PP_BYTES(row->vbios_rim), PP_BYTES(c->evidence->vbios_rim->sha256)) &&
           is_empty_or(row->driver, c->report.driver) && is_empty_or(row->vbios, c->report.vbios);
}

pp_res gpu_check_rim_set(struct gpu_ctx *c, struct pp_attest_check *row)
{
    const struct pp_gpu_policy *p = c->policy;

    c->sound = 1;
    if (!both_came(c))
        return attest_skip(row, "not both files of reference values came");
    attest_anchor(row, p->reference_anchor == NULL ? "release record" : p->reference_anchor);
    pp_problem_hex(&row->problem, "driver RIM", (struct pp_span){ 0 },
                   PP_BYTES(c->evidence->driver_rim->sha256));
    pp_printable(row->problem.expected, sizeof row->problem.expected,
                 p->reference_count > 0 ? PP_STR("with this VBIOS RIM a pair of the release")
                                        : PP_STR("none is accepted"));
    for (size_t i = 0; i < p->reference_count; i++)
        if (is_reference(c, &p->references[i]))
            return PP_OK;
    return PP_FAIL(row->code, row->number);
}

/*
 * Whether opening the file came past the check with this code. A struct that was never opened, or
 * whose opening failed for another reason than those of the file, came past none.
 */
static int is_behind(const struct pp_rim *rim, uint32_t code)
{
    if (rim->code == PP_E_OK)
        return rim->root != NULL;
    return rim->code > code && rim->code <= PP_E_GPU_RIM_CHAIN;
}

/* Checks 12 to 15: what opening each file found. */
pp_res gpu_check_rim(struct gpu_ctx *c, struct pp_attest_check *row)
{
    static const char *const FIELDS[] = { "form", "digest", "signature", "chain" };
    const struct pp_rim *rims[2];
    size_t count = rims_of(c, rims);

    if (count == 0)
        return attest_skip(row, "no reference values came");
    for (size_t i = 0; i < count; i++) {
        attest_anchor(row, rims[i]->root == NULL ? "pinned RIM root" : rims[i]->root);
        row->problem = rims[i]->problem;
        ATTEST_CHECK(row, is_behind(rims[i], row->code));
    }
    attest_say(row, FIELDS[row->number - PP_GPU_CHECK_RIM_FORMAT], "of each file",
               count == 2 ? "of both files" : "of the one file that came");
    return PP_OK;
}

pp_res gpu_check_rim_expired(struct gpu_ctx *c, struct pp_attest_check *row)
{
    const struct pp_rim *rims[2];
    size_t count = rims_of(c, rims);

    c->sound = 1;
    if (count == 0)
        return attest_skip(row, "no reference values came");
    for (size_t i = 0; i < count; i++) {
        attest_anchor(row, rims[i]->root);
        if (rims[i]->not_before > c->posix_s)
            attest_say_time(row, "signers valid from", "at the latest", c->posix_s,
                            rims[i]->not_before);
        else
            attest_say_time(row, "signers valid until", "not before", c->posix_s,
                            rims[i]->not_after);
        ATTEST_CHECK(row, rims[i]->not_before <= c->posix_s && c->posix_s <= rims[i]->not_after);
    }
    return PP_OK;
}

static void say_indexes(struct pp_attest_check *row, const char *expected, uint64_t indexes)
{
    char text[256];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    for (size_t i = 0; i < PP_GPU_BLOCKS_MAX; i++)
        if ((indexes >> i & 1) != 0) {
            pp_wr_text(&wr, wr.len > 0 ? " " : "");
            pp_wr_decimal(&wr, i);
        }
    pp_wr_text(&wr, indexes == 0 ? "none" : "");
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    pp_problem_set(&row->problem, "measurements", expected, pp_wr_done(&wr));
}

pp_res gpu_check_rim_conflict(struct gpu_ctx *c, struct pp_attest_check *row)
{
    c->sound = 1;
    if (!both_came(c))
        return attest_skip(row, "not both files of reference values came");
    uint64_t twice = c->evidence->driver_rim->active & c->evidence->vbios_rim->active;
    attest_anchor(row, c->evidence->driver_rim->root);
    say_indexes(row, "each in one file alone", twice);
    ATTEST_CHECK(row, twice == 0);
    return PP_OK;
}

/* With one file its part is compared, and may fail; only both together can pass. */
pp_res gpu_check_measurement(struct gpu_ctx *c, struct pp_attest_check *row)
{
    const struct pp_rim *rims[2];
    size_t count = rims_of(c, rims);
    uint64_t bad = 0, compared = 0;

    c->sound = 1;
    if (count == 0)
        return attest_skip(row, "no reference values came");
    for (size_t i = 0; i < count; i++) {
        bad |= pp_rim_mismatches(rims[i], &c->report);
        compared |= rims[i]->active;
        attest_anchor(row, rims[i]->root);
    }
    if (bad != 0) {
        say_indexes(row, "a published value for each active one (got: those that differ)", bad);
        return PP_FAIL(row->code, row->number);
    }
    if (!both_came(c))
        return attest_skip(row, "what came agrees, but not both files of reference values came");
    say_indexes(row, "a published value for each active one (got: those compared)", compared);
    return PP_OK;
}
