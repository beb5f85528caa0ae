/* SPDX-License-Identifier: Apache-2.0 */
/* Reports of GPUs: the parser alone; nothing is believed of what it reads. */
#include "harness.h"

#include "crypto.h"
#include "gpu_verify.h"

enum { REQUEST_BYTES = 37, BLOCK_BYTES = 55, BLOCKS_AT = REQUEST_BYTES + 8, BYTES_MAX = 8192 };

static const uint8_t STATE_OFF[] = { PP_GPU_DISABLED };

/* Two measurements, and the fields that have a meaning. */
static struct pp_gpu_report small(void)
{
    struct pp_gpu_report r = { .nonce = { 1 }, .responder_nonce = { 2 }, .present = 0x21 };
    static uint8_t fwid[PP_GPU_HASH_BYTES] = { 9 };

    memset(r.measurements[0], 0x10, PP_GPU_HASH_BYTES);
    memset(r.measurements[5], 0x15, PP_GPU_HASH_BYTES);
    memset(r.r, 0x77, sizeof r.r);
    memset(r.s, 0x88, sizeof r.s);
    r.value_types[0] = r.value_types[5] = 1;
    r.fields[PP_GPU_FIELD_DRIVER_VERSION] = pp_span("550.90.07", 10);
    r.fields[PP_GPU_FIELD_VBIOS_VERSION] = PP_STR("\x00\x9f\x00\x96\x01\x00\x00\x00");
    r.fields[PP_GPU_FIELD_NVDEC0_STATUS] = PP_BYTES(STATE_OFF);
    r.fields[PP_GPU_FIELD_PROTECTED_PCIE_STATUS] = PP_BYTES(STATE_OFF);
    r.fields[PP_GPU_FIELD_FWID] = PP_BYTES(fwid);
    r.fields[PP_GPU_FIELD_FEATURE_FLAG] = PP_STR("\x02\x00");
    return r;
}

static struct pp_span write(const struct pp_gpu_report *r, uint8_t bytes[BYTES_MAX])
{
    struct pp_wr wr = pp_wr_over(bytes, BYTES_MAX);
    size_t signed_len;

    assert_ok(pp_gpu_report_write(&wr, r, &signed_len));
    assert_int_equal(signed_len, wr.len - 96);
    return pp_wr_done(&wr);
}

static void assert_format(struct pp_span bytes)
{
    struct pp_gpu_report r = { .block_count = 77 };
    struct pp_problem problem = { 0 };

    assert_code(pp_gpu_report_parse(bytes, &r, &problem), PP_E_GPU_FORMAT);
    assert_int_equal(r.block_count, 77); /* written only on success */
    assert_true(problem.field[0] != '\0');
    assert_code(pp_gpu_report_parse(bytes, &r, NULL), PP_E_GPU_FORMAT);
}

/* Refused, and for the part that is not as it must be. */
static void assert_names(struct pp_span bytes, const char *field)
{
    struct pp_gpu_report r;
    struct pp_problem problem = { 0 };

    assert_code(pp_gpu_report_parse(bytes, &r, &problem), PP_E_GPU_FORMAT);
    assert_string_equal(problem.field, field);
}

static void a_report_reads_as_it_was_written(void **state)
{
    (void)state;
    uint8_t bytes[BYTES_MAX];
    struct pp_gpu_report from = small(), r;
    struct pp_span span = write(&from, bytes);

    assert_ok(pp_gpu_report_parse(span, &r, NULL));
    assert_int_equal(r.block_count, 2);
    assert_int_equal(r.present, 0x21);
    assert_memory_equal(r.nonce, from.nonce, sizeof r.nonce);
    assert_memory_equal(r.responder_nonce, from.responder_nonce, sizeof r.nonce);
    assert_memory_equal(r.measurements, from.measurements, sizeof r.measurements);
    assert_memory_equal(r.r, from.r, sizeof r.r);
    assert_memory_equal(r.s, from.s, sizeof r.s);
    assert_int_equal(r.signed_len, span.len - 96);
    assert_string_equal(r.driver, "550.90.07");
    assert_string_equal(r.vbios, "96.00.9F.00.01");
    assert_int_equal(r.nvdec0, PP_GPU_DISABLED);
    assert_int_equal(r.protected_pcie, PP_GPU_DISABLED);
    assert_int_equal(r.feature_flag, 2);
    assert_true(r.has_feature_flag && r.has_fwid);
    assert_int_equal(r.fwid[0], 9);
    assert_int_equal(r.unknown_fields, 0);
}

