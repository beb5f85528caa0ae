/* SPDX-License-Identifier: Apache-2.0 */
/* The exchanges of whole messages; chunked ones are chunked.c. */
#include "world.h"

#include "allocations.h"

/* --- #1 ------------------------------------------------------------------------------------- */

static void the_first_exchange_opens_a_session_on_one_cvm(void **state)
{
    struct world *w = *state;

    open_session(w);
    assert_int_equal(w->device.answer.content_len, FLIGHT_BYTES);
    assert_int_equal(w->device.answer.content[FLIGHT_BYTES - 1], 0xf1);
    assert_int_equal(strlen(w->device.answer.handle), PP_HANDLE_TEXT_BYTES);
    assert_int_equal(w->device.answer.field_count, 1);
    assert_int_equal(TOTAL(w, opens), 1);
    assert_int_equal(gw_service_totals(w->service)->sessions, 1);

    all_behave(w, IN_PIECES);
    open_session(w);
    assert_int_equal(w->device.answer.content_len, FLIGHT_BYTES);
}

/* pp-wire 12, "#1 twice": replay 400, in the same bucket; never a second session. */
static void the_first_exchange_twice_never_gives_a_second_session(void **state)
{
    struct world *w = *state;

    open_session(w);
    post(w); /* the same body again */
    assert_answer(w, 400, 32768);
    assert_int_equal(TOTAL(w, opens), 1);
    assert_int_equal(gw_service_totals(w->service)->replayed, 1);
}

static size_t remembered(const struct world *w)
{
    size_t n = 0;

    for (size_t i = 0; i < PP_REPLAY_BUCKETS; i++)
        n += w->decap.replay.used[i];
    return n;
}

/* Else whoever can post a body fills the window, at no cost, for everybody. */
static void who_has_no_token_takes_no_room_in_the_replay_window(void **state)
{
    static const char *const WRONG_HANDLE = "AAAA";
    struct world *w = *state;
    struct pp_bhttp m = device_message("/");

    device_seal_open_with(&w->device, PP_STR("not a token"));
    post(w);
    assert_answer(w, 401, 32768);
    device_seal_continue(&w->device, WRONG_HANDLE, "4", 4096);
    post(w);
    assert_answer(w, 410, 4096);
    device_seal(&w->device, &m, 4096);
    post(w);
    assert_answer(w, 403, 1024);
    post(w); /* the same again is refused again, and looks the same */
    assert_answer(w, 403, 1024);
    assert_int_equal(remembered(w), 0);

    const struct pp_span token = device_token_field(&w->device, 0);
    device_seal_open_with(&w->device, token);
    post(w);
    assert_answer(w, 200, 32768);
    assert_int_equal(remembered(w), 1);
    device_seal_open_with(&w->device, device_token_field(&w->device, 0)); /* spent */
    post(w);
    assert_answer(w, 401, 32768);
    assert_int_equal(remembered(w), 1);
}

static void fill_window(struct world *w)
{
    pp_res r;

    do {
        uint8_t enc[32];
        assert_ok(pp_random_fill(&w->random, enc, sizeof enc));
        r = pp_replay_insert(&w->decap.replay, PP_BYTES(enc), pp_clock_mono_ms(&w->clock));
    } while (pp_is_ok(r));
    assert_code(r, PP_E_BUSY);
}

/* Tokens and sessions serve once by themselves, so a full window need not stop anybody. */
static void a_full_replay_window_stops_neither_exchange_and_nothing_is_served_twice(void **state)
{
    struct world *w = *state;
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    fill_window(w);
    open_session(w);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    post(w); /* #1 once more: the spent-token store */
    assert_answer(w, 401, 32768);
    assert_int_equal(TOTAL(w, opens), 1);
    device_seal_continue(&w->device, handle, "4", 4096);
    post(w);
    assert_answer(w, 200, 4096);
    all_behave(w, IS_GONE); /* as a CVM is after the one `continue` */
    post(w);
    assert_answer(w, 410, 4096);
    assert_int_equal(w->decap.unremembered, 3);
    assert_int_equal(gw_service_totals(w->service)->replayed, 0);
}

static void a_body_of_no_buckets_size_is_400_in_clear(void **state)
{
    struct world *w = *state;

    device_seal_open(&w->device);
    for (int i = -1; i <= 1; i += 2) {
        w->device.body_len = (size_t)(4096 + i);
        post(w);
        assert_clear(w, 400);
    }
    assert_int_equal(gw_service_totals(w->service)->malformed, 2);
    assert_int_equal(gw_service_totals(w->service)->unopened, 0); /* nobody tried */
}

