/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware tables, launch digests, ID blocks. Published figures run through `ppctl vectors launch`.
 */
#include "harness.h"

#include "crypto.h"
#include "launch.h"
#include "sign.h"
#include "wr.h"

enum { PAGE = PP_LAUNCH_PAGE_BYTES, AFTER = 32, ENTRY = 18 };

#define GUID_FOOTER   "\xde\x82\xb5\x96\xb2\x1f\xf7\x45\xba\xea\xa3\x66\xc5\x5a\x08\x2d"
#define GUID_RESET    "\xde\x71\xf7\x00\x7e\x1a\xcb\x4f\x89\x0e\x68\xc7\x7e\x2f\xb4\x4e"
#define GUID_HASHES   "\x1f\x37\x55\x72\x3b\x3a\x04\x4b\x92\x7b\x1d\xa6\xef\xa8\xd4\x54"
#define GUID_METADATA "\x66\x65\x88\xdc\x4a\x98\x98\x47\xa7\x5e\x55\x85\xa7\xbf\x67\xcc"
#define GUID_SVSM     "\x12\xa6\x89\xa7\x97\x05\x4b\x4c\xa4\x9f\xcb\xb1\xfe\x9d\x1d\xdd"
#define GUID_OTHER    "\x61\xb3\x2e\x4c\x9b\x7d\xc3\x4c\x80\x81\x12\x7c\x90\xd3\xd2\x94"

/* What a firmware file of one page is made of; tests change a field. */
struct plan {
    struct pp_firmware_section sections[PP_FIRMWARE_SECTIONS_MAX + 1];
    uint32_t section_count;
    const char *magic;
    uint32_t version, size_extra;
    uint32_t from_end_extra;
    int no_reset, no_metadata, no_hashes, twice, others;
    uint32_t hashes_gpa, hashes_size;
    uint32_t svsm_entry; /* 0: none */
    uint16_t reset_len;  /* of the data */
    uint16_t hashes_more;
};

static struct plan good_plan(void)
{
    return (struct plan){
        .sections = { { 0x800000, 0x2000, PP_SECTION_MEM },
                      { 0x802000, 0x1000, PP_SECTION_SECRETS },
                      { 0x803000, 0x1000, PP_SECTION_CPUID },
                      { 0x804000, 0x1000, PP_SECTION_SVSM_CAA },
                      { 0x805000, 0x1000, PP_SECTION_KERNEL_HASHES } },
        .section_count = 5,
        .magic = "ASEV",
        .version = 1,
        .hashes_gpa = 0x805C00,
        .hashes_size = 0x400,
        .reset_len = 4,
    };
}

static void entry_end(struct pp_wr *wr, size_t data_len, const char *guid)
{
    pp_wr_u16le(wr, (uint16_t)(data_len + ENTRY));
    pp_wr_bytes(wr, guid, 16);
}

static void write_table(struct pp_wr *wr, const struct plan *p, uint32_t metadata_from_table)
{
    size_t from = wr->len;

    for (int i = 0; i < p->others; i++)
        entry_end(wr, 0, GUID_OTHER);
    for (int i = 0; i < (p->no_reset ? 0 : 1 + p->twice); i++) {
        uint8_t eip[8] = { 0x04, 0xB0, 0x80, 0x00 };
        pp_wr_bytes(wr, eip, p->reset_len);
        entry_end(wr, p->reset_len, GUID_RESET);
    }
    if (!p->no_hashes) {
        pp_wr_u32le(wr, p->hashes_gpa);
        pp_wr_u32le(wr, p->hashes_size);
        pp_wr_zeros(wr, p->hashes_more);
        entry_end(wr, 8 + (size_t)p->hashes_more, GUID_HASHES);
    }
    if (p->svsm_entry != 0) {
        pp_wr_u32le(wr, p->svsm_entry);
        entry_end(wr, 4, GUID_SVSM);
    }
    if (!p->no_metadata) {
        size_t to_end = 4 + ENTRY + ENTRY + AFTER; /* this entry, the footer, what follows */
        pp_wr_u32le(wr, (uint32_t)(metadata_from_table + (wr->len - from) + to_end) +
                            p->from_end_extra);
        entry_end(wr, 4, GUID_METADATA);
    }
    entry_end(wr, wr->len - from, GUID_FOOTER);
}