static void every_truncation_of_a_report_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[BYTES_MAX];
    struct pp_gpu_report from = small();
    struct pp_span span = write(&from, bytes);

    for (size_t n = 0; n < span.len; n++) {
        assert_format(pp_span(bytes, n));
        assert_names(pp_span(bytes, n), "report");
    }
}

/* One public sample has a zero behind its signature. */
static void only_zeros_may_stand_behind_the_signature(void **state)
{
    (void)state;
    uint8_t bytes[BYTES_MAX] = { 0 };
    struct pp_gpu_report from = small(), r;
    size_t len = write(&from, bytes).len;

    for (size_t n = 0; n < 70; n++) {
        assert_ok(pp_gpu_report_parse(pp_span(bytes, len + n), &r, NULL));
        assert_int_equal(r.signed_len, len - 96); /* the window does not move */
        bytes[len + n] = 1;
        assert_format(pp_span(bytes, len + n + 1));
        bytes[len + n] = 0;
    }
}

static void fixed_bytes_of_request_and_response_are_fixed(void **state)
{
    (void)state;
    static const size_t fixed[] = { 0, 1, 2, 3, 36, 37, 38, 39, 40 };
    uint8_t bytes[BYTES_MAX];
    struct pp_gpu_report from = small();
    struct pp_span span = write(&from, bytes);

    for (size_t i = 0; i < PP_ARRAY_COUNT(fixed); i++)
        for (int bit = 0; bit < 8; bit++) {
            bytes[fixed[i]] ^= (uint8_t)(1 << bit);
            assert_format(span);
            bytes[fixed[i]] ^= (uint8_t)(1 << bit);
        }
}

static void block_count_and_lengths_agree(void **state)
{
    (void)state;
    uint8_t bytes[BYTES_MAX];
    struct pp_gpu_report from = small();
    struct pp_span span = write(&from, bytes);

    for (size_t at = 41; at < BLOCKS_AT; at++)
        for (int bit = 0; bit < 8; bit++) {
            bytes[at] ^= (uint8_t)(1 << bit);
            assert_format(span);
            bytes[at] ^= (uint8_t)(1 << bit);
        }
    /* One block less, with the length of one less: what follows is then no nonce. */
    bytes[41] = 0;
    bytes[42] = bytes[43] = 0;
    assert_format(span);
    assert_names(span, "NumberOfBlocks");
}

static void a_block_has_the_one_form_and_an_index_of_its_own(void **state)
{
    (void)state;
    static const size_t fixed[] = { 1, 2, 3, 5, 6 }; /* specification, sizes; not the value type */
    uint8_t bytes[BYTES_MAX];
    struct pp_gpu_report from = small(), r;
    struct pp_span span = write(&from, bytes);
    uint8_t *second = bytes + BLOCKS_AT + BLOCK_BYTES;

    for (size_t i = 0; i < PP_ARRAY_COUNT(fixed); i++) {
        second[fixed[i]] ^= 1;
        assert_format(span);
        second[fixed[i]] ^= 1;
    }
    second[0] = 1; /* the first block's */
    assert_format(span);
    second[0] = 0;
    assert_format(span);
    assert_names(span, "measurement index");
    second[0] = 65;
    assert_format(span);
    assert_names(span, "measurement index");
    second[0] = 64;
    assert_ok(pp_gpu_report_parse(span, &r, NULL));
    assert_int_equal(r.present, UINT64_C(1) << 63 | 1);
}

