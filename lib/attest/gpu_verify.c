/* SPDX-License-Identifier: Apache-2.0 */
/* The order of the checks, and checks 1 to 6: is this evidence what it says it is. */
#include "gpu_int.h"

#include "ct.h"

const char *gpu_policy_name(const struct gpu_ctx *c)
{
    return c->policy->name == NULL ? "policy" : c->policy->name;
}

/* --- checks 1 to 6 ---------------------------------------------------------------------------- */

static pp_res check_format(struct gpu_ctx *c, struct pp_attest_check *row)
{
    attest_anchor(row, "DMTF DSP0274 1.1");
    PP_TRY(pp_gpu_report_parse(c->evidence->report, &c->report, &row->problem));
    pp_problem_numbers(&row->problem, "measurements", PP_GPU_BLOCKS_MAX, c->report.block_count);
    return PP_OK;
}

static pp_res check_nonce(struct gpu_ctx *c, struct pp_attest_check *row)
{
    const uint8_t *expected = c->policy->nonce;

    c->sound = 1; /* freshness is the asker's: the report may still be a genuine one */
    attest_anchor(row, c->policy->nonce_anchor == NULL ? "this session" : c->policy->nonce_anchor);
    attest_say(row, "Nonce", "the value of this session", "none was given to compare with");
    ATTEST_CHECK(row, expected != NULL);
    pp_problem_hex(&row->problem, "Nonce", pp_span(expected, PP_GPU_NONCE_BYTES),
                   PP_BYTES(c->report.nonce));
    ATTEST_CHECK(row, pp_ct_eq(expected, c->report.nonce, PP_GPU_NONCE_BYTES) == 1);
    return PP_OK;
}

static int cert_form(const struct pp_x509 *cert)
{
    return pp_x509_version(cert) == 3 && pp_x509_key_kind(cert) == PP_X509_KEY_P384 &&
           pp_x509_sig_kind(cert) == PP_X509_SIG_ECDSA_SHA384;
}

static pp_res parse_certs(struct gpu_ctx *c, struct pp_attest_check *row)
{
    const struct pp_gpu_evidence *e = c->evidence;
    size_t expected = e->root_left_out ? PP_GPU_CHAIN - 1 : PP_GPU_CHAIN;

    pp_problem_numbers(&row->problem, "certificates", expected, e->cert_count);
    ATTEST_CHECK(row, e->cert_count == expected);
    for (size_t i = 0; i < expected; i++) {
        struct pp_x509 **at = i < PP_GPU_CHAIN - 1 ? &c->certs[i] : &c->sent_root;
        pp_problem_numbers(&row->problem, "certificate, P-384 with SHA-384, number", i + 1, i + 1);
        PP_TRY_AS(row->code, pp_x509_parse(e->certs[i], at));
        ATTEST_CHECK(row, cert_form(*at));
    }
    return PP_OK;
}

/* The pinned root that is this certificate; NULL: none is. */
static const struct pp_x509 *find_pinned(const struct gpu_ctx *c, const struct pp_x509 *cert)
{
    for (size_t i = 0; i < c->anchors->count; i++)
        if (pp_x509_equal(c->anchors->devices[i], cert))
            return c->anchors->devices[i];
    return NULL;
}

/* Up to a root that was sent. One that is pinned signed itself when it became an anchor. */
static pp_res verify_sent(struct gpu_ctx *c)
{
    struct pp_x509 *chain[PP_GPU_CHAIN];

    c->root = find_pinned(c, c->sent_root);
    if (c->root != NULL)
        return pp_x509_path_verify(c->certs, PP_GPU_CHAIN - 1, c->root, c->posix_s);
    memcpy(chain, c->certs, sizeof c->certs);
    chain[PP_GPU_CHAIN - 1] = c->sent_root;
    return pp_x509_chain_verify(chain, PP_GPU_CHAIN, c->sent_root, c->posix_s, 1);
}

/*
 * With its root, the chain must be one by itself; whether that root is pinned is check 4. Without,
 * the pinned root that completes it is found here, and check 4 has nothing left to refuse but that
 * there is none.
 */
