/* SPDX-License-Identifier: Apache-2.0 */
/* Registers of a direct boot, against those of real machines; digests of PE images, against ones
 * that were computed apart (tests/vectors/launch/make-pe.py). */
#include "harness.h"

#include "crypto.h"
#include "direct_boot.h"
#include "wr.h"

/* --- PE images -------------------------------------------------------------------------------- */

enum {
    PE = 0x80,
    COFF = PE + 4,
    OPTIONAL = COFF + 20,
    HEADERS = 0x400,
    PLUS = 0x20B,
    PE32 = 0x10B
};

struct section {
    uint32_t at, len;
};

/* As the image() of make-pe.py. */
struct plan {
    uint16_t magic;
    uint32_t directories, certificates, behind;
    struct section sections[PP_PE_SECTIONS_MAX + 1];
    size_t section_count;
};

static uint8_t file[1 << 16];
static size_t file_len, table_at, certificates_at;

static struct plan good_plan(void)
{
    return (struct plan){ .magic = PLUS,
                          .directories = 16,
                          .certificates = 0x88,
                          .behind = 0x18,
                          .sections = { { 0x600, 0x200 }, { 0x400, 0x200 } },
                          .section_count = 2 };
}

static void fill(size_t from, size_t to, uint8_t seed)
{
    for (size_t i = from; i < to; i++)
        file[i] = (uint8_t)((i - from) * 7 + seed);
}

static void put(size_t at, size_t bytes, uint32_t v)
{
    for (size_t i = 0; i < bytes; i++)
        file[at + i] = (uint8_t)(v >> 8 * i);
}

static struct pp_span build(const struct plan *p)
{
    size_t first = p->magic == PLUS ? 112 : 96, end = HEADERS;
    uint32_t certificates = p->directories > 4 ? p->certificates : 0;

    fill(0, PE, 1);
    put(0, 2, 0x5A4D);
    put(0x3C, 4, PE);
    put(PE, 4, 0x4550);
    put(COFF, 2, 0x8664);
    put(COFF + 2, 2, (uint32_t)p->section_count);
    for (uint32_t i = 0; i < 3; i++)
        put(COFF + 4 + 4 * i, 4, i + 1);
    table_at = OPTIONAL + first + 8 * p->directories;
    put(COFF + 16, 2, (uint32_t)(table_at - OPTIONAL));
    put(COFF + 18, 2, 4);
    fill(OPTIONAL, table_at, 3);
    put(OPTIONAL, 2, p->magic);
    put(OPTIONAL + 60, 4, HEADERS);
    put(OPTIONAL + 64, 4, 0xC0FFEE);
    put(OPTIONAL + first - 4, 4, p->directories);
    for (size_t i = 0; i < p->section_count; i++) {
        const struct section *s = &p->sections[i];
        fill(table_at + 40 * i, table_at + 40 * i + 16, 5);
        put(table_at + 40 * i + 16, 4, s->len);
        put(table_at + 40 * i + 20, 4, s->at);
        fill(table_at + 40 * i + 24, table_at + 40 * (i + 1), 6);
        end = s->at + s->len > end ? s->at + s->len : end;
    }
    end += p->behind;
    certificates_at = OPTIONAL + first + 32;
    if (p->directories > 4) {
        put(certificates_at, 4, (uint32_t)end);
        put(certificates_at + 4, 4, certificates);
    }
    size_t start = table_at + 40 * p->section_count;
    file_len = end + certificates;
    fill(start, file_len, 9);
    return pp_span(file, file_len);
}

static void assert_digest(const struct plan *p, const char *want)
{
    uint8_t digest[PP_SHA384_BYTES], expected[PP_SHA384_BYTES];

    pp_test_hex(want, expected, sizeof expected);
    assert_ok(pp_pe_digest(build(p), digest));
    assert_memory_equal(digest, expected, sizeof digest);
}

static void a_digest_is_that_of_headers_sections_and_what_stands_behind(void **state)
{
    struct plan p = good_plan();

    (void)state;
    assert_digest(&p, "c6e5302fbfa3ffa13a22df5950ac2bf07bbbf4ff0c48510fbcea1bfb8c96f0be"
                      "5a95e91094cdf2b7fe88472138599109");
    p.magic = PE32;
    p.directories = 4; /* no entry for certificates */
    assert_digest(&p, "0f88d27632e374fc1c4e034b4a347c824d14832aed4dc5b377c3b63b03b02074"
                      "59d00f1b0f1739817f460937a7eaa94f");
    p = good_plan();
    p.sections[0] = (struct section){ 0x800, 0x100 }; /* a gap, and a section without bytes */
    p.section_count = 3;
    p.certificates = p.behind = 0;
    assert_digest(&p, "2005d6a02d3da6a4863a6842c69413d4b747404874e25449e6a551da80ae317d"
                      "d69cc3620918b60dff0f73782f043b07");
    p = good_plan();
    p.section_count = p.behind = 0;
    p.directories = 5;
    assert_digest(&p, "364b6113d87589c8bad6c4ae523fc0be43f87857bd62c0f213c0d94bebcd5d07"
                      "309064a2873829bae1b252bbe8b29786");
}

