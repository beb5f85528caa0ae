/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "fleet_int.h"
#include "hash.h"
#include "sim_gpu.h"

enum {
    RIM_BYTES_MAX = 1 << 17,
    OCSP_BYTES_MAX = 2048,
    OCSP_LIFE_S = 86400,
    OCSP_ANSWERS = SIM_GPU_CERTS - 2, /* about all but leaf and root */
};

#define DRIVER "590.12" /* as sim_gpu_params_default has them */
#define VBIOS  "96.00.9F.00.01"

/* Files of the vendor, below STATE/simulated-vendor. */
static const struct {
    const char *file, *version;
    uint64_t active;
} RIMS[] = {
    { "gpu/driver.xml", DRIVER, SIM_RIM_DRIVER },
    { "gpu/vbios.xml", VBIOS, SIM_RIM_VBIOS },
};

/* --- the vendor ------------------------------------------------------------------------------- */

static pp_res write_rim(struct fleet *f, const struct sim_gpu *gpu, size_t i)
{
    const struct sim_rim rim = { .chip = "GH100",
                                 .version = RIMS[i].version,
                                 .active = RIMS[i].active };
    uint8_t *bytes = malloc(RIM_BYTES_MAX);
    struct pp_wr wr = pp_wr_over(bytes, RIM_BYTES_MAX);

    PP_CHECK(bytes != NULL, PP_E_NO_MEMORY, RIM_BYTES_MAX);
    pp_res r = sim_gpu_rim(gpu, &rim, &wr);
    if (pp_is_ok(r))
        r = fleet_write(f, "simulated-vendor", RIMS[i].file, pp_wr_done(&wr));
    free(bytes);
    return r;
}

/* The keys come last: a folder that has them has everything. */
static pp_res make_vendor(struct fleet *f, const char *path, struct sim_gpu **ret)
{
    const struct sim_gpu_making making = { .now_s = pp_clock_posix_s(&f->clock) };

    PP_TRY(sim_gpu_create(&making, ret));
    for (size_t i = 0; i < PP_ARRAY_COUNT(RIMS); i++)
        PP_TRY(write_rim(f, *ret, i));
    PP_TRY(fleet_write(f, "simulated-vendor", "gpu/rim-root.der",
                       sim_gpu_rim_cert(*ret, SIM_RIM_CERTS - 1)));
    return sim_gpu_save(*ret, SIM_GPU_VENDOR, AT_FDCWD, path);
}

static pp_res open_vendor(struct fleet *f, struct sim_gpu **ret)
{
    char path[FLEET_PATH_MAX];

    PP_TRY(fleet_folder(f, "simulated-vendor", "gpu"));
    PP_TRY(fleet_path(f, "simulated-vendor", "gpu", path));
    if (fleet_exists(f, "simulated-vendor", "gpu/device4.key"))
        return sim_gpu_load(AT_FDCWD, path, ret);
    return make_vendor(f, path, ret);
}

/* --- host and log ----------------------------------------------------------------------------- */

static pp_res write_answer(struct fleet *f, const struct sim_gpu *gpu, size_t i)
{
    const uint64_t now = pp_clock_posix_s(&f->clock);
    const struct pp_issue_ocsp good = { .hash = PP_SHA384,
                                        .status = PP_OCSP_GOOD,
                                        .this_update = now,
                                        .next_update = now + OCSP_LIFE_S };
    uint8_t bytes[OCSP_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    char name[32];

    PP_TRY(sim_gpu_ocsp(gpu, i, good, &wr));
    snprintf(name, sizeof name, "gpu/ocsp%zu.der", i);
    return fleet_write(f, "host", name, pp_wr_done(&wr));
}

static pp_res equip_host(struct fleet *f, const struct sim_gpu *gpu)
{
    char path[FLEET_PATH_MAX];

    PP_TRY(fleet_folder(f, "host", "gpu"));
    PP_TRY(fleet_path(f, "host", "gpu", path));
    PP_TRY(sim_gpu_save(gpu, SIM_GPU_DEVICE, AT_FDCWD, path));
    for (size_t i = 1; i <= OCSP_ANSWERS; i++)
        PP_TRY(write_answer(f, gpu, i));
    return fleet_give_all(f, "host");
}

static pp_res copy_file(struct fleet *f, const char *from, const char *party, const char *to)
{
    struct pp_buf b = { 0 };

    PP_TRY(fleet_read_file(f, "simulated-vendor", from, RIM_BYTES_MAX, &b));
    pp_res r = fleet_write(f, party, to, pp_buf_span(&b));
    pp_buf_done(&b);
    return r;
}

/* Behind what the vendor says of a TDX machine, for blobs are numbered without a gap. */
static pp_res give_blobs(struct fleet *f)
{
    size_t first = f->is_tdx ? 1 : 0;
    char blob[32];

    PP_TRY(fleet_folder(f, "log", "blobs"));
    for (size_t i = 0; i < PP_ARRAY_COUNT(RIMS); i++) {
        snprintf(blob, sizeof blob, "blobs/%zu", first + i);
        PP_TRY(copy_file(f, RIMS[i].file, "log", blob));
    }
    return PP_OK;
}

pp_res fleet_make_gpu(struct fleet *f)
{
    struct sim_gpu *gpu = NULL;

    if (!f->gpu)
        return PP_OK;
    pp_res r = open_vendor(f, &gpu);
    if (pp_is_ok(r))
        r = equip_host(f, gpu);
    sim_gpu_free(gpu);
    PP_TRY(r);
    return give_blobs(f);
}

/* --- records and anchors ---------------------------------------------------------------------- */

pp_res fleet_write_gpu_row(struct fleet *f, struct pp_wr *wr)
{
    if (!f->gpu)
        return PP_OK;
    pp_wr_text(wr, "gpu = H100 " VBIOS " " DRIVER);
    for (size_t i = 0; i < PP_ARRAY_COUNT(RIMS); i++) {
        struct pp_buf xml = { 0 };
        uint8_t digest[PP_SHA256_BYTES];

        PP_TRY(fleet_read_file(f, "simulated-vendor", RIMS[i].file, RIM_BYTES_MAX, &xml));
        pp_sha256(pp_buf_span(&xml), digest);
        pp_buf_done(&xml);
        pp_wr_text(wr, " sha256:");
        pp_wr_hex(wr, PP_BYTES(digest));
    }
    pp_wr_u8(wr, '\n');
    return pp_wr_ok(wr);
}

pp_res fleet_copy_gpu_roots(struct fleet *f)
{
    if (!f->gpu)
        return PP_OK;
    PP_TRY(copy_file(f, "gpu/device4.der", "trust", "gpu-root.der"));
    return copy_file(f, "gpu/rim-root.der", "trust", "rim-root.der");
}
