/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "bundle.h"
#include "hash.h"
#include "receipt.h"

static _Alignas(16) uint8_t memory[1 << 20];
static uint8_t out[PP_BUNDLE_BYTES_MAX + 4096];
static uint8_t blob_bytes[PP_BUNDLE_BYTES_MAX];

static struct pp_bundle_entry records[PP_BUNDLE_RECORD_MAX + 1];
static struct pp_span blobs[2], revokes[PP_BUNDLE_REVOKE_MAX + 1];

static struct pp_bundle sample(size_t record_count)
{
    struct pp_bundle b = { .status = { PP_STR("status\n"), PP_STR("proof\n") },
                           .records = records,
                           .record_count = record_count,
                           .blobs = blobs,
                           .blob_count = 2,
                           .revokes = revokes,
                           .revoke_count = 1 };
    uint8_t h[2][PP_SHA256_BYTES];

    for (size_t i = 0; i < record_count; i++)
        records[i] = (struct pp_bundle_entry){ PP_STR("record\n"), PP_STR("proof\n") };
    for (size_t i = 0; i < PP_ARRAY_COUNT(revokes); i++)
        revokes[i] = PP_STR("revoke\n");
    blobs[0] = PP_STR("first");
    blobs[1] = PP_STR("second");
    pp_sha256(blobs[0], h[0]);
    pp_sha256(blobs[1], h[1]);
    if (memcmp(h[0], h[1], PP_SHA256_BYTES) > 0) {
        blobs[0] = PP_STR("second");
        blobs[1] = PP_STR("first");
    }
    return b;
}

static pp_res parse(struct pp_span cbor, struct pp_bundle *ret)
{
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);

    return pp_bundle_parse(cbor, &arena, ret);
}

static struct pp_span encode(const struct pp_bundle *b)
{
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    assert_ok(pp_bundle_write(&wr, b));
    return pp_wr_done(&wr);
}

static void a_bundle_reads_back_and_no_truncation_does(void **state)
{
    struct pp_bundle b = sample(2), back;
    struct pp_span cbor = encode(&b);

    (void)state;
    assert_ok(parse(cbor, &back));
    assert_int_equal(back.record_count, 2);
    assert_true(pp_span_eq(back.records[1].entry, PP_STR("record\n")));
    assert_true(pp_span_eq(back.blobs[1], blobs[1]));
    assert_int_equal(back.revoke_count, 1);
    for (size_t n = 0; n < cbor.len; n++)
        assert_false(pp_is_ok(parse(pp_span(cbor.at, n), &back)));
}

static void counts_stop_at_their_limits(void **state)
{
    struct pp_bundle b = sample(PP_BUNDLE_RECORD_MAX), back;
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    (void)state;
    b.revoke_count = PP_BUNDLE_REVOKE_MAX;
    assert_ok(parse(encode(&b), &back));
    b.revoke_count++;
    assert_code(pp_bundle_write(&wr, &b), PP_E_RANGE);
    b = sample(PP_BUNDLE_RECORD_MAX + 1);
    assert_code(pp_bundle_write(&wr, &b), PP_E_RANGE);
    b = sample(1);
    records[0].entry = pp_span(blob_bytes, PP_BUNDLE_ENTRY_BYTES_MAX);
    assert_ok(parse(encode(&b), &back));
    records[0].entry.len++;
    assert_code(pp_bundle_write(&wr, &b), PP_E_RANGE);
}

static void a_bundle_stops_at_2_mib(void **state)
{
    struct pp_bundle b = sample(0), back;
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    (void)state;
    b.blobs = &(struct pp_span){ blob_bytes, 1 << 20 };
    b.blob_count = 1;
    size_t around = encode(&b).len - (1 << 20);
    b.blobs->len = PP_BUNDLE_BYTES_MAX - around;
    struct pp_span cbor = encode(&b);
    assert_int_equal(cbor.len, PP_BUNDLE_BYTES_MAX);
    assert_ok(parse(cbor, &back));
    b.blobs->len++;
    assert_code(pp_bundle_write(&wr, &b), PP_E_RANGE);
    assert_code(parse(pp_span(out, PP_BUNDLE_BYTES_MAX + 1), &back), PP_E_LIMIT);
}

static void blobs_are_distinct_and_in_the_order_of_their_digests(void **state)
{
    struct pp_bundle b = sample(0);
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_span first = blobs[0];

    (void)state;
    blobs[0] = blobs[1];
    assert_code(pp_bundle_write(&wr, &b), PP_E_DUPLICATE);
    blobs[1] = first;
    assert_code(pp_bundle_write(&wr, &b), PP_E_ORDER);
}

static void nothing_stands_behind_a_bundle(void **state)
{
    struct pp_bundle b = sample(1), back;
    struct pp_span cbor = encode(&b);

    (void)state;
    out[cbor.len] = 0;
    assert_code(parse(pp_span(out, cbor.len + 1), &back), PP_E_TRAILING);
}

/* What the reader would refuse is not written: entries, blobs and notes have bytes, and not too
 * many. */
