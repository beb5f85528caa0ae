/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an appraisal costs over the bare signature verifications that it contains, all of them ECDSA
 * on P-256. Cold, that is nine: platform, authority, the signer of the documents (both come with
 * the same chain), two revocation lists, two documents, the quote, the quoting enclave's report. Of
 * a new platform, with collateral that was kept, four: platform, authority, quote, enclave. Of a
 * platform that was seen before, two: quote and enclave. In: a quote of 4.7 KB, 1.9 KB of
 * documents, lists without entries; parsed anchors are kept, as a client keeps them.
 */
#include <stdlib.h>

#include "allocations.h"
#include "bench.h"
#include "crypto.h"
#include "tdx_int.h"
#include "tdx_verify.h"
#include "yardstick_signatures.h"

enum { NOW = 1780272000, DAY = 86400, COLD = 9, NEW_PLATFORM = 4, WARM = 2 };

static struct sim_tdx_vendor *vendor;
static struct sim_tdx_platform *platform;
static struct sim_tdx_collateral collateral;
static struct sim_tdx_guest guest = { .td_attributes = SIM_TDX_ATTRIBUTES, .xfam = SIM_TDX_XFAM };
static struct pp_tdx_anchors anchors;
static struct pp_tdx_kept kept;
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

/* As if a platform were seen for the first time, whose collateral was not. */
static void appraise_new(void)
{
    for (size_t i = 0; i < PP_TDX_KEPT_PLATFORMS; i++)
        kept.platforms[i].pem[0]++;
    appraise();
}

static void print_memory(const char *label)
{
    long live = allocation_live;
    unsigned long own = allocation_count_own;
    unsigned long count = allocation_count;

    allocation_peak = live;
    appraise();
    printf("%-58s %10.1f KiB  (aim below 256.0)\n", label, (double)(allocation_peak - live) / 1024);
    printf("%-58s %10lu ours, %lu OpenSSL's\n", "  its allocations", allocation_count_own - own,
           allocation_count - count - (allocation_count_own - own));
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
    double cold = BENCH("TDX appraisal, 20 checks, nothing kept", "quote", appraise());
    bench_ratio("appraisal / (9 P-256)", cold, COLD * p256, "no aim: once a bundle");
    print_memory("heap of it, at most");
    long live = allocation_live;
    anchors.kept = &kept;
    appraise();
    double some = BENCH("TDX appraisal, new platform, collateral kept", "quote", appraise_new());
    bench_ratio("appraisal / (4 P-256)", some, NEW_PLATFORM * p256, "no aim: once a platform");
    double warm = BENCH("TDX appraisal, platform and collateral kept", "quote", appraise());
    bench_ratio("appraisal / (2 P-256)", warm, WARM * p256, "aim at most 1.20");
    print_memory("heap of it, at most");
    printf("%-58s %10.1f KiB, and %.1f of heap for 8 platforms\n", "memory of what is kept",
           (double)sizeof kept / 1024, (double)(allocation_live - live) / 1024);
    (void)BENCH("parsing alone: quote and both documents", "quote", parse());
    (void)BENCH("simulated quote, made and signed", "quote",
                must(sim_tdx_quote(platform, &guest, report_data, out, sizeof out, &len)));
    pp_tdx_anchors_done(&anchors);
    sim_tdx_platform_free(platform);
    sim_tdx_vendor_free(vendor);
    return 0;
}
