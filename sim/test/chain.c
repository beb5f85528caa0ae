/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates as attackers and old software make them, providers' keys (VLEK), chains and tables
 * that come along, wrong clocks and oversized evidence.
 */
#include "fleet.h"
#include "snp_table.h"

#define AMD "1.3.6.1.4.1.3704.1."

static struct fleet genoa;
static struct sim_chip *vlek;

static int make(void **state)
{
    (void)state;
    struct sim_chip_params params = sim_chip_params_default(PP_SNP_GENOA);
    struct pp_random random = pp_random_system();

    if (!pp_is_ok(fleet_make(&genoa, PP_SNP_GENOA)) ||
        !pp_is_ok(sim_root_add_asvk(genoa.root, NOW - DAY)) ||
        !pp_is_ok(
            sim_chip_create_vlek(genoa.root, &params, "CN=cc.example", &random, NOW - DAY, &vlek)))
        return 1;
    pp_snp_anchors_done(&genoa.anchors);
    return !pp_is_ok(pp_snp_anchors_add(&genoa.anchors, sim_root_ark(genoa.root),
                                        sim_root_ask(genoa.root), sim_root_asvk(genoa.root)));
}

static int clean(void **state)
{
    (void)state;
    sim_chip_free(vlek);
    fleet_free(&genoa);
    return 0;
}

/* --- a certificate with one thing wrong ------------------------------------------------------- */

static uint8_t forged[PP_X509_DER_BYTES_MAX];

static struct pp_issue_extension *extension(struct pp_issue_cert *c, const char *oid)
{
    for (size_t i = 0; i < c->extension_count; i++)
        if (strcmp(c->extensions[i].oid, oid) == 0)
            return &c->extensions[i];
    fail();
    return NULL;
}

static void add(struct pp_issue_cert *c, const char *oid, struct pp_span value, int critical)
{
    c->extensions[c->extension_count++] = (struct pp_issue_extension){ oid, value, critical };
}

static void serial_one(struct pp_issue_cert *c)
{
    c->serial = 1;
}

static void unknown_extension(struct pp_issue_cert *c)
{
    add(c, "1.3.6.1.4.1.99999.1", PP_STR("\x05"), 0);
}

static void unknown_critical_extension(struct pp_issue_cert *c)
{
    add(c, "1.3.6.1.4.1.99999.1", PP_STR("\x05"), 1);
}

static void critical_level(struct pp_issue_cert *c)
{
    extension(c, AMD "3.8")->critical = 1;
}

static void key_id_of_nobody(struct pp_issue_cert *c)
{
    add(c, "2.5.29.35",
        PP_STR("\x30\x06\x80\x04"
               "ABCD"),
        0);
}

static void key_id_twice(struct pp_issue_cert *c)
{
    key_id_of_nobody(c);
    key_id_of_nobody(c);
}

static void an_authority(struct pp_issue_cert *c)
{
    c->is_ca = 1;
    c->path_len = -1;
}

static void hwid_twice(struct pp_issue_cert *c)
{
    add(c, AMD "4", extension(c, AMD "4")->value, 0);
}

static void product_twice(struct pp_issue_cert *c)
{
    add(c, AMD "2", extension(c, AMD "2")->value, 0);
}

static void level_as_octets(struct pp_issue_cert *c)
{
    extension(c, AMD "3.3")->value = PP_STR("\x04\x01\x1C");
}

static void level_bare(struct pp_issue_cert *c)
{
    extension(c, AMD "3.3")->value = PP_STR("\x1C");
}

static void level_256(struct pp_issue_cert *c)
{
    extension(c, AMD "3.3")->value = PP_STR("\x02\x02\x01\x00");
}

static void level_negative(struct pp_issue_cert *c)
{
    extension(c, AMD "3.3")->value = PP_STR("\x02\x01\x9C");
}

static void level_overlong(struct pp_issue_cert *c)
{
    extension(c, AMD "3.3")->value = PP_STR("\x02\x02\x00\x1C");
}

