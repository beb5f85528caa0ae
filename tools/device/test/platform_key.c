/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform_key.h"

static char folder[64];
static char path[96];

static int fresh_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/pp-test-key-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/key", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder); /* fails if anything else was left behind */
}

static struct pp_platform_key_file file_key(void)
{
    return (struct pp_platform_key_file){ .path = path, .random = pp_random_system() };
}

static void a_key_is_made_once_and_its_owners_alone(void **state)
{
    (void)state;
    struct pp_platform_key_file file = file_key();
    struct pp_platform_key key = pp_platform_key_of_file(&file);
    PP_AUTO(pp_secret) first = { 0 };
    PP_AUTO(pp_secret) second = { 0 };
    struct stat st;

    assert_ok(key.load(key.ctx, &first));
    assert_ok(key.load(key.ctx, &second));
    assert_int_equal(first.len, PP_PLATFORM_KEY_BYTES);
    assert_memory_equal(first.bytes, second.bytes, PP_PLATFORM_KEY_BYTES);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, PP_PLATFORM_KEY_BYTES);
}

static void a_key_of_another_length_or_open_to_others_is_refused(void **state)
{
    (void)state;
    struct pp_platform_key_file file = file_key();
    struct pp_platform_key key = pp_platform_key_of_file(&file);
    const size_t lengths[] = { 0, 31, 33, 200 };
    struct pp_secret secret = { 0 };
    uint8_t bytes[200] = { 0 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(lengths); i++) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, bytes, lengths[i]), (ssize_t)lengths[i]);
        close(fd);
        assert_code(key.load(key.ctx, &secret), PP_E_KEY);
    }
    assert_int_equal(truncate(path, 32), 0);
    assert_int_equal(chmod(path, 0640), 0);
    assert_code(key.load(key.ctx, &secret), PP_E_KEY);
    assert_int_equal(chmod(path, 0600), 0);
    assert_ok(key.load(key.ctx, &secret));
    pp_secret_done(&secret);
}

static void without_random_bytes_no_key_is_made(void **state)
{
    (void)state;
    struct pp_span nothing = { 0 };
    struct pp_platform_key_file file = { .path = path, .random = pp_random_script(&nothing) };
    struct pp_platform_key key = pp_platform_key_of_file(&file);
    struct pp_secret secret = { 0 };

    assert_code(key.load(key.ctx, &secret), PP_E_RANDOM);
    assert_null(secret.bytes);
    assert_int_not_equal(access(path, F_OK), 0);
}

enum { RACERS = 6 };

static int race(int gate, int out)
{
    struct pp_platform_key_file file = file_key();
    struct pp_platform_key key = pp_platform_key_of_file(&file);
    PP_AUTO(pp_secret) secret = { 0 };
    char c;

    (void)!read(gate, &c, 1);
    if (!pp_is_ok(key.load(key.ctx, &secret)))
        return 1;
    return write(out, secret.bytes, 32) == 32 ? 0 : 2;
}

static void processes_that_make_one_key_at_once_get_the_same(void **state)
{
    (void)state;
    int gate[2], out[2];
    uint8_t first[32], next[32];

    assert_int_equal(pipe(gate), 0);
    assert_int_equal(pipe(out), 0);
    for (size_t i = 0; i < RACERS; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(gate[1]);
            _exit(race(gate[0], out[1]));
        }
    }
    close(gate[0]);
    close(gate[1]);
    for (size_t i = 0; i < RACERS; i++) {
        int status = 0;
        assert_true(wait(&status) > 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_int_equal(read(out[0], i == 0 ? first : next, 32), 32);
        if (i > 0)
            assert_memory_equal(first, next, 32);
    }
    close(out[0]);
    close(out[1]);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, fresh_folder, remove_folder)

static const struct CMUnitTest TESTS[] = {
    IN_A_FOLDER(a_key_is_made_once_and_its_owners_alone),
    IN_A_FOLDER(a_key_of_another_length_or_open_to_others_is_refused),
    IN_A_FOLDER(without_random_bytes_no_key_is_made),
    IN_A_FOLDER(processes_that_make_one_key_at_once_get_the_same),
};

PP_TEST_MAIN(TESTS)
