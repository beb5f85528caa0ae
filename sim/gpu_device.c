/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated GPU: its chains, its reports, and what its vendor says of it. */
#include "sim_gpu_int.h"

#include <stdlib.h>

#include "sim.h"

enum { YEAR_S = 365 * 86400 };

/* --- certificates ----------------------------------------------------------------------------- */

static pp_res make_key(struct sim_gpu_link *l)
{
    uint8_t digest[PP_SHA256_BYTES];
    size_t len;

    PP_TRY(pp_ec_key_generate(PP_P384, &l->ec));
    PP_TRY(pp_issue_key_from_ec(l->ec, &l->key));
    PP_TRY(pp_ec_key_spki(l->ec, l->spki, sizeof l->spki, &len));
    pp_sha256(PP_BYTES(l->spki), digest);
    memcpy(l->key_id, digest, sizeof l->key_id);
    return PP_OK;
}

static void write_cn(struct sim_gpu_link *l, const char *chip, const char *rest)
{
    struct pp_wr wr = pp_wr_over(l->cn, sizeof l->cn);

    pp_wr_text(&wr, chip);
    pp_wr_text(&wr, rest);
    pp_wr_u8(&wr, 0);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
}

static void add_extension(struct pp_issue_cert *cert, const char *oid, struct pp_wr *wr,
                          size_t from)
{
    PP_ASSERT(pp_is_ok(pp_wr_ok(wr)));
    cert->extensions[cert->extension_count++] =
        (struct pp_issue_extension){ .oid = oid, .value = pp_span(wr->at + from, wr->len - from) };
}

/* RFC 5280 asks CAs for both key identifiers. */
static void add_key_ids(struct pp_issue_cert *cert, const struct sim_gpu_link *subject,
                        const struct sim_gpu_link *issuer, struct pp_wr *wr)
{
    size_t from = wr->len;

    pp_wr_bytes(wr, "\x04\x14", 2);
    pp_wr_bytes(wr, subject->key_id, KEY_ID_BYTES);
    add_extension(cert, "2.5.29.14", wr, from);
    from = wr->len;
    pp_wr_bytes(wr, "\x30\x16\x80\x14", 4);
    pp_wr_bytes(wr, issuer->key_id, KEY_ID_BYTES);
    add_extension(cert, "2.5.29.35", wr, from);
}

static void write_fwid(struct pp_wr *wr, const uint8_t fwid[PP_GPU_HASH_BYTES])
{
    pp_wr_bytes(wr, "\x30\x3d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x04\x30", 15);
    pp_wr_bytes(wr, fwid, PP_GPU_HASH_BYTES);
}

/* CompositeDeviceID as Hopper has it, or a TcbInfo with vendor, layer and one firmware id. */
static void add_fwid(struct pp_issue_cert *cert, const struct sim_gpu_making *m,
                     const struct sim_gpu_link *device, const uint8_t fwid[PP_GPU_HASH_BYTES],
                     struct pp_wr *wr)
{
    uint8_t own[PP_GPU_HASH_BYTES];
    size_t from = wr->len;

    memcpy(own, fwid, sizeof own);
    own[0] ^= m->wrong_fwid ? 1 : 0;
    if (m->dice_tcb_info) {
        pp_wr_bytes(wr, "\x30\x49\x80\x03SIM\x84\x01\x01\xA6\x3f", 12);
        write_fwid(wr, own);
        add_extension(cert, "2.23.133.5.4.1.1", wr, from);
        return;
    }
    pp_wr_bytes(wr, "\x30\x81\xba\x02\x01\x01", 6);
    pp_wr_span(wr, PP_BYTES(device->spki));
    write_fwid(wr, own);
    add_extension(cert, "2.23.133.5.4.1", wr, from);
}

static pp_res certify(struct sim_gpu_link *l, const struct sim_gpu_link *issuer,
                      const struct sim_gpu_making *m, size_t depth, const uint8_t *fwid)
{
    uint64_t life_s = l == issuer      ? UINT64_C(20) * YEAR_S
                      : m->life_s == 0 ? UINT64_C(2) * YEAR_S
                                       : m->life_s;
    struct pp_issue_cert cert = {
        .subject = { { "CN", l->cn }, { "O", SIM_ORGANISATION } },
        .subject_count = 2,
        .issuer = { { "CN", issuer->cn }, { "O", SIM_ORGANISATION } },
        .issuer_count = 2,
        .spki = PP_BYTES(l->spki),
        .serial = 0x1000 + depth,
        .not_before = m->now_s,
        .not_after = m->now_s + life_s,
        .is_ca = depth > 0,
        .path_len = -1,
    };
    uint8_t bytes[512];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);

    add_key_ids(&cert, l, issuer, &wr);
    if (fwid != NULL)
        add_fwid(&cert, m, issuer, fwid, &wr);
    return pp_x509_issue(&cert, issuer->key,
                         depth == 0 && m->leaf_sha256 ? PP_X509_SIG_ECDSA_SHA256
                                                      : PP_X509_SIG_ECDSA_SHA384,
                         l->der, sizeof l->der, &l->der_len);
}