static void level_with_tail(struct pp_issue_cert *c)
{
    extension(c, AMD "3.3")->value = PP_STR("\x02\x01\x1C\x05");
}

static void product_of_milan(struct pp_issue_cert *c)
{
    extension(c, AMD "2")->value = PP_STR("\x16\x08"
                                          "Milan-B0");
}

static void product_as_utf8(struct pp_issue_cert *c)
{
    extension(c, AMD "2")->value = PP_STR("\x0C\x05"
                                          "Genoa");
}

static void subject_of_authority(struct pp_issue_cert *c)
{
    c->subject[5].text = "SEV-Genoa";
}

static void name_in_lower_case(struct pp_issue_cert *c)
{
    c->subject[5].text = "sev-vcek";
}

static void one_name_more(struct pp_issue_cert *c)
{
    c->subject[c->subject_count++] = (struct pp_issue_name){ "title", "chip" };
}

static void one_issuer_name_more(struct pp_issue_cert *c)
{
    c->issuer[c->issuer_count++] = (struct pp_issue_name){ "title", "authority" };
}

static void version_1(struct pp_issue_cert *c)
{
    c->version = 1;
}

static void expired(struct pp_issue_cert *c)
{
    c->not_after = NOW;
}

static void not_yet_valid(struct pp_issue_cert *c)
{
    c->not_before = NOW + 1;
}

static const struct trap {
    void (*change)(struct pp_issue_cert *cert);
    uint32_t code; /* of the one check that is there for it; OK: it is no fault */
    uint32_t check;
} TRAPS[] = {
    { serial_one, PP_E_OK, 0 }, /* AMD's have zero, as the simulator's; neither is looked at */
    { unknown_extension, PP_E_OK, 0 },
    { unknown_critical_extension, PP_E_SNP_CHAIN, PP_SNP_CHECK_CHAIN },
    { critical_level, PP_E_SNP_CHAIN, PP_SNP_CHECK_CHAIN },
    { key_id_of_nobody, PP_E_OK, 0 }, /* the authority has no key id to compare with */
    { key_id_twice, PP_E_SNP_CHAIN, PP_SNP_CHECK_CHAIN },
    { an_authority, PP_E_SNP_CHAIN, PP_SNP_CHECK_CHAIN },
    { expired, PP_E_SNP_CHAIN, PP_SNP_CHECK_CHAIN },
    { not_yet_valid, PP_E_SNP_CHAIN, PP_SNP_CHECK_CHAIN },
    { product_of_milan, PP_E_SNP_PRODUCT, PP_SNP_CHECK_PRODUCT },
    { hwid_twice, PP_E_SNP_CERT_FORM, PP_SNP_CHECK_CERT_FORM },
    { product_twice, PP_E_SNP_CERT_FORM, PP_SNP_CHECK_CERT_FORM },
    { product_as_utf8, PP_E_SNP_CERT_FORM, PP_SNP_CHECK_CERT_FORM },
    { level_as_octets, PP_E_SNP_CERT_FORM, PP_SNP_CHECK_CERT_FORM },
    { level_bare, PP_E_SNP_CERT_FORM, PP_SNP_CHECK_CERT_FORM },
    { level_256, PP_E_SNP_CERT_FORM, PP_SNP_CHECK_CERT_FORM },
    { level_negative, PP_E_SNP_CERT_FORM, PP_SNP_CHECK_CERT_FORM },
    { level_overlong, PP_E_SNP_CERT_FORM, PP_SNP_CHECK_CERT_FORM },
    { level_with_tail, PP_E_SNP_CERT_FORM, PP_SNP_CHECK_CERT_FORM },
    { subject_of_authority, PP_E_SNP_CERT_FORM, PP_SNP_CHECK_CERT_FORM },
    { name_in_lower_case, PP_E_SNP_CERT_FORM, PP_SNP_CHECK_CERT_FORM },
    { one_name_more, PP_E_SNP_CERT_FORM, PP_SNP_CHECK_CERT_FORM },
    { one_issuer_name_more, PP_E_SNP_CERT_FORM, PP_SNP_CHECK_CERT_FORM },
    { version_1, PP_E_SNP_CERT_FORM, PP_SNP_CHECK_CERT_FORM },
};

