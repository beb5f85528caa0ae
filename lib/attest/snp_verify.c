/* SPDX-License-Identifier: Apache-2.0 */
/* The order of the checks, and checks 1 to 10: is this evidence what it says it is. */
#include "snp_int.h"

#include "wr.h"

enum { SIGNATURE_ALGO_P384_SHA384 = 1, P384_BYTES = 48, RSA_BITS = 4096, SALT_BYTES = 48 };

/* --- rows ------------------------------------------------------------------------------------- */

const char *snp_policy_name(const struct snp_ctx *c)
{
    return c->policy->name == NULL ? "policy" : c->policy->name;
}

static void write_tcb(struct pp_wr *wr, enum pp_snp_line line, const struct pp_snp_tcb *tcb)
{
    struct pp_snp_tcb_parts p = pp_snp_tcb_split(line, tcb);
    const struct {
        const char *name;
        uint8_t level;
    } parts[] = {
        { "bl ", p.boot_loader }, { " tee ", p.tee }, { " snp ", p.snp }, { " ucode ", p.microcode }
    };

    if (pp_snp_line_is_turin_like(line)) {
        pp_wr_text(wr, "fmc ");
        pp_wr_decimal(wr, p.fmc);
        pp_wr_text(wr, " ");
    }
    for (size_t i = 0; i < PP_ARRAY_COUNT(parts); i++) {
        pp_wr_text(wr, parts[i].name);
        pp_wr_decimal(wr, parts[i].level);
    }
    if ((p.reserved[0] | p.reserved[1] | p.reserved[2] | p.reserved[3]) != 0) {
        pp_wr_text(wr, " reserved ");
        pp_wr_hex(wr, PP_BYTES(p.reserved));
    }
}

void snp_say_tcb(struct pp_attest_check *row, const char *field, enum pp_snp_line line,
                 const char *relation, const struct pp_snp_tcb *expected,
                 const struct pp_snp_tcb *got)
{
    char want[128], have[128];
    struct pp_wr wr = pp_wr_over(want, sizeof want);

    pp_wr_text(&wr, relation);
    write_tcb(&wr, line, expected);
    pp_wr_u8(&wr, 0);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    wr = pp_wr_over(have, sizeof have);
    write_tcb(&wr, line, got);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    pp_problem_set(&row->problem, field, want, pp_wr_done(&wr));
}

/* --- checks 1 to 10 --------------------------------------------------------------------------- */

static pp_res check_format(struct snp_ctx *c, struct pp_attest_check *row)
{
    uint32_t version_min = c->policy->version_min;

    attest_anchor(row, "AMD 56860");
    PP_TRY(pp_snp_report_parse(c->evidence->report, &c->report, &row->problem));
    attest_say_number(row, "VERSION", version_min > 2 ? "3 to 5, as the policy asks" : "2 to 5",
                      c->report.version);
    c->sound = 1;
    ATTEST_CHECK(row, c->report.version >= version_min);
    return PP_OK;
}

static pp_res check_key_info(struct snp_ctx *c, struct pp_attest_check *row)
{
    uint32_t signer = pp_snp_signing_key(&c->report);

    attest_anchor(row, snp_policy_name(c));
    attest_say_number(row, "SIGNATURE_ALGO", "0x1 (ECDSA P-384 with SHA-384)",
                      c->report.signature_algo);
    ATTEST_CHECK(row, c->report.signature_algo == SIGNATURE_ALGO_P384_SHA384);
    attest_say(row, "MASK_CHIP_KEY", "0", "1");
    ATTEST_CHECK(row, !pp_snp_mask_chip_key(&c->report));
    attest_say(row, "SIGNING_KEY", "a signer that the policy accepts",
               signer == PP_SNP_VCEK   ? "VCEK"
               : signer == PP_SNP_VLEK ? "VLEK"
                                       : "none or reserved");
    ATTEST_CHECK(row, signer == PP_SNP_VCEK || signer == PP_SNP_VLEK);
    c->signer = (enum pp_snp_signer)signer;
    c->sound = 1;
    ATTEST_CHECK(row, (c->policy->signers & PP_ATTEST_BIT(signer)) != 0);
    return PP_OK;
}

