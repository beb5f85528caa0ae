/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated TDX vendor and platform in files, and what its module measures of a guest. */
#include "tdx_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "sim.h"
#include "tdvf.h"

static struct world w;
static char home[] = "/tmp/pp-sim-tdx-XXXXXX";
static int home_fd;

static const char *const FILES[] = {
    "vendor/root.key",          "vendor/root.der",          "vendor/authority.key",
    "vendor/authority.der",     "vendor/signer.key",        "vendor/signer.der",
    "platform/pck.key",         "platform/pck.der",         "platform/qe.auth",
    "platform/attestation.key", "platform/authorities.pem",
};

static int make(void **state)
{
    (void)state;
    if (!pp_is_ok(pp_crypto_init()) || !pp_is_ok(world_make(&w)) || mkdtemp(home) == NULL)
        return 1;
    home_fd = open(home, O_RDONLY | O_DIRECTORY);
    return home_fd < 0;
}

static int clean(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(FILES); i++)
        (void)unlinkat(home_fd, FILES[i], 0);
    (void)unlinkat(home_fd, "vendor", AT_REMOVEDIR);
    (void)unlinkat(home_fd, "platform", AT_REMOVEDIR);
    close(home_fd);
    world_free(&w);
    return rmdir(home);
}

static void save(void)
{
    assert_ok(sim_tdx_vendor_save(w.vendor, home_fd, "vendor"));
    assert_ok(sim_tdx_platform_save(w.platforms[V5_15], home_fd, "platform"));
}

/* What the loaded ones make is accepted by anchors that were made of the first ones. */
static void a_saved_vendor_and_platform_quote_as_before(void **state)
{
    static struct evidence e;
    struct world loaded = { .anchors = w.anchors };

    (void)state;
    save();
    assert_ok(sim_tdx_vendor_load(home_fd, "vendor", &loaded.vendor));
    assert_ok(sim_tdx_platform_load(home_fd, "platform", &loaded.platforms[V5_15]));
    assert_true(pp_span_eq(sim_tdx_root(loaded.vendor), sim_tdx_root(w.vendor)));
    assert_true(pp_span_eq(sim_tdx_signer_chain(loaded.vendor), sim_tdx_signer_chain(w.vendor)));
    assert_memory_equal(sim_tdx_ppid(loaded.platforms[V5_15]), sim_tdx_ppid(w.platforms[V5_15]),
                        PP_TDX_ID_BYTES);
    evidence_of(&loaded, V5_15, &e);
    assert_ok(appraise(&e));
    assert_int_equal(e.result.skipped, 0);
    sim_tdx_platform_free(loaded.platforms[V5_15]);
    sim_tdx_vendor_free(loaded.vendor);
}

static void keys_are_for_their_owner_alone(void **state)
{
    struct sim_tdx_platform *p = NULL;
    struct stat st;

    (void)state;
    save();
    for (size_t i = 0; i < PP_ARRAY_COUNT(FILES); i++) {
        assert_int_equal(fstatat(home_fd, FILES[i], &st, 0), 0);
        int is_key = strstr(FILES[i], ".key") != NULL;
        assert_int_equal(st.st_mode & 0777, is_key ? 0600 : 0644);
    }
    assert_int_equal(fchmodat(home_fd, "platform/attestation.key", 0644, 0), 0);
    assert_code(sim_tdx_platform_load(home_fd, "platform", &p), PP_E_CONFIG);
    assert_int_equal(fchmodat(home_fd, "platform/attestation.key", 0600, 0), 0);
}