static size_t forge(void (*change)(struct pp_issue_cert *cert))
{
    struct sim_vcek v;
    size_t len;

    assert_ok(sim_vcek_fill(genoa.chip, NOW - DAY, &v));
    if (change != NULL)
        change(&v.cert);
    assert_ok(pp_x509_issue(&v.cert, sim_root_ask_key(genoa.root), PP_X509_SIG_PSS_SHA384, forged,
                            sizeof forged, &len));
    return len;
}

/* All of them signed by the genuine authority: only the one check stands between them and a yes. */
static void w8_each_trap_in_a_certificate_is_seen_by_its_check(void **state)
{
    (void)state;
    struct evidence e;

    for (size_t i = 0; i < PP_ARRAY_COUNT(TRAPS); i++) {
        evidence_of(&genoa, &e);
        e.vek = pp_span(forged, forge(TRAPS[i].change));
        pp_res r = appraise(&e);
        if (TRAPS[i].code == PP_E_OK)
            assert_ok(r);
        else
            assert_refused_(&e, r, TRAPS[i].check, TRAPS[i].code, __FILE__, (int)i);
    }
}

/* Writes `to` over every `from` of the certificate; returns how many there were. */
static size_t overwrite(size_t len, struct pp_span from, struct pp_span to)
{
    size_t count = 0;

    assert_int_equal(from.len, to.len);
    for (size_t i = 0; i + from.len <= len; i++)
        if (pp_span_eq(pp_span(forged + i, from.len), from)) {
            memcpy(forged + i, to.at, to.len);
            count++;
        }
    return count;
}

/* RSASSA-PSS with other parameters: the salt's length, MGF1's hash, the hash. */
static void pss_with_other_parameters_is_refused_by_form(void **state)
{
    (void)state;
    static const struct {
        struct pp_span from, to;
        size_t count;
    } rows[] = {
        { PP_STR("\xA2\x03\x02\x01\x30"), PP_STR("\xA2\x03\x02\x01\x20"), 2 },
        { PP_STR("\xA2\x03\x02\x01\x30"), PP_STR("\xA2\x03\x02\x01\x00"), 2 },
        { PP_STR("\x60\x86\x48\x01\x65\x03\x04\x02\x02"),
          PP_STR("\x60\x86\x48\x01\x65\x03\x04\x02\x01"), 4 },
    };
    struct evidence e;

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        evidence_of(&genoa, &e);
        size_t len = forge(NULL);
        assert_int_equal(overwrite(len, rows[i].from, rows[i].to), rows[i].count);
        e.vek = pp_span(forged, len);
        assert_refused(&e, CERT_FORM);
    }
}

static void any_flipped_bit_of_a_certificate_is_refused(void **state)
{
    (void)state;
    struct evidence e;
    uint8_t bytes[PP_SNP_REPORT_BYTES];
    size_t len = forge(NULL);

    evidence_of(&genoa, &e);
    assert_ok(sim_chip_sign(genoa.chip, &e.report, bytes));
    e.vek = pp_span(forged, len);
    assert_ok(appraise_bytes(&e, &genoa.anchors, PP_BYTES(bytes)));
    for (size_t at = 0; at < len; at++) {
        forged[at] ^= (uint8_t)(1 << at % 8);
        assert_false(pp_is_ok(appraise_bytes(&e, &genoa.anchors, PP_BYTES(bytes))));
        forged[at] ^= (uint8_t)(1 << at % 8);
    }
    for (size_t n = 0; n < len; n++) {
        e.vek = pp_span(forged, n);
        assert_code(appraise_bytes(&e, &genoa.anchors, PP_BYTES(bytes)), PP_E_SNP_CERT_FORM);
    }
}

