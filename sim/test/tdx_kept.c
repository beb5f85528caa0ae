/* SPDX-License-Identifier: Apache-2.0 */
/* What an appraisal recalls of earlier ones, and what it asks again each time. */
#include "allocations.h"
#include "tdx_world.h"

static struct world w;
static struct evidence e;
static struct sim_tdx_leaf leaf;

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

static void forget(void)
{
    struct pp_tdx_anchors nobody = { .kept = w.kept };

    pp_tdx_anchors_done(&nobody);
    assert_null(nobody.kept);
}

static size_t platforms_kept(void)
{
    size_t n = 0;

    for (size_t i = 0; i < PP_TDX_KEPT_PLATFORMS; i++)
        n += w.kept->platforms[i].used != 0;
    return n;
}

static size_t sets_kept(void)
{
    size_t n = 0;

    for (size_t i = 0; i < PP_TDX_KEPT_SETS; i++)
        n += w.kept->sets[i].used != 0;
    return n;
}

/* Good evidence that was appraised once, so that all of it can be recalled. */
static void prove(int platform)
{
    forget();
    evidence_of(&w, platform, &e);
    build(&e);
    assert_ok(judge_keeping(&e));
    assert_int_equal(platforms_kept(), 1);
    assert_int_equal(sets_kept(), 1);
}

/* --- recalling -------------------------------------------------------------------------------- */

static void the_same_bytes_are_proven_once(void **state)
{
    (void)state;
    for (int p = 0; p < PLATFORMS; p++) {
        prove(p);
        const struct pp_x509 *cert = w.kept->platforms[0].leaf;
        const struct pp_ec_public *key = w.kept->platforms[0].quoting;
        const struct pp_x509_crl *list = w.kept->sets[0].pck_crl;
        assert_non_null(cert);
        assert_non_null(key);
        assert_non_null(list);
        assert_ok(judge_keeping(&e));
        assert_ptr_equal(w.kept->platforms[0].leaf, cert);
        assert_ptr_equal(w.kept->platforms[0].quoting, key);
        assert_ptr_equal(w.kept->sets[0].pck_crl, list);
        assert_int_equal(platforms_kept(), 1);
        assert_int_equal(sets_kept(), 1);
    }
}

/* The caller's bytes may change behind what was kept. */
static void nothing_that_is_kept_is_the_callers(void **state)
{
    (void)state;
    static uint8_t saved[sizeof e.bytes];

    prove(V5_15);
    memcpy(saved, e.bytes, sizeof saved);
    memset(e.bytes, 0xA5, sizeof e.bytes);
    memset(&e.collateral, 0xA5, sizeof e.collateral);
    assert_code(judge_keeping(&e), PP_E_TDX_FORMAT);
    memcpy(e.bytes, saved, sizeof saved);
    assert_false(pp_is_ok(judge_keeping(&e)));
    build(&e);
    assert_ok(judge_keeping(&e));
}

static void every_changed_byte_is_proven_anew(void **state)
{
    (void)state;
    prove(V5_15);
    struct {
        uint8_t *at;
        size_t len, step;
    } parts[] = {
        { e.bytes, e.len, 29 },
        { e.collateral.tcb_info, e.collateral.tcb_info_len, 41 },
        { e.collateral.qe_identity, e.collateral.qe_identity_len, 41 },
        { e.collateral.pck_crl, e.collateral.pck_crl_len, 7 },
        { e.collateral.root_crl, e.collateral.root_crl_len, 7 },
    };

    for (size_t p = 0; p < PP_ARRAY_COUNT(parts); p++)
        for (size_t i = 0; i < parts[p].len; i += parts[p].step) {
            parts[p].at[i] ^= 1;
            (void)judge(&e).code; /* holds both ways against each other */
            parts[p].at[i] ^= 1;
        }
    assert_ok(judge(&e));
}

