/* SPDX-License-Identifier: Apache-2.0 */
/* RIM files of a simulated GPU, written in their canonical form. */
#include "sim_gpu_int.h"

#define NS_SWID   "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
#define NS_DSIG   "http://www.w3.org/2000/09/xmldsig#"
#define NS_HASH   "http://www.w3.org/2001/04/xmlenc#sha384"
#define ALG_C14N  "http://www.w3.org/2006/12/xml-c14n11"
#define ALG_ECDSA "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"

/* Namespaces in the order of their prefixes, then attributes in the order of their names. */
static void write_head(struct pp_wr *wr, const struct sim_rim *rim)
{
    pp_wr_text(wr, "<SoftwareIdentity xmlns=\"" NS_SWID "\" xmlns:ns0=\"" NS_SWID
                   "\" xmlns:ns2=\"" NS_HASH "\" corpus=\"false\" name=\"");
    pp_wr_text(wr, rim->chip);
    pp_wr_text(wr,
               "\" tagId=\"sim\" version=\"1.0\">\n"
               "<ns0:Entity name=\"Nobody\" role=\"tagCreator\"></ns0:Entity>\n"
               "<ns0:Meta xmlns:ns1=\"https://trustedcomputinggroup.org/resource/"
               "tcg-reference-integrity-manifest-rim-information-model/\" colloquialVersion=\"");
    pp_wr_text(wr, rim->version);
    pp_wr_text(wr, "\" edition=\"GPU\" ns1:FirmwareManufacturerId=\"5703\"></ns0:Meta>\n"
                   "<ns0:Payload>\n");
}

static void write_hashes(struct pp_wr *wr, const struct sim_rim *rim, size_t index, uint32_t count)
{
    for (uint32_t k = 0; k < count; k++) {
        uint8_t hash[PP_GPU_HASH_BYTES];
        sim_gpu_measurement(index, hash);
        hash[0] ^= (uint8_t)(k + 1 == count ? rim->wrong >> index & 1 : k + 1);
        pp_wr_text(wr, " ns2:Hash");
        pp_wr_decimal(wr, k);
        pp_wr_text(wr, "=\"");
        pp_wr_hex(wr, PP_BYTES(hash));
        pp_wr_text(wr, "\"");
    }
}

static void write_payload(struct pp_wr *wr, const struct sim_rim *rim)
{
    for (size_t i = 0; i < PP_GPU_BLOCKS_MAX; i++) {
        int active = (rim->active >> i & 1) != 0;
        uint32_t count = active && rim->alternatives > 0 ? rim->alternatives : 1;
        pp_wr_text(wr, active ? "<ns0:Resource active=\"True\" alternatives=\""
                              : "<ns0:Resource active=\"False\" alternatives=\"");
        pp_wr_decimal(wr, count);
        pp_wr_text(wr, "\" index=\"");
        pp_wr_decimal(wr, i);
        pp_wr_text(wr, "\" size=\"48\" type=\"Measurement\"");
        write_hashes(wr, rim, i, count);
        pp_wr_text(wr, "></ns0:Resource>\n");
    }
    pp_wr_text(wr, "</ns0:Payload>\n");
}

/* `namespaces`: 1 in the canonical form, where the element stands alone; 0 in the file. */
static void write_signed_info(struct pp_wr *wr, const struct sim_rim *rim, int namespaces,
                              const uint8_t digest[PP_SHA384_BYTES])
{
    pp_wr_text(wr, "<ds:SignedInfo");
    if (namespaces)
        pp_wr_text(wr, " xmlns=\"" NS_SWID "\" xmlns:ds=\"" NS_DSIG "\" xmlns:ns0=\"" NS_SWID
                       "\" xmlns:ns2=\"" NS_HASH "\"");
    pp_wr_text(wr, "><ds:CanonicalizationMethod Algorithm=\"" ALG_C14N
                   "\"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\"");
    pp_wr_text(wr, rim->signature_method == NULL ? ALG_ECDSA : rim->signature_method);
    pp_wr_text(wr, "\"></ds:SignatureMethod><ds:Reference URI=\"\"><ds:Transforms><ds:Transform "
                   "Algorithm=\"" NS_DSIG "enveloped-signature\"></ds:Transform><ds:Transform "
                   "Algorithm=\"" ALG_C14N "\"></ds:Transform></ds:Transforms><ds:DigestMethod "
                   "Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#sha384\"></ds:DigestMethod>"
                   "<ds:DigestValue>");
    pp_wr_base64(wr, pp_span(digest, PP_SHA384_BYTES));
    pp_wr_text(wr, "</ds:DigestValue></ds:Reference></ds:SignedInfo>");
}

static pp_res write_signature(const struct sim_gpu *g, const struct sim_rim *rim,
                              const uint8_t digest[PP_SHA384_BYTES], struct pp_wr *wr)
{
    char info[2048];
    uint8_t rs[2 * PP_GPU_HASH_BYTES];
    struct pp_wr canonical = pp_wr_over(info, sizeof info);

    write_signed_info(&canonical, rim, 1, digest);
    PP_TRY(pp_wr_ok(&canonical));
    PP_TRY(
        sim_gpu_sign_raw(&g->rim[rim->first_cert], pp_wr_done(&canonical), rs, rs + sizeof rs / 2));
    pp_wr_text(wr, "<ds:Signature xmlns:ds=\"" NS_DSIG "\">");
    write_signed_info(wr, rim, 0, digest);
    pp_wr_text(wr, "<ds:SignatureValue>");
    pp_wr_base64(wr, PP_BYTES(rs));
    pp_wr_text(wr, "</ds:SignatureValue><ds:KeyInfo><ds:X509Data>");
    for (size_t i = rim->first_cert; i < SIM_RIM_CERTS; i++) {
        pp_wr_text(wr, "<ds:X509Certificate>\n");
        pp_wr_base64(wr, sim_gpu_rim_cert(g, i));
        pp_wr_text(wr, "\n</ds:X509Certificate>");
    }
    pp_wr_text(wr, "</ds:X509Data></ds:KeyInfo></ds:Signature>");
    return pp_wr_ok(wr);
}

pp_res sim_gpu_rim(const struct sim_gpu *g, const struct sim_rim *rim, struct pp_wr *wr)
{
    uint8_t digest[PP_SHA384_BYTES];
    size_t from = wr->len;

    write_head(wr, rim);
    write_payload(wr, rim);
    pp_wr_text(wr, rim->extra == NULL ? "" : rim->extra);
    struct pp_wr whole = *wr; /* without the signature this is the whole document */
    pp_wr_text(&whole, "</SoftwareIdentity>");
    PP_TRY(pp_wr_ok(&whole));
    pp_sha384(pp_span(whole.at + from, whole.len - from), digest);
    PP_TRY(write_signature(g, rim, digest, wr));
    pp_wr_text(wr, "</SoftwareIdentity>\n");
    return pp_wr_ok(wr);
}
