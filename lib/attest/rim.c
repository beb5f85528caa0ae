/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven of a RIM file, and how a report is compared with it. */
#include "rim_int.h"

enum { VIDEO_DECODER = 35 }; /* measurement that does not count while the decoder is off */

/* A time at which the whole chain is valid, and until when. */
static pp_res find_window(struct pp_rim *rim)
{
    rim->not_before = 0;
    rim->not_after = UINT64_MAX;
    for (size_t i = 0; i < rim->cert_count; i++) {
        uint64_t from = pp_x509_not_before(rim->certs[i]);
        uint64_t until = pp_x509_not_after(rim->certs[i]);
        if (from > rim->not_before)
            rim->not_before = from;
        if (until < rim->not_after)
            rim->not_after = until;
    }
    if (rim->not_before <= rim->not_after)
        return PP_OK;
    pp_problem_set(&rim->problem, "certificates", "valid together at some time", PP_STR("never"));
    return PP_FAIL(PP_E_GPU_RIM_CHAIN, 0);
}

static const struct pp_x509 *find_root(const struct pp_rim_roots *roots, struct pp_rim *rim)
{
    for (size_t i = 0; i < roots->count; i++)
        if (pp_x509_equal(roots->certs[i], rim->certs[rim->cert_count - 1])) {
            rim->root = roots->labels[i];
            return roots->certs[i];
        }
    return NULL;
}

static pp_res check_chain(const struct pp_rim_roots *roots, struct pp_rim *rim)
{
    const struct pp_x509 *root = find_root(roots, rim);

    PP_TRY(find_window(rim));
    pp_problem_set(&rim->problem, "certificates", "signer to a pinned root",
                   root == NULL ? PP_STR("the last is not pinned")
                                : PP_STR("a signature does not verify"));
    PP_CHECK(root != NULL, PP_E_GPU_RIM_CHAIN, 1);
    pp_res r = pp_x509_path_verify(rim->certs, rim->cert_count - 1, root, rim->not_before);
    if (!pp_is_ok(r) && r.code != PP_E_SIGNATURE && r.code != PP_E_RANGE)
        return r;
    PP_TRY_AS(PP_E_GPU_RIM_CHAIN, r);
    return PP_OK;
}

static pp_res prove(const struct pp_rim_roots *roots, struct pp_span xml, struct pp_rim *rim)
{
    struct rim_signature s = { 0 };
    uint8_t digest[PP_SHA384_BYTES];

    PP_TRY(rim_xml_read(xml, rim, &s, digest));
    pp_problem_hex(&rim->problem, "DigestValue", PP_BYTES(s.digest), PP_BYTES(digest));
    PP_CHECK(pp_span_eq(PP_BYTES(digest), PP_BYTES(s.digest)), PP_E_GPU_RIM_DIGEST, 0);
    pp_problem_set(&rim->problem, "SignatureValue", "verifies with the first certificate",
                   PP_STR("does not"));
    pp_res r = pp_x509_ecdsa_verify_raw(rim->certs[0], PP_SHA384,
                                        pp_span(s.signed_info, s.signed_info_len), s.r, s.s);
    if (!pp_is_ok(r) && r.code != PP_E_SIGNATURE && r.code != PP_E_KEY)
        return r;
    PP_TRY_AS(PP_E_GPU_RIM_SIGNATURE, r);
    PP_TRY(check_chain(roots, rim));
    rim->problem = (struct pp_problem){ 0 };
    return PP_OK;
}

pp_res pp_rim_open(const struct pp_rim_roots *roots, struct pp_span xml, struct pp_rim *ret)
{
    *ret = (struct pp_rim){ 0 };
    pp_sha256(xml, ret->sha256);
    pp_res r = prove(roots, xml, ret);
    ret->code = r.code;
    return r;
}

void pp_rim_done(struct pp_rim *rim)
{
    for (size_t i = 0; i < rim->cert_count; i++)
        pp_x509_free(rim->certs[i]);
    *rim = (struct pp_rim){ 0 };
}

pp_res pp_rim_recall(const struct pp_rim_roots *roots, struct pp_span xml, struct pp_rim *own,
                     const struct pp_rim **ret_rim)
{
    struct pp_rim_kept *kept = roots->kept;
    uint8_t digest[PP_SHA256_BYTES];
    size_t oldest = 0;

    *own = (struct pp_rim){ 0 };
    *ret_rim = own;
    if (kept == NULL)
        return pp_rim_open(roots, xml, own);
    pp_sha256(xml, digest);
    for (size_t i = 0; i < PP_RIM_KEPT; i++) {
        struct pp_rim *rim = &kept->files[i].rim;
        if (kept->files[i].used != 0 && pp_span_eq(PP_BYTES(rim->sha256), PP_BYTES(digest)) &&
            find_root(roots, rim) != NULL) {
            kept->files[i].used = ++kept->uses;
            *ret_rim = rim;
            return PP_OK;
        }
        if (kept->files[i].used < kept->files[oldest].used)
            oldest = i;
    }
    PP_TRY(pp_rim_open(roots, xml, own));
    pp_rim_done(&kept->files[oldest].rim);
    kept->files[oldest].rim = *own;
    kept->files[oldest].used = ++kept->uses;
    *own = (struct pp_rim){ 0 }; /* its certificates have moved */
    *ret_rim = &kept->files[oldest].rim;
    return PP_OK;
}

static int matches(const struct pp_rim *rim, size_t index, const struct pp_gpu_report *report)
{
    struct pp_span value = PP_BYTES(report->measurements[index]);

    if ((report->present >> index & 1) == 0)
        return 0;
    for (size_t i = 0; i < rim->values[index].count; i++)
        if (pp_span_eq(PP_BYTES(rim->hashes[rim->values[index].first + i]), value))
            return 1;
    return 0;
}

uint64_t pp_rim_mismatches(const struct pp_rim *rim, const struct pp_gpu_report *report)
{
    uint64_t bad = 0;

    for (size_t i = 0; i < PP_GPU_BLOCKS_MAX; i++) {
        if ((rim->active >> i & 1) == 0 ||
            (i == VIDEO_DECODER && report->nvdec0 == PP_GPU_DISABLED))
            continue;
        if (!matches(rim, i, report))
            bad |= UINT64_C(1) << i;
    }
    return bad;
}
