/* SPDX-License-Identifier: Apache-2.0 */
#include "bhttp_int.h"

enum { VARINT_BYTES_MAX = 8 };

/* --- what a name, a value and control data may hold; reader and writer share it ------------- */

static int is_alpha(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static int contains(struct pp_span set, uint8_t c)
{
    return memchr(set.at, c, set.len) != NULL;
}

/* RFC 9110 5.6.2: token characters. */
static int is_token(struct pp_span s, int upper_allowed)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.at[i];
        if (!is_alpha(c) && !is_digit(c) && !contains(PP_STR("!#$%&'*+-.^_`|~"), c))
            return 0;
        if (!upper_allowed && c >= 'A' && c <= 'Z')
            return 0;
    }
    return s.len > 0;
}

/* Printable ASCII without space: what a URI is made of. */
static int is_visible(struct pp_span s, struct pp_span forbidden)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] <= 0x20 || s.at[i] >= 0x7f || contains(forbidden, s.at[i]))
            return 0;
    return 1;
}

static int is_scheme(struct pp_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_alpha(s.at[i]) && !is_digit(s.at[i]) && !contains(PP_STR("+-."), s.at[i]))
            return 0;
    return s.len > 0 && is_alpha(s.at[0]);
}

static int is_path(struct pp_span s)
{
    return s.len > 0 && (s.at[0] == '/' || pp_span_eq(s, PP_STR("*"))) &&
           is_visible(s, PP_STR("#"));
}

pp_res pp_bhttp_check_request(const struct pp_bhttp *m)
{
    PP_CHECK(is_token(m->method, 1), PP_E_FORMAT, 1);
    /* RFC 9292 leaves CONNECT without a meaning: there is no tunnel behind one message. */
    PP_CHECK(!pp_span_eq(m->method, PP_STR("CONNECT")), PP_E_UNSUPPORTED, 1);
    PP_CHECK(is_scheme(m->scheme), PP_E_FORMAT, 2);
    PP_CHECK(is_visible(m->authority, PP_STR("@/?#")), PP_E_FORMAT, 3);
    PP_CHECK(is_path(m->path), PP_E_FORMAT, 4);
    return PP_OK;
}