static void sixty_four_blocks_are_read_and_one_more_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[BYTES_MAX];
    struct pp_gpu_report from = small(), r;

    from.present = UINT64_MAX;
    struct pp_span span = write(&from, bytes);
    assert_ok(pp_gpu_report_parse(span, &r, NULL));
    assert_int_equal(r.block_count, 64);
    bytes[41] = 65;
    bytes[42] = (uint8_t)(65 * BLOCK_BYTES);
    bytes[43] = (uint8_t)(65 * BLOCK_BYTES >> 8);
    assert_format(span);
    assert_names(span, "NumberOfBlocks");
}

static void a_field_with_a_meaning_has_its_form(void **state)
{
    (void)state;
    static const struct {
        size_t type;
        struct pp_span value;
        int good;
    } rows[] = {
        { PP_GPU_FIELD_DRIVER_VERSION, { (const uint8_t *)"1\0\0", 3 }, 1 },
        { PP_GPU_FIELD_DRIVER_VERSION, { (const uint8_t *)"550.90.07", 9 }, 0 }, /* no NUL */
        { PP_GPU_FIELD_DRIVER_VERSION, { (const uint8_t *)"5 5\0", 4 }, 0 },
        { PP_GPU_FIELD_DRIVER_VERSION, { (const uint8_t *)"5\0x\0", 4 }, 0 },
        { PP_GPU_FIELD_DRIVER_VERSION, { (const uint8_t *)"5\x7f\0", 3 }, 0 },
        { PP_GPU_FIELD_DRIVER_VERSION, { (const uint8_t *)"\0", 1 }, 0 },
        { PP_GPU_FIELD_DRIVER_VERSION,
          { (const uint8_t *)"1234567890123456789012345678901\0", 32 },
          1 },
        { PP_GPU_FIELD_DRIVER_VERSION,
          { (const uint8_t *)"12345678901234567890123456789012\0", 33 },
          0 },
        { PP_GPU_FIELD_VBIOS_VERSION, { (const uint8_t *)"1234567", 7 }, 0 },
        { PP_GPU_FIELD_VBIOS_VERSION, { (const uint8_t *)"123456789", 9 }, 0 },
        { PP_GPU_FIELD_NVDEC0_STATUS, { (const uint8_t *)"\xAA", 1 }, 1 },
        { PP_GPU_FIELD_NVDEC0_STATUS, { (const uint8_t *)"\x54", 1 }, 0 },
        { PP_GPU_FIELD_NVDEC0_STATUS, { (const uint8_t *)"\x55\x55", 2 }, 0 },
        { PP_GPU_FIELD_PROTECTED_PCIE_STATUS, { (const uint8_t *)"\xAA", 1 }, 1 },
        { PP_GPU_FIELD_PROTECTED_PCIE_STATUS, { (const uint8_t *)"\x00", 1 }, 0 },
        { PP_GPU_FIELD_PROTECTED_PCIE_STATUS, { (const uint8_t *)"\xAA\x00", 2 }, 0 },
        { PP_GPU_FIELD_FWID,
          { (const uint8_t *)"123456789012345678901234567890123456789012345678", 47 },
          0 },
        { PP_GPU_FIELD_FWID,
          { (const uint8_t *)"1234567890123456789012345678901234567890123456789", 49 },
          0 },
        { PP_GPU_FIELD_FEATURE_FLAG, { (const uint8_t *)"\x01", 1 }, 0 },
        { PP_GPU_FIELD_FEATURE_FLAG, { (const uint8_t *)"\x01\x00\x00", 3 }, 0 },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        uint8_t bytes[BYTES_MAX];
        struct pp_gpu_report from = small(), r;
        from.fields[rows[i].type] = rows[i].value;
        struct pp_span span = write(&from, bytes);
        if (rows[i].good)
            assert_ok(pp_gpu_report_parse(span, &r, NULL));
        else
            assert_format(span);
    }
}

