/* SPDX-License-Identifier: Apache-2.0 */
/* A link whose other side the test plays itself, byte by byte. */
#include "harness.h"

#include <sys/socket.h>
#include <unistd.h>

#include "link.h"

enum { ASK_BYTES = 8, ANSWER_BYTES = 4, ASKS = 4 };

struct fixture {
    struct pp_loop *loop;
    struct gw_link *link;
    int other; /* the other side's end */
    struct gw_ask asks[ASKS + 1];
    size_t answered, news;
    uint8_t last[ANSWER_BYTES];
    pp_res end;
};

static void on_answer(void *ctx, struct pp_span answer)
{
    struct fixture *f = ctx;

    assert_int_equal(answer.len, ANSWER_BYTES);
    memcpy(f->last, answer.at, ANSWER_BYTES);
    f->answered++;
    pp_loop_stop(f->loop);
}

static void on_news(void *ctx, struct pp_span news)
{
    struct fixture *f = ctx;

    assert_true(news.len > 0);
    f->news++;
    pp_loop_stop(f->loop);
}

static void on_ended(void *ctx, pp_res why)
{
    struct fixture *f = ctx;

    f->end = why;
    pp_loop_stop(f->loop);
}

static int set_up(void **state)
{
    static struct fixture f;
    int pair[2];

    f = (struct fixture){ 0 };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_ok(pp_loop_new(&f.loop));
    const struct gw_link_config c = { .loop = f.loop,
                                      .fd = pair[0],
                                      .ask_bytes_max = ASK_BYTES,
                                      .answer_bytes = ANSWER_BYTES,
                                      .asks_max = ASKS,
                                      .news_kinds = "e",
                                      .news = on_news,
                                      .ended = on_ended,
                                      .ctx = &f };
    assert_ok(gw_link_new(&c, &f.link));
    f.other = pair[1];
    for (size_t i = 0; i <= ASKS; i++)
        f.asks[i] = (struct gw_ask){ .answered = on_answer, .ctx = &f };
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    if (f->other >= 0)
        close(f->other);
    gw_link_free(f->link);
    pp_loop_free(f->loop);
    return 0;
}

/* What the link wrote for one question: its tag. */
static uint32_t take_question(struct fixture *f, struct pp_span expected)
{
    uint8_t bytes[GW_FRAME_HEAD_BYTES + ASK_BYTES];
    size_t len = GW_FRAME_HEAD_BYTES + expected.len;
    struct gw_frame frame;
    int is_whole = 0;

    assert_int_equal(recv(f->other, bytes, len, MSG_WAITALL), (ssize_t)len);
    struct pp_rd rd = pp_rd_over(bytes, len);
    assert_ok(gw_frame_next(&rd, &is_whole, &frame));
    assert_true(is_whole && pp_span_eq(frame.bytes, expected));
    return frame.tag;
}

static void send_frame(struct fixture *f, uint32_t tag, struct pp_span bytes)
{
    uint8_t out[64];
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    gw_frame_write(&wr, tag, bytes);
    assert_int_equal(send(f->other, out, wr.len, 0), (ssize_t)wr.len);
}

/* Lets the link write: what it has leaves when the loop comes round. */
static void ask(struct fixture *f, size_t i, struct pp_span question)
{
    assert_ok(gw_link_ask(f->link, question, &f->asks[i]));
}

static void turn_loop(struct fixture *f)
{
    send_frame(f, GW_TAG_NONE, PP_STR("e")); /* stops it */
    assert_ok(pp_loop_run(f->loop));
}

static void questions_of_one_turn_leave_together_and_answers_come_in_any_order(void **state)
{
    struct fixture *f = *state;

    ask(f, 0, PP_STR("one"));
    ask(f, 1, PP_STR("two"));
    turn_loop(f);
    uint32_t one = take_question(f, PP_STR("one")), two = take_question(f, PP_STR("two"));
    send_frame(f, two, PP_STR("2222"));
    assert_ok(pp_loop_run(f->loop));
    assert_memory_equal(f->last, "2222", 4);
    assert_null(f->asks[1].link);
    send_frame(f, one, PP_STR("1111"));
    assert_ok(pp_loop_run(f->loop));
    assert_memory_equal(f->last, "1111", 4);
    assert_int_equal(f->answered, 2);
}

static void an_answer_in_single_bytes_is_one_answer(void **state)
{
    struct fixture *f = *state;
    uint8_t out[32];
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    ask(f, 0, PP_STR("one"));
    turn_loop(f);
    gw_frame_write(&wr, take_question(f, PP_STR("one")), PP_STR("1111"));
    for (size_t i = 0; i < wr.len; i++) {
        assert_int_equal(f->answered, 0);
        assert_int_equal(send(f->other, out + i, 1, 0), 1);
        gw_link_read(f->link);
    }
    assert_int_equal(f->answered, 1);
}

