/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "evidence.h"
#include "message.h"
#include "seal.h"
#include "sizes.h"

enum {
    RECORD_BYTES = 16384,
    RECORD_EXTRA = 5 + 1 + 16,               /* TLS 1.3: head, content type, tag */
    FINISHED_RECORD = 4 + 48 + RECORD_EXTRA, /* TLS_AES_256_GCM_SHA384 */
    AUTHORITY_MAX = 64,
    HANDLE_TEXT = 98,
    OHTTP_HEAD = 7,
    TAG = 16,
};

static size_t varint_len(size_t v)
{
    return v <= 63 ? 1 : v <= 16383 ? 2 : v <= 1073741823 ? 4 : 8;
}

static size_t prefixed(size_t len)
{
    return varint_len(len) + len;
}

static size_t tls_bytes(size_t app_data)
{
    size_t records = (app_data + RECORD_BYTES - 1) / RECORD_BYTES;

    return app_data + records * RECORD_EXTRA;
}

/* The OHTTP body of #2 up, without its padding, for a plaintext of `room` bytes (pp-wire 3 and
 * 8). */
static size_t request_body(size_t room, size_t authority, size_t outer_enc, size_t inner_enc)
{
    size_t frame = PP_MESSAGE_HEAD_BYTES + 1 + inner_enc + room + TAG;
    size_t content = FINISHED_RECORD + tls_bytes(frame);
    size_t bhttp = 1 + prefixed(4) + prefixed(5) + prefixed(authority) +
                   prefixed(sizeof "/v1/sessions/" - 1 + HANDLE_TEXT) +
                   prefixed(prefixed(6) + prefixed(2)) + prefixed(content) + 1;

    return OHTTP_HEAD + outer_enc + bhttp + TAG;
}

static size_t answer_body(size_t room, size_t response_nonce)
{
    size_t content = tls_bytes(PP_MESSAGE_HEAD_BYTES + PP_SEALED_RESPONSE_EXTRA + room);
    size_t bhttp = 1 + 2 + 1 + prefixed(content) + 1;

    return response_nonce + bhttp + TAG;
}

static void w16_a_request_has_one_of_eight_sizes(void **state)
{
    size_t count = 0;

    (void)state;
    for (size_t n = 0; n <= 2 * PP_BUCKET_2_UP_KIB_MAX * 1024; n++)
        count += (size_t)pp_request_bytes_ok(n);
    assert_int_equal(count, 8);
    assert_true(pp_request_bytes_ok(PP_BUCKET_1_UP_BYTES));
    assert_true(pp_request_bytes_ok(2048));
    assert_true(pp_request_bytes_ok(262144));
    assert_false(pp_request_bytes_ok(SIZE_MAX));
}

/* W16: for every bucket the whole body fits, so that zeros can fill it to exactly one size. */
static void w16_every_request_bucket_holds_its_message_and_a_little_more(void **state)
{
    static const size_t ENC[] = { 32, 1120 };
    size_t room, checked = 0;

    (void)state;
    for (size_t kib = 2; kib <= 256; kib *= 2)
        for (size_t o = 0; o < 2; o++)
            for (size_t i = 0; i < 2; i++) {
                if (!pp_is_ok(pp_request_room(kib, ENC[o], ENC[i], &room)))
                    continue;
                size_t largest = request_body(room, AUTHORITY_MAX, ENC[o], ENC[i]);
                assert_true(largest <= kib * 1024);
                assert_true(kib * 1024 - largest < 256); /* slack is not wasted either */
                checked++;
            }
    assert_int_equal(checked, 8 * 4 - 1); /* 2 KiB does not hold two X-Wing encapsulations */
}

static void w16_every_answer_bucket_holds_its_message(void **state)
{
    (void)state;
    for (size_t kib = 1; kib <= 16; kib *= 2) {
        assert_int_equal(pp_answer_room(kib), kib * 1024 - 256);
        assert_true(answer_body(pp_answer_room(kib), 16) <= kib * 1024);
        assert_true(answer_body(pp_answer_room(kib), 32) <= kib * 1024);
    }
}

/* Exchange #1 down: the whole first flight with Evidence in 32 KiB, the certificate at its
 * largest. */
static void the_first_flight_fits_its_bucket(void **state)
{
    size_t flight = 5 + 122                     /* ServerHello */
                    + RECORD_EXTRA + 64         /* EncryptedExtensions */
                    + RECORD_EXTRA + 512        /* Certificate */
                    + RECORD_EXTRA + 4 + 4 + 72 /* CertificateVerify */
                    + FINISHED_RECORD + tls_bytes(PP_MESSAGE_HEAD_BYTES + PP_EVIDENCE_BODY_BYTES);
    size_t bhttp = 1 + 2 + prefixed(prefixed(10) + prefixed(HANDLE_TEXT)) + prefixed(flight) + 1;

    (void)state;
    assert_true(32 + bhttp + TAG <= PP_BUCKET_1_DOWN_BYTES);
}

/* The figures of pp-wire 8, worked by hand. */
static void rooms_are_those_of_the_formula(void **state)
{
    static const struct {
        size_t kib, outer, inner, room;
    } ROWS[] = {
        { 2, 32, 32, 2048 - 456 - 24 - 64 },
        { 4, 32, 1120, 4096 - 456 - 24 - 1152 },
        { 16, 32, 32, 16384 - 456 - 24 - 64 },
        { 32, 32, 32, 32768 - 456 - 48 - 64 },
        { 256, 1120, 1120, 262144 - 456 - 24 * 16 - 2240 },
    };
    size_t room;

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        assert_ok(pp_request_room(ROWS[i].kib, ROWS[i].outer, ROWS[i].inner, &room));
        assert_int_equal(room, ROWS[i].room);
    }
}

