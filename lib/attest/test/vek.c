/* SPDX-License-Identifier: Apache-2.0 */
/* The extensions of a chip's certificate, and the anchors. */
#include "harness.h"

#include "crypto.h"
#include "snp_verify.h"

enum { ROWS_MAX = 16 };

/* A certificate's extensions, as a list that tests change. */
struct list {
    struct {
        const char *oid;
        struct pp_span value;
    } rows[ROWS_MAX];
    size_t count;
};

#define ARC "1.3.6.1.4.1.3704.1."

static pp_res find(void *ctx, const char *oid, struct pp_span *ret)
{
    const struct list *l = ctx;
    size_t found = 0;

    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->rows[i].oid, oid) == 0) {
            *ret = l->rows[i].value;
            found++;
        }
    return found == 0   ? PP_FAIL(PP_E_NOT_FOUND, 0)
           : found == 1 ? PP_OK
                        : PP_FAIL(PP_E_DUPLICATE, 0);
}

static pp_res parse(struct list *l, struct pp_snp_extensions *ret)
{
    struct pp_snp_extension_source source = { find, l };

    return pp_snp_extensions_parse(&source, ret, NULL);
}

static void add(struct list *l, const char *oid, struct pp_span value)
{
    assert_true(l->count < ROWS_MAX);
    l->rows[l->count].oid = oid;
    l->rows[l->count++].value = value;
}

static const uint8_t CHIP[64] = { 0xB5, 0xF9, [63] = 0xCE };

/* Those of the Genoa chip in vectors/snp/real, with a microcode level that needs two bytes. */
static struct list genoa(void)
{
    struct list l = { 0 };

    add(&l, ARC "1", PP_STR("\x02\x01\x00"));
    add(&l, ARC "2", PP_STR("\x16\x05Genoa"));
    add(&l, ARC "3.1", PP_STR("\x02\x01\x0A"));
    add(&l, ARC "3.2", PP_STR("\x02\x01\x00"));
    add(&l, ARC "3.4", PP_STR("\x02\x01\x04"));
    add(&l, ARC "3.5", PP_STR("\x02\x01\x05"));
    add(&l, ARC "3.6", PP_STR("\x02\x01\x06"));
    add(&l, ARC "3.7", PP_STR("\x02\x01\x07"));
    add(&l, ARC "3.3", PP_STR("\x02\x01\x1B"));
    add(&l, ARC "3.8", PP_STR("\x02\x02\x00\xDB"));
    add(&l, ARC "4", PP_BYTES(CHIP));
    return l;
}

/* Those of AMD's sample Turin certificate. */
static struct list turin(void)
{
    struct list l = { 0 };

    add(&l, ARC "1", PP_STR("\x02\x01\x01"));
    add(&l, ARC "2", PP_STR("\x16\x05Turin"));
    add(&l, ARC "3.9", PP_STR("\x02\x01\x03"));
    add(&l, ARC "3.1", PP_STR("\x02\x01\x01"));
    add(&l, ARC "3.2", PP_STR("\x02\x01\x02"));
    add(&l, ARC "3.3", PP_STR("\x02\x01\x04"));
    add(&l, ARC "3.5", PP_STR("\x02\x01\x00"));
    add(&l, ARC "3.6", PP_STR("\x02\x01\x00"));
    add(&l, ARC "3.7", PP_STR("\x02\x01\x00"));
    add(&l, ARC "3.8", PP_STR("\x02\x01\x09"));
    add(&l, ARC "4", PP_STR("\x1E\x55\x0A\x8E\xE5\xCF\x9F\x4D"));
    return l;
}

static size_t row_of(const struct list *l, const char *oid)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->rows[i].oid, oid) == 0)
            return i;
    fail();
    return 0;
}