/* The file; its tables stand at the end of its one page. */
static void build(const struct plan *p, uint8_t ret[PAGE])
{
    uint8_t tables[PAGE];
    struct pp_wr wr = pp_wr_over(tables, sizeof tables);
    uint32_t metadata_len = 16 + 12 * p->section_count;

    pp_wr_text(&wr, p->magic);
    pp_wr_u32le(&wr, metadata_len + p->size_extra);
    pp_wr_u32le(&wr, p->version);
    pp_wr_u32le(&wr, p->section_count);
    for (uint32_t i = 0; i < p->section_count; i++) {
        pp_wr_u32le(&wr, p->sections[i].gpa);
        pp_wr_u32le(&wr, p->sections[i].size);
        pp_wr_u32le(&wr, p->sections[i].type);
    }
    write_table(&wr, p, metadata_len);
    pp_wr_zeros(&wr, AFTER);
    assert_ok(pp_wr_ok(&wr));
    memset(ret, 0, PAGE);
    memcpy(ret + PAGE - wr.len, tables, wr.len);
}

static pp_res parse(const struct plan *p, struct pp_firmware *ret)
{
    static uint8_t file[PAGE];

    build(p, file);
    return pp_firmware_parse(PP_BYTES(file), ret);
}

static void a_firmware_table_is_read_from_its_end(void **state)
{
    (void)state;
    struct plan p = good_plan();
    struct pp_firmware f;

    p.others = 3;
    assert_ok(parse(&p, &f));
    assert_int_equal(f.ap_reset_eip, 0x0080B004);
    assert_int_equal(f.hashes_gpa, 0x805C00);
    assert_int_equal(f.section_count, 5);
    assert_int_equal(f.sections[4].type, PP_SECTION_KERNEL_HASHES);
    assert_int_equal(f.sections[0].size, 0x2000);
}

static void a_firmware_without_its_mandatory_entries_is_refused(void **state)
{
    (void)state;
    struct pp_firmware f;
    struct plan p = good_plan();

    p.no_reset = 1;
    assert_code(parse(&p, &f), PP_E_MISSING);
    p = good_plan();
    p.no_metadata = 1;
    assert_code(parse(&p, &f), PP_E_MISSING);
    p = good_plan();
    p.no_hashes = 1; /* this one is optional */
    assert_ok(parse(&p, &f));
    assert_int_equal(f.hashes_gpa, 0);
    p = good_plan();
    p.twice = 1;
    assert_code(parse(&p, &f), PP_E_FORMAT);
    p = good_plan();
    p.reset_len = 5;
    assert_code(parse(&p, &f), PP_E_FORMAT);
    p.reset_len = 3;
    assert_code(parse(&p, &f), PP_E_FORMAT);
    p = good_plan();
    p.hashes_more = 1;
    assert_code(parse(&p, &f), PP_E_FORMAT);
}

static void a_table_without_its_footer_is_none(void **state)
{
    (void)state;
    struct plan p = good_plan();
    struct pp_firmware f;
    uint8_t file[PAGE];

    for (size_t at = PAGE - AFTER - ENTRY; at < PAGE - AFTER; at++) { /* size and GUID */
        build(&p, file);
        file[at] ^= 1;
        assert_code(pp_firmware_parse(PP_BYTES(file), &f), PP_E_FORMAT);
    }
}

