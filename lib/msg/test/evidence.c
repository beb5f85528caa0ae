/* SPDX-License-Identifier: Apache-2.0 */
#include "samples.h"

#include "cbor.h"

static size_t write_sample(const struct pp_evidence *e, uint8_t *buf, size_t cap)
{
    struct pp_wr wr = pp_wr_over(buf, cap);

    assert_ok(pp_evidence_write(&wr, e));
    return wr.len;
}

static void what_is_written_reads_back(void **state)
{
    uint8_t buf[8192];
    struct pp_evidence e = sample_evidence(), back;
    size_t len = write_sample(&e, buf, sizeof buf);

    (void)state;
    assert_ok(pp_evidence_parse(pp_span(buf, len), PP_END_SERVER, &back));
    assert_int_equal(back.platform, e.platform);
    assert_true(pp_span_eq(back.report, e.report));
    assert_true(pp_span_eq(back.endorsements[0], e.endorsements[0]));
    assert_true(pp_span_eq(back.config, e.config));
    assert_int_equal(back.message_kem, 0x0020);
    assert_true(pp_span_eq(back.message_pk, pp_span(e.message_key.at + 2, 32)));
    assert_int_equal(back.batch.size, 3);
    assert_int_equal(back.backends.count, 2);
    assert_memory_equal(&back.hosts[0], &e.hosts[0], sizeof e.hosts[0]);
    assert_int_equal(back.gpu_encoding.len, 0);
}

static void every_truncation_of_evidence_is_refused(void **state)
{
    uint8_t buf[8192];
    struct pp_evidence e = sample_evidence(), back;
    size_t len = write_sample(&e, buf, sizeof buf);

    (void)state;
    for (size_t n = 0; n < len; n++)
        assert_false(pp_is_ok(pp_evidence_parse(pp_span(buf, n), PP_END_SERVER, &back)));
}

/* What is signed or hashed must have one encoding: a changed byte never reads as the same
 * message. */