static void what_did_not_come_is_missed_after_it_was_kept(void **state)
{
    (void)state;
    prove(V5_15);
    struct pp_span *parts[] = { &e.evidence.tcb_info,    &e.evidence.tcb_info_chain,
                                &e.evidence.qe_identity, &e.evidence.qe_identity_chain,
                                &e.evidence.pck_crl,     &e.evidence.root_crl };

    for (size_t i = 0; i < PP_ARRAY_COUNT(parts); i++) {
        struct pp_span had = *parts[i];
        *parts[i] = (struct pp_span){ 0 };
        assert_false(pp_is_ok(judge(&e)));
        *parts[i] = had;
    }
    /* The bytes of all together are the same here: their places are not. */
    struct pp_span pck = e.evidence.pck_crl, root = e.evidence.root_crl;
    e.evidence.pck_crl = root;
    e.evidence.root_crl = pck;
    assert_false(pp_is_ok(judge(&e)));
    e.evidence.pck_crl = pck;
    e.evidence.root_crl = root;
    assert_ok(judge(&e));
}

/* --- what is asked each time ------------------------------------------------------------------ */

/* One second on either side of each border: the verdict of an appraisal that kept nothing. */
static void times_are_asked_at_every_appraisal(void **state)
{
    (void)state;
    prove(V5_15);
    const uint64_t borders[] = { NOW - DAY,
                                 e.crl_until,
                                 e.info.next_update_s,
                                 e.identity.next_update_s,
                                 pp_x509_not_after(w.kept->platforms[0].leaf),
                                 pp_x509_not_after(w.kept->platforms[0].authority),
                                 w.kept->sets[0].info_signer.until_s,
                                 pp_x509_not_after(w.anchors.roots[0].cert),
                                 0,
                                 UINT64_MAX };

    for (size_t i = 0; i < PP_ARRAY_COUNT(borders); i++)
        for (int k = -1; k <= 1; k++) {
            e.at = borders[i] + (uint64_t)(int64_t)k;
            (void)judge(&e).code;
        }
    e.at = NOW;
    assert_ok(judge(&e));
}

static void assert_stale_at(uint64_t at, enum pp_tdx_check_number number, uint32_t code)
{
    e.at = at;
    pp_res r = judge_keeping(&e);
    assert_refused_(&e, r, number, code, __FILE__, __LINE__);
    e.at = NOW;
    assert_ok(judge_keeping(&e));
}

static void each_window_that_is_kept_is_asked_alone(void **state)
{
    (void)state;
    struct pp_tdx_kept_set *s = &w.kept->sets[0];
    struct pp_tdx_window *windows[] = { &s->info_signer, &s->identity_signer };
    const enum pp_tdx_check_number numbers[] = { PP_TDX_CHECK_TCB_INFO, PP_TDX_CHECK_QE_IDENTITY };
    const uint32_t codes[] = { PP_E_TDX_TCBINFO_SIGNATURE, PP_E_TDX_QEID_SIGNATURE };

    prove(V5_15);
    for (size_t i = 0; i < PP_ARRAY_COUNT(windows); i++) {
        struct pp_tdx_window had = *windows[i];
        windows[i]->until_s = NOW + 2;
        assert_stale_at(NOW + 2, numbers[i], codes[i]);
        *windows[i] = had;
        windows[i]->from_s = NOW;
        assert_stale_at(NOW - 1, numbers[i], codes[i]);
        *windows[i] = had;
    }
}

/* Lists, documents and the platform's certificate, each with an end of its own. */
static void each_document_that_is_kept_has_its_end(void **state)
{
    (void)state;
    forget();
    evidence_of(&w, V5_15, &e);
    e.crl_until = NOW + 10;
    assert_ok(appraise(&e));
    assert_stale_at(NOW + 10, PP_TDX_CHECK_CRL, PP_E_TDX_CRL_STALE);
    evidence_of(&w, V5_15, &e);
    e.info.next_update_s = NOW + 10;
    assert_ok(appraise(&e));
    assert_stale_at(NOW + 10, PP_TDX_CHECK_TCB_INFO, PP_E_TDX_TCBINFO_TIME);
    evidence_of(&w, V5_15, &e);
    e.identity.next_update_s = NOW + 10;
    assert_ok(appraise(&e));
    assert_stale_at(NOW + 10, PP_TDX_CHECK_QE_IDENTITY, PP_E_TDX_QEID_TIME);

    assert_ok(sim_tdx_leaf_fill(w.vendor, w.platforms[V5_10], NOW - DAY, &leaf));
    leaf.cert.not_after = NOW + 10;
    assert_ok(sim_tdx_leaf_issue(w.vendor, &leaf, w.platforms[V5_10]));
    evidence_of(&w, V5_10, &e);
    assert_ok(appraise(&e));
    assert_stale_at(NOW + 10, PP_TDX_CHECK_PCK_CHAIN, PP_E_TDX_PCK_CHAIN);
}

