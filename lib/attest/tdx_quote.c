/* SPDX-License-Identifier: Apache-2.0 */
/* The quote as bytes (docs/protocol/tdx.md 1). */
#include "tdx.h"

#include "rd.h"

enum {
    KEY_TYPE_ECDSA_P256 = 2,
    TEE_TDX = 0x81,
    CERT_QE_REPORT = 6, /* certification data: a QE report and what certifies it */
    CERT_PCK_CHAIN = 5,
};

const uint8_t PP_TDX_QE_VENDOR_INTEL[PP_TDX_ID_BYTES] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c,
                                                          0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3,
                                                          0x95, 0x7f, 0x06, 0x07 };

/* --- reading ---------------------------------------------------------------------------------- */

struct reading {
    struct pp_rd rd; /* over the whole quote: offsets count from its first byte */
    struct pp_problem *problem;
};

/* Fails with the offset of what was read last; a reader that ran out of bytes says so first. */
static pp_res expect(struct reading *in, int cond, const char *field, const char *expected,
                     uint64_t got)
{
    if (in->rd.failed != PP_E_OK) {
        pp_problem_set(in->problem, field, "more bytes", PP_STR("the quote ends"));
        return PP_FAIL(PP_E_TDX_FORMAT, in->rd.detail);
    }
    if (cond)
        return PP_OK;
    pp_problem_numbers(in->problem, field, 0, got);
    if (in->problem != NULL)
        pp_printable(in->problem->expected, sizeof in->problem->expected, pp_span_cstr(expected));
    return PP_FAIL(PP_E_TDX_FORMAT, in->rd.offset);
}

static pp_res read_header(struct reading *in, struct pp_tdx_quote *q)
{
    struct pp_rd *rd = &in->rd;

    q->version = pp_rd_u16le(rd);
    PP_TRY(expect(in, q->version == 4 || q->version == 5, "version", "4 or 5", q->version));
    uint16_t key_type = pp_rd_u16le(rd);
    PP_TRY(expect(in, key_type == KEY_TYPE_ECDSA_P256, "attestation key type", "2", key_type));
    uint32_t tee = pp_rd_u32le(rd);
    PP_TRY(expect(in, tee == TEE_TDX, "TEE type", "129 (TDX)", tee));
    pp_rd_skip(rd, 4); /* PCE SVN and QE SVN once, reserved in later documents */
    pp_rd_copy(rd, q->qe_vendor, sizeof q->qe_vendor);
    PP_TRY(expect(in, pp_span_eq(PP_BYTES(q->qe_vendor), PP_BYTES(PP_TDX_QE_VENDOR_INTEL)),
                  "QE vendor id", "Intel's", q->qe_vendor[0]));
    pp_rd_copy(rd, q->user_data, sizeof q->user_data);
    return expect(in, 1, "header", "", 0);
}

static pp_res read_body_type(struct reading *in, struct pp_tdx_quote *q)
{
    q->body_type = PP_TDX_BODY_10;
    if (q->version == 4)
        return PP_OK;
    uint16_t type = pp_rd_u16le(&in->rd);
    uint32_t size = pp_rd_u32le(&in->rd);
    PP_TRY(
        expect(in, type == PP_TDX_BODY_10 || type == PP_TDX_BODY_15, "body type", "2 or 3", type));
    q->body_type = (enum pp_tdx_body_type)type;
    return expect(in,
                  size == (type == PP_TDX_BODY_15 ? PP_TDX_BODY_15_BYTES : PP_TDX_BODY_10_BYTES),
                  "body size", "584 for type 2, 648 for type 3", size);
}

static pp_res read_body(struct reading *in, struct pp_tdx_quote *q)
{
    struct pp_rd *rd = &in->rd;
    struct pp_tdx_body *b = &q->body;

    pp_rd_copy(rd, b->tee_tcb_svn, sizeof b->tee_tcb_svn);
    pp_rd_copy(rd, b->mrseam, sizeof b->mrseam);
    pp_rd_copy(rd, b->mrsignerseam, sizeof b->mrsignerseam);
    b->seam_attributes = pp_rd_u64le(rd);
    b->td_attributes = pp_rd_u64le(rd);
    b->xfam = pp_rd_u64le(rd);
    pp_rd_copy(rd, b->mrtd, sizeof b->mrtd);
    pp_rd_copy(rd, b->mrconfigid, sizeof b->mrconfigid);
    pp_rd_copy(rd, b->mrowner, sizeof b->mrowner);
    pp_rd_copy(rd, b->mrownerconfig, sizeof b->mrownerconfig);
    for (size_t i = 0; i < PP_TDX_RTMRS; i++)
        pp_rd_copy(rd, b->rtmr[i], sizeof b->rtmr[i]);
    pp_rd_copy(rd, b->report_data, sizeof b->report_data);
    if (q->body_type == PP_TDX_BODY_15) {
        pp_rd_copy(rd, b->tee_tcb_svn_2, sizeof b->tee_tcb_svn_2);
        pp_rd_copy(rd, b->mrservicetd, sizeof b->mrservicetd);
    }
    return expect(in, 1, "body", "", 0);
}