static void no_single_flipped_bit_reads_as_the_same_evidence(void **state)
{
    uint8_t buf[8192], again[8192];
    struct pp_evidence e = sample_evidence(), back;
    size_t len = write_sample(&e, buf, sizeof buf);

    (void)state;
    for (size_t bit = 0; bit < 8 * len; bit++) {
        buf[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (pp_is_ok(pp_evidence_parse(pp_span(buf, len), PP_END_SERVER, &back))) {
            struct pp_wr wr = pp_wr_over(again, sizeof again);
            assert_ok(pp_evidence_write(&wr, &back));
            assert_true(pp_span_eq(pp_wr_done(&wr), pp_span(buf, len)));
        }
        buf[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void a_failed_parse_leaves_the_output_alone(void **state)
{
    struct pp_evidence back = { .report = PP_STR("untouched") };

    (void)state;
    assert_code(pp_evidence_parse(PP_STR("\xa0"), PP_END_SERVER, &back), PP_E_MISSING);
    assert_true(pp_span_eq(back.report, PP_STR("untouched")));
}

static void a_report_stops_at_its_limit(void **state)
{
    static uint8_t report[PP_EVIDENCE_REPORT_BYTES_MAX + 1], buf[20480];
    struct pp_evidence e = sample_evidence(), back;

    (void)state;
    e.report = pp_span(report, PP_EVIDENCE_REPORT_BYTES_MAX);
    assert_ok(
        pp_evidence_parse(pp_span(buf, write_sample(&e, buf, sizeof buf)), PP_END_SERVER, &back));
    e.report = PP_BYTES(report);
    assert_code(
        pp_evidence_parse(pp_span(buf, write_sample(&e, buf, sizeof buf)), PP_END_SERVER, &back),
        PP_E_RANGE);
}

static void the_writer_refuses_counts_past_their_limits(void **state)
{
    uint8_t buf[8192];
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);
    struct pp_evidence e = sample_evidence();

    (void)state;
    e.host_count = 0;
    assert_code(pp_evidence_write(&wr, &e), PP_E_RANGE);
    e = sample_evidence();
    e.host_count = PP_HOST_PATHS_MAX + 1;
    assert_code(pp_evidence_write(&wr, &e), PP_E_RANGE);
    e = sample_evidence();
    e.backends.count = PP_BACKEND_MAX + 1;
    assert_code(pp_evidence_write(&wr, &e), PP_E_RANGE);
    e = sample_evidence();
    e.batch.node_count = PP_BATCH_PATH_MAX + 1;
    assert_code(pp_evidence_write(&wr, &e), PP_E_RANGE);
    e = sample_evidence();
    e.endorsement_count = PP_EVIDENCE_ENDORSEMENT_MAX + 1;
    assert_code(pp_evidence_write(&wr, &e), PP_E_RANGE);
    static uint8_t config[PP_EVIDENCE_CONFIG_BYTES_MAX + 1];
    e = sample_evidence();
    e.config = pp_span(config, PP_EVIDENCE_CONFIG_BYTES_MAX);
    assert_ok(pp_evidence_write(&wr, &e));
    e.config.len++;
    assert_code(pp_evidence_write(&wr, &e), PP_E_RANGE);
    e = sample_evidence();
    wr = pp_wr_over(buf, 100);
    assert_code(pp_evidence_write(&wr, &e), PP_E_NO_SPACE);
}

/* pp-wire 6: exactly 28672 bytes, whatever is inside. */
static void the_body_has_one_size(void **state)
{
    static uint8_t buf[PP_EVIDENCE_BODY_BYTES + 64];
    struct pp_evidence e = sample_evidence(), back;
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);
    struct pp_span cbor;

    (void)state;
    pp_wr_u32(&wr, 7); /* whatever stood before */
    assert_ok(pp_evidence_body_write(&wr, &e));
    assert_int_equal(wr.len, 4 + PP_EVIDENCE_BODY_BYTES);
    assert_ok(pp_evidence_body_parse(pp_span(buf + 4, PP_EVIDENCE_BODY_BYTES), &cbor));
    assert_ok(pp_evidence_parse(cbor, PP_END_SERVER, &back));
    assert_code(pp_evidence_body_parse(pp_span(buf + 4, PP_EVIDENCE_BODY_BYTES - 1), &cbor),
                PP_E_RANGE);
    assert_code(pp_evidence_body_parse(pp_span(buf + 4, PP_EVIDENCE_BODY_BYTES + 1), &cbor),
                PP_E_RANGE);

    wr = pp_wr_over(buf, PP_EVIDENCE_BODY_BYTES - 1);
    assert_code(pp_evidence_body_write(&wr, &e), PP_E_NO_SPACE);
}

/* The length says how much of it is the map; what is behind it is zeros. */
static void a_body_is_a_length_a_map_and_zeros(void **state)
{
    static uint8_t buf[PP_EVIDENCE_BODY_BYTES];
    struct pp_evidence e = sample_evidence();
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);
    struct pp_span cbor;
    static const uint32_t lengths[] = { 0, PP_EVIDENCE_BYTES_MAX + 1, UINT32_MAX };

    (void)state;
    assert_ok(pp_evidence_body_write(&wr, &e));
    assert_ok(pp_evidence_body_parse(PP_BYTES(buf), &cbor));
    buf[sizeof buf - 1] = 1;
    assert_false(pp_is_ok(pp_evidence_body_parse(PP_BYTES(buf), &cbor)));
    memset(buf, 0, sizeof buf);
    for (size_t i = 0; i < PP_ARRAY_COUNT(lengths); i++) {
        wr = pp_wr_over(buf, sizeof buf);
        pp_wr_u32(&wr, lengths[i]);
        assert_code(pp_evidence_body_parse(PP_BYTES(buf), &cbor), PP_E_RANGE);
    }
}

/* ra-tls 13: nobody seals to a client. */
static void evidence_of_a_client_has_no_message_key(void **state)
{
    uint8_t buf[8192];
    struct pp_evidence e = sample_evidence(), back;

    (void)state;
    struct pp_span cbor = pp_span(buf, write_sample(&e, buf, sizeof buf));
    assert_ok(pp_evidence_parse(cbor, PP_END_SERVER, &back));
    assert_code(pp_evidence_parse(cbor, PP_END_CLIENT, &back), PP_E_UNKNOWN_FIELD);
    e.message_key = (struct pp_span){ 0 };
    cbor = pp_span(buf, write_sample(&e, buf, sizeof buf));
    assert_ok(pp_evidence_parse(cbor, PP_END_CLIENT, &back));
    assert_code(pp_evidence_parse(cbor, PP_END_SERVER, &back), PP_E_MISSING);
}

static void the_answers_about_a_gpu_have_one_limit_together(void **state)
{
    static uint8_t buf[16384], gpu[8192], answer[PP_EVIDENCE_OCSP_BYTES_MAX], fresh[32];

    (void)state;
    for (size_t more = 0; more <= 1; more++) {
        struct pp_evidence e = sample_evidence(), back;
        struct pp_wr wr = pp_wr_over(gpu, sizeof gpu);
        pp_cbor_wr_array(&wr, 1);
        pp_cbor_wr_array(&wr, 4);
        pp_cbor_wr_bytes(&wr, PP_BYTES(fresh));
        pp_cbor_wr_bytes(&wr, PP_STR("report"));
        pp_cbor_wr_array(&wr, 1);
        pp_cbor_wr_bytes(&wr, PP_STR("certificate"));
        pp_cbor_wr_array(&wr, 2);
        pp_cbor_wr_bytes(&wr, pp_span(answer, 1000));
        pp_cbor_wr_bytes(&wr, pp_span(answer, PP_EVIDENCE_OCSP_BYTES_MAX - 1000 + more));
        e.gpu_encoding = pp_wr_done(&wr);
        struct pp_span cbor = pp_span(buf, write_sample(&e, buf, sizeof buf));
        assert_code(pp_evidence_parse(cbor, PP_END_SERVER, &back), more ? PP_E_LIMIT : PP_E_OK);
    }
}

static void evidence_that_does_not_fit_its_body_is_refused(void **state)
{
    static uint8_t buf[64 * 1024], report[PP_EVIDENCE_REPORT_BYTES_MAX], config[4096], gpu[12000];
    struct pp_evidence e = sample_evidence();
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);

    (void)state;
    e.report = PP_BYTES(report);
    e.config = PP_BYTES(config);
    e.gpu_encoding = PP_BYTES(gpu);
    assert_code(pp_evidence_body_write(&wr, &e), PP_E_RANGE);
}

