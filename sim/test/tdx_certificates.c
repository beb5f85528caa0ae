/* SPDX-License-Identifier: Apache-2.0 */
/* Check 2 of a TDX appraisal: chains and platform certificates that the vendor would not make. */
#include "tdx_world.h"

#include <stdio.h>

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

/* A certificate as it should be, to be bent. */
static void begin(void)
{
    assert_ok(sim_tdx_leaf_fill(w.vendor, w.platforms[V5_15], NOW - DAY, &leaf));
}

static pp_res with_leaf(void)
{
    assert_ok(sim_tdx_leaf_issue(w.vendor, &leaf, w.platforms[V5_15]));
    evidence_of(&w, V5_15, &e);
    return appraise(&e);
}

#define assert_leaf_refused() assert_refused(&e, with_leaf(), PCK_CHAIN, PCK_CHAIN)

static struct pp_issue_extension *sgx(void)
{
    return &leaf.cert.extensions[leaf.cert.extension_count - 1];
}

static void the_certificate_as_it_should_be_passes(void **state)
{
    (void)state;
    begin();
    assert_ok(with_leaf());
}

static void certificates_outside_their_validity_are_refused(void **state)
{
    (void)state;
    begin();
    leaf.cert.not_before = NOW + 1;
    assert_leaf_refused();
    begin();
    leaf.cert.not_after = NOW - 1;
    assert_leaf_refused();
    begin();
    leaf.cert.not_before = NOW;
    leaf.cert.not_after = NOW + 1;
    assert_ok(with_leaf());
}

static void a_serial_number_of_zero_is_refused(void **state)
{
    (void)state;
    begin();
    leaf.cert.serial = 0;
    assert_leaf_refused();
    begin();
    leaf.cert.serial = UINT64_MAX; /* nine bytes, the first of them zero */
    assert_ok(with_leaf());
}

static void a_certificate_without_authority_key_identifier_is_refused(void **state)
{
    (void)state;
    begin();
    leaf.cert.extensions[0] = leaf.cert.extensions[1];
    leaf.cert.extensions[1] = leaf.cert.extensions[2];
    leaf.cert.extensions[2] = leaf.cert.extensions[3];
    leaf.cert.extensions[3] = leaf.cert.extensions[4];
    leaf.cert.extension_count--;
    assert_leaf_refused();
}

static void an_extension_twice_is_refused(void **state)
{
    (void)state;
    static const uint8_t value[] = { 0x05, 0x00 };

    for (size_t i = 0; i < 5; i++) {
        begin();
        leaf.cert.extensions[leaf.cert.extension_count] = leaf.cert.extensions[i];
        leaf.cert.extension_count++;
        assert_leaf_refused();
    }
    begin(); /* one that nobody knows is fine once, and not twice */
    struct pp_issue_extension unknown = { "1.2.3.4", PP_BYTES(value), 0 };
    leaf.cert.extensions[leaf.cert.extension_count++] = unknown;
    assert_ok(with_leaf());
    leaf.cert.extensions[leaf.cert.extension_count++] = unknown;
    assert_leaf_refused();
}

static void an_unknown_critical_extension_is_refused(void **state)
{
    (void)state;
    static const uint8_t value[] = { 0x05, 0x00 };

    begin();
    leaf.cert.extensions[leaf.cert.extension_count++] =
        (struct pp_issue_extension){ "1.2.3.4", PP_BYTES(value), 1 };
    assert_leaf_refused();
}

static void other_versions_and_keys_are_refused(void **state)
{
    (void)state;
    struct pp_ec_key *key = NULL;
    uint8_t spki[PP_P384_SPKI_BYTES];
    size_t len;

    begin();
    leaf.cert.version = 2;
    assert_leaf_refused();
    begin();
    leaf.sig = PP_X509_SIG_ECDSA_SHA384;
    assert_leaf_refused();
    assert_ok(pp_ec_key_generate(PP_P384, &key));
    assert_ok(pp_ec_key_spki(key, spki, sizeof spki, &len));
    begin();
    leaf.cert.spki = pp_span(spki, len);
    assert_leaf_refused();
    pp_ec_key_free(key);
}

