/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated vendor: certificates, revocation lists and signed documents. */
#include <stdlib.h>

#include "tdx_int.h"

enum { YEAR_S = 365 * 86400, KEY_ID_BYTES = 20 };

/* --- parties ---------------------------------------------------------------------------------- */

size_t sim_tdx_names(struct pp_issue_name *ret, const char *cn)
{
    const struct pp_issue_name names[] = {
        { "CN", cn }, { "O", SIM_ORGANISATION }, { "L", "Nowhere" }, { "ST", "None" }, { "C", "ZZ" }
    };

    memcpy(ret, names, sizeof names);
    return PP_ARRAY_COUNT(names);
}

/* An identifier is any digest of the key; the first bytes of SHA-256 do. */
static void key_id(struct pp_span spki, uint8_t ret[KEY_ID_BYTES])
{
    uint8_t digest[PP_SHA256_BYTES];

    pp_sha256(spki, digest);
    memcpy(ret, digest, KEY_ID_BYTES);
}

void sim_tdx_add_key_ids(struct pp_issue_cert *cert, const struct sim_tdx_party *issuer,
                         struct pp_span spki, uint8_t ret_bytes[64])
{
    struct pp_wr wr = pp_wr_over(ret_bytes, 64);
    uint8_t id[KEY_ID_BYTES];

    key_id(PP_BYTES(issuer->spki), id);
    pp_wr_u16(&wr, 0x3016); /* SEQUENCE { [0] the issuer's } */
    pp_wr_u16(&wr, 0x8014);
    pp_wr_span(&wr, PP_BYTES(id));
    size_t from = wr.len;
    key_id(spki, id);
    pp_wr_u16(&wr, 0x0414); /* OCTET STRING: its own */
    pp_wr_span(&wr, PP_BYTES(id));
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    cert->extensions[cert->extension_count++] =
        (struct pp_issue_extension){ "2.5.29.35", pp_span(ret_bytes, from), 0 };
    cert->extensions[cert->extension_count++] =
        (struct pp_issue_extension){ "2.5.29.14", pp_span(ret_bytes + from, wr.len - from), 0 };
}

pp_res sim_tdx_party_create(struct sim_tdx_party *p)
{
    size_t len;

    PP_TRY(pp_ec_key_generate(PP_P256, &p->key));
    PP_TRY(pp_issue_key_from_ec(p->key, &p->issuer));
    return pp_ec_key_spki(p->key, p->spki, sizeof p->spki, &len);
}

void sim_tdx_party_done(struct sim_tdx_party *p)
{
    pp_issue_key_free(p->issuer);
    pp_ec_key_free(p->key);
}

static pp_res certify(struct sim_tdx_party *subject, const char *cn,
                      const struct sim_tdx_party *issuer, const char *issuer_cn, uint64_t serial,
                      int path_len, uint64_t now_s)
{
    /* Of a certificate that signs documents alone: digitalSignature, nonRepudiation; no CA. */
    static const uint8_t usage[] = { 0x03, 0x02, 0x06, 0xC0 };
    static const uint8_t no_ca[] = { 0x30, 0x00 };
    uint8_t ids[64];
    struct pp_issue_cert cert = {
        .spki = PP_BYTES(subject->spki),
        .serial = serial,
        .not_before = now_s,
        .not_after = now_s + UINT64_C(10) * YEAR_S,
        .is_ca = path_len >= 0,
        .path_len = path_len,
    };

    cert.subject_count = sim_tdx_names(cert.subject, cn);
    cert.issuer_count = sim_tdx_names(cert.issuer, issuer_cn);
    sim_tdx_add_key_ids(&cert, issuer, cert.spki, ids);
    if (!cert.is_ca) {
        cert.extensions[cert.extension_count++] = (struct pp_issue_extension){ "2.5.29.15",
                                                                               PP_BYTES(usage), 1 };
        cert.extensions[cert.extension_count++] = (struct pp_issue_extension){ "2.5.29.19",
                                                                               PP_BYTES(no_ca), 1 };
    }
    return pp_x509_issue(&cert, issuer->issuer, PP_X509_SIG_ECDSA_SHA256, subject->cert.der,
                         sizeof subject->cert.der, &subject->cert.len);
}

void sim_tdx_pem_write(struct pp_wr *wr, const struct sim_tdx_cert *cert)
{
    enum { LINE_BYTES = 48 }; /* 64 characters */

    pp_wr_text(wr, "-----BEGIN CERTIFICATE-----\n");
    for (size_t at = 0; at < cert->len; at += LINE_BYTES) {
        size_t left = cert->len - at;
        pp_wr_base64(wr, pp_span(cert->der + at, left < LINE_BYTES ? left : LINE_BYTES));
        pp_wr_text(wr, "\n");
    }
    pp_wr_text(wr, "-----END CERTIFICATE-----\n");
}

/* --- the vendor ------------------------------------------------------------------------------- */

