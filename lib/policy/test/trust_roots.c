/* SPDX-License-Identifier: Apache-2.0 */
/* Whose roots a device believes: the vendors', or those of simulators that came, never both. */
#include "world.h"

#include "sim.h"
#include "sim_gpu.h"
#include "sim_tdx.h"

static struct world *w;
static struct sim_root *root;
static struct sim_tdx_vendor *vendor;
static struct sim_gpu *gpu;
static struct pp_trust trust;
static struct pp_problem problem;

static int make(void **state)
{
    (void)state;
    w = world_new();
    assert_ok(sim_root_create(PP_SNP_GENOA, WORLD_NOW - 86400, &root));
    assert_ok(sim_tdx_vendor_create(WORLD_NOW - 86400, &vendor));
    assert_ok(sim_gpu_create(&(struct sim_gpu_making){ .now_s = WORLD_NOW - 86400 }, &gpu));
    return 0;
}

static int drop(void **state)
{
    (void)state;
    pp_trust_done(&trust);
    sim_root_free(root);
    sim_tdx_vendor_free(vendor);
    sim_gpu_free(gpu);
    world_free(w);
    return 0;
}

/* The world's files for these platforms, without any root. */
static struct pp_trust_files files_for(const char *platforms)
{
    static char text[8192];
    struct pp_trust_files files = w->files;
    const char *at = strstr(WORLD_TRUST, "platform = sev-snp\n");

    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - WORLD_TRUST), WORLD_TRUST, platforms,
             at + strlen("platform = sev-snp\n"));
    files.trust = pp_span_cstr(text);
    return files;
}

static pp_res parse(const struct pp_trust_files *files)
{
    pp_trust_done(&trust);
    memset(&problem, 0, sizeof problem);
    return pp_trust_parse(&trust, files, &problem);
}

#define assert_refused(files, name)                                                                \
    do {                                                                                           \
        assert_code(parse(files), PP_E_TRUST);                                                     \
        assert_string_equal(problem.field, (name));                                                \
    } while (0)

static void real_platforms_come_with_every_vendors_roots(void **state)
{
    (void)state;
    assert_ok(parse(&w->files));
    assert_int_equal(trust.own_root, 0);
    assert_int_equal(trust.snp_anchors.count, 3);
    assert_int_equal(trust.tdx_anchors.count, 1);
    assert_int_equal(trust.gpu_anchors.count, 1);
    assert_int_equal(trust.gpu_anchors.rims.count, 1);
}

static void beside_a_simulators_roots_there_is_no_vendors(void **state)
{
    (void)state;
    struct pp_trust_files files = files_for("platform = sim-snp\n");

    files.ark = sim_root_ark(root);
    files.ask = sim_root_ask(root);
    assert_ok(parse(&files));
    assert_int_equal(trust.own_root, 1);
    assert_int_equal(trust.snp_anchors.count, 1);
    assert_int_equal(trust.tdx_anchors.count, 0);
    assert_int_equal(trust.gpu_anchors.count, 0);
    assert_int_equal(trust.gpu_anchors.rims.count, 0);
    files.tdx_root = sim_tdx_root(vendor);
    files.gpu_root = sim_gpu_cert(gpu, SIM_GPU_CERTS - 1);
    files.rim_root = sim_gpu_rim_cert(gpu, SIM_RIM_CERTS - 1);
    assert_ok(parse(&files));
    assert_int_equal(trust.snp_anchors.count, 1);
    assert_int_equal(trust.tdx_anchors.count, 1);
    assert_int_equal(trust.gpu_anchors.count, 1);
    assert_int_equal(trust.gpu_anchors.rims.count, 1);
}

/* A root that is asked for is there, and one that came is whole, asked for or not. */
static void each_simulated_platform_has_its_own_root(void **state)
{
    (void)state;
    struct pp_trust_files files = files_for("platform = sim-tdx\n");

    files.tdx_root = sim_tdx_root(vendor);
    assert_ok(parse(&files));
    assert_int_equal(trust.own_root, 1);
    assert_int_equal(trust.snp_anchors.count, 0);
    files.ark = sim_root_ark(root);
    assert_refused(&files, "ark, ask");
    files.ark = PP_STR("");
    files.ask = sim_root_ask(root);
    assert_refused(&files, "ark, ask");
    files.ark = sim_root_ark(root);
    assert_ok(parse(&files));
    assert_int_equal(trust.snp_anchors.count, 1);
    files.tdx_root = PP_STR("");
    assert_refused(&files, "tdx-root.der");
    files.tdx_root = PP_STR("not a certificate");
    assert_refused(&files, "tdx-root.der");

    files = files_for("platform = sim-snp\n");
    files.tdx_root = sim_tdx_root(vendor);
    assert_refused(&files, "ark, ask");
    files.ark = sim_root_ark(root);
    files.ask = sim_root_ask(root);
    assert_ok(parse(&files));
    files.tdx_root = PP_STR("not a certificate");
    assert_refused(&files, "tdx-root.der");
}

static void roots_of_gpus_come_beside_simulated_platforms_alone(void **state)
{
    (void)state;
    const char *const field = "gpu-root.der, rim-root.der";
    struct pp_trust_files files = w->files;

    files.gpu_root = sim_gpu_cert(gpu, SIM_GPU_CERTS - 1);
    assert_refused(&files, field);
    files.gpu_root = PP_STR("");
    files.rim_root = sim_gpu_rim_cert(gpu, SIM_RIM_CERTS - 1);
    assert_refused(&files, field);

    files = files_for("platform = sim-snp\n");
    files.ark = sim_root_ark(root);
    files.ask = sim_root_ask(root);
    files.gpu_root = PP_STR("not a certificate");
    assert_refused(&files, field);
    files.rim_root = sim_gpu_rim_cert(gpu, SIM_RIM_CERTS - 1);
    assert_refused(&files, field);
    files.gpu_root = sim_gpu_cert(gpu, SIM_GPU_CERTS - 1);
    assert_ok(parse(&files));
    files.rim_root = PP_STR("not a certificate");
    assert_refused(&files, field);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(real_platforms_come_with_every_vendors_roots),
    cmocka_unit_test(beside_a_simulators_roots_there_is_no_vendors),
    cmocka_unit_test(each_simulated_platform_has_its_own_root),
    cmocka_unit_test(roots_of_gpus_come_beside_simulated_platforms_alone),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make, drop);
}