static void w4_t2_a_token_in_a_second_request_is_401_and_no_cvm_is_asked(void **state)
{
    struct world *w = *state;

    open_session(w);
    device_seal_open_with(&w->device,
                          device_token_field(&w->device, 0)); /* freshly sealed, so no replay */
    post(w);
    assert_answer(w, 401, 32768);
    assert_int_equal(TOTAL(w, opens), 1);
    assert_int_equal(gw_service_totals(w->service)->token_refused, 1);
}

static void every_fault_of_a_token_is_the_same_401(void **state)
{
    struct world *w = *state;
    char field[PP_TOKEN_FIELD_BYTES_MAX];
    size_t len = device_token_field(&w->device, 0).len;

    for (size_t i = 0; i < 6; i++) {
        memcpy(field, device_token_field(&w->device, 0).at, len);
        size_t at[] = {
            25, 60, 120, 180, 3, len - 2
        }; /* type, nonce, key id, proof, scheme, quote */
        field[at[i]] = field[at[i]] == 'A' ? 'B' : 'A';
        device_seal_open_with(&w->device, pp_span(field, len));
        post(w);
        assert_answer(w, 401, 32768);
    }
    device_seal_open_with(&w->device, PP_STR(""));
    post(w);
    assert_answer(w, 401, 32768);
    device_seal_open_with(&w->device, PP_STR("Bearer x"));
    post(w);
    assert_answer(w, 401, 32768);
    static const uint8_t LONG[PP_TOKEN_FIELD_BYTES_MAX + 1] = {
        [0 ... PP_TOKEN_FIELD_BYTES_MAX] = 'a'
    };
    device_seal_open_with(&w->device, PP_BYTES(LONG));
    post(w);
    assert_answer(w, 401, 32768);
    assert_int_equal(TOTAL(w, opens), 0);
    device_seal_open_with(&w->device,
                          device_token_field(&w->device, 0)); /* and none of it spent the token */
    post(w);
    assert_answer(w, 200, 32768);
}

static void a_token_outside_its_epoch_is_refused(void **state)
{
    struct world *w = *state;

    w->later_s = 2 * PP_EPOCH_SECONDS;
    device_seal_open(&w->device);
    post(w);
    assert_answer(w, 401, 32768);
}

/* pp-wire 12, "CVM busy": at most two others, then 503, and the token stays spent. */
static void busy_cvms_are_passed_over_twice_and_not_three_times(void **state)
{
    struct world *w = *state;
    const struct pp_span token = device_token_field(&w->device, 0);

    all_behave(w, IS_BUSY);
    device_seal_open_with(&w->device, token);
    post(w);
    assert_answer(w, 503, 32768);
    assert_int_equal(TOTAL(w, opens), GW_CVM_TRIES_MAX);
    for (size_t i = 0; i < CVMS; i++)
        assert_true(w->cvm[i].opens <= 1);

    all_behave(w, ANSWERS);
    device_seal_open_with(&w->device, device_token_field(&w->device, 0));
    post(w);
    assert_answer(w, 401, 32768);
}

static void the_session_opens_on_a_cvm_that_is_not_busy(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 8; i++) {
        all_behave(w, IS_BUSY);
        w->cvm[0].behaviour = w->cvm[1].behaviour = ANSWERS; /* two of four: three tries find one */
        open_session(w);
    }
    assert_int_equal(w->cvm[0].opens + w->cvm[1].opens, 8);
}

static void cvms_that_cannot_be_reached_count_as_busy(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < CVMS; i++)
        stop_cvm(&w->cvm[i]);
    device_seal_open(&w->device);
    post(w);
    assert_answer(w, 503, 32768);
    assert_int_equal(gw_cvms_lost(w->cvms), GW_CVM_TRIES_MAX);
}

static void a_cvm_that_breaks_off_or_lies_gets_no_session(void **state)
{
    struct world *w = *state;
    static const enum behaviour rows[] = { BREAKS_OFF, BREAKS_HALF, WRONG_SID, WRONG_TAG, IS_GONE };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        all_behave(w, rows[i]);
        device_seal_open(&w->device);
        post(w);
        assert_answer(w, 503, 32768);
    }
    all_behave(w, TOO_LARGE);
    device_seal_open(&w->device);
    post(w);
    assert_answer(w, 503, 32768);
}

static void a_cvm_whose_connection_broke_is_no_candidate_for_a_while(void **state)
{
    struct world *w = *state;

    assert_int_equal(gw_cvms_candidates(w->cvms), 0xf);
    all_behave(w, BREAKS_OFF);
    device_seal_open(&w->device);
    post(w);
    assert_answer(w, 503, 32768);
    assert_int_equal(__builtin_popcountll(gw_cvms_candidates(w->cvms)), CVMS - GW_CVM_TRIES_MAX);
}