static void metadata_must_be_where_and_what_the_table_says(void **state)
{
    (void)state;
    struct pp_firmware f;
    struct plan p = good_plan();

    p.magic = "ASEW";
    assert_code(parse(&p, &f), PP_E_FORMAT);
    p = good_plan();
    p.version = 2;
    assert_code(parse(&p, &f), PP_E_UNSUPPORTED);
    p = good_plan();
    p.size_extra = 12;
    assert_code(parse(&p, &f), PP_E_FORMAT);
    p = good_plan();
    p.from_end_extra = 1;
    assert_code(parse(&p, &f), PP_E_FORMAT);
    p.from_end_extra = PAGE;
    assert_code(parse(&p, &f), PP_E_FORMAT);
    p.from_end_extra = 0x80000000;
    assert_code(parse(&p, &f), PP_E_FORMAT);
}

static void a_section_is_whole_pages_of_a_known_type(void **state)
{
    (void)state;
    struct pp_firmware f;
    struct plan p = good_plan();

    p.sections[0].type = 5;
    assert_code(parse(&p, &f), PP_E_UNSUPPORTED);
    p.sections[0].type = 0;
    assert_code(parse(&p, &f), PP_E_UNSUPPORTED);
    p = good_plan();
    p.sections[0].size = 0x1001;
    assert_code(parse(&p, &f), PP_E_FORMAT);
    p.sections[0].size = 0;
    assert_code(parse(&p, &f), PP_E_FORMAT);
    p = good_plan();
    p.sections[0].gpa = 0x800800;
    assert_code(parse(&p, &f), PP_E_FORMAT);
    for (size_t i = 1; i < 5; i++) { /* secrets, CPUID and hashes are one page each */
        p = good_plan();
        p.sections[i].size = 0x2000;
        assert_code(parse(&p, &f), i == 3 ? PP_E_OK : PP_E_FORMAT);
    }
}

static void firmware_limits_hold(void **state)
{
    (void)state;
    struct pp_firmware f;
    struct plan p = good_plan();
    static uint8_t large[PP_FIRMWARE_BYTES_MAX + PAGE];

    for (size_t i = 0; i <= PP_FIRMWARE_SECTIONS_MAX; i++)
        p.sections[i] = (struct pp_firmware_section){ 0x1000, 0x1000, PP_SECTION_MEM };
    p.section_count = PP_FIRMWARE_SECTIONS_MAX;
    assert_ok(parse(&p, &f));
    p.section_count++;
    assert_code(parse(&p, &f), PP_E_LIMIT);
    p = good_plan();
    p.others = PP_FIRMWARE_ENTRIES_MAX - 3;
    assert_ok(parse(&p, &f));
    p.others++;
    assert_code(parse(&p, &f), PP_E_LIMIT);

    p = good_plan();
    build(&p, large + PP_FIRMWARE_BYTES_MAX - PAGE);
    assert_ok(pp_firmware_parse(pp_span(large, PP_FIRMWARE_BYTES_MAX), &f));
    assert_code(pp_firmware_parse(PP_BYTES(large), &f), PP_E_LIMIT);
    assert_code(pp_firmware_parse(pp_span(large, 0), &f), PP_E_FORMAT);
    assert_code(pp_firmware_parse(pp_span(large, PAGE), &f), PP_E_FORMAT); /* no table in it */
    assert_code(pp_firmware_parse(pp_span(large + PP_FIRMWARE_BYTES_MAX - PAGE + 1, PAGE - 1), &f),
                PP_E_FORMAT);
}

/* --- digests ---------------------------------------------------------------------------------- */

static pp_res measure(const struct plan *p, struct pp_launch l, uint8_t ret[48])
{
    struct pp_firmware f;

    assert_ok(parse(p, &f));
    l.firmware = &f;
    return pp_launch_measure(&l, ret);
}

static struct pp_kernel_hashes hashes_of(const char *kernel, const char *initrd,
                                         const char *cmdline)
{
    struct pp_kernel_hashes h;

    pp_kernel_hashes_of(pp_span_cstr(kernel), pp_span_cstr(initrd), pp_span_cstr(cmdline), &h);
    return h;
}

