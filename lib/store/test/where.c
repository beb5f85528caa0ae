/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "folder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "where.h"

static char folder[64];
static char path[96];
static char value[128];

static int fresh_folder(void **state)
{
    (void)state;
    if (pp_test_folder_make(folder) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/store.url", folder);
    snprintf(value, sizeof value, "postgresql:%s", path);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return pp_test_folder_remove(folder);
}

static void write_url(const char *url, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(write(fd, url, strlen(url)), (ssize_t)strlen(url));
    close(fd);
}

static pp_res outcome(const char *url, struct pp_problem *problem)
{
    struct pp_where w = { 0 };

    write_url(url, 0600);
    pp_res r = pp_where_read(pp_span_cstr(value), problem, &w);
    pp_where_done(&w);
    return r;
}

static void assert_where(const char *url, const char *text, size_t port_count)
{
    struct pp_where w = { 0 };

    write_url(url, 0600);
    assert_ok(pp_where_read(pp_span_cstr(value), NULL, &w));
    assert_string_equal(pp_where_text(&w), text);
    assert_int_equal(w.port_count, port_count);
    if (port_count > 0)
        assert_int_equal(w.ports[0], 5432);
    pp_where_done(&w);
}

static void a_path_is_a_file(void **state)
{
    (void)state;
    struct pp_where w = { 0 };

    assert_ok(pp_where_read(PP_STR("state/spent.db"), NULL, &w));
    assert_string_equal(pp_where_text(&w), "state/spent.db");
    assert_int_equal(w.port_count, 0);
    pp_where_done(&w);
    pp_where_done(&w); /* the zero state */
    assert_code(pp_where_read(PP_STR(""), NULL, &w), PP_E_CONFIG);
    assert_code(pp_where_read(PP_STR("postgresql:"), NULL, &w), PP_E_CONFIG);
}

static void hosts_get_addresses_and_ports_are_named(void **state)
{
    (void)state;
    assert_where("postgresql://gw:x@127.0.0.1/spent\n",
                 "postgresql://gw:x@127.0.0.1/spent?hostaddr=127.0.0.1", 1);
    assert_where("postgresql://gw@[::1]:5432/spent?sslmode=disable",
                 "postgresql://gw@[::1]:5432/spent?sslmode=disable&hostaddr=::1", 1);
    assert_where("postgresql://gw@/spent?host=/run/postgresql",
                 "postgresql://gw@/spent?host=/run/postgresql", 0);
    assert_where("postgresql://gw@127.0.0.1,127.0.0.1:5433/spent?target_session_attrs=read-write",
                 "postgresql://gw@127.0.0.1,127.0.0.1:5433/spent?target_session_attrs=read-write"
                 "&hostaddr=127.0.0.1,127.0.0.1",
                 2);
}

static void a_server_on_another_machine_must_prove_its_name(void **state)
{
    (void)state;
    struct pp_problem problem = { 0 };

    assert_code(outcome("postgresql://gw:x@192.0.2.1/spent", &problem), PP_E_CONFIG);
    assert_non_null(strstr(problem.expected, "verify-full"));
    assert_code(outcome("postgresql://gw:x@192.0.2.1/spent?sslmode=require", NULL), PP_E_CONFIG);
    assert_code(outcome("postgresql://gw:x@192.0.2.1/spent?sslmode=verify-full", NULL),
                PP_E_CONFIG);
    assert_code(outcome("postgresql://gw:x@127.0.0.1,192.0.2.1/spent", NULL), PP_E_CONFIG);
    assert_ok(
        outcome("postgresql://gw:x@192.0.2.1/spent?sslmode=verify-full&sslrootcert=ca.pem", NULL));
}

static void a_url_beyond_the_rules_is_refused_and_never_repeated(void **state)
{
    (void)state;
    static const char *const URLS[] = {
        "",
        "postgres://gw:hidden@127.0.0.1/spent",
        "postgresql://gw:hidden@127.0.0.1",
        "postgresql://:hidden@127.0.0.1/spent",
        "postgresql://gw:hidden@/spent",
        "postgresql://gw:hidden@127.0.0.1,/spent",
        "postgresql://gw:hidden@127.0.0.1:0/spent",
        "postgresql://gw:hidden@127.0.0.1:70000/spent",
        "postgresql://gw:hidden@127.0.0.1/spent?options=-csynchronous_commit%3Doff",
        "postgresql://gw:hidden@127.0.0.1/spent?passfile=hidden",
        "postgresql://gw:hidden@127.0.0.1/spent?hostaddr=127.0.0.1",
        "postgresql://gw:hidden@127.0.0.1/spent?hidden=1",
        "postgresql://gw:hidden%@127.0.0.1/spent",
        "postgresql://gw:hidden@127.0.0.1/spent\n\n",
        "postgresql://gw:hidden@127.0.0.1/spent\npostgresql://gw:hidden@127.0.0.1/spent",
        "postgresql://gw:hidden@[::1/spent",
        "postgresql://gw:hidden@127.0.0.1,127.0.0.1,127.0.0.1,127.0.0.1,127.0.0.1/spent",
        "postgresql://gw:hidden@no-such-name.invalid/spent?sslmode=verify-full&sslrootcert=a",
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(URLS); i++) {
        struct pp_problem problem = { 0 };
        assert_code(outcome(URLS[i], &problem), PP_E_CONFIG);
        assert_true(problem.expected[0] != '\0');
        assert_null(strstr(problem.got, "hidden"));
        assert_null(strstr(problem.expected, "hidden"));
    }
    struct pp_problem problem = { 0 };
    struct pp_where w = { 0 };
    assert_code(pp_where_read(PP_STR("postgresql://gw:hidden@h/d"), &problem, &w), PP_E_CONFIG);
    assert_null(strstr(problem.got, "hidden"));
}

static void a_url_that_others_may_read_is_refused(void **state)
{
    (void)state;
    struct pp_where w = { 0 };
    static char longest[PP_WHERE_URL_BYTES_MAX + 2] = "postgresql://gw@127.0.0.1/";

    assert_code(pp_where_read(pp_span_cstr(value), NULL, &w), PP_E_CONFIG); /* not there */
    write_url("postgresql://gw:x@127.0.0.1/spent", 0640);
    assert_code(pp_where_read(pp_span_cstr(value), NULL, &w), PP_E_CONFIG);
    write_url("postgresql://gw:x@127.0.0.1/spent", 0604);
    assert_code(pp_where_read(pp_span_cstr(value), NULL, &w), PP_E_CONFIG);

    memset(longest + strlen(longest), 'd', PP_WHERE_URL_BYTES_MAX - strlen(longest));
    assert_ok(outcome(longest, NULL));
    longest[PP_WHERE_URL_BYTES_MAX] = 'd';
    assert_code(outcome(longest, NULL), PP_E_CONFIG);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, fresh_folder, remove_folder)

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_path_is_a_file),
    IN_A_FOLDER(hosts_get_addresses_and_ports_are_named),
    IN_A_FOLDER(a_server_on_another_machine_must_prove_its_name),
    IN_A_FOLDER(a_url_beyond_the_rules_is_refused_and_never_repeated),
    IN_A_FOLDER(a_url_that_others_may_read_is_refused),
};

PP_TEST_MAIN(TESTS)