/* The line that the issuer's CN names: "SEV-Genoa" for VCEKs, "SEV-VLEK-Genoa" for VLEKs. */
static pp_res find_line(struct snp_ctx *c, struct pp_attest_check *row)
{
    char cn[PP_X509_NAME_BYTES_MAX] = { 0 };
    struct pp_span prefix = c->signer == PP_SNP_VLEK ? PP_STR("SEV-VLEK-") : PP_STR("SEV-");
    pp_res r = pp_x509_name(c->vek, PP_X509_ISSUER, "CN", cn);
    struct pp_span name = pp_span_cstr(cn);

    attest_say(row, "issuer CN", c->signer == PP_SNP_VLEK ? "SEV-VLEK-<line>" : "SEV-<line>", cn);
    ATTEST_CHECK(row, pp_is_ok(r) && name.len > prefix.len &&
                          pp_span_eq(pp_span(name.at, prefix.len), prefix));
    c->line = pp_snp_line_by_name(pp_span(name.at + prefix.len, name.len - prefix.len));
    ATTEST_CHECK(row, c->line != PP_SNP_LINE_NONE);
    return PP_OK;
}

static pp_res check_names(struct snp_ctx *c, struct pp_attest_check *row)
{
    const struct pp_snp_root *root = pp_snp_anchors_find(c->anchors, c->line);
    const char *issuer = c->signer == PP_SNP_VLEK ? "SEV-VLEK-" : "SEV-";
    const char *subject = c->signer == PP_SNP_VLEK ? "SEV-VLEK" : "SEV-VCEK";

    if (root == NULL) /* nothing to compare with: check 4 fails for want of an anchor */
        return PP_OK;
    attest_anchor(row, root->label);
    PP_TRY(snp_names_check(c->vek, PP_X509_SUBJECT, &root->names, subject, "", &row->problem));
    return snp_names_check(c->vek, PP_X509_ISSUER, &root->names, issuer, pp_snp_line_name(c->line),
                           &row->problem);
}

static pp_res check_cert_form(struct snp_ctx *c, struct pp_attest_check *row)
{
    attest_say(row, "VEK certificate", "one X.509 certificate in DER", "something else");
    PP_TRY_AS(row->code, pp_x509_parse(c->evidence->vek, &c->vek));
    attest_say_number(row, "version", "3", (uint64_t)pp_x509_version(c->vek));
    ATTEST_CHECK(row, pp_x509_version(c->vek) == 3);
    attest_say(row, "public key", "EC P-384, named curve, uncompressed", "another");
    ATTEST_CHECK(row, pp_x509_key_kind(c->vek) == PP_X509_KEY_P384);
    attest_say(row, "signature algorithm", "RSASSA-PSS, SHA-384, MGF1 SHA-384, salt 48", "another");
    ATTEST_CHECK(row, pp_x509_sig_kind(c->vek) == PP_X509_SIG_PSS_SHA384);
    PP_TRY(find_line(c, row));
    PP_TRY(check_names(c, row));
    PP_TRY(pp_snp_extensions_of(c->vek, &c->ext, &row->problem));
    attest_say(row, "HWID", "in a VCEK and not in a VLEK",
               c->ext.hwid_len > 0 ? "present" : "absent");
    ATTEST_CHECK(row, (c->ext.hwid_len > 0) == (c->signer == PP_SNP_VCEK));
    attest_say_number(row, "structVersion", "the line's", c->ext.struct_version);
    ATTEST_CHECK(row, (c->ext.struct_version == 1) == pp_snp_line_is_turin_like(c->line));
    c->certified_tcb = pp_snp_tcb_join(c->line, &c->ext.tcb);
    attest_say(row, "subject CN", c->signer == PP_SNP_VLEK ? "SEV-VLEK" : "SEV-VCEK",
               c->signer == PP_SNP_VLEK ? "SEV-VLEK" : "SEV-VCEK");
    return PP_OK;
}