static pp_res make_chain(struct sim_gpu_link *links, size_t count, const struct sim_gpu_making *m,
                         const uint8_t *fwid)
{
    for (size_t i = count; i-- > 0;) {
        struct sim_gpu_link *issuer = i + 1 == count ? &links[i] : &links[i + 1];
        PP_TRY(make_key(&links[i]));
        PP_TRY(certify(&links[i], issuer, m, i, i == 0 ? fwid : NULL));
    }
    return PP_OK;
}

void sim_gpu_firmware_id(uint8_t ret[PP_GPU_HASH_BYTES])
{
    pp_sha384(PP_STR("pp simulated GPU firmware"), ret);
}

static pp_res create(struct sim_gpu *g, const struct sim_gpu_making *m)
{
    const char *chip = m->chip == NULL ? "GH100" : m->chip;

    sim_gpu_firmware_id(g->fwid);
    write_cn(&g->device[0], chip, " SIM GSP FMC LF");
    write_cn(&g->device[1], chip, " SIM GSP BROM");
    write_cn(&g->device[2], "SIM Provisioner ICA ", chip);
    write_cn(&g->device[3], "SIM Identity ", chip);
    write_cn(&g->device[4], "SIM Device Identity CA", "");
    write_cn(&g->rim[0], "SIM RIM L4 Signer", "");
    write_cn(&g->rim[1], "SIM Reference Value L3 ", chip);
    write_cn(&g->rim[2], "SIM Reference Value ", chip);
    write_cn(&g->rim[3], "SIM CoRIM signing Root CA", "");
    PP_TRY(make_chain(g->device, SIM_GPU_CERTS, m, g->fwid));
    return make_chain(g->rim, SIM_RIM_CERTS, m, NULL);
}

pp_res sim_gpu_create(const struct sim_gpu_making *making, struct sim_gpu **ret)
{
    struct sim_gpu *g = calloc(1, sizeof *g);

    PP_CHECK(g != NULL, PP_E_NO_MEMORY, 0);
    pp_res r = create(g, making);
    if (!pp_is_ok(r)) {
        sim_gpu_free(g);
        return r;
    }
    *ret = g;
    return PP_OK;
}

static void free_links(struct sim_gpu_link *links, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pp_issue_key_free(links[i].key);
        pp_ec_key_free(links[i].ec);
    }
}

void sim_gpu_free(struct sim_gpu *g)
{
    if (g == NULL)
        return;
    free_links(g->device, SIM_GPU_CERTS);
    free_links(g->rim, SIM_RIM_CERTS);
    free(g);
}

struct pp_span sim_gpu_cert(const struct sim_gpu *g, size_t i)
{
    return pp_span(g->device[i].der, g->device[i].der_len);
}

struct pp_span sim_gpu_rim_cert(const struct sim_gpu *g, size_t i)
{
    return pp_span(g->rim[i].der, g->rim[i].der_len);
}

const struct pp_issue_key *sim_gpu_key(const struct sim_gpu *g, size_t i)
{
    return g->device[i].key;
}

const struct pp_issue_key *sim_gpu_rim_key(const struct sim_gpu *g, size_t i)
{
    return g->rim[i].key;
}

/* --- reports ---------------------------------------------------------------------------------- */

struct sim_gpu_params sim_gpu_params_default(void)
{
    return (struct sim_gpu_params){
        .driver = "590.12",
        .vbios = { 0x00, 0x9F, 0x00, 0x96, 0x01 },
        .nvdec0 = PP_GPU_DISABLED,
        .protected_pcie = PP_GPU_DISABLED,
        .feature_flag = PP_GPU_SPT,
    };
}

void sim_gpu_measurement(size_t index, uint8_t ret[PP_GPU_HASH_BYTES])
{
    uint8_t input[] = { 's', 'i', 'm', '-', 'g', 'p', 'u', (uint8_t)index };

    pp_sha384(PP_BYTES(input), ret);
}