static void a_silent_cvm_is_given_up_at_the_deadline_and_closed_later(void **state)
{
    struct world *w = *state;

    all_behave(w, IS_SILENT);
    device_seal_open(&w->device);
    post(w);
    assert_answer(w, 503, 32768);
    assert_int_equal(TOTAL(w, opens), 1); /* it was taken, so nobody else is asked */
    assert_int_equal(TOTAL(w, closes), 0);
}

/* The one answer to who comes when there is no room, and then there is room again. */
static void who_finds_no_place_is_told_503_at_once_and_nothing_is_opened(void **state)
{
    struct world *w = *state;
    static const struct pp_http_field TYPE = FIELD("content-type", "message/ohttp-req");

    all_behave(w, IS_SILENT);
    device_seal_open(&w->device);
    start_call(w, &TYPE, 1);
    start_call(w, &TYPE, 1);
    run(w);
    assert_clear(w, 503);
    assert_int_equal(gw_service_totals(w->service)->shed, 1);
    run(w);
    assert_answer(w, 503, 32768); /* the other one waited for its CVM */
    assert_int_equal(TOTAL(w, opens), 1);
    all_behave(w, ANSWERS);
    for (int i = 0; i < 10 && w->device.answer.status != 200; i++) { /* in its one second */
        device_seal_open(&w->device);
        post(w);
    }
    assert_answer(w, 200, 32768);
}

static void without_an_opener_everybody_is_told_503(void **state)
{
    struct world *w = *state;

    assert_int_equal(shutdown(w->desks[0].fd, SHUT_RDWR), 0);
    while (pp_is_ok(w->desk_end)) /* what it told before may come first */
        gw_link_read(w->decap.opener);
    assert_code(w->desk_end, PP_E_CLOSED);
    device_seal_open(&w->device);
    post(w);
    assert_clear(w, 503);
    assert_int_equal(gw_service_totals(w->service)->shed, 1);
}

/* Both ends may close a connection that idles; the request behind that goes over a new one. */
static void a_connection_that_idled_is_made_again_for_the_next_request(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < 3; i++) {
        open_session(w);
        assert_int_equal(TOTAL(w, accepted), i + 1);
        while (gw_cvms_connected(w->cvms) > 0) {
            pp_timer_set(w->tick, 10);
            assert_ok(pp_loop_run(w->loop));
        }
    }
    assert_int_equal(gw_cvms_lost(w->cvms), 0);
    char handle[PP_HANDLE_TEXT_BYTES + 1];
    memcpy(handle, w->device.answer.handle, sizeof handle);
    device_seal_continue(&w->device, handle, "4", 4096);
    post(w);
    assert_answer(w, 200, 4096);
}

/* pp-wire 12, "client gone before #1's answer": the gateway sends close. */
static void a_client_that_leaves_before_the_answer_gets_its_session_closed(void **state)
{
    struct world *w = *state;
    static const struct pp_http_field TYPE = FIELD("content-type", "message/ohttp-req");

    for (int i = 0; i < 2; i++) { /* before the session has an id, and behind its first frame */
        all_behave(w, i == 0 ? LATE : HALF_ONLY);
        w->leave_when_asked = 1;
        w->stop_at_close = 1;
        device_seal_open(&w->device);
        start_call(w, &TYPE, 1);
        run(w);
        assert_int_equal(TOTAL(w, opens), i + 1);
        assert_int_equal(TOTAL(w, closes), i + 1);
        for (size_t k = 0; k < CVMS; k++)
            assert_true(w->cvm[k].closes == 0 || w->cvm[k].closed_sid[0] == 7);
    }
    w->stop_at_close = 0;
    all_behave(w, ANSWERS);
    open_session(w); /* and the gateway goes on */
}

/* --- #2 ------------------------------------------------------------------------------------- */

static void the_second_exchange_reaches_the_cvm_of_its_session(void **state)
{
    struct world *w = *state;
    static const char *const max[] = { "1", "2", "4", "8", "16" };
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    for (size_t i = 0; i < PP_ARRAY_COUNT(max); i++) {
        open_session(w);
        size_t opened_on = 0;
        while (w->cvm[opened_on].opens == 0)
            opened_on++;
        w->cvm[opened_on].opens = 0;
        memcpy(handle, w->device.answer.handle, sizeof handle);
        device_seal_continue(&w->device, handle, max[i], (size_t)2048 << i);
        post(w);
        assert_answer(w, 200, (size_t)1024 << i);
        assert_int_equal(w->device.answer.content_len, 700);
        assert_int_equal(w->device.answer.field_count, 0);
        assert_int_equal(w->cvm[opened_on].continues, 1);
        assert_int_equal(w->cvm[opened_on].last.sid[0], 7);
        assert_int_equal(w->cvm[opened_on].last_len, 1000);
        w->cvm[opened_on].continues = 0;
    }
}

