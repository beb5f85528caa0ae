/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto.h"
#include "file.h"
#include "handle_keys.h"

#define SECRET "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

struct fixture {
    char folder[64];
    char path[2][96];
    const char *paths[2];
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){ .folder = "/tmp/pp-handle-XXXXXX" };
    assert_ok(pp_crypto_init());
    assert_non_null(mkdtemp(f.folder));
    for (int i = 0; i < 2; i++) {
        snprintf(f.path[i], sizeof f.path[i], "%s/%d", f.folder, i);
        f.paths[i] = f.path[i];
    }
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 2; i++)
        (void)unlink(f->path[i]);
    assert_int_equal(rmdir(f->folder), 0);
    return 0;
}

static void put(const struct fixture *f, int i, const char *text)
{
    assert_ok(pp_file_write(AT_FDCWD, f->path[i], 0600, pp_span_cstr(text)));
}

static void the_first_key_seals_and_both_open(void **state)
{
    struct fixture *f = *state;
    static const uint8_t other[PP_HANDLE_KEY_BYTES] = { 5 };
    struct pp_random random = pp_random_system();
    struct pp_handle h = { .address = { .family = PP_FAMILY_IP4, .port = 1 }, .expiry_posix_s = 9 };
    struct pp_handle back;
    char text[PP_HANDLE_KEY_FILE_BYTES_MAX] = { 0 }, handle[PP_HANDLE_TEXT_BYTES];
    struct pp_wr wr = pp_wr_over(text, sizeof text - 1);
    PP_AUTO(pp_handle_keys) current = { 0 };
    PP_AUTO(pp_handle_keys) rotated = { 0 };

    put(f, 0, "id = 1\nsecret = " SECRET "\n");
    assert_ok(pp_handle_keys_load(f->paths, 1, NULL, &current));
    assert_ok(pp_handle_seal(&current, &random, &h, handle));
    assert_ok(pp_handle_key_write(2, PP_BYTES(other), &wr));
    put(f, 1, text);
    const char *const new_first[] = { f->path[1], f->path[0] };
    assert_ok(pp_handle_keys_load(new_first, 2, NULL, &rotated));
    assert_int_equal(rotated.keys[0].id, 2);
    assert_ok(pp_handle_open(&rotated, pp_span(handle, sizeof handle), 1, &back));
    assert_ok(pp_handle_seal(&rotated, &random, &h, handle));
    assert_code(pp_handle_open(&current, pp_span(handle, sizeof handle), 1, &back), PP_E_AUTH);
}

static void a_key_of_another_length_is_not_written(void **state)
{
    (void)state;
    static const uint8_t key[PP_HANDLE_KEY_BYTES + 1] = { 5 };
    char text[PP_HANDLE_KEY_FILE_BYTES_MAX + 8];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    assert_code(pp_handle_key_write(1, pp_span(key, sizeof key), &wr), PP_E_RANGE);
    assert_code(pp_handle_key_write(1, pp_span(key, sizeof key - 2), &wr), PP_E_RANGE);
    assert_int_equal(wr.len, 0);
    assert_ok(pp_handle_key_write(1, pp_span(key, sizeof key - 1), &wr));
}

static void a_wrong_file_is_refused_without_a_byte_of_the_key(void **state)
{
    struct fixture *f = *state;
    static const char *const rows[] = {
        "",
        "id = 1\n",
        "secret = " SECRET "\n",
        "id = 256\nsecret = " SECRET "\n",
        "id = 1\nsecret = " SECRET "20\n",
        "id = 1\nsecret = 0" SECRET "\n",
        "id = 1\nid = 1\nsecret = " SECRET "\n",
        "id = 1\nsecret = " SECRET "\nname = x\n",
        "id = 1\nsecret " SECRET "\n",
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_handle_keys keys = { 0 };
        struct pp_problem problem = { 0 };
        put(f, 0, rows[i]);
        assert_code(pp_handle_keys_load(f->paths, 1, &problem, &keys), PP_E_CONFIG);
        assert_int_equal(keys.count, 0);
        assert_string_equal(problem.field, f->path[0]);
        assert_null(strstr(problem.got, "0001"));
    }
}

static void a_key_that_others_can_read_and_an_id_twice_are_refused(void **state)
{
    struct fixture *f = *state;
    struct pp_handle_keys keys = { 0 };

    assert_code(pp_handle_keys_load(f->paths, 1, NULL, &keys), PP_E_NOT_FOUND);
    put(f, 0, "id = 1\nsecret = " SECRET "\n");
    put(f, 1, "id = 1\nsecret = " SECRET "\n");
    assert_code(pp_handle_keys_load(f->paths, 0, NULL, &keys), PP_E_CONFIG);
    assert_code(pp_handle_keys_load(f->paths, 3, NULL, &keys), PP_E_CONFIG);
    assert_code(pp_handle_keys_load(f->paths, 2, NULL, &keys), PP_E_CONFIG);
    assert_int_equal(chmod(f->path[0], 0640), 0);
    assert_code(pp_handle_keys_load(f->paths, 1, NULL, &keys), PP_E_CONFIG);
    assert_int_equal(keys.count, 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest TESTS[] = {
    TEST(the_first_key_seals_and_both_open),
    TEST(a_key_of_another_length_is_not_written),
    TEST(a_wrong_file_is_refused_without_a_byte_of_the_key),
    TEST(a_key_that_others_can_read_and_an_id_twice_are_refused),
};

PP_TEST_MAIN(TESTS)
