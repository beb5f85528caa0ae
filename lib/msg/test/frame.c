/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "frame.h"

static const uint8_t SID[PP_SID_BYTES] = { 1, 2, 3 };

static struct pp_frame frame(uint8_t kind, const uint8_t *sid, struct pp_span bytes)
{
    struct pp_frame f = { .kind = kind, .tag = 77, .bytes = bytes };

    if (sid != NULL)
        memcpy(f.sid, sid, sizeof f.sid);
    return f;
}

/* Every way to cut a stream in two gives the same frames. */
static void frames_do_not_depend_on_how_the_stream_is_cut(void **state)
{
    uint8_t stream[256], body[64];
    struct pp_wr wr = pp_wr_over(stream, sizeof stream);
    struct pp_frame a = frame(PP_FRAME_OPEN, NULL, PP_STR("hello"));
    struct pp_frame b = frame(PP_FRAME_CONTINUE, SID, PP_STR("request"));
    struct pp_frame c = frame(PP_FRAME_CLOSE, SID, PP_STR(""));

    (void)state;
    assert_ok(pp_frame_write(&wr, PP_FRAME_REQUESTS, &a));
    assert_ok(pp_frame_write(&wr, PP_FRAME_REQUESTS, &b));
    assert_ok(pp_frame_write(&wr, PP_FRAME_REQUESTS, &c));
    for (size_t cut = 0; cut <= wr.len; cut++) {
        struct pp_frame_rd rd;
        struct pp_span halves[2] = { pp_span(stream, cut), pp_span(stream + cut, wr.len - cut) };
        uint8_t kinds[4];
        size_t count = 0;

        pp_frame_rd_init(&rd, PP_FRAME_REQUESTS, body, sizeof body);
        for (size_t h = 0; h < 2; h++)
            while (halves[h].len > 0) {
                const struct pp_frame *got = NULL;
                assert_ok(pp_frame_feed(&rd, &halves[h], &got));
                if (got == NULL)
                    continue;
                assert_true(count < 3);
                assert_int_equal(got->tag, 77);
                assert_true(pp_span_eq(got->bytes, count == 0   ? a.bytes
                                                   : count == 1 ? b.bytes
                                                                : c.bytes));
                kinds[count++] = got->kind;
            }
        assert_int_equal(count, 3);
        assert_memory_equal(kinds, "\x01\x02\x03", 3);
    }
}

static void lengths_stop_at_the_sides_limit_and_at_the_buffer(void **state)
{
    static uint8_t big[PP_FRAME_PEER_BYTES_MAX], out[PP_FRAME_PEER_BYTES_MAX + 64],
        body[PP_FRAME_REQUEST_BYTES_MAX];
    struct pp_frame f = frame(PP_FRAME_CONTINUE, SID, pp_span(big, PP_FRAME_REQUEST_BYTES_MAX));
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_frame_rd rd;
    const struct pp_frame *got = NULL;

    (void)state;
    assert_ok(pp_frame_write(&wr, PP_FRAME_REQUESTS, &f));
    struct pp_span in = pp_wr_done(&wr);
    pp_frame_rd_init(&rd, PP_FRAME_REQUESTS, body, sizeof body);
    assert_ok(pp_frame_feed(&rd, &in, &got));
    assert_non_null(got);
    assert_int_equal(got->bytes.len, PP_FRAME_REQUEST_BYTES_MAX);

    in = pp_wr_done(&wr);
    pp_frame_rd_init(&rd, PP_FRAME_REQUESTS, body, sizeof body - 1);
    assert_code(pp_frame_feed(&rd, &in, &got), PP_E_LIMIT);

    f.bytes.len++;
    assert_code(pp_frame_write(&wr, PP_FRAME_REQUESTS, &f), PP_E_LIMIT);
    f.bytes.len = PP_FRAME_PEER_BYTES_MAX;
    wr = pp_wr_over(out, sizeof out);
    assert_ok(pp_frame_write(&wr, PP_FRAME_PEER_REQUESTS, &f));
    f.bytes.len++;
    assert_code(pp_frame_write(&wr, PP_FRAME_PEER_REQUESTS, &f), PP_E_LIMIT);
    f = frame(PP_FRAME_LAST, SID, pp_span(big, PP_FRAME_ANSWER_BYTES_MAX));
    wr = pp_wr_over(out, sizeof out);
    assert_ok(pp_frame_write(&wr, PP_FRAME_ANSWERS, &f));
    f.bytes.len++;
    assert_code(pp_frame_write(&wr, PP_FRAME_ANSWERS, &f), PP_E_LIMIT);
}

