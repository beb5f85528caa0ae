/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "snp.h"

/* A report whose every field has a value of its own. */
static struct pp_snp_report full_report(uint32_t version)
{
    struct pp_snp_report r = {
        .version = version,
        .guest_svn = 0x01020304,
        .policy = PP_SNP_POLICY_MUST_BE_ONE | 0x1F,
        .vmpl = 2,
        .signature_algo = 1,
        .platform_info = 0x27,
        .key_info = 0x1D,
        .current = { 1, 55, 40 },
        .committed = { 1, 54, 39 },
    };
    struct {
        uint8_t *at;
        size_t len;
    } fields[] = {
        { r.family_id, sizeof r.family_id },
        { r.image_id, sizeof r.image_id },
        { r.current_tcb.v, 8 },
        { r.report_data, sizeof r.report_data },
        { r.measurement, sizeof r.measurement },
        { r.host_data, sizeof r.host_data },
        { r.id_key_digest, sizeof r.id_key_digest },
        { r.author_key_digest, sizeof r.author_key_digest },
        { r.report_id, sizeof r.report_id },
        { r.report_id_ma, sizeof r.report_id_ma },
        { r.reported_tcb.v, 8 },
        { r.chip_id, sizeof r.chip_id },
        { r.committed_tcb.v, 8 },
        { r.launch_tcb.v, 8 },
        { r.r, sizeof r.r },
        { r.s, sizeof r.s },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(fields); i++)
        memset(fields[i].at, (int)(0x11 + i), fields[i].len);
    if (version >= 3) {
        r.cpuid_family = 0x19;
        r.cpuid_model = 0x11;
        r.cpuid_step = 1;
    }
    if (version >= 5) {
        r.launch_mit_vector = 0x0B;
        r.current_mit_vector = 0x1B;
    }
    return r;
}

static void write(const struct pp_snp_report *r, uint8_t ret[PP_SNP_REPORT_BYTES])
{
    assert_ok(pp_snp_report_write(r, ret, PP_SNP_REPORT_BYTES));
}

static pp_res parse(const uint8_t *bytes, size_t len)
{
    struct pp_snp_report r;

    return pp_snp_report_parse(pp_span(bytes, len), &r, NULL);
}

static void a_report_that_was_written_is_read_back(void **state)
{
    (void)state;
    for (uint32_t version = 2; version <= 5; version++) {
        struct pp_snp_report r = full_report(version);
        struct pp_snp_report back;
        uint8_t bytes[PP_SNP_REPORT_BYTES];
        uint8_t again[PP_SNP_REPORT_BYTES];

        write(&r, bytes);
        assert_ok(pp_snp_report_parse(PP_BYTES(bytes), &back, NULL));
        write(&back, again);
        assert_memory_equal(bytes, again, sizeof bytes);
        assert_int_equal(back.vmpl, 2);
        assert_int_equal(back.current.build, 40);
        assert_int_equal(back.committed.minor, 54);
        assert_int_equal(back.current_mit_vector, version == 5 ? 0x1B : 0);
        assert_int_equal(pp_snp_signing_key(&back), 7);
        assert_true(pp_snp_author_key_en(&back));
        assert_false(pp_snp_mask_chip_key(&back));
    }
}

/* Offsets as AMD's table has them: a field that moved would pass a round trip. */
static void fields_stand_at_their_offsets(void **state)
{
    (void)state;
    struct pp_snp_report r = full_report(5);
    uint8_t bytes[PP_SNP_REPORT_BYTES];
    static const struct {
        size_t offset;
        uint8_t value;
    } rows[] = {
        { 0x000, 5 },    { 0x004, 4 },    { 0x00A, 2 },    { 0x010, 0x11 }, { 0x020, 0x12 },
        { 0x030, 2 },    { 0x034, 1 },    { 0x038, 0x13 }, { 0x040, 0x27 }, { 0x048, 0x1D },
        { 0x050, 0x14 }, { 0x090, 0x15 }, { 0x0C0, 0x16 }, { 0x0E0, 0x17 }, { 0x110, 0x18 },
        { 0x140, 0x19 }, { 0x160, 0x1A }, { 0x180, 0x1B }, { 0x188, 0x19 }, { 0x189, 0x11 },
        { 0x18A, 1 },    { 0x1A0, 0x1C }, { 0x1E0, 0x1D }, { 0x1E8, 40 },   { 0x1E9, 55 },
        { 0x1EA, 1 },    { 0x1EC, 39 },   { 0x1ED, 54 },   { 0x1F0, 0x1E }, { 0x1F8, 0x0B },
        { 0x200, 0x1B }, { 0x2A0, 0x1F }, { 0x2E8, 0x20 }, { 0x330, 0 },
    };

    write(&r, bytes);
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++)
        if (bytes[rows[i].offset] != rows[i].value)
            fail_msg("offset %zx holds %x", rows[i].offset, bytes[rows[i].offset]);
}

