/* SPDX-License-Identifier: Apache-2.0 */
#include "cmw.h"

#include "cbor.h"
#include "rd.h"

enum {
    CCC_TAG = 60000,
    NAMED_HASH_SHA256 = 1, /* IANA's Named Information hash algorithms */
    NAMED_HASH_SHA384 = 7,
    NAMED_HASH_SHA512 = 8,
    CLAIM_MAX = 32,
};

static struct pp_span text_rd(struct pp_rd *rd, size_t max)
{
    uint64_t len = 0;
    enum pp_cbor_major major = pp_cbor_rd_head(rd, &len);

    if (rd->failed == PP_E_OK && (major != PP_CBOR_TEXT || len > max))
        pp_rd_fail(rd, major == PP_CBOR_TEXT ? PP_E_RANGE : PP_E_FORMAT);
    return pp_rd_bytes(rd, rd->failed == PP_E_OK ? (size_t)len : 0);
}

static pp_res record_rd(struct pp_rd *rd, struct pp_cmw_record *r)
{
    size_t count = pp_cbor_rd_array(rd, 2, 3);

    if (pp_cbor_peek(rd) == PP_CBOR_UINT)
        r->content_format = (uint32_t)pp_cbor_rd_uint(rd, 0, UINT16_MAX);
    else
        r->media_type = pp_cbor_rd_text(rd, 1, PP_CMW_TEXT_BYTES_MAX);
    r->value = pp_cbor_rd_bytes(rd, 0, PP_CMW_VALUE_BYTES_MAX);
    if (count == 3)
        r->ind = (uint32_t)pp_cbor_rd_uint(rd, 1, 31);
    return pp_rd_ok(rd);
}

static pp_res wrapper_rd(struct pp_rd *rd, unsigned depth, struct pp_span label,
                         struct pp_cmw *cmw);

static pp_res collection_rd(struct pp_rd *rd, unsigned depth, struct pp_cmw *cmw)
{
    uint64_t pairs = 0;

    PP_CHECK(depth < PP_CMW_DEPTH_MAX, PP_E_LIMIT, depth);
    (void)pp_cbor_rd_head(rd, &pairs);
    PP_TRY(pp_rd_ok(rd));
    PP_CHECK(pairs >= 1 && pairs <= PP_CMW_ITEM_MAX + 1, PP_E_LIMIT, pairs);
    for (uint64_t i = 0; i < pairs; i++) {
        struct pp_span label = pp_cbor_rd_text(rd, 1, PP_CMW_TEXT_BYTES_MAX);
        PP_TRY(pp_rd_ok(rd));
        if (!pp_span_eq(label, PP_STR("__cmwc_t"))) {
            PP_TRY(wrapper_rd(rd, depth + 1, label, cmw));
            continue;
        }
        struct pp_span type = pp_cbor_rd_text(rd, 1, PP_CMW_TEXT_BYTES_MAX);
        PP_TRY(pp_rd_ok(rd));
        if (depth == 0)
            cmw->collection_type = type;
    }
    return PP_OK;
}

static pp_res wrapper_rd(struct pp_rd *rd, unsigned depth, struct pp_span label, struct pp_cmw *cmw)
{
    if (pp_cbor_peek(rd) == PP_CBOR_MAP)
        return collection_rd(rd, depth, cmw);
    PP_CHECK(pp_cbor_peek(rd) == PP_CBOR_ARRAY, PP_E_UNSUPPORTED, pp_cbor_peek(rd));
    PP_CHECK(cmw->count < PP_CMW_ITEM_MAX, PP_E_LIMIT, cmw->count);
    struct pp_cmw_record r = { .label = label };
    PP_TRY(record_rd(rd, &r));
    for (size_t i = 0; i < cmw->count; i++)
        PP_CHECK(label.len == 0 || !pp_span_eq(cmw->records[i].label, label), PP_E_DUPLICATE, i);
    cmw->records[cmw->count++] = r;
    return PP_OK;
}