static void any_flipped_bit_of_a_report_is_refused_and_so_is_each_truncation(void **state)
{
    (void)state;
    struct evidence e;
    uint8_t bytes[PP_SNP_REPORT_BYTES + 1] = { 0 };

    evidence_of(&genoa, &e);
    assert_ok(sim_chip_sign(genoa.chip, &e.report, bytes));
    e.policy = (struct pp_snp_policy){ .skip = PP_SNP_SKIPPABLE,
                                       .signers = UINT32_MAX,
                                       .lines = UINT32_MAX }; /* the proof alone */
    struct pp_span report = pp_span(bytes, PP_SNP_REPORT_BYTES);
    assert_ok(appraise_bytes(&e, &genoa.anchors, report));
    for (size_t at = 0; at < report.len; at++) {
        bytes[at] ^= (uint8_t)(1 << at % 8);
        assert_false(pp_is_ok(appraise_bytes(&e, &genoa.anchors, report)));
        bytes[at] ^= (uint8_t)(1 << at % 8);
    }
    for (size_t n = 0; n <= sizeof bytes; n++)
        if (n != PP_SNP_REPORT_BYTES)
            assert_code(appraise_bytes(&e, &genoa.anchors, pp_span(bytes, n)), PP_E_SNP_FORMAT);
}

/* --- authorities ------------------------------------------------------------------------------ */

/* An authority of these names, with the genuine key of chips. */
static size_t issue_named(const char *cn, const char *issuer_cn, const struct pp_issue_key *signer,
                          uint64_t from, uint64_t until, uint8_t ret[SIM_CERT_BYTES_MAX])
{
    uint8_t spki[PP_RSA_SPKI_BYTES_MAX];
    struct pp_issue_cert c = {
        .serial = 7, .not_before = from, .not_after = until, .is_ca = 1, .path_len = 0
    };
    size_t len;

    assert_ok(pp_issue_key_spki(sim_root_ask_key(genoa.root), spki, sizeof spki, &len));
    c.spki = pp_span(spki, len);
    c.subject_count = sim_names(c.subject, cn);
    c.issuer_count = sim_names(c.issuer, issuer_cn);
    assert_ok(pp_x509_issue(&c, signer, PP_X509_SIG_PSS_SHA384, ret, SIM_CERT_BYTES_MAX, &len));
    return len;
}

/* One of Genoa, by the genuine root's name. */
static size_t issue_ask(const struct pp_issue_key *signer, uint64_t from, uint64_t until,
                        uint8_t ret[SIM_CERT_BYTES_MAX])
{
    return issue_named("SEV-Genoa", "ARK-Genoa", signer, from, until, ret);
}

static pp_res appraise_under(struct evidence *e, struct pp_span ark, struct pp_span ask)
{
    struct pp_snp_anchors anchors = { 0 };
    uint8_t bytes[PP_SNP_REPORT_BYTES];

    assert_ok(pp_snp_anchors_add(&anchors, ark, ask, (struct pp_span){ 0 }));
    assert_ok(sim_chip_sign(genoa.chip, &e->report, bytes));
    pp_res r = appraise_bytes(e, &anchors, PP_BYTES(bytes));
    pp_snp_anchors_done(&anchors);
    return r;
}

/* The link from root to authority is verified once; its validity in every appraisal. */
static void a_pinned_authority_counts_in_its_validity_alone(void **state)
{
    (void)state;
    struct evidence e;
    uint8_t ask[SIM_CERT_BYTES_MAX];
    size_t len = issue_ask(sim_root_ark_key(genoa.root), NOW - 10, NOW + 10, ask);
    struct pp_span der = pp_span(ask, len);

    evidence_of(&genoa, &e);
    assert_ok(appraise_under(&e, sim_root_ark(genoa.root), der));
    e.at = NOW - 10;
    assert_ok(appraise_under(&e, sim_root_ark(genoa.root), der));
    e.at = NOW - 11;
    assert_refused_(&e, appraise_under(&e, sim_root_ark(genoa.root), der), PP_SNP_CHECK_CHAIN,
                    PP_E_SNP_CHAIN, __FILE__, __LINE__);
    e.at = NOW + 10;
    assert_refused_(&e, appraise_under(&e, sim_root_ark(genoa.root), der), PP_SNP_CHECK_CHAIN,
                    PP_E_SNP_CHAIN, __FILE__, __LINE__);
}

