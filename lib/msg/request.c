/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include "cbor.h"
#include "msg_int.h"
#include "sizes.h"

enum { REQUEST_VERSION = 1 };

enum {
    KEY_VERSION = 0,
    KEY_FEATURE = 1,
    KEY_ANSWER = 2,
    KEY_STREAM = 3,
    KEY_BACKENDS = 4,
    KEY_HOST_SET = 5,
    KEY_PAYLOAD = 6,
    PAIRS = 7,
    ALL = (1U << PAIRS) - 1,
};

/* BCP 47 (RFC 5646 2.1): two to eight letters; ours are lower case. */
static struct pp_span language_rd(struct pp_rd *rd)
{
    struct pp_span tag = pp_cbor_rd_text(rd, 0, PP_LANGUAGE_BYTES_MAX);

    if (tag.len == 1)
        pp_rd_fail(rd, PP_E_FORMAT);
    for (size_t i = 0; i < tag.len; i++)
        if (tag.at[i] < 'a' || tag.at[i] > 'z')
            pp_rd_fail(rd, PP_E_FORMAT);
    return tag;
}

static void message_rd(struct pp_rd *rd, struct pp_chat_message *m)
{
    pp_cbor_rd_tuple(rd, 4);
    m->id = (uint32_t)pp_cbor_rd_uint(rd, 0, UINT32_MAX);
    m->sender = (uint32_t)pp_cbor_rd_uint(rd, 0, PP_CHAT_MESSAGE_MAX - 1);
    m->minute = (uint32_t)pp_cbor_rd_uint(rd, 0, UINT32_MAX);
    m->text = pp_cbor_rd_text(rd, 0, PP_CHAT_TEXT_BYTES_MAX);
}

static pp_res summarize_parse(struct pp_rd *rd, struct pp_arena *arena, struct pp_summarize *s)
{
    uint32_t senders = 0;

    pp_cbor_rd_tuple(rd, 3);
    s->language = language_rd(rd);
    s->words = (uint32_t)pp_cbor_rd_uint(rd, PP_WORDS_MIN, PP_WORDS_MAX);
    size_t count = pp_cbor_rd_array(rd, 1, PP_CHAT_MESSAGE_MAX);
    PP_TRY(pp_rd_ok(rd));

    s->messages = pp_arena_array(arena, count, sizeof *s->messages);
    PP_CHECK(s->messages != NULL, PP_E_NO_MEMORY, count);
    for (size_t i = 0; i < count; i++) {
        struct pp_chat_message *m = &s->messages[i];
        message_rd(rd, m);
        PP_TRY(pp_rd_ok(rd));
        if (i > 0)
            PP_CHECK(m->id > m[-1].id, m->id == m[-1].id ? PP_E_DUPLICATE : PP_E_ORDER, i);
        /* A gap would be a second encoding of the same chat. */
        PP_CHECK(m->sender <= senders, PP_E_ORDER, i);
        senders += m->sender == senders;
    }
    s->message_count = count;
    return PP_OK;
}

static pp_res judge_parse(struct pp_rd *rd, struct pp_arena *arena, struct pp_judge *j)
{
    pp_cbor_rd_tuple(rd, 2);
    j->what = (enum pp_judged)pp_cbor_rd_uint(rd, PP_JUDGED_REQUEST, PP_JUDGED_ANSWER);
    size_t count = pp_cbor_rd_array(rd, 0, PP_JUDGE_TEXT_MAX);
    PP_TRY(pp_rd_ok(rd));
    if (count == 0)
        return PP_OK;
    j->texts = pp_arena_array(arena, count, sizeof *j->texts);
    PP_CHECK(j->texts != NULL, PP_E_NO_MEMORY, count);
    for (size_t i = 0; i < count; i++)
        j->texts[i] = pp_cbor_rd_text(rd, 0, PP_CHAT_TEXT_BYTES_MAX);
    j->text_count = count;
    return pp_rd_ok(rd);
}

static pp_res payload_parse(struct pp_rd *rd, struct pp_arena *arena, struct pp_request *r)
{
    if (r->feature == PP_FEATURE_SUMMARIZE)
        return summarize_parse(rd, arena, &r->summarize);
    if (r->feature == PP_FEATURE_JUDGE)
        return judge_parse(rd, arena, &r->judge);
    (void)pp_cbor_rd_item(rd);
    return pp_rd_ok(rd);
}

static void feature_rd(struct pp_rd *rd, struct pp_request *r)
{
    r->feature_name = pp_cbor_rd_text(rd, 1, PP_FEATURE_BYTES_MAX);
    if (pp_span_eq(r->feature_name, PP_STR("summarize")))
        r->feature = PP_FEATURE_SUMMARIZE;
    if (pp_span_eq(r->feature_name, PP_STR("judge")))
        r->feature = PP_FEATURE_JUDGE;
}

static void answer_bucket_rd(struct pp_rd *rd, struct pp_request *r)
{
    r->answer_kib = (uint32_t)pp_cbor_rd_uint(rd, 1, PP_BUCKET_2_DOWN_KIB_MAX);
    if (rd->failed == PP_E_OK && !pp_bucket_down_ok(r->answer_kib))
        pp_rd_fail(rd, PP_E_RANGE);
}

