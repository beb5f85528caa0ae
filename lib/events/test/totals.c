/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "totals.h"

/* W5: a line that stood for one request would be the minute in which somebody asked. */
static void w5_a_line_of_totals_stands_for_sixteen_requests_at_least(void **state)
{
    (void)state;
    uint64_t told = 0;

    for (uint64_t all = 0; all < 16; all++)
        assert_false(pp_totals_are_due(all, &told));
    assert_true(pp_totals_are_due(16, &told));
    assert_false(pp_totals_are_due(16, &told));
    assert_false(pp_totals_are_due(31, &told)); /* not from minute to minute: from line to line */
    assert_true(pp_totals_are_due(1000, &told));
    assert_false(pp_totals_are_due(1015, &told));
    assert_true(pp_totals_are_due(1016, &told));
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(w5_a_line_of_totals_stands_for_sixteen_requests_at_least),
};

PP_TEST_MAIN(TESTS)