/* A list is kept with one platform, and another one is on it. */
static void revocation_is_asked_at_every_appraisal(void **state)
{
    (void)state;
    assert_ok(sim_tdx_leaf_fill(w.vendor, w.platforms[V5_10], NOW - DAY, &leaf));
    leaf.cert.serial = 4711;
    assert_ok(sim_tdx_leaf_issue(w.vendor, &leaf, w.platforms[V5_10]));
    forget();
    evidence_of(&w, V5_15, &e);
    e.pck_lists = 4711;
    assert_ok(appraise(&e));

    struct pp_tdx_evidence collateral = e.evidence;
    static struct evidence other;
    evidence_of(&w, V5_10, &other);
    build(&other);
    collateral.quote = other.evidence.quote;
    other.evidence = collateral;
    assert_refused_(&other, judge_keeping(&other), PP_TDX_CHECK_CRL, PP_E_TDX_REVOKED, __FILE__,
                    __LINE__);
    assert_refused_(&other, judge(&other), PP_TDX_CHECK_CRL, PP_E_TDX_REVOKED, __FILE__, __LINE__);
    assert_ok(judge(&e));
}

/* A kept platform is not its quotes: another key, or a key that is not vouched for, is refused. */
static void a_kept_platform_vouches_for_nothing_that_it_did_not_sign(void **state)
{
    (void)state;
    prove(V5_15);
    assert_ok(judge_keeping(&e));
    for (size_t i = 0; i < sizeof e.quote.attestation_key; i += 9) {
        struct pp_tdx_quote q;
        assert_ok(pp_tdx_quote_parse(e.evidence.quote, &q, NULL));
        size_t at = 0;
        while (memcmp(e.bytes + at, q.attestation_key, sizeof q.attestation_key) != 0)
            at++;
        e.bytes[at + i] ^= 1;
        assert_refused_(&e, judge_keeping(&e), PP_TDX_CHECK_QUOTE_SIG, PP_E_TDX_QUOTE_SIG, __FILE__,
                        __LINE__);
        e.bytes[at + i] ^= 1;
    }
    assert_ok(judge_keeping(&e));
}

/* --- what is kept, and for how long ----------------------------------------------------------- */

static void what_failed_is_not_kept(void **state)
{
    (void)state;
    forget();
    evidence_of(&w, V5_15, &e);
    build(&e);
    e.at = NOW + 100 * (uint64_t)YEAR;
    assert_false(pp_is_ok(judge_keeping(&e)));
    assert_int_equal(platforms_kept(), 0);
    e.at = NOW;
    e.bytes[e.len / 2] ^= 1; /* in the certificates */
    assert_false(pp_is_ok(judge_keeping(&e)));
    assert_int_equal(platforms_kept(), 0);
    e.bytes[e.len / 2] ^= 1;
    e.collateral.qe_identity[e.collateral.qe_identity_len - 3] ^= 1; /* in the signature */
    assert_false(pp_is_ok(judge_keeping(&e)));
    assert_int_equal(sets_kept(), 0);
    assert_int_equal(platforms_kept(), 1); /* its chain is one, whatever else is wrong */
    assert_null(w.kept->platforms[0].quoting);
    e.collateral.qe_identity[e.collateral.qe_identity_len - 3] ^= 1;
    assert_ok(judge_keeping(&e));
    assert_int_equal(sets_kept(), 1);
    assert_non_null(w.kept->platforms[0].quoting);
}

static void a_policy_without_collateral_keeps_none(void **state)
{
    (void)state;
    forget();
    evidence_of(&w, V5_15, &e);
    e.policy.skip = PP_TDX_COLLATERAL;
    assert_ok(appraise(&e));
    assert_int_equal(sets_kept(), 0);
    assert_int_equal(platforms_kept(), 1);
}