static void one_question_more_than_the_limit_is_busy_until_one_is_answered(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < ASKS; i++)
        ask(f, i, PP_STR("question"));
    assert_code(gw_link_ask(f->link, PP_STR("question"), &f->asks[ASKS]), PP_E_BUSY);
    turn_loop(f);
    send_frame(f, take_question(f, PP_STR("question")), PP_STR("yes!"));
    assert_ok(pp_loop_run(f->loop));
    ask(f, ASKS, PP_STR("question"));
}

static void a_cancelled_question_keeps_its_place_until_the_answer_that_nobody_hears(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < ASKS; i++)
        ask(f, i, PP_STR("question"));
    gw_link_cancel(&f->asks[0]);
    gw_link_cancel(&f->asks[0]);
    assert_code(gw_link_ask(f->link, PP_STR("question"), &f->asks[ASKS]), PP_E_BUSY);
    turn_loop(f);
    send_frame(f, take_question(f, PP_STR("question")), PP_STR("yes!"));
    turn_loop(f);
    assert_int_equal(f->answered, 0);
    ask(f, ASKS, PP_STR("question"));
}

static void an_answer_that_nobody_asked_for_ends_the_link(void **state)
{
    struct fixture *f = *state;

    send_frame(f, 1, PP_STR("1111"));
    assert_ok(pp_loop_run(f->loop));
    assert_code(f->end, PP_E_FORMAT);
}

static void an_answer_twice_ends_the_link(void **state)
{
    struct fixture *f = *state;

    ask(f, 0, PP_STR("one"));
    turn_loop(f);
    uint32_t tag = take_question(f, PP_STR("one"));
    send_frame(f, tag, PP_STR("1111"));
    assert_ok(pp_loop_run(f->loop));
    send_frame(f, tag, PP_STR("1111"));
    assert_ok(pp_loop_run(f->loop));
    assert_code(f->end, PP_E_FORMAT);
    assert_int_equal(f->answered, 1);
}

static void an_answer_of_another_length_ends_the_link(void **state)
{
    struct fixture *f = *state;

    ask(f, 0, PP_STR("one"));
    turn_loop(f);
    send_frame(f, take_question(f, PP_STR("one")), PP_STR("11111"));
    assert_ok(pp_loop_run(f->loop));
    assert_code(f->end, PP_E_FORMAT);
}

static void a_frame_longer_than_the_limit_ends_the_link(void **state)
{
    struct fixture *f = *state;
    uint8_t head[GW_FRAME_HEAD_BYTES];
    struct pp_wr wr = pp_wr_over(head, sizeof head);

    pp_wr_u32(&wr, GW_TAG_NONE);
    pp_wr_u16(&wr, GW_FRAME_BYTES_MAX + 1);
    assert_int_equal(send(f->other, head, sizeof head, 0), sizeof head);
    assert_ok(pp_loop_run(f->loop));
    assert_code(f->end, PP_E_FORMAT);
}

/* A resolver that was taken over must not name the OHTTP keys that clients are given. */
static void news_that_this_process_does_not_have_end_the_link_unheard(void **state)
{
    struct fixture *f = *state;

    turn_loop(f);
    assert_int_equal(f->news, 1);
    send_frame(f, GW_TAG_NONE, PP_STR("k"));
    assert_ok(pp_loop_run(f->loop));
    assert_code(f->end, PP_E_FORMAT);
    assert_int_equal(f->news, 1);
}

static void news_of_no_kind_end_the_link(void **state)
{
    struct fixture *f = *state;
    static const uint8_t none[1] = { 0 };

    send_frame(f, GW_TAG_NONE, PP_BYTES(none));
    assert_ok(pp_loop_run(f->loop));
    assert_code(f->end, PP_E_FORMAT);
    assert_int_equal(f->news, 0);
}

static void a_process_that_closes_ends_the_link_once(void **state)
{
    struct fixture *f = *state;

    ask(f, 0, PP_STR("one"));
    close(f->other);
    f->other = -1;
    assert_ok(pp_loop_run(f->loop));
    assert_code(f->end, PP_E_CLOSED);
    assert_code(gw_link_ask(f->link, PP_STR("two"), &f->asks[1]), PP_E_BUSY);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest TESTS[] = {
    TEST(questions_of_one_turn_leave_together_and_answers_come_in_any_order),
    TEST(an_answer_in_single_bytes_is_one_answer),
    TEST(one_question_more_than_the_limit_is_busy_until_one_is_answered),
    TEST(a_cancelled_question_keeps_its_place_until_the_answer_that_nobody_hears),
    TEST(an_answer_that_nobody_asked_for_ends_the_link),
    TEST(an_answer_twice_ends_the_link),
    TEST(an_answer_of_another_length_ends_the_link),
    TEST(a_frame_longer_than_the_limit_ends_the_link),
    TEST(news_that_this_process_does_not_have_end_the_link_unheard),
    TEST(news_of_no_kind_end_the_link),
    TEST(a_process_that_closes_ends_the_link_once),
};

PP_TEST_MAIN(TESTS)