pp_res sim_tdx_chain_vendor(struct sim_tdx_vendor *v)
{
    struct pp_wr wr = pp_wr_over(v->signer_chain, sizeof v->signer_chain);

    sim_tdx_pem_write(&wr, &v->signer.cert);
    sim_tdx_pem_write(&wr, &v->root.cert);
    v->signer_chain_len = wr.len;
    return pp_wr_ok(&wr);
}

static pp_res create(struct sim_tdx_vendor *v, uint64_t now_s)
{
    PP_TRY(sim_tdx_party_create(&v->root));
    PP_TRY(sim_tdx_party_create(&v->authority));
    PP_TRY(sim_tdx_party_create(&v->signer));
    PP_TRY(certify(&v->root, SIM_TDX_ROOT_CN, &v->root, SIM_TDX_ROOT_CN, 1, 1, now_s));
    PP_TRY(certify(&v->authority, SIM_TDX_AUTHORITY_CN, &v->root, SIM_TDX_ROOT_CN,
                   SIM_TDX_SERIAL_AUTHORITY, 0, now_s));
    PP_TRY(certify(&v->signer, SIM_TDX_SIGNER_CN, &v->root, SIM_TDX_ROOT_CN, SIM_TDX_SERIAL_SIGNER,
                   -1, now_s));
    return sim_tdx_chain_vendor(v);
}

pp_res sim_tdx_vendor_create(uint64_t now_s, struct sim_tdx_vendor **ret)
{
    struct sim_tdx_vendor *v = calloc(1, sizeof *v);

    PP_CHECK(v != NULL, PP_E_NO_MEMORY, 0);
    pp_res r = create(v, now_s);
    if (!pp_is_ok(r)) {
        sim_tdx_vendor_free(v);
        return r;
    }
    *ret = v;
    return PP_OK;
}

void sim_tdx_vendor_free(struct sim_tdx_vendor *v)
{
    if (v == NULL)
        return;
    sim_tdx_party_done(&v->root);
    sim_tdx_party_done(&v->authority);
    sim_tdx_party_done(&v->signer);
    free(v);
}

struct pp_span sim_tdx_root(const struct sim_tdx_vendor *v)
{
    return pp_span(v->root.cert.der, v->root.cert.len);
}

struct pp_span sim_tdx_signer_chain(const struct sim_tdx_vendor *v)
{
    return pp_span(v->signer_chain, v->signer_chain_len);
}

pp_res sim_tdx_sign(const struct pp_ec_key *key, struct pp_span message,
                    uint8_t ret[PP_TDX_SIGNATURE_BYTES])
{
    uint8_t der[PP_ECDSA_DER_BYTES_MAX];
    size_t len;

    PP_TRY(pp_ec_sign(key, PP_SHA256, message, der, sizeof der, &len));
    return pp_ecdsa_der_to_raw(pp_span(der, len), PP_TDX_SIGNATURE_BYTES / 2, ret,
                               ret + PP_TDX_SIGNATURE_BYTES / 2);
}

pp_res sim_tdx_sign_document(const struct sim_tdx_vendor *v, const char *name, struct pp_span inner,
                             uint8_t *ret, size_t cap, size_t *ret_len)
{
    uint8_t signature[PP_TDX_SIGNATURE_BYTES];
    struct pp_wr wr = pp_wr_over(ret, cap);

    PP_TRY(sim_tdx_sign(v->signer.key, inner, signature));
    pp_wr_text(&wr, "{\"");
    pp_wr_text(&wr, name);
    pp_wr_text(&wr, "\":");
    pp_wr_span(&wr, inner);
    pp_wr_text(&wr, ",\"signature\":\"");
    pp_wr_hex(&wr, PP_BYTES(signature));
    pp_wr_text(&wr, "\"}");
    PP_TRY(pp_wr_ok(&wr));
    *ret_len = wr.len;
    return PP_OK;
}

pp_res sim_tdx_crl(const struct sim_tdx_vendor *v, enum sim_tdx_issuer issuer, uint64_t from_s,
                   uint64_t until_s, const uint64_t *serials, size_t serial_count, uint8_t *ret,
                   size_t cap, size_t *ret_len)
{
    int by_root = issuer == SIM_TDX_BY_ROOT;
    struct pp_issue_crl crl = { .this_update = from_s,
                                .next_update = until_s,
                                .serial_count = serial_count };

    PP_CHECK(serial_count <= PP_ISSUE_CRL_SERIALS_MAX, PP_E_RANGE, serial_count);
    for (size_t i = 0; i < serial_count; i++)
        crl.serials[i] = serials[i];
    crl.issuer_count = sim_tdx_names(crl.issuer, by_root ? SIM_TDX_ROOT_CN : SIM_TDX_AUTHORITY_CN);
    return pp_x509_issue_crl(&crl, by_root ? v->root.issuer : v->authority.issuer,
                             PP_X509_SIG_ECDSA_SHA256, ret, cap, ret_len);
}
