/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 23 checks of lib/attest on evidence of the simulated secure processor: what is genuine
 * passes, and each single fault is refused by the check that is there for it.
 */
#include "fleet.h"

static struct fleet genoa, turin;

static int make(void **state)
{
    (void)state;
    return !pp_is_ok(fleet_make(&genoa, PP_SNP_GENOA)) ||
           !pp_is_ok(fleet_make(&turin, PP_SNP_TURIN));
}

static int clean(void **state)
{
    (void)state;
    fleet_free(&genoa);
    fleet_free(&turin);
    return 0;
}

static const struct fleet *const FLEETS[] = { &genoa, &turin };

/* --- what passes ------------------------------------------------------------------------------ */

static void genuine_evidence_passes_every_check_of_the_strict_profile(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct evidence e;
        evidence_of(FLEETS[k], &e);
        assert_ok(appraise(&e));
        assert_int_equal(e.result.line, k == 0 ? PP_SNP_GENOA : PP_SNP_TURIN);
        assert_int_equal(e.result.version, k == 0 ? 3 : 5);
        assert_int_equal(e.result.signer, PP_SNP_VCEK);
        assert_memory_equal(e.result.chip_id, e.chip_id, sizeof e.chip_id);
        assert_memory_equal(e.result.measurement, e.measurement, sizeof e.measurement);
        assert_memory_equal(e.result.host_data, e.host_data, sizeof e.host_data);
        assert_memory_equal(e.result.report_data, e.report_data, sizeof e.report_data);
        assert_int_equal(e.result.policy, SIM_GUEST_POLICY);
        assert_true(pp_snp_tcb_eq(&e.result.certified_tcb, &e.report.reported_tcb));
        /* Not asked: revocation list, mitigation vectors, ID block. */
        assert_int_equal(e.result.skipped,
                         PP_ATTEST_BIT(5) | PP_ATTEST_BIT(14) | PP_ATTEST_BIT(21));
        for (int n = 1; n <= PP_SNP_CHECKS; n++) {
            const struct pp_attest_check *row = &e.checks.rows[n - 1];
            int skipped = (e.result.skipped & PP_ATTEST_BIT(n)) != 0;
            assert_int_equal(row->number, n);
            assert_int_equal(row->verdict, skipped ? PP_ATTEST_SKIPPED : PP_ATTEST_PASSED);
            assert_int_equal(row->anchor[0] == '\0', skipped);
            assert_true(row->problem.got[0] != '\0');
        }
    }
}

static void a_policy_in_the_zero_state_asks_for_all_and_accepts_nothing(void **state)
{
    (void)state;
    struct evidence e;

    evidence_of(&genoa, &e);
    e.policy = (struct pp_snp_policy){ 0 };
    assert_refused(&e, KEY_INFO);
    assert_int_equal(e.checks.rows[PP_SNP_CHECK_CRL - 1].verdict, PP_ATTEST_FAILED);
    assert_int_equal(e.checks.rows[PP_SNP_CHECK_PRODUCT - 1].verdict, PP_ATTEST_FAILED);
    assert_int_equal(e.checks.rows[PP_SNP_CHECK_MEASUREMENT - 1].verdict, PP_ATTEST_FAILED);
    assert_int_equal(e.checks.rows[PP_SNP_CHECK_HOST_DATA - 1].verdict, PP_ATTEST_FAILED);
    assert_int_equal(e.checks.rows[PP_SNP_CHECK_HOST_ID - 1].verdict, PP_ATTEST_FAILED);
    assert_int_equal(e.checks.rows[PP_SNP_CHECK_BINDING - 1].verdict, PP_ATTEST_FAILED);
}

static void checks_that_prove_the_evidence_cannot_be_skipped(void **state)
{
    (void)state;
    for (int n = 0; n < 32; n++) {
        struct evidence e;
        int may = n == PP_SNP_CHECK_CRL || (n >= PP_SNP_CHECK_PROVISIONAL && n <= PP_SNP_CHECKS);
        evidence_of(&genoa, &e);
        e.policy.skip |= PP_ATTEST_BIT(n);
        assert_code(appraise(&e), may ? PP_E_OK : PP_E_STATE);
        if (may) {
            assert_int_equal(e.checks.rows[n - 1].verdict, PP_ATTEST_SKIPPED);
            assert_true((e.result.skipped & PP_ATTEST_BIT(n)) != 0);
        }
    }
}

static void the_lowest_failing_check_is_reported_and_the_others_are_shown(void **state)
{
    (void)state;
    struct evidence e;

    evidence_of(&genoa, &e);
    e.report.vmpl = 1;
    e.report.policy |= PP_SNP_POLICY_DEBUG;
    e.measurement[0] ^= 1;
    assert_refused(&e, POLICY);
    assert_int_equal(e.checks.rows[PP_SNP_CHECK_VMPL - 1].verdict, PP_ATTEST_FAILED);
    assert_int_equal(e.checks.rows[PP_SNP_CHECK_MEASUREMENT - 1].verdict, PP_ATTEST_FAILED);
    assert_int_equal(e.checks.rows[PP_SNP_CHECK_BINDING - 1].verdict, PP_ATTEST_PASSED);
}

/* What stands in evidence that is not proven is not looked at. */
static void behind_unsound_evidence_nothing_is_reached(void **state)
{
    (void)state;
    struct evidence e;
    uint8_t bytes[PP_SNP_REPORT_BYTES];

    evidence_of(&genoa, &e);
    assert_ok(sim_chip_sign(genoa.chip, &e.report, bytes));
    bytes[0x90] ^= 1;
    pp_res r = appraise_bytes(&e, &genoa.anchors, PP_BYTES(bytes));
    assert_refused_(&e, r, PP_SNP_CHECK_SIGNATURE, PP_E_SNP_SIGNATURE, __FILE__, __LINE__);
    for (int n = PP_SNP_CHECK_HWID; n <= PP_SNP_CHECKS; n++)
        assert_int_equal(e.checks.rows[n - 1].verdict, PP_ATTEST_SKIPPED);
}

/* --- 1, 2: the report's form -------------------------------------------------------------------
 */