static void an_authority_that_the_root_did_not_sign_certifies_nothing(void **state)
{
    (void)state;
    struct evidence e;
    uint8_t ask[SIM_CERT_BYTES_MAX];
    size_t len = issue_ask(sim_root_ask_key(genoa.root), NOW - DAY, NOW + DAY, ask);

    evidence_of(&genoa, &e);
    assert_refused_(&e, appraise_under(&e, sim_root_ark(genoa.root), pp_span(ask, len)),
                    PP_SNP_CHECK_CHAIN, PP_E_SNP_CHAIN, __FILE__, __LINE__);
}

/* X.509 compares names without regard to case (RFC 5280 7.1); here they are the exact bytes. */
static void an_authority_has_its_names_to_the_letter(void **state)
{
    (void)state;
    static const char *const names[][2] = { { "sev-genoa", "ARK-Genoa" },
                                            { "SEV-Genoa", "ark-genoa" } };
    struct evidence e;
    uint8_t ask[SIM_CERT_BYTES_MAX];

    for (size_t i = 0; i < PP_ARRAY_COUNT(names); i++) {
        size_t len = issue_named(names[i][0], names[i][1], sim_root_ark_key(genoa.root), NOW - DAY,
                                 NOW + DAY, ask);
        evidence_of(&genoa, &e);
        assert_refused_(&e, appraise_under(&e, sim_root_ark(genoa.root), pp_span(ask, len)),
                        PP_SNP_CHECK_CHAIN, PP_E_SNP_CHAIN, __FILE__, __LINE__);
    }
}

/* A root by name and by key, which its key did not sign, or which is over. */
static void a_root_must_have_signed_itself_and_be_in_force(void **state)
{
    (void)state;
    struct evidence e;
    uint8_t spki[PP_RSA_SPKI_BYTES_MAX], ark[SIM_CERT_BYTES_MAX];
    struct pp_issue_cert c = {
        .serial = 1, .not_before = NOW - DAY, .not_after = NOW + DAY, .is_ca = 1, .path_len = -1
    };
    size_t len;

    assert_ok(pp_issue_key_spki(sim_root_ark_key(genoa.root), spki, sizeof spki, &len));
    c.spki = pp_span(spki, len);
    c.subject_count = sim_names(c.subject, "ARK-Genoa");
    c.issuer_count = sim_names(c.issuer, "ARK-Genoa");
    for (int k = 0; k < 3; k++) {
        c.not_after = k == 2 ? NOW : NOW + DAY;
        assert_ok(
            pp_x509_issue(&c, k == 1 ? sim_root_ask_key(genoa.root) : sim_root_ark_key(genoa.root),
                          PP_X509_SIG_PSS_SHA384, ark, sizeof ark, &len));
        evidence_of(&genoa, &e);
        pp_res r = appraise_under(&e, pp_span(ark, len), sim_root_ask(genoa.root));
        if (k == 0)
            assert_ok(r);
        else
            assert_refused_(&e, r, PP_SNP_CHECK_CHAIN, PP_E_SNP_CHAIN, __FILE__, __LINE__);
    }
}

/* --- what comes along ------------------------------------------------------------------------- */

static void a_chain_that_comes_along_is_the_pinned_one_or_refused(void **state)
{
    (void)state;
    struct evidence e;
    uint8_t other[SIM_CERT_BYTES_MAX];
    struct pp_span ark = sim_root_ark(genoa.root);
    struct pp_span ask = sim_root_ask(genoa.root);
    const struct pp_span *const pinned[] = { &ark, &ask };

    evidence_of(&genoa, &e);
    e.ark = ark;
    e.ask = ask;
    assert_ok(appraise(&e));
    e.ark = ask;
    assert_refused(&e, CHAIN);
    e.ark = ark;
    e.ask = ark;
    assert_refused(&e, CHAIN);
    e.ask = sim_root_asvk(genoa.root); /* genuine, and not of this kind of key */
    assert_refused(&e, CHAIN);
    for (size_t k = 0; k < 2; k++)
        for (size_t at = 0; at < pinned[k]->len; at += 13) {
            memcpy(other, pinned[k]->at, pinned[k]->len);
            other[at] ^= 1;
            evidence_of(&genoa, &e);
            *(k == 0 ? &e.ark : &e.ask) = pp_span(other, pinned[k]->len);
            assert_refused(&e, CHAIN);
        }
}

