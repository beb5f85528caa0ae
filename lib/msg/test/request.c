/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "message.h"
#include "request.h"

static _Alignas(16) uint8_t memory[1 << 20];
static uint8_t encoding[PP_REQUEST_BYTES_MAX + 4096];
static struct pp_chat_message messages[PP_CHAT_MESSAGE_MAX + 1];

static struct pp_request sample(size_t count)
{
    struct pp_request r = { .feature = PP_FEATURE_SUMMARIZE, .answer_kib = 4 };

    for (size_t i = 0; i < count; i++)
        messages[i] = (struct pp_chat_message){ .id = (uint32_t)(2 * i),
                                                .sender = (uint32_t)(i % 3 < i ? i % 3 : i),
                                                .minute = 29000000,
                                                .text = PP_STR("Friday is fine") };
    r.summarize = (struct pp_summarize){
        .language = PP_STR("en"), .words = 130, .messages = messages, .message_count = count
    };
    return r;
}

static struct pp_span encode(const struct pp_request *r)
{
    struct pp_wr wr = pp_wr_over(encoding, sizeof encoding);

    assert_ok(pp_request_write(&wr, r));
    return pp_wr_done(&wr);
}

static pp_res parse(struct pp_span cbor, struct pp_request *ret)
{
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);

    return pp_request_parse(cbor, &arena, ret);
}

static void a_chat_reads_back(void **state)
{
    struct pp_request r = sample(5), back;

    (void)state;
    assert_ok(parse(encode(&r), &back));
    assert_int_equal(back.summarize.message_count, 5);
    assert_int_equal(back.summarize.messages[4].id, 8);
    assert_int_equal(back.summarize.messages[4].sender, 1);
    assert_true(pp_span_eq(back.summarize.messages[4].text, PP_STR("Friday is fine")));
    assert_int_equal(back.answer_kib, 4);
}

static void every_truncation_of_a_request_is_refused(void **state)
{
    struct pp_request r = sample(3), back;
    struct pp_span cbor = encode(&r);

    (void)state;
    for (size_t n = 0; n < cbor.len; n++)
        assert_false(pp_is_ok(parse(pp_span(cbor.at, n), &back)));
}

static void two_thousand_messages_are_read_and_one_more_is_not(void **state)
{
    struct pp_request r = sample(PP_CHAT_MESSAGE_MAX), back;
    struct pp_wr wr = pp_wr_over(encoding, sizeof encoding);

    (void)state;
    assert_ok(parse(encode(&r), &back));
    assert_int_equal(back.summarize.message_count, PP_CHAT_MESSAGE_MAX);
    r = sample(PP_CHAT_MESSAGE_MAX + 1);
    assert_code(pp_request_write(&wr, &r), PP_E_RANGE);

    /* The head of the message list, one up, and the message itself. */
    r = sample(PP_CHAT_MESSAGE_MAX);
    struct pp_span cbor = encode(&r);
    static const uint8_t HEAD[] = { 0x99, 0x07, 0xd0 };
    uint8_t *head = memmem(encoding, cbor.len, HEAD, sizeof HEAD);
    assert_non_null(head);
    head[2]++;
    memcpy(encoding + cbor.len, "\x84\x19\xff\xff\x00\x00\x60", 7);
    assert_code(parse(pp_span(encoding, cbor.len + 7), &back), PP_E_RANGE);
}

static void text_stops_at_16_kib(void **state)
{
    static uint8_t text[PP_CHAT_TEXT_BYTES_MAX + 1];
    struct pp_request r = sample(1), back;

    (void)state;
    memset(text, 'x', sizeof text);
    messages[0].text = pp_span(text, PP_CHAT_TEXT_BYTES_MAX);
    assert_ok(parse(encode(&r), &back));
    messages[0].text = PP_BYTES(text);
    assert_code(parse(encode(&r), &back), PP_E_RANGE);
}

static void a_request_stops_at_256_kib(void **state)
{
    struct pp_request back;

    (void)state;
    assert_code(parse(pp_span(encoding, PP_REQUEST_BYTES_MAX + 1), &back), PP_E_LIMIT);
}

static void a_spent_arena_refuses_the_request(void **state)
{
    struct pp_request r = sample(100), back;
    struct pp_arena arena = pp_arena_over(memory, 64);

    (void)state;
    assert_code(pp_request_parse(encode(&r), &arena, &back), PP_E_NO_MEMORY);
}

/* P.others: a feature that this build does not know is well-formed and gets outcome 1. */
static void an_unknown_feature_is_read_as_unknown(void **state)
{
    struct pp_request r = sample(1), back;
    struct pp_span cbor = encode(&r);
    uint8_t *name = memmem(encoding, cbor.len, "summarize", 9);

    (void)state;
    assert_non_null(name);
    memcpy(name, "translate", 9);
    assert_ok(parse(cbor, &back));
    assert_int_equal(back.feature, PP_FEATURE_UNKNOWN);
    assert_int_equal(back.answer_kib, 4);
    struct pp_wr wr = pp_wr_over(memory, sizeof memory);
    assert_code(pp_request_write(&wr, &back), PP_E_UNSUPPORTED);
}