pp_res pp_cmw_parse(struct pp_span bytes, struct pp_cmw *ret)
{
    struct pp_rd rd = pp_rd_span(bytes);
    struct pp_cmw cmw = { 0 };

    PP_CHECK(bytes.len >= 1, PP_E_TRUNCATED, 0);
    PP_TRY(wrapper_rd(&rd, 0, (struct pp_span){ 0 }, &cmw));
    PP_TRY(pp_rd_end(&rd));
    PP_CHECK(cmw.count >= 1, PP_E_MISSING, 0);
    *ret = cmw;
    return PP_OK;
}

static pp_res pubkey_hash_parse(struct pp_span bytes, struct pp_ccc_evidence *e)
{
    struct pp_rd rd = pp_rd_span(bytes);

    pp_cbor_rd_tuple(&rd, 2);
    uint64_t algorithm = pp_cbor_rd_uint(&rd, 0, UINT16_MAX);
    e->pubkey_hash = pp_cbor_rd_bytes(&rd, 0, PP_HASH_BYTES_MAX);
    PP_TRY(pp_rd_end(&rd));
    switch (algorithm) {
    case NAMED_HASH_SHA256:
        e->hash = PP_SHA256;
        break;
    case NAMED_HASH_SHA384:
        e->hash = PP_SHA384;
        break;
    case NAMED_HASH_SHA512:
        e->hash = PP_SHA512;
        break;
    default:
        return PP_FAIL(PP_E_UNSUPPORTED, algorithm);
    }
    PP_CHECK(e->pubkey_hash.len == pp_hash_len(e->hash), PP_E_RANGE, e->pubkey_hash.len);
    return PP_OK;
}

static pp_res claims_parse(struct pp_span claims, struct pp_ccc_evidence *e)
{
    struct pp_rd rd = pp_rd_span(claims);
    struct pp_span pubkey_hash = { 0 };
    uint64_t pairs = 0;
    int hashes = 0;

    PP_CHECK(pp_cbor_rd_head(&rd, &pairs) == PP_CBOR_MAP, PP_E_FORMAT, 0);
    PP_CHECK(pairs <= CLAIM_MAX, PP_E_LIMIT, pairs);
    for (uint64_t i = 0; i < pairs; i++) {
        struct pp_span name = text_rd(&rd, PP_CMW_TEXT_BYTES_MAX);
        if (pp_span_eq(name, PP_STR("pubkey-hash"))) {
            pubkey_hash = pp_cbor_rd_bytes(&rd, 1, PP_CMW_TEXT_BYTES_MAX);
            hashes++;
        } else if (pp_span_eq(name, PP_STR("nonce"))) {
            e->nonce = pp_cbor_rd_bytes(&rd, 1, PP_CMW_TEXT_BYTES_MAX);
        } else {
            (void)pp_cbor_rd_item(&rd);
        }
    }
    PP_TRY(pp_rd_end(&rd));
    PP_CHECK(hashes == 1, hashes == 0 ? PP_E_MISSING : PP_E_DUPLICATE, hashes);
    return pubkey_hash_parse(pubkey_hash, e);
}

pp_res pp_ccc_parse(struct pp_span bytes, struct pp_ccc_evidence *ret)
{
    struct pp_rd rd = pp_rd_span(bytes);
    struct pp_ccc_evidence e = { 0 };
    uint64_t tag = 0;

    enum pp_cbor_major major = pp_cbor_rd_head(&rd, &tag);
    PP_TRY(pp_rd_ok(&rd));
    PP_CHECK(major == PP_CBOR_TAG, PP_E_FORMAT, major);
    PP_CHECK(tag == CCC_TAG, PP_E_UNSUPPORTED, tag);
    pp_cbor_rd_tuple(&rd, 2);
    e.quote = pp_cbor_rd_bytes(&rd, 1, PP_CMW_VALUE_BYTES_MAX);
    e.claims = pp_cbor_rd_bytes(&rd, 1, PP_CMW_VALUE_BYTES_MAX);
    PP_TRY(pp_rd_end(&rd));
    PP_TRY(claims_parse(e.claims, &e));
    *ret = e;
    return PP_OK;
}