/* Every attribute of both names: another text, left out, and one too many. */
static void names_are_exactly_those_of_the_pinned_root(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        begin();
        leaf.cert.subject[i].text = "ZY";
        assert_leaf_refused();
        begin();
        leaf.cert.subject[i] = leaf.cert.subject[4];
        leaf.cert.subject_count = i == 4 ? 4 : 5;
        assert_leaf_refused();
        begin();
        leaf.cert.issuer[i].text = "ZY";
        assert_leaf_refused();
    }
    begin();
    leaf.cert.subject[leaf.cert.subject_count++] = (struct pp_issue_name){ "OU", "more" };
    assert_leaf_refused();
    begin();
    leaf.cert.subject[0].text = SIM_TDX_SIGNER_CN;
    assert_leaf_refused();
    begin();
    leaf.cert.issuer[0].text = "Simulated PCK Processor CA"; /* a name of the family's, not this */
    assert_leaf_refused();
    begin();
    leaf.cert.issuer[0].text = SIM_TDX_ROOT_CN;
    assert_leaf_refused();
}

static void the_chain_has_one_form_of_three_certificates(void **state)
{
    (void)state;
    uint8_t chain[2 * SIM_TDX_CHAIN_BYTES_MAX];

    begin();
    assert_ok(with_leaf());
    /* leaf, leaf, authority, root: a fourth certificate */
    struct pp_wr wr = pp_wr_over(chain, sizeof chain);
    pp_wr_span(&wr, pp_span(e.quote.pck_chain.at, e.quote.pck_chain.len - 1));
    struct pp_span three = pp_wr_done(&wr);
    size_t first = 0;
    while (memcmp(three.at + first, "-----END", 8) != 0)
        first++;
    first += sizeof "-----END CERTIFICATE-----\n" - 1;
    uint8_t four[2 * SIM_TDX_CHAIN_BYTES_MAX];
    wr = pp_wr_over(four, sizeof four);
    pp_wr_span(&wr, pp_span(three.at, first));
    pp_wr_span(&wr, three);
    e.quote.pck_chain = pp_wr_done(&wr);
    assert_refused(&e, appraise(&e), PCK_CHAIN, PCK_CHAIN);
    /* authority and root alone */
    e.quote.pck_chain = pp_span(three.at + first, three.len - first);
    assert_refused(&e, appraise(&e), PCK_CHAIN, PCK_CHAIN);
    /* without the last NUL, and with more of them */
    e.quote.pck_chain = three;
    assert_ok(appraise(&e));
    memset(chain + three.len, 0, 100);
    e.quote.pck_chain = pp_span(chain, three.len + 100);
    assert_ok(appraise(&e));
    /* without the last line feed; with text behind, before, and behind the NUL byte */
    e.quote.pck_chain = pp_span(chain, three.len - 1);
    assert_ok(appraise(&e));
    chain[three.len] = '\n';
    e.quote.pck_chain = pp_span(chain, three.len + 1);
    assert_refused(&e, appraise(&e), PCK_CHAIN, PCK_CHAIN);
    chain[three.len] = 0;
    chain[three.len + 1] = 'x';
    e.quote.pck_chain = pp_span(chain, three.len + 2);
    assert_refused(&e, appraise(&e), PCK_CHAIN, PCK_CHAIN);
    e.quote.pck_chain = pp_span(chain + 1, three.len - 1);
    assert_refused(&e, appraise(&e), PCK_CHAIN, PCK_CHAIN);
    static const char *const texts[] = { "x\n", "\n" };
    for (size_t i = 0; i < PP_ARRAY_COUNT(texts); i++) {
        static uint8_t before[PP_TDX_PCK_CHAIN_BYTES_MAX];
        struct pp_wr with = pp_wr_over(before, sizeof before);
        pp_wr_text(&with, texts[i]);
        pp_wr_span(&with, three);
        assert_ok(pp_wr_ok(&with));
        e.quote.pck_chain = pp_wr_done(&with);
        assert_refused(&e, appraise(&e), PCK_CHAIN, PCK_CHAIN);
    }
    e.quote.pck_chain = PP_STR("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----");
    assert_refused(&e, appraise(&e), PCK_CHAIN, PCK_CHAIN);
    e.quote.pck_chain = PP_STR("\0");
    assert_refused(&e, appraise(&e), PCK_CHAIN, PCK_CHAIN);
}

