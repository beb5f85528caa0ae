/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../lib/cred/test/rsa_key.h"
#include "crypto.h"
#include "token_keys.h"

enum { DAY = 20500, NOON_S = DAY * 86400 + 43200 };

static char folder[64];

static int fresh_folder(void **state)
{
    (void)state;
    if (pp_test_folder_make(folder) != 0)
        return -1;
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return pp_test_folder_remove(folder);
}

static void file_path(char *ret, size_t cap, const char *name)
{
    snprintf(ret, cap, "%s/%s", folder, name);
}

static void write_text(const char *name, struct pp_span text, mode_t mode)
{
    char path[512];

    file_path(path, sizeof path, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(write(fd, text.at, text.len), (ssize_t)text.len);
    close(fd);
}

/* A key file of the day, whose seed is `seed_byte` throughout. */
static struct pp_span key_text(uint32_t day, uint8_t seed_byte, char *buf, size_t cap)
{
    struct pp_wr wr = pp_wr_over(buf, cap);
    uint8_t seed[PP_CRED_SEED_BYTES];
    uint64_t midnight = (uint64_t)day * 86400;

    memset(seed, seed_byte, sizeof seed);
    assert_ok(pp_token_key_write(day, 5, midnight - 86400, midnight + 82800, PP_BYTES(seed), &wr));
    return pp_wr_done(&wr);
}

static void write_key(const char *name, uint32_t day, uint8_t seed_byte)
{
    char text[PP_TOKEN_KEY_FILE_BYTES_MAX];

    write_text(name, key_text(day, seed_byte, text, sizeof text), 0600);
}

static pp_res load(struct pp_problem *problem, struct pp_token_keys *ret)
{
    return pp_token_keys_load(folder, NOON_S, problem, ret);
}

static pp_res outcome(struct pp_problem *problem)
{
    struct pp_token_keys keys = { 0 };
    pp_res r = load(problem, &keys);

    pp_token_keys_done(&keys);
    return r;
}

static void a_key_file_is_read_as_it_was_written(void **state)
{
    (void)state;
    char text[PP_TOKEN_KEY_FILE_BYTES_MAX];
    struct pp_token_key k = { 0 };
    struct pp_cred_key expected = { 0 };
    uint8_t seed[32];

    assert_ok(pp_token_key_parse(key_text(DAY, 9, text, sizeof text), NULL, &k));
    memset(seed, 9, sizeof seed);
    assert_ok(pp_cred_key_derive(5, PP_BYTES(seed), &expected));
    assert_int_equal(k.day, DAY);
    assert_true(k.issue_from_s == (uint64_t)(DAY - 1) * 86400);
    assert_true(k.issue_until_s == (uint64_t)DAY * 86400 + 82800);
    assert_memory_equal(k.key.pub.key_id, expected.pub.key_id, 32);
    pp_cred_key_done(&expected);
    pp_token_key_done(&k);
}

/* RFC 9578 A.2: the figures of the published key, which its issuer and its redeemer hold alike. */
static void a_secret_that_no_file_holds_is_not_written(void **state)
{
    (void)state;
    static const uint8_t secret[PP_TOKEN_SECRET_BYTES_MAX + 1] = { 1 };
    static char text[PP_TOKEN_KEY_FILE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    assert_code(pp_token_key_write(DAY, 5, 0, 1, pp_span(secret, 0), &wr), PP_E_RANGE);
    assert_code(pp_token_key_write(DAY, 5, 0, 1, pp_span(secret, sizeof secret), &wr), PP_E_RANGE);
    assert_int_equal(wr.len, 0);
    assert_ok(pp_token_key_write(DAY, 5, 0, 1, pp_span(secret, sizeof secret - 1), &wr));
}

static void a_blind_rsa_key_is_read_beside_the_key_of_its_day(void **state)
{
    (void)state;
    char text[PP_TOKEN_KEY_FILE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    struct pp_token_keys keys = { 0 };
    uint8_t der[RSA_KEY_DER_BYTES];

    pp_test_hex(RSA_KEY_DER, der, sizeof der);
    assert_ok(pp_token_key_write(DAY, 2, 1, (uint64_t)DAY * 86400, PP_BYTES(der), &wr));
    write_text("20500.rsa.key", pp_wr_done(&wr), 0600);
    write_key("20500.key", DAY, 1);
    assert_ok(load(NULL, &keys));
    assert_int_equal(keys.count, 2);
    assert_int_equal(keys.list[0].day, DAY);
    assert_int_equal(keys.list[1].day, DAY);
    assert_int_equal(keys.list[0].key.pub.type + keys.list[1].key.pub.type, 7);
    pp_token_keys_done(&keys);
    wr = pp_wr_over(text, sizeof text);
    assert_ok(
        pp_token_key_write(DAY, 2, 1, (uint64_t)DAY * 86400, pp_span(der, sizeof der - 1), &wr));
    write_text("20500.rsa.key", pp_wr_done(&wr), 0600);
    assert_code(outcome(NULL), PP_E_CONFIG);
}

static void wrong_key_files_are_refused_without_a_word_of_the_secret(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "epoch = 1\ntype = 5\nissue_from = 1\nissue_until = 2\n",
        "epoch = 1\ntype = 5\nissue_from = 2\nissue_until = 2\nsecret = " /* no time */
        "5555555555555555555555555555555555555555555555555555555555555555\n",
        "epoch = 4294967296\ntype = 5\nissue_from = 1\nissue_until = 2\nsecret = "
        "5555555555555555555555555555555555555555555555555555555555555555\n",
        "epoch = 1\ntype = 2\nissue_from = 1\nissue_until = 2\nsecret = "
        "5555555555555555555555555555555555555555555555555555555555555555\n",
        "epoch = 1\ntype = 5\nissue_from = 1\nissue_until = 2\nsecret = "
        "555555555555555555555555555555555555555555555555555555555555555\n",
        "epoch = 1\ntype = 5\nissue_from = 1\nissue_until = 2\nsecret = "
        "5555555555555555555555555555555555555555555555555555555555555g55\n",
        "epoch = 1\ntype = 5\nissue_from = 1\nissue_until = 2\nextra = 1\nsecret = "
        "5555555555555555555555555555555555555555555555555555555555555555\n",
        "epoch = 1\ntype = 5\nissue_from = 1\nissue_until = 2\nsecret "
        "5555555555555555555555555555555555555555555555555555555555555555\n",
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++) {
        struct pp_problem problem = { 0 };
        struct pp_token_key k = { 0 };
        assert_code(pp_token_key_parse(pp_span_cstr(bad[i]), &problem, &k), PP_E_CONFIG);
        assert_null(k.key.sk_secret.bytes);
        assert_null(strstr(problem.field, "555"));
        assert_null(strstr(problem.expected, "555"));
        assert_null(strstr(problem.got, "555"));
    }
}

static void keys_are_loaded_by_day_and_dead_epochs_left_out(void **state)
{
    (void)state;
    struct pp_token_keys keys = { 0 };

    assert_ok(load(NULL, &keys)); /* an empty folder is fine */
    assert_int_equal(keys.count, 0);
    write_key("20501.key", DAY + 1, 1);
    write_key("20500.key", DAY, 2);
    write_key("20498.key", DAY - 2, 3);
    write_text("notes.txt", PP_STR("not a key"), 0644);
    assert_ok(load(NULL, &keys));
    assert_int_equal(keys.count, 2);
    assert_int_equal(keys.list[0].day, DAY);
    assert_int_equal(keys.list[1].day, DAY + 1);
    pp_token_keys_done(&keys);
    pp_token_keys_done(&keys);
}

static int is_there(const char *name)
{
    char path[512];

    file_path(path, sizeof path, name);
    return access(path, F_OK) == 0;
}

/* A key is good until 10 minutes behind its day; then its file goes, and no other. */
static void a_key_whose_epoch_is_over_is_removed_from_the_folder(void **state)
{
    const uint64_t end = (uint64_t)(DAY + 1) * 86400 + 600;
    size_t count = 99;

    (void)state;
    write_key("20500.key", DAY, 1);
    write_key("20501.key", DAY + 1, 2);
    write_text("bad.key", PP_STR("epoch = yesterday\n"), 0600);
    write_text("notes.txt", PP_STR("not a key"), 0644);
    assert_ok(pp_token_keys_destroy(folder, end - 1, &count));
    assert_int_equal(count, 0);
    assert_true(is_there("20500.key"));
    assert_ok(pp_token_keys_destroy(folder, end, &count));
    assert_int_equal(count, 1);
    assert_false(is_there("20500.key"));
    assert_true(is_there("20501.key"));
    assert_true(is_there("bad.key"));
    assert_true(is_there("notes.txt"));
    assert_ok(pp_token_keys_destroy(folder, end + 86400, &count));
    assert_int_equal(count, 1);
    assert_false(is_there("20501.key"));
    assert_code(pp_token_keys_destroy("/proc/none", end, &count), PP_E_NOT_FOUND);
}

/* Whatever the file says of its issue, that comes first. */
static void a_key_that_is_still_issued_is_not_removed(void **state)
{
    const uint64_t end = (uint64_t)(DAY + 1) * 86400 + 600;
    char text[PP_TOKEN_KEY_FILE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    uint8_t seed[PP_CRED_SEED_BYTES] = { 1 };
    size_t count = 99;

    (void)state;
    assert_ok(pp_token_key_write(DAY, 5, end - 86400, end + 10, PP_BYTES(seed), &wr));
    write_text("20500.key", pp_wr_done(&wr), 0600);
    assert_ok(pp_token_keys_destroy(folder, end + 9, &count));
    assert_int_equal(count, 0);
    assert_ok(pp_token_keys_destroy(folder, end + 10, &count));
    assert_int_equal(count, 1);
}

static void two_keys_of_one_epoch_are_refused(void **state)
{
    (void)state;
    struct pp_problem problem = { 0 };

    write_key("20500.key", DAY, 1);
    write_key("twin.key", DAY, 2);
    assert_code(outcome(&problem), PP_E_CONFIG);
    assert_string_equal(problem.field, "twin.key");
}

/* RFC 9578 5.1: a request carries one byte of the key id. */
static void two_keys_of_one_truncated_id_are_refused(void **state)
{
    (void)state;
    uint8_t first_with[256] = { 0 };

    for (uint8_t seed = 1; seed != 0; seed++) {
        char text[PP_TOKEN_KEY_FILE_BYTES_MAX];
        struct pp_token_key k = { 0 };
        assert_ok(pp_token_key_parse(key_text(DAY, seed, text, sizeof text), NULL, &k));
        uint8_t last = k.key.pub.key_id[31];
        pp_token_key_done(&k);
        if (first_with[last] == 0) {
            first_with[last] = seed;
            continue;
        }
        write_key("a.key", DAY, first_with[last]);
        write_key("b.key", DAY + 1, seed);
        assert_code(outcome(NULL), PP_E_CONFIG);
        write_key("b.key", DAY + 1, (uint8_t)(first_with[last] + 1));
        assert_ok(outcome(NULL));
        return;
    }
    fail();
}

static void files_that_others_can_read_are_refused(void **state)
{
    (void)state;
    char text[PP_TOKEN_KEY_FILE_BYTES_MAX];
    char target[128], link_path[512];
    struct pp_span good = key_text(DAY, 1, text, sizeof text);

    write_text("20500.key", good, 0640);
    assert_code(outcome(NULL), PP_E_CONFIG);
    write_text("20500.key", good, 0604);
    assert_code(outcome(NULL), PP_E_CONFIG);
    write_text("20500.key", good, 0400);
    assert_ok(outcome(NULL));
    write_text("elsewhere", good, 0600);
    file_path(target, sizeof target, "elsewhere");
    file_path(link_path, sizeof link_path, "link.key");
    assert_int_equal(symlink(target, link_path), 0);
    assert_code(outcome(NULL), PP_E_CONFIG);
}

static void a_broken_file_spoils_the_load_and_is_named(void **state)
{
    (void)state;
    struct pp_problem problem = { 0 };
    struct pp_token_keys keys = { .count = 0 };
    uint8_t large[PP_TOKEN_KEY_FILE_BYTES_MAX + 1];

    write_key("20500.key", DAY, 1);
    write_text("bad.key", PP_STR("epoch = tomorrow\n"), 0600);
    assert_code(load(&problem, &keys), PP_E_CONFIG);
    assert_string_equal(problem.field, "bad.key");
    assert_int_equal(keys.count, 0);
    memset(large, '\n', sizeof large);
    write_text("bad.key", PP_BYTES(large), 0600);
    assert_code(outcome(NULL), PP_E_LIMIT);
    assert_code(pp_token_keys_load("/proc/none", NOON_S, &problem, &keys), PP_E_NOT_FOUND);
}

static void more_than_8_keys_are_refused(void **state)
{
    (void)state;
    char names[PP_TOKEN_KEYS_MAX + 1][32];
    char path[512];
    uint8_t seen[256] = { 0 };
    uint8_t seed = 1;

    for (uint32_t i = 0; i <= PP_TOKEN_KEYS_MAX; i++) {
        char text[PP_TOKEN_KEY_FILE_BYTES_MAX];
        struct pp_token_key k = { 0 };
        do { /* no two truncated ids equal */
            pp_token_key_done(&k);
            assert_ok(pp_token_key_parse(key_text(DAY, seed++, text, sizeof text), NULL, &k));
        } while (seen[k.key.pub.key_id[31]]++);
        pp_token_key_done(&k);
        snprintf(names[i], sizeof names[i], "n%u.key", i);
        write_key(names[i], DAY + i, (uint8_t)(seed - 1));
        assert_code(outcome(NULL), i < PP_TOKEN_KEYS_MAX ? PP_E_OK : PP_E_CONFIG);
    }
    for (uint32_t i = 0; i <= PP_TOKEN_KEYS_MAX; i++) {
        file_path(path, sizeof path, names[i]);
        assert_int_equal(unlink(path), 0);
    }
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, fresh_folder, remove_folder)

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_key_file_is_read_as_it_was_written),
    cmocka_unit_test(a_secret_that_no_file_holds_is_not_written),
    IN_A_FOLDER(a_blind_rsa_key_is_read_beside_the_key_of_its_day),
    cmocka_unit_test(wrong_key_files_are_refused_without_a_word_of_the_secret),
    IN_A_FOLDER(keys_are_loaded_by_day_and_dead_epochs_left_out),
    IN_A_FOLDER(a_key_whose_epoch_is_over_is_removed_from_the_folder),
    IN_A_FOLDER(a_key_that_is_still_issued_is_not_removed),
    IN_A_FOLDER(two_keys_of_one_epoch_are_refused),
    IN_A_FOLDER(two_keys_of_one_truncated_id_are_refused),
    IN_A_FOLDER(files_that_others_can_read_are_refused),
    IN_A_FOLDER(a_broken_file_spoils_the_load_and_is_named),
    IN_A_FOLDER(more_than_8_keys_are_refused),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
