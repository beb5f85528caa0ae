/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include "bhttp_int.h"

/* --- reader: the two things that are collected -------------------------------------------------
 */

/* 1 when a varint is whole, which is then `*ret`; its bytes count as the section's. */
static int take_varint(struct pp_bhttp_reader *r, struct pp_rd *rd, uint64_t *ret)
{
    while (rd->left > 0) {
        r->varint[r->varint_len++] = pp_rd_u8(rd);
        r->section_used++;
        if (r->varint_len < (size_t)1 << (r->varint[0] >> 6))
            continue;
        struct pp_rd varint = pp_rd_over(r->varint, r->varint_len);
        *ret = pp_rd_varint(&varint);
        if (r->varint_len != pp_bhttp_varint_len(*ret))
            r->message.exact = 0;
        r->varint_len = 0;
        return 1;
    }
    return 0;
}

static pp_res begin_block(struct pp_bhttp_reader *r, uint64_t len, enum pp_bhttp_part next)
{
    PP_CHECK(len <= r->mem_len - r->mem_used, PP_E_LIMIT, len);
    r->block_from = r->mem_used;
    r->block_len = (size_t)len;
    r->at = next;
    return PP_OK;
}

static size_t block_left(const struct pp_bhttp_reader *r)
{
    return r->block_from + r->block_len - r->mem_used;
}

/* 1 when the block is whole. */
static int take_block(struct pp_bhttp_reader *r, struct pp_rd *rd, struct pp_span *ret)
{
    size_t n = block_left(r) < rd->left ? block_left(r) : rd->left;

    if (n > 0)
        pp_rd_copy(rd, r->mem + r->mem_used, n);
    r->mem_used += n;
    r->section_used += n;
    if (block_left(r) > 0)
        return 0;
    *ret = pp_span(r->mem + r->block_from, r->block_len);
    return 1;
}

/* A block can be empty: it is whole without another byte. */
static int can_go_on(const struct pp_bhttp_reader *r, const struct pp_rd *rd)
{
    int in_block = r->at == PP_BHTTP_AT_CONTROL || r->at == PP_BHTTP_AT_NAME ||
                   r->at == PP_BHTTP_AT_VALUE;

    return rd->left > 0 || (in_block && block_left(r) == 0);
}

/* --- reader: sections --------------------------------------------------------------------------
 */

static void start_section(struct pp_bhttp_reader *r, struct pp_bhttp_section *section)
{
    r->section = section;
    section->first = r->message.field_count;
    r->section_used = 0;
    r->normal_seen = 0;
    r->at = pp_bhttp_is_indeterminate(&r->message) ? PP_BHTTP_AT_NAME_LEN : PP_BHTTP_AT_SECTION_LEN;
}

static enum pp_bhttp_event end_section(struct pp_bhttp_reader *r)
{
    if (r->section == &r->message.header) {
        r->at = PP_BHTTP_AT_CONTENT_LEN;
        return PP_BHTTP_EVENT_HEADER;
    }
    if (r->section == &r->message.trailer) {
        r->at = PP_BHTTP_AT_PADDING;
        return PP_BHTTP_EVENT_TRAILER;
    }
    r->at = PP_BHTTP_AT_STATUS;
    return PP_BHTTP_EVENT_INFORMATIONAL;
}

static pp_res step_section_len(struct pp_bhttp_reader *r, struct pp_rd *rd,
                               enum pp_bhttp_event *ret)
{
    if (!take_varint(r, rd, &r->section_len))
        return PP_OK;
    PP_CHECK(r->section_len <= PP_BHTTP_SECTION_BYTES_MAX, PP_E_LIMIT, r->section_len);
    r->section_used = 0;
    r->at = PP_BHTTP_AT_NAME_LEN;
    if (r->section_len == 0)
        *ret = end_section(r);
    return PP_OK;
}

/* A name or a value of `len` bytes, which may not reach past the section's end or limit. */
static pp_res begin_in_section(struct pp_bhttp_reader *r, uint64_t len, enum pp_bhttp_part next)
{
    if (!pp_bhttp_is_indeterminate(&r->message))
        PP_CHECK(r->section_used + len <= r->section_len, PP_E_TRUNCATED, r->section_used);
    PP_CHECK(r->section_used + len <= PP_BHTTP_SECTION_BYTES_MAX, PP_E_LIMIT, r->section_used);
    return begin_block(r, len, next);
}

