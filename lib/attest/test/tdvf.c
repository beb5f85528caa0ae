/* SPDX-License-Identifier: Apache-2.0 */
/* TDX metadata and MRTD. The figures were computed apart, by tests/vectors/launch/make-mrtd.py. */
#include "harness.h"

#include "crypto.h"
#include "tdvf.h"
#include "wr.h"

enum { PAGE = PP_LAUNCH_PAGE_BYTES, FILE_PAGES = 3, AFTER = 32, ENTRY = 18 };

#define GUID_FOOTER "\xde\x82\xb5\x96\xb2\x1f\xf7\x45\xba\xea\xa3\x66\xc5\x5a\x08\x2d"
#define GUID_TDX    "\x35\x65\x7a\xe4\x4a\x98\x98\x47\x86\x5e\x46\x85\xa7\xbf\x8e\xc2"

/* What a firmware file of three pages is made of; tests change a field. */
struct plan {
    struct pp_tdvf_section sections[PP_TDVF_SECTIONS_MAX + 1];
    uint32_t section_count;
    const char *magic;
    uint32_t version, size_extra, from_end_extra;
    int no_metadata, twice;
};

static struct plan good_plan(void)
{
    return (struct plan){
        .sections = { { PAGE, 2 * PAGE, 0xFFFFE000, 2 * PAGE, PP_TDVF_BFV, PP_TDVF_EXTEND },
                      { 0, PAGE, 0xFFFFD000, PAGE, PP_TDVF_CFV, 0 },
                      { 0, 0, 0x810000, 2 * PAGE, PP_TDVF_TEMP_MEM, 0 },
                      { 0, 0, 0x809000, PAGE, PP_TDVF_TD_HOB, 0 } },
        .section_count = 4,
        .magic = "TDVF",
        .version = 1,
    };
}

static void write_metadata(struct pp_wr *wr, const struct plan *p)
{
    pp_wr_text(wr, p->magic);
    pp_wr_u32le(wr, 16 + 32 * p->section_count + p->size_extra);
    pp_wr_u32le(wr, p->version);
    pp_wr_u32le(wr, p->section_count);
    for (uint32_t i = 0; i < p->section_count; i++) {
        pp_wr_u32le(wr, p->sections[i].data_offset);
        pp_wr_u32le(wr, p->sections[i].raw_bytes);
        pp_wr_u64le(wr, p->sections[i].gpa);
        pp_wr_u64le(wr, p->sections[i].memory_bytes);
        pp_wr_u32le(wr, p->sections[i].type);
        pp_wr_u32le(wr, p->sections[i].attributes);
    }
}

/* Three pages: of 0x11, of 0x22, and zeros with the tables at their end. */
static struct pp_span build(const struct plan *p)
{
    static uint8_t file[FILE_PAGES * PAGE];
    uint8_t tables[PAGE];
    struct pp_wr wr = pp_wr_over(tables, sizeof tables);
    size_t entries = p->no_metadata ? 0 : 1 + (size_t)p->twice;

    write_metadata(&wr, p);
    size_t metadata_len = wr.len;
    for (size_t i = 0; i < entries; i++) {
        pp_wr_u32le(&wr, (uint32_t)(metadata_len + entries * (4 + ENTRY) + ENTRY + AFTER) +
                             p->from_end_extra);
        pp_wr_u16le(&wr, 4 + ENTRY);
        pp_wr_bytes(&wr, GUID_TDX, 16);
    }
    pp_wr_u16le(&wr, (uint16_t)(entries * (4 + ENTRY) + ENTRY));
    pp_wr_bytes(&wr, GUID_FOOTER, 16);
    pp_wr_zeros(&wr, AFTER);
    assert_ok(pp_wr_ok(&wr));
    memset(file, 0x11, PAGE);
    memset(file + PAGE, 0x22, PAGE);
    memset(file + 2 * PAGE, 0, PAGE);
    memcpy(file + sizeof file - wr.len, tables, wr.len);
    return PP_BYTES(file);
}

