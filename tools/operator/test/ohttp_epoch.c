/* SPDX-License-Identifier: Apache-2.0 */
/* transparency-log B4, ohttp 9: keys made ahead, exactly one in use, no second one for an epoch. */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto.h"
#include "file.h"
#include "folder.h"
#include "keyfile.h"
#include "ohttp_epoch.h"

enum { DAY = PP_OHTTP_EPOCH_S, HOUR = 3600 };

struct fixture {
    char folder[64];
    int fd;
    struct pp_random random;
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){ .fd = -1, .random = pp_random_system() };
    if (!pp_is_ok(pp_crypto_init()) || pp_test_folder_make(f.folder) != 0 ||
        !pp_is_ok(pp_ohttp_epoch_open(f.folder, &f.fd)))
        return -1;
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    const struct fixture *f = *state;

    (void)close(f->fd);
    return pp_test_folder_remove(f->folder);
}

static void make(const struct fixture *f, uint64_t day, size_t want)
{
    size_t made = 99;

    assert_ok(pp_ohttp_epoch_make(f->fd, day, &f->random, &made));
    assert_int_equal(made, want);
}

static void an_epoch_s_keys_are_made_once_and_never_overwritten(void **state)
{
    const struct fixture *f = *state;
    struct pp_buf before = { 0 }, after = { 0 };
    struct stat st;

    make(f, 20000, PP_OHTTP_EPOCH_KEYS_MAX);
    assert_int_equal(fstatat(f->fd, "20000.key", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_ok(pp_file_read(f->fd, "20000.key", 4096, &before));
    make(f, 20000, 0);
    assert_ok(pp_file_read(f->fd, "20000.key", 4096, &after));
    assert_true(pp_span_eq(pp_buf_span(&before), pp_buf_span(&after)));
    pp_buf_done(&before);
    pp_buf_done(&after);
}

static void the_list_of_an_epoch_is_that_of_a_gateway_with_its_keys(void **state)
{
    const struct fixture *f = *state;
    static struct pp_keylist list;
    static uint8_t config[3000], other[3000];
    struct pp_problem problem = { 0 };
    struct pp_wr wr = pp_wr_over(config, sizeof config), wr2 = pp_wr_over(other, sizeof other);
    uint64_t last;

    assert_ok(pp_ohttp_epoch_last(f->fd, &problem, &last));
    assert_int_equal(last, 0);
    assert_code(pp_ohttp_epoch_config(f->fd, 300, &wr, &problem), PP_E_NOT_FOUND);
    make(f, 300, PP_OHTTP_EPOCH_KEYS_MAX);
    make(f, 301, PP_OHTTP_EPOCH_KEYS_MAX);
    assert_ok(pp_ohttp_epoch_config(f->fd, 300, &wr, &problem));
    assert_ok(pp_keylist_parse(pp_wr_done(&wr), &list));
    assert_int_equal(list.count, PP_OHTTP_EPOCH_KEYS_MAX);
    assert_int_equal(list.keys[0].id, 300 - 256);
    assert_int_equal(list.keys[1].id, 300 - 256 + 128);
    assert_int_equal(list.keys[1].kem, PP_KEM_XWING);
    assert_int_equal(list.keys[0].kem, PP_KEM_X25519_SHA256);
    assert_ok(pp_ohttp_epoch_config(f->fd, 301, &wr2, &problem));
    assert_false(pp_span_eq(pp_wr_done(&wr), pp_wr_done(&wr2)));
    assert_ok(pp_ohttp_epoch_last(f->fd, &problem, &last));
    assert_int_equal(last, 301);
}

static void a_file_that_is_no_private_key_of_one_day_is_named(void **state)
{
    const struct fixture *f = *state;
    struct pp_problem problem = { 0 };
    uint8_t config[3000];
    struct pp_wr wr = pp_wr_over(config, sizeof config);
    uint64_t last;

    make(f, 300, PP_OHTTP_EPOCH_KEYS_MAX);
    assert_int_equal(fchmodat(f->fd, "300.key", 0640, 0), 0);
    assert_code(pp_ohttp_epoch_config(f->fd, 300, &wr, &problem), PP_E_CONFIG);
    assert_string_equal(problem.field, "300.key");
    assert_int_equal(fchmodat(f->fd, "300.key", 0600, 0), 0);
    assert_ok(
        pp_file_write(f->fd, "x.key", 0600,
                      PP_STR("use_from = 1\nuse_until = 86401\nid = 1\nkem = 32\nsuite = 1 1\n"
                             "secret = 00000000000000000000000000000000"
                             "00000000000000000000000000000000\n")));
    assert_code(pp_ohttp_epoch_last(f->fd, &problem, &last), PP_E_CONFIG);
    assert_string_equal(problem.field, "x.key");
}

static void w3_a_second_key_of_a_kem_for_one_epoch_is_refused(void **state)
{
    const struct fixture *f = *state;
    struct pp_problem problem = { 0 };
    uint8_t config[3000];
    struct pp_wr wr = pp_wr_over(config, sizeof config);

    make(f, 300, PP_OHTTP_EPOCH_KEYS_MAX);
    assert_ok(pp_file_write(f->fd, "301.key", 0600,
                            PP_STR("use_from = 25920000\nuse_until = 26006400\nid = 9\nkem = 32\n"
                                   "suite = 1 1\nsecret = 00000000000000000000000000000000"
                                   "00000000000000000000000000000007\n")));
    assert_code(pp_ohttp_epoch_config(f->fd, 300, &wr, &problem), PP_E_DUPLICATE);
    assert_string_equal(problem.field, "301.key");
}

static void a_key_of_a_third_kem_has_no_place_in_the_list(void **state)
{
    const struct fixture *f = *state;
    struct pp_problem problem = { 0 };
    uint8_t config[3000];
    struct pp_wr wr = pp_wr_over(config, sizeof config);

    make(f, 300, PP_OHTTP_EPOCH_KEYS_MAX);
    assert_ok(pp_file_write(f->fd, "301.key", 0600,
                            PP_STR("use_from = 25920000\nuse_until = 26006400\nid = 9\nkem = 16\n"
                                   "suite = 1 1\nsecret = 00000000000000000000000000000000"
                                   "00000000000000000000000000000007\n")));
    assert_code(pp_ohttp_epoch_config(f->fd, 300, &wr, &problem), PP_E_LIMIT);
}

static void a_folder_with_more_keys_than_three_years_have_is_refused(void **state)
{
    const struct fixture *f = *state;
    struct pp_problem problem = { 0 };
    char name[16];
    uint64_t last;

    for (int i = 0; i <= PP_OHTTP_EPOCH_FILES_MAX; i++) {
        snprintf(name, sizeof name, "%d.key", i);
        assert_ok(pp_file_write(f->fd, name, 0600, PP_STR("")));
        if (i == PP_OHTTP_EPOCH_FILES_MAX - 1) /* all of them are looked at */
            assert_code(pp_ohttp_epoch_last(f->fd, &problem, &last), PP_E_CONFIG);
    }
    assert_code(pp_ohttp_epoch_last(f->fd, &problem, &last), PP_E_LIMIT);
}

static void what_a_killed_maker_left_is_removed_with_the_lock(void **state)
{
    struct fixture *f = *state;

    make(f, 300, PP_OHTTP_EPOCH_KEYS_MAX);
    assert_ok(pp_file_write(f->fd, "301.key.4711.tmp", 0600, PP_STR("use_from = 259")));
    (void)close(f->fd);
    assert_ok(pp_ohttp_epoch_open(f->folder, &f->fd));
    assert_int_equal(faccessat(f->fd, "301.key.4711.tmp", F_OK, 0), -1);
    assert_int_equal(faccessat(f->fd, "300.key", F_OK, 0), 0);
}

static void two_makers_do_not_work_on_one_folder(void **state)
{
    const struct fixture *f = *state;
    int fd = -1;

    assert_code(pp_ohttp_epoch_open(f->folder, &fd), PP_E_STATE_IN_USE);
    assert_code(pp_ohttp_epoch_open("/proc/none", &fd), PP_E_NOT_FOUND);
    assert_int_equal(fd, -1);
}

static void without_random_bytes_no_file_appears(void **state)
{
    const struct fixture *f = *state;
    struct pp_span nothing = { 0 };
    struct pp_random none = pp_random_script(&nothing);
    size_t made;

    assert_code(pp_ohttp_epoch_make(f->fd, 300, &none, &made), PP_E_RANDOM);
    assert_int_equal(faccessat(f->fd, "300.key", F_OK, 0), -1);
}

/* kill -9 at some moment of the making: whole keys or none, and the next start goes on. */
static void a_maker_that_is_killed_leaves_whole_keys_or_none(void **state)
{
    struct fixture *f = *state;
    struct pp_problem problem = { 0 };

    for (unsigned i = 0; i < 60; i++) {
        uint64_t day = 1000 + i;
        pid_t pid = fork();
        if (pid == 0) {
            size_t made;
            pp_ignore(pp_ohttp_epoch_make(f->fd, day, &f->random, &made), "it is killed");
            _exit(0);
        }
        assert_true(pid > 0);
        for (volatile unsigned spin = 0; spin < i * 20000; spin++)
            ;
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        (void)close(f->fd); /* the child's lock went with it */
        assert_ok(pp_ohttp_epoch_open(f->folder, &f->fd));

        uint8_t config[3000];
        struct pp_wr wr = pp_wr_over(config, sizeof config);
        pp_res r = pp_ohttp_epoch_config(f->fd, day, &wr, &problem);
        assert_true(pp_is_ok(r) || r.code == PP_E_NOT_FOUND);
        size_t made;
        assert_ok(pp_ohttp_epoch_make(f->fd, day, &f->random, &made));
        struct pp_wr again = pp_wr_over(config, sizeof config);
        assert_ok(pp_ohttp_epoch_config(f->fd, day, &again, &problem));
    }
}

/* --- which epoch is next -----------------------------------------------------------------------
 */

static void the_next_epoch_is_the_one_behind_the_last_logged_one(void **state)
{
    (void)state;
    static const struct {
        uint64_t now_s, last, lead_s;
        uint32_t code;
        uint64_t day;
    } ROWS[] = {
        /* Production: 48 h and the hour of the log's batch. */
        { 100 * DAY + 10 * HOUR, 102, 49 * HOUR, PP_E_OK, 103 },
        { 100 * DAY + 10 * HOUR, 103, 49 * HOUR, PP_E_EXISTS, 0 },
        { 100 * DAY + 10 * HOUR, 101, 49 * HOUR, PP_E_LEDGER_WINDOW, 0 }, /* a day was missed */
        { 100 * DAY, 102, 49 * HOUR, PP_E_OK, 103 },
        { 100 * DAY + 23 * HOUR, 102, 49 * HOUR, PP_E_OK, 103 },
        { 100 * DAY + 23 * HOUR + 1, 102, 49 * HOUR, PP_E_LEDGER_WINDOW, 0 },
        { 100 * DAY + 23 * HOUR + 1, 103, 49 * HOUR, PP_E_OK, 104 },
        /* The first one, and one behind a pause. */
        { 100 * DAY + 10 * HOUR, 0, 49 * HOUR, PP_E_OK, 103 },
        { 100 * DAY + 10 * HOUR, 99, 49 * HOUR, PP_E_OK, 103 },
        { 100 * DAY + 10 * HOUR, 100, 49 * HOUR, PP_E_LEDGER_WINDOW, 0 },
        /* dev: no waiting time. */
        { 100 * DAY + 10 * HOUR, 101, 0, PP_E_OK, 102 },
        { 100 * DAY + 10 * HOUR, 102, 0, PP_E_OK, 103 },
        { 100 * DAY + 10 * HOUR, 103, 0, PP_E_EXISTS, 0 },
        { 100 * DAY + 10 * HOUR, 0, 0, PP_E_OK, 101 },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        const struct pp_ohttp_rotation r = { ROWS[i].now_s, ROWS[i].last, ROWS[i].lead_s };
        uint64_t day = 0;
        assert_code(pp_ohttp_rotation_next(&r, &day), ROWS[i].code);
        assert_int_equal(day, ROWS[i].day);
    }
}

/* Every hour a run, for two months: no day without a key, none twice, each logged in time. */
static void an_hourly_run_never_leaves_a_day_without_its_key(void **state)
{
    (void)state;
    uint64_t last = 0, logged_at[256] = { 0 };

    for (uint64_t now = 100 * DAY + 7 * HOUR; now < 160 * DAY; now += HOUR) {
        const struct pp_ohttp_rotation r = { now, last, 49 * HOUR };
        uint64_t day;
        pp_res res = pp_ohttp_rotation_next(&r, &day);
        assert_true(pp_is_ok(res) || res.code == PP_E_EXISTS);
        if (!pp_is_ok(res))
            continue;
        assert_true(last == 0 || day == last + 1);
        assert_true(day * DAY >= now + HOUR + 48 * HOUR);
        last = day;
        logged_at[day] = now;
    }
    for (uint64_t day = 103; day < 162; day++)
        assert_true(logged_at[day] != 0);
}

/* --- across the boundary -----------------------------------------------------------------------
 */

/* What a gateway serves at that moment: the rule of daemon/gatewayd/keys.c. */
static void load(const struct fixture *f, uint64_t now_s, struct pp_ohttp_gateway *gw)
{
    for (uint64_t day = 100; day < 104; day++) {
        PP_AUTO(pp_ohttp_keyfile) k = { 0 };
        struct pp_buf text = { 0 };
        struct pp_kem_key *key = NULL;
        char name[32];

        snprintf(name, sizeof name, "%u.key", (unsigned)day);
        assert_ok(pp_file_read(f->fd, name, 4096, &text));
        assert_ok(pp_ohttp_keyfile_parse(pp_buf_span(&text), &k));
        pp_buf_done(&text);
        if (!pp_ohttp_keyfile_serves(&k, now_s))
            continue;
        assert_ok(pp_kem_key_import(k.kem, pp_secret_span(&k.sk_secret), &key));
        assert_ok(pp_ohttp_gateway_add(gw, k.id, key, k.suites, k.suite_count));
    }
}

static pp_res ask(const struct fixture *f, uint64_t device_s, uint64_t gateway_s)
{
    static struct pp_ohttp_gateway gw;
    static struct pp_keylist list;
    PP_AUTO(pp_ohttp) device = { 0 };
    PP_AUTO(pp_ohttp) server = { 0 };
    uint8_t config[3000], body[256];
    struct pp_wr wr = pp_wr_over(config, sizeof config), up = pp_wr_over(body, sizeof body);
    struct pp_problem problem = { 0 };
    struct pp_span opened;

    /* The device's key is the one whose epoch its clock is in. */
    assert_ok(pp_ohttp_epoch_config(f->fd, device_s / DAY, &wr, &problem));
    assert_ok(pp_keylist_parse(pp_wr_done(&wr), &list));
    assert_ok(pp_ohttp_request_seal(&device, &list.keys[0], list.keys[0].suites[0], &f->random,
                                    PP_STR("hello"), &up));
    load(f, gateway_s, &gw);
    pp_res r = pp_ohttp_request_open(&server, &gw, body, up.len, &opened);
    pp_ohttp_gateway_done(&gw);
    return r;
}

/* ohttp 9: ten minutes of grace on both sides; clocks that differ by less see no error. */
static void w3_a_device_crosses_the_boundary_without_an_error(void **state)
{
    const struct fixture *f = *state;

    for (uint64_t day = 100; day < 104; day++)
        make(f, day, PP_OHTTP_EPOCH_KEYS_MAX);
    for (uint64_t at = 101 * DAY - 1300; at <= 101 * DAY + 1300; at += 100) {
        assert_ok(ask(f, at, at));
        assert_ok(ask(f, at, at + 599));
        assert_ok(ask(f, at, at - 599));
    }
    assert_ok(ask(f, 101 * DAY - 1, 101 * DAY + 599));
    assert_code(ask(f, 101 * DAY - 1, 101 * DAY + 600), PP_E_AUTH); /* the old one is gone */
    assert_ok(ask(f, 101 * DAY, 101 * DAY - 600));
    assert_code(ask(f, 101 * DAY, 101 * DAY - 601), PP_E_AUTH); /* the new one is not there */
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest TESTS[] = {
    WITH_FIXTURE(an_epoch_s_keys_are_made_once_and_never_overwritten),
    WITH_FIXTURE(the_list_of_an_epoch_is_that_of_a_gateway_with_its_keys),
    WITH_FIXTURE(a_file_that_is_no_private_key_of_one_day_is_named),
    WITH_FIXTURE(w3_a_second_key_of_a_kem_for_one_epoch_is_refused),
    WITH_FIXTURE(a_key_of_a_third_kem_has_no_place_in_the_list),
    WITH_FIXTURE(a_folder_with_more_keys_than_three_years_have_is_refused),
    WITH_FIXTURE(what_a_killed_maker_left_is_removed_with_the_lock),
    WITH_FIXTURE(two_makers_do_not_work_on_one_folder),
    WITH_FIXTURE(without_random_bytes_no_file_appears),
    WITH_FIXTURE(a_maker_that_is_killed_leaves_whole_keys_or_none),
    cmocka_unit_test(the_next_epoch_is_the_one_behind_the_last_logged_one),
    cmocka_unit_test(an_hourly_run_never_leaves_a_day_without_its_key),
    WITH_FIXTURE(w3_a_device_crosses_the_boundary_without_an_error),
};

PP_TEST_MAIN(TESTS)
