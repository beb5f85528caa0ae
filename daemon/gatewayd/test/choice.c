/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <fcntl.h>
#include <unistd.h>

#include "choice.h"
#include "crypto.h"

enum { CVMS = 4, HOUR = 496000 };

struct fixture {
    struct pp_loop *loop;
    struct gw_cvms *cvms;
    struct gw_choice choice;
    uint64_t now_ms;
    struct pp_address addresses[CVMS + 1];
    char record[64];
};

static uint64_t now(void *ctx)
{
    return ((struct fixture *)ctx)->now_ms;
}

static pp_res counting_fill(void *ctx, uint8_t *ret, size_t len)
{
    uint64_t *x = ctx;

    for (size_t i = 0; i < len; i++)
        ret[i] = (uint8_t)(*x)++;
    return PP_OK;
}

static int set_up(void **state)
{
    static struct fixture f;
    static uint64_t count;
    struct pp_clock clock = { now, now, &f };

    count = 0;
    f = (struct fixture){ .now_ms = 1000, .record = "/tmp/pp-choice-XXXXXX" };
    assert_ok(pp_crypto_init());
    assert_ok(pp_loop_new(&f.loop));
    for (size_t i = 0; i <= CVMS; i++) {
        f.addresses[i] = (struct pp_address){ .family = PP_ADDRESS_IP4, .port = 9 };
        f.addresses[i].ip[3] = (uint8_t)(i + 1);
    }
    assert_ok(gw_cvms_new(f.loop, f.addresses, CVMS, 1000, &clock, &f.cvms));
    f.choice = (struct gw_choice){ .random = { counting_fill, &count }, .fd = mkstemp(f.record) };
    assert_true(f.choice.fd >= 0);
    assert_ok(gw_choice_turn(&f.choice, (uint64_t)HOUR * 3600));
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    gw_choice_done(&f->choice);
    close(f->choice.fd);
    unlink(f->record);
    gw_cvms_free(f->cvms);
    pp_loop_free(f->loop);
    return 0;
}

static const char *record_of(const struct fixture *f)
{
    static char text[8192];
    ssize_t n = pread(f->choice.fd, text, sizeof text - 1, 0);

    assert_true(n >= 0);
    text[n] = '\0';
    return text;
}

/* Nobody can steer a user to a machine. A scripted seed, so the figure is fixed. */
static void w4_r_cvms_are_chosen_uniformly(void **state)
{
    struct fixture *f = *state;
    size_t chosen[CVMS] = { 0 };
    double chi = 0;

    for (size_t i = 0; i < 4000; i++) {
        size_t cvm = CVMS;
        assert_ok(gw_choose(&f->choice, f->cvms, 0, &cvm));
        chosen[cvm]++;
    }
    for (size_t i = 0; i < CVMS; i++)
        chi += ((double)chosen[i] - 1000.0) * ((double)chosen[i] - 1000.0) / 1000.0;
    assert_true(chi < 11.34); /* 3 degrees of freedom, 1 % */
    for (uint64_t tried = 0; tried < 15; tried++) {
        size_t cvm = CVMS;
        assert_ok(gw_choose(&f->choice, f->cvms, tried, &cvm));
        assert_true(cvm < CVMS && (tried >> cvm & 1) == 0);
    }
    size_t none = CVMS;
    assert_code(gw_choose(&f->choice, f->cvms, 15, &none), PP_E_NO_CVM);
    assert_int_equal(none, CVMS);
}

/* The figure that any other implementation has to give (docs/protocol/choice.md). */
static void a_draw_is_what_the_page_says(void **state)
{
    uint8_t seed[GW_CHOICE_SEED_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)i;
    static const size_t EXPECTED[] = { 60, 52, 39, 35, 61, 52, 25, 12 };
    for (size_t k = 0; k < PP_ARRAY_COUNT(EXPECTED); k++)
        assert_int_equal(gw_choice_draw(seed, HOUR, k, 64), EXPECTED[k]);
}

static void w4_r_the_seed_is_committed_to_before_its_first_draw_and_told_behind_the_last(
    void **state)
{
    struct fixture *f = *state;
    size_t cvm;

    assert_non_null(strstr(record_of(f), "begin 496000 "));
    assert_null(strstr(record_of(f), "end"));
    assert_null(strstr(record_of(f), "000102030405")); /* the seed */
    assert_ok(gw_choose(&f->choice, f->cvms, 0, &cvm));
    assert_ok(gw_choice_turn(&f->choice, (uint64_t)HOUR * 3600 + 3599));
    assert_null(strstr(record_of(f), "end"));
    assert_ok(gw_choice_turn(&f->choice, (uint64_t)HOUR * 3600 + 3600));
    assert_non_null(strstr(record_of(f), "\nend 496000 1 000102030405"));
    const char *drawn = strstr(record_of(f), "\ndrawn 496000 1 0.0.0.");
    assert_non_null(drawn); /* and who was not drawn has no line */
    assert_null(strstr(drawn + 1, "\ndrawn"));
    assert_non_null(strstr(record_of(f), "\nbegin 496001 "));
    assert_ok(gw_choice_turn(&f->choice, (uint64_t)HOUR * 3600)); /* a clock that was set back */
    assert_null(strstr(record_of(f), "end 496001"));
}

