/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated platform: its PCK certificate, its quoting enclave, and its quotes. */
#include <stdlib.h>

#include "tdx_int.h"

enum { YEAR_S = 365 * 86400 };

struct sim_tdx_params sim_tdx_params_default(void)
{
    struct sim_tdx_params p = {
        .version = 5,
        .body_type = PP_TDX_BODY_15,
        .pck = { .component_svn = { 3, 3, 2, 2, 4, 1, 0, 5 },
                 .pce_svn = 13,
                 .cpu_svn = { 3, 3, 2, 2, 4, 1, 0, 5 },
                 .fmspc = { 0x50, 0x50, 0x53, 0x49, 0x4D, 0x00 },
                 .has_instance_id = 1 },
        .tee_tcb_svn = { 6, 1, 4 },
        .qe = { .attributes = { 0x11 }, .isv_prod_id = 2, .isv_svn = 8 },
    };

    memset(p.mrseam, 0x5E, sizeof p.mrseam);
    memset(p.qe.mrsigner, 0x51, sizeof p.qe.mrsigner);
    memset(p.qe.mrenclave, 0x52, sizeof p.qe.mrenclave);
    return p;
}

/* --- the certificate -------------------------------------------------------------------------- */

static void der_head(struct pp_wr *wr, uint8_t tag, size_t len)
{
    pp_wr_u8(wr, tag);
    if (len >= 0x100) {
        pp_wr_u8(wr, 0x82);
        pp_wr_u16(wr, (uint16_t)len);
    } else if (len >= 0x80) {
        pp_wr_u8(wr, 0x81);
        pp_wr_u8(wr, (uint8_t)len);
    } else {
        pp_wr_u8(wr, (uint8_t)len);
    }
}

static void der_value(struct pp_wr *wr, uint8_t tag, struct pp_span content)
{
    der_head(wr, tag, content.len);
    pp_wr_span(wr, content);
}

static void der_integer(struct pp_wr *wr, uint16_t v)
{
    uint8_t bytes[3] = { 0, (uint8_t)(v >> 8), (uint8_t)v };
    size_t from = v > 0x7FFF ? 0 : v > 0x7F ? 1 : 2;

    der_value(wr, 0x02, pp_span(bytes + from, sizeof bytes - from));
}

/* { OID below the SGX arc, value }; `tcb` 1 puts it below .2 */
static void der_part(struct pp_wr *wr, int tcb, uint8_t number, struct pp_span value)
{
    uint8_t oid[] = { 0x2A, 0x86, 0x48, 0x86, 0xF8, 0x4D, 0x01, 0x0D, 0x01, number, 0 };
    size_t oid_len = sizeof oid - 1;

    if (tcb) {
        oid[9] = 2;
        oid[10] = number;
        oid_len++;
    }
    der_head(wr, 0x30, 2 + oid_len + value.len);
    der_value(wr, 0x06, pp_span(oid, oid_len));
    pp_wr_span(wr, value);
}

static void octet_part(struct pp_wr *wr, int tcb, uint8_t number, struct pp_span content)
{
    uint8_t bytes[2 + PP_TDX_ID_BYTES];
    struct pp_wr value = pp_wr_over(bytes, sizeof bytes);

    der_value(&value, 0x04, content);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&value)));
    der_part(wr, tcb, number, pp_wr_done(&value));
}

static void tcb_part(struct pp_wr *wr, const struct pp_tdx_pck *pck)
{
    uint8_t bytes[512], integer[8], whole[520];
    struct pp_wr parts = pp_wr_over(bytes, sizeof bytes);
    struct pp_wr value = pp_wr_over(whole, sizeof whole);

    for (uint8_t n = 1; n <= PP_TDX_SVN_BYTES + 1; n++) {
        struct pp_wr one = pp_wr_over(integer, sizeof integer);
        der_integer(&one, n > PP_TDX_SVN_BYTES ? pck->pce_svn : pck->component_svn[n - 1]);
        der_part(&parts, 1, n, pp_wr_done(&one));
    }
    octet_part(&parts, 1, PP_TDX_SVN_BYTES + 2, PP_BYTES(pck->cpu_svn));
    der_value(&value, 0x30, pp_wr_done(&parts));
    PP_ASSERT(pp_is_ok(pp_wr_ok(&parts)) && pp_is_ok(pp_wr_ok(&value)));
    der_part(wr, 0, 2, pp_wr_done(&value));
}

