/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The binding with its exporter value marked undefined: valgrind reports any branch or index on it
 * between the exporter and the one public verdict.
 */
#include <stdio.h>

#include "binding.h"
#include "crypto.h"
#include "ct.h"

static pp_res run(uint32_t *ret_same)
{
    static uint8_t bindings[5][PP_BINDING_BYTES], scratch[5][PP_HASH_NODE_BYTES];
    struct pp_binding_input in = { .end = PP_END_SERVER, .spki = PP_STR("spki") };
    struct pp_batch_path paths[5];
    uint8_t report_data[PP_REPORT_DATA_BYTES], folded[PP_REPORT_DATA_BYTES];

    PP_TRY(pp_crypto_init());
    PP_TAINT(in.ekm, sizeof in.ekm);
    for (size_t i = 0; i < PP_ARRAY_COUNT(bindings); i++) {
        in.config_digest[0] = (uint8_t)i;
        PP_TRY(pp_binding_of(&in, bindings[i]));
    }
    PP_TRY(pp_batch_build((const uint8_t(*)[PP_BINDING_BYTES])bindings, PP_ARRAY_COUNT(bindings),
                          scratch, paths, report_data));
    PP_TRY(pp_binding_report_data(bindings[3], &paths[3], folded));
    *ret_same = pp_ct_eq(folded, report_data, sizeof folded);
    PP_REVEAL(ret_same, sizeof *ret_same, "whether a report is this session's is the verdict");
    return PP_OK;
}

int main(void)
{
    uint32_t same = 0;
    pp_res r = run(&same);

    if (!pp_is_ok(r) || same != 1)
        fprintf(stderr, "taint_binding: %s, same %u\n", pp_code_name(r.code), same);
    return !pp_is_ok(r) || same != 1;
}