static void extensions_of_both_layouts_are_read(void **state)
{
    (void)state;
    struct list l = genoa();
    struct pp_snp_extensions e;

    assert_ok(parse(&l, &e));
    assert_int_equal(e.struct_version, 0);
    assert_string_equal(e.product, "Genoa");
    assert_int_equal(e.tcb.boot_loader, 10);
    assert_int_equal(e.tcb.snp, 27);
    assert_int_equal(e.tcb.microcode, 0xDB);
    assert_hex(e.tcb.reserved, 4, "04050607");
    assert_int_equal(e.hwid_len, 64);
    assert_memory_equal(e.hwid, CHIP, 64);

    l = turin();
    assert_ok(parse(&l, &e));
    assert_int_equal(e.tcb.fmc, 3);
    assert_int_equal(e.tcb.snp, 4);
    assert_int_equal(e.hwid_len, 8);
    assert_hex(e.hwid, 10, "1e550a8ee5cf9f4d0000");
    assert_string_equal(e.csp_id, "");
}

static void w8_t4_each_missing_extension_is_refused(void **state)
{
    (void)state;
    struct list full[] = { genoa(), turin() };

    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < full[k].count; i++) {
            struct list l = full[k];
            struct pp_snp_extensions e = { .struct_version = 77 };
            l.rows[i] = l.rows[--l.count];
            assert_code(parse(&l, &e), PP_E_SNP_CERT_FORM);
            assert_int_equal(e.struct_version, 77); /* written only on success */
        }
}

static void w8_t5_each_extension_twice_is_refused(void **state)
{
    (void)state;
    struct list full[] = { genoa(), turin() };

    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < full[k].count; i++) {
            struct list l = full[k];
            struct pp_snp_extensions e;
            add(&l, l.rows[i].oid, l.rows[i].value);
            assert_code(parse(&l, &e), PP_E_SNP_CERT_FORM);
        }
}

static void w8_t6_a_level_is_one_der_integer_of_a_byte(void **state)
{
    (void)state;
    static const struct {
        struct pp_span value;
        int good;
    } rows[] = {
        { PP_STR("\x02\x01\x00"), 1 },
        { PP_STR("\x02\x01\x7F"), 1 },
        { PP_STR("\x02\x02\x00\x80"), 1 },
        { PP_STR("\x02\x02\x00\xFF"), 1 },
        { PP_STR("\x02\x01\x80"), 0 },         /* negative */
        { PP_STR("\x02\x02\x00\x7F"), 0 },     /* a zero too many */
        { PP_STR("\x02\x02\x01\x00"), 0 },     /* 256 */
        { PP_STR("\x02\x03\x00\x00\x01"), 0 }, /* over-long */
        { PP_STR("\x02\x81\x01\x05"), 0 },     /* long form of a length */
        { PP_STR("\x02\x00"), 0 },
        { PP_STR("\x02"), 0 },
        { PP_STR(""), 0 },
        { PP_STR("\x02\x01"), 0 },
        { PP_STR("\x02\x01\x05\x00"), 0 }, /* behind the end */
        { PP_STR("\x0A\x01\x05"), 0 },     /* ENUMERATED */
        { PP_STR("\x04\x01\x05"), 0 },
        { PP_STR("\x05"), 0 },
    };
    static const char *const levels[] = { ARC "3.1", ARC "3.3", ARC "3.4", ARC "3.8" };

    for (size_t k = 0; k < PP_ARRAY_COUNT(levels); k++)
        for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
            struct list l = genoa();
            struct pp_snp_extensions e;
            l.rows[row_of(&l, levels[k])].value = rows[i].value;
            assert_code(parse(&l, &e), rows[i].good ? PP_E_OK : PP_E_SNP_CERT_FORM);
        }
}

static void a_component_of_the_other_layout_is_refused(void **state)
{
    (void)state;
    struct list l = genoa();
    struct pp_snp_extensions e;

    add(&l, ARC "3.9", PP_STR("\x02\x01\x00"));
    assert_code(parse(&l, &e), PP_E_SNP_CERT_FORM);
    l = turin();
    add(&l, ARC "3.4", PP_STR("\x02\x01\x00"));
    assert_code(parse(&l, &e), PP_E_SNP_CERT_FORM);
    l = genoa();
    l.rows[0].value = PP_STR("\x02\x01\x02"); /* a structure version of the future */
    assert_code(parse(&l, &e), PP_E_SNP_CERT_FORM);
}

