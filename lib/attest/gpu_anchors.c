/* SPDX-License-Identifier: Apache-2.0 */
/* Pinned roots: whose GPUs, and whose reference values, are believed. */
#include "gpu_verify.h"

#include "nvidia_int.h"
#include "wr.h"

/* "NVIDIA Device Identity CA sha256:0123456789abcdef" */
static void write_label(const struct pp_x509 *cert, char ret[64])
{
    char cn[PP_X509_NAME_BYTES_MAX] = { 0 };
    uint8_t digest[PP_SHA256_BYTES];
    struct pp_wr wr = pp_wr_over(ret, 64);

    pp_ignore(pp_x509_name(cert, PP_X509_SUBJECT, "CN", cn), "a root without a name has a digest");
    pp_x509_digest(cert, digest);
    pp_wr_span(&wr, pp_span(cn, strnlen(cn, 36)));
    pp_wr_text(&wr, " sha256:");
    pp_wr_hex(&wr, pp_span(digest, 8));
    pp_wr_u8(&wr, 0);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
}

static pp_res add(struct pp_span der, struct pp_x509 **certs, char (*labels)[64], size_t cap,
                  size_t *count)
{
    struct pp_x509 *cert = NULL;

    PP_CHECK(*count < cap, PP_E_TRUST, *count);
    PP_TRY_AS(PP_E_TRUST, pp_x509_parse(der, &cert));
    /* Once, here, and not in every appraisal; whether it is in force is asked there. */
    pp_res r = pp_x509_key_kind(cert) == PP_X509_KEY_P384 &&
                       pp_is_ok(pp_x509_link_verify(cert, cert, pp_x509_not_before(cert)))
                   ? PP_OK
                   : PP_FAIL(PP_E_TRUST, 1);
    for (size_t i = 0; i < *count && pp_is_ok(r); i++)
        if (pp_x509_equal(certs[i], cert))
            r = PP_FAIL(PP_E_TRUST, 2);
    if (!pp_is_ok(r)) {
        pp_x509_free(cert);
        return r;
    }
    write_label(cert, labels[*count]);
    certs[(*count)++] = cert;
    return PP_OK;
}

pp_res pp_gpu_anchors_add_device(struct pp_gpu_anchors *a, struct pp_span der)
{
    return add(der, a->devices, a->labels, PP_GPU_ROOTS_MAX, &a->count);
}

pp_res pp_gpu_anchors_add_rim(struct pp_gpu_anchors *a, struct pp_span der)
{
    return add(der, a->rims.certs, a->rims.labels, PP_RIM_ROOTS_MAX, &a->rims.count);
}

pp_res pp_gpu_anchors_add_nvidia(struct pp_gpu_anchors *a)
{
    PP_TRY(pp_gpu_anchors_add_device(a, PP_NVIDIA_DEVICE_ROOT));
    return pp_gpu_anchors_add_rim(a, PP_NVIDIA_RIM_ROOT);
}

void pp_gpu_anchors_done(struct pp_gpu_anchors *a)
{
    for (size_t i = 0; i < a->count; i++)
        pp_x509_free(a->devices[i]);
    for (size_t i = 0; i < a->rims.count; i++)
        pp_x509_free(a->rims.certs[i]);
    for (size_t i = 0; a->rims.kept != NULL && i < PP_RIM_KEPT; i++) {
        pp_rim_done(&a->rims.kept->files[i].rim);
        a->rims.kept->files[i].used = 0;
    }
    *a = (struct pp_gpu_anchors){ 0 };
}
