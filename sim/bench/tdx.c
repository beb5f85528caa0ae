/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an appraisal costs over the bare signature verifications that it stands on, all of them
 * ECDSA on P-256: platform, authority, and the signer of the documents (both come with the same
 * chain), two revocation lists, two documents, the quote, the quoting enclave's report. In: a quote
 * of 4.7 KB, 1.9 KB of documents, lists without entries; parsed anchors are kept, as a client keeps
 * them.
 */
#include <stdlib.h>

#include "bench.h"
#include "crypto.h"
#include "tdx_int.h"
#include "tdx_verify.h"
#include "yardstick_signatures.h"

enum { NOW = 1780272000, DAY = 86400, SIGNATURES = 9 };

static struct sim_tdx_vendor *vendor;
static struct sim_tdx_platform *platform;
static struct sim_tdx_collateral collateral;
static struct sim_tdx_guest guest = { .td_attributes = SIM_TDX_ATTRIBUTES, .xfam = SIM_TDX_XFAM };
static struct pp_tdx_anchors anchors;
static struct pp_tdx_policy policy;
static struct pp_tdx_evidence evidence;
static uint8_t report_data[PP_TDX_REPORT_DATA_BYTES];
static uint8_t launch[PP_TDX_LAUNCH_BYTES], host_id[PP_TDX_HOST_ID_BYTES];
static uint8_t quote[SIM_TDX_QUOTE_BYTES_MAX];

static void must(pp_res r)
{
    if (!pp_is_ok(r)) {
        fprintf(stderr, "bench: %s at %s\n", pp_code_name(r.code), r.where);
        exit(1);
    }
}

static void setup(void)
{
    struct sim_tdx_params params = sim_tdx_params_default();
    struct pp_random random = pp_random_system();
    size_t len;

    must(sim_tdx_vendor_create(NOW - DAY, &vendor));
    must(sim_tdx_platform_create(vendor, &params, &random, NOW - DAY, &platform));
    must(sim_tdx_collateral(vendor, platform, NOW - DAY, &collateral));
    must(sim_tdx_quote(platform, &guest, report_data, quote, sizeof quote, &len));
    must(pp_tdx_anchors_add(&anchors, sim_tdx_root(vendor)));
    memcpy(host_id, sim_tdx_ppid(platform), PP_TDX_ID_BYTES);
    policy = PP_TDX_POLICY_STRICT;
    policy.launches = (struct pp_attest_set){ .values = launch, .count = 1 };
    policy.host_ids = (struct pp_attest_set){ .values = host_id, .count = 1 };
    policy.report_data = report_data;
    evidence = (struct pp_tdx_evidence){
        .quote = pp_span(quote, len),
        .tcb_info = pp_span(collateral.tcb_info, collateral.tcb_info_len),
        .qe_identity = pp_span(collateral.qe_identity, collateral.qe_identity_len),
        .pck_crl = pp_span(collateral.pck_crl, collateral.pck_crl_len),
        .root_crl = pp_span(collateral.root_crl, collateral.root_crl_len),
        .tcb_info_chain = sim_tdx_signer_chain(vendor),
        .qe_identity_chain = sim_tdx_signer_chain(vendor),
    };
}

static void appraise(void)
{
    static struct pp_tdx_checks checks;
    struct pp_tdx_result result;

    must(pp_tdx_verify(&anchors, &policy, &evidence, NOW, &checks, &result));
}

static void parse(void)
{
    struct pp_tdx_quote q;
    struct pp_tdx_signed doc;
    struct pp_tdx_tcb_info info;
    struct pp_tdx_qe_identity id;

    must(pp_tdx_quote_parse(evidence.quote, &q, NULL));
    must(pp_tdx_signed_parse(evidence.tcb_info, "tcbInfo", &doc, NULL));
    must(pp_tdx_tcb_info_parse(doc.body, &info, NULL));
    must(pp_tdx_signed_parse(evidence.qe_identity, "enclaveIdentity", &doc, NULL));
    must(pp_tdx_qe_identity_parse(doc.body, &id, NULL));
}

int main(void)
{
    uint8_t out[SIM_TDX_QUOTE_BYTES_MAX];
    size_t len;

    must(pp_crypto_init());
    setup();
    if (!bench_bare_signatures_start())
        return 1;
    double p256 = BENCH("bare P-256 verification", "op", (void)bench_bare_p256_verify());
    double all = BENCH("TDX appraisal, 20 checks", "quote", appraise());
    bench_ratio("appraisal / (9 P-256)", all, SIGNATURES * p256, "aim at most 1.20");
    (void)BENCH("parsing alone: quote and both documents", "quote", parse());
    (void)BENCH("simulated quote, made and signed", "quote",
                must(sim_tdx_quote(platform, &guest, report_data, out, sizeof out, &len)));
    pp_tdx_anchors_done(&anchors);
    sim_tdx_platform_free(platform);
    sim_tdx_vendor_free(vendor);
    return 0;
}
