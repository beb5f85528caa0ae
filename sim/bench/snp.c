/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an appraisal costs over the bare signature verifications that it contains: the report's
 * (P-384) and the chip certificate's (RSA-4096, PSS). In: 1184 bytes of report, the chip's
 * certificate in DER. The anchors are kept, as a client keeps them: that the root certified the
 * authority was verified when they were added, so those two verifications are counted on neither
 * side.
 */
#include <stdlib.h>

#include "allocations.h"
#include "bench.h"
#include "crypto.h"
#include "sim.h"
#include "snp_verify.h"
#include "yardstick_signatures.h"

enum { NOW = 1780272000 };

static struct pp_snp_anchors anchors;
static struct pp_snp_policy policy;
static struct pp_snp_evidence evidence;
static struct sim_chip *chip;
static struct sim_guest guest = { .policy = SIM_GUEST_POLICY };
static uint8_t report_data[PP_SNP_REPORT_DATA_BYTES];
static uint8_t report[PP_SNP_REPORT_BYTES];

static void must(pp_res r)
{
    if (!pp_is_ok(r)) {
        fprintf(stderr, "bench: %s at %s\n", pp_code_name(r.code), r.where);
        exit(1);
    }
}

static void setup(void)
{
    struct sim_chip_params params = sim_chip_params_default(PP_SNP_GENOA);
    struct pp_random random = pp_random_system();
    struct sim_root *root = NULL;

    must(sim_root_create(PP_SNP_GENOA, NOW, &root));
    must(sim_chip_create(root, &params, &random, NOW, &chip));
    must(pp_snp_anchors_add(&anchors, sim_root_ark(root), sim_root_ask(root),
                            (struct pp_span){ 0 }));
    sim_root_free(root);
    must(sim_chip_report(chip, &guest, report_data, report));
    policy = PP_SNP_POLICY_STRICT;
    policy.skip = PP_ATTEST_BIT(PP_SNP_CHECK_CRL);
    policy.measurements = (struct pp_attest_set){ .values = guest.measurement, .count = 1 };
    policy.host_data = (struct pp_attest_set){ .values = guest.host_data, .count = 1 };
    policy.chip_ids = (struct pp_attest_set){ .values = sim_chip_id(chip), .count = 1 };
    policy.report_data = report_data;
    evidence = (struct pp_snp_evidence){ .report = PP_BYTES(report), .vek = sim_chip_vcek(chip) };
}

static void appraise(void)
{
    static struct pp_snp_checks checks;
    struct pp_snp_result result;

    must(pp_snp_verify(&anchors, &policy, &evidence, NOW, &checks, &result));
}

static void print_memory(void)
{
    long live = allocation_live;
    unsigned long own = allocation_count_own;
    unsigned long count = allocation_count;

    allocation_peak = live;
    appraise();
    printf("%-58s %10.1f KiB  (aim below 256.0)\n", "heap of an appraisal, at most",
           (double)(allocation_peak - live) / 1024);
    printf("%-58s %10lu ours, %lu OpenSSL's\n", "allocations of an appraisal",
           allocation_count_own - own, allocation_count - count - (allocation_count_own - own));
}

int main(void)
{
    uint8_t out[PP_SNP_REPORT_BYTES];

    must(pp_crypto_init());
    setup();
    if (!bench_bare_signatures_start())
        return 1;
    double p384 = 1e30, rsa = 1e30, all = 1e30;
    for (int turn = 0; turn < 10; turn++) {
        BENCH_TURN(p384, (void)bench_bare_p384_verify());
        BENCH_TURN(rsa, (void)bench_bare_rsa_4096_verify());
        BENCH_TURN(all, appraise());
    }
    bench_row("bare P-384 verification", "op", p384);
    bench_row("bare RSA-4096 PSS verification", "op", rsa);
    bench_row("SNP appraisal, 23 checks", "report", all);
    bench_ratio("appraisal / (P-384 + RSA-4096)", all, p384 + rsa, "aim at most 1.20");
    print_memory();
    (void)BENCH("simulated report, made and signed", "report",
                must(sim_chip_report(chip, &guest, report_data, out)));
    pp_snp_anchors_done(&anchors);
    sim_chip_free(chip);
    return 0;
}