static pp_res step_name_len(struct pp_bhttp_reader *r, struct pp_rd *rd, enum pp_bhttp_event *ret)
{
    uint64_t len;

    if (!take_varint(r, rd, &len))
        return PP_OK;
    if (len == 0 && pp_bhttp_is_indeterminate(&r->message)) {
        *ret = end_section(r);
        return PP_OK;
    }
    return begin_in_section(r, len, PP_BHTTP_AT_NAME);
}

static pp_res step_name(struct pp_bhttp_reader *r, struct pp_rd *rd)
{
    struct pp_bhttp *m = &r->message;
    struct pp_span name;

    if (!take_block(r, rd, &name))
        return PP_OK;
    PP_CHECK(m->field_count < PP_BHTTP_FIELDS_MAX, PP_E_LIMIT, m->field_count);
    m->fields[m->field_count] = (struct pp_bhttp_field){ .name = name };
    r->at = PP_BHTTP_AT_VALUE_LEN;
    return PP_OK;
}

static pp_res step_value_len(struct pp_bhttp_reader *r, struct pp_rd *rd)
{
    uint64_t len;

    return take_varint(r, rd, &len) ? begin_in_section(r, len, PP_BHTTP_AT_VALUE) : PP_OK;
}

static pp_res step_value(struct pp_bhttp_reader *r, struct pp_rd *rd, enum pp_bhttp_event *ret)
{
    struct pp_bhttp *m = &r->message;
    struct pp_bhttp_field f = m->fields[m->field_count];

    if (!take_block(r, rd, &f.value))
        return PP_OK;
    PP_TRY(pp_bhttp_check_field(&f, r->section == &m->trailer, &r->normal_seen));
    PP_TRY(pp_bhttp_add(m, r->section, f.name, f.value));
    r->at = PP_BHTTP_AT_NAME_LEN;
    if (!pp_bhttp_is_indeterminate(m) && r->section_used == r->section_len)
        *ret = end_section(r);
    return PP_OK;
}

/* --- reader: everything else -------------------------------------------------------------------
 */

static pp_res step_framing(struct pp_bhttp_reader *r, struct pp_rd *rd)
{
    uint64_t framing;

    if (!take_varint(r, rd, &framing))
        return PP_OK;
    PP_CHECK(framing <= PP_BHTTP_RESPONSE_INDETERMINATE, PP_E_UNSUPPORTED, framing);
    r->message.framing = (enum pp_bhttp_framing)framing;
    r->at = pp_bhttp_is_request(&r->message) ? PP_BHTTP_AT_CONTROL_LEN : PP_BHTTP_AT_STATUS;
    return PP_OK;
}

static pp_res step_control_len(struct pp_bhttp_reader *r, struct pp_rd *rd)
{
    uint64_t len;

    return take_varint(r, rd, &len) ? begin_block(r, len, PP_BHTTP_AT_CONTROL) : PP_OK;
}

static pp_res step_control(struct pp_bhttp_reader *r, struct pp_rd *rd)
{
    struct pp_bhttp *m = &r->message;
    struct pp_span *const parts[] = { &m->method, &m->scheme, &m->authority, &m->path };

    if (!take_block(r, rd, parts[r->control_count]))
        return PP_OK;
    r->at = PP_BHTTP_AT_CONTROL_LEN;
    if (++r->control_count < PP_ARRAY_COUNT(parts))
        return PP_OK;
    start_section(r, &m->header);
    return pp_bhttp_check_request(m);
}

static pp_res step_status(struct pp_bhttp_reader *r, struct pp_rd *rd)
{
    struct pp_bhttp *m = &r->message;
    uint64_t status;

    if (!take_varint(r, rd, &status))
        return PP_OK;
    PP_CHECK(status >= 100 && status <= 599, PP_E_RANGE, status);
    if (status >= 200) {
        m->status = (uint32_t)status;
        start_section(r, &m->header);
        return PP_OK;
    }
    PP_CHECK(m->informational_count < PP_BHTTP_INFORMATIONAL_MAX, PP_E_LIMIT,
             m->informational_count);
    struct pp_bhttp_informational *info = &m->informational[m->informational_count++];
    info->status = (uint32_t)status;
    start_section(r, &info->header);
    return PP_OK;
}