/* W18: each byte of the program counts; checksum and certificates are what signing changes. */
static void w18_t2_any_byte_but_checksum_and_certificates_changes_the_digest(void **state)
{
    uint8_t before[PP_SHA384_BYTES], after[PP_SHA384_BYTES];
    struct plan p = good_plan();
    struct pp_span image = build(&p);
    size_t same = 0;

    (void)state;
    assert_ok(pp_pe_digest(image, before));
    for (size_t i = 0; i < image.len; i++) {
        int signing = (i >= OPTIONAL + 64 && i < OPTIONAL + 68) ||
                      (i >= certificates_at && i < certificates_at + 4) ||
                      i >= image.len - p.certificates;
        file[i] ^= 1;
        pp_res r = pp_pe_digest(image, after);
        if (signing) {
            assert_ok(r);
            assert_memory_equal(after, before, sizeof after);
            same++;
        } else if (pp_is_ok(r)) {
            assert_memory_not_equal(after, before, sizeof after);
        }
        file[i] ^= 1;
    }
    assert_int_equal(same, 4 + 4 + p.certificates);
}

static void an_image_that_was_cut_is_refused_or_another_one(void **state)
{
    uint8_t before[PP_SHA384_BYTES], after[PP_SHA384_BYTES];
    struct plan p = good_plan();
    struct pp_span image = build(&p);

    (void)state;
    assert_ok(pp_pe_digest(image, before));
    for (size_t len = 0; len < image.len; len++) {
        pp_res r = pp_pe_digest(pp_span(file, len), after);
        if (len < image.len - p.behind)
            assert_code(r, PP_E_FORMAT);
        else if (pp_is_ok(r))
            assert_memory_not_equal(after, before, sizeof after);
    }
}

static void assert_spoiled(size_t at, size_t bytes, uint32_t v)
{
    uint8_t digest[PP_SHA384_BYTES];
    struct plan p = good_plan();
    struct pp_span image = build(&p);

    put(at, bytes, v);
    assert_code(pp_pe_digest(image, digest), PP_E_FORMAT);
}

static void places_that_do_not_fit_are_refused(void **state)
{
    struct plan p = good_plan();

    (void)state;
    (void)build(&p);
    const struct {
        size_t at, bytes;
        uint32_t v;
    } rows[] = {
        { 0, 2, 0x5A4E },                        /* no "MZ" */
        { 0x3C, 4, UINT32_MAX },                 /* no PE header in the file */
        { PE, 4, 0x14550 },                      /* another signature */
        { COFF + 16, 2, 100 },                   /* too short for its magic */
        { OPTIONAL, 2, 0x107 },                  /* a ROM image */
        { OPTIONAL + 60, 4, HEADERS + 1 },       /* headers into the first section */
        { OPTIONAL + 60, 4, 0 },                 /* headers without the table */
        { OPTIONAL + 108, 4, 17 },               /* more directories than there is room for */
        { table_at + 20, 4, 0x5FF },             /* a section into the one before */
        { table_at + 60, 4, HEADERS - 1 },       /* a section in the headers */
        { table_at + 16, 4, UINT32_MAX },        /* a section past the end */
        { certificates_at + 4, 4, 0x88 + 0x19 }, /* certificates into a section */
        { certificates_at + 4, 4, UINT32_MAX },
    };
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++)
        assert_spoiled(rows[i].at, rows[i].bytes, rows[i].v);
}

/* Nothing else is wrong with it: the header ends before the number of its directories. */
static void an_optional_header_that_is_too_short_for_its_magic_is_refused(void **state)
{
    static const uint16_t magics[] = { PLUS, PE32 };
    uint8_t digest[PP_SHA384_BYTES];

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(magics); i++) {
        struct plan p = { .magic = magics[i] };
        struct pp_span image = build(&p);
        uint32_t least = magics[i] == PLUS ? 112 : 96;
        assert_ok(pp_pe_digest(image, digest));
        put(COFF + 16, 2, least - 1);
        assert_code(pp_pe_digest(image, digest), PP_E_FORMAT);
    }
}