static void w18_t2_every_input_changes_the_digest(void **state)
{
    (void)state;
    struct plan p = good_plan();
    struct pp_kernel_hashes h[] = { hashes_of("k", "i", "c"), hashes_of("K", "i", "c"),
                                    hashes_of("k", "I", "c"), hashes_of("k", "i", "C"),
                                    hashes_of("ki", "", "c") };
    struct pp_launch base = {
        .hashes = &h[0], .vcpus = 1, .vcpu_sig = 0xA10F10, .guest_features = 1, .vmm = PP_VMM_QEMU
    };
    struct pp_launch variants[] = {
        base, base, base, base, base, base, base, base, base, base, base
    };
    uint8_t digests[12][48];

    for (size_t i = 1; i < 5; i++)
        variants[i].hashes = &h[i];
    variants[5].hashes = NULL;
    variants[6].vcpus = 2;
    variants[7].vcpu_sig = 0x800F12;
    variants[8].guest_features = 0x21;
    variants[9].vmm = PP_VMM_EC2;
    variants[10].vmm = PP_VMM_GCE;
    for (size_t i = 0; i < PP_ARRAY_COUNT(variants); i++)
        assert_ok(measure(&p, variants[i], digests[i]));
    p.hashes_gpa = 0x805000;
    assert_ok(measure(&p, base, digests[11]));
    for (size_t i = 0; i < PP_ARRAY_COUNT(digests); i++)
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(digests[i], digests[k], 48);
}

static void a_firmware_digest_may_stand_for_the_file(void **state)
{
    (void)state;
    struct plan p = good_plan();
    struct pp_kernel_hashes h = hashes_of("k", "", "");
    struct pp_launch l = { .hashes = &h, .vcpus = 1, .guest_features = 1 };
    struct pp_firmware f;
    uint8_t digest[48], a[48], b[48];

    assert_ok(parse(&p, &f));
    pp_launch_firmware_digest(&f, digest);
    assert_ok(measure(&p, l, a));
    l.firmware_digest = digest;
    assert_ok(measure(&p, l, b));
    assert_memory_equal(a, b, 48);
    digest[0] ^= 1;
    assert_ok(measure(&p, l, b));
    assert_memory_not_equal(a, b, 48);
}

static void a_kernel_is_never_measured_without_its_hashes(void **state)
{
    (void)state;
    struct plan p = good_plan();
    struct pp_kernel_hashes h = hashes_of("k", "", "");
    struct pp_launch l = { .hashes = &h, .vcpus = 1, .guest_features = 1 };
    uint8_t digest[48];

    p.section_count = 4; /* without the hashes section */
    assert_code(measure(&p, l, digest), PP_E_MISSING);
    l.hashes = NULL;
    assert_ok(measure(&p, l, digest));

    l.hashes = &h;
    p = good_plan();
    p.hashes_gpa = 0x805000 + PAGE - 176; /* the last place where the table fits */
    assert_ok(measure(&p, l, digest));
    p.hashes_gpa++;
    assert_code(measure(&p, l, digest), PP_E_FORMAT);
    p.hashes_gpa = 0x804FFF;
    assert_code(measure(&p, l, digest), PP_E_FORMAT);
    p.hashes_gpa = 0x806000;
    assert_code(measure(&p, l, digest), PP_E_FORMAT);
    p = good_plan();
    p.hashes_size = 176;
    assert_ok(measure(&p, l, digest));
    p.hashes_size = 175;
    assert_code(measure(&p, l, digest), PP_E_FORMAT);
}

