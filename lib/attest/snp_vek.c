/* SPDX-License-Identifier: Apache-2.0 */
/* The extensions of a chip's certificate (AMD 57230; docs/protocol/snp.md, table of extensions). */
#include "snp.h"

#include "rd.h"

#define AMD_ARC "1.3.6.1.4.1.3704.1."

enum { DER_INTEGER = 0x02, DER_OCTET_STRING = 0x04, DER_IA5STRING = 0x16 };

/* Which structure version has the extension. */
enum { LEGACY = 1, TURIN = 2 };

static const struct row {
    const char *oid, *name;
    int in;
    size_t offset; /* of the component in struct pp_snp_tcb_parts */
} COMPONENTS[] = {
    { AMD_ARC "3.1", "blSPL", LEGACY | TURIN, offsetof(struct pp_snp_tcb_parts, boot_loader) },
    { AMD_ARC "3.2", "teeSPL", LEGACY | TURIN, offsetof(struct pp_snp_tcb_parts, tee) },
    { AMD_ARC "3.3", "snpSPL", LEGACY | TURIN, offsetof(struct pp_snp_tcb_parts, snp) },
    { AMD_ARC "3.4", "spl4", LEGACY, offsetof(struct pp_snp_tcb_parts, reserved) },
    { AMD_ARC "3.5", "spl5", LEGACY | TURIN, offsetof(struct pp_snp_tcb_parts, reserved) + 1 },
    { AMD_ARC "3.6", "spl6", LEGACY | TURIN, offsetof(struct pp_snp_tcb_parts, reserved) + 2 },
    { AMD_ARC "3.7", "spl7", LEGACY | TURIN, offsetof(struct pp_snp_tcb_parts, reserved) + 3 },
    { AMD_ARC "3.8", "ucodeSPL", LEGACY | TURIN, offsetof(struct pp_snp_tcb_parts, microcode) },
    { AMD_ARC "3.9", "fmcSPL", TURIN, offsetof(struct pp_snp_tcb_parts, fmc) },
};

/* Numbers of the extensions, as the failure's detail. */
enum { EXT_STRUCT_VERSION = 1, EXT_PRODUCT = 2, EXT_COMPONENTS = 31, EXT_HWID = 4, EXT_CSP_ID = 5 };

static pp_res refuse(struct pp_problem *problem, size_t number, const char *name,
                     const char *expected, struct pp_span got)
{
    pp_problem_hex(problem, name, (struct pp_span){ 0 }, got);
    if (problem != NULL)
        pp_printable(problem->expected, sizeof problem->expected, pp_span_cstr(expected));
    return PP_FAIL(PP_E_SNP_CERT_FORM, number);
}

/* 0: absent; 1: found once; anything else is a refusal. */
static pp_res find(const struct pp_snp_extension_source *source, const char *oid, const char *name,
                   size_t number, struct pp_problem *problem, int *ret_present, struct pp_span *ret)
{
    pp_res r = source->find(source->ctx, oid, ret);

    *ret_present = pp_is_ok(r);
    if (pp_is_ok(r) || r.code == PP_E_NOT_FOUND)
        return PP_OK;
    return refuse(problem, number, name, "one extension of this kind", (struct pp_span){ 0 });
}

/* DER INTEGER 0..255: one content byte, or two of which the first is a zero that the sign asks for.
 */
static pp_res read_integer(struct pp_span value, uint8_t *ret)
{
    struct pp_rd rd = pp_rd_span(value);
    uint8_t tag = pp_rd_u8(&rd);
    struct pp_rd body = pp_rd_block8(&rd);
    size_t len = body.left;
    uint8_t first = pp_rd_u8(&body);
    uint8_t v = len == 2 ? pp_rd_u8(&body) : first;

    PP_TRY(pp_rd_end(&body));
    PP_TRY(pp_rd_end(&rd));
    PP_CHECK(tag == DER_INTEGER, PP_E_FORMAT, tag);
    PP_CHECK(len == 1 ? first <= 0x7F : first == 0 && v > 0x7F, PP_E_ENCODING, len);
    *ret = v;
    return PP_OK;
}

static pp_res read_text(struct pp_span value, char ret[PP_SNP_TEXT_BYTES_MAX])
{
    struct pp_rd rd = pp_rd_span(value);
    uint8_t tag = pp_rd_u8(&rd);
    struct pp_rd body = pp_rd_block8(&rd);
    struct pp_span text = pp_rd_rest(&body);

    PP_TRY(pp_rd_end(&rd));
    PP_CHECK(tag == DER_IA5STRING, PP_E_FORMAT, tag);
    PP_CHECK(text.len >= 1 && text.len < PP_SNP_TEXT_BYTES_MAX, PP_E_RANGE, text.len);
    for (size_t i = 0; i < text.len; i++)
        PP_CHECK(text.at[i] >= 0x20 && text.at[i] < 0x7F, PP_E_FORMAT, i);
    memset(ret, 0, PP_SNP_TEXT_BYTES_MAX);
    memcpy(ret, text.at, text.len);
    return PP_OK;
}

