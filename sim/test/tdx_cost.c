/* SPDX-License-Identifier: Apache-2.0 */
/* What one TDX appraisal takes of the heap, with the anchors kept, as a client keeps them. */
#include "allocations.h"
#include "tdx_world.h"

enum { MEMORY_BYTES_MAX = 256 << 10 };

static struct world w;
static struct evidence e;

static int make(void **state)
{
    (void)state;
    return !pp_is_ok(world_make(&w));
}

static int clean(void **state)
{
    (void)state;
    world_free(&w);
    return 0;
}

/*
 * What OpenSSL makes of certificates, lists and keys, and gives back. That our readers take nothing
 * is shown in tdx_documents.c: OpenSSL's reallocations come through lib/crypto and look like ours.
 */
static void an_appraisal_needs_less_than_256_kib_and_gives_it_back(void **state)
{
    (void)state;
    if (!ALLOCATIONS_COUNTED)
        skip();
    evidence_of(&w, V5_15, &e);
    assert_ok(appraise(&e)); /* fills the library's caches */

    unsigned long before = allocation_count;
    long live = allocation_live;
    allocation_peak = live;
    assert_ok(judge_cold(&e));
    assert_true(allocation_count > before); /* the count works */
    assert_int_equal(allocation_live, live);
    size_t taken = (size_t)(allocation_peak - live);
    assert_in_range(taken + sizeof e.checks + sizeof e.result + sizeof e.policy, 1,
                    MEMORY_BYTES_MAX);
}

/* Refused evidence gives everything back as well, wherever it is refused. */
static void refused_evidence_leaves_nothing_behind(void **state)
{
    (void)state;
    if (!ALLOCATIONS_COUNTED)
        skip();
    evidence_of(&w, V5_15, &e);
    build(&e);
    struct {
        uint8_t *at;
        size_t len, step;
    } parts[] = {
        { e.bytes, e.len, 37 },
        { e.collateral.tcb_info, e.collateral.tcb_info_len, 53 },
        { e.collateral.qe_identity, e.collateral.qe_identity_len, 53 },
        { e.collateral.pck_crl, e.collateral.pck_crl_len, 7 },
        { e.collateral.root_crl, e.collateral.root_crl_len, 7 },
    };
    for (size_t p = 0; p < PP_ARRAY_COUNT(parts); p++)
        for (size_t i = 0; i < parts[p].len; i += parts[p].step) {
            parts[p].at[i] ^= 1;
            (void)judge_cold(&e).code; /* reserved bytes are not looked at */
            long live = allocation_live;
            (void)judge_cold(&e).code;
            assert_int_equal(allocation_live, live);
            parts[p].at[i] ^= 1;
        }
    assert_ok(judge_cold(&e));
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(an_appraisal_needs_less_than_256_kib_and_gives_it_back),
    cmocka_unit_test(refused_evidence_leaves_nothing_behind),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, make, clean);
}
