/* SPDX-License-Identifier: Apache-2.0 */
#include "hints.h"

#include "cbor.h"
#include "msg_int.h"

/* The keys are those of Evidence where both have the field. */
enum {
    KEY_ENDORSEMENTS = 3,
    KEY_RELEASE = 6,
    KEY_BACKENDS = 11,
    KEY_HOSTS = 12,
    KEY_RECORDS = 13,
    KEY_COLLATERAL = 14,
    MANDATORY = 1U << KEY_ENDORSEMENTS | 1U << KEY_RELEASE | 1U << KEY_HOSTS,
};

static void value_rd(struct pp_rd *rd, uint32_t key, struct pp_hints *h)
{
    switch (key) {
    case KEY_ENDORSEMENTS:
        h->endorsement_count = pp_msg_blobs_rd(rd, 0, PP_EVIDENCE_ENDORSEMENT_MAX,
                                               PP_EVIDENCE_CERT_BYTES_MAX, h->endorsements);
        break;
    case KEY_RELEASE:
        pp_cbor_rd_copy(rd, h->release_id, sizeof h->release_id);
        break;
    case KEY_BACKENDS:
        pp_msg_backends_rd(rd, 1, 1, &h->backends);
        break;
    case KEY_HOSTS:
        h->host_count = pp_msg_hosts_rd(rd, h->hosts);
        break;
    case KEY_RECORDS:
        h->record_count = pp_msg_blobs_rd(rd, 1, PP_HINTS_RECORD_MAX, PP_HINTS_RECORD_BYTES_MAX,
                                          h->records);
        break;
    case KEY_COLLATERAL:
        h->collateral_count = pp_msg_blobs_rd(rd, 1, PP_HINTS_COLLATERAL_MAX, PP_HINTS_BYTES_MAX,
                                              h->collateral);
        break;
    default:
        pp_rd_fail(rd, PP_E_UNKNOWN_FIELD);
    }
}

pp_res pp_hints_parse(struct pp_span cbor, struct pp_hints *ret)
{
    struct pp_rd rd = pp_rd_span(cbor);
    struct pp_hints h = { 0 };

    PP_CHECK(cbor.len <= PP_HINTS_BYTES_MAX, PP_E_LIMIT, cbor.len);
    struct pp_cbor_map map = pp_cbor_rd_map(&rd, PP_CBOR_KEY_MAX);
    while (pp_cbor_rd_key(&map, &rd))
        value_rd(&rd, map.key, &h);
    PP_TRY(pp_rd_end(&rd));
    PP_TRY(pp_cbor_map_has(&map, MANDATORY));
    *ret = h;
    return PP_OK;
}

pp_res pp_hints_write(struct pp_wr *wr, const struct pp_hints *h)
{
    size_t pairs = (size_t)3 + (h->backends.count > 0) + (h->record_count > 0) +
                   (h->collateral_count > 0);

    PP_CHECK(h->endorsement_count <= PP_EVIDENCE_ENDORSEMENT_MAX, PP_E_RANGE, KEY_ENDORSEMENTS);
    PP_CHECK(h->backends.count <= PP_BACKEND_MAX, PP_E_RANGE, KEY_BACKENDS);
    PP_CHECK(h->host_count >= 1 && h->host_count <= PP_HOST_PATHS_MAX, PP_E_RANGE, KEY_HOSTS);
    PP_CHECK(h->record_count <= PP_HINTS_RECORD_MAX, PP_E_RANGE, KEY_RECORDS);
    PP_CHECK(h->collateral_count <= PP_HINTS_COLLATERAL_MAX, PP_E_RANGE, KEY_COLLATERAL);

    pp_cbor_wr_map(wr, pairs);
    pp_cbor_wr_uint(wr, KEY_ENDORSEMENTS);
    pp_msg_blobs_wr(wr, h->endorsements, h->endorsement_count);
    pp_cbor_wr_uint(wr, KEY_RELEASE);
    pp_cbor_wr_bytes(wr, PP_BYTES(h->release_id));
    if (h->backends.count > 0) {
        pp_cbor_wr_uint(wr, KEY_BACKENDS);
        pp_msg_backends_wr(wr, &h->backends);
    }
    pp_cbor_wr_uint(wr, KEY_HOSTS);
    pp_msg_hosts_wr(wr, h->hosts, h->host_count);
    if (h->record_count > 0) {
        pp_cbor_wr_uint(wr, KEY_RECORDS);
        pp_msg_blobs_wr(wr, h->records, h->record_count);
    }
    if (h->collateral_count > 0) {
        pp_cbor_wr_uint(wr, KEY_COLLATERAL);
        pp_msg_blobs_wr(wr, h->collateral, h->collateral_count);
    }
    return pp_wr_ok(wr);
}
