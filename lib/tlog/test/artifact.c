/* SPDX-License-Identifier: Apache-2.0 */
/* Artifact manifests (docs/protocol/release.md; transparency-log B2; the audit's finding W19). */
#include <stdlib.h>

#include "tlog_test.h"

#include "artifact.h"

#define HASH_A "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" /* of "a" */
#define HASH_B "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d" /* of "b" */
#define EMPTY  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct pp_artifact_file files[PP_ARTIFACT_FILES_MAX + 1];
static struct pp_artifact artifact;
static struct test_text text;

static struct pp_span span_of(const char *s)
{
    return pp_span_cstr(s);
}

static pp_res parse(const char *lines)
{
    pp_wr_text(test_begin(&text), lines);
    return pp_artifact_parse(test_end(&text), files, PP_ARTIFACT_FILES_MAX, &artifact);
}

static struct pp_artifact_file file_of(const char *path, const char *content, uint32_t mode)
{
    struct pp_artifact_file f = { .path = span_of(path),
                                  .size = span_of(content).len,
                                  .mode = mode };

    pp_sha256(span_of(content), f.sha256);
    return f;
}

/* The digest of an artifact of two files. */
static void digest_of(const char *purpose, struct pp_artifact_file a, struct pp_artifact_file b,
                      uint8_t ret[PP_SHA256_BYTES])
{
    files[0] = a;
    files[1] = b;
    assert_ok(pp_artifact_write(test_begin(&text), span_of(purpose), PP_STR("1"), files, 2));
    pp_sha256(test_end(&text), ret);
}

static void a_manifest_is_this_text(void **state)
{
    (void)state;
    files[0] = file_of("words/b", "b", PP_ARTIFACT_MODE_PROGRAM);
    files[1] = file_of("words/a", "a", PP_ARTIFACT_MODE_FILE);
    assert_ok(pp_artifact_write(test_begin(&text), PP_STR("prompts"), PP_STR("2026.1"), files, 2));
    struct pp_span got = test_end(&text);
    struct pp_span want = PP_STR("prompts\n2026.1\nwords/a 1 644 " HASH_A "\nwords/b 1 755 " HASH_B
                                 "\n");
    assert_true(pp_span_eq(got, want));
    assert_ok(pp_artifact_parse(got, files, 2, &artifact));
    assert_true(pp_span_eq(artifact.purpose, PP_STR("prompts")));
    assert_true(pp_span_eq(artifact.version, PP_STR("2026.1")));
    assert_int_equal(artifact.file_count, 2);
    assert_int_equal(files[1].mode, PP_ARTIFACT_MODE_PROGRAM);
}

/* Two files change their names: the same contents, the same names, another digest. */
static void w19_t1_swapped_names_change_the_digest(void **state)
{
    uint8_t one[PP_SHA256_BYTES], other[PP_SHA256_BYTES];

    (void)state;
    digest_of("model", file_of("x", "first", 0644), file_of("y", "second", 0644), one);
    digest_of("model", file_of("y", "first", 0644), file_of("x", "second", 0644), other);
    assert_memory_not_equal(one, other, sizeof one);
    digest_of("model", file_of("y", "second", 0644), file_of("x", "first", 0644), other);
    assert_memory_equal(one, other, sizeof one); /* the order of a folder's listing says nothing */
}

static void w19_t2_a_renamed_file_changes_the_digest(void **state)
{
    uint8_t one[PP_SHA256_BYTES], other[PP_SHA256_BYTES];

    (void)state;
    digest_of("model", file_of("x", "first", 0644), file_of("y", "second", 0644), one);
    digest_of("model", file_of("x", "first", 0644), file_of("z", "second", 0644), other);
    assert_memory_not_equal(one, other, sizeof one);
    digest_of("model", file_of("x", "first", 0644), file_of("y", "second", 0755), other);
    assert_memory_not_equal(one, other, sizeof one); /* nor may a file become a program */
}

