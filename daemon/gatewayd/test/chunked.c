/* SPDX-License-Identifier: Apache-2.0 */
/* The exchanges in the chunked form (draft-ietf-ohai-chunked-ohttp; docs/protocol/ohttp.md). */
#include "world.h"

#include "allocations.h"

#include "chunked.h"
#include "failure.h"

enum { CUTS_MAX = 8, HEAD_BYTES = 7 + 32, NONCE_BYTES = 16, CHUNKS_MAX = 40 };

/* What a chunked answer looked like from outside, and what stood in it. */
struct heard {
    size_t len, piece_count, chunk_count;
    uint64_t piece_ms[CHUNKS_MAX]; /* when each piece came, from the call on */
    size_t chunk[CHUNKS_MAX];      /* lengths on the wire; the final one's is 0 */
    size_t final_len;
    uint64_t from_ms;
    struct world *world;
    int leave_at_once; /* behind the first piece */
    uint8_t body[70000];
};

static struct heard heard;

/* --- what a device sends --------------------------------------------------------------------- */

/* d->body: chunks of these lengths of plaintext, and the rest as the final one. */
static void seal_in_chunks(struct device *d, const struct pp_bhttp *m, size_t total,
                           const size_t *cuts, size_t cut_count)
{
    static uint8_t message[DEVICE_BODY_BYTES_MAX], mem[DEVICE_BODY_BYTES_MAX + 16];
    PP_AUTO(pp_ohttp_sender) s = { 0 };
    struct pp_wr wr = pp_wr_over(message, sizeof message);
    size_t around = HEAD_BYTES + 1 + 16, used = 0, at = 0;

    for (size_t i = 0; i < cut_count; i++)
        around += (cuts[i] + 16 < 64 ? 1u : cuts[i] + 16 < 16384 ? 2u : 4u) + 16;
    assert_ok(pp_bhttp_write_padded(m, total - around, &wr));
    pp_ohttp_done(&d->exchange);
    assert_ok(pp_ohttp_sender_start_request(&s, &d->exchange, &d->key, DEVICE_SUITE, &d->random,
                                            mem, sizeof mem));
    d->body_len = 0;
    for (size_t i = 0; i <= cut_count; i++) {
        size_t n = i < cut_count ? cuts[i] : wr.len - at;
        assert_ok(pp_ohttp_sender_feed(&s, message + at, n, &used));
        assert_int_equal(used, n);
        assert_ok(i < cut_count ? pp_ohttp_sender_cut(&s) : pp_ohttp_sender_end(&s));
        d->body_len += pp_ohttp_sender_take(&s, d->body + d->body_len,
                                            sizeof d->body - d->body_len);
        at += n;
    }
    assert_int_equal(d->body_len, total);
}

static void seal_open(struct device *d, size_t token, const size_t *cuts, size_t cut_count)
{
    struct pp_bhttp m = device_message("/v1/sessions");

    assert_ok(pp_bhttp_add(&m, &m.header, PP_STR("authorization"), device_token_field(d, token)));
    pp_bhttp_set_content(&m, PP_STR("client hello"));
    seal_in_chunks(d, &m, 4096, cuts, cut_count);
}

/* As pp-wire 8 has it: the request as one final chunk. */
static void seal_continue(struct device *d, const char *handle, const char *max)
{
    static char path[160];
    static uint8_t content[1000];

    snprintf(path, sizeof path, "/v1/sessions/%s", handle);
    struct pp_bhttp m = device_message(path);
    assert_ok(pp_bhttp_add(&m, &m.header, PP_STR("pp-max"), pp_span_cstr(max)));
    pp_bhttp_set_content(&m, PP_BYTES(content));
    seal_in_chunks(d, &m, 2048, NULL, 0);
}

/* --- what it hears --------------------------------------------------------------------------- */

static void look_at_chunks(struct pp_span body)
{
    struct pp_rd rd = pp_rd_span(body);
    uint64_t len;

    pp_rd_skip(&rd, NONCE_BYTES);
    heard.chunk_count = 0;
    do {
        len = pp_rd_varint(&rd);
        assert_ok(pp_rd_ok(&rd));
        assert_true(heard.chunk_count < CHUNKS_MAX);
        heard.chunk[heard.chunk_count++] = (size_t)len;
        heard.final_len = rd.left;
        pp_rd_skip(&rd, (size_t)len);
    } while (len > 0);
}