static void the_writer_refuses_what_would_not_read_back(void **state)
{
    static struct pp_span many[PP_BUNDLE_BLOB_MAX + 1];
    struct pp_bundle b = sample(1), back;
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    (void)state;
    records[0].proof = pp_span(blob_bytes, PP_BUNDLE_PROOF_BYTES_MAX);
    assert_ok(parse(encode(&b), &back));
    records[0].proof.len++;
    assert_code(pp_bundle_write(&wr, &b), PP_E_RANGE);
    records[0].proof.len = 0;
    assert_code(pp_bundle_write(&wr, &b), PP_E_RANGE);
    b = sample(1);
    b.status.entry.len = 0;
    assert_code(pp_bundle_write(&wr, &b), PP_E_RANGE);
    b = sample(1);
    blobs[0].len = 0;
    assert_code(pp_bundle_write(&wr, &b), PP_E_RANGE);
    b = sample(1);
    b.blobs = many;
    b.blob_count = PP_ARRAY_COUNT(many);
    for (size_t i = 0; i < PP_ARRAY_COUNT(many); i++)
        many[i] = PP_STR("blob");
    assert_code(pp_bundle_write(&wr, &b), PP_E_RANGE);
    b = sample(1);
    revokes[0].len = 0;
    assert_code(pp_bundle_write(&wr, &b), PP_E_RANGE);
    revokes[0] = pp_span(blob_bytes, PP_BUNDLE_ENTRY_BYTES_MAX + 1);
    assert_code(pp_bundle_write(&wr, &b), PP_E_RANGE);
}

static void a_spent_arena_refuses_the_bundle(void **state)
{
    struct pp_bundle b = sample(PP_BUNDLE_RECORD_MAX), back;
    struct pp_arena arena = pp_arena_over(memory, 64);

    (void)state;
    assert_code(pp_bundle_parse(encode(&b), &arena, &back), PP_E_NO_MEMORY);
    b = sample(0); /* the lists behind the records take memory, too */
    arena = pp_arena_over(memory, 8);
    assert_code(pp_bundle_parse(encode(&b), &arena, &back), PP_E_NO_MEMORY);
}

static struct pp_receipt receipt(void)
{
    static struct pp_receipt_anchor anchors[2];
    static struct pp_receipt_check checks[1];
    struct pp_receipt r = { .posix_s = 3600 * UINT64_C(497223),
                            .anchors = anchors,
                            .anchor_count = 2,
                            .bundle = sample(1),
                            .evidence = PP_STR("evidence"),
                            .checks = checks,
                            .check_count = 1,
                            .feature = PP_STR("summarize"),
                            .engine = { PP_STR("embedded"), PP_STR("pp-digest 1"), { 0 } } };

    anchors[0] = (struct pp_receipt_anchor){ PP_STR("ark"), PP_STR("DER") };
    anchors[1] = (struct pp_receipt_anchor){ PP_STR("log"), PP_STR("vkey") };
    checks[0] = (struct pp_receipt_check){
        .number = 9, .code = PP_STR("OK"), .verdict = PP_VERDICT_PROVEN, .anchor = PP_STR("ark")
    };
    return r;
}

static void a_receipt_reads_back_and_no_truncation_does(void **state)
{
    struct pp_receipt r = receipt(), back;
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    (void)state;
    assert_ok(pp_receipt_write(&wr, &r));
    for (size_t n = 0; n <= wr.len; n++) {
        struct pp_arena arena = pp_arena_over(memory, sizeof memory);
        pp_res res = pp_receipt_parse(pp_span(out, n), &arena, &back);
        assert_int_equal(pp_is_ok(res), n == wr.len);
    }
    assert_true(pp_span_eq(back.checks[0].anchor, PP_STR("ark")));
    assert_true(pp_span_eq(back.bundle.records[0].entry, PP_STR("record\n")));
}

static void the_receipts_writer_refuses_what_would_not_read_back(void **state)
{
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_receipt r = receipt();

    (void)state;
    r.posix_s++;
    assert_code(pp_receipt_write(&wr, &r), PP_E_FORMAT);
    r = receipt();
    r.anchors[1].name = PP_STR("ark");
    assert_code(pp_receipt_write(&wr, &r), PP_E_DUPLICATE);
    r = receipt();
    r.checks[0].anchor = PP_STR("a\x1b");
    assert_code(pp_receipt_write(&wr, &r), PP_E_FORMAT);
    r = receipt();
    r.outcome = 3;
    assert_code(pp_receipt_write(&wr, &r), PP_E_RANGE);
    r = receipt();
    r.check_count = 0;
    assert_code(pp_receipt_write(&wr, &r), PP_E_RANGE);
    r = receipt();
    r.evidence.len = 0;
    assert_code(pp_receipt_write(&wr, &r), PP_E_RANGE);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_bundle_reads_back_and_no_truncation_does),
    cmocka_unit_test(counts_stop_at_their_limits),
    cmocka_unit_test(a_bundle_stops_at_2_mib),
    cmocka_unit_test(blobs_are_distinct_and_in_the_order_of_their_digests),
    cmocka_unit_test(nothing_stands_behind_a_bundle),
    cmocka_unit_test(the_writer_refuses_what_would_not_read_back),
    cmocka_unit_test(a_spent_arena_refuses_the_bundle),
    cmocka_unit_test(a_receipt_reads_back_and_no_truncation_does),
    cmocka_unit_test(the_receipts_writer_refuses_what_would_not_read_back),
};

PP_TEST_MAIN(tests)