static void evidence_in_a_table_is_appraised_as_evidence_in_files(void **state)
{
    (void)state;
    static uint8_t bytes[PP_SNP_TABLE_BYTES_MAX], crl[4096];
    struct pp_snp_table parts = { .vcek = sim_chip_vcek(genoa.chip),
                                  .vlek = sim_chip_vcek(vlek),
                                  .ask = sim_root_ask(genoa.root),
                                  .ark = sim_root_ark(genoa.root) };
    struct pp_snp_table table;
    uint8_t report[PP_SNP_REPORT_BYTES];
    struct evidence e;
    size_t len;

    assert_ok(sim_root_crl(genoa.root, NOW - DAY, SIM_REVOKES_NONE, crl, sizeof crl, &len));
    parts.crl = pp_span(crl, len);
    assert_ok(pp_snp_table_write(&parts, bytes, sizeof bytes, &len));
    assert_ok(pp_snp_table_parse(pp_span(bytes, len), &table));
    evidence_of(&genoa, &e);
    e.policy.skip = 0;
    assert_ok(sim_chip_sign(genoa.chip, &e.report, report));
    struct pp_snp_evidence evidence = pp_snp_evidence_of(PP_BYTES(report), &table);
    assert_ok(pp_snp_verify(&genoa.anchors, &e.policy, &evidence, NOW, &e.checks, &e.result));
    assert_int_equal(e.checks.rows[PP_SNP_CHECK_CRL - 1].verdict, PP_ATTEST_PASSED);
    table.vcek = (struct pp_span){ 0 };
    evidence = pp_snp_evidence_of(PP_BYTES(report), &table);
    assert_code(pp_snp_verify(&genoa.anchors, &e.policy, &evidence, NOW, &e.checks, &e.result),
                PP_E_SNP_CERT_FORM);
}

/* --- providers' keys -------------------------------------------------------------------------- */

/* Evidence signed by the provider's key, and a policy that takes such. */
static void vlek_evidence(struct evidence *e, uint8_t report[PP_SNP_REPORT_BYTES])
{
    evidence_of(&genoa, e);
    e->policy.signers = PP_ATTEST_BIT(PP_SNP_VLEK);
    e->policy.skip |= PP_ATTEST_BIT(PP_SNP_CHECK_HOST_ID);
    e->vek = sim_chip_vcek(vlek);
    e->report.key_info = PP_SNP_VLEK << 2;
    assert_ok(sim_chip_sign(vlek, &e->report, report));
}

static void a_providers_key_is_verified_up_to_its_own_authority(void **state)
{
    (void)state;
    static const uint8_t none[PP_SNP_CHIP_ID_BYTES];
    uint8_t report[PP_SNP_REPORT_BYTES];
    struct evidence e;

    vlek_evidence(&e, report);
    e.ask = sim_root_asvk(genoa.root);
    e.ark = sim_root_ark(genoa.root);
    assert_ok(appraise_bytes(&e, &genoa.anchors, PP_BYTES(report)));
    assert_int_equal(e.result.signer, PP_SNP_VLEK);
    assert_int_equal(e.checks.rows[PP_SNP_CHECK_HWID - 1].verdict, PP_ATTEST_SKIPPED);
    assert_memory_equal(e.result.chip_id, none, sizeof none); /* nobody certified one */
    e.policy.skip = PP_ATTEST_BIT(PP_SNP_CHECK_CRL);
    pp_res r = appraise_bytes(&e, &genoa.anchors, PP_BYTES(report));
    assert_refused_(&e, r, PP_SNP_CHECK_HOST_ID, PP_E_SNP_HOST_ID, __FILE__, __LINE__);
    e.policy.signers = PP_SNP_POLICY_STRICT.signers;
    r = appraise_bytes(&e, &genoa.anchors, PP_BYTES(report));
    assert_refused_(&e, r, PP_SNP_CHECK_KEY_INFO, PP_E_SNP_KEY_INFO, __FILE__, __LINE__);
}

