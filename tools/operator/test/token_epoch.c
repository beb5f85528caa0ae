/* SPDX-License-Identifier: Apache-2.0 */
/* docs/protocol/tokens.md, keys of days to come: made once, ahead, from a chain that moves on. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "crypto.h"
#include "file.h"
#include "folder.h"
#include "token_chain.h"
#include "token_epoch.h"

enum { DAY = 20000 };

static char folder[64], chain[96], key[96];
static struct pp_problem problem;
static struct pp_random random_;
static const uint64_t NOW_S = (uint64_t)DAY * PP_DAY_S + 3600;

static int set_up(void **state)
{
    (void)state;
    random_ = pp_random_system();
    if (!pp_is_ok(pp_crypto_init()) || pp_test_folder_make(folder) != 0)
        return -1;
    snprintf(chain, sizeof chain, "%s/chain", folder);
    snprintf(key, sizeof key, "%s/%u.key", folder, DAY + 2);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return pp_test_folder_remove(folder);
}

static struct pp_token_epoch epoch(uint32_t day, enum pp_record_env environment)
{
    return (struct pp_token_epoch){ .folder = folder, .day = day, .environment = environment };
}

static pp_res make_at(uint32_t day, uint64_t now_s, int *ret_made)
{
    const struct pp_token_epoch e = epoch(day, PP_RECORD_PROD);

    return pp_token_epoch_make(&e, chain, now_s, &random_, &problem, ret_made);
}

static struct pp_span config_of(uint32_t day, uint8_t *buf, size_t cap)
{
    const struct pp_token_epoch e = epoch(day, PP_RECORD_PROD);
    struct pp_wr wr = pp_wr_over(buf, cap);

    assert_ok(pp_token_epoch_config(&e, &problem, &wr));
    return pp_wr_done(&wr);
}

static uint32_t chain_day(void)
{
    PP_AUTO(pp_token_chain) c = { 0 };
    struct pp_buf text = { 0 };

    assert_ok(pp_file_read_kept(AT_FDCWD, chain, PP_FILE_PRIVATE, 1000, &text));
    assert_ok(pp_token_chain_parse(pp_buf_span(&text), NULL, &c));
    pp_buf_done(&text);
    return c.day;
}

static void a_key_is_made_once_and_never_overwritten(void **state)
{
    uint8_t one[64], two[64];
    struct stat st;
    int made = 9;

    (void)state;
    assert_ok(make_at(DAY + 2, NOW_S, &made));
    assert_int_equal(made, 1);
    assert_int_equal(stat(key, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct pp_span before = config_of(DAY + 2, one, sizeof one);
    assert_int_equal(before.len, 34);
    assert_int_equal(one[1], 5);
    assert_ok(make_at(DAY + 2, NOW_S, &made));
    assert_int_equal(made, 0);
    assert_true(pp_span_eq(before, config_of(DAY + 2, two, sizeof two)));
}

/* The chain of a day makes no key of a day before it, however often the key's file is lost. */
static void the_chain_moves_on_with_the_days(void **state)
{
    uint8_t one[64], two[64];
    int made;

    (void)state;
    assert_ok(make_at(DAY + 2, NOW_S, &made));
    assert_int_equal(chain_day(), DAY);
    struct pp_span before = config_of(DAY + 2, one, sizeof one);
    assert_int_equal(remove(key), 0);
    assert_ok(make_at(DAY + 2, NOW_S + PP_DAY_S, &made)); /* the same key again, until its day */
    assert_int_equal(chain_day(), DAY + 1);
    assert_true(pp_span_eq(before, config_of(DAY + 2, two, sizeof two)));
    assert_int_equal(remove(key), 0);
    assert_code(make_at(DAY + 2, NOW_S + 3 * PP_DAY_S, &made), PP_E_RANGE);
    assert_int_equal(chain_day(), DAY + 3);
    assert_ok(make_at(DAY + 3 + PP_TOKEN_CHAIN_AHEAD_MAX, NOW_S + 3 * PP_DAY_S, &made));
    assert_code(make_at(DAY + 4 + PP_TOKEN_CHAIN_AHEAD_MAX, NOW_S + 3 * PP_DAY_S, &made),
                PP_E_RANGE);
    assert_code(make_at(DAY + 500, NOW_S + 500 * PP_DAY_S, &made), PP_E_CONFIG);
}

static void without_a_chain_a_key_must_be_there(void **state)
{
    const struct pp_token_epoch e = epoch(DAY + 2, PP_RECORD_PROD);
    int made;

    (void)state;
    assert_code(pp_token_epoch_make(&e, NULL, NOW_S, &random_, &problem, &made), PP_E_MISSING);
    assert_non_null(strstr(problem.expected, "--chain"));
    assert_ok(make_at(DAY + 2, NOW_S, &made));
    assert_ok(pp_token_epoch_make(&e, NULL, NOW_S, &random_, &problem, &made));
}

static void a_key_file_that_is_not_what_the_record_says_is_refused(void **state)
{
    const struct pp_token_epoch prod = epoch(DAY + 2, PP_RECORD_PROD);
    const struct pp_token_epoch dev = epoch(DAY + 2, PP_RECORD_DEV);
    const struct pp_token_epoch next = epoch(DAY + 3, PP_RECORD_PROD);
    uint8_t buf[64];
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);
    char other[96];
    int made;

    (void)state;
    assert_ok(make_at(DAY + 2, NOW_S, &made));
    assert_code(pp_token_epoch_config(&dev, &problem, &wr), PP_E_CONFIG);
    snprintf(other, sizeof other, "%s/%u.key", folder, DAY + 3);
    assert_int_equal(rename(key, other), 0);
    assert_code(pp_token_epoch_config(&next, &problem, &wr), PP_E_CONFIG);
    assert_int_equal(rename(other, key), 0);
    assert_int_equal(chmod(key, 0644), 0);
    assert_code(pp_token_epoch_config(&prod, &problem, &wr), PP_E_CONFIG);
    assert_int_equal(chmod(key, 0600), 0);
    assert_ok(pp_token_epoch_config(&prod, &problem, &wr));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_is_made_once_and_never_overwritten, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_chain_moves_on_with_the_days, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_chain_a_key_must_be_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_file_that_is_not_what_the_record_says_is_refused,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