void sim_gpu_fill(const struct sim_gpu *g, struct sim_gpu_params *params,
                  const uint8_t nonce[PP_GPU_NONCE_BYTES], struct pp_gpu_report *ret)
{
    *ret = (struct pp_gpu_report){ .present = UINT64_MAX };
    memcpy(ret->nonce, nonce, sizeof ret->nonce);
    pp_sha256(PP_BYTES(ret->nonce), ret->responder_nonce);
    for (size_t i = 0; i < PP_GPU_BLOCKS_MAX; i++) {
        ret->value_types[i] = 1;
        sim_gpu_measurement(i, ret->measurements[i]);
    }
    ret->fields[PP_GPU_FIELD_DRIVER_VERSION] = pp_span(
        params->driver, strnlen(params->driver, sizeof params->driver - 1) + 1);
    ret->fields[PP_GPU_FIELD_VBIOS_VERSION] = PP_BYTES(params->vbios);
    ret->fields[PP_GPU_FIELD_FWID] = PP_BYTES(g->fwid);
    if (params->nvdec0 != 0)
        ret->fields[PP_GPU_FIELD_NVDEC0_STATUS] = pp_span(&params->nvdec0, 1);
    if (params->protected_pcie != 0)
        ret->fields[PP_GPU_FIELD_PROTECTED_PCIE_STATUS] = pp_span(&params->protected_pcie, 1);
    if (params->feature_flag >= 0) {
        params->feature_bytes[0] = (uint8_t)params->feature_flag;
        params->feature_bytes[1] = (uint8_t)(params->feature_flag >> 8);
        ret->fields[PP_GPU_FIELD_FEATURE_FLAG] = PP_BYTES(params->feature_bytes);
    }
}

pp_res sim_gpu_sign_raw(const struct sim_gpu_link *l, struct pp_span message, uint8_t ret_r[48],
                        uint8_t ret_s[48])
{
    uint8_t der[PP_ECDSA_DER_BYTES_MAX];
    size_t len;

    PP_TRY(pp_ec_sign(l->ec, PP_SHA384, message, der, sizeof der, &len));
    return pp_ecdsa_der_to_raw(pp_span(der, len), 48, ret_r, ret_s);
}

pp_res sim_gpu_sign(const struct sim_gpu *g, const struct pp_gpu_report *report, struct pp_wr *wr)
{
    struct pp_gpu_report signed_report = *report;
    struct pp_wr again = *wr;
    size_t from = wr->len, signed_to;

    PP_TRY(pp_gpu_report_write(&again, report, &signed_to));
    PP_TRY(sim_gpu_sign_raw(&g->device[0], pp_span(again.at + from, signed_to - from),
                            signed_report.r, signed_report.s));
    return pp_gpu_report_write(wr, &signed_report, &signed_to);
}

pp_res sim_gpu_report(const struct sim_gpu *g, struct sim_gpu_params *params,
                      const uint8_t nonce[PP_GPU_NONCE_BYTES], struct pp_wr *wr)
{
    struct pp_gpu_report report;

    sim_gpu_fill(g, params, nonce, &report);
    return sim_gpu_sign(g, &report, wr);
}

/* --- revocation ------------------------------------------------------------------------------- */

static pp_res answer_for(const struct sim_gpu_link *links, size_t i, struct pp_issue_ocsp answer,
                         struct pp_wr *wr)
{
    const struct sim_gpu_link *issuer = &links[i + 1];
    size_t len;

    answer.cert = pp_span(links[i].der, links[i].der_len);
    answer.issuer = pp_span(issuer->der, issuer->der_len);
    if (answer.responder.len == 0)
        answer.responder = answer.issuer;
    PP_TRY(pp_ocsp_issue(&answer, issuer->key, wr->at + wr->len, wr->cap - wr->len, &len));
    wr->len += len;
    return PP_OK;
}

pp_res sim_gpu_ocsp(const struct sim_gpu *g, size_t i, struct pp_issue_ocsp answer,
                    struct pp_wr *wr)
{
    PP_CHECK(i + 1 < SIM_GPU_CERTS, PP_E_RANGE, i);
    return answer_for(g->device, i, answer, wr);
}

pp_res sim_gpu_rim_ocsp(const struct sim_gpu *g, size_t i, struct pp_issue_ocsp answer,
                        struct pp_wr *wr)
{
    PP_CHECK(i + 1 < SIM_RIM_CERTS, PP_E_RANGE, i);
    return answer_for(g->rim, i, answer, wr);
}
