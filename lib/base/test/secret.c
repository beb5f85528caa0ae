/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ct.h"
#include "secret.h"

static void a_secret_is_zeroed_writable_and_erased(void **state)
{
    (void)state;
    struct pp_secret s = { 0 };

    pp_secret_done(&s); /* the zero state is a valid state */
    assert_ok(pp_secret_alloc(&s, 32));
    assert_int_equal(pp_ct_is_zero(s.bytes, 32), 1);
    memset(s.bytes, 0x5a, 32);
    uint8_t *was = s.bytes;
    pp_secret_done(&s);
    assert_null(s.bytes);
    assert_int_equal(pp_ct_is_zero(was, PP_VAULT_SLOT_BYTES),
                     1); /* the vault itself stays mapped */
    pp_secret_done(&s);
}

static void more_secrets_than_the_vault_holds_still_fit(void **state)
{
    (void)state;
    static struct pp_secret all[PP_VAULT_SLOTS + 3];

    for (size_t i = 0; i < PP_ARRAY_COUNT(all); i++) {
        assert_ok(pp_secret_alloc(&all[i], 64));
        memset(all[i].bytes, (int)(i & 0xff), 64);
    }
    for (size_t i = 0; i < PP_ARRAY_COUNT(all); i++)
        for (size_t k = 0; k < 64; k++)
            assert_int_equal(all[i].bytes[k], i & 0xff);
    for (size_t i = 0; i < PP_ARRAY_COUNT(all); i++)
        pp_secret_done(&all[i]);
}

static void sizes_outside_the_limits_are_refused(void **state)
{
    (void)state;
    struct pp_secret s = { 0 };

    assert_code(pp_secret_alloc(&s, 0), PP_E_RANGE);
    assert_code(pp_secret_alloc(&s, (size_t)PP_SECRET_BYTES_MAX + 1), PP_E_RANGE);
    assert_null(s.bytes);
}

/* What a child process with a copy of our memory sees of our secrets: zeros. */
static void a_forked_child_finds_zeros(void **state)
{
    (void)state;
    struct pp_secret small = { 0 };
    struct pp_secret large = { 0 };

    assert_ok(pp_secret_alloc(&small, 32));
    assert_ok(pp_secret_alloc(&large, 5000));
    memset(small.bytes, 0x11, small.len);
    memset(large.bytes, 0x22, large.len);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int zero = pp_ct_is_zero(small.bytes, small.len) == 1 &&
                   pp_ct_is_zero(large.bytes, large.len) == 1;
        struct pp_secret own = { 0 };
        zero = zero && pp_is_ok(pp_secret_alloc(&own, 32));
        memset(own.bytes, 0x33, 32);
        pp_secret_done(&small); /* the parent's: must neither crash nor free the child's slot */
        zero = zero && own.bytes[0] == 0x33;
        pp_secret_done(&own);
        _exit(zero ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(small.bytes[0], 0x11);
    pp_secret_done(&small);
    pp_secret_done(&large);
}

static int child_dies_touching(const volatile uint8_t *p)
{
    pid_t child = fork();

    if (child == 0) {
        (void)signal(SIGSEGV, SIG_DFL);
        (void)signal(SIGBUS, SIG_DFL);
        (void)*p;
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void guard_pages_stand_on_both_sides(void **state)
{
    (void)state;
    uint8_t *p = NULL;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    assert_ok(pp_locked_map(page, &p));
    assert_false(child_dies_touching(p));
    assert_true(child_dies_touching(p - 1));
    assert_true(child_dies_touching(p + page));
    pp_locked_unmap(p, page, page);
    pp_locked_unmap(NULL, page, page);
}

/* /proc/self/smaps tells what the kernel does with the mapping at `p`. */
static int flags_of(const uint8_t *p, char *ret, size_t cap)
{
    char line[512];
    int inside = 0;
    FILE *f = fopen("/proc/self/smaps", "r");

    ret[0] = '\0';
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx", &from, &to) == 2)
            inside = (uintptr_t)p >= from && (uintptr_t)p < to;
        if (inside && strncmp(line, "VmFlags:", 8) == 0)
            snprintf(ret, cap, "%s", line);
    }
    if (f != NULL)
        fclose(f);
    return ret[0] != '\0';
}

static void the_mapping_is_locked_and_left_out_of_dumps(void **state)
{
    (void)state;
    struct pp_secret s = { 0 };
    char flags[512];

    assert_ok(pp_secret_alloc(&s, 32));
    assert_true(flags_of(s.bytes, flags, sizeof flags));
#ifndef PP_SANITIZE                        /* the sanitizer's runtime turns mlock into nothing */
    assert_non_null(strstr(flags, " lo")); /* locked */
#endif
    assert_non_null(strstr(flags, " dd")); /* do not dump */
    assert_non_null(strstr(flags, " wf")); /* wipe on fork */
    pp_secret_done(&s);
}

/* mlock(2): locks are not inherited by a child, which has its parent's mapping all the same. */
static void a_forked_child_locks_its_secrets_too(void **state)
{
    struct pp_secret s = { 0 };
    int status = 0;

    (void)state;
#ifdef PP_SANITIZE
    skip();
#endif
    assert_ok(pp_secret_alloc(&s, 32)); /* so that the child inherits a vault in use */
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct pp_secret own = { 0 };
        char flags[512];
        if (!pp_is_ok(pp_secret_alloc(&own, 32)) || !flags_of(own.bytes, flags, sizeof flags))
            _exit(1);
        _exit(strstr(flags, " lo") != NULL && strstr(flags, " dd") != NULL &&
                      strstr(flags, " wf") != NULL
                  ? 0
                  : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    pp_secret_done(&s);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_secret_is_zeroed_writable_and_erased),
    cmocka_unit_test(more_secrets_than_the_vault_holds_still_fit),
    cmocka_unit_test(sizes_outside_the_limits_are_refused),
    cmocka_unit_test(a_forked_child_finds_zeros),
    cmocka_unit_test(guard_pages_stand_on_both_sides),
    cmocka_unit_test(the_mapping_is_locked_and_left_out_of_dumps),
    cmocka_unit_test(a_forked_child_locks_its_secrets_too),
};

PP_TEST_MAIN(TESTS)