static void read_answer(struct device *d)
{
    static uint8_t mem[PP_OHTTP_CHUNK_SEALED_MAX], plain[70000];
    static struct pp_bhttp m;
    PP_AUTO(pp_ohttp_receiver) r = { 0 };
    struct pp_wr content = pp_wr_over(d->answer.content, sizeof d->answer.content);
    struct pp_span handle;
    size_t at = 0, len = 0;

    look_at_chunks(pp_span(heard.body, heard.len));
    assert_ok(pp_ohttp_receiver_start_response(&r, &d->exchange, mem, sizeof mem));
    while (at < heard.len) {
        size_t used = 0;
        assert_ok(pp_ohttp_receiver_feed(&r, heard.body + at, heard.len - at, &used));
        len += pp_ohttp_receiver_take(&r, plain + len, sizeof plain - len);
        at += used;
    }
    assert_ok(pp_ohttp_receiver_end(&r));
    len += pp_ohttp_receiver_take(&r, plain + len, sizeof plain - len);
    assert_true(pp_ohttp_receiver_is_done(&r));
    assert_ok(pp_bhttp_parse(pp_span(plain, len), &m));
    assert_int_equal(m.framing, PP_BHTTP_RESPONSE_INDETERMINATE);
    d->answer = (struct device_answer){ .status = m.status,
                                        .field_count = m.field_count,
                                        .content_len = m.content_len };
    pp_bhttp_content_copy(&m, &content);
    assert_ok(pp_wr_ok(&content));
    if (pp_is_ok(pp_bhttp_field(&m, m.header, PP_STR("pp-session"), &handle)))
        memcpy(d->answer.handle, handle.at, handle.len);
}

static int on_head(void *ctx, const struct pp_http_response *response)
{
    struct world *w = ctx;

    w->seen.outer_status = response->status;
    snprintf(w->seen.outer_type, sizeof w->seen.outer_type, "%.*s", (int)response->type.len,
             (const char *)response->type.at);
    return 1;
}

static int on_piece(void *ctx, struct pp_span bytes)
{
    struct world *w = ctx;

    assert_true(bytes.len <= sizeof heard.body - heard.len);
    memcpy(heard.body + heard.len, bytes.at, bytes.len);
    heard.len += bytes.len;
    if (heard.piece_count < CHUNKS_MAX)
        heard.piece_ms[heard.piece_count++] = pp_clock_mono_ms(&w->clock) - heard.from_ms;
    return heard.leave_at_once ? -1 : 1;
}

static void on_done(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct world *w = ctx;

    (void)response;
    w->seen.call = r;
    w->seen.outer_len = heard.len;
    pp_loop_stop(w->loop);
    if (pp_is_ok(r) && w->seen.outer_status == 200)
        read_answer(&w->device);
}

static void post_with(struct world *w, const struct pp_http_field *fields, size_t count)
{
    char url[80];
    const struct pp_http_call call = { .method = "POST",
                                       .url = url,
                                       .fields = fields,
                                       .field_count = count,
                                       .body = pp_span(w->device.body, w->device.body_len),
                                       .deadline_ms = PATIENCE_MS,
                                       .head = on_head,
                                       .piece = on_piece,
                                       .ctx = w };

    snprintf(url, sizeof url, "http://127.0.0.1:%u/.well-known/ohttp-gateway",
             w->listener.address.port);
    w->seen = (struct seen){ 0 };
    w->device.answer = (struct device_answer){ 0 };
    heard = (struct heard){ .from_ms = pp_clock_mono_ms(&w->clock),
                            .leave_at_once = heard.leave_at_once };
    assert_ok(pp_http_client_start(w->client, &call, on_done, w, &w->pending));
    run(w);
}

static const struct pp_http_field CHUNKED[] = { FIELD("content-type", "message/ohttp-chunked-req"),
                                                FIELD("incremental", "?1") };