static pp_res parse(const struct plan *p, struct pp_tdvf *ret)
{
    return pp_tdvf_parse(build(p), ret);
}

static void assert_plan(const struct plan *p, uint32_t code)
{
    struct pp_tdvf t;

    assert_code(parse(p, &t), code);
}

static void the_metadata_lists_the_sections_in_order(void **state)
{
    (void)state;
    struct plan p = good_plan();
    struct pp_tdvf t;

    assert_ok(parse(&p, &t));
    assert_int_equal(t.section_count, 4);
    assert_int_equal(t.sections[0].gpa, 0xFFFFE000);
    assert_int_equal(t.sections[0].attributes, PP_TDVF_EXTEND);
    assert_int_equal(t.sections[2].memory_bytes, 2 * PAGE);
    assert_int_equal(t.sections[3].type, PP_TDVF_TD_HOB);
}

static void a_file_without_tdx_metadata_is_refused(void **state)
{
    (void)state;
    struct plan p = good_plan();

    p.no_metadata = 1;
    assert_plan(&p, PP_E_MISSING);
    p = good_plan();
    p.twice = 1;
    assert_plan(&p, PP_E_FORMAT);
    p = good_plan();
    p.magic = "TDVE";
    assert_plan(&p, PP_E_FORMAT);
    p = good_plan();
    p.version = 2;
    assert_plan(&p, PP_E_UNSUPPORTED);
    p = good_plan();
    p.size_extra = 32;
    assert_plan(&p, PP_E_FORMAT);
    p = good_plan();
    p.from_end_extra = 1;
    assert_plan(&p, PP_E_FORMAT);
    p.from_end_extra = 0x80000000;
    assert_plan(&p, PP_E_FORMAT);
    p = good_plan();
    p.section_count = 0;
    assert_plan(&p, PP_E_MISSING);
}

static void a_section_is_of_whole_pages_inside_the_file(void **state)
{
    (void)state;
    struct plan p = good_plan();

    p.sections[1].gpa += 0x800;
    assert_plan(&p, PP_E_FORMAT);
    p = good_plan();
    p.sections[1].gpa = (UINT64_C(1) << 52) - PAGE;
    assert_plan(&p, PP_E_OK);
    p.sections[1].gpa += PAGE;
    assert_plan(&p, PP_E_FORMAT);
    p = good_plan();
    p.sections[1].memory_bytes += 1;
    assert_plan(&p, PP_E_FORMAT);
    p = good_plan();
    p.sections[2].memory_bytes = 0;
    assert_plan(&p, PP_E_FORMAT);
    p = good_plan();
    p.sections[1].raw_bytes = PAGE + 1; /* more than the memory that it goes to */
    assert_plan(&p, PP_E_FORMAT);
    p = good_plan();
    p.sections[1].data_offset = 2 * PAGE;
    assert_plan(&p, PP_E_OK);
    p.sections[1].data_offset++;
    assert_plan(&p, PP_E_FORMAT);
    p.sections[1].data_offset = 3 * PAGE;
    p.sections[1].raw_bytes = 0;
    assert_plan(&p, PP_E_OK);
    p.sections[1].data_offset = 3 * PAGE + 1;
    assert_plan(&p, PP_E_FORMAT);
    p.sections[1].data_offset = UINT32_MAX;
    assert_plan(&p, PP_E_FORMAT);
}

static void what_is_measured_is_added_and_wholly_in_the_file(void **state)
{
    (void)state;
    struct plan p = good_plan();

    p.sections[0].raw_bytes = PAGE;
    assert_plan(&p, PP_E_FORMAT);
    p = good_plan();
    p.sections[0].attributes |= PP_TDVF_AUGMENT;
    assert_plan(&p, PP_E_FORMAT);
    p = good_plan();
    p.sections[2].attributes = PP_TDVF_AUGMENT;
    assert_plan(&p, PP_E_OK);
    p.sections[2].attributes = 4;
    assert_plan(&p, PP_E_UNSUPPORTED);
    p = good_plan();
    p.sections[2].type = PP_TDVF_TEMP_MEM + 1;
    assert_plan(&p, PP_E_UNSUPPORTED);
}