static int is_outer_space(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* RFC 9113 8.2.1, to which RFC 9292 section 3.6 points. */
static pp_res check_value(struct pp_span value)
{
    if (value.len == 0)
        return PP_OK;
    PP_CHECK(memchr(value.at, '\0', value.len) == NULL, PP_E_FORMAT, value.len);
    PP_CHECK(memchr(value.at, '\r', value.len) == NULL, PP_E_FORMAT, value.len);
    PP_CHECK(memchr(value.at, '\n', value.len) == NULL, PP_E_FORMAT, value.len);
    PP_CHECK(!is_outer_space(value.at[0]), PP_E_FORMAT, value.len);
    PP_CHECK(!is_outer_space(value.at[value.len - 1]), PP_E_FORMAT, value.len);
    return PP_OK;
}

static pp_res check_pseudo_name(struct pp_span name)
{
    static const struct pp_span CONTROL[] = {
        { (const uint8_t *)":method", 7 },     { (const uint8_t *)":scheme", 7 },
        { (const uint8_t *)":authority", 10 }, { (const uint8_t *)":path", 5 },
        { (const uint8_t *)":status", 7 },
    };

    PP_CHECK(is_token(pp_span(name.at + 1, name.len - 1), 0), PP_E_FORMAT, name.len);
    /* RFC 9292 3.6 MUST NOT: what control data carries does not come again as a field. */
    for (size_t i = 0; i < PP_ARRAY_COUNT(CONTROL); i++)
        PP_CHECK(!pp_span_eq(name, CONTROL[i]), PP_E_FORMAT, name.len);
    return PP_OK;
}

pp_res pp_bhttp_check_field(const struct pp_bhttp_field *f, int trailer, int *normal_seen)
{
    PP_TRY(check_value(f->value));
    if (f->name.len == 0 || f->name.at[0] != ':') {
        *normal_seen = 1;
        PP_CHECK(is_token(f->name, 0), PP_E_FORMAT, f->name.len);
        return PP_OK;
    }
    PP_CHECK(!trailer, PP_E_FORMAT, f->name.len);
    PP_CHECK(!*normal_seen, PP_E_ORDER, f->name.len);
    return check_pseudo_name(f->name);
}

/* --- fields of a message in memory ---------------------------------------------------------- */

int pp_bhttp_is_request(const struct pp_bhttp *m)
{
    return m->framing == PP_BHTTP_REQUEST || m->framing == PP_BHTTP_REQUEST_INDETERMINATE;
}

int pp_bhttp_is_indeterminate(const struct pp_bhttp *m)
{
    return m->framing == PP_BHTTP_REQUEST_INDETERMINATE ||
           m->framing == PP_BHTTP_RESPONSE_INDETERMINATE;
}

pp_res pp_bhttp_field(const struct pp_bhttp *m, struct pp_bhttp_section section,
                      struct pp_span name, struct pp_span *ret_value)
{
    const struct pp_bhttp_field *found = NULL;

    for (size_t i = 0; i < section.count; i++) {
        const struct pp_bhttp_field *f = &m->fields[section.first + i];
        if (!pp_span_eq(f->name, name))
            continue;
        PP_CHECK(found == NULL, PP_E_DUPLICATE, i);
        found = f;
    }
    PP_CHECK(found != NULL, PP_E_MISSING, section.count);
    *ret_value = found->value;
    return PP_OK;
}

pp_res pp_bhttp_add(struct pp_bhttp *m, struct pp_bhttp_section *section, struct pp_span name,
                    struct pp_span value)
{
    PP_CHECK(m->field_count < PP_BHTTP_FIELDS_MAX, PP_E_LIMIT, m->field_count);
    if (section->count == 0)
        section->first = m->field_count;
    PP_ASSERT(section->first + section->count == m->field_count); /* made in order */
    m->fields[m->field_count++] = (struct pp_bhttp_field){ name, value };
    section->count++;
    return PP_OK;
}

void pp_bhttp_set_content(struct pp_bhttp *m, struct pp_span content)
{
    m->content = content;
    m->chunks = (struct pp_span){ 0 };
    m->content_len = content.len;
}

void pp_bhttp_content_copy(const struct pp_bhttp *m, struct pp_wr *wr)
{
    struct pp_rd chunks = pp_rd_span(m->chunks);

    pp_wr_span(wr, m->content);
    while (chunks.left > 0) {
        struct pp_rd chunk = pp_rd_block_varint(&chunks); /* the parser saw that these are whole */
        pp_wr_span(wr, pp_rd_rest(&chunk));
    }
}

/* --- reading -------------------------------------------------------------------------------- */

/* A message on its way in. */
struct parse {
    struct pp_rd rd;
    struct pp_bhttp m;
};

size_t pp_bhttp_varint_len(uint64_t v)
{
    return v <= 63 ? 1 : v <= 16383 ? 2 : v <= 1073741823 ? 4 : VARINT_BYTES_MAX;
}

/* Any length of a varint is valid (RFC 9292 3.1); a longer one than needed is not `exact`. */
static uint64_t read_varint(struct parse *p, struct pp_rd *rd)
{
    size_t from = rd->offset;
    uint64_t v = pp_rd_varint(rd);

    if (rd->offset - from != pp_bhttp_varint_len(v))
        p->m.exact = 0;
    return v;
}

/* The next `len` bytes; a length past the end is not believed, whatever the width of size_t. */
static struct pp_rd read_sub(struct pp_rd *rd, uint64_t len)
{
    if (len > rd->left)
        pp_rd_fail(rd, PP_E_TRUNCATED);
    return pp_rd_sub(rd, len > rd->left ? 0 : (size_t)len);
}

static struct pp_span read_block(struct parse *p, struct pp_rd *rd)
{
    struct pp_rd block = read_sub(rd, read_varint(p, rd));

    return pp_rd_rest(&block);
}

/* The field line whose name length was just read. */
static pp_res read_field(struct parse *p, struct pp_rd *rd, uint64_t name_len,
                         struct pp_bhttp_section *section, int trailer, int *normal_seen)
{
    struct pp_rd name = read_sub(rd, name_len);
    struct pp_bhttp_field f = { .name = pp_rd_rest(&name) };

    f.value = read_block(p, rd);
    PP_TRY(pp_rd_ok(rd));
    PP_TRY(pp_bhttp_check_field(&f, trailer, normal_seen));
    return pp_bhttp_add(&p->m, section, f.name, f.value);
}

static pp_res read_known_section(struct parse *p, struct pp_bhttp_section *section, int trailer)
{
    int normal_seen = 0;
    struct pp_rd lines = read_sub(&p->rd, read_varint(p, &p->rd));

    PP_TRY(pp_rd_ok(&p->rd));
    PP_CHECK(lines.left <= PP_BHTTP_SECTION_BYTES_MAX, PP_E_LIMIT, lines.left);
    while (lines.left > 0) {
        uint64_t name_len = read_varint(p, &lines);
        PP_TRY(read_field(p, &lines, name_len, section, trailer, &normal_seen));
    }
    return PP_OK;
}

static pp_res read_indeterminate_section(struct parse *p, struct pp_bhttp_section *section,
                                         int trailer)
{
    int normal_seen = 0;
    size_t from = p->rd.offset;

    for (;;) {
        uint64_t name_len = read_varint(p, &p->rd);
        PP_TRY(pp_rd_ok(&p->rd));
        if (name_len == 0)
            return PP_OK;
        PP_TRY(read_field(p, &p->rd, name_len, section, trailer, &normal_seen));
        PP_CHECK(p->rd.offset - from <= PP_BHTTP_SECTION_BYTES_MAX, PP_E_LIMIT, p->rd.offset);
    }
}

static pp_res read_section(struct parse *p, struct pp_bhttp_section *section, int trailer)
{
    section->first = p->m.field_count;
    if (pp_bhttp_is_indeterminate(&p->m))
        return read_indeterminate_section(p, section, trailer);
    return read_known_section(p, section, trailer);
}

static pp_res read_content(struct parse *p)
{
    struct pp_bhttp *m = &p->m;

    if (!pp_bhttp_is_indeterminate(m)) {
        m->content = read_block(p, &p->rd);
        m->content_len = m->content.len;
        return pp_rd_ok(&p->rd);
    }
    const uint8_t *from = p->rd.at;
    for (;;) {
        size_t len = (size_t)(p->rd.at - from);
        uint64_t chunk_len = read_varint(p, &p->rd);
        PP_TRY(pp_rd_ok(&p->rd));
        if (chunk_len == 0) {
            m->chunks = pp_span(from, len);
            return PP_OK;
        }
        struct pp_rd chunk = read_sub(&p->rd, chunk_len);
        m->content_len += chunk.left; /* at most PP_BHTTP_BYTES_MAX in all */
        PP_TRY(pp_rd_ok(&p->rd));
    }
}

static pp_res read_request_control(struct parse *p)
{
    p->m.method = read_block(p, &p->rd);
    p->m.scheme = read_block(p, &p->rd);
    p->m.authority = read_block(p, &p->rd);
    p->m.path = read_block(p, &p->rd);
    PP_TRY(pp_rd_ok(&p->rd));
    return pp_bhttp_check_request(&p->m);
}

static pp_res read_response_control(struct parse *p)
{
    struct pp_bhttp *m = &p->m;

    for (;;) {
        uint64_t status = read_varint(p, &p->rd);
        PP_TRY(pp_rd_ok(&p->rd));
        PP_CHECK(status >= 100 && status <= 599, PP_E_RANGE, status);
        if (status >= 200) {
            m->status = (uint32_t)status;
            return PP_OK;
        }
        PP_CHECK(m->informational_count < PP_BHTTP_INFORMATIONAL_MAX, PP_E_LIMIT,
                 m->informational_count);
        struct pp_bhttp_informational *info = &m->informational[m->informational_count++];
        info->status = (uint32_t)status;
        PP_TRY(read_section(p, &info->header, 0));
    }
}

/*
 * RFC 9292 3.8: a message may end before the trailer section, before the content, or (RFC 9458's
 * own example) before the header section; what is missing is empty.
 */
static pp_res read_sections(struct parse *p)
{
    if (p->rd.left > 0)
        PP_TRY(read_section(p, &p->m.header, 0));
    if (p->rd.left > 0)
        PP_TRY(read_content(p));
    p->m.exact &= p->rd.left > 0; /* where an earlier one is missing, so is the trailer */
    if (p->rd.left > 0)
        PP_TRY(read_section(p, &p->m.trailer, 1));
    pp_rd_zeros(&p->rd, p->rd.left);
    return pp_rd_end(&p->rd);
}

pp_res pp_bhttp_parse(struct pp_span encoded, struct pp_bhttp *ret)
{
    struct parse p = { .rd = pp_rd_span(encoded), .m = { .exact = 1 } };

    PP_CHECK(encoded.len <= PP_BHTTP_BYTES_MAX, PP_E_LIMIT, encoded.len);
    uint64_t framing = read_varint(&p, &p.rd);
    PP_TRY(pp_rd_ok(&p.rd));
    PP_CHECK(framing <= PP_BHTTP_RESPONSE_INDETERMINATE, PP_E_UNSUPPORTED, framing);
    p.m.framing = (enum pp_bhttp_framing)framing;

    if (pp_bhttp_is_request(&p.m))
        PP_TRY(read_request_control(&p));
    else
        PP_TRY(read_response_control(&p));
    PP_TRY(read_sections(&p));
    *ret = p.m;
    return PP_OK;
}

/* --- writing -------------------------------------------------------------------------------- */

static void write_block(struct pp_wr *wr, struct pp_span s)
{
    pp_wr_varint(wr, s.len);
    pp_wr_span(wr, s);
}

pp_res pp_bhttp_write_section(const struct pp_bhttp *m, struct pp_bhttp_section section,
                              int trailer, struct pp_wr *wr)
{
    int normal_seen = 0;
    size_t bytes = 0;

    PP_ASSERT(section.first + section.count <= m->field_count);
    PP_ASSERT(m->field_count <= PP_BHTTP_FIELDS_MAX);
    for (size_t i = 0; i < section.count; i++) {
        const struct pp_bhttp_field *f = &m->fields[section.first + i];
        PP_TRY(pp_bhttp_check_field(f, trailer, &normal_seen));
        PP_CHECK(f->name.len <= PP_BHTTP_SECTION_BYTES_MAX, PP_E_LIMIT, f->name.len);
        PP_CHECK(f->value.len <= PP_BHTTP_SECTION_BYTES_MAX, PP_E_LIMIT, f->value.len);
        bytes += pp_bhttp_varint_len(f->name.len) + f->name.len +
                 pp_bhttp_varint_len(f->value.len) + f->value.len;
        PP_CHECK(bytes <= PP_BHTTP_SECTION_BYTES_MAX, PP_E_LIMIT, bytes);
    }
    if (!pp_bhttp_is_indeterminate(m))
        pp_wr_varint(wr, bytes);
    for (size_t i = 0; i < section.count; i++) {
        write_block(wr, m->fields[section.first + i].name);
        write_block(wr, m->fields[section.first + i].value);
    }
    if (pp_bhttp_is_indeterminate(m))
        pp_wr_varint(wr, 0);
    return pp_wr_ok(wr);
}

static void write_content(const struct pp_bhttp *m, struct pp_wr *wr)
{
    if (!pp_bhttp_is_indeterminate(m)) {
        pp_wr_varint(wr, m->content_len);
        pp_bhttp_content_copy(m, wr);
        return;
    }
    if (m->content.len > 0) /* a chunk of length 0 would be the end */
        write_block(wr, m->content);
    pp_wr_span(wr, m->chunks);
    pp_wr_varint(wr, 0);
}

pp_res pp_bhttp_write_informational(const struct pp_bhttp *m, size_t from, struct pp_wr *wr)
{
    PP_ASSERT(m->informational_count <= PP_BHTTP_INFORMATIONAL_MAX);
    for (size_t i = from; i < m->informational_count; i++) {
        const struct pp_bhttp_informational *info = &m->informational[i];
        PP_CHECK(info->status >= 100 && info->status <= 199, PP_E_RANGE, info->status);
        pp_wr_varint(wr, info->status);
        PP_TRY(pp_bhttp_write_section(m, info->header, 0, wr));
    }
    return PP_OK;
}

pp_res pp_bhttp_write_status(const struct pp_bhttp *m, struct pp_wr *wr)
{
    PP_CHECK(m->status >= 200 && m->status <= 599, PP_E_RANGE, m->status);
    pp_wr_varint(wr, m->status);
    return PP_OK;
}

static pp_res write_response_control(const struct pp_bhttp *m, struct pp_wr *wr)
{
    PP_TRY(pp_bhttp_write_informational(m, 0, wr));
    return pp_bhttp_write_status(m, wr);
}

pp_res pp_bhttp_write_request_control(const struct pp_bhttp *m, struct pp_wr *wr)
{
    PP_TRY(pp_bhttp_check_request(m));
    write_block(wr, m->method);
    write_block(wr, m->scheme);
    write_block(wr, m->authority);
    write_block(wr, m->path);
    return PP_OK;
}

pp_res pp_bhttp_write(const struct pp_bhttp *m, struct pp_wr *wr)
{
    size_t from = wr->len;

    pp_wr_varint(wr, (uint64_t)m->framing);
    if (pp_bhttp_is_request(m))
        PP_TRY(pp_bhttp_write_request_control(m, wr));
    else
        PP_TRY(write_response_control(m, wr));
    PP_TRY(pp_bhttp_write_section(m, m->header, 0, wr));
    write_content(m, wr);
    PP_TRY(pp_bhttp_write_section(m, m->trailer, 1, wr));
    PP_CHECK(wr->len - from <= PP_BHTTP_BYTES_MAX, PP_E_LIMIT, wr->len - from);
    return PP_OK;
}

pp_res pp_bhttp_write_padded(const struct pp_bhttp *m, size_t total, struct pp_wr *wr)
{
    size_t from = wr->len;

    PP_CHECK(total <= PP_BHTTP_BYTES_MAX, PP_E_LIMIT, total);
    PP_TRY(pp_bhttp_write(m, wr));
    pp_wr_fill_to(wr, from + total);
    return pp_wr_ok(wr);
}