static void post_chunked(struct world *w)
{
    post_with(w, CHUNKED, 2);
}

static void assert_chunked(const struct world *w, uint32_t status, size_t bucket)
{
    assert_ok(w->seen.call);
    assert_int_equal(w->seen.outer_status, 200);
    assert_string_equal(w->seen.outer_type, "message/ohttp-chunked-res");
    assert_int_equal(w->device.answer.status, status);
    assert_int_equal(w->seen.outer_len, bucket);
}

static void assert_no_effect(const struct world *w)
{
    assert_int_equal(TOTAL(w, opens), 0);
    assert_int_equal(TOTAL(w, continues), 0);
    for (size_t i = 0; i < PP_REPLAY_BUCKETS; i++)
        assert_int_equal(w->decap.replay.used[i], 0);
}

/* --- what works ------------------------------------------------------------------------------ */

static void a_chunked_first_exchange_opens_a_session_whatever_its_cuts(void **state)
{
    struct world *w = *state;
    static const size_t cuts[][CUTS_MAX] = {
        { 0 }, { 1 }, { 1, 1, 1, 1 }, { 47, 48, 49 }, { 3900 }, { 600, 1000, 2000 },
    };
    static const size_t counts[] = { 0, 1, 4, 3, 1, 3 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(counts); i++) {
        seal_open(&w->device, i, cuts[i], counts[i]);
        post_with(w, CHUNKED, 1 + i % 2); /* `Incremental` may be there, and need not */
        assert_chunked(w, 200, 32768);
        assert_int_equal(w->device.answer.content_len, FLIGHT_BYTES);
        assert_int_equal(w->device.answer.content[FLIGHT_BYTES - 1], 0xf1);
        assert_int_equal(strlen(w->device.answer.handle), PP_HANDLE_TEXT_BYTES);
        assert_int_equal(heard.chunk_count, 2);
        assert_int_equal(heard.chunk[0], PP_OHTTP_CHUNK_SEALED_MAX);
        assert_true(heard.final_len <= PP_OHTTP_CHUNK_SEALED_MAX);
    }
    assert_int_equal(TOTAL(w, opens), PP_ARRAY_COUNT(counts));
    assert_int_equal(gw_service_totals(w->service)->chunked, PP_ARRAY_COUNT(counts));
}

static const struct {
    const char *max;
    size_t bytes, chunks;
} BUCKETS[] = {
    { "1", 1024, 1 }, { "2", 2048, 3 }, { "4", 4096, 6 }, { "8", 8192, 13 }, { "16", 16384, 28 },
};

/* A chunk for each frame of pp-wire 8: floor((bucket - 256) / 576). */
static void assert_layout(size_t bucket)
{
    assert_int_equal(heard.chunk_count, BUCKETS[bucket].chunks);
    for (size_t i = 0; i + 1 < heard.chunk_count; i++)
        assert_int_equal(heard.chunk[i], 2 + 552 + 16);
    assert_int_equal(heard.chunk[heard.chunk_count - 1], 0);
    assert_int_equal(heard.final_len,
                     BUCKETS[bucket].bytes - NONCE_BYTES - (heard.chunk_count - 1) * 572 - 1);
}

/* pp-wire 3 and 8: sizes on the wire, those of chunks too, say the bucket and nothing else. */
static void w16_t3_whatever_the_outcome_a_bucket_has_the_same_chunks(void **state)
{
    static const struct {
        enum behaviour behaviour;
        uint32_t status;
    } rows[] = { { ANSWERS, 200 },    { IN_PIECES, 200 }, { IS_GONE, 410 },
                 { BREAKS_OFF, 502 }, { TOO_LARGE, 502 }, { STREAM_BREAKS, 0 } };
    struct world *w = *state;
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    for (size_t b = 0; b < PP_ARRAY_COUNT(BUCKETS); b++) {
        for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
            all_behave(w, ANSWERS);
            open_session(w);
            memcpy(handle, w->device.answer.handle, sizeof handle);
            all_behave(w, rows[i].behaviour);
            seal_continue(&w->device, handle, BUCKETS[b].max);
            post_chunked(w);
            /* Whether a chunk left before the accident is a race. */
            uint32_t status = rows[i].status != 0 ? rows[i].status : w->device.answer.status;
            assert_true(status == 200 || status >= 400);
            assert_chunked(w, status, BUCKETS[b].bytes);
            assert_layout(b);
        }
        seal_continue(&w->device, "nonsense", BUCKETS[b].max);
        post_chunked(w);
        assert_chunked(w, 410, BUCKETS[b].bytes);
        assert_layout(b);
    }
}

