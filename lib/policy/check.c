/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "wr.h"

const char *pp_step_name(enum pp_step s)
{
    static const char *const names[] = {
        [PP_STEP_CONSENT] = "consent and data minimisation",
        [PP_STEP_ANCHORS] = "pinned anchors and high-water marks",
        [PP_STEP_DIRECTORY] = "directory bundle against the ledger",
        [PP_STEP_TOKEN] = "anonymous token",
        [PP_STEP_EXCHANGE] = "exchange #1 through the relay",
        [PP_STEP_TLS] = "TLS 1.3 profile",
        [PP_STEP_EVIDENCE] = "one Evidence message",
        [PP_STEP_PARSE] = "Evidence format",
        [PP_STEP_CHAIN] = "vendor chain",
        [PP_STEP_BINDING] = "binding to this connection",
        [PP_STEP_PLATFORM] = "guest policy, platform, patch level",
        [PP_STEP_LEDGER] = "ledger: release, status, host",
        [PP_STEP_RECORD] = "record for the user's report",
    };

    PP_ASSERT(s >= PP_STEP_CONSENT && s <= PP_STEP_RECORD);
    return names[s];
}

const char *pp_verdict_name(enum pp_verdict v)
{
    static const char *const names[] = {
        [PP_VERDICT_PROVEN] = "proven",
        [PP_VERDICT_ASSERTED] = "asserted",
        [PP_VERDICT_SKIPPED] = "skipped",
    };

    PP_ASSERT(v >= PP_VERDICT_PROVEN && v <= PP_VERDICT_SKIPPED);
    return names[v];
}

void pp_check_add(struct pp_checks *c, enum pp_step step, enum pp_code code,
                  enum pp_verdict verdict, const char *what, struct pp_span anchor,
                  struct pp_span value)
{
    if (c == NULL)
        return;
    PP_ASSERT(c->count < PP_CHECKS_MAX);
    struct pp_check *row = &c->rows[c->count++];
    *row = (struct pp_check){ .step = step, .code = code, .verdict = verdict, .what = what };
    pp_printable(row->anchor, sizeof row->anchor, anchor);
    pp_printable(row->value, sizeof row->value, value);
}

void pp_check_add_hex(struct pp_checks *c, enum pp_step step, enum pp_code code,
                      enum pp_verdict verdict, const char *what, struct pp_span anchor,
                      struct pp_span value)
{
    enum { SHOWN_BYTES = 16 };
    char text[2 * SHOWN_BYTES + 4];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    pp_wr_hex(&wr, pp_span(value.at, value.len < SHOWN_BYTES ? value.len : SHOWN_BYTES));
    if (value.len > SHOWN_BYTES)
        pp_wr_text(&wr, "...");
    pp_check_add(c, step, code, verdict, what, anchor, pp_wr_done(&wr));
}

void pp_check_add_number(struct pp_checks *c, enum pp_step step, enum pp_code code,
                         enum pp_verdict verdict, const char *what, struct pp_span anchor,
                         uint64_t value, const char *unit)
{
    char text[96];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    pp_wr_decimal(&wr, value);
    pp_wr_u8(&wr, ' ');
    pp_wr_text(&wr, unit);
    pp_check_add(c, step, code, verdict, what, anchor, pp_wr_done(&wr));
}