static void a_version_below_the_policys_is_refused(void **state)
{
    (void)state;
    struct evidence e;

    evidence_of(&genoa, &e);
    e.report.version = 2;
    e.report.cpuid_family = e.report.cpuid_model = e.report.cpuid_step = 0;
    assert_refused(&e, FORMAT);
    e.policy.version_min = 2;
    e.policy.floor = NULL; /* it needs the CPUID bytes */
    assert_ok(appraise(&e));
    e.policy = PP_SNP_POLICY_STRICT;
    e.policy.version_min = 2;
    e.policy.skip = PP_SNP_SKIPPABLE & ~PP_ATTEST_BIT(PP_SNP_CHECK_TCB_MIN);
    assert_refused(&e, TCB_MIN);
}

static void the_signer_must_be_one_that_signs(void **state)
{
    (void)state;
    struct evidence e;

    for (uint32_t key = 0; key < 8; key++) {
        evidence_of(&genoa, &e);
        e.policy.signers = UINT32_MAX;
        e.report.key_info = key << 2;
        if (key == PP_SNP_VCEK)
            assert_ok(appraise(&e));
        else if (key == PP_SNP_VLEK)
            assert_refused(&e, CERT_FORM); /* the certificate is a VCEK's */
        else
            assert_refused(&e, KEY_INFO);
    }
    evidence_of(&genoa, &e);
    e.report.key_info = 2; /* MASK_CHIP_KEY: nobody signed */
    assert_refused(&e, KEY_INFO);
    for (uint32_t algo = 0; algo < 4; algo++) {
        evidence_of(&genoa, &e);
        e.report.signature_algo = algo;
        if (algo != 1)
            assert_refused(&e, KEY_INFO);
    }
}

static void w10_t6_a_vlek_signed_report_is_refused_by_kind(void **state)
{
    (void)state;
    struct evidence e;

    evidence_of(&genoa, &e);
    e.report.key_info = PP_SNP_VLEK << 2;
    assert_refused(&e, KEY_INFO);
}

/* --- 3: the certificate's form ------------------------------------------------------------------
 */

static uint8_t forged[SIM_CERT_BYTES_MAX];

/* The chip's certificate, signed by the real authority after `change`. */
static void forge(const struct fleet *f, struct evidence *e, enum pp_x509_sig_kind sig,
                  void (*change)(struct pp_issue_cert *cert))
{
    struct sim_vcek v;
    size_t len;

    evidence_of(f, e);
    assert_ok(sim_vcek_fill(f->chip, NOW - DAY, &v));
    if (change != NULL)
        change(&v.cert);
    assert_ok(pp_x509_issue(&v.cert, sim_root_ask_key(f->root), sig, forged, sizeof forged, &len));
    e->vek = pp_span(forged, len);
}

static struct pp_issue_extension *extension(struct pp_issue_cert *cert, const char *oid)
{
    for (size_t i = 0; i < cert->extension_count; i++)
        if (strcmp(cert->extensions[i].oid, oid) == 0)
            return &cert->extensions[i];
    fail();
    return NULL;
}

static void rename_subject(struct pp_issue_cert *c)
{
    c->subject[5].text = "SEV-VLEK";
}

static void rename_issuer(struct pp_issue_cert *c)
{
    c->issuer[5].text = "SEV-Rome";
}

static void call_it_amd(struct pp_issue_cert *c)
{
    c->subject[4].text = "Advanced Micro Devices";
}

static void call_issuer_amd(struct pp_issue_cert *c)
{
    c->issuer[4].text = "Advanced Micro Devices";
}

static void add_name(struct pp_issue_cert *c)
{
    c->subject[c->subject_count++] = (struct pp_issue_name){ "OU", "More" };
}

static void add_country(struct pp_issue_cert *c)
{
    c->subject[1].text = "US";
}

static void drop_name(struct pp_issue_cert *c)
{
    c->subject[0] = c->subject[--c->subject_count];
}

static void drop_hwid(struct pp_issue_cert *c)
{
    c->extension_count--; /* it stands last */
}

static void double_microcode(struct pp_issue_cert *c)
{
    c->extensions[c->extension_count++] = *extension(c, "1.3.6.1.4.1.3704.1.3.8");
}

static void long_microcode(struct pp_issue_cert *c)
{
    extension(c, "1.3.6.1.4.1.3704.1.3.8")->value = PP_STR("\x02\x03\x00\x00\x57");
}

static void turn_into_vlek(struct pp_issue_cert *c)
{
    struct pp_issue_extension *e = extension(c, "1.3.6.1.4.1.3704.1.4");

    e->oid = "1.3.6.1.4.1.3704.1.5";
    e->value = PP_STR("\x16\x04"
                      "CN=x");
}

static void claim_turin_layout(struct pp_issue_cert *c)
{
    struct pp_issue_extension *e = extension(c, "1.3.6.1.4.1.3704.1.3.4");

    extension(c, "1.3.6.1.4.1.3704.1.1")->value = PP_STR("\x02\x01\x01");
    extension(c, "1.3.6.1.4.1.3704.1.4")->value = PP_STR("\x01\x02\x03\x04\x05\x06\x07\x08");
    e->oid = "1.3.6.1.4.1.3704.1.3.9";
}

static void p256_key(struct pp_issue_cert *c)
{
    static uint8_t spki[PP_P256_SPKI_BYTES];
    struct pp_ec_key *key = NULL;
    size_t len;

    assert_ok(pp_ec_key_generate(PP_P256, &key));
    assert_ok(pp_ec_key_spki(key, spki, sizeof spki, &len));
    c->spki = pp_span(spki, len);
    pp_ec_key_free(key);
}

static void version_2(struct pp_issue_cert *c)
{
    c->version = 2;
}

static void rsa_key(struct pp_issue_cert *c)
{
    static uint8_t spki[PP_RSA_SPKI_BYTES_MAX];
    size_t len;

    assert_ok(pp_issue_key_spki(sim_root_ask_key(genoa.root), spki, sizeof spki, &len));
    c->spki = pp_span(spki, len);
}