static void every_other_size_is_refused(void **state)
{
    (void)state;
    struct pp_snp_report r = full_report(3);
    uint8_t bytes[PP_SNP_REPORT_BYTES + 1] = { 0 };

    write(&r, bytes);
    for (size_t n = 0; n < PP_SNP_REPORT_BYTES; n++)
        assert_code(parse(bytes, n), PP_E_SNP_FORMAT);
    assert_code(parse(bytes, sizeof bytes), PP_E_SNP_FORMAT);
    assert_ok(parse(bytes, PP_SNP_REPORT_BYTES));
    assert_code(pp_snp_report_write(&r, bytes, PP_SNP_REPORT_BYTES - 1), PP_E_NO_SPACE);
}

static void w9_only_known_versions_are_read(void **state)
{
    (void)state;
    for (uint32_t version = 0; version < 300; version++) {
        struct pp_snp_report r = full_report(2);
        uint8_t bytes[PP_SNP_REPORT_BYTES];

        r.version = version;
        write(&r, bytes);
        assert_code(parse(bytes, sizeof bytes),
                    version >= 2 && version <= 5 ? PP_E_OK : PP_E_SNP_FORMAT);
    }
}

/* What must be zero, by version; the rest may be anything as far as the parser goes. */
static int must_be_zero(uint32_t version, size_t at)
{
    if ((at >= 0x4C && at < 0x50) || (at >= 0x18B && at < 0x1A0) || at == 0x1EB || at == 0x1EF ||
        (at >= 0x208 && at < 0x2A0) || at >= 0x330)
        return 1;
    return (version < 3 && at >= 0x188 && at < 0x18B) || (version < 5 && at >= 0x1F8 && at < 0x208);
}

static void w9_every_reserved_byte_must_be_zero(void **state)
{
    (void)state;
    for (uint32_t version = 2; version <= 5; version++) {
        struct pp_snp_report r = full_report(version);
        uint8_t bytes[PP_SNP_REPORT_BYTES];
        size_t refused = 0;

        write(&r, bytes);
        for (size_t at = 4; at < sizeof bytes; at++) {
            if ((at >= 0x08 && at < 0x10) || (at >= 0x48 && at < 0x4C))
                continue; /* POLICY and KEY_INFO go bit by bit below */
            bytes[at] ^= 0x80;
            assert_code(parse(bytes, sizeof bytes),
                        must_be_zero(version, at) ? PP_E_SNP_FORMAT : PP_E_OK);
            refused += (size_t)must_be_zero(version, at);
            bytes[at] ^= 0x80;
        }
        assert_int_equal(refused, 4 + 21 + 1 + 1 + 152 + 368 + (version < 3 ? 3 : 0) +
                                      (version < 5 ? 16 : 0));
    }
}

static void w9_reserved_bits_of_policy_and_key_info_are_refused(void **state)
{
    (void)state;
    struct pp_snp_report r = full_report(3);
    uint8_t bytes[PP_SNP_REPORT_BYTES];

    for (unsigned bit = 0; bit < 64; bit++) {
        struct pp_snp_report changed = r;
        changed.policy ^= UINT64_C(1) << bit;
        write(&changed, bytes);
        assert_code(parse(bytes, sizeof bytes), bit == 17 || bit >= 26 ? PP_E_SNP_FORMAT : PP_E_OK);
    }
    for (unsigned bit = 0; bit < 32; bit++) {
        struct pp_snp_report changed = r;
        changed.key_info ^= UINT32_C(1) << bit;
        write(&changed, bytes);
        assert_code(parse(bytes, sizeof bytes), bit >= 5 ? PP_E_SNP_FORMAT : PP_E_OK);
    }
}

static void a_refusal_names_field_and_offset(void **state)
{
    (void)state;
    struct pp_snp_report r = full_report(3);
    struct pp_snp_report back = { .guest_svn = 77 };
    struct pp_problem problem = { 0 };
    uint8_t bytes[PP_SNP_REPORT_BYTES];

    write(&r, bytes);
    bytes[0x250] = 1;
    pp_res res = pp_snp_report_parse(PP_BYTES(bytes), &back, &problem);
    assert_code(res, PP_E_SNP_FORMAT);
    assert_int_equal(res.detail, 0x208); /* where the reserved field begins */
    assert_string_equal(problem.field, "reserved bytes");
    assert_int_equal(back.guest_svn, 77); /* written only on success */
}

/* --- lines and patch levels ------------------------------------------------------------------- */

