/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleet.h"

static struct fleet fleet;
static char folder[64];

static int make(void **state)
{
    (void)state;
    strncpy(folder, "/tmp/pp-sim-XXXXXX", sizeof folder - 1);
    return mkdtemp(folder) == NULL || !pp_is_ok(fleet_make(&fleet, PP_SNP_GENOA));
}

static void remove_file(const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)remove(path);
}

static int clean(void **state)
{
    (void)state;
    static const char *const names[] = { "root/ark.der", "root/ask.der",  "root/ark.key",
                                         "root/ask.key", "chip/vcek.der", "chip/vcek.key",
                                         "root",         "chip",          "" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(names); i++)
        remove_file(names[i]);
    fleet_free(&fleet);
    return 0;
}

static int folder_fd(void)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static void its_names_are_clearly_not_amds(void **state)
{
    (void)state;
    struct pp_span certs[] = { sim_root_ark(fleet.root), sim_root_ask(fleet.root),
                               sim_chip_vcek(fleet.chip) };
    char text[PP_X509_NAME_BYTES_MAX];

    for (size_t i = 0; i < PP_ARRAY_COUNT(certs); i++) {
        struct pp_x509 *c = NULL;
        assert_ok(pp_x509_parse(certs[i], &c));
        for (int side = PP_X509_SUBJECT; side <= PP_X509_ISSUER; side++) {
            assert_ok(pp_x509_name(c, (enum pp_x509_side)side, "O", text));
            assert_string_equal(text, SIM_ORGANISATION);
            assert_null(strstr(text, "Advanced Micro Devices"));
        }
        pp_x509_free(c);
    }
}

static void a_saved_root_and_chip_report_as_before(void **state)
{
    (void)state;
    struct sim_root *root = NULL;
    struct sim_chip *chip = NULL;
    struct evidence e;
    uint8_t bytes[PP_SNP_REPORT_BYTES];
    uint8_t before[PP_SNP_REPORT_BYTES];
    int fd = folder_fd();

    assert_ok(sim_root_save(fleet.root, fd, "root"));
    assert_ok(sim_chip_save(fleet.chip, fd, "chip"));
    assert_ok(sim_root_save(fleet.root, fd, "root")); /* again, over the old one */
    assert_ok(sim_root_load(fd, "root", &root));
    assert_ok(sim_chip_load(fd, "chip", &chip));
    assert_int_equal(sim_root_line(root), PP_SNP_GENOA);
    assert_true(pp_span_eq(sim_root_ark(root), sim_root_ark(fleet.root)));
    assert_true(pp_span_eq(sim_root_ask(root), sim_root_ask(fleet.root)));
    assert_memory_equal(sim_chip_id(chip), sim_chip_id(fleet.chip), PP_SNP_CHIP_ID_BYTES);

    evidence_of(&fleet, &e);
    assert_ok(pp_snp_report_write(&e.report, before, sizeof before));
    sim_chip_fill(chip, &(struct sim_guest){ .policy = SIM_GUEST_POLICY }, e.report_data,
                  &e.report);
    memcpy(e.report.measurement, e.measurement, sizeof e.measurement);
    memcpy(e.report.host_data, e.host_data, sizeof e.host_data);
    assert_ok(pp_snp_report_write(&e.report, bytes, sizeof bytes));
    assert_memory_equal(before, bytes, sizeof bytes);
    assert_ok(sim_chip_sign(chip, &e.report, bytes));
    assert_ok(appraise_bytes(&e, &fleet.anchors, PP_BYTES(bytes)));
    sim_chip_free(chip);
    sim_root_free(root);
    close(fd);
}