static void key_4_comes_back_as_it_was_written(void **state)
{
    static uint8_t encoding[4096], buf[PP_EVIDENCE_BODY_BYTES];
    struct pp_evidence_gpu gpu = { .fresh = { 1, 2, 3 },
                                   .report = PP_STR("report"),
                                   .certs = { PP_STR("leaf"), PP_STR("chip") },
                                   .cert_count = 2,
                                   .ocsp = { PP_STR("good") },
                                   .ocsp_count = 1 };
    struct pp_wr gpu_wr = pp_wr_over(encoding, sizeof encoding), wr = pp_wr_over(buf, sizeof buf);
    struct pp_evidence e = sample_evidence(), back;

    (void)state;
    assert_ok(pp_evidence_gpu_write(&gpu_wr, &gpu));
    e.gpu_encoding = pp_wr_done(&gpu_wr);
    assert_ok(pp_evidence_write(&wr, &e));
    assert_ok(pp_evidence_parse(pp_wr_done(&wr), PP_END_SERVER, &back));
    assert_true(pp_span_eq(back.gpu_encoding, e.gpu_encoding));
    assert_memory_equal(back.gpu.fresh, gpu.fresh, sizeof gpu.fresh);
    assert_true(pp_span_eq(back.gpu.report, gpu.report));
    assert_true(back.gpu.cert_count == 2 && pp_span_eq(back.gpu.certs[1], gpu.certs[1]));
    assert_true(back.gpu.ocsp_count == 1 && pp_span_eq(back.gpu.ocsp[0], gpu.ocsp[0]));
    gpu.cert_count = PP_EVIDENCE_GPU_CERT_MAX + 1;
    assert_code(pp_evidence_gpu_write(&gpu_wr, &gpu), PP_E_RANGE);
    gpu.cert_count = 0;
    gpu.ocsp_count = PP_EVIDENCE_GPU_CERT_MAX + 1;
    assert_code(pp_evidence_gpu_write(&gpu_wr, &gpu), PP_E_RANGE);
}

static void platforms_have_their_names(void **state)
{
    (void)state;
    assert_string_equal(pp_platform_name(PP_PLATFORM_SEV_SNP), "sev-snp");
    assert_string_equal(pp_platform_name(PP_PLATFORM_SIM_TDX), "sim-tdx");
    assert_int_equal(pp_platform_is_snp(PP_PLATFORM_SIM_SNP), 1);
    assert_int_equal(pp_platform_is_snp(PP_PLATFORM_TDX), 0);
    assert_int_equal(pp_platform_is_simulated(PP_PLATFORM_SEV_SNP), 0);
    assert_int_equal(pp_platform_is_simulated(PP_PLATFORM_SIM_SNP), 1);
}

