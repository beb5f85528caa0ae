/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto.h"
#include "file.h"
#include "keyfile.h"
#include "keys.h"

enum { DAY = 86400, NAMES = 12 };

struct fixture {
    char folder[64];
    struct gw_keys keys;
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){ .folder = "/tmp/pp-keys-XXXXXX" };
    assert_ok(pp_crypto_init());
    assert_non_null(mkdtemp(f.folder));
    *state = &f;
    return 0;
}

static const char *path_of(const struct fixture *f, int name)
{
    static char path[96];

    snprintf(path, sizeof path, "%s/%02d.key", f->folder, name);
    return path;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    gw_keys_done(&f->keys);
    for (int i = 0; i < NAMES; i++)
        (void)unlink(path_of(f, i));
    (void)rmdir(f->folder);
    return 0;
}

/* A key of id `id` for the UTC day `day`, under the name 0..NAMES-1. */
static void put(struct fixture *f, int name, uint8_t id, uint64_t day)
{
    struct pp_ohttp_keyfile k = { .use_from_s = day * DAY,
                                  .use_until_s = (day + 1) * DAY,
                                  .id = id,
                                  .kem = PP_KEM_X25519_SHA256,
                                  .suites = { { PP_HKDF_SHA256, PP_AES_128_GCM } },
                                  .suite_count = 1 };
    char text[PP_OHTTP_KEYFILE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    assert_ok(pp_secret_alloc(&k.sk_secret, PP_X25519_BYTES));
    k.sk_secret.bytes[0] = id;
    assert_ok(pp_ohttp_keyfile_write(&k, &wr));
    assert_ok(pp_file_write(AT_FDCWD, path_of(f, name), 0600, pp_wr_done(&wr)));
    pp_ohttp_keyfile_done(&k);
}

static pp_res turn(struct fixture *f, uint64_t now_s, int *changed)
{
    *changed = -1;
    return gw_keys_turn(&f->keys, f->folder, now_s, NULL, changed);
}

static void keys_come_and_go_with_their_time(void **state)
{
    struct fixture *f = *state;
    int changed;

    put(f, 0, 10, 100);
    put(f, 1, 11, 101);
    put(f, 2, 12, 102);
    assert_ok(turn(f, 100 * DAY + 50000, &changed));
    assert_int_equal(changed, 1);
    assert_int_equal(f->keys.gateway.key_count, 1);
    assert_int_equal(f->keys.gateway.keys[0].config.id, 10);
    assert_ok(turn(f, 100 * DAY + 50060, &changed));
    assert_int_equal(changed, 0);

    assert_ok(turn(f, 101 * DAY - 600, &changed)); /* both within the grace */
    assert_int_equal(changed, 1);
    assert_int_equal(f->keys.gateway.key_count, 2);
    assert_int_equal(f->keys.gateway.keys[1].config.id, 11);
    assert_ok(turn(f, 101 * DAY + 600, &changed));
    assert_int_equal(f->keys.gateway.key_count, 1);
    assert_int_equal(f->keys.gateway.keys[0].config.id, 11);

    assert_int_equal(unlink(path_of(f, 1)), 0); /* a key that is taken away is not served */
    assert_ok(turn(f, 101 * DAY + 700, &changed));
    assert_int_equal(f->keys.gateway.key_count, 0);
}

static int is_there(const struct fixture *f, int name)
{
    return access(path_of(f, name), F_OK) == 0;
}

/* RFC 9458, 6.6: a key that is gone opens no recorded request. 10 minutes behind its use, and not
 * before; wrong files are not what this is about. */
static void a_key_that_is_over_is_removed_from_the_folder(void **state)
{
    struct fixture *f = *state;
    size_t count = 99;

    put(f, 0, 10, 100);
    put(f, 1, 11, 101);
    assert_ok(pp_file_write(AT_FDCWD, path_of(f, 2), 0600, PP_STR("use_until = 1\n")));
    assert_ok(gw_keys_destroy(f->folder, 99 * DAY, &count)); /* to come */
    assert_int_equal(count, 0);
    assert_ok(gw_keys_destroy(f->folder, 101 * DAY + 599, &count));
    assert_int_equal(count, 0);
    assert_true(is_there(f, 0));
    assert_ok(gw_keys_destroy(f->folder, 101 * DAY + 600, &count));
    assert_int_equal(count, 1);
    assert_false(is_there(f, 0));
    assert_true(is_there(f, 1));
    assert_true(is_there(f, 2));
    assert_ok(gw_keys_destroy(f->folder, 200 * DAY, &count)); /* at a start, long after */
    assert_int_equal(count, 1);
    assert_false(is_there(f, 1));
    assert_true(is_there(f, 2));
    assert_code(gw_keys_destroy("/proc/none/keys", 0, &count), PP_E_NOT_FOUND);
}

/* Another's file, another's link: what is not a key file of ours is not touched. */
static void what_lies_behind_a_link_is_not_removed(void **state)
{
    struct fixture *f = *state;
    char elsewhere[96];
    size_t count = 99;

    put(f, 0, 10, 100);
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", f->folder);
    assert_int_equal(rename(path_of(f, 0), elsewhere), 0);
    assert_int_equal(symlink(elsewhere, path_of(f, 0)), 0);
    assert_ok(gw_keys_destroy(f->folder, 200 * DAY, &count));
    assert_int_equal(count, 0);
    assert_int_equal(access(elsewhere, F_OK), 0);
    assert_int_equal(unlink(elsewhere), 0);
}

static void a_wrong_folder_leaves_the_keys_until_their_time_is_over(void **state)
{
    struct fixture *f = *state;
    struct pp_problem problem = { 0 };
    int changed = -1;

    put(f, 0, 10, 100);
    put(f, 1, 11, 101);
    assert_ok(turn(f, 101 * DAY, &changed));
    assert_int_equal(f->keys.gateway.key_count, 2);
    assert_ok(pp_file_write(AT_FDCWD, path_of(f, 2), 0600, PP_STR("secret = 00112233\n")));
    assert_code(gw_keys_turn(&f->keys, f->folder, 101 * DAY + 1, &problem, &changed), PP_E_CONFIG);
    assert_string_equal(problem.field, "02.key");
    assert_null(strstr(problem.got, "0011"));
    assert_int_equal(f->keys.gateway.key_count, 2);
    assert_code(turn(f, 101 * DAY + 600, &changed), PP_E_CONFIG);
    assert_int_equal(f->keys.gateway.key_count, 1);
    assert_int_equal(f->keys.gateway.keys[0].config.id, 11);
    assert_int_equal(f->keys.until_s[0], 102 * DAY + 600);
    assert_code(turn(f, 102 * DAY + 600, &changed), PP_E_CONFIG);
    assert_int_equal(f->keys.gateway.key_count, 0);
}

static void a_file_that_others_can_read_is_refused(void **state)
{
    struct fixture *f = *state;
    int changed;

    put(f, 0, 10, 100);
    assert_int_equal(chmod(path_of(f, 0), 0604), 0);
    assert_code(turn(f, 100 * DAY, &changed), PP_E_CONFIG);
    assert_int_equal(f->keys.gateway.key_count, 0);
    assert_int_equal(unlink(path_of(f, 0)), 0);
    assert_int_equal(symlink("/dev/null", path_of(f, 0)), 0);
    assert_code(turn(f, 100 * DAY, &changed), PP_E_CONFIG);
}

static void w3_t4_one_key_id_for_two_keys_is_refused(void **state)
{
    struct fixture *f = *state;
    int changed;

    put(f, 0, 10, 100);
    put(f, 1, 10, 101);
    assert_code(turn(f, 101 * DAY, &changed), PP_E_CONFIG);
    assert_ok(turn(f, 100 * DAY + 50000, &changed)); /* not both at a time: fine */
}

static void eight_keys_are_served_and_no_more(void **state)
{
    struct fixture *f = *state;
    int changed;

    for (int i = 0; i < PP_OHTTP_GATEWAY_KEYS_MAX; i++)
        put(f, i, (uint8_t)i, 100);
    assert_ok(turn(f, 100 * DAY, &changed));
    assert_int_equal(f->keys.gateway.key_count, PP_OHTTP_GATEWAY_KEYS_MAX);
    put(f, PP_OHTTP_GATEWAY_KEYS_MAX, 77, 100);
    assert_code(turn(f, 100 * DAY, &changed), PP_E_CONFIG);
}

static void no_folder_is_an_error_and_an_empty_one_is_not(void **state)
{
    struct fixture *f = *state;
    int changed = -1;

    assert_ok(turn(f, 0, &changed));
    assert_int_equal(f->keys.gateway.key_count, 0);
    assert_code(gw_keys_turn(&f->keys, "/proc/none/keys", 0, NULL, &changed), PP_E_NOT_FOUND);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest TESTS[] = {
    TEST(keys_come_and_go_with_their_time),
    TEST(a_key_that_is_over_is_removed_from_the_folder),
    TEST(what_lies_behind_a_link_is_not_removed),
    TEST(a_wrong_folder_leaves_the_keys_until_their_time_is_over),
    TEST(a_file_that_others_can_read_is_refused),
    TEST(w3_t4_one_key_id_for_two_keys_is_refused),
    TEST(eight_keys_are_served_and_no_more),
    TEST(no_folder_is_an_error_and_an_empty_one_is_not),
};

PP_TEST_MAIN(TESTS)
