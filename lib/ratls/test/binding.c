/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "binding.h"

static uint8_t bindings[PP_BATCH_SIZE_MAX + 1][PP_BINDING_BYTES];
static uint8_t scratch[PP_BATCH_SIZE_MAX + 1][PP_HASH_NODE_BYTES];
static struct pp_batch_path paths[PP_BATCH_SIZE_MAX + 1];

static struct pp_binding_input sample(void)
{
    static uint8_t spki[91];
    struct pp_binding_input in = { .end = PP_END_SERVER, .spki = PP_BYTES(spki) };

    for (size_t i = 0; i < sizeof spki; i++)
        spki[i] = (uint8_t)i;
    pp_test_hex("4112116ae792ea61e2edc10991beb1163a5122bee4a7214dc096006881b1bac6", in.ekm, 32);
    pp_test_hex("8d66476ceb6a14da1237fd8bc708f0f2dcbe4997e5f62be6b8d8b2085272fe04",
                in.config_digest, 32);
    return in;
}

static void fill_bindings(size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t b = 0; b < PP_BINDING_BYTES; b++)
            bindings[i][b] = (uint8_t)(i * 31 + b + (i >> 8));
}

/* ra-tls 11, first row of the published vectors. */
static void the_published_value_is_computed(void **state)
{
    struct pp_binding_input in = sample();
    uint8_t b[PP_BINDING_BYTES];

    (void)state;
    assert_ok(pp_binding_of(&in, b));
    assert_hex(b, sizeof b,
               "b68cd0950f207613394c3de77e5419c24fa79af86ed94526e74a77e1000fb9e6"
               "3c1525de536aa260cd9221dc55c58f7edf0914a0360227e2392acec13ff6b9c4");
}

static void every_input_changes_the_value(void **state)
{
    struct pp_binding_input in = sample();
    uint8_t b[PP_BINDING_BYTES], other[PP_BINDING_BYTES], spki[91];

    (void)state;
    assert_ok(pp_binding_of(&in, b));
#define DIFFERS(change)                                                                            \
    do {                                                                                           \
        in = sample();                                                                             \
        change;                                                                                    \
        assert_ok(pp_binding_of(&in, other));                                                      \
        assert_memory_not_equal(b, other, sizeof b);                                               \
    } while (0)
    DIFFERS(in.end = PP_END_CLIENT); /* reflection: the client's value is never the server's */
    DIFFERS(in.ekm[31] ^= 1);
    DIFFERS(in.config_digest[0] ^= 1);
    DIFFERS(in.gpu_digest[0] ^= 1);
    DIFFERS(in.message_key_digest[31] ^= 1);
    memcpy(spki, in.spki.at, sizeof spki);
    spki[90] ^= 1;
    DIFFERS(in.spki = PP_BYTES(spki));
#undef DIFFERS
}

/* ra-tls 5: two splits of the same bytes give two values. */
static void a_byte_cannot_move_from_one_field_to_the_next(void **state)
{
    uint8_t bytes[91 + PP_EKM_BYTES] = { 1, 2, 3 };
    struct pp_binding_input in = sample();
    uint8_t b[PP_BINDING_BYTES], other[PP_BINDING_BYTES];

    (void)state;
    in.spki = pp_span(bytes, 91);
    memcpy(in.ekm, bytes + 91, PP_EKM_BYTES);
    assert_ok(pp_binding_of(&in, b));
    in.spki = pp_span(bytes, 90);
    memcpy(in.ekm, bytes + 90, PP_EKM_BYTES);
    assert_ok(pp_binding_of(&in, other));
    assert_memory_not_equal(b, other, sizeof b);
}

static void an_spki_has_a_length_that_its_field_can_say(void **state)
{
    static uint8_t spki[PP_SPKI_BYTES_MAX + 1];
    struct pp_binding_input in = sample();
    uint8_t b[PP_BINDING_BYTES];

    (void)state;
    in.spki.len = 0;
    assert_code(pp_binding_of(&in, b), PP_E_RANGE);
    in.spki = pp_span(spki, PP_SPKI_BYTES_MAX);
    assert_ok(pp_binding_of(&in, b));
    in.spki = PP_BYTES(spki);
    assert_code(pp_binding_of(&in, b), PP_E_RANGE);
}

static void evidence_gives_the_digests_and_absent_parts_count_as_zeros(void **state)
{
    struct pp_binding_input in = sample();
    struct pp_evidence e = { .config = PP_STR("x") };
    uint8_t b[PP_BINDING_BYTES], other[PP_BINDING_BYTES];

    (void)state;
    pp_sha256(e.config, in.config_digest);
    assert_ok(pp_binding_of(&in, b));
    assert_ok(pp_binding_of_evidence(PP_END_SERVER, in.spki, in.ekm, &e, other));
    assert_memory_equal(b, other, sizeof b);

    e.gpu_encoding = PP_STR("gpu");
    e.message_key = PP_STR("key");
    pp_sha256(e.gpu_encoding, in.gpu_digest);
    pp_sha256(e.message_key, in.message_key_digest);
    assert_ok(pp_binding_of(&in, b));
    assert_ok(pp_binding_of_evidence(PP_END_SERVER, in.spki, in.ekm, &e, other));
    assert_memory_equal(b, other, sizeof b);
}