static void a_field_of_an_unknown_type_is_counted_and_a_known_one_stands_once(void **state)
{
    (void)state;
    uint8_t bytes[BYTES_MAX];
    struct pp_gpu_report from = small(), r;
    struct pp_span span = write(&from, bytes);
    size_t opaque = BLOCKS_AT + 2 * BLOCK_BYTES + 32 + 2;

    assert_int_equal(bytes[opaque], PP_GPU_FIELD_DRIVER_VERSION);
    bytes[opaque] = PP_GPU_FIELDS;
    assert_ok(pp_gpu_report_parse(span, &r, NULL));
    assert_int_equal(r.unknown_fields, 1);
    assert_string_equal(r.driver, "");
    bytes[opaque] = 255;
    assert_ok(pp_gpu_report_parse(span, &r, NULL));
    assert_int_equal(r.unknown_fields, 1);
    bytes[opaque] = PP_GPU_FIELD_VBIOS_VERSION; /* twice */
    assert_format(span);
    bytes[opaque] = PP_GPU_FIELD_DRIVER_VERSION;
    bytes[opaque + 2]++; /* lengths that no longer end with the opaque data */
    assert_format(span);
    bytes[opaque + 2]--;
    uint8_t *last = bytes + span.len - 96 - 4; /* the length of FEATURE_FLAG */
    assert_int_equal(last[0], 2);
    last[0] = 3;
    assert_names(span, "report");
}

static void opaque_data_and_reports_have_a_limit(void **state)
{
    (void)state;
    static uint8_t bytes[PP_GPU_REPORT_BYTES_MAX + 1], large[PP_GPU_OPAQUE_BYTES_MAX];
    struct pp_gpu_report from = { .present = 1 }, r;
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    size_t signed_len;

    from.fields[12] = pp_span(large, sizeof large - 4);
    assert_ok(pp_gpu_report_write(&wr, &from, &signed_len));
    assert_ok(pp_gpu_report_parse(pp_wr_done(&wr), &r, NULL));
    assert_int_equal(r.opaque_len, PP_GPU_OPAQUE_BYTES_MAX);
    assert_ok(pp_gpu_report_parse(pp_span(bytes, PP_GPU_REPORT_BYTES_MAX), &r, NULL));
    assert_format(pp_span(bytes, PP_GPU_REPORT_BYTES_MAX + 1));
    from.fields[12].len++;
    assert_code(pp_gpu_report_write(&wr, &from, &signed_len), PP_E_RANGE);
    size_t opaque_len_at = BLOCKS_AT + BLOCK_BYTES + 32;
    bytes[opaque_len_at]++;
    bytes[opaque_len_at + 4]++; /* the one field's length */
    assert_format(pp_span(bytes, PP_GPU_REPORT_BYTES_MAX));
    assert_names(pp_span(bytes, PP_GPU_REPORT_BYTES_MAX), "OpaqueLength");
}

