/* SPDX-License-Identifier: Apache-2.0 */
/* Of which kind a platform says that it is, before anything is proven. */
#include "tdx_int.h"

static int read_claim(struct pp_span pem, struct pp_tdx_pck *ret)
{
    struct pp_span ders[PP_X509_CHAIN_MAX];
    uint8_t bytes[PP_TDX_PCK_CHAIN_BYTES_MAX / 4 * 3];
    struct pp_x509 *leaf = NULL;
    size_t count;

    int found = pp_is_ok(pp_x509_pem_split(pem, bytes, sizeof bytes, ders, &count)) && count > 0 &&
                pp_is_ok(pp_x509_parse(ders[0], &leaf)) && pp_is_ok(pp_tdx_pck_of(leaf, ret, NULL));
    pp_x509_free(leaf);
    return found;
}

int pp_tdx_claimed_pck(const struct pp_tdx_anchors *anchors, struct pp_span quote,
                       struct pp_tdx_pck *ret)
{
    uint8_t digest[PP_SHA256_BYTES];
    struct pp_tdx_quote q;

    if (!pp_is_ok(pp_tdx_quote_parse(quote, &q, NULL)))
        return 0;
    while (q.pck_chain.len > 0 && q.pck_chain.at[q.pck_chain.len - 1] == 0)
        q.pck_chain.len--;
    const struct pp_tdx_kept_platform *p = tdx_find_platform(anchors, q.pck_chain, digest);
    if (p == NULL)
        return read_claim(q.pck_chain, ret);
    *ret = p->pck;
    return 1;
}