static void sections_stop_at_their_limit(void **state)
{
    uint8_t digest[PP_SHA384_BYTES];
    struct plan p = good_plan();

    (void)state;
    p.directories = 5;
    for (int over = 0; over <= 1; over++) {
        p.section_count = PP_PE_SECTIONS_MAX + (size_t)over;
        for (size_t i = 0; i < p.section_count; i++)
            p.sections[i] = (struct section){ (uint32_t)(0x2000 + i * 16), 16 };
        struct pp_span image = build(&p);
        put(OPTIONAL + 60, 4, 0x2000);
        assert_code(pp_pe_digest(image, digest), over ? PP_E_LIMIT : PP_E_OK);
    }
}

/* --- the registers of a direct boot ----------------------------------------------------------- */

/*
 * What a published image says of itself, and RTMR1 and RTMR2 of the quote of a machine that ran it
 * (dstack 0.6.0, dstack/verifier/fixtures/tdx-lite-getquote.json).
 */
static void the_registers_of_a_real_machine_follow_from_three_digests(void **state)
{
    struct pp_direct_boot b = { .has_cmdline = 1, .has_initrd = 1 };
    uint8_t rtmr1[PP_RTMR_BYTES], rtmr2[PP_RTMR_BYTES];

    (void)state;
    pp_test_hex("ac7e632dcf5cd2a1fe5c1f41f4d9b8219570e64ed3c61038fdbf25404e6f542f"
                "fd57f276bc5076307efaf882e6d64177",
                b.kernel, sizeof b.kernel);
    pp_test_hex("786280842b7364287a3a70d96f7e309252857beb45fb1f91314a2ea863db0adc"
                "04c8431ecbf29a966405604631a5aab8",
                b.cmdline, sizeof b.cmdline);
    pp_test_hex("4fe4f7710134a61d7def357add6ac50bdbfeee5032a4c100375e207216ffe42a"
                "3bd5822b24e679f91501fff795b81521",
                b.initrd, sizeof b.initrd);
    pp_direct_boot_rtmrs(&b, PP_SEPARATOR_RTMR1, rtmr1, rtmr2);
    assert_hex(rtmr1, PP_SHA384_BYTES,
               "2023546e7f3b9d1228e274f70c44d481162540f8452544520a796a52f0687970"
               "9b81a824a26792a7822327504b0d2aee");
    assert_hex(rtmr2, PP_SHA384_BYTES,
               "4c1b739ed451a637b0f82642e48a5ea83925d23633c72e7385c8e9aca4175e13"
               "3ed1625b7d92eb39edf509c27ff392dc");
}

/* The same of a log that has no separator in RTMR1 (confidential-containers/trustee,
 * deps/eventlog/test_data/CCEL_data_ovmf). */
static void firmware_that_puts_the_separator_elsewhere_makes_another_rtmr1(void **state)
{
    struct pp_direct_boot b = { .has_cmdline = 1, .has_initrd = 1 };
    uint8_t rtmr1[PP_RTMR_BYTES], rtmr2[PP_RTMR_BYTES];

    (void)state;
    pp_test_hex("a2ccae1e7d6c668ca325bb09c882d8ce44d26d714ba6f58d2e8083fe291a7046"
                "46afe24a2368bca3341728d78ec80a80",
                b.kernel, sizeof b.kernel);
    pp_test_hex("4230f84885a6f3f305e91a1955045398bd9edd8ffd2aaf2aab8ad3ac53476c4a"
                "c82a3675ef559c4ae949a06e84119fc2",
                b.cmdline, sizeof b.cmdline);
    pp_test_hex("b15af9286108d3d8c9f794a51409e55bad6334f5d96a1e4469f8df2d75fd69aa"
                "c648d939e13daf6800e82e6c1f6628c4",
                b.initrd, sizeof b.initrd);
    pp_direct_boot_rtmrs(&b, PP_SEPARATOR_RTMR0, rtmr1, rtmr2);
    assert_hex(rtmr1, PP_SHA384_BYTES,
               "775b9f6bfe99f8a31396f0d0218e67ffa796d3b96ccf961cbb0deba48c79c00f"
               "082cda1a5567c1c16305f1fc210c13c6");
    assert_hex(rtmr2, PP_SHA384_BYTES,
               "94eaf7a7bf398ed8d888c91057ae0261802e4f3df084213a76ca7f0b5055ac9d"
               "2241de43cd58d9e8b49c503bbf25f34a");
    pp_direct_boot_rtmrs(&b, PP_SEPARATOR_RTMR1, rtmr1, rtmr2);
    assert_int_not_equal(rtmr1[0], 0x77);
}

