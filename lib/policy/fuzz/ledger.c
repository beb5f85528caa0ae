/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directory bundles under fixed anchors: a bundle that is not refused says what one of them says.
 */
#include "anchors.h"
#include "fuzz.h"

#include "crypto.h"
#include "ledger.h"

#define NOW (UINT64_C(20000) * PP_DAY_S + 36000)

static struct pp_trust trust;

static void read_trust(void)
{
    const struct pp_trust_files files = {
        .trust = PP_STR("environment = dev\nnamespace = example.org/test\nissuer = i\n"
                        "issuer_url = http://i\ngateway_authority = g\nrelay = http://r\n"
                        "mirror = http://m\nplatform = sev-snp\nhardware = strict\n"
                        "message_kem = classical\nohttp_kem = x25519\ntls_group = x25519\n"),
        .log_policy = PP_STR(FUZZ_LOG_POLICY),
        .owner_policy = PP_STR(FUZZ_OWNER_POLICY),
        .review_policy = PP_STR(FUZZ_REVIEW_POLICY)
    };

    FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    FUZZ_CHECK(pp_is_ok(pp_trust_parse(&trust, &files, NULL)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static _Alignas(16) uint8_t memory[PP_LEDGER_ARENA_BYTES];
    static struct pp_marks marks;
    static struct pp_ledger l;
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);
    struct pp_problem problem = { 0 };
    struct pp_checks checks = { 0 };

    if (trust.relay_count == 0)
        read_trust();
    marks = (struct pp_marks){ 0 };
    pp_res r = pp_ledger_verify(&trust, pp_span(data, len), &marks, NOW, &arena, &l, &checks,
                                &problem);
    if (pp_is_ok(r)) {
        FUZZ_CHECK(l.status.record.serial == 7 && l.tree_size <= 8);
        FUZZ_CHECK(pp_ledger_hosts(&l)->record.type == PP_RECORD_HOST_SET);
        pp_ledger_raise_marks(&l, &marks);
        FUZZ_CHECK(marks.tree_size == l.tree_size && marks.status_serial == 7);
    } else {
        /* A list can be longer than this arena; everything else is a refusal. */
        FUZZ_CHECK(pp_code_class(r.code) == PP_CLASS_REFUSED || r.code == PP_E_NO_MEMORY);
    }
    pp_arena_done(&arena);
    return 0;
}
