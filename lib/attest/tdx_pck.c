/* SPDX-License-Identifier: Apache-2.0 */
/* Intel's extension of a PCK certificate (docs/protocol/tdx.md 2). */
#include "tdx.h"

#include "rd.h"

enum { DER_INTEGER = 0x02, DER_OCTET_STRING = 0x04, DER_OID = 0x06, DER_SEQUENCE = 0x30 };

/* Last numbers of the OIDs below PP_TDX_SGX_EXTENSIONS, and below its .2. */
enum { PART_PPID = 1, PART_TCB = 2, PART_PCE_ID = 3, PART_FMSPC = 4, PART_INSTANCE_ID = 6 };
enum { TCB_PCE_SVN = 17, TCB_CPU_SVN = 18, TCB_PARTS = 18 };

static const uint8_t ARC[] = { 0x2A, 0x86, 0x48, 0x86, 0xF8, 0x4D, 0x01, 0x0D, 0x01 };
static const uint8_t TCB_ARC[] = { 0x2A, 0x86, 0x48, 0x86, 0xF8, 0x4D, 0x01, 0x0D, 0x01, 0x02 };

/* --- DER -------------------------------------------------------------------------------------- */

/* The content of the next value, which has this tag; its length in the one form that DER has. */
static struct pp_rd der_value(struct pp_rd *rd, uint8_t tag)
{
    uint8_t got = pp_rd_u8(rd);
    size_t len = pp_rd_u8(rd);

    if (len == 0x81) {
        len = pp_rd_u8(rd);
        if (len < 0x80)
            pp_rd_fail(rd, PP_E_ENCODING);
    } else if (len == 0x82) {
        len = pp_rd_u16(rd);
        if (len < 0x100)
            pp_rd_fail(rd, PP_E_ENCODING);
    } else if (len >= 0x80) {
        pp_rd_fail(rd, PP_E_ENCODING);
    }
    if (got != tag)
        pp_rd_fail(rd, PP_E_FORMAT);
    return pp_rd_sub(rd, len);
}

/* INTEGER 0..max (max < 2^16): no sign, no needless zero. */
static uint16_t der_integer(struct pp_rd *rd, uint16_t max)
{
    struct pp_rd body = der_value(rd, DER_INTEGER);
    size_t len = body.left;
    uint32_t v = 0;

    if (len < 1 || len > 3 || (body.at[0] & 0x80) != 0 ||
        (len > 1 && body.at[0] == 0 && (body.at[1] & 0x80) == 0))
        pp_rd_fail(rd, PP_E_ENCODING);
    else
        while (body.left > 0)
            v = v << 8 | pp_rd_u8(&body);
    if (v > max)
        pp_rd_fail(rd, PP_E_RANGE);
    return rd->failed == PP_E_OK ? (uint16_t)v : 0;
}

static void der_octets(struct pp_rd *rd, uint8_t *ret, size_t len)
{
    struct pp_rd body = der_value(rd, DER_OCTET_STRING);

    if (body.left != len)
        pp_rd_fail(rd, PP_E_RANGE);
    pp_rd_copy(&body, ret, len);
}

/*
 * The next { OID, value } of a sequence: its value is left in `*ret`, the last number of its OID,
 * which is one byte below `arc`, is returned. 0 for another OID.
 */
static unsigned der_part(struct pp_rd *rd, struct pp_span arc, struct pp_rd *ret)
{
    *ret = der_value(rd, DER_SEQUENCE);
    struct pp_rd oid = der_value(ret, DER_OID);
    struct pp_span head = oid.left == arc.len + 1 ? pp_rd_bytes(&oid, arc.len)
                                                  : (struct pp_span){ 0 };

    if (!pp_span_eq(head, arc))
        return 0;
    return pp_rd_u8(&oid);
}

/* --- parts ------------------------------------------------------------------------------------ */

static pp_res refuse(struct pp_problem *problem, unsigned part, const char *field,
                     const char *expected)
{
    pp_problem_set(problem, field, expected, PP_STR("something else"));
    return PP_FAIL(PP_E_TDX_PCK_CHAIN, part);
}

/* Marks a part as seen; 0 when it was there before. */
static int first(uint32_t *seen, unsigned part)
{
    uint32_t bit = UINT32_C(1) << part;
    int fresh = (*seen & bit) == 0;

    *seen |= bit;
    return fresh;
}

