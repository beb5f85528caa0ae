/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of a PE image: the algorithm of the Authenticode format, for files and not memory. */
#include "direct_boot.h"

#include "rd.h"

enum {
    PE_AT = 0x3C, /* u32: where the PE header is */
    COFF_BYTES = 20,
    OPTIONAL_SIZE_OF_HEADERS = 60,
    OPTIONAL_CHECKSUM = 64,
    CHECKSUM_BYTES = 4,
    CERTIFICATES = 4, /* index of that directory */
    DIRECTORY_BYTES = 8,
    SECTION_BYTES = 40,
    MAGIC_PE32 = 0x10B,
    MAGIC_PE32_PLUS = 0x20B,
};

struct section {
    uint32_t at, len;
};

struct image {
    struct pp_span file;
    uint32_t headers;         /* bytes */
    size_t checksum_at;       /* in the headers */
    size_t certificates_at;   /* the directory's entry; 0: it has none */
    uint32_t certificate_len; /* bytes at the end of the file */
    struct section sections[PP_PE_SECTIONS_MAX];
    size_t section_count;
};

/* Everything is read by its place: a reader over the file from there on. */
static struct pp_rd reader_at(struct pp_span file, size_t at)
{
    struct pp_rd rd = pp_rd_span(file);

    pp_rd_skip(&rd, at);
    return rd;
}

static pp_res read_directories(struct image *im, size_t optional_at, size_t optional_len)
{
    struct pp_rd rd = reader_at(im->file, optional_at);
    uint16_t magic = pp_rd_u16le(&rd);

    PP_CHECK(magic == MAGIC_PE32 || magic == MAGIC_PE32_PLUS, PP_E_FORMAT, magic);
    size_t first = magic == MAGIC_PE32 ? 96 : 112; /* the first directory */
    PP_CHECK(optional_len >= first, PP_E_FORMAT, optional_len);
    rd = reader_at(im->file, optional_at + first - 4);
    uint32_t count = pp_rd_u32le(&rd);
    PP_TRY_AS(PP_E_FORMAT, pp_rd_ok(&rd));
    PP_CHECK(count <= (optional_len - first) / DIRECTORY_BYTES, PP_E_FORMAT, count);
    if (count <= CERTIFICATES)
        return PP_OK;
    im->certificates_at = optional_at + first + CERTIFICATES * DIRECTORY_BYTES;
    rd = reader_at(im->file, im->certificates_at + 4);
    im->certificate_len = pp_rd_u32le(&rd);
    return pp_rd_ok(&rd);
}

/* Sections with bytes in the file, in the order of their places there. */
static pp_res read_sections(struct image *im, size_t at, size_t count)
{
    PP_CHECK(count <= PP_PE_SECTIONS_MAX, PP_E_LIMIT, count);
    for (size_t i = 0; i < count; i++) {
        struct pp_rd rd = reader_at(im->file, at + i * SECTION_BYTES);
        pp_rd_skip(&rd, 16);
        struct section s = { .len = pp_rd_u32le(&rd) };
        s.at = pp_rd_u32le(&rd);
        PP_TRY_AS(PP_E_FORMAT, pp_rd_ok(&rd));
        if (s.len == 0)
            continue;
        size_t k = im->section_count++;
        for (; k > 0 && im->sections[k - 1].at > s.at; k--)
            im->sections[k] = im->sections[k - 1];
        im->sections[k] = s;
    }
    return PP_OK;
}

/* Headers, sections and certificates one behind the other, all of them in the file. */
static pp_res check_places(const struct image *im)
{
    uint64_t end = im->headers;

    for (size_t i = 0; i < im->section_count; i++) {
        const struct section *s = &im->sections[i];
        PP_CHECK(s->at >= end, PP_E_FORMAT, s->at);
        end = (uint64_t)s->at + s->len;
    }
    PP_CHECK(end <= im->file.len && im->certificate_len <= im->file.len - end, PP_E_FORMAT, end);
    return PP_OK;
}

static pp_res parse(struct pp_span file, struct image *im)
{
    struct pp_rd rd = pp_rd_span(file);

    im->file = file;
    PP_CHECK(pp_span_eq(pp_rd_bytes(&rd, 2), PP_STR("MZ")), PP_E_FORMAT, 0);
    rd = reader_at(file, PE_AT);
    size_t pe = pp_rd_u32le(&rd);
    rd = reader_at(file, pe);
    PP_CHECK(pp_span_eq(pp_rd_bytes(&rd, 4), PP_STR("PE\0\0")), PP_E_FORMAT, pe);
    pp_rd_skip(&rd, 2);
    size_t sections = pp_rd_u16le(&rd);
    pp_rd_skip(&rd, 12);
    size_t optional_len = pp_rd_u16le(&rd);
    PP_TRY_AS(PP_E_FORMAT, pp_rd_ok(&rd));
    size_t optional_at = pe + 4 + COFF_BYTES;
    PP_TRY_AS(PP_E_FORMAT, read_directories(im, optional_at, optional_len));
    rd = reader_at(file, optional_at + OPTIONAL_SIZE_OF_HEADERS);
    im->headers = pp_rd_u32le(&rd);
    im->checksum_at = optional_at + OPTIONAL_CHECKSUM;
    PP_TRY_AS(PP_E_FORMAT, pp_rd_ok(&rd));
    size_t table = optional_at + optional_len;
    PP_TRY(read_sections(im, table, sections));
    PP_CHECK(im->headers >= table + sections * SECTION_BYTES, PP_E_FORMAT, im->headers);
    return check_places(im);
}

static void update(struct pp_hash *h, const struct image *im, size_t from, size_t to)
{
    pp_hash_update(h, pp_span(im->file.at + from, to - from));
}

pp_res pp_pe_digest(struct pp_span file, uint8_t ret[PP_SHA384_BYTES])
{
    struct image im = { 0 };
    struct pp_hash h;

    PP_TRY(parse(file, &im));
    size_t from = im.checksum_at + CHECKSUM_BYTES, hashed = im.headers;
    pp_hash_init(&h, PP_SHA384);
    update(&h, &im, 0, im.checksum_at);
    if (im.certificates_at > 0) {
        update(&h, &im, from, im.certificates_at);
        from = im.certificates_at + DIRECTORY_BYTES;
    }
    update(&h, &im, from, im.headers);
    for (size_t i = 0; i < im.section_count; i++) {
        update(&h, &im, im.sections[i].at, im.sections[i].at + im.sections[i].len);
        hashed += im.sections[i].len;
    }
    /* What stands behind the sections; counted, as the format says, by what was hashed so far. */
    update(&h, &im, hashed, file.len - im.certificate_len);
    pp_hash_final(&h, ret);
    return PP_OK;
}