/* The published samples: expect.json of vectors nvgpu, and the specification page. */
static void vbios_texts_are_those_that_the_vendor_prints(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *text;
    } rows[] = { { "009f009601000000", "96.00.9F.00.01" },
                 { "007400961a000000", "96.00.74.00.1A" },
                 { "00a5009601000000", "96.00.A5.00.01" },
                 { "0074009620000000", "96.00.74.00.20" } };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        uint8_t bytes[8];
        assert_int_equal(pp_test_hex(rows[i].bytes, bytes, sizeof bytes), 8);
        char text[PP_GPU_TEXT_BYTES_MAX];
        pp_gpu_vbios_text(bytes, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void versions_are_compared_number_by_number(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        int base, order;
    } rows[] = {
        { "550.90.07", "550.90.7", 10, 0 }, { "590.12", "550.90.07", 10, 1 },
        { "99.1", "550.1", 10, -1 },        { "550", "550.0.0", 10, 0 },
        { "550", "550.0.1", 10, -1 },       { "96.00.9F", "96.00.9f", 16, 0 },
        { "96.00.A0", "96.00.9F", 16, 1 },  { "1.2.3.4.5.6.7.8", "1.2.3.4.5.6.7.9", 10, -1 },
        { "99999999", "10000000", 10, 1 },
    };
    static const char *const bad[] = { "",  ".",  "1.", ".1",        "1..2",
                                       "a", "1 ", "-1", "123456789", "1.2.3.4.5.6.7.8.9" };
    int order;

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        assert_ok(pp_gpu_version_compare(pp_span_cstr(rows[i].a), pp_span_cstr(rows[i].b),
                                         rows[i].base, &order));
        assert_int_equal(order, rows[i].order);
        assert_ok(pp_gpu_version_compare(pp_span_cstr(rows[i].b), pp_span_cstr(rows[i].a),
                                         rows[i].base, &order));
        assert_int_equal(order, -rows[i].order);
    }
    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++) {
        assert_code(pp_gpu_version_compare(pp_span_cstr(bad[i]), PP_STR("1"), 10, &order),
                    PP_E_FORMAT);
        assert_code(pp_gpu_version_compare(PP_STR("2"), pp_span_cstr(bad[i]), 10, &order),
                    PP_E_FORMAT);
    }
}

/* --- firmware ids ----------------------------------------------------------------------------- */

#define FWID_HEAD                                                                                  \
    "303d0609608648016503040202"                                                                   \
    "0430"
#define H16  "000102030405060708090a0b0c0d0e0f"
#define FWID FWID_HEAD H16 H16 H16

static uint32_t fwid_code(const char *hex)
{
    uint8_t bytes[512], fwid[PP_GPU_HASH_BYTES];
    size_t len = pp_test_hex(hex, bytes, sizeof bytes);

    return pp_gpu_fwid_parse(pp_span(bytes, len), fwid).code;
}

static void a_firmware_id_is_read_from_both_encodings(void **state)
{
    (void)state;
    PP_HEX(composite, "3044"
                      "020101"
                      "3000" FWID);
    PP_HEX(tcb_info, "3044"
                     "840101"
                     "a63f" FWID);
    uint8_t fwid[PP_GPU_HASH_BYTES];

    assert_ok(pp_gpu_fwid_parse(pp_span(composite, composite_len), fwid));
    assert_hex(fwid, sizeof fwid, H16 H16 H16);
    memset(fwid, 0, sizeof fwid);
    assert_ok(pp_gpu_fwid_parse(pp_span(tcb_info, tcb_info_len), fwid));
    assert_hex(fwid, sizeof fwid, H16 H16 H16);
    for (size_t n = 0; n < composite_len; n++)
        assert_code(pp_gpu_fwid_parse(pp_span(composite, n), fwid), PP_E_GPU_FWID);
    for (size_t n = 0; n < tcb_info_len; n++)
        assert_code(pp_gpu_fwid_parse(pp_span(tcb_info, n), fwid), PP_E_GPU_FWID);
}