/* Each file gone, empty, and replaced by another one of its kind where there is one. */
static void damaged_files_are_refused(void **state)
{
    struct sim_tdx_platform *p = NULL;
    struct sim_tdx_vendor *v = NULL;

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(FILES); i++) {
        int of_vendor = FILES[i][0] == 'v';
        save();
        assert_int_equal(unlinkat(home_fd, FILES[i], 0), 0);
        assert_code(of_vendor ? sim_tdx_vendor_load(home_fd, "vendor", &v)
                              : sim_tdx_platform_load(home_fd, "platform", &p),
                    PP_E_NOT_FOUND);
        if (strcmp(FILES[i], "platform/authorities.pem") == 0)
            continue; /* a quote with it is refused by whoever verifies */
        assert_ok(pp_file_write(home_fd, FILES[i], 0600, PP_STR("x")));
        pp_res r = of_vendor ? sim_tdx_vendor_load(home_fd, "vendor", &v)
                             : sim_tdx_platform_load(home_fd, "platform", &p);
        assert_false(pp_is_ok(r));
    }
    save();
    assert_int_equal(renameat(home_fd, "vendor/signer.key", home_fd, "vendor/root.key"), 0);
    assert_ok(pp_file_write(home_fd, "vendor/signer.key", 0600, PP_STR("x")));
    assert_code(sim_tdx_vendor_load(home_fd, "vendor", &v), PP_E_MISMATCH);
    assert_code(sim_tdx_vendor_load(home_fd, "nowhere", &v), PP_E_NOT_FOUND);
    assert_null(v);
    assert_null(p);
}

/* --- launch ----------------------------------------------------------------------------------- */

static struct sim_tdx_guest measured(struct pp_span firmware, const char *kernel,
                                     const char *initrd, const char *cmdline)
{
    struct sim_tdx_guest g = { .xfam = 7 };

    memset(g.rtmr, 0xEE, sizeof g.rtmr);
    assert_ok(sim_tdx_measure_launch(firmware, pp_span_cstr(kernel), pp_span_cstr(initrd),
                                     pp_span_cstr(cmdline), &g));
    assert_int_equal(g.xfam, 7); /* it fills the measurements alone */
    return g;
}

static void w18_t2_each_file_of_a_launch_is_in_its_own_register(void **state)
{
    static const uint8_t zero[PP_TDX_MEASUREMENT_BYTES];
    uint8_t firmware[SIM_FIRMWARE_BYTES];
    struct pp_tdvf tdvf;

    (void)state;
    sim_firmware_make(firmware);
    assert_ok(pp_tdvf_parse(PP_BYTES(firmware), &tdvf));
    struct sim_tdx_guest a = measured(PP_BYTES(firmware), "program", "", "pp.role=s");
    assert_memory_equal(a.rtmr[0], zero, sizeof zero);
    assert_memory_equal(a.rtmr[3], zero, sizeof zero);
    struct sim_tdx_guest b = measured(PP_BYTES(firmware), "prograM", "", "pp.role=s");
    assert_memory_equal(b.mrtd, a.mrtd, sizeof b.mrtd);
    assert_memory_not_equal(b.rtmr[1], a.rtmr[1], sizeof zero);
    assert_memory_equal(b.rtmr[2], a.rtmr[2], sizeof zero);
    b = measured(PP_BYTES(firmware), "program", "", "pp.role=c");
    assert_memory_equal(b.rtmr[1], a.rtmr[1], sizeof zero);
    assert_memory_not_equal(b.rtmr[2], a.rtmr[2], sizeof zero);
    b = measured(PP_BYTES(firmware), "program", "i", "pp.role=s");
    assert_memory_not_equal(b.rtmr[2], a.rtmr[2], sizeof zero);
    firmware[0] ^= 1;
    b = measured(PP_BYTES(firmware), "program", "", "pp.role=s");
    assert_memory_not_equal(b.mrtd, a.mrtd, sizeof b.mrtd);
    assert_memory_equal(b.rtmr, a.rtmr, sizeof b.rtmr);
    assert_code(
        sim_tdx_measure_launch(PP_STR("no firmware"), PP_STR(""), PP_STR(""), PP_STR(""), &b),
        PP_E_FORMAT);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_saved_vendor_and_platform_quote_as_before),
    cmocka_unit_test(keys_are_for_their_owner_alone),
    cmocka_unit_test(damaged_files_are_refused),
    cmocka_unit_test(w18_t2_each_file_of_a_launch_is_in_its_own_register),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make, clean);
}