/* pp-wire 12, "#2 twice": same gateway: 400; the first run is not disturbed. */
static void the_second_exchange_twice_runs_once(void **state)
{
    struct world *w = *state;

    open_session(w);
    char handle[PP_HANDLE_TEXT_BYTES + 1];
    memcpy(handle, w->device.answer.handle, sizeof handle);
    device_seal_continue(&w->device, handle, "4", 4096);
    post(w);
    assert_answer(w, 200, 4096);
    post(w);
    assert_answer(w, 400, 4096);
    assert_int_equal(TOTAL(w, continues), 1);
}

/* pp-wire 12, "#2 after 30 s", and single use, which the CVM enforces. */
static void a_session_that_is_gone_is_410_in_its_bucket(void **state)
{
    struct world *w = *state;
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    open_session(w);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    all_behave(w, IS_GONE);
    device_seal_continue(&w->device, handle, "2", 2048);
    post(w);
    assert_answer(w, 410, 2048);

    w->later_s = 31;
    device_seal_continue(&w->device, handle, "8", 2048);
    post(w);
    assert_answer(w, 410, 8192);
    assert_int_equal(TOTAL(w, continues), 1); /* an expired handle is not asked about */
    assert_int_equal(gw_service_totals(w->service)->gone, 2);
}

static void every_wrong_handle_is_the_same_410(void **state)
{
    struct world *w = *state;
    char handle[PP_HANDLE_TEXT_BYTES + 1], changed[PP_HANDLE_TEXT_BYTES + 4];

    open_session(w);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    for (size_t at = 0; at < PP_HANDLE_TEXT_BYTES; at += 7) {
        memcpy(changed, handle, sizeof handle);
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        device_seal_continue(&w->device, changed, "1", 2048);
        post(w);
        assert_answer(w, 410, 1024);
    }
    static const char *const others[] = { "", "x", "AAAA", "A/B" };
    for (size_t i = 0; i < PP_ARRAY_COUNT(others); i++) {
        device_seal_continue(&w->device, others[i], "1", 2048);
        post(w);
        assert_answer(w, 410, 1024);
    }
    assert_int_equal(TOTAL(w, continues), 0);
}

static void a_handle_of_a_cvm_that_this_gateway_does_not_know_is_410(void **state)
{
    struct world *w = *state;
    struct pp_handle h = { .address = { .family = PP_FAMILY_IP4, .bytes = { 10, 0, 0, 1 } },
                           .sid = { 1 },
                           .expiry_posix_s = pp_clock_posix_s(&w->clock) + 30 };
    char handle[PP_HANDLE_TEXT_BYTES + 1] = { 0 };

    h.address.port = 9;
    assert_ok(pp_handle_seal(&w->handle_keys, &w->random, &h, handle));
    device_seal_continue(&w->device, handle, "1", 2048);
    post(w);
    assert_answer(w, 410, 1024);
}

static void what_goes_wrong_in_a_cvm_is_502_in_the_bucket(void **state)
{
    struct world *w = *state;
    static const enum behaviour rows[] = { BREAKS_OFF, BREAKS_HALF, WRONG_SID,
                                           WRONG_TAG,  TOO_LARGE,   IS_BUSY };
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        all_behave(w, ANSWERS);
        open_session(w);
        memcpy(handle, w->device.answer.handle, sizeof handle);
        all_behave(w, rows[i]);
        device_seal_continue(&w->device, handle, "4", 4096);
        post(w);
        assert_answer(w, 502, 4096);
    }
}

static void a_cvm_that_does_not_answer_is_504_and_its_session_closed(void **state)
{
    struct world *w = *state;
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    open_session(w);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    all_behave(w, IS_SILENT);
    device_seal_continue(&w->device, handle, "4", 4096);
    post(w);
    assert_answer(w, 504, 4096);
    if (TOTAL(w, closes) == 0) { /* nobody will read what the session still says */
        w->stop_at_close = 1;
        run(w);
    }
    assert_int_equal(TOTAL(w, closes), 1);
}

static void an_answer_that_does_not_fit_its_bucket_is_502(void **state)
{
    struct world *w = *state;
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    open_session(w);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    all_behave(w, ANSWERS); /* 700 bytes: fits 1 KiB */
    device_seal_continue(&w->device, handle, "1", 2048);
    post(w);
    assert_answer(w, 200, 1024);
    open_session(w);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    all_behave(w, TOO_LARGE);
    device_seal_continue(&w->device, handle, "16", 2048);
    post(w);
    assert_answer(w, 502, 16384);
}

