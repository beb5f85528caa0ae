/* SPDX-License-Identifier: Apache-2.0 */
/* Policy files of `ppctl verify snp`: each member, alone, on simulated evidence of both layouts. */
#include "harness.h"

#include "../snp_policy.h"
#include "crypto.h"
#include "sim.h"

enum { NOW = 1780272000 };

static struct sim_root *root;
static struct sim_chip *chip;
static struct pp_snp_anchors anchors;
static struct pp_snp_report good;
static struct ppctl_snp_policy policy;
static struct pp_snp_checks checks;

static int make(void **state)
{
    (void)state;
    struct sim_chip_params params = sim_chip_params_default(PP_SNP_TURIN);
    struct pp_random random = pp_random_system();
    struct sim_guest guest = { .policy = SIM_GUEST_POLICY, .guest_svn = 3 };
    static const uint8_t report_data[PP_SNP_REPORT_DATA_BYTES] = { 0x52 };

    memset(guest.measurement, 0x4D, sizeof guest.measurement);
    memset(guest.host_data, 0x48, sizeof guest.host_data);
    memset(guest.family_id, 0xFA, sizeof guest.family_id);
    memset(guest.image_id, 0x1A, sizeof guest.image_id);
    if (!pp_is_ok(sim_root_create(PP_SNP_TURIN, NOW, &root)) ||
        !pp_is_ok(sim_chip_create(root, &params, &random, NOW, &chip)))
        return 1;
    sim_chip_fill(chip, &guest, report_data, &good);
    return !pp_is_ok(pp_snp_anchors_add(&anchors, sim_root_ark(root), sim_root_ask(root),
                                        (struct pp_span){ 0 }));
}

static int clean(void **state)
{
    (void)state;
    pp_snp_anchors_done(&anchors);
    sim_chip_free(chip);
    sim_root_free(root);
    return 0;
}

static pp_res read_text(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    struct pp_problem problem = { 0 };

    assert_non_null(json);
    pp_res r = ppctl_snp_policy_read(json, &policy, &problem);
    json_decref(json);
    return r;
}

/* The verdict on `report` under the policy that was read last. */
static pp_res verify(const struct pp_snp_report *report)
{
    uint8_t bytes[PP_SNP_REPORT_BYTES];
    struct pp_snp_evidence evidence = { .report = PP_BYTES(bytes), .vek = sim_chip_vcek(chip) };
    struct pp_snp_result result;

    assert_ok(sim_chip_sign(chip, report, bytes));
    return pp_snp_verify(&anchors, &policy.policy, &evidence, NOW, &checks, &result);
}

/* The good report passes under `text`, and `check` was asked. */
static void assert_passes(const char *text, enum pp_snp_check_number check)
{
    assert_ok(read_text(text));
    assert_ok(verify(&good));
    assert_int_equal(checks.rows[check - 1].verdict, PP_ATTEST_PASSED);
}

static void assert_refuses(const char *text, uint32_t code)
{
    assert_ok(read_text(text));
    assert_code(verify(&good), code);
}

/*
 * What a file can ask of one bit, and what becomes of a report that has it set or not. Letters: '.'
 * both values can be asked for; '1' and '0' the only value that ever passes; 'F' malformed if set.
 */
static const char POLICY_BITS[] = "................" /* ABI */
                                  ".1"               /* SMT, must be one */
                                  "00"               /* MIGRATE_MA, DEBUG */
                                  "......"           /* SINGLE_SOCKET .. PAGE_SWAP_DISABLE */
                                  "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF";
static const char PLATFORM_BITS[] = "......0." /* 6 is reserved */
                                    "00000000000000000000000000000000000000000000000000000000";

_Static_assert(sizeof POLICY_BITS == 65 && sizeof PLATFORM_BITS == 65, "a letter for each bit");