/* Root and authority are pinned; that they are of the form that the chain asks for is checked here.
 */
static int authority_form(const struct pp_x509 *cert)
{
    return pp_x509_version(cert) == 3 && pp_x509_key_kind(cert) == PP_X509_KEY_RSA &&
           pp_x509_key_bits(cert) == RSA_BITS && pp_x509_sig_kind(cert) == PP_X509_SIG_PSS_SHA384;
}

/* A certificate that came along: none, or byte by byte the one that we have anyway. */
static int is_pinned(struct pp_span stapled, const struct pp_x509 *pinned)
{
    return stapled.len == 0 || pp_span_eq(stapled, pp_x509_der(pinned));
}

static int in_force(const struct pp_x509 *cert, uint64_t posix_s)
{
    return pp_x509_not_before(cert) <= posix_s && posix_s < pp_x509_not_after(cert);
}

static pp_res check_chain(struct snp_ctx *c, struct pp_attest_check *row)
{
    const struct pp_snp_root *root = pp_snp_anchors_find(c->anchors, c->line);
    const char *line = pp_snp_line_name(c->line);
    int vlek = c->signer == PP_SNP_VLEK;
    struct pp_x509 *authority = root == NULL ? NULL : vlek ? root->asvk : root->ask;

    attest_say(row, "root", "a pinned root of the line", line);
    ATTEST_CHECK(row, root != NULL);
    attest_anchor(row, root->label);
    attest_say(row, "authority", "one below the pinned root for this signer", "none");
    ATTEST_CHECK(row, authority != NULL);
    attest_say(row, "authority", "X.509 v3, RSA-4096, PSS with SHA-384", "another form");
    ATTEST_CHECK(row, authority_form(root->ark) && authority_form(authority));
    PP_TRY_AS(row->code, snp_names_check(authority, PP_X509_SUBJECT, &root->names,
                                         vlek ? "SEV-VLEK-" : "SEV-", line, &row->problem));
    PP_TRY_AS(row->code, snp_names_check(authority, PP_X509_ISSUER, &root->names, "ARK-", line,
                                         &row->problem));

    attest_say(row, "stapled chain", "none, or the pinned certificates", "others");
    ATTEST_CHECK(row, is_pinned(c->evidence->ark, root->ark));
    ATTEST_CHECK(row, is_pinned(c->evidence->ask, authority));
    attest_say(row, "authority", "certified by the pinned root", "not");
    ATTEST_CHECK(row, vlek ? root->asvk_is_certified : root->ask_is_certified);
    attest_say(row, "root", "in force now", "outside its validity");
    ATTEST_CHECK(row, in_force(root->ark, c->posix_s));
    pp_res r = pp_x509_link_verify(c->vek, authority, c->posix_s); /* and both are in force */
    attest_say(row, "chain", "three certificates, signed and valid now",
               pp_is_ok(r)            ? "verified"
               : r.code == PP_E_RANGE ? "outside its validity"
                                      : "a signature does not verify");
    ATTEST_CHECK(row, pp_is_ok(r));
    c->root = root;
    return PP_OK;
}

/* AMD lists authorities; a chip's serial is looked for too, although all of them are 0 today. */
static pp_res check_crl(struct snp_ctx *c, struct pp_attest_check *row)
{
    const struct pp_x509 *const certs[] = { c->signer == PP_SNP_VLEK ? c->root->asvk : c->root->ask,
                                            c->vek };
    struct pp_x509_crl *crl = NULL;
    int is_listed = 0;

    c->sound = 1;
    attest_anchor(row, c->root->label);
    attest_say(row, "revocation list", "one in force, signed by the root", "none came");
    PP_CHECK(c->evidence->crl.len > 0, PP_E_SNP_CRL_STALE, row->number);
    pp_res r = pp_x509_crl_open(c->evidence->crl, c->root->ark, c->posix_s, &crl);
    attest_say(row, "revocation list", "one in force, signed by the root",
               r.code == PP_E_RANGE ? "not in force now" : "malformed or not the root's");
    PP_TRY_AS(PP_E_SNP_CRL_STALE, r);
    for (size_t i = 0; i < PP_ARRAY_COUNT(certs); i++)
        is_listed |= pp_x509_crl_has(crl, certs[i]);
    pp_x509_crl_free(crl);
    attest_say(row, "revocation list", "does not name this chain",
               is_listed ? "names it" : "does not");
    PP_CHECK(!is_listed, PP_E_SNP_REVOKED, row->number);
    return PP_OK;
}