static void w8_a_certificate_of_another_form_is_refused(void **state)
{
    (void)state;
    static void (*const changes[])(struct pp_issue_cert *) = {
        rename_subject, rename_issuer,      call_it_amd, call_issuer_amd,  add_name,
        add_country,    drop_name,          drop_hwid,   double_microcode, long_microcode,
        turn_into_vlek, claim_turin_layout, p256_key,    rsa_key,          version_2,
    };
    struct evidence e;

    forge(&genoa, &e, PP_X509_SIG_PSS_SHA384, NULL);
    assert_ok(appraise(&e));
    for (size_t i = 0; i < PP_ARRAY_COUNT(changes); i++) {
        forge(&genoa, &e, PP_X509_SIG_PSS_SHA384, changes[i]);
        assert_refused(&e, CERT_FORM);
    }
    forge(&genoa, &e, PP_X509_SIG_OTHER, NULL); /* PKCS #1 v1.5 */
    assert_refused(&e, CERT_FORM);
    e.vek = PP_STR("no certificate");
    assert_refused(&e, CERT_FORM);
    e.vek = (struct pp_span){ 0 };
    assert_refused(&e, CERT_FORM);
}

/* --- 4: the chain -------------------------------------------------------------------------------
 */

static void simulated_evidence_is_refused_under_amds_anchors(void **state)
{
    (void)state;
    struct pp_snp_anchors amd = { 0 };

    assert_ok(pp_snp_anchors_add_amd(&amd));
    for (size_t k = 0; k < 2; k++) {
        struct evidence e;
        uint8_t bytes[PP_SNP_REPORT_BYTES];
        evidence_of(FLEETS[k], &e);
        assert_ok(sim_chip_sign(FLEETS[k]->chip, &e.report, bytes));
        pp_res r = appraise_bytes(&e, &amd, PP_BYTES(bytes));
        assert_refused_(&e, r, PP_SNP_CHECK_CERT_FORM, PP_E_SNP_CERT_FORM, __FILE__, __LINE__);
    }
    pp_snp_anchors_done(&amd);
}

static void a_chip_certified_by_a_stranger_or_without_an_anchor_is_refused(void **state)
{
    (void)state;
    struct pp_snp_anchors other = { 0 };
    struct evidence e;
    uint8_t bytes[PP_SNP_REPORT_BYTES];
    struct sim_vcek v;
    size_t len;
    struct pp_issue_key *fake = NULL;

    /* The same names and the same chip: only the key that signed tells it from the genuine one. */
    evidence_of(&genoa, &e);
    assert_ok(pp_issue_key_generate_rsa(2048, &fake));
    assert_ok(sim_vcek_fill(genoa.chip, NOW - DAY, &v));
    assert_ok(pp_x509_issue(&v.cert, fake, PP_X509_SIG_PSS_SHA384, forged, sizeof forged, &len));
    e.vek = pp_span(forged, len);
    assert_refused(&e, CHAIN);
    pp_issue_key_free(fake);

    /* No anchor for the line at all. */
    evidence_of(&genoa, &e);
    assert_ok(sim_chip_sign(genoa.chip, &e.report, bytes));
    pp_res r = appraise_bytes(&e, &turin.anchors, PP_BYTES(bytes));
    assert_refused_(&e, r, PP_SNP_CHECK_CHAIN, PP_E_SNP_CHAIN, __FILE__, __LINE__);
    r = appraise_bytes(&e, &other, PP_BYTES(bytes));
    assert_refused_(&e, r, PP_SNP_CHECK_CHAIN, PP_E_SNP_CHAIN, __FILE__, __LINE__);
}

static void become_vlek(struct pp_issue_cert *c)
{
    turn_into_vlek(c);
    rename_subject(c);
    c->issuer[5].text = "SEV-VLEK-Genoa";
}

/* The anchors hold no authority for VLEKs: there is nothing that could have certified this one. */
static void a_signer_without_a_pinned_authority_is_refused(void **state)
{
    (void)state;
    struct evidence e;

    forge(&genoa, &e, PP_X509_SIG_PSS_SHA384, become_vlek);
    e.report.key_info = PP_SNP_VLEK << 2;
    e.policy.signers |= PP_ATTEST_BIT(PP_SNP_VLEK);
    assert_refused(&e, CHAIN);
}

static void issue_authority(const char *cn, const char *issuer_cn,
                            const struct pp_issue_key *subject, const struct pp_issue_key *issuer,
                            struct sim_cert *ret)
{
    uint8_t spki[PP_RSA_SPKI_BYTES_MAX];
    struct pp_issue_cert c = {
        .serial = 1, .not_before = NOW - DAY, .not_after = NOW + DAY, .is_ca = 1, .path_len = -1
    };
    size_t len;

    assert_ok(pp_issue_key_spki(subject, spki, sizeof spki, &len));
    c.spki = pp_span(spki, len);
    c.subject_count = sim_names(c.subject, cn);
    c.issuer_count = sim_names(c.issuer, issuer_cn);
    assert_ok(
        pp_x509_issue(&c, issuer, PP_X509_SIG_PSS_SHA384, ret->der, sizeof ret->der, &ret->len));
}

static void an_anchor_of_an_unknown_line_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = { "ARK-Rome", "ARK--", "ARK-", "Genoa", "SEV-Genoa" };
    struct pp_issue_key *key = NULL;
    struct pp_snp_anchors anchors = { 0 };
    struct pp_span none = { 0 };
    struct sim_cert ark;

    assert_ok(pp_issue_key_generate_rsa(2048, &key));
    for (size_t i = 0; i < PP_ARRAY_COUNT(names); i++) {
        issue_authority(names[i], names[i], key, key, &ark);
        struct pp_span der = pp_span(ark.der, ark.len);
        assert_code(pp_snp_anchors_add(&anchors, der, der, none), PP_E_TRUST);
    }
    issue_authority("ARK-Genoa", "ARK-Milan", key, key, &ark); /* not self-issued */
    assert_code(
        pp_snp_anchors_add(&anchors, pp_span(ark.der, ark.len), pp_span(ark.der, ark.len), none),
        PP_E_TRUST);
    assert_int_equal(anchors.count, 0);
    pp_issue_key_free(key);
}

