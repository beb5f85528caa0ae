/* SPDX-License-Identifier: Apache-2.0 */
/* Writing what was read gives an address that reads the same; IPv6 alone has longer spellings. */
#include "fuzz.h"

#include "address.h"
#include "http_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_address a;
    struct pp_address b;
    char text[PP_ADDRESS_TEXT_MAX];
    uint16_t port = 0;

    if (pp_is_ok(pp_http_url_port(pp_span(data, len), &port)))
        FUZZ_CHECK(port != 0 && len > 7);
    if (!pp_is_ok(pp_address_parse(pp_span(data, len), &a)))
        return 0;
    pp_address_write(&a, text);
    FUZZ_CHECK(pp_is_ok(pp_address_parse(pp_span_cstr(text), &b)));
    FUZZ_CHECK(memcmp(&a, &b, sizeof a) == 0);
    if (a.family != PP_ADDRESS_IP6)
        FUZZ_CHECK(pp_span_eq(pp_span(data, len), pp_span_cstr(text)));
    return 0;
}