static pp_res value_parse(struct pp_rd *rd, uint32_t key, struct pp_arena *arena,
                          struct pp_request *r)
{
    switch (key) {
    case KEY_VERSION:
        if (pp_cbor_rd_uint(rd, 0, UINT64_MAX) != REQUEST_VERSION)
            pp_rd_fail(rd, PP_E_UNSUPPORTED);
        break;
    case KEY_FEATURE:
        feature_rd(rd, r);
        break;
    case KEY_ANSWER:
        answer_bucket_rd(rd, r);
        break;
    case KEY_STREAM:
        r->stream = pp_cbor_rd_bool(rd);
        if (r->stream && r->feature != PP_FEATURE_UNKNOWN)
            pp_rd_fail(rd, PP_E_FORMAT);
        break;
    case KEY_BACKENDS:
        pp_msg_backends_rd(rd, 0, 1, &r->backends);
        break;
    case KEY_HOST_SET:
        pp_cbor_rd_copy(rd, r->host_set_id, sizeof r->host_set_id);
        break;
    case KEY_PAYLOAD:
        return payload_parse(rd, arena, r);
    default:
        pp_rd_fail(rd, PP_E_UNKNOWN_FIELD);
    }
    return pp_rd_ok(rd);
}

pp_res pp_request_parse(struct pp_span cbor, struct pp_arena *arena, struct pp_request *ret)
{
    struct pp_rd rd = pp_rd_span(cbor);
    struct pp_request r = { 0 };

    PP_CHECK(cbor.len <= PP_REQUEST_BYTES_MAX, PP_E_LIMIT, cbor.len);
    struct pp_cbor_map map = pp_cbor_rd_map(&rd, PP_CBOR_KEY_MAX);
    while (pp_cbor_rd_key(&map, &rd)) {
        if (map.key > KEY_FEATURE) /* the feature decides how the rest is read */
            PP_TRY(pp_cbor_map_has(&map, 1U << KEY_VERSION | 1U << KEY_FEATURE));
        PP_TRY(value_parse(&rd, map.key, arena, &r));
    }
    PP_TRY(pp_rd_end(&rd));
    PP_TRY(pp_cbor_map_has(&map, ALL));
    *ret = r;
    return PP_OK;
}

static void summarize_wr(struct pp_wr *wr, const struct pp_summarize *s)
{
    pp_cbor_wr_array(wr, 3);
    pp_cbor_wr_text(wr, s->language);
    pp_cbor_wr_uint(wr, s->words);
    pp_cbor_wr_array(wr, s->message_count);
    for (size_t i = 0; i < s->message_count; i++) {
        const struct pp_chat_message *m = &s->messages[i];
        pp_cbor_wr_array(wr, 4);
        pp_cbor_wr_uint(wr, m->id);
        pp_cbor_wr_uint(wr, m->sender);
        pp_cbor_wr_uint(wr, m->minute);
        pp_cbor_wr_text(wr, m->text);
    }
}

static void judge_wr(struct pp_wr *wr, const struct pp_judge *j)
{
    pp_cbor_wr_array(wr, 2);
    pp_cbor_wr_uint(wr, j->what);
    pp_cbor_wr_array(wr, j->text_count);
    for (size_t i = 0; i < j->text_count; i++)
        pp_cbor_wr_text(wr, j->texts[i]);
}

static pp_res payload_check(const struct pp_request *r)
{
    if (r->feature == PP_FEATURE_JUDGE) {
        PP_CHECK(r->judge.text_count <= PP_JUDGE_TEXT_MAX, PP_E_RANGE, KEY_PAYLOAD);
        return PP_OK;
    }
    PP_CHECK(r->feature == PP_FEATURE_SUMMARIZE, PP_E_UNSUPPORTED, r->feature);
    PP_CHECK(r->summarize.message_count >= 1 && r->summarize.message_count <= PP_CHAT_MESSAGE_MAX,
             PP_E_RANGE, KEY_PAYLOAD);
    return PP_OK;
}

pp_res pp_request_write(struct pp_wr *wr, const struct pp_request *r)
{
    PP_TRY(payload_check(r));
    PP_CHECK(pp_bucket_down_ok(r->answer_kib), PP_E_RANGE, KEY_ANSWER);
    PP_CHECK(r->backends.count <= PP_BACKEND_MAX, PP_E_RANGE, KEY_BACKENDS);

    pp_cbor_wr_map(wr, PAIRS);
    pp_cbor_wr_uint(wr, KEY_VERSION);
    pp_cbor_wr_uint(wr, REQUEST_VERSION);
    pp_cbor_wr_uint(wr, KEY_FEATURE);
    pp_cbor_wr_text(wr, r->feature == PP_FEATURE_JUDGE ? PP_STR("judge") : PP_STR("summarize"));
    pp_cbor_wr_uint(wr, KEY_ANSWER);
    pp_cbor_wr_uint(wr, r->answer_kib);
    pp_cbor_wr_uint(wr, KEY_STREAM);
    pp_cbor_wr_bool(wr, 0);
    pp_cbor_wr_uint(wr, KEY_BACKENDS);
    pp_msg_backends_wr(wr, &r->backends);
    pp_cbor_wr_uint(wr, KEY_HOST_SET);
    pp_cbor_wr_bytes(wr, PP_BYTES(r->host_set_id));
    pp_cbor_wr_uint(wr, KEY_PAYLOAD);
    if (r->feature == PP_FEATURE_JUDGE)
        judge_wr(wr, &r->judge);
    else
        summarize_wr(wr, &r->summarize);
    return pp_wr_ok(wr);
}