/* A sound chain of the right names, but of keys that are shorter than AMD's. */
static void w8_an_anchor_of_a_weaker_form_certifies_nothing(void **state)
{
    (void)state;
    struct pp_issue_key *ark_key = NULL;
    struct pp_issue_key *ask_key = NULL;
    struct pp_snp_anchors anchors = { 0 };
    struct sim_cert ark, ask;
    struct sim_vcek v;
    struct evidence e;
    uint8_t bytes[PP_SNP_REPORT_BYTES];
    size_t len;

    assert_ok(pp_issue_key_generate_rsa(2048, &ark_key));
    assert_ok(pp_issue_key_generate_rsa(2048, &ask_key));
    issue_authority("ARK-Genoa", "ARK-Genoa", ark_key, ark_key, &ark);
    issue_authority("SEV-Genoa", "ARK-Genoa", ask_key, ark_key, &ask);
    assert_ok(pp_snp_anchors_add(&anchors, pp_span(ark.der, ark.len), pp_span(ask.der, ask.len),
                                 (struct pp_span){ 0 }));
    evidence_of(&genoa, &e);
    assert_ok(sim_vcek_fill(genoa.chip, NOW - DAY, &v));
    assert_ok(pp_x509_issue(&v.cert, ask_key, PP_X509_SIG_PSS_SHA384, forged, sizeof forged, &len));
    e.vek = pp_span(forged, len);
    assert_ok(sim_chip_sign(genoa.chip, &e.report, bytes));
    pp_res r = appraise_bytes(&e, &anchors, PP_BYTES(bytes));
    assert_refused_(&e, r, PP_SNP_CHECK_CHAIN, PP_E_SNP_CHAIN, __FILE__, __LINE__);
    pp_snp_anchors_done(&anchors);
    pp_issue_key_free(ark_key);
    pp_issue_key_free(ask_key);
}

static void a_chain_outside_its_validity_is_refused(void **state)
{
    (void)state;
    struct evidence e;

    evidence_of(&genoa, &e);
    e.at = NOW - DAY;
    assert_ok(appraise(&e));
    e.at = NOW - DAY - 1;
    assert_refused(&e, CHAIN);
    e.at = NOW - DAY + UINT64_C(7) * YEAR - 1;
    assert_ok(appraise(&e));
    e.at++;
    assert_refused(&e, CHAIN);
    e.at = UINT64_MAX;
    assert_refused(&e, CHAIN);
}

/* --- 5: revocation ------------------------------------------------------------------------------
 */

static void a_revocation_list_is_asked_for_or_skipped_and_never_assumed(void **state)
{
    (void)state;
    uint8_t crl[4096];
    size_t len;
    struct evidence e;

    evidence_of(&genoa, &e);
    e.policy.skip = 0;
    assert_refused_(&e, appraise(&e), PP_SNP_CHECK_CRL, PP_E_SNP_CRL_STALE, __FILE__, __LINE__);
    assert_ok(sim_root_crl(genoa.root, NOW - DAY, SIM_REVOKES_NONE, crl, sizeof crl, &len));
    e.crl = pp_span(crl, len);
    assert_ok(appraise(&e));
    assert_int_equal(e.checks.rows[PP_SNP_CHECK_CRL - 1].verdict, PP_ATTEST_PASSED);

    assert_ok(sim_root_crl(genoa.root, NOW - 31 * DAY, SIM_REVOKES_NONE, crl, sizeof crl,
                           &len)); /* 30 days */
    e.crl = pp_span(crl, len);
    assert_refused_(&e, appraise(&e), PP_SNP_CHECK_CRL, PP_E_SNP_CRL_STALE, __FILE__, __LINE__);
    assert_ok(sim_root_crl(genoa.root, NOW + DAY, SIM_REVOKES_NONE, crl, sizeof crl, &len));
    e.crl = pp_span(crl, len);
    assert_refused_(&e, appraise(&e), PP_SNP_CHECK_CRL, PP_E_SNP_CRL_STALE, __FILE__, __LINE__);
    assert_ok(sim_root_crl(turin.root, NOW - DAY, SIM_REVOKES_NONE, crl, sizeof crl,
                           &len)); /* another root's */
    e.crl = pp_span(crl, len);
    assert_refused_(&e, appraise(&e), PP_SNP_CHECK_CRL, PP_E_SNP_CRL_STALE, __FILE__, __LINE__);
    assert_ok(sim_root_crl(genoa.root, NOW - DAY, SIM_REVOKES_ASK, crl, sizeof crl, &len));
    e.crl = pp_span(crl, len);
    assert_refused_(&e, appraise(&e), PP_SNP_CHECK_CRL, PP_E_SNP_REVOKED, __FILE__, __LINE__);
}

/* --- 6: product line ----------------------------------------------------------------------------
 */

static void call_it_milan(struct pp_issue_cert *c)
{
    extension(c, "1.3.6.1.4.1.3704.1.2")->value = PP_STR("\x16\x08"
                                                         "Milan-B0");
}

static void call_it_rome(struct pp_issue_cert *c)
{
    extension(c, "1.3.6.1.4.1.3704.1.2")->value = PP_STR("\x16\x04"
                                                         "Rome");
}

static void w8_t7_report_and_certificate_of_different_lines_are_refused(void **state)
{
    (void)state;
    static const uint8_t cpuids[][2] = { { 0x19, 0x01 }, { 0x1A, 0x02 }, { 0x1A, 0x50 },
                                         { 0x17, 0x31 }, { 0x00, 0x00 }, { 0x19, 0x20 } };
    struct evidence e;

    for (size_t i = 0; i < PP_ARRAY_COUNT(cpuids); i++) {
        evidence_of(&genoa, &e);
        e.report.cpuid_family = cpuids[i][0];
        e.report.cpuid_model = cpuids[i][1];
        assert_refused(&e, PRODUCT);
    }
    forge(&genoa, &e, PP_X509_SIG_PSS_SHA384, call_it_milan);
    assert_refused(&e, PRODUCT);
}

static void w8_t9_a_certificate_of_an_unknown_product_is_refused(void **state)
{
    (void)state;
    struct evidence e;

    forge(&genoa, &e, PP_X509_SIG_PSS_SHA384, call_it_rome);
    assert_refused(&e, PRODUCT);
}

/* Appendix C: Zen 4 or newer; a family can be de-listed by policy alone. */
static void app_c_a_line_that_the_policy_does_not_list_is_refused(void **state)
{
    (void)state;
    struct evidence e;

    evidence_of(&genoa, &e);
    e.policy.lines &= ~PP_ATTEST_BIT(PP_SNP_GENOA);
    assert_refused(&e, PRODUCT);
    assert_int_equal(PP_SNP_POLICY_STRICT.lines,
                     PP_ATTEST_BIT(PP_SNP_GENOA) | PP_ATTEST_BIT(PP_SNP_TURIN)); /* no Milan */
}

