/* SPDX-License-Identifier: Apache-2.0 */
#include "route.h"

#include "sizes.h"
#include "stream.h"
#include "text.h"

static struct gw_request refused(uint32_t status)
{
    return (struct gw_request){ .kind = GW_REFUSED,
                                .status = status,
                                .bucket_bytes = GW_BUCKET_REFUSED_BYTES };
}

/* The value of the one field that the message has, if it is of that name. */
static int only_field(const struct pp_bhttp *m, struct pp_span name, struct pp_span *ret)
{
    return m->header.count == 1 && m->trailer.count == 0 &&
           pp_is_ok(pp_bhttp_field(m, m->header, name, ret));
}

static struct gw_request route_open(const struct pp_bhttp *m, size_t body_bytes)
{
    struct gw_request r = { .kind = GW_SESSION_OPEN,
                            .bucket_bytes = PP_BUCKET_1_DOWN_BYTES,
                            .content = m->content };

    if (body_bytes != PP_BUCKET_1_UP_BYTES ||
        !only_field(m, PP_STR("authorization"), &r.authorization))
        return refused(400);
    return r;
}

static struct gw_request route_continue(const struct pp_bhttp *m, size_t body_bytes,
                                        struct pp_span handle)
{
    struct gw_request r = { .kind = GW_SESSION_CONTINUE, .handle = handle, .content = m->content };
    struct pp_span max;
    uint64_t kib = 0;

    if (body_bytes % 1024 != 0 || !pp_bucket_up_ok(body_bytes / 1024) ||
        !only_field(m, PP_STR("pp-max"), &max) ||
        !pp_is_ok(pp_decimal_parse(max, PP_BUCKET_2_DOWN_KIB_MAX, &kib)) || !pp_bucket_down_ok(kib))
        return refused(400);
    r.bucket_bytes = (size_t)kib * 1024;
    return r;
}

/* Takes `prefix` off the front of `*text`. */
static int take_prefix(struct pp_span *text, struct pp_span prefix)
{
    if (text->len < prefix.len || !pp_span_eq(pp_span(text->at, prefix.len), prefix))
        return 0;
    *text = pp_span(text->at + prefix.len, text->len - prefix.len);
    return 1;
}

/* RFC 9110, 10.1.1; a name that occurs twice is there too. */
static int expects_something(const struct pp_bhttp *m)
{
    struct pp_span value;

    return pp_bhttp_is_request(m) &&
           pp_bhttp_field(m, m->header, PP_STR("expect"), &value).code != PP_E_MISSING;
}

struct gw_request gw_route(struct pp_span message, size_t body_bytes, int is_chunked,
                           struct pp_span authority)
{
    struct pp_bhttp m;

    if (!pp_is_ok(pp_bhttp_parse(message, &m)))
        return refused(400);
    /* RFC 9458 5.1: an answer of one piece has no place for a 100 before it. */
    if (!is_chunked && expects_something(&m))
        return refused(417);
    /* pp-wire 3: known length, shortest lengths, every section written. */
    if (m.framing != PP_BHTTP_REQUEST || !m.exact)
        return refused(400);
    if (!pp_span_eq(m.method, PP_STR("POST")) || !pp_span_eq(m.scheme, PP_STR("https")) ||
        !pp_span_eq(m.authority, authority))
        return refused(403);
    struct pp_span path = m.path;
    if (pp_span_eq(path, PP_STR("/v1/sessions")))
        return route_open(&m, body_bytes);
    if (take_prefix(&path, PP_STR("/v1/sessions/")))
        return route_continue(&m, body_bytes, path);
    return refused(403);
}

static pp_res start_answer(const struct gw_answer *a, enum pp_bhttp_framing framing,
                           struct pp_bhttp *m)
{
    *m = (struct pp_bhttp){ .framing = framing, .status = a->status };
    return a->handle.len == 0 ? PP_OK
                              : pp_bhttp_add(m, &m->header, PP_STR("pp-session"), a->handle);
}

pp_res gw_answer_head_write(const struct gw_answer *a, struct pp_wr *wr)
{
    struct pp_bhttp_writer writer = { 0 };
    struct pp_bhttp m;

    PP_TRY(start_answer(a, PP_BHTTP_RESPONSE_INDETERMINATE, &m));
    return pp_bhttp_writer_header(&writer, &m, wr);
}

pp_res gw_answer_write(const struct gw_answer *a, size_t total, struct pp_wr *wr)
{
    struct pp_bhttp m;

    PP_TRY(start_answer(a, PP_BHTTP_RESPONSE, &m));
    pp_bhttp_set_content(&m, a->content);
    return pp_bhttp_write_padded(&m, total, wr);
}