static void the_content_of_a_chunked_answer_is_that_of_the_cvm(void **state)
{
    struct world *w = *state;
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    for (int i = 0; i < 2; i++) {
        all_behave(w, ANSWERS);
        open_session(w);
        memcpy(handle, w->device.answer.handle, sizeof handle);
        all_behave(w, i == 0 ? ANSWERS : IN_PIECES);
        seal_continue(&w->device, handle, "2");
        post_chunked(w);
        assert_chunked(w, 200, 2048);
        assert_int_equal(w->device.answer.content_len, 700);
        for (size_t k = 0; k < 700; k++)
            assert_int_equal(w->device.answer.content[k], 0xf1);
    }
}

static void what_is_neither_exchange_is_one_chunk_in_one_kib(void **state)
{
    struct world *w = *state;
    struct pp_bhttp other = device_message("/elsewhere"), expects = device_message("/v1/sessions");

    seal_in_chunks(&w->device, &other, 2048, NULL, 0);
    post_chunked(w);
    assert_chunked(w, 403, 1024);
    assert_layout(0);
    assert_ok(pp_bhttp_add(&expects, &expects.header, PP_STR("expect"), PP_STR("100-continue")));
    seal_in_chunks(&w->device, &expects, 4096, NULL, 0);
    post_chunked(w); /* there could be a 100 before it; it is no field of ours all the same */
    assert_chunked(w, 400, 1024);
    assert_no_effect(w);
}

/* --- streams --------------------------------------------------------------------------------- */

/* Accidents behind the first chunk do not show in lengths; the TLS inside lacks its end. */
static void a_stream_that_stops_is_filled_to_its_bucket_at_the_deadline(void **state)
{
    struct world *w = *state;
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    open_session(w);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    all_behave(w, STREAM_STOPS);
    seal_continue(&w->device, handle, "4");
    post_chunked(w);
    assert_chunked(w, 200, 4096);
    assert_layout(2);
    assert_int_equal(w->device.answer.content_len, STREAMED_BYTES);
    assert_true(heard.piece_count > 1);
    assert_true(heard.piece_ms[heard.piece_count - 1] >= 300); /* the deadline */
    assert_int_equal(gw_service_totals(w->service)->no_cvm, 1);
    assert_int_equal(gw_service_totals(w->service)->continued, 0);

    all_behave(w, ANSWERS);
    open_session(w);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    for (int i = 0; i < 2; i++) { /* less than a chunk, and more than all: nothing was said yet */
        all_behave(w, i == 0 ? HALF_ONLY : STREAM_SPILLS);
        seal_continue(&w->device, handle, "4");
        post_chunked(w);
        assert_chunked(w, 504, 4096);
        assert_layout(2);
    }
}

/* pp-wire 8: all always sent, one per grid tick. */
static void w16_t3_each_chunk_of_a_second_exchange_has_a_tick_of_its_own(void **state)
{
    struct world *w = *state;
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    open_session(w);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    for (int i = 0; i < 2; i++) {
        seal_continue(&w->device, i == 0 ? handle : "nonsense", "2");
        post_chunked(w);
        assert_chunked(w, i == 0 ? 200 : 410, 2048);
        assert_int_equal(heard.piece_count, 3);
        for (size_t k = 0; k < 3; k++)
            assert_true(heard.piece_ms[k] >= (k + 1) * GRID_MS);
    }
    int on_one_tick = 0; /* as what is no stream; on a busy machine its bytes may come later */
    for (size_t i = 0; i < 10 && !on_one_tick; i++) {
        seal_open(&w->device, 31 - i, NULL, 0);
        post_chunked(w);
        assert_chunked(w, 200, 32768);
        on_one_tick = heard.piece_ms[heard.piece_count - 1] < 2 * GRID_MS;
    }
    assert_true(on_one_tick);
}