/* --- 7, 8: signature and chip -------------------------------------------------------------------
 */

static void a_signature_over_other_bytes_is_refused(void **state)
{
    (void)state;
    struct evidence e;
    uint8_t bytes[PP_SNP_REPORT_BYTES];

    evidence_of(&genoa, &e);
    assert_ok(sim_chip_sign(genoa.chip, &e.report, bytes));
    for (size_t at = 0x50; at < 0x180; at += 7) {
        bytes[at] ^= 0x10;
        pp_res r = appraise_bytes(&e, &genoa.anchors, PP_BYTES(bytes));
        assert_refused_(&e, r, PP_SNP_CHECK_SIGNATURE, PP_E_SNP_SIGNATURE, __FILE__, __LINE__);
        bytes[at] ^= 0x10;
    }
    for (size_t at = 0x2A0; at < 0x330; at++) { /* R and S, their unused upper bytes too */
        bytes[at] ^= 0x10;
        pp_res r = appraise_bytes(&e, &genoa.anchors, PP_BYTES(bytes));
        assert_refused_(&e, r, PP_SNP_CHECK_SIGNATURE, PP_E_SNP_SIGNATURE, __FILE__, __LINE__);
        bytes[at] ^= 0x10;
    }
    memset(bytes + 0x2A0, 0, 0x90);
    pp_res r = appraise_bytes(&e, &genoa.anchors, PP_BYTES(bytes));
    assert_refused_(&e, r, PP_SNP_CHECK_SIGNATURE, PP_E_SNP_SIGNATURE, __FILE__, __LINE__);
}

static void another_chips_signature_is_refused(void **state)
{
    (void)state;
    struct sim_chip_params params = sim_chip_params_default(PP_SNP_GENOA);
    struct pp_random random = pp_random_system();
    struct sim_chip *other = NULL;
    struct evidence e;
    uint8_t bytes[PP_SNP_REPORT_BYTES];

    assert_ok(sim_chip_create(genoa.root, &params, &random, NOW - DAY, &other));
    evidence_of(&genoa, &e);
    assert_ok(sim_chip_sign(other, &e.report, bytes));
    pp_res r = appraise_bytes(&e, &genoa.anchors, PP_BYTES(bytes));
    assert_refused_(&e, r, PP_SNP_CHECK_SIGNATURE, PP_E_SNP_SIGNATURE, __FILE__, __LINE__);
    sim_chip_free(other);
}

static void w10_t5_a_masked_chip_id_is_refused(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct evidence e;
        evidence_of(FLEETS[k], &e);
        memset(e.report.chip_id, 0, sizeof e.report.chip_id);
        assert_refused(&e, HWID);
    }
}

static void zero_hwid(struct pp_issue_cert *c)
{
    static const uint8_t zeros[PP_SNP_CHIP_ID_BYTES];

    extension(c, "1.3.6.1.4.1.3704.1.4")->value = PP_BYTES(zeros);
}

/* Even a certificate that says the same does not make zeros a chip. */
static void w10_t5_a_chip_id_of_zeros_is_refused_whoever_certified_it(void **state)
{
    (void)state;
    struct evidence e;

    forge(&genoa, &e, PP_X509_SIG_PSS_SHA384, zero_hwid);
    memset(e.report.chip_id, 0, sizeof e.report.chip_id);
    assert_refused(&e, HWID);
}

static void w10_t7_every_byte_of_the_chip_id_must_be_the_certificates(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < PP_SNP_CHIP_ID_BYTES; i++) {
            struct evidence e;
            evidence_of(FLEETS[k], &e);
            e.report.chip_id[i] ^= 1;
            assert_refused(&e, HWID);
        }
}

/* --- 9 to 12: patch levels ----------------------------------------------------------------------
 */

static void all_levels(struct pp_snp_report *r, const struct pp_snp_tcb *tcb)
{
    r->current_tcb = r->reported_tcb = r->committed_tcb = r->launch_tcb = *tcb;
}

static void w8_t1_a_certificate_below_the_report_is_refused(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < 8; i++) {
            struct evidence e;
            evidence_of(FLEETS[k], &e);
            e.report.reported_tcb.v[i]++;
            assert_refused(&e, TCB_CERT);
        }
}

static void w8_t2_a_certificate_above_the_report_is_refused(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < 8; i++) {
            struct evidence e;
            evidence_of(FLEETS[k], &e);
            if (e.report.reported_tcb.v[i] == 0)
                continue;
            e.report.reported_tcb.v[i]--;
            assert_refused(&e, TCB_CERT);
        }
}

static void w8_t8_reported_is_at_most_committed_and_committed_at_most_current(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < 8; i++) {
            struct evidence e;
            evidence_of(FLEETS[k], &e);
            if (e.report.committed_tcb.v[i] > 0) {
                e.report.committed_tcb.v[i]--; /* below what is reported */
                assert_refused(&e, TCB_ORDER);
                evidence_of(FLEETS[k], &e);
                e.report.current_tcb.v[i]--; /* below what is certified and committed */
                assert_refused(&e, TCB_ORDER);
            }
            evidence_of(FLEETS[k], &e);
            e.report.committed_tcb.v[i]++; /* above what runs */
            assert_refused(&e, TCB_ORDER);
        }
}

static void provisional_firmware_is_refused_unless_allowed(void **state)
{
    (void)state;
    struct evidence e;

    for (size_t i = 0; i < 8; i++) {
        evidence_of(&genoa, &e);
        e.report.current_tcb.v[i]++;
        assert_refused(&e, PROVISIONAL);
        e.policy.allow_provisional = 1;
        assert_ok(appraise(&e));
        assert_int_equal(e.checks.rows[PP_SNP_CHECK_PROVISIONAL - 1].verdict, PP_ATTEST_SKIPPED);
    }
    evidence_of(&genoa, &e);
    e.report.current.build++;
    assert_refused(&e, PROVISIONAL);
}

/* Every component of the line's layout, as policy minimum of the certified and of the launch level.
 */
