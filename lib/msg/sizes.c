/* SPDX-License-Identifier: Apache-2.0 */
#include "sizes.h"

enum {
    REQUEST_SLACK_BYTES =
        456, /* BHTTP head and fields, OHTTP head and tag, Finished, seal head and tag */
    RECORD_SLACK_BYTES = 24, /* 22 bytes of TLS around each record of at most 16384 */
    RECORD_BYTES = 16384,
    LENGTH_BYTES = 4, /* u32 n in front of the CBOR */
};

static int is_power_of_two(uint64_t v)
{
    return v != 0 && (v & (v - 1)) == 0;
}

int pp_bucket_up_ok(uint64_t kib)
{
    return is_power_of_two(kib) && kib >= PP_BUCKET_2_UP_KIB_MIN && kib <= PP_BUCKET_2_UP_KIB_MAX;
}

int pp_bucket_down_ok(uint64_t kib)
{
    return is_power_of_two(kib) && kib <= PP_BUCKET_2_DOWN_KIB_MAX;
}

int pp_request_bytes_ok(size_t bytes)
{
    return bytes == PP_BUCKET_1_UP_BYTES || (bytes % 1024 == 0 && pp_bucket_up_ok(bytes / 1024));
}

pp_res pp_request_room(size_t bucket_kib, size_t outer_enc, size_t inner_enc, size_t *ret_bytes)
{
    size_t around;

    PP_CHECK(pp_bucket_up_ok(bucket_kib), PP_E_RANGE, bucket_kib);
    size_t bucket = bucket_kib * 1024;
    size_t records = (bucket + RECORD_BYTES - 1) / RECORD_BYTES;
    PP_TRY(pp_add(outer_enc, inner_enc, &around));
    PP_TRY(pp_add(around, REQUEST_SLACK_BYTES + RECORD_SLACK_BYTES * records, &around));
    PP_CHECK(around <= bucket && bucket - around >= PP_SEALED_PT_BYTES_MIN, PP_E_RANGE, bucket_kib);
    *ret_bytes = bucket - around;
    return PP_OK;
}

pp_res pp_request_bucket(size_t cbor_len, size_t outer_enc, size_t inner_enc,
                         size_t *ret_bucket_kib)
{
    size_t room;

    for (size_t kib = PP_BUCKET_2_UP_KIB_MIN; kib <= PP_BUCKET_2_UP_KIB_MAX; kib *= 2) {
        if (!pp_is_ok(pp_request_room(kib, outer_enc, inner_enc, &room)))
            continue;
        if (cbor_len <= room - LENGTH_BYTES) {
            *ret_bucket_kib = kib;
            return PP_OK;
        }
    }
    return PP_FAIL(PP_E_TOO_LARGE, cbor_len);
}

pp_res pp_peer_bucket(size_t pt_len, size_t inner_enc, size_t *ret_bucket_kib)
{
    size_t room;

    for (size_t kib = PP_BUCKET_2_UP_KIB_MIN; kib <= PP_BUCKET_2_UP_KIB_MAX; kib *= 2) {
        if (!pp_is_ok(pp_request_room(kib, PP_PEER_OUTER_ENC_BYTES, inner_enc, &room)) ||
            pt_len > room)
            continue;
        *ret_bucket_kib = kib;
        return PP_OK;
    }
    return PP_FAIL(PP_E_TOO_LARGE, pt_len);
}

size_t pp_answer_room(size_t bucket_kib)
{
    PP_ASSERT(pp_bucket_down_ok(bucket_kib));
    return bucket_kib * 1024 - PP_ANSWER_SLACK_BYTES;
}

uint32_t pp_grid_wait(uint64_t from_ms, uint64_t now_ms, uint32_t grid_ms)
{
    uint64_t passed = now_ms > from_ms ? now_ms - from_ms : 0;

    if (grid_ms == 0)
        return 0;
    if (passed > 0 && passed % grid_ms == 0)
        return 0;
    return grid_ms - (uint32_t)(passed % grid_ms);
}