static void launch_limits_hold(void **state)
{
    (void)state;
    struct plan p = good_plan();
    struct pp_launch l = { .vcpus = 0, .guest_features = 1 };
    uint8_t digest[48];

    assert_code(measure(&p, l, digest), PP_E_RANGE);
    l.vcpus = PP_LAUNCH_VCPUS_MAX + 1;
    assert_code(measure(&p, l, digest), PP_E_RANGE);
    l.vcpus = PP_LAUNCH_VCPUS_MAX;
    assert_ok(measure(&p, l, digest));
    l.vcpus = 1;
    /* The other sections of the plan are four pages. */
    p.sections[0].size = (PP_LAUNCH_SECTION_PAGES_MAX - 4) * PAGE;
    assert_ok(measure(&p, l, digest));
    p.sections[0].size += PAGE;
    assert_code(measure(&p, l, digest), PP_E_LIMIT);
}

static void a_command_line_is_hashed_with_its_final_zero(void **state)
{
    (void)state;
    struct pp_kernel_hashes h = hashes_of("", "", "");
    uint8_t page[PAGE];

    assert_hex(h.kernel, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_hex(h.cmdline, 32, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    assert_ok(pp_kernel_hashes_page(&h, 0xC00, page));
    assert_hex(page + 0xC00, 18, "06d63894224fc94cb479a793d411fd21a800");
    assert_hex(page + 0xC12, 18, "d82dd09720bd944caa78e7714d36ab2a3200");
    assert_int_equal(page[0xBFF] | page[0xC00 + 168], 0);
    assert_ok(pp_kernel_hashes_page(&h, PAGE - 176, page));
    assert_code(pp_kernel_hashes_page(&h, PAGE - 175, page), PP_E_RANGE);
}

static void processor_models_have_their_signatures(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t sig;
    } rows[] = {
        { "EPYC-v4", 0x00800F12 },    { "EPYC-Milan", 0x00A00F11 }, { "EPYC-Genoa", 0x00A10F10 },
        { "EPYC-Turin", 0x00B00F00 }, { "EPYC-Rome", 0x00830F10 },  { "EPYC-Milan-v2", 0x00A00F11 },
    };
    uint32_t sig = 0;

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        assert_ok(pp_vcpu_signature_by_name(pp_span_cstr(rows[i].name), &sig));
        assert_int_equal(sig, rows[i].sig);
    }
    assert_code(pp_vcpu_signature_by_name(PP_STR("EPYC-Naples"), &sig), PP_E_NOT_FOUND);
    assert_code(pp_vcpu_signature_by_name(PP_STR("-v4"), &sig), PP_E_NOT_FOUND);
    assert_code(pp_vcpu_signature_by_name(PP_STR(""), &sig), PP_E_NOT_FOUND);
    assert_int_equal(pp_vcpu_signature(6, 0x1A, 5), 0x000106A5);
}

/* --- a monitor that starts first -------------------------------------------------------------- */

/* The launch of good_plan's firmware under a monitor of this plan. */
static pp_res measure_under(const struct plan *monitor, struct pp_launch l, uint8_t ret[48])
{
    static uint8_t file[PAGE];
    struct pp_firmware svsm;

    build(monitor, file);
    assert_ok(pp_firmware_parse(PP_BYTES(file), &svsm));
    l.svsm = &svsm;
    l.vmm = PP_VMM_SVSM;
    struct plan p = good_plan();
    return measure(&p, l, ret);
}

static struct plan monitor_plan(void)
{
    struct plan p = good_plan();

    p.section_count = 3;
    p.no_reset = 1;
    p.svsm_entry = 0x10;
    return p;
}

static void w18_t2_a_monitor_and_where_it_stands_change_the_digest(void **state)
{
    (void)state;
    struct plan p = monitor_plan();
    struct pp_launch base = { .vcpus = 1, .vcpu_sig = 0xA10F10, .guest_features = 1 };
    struct pp_launch l = base;
    uint8_t digests[6][48];

    assert_ok(measure_under(&p, l, digests[0]));
    l.vcpus = 2;
    assert_ok(measure_under(&p, l, digests[1]));
    l = base;
    l.vars_bytes = PAGE;
    assert_ok(measure_under(&p, l, digests[2]));
    l = base;
    l.vcpu_sig = 0x800F12;
    assert_ok(measure_under(&p, l, digests[3]));
    p.svsm_entry = 0x20;
    assert_ok(measure_under(&p, base, digests[4]));
    p = monitor_plan();
    p.sections[0].size += PAGE;
    assert_ok(measure_under(&p, base, digests[5]));
    for (size_t i = 0; i < PP_ARRAY_COUNT(digests); i++)
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(digests[i], digests[k], 48);
}

