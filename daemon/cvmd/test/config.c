/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "config.h"
#include "hash.h"
#include "kem.h"

#define GOOD                                                                                       \
    "environment = dev\nplatform = sim-snp\nmessage_kem = x25519\nengine = embedded\n"             \
    "sessions_max = 64\nsession_s = 30\nworkers_ready = 4\n"

static pp_res parse(const char *text, struct cvm_config *c)
{
    struct pp_problem problem = { 0 };

    return cvm_config_parse(pp_span_cstr(text), PP_STR("pp.role=orchestrator"), &problem, c);
}

static void a_configuration_is_read_and_its_bytes_are_what_was_measured(void **state)
{
    struct cvm_config c;
    uint8_t digest[32];

    (void)state;
    assert_ok(parse(GOOD, &c));
    assert_int_equal(c.platform, PP_PLATFORM_SIM_SNP);
    assert_int_equal(c.message_kem, PP_KEM_X25519_SHA256);
    assert_int_equal(c.sessions_max, 64);
    assert_int_equal(c.session_s, 30);
    assert_int_equal(c.workers_ready, 4);
    assert_int_equal(c.grid_ms, 0);
    assert_int_equal(c.frame_ms, CVM_FRAME_MS);
    assert_int_equal(c.idle_ms, CVM_IDLE_MS);
    assert_string_equal(c.engine->kind, "embedded");
    pp_sha256(PP_STR(GOOD), digest);
    assert_memory_equal(c.digest, digest, sizeof digest);
    assert_true(pp_span_eq(c.bytes, PP_STR(GOOD)));
}

/* pp-wire 3: a 250 ms grid everywhere but in dev. */
static void only_dev_has_no_answer_grid(void **state)
{
    struct cvm_config c;

    (void)state;
    assert_ok(parse("environment = staging\nplatform = sim-snp\nmessage_kem = x-wing\n"
                    "engine = embedded\nsessions_max = 1\nsession_s = 1\nworkers_ready = 1\n",
                    &c));
    assert_int_equal(c.grid_ms, 250);
    assert_int_equal(c.message_kem, PP_KEM_XWING);
}

/* W13_T2, T5, T6: what a host can put into a configuration is refused, not interpreted. */
static void w13_unknown_double_missing_and_odd_values_are_refused(void **state)
{
    static const char *const ROWS[] = {
        "",
        GOOD "LD_PRELOAD = /evil.so\n",
        GOOD "engine = embedded\n",
        GOOD "session_s = 31\n",
        "environment = dev\n",
        "environment = $(reboot)\nplatform = sim-snp\nmessage_kem = x25519\nengine = embedded\n"
        "sessions_max = 64\nsession_s = 30\nworkers_ready = 4\n",
        "environment = dev\nplatform = sgx\nmessage_kem = x25519\nengine = embedded\n"
        "sessions_max = 64\nsession_s = 30\nworkers_ready = 4\n",
        "environment = dev\nplatform = sim-snp\nmessage_kem = p256\nengine = embedded\n"
        "sessions_max = 64\nsession_s = 30\nworkers_ready = 4\n",
        "environment = dev\nplatform = sim-snp\nmessage_kem = x25519\nengine = /bin/sh\n"
        "sessions_max = 64\nsession_s = 30\nworkers_ready = 4\n",
        "environment = dev\nplatform = sim-snp\nmessage_kem = x25519\nengine = embedded\n"
        "sessions_max = 0\nsession_s = 30\nworkers_ready = 4\n",
        "environment = dev\nplatform = sim-snp\nmessage_kem = x25519\nengine = embedded\n"
        "sessions_max = 4097\nsession_s = 30\nworkers_ready = 4\n",
        "environment = dev\nplatform = sim-snp\nmessage_kem = x25519\nengine = embedded\n"
        "sessions_max = 64\nsession_s = 31\nworkers_ready = 4\n",
        "environment = dev\nplatform = sim-snp\nmessage_kem = x25519\nengine = embedded\n"
        "sessions_max = 64\nsession_s = 0\nworkers_ready = 4\n",
        "environment = dev\nplatform = sim-snp\nmessage_kem = x25519\nengine = embedded\n"
        "sessions_max = 64\nsession_s = 30\nworkers_ready = 65\n",
        "environment = dev\nplatform = sim-snp\nmessage_kem = x25519\nengine = embedded\n"
        "sessions_max = 64\nsession_s = 30\nworkers_ready = 4x\n",
        "environment = dev\x01\nplatform = sim-snp\nmessage_kem = x25519\nengine = embedded\n"
        "sessions_max = 64\nsession_s = 30\nworkers_ready = 4\n",
    };
    struct cvm_config c;

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++)
        assert_code(parse(ROWS[i], &c), PP_E_CONFIG);
}