static void only_a_pinned_root_counts(void **state)
{
    (void)state;
    struct world other = { 0 };
    struct world nobody = w;
    struct world intel = w;

    begin();
    assert_ok(with_leaf());
    assert_ok(world_make(&other));
    e.world = &other;
    assert_refused(&e, judge(&e), PCK_CHAIN, PCK_CHAIN);
    nobody.anchors = (struct pp_tdx_anchors){ 0 };
    e.world = &nobody;
    assert_refused(&e, judge(&e), PCK_CHAIN, PCK_CHAIN);
    intel.anchors = (struct pp_tdx_anchors){ 0 };
    assert_ok(pp_tdx_anchors_add_intel(&intel.anchors));
    assert_string_equal(intel.anchors.roots[0].label, "Intel SGX Root CA sha256:44a0196b2b99f889");
    e.world = &intel;
    assert_refused(&e, judge(&e), PCK_CHAIN, PCK_CHAIN);
    pp_tdx_anchors_done(&intel.anchors);
    world_free(&other);
}

/* --- anchors ---------------------------------------------------------------------------------- */

static void an_anchor_is_a_self_issued_root_and_stands_there_once(void **state)
{
    (void)state;
    struct pp_tdx_anchors a = { 0 };
    struct sim_tdx_vendor *more[PP_TDX_ROOTS_MAX] = { 0 };

    assert_code(
        pp_tdx_anchors_add(&a, pp_span(w.vendor->authority.cert.der, w.vendor->authority.cert.len)),
        PP_E_TRUST);
    assert_code(pp_tdx_anchors_add(&a, PP_STR("no certificate")), PP_E_TRUST);
    assert_int_equal(a.count, 0);
    assert_ok(pp_tdx_anchors_add(&a, sim_tdx_root(w.vendor)));
    assert_code(pp_tdx_anchors_add(&a, sim_tdx_root(w.vendor)), PP_E_TRUST);
    for (size_t i = 1; i < PP_TDX_ROOTS_MAX; i++) {
        assert_ok(sim_tdx_vendor_create(NOW, &more[i]));
        assert_ok(pp_tdx_anchors_add(&a, sim_tdx_root(more[i])));
    }
    assert_int_equal(a.count, PP_TDX_ROOTS_MAX);
    assert_code(pp_tdx_anchors_add_intel(&a), PP_E_LIMIT);
    assert_string_equal(a.roots[0].family, "Simulated");
    pp_tdx_anchors_done(&a);
    assert_int_equal(a.count, 0);
    for (size_t i = 1; i < PP_TDX_ROOTS_MAX; i++)
        sim_tdx_vendor_free(more[i]);
}

/* A root of this curve and name, with this unit in it (NULL: none), signed by `signer`; NULL: by
 * itself. */