static pp_res check_product(struct snp_ctx *c, struct pp_attest_check *row)
{
    const struct pp_snp_report *r = &c->report;

    attest_anchor(row, c->root->label);
    attest_say(row, "productName", pp_snp_line_name(c->line), c->ext.product);
    ATTEST_CHECK(row, pp_snp_line_of_product(c->ext.product) == c->line);
    if (r->version >= 3) {
        enum pp_snp_line line = pp_snp_line_by_cpuid(r->cpuid_family, r->cpuid_model);
        attest_say(row, "CPUID family and model", pp_snp_line_name(c->line),
                   pp_snp_line_name(line));
        ATTEST_CHECK(row, line == c->line);
    }
    attest_say(row, "line", "one that the policy accepts", pp_snp_line_name(c->line));
    c->sound = 1;
    ATTEST_CHECK(row, (c->policy->lines & PP_ATTEST_BIT(c->line)) != 0);
    return PP_OK;
}

/* A little-endian integer of 72 bytes as 48 big-endian ones; 0 when it does not fit. */
static int to_big_endian(const uint8_t le[PP_SNP_SIGNATURE_INT_BYTES], uint8_t ret[P384_BYTES])
{
    uint8_t high = 0;

    for (size_t i = P384_BYTES; i < PP_SNP_SIGNATURE_INT_BYTES; i++)
        high |= le[i];
    for (size_t i = 0; i < P384_BYTES; i++)
        ret[i] = le[P384_BYTES - 1 - i];
    return high == 0;
}

static pp_res check_signature(struct snp_ctx *c, struct pp_attest_check *row)
{
    uint8_t r[P384_BYTES], s[P384_BYTES];
    struct pp_span message = pp_span(c->evidence->report.at, PP_SNP_SIGNED_BYTES);

    attest_anchor(row, "key of the VEK certificate");
    attest_say(row, "R, S", "48 significant bytes each", "more");
    ATTEST_CHECK(row, to_big_endian(c->report.r, r) && to_big_endian(c->report.s, s));
    pp_res v = pp_x509_ecdsa_verify_raw(c->vek, PP_SHA384, message, r, s);
    attest_say(row, "report signature", "verifies", pp_is_ok(v) ? "verifies" : "does not");
    if (!pp_is_ok(v) && v.code != PP_E_SIGNATURE)
        return v;
    ATTEST_CHECK(row, pp_is_ok(v));
    return PP_OK;
}

static pp_res check_hwid(struct snp_ctx *c, struct pp_attest_check *row)
{
    static const uint8_t masked[PP_SNP_CHIP_ID_BYTES];

    if (c->signer == PP_SNP_VLEK)
        return attest_skip(row, "a VLEK names no chip");
    attest_anchor(row, "HWID of the VCEK certificate");
    pp_problem_hex(&row->problem, "CHIP_ID", PP_BYTES(c->ext.hwid), PP_BYTES(c->report.chip_id));
    ATTEST_CHECK(row, !pp_span_eq(PP_BYTES(c->report.chip_id), PP_BYTES(masked)));
    ATTEST_CHECK(row, pp_span_eq(PP_BYTES(c->report.chip_id), PP_BYTES(c->ext.hwid)));
    return PP_OK;
}

static pp_res check_tcb_cert(struct snp_ctx *c, struct pp_attest_check *row)
{
    attest_anchor(row, "levels in the VEK certificate");
    snp_say_tcb(row, "REPORTED_TCB", c->line, "", &c->certified_tcb, &c->report.reported_tcb);
    ATTEST_CHECK(row, pp_snp_tcb_eq(&c->certified_tcb, &c->report.reported_tcb));
    return PP_OK;
}