static void hints_read_back_and_every_truncation_is_refused(void **state)
{
    uint8_t buf[4096];
    struct pp_hints h = { .endorsement_count = 1, .host_count = 2, .record_count = 2 }, back;
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);

    (void)state;
    h.endorsements[0] = PP_STR("VCEK");
    h.hosts[0] = sample_host(1);
    h.hosts[1] = sample_host(2);
    h.backends = sample_backends();
    h.records[0] = PP_STR("host-set/v1\n");
    h.records[1] = PP_STR("cvm-release/v1\n");
    assert_ok(pp_hints_write(&wr, &h));
    assert_ok(pp_hints_parse(pp_wr_done(&wr), &back));
    assert_int_equal(back.record_count, 2);
    assert_true(pp_span_eq(back.records[1], h.records[1]));
    assert_int_equal(back.collateral_count, 0);
    for (size_t n = 0; n < wr.len; n++)
        assert_false(pp_is_ok(pp_hints_parse(pp_span(buf, n), &back)));
}

static void the_writer_of_hints_refuses_counts_past_their_limits(void **state)
{
    static uint8_t buf[8192];

    (void)state;
    for (size_t which = 0; which < 7; which++) {
        struct pp_hints h = { .host_count = 1 };
        struct pp_wr wr = pp_wr_over(buf, sizeof buf);
        h.endorsement_count = which == 1 ? PP_EVIDENCE_ENDORSEMENT_MAX + 1 : 0;
        h.backends.count = which == 2 ? PP_BACKEND_MAX + 1 : 0;
        h.record_count = which == 3 ? PP_HINTS_RECORD_MAX + 1 : 0;
        h.collateral_count = which == 4 ? PP_HINTS_COLLATERAL_MAX + 1 : 0;
        if (which >= 5)
            h.host_count = which == 5 ? 0 : PP_HOST_PATHS_MAX + 1;
        assert_code(pp_hints_write(&wr, &h), which == 0 ? PP_E_OK : PP_E_RANGE);
    }
}

static void hints_stop_at_64_kib(void **state)
{
    static uint8_t buf[PP_HINTS_BYTES_MAX + 1], blob[PP_HINTS_BYTES_MAX];
    struct pp_hints h = { .endorsement_count = 0, .host_count = 1, .collateral_count = 1 }, back;
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);

    (void)state;
    h.hosts[0] = sample_host(1);
    h.collateral[0] = pp_span(blob, 1);
    assert_ok(pp_hints_write(&wr, &h));
    size_t around = wr.len - 2; /* without the one-byte blob and its head */

    h.collateral[0] = pp_span(blob, PP_HINTS_BYTES_MAX - around - 3);
    wr = pp_wr_over(buf, sizeof buf);
    assert_ok(pp_hints_write(&wr, &h));
    assert_int_equal(wr.len, PP_HINTS_BYTES_MAX);
    assert_ok(pp_hints_parse(pp_wr_done(&wr), &back));

    h.collateral[0].len++;
    wr = pp_wr_over(buf, sizeof buf);
    assert_ok(pp_hints_write(&wr, &h));
    assert_code(pp_hints_parse(pp_wr_done(&wr), &back), PP_E_LIMIT);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_written_reads_back),
    cmocka_unit_test(every_truncation_of_evidence_is_refused),
    cmocka_unit_test(no_single_flipped_bit_reads_as_the_same_evidence),
    cmocka_unit_test(a_failed_parse_leaves_the_output_alone),
    cmocka_unit_test(a_report_stops_at_its_limit),
    cmocka_unit_test(the_writer_refuses_counts_past_their_limits),
    cmocka_unit_test(the_body_has_one_size),
    cmocka_unit_test(evidence_that_does_not_fit_its_body_is_refused),
    cmocka_unit_test(key_4_comes_back_as_it_was_written),
    cmocka_unit_test(platforms_have_their_names),
    cmocka_unit_test(hints_read_back_and_every_truncation_is_refused),
    cmocka_unit_test(a_body_is_a_length_a_map_and_zeros),
    cmocka_unit_test(evidence_of_a_client_has_no_message_key),
    cmocka_unit_test(the_answers_about_a_gpu_have_one_limit_together),
    cmocka_unit_test(the_writer_of_hints_refuses_counts_past_their_limits),
    cmocka_unit_test(hints_stop_at_64_kib),
};

PP_TEST_MAIN(tests)