/* Between confidential VMs: texts for a guard, and nothing else of the chat. */
static void texts_to_judge_read_back_up_to_their_limit(void **state)
{
    static struct pp_span texts[PP_JUDGE_TEXT_MAX + 1];
    struct pp_request back, r = { .feature = PP_FEATURE_JUDGE,
                                  .answer_kib = 16,
                                  .judge = { .what = PP_JUDGED_ANSWER, .texts = texts } };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(texts); i++)
        texts[i] = PP_STR("Friday is fine");
    assert_ok(parse(encode(&r), &back)); /* no text at all is judged, too */
    assert_int_equal(back.judge.text_count, 0);
    r.judge.text_count = PP_JUDGE_TEXT_MAX;
    struct pp_span cbor = encode(&r);
    assert_ok(parse(cbor, &back));
    assert_int_equal(back.feature, PP_FEATURE_JUDGE);
    assert_int_equal(back.judge.what, PP_JUDGED_ANSWER);
    assert_int_equal(back.judge.text_count, PP_JUDGE_TEXT_MAX);
    assert_true(pp_span_eq(back.judge.texts[PP_JUDGE_TEXT_MAX - 1], texts[0]));
    for (size_t n = 0; n < cbor.len; n += 97)
        assert_false(pp_is_ok(parse(pp_span(cbor.at, n), &back)));
    r.judge.text_count++;
    struct pp_wr wr = pp_wr_over(encoding, sizeof encoding);
    assert_code(pp_request_write(&wr, &r), PP_E_RANGE);
}

static void the_writer_refuses_what_would_not_read_back(void **state)
{
    struct pp_wr wr = pp_wr_over(encoding, sizeof encoding);
    struct pp_request r = sample(1);

    (void)state;
    r.answer_kib = 3;
    assert_code(pp_request_write(&wr, &r), PP_E_RANGE);
    r = sample(0);
    assert_code(pp_request_write(&wr, &r), PP_E_RANGE);
    r = sample(1);
    r.backends.count = PP_BACKEND_MAX + 1;
    assert_code(pp_request_write(&wr, &r), PP_E_RANGE);
    wr = pp_wr_over(encoding, 20);
    r = sample(1);
    assert_code(pp_request_write(&wr, &r), PP_E_NO_SPACE);
}

static void a_message_is_framed_and_read_back_whole(void **state)
{
    uint8_t buf[64];
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);
    struct pp_span body;

    (void)state;
    pp_message_head_write(&wr, PP_MESSAGE_SEALED_REQUEST, 3);
    pp_wr_text(&wr, "abc");
    assert_ok(pp_message_parse(pp_wr_done(&wr), PP_MESSAGE_SEALED_REQUEST, &body));
    assert_true(pp_span_eq(body, PP_STR("abc")));
    for (size_t n = 0; n < wr.len; n++)
        assert_code(pp_message_parse(pp_span(buf, n), PP_MESSAGE_SEALED_REQUEST, &body),
                    PP_E_TRUNCATED);
    assert_code(pp_message_parse(pp_wr_done(&wr), PP_MESSAGE_SEALED_RESPONSE, &body),
                PP_E_MISMATCH);
    pp_wr_u8(&wr, 0);
    assert_code(pp_message_parse(pp_wr_done(&wr), PP_MESSAGE_SEALED_REQUEST, &body), PP_E_TRAILING);
    buf[0] = 0;
    assert_code(pp_message_parse(pp_wr_done(&wr), PP_MESSAGE_SEALED_REQUEST, &body),
                PP_E_UNSUPPORTED);
    buf[0] = 5;
    assert_code(pp_message_parse(pp_wr_done(&wr), PP_MESSAGE_SEALED_REQUEST, &body),
                PP_E_UNSUPPORTED);
}

static void a_message_stops_at_its_largest_length(void **state)
{
    uint8_t head[PP_MESSAGE_HEAD_BYTES];
    struct pp_wr wr = pp_wr_over(head, sizeof head);
    enum pp_message_type type;
    size_t len;

    (void)state;
    pp_message_head_write(&wr, PP_MESSAGE_SEALED_REQUEST, PP_MESSAGE_BYTES_MAX);
    struct pp_rd rd = pp_rd_span(pp_wr_done(&wr));
    assert_ok(pp_message_head_parse(&rd, &type, &len));
    assert_int_equal(len, PP_MESSAGE_BYTES_MAX);
    head[4]++;
    rd = pp_rd_span(pp_wr_done(&wr));
    assert_code(pp_message_head_parse(&rd, &type, &len), PP_E_LIMIT);
}

static void padding_fills_to_the_room_or_fails(void **state)
{
    uint8_t buf[64];
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);
    struct pp_span cbor;

    (void)state;
    pp_wr_text(&wr, "head");
    size_t mark = pp_padded_begin(&wr);
    pp_wr_text(&wr, "item");
    assert_ok(pp_padded_end(&wr, mark, 20));
    assert_int_equal(wr.len, 24);
    assert_ok(pp_padded_parse(pp_span(buf + 4, 20), &cbor));
    assert_true(pp_span_eq(cbor, PP_STR("item")));

    wr = pp_wr_over(buf, sizeof buf);
    mark = pp_padded_begin(&wr);
    pp_wr_text(&wr, "item");
    assert_ok(pp_padded_end(&wr, mark, 8));
    mark = pp_padded_begin(&wr);
    pp_wr_text(&wr, "item");
    assert_code(pp_padded_end(&wr, mark, 7), PP_E_RANGE);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_chat_reads_back),
    cmocka_unit_test(every_truncation_of_a_request_is_refused),
    cmocka_unit_test(two_thousand_messages_are_read_and_one_more_is_not),
    cmocka_unit_test(text_stops_at_16_kib),
    cmocka_unit_test(a_request_stops_at_256_kib),
    cmocka_unit_test(a_spent_arena_refuses_the_request),
    cmocka_unit_test(an_unknown_feature_is_read_as_unknown),
    cmocka_unit_test(texts_to_judge_read_back_up_to_their_limit),
    cmocka_unit_test(the_writer_refuses_what_would_not_read_back),
    cmocka_unit_test(a_message_is_framed_and_read_back_whole),
    cmocka_unit_test(a_message_stops_at_its_largest_length),
    cmocka_unit_test(padding_fills_to_the_room_or_fails),
};

PP_TEST_MAIN(tests)
