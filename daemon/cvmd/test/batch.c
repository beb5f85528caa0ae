/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "batch.h"
#include "evidence.h"
#include "hash.h"

static struct cvm_line callers, openers;
static struct cvm_batch batch;
static uint32_t gone; /* the generation whose asks are not there any more */

static int reset(void **state)
{
    (void)state;
    callers = openers = (struct cvm_line){ 0 };
    gone = UINT32_MAX;
    return 0;
}

static int is_there(void *ctx, const struct cvm_ask *ask)
{
    (void)ctx;
    return ask->generation != gone;
}

static struct cvm_ask ask(uint32_t slot, uint32_t generation)
{
    struct cvm_ask a = { .slot = slot, .generation = generation };
    struct pp_wr wr = pp_wr_over(a.binding, sizeof a.binding);

    pp_wr_u32(&wr, slot);
    pp_wr_u32(&wr, generation);
    return a;
}

static void join(struct cvm_line *l, uint32_t from, uint32_t count, uint32_t generation)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct cvm_ask a = ask(from + i, generation);
        assert_ok(cvm_line_join(l, &a));
    }
}

static void form(void)
{
    assert_ok(cvm_batch_form(&batch, &callers, &openers, is_there, NULL));
}

/* Every member's path leads to what the report carries. */
static void assert_paths(void)
{
    uint8_t want[PP_REPORT_DATA_BYTES];

    for (size_t i = 0; i < batch.count; i++) {
        assert_ok(pp_binding_report_data(batch.asks[i].binding, &batch.paths[i], want));
        assert_memory_equal(want, batch.report_data, sizeof want);
    }
}

static void a_line_holds_2048_and_is_busy_then(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) { /* the second time around its end */
        join(&openers, 0, CVM_LINE_MAX - openers.count, 1);
        const struct cvm_ask one_more = ask(9999, 1);
        assert_code(cvm_line_join(&openers, &one_more), PP_E_BUSY);
        form();
        assert_int_equal(batch.count, PP_BATCH_SIZE_MAX);
        assert_int_equal(openers.count, CVM_LINE_MAX - PP_BATCH_SIZE_MAX);
        assert_paths();
    }
}

static void nobody_waiting_is_no_batch_and_one_is_not_batched(void **state)
{
    (void)state;
    form();
    assert_int_equal(batch.count, 0);
    join(&openers, 0, 2, 1);
    form();
    assert_int_equal(batch.paths[0].size, 2);
    join(&openers, 7, 1, 1);
    form();
    assert_int_equal(batch.count, 1);
    assert_int_equal(batch.paths[0].size, 0);
    assert_memory_equal(batch.report_data, batch.asks[0].binding, PP_REPORT_DATA_BYTES);
}

static void members_stand_in_the_order_in_which_they_came(void **state)
{
    (void)state;
    join(&openers, 10, 3, 1);
    join(&callers, 90, 2, 1);
    form();
    static const uint32_t ORDER[] = { 90, 91, 10, 11, 12 };
    assert_int_equal(batch.count, PP_ARRAY_COUNT(ORDER));
    for (uint32_t i = 0; i < PP_ARRAY_COUNT(ORDER); i++) {
        assert_int_equal(batch.asks[i].slot, ORDER[i]);
        assert_int_equal(batch.paths[i].index, i);
        assert_int_equal(batch.paths[i].size, PP_ARRAY_COUNT(ORDER));
    }
    assert_paths();
}

/* Whoever floods one line, the other has half of every report. */
static void neither_line_starves_the_other(void **state)
{
    (void)state;
    join(&callers, 0, CVM_LINE_MAX, 1);
    join(&openers, 0, CVM_LINE_MAX, 2);
    for (int round = 0; round < 3; round++) {
        size_t of_callers = 0;
        form();
        for (size_t i = 0; i < batch.count; i++)
            of_callers += batch.asks[i].generation == 1;
        assert_int_equal(batch.count, PP_BATCH_SIZE_MAX);
        assert_int_equal(of_callers, CVM_BATCH_CLIENTS_FIRST);
    }
    reset(state);
    join(&callers, 0, PP_BATCH_SIZE_MAX, 1); /* and all of it when nobody else is there */
    form();
    assert_int_equal(batch.count, PP_BATCH_SIZE_MAX);
    assert_int_equal(callers.count, 0);
}