static void a_client_that_leaves_between_two_chunks_gives_its_place_back(void **state)
{
    struct world *w = *state;
    char handle[PP_HANDLE_TEXT_BYTES + 1];

    heard.leave_at_once = 1;
    for (size_t i = 0; i < 20; i++) { /* there are eight places */
        all_behave(w, ANSWERS);
        open_session(w);
        memcpy(handle, w->device.answer.handle, sizeof handle);
        all_behave(w, STREAM_STOPS);
        seal_continue(&w->device, handle, "16");
        post_chunked(w);
        assert_code(w->seen.call, PP_E_CANCELLED);
    }
    heard.leave_at_once = 0;
    all_behave(w, ANSWERS);
    open_session(w);
    assert_int_equal(gw_service_totals(w->service)->cut, 20);
    assert_int_equal(gw_service_totals(w->service)->shed, 0);
}

/* --- what is refused ------------------------------------------------------------------------- */

/* d->body has chunks of `cuts`; the place of the chunk number `n`, with its length. */
static size_t place_of(const struct device *d, size_t n)
{
    struct pp_rd rd = pp_rd_over(d->body, d->body_len);

    pp_rd_skip(&rd, HEAD_BYTES);
    while (n-- > 0)
        pp_rd_skip(&rd, (size_t)pp_rd_varint(&rd));
    assert_ok(pp_rd_ok(&rd));
    return rd.offset;
}

static void swap_chunks(struct device *d)
{
    uint8_t first[116 + 2];
    size_t at = place_of(d, 0);

    memcpy(first, d->body + at, sizeof first);
    memmove(d->body + at, d->body + at + sizeof first, sizeof first);
    memcpy(d->body + at + sizeof first, first, sizeof first);
}

static void repeat_chunk(struct device *d)
{
    memcpy(d->body + place_of(d, 1), d->body + place_of(d, 0), 118);
}

/* The message of the final chunk as one that is not. */
static void lose_the_final_chunk(struct device *d)
{
    size_t at = place_of(d, 2), len = d->body_len - at - 2;

    memmove(d->body + at + 2, d->body + at + 1, len);
    d->body[at] = (uint8_t)(0x40 | len >> 8);
    d->body[at + 1] = (uint8_t)len;
}

static void claim_too_much(struct device *d)
{
    d->body[place_of(d, 1)] |= 0x3f;
}

static void claim_the_most(struct device *d)
{
    memset(d->body + place_of(d, 0), 0xff, 8);
}

static void cut_the_tag(struct device *d)
{
    memset(d->body + place_of(d, 2), 0, d->body_len - place_of(d, 2));
    d->body[place_of(d, 0)] = 15;
}

static void claim_nothing(struct device *d)
{
    d->body[place_of(d, 0)] = 16;
}

static void begin_with_the_end(struct device *d)
{
    d->body[place_of(d, 0)] = 0;
}

static void flip_the_last_bit(struct device *d)
{
    d->body[d->body_len - 1] ^= 1;
}

static void flip_a_first_chunk(struct device *d)
{
    d->body[place_of(d, 0) + 2] ^= 0x80;
}

static void name_another_key(struct device *d)
{
    d->body[0] ^= 1;
}

/* The two halves of the same 4 KiB: a final chunk, and a byte string that repeats it. */
static void end_twice(struct device *d)
{
    size_t at = place_of(d, 2), half = (d->body_len - at) / 2;

    memcpy(d->body + at + half, d->body + at, half);
}