void sim_tdx_pck_write(struct pp_wr *wr, const struct pp_tdx_pck *pck)
{
    static const uint8_t sgx_type[] = { 0x0A, 0x01, 0x01 }; /* ENUMERATED: scalable */
    uint8_t bytes[768];
    struct pp_wr parts = pp_wr_over(bytes, sizeof bytes);

    octet_part(&parts, 0, 1, PP_BYTES(pck->ppid));
    tcb_part(&parts, pck);
    octet_part(&parts, 0, 3, PP_BYTES(pck->pce_id));
    octet_part(&parts, 0, 4, PP_BYTES(pck->fmspc));
    der_part(&parts, 0, 5, PP_BYTES(sgx_type));
    if (pck->has_instance_id)
        octet_part(&parts, 0, 6, PP_BYTES(pck->instance_id));
    PP_ASSERT(pp_is_ok(pp_wr_ok(&parts)));
    der_value(wr, 0x30, pp_wr_done(&parts));
}

pp_res sim_tdx_leaf_fill(const struct sim_tdx_vendor *v, const struct sim_tdx_platform *p,
                         uint64_t now_s, struct sim_tdx_leaf *ret)
{
    static const uint8_t usage[] = { 0x03, 0x02, 0x06, 0xC0 };
    static const uint8_t no_ca[] = { 0x30, 0x00 };
    struct pp_wr wr = pp_wr_over(ret->bytes + 64, sizeof ret->bytes - 64);
    struct pp_issue_cert *cert = &ret->cert;

    ret->sig = PP_X509_SIG_ECDSA_SHA256;
    memcpy(ret->spki, p->pck.spki, sizeof ret->spki);
    *cert = (struct pp_issue_cert){ .spki = PP_BYTES(ret->spki),
                                    .serial = SIM_TDX_SERIAL_PCK,
                                    .not_before = now_s,
                                    .not_after = now_s + UINT64_C(7) * YEAR_S };
    cert->subject_count = sim_tdx_names(cert->subject, SIM_TDX_PCK_CN);
    cert->issuer_count = sim_tdx_names(cert->issuer, SIM_TDX_AUTHORITY_CN);
    sim_tdx_add_key_ids(cert, &v->authority, cert->spki, ret->bytes);
    cert->extensions[cert->extension_count++] = (struct pp_issue_extension){ "2.5.29.15",
                                                                             PP_BYTES(usage), 1 };
    cert->extensions[cert->extension_count++] = (struct pp_issue_extension){ "2.5.29.19",
                                                                             PP_BYTES(no_ca), 1 };
    sim_tdx_pck_write(&wr, &p->params.pck);
    PP_TRY(pp_wr_ok(&wr));
    cert->extensions[cert->extension_count++] = (struct pp_issue_extension){ PP_TDX_SGX_EXTENSIONS,
                                                                             pp_wr_done(&wr), 0 };
    return PP_OK;
}

pp_res sim_tdx_chain_platform(struct sim_tdx_platform *p)
{
    struct pp_wr wr = pp_wr_over(p->chain, sizeof p->chain);

    sim_tdx_pem_write(&wr, &p->pck.cert);
    pp_wr_span(&wr, pp_span(p->authorities, p->authorities_len));
    pp_wr_u8(&wr, 0);
    p->chain_len = wr.len;
    return pp_wr_ok(&wr);
}

pp_res sim_tdx_leaf_issue(const struct sim_tdx_vendor *v, const struct sim_tdx_leaf *leaf,
                          struct sim_tdx_platform *p)
{
    struct sim_tdx_cert *cert = &p->pck.cert;

    PP_TRY(pp_x509_issue(&leaf->cert, v->authority.issuer, leaf->sig, cert->der, sizeof cert->der,
                         &cert->len));
    return sim_tdx_chain_platform(p);
}

/* --- the platform ----------------------------------------------------------------------------- */

static pp_res create(struct sim_tdx_platform *p, const struct sim_tdx_vendor *v,
                     const struct pp_random *random, uint64_t now_s)
{
    struct pp_wr wr = pp_wr_over(p->authorities, sizeof p->authorities);
    struct sim_tdx_leaf leaf;
    size_t len;

    PP_TRY(pp_random_fill(random, p->params.pck.ppid, sizeof p->params.pck.ppid));
    PP_TRY(pp_random_fill(random, p->params.pck.instance_id, sizeof p->params.pck.instance_id));
    PP_TRY(pp_random_fill(random, p->qe_auth, sizeof p->qe_auth));
    PP_TRY(sim_tdx_party_create(&p->pck));
    PP_TRY(pp_ec_key_generate(PP_P256, &p->attestation_key));
    PP_TRY(pp_ec_key_point(p->attestation_key, p->attestation_point, sizeof p->attestation_point,
                           &len));
    sim_tdx_pem_write(&wr, &v->authority.cert);
    sim_tdx_pem_write(&wr, &v->root.cert);
    PP_TRY(pp_wr_ok(&wr));
    p->authorities_len = wr.len;
    PP_TRY(sim_tdx_leaf_fill(v, p, now_s, &leaf));
    return sim_tdx_leaf_issue(v, &leaf, p);
}