static void a_masked_chip_id_is_no_fault_of_a_providers_key(void **state)
{
    (void)state;
    uint8_t report[PP_SNP_REPORT_BYTES];
    struct evidence e;

    vlek_evidence(&e, report);
    memset(e.report.chip_id, 0, sizeof e.report.chip_id);
    assert_ok(sim_chip_sign(vlek, &e.report, report));
    assert_ok(appraise_bytes(&e, &genoa.anchors, PP_BYTES(report)));
}

static void a_providers_key_under_the_authority_of_chips_is_refused(void **state)
{
    (void)state;
    uint8_t report[PP_SNP_REPORT_BYTES];
    struct sim_vcek v;
    struct evidence e;
    size_t len;

    vlek_evidence(&e, report);
    assert_ok(sim_vcek_fill(vlek, NOW - DAY, &v));
    assert_ok(pp_x509_issue(&v.cert, sim_root_ask_key(genoa.root), PP_X509_SIG_PSS_SHA384, forged,
                            sizeof forged, &len));
    e.vek = pp_span(forged, len);
    pp_res r = appraise_bytes(&e, &genoa.anchors, PP_BYTES(report));
    assert_refused_(&e, r, PP_SNP_CHECK_CHAIN, PP_E_SNP_CHAIN, __FILE__, __LINE__);
}

static void a_providers_certificate_names_the_provider_and_no_chip(void **state)
{
    (void)state;
    uint8_t report[PP_SNP_REPORT_BYTES];
    static const uint8_t id[PP_SNP_CHIP_ID_BYTES] = { 1 };
    struct evidence e;

    for (int k = 0; k < 4; k++) {
        struct sim_vcek v;
        size_t len;
        vlek_evidence(&e, report);
        assert_ok(sim_vcek_fill(vlek, NOW - DAY, &v));
        struct pp_issue_extension *csp = extension(&v.cert, AMD "5");
        if (k == 0)
            *csp = (struct pp_issue_extension){ AMD "4", PP_BYTES(id), 0 }; /* a chip instead */
        else if (k == 1)
            add(&v.cert, AMD "4", PP_BYTES(id), 0); /* both */
        else if (k == 2)
            v.cert.extension_count--; /* neither: it stands last */
        else
            csp->value = PP_STR("\x0C\x04"
                                "CN=x"); /* UTF8String */
        assert_ok(pp_x509_issue(&v.cert, sim_root_asvk_key(genoa.root), PP_X509_SIG_PSS_SHA384,
                                forged, sizeof forged, &len));
        e.vek = pp_span(forged, len);
        pp_res r = appraise_bytes(&e, &genoa.anchors, PP_BYTES(report));
        assert_refused_(&e, r, PP_SNP_CHECK_CERT_FORM, PP_E_SNP_CERT_FORM, __FILE__, k);
    }
}

/* A list is looked at for the authority that certified, and for no other. */
static void each_authority_is_revoked_for_its_own_keys(void **state)
{
    (void)state;
    static uint8_t crl[4096];
    uint8_t report[PP_SNP_REPORT_BYTES];

    for (int revoked = SIM_REVOKES_ASK; revoked <= SIM_REVOKES_ASVK; revoked++) {
        struct evidence e;
        size_t len;
        assert_ok(
            sim_root_crl(genoa.root, NOW - DAY, (enum sim_revoked)revoked, crl, sizeof crl, &len));
        evidence_of(&genoa, &e);
        e.policy.skip = 0;
        e.crl = pp_span(crl, len);
        assert_code(appraise(&e), revoked == SIM_REVOKES_ASK ? PP_E_SNP_REVOKED : PP_E_OK);
        vlek_evidence(&e, report);
        e.policy.skip &= ~PP_ATTEST_BIT(PP_SNP_CHECK_CRL);
        e.crl = pp_span(crl, len);
        assert_code(appraise_bytes(&e, &genoa.anchors, PP_BYTES(report)),
                    revoked == SIM_REVOKES_ASVK ? PP_E_SNP_REVOKED : PP_E_OK);
    }
}

