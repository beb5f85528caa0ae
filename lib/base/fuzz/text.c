/* SPDX-License-Identifier: Apache-2.0 */
/* What was parsed and written again gives the same bytes: there is one encoding per value. */
#include "fuzz.h"

#include "text.h"
#include "wr.h"

static void round_trip_base64(struct pp_span text, int url)
{
    uint8_t bytes[4096];
    uint8_t again[8192];
    size_t len;

    if (!pp_is_ok(url ? pp_base64url_parse(text, 0, bytes, sizeof bytes, &len)
                      : pp_base64_parse(text, bytes, sizeof bytes, &len)))
        return;
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    if (url)
        pp_wr_base64url(&wr, pp_span(bytes, len), 0);
    else
        pp_wr_base64(&wr, pp_span(bytes, len));
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_span text = pp_span(data, len);
    uint64_t number;
    uint8_t hex[64];
    uint8_t again[128];

    round_trip_base64(text, 0);
    round_trip_base64(text, 1);
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    if (pp_is_ok(pp_decimal_parse(text, UINT64_MAX, &number))) {
        pp_wr_decimal(&wr, number);
        FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), text));
    }
    wr = pp_wr_over(again, sizeof again);
    if (len % 2 == 0 && len / 2 <= sizeof hex && pp_is_ok(pp_hex_parse(text, hex, len / 2))) {
        pp_wr_hex(&wr, pp_span(hex, len / 2));
        FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), text));
    }
    int checked = pp_is_ok(pp_utf8_check(text));
    int replaced = 0;
    for (size_t at = 0; at < len;) {
        size_t before = at;
        uint32_t point = pp_utf8_next(text, &at);
        FUZZ_CHECK(at > before && at <= len);
        replaced |= point == 0xFFFD && at - before == 1;
    }
    FUZZ_CHECK(checked == !replaced);
    return 0;
}