static void a_stream_is_lost_after_its_first_bad_frame(void **state)
{
    uint8_t stream[64] = { 9 };
    uint8_t body[64];
    struct pp_wr wr = pp_wr_over(stream + PP_FRAME_HEAD_BYTES, sizeof stream - PP_FRAME_HEAD_BYTES);
    struct pp_frame good = frame(PP_FRAME_CLOSE, SID, PP_STR(""));
    struct pp_frame_rd rd;
    const struct pp_frame *got = NULL;

    (void)state;
    assert_ok(pp_frame_write(&wr, PP_FRAME_REQUESTS, &good));
    struct pp_span in = PP_BYTES(stream);
    pp_frame_rd_init(&rd, PP_FRAME_REQUESTS, body, sizeof body);
    assert_code(pp_frame_feed(&rd, &in, &got), PP_E_UNSUPPORTED);
    assert_code(pp_frame_feed(&rd, &in, &got), PP_E_UNSUPPORTED);
    assert_null(got);
}

static void the_writer_writes_only_what_the_reader_takes(void **state)
{
    static const struct {
        enum pp_frame_side side;
        uint8_t kind;
        int sid, bytes;
        enum pp_code code;
    } ROWS[] = {
        { PP_FRAME_REQUESTS, 0, 0, 0, PP_E_UNSUPPORTED },
        { PP_FRAME_REQUESTS, PP_FRAME_OPEN, 1, 1, PP_E_FORMAT },
        { PP_FRAME_REQUESTS, PP_FRAME_OPEN, 0, 1, PP_E_OK },
        { PP_FRAME_REQUESTS, PP_FRAME_CLOSE, 1, 1, PP_E_FORMAT },
        { PP_FRAME_REQUESTS, PP_FRAME_CLOSE, 1, 0, PP_E_OK },
        { PP_FRAME_ANSWERS, 4, 1, 0, PP_E_UNSUPPORTED },
        { PP_FRAME_ANSWERS, PP_FRAME_BUSY, 1, 0, PP_E_FORMAT },
        { PP_FRAME_ANSWERS, PP_FRAME_BUSY, 0, 1, PP_E_FORMAT },
        { PP_FRAME_ANSWERS, PP_FRAME_BUSY, 0, 0, PP_E_OK },
        { PP_FRAME_ANSWERS, PP_FRAME_GONE, 1, 1, PP_E_FORMAT },
        { PP_FRAME_ANSWERS, PP_FRAME_GONE, 1, 0, PP_E_OK },
        { PP_FRAME_ANSWERS, PP_FRAME_MORE, 1, 1, PP_E_OK },
    };
    uint8_t out[64];

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        struct pp_frame f = frame(ROWS[i].kind, ROWS[i].sid ? SID : NULL,
                                  ROWS[i].bytes ? PP_STR("x") : PP_STR(""));
        struct pp_wr wr = pp_wr_over(out, sizeof out);
        assert_code(pp_frame_write(&wr, ROWS[i].side, &f), ROWS[i].code);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(frames_do_not_depend_on_how_the_stream_is_cut),
    cmocka_unit_test(lengths_stop_at_the_sides_limit_and_at_the_buffer),
    cmocka_unit_test(a_stream_is_lost_after_its_first_bad_frame),
    cmocka_unit_test(the_writer_writes_only_what_the_reader_takes),
};

PP_TEST_MAIN(tests)