/* A thousand choices write as much as one: no line belongs to a request. */
static void w4_t3_the_record_has_sums_and_no_line_of_a_request(void **state)
{
    struct fixture *f = *state;
    size_t cvm, before;

    assert_ok(gw_choose(&f->choice, f->cvms, 0, &cvm));
    before = strlen(record_of(f));
    for (int i = 0; i < 999; i++)
        assert_ok(gw_choose(&f->choice, f->cvms, 0, &cvm));
    assert_int_equal(strlen(record_of(f)), before);
    gw_choice_done(&f->choice);
    assert_non_null(strstr(record_of(f), "\nend 496000 1000 "));
    assert_non_null(strstr(record_of(f), "\nset 496000 0 4\ncvm 496000 0.0.0.1:9\n"));
}

static void a_candidate_that_comes_or_goes_is_recorded_with_the_draw_from_which_on(void **state)
{
    struct fixture *f = *state;
    size_t cvm;

    for (int i = 0; i < 7; i++)
        assert_ok(gw_choose(&f->choice, f->cvms, 0, &cvm));
    assert_ok(gw_cvms_set(f->cvms, f->addresses + 1, CVMS));
    assert_ok(gw_choose(&f->choice, f->cvms, 0, &cvm));
    assert_int_not_equal(cvm, 0);
    assert_non_null(strstr(record_of(f), "\nset 496000 7 4\ncvm 496000 0.0.0.2:9\n"));
}

/* pp-wire 12: a session of a CVM that left goes on; its place is given away when all have ended. */
static void a_cvm_that_leaves_the_list_is_found_until_its_sessions_are_over(void **state)
{
    struct fixture *f = *state;
    struct pp_handle_address a = gw_cvms_address(f->cvms, 0);
    size_t cvm = CVMS;

    assert_ok(gw_cvms_set(f->cvms, f->addresses + 1, CVMS));
    assert_int_equal(gw_cvms_candidates(f->cvms), 0x1e);
    assert_ok(gw_cvms_find(f->cvms, &a, &cvm));
    assert_int_equal(cvm, 0);
    f->now_ms += GW_CVM_LEAVE_MS;
    assert_ok(gw_cvms_set(f->cvms, f->addresses + 1, CVMS - 1)); /* nobody needs the place */
    assert_ok(gw_cvms_find(f->cvms, &a, &cvm));
    f->addresses[0].ip[3] = 77;
    assert_ok(gw_cvms_set(f->cvms, f->addresses, CVMS));
    assert_code(gw_cvms_find(f->cvms, &a, &cvm), PP_E_NOT_FOUND);
    assert_int_equal(gw_cvms_candidates(f->cvms), 0xf);
}

static void without_a_cvm_nobody_is_chosen(void **state)
{
    struct fixture *f = *state;
    size_t cvm = CVMS;

    assert_ok(gw_cvms_set(f->cvms, NULL, 0));
    assert_code(gw_choose(&f->choice, f->cvms, 0, &cvm), PP_E_NO_CVM);
}

static void one_cvm_more_than_there_are_places_is_left_out(void **state)
{
    struct fixture *f = *state;
    struct pp_address many[GW_CVMS_MAX + 1];

    for (size_t i = 0; i < PP_ARRAY_COUNT(many); i++)
        many[i] = (struct pp_address){ .family = PP_ADDRESS_IP4, .port = (uint16_t)(100 + i) };
    f->now_ms += GW_CVM_LEAVE_MS;
    assert_ok(gw_cvms_set(f->cvms, NULL, 0));
    f->now_ms += GW_CVM_LEAVE_MS;
    assert_ok(gw_cvms_set(f->cvms, many, GW_CVMS_MAX));
    assert_code(gw_cvms_set(f->cvms, many, GW_CVMS_MAX + 1), PP_E_LIMIT);
    assert_true(gw_cvms_candidates(f->cvms) == UINT64_MAX);
}

static void a_record_that_cannot_be_written_is_told_and_choosing_goes_on(void **state)
{
    struct fixture *f = *state;
    size_t cvm;

    close(f->choice.fd);
    f->choice.fd = open("/dev/full", O_WRONLY);
    assert_true(f->choice.fd >= 0);
    assert_code(gw_choice_turn(&f->choice, (uint64_t)(HOUR + 1) * 3600), PP_E_STORE);
    assert_ok(gw_choose(&f->choice, f->cvms, 0, &cvm));
}

static void a_gateway_that_keeps_no_record_chooses_alike(void **state)
{
    struct fixture *f = *state;
    size_t cvm;

    close(f->choice.fd);
    f->choice.fd = -1;
    assert_ok(gw_choice_turn(&f->choice, (uint64_t)(HOUR + 1) * 3600));
    assert_ok(gw_choose(&f->choice, f->cvms, 0, &cvm));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest TESTS[] = {
    TEST(w4_r_cvms_are_chosen_uniformly),
    TEST(a_draw_is_what_the_page_says),
    TEST(w4_r_the_seed_is_committed_to_before_its_first_draw_and_told_behind_the_last),
    TEST(w4_t3_the_record_has_sums_and_no_line_of_a_request),
    TEST(a_candidate_that_comes_or_goes_is_recorded_with_the_draw_from_which_on),
    TEST(a_cvm_that_leaves_the_list_is_found_until_its_sessions_are_over),
    TEST(without_a_cvm_nobody_is_chosen),
    TEST(one_cvm_more_than_there_are_places_is_left_out),
    TEST(a_record_that_cannot_be_written_is_told_and_choosing_goes_on),
    TEST(a_gateway_that_keeps_no_record_chooses_alike),
};

PP_TEST_MAIN(TESTS)
