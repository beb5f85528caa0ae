/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of images (docs/protocol/release.md); their lines are a release's: see record.c. */
#include "record_test.h"

#include "image.h"

static struct test_text text, other;
static struct pp_record record;
static struct pp_release image;

static struct pp_span manifest(void)
{
    release_of(&record, 3, PP_RECORD_GUARD, 7);
    record.release.snp[0].label = PP_STR("ovmf:EPYC-v4:1");
    assert_ok(pp_image_write(test_begin(&text), &record.release));
    return test_end(&text);
}

static void a_manifest_is_the_release_without_times_place_and_review(void **state)
{
    (void)state;
    struct pp_span m = manifest();
    assert_ok(pp_image_parse(m, &image));
    assert_int_equal(image.role, PP_RECORD_GUARD);
    assert_int_equal(image.not_before, 0);
    assert_int_equal(image.review_count, 0);
    assert_memory_equal(image.snp[0].measurement, record.release.snp[0].measurement, 48);

    /* What the record says of the image is the manifest, byte for byte. */
    assert_ok(pp_record_write(test_begin(&other), &record));
    struct pp_span r = test_end(&other);
    assert_ok(pp_record_parse(r, &record));
    struct pp_span from_image = PP_STR("image sha256:");
    const uint8_t *in_record = memmem(r.at, r.len, from_image.at, from_image.len);
    const uint8_t *in_manifest = memmem(m.at, m.len, from_image.at, from_image.len);
    assert_non_null(in_record);
    assert_non_null(in_manifest);
    size_t len = m.len - (size_t)(in_manifest - m.at);
    assert_true((size_t)(r.at + r.len - in_record) > len);
    assert_memory_equal(in_record, in_manifest, len);
}

static void a_manifest_is_no_record_and_a_record_no_manifest(void **state)
{
    (void)state;
    assert_code(pp_record_parse(manifest(), &record), PP_E_UNSUPPORTED);
    release_of(&record, 3, PP_RECORD_GUARD, 7);
    assert_ok(pp_record_write(test_begin(&other), &record));
    assert_code(pp_image_parse(test_end(&other), &image), PP_E_UNSUPPORTED);
}

static void every_truncation_of_a_manifest_is_refused(void **state)
{
    (void)state;
    struct pp_span m = manifest();
    for (size_t n = 0; n < m.len; n++)
        assert_false(pp_is_ok(pp_image_parse(pp_span(m.at, n), &image)));
    assert_ok(pp_image_parse(m, &image));
}

static void a_line_more_or_twice_or_moved_is_refused(void **state)
{
    struct pp_span lines[32], rest;
    size_t count = 0;

    (void)state;
    rest = manifest();
    while (rest.len > 0)
        assert_true(pp_text_cut(&rest, '\n', &lines[count++]));
    for (size_t i = 0; i < count; i++)
        for (size_t how = 0; how < 3; how++) {
            struct pp_wr *wr = test_begin(&other);
            for (size_t k = 0; k < count; k++) {
                size_t at = how == 2 && i + 1 < count && (k == i || k == i + 1) ? 2 * i + 1 - k : k;
                for (size_t times = how == 1 && k == i ? 2 : 1; times > 0; times--) {
                    pp_wr_span(wr, lines[at]);
                    pp_wr_u8(wr, '\n');
                }
                if (how == 0 && k == i)
                    pp_wr_text(wr, "other 1\n");
            }
            if (how == 2 && i + 1 == count)
                continue;
            assert_false(pp_is_ok(pp_image_parse(test_end(&other), &image)));
        }
}

/* W18_T2: whatever the builders name, another digest makes another text, so no agreement. */
static void w18_t2_every_digest_stands_in_the_text(void **state)
{
    (void)state;
    struct pp_span m = manifest();
    pp_wr_span(test_begin(&other), m);
    struct pp_span before = test_end(&other);
    uint8_t *const digests[] = { record.release.image.sha256, record.release.build,
                                 record.release.sbom,         record.release.snp[0].measurement,
                                 record.release.config[0],    record.release.egress };
    for (size_t i = 0; i < PP_ARRAY_COUNT(digests); i++) {
        digests[i][31] ^= 1;
        assert_ok(pp_image_write(test_begin(&text), &record.release));
        assert_false(pp_span_eq(test_end(&text), before));
        digests[i][31] ^= 1;
    }
}

static void a_label_says_what_a_row_is_measured_from(void **state)
{
    static const struct {
        const char *label;
        enum pp_code code;
    } bad[] = {
        { "", PP_E_FORMAT },
        { "small", PP_E_FORMAT },
        { "ovmf:EPYC-v4", PP_E_FORMAT },
        { ":EPYC-v4:1", PP_E_FORMAT },
        { "ovmf::1", PP_E_FORMAT },
        { "ovmf:EPYC-v4:", PP_E_FORMAT },
        { "ovmf:EPYC-v4:01", PP_E_FORMAT },
        { "ovmf:EPYC-v4:0x1", PP_E_FORMAT },
        { "ovmf:EPYC-v4:1:2", PP_E_FORMAT },
        { "ovmf:EPYC-v4:4294967296", PP_E_RANGE },
    };
    struct pp_image_label label;

    (void)state;
    assert_ok(pp_image_label_parse(PP_STR("ovmf:EPYC-Genoa-v1:33"), &label));
    assert_true(pp_span_eq(label.firmware, PP_STR("ovmf")));
    assert_true(pp_span_eq(label.cpu, PP_STR("EPYC-Genoa-v1")));
    assert_int_equal(label.features, 33);
    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++)
        assert_code(pp_image_label_parse(pp_span_cstr(bad[i].label), &label), bad[i].code);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_manifest_is_the_release_without_times_place_and_review),
    cmocka_unit_test(a_manifest_is_no_record_and_a_record_no_manifest),
    cmocka_unit_test(every_truncation_of_a_manifest_is_refused),
    cmocka_unit_test(a_line_more_or_twice_or_moved_is_refused),
    cmocka_unit_test(w18_t2_every_digest_stands_in_the_text),
    cmocka_unit_test(a_label_says_what_a_row_is_measured_from),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make_people, drop_people);
}