/* AMD 56860: REPORTED_TCB <= COMMITTED_TCB <= CURRENT_TCB. */
static pp_res check_tcb_order(struct snp_ctx *c, struct pp_attest_check *row)
{
    const struct pp_snp_report *r = &c->report;

    attest_anchor(row, "AMD 56860");
    snp_say_tcb(row, "COMMITTED_TCB", c->line, "at most ", &r->current_tcb, &r->committed_tcb);
    ATTEST_CHECK(row, pp_snp_tcb_le(&r->committed_tcb, &r->current_tcb));
    snp_say_tcb(row, "certified TCB", c->line, "at most ", &r->current_tcb, &c->certified_tcb);
    ATTEST_CHECK(row, pp_snp_tcb_le(&c->certified_tcb, &r->current_tcb));
    snp_say_tcb(row, "REPORTED_TCB", c->line, "at most ", &r->committed_tcb, &r->reported_tcb);
    ATTEST_CHECK(row, pp_snp_tcb_le(&r->reported_tcb, &r->committed_tcb));
    return PP_OK;
}

/* --- the order -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint32_t code;
    snp_check_fn *run;
} CHECKS[PP_SNP_CHECKS + 1] = {
    [PP_SNP_CHECK_FORMAT] = { "FORMAT", PP_E_SNP_FORMAT, check_format },
    [PP_SNP_CHECK_KEY_INFO] = { "KEY_INFO", PP_E_SNP_KEY_INFO, check_key_info },
    [PP_SNP_CHECK_CERT_FORM] = { "CERT_FORM", PP_E_SNP_CERT_FORM, check_cert_form },
    [PP_SNP_CHECK_CHAIN] = { "CHAIN", PP_E_SNP_CHAIN, check_chain },
    [PP_SNP_CHECK_CRL] = { "CRL", PP_E_SNP_CRL_STALE, check_crl },
    [PP_SNP_CHECK_PRODUCT] = { "PRODUCT", PP_E_SNP_PRODUCT, check_product },
    [PP_SNP_CHECK_SIGNATURE] = { "SIGNATURE", PP_E_SNP_SIGNATURE, check_signature },
    [PP_SNP_CHECK_HWID] = { "HWID", PP_E_SNP_HWID, check_hwid },
    [PP_SNP_CHECK_TCB_CERT] = { "TCB_CERT", PP_E_SNP_TCB_CERT, check_tcb_cert },
    [PP_SNP_CHECK_TCB_ORDER] = { "TCB_ORDER", PP_E_SNP_TCB_ORDER, check_tcb_order },
    [PP_SNP_CHECK_PROVISIONAL] = { "PROVISIONAL", PP_E_SNP_PROVISIONAL, snp_check_provisional },
    [PP_SNP_CHECK_TCB_MIN] = { "TCB_MIN", PP_E_SNP_TCB_MIN, snp_check_tcb_min },
    [PP_SNP_CHECK_FW_MIN] = { "FW_MIN", PP_E_SNP_FW_MIN, snp_check_fw_min },
    [PP_SNP_CHECK_MITIGATION] = { "MITIGATION", PP_E_SNP_MITIGATION, snp_check_mitigation },
    [PP_SNP_CHECK_POLICY] = { "POLICY", PP_E_SNP_POLICY, snp_check_policy },
    [PP_SNP_CHECK_PLATFORM] = { "PLATFORM", PP_E_SNP_PLATFORM, snp_check_platform },
    [PP_SNP_CHECK_VMPL] = { "VMPL", PP_E_SNP_VMPL, snp_check_vmpl },
    [PP_SNP_CHECK_MIGRATION] = { "MIGRATION", PP_E_SNP_MIGRATION, snp_check_migration },
    [PP_SNP_CHECK_MEASUREMENT] = { "MEASUREMENT", PP_E_SNP_MEASUREMENT, snp_check_measurement },
    [PP_SNP_CHECK_HOST_DATA] = { "HOST_DATA", PP_E_SNP_HOST_DATA, snp_check_host_data },
    [PP_SNP_CHECK_ID_BLOCK] = { "ID_BLOCK", PP_E_SNP_ID_BLOCK, snp_check_id_block },
    [PP_SNP_CHECK_HOST_ID] = { "HOST_ID", PP_E_SNP_HOST_ID, snp_check_host_id },
    [PP_SNP_CHECK_BINDING] = { "BINDING", PP_E_SNP_BINDING, snp_check_binding },
};

const char *pp_snp_check_name(enum pp_snp_check_number number)
{
    PP_ASSERT(number >= 1 && number <= PP_SNP_CHECKS);
    return CHECKS[number].name;
}

static pp_res run_row(struct snp_ctx *c, struct pp_attest_check *row)
{
    c->sound = row->number > PP_SNP_CHECK_TCB_ORDER; /* from here on all is the policy's */
    if ((c->policy->skip & PP_ATTEST_BIT(row->number)) != 0)
        return attest_skip(row, "not asked for");
    row->verdict = PP_ATTEST_PASSED;
    pp_res r = CHECKS[row->number].run(c, row);
    if (!pp_is_ok(r)) {
        row->verdict = PP_ATTEST_FAILED;
        row->code = r.code;
        r.detail = row->number;
    }
    return r;
}