static void read_qe_report(struct pp_span bytes, struct pp_tdx_qe_report *qe)
{
    struct pp_rd rd = pp_rd_span(bytes);

    pp_rd_copy(&rd, qe->cpu_svn, sizeof qe->cpu_svn);
    qe->misc_select = pp_rd_u32le(&rd);
    pp_rd_skip(&rd, 28);
    pp_rd_copy(&rd, qe->attributes, sizeof qe->attributes);
    pp_rd_copy(&rd, qe->mrenclave, sizeof qe->mrenclave);
    pp_rd_skip(&rd, 32);
    pp_rd_copy(&rd, qe->mrsigner, sizeof qe->mrsigner);
    pp_rd_skip(&rd, 96);
    qe->isv_prod_id = pp_rd_u16le(&rd);
    qe->isv_svn = pp_rd_u16le(&rd);
    pp_rd_skip(&rd, 60);
    pp_rd_copy(&rd, qe->report_data, sizeof qe->report_data);
    PP_ASSERT(pp_is_ok(pp_rd_end(&rd)));
}

/* The part behind the keys: every size says how much is left, to the byte. */
static pp_res read_certification(struct reading *in, struct pp_tdx_quote *q)
{
    struct pp_rd *rd = &in->rd;

    uint16_t type = pp_rd_u16le(rd);
    PP_TRY(expect(in, type == CERT_QE_REPORT, "certification data type", "6", type));
    uint32_t size = pp_rd_u32le(rd);
    PP_TRY(expect(in, size == rd->left, "certification data size", "the rest", size));
    q->qe_report = pp_rd_bytes(rd, PP_TDX_QE_REPORT_BYTES);
    pp_rd_copy(rd, q->qe_signature, sizeof q->qe_signature);
    uint16_t auth_len = pp_rd_u16le(rd);
    PP_TRY(expect(in, auth_len <= PP_TDX_QE_AUTH_BYTES_MAX, "QE auth data size", "at most 1024",
                  auth_len));
    q->qe_auth = pp_rd_bytes(rd, auth_len);
    type = pp_rd_u16le(rd);
    PP_TRY(expect(in, type == CERT_PCK_CHAIN, "inner certification data type", "5", type));
    size = pp_rd_u32le(rd);
    PP_TRY(expect(in, size == rd->left, "inner certification data size", "the rest", size));
    PP_TRY(expect(in, size >= 1 && size <= PP_TDX_PCK_CHAIN_BYTES_MAX, "PCK chain",
                  "1 to 32768 bytes", size));
    q->pck_chain = pp_rd_rest(rd);
    read_qe_report(q->qe_report, &q->qe);
    return PP_OK;
}

static pp_res read_signature_data(struct reading *in, struct pp_tdx_quote *q)
{
    uint32_t size = pp_rd_u32le(&in->rd);
    PP_TRY(expect(in, size <= in->rd.left, "signature data size", "at most what is left", size));
    struct reading inner = { .rd = pp_rd_sub(&in->rd, size), .problem = in->problem };

    pp_rd_copy(&inner.rd, q->signature, sizeof q->signature);
    pp_rd_copy(&inner.rd, q->attestation_key, sizeof q->attestation_key);
    PP_TRY(read_certification(&inner, q));
    q->len = in->rd.offset;
    return PP_OK;
}

pp_res pp_tdx_quote_parse(struct pp_span bytes, struct pp_tdx_quote *ret,
                          struct pp_problem *problem)
{
    struct reading in = { .rd = pp_rd_span(bytes), .problem = problem };
    struct pp_tdx_quote q = { 0 };