static pp_res check_chain(struct gpu_ctx *c, struct pp_attest_check *row)
{
    attest_anchor(row, "RFC 5280");
    PP_TRY(parse_certs(c, row));
    attest_say(row, "chain", "five certificates, signed and valid now", "verified");
    if (c->evidence->root_left_out) {
        for (size_t i = 0; i < c->anchors->count && c->root == NULL; i++) {
            pp_res r = pp_x509_path_verify(c->certs, PP_GPU_CHAIN - 1, c->anchors->devices[i],
                                           c->posix_s);
            if (pp_is_ok(r))
                c->root = c->anchors->devices[i];
            else if (r.code != PP_E_SIGNATURE && r.code != PP_E_RANGE)
                return r;
        }
        if (c->root == NULL && c->anchors->count > 0)
            attest_say(row, "chain", "four certificates that a pinned root completes",
                       "not valid, or of another root");
        ATTEST_CHECK(row, c->root != NULL || c->anchors->count == 0);
        return PP_OK;
    }
    pp_res r = verify_sent(c);
    if (!pp_is_ok(r))
        attest_say(row, "chain", "five certificates, signed and valid now",
                   r.code == PP_E_RANGE ? "outside its validity" : "a signature does not verify");
    if (!pp_is_ok(r) && r.code != PP_E_SIGNATURE && r.code != PP_E_RANGE)
        return r;
    ATTEST_CHECK(row, pp_is_ok(r));
    return PP_OK;
}

static pp_res check_root(struct gpu_ctx *c, struct pp_attest_check *row)
{
    attest_say(row, "root", "a pinned one", "another");
    for (size_t i = 0; i < c->anchors->count; i++) {
        if (c->root != c->anchors->devices[i])
            continue;
        attest_anchor(row, c->anchors->labels[i]);
        attest_say(row, "root", "a pinned one", c->anchors->labels[i]);
    }
    ATTEST_CHECK(row, c->root != NULL);
    return PP_OK;
}

static pp_res check_fwid(struct gpu_ctx *c, struct pp_attest_check *row)
{
    attest_anchor(row, "leaf certificate");
    attest_say(row, "FWID", "one, SHA-384, in the leaf certificate", "none that can be read");
    PP_TRY(pp_gpu_cert_fwid(c->certs[0], c->fwid));
    if (!c->report.has_fwid)
        return attest_skip(row, "the report has no firmware id to compare with");
    pp_problem_hex(&row->problem, "FWID", PP_BYTES(c->fwid), PP_BYTES(c->report.fwid));
    ATTEST_CHECK(row, pp_span_eq(PP_BYTES(c->fwid), PP_BYTES(c->report.fwid)));
    return PP_OK;
}

static pp_res check_signature(struct gpu_ctx *c, struct pp_attest_check *row)
{
    struct pp_span message = pp_span(c->evidence->report.at, c->report.signed_len);
    pp_res r = pp_x509_ecdsa_verify_raw(c->certs[0], PP_SHA384, message, c->report.r, c->report.s);

    attest_anchor(row, "key of the leaf certificate");
    attest_say(row, "report signature", "verifies", pp_is_ok(r) ? "verifies" : "does not");
    if (!pp_is_ok(r) && r.code != PP_E_SIGNATURE)
        return r;
    ATTEST_CHECK(row, pp_is_ok(r));
    return PP_OK;
}

