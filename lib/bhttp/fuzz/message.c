/* SPDX-License-Identifier: Apache-2.0 */
/* What parses can be written, and reads back as the same message; `exact` means the same bytes. */
#include "fuzz.h"

#include <string.h>

#include "bhttp.h"

enum { OUT_BYTES_MAX = 2 * PP_BHTTP_BYTES_MAX };

static void same_section(const struct pp_bhttp *a, struct pp_bhttp_section sa,
                         const struct pp_bhttp *b, struct pp_bhttp_section sb)
{
    FUZZ_CHECK(sa.count == sb.count);
    for (size_t i = 0; i < sa.count; i++) {
        FUZZ_CHECK(pp_span_eq(a->fields[sa.first + i].name, b->fields[sb.first + i].name));
        FUZZ_CHECK(pp_span_eq(a->fields[sa.first + i].value, b->fields[sb.first + i].value));
    }
}

static void same_message(const struct pp_bhttp *a, const struct pp_bhttp *b)
{
    FUZZ_CHECK(a->framing == b->framing && a->status == b->status);
    FUZZ_CHECK(pp_span_eq(a->method, b->method) && pp_span_eq(a->scheme, b->scheme));
    FUZZ_CHECK(pp_span_eq(a->authority, b->authority) && pp_span_eq(a->path, b->path));
    FUZZ_CHECK(a->informational_count == b->informational_count);
    for (size_t i = 0; i < a->informational_count; i++) {
        FUZZ_CHECK(a->informational[i].status == b->informational[i].status);
        same_section(a, a->informational[i].header, b, b->informational[i].header);
    }
    same_section(a, a->header, b, b->header);
    same_section(a, a->trailer, b, b->trailer);
    FUZZ_CHECK(a->content_len == b->content_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t out[OUT_BYTES_MAX], content[2][PP_BHTTP_BYTES_MAX];
    static struct pp_bhttp m, again;
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    if (!pp_is_ok(pp_bhttp_parse(pp_span(data, len), &m)))
        return 0;
    FUZZ_CHECK(m.field_count <= PP_BHTTP_FIELDS_MAX);
    FUZZ_CHECK(pp_is_ok(pp_bhttp_write(&m, &wr)));
    FUZZ_CHECK(wr.len <= len || !m.exact);
    if (m.exact)
        FUZZ_CHECK(wr.len <= len && memcmp(out, data, wr.len) == 0);

    FUZZ_CHECK(pp_is_ok(pp_bhttp_parse(pp_wr_done(&wr), &again)));
    same_message(&m, &again);
    struct pp_wr a = pp_wr_over(content[0], sizeof content[0]);
    struct pp_wr b = pp_wr_over(content[1], sizeof content[1]);
    pp_bhttp_content_copy(&m, &a);
    pp_bhttp_content_copy(&again, &b);
    FUZZ_CHECK(a.len == m.content_len && pp_span_eq(pp_wr_done(&a), pp_wr_done(&b)));

    /* A known-length form of the same message exists, and any total from its length on. */
    m.framing = pp_bhttp_is_request(&m) ? PP_BHTTP_REQUEST : PP_BHTTP_RESPONSE;
    wr = pp_wr_over(out, sizeof out);
    FUZZ_CHECK(pp_is_ok(pp_bhttp_write_padded(&m, len + 4096, &wr)) ||
               len > PP_BHTTP_BYTES_MAX / 2);
    return 0;
}
