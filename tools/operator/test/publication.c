/* SPDX-License-Identifier: Apache-2.0 */
/* Published files: whole or not at all, never replaced (docs/protocol/release.md, publication). */
#include "harness.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto.h"
#include "file.h"
#include "folder.h"
#include "publication.h"

struct fixture {
    char folder[64], from[128];
    int fd;
    uint8_t digest[PP_SHA256_BYTES];
    struct pp_problem problem;
};

static struct fixture f;

static void content(const char *text)
{
    assert_ok(pp_file_write(AT_FDCWD, f.from, 0600, pp_span_cstr(text)));
    pp_sha256(pp_span_cstr(text), f.digest);
}

static int set_up(void **state)
{
    (void)state;
    if (!pp_is_ok(pp_crypto_init()) || pp_test_folder_make(f.folder) != 0)
        return -1;
    snprintf(f.from, sizeof f.from, "%s/from", f.folder);
    f.fd = open(f.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    content("an image");
    return f.fd >= 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    (void)close(f.fd);
    return pp_test_folder_remove(f.folder);
}

static void holds(const char *name, const char *text)
{
    struct pp_buf b = { 0 };

    assert_ok(pp_file_read(f.fd, name, 1 << 20, &b));
    assert_true(pp_span_eq(pp_buf_span(&b), pp_span_cstr(text)));
    pp_buf_done(&b);
}

static int is_there(const char *name)
{
    return faccessat(f.fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void a_published_file_is_whole_and_readable_for_all(void **state)
{
    struct stat st;

    (void)state;
    assert_ok(pp_publish_file(f.from, f.fd, "o.img", f.digest, &f.problem));
    holds("o.img", "an image");
    assert_int_equal(fstatat(f.fd, "o.img", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_false(is_there(".o.img.new"));
    assert_ok(pp_publish_file(f.from, f.fd, "o.img", f.digest, &f.problem)); /* again */
}

static void a_name_that_is_taken_keeps_its_bytes(void **state)
{
    (void)state;
    assert_ok(pp_file_write(f.fd, "o.img", 0644, PP_STR("an earlier one")));
    assert_code(pp_publish_file(f.from, f.fd, "o.img", f.digest, &f.problem), PP_E_RELEASE_FILE);
    holds("o.img", "an earlier one");
    assert_code(pp_publish_bytes(PP_STR("other"), f.fd, "o.img", &f.problem), PP_E_RELEASE_FILE);
    holds("o.img", "an earlier one");
    assert_int_equal(unlinkat(f.fd, "o.img", 0), 0);
    assert_int_equal(symlinkat(f.from, f.fd, "o.img"), 0); /* nor is a link followed */
    assert_code(pp_publish_file(f.from, f.fd, "o.img", f.digest, &f.problem), PP_E_INPUT);
}

static void another_digest_leaves_nothing_behind(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof f.digest; i += 31) { /* the first byte, and the last one */
        f.digest[i] ^= 1;
        assert_code(pp_publish_file(f.from, f.fd, "o.img", f.digest, &f.problem),
                    PP_E_RELEASE_FILE);
        assert_false(is_there("o.img"));
        assert_false(is_there(".o.img.new"));
        f.digest[i] ^= 1;
    }
    assert_code(pp_publish_file("/nonexistent", f.fd, "o.img", f.digest, &f.problem), PP_E_INPUT);
    assert_false(is_there(".o.img.new"));
}

static void what_a_killed_run_left_is_begun_anew(void **state)
{
    (void)state;
    assert_ok(pp_file_write(f.fd, ".o.img.new", 0600, PP_STR("an imag")));
    assert_ok(pp_publish_file(f.from, f.fd, "o.img", f.digest, &f.problem));
    holds("o.img", "an image");
    assert_false(is_there(".o.img.new"));
    assert_int_equal(unlinkat(f.fd, "o.img", 0), 0);
    /* A link in its place leads nowhere. */
    assert_int_equal(symlinkat("from", f.fd, ".o.img.new"), 0);
    assert_ok(pp_publish_file(f.from, f.fd, "o.img", f.digest, &f.problem));
    holds("from", "an image");
}

static void bytes_are_published_like_files(void **state)
{
    (void)state;
    assert_ok(pp_publish_bytes(PP_STR("a note\n"), f.fd, "o.manifest", &f.problem));
    assert_ok(pp_publish_bytes(PP_STR("a note\n"), f.fd, "o.manifest", &f.problem));
    holds("o.manifest", "a note\n");
}

static void a_name_comes_from_the_record_and_leads_nowhere_else(void **state)
{
    static const char *const good[][2] = { { "https://images.example/a/o-1.img", "o-1.img" },
                                           { "o", "o" },
                                           { "a/b/C_2.x", "C_2.x" } };
    static const char *const bad[] = {
        "",    "https://images.example/", "a/..", "a/.hidden", "a/-o", "a/o img", "a/o%2e", "a/o:b",
        "a\\b"
    };
    char name[PP_PUBLISHED_NAME_MAX], longest[PP_PUBLISHED_NAME_MAX + 1];

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(good); i++) {
        assert_ok(pp_published_name(pp_span_cstr(good[i][0]), name));
        assert_string_equal(name, good[i][1]);
    }
    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++)
        assert_code(pp_published_name(pp_span_cstr(bad[i]), name), PP_E_FORMAT);
    memset(longest, 'o', sizeof longest);
    assert_ok(pp_published_name(pp_span(longest, PP_PUBLISHED_NAME_MAX - 1), name));
    assert_code(pp_published_name(pp_span(longest, PP_PUBLISHED_NAME_MAX), name), PP_E_FORMAT);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test_setup_teardown(a_published_file_is_whole_and_readable_for_all, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_name_that_is_taken_keeps_its_bytes, set_up, tear_down),
    cmocka_unit_test_setup_teardown(another_digest_leaves_nothing_behind, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_a_killed_run_left_is_begun_anew, set_up, tear_down),
    cmocka_unit_test_setup_teardown(bytes_are_published_like_files, set_up, tear_down),
    cmocka_unit_test(a_name_comes_from_the_record_and_leads_nowhere_else),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