/* --- the order -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint32_t code;
    gpu_check_fn *run;
} CHECKS[PP_GPU_CHECKS + 1] = {
    [PP_GPU_CHECK_FORMAT] = { "FORMAT", PP_E_GPU_FORMAT, check_format },
    [PP_GPU_CHECK_NONCE] = { "NONCE", PP_E_GPU_NONCE, check_nonce },
    [PP_GPU_CHECK_CHAIN] = { "CHAIN", PP_E_GPU_CHAIN, check_chain },
    [PP_GPU_CHECK_ROOT] = { "ROOT", PP_E_GPU_ROOT, check_root },
    [PP_GPU_CHECK_FWID] = { "FWID", PP_E_GPU_FWID, check_fwid },
    [PP_GPU_CHECK_SIGNATURE] = { "SIGNATURE", PP_E_GPU_SIGNATURE, check_signature },
    [PP_GPU_CHECK_ARCH] = { "ARCH", PP_E_GPU_ARCH, gpu_check_arch },
    [PP_GPU_CHECK_MODE] = { "MODE", PP_E_GPU_MODE, gpu_check_mode },
    [PP_GPU_CHECK_DRIVER_VERSION] = { "DRIVER_VERSION", PP_E_GPU_DRIVER_VERSION,
                                      gpu_check_driver_version },
    [PP_GPU_CHECK_VBIOS_VERSION] = { "VBIOS_VERSION", PP_E_GPU_VBIOS_VERSION,
                                     gpu_check_vbios_version },
    [PP_GPU_CHECK_RIM_SET] = { "RIM_SET", PP_E_GPU_RIM_SET, gpu_check_rim_set },
    [PP_GPU_CHECK_RIM_FORMAT] = { "RIM_FORMAT", PP_E_GPU_RIM_FORMAT, gpu_check_rim },
    [PP_GPU_CHECK_RIM_DIGEST] = { "RIM_DIGEST", PP_E_GPU_RIM_DIGEST, gpu_check_rim },
    [PP_GPU_CHECK_RIM_SIGNATURE] = { "RIM_SIGNATURE", PP_E_GPU_RIM_SIGNATURE, gpu_check_rim },
    [PP_GPU_CHECK_RIM_CHAIN] = { "RIM_CHAIN", PP_E_GPU_RIM_CHAIN, gpu_check_rim },
    [PP_GPU_CHECK_RIM_EXPIRED] = { "RIM_EXPIRED", PP_E_GPU_RIM_EXPIRED, gpu_check_rim_expired },
    [PP_GPU_CHECK_RIM_CONFLICT] = { "RIM_CONFLICT", PP_E_GPU_RIM_CONFLICT, gpu_check_rim_conflict },
    [PP_GPU_CHECK_MEASUREMENT] = { "MEASUREMENT", PP_E_GPU_MEASUREMENT, gpu_check_measurement },
    [PP_GPU_CHECK_OCSP] = { "OCSP", PP_E_GPU_OCSP, gpu_check_ocsp },
};

const char *pp_gpu_check_name(enum pp_gpu_check_number number)
{
    PP_ASSERT(number >= 1 && number <= PP_GPU_CHECKS);
    return CHECKS[number].name;
}

static pp_res run_row(struct gpu_ctx *c, struct pp_attest_check *row)
{
    c->sound = 0;
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

static pp_res run_all(struct gpu_ctx *c, struct pp_gpu_checks *checks)
{
    pp_res first = PP_OK;
    int stopped = 0;

    for (int n = 1; n <= PP_GPU_CHECKS && !stopped; n++) {
        pp_res r = run_row(c, &checks->rows[n - 1]);
        if (pp_is_ok(first))
            first = r;
        stopped = !pp_is_ok(r) && !c->sound;
    }
    if (pp_is_ok(first) && checks->rows[PP_GPU_CHECK_MEASUREMENT - 1].verdict != PP_ATTEST_PASSED)
        first = PP_FAIL(PP_E_GPU_UNMEASURED, PP_GPU_CHECK_MEASUREMENT);
    return first;
}

static struct pp_gpu_result result_of(const struct gpu_ctx *c, const struct pp_gpu_checks *checks)
{
    struct pp_gpu_result result = { .arch = c->arch, .mode = c->mode };

    memcpy(result.driver, c->report.driver, sizeof result.driver);
    memcpy(result.vbios, c->report.vbios, sizeof result.vbios);
    memcpy(result.fwid, c->fwid, sizeof result.fwid);
    memcpy(result.nonce, c->report.nonce, sizeof result.nonce);
    pp_x509_digest(c->certs[1], result.device_id);
    for (size_t i = 0; i < PP_GPU_CHECKS; i++)
        if (checks->rows[i].verdict == PP_ATTEST_SKIPPED)
            result.skipped |= PP_ATTEST_BIT(i + 1);
    return result;
}

pp_res pp_gpu_verify(const struct pp_gpu_anchors *anchors, const struct pp_gpu_policy *policy,
                     const struct pp_gpu_evidence *evidence, uint64_t posix_s,
                     struct pp_gpu_checks *checks, struct pp_gpu_result *ret)
{
    struct gpu_ctx c = {
        .anchors = anchors, .policy = policy, .evidence = evidence, .posix_s = posix_s
    };

    *checks = (struct pp_gpu_checks){ 0 };
    for (int n = 1; n <= PP_GPU_CHECKS; n++) {
        checks->rows[n - 1].number = (uint32_t)n;
        checks->rows[n - 1].code = CHECKS[n].code;
        pp_ignore(attest_skip(&checks->rows[n - 1], "not reached"), "says only why");
    }
    PP_CHECK((policy->skip & ~PP_GPU_SKIPPABLE) == 0, PP_E_STATE, policy->skip);
    pp_res r = run_all(&c, checks);
    if (pp_is_ok(r))
        *ret = result_of(&c, checks);
    for (size_t i = 0; i < PP_ARRAY_COUNT(c.certs); i++)
        pp_x509_free(c.certs[i]);
    pp_x509_free(c.sent_root);
    for (size_t i = 0; i < PP_GPU_OCSP_MAX; i++)
        pp_ocsp_free(c.ocsp[i]);
    return r;
}
