/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena.h"
#include "ct.h"

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    _Alignas(16) uint8_t mem[128];
    memset(mem, 0xee, sizeof mem);
    struct pp_arena a = pp_arena_over(mem, sizeof mem);
    uint8_t *p = pp_arena_alloc(&a, 5);
    uint8_t *q = pp_arena_alloc(&a, 20);

    assert_true((uintptr_t)p % 16 == 0 && (uintptr_t)q % 16 == 0);
    assert_true(q >= p + 5);
    assert_int_equal(pp_ct_is_zero(p, 5) & pp_ct_is_zero(q, 20), 1);
}

static void the_budget_is_a_hard_limit(void **state)
{
    (void)state;
    _Alignas(16) uint8_t mem[64];
    struct pp_arena a = pp_arena_over(mem, sizeof mem);

    assert_null(pp_arena_alloc(&a, 65));
    assert_non_null(pp_arena_alloc(&a, 64));
    assert_null(pp_arena_alloc(&a, 1));
    assert_null(pp_arena_array(&a, SIZE_MAX / 2, 3));
    struct pp_span copy;
    assert_code(pp_arena_copy(&a, PP_STR("x"), &copy), PP_E_NO_MEMORY);
}

static void a_reset_wipes_what_was_used(void **state)
{
    (void)state;
    struct pp_arena a = { 0 };

    assert_ok(pp_arena_new_locked(&a, 4096));
    uint8_t *p = pp_arena_alloc(&a, 100);
    memset(p, 0x77, 100);
    pp_arena_reset(&a);
    assert_int_equal(pp_ct_is_zero(p, 100), 1);
    assert_ptr_equal(pp_arena_alloc(&a, 100), p);
    pp_arena_done(&a);
    pp_arena_done(&a);
}

/* Memory for the largest chat costs a small one nothing. */
static void pages_are_there_from_their_first_touch_on(void **state)
{
    (void)state;
    enum { CAP = 1 << 24, TOUCHED = 100 };
    static unsigned char there[CAP / 4096];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t count = 0;
    struct pp_arena a = { 0 };

    assert_ok(pp_arena_new_locked(&a, CAP));
    assert_non_null(pp_arena_alloc(&a, TOUCHED));
    assert_int_equal(mincore(a.base, CAP, there), 0);
    for (size_t i = 0; i < CAP / page; i++)
        count += there[i] & 1;
    assert_int_equal(count, 1);
    pp_arena_done(&a);
}

#ifndef PP_SANITIZE /* its runtime needs more than a child without rights has */
/* Exit status of a child that may lock 1 MiB, and takes `len` bytes of an arena of 16 MiB. */
static int child_that_takes(size_t len)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        struct rlimit limit = { 1 << 20, 1 << 20 };
        struct pp_arena a = { 0 };
        if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0 || (geteuid() == 0 && setuid(65534) != 0) ||
            !pp_is_ok(pp_arena_new_locked(&a, 1 << 24)))
            _exit(2);
        _exit(pp_arena_alloc(&a, len) != NULL ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* An ordinary user may lock some megabytes: enough for what is used, not for what could be. */
static void the_limit_on_locked_memory_counts_what_is_used(void **state)
{
    (void)state;
    assert_int_equal(child_that_takes(100000), 0);
    assert_int_equal(child_that_takes(2 << 20), 1);
}
#endif

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
    cmocka_unit_test(the_budget_is_a_hard_limit),
    cmocka_unit_test(a_reset_wipes_what_was_used),
    cmocka_unit_test(pages_are_there_from_their_first_touch_on),
#ifndef PP_SANITIZE
    cmocka_unit_test(the_limit_on_locked_memory_counts_what_is_used),
#endif
};

PP_TEST_MAIN(TESTS)