static void tdvf_limits_hold(void **state)
{
    (void)state;
    struct plan p = good_plan();

    for (size_t i = 0; i <= PP_TDVF_SECTIONS_MAX; i++)
        p.sections[i] = (struct pp_tdvf_section){ 0, 0, 0x1000, PAGE, PP_TDVF_TEMP_MEM, 0 };
    p.section_count = PP_TDVF_SECTIONS_MAX;
    assert_plan(&p, PP_E_OK);
    p.section_count++;
    assert_plan(&p, PP_E_LIMIT);
    p = good_plan(); /* the other sections have four pages */
    p.sections[2].memory_bytes = (uint64_t)(PP_TDVF_PAGES_MAX - 4) * PAGE;
    assert_plan(&p, PP_E_OK);
    p.sections[2].memory_bytes += PAGE;
    assert_plan(&p, PP_E_LIMIT);
    p.sections[2].memory_bytes = UINT64_MAX - PAGE + 1;
    assert_plan(&p, PP_E_LIMIT);
}

static void mrtd_is_that_of_an_independent_computation(void **state)
{
    (void)state;
    struct plan p = good_plan();
    struct pp_tdvf t;
    uint8_t mrtd[PP_SHA384_BYTES];

    assert_ok(parse(&p, &t));
    pp_tdvf_mrtd(&t, PP_TDX_BY_PAGE, mrtd);
    assert_hex(mrtd, sizeof mrtd,
               "a7a926c9e54a112d69dc51d44ef3a026c1cb17a6fc4ecbedf13002fe01ef51ca"
               "d6a45d7ebd996f921cde997730129712");
    pp_tdvf_mrtd(&t, PP_TDX_BY_SECTION, mrtd);
    assert_hex(mrtd, sizeof mrtd,
               "5e6f683a5dabe59feabb7c32f706cfd701916688556c515335558c65b6693c50"
               "55a78c9e1506f3715f610a48427e319a");
    p.sections[2].attributes = PP_TDVF_AUGMENT;
    assert_ok(parse(&p, &t));
    pp_tdvf_mrtd(&t, PP_TDX_BY_PAGE, mrtd);
    assert_hex(mrtd, sizeof mrtd,
               "502eddac4921750aaff2d360c073fcebb7409c51ee0ae97ac9532d9c5d591add"
               "5c69ed7710fe58b795b34b0cafc06e24");
}

static void w18_t2_every_section_changes_mrtd(void **state)
{
    (void)state;
    uint8_t digests[6][PP_SHA384_BYTES];
    struct pp_tdvf t;

    for (size_t i = 0; i < PP_ARRAY_COUNT(digests); i++) {
        struct plan p = good_plan();
        switch (i) {
        case 1:
            p.sections[0].data_offset = 0;
            break;
        case 2:
            p.sections[0].gpa -= PAGE;
            break;
        case 3:
            p.sections[1].attributes = PP_TDVF_EXTEND;
            break;
        case 4:
            p.sections[2].memory_bytes -= PAGE;
            break;
        case 5:
            p.section_count--;
            break;
        default:
            break;
        }
        assert_ok(parse(&p, &t));
        pp_tdvf_mrtd(&t, PP_TDX_BY_PAGE, digests[i]);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(digests[i], digests[k], PP_SHA384_BYTES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_metadata_lists_the_sections_in_order),
        cmocka_unit_test(a_file_without_tdx_metadata_is_refused),
        cmocka_unit_test(a_section_is_of_whole_pages_inside_the_file),
        cmocka_unit_test(what_is_measured_is_added_and_wholly_in_the_file),
        cmocka_unit_test(tdvf_limits_hold),
        cmocka_unit_test(mrtd_is_that_of_an_independent_computation),
        cmocka_unit_test(w18_t2_every_section_changes_mrtd),
    };

    assert_true(pp_is_ok(pp_crypto_init()));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