static void w8_t3_each_component_one_below_its_minimum_is_refused(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < 8; i++) {
            struct evidence e;
            evidence_of(FLEETS[k], &e);
            enum pp_snp_line line = k == 0 ? PP_SNP_GENOA : PP_SNP_TURIN;
            struct pp_snp_tcb min = e.report.reported_tcb;
            e.policy.tcb_min[line] = pp_snp_tcb_split(line, &min);
            e.policy.launch_tcb_min[line] = pp_snp_tcb_split(line, &min);
            assert_ok(appraise(&e));
            min.v[i]++;
            e.policy.tcb_min[line] = pp_snp_tcb_split(line, &min);
            assert_refused(&e, TCB_MIN);
            evidence_of(FLEETS[k], &e);
            e.policy.launch_tcb_min[line] = pp_snp_tcb_split(line, &min);
            assert_refused(&e, TCB_MIN);
        }
}

/* A chip that AMD certified at just the compiled-in floor passes; one level below it does not. */
static void w8_nothing_goes_below_the_compiled_in_floor(void **state)
{
    (void)state;
    struct pp_random random = pp_random_system();

    for (size_t i = 0; i < PP_SNP_POLICY_STRICT.floor_count; i++) {
        const struct pp_snp_floor *row = &PP_SNP_POLICY_STRICT.floor[i];
        struct fleet f = row->line == PP_SNP_GENOA ? genoa : turin;
        for (int below = 0; below < 3; below++) {
            struct sim_chip_params params = sim_chip_params_default(row->line);
            struct evidence e;
            params.tcb = row->min;
            params.cpuid_model = row->model_from;
            params.cpuid_step = row->step_from;
            params.tcb.snp = (uint8_t)(params.tcb.snp - (below == 1));
            if (below == 2 && params.tcb.microcode == 0)
                continue; /* no figure for it */
            params.tcb.microcode = (uint8_t)(params.tcb.microcode - (below == 2));
            assert_ok(sim_chip_create(f.root, &params, &random, NOW - DAY, &f.chip));
            evidence_of(&f, &e);
            struct pp_snp_tcb at_floor = pp_snp_tcb_join(row->line, &row->min);
            if (below > 0) {
                assert_refused(&e, TCB_MIN);
                e.report.launch_tcb = at_floor; /* launched well, patched back since */
                assert_refused(&e, TCB_MIN);
            } else {
                assert_ok(appraise(&e));
                e.report.launch_tcb.v[row->line == PP_SNP_GENOA ? 6 : 3]--; /* patched since */
                assert_refused(&e, TCB_MIN);
            }
            sim_chip_free(f.chip);
        }
    }
}

static void a_processor_that_the_floor_does_not_know_is_refused(void **state)
{
    (void)state;
    static const struct pp_snp_floor other = { PP_SNP_GENOA, 0x10, 0x11, 3, 3, { 0 }, "test" };
    struct evidence e;

    evidence_of(&genoa, &e);
    e.policy.floor = &other;
    e.policy.floor_count = 1;
    assert_refused(&e, TCB_MIN);
    e.report.cpuid_step = 3;
    assert_ok(appraise(&e));
}

/* --- 13, 14: firmware ---------------------------------------------------------------------------
 */

static void firmware_below_the_minimum_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct pp_snp_version min;
        int good;
    } rows[] = {
        { { 1, 55, 50 }, 1 }, { { 1, 55, 51 }, 0 },  { { 1, 56, 0 }, 0 },
        { { 2, 0, 0 }, 0 },   { { 1, 54, 200 }, 1 }, { { 0, 99, 99 }, 1 },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct evidence e;
        evidence_of(&genoa, &e); /* 1.55.50 */
        e.policy.fw_min = rows[i].min;
        if (rows[i].good)
            assert_ok(appraise(&e));
        else
            assert_refused(&e, FW_MIN);
    }
    struct evidence e;
    evidence_of(&genoa, &e);
    e.policy.allow_provisional = 1;
    e.policy.fw_min = (struct pp_snp_version){ 1, 55, 50 };
    e.report.committed.build--; /* the one that a rollback leads to */
    assert_refused(&e, FW_MIN);
    e.report.committed.build++;
    e.report.current.build--; /* the one that runs */
    assert_refused(&e, FW_MIN);
}

static void a_required_mitigation_must_be_on_at_launch_and_now(void **state)
{
    (void)state;
    struct evidence e;

    for (unsigned bit = 0; bit < 64; bit++) {
        evidence_of(&turin, &e);
        e.report.launch_mit_vector = e.report.current_mit_vector = UINT64_MAX;
        e.policy.mitigations = UINT64_C(1) << bit;
        assert_ok(appraise(&e));
        e.report.launch_mit_vector = ~(UINT64_C(1) << bit);
        assert_refused(&e, MITIGATION);
        e.report.launch_mit_vector = UINT64_MAX;
        e.report.current_mit_vector = ~(UINT64_C(1) << bit);
        assert_refused(&e, MITIGATION);
    }
    evidence_of(&genoa, &e); /* version 3 has no vectors */
    e.policy.mitigations = 1;
    assert_ok(appraise(&e));
    assert_int_equal(e.checks.rows[PP_SNP_CHECK_MITIGATION - 1].verdict, PP_ATTEST_SKIPPED);
}

/* --- 15, 16: the verdict tables -----------------------------------------------------------------
 */

/*
 * One letter for each bit, 0 first: what becomes of good evidence when that bit alone is flipped.
 * '.' accepted, 'F' refused as malformed, 'x' refused by the policy.
 */
static const char POLICY_V3[] = "................" /* 0-15 ABI version: a minimum, not a right */
                                "xFxxxxxxx."       /* 16 SMT .. 24 hiding; 25 is known from v5 on */
                                "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF";
static const char POLICY_V5[] = "................"
                                "xFxxxxxxxx"
                                "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF";
static const char PLATFORM[] = "x.xxxxxx" /* 1 TSME: either; 6 reserved, 7 TIO */
                               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

_Static_assert(sizeof POLICY_V3 == 65 && sizeof POLICY_V5 == 65 && sizeof PLATFORM == 65,
               "a letter for each bit");

static void w9_each_policy_bit_flipped_gives_the_verdict_of_the_table(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++)
        for (unsigned bit = 0; bit < 64; bit++) {
            struct evidence e;
            char want = (k == 0 ? POLICY_V3 : POLICY_V5)[bit];
            evidence_of(FLEETS[k], &e);
            e.report.policy ^= UINT64_C(1) << bit;
            if (want == '.')
                assert_ok(appraise(&e));
            else if (want == 'F')
                assert_refused(&e, FORMAT);
            else
                assert_refused(&e, POLICY);
        }
}