    PP_TRY(expect(&in, bytes.len <= PP_TDX_QUOTE_BYTES_MAX, "quote", "at most 65536 bytes",
                  bytes.len));
    PP_TRY(read_header(&in, &q));
    PP_TRY(read_body_type(&in, &q));
    PP_TRY(read_body(&in, &q));
    q.signed_part = pp_span(bytes.at, in.rd.offset);
    PP_TRY(read_signature_data(&in, &q));
    *ret = q;
    return PP_OK;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void write_body(struct pp_wr *wr, const struct pp_tdx_quote *q)
{
    const struct pp_tdx_body *b = &q->body;

    pp_wr_span(wr, PP_BYTES(b->tee_tcb_svn));
    pp_wr_span(wr, PP_BYTES(b->mrseam));
    pp_wr_span(wr, PP_BYTES(b->mrsignerseam));
    pp_wr_u64le(wr, b->seam_attributes);
    pp_wr_u64le(wr, b->td_attributes);
    pp_wr_u64le(wr, b->xfam);
    pp_wr_span(wr, PP_BYTES(b->mrtd));
    pp_wr_span(wr, PP_BYTES(b->mrconfigid));
    pp_wr_span(wr, PP_BYTES(b->mrowner));
    pp_wr_span(wr, PP_BYTES(b->mrownerconfig));
    for (size_t i = 0; i < PP_TDX_RTMRS; i++)
        pp_wr_span(wr, PP_BYTES(b->rtmr[i]));
    pp_wr_span(wr, PP_BYTES(b->report_data));
    if (q->body_type == PP_TDX_BODY_15) {
        pp_wr_span(wr, PP_BYTES(b->tee_tcb_svn_2));
        pp_wr_span(wr, PP_BYTES(b->mrservicetd));
    }
}

void pp_tdx_quote_write_signed(struct pp_wr *wr, const struct pp_tdx_quote *q)
{
    pp_wr_u16le(wr, q->version);
    pp_wr_u16le(wr, KEY_TYPE_ECDSA_P256);
    pp_wr_u32le(wr, TEE_TDX);
    pp_wr_zeros(wr, 4);
    pp_wr_span(wr, PP_BYTES(q->qe_vendor));
    pp_wr_span(wr, PP_BYTES(q->user_data));
    if (q->version == 5) {
        pp_wr_u16le(wr, (uint16_t)q->body_type);
        pp_wr_u32le(wr,
                    q->body_type == PP_TDX_BODY_15 ? PP_TDX_BODY_15_BYTES : PP_TDX_BODY_10_BYTES);
    }
    write_body(wr, q);
}

void pp_tdx_qe_report_write(struct pp_wr *wr, const struct pp_tdx_qe_report *qe)
{
    pp_wr_span(wr, PP_BYTES(qe->cpu_svn));
    pp_wr_u32le(wr, qe->misc_select);
    pp_wr_zeros(wr, 28);
    pp_wr_span(wr, PP_BYTES(qe->attributes));
    pp_wr_span(wr, PP_BYTES(qe->mrenclave));
    pp_wr_zeros(wr, 32);
    pp_wr_span(wr, PP_BYTES(qe->mrsigner));
    pp_wr_zeros(wr, 96);
    pp_wr_u16le(wr, qe->isv_prod_id);
    pp_wr_u16le(wr, qe->isv_svn);
    pp_wr_zeros(wr, 60);
    pp_wr_span(wr, PP_BYTES(qe->report_data));
}

void pp_tdx_quote_write_rest(struct pp_wr *wr, const struct pp_tdx_quote *q)
{
    size_t inner = 2 + 4 + q->pck_chain.len;
    size_t outer = PP_TDX_QE_REPORT_BYTES + PP_TDX_SIGNATURE_BYTES + 2 + q->qe_auth.len + inner;

    pp_wr_u32le(wr, (uint32_t)(2 * PP_TDX_SIGNATURE_BYTES + 2 + 4 + outer));
    pp_wr_span(wr, PP_BYTES(q->signature));
    pp_wr_span(wr, PP_BYTES(q->attestation_key));
    pp_wr_u16le(wr, CERT_QE_REPORT);
    pp_wr_u32le(wr, (uint32_t)outer);
    pp_tdx_qe_report_write(wr, &q->qe);
    pp_wr_span(wr, PP_BYTES(q->qe_signature));
    pp_wr_u16le(wr, (uint16_t)q->qe_auth.len);
    pp_wr_span(wr, q->qe_auth);
    pp_wr_u16le(wr, CERT_PCK_CHAIN);
    pp_wr_u32le(wr, (uint32_t)q->pck_chain.len);
    pp_wr_span(wr, q->pck_chain);
}