static pp_res run_all(struct snp_ctx *c, struct pp_snp_checks *checks)
{
    pp_res first = PP_OK;
    int stopped = 0;

    for (int n = 1; n <= PP_SNP_CHECKS && !stopped; n++) {
        pp_res r = run_row(c, &checks->rows[n - 1]);
        if (pp_is_ok(first))
            first = r;
        stopped = !pp_is_ok(r) && !c->sound;
    }
    return first;
}

static struct pp_snp_result result_of(const struct snp_ctx *c, const struct pp_snp_checks *checks)
{
    struct pp_snp_result result = {
        .line = c->line,
        .version = c->report.version,
        .signer = c->signer,
        .certified_tcb = c->certified_tcb,
        .policy = c->report.policy,
        .platform_info = c->report.platform_info,
        .vmpl = c->report.vmpl,
        .guest_svn = c->report.guest_svn,
    };

    memcpy(result.chip_id, c->ext.hwid, sizeof result.chip_id);
    memcpy(result.measurement, c->report.measurement, sizeof result.measurement);
    memcpy(result.report_data, c->report.report_data, sizeof result.report_data);
    memcpy(result.host_data, c->report.host_data, sizeof result.host_data);
    for (size_t i = 0; i < PP_SNP_CHECKS; i++)
        if (checks->rows[i].verdict == PP_ATTEST_SKIPPED)
            result.skipped |= PP_ATTEST_BIT(i + 1);
    return result;
}

pp_res pp_snp_verify(const struct pp_snp_anchors *anchors, const struct pp_snp_policy *policy,
                     const struct pp_snp_evidence *evidence, uint64_t posix_s,
                     struct pp_snp_checks *checks, struct pp_snp_result *ret)
{
    struct snp_ctx c = {
        .anchors = anchors, .policy = policy, .evidence = evidence, .posix_s = posix_s
    };

    *checks = (struct pp_snp_checks){ 0 };
    for (int n = 1; n <= PP_SNP_CHECKS; n++) {
        checks->rows[n - 1].number = (enum pp_snp_check_number)n;
        checks->rows[n - 1].code = CHECKS[n].code;
        pp_ignore(attest_skip(&checks->rows[n - 1], "not reached"), "says only why");
    }
    PP_CHECK((policy->skip & ~PP_SNP_SKIPPABLE) == 0, PP_E_STATE, policy->skip);
    pp_res r = run_all(&c, checks);
    pp_x509_free(c.vek);
    PP_TRY(r);
    *ret = result_of(&c, checks);
    return PP_OK;
}