static void large_requests_pass_whole(void **state)
{
    struct world *w = *state;
    static uint8_t content[260000];
    char handle[PP_HANDLE_TEXT_BYTES + 1], path[160];

    open_session(w);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    snprintf(path, sizeof path, "/v1/sessions/%s", handle);
    struct pp_bhttp m = device_message(path);
    assert_ok(pp_bhttp_add(&m, &m.header, PP_STR("pp-max"), PP_STR("16")));
    pp_bhttp_set_content(&m, PP_BYTES(content));
    device_seal(&w->device, &m, GW_BODY_BYTES_MAX);
    post(w);
    assert_answer(w, 200, 16384);
    for (size_t i = 0; i < CVMS; i++)
        if (w->cvm[i].continues == 1)
            assert_int_equal(w->cvm[i].last_len, sizeof content);
}

/* --- what never gets that far --------------------------------------------------------------- */

static void w4_t3_a_relay_that_says_anything_about_the_client_is_refused(void **state)
{
    struct world *w = *state;
    static const struct pp_http_field rows[] = {
        FIELD("x-forwarded-for", "192.0.2.1"),
        FIELD("forwarded", "for=192.0.2.1"),
        FIELD("via", "1.1 relay"),
        FIELD("cf-connecting-ip", "192.0.2.1"),
        FIELD("cf-ipcountry", "CH"),
        FIELD("x-geo", "46.9,7.4"),
        FIELD("accept-language", "de"),
        FIELD("date", "Mon, 27 Jul 2009 12:28:53 GMT"),
        FIELD("user-agent", "x"),
        FIELD("cookie", "a=b"),
        FIELD("authorization", "x"),
        FIELD("traceparent", "00-0-0-0"),
        FIELD("accept", "*/*"),
        FIELD("incremental", "?1"),
    };
    static const char *const queries[] = { "?", "?user=4711" };
    static const struct pp_http_field type = FIELD("content-type", "message/ohttp-req");

    device_seal_open(&w->device);
    for (size_t i = 0; i < PP_ARRAY_COUNT(queries); i++) {
        start_call_with(w, queries[i], &type, 1);
        run(w);
        assert_clear(w, 400);
    }
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_http_field fields[2] = { FIELD("content-type", "message/ohttp-req") };
        fields[1] = rows[i];
        start_call(w, fields, 2);
        run(w);
        assert_clear(w, 400);
    }
    post(w); /* without it the same body is fine: nothing of it was opened or remembered */
    assert_answer(w, 200, 32768);
}

static void refused_readable(void *ctx, struct pp_stream *s)
{
    static const char REFUSED[] = "HTTP/1.1 400 ";
    struct pp_span input = pp_stream_input(s);

    if (input.len < sizeof REFUSED - 1)
        return;
    assert_memory_equal(input.at, REFUSED, sizeof REFUSED - 1);
    pp_loop_stop(((struct world *)ctx)->loop);
}

static void refused_ended(void *ctx, struct pp_stream *s, pp_res why)
{
    (void)ctx;
    (void)s;
    pp_ignore(why, "the refusal was read, or the test has waited long enough");
}

/* RFC 9112, 9.3: whether the connection is kept is between relay and gateway, in clear. */
static void a_relay_may_say_whether_the_connection_is_kept(void **state)
{
    static const struct pp_http_field FIELDS[][2] = {
        { FIELD("content-type", "message/ohttp-req"), FIELD("connection", "keep-alive") },
        { FIELD("content-type", "message/ohttp-req"), FIELD("connection", "Keep-Alive") },
        { FIELD("content-type", "message/ohttp-req"), FIELD("connection", "close") },
    };
    struct world *w = *state;

    for (size_t i = 0; i < PP_ARRAY_COUNT(FIELDS); i++) {
        device_seal_open(&w->device);
        start_call(w, FIELDS[i], 2);
        run(w);
        assert_answer(w, 200, 32768);
    }
}

/* Our own client sends no such field, so this one is no client of ours. */
static void w4_t3_connection_is_no_room_for_a_mark(void **state)
{
    static const char HEAD[] = "POST /.well-known/ohttp-gateway HTTP/1.1\r\nHost: x\r\n"
                               "Content-Type: message/ohttp-req\r\nContent-Length: 4096\r\n"
                               "Connection: keep-alive, user-4711\r\n\r\n";
    struct world *w = *state;
    const struct pp_stream_config c = { .in_bytes_max = 4096,
                                        .out_bytes_max = 8192,
                                        .readable = refused_readable,
                                        .ended = refused_ended,
                                        .ctx = w };
    struct pp_stream *s = NULL;

    assert_ok(pp_stream_connect(w->loop, &w->listener.address, &c, 1000, &s));
    device_seal_open(&w->device);
    assert_ok(pp_stream_write(s, pp_span_cstr(HEAD)));
    assert_ok(pp_stream_write(s, pp_span(w->device.body, w->device.body_len)));
    run(w);
    pp_stream_free(s);
    assert_int_equal(gw_service_totals(w->service)->malformed, 1);
    post(w);
    assert_answer(w, 200, 32768);
}

