/* SPDX-License-Identifier: Apache-2.0 */
/* ATTESTATION_REPORT (AMD 56860): reader and writer. */
#include "snp.h"

#include "rd.h"
#include "wr.h"

/* Says which field at which offset is not as it must be. */
static pp_res refuse(struct pp_problem *problem, size_t offset, const char *field,
                     const char *expected, uint64_t got)
{
    uint8_t be[8];
    char text[20];
    struct pp_wr wr = pp_wr_over(be, sizeof be);
    struct pp_wr hex = pp_wr_over(text, sizeof text);

    pp_wr_u64(&wr, got);
    pp_wr_text(&hex, "0x");
    pp_wr_hex(&hex, PP_BYTES(be));
    pp_problem_set(problem, field, expected, pp_wr_done(&hex));
    return PP_FAIL(PP_E_SNP_FORMAT, offset);
}

static void read_tcb(struct pp_rd *rd, struct pp_snp_tcb *ret)
{
    pp_rd_copy(rd, ret->v, sizeof ret->v);
}

/* In the order build, minor, major, and a zero. */
static void read_version(struct pp_rd *rd, struct pp_snp_version *ret)
{
    ret->build = pp_rd_u8(rd);
    ret->minor = pp_rd_u8(rd);
    ret->major = pp_rd_u8(rd);
    pp_rd_zeros(rd, 1);
}

/* Bytes 000..18F: what the guest and its owner chose, and who signs. */
static void read_guest_part(struct pp_rd *rd, struct pp_snp_report *r)
{
    r->version = pp_rd_u32le(rd);
    r->guest_svn = pp_rd_u32le(rd);
    r->policy = pp_rd_u64le(rd);
    pp_rd_copy(rd, r->family_id, sizeof r->family_id);
    pp_rd_copy(rd, r->image_id, sizeof r->image_id);
    r->vmpl = pp_rd_u32le(rd);
    r->signature_algo = pp_rd_u32le(rd);
    read_tcb(rd, &r->current_tcb);
    r->platform_info = pp_rd_u64le(rd);
    r->key_info = pp_rd_u32le(rd);
    pp_rd_zeros(rd, 4);
    pp_rd_copy(rd, r->report_data, sizeof r->report_data);
    pp_rd_copy(rd, r->measurement, sizeof r->measurement);
    pp_rd_copy(rd, r->host_data, sizeof r->host_data);
    pp_rd_copy(rd, r->id_key_digest, sizeof r->id_key_digest);
    pp_rd_copy(rd, r->author_key_digest, sizeof r->author_key_digest);
    pp_rd_copy(rd, r->report_id, sizeof r->report_id);
    pp_rd_copy(rd, r->report_id_ma, sizeof r->report_id_ma);
    read_tcb(rd, &r->reported_tcb);
}

/* Bytes 188..29F: the chip, its firmware, and what newer versions added. */
static void read_chip_part(struct pp_rd *rd, struct pp_snp_report *r)
{
    if (r->version >= 3) {
        r->cpuid_family = pp_rd_u8(rd);
        r->cpuid_model = pp_rd_u8(rd);
        r->cpuid_step = pp_rd_u8(rd);
    } else {
        pp_rd_zeros(rd, 3);
    }
    pp_rd_zeros(rd, 21);
    pp_rd_copy(rd, r->chip_id, sizeof r->chip_id);
    read_tcb(rd, &r->committed_tcb);
    read_version(rd, &r->current);
    read_version(rd, &r->committed);
    read_tcb(rd, &r->launch_tcb);
    if (r->version >= 5) {
        r->launch_mit_vector = pp_rd_u64le(rd);
        r->current_mit_vector = pp_rd_u64le(rd);
    } else {
        pp_rd_zeros(rd, 16);
    }
    pp_rd_zeros(rd, 152);
}

static pp_res check_values(const struct pp_snp_report *r, struct pp_problem *problem)
{
    if ((r->policy & PP_SNP_POLICY_MUST_BE_ONE) == 0)
        return refuse(problem, 0x008, "POLICY", "bit 17 is one", r->policy);
    if ((r->policy & PP_SNP_POLICY_RESERVED) != 0)
        return refuse(problem, 0x008, "POLICY", "bits 26 to 63 are zero", r->policy);
    if (r->key_info >> 5 != 0)
        return refuse(problem, 0x048, "KEY_INFO", "bits 5 to 31 are zero", r->key_info);
    return PP_OK;
}