static uint32_t root_code(enum pp_curve curve, const char *cn, const char *unit,
                          const struct pp_issue_key *signer)
{
    struct pp_tdx_anchors a = { 0 };
    struct pp_ec_key *key = NULL;
    struct pp_issue_key *issuer = NULL;
    uint8_t spki[PP_P384_SPKI_BYTES], der[SIM_TDX_CERT_BYTES_MAX];
    struct pp_issue_cert cert = {
        .serial = 1, .not_before = NOW - DAY, .not_after = NOW + DAY, .is_ca = 1, .path_len = -1
    };
    size_t len;

    assert_ok(pp_ec_key_generate(curve, &key));
    assert_ok(pp_issue_key_from_ec(key, &issuer));
    assert_ok(pp_ec_key_spki(key, spki, sizeof spki, &len));
    cert.spki = pp_span(spki, len);
    cert.subject_count = sim_tdx_names(cert.subject, cn);
    cert.issuer_count = sim_tdx_names(cert.issuer, cn);
    if (unit != NULL) {
        cert.subject[cert.subject_count++] = (struct pp_issue_name){ "OU", unit };
        cert.issuer[cert.issuer_count++] = (struct pp_issue_name){ "OU", unit };
    }
    assert_ok(pp_x509_issue(&cert, signer == NULL ? issuer : signer,
                            curve == PP_P256 ? PP_X509_SIG_ECDSA_SHA256 : PP_X509_SIG_ECDSA_SHA384,
                            der, sizeof der, &len));
    pp_res r = pp_tdx_anchors_add(&a, pp_span(der, len));
    assert_int_equal(a.count, pp_is_ok(r));
    pp_tdx_anchors_done(&a);
    pp_issue_key_free(issuer);
    pp_ec_key_free(key);
    return r.code;
}

static void an_anchor_is_on_p256_and_names_its_family(void **state)
{
    (void)state;
    assert_int_equal(root_code(PP_P256, "F Root CA", NULL, NULL), PP_E_OK);
    assert_int_equal(root_code(PP_P256, " Root CA", NULL, NULL), PP_E_TRUST);
    assert_int_equal(root_code(PP_P256, "F Root CB", NULL, NULL), PP_E_TRUST);
    assert_int_equal(root_code(PP_P256, "F Root CA", "U", NULL), PP_E_TRUST);
    assert_int_equal(root_code(PP_P384, "F Root CA", NULL, NULL), PP_E_TRUST);
    assert_int_equal(root_code(PP_P256, "F Root CA", NULL, w.vendor->root.issuer), PP_E_TRUST);
}

/* --- the SGX extension ------------------------------------------------------------------------ */

static void a_certificate_without_sgx_extension_is_refused(void **state)
{
    (void)state;
    begin();
    leaf.cert.extension_count--;
    assert_leaf_refused();
    begin();
    sgx()->value.len--;
    assert_leaf_refused();
    begin();
    sgx()->value = PP_STR("");
    assert_leaf_refused();
}

static struct pp_tdx_pck pck_of_platform(void)
{
    return sim_tdx_params(w.platforms[V5_15])->pck;
}

static void an_sgx_extension_comes_back_as_it_was_written(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    struct pp_tdx_pck p = pck_of_platform(), got;

    static const uint16_t limits[] = { 0, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF };
    for (size_t i = 0; i < PP_ARRAY_COUNT(limits); i++) {
        struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
        p.pce_svn = limits[i];
        p.component_svn[i] = (uint8_t)limits[i];
        p.has_instance_id = i % 2 == 0;
        memset(p.instance_id, p.has_instance_id ? 7 : 0, sizeof p.instance_id);
        sim_tdx_pck_write(&wr, &p);
        assert_ok(pp_wr_ok(&wr));
        assert_ok(pp_tdx_pck_parse(pp_wr_done(&wr), &got, NULL));
        assert_memory_equal(got.ppid, p.ppid, sizeof p.ppid);
        assert_memory_equal(got.component_svn, p.component_svn, sizeof p.component_svn);
        assert_int_equal(got.pce_svn, p.pce_svn);
        assert_memory_equal(got.cpu_svn, p.cpu_svn, sizeof p.cpu_svn);
        assert_memory_equal(got.pce_id, p.pce_id, sizeof p.pce_id);
        assert_memory_equal(got.fmspc, p.fmspc, sizeof p.fmspc);
        assert_int_equal(got.has_instance_id, p.has_instance_id);
        assert_memory_equal(got.instance_id, p.instance_id, sizeof p.instance_id);
    }
}

static void every_truncation_of_an_sgx_extension_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    struct pp_tdx_pck p = pck_of_platform(), got;
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);

    sim_tdx_pck_write(&wr, &p);
    for (size_t n = 0; n < wr.len; n++)
        assert_code(pp_tdx_pck_parse(pp_span(bytes, n), &got, NULL), PP_E_TDX_PCK_CHAIN);
    bytes[wr.len] = 0;
    assert_code(pp_tdx_pck_parse(pp_span(bytes, wr.len + 1), &got, NULL), PP_E_TDX_PCK_CHAIN);
}