static void every_member_of_every_batch_reaches_the_same_report(void **state)
{
    static const size_t SIZES[] = { 2, 3, 4, 5, 7, 8, 9, 31, 64, 100, 1023, 1024 };
    uint8_t report_data[PP_REPORT_DATA_BYTES], folded[PP_REPORT_DATA_BYTES];

    (void)state;
    fill_bindings(PP_BATCH_SIZE_MAX);
    for (size_t s = 0; s < PP_ARRAY_COUNT(SIZES); s++) {
        assert_ok(pp_batch_build(bindings, SIZES[s], scratch, paths, report_data));
        for (size_t i = 0; i < SIZES[s]; i++) {
            assert_true(paths[i].node_count <= PP_BATCH_PATH_MAX);
            assert_ok(pp_binding_report_data(bindings[i], &paths[i], folded));
            assert_memory_equal(folded, report_data, sizeof folded);
        }
    }
}

static void a_path_serves_no_other_session_index_or_size(void **state)
{
    uint8_t report_data[PP_REPORT_DATA_BYTES], folded[PP_REPORT_DATA_BYTES];

    (void)state;
    fill_bindings(6);
    assert_ok(pp_batch_build(bindings, 6, scratch, paths, report_data));
    for (size_t i = 0; i < 6; i++)
        for (uint32_t size = 2; size <= 9; size++)
            for (uint32_t index = 0; index < size; index++)
                for (size_t who = 0; who < 6; who++) {
                    struct pp_batch_path bent = paths[i];
                    bent.size = size;
                    bent.index = index;
                    pp_res r = pp_binding_report_data(bindings[who], &bent, folded);
                    int same = pp_is_ok(r) && memcmp(folded, report_data, sizeof folded) == 0;
                    assert_int_equal(same, size == 6 && index == i && who == i);
                }
}

static void a_path_of_the_wrong_length_is_refused(void **state)
{
    uint8_t report_data[PP_REPORT_DATA_BYTES];

    (void)state;
    fill_bindings(5);
    assert_ok(pp_batch_build(bindings, 5, scratch, paths, report_data));
    struct pp_batch_path bent = paths[1];
    bent.node_count--;
    assert_code(pp_binding_report_data(bindings[1], &bent, report_data), PP_E_PROOF);
    bent.node_count += 2;
    assert_code(pp_binding_report_data(bindings[1], &bent, report_data), PP_E_PROOF);
}

/* ra-tls 8: a batch of one is sent unbatched, at most 1024 leaves. */
static void batches_have_two_to_1024_members(void **state)
{
    uint8_t report_data[PP_REPORT_DATA_BYTES];
    struct pp_batch_path bent = { .size = 1 };

    (void)state;
    assert_code(pp_batch_build(bindings, 0, scratch, paths, report_data), PP_E_RANGE);
    assert_code(pp_batch_build(bindings, 1, scratch, paths, report_data), PP_E_RANGE);
    assert_code(pp_batch_build(bindings, PP_BATCH_SIZE_MAX + 1, scratch, paths, report_data),
                PP_E_RANGE);
    assert_code(pp_binding_report_data(bindings[0], &bent, report_data), PP_E_PROOF);
    bent.size = PP_BATCH_SIZE_MAX + 1;
    assert_code(pp_binding_report_data(bindings[0], &bent, report_data), PP_E_PROOF);
    bent = (struct pp_batch_path){ .size = 2, .index = 2, .node_count = 1 };
    assert_code(pp_binding_report_data(bindings[0], &bent, report_data), PP_E_PROOF);
}

static void an_unbatched_value_goes_into_the_report_as_it_is(void **state)
{
    struct pp_batch_path none = { 0 };
    uint8_t report_data[PP_REPORT_DATA_BYTES];

    (void)state;
    fill_bindings(1);
    assert_ok(pp_binding_report_data(bindings[0], &none, report_data));
    assert_memory_equal(report_data, bindings[0], sizeof report_data);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_published_value_is_computed),
    cmocka_unit_test(every_input_changes_the_value),
    cmocka_unit_test(a_byte_cannot_move_from_one_field_to_the_next),
    cmocka_unit_test(an_spki_has_a_length_that_its_field_can_say),
    cmocka_unit_test(evidence_gives_the_digests_and_absent_parts_count_as_zeros),
    cmocka_unit_test(every_member_of_every_batch_reaches_the_same_report),
    cmocka_unit_test(a_path_serves_no_other_session_index_or_size),
    cmocka_unit_test(a_path_of_the_wrong_length_is_refused),
    cmocka_unit_test(batches_have_two_to_1024_members),
    cmocka_unit_test(an_unbatched_value_goes_into_the_report_as_it_is),
};

PP_TEST_MAIN(tests)