/* SHA-384 of "quiet initrd=initrd" and of "quiet" in UTF-16, each with its NUL. */
static void the_command_line_is_measured_as_load_options(void **state)
{
    static const uint8_t zero[PP_RTMR_BYTES];
    uint8_t rtmr1[PP_RTMR_BYTES], rtmr2[PP_RTMR_BYTES];
    struct plan p = good_plan();
    struct pp_span kernel = build(&p);
    struct pp_direct_boot b;

    (void)state;
    assert_ok(pp_direct_boot_of(kernel, PP_STR("initrd"), PP_STR("quiet"), &b));
    assert_true(b.has_cmdline && b.has_initrd);
    assert_hex(b.cmdline, PP_SHA384_BYTES,
               "930fe4e554e48169d25b95a142826ffdf4ab2131c131da2671d31c9bc6b12802"
               "1e7045335beb7bd7bb978c67242644e5");
    assert_hex(b.initrd, PP_SHA384_BYTES,
               "0ea077a251cb5b89108623041521d525aa49452a84239b04232bd69ad66b2885"
               "b792748e445082253569dd304c50a110");
    assert_hex(b.kernel, PP_SHA384_BYTES,
               "c6e5302fbfa3ffa13a22df5950ac2bf07bbbf4ff0c48510fbcea1bfb8c96f0be"
               "5a95e91094cdf2b7fe88472138599109");
    assert_ok(pp_direct_boot_of(kernel, PP_STR(""), PP_STR("quiet"), &b));
    assert_true(b.has_cmdline && !b.has_initrd);
    assert_hex(b.cmdline, PP_SHA384_BYTES,
               "fe2fa536197ffaac159deeb10a26ff0273b357458adfc94bc682dcc3c75cd416"
               "f75aaa300bab365190c8cc39bc35b9cc");
    assert_ok(pp_direct_boot_of(kernel, PP_STR("initrd"), PP_STR(""), &b));
    assert_true(b.has_cmdline && b.has_initrd); /* the word for the initrd alone */
    assert_ok(pp_direct_boot_of(kernel, PP_STR(""), PP_STR(""), &b));
    assert_false(b.has_cmdline || b.has_initrd);
    pp_direct_boot_rtmrs(&b, PP_SEPARATOR_RTMR1, rtmr1, rtmr2);
    assert_memory_equal(rtmr2, zero, sizeof zero);
    assert_memory_not_equal(rtmr1, zero, sizeof zero);
}

static void command_lines_are_ascii_and_stop_at_their_limit(void **state)
{
    static uint8_t line[PP_DIRECT_CMDLINE_MAX + 1];
    struct plan p = good_plan();
    struct pp_span kernel = build(&p);
    struct pp_direct_boot b;

    (void)state;
    memset(line, 'x', sizeof line);
    assert_ok(pp_direct_boot_of(kernel, PP_STR("i"), pp_span(line, sizeof line - 1), &b));
    assert_code(pp_direct_boot_of(kernel, PP_STR("i"), PP_BYTES(line), &b), PP_E_LIMIT);
    assert_code(pp_direct_boot_of(kernel, PP_STR(""), PP_STR("a\0b"), &b), PP_E_RANGE);
    assert_ok(pp_direct_boot_of(kernel, PP_STR(""), PP_STR("a\x7F"), &b));
    assert_code(pp_direct_boot_of(kernel, PP_STR(""), PP_STR("a\x80"), &b), PP_E_RANGE);
    assert_code(pp_direct_boot_of(PP_STR("MZ"), PP_STR(""), PP_STR(""), &b), PP_E_FORMAT);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_digest_is_that_of_headers_sections_and_what_stands_behind),
    cmocka_unit_test(w18_t2_any_byte_but_checksum_and_certificates_changes_the_digest),
    cmocka_unit_test(an_image_that_was_cut_is_refused_or_another_one),
    cmocka_unit_test(places_that_do_not_fit_are_refused),
    cmocka_unit_test(an_optional_header_that_is_too_short_for_its_magic_is_refused),
    cmocka_unit_test(sections_stop_at_their_limit),
    cmocka_unit_test(the_registers_of_a_real_machine_follow_from_three_digests),
    cmocka_unit_test(firmware_that_puts_the_separator_elsewhere_makes_another_rtmr1),
    cmocka_unit_test(the_command_line_is_measured_as_load_options),
    cmocka_unit_test(command_lines_are_ascii_and_stop_at_their_limit),
};

PP_TEST_MAIN(tests)