static void a_monitor_takes_no_kernel_and_has_an_entry(void **state)
{
    (void)state;
    struct plan p = monitor_plan();
    struct pp_kernel_hashes h = hashes_of("k", "", "");
    struct pp_launch l = { .vcpus = 1, .hashes = &h };
    uint8_t digest[48];

    assert_code(measure_under(&p, l, digest), PP_E_MISSING);
    p.section_count = 5; /* not even with a place for the hashes: nobody knows who would check */
    assert_code(measure_under(&p, l, digest), PP_E_MISSING);
    p = monitor_plan();
    l.hashes = NULL;
    assert_ok(measure_under(&p, l, digest));
    p.svsm_entry = 0;
    p.no_reset = 0;
    assert_code(measure_under(&p, l, digest), PP_E_MISSING);
    p = good_plan();
    l.vmm = PP_VMM_SVSM;
    assert_code(measure(&p, l, digest), PP_E_MISSING); /* no monitor at all */
    p = monitor_plan();
    l.vmm = PP_VMM_QEMU;
    assert_code(measure(&p, l, digest), PP_E_MISSING); /* a monitor is no firmware */
}

static void a_monitors_limits_hold(void **state)
{
    (void)state;
    struct plan p = monitor_plan();
    struct pp_launch l = { .vcpus = 1, .vars_bytes = PP_FIRMWARE_BYTES_MAX };
    struct pp_firmware f;
    uint8_t digest[48];

    assert_ok(measure_under(&p, l, digest));
    l.vars_bytes += PAGE;
    assert_code(measure_under(&p, l, digest), PP_E_RANGE);
    l.vars_bytes = PAGE / 2;
    assert_code(measure_under(&p, l, digest), PP_E_RANGE);
    p.svsm_entry = PAGE - 1;
    assert_ok(parse(&p, &f));
    assert_int_equal(f.svsm_entry, PAGE - 1);
    assert_int_equal(f.ap_reset_eip, 0);
    p.svsm_entry = PAGE;
    assert_code(parse(&p, &f), PP_E_FORMAT);
}

/* --- the modes before SNP --------------------------------------------------------------------- */

static pp_res measure_sev(const struct plan *p, struct pp_launch l, enum pp_sev_mode mode,
                          uint8_t ret[32])
{
    struct pp_firmware f;

    assert_ok(parse(p, &f));
    l.firmware = &f;
    return pp_launch_measure_sev(&l, mode, ret);
}

static void sev_measures_files_and_sev_es_the_processors_too(void **state)
{
    (void)state;
    struct plan p = good_plan();
    struct pp_kernel_hashes h = hashes_of("k", "", "");
    struct pp_launch l = { .vcpus = 1, .guest_features = 1 };
    uint8_t a[32], b[32];

    assert_ok(measure_sev(&p, l, PP_SEV, a));
    l.vcpus = 2;
    l.guest_features = 0x21;
    assert_ok(measure_sev(&p, l, PP_SEV, b));
    assert_memory_equal(a, b, 32);
    l.hashes = &h;
    assert_ok(measure_sev(&p, l, PP_SEV, b));
    assert_memory_not_equal(a, b, 32);
    l.hashes = NULL;
    assert_ok(measure_sev(&p, l, PP_SEV_ES, a));
    assert_memory_not_equal(a, b, 32);
    l.vcpus = 1;
    assert_ok(measure_sev(&p, l, PP_SEV_ES, b));
    assert_memory_not_equal(a, b, 32);
    l.guest_features = 1; /* SNP's, and not in these pages */
    assert_ok(measure_sev(&p, l, PP_SEV_ES, a));
    assert_memory_equal(a, b, 32);
}