static void check_bit(const char *key, char letter, unsigned bit, uint64_t want, uint64_t *field,
                      const struct pp_snp_report *report, uint32_t code)
{
    char text[128];
    uint64_t mask = UINT64_C(1) << bit;

    snprintf(text, sizeof text, "{\"%s_mask\": \"0x%llx\", \"%s_value\": \"0x%llx\"}", key,
             (unsigned long long)mask, key, (unsigned long long)(want != 0 ? mask : 0));
    assert_ok(read_text(text));
    for (uint64_t is = 0; is < 2; is++) {
        *field = is != 0 ? *field | mask : *field & ~mask;
        int malformed = letter == 'F' ? is == 1 : letter == '1' && is == 0;
        int forbidden = (letter == '0' && is == 1) || is != want;
        assert_code(verify(report), malformed ? PP_E_SNP_FORMAT : forbidden ? code : PP_E_OK);
    }
}

static void w9_each_bit_of_policy_and_platform_can_be_asked_for_by_a_file(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++)
        for (uint64_t want = 0; want < 2; want++) {
            struct pp_snp_report r = good;
            check_bit("policy", POLICY_BITS[bit], bit, want, &r.policy, &r, PP_E_SNP_POLICY);
            r = good;
            check_bit("platform_info", PLATFORM_BITS[bit], bit, want, &r.platform_info, &r,
                      PP_E_SNP_PLATFORM);
        }
}

static void each_member_asks_for_its_check_and_no_other(void **state)
{
    (void)state;
    char chip_id[2 * PP_SNP_CHIP_ID_BYTES + 1], text[256];

    for (size_t i = 0; i < PP_SNP_CHIP_ID_BYTES; i++)
        snprintf(chip_id + 2 * i, 3, "%02x", sim_chip_id(chip)[i]);
    snprintf(text, sizeof text, "{\"expected_chip_id_hex\": \"%s\"}", chip_id);
    assert_passes(text, PP_SNP_CHECK_HOST_ID);
    text[strlen(text) - 3] ^= 1;
    assert_refuses(text, PP_E_SNP_HOST_ID);
    assert_passes("{\"vmpl\": 0}", PP_SNP_CHECK_VMPL);
    assert_refuses("{\"vmpl\": 1}", PP_E_SNP_VMPL);
    assert_passes("{\"min_guest_svn\": 3}", PP_SNP_CHECK_ID_BLOCK);
    assert_refuses("{\"min_guest_svn\": 4}", PP_E_SNP_ID_BLOCK);
    assert_passes("{\"expected_family_id_hex\": \"fafafafafafafafafafafafafafafafa\"}",
                  PP_SNP_CHECK_ID_BLOCK);
    assert_refuses("{\"expected_family_id_hex\": \"fafafafafafafafafafafafafafafafb\"}",
                   PP_E_SNP_ID_BLOCK);
    assert_passes("{\"expected_image_id_hex\": \"1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A\"}",
                  PP_SNP_CHECK_ID_BLOCK);
    assert_refuses("{\"expected_image_id_hex\": \"1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1b\"}",
                   PP_E_SNP_ID_BLOCK);
    assert_passes("{\"min_firmware\": \"1.55.60\"}", PP_SNP_CHECK_FW_MIN);
    assert_refuses("{\"min_firmware\": \"1.55.61\"}", PP_E_SNP_FW_MIN);
    assert_passes("{\"required_mitigations\": \"0xb\"}", PP_SNP_CHECK_MITIGATION);
    assert_refuses("{\"required_mitigations\": \"0xC\"}", PP_E_SNP_MITIGATION);
    assert_refuses("{\"min_abi\": \"0.1\"}", PP_E_SNP_POLICY);
    assert_passes("{\"min_abi\": \"0.0\"}", PP_SNP_CHECK_POLICY);
    assert_passes("{\"require_final_firmware\": true}", PP_SNP_CHECK_PROVISIONAL);
    assert_passes("{\"require_no_migration_agent\": true}", PP_SNP_CHECK_MIGRATION);
    assert_refuses("{\"require_crl\": true}", PP_E_SNP_CRL_STALE);
    assert_passes("{\"lines\": [\"Genoa\", \"Turin\"]}", PP_SNP_CHECK_PRODUCT);
    assert_refuses("{\"lines\": [\"Genoa\"]}", PP_E_SNP_PRODUCT);
    assert_passes("{\"signers\": [\"VCEK\"]}", PP_SNP_CHECK_KEY_INFO);
    assert_refuses("{\"signers\": [\"VLEK\"]}", PP_E_SNP_KEY_INFO);
    assert_passes("{\"min_report_version\": 5}", PP_SNP_CHECK_FORMAT);
}