/* --- clocks and sizes ------------------------------------------------------------------------- */

static void a_clock_that_is_wrong_by_ten_years_believes_nothing(void **state)
{
    (void)state;
    static const uint64_t clocks[] = { NOW - UINT64_C(10) * YEAR,
                                       NOW + UINT64_C(10) * YEAR,
                                       0,
                                       1,
                                       UINT32_MAX,
                                       INT64_MAX,
                                       UINT64_MAX };
    struct evidence e;

    for (size_t i = 0; i < PP_ARRAY_COUNT(clocks); i++) {
        evidence_of(&genoa, &e);
        e.at = clocks[i];
        assert_refused(&e, CHAIN);
    }
}

static void evidence_of_64_kib_is_refused_by_its_form(void **state)
{
    (void)state;
    static uint8_t big[64 << 10];
    uint8_t report[PP_SNP_REPORT_BYTES];
    struct pp_snp_table table;
    struct evidence e;

    evidence_of(&genoa, &e);
    assert_ok(sim_chip_sign(genoa.chip, &e.report, report));
    memcpy(big, report, sizeof report);
    assert_code(appraise_bytes(&e, &genoa.anchors, PP_BYTES(big)), PP_E_SNP_FORMAT);
    memcpy(big, e.vek.at, e.vek.len); /* the genuine certificate, and zeros behind it */
    e.vek = PP_BYTES(big);
    assert_refused(&e, CERT_FORM);
    evidence_of(&genoa, &e);
    e.policy.skip = 0;
    e.crl = PP_BYTES(big);
    assert_code(appraise(&e), PP_E_SNP_CRL_STALE);
    evidence_of(&genoa, &e);
    e.ask = PP_BYTES(big);
    assert_refused(&e, CHAIN);
    memset(big, 0xFF, sizeof big);
    assert_code(pp_snp_table_parse(PP_BYTES(big), &table), PP_E_LIMIT);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(w8_each_trap_in_a_certificate_is_seen_by_its_check),
    cmocka_unit_test(pss_with_other_parameters_is_refused_by_form),
    cmocka_unit_test(any_flipped_bit_of_a_certificate_is_refused),
    cmocka_unit_test(any_flipped_bit_of_a_report_is_refused_and_so_is_each_truncation),
    cmocka_unit_test(a_pinned_authority_counts_in_its_validity_alone),
    cmocka_unit_test(an_authority_that_the_root_did_not_sign_certifies_nothing),
    cmocka_unit_test(an_authority_has_its_names_to_the_letter),
    cmocka_unit_test(a_root_must_have_signed_itself_and_be_in_force),
    cmocka_unit_test(a_chain_that_comes_along_is_the_pinned_one_or_refused),
    cmocka_unit_test(evidence_in_a_table_is_appraised_as_evidence_in_files),
    cmocka_unit_test(a_providers_key_is_verified_up_to_its_own_authority),
    cmocka_unit_test(a_masked_chip_id_is_no_fault_of_a_providers_key),
    cmocka_unit_test(a_providers_key_under_the_authority_of_chips_is_refused),
    cmocka_unit_test(a_providers_certificate_names_the_provider_and_no_chip),
    cmocka_unit_test(each_authority_is_revoked_for_its_own_keys),
    cmocka_unit_test(a_clock_that_is_wrong_by_ten_years_believes_nothing),
    cmocka_unit_test(evidence_of_64_kib_is_refused_by_its_form),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, make, clean);
}