static void another_content_type_is_415(void **state)
{
    struct world *w = *state;
    static const struct pp_http_field rows[] = {
        FIELD("content-type", "message/bhttp"),
        FIELD("content-type", "message/ohttp-res"),
        FIELD("content-type", "message/ohttp-chunked-res"),
        FIELD("content-type", "message/ohttp-chunked-req;user=4711"),
        FIELD("content-type", "message/ohttp-req;user=4711"),
        FIELD("content-type", "message/ohttp-req; charset=utf-8"),
        FIELD("content-type", "Message/OHTTP-req"),
    };

    device_seal_open(&w->device);
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        start_call(w, &rows[i], 1);
        run(w);
        assert_clear(w, 415);
    }
    start_call(w, NULL, 0);
    run(w);
    assert_clear(w, 415);
}

/* ohttp 6 and W3 R: one status and one body for all that was not opened. */
static void w3_r_an_unknown_key_and_a_broken_message_look_the_same(void **state)
{
    struct world *w = *state;
    static const size_t at[] = { 0, 1, 4, 6, 20, 4095 }; /* key, KEM, KDF, AEAD, enc, tag */
    size_t len = 0;

    for (size_t i = 0; i < PP_ARRAY_COUNT(at); i++) {
        device_seal_open(&w->device);
        w->device.body[at[i]] ^= 2;
        post(w);
        assert_clear(w, 422);
        assert_true(len == 0 || len == w->seen.outer_len);
        len = w->seen.outer_len;
    }
    assert_int_equal(gw_service_totals(w->service)->unopened, PP_ARRAY_COUNT(at));
}

static void a_body_too_short_to_be_one_is_400_and_too_long_413(void **state)
{
    struct world *w = *state;
    static const size_t lengths[] = { 0, 1, 6, 7, 54 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(lengths); i++) {
        device_seal_open(&w->device);
        w->device.body_len = lengths[i];
        post(w);
        assert_clear(w, 400);
    }
    w->device.body_len = GW_BODY_BYTES_MAX + 1;
    post(w);
    assert_int_equal(w->seen.outer_status, 413);
}

/* pp-wire 12, "inner request unparseable, or neither #1 nor #2". */
static void w16_t3_what_is_neither_exchange_is_refused_in_one_kib(void **state)
{
    struct world *w = *state;
    struct pp_wr out = pp_wr_over(w->device.body, sizeof w->device.body);
    static uint8_t junk[4096 - 55] = { 0x77 };

    pp_ohttp_done(&w->device.exchange);
    assert_ok(pp_ohttp_request_seal(&w->device.exchange, &w->device.key, DEVICE_SUITE, &w->random,
                                    PP_BYTES(junk), &out));
    w->device.body_len = out.len;
    post(w);
    assert_answer(w, 400, 1024);

    struct pp_bhttp m = device_message("/");
    device_seal(&w->device, &m, 4096);
    post(w);
    assert_answer(w, 403, 1024);
    m = device_message("/v1/sessions"); /* no token field */
    device_seal(&w->device, &m, 4096);
    post(w);
    assert_answer(w, 400, 1024);
    device_seal_open(&w->device);
    m = device_message("/v1/sessions");
    assert_ok(
        pp_bhttp_add(&m, &m.header, PP_STR("authorization"), device_token_field(&w->device, 1)));
    device_seal(&w->device, &m, 8192); /* another size than that of #1 */
    post(w);
    assert_answer(w, 400, 1024);
    assert_int_equal(TOTAL(w, opens), 0);
}

static void the_key_list_is_served_to_whoever_asks(void **state)
{
    struct world *w = *state;
    char url[80];
    struct pp_http_call call = { .method = "GET", .url = url, .deadline_ms = PATIENCE_MS };

    open_session(w); /* the opener told its keys before it answered */
    pp_ohttp_done(&w->device.exchange);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/.well-known/ohttp-gateway",
             w->listener.address.port);
    assert_ok(pp_http_client_start(w->client, &call, on_response, w, &w->pending));
    run(w);
    assert_int_equal(w->seen.outer_status, 200);
    assert_string_equal(w->seen.outer_type, "application/ohttp-keys");
    assert_int_equal(w->seen.outer_len, 2 + 3 + 32 + 2 + 4);
    gw_service_set_keys(w->service, PP_STR("")); /* the last one has ended */
    assert_ok(pp_http_client_start(w->client, &call, on_response, w, &w->pending));
    run(w);
    assert_clear(w, 503);
    call.method = "PUT";
    assert_ok(pp_http_client_start(w->client, &call, on_response, w, &w->pending));
    run(w);
    assert_int_equal(w->seen.outer_status, 405);
}