/* Hexadecimal of hand-made extensions: parts are PPID, TCB, PCEID, FMSPC. */
#define OID    "060A2A864886F84D010D01" /* and one more byte */
#define TCBOID "060B2A864886F84D010D0102"
#define PPID                                                                                       \
    "301E" OID "01"                                                                                \
    "041000112233445566778899AABBCCDDEEFF"
#define PCEID                                                                                      \
    "3010" OID "03"                                                                                \
    "04020000"
#define FMSPC                                                                                      \
    "3014" OID "04"                                                                                \
    "0406"                                                                                         \
    "505053494D00"
#define SVN(n) "3010" TCBOID n "020101"
#define TEN                                                                                        \
    SVN("01")                                                                                      \
    SVN("02") SVN("03") SVN("04") SVN("05") SVN("06") SVN("07") SVN("08") SVN("09") SVN("0A")
#define SIX SVN("0B") SVN("0C") SVN("0D") SVN("0E") SVN("0F") SVN("10")
#define PCE SVN("11")
#define CPU                                                                                        \
    "301F" TCBOID "12"                                                                             \
    "0410"                                                                                         \
    "00000000000000000000000000000000"
#define REST                                                                                       \
    SVN("02")                                                                                      \
    SVN("03") SVN("04") SVN("05") SVN("06") SVN("07") SVN("08") SVN("09") SVN("0A") SIX PCE CPU

/* The extension around `parts` and a TCB of `tcb`, lengths filled in. */
static pp_res parse_hex(const char *before, const char *tcb, const char *after)
{
    uint8_t bytes[2048], inner[1024], head[1024], tail[256];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    struct pp_tdx_pck got;
    const struct {
        const char *hex;
        uint8_t *to;
    } parts[] = { { before, head }, { tcb, inner }, { after, tail } };
    size_t len[3] = { 0 };

    for (size_t i = 0; i < 3; i++)
        for (const char *h = parts[i].hex; h[0] != '\0'; h += 2) {
            unsigned byte;
            assert_int_equal(sscanf(h, "%2x", &byte), 1);
            parts[i].to[len[i]++] = (uint8_t)byte;
        }
    static const uint8_t oid[] = { 0x06, 0x0A, 0x2A, 0x86, 0x48, 0x86,
                                   0xF8, 0x4D, 0x01, 0x0D, 0x01, 0x02 };
    size_t tcb_len = sizeof oid + 4 + len[1];
    size_t with_tcb = len[1] == 0 ? 0 : 4 + tcb_len;
    pp_wr_u16(&wr, 0x3082);
    pp_wr_u16(&wr, (uint16_t)(len[0] + with_tcb + len[2]));
    pp_wr_span(&wr, pp_span(head, len[0]));
    if (len[1] > 0) {
        pp_wr_u16(&wr, 0x3082);
        pp_wr_u16(&wr, (uint16_t)tcb_len);
        pp_wr_span(&wr, PP_BYTES(oid));
        pp_wr_u16(&wr, 0x3082);
        pp_wr_u16(&wr, (uint16_t)len[1]);
        pp_wr_span(&wr, pp_span(inner, len[1]));
    }
    pp_wr_span(&wr, pp_span(tail, len[2]));
    assert_ok(pp_wr_ok(&wr));
    return pp_tdx_pck_parse(pp_wr_done(&wr), &got, NULL);
}