static void what_was_kept_counts_under_its_root_alone(void **state)
{
    (void)state;
    struct world other = { 0 };
    struct world nobody = w;

    prove(V5_15);
    assert_ok(world_make(&other));
    nobody.anchors = other.anchors;
    e.world = &nobody; /* the other's anchors with what these proved */
    assert_refused_(&e, judge_keeping(&e), PP_TDX_CHECK_PCK_CHAIN, PP_E_TDX_PCK_CHAIN, __FILE__,
                    __LINE__);
    e.world = &w;
    world_free(&other);
}

/* More platforms and documents than there is room for: what was used last stays. */
static void what_was_not_used_for_longest_gives_way(void **state)
{
    (void)state;
    static struct evidence first;

    forget();
    evidence_of(&w, V5_15, &first);
    build(&first);
    assert_ok(judge_keeping(&first));
    const struct pp_x509 *cert = w.kept->platforms[0].leaf;
    for (size_t i = 0; i < 2 * PP_TDX_KEPT_PLATFORMS; i++) {
        assert_ok(sim_tdx_leaf_fill(w.vendor, w.platforms[V5_10], NOW - DAY, &leaf));
        leaf.cert.serial = 100 + i;
        assert_ok(sim_tdx_leaf_issue(w.vendor, &leaf, w.platforms[V5_10]));
        evidence_of(&w, V5_10, &e);
        build(&e);
        assert_ok(judge_keeping(&e));
        assert_ok(judge_keeping(&first));
        assert_ptr_equal(w.kept->platforms[0].leaf, cert);
        assert_int_equal(platforms_kept(),
                         i + 2 < PP_TDX_KEPT_PLATFORMS ? i + 2 : PP_TDX_KEPT_PLATFORMS);
        assert_int_equal(sets_kept(), i + 2 < PP_TDX_KEPT_SETS ? i + 2 : PP_TDX_KEPT_SETS);
    }
}

/* 8 platforms and 4 sets are the most that is held, and all of it is given back. */
static void what_is_kept_has_a_limit_and_is_given_back(void **state)
{
    (void)state;
    enum { MEMORY_BYTES_MAX = 256 << 10 };
    if (!ALLOCATIONS_COUNTED)
        skip();
    forget();
    long before = allocation_live;
    for (size_t i = 0; i < 3 * PP_TDX_KEPT_PLATFORMS; i++) {
        assert_ok(sim_tdx_leaf_fill(w.vendor, w.platforms[V5_10], NOW - DAY, &leaf));
        leaf.cert.serial = 200 + i;
        assert_ok(sim_tdx_leaf_issue(w.vendor, &leaf, w.platforms[V5_10]));
        evidence_of(&w, V5_10, &e);
        build(&e);
        assert_ok(judge_keeping(&e));
        assert_in_range(allocation_live - before + (long)sizeof *w.kept, 1, MEMORY_BYTES_MAX);
    }
    forget();
    assert_in_range(allocation_live - before + 4096, 0, 8192); /* the simulator's own keys */
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(the_same_bytes_are_proven_once),
    cmocka_unit_test(nothing_that_is_kept_is_the_callers),
    cmocka_unit_test(every_changed_byte_is_proven_anew),
    cmocka_unit_test(what_did_not_come_is_missed_after_it_was_kept),
    cmocka_unit_test(times_are_asked_at_every_appraisal),
    cmocka_unit_test(each_window_that_is_kept_is_asked_alone),
    cmocka_unit_test(each_document_that_is_kept_has_its_end),
    cmocka_unit_test(revocation_is_asked_at_every_appraisal),
    cmocka_unit_test(a_kept_platform_vouches_for_nothing_that_it_did_not_sign),
    cmocka_unit_test(what_failed_is_not_kept),
    cmocka_unit_test(a_policy_without_collateral_keeps_none),
    cmocka_unit_test(what_was_kept_counts_under_its_root_alone),
    cmocka_unit_test(what_was_not_used_for_longest_gives_way),
    cmocka_unit_test(what_is_kept_has_a_limit_and_is_given_back),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, make, clean);
}