pp_res sim_tdx_platform_create(const struct sim_tdx_vendor *v, const struct sim_tdx_params *params,
                               const struct pp_random *random, uint64_t now_s,
                               struct sim_tdx_platform **ret)
{
    struct sim_tdx_platform *p = calloc(1, sizeof *p);

    PP_CHECK(p != NULL, PP_E_NO_MEMORY, 0);
    p->params = *params;
    pp_res r = create(p, v, random, now_s);
    if (!pp_is_ok(r)) {
        sim_tdx_platform_free(p);
        return r;
    }
    *ret = p;
    return PP_OK;
}

void sim_tdx_platform_free(struct sim_tdx_platform *p)
{
    if (p == NULL)
        return;
    sim_tdx_party_done(&p->pck);
    pp_ec_key_free(p->attestation_key);
    free(p);
}

struct sim_tdx_params *sim_tdx_params(struct sim_tdx_platform *p)
{
    return &p->params;
}

const uint8_t *sim_tdx_ppid(const struct sim_tdx_platform *p)
{
    return p->params.pck.ppid;
}

/* --- quotes ----------------------------------------------------------------------------------- */

static void bind_key(const struct pp_tdx_quote *q, uint8_t ret[64])
{
    uint8_t bytes[PP_TDX_SIGNATURE_BYTES + SIM_TDX_QE_AUTH_BYTES];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);

    pp_wr_span(&wr, PP_BYTES(q->attestation_key));
    pp_wr_span(&wr, q->qe_auth);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    memset(ret, 0, 64);
    pp_sha256(pp_wr_done(&wr), ret);
}

void sim_tdx_quote_fill(const struct sim_tdx_platform *p, const struct sim_tdx_guest *guest,
                        const uint8_t report_data[PP_TDX_REPORT_DATA_BYTES],
                        struct pp_tdx_quote *ret)
{
    struct pp_tdx_quote q = { .version = p->params.version, .body_type = p->params.body_type };
    struct pp_tdx_body *b = &q.body;

    memcpy(q.qe_vendor, PP_TDX_QE_VENDOR_INTEL, sizeof q.qe_vendor);
    memcpy(b->tee_tcb_svn, p->params.tee_tcb_svn, sizeof b->tee_tcb_svn);
    memcpy(b->mrseam, p->params.mrseam, sizeof b->mrseam);
    b->td_attributes = guest->td_attributes;
    b->xfam = guest->xfam;
    memcpy(b->mrtd, guest->mrtd, sizeof b->mrtd);
    memcpy(b->rtmr, guest->rtmr, sizeof b->rtmr);
    memcpy(b->mrconfigid, guest->mrconfigid, sizeof b->mrconfigid);
    memcpy(b->report_data, report_data, sizeof b->report_data);
    if (q.body_type == PP_TDX_BODY_15)
        memcpy(b->tee_tcb_svn_2, p->params.tee_tcb_svn, sizeof b->tee_tcb_svn_2);
    memcpy(q.attestation_key, p->attestation_point + 1, sizeof q.attestation_key);
    q.qe_auth = PP_BYTES(p->qe_auth);
    q.qe = p->params.qe;
    bind_key(&q, q.qe.report_data);
    q.pck_chain = pp_span(p->chain, p->chain_len);
    *ret = q;
}

pp_res sim_tdx_quote_sign(const struct sim_tdx_platform *p, const struct pp_tdx_quote *quote,
                          uint8_t *ret, size_t cap, size_t *ret_len)
{
    uint8_t report[PP_TDX_QE_REPORT_BYTES];
    struct pp_wr qe = pp_wr_over(report, sizeof report);
    struct pp_wr wr = pp_wr_over(ret, cap);
    struct pp_tdx_quote q = *quote;

    pp_tdx_qe_report_write(&qe, &q.qe);
    PP_TRY(pp_wr_ok(&qe));
    PP_TRY(sim_tdx_sign(p->pck.key, PP_BYTES(report), q.qe_signature));
    pp_tdx_quote_write_signed(&wr, &q);
    PP_TRY(pp_wr_ok(&wr));
    PP_TRY(sim_tdx_sign(p->attestation_key, pp_wr_done(&wr), q.signature));
    pp_tdx_quote_write_rest(&wr, &q);
    PP_TRY(pp_wr_ok(&wr));
    *ret_len = wr.len;
    return PP_OK;
}

pp_res sim_tdx_quote(const struct sim_tdx_platform *p, const struct sim_tdx_guest *guest,
                     const uint8_t report_data[PP_TDX_REPORT_DATA_BYTES], uint8_t *ret, size_t cap,
                     size_t *ret_len)
{
    struct pp_tdx_quote q;

    sim_tdx_quote_fill(p, guest, report_data, &q);
    return sim_tdx_quote_sign(p, &q, ret, cap, ret_len);
}