static void a_service_has_one_place_to_as_many_as_a_server_has_connections(void **state)
{
    (void)state;
    struct gw_service_config c = { .job_count = 0 };
    struct gw_service *s = NULL;

    assert_code(gw_service_new(&c, &s), PP_E_RANGE);
    c.job_count = GW_JOBS_MAX + 1;
    assert_code(gw_service_new(&c, &s), PP_E_RANGE);
    assert_null(s);
}

/* --- time and memory ------------------------------------------------------------------------ */

/* one (size, time) class for success, refusal and error. */
static void w16_t3_sealed_answers_leave_on_the_grid(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 3; i++) {
        all_behave(w, i == 1 ? IS_BUSY : ANSWERS);
        if (i < 2)
            device_seal_open(&w->device);
        else
            device_seal_open_with(&w->device, PP_STR("not a token"));
        uint64_t from = pp_clock_mono_ms(&w->clock);
        post(w);
        uint64_t took = pp_clock_mono_ms(&w->clock) - from;
        assert_answer(w, i == 0 ? 200 : i == 1 ? 503 : 401, 32768);
        assert_true(took >= GRID_MS);
    }
}

/* At once, and nothing to learn from it. */
static void a_refusal_in_clear_waits_for_no_grid(void **state)
{
    struct world *w = *state;

    device_seal_open(&w->device);
    w->device.body[0] ^= 1;
    post(w);
    assert_clear(w, 422);
}

/* A client that allocates nothing: one kept connection, one head for every request. */
struct raw {
    struct world *w;
    uint8_t got[70000];
    size_t len;
};

static void raw_readable(void *ctx, struct pp_stream *s)
{
    struct raw *raw = ctx;
    struct pp_span input = pp_stream_input(s);

    assert_true(raw->len + input.len < sizeof raw->got);
    memcpy(raw->got + raw->len, input.at, input.len);
    raw->len += input.len;
    pp_stream_consume(s, input.len);
    raw->got[raw->len] = 0;
    char *end = strstr((char *)raw->got, "\r\n\r\n");
    char *length = strcasestr((char *)raw->got, "content-length: ");
    if (end == NULL || length == NULL)
        return;
    size_t head = (size_t)(end + 4 - (char *)raw->got);
    if (raw->len - head < strtoul(length + 16, NULL, 10))
        return;
    device_read_answer(&raw->w->device, pp_span(raw->got + head, raw->len - head));
    raw->len = 0;
    pp_loop_stop(raw->w->loop);
}

static void raw_ended(void *ctx, struct pp_stream *s, pp_res why)
{
    (void)ctx;
    (void)s;
    pp_ignore(why, "the test fails below");
    fail_msg("%s", "the gateway closed the connection");
}

static void raw_post(struct world *w, struct pp_stream *s)
{
    char head[256];

    snprintf(head, sizeof head,
             "POST /.well-known/ohttp-gateway HTTP/1.1\r\nHost: x\r\n"
             "Content-Type: message/ohttp-req\r\nContent-Length: %zu\r\n\r\n",
             w->device.body_len);
    w->device.answer.status = 0;
    assert_ok(pp_stream_write(s, pp_span_cstr(head)));
    assert_ok(pp_stream_write(s, pp_span(w->device.body, w->device.body_len)));
    run(w);
    assert_int_equal(w->device.answer.status, 200);
}

static void ignore_bytes(void *ctx, const uint8_t *sid, struct pp_span bytes)
{
    (void)ctx;
    (void)sid;
    (void)bytes;
}

static void stop_loop(void *ctx, enum gw_call_end how)
{
    assert_int_equal(how, GW_CALL_DONE);
    pp_loop_stop(((struct world *)ctx)->loop);
}

/* Connections are made when they are first needed, and take their memory then. */
static void connect_every_cvm(struct world *w)
{
    for (size_t i = 0; i < CVMS; i++) {
        struct gw_call call = { .bytes = ignore_bytes, .ended = stop_loop, .ctx = w };
        assert_ok(gw_call_start(w->cvms, i, NULL, PP_STR("hello"), &call));
        run(w);
    }
}