static void w19_t3_an_empty_file_more_changes_the_digest(void **state)
{
    uint8_t one[PP_SHA256_BYTES], other[PP_SHA256_BYTES];

    (void)state;
    digest_of("model", file_of("x", "first", 0644), file_of("y", "second", 0644), one);
    files[2] = file_of("empty", "", 0644);
    assert_ok(pp_artifact_write(test_begin(&text), PP_STR("model"), PP_STR("1"), files, 3));
    struct pp_span got = test_end(&text);
    pp_sha256(got, other);
    assert_memory_not_equal(one, other, sizeof one);
    assert_ok(pp_artifact_parse(got, files, 3, &artifact));
    assert_int_equal(artifact.file_count, 3);
}

/* The same bytes one after the other, cut elsewhere: "ab", "c" and "a", "bc", in contents, names
 * and folders. */
static void w19_t4_a_shifted_boundary_changes_the_digest(void **state)
{
    uint8_t one[PP_SHA256_BYTES], other[PP_SHA256_BYTES];

    (void)state;
    digest_of("model", file_of("x", "ab", 0644), file_of("y", "c", 0644), one);
    digest_of("model", file_of("x", "a", 0644), file_of("y", "bc", 0644), other);
    assert_memory_not_equal(one, other, sizeof one);
    digest_of("model", file_of("ab/c", "", 0644), file_of("z", "", 0644), one);
    digest_of("model", file_of("a/bc", "", 0644), file_of("z", "", 0644), other);
    assert_memory_not_equal(one, other, sizeof one);
    digest_of("modelx", file_of("y", "", 0644), file_of("z", "", 0644), one);
    digest_of("model", file_of("xy", "", 0644), file_of("z", "", 0644), other);
    assert_memory_not_equal(one, other, sizeof one);
    /* Nor can one path be a file and a folder. */
    assert_code(parse("p\n1\na 0 644 " EMPTY "\na/b 0 644 " EMPTY "\n"), PP_E_EXISTS);
    assert_code(parse("p\n1\na 0 644 " EMPTY "\na-b 0 644 " EMPTY "\na/b 0 644 " EMPTY "\n"),
                PP_E_EXISTS); /* what sorts between them hides nothing */
}

static void w19_t5_the_right_digest_for_another_purpose_is_refused(void **state)
{
    uint8_t digest[PP_SHA256_BYTES], wrong[PP_SHA256_BYTES];

    (void)state;
    digest_of("prompts/en", file_of("x", "1", 0644), file_of("y", "2", 0644), digest);
    struct pp_span got = test_end(&text);
    assert_ok(pp_artifact_check(got, digest, PP_STR("prompts/en"), files, 2, &artifact));
    static const char *const others[] = { "prompts", "prompts/e", "prompts/en2", "Prompts/en", "" };
    for (size_t i = 0; i < PP_ARRAY_COUNT(others); i++)
        assert_code(pp_artifact_check(got, digest, span_of(others[i]), files, 2, &artifact),
                    PP_E_UNVERIFIED);
    for (size_t i = 0; i < sizeof digest; i++) { /* the whole digest is compared */
        memcpy(wrong, digest, sizeof wrong);
        wrong[i] ^= 1;
        assert_code(pp_artifact_check(got, wrong, PP_STR("prompts/en"), files, 2, &artifact),
                    PP_E_MISMATCH);
    }
}

