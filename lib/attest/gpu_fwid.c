/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware id in a leaf certificate (TCG DICE), and the order of versions. */
#include "gpu.h"

#include "rd.h"
#include "text.h"

enum {
    DER_INTEGER = 0x02,
    DER_OCTET_STRING = 0x04,
    DER_SEQUENCE = 0x30,
    DER_FWIDS = 0xA6, /* [6] IMPLICIT SEQUENCE OF FWID, in TcbInfo */
    VERSION_PARTS_MAX = 8,
    VERSION_DIGITS_MAX = 8,
};

/* The OBJECT IDENTIFIER 2.16.840.1.101.3.4.2.2, SHA-384, with its tag and length. */
static const uint8_t SHA384_OID[] = { 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                      0x65, 0x03, 0x04, 0x02, 0x02 };

/* The content of the next element, whose tag goes to `*ret_tag`; lengths as short as DER asks. */
static struct pp_rd der_next(struct pp_rd *rd, uint8_t *ret_tag)
{
    *ret_tag = pp_rd_u8(rd);
    size_t len = pp_rd_u8(rd);
    size_t min = 0;

    if (len == 0x81) {
        len = pp_rd_u8(rd);
        min = 0x80;
    } else if (len == 0x82) {
        len = pp_rd_u16(rd);
        min = 0x100;
    } else if (len > 0x7F) {
        pp_rd_fail(rd, PP_E_RANGE);
    }
    if (len < min)
        pp_rd_fail(rd, PP_E_ENCODING);
    return pp_rd_sub(rd, len);
}

/* FWID ::= SEQUENCE { hashAlg OBJECT IDENTIFIER, digest OCTET STRING }; here its content. */
static pp_res read_fwid(struct pp_rd rd, uint8_t ret[PP_GPU_HASH_BYTES])
{
    uint8_t tag;
    struct pp_span oid = pp_rd_bytes(&rd, sizeof SHA384_OID);
    struct pp_rd digest = der_next(&rd, &tag);
    struct pp_span value = pp_rd_rest(&digest);

    PP_TRY(pp_rd_end(&rd));
    PP_CHECK(pp_span_eq(oid, PP_BYTES(SHA384_OID)), PP_E_UNSUPPORTED, 0);
    PP_CHECK(tag == DER_OCTET_STRING && value.len == PP_GPU_HASH_BYTES, PP_E_FORMAT, tag);
    memcpy(ret, value.at, value.len);
    return PP_OK;
}

/* CompositeDeviceID ::= SEQUENCE { version INTEGER, deviceID SubjectPublicKeyInfo, fwid FWID }. */
static pp_res read_composite(struct pp_rd rd, uint8_t ret[PP_GPU_HASH_BYTES])
{
    uint8_t tags[3];

    (void)der_next(&rd, &tags[0]); /* the version */
    (void)der_next(&rd, &tags[1]); /* the key of the certificate above */
    struct pp_rd fwid = der_next(&rd, &tags[2]);
    PP_TRY(pp_rd_end(&rd));
    PP_CHECK(tags[0] == DER_INTEGER && tags[1] == DER_SEQUENCE && tags[2] == DER_SEQUENCE,
             PP_E_FORMAT, 0);
    return read_fwid(fwid, ret);
}

/* DiceTcbInfo: fields [0] to [5] may stand in front of [6] fwids; the first of these counts. */
static pp_res read_tcb_info(struct pp_rd rd, uint8_t ret[PP_GPU_HASH_BYTES])
{
    uint8_t tag = 0;
    struct pp_rd field = { 0 };

    while (rd.left > 0 && tag != DER_FWIDS)
        field = der_next(&rd, &tag);
    PP_TRY(pp_rd_ok(&rd));
    PP_CHECK(tag == DER_FWIDS, PP_E_NOT_FOUND, 0);
    struct pp_rd first = der_next(&field, &tag);
    PP_TRY(pp_rd_ok(&field));
    PP_CHECK(tag == DER_SEQUENCE, PP_E_FORMAT, tag);
    return read_fwid(first, ret);
}

pp_res pp_gpu_fwid_parse(struct pp_span extension, uint8_t ret[PP_GPU_HASH_BYTES])
{
    struct pp_rd rd = pp_rd_span(extension);
    uint8_t tag;
    struct pp_rd body = der_next(&rd, &tag);

    PP_TRY_AS(PP_E_GPU_FWID, pp_rd_end(&rd));
    PP_CHECK(tag == DER_SEQUENCE && body.left > 0, PP_E_GPU_FWID, tag);
    if (body.at[0] == DER_INTEGER)
        PP_TRY_AS(PP_E_GPU_FWID, read_composite(body, ret));
    else
        PP_TRY_AS(PP_E_GPU_FWID, read_tcb_info(body, ret));
    return PP_OK;
}

pp_res pp_gpu_cert_fwid(const struct pp_x509 *leaf, uint8_t ret[PP_GPU_HASH_BYTES])
{
    struct pp_span extension;
    pp_res r = pp_x509_extension(leaf, "2.23.133.5.4.1.1", &extension);

    if (r.code == PP_E_NOT_FOUND)
        r = pp_x509_extension(leaf, "2.23.133.5.4.1", &extension);
    PP_TRY_AS(PP_E_GPU_FWID, r);
    return pp_gpu_fwid_parse(extension, ret);
}

/* --- versions --------------------------------------------------------------------------------- */

static int digit_of(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : 16;
}

/* The number before the next dot, taken off `*text`; 0 when nothing is left. */
static pp_res next_part(struct pp_span *text, int *more, int base, uint64_t *ret)
{
    struct pp_span part;
    uint64_t v = 0;

    *ret = 0;
    if (!*more)
        return PP_OK;
    *more = pp_text_cut(text, '.', &part);
    PP_CHECK(part.len >= 1 && part.len <= VERSION_DIGITS_MAX, PP_E_FORMAT, part.len);
    for (size_t i = 0; i < part.len; i++) {
        int digit = digit_of(part.at[i]);
        PP_CHECK(digit < base, PP_E_FORMAT, i);
        v = v * (uint64_t)base + (uint64_t)digit;
    }
    *ret = v;
    return PP_OK;
}

pp_res pp_gpu_version_compare(struct pp_span a, struct pp_span b, int base, int *ret)
{
    int more_a = 1, more_b = 1, order = 0;

    for (int i = 0; more_a || more_b; i++) {
        uint64_t x, y;
        PP_CHECK(i < VERSION_PARTS_MAX, PP_E_FORMAT, i);
        PP_TRY(next_part(&a, &more_a, base, &x));
        PP_TRY(next_part(&b, &more_b, base, &y));
        if (order == 0)
            order = (x > y) - (x < y);
    }
    *ret = order;
    return PP_OK;
}