/* No malloc between reading a request and writing its answer; libraries' own are told. */
static void nothing_of_ours_allocates_between_request_and_answer(void **state)
{
    struct world *w = *state;
    static struct raw raw;
    const struct pp_stream_config c = { .in_bytes_max = 1 << 16,
                                        .out_bytes_max = 1 << 16,
                                        .readable = raw_readable,
                                        .ended = raw_ended,
                                        .ctx = &raw };
    struct pp_stream *s = NULL;
    unsigned long own[3] = { 0 }, all[3] = { 0 };
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    raw = (struct raw){ .w = w };
    connect_every_cvm(w);
    assert_ok(pp_stream_connect(w->loop, &w->listener.address, &c, 1000, &s));
    for (int i = 0; i < 30; i++) { /* ten rounds warm up, twenty are counted in two halves */
        unsigned long own_before = allocation_count_own, all_before = allocation_count;
        device_seal_open(&w->device);
        raw_post(w, s);
        memcpy(handle, w->device.answer.handle, sizeof handle);
        device_seal_continue(&w->device, handle, "1", 2048);
        raw_post(w, s);
        own[i / 10] += allocation_count_own - own_before;
        all[i / 10] += allocation_count - all_before;
    }
    pp_stream_free(s);
    if (ALLOCATIONS_COUNTED)
        print_message("a session, device and CVM included: %.1f allocations, all in libraries\n",
                      (double)all[2] / 10);
    assert_int_equal(own[1] + own[2], 0);
    assert_true(all[2] <= all[1] + 2); /* and they do not grow */
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define TEST_WITH_DEADLINES(test)                                                                  \
    cmocka_unit_test_setup_teardown(test, set_up_with_deadlines, tear_down)
#define TEST_IDLING(test)    cmocka_unit_test_setup_teardown(test, set_up_idling, tear_down)
#define TEST_WITH_GRID(test) cmocka_unit_test_setup_teardown(test, set_up_with_grid, tear_down)

static const struct CMUnitTest TESTS[] = {
    TEST(the_first_exchange_opens_a_session_on_one_cvm),
    TEST(the_first_exchange_twice_never_gives_a_second_session),
    TEST(who_has_no_token_takes_no_room_in_the_replay_window),
    TEST(a_full_replay_window_stops_neither_exchange_and_nothing_is_served_twice),
    TEST(a_body_of_no_buckets_size_is_400_in_clear),
    TEST(w4_t2_a_token_in_a_second_request_is_401_and_no_cvm_is_asked),
    TEST(every_fault_of_a_token_is_the_same_401),
    TEST(a_token_outside_its_epoch_is_refused),
    TEST(busy_cvms_are_passed_over_twice_and_not_three_times),
    TEST(the_session_opens_on_a_cvm_that_is_not_busy),
    TEST(cvms_that_cannot_be_reached_count_as_busy),
    TEST(a_cvm_that_breaks_off_or_lies_gets_no_session),
    TEST_IDLING(a_connection_that_idled_is_made_again_for_the_next_request),
    TEST(a_cvm_whose_connection_broke_is_no_candidate_for_a_while),
    cmocka_unit_test_setup_teardown(who_finds_no_place_is_told_503_at_once_and_nothing_is_opened,
                                    set_up_with_one_place, tear_down),
    TEST(without_an_opener_everybody_is_told_503),
    cmocka_unit_test_setup_teardown(a_silent_cvm_is_given_up_at_the_deadline_and_closed_later,
                                    set_up_with_one_place, tear_down),
    TEST(a_client_that_leaves_before_the_answer_gets_its_session_closed),
    TEST(the_second_exchange_reaches_the_cvm_of_its_session),
    TEST(the_second_exchange_twice_runs_once),
    TEST(a_session_that_is_gone_is_410_in_its_bucket),
    TEST(every_wrong_handle_is_the_same_410),
    TEST(a_handle_of_a_cvm_that_this_gateway_does_not_know_is_410),
    TEST(what_goes_wrong_in_a_cvm_is_502_in_the_bucket),
    TEST_WITH_DEADLINES(a_cvm_that_does_not_answer_is_504_and_its_session_closed),
    TEST(an_answer_that_does_not_fit_its_bucket_is_502),
    TEST(large_requests_pass_whole),
    TEST(w4_t3_a_relay_that_says_anything_about_the_client_is_refused),
    TEST(a_relay_may_say_whether_the_connection_is_kept),
    TEST(w4_t3_connection_is_no_room_for_a_mark),
    TEST(another_content_type_is_415),
    TEST(w3_r_an_unknown_key_and_a_broken_message_look_the_same),
    TEST(a_body_too_short_to_be_one_is_400_and_too_long_413),
    TEST(w16_t3_what_is_neither_exchange_is_refused_in_one_kib),
    TEST(the_key_list_is_served_to_whoever_asks),
    cmocka_unit_test(a_service_has_one_place_to_as_many_as_a_server_has_connections),
    TEST_WITH_GRID(w16_t3_sealed_answers_leave_on_the_grid),
    cmocka_unit_test_setup_teardown(a_refusal_in_clear_waits_for_no_grid, set_up_with_endless_grid,
                                    tear_down),
    TEST(nothing_of_ours_allocates_between_request_and_answer),
};

PP_TEST_MAIN(TESTS)