static void parts_of_the_sgx_extension_come_in_any_order_each_once(void **state)
{
    (void)state;
    assert_ok(parse_hex(PPID, TEN SIX PCE CPU, PCEID FMSPC));
    assert_ok(parse_hex(FMSPC PCEID PPID, CPU PCE SIX TEN, ""));
    assert_ok(parse_hex(PPID, TEN SIX PCE CPU,
                        PCEID FMSPC "300F" OID "05"
                                    "0A0101")); /* type */
    assert_ok(parse_hex(PPID, TEN SIX PCE CPU,
                        PCEID FMSPC "300E" OID "0C"
                                    "0500"));
    static const struct {
        const char *before, *tcb, *after;
    } refused[] = {
        { PPID PPID, TEN SIX PCE CPU, PCEID FMSPC },
        { PPID, TEN SIX PCE CPU, PCEID FMSPC FMSPC },
        { PPID, TEN SIX PCE CPU, PCEID PCEID FMSPC },
        { "", TEN SIX PCE CPU, PCEID FMSPC },
        { PPID, "", PCEID FMSPC },
        { PPID, TEN SIX PCE CPU, FMSPC },
        { PPID, TEN SIX PCE CPU, PCEID },
        { PPID, TEN SIX PCE, PCEID FMSPC },               /* no CPUSVN */
        { PPID, TEN SIX CPU, PCEID FMSPC },               /* no PCESVN */
        { PPID, REST, PCEID FMSPC },                      /* fifteen components */
        { PPID, TEN SIX PCE CPU SVN("01"), PCEID FMSPC }, /* one twice */
        { PPID, TEN SIX PCE CPU SVN("00"), PCEID FMSPC }, /* one too low */
        { PPID, TEN SIX PCE CPU SVN("13"), PCEID FMSPC }, /* one too high */
        { PPID, TEN SIX PCE CPU,
          PCEID FMSPC "3002"
                      "0500" }, /* no OID */
        { PPID, TEN SIX PCE CPU,
          PCEID FMSPC "300C"
                      "06082A864886F84D010D"
                      "0500" },
        { PPID, TEN SIX PCE CPU,
          PCEID FMSPC "300E" OID "00"
                      "0500" },
        { PPID, TEN SIX PCE CPU,
          PCEID FMSPC "300E"
                      "060A2A864886F84D010E01" /* somebody else's OID */
                      "0C"
                      "0500" },
    };
    for (size_t i = 0; i < PP_ARRAY_COUNT(refused); i++)
        assert_code(parse_hex(refused[i].before, refused[i].tcb, refused[i].after),
                    PP_E_TDX_PCK_CHAIN);
}

static void svns_are_der_integers_in_their_one_form(void **state)
{
    (void)state;
    static const char *const good[] = {
        "3010" TCBOID "01"
        "020100",
        "3010" TCBOID "01"
        "02017F",
        "3011" TCBOID "01"
        "02020080",
        "3011" TCBOID "01"
        "020200FF",
    };
    static const char *const bad[] = {
        "3011" TCBOID "01"
        "02020100", /* 256 */
        "3011" TCBOID "01"
        "0202FF7F", /* negative */
        "3010" TCBOID "01"
        "020180", /* negative */
        "3011" TCBOID "01"
        "0202007F", /* a needless zero */
        "300F" TCBOID "01"
        "0200", /* no byte */
        "3010" TCBOID "01"
        "040101", /* an OCTET STRING */
        "3010" TCBOID "01"
        "0A0101", /* an ENUMERATED */
        "3011" TCBOID "01"
        "02810101", /* a length in two bytes */
        "3012" TCBOID "01"
        "0282000101", /* in three */
        "3010" TCBOID "01"
        "028001", /* indefinite */
        "3011" TCBOID "01"
        "02010101", /* a byte behind it */
        "3013" TCBOID "01"
        "020400000001", /* four bytes */
    };
    char tcb[2048];

    for (size_t i = 0; i < PP_ARRAY_COUNT(good); i++) {
        snprintf(tcb, sizeof tcb, "%s%s", good[i], REST);
        assert_ok(parse_hex(PPID, tcb, PCEID FMSPC));
    }
    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++) {
        snprintf(tcb, sizeof tcb, "%s%s", bad[i], REST);
        assert_code(parse_hex(PPID, tcb, PCEID FMSPC), PP_E_TDX_PCK_CHAIN);
    }
    assert_ok(parse_hex(PPID,
                        TEN SIX "3012" TCBOID "11"
                                "020300FFFF" CPU,
                        PCEID FMSPC));
    assert_code(parse_hex(PPID,
                          TEN SIX "3012" TCBOID "11"
                                  "0203010000" CPU,
                          PCEID FMSPC),
                PP_E_TDX_PCK_CHAIN);
}