static void a_firmware_id_in_any_other_form_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "3145020101"
        "3000" FWID, /* a SET, or too long */
        "3144020101"
        "3000" FWID, /* a SET */
        "30810044020101"
        "3000" FWID, /* a length that is not the shortest */
        "308144020101"
        "3000" FWID, /* likewise */
        "3044030101"
        "3000" FWID, /* version and TcbInfo: neither */
        "3044020101"
        "3100" FWID, /* a key that is no SEQUENCE */
        "3046020101"
        "3000" FWID "0500", /* something behind it */
        "3044020101"
        "3000" FWID "0500", /* something behind all of it */
        "3046020101"
        "3000"
        "303f"
        "0609608648016503040202"
        "0430" H16 H16 H16 "0500", /* something behind the digest */
        "3083840101"
        "a67e" FWID FWID, /* 131 bytes, said in one byte */
        "3044020101"
        "3000"
        "313d"
        "0609608648016503040202"
        "0430" H16 H16 H16,
        "3044020101"
        "3000"
        "303d"
        "0609608648016503040201"
        "0430" H16 H16 H16, /* SHA-256 */
        "3044020101"
        "3000"
        "303d"
        "0609608648016503040202"
        "0330" H16 H16 H16,
        "3043020101"
        "3000"
        "303c"
        "0609608648016503040202"
        "042f" H16 H16 "000102030405060708090a0b0c0d0e", /* 47 bytes */
        "3044840101"
        "a53f" FWID, /* no fwids */
        "3005840101"
        "a600", /* an empty list */
        "3044840101"
        "a63f"
        "313d"
        "0609608648016503040202"
        "0430" H16 H16 H16,
        "3000",
        "30840000000144",
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++)
        assert_int_equal(fwid_code(bad[i]), PP_E_GPU_FWID);
    assert_int_equal(fwid_code("3046840101a63f" FWID "0500"), PP_E_OK); /* fields behind [6] */
    assert_int_equal(fwid_code("308183"
                               "840101"
                               "a67e" FWID FWID),
                     PP_E_OK);
}

/* --- the nonce, and anchors ------------------------------------------------------------------- */

/* pp-wire 7; the digest is of "pp-gpu-nonce-v1", a zero, 32 bytes of 01, and 02000000. */
static void the_nonce_is_that_of_the_wire_format(void **state)
{
    (void)state;
    uint8_t fresh[PP_GPU_NONCE_BYTES], nonce[PP_GPU_NONCE_BYTES];

    memset(fresh, 1, sizeof fresh);
    pp_gpu_nonce(fresh, 2, nonce);
    assert_hex(nonce, sizeof nonce,
               "4c95ee780df45218f36d2acf60326ce1"
               "8a87ab3dc54f39ae80720df1253c5312");
}

/* First 8 bytes of the SHA-256 of what NVIDIA publishes. */
static void the_compiled_roots_are_those_that_nvidia_publishes(void **state)
{
    (void)state;
    struct pp_gpu_anchors a = { 0 };

    assert_ok(pp_gpu_anchors_add_nvidia(&a));
    assert_int_equal(a.count, 1);
    assert_int_equal(a.rims.count, 1);
    assert_string_equal(a.labels[0], "NVIDIA Device Identity CA sha256:102bf659d5419614");
    assert_string_equal(a.rims.labels[0], "NVIDIA CoRIM signing Root CA sha256:12977b5115acb038");
    assert_code(pp_gpu_anchors_add_nvidia(&a), PP_E_TRUST); /* twice */
    pp_gpu_anchors_done(&a);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_report_reads_as_it_was_written),
    cmocka_unit_test(every_truncation_of_a_report_is_refused),
    cmocka_unit_test(only_zeros_may_stand_behind_the_signature),
    cmocka_unit_test(fixed_bytes_of_request_and_response_are_fixed),
    cmocka_unit_test(block_count_and_lengths_agree),
    cmocka_unit_test(a_block_has_the_one_form_and_an_index_of_its_own),
    cmocka_unit_test(sixty_four_blocks_are_read_and_one_more_is_refused),
    cmocka_unit_test(a_field_with_a_meaning_has_its_form),
    cmocka_unit_test(a_field_of_an_unknown_type_is_counted_and_a_known_one_stands_once),
    cmocka_unit_test(opaque_data_and_reports_have_a_limit),
    cmocka_unit_test(vbios_texts_are_those_that_the_vendor_prints),
    cmocka_unit_test(versions_are_compared_number_by_number),
    cmocka_unit_test(a_firmware_id_is_read_from_both_encodings),
    cmocka_unit_test(a_firmware_id_in_any_other_form_is_refused),
    cmocka_unit_test(the_nonce_is_that_of_the_wire_format),
    cmocka_unit_test(the_compiled_roots_are_those_that_nvidia_publishes),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