static void a_bucket_that_would_leave_less_than_256_bytes_is_not_used(void **state)
{
    size_t room;

    (void)state;
    assert_ok(pp_request_room(2, 2048 - 456 - 24 - 256, 0, &room));
    assert_int_equal(room, 256);
    assert_code(pp_request_room(2, 2048 - 456 - 24 - 255, 0, &room), PP_E_RANGE);
    assert_code(pp_request_room(2, 1120, 1120, &room), PP_E_RANGE);
    assert_code(pp_request_room(2, SIZE_MAX, 1, &room), PP_E_RANGE);
    assert_ok(pp_request_room(4, 1120, 1120, &room));
}

static void only_listed_buckets_exist(void **state)
{
    unsigned up = 0, down = 0;
    size_t room;

    (void)state;
    for (size_t kib = 0; kib <= 1024; kib++) {
        up += (unsigned)pp_bucket_up_ok(kib);
        down += (unsigned)pp_bucket_down_ok(kib);
        if (!pp_bucket_up_ok(kib))
            assert_code(pp_request_room(kib, 32, 32, &room), PP_E_RANGE);
    }
    assert_int_equal(up, 8);
    assert_int_equal(down, 5);
    assert_int_equal(pp_bucket_up_ok(UINT64_C(1) << 40), 0);
}

static void the_smallest_bucket_that_fits_is_taken(void **state)
{
    size_t kib = 0, room;

    (void)state;
    assert_ok(pp_request_room(2, 32, 32, &room));
    assert_ok(pp_request_bucket(room - 4, 32, 32, &kib));
    assert_int_equal(kib, 2);
    assert_ok(pp_request_bucket(room - 3, 32, 32, &kib));
    assert_int_equal(kib, 4);
    assert_ok(pp_request_bucket(1, 1120, 1120, &kib));
    assert_int_equal(kib, 4);
    assert_ok(pp_request_room(256, 32, 32, &room));
    assert_ok(pp_request_bucket(room - 4, 32, 32, &kib));
    assert_int_equal(kib, 256);
    assert_code(pp_request_bucket(room - 3, 32, 32, &kib), PP_E_TOO_LARGE);
    assert_code(pp_request_bucket(SIZE_MAX, 32, 32, &kib), PP_E_TOO_LARGE);
}

/* pp-wire 3: answers of the gateway and #2 of the device leave on multiples of 250 ms, whatever
 * happened before. */
static void w16_what_leaves_on_the_grid_leaves_at_a_multiple_of_it(void **state)
{
    (void)state;
    assert_int_equal(pp_grid_wait(1000, 1000, PP_GRID_MS), 250);
    assert_int_equal(pp_grid_wait(1000, 1001, PP_GRID_MS), 249);
    assert_int_equal(pp_grid_wait(1000, 1249, PP_GRID_MS), 1);
    assert_int_equal(pp_grid_wait(1000, 1250, PP_GRID_MS), 0);
    assert_int_equal(pp_grid_wait(1000, 999, PP_GRID_MS), 250); /* a clock that was set back */
    assert_int_equal(pp_grid_wait(1000, 1000, 0), 0);
    assert_int_equal(pp_grid_wait(1000, 1001, 0), 0);
    for (uint64_t now = 1007; now < 1007 + 4 * PP_GRID_MS; now++) {
        uint64_t leaves = now + pp_grid_wait(1007, now, PP_GRID_MS);
        assert_int_equal((leaves - 1007) % PP_GRID_MS, 0);
        assert_true(leaves > 1007 && leaves - now <= PP_GRID_MS);
    }
}

/* One size class at the gateway is one between the machines, and what a device may send fits. */
static void w16_a_bucket_of_a_device_is_one_between_the_machines(void **state)
{
    const size_t inner[] = { 32, 1120 }, outer[] = { 32, 1120 };
    size_t room, kib;

    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (size_t bucket = PP_BUCKET_2_UP_KIB_MIN; bucket <= PP_BUCKET_2_UP_KIB_MAX;
             bucket *= 2) {
            if (!pp_is_ok(pp_request_room(bucket, outer[i % 2], inner[i / 2], &room)))
                continue;
            assert_ok(pp_peer_bucket(room, inner[i / 2], &kib));
            assert_int_equal(kib, bucket);
        }
    assert_ok(pp_request_room(256, PP_PEER_OUTER_ENC_BYTES, 1120, &room));
    assert_code(pp_peer_bucket(room + 1, 1120, &kib), PP_E_TOO_LARGE);
    assert_ok(pp_request_room(PP_PEER_JUDGE_KIB, PP_PEER_OUTER_ENC_BYTES, 1120, &room));
    assert_true(room > pp_answer_room(PP_PEER_ANSWER_KIB) + 512); /* every answer can be judged */
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(w16_a_bucket_of_a_device_is_one_between_the_machines),
    cmocka_unit_test(w16_what_leaves_on_the_grid_leaves_at_a_multiple_of_it),
    cmocka_unit_test(w16_a_request_has_one_of_eight_sizes),
    cmocka_unit_test(w16_every_request_bucket_holds_its_message_and_a_little_more),
    cmocka_unit_test(w16_every_answer_bucket_holds_its_message),
    cmocka_unit_test(the_first_flight_fits_its_bucket),
    cmocka_unit_test(rooms_are_those_of_the_formula),
    cmocka_unit_test(a_bucket_that_would_leave_less_than_256_bytes_is_not_used),
    cmocka_unit_test(only_listed_buckets_exist),
    cmocka_unit_test(the_smallest_bucket_that_fits_is_taken),
};

PP_TEST_MAIN(tests)