static void cpuid_names_the_line(void **state)
{
    (void)state;
    unsigned counts[PP_SNP_LINES] = { 0 };

    for (unsigned family = 0; family < 256; family++)
        for (unsigned model = 0; model < 256; model++)
            counts[pp_snp_line_by_cpuid((uint8_t)family, (uint8_t)model)]++;
    assert_int_equal(counts[PP_SNP_MILAN], 16);
    assert_int_equal(counts[PP_SNP_GENOA], 32);
    assert_int_equal(counts[PP_SNP_TURIN], 18);
    assert_int_equal(counts[PP_SNP_VENICE], 8 + 32 + 8);
    assert_int_equal(pp_snp_line_by_cpuid(0x19, 0x11), PP_SNP_GENOA);
    assert_int_equal(pp_snp_line_by_cpuid(0x19, 0xA0), PP_SNP_GENOA);
    assert_int_equal(pp_snp_line_by_cpuid(0x19, 0x01), PP_SNP_MILAN);
    assert_int_equal(pp_snp_line_by_cpuid(0x1A, 0x11), PP_SNP_TURIN);
    assert_int_equal(pp_snp_line_by_cpuid(0x1A, 0x12), PP_SNP_LINE_NONE);
}

static void w8_t9_an_unknown_product_name_names_no_line(void **state)
{
    (void)state;
    static const struct {
        const char *product;
        enum pp_snp_line line;
    } rows[] = {
        { "Milan-B0", PP_SNP_MILAN },      { "Genoa", PP_SNP_GENOA },
        { "Turin", PP_SNP_TURIN },         { "Turin-C1", PP_SNP_TURIN },
        { "Rome", PP_SNP_LINE_NONE },      { "genoa", PP_SNP_LINE_NONE },
        { "Genoa2", PP_SNP_LINE_NONE },    { "-Genoa", PP_SNP_LINE_NONE },
        { "", PP_SNP_LINE_NONE },          { "-", PP_SNP_LINE_NONE },
        { "Genoa -B1", PP_SNP_LINE_NONE },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++)
        assert_int_equal(pp_snp_line_of_product(rows[i].product), rows[i].line);
    for (size_t line = 1; line < PP_SNP_LINES; line++)
        assert_int_equal(
            pp_snp_line_by_name(pp_span_cstr(pp_snp_line_name((enum pp_snp_line)line))), line);
}

static void patch_levels_have_the_layout_of_their_line(void **state)
{
    (void)state;
    struct pp_snp_tcb_parts p = {
        .fmc = 9, .boot_loader = 1, .tee = 2, .snp = 3, .microcode = 8, .reserved = { 4, 5, 6, 7 }
    };
    struct pp_snp_tcb legacy = pp_snp_tcb_join(PP_SNP_GENOA, &p);
    struct pp_snp_tcb turin = pp_snp_tcb_join(PP_SNP_TURIN, &p);

    assert_hex(legacy.v, 8, "0102040506070308");
    assert_hex(turin.v, 8, "0901020305060708");
    for (int line = PP_SNP_MILAN; line < PP_SNP_LINES; line++) {
        struct pp_snp_tcb tcb = pp_snp_tcb_join((enum pp_snp_line)line, &p);
        struct pp_snp_tcb_parts parts = pp_snp_tcb_split((enum pp_snp_line)line, &tcb);
        struct pp_snp_tcb again = pp_snp_tcb_join((enum pp_snp_line)line, &parts);
        assert_true(pp_snp_tcb_eq(&tcb, &again));
    }
}

/* One component higher is not at most, however much lower the others are. */
static void patch_levels_compare_component_by_component(void **state)
{
    (void)state;
    struct pp_snp_tcb low = { { 1, 1, 1, 1, 1, 1, 1, 1 } };
    struct pp_snp_tcb high = { { 9, 9, 9, 9, 9, 9, 9, 9 } };

    assert_true(pp_snp_tcb_le(&low, &high));
    assert_true(pp_snp_tcb_le(&low, &low));
    assert_false(pp_snp_tcb_le(&high, &low));
    for (size_t i = 0; i < 8; i++) {
        struct pp_snp_tcb mixed = low;
        mixed.v[i] = 10;
        assert_false(pp_snp_tcb_le(&mixed, &high));
        assert_false(pp_snp_tcb_eq(&mixed, &low));
        mixed.v[i] = 9;
        assert_true(pp_snp_tcb_le(&mixed, &high));
    }
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_report_that_was_written_is_read_back),
    cmocka_unit_test(fields_stand_at_their_offsets),
    cmocka_unit_test(every_other_size_is_refused),
    cmocka_unit_test(w9_only_known_versions_are_read),
    cmocka_unit_test(w9_every_reserved_byte_must_be_zero),
    cmocka_unit_test(w9_reserved_bits_of_policy_and_key_info_are_refused),
    cmocka_unit_test(a_refusal_names_field_and_offset),
    cmocka_unit_test(cpuid_names_the_line),
    cmocka_unit_test(w8_t9_an_unknown_product_name_names_no_line),
    cmocka_unit_test(patch_levels_have_the_layout_of_their_line),
    cmocka_unit_test(patch_levels_compare_component_by_component),
};

PP_TEST_MAIN(TESTS)