static pp_res read_components(const struct pp_snp_extension_source *source,
                              struct pp_snp_extensions *e, struct pp_problem *problem)
{
    int kind = e->struct_version == 0 ? LEGACY : TURIN;

    for (size_t i = 0; i < PP_ARRAY_COUNT(COMPONENTS); i++) {
        const struct row *c = &COMPONENTS[i];
        struct pp_span value = { 0 };
        uint8_t level = 0;
        int present;

        PP_TRY(find(source, c->oid, c->name, EXT_COMPONENTS + i, problem, &present, &value));
        if (present != ((c->in & kind) != 0))
            return refuse(problem, EXT_COMPONENTS + i, c->name,
                          present ? "absent in this structure version" : "present", value);
        if (present && !pp_is_ok(read_integer(value, &level)))
            return refuse(problem, EXT_COMPONENTS + i, c->name, "a DER INTEGER 0 to 255", value);
        ((uint8_t *)&e->tcb)[c->offset] = level;
    }
    return PP_OK;
}

/* 64 bytes (8 on Turin), bare or in an OCTET STRING. */
static pp_res read_hwid(struct pp_span value, struct pp_snp_extensions *e)
{
    size_t len = e->struct_version == 0 ? PP_SNP_CHIP_ID_BYTES : 8;

    if (value.len == len + 2 && value.at[0] == DER_OCTET_STRING && value.at[1] == len)
        value = pp_span(value.at + 2, len);
    PP_CHECK(value.len == len, PP_E_RANGE, value.len);
    memcpy(e->hwid, value.at, len);
    e->hwid_len = len;
    return PP_OK;
}

static pp_res read_owner(const struct pp_snp_extension_source *source, struct pp_snp_extensions *e,
                         struct pp_problem *problem)
{
    struct pp_span hwid = { 0 }, csp = { 0 };
    int has_hwid, has_csp;

    PP_TRY(find(source, AMD_ARC "4", "HWID", EXT_HWID, problem, &has_hwid, &hwid));
    PP_TRY(find(source, AMD_ARC "5", "CSP_ID", EXT_CSP_ID, problem, &has_csp, &csp));
    if (has_hwid == has_csp)
        return refuse(problem, EXT_HWID, "HWID, CSP_ID", "exactly one of the two",
                      (struct pp_span){ 0 });
    if (has_hwid && !pp_is_ok(read_hwid(hwid, e)))
        return refuse(problem, EXT_HWID, "HWID", "64 bytes, 8 on Turin", hwid);
    if (has_csp && !pp_is_ok(read_text(csp, e->csp_id)))
        return refuse(problem, EXT_CSP_ID, "CSP_ID", "an IA5String", csp);
    return PP_OK;
}

pp_res pp_snp_extensions_parse(const struct pp_snp_extension_source *source,
                               struct pp_snp_extensions *ret, struct pp_problem *problem)
{
    struct pp_snp_extensions e = { 0 };
    struct pp_span version = { 0 }, product = { 0 };
    int present;

    PP_TRY(find(source, AMD_ARC "1", "structVersion", EXT_STRUCT_VERSION, problem, &present,
                &version));
    if (!present || !pp_is_ok(read_integer(version, &e.struct_version)) || e.struct_version > 1)
        return refuse(problem, EXT_STRUCT_VERSION, "structVersion", "INTEGER 0 or 1", version);
    PP_TRY(find(source, AMD_ARC "2", "productName", EXT_PRODUCT, problem, &present, &product));
    if (!present || !pp_is_ok(read_text(product, e.product)))
        return refuse(problem, EXT_PRODUCT, "productName", "an IA5String", product);
    PP_TRY(read_components(source, &e, problem));
    PP_TRY(read_owner(source, &e, problem));
    *ret = e;
    return PP_OK;
}

static pp_res find_in_certificate(void *ctx, const char *oid, struct pp_span *ret)
{
    return pp_x509_extension((const struct pp_x509 *)ctx, oid, ret);
}

pp_res pp_snp_extensions_of(const struct pp_x509 *cert, struct pp_snp_extensions *ret,
                            struct pp_problem *problem)
{
    struct pp_snp_extension_source source = { find_in_certificate, (void *)cert };

    return pp_snp_extensions_parse(&source, ret, problem);
}