static void w9_each_platform_bit_flipped_gives_the_verdict_of_the_table(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++)
        for (unsigned bit = 0; bit < 64; bit++) {
            struct evidence e;
            evidence_of(FLEETS[k], &e);
            e.report.platform_info ^= UINT64_C(1) << bit;
            if (PLATFORM[bit] == '.')
                assert_ok(appraise(&e));
            else
                assert_refused(&e, PLATFORM);
        }
}

/* A policy object cannot ask for less than this. */
static void w9_debug_migration_and_reserved_bits_are_forbidden_by_every_policy(void **state)
{
    (void)state;
    static const uint64_t policy_bits[] = { PP_SNP_POLICY_DEBUG, PP_SNP_POLICY_MIGRATE_MA };
    struct evidence e;

    for (size_t i = 0; i < 2; i++) {
        evidence_of(&genoa, &e);
        e.policy.policy_bits = (struct pp_attest_bits){ 0 };
        assert_ok(appraise(&e));
        e.report.policy |= policy_bits[i];
        assert_refused(&e, POLICY);
        e.policy.policy_bits.required = policy_bits[i];
        assert_refused(&e, POLICY);
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        int reserved = (PP_SNP_PLATFORM_RESERVED >> bit & 1) != 0;
        evidence_of(&genoa, &e);
        e.policy.platform_bits = (struct pp_attest_bits){ 0 };
        e.report.platform_info = UINT64_C(1) << bit;
        if (reserved)
            assert_refused(&e, PLATFORM);
        else
            assert_ok(appraise(&e));
    }
}

static void the_guest_policy_must_ask_for_the_minimum_abi(void **state)
{
    (void)state;
    struct evidence e;

    evidence_of(&genoa, &e);
    e.policy.abi_min = 1 << 8 | 55;
    assert_refused(&e, POLICY);
    e.report.policy |= 1 << 8 | 55;
    assert_ok(appraise(&e));
    e.report.policy -= 1;
    assert_refused(&e, POLICY);
}

/* --- 17 to 23 ------------------------------------------------------------------------------------
 */

static void w9_every_privilege_level_but_the_expected_is_refused(void **state)
{
    (void)state;
    static const uint32_t levels[] = { 0, 1, 2, 3, 4, UINT32_MAX };

    for (size_t want = 0; want < 4; want++)
        for (size_t i = 0; i < PP_ARRAY_COUNT(levels); i++) {
            struct evidence e;
            evidence_of(&genoa, &e);
            e.policy.vmpl = (uint32_t)want;
            e.report.vmpl = levels[i];
            if (levels[i] == want)
                assert_ok(appraise(&e));
            else
                assert_refused(&e, VMPL);
        }
}

static void a_bound_migration_agent_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 32; i++) {
        struct evidence e;
        evidence_of(&genoa, &e);
        e.report.report_id_ma[i] = 0xFE;
        assert_refused(&e, MIGRATION);
    }
}

static void measurement_and_configuration_must_be_accepted_ones(void **state)
{
    (void)state;
    uint8_t two[2 * PP_SNP_MEASUREMENT_BYTES] = { 0 };
    struct evidence e;

    for (size_t i = 0; i < PP_SNP_MEASUREMENT_BYTES; i++) {
        evidence_of(&genoa, &e);
        e.measurement[i] ^= 1;
        assert_refused(&e, MEASUREMENT);
    }
    for (size_t i = 0; i < PP_SNP_HOST_DATA_BYTES; i++) {
        evidence_of(&genoa, &e);
        e.host_data[i] ^= 1;
        assert_refused(&e, HOST_DATA);
    }
    evidence_of(&genoa, &e);
    memcpy(two + PP_SNP_MEASUREMENT_BYTES, e.measurement, sizeof e.measurement);
    e.policy.measurements = (struct pp_attest_set){ .values = two, .count = 2 };
    assert_ok(appraise(&e));
    e.policy.measurements.count = 1; /* the one that is not ours */
    assert_refused(&e, MEASUREMENT);
    e.policy.measurements = (struct pp_attest_set){ 0 };
    assert_refused(&e, MEASUREMENT);
}

struct registry {
    uint8_t chip_id[PP_SNP_CHIP_ID_BYTES];
    unsigned asked;
};

static pp_res known_chip(void *ctx, struct pp_span value)
{
    struct registry *r = ctx;

    r->asked++;
    return pp_span_eq(value, PP_BYTES(r->chip_id)) ? PP_OK : PP_FAIL(PP_E_NOT_FOUND, 0);
}

static void w10_t1_a_genuine_chip_that_is_not_registered_is_refused(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct evidence e;
        struct registry registry = { 0 };
        evidence_of(FLEETS[k], &e);
        e.chip_id[3] ^= 1;
        assert_refused(&e, HOST_ID);
        e.policy.chip_ids = (struct pp_attest_set){ .known = known_chip, .ctx = &registry };
        assert_refused(&e, HOST_ID);
        memcpy(registry.chip_id, sim_chip_id(FLEETS[k]->chip), sizeof registry.chip_id);
        assert_ok(appraise(&e));
        assert_int_equal(registry.asked, 2);
        e.policy.chip_ids = (struct pp_attest_set){ 0 };
        assert_refused(&e, HOST_ID);
    }
}

static void an_id_block_is_checked_where_it_is_asked_for(void **state)
{
    (void)state;
    uint8_t key[PP_SNP_KEY_DIGEST_BYTES] = { 7 };
    uint8_t author[PP_SNP_KEY_DIGEST_BYTES] = { 8 };
    uint8_t id[PP_SNP_ID_BYTES] = { 9 };
    struct pp_attest_set keys = { .values = key, .count = 1 };
    struct pp_attest_set authors = { .values = author, .count = 1 };
    struct evidence e;

    evidence_of(&genoa, &e);
    e.policy.id_keys = keys;
    assert_refused(&e, ID_BLOCK);
    memcpy(e.report.id_key_digest, key, sizeof key);
    assert_ok(appraise(&e));
    e.report.key_info |= 1; /* AUTHOR_KEY_EN: now the author counts too */
    assert_refused(&e, ID_BLOCK);
    e.policy.author_keys = authors;
    assert_refused(&e, ID_BLOCK);
    memcpy(e.report.author_key_digest, author, sizeof author);
    assert_ok(appraise(&e));

    evidence_of(&genoa, &e);
    e.policy.family_id = id;
    assert_refused(&e, ID_BLOCK);
    memcpy(e.report.family_id, id, sizeof id);
    assert_ok(appraise(&e));
    e.policy.image_id = id;
    assert_refused(&e, ID_BLOCK);
    memcpy(e.report.image_id, id, sizeof id);
    assert_ok(appraise(&e));
    e.policy.guest_svn_min = 5;
    e.report.guest_svn = 4;
    assert_refused(&e, ID_BLOCK);
    e.report.guest_svn = 5;
    assert_ok(appraise(&e));
}

