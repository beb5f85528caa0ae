/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence.h"

#include "cbor.h"
#include "msg_int.h"

enum { EVIDENCE_VERSION = 1, GPU_MAX = 1 };

/* Map keys of pp-wire 7; 5 and 8 are never used. */
enum {
    KEY_VERSION = 0,
    KEY_PLATFORM = 1,
    KEY_REPORT = 2,
    KEY_ENDORSEMENTS = 3,
    KEY_GPUS = 4,
    KEY_RELEASE = 6,
    KEY_CONFIG = 7,
    KEY_MESSAGE_KEY = 9,
    KEY_BATCH = 10,
    KEY_BACKENDS = 11,
    KEY_HOSTS = 12,
    MANDATORY = 1U << KEY_VERSION | 1U << KEY_PLATFORM | 1U << KEY_REPORT | 1U << KEY_ENDORSEMENTS |
                1U << KEY_RELEASE | 1U << KEY_CONFIG | 1U << KEY_HOSTS,
};

struct platform {
    enum pp_platform id;
    const char *name;
    int snp, simulated;
};

/* A release build does not know the simulated platforms at all. */
static const struct platform PLATFORMS[] = {
    { PP_PLATFORM_SEV_SNP, "sev-snp", 1, 0 },
    { PP_PLATFORM_TDX, "tdx", 0, 0 },
#if !PP_RELEASE
    { PP_PLATFORM_SIM_SNP, "sim-snp", 1, 1 },
    { PP_PLATFORM_SIM_TDX, "sim-tdx", 0, 1 },
#endif
};

static const struct platform *platform_row(enum pp_platform p)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(PLATFORMS); i++)
        if (PLATFORMS[i].id == p)
            return &PLATFORMS[i];
    PP_ASSERT(0 && "a platform of this build");
    return NULL;
}

const char *pp_platform_name(enum pp_platform p)
{
    return platform_row(p)->name;
}

int pp_platform_is_snp(enum pp_platform p)
{
    return platform_row(p)->snp;
}

int pp_platform_is_simulated(enum pp_platform p)
{
    return platform_row(p)->simulated;
}

pp_res pp_platform_find(struct pp_span name, enum pp_platform *ret)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(PLATFORMS); i++) {
        if (!pp_span_eq(name, pp_span_cstr(PLATFORMS[i].name)))
            continue;
        *ret = PLATFORMS[i].id;
        return PP_OK;
    }
    return PP_FAIL(PP_E_UNSUPPORTED, name.len);
}

static enum pp_platform platform_rd(struct pp_rd *rd)
{
    enum pp_platform platform = PP_PLATFORM_SEV_SNP;

    if (!pp_is_ok(pp_platform_find(pp_cbor_rd_text(rd, 1, 16), &platform)))
        pp_rd_fail(rd, PP_E_UNSUPPORTED);
    return platform;
}

static void gpu_rd(struct pp_rd *rd, struct pp_evidence_gpu *gpu)
{
    size_t ocsp_bytes = 0;

    (void)pp_cbor_rd_array(rd, GPU_MAX, GPU_MAX);
    pp_cbor_rd_tuple(rd, 4);
    pp_cbor_rd_copy(rd, gpu->fresh, sizeof gpu->fresh);
    gpu->report = pp_cbor_rd_bytes(rd, 1, PP_EVIDENCE_REPORT_BYTES_MAX);
    gpu->cert_count = pp_msg_blobs_rd(rd, 1, PP_EVIDENCE_GPU_CERT_MAX, PP_EVIDENCE_CERT_BYTES_MAX,
                                      gpu->certs);
    gpu->ocsp_count = pp_msg_blobs_rd(rd, 0, PP_EVIDENCE_GPU_CERT_MAX, PP_EVIDENCE_OCSP_BYTES_MAX,
                                      gpu->ocsp);
    for (size_t i = 0; i < gpu->ocsp_count; i++)
        ocsp_bytes += gpu->ocsp[i].len;
    if (ocsp_bytes > PP_EVIDENCE_OCSP_BYTES_MAX)
        pp_rd_fail(rd, PP_E_LIMIT);
}

static void gpus_rd(struct pp_rd *rd, struct pp_evidence *e)
{
    struct pp_rd start = *rd; /* the digest of ra-tls 5 is over the bytes as they came */

    gpu_rd(rd, &e->gpu);
    e->gpu_encoding = pp_rd_bytes(&start, rd->offset - start.offset);
}