static pp_res step_content_len(struct pp_bhttp_reader *r, struct pp_rd *rd)
{
    if (!take_varint(r, rd, &r->content_left))
        return PP_OK;
    PP_CHECK(r->content_left <= PP_BHTTP_BYTES_MAX, PP_E_LIMIT, r->content_left);
    if (r->content_left == 0)
        start_section(r, &r->message.trailer);
    else
        r->at = PP_BHTTP_AT_CONTENT;
    return PP_OK;
}

static pp_res step_content(struct pp_bhttp_reader *r, struct pp_rd *rd, enum pp_bhttp_event *ret)
{
    size_t n = rd->left < r->content_left ? rd->left : (size_t)r->content_left;

    r->piece = pp_rd_bytes(rd, n);
    r->message.content_len += n;
    r->content_left -= n;
    *ret = PP_BHTTP_EVENT_CONTENT;
    if (r->content_left > 0)
        return PP_OK;
    if (pp_bhttp_is_indeterminate(&r->message))
        r->at = PP_BHTTP_AT_CONTENT_LEN;
    else
        start_section(r, &r->message.trailer);
    return PP_OK;
}

static pp_res step(struct pp_bhttp_reader *r, struct pp_rd *rd, enum pp_bhttp_event *ret)
{
    switch (r->at) {
    case PP_BHTTP_AT_FRAMING:
        return step_framing(r, rd);
    case PP_BHTTP_AT_CONTROL_LEN:
        return step_control_len(r, rd);
    case PP_BHTTP_AT_CONTROL:
        return step_control(r, rd);
    case PP_BHTTP_AT_STATUS:
        return step_status(r, rd);
    case PP_BHTTP_AT_SECTION_LEN:
        return step_section_len(r, rd, ret);
    case PP_BHTTP_AT_NAME_LEN:
        return step_name_len(r, rd, ret);
    case PP_BHTTP_AT_NAME:
        return step_name(r, rd);
    case PP_BHTTP_AT_VALUE_LEN:
        return step_value_len(r, rd);
    case PP_BHTTP_AT_VALUE:
        return step_value(r, rd, ret);
    case PP_BHTTP_AT_CONTENT_LEN:
        return step_content_len(r, rd);
    case PP_BHTTP_AT_CONTENT:
        return step_content(r, rd, ret);
    case PP_BHTTP_AT_PADDING:
        pp_rd_zeros(rd, rd->left);
        return pp_rd_ok(rd);
    }
    return PP_FAIL(PP_E_STATE, r->at);
}

void pp_bhttp_reader_start(struct pp_bhttp_reader *r, void *mem, size_t mem_len)
{
    *r = (struct pp_bhttp_reader){ .message = { .exact = 1 },
                                   .mem = (uint8_t *)mem,
                                   .mem_len = mem_len };
}

pp_res pp_bhttp_reader_feed(struct pp_bhttp_reader *r, const void *bytes, size_t len,
                            size_t *ret_used, enum pp_bhttp_event *ret_event)
{
    struct pp_rd rd = pp_rd_over(bytes, len);
    enum pp_bhttp_event event = PP_BHTTP_EVENT_NONE;

    PP_TRY(r->failed);
    PP_CHECK(r->mem != NULL && !r->ended, PP_E_STATE, 0);
    while (event == PP_BHTTP_EVENT_NONE && can_go_on(r, &rd) && pp_is_ok(r->failed))
        r->failed = step(r, &rd, &event);
    PP_TRY(r->failed);
    r->total += rd.offset;
    if (r->total > PP_BHTTP_BYTES_MAX)
        r->failed = PP_FAIL(PP_E_LIMIT, r->total);
    PP_TRY(r->failed);
    *ret_used = rd.offset;
    *ret_event = event;
    return PP_OK;
}