static void sev_refuses_what_it_cannot_measure(void **state)
{
    (void)state;
    struct plan p = good_plan();
    struct pp_kernel_hashes h = hashes_of("k", "", "");
    struct pp_launch l = { .vcpus = 0, .hashes = &h };
    uint8_t digest[32];

    assert_ok(measure_sev(&p, l, PP_SEV, digest));
    assert_code(measure_sev(&p, l, PP_SEV_ES, digest), PP_E_RANGE);
    l.vcpus = PP_LAUNCH_VCPUS_MAX + 1;
    assert_code(measure_sev(&p, l, PP_SEV_ES, digest), PP_E_RANGE);
    l.vcpus = 1;
    p.hashes_gpa = 0;
    assert_code(measure_sev(&p, l, PP_SEV, digest), PP_E_MISSING);
    assert_code(measure_sev(&p, l, PP_SEV_ES, digest), PP_E_MISSING);
    l.hashes = NULL;
    assert_ok(measure_sev(&p, l, PP_SEV_ES, digest));
    l.vmm = PP_VMM_SVSM;
    assert_code(measure_sev(&p, l, PP_SEV, digest), PP_E_UNSUPPORTED);
    l.vmm = PP_VMM_QEMU;
    p = monitor_plan();
    assert_code(measure_sev(&p, l, PP_SEV_ES, digest), PP_E_MISSING);
}

static void vmms_have_names_in_either_case(void **state)
{
    (void)state;
    enum pp_vmm vmm = PP_VMM_QEMU;

    assert_ok(pp_vmm_by_name(PP_STR("svsm"), &vmm));
    assert_int_equal(vmm, PP_VMM_SVSM);
    assert_ok(pp_vmm_by_name(PP_STR("Ec2"), &vmm));
    assert_int_equal(vmm, PP_VMM_EC2);
    assert_ok(pp_vmm_by_name(PP_STR("GCE"), &vmm));
    assert_int_equal(vmm, PP_VMM_GCE);
    assert_ok(pp_vmm_by_name(PP_STR("QEMU"), &vmm));
    assert_int_equal(vmm, PP_VMM_QEMU);
    assert_code(pp_vmm_by_name(PP_STR("qem"), &vmm), PP_E_NOT_FOUND);
    assert_code(pp_vmm_by_name(PP_STR("qemuu"), &vmm), PP_E_NOT_FOUND);
    assert_code(pp_vmm_by_name(PP_STR("ec\x12"), &vmm), PP_E_NOT_FOUND);
    assert_code(pp_vmm_by_name(PP_STR(""), &vmm), PP_E_NOT_FOUND);
}

/* --- ID blocks -------------------------------------------------------------------------------- */

static void an_id_block_has_one_form(void **state)
{
    (void)state;
    struct pp_id_block b = { .launch_digest = { 1 },
                             .family_id = { 2 },
                             .image_id = { 3 },
                             .guest_svn = 4,
                             .policy = 0x30000 };
    struct pp_id_block back;
    uint8_t bytes[PP_ID_BLOCK_BYTES + 1] = { 0 };
    uint8_t again[PP_ID_BLOCK_BYTES];

    pp_id_block_write(&b, bytes);
    assert_hex(bytes + 80, 16, "01000000040000000000030000000000");
    assert_ok(pp_id_block_parse(pp_span(bytes, PP_ID_BLOCK_BYTES), &back));
    assert_int_equal(back.guest_svn, 4);
    pp_id_block_write(&back, again);
    assert_memory_equal(bytes, again, sizeof again);
    for (size_t n = 0; n < PP_ID_BLOCK_BYTES; n++)
        assert_code(pp_id_block_parse(pp_span(bytes, n), &back), PP_E_FORMAT);
    assert_code(pp_id_block_parse(PP_BYTES(bytes), &back), PP_E_FORMAT);
    bytes[80] = 2;
    assert_code(pp_id_block_parse(pp_span(bytes, PP_ID_BLOCK_BYTES), &back), PP_E_FORMAT);
}

