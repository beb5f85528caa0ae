/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "crypto.h"
#include "former_reviews.h"

static char folder[] = "/tmp/pp-test-former-XXXXXX";
static struct pp_problem problem;
static struct pp_former_reviews former;

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL || chdir(folder) != 0 || !pp_is_ok(pp_crypto_init()) ||
           !pp_is_ok(pp_file_write(AT_FDCWD, "old", 0600, PP_STR("quorum none\n"))) ||
           !pp_is_ok(pp_file_write(AT_FDCWD, "wrong", 0600, PP_STR("quorum some\n")));
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink("old");
    (void)unlink("wrong");
    return rmdir(folder);
}

static void begin(void)
{
    pp_former_reviews_done(&former);
    former = (struct pp_former_reviews){ 0 };
}

static pp_res load(const char *const *lines, size_t count)
{
    struct pp_kv_list values = { .count = count };

    begin();
    for (size_t i = 0; i < count; i++)
        values.items[i] = pp_span_cstr(lines[i]);
    return pp_former_reviews_load(&values, &problem, &former);
}

static void each_line_is_a_number_and_a_policy(void **state)
{
    (void)state;
    const char *const lines[] = { "7 old", "1200 old" };

    assert_ok(load(lines, 0));
    assert_int_equal(former.count, 0);
    assert_ok(load(lines, 2));
    assert_int_equal(former.count, 2);
    assert_int_equal(former.list[0].entries, 7);
    assert_int_equal(former.list[1].entries, 1200);
    assert_ptr_equal(former.list[1].policy, &former.files[1].policy);
    begin();
}

static void any_other_line_is_a_mistake(void **state)
{
    (void)state;
    static const char *const lines[] = { "old",
                                         "7",
                                         "7 ",
                                         " old",
                                         "0 old",
                                         "07 old",
                                         "-7 old",
                                         "7 absent",
                                         "7 wrong",
                                         "old 7",
                                         "7\told",
                                         "7  old",
                                         "9223372036854775808 old" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(lines); i++)
        assert_code(load(&lines[i], 1), PP_E_CONFIG);
    for (uint64_t second = 6; second <= 8; second++) {
        char text[16];
        snprintf(text, sizeof text, "%u old", (unsigned)second);
        const char *const two[] = { "7 old", text };
        assert_code(load(two, 2), second == 8 ? PP_E_OK : PP_E_CONFIG);
    }
    begin();
}

static void sixteen_policies_are_taken_and_one_more_is_not(void **state)
{
    (void)state;
    char texts[PP_FORMER_REVIEWS_MAX + 1][16];
    const char *lines[PP_FORMER_REVIEWS_MAX + 1];

    for (size_t i = 0; i <= PP_FORMER_REVIEWS_MAX; i++) {
        snprintf(texts[i], sizeof texts[i], "%u old", (unsigned)i + 1);
        lines[i] = texts[i];
    }
    assert_ok(load(lines, PP_FORMER_REVIEWS_MAX));
    assert_code(load(lines, PP_FORMER_REVIEWS_MAX + 1), PP_E_CONFIG);
    begin();
}

static pp_res read_with(const char *name)
{
    assert_ok(pp_file_write(AT_FDCWD, name, 0600, PP_STR("quorum none\n")));
    begin();
    pp_res r = pp_former_reviews_read(".", &problem, &former);
    assert_int_equal(unlink(name), 0);
    return r;
}

static void a_folder_s_files_are_taken_in_the_order_of_their_numbers(void **state)
{
    (void)state;
    static const char *const wrong[] = { PP_FORMER_REVIEWS_PREFIX, PP_FORMER_REVIEWS_PREFIX "0",
                                         PP_FORMER_REVIEWS_PREFIX "07",
                                         PP_FORMER_REVIEWS_PREFIX "7~" };

    begin();
    assert_ok(pp_former_reviews_read(".", &problem, &former));
    assert_int_equal(former.count, 0);
    assert_ok(
        pp_file_write(AT_FDCWD, PP_FORMER_REVIEWS_PREFIX "1200", 0600, PP_STR("quorum none\n")));
    assert_ok(read_with(PP_FORMER_REVIEWS_PREFIX "7"));
    assert_int_equal(former.count, 2);
    assert_int_equal(former.list[0].entries, 7);
    assert_int_equal(former.list[1].entries, 1200);
    for (size_t i = 0; i < PP_ARRAY_COUNT(wrong); i++)
        assert_code(read_with(wrong[i]), PP_E_CONFIG);
    assert_ok(read_with("review.policy"));
    assert_int_equal(former.count, 1);
    assert_int_equal(unlink(PP_FORMER_REVIEWS_PREFIX "1200"), 0);
    begin();
    assert_code(pp_former_reviews_read("absent", &problem, &former), PP_E_CONFIG);
}

static void a_folder_with_too_many_of_them_is_refused(void **state)
{
    (void)state;
    for (int n = 1; n <= PP_FORMER_REVIEWS_MAX; n++) {
        char name[48];
        snprintf(name, sizeof name, PP_FORMER_REVIEWS_PREFIX "%d", n);
        assert_ok(pp_file_write(AT_FDCWD, name, 0600, PP_STR("quorum none\n")));
    }
    begin();
    assert_ok(pp_former_reviews_read(".", &problem, &former));
    assert_int_equal(former.count, PP_FORMER_REVIEWS_MAX);
    assert_code(read_with(PP_FORMER_REVIEWS_PREFIX "99"), PP_E_CONFIG);
    for (int n = 1; n <= PP_FORMER_REVIEWS_MAX; n++) {
        char name[48];
        snprintf(name, sizeof name, PP_FORMER_REVIEWS_PREFIX "%d", n);
        assert_int_equal(unlink(name), 0);
    }
    begin();
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(each_line_is_a_number_and_a_policy),
    cmocka_unit_test(any_other_line_is_a_mistake),
    cmocka_unit_test(sixteen_policies_are_taken_and_one_more_is_not),
    cmocka_unit_test(a_folder_s_files_are_taken_in_the_order_of_their_numbers),
    cmocka_unit_test(a_folder_with_too_many_of_them_is_refused),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make_folder, remove_folder);
}