static void a_chip_id_is_bare_or_in_an_octet_string_and_of_its_length(void **state)
{
    (void)state;
    uint8_t wrapped[66] = { 0x04, 64 };
    uint8_t longer[65] = { 1 };
    struct pp_snp_extensions e;
    struct list l = genoa();
    size_t hwid = row_of(&l, ARC "4");

    memcpy(wrapped + 2, CHIP, 64);
    l.rows[hwid].value = PP_BYTES(wrapped);
    assert_ok(parse(&l, &e));
    assert_memory_equal(e.hwid, CHIP, 64);
    wrapped[0] = 0x03;
    assert_code(parse(&l, &e), PP_E_SNP_CERT_FORM);
    wrapped[0] = 0x04;
    wrapped[1] = 63;
    assert_code(parse(&l, &e), PP_E_SNP_CERT_FORM);
    l.rows[hwid].value = PP_BYTES(longer);
    assert_code(parse(&l, &e), PP_E_SNP_CERT_FORM);
    l.rows[hwid].value = pp_span(longer, 63);
    assert_code(parse(&l, &e), PP_E_SNP_CERT_FORM);
    l.rows[hwid].value = pp_span(longer, 8); /* Turin's length in a legacy certificate */
    assert_code(parse(&l, &e), PP_E_SNP_CERT_FORM);

    l = turin();
    hwid = row_of(&l, ARC "4");
    l.rows[hwid].value = PP_STR("\x04\x08\x1E\x55\x0A\x8E\xE5\xCF\x9F\x4D");
    assert_ok(parse(&l, &e));
    assert_hex(e.hwid, 8, "1e550a8ee5cf9f4d");
    l.rows[hwid].value = PP_BYTES(CHIP);
    assert_code(parse(&l, &e), PP_E_SNP_CERT_FORM);
}

static void a_certificate_names_a_chip_or_a_provider_and_not_both(void **state)
{
    (void)state;
    struct list l = genoa();
    struct pp_snp_extensions e;
    size_t hwid = row_of(&l, ARC "4");

    add(&l, ARC "5",
        PP_STR("\x16\x06"
               "CN=xyz"));
    assert_code(parse(&l, &e), PP_E_SNP_CERT_FORM);
    l.rows[hwid] = l.rows[--l.count];
    assert_ok(parse(&l, &e));
    assert_string_equal(e.csp_id, "CN=xyz");
    assert_int_equal(e.hwid_len, 0);
    l.rows[hwid].value = PP_STR("\x0C\x06"
                                "CN=xyz"); /* UTF8String */
    assert_code(parse(&l, &e), PP_E_SNP_CERT_FORM);
}

static void a_text_at_its_limit_is_read_and_one_past_it_refused(void **state)
{
    (void)state;
    uint8_t value[2 + PP_SNP_TEXT_BYTES_MAX] = { 0x16 };
    struct list l = genoa();
    struct pp_snp_extensions e;
    size_t product = row_of(&l, ARC "2");

    memset(value + 2, 'G', sizeof value - 2);
    for (uint8_t n = 0; n <= PP_SNP_TEXT_BYTES_MAX; n++) {
        value[1] = n;
        l.rows[product].value = pp_span(value, 2 + (size_t)n);
        assert_code(parse(&l, &e),
                    n >= 1 && n < PP_SNP_TEXT_BYTES_MAX ? PP_E_OK : PP_E_SNP_CERT_FORM);
    }
    for (size_t n = 6; n <= 8; n += 2) { /* it ends before its length, or behind it */
        value[1] = 5;
        l.rows[product].value = pp_span(value, n);
        assert_code(parse(&l, &e), PP_E_SNP_CERT_FORM);
    }
    value[4] = 0;
    l.rows[product].value = pp_span(value, 7);
    assert_code(parse(&l, &e), PP_E_SNP_CERT_FORM);
}