/* RFC 9292 3.8: before the header section, the content or the trailer section. */
static int may_end(const struct pp_bhttp_reader *r)
{
    enum pp_bhttp_part first = pp_bhttp_is_indeterminate(&r->message) ? PP_BHTTP_AT_NAME_LEN
                                                                      : PP_BHTTP_AT_SECTION_LEN;
    int at_section = r->at == first && r->section_used == 0 &&
                     (r->section == &r->message.header || r->section == &r->message.trailer);
    int at_content = r->at == PP_BHTTP_AT_CONTENT_LEN && r->varint_len == 0 &&
                     r->message.content_len == 0;

    return at_section || at_content || r->at == PP_BHTTP_AT_PADDING;
}

pp_res pp_bhttp_reader_end(struct pp_bhttp_reader *r)
{
    PP_TRY(r->failed);
    PP_CHECK(r->mem != NULL && !r->ended, PP_E_STATE, 0);
    if (!may_end(r)) {
        r->failed = PP_FAIL(PP_E_TRUNCATED, r->total);
        return r->failed;
    }
    r->ended = 1;
    r->message.exact &= r->at == PP_BHTTP_AT_PADDING;
    return PP_OK;
}

/* --- writer ------------------------------------------------------------------------------------
 */

static pp_res count(struct pp_bhttp_writer *w, const struct pp_wr *wr, size_t from)
{
    PP_TRY(pp_wr_ok(wr));
    w->total += wr->len - from;
    PP_CHECK(w->total <= PP_BHTTP_BYTES_MAX, PP_E_LIMIT, w->total);
    return PP_OK;
}

/* The framing indicator stands in front of whatever comes first. */
static pp_res write_framing(struct pp_bhttp_writer *w, const struct pp_bhttp *m, struct pp_wr *wr)
{
    PP_CHECK(pp_bhttp_is_indeterminate(m), PP_E_UNSUPPORTED, m->framing);
    if (w->at == PP_BHTTP_AT_STATUS)
        return PP_OK;
    PP_CHECK(w->at == PP_BHTTP_AT_FRAMING, PP_E_STATE, w->at);
    pp_wr_varint(wr, (uint64_t)m->framing);
    w->at = PP_BHTTP_AT_STATUS;
    return PP_OK;
}

pp_res pp_bhttp_writer_informational(struct pp_bhttp_writer *w, const struct pp_bhttp *m,
                                     struct pp_wr *wr)
{
    size_t from = wr->len;

    PP_CHECK(!pp_bhttp_is_request(m), PP_E_STATE, m->framing);
    PP_TRY(write_framing(w, m, wr));
    PP_TRY(pp_bhttp_write_informational(m, w->informational_count, wr));
    w->informational_count = m->informational_count;
    return count(w, wr, from);
}

pp_res pp_bhttp_writer_header(struct pp_bhttp_writer *w, const struct pp_bhttp *m, struct pp_wr *wr)
{
    size_t from;

    if (!pp_bhttp_is_request(m))
        PP_TRY(pp_bhttp_writer_informational(w, m, wr));
    from = wr->len;
    PP_TRY(write_framing(w, m, wr));
    PP_TRY(pp_bhttp_is_request(m) ? pp_bhttp_write_request_control(m, wr)
                                  : pp_bhttp_write_status(m, wr));
    PP_TRY(pp_bhttp_write_section(m, m->header, 0, wr));
    w->at = PP_BHTTP_AT_CONTENT;
    return count(w, wr, from);
}

pp_res pp_bhttp_writer_content(struct pp_bhttp_writer *w, struct pp_span piece, struct pp_wr *wr)
{
    size_t from = wr->len;

    PP_CHECK(w->at == PP_BHTTP_AT_CONTENT, PP_E_STATE, w->at);
    if (piece.len == 0) /* a chunk of length 0 would be the end */
        return PP_OK;
    pp_wr_varint(wr, piece.len);
    pp_wr_span(wr, piece);
    return count(w, wr, from);
}

pp_res pp_bhttp_writer_end(struct pp_bhttp_writer *w, const struct pp_bhttp *m, struct pp_wr *wr)
{
    size_t from = wr->len;

    PP_CHECK(w->at == PP_BHTTP_AT_CONTENT, PP_E_STATE, w->at);
    PP_CHECK(pp_bhttp_is_indeterminate(m), PP_E_UNSUPPORTED, m->framing);
    pp_wr_varint(wr, 0);
    PP_TRY(pp_bhttp_write_section(m, m->trailer, 1, wr));
    w->at = PP_BHTTP_AT_PADDING;
    return count(w, wr, from);
}
