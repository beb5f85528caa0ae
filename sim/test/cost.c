/* SPDX-License-Identifier: Apache-2.0 */
/* What one appraisal takes of the heap, with the anchors kept, as a client keeps them. */
#include "allocations.h"
#include "fleet.h"

enum { MEMORY_BYTES_MAX = 256 << 10 };

static struct fleet genoa;

static int make(void **state)
{
    (void)state;
    return !pp_is_ok(fleet_make(&genoa, PP_SNP_GENOA));
}

static int clean(void **state)
{
    (void)state;
    fleet_free(&genoa);
    return 0;
}

/*
 * The objects that OpenSSL makes of the chip's certificate and for its two verifications are its
 * own; ours take none, and all of them are given back.
 */
static void an_appraisal_allocates_nothing_itself_and_needs_less_than_256_kib(void **state)
{
    (void)state;
    static struct evidence e;
    uint8_t bytes[PP_SNP_REPORT_BYTES], crl[4096];
    size_t len;

    if (!ALLOCATIONS_COUNTED)
        skip();
    evidence_of(&genoa, &e);
    e.policy.skip = 0;
    assert_ok(sim_root_crl(genoa.root, NOW - DAY, SIM_REVOKES_NONE, crl, sizeof crl, &len));
    e.crl = pp_span(crl, len);
    assert_ok(sim_chip_sign(genoa.chip, &e.report, bytes));
    assert_ok(appraise_bytes(&e, &genoa.anchors, PP_BYTES(bytes))); /* fills the library's caches */

    unsigned long before = allocation_count;
    unsigned long own = allocation_count_own;
    long live = allocation_live;
    allocation_peak = live;
    assert_ok(appraise_bytes(&e, &genoa.anchors, PP_BYTES(bytes)));
    assert_true(allocation_count > before); /* the count works */
    assert_int_equal(allocation_count_own, own);
    assert_int_equal(allocation_live, live);
    size_t taken = (size_t)(allocation_peak - live);
    assert_in_range(taken + sizeof e.checks + sizeof e.result + sizeof e.policy, 1,
                    MEMORY_BYTES_MAX);
}

/* Refused evidence gives everything back as well, wherever it is refused. */
static void refused_evidence_leaves_nothing_behind(void **state)
{
    (void)state;
    static struct evidence e;
    uint8_t bytes[PP_SNP_REPORT_BYTES];

    if (!ALLOCATIONS_COUNTED)
        skip();
    evidence_of(&genoa, &e);
    assert_ok(sim_chip_sign(genoa.chip, &e.report, bytes));
    for (size_t at = 0; at < sizeof bytes; at += 4) {
        bytes[at] ^= 1;
        assert_false(pp_is_ok(appraise_bytes(&e, &genoa.anchors, PP_BYTES(bytes))));
        long live = allocation_live;
        assert_false(pp_is_ok(appraise_bytes(&e, &genoa.anchors, PP_BYTES(bytes))));
        assert_int_equal(allocation_live, live);
        bytes[at] ^= 1;
    }
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(an_appraisal_allocates_nothing_itself_and_needs_less_than_256_kib),
    cmocka_unit_test(refused_evidence_leaves_nothing_behind),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, make, clean);
}
