/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the appraisal of a GPU costs over the bare signature verifications that it contains: the
 * report's, one each of the four certificates below the root, and one each of three OCSP answers,
 * all P-384. In: a report of 64 measurements, four certificates, three answers. Anchors and RIM
 * files are kept, as a client keeps them: that the root signed itself was verified when it became
 * an anchor, so that verification is counted on neither side.
 */
#include <stdlib.h>

#include "allocations.h"
#include "bench.h"
#include "crypto.h"
#include "sim_gpu.h"
#include "yardstick_signatures.h"

enum { NOW = 1780272000, SIGNATURES = 1 + 4 + 3, RIM_SIGNATURES = 1 + 3 };

static struct pp_gpu_anchors anchors;
static struct pp_gpu_policy policy;
static struct pp_gpu_reference reference;
static struct pp_gpu_evidence evidence;
static struct pp_rim driver, vbios;
static struct sim_gpu *gpu;
static uint8_t nonce[PP_GPU_NONCE_BYTES];
static uint8_t bytes[1 << 17];
static struct pp_wr wr;

static void must(pp_res r)
{
    if (!pp_is_ok(r)) {
        fprintf(stderr, "bench: %s at %s\n", pp_code_name(r.code), r.where);
        exit(1);
    }
}

static struct pp_span written_since(size_t from)
{
    return pp_span(bytes + from, wr.len - from);
}

static struct pp_span write_rim(const char *version, uint64_t active)
{
    struct sim_rim rim = { .chip = "GH100", .version = version, .active = active };
    size_t from = wr.len;

    must(sim_gpu_rim(gpu, &rim, &wr));
    return written_since(from);
}

static struct pp_span setup(void)
{
    struct sim_gpu_params params = sim_gpu_params_default();
    struct pp_issue_ocsp good = {
        .hash = PP_SHA384, .status = PP_OCSP_GOOD, .this_update = NOW, .next_update = NOW + 3600
    };

    wr = pp_wr_over(bytes, sizeof bytes);
    must(sim_gpu_create(&(struct sim_gpu_making){ .now_s = NOW }, &gpu));
    must(pp_gpu_anchors_add_device(&anchors, sim_gpu_cert(gpu, SIM_GPU_CERTS - 1)));
    must(pp_gpu_anchors_add_rim(&anchors, sim_gpu_rim_cert(gpu, SIM_RIM_CERTS - 1)));
    must(sim_gpu_report(gpu, &params, nonce, &wr));
    evidence = (struct pp_gpu_evidence){ .report = written_since(0),
                                         .cert_count = SIM_GPU_CERTS - 1,
                                         .root_left_out = 1,
                                         .driver_rim = &driver,
                                         .vbios_rim = &vbios };
    for (size_t i = 0; i < SIM_GPU_CERTS - 1; i++)
        evidence.certs[i] = sim_gpu_cert(gpu, i);
    for (size_t i = 1; i < SIM_GPU_CERTS - 1; i++) {
        size_t from = wr.len;
        must(sim_gpu_ocsp(gpu, i, good, &wr));
        evidence.ocsp[evidence.ocsp_count++] = written_since(from);
    }
    must(pp_rim_open(&anchors.rims, write_rim("96.00.9F.00.01", SIM_RIM_VBIOS), &vbios));
    struct pp_span xml = write_rim("590.12", SIM_RIM_DRIVER);
    must(pp_rim_open(&anchors.rims, xml, &driver));
    memcpy(reference.driver_rim, driver.sha256, sizeof driver.sha256);
    memcpy(reference.vbios_rim, vbios.sha256, sizeof vbios.sha256);
    policy = PP_GPU_POLICY_STRICT;
    policy.references = &reference;
    policy.reference_count = 1;
    policy.nonce = nonce;
    return xml;
}

static void appraise(void)
{
    static struct pp_gpu_checks checks;
    struct pp_gpu_result result;

    must(pp_gpu_verify(&anchors, &policy, &evidence, NOW, &checks, &result));
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

static void open_file(struct pp_span xml)
{
    static struct pp_rim rim;

    must(pp_rim_open(&anchors.rims, xml, &rim));
    pp_rim_done(&rim);
}

int main(void)
{
    must(pp_crypto_init());
    struct pp_span xml = setup();
    if (!bench_bare_signatures_start())
        return 1;
    double p384 = BENCH("bare P-384 verification", "op", (void)bench_bare_p384_verify());
    double all = BENCH("GPU appraisal, 19 checks", "report", appraise());
    bench_ratio("appraisal / 8 P-384", all, SIGNATURES * p384, "aim at most 1.20");
    print_memory();
    double file = BENCH("RIM file, 64 values, read and proven", "file", open_file(xml));
    bench_ratio("RIM file / 4 P-384", file, RIM_SIGNATURES * p384, "no aim: once a file");
    pp_rim_done(&driver);
    pp_rim_done(&vbios);
    pp_gpu_anchors_done(&anchors);
    sim_gpu_free(gpu);
    return 0;
}
