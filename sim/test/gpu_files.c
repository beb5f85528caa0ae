/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a simulated GPU's evidence as files, for tests of programs: report.bin, chain.pem,
 * roots.pem, driver.xml, vbios.xml, ocsp1.der to ocsp3.der. The nonce is 32 bytes of 42 (hex).
 *
 * usage: gpu_files DIR POSIX_SECONDS
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "file.h"
#include "sim_gpu.h"

enum { FILE_BYTES_MAX = 1 << 17 };

static const char *folder;

static void must(pp_res r)
{
    if (!pp_is_ok(r)) {
        fprintf(stderr, "gpu_files: %s at %s\n", pp_code_name(r.code), r.where);
        exit(1);
    }
}

static void save(const char *name, const struct pp_wr *wr)
{
    char path[4096];

    must(pp_wr_ok(wr));
    snprintf(path, sizeof path, "%s/%s", folder, name);
    must(pp_file_write(AT_FDCWD, path, 0644, pp_wr_done(wr)));
}

static void pem(struct pp_wr *wr, struct pp_span der)
{
    pp_wr_text(wr, "-----BEGIN CERTIFICATE-----\n");
    pp_wr_base64(wr, der);
    pp_wr_text(wr, "\n-----END CERTIFICATE-----\n");
}

static void save_rim(const struct sim_gpu *gpu, const char *name, const char *version,
                     uint64_t active)
{
    static uint8_t bytes[FILE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    struct sim_rim rim = { .chip = "GH100", .version = version, .active = active };

    must(sim_gpu_rim(gpu, &rim, &wr));
    save(name, &wr);
}

int main(int argc, char **argv)
{
    uint8_t bytes[16384], nonce[PP_GPU_NONCE_BYTES];
    struct sim_gpu *gpu = NULL;
    struct sim_gpu_params params = sim_gpu_params_default();
    uint64_t now_s = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;

    if (argc != 3)
        return 2;
    folder = argv[1];
    must(pp_crypto_init());
    must(sim_gpu_create(&(struct sim_gpu_making){ .now_s = now_s }, &gpu));
    memset(nonce, 0x42, sizeof nonce);
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    must(sim_gpu_report(gpu, &params, nonce, &wr));
    save("report.bin", &wr);
    wr = pp_wr_over(bytes, sizeof bytes);
    for (size_t i = 0; i < SIM_GPU_CERTS; i++)
        pem(&wr, sim_gpu_cert(gpu, i));
    save("chain.pem", &wr);
    wr = pp_wr_over(bytes, sizeof bytes);
    pem(&wr, sim_gpu_cert(gpu, SIM_GPU_CERTS - 1));
    pem(&wr, sim_gpu_rim_cert(gpu, SIM_RIM_CERTS - 1));
    save("roots.pem", &wr);
    save_rim(gpu, "driver.xml", "590.12", SIM_RIM_DRIVER);
    save_rim(gpu, "vbios.xml", "96.00.9F.00.01", SIM_RIM_VBIOS);
    for (size_t i = 1; i < SIM_GPU_CERTS - 1; i++) {
        char name[16];
        struct pp_issue_ocsp answer = { .hash = PP_SHA384,
                                        .status = PP_OCSP_GOOD,
                                        .this_update = now_s,
                                        .next_update = now_s + 86400 };
        wr = pp_wr_over(bytes, sizeof bytes);
        must(sim_gpu_ocsp(gpu, i, answer, &wr));
        snprintf(name, sizeof name, "ocsp%zu.der", i);
        save(name, &wr);
    }
    sim_gpu_free(gpu);
    return 0;
}