static pp_res read_tcb(struct pp_rd *tcb, struct pp_tdx_pck *p, struct pp_problem *problem)
{
    uint32_t seen = 0;
    struct pp_rd parts = der_value(tcb, DER_SEQUENCE);

    while (parts.left > 0 && parts.failed == PP_E_OK) {
        struct pp_rd value;
        unsigned part = der_part(&parts, PP_BYTES(TCB_ARC), &value);

        if (part < 1 || part > TCB_PARTS || !first(&seen, part))
            return refuse(problem, PART_TCB, "TCB", "each of its eighteen parts once");
        if (part == TCB_CPU_SVN)
            der_octets(&value, p->cpu_svn, sizeof p->cpu_svn);
        else if (part == TCB_PCE_SVN)
            p->pce_svn = der_integer(&value, UINT16_MAX);
        else
            p->component_svn[part - 1] = (uint8_t)der_integer(&value, UINT8_MAX);
        if (!pp_is_ok(pp_rd_end(&value)))
            return refuse(problem, PART_TCB, "TCB",
                          "component SVNs 0 to 255, a PCESVN 0 to 65535, a CPUSVN of 16 bytes");
    }
    if (!pp_is_ok(pp_rd_end(&parts)) || seen != ((UINT32_C(1) << (TCB_PARTS + 1)) - 2))
        return refuse(problem, PART_TCB, "TCB", "each of its eighteen parts once");
    return PP_OK;
}

static pp_res read_part(unsigned part, struct pp_rd *value, struct pp_tdx_pck *p,
                        struct pp_problem *problem)
{
    switch (part) {
    case PART_PPID:
        der_octets(value, p->ppid, sizeof p->ppid);
        break;
    case PART_TCB:
        PP_TRY(read_tcb(value, p, problem));
        break;
    case PART_PCE_ID:
        der_octets(value, p->pce_id, sizeof p->pce_id);
        break;
    case PART_FMSPC:
        der_octets(value, p->fmspc, sizeof p->fmspc);
        break;
    case PART_INSTANCE_ID:
        der_octets(value, p->instance_id, sizeof p->instance_id);
        p->has_instance_id = 1;
        break;
    default:
        pp_ignore(pp_rd_ok(value), "what Intel adds to its arc is not ours to judge");
        return PP_OK;
    }
    if (!pp_is_ok(pp_rd_end(value)))
        return refuse(problem, part, "SGX extension", "an OCTET STRING of the part's length");
    return PP_OK;
}

pp_res pp_tdx_pck_parse(struct pp_span extension, struct pp_tdx_pck *ret,
                        struct pp_problem *problem)
{
    static const uint32_t mandatory = 1U << PART_PPID | 1U << PART_TCB | 1U << PART_PCE_ID |
                                      1U << PART_FMSPC;
    struct pp_rd outer = pp_rd_span(extension);
    struct pp_rd parts = der_value(&outer, DER_SEQUENCE);
    struct pp_tdx_pck p = { 0 };
    uint32_t seen = 0;

    while (parts.left > 0 && parts.failed == PP_E_OK) {
        struct pp_rd value;
        unsigned part = der_part(&parts, PP_BYTES(ARC), &value);

        if (parts.failed != PP_E_OK || value.failed != PP_E_OK || part == 0 || part > 31 ||
            !first(&seen, part))
            return refuse(problem, part, "SGX extension", "parts of Intel's arc, each once");
        PP_TRY(read_part(part, &value, &p, problem));
    }
    if (!pp_is_ok(pp_rd_end(&parts)) || !pp_is_ok(pp_rd_end(&outer)))
        return refuse(problem, 0, "SGX extension", "one DER SEQUENCE");
    if ((seen & mandatory) != mandatory)
        return refuse(problem, 0, "SGX extension", "PPID, TCB, PCEID and FMSPC");
    *ret = p;
    return PP_OK;
}

pp_res pp_tdx_pck_of(const struct pp_x509 *cert, struct pp_tdx_pck *ret, struct pp_problem *problem)
{
    struct pp_span extension;

    if (!pp_is_ok(pp_x509_extension(cert, PP_TDX_SGX_EXTENSIONS, &extension)))
        return refuse(problem, 0, "SGX extension", "one in the certificate");
    return pp_tdx_pck_parse(extension, ret, problem);
}
