/* SPDX-License-Identifier: Apache-2.0 */
/* Saved Evidence: what is found is in the file, or was put together from two parts of it. */
#include "fuzz.h"

#include "evidence_file.h"

static int is_within(struct pp_span inner, const uint8_t *at, size_t len)
{
    return inner.len == 0 || (inner.at >= at && inner.at + inner.len <= at + len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t buffer[PP_EVIDENCE_BYTES_MAX];
    struct pp_evidence e;
    struct pp_span cbor;
    enum evidence_form form;

    if (!pp_is_ok(evidence_file_open(pp_span(data, len), buffer, &cbor, &form)))
        return 0;
    FUZZ_CHECK(evidence_form_name(form) != NULL);
    if (is_within(cbor, data, len)) {
        FUZZ_CHECK(form != EVIDENCE_MAP || (cbor.at == data && cbor.len == len));
        return 0;
    }
    FUZZ_CHECK(form == EVIDENCE_CMW && is_within(cbor, buffer, sizeof buffer));
    FUZZ_CHECK(!pp_is_ok(pp_evidence_parse(cbor, PP_END_SERVER, &e)) || e.gpu_encoding.len > 0);
    return 0;
}