static void w19_t6_twins_in_case_or_normalisation_are_refused(void **state)
{
    static const char *const twins[] = {
        "p\n1\nA 0 644 " EMPTY "\na 0 644 " EMPTY "\n",
        "p\n1\nA 0 644 " EMPTY "\nB 0 644 " EMPTY "\na 0 644 " EMPTY "\n",
        "p\n1\nReadMe 0 644 " EMPTY "\nREADME 0 644 " EMPTY "\n",
        "p\n1\nA/x 0 644 " EMPTY "\na/y 0 644 " EMPTY "\n", /* two folders */
        "p\n1\nA 0 644 " EMPTY "\na/b 0 644 " EMPTY "\n",
        "p\n1\nd/A/x 0 644 " EMPTY "\nd/a/x 0 644 " EMPTY "\n",
    };
    static const char *const fine[] = {
        "p\n1\nA/a 0 644 " EMPTY "\na2 0 644 " EMPTY "\n",
        "p\n1\nA 0 644 " EMPTY "\nab 0 644 " EMPTY "\n",
        "p\n1\na/X 0 644 " EMPTY "\nb/x 0 644 " EMPTY "\n",
        "p\n1\na/b 0 644 " EMPTY "\nab 0 644 " EMPTY "\n",
    };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(twins); i++) {
        pp_res r = parse(twins[i]);
        assert_true(r.code == PP_E_EXISTS || r.code == PP_E_ORDER);
    }
    for (size_t i = 0; i < PP_ARRAY_COUNT(fine); i++)
        assert_ok(parse(fine[i]));
    /* U+00E9, and "e" with U+0301: no name beyond ASCII has two spellings here, since none is
     * taken. */
    assert_code(parse("p\n1\n\xc3\xa9 0 644 " EMPTY "\n"), PP_E_FORMAT);
    assert_code(parse("p\n1\ne\xcc\x81 0 644 " EMPTY "\n"), PP_E_FORMAT);
    assert_code(parse("p\xc3\xa9\n1\na 0 644 " EMPTY "\n"), PP_E_FORMAT);
}

static void a_path_leads_nowhere_else(void **state)
{
    static const char *const bad[] = { "/a",  "a/",  "a//b", ".",    "..",   "a/../b",
                                       "./a", "a/.", "",     "a\tb", "a\x7f" };
    char lines[256];

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++) {
        snprintf(lines, sizeof lines, "p\n1\n%s 0 644 " EMPTY "\n", bad[i]);
        pp_res r = parse(lines);
        assert_int_equal(r.code, PP_E_FORMAT);
        assert_int_equal(r.detail, 3);
        files[0] = file_of(bad[i], "", 0644);
        assert_code(pp_artifact_write(test_begin(&text), PP_STR("p"), PP_STR("1"), files, 1),
                    PP_E_FORMAT);
    }
    assert_ok(parse("p\n1\n.a/..b/c. 0 644 " EMPTY "\n"));
}

static void every_line_has_one_form(void **state)
{
    static const struct {
        const char *lines;
        enum pp_code code;
    } rows[] = {
        { "", PP_E_TRUNCATED },
        { "p", PP_E_TRUNCATED },
        { "p\n1", PP_E_TRUNCATED },
        { "p\n1\n", PP_E_MISSING },
        { "\n1\na 0 644 " EMPTY "\n", PP_E_FORMAT },
        { "p\n\na 0 644 " EMPTY "\n", PP_E_FORMAT },
        { "p q\n1\na 0 644 " EMPTY "\n", PP_E_FORMAT },
        { "p\n1\n\n", PP_E_FORMAT },
        { "p\n1\na 0 644 " EMPTY, PP_E_TRUNCATED },
        { "p\n1\na 0 644 " EMPTY "\n\n", PP_E_FORMAT },
        { "p\n1\na 0 644 " EMPTY " \n", PP_E_FORMAT },
        { "p\n1\na  0 644 " EMPTY "\n", PP_E_FORMAT },
        { "p\n1\na 00 644 " EMPTY "\n", PP_E_FORMAT },
        { "p\n1\na -1 644 " EMPTY "\n", PP_E_FORMAT },
        { "p\n1\na 9223372036854775808 644 " EMPTY "\n", PP_E_RANGE },
        { "p\n1\na 0 0644 " EMPTY "\n", PP_E_RANGE },
        { "p\n1\na 0 777 " EMPTY "\n", PP_E_RANGE },
        { "p\n1\na 0 4755 " EMPTY "\n", PP_E_RANGE },
        { "p\n1\na 0 644 E3B0C44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
          PP_E_FORMAT },
        { "p\n1\na 0 644 e3b0\n", PP_E_FORMAT },
        { "p\n1\nb 0 644 " EMPTY "\na 0 644 " EMPTY "\n", PP_E_ORDER },
        { "p\n1\na 0 644 " EMPTY "\na 0 644 " EMPTY "\n", PP_E_DUPLICATE },
        { "p\r\n1\na 0 644 " EMPTY "\n", PP_E_FORMAT },
    };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++)
        assert_code(parse(rows[i].lines), rows[i].code);
    assert_ok(parse("p\n1\na 9223372036854775807 755 " EMPTY "\n"));
}