pp_res pp_snp_report_parse(struct pp_span bytes, struct pp_snp_report *ret,
                           struct pp_problem *problem)
{
    struct pp_snp_report r = { 0 };
    struct pp_rd rd = pp_rd_span(bytes);
    struct pp_rd version = rd;

    if (bytes.len != PP_SNP_REPORT_BYTES) {
        pp_problem_numbers(problem, "size in bytes", PP_SNP_REPORT_BYTES, bytes.len);
        return PP_FAIL(PP_E_SNP_FORMAT, bytes.len);
    }
    r.version = pp_rd_u32le(&version);
    if (r.version < PP_SNP_VERSION_MIN || r.version > PP_SNP_VERSION_MAX)
        return refuse(problem, 0, "VERSION", "2 to 5", r.version);
    read_guest_part(&rd, &r);
    read_chip_part(&rd, &r);
    pp_rd_copy(&rd, r.r, sizeof r.r);
    pp_rd_copy(&rd, r.s, sizeof r.s);
    pp_rd_zeros(&rd, 368);
    if (rd.failed != PP_E_OK) /* the size is right, so only a byte that is not zero can be it */
        return refuse(problem, rd.detail, "reserved bytes", "zero in this version (got: offset)",
                      rd.detail);
    PP_ASSERT(rd.left == 0);
    PP_TRY(check_values(&r, problem));
    *ret = r;
    return PP_OK;
}

static void write_version(struct pp_wr *wr, const struct pp_snp_version *v)
{
    pp_wr_u8(wr, v->build);
    pp_wr_u8(wr, v->minor);
    pp_wr_u8(wr, v->major);
    pp_wr_u8(wr, 0);
}

static void write_guest_part(struct pp_wr *wr, const struct pp_snp_report *r)
{
    pp_wr_u32le(wr, r->version);
    pp_wr_u32le(wr, r->guest_svn);
    pp_wr_u64le(wr, r->policy);
    pp_wr_span(wr, PP_BYTES(r->family_id));
    pp_wr_span(wr, PP_BYTES(r->image_id));
    pp_wr_u32le(wr, r->vmpl);
    pp_wr_u32le(wr, r->signature_algo);
    pp_wr_span(wr, PP_BYTES(r->current_tcb.v));
    pp_wr_u64le(wr, r->platform_info);
    pp_wr_u32le(wr, r->key_info);
    pp_wr_zeros(wr, 4);
    pp_wr_span(wr, PP_BYTES(r->report_data));
    pp_wr_span(wr, PP_BYTES(r->measurement));
    pp_wr_span(wr, PP_BYTES(r->host_data));
    pp_wr_span(wr, PP_BYTES(r->id_key_digest));
    pp_wr_span(wr, PP_BYTES(r->author_key_digest));
    pp_wr_span(wr, PP_BYTES(r->report_id));
    pp_wr_span(wr, PP_BYTES(r->report_id_ma));
    pp_wr_span(wr, PP_BYTES(r->reported_tcb.v));
}

pp_res pp_snp_report_write(const struct pp_snp_report *r, uint8_t *ret, size_t cap)
{
    struct pp_wr wr = pp_wr_over(ret, cap);

    write_guest_part(&wr, r);
    pp_wr_u8(&wr, r->cpuid_family);
    pp_wr_u8(&wr, r->cpuid_model);
    pp_wr_u8(&wr, r->cpuid_step);
    pp_wr_zeros(&wr, 21);
    pp_wr_span(&wr, PP_BYTES(r->chip_id));
    pp_wr_span(&wr, PP_BYTES(r->committed_tcb.v));
    write_version(&wr, &r->current);
    write_version(&wr, &r->committed);
    pp_wr_span(&wr, PP_BYTES(r->launch_tcb.v));
    pp_wr_u64le(&wr, r->launch_mit_vector);
    pp_wr_u64le(&wr, r->current_mit_vector);
    pp_wr_fill_to(&wr, PP_SNP_SIGNED_BYTES);
    pp_wr_span(&wr, PP_BYTES(r->r));
    pp_wr_span(&wr, PP_BYTES(r->s));
    pp_wr_fill_to(&wr, PP_SNP_REPORT_BYTES);
    return pp_wr_ok(&wr);
}