pp_res pp_evidence_gpu_write(struct pp_wr *wr, const struct pp_evidence_gpu *gpu)
{
    PP_CHECK(gpu->cert_count <= PP_EVIDENCE_GPU_CERT_MAX, PP_E_RANGE, gpu->cert_count);
    PP_CHECK(gpu->ocsp_count <= PP_EVIDENCE_GPU_CERT_MAX, PP_E_RANGE, gpu->ocsp_count);
    pp_cbor_wr_array(wr, GPU_MAX);
    pp_cbor_wr_array(wr, 4);
    pp_cbor_wr_bytes(wr, PP_BYTES(gpu->fresh));
    pp_cbor_wr_bytes(wr, gpu->report);
    pp_msg_blobs_wr(wr, gpu->certs, gpu->cert_count);
    pp_msg_blobs_wr(wr, gpu->ocsp, gpu->ocsp_count);
    return pp_wr_ok(wr);
}

static void message_key_rd(struct pp_rd *rd, struct pp_evidence *e)
{
    e->message_key = pp_cbor_rd_bytes(rd, 2 + PP_EVIDENCE_KEY_BYTES_MIN,
                                      2 + PP_EVIDENCE_KEY_BYTES_MAX);
    struct pp_rd key = pp_rd_span(e->message_key);
    e->message_kem = pp_rd_u16(&key);
    e->message_pk = pp_rd_rest(&key);
}

static void batch_rd(struct pp_rd *rd, struct pp_batch_path *b)
{
    pp_cbor_rd_tuple(rd, 3);
    b->size = (uint32_t)pp_cbor_rd_uint(rd, PP_BATCH_SIZE_MIN, PP_BATCH_SIZE_MAX);
    b->index = (uint32_t)pp_cbor_rd_uint(rd, 0, b->size == 0 ? 0 : b->size - 1);
    b->node_count = pp_cbor_rd_array(rd, 1, PP_BATCH_PATH_MAX);
    for (size_t i = 0; i < b->node_count; i++)
        pp_cbor_rd_copy(rd, b->nodes[i], PP_HASH_NODE_BYTES);
}

static void value_rd(struct pp_rd *rd, uint32_t key, struct pp_evidence *e)
{
    switch (key) {
    case KEY_VERSION:
        if (pp_cbor_rd_uint(rd, 0, UINT64_MAX) != EVIDENCE_VERSION)
            pp_rd_fail(rd, PP_E_UNSUPPORTED);
        break;
    case KEY_PLATFORM:
        e->platform = platform_rd(rd);
        break;
    case KEY_REPORT:
        e->report = pp_cbor_rd_bytes(rd, 1, PP_EVIDENCE_REPORT_BYTES_MAX);
        break;
    case KEY_ENDORSEMENTS: {
        size_t want = pp_platform_is_snp(e->platform) ? 1 : 0;
        e->endorsement_count = pp_msg_blobs_rd(rd, want, want, PP_EVIDENCE_CERT_BYTES_MAX,
                                               e->endorsements);
        break;
    }
    case KEY_GPUS:
        gpus_rd(rd, e);
        break;
    case KEY_RELEASE:
        pp_cbor_rd_copy(rd, e->release_id, sizeof e->release_id);
        break;
    case KEY_CONFIG:
        e->config = pp_cbor_rd_bytes(rd, 0, PP_EVIDENCE_CONFIG_BYTES_MAX);
        break;
    case KEY_MESSAGE_KEY:
        message_key_rd(rd, e);
        break;
    case KEY_BATCH:
        batch_rd(rd, &e->batch);
        break;
    case KEY_BACKENDS:
        pp_msg_backends_rd(rd, 1, 1, &e->backends);
        break;
    case KEY_HOSTS:
        e->host_count = pp_msg_hosts_rd(rd, e->hosts);
        break;
    default:
        pp_rd_fail(rd, PP_E_UNKNOWN_FIELD);
    }
}

pp_res pp_evidence_parse(struct pp_span cbor, enum pp_end end, struct pp_evidence *ret)
{
    struct pp_rd rd = pp_rd_span(cbor);
    struct pp_evidence e = { .platform = PP_PLATFORM_SEV_SNP };
    struct pp_cbor_map map = pp_cbor_rd_map(&rd, PP_CBOR_KEY_MAX);

    while (pp_cbor_rd_key(&map, &rd)) {
        /* Key 3 is read by the platform of key 1; keys ascend, so a map without 1 stops here. */
        if (map.key > KEY_PLATFORM)
            PP_TRY(pp_cbor_map_has(&map, 1U << KEY_VERSION | 1U << KEY_PLATFORM));
        value_rd(&rd, map.key, &e);
    }
    PP_TRY(pp_rd_end(&rd));
    PP_TRY(pp_cbor_map_has(&map, MANDATORY));
    if (end == PP_END_SERVER)
        PP_TRY(pp_cbor_map_has(&map, 1U << KEY_MESSAGE_KEY));
    else
        PP_CHECK(e.message_key.len == 0, PP_E_UNKNOWN_FIELD, KEY_MESSAGE_KEY);
    *ret = e;
    return PP_OK;
}