static void limits_hold_at_their_number_and_not_beyond(void **state)
{
    static char names[PP_ARTIFACT_FILES_MAX + 1][8];
    char path[PP_ARTIFACT_PATH_MAX + 2];

    (void)state;
    for (size_t i = 0; i <= PP_ARTIFACT_FILES_MAX; i++) {
        snprintf(names[i], sizeof names[i], "%06zu", i);
        files[i] = file_of(names[i], "", 0644);
    }
    assert_code(pp_artifact_write(test_begin(&text), PP_STR("p"), PP_STR("1"), files,
                                  PP_ARTIFACT_FILES_MAX + 1),
                PP_E_LIMIT);
    static uint8_t large[PP_ARTIFACT_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(large, sizeof large);
    assert_ok(pp_artifact_write(&wr, PP_STR("p"), PP_STR("1"), files, PP_ARTIFACT_FILES_MAX));
    assert_ok(pp_artifact_parse(pp_wr_done(&wr), files, PP_ARTIFACT_FILES_MAX, &artifact));
    assert_code(pp_artifact_parse(pp_wr_done(&wr), files, PP_ARTIFACT_FILES_MAX - 1, &artifact),
                PP_E_LIMIT);
    pp_wr_text(&wr, "999999 0 644 " EMPTY "\n");
    assert_code(pp_artifact_parse(pp_wr_done(&wr), files, PP_ARTIFACT_FILES_MAX + 1, &artifact),
                PP_E_LIMIT);
    memset(path, 'a', sizeof path);
    for (size_t i = 100; i < PP_ARTIFACT_PATH_MAX; i += 100)
        path[i] = '/';
    for (size_t over = 0; over < 2; over++) {
        files[0] = (struct pp_artifact_file){ .path = pp_span(path, PP_ARTIFACT_PATH_MAX + over) };
        assert_code(pp_artifact_write(test_begin(&text), PP_STR("p"), PP_STR("1"), files, 1),
                    over ? PP_E_LIMIT : PP_E_OK);
    }
    path[200] = path[300] = 'a'; /* 255 bytes of a name, and one more */
    path[356] = '/';
    for (size_t over = 0; over < 2; over++) {
        files[0] = (struct pp_artifact_file){ .path = pp_span(path + 101 - over, 260) };
        path[100] = over ? 'a' : '/';
        assert_code(pp_artifact_write(test_begin(&text), PP_STR("p"), PP_STR("1"), files, 1),
                    over ? PP_E_LIMIT : PP_E_OK);
    }
}

static void every_truncation_of_a_manifest_is_refused_or_another_one(void **state)
{
    static const char whole[] = "p\n1\na 1 644 " HASH_A "\nb 1 644 " HASH_B "\n";
    size_t accepted = 0;

    (void)state;
    for (size_t n = 0; n < sizeof whole - 1; n++)
        accepted += (size_t)pp_is_ok(pp_artifact_parse(pp_span(whole, n), files, 2, &artifact));
    assert_int_equal(accepted, 1); /* the one that ends behind the first file's line */
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_manifest_is_this_text),
    cmocka_unit_test(w19_t1_swapped_names_change_the_digest),
    cmocka_unit_test(w19_t2_a_renamed_file_changes_the_digest),
    cmocka_unit_test(w19_t3_an_empty_file_more_changes_the_digest),
    cmocka_unit_test(w19_t4_a_shifted_boundary_changes_the_digest),
    cmocka_unit_test(w19_t5_the_right_digest_for_another_purpose_is_refused),
    cmocka_unit_test(w19_t6_twins_in_case_or_normalisation_are_refused),
    cmocka_unit_test(a_path_leads_nowhere_else),
    cmocka_unit_test(every_line_has_one_form),
    cmocka_unit_test(limits_hold_at_their_number_and_not_beyond),
    cmocka_unit_test(every_truncation_of_a_manifest_is_refused_or_another_one),
};

TLOG_TEST_MAIN