static void a_configuration_stops_at_4096_bytes(void **state)
{
    static char text[PP_EVIDENCE_CONFIG_BYTES_MAX + 2];
    struct cvm_config c;

    (void)state;
    memset(text, '\n', sizeof text - 1);
    memcpy(text, GOOD, sizeof GOOD - 1);
    text[PP_EVIDENCE_CONFIG_BYTES_MAX] = '\0';
    assert_ok(parse(text, &c));
    text[PP_EVIDENCE_CONFIG_BYTES_MAX] = '\n';
    assert_code(parse(text, &c), PP_E_CONFIG);
}

/* W20_T2: a role is what the measured command line says, exactly. */
static void w20_t2_another_role_or_a_longer_command_line_is_refused(void **state)
{
    static const char *const ROWS[] = { "",
                                        "pp.role=gateway",
                                        "pp.role=orchestrator ",
                                        "pp.role=orchestrator quiet",
                                        "pp.role=Orchestrator",
                                        " pp.role=orchestrator" };
    struct pp_problem problem = { 0 };
    struct cvm_config c;

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++)
        assert_code(cvm_config_parse(PP_STR(GOOD), pp_span_cstr(ROWS[i]), &problem, &c),
                    PP_E_CONFIG);
}

#define NOT_HEX "g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define ID      "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static pp_res parse_as(const char *role, const char *text, struct cvm_config *c)
{
    struct pp_problem problem = { 0 };

    return cvm_config_parse(pp_span_cstr(text), pp_span_cstr(role), &problem, c);
}

/* W20: whom a back-end serves is measured, and an orchestrator serves no machine. */
static void w20_a_back_end_names_its_clients_and_nobody_else_does(void **state)
{
    static const char FIVE[] = GOOD "clients = " ID " " ID " " ID " " ID " " ID "\n";
    static const char FOUR[] = GOOD "clients = " ID " " ID " " ID " " ID "\n";
    struct cvm_config c;

    (void)state;
    assert_ok(parse_as("pp.role=predictor", GOOD "clients = " ID "\n", &c));
    assert_int_equal(c.role, PP_RECORD_PREDICTOR);
    assert_int_equal(c.client_count, 1);
    assert_int_equal(c.clients[0].bytes[1], 0x11);
    assert_ok(parse_as("pp.role=guard", FOUR, &c));
    assert_int_equal(c.client_count, CVM_CLIENTS_MAX);
    assert_code(parse_as("pp.role=guard", FIVE, &c), PP_E_CONFIG);
    assert_code(parse_as("pp.role=predictor", GOOD, &c), PP_E_CONFIG);
    assert_code(parse_as("pp.role=orchestrator", GOOD "clients = " ID "\n", &c), PP_E_CONFIG);
    assert_code(parse_as("pp.role=guard", GOOD "clients = " ID "  " ID "\n", &c), PP_E_CONFIG);
    assert_code(parse_as("pp.role=guard", GOOD "clients = " ID ID "\n", &c), PP_E_CONFIG);
}