/* Requirement P.iii, ohttp 8 and W3 R: one refusal for all of it, and nothing was done. */
static void w3_r_a_chunked_message_that_is_not_whole_has_one_refusal_and_no_effect(void **state)
{
    static void (*const SPOILERS[])(struct device *) = {
        swap_chunks,    repeat_chunk,       lose_the_final_chunk, claim_too_much,
        claim_the_most, cut_the_tag,        claim_nothing,        begin_with_the_end,
        end_twice,      flip_a_first_chunk, flip_the_last_bit,    name_another_key,
    };
    static const size_t cuts[] = { 100, 100 };
    struct world *w = *state;

    for (size_t i = 0; i < PP_ARRAY_COUNT(SPOILERS); i++) {
        seal_open(&w->device, 0, cuts, 2);
        SPOILERS[i](&w->device);
        post_chunked(w);
        assert_ok(w->seen.call);
        assert_int_equal(w->seen.outer_status, 422);
        assert_string_equal(w->seen.outer_type, "application/problem+json");
        assert_true(pp_span_eq(pp_span(heard.body, heard.len),
                               pp_ohttp_answer_to(PP_OHTTP_FAIL_OPEN).body));
    }
    assert_no_effect(w);
    assert_int_equal(gw_service_totals(w->service)->unopened, PP_ARRAY_COUNT(SPOILERS));
    seal_open(&w->device, 0, cuts, 2); /* its token is as good as it was */
    post_chunked(w);
    assert_chunked(w, 200, 32768);
}

/* A body of a size that no request has is refused before a key is touched. */
static void a_chunked_body_of_another_size_is_400_in_clear(void **state)
{
    static const size_t sizes[] = { 1, 7, 39, 40, 55, 56, 1024, 2047, 2049, 4095, 4097 };
    struct world *w = *state;

    seal_open(&w->device, 0, NULL, 0);
    for (size_t i = 0; i < PP_ARRAY_COUNT(sizes); i++) {
        w->device.body_len = sizes[i];
        post_chunked(w);
        assert_ok(w->seen.call);
        assert_int_equal(w->seen.outer_status, 400);
        assert_int_equal(w->seen.outer_len, 0);
    }
    assert_no_effect(w);
    assert_int_equal(gw_service_totals(w->service)->malformed, PP_ARRAY_COUNT(sizes));
    w->device.body_len = 4096;
    post_chunked(w);
    assert_chunked(w, 200, 32768);
}

/* The labels keep the forms apart, and nobody falls back from one to the other. */
static void neither_form_is_taken_for_the_other(void **state)
{
    struct world *w = *state;

    seal_open(&w->device, 0, NULL, 0);
    post(w);
    assert_clear(w, 422);
    device_seal_open(&w->device);
    post_chunked(w);
    assert_int_equal(w->seen.outer_status, 422);
    assert_no_effect(w);
}

/* What enters the window is what took effect, so nobody burns a message by sending half of it. */
static void a_chunked_message_is_a_replay_only_behind_its_effect(void **state)
{
    static const size_t cuts[] = { 100 };
    struct world *w = *state;

    seal_open(&w->device, 0, cuts, 1);
    w->device.body[4095] ^= 1; /* its first chunk opens */
    post_chunked(w);
    assert_int_equal(w->seen.outer_status, 422);
    w->device.body[4095] ^= 1;
    post_chunked(w);
    assert_chunked(w, 200, 32768);
    post_chunked(w);
    assert_chunked(w, 400, 32768);
    assert_int_equal(TOTAL(w, opens), 1);
    assert_int_equal(gw_service_totals(w->service)->replayed, 1);
}

/* W4 T3: `Incremental` has one spelling, once; every other field is one too many. */
static void w4_t3_incremental_is_no_room_for_a_mark(void **state)
{
    static const struct pp_http_field rows[] = {
        FIELD("incremental", "?0"),      FIELD("incremental", "?1;user=4711"),
        FIELD("incremental", "?1, ?1"),  FIELD("incremental", "1"),
        FIELD("x-forwarded-for", "::1"), FIELD("incremental", ""),
    };
    struct world *w = *state;
    struct pp_http_field fields[3];

    seal_open(&w->device, 0, NULL, 0);
    memcpy(fields, CHUNKED, sizeof CHUNKED);
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        fields[1] = rows[i];
        post_with(w, fields, 2);
        assert_int_equal(w->seen.outer_status, 400);
    }
    fields[1] = fields[2] = CHUNKED[1];
    post_with(w, fields, 3);
    assert_int_equal(w->seen.outer_status, 400);
    assert_no_effect(w);
    post_chunked(w);
    assert_chunked(w, 200, 32768);
}