/* A length byte of 80 says that nobody knows it; 128 bytes have a length of two. */
static void a_length_that_is_not_said_is_no_length(void **state)
{
    (void)state;
    char after[512];
    static const struct {
        const char *len;
        uint32_t code;
    } cases[] = { { "8180", PP_E_OK }, { "80", PP_E_TDX_PCK_CHAIN } };

    for (size_t i = 0; i < PP_ARRAY_COUNT(cases); i++) {
        snprintf(after, sizeof after, "%s30%s%s0C%0232d", PCEID FMSPC, cases[i].len, OID, 0);
        assert_code(parse_hex(PPID, TEN SIX PCE CPU, after), cases[i].code);
    }
}

static void octet_strings_have_their_parts_length(void **state)
{
    (void)state;
    static const char *const ppids[] = {
        "301D" OID "01"
        "040F00112233445566778899AABBCCDDEE",
        "301F" OID "01"
        "041100112233445566778899AABBCCDDEEFF00",
        "301E" OID "01"
        "031000112233445566778899AABBCCDDEEFF",
        "301F" OID "01"
        "041000112233445566778899AABBCCDDEEFF00",
    };
    static const char *const instances[] = { "3010" OID "06"
                                             "04020000" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(ppids); i++)
        assert_code(parse_hex(ppids[i], TEN SIX PCE CPU, PCEID FMSPC), PP_E_TDX_PCK_CHAIN);
    assert_code(parse_hex(PPID, TEN SIX PCE CPU,
                          "300F" OID "03"
                          "040100" FMSPC),
                PP_E_TDX_PCK_CHAIN);
    assert_code(parse_hex(PPID, TEN SIX PCE CPU,
                          PCEID "3013" OID "04"
                                "0405"
                                "505053494D"),
                PP_E_TDX_PCK_CHAIN);
    assert_code(parse_hex(PPID, TEN SIX PCE CPU, PCEID FMSPC), PP_E_OK);
    char after[256];
    snprintf(after, sizeof after, "%s%s", PCEID FMSPC, instances[0]);
    assert_code(parse_hex(PPID, TEN SIX PCE CPU, after), PP_E_TDX_PCK_CHAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_certificate_as_it_should_be_passes),
        cmocka_unit_test(certificates_outside_their_validity_are_refused),
        cmocka_unit_test(a_serial_number_of_zero_is_refused),
        cmocka_unit_test(a_certificate_without_authority_key_identifier_is_refused),
        cmocka_unit_test(an_extension_twice_is_refused),
        cmocka_unit_test(an_unknown_critical_extension_is_refused),
        cmocka_unit_test(other_versions_and_keys_are_refused),
        cmocka_unit_test(names_are_exactly_those_of_the_pinned_root),
        cmocka_unit_test(the_chain_has_one_form_of_three_certificates),
        cmocka_unit_test(only_a_pinned_root_counts),
        cmocka_unit_test(an_anchor_is_a_self_issued_root_and_stands_there_once),
        cmocka_unit_test(an_anchor_is_on_p256_and_names_its_family),
        cmocka_unit_test(a_certificate_without_sgx_extension_is_refused),
        cmocka_unit_test(an_sgx_extension_comes_back_as_it_was_written),
        cmocka_unit_test(every_truncation_of_an_sgx_extension_is_refused),
        cmocka_unit_test(parts_of_the_sgx_extension_come_in_any_order_each_once),
        cmocka_unit_test(svns_are_der_integers_in_their_one_form),
        cmocka_unit_test(a_length_that_is_not_said_is_no_length),
        cmocka_unit_test(octet_strings_have_their_parts_length),
    };

    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(tests, make, clean);
}