/* The guard folds the case of texts and not of these, and cuts texts at all that is in no word. */
static void a_machine_has_one_gpu_or_none(void **state)
{
    struct cvm_config c;

    (void)state;
    assert_ok(parse_as("pp.role=orchestrator", GOOD, &c));
    assert_false(c.has_gpu);
    assert_ok(parse_as("pp.role=orchestrator", GOOD "gpu = one\n", &c));
    assert_true(c.has_gpu);
    assert_code(parse_as("pp.role=orchestrator", GOOD "gpu = two\n", &c), PP_E_CONFIG);
}

static void a_blocked_word_that_no_text_can_hold_is_refused(void **state)
{
    static const char *const ROWS[] = { "Plugh", "foo-bar", "plugh Foo", "plugh, foo", "foo  bar" };
    char text[512];
    struct cvm_config c;

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        snprintf(text, sizeof text, GOOD "clients = " ID "\nblocked = %s\n", ROWS[i]);
        assert_code(parse_as("pp.role=guard", text, &c), PP_E_CONFIG);
    }
    assert_ok(
        parse_as("pp.role=guard", GOOD "clients = " ID "\nblocked = plugh stra\303\237e 42\n", &c));
}

static void only_a_guard_blocks_and_only_simulated_machines_have_measured_roots(void **state)
{
    struct cvm_config c;

    (void)state;
    assert_ok(parse_as("pp.role=guard", GOOD "clients = " ID "\nblocked = plugh\n", &c));
    assert_true(pp_span_eq(c.blocked, PP_STR("plugh")));
    assert_code(parse_as("pp.role=orchestrator", GOOD "blocked = plugh\n", &c), PP_E_CONFIG);
    assert_ok(parse_as("pp.role=orchestrator", GOOD "simulated_root = " ID "\n", &c));
    assert_true(c.simulated.has_snp && !c.simulated.has_tdx);
    assert_ok(parse_as("pp.role=orchestrator", GOOD "simulated_tdx_root = " ID "\n", &c));
    assert_true(c.simulated.has_tdx && !c.simulated.has_snp);
    assert_int_equal(c.simulated.tdx[31], 0xFF);
    assert_ok(parse_as("pp.role=orchestrator",
                       GOOD "simulated_root = " ID "\nsimulated_tdx_root = " ID "\n", &c));
    assert_true(c.simulated.has_snp && c.simulated.has_tdx);
    static const char *const KEYS[] = { "simulated_root", "simulated_tdx_root" };
    for (size_t i = 0; i < PP_ARRAY_COUNT(KEYS); i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "environment = dev\nplatform = sev-snp\nmessage_kem = x25519\n"
                 "engine = embedded\nsessions_max = 64\nsession_s = 30\n"
                 "workers_ready = 4\n%s = " ID "\n",
                 KEYS[i]);
        assert_code(parse_as("pp.role=orchestrator", text, &c), PP_E_CONFIG);
        snprintf(text, sizeof text, GOOD "%s = " NOT_HEX "\n", KEYS[i]);
        assert_code(parse_as("pp.role=orchestrator", text, &c), PP_E_CONFIG);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(w20_a_back_end_names_its_clients_and_nobody_else_does),
    cmocka_unit_test(a_machine_has_one_gpu_or_none),
    cmocka_unit_test(a_blocked_word_that_no_text_can_hold_is_refused),
    cmocka_unit_test(only_a_guard_blocks_and_only_simulated_machines_have_measured_roots),
    cmocka_unit_test(a_configuration_is_read_and_its_bytes_are_what_was_measured),
    cmocka_unit_test(only_dev_has_no_answer_grid),
    cmocka_unit_test(w13_unknown_double_missing_and_odd_values_are_refused),
    cmocka_unit_test(a_configuration_stops_at_4096_bytes),
    cmocka_unit_test(w20_t2_another_role_or_a_longer_command_line_is_refused),
};

PP_TEST_MAIN(tests)