/* --- anchors ---------------------------------------------------------------------------------- */

/* First 8 bytes of the SHA-256 of AMD's published roots. */
static void amd_roots_are_those_that_amd_publishes(void **state)
{
    (void)state;
    static const struct {
        enum pp_snp_line line;
        const char *label;
    } rows[] = {
        { PP_SNP_MILAN, "ARK-Milan sha256:69d063b45344d26a" },
        { PP_SNP_GENOA, "ARK-Genoa sha256:4c6598d19c18719c" },
        { PP_SNP_TURIN, "ARK-Turin sha256:1f084161a44bb6d9" },
    };
    struct pp_snp_anchors a = { 0 };

    assert_ok(pp_snp_anchors_add_amd(&a));
    assert_int_equal(a.count, 3);
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        const struct pp_snp_root *r = pp_snp_anchors_find(&a, rows[i].line);
        assert_non_null(r);
        assert_string_equal(r->label, rows[i].label);
        assert_string_equal(r->names.organisation, "Advanced Micro Devices");
        struct pp_x509 *const ask[] = { r->ask, r->ark };
        struct pp_x509 *const asvk[] = { r->asvk, r->ark };
        assert_ok(pp_x509_chain_verify(ask, 2, r->ark, 1780272000, 0));
        assert_ok(pp_x509_chain_verify(asvk, 2, r->ark, 1780272000, 0));
    }
    assert_null(pp_snp_anchors_find(&a, PP_SNP_VENICE));
    pp_snp_anchors_done(&a);
    pp_snp_anchors_done(&a);
}

static void an_anchor_must_be_a_root_of_its_naming(void **state)
{
    (void)state;
    struct pp_snp_anchors amd = { 0 };
    struct pp_snp_anchors a = { 0 };

    assert_ok(pp_snp_anchors_add_amd(&amd));
    const struct pp_snp_root *g = pp_snp_anchors_find(&amd, PP_SNP_GENOA);
    struct pp_span ark = pp_x509_der(g->ark);
    struct pp_span ask = pp_x509_der(g->ask);
    struct pp_span none = { 0 };

    assert_code(pp_snp_anchors_add(&a, ark, none, none), PP_E_TRUST);
    assert_code(pp_snp_anchors_add(&a, ask, ark, none), PP_E_TRUST); /* not a root */
    assert_code(pp_snp_anchors_add(&a, none, ask, none), PP_E_TRUST);
    assert_code(pp_snp_anchors_add(&a, pp_span(ark.at, ark.len - 1), ask, none), PP_E_TRUST);
    assert_code(pp_snp_anchors_add(&a, ark, pp_span(ask.at, ask.len - 1), none), PP_E_TRUST);
    assert_int_equal(a.count, 0);
    assert_ok(pp_snp_anchors_add(&a, ark, ask, none));
    assert_code(pp_snp_anchors_add(&a, ark, ask, none), PP_E_TRUST); /* twice */
    assert_int_equal(a.count, 1);
    pp_snp_anchors_done(&a);
    pp_snp_anchors_done(&amd);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(extensions_of_both_layouts_are_read),
    cmocka_unit_test(w8_t4_each_missing_extension_is_refused),
    cmocka_unit_test(w8_t5_each_extension_twice_is_refused),
    cmocka_unit_test(w8_t6_a_level_is_one_der_integer_of_a_byte),
    cmocka_unit_test(a_component_of_the_other_layout_is_refused),
    cmocka_unit_test(a_chip_id_is_bare_or_in_an_octet_string_and_of_its_length),
    cmocka_unit_test(a_certificate_names_a_chip_or_a_provider_and_not_both),
    cmocka_unit_test(a_text_at_its_limit_is_read_and_one_past_it_refused),
    cmocka_unit_test(amd_roots_are_those_that_amd_publishes),
    cmocka_unit_test(an_anchor_must_be_a_root_of_its_naming),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