static void its_keys_are_for_their_owner_alone(void **state)
{
    (void)state;
    static const char *const keys[] = { "root/ark.key", "root/ask.key", "chip/vcek.key" };
    struct stat st;
    int fd = folder_fd();

    for (size_t i = 0; i < PP_ARRAY_COUNT(keys); i++) {
        assert_int_equal(fstatat(fd, keys[i], &st, 0), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    assert_int_equal(fstatat(fd, "root", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    close(fd);
}

static void damaged_files_are_refused(void **state)
{
    (void)state;
    struct sim_root *root = NULL;
    struct sim_chip *chip = NULL;
    struct sim_chip *other = NULL;
    struct sim_chip_params params = sim_chip_params_default(PP_SNP_GENOA);
    struct pp_random random = pp_random_system();
    int fd = folder_fd();

    assert_code(sim_root_load(fd, "nowhere", &root), PP_E_NOT_FOUND);
    assert_code(sim_chip_load(fd, "root", &chip), PP_E_NOT_FOUND);

    /* The certificate of another chip beside this one's key. */
    assert_ok(sim_chip_create(fleet.root, &params, &random, NOW, &other));
    assert_ok(pp_file_write(fd, "chip/vcek.der", 0644, sim_chip_vcek(other)));
    assert_code(sim_chip_load(fd, "chip", &chip), PP_E_MISMATCH);
    assert_ok(pp_file_write(fd, "chip/vcek.der", 0644, PP_STR("nothing")));
    assert_code(sim_chip_load(fd, "chip", &chip), PP_E_FORMAT);
    assert_ok(pp_file_write(fd, "chip/vcek.der", 0644, sim_chip_vcek(fleet.chip)));
    assert_ok(pp_file_write(fd, "chip/vcek.key", 0600, PP_STR("nothing")));
    assert_code(sim_chip_load(fd, "chip", &chip), PP_E_KEY);

    assert_ok(pp_file_write(fd, "root/ark.der", 0644, sim_root_ask(fleet.root)));
    assert_code(sim_root_load(fd, "root", &root), PP_E_MISMATCH);
    assert_null(root);
    assert_null(chip);
    sim_chip_free(other);
    close(fd);
}

static void two_chips_of_a_root_are_two_chips(void **state)
{
    (void)state;
    struct sim_chip_params params = sim_chip_params_default(PP_SNP_GENOA);
    struct pp_random random = pp_random_system();
    struct sim_chip *other = NULL;

    assert_ok(sim_chip_create(fleet.root, &params, &random, NOW, &other));
    assert_memory_not_equal(sim_chip_id(other), sim_chip_id(fleet.chip), PP_SNP_CHIP_ID_BYTES);
    sim_chip_free(other);

    other = NULL;
    params = sim_chip_params_default(PP_SNP_TURIN);
    assert_code(sim_chip_create(fleet.root, &params, &random, NOW, &other), PP_E_MISMATCH);
    struct pp_span script = PP_STR("too few bytes for a chip id");
    struct pp_random few = pp_random_script(&script);
    params = sim_chip_params_default(PP_SNP_GENOA);
    assert_code(sim_chip_create(fleet.root, &params, &few, NOW, &other), PP_E_RANDOM);
    assert_null(other);
}

static void a_root_is_of_a_line_that_exists(void **state)
{
    (void)state;
    struct sim_root *root = NULL;

    assert_code(sim_root_create(PP_SNP_LINE_NONE, NOW, &root), PP_E_UNSUPPORTED);
    assert_code(sim_root_create(PP_SNP_VENICE, NOW, &root), PP_E_UNSUPPORTED);
    assert_null(root);
}

/* --- launch ----------------------------------------------------------------------------------- */

static void its_firmware_is_one_that_the_measurer_reads(void **state)
{
    (void)state;
    uint8_t a[SIM_FIRMWARE_BYTES], b[SIM_FIRMWARE_BYTES];
    struct pp_firmware f;

    sim_firmware_make(a);
    sim_firmware_make(b);
    assert_memory_equal(a, b, sizeof a);
    assert_ok(pp_firmware_parse(PP_BYTES(a), &f));
    assert_int_equal(f.section_count, 5);
    assert_int_equal(f.hashes_size, 0x1000);
}

/* The fault "CVM program changed by one byte after release" rests on this. */
static void w18_t2_one_byte_of_the_program_changes_the_measurement(void **state)
{
    (void)state;
    uint8_t firmware[SIM_FIRMWARE_BYTES];
    uint8_t a[48], b[48];

    sim_firmware_make(firmware);
    assert_ok(sim_measure_launch(PP_BYTES(firmware), PP_STR("program"), PP_STR(""),
                                 PP_STR("pp.role=s"), 1, a));
    assert_ok(sim_measure_launch(PP_BYTES(firmware), PP_STR("program"), PP_STR(""),
                                 PP_STR("pp.role=s"), 1, b));
    assert_memory_equal(a, b, 48);
    assert_ok(sim_measure_launch(PP_BYTES(firmware), PP_STR("prograM"), PP_STR(""),
                                 PP_STR("pp.role=s"), 1, b));
    assert_memory_not_equal(a, b, 48);
    assert_ok(sim_measure_launch(PP_BYTES(firmware), PP_STR("program"), PP_STR(""),
                                 PP_STR("pp.role=c"), 1, b));
    assert_memory_not_equal(a, b, 48);
    firmware[0] ^= 1;
    assert_ok(sim_measure_launch(PP_BYTES(firmware), PP_STR("program"), PP_STR(""),
                                 PP_STR("pp.role=s"), 1, b));
    assert_memory_not_equal(a, b, 48);
    assert_code(
        sim_measure_launch(PP_STR("no firmware"), PP_STR("program"), PP_STR(""), PP_STR(""), 1, b),
        PP_E_FORMAT);
}

/* In order: saving comes before what reads and damages the saved files. */
static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(its_names_are_clearly_not_amds),
    cmocka_unit_test(a_saved_root_and_chip_report_as_before),
    cmocka_unit_test(its_keys_are_for_their_owner_alone),
    cmocka_unit_test(damaged_files_are_refused),
    cmocka_unit_test(two_chips_of_a_root_are_two_chips),
    cmocka_unit_test(a_root_is_of_a_line_that_exists),
    cmocka_unit_test(its_firmware_is_one_that_the_measurer_reads),
    cmocka_unit_test(w18_t2_one_byte_of_the_program_changes_the_measurement),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, make, clean);
}