/* The chip's level is fmc 1, bl 1, tee 1, snp 5, microcode 82, at launch too. */
static void each_component_of_a_patch_level_has_its_minimum(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int level;
    } parts[] = { { "fmc", 1 }, { "bl", 1 }, { "tee", 1 }, { "snp", 5 }, { "ucode", 0x52 } };
    char text[64];

    for (size_t i = 0; i < PP_ARRAY_COUNT(parts); i++)
        for (int launch = 0; launch < 2; launch++) {
            const char *when = launch ? "launch_" : "";
            snprintf(text, sizeof text, "{\"min_%stcb_%s_spl\": %d}", when, parts[i].name,
                     parts[i].level);
            assert_passes(text, PP_SNP_CHECK_TCB_MIN);
            snprintf(text, sizeof text, "{\"min_%stcb_%s_spl\": %d}", when, parts[i].name,
                     parts[i].level + 1);
            assert_refuses(text, PP_E_SNP_TCB_MIN);
        }
}

static void firmware_that_is_not_final_is_refused_where_it_is_asked(void **state)
{
    (void)state;
    struct pp_snp_report r = good;

    r.current.build++;
    assert_ok(read_text("{\"require_final_firmware\": false}"));
    assert_ok(verify(&r));
    assert_ok(read_text("{\"require_final_firmware\": true}"));
    assert_code(verify(&r), PP_E_SNP_PROVISIONAL);
}

static void a_file_that_is_not_understood_in_full_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "[]",
        "{\"vmpl\": 4}",
        "{\"vmpl\": -1}",
        "{\"vmpl\": \"0\"}",
        "{\"vpml\": 0}",
        "{\"min_tcb_bl_spl\": 256}",
        "{\"min_tcb_spl4_spl\": 1}",
        "{\"min_guest_svn\": 4294967296}",
        "{\"min_report_version\": 6}",
        "{\"min_firmware\": \"1.55\"}",
        "{\"min_firmware\": \"1.55.1.1\"}",
        "{\"min_firmware\": \"1.256.1\"}",
        "{\"min_firmware\": 1.55}",
        "{\"min_abi\": \"1\"}",
        "{\"required_mitigations\": \"b\"}",
        "{\"required_mitigations\": \"0x\"}",
        "{\"required_mitigations\": \"0xg\"}",
        "{\"required_mitigations\": \"0x10000000000000000\"}",
        "{\"required_mitigations\": 11}",
        "{\"policy_mask\": \"0x1\"}",
        "{\"policy_value\": \"0x1\"}",
        "{\"policy_mask\": \"0x1\", \"policy_value\": \"0x3\"}",
        "{\"platform_info_mask\": \"0x1\"}",
        "{\"platform_info_value\": \"0x0\"}",
        "{\"policy_mask\": \"0x1\", \"platform_info_value\": \"0x1\"}",
        "{\"lines\": []}",
        "{\"lines\": [\"Rome\"]}",
        "{\"lines\": [\"-\"]}",
        "{\"lines\": \"Genoa\"}",
        "{\"signers\": [\"VCEK\", 1]}",
        "{\"require_crl\": 1}",
        "{\"expected_chip_id_hex\": \"00\"}",
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(wrong); i++)
        assert_code(read_text(wrong[i]), PP_E_CONFIG);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(w9_each_bit_of_policy_and_platform_can_be_asked_for_by_a_file),
    cmocka_unit_test(each_member_asks_for_its_check_and_no_other),
    cmocka_unit_test(each_component_of_a_patch_level_has_its_minimum),
    cmocka_unit_test(firmware_that_is_not_final_is_refused_where_it_is_asked),
    cmocka_unit_test(a_file_that_is_not_understood_in_full_is_refused),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, make, clean);
}