/* --- memory ---------------------------------------------------------------------------------- */

static void raw_readable(void *ctx, struct pp_stream *s)
{
    struct world *w = ctx;
    struct pp_span input = pp_stream_input(s);

    assert_true(input.len <= sizeof heard.body - heard.len);
    memcpy(heard.body + heard.len, input.at, input.len);
    heard.len += input.len;
    pp_stream_consume(s, input.len);
    if (heard.len < 5 || memcmp(heard.body + heard.len - 5, "0\r\n\r\n", 5) != 0)
        return;
    assert_memory_equal(heard.body, "HTTP/1.1 200", 12);
    pp_loop_stop(w->loop);
}

static void raw_ended(void *ctx, struct pp_stream *s, pp_res why)
{
    (void)ctx;
    (void)s;
    pp_ignore(why, "the test fails below");
    fail_msg("%s", "the gateway closed the connection");
}

/* STYLE 5: no malloc between reading a request and writing its answer, in however many pieces. */
static void nothing_of_ours_allocates_for_a_chunked_answer(void **state)
{
    struct world *w = *state;
    const struct pp_stream_config c = { .in_bytes_max = 1 << 16,
                                        .out_bytes_max = 1 << 16,
                                        .readable = raw_readable,
                                        .ended = raw_ended,
                                        .ctx = w };
    static const char HEAD[] = "POST /.well-known/ohttp-gateway HTTP/1.1\r\nHost: x\r\n"
                               "Content-Type: message/ohttp-chunked-req\r\nIncremental: ?1\r\n"
                               "Content-Length: 2048\r\n\r\n";
    char handle[PP_HANDLE_TEXT_BYTES + 1];
    struct pp_stream *s = NULL;
    unsigned long own = 0;

    open_session(w);
    memcpy(handle, w->device.answer.handle, sizeof handle);
    assert_ok(pp_stream_connect(w->loop, &w->listener.address, &c, 1000, &s));
    for (int i = 0; i < 30; i++) { /* ten warm up */
        unsigned long before = allocation_count_own;
        heard.len = 0;
        seal_continue(&w->device, handle, "4");
        assert_ok(pp_stream_write(s, pp_span_cstr(HEAD)));
        assert_ok(pp_stream_write(s, pp_span(w->device.body, w->device.body_len)));
        run(w);
        if (i >= 10)
            own += allocation_count_own - before;
    }
    pp_stream_free(s);
    assert_int_equal(own, 0);
    assert_int_equal(gw_service_totals(w->service)->continued, 30);
}

#define TEST(test)           cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define TEST_WITH_GRID(test) cmocka_unit_test_setup_teardown(test, set_up_with_grid, tear_down)
#define TEST_WITH_DEADLINES(test)                                                                  \
    cmocka_unit_test_setup_teardown(test, set_up_with_deadlines, tear_down)

static const struct CMUnitTest TESTS[] = {
    TEST(a_chunked_first_exchange_opens_a_session_whatever_its_cuts),
    TEST(w16_t3_whatever_the_outcome_a_bucket_has_the_same_chunks),
    TEST(the_content_of_a_chunked_answer_is_that_of_the_cvm),
    TEST(what_is_neither_exchange_is_one_chunk_in_one_kib),
    TEST_WITH_DEADLINES(a_stream_that_stops_is_filled_to_its_bucket_at_the_deadline),
    TEST_WITH_GRID(w16_t3_each_chunk_of_a_second_exchange_has_a_tick_of_its_own),
    TEST(a_client_that_leaves_between_two_chunks_gives_its_place_back),
    TEST(w3_r_a_chunked_message_that_is_not_whole_has_one_refusal_and_no_effect),
    TEST(a_chunked_body_of_another_size_is_400_in_clear),
    TEST(neither_form_is_taken_for_the_other),
    TEST(a_chunked_message_is_a_replay_only_behind_its_effect),
    TEST(nothing_of_ours_allocates_for_a_chunked_answer),
    TEST(w4_t3_incremental_is_no_room_for_a_mark),
};

PP_TEST_MAIN(TESTS)