/* W7: a report of another session carries another REPORT_DATA. */
static void w7_t1_a_report_that_is_not_bound_to_this_session_is_refused(void **state)
{
    (void)state;
    struct evidence e;

    for (size_t i = 0; i < PP_SNP_REPORT_DATA_BYTES; i++) {
        evidence_of(&genoa, &e);
        e.report_data[i] ^= 0x80;
        assert_refused(&e, BINDING);
    }
    evidence_of(&genoa, &e);
    e.policy.report_data = NULL;
    assert_refused(&e, BINDING);
}

/* A machine that was certified at a lower level: all its numbers agree, only the minimum stops it.
 */
static void an_old_machine_whose_numbers_agree_is_stopped_by_the_minimum(void **state)
{
    (void)state;
    struct sim_chip_params params = sim_chip_params_default(PP_SNP_GENOA);
    struct pp_random random = pp_random_system();
    struct fleet f = genoa;
    struct evidence e;
    struct pp_snp_tcb tcb;

    params.tcb.snp = 22;
    assert_ok(sim_chip_create(genoa.root, &params, &random, NOW - DAY, &f.chip));
    evidence_of(&f, &e);
    assert_refused(&e, TCB_MIN);
    /* And it cannot lie about it: the certificate says what it can sign for (W8). */
    params = sim_chip_params_default(PP_SNP_GENOA);
    tcb = pp_snp_tcb_join(PP_SNP_GENOA, &params.tcb);
    all_levels(&e.report, &tcb);
    assert_refused(&e, TCB_CERT);
    sim_chip_free(f.chip);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(genuine_evidence_passes_every_check_of_the_strict_profile),
    cmocka_unit_test(a_policy_in_the_zero_state_asks_for_all_and_accepts_nothing),
    cmocka_unit_test(checks_that_prove_the_evidence_cannot_be_skipped),
    cmocka_unit_test(the_lowest_failing_check_is_reported_and_the_others_are_shown),
    cmocka_unit_test(behind_unsound_evidence_nothing_is_reached),
    cmocka_unit_test(a_version_below_the_policys_is_refused),
    cmocka_unit_test(the_signer_must_be_one_that_signs),
    cmocka_unit_test(w10_t6_a_vlek_signed_report_is_refused_by_kind),
    cmocka_unit_test(w8_a_certificate_of_another_form_is_refused),
    cmocka_unit_test(simulated_evidence_is_refused_under_amds_anchors),
    cmocka_unit_test(a_chip_certified_by_a_stranger_or_without_an_anchor_is_refused),
    cmocka_unit_test(a_signer_without_a_pinned_authority_is_refused),
    cmocka_unit_test(an_anchor_of_an_unknown_line_is_refused),
    cmocka_unit_test(w8_an_anchor_of_a_weaker_form_certifies_nothing),
    cmocka_unit_test(a_chain_outside_its_validity_is_refused),
    cmocka_unit_test(a_revocation_list_is_asked_for_or_skipped_and_never_assumed),
    cmocka_unit_test(w8_t7_report_and_certificate_of_different_lines_are_refused),
    cmocka_unit_test(w8_t9_a_certificate_of_an_unknown_product_is_refused),
    cmocka_unit_test(app_c_a_line_that_the_policy_does_not_list_is_refused),
    cmocka_unit_test(a_signature_over_other_bytes_is_refused),
    cmocka_unit_test(another_chips_signature_is_refused),
    cmocka_unit_test(w10_t5_a_masked_chip_id_is_refused),
    cmocka_unit_test(w10_t5_a_chip_id_of_zeros_is_refused_whoever_certified_it),
    cmocka_unit_test(w10_t7_every_byte_of_the_chip_id_must_be_the_certificates),
    cmocka_unit_test(w8_t1_a_certificate_below_the_report_is_refused),
    cmocka_unit_test(w8_t2_a_certificate_above_the_report_is_refused),
    cmocka_unit_test(w8_t8_reported_is_at_most_committed_and_committed_at_most_current),
    cmocka_unit_test(provisional_firmware_is_refused_unless_allowed),
    cmocka_unit_test(w8_t3_each_component_one_below_its_minimum_is_refused),
    cmocka_unit_test(w8_nothing_goes_below_the_compiled_in_floor),
    cmocka_unit_test(a_processor_that_the_floor_does_not_know_is_refused),
    cmocka_unit_test(firmware_below_the_minimum_is_refused),
    cmocka_unit_test(a_required_mitigation_must_be_on_at_launch_and_now),
    cmocka_unit_test(w9_each_policy_bit_flipped_gives_the_verdict_of_the_table),
    cmocka_unit_test(w9_each_platform_bit_flipped_gives_the_verdict_of_the_table),
    cmocka_unit_test(w9_debug_migration_and_reserved_bits_are_forbidden_by_every_policy),
    cmocka_unit_test(the_guest_policy_must_ask_for_the_minimum_abi),
    cmocka_unit_test(w9_every_privilege_level_but_the_expected_is_refused),
    cmocka_unit_test(a_bound_migration_agent_is_refused),
    cmocka_unit_test(measurement_and_configuration_must_be_accepted_ones),
    cmocka_unit_test(w10_t1_a_genuine_chip_that_is_not_registered_is_refused),
    cmocka_unit_test(an_id_block_is_checked_where_it_is_asked_for),
    cmocka_unit_test(w7_t1_a_report_that_is_not_bound_to_this_session_is_refused),
    cmocka_unit_test(an_old_machine_whose_numbers_agree_is_stopped_by_the_minimum),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, make, clean);
}
