/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any single flipped bit of TDX evidence is refused: of the quote, of the vendor's documents, and
 * of what the verifier holds them against. Exempt are the padding behind a quote, which nobody
 * reads, and those letters of a PEM text that stand for no bit of its certificates.
 */
#include "flip.h"
#include "tdx_world.h"

static struct world world;
static struct evidence e;

static int make(void **state)
{
    (void)state;
    return !pp_is_ok(pp_crypto_init()) || !pp_is_ok(world_make(&world));
}

static int drop(void **state)
{
    (void)state;
    world_free(&world);
    return 0;
}

static int is_refused(void *ctx)
{
    (void)ctx;
    return pp_code_class(judge(&e).code) == PP_CLASS_REFUSED;
}

/* Certificates are compared as what was signed: another line end or letter beside them is none. */
struct pem {
    struct pp_span text;
    struct pp_x509_pem certificates;
};

static int is_same_chain(void *ctx)
{
    const struct pem *before = ctx;
    struct pp_x509_pem now = { 0 };
    pp_res r = pp_x509_pem_parse(before->text, &now);
    int same = pp_is_ok(r) && now.count == before->certificates.count;

    for (size_t i = 0; same && i < now.count; i++)
        same = pp_span_eq(pp_span(now.der[i], now.der_len[i]),
                          pp_span(before->certificates.der[i], before->certificates.der_len[i]));
    pp_x509_pem_free(&now);
    return same;
}

static void flip(const char *name, struct pp_span region)
{
    struct flip_region r = { .name = name, .at = (uint8_t *)region.at, .len = region.len };

    assert_true(region.len > 0);
    (void)flip_region(&r, is_refused, NULL);
}

static void flip_pem(const char *name, struct pp_span text)
{
    struct pem pem = { .text = text };
    struct flip_region r = {
        .name = name, .at = (uint8_t *)text.at, .len = text.len, .is_exempt = is_same_chain
    };

    assert_ok(pp_x509_pem_parse(text, &pem.certificates));
    (void)flip_region(&r, is_refused, &pem);
    pp_x509_pem_free(&pem.certificates);
}

static void flip_quote(int platform)
{
    struct pp_tdx_quote q;

    evidence_of(&world, platform, &e);
    assert_ok(appraise(&e));
    assert_ok(pp_tdx_quote_parse(e.evidence.quote, &q, NULL));
    size_t rest = e.len - q.pck_chain.len;
    assert_ptr_equal(q.pck_chain.at, e.bytes + rest); /* the chain is what the quote ends with */
    flip("quote, before its chain", pp_span(e.bytes, rest));
    flip_pem("chain of the quote", q.pck_chain);
    assert_ok(judge(&e));
}

static void any_flipped_bit_of_a_quote_is_refused(void **state)
{
    (void)state;
    for (int platform = 0; platform < PLATFORMS; platform++)
        flip_quote(platform);
}

static void the_padding_behind_a_quote_is_exempt(void **state)
{
    (void)state;
    evidence_of(&world, V4, &e);
    assert_ok(appraise(&e));
    memset(e.bytes + e.len, 0, 64);
    e.evidence.quote.len += 64;
    assert_ok(judge(&e));
    for (size_t at = 0; at < 64; at++) {
        e.bytes[e.len + at] ^= (uint8_t)(1U << at % 8);
        assert_ok(judge(&e));
    }
}

static void any_flipped_bit_of_the_collateral_is_refused(void **state)
{
    (void)state;
    evidence_of(&world, V5_15, &e);
    assert_ok(appraise(&e));
    flip("TCB info", e.evidence.tcb_info);
    flip("QE identity", e.evidence.qe_identity);
    flip("root CRL", e.evidence.root_crl);
    flip("PCK CRL", e.evidence.pck_crl);
    static uint8_t chain[8192];
    assert_true(e.evidence.tcb_info_chain.len <= sizeof chain);
    memcpy(chain, e.evidence.tcb_info_chain.at, e.evidence.tcb_info_chain.len);
    e.evidence.tcb_info_chain.at = chain;
    flip_pem("signing chain", e.evidence.tcb_info_chain);
    assert_ok(judge(&e));
}

static void any_flipped_bit_of_what_is_expected_is_refused(void **state)
{
    (void)state;
    evidence_of(&world, V5_10, &e);
    assert_ok(appraise(&e));
    flip("report data", PP_BYTES(e.report_data));
    flip("configuration", PP_BYTES(e.config));
    flip("measurements", PP_BYTES(e.launch));
    flip("machine", PP_BYTES(e.host_id));
    assert_ok(judge(&e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_flipped_bit_of_a_quote_is_refused),
        cmocka_unit_test(the_padding_behind_a_quote_is_exempt),
        cmocka_unit_test(any_flipped_bit_of_the_collateral_is_refused),
        cmocka_unit_test(any_flipped_bit_of_what_is_expected_is_refused),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