static void whoever_is_gone_has_no_leaf(void **state)
{
    (void)state;
    gone = 2;
    join(&openers, 0, 1, 1);
    join(&openers, 1, PP_BATCH_SIZE_MAX, 2);
    join(&openers, 2000, 1, 3);
    form();
    assert_int_equal(batch.count, 2);
    assert_int_equal(batch.asks[1].slot, 2000);
    assert_int_equal(openers.count, 0);
    assert_paths();
    join(&openers, 1, 5, 2);
    form();
    assert_int_equal(batch.count, 0);
}

/* pp-wire 7: whatever stands in Evidence of a batch of 1024, it has the one size. */
static void the_largest_evidence_with_a_path_of_ten_fits(void **state)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES], bytes[PP_EVIDENCE_CONFIG_BYTES_MAX];
    static struct pp_evidence e, parsed;
    struct pp_wr wr = pp_wr_over(body, sizeof body);
    struct pp_span cbor;

    (void)state;
    join(&openers, 0, PP_BATCH_SIZE_MAX, 1);
    form();
    e = (struct pp_evidence){ .platform = PP_PLATFORM_SEV_SNP,
                              .report = pp_span(bytes, 1184),
                              .endorsements = { pp_span(bytes, PP_EVIDENCE_CERT_BYTES_MAX) },
                              .endorsement_count = 1,
                              .config = PP_BYTES(bytes),
                              .message_key = pp_span(bytes, 2 + PP_EVIDENCE_KEY_BYTES_MAX),
                              .batch = batch.paths[PP_BATCH_SIZE_MAX - 1],
                              .host_count = PP_HOST_PATHS_MAX };
    bytes[0] = 0x64;
    bytes[1] = 0x7a;
    assert_int_equal(e.batch.node_count, PP_BATCH_PATH_MAX);
    for (size_t i = 0; i < PP_HOST_PATHS_MAX; i++) {
        e.hosts[i].record_id[0] = (uint8_t)i;
        e.hosts[i].size = 1 << PP_HOST_PATH_MAX;
        e.hosts[i].node_count = PP_HOST_PATH_MAX;
    }
    assert_ok(pp_evidence_body_write(&wr, &e));
    assert_ok(pp_evidence_body_parse(PP_BYTES(body), &cbor));
    assert_ok(pp_evidence_parse(cbor, PP_END_SERVER, &parsed));
    assert_int_equal(parsed.batch.node_count, PP_BATCH_PATH_MAX);
    e.message_key.len = 0; /* and of a client end, with the largest quote beside it */
    wr = pp_wr_over(body, sizeof body);
    static uint8_t quote[PP_EVIDENCE_REPORT_BYTES_MAX];
    e.report = PP_BYTES(quote);
    e.platform = PP_PLATFORM_TDX;
    e.endorsement_count = 0;
    assert_ok(pp_evidence_body_write(&wr, &e));
    assert_ok(pp_evidence_body_parse(PP_BYTES(body), &cbor));
    assert_ok(pp_evidence_parse(cbor, PP_END_CLIENT, &parsed));
}

static const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup(name, reset)
    CASE(a_line_holds_2048_and_is_busy_then),
    CASE(nobody_waiting_is_no_batch_and_one_is_not_batched),
    CASE(members_stand_in_the_order_in_which_they_came),
    CASE(neither_line_starves_the_other),
    CASE(whoever_is_gone_has_no_leaf),
    CASE(the_largest_evidence_with_a_path_of_ten_fits),
};

PP_TEST_MAIN(tests)