static void write_signature(const struct pp_ec_key *key, struct pp_span message,
                            uint8_t ret[PP_ID_SIGNATURE_BYTES])
{
    uint8_t der[PP_ECDSA_DER_BYTES_MAX], r[48], s[48];
    size_t len;

    assert_ok(pp_ec_sign(key, PP_SHA384, message, der, sizeof der, &len));
    assert_ok(pp_ecdsa_der_to_raw(pp_span(der, len), 48, r, s));
    memset(ret, 0, PP_ID_SIGNATURE_BYTES);
    for (size_t i = 0; i < 48; i++) {
        ret[i] = r[47 - i];
        ret[72 + i] = s[47 - i];
    }
}

static void an_id_block_signature_verifies_and_its_padding_is_zero(void **state)
{
    (void)state;
    struct pp_ec_key *key = NULL;
    uint8_t point[PP_P384_POINT_BYTES], sig[PP_ID_SIGNATURE_BYTES], digest[48];
    size_t len;
    struct pp_span m = PP_STR("block");

    assert_ok(pp_ec_key_generate(PP_P384, &key));
    assert_ok(pp_ec_key_point(key, point, sizeof point, &len));
    write_signature(key, m, sig);
    assert_ok(pp_id_signature_verify(PP_BYTES(point), m, PP_BYTES(sig)));
    assert_code(pp_id_signature_verify(PP_BYTES(point), PP_STR("black"), PP_BYTES(sig)),
                PP_E_SIGNATURE);
    assert_code(pp_id_signature_verify(PP_BYTES(point), m, pp_span(sig, 511)), PP_E_FORMAT);
    for (size_t at = 48; at < sizeof sig; at++) {
        if (at >= 72 && at < 120)
            continue;
        sig[at] = 1;
        assert_code(pp_id_signature_verify(PP_BYTES(point), m, PP_BYTES(sig)), PP_E_FORMAT);
        sig[at] = 0;
    }
    assert_ok(pp_id_key_digest(PP_BYTES(point), digest));
    assert_code(pp_id_key_digest(pp_span(point, 96), digest), PP_E_KEY);
    point[0] = 2;
    assert_code(pp_id_key_digest(PP_BYTES(point), digest), PP_E_KEY);
    pp_ec_key_free(key);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_firmware_table_is_read_from_its_end),
    cmocka_unit_test(a_firmware_without_its_mandatory_entries_is_refused),
    cmocka_unit_test(a_table_without_its_footer_is_none),
    cmocka_unit_test(metadata_must_be_where_and_what_the_table_says),
    cmocka_unit_test(a_section_is_whole_pages_of_a_known_type),
    cmocka_unit_test(firmware_limits_hold),
    cmocka_unit_test(w18_t2_every_input_changes_the_digest),
    cmocka_unit_test(a_firmware_digest_may_stand_for_the_file),
    cmocka_unit_test(a_kernel_is_never_measured_without_its_hashes),
    cmocka_unit_test(launch_limits_hold),
    cmocka_unit_test(a_command_line_is_hashed_with_its_final_zero),
    cmocka_unit_test(processor_models_have_their_signatures),
    cmocka_unit_test(w18_t2_a_monitor_and_where_it_stands_change_the_digest),
    cmocka_unit_test(a_monitor_takes_no_kernel_and_has_an_entry),
    cmocka_unit_test(a_monitors_limits_hold),
    cmocka_unit_test(sev_measures_files_and_sev_es_the_processors_too),
    cmocka_unit_test(sev_refuses_what_it_cannot_measure),
    cmocka_unit_test(vmms_have_names_in_either_case),
    cmocka_unit_test(an_id_block_has_one_form),
    cmocka_unit_test(an_id_block_signature_verifies_and_its_padding_is_zero),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