static void batch_wr(struct pp_wr *wr, const struct pp_batch_path *b)
{
    pp_cbor_wr_array(wr, 3);
    pp_cbor_wr_uint(wr, b->size);
    pp_cbor_wr_uint(wr, b->index);
    pp_cbor_wr_array(wr, b->node_count);
    for (size_t i = 0; i < b->node_count; i++)
        pp_cbor_wr_bytes(wr, PP_BYTES(b->nodes[i]));
}

pp_res pp_evidence_write(struct pp_wr *wr, const struct pp_evidence *e)
{
    size_t pairs = (size_t)7 + (e->gpu_encoding.len > 0) + (e->message_key.len > 0) +
                   (e->batch.size > 0) + (e->backends.count > 0);

    PP_CHECK(e->endorsement_count <= PP_EVIDENCE_ENDORSEMENT_MAX, PP_E_RANGE, KEY_ENDORSEMENTS);
    PP_CHECK(e->batch.node_count <= PP_BATCH_PATH_MAX, PP_E_RANGE, KEY_BATCH);
    PP_CHECK(e->backends.count <= PP_BACKEND_MAX, PP_E_RANGE, KEY_BACKENDS);
    PP_CHECK(e->host_count >= 1 && e->host_count <= PP_HOST_PATHS_MAX, PP_E_RANGE, KEY_HOSTS);
    PP_CHECK(e->config.len <= PP_EVIDENCE_CONFIG_BYTES_MAX, PP_E_RANGE, KEY_CONFIG);

    pp_cbor_wr_map(wr, pairs);
    pp_cbor_wr_uint(wr, KEY_VERSION);
    pp_cbor_wr_uint(wr, EVIDENCE_VERSION);
    pp_cbor_wr_uint(wr, KEY_PLATFORM);
    pp_cbor_wr_text(wr, pp_span_cstr(pp_platform_name(e->platform)));
    pp_cbor_wr_uint(wr, KEY_REPORT);
    pp_cbor_wr_bytes(wr, e->report);
    pp_cbor_wr_uint(wr, KEY_ENDORSEMENTS);
    pp_msg_blobs_wr(wr, e->endorsements, e->endorsement_count);
    if (e->gpu_encoding.len > 0) {
        pp_cbor_wr_uint(wr, KEY_GPUS);
        pp_wr_span(wr, e->gpu_encoding);
    }
    pp_cbor_wr_uint(wr, KEY_RELEASE);
    pp_cbor_wr_bytes(wr, PP_BYTES(e->release_id));
    pp_cbor_wr_uint(wr, KEY_CONFIG);
    pp_cbor_wr_bytes(wr, e->config);
    if (e->message_key.len > 0) {
        pp_cbor_wr_uint(wr, KEY_MESSAGE_KEY);
        pp_cbor_wr_bytes(wr, e->message_key);
    }
    if (e->batch.size > 0) {
        pp_cbor_wr_uint(wr, KEY_BATCH);
        batch_wr(wr, &e->batch);
    }
    if (e->backends.count > 0) {
        pp_cbor_wr_uint(wr, KEY_BACKENDS);
        pp_msg_backends_wr(wr, &e->backends);
    }
    pp_cbor_wr_uint(wr, KEY_HOSTS);
    pp_msg_hosts_wr(wr, e->hosts, e->host_count);
    return pp_wr_ok(wr);
}

pp_res pp_evidence_body_parse(struct pp_span body, struct pp_span *ret_cbor)
{
    struct pp_rd rd = pp_rd_span(body);

    PP_CHECK(body.len == PP_EVIDENCE_BODY_BYTES, PP_E_RANGE, body.len);
    uint32_t n = pp_rd_u32(&rd);
    PP_CHECK(n >= 1 && n <= PP_EVIDENCE_BYTES_MAX, PP_E_RANGE, n);
    struct pp_span cbor = pp_rd_bytes(&rd, n);
    pp_rd_zeros(&rd, rd.left);
    PP_TRY(pp_rd_end(&rd));
    *ret_cbor = cbor;
    return PP_OK;
}

pp_res pp_evidence_body_write(struct pp_wr *wr, const struct pp_evidence *e)
{
    size_t start = wr->len;
    size_t mark = pp_wr_block32_begin(wr);

    PP_TRY(pp_evidence_write(wr, e));
    pp_wr_block32_end(wr, mark);
    pp_wr_fill_to(wr, start + PP_EVIDENCE_BODY_BYTES);
    return pp_wr_ok(wr);
}
